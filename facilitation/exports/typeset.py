"""PDF by typst: tagged, PDF/UA-1, the same bytes for the same words, with the house face embedded.

Words go to the template as data and never as markup. typst reads no WOFF2, so fonts/ holds the same face as TrueType.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

_HERE = Path(__file__).parent


def pdf(template: str, words: Mapping[str, Any], day: dt.date) -> bytes:
    """The document that `template` (a file of this folder) makes of `words`, dated `day`.

    A character that no font at hand can draw is no reason to withhold a report: then the system's fonts are asked too,
    and the file is tagged in the same way but does not claim PDF/UA-1.
    """
    try:
        return _compile(template, words, day, _own_fonts(), "ua-1")
    except typst.TypstError as error:
        if "could not be displayed" not in error.message:
            raise
        return _compile(template, words, day, _all_fonts(), None)


def _compile(
    template: str, words: Mapping[str, Any], day: dt.date, fonts: typst.Fonts, standard: typst.PDFStandards
) -> bytes:
    return typst.compile(
        _HERE / template,
        root=_HERE,
        font_paths=fonts,
        format="pdf",
        sys_inputs={"words": json.dumps(words, ensure_ascii=False)},
        pdf_standards=standard,
        timestamp=dt.datetime.combine(day, dt.time(12), dt.UTC),
    )


@functools.cache
def _own_fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[_HERE / "fonts"])


@functools.cache
def _all_fonts() -> typst.Fonts:
    return typst.Fonts(font_paths=[_HERE / "fonts"])
