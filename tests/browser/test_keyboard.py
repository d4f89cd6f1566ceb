"""A whole session by keyboard alone, for the facilitator and for a participant.

Nobody clicks or taps. After everything that changes a page without being asked to, the test says where the focus is.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.people import DESK, Facilitator, Meeting, Phone, Venue
from tests.browser.program import Visitor

FAR = 150  # presses of Tab: more than any page has stops


class Hands:
    """Somebody who has a keyboard and nothing else."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def at(self) -> str:
        """The id of what has the focus; "" for the page itself."""
        found: str = self.page.evaluate("document.activeElement === document.body ? '' : document.activeElement.id")
        return found

    def expect_at(self, wanted: str) -> None:
        """Wait until this element, by its id, has the focus."""
        self.page.wait_for_function("id => document.activeElement.id === id", arg=wanted)

    def expect_at_heading(self) -> None:
        """Wait until the page's heading has the focus."""
        self.page.wait_for_function("() => document.activeElement.matches('h1')")

    def tab_to(self, selector: str) -> None:
        """Press Tab until this has the focus. AssertionError if it is not reached, or if a stop cannot be seen."""
        for _ in range(FAR):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {selector}")

    def enter(self, selector: str) -> None:
        """Go there and press Enter."""
        self.tab_to(selector)
        self.page.keyboard.press("Enter")

    def write(self, selector: str, text: str) -> None:
        """Go to a field and type, in place of what stands there."""
        self.tab_to(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)


@pytest.fixture
def desk(site: Site, venue: Venue, home: Visitor) -> Facilitator:
    """A laptop with the facilitator's cookie, at home."""
    desk = venue.facilitator(home)
    desk.page.goto(f"{site.url}/home")
    return desk


