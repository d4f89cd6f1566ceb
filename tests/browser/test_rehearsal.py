"""A rehearsal in browsers, from the first page to its deletion; each question has another preset of people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Axe, Site, free_port
from tests.browser.people import Facilitator, Venue
from tests.browser.program import Program, Visitor

RIBBON = "Rehearsal: not anonymous"
PATIENCE = 20_000  # ms: half a minute and more of the quick clock


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The program on a quick clock."""
    program = Program(tmp_path_factory.mktemp("data"), free_port(), command=("-m", "tests.browser.quick"))
    link = program.start()
    yield Site(program.url, link, program.data, program)
    program.stop()


def steer(console: Facilitator, button: str) -> None:
    console.page.click(f"#rehearse-{button}")


def expect_all(console: Facilitator, people: int) -> None:
    """Wait until so many have come and all have answered."""
    expect(console.page.locator("#turnout")).to_have_text(f"{people} of {people} have answered", timeout=PATIENCE)


def test_a_whole_rehearsal_preset_by_preset(venue: Venue, home: Visitor, axe: Axe) -> None:
    console = venue.facilitator(home)
    page = console.page
    page.goto(f"{venue.url}/home")
    page.click("#rehearse")
    console.expect_connected()
    code = console.code
    steer(console, "people-8")
    screen, phone = console.open_screen(), venue.phone().join(code)
    expect(console.heading).to_have_text("9 people are here", timeout=PATIENCE)
    everywhere = (console, screen, phone)
    for surface in everywhere:
        expect(surface.page.locator(".ribbon")).to_have_text(RIBBON)
    axe(page)

    steer(console, "preset-camps")
    console.press("Open question")
    phone.answer("NR")
    expect_all(console, 9)
    console.press("Close voting")
    console.expect_text("Spread of answers: Far apart")
    for surface in everywhere:
        expect(surface.page.locator(".ribbon")).to_have_text(RIBBON)
    console.press("Start talking")

    steer(console, "preset-wifi")
    console.press("Next question")
    phone.answer("4")
    screen.expect_text("Many phones have lost the connection")
    console.expect_text("8 phones have dropped off")
    axe(screen.page)
    expect_all(console, 9)
    screen.expect_no_text("Many phones have lost the connection")
    console.press("Close voting")
    console.press("Start talking")

    steer(console, "preset-few")
    console.press("Next question")
    phone.answer("1")
    expect_all(console, 4)  # three, and the phone in somebody's hand
    console.press("Close voting")
    console.press("Close anyway")
    screen.expect_text("4 people have answered")
    console.press("Start talking")

    page.click("#report")
    expect(page.locator(".ribbon")).to_have_text(RIBBON)
    expect(page.locator("a[download]")).to_have_count(0)
    console.open_console(code)
    venue.watch.forgive("404")  # the phone and the screen ask once more
    page.click("#rehearsal > summary")
    page.click("#end-rehearsal")
    expect(console.heading).to_have_text("Your sessions")
    expect(page.locator(f"#end-{code}")).to_have_count(0)
    assert page.goto(f"{venue.url}/f/{code}").status == 404  # type: ignore[union-attr]


def test_the_example_opens_at_its_report_under_its_ribbon(venue: Venue, home: Visitor, axe: Axe) -> None:
    page = venue.facilitator(home).page
    page.goto(f"{venue.url}/home")
    axe(page)
    page.click("#example")
    page.wait_for_url("**/report", timeout=PATIENCE)
    expect(page.locator(".ribbon")).to_have_text("Example: nobody met, all of it is made up")
    axe(page)
    page.click("text=Console")
    expect(page.locator(".ribbon")).to_have_text("Example: nobody met, all of it is made up")
    axe(page)
