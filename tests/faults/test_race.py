"""Votes that race the close of their round: every acknowledged ballot is counted, and no other.

Real server processes, one on SQLite, and on PostgreSQL also two that share database and key file, as hosted installs
have them. Each round, half of the room has answered before the race; then everybody answers and changes their mind as
fast as they can while Freya closes. Nobody's answer stays open: each is acknowledged or refused before the count is
compared, so the expected count is exact.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session as Reading

from facilitation.store import Ballot, Round
from tests.faults.room import Disturbed, Nursery, Phone, Program, Session, keys_in, running

CHOICES = "12345"
PEOPLE = 8


def keeps_voting(phone: Phone, program: Program, code: str, round_id: int, go: threading.Barrier) -> list[int]:
    """Answer again and again until the round takes no more; the statuses."""
    statuses: list[int] = []
    go.wait()
    while not statuses or statuses[-1] == 200:
        statuses.append(phone.votes(program, code, round_id, CHOICES[phone.seq % 5]))
    return statuses


def race(programs: list[Program], session: Session, number: int) -> tuple[int, int]:
    """One round from opening to close; its id, and how many ballots were acknowledged while the close was under way."""
    desk = programs[number % len(programs)]
    session.moves(desk, "revote" if number else "open")
    round_id = session.round_id(desk)
    for phone in session.phones[: PEOPLE // 2]:
        assert phone.votes(desk, session.code, round_id, "3") == 200
    before = sum(phone.seq for phone in session.phones)
    go = threading.Barrier(PEOPLE + 1)
    statuses: list[list[int]] = []

    def take_part(place: int, phone: Phone) -> None:
        statuses.append(keeps_voting(phone, programs[place % len(programs)], session.code, round_id, go))

    voters = [threading.Thread(target=take_part, args=voter) for voter in enumerate(session.phones)]
    for voter in voters:
        voter.start()
    go.wait()
    threading.Event().wait(0.002 * (number % 25))  # so that the close meets the votes at many places
    session.moves(desk, "close")
    for voter in voters:
        voter.join()
    assert len(statuses) == PEOPLE, "a voter got no answer"
    assert {told[-1] for told in statuses} == {422}, "refused in another way than because the round is closed"
    return round_id, sum(phone.seq for phone in session.phones) - before - PEOPLE


WORKERS = [
    pytest.param("sqlite", 1, 10),
    pytest.param("postgres", 2, 10, marks=pytest.mark.postgres),
    pytest.param("sqlite", 1, 200, marks=pytest.mark.long),
    pytest.param("sqlite", 2, 200, marks=pytest.mark.long),
    pytest.param("postgres", 1, 200, marks=[pytest.mark.postgres, pytest.mark.long]),
    pytest.param("postgres", 2, 200, marks=[pytest.mark.postgres, pytest.mark.long]),
]


@pytest.mark.parametrize(("database", "workers", "rounds"), WORKERS)
def test_votes_that_race_the_close_are_counted_exactly_when_they_were_acknowledged(
    nursery: Nursery, data: Path, request: pytest.FixtureRequest, database: str, workers: int, rounds: int
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgres" else ""
    with ExitStack() as stack:
        how = Disturbed(database_url=url, changed=("look round often",))
        programs = [stack.enter_context(running(nursery, data, how))]
        session = Session.set_up(programs[0], PEOPLE)
        for _ in range(workers - 1):
            programs.append(stack.enter_context(running(nursery, data, how)))
            programs[-1].link()
        raced = dict(race(programs, session, number) for number in range(rounds))
        engine = create_engine(url or f"sqlite:///{data / 'workshop.db'}")
        with Reading(engine) as reading:
            counted = {round_.id: round_ for round_ in reading.scalars(select(Round))}
            assert reading.scalars(select(Ballot)).all() == []
        engine.dispose()
    assert keys_in(data) == {}
    for round_id in raced:
        expected = session.counts(round_id)
        found = Counter(counted[round_id].counts)
        assert counted[round_id].state == "counted"
        assert +found == expected, f"round {round_id}"
    met = sum(raced.values())
    print(
        f"\n{database}, {workers} at once: {len(raced)} rounds exact, {met} ballots acknowledged while they were closed"
    )
    assert met > rounds, "the votes hardly met the close"
