"""From one vote to another: the re-vote of the same room, and this year against last year. Pure.

Sources, limits and worked cases: DOMAIN.md, 5.7 and 5.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import comb, sqrt

from facilitation.tally.counts import voters


@dataclass(frozen=True, slots=True)
class Shift:
    """Directions that phones declared with a re-vote; unknown ones are not counted. ValueError for a negative count."""

    up: int
    same: int
    down: int

    def __post_init__(self) -> None:
        voters((self.up, self.same, self.down))

    @property
    def declared(self) -> int:
        """Phones that knew their direction."""
        return self.up + self.same + self.down

    @property
    def movers(self) -> int:
        """Phones that went up or down."""
        return self.up + self.down


class Moved(StrEnum):
    """Where a group went between two rounds."""

    UP = "up"
    DOWN = "down"
    UNCLEAR = "unclear"
    NOBODY = "nobody"


def moved(shift: Shift) -> Moved:
    """UP or DOWN from six movers, with at most a tenth of them the other way: that keeps `sign_p` under 0.05."""
    if shift.movers == 0:
        return Moved.NOBODY
    if shift.movers >= 6 and 10 * shift.down <= shift.movers:
        return Moved.UP
    if shift.movers >= 6 and 10 * shift.up <= shift.movers:
        return Moved.DOWN
    return Moved.UNCLEAR


def sign_p(shift: Shift) -> float | None:
    """Two-sided p of the exact sign test, for export only; None if nobody moved."""
    if shift.movers == 0:
        return None
    tail = sum(comb(shift.movers, i) for i in range(min(shift.up, shift.down) + 1))
    return min(1.0, 2 * tail / (1 << shift.movers))


class Change(StrEnum):
    """How this year stands to last year; a group this size can miss a real change."""

    CLEARLY_HIGHER = "clearly_higher"
    CLEARLY_LOWER = "clearly_lower"
    NO_CLEAR_CHANGE = "no_clear_change"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Cliff's delta (-1 to 1, positive if later is higher) and what chance alone may do; both None without votes.

    `change` is None when a side has fewer than four votes: then only the charts stand side by side.
    """

    delta: float | None
    limit: float | None
    change: Change | None


def compare(earlier: Sequence[int], later: Sequence[int]) -> Comparison:
    """Two unlinked groups on the same question and scale. ValueError if the scales differ in length.

    delta = (cross pairs where the later vote is higher - pairs where it is lower) / (n m);
    limit = 1.96 sqrt((n + m + 1) / (3 n m)).
    """
    if len(earlier) != len(later):
        raise ValueError("the two scales have different numbers of points")
    n, m = voters(earlier), voters(later)
    if n == 0 or m == 0:
        return Comparison(None, None, None)
    net = sum(votes * (sum(later[point + 1 :]) - sum(later[:point])) for point, votes in enumerate(earlier))
    change = None
    if min(n, m) >= 4:
        change = Change.NO_CLEAR_CHANGE
        if 3 * (100 * net) ** 2 > 196**2 * (n + m + 1) * n * m:  # |delta| > limit without rounding
            change = Change.CLEARLY_HIGHER if net > 0 else Change.CLEARLY_LOWER
    return Comparison(net / (n * m), 1.96 * sqrt((n + m + 1) / (3 * n * m)), change)
