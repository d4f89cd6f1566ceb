"""The laws of the design, each as a test that can fail. Counting exactly once is in tests/test_races.py."""

from __future__ import annotations

import ast
import datetime as dt
import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from jinja2 import meta, nodes
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from facilitation import ballots, editions, hallmarks, packs, rehearsal, store, workshop
from facilitation import now as reader
from facilitation.exports import session_json
from facilitation.now import Audience
from facilitation.stages import Stage
from facilitation.store import Ballot, Workshop
from tests.cast import QUESTIONS, Facilitator, Handed, Person, Phone, Screen, Venue, counts_in, fragment_of, vote
from tests.conftest import a_database
from tests.sample_report import a_report

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "facilitation"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
    for path in sorted(PACKAGE.rglob("*.py"))
    if "versions" not in path.parts
}
SOURCES = {**MODULES, "app": ast.parse((ROOT / "app.py").read_text())}


# --- 1. Rules know no framework: imports point one way ---

# Each layer imports from those above it and from its own.
LAYERS = (
    {"__init__", "errors", "language"},
    {
        "hallmarks",
        "stages",
        "ballots",
        "tally",
        "config",
        "keys",
        "qr",
        "network",
        "room",
        "room_check",
        "limits",
        "logs",
        "words",
        "people",
    },
    {"plan", "profile", "packs", "corrections"},
    {"store"},
    {"committer", "report", "exports", "workshop", "deciding", "loading", "priorities", "migrations"}
    | {"editions", "continuing", "museum", "rehearsal", "minutes", "undoing", "bounds"},
    {"now", "paper", "saying"},
    {"live", "wire", "gate"},
    {"web"},
    {"serving"},
)
LAYER = {name: depth for depth, names in enumerate(LAYERS) for name in names}
PURE = {"errors", "hallmarks", "stages", "tally", "keys", "config", "room", "gate", "limits", "logs"} | {
    *("words", "plan", "profile", "people"),
}
BESIDES = {
    "ballots": {"cryptography"},
    "language": {"babel", "markupsafe"},
    "plan": {"babel"},
    "qr": {"segno", "markupsafe"},
    "packs": {"openpyxl", "xlsxwriter"},
    "network": {"psutil"},
    "committer": {"sqlalchemy", "gevent"},
}
# The socket's connect uses the same access functions as the pages, which call live in their turn.
UPWARD = {("live", "web")}


def imports_of(tree: ast.Module) -> set[str]:
    """Every module that is imported, as it is written."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "facilitation"}
    return names


def ours(names: set[str]) -> set[str]:
    """The first word after the package's name, of what is imported from it."""
    return {name.split(".")[1] for name in names if name.startswith("facilitation.")}


def outside(names: set[str]) -> set[str]:
    """The packages that are neither ours nor Python's."""
    return {name.split(".")[0] for name in names} - {"facilitation", "app", *sys.stdlib_module_names}


def test_every_module_has_its_layer() -> None:
    assert {name.split(".")[0] for name in MODULES if name != "__init__"} | {"__init__"} == set(LAYER)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    here = module.split(".")[0]
    known = {name for name in ours(imports_of(MODULES[module])) if name in LAYER}
    upward = {name for name in known if LAYER[name] > LAYER[here] and (here, name) not in UPWARD}
    assert upward == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name.split(".")[0] in PURE | BESIDES.keys()])
def test_rules_know_no_framework(module: str) -> None:
    assert outside(imports_of(MODULES[module])) <= BESIDES.get(module.split(".")[0], set())


def test_only_the_edge_and_live_know_flask_and_only_the_live_layer_knows_sockets_and_gevent() -> None:
    def who_imports(*packages: str) -> set[str]:
        return {name.split(".")[0] for name, tree in SOURCES.items() if outside(imports_of(tree)) & set(packages)}

    assert who_imports("flask", "werkzeug") <= {"app", "web", "live", "serving"}
    assert who_imports("flask_socketio", "socketio", "engineio", "wsproto") <= {"app", "live", "wire"}
    assert who_imports("gevent") <= {"app", "live", "committer", "wire", "serving"}


# --- 2. One place commits, one place emits ---


def calls(tree: ast.Module) -> set[str]:
    """The names of all methods that are called."""
    found = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {function.attr for function in found if isinstance(function, ast.Attribute)}


def statements(tree: ast.Module) -> list[str]:
    """Every string that is not a docstring."""
    texts = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr)
    }
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in texts)
    return [node.value for node in constants if isinstance(node.value, str)]


def test_one_place_commits() -> None:
    assert [name for name, tree in SOURCES.items() if "commit" in calls(tree)] == ["store"]
    begins = re.compile(r"\bBEGIN\b(?!:)")  # and not the BEGIN:VCALENDAR of a calendar file
    assert [name for name, tree in SOURCES.items() if any(map(begins.search, statements(tree)))] == ["store"]
    # A migration is its own transaction, before there is a program.
    assert [name for name, tree in SOURCES.items() if "begin" in calls(tree)] == ["migrations.env"]


def test_one_place_emits() -> None:
    assert [name for name, tree in SOURCES.items() if "emit" in calls(tree)] == ["live"]


# --- 3. Sockets speak, they never listen ---


