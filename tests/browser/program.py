"""The program as a process of its own, which a test may kill and start again, and a visitor that needs no browser."""

from __future__ import annotations

import http.client
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
# A name that is neither localhost nor an address: browsers treat loopback as secure, and a venue's network is not.
HOST = "museum.lan"
# Said by the program once it listens; what follows is the facilitator's address with its secret.
LINK = "Facilitator link: "
PATIENCE = 30.0


class Program:
    """`python app.py` on one port with one data folder. `start` may be called again after `kill`.

    command: what Python is to run instead.
    """

    def __init__(self, data: Path, port: int, host: str = HOST, command: Sequence[str] = ("app.py",)) -> None:
        self.data = data
        self.command = command
        self.port = port
        self.url = f"http://{host}:{port}"

    def start(self) -> str:
        """Run it until it answers. Returns the facilitator's link; fails the test when it does not come up."""
        inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        self._server = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=ROOT,
            env={
                **inherited,
                "HOST": "127.0.0.1",
                "PORT": str(self.port),
                "DATA_DIR": str(self.data),
                "PUBLIC_URL": self.url,
                "OPEN_BROWSER": "0",
                "LOG_REQUESTS": "1",
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._said = _Output(self._server)
        link = self._said.rest_of_line(LINK)
        self._wait_until_healthy()
        return link

    def log(self) -> list[str]:
        """What it has written since it said where it is."""
        return str(self._said).partition("nothing is lost.")[2].strip().splitlines()

    def kill(self) -> None:
        """End it as a power cut would: no handler runs, nothing is flushed."""
        self._server.kill()
        self._server.wait()

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C would; fails the test if it does not within 10 seconds."""
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"The program did not stop within 10 seconds.\n{self._said}", pytrace=False)

    def _wait_until_healthy(self) -> None:
        # The Host of the site: the program answers to no other name.
        health = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/healthz", headers={"Host": self.url.removeprefix("http://")}
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(health, timeout=5).close()
                return
            except urllib.error.HTTPError as error:
                pytest.fail(f"/healthz answered {error.code}.\n{self._said}", pytrace=False)
            except OSError:
                pass
            try:
                # A pause that ends early if the program does.
                self._server.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        pytest.fail(f"The program did not come up.\n{self._said}", pytrace=False)


class Visitor:
    """Somebody without a browser: keeps cookies, sends forms. For what a test needs but does not test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        """A page, redirects followed. AssertionError for an answer of 400 or more."""
        body, there = self._ask("GET", path)
        return self.get(there) if there else body

    def post(self, path: str, **fields: object) -> str:
        """Send a form; a list is sent as several fields. Returns the path that the answer leads to, if any."""
        return self._ask("POST", path, urlencode(fields, doseq=True))[1]

    def reply(self, path: str, **fields: object) -> str:
        """Send a form, and return the page that it is answered with."""
        return self._ask("POST", path, urlencode(fields, doseq=True))[0]

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[str, str]:
        line = http.client.HTTPConnection("127.0.0.1", urlsplit(self.url).port or 80, timeout=PATIENCE)
        headers = {
            "Host": urlsplit(self.url).netloc,
            "Origin": self.url,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(line):
            line.request(method, path, form, headers)
            answer = line.getresponse()
            body = answer.read().decode()
        for given in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(given).items()}
        assert answer.status < 400, f"{method} {path}: {answer.status} {body}"
        return body, urlsplit(answer.headers.get("Location", "")).path


class _Output:
    """What the program says, read as it comes so that its pipe never fills."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server
        self._lines: list[str] = []
        self._unread: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def rest_of_line(self, beginning: str) -> str:
        """Wait for a line with this beginning; what stands after it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                line = self._unread.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                pytest.fail(f"The program never said “{beginning.strip()}”. It said:\n{self}", pytrace=False)
            if beginning in line:
                return line.partition(beginning)[2].strip()

    def _listen(self) -> None:
        assert self._server.stdout is not None
        for line in self._server.stdout:
            self._lines.append(line)
            self._unread.put(line)
        self._unread.put(None)

    def __str__(self) -> str:
        return "".join(self._lines) or "(nothing)"
