"""What a person typed, made fit to store and show. Pure."""

from __future__ import annotations

import unicodedata

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tidy(text: str) -> str:
    """One line: NFC, no control or direction-changing characters, single spaces."""
    return " ".join(_visible(text).split())


def tidy_lines(text: str) -> str:
    """Several lines, each tidy; no more than one empty line between two."""
    lines = [tidy(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept).strip("\n")


def is_unseen(character: str) -> bool:
    """Whether a character is none that `tidy` leaves in what people type."""
    return unicodedata.category(character) in _UNSEEN


def is_unfit(character: str) -> bool:
    """Whether a character has no place in a framework's words: as `is_unseen`, but some languages need marks that are
    not seen themselves, such as joiners. Those that turn the direction of everything after them stay out."""
    return character in _DIRECTIONS or (is_unseen(character) and unicodedata.category(character) != "Cf")


def _visible(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    return "".join(" " if is_unseen(character) else character for character in normal)
