"""The next time in a browser: last time's actions, the result beside last time's, the check-in on a phone, a pack."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook, load_workbook
from playwright.sync_api import Page, expect

from tests.browser.people import EXTENT, PHONE, Facilitator, Meeting, Venue
from tests.browser.program import Visitor

ACTIONS = (
    "Invite the two community groups to the spring planning day",
    "Write the collecting policy anew",
    "Publish opening hours in large print",
    "Ask visitors at the door where they come from",
    "Recruit two trustees under forty",
    "Find a home for the textile workers’ stories",
)
THEN, NOW = "11122233", "44455555"
Axe = Callable[[Page], None]


def run_first_session(meeting: Meeting, console: Facilitator) -> None:
    """Eight people answer the first question, six actions are typed at the console, and the session ends."""
    meeting.join(8)
    meeting.move("open")
    meeting.vote(THEN)
    meeting.move("close")
    meeting.move("discuss")
    console.open_console(meeting.code)
    for number, text in enumerate(ACTIONS, start=1):
        console.page.fill("#act", text)
        console.page.click("#add-act")
        expect(console.page.locator(f"#card-action-{number}")).to_contain_text(text)
    meeting.move("finish")
    expect(console.heading).to_have_text("The session has ended")


def say_how_far(page: Page, row: str, status: str, note: str = "") -> None:
    """Tap how far an action has come, write a note, and wait until both are saved."""
    form = page.locator(f"form[action$='/actions/{row}']")
    form.get_by_role("radio", name=status, exact=True).check()
    if note:
        form.locator("[name=status_reason]").fill(note)
    expect(form.locator("[data-saved]")).to_have_text("Saved")


def test_a_session_with_six_actions_is_continued_by_one_that_looks_back_and_compares(
    venue: Venue, home: Visitor, meeting: Meeting, axe: Axe
) -> None:
    venue.watch.forgive("status of 422")  # an action that is dropped without a reason, which is meant
    console = venue.facilitator(home)
    run_first_session(meeting, console)
    page = console.page

    page.click("#next")
    expect(page).to_have_title("Continue from last time")
    expect(page.locator("main")).to_contain_text("the 6 open actions of last time")
    axe(page)
    page.fill("#title", "A year later")
    page.fill("#held_on", "2027-11-20")
    page.click("#begin")
    console.expect_connected()
    expect(page.locator(".run li")).to_have_count(6)
    for text in ACTIONS:
        console.expect_text(text)
    assert console.code != meeting.code
    axe(page)

    first, second, third = re.findall(r"/museums/\d+/actions/(\d+)\"", page.content())[:3]
    say_how_far(page, first, "Done", "Both came in April")
    form = page.locator(f"form[action$='/actions/{second}']")
    form.get_by_role("radio", name="Dropped", exact=True).check()
    expect(form.locator("[data-saved]")).to_contain_text("Say why the action is dropped")
    say_how_far(page, second, "Dropped", "The old one will do")
    say_how_far(page, third, "Under way")
    home.cookies |= {cookie["name"]: cookie["value"] for cookie in page.context.cookies() if "value" in cookie}
    wall = venue.screen(home, console.code)
    page.click("#more-screen > summary")
    page.click("#since")
    wall.expect_title("What we said we would do")
    lines = wall.page.locator(".plan tbody tr")
    expect(lines.first).to_contain_text("Both came in April")
    expect(lines.last).to_contain_text("The old one will do")
    wall.expect_text("1 of 6 done.")

    later = Meeting(home, console.code)
    later.join(8)
    console.press("Open question 9.1")
    wall.expect_scene("voting")
    assert page.locator("text=Last time and now").count() == 0
    wall.expect_no_counts()
    later.vote(NOW)
    console.expect_text("8 of 8 have answered")
    console.press("Close voting")
    console.expect_text("Last time and now")
    page.click("#compare")
    wall.expect_title("Last time and now")
    wall.expect_text("21 November 2026", "20 November 2027", "Clearly higher (8 people then).")
    for side, answers in (("then", THEN), ("now", NOW)):
        for level, label in enumerate(EXTENT, start=1):
            row = wall.page.locator(f"#{side}-{level}")
            expect(row).to_contain_text(label)
            expect(row.locator(".tally__count")).to_have_text(str(answers.count(str(level))))
            expect(row.locator(".tally__cell")).to_have_count(answers.count(str(level)))
    axe(wall.page)
    for width, height in ((1024, 768), (1280, 720), (1920, 1080)):
        wall.page.set_viewport_size({"width": width, "height": height})
        room = "({scrollHeight: a, clientHeight: b, scrollWidth: c, clientWidth: d}) => a <= b && c <= d"
        assert wall.page.evaluate(f"({room})(document.documentElement)"), f"something is cut off at {width} x {height}"
    page.locator("[id^=beside-] > summary").click()
    console.expect_text("Clearly higher (8 people then).")
    axe(page)

    code = console.code
    page.goto(f"{console.url}/f/{code}/report")
    words = page.locator("main").inner_text()
    assert words.index("Both came in April") < words.index("Clearly higher (8 people then)")
    look_at_the_museum(venue, home, page, code, axe)


def look_at_the_museum(venue: Venue, home: Visitor, page: Page, code: str, axe: Axe) -> None:
    """The museum's page on the laptop, then the check-in on a phone."""
    page.goto(f"{venue.url}/museums/{code}")
    assert page.locator(".todo tbody tr").count() == 4
    axe(page)
    with page.expect_download() as got:
        page.click("#actions-ics")
    assert got.value.suggested_filename == "wexcombe-mill-museum-open-actions.ics"
    phone = venue.context(PHONE, home).new_page()
    phone.goto(f"{venue.url}/museums/{code}/check-in")
    expect(phone.locator("h1")).to_have_text("How far have our actions come?")
    row = phone.locator(".sessions > li").first.locator("form").get_attribute("action")
    assert row
    say_how_far(phone, row.rpartition("/")[2], "Done", "It is finished")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    axe(phone)
    phone.reload()
    expect(phone.locator("main > .sessions > li")).to_have_count(3)
    phone.click("#settled > summary")
    expect(phone.locator("#settled")).to_contain_text(ACTIONS[2])


