"""Who holds a console or a shared screen: how another device gets one, and how it is taken back. And what the program
does on its own when nobody is there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_socketio.test_client import SocketIOTestClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from facilitation import migrations, store, workshop
from facilitation.config import Settings
from facilitation.live import UNTOUCHED
from facilitation.stages import Move
from facilitation.store import Ballot, Capability, Round, Workshop, db
from facilitation.web import House
from facilitation.workshop import PAIRING_MINUTES
from tests.cast import Person, Venue, an_app, text_of

ORIGIN = {"Origin": "http://localhost"}

pytestmark = pytest.mark.program


class Time:
    """Monotonic seconds that pass only when a test says so; what is to be done soon is done at once."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        pass

    def soon(self, act: Callable[[], object]) -> None:
        act()


@dataclass
class Room:
    """A session of three questions and the browser of its facilitator, who also holds the whole program."""

    app: Flask
    time: Time
    id: int
    code: str
    laptop: FlaskClient

    @property
    def house(self) -> House:
        found: House = self.app.extensions["house"]
        return found

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def now(self) -> Workshop:
        with self.app.app_context():
            return db.session.get_one(Workshop, self.id)

    def offers(self, role: str = "facilitator") -> str:
        """The path of the address on the page that offers a device this role."""
        page = self.laptop.post(f"/f/{self.code}/devices", data={"role": role}, headers=ORIGIN)
        assert page.status_code == 200
        found = re.search(r'id="address">[^<]*?(/pair/[a-z0-9-]+)<', page.text)
        assert found
        return found[1]

    def pairs(self, role: str = "facilitator") -> FlaskClient:
        """Another device, with the role."""
        device, path = self.browser(), self.offers(role)
        assert device.post(path, headers=ORIGIN).status_code == 303
        return device

    def revokes(self) -> None:
        answer = self.laptop.post(f"/f/{self.code}/devices/revoke", headers=ORIGIN)
        assert answer.status_code == 303

    def devices(self) -> str:
        return self.laptop.get(f"/f/{self.code}/devices").text

    def moves(self, move: Move) -> None:
        keys, version = self.house.keys, self.now().version
        self.house.committer.perform(lambda s: workshop.make_move(s, keys, self.id, move, version))
        self.house.live.moved(self.id)

    def listens(self, role: str, device: FlaskClient) -> SocketIOTestClient:
        return SocketIOTestClient(
            self.app,
            self.app.extensions["socketio"],
            query_string=f"?r={self.code}&role={role}",
            flask_test_client=device,
        )


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    settings = Settings("127.0.0.1", 8000, tmp_path, database_url, "", "http://localhost", False)
    time = Time()
    app = an_app(settings, clock=time)
    house: House = app.extensions["house"]
    framework = house.framework

    def job(session: Session) -> tuple[int, str, str]:
        made = workshop.create(session, framework, "Annual review", "Wexcombe Mill Museum", dt.date(2026, 11, 21))
        hallmark = framework.hallmarks[0]
        workshop.add_questions(session, made.id, [(hallmark, q) for q in hallmark.questions[:3]], framework)
        session.flush()
        return made.id, made.code, workshop.grant(session, "home")

    id, code, home = house.committer.perform(job)
    laptop = app.test_client()
    laptop.set_cookie("home", home)
    assert laptop.post(f"/sessions/{code}/open", headers=ORIGIN).status_code == 303
    yield Room(app, time, id, code, laptop)
    with app.app_context():
        db.engine.dispose()
    house.committer._engine.dispose()  # type: ignore[attr-defined]


def goes_by(monkeypatch: pytest.MonkeyPatch, time: dt.timedelta) -> None:
    """Let the clock on the wall go on so far and then stand still."""
    later = workshop._now() + time
    monkeypatch.setattr(workshop, "_now", lambda: later)


# --- Pairing ---------------------------------------------------------------------------------------------------------


