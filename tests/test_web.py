"""The edge in an ordinary process: who comes in, what a form may say, what every answer carries."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from facilitation import workshop
from facilitation.config import Settings
from facilitation.gate import LARGEST_TYPED
from facilitation.stages import Move
from facilitation.store import Ballot, Workshop, db
from facilitation.web import House
from facilitation.workshop import CLOSED_SENTENCE
from tests.cast import an_app

pytestmark = pytest.mark.program

DAY = dt.date(2026, 11, 21)
DETAILS = {
    "title": "Annual review",
    "museum": "Wexcombe Mill Museum",
    "held_on": "2026-11-21",
    "k": "5",
    "mode": "live",
}


class StillClock:
    """Time stands still; what can wait is never done: nobody listens here."""

    def now(self) -> float:
        return 1000.0

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        pass

    def soon(self, act: Callable[[], object]) -> None:
        pass


def made(folder: Path, **settings: str) -> Flask:
    found = Settings.from_environment({"DATA_DIR": str(folder), "HOST": "127.0.0.1", **settings})
    return an_app(found, clock=StillClock())


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The program on a laptop. Tests share it: each sets up sessions of its own."""
    return made(tmp_path_factory.mktemp("laptop"))


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The program on a server, where browsers reach it by https."""
    return made(tmp_path_factory.mktemp("server"), PUBLIC_URL="https://vote.example.org")


def browser(app: Flask, origin: str = "http://localhost", **cookies: str) -> FlaskClient:
    """A browser on a page of the program, with these cookies."""
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = origin
    for name, value in cookies.items():
        client.set_cookie(name + house(app).mark, value)
    return client


def house(app: Flask) -> House:
    found: House = app.extensions["house"]
    return found


@dataclass
class Room:
    """A session of three questions, its facilitator's browser, and a way to look at what is stored."""

    app: Flask
    id: int
    code: str
    token: str
    agenda: list[int]
    facilitator: FlaskClient
    home: str = field(repr=False)

    def phone(self) -> FlaskClient:
        client = browser(self.app)
        assert client.get(f"/j/{self.token}").status_code == 303
        return client

    def move(self, move: Move, agenda_id: int | None = None) -> None:
        keys, committer = house(self.app).keys, house(self.app).committer
        version = self.stored().version
        committer.perform(lambda session: workshop.make_move(session, keys, self.id, move, version, agenda_id))

    def stored(self) -> Workshop:
        with self.app.app_context():
            return db.session.get_one(Workshop, self.id)

    def stored_agenda(self) -> list[int]:
        with self.app.app_context():
            return [item.id for item in db.session.get_one(Workshop, self.id).agenda]

    @property
    def round_id(self) -> int:
        round_id = self.stored().round_id
        assert round_id is not None
        return round_id

    def ballots(self) -> int:
        with self.app.app_context():
            query = select(func.count()).select_from(Ballot).where(Ballot.round_id == self.round_id)
            return db.session.scalar(query) or 0

    def vote(self, phone: FlaskClient, choice: str = "4", seq: int | str = 1, fragment: bool = True) -> TestResponse:
        form = {"round": self.round_id, "choice": choice, "seq": seq}
        return phone.post(f"/w/{self.code}/ballot", data=form, headers={"HX-Request": "true"} if fragment else {})


def set_up(app: Flask) -> Room:
    """A session with the framework's first three questions, as the use cases make it."""
    framework = house(app).framework

    def job(session: Session) -> tuple[int, str, str, list[int], str, str]:
        found = workshop.create(session, framework, "Annual review", "Wexcombe Mill Museum", DAY)
        hallmark = framework.hallmarks[0]
        workshop.add_questions(session, found.id, [(hallmark, q) for q in hallmark.questions[:3]], framework)
        session.flush()
        console, home = workshop.grant(session, "facilitator", found.id), workshop.grant(session, "home")
        return found.id, found.code, found.join_token, [item.id for item in found.agenda], console, home

    id, code, token, agenda, console, home = house(app).committer.perform(job)
    return Room(app, id, code, token, agenda, browser(app, **{f"f_{id}": console}), home)


@pytest.fixture
def room(app: Flask) -> Room:
    return set_up(app)


@pytest.fixture
def voting(room: Room) -> Room:
    room.move(Move.OPEN)
    return room


