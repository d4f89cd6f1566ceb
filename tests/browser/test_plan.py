"""From votes to a plan: what the group decides is written down, voted on, taken home, and loaded again."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from facilitation.exports import FORMATS
from tests.browser.people import Facilitator, Meeting, Venue
from tests.browser.program import Visitor

ACTIONS = (
    "Invite the two community groups to the planning day",
    "Record ten mill workers’ families",
    "Bring a one-page cash picture to every board meeting",
    "Start a “what we tried” page",
    "Catalogue the textile store",
    "Ask about the café lease",
)
NOTE = 'textarea[name="text"]'


def saved(desk: Facilitator, form: str) -> None:
    """Wait until the console says that what was typed is saved."""
    expect(desk.page.locator(f"#{form} [data-saved]")).to_have_text(re.compile("^Saved"))


def talking(venue: Venue, meeting: Meeting, home: Visitor) -> Facilitator:
    """The console of a session that talks about the result of its first question."""
    meeting.join(5)
    meeting.move("open")
    meeting.vote(["1", "1", "2", "5", "5"])
    meeting.move("close")
    meeting.move("discuss")
    return venue.facilitator(home).open_console(meeting.code)


def note(desk: Facilitator) -> str:
    """The form of the present question's note."""
    return desk.page.locator("form[id^=note-]").get_attribute("id") or ""


def test_a_session_leaves_the_room_as_a_plan_and_comes_back_from_its_file(
    venue: Venue, meeting: Meeting, home: Visitor
) -> None:
    desk = talking(venue, meeting, home)
    phone = venue.phone().join(meeting.code)
    wall = desk.open_screen()

    desk.page.fill(NOTE, "Store not catalogued since 2009.")
    desk.page.locator("label.choice", has_text="No agreement").click()
    desk.page.fill('textarea[name="reason"]', "We mean two different things.")
    saved(desk, note(desk))
    saved(desk, note(desk).replace("note", "agreed"))
    for number, action in enumerate(ACTIONS, start=1):
        desk.page.fill("#act", action)
        desk.page.click("#add-act")
        expect(desk.page.locator(f"#card-action-{number}")).to_contain_text(action)
        expect(desk.page.locator("#act")).to_have_value("")
    for item in ("Rename the museum?", "Open on Mondays?"):
        desk.page.fill("#park", item)
        desk.page.click("#add-park")
        expect(desk.page.locator("article", has_text=item)).to_be_visible()
    desk.page.click("#edit-action-1 > summary")
    desk.page.fill("#action-1-owner", "Outreach lead")
    desk.page.fill("#action-1-due", "2027-01-31")
    saved(desk, "action-1")
    expect(desk.page.locator("#unsettled")).to_contain_text("A2 has no owner and no due date.")
    expect(desk.page.locator("#unsettled")).not_to_contain_text("A1 ")
    expect(desk.page.locator("#unsettled")).to_contain_text("2 parked items have no destination.")

    desk.page.click("#discuss-first > summary")
    expect(desk.page.locator(".discuss")).to_contain_text("far apart")
    desk.page.click("#more-screen > summary")
    desk.page.click("#three")
    wall.expect_text("One thing to talk about", "9.1")
    desk.page.click("#plan")
    wall.expect_text("A1 Invite the two community groups", "Outreach lead", "31 January 2027", "Rename the museum?")
    wall.expect_text("Agree a day on which somebody looks at this again.")
    desk.page.click("#plan")

    desk.page.click("#priorities")
    desk.page.click("#add-actions")
    desk.expect_connected()
    desk.press("Priorities: actions", ".run__row >> nth=-1")
    desk.press("Open this question now? Press again", ".run__row >> nth=-1")
    expect(phone.page.locator("input[type=checkbox]")).to_have_count(6)
    for option in ("1", "3"):
        phone.answer(option)
    expect(phone.band).to_contain_text("Your dots are in: A1, A3")
    dots(meeting, [("1", "3"), ("1",), ("2", "3", "5"), (), ("1", "6")])
    expect(desk.page.locator("#turnout")).to_contain_text("6 of 6")
    desk.press("Close voting")
    wall.expect_scene("revealed")
    assert [row.split()[0] for row in wall.table.locator("tbody tr").all_inner_texts()] == [
        *("A1", "A3", "A2", "A5", "A6", "A4", "No")
    ]
    phone.expect_text("A1 Invite the two community groups", "Three dots each.")
    wall.expect_no_text("Middle answer")
    desk.press("Start talking")
    desk.press("Finish")
    desk.press("not asked")
    desk.expect_title(re.compile("ended"))

    files = {}
    for place, known in enumerate(FORMATS.values(), start=1):
        name, content = desk.download(f"#file-{place}")
        assert name.startswith("wexcombe-mill-museum-2026-11-21-")
        assert name.endswith(known.name)
        files[known.name] = content
    session = json.loads(files["session.json"])
    assert len(session["actions"]) == 6
    assert len(session["parked"]) == 2
    assert session["agreements"][0]["rating"] == 0
    assert session["rounds"][-1]["counts"] == {
        "1": 4,
        "2": 1,
        "3": 3,
        "4": 0,
        "5": 1,
        "6": 1,
        "none": 1,
        "ballots": 6,
    }
    expect(desk.page.locator("#file-10 ~ .file__state")).to_have_text("Ready: it is among your downloads.")

    wall.page.close()
    desk.page.goto(f"{venue.url}/sessions/{meeting.code}/delete")
    desk.page.click("#delete")
    desk.expect_title("The session is deleted")
    desk.page.get_by_role("link", name="Back to your sessions").click()
    file = files["session.json"]
    desk.page.set_input_files("#file", {"name": "s.json", "mimeType": "application/json", "buffer": file})
    desk.page.click("#load")
    desk.expect_title(re.compile("ended"))
    assert desk.download("#file-9")[1] == file