def test_the_only_handlers_are_connect_and_disconnect(venue: Venue) -> None:
    assert {space: set(known) for space, known in venue.server.handlers.items()} == {"/": {"connect", "disconnect"}}
    assert not venue.server.namespace_handlers


@pytest.mark.parametrize("said", ["ballot", "move", "message", "now", "join"])
def test_what_a_socket_says_changes_nothing_and_gets_no_answer(
    venue: Venue, freya: Facilitator, ana: Phone, said: str
) -> None:
    freya.does("open")
    line = ana.listens("p", freya.code)
    line.get_received()
    before = rows_of(venue)
    line.emit(said, {"choice": "5", "move": "close", "room": f"{freya.workshop_id}:facilitator:en"})
    assert rows_of(venue) == before
    assert line.get_received() == []


# --- 4. Push equals pull ---


def journey(freya: Facilitator, phones: list[Phone]) -> Iterator[str]:
    """Through every stage in both modes, with every overlay; says what has just been done."""
    freya.does("open")
    yield "move"
    vote(phones, *"12345")
    yield "votes"
    for over in ("blank", "code", "profile", "profile"):
        freya.shows("overlay", over)
        yield "overlay"
    freya.shows("timer")
    yield "timer"
    for move in ("close", "discuss", "revote"):
        freya.does(move)
        yield "move"
    vote(phones[:4], *"5544")
    freya.does("close")
    yield "move"
    freya.sets(mode="reveal")
    yield "set-up"
    freya.does("next")
    vote(phones, *"12345")
    yield "votes"
    for move in ("close", "reveal", "revote"):
        freya.does(move)
        yield "move"
    vote(phones[:2], *"11")
    freya.does("close", "reveal")
    yield "move"
    freya.does("finish")
    yield "move"


@dataclass(frozen=True)
class Moment:
    """What everybody is shown at one moment of a journey, by audience: pushed last, fetched, and as a page."""

    step: str
    stage: str
    pushed: dict[Audience, str]
    pulled: dict[Audience, str]
    pages: dict[str, TestResponse]


@pytest.fixture(scope="module")
def moments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Moment]]:
    """A journey through a session of five phones and Ana's, who votes as soon as she can."""
    folder = tmp_path_factory.mktemp("journey")
    with a_database(request, folder) as url:
        venue = Venue(url, folder)
        freya = Facilitator(venue).enters().creates(*QUESTIONS, k=3)
        freya.sets(wifi_name="Mill", wifi_password="by the river")
        wall, ana, phones = Screen(venue).shows(freya), Phone(venue).joins(freya.code), venue.phones(5, freya.code)
        people: dict[Audience, Facilitator | Phone | Screen] = {
            Audience.PHONE: ana,
            Audience.SCREEN: wall,
            Audience.FACILITATOR: freya,
        }
        addresses = {
            "/": ana,
            f"/w/{freya.code}": ana,
            f"/s/{freya.code}": wall,
            f"/f/{freya.code}": freya,
            f"/f/{freya.code}/setup": freya,
            f"/f/{freya.code}/end": freya,
            f"/f/{freya.code}/devices": freya,
            "/home": freya,
            "/about": ana,
            f"/promise?r={freya.code}": ana,
        }
        found = []
        for step in journey(freya, phones):
            if freya.stage == "voting":
                ana.answers("3")
            pushed = {audience: venue.told_to(audience)[-1].html for audience in Audience}
            pulled = {audience: fragment_of(person) for audience, person in people.items()}
            pages = {path: person.gets(path) for path, person in addresses.items()}
            found.append(Moment(step, freya.stage, pushed, pulled, pages))
        yield found
        venue.closes()


def test_a_pushed_fragment_is_byte_for_byte_what_a_get_returns(moments: list[Moment]) -> None:
    assert {moment.stage for moment in moments} == set(Stage) - {Stage.LOBBY}
    for moment in moments:
        for audience in Audience:
            # What a phone does not hear of, because it is no move, it does not show either.
            assert moment.pushed[audience] == moment.pulled[audience], f"{audience} after {moment.step}"


def without_own(html: str) -> str:
    """A phone's fragment without the parts that are called mine, without what they check and count, and without what a
    page alone brings: its languages, what is for a browser without scripts, and the promise, to which a push links."""
    for part in (
        r'<div id="mine-.*?</footer>|<title>.*?</title>| checked|name="seq" value="\d+"',
        r'<nav id="langs".*?</nav>|<noscript>.*?</noscript>',
        r'<details class="more">.*?</details>|<p class="more"><a href="/promise.*?</p>',
    ):
        html = re.sub(part, "", html, flags=re.S)
    return "".join(html.split())


def test_a_page_is_the_fragment_beside_the_own_answer_and_what_only_a_page_brings(moments: list[Moment]) -> None:
    for moment in moments:
        by_letter = {path[1]: page.text for path, page in moment.pages.items() if re.fullmatch(r"/[wsf]/\d+", path)}
        for audience, letter in ((Audience.SCREEN, "s"), (Audience.FACILITATOR, "f")):
            assert moment.pulled[audience].split("</title>", 1)[1].strip() in by_letter[letter]
        assert without_own(moment.pulled[Audience.PHONE]) in without_own(by_letter["w"])
    voting = [moment for moment in moments if moment.stage == "voting"]
    assert all(
        "Your answer is in: 3" in page.text
        for moment in voting
        for path, page in moment.pages.items()
        if path[1:2] == "w"
    )
    assert not any("Your answer is in" in moment.pulled[Audience.PHONE] for moment in voting)


