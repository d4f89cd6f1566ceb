"""What a person typed, made fit to store and show. Pure."""

from __future__ import annotations

import unicodedata

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")


def tidy(text: str) -> str:
    """One line: NFC, no control or direction-changing characters, single spaces."""
    return " ".join(_visible(text).split())


def tidy_lines(text: str) -> str:
    """Several lines, each tidy; no more than one empty line between two."""
    lines = [tidy(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    kept = [line for place, line in enumerate(lines) if line or (place and lines[place - 1])]
    return "\n".join(kept).strip("\n")


def _visible(text: str) -> str:
    normal = unicodedata.normalize("NFC", text)
    return "".join(character if unicodedata.category(character) not in _UNSEEN else " " for character in normal)
