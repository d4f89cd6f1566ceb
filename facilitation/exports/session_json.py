"""The whole session as JSON: what was asked and how, the counts that were released, and what the group decided.

Reading a file and writing it again gives the same bytes: `dump(parse(text))`. Fields: docs/protocol.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from facilitation.ballots import MOST_DOTS, MOST_OPTIONS, ROLES
from facilitation.exports.reading import Group, loaded, refuse
from facilitation.hallmarks import POINTS
from facilitation.language import _
from facilitation.plan import LONGEST, Action, Agreement, ParkedItem, Status, Support
from facilitation.priorities import FEWEST_OPTIONS, KEY
from facilitation.report import Answer, Earlier, Report, Vote
from facilitation.stages import Mode, Stage
from facilitation.tally import K_CEILING, K_FLOOR, OTHERS, Dots, Shift, Tally

SCHEMA_VERSION = 2
LARGEST_FILE = 2_000_000
"""Characters of a file. A session of 54 questions needs 150,000."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a workshop is called and how it was set up."""

    code: str
    title: str
    museum: str
    held_on: dt.date
    stage: str
    k: int
    mode: str
    roles: bool
    joined: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the agenda. Texts are language maps, as the store keeps them; `labels` lowest first."""

    key: str
    number: str
    hallmark: str
    hallmark_title: Mapping[str, str]
    text: Mapping[str, str]
    short: Mapping[str, str]
    prompt: Mapping[str, str]
    attribution: Mapping[str, str]
    labels: tuple[Mapping[str, str], ...]
    options: tuple[str, ...] | None  # of a dot vote: the keys of what `labels` name
    scale: str
    mode: str | None
    minutes: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A vote on the question `question`, oldest first.

    `ballots` None: it was not released. `ballots` without `vote.tally`: it was released, but too few answered.
    """

    question: str
    vote: Vote


@dataclass(frozen=True, slots=True)
class Continued:
    """The session before this one, by its join code, and the uids of the actions that were looked back on."""

    code: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionData:
    """Everything a session file holds. Questions in running order, actions by number, parked items oldest first."""

    meeting: Meeting
    framework: str
    edition: str
    questions: tuple[Asked, ...]
    rounds: tuple[Counted, ...]
    agreements: Mapping[str, Agreement]  # by question key, as notes
    notes: Mapping[str, str]
    actions: tuple[Action, ...]
    parked: tuple[ParkedItem, ...]
    continues: Continued | None


def write(report: Report) -> bytes:
    """The file, UTF-8, the same bytes for the same session."""
    return dump(data_of(report))


def dump(data: SessionData) -> bytes:
    """The file of what was read from one."""
    return (json.dumps(_plain(data), ensure_ascii=False, indent=2) + "\n").encode()


def as_data(report: Report) -> dict[str, Any]:
    """The session as plain data."""
    return _plain(data_of(report))


def data_of(report: Report) -> SessionData:
    """What a report gives to a session file."""
    return SessionData(
        meeting=Meeting(**{field.name: getattr(report, field.name) for field in dataclasses.fields(Meeting)}),
        framework=report.framework,
        edition=report.edition,
        questions=tuple(_asked(answer) for answer in report.agenda),
        rounds=tuple(Counted(answer.key, vote) for answer in report.agenda for vote in answer.votes),
        agreements={answer.key: answer.agreement for answer in report.answers if answer.agreement != Agreement()},
        notes={answer.key: answer.note for answer in report.agenda if answer.note},
        actions=report.actions,
        parked=report.parked,
        continues=_continued(report.earlier) if report.earlier else None,
    )


def _continued(earlier: Earlier) -> Continued:
    return Continued(earlier.code, tuple(sorted(action.uid for action in earlier.actions)))


def _asked(answer: Answer) -> Asked:
    return Asked(
        key=answer.key,
        number=answer.number,
        hallmark=answer.hallmark,
        hallmark_title=answer.maps["hallmark_title"],
        text=answer.maps["text"],
        short=answer.maps["short"],
        prompt=answer.maps["prompt"],
        attribution=answer.maps["attribution"],
        labels=tuple(answer.maps["labels"]),
        options=answer.options,
        scale=answer.scale,
        mode=answer.mode,
        minutes=answer.minutes,
    )


# --- Writing ---


