"""Every page of the program in every state that it can stand in: sessions that were driven there and stay there.

A state is made when it is first asked for and then looked at as often as tests like. What stands here as a row is what
the tests of this folder go through; test_accessible.py fails for a page, a stage or an overlay without one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.people import Meeting
from tests.browser.program import Visitor
from tests.browser.welsh import PACK, welsh_pack

LONGEST = "tackling-inequality-04"  # 153 characters
LONG_LABELS = "tackling-inequality-02"  # "Extremely effectively"
FIRST = ["1"] * 4 + ["2"] * 5 + ["3"] * 8 + ["4"] * 4 + ["5"] * 2 + ["DK"] * 2 + ["NR"]
SECOND = ["2"] * 4 + ["3"] * 5 + ["4"] * 8 + ["4"] * 4 + ["5"] * 2 + ["DK"] * 2 + ["NR"]
MOVED = ["up"] * 17 + ["same"] * 6 + ["unknown"] * 3
WIFI = {"wifi_name": "Wexcombe Mill Museum Guests 2.4", "wifi_password": "correct horse battery staple"}
ACTIONS = (
    "Invite the two community groups to the spring planning day",
    "Start a “what we tried” page in the volunteer newsletter",
    "Find a home for the textile workers’ stories",
)
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


# --- Sessions and the states that they stand in ----------------------------------------------------------------------


def _lobby(meeting: Meeting, people: int = 26) -> None:
    meeting.join(people)


def _locked(meeting: Meeting) -> None:
    _lobby(meeting)
    meeting.show("door", "locked")


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


def _sixty(meeting: Meeting) -> None:
    """As many in one row as are still drawn as squares."""
    _lobby(meeting, 60)
    meeting.move("open")
    meeting.vote(["3"] * 50 + ["4"] * 6 + ["2"] * 3 + ["DK"])
    meeting.move("close")


def _many(meeting: Meeting) -> None:
    _lobby(meeting, 66)
    meeting.move("open")
    meeting.vote(["3"] * 63 + ["4", "4", "DK"])
    meeting.move("close")


def _one(meeting: Meeting) -> None:
    _lobby(meeting, 1)


def _roles(meeting: Meeting) -> None:
    _lobby(meeting)
    for number, visitor in enumerate(meeting.people[1:]):
        visitor.post(f"/w/{meeting.code}/role", role="staff" if number % 2 else "trustee")
    meeting.move("open")
    for visitor, choice in zip(meeting.people[1:], FIRST, strict=False):
        found = re.search(r'name="round" value="(\d+)"', visitor.get(f"/w/{meeting.code}"))
        assert found
        visitor.post(f"/w/{meeting.code}/ballot", round=found[1], choice=choice, seq=1, direction="")
    meeting.move("close")


def _planned(meeting: Meeting) -> None:
    """Talked about, with three actions, one of them with owner and date."""
    _discussion(meeting)
    for words in ACTIONS:
        meeting.facilitator.post(f"/f/{meeting.code}/actions", action=words)
    first = re.search(r'action="/f/\d+/actions/(\d+)"', meeting.facilitator.get(f"/f/{meeting.code}"))
    assert first
    fields = {"action": ACTIONS[0], "owner": "Outreach lead", "due": "2027-01-31", "version": "1"}
    meeting.facilitator.post(f"/f/{meeting.code}/actions/{first[1]}", **fields)
    meeting.facilitator.post(f"/f/{meeting.code}/parked", item="The lift")


def _finished(meeting: Meeting) -> None:
    _planned(meeting)
    meeting.move("finish")


def _finished_all(meeting: Meeting) -> None:
    """The profile and the plan at their fullest."""
    _profile(meeting)
    for words in ACTIONS:
        meeting.facilitator.post(f"/f/{meeting.code}/actions", action=words)
    meeting.move("finish")


def _again(meeting: Meeting) -> Meeting:
    """A year later: the session that continues the finished one, one question voted on."""
    _finished(meeting)
    path = meeting.facilitator.post(f"/sessions/{meeting.code}/next", title="A year later", held_on="2027-11-20")
    later = Meeting(meeting.facilitator, path.split("/")[2])
    later.join(26)
    later.move("open")
    later.vote(SECOND)
    later.move("close")
    return later


def _profile(meeting: Meeting) -> None:
    meeting.join(5)
    for number, middle in enumerate("123454321"):
        meeting.move("next" if number else "open")
        meeting.vote([middle, middle, "1", "5", "5"])
        meeting.move("close")


def _warm_up(meeting: Meeting, *, closed: bool) -> None:
    meeting.facilitator.post(f"/f/{meeting.code}/agenda", **{"warm-up": "1"})
    _voting(meeting)
    if closed:
        meeting.move("close")


def _rehearsal(meeting: Meeting) -> Meeting:
    """A rehearsal, its question open; the simulated people come one by one."""
    people = {"want": "preset", "value": "close"}
    led_to = meeting.facilitator.post("/rehearsals", **people)
    begun = Meeting(meeting.facilitator, meeting.facilitator.post(led_to, **people).rpartition("/")[2])
    begun.join(2)
    begun.move("open")
    return begun


def _rehearsed(meeting: Meeting) -> Meeting:
    begun = _rehearsal(meeting)
    begun.vote(["2", "4"])
    begun.move("close")
    begun.move("finish")
    return begun


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


@dataclass(frozen=True)
class State:
    """How a session gets where it stands, and what its set-up says."""

    recipe: Callable[[Meeting], Meeting | None]
    """Drives a new session there; returns another one if it is that which stands there."""
    scene: str
    """The stage on consoles and phones: the name of its template."""
    keys: tuple[str, ...] = (LONGEST, "tackling-inequality-06")
    mode: str = "live"
    details: tuple[tuple[str, str], ...] = tuple(WIFI.items())
    welsh: bool = False
    """Whether its questions have Welsh beside their English."""


TWO_LANGUAGES = (*WIFI.items(), ("screen_language", "cy+en"))
ONLY_ON_SCREEN = (
    "long",
    "sixty",
    "all hallmarks finished",
    "eight options",
    "twelve options",
    "two languages lobby",
    "two languages open",
    "two languages hidden",
    "two languages closed",
    "two languages",
    "two languages second",
    "two languages hush",
    "two languages dots",
    "two languages finished",
)
STATES = {
    "empty": State(lambda meeting: None, "lobby", keys=(), details=()),
    "one here": State(_one, "lobby"),
    "lobby": State(_lobby, "lobby"),
    "locked": State(_locked, "lobby"),
    "waiting": State(_waiting, "voting"),
    "first picture": State(lambda meeting: _voting(meeting, 5), "voting"),
    "live": State(_voting, "voting"),
    "hidden": State(_waiting, "voting", mode="reveal"),
    "closed": State(_closed, "closed", mode="reveal"),
    "revealed": State(_closed, "revealed"),
    "discussion": State(_discussion, "discussion"),
    "long": State(_discussion, "discussion", keys=(LONG_LABELS, LONGEST)),
    "sixty": State(_sixty, "revealed"),
    "many": State(_many, "revealed"),
    "second open": State(_second_open, "voting"),
    "second": State(_second, "revealed"),
    "hush": State(_hush, "revealed"),
    "by role": State(_roles, "revealed", details=(("roles", "on"),)),
    "all hallmarks": State(_profile, "revealed", keys=tuple(f"{hallmark}-01" for hallmark in HALLMARKS)),
    "planned": State(_planned, "discussion"),
    "finished": State(_finished, "finished"),
    "all hallmarks finished": State(_finished_all, "finished", keys=tuple(f"{hallmark}-01" for hallmark in HALLMARKS)),
    "second time": State(_again, "revealed"),
    "warm-up open": State(lambda meeting: _warm_up(meeting, closed=False), "voting"),
    "warm-up": State(lambda meeting: _warm_up(meeting, closed=True), "revealed"),
    "two languages lobby": State(_lobby, "lobby", details=TWO_LANGUAGES, welsh=True),
    "two languages open": State(_voting, "voting", details=TWO_LANGUAGES, welsh=True),
    "two languages hidden": State(_waiting, "voting", mode="reveal", details=TWO_LANGUAGES, welsh=True),
    "two languages closed": State(_closed, "closed", mode="reveal", details=TWO_LANGUAGES, welsh=True),
    "two languages": State(_discussion, "discussion", details=TWO_LANGUAGES, welsh=True),
    "two languages second": State(_second, "revealed", details=TWO_LANGUAGES, welsh=True),
    "two languages hush": State(_hush, "revealed", details=TWO_LANGUAGES, welsh=True),
    "two languages dots": State(
        lambda meeting: _dots(meeting, 6, closed=True), "revealed", details=TWO_LANGUAGES, welsh=True
    ),
    "two languages finished": State(_finished, "finished", details=TWO_LANGUAGES, welsh=True),
    "rehearsal": State(_rehearsal, "voting"),
    "rehearsal ended": State(_rehearsed, "finished"),
    "six options open": State(lambda meeting: _dots(meeting, 6, closed=False), "voting"),
    "six options": State(lambda meeting: _dots(meeting, 6, closed=True), "revealed"),
    "eight options": State(lambda meeting: _dots(meeting, 8, closed=True), "revealed"),
    "twelve options": State(lambda meeting: _dots(meeting, 12, closed=True), "revealed"),
}
# What lies over the stage on the shared screen, and the sessions over which it looks different.
OVERLAYS = {
    "code": ("lobby", "locked"),
    "blank": ("live",),
    "test": ("lobby",),
    "break": ("live", "two languages open"),
    "profile": ("all hallmarks", "revealed", "lobby", "two languages"),
    "three": ("all hallmarks", "lobby", "two languages"),
    "plan": ("planned", "lobby", "two languages finished"),
    "since": ("second time", "lobby"),
    "compare": ("second time", "revealed"),
    "roles": ("by role", "revealed"),
}
ON_SCREEN = (*STATES, *(f"{overlay} over {state}" for overlay, states in OVERLAYS.items() for state in states))
ON_CONSOLE = (
    *(state for state in STATES if state not in ONLY_ON_SCREEN),
    "break over live",
)
ON_PHONES = (
    *("lobby", "live", "second open", "closed", "revealed", "long", "many", "second", "hush", "finished"),
    *("by role", "warm-up open", "warm-up", "rehearsal", "six options open", "six options"),
    "break over live",
)
SURFACES = {"screen": ON_SCREEN, "console": ON_CONSOLE, "phone": ON_PHONES}


class Gallery:
    """Sessions by the state they stand in, each made when it is first asked for."""

    def __init__(self, home: Visitor) -> None:
        self.home = home
        self._made: dict[str, Meeting] = {}
        self._over: dict[str, str] = {}

    def __getitem__(self, name: str) -> Meeting:
        """The session; "… over …" also lays that over its shared screen, and any other name takes it away."""
        over, _, below = name.rpartition(" over ")
        if below not in self._made:
            state = STATES[below]
            pack = welsh_pack(self.home) if state.welsh else ""
            details = dict(state.details)
            meeting = Meeting.set_up(self.home, keys=state.keys, k=5, mode=state.mode, pack=pack, **details)
            self._made[below] = state.recipe(meeting) or meeting
            self._over[below] = ""
        if self._over[below] != over:
            if "break" in (over, self._over[below]):
                self._made[below].show("break", "10" if over == "break" else "")
            if over != "break":
                self._made[below].show("overlay", over)
            self._over[below] = over
        return self._made[below]

    def take_away(self, name: str) -> Meeting:
        """A session that a test uses up: the next who asks gets a new one."""
        meeting = self[name]
        del self._made[name]
        return meeting


def scene_of(surface: str, name: str) -> str:
    """What lies uppermost on a surface in this state: the name of an overlay or of a stage."""
    over, _, below = name.rpartition(" over ")
    return over if over and surface == "screen" else STATES[below].scene


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


def show_phone(page: Page, meeting: Meeting, person: int = 1) -> None:
    """Load a session on the phone of somebody who has answered, if anybody has."""
    give_cookies(page, meeting.people[person])
    page.goto(f"{meeting.facilitator.url}/w/{meeting.code}")


def title_of(surface: str, meeting: Meeting) -> str:
    """What the screen or the console of a session is called when it is loaded: their scripts leave it as it is."""
    path = {"screen": "/f/{}/screen", "console": "/f/{}"}[surface]
    found = re.search(r"<title>\s*(.*?)\s*</title>", meeting.facilitator.get(path.format(meeting.code)), re.DOTALL)
    assert found
    return found[1]


SHOW = {"screen": show_screen, "console": show_console, "phone": show_phone}


# --- Pages around a session ------------------------------------------------------------------------------------------

_SUBMIT = """([action, fields]) => {
  const form = document.createElement('form');
  form.method = 'post'; form.action = action;
  if (fields.file !== undefined) {
    form.enctype = 'multipart/form-data';
    const chosen = document.createElement('input'), files = new DataTransfer();
    files.items.add(new File([fields.file], 'file.json'));
    chosen.type = 'file'; chosen.name = 'file'; chosen.files = files.files;
    form.append(chosen); delete fields.file;
  }
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement('input');
    field.name = name; field.value = value; form.append(field);
  }
  document.body.append(form); form.submit();
}"""


def submit(page: Page, action: str, **fields: str) -> None:
    """Send a form as a page without JavaScript would, with fields that a browser's own checks would hold back."""
    with page.expect_navigation():
        page.evaluate(_SUBMIT, [action, fields])


