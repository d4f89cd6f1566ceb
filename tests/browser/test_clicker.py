"""A bought clicker runs a whole session: PageDown, PageUp, b and a full stop, whichever window has the focus."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Facilitator, Meeting, Screen, Venue
from tests.browser.program import Visitor


@pytest.fixture
def meeting(home: Visitor) -> Meeting:
    """Two questions, k = 3, and four people."""
    made = Meeting.set_up(home, keys=["tackling-inequality-01", "tackling-inequality-02"])
    made.join(4)
    return made


@pytest.mark.parametrize("window", ["console", "screen"])
def test_a_clicker_runs_a_whole_session(window: str, venue: Venue, meeting: Meeting) -> None:
    console = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    screen = console.open_screen()
    hand = screen.page if window == "screen" else console.page
    hand.bring_to_front()
    expect(console.page.locator(".room dl")).to_contain_text("Shared screenConnected")

    press(console, hand, "PageUp")
    expect(console.notice).to_have_text("Voting has not begun, so there is nothing to go back to.")
    press(console, hand, "PageDown")
    screen.expect_title("Voting open: question 9.1")
    meeting.vote(["1", "2", "4"])
    expect(console.page.locator("#turnout")).to_contain_text("3 of 4")

    # closing asks first; PageUp takes it back, b and the full stop make a pause
    press(console, hand, "PageDown")
    console.expect_button("Close now: 1 still to answer")
    press(console, hand, "PageUp")
    console.expect_button("Close voting")
    for key in ("b", "."):
        press(console, hand, key)
        screen.expect_title("Wexcombe Mill Museum")
        press(console, hand, key if key == "." else "PageUp")
        screen.expect_title(re.compile("Voting open"))
    press(console, hand, "PageDown")
    console.expect_button("Close now")
    press(console, hand, "PageDown")
    screen.expect_title("Results: question 9.1")
    press(console, hand, "PageUp")
    expect(console.notice).to_have_text("A closed vote stays closed, so there is no way back. Press R to vote again.")
    press(console, hand, "PageDown")
    screen.expect_text("Talk about it")

    # a break is ended by the big button before that does anything else
    console.page.locator("#more-break > summary").click()
    console.page.click("#break-5")
    hand.bring_to_front()
    screen.expect_title(re.compile("Break: back at"))
    console.expect_button("End the break")  # a key of the screen's window presses what the console has
    press(console, hand, "PageDown")
    screen.expect_title("Results: question 9.1")
    press(console, hand, "PageDown")
    screen.expect_title("Voting open: question 9.2")
    meeting.vote(["3", "3", "3", "3"])
    expect(console.page.locator("#turnout")).to_contain_text("4 of 4")
    expect(console.page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    press(console, hand, "PageDown")
    screen.expect_title("Results: question 9.2")
    press(console, hand, "PageDown")
    screen.expect_text("Talk about it")
    press(console, hand, "PageDown")
    console.expect_button("End the session for good?")
    press(console, hand, "PageDown")
    screen.expect_title("Thank you")
    console.expect_title("Facilitator: the session has ended")
    press(console, hand, "PageDown")
    screen.expect_title("Thank you")


def press(console: Facilitator, hand: Page, key: str) -> None:
    """Press a key of the clicker in the window that has the focus, and not as a double press."""
    console.thumb_rests()
    hand.keyboard.press(key)
    console.pressed_now()


def test_of_two_consoles_in_one_browser_one_takes_the_press(venue: Venue, meeting: Meeting) -> None:
    first = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    second = Facilitator(first.page.context.new_page(), venue.url).open_console(meeting.code)
    screen = second.open_screen()
    screen.page.bring_to_front()
    screen.page.keyboard.press("b")
    expect(second.page.locator("#blank")).to_have_attribute("aria-pressed", "true")
    screen.expect_title("Wexcombe Mill Museum")
    second.page.close()
    screen.page.keyboard.press("b")
    screen.expect_title("Join the session")


def test_a_screen_in_another_browser_takes_no_keys_but_its_own(venue: Venue, meeting: Meeting) -> None:
    console = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    screen: Screen = venue.screen(meeting.facilitator, meeting.code)
    before = console.order
    for key in ("PageDown", "b", "j", "r"):
        screen.page.keyboard.press(key)
    screen.expect_title("Join the session")
    assert console.order.split(".")[0] == before.split(".")[0]
