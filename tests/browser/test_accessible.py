"""Every page in every state: accessibility faults, themes, narrow and large screens, forced colours, no styles at all.

The states are sessions that were driven there beforehand and stay there, so that a page can be loaded again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe, Site
from tests.browser.people import DESK, PHONE, WALL, Meeting, Phone, Venue
from tests.browser.program import Visitor

LONGEST = "tackling-inequality-04"  # 153 characters
LONG_LABELS = "tackling-inequality-02"  # "Extremely effectively"
FIRST = ["1"] * 4 + ["2"] * 5 + ["3"] * 8 + ["4"] * 4 + ["5"] * 2 + ["DK"] * 2 + ["NR"]
SECOND = ["2"] * 4 + ["3"] * 5 + ["4"] * 8 + ["4"] * 4 + ["5"] * 2 + ["DK"] * 2 + ["NR"]
MOVED = ["up"] * 17 + ["same"] * 6 + ["unknown"] * 3
WIFI = {"wifi_name": "Wexcombe Mill Museum Guests 2.4", "wifi_password": "correct horse battery staple"}


def _lobby(meeting: Meeting) -> None:
    meeting.join(26)


def _voting(meeting: Meeting, answers: int = 19) -> None:
    _lobby(meeting)
    meeting.move("open")
    meeting.vote(FIRST[:answers])


def _waiting(meeting: Meeting) -> None:
    _voting(meeting, 3)
    meeting.show("timer")


def _closed(meeting: Meeting) -> None:
    _voting(meeting, 26)
    meeting.move("close")


def _discussion(meeting: Meeting) -> None:
    _closed(meeting)
    meeting.move("discuss")


def _second_open(meeting: Meeting) -> None:
    _closed(meeting)
    meeting.move("revote")
    meeting.vote(SECOND[:19], MOVED)


def _second(meeting: Meeting) -> None:
    _closed(meeting)
    meeting.move("revote")
    meeting.vote(SECOND, MOVED)
    meeting.move("close")


def _hush(meeting: Meeting) -> None:
    _voting(meeting, 3)
    meeting.move("close")


def _finished(meeting: Meeting) -> None:
    _discussion(meeting)
    meeting.move("finish")


def _profile(meeting: Meeting) -> None:
    meeting.join(5)
    for number, middle in enumerate("123454321"):
        meeting.move("next" if number else "open")
        meeting.vote([middle, middle, "1", "5", "5"])
        meeting.move("close")
    meeting.show("overlay", "profile")


def _code(meeting: Meeting) -> None:
    _lobby(meeting)
    meeting.show("overlay", "code")


def _blank(meeting: Meeting) -> None:
    _voting(meeting)
    meeting.show("overlay", "blank")


def _dots(meeting: Meeting, options: int, *, closed: bool) -> None:
    _lobby(meeting)
    for number in range(options):
        words = f"Invite the two groups of Mill Street to shape the programme of {2027 + number} with us"
        meeting.facilitator.post(f"/f/{meeting.code}/actions", action=words)
    uids = re.findall(r'value="([0-9a-f]{16})"', meeting.facilitator.get(f"/f/{meeting.code}/priorities"))
    meeting.facilitator.post(f"/f/{meeting.code}/priorities", over="actions", key=uids)
    rows = re.findall(r'id="goto-(\d+)"', meeting.facilitator.get(f"/f/{meeting.code}/now"))
    meeting.move("goto", agenda=rows[-1])
    meeting.vote(["1"] * 12 + ["2"] * 14)
    if closed:
        meeting.move("close")


HALLMARKS = (
    "purpose",
    "leadership-culture",
    "governance",
    "collections",
    "visitor-focus",
    "finance",
    "networks-awareness",
    "innovation-risk",
    "tackling-inequality",
)
RECIPES: dict[str, Callable[[Meeting], None]] = {
    "lobby": _lobby,
    "waiting": _waiting,
    "live": _voting,
    "hidden": _waiting,
    "closed": _closed,
    "revealed": _closed,
    "discussion": _discussion,
    "long": _discussion,
    "second open": _second_open,
    "second": _second,
    "hush": _hush,
    "finished": _finished,
    "code": _code,
    "blank": _blank,
    "profile": _profile,
    "six options open": lambda meeting: _dots(meeting, 6, closed=False),
    "six options": lambda meeting: _dots(meeting, 6, closed=True),
    "eight options": lambda meeting: _dots(meeting, 8, closed=True),
    "twelve options": lambda meeting: _dots(meeting, 12, closed=True),
}
ON_SCREEN = tuple(RECIPES)
ON_CONSOLE = ("lobby", "waiting", "live", "hidden", "closed", "revealed", "discussion", "second", "hush", "finished")
ON_PHONES = ("lobby", "live", "second open", "closed", "revealed", "long", "second", "hush", "finished")


class Gallery:
    """Sessions by the state they stand in, each made when it is first asked for."""

    def __init__(self, home: Visitor) -> None:
        self.home = home
        self._made: dict[str, Meeting] = {}

    def __getitem__(self, state: str) -> Meeting:
        if state not in self._made:
            keys = [LONG_LABELS if state == "long" else LONGEST, "tackling-inequality-06"]
            if state == "profile":
                keys = [f"{hallmark}-01" for hallmark in HALLMARKS]
            mode = "reveal" if state in ("hidden", "closed") else "live"
            meeting = Meeting.set_up(self.home, keys=keys, k=5, mode=mode, **WIFI)
            RECIPES[state](meeting)
            self._made[state] = meeting
        return self._made[state]


@pytest.fixture(scope="module")
def gallery(home: Visitor) -> Gallery:
    """The sessions that this module looks at."""
    return Gallery(home)


@pytest.fixture(scope="module")
def wall(shared_venue: Venue) -> Page:
    """A window of the size of a projector, used for all screens."""
    return shared_venue.context({**WALL, "viewport": {"width": 1920, "height": 1080}}).new_page()


@pytest.fixture(scope="module")
def desk(shared_venue: Venue) -> Page:
    """A laptop's window, used for all consoles and the pages around them."""
    return shared_venue.context(DESK).new_page()


