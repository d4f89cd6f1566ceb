"""The words that counts turn into, so that screen, phone, console and documents say the same. Pure.

`labels` are the scale's words, lowest first. No sentence singles out one vote (DOMAIN.md 7.4): where a count is 1, or
only one vote is not counted, the sentence is left out and the chart speaks.
"""

from __future__ import annotations

from collections.abc import Sequence

from facilitation.language import _, listed, mark, ngettext
from facilitation.tally.change import Change, Comparison, Moved, Shift, moved
from facilitation.tally.counts import Spread, Tally, median, voters
from facilitation.tally.discuss import Reason

SPREAD_WORDS = {
    Spread.CLOSE: mark("Close together"),
    Spread.SOME: mark("Some spread"),
    Spread.APART: mark("Far apart"),
}

MOVED_WORDS = {
    Moved.UP: mark("The group moved up"),
    Moved.DOWN: mark("The group moved down"),
    Moved.UNCLEAR: mark("Some moved; no clear direction"),
    Moved.NOBODY: mark("Nobody moved"),
}

REASON_WORDS = {
    Reason.APART: mark("People were far apart"),
    Reason.LOW: mark("Most low answers"),
    Reason.DONT_KNOW: mark("Many don’t know"),
}


def why_words(tally: Tally, reason: Reason) -> str:
    """Why to talk about a question, as a sentence of its own: "3 of 5 answers were low". For a reason that holds."""
    match reason:
        case Reason.APART:
            return _(REASON_WORDS[reason])
        case Reason.LOW if tally.n - tally.low == 1:
            return _("Nearly all answers were low")
        case Reason.LOW:
            return _("%(num)s of %(of)s answers were low", num=tally.low, of=tally.n)
        case Reason.DONT_KNOW:
            return ngettext("%(num)s doesn’t know", "%(num)s don’t know", tally.dk)


def middle_words(counts: Sequence[int], labels: Sequence[str]) -> str | None:
    """The middle answer: "Partly", "between Partly and Largely". None without votes, or for one: it would tell it."""
    middle = median(counts)
    if middle is None or voters(counts) == 1:
        return None
    low, high = (labels[point - 1] for point in middle)
    return low if low == high else _("between %(low)s and %(high)s", low=low, high=high)


def range_words(counts: Sequence[int], labels: Sequence[str]) -> str | None:
    """The width of views: "views range from A little to Fully", "all views are at Partly". None below two votes."""
    if voters(counts) < 2:
        return None
    used = [label for label, n in zip(labels, counts, strict=True) if n]
    if len(used) == 1:
        return _("all views are at %(point)s", point=used[0])
    return _("views range from %(lowest)s to %(highest)s", lowest=used[0], highest=used[-1])


def share_words(tally: Tally, labels: Sequence[str]) -> str | None:
    """Both ends: "6 of 23 say Largely or Fully. 9 of 23 say A little or Not at all." None if nothing may be said."""
    sides = ((tally.high, labels[-2], labels[-1]), (tally.low, labels[1], labels[0]))
    said = [
        _("%(num)s of %(of)s say %(one)s or %(other)s.", num=n, of=tally.n, one=one, other=other)
        if n
        else _("None of %(of)s say %(one)s or %(other)s.", of=tally.n, one=one, other=other)
        for n, one, other in sides
        if tally.n and 1 not in (n, tally.n - n)
    ]
    return listed(" ", said) or None


def above_below_words(tally: Tally) -> str | None:
    """Around the middle answer: "6 of 23 are above it, 9 below". None if that is between points or all are on it."""
    middle = median(tally.counts)
    if middle is None or middle[0] != middle[1]:
        return None
    below, above = sum(tally.counts[: middle[0] - 1]), sum(tally.counts[middle[0] :])
    if 1 in (above, below, tally.n - above - below) or above == below == 0:
        return None
    if not above:
        return _("None of %(of)s are above it, %(below)s below", of=tally.n, below=below)
    if not below:
        return _("%(above)s of %(of)s are above it, none below", above=above, of=tally.n)
    return _("%(above)s of %(of)s are above it, %(below)s below", above=above, of=tally.n, below=below)


def moved_words(shift: Shift) -> str:
    """The headline over a re-vote: mark("The group moved up"). For a shift that may be known (`disclosed_shift`)."""
    return _(MOVED_WORDS[moved(shift)])


def shift_words(shift: Shift) -> str | None:
    """The three counts: "10 went up, 13 stayed, none down". None if one of them is 1 or nobody declared a direction."""
    if 1 in (shift.up, shift.same, shift.down) or not shift.declared:
        return None
    said = [
        ngettext("%(num)s went up", "%(num)s went up", shift.up) if shift.up else _("None went up"),
        ngettext("%(num)s stayed", "%(num)s stayed", shift.same) if shift.same else _("none stayed"),
        ngettext("%(num)s down", "%(num)s down", shift.down) if shift.down else _("none down"),
    ]
    return listed(", ", said)


def change_words(comparison: Comparison, then: int) -> str | None:
    """Against last time, with its N: "No clear change (19 people then; ...)". None if only the charts may stand."""
    match comparison.change:
        case None:
            return None
        case Change.NO_CLEAR_CHANGE:
            return ngettext(
                "No clear change (%(num)s person then; a group this size can miss a real one)",
                "No clear change (%(num)s people then; a group this size can miss a real one)",
                then,
            )
        case Change.CLEARLY_HIGHER:
            return ngettext("Clearly higher (%(num)s person then)", "Clearly higher (%(num)s people then)", then)
        case Change.CLEARLY_LOWER:
            return ngettext("Clearly lower (%(num)s person then)", "Clearly lower (%(num)s people then)", then)
