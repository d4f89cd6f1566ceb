"""What to say next: a sentence for every phase, anonymity before the first vote, and never a word about one answer."""

from __future__ import annotations

import pytest

from tests.cast import QUESTIONS, Facilitator, Phone, Venue, vote

pytestmark = [pytest.mark.program, pytest.mark.quiet]


@pytest.fixture
def freya(venue: Venue) -> Facilitator:
    """Has set up two questions, on reveal, k = 3."""
    return Facilitator(venue).enters().creates(*QUESTIONS[:2], k=3, mode="reveal")


@pytest.fixture
def phones(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Six people."""
    return venue.phones(6, freya.code)


def says(facilitator: Facilitator) -> str:
    """What the console suggests to say, its first sentence first."""
    return facilitator.sees().partition("What to say next ")[2]


def test_before_the_first_vote_it_says_what_anonymity_covers_and_what_it_does_not(
    freya: Facilitator, phones: list[Phone]
) -> None:
    said = says(freya)
    assert said.startswith("“There are no right or wrong answers. Nobody, me included, can see later who chose what.”")
    assert "Results show from 3 answers up." in said
    assert "Not covered: a result where everybody agrees" in said


@pytest.mark.parametrize(("people", "few"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_small_group_is_told_that_it_is_small(venue: Venue, freya: Facilitator, people: int, few: bool) -> None:
    venue.phones(people, freya.code)
    assert ("We are few, so it is easier to guess." in says(freya)) == few


def test_every_phase_has_its_next_sentence(freya: Facilitator, phones: list[Phone]) -> None:
    freya.does("open")
    assert says(freya).startswith("“I read the question aloud. Then answer on your own, please.")
    vote(phones[:5], "3", "3", "3", "3", "4")
    assert says(freya).startswith("“Is anybody still choosing? There is no hurry.”")
    freya.does("close")
    assert says(freya).startswith("“Voting has closed. Turn to your neighbour")
    freya.does("reveal")
    assert says(freya).startswith("“Take a moment to look. What do you see? Not why, just what.”")
    freya.does("discuss")
    assert says(freya).startswith("“Two minutes in pairs, then together. The chair speaks last.”")
    assert "who does what by when" not in says(freya)
    freya.does("next")
    vote(phones[:5], "3", "3", "3", "3", "4")
    freya.does("close", "reveal", "discuss")
    assert "“Before we leave: who does what by when, and when do we look at it again?”" in says(freya)
    freya.shows("break", "15")
    assert says(freya).startswith("“We are back at ")
    freya.does("finish")
    assert says(freya).startswith("“Thank you. The counts are kept, and nobody’s answer is.")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("115155", "We see this very differently, and that is useful."),
        ("33DDD3", "Many of us do not know."),
        ("333344", "What can we agree on"),
    ],
)
def test_a_second_vote_is_offered_where_it_may_help(
    freya: Facilitator, phones: list[Phone], answers: str, said: str
) -> None:
    freya.does("open")
    vote(phones, *("DK" if answer == "D" else answer for answer in answers))
    freya.does("close", "reveal", "discuss")
    assert said in says(freya)
    assert ("If it helps, we vote once more." in says(freya)) == (said != "What can we agree on")
    freya.does("revote")
    assert says(freya).startswith("“We vote once more. Change your answer or keep it")
    assert "whether you moved up, down or stayed" in says(freya)


def test_too_few_answers_are_talked_through(freya: Facilitator, phones: list[Phone]) -> None:
    freya.does("open")
    vote(phones[:2], "1", "5")
    freya.does("close", "reveal")
    assert says(freya).startswith("“Too few of us answered to show a result. Let us talk this one through.”")
