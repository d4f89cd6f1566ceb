"""What the console says: numbers that stay true, and words that mean the same as what the page calls them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from facilitation.store import Round
from tests.cast import QUESTIONS, Facilitator, Phone, Screen, Venue, text_of, vote

pytestmark = pytest.mark.quiet


@pytest.fixture
def freya(venue: Venue) -> Facilitator:
    """Has set up two questions, on reveal, k = 3."""
    return Facilitator(venue).enters().creates(*QUESTIONS[:2], k=3, mode="reveal")


@pytest.fixture
def phones(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Six people."""
    return venue.phones(6, freya.code)


def test_a_result_says_how_many_were_in_the_room_when_its_vote_closed_whoever_comes_later(
    venue: Venue, freya: Facilitator, phones: list[Phone], wall: Screen
) -> None:
    freya.does("open")
    vote(phones[:5], "3", "3", "4", "4", "4")
    freya.does("close")
    venue.phones(3, freya.code)
    assert "5 of 6 answered" in freya.sees()
    assert "5 of 6 have answered" in wall.sees()
    freya.does("reveal", "discuss", "next", "goto 1")
    assert "5 of 6 answered" in freya.sees()
    freya.does("revote")
    assert "0 of 9 have answered" in freya.sees()
    vote(phones[:5], "4", "4", "4", "4", "4")
    freya.does("close", "reveal")
    assert "5 of 9 answered. The number after “was” is the first vote." in freya.sees()


def test_a_vote_of_which_nobody_noted_how_many_were_in_the_room_says_how_many_answered(
    venue: Venue, freya: Facilitator, phones: list[Phone], wall: Screen
) -> None:
    freya.does("open")
    vote(phones[:5], "3", "3", "4", "4", "4")
    freya.does("close")

    def as_of_an_earlier_release(session: Session) -> None:
        session.execute(update(Round).values(people=None))

    venue.performs(as_of_an_earlier_release)
    assert "Only you see this 5 answered" in freya.sees()
    assert "5 have answered" in wall.sees()


def test_after_the_warm_up_the_sentence_and_the_button_lead_to_the_first_question(freya: Facilitator) -> None:
    freya.posts(f"/f/{freya.code}/agenda", {"warm-up": "1"})
    people = freya.venue.phones(4, freya.code)
    freya.does("open")
    vote(people, "3", "3", "3", "3")
    freya.does("close")
    assert "Now the first real question." in freya.sees()
    assert big_button(freya) == "Next question"


def test_what_is_unsettled_is_called_by_the_number_that_the_action_bears(freya: Facilitator) -> None:
    freya.does("open", "close", "reveal", "discuss")
    freya.posts(f"/f/{freya.code}/actions", {"action": "Ask the school", "agenda": freya.agenda(1)})
    seen = freya.sees()
    assert "A1 has no owner and no due date." in seen
    assert f"Action A1 Ask the school For {freya.now.agenda[0].plate} Owner: not set" in seen


def test_that_people_are_far_apart_is_said_once_beside_their_result(freya: Facilitator, phones: list[Phone]) -> None:
    freya.does("open")
    vote(phones, "1", "1", "1", "5", "5", "5")
    freya.does("close", "reveal", "discuss")
    result = freya.gets(f"/f/{freya.code}/now").text.partition('<div class="result">')[2].partition("</main>")[0]
    assert text_of(result).lower().count("far apart") == 2, "for the ear, and among the three words for the eye"
    assert "Talk, then vote again if it helps." in text_of(result)
    assert "3 of 6 low" in text_of(result)


def test_one_estimate_says_how_long_questions_and_meeting_take(freya: Facilitator) -> None:
    assert "about 20 minutes. With the welcome and the plan the meeting takes about 50 minutes." in setup(freya)
    assert "2 questions on the agenda, about 20 minutes." in freya.sees()
    empty = Facilitator(freya.venue).enters().creates()
    assert "take about 60 minutes; with the welcome and the plan the meeting takes about 90." in setup(empty)
    empty.adds(*(f"purpose-0{number}" for number in range(1, 7)))
    assert "about 60 minutes. With the welcome and the plan the meeting takes about 90 minutes" in setup(empty)


def big_button(facilitator: Facilitator) -> str:
    """What the big button says."""
    (words,) = re.findall(r'id="main-move".*?<span>(.*?)</span>', facilitator.gets(f"/f/{facilitator.code}/now").text)
    return words


def setup(facilitator: Facilitator) -> str:
    """The words of the set-up page."""
    return text_of(facilitator.gets(f"/f/{facilitator.code}/setup"))
