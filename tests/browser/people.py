"""Who is in the room: a facilitator at the console, the shared screen, people with phones. Tests read as what they do.

What a test checks goes through a real browser. What it only needs, a session, a full agenda, ten more people, is set up
by a `Meeting`, which sends the same forms without one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Request, expect

from tests.browser.program import Visitor

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 664},
    "is_mobile": True,
    "device_scale_factor": 2,
    "has_touch": True,
    "locale": "en-GB",
}
WALL: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}, "locale": "en-GB"}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}

POINTS = ("1", "2", "3", "4", "5", "DK", "NR")
EXTENT = ("Not at all", "A little", "Partly", "Largely", "Fully")
EFFECTIVENESS = (
    "Not effectively",
    "Slightly effectively",
    "Fairly effectively",
    "Very effectively",
    "Extremely effectively",
)
QUALITY = ("Not at all well", "Not very well", "Fairly well", "Very well", "Extremely well")
INEQUALITY = "tackling-inequality"
QUESTIONS = tuple(f"{INEQUALITY}-{number:02}" for number in range(1, 7))
# The scales of these questions, 9.1 to 9.6.
SCALES = (EXTENT, EFFECTIVENESS, QUALITY, EXTENT, EXTENT, QUALITY)

# Writes down what a page says to people who listen to it: everything that a live region ever held, in order, said by
# #status and, as [region, words], by any.
_LISTEN = """addEventListener('DOMContentLoaded', () => {
  window.said = []; window.heard = [];
  for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]'))
    new MutationObserver(() => {
      const words = region.textContent.trim();
      if (!words) return;
      window.heard.push([region.id, words]);
      if (region.id === 'status') window.said.push(region.textContent);
    }).observe(region, {childList: true, characterData: true, subtree: true});
})"""
_CHART = """table => [...table.querySelectorAll('tbody tr')].map(row => ({
  point: row.id.slice(4).toUpperCase(),
  words: row.querySelector('th').textContent.trim(),
  count: row.querySelector('.tally__count')?.textContent ?? null,
  was: row.querySelector('.was')?.textContent.trim() ?? null,
  squares: row.querySelectorAll('.tally__marks:first-child .tally__cell').length,
}))"""


class Watch:
    """What no page may do: breach the policy, fail in a script, ask anybody else for anything."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.begin()

    def begin(self) -> None:
        """Forget what was seen, and forgive nothing any more."""
        self.trouble: list[str] = []
        self._forgiven: list[str] = []

    def forgive(self, words: str) -> None:
        """For the rest of the test: browsers report a refused or broken request as an error, and here it is meant."""
        self._forgiven.append(words)

    def over(self, page: Page, name: str) -> None:
        """Watch a page from now on."""

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.trouble.append(f"{name}: {message.text}")

        def on_script_error(error: Error) -> None:
            self.trouble.append(f"{name}: {error}")

        def on_request(request: Request) -> None:
            if not request.url.startswith((f"{self._url}/", "data:")):
                self.trouble.append(f"{name}: request to {request.url}")

        page.on("console", on_console)
        page.on("pageerror", on_script_error)
        page.on("request", on_request)

    def assert_quiet(self) -> None:
        """Fail with what was seen."""
        left = [line for line in self.trouble if not any(words in line for words in self._forgiven)]
        assert not left, "\n".join(left)


@dataclass(frozen=True)
class Chart:
    """A tally as a page shows it. Counts are None while nothing is shown."""

    words: tuple[str, ...]
    counts: dict[str, int | None]
    was: dict[str, int | None]

    @classmethod
    def read(cls, table: Locator) -> Chart:
        """From the table. AssertionError when its squares are not as many as it says."""
        rows = table.evaluate(_CHART)
        for row in rows:
            assert row["squares"] == int(row["count"] or 0), row
        return cls(
            tuple(row["words"] for row in rows),
            {row["point"]: None if row["count"] is None else int(row["count"]) for row in rows},
            {row["point"]: int(re.sub(r"\D", "", row["was"])) if row["was"] else None for row in rows},
        )

    @property
    def is_empty(self) -> bool:
        """Whether no row says a count."""
        return all(count is None for count in self.counts.values())


def counted(answers: Iterable[str]) -> dict[str, int | None]:
    """What a chart of these answers says, row by row."""
    given = list(answers)
    return {point: given.count(point) for point in POINTS}


