"""After a crash: what was acknowledged is there, what was counted stays, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from facilitation.keys import KeyFile
from facilitation.store import Ballot
from facilitation.tally import Tally
from tests.cast import Facilitator, Phone, Venue, tally, vote
from tests.conftest import DATABASES, a_venue

pytestmark = pytest.mark.program


@pytest.fixture(scope="module", params=DATABASES)
def venue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """One program for all tests of this file, which start it again and again; each has a session of its own."""
    with a_venue(request, tmp_path_factory, quiet=True) as place:
        yield place


@pytest.fixture
def room(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Six phones: one more than k."""
    return venue.phones(6, freya.code)


def test_a_crash_between_the_commit_and_the_end_of_the_key_is_repaired_at_the_next_start(
    venue: Venue, freya: Facilitator, room: list[Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    freya.does("open")
    vote(room, *"123451")
    with monkeypatch.context() as crash:
        crash.setattr(KeyFile, "destroy", lambda _keys, _round_id: None)
        freya.does("close")
    assert freya.key() is not None
    venue.restarts()
    assert freya.key() is None
    assert tally(freya.rounds[0]) == Tally((2, 1, 1, 1, 1))
    assert freya.stage == "revealed"


def test_a_key_whose_round_was_never_committed_is_destroyed_at_the_next_start(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    venue.house.keys.make(7777)
    venue.restarts()
    assert venue.house.keys.read(7777) is None
    assert freya.key() is not None


def test_an_open_round_goes_on_after_a_restart_with_every_acknowledged_ballot(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    vote(room[:4], *"1234")
    venue.restarts()
    assert "Your answer is in: 1" in room[0].reloads()
    vote(room[4:], *"51")
    vote(room[:1], "2")
    freya.does("close")
    assert tally(freya.rounds[0]) == Tally((1, 2, 1, 1, 1))


def test_a_round_whose_key_is_missing_at_the_start_is_declared_void_in_words(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    vote(room, *"123451")
    venue.house.keys.destroy(freya.rounds[0].id)
    venue.restarts()
    (round_,) = freya.rounds
    assert (round_.state, round_.counts) == ("void", None)
    assert freya.ballots == 0
    for words in (freya.sees(), room[0].sees()):
        assert "could not be counted" in words
    assert room[0].answers("3", round_id=round_.id).status_code == 422
    freya.does("revote")
    vote(room, *"333333")
    freya.does("close")
    assert tally(freya.rounds[1]) == Tally((0, 0, 6, 0, 0))


@pytest.mark.parametrize("mode", ["live", "reveal"])
def test_a_round_whose_key_is_lost_while_it_is_open_is_closed_as_void_and_never_guessed(
    venue: Venue, freya: Facilitator, room: list[Phone], mode: str
) -> None:
    freya.sets(mode=mode)
    freya.does("open")
    vote(room, *"123451")
    venue.house.keys.destroy(freya.rounds[0].id)
    assert room[0].answers("3").status_code == 422
    freya.does("close")
    (round_,) = freya.rounds
    assert (round_.state, round_.counts, round_.ballots_cast) == ("void", None, None)
    assert freya.ballots == 0
    assert "could not be counted" in freya.sees()


def test_a_row_that_does_not_open_makes_the_round_void_instead_of_short(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    vote(room, *"123451")

    def damage(session: Session) -> None:
        session.query(Ballot).filter_by(round_id=freya.rounds[0].id).limit(1).one().sealed = bytes(44)

    venue.performs(damage)
    freya.does("close")
    assert freya.rounds[0].state == "void"