def _plain(data: SessionData) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "workshop": _fields_of(data.meeting),
        "framework": data.framework,
        "edition": data.edition,
        "questions": [_fields_of(asked) for asked in data.questions],
        "rounds": [_round(counted.question, counted.vote) for counted in data.rounds],
        "agreements": [
            {"question": key, "rating": agreed.rating, "reason": agreed.reason}
            for key, agreed in data.agreements.items()
        ],
        "notes": [{"question": key, "text": text} for key, text in data.notes.items()],
        "comments": [],
        "actions": [_fields_of(action) for action in data.actions],
        "parked": [_fields_of(item) for item in data.parked],
        # left out where there is none, so that files of before and after this field was there are the same
        **({"continues": _fields_of(data.continues)} if data.continues else {}),
    }


def _fields_of(thing: Meeting | Asked | Action | ParkedItem | Continued) -> dict[str, Any]:
    values = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}


def _round(question: str, vote: Vote) -> dict[str, Any]:
    return {
        "question": question,
        "round": vote.number,
        "mode": vote.mode,
        "released": vote.released,
        "void": vote.void,
        "ballots": vote.ballots,
        "counts": counts.as_dict() if (counts := vote.tally or vote.dots) else None,
        "shift": dataclasses.asdict(vote.shift) if vote.shift else None,
        "groups": {name: counts.as_dict() for name, counts in vote.groups},
    }


# --- Reading ---