def test_a_phone_that_scans_the_code_becomes_a_second_console(room: Room) -> None:
    phone, path = room.browser(), room.offers()
    asked = phone.get(path)
    assert "Run the session from here?" in asked.text
    taken = phone.post(path, headers=ORIGIN)
    assert taken.headers["Location"] == f"/f/{room.code}"
    assert phone.get(f"/f/{room.code}").status_code == 200
    assert phone.get("/home").status_code == 404


def test_the_page_shows_the_code_to_scan_and_says_to_keep_it_off_the_wall(room: Room) -> None:
    page = room.laptop.post(f"/f/{room.code}/devices", data={"role": "facilitator"}, headers=ORIGIN).text
    assert '<svg class="qr"' in page
    assert "do not let it appear on the shared screen" in page


def test_a_computer_that_opens_the_typed_address_becomes_a_shared_screen_and_nothing_more(room: Room) -> None:
    computer, path = room.browser(), room.offers("screen")
    assert "Show the session here?" in computer.get(path.upper().replace("/PAIR/", "/pair/").replace("-", "")).text
    assert computer.post(path, headers=ORIGIN).headers["Location"] == f"/s/{room.code}"
    assert computer.get(f"/s/{room.code}").status_code == 200
    assert computer.get(f"/f/{room.code}").status_code == 404


def test_an_address_that_is_only_looked_at_is_not_used_up(room: Room) -> None:
    path = room.offers()
    for _ in range(3):
        assert room.browser().get(path).status_code == 200
    assert room.browser().post(path, headers=ORIGIN).status_code == 303


@pytest.mark.both_databases
def test_an_address_works_once(room: Room) -> None:
    path = room.offers()
    assert room.browser().post(path, headers=ORIGIN).status_code == 303
    late = room.browser()
    answer = late.post(path, headers=ORIGIN)
    assert answer.status_code == 422
    assert "This link has been used" in answer.text
    assert not late._cookies
    gone = late.get(path)
    assert gone.status_code == 404
    assert "This link no longer works" in gone.text


@pytest.mark.both_databases
def test_an_address_is_too_old_after_ten_minutes_and_not_before(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_by(monkeypatch, dt.timedelta())
    path, second = room.offers(), room.offers("screen")
    goes_by(monkeypatch, dt.timedelta(minutes=PAIRING_MINUTES, seconds=-1))
    assert room.browser().post(path, headers=ORIGIN).status_code == 303
    goes_by(monkeypatch, dt.timedelta(seconds=1))
    assert room.browser().get(second).status_code == 404
    assert room.browser().post(second, headers=ORIGIN).status_code == 422


@pytest.mark.both_databases
def test_a_new_address_makes_the_one_before_useless(room: Room) -> None:
    first, second = room.offers(), room.offers()
    assert room.browser().post(first, headers=ORIGIN).status_code == 422
    assert room.browser().post(second, headers=ORIGIN).status_code == 303


def test_the_stored_offer_is_a_hash_and_says_nothing_of_the_address(room: Room) -> None:
    token = room.offers().rpartition("/")[2]
    with room.app.app_context():
        (kept,) = db.session.scalars(select(Capability).where(Capability.role == "pair-facilitator"))
        assert kept.token_hash == store.hashed(token.replace("-", ""))
        assert token not in repr(vars(kept))


@pytest.mark.parametrize("role", ["home", "link", "pair-screen", ""])
def test_no_other_role_is_offered(room: Room, role: str) -> None:
    answer = room.laptop.post(f"/f/{room.code}/devices", data={"role": role}, headers=ORIGIN)
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["", "/revoke"])
def test_only_the_console_can_add_and_take_away_devices(room: Room, path: str) -> None:
    screen, phone = room.pairs("screen"), room.browser()
    with room.app.app_context():
        token = db.session.get_one(Workshop, room.id).join_token
    phone.get(f"/j/{token}")
    for outsider in (screen, phone, room.browser()):
        answer: TestResponse = outsider.post(
            f"/f/{room.code}/devices{path}", data={"role": "facilitator"}, headers=ORIGIN
        )
        assert answer.status_code == 404
        assert outsider.get(f"/f/{room.code}/devices").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "aaaa-aaaa-aaaa", "%00", "a" * 500])
