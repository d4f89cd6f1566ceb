"""Which language is spoken now, and the words of the interface in it.

English is the source: a sentence stands in the code and in the templates as people read it, marked with `_`. Every
other language is a gettext catalogue, `translations/<language>.po`; what it lacks is said in English, never by machine.
The language is set once for a page, a push or a document (`speaking`) and is nobody's argument in between.

The shared screen may speak two languages at once: "cy+en". Every sentence is then a `Said`, which knows itself in each.
"""

from __future__ import annotations

import gettext as catalogues
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from babel import Locale, negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

SOURCE = "en"
COOKIE = "language"
HERE = Path(__file__).resolve().parent / "translations"
_WANTED = re.compile(r"([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?))?")
_DRAFT = "Draft:"  # stands in the head of a catalogue until a translator has reviewed it

_current: ContextVar[str] = ContextVar("language", default=SOURCE)


class Corrections(Protocol):
    """What people here say instead of the drafts: see `facilitation.corrections`."""

    def stamp(self, language: str) -> object:
        """Something else after each change, by whichever process; asked for often."""
        ...

    def corrected(self, language: str, draft: Catalog) -> Catalog:
        """The catalogue with what people here say; `draft` itself, which stays as it is, where they say nothing."""
        ...

    def are_complete(self, language: str, draft: Catalog) -> bool:
        """Whether somebody has reviewed every sentence."""
        ...


_corrections: Corrections | None = None
_stamps: dict[str, object] = {}
_edition = 0

Find = Callable[[catalogues.NullTranslations], str]


class Said(str):
    """A text that is not simply in the language spoken: in another one, or in each of the two that are spoken.

    `each`: by language spoken, the language it is really in and the words. In a page it marks its language, for screen
    readers (WCAG 3.1.2); everywhere else it is a text like any other.
    """

    each: Mapping[str, tuple[str, str]]

    def __new__(cls, each: Mapping[str, tuple[str, str]]) -> Said:
        """Several are one text with strokes in between."""
        made = super().__new__(cls, " / ".join(dict.fromkeys(words for _own, words in each.values())))
        made.each = each
        return made

    def __html__(self) -> Markup:
        parts = [Markup('<span lang="{}">{}</span>').format(tag(own), words) for own, words in set_of(self.each)]
        if len(parts) == 1:
            return parts[0]
        return Markup('<span class="two">{}</span>').format(Markup('<span class="two__or"> / </span>').join(parts))


class Mixed(str):
    """A sentence that quotes words of another language: in a page these say so, everywhere else it is only a text."""

    html: Markup

    def __new__(cls, text: str, html: Markup) -> Mixed:
        """The same sentence twice."""
        made = super().__new__(cls, text)
        made.html = html
        return made

    def __html__(self) -> Markup:
        return self.html