def template(page: Page) -> Workbook:
    """The template for Excel, downloaded."""
    with page.expect_download() as got:
        page.click("#template-xlsx")
    return load_workbook(io.BytesIO(got.value.path().read_bytes()))


def test_a_pack_from_a_workbook_with_faults_is_put_right_used_and_changed_into_a_new_edition(
    venue: Venue, home: Visitor, axe: Axe, tmp_path: Path
) -> None:
    venue.watch.forgive("status of 422")
    desk = venue.facilitator(home)
    page, file = desk.page, tmp_path / "friends.xlsx"
    page.goto(f"{desk.url}/home")
    page.click("#packs")
    axe(page)
    book = template(page)
    book["Pack"]["C2"] = "Friends of the museum"
    book["Questions"]["C2"] = None
    book["Questions"]["F3"] = "quantity"
    book.save(file)
    page.set_input_files("#file", file)
    page.click("#load")
    expect(page.locator("#problem")).to_be_focused()
    expect(page.locator(".faults li")).to_have_text(
        [
            "Sheet “Questions”, row 2, column C (Question): the text is empty.",
            "Sheet “Questions”, row 3, column F (Scale): “quantity” is not the key of a scale.",
        ]
    )
    expect(page.locator(".sessions > li")).to_have_count(1)
    axe(page)

    book["Questions"]["C2"] = "To what extent do our friends feel needed?"
    book["Questions"]["F3"] = "quality"
    book.save(file)
    page.set_input_files("#file", file)
    page.click("#load")
    expect(page.locator("h1")).to_have_text("Friends of the museum")

    page.click(".hallmark summary")
    page.click("#more-welcome-02 > summary")
    page.fill("#q-welcome-02-text", "How well do we thank them?")
    page.fill("#q-welcome-02-place", "1")
    axe(page)
    page.click("#keep")
    expect(page.locator("header p").first).to_contain_text("Edition 2: 1 hallmark, 2 questions")

    page.goto(f"{desk.url}/home")
    page.fill("#museum", "Tide Mill")
    page.select_option("#pack", "our-questions:2")
    page.click("#create")
    expect(page.locator("#hallmark-welcome")).to_be_visible()
    page.click("#hallmark-welcome > summary")
    page.click("#all-welcome")
    expect(page.locator(".agenda__item")).to_have_count(2)
    expect(page.locator("#setup")).to_contain_text("How well do we thank them?")
    expect(page.locator("#setup")).to_contain_text("To what extent do our friends feel needed?")
