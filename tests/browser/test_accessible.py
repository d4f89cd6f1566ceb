"""Every page in every state: accessibility faults, themes, narrow and large screens, forced colours, no styles at all.

The states are sessions that were driven there beforehand and stay there, so that a page can be loaded again and again.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.gallery import (
    ON_SCREEN,
    Gallery,
    rows,
    scene_of,
    show,
    show_console,
    show_phone,
    show_screen,
    title_of,
)
from tests.browser.people import DESK, PHONE, WALL, Meeting, Phone, Venue
from tests.browser.program import Visitor

_TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.vh'))
    .map(e => e.tagName + '.' + (e.className.baseVal ?? e.className) + '#' + e.id).slice(0, 5)"""
_SKELETON = """() => [
  ['en-GB', 'cy'].includes(document.documentElement.lang) ? '' : 'no language',
  document.querySelectorAll('h1').length === 1 ? '' : 'not one h1',
  document.querySelectorAll('main').length === 1 ? '' : 'not one main',
  document.title.trim() ? '' : 'no title',
].filter(fault => fault)"""
# Text that its element cuts off, unless that can be scrolled.
_CUT = """() => [...document.querySelectorAll('body *')].filter(e => {
  const style = getComputedStyle(e), over = style.overflowX + style.overflowY;
  return /hidden|clip/.test(over) && !/auto|scroll/.test(over) && !e.closest('.vh, svg') && e.clientWidth > 1
    && e.textContent.trim() && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
}).map(e => 'cut off: ' + e.textContent.trim().slice(0, 40))"""
# A sheet of the reader's own, as the policy lets one in; loading the page anew takes it away.
_RESTYLE = """rules => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules); document.adoptedStyleSheets = [sheet];
}"""
# What a reader may ask for without losing anything (1.4.12).
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }
p { margin-bottom: 2em !important }"""
# What has the focus while something that stays in its place lies over the whole of it (2.4.11): through the page by
# keyboard, and back.
_COVERED = """() => {
  const fixed = [...document.querySelectorAll('body *')].filter(e =>
    ['sticky', 'fixed'].includes(getComputedStyle(e).position) && getComputedStyle(e).display !== 'none'
    && e.id !== 'notice');  // Escape takes it away, and so does the next press
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')].filter(e =>
    e.getClientRects().length && !e.disabled && e.type !== 'hidden' && e.tabIndex >= 0);
  const bad = new Set(), scrolled = [scrollX, scrollY];
  for (const one of [...all, ...all.reverse()]) {
    one.focus();
    const box = one.getBoundingClientRect();
    for (const over of fixed) {
      const lid = over.getBoundingClientRect();
      const high = lid.top <= box.top + 1 && lid.bottom >= box.bottom - 1;
      const above = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
      if (!over.contains(one) && high && over.contains(above))
        bad.add(`${one.id || one.textContent.trim().slice(0, 40)} under ${over.className || over.id}`);
    }
  }
  document.activeElement.blur(); scrollTo(...scrolled);
  return [...bad];
}"""


def dress(page: Page, width: int, height: int, scheme: str = "light") -> None:
    """Give a page a size, and the colours that its owner prefers."""
    page.set_viewport_size({"width": width, "height": height})
    colours = "dark" if scheme == "dark" else "light"
    page.emulate_media(color_scheme=colours, reduced_motion="reduce", forced_colors="none")


# --- Faults that can be looked for by program ------------------------------------------------------------------------

# What each surface is mostly seen on, and the narrowest window that it must work in.
SIZE = {"screen": (1920, 1080), "console": (1280, 800), "phone": (390, 664), "page": (1280, 800)}
NARROW = (320, 640)
# Tall where a bar sticks to the foot: axe takes what lies half under it for too small a target.
WIDTHS = ((320, 6000), (390, 6000), (768, 6000), (1280, 800), (1920, 1080))


def themes(page: Page, surface: str, state: str, gallery: Gallery) -> Iterator[str]:
    """The page in each of its themes, the plain one last: the screen's are the facilitator's choice."""
    if surface == "screen":
        for theme in ("dark", "projector", "light"):
            gallery[state].show("theme", theme)
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            yield theme
    else:
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            yield theme


@pytest.mark.parametrize(("surface", "state"), rows())
def test_a_page_has_no_fault_in_any_theme_and_fits_a_narrow_window(
    surface: str, state: str, gallery: Gallery, sight: dict[str, Page], axe: Axe, venue: Venue
) -> None:
    for refused in ("status of 404", "status of 409", "status of 422"):
        venue.watch.forgive(refused)
    page = sight[surface]
    dress(page, *SIZE[surface])  # also stills every transition, or colours would be looked at on their way
    show(page, surface, state, gallery)
    if surface != "page":
        assert (page.locator("#now").get_attribute("data-scene") or "").startswith(scene_of(surface, state))
    for theme in themes(page, surface, state, gallery):
        axe(page, colours_only=theme != "light")
    assert page.evaluate(_SKELETON) == []
    assert page.evaluate(_COVERED) == []
    dress(page, *NARROW)
    assert page.evaluate(_TOO_WIDE) == []
    assert page.evaluate(_CUT) == []
    if surface in ("screen", "console"):
        axe(page)  # the flowing page that 400 % zoom gives, and the remote


@pytest.mark.long
@pytest.mark.parametrize(("surface", "state"), rows())
def test_a_page_bears_more_space_between_letters_words_and_lines_and_letters_twice_as_large(
    surface: str, state: str, gallery: Gallery, sight: dict[str, Page], venue: Venue
) -> None:
    for refused in ("status of 404", "status of 409", "status of 422"):
        venue.watch.forgive(refused)
    page = sight[surface]
    dress(page, *NARROW)
    show(page, surface, state, gallery)
    page.evaluate(_RESTYLE, SPACED)
    assert page.evaluate(_TOO_WIDE) + page.evaluate(_CUT) == [], "with more space between letters, words and lines"
    # The screen has keys for its size; the console goes by the letters that a browser is set to.
    if surface != "screen" and not page.locator(".console").count():
        dress(page, *SIZE[surface])
        page.evaluate(_RESTYLE, "html { font-size: 200% !important }")
        assert page.evaluate(_TOO_WIDE) + page.evaluate(_CUT) == [], "with letters twice as large"


@pytest.mark.long
@pytest.mark.parametrize(("surface", "state"), rows())
def test_a_page_has_no_fault_at_any_width_in_any_theme_and_in_forced_colours(
    surface: str, state: str, gallery: Gallery, sight: dict[str, Page], axe: Axe, venue: Venue
) -> None:
    for refused in ("status of 404", "status of 409", "status of 422"):
        venue.watch.forgive(refused)
    page = sight[surface]
    dress(page, *SIZE[surface])
    show(page, surface, state, gallery)
    for theme in themes(page, surface, state, gallery):
        for width, height in WIDTHS:
            page.set_viewport_size({"width": width, "height": height})
            axe(page, colours_only=theme != "light")
            assert page.evaluate(_TOO_WIDE) == [], (theme, width)
    page.emulate_media(forced_colors="active")
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        axe(page, colours_apart=True)
        assert page.evaluate(_TOO_WIDE) == [], ("forced colours", width)


def test_a_phone_that_is_sending_or_cannot_send_has_no_fault(gallery: Gallery, axe: Axe, venue: Venue) -> None:
    venue.watch.forgive("net::ERR")
    venue.watch.forgive("Failed to fetch")
    meeting = gallery["live"]
    phone = Phone(venue.context(PHONE, meeting.people[-1]).new_page(), venue.url)
    phone.page.goto(f"{venue.url}/w/{meeting.code}")
    phone.expect_connected()
    phone.page.route("**/ballot", lambda route: route.abort())
    phone.answer("4")
    for words in ("Sending…", "Not sent yet"):
        expect(phone.band).to_contain_text(words)
        for scheme in ("light", "dark"):
            dress(phone.page, 390, 2700, scheme)
            axe(phone.page, colours_only=scheme == "dark")


def test_an_armed_button_and_the_list_of_keys_have_no_fault(meeting: Meeting, axe: Axe, venue: Venue) -> None:
    meeting.join(3)
    meeting.move("open")
    console = venue.facilitator(meeting.facilitator).open_console(meeting.code)
    console.press("Close voting")
    console.expect_button("Close anyway")
    console.page.keyboard.press("?")
    expect(console.page.locator("#keys")).to_be_visible()
    for scheme in ("light", "dark"):
        dress(console.page, 1280, 800, scheme)
        axe(console.page, colours_only=scheme == "dark")


def test_questions_that_can_go_up_down_and_off_the_agenda_fit_a_narrow_window(meeting: Meeting, venue: Venue) -> None:
    keys = [f"collections-0{number}" for number in range(1, 7)]  # beside the six that are there
    meeting.facilitator.post(f"/f/{meeting.code}/agenda", key=keys)
    page = venue.facilitator(meeting.facilitator).page
    dress(page, *NARROW)
    page.goto(f"{venue.url}/f/{meeting.code}/setup")
    expect(page.locator(".agenda__item").nth(11)).to_be_visible()
    assert page.evaluate(_TOO_WIDE) == []


_TOPS = (
    "part => [...document.querySelectorAll('.begin li')].map(e => e.querySelector(part).getBoundingClientRect().top)"
)


def test_the_three_ways_to_begin_stand_in_line(home: Visitor, venue: Venue) -> None:
    page = venue.facilitator(home).page
    for width in (920, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{venue.url}/home")
        for part in ("h3", "p:nth-of-type(1)", ".btn"):
            tops = page.evaluate(_TOPS, part)
            assert len(set(tops)) == 1, (width, part, tops)


# --- Sizes -----------------------------------------------------------------------------------------------------------


# The smallest projector of each shape, and larger ones of the same shapes.
SIZES = ((1024, 768), (1280, 720), (1280, 800), (2560, 1080))
MORE_SIZES = ((1366, 768), (1400, 1050), (1920, 1080), (1920, 1200), (3840, 2160))
# What does not fit into the picture, and text that the back row cannot read: less than 3.2 of its 108 lines.
_MISFITS = """() => {
  const wide = innerWidth, high = innerHeight, root = document.documentElement;
  const unit = Math.min(wide / (wide * 2 <= high * 3 ? 160 : 192), high / 108);
  const bad = [];
  if (root.scrollHeight > high + 1) bad.push(`the page is ${root.scrollHeight} high`);
  if (root.scrollWidth > wide) bad.push(`the page is ${root.scrollWidth} wide`);
  const texts = document.createTreeWalker(document.getElementById('now'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, element = text.parentElement;
    if (!text.textContent.trim() || element.closest('.vh, svg, title')) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect(), words = text.textContent.trim().slice(0, 40);
    if (box.left < -1 || box.top < -1 || box.right > wide + 1 || box.bottom > high + 1)
      bad.push(`“${words}” reaches ${Math.round(box.right)} by ${Math.round(box.bottom)}`);
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (size < 3.2 * unit - 0.01) bad.push(`“${words}” is ${(size / unit).toFixed(2)} units high`);
  }
  return bad;
}"""


@pytest.mark.parametrize("options", ["six", "eight"])
def test_the_words_of_a_few_options_stand_in_full_on_every_projector(
    options: str, gallery: Gallery, wall: Page, venue: Venue
) -> None:
    show_screen(wall, gallery[f"{options} options"])
    names = wall.locator(".tally__words")
    for width, height in (*SIZES, *MORE_SIZES):
        dress(wall, width, height)
        cut = names.evaluate_all("""all => all.filter(one =>
          one.scrollHeight > one.clientHeight + parseFloat(getComputedStyle(one).lineHeight) / 2).length""")
        assert cut == 0, f"{width}x{height}: {cut} cut off"


@pytest.mark.parametrize(("state", "share"), [("code over lobby", 0.6), ("code over two languages lobby", 0.54)])
def test_the_code_that_fills_the_picture_is_as_large_on_every_projector(
    state: str, share: float, gallery: Gallery, wall: Page, venue: Venue
) -> None:
    show_screen(wall, gallery[state])
    for width, height in SIZES:
        dress(wall, width, height)
        code = wall.locator(".step .qr").bounding_box()
        assert code and code["height"] >= share * height, f"{width}x{height}: {code}"


@pytest.mark.parametrize("state", ["empty", "lobby"])
def test_the_code_in_the_lobby_can_be_scanned_from_across_a_room(
    state: str, gallery: Gallery, wall: Page, venue: Venue
) -> None:
    show_screen(wall, gallery[state])  # with and without a code for the Wi-Fi beside it
    for width, height in SIZES:
        dress(wall, width, height)
        code = wall.locator(".step .qr").last.bounding_box()
        assert code and code["height"] >= (0.44 if state == "empty" else 0.25) * height, f"{width}x{height}: {code}"


@pytest.mark.parametrize(("state", "share"), [("sixty", 0.016), ("second", 0.027)])
def test_squares_stay_large_enough_to_have_a_colour(
    state: str, share: float, gallery: Gallery, wall: Page, venue: Venue
) -> None:
    show_screen(wall, gallery[state])
    squares = wall.locator('tr:not([data-level="0"]) .tally__line > .tally__marks i, .lanes > :first-child i')
    for width, height in SIZES:
        dress(wall, width, height)
        sides = squares.evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])"
        )
        smallest = min(min(side) for side in sides if any(side))
        assert smallest >= share * height, f"{width}x{height}: {smallest} px"
        assert max(abs(across - down) for across, down in sides) < 1, "they are squares"


@pytest.mark.parametrize("sizes", [SIZES, pytest.param(MORE_SIZES, marks=pytest.mark.long)], ids=["small", "large"])
@pytest.mark.parametrize("state", ON_SCREEN)
def test_the_longest_question_fits_every_projector_and_the_back_row_can_read_it(
    state: str, sizes: tuple[tuple[int, int], ...], gallery: Gallery, wall: Page, venue: Venue
) -> None:
    show_screen(wall, gallery[state])
    expect(wall.locator("html")).to_have_attribute("data-io", "up")
    misfits = []
    for width, height in sizes:
        dress(wall, width, height)
        misfits += [f"{width}x{height}: {fault}" for fault in wall.evaluate(_MISFITS)]
    assert not misfits, "\n".join(misfits)


def test_the_title_of_a_page_says_its_state(gallery: Gallery, hand: Page, venue: Venue) -> None:
    titles: dict[str, set[str]] = {}
    for surface, state in rows():
        if surface != "page":
            if surface == "phone":
                show_phone(hand, gallery[state])
                title = hand.title().strip()
            else:
                title = title_of(surface, gallery[state])
            # Whether a picture has been drawn yet, and of how many answers, depends on when the page is loaded.
            title = re.sub(r", \d+ answers shown", "", title)
            titles.setdefault(surface, set()).add(title)
    # As many as there are states that differ.
    assert {surface: len(found) for surface, found in titles.items()} == {"screen": 37, "console": 12, "phone": 12}


def test_every_target_on_the_ballot_is_large_enough_for_a_thumb(gallery: Gallery, hand: Page, venue: Venue) -> None:
    show_phone(hand, gallery["live"])
    for height, smallest in ((844, 56), (664, 48)):
        dress(hand, 390, height)
        boxes = [face.bounding_box() for face in hand.locator(".choices > div > label .choice__face").all()]
        assert len(boxes) == 5
        assert all(box and box["height"] >= smallest for box in boxes), (height, boxes)


# --- Other ways of seeing --------------------------------------------------------------------------------------------


def test_forced_colours_leave_every_state_visible(gallery: Gallery, axe: Axe, venue: Venue) -> None:
    phone = venue.context({**PHONE, "forced_colors": "active"}).new_page()
    show_phone(phone, gallery["live"])
    expect(phone.locator("input:checked + .choice__face")).to_have_css("outline-style", "solid")
    expect(phone.locator("input:not(:checked) + .choice__face").first).to_have_css("outline-style", "none")
    axe(phone)
    show_phone(phone, gallery["revealed"])
    expect(phone.locator(".spread [aria-current]")).to_have_css("border-top-width", "4px")
    screen = venue.context({**WALL, "forced_colors": "active"}).new_page()
    show_screen(screen, gallery["revealed"])
    fills = {
        screen.locator(f'[data-level="{level}"] .tally__cell').first.evaluate(
            "e => getComputedStyle(e).backgroundColor"
        )
        for level in range(1, 6)
    }
    assert len(fills) == 5, "the levels keep their colours"
    axe(screen)
    console = venue.context({**DESK, "forced_colors": "active"}).new_page()
    show_console(console, gallery["blank over live"])
    expect(console.locator("#blank")).to_have_css("border-top-width", "4px")
    axe(console)


_MOVING = """() => ['', '::before', '::after'].flatMap(part => [...document.querySelectorAll('*')].filter(e => {
  const style = getComputedStyle(e, part || null);
  return style.animationName !== 'none' || (style.transitionDuration !== '0s' && style.transitionProperty !== 'none');
})).length"""


def test_nothing_moves_for_somebody_who_asked_for_less_motion(
    gallery: Gallery, wall: Page, hand: Page, venue: Venue
) -> None:
    show_phone(hand, gallery["live"])
    show_screen(wall, gallery["revealed"])
    for page in (hand, wall):
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(_MOVING) > 0
        page.emulate_media(reduced_motion="reduce")
        assert page.evaluate(_MOVING) == 0


# How far apart neighbouring levels must be for every eye, in OKLab, where black and white are 100 apart.
APART = 15.0
PALETTE = {
    ("screen", "revealed"): "[data-level='N'] .tally__cell",
    ("console", "revealed"): "[data-level='N'] .tally__cell",
    ("phone", "revealed"): "[data-level='N'] .tally__cell",
    ("page", "report"): ".q .tally .lN",
}
_CENTRES = """selector => [1, 2, 3, 4, 5].map(level => {
  const box = document.querySelector(selector.replace('N', level)).getBoundingClientRect();
  return [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)];
})"""
_PIXELS = """async ([png, points]) => {
  const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const paper = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  paper.drawImage(picture, 0, 0);
  return points.map(([left, top]) => [...paper.getImageData(left, top, 1, 1).data].slice(0, 3));
}"""


def oklab(colour: list[int]) -> tuple[float, ...]:
    """A colour of 0 to 255 in red, green and blue as lightness and two hues, black to white being 100.

    Source: B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    r, g, b = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in (c / 255 for c in colour))
    long, middle, short = (
        (x * r + y * g + z * b) ** (1 / 3)
        for x, y, z in (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        )
    )
    return tuple(
        100 * (x * long + y * middle + z * short)
        for x, y, z in (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        )
    )


