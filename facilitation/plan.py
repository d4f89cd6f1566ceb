"""What the group decided: agreed ratings, notes, actions, parked items. Pure.

The agreed rating is settled by talking and never computed; "no agreement" is a valid one. An action starts with a verb,
has an owner or "To be agreed", and a day on which somebody looks at it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from babel.dates import format_date

from facilitation.errors import Refused
from facilitation.language import SOURCE, _, locale, mark, speaking, spoken, told
from facilitation.words import tidy

NO_AGREEMENT = 0
TO_BE_AGREED = mark("To be agreed")
CHECK_IN_DAYS = 90  # after a session, somebody asks how far its actions have come
LONGEST = 2000  # characters of any one text
FIRST_YEAR, LAST_YEAR = 2000, 2100  # of any date: others are slips of the finger, and calendars and ZIP files break


class Status(StrEnum):
    """How far an action has come."""

    NOT_STARTED = "not started"
    UNDER_WAY = "under way"
    DONE = "done"
    DROPPED = "dropped"

    @property
    def said(self) -> str:
        """It as people read it: "Under way"."""
        return _(_STATUS_SAID[self])

    @property
    def said_in_line(self) -> str:
        """The same within a line: "under way"."""
        return _(_STATUS_SAID_IN_LINE[self])


_STATUS_SAID = {
    Status.NOT_STARTED: mark("Not started"),
    Status.UNDER_WAY: mark("Under way"),
    Status.DONE: mark("Done"),
    Status.DROPPED: mark("Dropped"),
}
_STATUS_SAID_IN_LINE = {
    Status.NOT_STARTED: mark("not started"),
    Status.UNDER_WAY: mark("under way"),
    Status.DONE: mark("done"),
    Status.DROPPED: mark("dropped"),
}


class Support(StrEnum):
    """Whose help the group wants with an action."""

    NONE = "none"
    MUSEUM_DEVELOPMENT = "museum development"
    AIM = "AIM"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. Texts are as typed; `number` is 1 for A1. The fields are those of DOMAIN.md section 8."""

    number: int
    action: str
    hallmark: str = ""
    question: str = ""
    gap: str = ""
    owner: str = TO_BE_AGREED
    first_step: str = ""
    first_step_by: dt.date | None = None
    due: dt.date | None = None
    due_words: str = ""
    measure: str = ""
    resources: str = ""
    support: Support = Support.NONE
    priority: int | None = None
    status: Status = Status.NOT_STARTED
    status_reason: str = ""
    review: dt.date | None = None
    plan_objective: str = ""
    notes: str = ""
    created_in: str = ""
    uid: str = ""  # names the action for ever, in calendars and in the next session

    @property
    def id(self) -> str:
        """A1, A2 … within a workshop."""
        return f"A{self.number}"

    @property
    def owner_said(self) -> str:
        """Who sees to it; "To be agreed" in the language spoken."""
        return _(TO_BE_AGREED) if self.owner == TO_BE_AGREED else self.owner

    @property
    def due_said(self) -> str:
        """When it is due, in the words of the group or as a date; "" if nobody has said."""
        return self.due_words or (long_date(self.due) if self.due else "")

    @property
    def open(self) -> bool:
        """Whether somebody still has to do it."""
        return self.status not in (Status.DONE, Status.DROPPED)

    @property
    def unset(self) -> tuple[str, ...]:
        """What should be settled before people leave: owner, due date or review date."""
        missing = []
        if self.owner == TO_BE_AGREED:
            missing.append("owner")
        if not self.due and not self.due_words and not self.review:
            missing.append("due date")
        return tuple(missing)


@dataclass(frozen=True, slots=True)
class ToDo:
    """An action of one of a museum’s sessions, whose join code is `code`. `row`: its id for ever; `belongs`: its
    question in short, "" for none."""

    row: int
    version: int
    action: Action
    code: str
    belongs: str

    @property
    def when(self) -> dt.date | None:
        """The day on which somebody looks: when it is due, or else when it is reviewed."""
        return self.action.due or self.action.review

    def overdue(self, today: dt.date) -> bool:
        """Whether that day has passed and the action is still open."""
        return self.action.open and self.when is not None and self.when < today


