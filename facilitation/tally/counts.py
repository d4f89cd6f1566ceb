"""The counts of one round and what they say: middle, spread, agreement. Pure.

`counts` is everywhere votes per point, lowest point first; "Don't know" (DK) and "Not relevant to us" (NR) are never
among them. A negative count raises ValueError. Sources and worked cases: DOMAIN.md, section 5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import comb


def voters(counts: Sequence[int]) -> int:
    """N, the sum of the counts; ValueError if one is negative."""
    if any(n < 0 for n in counts):
        raise ValueError(f"a count is below nought: {list(counts)}")
    return sum(counts)


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one round: `counts` (lowest point first), `dk` and `nr`. ValueError for a negative count."""

    counts: tuple[int, ...]
    dk: int = 0
    nr: int = 0

    def __post_init__(self) -> None:
        voters((*self.counts, self.dk, self.nr))

    @classmethod
    def of(cls, choices: Iterable[str], points: int = 5) -> Tally:
        """Count choices "1" to str(points), "DK" and "NR"; ValueError for any other."""
        counted = Counter(choices)
        if strange := counted.keys() - {*_names(points), "DK", "NR"}:
            raise ValueError(f"not on a scale of {points} points: {sorted(strange)}")
        return cls(tuple(counted[name] for name in _names(points)), counted["DK"], counted["NR"])

    @classmethod
    def from_dict(cls, stored: Mapping[str, int]) -> Tally:
        """Back from `as_dict`; ValueError for any other keys."""
        names = _names(len(stored) - 2)
        if stored.keys() != {*names, "DK", "NR"}:
            raise ValueError(f"not a tally: {sorted(stored)}")
        return cls(tuple(stored[name] for name in names), stored["DK"], stored["NR"])

    def as_dict(self) -> dict[str, int]:
        """For storing and exporting: {"1": 2, ..., "DK": 1, "NR": 0}."""
        return dict(zip(_names(len(self.counts)), self.counts, strict=True)) | {"DK": self.dk, "NR": self.nr}

    @property
    def n(self) -> int:
        """People who chose a point of the scale."""
        return sum(self.counts)

    @property
    def ballots(self) -> int:
        """People who answered, DK and NR included: what turnout and k count."""
        return self.n + self.dk + self.nr

    @property
    def low(self) -> int:
        """People at the lowest two points."""
        return sum(self.counts[:2])

    @property
    def high(self) -> int:
        """People at the highest two points."""
        return sum(self.counts[-2:])


def _names(points: int) -> list[str]:
    return [str(point) for point in range(1, points + 1)]


def median(counts: Sequence[int]) -> tuple[int, int] | None:
    """The points (1 is the lowest) of votes number floor((N+1)/2) and floor(N/2)+1 in order; None without votes."""
    n = voters(counts)
    return (_point_of_vote(counts, (n + 1) // 2), _point_of_vote(counts, n // 2 + 1)) if n else None


def _point_of_vote(counts: Sequence[int], number: int) -> int:
    return next(point for point in range(1, len(counts) + 1) if sum(counts[:point]) >= number)


def interpolated_median(counts: Sequence[int]) -> float | None:
    """The median moved within its point by the votes above and below it; for sorting and export, never for a screen.

    IM = M + (n_above - n_below) / (2 n_at); IM = M if nobody voted exactly M. As psych::interp.median in R, and not as
    statistics.median_grouped. None without votes.
    """
    middle = median(counts)
    if middle is None:
        return None
    low, high = middle
    if low != high:  # then no vote lies strictly between them, so none is exactly M
        return (low + high) / 2
    return low + (sum(counts[low:]) - sum(counts[: low - 1])) / (2 * counts[low - 1])


def pairs_apart(counts: Sequence[int], gap: int = 2) -> tuple[int, int]:
    """Pairs of voters who stand `gap` or more points apart, and all pairs: (20, 36) is said "in 20 of 36 pairs".

    (0, 0) when fewer than two people voted. Integers, so that no label hangs on rounding.
    Formula: sum of n_i * n_j over j - i >= gap, out of N(N - 1)/2.
    """
    apart = sum(n * sum(counts[point + gap :]) for point, n in enumerate(counts))
    return apart, comb(voters(counts), 2)


class Spread(StrEnum):
    """How far apart a room stands."""

    CLOSE = "close"
    SOME = "some_spread"
    APART = "apart"


def spread(counts: Sequence[int]) -> Spread | None:
    """None below three votes; CLOSE if no pair is apart; APART if at least 40 % of the pairs are; else SOME.

    One far voice never brands a small room: APART also asks that a pair apart is left whichever voter is left out.
    """
    apart, pairs = pairs_apart(counts)
    if voters(counts) < 3:
        return None
    if apart == 0:
        return Spread.CLOSE
    return Spread.APART if 5 * apart >= 2 * pairs and _apart_without_any_one(counts) else Spread.SOME


def _apart_without_any_one(counts: Sequence[int]) -> bool:
    return all(
        pairs_apart([*counts[:point], n - 1, *counts[point + 1 :]])[0] > 0 for point, n in enumerate(counts) if n
    )


def agreement(counts: Sequence[int]) -> float | None:
    """Agreement A of van der Eijk: 1 all on one point, 0 flat, -1 half at each end; exported from N = 5 up.

    None below three points or without votes. The counts are peeled into layers of equal height; A is the mean of the
    layers' agreement, weighted by their votes. Quality & Quantity 35 (2001), 325-341; R package agrmt.
    """
    n = voters(counts)
    if n == 0 or len(counts) < 3:
        return None
    left, total = list(counts), 0.0
    while any(left):
        height = min(votes for votes in left if votes)
        layer = [votes > 0 for votes in left]
        total += height * sum(layer) / n * _layer_agreement(layer)
        left = [votes - height if votes else 0 for votes in left]
    return total


def _layer_agreement(layer: Sequence[bool]) -> float:
    points, filled = len(layer), sum(layer)
    if filled == 1:
        return 1.0
    triples = Counter(combinations(layer, 3))
    unimodal = triples[True, True, False] + triples[False, True, True]
    hollow = triples[True, False, True]
    if unimodal + hollow == 0:
        return 0.0
    u = ((points - 2) * unimodal - (points - 1) * hollow) / ((points - 2) * (unimodal + hollow))
    return u * (1 - (filled - 1) / (points - 1))