@pytest.mark.parametrize(("surface", "state"), PALETTE)
def test_neighbouring_levels_stay_apart_for_eyes_that_see_no_red_no_green_or_no_blue(
    surface: str, state: str, gallery: Gallery, sight: dict[str, Page], venue: Venue
) -> None:
    page = sight[surface]
    dress(page, 1280, 2000 if surface == "page" else 800)
    show(page, surface, state, gallery)
    eyes = page.context.new_cdp_session(page)
    painter = venue.context({}).new_page()
    found = {}
    for theme in themes(page, surface, state, gallery):
        if surface == "page" and theme != "light":
            continue  # paper is white
        points = page.evaluate(_CENTRES, PALETTE[surface, state])
        for deficiency in ("none", "protanopia", "deuteranopia", "tritanopia"):
            eyes.send("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
            png = base64.b64encode(page.screenshot(scale="css")).decode()
            levels = [oklab(colour) for colour in painter.evaluate(_PIXELS, [png, points])]
            found[theme, deficiency] = min(math.dist(low, high) for low, high in pairwise(levels))
    eyes.send("Emulation.setEmulatedVisionDeficiency", {"type": "none"})
    eyes.detach()
    print({key: round(distance, 1) for key, distance in found.items()})
    assert {key: distance for key, distance in found.items() if distance < APART} == {}


_HUGE = """() => [...document.querySelectorAll('svg:not(.qr)')].filter(e => e.getBoundingClientRect().width > 24)
  .map(e => e.outerHTML.slice(0, 80))"""


def test_without_styles_every_page_is_plain_and_complete(gallery: Gallery, venue: Venue) -> None:
    venue.watch.forgive("net::ERR_FAILED")

    def plain(options: dict[str, object], visitor: Visitor) -> Page:
        context = venue.context(dict(options), visitor)
        context.route("**/*.css", lambda route: route.abort())
        return context.new_page()

    def assert_plain(page: Page, *texts: str) -> None:
        assert page.evaluate(_HUGE) == []
        for text in texts:
            expect(page.locator("body")).to_contain_text(text)

    phone = plain(PHONE, gallery["live"].people[-1])
    phone.goto(f"{venue.url}/w/{gallery['live'].code}")
    assert_plain(phone, "Tap your answer")
    phone.get_by_label("Largely").check()
    expect(phone.locator("[id^=mine]")).to_contain_text("Your answer is in: 4, Largely")
    show_phone(phone, gallery["revealed"])
    assert_plain(phone, "Middle answer: Partly", "Some spread")
    page = plain(DESK, gallery.home)
    for state in ("live", "revealed", "second", "lobby", "profile over all hallmarks"):
        show_screen(page, gallery[state])
        assert_plain(page, "Join code")
        show_console(page, gallery[state])
        assert_plain(page, "Run sheet")
    for path in ("/home", "/f/{}/setup"):
        page.goto(venue.url + path.format(gallery["live"].code))
        assert_plain(page)