def set_of(each: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """The parts of a text in two languages, each once: a name or a number is the same in both."""
    return list(dict.fromkeys(each.values()))


def current() -> str:
    """The language that is spoken now, as in a language map: "en", "cy"; "cy+en" where two are."""
    return _current.get()


def spoken() -> tuple[str, ...]:
    """The languages that are spoken now, one after the other."""
    return _apart(current())


@lru_cache
def _apart(language: str) -> tuple[str, ...]:
    return tuple(language.split("+"))


@lru_cache
def offered() -> tuple[str, ...]:
    """The languages that somebody can choose: English, and every one that has a catalogue."""
    return (SOURCE, *sorted(path.stem for path in HERE.glob("*.po")))


def others() -> tuple[str, ...]:
    """What somebody who hears the language spoken now may choose instead."""
    return tuple(language for language in offered() if language != current())


def choices_for_screen() -> tuple[str, ...]:
    """What the shared screen can speak: one language, or English and another one, which then comes first."""
    return (*offered(), *(f"{language}+{SOURCE}" for language in offered() if language != SOURCE))


@lru_cache
def name(language: str) -> str:
    """A language's name in itself: "Cymraeg"; "Cymraeg + English" for two."""
    names = (locale(one).get_display_name(one if one != SOURCE else "en") or one for one in language.split("+"))
    return " + ".join(names).removesuffix(" (United Kingdom)")


def tag(language: str) -> str:
    """The language as `lang` attributes name it."""
    return "en-GB" if language == SOURCE else language


@lru_cache(maxsize=256)
def chosen(cookie: str, accepted: str) -> str:
    """The language of one browser: what it was told by its user, or the first it asks for that there is.

    cookie: what stands in COOKIE; accepted: its Accept-Language header.
    """
    if cookie in offered():
        return cookie
    weighed = [(float(weight or 1), name) for name, weight in _WANTED.findall(accepted)]
    in_order = [name for weight, name in sorted(weighed, key=lambda one: -one[0]) if weight]
    return negotiate_locale(in_order, offered(), sep="-") or SOURCE


@lru_cache
def locale(language: str) -> Locale:
    """How dates are written in a language, and which way its writing runs."""
    return Locale.parse("en_GB" if language == SOURCE else language.replace("-", "_"))


def is_rtl() -> bool:
    """Whether the writing of the (first) language spoken now runs from right to left."""
    return locale(spoken()[0]).text_direction == "rtl"


def correct_with(corrections: Corrections | None) -> None:
    """Say what is corrected here instead of the drafts, from now on."""
    global _corrections
    _corrections = corrections
    _stamps.clear()
    _forget()


def edition() -> int:
    """Another number after each change of any sentence: for whoever keeps what has been said."""
    return _edition


def _forget() -> None:
    global _edition
    _edition += 1
    for kept in (_catalogue, _is_draft):
        kept.cache_clear()


def _look_for_corrections(language: str) -> None:
    for one in language.split("+"):
        stamp = _corrections.stamp(one) if _corrections and one != SOURCE else None
        if _stamps.get(one) != stamp:
            _stamps[one] = stamp
            _forget()


def speak(language: str) -> str:
    """Speak this language from now on; the one spoken before. For the edge, where a request begins and ends."""
    _look_for_corrections(language)
    before = current()
    _current.set(language)
    return before


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language until the end of the block."""
    _look_for_corrections(language)
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


def _(text: str, **values: object) -> str:
    """The sentence in the language spoken now, with what its %(names)s stand for."""
    return _say(lambda catalogue: catalogue.gettext(text), values)


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """The sentence for so many: %(num)s is the number, and every language has its own forms."""
    return _say(lambda catalogue: catalogue.ngettext(one, many, count), {"num": count, **values})


def _say(find: Find, values: Mapping[str, object]) -> str:
    languages = spoken()
    if len(languages) == 1:
        return _fill(find(_catalogue(languages[0])), values, languages[0])
    return told({language: _fill(find(_catalogue(language)), values, language) for language in languages})


def _fill(said: str, values: Mapping[str, object], language: str) -> str:
    if not values:
        return said
    text = said % {key: _part(value, language) for key, value in values.items()}
    if not any(_is_marked(value, language) for value in values.values()):
        return text
    return Mixed(text, escape(said) % {key: _html_of(value, language) for key, value in values.items()})


def _part(value: Any, language: str) -> Any:
    return value.each[language][1] if isinstance(value, Said) and language in value.each else value


def _is_marked(value: object, language: str) -> bool:
    """Whether a part is something else in a page than its letters: because of another language in it."""
    if isinstance(value, Said) and language in value.each:
        own, words = value.each[language]
        return own != language or hasattr(words, "__html__")
    return hasattr(value, "__html__")


def told(words: Mapping[str, str]) -> str:
    """Words by language spoken as one text: a plain one where they are the same in all."""
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return Said({language: (language, said) for language, said in words.items()})


def say(words: Mapping[str, str]) -> str:
    """A language map's text: in English where the language spoken is missing, never nothing, never by machine."""
    each = {
        language: (language, words[language]) if words.get(language) else (SOURCE, words[SOURCE])
        for language in spoken()
    }
    parts = set_of(each)
    return parts[0][1] if len(parts) == 1 and parts[0][0] == current() else Said(each)


def in_html(find: Find, values: Mapping[str, object]) -> str:
    """A marked sentence for a page: values are escaped, a part in another language says so."""
    languages = spoken()
    if len(languages) == 1:  # nearly always, and some thirty times a page
        return _sentence_in_html(find, values, languages[0])
    return told({language: _sentence_in_html(find, values, language) for language in languages})


def _sentence_in_html(find: Find, values: Mapping[str, object], language: str) -> Markup:
    said = Markup(find(_catalogue(language)))  # noqa: S704 - templates and catalogues may hold elements
    if not values and "%" not in said:
        return said
    return said % {key: _html_of(value, language) for key, value in values.items()}


def _html_of(value: object, language: str) -> object:
    if not isinstance(value, Said) or language not in value.each:
        return value
    own, words = value.each[language]
    return escape(words) if own == language else Markup('<span lang="{}">{}</span>').format(tag(own), words)


def listed(separator: str, parts: Sequence[str]) -> str:
    """Parts in one line, in each of the languages spoken."""
    line = separator.join(f"%({place})s" for place in range(len(parts)))
    values = {str(place): part for place, part in enumerate(parts)}
    return told({language: _fill(line, values, language) for language in spoken()})


def mark(text: str) -> str:
    """Have a sentence in the catalogue that is said elsewhere, with `_`: for tables made once, at import."""
    return text


def in_all(text: str) -> dict[str, str]:
    """A marked sentence as a language map, in every language that has it: for what is kept and shown later."""
    said = {language: _catalogue(language).gettext(text) for language in offered()}
    return {language: words for language, words in said.items() if language == SOURCE or words != text}


def is_draft() -> bool:
    """Whether a language that is spoken now awaits a translator's review."""
    return any(_is_draft(language) for language in spoken())


@lru_cache
def _is_draft(language: str) -> bool:
    made = drafts(language)
    if made is None or _DRAFT not in made.header_comment:
        return False
    return _corrections is None or not _corrections.are_complete(language, made)


@lru_cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    """The words of a language; English, and a language that nobody has translated, has none."""
    made = drafts(language)
    if made is None:
        return catalogues.NullTranslations()
    return _compiled(made if _corrections is None else _corrections.corrected(language, made))


@lru_cache(maxsize=8)
def _compiled(made: Catalog) -> catalogues.GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, made)
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


@lru_cache
def drafts(language: str) -> Catalog | None:
    """The catalogue that came with the program; None for English and for a language that nobody has translated.

    Read once, for that takes longer than most pages do: who wants to change it makes a copy.
    """
    path = HERE / f"{language}.po"
    if language == SOURCE or not path.is_file():
        return None
    with path.open("rb") as file:
        return read_po(file, locale=language)
