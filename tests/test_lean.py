"""What a ballot, and a phone that comes back, may cost: counted in statements, which do not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Engine, event

from facilitation import ballots, live, workshop
from facilitation.now import Audience
from facilitation.web import casting
from tests.cast import Facilitator, Person, Phone, Screen, Venue, text_of

pytestmark = [pytest.mark.program, pytest.mark.both_databases]


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is asked of the database through this engine meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def quiet(venue: Venue) -> Venue:
    """Nothing is drawn for the screen, which costs something four times a second and not for each ballot."""
    venue.falls_silent()
    return venue


def test_a_ballot_reads_nothing_before_it_is_filed(quiet: Venue, freya: Facilitator, ana: Phone, ben: Phone) -> None:
    freya.does("open")
    ana.answers("4")
    round_id = quiet.workshop(freya.code).round_id
    with statements(quiet.engine) as asked:
        for phone, choice in ((ben, "5"), (ana, "2")):
            form = {"round": round_id, "choice": choice, "seq": 9, "direction": ""}
            assert "Your answer is in" in phone.posts(f"/w/{freya.code}/ballot", form, htmx=True).text
    assert asked == []


FORMS: list[tuple[str, dict[str, str]]] = [
    ("usual", {}),
    ("changed", {"choice": "DK", "seq": "2"}),
    ("late retry", {"choice": "5", "seq": "1"}),
    ("no choice", {"choice": ""}),
    ("no such choice", {"choice": "6"}),
    ("no number", {"seq": "many"}),
    ("another round", {"round": "999"}),
    ("no round", {"round": ""}),
    ("another direction", {"direction": "sideways"}),
    ("more fields", {"more": "x" * 100}),
    ("far too long", {"more": "x" * 3000}),
]


@pytest.mark.parametrize(("name", "change"), FORMS, ids=[name for name, _ in FORMS])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed by another worker"])
def test_both_doors_answer_a_ballot_alike(
    quiet: Venue, freya: Facilitator, ana: Phone, name: str, change: dict[str, str], closed: bool
) -> None:
    """The short one for the usual case, and Flask's route."""
    freya.does("open")
    form = {"round": str(quiet.workshop(freya.code).round_id), "choice": "3", "seq": "1", "direction": ""} | change
    door, gate = quiet.app.wsgi_app._app, quiet.app.wsgi_app  # type: ignore[attr-defined]
    ana.answers("4", seq=1)
    if closed:
        with mock.patch.object(quiet.house.live, "forget"):
            freya.does("close")
    answers = []
    for way in (door, door._inner):
        gate._app = way
        answer = ana.posts(f"/w/{freya.code}/ballot", dict(form), htmx=True)
        answers.append((answer.status, sorted(answer.headers), answer.get_data()))
    gate._app = door
    assert answers[0] == answers[1]
    assert answers[0][0].startswith("422" if closed else ("200", "422"))


def test_the_short_door_leaves_everything_else_to_flask(
    quiet: Venue, freya: Facilitator, ana: Phone, mallory: Person
) -> None:
    freya.does("open")
    ana.answers("4")
    path = f"/w/{freya.code}/ballot"
    form = {"round": quiet.workshop(freya.code).round_id, "choice": "3", "seq": 2, "direction": ""}
    assert ana.posts(path, dict(form)).status_code == 303, "a plain form"
    assert ana.gets(path).status_code == 405
    assert mallory.posts(path, dict(form), htmx=True).status_code == 404
    mallory.client.set_cookie(f"p_{freya.workshop_id}", "x" * 66)
    assert mallory.posts(path, dict(form), htmx=True).status_code == 404
    assert (
        ana.client.post(path, json=form, headers={"HX-Request": "true", "Origin": "http://localhost"}).status_code
        == 422
    )


