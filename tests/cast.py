"""The cast: a venue in which the whole program runs in this process, and the people in it.

Freya facilitates; Ana, Ben and Cai hold phones; the wall is the shared screen; Mallory has no business in the room.
Each has a browser of their own, an HTTP client with cookies that passes the gate like any other.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, Self, TypeVar
from unittest import mock

from alembic.script import ScriptDirectory
from flask import Flask
from flask_socketio import SocketIO
from flask_socketio.test_client import SocketIOTestClient
from jinja2 import Environment
from sqlalchemy import Dialect, Engine, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import create_app
from facilitation import ballots, hallmarks, migrations, store, workshop
from facilitation.config import Settings
from facilitation.now import Audience
from facilitation.store import Ballot, Round, Workshop, db
from facilitation.tally import Tally
from facilitation.web import House, assets

Found = TypeVar("Found")
A_DAY = dt.date(2026, 11, 21)
QUESTIONS = ("purpose-01", "purpose-02", "governance-01")
ORIGIN = {"Origin": "http://localhost"}


class FakeClock:
    """Monotonic seconds that pass only when a test says so. Steps of a quarter keep the sums exact."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._alarms: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        return self.seconds

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        self._alarms.append((self.seconds + seconds, act))

    def soon(self, act: Callable[[], object]) -> None:
        act()

    def advance(self, seconds: float) -> None:
        """Let time pass; what was to be done later is done at its moment."""
        end = self.seconds + seconds
        while due := [alarm for alarm in self._alarms if alarm[0] <= end]:
            first = min(due, key=lambda alarm: alarm[0])
            self._alarms.remove(first)
            self.seconds = max(self.seconds, first[0])
            first[1]()
        self.seconds = end


# --- Most tests have an app of their own, so what is the same in all of them is made once a run ---


class _Rule(Rule):
    """A route. Werkzeug writes and compiles two functions for each: two thirds of what making an app takes."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        known = (self.rule, str(self.defaults), append_unknown)
        if known not in _builders:
            _builders[known] = super()._compile_builder(append_unknown)
        return _builders[known]


_builders: dict[tuple[str, str, bool], Callable[..., tuple[str, str]]] = {}
_statements: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}
_templates: list[Environment] = []
_framework = cache(hallmarks.load)
_assets = cache(assets.Assets)
_newest = cache(lambda: ScriptDirectory.from_config(migrations.config("sqlite://")).get_current_head())
_prepare_engine, _upgrade, _create_templates = store.prepare_engine, migrations.upgrade, Flask.create_jinja_environment


def _with_shared_statements(engine: Engine) -> Engine:
    """An engine like any of ours, with the SQL that others have compiled: the key of what is kept names the dialect."""
    prepared = _prepare_engine(engine)
    if prepared.dialect.name not in _statements:
        prepared.connect().close()  # now the dialect knows its server
        _statements[prepared.dialect.name] = prepared.dialect, LRUCache(2000)
    prepared.dialect, compiled = _statements[prepared.dialect.name]
    prepared.update_execution_options(compiled_cache=compiled)
    return prepared


def _with_shared_templates(app: Flask) -> Environment:
    """One environment for all apps, for no template's words belong to one of them: `dress` looks up the present one."""
    if not _templates:
        _templates.append(_create_templates(app))
    return _templates[0]


def _upgrade_what_is_old(url: str) -> None:
    """As the program does it, but without Alembic for a file that is up to date: most tests have a copy of one."""
    file = Path(url.removeprefix("sqlite:///"))
    if file.exists():
        with closing(sqlite3.connect(file)) as known, suppress(sqlite3.OperationalError):  # no table: nothing is there
            if known.execute("SELECT version_num FROM alembic_version").fetchone() == (_newest(),):
                return
    _upgrade(url)


expected = True  # whether the present test may make a program: those that do are marked, and not among the fast ones


