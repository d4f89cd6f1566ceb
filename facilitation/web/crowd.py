"""Simulated people in a room: they come in by the doors that phones use, answer, dawdle, drop off and come back.

They live in this process and are driven by its clock. They know what every phone is told (`Live.present`) and nothing
else, and each thing they do is what the request of a phone comes to: join, connect, cast. When the program ends they
are gone; their session is not.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from random import Random

from flask import Flask

from facilitation import logs, people, rehearsal, workshop
from facilitation.ballots import ROLES
from facilitation.errors import Refused
from facilitation.live import Clock, Present
from facilitation.people import Preset, Tap
from facilitation.room import Simulated
from facilitation.web import House, casting
from facilitation.workshop import OpenRound, Posted

STEP = 0.5  # seconds between two looks of everybody at what phones are told
ALL_IN_WITHIN = 12.0  # seconds in which people come in
AWAY = (8.0, 20.0)  # seconds for which somebody is dropped off
WIFI_AWAY = 10.0  # seconds for which the Wi-Fi is dead
BACK_WITHIN = 3.0  # seconds in which phones find it again
KNOCK_AGAIN = 5.0  # seconds until somebody in front of a locked door tries once more
DROPS_OFF = 0.1  # the chance that somebody drops off in a vote


@dataclass(slots=True)
class Person:
    """Somebody with a simulated phone. Times are seconds on the crowd's clock."""

    number: int
    role: str
    comes_at: float  # when they join, or connect again
    device: bytes | None = None
    sid: str = ""  # while connected
    seq: int = 0
    firsts: dict[int, str] = field(default_factory=dict)  # agenda row -> first answer, as a phone keeps it
    asked_in: int | None = None  # the latest round they have seen
    asked_at: float = 0.0
    taps: list[Tap] = field(default_factory=list)  # still to be made in that round


