"""A SIGKILL at every named step of casting, closing, opening and starting: what was acknowledged is there, no more.

The points are those of `runner.POINTS`; each is reached in the situation below, from a session of five people who have
all answered. "Exact" means: an open round holds each phone's last acknowledged answer, a counted one counts them, the
key file holds the keys of the open rounds and no other, and nothing is void.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.room import Died, Disturbed, Nursery, Program, Session, Stored, running

Voting = tuple[Path, Session, int]
KILLED = -9


def assert_exact(program: Program, session: Session) -> Stored:
    """Everything acknowledged is there and nothing else; returns what is stored."""
    stored = Stored.of(program.data)
    assert set(stored.keys) == stored.open_rounds()
    assert set(stored.filed) <= stored.open_rounds()
    for round_id, (state, counts, cast) in stored.rounds.items():
        assert state in ("open", "counted", "unseen"), f"round {round_id} is {state}"
        if state != "open":
            expected = session.counts(round_id)
            assert (counts, cast) == (expected, sum(expected.values()))
        else:
            assert len(stored.filed.get(round_id, {})) <= len(session.phones)
            for phone in session.phones:
                held = stored.of_phone(round_id, phone.secret)
                assert held in (phone.acknowledged.get(round_id), phone.unsure.get(round_id, held and ()))
    return stored


def goes_on_to_the_result(program: Program, session: Session, round_id: int) -> None:
    """The interrupted session works as if nothing had happened: everybody answers, and the count is right."""
    for phone in session.phones:
        assert phone.votes(program, session.code, round_id, "3") == 200
    session.moves(program, "close", "reveal")
    assert assert_exact(program, session).rounds[round_id][1] == {"3": 5}


@pytest.mark.parametrize(
    ("point", "holds"),
    [
        ("cast: before its transaction", "1"),
        ("cast: filed, not committed", "1"),
        ("cast: committed, the room not told", "4"),
        ("cast: committed, not answered", "4"),
    ],
)
def test_a_program_killed_while_casting_holds_what_was_committed_and_counts_it_once(
    nursery: Nursery, voting: Voting, point: str, holds: str
) -> None:
    data, session, round_id = voting
    hasty = session.phones[0]  # has "1" acknowledged and sends "4"
    with running(nursery, data, Disturbed(point)) as program:
        program.link()
        program.arm()
        with pytest.raises(Died):
            hasty.votes(program, session.code, round_id, "4")
        assert program.ended() == KILLED
    with running(nursery, data) as program:
        program.link()
        stored = assert_exact(program, session)
        found = stored.of_phone(round_id, hasty.secret)
        assert found and found[1] == holds
        hasty.seq -= 1  # the phone tries again with the same answer and the same number
        assert hasty.votes(program, session.code, round_id, "4") == 200
        session.moves(program, "close")
        assert assert_exact(program, session).rounds[round_id][1] == {"4": 1, "2": 2, "5": 1, "DK": 1}


@pytest.mark.parametrize(
    ("point", "state"),
    [
        ("close: asked for", "open"),
        ("close: counted, ballots still there", "open"),
        ("close: ballots forgotten, not committed", "open"),
        ("close: committed, key still whole", "counted"),
        ("close: key half overwritten", "counted"),
        ("close: key overwritten, not flushed", "counted"),
        ("close: key destroyed, log not emptied", "counted"),
        ("close: log emptied, not answered", "counted"),
    ],
)
def test_a_round_whose_close_was_killed_is_open_as_before_or_counted_and_forgotten(
    nursery: Nursery, voting: Voting, point: str, state: str
) -> None:
    data, session, round_id = voting
    with running(nursery, data, Disturbed(point)) as program:
        program.link()
        program.arm()
        with pytest.raises(Died):
            session.asks_to(program, "close")
        assert program.ended() == KILLED
    with running(nursery, data) as program:
        program.link()
        stored = assert_exact(program, session)
        assert stored.rounds[round_id][0] == state
        assert stored.stages == ("closed" if state == "counted" else "voting",)
        if state == "counted":
            session.moves(program, "reveal", "revote")
        goes_on_to_the_result(program, session, session.round_id(program))


@pytest.mark.parametrize(
    ("point", "opened"),
    [
        ("open: before its key", False),
        ("open: key half written", False),
        ("open: key made, not committed", False),
        ("open: committed, not answered", True),
    ],
)
def test_a_round_whose_opening_was_killed_is_open_with_its_key_or_leaves_nothing(
    nursery: Nursery, voting: Voting, point: str, opened: bool
) -> None:
    data, session, first = voting
    with running(nursery, data, Disturbed(point)) as program:
        program.link()
        session.moves(program, "close")
        program.arm()
        with pytest.raises(Died):
            session.asks_to(program, "revote")
        assert program.ended() == KILLED
    with running(nursery, data) as program:
        program.link()
        stored = assert_exact(program, session)
        assert len(stored.open_rounds()) == opened
        assert stored.stages == ("voting" if opened else "closed",)
        if not opened:
            session.moves(program, "revote")
        second = session.round_id(program)
        assert second != first
        goes_on_to_the_result(program, session, second)


@pytest.mark.parametrize(
    ("point", "move", "stage"),
    [
        ("next: committed, the old key still there", "next", "voting"),
        ("finish: committed, key still whole", "finish", "finished"),
    ],
)
def test_every_way_out_of_an_open_round_leaves_no_key_behind_when_it_is_killed(
    nursery: Nursery, voting: Voting, point: str, move: str, stage: str
) -> None:
    data, session, round_id = voting
    with running(nursery, data, Disturbed(point)) as program:
        program.link()
        program.arm()
        with pytest.raises(Died):
            session.asks_to(program, move)
        assert program.ended() == KILLED
        assert round_id in Stored.of(data).keys  # or the kill came too late to prove anything
    with running(nursery, data) as program:
        program.link()
        stored = assert_exact(program, session)
        assert stored.stages == (stage,)
        assert stored.rounds[round_id][0] == ("unseen" if move == "next" else "counted")


def test_a_deleted_session_leaves_no_key_behind_when_the_deleting_is_killed(nursery: Nursery, voting: Voting) -> None:
    data, session, _ = voting
    with running(nursery, data, Disturbed("delete: committed, key still whole")) as program:
        program.link()
        program.arm()
        with pytest.raises(Died):
            session.freya.posts(program, f"/sessions/{session.code}/delete", {})
        assert program.ended() == KILLED
        assert Stored.of(data).keys
    with running(nursery, data) as program:
        program.link()
        stored = Stored.of(data)
        assert (stored.stages, stored.rounds, stored.filed, stored.keys) == ((), {}, {}, {})


@pytest.mark.parametrize(
    "point",
    [
        "start: nothing looked at yet",
        "start: before keys are destroyed",
        "start: key half overwritten",
        "start: keys destroyed, log not emptied",
        "start: recovered, no link yet",
    ],
)
def test_a_start_that_is_killed_while_it_repairs_is_repaired_by_the_next(
    nursery: Nursery, voting: Voting, point: str
) -> None:
    """One round's close was killed before its key was destroyed, and the next question is open with three answers."""
    data, session, first = voting
    with running(nursery, data, Disturbed("next: committed, the old key still there")) as program:
        program.link()
        program.arm()
        with pytest.raises(Died):
            session.asks_to(program, "next")
    assert len(Stored.of(data).keys) == 2
    with running(nursery, data, Disturbed(point)) as program:
        assert program.ended() == KILLED
    with running(nursery, data) as program:
        program.link()
        assert_exact(program, session)
        second = session.round_id(program)
        assert second != first
        goes_on_to_the_result(program, session, second)