class Surface:
    """A page that keeps itself up to date."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.heading = page.get_by_role("heading", level=1)
        self.table = page.locator("table.tally")
        self.status = page.locator("#status")

    def expect_title(self, title: str) -> None:
        """Wait until the page is called that."""
        expect(self.page).to_have_title(title)

    def expect_text(self, *texts: str) -> None:
        """Wait until all of that can be read on the page."""
        for text in texts:
            expect(self.page.locator("#now")).to_contain_text(text)

    def expect_no_text(self, *texts: str) -> None:
        """Nothing of that can be read on the page now, nor when it has settled."""
        for text in texts:
            expect(self.page.locator("#now")).not_to_contain_text(text)

    def expect_scene(self, scene: str | re.Pattern[str]) -> None:
        """Wait until the page shows this stage: "lobby", "voting", "closed", "revealed", "discussion", "finished"."""
        wanted = re.compile(rf"^{scene}-") if isinstance(scene, str) else scene
        expect(self.page.locator("#now")).to_have_attribute("data-scene", wanted)

    def expect_connected(self) -> None:
        """Wait until pushes reach the page."""
        expect(self.page.locator("html")).to_have_attribute("data-io", "up")

    def expect_no_counts(self) -> None:
        """No count of any answer is anywhere in the page's source, now."""
        assert self.page.locator(".tally__count, .tally__cell, .facts__mid, .spread").count() == 0

    @property
    def chart(self) -> Chart:
        """The tally the page shows at this moment."""
        return Chart.read(self.table)

    @property
    def order(self) -> str:
        """Which state the page shows, as pushes are ordered."""
        order = self.page.locator("#now").get_attribute("data-order")
        assert order is not None
        return order

    @property
    def said(self) -> list[str]:
        """Everything the live region has held since the page was loaded."""
        said: list[str] = self.page.evaluate("window.said")
        return said

    def hears(self) -> list[str]:
        """What any live region has said since this was last asked."""
        heard: list[list[str]] = self.page.evaluate("window.heard.splice(0)")
        return [words for _, words in heard]

    def expect_said(self, *words: str, about: str = "") -> None:
        """Wait until the live region has said the last of these, the others before it, and nothing else about it."""
        self.page.wait_for_function("words => window.said.includes(words)", arg=words[-1])
        assert [said for said in self.said if about in said] == list(words)

    @property
    def focused(self) -> str:
        """The id of the focused element, "" if it has none."""
        found: str = self.page.evaluate("document.activeElement.id")
        return found


class Phone(Surface):
    """Somebody's phone, with a browser of its own."""

    taps = 0

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page)
        self.url = url
        self.band = page.locator(".phone__foot")
        self.choices = page.locator(".choices")

    def scan(self, path: str) -> Self:
        """The camera's banner: one tap opens the address in the QR code."""
        self.taps += 1
        self.page.goto(self.url + path)
        return self

    def open(self, code: str) -> Self:
        """Load the session's page, for somebody who has joined."""
        self.page.goto(f"{self.url}/w/{code}")
        self.expect_connected()
        return self

    def join(self, code: str) -> Self:
        """Type the address, then the code, then press Join."""
        self.page.goto(f"{self.url}/")
        self.page.fill("#code", f"{code[:3]} {code[3:]}")
        self.page.click("#join")
        return self

    def choice(self, point: str) -> Locator:
        """The radio of an answer: 1 to 5, DK or NR."""
        return self.page.locator(f'input[name="choice"][value="{point}"]')

    def answer(self, point: str) -> Self:
        """Tap an answer."""
        self.taps += 1
        self.choice(point).tap()
        return self

    def expect_question(self, plate: str) -> None:
        """Wait for a fresh ballot on this question, nothing chosen and nothing preselected."""
        self.expect_title(f"Question {plate}: your answer")
        expect(self.page.locator("form[id^=ballot]")).to_be_visible()
        expect(self.page.locator("input:checked")).to_have_count(0)

    def expect_counted(self, words: str) -> None:
        """Wait until the server has the answer, and the page says so: "4, Largely"."""
        expect(self.band).to_contain_text(f"Your answer is in: {words}")
        expect(self.page.locator(".is-pending")).to_have_count(0)


