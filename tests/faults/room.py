"""A session in a real process, with people who remember what was acknowledged to them."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from facilitation import ballots, keys
from tests.faults.disk import Change, read_log

HERE = Path(__file__).parent
LINK = "Facilitator link: "
PATIENCE = 30.0  # seconds for anything the program should say or do
K = 3  # the smallest group that is shown, in every session here


def until(met: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Ask again until the answer is true, and return it; the test fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := met()):
        if time.monotonic() > deadline:
            pytest.fail(f"It never happened that {what}.")
        threading.Event().wait(0.01)
    return found


def build_shim(folder: Path) -> Path:
    """The compiled shim; fails the test with a sentence where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.fail(
            "These tests need Linux and a C compiler: run `sh tests/install-system-parts.sh`, "
            'or leave them out with -m "not process".',
            pytrace=False,
        )
    made = folder / "shim.so"
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", made, HERE / "shim.c", "-ldl", "-pthread"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.fail(f"The shim between the program and its disk did not compile:\n{done.stderr}", pytrace=False)
    return made


class Nursery:
    """Where programs are started: one process that has imported everything and forks (see runner.py)."""

    def __init__(self, shim: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "runner.py")],
            env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._turn = threading.Lock()

    def ask(self, order: dict[str, Any]) -> Any:
        """Send one order, and return its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "the runner has ended"
        return json.loads(answer)

    def close(self) -> None:
        """End it, and with it whatever it started."""
        self._process.kill()
        self._process.communicate()


@dataclass
class Disturbed:
    """How a program is to be started: see runner.py and shim.c."""

    point: str = ""
    changed: Sequence[str] = ("never look round",)
    database_url: str = ""
    recorded: bool = False
    disk: str = ""
    outside: Path | None = None  # where what lies beside the data folder is put instead
    settings: Mapping[str, str] = field(default_factory=dict)  # more of the program's own settings


class Program:
    """The program in a process of its own. Beside `data`, its data folder, lie what it said, its record, its faults."""

    def __init__(self, nursery: Nursery, data: Path, how: Disturbed | None = None) -> None:
        self._nursery, self.data, how = nursery, data, how or Disturbed()
        self.outside = how.outside or data.parent
        self.said, self.log = self.outside / "said.txt", self.outside / "record"
        self._armed, self._control = self.outside / "armed", self.outside / "control"
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self._begins = self.said.stat().st_size if self.said.exists() else 0
        for left in (self._armed, self._control):
            left.unlink(missing_ok=True)
        if how.point.startswith("start:"):
            self.arm()
        self.disturb(how.disk)
        environ = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PUBLIC_URL": self.origin,
            "DATA_DIR": str(data),
            "DATABASE_URL": how.database_url,
            "REDIS_URL": "",
            "OPEN_BROWSER": "0",
            "FAULTS_ROOT": str(data),
            "FAULTS_CONTROL": str(self._control),
            "FAULTS_LOG": str(self.log) if how.recorded else "",
            **how.settings,
        }
        run = {
            "environ": environ,
            "said": str(self.said),
            "point": how.point,
            "armed": str(self._armed),
            "changed": list(how.changed),
        }
        self.pid: int = nursery.ask({"run": run})["pid"]
        self._ended: int | None = None

    def link(self) -> str:
        """The one-time facilitator link, as a path, once it listens."""

        def said() -> str:
            words = self.words()
            if self.ended(0):
                pytest.fail(f"The program ended:\n{words}", pytrace=False)
            _, found, rest = words.partition(LINK)
            return rest.partition("\n")[0] if found and "\n" in rest else ""

        return "/enter/" + str(until(said, "the program said its link")).partition("/enter/")[2]

    def words(self) -> str:
        """What it has said since it was started."""
        return self.said.read_bytes()[self._begins :].decode() if self.said.exists() else ""

    def arm(self) -> None:
        """From now on the point it was started with is deadly."""
        self._armed.touch()

    def disturb(self, fault: str) -> None:
        """A fault of the disk from now on (see shim.c); none for an empty text."""
        if fault:
            # made elsewhere and moved there, so that it is never read half written
            draft = self.outside / "control.new"
            draft.write_text(fault)
            draft.replace(self._control)
        else:
            self._control.unlink(missing_ok=True)

    def recorded(self) -> list[Change]:
        """Every change of a file so far."""
        return read_log(self.log)

    def recorded_so_far(self) -> int:
        """How long the record is now: what is done later stands behind this place."""
        return self.log.stat().st_size

    def kill(self) -> None:
        """SIGKILL, from outside."""
        if self._ended is None:
            os.kill(self.pid, signal.SIGKILL)
            self.ended()

    def stop(self) -> int | None:
        """As Ctrl-C; the exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return self.ended()

    def ended(self, seconds: float = PATIENCE) -> int | None:
        """Wait until it has ended; its exit status, negative for a signal, or None if it has not."""
        if self._ended is None:
            self._ended = self._nursery.ask({"wait": self.pid, "seconds": max(seconds, 0.005)})["status"]
        return self._ended


