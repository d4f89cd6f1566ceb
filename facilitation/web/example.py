"""The finished example: a rehearsal of an invented museum, run through at once, and from then on only looked at.

The same simulated people come and answer by the same doors, on a clock that does not wait. What they think is drawn
with a fixed seed, so it is always the same, and fits what the group writes down.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import deciding, people, rehearsal, workshop
from facilitation.hallmarks import Framework
from facilitation.language import _, mark
from facilitation.people import Preset, Tap
from facilitation.room import Simulated
from facilitation.stages import Move
from facilitation.store import ParkedRow, Workshop
from facilitation.web import House
from facilitation.web.crowd import ALL_IN_WITHIN, Crowd

SEED = 2034
PEOPLE = 12
LONG_ENOUGH_TO_COME, LONG_ENOUGH_TO_ANSWER = 2 * ALL_IN_WITHIN, 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Talked:
    """A question of the example: what the room is like, whether it votes again, and what the group writes down.

    minutes: how long the room talked, which the clock leaves out. action: what is done, by whom, in how many days, and
    how they will know.
    """

    key: str
    preset: Preset
    again: bool
    minutes: int
    rating: int
    reason: str
    note: str
    action: tuple[str, str, int, str] | None = None


TALK = (
    Talked(
        "purpose-01",
        Preset.CLOSE,
        False,
        8,
        4,
        mark("We say it in different words, and mean the same."),
        mark("New volunteers would say “the mill”, and not what it is for."),
    ),
    Talked(
        "governance-01",
        Preset.CAMPS,
        True,
        14,
        2,
        mark("Trustees and staff see different meetings: half of each is spent on repairs."),
        mark("The agenda is the one of 2009. Reports are read out loud."),
        (
            mark("Put one matter of the coming year first on every board agenda"),
            mark("Chair"),
            45,
            mark("The minutes show half an hour on it, three meetings running"),
        ),
    ),
    Talked(
        "collections-04",
        Preset.WIFI,
        False,
        9,
        3,
        mark("The ground floor is used well, the store hardly at all."),
        mark("School groups ask for things to touch."),
        (
            mark("Choose twenty things from the store for handling boxes"),
            mark("Collections volunteers"),
            90,
            mark("Two schools have used a box"),
        ),
    ),
    Talked(
        "visitor-focus-04",
        Preset.CLOSE,
        False,
        7,
        4,
        mark("This is what visitors write about us most."),
        mark("Sundays depend on two people."),
    ),
    Talked(
        "finance-01",
        Preset.UNSURE,
        False,
        12,
        2,
        mark("Only the treasurer can explain the reserves."),
        mark("Nobody likes to ask. The accounts come the evening before."),
        (
            mark("Explain the accounts on one page, a week before each meeting"),
            mark("Treasurer"),
            60,
            mark("Every trustee can say how many months the reserves last"),
        ),
    ),
    Talked(
        "innovation-risk-05",
        Preset.CAMPS,
        False,
        11,
        2,
        mark("We are fond of what we do, and find it hard to stop."),
        mark("The evening talks have had fewer than ten visitors for two years."),
        (
            mark("Decide in spring what we stop, before anything new is begun"),
            mark("To be agreed"),
            120,
            mark("One thing has been stopped, and people were told why"),
        ),
    ),
)
PARKED = ((mark("A new roof for the drying shed"), mark("Next budget round")), (mark("Sunday opening in winter"), ""))


class Hurry:
    """A clock on which time passes as fast as it can be lived."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._waiting: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        """See live.Clock."""
        return self._seconds

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """See live.Clock."""
        self._waiting.append((self._seconds + seconds, act))

    def soon(self, act: Callable[[], object]) -> None:
        """See live.Clock."""
        act()

    def live_through(self, seconds: float) -> None:
        """Let so much time pass, with all that is due in it."""
        end = self._seconds + seconds
        while due := [one for one in self._waiting if one[0] <= end]:
            first = min(due, key=lambda one: one[0])
            self._waiting.remove(first)
            self._seconds = first[0]
            first[1]()
        self._seconds = end


def opinions(talked: Talked) -> tuple[list[str], list[str]]:
    """What the room answers to a question, and what it would answer after the talk."""
    chance = Random(f"{SEED} {talked.key}")  # noqa: S311 - luck, not secrecy
    answers = people.first_answers(talked.preset, PEOPLE, chance)
    return answers, [people.later_answer(talked.preset, answer, chance) for answer in answers]


def make(app: Flask, framework: Framework, today: dt.date) -> str:
    """Run the example through and return its code. Takes some seconds, so it is made once."""
    house: House = app.extensions["house"]

    def begin(session: Session) -> tuple[int, str, list[int]]:
        made = rehearsal.start(session, framework, today, [talked.key for talked in TALK])
        made.title = _("Hallmarks self-assessment, trustees and staff")
        session.flush()
        return made.id, made.code, [item.id for item in made.agenda]

    workshop_id, code, agenda = house.committer.perform(begin)
    with house.live.unheard(workshop_id):
        clock = Hurry()
        luck = Random(SEED)  # noqa: S311 - not secrecy
        crowd = Crowd(app, clock, workshop_id, code, Simulated(PEOPLE, Preset.CLOSE), luck)
        clock.live_through(LONG_ENOUGH_TO_COME)

        talked_for = 0.0  # seconds

        def move(move: Move) -> None:
            at = clock.now() + talked_for

            def job(session: Session) -> None:
                version = session.get_one(Workshop, workshop_id).version
                workshop.make_move(session, house.keys, workshop_id, move, version, at=at)

            house.committer.perform(job)
            house.live.moved(workshop_id)

        def vote(opening: Move, answers: list[str]) -> None:
            crowd.will_answer([[Tap(0.0, answer)] for answer in answers])
            move(opening)
            clock.live_through(LONG_ENOUGH_TO_ANSWER)
            move(Move.CLOSE)
            move(Move.DISCUSS)

        opening = Move.OPEN
        for agenda_id, talked in zip(agenda, TALK, strict=True):
            answers, later = opinions(talked)
            vote(opening, answers)
            if talked.again:
                vote(Move.REVOTE, later)
            house.committer.perform(partial(_write, workshop_id=workshop_id, agenda_id=agenda_id, talked=talked))
            talked_for += 60 * talked.minutes
            opening = Move.NEXT

        def end(session: Session) -> None:
            for item, _destination in PARKED:
                deciding.park(session, workshop_id, _(item), None)
                session.flush()
            parked = session.scalars(
                select(ParkedRow).where(ParkedRow.workshop_id == workshop_id).order_by(ParkedRow.id)
            )
            for row, (_item, destination) in zip(parked, PARKED, strict=True):
                row.destination = _(destination) if destination else ""

        house.committer.perform(end)
        move(Move.FINISH)
        house.committer.perform(lambda session: rehearsal.keep_as_example(session, workshop_id))
    return code


def _write(session: Session, workshop_id: int, agenda_id: int, talked: Talked) -> None:
    """What the group writes down about one question."""
    deciding.write_note(session, workshop_id, agenda_id, _(talked.note), 0)
    deciding.agree(session, workshop_id, agenda_id, str(talked.rating), _(talked.reason), 0)
    if talked.action is None:
        return
    what, owner, days, measure = talked.action
    number = deciding.add_action(session, workshop_id, _(what), agenda_id)
    session.flush()
    held_on = session.get_one(Workshop, workshop_id).held_on
    fields = {
        "owner": _(owner),
        "due": (held_on + dt.timedelta(days=days)).isoformat(),
        "review": (held_on + dt.timedelta(days=90)).isoformat(),
        "measure": _(measure),
        "gap": _(talked.reason),
    }
    deciding.change_action(session, workshop_id, number, fields, 1)
