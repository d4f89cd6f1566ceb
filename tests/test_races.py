"""An acknowledged ballot is counted exactly once, whoever closes meanwhile: two workers, one database, one key file."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from facilitation import ballots, store, workshop
from facilitation.errors import NotVoting
from facilitation.stages import Mode, Move
from facilitation.store import Workshop
from facilitation.tally import Tally
from facilitation.workshop import CLOSED_SENTENCE, Filing
from tests.cast import Facilitator, Phone, Venue, tally, text_of

pytestmark = [pytest.mark.program, pytest.mark.both_databases]


@pytest.fixture
def other(venue: Venue, freya: Facilitator) -> Iterator[Venue]:
    """A second worker on the same data."""
    worker = Venue(venue.url, venue.folder, quiet=True)
    yield worker
    worker.closes()


def sealed(worker: Venue, freya: Facilitator, choice: str) -> Filing:
    """A new phone's answer, sealed and on its way to the store."""
    with worker.reading() as session:
        room = session.get_one(Workshop, freya.workshop_id)
        device = ballots.new_device_secret()
        posted = workshop.Posted(choice, 1)
        return workshop.seal_ballot(worker.house.keys, workshop.OpenRound.of(room), device, posted)


@pytest.mark.parametrize("move", [Move.CLOSE, Move.NEXT, Move.FINISH])
def test_a_close_waits_for_a_ballot_that_another_worker_is_filing(
    venue: Venue, other: Venue, freya: Facilitator, move: Move
) -> None:
    """The ballot is written and not yet committed when the close begins; once acknowledged it must be in the count."""
    freya.creates("purpose-01", "purpose-02", mode=Mode.ON_REVEAL).does("open")
    filing = sealed(other, freya, "4")
    closing = threading.Thread(target=freya.moves, args=[move])
    engine = store.writing_engine(venue.url)
    with store.transaction(engine) as session:
        (filed,) = other.house.box.file(session, [filing])
        assert isinstance(filed, workshop.Filed)
        closing.start()
        closing.join(timeout=0.3)
        assert closing.is_alive()
    closing.join()
    engine.dispose()
    first = freya.rounds[0]
    assert (first.state, first.ballots_cast) == ("unseen" if move is Move.NEXT else "counted", 1)
    assert freya.ballots == 0


def test_a_ballot_that_waited_for_a_close_is_refused(venue: Venue, other: Venue, freya: Facilitator) -> None:
    """The other way round: the count is done and not yet committed when the ballot comes."""
    freya.does("open")
    filing = sealed(other, freya, "4")
    outcome: list[object] = []

    def file() -> None:
        try:
            outcome.append(other.house.committer.gather(other.house.box.file, filing))
        except NotVoting as refused:
            outcome.append(refused)

    filing_thread = threading.Thread(target=file)
    version = freya.now.version
    engine = store.writing_engine(venue.url)
    with store.transaction(engine) as session:
        workshop.make_move(session, venue.house.keys, freya.workshop_id, Move.CLOSE, version)
        session.flush()
        filing_thread.start()
        filing_thread.join(timeout=0.3)
        assert filing_thread.is_alive()
    filing_thread.join()
    engine.dispose()
    assert isinstance(outcome[0], NotVoting)
    assert (freya.rounds[0].ballots_cast, freya.ballots) == (0, 0)


@dataclass
class Race:
    """One round in which phones answer twice each while somebody closes it."""

    round_id: int
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    acknowledged: dict[int, str] = field(default_factory=dict)  # phone -> the last answer that was acknowledged
    refused: list[str] = field(default_factory=list)

    def run(self, number: int, phone: Phone, choices: list[str]) -> None:
        """One phone's part."""
        for seq, choice in enumerate(choices, start=1):
            try:
                answer = phone.answers(choice, seq=seq, round_id=self.round_id)
                if answer.status_code == 200:
                    self.acknowledged[number] = choice
                else:
                    self.refused.append(text_of(answer))
            finally:
                self.answered.release()


def test_twenty_rounds_of_phones_racing_against_the_close_lose_and_double_nothing(
    venue: Venue, other: Venue, freya: Facilitator
) -> None:
    """Phones answer and change their minds, all at once, while somebody closes at a random moment.

    On PostgreSQL half of them are served by another worker; on SQLite there is only ever one.
    """
    chance = random.Random(20261121)
    venue.falls_silent()
    phones = venue.phones(4, freya.creates("purpose-01", k=3, mode="reveal").code)
    if venue.url.startswith("postgresql"):
        for phone in phones[::2]:
            phone.client.application = other.app
    freya.does("open")
    refused: list[str] = []
    for _ in range(20):
        version, race = freya.now.version, Race(freya.now.round_id or 0)
        runners = [
            threading.Thread(target=race.run, args=(number, phone, chance.choices("12345", k=2)))
            for number, phone in enumerate(phones)
        ]
        for runner in runners:
            runner.start()
        for _ in range(chance.randrange(8)):
            race.answered.acquire()
        assert freya.moves("close", version=version, htmx=False).status_code == 303
        for runner in runners:
            runner.join()
        counted = freya.rounds[-1]
        assert counted.ballots_cast == len(race.acknowledged)
        if len(race.acknowledged) >= 3:
            assert tally(counted) == Tally.of(race.acknowledged.values())
        assert freya.ballots == 0
        refused += race.refused
        freya.does("discard")
    assert set(refused) == {CLOSED_SENTENCE}, "either no answer lost the race, or one was refused for another reason"
