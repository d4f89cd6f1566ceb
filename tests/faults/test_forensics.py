"""A search of everything the program wrote for device secrets, round keys, slots and sealed ballots.

The test knows them all: secrets from the phones' cookies, keys from the key file and sealed ballots from the database
while the round is open, slots by computing them. After the close none may stand anywhere. A control with the key in the
database, or with deleted rows left on their pages, must be found out by the very same search.

A backup taken while a round is open holds what was open then: slots and sealed ballots, but no key and no device
secret. Once the key is destroyed nothing opens them.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from facilitation import store
from tests.faults.room import (
    Died,
    Disturbed,
    Nursery,
    Program,
    Session,
    Stored,
    keys_in,
    running,
    until,
)
from tests.faults.search import files_in, found
from tests.postgres import Server

PATIENT = "never look round"
WATCHFUL = "look round often"
SPLITS = [38, 42, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(43, 200))]


@dataclass(frozen=True)
class Secrets:
    """What must not be found, by kind."""

    devices: list[bytes]
    keys: list[bytes]
    slots: list[bytes]
    sealed: list[bytes]

    @classmethod
    def of(cls, data: Path, session: Session) -> Secrets:
        """Read them while a round is open."""
        stored = Stored.of(data)
        rows = [(slot, sealed) for rows in stored.filed.values() for slot, (_, sealed) in rows.items()]
        assert rows and stored.keys
        devices = [phone.secret for phone in session.phones]
        return cls(devices, list(stored.keys.values()), [slot for slot, _ in rows], [sealed for _, sealed in rows])

    def found_in(self, files: dict[str, bytes]) -> dict[str, int]:
        """How many of each kind stand in these files."""
        assert len(files) > 1
        return {kind: found(getattr(self, kind), files) for kind in ("devices", "keys", "slots", "sealed")}


NOTHING = {"devices": 0, "keys": 0, "slots": 0, "sealed": 0}


def everything_written(program: Program) -> dict[str, bytes]:
    """Database, logs of it, key file, what was printed and what was exported. Not the record that this test makes."""
    return {name: content for name, content in files_in(program.outside).items() if name != str(program.log)}


def a_vote(program: Program, people: int = 24) -> Session:
    """A session whose first question is open, and has been answered, in part twice, by many people."""
    session = Session.set_up(program, people)
    session.moves(program, "open")
    round_id = session.answers(program, ["12345"[n % 5] for n in range(people)])
    for phone in session.phones[::3]:
        assert phone.votes(program, session.code, round_id, "4") == 200
    return session


def test_the_search_finds_every_form_of_what_it_looks_for() -> None:
    secret = bytes(range(200, 216))
    hidden = [
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        str([secret]).encode(),
        *(urlsafe_b64encode(b"x" * n + secret + b"yz") for n in range(4)),
    ]
    for content in hidden:
        assert found([secret], {"a": b"--" + content + b"--"}) == 1, content
    assert found([secret], {"a": bytes(1000)}) == 0


def test_after_the_close_nothing_that_was_written_ties_a_choice_to_a_device(nursery: Nursery, data: Path) -> None:
    with running(nursery, data, Disturbed(recorded=True, changed=[PATIENT])) as program:
        session = a_vote(program)
        secrets = Secrets.of(data, session)
        session.moves(program, "close", "reveal")
        for document in ("results.csv", "session.json"):
            status, text = session.freya.gets(program, f"/f/{session.code}/files/{document}")
            assert status == 200
            (program.outside / document).write_text(text)
        assert secrets.found_in(everything_written(program)) == NOTHING

        changes = program.recorded()
        outside = {c.path for c in changes if not Path(c.path).is_relative_to(data)} - {str(program.said)}
        assert outside == set(), "it wrote files that the search did not see"
        # Stronger than the files as they are now: every byte that ever went to a file, overwritten or not.
        ever = {"keys": b"", "others": b""}
        for change in changes:
            ever["keys" if change.path.endswith(".keys") else "others"] += change.data
        assert found(secrets.devices, ever) == 0
        assert found(secrets.keys, {"others": ever["others"]}) == 0
        # the search does see what was there
        assert found(secrets.keys, {"keys": ever["keys"]}) == 1
        assert found(secrets.slots, {"others": ever["others"]}) == len(secrets.slots)
        with contextlib.closing(sqlite3.connect(data / "workshop.db")) as line:
            (workshop_key,) = line.execute("SELECT key FROM workshops").fetchone()
        assert found([workshop_key], everything_written(program)) == 1
        session.moves(program, "finish")
        assert found([workshop_key], everything_written(program)) == 0
    assert secrets.found_in(everything_written(program)) == NOTHING


def test_paper_cards_and_those_taken_back_leave_nothing_and_their_rows_look_like_all_others(
    nursery: Nursery, data: Path
) -> None:
    with running(nursery, data, Disturbed(recorded=True, changed=[PATIENT])) as program:
        session = a_vote(program, people=12)
        round_id, page = session.round_id(program), f"/f/{session.code}/cards"
        phones = set(Stored.of(data).filed[round_id])
        for cards in ({"n-2": 7, "n-5": 3}, {"n-1": 9, "n-DK": 2}):
            status, text = session.freya.posts(program, page, {**cards, "round": round_id, "sure": 1})
            assert status == 200, text
        typed = {slot: row for slot, row in Stored.of(data).filed[round_id].items() if slot not in phones}
        assert len(typed) == 21
        assert {(seq, len(sealed)) for seq, sealed in typed.values()} == {(1, 44)}
        assert session.freya.posts(program, f"{page}/back", {"round": round_id})[0] == 200
        left = set(Stored.of(data).filed[round_id]) - phones
        assert len(left) == 10 and left < set(typed)
        secrets = Secrets.of(data, session)
        secrets.slots.extend(set(typed) - left)
        secrets.sealed.extend(typed[slot][1] for slot in set(typed) - left)
        session.moves(program, "close", "reveal")
        assert Stored.of(data).rounds[round_id][2] == 22
        for document in ("results.csv", "session.json"):
            status, text = session.freya.gets(program, f"/f/{session.code}/files/{document}")
            assert status == 200 and "card" not in text and "paper" not in text
            (program.outside / document).write_text(text)
        assert secrets.found_in(everything_written(program)) == NOTHING
        # the search does see what was there
        ever = {"others": b"".join(c.data for c in program.recorded() if not c.path.endswith(".keys"))}
        assert found(list(typed), ever) == len(typed)


def test_while_the_round_is_open_the_same_search_finds_what_it_must(nursery: Nursery, data: Path) -> None:
    with running(nursery, data) as program:
        secrets = Secrets.of(data, a_vote(program))
        assert secrets.found_in(everything_written(program)) == {
            "devices": 0,
            "keys": 1,
            "slots": len(secrets.slots),
            "sealed": len(secrets.sealed),
        }


@pytest.mark.parametrize(
    "point",
    [
        "close: committed, key still whole",
        "close: key half overwritten",
        "close: key destroyed, log not emptied",
        "close: log emptied, not answered",
    ],
)
def test_after_a_crash_during_the_close_the_next_start_forgets_what_is_left(
    nursery: Nursery, data: Path, point: str
) -> None:
    with running(nursery, data, Disturbed(point)) as program:
        session = a_vote(program, people=12)
        secrets = Secrets.of(data, session)
        program.arm()
        with pytest.raises(Died):
            session.asks_to(program, "close")
    with running(nursery, data) as program:
        program.link()
        assert secrets.found_in(everything_written(program)) == NOTHING


def test_a_reader_that_holds_the_database_during_the_close_only_delays_the_forgetting(
    nursery: Nursery, data: Path
) -> None:
    with running(nursery, data, Disturbed(changed=[WATCHFUL])) as program:
        session = a_vote(program)
        with contextlib.closing(sqlite3.connect(data / "workshop.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM ballots").fetchone() == (24,)
            secrets = Secrets.of(data, session)
            session.moves(program, "close")
            held = secrets.found_in(everything_written(program))
            assert (held["keys"], held["slots"]) == (0, 24), "the key goes at once, the rows wait for the reader"
            reader.execute("COMMIT")
        until(
            lambda: secrets.found_in(everything_written(program)) == NOTHING,
            "the program forgot what a reader had held",
        )


def test_a_key_that_the_disk_would_not_overwrite_is_destroyed_as_soon_as_it_does(nursery: Nursery, data: Path) -> None:
    with running(nursery, data, Disturbed(changed=[WATCHFUL])) as program:
        session = a_vote(program, people=5)
        secrets = Secrets.of(data, session)
        program.disturb("keys")
        session.moves(program, "close")  # the count is on disk, so the move is not refused
        assert list(keys_in(data).values()) == secrets.keys
        program.disturb("")
        until(lambda: secrets.found_in(everything_written(program)) == NOTHING, "the key was destroyed")
        assert "left for later" in program.words()


@pytest.mark.parametrize("seed", SPLITS)
def test_a_closed_round_leaves_no_stale_copy_on_a_page_it_shared_with_another(sqlite_url: str, seed: int) -> None:
    """A page that is split keeps old copies of rows that moved away; deleting those rows does not reach the copies."""
    dice, gone = random.Random(seed), list[bytes]()
    engine = store.writing_engine(sqlite_url)
    with engine.connect() as connection:
        assert connection.connection.driver_connection
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # rounds are of no interest here
    filed: dict[int, list[bytes]] = {}
    withdrawn: dict[int, list[bytes]] = {}
    for number in range(1, 13):
        filed |= {number: [], 100 + number: []}
        rows = []
        for _ in range(dice.randint(5, 300)):
            round_id, slot = dice.choice(list(filed)), dice.randbytes(16)
            filed[round_id].append(slot)
            rows.append({"round_id": round_id, "slot": slot, "seq": 1, "sealed": dice.randbytes(44)})
        with store.transaction(engine) as session:
            store.file_ballots(session, rows)
        with store.transaction(engine) as session:  # a batch of paper cards is taken back
            round_id = dice.choice(list(filed))
            back = filed[round_id][-dice.randint(1, 40) :]
            del filed[round_id][len(filed[round_id]) - len(back) :]
            withdrawn.setdefault(round_id, []).extend(back)
            store.remove_ballots(session, round_id, back)
        with store.transaction(engine) as session:
            closed = dice.choice(list(filed))
            gone += filed.pop(closed) + withdrawn.pop(closed, [])
            store.forget_ballots(session, closed)
            store.truncate_log_after_commit(session)
        database = Path(sqlite_url.removeprefix("sqlite:///")).read_bytes()
        assert [slot for slot in gone if slot in database] == []
        assert all(slot in database for slots in filed.values() for slot in slots)
    engine.dispose()


def by_backup(database: Path, copy: Path) -> None:
    """SQLite's own online backup."""
    with contextlib.closing(sqlite3.connect(database)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def by_copying(database: Path, copy: Path) -> None:
    """What a person does: copy the database, with its log."""
    for ending in ("", "-wal", "-shm"):
        shutil.copy(f"{database}{ending}", f"{copy}{ending}")


@pytest.mark.parametrize("backup", [by_backup, by_copying])
def test_a_backup_taken_while_a_round_was_open_holds_no_key_and_no_device(
    nursery: Nursery, data: Path, backup: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    (kept := tmp_path / "backup").mkdir()
    with running(nursery, data) as program:
        session = a_vote(program)
        secrets = Secrets.of(data, session)
        backup(data / "workshop.db", kept / "workshop.db")
        (kept / "label").write_text("second file, so that the search has two")
        session.moves(program, "close")
        held = secrets.found_in(files_in(kept))
        # said plainly in SECURITY.md: the backup has the sealed rows, and nothing that opens them
        assert held == {"devices": 0, "keys": 0, "slots": 24, "sealed": 24}
        shutil.rmtree(kept)
        assert secrets.found_in(everything_written(program)) == NOTHING


# --- Controls: the search above must find these out ------------------------------------------------------------------


def test_control_a_key_in_the_database_is_found_in_the_backup(nursery: Nursery, data: Path, tmp_path: Path) -> None:
    (kept := tmp_path / "backup").mkdir()
    with running(nursery, data, Disturbed(changed=[PATIENT, "keys in the database"])) as program:
        session = a_vote(program)
        secrets = Secrets.of(data, session)
        by_backup(data / "workshop.db", kept / "workshop.db")
        (kept / "label").touch()
        session.moves(program, "close")
        assert secrets.found_in(files_in(kept))["keys"] == 1


def test_control_without_secure_delete_the_rows_of_a_closed_round_are_found(nursery: Nursery, data: Path) -> None:
    with running(nursery, data, Disturbed(changed=[PATIENT, "secure_delete=OFF"])) as program:
        session = a_vote(program)
        secrets = Secrets.of(data, session)
        session.moves(program, "close")
        held = secrets.found_in(everything_written(program))
        print(f"\nwithout secure_delete, after the close: {held}")
        assert held["keys"] == 0
        assert held["slots"] > 0 and held["sealed"] > 0


# --- PostgreSQL keeps every row in heap and log: the promise there is that no key and no device gets into it ---------


@pytest.mark.postgres
@pytest.mark.parametrize(("changed", "keys"), [((), 0), (("keys in the database",), 1)], ids=["shipped", "control"])
def test_postgresql_never_sees_a_key_or_a_device(
    nursery: Nursery, data: Path, postgres: Server, postgres_url: str, changed: tuple[str, ...], keys: int
) -> None:
    how = Disturbed(database_url=postgres_url, changed=[PATIENT, *changed])
    with running(nursery, data, how) as program:
        session = a_vote(program)
        key = next(iter(keys_in(data).values()))
        with psycopg.connect(postgres_url) as line:
            slots = [slot for (slot,) in line.execute("SELECT slot FROM ballots")]
        session.moves(program, "close")
        with psycopg.connect(postgres_url, autocommit=True) as line:
            line.execute("CHECKPOINT")
        written = files_in(postgres.folder / "data")
        assert found([key], written) == keys
        assert found([phone.secret for phone in session.phones], written) == 0
        # the search does see the rows that PostgreSQL keeps although they were deleted
        assert found(slots[:5], written) == 5
        assert found([key, *slots], everything_written(program)) == 0