def dots(meeting: Meeting, ballots: list[tuple[str, ...]]) -> None:
    """The first of the people place their dots."""
    found = re.search(r'name="round" value="(\d+)"', meeting.people[0].get(f"/w/{meeting.code}"))
    assert found
    for visitor, options in zip(meeting.people, ballots, strict=False):
        visitor.post(f"/w/{meeting.code}/ballot", round=found[1], choice=list(options), seq=1)


def test_what_is_typed_outlives_a_push_a_reload_and_a_dead_connection(
    venue: Venue, meeting: Meeting, home: Visitor
) -> None:
    venue.watch.forgive("ERR_INTERNET_DISCONNECTED")
    desk = talking(venue, meeting, home)
    desk.page.locator(NOTE).press_sequentially("Half ")
    meeting.show("overlay", "code")
    desk.page.locator("#show-code[aria-pressed=true]").wait_for()
    expect(desk.page.locator(NOTE)).to_be_focused()
    desk.page.locator(NOTE).press_sequentially("a sentence")
    expect(desk.page.locator(NOTE)).to_have_value("Half a sentence")
    saved(desk, note(desk))

    desk.page.context.set_offline(True)
    desk.page.fill(NOTE, "Written on the train")
    expect(desk.page.locator(f"#{note(desk)} [data-saved]")).to_contain_text("Not saved yet.")
    desk.page.context.set_offline(False)
    saved(desk, note(desk))

    desk.page.fill(NOTE, "Gone before it was sent")
    desk.page.reload()
    desk.expect_connected()
    saved(desk, note(desk))
    expect(desk.page.locator(NOTE)).to_have_value("Gone before it was sent")
    assert "Gone before it was sent" in home.get(f"/f/{meeting.code}/now")


def hold_answers(page: Page) -> None:
    """From here on what the page asks for is done, and the answer comes when `letGo` is called, as on a slow line."""
    page.evaluate("""() => {
        const ask = window.fetch;
        window.fetch = async (...wanted) => {
            const answer = await ask(...wanted);
            await new Promise(letGo => window.letGo = letGo);
            return answer;
        };
    }""")


def wait_for_an_answer(page: Page) -> None:
    """Until an answer is held back. Not by a text to evaluate, which the page's policy refuses."""
    page.evaluate("""() => new Promise(there => {
        const look = () => window.letGo ? there() : requestAnimationFrame(look);
        look();
    })""")