def an_app(settings: Settings, **parts: Any) -> Flask:
    """The program in this process, as `create_app` makes it, without a pause between pushes; `parts` go to it."""
    assert expected, "mark this test with `program`: it makes one"
    with (
        mock.patch.object(Flask, "url_rule_class", _Rule),
        mock.patch.object(Flask, "create_jinja_environment", _with_shared_templates),
        mock.patch.object(store, "prepare_engine", _with_shared_statements),
        mock.patch.object(migrations, "upgrade", _upgrade_what_is_old),
        mock.patch.object(hallmarks, "load", _framework),
        mock.patch.object(assets, "Assets", _assets),
    ):
        return create_app(settings, **{"every": 0, **parts})


@dataclass(frozen=True)
class Told:
    """One push: to whom (an audience's room, or one socket), its place in the order, and the fragment."""

    to: str
    order: tuple[int, int]
    html: str

    @property
    def audience(self) -> str:
        """participant, screen or facilitator; "" for a push to one socket."""
        return self.to.split(":")[1] if ":" in self.to else ""


class Venue:
    """The program on one database and one data folder; `restarts` ends it and starts it again on the same data.

    quiet: nothing is pushed, for tests that have no ear for it: drawing three pages takes longer than most use cases.
    """

    def __init__(self, url: str, folder: Path, *, quiet: bool = False) -> None:
        self.url = url
        self.folder = folder
        self.quiet = quiet
        self.people: list[Person] = []
        self._told: list[Told] = []
        self.clock = FakeClock()
        self._start()

    def _start(self) -> None:
        settings = Settings(
            host="127.0.0.1",
            port=8000,
            data_dir=self.folder,
            database_url=self.url,
            redis_url="",
            public_url="http://localhost",
            open_browser=False,
        )
        self.app = an_app(settings, clock=self.clock)
        self.house: House = self.app.extensions["house"]
        self.socketio: SocketIO = self.app.extensions["socketio"]
        self.server: Any = self.socketio.server
        with self.app.app_context():
            self.engine = db.engine
        self._listen_in()
        if self.quiet:
            self.falls_silent()

    def _listen_in(self) -> None:
        emit = self.socketio.emit

        def overheard(event: str, message: dict[str, Any], *, to: str) -> None:
            first, second = message["order"]
            self._told.append(Told(to, (first, second), message["html"]))
            emit(event, message, to=to)

        self.socketio.emit = overheard  # type: ignore[method-assign, assignment]

    def falls_silent(self) -> None:
        """From here on nothing is pushed and no picture is drawn."""
        live = self.house.live
        live.moved, live.changed = live.forget, lambda _workshop_id: None  # type: ignore[method-assign]

    def restarts(self) -> None:
        """The program ends and starts again on the same data; browsers keep their cookies, memory is gone."""
        self.closes()
        self.clock = FakeClock()
        self._start()
        for person in self.people:
            person.client.application = self.app

    def closes(self) -> None:
        """Give back the connections."""
        self.engine.dispose()
        self.house.committer._engine.dispose()  # type: ignore[attr-defined]

    def performs(self, job: Callable[[Session], Found]) -> Found:
        """Run one use case as the program does."""
        return self.house.committer.perform(job)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees what is committed."""
        with Session(self.engine) as session:
            yield session

    def workshop(self, code: str) -> Workshop:
        """A workshop as it stands."""
        with self.reading() as session:
            found = store.by_code(session, code)
            assert found is not None
            _ = found.agenda
            session.expunge_all()
            return found

    def glance(self, code: str, column: InstrumentedAttribute[Found]) -> Found | None:
        """One thing about a workshop as it stands."""
        with self.reading() as session:
            return session.scalar(select(column).where(Workshop.code == code))

    @property
    def told(self) -> list[Told]:
        """What was pushed so far."""
        assert not self.quiet, "nothing is pushed here"
        return self._told

    def told_to(self, audience: Audience) -> list[Told]:
        """What was pushed to one audience so far."""
        return [push for push in self.told if push.audience == audience]

    def phones(self, count: int, code: str) -> list[Phone]:
        """So many more people who have joined, let in as the door does it, but together."""
        room = self.workshop(code)
        assert room.key is not None
        devices = self.performs(lambda session: [workshop.join(session, room.id) for _ in range(count)])
        joined = []
        for device in devices:
            self.house.rooms.hear(room.id, device)
            phone = Phone(self)
            phone.client.set_cookie(f"p_{room.id}", ballots.sign_device(room.key, device))
            phone.code = code
            joined.append(phone)
        return joined

    def twin(self, folder: Path) -> Venue:
        """The same venue once more on a copy of its data: the same secrets and the same people. SQLite only."""
        copy = folder / "workshop.db"
        with (
            closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as here,
            closing(sqlite3.connect(copy)) as there,
        ):
            here.backup(there)
        (folder / "rounds.keys").write_bytes((self.folder / "rounds.keys").read_bytes())
        return Venue(f"sqlite:///{copy}", folder)


class Person:
    """Somebody with a browser. Mallory is nothing more."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.client = venue.app.test_client()
        venue.people.append(self)

    def gets(self, path: str, **more: Any) -> TestResponse:
        """Open an address."""
        return self._sound(self.client.get(path, **more))

    def posts(self, path: str, form: dict[str, Any] | None = None, *, htmx: bool = False) -> TestResponse:
        """Send a form, as a plain one or through htmx."""
        headers = {**ORIGIN, "HX-Request": "true"} if htmx else ORIGIN
        return self._sound(self.client.post(path, data=form or {}, headers=headers))

    def listens(self, role: str, code: str, order: list[int] | None = None) -> SocketIOTestClient:
        """Open a socket as a phone (p), a shared screen (s) or a console (f)."""
        return SocketIOTestClient(
            self.venue.app,
            self.venue.socketio,
            query_string=f"?r={code}&role={role}",
            auth={"order": order} if order else None,
            flask_test_client=self.client,
        )

    def cookies(self) -> dict[str, str]:
        """All cookies this browser holds."""
        return {cookie.key: cookie.value for cookie in (self.client._cookies or {}).values()}

    def forgets_all_but(self, cookies: dict[str, str]) -> None:
        """Hold these cookies and no others."""
        for name in self.cookies().keys() - cookies.keys():
            self.client.delete_cookie(name)
        for name, value in cookies.items():
            self.client.set_cookie(name, value)

    def takes_cookies_of(self, other: Person) -> Self:
        """Become the same browser as another one."""
        self.forgets_all_but({**self.cookies(), **other.cookies()})
        return self

    @staticmethod
    def _sound(response: TestResponse) -> TestResponse:
        # The program turns a fault into a page, so that a test could overlook it.
        assert response.status_code != 500, response.text
        return response