def words(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


# --- Coming in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["{0}{1}", "{0} {1}", "  {0}  {1} ", "{0}-{1}"])
def test_the_code_is_taken_however_it_is_spaced(room: Room, typed: str) -> None:
    phone = browser(room.app)
    answer = phone.post("/join", data={"code": typed.format(room.code[:3], room.code[3:])})
    assert (answer.status_code, answer.location) == (303, f"/w/{room.code}")
    assert "You’re in. Keep this page open." in phone.get(answer.location).text


def test_a_wrong_code_is_said_in_words_and_stays_in_the_field(app: Flask) -> None:
    answer = browser(app).post("/join", data={"code": "000793"})
    assert answer.status_code == 422
    assert "<title>Error: Join a session</title>" in answer.text
    assert "There is a problem No session uses the code 000 793. Check the code on the screen." in words(answer.text)
    assert 'value="000793"' in answer.text
    assert 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("typed", ["", "   "])
def test_no_code_at_all_asks_for_one(app: Flask, typed: str) -> None:
    answer = browser(app).post("/join", data={"code": typed})
    assert answer.status_code == 422
    assert "Enter the join code." in answer.text


@pytest.mark.parametrize("typed", ["abc", "<b>", "٤٨٢٩١٥", "1" * 3000, "\0"])
def test_nonsense_for_a_code_is_a_wrong_code_and_no_fault(app: Flask, typed: str) -> None:
    answer = browser(app).post("/join", data={"code": typed})
    assert answer.status_code == 422
    assert "<b>" not in answer.text.partition("There is a problem")[2].partition("</p>")[0]


def test_a_locked_door_turns_a_new_phone_away_and_lets_an_old_one_back_in(room: Room) -> None:
    early = room.phone()
    house(room.app).committer.perform(lambda session: workshop.show(session, room.id, "door", "locked"))
    for late in (browser(room.app).get(f"/j/{room.token}"), browser(room.app).post("/join", data={"code": room.code})):
        assert late.status_code == 422
        assert "This session is not taking more people. Ask the facilitator." in late.text
        assert "Set-Cookie" not in late.headers
    assert early.get(f"/j/{room.token}").status_code == 303
    assert early.get(f"/w/{room.code}").status_code == 200
    assert room.stored().joined == 1


def test_a_phone_that_scans_twice_is_one_person(room: Room) -> None:
    phone = room.phone()
    assert phone.get(f"/j/{room.token}").status_code == 303
    assert room.stored().joined == 1


def test_a_finished_session_shows_its_last_page_to_anyone_and_gives_no_cookie(room: Room) -> None:
    phone = room.phone()
    room.move(Move.FINISH)
    stranger = browser(room.app)
    answer = stranger.get(f"/j/{room.token}")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (303, False)
    for person in (phone, stranger):
        page = person.get(f"/w/{room.code}")
        assert page.status_code == 200
        assert "Thank you. The session has ended." in page.text
        assert "<script" not in page.text


def test_a_ballot_after_the_end_is_told_that_the_session_has_ended(voting: Room) -> None:
    phone, round_id = voting.phone(), voting.round_id
    voting.move(Move.FINISH)
    form = {"round": round_id, "choice": "3", "seq": 1}
    answer = phone.post(f"/w/{voting.code}/ballot", data=form, headers={"HX-Request": "true"})
    assert (answer.status_code, words(answer.text)) == (422, "This session has ended.")


def test_an_unknown_qr_code_leads_to_the_join_page(app: Flask) -> None:
    answer = browser(app).get("/j/AAAAAAAAAAA")
    assert answer.status_code == 404
    assert "This QR code belongs to no session. Check the code on the screen." in answer.text
    assert 'id="code"' in answer.text


@dataclass
class Outsiders:
    """The code of a session, and three browsers that do not belong to it."""

    code: str
    who: dict[str, FlaskClient]


@pytest.fixture(scope="module")
def outsiders(app: Flask) -> Outsiders:
    room, other = set_up(app), set_up(app)
    phone, facilitator = other.phone(), other.facilitator
    who = {"stranger": browser(app), "phone of another": phone, "facilitator of another": facilitator}
    return Outsiders(room.code, who)


@pytest.mark.parametrize("who", ["stranger", "phone of another", "facilitator of another"])
@pytest.mark.parametrize(
    "path",
    [
        *("w/{}/now", "s/{}", "s/{}/now", "f/{}", "f/{}/now", "f/{}/setup", "f/{}/screen", "f/{}/end"),
        *("f/{}/files/results.csv", "f/{}/files/report.pdf", "sessions/{}/files/session.json"),
        *("sessions/{}/delete", "home"),
    ],
)
def test_whoever_does_not_belong_finds_nothing_there(outsiders: Outsiders, path: str, who: str) -> None:
    answer = outsiders.who[who].get("/" + path.format(outsiders.code))
    assert answer.status_code == 404
    assert "There is nothing at this address, or it is not open to this browser." in answer.text


@pytest.mark.parametrize(
    "path", ["w/{}/ballot", "f/{}/move", "f/{}/show", "f/{}/setup", "f/{}/agenda", "f/{}/agenda/1"]
)
def test_a_stranger_can_change_nothing(voting: Room, path: str) -> None:
    before = voting.stored()
    stranger = voting.phone() if path.startswith("f") else browser(voting.app)
    form = {"round": voting.round_id, "choice": "1", "seq": 1, "move": "close", "version": before.version, **DETAILS}
    assert stranger.post("/" + path.format(voting.code), data=form).status_code == 404
    after = voting.stored()
    assert (after.version, after.title, voting.ballots()) == (before.version, before.title, 0)


def test_a_phone_without_a_cookie_is_shown_the_way_in_with_the_code_filled_in(room: Room) -> None:
    answer = browser(room.app).get(f"/w/{room.code}")
    assert answer.status_code == 404
    assert f'value="{room.code}"' in answer.text


@pytest.mark.parametrize("forged", ["", ".", "AAAA.AAAA", "é", "x" * 4000])
def test_a_cookie_that_was_not_given_here_opens_nothing(room: Room, forged: str) -> None:
    cookie = room.phone().get_cookie(f"p_{room.id}{house(room.app).mark}")
    assert cookie is not None
    for value in (forged, cookie.value[:-1], cookie.value + "A"):
        assert browser(room.app, **{f"p_{room.id}": value}).get(f"/w/{room.code}/now").status_code == 404


# --- The ballot ------------------------------------------------------------------------------------------------------


def test_a_ballot_sent_without_javascript_leads_back_to_the_page_with_the_answer_on_it(voting: Room) -> None:
    phone = voting.phone()
    answer = voting.vote(phone, "4", fragment=False)
    assert (answer.status_code, answer.location) == (303, f"/w/{voting.code}")
    page = phone.get(answer.location).text
    assert "Your answer is in: 4, " in page
    assert re.search(r'value="4" checked', page)
    assert 'name="seq" value="2"' in page


def test_a_ballot_sent_by_the_script_is_answered_with_its_own_part_of_the_page(voting: Room) -> None:
    answer = voting.vote(voting.phone(), "DK")
    assert answer.status_code == 200
    assert 'data-choice="DK" data-seq="1"' in answer.text
    assert "Your answer is in: I don’t know" in answer.text
    assert "<html" not in answer.text


def test_a_late_retry_does_not_undo_a_change_of_mind_and_is_told_what_counts(voting: Room) -> None:
    phone = voting.phone()
    voting.vote(phone, "2", seq=1)
    voting.vote(phone, "5", seq=2)
    answer = voting.vote(phone, "2", seq=1)
    assert 'data-choice="5" data-seq="2"' in answer.text
    assert voting.ballots() == 1


@pytest.mark.parametrize("fragment", [True, False])
def test_a_ballot_after_the_close_is_refused_in_words_and_not_stored(voting: Room, fragment: bool) -> None:
    phone, round_id = voting.phone(), voting.round_id
    voting.move(Move.CLOSE)
    form = {"round": round_id, "choice": "3", "seq": 1}
    answer = phone.post(f"/w/{voting.code}/ballot", data=form, headers={"HX-Request": "true"} if fragment else {})
    assert answer.status_code == 422
    assert CLOSED_SENTENCE in words(answer.text)
    assert ("<html" in answer.text) is not fragment
    assert voting.ballots() == 0


@pytest.mark.parametrize("choice", ["9", "0", "6", "", "dk", "1 ", "٣", "3" * 500, "None", "\0"])
def test_an_answer_that_is_not_on_the_ballot_is_refused_and_not_stored(voting: Room, choice: str) -> None:
    answer = voting.vote(voting.phone(), choice)
    assert (answer.status_code, words(answer.text)) == (422, "Select an answer, or choose I don’t know.")
    assert voting.ballots() == 0


@pytest.mark.parametrize("seq", ["", "0", "-1", "2147483648", "99999999999", "9" * 400, "one", "1.5", "²"])
def test_a_count_of_changes_that_cannot_be_is_refused_and_not_stored(voting: Room, seq: str) -> None:
    answer = voting.vote(voting.phone(), seq=seq)
    assert (answer.status_code, voting.ballots()) == (422, 0)
    assert "Reload the page and choose again." in answer.text


def test_the_largest_count_of_changes_is_taken(voting: Room) -> None:
    assert voting.vote(voting.phone(), seq=2**31 - 1).status_code == 200
    assert voting.ballots() == 1


@pytest.mark.parametrize("round_id", ["", "0", "-1", "99999999999", "x", "9" * 400])
def test_a_round_that_does_not_exist_takes_no_ballots(voting: Room, round_id: str) -> None:
    answer = voting.phone().post(f"/w/{voting.code}/ballot", data={"round": round_id, "choice": "3", "seq": 1})
    assert (answer.status_code, voting.ballots()) == (422, 0)


def test_a_phone_cannot_vote_in_the_round_of_another_session(voting: Room) -> None:
    other = set_up(voting.app)
    other.move(Move.OPEN)
    form = {"round": other.round_id, "choice": "3", "seq": 1}
    answer = voting.phone().post(f"/w/{voting.code}/ballot", data=form)
    assert answer.status_code == 422
    assert CLOSED_SENTENCE in answer.text
    assert (voting.ballots(), other.ballots()) == (0, 0)


def test_an_unknown_direction_is_no_direction(voting: Room) -> None:
    form = {"round": voting.round_id, "choice": "3", "seq": 1, "direction": "sideways"}
    assert voting.phone().post(f"/w/{voting.code}/ballot", data=form).status_code == 303
    assert voting.ballots() == 1


# --- What every answer carries ---------------------------------------------------------------------------------------

ANYWHERE = [
    ("GET", "/", 200),
    ("GET", "/about", 200),
    ("GET", "/healthz", 200),
    ("GET", "/home", 404),
    ("GET", "/nowhere", 404),
    ("GET", "/static/x/nothing.css", 404),
    ("GET", "/j/AAAAAAAAAAA", 404),
    ("POST", "/about", 405),
    ("POST", "/join", 422),
    ("HEAD", "/", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANYWHERE)
def test_every_answer_carries_the_policy_and_its_companions(app: Flask, method: str, path: str, status: int) -> None:
    answer = browser(app).open(path, method=method)
    assert answer.status_code == status
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self' ws://localhost"
    assert policy["frame-ancestors"] == "'none'"
    assert not [value for value in policy.values() if "unsafe" in value or "*" in value]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_what_the_gate_turns_away_carries_them_too(app: Flask, headers: dict[str, str]) -> None:
    answer = app.test_client().post("/join", headers=headers)
    assert answer.status_code in (403, 421)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_policy_names_the_socket_with_the_port_that_was_asked(app: Flask) -> None:
    policy = browser(app).get("/about", headers={"Host": "127.0.0.1:8123"}).headers["Content-Security-Policy"]
    assert "connect-src 'self' ws://127.0.0.1:8123;" in policy


def test_a_hosted_program_demands_https_and_a_laptop_does_not(app: Flask, hosted: Flask) -> None:
    answer = hosted.test_client().get("/about", base_url="https://vote.example.org")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in browser(app).get("/about").headers


def test_cookies_are_closed_to_scripts_and_other_sites_and_secure_where_that_is_possible(
    room: Room, hosted: Flask
) -> None:
    plain = browser(room.app).get(f"/j/{room.token}").headers["Set-Cookie"]
    far = set_up(hosted)
    secure = hosted.test_client().get(f"/j/{far.token}", base_url="https://vote.example.org").headers["Set-Cookie"]
    for cookie in (plain, secure):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    assert "Secure" not in plain
    assert "Secure" in secure


def test_pages_are_packed_for_browsers_that_can_unpack_them(app: Flask) -> None:
    plain, packed = (browser(app).get("/about", headers=h) for h in ({}, {"Accept-Encoding": "gzip, br"}))
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]


@pytest.mark.parametrize("refusal", ["gzip;q=0", "br, gzip;q=0", "*;q=0", "identity", ""])
def test_a_browser_that_does_not_want_packed_pages_gets_none(app: Flask, refusal: str) -> None:
    for path in ("/about", app.extensions["house"].assets.url("css/base.css")):
        answer = browser(app).get(path, headers={"Accept-Encoding": refusal})
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"])
def test_a_form_that_no_page_of_ours_sends_is_turned_away_before_it_is_read(app: Flask, kind: str) -> None:
    too_large = b"code=" + b"1" * LARGEST_TYPED
    answer = browser(app).post("/join", data=too_large, content_type=kind, headers={"Origin": "http://localhost"})
    assert answer.status_code == 413
    assert "That is too large." in answer.text


def test_a_very_short_answer_is_not_packed(voting: Room) -> None:
    phone = voting.phone()
    form = {"round": voting.round_id, "choice": "9", "seq": 1}
    headers = {"HX-Request": "true", "Accept-Encoding": "gzip"}
    assert "Content-Encoding" not in phone.post(f"/w/{voting.code}/ballot", data=form, headers=headers).headers


# --- Static files ----------------------------------------------------------------------------------------------------


def test_every_file_a_page_names_exists_and_may_be_kept_for_ever(voting: Room) -> None:
    pages = [voting.phone().get(f"/w/{voting.code}"), voting.facilitator.get(f"/f/{voting.code}")]
    pages += [voting.facilitator.get(f"/f/{voting.code}/setup"), browser(voting.app).get("/about")]
    names = {name for page in pages for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)}
    assert len(names) > 5
    for name in names:
        answer = browser(voting.app).get(name)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_under_an_old_version_is_served_but_not_kept(app: Flask) -> None:
    answer = browser(app).get("/static/000000000000/css/base.css")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_a_packed_file_is_the_same_file(app: Flask) -> None:
    name = house(app).assets.url("css/base.css")
    plain, packed = (browser(app).get(name, headers=h) for h in ({}, {"Accept-Encoding": "gzip"}))
    assert gzip.decompress(packed.data) == plain.data
    assert packed.mimetype == plain.mimetype == "text/css"


