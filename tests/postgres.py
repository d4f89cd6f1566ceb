"""A PostgreSQL server for the length of a test run, and a fresh database for each test.

The server lives in a temporary folder, listens on a Unix socket inside it and nowhere else, and trades durability for
speed: nothing it holds outlives the run. A missing PostgreSQL is a failure with a sentence, never a skipped test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

# Debian keeps the server's programs off the path, a folder for each version.
DEBIAN_FOLDER = Path("/usr/lib/postgresql")

# Fast rather than durable. Autovacuum is off because its workers connect to databases that are about to be copied.
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_connections = 200
shared_buffers = 64MB
autovacuum = off
jit = off
"""


def server_programs(path: str | None = None, debian_folder: Path = DEBIAN_FOLDER) -> Path:
    """The folder that holds initdb and pg_ctl: the newest of Debian's, else the one on the search path.

    path: a search path in the form of PATH, which is the default. Fails the test with a sentence if there is none.
    """
    versions = [folder for folder in debian_folder.glob("*/bin") if (folder / "initdb").exists()]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb", path=path)
    if found is None:
        pytest.fail(
            "PostgreSQL's server programs are missing: run `sh tests/install-system-parts.sh`, "
            'or leave its tests out with -m "not postgres".',
            pytrace=False,
        )
    return Path(found).resolve().parent


class Server:
    """A running server. Databases are named by URLs that SQLAlchemy and the program take as DATABASE_URL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)
        # One connection for all the housekeeping: opening another takes longer than copying a database.
        self._admin = psycopg.connect(self._address("postgres"), autocommit=True)

    def url(self, database: str) -> str:
        """The database's address, for SQLAlchemy, Alembic and the program."""
        return f"postgresql://workshop@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Make a database as a copy of `template` (by default an empty one); returns its name."""
        name = f"test_{next(self._numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def create_template(self, prepare: Callable[[str], None]) -> str:
        """Make a database, let `prepare` fill it through its URL, and close it so that it can be copied.

        Returns its name. Whatever `prepare` writes is in every copy; connections it leaves open are cut.
        """
        name = self.create()
        prepare(self.url(name))
        self._cut_off(name)
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._cut_off(database)
        self._run("DROP DATABASE {}", database)

    def close(self) -> None:
        """Give back the housekeeping connection; the server itself is stopped by `running_server`."""
        self._admin.close()

    def _cut_off(self, database: str) -> None:
        self._run("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", database)
        connected = "FROM pg_stat_activity WHERE datname = %s"
        self._admin.execute(f"SELECT pg_terminate_backend(pid) {connected}", [database])
        # Asking again takes a millisecond; DROP DATABASE WITH (FORCE) would look only every tenth of a second.
        for _ in range(10_000):
            if self._admin.execute(f"SELECT 1 {connected}", [database]).fetchone() is None:
                return
        pytest.fail(f"The connections to {database} could not be cut.")

    def _run(self, statement: str, *names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _address(self, database: str) -> str:
        return f"host={self.folder} user=workshop dbname={database}"


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server of its own in a temporary folder; stop it and remove the folder at the end."""
    programs = server_programs()
    # Straight under a folder that is everybody's: the path of a Unix socket may have about 100 characters, and the
    # ordinary user below cannot enter pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=roomy_memory()))
    data = folder / "data"
    # PostgreSQL refuses to be root's.
    owner = _ordinary_user() if os.geteuid() == 0 else None
    if owner is not None:
        os.chown(folder, owner, -1)

    def program(name: str, *arguments: str | Path) -> None:
        # The output goes to a file: a server that inherited a pipe would keep it open.
        with (folder / "log").open("a") as log:
            done = subprocess.run(
                [programs / name, *arguments], user=owner, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if done.returncode:
            pytest.fail(f"PostgreSQL's {name} failed:\n{(folder / 'log').read_text()}", pytrace=False)

    try:
        program("initdb", "--auth=trust", "--username=workshop", "--encoding=UTF8", "--no-locale", "--no-sync", data)
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION.format(folder=folder))
        program("pg_ctl", "start", "--wait", "--silent", "--pgdata", data)
        try:
            server = Server(folder)
            yield server
            server.close()
        finally:
            program("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate", "--pgdata", data)
    finally:
        shutil.rmtree(folder)


def roomy_memory() -> Path | None:
    """The file system in memory, where copying a database takes a tenth of the time; None if it is small or absent."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 1_000_000_000 else None


def _ordinary_user() -> int:
    """Somebody who is not root: PostgreSQL's own user where its package made one."""
    import pwd  # absent on Windows, where the tests without PostgreSQL must still load this module

    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.fail("PostgreSQL refuses to run as root, and this system has no user postgres or nobody.", pytrace=False)
