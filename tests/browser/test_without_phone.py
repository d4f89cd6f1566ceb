"""People without a phone, in a real browser: a device that goes round, paper cards by keyboard, and the room check."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.people import PHONE, Meeting, Venue

TABLET = {**PHONE, "viewport": {"width": 800, "height": 1100}}


def hand_round(venue: Venue, meeting: Meeting, **options: object) -> Page:
    """A tablet that three people share, waiting for the first question."""
    offer = meeting.facilitator.reply(f"/f/{meeting.code}/devices", role="handed")
    found = re.search(r'id="address">[^<]*?(/pair/[a-z0-9-]+)<', offer)
    assert found
    page = venue.context({**TABLET, **options}).new_page()
    page.goto(venue.url + found[1])
    page.fill("#people", "3")
    page.click("#take")
    expect(page).to_have_title("Handed round: waiting for the first question")
    return page


def answer(page: Page, words: str) -> None:
    page.get_by_label(words).check()
    page.click("#count")
    expect(page).to_have_title("Counted: hand it to the next person")


def test_a_device_goes_round_and_keeps_nothing_of_anybody(venue: Venue, meeting: Meeting) -> None:
    page = hand_round(venue, meeting)
    meeting.move("open")
    expect(page).to_have_title("Question 9.1: your answer")
    for place, words in enumerate(("A little", "Fully"), start=1):
        answer(page, words)
        assert meeting.turnout == place
        expect(page.locator(".choice__input")).to_have_count(0)
        page.click("#next-person")
        expect(page.locator("input:checked")).to_have_count(0)
    page.go_back()
    page.wait_for_load_state()
    assert page.locator("input:checked").count() == 0
    assert page.evaluate("sessionStorage.length") == 0
    meeting.move("next")
    expect(page).to_have_title("Question 9.2: your answer")


def test_an_answer_on_a_bad_line_is_sent_until_it_is_in_and_counts_once(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("ERR_INTERNET_DISCONNECTED")
    page = hand_round(venue, meeting)
    meeting.move("open")
    expect(page).to_have_title("Question 9.1: your answer")
    page.context.set_offline(True)
    page.get_by_label("Largely").check()
    page.click("#count")
    expect(page.locator("#outcome")).to_contain_text("Not sent yet. Trying again…")
    page.context.set_offline(False)
    expect(page).to_have_title("Counted: hand it to the next person")
    assert meeting.turnout == 1


def test_it_goes_round_without_javascript_too(venue: Venue, meeting: Meeting) -> None:
    meeting.move("open")
    offered = meeting.facilitator.reply(f"/f/{meeting.code}/devices", role="handed")
    found = re.search(r'id="address">[^<]*?(/pair/[a-z0-9-]+)<', offered)
    assert found
    page = venue.context({**TABLET, "java_script_enabled": False}).new_page()
    page.goto(venue.url + found[1])
    page.click("#take")
    for words in ("A little", "Fully"):
        answer(page, words)
        page.click("#next-person")
        expect(page.locator("input:checked")).to_have_count(0)
    assert meeting.turnout == 2
    meeting.move("next")
    page.get_by_role("link", name="Check for the next question").click()
    expect(page).to_have_title("Question 9.2: your answer")


def test_paper_cards_are_typed_and_taken_back_with_the_keyboard_alone(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 422")
    meeting.join(3)
    meeting.move("open")
    desk = venue.facilitator(meeting.facilitator)
    desk.open_console(meeting.code)
    page = desk.page
    page.locator("#add-cards").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title("Paper cards: question 9.1")
    page.locator("#n-1").focus()
    for number in ("", "3", "", "1", "", "", ""):
        page.keyboard.type(number)
        page.keyboard.press("Tab")
    expect(page.locator("#sum")).to_contain_text("4")
    assert page.evaluate("document.activeElement.id") == "add"
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("You entered 4 cards. With them 4 answers are in")
    page.locator("#sure").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#typed")).to_contain_text("4 cards are in.")
    expect(page.locator("#typed")).to_be_focused()
    expect(page.locator("#typed")).to_be_in_viewport(ratio=1)
    assert meeting.turnout == 4
    page.locator("#take-back").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("The last batch was taken back.")
    expect(page.locator("#done")).to_be_focused()
    expect(page.locator("#typed")).to_have_count(0)
    assert meeting.turnout == 0
    page.locator("#heads").fill("3")
    page.locator("#save-heads").press("Enter")
    expect(page.locator("#done")).to_have_text("Saved: 3 people have no phone of their own.")
    expect(page.locator("#done")).to_be_focused()


def test_the_room_check_says_by_itself_what_has_come(venue: Venue, meeting: Meeting) -> None:
    desk = venue.facilitator(meeting.facilitator).page
    desk.goto(f"{venue.url}/f/{meeting.code}/check")
    expect(desk.locator("#seen")).to_contain_text("Waiting for a phone")
    phone = venue.context(PHONE).new_page()
    phone.goto("http://" + desk.locator("#address").inner_text())
    expect(phone).to_have_title("This is the computer itself")
    expect(desk.locator("#seen")).to_contain_text("Only this computer itself has opened the address")
    assert phone.context.cookies() == []