def test_the_facilitator_runs_a_whole_session_by_keyboard(desk: Facilitator, venue: Venue, home: Visitor) -> None:
    hands, page = Hands(desk.page), desk.page

    # set-up
    hands.write("#museum", "Wexcombe Mill Museum")
    hands.write("#title", "By keyboard")
    hands.enter("#create")
    desk.expect_title("Set up: By keyboard")
    hands.tab_to("#hallmark-tackling-inequality > summary")
    page.keyboard.press("Enter")
    hands.enter("#all-tackling-inequality")
    expect(page.locator(".agenda__item")).to_have_count(6)
    page.wait_for_function("() => document.activeElement.matches('#hallmark-tackling-inequality > summary')")
    page.evaluate("document.activeElement.blur()")
    hands.enter(".agenda__item:nth-child(3) [id^=drop-]")
    hands.expect_at("undo")
    page.keyboard.press("Enter")
    expect(page.locator(".agenda__item")).to_have_count(6)
    hands.expect_at("running")
    hands.tab_to("#add-warm-up")
    page.keyboard.press("Enter")
    expect(page.locator(".agenda__item .plate").first).to_have_text("Q0")
    hands.expect_at("running")
    page.keyboard.press("Shift+Tab")
    hands.tab_to("#k")
    with page.expect_response(lambda answer: answer.url.endswith("/setup") and answer.ok):
        page.keyboard.press("Home")
    expect(page.locator("#k")).to_have_value("3")
    hands.expect_at("k")
    page.evaluate("document.activeElement.blur()")
    hands.enter("#to-console")
    desk.expect_connected()
    meeting = Meeting(home, desk.code)

    # the pairing page, and back
    hands.enter("#pair")
    expect(page.locator("#address")).to_contain_text("/pair/")
    hands.enter("#back")
    desk.expect_connected()

    # the shared screen, in a window of its own; then people come, and nobody takes the focus
    hands.tab_to("#open-screen")
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    opened.value.set_viewport_size({"width": 1280, "height": 720})
    page.bring_to_front()
    hands.expect_at("open-screen")
    meeting.join(4)
    expect(desk.heading).to_have_text("4 people are here")
    hands.expect_at("open-screen")

    # the first link of the page leads to the big button
    page.reload()
    desk.expect_connected()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    hands.tab_to("#main-move")
    for words, answers in (("Open the first question", ("3", "4", "4", "5")), ("Close voting", ())):
        expect(desk.button).to_contain_text(words)
        desk.key("Enter")
        if answers:
            desk.expect_step("Voting")
            meeting.vote(answers)
            desk.expect_text("4 of 4 have answered")
            expect(page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
        hands.expect_at("main-move")
    desk.expect_step("Results")
    desk.key("Enter")  # there is nothing to talk about after the warm-up
    desk.expect_title("Facilitator: question 9.1, voting")
    hands.expect_at("main-move")

    # a break from the keyboard, and its end on the same button
    hands.tab_to("#more-break > summary")
    page.keyboard.press("Enter")
    hands.enter("#break-5")
    expect(page.locator("#on-break")).to_be_visible()
    hands.expect_at_heading()
    desk.key("PageDown")
    expect(page.locator("#on-break")).to_have_count(0)
    hands.expect_at_heading()

    meeting.vote(["1", "5", "1", "5"])
    desk.expect_text("4 of 4 have answered")
    expect(page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    desk.key("PageDown")
    desk.expect_step("Results")
    desk.key("PageDown")
    desk.expect_step("Talk")

    # agreed rating, note, action; what others do meanwhile takes no focus
    hands.tab_to("[id^=agreed-][type=radio]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    chosen = hands.at
    assert re.fullmatch(r"agreed-\d+-2", chosen)
    expect(page.locator("[id^=saved-agreed]")).to_have_text("Saved")
    hands.write("textarea[id^=note-]", "The yard is too dark.")
    field = hands.at
    meeting.join(1)
    expect(page.locator(".room dl")).to_contain_text("Joined5")
    hands.expect_at(field)
    page.keyboard.press("PageDown")
    expect(desk.notice).to_contain_text("Keys and clicker rest while you write.")
    desk.expect_step("Talk")
    expect(page.locator("[id^=saved-note]")).to_have_text("Saved")
    page.keyboard.press("Escape")
    assert hands.at == ""
    hands.write("#act", "Put up a lamp")
    page.keyboard.press("Enter")
    expect(page.locator("#card-action-1")).to_contain_text("Put up a lamp")
    hands.expect_at("act")
    page.keyboard.press("Escape")
    hands.enter("#edit-action-1 > summary")
    hands.enter("#remove-action-1")
    hands.expect_at("undo")
    page.keyboard.press("Enter")
    expect(page.locator("#card-action-1")).to_contain_text("Put up a lamp")
    hands.expect_at_heading()

    # a second vote
    desk.key("r")
    desk.expect_text("second vote")
    meeting.vote(["4", "4", "4", "4"])
    desk.expect_text("4 of 5 have answered")
    desk.key("PageDown")
    desk.expect_button("Close now: 1 still to answer")
    desk.key("PageUp")
    desk.expect_button("Close voting")
    desk.key("PageDown")
    desk.key("PageDown")
    desk.expect_step("Results")

    # a dot vote over questions, opened from the run sheet, which asks first
    hands.enter("#priorities")
    desk.expect_title("Vote on priorities")
    hands.enter("#add-questions")
    desk.expect_connected()
    last = str(page.locator(".run__row").last.get_attribute("id"))
    hands.tab_to(f"#{last}")
    desk.key("Enter")
    expect(page.locator(f"#{last}")).to_contain_text("Open this question now? Press again")
    desk.key("Enter")
    desk.expect_step("Voting")
    desk.expect_text("Which of these should we work on first?")
    hands.expect_at(last)
    for dots in (["1", "2"], ["1", "3"], ["1"], ["2"], ["1", "4"]):
        place_dots(meeting, dots)
    desk.expect_text("5 of 5 have answered")
    expect(page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    desk.key("PageDown")
    desk.expect_step("Results")
    desk.key("PageDown")
    desk.expect_step("Talk")
    hands.expect_at(last)

    # the end asks first; then a document
    desk.key("PageDown")
    desk.expect_button("End now: 5 questions were not asked")
    with page.expect_navigation():
        desk.key("PageDown")
    desk.expect_title("Facilitator: the session has ended")
    hands.tab_to("a[href$='session.json']")
    with page.expect_download() as got:
        page.keyboard.press("Enter")
    assert got.value.suggested_filename.endswith("session.json")


def place_dots(meeting: Meeting, dots: list[str]) -> None:
    """The next of the people who has not placed dots does."""
    person = meeting.people.pop(0)
    found = re.search(r'name="round" value="(\d+)"', person.get(f"/w/{meeting.code}"))
    assert found
    person.post(f"/w/{meeting.code}/ballot", round=found[1], choice=dots, seq=1, direction="")


def test_a_participant_takes_part_by_keyboard(meeting: Meeting, venue: Venue) -> None:
    meeting.join(3)
    phone = Phone(venue.context(DESK).new_page(), venue.url)
    hands, page = Hands(phone.page), phone.page

    # join, with a slip first
    venue.watch.forgive("status of 422")
    page.goto(f"{venue.url}/")
    hands.write("#code", "111111")
    page.keyboard.press("Enter")
    phone.expect_title("Error: Join a session")
    hands.expect_at("problem")
    hands.write("#code", meeting.code)
    page.keyboard.press("Enter")
    phone.expect_title("You are in: waiting for the first question")
    phone.expect_connected()
    assert hands.at == ""

    # a question comes and takes no focus; Tab leads to its answers, arrows choose
    meeting.move("open")
    phone.expect_question("9.1")
    assert hands.at == ""
    hands.tab_to("[name=choice]")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    phone.expect_counted("4, Largely")
    answer = hands.at
    assert answer.endswith("-4")
    page.keyboard.press("ArrowUp")
    phone.expect_counted("3, Partly")
    hands.expect_at(answer[:-1] + "3")

    # others vote, the line drops and comes back: the focus stays
    meeting.vote(["1", "5", "5"])
    for words in ("net::ERR", "WebSocket connection", "Failed to fetch"):
        venue.watch.forgive(words)
    page.context.set_offline(True)
    expect(page.locator("html")).to_have_attribute("data-io", "down")
    hands.expect_at(answer[:-1] + "3")
    page.context.set_offline(False)
    phone.expect_connected()
    hands.expect_at(answer[:-1] + "3")

    # the vote closes under the finger: the focus goes to the heading, and Tab goes on from there
    meeting.move("close")
    phone.expect_title("Results: question 9.1")
    hands.expect_at_heading()
    meeting.move("discuss")
    phone.expect_text("Talk about it together.")
    hands.expect_at_heading()

    # a break is told without taking anything
    meeting.show("break", "15")
    expect(page.locator("#on-break")).to_be_visible()
    hands.expect_at_heading()
    meeting.show("break")
    expect(page.locator("#on-break")).to_have_count(0)

    # the second vote
    meeting.move("revote")
    phone.expect_question("9.1")
    hands.expect_at_heading()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    phone.expect_counted("1, Not at all")
    page.keyboard.press("End")
    meeting.move("close")
    phone.expect_title("Results: question 9.1")
    hands.expect_at_heading()
    meeting.move("finish")
    phone.expect_title("Thank you: the session has ended")
    hands.expect_at_heading()


def test_a_vote_that_closes_unseen_leaves_the_focus_on_the_heading(venue: Venue, home: Visitor) -> None:
    meeting = Meeting.set_up(home, mode="reveal")
    (owner, *_rest) = meeting.join(3)
    phone = venue.phone(owner).open(meeting.code)
    meeting.move("open")
    phone.expect_question("9.1")
    hands = Hands(phone.page)
    hands.tab_to("[name=choice]")
    phone.page.keyboard.press("Space")
    phone.expect_counted("1, Not at all")
    meeting.move("close")
    phone.expect_title("Voting closed: question 9.1")
    hands.expect_at_heading()
    meeting.move("reveal")
    phone.expect_title("Results: question 9.1")
    hands.expect_at_heading()