def _offer(page: Page, meeting: Meeting) -> None:
    submit(page, f"/f/{meeting.code}/devices", role="facilitator")


def _pair(page: Page, meeting: Meeting) -> None:
    _offer(page, meeting)
    page.goto("http://" + page.locator("#address").inner_text())


def _hand_round(page: Page, meeting: Meeting) -> None:
    """Make this browser the device that three people share."""
    submit(page, f"/f/{meeting.code}/devices", role="handed", people="3")
    page.goto("http://" + page.locator("#address").inner_text())
    page.click("#take")


def _come(page: Page, meeting: Meeting) -> None:
    """Open the address of the room check, which here is on the computer itself."""
    page.goto("http://" + page.locator("#address").inner_text())


def _hand_on(page: Page, meeting: Meeting) -> None:
    _hand_round(page, meeting)
    page.get_by_label("Largely").check()
    page.click("#count")
    page.wait_for_selector("#next-person")


def _arrive(page: Page, meeting: Meeting) -> None:
    """Come to the address that the room check shows as a code."""
    path = re.search(rf"/w/{meeting.code}/check/[\w-]+", page.content())
    assert path
    page.goto(meeting.facilitator.url + path[0])


def _own_edition(page: Page, meeting: Meeting) -> None:
    """Keep an edition of one's own, and ask to delete it."""
    name = f"Ours {meeting.code} {page.evaluate('Date.now()')}"
    submit(page, page.url, title="Our hallmarks", edition=name)
    page.click("#delete")