def test_fragments_are_made_of_a_now_and_of_nothing_else(venue: Venue) -> None:
    # own and labels belong to the part called mine, which no push carries: there they are undefined, and empty.
    # `_` and its like say the program's own sentences, and `language` knows which one is spoken. `whole` is set by a
    # page alone, for what it brings before any push.
    known = {"now", "own", "labels", "whole", "join_origin", "qr", "wifi_qr", "_", "gettext", "ngettext", "language"}
    waiting = [f"{audience}/now.html" for audience in Audience]
    trees: dict[str, nodes.Template] = {}
    while waiting:
        name = waiting.pop()
        folder = name.split("/")[0]
        trees[name] = venue.app.jinja_env.parse((ROOT / "templates" / name).read_text())
        named = set(meta.find_referenced_templates(trees[name]))
        # A name that is put together: one for each stage or overlay.
        parts = (ROOT / "templates" / folder).glob("*/_*.html") if None in named else []
        named |= {path.relative_to(ROOT / "templates").as_posix() for path in parts}
        waiting += sorted(name for name in named - trees.keys() if name)
    assert {"screen/overlays/_profile.html", "participant/stages/_voting.html", "facilitator/_run.html"} <= set(trees)
    defined = {name for tree in trees.values() for name in defined_in(tree)}
    for name, tree in trees.items():
        assert meta.find_undeclared_variables(tree) - defined <= known, name


