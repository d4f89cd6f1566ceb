"""What a phone downloads, measured on the program's real answers, against the budget; in test-results/weight.json too.

Budgets are for bodies as they are sent, in bytes, 1000 to the KB; heads and redirects are measured beside them.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from facilitation.language import offered
from tests.browser.conftest import Site
from tests.browser.people import PHONE, Meeting, Phone, Venue
from tests.browser.program import Visitor
from tests.browser.test_phone import qr_path

KB = 1000


@dataclass
class Load:
    """One answer as it came over the line: `body` compressed as it was sent, `head` with its status line."""

    path: str
    status: int
    body: int
    head: int
    cached: bool
    caching: str
    packing: str
    """How the body was compressed: "gzip", or nothing for what is compressed already."""


@dataclass
class Visit:
    """Everything that was loaded for one page."""

    loads: list[Load] = field(default_factory=list)

    @property
    def answers(self) -> list[Load]:
        """What was downloaded: redirects, and the push line's own requests, are counted apart."""
        return [one for one in self.loads if not (one.cached or one.status == 303 or one.path.startswith("socket.io/"))]

    @property
    def summary(self) -> dict[str, Any]:
        """What is watched over time, in bytes."""
        return {
            "bodies": sum(load.body for load in self.answers),
            "heads": sum(load.head for load in self.answers),
            "requests": len(self.answers),
            "redirects": [load.path for load in self.loads if load.status == 303],
            "html": self.of(r"^w/"),
            "css": self.of(r"\.css$"),
            "scripts": self.of(r"\.js$"),
            "own scripts": self.of(r"js/phone\.js$"),
            "fonts": self.of(r"\.woff2$"),
        }

    def of(self, pattern: str) -> int:
        """The bytes of the bodies whose path matches."""
        return sum(load.body for load in self.answers if re.search(pattern, load.path))


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What was measured, for people who watch it over time."""
    figures: dict[str, Any] = {}
    yield figures
    folder = Path(request.config.getoption("--output"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weight.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")


@pytest.fixture
def phone(venue: Venue) -> Phone:
    """A phone that has never been here, with an empty cache."""
    return Phone(venue.context(PHONE).new_page(), venue.url)


def visit(page: Page, url: str, seen: str) -> Visit:
    """Open an address and wait until the page is complete and its push line is up."""
    found = Visit()
    begun: dict[str, Load] = {}
    from_memory: set[str] = set()

    def load_of(event: dict[str, Any], answer: dict[str, Any]) -> Load:
        heads = {name.lower(): value for name, value in answer["headers"].items()}
        cached = answer["fromDiskCache"] or event["requestId"] in from_memory
        path = answer["url"].split("/", 3)[3]
        packing = heads.get("content-encoding", "")
        caching = heads.get("cache-control", "")
        return Load(path, answer["status"], 0, answer["encodedDataLength"], cached, caching, packing)

    def on_request(event: dict[str, Any]) -> None:
        if "redirectResponse" in event:
            found.loads.append(load_of(event, event["redirectResponse"]))

    def on_answer(event: dict[str, Any]) -> None:
        begun[event["requestId"]] = load_of(event, event["response"])
        found.loads.append(begun[event["requestId"]])

    def on_end(event: dict[str, Any]) -> None:
        if load := begun.get(event["requestId"]):
            load.body = max(0, event["encodedDataLength"] - load.head)

    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.on("Network.requestServedFromCache", lambda event: from_memory.add(event["requestId"]))
    line.on("Network.requestWillBeSent", on_request)
    line.on("Network.responseReceived", on_answer)
    line.on("Network.loadingFinished", on_end)
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("data-io", "up")
    expect(page.locator("#now")).to_contain_text(seen)
    page.wait_for_load_state("networkidle")
    line.detach()
    return found


def pushes(phone: Phone) -> list[str]:
    """Every fragment that this phone will be sent over its push line, as it comes."""
    heard: list[str] = []

    def listen(frame: str | bytes) -> None:
        if '["now"' in str(frame):
            heard.append(str(frame))

    phone.page.on("websocket", lambda line: line.on("framereceived", listen))
    return heard


def test_the_first_visit_of_a_phone_keeps_to_its_budget(
    phone: Phone, meeting: Meeting, figures: dict[str, Any], site: Site
) -> None:
    meeting.move("open")
    first = visit(phone.page, site.url + qr_path(site, meeting), "To what extent")
    figures["first visit"] = {**first.summary, "loads": [asdict(load) for load in first.loads]}
    print(json.dumps(first.summary))
    assert len(first.answers) <= 7, [load.path for load in first.answers]
    assert {load.path: load.packing for load in first.answers if load.packing != "gzip"} == {
        load.path: "" for load in first.answers if load.path.endswith(".woff2")
    }
    limits = {"bodies": 65, "html": 4, "css": 7, "scripts": 33, "own scripts": 3, "fonts": 26}
    assert {name: first.summary[name] for name, limit in limits.items() if first.summary[name] > limit * KB} == {}


def test_static_files_have_hashed_addresses_and_are_kept_for_ever(phone: Phone, meeting: Meeting, site: Site) -> None:
    seen = visit(phone.page, site.url + qr_path(site, meeting), "Keep this page open")
    files = [load for load in seen.answers if load.path.startswith("static/")]
    assert len(files) == 6
    for load in files:
        assert re.match(r"static/[0-9a-f]{12}/", load.path), load
        assert load.caching == "public, max-age=31536000, immutable", load
    pages = [load for load in seen.loads if load not in files and not load.path.startswith("socket.io/")]
    assert {load.caching for load in pages} == {"no-store"}


def test_the_second_visit_downloads_the_page_alone(
    phone: Phone, meeting: Meeting, figures: dict[str, Any], site: Site
) -> None:
    visit(phone.page, site.url + qr_path(site, meeting), "Keep this page open")
    phone.page.goto(f"{phone.url}/about")
    second = visit(phone.page, f"{phone.url}/w/{meeting.code}", "Keep this page open")
    figures["second visit"] = {**second.summary, "loads": [asdict(load) for load in second.loads]}
    print(json.dumps(second.summary))
    assert [load.path for load in second.answers] == [f"w/{meeting.code}"]
    assert second.summary["bodies"] + second.summary["heads"] <= 3 * KB


@pytest.mark.parametrize("language", offered())
def test_what_is_pushed_stays_under_a_kilobyte_and_a_half(
    venue: Venue, home: Visitor, figures: dict[str, Any], language: str
) -> None:
    meeting = Meeting.set_up(home, keys=["tackling-inequality-04"])  # the longest question
    meeting.join(23)
    person = meeting.people[0]
    person.cookies["language"] = language
    phone = venue.phone(person)
    heard = pushes(phone)
    phone.open(meeting.code)
    screen = venue.screen(meeting.facilitator, meeting.code)
    meeting.facilitator.get(f"/f/{meeting.code}/screen")
    sizes: dict[str, int] = {}

    def weigh(name: str, visitor: Visitor, path: str) -> None:
        sizes[name] = len(gzip.compress(visitor.get(path).encode(), 9))

    for vote, answers in (("first", "1223334444555" + "3344332244"), ("second", "2223334444555" + "3344334455")):
        meeting.move("open" if vote == "first" else "revote")
        phone.expect_scene("voting")
        weigh(f"{vote} question", person, f"/w/{meeting.code}/now")
        meeting.vote(answers)
        screen.expect_text("23 answers are in the chart")
        weigh("live picture", meeting.facilitator, f"/s/{meeting.code}/now")
        meeting.move("close")
        phone.expect_scene("revealed")
        weigh(f"{vote} results", person, f"/w/{meeting.code}/now")
    figures[f"pushed, gzip 9, {language}"] = sizes
    figures[f"pushed to a phone, as sent, {language}"] = [len(frame.encode()) for frame in heard]
    print(json.dumps({"gzip 9": sizes, "as sent": figures[f"pushed to a phone, as sent, {language}"]}))
    assert len(heard) == 4, "one push for each move"
    # There is one screen, not five hundred, and the QR code in its corner comes with every picture.
    assert {name: size for name, size in sizes.items() if size > (2 if name == "live picture" else 1.5) * KB} == {}


def test_a_vote_costs_a_kilobyte_each_way(phone: Phone, meeting: Meeting, figures: dict[str, Any]) -> None:
    meeting.move("open")
    phone.join(meeting.code).expect_connected()
    with phone.page.expect_request_finished(lambda request: request.url.endswith("/ballot")) as cast:
        phone.answer("4")
    phone.expect_counted("4, Largely")
    sizes = cast.value.sizes()
    sent = sizes["requestHeadersSize"] + sizes["requestBodySize"]
    got = sizes["responseHeadersSize"] + sizes["responseBodySize"]
    figures["vote, with heads"] = {"sent": sent, "got": got}
    print(json.dumps(figures["vote, with heads"]))
    assert sent <= KB
    assert got <= KB


def test_no_phone_hears_anything_because_somebody_else_votes(venue: Venue, meeting: Meeting) -> None:
    meeting.join(6)
    meeting.move("open")
    phone = venue.phone()
    heard = pushes(phone)
    phone.join(meeting.code).expect_connected()
    screen = venue.screen(meeting.facilitator, meeting.code)
    meeting.vote("112233")
    screen.expect_turnout(6, 7)
    # A push for everybody comes after them: whatever they had caused would have come before it.
    meeting.move("close")
    phone.expect_title("Results: question 9.1")
    assert len(heard) == 1
