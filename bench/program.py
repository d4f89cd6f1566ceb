"""The real program as a process of its own, for measurements and for tests that need the running server."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = "Facilitator link: "
PATIENCE = 30.0  # seconds to wait for anything the program should say or do
_OURS = ("HOST", "PORT", "DATA_DIR", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "OPEN_BROWSER")


class Program:
    """`python app.py …` as a child process that listens on loopback only; what it says is kept.

    data: its data folder. port: a free one by default. settings: more of its settings, by their names in the
    environment. Nothing of this process's own settings reaches it.
    """

    def __init__(
        self,
        data: Path,
        *arguments: str,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
        ours = {"HOST": "127.0.0.1", "PORT": str(self.port), "DATA_DIR": str(data), "OPEN_BROWSER": "0"}
        self.process = subprocess.Popen(
            [sys.executable, "app.py", *arguments],
            cwd=ROOT,
            env={**inherited, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **ours, **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._lines: list[str] = []
        self._unread: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def origin(self) -> str:
        """Where it is reached from here."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """All it has written so far, errors included."""
        return "".join(self._lines)

    def link(self) -> str:
        """The path of the one-time facilitator link it printed, once it listens; the port is then the one it found.

        RuntimeError if it never says so.
        """
        link = self.rest_of_line(LINK)
        origin, slash, token = link.partition("/enter/")
        self.port = int(origin.rpartition(":")[2])
        return slash + token

    def rest_of_line(self, beginning: str) -> str:
        """Wait for a line that holds `beginning`; what stands after it. RuntimeError if it never comes."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._unread.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise RuntimeError(f"The program never said “{beginning.strip()}”. It said:\n{self.said}")
            if beginning in line:
                return line.partition(beginning)[2].strip()

    def memory(self) -> int | None:
        """Its resident memory in KiB; None where the system has no /proc."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return None
        return int(status.partition("VmRSS:")[2].split()[0])

    def processor_time(self) -> float | None:
        """Seconds of processor time it has used; None where the system has no /proc."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> int:
        """Ask it to stop (SIGTERM) and wait; its exit status. subprocess.TimeoutExpired after 10 seconds."""
        self.process.terminate()
        return self.wait(10)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self.process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        self.wait(10)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait until it has ended by itself and all it said is here; its exit status."""
        status = self.process.wait(seconds)
        self._listener.join(seconds)
        return status

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)
            self._unread.put(line)
        self._unread.put(None)


@contextlib.contextmanager
def running(data: Path, port: int | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Program]:
    """The program for as long as the block runs. Whatever happens in it, no process is left behind."""
    program = Program(data, port=port, settings=settings)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.kill()
        program.wait()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
