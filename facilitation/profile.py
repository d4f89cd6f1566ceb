"""The profile of a workshop: one mark for each question at its middle answer, one row for each hallmark. Pure.

Nothing is averaged and no hallmark gets a score: unlike questions do not add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from facilitation.language import _, listed, ngettext
from facilitation.tally import Spread, Tally, median, spread


@dataclass(frozen=True, slots=True)
class Mark:
    """One question on the profile, in the column of its middle answer; on the line to the next one if `between`."""

    level: int
    between: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One hallmark on the profile: a mark for each released question, and no score."""

    key: str
    plate: str
    hallmark: str
    marks: tuple[Mark, ...]
    why_not: str

    @property
    def shown(self) -> bool:
        """Whether there is a mark to show."""
        return bool(self.marks)

    @property
    def spread(self) -> str:
        """How many questions people were far apart on, in words."""
        apart = sum(mark.apart for mark in self.marks)
        return far_apart(apart) if apart else ""

    def spoken(self, level: int) -> str:
        """A cell in words: "2, 1 far apart"."""
        here = [mark for mark in self.marks if mark.level == level]
        apart, between = sum(mark.apart for mark in here), sum(mark.between for mark in here)
        words = [str(len(here)) if here else _("none")]
        if apart:
            words.append(far_apart(apart))
        if between:
            words.append(ngettext("%(num)s between this and the next", "%(num)s between this and the next", between))
        return listed(", ", words)


def far_apart(count: int) -> str:
    """On how many questions people were far apart: "2 far apart"."""
    return ngettext("%(num)s far apart", "%(num)s far apart", count)


def profile(shown: Iterable[tuple[str, str, str, Tally | None]], k: int) -> tuple[ProfileRow, ...]:
    """The rows of a profile. shown: hallmark key, its number, its title and the tally (None: fewer than k answered) of
    each released question, in running order."""
    rows: dict[str, list[tuple[str, str, Tally | None]]] = {}
    for key, number, title, counts in shown:
        rows.setdefault(key, []).append((number, title, counts))
    return tuple(
        ProfileRow(key, questions[0][0], questions[0][1], _marks(questions), _why_not(questions, k))
        for key, questions in rows.items()
    )


def _marks(questions: list[tuple[str, str, Tally | None]]) -> tuple[Mark, ...]:
    marks = [made for *_names, counts in questions if (made := mark(counts))]
    return tuple(sorted(marks, key=lambda one: (one.level, one.between)))


def mark(counts: Tally | None) -> Mark | None:
    """Where a question stands; None without a middle answer, and for one vote alone: the mark would tell it."""
    middle = median(counts.counts) if counts and counts.n > 1 else None
    if counts is None or middle is None:
        return None
    return Mark((middle[0] + middle[1]) // 2, sum(middle) % 2 == 1, spread(counts.counts) is Spread.APART)


def _why_not(questions: list[tuple[str, str, Tally | None]], k: int) -> str:
    if any(counts is None for *_names, counts in questions):
        return _("Fewer than %(k)s answers, so not shown", k=k)
    return _("Nobody chose a point on the scale")
