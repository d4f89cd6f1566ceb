"""Fixtures for tests in a real browser: the program as a process of its own, a phone, and what no page may do."""

from __future__ import annotations

import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page, Request

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# A name that is neither localhost nor an address: browsers treat loopback as secure, and a venue's network is not.
HOST = "museum.lan"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
]
AXE = Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Said by the program once it listens; what follows is the facilitator's address with its secret.
LINK = "Facilitator link: "
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Site:
    """The running program as a browser finds it."""

    url: str
    """http://museum.lan:PORT, without a slash at the end; not a secure context, as in a venue."""
    facilitator: str
    """The address that the program printed for the facilitator."""
    data: Path
    """Its data folder."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder: they all need Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, with a back-forward cache as people have it."""
    if CHROMIUM is None:
        pytest.fail(
            "Chromium is missing: run `sh tests/install-system-parts.sh`, set CHROMIUM to its path, "
            'or leave its tests out with -m "not browser".',
            pytrace=False,
        )
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": FLAGS,
        "ignore_default_args": ["--disable-back-forward-cache"],
    }


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A phone, with what its browser leaves of the screen. A test of the wall opens a context of its own."""
    return {
        **browser_context_args,
        "viewport": {"width": 390, "height": 664},
        "is_mobile": True,
        "device_scale_factor": 2,
        "has_touch": True,
        "locale": "en-GB",
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real server in a process of its own: gevent's and Playwright's greenlets must not meet in one."""
    data = tmp_path_factory.mktemp("data")
    port = _free_port()
    url = f"http://{HOST}:{port}"
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    server = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={
            **inherited,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATA_DIR": str(data),
            "PUBLIC_URL": url,
            "OPEN_BROWSER": "0",
            "PYTHONUNBUFFERED": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    said = _Output(server)
    try:
        facilitator = said.rest_of_line(LINK)
        _wait_until_healthy(server, port, said)
        yield Site(url, facilitator, data)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            pytest.fail(f"The program did not stop within 10 seconds.\n{said}", pytrace=False)


@pytest.fixture
def quiet(page: Page, site: Site) -> Iterator[Page]:
    """The page, which must end without policy breaches, script errors and requests to anybody else."""
    trouble: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            trouble.append(message.text)

    def on_script_error(error: Error) -> None:
        trouble.append(str(error))

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{site.url}/", "data:")):
            trouble.append(f"request to {request.url}")

    page.on("console", on_console)
    page.on("pageerror", on_script_error)
    page.on("request", on_request)
    yield page
    assert not trouble, "\n".join(trouble)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Looks for accessibility faults in a page as it stands, and fails with what was found and where."""

    def run(page: Page) -> None:
        # Evaluated rather than added as a script: the pages' policy would refuse the tag.
        page.evaluate(AXE)
        found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
        bad = [
            f"{rule['id']} {node['target']}: {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]
        assert not bad, "\n".join(bad)

    return run


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


def _wait_until_healthy(server: subprocess.Popen[str], port: int, said: _Output) -> None:
    # The Host of the site: the program answers to no other name.
    health = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": f"{HOST}:{port}"})
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(health, timeout=5).close()
            return
        except urllib.error.HTTPError as error:
            pytest.fail(f"/healthz answered {error.code}.\n{said}", pytrace=False)
        except OSError:
            pass
        try:
            # A pause that ends early if the program does.
            server.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"The program did not come up.\n{said}", pytrace=False)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
