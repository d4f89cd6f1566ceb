"""Fixtures: the nursery of real processes, and a session that is in the middle of a vote."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.room import Nursery, Session, build_shim, running

Voting = Callable[[], tuple[Path, Session, int]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs what the marker says."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.process)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Where this run's programs are started."""
    made = Nursery(build_shim(tmp_path_factory.mktemp("shim")))
    yield made
    made.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that the program will make."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def _voting(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Session, int]:
    data = tmp_path_factory.mktemp("voting") / "data"
    with running(nursery, data) as program:
        session = Session.set_up(program, people=5)
        session.moves(program, "open")
        round_id = session.answers(program, ["1", "2", "2", "5", "DK"])
    return data, session, round_id


@pytest.fixture
def voting(_voting: tuple[Path, Session, int], data: Path) -> tuple[Path, Session, int]:
    """The data folder, session and round of five people who have answered, left by a program that was killed."""
    folder, session, round_id = _voting
    shutil.copytree(folder, data)
    return data, copy.deepcopy(session), round_id
