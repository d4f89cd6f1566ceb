"""Fixtures for tests in a real browser: the program as a process, a venue full of people, and what no page may do."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.gallery import Gallery
from tests.browser.people import DESK, PHONE, WALL, Meeting, Venue, Watch
from tests.browser.program import HOST, Program, Visitor

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
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
PASSED: pytest.StashKey[bool] = pytest.StashKey()

Axe = Callable[..., None]

# A busy machine is no fault of the page: what should come is waited for longer than usual.
expect.set_options(timeout=15_000)


@dataclass(frozen=True, slots=True)
class Site:
    """The running program as a browser finds it."""

    url: str
    """http://museum.lan:PORT, without a slash at the end; not a secure context, as in a venue."""
    facilitator: str
    """The address that the program printed for the facilitator. It works once."""
    data: Path
    """Its data folder."""
    program: Program
    """The process, for tests that kill it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder: they all need Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for `venue`, which then takes pictures."""
    report = yield
    if report.failed:
        item.stash[PASSED] = False
    return report


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
    program = Program(tmp_path_factory.mktemp("data"), free_port())
    link = program.start()
    yield Site(program.url, link, program.data, program)
    program.stop()


@pytest.fixture(scope="module")
def home(site: Site) -> Visitor:
    """The facilitator without a browser, with the one-time link of this module's program used up."""
    visitor = Visitor(site.url)
    visitor.get(site.facilitator.removeprefix(site.url))
    return visitor


@pytest.fixture(scope="module")
def shared_venue(site: Site, browser: Browser) -> Iterator[Venue]:
    """The browsers that stay open for a whole module. Tests ask for `venue`, which also watches them."""
    venue = Venue(site.url, browser)
    yield venue
    venue.close()


@pytest.fixture
def venue(shared_venue: Venue, request: pytest.FixtureRequest) -> Iterator[Venue]:
    """Where people open their phones, screens and consoles; those whom a test let in leave with it.

    Each test must end quiet: no policy breach, no script error, no request to anybody else on any page of the venue.
    After a failure there is a picture of every page in test-results/.
    """
    before = shared_venue.people
    shared_venue.watch.begin()
    yield shared_venue
    if not request.node.stash.get(PASSED, True):
        folder = Path(request.config.getoption("--output")) / re.sub(r"\W+", "-", request.node.nodeid)
        for number, page in enumerate(shared_venue.pages(), start=1):
            page.screenshot(path=folder / f"{number}.png")
    shared_venue.close(leaving=before)
    shared_venue.watch.assert_quiet()


@pytest.fixture
def meeting(home: Visitor) -> Meeting:
    """A session in the lobby with the six questions of Tackling Inequality, live results and k = 3."""
    return Meeting.set_up(home)


@pytest.fixture(scope="module")
def gallery(home: Visitor) -> Gallery:
    """The sessions that this module looks at."""
    return Gallery(home)


@pytest.fixture(scope="module")
def wall(shared_venue: Venue) -> Page:
    """A window of the size of a projector, used for all screens."""
    return shared_venue.context({**WALL, "viewport": {"width": 1920, "height": 1080}}).new_page()


@pytest.fixture(scope="module")
def desk(shared_venue: Venue) -> Page:
    """A laptop's window, used for all consoles and the pages around them."""
    return shared_venue.context(DESK).new_page()


@pytest.fixture(scope="module")
def hand(shared_venue: Venue) -> Page:
    """A phone, used for all sessions."""
    return shared_venue.context(PHONE).new_page()


@pytest.fixture
def sight(wall: Page, desk: Page, hand: Page) -> dict[str, Page]:
    """The window in which a surface is looked at."""
    return {"screen": wall, "console": desk, "phone": hand, "page": desk}


@pytest.fixture
def quiet(page: Page, site: Site) -> Iterator[Page]:
    """The page, which must end without policy breaches, script errors and requests to anybody else."""
    watch = Watch(site.url)
    watch.over(page, "page")
    yield page
    watch.assert_quiet()


@pytest.fixture
def axe() -> Axe:
    """Looks for accessibility faults in a page as it stands, and fails with what was found and where.

    `colours_only`: for the same page in another theme, which changes nothing else. `colours_apart`: for forced colours,
    which are the reader's own, and of which a script is told the page's.
    """

    def run(page: Page, colours_only: bool = False, colours_apart: bool = False) -> None:
        # Evaluated rather than added as a script: the pages' policy would refuse the tag.
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        rules = {"type": "rule", "values": ["color-contrast"]} if colours_only else {"type": "tag", "values": TAGS}
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        if colours_apart:
            options["rules"] = {"color-contrast": {"enabled": False}}
        found = page.evaluate("options => axe.run(document, options)", options)
        bad = [
            f"{rule['id']} {node['target']}: {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]
        assert not bad, "\n".join(bad)

    return run


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
