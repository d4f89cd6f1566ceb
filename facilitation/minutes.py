"""Planned and actual minutes, so that the facilitator sees calmly how the day goes. Nothing ends because of them.

The time of the question in the room runs on the machine's monotonic clock, from move to move; it stands still during a
break. After the machine itself was restarted, what had not been noted by a move is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facilitation.language import _, ngettext
from facilitation.store import AgendaItem, Workshop

ON_TIME = 2  # minutes either way that nobody need hear of
A_QUESTION = 10  # minutes, until the facilitator plans others
AROUND = 30  # minutes of a meeting beside its questions: the welcome, priorities, the plan (DOMAIN.md 3)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a day goes: whole minutes. `behind`: how much later than planned the next question begins, below 0 sooner."""

    planned: int
    spent: int
    behind: int

    @property
    def words(self) -> str:
        """The same as people say it."""
        if abs(self.behind) <= ON_TIME:
            return _("On time")
        if self.behind > 0:
            return ngettext("%(num)s minute behind plan", "%(num)s minutes behind plan", self.behind)
        return ngettext("%(num)s minute ahead of plan", "%(num)s minutes ahead of plan", -self.behind)


def planned(agenda: Sequence[AgendaItem]) -> int:
    """Minutes of voting and talking that this agenda takes."""
    return sum(item.minutes for item in agenda)


def meeting(questions: int) -> int:
    """Minutes of the whole meeting, when its questions take so many: 90 for six of ten minutes each."""
    return questions + AROUND


def stop(workshop: Workshop, at: float | None) -> None:
    """Note the time that the present question has had until now. at: now; None if nobody knows, then none is noted."""
    item = _present(workshop)
    if item is not None:
        item.spent = (item.spent or 0) + (_since(workshop, at) if at is not None else 0)
    workshop.turned_at = None


def start(workshop: Workshop, at: float | None) -> None:
    """Let the time of the present question run from now on."""
    item = _present(workshop)
    workshop.turned_at = at if item is not None else None
    if item is not None:
        item.spent = item.spent or 0


def spent(workshop: Workshop, item: AgendaItem, at: float) -> int | None:
    """Seconds that this question has had until now; None if the room has not been at it."""
    if item.spent is None or item.id != workshop.agenda_id:
        return item.spent
    return item.spent + _since(workshop, at)


def pace(workshop: Workshop, at: float) -> Pace:
    """How the day goes. What was passed over saves its minutes; the present question, and one that the room was at too
    early, count once they are over theirs."""
    agenda: Sequence[AgendaItem] = workshop.agenda
    here = next((place for place, item in enumerate(agenda) if item.id == workshop.agenda_id), None)
    seconds, behind = 0, 0
    for place, item in enumerate(agenda):
        had, meant = spent(workshop, item, at) or 0, 60 * item.minutes
        seconds += had
        if here is not None and place >= here:
            behind += max(0, had - meant)
        elif here is not None or item.spent is not None:
            behind += had - meant
    return Pace(planned(agenda), round(seconds / 60), round(behind / 60))


def _present(workshop: Workshop) -> AgendaItem | None:
    return next((item for item in workshop.agenda if item.id == workshop.agenda_id), None)


def _since(workshop: Workshop, at: float) -> int:
    return 0 if workshop.turned_at is None else max(0, round(at - workshop.turned_at))
