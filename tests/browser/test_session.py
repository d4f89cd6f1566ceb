"""A whole session, set up and run in browsers: console, shared screen and three phones, in both result modes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Site
from tests.browser.people import (
    EFFECTIVENESS,
    INEQUALITY,
    POINTS,
    SCALES,
    Facilitator,
    Phone,
    Screen,
    Venue,
    counted,
)
from tests.browser.program import HOST

ASIDE = {"DK": "I don’t know", "NR": "Not relevant"}
OWN = "How effectively do we use the yard in winter?"
# What the three people answer to 9.1 to 9.6, and to the question of their own.
ANSWERS = (
    ("3", "3", "4"),
    ("1", "5", "5"),
    ("2", "DK", "2"),
    ("3", "3", "4"),
    ("NR", "NR", "5"),
    ("4", "4", "4"),
    ("1", "2", "1"),
)
MIDDLES = ("Partly", "Extremely effectively", "Not very well", "Partly", None, "Very well", "Not effectively")
# 9.4 is voted on twice: one goes up, one stays, one goes down.
TWICE, SECOND = 3, ("4", "3", "3")
OWN_PLACE = 6
ALL, SOME = tuple(range(7)), (2, 3, 4, OWN_PLACE)
"""Places in what stands above. Some: each scale, both answers aside, a second vote, no middle, an own question."""


@dataclass
class Room:
    """Everybody in the room, and how results are shown to them."""

    mode: str
    places: tuple[int, ...]
    console: Facilitator
    screen: Screen
    phones: list[Phone]

    @property
    def surfaces(self) -> list[Screen | Phone]:
        """What everybody can see."""
        return [self.screen, *self.phones]

    def plate(self, place: int) -> str:
        """What a question is called."""
        return f"Q{len(self.places)}" if place == OWN_PLACE else f"9.{place + 1}"


def words_of(choice: str, labels: Sequence[str]) -> str:
    """How a phone repeats an answer: "4, Largely"."""
    return ASIDE.get(choice) or f"{choice}, {labels[int(choice) - 1]}"


@pytest.fixture(scope="module")
def desk(site: Site, shared_venue: Venue) -> Facilitator:
    """A laptop that has opened the printed link."""
    desk = shared_venue.facilitator()
    desk.page.goto(site.facilitator)
    expect(desk.heading).to_have_text("Your sessions")
    return desk


@pytest.mark.parametrize("places", [SOME, pytest.param(ALL, marks=pytest.mark.long)], ids=["some", "all"])
@pytest.mark.parametrize("mode", ["live", "reveal"])
def test_a_whole_session_from_set_up_to_the_downloads(
    mode: str, places: tuple[int, ...], desk: Facilitator, venue: Venue, site: Site
) -> None:
    room = gather(mode, places, desk, venue)
    for place in places:
        answers, labels, plate = ANSWERS[place], (*SCALES, EFFECTIVENESS)[place], room.plate(place)
        room.console.press(f"Open question {plate}" if place == places[0] else "Next question")
        vote(room, plate, answers, labels)
        close_and_show(room, plate, answers, labels)
        see_result(room, plate, place, counted(answers), None)
        talk(room, plate)
        if place == TWICE:
            room.console.press("Vote again", "#detour")
            vote(room, plate, SECOND, labels, first=answers)
            close_and_show(room, plate, SECOND, labels)
            see_result(room, plate, place, counted(SECOND), counted(answers))
            talk(room, plate)
    look_at_the_profile(room)
    end(room)
    check_csv(room)
    check_json(room)
    check_log(room, site)


def gather(mode: str, places: tuple[int, ...], desk: Facilitator, venue: Venue) -> Room:
    """Set the session up in the browser, open the screen, and let three people in."""
    desk.set_up("Wexcombe Mill Museum", f"Trustees and staff, {mode}")
    desk.expect_title(f"Set up: Trustees and staff, {mode}")
    desk.add_questions(INEQUALITY, [f"{INEQUALITY}-{place + 1:02}" for place in places[:-1]])
    desk.add_own_question(OWN, "Yard in winter", "effectiveness")
    desk.choose("#k", "3")
    if mode == "reveal":
        desk.choose("#mode-reveal")
    desk.page.reload()
    expect(desk.page.locator("#k")).to_have_value("3")
    expect(desk.page.locator(f"#mode-{mode}")).to_be_checked()
    meeting = {
        7: "70 minutes. With the welcome and the plan the meeting takes about 100 minutes (1 h 40 min).",
        4: "40 minutes.",
    }
    expect(desk.page.locator("#running")).to_contain_text(f"{len(places)} questions, about {meeting[len(places)]}")
    desk.page.click("#to-console")
    desk.expect_connected()
    desk.expect_title("Facilitator: people are joining")
    expect(desk.heading).to_have_text("Nobody has joined yet")
    expect(desk.page.locator(".room dl")).to_contain_text("Not open")

    screen = desk.open_screen()
    screen.expect_title("Join the session")
    expect(desk.page.locator(".room dl")).to_contain_text("Connected")
    expect(screen.page.locator(".tag")).to_have_text(f"Join code {desk.code[:3]} {desk.code[3:]}")
    expect(screen.page.get_by_role("img", name="QR code to join this session")).to_be_visible()
    screen.expect_text("museum.lan", "Wexcombe Mill Museum", "No phone?")

    phones = [venue.phone().join(desk.code) for _ in range(3)]
    for phone in phones:
        phone.expect_connected()
        phone.expect_title("You are in: waiting for the first question")
        expect(phone.heading).to_have_text("You’re in. Keep this page open.")
        phone.expect_text("Your answers are anonymous", "Results show from 3 answers up")
    expect(desk.heading).to_have_text("3 people are here")
    expect(screen.page.locator(".count")).to_have_text("3 here")
    return Room(mode, places, desk, screen, phones)


def vote(room: Room, plate: str, answers: Sequence[str], labels: Sequence[str], first: Sequence[str] = ()) -> None:
    """All surfaces show the open question, and all three answer it."""
    console, screen = room.console, room.screen
    for phone, before in zip(room.phones, first or [""] * 3, strict=True):
        phone.expect_question(plate)
        shown = [label.strip() for label in phone.page.locator(".choice__t").all_inner_texts()]
        assert shown == [*labels, "I don’t know", "Not relevant"]
        assert phone.page.locator("table").count() == 0
        if first:
            phone.expect_text(f"Your first answer: {words_of(before, labels)}", "second vote")
    screen.expect_title(f"Voting open: question {plate}")
    screen.expect_turnout(0, 3)
    console.expect_title(f"Facilitator: question {plate}, voting")
    console.expect_step("Voting")
    console.expect_button("Close voting")
    steps = ["Voting", "Results", "Talk"] if room.mode == "live" else ["Voting", "Closed", "Results", "Talk"]
    assert console.phases.locator("li").all_inner_texts() == steps
    expect_waiting(room, 0)

    if plate == room.plate(room.places[0]):
        answer(room.phones[:2], answers[:2], labels)
        expect_waiting(room, 2)
        answer(room.phones[2:], answers[2:], labels)
    else:
        answer(room.phones, answers, labels)
    screen.expect_turnout(3, 3)
    expect(console.page.locator("#turnout")).to_have_text("3 of 3 have answered")
    for phone in room.phones:
        assert phone.page.locator("table").count() == 0
    if room.mode == "live":
        screen.expect_title(f"Voting open, 3 answers shown: question {plate}")
        screen.expect_text("3 answers are in the chart. You can change yours until voting closes.")
        console.expect_text("On the shared screen now: 3 answers", "Everyone’s answer is in the chart.")
        assert screen.chart.counts == console.chart.counts == counted(answers)
        assert all(was is None for was in screen.chart.was.values()), "the first vote waits for the close"
        assert screen.page.locator(".mid__at, .spread").count() == 0, "no middle and no spread before the close"
    else:
        expect_waiting(room, 3)


def answer(phones: Sequence[Phone], answers: Sequence[str], labels: Sequence[str]) -> None:
    """Everybody taps, then everybody sees that the answer is in."""
    for phone, choice in zip(phones, answers, strict=True):
        phone.answer(choice)
    for phone, choice in zip(phones, answers, strict=True):
        phone.expect_counted(words_of(choice, labels))


def expect_waiting(room: Room, answered: int) -> None:
    """Nothing but the number of answers is known, to anyone."""
    console, screen = room.console, room.screen
    screen.expect_turnout(answered, 3)
    expect(console.page.locator("#turnout")).to_have_text(f"{answered} of 3 have answered")
    if room.mode == "live":
        expect(screen.foot).to_contain_text("The chart starts at 3 answers.")
        console.expect_text(f"First picture at 3 answers, {answered} so far.")
        assert screen.chart.is_empty
        assert console.chart.is_empty
    else:
        expect(screen.foot).to_have_text("Answers are anonymous and stay hidden until voting closes.")
        console.expect_text("Answers stay hidden from you too while people vote")
        assert screen.table.count() == console.table.count() == 0
    for surface in (console, *room.surfaces):
        surface.expect_no_counts()


def close_and_show(room: Room, plate: str, answers: Sequence[str], labels: Sequence[str]) -> None:
    """Close voting; on reveal the facilitator alone sees the result, until it is shown."""
    console, screen = room.console, room.screen
    console.press("Close voting")
    if room.mode == "live":
        return
    console.expect_title(f"Facilitator: question {plate}, closed")
    console.expect_step("Closed")
    console.expect_text("Only you see this")
    assert console.chart.counts == counted(answers)
    screen.expect_title(f"Voting closed: question {plate}")
    screen.expect_text("Voting has closed", "The result comes next.")
    screen.expect_turnout(3, 3)
    for phone, choice in zip(room.phones, answers, strict=True):
        phone.expect_title(f"Voting closed: question {plate}")
        expect(phone.band).to_contain_text("Voting has closed")
        expect(phone.band).to_contain_text(
            f"Your answer was counted: {words_of(choice, labels)}. Look up at the screen."
        )
        expect(phone.choice(choice)).to_be_checked()
        expect(phone.choice(choice)).to_be_disabled()
    for surface in room.surfaces:
        surface.expect_no_counts()
    console.press("Show the result")


def see_result(
    room: Room, plate: str, place: int, counts: dict[str, int | None], was: dict[str, int | None] | None
) -> None:
    """The same result on all surfaces, as a table and in words."""
    console, screen, middle = room.console, room.screen, MIDDLES[place]
    console.expect_title(f"Facilitator: question {plate}, results")
    console.expect_step("Results")
    console.expect_button("Start talking")
    screen.expect_title(f"{'Second vote' if was else 'Results'}: question {plate}")
    screen.expect_text("3 people answered", "Take a moment to look.", "Middle answer")
    screen.expect_text(middle or "None: too few chose a point on the scale")
    assert screen.page.locator(".mid__at").count() == (1 if middle and not was else 0)
    for phone in room.phones:
        phone.expect_title(f"Results: question {plate}")
        phone.expect_text("What the room said", "3 people answered. One mark is one person.")
        if middle:
            phone.expect_text(f"Middle answer: {middle}")
        else:
            phone.expect_no_text("Middle answer")
    for surface in (console, *room.surfaces):
        assert surface.chart.counts == counts
        assert surface.chart.was == (was or dict.fromkeys(POINTS))
        if was:
            surface.expect_text("Some moved; no clear direction")
            surface.expect_no_text("1 went up", "1 stayed", "1 down")


def talk(room: Room, plate: str) -> None:
    """The prompt comes to the screen, one sentence of it at a time."""
    console, screen = room.console, room.screen
    console.press("Start talking")
    console.expect_step("Talk")
    for phone in room.phones:
        expect(phone.band).to_have_text("Talk about it together. The next question will appear here by itself.")
    expect(screen.page.locator(".prompt b")).to_have_text("Talk about it")
    if plate == room.plate(OWN_PLACE):
        screen.expect_text("What do you see in this result?")
        console.expect_button("Finish")
        return
    shown, prompts = screen.page.locator(".prompt span"), console.page.locator(".ask__prompt")
    present = console.page.locator(".ask [aria-current] .ask__prompt")
    expect(shown).to_have_text(present.inner_text())
    prompts.last.click()
    expect(shown).to_have_text(prompts.last.inner_text())
    expect(present).to_have_text(prompts.last.inner_text())


def look_at_the_profile(room: Room) -> None:
    """One square for each question that has a middle answer; no score."""
    room.console.key("p")
    room.screen.expect_title("Our profile")
    rows = room.screen.page.locator(".profile tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Tackling Inequality")
    placed = [place for place in room.places if place != OWN_PLACE and MIDDLES[place]]
    expect(rows.first.locator(".mark")).to_have_count(len(placed))
    expect(rows.last).to_contain_text("Our own questions")
    expect(rows.last.locator(".mark")).to_have_count(1)
    room.console.key("p")
    room.screen.expect_title(f"Results: question {room.plate(OWN_PLACE)}")


def end(room: Room) -> None:
    """The big button finishes; everybody gets the last page, and the phones forget."""
    room.console.press("Finish")
    room.console.press("End the session for good?")
    room.console.expect_title("Facilitator: the session has ended")
    expect(room.console.heading).to_have_text("The session has ended")
    assert room.console.button.count() == 0
    room.screen.expect_title("Thank you")
    expect(room.screen.page.locator(".profile tbody tr")).to_have_count(2)
    expect(room.screen.head).to_contain_text("3 took part")
    for phone in room.phones:
        phone.expect_title("Thank you: the session has ended")
        expect(phone.heading).to_have_text("Thank you. The session has ended.")
        assert phone.page.evaluate("sessionStorage.length") == 0


def expected_votes(room: Room) -> list[tuple[str, int, Sequence[str]]]:
    """Question key, round and answers, in the order of the record."""
    own = re.compile(r"own-[0-9a-f]{12}").search(room.console.download('[href$="/session.json"]')[1].decode())
    assert own
    votes: list[tuple[str, int, Sequence[str]]] = []
    for place in room.places:
        key = own[0] if place == OWN_PLACE else f"{INEQUALITY}-{place + 1:02}"
        votes += [(key, 1, ANSWERS[place])] + ([(key, 2, SECOND)] if place == TWICE else [])
    return votes


def check_csv(room: Room) -> None:
    """Tidy counts, and nothing of a person."""
    name, body = room.console.download('[href$="/results.csv"]')
    assert re.fullmatch(r"wexcombe-mill-museum-\d{4}-\d\d-\d\d-results\.csv", name)
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    got = [(row["question"], int(row["round"]), row["point"], int(row["count"])) for row in rows]
    assert got == [
        (key, number, point, answers.count(point)) for key, number, answers in expected_votes(room) for point in POINTS
    ]
    assert {(row["workshop_id"], row["ballots"], row["released"]) for row in rows} == {(room.console.code, "3", "yes")}
    assert rows[0]["label"] == SCALES[room.places[0]][0]


def check_json(room: Room) -> None:
    """The whole session, counts only."""
    name, body = room.console.download('[href$="/session.json"]')
    assert re.fullmatch(r"wexcombe-mill-museum-\d{4}-\d\d-\d\d-session\.json", name)
    data: dict[str, Any] = json.loads(body)
    assert data["workshop"]["stage"] == "finished"
    assert (data["workshop"]["k"], data["workshop"]["mode"], data["workshop"]["joined"]) == (3, room.mode, 3)
    numbers = ["" if place == OWN_PLACE else room.plate(place) for place in room.places]
    assert [question["number"] for question in data["questions"]] == numbers
    assert data["questions"][-1]["text"] == {"en": OWN}
    assert [(r["question"], r["round"], r["counts"]) for r in data["rounds"]] == [
        (key, number, counted(answers)) for key, number, answers in expected_votes(room)
    ]
    second = next(r for r in data["rounds"] if r["round"] == 2)
    assert second["shift"] == {"up": 1, "same": 1, "down": 1}


def check_log(room: Room, site: Site) -> None:
    """Nothing but request lines, and in none an address, a cookie, a code, a link or a browser's name."""
    contexts = [surface.page.context for surface in (room.console, *room.surfaces)]
    cookies = {cookie["value"] for context in contexts for cookie in context.cookies()}
    secrets = {*cookies, *(cookie.partition(".")[0] for cookie in cookies), room.console.code}
    secrets |= {site.facilitator.rpartition("/")[2], "127.0.0.1", HOST, "Mozilla", "Chrom", "Yard", "Wexcombe"}
    assert len(cookies) >= 5
    log = site.program.log()
    assert len(log) > 100
    line = r"INFO facilitation: (?:GET|POST|\?) (?:-|/[a-z/.<>:_]*) \d{3} \d+ ms"
    assert [said for said in log if not re.fullmatch(line, said)] == []
    assert [said for said in log if any(secret in said for secret in secrets)] == []
