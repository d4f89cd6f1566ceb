"""What the console says: numbers that stay true, and words that mean the same as what the page calls them."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from facilitation.store import Round
from tests.cast import QUESTIONS, Facilitator, Phone, Screen, Venue, vote


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The same on both databases."""
    return sqlite_url


@pytest.fixture
def pushes() -> bool:
    """Nobody listens here."""
    return False


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
