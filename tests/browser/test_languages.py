"""Languages in a real browser: choosing one, two on the screen, and one that is written from right to left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from playwright.sync_api import Browser, Page, expect

from facilitation import language
from tests.browser.conftest import Axe, free_port
from tests.browser.people import PHONE, Meeting, Venue
from tests.browser.program import Program, Visitor

LONGEST = ["tackling-inequality-04", "tackling-inequality-01"]
PROJECTOR = {"width": 1920, "height": 1080}
# What people read that lies outside the window, or on top of something else that they read.
_SPILT = """() => {
  const wide = document.documentElement.clientWidth, found = [], texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode, parent = text.parentElement;
    const unseen = '.vh, .skip, .phone__foot, template, noscript, script, [hidden], .line, .wallbar';
    if (!text.data.trim() || parent.closest(unseen)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      if (box.width < 2 || box.height < 2) continue;
      if (box.left < -1 || box.right > wide + 1) found.push('outside: ' + text.data.trim().slice(0, 40));
      texts.push({ box, text, block: parent });
    }
  }
  for (let a = 0; a < texts.length; a++) for (let b = a + 1; b < texts.length; b++) {
    const one = texts[a], other = texts[b];
    if (one.text === other.text) continue;
    const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
    const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
    // line boxes of large type reach a little into each other; letters do not
    if (across > 2 && down > Math.min(one.box.height, other.box.height) * .45)
      found.push('over: ' + one.text.data.trim().slice(0, 30) + ' | ' + other.text.data.trim().slice(0, 30));
  }
  if (document.documentElement.scrollWidth > wide) found.push('wider than the window');
  return found;
}"""
_IN_ORDER = """tag => {
  const text = tag.lastChild, range = document.createRange(), left = (at) => {
    range.setStart(text, at); range.setEnd(text, at + 1);
    return range.getBoundingClientRect().left;
  };
  return left(0) < left(text.length - 1);
}"""
_TOO_TALL = "() => document.documentElement.scrollHeight - innerHeight"


def assert_fits(page: Page, tall: bool = False) -> None:
    """Nothing overflows or overlaps; of the shared screen, which nobody scrolls, nothing is below the edge either."""
    assert page.evaluate(_SPILT) == [], page.title()
    assert tall or page.evaluate(_TOO_TALL) <= 0, page.title()


def speak(page: Page, name: str) -> None:
    """Choose a language on the page."""
    page.get_by_role("button", name=name, exact=True).click()


# --- Choosing --------------------------------------------------------------------------------------------------------


def test_a_phone_without_javascript_chooses_welsh_and_goes_back_to_english(venue: Venue, meeting: Meeting) -> None:
    page = venue.context({**PHONE, "java_script_enabled": False}).new_page()
    page.goto(venue.url)
    speak(page, "Cymraeg")
    expect(page.locator("html")).to_have_attribute("lang", "cy")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ymunwch â’r sesiwn")
    page.fill("#code", meeting.code)
    page.click("#join")
    expect(page).to_have_title("Rydych i mewn: yn aros am y cwestiwn cyntaf")
    speak(page, "English")
    expect(page).to_have_title("You are in: waiting for the first question")


def test_the_first_guess_is_the_browser_s_own_language(venue: Venue) -> None:
    page = venue.context({**PHONE, "locale": "cy-GB"}).new_page()
    page.goto(venue.url)
    expect(page).to_have_title("Ymuno â sesiwn")


def test_a_welsh_and_an_english_phone_hear_the_same_moment_each_in_its_language(
    venue: Venue, meeting: Meeting, axe: Axe
) -> None:
    meeting.join(4)
    welsh, english = (venue.phone(person).open(meeting.code) for person in meeting.people[:2])
    speak(welsh.page, "Cymraeg")
    welsh.expect_connected()
    meeting.move("open")
    welsh.expect_title("Cwestiwn 9.1: eich ateb")
    english.expect_title("Question 9.1: your answer")
    welsh.answer("4")
    expect(welsh.band).to_contain_text("Mae eich ateb i mewn: 4, I raddau helaeth")
    welsh.expect_title("Ateb wedi’i gyfrif: cwestiwn 9.1")
    welsh.expect_said("Mae cwestiwn newydd ar agor: 9.1", "Mae eich ateb i mewn: 4, I raddau helaeth")
    axe(welsh.page)
    speak(welsh.page, "English")  # in the middle of a vote: the answer stays
    expect(welsh.band).to_contain_text("Your answer is in: 4, Largely")
    speak(welsh.page, "Cymraeg")
    meeting.vote("4123")
    meeting.move("close")
    welsh.expect_title("Canlyniadau: cwestiwn 9.1")
    english.expect_title("Results: question 9.1")
    axe(welsh.page)
    assert_fits(welsh.page, tall=True)


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_in_welsh_fits(venue: Venue, meeting: Meeting, width: int) -> None:
    meeting.join(5)
    view = {"viewport": {"width": width, "height": 568}, "locale": "cy-GB"}
    stranger = venue.context({**PHONE, **view}).new_page()
    for path in ("/", "/promise", "/about"):
        stranger.goto(venue.url + path)
        assert_fits(stranger, tall=True)
    phone = venue.phone(meeting.people[0], **view).open(meeting.code)
    assert_fits(phone.page, tall=True)
    for move, title in (("open", "Cwestiwn"), ("close", "Canlyniadau"), ("finish", "Diolch")):
        meeting.move(move)
        expect(phone.page).to_have_title(re.compile(title))
        assert_fits(phone.page, tall=True)
        if move == "open":
            meeting.vote("12345")


# --- Two languages on the screen -------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", [(1920, 1080), (1280, 720), (1024, 768)])
def test_two_languages_fit_on_the_screen(venue: Venue, home: Visitor, window: tuple[int, int], axe: Axe) -> None:
    width, height = window
    meeting = Meeting.set_up(home, keys=LONGEST, screen_language="cy+en")
    meeting.join(12)
    wall = venue.screen(meeting.facilitator, meeting.code, viewport={"width": width, "height": height})
    expect(wall.page.locator("html")).to_have_attribute("lang", "cy")
    wall.expect_text("Sganiwch, neu teipiwch hwn", "Scan, or type this", "This translation is a draft.")
    assert_fits(wall.page)
    meeting.move("open")
    wall.expect_scene("voting")
    assert_fits(wall.page)
    meeting.vote("122333444555")
    wall.expect_text("12 answers are in the chart", "Mae 12 ateb yn y siart")
    assert_fits(wall.page)
    meeting.move("close")
    wall.expect_scene("revealed")
    assert_fits(wall.page)
    axe(wall.page)
    meeting.move("discuss")
    wall.expect_scene("discussion")
    assert_fits(wall.page)
    meeting.move("revote")
    meeting.vote("333444455555", ["up"] * 12)
    meeting.move("close")
    wall.expect_scene("revealed")
    assert_fits(wall.page)
    for overlay in ("profile", "three", "plan", "code"):
        meeting.show("overlay", overlay)
        wall.expect_scene(re.compile(overlay))
        assert_fits(wall.page)
        meeting.show("overlay", overlay)


# --- From right to left ----------------------------------------------------------------------------------------------


def arabic(folder: Path) -> Path:
    """A made-up catalogue: the English letters as Arabic ones, a third longer, with the names and elements kept."""
    with (language.HERE / "cy.po").open("rb") as file:
        welsh = read_po(file, locale="cy")
    made = Catalog(locale="ar")
    for message in welsh:
        if message.id:
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            said = tuple(_as_arabic(forms[-1]) for _form in range(made.num_plurals))
            made.add(message.id, said if isinstance(message.id, tuple) else said[0], flags=message.flags)
    with (folder / "ar.po").open("wb") as file:
        write_po(file, made)
    return folder


def _as_arabic(text: str) -> str:
    kept = re.split(r"(%\(\w+\)s|%%|<[^>]*>)", text)
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنه"

    def turned(part: str) -> str:
        return re.sub("[A-Za-z]", lambda letter: letters[ord(letter[0].lower()) - ord("a")], part)

    return "".join(part if place % 2 else turned(part) for place, part in enumerate(kept))


@pytest.fixture(scope="module")
def eastern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The facilitator of a program that offers Arabic beside English."""
    folder = arabic(tmp_path_factory.mktemp("translations"))
    command = ("-m", "tests.browser.with_catalogues", str(folder))
    program = Program(tmp_path_factory.mktemp("eastern"), free_port(), command=command)
    link = program.start()
    visitor = Visitor(program.url)
    visitor.get(link.removeprefix(program.url))
    yield visitor
    program.stop()


