"""A break: chosen in minutes, said as a time of day, told to every phone, and no answer is lost to it."""

from __future__ import annotations

import re

import pytest

from facilitation.now import Audience
from facilitation.store import Workshop
from tests.cast import Facilitator, Phone, Screen, text_of

pytestmark = pytest.mark.program


@pytest.fixture
def voting(freya: Facilitator, ana: Phone) -> Facilitator:
    """Votes on the first question, with Ana's answer in."""
    freya.does("open")
    assert ana.answers("4").status_code == 200
    return freya


def test_screen_phones_and_console_say_when_the_room_is_back(voting: Facilitator, ana: Phone, wall: Screen) -> None:
    told = len(voting.venue.told_to(Audience.PHONE))
    voting.shows("break", "15")
    back = re.search(r"Back at (\d\d:\d\d)", wall.sees())
    assert back
    assert f"Break We go on at {back[1]} . Voting stays open: answer now or after the break." in ana.sees()
    assert f"Break: back at {back[1]}" in voting.sees()
    pushed = voting.venue.told_to(Audience.PHONE)[told:]
    assert len(pushed) == 1, "phones hear of it once"
    assert f'data-back="Break: back at {back[1]}"' in pushed[0].html


def test_a_phone_that_has_nothing_to_answer_is_told_to_wait(voting: Facilitator, ana: Phone) -> None:
    voting.does("close")
    voting.shows("break", "15")
    assert "There is nothing to do until then. Keep this page open: it goes on by itself." in ana.sees()
    assert "Voting stays open" not in ana.sees()
    voting.shows("break")
    assert "There is nothing to do" not in ana.sees()


def test_an_open_vote_stays_open_in_a_break(voting: Facilitator, ana: Phone, ben: Phone) -> None:
    voting.shows("break", "5")
    assert ben.answers("2").status_code == 200
    assert ana.answers("5").status_code == 200
    assert voting.ballots == 2
    voting.shows("break")
    assert voting.stage == "voting"
    assert voting.ballots == 2


def test_the_big_button_ends_the_break_before_it_does_anything_else(voting: Facilitator, wall: Screen) -> None:
    voting.shows("break", "5")
    page = voting.gets(f"/f/{voting.code}/now").text
    assert "End the break" in text_of(page)
    assert "Close voting" not in text_of(page)
    voting.shows("break")
    assert "Close voting" in voting.sees()
    assert "Back at" not in wall.sees()


def test_two_people_who_end_it_at_once_end_it_once(voting: Facilitator, ana: Phone) -> None:
    voting.shows("break", "5")
    voting.shows("break")
    version = voting.now.version
    voting.shows("break")
    assert voting.now.version == version
    assert "Break" not in ana.sees()


def test_a_move_from_another_console_ends_it_too(voting: Facilitator, ana: Phone) -> None:
    voting.shows("break", "5")
    voting.does("close")
    assert "Break" not in ana.sees()
    assert voting.venue.glance(voting.code, Workshop.back_at) is None


def test_the_timer_stops_for_a_break_and_nothing_else_is_shown_in_it(voting: Facilitator) -> None:
    voting.shows("timer")
    voting.shows("break", "10")
    assert voting.now.timer_started is None
    for want, value in (("timer", ""), ("overlay", "code")):
        refused = voting.shows(want, value)
        assert refused.status_code == 422
        assert "There is a break. End it first" in text_of(refused)
    assert voting.shows("theme", "dark").status_code == 200


@pytest.mark.parametrize("length", ["1", "7", "-5", "x", "1e1", "61"])
def test_a_break_of_another_length_is_refused(voting: Facilitator, length: str) -> None:
    refused = voting.shows("break", length)
    assert refused.status_code == 422
    assert "Choose how long the break is." in text_of(refused)


def test_an_ended_session_has_no_break(voting: Facilitator) -> None:
    voting.does("finish")
    assert voting.shows("break", "5").status_code == 422