def test_an_invented_address_opens_nothing(room: Room, token: str) -> None:
    room.offers()
    assert room.browser().get(f"/pair/{token}").status_code == 404
    assert room.browser().post(f"/pair/{token}", headers=ORIGIN).status_code in (404, 422)


def test_a_capability_is_not_an_address(room: Room) -> None:
    cookie = room.laptop.get_cookie(f"f_{room.id}")
    assert cookie
    assert room.browser().post(f"/pair/{cookie.value}", headers=ORIGIN).status_code == 422


def test_finishing_keeps_the_console_and_closes_pairing(room: Room) -> None:
    phone, open_offer = room.pairs(), room.offers("screen")
    room.moves(Move.FINISH)
    assert room.laptop.get(f"/f/{room.code}").status_code == 200
    assert phone.get(f"/f/{room.code}").status_code == 200
    assert room.browser().post(open_offer, headers=ORIGIN).status_code == 422
    answer = room.laptop.post(f"/f/{room.code}/devices", data={"role": "facilitator"}, headers=ORIGIN)
    assert answer.status_code == 422
    assert "The session has ended" in answer.text
    assert 'id="pair"' not in room.devices()


# --- Who holds what, and taking it back ------------------------------------------------------------------------------


def test_the_page_says_how_many_browsers_hold_console_and_screen(room: Room) -> None:
    assert "Only this browser holds the console." in room.devices()
    assert "No browser holds the shared screen." in room.devices()
    room.pairs()
    room.pairs("screen")
    assert "2 browsers hold the console, this one included." in room.devices()
    assert "One browser holds the shared screen." in room.devices()


def test_opening_console_and_screen_again_in_one_browser_counts_once(room: Room) -> None:
    for _ in range(3):
        room.laptop.post(f"/sessions/{room.code}/open", headers=ORIGIN)
        room.laptop.get(f"/f/{room.code}/screen")
    assert "Only this browser holds the console." in room.devices()
    assert "One browser holds the shared screen." in room.devices()


@pytest.mark.both_databases
def test_revoking_leaves_this_browser_its_console_and_screen_and_takes_them_from_all_others(room: Room) -> None:
    room.laptop.get(f"/f/{room.code}/screen")
    phone, computer, unused = room.pairs(), room.pairs("screen"), room.offers()
    room.revokes()
    assert room.laptop.get(f"/f/{room.code}").status_code == 200
    assert room.laptop.get(f"/s/{room.code}").status_code == 200
    for device, path in ((phone, f"/f/{room.code}"), (computer, f"/s/{room.code}"), (phone, f"/f/{room.code}/now")):
        answer = device.get(path)
        assert answer.status_code == 404
        assert "it is not open to this browser" in answer.text
    assert phone.post(f"/f/{room.code}/move", data={"move": "open"}, headers=ORIGIN).status_code == 404
    assert room.browser().post(unused, headers=ORIGIN).status_code == 422


def test_revoking_in_one_session_leaves_another_alone(room: Room) -> None:
    room.laptop.post(
        "/sessions", data={"title": "Another", "museum": "Museum", "held_on": "2026-11-22"}, headers=ORIGIN
    )
    phone = room.pairs()
    with room.app.app_context():
        other = db.session.scalar(select(Workshop).where(Workshop.id != room.id))
        assert other
    room.laptop.post(f"/f/{other.code}/devices/revoke", headers=ORIGIN)
    assert phone.get(f"/f/{room.code}").status_code == 200