def defined_in(tree: nodes.Template) -> Iterator[str]:
    """What a template names itself: by set, for, with, in the arguments of a macro, or by import."""
    yield from (node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param"))
    yield from (node.name for node in tree.find_all(nodes.Macro))


# --- 5. Nobody knows what is not released ---

TWO_O_CLOCK = dt.datetime(2026, 11, 21, 14, 0)  # noqa: DTZ001 - as the database keeps it
READERS = {f"what the {audience}’s templates get": audience for audience in Audience}
CHANNELS = ("page", "phone", "screen", "console", "results.csv", "session.json", *READERS)


class World:
    """A room of five phones, k = 3, with everything that anybody in it is shown. Ana's answers are the same in all
    worlds, so that her page may be compared."""

    def __init__(self, venue: Venue, freya: Facilitator, wall: Screen, phones: list[Phone]) -> None:
        self.venue, self.freya, self.wall, self.phones = venue, freya, wall, phones

    @classmethod
    def founded(cls, folder: Path, url: str) -> World:
        venue = Venue(url, folder)
        freya = Facilitator(venue).enters().creates(*QUESTIONS, k=3)
        return cls(venue, freya, Screen(venue).shows(freya), venue.phones(5, freya.code))

    def twin(self, folder: Path) -> World:
        """The same people with the same secrets before anybody has voted."""
        venue = self.venue.twin(folder)

        def again(person: Any) -> Any:
            other = type(person)(venue).takes_cookies_of(person)
            other.code = self.freya.code
            return other

        freya = again(self.freya)
        freya.workshop_id = self.freya.workshop_id
        return World(venue, freya, again(self.wall), [again(phone) for phone in self.phones])

    def shown(self) -> dict[str, str]:
        """Everything, by channel: Ana's page, what was pushed since the last time, and the documents.

        The pages of screen and console are what was pushed to them: that is another law.
        """
        told: dict[str, list[str]] = {"participant": [], "screen": [], "facilitator": []}
        for push in self.venue.told:
            told[push.audience].append(f"{push.order} {push.html}")
        self.venue.told.clear()
        with self.venue.reading() as session:
            room = session.get_one(Workshop, self.freya.workshop_id)
            rooms = self.venue.house.rooms
            given = {name: repr(reader.look(session, rooms, room, audience)) for name, audience in READERS.items()}
        return {
            **given,
            "page": self.phones[0].gets(f"/w/{self.freya.code}").text,
            "phone": "\n".join(told["participant"]),
            "screen": "\n".join(told["screen"]),
            "console": "\n".join(told["facilitator"]),
            "results.csv": self.freya.reads("results.csv").text,
            "session.json": self.freya.reads("session.json").text,
        }


Script = Callable[[World, str], Iterator[str]]


def differing(world: World, name: str) -> Iterator[str]:
    """People choose differently in the two worlds. Until a count is released no channel may differ."""
    this = {"one": "2 4455", "other": "2 1DN1"}[name].replace(" ", "")
    choices = [{"D": "DK", "N": "NR"}.get(letter, letter) for letter in this]
    freya, phones = world.freya, world.phones
    yield "secret: in the lobby"
    freya.does("open")
    vote(phones[:2], *choices[:2])
    yield "secret: two answers, below k"
    freya.does("close")
    yield "secret: closed below k"
    if freya.stage == "closed":
        freya.does("reveal")
        yield "secret: revealed below k"
    freya.does("discuss")
    yield "secret: talking about a round below k"
    freya.does("next")
    vote(phones[:3], *choices[:3])
    yield "secret: k answers, two people missing"
    freya.does("goto 3")
    yield "secret: skipped with k answers"
    freya.does("goto 2")
    vote(phones, *"33344")
    freya.does("close")
    if freya.stage == "closed":
        freya.does("reveal")
    yield "unseen: another vote on the skipped question was shown"
    freya.does("goto 3")
    vote(phones[:4], *choices[:4])
    yield "secret: k answers and more, one person missing"
    freya.shows("overlay", "profile")
    yield "secret: with the profile over it"
    freya.shows("overlay", "profile")
    world.venue.clock.advance(5)
    if freya.now.mode == "reveal":
        vote(phones[4:], *choices[4:])
        yield "secret: everybody has answered"
        freya.does("close")
        yield "console only: closed, not shown"
        freya.does("revote")
        yield "secret: talk first, reveal after"
        vote(phones[:4], *choices[:4])
        freya.does("close")
        yield "console only: closed again"
        freya.does("discard")
        yield "secret: after a count was dropped"
        vote(phones, *choices)
        freya.does("close", "reveal")
    else:
        vote(phones[4:], *choices[4:])
        yield "watching: the picture that nobody is missing from"
        freya.does("close")
    yield "released: the count"
    freya.does("finish")
    yield "documents: the end"


def exchanged(world: World, name: str) -> Iterator[str]:
    """The same answers from other people: no channel ever tells the worlds apart."""
    order = {"one": (1, 2, 3, 4), "other": (3, 1, 4, 2)}[name]
    freya, phones = world.freya, world.phones

    def vote_as(first: str, *answers: tuple[str, str]) -> None:
        phones[0].answers(first, "same")
        by_phone = dict(zip(order, answers, strict=True))
        for number in (1, 2, 3, 4):
            assert phones[number].answers(*by_phone[number]).status_code == 200

    freya.does("open")
    vote_as("2", ("1", ""), ("4", ""), ("5", ""), ("DK", ""))
    yield "secret: everybody has answered"
    freya.does("close")
    yield "secret: closed"
    freya.does(*(["reveal"] if freya.stage == "closed" else []), "discuss", "revote")
    vote_as("2", ("1", "same"), ("5", "up"), ("4", "down"), ("3", "up"))
    yield "secret: second vote"
    freya.does("close", *(["reveal"] if freya.now.mode == "reveal" else []))
    yield "secret: second result"
    freya.does("finish")
    yield "secret: the end"


def changing(world: World, name: str) -> Iterator[str]:
    """After a picture two people change their minds, to other answers in the two worlds."""
    freya, phones = world.freya, world.phones
    freya.does("open")
    vote(phones, *"23344")
    world.venue.clock.advance(5)
    yield "secret: the same picture"
    vote(phones[3:], *{"one": "55", "other": "11"}[name])
    world.venue.clock.advance(5)
    world.venue.house.live.changed(freya.workshop_id)
    yield "secret: two have changed their minds"
    freya.does("close")
    yield "released: the count"


# With results on reveal there is no picture to change after.
PLAYS: tuple[tuple[Script, str], ...] = (
    (differing, "live"),
    (differing, "reveal"),
    (exchanged, "live"),
    (exchanged, "reveal"),
    (changing, "live"),
)
Shown = dict[str, tuple[dict[str, str], dict[str, str]]]


@pytest.fixture(scope="module")
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world that all others are twins of."""
    folder = tmp_path_factory.mktemp("world")
    with a_database(request, folder) as url:
        founded = World.founded(folder, url)
        yield founded
        founded.venue.closes()


@pytest.fixture(scope="module")
def seen(worlds: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Script, str], Shown]]:
    """What two worlds showed at each moment of a script, each pair played once."""
    played: dict[tuple[Script, str], Shown] = {}
    patch = pytest.MonkeyPatch()
    patch.setattr(workshop, "_now", lambda: TWO_O_CLOCK)  # the console says when it started

    def play(script: Script, mode: str) -> Shown:
        if (script, mode) not in played:
            both = []
            for name in ("one", "other"):
                world = worlds.twin(tmp_path_factory.mktemp(name))
                world.freya.sets(mode=mode)
                world.shown()
                both.append({moment: world.shown() for moment in script(world, name)})
                world.venue.closes()
            one, other = both
            assert list(one) == list(other)
            played[script, mode] = {moment: (one[moment], other[moment]) for moment in one}
        return played[script, mode]

    yield play
    patch.undo()


# Where a count may be known at the moments that are not secret. In CLOSED the facilitator sees it first; a picture
# is on the wall; a finished session has left the question, and shows its profile.
PHONE, SCREEN, CONSOLE = READERS
KNOWS = {
    "console only": {"console", CONSOLE},
    "watching": {"screen", "console", SCREEN, CONSOLE},
    "released": set(CHANNELS),
    "documents": {"results.csv", "session.json"},
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("script", "mode"), PLAYS, ids=lambda part: getattr(part, "__name__", part))
def test_nobody_can_know_a_result_before_it_is_released(
    seen: Callable[[Script, str], Shown], script: Script, mode: str, channel: str
) -> None:
    for moment, (one, other) in seen(script, mode).items():
        if channel in KNOWS.get(moment.split(":")[0], set()):
            assert one[channel] != other[channel], f"{moment}: the worlds do not differ, so nothing was tried"
        elif moment != "documents: the end":
            assert one[channel] == other[channel], moment


@pytest.mark.parametrize("mode", ["live", "reveal"])
def test_no_count_by_point_is_drawn_before_it_is_released(seen: Callable[[Script, str], Shown], mode: str) -> None:
    for moment, (one, _) in seen(differing, mode).items():
        for channel in ("page", "phone", "screen", "console"):
            if moment.startswith("secret"):
                assert counts_in(one[channel]) == [], f"{channel}, {moment}"
    assert counts_in(seen(differing, mode)["released: the count"][0]["page"]) == [0, 1, 0, 2, 2, 0, 0]


# --- 6. Authorise where you load ---

FRAMEWORK = hallmarks.load(ROOT / "data" / "hallmarks.json")
EVERYBODY = {"nobody", "phone", "handed", "screen", "console", "home", "rival", "revoked"}

# Who is let in: by the capability they hold for this session; "rival" holds all of another session, and "revoked" held
# console and screen of this one.
MATRIX: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/about"): EVERYBODY,
    ("GET", "/promise"): EVERYBODY,
    ("POST", "/language"): EVERYBODY,
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/metrics"): EVERYBODY,
    ("GET", "/static/<version>/<path:name>"): EVERYBODY,
    ("POST", "/join"): EVERYBODY,
    ("GET", "/j/<token>"): EVERYBODY,
    ("GET", "/enter/<token>"): EVERYBODY,
    ("GET", "/pair/<token>"): EVERYBODY,
    ("POST", "/pair/<token>"): EVERYBODY,
    ("GET", "/home"): {"home"},
    ("POST", "/sessions"): {"home"},
    ("POST", "/sessions/<code>/open"): {"home"},
    ("GET", "/sessions/<code>/delete"): {"home"},
    ("GET", "/packs"): {"home"},
    ("POST", "/packs"): {"home"},
    ("GET", "/packs/template.<kind>"): {"home"},
    ("GET", "/packs/<pack>"): {"home"},
    ("POST", "/packs/<pack>"): {"home"},
    ("GET", "/packs/<pack>/file.<kind>"): {"home"},
    ("GET", "/packs/<pack>/delete"): {"home"},
    ("POST", "/packs/<pack>/delete"): {"home"},
    ("GET", "/languages"): {"home"},
    ("POST", "/languages/load"): {"home"},
    ("GET", "/languages/<language>"): {"home"},
    ("POST", "/languages/<language>/<sentence>"): {"home"},
    ("POST", "/languages/<language>/reviewed"): {"home"},
    ("GET", "/languages/<language>/catalogue.po"): {"home"},
    ("GET", "/sessions/<code>/next"): {"home"},
    ("POST", "/sessions/<code>/next"): {"home"},
    ("GET", "/sessions/<code>/files/<name>"): {"home"},
    ("GET", "/w/<code>"): {"phone", "handed"},
    ("GET", "/w/<code>/now"): {"phone", "handed"},
    ("GET", "/w/<code>/role"): {"phone", "handed"},
    ("POST", "/w/<code>/role"): {"phone", "handed"},
    ("POST", "/w/<code>/ballot"): {"phone", "handed"},
    ("GET", "/w/<code>/counted"): {"handed"},
    ("GET", "/w/<code>/handed"): {"handed"},
    ("POST", "/w/<code>/handed"): {"handed"},
    ("GET", "/f/<code>/cards"): {"console"},
    ("POST", "/f/<code>/cards"): {"console"},
    ("POST", "/f/<code>/cards/back"): {"console"},
    ("POST", "/f/<code>/heads"): {"console"},
    ("GET", "/f/<code>/print"): {"console"},
    ("GET", "/f/<code>/check"): {"console"},
    ("POST", "/f/<code>/check"): {"console"},
    ("GET", "/f/<code>/check/seen"): {"console"},
    ("GET", "/w/<code>/check/<token>"): EVERYBODY,
    ("GET", "/f/<code>/print/<name>.pdf"): {"console"},
    ("GET", "/s/<code>"): {"screen"},
    ("GET", "/s/<code>/now"): {"screen"},
    ("GET", "/f/<code>"): {"console"},
    ("GET", "/f/<code>/now"): {"console"},
    ("GET", "/f/<code>/setup"): {"console"},
    ("POST", "/f/<code>/setup"): {"console"},
    ("POST", "/f/<code>/agenda"): {"console"},
    ("POST", "/f/<code>/agenda/<int:agenda_id>"): {"console"},
    ("POST", "/f/<code>/move"): {"console"},
    ("POST", "/f/<code>/show"): {"console"},
    ("GET", "/f/<code>/end"): {"console"},
    ("GET", "/f/<code>/screen"): {"console"},
    ("POST", "/f/<code>/notes/<int:agenda_id>"): {"console"},
    ("POST", "/f/<code>/agreements/<int:agenda_id>"): {"console"},
    ("POST", "/f/<code>/actions"): {"console"},
    ("POST", "/f/<code>/actions/<int:number>"): {"console"},
    ("POST", "/f/<code>/parked"): {"console"},
    ("POST", "/f/<code>/parked/<int:parked_id>"): {"console"},
    ("POST", "/f/<code>/undo"): {"console"},
    ("GET", "/museums/<code>"): {"console", "home"},
    ("GET", "/museums/<code>/check-in"): {"console", "home"},
    ("POST", "/museums/<code>/actions/<int:action_id>"): {"console", "home"},
    ("GET", "/museums/<code>/actions.csv"): {"console", "home"},
    ("GET", "/museums/<code>/actions.ics"): {"console", "home"},
    ("GET", "/f/<code>/priorities"): {"console"},
    ("POST", "/f/<code>/priorities"): {"console"},
    ("GET", "/f/<code>/report"): {"console"},
    ("GET", "/f/<code>/files/<name>"): {"console"},
    ("GET", "/f/<code>/devices"): {"console"},
    ("POST", "/f/<code>/devices"): {"console"},
    ("POST", "/sessions/load"): {"home"},
    ("POST", "/rehearsals"): {"home"},
    ("POST", "/example"): {"home"},
    ("POST", "/f/<code>/rehearse"): {"console"},
    ("POST", "/f/<code>/rehearsal"): {"console"},
    ("POST", "/f/<code>/rehearsal/end"): {"console", "home"},
    # The last two, because they take from the others what they hold.
    ("POST", "/f/<code>/devices/revoke"): {"console"},
    ("POST", "/sessions/<code>/delete"): {"home"},
}
FORMS: dict[str, dict[str, Any]] = {
    "/join": {"code": "{code}"},
    "/sessions": {"title": "Another", "museum": "Mill", "held_on": "2026-11-21"},
    "/w/<code>/ballot": {"round": "{round}", "choice": "4", "seq": "1"},
    "/w/<code>/handed": {"round": "{round}", "choice": "4", "turn": "{turn}"},
    "/f/<code>/cards": {"round": "{round}", "n-4": "1", "sure": "1"},
    "/f/<code>/cards/back": {"round": "{round}"},
    "/f/<code>/heads": {"heads": "3"},
    "/f/<code>/check": {"want": "overlay", "value": "test"},
    "/f/<code>/setup": {"title": "Taken", "museum": "Over", "held_on": "2026-11-21", "k": "5", "mode": "live"},
    "/f/<code>/agenda": {"own": "1", "text": "How well?", "scale": "quality"},
    "/f/<code>/agenda/<int:agenda_id>": {"want": "prompt", "value": "Mine"},
    "/f/<code>/move": {"move": "close", "version": "{version}"},
    "/f/<code>/show": {"want": "overlay", "value": "blank"},
    "/f/<code>/devices": {"role": "screen"},
    "/f/<code>/rehearsal": {"want": "people", "value": "8"},
    "/f/<code>/notes/<int:agenda_id>": {"text": "Mine", "version": "0"},
    "/f/<code>/agreements/<int:agenda_id>": {"rating": "4", "reason": "Mine", "version": "0"},
    "/f/<code>/actions": {"action": "Invite the school"},
    "/f/<code>/actions/<int:number>": {"action": "Invite the schools", "version": "1"},
    "/packs": {"file": packs.template(FRAMEWORK.scales, "csv")},
    "/packs/<pack>": {"edition": "2028.1", "title": "Ours"},
    "/languages/<language>/<sentence>": {"want": "draft"},
    "/sessions/<code>/next": {"title": "The next one", "held_on": "2027-11-21"},
    "/museums/<code>/actions/<int:action_id>": {"status": "under way", "version": "1"},
    "/f/<code>/parked": {"item": "The roof"},
    "/f/<code>/parked/<int:parked_id>": {"want": "remove"},
}

# What no text can say: a file, and a field more than once. The fourth question is the own one from above.
SENT: dict[str, Callable[[], dict[str, Any]]] = {
    "/languages/load": lambda: {"file": (io.BytesIO(b'msgid ""\nmsgstr "Language: cy\\n"\n'), "cy.po")},
    "/sessions/load": lambda: {"file": (io.BytesIO(session_json.write(a_report())), "session.json")},
    "/f/<code>/priorities": lambda: {"over": "questions", "key": [*QUESTIONS, "own-f405e0afc1dc"]},
}


@pytest.fixture
def visitors(venue: Venue, freya: Facilitator) -> dict[str, Person]:
    """One browser for each kind of person, holding one capability and no more; Freya's session is voting."""
    home = Person(venue)
    home.client.set_cookie("home", freya.cookies()["home"])
    rival = Facilitator(venue).creates(*QUESTIONS)
    rival.takes_cookies_of(Phone(venue).joins(rival.code)).takes_cookies_of(Screen(venue).shows(rival))
    # Their own cookies under this session's names too: a capability is for one session only.
    for cookie in list(rival.cookies().items()):
        rival.client.set_cookie(f"{cookie[0][0]}_{freya.workshop_id}", cookie[1])
    console, mine = Person(venue), freya.cookies()[f"f_{freya.workshop_id}"]
    console.client.set_cookie(f"f_{freya.workshop_id}", mine)
    revoked = Person(venue)
    for role in workshop.PAIRED:
        secret = venue.performs(lambda session, role=role: workshop.grant(session, role, freya.workshop_id))  # type: ignore[misc]
        revoked.client.set_cookie(f"{role[0]}_{freya.workshop_id}", secret)
    assert revoked.gets(f"/f/{freya.code}").status_code == revoked.gets(f"/s/{freya.code}").status_code == 200
    venue.performs(lambda session: workshop.revoke_others(session, freya.workshop_id, [store.hashed(mine)]))
    freya.does("open")
    return {
        "nobody": Person(venue),
        "rival": rival,
        "phone": Phone(venue).joins(freya.code),
        "handed": Handed(venue).comes_from(freya),
        "screen": Screen(venue).shows(freya),
        "home": home,
        "console": console,
        "revoked": revoked,
    }


def a_rehearsal(freya: Facilitator, console: Person) -> str:
    """A new rehearsal of Freya's session, of which the console holds the console; its code."""

    def job(session: Session) -> tuple[int, str, str]:
        made = rehearsal.copy(session, freya.venue.house.framework, freya.workshop_id)
        return made.id, made.code, workshop.grant(session, "facilitator", made.id)

    workshop_id, code, token = freya.venue.performs(job)
    console.client.set_cookie(f"f_{workshop_id}", token)
    return code


def rows_of(venue: Venue) -> dict[str, set[str]]:
    """Every row of every table."""
    with venue.reading() as session:
        return {
            table.name: {repr(tuple(row)) for row in session.execute(table.select())}
            for table in store.Base.metadata.sorted_tables
        }


def test_every_address_has_a_row_in_the_permission_matrix(venue: Venue) -> None:
    rules = {
        (method, rule.rule)
        for rule in venue.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert rules == set(MATRIX)


def test_each_address_lets_in_whom_it_should_and_is_not_there_for_anybody_else(
    venue: Venue, freya: Facilitator, visitors: dict[str, Person]
) -> None:
    now = freya.now
    edition = replace(venue.house.framework, edition="2027.1")
    venue.performs(lambda session: editions.add(session, venue.house.framework, edition))
    ended = Facilitator(venue).takes_cookies_of(freya).creates(*QUESTIONS).does("finish")
    values = {
        "<code>": freya.code,
        "<int:agenda_id>": str(now.agenda[0].id),
        "<int:number>": "1",
        "<int:parked_id>": "1",
        "<int:action_id>": "1",
        "<pack>": editions.address_of(edition.key, edition.edition),
        "<kind>": "csv",
        "<language>": "cy",
        "<sentence>": venue.house.corrections.sentences("cy")[0].name,
        "<name>": "results.csv",
        "<version>": venue.house.assets.version,
        "<path:name>": "css/base.css",
    }
    held = {who: person.cookies() for who, person in visitors.items()}
    turn = re.search('name="turn" value="(.*?)"', visitors["handed"].gets(f"/w/{freya.code}").text)
    assert turn
    for (method, rule), allowed in MATRIX.items():
        before = rows_of(venue) if allowed != EVERYBODY else {}
        for who in sorted(EVERYBODY, key=lambda who: who in allowed):
            path = rule.replace("<code>", ended.code) if rule.endswith("/next") else rule
            if "<code>/rehearsal" in rule:  # not there for a session in which people meet
                path = rule.replace("<code>", a_rehearsal(freya, visitors["console"]))
                before = rows_of(venue)
            path = path.replace("<name>.pdf", "poster.pdf")
            for part, value in values.items():
                path = path.replace(part, value)
            if "<token>" in rule:
                token = now.join_token
                if rule.startswith("/enter"):
                    token = venue.performs(lambda session: workshop.grant(session, "link"))
                elif "/check/" in rule:
                    token = venue.house.checks.of(freya.workshop_id).token
                elif rule.startswith("/pair"):
                    token = venue.performs(lambda session: workshop.offer(session, freya.workshop_id, "facilitator"))
                path = path.replace("<token>", token)
            form = {
                name: (io.BytesIO(value), "pack.csv")
                if isinstance(value, bytes)
                else value.format(code=freya.code, round=now.round_id, version=freya.now.version, turn=turn[1])
                for name, value in FORMS.get(rule, {}).items()
            }
            person = visitors[who]
            sent = SENT.get(rule, dict)()
            response = person.gets(path) if method == "GET" else person.posts(path, {**form, **sent})
            if who in allowed:
                assert response.status_code in (200, 303, 307), f"{method} {rule} for {who}"
            else:
                assert response.status_code == 404, f"{method} {rule} for {who}"
                if method == "POST":
                    assert rows_of(venue) == before, f"{method} {rule} for {who}"
            # What it gave away is taken back, so that everybody still holds one capability.
            person.forgets_all_but(held[who])


@pytest.mark.parametrize(("role", "allowed"), [("p", "phone"), ("s", "screen"), ("f", "console"), ("x", ""), ("", "")])
def test_a_socket_connects_only_with_the_capability_of_its_role(
    freya: Facilitator, visitors: dict[str, Person], role: str, allowed: str
) -> None:
    for who, person in visitors.items():
        assert person.listens(role, freya.code).is_connected() == (who.replace("handed", "phone") == allowed), who
    assert not visitors["console"].listens("f", "000000").is_connected()


# --- 7. Secrecy is schema plus forgetting ---


def test_a_ballot_has_room_for_no_clock_and_no_person() -> None:
    assert set(Ballot.__table__.columns.keys()) == {"round_id", "slot", "seq", "sealed"}


def test_no_table_that_knows_of_devices_knows_of_choices() -> None:
    columns = {table.name: set(table.columns.keys()) for table in store.Base.metadata.sorted_tables}
    assert set(columns) == {"workshops", "agenda", "rounds", "ballots", "capabilities", "issued_codes"} | {
        *("notes", "agreements", "actions", "parked", "frameworks", "installation"),
    }
    words = re.compile(r"device|phone|address|agent|cookie|person|voter|participant")
    assert not [name for names in columns.values() for name in names if words.search(name)]
    assert columns["capabilities"] == {"token_hash", "role", "workshop_id", "expires_at"}


def test_sqlite_keeps_no_order_of_arrival(venue: Venue) -> None:
    with venue.engine.connect() as connection:
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'ballots'").scalar_one()
    assert "WITHOUT ROWID" in made


def remains(folder: Path, needles: set[bytes]) -> set[bytes]:
    """Which of these stand in any file of the data folder."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {needle for needle in needles if any(needle in data for data in files)}


@pytest.mark.parametrize("ending", [["close"], ["next"], ["finish"], ["close", "discard", "close"]])
def test_after_a_close_no_file_holds_a_ballot_a_slot_a_key_or_a_device(
    venue: Venue, freya: Facilitator, ending: list[str]
) -> None:
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones, *"123451")
    room, key = freya.now, freya.key()
    assert key and room.key
    name = f"p_{freya.workshop_id}"
    devices = {ballots.read_device(room.key, phone.cookies()[name]) or b"" for phone in phones}
    with venue.reading() as session:
        rows = session.query(Ballot).all()
        ballots_, slots = {row.sealed for row in rows}, {row.slot for row in rows}
    # The control: while the round is open, this search finds them.
    assert remains(venue.folder, ballots_ | slots | {key}) == ballots_ | slots | {key}
    freya.does(*ending)
    assert freya.ballots == 0
    assert venue.house.keys.read(room.round_id or 0) is None
    assert remains(venue.folder, {*ballots_, *slots, *devices, key}) == set()


# --- 9. Nothing from outside ---

TEMPLATES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "templates").rglob("*.html")}
OWN = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for folder in ("css", "js")
    for path in (ROOT / "static" / folder).iterdir()
}
FORBIDDEN_IN_TEMPLATES = {
    "a script without a file": r"<script(?![^>]*\ssrc=)",
    "a style in the page": r"<style|\sstyle\s*=",
    "an event handler": r"\son[a-z]+\s*=|hx-on",
    "a value that is run": r"js:|javascript:",
    "a trigger filter": r'hx-trigger="[^"]*\[',
    "text that is not escaped": r"\|\s*safe\b|autoescape\s+false",
    "values that are run": r"hx-vars|hx-vals",
}
ELSEWHERE = re.compile(r"""(?:https?:|wss?:)?//[\w-]+\.[\w.-]+|@import|url\(\s*["']?(?!["']|\.\./|data:|#)""")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_runs_nothing_of_its_own(name: str) -> None:
    for what, pattern in FORBIDDEN_IN_TEMPLATES.items():
        assert not re.search(pattern, TEMPLATES[name]), what


@pytest.mark.parametrize("name", [*TEMPLATES, *OWN])
def test_no_page_style_or_script_names_another_origin(name: str) -> None:
    assert not ELSEWHERE.search({**TEMPLATES, **OWN}[name])


def test_our_scripts_make_no_code_of_text() -> None:
    for name, text in OWN.items():
        assert not re.search(r"\beval\(|new Function|\.innerHTML\s*=|document\.write", text), name


def test_markup_that_is_not_escaped_is_made_of_catalogues_and_qr_codes_alone() -> None:
    makers = [
        name
        for name, tree in SOURCES.items()
        if any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Markup" for node in ast.walk(tree))
    ]
    assert makers == ["language", "qr"]


def test_every_link_form_and_file_of_every_page_stays_here(moments: list[Moment]) -> None:
    stays = re.compile(r"/(?!/)|#|data:,|$")
    targets = {
        target
        for moment in moments
        for page in moment.pages.values()
        for target in re.findall(r'\s(?:src|href|action|hx-get|hx-post|data-live)="([^"]*)', page.text)
    }
    assert len(targets) > 30
    assert [target for target in targets if not stays.match(target)] == []


def test_every_page_forbids_what_is_not_ours(moments: list[Moment]) -> None:
    for moment in moments:
        for path, page in moment.pages.items():
            policy = page.headers["Content-Security-Policy"]
            assert "unsafe" not in policy, path
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")


def test_the_gate_refuses_other_hosts_and_other_pages(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    form = {"round": str(freya.now.round_id), "choice": "4", "seq": "1"}
    for origin in ("http://evil.example", "null", ""):
        headers = {"Origin": origin} if origin else {}
        assert ana.client.post(f"/w/{freya.code}/ballot", data=form, headers=headers).status_code == 403
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert ana.client.post(f"/w/{freya.code}/ballot", data=form, headers=rebound).status_code == 421
    with suppress(KeyError):
        assert ana.client.get("/socket.io/?EIO=4&transport=polling", headers=rebound).status_code == 421
    assert freya.ballots == 0