@pytest.fixture(scope="module")
def hand(shared_venue: Venue) -> Page:
    """A phone, used for all sessions."""
    return shared_venue.context(PHONE).new_page()


def give_cookies(page: Page, visitor: Visitor) -> None:
    """Let a browser in where a visitor may go."""
    page.context.add_cookies(
        [{"name": name, "value": value, "url": visitor.url} for name, value in visitor.cookies.items()]
    )


def show_screen(page: Page, meeting: Meeting) -> None:
    """Load the shared screen of a session."""
    give_cookies(page, meeting.facilitator)
    page.goto(f"{meeting.facilitator.url}/f/{meeting.code}/screen")


def show_console(page: Page, meeting: Meeting, path: str = "") -> None:
    """Load the console of a session, or a page beside it."""
    give_cookies(page, meeting.facilitator)
    page.goto(f"{meeting.facilitator.url}/f/{meeting.code}{path}")


def show_phone(page: Page, meeting: Meeting) -> None:
    """Load a session on the phone of somebody who has answered, if anybody has."""
    give_cookies(page, meeting.people[0])
    page.goto(f"{meeting.facilitator.url}/w/{meeting.code}")


def dress(page: Page, width: int, height: int, scheme: str = "light") -> None:
    """Give a page a size, and the colours that its owner prefers."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")


# --- Faults that can be looked for by program ------------------------------------------------------------------------


@pytest.mark.parametrize("state", ON_SCREEN)
def test_the_screen_has_no_fault_in_any_theme(state: str, gallery: Gallery, wall: Page, axe: Axe, venue: Venue) -> None:
    meeting = gallery[state]
    show_screen(wall, meeting)
    dress(wall, 1920, 1080)  # also stills every transition, or colours would be looked at on their way
    for theme in ("dark", "projector", "light"):
        meeting.show("theme", theme)
        expect(wall.locator("html")).to_have_attribute("data-theme", theme)
        axe(wall, colours_only=theme != "light")
    dress(wall, 480, 800)  # the flowing page that 400 % zoom gives
    axe(wall)


@pytest.mark.parametrize("state", ON_CONSOLE)
def test_the_console_has_no_fault(state: str, gallery: Gallery, desk: Page, axe: Axe, venue: Venue) -> None:
    show_console(desk, gallery[state])
    for width, height, scheme in ((1280, 800, "light"), (1280, 800, "dark"), (390, 2700, "light")):
        dress(desk, width, height, scheme)
        axe(desk, colours_only=scheme == "dark")


@pytest.mark.parametrize("state", ON_PHONES)
def test_the_phone_has_no_fault(state: str, gallery: Gallery, hand: Page, axe: Axe, venue: Venue) -> None:
    show_phone(hand, gallery[state])
    for width, height, scheme in ((390, 664, "light"), (390, 2700, "dark"), (1280, 800, "light")):
        dress(hand, width, height, scheme)
        axe(hand, colours_only=scheme == "dark")


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


@pytest.mark.parametrize(
    "path",
    ["/", "/home", "/about", "/f/{}/setup", "/f/{}/end", "/sessions/{}/delete", "/nowhere"],
    ids=["join", "home", "about", "set-up", "end", "delete", "refused"],
)
def test_the_pages_around_a_session_have_no_fault(
    path: str, gallery: Gallery, desk: Page, axe: Axe, venue: Venue, site: Site
) -> None:
    venue.watch.forgive("status of 404")
    page = desk if path != "/" else venue.phone().page
    if path != "/":
        give_cookies(desk, gallery.home)
    page.goto(site.url + path.format(gallery["live"].code))
    for summary in page.locator("summary").all()[:3]:
        summary.click()
    for width, height, scheme in ((1280, 800, "light"), (1280, 800, "dark"), (390, 2700, "light")):
        dress(page, width, height, scheme)
        axe(page, colours_only=scheme == "dark")


def test_a_wrong_code_has_no_fault(axe: Axe, venue: Venue) -> None:
    venue.watch.forgive("status of 422")
    phone = venue.phone().join("000000")
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


# --- Sizes -----------------------------------------------------------------------------------------------------------


SIZES = (
    (1024, 768),
    (1280, 720),
    (1280, 800),
    (1366, 768),
    (1400, 1050),
    (1920, 1080),
    (1920, 1200),
    (2560, 1080),
    (3840, 2160),
)
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
    names = wall.locator(".tally--dots th span")
    for width, height in SIZES:
        dress(wall, width, height)
        cut = names.evaluate_all("""all => all.filter(one =>
          one.scrollHeight > one.clientHeight + parseFloat(getComputedStyle(one).lineHeight) / 2).length""")
        assert cut == 0, f"{width}x{height}: {cut} cut off"


@pytest.mark.parametrize("state", ON_SCREEN)
def test_the_longest_question_fits_every_projector_and_the_back_row_can_read_it(
    state: str, gallery: Gallery, wall: Page, venue: Venue
) -> None:
    show_screen(wall, gallery[state])
    expect(wall.locator("html")).to_have_attribute("data-io", "up")
    misfits = []
    for width, height in SIZES:
        dress(wall, width, height)
        misfits += [f"{width}x{height}: {fault}" for fault in wall.evaluate(_MISFITS)]
    assert not misfits, "\n".join(misfits)


_TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.vh'))
    .map(e => e.tagName + '.' + (e.className.baseVal ?? e.className) + '#' + e.id).slice(0, 5)"""