def test_revoking_ends_live_connections_at_once_and_they_hear_nothing_more(room: Room) -> None:
    phone, computer = room.pairs(), room.pairs("screen")
    mine = room.listens("f", room.laptop)
    theirs = [room.listens("f", phone), room.listens("s", computer)]
    for line in (mine, *theirs):
        assert line.is_connected()
        line.get_received()
    room.revokes()
    assert [line.is_connected() for line in (mine, *theirs)] == [True, False, False]
    for line in (mine, *theirs):
        line.queue.clear()  # type: ignore[attr-defined]  # its stubs leave out where it keeps what it heard
    room.moves(Move.OPEN)
    assert [packet["name"] for packet in mine.get_received()] == ["now"]
    assert [line.queue for line in theirs] == [[], []]  # type: ignore[attr-defined]
    assert room.house.rooms.screens(room.id) == 0


def test_a_revoked_browser_cannot_connect_again(room: Room) -> None:
    phone = room.pairs()
    room.revokes()
    assert not room.listens("f", phone).is_connected()


def test_people_who_vote_stay_connected_when_consoles_are_revoked(room: Room) -> None:
    phone = room.browser()
    with room.app.app_context():
        token = db.session.get_one(Workshop, room.id).join_token
    phone.get(f"/j/{token}")
    line = room.listens("p", phone)
    room.revokes()
    assert line.is_connected()


@pytest.mark.both_databases
def test_what_another_process_revoked_is_dropped_at_the_next_look_round(room: Room) -> None:
    line = room.listens("f", room.pairs())
    room.house.committer.perform(lambda session: workshop.revoke_others(session, room.id, []))
    assert line.is_connected()
    room.house.live.look_round()
    assert not line.is_connected()


# --- A vote that was left open ---------------------------------------------------------------------------------------


def votes(room: Room, choices: str) -> None:
    """So many people answer the open question."""
    with room.app.app_context():
        found = db.session.get_one(Workshop, room.id)
        token, round_id = found.join_token, found.round_id
    for choice in choices:
        phone = room.browser()
        phone.get(f"/j/{token}")
        form = {"round": round_id, "choice": choice, "seq": 1}
        assert phone.post(f"/w/{room.code}/ballot", data=form, headers=ORIGIN).status_code == 303


def looks(room: Room, seconds: float) -> None:
    room.time.seconds += seconds
    room.house.live.look_round()


@pytest.mark.both_databases
def test_a_vote_that_nobody_touched_for_twelve_hours_is_counted_and_not_shown(room: Room) -> None:
    room.moves(Move.OPEN)
    votes(room, "44455")
    looks(room, 0)
    round_id = room.now().round_id
    assert round_id is not None
    looks(room, UNTOUCHED - 1)
    assert room.now().stage == "voting"
    looks(room, 1)
    assert room.now().stage == "closed"
    with room.app.app_context():
        round_ = db.session.get_one(Round, round_id)
        assert (round_.state, round_.released, round_.ballots_cast) == ("counted", False, 5)
        assert round_.counts == {"1": 0, "2": 0, "3": 0, "4": 3, "5": 2, "DK": 0, "NR": 0}
        assert db.session.scalar(select(Ballot)) is None
    assert room.house.keys.read(round_id) is None
    screen = room.pairs("screen")
    assert "tally__count" not in screen.get(f"/s/{room.code}/now").text
    assert room.laptop.get(f"/f/{room.code}").text.count("Show the result") >= 1


def test_the_facilitator_can_show_the_result_of_a_vote_that_closed_itself(room: Room) -> None:
    room.moves(Move.OPEN)
    votes(room, "44455")
    looks(room, 0)
    looks(room, UNTOUCHED)
    room.moves(Move.REVEAL)
    assert room.now().stage == "revealed"