@dataclass(frozen=True, slots=True)
class ParkedItem:
    """Something for later. It leaves with a destination: an owner, the next board, or dropped."""

    item: str
    question: str = ""
    destination: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the group settled on for a question: a point of its scale or NO_AGREEMENT, and why. None: not settled."""

    rating: int | None = None
    reason: str = ""

    def said(self, labels: tuple[str, ...]) -> str:
        """In the question's own words; "" while nothing is settled."""
        if self.rating is None:
            return ""
        return _("No agreement") if self.rating == NO_AGREEMENT else labels[self.rating - 1]


_DATES = ("first_step_by", "due", "review")
_TYPED = frozenset(field.name for field in fields(Action)) - {"number", "hallmark", "question", "created_in", "uid"}


def changed(action: Action, typed: Mapping[str, str]) -> Action:
    """An action with the fields that a person typed. Raises Refused in words for what cannot be.

    typed: field name -> text as it came from a form; names that are no field of a form are ignored.
    """
    values: dict[str, object] = {}
    for name in _TYPED & typed.keys():
        text = tidy(typed[name])
        if len(text) > LONGEST:
            raise Refused(
                _("That is %(long)s characters long; there is room for %(room)s.", long=len(text), room=LONGEST)
            )
        values[name] = _read(name, text)
    made = replace(action, **values)  # type: ignore[arg-type]  # _read gives each field its own type
    if not made.action:
        raise Refused(_("Say what is to be done. Begin with a verb, for example “Invite …”."))
    if made.status is Status.DROPPED and not made.status_reason:
        raise Refused(_("Say why the action is dropped, so that nobody wonders next year."))
    return made


def _read(name: str, text: str) -> object:
    if name in _DATES:
        return read_date(text) if text else None
    if name == "priority":
        if text and not (text.isascii() and text.isdecimal() and len(text) < 4):
            raise Refused(_("A priority is a whole number, 1 for the first, or nothing."))
        return int(text) if text else None
    if name == "status":
        return _one_of(Status, text)
    if name == "support":
        return _one_of(Support, text)
    return text or TO_BE_AGREED if name == "owner" else text


def meeting(title: str, held_on: dt.date) -> str:
    """A session as its actions name it for ever in "Agreed at": in English, as it is kept and compared."""
    with speaking(SOURCE):
        return f"{title}, {long_date(held_on)}"


def read_date(text: str) -> dt.date:
    """A date as a form sends it. Raises Refused with a sentence, also for a year that nobody means."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Refused(_("Enter the date as year, month and day, for example 2026-11-21.")) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused(
            _(
                "Enter a date in a year from %(first)s to %(last)s. This one is in the year %(year)s.",
                first=FIRST_YEAR,
                last=LAST_YEAR,
                year=day.year,
            )
        )
    return day


def _one_of(kind: type[Status] | type[Support], text: str) -> Status | Support:
    if text not in set(kind):
        raise Refused(_("Choose one of the answers in the list."))
    return kind(text)


def merged(theirs: str, mine: str) -> str:
    """Two people's versions of one text, so that nobody's words vanish: the longer if it holds the other, else both."""
    if mine in theirs:
        return theirs
    return mine if theirs in mine else f"{theirs}\n{mine}"


def in_order(actions: Iterable[Action]) -> list[Action]:
    """Actions as a plan lists them: by priority, then due date, then number."""
    last = dt.date.max
    return sorted(actions, key=lambda action: (action.priority or 10_000, action.due or last, action.number))


def by_progress(actions: Iterable[Action]) -> list[Action]:
    """Actions as a later session looks back on them: what was done comes first, what was given up last."""
    return sorted(actions, key=progress)


def progress(action: Action) -> int:
    """Where an action stands in `by_progress`."""
    return (Status.DONE, Status.UNDER_WAY, Status.NOT_STARTED, Status.DROPPED).index(action.status)


def next_review(actions: Iterable[Action]) -> dt.date | None:
    """The next day on which somebody looks at an open action again; None until one is set. A due date is none."""
    return min((action.review for action in actions if action.open and action.review), default=None)


def first_due(actions: Iterable[Action]) -> dt.date | None:
    """The day on which the first open action is due; None while none has a day."""
    return min((action.due for action in actions if action.open and action.due), default=None)


def long_date(day: dt.date) -> str:
    """21 November 2026, in the language spoken: no leading nought, on every system."""
    return told({one: format_date(day, "long", locale=locale(one)) for one in spoken()})
