"""Question packs: a framework as a file that people write, send and keep, in JSON, CSV or Excel. Pure.

A pack is somebody's handiwork in a spreadsheet. A file with a fault is refused as a whole, with every fault named by
sheet, row and column; nothing is half imported. What is written here is read back as the same framework.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facilitation import hallmarks
from facilitation.errors import BadFramework
from facilitation.hallmarks import Framework, Hallmark, Question, Scale
from facilitation.language import _
from facilitation.packs import as_csv, as_xlsx, table
from facilitation.packs.table import BadPack
from facilitation.words import tidy

LARGEST_FILE = 200_000
"""Bytes of a file. The shipped framework of 54 questions needs 33,000 as JSON."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that a pack can be."""

    title: str
    mimetype: str


KINDS = {
    "xlsx": Kind("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": Kind("CSV", "text/csv; charset=utf-8"),
    "json": Kind("JSON", "application/json"),
}
"""The kinds by the end of a file’s name."""


def read(content: bytes, name: str) -> Framework:
    """The framework in a file called `name`; what is in it decides how it is read. Raises BadPack with all faults."""
    if len(content) > LARGEST_FILE:
        raise BadPack(name, [_("The file is too big; %(most)s kB is the most.", most=LARGEST_FILE // 1000)])
    if not content.strip():
        raise BadPack(name, [_("The file is empty.")])
    if content.startswith(as_xlsx.MAGIC):
        found = table.framework_in(as_xlsx.read(content, name), name)
    elif content.startswith(as_xlsx.OLD_MAGIC):
        raise BadPack(name, [_("This is an old or a protected workbook. Save it as .xlsx, without a password.")])
    elif content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        found = _from_json(content, name)
    else:
        found = table.framework_in(as_csv.read(content, name), name)
    return found


def write(framework: Framework, kind: str) -> bytes:
    """The framework as a file of one of KINDS."""
    if kind == "json":
        return (json.dumps(hallmarks.as_plain(framework), ensure_ascii=False, indent=2) + "\n").encode()
    return as_csv.write(framework) if kind == "csv" else as_xlsx.write(framework)


def template(scales: Mapping[str, Scale], kind: str) -> bytes:
    """A small pack to write one’s own over, with every column explained. kind: "csv" or "xlsx"."""
    example = Framework(
        key="our-questions",
        edition="1",
        title={"en": "Our own questions"},
        credit={"en": "Written by the trustees of our museum, 2026."},
        scales=dict(scales),
        hallmarks=(
            Hallmark(
                key="welcome",
                number=1,
                title={"en": "Welcome"},
                definition={"en": "Everybody who comes through the door feels expected."},
                description={"en": "From the car park to the café, people are met by somebody who is glad of them."},
                questions=(
                    _question("1", "To what extent do first-time visitors find their way around?", "First visits"),
                    _question("2", "How well do we say goodbye?", "Goodbyes", "quality"),
                ),
            ),
        ),
    )
    return as_csv.write(example, explained=True) if kind == "csv" else as_xlsx.write(example, explained=True)


def _question(place: str, text: str, short: str, scale: str = "extent") -> Question:
    prompt = "Think of one visitor you met this month. What happened?"
    return Question(f"welcome-0{place}", f"1.{place}", {"en": text}, {"en": short}, {"en": prompt}, scale)


def _from_json(content: bytes, name: str) -> Framework:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadPack(name, [_("Line %(line)s: this is not UTF-8 text.", line=line)]) from None
    try:
        return tidied(hallmarks.parse(text, name))
    except BadFramework as fault:
        raise BadPack(name, [fault.sentence]) from None


def tidied(framework: Framework) -> Framework:
    """The same framework with every text fit to store and show: one line, nothing invisible in it.

    Raises BadFramework where nothing is left of a text.
    """
    return hallmarks.from_plain(_tidy(hallmarks.as_plain(framework)), _("The file"))


def _tidy(value: Any) -> Any:
    match value:
        case str():
            return tidy(value)
        case dict():
            return {key: _tidy(inner) for key, inner in value.items()}
        case list():
            return [_tidy(inner) for inner in value]
    return value


__all__ = ["KINDS", "LARGEST_FILE", "BadPack", "Kind", "read", "template", "tidied", "write"]
