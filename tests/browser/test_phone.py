"""The phone: from the QR code to a counted answer, and everything that can come in between on a venue's Wi-Fi."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Route, expect

from facilitation import qr
from tests.browser.conftest import Site
from tests.browser.people import Meeting, Phone, Venue
from tests.browser.program import Visitor

NETWORK = ("net::ERR", "WebSocket connection", "Failed to fetch")


def qr_path(site: Site, meeting: Meeting) -> str:
    """Where the QR code on the screen leads, which is drawn from exactly that address."""
    with closing(sqlite3.connect(f"file:{site.data / 'workshop.db'}?mode=ro", uri=True)) as database:
        (token,) = database.execute("SELECT join_token FROM workshops WHERE code = ?", (meeting.code,)).fetchone()
    drawn = qr.svg(f"{site.url}/j/{token}", "QR code to join this session")
    assert str(drawn) in meeting.facilitator.get(f"/f/{meeting.code}/screen")
    return f"/j/{token}"


@contextmanager
def held_up(phone: Phone, what: str = "**/ballot") -> Iterator[list[Route]]:
    """A network so slow that this, by default the answer, is still on its way. It is let through at the end."""
    held: list[Route] = []
    phone.page.route(what, lambda route: held.append(route))
    try:
        yield held
    finally:
        for route in held:
            route.continue_()
        phone.page.unroute(what)


@pytest.fixture
def phone(venue: Venue, meeting: Meeting) -> Phone:
    """One phone that has joined and waits."""
    (owner,) = meeting.join(1)
    return venue.phone(owner).open(meeting.code)


@pytest.fixture
def voter(phone: Phone, meeting: Meeting) -> Phone:
    """One phone with the open question 9.1 in front of it, among people who have all answered Partly."""
    meeting.people = meeting.join(3)
    meeting.move("open")
    meeting.vote(["3", "3", "3"])
    phone.expect_question("9.1")
    return phone


@pytest.fixture
def meeting_on_reveal(home: Visitor) -> Meeting:
    """A session that shows results only when the facilitator does, with 9.1 open and three answers in."""
    meeting = Meeting.set_up(home, mode="reveal")
    meeting.join(3)
    meeting.move("open")
    meeting.vote(["3", "3", "3"])
    return meeting


@pytest.fixture
def voter_on_reveal(venue: Venue, meeting_on_reveal: Meeting) -> Phone:
    """One more phone in that session, with the open question in front of it."""
    (owner,) = meeting_on_reveal.join(1)
    phone = venue.phone(owner).open(meeting_on_reveal.code)
    phone.expect_question("9.1")
    return phone


# --- Joining ---------------------------------------------------------------------------------------------------------


def test_two_taps_lead_from_the_qr_code_to_a_counted_answer(site: Site, venue: Venue, meeting: Meeting) -> None:
    meeting.move("open")
    phone = venue.phone().scan(qr_path(site, meeting))
    phone.answer("4")
    phone.expect_counted("4, Largely")
    assert phone.taps == 2
    assert meeting.turnout == 1
    assert phone.page.evaluate("isSecureContext") is False, "a venue's network is no secure context"


def test_the_join_page_says_where_the_code_is_and_that_nothing_else_is_asked(venue: Venue) -> None:
    phone = venue.phone()
    phone.page.goto(f"{venue.url}/")
    phone.expect_title("Join a session")
    field = phone.page.get_by_label("Join code")
    expect(field).to_have_attribute("inputmode", "numeric")
    expect(field).to_have_accessible_description("6 digits, on the black tag on the big screen")
    expect(phone.page.locator("main")).to_contain_text("No account, no name, no app. Your answers are anonymous.")


def test_a_wrong_code_is_explained_beside_the_field_and_what_was_typed_stays(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 422")
    phone = venue.phone().join("000000")
    phone.expect_title("Error: Join a session")
    sentence = "No session uses the code 000 000. Check the code on the screen."
    assert phone.focused == "problem"
    expect(phone.page.locator("#problem")).to_contain_text("There is a problem")
    field = phone.page.get_by_label("Join code")
    expect(field).to_have_accessible_description(re.compile(re.escape(sentence)))
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("000 000")
    phone.page.click("#problem a")
    assert phone.focused == "code"
    field.fill(meeting.code)  # without the space this time
    field.press("Enter")
    phone.expect_title("You are in: waiting for the first question")


def test_a_locked_door_is_explained_and_lets_nobody_in_but_those_who_were_in(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 4")
    early = venue.phone().join(meeting.code)
    early.expect_connected()
    meeting.show("door", "locked")
    late = venue.phone().join(meeting.code)
    late.expect_title("Error: Join a session")
    expect(late.page.locator("#problem")).to_contain_text(
        "This session is not taking more people. Ask the facilitator."
    )
    early.join(meeting.code).expect_title("You are in: waiting for the first question")
    meeting.show("door", "open")
    late.page.click("#join")
    late.expect_title("You are in: waiting for the first question")


# --- Answering -------------------------------------------------------------------------------------------------------


def test_the_first_question_comes_by_itself_and_is_announced_once(phone: Phone, meeting: Meeting) -> None:
    expect(phone.heading).to_have_text("You’re in. Keep this page open.")
    phone.expect_text("If your phone goes to sleep, just wake it: you stay in.")
    meeting.move("open")
    phone.expect_question("9.1")
    for words in ("Tap your answer. It’s anonymous.", "You can change it until voting closes."):
        expect(phone.band).to_contain_text(words)
    phone.expect_said("A new question is open: 9.1")
    assert phone.focused == "", "a push takes no focus"


def test_an_answer_is_drawn_as_pending_until_the_server_has_it(voter: Phone) -> None:
    with held_up(voter) as held:
        voter.answer("4")
        expect(voter.band).to_contain_text("Sending…")
        expect(voter.choices).to_have_class(re.compile("is-pending"))
        face = voter.page.locator("input:checked + .choice__face")
        expect(face).to_have_css("border-style", "dashed")
        expect(face.locator(".choice__tick")).to_be_hidden()
        voter.expect_title("Question 9.1: your answer")
        with voter.page.expect_request("**/ballot"):
            pass
        expect(voter.band).not_to_contain_text("Your answer is in")
        # It has taken longer than a second: now it is said as well.
        expect(voter.status).to_have_text("Sending…")
        assert len(held) == 1
    voter.expect_counted("4, Largely")
    voter.expect_title("Answer counted: question 9.1")
    expect(face).to_have_css("border-style", "solid")
    expect(face.locator(".choice__tick")).to_be_visible()
    voter.expect_said("A new question is open: 9.1", "Sending…", "Your answer is in: 4, Largely")


def test_an_answer_tapped_before_the_scripts_are_there_is_sent_once_they_are(venue: Venue, meeting: Meeting) -> None:
    meeting.move("open")
    phone = venue.phone()
    phone.page.goto(f"{venue.url}/")
    phone.page.fill("#code", meeting.code)
    with held_up(phone, "**/phone.js"):
        phone.page.get_by_role("button", name="Join").click(no_wait_after=True)
        phone.answer("4")
    phone.expect_counted("4, Largely")
    assert meeting.turnout == 1


def test_an_answer_stays_on_the_phone_while_the_line_is_down_and_is_sent_when_it_is_back(
    voter: Phone, meeting: Meeting, venue: Venue
) -> None:
    for words in NETWORK:
        venue.watch.forgive(words)
    voter.page.context.set_offline(True)
    voter.answer("4")
    expect(voter.band).to_contain_text("Not sent yet. Trying again…")
    expect(voter.band).to_contain_text("The Wi-Fi dropped. Your answer is kept on this phone.")
    voter.expect_title("Not sent yet: question 9.1")
    expect(voter.choices).to_have_class(re.compile("is-pending"))
    expect(voter.page.locator("html")).to_have_attribute("data-io", "down")
    expect(voter.page.locator(".line")).to_be_hidden()  # the band says what it means for the answer, and nothing moves
    expect(voter.choice("4")).to_be_checked()
    assert meeting.turnout == 3
    voter.page.context.set_offline(False)
    voter.expect_counted("4, Largely")
    voter.expect_title("Answer counted: question 9.1")
    voter.expect_connected()
    assert meeting.turnout == 4
    voter.page.wait_for_function("() => window.said.length >= 4")
    assert sorted(voter.said) == [
        "A new question is open: 9.1",
        "Connected again.",
        "The connection dropped. Trying again.",
        "Your answer is in: 4, Largely",
    ]


def test_a_lost_line_moves_nothing_and_is_said_at_the_foot_where_no_ballot_is_open(
    voter: Phone, meeting: Meeting, venue: Venue
) -> None:
    for words in NETWORK:
        venue.watch.forgive(words)
    offline = expect(voter.page.locator("html"))
    question, line = voter.page.locator(".q__text"), voter.page.locator(".line")
    top = question.bounding_box()
    voter.page.context.set_offline(True)
    offline.to_have_attribute("data-io", "down")
    assert question.bounding_box() == top
    expect(line).to_be_hidden()
    voter.page.context.set_offline(False)
    voter.expect_connected()
    meeting.move("close")
    voter.expect_title("Results: question 9.1")
    # The choice of language came with the page, and no push has taken it away.
    expect(voter.page.get_by_role("button", name="Cymraeg")).to_be_visible()
    top = question.bounding_box()
    voter.page.context.set_offline(True)
    offline.to_have_attribute("data-io", "down")
    assert question.bounding_box() == top
    box = line.bounding_box()
    assert box and round(box["y"] + box["height"]) == voter.page.evaluate("innerHeight")


def test_a_reload_shows_the_own_answer_again(voter: Phone) -> None:
    voter.answer("DK")
    voter.expect_counted("I don’t know")
    voter.page.reload()
    voter.expect_title("Answer counted: question 9.1")
    voter.expect_counted("I don’t know")
    expect(voter.choice("DK")).to_be_checked()


def test_an_answer_can_be_changed_until_voting_closes_and_is_counted_once(voter: Phone, meeting: Meeting) -> None:
    voter.answer("5")
    voter.expect_counted("5, Fully")
    voter.answer("1")
    voter.expect_counted("1, Not at all")
    voter.page.reload()
    voter.answer("2")
    voter.expect_counted("2, A little")
    assert meeting.turnout == 4
    meeting.move("close")
    voter.expect_title("Results: question 9.1")
    assert voter.chart.counts == {"1": 0, "2": 1, "3": 3, "4": 0, "5": 0, "DK": 0, "NR": 0}


def test_arrow_keys_move_through_the_answers_and_only_the_last_is_sent(voter: Phone) -> None:
    sent: list[str] = []
    voter.page.on("request", lambda request: request.method == "POST" and sent.append(request.post_data or ""))
    voter.choice("1").focus()
    for key in ("Space", "ArrowDown", "ArrowDown", "ArrowDown"):
        voter.page.keyboard.press(key)
    voter.expect_counted("4, Largely")
    assert len(sent) == 1
    assert "choice=4" in sent[0]
    expect(voter.choice("4")).to_be_focused()
    voter.expect_said("A new question is open: 9.1", "Your answer is in: 4, Largely")


# --- After voting ----------------------------------------------------------------------------------------------------


def test_a_closed_vote_says_which_answer_was_counted_even_after_a_reload(
    voter_on_reveal: Phone, meeting_on_reveal: Meeting
) -> None:
    phone = voter_on_reveal
    phone.answer("4")
    phone.expect_counted("4, Largely")
    meeting_on_reveal.move("close")
    for _ in range(2):
        phone.expect_title("Voting closed: question 9.1")
        expect(phone.band).to_contain_text("Your answer was counted: 4, Largely. Look up at the screen.")
        expect(phone.choice("4")).to_be_checked()
        expect(phone.choice("4")).to_be_disabled()
        phone.page.reload()


def test_a_closed_vote_claims_nothing_for_somebody_who_did_not_answer(
    voter_on_reveal: Phone, meeting_on_reveal: Meeting
) -> None:
    phone = voter_on_reveal
    meeting_on_reveal.move("close")
    phone.expect_title("Voting closed: question 9.1")
    expect(phone.band).to_have_text(re.compile(r"^\s*Voting has closed\s*Look up at the screen\.\s*$"))
    expect(phone.page.locator("input:checked")).to_have_count(0)


def test_an_answer_chosen_too_late_to_be_sent_is_said_to_be_not_counted(
    voter_on_reveal: Phone, meeting_on_reveal: Meeting
) -> None:
    phone, meeting = voter_on_reveal, meeting_on_reveal
    phone.answer("2")
    phone.expect_counted("2, A little")
    phone.answer("4")  # and within the 600 ms before it is sent, voting closes
    meeting.move("close")
    phone.expect_title("Voting closed: question 9.1")
    late = "Voting has closed. Your last answer came too late and was not counted."
    expect(phone.band).to_contain_text(late)
    expect(phone.band).to_contain_text("The one before it was counted: 2, A little.")
    expect(phone.page.locator("input:checked")).to_have_count(0)
    phone.page.reload()
    expect(phone.band).to_contain_text(late)
    meeting.move("reveal")
    phone.expect_title("Results: question 9.1")
    assert phone.chart.counts == {"1": 0, "2": 1, "3": 3, "4": 0, "5": 0, "DK": 0, "NR": 0}


def test_an_answer_that_was_on_its_way_at_the_close_is_not_said_to_be_counted(
    voter_on_reveal: Phone, meeting_on_reveal: Meeting, venue: Venue
) -> None:
    venue.watch.forgive("status of 422")
    phone = voter_on_reveal
    with held_up(phone) as held:
        with phone.page.expect_request("**/ballot"):
            phone.answer("4")
        meeting_on_reveal.move("close")
        phone.expect_title("Voting closed: question 9.1")
        assert held
    unsure = "Voting has closed. Your last answer may not have been counted"
    expect(phone.band).to_contain_text(unsure)
    expect(phone.page.locator("input:checked")).to_have_count(0)
    phone.page.reload()
    expect(phone.band).to_contain_text(unsure)
    meeting_on_reveal.move("reveal")
    phone.expect_title("Results: question 9.1")
    assert phone.chart.counts == {"1": 0, "2": 0, "3": 3, "4": 0, "5": 0, "DK": 0, "NR": 0}


def test_results_are_a_table_with_the_middle_the_shares_and_the_spread_in_words(voter: Phone, meeting: Meeting) -> None:
    meeting.people = meeting.join(3)
    meeting.vote(["1", "1", "5"])
    voter.answer("5")
    voter.expect_counted("5, Fully")
    meeting.move("close")
    voter.expect_title("Results: question 9.1")
    assert voter.chart.counts == {"1": 2, "2": 0, "3": 3, "4": 0, "5": 2, "DK": 0, "NR": 0}
    voter.expect_text("Middle answer: Partly", "2 of 7 say Largely or Fully. 2 of 7 say A little or Not at all.")
    expect(voter.page.locator(".spread [aria-current]")).to_have_text("Far apart")
    voter.expect_said("Results: 7 answered, middle answer Partly, far apart", about="Results")


def test_too_few_answers_are_explained_and_never_counted_out(phone: Phone, meeting: Meeting) -> None:
    meeting.people = meeting.join(1)
    meeting.move("open")
    meeting.vote(["5"])
    phone.expect_question("9.1")
    meeting.move("close")
    phone.expect_text("1 person has answered", "Results show from 3 answers up", "Talk this one through together.")
    phone.expect_no_counts()


# --- Focus and announcements -----------------------------------------------------------------------------------------


def test_focus_goes_to_the_heading_only_when_what_had_it_is_gone(voter: Phone, meeting: Meeting) -> None:
    voter.choice("2").focus()
    meeting.move("close")
    voter.expect_title("Results: question 9.1")
    expect(voter.heading).to_be_focused()
    meeting.move("next")
    voter.expect_question("9.2")
    assert voter.page.evaluate("document.activeElement.matches('h1, body')")
    assert not voter.page.evaluate("document.activeElement.matches('input')"), "no answer is under the finger unasked"


def test_the_checked_answer_does_not_travel_into_the_next_question(voter: Phone, meeting: Meeting) -> None:
    voter.answer("4")
    voter.expect_counted("4, Largely")
    voter.choice("4").focus()
    meeting.move("next")
    voter.expect_question("9.2")
    expect(voter.choice("4")).not_to_be_focused()


def test_every_event_is_announced_once_from_question_to_question(voter: Phone, meeting: Meeting) -> None:
    voter.answer("3")
    voter.expect_counted("3, Partly")
    meeting.move("close")
    voter.expect_scene("revealed")
    meeting.move("discuss")
    voter.expect_scene("discussion")
    meeting.move("revote")
    expect(voter.page.locator("form[id^=ballot]")).to_be_visible()
    meeting.move("next")
    voter.expect_question("9.2")
    meeting.move("next")
    voter.expect_question("9.3")
    meeting.move("finish")
    voter.expect_scene("finished")
    voter.expect_said(
        "A new question is open: 9.1",
        "Your answer is in: 3, Partly",
        "Results: 4 answered, middle answer Partly, close together",
        "A second vote is open: 9.1",
        "A new question is open: 9.2",
        "A new question is open: 9.3",
        "The session has ended",
    )


def test_what_was_unfolded_stays_unfolded_while_an_answer_is_saved(voter: Phone) -> None:
    voter.page.reload()  # a page brings the promise in full, a push a link to it
    voter.expect_connected()
    promise = voter.page.locator("details")
    promise.locator("summary").click()
    voter.answer("4")
    voter.expect_counted("4, Largely")
    expect(promise).to_have_attribute("open", "")


# --- Sleeping, leaving, coming back ----------------------------------------------------------------------------------


def sleep(phone: Phone, seconds: int) -> None:
    """The phone's screen goes dark for so long: nothing arrives meanwhile."""
    phone.page.evaluate("""() => {
      Object.defineProperty(document, 'hidden', {configurable: true, get: () => true});
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    phone.page.context.set_offline(True)
    phone.page.clock.fast_forward(1000 * seconds)


def wake(phone: Phone) -> None:
    """Somebody picks it up again."""
    phone.page.evaluate("""() => {
      delete document.hidden;
      document.dispatchEvent(new Event('visibilitychange'));
    }""")
    phone.page.context.set_offline(False)


def test_a_phone_that_slept_says_that_it_was_away_and_where_the_room_is(venue: Venue, meeting: Meeting) -> None:
    for words in NETWORK:
        venue.watch.forgive(words)
    phone = venue.phone()
    phone.page.clock.install()
    phone.join(meeting.code).expect_connected()
    sleep(phone, 30)
    meeting.move("open")
    wake(phone)
    phone.expect_question("9.1")
    phone.expect_connected()
    phone.expect_said("You were away. Here is where we are now. A new question is open: 9.1", about="question")


def test_a_phone_that_missed_nothing_does_not_claim_later_that_it_was_away(venue: Venue, meeting: Meeting) -> None:
    for words in NETWORK:
        venue.watch.forgive(words)
    phone = venue.phone()
    phone.page.clock.install()
    phone.join(meeting.code).expect_connected()
    sleep(phone, 30)
    with phone.page.expect_response(lambda answer: "/now" in answer.url and answer.status == 204):
        wake(phone)
    phone.expect_connected()
    meeting.move("open")
    phone.expect_question("9.1")
    phone.expect_said("A new question is open: 9.1", about="question")


def test_the_back_button_brings_the_present_question_not_the_old_one(voter: Phone, meeting: Meeting) -> None:
    voter.answer("4")
    voter.expect_counted("4, Largely")
    voter.page.goto(f"{voter.url}/about")
    meeting.move("close")
    meeting.move("next")
    # Not go_back(): it waits for a load that a page from the back-forward cache never has.
    voter.page.evaluate("setTimeout(() => history.back(), 0)")
    voter.expect_question("9.2")
    voter.expect_connected()
    voter.answer("2")
    voter.expect_counted("2, Slightly effectively")


def test_an_ended_session_has_its_last_page_for_everybody(voter: Phone, meeting: Meeting, venue: Venue) -> None:
    meeting.move("finish")
    voter.expect_title("Thank you: the session has ended")
    expect(voter.heading).to_have_text("Thank you. The session has ended.")
    voter.page.reload()
    expect(voter.heading).to_have_text("Thank you. The session has ended.")
    expect(venue.phone().join(meeting.code).heading).to_have_text("Thank you. The session has ended.")


def test_a_program_killed_while_people_vote_comes_back_with_every_acknowledged_answer(
    site: Site, voter: Phone, meeting: Meeting, venue: Venue
) -> None:
    for words in NETWORK:
        venue.watch.forgive(words)
    other = venue.phone().join(meeting.code)
    other.expect_question("9.1")
    voter.answer("4")
    voter.expect_counted("4, Largely")
    site.program.kill()
    other.answer("5")
    expect(other.band).to_contain_text("Not sent yet. Trying again…")
    expect(voter.page.locator("html")).to_have_attribute("data-io", "down")
    expect(voter.band).to_contain_text("Your answer is in: 4, Largely")
    site.program.start()
    other.expect_counted("5, Fully")
    for phone in (voter, other):
        phone.expect_connected()
    assert meeting.turnout == 5
    voter.page.reload()
    voter.expect_counted("4, Largely")
    voter.answer("1")
    voter.expect_counted("1, Not at all")
    meeting.move("close")
    for phone in (voter, other):
        phone.expect_title("Results: question 9.1")
        assert phone.chart.counts == {"1": 1, "2": 0, "3": 3, "4": 0, "5": 1, "DK": 0, "NR": 0}


# --- What the console does beside the votes --------------------------------------------------------------------------


def test_a_break_is_said_once_and_takes_nothing_away(voter: Phone, meeting: Meeting) -> None:
    voter.answer("4").expect_counted("4, Largely")
    meeting.show("break", "15")
    line = voter.page.locator("#on-break")
    expect(line.get_by_role("heading")).to_have_text("Break")
    said = "Break: back at " + line.locator("b").inner_text()
    voter.expect_title(said)
    voter.expect_said(said, about="reak")
    expect(voter.band).to_contain_text("Your answer is in: 4, Largely")
    voter.answer("5").expect_counted("5, Fully")
    voter.page.evaluate("dispatchEvent(new Event('online'))")
    meeting.show("break")
    expect(line).to_have_count(0)
    voter.expect_said(said, "The break is over.", about="reak")
    voter.expect_counted("5, Fully")


def test_a_phone_that_was_there_before_roles_were_switched_on_is_asked_too(
    phone: Phone, meeting: Meeting, venue: Venue
) -> None:
    venue.watch.forgive("status of 404")
    phone.expect_title("You are in: waiting for the first question")
    details = {"museum": "Mill", "title": "Trustees", "held_on": "2026-11-21", "mode": "live", "k": 3}
    meeting.facilitator.post(f"/f/{meeting.code}/setup", **details, roles="on")
    phone.expect_text("Say or change your role")
    phone.page.evaluate("dispatchEvent(new Event('online'))")  # as it asks by itself every quarter of a minute
    expect(phone.heading).to_have_text("What is your role here?")
    phone.page.click("#role-trustee")
    phone.expect_connected()
    phone.page.click("#role")
    expect(phone.page.locator("#role-trustee")).to_have_attribute("aria-pressed", "true")
    phone.page.click("#role-staff")
    phone.expect_title("You are in: waiting for the first question")
    meeting.move("open")
    phone.expect_question("9.1")
    expect(phone.page.locator("#role")).to_have_count(0)


# --- Charts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "width"), [(11, 390), (24, 390), (30, 390), (12, 320)])
def test_the_squares_of_a_row_stand_in_one_line_on_phone_and_console_and_are_of_one_size(
    most: int, width: int, venue: Venue, meeting: Meeting
) -> None:
    meeting.join(most + 3)
    meeting.move("open")
    meeting.vote(["3"] * most + ["1", "5", "DK"])
    meeting.move("close")
    phone = venue.phone(meeting.people[0], viewport={"width": width, "height": 664})
    phone.page.goto(f"{venue.url}/w/{meeting.code}")
    console = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    for surface in (phone, console):
        assert surface.chart.counts["3"] == most
        lines, sizes = surface.table.evaluate("""table => {
          const boxes = [...table.querySelectorAll('.tally__cell')].map(cell => cell.getBoundingClientRect());
          const row = [...table.querySelectorAll('#row-3 .tally__cell')].map(cell => cell.getBoundingClientRect().y);
          return [new Set(row).size, new Set(boxes.map(box => box.width.toFixed(1))).size];
        }""")
        assert (lines, sizes) == (1, 1)