_SKELETON = """() => [
  document.documentElement.lang === 'en-GB' ? '' : 'no language',
  document.querySelectorAll('h1').length === 1 ? '' : 'not one h1',
  document.querySelectorAll('main').length === 1 ? '' : 'not one main',
  document.title.trim() ? '' : 'no title',
].filter(fault => fault)"""


def test_every_page_fits_320_pixels_and_has_a_title_one_heading_a_language_and_a_main_part(
    gallery: Gallery, wall: Page, desk: Page, hand: Page, venue: Venue
) -> None:
    faults: dict[str, object] = {}
    titles: dict[str, set[str]] = {}

    def look(page: Page, surface: str, name: str) -> None:
        faults[f"{surface}, {name}"] = page.evaluate(_TOO_WIDE) + page.evaluate(_SKELETON)
        # Whether a picture has been drawn yet, and of how many answers, depends on when the page is loaded.
        titles.setdefault(surface, set()).add(re.sub(r", \d+ answers shown", "", page.title()).strip())

    for page, surface, states, show in (
        (wall, "screen", ON_SCREEN, show_screen),
        (desk, "console", ON_CONSOLE, show_console),
        (hand, "phone", ON_PHONES, show_phone),
    ):
        dress(page, 320, 640)
        for state in states:
            show(page, gallery[state])
            look(page, surface, state)
    for path in ("/home", "/about", "/f/{}/setup", "/f/{}/end", "/sessions/{}/delete"):
        desk.goto(venue.url + path.format(gallery["live"].code))
        look(desk, "page", path)
    assert not {where: what for where, what in faults.items() if what}
    # The title says the state: as many as there are states that differ.
    assert {surface: len(found) for surface, found in titles.items()} == {
        "screen": 12,
        "console": 6,
        "phone": 6,
        "page": 5,
    }


def test_every_target_on_the_ballot_is_large_enough_for_a_thumb(gallery: Gallery, hand: Page, venue: Venue) -> None:
    show_phone(hand, gallery["live"])
    for height, smallest in ((844, 56), (664, 48)):
        dress(hand, 390, height)
        boxes = [face.bounding_box() for face in hand.locator(".choice:not(.choice--aside) .choice__face").all()]
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
    show_console(console, gallery["blank"])
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
    for state in ("live", "revealed", "second", "lobby", "profile"):
        show_screen(page, gallery[state])
        assert_plain(page, "Join code")
        show_console(page, gallery[state])
        assert_plain(page, "Run sheet")
    for path in ("/home", "/f/{}/setup"):
        page.goto(venue.url + path.format(gallery["live"].code))
        assert_plain(page)