def test_on_a_slow_line_nothing_that_one_person_types_is_doubled(venue: Venue, meeting: Meeting, home: Visitor) -> None:
    desk = talking(venue, meeting, home)
    hold_answers(desk.page)
    desk.page.fill(NOTE, "Not catalogued since 2008.")
    wait_for_an_answer(desk.page)
    desk.page.fill(NOTE, "Not catalogued since 2009.")
    with desk.page.expect_request("**/notes/**"):  # only when the first has been answered
        desk.page.evaluate("() => { window.letGo(); window.letGo = null; }")
    wait_for_an_answer(desk.page)
    desk.page.evaluate("() => window.letGo()")
    saved(desk, note(desk))
    page = home.get(f"/f/{meeting.code}/report")
    assert "Not catalogued since 2009." in page
    assert "Not catalogued since 2008." not in page


def test_words_that_were_kept_here_are_joined_to_what_was_written_meanwhile(
    venue: Venue, meeting: Meeting, home: Visitor
) -> None:
    venue.watch.forgive("ERR_FAILED")
    desk = talking(venue, meeting, home)
    desk.page.route("**/notes/**", lambda route: route.abort())
    desk.page.fill(NOTE, "Kept in this browser.")
    expect(desk.page.locator(f"#{note(desk)} [data-saved]")).to_contain_text("Not saved yet.")
    meeting.facilitator.post(f"/f/{meeting.code}/notes/{note(desk).split('-')[1]}", text="Written since.", version=0)
    desk.page.unroute("**/notes/**")
    desk.page.reload()
    saved(desk, note(desk))
    expect(desk.page.locator(NOTE)).to_have_value("Written since.\nKept in this browser.")


def test_a_form_changes_only_what_its_writer_changed(venue: Venue, meeting: Meeting, home: Visitor) -> None:
    freya = talking(venue, meeting, home)
    freya.page.fill("#act", ACTIONS[0])
    freya.page.click("#add-act")
    george = venue.facilitator(home).open_console(meeting.code)
    for desk in (freya, george):
        desk.page.click("#edit-action-1 > summary")
    george.page.focus("#action-1-due_words")  # from here on nothing is put into George's form
    freya.page.fill("#action-1-owner", "Outreach lead")
    freya.page.select_option("#action-1-status", "under way")
    saved(freya, "action-1")
    george.page.fill("#action-1-due_words", "Next board")
    saved(george, "action-1")
    george.expect_text("Owner: Outreach lead", "Due: Next board", "Under way")
    expect(george.page.locator("#action-1-status")).to_have_value("under way")


def test_the_next_action_stays_when_the_answer_to_the_last_one_comes_late(
    venue: Venue, meeting: Meeting, home: Visitor
) -> None:
    desk = talking(venue, meeting, home)
    page = desk.page
    hold_answers(page)
    page.fill("#act", ACTIONS[0])
    page.click("#add-act")
    expect(page.locator("#card-action-1")).to_contain_text(ACTIONS[0])  # the push was quicker
    page.fill("#act", ACTIONS[1])
    wait_for_an_answer(page)
    page.evaluate("""() => new Promise(answered => {
        addEventListener('htmx:after:request', () => answered(), {once: true});
        window.letGo();
    })""")
    expect(page.locator("#act")).to_have_value(ACTIONS[1])


def test_two_consoles_that_write_at_once_lose_nobodys_words(venue: Venue, meeting: Meeting, home: Visitor) -> None:
    freya = talking(venue, meeting, home)
    george = venue.facilitator(home).open_console(meeting.code)
    freya.page.fill(NOTE, "The store is not catalogued.")
    george.page.fill(NOTE, "Nobody has asked the families.")
    for desk in (freya, george):
        saved(desk, note(desk))
    page = home.get(f"/f/{meeting.code}/report")
    assert "The store is not catalogued." in page
    assert "Nobody has asked the families." in page


def with_dots(venue: Venue, meeting: Meeting) -> None:
    """A session whose dot vote over its six questions is open."""
    meeting.join(4)
    keys = [f"tackling-inequality-0{number}" for number in range(1, 7)]
    meeting.facilitator.post(f"/f/{meeting.code}/priorities", over="questions", key=keys)
    last = re.findall(r'id="goto-(\d+)"', meeting.facilitator.get(f"/f/{meeting.code}/now"))[-1]
    meeting.move("goto", agenda=last)


