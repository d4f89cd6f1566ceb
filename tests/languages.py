"""What tests of languages share: a language in which everything that was marked is in brackets, and what is left over.

The language is Esperanto, for which there is no catalogue: ⟦Join the session⟧. Texts of a framework have none of it
either, so pages mark them as English; what people typed is known to the test. Any other letters were never marked.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

import pytest

from facilitation import language

PSEUDO = "eo"
_WORD = re.compile(r"[^\W\d_]{2,}")
_VOID = {"meta", "link", "input", "br", "col", "img", "hr", "path", "circle", "rect"}
_READ = {"title", "aria-label", "alt", "placeholder", "label"}  # attributes that people see or hear
_DATA = (
    "data-down",
    "data-up",
    "data-away",
    "data-counted",
    "data-unsent",
    "data-nodots",
    "data-say",
    "data-arm",
    "data-break",
    "data-over",
)


class Brackets(gettext.NullTranslations):
    """A catalogue that has every sentence, in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


def teach(patch: pytest.MonkeyPatch) -> None:
    """Have the program offer PSEUDO beside English for the length of a test."""
    catalogue = language._catalogue

    def taught(spoken: str) -> gettext.NullTranslations:
        return Brackets() if spoken == PSEUDO else catalogue(spoken)

    taught.cache_clear = catalogue.cache_clear  # type: ignore[attr-defined]
    patch.setattr(language, "offered", lambda: (language.SOURCE, PSEUDO))
    patch.setattr(language, "_catalogue", taught)
    patch.setattr(language, "chosen", language.chosen.__wrapped__)


class _Reader(HTMLParser):
    """Collects what people read or hear of a page outside of brackets, but for what says it is in another language."""

    def __init__(self, spoken: str) -> None:
        super().__init__()
        self.left: list[str] = []
        self._spoken = spoken
        self._open: list[tuple[str, bool]] = []  # elements, and whether what is in them is read
        self._deep = 0  # a sentence may hold elements, so its brackets may be far apart

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        reads = all(reads for _tag, reads in self._open) and tag not in ("script", "style")
        reads = reads and given.get("lang") in (None, self._spoken)
        for name, text in attrs:
            if reads and text and (name in _READ or name in _DATA):
                self.left.append(self._outside(text, 0)[0])
        if tag not in _VOID:
            self._open.append((tag, reads))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag in (name for name, _reads in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if all(reads for _tag, reads in self._open):
            outside, self._deep = self._outside(data, self._deep)
            self.left.append(outside)

    def _outside(self, text: str, deep: int) -> tuple[str, int]:
        kept = []
        for character in text:
            deep += (character == "⟦") - (character == "⟧")
            kept.append(character if deep == 0 and character != "⟧" else " ")
        return "".join(kept), deep


def unmarked(html: str, known: Iterable[str] = ()) -> Iterator[str]:
    """Every text of a page in PSEUDO that holds words outside of brackets. known: what people typed, and names."""
    reader = _Reader(PSEUDO)
    reader.feed(html)
    typed = sorted(known, key=len, reverse=True)
    for text in reader.left:
        left = text
        for words in typed:
            left = left.replace(words, " ")
        if _WORD.search(left):
            yield " ".join(text.split())