@pytest.mark.parametrize("name", ["css/none.css", "../app.py", "..%2f..%2fapp.py", "css/", "%00", "css/../../app.py"])
def test_nothing_but_the_static_files_is_served(app: Flask, name: str) -> None:
    answer = browser(app).get(f"/static/{house(app).assets.version}/{name}")
    assert answer.status_code == 404
    assert "create_app" not in answer.text


# --- Fragments and pages ---------------------------------------------------------------------------------------------


def test_a_move_is_answered_with_the_fragment_or_leads_to_the_page(room: Room) -> None:
    form = {"move": "open", "version": room.stored().version}
    answer = room.facilitator.post(f"/f/{room.code}/move", data=form)
    assert (answer.status_code, answer.location) == (303, f"/f/{room.code}")
    form = {"move": "close", "version": room.stored().version}
    answer = room.facilitator.post(f"/f/{room.code}/move", data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.startswith("<title>")
    assert 'id="now"' in answer.text
    assert "<html" not in answer.text


def test_what_a_move_answers_begins_with_what_a_get_of_the_fragment_returns(room: Room) -> None:
    form = {"move": "open", "version": room.stored().version}
    moved = room.facilitator.post(f"/f/{room.code}/move", data=form, headers={"HX-Request": "true"})
    assert moved.text.startswith(room.facilitator.get(f"/f/{room.code}/now").text)


def test_a_stale_move_gets_the_fresh_console_with_the_reason_and_changes_nothing(voting: Room) -> None:
    stale = {"move": "close", "version": voting.stored().version - 1}
    for headers in ({"HX-Request": "true"}, {}):
        answer = voting.facilitator.post(f"/f/{voting.code}/move", data=stale, headers=headers)
        assert answer.status_code == 409
        assert "Someone else moved the session on a moment ago." in answer.text
        assert f'data-order="{voting.stored().version}.' in answer.text
        assert ('<hx-partial hx-target="#notice"' in answer.text) is bool(headers)
    assert voting.stored().stage == "voting"


@pytest.mark.parametrize("move", ["", "dance", "reveal"])
def test_a_move_that_cannot_be_made_is_refused_in_words(voting: Room, move: str) -> None:
    form = {"move": move, "version": voting.stored().version}
    answer = voting.facilitator.post(f"/f/{voting.code}/move", data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#notice"
    assert voting.stored().stage == "voting"


def test_a_refusal_is_a_line_for_the_script_and_a_page_with_a_way_on_without_it(room: Room) -> None:
    line, page = (
        room.facilitator.post(f"/f/{room.code}/agenda", data={}, headers=h) for h in ({"HX-Request": "true"}, {})
    )
    assert (line.status_code, page.status_code) == (422, 422)
    assert words(line.text) == "Choose at least one question."
    assert (line.headers["HX-Retarget"], line.headers["HX-Reswap"]) == ("#notice", "innerHTML")
    assert "<html" in page.text
    assert "Choose at least one question." in page.text
    assert "HX-Retarget" not in page.headers


def test_a_change_of_the_set_up_is_answered_with_its_fragment(room: Room) -> None:
    form = {**DETAILS, "title": "Board day"}
    answer = room.facilitator.post(f"/f/{room.code}/setup", data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.startswith("<main")
    assert 'value="Board day"' in answer.text


def test_the_phones_fragment_is_not_sent_again_to_a_phone_that_shows_it(voting: Room) -> None:
    phone = voting.phone()
    fresh = phone.get(f"/w/{voting.code}/now")
    found = re.search(r'data-order="([\d.]+)"', fresh.text)
    assert found
    assert phone.get(f"/w/{voting.code}/now?order={found[1]}").status_code == 204
    assert phone.get(f"/w/{voting.code}/now?order=1.0").text == fresh.text


def test_finishing_with_the_script_leads_to_the_page(room: Room) -> None:
    form = {"move": "finish", "version": room.stored().version}
    answer = room.facilitator.post(f"/f/{room.code}/move", data=form, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, f"/f/{room.code}")


# --- Where a request comes from --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", "http://evil.example", "http://localhost:81", "http://localhost.evil.example", "localhost"],
)
def test_a_form_from_another_page_is_refused(voting: Room, origin: str | None) -> None:
    phone = voting.phone()
    del phone.environ_base["HTTP_ORIGIN"]
    form = {"round": voting.round_id, "choice": "3", "seq": 1}
    headers = {} if origin is None else {"Origin": origin}
    answer = phone.post(f"/w/{voting.code}/ballot", data=form, headers=headers)
    assert answer.status_code == 403
    assert "This came from another page." in answer.text
    assert voting.ballots() == 0


def test_reading_needs_no_origin(voting: Room) -> None:
    phone = voting.phone()
    del phone.environ_base["HTTP_ORIGIN"]
    assert phone.get(f"/w/{voting.code}").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "10.255.255.254", "[::2]:8000", "localhost@x"]
)
def test_a_name_that_is_not_ours_is_refused_whatever_its_origin_says(app: Flask, host: str) -> None:
    answer = app.test_client().get("/about", headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000"])
def test_our_own_names_are_answered_on_any_port(app: Flask, host: str) -> None:
    assert app.test_client().get("/about", headers={"Host": host}).status_code == 200


# --- What people type ------------------------------------------------------------------------------------------------

HOSTILE = "Board\u202e day\u2066\u0000 \u200bof\r\n\tthe   mill\ufeff"


def test_control_and_bidirectional_characters_do_not_get_into_a_title(room: Room) -> None:
    room.facilitator.post(f"/f/{room.code}/setup", data={**DETAILS, "title": HOSTILE, "museum": f"\u202b{HOSTILE}"})
    assert (room.stored().title, room.stored().museum) == ("Board day of the mill", "Board day of the mill")


def test_letters_with_marks_are_stored_in_one_form(room: Room) -> None:
    room.facilitator.post(f"/f/{room.code}/setup", data={**DETAILS, "museum": "Ty\u0302 Mawr"})
    assert room.stored().museum == "T\u0177 Mawr"


def test_what_people_type_is_text_on_every_page_and_never_markup(room: Room) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'"
    room.facilitator.post(f"/f/{room.code}/setup", data={**DETAILS, "title": hostile, "museum": hostile})
    scale = next(iter(house(room.app).framework.scales))
    own = {"own": "1", "text": hostile, "short": hostile, "prompt": hostile, "scale": scale}
    assert room.facilitator.post(f"/f/{room.code}/agenda", data=own).status_code == 303
    room.move(Move.GOTO, room.stored_agenda()[-1])
    wall = room.facilitator.get(f"/f/{room.code}/screen").location
    pages = [room.facilitator.get(path) for path in (f"/f/{room.code}", f"/f/{room.code}/setup", wall)]
    for page in [*pages, room.phone().get(f"/w/{room.code}")]:
        assert page.status_code == 200
        assert "<img" not in page.text
        assert "&lt;img src=x" in page.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": "x" * 121}, "That is 121 characters long; there is room for 120."),
        ({"museum": "x" * 500}, "That is 500 characters long; there is room for 120."),
        ({"wifi_name": "x" * 33}, "That is 33 characters long; there is room for 32."),
        ({"wifi_password": "x" * 64}, "That is 64 characters long; there is room for 63."),
        ({"title": ""}, "Enter a title."),
        ({"title": " \u200b\u202e "}, "Enter a title."),
        ({"museum": "\t"}, "Enter the name of the museum."),
        ({"held_on": "tomorrow"}, "Enter the date as year, month and day, for example 2026-11-21."),
        *(({"held_on": f"{year}-11-21"}, "Enter a date in a year from 2000 to 2100.") for year in ("0026", 1999, 2101)),
        ({"held_on": ""}, "Enter the date as year, month and day, for example 2026-11-21."),
        ({"k": "2"}, "The smallest group must be a number from 3 to 10."),
        ({"k": "11"}, "The smallest group must be a number from 3 to 10."),
        ({"k": "five"}, "The smallest group must be a number from 3 to 10."),
        ({"mode": "whenever"}, "Choose when the room sees the result"),
    ],
)
def test_a_detail_that_cannot_be_is_refused_in_words_and_nothing_is_changed(
    room: Room, change: dict[str, str], said: str
) -> None:
    before = vars(room.stored())
    form = {**DETAILS, "title": "Another title", "museum": "Another museum", **change}
    answer = room.facilitator.post(f"/f/{room.code}/setup", data=form)
    assert answer.status_code == 422
    assert said in answer.text
    after = vars(room.stored())
    assert (after["title"], after["museum"], after["k"]) == (before["title"], before["museum"], before["k"])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"text": "x" * 301}, "That is 301 characters long; there is room for 300."),
        ({"text": "Why", "short": "x" * 61}, "That is 61 characters long; there is room for 60."),
        ({"text": "Why", "prompt": "x" * 601}, "That is 601 characters long; there is room for 600."),
        ({"text": " "}, "Enter the question."),
        ({"text": "Why", "scale": "feeling"}, "Choose one of the scales for your question."),
    ],
)
def test_an_own_question_that_cannot_be_is_refused_in_words(room: Room, form: dict[str, str], said: str) -> None:
    scale = next(iter(house(room.app).framework.scales))
    answer = room.facilitator.post(f"/f/{room.code}/agenda", data={"own": "1", "scale": scale, **form})
    assert answer.status_code == 422
    assert said in answer.text


