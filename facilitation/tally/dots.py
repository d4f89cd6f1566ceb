"""The counts of one dot vote: how many dots lie on each option. Pure.

A dot vote narrows, the group decides: nothing is computed from it, and no option wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from facilitation.tally.counts import voters


@dataclass(frozen=True, slots=True)
class Dots:
    """Dots on each option in the options' order, how many people answered, and how many of them placed none.

    ValueError for a negative count, and for more dots than people.
    """

    counts: tuple[int, ...]
    ballots: int
    none: int = 0

    def __post_init__(self) -> None:
        voters((*self.counts, self.ballots - self.none, self.none))
        if any(n > self.ballots - self.none for n in self.counts):
            raise ValueError("more dots than people on one option")

    @classmethod
    def of(cls, placed: Iterable[Sequence[int]], options: int) -> Dots:
        """Count ballots: each the options (from 1) on which it placed a dot. ValueError for an option there is not."""
        ballots = [tuple(one) for one in placed]
        counted = Counter(option for one in ballots for option in one)
        if strange := counted.keys() - set(range(1, options + 1)):
            raise ValueError(f"not among {options} options: {sorted(strange)}")
        counts = tuple(counted[option] for option in range(1, options + 1))
        return cls(counts, len(ballots), sum(not one for one in ballots))

    @classmethod
    def from_dict(cls, stored: Mapping[str, int]) -> Dots:
        """Back from `as_dict`; ValueError for any other keys."""
        names = [str(option) for option in range(1, len(stored) - 1)]
        if stored.keys() != {*names, "none", "ballots"}:
            raise ValueError(f"not the counts of a dot vote: {sorted(stored)}")
        return cls(tuple(stored[name] for name in names), stored["ballots"], stored["none"])

    def as_dict(self) -> dict[str, int]:
        """For storing and exporting: {"1": 4, ..., "none": 1, "ballots": 9}."""
        counts = {str(option): n for option, n in enumerate(self.counts, start=1)}
        return counts | {"none": self.none, "ballots": self.ballots}

    def ranked(self) -> list[int]:
        """The places of the options (from 0), most dots first; equals in the options' order."""
        return sorted(range(len(self.counts)), key=lambda place: -self.counts[place])
