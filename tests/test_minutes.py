"""Planned and actual minutes: said calmly, counted on a clock that nobody can turn, and standing still in a break."""

from __future__ import annotations

import pytest

from facilitation.minutes import Pace
from tests.cast import QUESTIONS, Facilitator, FakeClock, Venue, text_of

pytestmark = pytest.mark.quiet


@pytest.fixture
def freya(venue: Venue) -> Facilitator:
    """Has set up three questions of ten minutes each."""
    return Facilitator(venue).enters().creates(*QUESTIONS[:3])


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        (0, "On time"),
        (2, "On time"),
        (-2, "On time"),
        (3, "3 minutes behind plan"),
        (12, "12 minutes behind plan"),
        (-5, "5 minutes ahead of plan"),
    ],
)
def test_how_the_day_goes_is_said_in_words(behind: int, words: str) -> None:
    assert Pace(60, 20, behind).words == words


def test_the_run_sheet_shows_planned_and_actual_minutes(freya: Facilitator, clock: FakeClock) -> None:
    assert "30 minutes planned" in freya.sees()
    freya.does("open")
    clock.advance(240)
    assert "On time 4 minutes, 30 planned" in freya.sees()
    assert "Voting 4 min, 10 planned" in freya.sees()
    clock.advance(60 * 18)
    assert "12 minutes behind plan 22 minutes, 30 planned" in freya.sees()
    freya.does("next")
    assert "Skipped 22 min, 10 planned" in freya.sees()
    assert "12 minutes behind plan" in freya.sees()


def test_a_question_that_is_passed_over_saves_its_minutes(freya: Facilitator, clock: FakeClock) -> None:
    freya.does("open")
    clock.advance(600)
    freya.does("goto 3")
    assert "10 minutes ahead of plan" in freya.sees()
    freya.does("goto 2")
    assert "On time" in freya.sees()


def test_coming_back_to_a_question_goes_on_with_its_minutes(freya: Facilitator, clock: FakeClock) -> None:
    freya.does("open")
    clock.advance(300)
    freya.does("close", "discuss", "next")
    clock.advance(120)
    freya.does("goto 1")
    clock.advance(180)
    assert [item.spent for item in freya.now.agenda] == [300, 120, None]
    assert "Talk 8 min, 10 planned" in freya.sees()


def test_the_minutes_stand_still_in_a_break(freya: Facilitator, clock: FakeClock) -> None:
    freya.does("open")
    clock.advance(120)
    freya.shows("break", "15")
    clock.advance(900)
    freya.shows("break", "30")
    clock.advance(900)
    freya.shows("break")
    clock.advance(60)
    assert "Voting 3 min, 10 planned" in freya.sees()


def test_after_the_machine_was_restarted_the_minutes_go_on_and_never_backwards(
    freya: Facilitator, clock: FakeClock
) -> None:
    clock.advance(10_000)
    freya.does("open")
    clock.advance(-9_000)
    assert "Voting 0 min, 10 planned" in freya.sees()
    freya.does("close", "discuss")
    clock.advance(120)
    assert "Talk 2 min, 10 planned" in freya.sees()


@pytest.mark.parametrize(("typed", "kept"), [("25", 25), ("1", 1), ("240", 240)])
def test_the_plan_of_a_question_can_be_changed(freya: Facilitator, typed: str, kept: int) -> None:
    freya.changes(2, "minutes", typed)
    assert [item.minutes for item in freya.now.agenda] == [10, kept, 10]


@pytest.mark.parametrize("typed", ["", "0", "-3", "241", "99999", "ten", "2.5", "٣"])
def test_minutes_that_are_none_are_refused_in_words(freya: Facilitator, typed: str) -> None:
    refused = freya.changes(2, "minutes", typed)
    assert refused.status_code == 422
    assert "Give the minutes as a whole number from 1 to 240." in text_of(refused)