@pytest.mark.parametrize("again", [False, True], ids=["new", "changed"])
def test_a_batch_takes_as_many_statements_for_many_ballots_as_for_few(
    quiet: Venue, freya: Facilitator, again: bool
) -> None:
    freya.does("open")
    room = workshop.OpenRound.of(quiet.workshop(freya.code))
    first = workshop.seal_ballot(quiet.house.keys, room, ballots.new_device_secret(), workshop.Posted("3", 1))
    quiet.performs(lambda session: quiet.house.box.file(session, [first]))  # which also asks whether it is the first
    counts = []
    for size in (2, 60):
        devices = [ballots.new_device_secret() for _ in range(size)]
        for seq in (1, 2) if again else (1,):
            posted = workshop.Posted("3", seq)
            filings = [workshop.seal_ballot(quiet.house.keys, room, device, posted) for device in devices]
            with statements(quiet.house.committer._engine) as asked:  # type: ignore[attr-defined]
                quiet.performs(lambda session, filings=filings: quiet.house.box.file(session, filings))  # type: ignore[misc]
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 6


def test_phones_that_come_back_together_are_read_for_once(quiet: Venue, freya: Facilitator) -> None:
    phones = quiet.phones(12, freya.code)
    freya.does("open")
    quiet.house.live.forget(freya.workshop_id)
    with statements(quiet.engine) as first:
        phones[0].gets(f"/w/{freya.code}/now")
    with statements(quiet.engine) as others:
        for phone in phones[1:]:
            phone.gets(f"/w/{freya.code}/now")
    assert first and others == []


def test_what_another_worker_changed_is_seen_after_a_second_and_by_a_ballot_at_once(
    venue: Venue, freya: Facilitator, ana: Phone
) -> None:
    freya.does("open")
    other = Venue(venue.url, venue.folder, quiet=True)

    def present() -> live.Present:
        with other.app.test_request_context():
            found = other.house.live.present(freya.code)
        assert found is not None
        return found

    try:
        first = present()
        freya.does("close", "next")
        assert present() is first
        other.clock.advance(live.PRESENT_FOR)
        second = present()
        assert first.open and second.open and first.open != second.open
        freya.does("close", "next")
        ana.client.application = other.app
        assert "Your answer is in" in ana.answers("4").text
    finally:
        other.closes()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_phone_that_begins_to_listen_costs_a_question_only_where_there_are_other_workers(
    venue: Venue, freya: Facilitator, ana: Phone, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """What another worker told its room before that does not come again, so it must be in what this one says."""
    other = Venue(venue.url, venue.folder, quiet=True)
    monkeypatch.setattr(other.house.live, "_alone", workers == 1)
    try:
        phone = Phone(other).takes_cookies_of(ana)
        phone.code = freya.code
        phone.sees()
        freya.does("open")
        with statements(other.engine) as asked:
            line = phone.listens("p", freya.code)
        (told,) = line.get_received()
        (message,) = told["args"]
        assert ("Question 1 of 3" in text_of(message["html"])) == (workers == 2)
        assert bool(asked) == (workers == 2)
        line.disconnect()
    finally:
        other.closes()


def test_what_is_said_about_answers_is_forgotten_with_the_session(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    with venue.app.test_request_context():
        here = venue.house.live.present(freya.code)
    assert here is not None
    assert "Your answer is in" in ana.answers("4").text
    assert any("Your answer is in" in words for words in here.replies.values())
    freya.does("finish")
    venue.house.live.look_round()
    assert not any(kept is here for kept in venue.house.live._present.values())
    assert [name for name, found in vars(casting).items() if hasattr(found, "cache_info")] == ["headers_for"]


def test_a_state_read_while_it_changed_is_not_kept(
    venue: Venue, freya: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under PostgreSQL other requests go on while one waits for the database."""
    house, look = venue.house, live.reader.look

    def interrupted(*given: Any) -> Any:
        found = look(*given)
        house.live.forget(freya.workshop_id)
        return found

    house.live.forget(freya.workshop_id)
    with monkeypatch.context() as patched:
        patched.setattr(live.reader, "look", interrupted)
        with venue.app.test_request_context():
            old = house.live.present(freya.code)
    with venue.app.test_request_context():
        assert house.live.present(freya.code) is not old


def test_one_push_reads_once_for_all_three_audiences(venue: Venue, freya: Facilitator, wall: Screen) -> None:
    freya.does("open")
    with statements(venue.engine) as asked:
        venue.house.live.moved(freya.workshop_id)
    assert len([statement for statement in asked if "FROM rounds" in statement]) == 1
    assert {push.audience for push in venue.told[-3:]} == {audience.value for audience in Audience}
