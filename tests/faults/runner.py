"""Runs the program with a fault built in, so that the program needs no hooks: its functions are wrapped from outside.

Started once for a test run, it imports the program and then forks a process for each order that comes as a line of
JSON on its standard input, because importing takes ten times as long as starting:

    {"run": {"environ": {…}, "said": path, "point": name, "armed": path, "changed": […]}}    -> {"pid": 123}
    {"wait": 123, "seconds": 30}                                                             -> {"status": 0 | null}

point: where the process kills itself, as soon as the file `armed` exists (POINTS). changed: what is set otherwise than
it is shipped, for controls (CHANGES). A status is an exit status, or negative for a signal.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import alembic.op
from sqlalchemy import Engine, event, text

import app
from facilitation import committer, gate, keys, serving, store, wire, workshop
from facilitation.stages import Effect

# The parent must never have an event loop of gevent: a fork would share it.
_fork = monkey.get_original("os", "fork")
_waitpid = monkey.get_original("os", "waitpid")
_sleep = monkey.get_original("time", "sleep")
_die_with_parent = 1  # PR_SET_PDEATHSIG


Fault = Callable[[Callable[[], None]], None]


def before(owner: Any, name: str) -> Fault:
    """Die when this function is called."""

    def build_in(die: Callable[[], None]) -> None:
        real = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            die()
            return real(*args, **kwargs)

        setattr(owner, name, wrapped)

    return build_in


def after(owner: Any, name: str) -> Fault:
    """Die when this function is about to return."""

    def build_in(die: Callable[[], None]) -> None:
        real = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            found = real(*args, **kwargs)
            die()
            return found

        setattr(owner, name, wrapped)

    return build_in


def half_way_through(owner: Any, name: str) -> Fault:
    """Die when this function, whose last argument is what it writes, has written the first half."""

    def build_in(die: Callable[[], None]) -> None:
        real = getattr(owner, name)

        def wrapped(*args: Any) -> Any:
            if die.armed():  # type: ignore[attr-defined]
                real(*args[:-1], args[-1][: len(args[-1]) // 2])
                die()
            return real(*args)

        setattr(owner, name, wrapped)

    return build_in


POINTS: dict[str, Fault] = {
    "cast: before its transaction": before(workshop.BallotBox, "file"),
    "cast: filed, not committed": after(store, "file_ballots"),
    "cast: committed, the room not told": before(workshop.BallotBox, "_note"),
    "cast: committed, not answered": after(committer, "_carry_out"),
    "close: asked for": before(workshop, "make_move"),
    "close: counted, ballots still there": before(store, "forget_ballots"),
    "close: ballots forgotten, not committed": after(store, "forget_ballots"),
    "close: committed, key still whole": before(keys.KeyFile, "destroy"),
    "close: key half overwritten": half_way_through(keys, "_write"),
    "close: key overwritten, not flushed": before(keys, "_flush"),
    "close: key destroyed, log not emptied": before(store, "truncate_log"),
    "close: log emptied, not answered": after(store, "truncate_log"),
    "open: before its key": before(keys.KeyFile, "make"),
    "open: key half written": half_way_through(keys, "_write"),
    "open: key made, not committed": after(keys.KeyFile, "make"),
    "open: committed, not answered": after(committer, "_carry_out"),
    "next: committed, the old key still there": before(keys.KeyFile, "destroy"),
    "finish: committed, key still whole": before(keys.KeyFile, "destroy"),
    "delete: committed, key still whole": before(keys.KeyFile, "destroy"),
    "start: tables half made": before(alembic.op, "batch_alter_table"),
    "start: nothing looked at yet": before(store, "open_rounds"),
    "start: before keys are destroyed": before(keys.KeyFile, "destroy_all_except"),
    "start: key half overwritten": half_way_through(keys, "_write"),
    "start: keys destroyed, log not emptied": before(store, "truncate_log"),
    "start: recovered, no link yet": before(workshop, "grant"),
}
"""Where a process can be made to kill itself, by what has happened and what has not."""


def _pragma(words: str) -> Callable[[], None]:
    def change() -> None:
        prepare = store.prepare_engine

        def prepared(engine: Engine) -> Engine:
            prepare(engine)
            event.listen(engine, "connect", lambda connection, _record: connection.execute(f"PRAGMA {words}"))
            return engine

        store.prepare_engine = prepared

    return change


def _keep_keys_in_the_database() -> None:
    """What others do: the key beside the ballots, deleted when the round closes."""
    opened, counted = workshop._EFFECTS[Effect.OPEN], workshop._EFFECTS[Effect.COUNT]

    def with_key(session: Any, keys: Any, found: Any, *more: Any) -> None:
        opened(session, keys, found, *more)
        key = keys.read(found.round_id).hex()
        session.execute(text("INSERT INTO issued_codes VALUES (:key)"), {"key": key})

    def without_key(session: Any, keys: Any, found: Any, *more: Any) -> None:
        session.execute(text("DELETE FROM issued_codes WHERE code = :key"), {"key": keys.read(found.round_id).hex()})
        counted(session, keys, found, *more)

    workshop._EFFECTS[Effect.OPEN], workshop._EFFECTS[Effect.COUNT] = with_key, without_key


def _never_look_round() -> None:
    serving.LOOK_ROUND_EVERY = 3600.0


def _look_round_often() -> None:
    serving.LOOK_ROUND_EVERY = 0.1


def _hasty() -> None:
    """Short time-outs everywhere: what takes a minute as shipped takes a few seconds."""
    serving.IDLE = serving.HEAD_WITHIN = serving.BODY_WITHIN = 3.0
    wire.GREETING = 3.0
    gate.POLLING_SILENCE = 4.0
    made = app.SocketIO

    def with_short_pings(*args: Any, **kwargs: Any) -> Any:
        return made(*args, **{**kwargs, "ping_interval": 2, "ping_timeout": 1})

    app.SocketIO = with_short_pings  # type: ignore[assignment, misc]


def _frames_of_any_length() -> None:
    wire.LARGEST_MESSAGE = 2**30


CHANGES: dict[str, Callable[[], None]] = {
    "synchronous=NORMAL": _pragma("synchronous=NORMAL"),
    "synchronous=OFF": _pragma("synchronous=OFF"),
    "secure_delete=OFF": _pragma("secure_delete=OFF"),
    "keys in the database": _keep_keys_in_the_database,
    "never look round": _never_look_round,
    "look round often": _look_round_often,
    "hasty": _hasty,
    "frames of any length": _frames_of_any_length,
}
"""What a control sets otherwise than it is shipped, and how patient the program is between its looks."""


class _Die:
    def __init__(self, armed: str) -> None:
        self._armed = Path(armed)

    def armed(self) -> bool:
        return self._armed.exists()

    def __call__(self) -> None:
        if self.armed():
            os.kill(os.getpid(), signal.SIGKILL)


def _run(order: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_die_with_parent, signal.SIGKILL)
    os.environ.update(order["environ"])
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, into in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(fd, into)
    for name in order["changed"]:
        CHANGES[name]()
    if order["point"]:
        POINTS[order["point"]](_Die(order["armed"]))
    status = app.main([])
    sys.stdout.flush()
    os._exit(status)


def _wait(pid: int, seconds: float) -> int | None:
    for _ in range(int(seconds / 0.005)):
        found, status = _waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        _sleep(0.005)
    return None


def main() -> None:
    """Carry out orders until there are no more."""
    importlib.import_module("facilitation.migrations.versions.0001_the_first_tables")
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            print(json.dumps({"status": _wait(order["wait"], order["seconds"])}), flush=True)
            continue
        pid = _fork()
        if pid == 0:
            try:
                _run(order["run"])
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(70)
        print(json.dumps({"pid": pid}), flush=True)


if __name__ == "__main__":
    main()