class Crowd:
    """The simulated people of one session."""

    def __init__(
        self, app: Flask, clock: Clock, workshop_id: int, code: str, wanted: Simulated, chance: Random
    ) -> None:
        self._app = app
        self._house: House = app.extensions["house"]
        self._clock = clock
        self._workshop_id = workshop_id
        self._code = code
        self._chance = chance
        self._wanted = wanted
        self._people: list[Person] = []
        self._answers: list[str] = []  # what the room thinks of the open question
        self._said_before: list[list[list[Tap]]] = []  # for questions to come, what each person is to do
        self._wifi_back_at: float | None = None
        self._wifi_died_in: int | None = None  # the round
        self._lock = threading.RLock()  # a button may be pressed while somebody waits for the writer
        self.gone = False
        self.turn_to(wanted.people, wanted.preset)
        clock.later(STEP, self._step)

    def turn_to(self, wanted: int, preset: Preset) -> None:
        """From now on, be so many, and answer the next question like this. Who is too many goes home."""
        with self._lock:
            number, at = people.how_many(wanted, preset), self._clock.now()
            self._send_home(self._people[number:])
            for place in range(len(self._people), number):
                comes = at + self._chance.uniform(0, ALL_IN_WITHIN)
                self._people.append(Person(place, self._chance.choice(ROLES), comes))
            self._tell(Simulated(wanted, preset, self._wifi_back_at is not None))

    def will_answer(self, *questions: list[list[Tap]]) -> None:
        """Answer the next questions exactly like this: for each of them the taps of each person, in their order."""
        with self._lock:
            self._said_before += questions

    def drop_somebody(self) -> None:
        """Somebody's phone falls asleep; it comes back by itself."""
        with self._lock:
            if here := [person for person in self._people if person.sid]:
                self._drop(self._chance.choice(here), self._clock.now() + self._chance.uniform(*AWAY))
                self._tell(self._wanted)

    def kill_wifi(self) -> None:
        """Everybody drops off at once, and comes back when the Wi-Fi does."""
        with self._lock:
            self._wifi_back_at = self._clock.now() + WIFI_AWAY
            for person in self._people:
                self._drop(person, self._wifi_back_at + self._chance.uniform(0, BACK_WITHIN))
            self._tell(replace(self._wanted, wifi_down=True))

    def go(self) -> None:
        """Everybody goes home, for good."""
        with self._lock:
            if not self.gone:
                self.gone = True
                self._send_home(self._people[:])
                self._tell(None)

    def _step(self) -> None:
        try:
            with self._lock:
                if not self.gone:
                    self._live_on()
        except Refused:  # the disk is full, or the round closed just now: there is another step
            pass
        except Exception as error:  # people must not vanish for a fault of the program
            logs.fault(error, "the simulated people")
        if not self.gone:
            self._clock.later(STEP, self._step)

    def _live_on(self) -> None:
        with self._app.app_context():
            told = self._house.live.present(self._code)
        if told is None or told.finished:
            self.gone = True  # what is known of their room goes with it
            return
        now = self._clock.now()
        if self._wifi_back_at is not None and now >= self._wifi_back_at:
            self._wifi_back_at = None
            self._tell(replace(self._wanted, wifi_down=False))
        for person in self._people:
            if not person.sid and self._wifi_back_at is None and now >= person.comes_at:
                self._come(person)
        if told.open is not None:
            self._answer(told, told.open, now)

    def _answer(self, told: Present, round_: OpenRound, now: float) -> None:
        """Everybody whose time has come taps; somebody may drop off, and in the last preset everybody does."""
        if asked := [person for person in self._people if person.asked_in != round_.round_id]:
            self._think(asked, told, round_, now)
        for person in self._people:
            while person.sid and person.taps and now >= person.asked_at + person.taps[0].after:
                self._cast(person, person.taps.pop(0), told, round_)
        done = sum(not person.taps for person in self._people)
        if (
            self._wanted.preset is Preset.WIFI
            and 3 * done >= len(self._people)
            and self._wifi_died_in != round_.round_id
        ):
            self._wifi_died_in = round_.round_id
            self.kill_wifi()

    def _think(self, asked: list[Person], told: Present, round_: OpenRound, now: float) -> None:
        """A question came, or somebody came to it: what will they answer, and when?"""
        preset, everybody = self._wanted.preset, len(asked) == len(self._people)
        if everybody and self._said_before:
            for person, taps in zip(asked, self._said_before.pop(0), strict=True):
                person.asked_in, person.asked_at, person.seq, person.taps = round_.round_id, now, 0, taps
            return
        if everybody:
            self._answers = people.first_answers(preset, len(asked), self._chance)
            if self._chance.random() < DROPS_OFF:
                self.drop_somebody()
        for place, person in enumerate(asked):
            # who comes late thinks like somebody who was here
            answer = self._answers[place] if everybody else self._chance.choice(self._answers or ["DK"])
            if round_.options:
                answer = people.dots_on(round_.options, self._chance)
            elif (first := person.firsts.get(told.agenda_id or 0)) is not None:
                answer = people.later_answer(preset, first, self._chance)
            person.asked_in, person.asked_at, person.seq = round_.round_id, now, 0
            person.taps = people.taps(answer, self._chance)

    def _cast(self, person: Person, tap: Tap, told: Present, round_: OpenRound) -> None:
        assert person.device is not None and told.agenda_id is not None
        person.seq += 1
        first = person.firsts.get(told.agenda_id)
        posted = Posted(tap.choice, person.seq, people.moved(first, tap.choice), person.role)
        casting.file(self._house, told, person.device, round_.round_id, posted)
        if first is None and not person.taps:
            person.firsts[told.agenda_id] = tap.choice

    def _come(self, person: Person) -> None:
        """Join, if that is still to be done, and connect."""
        if person.device is None:
            try:
                person.device = self._house.committer.perform(lambda s: workshop.join(s, self._workshop_id))
            except Refused:  # the door is locked
                person.comes_at = self._clock.now() + KNOCK_AGAIN
                return
        person.sid = f"simulated-{self._workshop_id}-{person.number}"
        self._house.rooms.connect(self._workshop_id, person.sid, person.device)
        self._house.live.changed(self._workshop_id)

    def _drop(self, person: Person, until: float) -> None:
        if person.sid:
            self._house.rooms.disconnect(person.sid)
        person.sid, person.comes_at = "", max(until, person.comes_at)

    def _send_home(self, leaving: list[Person]) -> None:
        joined = [person.device for person in leaving if person.device is not None]
        for person in leaving:
            self._people.remove(person)
            if person.sid:
                self._house.rooms.disconnect(person.sid)
        for device in joined:
            self._house.rooms.leave(self._workshop_id, device)
        if joined:
            self._house.committer.perform(lambda s: rehearsal.recount(s, self._workshop_id, -len(joined)))

    def _tell(self, wanted: Simulated | None) -> None:
        """Say on the console how it stands; None: nobody is here any more."""
        self._wanted = wanted or self._wanted
        self._house.rooms[self._workshop_id].simulated = wanted
        self._house.live.changed(self._workshop_id)


class Crowds:
    """The crowds of this process, by workshop."""

    def __init__(self, app: Flask, clock: Clock, chance: Random) -> None:
        self._app = app
        self._clock = clock
        self._chance = chance
        self._there: dict[int, Crowd] = {}

    def __getitem__(self, workshop_id: int) -> Crowd | None:
        there = self._there.get(workshop_id)
        return None if there is None or there.gone else there

    def come(self, workshop_id: int, code: str, wanted: int, preset: Preset) -> None:
        """Let so many people in, who answer like this; those who are there already stay."""
        if there := self[workshop_id]:
            there.turn_to(wanted, preset)
            return
        self._there[workshop_id] = Crowd(
            self._app, self._clock, workshop_id, code, Simulated(wanted, preset), self._chance
        )

    def go(self, workshop_id: int) -> None:
        """Send everybody home; nothing if nobody is there."""
        if there := self._there.pop(workshop_id, None):
            there.go()