@pytest.mark.parametrize(
    ("want", "value"),
    [
        ("overlay", "moon"),
        ("theme", "pink"),
        ("zoom", "200"),
        ("prompt", "²"),
        ("prompt", "9" * 5000),
        ("prompt", "-1"),
        ("", ""),
    ],
)
def test_the_shared_screen_shows_only_what_it_knows(room: Room, want: str, value: str) -> None:
    answer = room.facilitator.post(f"/f/{room.code}/show", data={"want": want, "value": value})
    assert answer.status_code == 422
    assert "That is not something the shared screen can show." in answer.text


@pytest.mark.parametrize(
    "form", [{"want": "mode", "value": "whenever"}, {"want": "prompt", "value": "x" * 601}, {"want": "x"}]
)
def test_a_change_of_a_question_that_cannot_be_is_refused(room: Room, form: dict[str, str]) -> None:
    answer = room.facilitator.post(f"/f/{room.code}/agenda/{room.agenda[0]}", data=form)
    assert answer.status_code == 422


@pytest.mark.parametrize("agenda", ["0", str(2**31 - 1)])
def test_a_question_that_is_not_on_the_agenda_cannot_be_changed(room: Room, agenda: str) -> None:
    answer = room.facilitator.post(f"/f/{room.code}/agenda/{agenda}", data={"want": "drop"})
    assert answer.status_code == 422
    assert "That question is no longer on the agenda." in answer.text


