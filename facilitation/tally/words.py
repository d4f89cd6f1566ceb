"""The English that counts turn into, so that screen, phone, console and documents say the same. Pure.

`labels` are the scale's words, lowest first. No sentence singles out one vote (DOMAIN.md 7.4): where a count is 1, or
only one vote is not counted, the sentence is left out and the chart speaks.
"""

from __future__ import annotations

from collections.abc import Sequence

from facilitation.tally.change import Change, Comparison, Moved, Shift, moved
from facilitation.tally.counts import Spread, Tally, median, voters
from facilitation.tally.discuss import Reason

SPREAD_WORDS = {Spread.CLOSE: "Close together", Spread.SOME: "Some spread", Spread.APART: "Far apart"}

MOVED_WORDS = {
    Moved.UP: "The group moved up",
    Moved.DOWN: "The group moved down",
    Moved.UNCLEAR: "Some moved; no clear direction",
    Moved.NOBODY: "Nobody moved",
}

REASON_WORDS = {
    Reason.APART: "People were far apart",
    Reason.LOW: "Most low answers",
    Reason.DONT_KNOW: "Many don’t know",
}


def middle_words(counts: Sequence[int], labels: Sequence[str]) -> str | None:
    """The middle answer: "Partly", "between Partly and Largely". None without votes, or for one: it would tell it."""
    middle = median(counts)
    if middle is None or voters(counts) == 1:
        return None
    low, high = (labels[point - 1] for point in middle)
    return low if low == high else f"between {low} and {high}"


def range_words(counts: Sequence[int], labels: Sequence[str]) -> str | None:
    """The width of views: "views range from A little to Fully", "all views are at Partly". None below two votes."""
    if voters(counts) < 2:
        return None
    used = [label for label, n in zip(labels, counts, strict=True) if n]
    return f"all views are at {used[0]}" if len(used) == 1 else f"views range from {used[0]} to {used[-1]}"


def share_words(tally: Tally, labels: Sequence[str]) -> str | None:
    """Both ends: "6 of 23 say Largely or Fully. 9 of 23 say A little or Not at all." None if nothing may be said."""
    sides = ((tally.high, f"{labels[-2]} or {labels[-1]}"), (tally.low, f"{labels[1]} or {labels[0]}"))
    said = [f"{n or 'None'} of {tally.n} say {side}." for n, side in sides if tally.n and 1 not in (n, tally.n - n)]
    return " ".join(said) or None


def above_below_words(tally: Tally) -> str | None:
    """Around the middle answer: "6 of 23 are above it, 9 below". None if that is between points or all are on it."""
    middle = median(tally.counts)
    if middle is None or middle[0] != middle[1]:
        return None
    below, above = sum(tally.counts[: middle[0] - 1]), sum(tally.counts[middle[0] :])
    if 1 in (above, below, tally.n - above - below) or above == below == 0:
        return None
    return f"{above or 'None'} of {tally.n} are above it, {below or 'none'} below"


def moved_words(shift: Shift) -> str:
    """The headline over a re-vote: "The group moved up". For a shift that may be known (`disclosed_shift`)."""
    return MOVED_WORDS[moved(shift)]


def shift_words(shift: Shift) -> str | None:
    """The three counts: "10 went up, 13 stayed, none down". None if one of them is 1 or nobody declared a direction."""
    if 1 in (shift.up, shift.same, shift.down) or not shift.declared:
        return None
    return f"{shift.up or 'None'} went up, {shift.same or 'none'} stayed, {shift.down or 'none'} down"


def change_words(comparison: Comparison, then: int) -> str | None:
    """Against last time, with its N: "No clear change (19 people then; ...)". None if only the charts may stand."""
    match comparison.change:
        case None:
            return None
        case Change.NO_CLEAR_CHANGE:
            return f"No clear change ({then} people then; a group this size can miss a real one)"
        case Change.CLEARLY_HIGHER:
            return f"Clearly higher ({then} people then)"
        case Change.CLEARLY_LOWER:
            return f"Clearly lower ({then} people then)"
