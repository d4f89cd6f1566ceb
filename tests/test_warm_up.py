"""The warm-up: a harmless question that proves everybody is in, and is in no result, document or comparison.

And the plates of questions that have no printed number.
"""

from __future__ import annotations

import json

import pytest

from facilitation import loading
from facilitation.exports import session_json
from tests.cast import QUESTIONS, Facilitator, Phone, Screen, Venue, text_of, vote

pytestmark = [pytest.mark.program, pytest.mark.quiet]


QUESTION = "How much do you like the smell of old books?"


@pytest.fixture
def freya(venue: Venue) -> Facilitator:
    """Has set up two questions and one of the group's own, with a warm-up, k = 3."""
    made = Facilitator(venue).enters().creates(*QUESTIONS[:2], k=3)
    made.adds_own("How well do we use the yard?", "quality", short="Yard")
    assert made.posts(f"/f/{made.code}/agenda", {"warm-up": "1", "from": "console"}).status_code == 303
    return made


@pytest.fixture
def phones(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Four people."""
    return venue.phones(4, freya.code)


def test_it_stands_before_the_first_question_and_does_not_count(freya: Facilitator) -> None:
    agenda = freya.now.agenda
    assert [(item.plate, item.position, item.warm_up) for item in agenda] == [
        ("Q0", 0, True),
        (agenda[1].number, 1, False),
        (agenda[2].number, 2, False),
        ("Q3", 3, False),
    ]
    assert "3 questions on the agenda, about 32 minutes." in freya.sees()
    freya.posts(f"/f/{freya.code}/agenda", {"warm-up": "1"})
    assert len(freya.now.agenda) == 4, "there is one, however often it is asked for"


def test_it_stays_first_when_questions_change_places(freya: Facilitator) -> None:
    for place, want in ((2, "up"), (1, "down"), (1, "up")):
        freya.changes(place, want)
        assert freya.now.agenda[0].plate == "Q0"
    freya.adds_own("How well do we use the shed?", "quality", short="Shed")
    assert [item.position for item in freya.now.agenda] == [0, 1, 2, 3, 4]


def test_it_is_voted_on_like_any_question_and_says_what_it_is(
    freya: Facilitator, phones: list[Phone], wall: Screen
) -> None:
    freya.does("open")
    assert QUESTION in phones[0].sees()
    assert "Warm-up, only to try it out: it is in no result" in phones[0].sees()
    assert "Only to try it out" in wall.sees()
    assert "This one is only to try it out. It is in no result." in freya.sees()
    assert "What the room said" not in freya.sees()
    vote(phones, "5", "4", "4", "2")
    freya.does("close")
    assert "Middle answer: A lot" in text_of(phones[0].gets(f"/w/{freya.code}/now"))
    freya.does("discuss", "next")
    assert "Question 1 of 3" in phones[0].sees()


def test_it_is_in_no_document_profile_or_list_of_what_to_discuss(
    freya: Facilitator, phones: list[Phone], wall: Screen
) -> None:
    freya.does("open")
    vote(phones, "1", "5", "1", "5")
    freya.does("close", "discuss", "next")
    vote(phones, "4", "4", "4", "4")
    freya.does("close", "discuss")
    for overlay in ("profile", "three"):
        freya.shows("overlay", overlay)
        assert "old books" not in wall.sees()
        assert "Warm-up" not in wall.sees()
    assert "What to discuss first" not in freya.sees()
    for document in ("results.csv", "session.json", "actions.csv"):
        assert "warm-up" not in freya.reads(document).text.lower()
    assert "old books" not in text_of(freya.gets(f"/f/{freya.code}/report"))
    assert "old books" not in text_of(freya.gets(f"/f/{freya.code}/priorities"))
    assert "4 answers counted" in text_of(freya.gets("/home"))


def test_its_session_file_is_read_and_written_the_same_and_own_questions_keep_their_plates(
    venue: Venue, freya: Facilitator, phones: list[Phone]
) -> None:
    freya.does("open")
    vote(phones, "1", "5", "1", "5")
    freya.does("close", "next", "finish")
    written = freya.reads("session.json").data
    file = written.decode()
    assert session_json.dump(session_json.parse(file)) == written
    assert [asked["number"] for asked in json.loads(file)["questions"]][-1] == ""
    before = text_of(freya.gets(f"/f/{freya.code}/report"))
    assert "Q3" in before
    freya.deletes()
    venue.performs(lambda session: loading.load(session, session_json.parse(file)).code)
    again = Facilitator(venue).takes_cookies_of(freya)
    again.code = freya.code
    again.posts(f"/sessions/{freya.code}/open")
    assert "Q3" in text_of(again.gets(f"/f/{freya.code}/report"))


def test_it_is_not_carried_into_the_next_session(freya: Facilitator) -> None:
    freya.does("open", "next", "finish")
    answer = freya.posts(f"/sessions/{freya.code}/next", {"title": "Again", "held_on": "2027-11-21"})
    following = answer.headers["Location"].rsplit("/", 1)[1]
    assert [item.position for item in freya.venue.workshop(following).agenda] == [1, 2, 3]


def test_nothing_is_written_down_for_it(freya: Facilitator) -> None:
    freya.does("open")
    for path, form in (
        (f"notes/{freya.agenda(1)}", {"text": "Nice", "version": "0"}),
        (f"agreements/{freya.agenda(1)}", {"rating": "4", "version": "0"}),
    ):
        refused = freya.posts(f"/f/{freya.code}/{path}", form)
        assert refused.status_code == 422
        assert "only to try things out" in text_of(refused)
    freya.posts(f"/f/{freya.code}/actions", {"action": "Air the store", "agenda": ""})
    assert "Air the store" in freya.sees()


def test_it_is_never_told_by_role(venue: Venue, freya: Facilitator) -> None:
    freya.sets(roles="on")
    people = venue.phones(4, freya.code)
    for phone in people:
        phone.posts(f"/w/{freya.code}/role", {"role": "trustee"})
    freya.does("open")
    vote(people, "1", "2", "3", "4")
    freya.does("close")
    assert freya.rounds[-1].groups is None


def test_it_comes_before_the_first_question_or_not_at_all(venue: Venue) -> None:
    late = Facilitator(venue).enters().creates(*QUESTIONS[:2]).does("open")
    refused = late.posts(f"/f/{late.code}/agenda", {"warm-up": "1"})
    assert refused.status_code == 422
    assert "the session has begun" in text_of(refused)
