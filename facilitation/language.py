"""Which language is spoken now, and the words of the interface in it.

English is the source: a sentence stands in the code and in the templates as people read it, marked with `_`. Every
other language is a gettext catalogue, `translations/<language>.po`; what it lacks is said in English, never by machine.
The language is set once for a page, a push or a document (`speaking`) and is nobody's argument in between.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
HERE = Path(__file__).resolve().parent / "translations"

_current: ContextVar[str] = ContextVar("language", default=SOURCE)


def current() -> str:
    """The language that is spoken now, as in a language map: "en", "cy"."""
    return _current.get()


def offered() -> tuple[str, ...]:
    """The languages that somebody can choose: English, and every one that has a catalogue."""
    return (SOURCE, *sorted(path.stem for path in HERE.glob("*.po")))


def locale() -> Locale:
    """How dates are written, and which way the writing runs, in the language spoken now."""
    return _locale(current())


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse("en_GB" if language == SOURCE else language, sep="-" if "-" in language else "_")


def tag() -> str:
    """The language spoken now as documents name it: "en-GB", "cy"."""
    return str(locale()).replace("_", "-")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language until the end of the block."""
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


def _(text: str, **values: object) -> str:
    """The sentence in the language spoken now, with what its %(names)s stand for."""
    said = _catalogue(current()).gettext(text)
    return said % values if values else said


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """The sentence for so many: %(num)s is the number, and every language has its own forms."""
    return form_for(one, many, count) % {"num": count, **values}


def form_for(one: str, many: str, count: int) -> str:
    """The form of the sentence for so many, its %(names)s not yet filled in."""
    return _catalogue(current()).ngettext(one, many, count)


def mark(text: str) -> str:
    """Have a sentence in the catalogue that is said elsewhere, with `_`: for tables made once, at import."""
    return text


def in_all(text: str) -> dict[str, str]:
    """A marked sentence as a language map, in every language that has it: for what is kept and shown later."""
    said = {language: _catalogue(language).gettext(text) for language in offered()}
    return {language: words for language, words in said.items() if language == SOURCE or words != text}


@lru_cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    """The words of a language; English, and a language that nobody has translated, has none."""
    path = HERE / f"{language}.po"
    if language == SOURCE or not path.is_file():
        return catalogues.NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)