@pytest.mark.parametrize("path", ["/join", "/sessions/load"])
def test_a_form_that_does_not_say_how_large_it_is_is_turned_away(app: Flask, path: str) -> None:
    headers = {"Origin": "http://localhost", "Transfer-Encoding": "chunked", "Cookie": "home=made-up"}
    answer = browser(app).post(path, input_stream=io.BytesIO(b"code=" + b"&" * 250_000), headers=headers)
    assert answer.status_code == 411
    assert "The length of what is sent must be named." in answer.text


def test_a_session_is_set_up_from_home_and_a_refused_form_keeps_what_was_typed(room: Room) -> None:
    home = browser(room.app, home=room.home)
    refused = home.post("/sessions", data={"title": "Spring day", "museum": "", "held_on": "2026-11-21"})
    assert refused.status_code == 422
    assert "Enter the name of the museum." in refused.text
    assert 'value="Spring day"' in refused.text
    answer = home.post("/sessions", data={"title": "Spring day", "museum": "The Mill", "held_on": "2026-11-21"})
    assert answer.status_code == 303
    assert home.get(answer.location).status_code == 200
    assert "Spring day" in home.get("/home").text


def test_a_form_too_large_to_be_meant_is_refused_in_words(room: Room) -> None:
    answer = room.facilitator.post(f"/f/{room.code}/setup", data={**DETAILS, "title": "x" * 300_000})
    assert answer.status_code == 413
    assert "That is too large." in answer.text


