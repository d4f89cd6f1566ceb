"""Fixtures for every test: databases of both kinds, the cast, and the order in which tests run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine, update

from facilitation import migrations
from facilitation.store import Installation
from tests import cast
from tests.cast import QUESTIONS, Facilitator, FakeClock, Person, Phone, Screen, Venue
from tests.postgres import Server, roomy_memory, running_server

# Thousands of commits that wait for a disk are most of what a slow run does, and no test of the fast part is about the
# disk: temporary folders are in memory where there is room.
if folder := roomy_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))

# A busy machine is no fault of the code: no test fails for the time that one example took.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Kinds of tests that are not fast, in the order in which they run.
SLOW = ("program", "postgres", "office", "process", "browser", "long")
# Fixtures that make a program; their tests are marked so.
PROGRAM = {"venue", "postgres_venue", "app", "moments", "worlds"}
DATABASES = [pytest.param("sqlite", id="sqlite"), pytest.param("postgres", id="postgres", marks=pytest.mark.postgres)]


def prepare(url: str) -> None:
    """Bring an empty database to the state in which a test finds it.

    Called once a run for SQLite and once for PostgreSQL; tests get copies. `url` is an address for SQLAlchemy.
    """
    migrations.upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        # as in a database that was there before they had a mark, so that tests can name cookies
        connection.execute(update(Installation).values(mark=""))
    engine.dispose()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what makes a program."""
    if PROGRAM & set(getattr(item, "fixturenames", ())):
        item.add_marker("program")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of rules first, then those of the whole program in this process, PostgreSQL, LibreOffice, processes of
    their own, the browser, the long ones: faults show early.

    The browser comes after everything that uses gevent in this process, for it keeps an event loop in the main thread.
    Its longest file, which one worker has to itself, begins first, so that the other is not done long before it.
    """

    def slowness(item: pytest.Item) -> list[bool]:
        kinds = [item.get_closest_marker(name) is not None for name in reversed(SLOW)]
        return [*kinds, item.path.name != "test_accessible.py"]

    items.sort(key=slowness)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold the fast tests to being fast: see `cast.an_app`."""
    cast.expected = any(item.get_closest_marker(name) for name in SLOW)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on SQLite and again on PostgreSQL what is marked `both_databases`."""
    if "database_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database_url", DATABASES, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a prepared database of this test's own. Most tests say nothing that depends on its kind."""
    url: str = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")
    return url


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A database without any table, of both kinds: for tests of migrations."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A prepared SQLite file of this test's own, workshop.db in `tmp_path`."""
    return _copy(sqlite_template, tmp_path)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet, in `tmp_path`."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def postgres_url(postgres: Server, postgres_template: str) -> Iterator[str]:
    """A prepared PostgreSQL database of this test's own."""
    yield from _database(postgres, postgres_template)


@pytest.fixture
def empty_postgres_url(postgres: Server) -> Iterator[str]:
    """A PostgreSQL database of this test's own, without any table."""
    yield from _database(postgres, "template0")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The run's PostgreSQL server, started when the first test asks for it."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    """The name of the prepared database that tests copy."""
    return postgres.create_template(prepare)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("template") / "workshop.db"
    prepare(f"sqlite:///{path}")
    return path


# --- The cast: see tests/cast.py ---


@pytest.fixture
def venue(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Venue]:
    """The whole program in this process, on a database of this test's own and a clock that stands still.

    Nothing is pushed in a file marked `quiet`, which takes half the time, save for its tests marked `loud`.
    """
    quiet, loud = map(request.node.get_closest_marker, ("quiet", "loud"))
    place = Venue(database_url, tmp_path, quiet=bool(quiet and not loud))
    yield place
    place.closes()


@pytest.fixture
def postgres_venue(postgres_url: str, tmp_path: Path) -> Iterator[Venue]:
    """The program on PostgreSQL, for the few tests of a file that otherwise keeps to SQLite."""
    place = Venue(postgres_url, tmp_path)
    yield place
    place.closes()


@pytest.fixture
def clock(venue: Venue) -> FakeClock:
    """The venue's clock."""
    return venue.clock


@pytest.fixture
def freya(venue: Venue) -> Facilitator:
    """Facilitates: has set up a session of three questions that is still in its lobby, k = 5, live."""
    return Facilitator(venue).enters().creates(*QUESTIONS)


@pytest.fixture
def ana(venue: Venue, freya: Facilitator) -> Phone:
    """Has joined Freya's session."""
    return Phone(venue).joins(freya.code)


@pytest.fixture
def ben(venue: Venue, freya: Facilitator) -> Phone:
    """Has joined Freya's session."""
    return Phone(venue).joins(freya.code)


@pytest.fixture
def cai(venue: Venue, freya: Facilitator) -> Phone:
    """Has joined Freya's session."""
    return Phone(venue).joins(freya.code)


@pytest.fixture
def wall(venue: Venue, freya: Facilitator) -> Screen:
    """The shared screen of Freya's session."""
    return Screen(venue).shows(freya)


@pytest.fixture
def mallory(venue: Venue) -> Person:
    """Has no business in the room."""
    return Person(venue)


@contextmanager
def a_database(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A prepared database for a fixture that outlives one test; its parameters, if it has any, are DATABASES."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield _copy(request.getfixturevalue("sqlite_template"), folder)
    else:
        server, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template")
        yield from _database(server, template)


@contextmanager
def a_venue(request: pytest.FixtureRequest, folders: pytest.TempPathFactory, *, quiet: bool = False) -> Iterator[Venue]:
    """The program for a fixture that outlives one test: starting it takes longer than most tests do."""
    folder = folders.mktemp("venue")
    with a_database(request, folder) as url:
        place = Venue(url, folder, quiet=quiet)
        yield place
        place.closes()


def _copy(template: Path, folder: Path) -> str:
    copy = folder / "workshop.db"
    # SQLite's own copying also sees what is still in the write-ahead log.
    with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return f"sqlite:///{copy}"


def _database(server: Server, template: str) -> Iterator[str]:
    name = server.create(template)
    yield server.url(name)
    server.drop(name)
