"""What people hear who do not see the page: each key page as a screen reader walks through it, and what live regions
say in the course of a session.

The pages are kept beside this file in heard/, a text each, as the accessibility tree has them: order, roles, names and
states. After a change that is meant, delete the text and run the test: it writes a new one, to be read and committed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gallery import Gallery, show, show_phone
from tests.browser.people import Meeting, Surface, Venue

HEARD = Path(__file__).with_name("heard")


# What differs from run to run: codes, addresses, where links lead, the time of day, whose phone has been still long.
CHANGING = {
    r"\b\d{3} \d{3}\b": "482 793",
    r"museum\.lan:\d+": "museum.lan",
    r" *- /url: .*\n": "",
    r"Started \d\d:\d\d": "Started 10:05",
    r"\d+ min, (\d+) planned": r"0 min, \1 planned",
    r"\d+ minutes?, (\d+) planned": r"0 minutes, \1 planned",
    r" *- strong: \S+ phones? ha\w+ dropped off\n.*\n": "",
}


def as_heard(page: Page) -> str:
    """The page as a screen reader has it."""
    tree = page.locator("body").aria_snapshot() + "\n"
    for pattern, words in CHANGING.items():
        tree = re.sub(pattern, words, tree)
    return tree


# By name: the surface and state, as in gallery.py, and whose phone it is: the second to join has answered.
KEY_PAGES = {
    "join": ("page", "join", 0),
    "join, wrong code": ("page", "join, wrong code", 0),
    "waiting": ("phone", "lobby", 1),
    "ask": ("phone", "live", 25),
    "counted": ("phone", "live", 1),
    "results": ("phone", "revealed", 1),
    "console, voting": ("console", "first picture", 0),
    "console, talk": ("console", "planned", 0),
    "screen, voting": ("screen", "first picture", 0),
    "screen, results": ("screen", "revealed", 0),
    "report": ("page", "report", 0),
}


@pytest.mark.parametrize("name", KEY_PAGES)
def test_a_page_is_heard_in_the_order_and_words_that_were_read_and_kept(
    name: str, gallery: Gallery, sight: dict[str, Page], venue: Venue
) -> None:
    venue.watch.forgive("status of 422")
    surface, state, person = KEY_PAGES[name]
    page = sight[surface]
    if surface == "phone":
        show_phone(page, gallery[state], person)
    else:
        show(page, surface, state, gallery)
    if surface not in ("page", "phone"):
        expect(page.locator("html")).to_have_attribute("data-io", "up")
    if state == "first picture":
        expect(page.locator("#now")).to_contain_text("5 answers")
    heard, kept = as_heard(page), HEARD / f"{name}.txt"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(heard, encoding="utf-8")
        pytest.fail(f"{kept.name} is new: read it as somebody who only hears it, then commit it.")
    assert heard == kept.read_text(encoding="utf-8")


# --- What is said without being asked for ----------------------------------------------------------------------------


def test_each_event_of_a_session_is_announced_once_and_nothing_else_is(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("ERR_INTERNET_DISCONNECTED")
    meeting.join(6)
    phone = venue.phone().join(meeting.code)
    phone.expect_connected()
    other = venue.phone(meeting.people[5]).open(meeting.code)
    console = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    screen = venue.screen(meeting.facilitator, meeting.code)
    said: list[tuple[str, dict[str, list[str]]]] = []
    surfaces: dict[str, Surface] = {"phone": phone, "other phone": other, "console": console, "screen": screen}

    def note(event: str) -> None:
        said.append((event, {name: heard for name, surface in surfaces.items() if (heard := surface.hears())}))

    note("everybody is here")
    console.press("Open question 9.1")
    phone.expect_question("9.1")
    other.expect_question("9.1")
    screen.expect_scene("voting")
    note("the question opens")
    phone.answer("4").expect_counted("4, Largely")
    screen.expect_turnout(1, 7)
    note("an answer")
    phone.answer("3").expect_counted("3, Partly")
    note("it is changed")
    meeting.vote("122")
    screen.expect_turnout(4, 7)
    console.expect_text("4 of 7 have answered")
    note("others answer, more than half")
    meeting.vote("12233")
    other.answer("3").expect_counted("3, Partly")
    screen.expect_turnout(7, 7)
    console.expect_text("7 of 7 have answered")
    note("the last one answers")
    console.press("Close voting")
    for surface in (phone, other, screen):
        surface.expect_title("Results: question 9.1")
    console.expect_step("Results")
    note("the vote is closed")
    console.press("Start talking")
    screen.expect_text("Talk about it")
    console.expect_step("Talk")
    phone.expect_scene("discussion")
    other.expect_scene("discussion")
    note("talk")
    console.press("Vote again", "#detour")
    phone.expect_question("9.1")
    other.expect_question("9.1")
    screen.expect_scene("voting")
    console.expect_step("Voting")
    note("a second vote")
    phone.answer("DK").expect_counted("I don’t know")
    note("an answer off the scale")
    console.press("Close voting")
    console.expect_button("Close anyway")
    note("closing asks first")
    phone.page.context.set_offline(True)
    expect(phone.page.locator("html")).to_have_attribute("data-io", "down")
    note("a phone loses the network")
    phone.page.context.set_offline(False)
    phone.expect_connected()
    phone.page.wait_for_function("() => window.heard.length")
    note("it has it back")
    meeting.move("finish")
    for surface in (phone, other):
        surface.expect_title("Thank you: the session has ended")
    screen.expect_title("Thank you")
    expect(console.heading).to_have_text("The session has ended")
    note("the end")

    partly = "Your answer is in: 3, Partly"
    result = "Results: 7 answered, middle answer Partly, some spread"
    assert said == [
        ("everybody is here", {}),
        ("the question opens", everybody("A new question is open: 9.1")),
        ("an answer", {"phone": ["Your answer is in: 4, Largely"]}),
        ("it is changed", {"phone": [partly]}),
        ("others answer, more than half", {"console": ["4 of 7 have answered"]}),
        (
            "the last one answers",
            {"other phone": [partly], "console": ["7 of 7 have answered"]},
        ),
        ("the vote is closed", everybody(result)),
        ("talk", {"console": ["Time to talk: 9.1"]}),
        ("a second vote", everybody("A second vote is open: 9.1")),
        ("an answer off the scale", {"phone": ["Your answer is in: I don’t know"]}),
        ("closing asks first", {"console": ["Only 1 of 3: nothing would be shown. Close anyway"]}),
        ("a phone loses the network", {"phone": ["The connection dropped. Trying again."]}),
        ("it has it back", {"phone": ["Connected again."]}),
        ("the end", everybody("The session has ended")),
    ]


def everybody(words: str) -> dict[str, list[str]]:
    """Said once on the phones and the console; the shared screen is silent, for it stands in the same room."""
    return {"phone": [words], "other phone": [words], "console": [words]}
