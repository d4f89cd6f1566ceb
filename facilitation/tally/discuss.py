"""What a room should talk about first, and why. It sorts, it does not score. Pure. Rules: DOMAIN.md, section 6."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

from facilitation.language import _, ngettext
from facilitation.tally.counts import Spread, Tally, interpolated_median, spread


class Reason(StrEnum):
    """Why a question is worth the room's time."""

    APART = "apart"
    LOW = "low"
    DONT_KNOW = "dont_know"


def reasons(tally: Tally) -> tuple[Reason, ...]:
    """Far apart; low: two people and a third of N at the lowest two points; don't know: two and a third of ballots."""
    holds = {
        Reason.APART: spread(tally.counts) is Spread.APART,
        Reason.LOW: tally.low >= 2 and 3 * tally.low >= tally.n,
        Reason.DONT_KNOW: tally.dk >= 2 and 3 * tally.dk >= tally.ballots,
    }
    return tuple(reason for reason, true in holds.items() if true)


def chips(tally: Tally) -> tuple[str, ...]:
    """`reasons` as short labels: "far apart", "6 of 9 low", "5 don’t know". Never with a count of 1."""
    words = {
        Reason.APART: _("far apart"),
        Reason.LOW: _("%(num)s of %(of)s low", num=tally.low, of=tally.n),
        Reason.DONT_KNOW: ngettext("%(num)s doesn’t know", "%(num)s don’t know", tally.dk),
    }
    return tuple(words[reason] for reason in reasons(tally))


def discussion_order(tallies: Sequence[Tally | None]) -> list[int]:
    """Positions in `tallies` (running order; None is not released) sorted by what to discuss first.

    Far apart, then the larger share of low answers, then many don't know, then the lower interpolated median, then
    running order. Questions that are not released or have no vote on the scale come last.
    """
    return sorted(range(len(tallies)), key=lambda position: (_urgency(tallies[position]), position))


def _urgency(tally: Tally | None) -> tuple[bool | float | Fraction, ...]:
    if tally is None or tally.n == 0:
        return (True,)
    found = reasons(tally)
    middle = interpolated_median(tally.counts) or 0.0
    return False, Reason.APART not in found, -Fraction(tally.low, tally.n), Reason.DONT_KNOW not in found, middle


def three_to_discuss(tallies: Sequence[Tally | None]) -> list[tuple[int, Reason]]:
    """For page 1 of the report: the first far apart, the lowest, the least known; no question twice, so three at most.

    Positions as in `discussion_order`, which also decides between equals. Only questions for which the reason holds.
    """
    order = discussion_order(tallies)
    chosen: dict[int, Reason] = {}
    for reason in Reason:
        fitting = {
            position: _share(tally, reason)
            for position in order
            if (tally := tallies[position]) and reason in reasons(tally) and position not in chosen
        }
        if fitting:
            chosen[max(fitting, key=fitting.__getitem__)] = reason  # max keeps the first of equals
    return list(chosen.items())


def _share(tally: Tally, reason: Reason) -> Fraction:
    match reason:
        case Reason.LOW:
            return Fraction(tally.low, tally.n)
        case Reason.DONT_KNOW:
            return Fraction(tally.dk, tally.ballots)
        case Reason.APART:
            return Fraction(0)  # among those far apart the discussion order alone decides
