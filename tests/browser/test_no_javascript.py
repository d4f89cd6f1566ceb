"""A phone without JavaScript, because it is old or locked down: slower to use, and it leaves nobody out."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.people import Meeting, Phone, Venue


def choose(phone: Phone, point: str) -> None:
    """Tap an answer, then the button that is there without scripts."""
    phone.answer(point)
    phone.page.get_by_role("button", name="Send my answer").click()


def look(phone: Phone, words: str) -> None:
    """Follow the link that takes the place of a push."""
    phone.page.get_by_role("link", name=words).click()


def test_a_phone_without_javascript_joins_answers_changes_its_mind_and_sees_every_result(
    venue: Venue, meeting: Meeting
) -> None:
    meeting.join(3)
    phone = venue.phone(java_script_enabled=False).join(meeting.code)
    phone.expect_title("You are in: waiting for the first question")
    meeting.move("open")
    meeting.vote(["3", "3", "3"])
    look(phone, "Check for the first question")
    phone.expect_question("9.1")

    answers: list[int] = []
    phone.page.on("response", lambda answer: answers.append(answer.status) if "/ballot" in answer.url else None)
    choose(phone, "4")
    phone.expect_counted("4, Largely")
    phone.expect_title("Answer counted: question 9.1")
    expect(phone.choice("4")).to_be_checked()
    assert answers == [303], "a reload must not send the form again"
    choose(phone, "2")
    phone.expect_counted("2, A little")
    phone.page.reload()
    phone.expect_counted("2, A little")
    assert meeting.turnout == 4

    meeting.move("close")
    look(phone, "Check for the next question")
    phone.expect_title("Results: question 9.1")
    assert [row.split()[-1] for row in phone.table.locator("tbody tr").all_inner_texts()] == list("0130000")
    phone.expect_text("Middle answer: Partly")
    meeting.move("next")
    look(phone, "Check for the next question")
    phone.expect_question("9.2")


def test_a_form_sent_after_the_close_is_refused_in_words_with_a_way_on(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 422")
    meeting.facilitator.post(
        f"/f/{meeting.code}/setup", museum="Mill", title="Trustees", held_on="2026-11-21", k=3, mode="reveal"
    )
    meeting.join(3)
    meeting.move("open")
    meeting.vote(["3", "3", "3"])
    phone = venue.phone(java_script_enabled=False).join(meeting.code)
    phone.expect_question("9.1")
    meeting.move("close")
    choose(phone, "4")
    expect(phone.page.locator("main")).to_contain_text(
        "Voting has closed. Your last answer came too late and was not counted."
    )
    look(phone, "Back to the session")
    phone.expect_title("Voting closed: question 9.1")
    meeting.move("reveal")
    look(phone, "Check for the result")
    phone.expect_title("Results: question 9.1")


def test_a_form_sent_without_an_answer_is_not_sent_at_all(venue: Venue, meeting: Meeting) -> None:
    meeting.move("open")
    phone = venue.phone(java_script_enabled=False).join(meeting.code)
    phone.page.get_by_role("button", name="Send my answer").click()
    phone.expect_question("9.1")
    assert meeting.turnout == 0


def test_the_screen_and_the_console_can_be_worked_without_javascript(venue: Venue, meeting: Meeting) -> None:
    console = venue.facilitator(meeting.facilitator, java_script_enabled=False)
    console.page.goto(f"{venue.url}/f/{meeting.code}")
    console.page.get_by_role("button", name="Open question 9.1").click()
    console.expect_title("Facilitator: question 9.1, voting")
    meeting.join(3)
    meeting.vote(["3", "3", "3"])
    console.page.get_by_role("button", name="Close voting").click()
    console.expect_title("Facilitator: question 9.1, results")
    assert [row.split()[-1] for row in console.table.locator("tbody tr").all_inner_texts()] == list("0030000")
    screen = venue.context({"java_script_enabled": False}, meeting.facilitator).new_page()
    screen.goto(f"{venue.url}/f/{meeting.code}/screen")
    expect(screen).to_have_title("Results: question 9.1")