def test_from_right_to_left_nothing_overflows_or_overlaps(browser: Browser, eastern: Visitor) -> None:
    venue = Venue(eastern.url, browser)
    venue.watch.forgive("status of 404")
    meeting = Meeting.set_up(eastern, keys=LONGEST, screen_language="ar")
    meeting.join(12)
    locale: dict[str, Any] = {"locale": "ar"}
    stranger = venue.context({**PHONE, **locale}).new_page()
    for path in ("/", "/promise", "/about", "/nowhere"):
        stranger.goto(venue.url + path)
        expect(stranger.locator("html")).to_have_attribute("dir", "rtl")
        assert_fits(stranger, tall=True)
    phone = venue.phone(meeting.people[0], **locale).open(meeting.code)
    wall = venue.screen(meeting.facilitator, meeting.code, viewport=PROJECTOR)
    expect(wall.page.locator("html")).to_have_attribute("dir", "rtl")

    def look(scene: str) -> None:
        phone.expect_scene(scene)
        wall.expect_scene(scene)
        assert_fits(phone.page, tall=True)
        assert_fits(wall.page)

    look("lobby")
    for page in (phone.page, wall.page):
        assert page.locator(".tag").first.evaluate(_IN_ORDER), "the code reads as it is typed, from the left"
    meeting.move("open")
    look("voting")
    choice, plate = phone.page.locator(".choice__t").first, phone.page.locator(".choice__n").first
    assert _left(plate) > _left(choice), "the number stands at the beginning of the line: on the right"
    meeting.vote("122333444555")
    meeting.move("close")
    look("revealed")
    label, squares = wall.page.locator("#row-1 th"), wall.page.locator("#row-1 .tally__marks")
    assert _left(label) > _left(squares)
    meeting.move("discuss")
    look("discussion")
    for overlay in ("profile", "three", "plan", "code"):
        meeting.show("overlay", overlay)
        wall.expect_scene(re.compile(overlay))
        assert_fits(wall.page)
        meeting.show("overlay", overlay)
    meeting.move("finish")
    look("finished")
    venue.watch.assert_quiet()
    venue.close()


def _left(place: Any) -> float:
    box = place.bounding_box()
    assert box is not None
    return float(box["x"])