def parse(text: str, name: str = "session.json") -> SessionData:
    """A session from JSON text; a refusal calls it `name`. reading.BadSession names the place of the first fault.

    Nothing is repaired and nothing is left out. Counts below the file's own k are refused too, and so is whatever else
    no session of this program could have written.
    """
    if len(text) > LARGEST_FILE:
        refuse(name, _("the file is too big; %(most)s MB is the most.", most=LARGEST_FILE // 1_000_000))
    found = loaded(text.removeprefix("\ufeff"), name)
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        refuse(name, _("this is not a session file of version %(version)s.", version=SCHEMA_VERSION))
    top = Group(found, name, _TOP, optional=("continues",))
    if top.values["comments"] != []:
        top.refuse("comments", _("this program keeps no comments."))
    meeting = _meeting(top.group("workshop", _names(Meeting)))
    questions = _each_once((_asked_in(group) for group in top.groups("questions", _names(Asked))), f"{name}, questions")
    agenda = {asked.key: asked for asked in questions}
    return SessionData(
        meeting=meeting,
        framework=top.text("framework", 120, needed=True),
        edition=top.text("edition", 120, needed=True),
        questions=questions,
        rounds=_rounds(top, agenda, meeting.k),
        agreements=_by_question(top, "agreements", ("rating", "reason"), agenda, _agreement),
        notes=_by_question(top, "notes", ("text",), agenda, lambda group: group.text("text", LONGEST, needed=True)),
        actions=_actions(top, agenda),
        parked=tuple(_parked(group, agenda) for group in top.groups("parked", _names(ParkedItem))),
        continues=_continues(top, meeting.code) if "continues" in top.values else None,
    )


_TOP = (
    "schema_version",
    "workshop",
    "framework",
    "edition",
    "questions",
    "rounds",
    "agreements",
    "notes",
    "comments",
    "actions",
    "parked",
)
_ROUND = ("question", "round", "mode", "released", "void", "ballots", "counts", "shift", "groups")
_MOST = 1_000_000  # people

Agenda = Mapping[str, Asked]


def _names(kind: type[Meeting | Asked | Action | ParkedItem | Continued]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _code(group: Group) -> str:
    code = group.text("code", 6)
    if not re.fullmatch(r"[0-9]{6}", code):
        group.refuse("code", _("a join code has six digits."))
    return code


def _continues(top: Group, own: str) -> Continued:
    group = top.group("continues", _names(Continued))
    code, actions = _code(group), tuple(group.list_of_keys("actions", 64))
    if code == own:
        group.refuse("code", _("no session continues itself."))
    if list(actions) != sorted(set(actions)):
        group.refuse("actions", _("each stands here once, in the order of the alphabet."))
    return Continued(code, actions)


def _meeting(group: Group) -> Meeting:
    return Meeting(
        code=_code(group),
        title=group.text("title", 120),
        museum=group.text("museum", 120),
        held_on=group.day("held_on"),
        stage=group.one_of("stage", list(Stage)),
        k=group.whole("k", K_FLOOR, K_CEILING),
        mode=group.one_of("mode", list(Mode)),
        roles=group.flag("roles"),
        joined=group.whole("joined", 0, _MOST),
    )


def _asked_in(group: Group) -> Asked:
    labels = tuple(group.list_of_texts("labels", 120))
    options = _options(group, len(labels))
    if options is None and len(labels) != POINTS:
        group.refuse(
            "labels", _("a scale has %(points)s points, this one has %(count)s.", points=POINTS, count=len(labels))
        )
    return Asked(
        key=group.key("key"),
        number=group.text("number", 20),
        hallmark=group.key("hallmark") if group.values["hallmark"] != "" else "",
        hallmark_title=group.texts("hallmark_title", 120, needed=True),
        text=group.texts("text", 400, needed=True),
        short=group.texts("short", 120, needed=True),
        prompt=group.texts("prompt", LONGEST),
        attribution=group.texts("attribution", LONGEST),
        labels=labels,
        options=options,
        scale=group.key("scale"),
        mode=None if group.values["mode"] is None else group.one_of("mode", list(Mode)),
        minutes=group.whole("minutes", 0, 1000),
    )


def _options(group: Group, labels: int) -> tuple[str, ...] | None:
    if group.values["options"] is None:
        return None
    if not re.fullmatch(f"{KEY}[0-9]{{1,4}}", group.key("key")):
        group.refuse("key", _("the key of a dot vote is %(key)s and a number.", key=KEY))
    options = tuple(group.list_of_keys("options", 64))
    if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS or len(set(options)) < len(options):
        group.refuse(
            "options",
            _(
                "a dot vote has %(fewest)s to %(most)s options, each of them once.",
                fewest=FEWEST_OPTIONS,
                most=MOST_OPTIONS,
            ),
        )
    if len(options) != labels:
        group.refuse(
            "labels", _("there are %(count)s options, and %(labels)s labels.", count=len(options), labels=labels)
        )
    return options


def _each_once(found: Iterable[Asked], place: str) -> tuple[Asked, ...]:
    questions = tuple(found)
    if len({asked.key for asked in questions}) < len(questions):
        refuse(place, _("a key is used twice; keys tell questions apart for ever."))
    return questions


def _known(group: Group, agenda: Agenda, *, optional: bool = False) -> str:
    """The key of a question of the file in the field `question`; optional: or nothing."""
    key = group.text("question", 120)
    if key not in agenda and not (optional and not key):
        group.refuse("question", _("“%(key)s” is not among the questions of this file.", key=key))
    return key


def _rounds(top: Group, agenda: Agenda, k: int) -> tuple[Counted, ...]:
    made: list[Counted] = []
    latest: dict[str, int] = {}
    for group in top.groups("rounds", _ROUND):
        question = _known(group, agenda)
        asked = agenda[question]
        vote = _vote_in(group, len(asked.labels), k) if asked.options is None else _dot_vote_in(group, asked, k)
        if vote.number <= latest.get(question, 0):
            group.refuse("round", _("the votes on a question are numbered upwards."))
        latest[question] = vote.number
        made.append(Counted(question, vote))
    return tuple(made)


def _vote_in(group: Group, points: int, k: int) -> Vote:
    counts = None if group.values["counts"] is None else _tally(group, "counts", points, k)
    groups = _groups(group, points, k)
    vote = Vote(
        number=group.whole("round", 1, 1000),
        mode=group.one_of("mode", list(Mode)),
        ballots=group.whole_or_none("ballots", 0, _MOST),
        released=group.flag("released"),
        void=group.flag("void"),
        tally=counts,
        shift=_shift(group, k),
        groups=groups,
    )
    if vote.released != (counts is not None):
        group.refuse("released", _("a vote that is released has counts, and no other has."))
    if counts is None and (vote.shift or groups):
        group.refuse("counts", _("without counts there is neither a shift nor a group."))
    if counts and vote.ballots != counts.ballots:
        group.refuse("ballots", _("the counts add up to %(ballots)s.", ballots=counts.ballots))
    if counts and groups and _added(tuple(part for _, part in groups)) != counts:
        group.refuse("groups", _("the groups do not add up to the counts."))
    return vote


def _dot_vote_in(group: Group, asked: Asked, k: int) -> Vote:
    counts = None if group.values["counts"] is None else _dots(group, len(asked.labels), k)
    vote = Vote(
        number=group.whole("round", 1, 1000),
        mode=group.one_of("mode", list(Mode)),
        ballots=group.whole_or_none("ballots", 0, _MOST),
        released=group.flag("released"),
        void=group.flag("void"),
        tally=None,
        shift=None,
        dots=counts,
    )
    if vote.released != (counts is not None):
        group.refuse("released", _("a vote that is released has counts, and no other has."))
    if counts and vote.ballots != counts.ballots:
        group.refuse("ballots", _("the counts are of %(ballots)s.", ballots=counts.ballots))
    if group.values["shift"] is not None or group.values["groups"] != {}:
        group.refuse("shift", _("a dot vote has neither a shift nor groups."))
    return vote


def _dots(group: Group, options: int, k: int) -> Dots:
    names = (*(str(option) for option in range(1, options + 1)), "none", "ballots")
    inner = group.group("counts", names)
    try:
        counts = Dots.from_dict({name: inner.whole(name, 0, _MOST) for name in names})
    except ValueError:
        group.refuse("counts", _("there are more dots than these people have."))
    if sum(counts.counts) > MOST_DOTS * (counts.ballots - counts.none):
        group.refuse("counts", _("there are more dots than these people have."))
    if counts.ballots < k:
        group.refuse("counts", _("fewer than %(k)s people answered, and then no counts may stand anywhere.", k=k))
    return counts


def _tally(group: Group, field: str, points: int, k: int) -> Tally:
    names = (*(str(point) for point in range(1, points + 1)), "DK", "NR")
    inner = group.group(field, names)
    counts = Tally.from_dict({name: inner.whole(name, 0, _MOST) for name in names})
    if counts.ballots < k:
        group.refuse(field, _("fewer than %(k)s people answered, and then no counts may stand anywhere.", k=k))
    return counts


def _groups(group: Group, points: int, k: int) -> tuple[tuple[str, Tally], ...]:
    value = group.values["groups"]
    known = [name for name in value if name in (*ROLES, OTHERS)] if isinstance(value, dict) else []
    inner = group.group("groups", known)
    return tuple((name, _tally(inner, name, points, k)) for name in known)


def _added(parts: tuple[Tally, ...]) -> Tally:
    counts = tuple(sum(column) for column in zip(*(part.counts for part in parts), strict=True))
    return Tally(counts, sum(part.dk for part in parts), sum(part.nr for part in parts))


def _shift(group: Group, k: int) -> Shift | None:
    if group.values["shift"] is None:
        return None
    inner = group.group("shift", ("up", "same", "down"))
    shift = Shift(*(inner.whole(name, 0, _MOST) for name in ("up", "same", "down")))
    if shift.declared < k:
        group.refuse(
            "shift", _("fewer than %(k)s people said how they moved, and then it may not stand anywhere.", k=k)
        )
    return shift


Read = TypeVar("Read")


def _by_question(
    top: Group, field: str, fields: tuple[str, ...], agenda: Agenda, read: Callable[[Group], Read]
) -> dict[str, Read]:
    made: dict[str, Read] = {}
    for group in top.groups(field, ("question", *fields)):
        question = _known(group, agenda)
        if question in made:
            group.refuse("question", _("this question stands here twice."))
        made[question] = read(group)
    return made


def _agreement(group: Group) -> Agreement:
    return Agreement(group.whole_or_none("rating", 0, POINTS), group.text("reason", LONGEST))


def _actions(top: Group, agenda: Agenda) -> tuple[Action, ...]:
    made: list[Action] = []
    for group in top.groups("actions", _names(Action)):
        action = _action(group, agenda)
        if made and action.number <= made[-1].number:
            group.refuse("number", _("actions are numbered upwards."))
        if action.uid in {other.uid for other in made}:
            group.refuse("uid", _("another action has the same."))
        made.append(action)
    return tuple(made)


def _action(group: Group, agenda: Agenda) -> Action:
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", group.text("uid", 64)):
        group.refuse("uid", _("letters, digits and hyphens are needed here."))
    read: dict[str, Any] = {name: group.text(name, LONGEST) for name in _TEXTS_OF_AN_ACTION}
    action = Action(
        **read,
        number=group.whole("number", 1, 100_000),
        hallmark=group.text("hallmark", 120),
        question=_known(group, agenda, optional=True),
        first_step_by=group.day_or_none("first_step_by"),
        due=group.day_or_none("due"),
        review=group.day_or_none("review"),
        support=Support(group.one_of("support", list(Support))),
        priority=group.whole_or_none("priority", 0, 999),
        status=Status(group.one_of("status", list(Status))),
    )
    belongs = agenda[action.question].hallmark if action.question else ""
    if action.hallmark != belongs:
        group.refuse("hallmark", _("the question’s own is needed here: “%(belongs)s”.", belongs=belongs))
    if not action.action:
        group.refuse("action", _("the text is empty."))
    if action.status is Status.DROPPED and not action.status_reason:
        group.refuse("status_reason", _("an action that was dropped needs a reason."))
    return action


_TEXTS_OF_AN_ACTION = (
    "action",
    "gap",
    "owner",
    "first_step",
    "due_words",
    "measure",
    "resources",
    "status_reason",
    "plan_objective",
    "notes",
    "created_in",
    "uid",
)


def _parked(group: Group, agenda: Agenda) -> ParkedItem:
    return ParkedItem(
        item=group.text("item", LONGEST, needed=True),
        question=_known(group, agenda, optional=True),
        destination=group.text("destination", LONGEST),
        owner=group.text("owner", LONGEST),
    )
