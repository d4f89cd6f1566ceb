"""Small pictures for Word: a lane of squares, one for each person or question, as PNG. Pure; no library needed.

The same squares as on screen: five fills, told apart in print by outline, place and the number beside them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import cache

from facilitation.profile import Mark

PIXELS_A_MM = 10
SQUARES_AT_MOST = 12
"""A lane of more people than that is a bar: nobody counts so many squares."""

_FILLS = ("8A4A12", "DDA552", "EFEDE4", "7BC0C4", "0A5160")
_OUTLINES = ("5A2E07", "8A5A10", "66737A", "1F6C73", "06343F")
_SIDE, _GAP, _LINE = 26, 5, 3  # pixels
_LONGEST = SQUARES_AT_MOST * (_SIDE + _GAP)


@cache
def lane(level: int, count: int, longest: int) -> bytes:
    """`count` people at `level` (1 to 5); when the longest lane of the chart has too many, a bar on its scale."""
    if longest > SQUARES_AT_MOST:
        canvas = _Canvas(max(_LINE * 2, _LONGEST * count // longest))
        canvas.frame(0, canvas.width, level)
    else:
        canvas = _Canvas(count * (_SIDE + _GAP) - _GAP)
        for place in range(count):
            canvas.frame(place * (_SIDE + _GAP), _SIDE, level)
    return canvas.png()


@cache
def marks(shown: Sequence[Mark]) -> bytes:
    """The questions of one cell of the profile, each a square: slashed when far apart, in two halves when between."""
    canvas = _Canvas(len(shown) * (_SIDE + _GAP) - _GAP)
    for place, mark in enumerate(shown):
        left = place * (_SIDE + _GAP)
        canvas.frame(left, _SIDE, mark.level)
        if mark.between and mark.level < len(_FILLS):
            canvas.frame(left + _SIDE // 2, _SIDE - _SIDE // 2, mark.level + 1)
        if mark.apart:
            canvas.slash(left, "FFFFFF" if mark.level in (1, 5) and not mark.between else "14222B")
    return canvas.png()


class _Canvas:
    """White pixels, as high as a square."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows = [bytearray(b"\xff" * 3 * width) for _ in range(_SIDE)]

    def frame(self, left: int, width: int, level: int) -> None:
        """A box of a level's fill in its outline."""
        self._box(left, 0, width, _SIDE, _OUTLINES[level - 1])
        self._box(left + _LINE, _LINE, width - 2 * _LINE, _SIDE - 2 * _LINE, _FILLS[level - 1])

    def slash(self, left: int, colour: str) -> None:
        """From the lower left to the upper right of the square that begins at `left`."""
        for step in range(_LINE, _SIDE - _LINE - 1):
            self._box(left + step, _SIDE - step - 3, 3, 3, colour)

    def _box(self, left: int, top: int, width: int, height: int, colour: str) -> None:
        for row in self._rows[top : top + height]:
            row[3 * left : 3 * (left + width)] = bytes.fromhex(colour) * width

    def png(self) -> bytes:
        """The file."""
        header = struct.pack(">IIBBBBB", self.width, len(self._rows), 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in self._rows), 9)
        parts = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, content) for kind, content in parts)


def _part(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