def test_a_first_start_that_is_killed_between_two_tables_is_made_good_by_the_next(nursery: Nursery, data: Path) -> None:
    with running(nursery, data, Disturbed("start: tables half made")) as program:
        assert program.ended() == KILLED
    with running(nursery, data) as program:
        session = Session.set_up(program, people=5)
        session.moves(program, "open")
        goes_on_to_the_result(program, session, session.round_id(program))


@pytest.mark.parametrize("point", ["start: nothing looked at yet", "start: before keys are destroyed"])
def test_only_a_round_whose_key_is_really_lost_is_void_and_also_after_a_start_was_killed(
    nursery: Nursery, voting: Voting, point: str
) -> None:
    data, session, round_id = voting
    (data / "rounds.keys").unlink()
    with running(nursery, data, Disturbed(point)) as program:
        assert program.ended() == KILLED
    with running(nursery, data) as program:
        program.link()
        stored = Stored.of(data)
        assert stored.rounds[round_id] == ("void", None, None)
        assert (stored.stages, stored.filed, stored.keys) == (("discussion",), {}, {})
        session.moves(program, "revote")
        again = session.round_id(program)
        assert again != round_id
        session.answers(program, ["4"] * 5)
        session.moves(program, "close")
        assert Stored.of(data).rounds[again] == ("counted", {"4": 5}, 5)


ACTS: dict[str, Callable[[Program, Session, int], object]] = {
    "cast": lambda program, session, round_id: session.phones[0].votes(program, session.code, round_id, "4"),
    "close": lambda program, session, _: session.asks_to(program, "close"),
    "next": lambda program, session, _: session.asks_to(program, "next"),
    "finish": lambda program, session, _: session.asks_to(program, "finish"),
}


@pytest.mark.parametrize(
    ("act", "every"),
    [pytest.param("close", 4), *(pytest.param(act, 1, marks=pytest.mark.long) for act in ACTS)],
)
def test_a_kill_before_any_single_change_of_the_disk_leaves_an_exact_state(
    nursery: Nursery, voting: Voting, tmp_path: Path, act: str, every: int
) -> None:
    """Not only at the named points: it dies before its 1st, 2nd, 3rd … write, flush or truncation of a file."""
    template, people, round_id = voting
    number, died = 1, True
    while died:
        data, session = tmp_path / str(number) / "data", copy.deepcopy(people)
        shutil.copytree(template, data)
        with running(nursery, data) as program:
            program.link()
            program.disturb(f"kill {number}")
            try:
                ACTS[act](program, session, round_id)
            except Died:
                assert program.ended() == KILLED
            else:
                died = False
        with running(nursery, data) as program:
            program.link()
            assert_exact(program, session)
            for phone in session.phones if round_id in Stored.of(data).open_rounds() else ():
                assert phone.votes(program, session.code, round_id, "3") == 200
        number += every
    kills = len(range(1, number - every, every))
    print(f"\n{act}: {kills} kills, each before another change of the disk")
    assert kills > 4
