"""The one writer: what waits together shares a commit, and nobody is answered before it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from facilitation import store
from facilitation.committer import InlineCommitter
from facilitation.errors import NotVoting, Refused, StorageTrouble
from facilitation.store import IssuedCode
from tests.conftest import DATABASES, a_database

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.both_databases


@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=pytest.mark.process), DATABASES[1]])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a process under gevent says its writer did; the scenes are in tests/under_gevent.py."""
    with a_database(request, tmp_path_factory.mktemp("committer")) as url:
        refusing = url if url.startswith("sqlite") else f"{url}&options=-c%20default_transaction_read_only%3Don"
        ran = subprocess.run(
            [sys.executable, "-m", "tests.under_gevent", url, refusing],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        yield json.loads(ran.stdout)


def test_three_hundred_ballots_at_once_are_all_acknowledged_after_few_commits_in_their_order(
    told: dict[str, Any],
) -> None:
    burst = told["a_burst"]
    assert burst["acknowledged"] == burst["stored"] == 300
    assert burst["commits"] <= 3
    assert burst["in order"]


def test_what_comes_while_a_commit_is_slow_is_the_next_batch_and_the_hub_goes_on(told: dict[str, Any]) -> None:
    slow = told["a_slow_commit"]
    assert slow["commits"] == 1
    assert slow["sizes"] == ["40"]
    assert slow["ticks"] >= 5


def test_a_unit_between_ballots_sees_those_before_it_and_none_after_it(told: dict[str, Any]) -> None:
    assert told["mixed"]["seen"] == ["3", "6", "9", "12", "15"]


def test_a_refusal_in_a_batch_reaches_its_own_caller_only(told: dict[str, Any]) -> None:
    assert told["refused"]["outcomes"] == ["500001 of 3", "NotVoting", "500002 of 3"]


def test_a_batch_that_fails_fails_for_each_of_its_callers_and_for_nobody_else(told: dict[str, Any]) -> None:
    fault = told["a_fault"]
    assert fault["outcomes"] == ["600001 of 1", "RuntimeError", "RuntimeError", "RuntimeError", "600002 of 1"]
    assert fault["stored"] == ["600001", "600002"]


def test_a_batch_that_forgets_somebody_is_a_fault_that_the_writer_outlives(told: dict[str, Any]) -> None:
    assert told["a_short_answer"]["outcomes"] == ["ValueError", "700002 of 1"]


def test_somebody_who_goes_away_while_waiting_holds_up_nobody(told: dict[str, Any]) -> None:
    assert told["gone_away"] == {"outcomes": ["800002 of 1"], "stored": True}


def test_a_database_that_cannot_be_written_acknowledges_nobody(told: dict[str, Any]) -> None:
    trouble = told["trouble"]
    assert trouble["outcomes"] == ["StorageTrouble"] * 3
    assert trouble["again"] in ([], ["200001 of 1"])


def test_a_full_disk_acknowledges_nobody_and_the_writer_goes_on_when_there_is_room(told: dict[str, Any]) -> None:
    # A limit on pages is SQLite's own; how PostgreSQL refuses is the test above.
    expected = {"outcomes": ["StorageTrouble"], "stored": 0, "again": ["1 of 1"]}
    assert told.get("a_full_disk", expected) == expected


# --- The same contract in the caller's own thread ---


def note(session: Session, codes: Sequence[str]) -> list[str | Refused]:
    """A batch that keeps codes, and refuses those that begin with 9."""
    session.add_all(IssuedCode(code=code) for code in codes if not code.startswith("9"))
    return [NotVoting("refused") if code.startswith("9") else code for code in codes]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = store.writing_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def stored(engine: Engine) -> Callable[[], set[str]]:
    def codes() -> set[str]:
        with Session(engine) as session:
            return set(session.scalars(select(IssuedCode.code)))

    return codes


def test_inline_what_is_returned_is_on_disk(engine: Engine, stored: Callable[[], set[str]]) -> None:
    committer = InlineCommitter(engine)
    assert committer.gather(note, "100001") == "100001"
    assert committer.perform(lambda session: note(session, ["100002"])) == ["100002"]
    assert stored() == {"100001", "100002"}


def test_inline_a_refusal_and_a_fault_are_raised_and_a_fault_leaves_nothing(
    engine: Engine, stored: Callable[[], set[str]]
) -> None:
    committer = InlineCommitter(engine)

    def broken(session: Session, codes: Sequence[str]) -> list[str]:
        note(session, codes)
        session.flush()
        raise RuntimeError("a fault in the batch")

    with pytest.raises(NotVoting):
        committer.gather(note, "900001")
    with pytest.raises(RuntimeError):
        committer.gather(broken, "100001")
    with pytest.raises(RuntimeError):
        committer.perform(lambda session: broken(session, ["100002"]))
    assert stored() == set()


def test_what_was_to_be_done_after_the_commit_is_done_after_it_or_not_at_all(
    engine: Engine, stored: Callable[[], set[str]]
) -> None:
    committer = InlineCommitter(engine)
    seen: list[set[str]] = []

    def job(session: Session) -> None:
        store.after_commit(session, lambda: seen.append(stored()))
        note(session, ["100001"])

    def failing(session: Session) -> None:
        job(session)
        raise Refused("No.")

    with pytest.raises(Refused):
        committer.perform(failing)
    assert seen == []
    committer.perform(job)
    assert seen == [{"100001"}]


def test_inline_a_read_only_database_is_storage_trouble(sqlite_url: str) -> None:
    engine = store.writing_engine(sqlite_url)
    raw = engine.raw_connection().driver_connection
    assert raw is not None
    raw.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageTrouble, match="please try again"):
        InlineCommitter(engine).gather(note, "100001")
    engine.dispose()