@pytest.mark.parametrize("touch", ["a vote", "a change of the shared screen", "somebody who joins"])
def test_whatever_happens_in_the_session_begins_the_twelve_hours_again(room: Room, touch: str) -> None:
    room.moves(Move.OPEN)
    looks(room, 0)
    looks(room, UNTOUCHED - 1)
    if touch == "a vote":
        votes(room, "4")
    elif touch == "somebody who joins":
        votes(room, "")
        with room.app.app_context():
            token = db.session.get_one(Workshop, room.id).join_token
        room.browser().get(f"/j/{token}")
    else:
        room.laptop.post(f"/f/{room.code}/show", data={"want": "overlay", "value": "code"}, headers=ORIGIN)
    looks(room, 1)
    looks(room, UNTOUCHED - 1)
    assert room.now().stage == "voting"
    looks(room, 1)
    assert room.now().stage == "closed"


@pytest.mark.both_databases
def test_a_vote_that_comes_in_the_last_moment_keeps_the_question_open(room: Room) -> None:
    room.moves(Move.OPEN)
    seen = room.now().version, room.now().tick
    votes(room, "4")
    keys = room.house.keys
    closed = room.house.committer.perform(lambda s: workshop.close_untouched(s, keys, room.id, seen))
    assert not closed
    assert room.now().stage == "voting"


def test_other_stages_are_left_alone_however_long_they_last(room: Room) -> None:
    looks(room, 0)
    looks(room, 10 * UNTOUCHED)
    assert room.now().stage == "lobby"


# --- Two programs on one computer ------------------------------------------------------------------------------------


def goes_to(browser: Person, venue: Venue) -> None:
    """The same browser at another port of the same computer: it shows all its cookies there."""
    browser.venue = venue
    browser.client.application = venue.app


def test_two_programs_on_one_computer_leave_a_browser_signed_in_at_both(tmp_path: Path) -> None:
    browser, codes, venues = None, [], []
    for name in ("real", "demo"):
        (tmp_path / name).mkdir()
        venue = Venue(f"sqlite:///{tmp_path / name / 'workshop.db'}", tmp_path / name)
        venues.append(venue)
        browser = browser or Person(venue)
        goes_to(browser, venue)
        link = venue.performs(lambda session: workshop.grant(session, "link"))
        assert browser.gets(f"/enter/{link}").status_code == 303
        made = browser.posts("/sessions", {"title": "Review", "museum": name, "held_on": "2026-11-21"})
        codes.append(made.headers["Location"].split("/")[2])
        assert browser.posts("/join", {"code": codes[-1]}).status_code == 303
    assert browser is not None
    assert venues[0].workshop(codes[0]).id == venues[1].workshop(codes[1]).id  # what names would otherwise be made of
    for venue, code in zip(venues, codes, strict=True):
        goes_to(browser, venue)
        for path in ("/home", f"/f/{code}", f"/w/{code}", f"/f/{code}/setup"):
            assert browser.gets(path).status_code == 200, (venue.folder.name, path)
        assert browser.listens("p", code).is_connected()
        assert browser.listens("f", code).is_connected()
        browser.posts(f"/f/{code}/agenda", {"key": ["purpose-01"]})
        browser.posts(f"/f/{code}/move", {"move": "open", "version": venue.workshop(code).version}, htmx=True)
        browser.gets(f"/w/{code}/now")
        form = {"round": venue.workshop(code).round_id, "choice": "3", "seq": 1}
        with mock.patch.object(venue.app.wsgi_app._app, "_inner", None):  # type: ignore[attr-defined]  # the gate's
            answer = browser.posts(f"/w/{code}/ballot", form, htmx=True)
        assert "Your answer is in" in text_of(answer), "the ballot's short door reads cookies by itself"
        venue.closes()


def test_a_program_that_has_run_keeps_the_names_its_browsers_know(tmp_path: Path) -> None:
    marks = []
    for number, has_run in enumerate((True, False, False)):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        migrations.upgrade(url, "0025")
        engine = store.writing_engine(url)
        if has_run:
            with store.transaction(engine) as session:
                workshop.grant(session, "link")
        migrations.upgrade(url)
        with store.transaction(engine) as session:
            marks.append(store.mark(session))
        engine.dispose()
    assert marks[0] == ""
    assert len(set(marks)) == 3