class Facilitator(Person):
    """Freya: holds the program's own cookie, and the console of the session she has set up."""

    code: str
    workshop_id: int

    def enters(self) -> Self:
        """Get the program's own cookie."""
        self.client.set_cookie("home", self.venue.performs(lambda session: workshop.grant(session, "home")))
        return self

    def creates(self, *questions: str, k: int = 5, mode: str = "live") -> Self:
        """Set up a session with these questions of the framework, as the set-up page does it, but at once."""
        framework = self.venue.house.framework
        chosen = [
            (hallmark, question)
            for key in questions
            for hallmark in framework.hallmarks
            for question in hallmark.questions
            if question.key == key
        ]

        def job(session: Session) -> tuple[int, str, str]:
            made = workshop.create(session, framework, "Trustees’ away day", "Wexcombe Mill Museum", A_DAY)
            made.k, made.mode = k, mode
            workshop.add_questions(session, made.id, chosen, framework)
            return made.id, made.code, workshop.grant(session, "facilitator", made.id)

        self.workshop_id, self.code, console = self.venue.performs(job)
        self.client.set_cookie(f"f_{self.workshop_id}", console)
        return self

    def sets(self, **details: Any) -> TestResponse:
        """Change the details: title, museum, held_on, k, mode, wifi_name, wifi_password."""
        known = self.now
        form = {
            "title": known.title,
            "museum": known.museum,
            "held_on": known.held_on,
            "k": known.k,
            "mode": known.mode,
        }
        return self.posts(f"/f/{self.code}/setup", {**form, **details})

    def adds(self, *keys: str) -> TestResponse:
        """Put questions of the framework on the agenda."""
        return self.posts(f"/f/{self.code}/agenda", {"key": list(keys)})

    def adds_own(self, text: str, scale: str = "extent", short: str = "", prompt: str = "") -> TestResponse:
        """Put a question of the group's own on the agenda."""
        own = {"own": "1", "text": text, "scale": scale, "short": short, "prompt": prompt}
        return self.posts(f"/f/{self.code}/agenda", own)

    def changes(self, place: int, want: str, value: str = "") -> TestResponse:
        """Change the question at this place of the agenda (from 1): up, down, drop, prompt or mode."""
        return self.posts(f"/f/{self.code}/agenda/{self.agenda(place)}", {"want": want, "value": value})

    def moves(
        self, move: str, *, place: int | None = None, version: int | None = None, htmx: bool = True
    ) -> TestResponse:
        """Ask for a move. place: of the question of a goto. version: what her page saw, if not the present one."""
        seen = self.venue.glance(self.code, Workshop.version) if version is None else version
        form: dict[str, Any] = {"move": move, "version": seen}
        if place:
            form["agenda"] = self.agenda(place)
        return self.posts(f"/f/{self.code}/move", form, htmx=htmx)

    def does(self, *moves: str) -> Self:
        """Make moves that must succeed; `goto 2` names the place of a question."""
        for said in moves:
            move, _, place = said.partition(" ")
            response = self.moves(move, place=int(place) if place else None, htmx=False)
            assert response.status_code == 303, f"{said}: {text_of(response)}"
        return self

    def shows(self, want: str, value: str = "") -> TestResponse:
        """Change what lies over the stage on the shared screen."""
        return self.posts(f"/f/{self.code}/show", {"want": want, "value": value}, htmx=True)

    def sees(self) -> str:
        """The words of the console."""
        return text_of(self.gets(f"/f/{self.code}/now"))

    def reads(self, document: str) -> TestResponse:
        """A document of the session: results.csv or session.json."""
        return self.gets(f"/f/{self.code}/files/{document}")

    def deletes(self) -> TestResponse:
        """Delete the session."""
        return self.posts(f"/sessions/{self.code}/delete")

    def agenda(self, place: int) -> int:
        """The agenda row at a place, from 1."""
        return self.now.agenda[place - 1].id

    @property
    def rounds(self) -> list[Round]:
        """Every round there ever was in the session, in order."""
        with self.venue.reading() as session:
            query = select(Round).where(Round.workshop_id == self.workshop_id).order_by(Round.ordinal)
            found = list(session.scalars(query))
            session.expunge_all()
            return found

    @property
    def ballots(self) -> int:
        """How many sealed ballots of the session lie in the database."""
        with self.venue.reading() as session:
            query = select(func.count()).select_from(Ballot).join(Round).where(Round.workshop_id == self.workshop_id)
            return session.scalar(query) or 0

    def key(self, place: int = -1) -> bytes | None:
        """The key of one of the rounds, of the latest unless said otherwise."""
        return self.venue.house.keys.read(self.rounds[place].id)

    @property
    def now(self) -> Workshop:
        """The session as it stands."""
        return self.venue.workshop(self.code)

    @property
    def stage(self) -> str:
        """Where the session stands."""
        return self.venue.glance(self.code, Workshop.stage) or ""


