"""The disk is full, broken or read-only: a vote is refused in words and never acknowledged, and all goes on afterwards.

The real process meets the error in its own write or flush; nothing is restarted when the disk is well again.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from tests.faults.room import Disturbed, Nursery, Program, Session, Stored, running, until

FAULTS = ("full", "broken", "readonly")
FULL_FIRST = ["full", *(pytest.param(fault, marks=pytest.mark.long) for fault in FAULTS[1:])]
BANNER = "Answers cannot be saved just now"
Voting = tuple[Path, Session, int]


@pytest.fixture
def program(nursery: Nursery, voting: Voting) -> Iterator[Program]:
    """The program, running in the middle of a vote."""
    with running(nursery, voting[0], Disturbed(changed=["look round often"])) as found:
        found.link()
        yield found


def is_a_sentence(text: str) -> bool:
    """Whether somebody is told what happened, in words."""
    return "try again" in unescape(text).lower() and "Traceback" not in text


@pytest.mark.parametrize("fault", FAULTS)
def test_a_vote_that_cannot_be_saved_is_refused_in_words_and_counts_once_the_disk_is_well(
    program: Program, voting: Voting, fault: str
) -> None:
    data, session, round_id = voting
    ana, ben = session.phones[:2]
    program.disturb(fault)
    for phone in (ana, ben, ana):
        form = {"round": round_id, "choice": "4", "seq": phone.seq + 1, "direction": ""}
        status, text = phone.browser.posts(program, f"/w/{session.code}/ballot", form)
        assert status == 503
        assert is_a_sentence(text)
        # the room goes on: pages are read, and show the answer that counts
        status, page = phone.browser.gets(program, f"/w/{session.code}")
        assert (status, f'data-choice="{phone.acknowledged[round_id][1]}"' in page) == (200, True)
    status, console = session.freya.gets(program, f"/f/{session.code}")
    assert (status, BANNER in console) == (200, True)
    program.disturb("")
    until(lambda: BANNER not in session.freya.gets(program, f"/f/{session.code}")[1], "the console takes it back")
    for phone in session.phones:
        held = Stored.of(data).of_phone(round_id, phone.secret)
        assert held == phone.acknowledged[round_id], "something that was refused was kept"
    assert ana.votes(program, session.code, round_id, "4") == 200
    session.moves(program, "close")
    assert Stored.of(data).rounds[round_id][1] == session.counts(round_id)
    assert "Traceback" not in program.words()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "move", ["close", *(pytest.param(move, marks=pytest.mark.long) for move in ("next", "finish"))]
)
def test_a_round_that_cannot_be_closed_stays_open_with_its_key_and_closes_once_the_disk_is_well(
    program: Program, voting: Voting, fault: str, move: str
) -> None:
    data, session, round_id = voting
    program.disturb(fault)
    status, text = session.asks_to(program, move)
    assert status == 503
    assert is_a_sentence(text)
    program.disturb("")
    stored = Stored.of(data)
    assert (stored.stages, stored.open_rounds()) == (("voting",), {round_id})
    # the key of a next round that was rolled back may be there for a moment
    until(lambda: set(Stored.of(data).keys) == {round_id}, "the key file holds the open round's key alone")
    session.moves(program, move)
    assert Stored.of(data).rounds[round_id][1] == session.counts(round_id)
    assert round_id not in Stored.of(data).keys


@pytest.mark.parametrize("fault", FULL_FIRST)
def test_a_round_that_cannot_be_opened_leaves_no_round_and_opens_once_the_disk_is_well(
    program: Program, voting: Voting, fault: str
) -> None:
    data, session, first = voting
    session.moves(program, "close")
    program.disturb(fault)
    status, text = session.asks_to(program, "revote")
    assert (status, is_a_sentence(text)) == (503, True)
    program.disturb("")
    assert Stored.of(data).open_rounds() == set()
    session.moves(program, "revote")
    stored = Stored.of(data)
    assert set(stored.keys) == stored.open_rounds() == {session.round_id(program)} != {first}


@pytest.mark.parametrize("fault", FULL_FIRST)
def test_somebody_who_cannot_be_let_in_is_told_so_and_gets_in_once_the_disk_is_well(
    program: Program, voting: Voting, fault: str
) -> None:
    _, session, _ = voting
    newcomer = type(session.freya)()
    program.disturb(fault)
    status, text = newcomer.posts(program, "/join", {"code": session.code})
    assert (status, is_a_sentence(text)) == (503, True)
    assert newcomer.cookies == {}
    program.disturb("")
    assert newcomer.posts(program, "/join", {"code": session.code})[0] in (200, 303)
    assert newcomer.cookies


def test_a_closed_round_whose_log_could_not_be_emptied_is_forgotten_once_the_disk_is_well(
    nursery: Nursery, voting: Voting
) -> None:
    data, session, round_id = voting
    with running(nursery, data, Disturbed(changed=["look round often"])) as program:
        program.link()
        slots = list(Stored.of(data).filed[round_id])
        program.disturb("checkpoint")
        session.moves(program, "close")

        def held() -> int:
            log, database = (data / "workshop.db-wal").read_bytes(), (data / "workshop.db").read_bytes()
            return sum(slot in log or slot in database for slot in slots)

        assert held() == len(slots), "the fault did not bite"
        program.disturb("")
        until(lambda: held() == 0, "the rows were forgotten")


@pytest.mark.parametrize("fault", FULL_FIRST)
@pytest.mark.parametrize("first", [True, False], ids=["first start", "later start"])
def test_a_start_on_such_a_disk_ends_in_a_sentence(
    nursery: Nursery, voting: Voting, tmp_path: Path, fault: str, first: bool
) -> None:
    data, session, round_id = voting
    if first:
        shutil.rmtree(data)
    with running(nursery, data, Disturbed(disk=fault)) as program:
        assert program.ended() == 2
        said = program.words()
        assert said.startswith("The ") and said.count("\n") == 1, said
    with running(nursery, data) as program:
        program.link()
        if not first:
            session.moves(program, "close")
            assert Stored.of(data).rounds[round_id][1] == session.counts(round_id)


def test_a_data_folder_that_cannot_be_made_is_said_in_a_sentence(nursery: Nursery, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with running(nursery, tmp_path / "file" / "data", Disturbed(outside=tmp_path)) as program:
        assert program.ended() == 2
        assert program.words().startswith("DATA_DIR is ")


def test_a_vote_waits_while_another_program_has_the_database_locked(program: Program, voting: Voting) -> None:
    data, session, round_id = voting
    told: list[int] = []
    with closing(sqlite3.connect(data / "workshop.db", isolation_level=None)) as scanner:
        scanner.execute("BEGIN IMMEDIATE")
        voter = threading.Thread(
            target=lambda: told.append(session.phones[0].votes(program, session.code, round_id, "4"))
        )
        voter.start()
        voter.join(0.3)
        assert told == []
        scanner.execute("ROLLBACK")
        voter.join()
    assert told == [200]


@pytest.mark.long
def test_a_vote_is_refused_in_words_when_the_database_stays_locked(program: Program, voting: Voting) -> None:
    data, session, round_id = voting
    with closing(sqlite3.connect(data / "workshop.db", isolation_level=None)) as scanner:
        scanner.execute("BEGIN IMMEDIATE")
        assert session.phones[0].votes(program, session.code, round_id, "4") == 503
    assert session.phones[0].votes(program, session.code, round_id, "4") == 200
