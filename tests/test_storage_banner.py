"""While nothing can be saved the console says so, in words, and stops saying so once something can."""

from __future__ import annotations

from unittest import mock

import pytest
from sqlalchemy.orm import Session

from facilitation import store
from facilitation.errors import StorageTrouble
from facilitation.now import Audience
from tests.cast import Facilitator, Phone, Venue

pytestmark = pytest.mark.program

BANNER = "Answers cannot be saved just now"


def no_room(session: Session, *_: object) -> None:
    """A disk that is full."""
    raise StorageTrouble("The program could not save this just now. Nothing was lost: please try again.")


def test_the_console_says_that_answers_cannot_be_saved_until_they_can(
    venue: Venue, freya: Facilitator, ana: Phone
) -> None:
    freya.does("open")
    assert BANNER not in freya.sees()
    with mock.patch.object(store, "file_ballots", no_room), mock.patch.object(store, "raise_tick", no_room):
        assert ana.answers("4").status_code == 503
        assert BANNER in freya.sees()
        told = len(venue.told_to(Audience.FACILITATOR))
        venue.house.live.look_round()
        assert BANNER in freya.sees()
        assert BANNER in venue.told_to(Audience.FACILITATOR)[told].html
        told = len(venue.told_to(Audience.FACILITATOR))
        venue.house.live.look_round()
        assert len(venue.told_to(Audience.FACILITATOR)) == told, "once is enough"
    venue.house.live.look_round()
    assert BANNER not in freya.sees()
    assert BANNER not in venue.told_to(Audience.FACILITATOR)[told].html
    assert ana.answers("4").status_code == 200


def test_phones_and_the_screen_are_spared_it(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    venue.house.committer.failing = True
    assert BANNER not in ana.sees()