class Phone(Person):
    """Ana, Ben, Cai and whoever else came. Counts its own changes, as the script on the page does."""

    code: str
    seq = 0

    def joins(self, code: str) -> Self:
        """Type the join code."""
        response = self.posts("/join", {"code": code})
        assert response.status_code == 303, text_of(response)
        self.code = code
        return self

    def answers(
        self,
        choice: str,
        direction: str = "",
        *,
        seq: int | None = None,
        round_id: int | None = None,
        htmx: bool = True,
    ) -> TestResponse:
        """Tap an answer, or change it. seq, round_id: those of an earlier or invented request."""
        self.seq += 1
        number = self.venue.glance(self.code, Workshop.round_id) if round_id is None else round_id
        form = {"round": number, "choice": choice, "seq": self.seq if seq is None else seq, "direction": direction}
        return self.posts(f"/w/{self.code}/ballot", form, htmx=htmx)

    def sees(self) -> str:
        """The words of the fragment that every phone is shown."""
        return text_of(self.gets(f"/w/{self.code}/now"))

    def reloads(self) -> str:
        """The words of the whole page, with the own answer."""
        return text_of(self.gets(f"/w/{self.code}"))


class Handed(Person):
    """A tablet that goes from hand to hand among people who have no phone with them."""

    code: str

    def comes_from(self, facilitator: Facilitator, people: int = 3) -> Self:
        """Open the address that this facilitator's console offers, for so many people."""
        offer = facilitator.posts(f"/f/{facilitator.code}/devices", {"role": "handed"}).text
        found = re.search(r'id="address">[^<]*?(/pair/[a-z0-9-]+)<', offer)
        assert found
        assert self.posts(found[1], {"people": people}).status_code == 303
        self.code = facilitator.code
        return self

    def page(self) -> str:
        """What lies before the next person."""
        return self.gets(f"/w/{self.code}").text

    def answers(self, choice: str, *, page: str = "", htmx: bool = False) -> TestResponse:
        """One person chooses and presses the button, on the page that lies there or on one kept from before."""
        held = dict(re.findall(r'name="(round|turn)" value="(.*?)"', page or self.page()))
        return self.posts(f"/w/{self.code}/handed", {**held, "choice": choice}, htmx=htmx)