def test_dots_are_placed_by_keyboard_and_a_fourth_is_not_taken(venue: Venue, meeting: Meeting) -> None:
    with_dots(venue, meeting)
    phone = venue.phone().join(meeting.code)
    first = phone.page.get_by_role("checkbox").first
    first.focus()
    for _ in range(3):
        phone.page.keyboard.press("Space")
        phone.page.keyboard.press("Tab")
    expect(phone.band).to_contain_text("Your dots are in: 9.1, 9.2, 9.3")
    phone.page.keyboard.press("Space")
    expect(phone.band).to_contain_text("All three dots are placed")
    expect(phone.page.locator("input:checked")).to_have_count(3)
    assert any("All three dots are placed" in said for said in phone.said)
    first.focus()
    phone.page.keyboard.press("Space")
    expect(phone.band).to_contain_text("Your dots are in: 9.2, 9.3")
    phone.page.reload()
    expect(phone.band).to_contain_text("Your dots are in: 9.2, 9.3")
    expect(phone.page.locator("input:checked")).to_have_count(2)


def test_dots_are_placed_without_javascript(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 422")
    with_dots(venue, meeting)
    phone = venue.phone(java_script_enabled=False).join(meeting.code)
    for option in ("1", "2"):
        phone.answer(option)
    phone.page.get_by_role("button", name="Send my dots").click()
    expect(phone.band).to_contain_text("Your dots are in: 9.1, 9.2")
    expect(phone.page.locator("input:checked")).to_have_count(2)
    for option in ("3", "4"):
        phone.answer(option)
    phone.page.get_by_role("button", name="Send my dots").click()
    expect(phone.page.get_by_text("There are 3 dots.")).to_be_visible()
    phone.page.goto(f"{venue.url}/w/{meeting.code}")
    expect(phone.band).to_contain_text("Your dots are in: 9.1, 9.2")


@pytest.mark.parametrize("width", [320, 390])
def test_a_dot_vote_of_long_words_fits_a_phone(venue: Venue, meeting: Meeting, width: int) -> None:
    meeting.join(5)
    for number in range(12):
        meeting.facilitator.post(f"/f/{meeting.code}/actions", action=f"{number} Unternehmensgrundstücke " * 4)
    uids = re.findall(r'value="([0-9a-f]{16})"', meeting.facilitator.get(f"/f/{meeting.code}/priorities"))
    meeting.facilitator.post(f"/f/{meeting.code}/priorities", over="actions", key=uids)
    last = re.findall(r'id="goto-(\d+)"', meeting.facilitator.get(f"/f/{meeting.code}/now"))[-1]
    meeting.move("goto", agenda=last)
    phone = venue.phone(viewport={"width": width, "height": 664}).join(meeting.code)
    expect(phone.page.get_by_role("checkbox")).to_have_count(12)
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= width
    dots(meeting, [("1", "3"), ("1",), ("2", "3", "5"), (), ("12",)])
    meeting.move("close")
    phone.expect_scene("revealed")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_roles_in_the_report_keep_clear_of_the_words_beside_them_and_fit_the_page(
    venue: Venue, home: Visitor, width: int
) -> None:
    meeting = Meeting.set_up(home, roles="on")
    for visitor, role in zip(meeting.join(12), ["trustee", "staff", "volunteer", "other"] * 3, strict=True):
        visitor.post(f"/w/{meeting.code}/role", role=role)
    meeting.move("open")
    meeting.vote(["3"] * 12)
    for move in ("close", "discuss", "revote"):
        meeting.move(move)
    meeting.vote(["4"] * 12)
    meeting.move("close")
    page = venue.facilitator(home).open_console(meeting.code).page
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{venue.url}/f/{meeting.code}/report")
    expect(page.locator(".q .tally thead th").first).to_be_visible()
    assert page.locator(".q .tally").first.locator("thead th").all_inner_texts()[-4:] == [
        "Staff",
        "Volunteers",
        "Other roles",
        "First vote",
    ]
    table, words, body = (page.locator(f".q {part}").first.bounding_box() for part in (".tally", "dl", ".q__body"))
    assert table
    assert words
    assert body
    assert table["x"] + table["width"] <= body["x"] + body["width"] + 1
    assert table["y"] + table["height"] <= words["y"] or table["x"] + table["width"] <= words["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
