"""The power goes: files are rebuilt from the real process's own writes and flushes, and the program starts on them.

A session runs once from its first start on an empty folder, with every change of a file noted in order, and beside each
acknowledgement how long the note was when it came. Then the power is cut again and again, at many places of that note:
what was flushed is there, and what was not is gone, or there in any part. Nothing that was acknowledged before the cut
may be missing after the next start. Controls with weaker settings must be found to lose ballots by the same test.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from facilitation import migrations, store, workshop
from facilitation.errors import StorageTrouble
from facilitation.keys import KeyFile
from tests.faults.disk import Change, after_a_cut, read_log
from tests.faults.room import Disturbed, Nursery, Session, Stored, running
from tests.faults.search import files_in, found

PEOPLE = 6


@dataclass
class Recording:
    """A session's life on disk, and what was acknowledged when: each with the length of the note at that moment."""

    root: Path
    session: Session
    changes: list[Change] = field(default_factory=list)
    ballots: list[tuple[int, int, int, int, str]] = field(
        default_factory=list
    )  # when, place of phone, round, seq, choice
    closed: dict[int, int] = field(default_factory=dict)  # round -> when
    keys: dict[int, bytes] = field(default_factory=dict)  # round -> its key
    slots: dict[int, list[bytes]] = field(default_factory=dict)


def record(nursery: Nursery, data: Path, changed: Sequence[str] = ()) -> Recording:
    """Two rounds that are voted on and closed, and a third that is open when the record ends."""
    with running(nursery, data, Disturbed(recorded=True, changed=["look round often", *changed])) as program:
        made = Recording(data, session := Session.set_up(program, PEOPLE))
        for number in range(3):
            session.moves(program, "revote" if number else "open")
            round_id = session.round_id(program)
            for turn in range(2):
                for place, phone in enumerate(session.phones):
                    choice = "12345"[(place + turn + number) % 5]
                    assert phone.votes(program, session.code, round_id, choice) == 200
                    made.ballots.append((program.recorded_so_far(), place, round_id, phone.seq, choice))
            stored = Stored.of(data)
            made.keys[round_id], made.slots[round_id] = stored.keys[round_id], list(stored.filed[round_id])
            if number < 2:
                session.moves(program, "close")
                made.closed[round_id] = program.recorded_so_far()
    made.changes = read_log(program.log)
    return made


def rebuilt(recording: Recording, cut: int, folder: Path, dice: random.Random | None) -> tuple[Path, int]:
    """The data folder as the cut after so many changes leaves it, and how long the note was then."""
    folder.mkdir()
    for name, content in after_a_cut(recording.changes[:cut], recording.root, dice).items():
        (folder / name).write_bytes(content)
    return folder, recording.changes[cut - 1].end if cut else 0


@dataclass
class Lost:
    """What had been acknowledged and was not there after the next start."""

    ballots: int = 0
    closes: int = 0
    voids: int = 0
    secrets: int = 0  # keys and slots of rounds whose close was acknowledged, and that are still there
    starts: int = 0  # the files could not be used at all

    def __add__(self, other: Lost) -> Lost:
        return Lost(*map(sum, zip(astuple(self), astuple(other), strict=True)))


def starts_again(data: Path) -> None:
    """What the program does with its files when it starts."""
    url = f"sqlite:///{data / 'workshop.db'}"
    migrations.upgrade(url)
    engine = store.writing_engine(url)
    workshop.recover(engine, KeyFile(data / "rounds.keys"))
    engine.dispose()


def lost(recording: Recording, data: Path, when: int) -> Lost:
    """Compare what is there with what had been acknowledged by then."""
    stored, missing = Stored.of(data), Lost()
    assert set(stored.keys) == stored.open_rounds()
    latest = {(round_id, place): (seq, choice) for at, place, round_id, seq, choice in recording.ballots if at <= when}
    for (round_id, place), (seq, choice) in latest.items():
        state, counts, _ = stored.rounds.get(round_id, ("missing", None, None))
        if state == "counted":
            missing.ballots += counts != recording.session.counts(round_id)
            continue
        held = stored.of_phone(round_id, recording.session.phones[place].secret) if state == "open" else None
        missing.ballots += held is None or held[0] < seq or (held[0] == seq and held[1] != choice)
    done = [round_id for round_id, at in recording.closed.items() if at <= when]
    states = {round_id: state for round_id, (state, _, _) in stored.rounds.items()}
    missing.closes = sum(states.get(round_id) != "counted" for round_id in done)
    missing.voids = list(states.values()).count("void")
    secrets = [secret for round_id in done for secret in (recording.keys[round_id], *recording.slots[round_id])]
    missing.secrets = found(secrets, files_in(data))
    return missing


def cut_again_and_again(recording: Recording, folder: Path, cuts: int, dice: random.Random) -> Lost:
    """Cut at so many places, half of them with luck for what was not flushed; all that was lost."""
    places = [dice.randint(1, len(recording.changes)) for _ in range(cuts)]
    total = Lost()
    for number, place in enumerate(places):
        data, when = rebuilt(recording, place, folder / f"cut{number}", dice if number % 2 else None)
        try:
            starts_again(data)
            total += lost(recording, data, when)
        except (StorageTrouble, DBAPIError, sqlite3.DatabaseError):
            total += Lost(starts=1)
    print(f"{cuts} cuts in {len(recording.changes)} changes of files: {total}")
    return total


@pytest.mark.parametrize("cuts", [60, pytest.param(2000, marks=pytest.mark.long)])
def test_a_power_cut_loses_nothing_that_was_acknowledged(nursery: Nursery, tmp_path: Path, cuts: int) -> None:
    recording = record(nursery, tmp_path / "data")
    assert {"W", "S", "T", "C", "D"} <= {change.kind for change in recording.changes}
    assert {Path(change.path).name for change in recording.changes} >= {"workshop.db", "workshop.db-wal", "rounds.keys"}
    assert cut_again_and_again(recording, tmp_path, cuts, random.Random(cuts)) == Lost()


@pytest.mark.parametrize("setting", ["synchronous=NORMAL", "synchronous=OFF"])
def test_control_with_a_weaker_setting_the_same_cuts_lose_ballots(
    nursery: Nursery, tmp_path: Path, setting: str
) -> None:
    recording = record(nursery, tmp_path / "data", ["never look round", setting])
    total = cut_again_and_again(recording, tmp_path, 30, random.Random(30))
    assert total.ballots > 0, "the test could not have found a loss"


def test_the_program_itself_goes_on_after_a_power_cut_in_the_middle_of_a_vote(nursery: Nursery, tmp_path: Path) -> None:
    recording = record(nursery, tmp_path / "data")
    session, last = recording.session, max(recording.keys)
    all_in = max(at for at, _, _, _, _ in recording.ballots)
    cut = 1 + next(n for n, change in enumerate(recording.changes) if change.end >= all_in)
    (tmp_path / "cut").mkdir()
    data, when = rebuilt(recording, cut, tmp_path / "cut" / "data", None)
    with running(nursery, data) as program:
        program.link()
        assert lost(recording, data, when) == Lost()
        _, page = session.phones[0].browser.gets(program, f"/w/{session.code}")
        assert f'data-choice="{session.phones[0].acknowledged[last][1]}"' in page
        session.moves(program, "close")
        assert Stored.of(data).rounds[last][1] == session.counts(last)
