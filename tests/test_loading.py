"""A session leaves as a file and comes back from it: nothing is lost, nothing is added, and never a part of it."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from facilitation import deciding
from facilitation.exports import FORMATS, session_json
from facilitation.store import Base, Round
from tests.cast import QUESTIONS, Facilitator, Venue, text_of, vote
from tests.sample_report import a_full_report, a_report

pytestmark = [pytest.mark.program, pytest.mark.quiet]


@pytest.fixture
def held(venue: Venue, freya: Facilitator) -> Facilitator:
    """A session that was held: two votes on one question, one not shown, one below k, and a plan."""
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones, "1", "2", "2", "4", "DK", "NR")
    freya.does("close", "revote")
    vote(phones, "3", "3", "4", "4", "4", "5")
    freya.does("close", "next")
    vote(phones[:3], "1", "2", "2")
    freya.does("close", "finish")
    here = freya.agenda(1)

    def decide(session: Any) -> None:
        mine = freya.workshop_id
        deciding.write_note(session, mine, here, "People know it by heart.\nHalf of them.", 0)
        deciding.agree(session, mine, here, "0", "We mean different things", 0)
        for text in ("Invite the school", "Write it down", "=SUM(A1)"):
            deciding.add_action(session, mine, text, here)
        deciding.remove_action(session, mine, 2)
        typed = {
            "owner": "Siân",
            "due": "2027-01-31",
            "status": "dropped",
            "status_reason": "No money",
            "priority": "2",
        }
        deciding.change_action(session, mine, 1, typed, 1)
        deciding.add_action(session, mine, "Look at the roof", None)
        deciding.park(session, mine, "The café", here)
        deciding.park(session, mine, "Mondays", None)

    venue.performs(decide)
    return freya


def loads(who: Facilitator, content: bytes, name: str = "session.json") -> TestResponse:
    return who.posts("/sessions/load", {"file": (io.BytesIO(content), name)})


def rows(venue: Venue) -> dict[str, int]:
    with venue.reading() as session:
        return {table.name: len(session.execute(table.select()).all()) for table in Base.metadata.sorted_tables}


def test_a_session_that_is_loaded_again_gives_the_same_file(held: Facilitator) -> None:
    before = held.reads("session.json").data
    held.deletes()
    assert loads(held, before).status_code == 303
    assert held.reads("session.json").data == before


def test_every_other_document_is_the_same_too(held: Facilitator) -> None:
    names = [name for name in FORMATS if name not in ("dates.ics", "everything.zip")]
    before = {name: held.reads(name).data for name in names}
    held.deletes()
    loads(held, before["session.json"])
    assert [name for name in names if held.reads(name).data != before[name]] == []


@pytest.mark.parametrize("sample", [a_report, a_full_report])
def test_a_file_from_elsewhere_comes_back_as_it_was(freya: Facilitator, sample: Any) -> None:
    content = session_json.write(sample())
    loaded = loads(freya, content)
    assert loaded.headers["Location"] == "/f/482739"
    assert freya.gets("/f/482739/files/session.json").data == content


@pytest.mark.postgres
def test_a_session_comes_back_on_postgresql(postgres_venue: Venue) -> None:
    freya = Facilitator(postgres_venue).enters()
    content = session_json.write(a_report())
    loads(freya, content)
    assert freya.gets("/f/482739/files/session.json").data == content


def test_a_vote_that_was_left_unseen_stays_so(venue: Venue, freya: Facilitator) -> None:
    phones = venue.phones(5, freya.code)
    freya.sets(mode="reveal")
    freya.does("open")
    vote(phones, *"11111")
    freya.does("close", "next", "finish")
    assert freya.rounds[0].state == "unseen"
    before = freya.reads("session.json").data
    freya.deletes()
    loads(freya, before)
    with venue.reading() as session:
        assert session.scalars(select(Round.state).order_by(Round.ordinal)).first() == "unseen"
    assert freya.reads("session.json").data == before


def test_a_session_that_is_here_already_is_not_loaded_twice(venue: Venue, held: Facilitator) -> None:
    before, file = rows(venue), held.reads("session.json").data
    refused = loads(held, file)
    assert refused.status_code == 422
    assert "This session is here already." in text_of(refused)
    assert "Download the file again" not in text_of(refused)
    assert rows(venue) == before


def test_a_session_that_had_not_ended_is_loaded_as_one_that_has(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    vote(venue.phones(6, freya.code), *"123455")
    freya.does("close")
    file = json.loads(freya.reads("session.json").data)
    code = freya.code
    freya.deletes()
    loads(freya, json.dumps(file).encode())
    assert venue.workshop(code).stage == "finished"
    assert venue.workshop(code).key is None
    file["workshop"]["stage"] = "finished"
    assert json.loads(freya.reads("session.json").data) == file


def test_an_agenda_that_was_never_opened_can_be_run_where_it_is_loaded(venue: Venue, freya: Facilitator) -> None:
    file = freya.reads("session.json").data
    freya.deletes()
    loads(freya, file)
    assert freya.reads("session.json").data == file
    freya.does("open")
    assert len(venue.workshop(freya.code).agenda) == len(QUESTIONS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Choose the file first."),
        (b"\xff\xfe\x00", "it is no text"),
        (b"PK\x03\x04\x14", "session.json: this is not a session file, or it was cut short"),
        (b"{}", "this is not a session file of version"),
        (b"[" * 30_000, "nested too deeply"),
        (b'{"schema_version": ' + b"9" * 6000 + b"}", "a number in it has too many digits"),
    ],
)
def test_what_is_no_session_is_refused_in_words(venue: Venue, freya: Facilitator, content: bytes, said: str) -> None:
    before = rows(venue)
    refused = loads(freya, content)
    assert refused.status_code == 422
    assert said in text_of(refused)
    assert rows(venue) == before


def test_a_fault_in_the_last_line_leaves_nothing_of_the_file_behind(venue: Venue, freya: Facilitator) -> None:
    file = session_json.as_data(a_report())
    file["parked"][-1]["question"] = "nowhere"
    before = rows(venue)
    refused = loads(freya, json.dumps(file).encode(), "mine.json")
    assert "mine.json, parked 2, question: “nowhere” is not among the questions of this file." in text_of(refused)
    assert rows(venue) == before


def test_more_than_a_session_holds_is_refused_as_a_whole(venue: Venue, freya: Facilitator) -> None:
    file = session_json.as_data(a_report())
    file["parked"] = [file["parked"][0]] * 101
    before = rows(venue)
    assert "The file holds 101 parked items; a session holds at most 100." in text_of(
        loads(freya, json.dumps(file).encode())
    )
    assert rows(venue) == before


def test_a_file_that_is_too_large_is_refused_before_it_is_read(freya: Facilitator) -> None:
    assert loads(freya, b" " * (session_json.LARGEST_FILE + 70_000)).status_code == 413
    refused = loads(freya, b" " * (session_json.LARGEST_FILE + 1))
    assert (refused.status_code, "the file is too big" in text_of(refused)) == (422, True)


def test_a_file_is_read_beside_the_loop_that_serves_everybody(
    venue: Venue, freya: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere: list[bool] = []
    read = session_json.parse

    def aside(job: Callable[[], Any]) -> Any:
        elsewhere.append(True)
        try:
            return job()
        finally:
            elsewhere.pop()

    def parse(text: str, name: str) -> session_json.SessionData:
        assert elsewhere
        return read(text, name)

    monkeypatch.setitem(venue.app.extensions, "house", dataclasses.replace(venue.app.extensions["house"], aside=aside))
    monkeypatch.setattr(session_json, "parse", parse)
    assert loads(freya, session_json.write(a_report())).status_code == 303


def test_a_document_of_a_session_that_is_still_open_says_so(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    vote(venue.phones(6, freya.code), *"123455")
    freya.does("close")
    response = freya.reads("report.pdf")
    assert "-unfinished-report.pdf" in response.headers["Content-Disposition"]
    assert "Unfinished: the session was still going on" in text_of(freya.gets(f"/f/{freya.code}/report"))
    freya.does("finish")
    assert "unfinished" not in freya.reads("report.pdf").headers["Content-Disposition"]
    assert "Unfinished" not in text_of(freya.gets(f"/f/{freya.code}/report"))


def test_there_is_no_document_of_another_name(freya: Facilitator) -> None:
    assert freya.reads("report.exe").status_code == 404