@pytest.mark.parametrize("path", ["actions/{}", "parked/{}", "notes/{}", "agreements/{}", "agenda/{}"])
@pytest.mark.parametrize("number", [2**31, 10**30])
def test_an_address_with_a_number_that_no_row_can_have_is_not_found(room: Room, path: str, number: int) -> None:
    answer = room.facilitator.post(f"/f/{room.code}/{path.format(number)}", data={"text": "We said.", "version": "0"})
    assert answer.status_code == 404


@pytest.mark.parametrize("number", [2**31, 10**10, 10**30])
def test_a_number_in_a_form_that_no_row_can_have_does_no_harm(voting: Room, number: int) -> None:
    form = {"move": "goto", "agenda": str(number), "version": str(number)}
    assert voting.facilitator.post(f"/f/{voting.code}/move", data=form).status_code in (303, 409, 422)
    action = {"action": "Open the archive.", "agenda": str(number), "version": "0"}
    assert voting.facilitator.post(f"/f/{voting.code}/actions", data=action).status_code in (303, 409, 422)


def test_whether_the_program_is_well_can_be_asked_by_anyone(app: Flask) -> None:
    answer = browser(app).get("/healthz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["database"] == "ok"


def test_figures_for_whoever_watches_are_given_on_this_computer_only_and_name_nobody(voting: Room, app: Flask) -> None:
    def counted() -> list[int]:
        lines = browser(app).get("/metrics").text.splitlines()
        names = "hallmarks_ballots_filed_total", "hallmarks_ballot_batches_total"
        return [int(line.split()[1]) for line in lines if line.startswith(names)]

    before = counted()
    form = {"round": voting.round_id, "choice": "3", "seq": 1, "direction": ""}
    assert voting.phone().post(f"/w/{voting.code}/ballot", data=form).status_code == 303
    assert counted() == [count + 1 for count in before]
    said = browser(app).get("/metrics").text
    assert voting.code not in said
    for elsewhere in (
        {"environ_base": {"REMOTE_ADDR": "192.0.2.9"}},
        {"headers": {"X-Forwarded-For": "192.0.2.9"}},
    ):
        assert browser(app).get("/metrics", **elsewhere).status_code == 404  # type: ignore[arg-type]