class Screen(Surface):
    """The picture on the wall."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.foot = page.locator("footer")
        self.head = page.locator("header")

    def expect_turnout(self, answered: int, people: int) -> None:
        """Wait for the number of answers."""
        expect(self.page.locator(".count")).to_have_text(f"{answered} of {people} have answered")


class Facilitator(Surface):
    """The console in a browser, and the pages around it."""

    def __init__(self, page: Page, url: str) -> None:
        super().__init__(page)
        self.url = url
        self.button = page.locator("#main-move")
        self.detour = page.locator("#detour")
        self.notice = page.locator("#notice")
        self.phases = page.locator(".phase")
        self._pressed = 0.0

    @property
    def code(self) -> str:
        """The join code of the session that is open."""
        found = re.search(r"/f/(\d{6})", self.page.url)
        assert found
        return found[1]

    def open_console(self, code: str) -> Self:
        """Go to the console of a session."""
        self.page.goto(f"{self.url}/f/{code}")
        self.expect_connected()
        return self

    def set_up(self, museum: str, title: str) -> None:
        """From home: name the meeting."""
        self.page.goto(f"{self.url}/home")
        self.page.fill("#museum", museum)
        self.page.fill("#title", title)
        self.page.click("#create")
        expect(self.page.locator("#setup")).to_be_visible()

    def add_questions(self, hallmark: str, keys: Sequence[str]) -> None:
        """On the set-up page: put some questions of a hallmark on the agenda, one by one."""
        self.page.click(f"#hallmark-{hallmark} > summary")
        for number, key in enumerate(keys, start=1):
            self.page.click(f"#add-{key}")
            expect(self.page.locator(".agenda__item")).to_have_count(number)

    def add_own_question(self, text: str, short: str, scale: str) -> None:
        """On the set-up page: put a question of the group's own at the end of the agenda."""
        before = self.page.locator(".agenda__item").count()
        self.page.click("#own > summary")
        self.page.fill("[id^=own-text]", text)
        self.page.select_option("[id^=own-scale]", scale)
        self.page.fill("[id^=own-short]", short)
        self.page.click("#own-add")
        expect(self.page.locator(".agenda__item")).to_have_count(before + 1)

    def choose(self, selector: str, value: str | None = None) -> None:
        """On the set-up page: change a setting, and wait until it is saved."""
        with self.page.expect_response(lambda answer: answer.url.endswith("/setup") and answer.ok):
            if value is None:
                self.page.check(selector)
            else:
                self.page.select_option(selector, value)

    def open_screen(self) -> Screen:
        """Open the shared screen in a window of its own."""
        with self.page.expect_popup() as opened:
            self.page.click("#open-screen")
        screen = Screen(opened.value)
        screen.page.set_viewport_size({"width": 1280, "height": 720})
        screen.expect_connected()
        # A tab behind another one draws a frame a second, and Playwright waits for frames before it clicks.
        self.page.bring_to_front()
        return screen

    def thumb_rests(self) -> None:
        """Wait out the 400 ms in which a second press counts as a slip."""
        # Polled by a timer, for a window behind another one draws a frame a second.
        self.page.wait_for_function("until => Date.now() > until", arg=self._pressed + 420, polling=20)

    def press(self, expected: str, selector: str = "#main-move") -> None:
        """Press a button that moves the session, once it says what is expected, and not as a double press."""
        button = self.page.locator(selector)
        expect(button).to_contain_text(expected)
        self.thumb_rests()
        button.click()
        self.pressed_now()

    def key(self, key: str) -> None:
        """Press a key, and not as a double press."""
        self.thumb_rests()
        self.page.keyboard.press(key)
        self.pressed_now()

    def pressed_now(self) -> None:
        """Note that something was pressed that may have reached the console."""
        with contextlib.suppress(Error):  # it led to another page, which knows of no press
            self._pressed = self.page.evaluate("Date.now()")

    def expect_button(self, words: str) -> None:
        """Wait until the big button says that."""
        expect(self.button).to_contain_text(words)

    def expect_step(self, name: str) -> None:
        """Wait until this step of the question is the present one."""
        expect(self.phases.locator("[aria-current=step]")).to_have_text(name)

    def download(self, selector: str) -> tuple[str, bytes]:
        """Press a download link: the file's name and what is in it."""
        with self.page.expect_download() as got:
            self.page.click(selector)
        return got.value.suggested_filename, got.value.path().read_bytes()