class Died(Exception):
    """The program ended before it answered."""


class Browser:
    """Somebody's browser: keeps cookies, sends forms, knows no JavaScript."""

    def __init__(self, cookies: dict[str, str] | None = None) -> None:
        self.cookies = dict(cookies or {})
        self._line: tuple[int, http.client.HTTPConnection] | None = None

    def gets(self, program: Program, path: str) -> tuple[int, str]:
        """Status and text of an answer; of a redirect, its address. Died if none came."""
        return self._ask(program, "GET", path, None)

    def posts(self, program: Program, path: str, form: dict[str, object] | list[tuple[str, object]]) -> tuple[int, str]:
        """Send a form, as htmx does."""
        return self._ask(program, "POST", path, urlencode(form))

    def __deepcopy__(self, _memo: object) -> Browser:
        return Browser(self.cookies)  # a connection is nothing to copy

    def _ask(self, program: Program, method: str, path: str, body: str | None) -> tuple[int, str]:
        headers = {"Origin": program.origin, "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        if self._line is None or self._line[0] != program.port:
            self._line = program.port, http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
        line = self._line[1]
        if line.sock and select.select([line.sock], [], [], 0)[0]:
            line.close()  # the program has hung up meanwhile; a browser opens another connection, and so does this
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            line.close()
            self._line = None
            raise Died from error
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("HX-Redirect") or answer.headers.get("Location") or text


@dataclass
class Phone:
    """A phone: `acknowledged` is its last answer in each round that the program said was saved, with its seq."""

    browser: Browser
    seq: int = 0
    acknowledged: dict[int, tuple[int, str]] = field(default_factory=dict)
    unsure: dict[int, tuple[int, str]] = field(default_factory=dict)  # sent, and no answer came

    @property
    def secret(self) -> bytes:
        """The device secret, out of the cookie."""
        cookie = next(value for name, value in self.browser.cookies.items() if name.startswith("p_"))
        return base64.urlsafe_b64decode(cookie.partition(".")[0] + "==")

    def votes(self, program: Program, code: str, round_id: int, choice: str) -> int:
        """Send an answer, or another one; the status. Died if the program died of it."""
        self.seq += 1
        form = {"round": round_id, "choice": choice, "seq": self.seq, "direction": ""}
        self.unsure[round_id] = self.seq, choice
        status, _ = self.browser.posts(program, f"/w/{code}/ballot", form)
        del self.unsure[round_id]
        if status == 200:
            self.acknowledged[round_id] = self.seq, choice
        return status


class Session:
    """One session: Freya, who facilitates it, and people with phones. It outlives the program that serves it."""

    def __init__(self) -> None:
        self.freya = Browser()
        self.code = ""
        self.phones: list[Phone] = []

    @classmethod
    def set_up(
        cls, program: Program, people: int, questions: int = 2, mode: str = "reveal", enter: bool = True
    ) -> Session:
        """Set one up and let people in: still in the lobby."""
        made = cls()
        if enter:
            made.enters(program)
        made.begins(program, people, questions, mode)
        return made

    def enters(self, program: Program) -> None:
        """Freya uses the program's one-time link."""
        assert self.freya.gets(program, program.link())[0] == 303

    def begins(self, program: Program, people: int, questions: int = 2, mode: str = "reveal") -> None:
        """Set up a session and let people in."""
        form = {"title": "Away day", "museum": "Wexcombe Mill Museum", "held_on": "2026-11-21"}
        _, to = self.freya.posts(program, "/sessions", form)
        self.code = to.split("/")[2]
        keys = ("purpose-01", "purpose-02", "governance-01", "governance-02")[:questions]
        self._done(program, "agenda", [("key", key) for key in keys])
        self._done(program, "setup", {**form, "k": K, "mode": mode})
        self.phones = [Phone(Browser()) for _ in range(people)]
        for phone in self.phones:
            assert phone.browser.posts(program, "/join", {"code": self.code})[0] in (200, 303)

    def _done(self, program: Program, what: str, form: dict[str, object] | list[tuple[str, object]]) -> None:
        status, text = self.freya.posts(program, f"/f/{self.code}/{what}", form)
        assert status == 200, text

    def asks_to(self, program: Program, move: str) -> tuple[int, str]:
        """Ask for a move, naming the version that the console shows now."""
        _, page = self.freya.gets(program, f"/f/{self.code}")
        found = re.search(r'data-order="(\d+)\.', page)
        assert found, page
        return self.freya.posts(program, f"/f/{self.code}/move", {"move": move, "version": found[1]})

    def moves(self, program: Program, *moves: str) -> None:
        """Make moves that must succeed."""
        for move in moves:
            status, text = self.asks_to(program, move)
            assert status == 200, f"{move}: {status} {text}"

    def round_id(self, program: Program) -> int:
        """The round on the phones' page."""
        _, page = self.phones[0].browser.gets(program, f"/w/{self.code}/now")
        found = re.search(r'data-round="(\d+)"', page)
        assert found, page
        return int(found[1])

    def answers(self, program: Program, choices: Sequence[str]) -> int:
        """Everyone answers the open question, and has it acknowledged; the round."""
        round_id = self.round_id(program)
        for phone, choice in zip(self.phones, choices, strict=True):
            assert phone.votes(program, self.code, round_id, choice) == 200
        return round_id

    def acknowledged(self, round_id: int) -> dict[bytes, tuple[int, str]]:
        """device secret -> (seq, choice): what this round must hold."""
        return {p.secret: p.acknowledged[round_id] for p in self.phones if round_id in p.acknowledged}

    def counts(self, round_id: int) -> dict[str, int]:
        """What this round must count."""
        return dict(Counter(choice for _, choice in self.acknowledged(round_id).values()))


@dataclass(frozen=True)
class Stored:
    """All that bears on secrecy in a data folder on SQLite, read with nothing of the program's own transactions.

    rounds: id -> (state, counts without noughts, ballots cast). filed: round -> slot -> (seq, sealed).
    """

    stages: tuple[str, ...]
    rounds: dict[int, tuple[str, dict[str, int] | None, int | None]]
    filed: dict[int, dict[bytes, tuple[int, bytes]]]
    keys: dict[int, bytes]

    @classmethod
    def of(cls, data: Path) -> Stored:
        """Read it."""
        with contextlib.closing(sqlite3.connect(data / "workshop.db")) as line:
            stages = tuple(stage for (stage,) in line.execute("SELECT stage FROM workshops ORDER BY id"))
            rounds = {
                id_: (state, _counts(counts), cast)
                for id_, state, counts, cast in line.execute("SELECT id, state, counts, ballots_cast FROM rounds")
            }
            filed: dict[int, dict[bytes, tuple[int, bytes]]] = {}
            for id_, slot, seq, sealed in line.execute("SELECT round_id, slot, seq, sealed FROM ballots"):
                filed.setdefault(id_, {})[slot] = seq, sealed
        return cls(stages, rounds, filed, keys_in(data))

    def of_phone(self, round_id: int, secret: bytes) -> tuple[int, str] | None:
        """(seq, choice) of one phone in an open round."""
        slot = ballots.slot_of(self.keys[round_id], secret)
        row = self.filed.get(round_id, {}).get(slot)
        return (row[0], ballots.unseal(self.keys[round_id], round_id, slot, row[1]).choice) if row else None

    def open_rounds(self) -> set[int]:
        """The rounds that take ballots."""
        return {id_ for id_, (state, _, _) in self.rounds.items() if state == "open"}


def keys_in(data: Path) -> dict[int, bytes]:
    """round -> key: every whole key in the key file."""
    raw = (data / "rounds.keys").read_bytes()
    slots = [raw[at : at + 64] for at in range(0, len(raw), 64)]
    return {found: slot[8:40] for slot in slots if (found := keys._round_in(slot)) is not None}


def _counts(stored: str | None) -> dict[str, int] | None:
    found = json.loads(stored) if stored else None
    return {choice: n for choice, n in found.items() if n} if found else None


def free_port() -> int:
    """A port above 8900 that nobody listens on at this moment."""
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        if port > 8900:
            return port


@contextlib.contextmanager
def running(nursery: Nursery, data: Path, how: Disturbed | None = None) -> Iterator[Program]:
    """The program for as long as the block runs; no process is left behind."""
    program = Program(nursery, data, how)
    try:
        yield program
    finally:
        program.kill()
