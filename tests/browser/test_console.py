"""The console: one big button, keys and clickers, the guards against slips, and a second person at the controls."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Facilitator, Meeting, Screen, Venue
from tests.browser.program import Visitor


@pytest.fixture
def console(venue: Venue, meeting: Meeting) -> Facilitator:
    """The console in the lobby, with four people in the room."""
    meeting.join(4)
    return venue.facilitator(meeting.facilitator).open_console(meeting.code)


@pytest.fixture
def voting(console: Facilitator, meeting: Meeting) -> Facilitator:
    """The console while 9.1 is open and everybody has answered Partly."""
    meeting.move("open")
    meeting.vote(["3", "3", "3", "3"])
    console.expect_text("4 of 4 have answered")
    expect(console.page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    return console


@pytest.fixture
def screen(voting: Facilitator) -> Screen:
    """The shared screen, opened from that console."""
    return voting.open_screen()


# --- Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["PageDown", "Space", "ArrowRight"])
def test_a_clickers_keys_press_the_big_button(key: str, voting: Facilitator) -> None:
    for title in ("results", "talking"):
        voting.key(key)
        voting.expect_title(f"Facilitator: question 9.1, {title}")
    voting.key(key)
    voting.expect_title("Facilitator: question 9.2, voting")


def test_the_letter_keys_do_what_the_buttons_say(voting: Facilitator, screen: Screen) -> None:
    for key, title in (("b", "Wexcombe Mill Museum"), ("j", "Join the session")):
        voting.key(key)
        screen.expect_title(title)
        voting.key(key)
        screen.expect_title("Voting open, 4 answers shown: question 9.1")
    voting.key(".")
    screen.expect_title("Wexcombe Mill Museum")
    voting.key(".")
    voting.key("t")
    screen.expect_text("Time left", "1:2")
    expect(voting.page.locator("#timer")).to_have_attribute("aria-pressed", "true")
    voting.key("t")
    screen.expect_no_text("Time left")
    for key, zoom in (("+", "110"), ("-", "100"), ("=", "110"), ("-", "100"), ("-", "90"), ("+", "100")):
        voting.key(key)
        expect(screen.page.locator("#now")).to_have_attribute("data-zoom", zoom)
    voting.key("PageDown")
    voting.key("p")
    screen.expect_title("Our profile")
    voting.key("p")
    screen.expect_title("Results: question 9.1")
    voting.key("r")
    voting.expect_title("Facilitator: question 9.1, voting")
    voting.expect_text("second vote")
    voting.key("n")
    voting.expect_title("Facilitator: question 9.2, voting")


@pytest.mark.parametrize("stage", ["voting", "revealed"])
def test_the_question_mark_lists_the_keys_that_work_now(stage: str, voting: Facilitator, meeting: Meeting) -> None:
    if stage == "revealed":
        meeting.move("close")
        voting.expect_scene("revealed")
    voting.page.keyboard.press("?")
    keys = voting.page.locator("#keys")
    expect(keys).to_be_visible()
    expect(keys).to_be_focused()
    listed = dict(
        zip(
            keys.locator("dt").all_inner_texts(),
            (words.split("\n")[0].strip() for words in keys.locator("dd").all_inner_texts()),
            strict=True,
        )
    )
    assert listed["PageDown, right arrow, space bar"] == {"voting": "Close voting", "revealed": "Start talking"}[stage]
    assert listed["B, ."] == "Blank"
    assert listed["PageUp, left arrow, Esc"] == "takes back what is being asked, closes what lies on top"
    assert len(listed) == voting.page.locator("#now [data-key]").count(), "these keys, and no others"
    assert ("N" in listed, "R" in listed) == (stage == "voting", stage == "revealed")
    voting.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_page_up_closes_what_lies_on_top_and_otherwise_says_why_there_is_no_way_back(
    voting: Facilitator, screen: Screen
) -> None:
    voting.key("b")
    screen.expect_title("Wexcombe Mill Museum")
    expect(voting.page.locator("#blank")).to_have_attribute("aria-pressed", "true")
    voting.key("PageUp")
    screen.expect_title("Voting open, 4 answers shown: question 9.1")
    voting.key("PageDown")
    voting.expect_step("Results")
    voting.key("ArrowLeft")
    expect(voting.notice).to_have_text("A closed vote stays closed, so there is no way back. Press R to vote again.")
    voting.expect_step("Results")
    voting.key("Escape")
    expect(voting.notice).to_be_empty()


def test_f_says_where_it_works(voting: Facilitator) -> None:
    voting.key("f")
    expect(voting.notice).to_have_text("F makes the shared screen full when you press it in that window.")


def test_keys_do_nothing_with_a_modifier_or_while_somebody_types(voting: Facilitator) -> None:
    before = voting.order
    for key in ("Control+b", "Alt+PageDown", "Meta+ArrowRight", "Control+j"):
        voting.page.keyboard.press(key)
    voting.page.evaluate("""() => {
      const field = document.createElement('textarea');
      field.id = 'typed';
      document.body.append(field);
      field.focus();
    }""")
    voting.page.keyboard.type("b. jpt+ n")
    voting.page.keyboard.press("PageDown")
    expect(voting.page.locator("#typed")).to_have_value("b. jpt+ n")
    # A key that does work comes after them in the queue: by now the others would have worked.
    voting.page.evaluate("document.activeElement.blur()")
    voting.key("j")
    expect(voting.page.locator("#show-code")).to_have_attribute("aria-pressed", "true")
    assert voting.order == _next_tick(before), "only the last key did anything"


def test_space_belongs_to_the_button_that_has_the_focus(voting: Facilitator) -> None:
    voting.page.locator("#blank").focus()
    voting.page.keyboard.press("Space")
    expect(voting.page.locator("#blank")).to_have_attribute("aria-pressed", "true")
    expect(voting.page.locator("#blank")).to_be_focused()
    voting.expect_step("Voting")


def test_letter_keys_can_be_switched_off_and_the_clicker_stays(voting: Facilitator) -> None:
    voting.page.keyboard.press("?")
    voting.page.uncheck("#letters")
    voting.page.click("#close-keys")
    voting.page.keyboard.press("b")
    voting.key("PageDown")
    voting.expect_step("Results")
    expect(voting.page.locator("#blank")).to_have_attribute("aria-pressed", "false")
    voting.page.reload()
    voting.expect_connected()
    voting.page.keyboard.press("?")
    expect(voting.page.locator("#letters")).not_to_be_checked()


def test_the_screens_window_passes_its_keys_to_the_console(voting: Facilitator, screen: Screen) -> None:
    screen.page.bring_to_front()
    screen.page.keyboard.press("b")
    screen.expect_title("Wexcombe Mill Museum")
    screen.page.keyboard.press("Escape")
    screen.expect_title("Voting open, 4 answers shown: question 9.1")
    screen.page.keyboard.press("PageDown")
    screen.expect_title("Results: question 9.1")
    voting.expect_title("Facilitator: question 9.1, results")


def test_a_screen_that_is_opened_again_does_not_move_the_session(voting: Facilitator, screen: Screen) -> None:
    before = voting.order
    screen.page.reload()
    screen.expect_connected()
    screen.expect_title("Voting open, 4 answers shown: question 9.1")
    assert voting.order.split(".")[0] == before.split(".")[0]


# --- Slips -----------------------------------------------------------------------------------------------------------


def test_a_double_press_moves_the_session_once(voting: Facilitator) -> None:
    voting.thumb_rests()
    voting.button.dblclick()
    voting.expect_step("Results")
    voting.page.keyboard.press("PageDown")
    voting.key("b")
    expect(voting.page.locator("#blank")).to_have_attribute("aria-pressed", "true")
    assert voting.phases.locator("[aria-current]").inner_text() in ("Results", "Talk")


def test_closing_asks_first_while_somebody_has_not_answered(console: Facilitator, meeting: Meeting) -> None:
    meeting.move("open")
    meeting.vote(["3", "3", "3"])
    console.expect_text("3 of 4 have answered")
    console.page.clock.install()
    console.page.reload()
    console.expect_connected()
    console.button.click()
    console.expect_button("Close now: 1 still to answer")
    console.page.keyboard.press("PageUp")
    console.expect_button("Close voting")
    console.page.clock.fast_forward(500)
    console.button.click()
    console.expect_button("Close now: 1 still to answer")
    console.page.clock.fast_forward(5001)
    console.expect_button("Close voting")
    console.expect_step("Voting")
    console.button.click()
    console.expect_button("Close now: 1 still to answer")
    console.page.clock.fast_forward(500)
    console.button.click()
    console.expect_step("Results")


def test_closing_below_k_says_that_nothing_would_be_shown(console: Facilitator, meeting: Meeting) -> None:
    meeting.move("open")
    meeting.vote(["3", "3"])
    console.expect_text("2 of 4 have answered")
    console.press("Close voting")
    console.press("Only 2 of 3: nothing would be shown. Close anyway")
    console.expect_step("Results")
    console.expect_text("2 people have answered", "Results show from 3 answers up")
    console.expect_no_counts()


def test_an_armed_button_stays_armed_and_true_while_answers_come_in(console: Facilitator, meeting: Meeting) -> None:
    meeting.move("open")
    console.press("Close voting")
    console.expect_button("Only 0 of 3: nothing would be shown. Close anyway")
    meeting.vote(["3"])
    console.expect_button("Only 1 of 3: nothing would be shown. Close anyway")
    meeting.vote(["3", "3", "3"])
    console.expect_button("Close now: 1 still to answer")
    expect(console.page.locator("#form-main-move")).to_have_class("is-armed")
    console.thumb_rests()
    console.button.click()
    console.expect_step("Results")


def test_an_armed_button_asks_no_more_when_everybody_has_answered(console: Facilitator, meeting: Meeting) -> None:
    meeting.move("open")
    meeting.vote(["3", "3", "3"])
    console.expect_text("3 of 4 have answered")
    console.press("Close voting")
    console.expect_button("Close now: 1 still to answer")
    meeting.vote(["3", "3", "3", "3"])
    console.expect_button("Close voting")
    expect(console.page.locator("#form-main-move")).not_to_have_class("is-armed")


def test_skipping_asks_first_when_there_are_answers(voting: Facilitator) -> None:
    voting.key("n")
    expect(voting.detour).to_contain_text("Skip now: 4 answers stay unseen")
    voting.expect_step("Voting")
    voting.key("n")
    voting.expect_title("Facilitator: question 9.2, voting")
    expect(voting.page.locator(".run__row").first).to_contain_text("Not shown")


def test_a_clicker_that_runs_past_the_last_question_is_asked_before_the_session_ends(voting: Facilitator) -> None:
    voting.press("Close voting")
    voting.expect_step("Results")
    voting.press("9.6", ".run__row >> nth=5")
    voting.press("Open this question now?", ".run__row >> nth=5")
    voting.expect_title("Facilitator: question 9.6, voting")
    voting.press("Close voting")
    voting.press("Close anyway")
    voting.expect_step("Results")
    voting.press("Start talking")
    voting.expect_button("Finish")
    voting.key("PageDown")
    voting.expect_button("End now: 4 questions were not asked")
    voting.key("PageUp")
    voting.expect_button("Finish")
    voting.expect_title("Facilitator: question 9.6, talking")
    voting.key("PageDown")
    voting.key("PageDown")
    voting.expect_title("Facilitator: the session has ended")


def test_a_console_that_is_cut_off_says_so_and_does_nothing(
    voting: Facilitator, meeting: Meeting, venue: Venue
) -> None:
    for words in ("net::ERR", "WebSocket connection", "Failed to fetch"):
        venue.watch.forgive(words)
    voting.page.context.set_offline(True)
    voting.button.click()
    expect(voting.notice).to_contain_text("Nothing was done")
    voting.expect_step("Voting")
    expect(voting.page.get_by_text("No connection. Trying again…")).to_be_visible()
    voting.page.context.set_offline(False)
    voting.expect_connected()
    expect(voting.page.get_by_text("No connection. Trying again…")).to_be_hidden()
    voting.press("Close voting")
    voting.expect_step("Results")


# --- Two at the controls ---------------------------------------------------------------------------------------------


def deaf(page: Page) -> None:
    """Pushes do not reach this page any more, as when a laptop was closed for a moment."""
    page.route(re.compile("/socket.io/"), lambda route: route.abort())
    page.route_web_socket(re.compile("/socket.io/"), lambda line: line.close())


def test_a_move_from_a_page_that_is_out_of_date_is_refused_with_a_sentence_and_the_fresh_page(
    voting: Facilitator, meeting: Meeting, venue: Venue
) -> None:
    venue.watch.forgive("status of 409")
    venue.watch.forgive("socket.io")
    other = venue.facilitator(meeting.facilitator)
    deaf(other.page)
    other.page.goto(f"{venue.url}/f/{meeting.code}")
    other.expect_step("Voting")
    voting.press("Close voting")
    voting.expect_step("Results")
    other.press("Close voting")
    expect(other.notice).to_have_text(
        "Someone else moved the session on a moment ago. Nothing was done: this is where it stands now."
    )
    other.expect_step("Results")
    other.expect_title("Facilitator: question 9.1, results")
    assert other.order == voting.order
    voting.expect_step("Results")
    other.press("Start talking")
    voting.expect_step("Talk")
    expect(other.notice).to_be_empty()


def test_two_consoles_follow_each_other(voting: Facilitator, meeting: Meeting, venue: Venue) -> None:
    other = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    for console, words, step in ((other, "Close voting", "Results"), (voting, "Start talking", "Talk")):
        console.press(words)
        voting.expect_step(step)
        other.expect_step(step)


def test_the_console_of_a_session_is_for_its_facilitator_alone(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 404")
    phone = venue.phone().join(meeting.code)
    phone.expect_connected()
    for path in (f"/f/{meeting.code}", f"/s/{meeting.code}", "/home"):
        phone.page.goto(venue.url + path)
        expect(phone.page.locator("main")).to_contain_text("There is nothing at this address")


# --- On a phone, and what else the console can do ---------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 568)])
def test_on_a_phone_the_big_button_is_under_the_thumb_at_every_stage(
    width: int, height: int, venue: Venue, meeting: Meeting
) -> None:
    meeting.join(3)
    size = {"width": width, "height": height}
    remote = venue.facilitator(meeting.facilitator, viewport=size, is_mobile=True, has_touch=True)
    remote.open_console(meeting.code)
    for words in ("Open question 9.1", "Close voting", "Start talking", "Next question"):
        expect(remote.button).to_contain_text(words)
        expect(remote.button).to_be_in_viewport(ratio=1)
        box = remote.button.bounding_box()
        assert box
        assert box["height"] >= 56
        assert box["y"] > size["height"] * 0.7
        assert remote.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        remote.press(words)
        if words == "Open question 9.1":
            remote.expect_title("Facilitator: question 9.1, voting")
            meeting.vote(["3", "3", "3"])
            remote.expect_text("3 of 3 have answered")
            expect(remote.page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    remote.expect_title("Facilitator: question 9.2, voting")
    for part in ("Notes", "Actions", "Room", "Run sheet", "Question"):
        remote.page.get_by_role("link", name=part, exact=True).click()
        expect(remote.page.locator(":target")).to_be_in_viewport()
        expect(remote.button).to_be_in_viewport(ratio=1)


def test_a_remote_that_is_taken_off_says_so_and_does_nothing(venue: Venue, meeting: Meeting) -> None:
    for words in ("status of 404", "net::ERR", "WebSocket connection", "status of 403", "status of 400"):
        venue.watch.forgive(words)
    desk = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    desk.page.click("#pair")
    address = desk.page.locator("#address").inner_text()
    remote = venue.facilitator(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    remote.page.goto(f"http://{address}")
    remote.page.click("#take")
    remote.expect_connected()
    remote.press("Open question 9.1")
    remote.expect_step("Voting")
    remote.page.route(re.compile("/socket.io/"), lambda route: route.abort())  # it has not heard of it yet
    desk.page.click("#revoke")
    remote.thumb_rests()
    before = desk.open_console(meeting.code).order
    if remote.button.is_visible():
        remote.button.click()
    expect(remote.page.locator("body")).to_contain_text("it has been taken off: the console gives a new code.")
    assert desk.order.split(".")[0] == before.split(".")[0]


def test_how_the_next_questions_results_are_shown_can_be_chosen_until_it_opens(
    voting: Facilitator, meeting: Meeting
) -> None:
    expect(voting.page.locator(".run__mode legend")).to_have_text("Results of 9.2")
    with voting.page.expect_response(lambda answer: "/agenda/" in answer.url and answer.ok):
        voting.page.locator(".run__mode").get_by_label("When I show them").check()
    expect(voting.page.locator(".run__mode").get_by_label("When I show them")).to_be_checked()
    voting.press("Close voting")
    voting.press("Start talking")
    voting.press("Next question")
    voting.expect_title("Facilitator: question 9.2, voting")
    voting.expect_text("Results when I show them")
    assert voting.phases.locator("li").all_inner_texts() == ["Voting", "Closed", "Results", "Talk"]
    expect(voting.page.locator(".run__mode legend")).to_have_text("Results of 9.3")
    expect(voting.page.locator(".run__mode").get_by_label("While people vote")).to_be_checked()


def test_the_run_sheet_leads_to_any_question_and_back_to_its_result(voting: Facilitator) -> None:
    rows = voting.page.locator(".run__row")
    voting.press("Close voting")
    voting.expect_step("Results")
    voting.press("9.5", ".run__row >> nth=4")
    voting.expect_step("Results")
    voting.press("Open this question now? Press again", ".run__row >> nth=4")
    voting.expect_title("Facilitator: question 9.5, voting")
    expect(rows.nth(0)).to_contain_text("Partly")
    voting.press("9.1", ".run__row >> nth=0")
    voting.press("Go back to this result? Press again", ".run__row >> nth=0")
    voting.expect_title("Facilitator: question 9.1, talking")
    assert voting.chart.counts["3"] == 4


def test_a_vote_closed_by_mistake_starts_again_from_nothing(voting: Facilitator, meeting: Meeting) -> None:
    voting.press("Close voting")
    voting.press("Start this vote again", "#discard")
    voting.press("Drop these 4 answers?", "#discard")
    voting.expect_title("Facilitator: question 9.1, voting")
    voting.expect_no_text("second vote")
    voting.expect_text("0 of 4 have answered")
    meeting.vote(["1", "1", "1", "1"])
    voting.expect_text("4 of 4 have answered")
    expect(voting.page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    voting.press("Close voting")
    voting.expect_step("Results")
    assert voting.chart.counts["1"] == 4
    assert set(voting.chart.was.values()) == {None}


def test_a_second_vote_keeps_the_first_beside_it(voting: Facilitator, meeting: Meeting) -> None:
    voting.press("Close voting")
    voting.press("Vote again", "#detour")
    voting.expect_text("second vote", "0 of 4 have answered")
    meeting.vote(["4", "4", "3", "3"], ["up", "up", "same", "same"])
    voting.expect_text("4 of 4 have answered")
    expect(voting.page.locator("#form-main-move")).not_to_have_attribute("data-arm", re.compile("."))
    voting.press("Close voting")
    voting.expect_step("Results")
    assert (voting.chart.counts["3"], voting.chart.counts["4"]) == (2, 2)
    assert (voting.chart.was["3"], voting.chart.was["4"]) == (4, 0)
    voting.expect_text("Some moved; no clear direction", "2 went up, 2 stayed, none down")


def test_the_door_can_be_locked_and_opened_again(console: Facilitator) -> None:
    door = console.page.locator("#door")
    for words, pressed in (("Nobody new can join", "true"), ("Lock the door", "false")):
        door.click()
        expect(door).to_have_text(words)
        expect(door).to_have_attribute("aria-pressed", pressed)


@pytest.mark.parametrize("where", ["lobby", "question"])
def test_a_locked_door_takes_the_way_in_off_the_wall(where: str, console: Facilitator, meeting: Meeting) -> None:
    if where == "question":
        meeting.move("open")
    screen = console.open_screen()
    code = screen.page.get_by_role("img", name="QR code to join this session")
    expect(code).to_be_visible()
    console.page.click("#door")
    screen.expect_text("Joining is closed")
    expect(screen.page.get_by_text("Joining is closed").last).to_be_visible()
    expect(code).to_have_count(0)
    screen.expect_no_text("museum.lan", f"{meeting.code[:3]} {meeting.code[3:]}")
    console.key("j")
    screen.expect_text("Nobody new can join now.")
    expect(screen.page.get_by_role("heading", name="Joining is closed").last).to_be_visible()
    expect(code).to_have_count(0)
    console.page.click("#door")
    expect(code).to_be_visible()


def test_the_timer_is_on_the_wall_while_people_look_and_talk(voting: Facilitator, screen: Screen) -> None:
    for press, step in (("Close voting", "Results"), ("Start talking", "Talk")):
        voting.press(press)
        voting.expect_step(step)
        voting.key("t")
        expect(screen.head.locator(".timer__left")).to_have_text(re.compile(r"1:[0-3]\d"))


def test_bigger_stops_at_the_last_size_that_fits_the_picture(voting: Facilitator, screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 1920, "height": 1080})
    expect(screen.page.locator("#now")).to_have_attribute("data-zoom", "100")
    before = screen.foot.bounding_box()
    for _ in range(5):
        voting.key("+")
        voting.page.wait_for_load_state("networkidle")
        assert screen.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    expect(voting.notice).to_have_text("That is the largest size that fits the shared screen.")
    after = screen.foot.bounding_box()
    assert before and after and after["height"] > before["height"], "it is bigger, by as much as fits"
    largest = screen.page.locator("#now").get_attribute("data-zoom")
    assert largest in ("110", "125")
    voting.key("-")
    expect(screen.page.locator("#now")).not_to_have_attribute("data-zoom", str(largest))
    expect(voting.notice).to_be_empty()


def test_a_new_step_of_the_console_begins_at_the_top_unless_somebody_types(
    voting: Facilitator, meeting: Meeting
) -> None:
    voting.page.set_viewport_size({"width": 1366, "height": 640})
    down = "document.getElementById('main').scrollTop = 9999; document.getElementById('main').scrollTop"
    top = "document.getElementById('main').scrollTop"
    assert voting.page.evaluate(down) > 0
    voting.key("PageDown")
    voting.expect_step("Results")
    assert voting.page.evaluate(top) == 0
    voting.page.locator(".written textarea").first.focus()
    voting.page.evaluate(down)
    meeting.move("discuss")
    voting.expect_step("Talk")
    assert voting.page.evaluate(top) > 0


def test_a_phone_that_drops_off_is_missed_and_its_answer_is_safe(
    console: Facilitator, meeting: Meeting, venue: Venue
) -> None:
    phone = venue.phone().join(meeting.code)
    phone.expect_connected()
    expect(console.page.locator(".room dl")).to_contain_text("Connected now1")
    phone.page.close()
    expect(console.page.locator(".room .notice")).to_contain_text("dropped off")
    expect(console.page.locator(".room .notice")).to_contain_text("safe")


def test_focus_stays_on_the_console_while_answers_come_in(voting: Facilitator, meeting: Meeting) -> None:
    voting.page.locator("#more-screen summary").click()
    voting.page.locator("#theme-dark").focus()
    meeting.join(1)
    expect(voting.page.locator(".room dl")).to_contain_text("Joined5")
    expect(voting.page.locator("#theme-dark")).to_be_focused()
    expect(voting.page.locator("#more-screen")).to_have_attribute("open", "")


# --- Set-up, ending, deleting ----------------------------------------------------------------------------------------


def test_what_is_half_typed_on_the_set_up_page_survives_another_change(venue: Venue, meeting: Meeting) -> None:
    desk = venue.facilitator(meeting.facilitator)
    desk.page.goto(f"{venue.url}/f/{meeting.code}/setup")
    desk.page.click("#own > summary")
    desk.page.fill("[id^=own-text]", "How well do we")
    desk.page.click("#hallmark-purpose > summary")
    desk.page.click("#add-purpose-01")
    expect(desk.page.locator(".agenda__item")).to_have_count(7)
    expect(desk.page.locator("#hallmark-purpose")).to_have_attribute("open", "")
    expect(desk.page.locator("#own")).to_have_attribute("open", "")
    expect(desk.page.locator("[id^=own-text]")).to_have_value("How well do we")
    desk.page.fill("[id^=own-text]", "How well do we use the yard?")
    desk.page.click("#own-add")
    expect(desk.page.locator(".agenda__item")).to_have_count(8)
    expect(desk.page.locator(".agenda__text").last).to_have_text("How well do we use the yard?")
    expect(desk.page.locator("[id^=own-text]")).to_have_value("")


def test_the_agenda_can_be_put_in_another_order_and_questions_taken_off(venue: Venue, meeting: Meeting) -> None:
    desk = venue.facilitator(meeting.facilitator)
    desk.page.goto(f"{venue.url}/f/{meeting.code}/setup")
    plates = desk.page.locator(".agenda__item .plate")
    expect(plates).to_have_text(["9.1", "9.2", "9.3", "9.4", "9.5", "9.6"])
    desk.page.locator(".agenda__item").nth(1).get_by_role("button", name="Move up").click()
    expect(plates).to_have_text(["9.2", "9.1", "9.3", "9.4", "9.5", "9.6"])
    desk.page.locator(".agenda__item").nth(5).get_by_role("button", name="Take off the agenda").click()
    expect(plates).to_have_text(["9.2", "9.1", "9.3", "9.4", "9.5"])
    desk.page.click("#to-console")
    desk.expect_button("Open question 9.2")


def test_the_smallest_group_is_locked_once_voting_has_begun(venue: Venue, meeting: Meeting) -> None:
    venue.watch.forgive("status of 422")
    meeting.move("open")
    desk = venue.facilitator(meeting.facilitator)
    desk.page.goto(f"{venue.url}/f/{meeting.code}/setup")
    desk.page.select_option("#k", "5")
    expect(desk.notice).to_contain_text("so it can no longer be changed")
    desk.page.reload()
    expect(desk.page.locator("#k")).to_have_value("3")


def test_a_session_ended_early_is_asked_about_and_can_then_only_be_read(voting: Facilitator) -> None:
    voting.page.click("#end")
    voting.expect_title("End the session?")
    expect(voting.page.locator("main")).to_contain_text("Voting on 9.1 is open: 4 answers are counted but not shown.")
    voting.page.click("#finish")
    voting.expect_title("Facilitator: the session has ended")
    assert voting.page.locator("#main-move, #detour, #blank, #door").count() == 0
    voting.page.keyboard.press("PageDown")
    voting.page.reload()
    expect(voting.heading).to_have_text("The session has ended")


def test_a_deleted_session_is_gone_for_everybody(venue: Venue, meeting: Meeting, home: Visitor) -> None:
    venue.watch.forgive("status of 4")
    phone = venue.phone().join(meeting.code)
    phone.expect_connected()
    desk = venue.facilitator(home)
    desk.page.goto(f"{venue.url}/home")
    card = desk.page.locator(".session", has=desk.page.locator(f"#open-{meeting.code}"))
    card.get_by_role("link", name="Delete").click()
    desk.expect_title("Delete the session?")
    desk.page.get_by_role("link", name="Keep it").click()
    card.get_by_role("link", name="Delete").click()
    desk.page.click("#delete")
    desk.expect_title("The session is deleted")
    desk.page.get_by_role("link", name="Back to your sessions").click()
    desk.expect_title("Your sessions")
    expect(card).to_have_count(0)
    phone.page.reload()
    phone.expect_title("Join a session")
    phone.join(meeting.code).expect_title("Error: Join a session")


def _next_tick(order: str) -> str:
    version, tick = order.split(".")
    return f"{version}.{int(tick) + 1}"


@pytest.mark.parametrize("hand", ["keyboard", "mouse", "mouse that gives no focus"])
def test_after_all_questions_of_a_hallmark_were_added_the_focus_is_at_that_hallmark(
    hand: str, venue: Venue, home: Visitor
) -> None:
    bare = Meeting.set_up(home, keys=())
    page = venue.facilitator(home).page
    page.goto(f"{venue.url}/f/{bare.code}/setup")
    hallmark = page.locator("#hallmark-purpose > summary")
    hallmark.click()
    if hand == "keyboard":
        page.locator("#all-purpose").press("Enter")
    elif hand == "mouse":
        page.click("#all-purpose")
    else:  # as in Safari
        page.locator("#all-purpose").evaluate(
            "button => { document.activeElement.blur(); button.form.requestSubmit(button); }"
        )
    expect(page.locator(".agenda__item")).to_have_count(6)
    expect(hallmark).to_contain_text("6 of 6 chosen")
    expect(hallmark).to_be_focused()
    expect(hallmark).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("kind", ["session", "rehearsal"])
def test_what_is_written_in_the_talk_is_in_sight_on_a_small_laptop(kind: str, venue: Venue, meeting: Meeting) -> None:
    if kind == "rehearsal":
        meeting = Meeting(meeting.facilitator, meeting.facilitator.post("/rehearsals").split("/")[2])
    for move in ("open", "close", "discuss"):
        meeting.move(move)
    for action in ("Ask the school", "Mend the roof"):
        meeting.facilitator.post(f"/f/{meeting.code}/actions", action=action)
    console = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    console.expect_step("Talk")
    deck = console.page.locator(".deck").bounding_box()
    assert deck
    for field in ('[name="text"]', '[name="rating"] >> nth=5', '[name="reason"]', "#act", "#add-act"):
        box = console.page.locator(f".written {field}").bounding_box()
        assert box
        assert box["y"] > 0 and box["y"] + box["height"] <= deck["y"], f"{field} lies below the fold"