class Venue:
    """Where the contexts of a test module live, all under one watch."""

    def __init__(self, url: str, browser: Browser) -> None:
        self.url = url
        self.watch = Watch(url)
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def context(self, options: dict[str, Any], visitor: Visitor | None = None) -> BrowserContext:
        """A browser of somebody's own: with the cookies of a visitor, if it is theirs."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(15_000)
        context.add_init_script(_LISTEN)
        if visitor:
            context.add_cookies(
                [{"name": name, "value": value, "url": self.url} for name, value in visitor.cookies.items()]
            )
        context.on("page", lambda page: self.watch.over(page, page.url))
        self._contexts.append(context)
        return context

    def phone(self, visitor: Visitor | None = None, **options: Any) -> Phone:
        """Somebody with a phone: new to the session, or one who has joined as this visitor already."""
        return Phone(self.context({**PHONE, **options}, visitor).new_page(), self.url)

    def facilitator(self, visitor: Visitor | None = None, **options: Any) -> Facilitator:
        """Somebody with a laptop: with the facilitator's cookies, or before the link is opened."""
        return Facilitator(self.context({**DESK, **options}, visitor).new_page(), self.url)

    def screen(self, visitor: Visitor, code: str, **options: Any) -> Screen:
        """The shared screen in a browser of its own."""
        page = self.context({**WALL, **options}, visitor).new_page()
        page.goto(f"{self.url}/f/{code}/screen")
        screen = Screen(page)
        screen.expect_connected()
        return screen

    def pages(self) -> list[Page]:
        """Everything that is open."""
        return [page for context in self._contexts for page in context.pages]

    def close(self, leaving: int = 0) -> None:
        """Everybody goes home, but for the first so many."""
        while len(self._contexts) > leaving:
            self._contexts.pop().close()

    @property
    def people(self) -> int:
        """How many browsers are open."""
        return len(self._contexts)


@dataclass
class Meeting:
    """A session set up and driven by plain forms, for what a test needs but does not test."""

    facilitator: Visitor
    code: str
    people: list[Visitor] = field(default_factory=list)

    @classmethod
    def set_up(
        cls,
        facilitator: Visitor,
        *,
        keys: Sequence[str] = QUESTIONS,
        k: int = 3,
        mode: str = "live",
        pack: str = "",
        **details: str,
    ) -> Meeting:
        """A session in the lobby with these questions on its agenda. `details`: more fields of the set-up. `pack`: the
        edition that the questions are from, by default the one that the program came with."""
        named = {"museum": "Wexcombe Mill Museum", "title": "Self-assessment", "held_on": "2026-11-21"}
        code = facilitator.post("/sessions", **named, **({"pack": pack} if pack else {})).split("/")[2]
        facilitator.post(f"/f/{code}/setup", **{**named, "mode": mode, "k": k, **details})
        if keys:
            facilitator.post(f"/f/{code}/agenda", key=list(keys))
        return cls(facilitator, code)

    def join(self, people: int) -> list[Visitor]:
        """So many people join, without a browser."""
        come = [Visitor(self.facilitator.url) for _ in range(people)]
        for visitor in come:
            visitor.post("/join", code=self.code)
        self.people += come
        return come

    def vote(self, answers: Sequence[str], directions: Sequence[str] = ()) -> None:
        """The first of the people answer, in order. `directions`: what their phones declare in a second vote."""
        found = re.search(r'name="round" value="(\d+)"', self.people[0].get(f"/w/{self.code}"))
        assert found
        for place, (visitor, choice) in enumerate(zip(self.people, answers, strict=False)):
            direction = directions[place] if directions else ""
            visitor.post(f"/w/{self.code}/ballot", round=found[1], choice=choice, seq=1, direction=direction)

    def move(self, move: str, **fields: object) -> None:
        """Press a button of the console."""
        version = re.search(r'data-version="(\d+)"', self.facilitator.get(f"/f/{self.code}/now"))
        assert version
        self.facilitator.post(f"/f/{self.code}/move", move=move, version=version[1], **fields)

    def show(self, want: str, value: str = "") -> None:
        """Change what lies over the stage on the shared screen."""
        self.facilitator.post(f"/f/{self.code}/show", want=want, value=value)

    @property
    def turnout(self) -> int:
        """How many answers the program has, as the console says it."""
        found = re.search(r'id="turnout"><b>(\d+)</b>', self.facilitator.get(f"/f/{self.code}/now"))
        assert found
        return int(found[1])