class Screen(Person):
    """The wall."""

    code: str

    def shows(self, facilitator: Facilitator) -> Self:
        """Become the shared screen of this facilitator's session."""
        browser = Person(self.venue).takes_cookies_of(facilitator)
        assert browser.gets(f"/f/{facilitator.code}/screen").status_code == 303
        name = f"s_{facilitator.workshop_id}"
        self.client.set_cookie(name, browser.cookies()[name])
        self.code = facilitator.code
        return self

    def sees(self) -> str:
        """The words on the wall."""
        return text_of(self.gets(f"/s/{self.code}/now"))


def vote(phones: list[Phone], *choices: str) -> None:
    """Each phone taps one answer, all at the same instant, so that they are filed in one batch in this order.

    Through the use case and not through the door, because most tests only need the room to have voted; `answers` is
    what one phone really does.
    """
    if not phones:
        return
    house: House = phones[0].client.application.extensions["house"]
    room = phones[0].venue.workshop(phones[0].code)
    assert room.key is not None
    filings = []
    for phone, choice in zip(phones, choices, strict=True):
        device = ballots.read_device(room.key, phone.cookies()[f"p_{room.id}"])
        assert device is not None
        phone.seq += 1
        house.rooms.hear(room.id, device)
        posted = workshop.Posted(choice, phone.seq)
        filings.append(workshop.seal_ballot(house.keys, workshop.OpenRound.of(room), device, posted))
    filed = house.committer.perform(lambda session: house.box.file(session, filings))
    assert filed == [workshop.Filed(filing.choice, filing.seq) for filing in filings]
    house.live.changed(room.id)


def text_of(page: TestResponse | str) -> str:
    """What a person reads: no tags, single spaces."""
    html = page if isinstance(page, str) else page.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def counts_in(html: str) -> list[int]:
    """The counts of a chart, lowest point first, then don't know and not relevant; [] where none is shown."""
    return [int(n) for n in re.findall(r'class="tally__count">(\d+)<', html)]


def tally(round_: Round) -> Tally | None:
    """What is kept of a counted round."""
    return Tally.from_dict(round_.counts) if round_.counts else None


def fragment_of(person: Facilitator | Phone | Screen) -> str:
    """The fragment that this person's audience may see now, fetched."""
    letter = {Facilitator: "f", Phone: "w", Screen: "s"}[type(person)]
    return person.gets(f"/{letter}/{person.code}/now").text