def _drop_edition(page: Page, meeting: Meeting) -> None:
    _own_edition(page, meeting)
    page.click("#delete")


def _late_ballot(page: Page, meeting: Meeting) -> None:
    submit(page, f"/w/{meeting.code}/ballot", round="1", choice="4", seq="9", direction="")


def _in_welsh(page: Page, meeting: Meeting) -> None:
    """Read on in the other language, which some words of the page may not have."""
    page.click("#speak-cy")


def _says_nothing(page: Page, _meeting: Meeting) -> None:
    page.fill(".sentence textarea", "")
    page.click(".sentence button[value=save]")
    page.wait_for_selector(".sentence .error")


@dataclass(frozen=True)
class Place:
    """A page around a session: how one gets there, and the template that makes it."""

    template: str
    path: str
    state: str = "revealed"
    """The session that it is about; {} in the path is its code."""
    act: Callable[[Page, Meeting], None] | None = None
    """What is done on the page of that path to get this one."""
    who: str = "facilitator"
    """"facilitator", "phone" (somebody who has joined) or "stranger"."""
    uses_up: bool = False

    def open(self, page: Page, gallery: Gallery) -> None:
        """Go there."""
        meeting = gallery.take_away(self.state) if self.uses_up else gallery[self.state]
        page.context.clear_cookies()
        if self.who == "facilitator":
            give_cookies(page, meeting.facilitator)
        elif self.who == "phone":
            give_cookies(page, meeting.people[0])
        page.goto(meeting.facilitator.url + self.path.format(meeting.code))
        if self.act:
            self.act(page, meeting)


def _sends(path: str, **fields: str) -> Callable[[Page, Meeting], None]:
    return lambda page, meeting: submit(page, path.format(meeting.code), **fields)


PLACES = {
    "join": Place("participant/join.html", "/", who="stranger"),
    "join, wrong code": Place("participant/join.html", "/", act=_sends("/join", code="000000"), who="stranger"),
    "join, a page of a session": Place("participant/join.html", "/w/{}", who="stranger"),
    "join, old QR code": Place("participant/join.html", "/j/aaaaaaaaaaaaaaaa", who="stranger"),
    "role": Place("participant/role.html", "/w/{}", "by role", who="phone"),
    "role, once more": Place("participant/role.html", "/w/{}/role", "by role", who="phone"),
    "device offered to be handed round": Place(
        "facilitator/devices.html", "/f/{}/devices", "live", _sends("/f/{}/devices", role="handed", people="3")
    ),
    "handed round, waiting": Place("participant/handed.html", "/f/{}/devices", "lobby", _hand_round),
    "handed round, ask": Place("participant/handed.html", "/f/{}/devices", "live", _hand_round),
    "handed round, dots": Place("participant/handed.html", "/f/{}/devices", "six options open", _hand_round),
    "handed round, results": Place("participant/handed.html", "/f/{}/devices", "revealed", _hand_round),
    "handed round, counted": Place("participant/handed.html", "/f/{}/devices", "live", _hand_on),
    "join in Welsh": Place("participant/join.html", "/", act=_in_welsh, who="stranger"),
    "waiting in Welsh": Place("participant/page.html", "/w/{}", "lobby", _in_welsh, who="phone"),
    "ballot in Welsh": Place("participant/page.html", "/w/{}", "live", _in_welsh, who="phone"),
    "results in Welsh": Place("participant/page.html", "/w/{}", "revealed", _in_welsh, who="phone"),
    "languages": Place("facilitator/languages.html", "/languages"),
    "words": Place("facilitator/words.html", "/languages/cy"),
    "too late": Place("refused.html", "/w/{}", act=_late_ballot, who="phone"),
    "about": Place("about.html", "/about", who="stranger"),
    "promise": Place("promise.html", "/promise", who="stranger"),
    "old link": Place("refused.html", "/enter/aaaa", who="stranger"),
    "nowhere": Place("refused.html", "/nowhere", who="stranger"),
    "screen, gone": Place("screen/gone.html", "/s/000000", who="stranger"),
    "home": Place("facilitator/home.html", "/home"),
    "home, no date": Place("facilitator/home.html", "/home", act=_sends("/sessions", museum="A", title="B")),
    "not loaded": Place("facilitator/not_loaded.html", "/home", act=_sends("/sessions/load", file="{}")),
    "set-up": Place("facilitator/setup.html", "/f/{}/setup"),
    "set-up, empty": Place("facilitator/setup.html", "/f/{}/setup", "empty"),
    "set-up, no title": Place("facilitator/setup.html", "/f/{}/setup", act=_sends("/f/{}/setup", museum="Mill")),
    "end": Place("facilitator/end.html", "/f/{}/end", "live"),
    "report so far": Place("facilitator/report.html", "/f/{}/report", "hush"),
    "report": Place("facilitator/report.html", "/f/{}/report", "finished"),
    "report of a second time": Place("facilitator/report.html", "/f/{}/report", "second time"),
    "report by role": Place("facilitator/report.html", "/f/{}/report", "by role"),
    "devices": Place("facilitator/devices.html", "/f/{}/devices"),
    "devices, a code to scan": Place("facilitator/devices.html", "/f/{}/devices", act=_offer),
    "pair": Place("facilitator/pair.html", "/f/{}/devices", act=_pair),
    "pair, old": Place("facilitator/pair.html", "/pair/aaaa", who="stranger"),
    "priorities": Place("facilitator/priorities.html", "/f/{}/priorities", "planned"),
    "priorities, none chosen": Place(
        "facilitator/priorities.html", "/f/{}/priorities", "planned", _sends("/f/{}/priorities", over="actions")
    ),
    "room check": Place("facilitator/check.html", "/f/{}/check", "lobby"),
    "room check, a phone that came": Place("participant/check.html", "/f/{}/check", "lobby", _arrive),
    "printables": Place("facilitator/print.html", "/f/{}/print", "lobby"),
    "cards": Place("facilitator/cards.html", "/f/{}/cards", "live"),
    "cards of dots": Place("facilitator/cards.html", "/f/{}/cards", "six options open"),
    "cards, none open": Place("facilitator/cards.html", "/f/{}/cards", "revealed"),
    "cards, too late": Place("facilitator/cards.html", "/f/{}/cards", "live", _sends("/f/{}/cards", round="0")),
    "room check, of a computer": Place("participant/check.html", "/f/{}/check", "live", _come),
    "print": Place("facilitator/print.html", "/f/{}/print", "lobby"),
    "console, an old page": Place(
        "facilitator/page.html", "/f/{}", act=_sends("/f/{}/move", move="discuss", version="1")
    ),
    "next": Place("facilitator/next.html", "/sessions/{}/next", "finished"),
    "next, no date": Place(
        "facilitator/next.html", "/sessions/{}/next", "finished", _sends("/sessions/{}/next", title="Later")
    ),
    "museum": Place("facilitator/museum.html", "/museums/{}", "finished"),
    "check-in": Place("facilitator/check_in.html", "/museums/{}/check-in", "finished"),
    "packs": Place("facilitator/packs.html", "/packs"),
    "packs, not one": Place("facilitator/packs.html", "/packs", act=_sends("/packs", file="{}")),
    "pack": Place("facilitator/pack.html", PACK),
    "pack, in Welsh too": Place("facilitator/pack.html", PACK, act=lambda page, _meeting: page.click("#also-cy")),
    "words, one refused": Place("facilitator/words.html", "/languages/cy?q=Run+sheet", act=_says_nothing),
    "pack, no name": Place("facilitator/pack.html", PACK, act=_sends(PACK, title="Ours", edition="")),
    "pack, to be kept": Place("facilitator/pack.html", f"{PACK}/delete"),
    "pack, delete": Place("facilitator/pack_delete.html", PACK, act=_own_edition),
    "pack, deleted": Place("facilitator/pack_delete.html", PACK, act=_drop_edition),
    "delete": Place("facilitator/delete.html", "/sessions/{}/delete"),
    "deleted": Place(
        "facilitator/deleted.html",
        "/sessions/{}/delete",
        "hush",
        lambda page, meeting: page.click("#delete"),
        uses_up=True,
    ),
}


def rows() -> list[tuple[str, str]]:
    """Everything there is to look at: the surface, "page" for what lies around a session, and the state."""
    return [
        *((surface, state) for surface, states in SURFACES.items() for state in states),
        *(("page", place) for place in PLACES),
    ]


def show(page: Page, surface: str, state: str, gallery: Gallery) -> None:
    """Load a row."""
    if surface == "page":
        PLACES[state].open(page, gallery)
    else:
        SHOW[surface](page, gallery[state])
