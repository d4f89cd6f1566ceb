"""What one audience may know at this moment: the only reader.

Templates get a `Now` and nothing else, so page, push and export cannot disagree about who knows what. Nothing is known
before the disclosure rules release it: while a round is open only its last picture, in the stage CLOSED the count for
the facilitator alone, afterwards what was released; below k never a count by point.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import continuing, minutes, stages, store, tally
from facilitation.continuing import LastTime, Side
from facilitation.deciding import action_values, progress_values
from facilitation.hallmarks import say, split_prompt
from facilitation.language import Said, _, current, listed, mark, ngettext, speaking
from facilitation.minutes import Pace
from facilitation.plan import Action, long_date, progress
from facilitation.profile import ProfileRow, profile
from facilitation.room import Rooms, Simulated
from facilitation.stages import Mode, Move, Stage
from facilitation.store import ActionRow, AgendaItem, AgreementRow, NoteRow, ParkedRow, Round, Workshop
from facilitation.tally import OTHERS, Dots, Reason, Shift, Spread, Tally, Waiting
from facilitation.workshop import next_item, position_of

STEPS_OF_SQUARES = (8, 10, 12, 16, 24, 36, 48, 60)  # the longest rows that static/css/base.css knows sizes for
HALF, HALF_LONG = 24, 16  # squares in the longest row of two charts side by side, with short and with long labels
LONG_LABEL = 12  # characters; a scale with a longer label leaves less room for squares


class Audience(StrEnum):
    """Who is told. The value is the folder of the audience's templates."""

    PHONE = "participant"
    SCREEN = "screen"
    FACILITATOR = "facilitator"


@dataclass(frozen=True, slots=True)
class Question:
    """A question as a page shows it. `place` of `of`: where it stands on the agenda, from 1; 0 for the warm-up."""

    agenda_id: int
    number: str
    hallmark: str
    text: str
    short: str
    place: int
    of: int
    labels: tuple[str, ...]
    prompts: tuple[str, ...]
    attribution: str
    dots: bool  # a dot vote: `labels` are its options
    plate: str
    warm_up: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a chart. level 1 to 5, 0 for the two answers off the scale; count None while it is not shown.

    `plate`: that of the action or question, in a dot vote over them; "" otherwise.
    """

    point: str
    level: int
    label: str
    count: int | None
    was: int | None = None
    plate: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A table that draws itself: one square is one person. `total` answers are in it."""

    rows: tuple[Row, ...]
    total: int | None
    mid: float | None = None
    dots: bool = False  # one mark is one dot, and a person has three

    @property
    def most(self) -> int:
        """The size step that holds the longest row; 0 when a row is too long for squares and bars are drawn."""
        longest = max(max(row.count or 0, row.was or 0) for row in self.rows)
        return next((step for step in STEPS_OF_SQUARES if longest <= step), 0)

    @property
    def longest(self) -> int:
        """The number in the longest row, at least 1."""
        return max(1, *(max(row.count or 0, row.was or 0) for row in self.rows))

    @property
    def long(self) -> bool:
        """Whether the words need more room."""
        return not self.dots and any(len(row.label) > LONG_LABEL for row in self.rows if row.level)

    @property
    def two(self) -> bool:
        """Whether an earlier vote is drawn beneath."""
        return any(row.was is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one role, or of the small ones together."""

    name: str
    ballots: int
    counts: tuple[int, ...]  # by point, then don't know and not relevant
    middle: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a counted round may say, in words and as a chart."""

    chart: Chart
    ballots: int
    n: int
    middle: str | None
    beside: str | None
    shares: str | None
    spread: Spread | None
    chips: tuple[str, ...]  # why to talk, beside the spread, which has words of its own
    reasons: tuple[Reason, ...]  # why to talk, the spread included
    second: bool  # an earlier vote stands beside it
    earlier_middle: str | None
    moved: str | None
    shift: str | None
    earlier_held_back: bool
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Half:
    """One of two charts that stand side by side: the day, how many answered, and as which roles, if that is known.

    `n`: how many chose a point of the scale, which the phrase counts; None where it would tell of one who did not.
    """

    day: dt.date
    chart: Chart
    ballots: int
    n: int | None
    who: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A question beside itself in the session before. `text`: how it was asked then, if that was in other words."""

    then: Half
    now: Half
    words: str | None
    text: str

    @property
    def most(self) -> int:
        """One size of squares for both charts, so that they can be compared by eye; 0 for bars, where half the width
        leaves no room for squares that can be seen."""
        room = HALF_LONG if self.then.chart.long or self.now.chart.long else HALF
        return next((step for step in STEPS_OF_SQUARES if self.longest <= step <= room), 0)

    @property
    def longest(self) -> int:
        """The number in the longest row of both."""
        return max(self.then.chart.longest, self.now.chart.longest)


@dataclass(frozen=True, slots=True)
class Hush:
    """Why no result is shown, and what to do next."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """A question on the console's run sheet. `mode`: how its results will be shown; `modes_open`: may that change.

    `minutes`: planned. `spent`: that the room has been at it, None if it has not. `arm`: what to ask before going
    there. `left`: the room was at it, and no result of it was shown.
    """

    agenda_id: int
    plate: str
    short: str
    hallmark: str
    state: str
    current: bool
    mode: str
    modes_open: bool
    minutes: int
    spent: int | None
    arm: str
    left: bool
    warm_up: bool


@dataclass(frozen=True, slots=True)
class Button:
    """A move the facilitator can make. `arm`: what to ask before it is made, because it cannot be taken back."""

    move: Move
    label: str
    arm: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that is saved as it is typed: what its fields hold, and the version of the row behind them."""

    values: Mapping[str, str]
    version: int


@dataclass(frozen=True, slots=True)
class Card:
    """An action or a parked item as the plan shows it: `key` is the action's number or the parked item's id."""

    key: int
    plate: str  # of its question; "" for one that belongs to the whole session
    draft: Draft
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class ToDiscuss:
    """A question whose result was shown, and why to talk about it."""

    plate: str
    short: str
    chips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """What only the facilitator sees."""

    run: tuple[RunRow, ...]
    next_row: RunRow | None
    phases: tuple[tuple[str, str], ...]  # (name, "done" | "now" | "")
    main: Button | None
    detour: Button | None
    discard: Button | None
    can_finish: bool
    connected: int
    dropped: int
    screens: int
    waiting: Waiting | None
    started: str
    pace: Pace
    removed: str  # what can be put back, as people call it; "" if nothing
    back: RunRow | None  # the question that was just left without a result: going back to it is one press
    heads: int  # people without a phone of their own
    note: Draft
    agreement: Draft
    actions: tuple[Card, ...]
    parked: tuple[Card, ...]
    discuss: tuple[ToDiscuss, ...]  # what to discuss first, of all that was shown
    unsettled: tuple[str, ...]  # what should be settled before people leave, in words
    simulated: Simulated | None  # the simulated people of a rehearsal, while they are here


@dataclass(frozen=True, slots=True)
class Now:
    """All that one audience may know of a workshop at one moment."""

    audience: Audience
    kind: str  # session, rehearsal or example
    language: str  # in which it is said: see language.current
    code: str
    join_token: str
    museum: str
    title: str
    held_on: dt.date
    stage: Stage
    version: int
    tick: int
    k: int
    joined: int
    locked: bool  # nobody new can join
    mode: Mode
    overlay: str
    back_at: str  # the time of day when the break is over, "11:15"; "" if there is none. For phones too
    asks_role: bool  # phones say their role, and may still change it
    theme: str
    zoom: int
    question: Question | None
    questions: int
    round_id: int | None
    second: bool  # this is a vote after an earlier one on the same question
    first_round_id: int | None
    answered: int | None
    people: int | None  # of how many: who has joined so far, from the close on who had by then; None if nobody noted it
    missing: int
    picture: Chart | None
    holding: bool  # a picture waits because one or two people are still out
    away: bool  # so many phones have dropped off in a vote that the room should be told
    result: Result | None
    hush: Hush | None
    prompt: str
    prompt_place: int
    timer_left: int | None
    profile: tuple[ProfileRow, ...]
    three: tuple[tuple[str, str, str], ...]  # plate, short name and why, of the three things to talk about
    actions: tuple[Card, ...]  # on the closing screen
    parked: tuple[Card, ...]
    beside: Beside | None  # the session before, once this question’s own result is shown
    since: str  # the session before, "Annual review, 21 November 2025"; "" if there is none
    earlier: tuple[Card, ...]  # its actions, to look back on
    wifi_name: str
    wifi_password: str
    desk: Desk | None

    @property
    def order(self) -> str:
        """The pair that orders pushes, as pages carry it."""
        return f"{self.version}.{self.tick}"

    @property
    def spoken_code(self) -> str:
        """The join code as it is shown and read aloud: 482 739."""
        return f"{self.code[:3]} {self.code[3:]}"

    @property
    def scene(self) -> str:
        """What a page shows, in one word: changes exactly when people should be told of something new."""
        return f"{self.stage}-{self.round_id or 0}"


@dataclass(frozen=True, slots=True)
class WaitingPicture:
    """The facts that decide whether a picture of an open live round is due (see tally.picture_due)."""

    round_id: int
    ballots: int
    changed: int
    missing: int
    k: int


def look(session: Session, rooms: Rooms, workshop: Workshop, audience: Audience) -> Now:
    """What this audience may know of the workshop now, in the language spoken now; the screen has its own."""
    return next(looks(session, rooms, workshop, [(audience, screen_or(audience, workshop, current()))]))


def screen_or(audience: Audience, workshop: Workshop, language: str) -> str:
    """The language in which somebody is told who speaks this one: what was chosen for the shared screen holds there."""
    return workshop.screen_language if audience is Audience.SCREEN else language


def looks(session: Session, rooms: Rooms, workshop: Workshop, told: Sequence[tuple[Audience, str]]) -> Iterator[Now]:
    """What each of these audiences may know of the workshop now, each in its language; the database is read once for
    all of them."""
    rounds = store.rounds_of(session, workshop.id)
    open_ = next((r for of in rounds.values() for r in of if r.id == workshop.round_id and r.state == "open"), None)
    watching = any(audience is not Audience.PHONE for audience, _language in told)
    turnout = store.turnout(session, open_.id) if open_ and watching else 0
    for audience, language in told:
        with speaking(language):
            now = _look(session, rounds, turnout, rooms, workshop, audience)
        yield now


def _look(
    session: Session,
    rounds: dict[int, list[Round]],
    turnout: int,
    rooms: Rooms,
    workshop: Workshop,
    audience: Audience,
) -> Now:
    stage = Stage(workshop.stage)
    here = rounds.get(workshop.agenda_id or 0, [])
    round_ = next((r for r in here if r.id == workshop.round_id), None)
    item = next((item for item in workshop.agenda if item.id == workshop.agenda_id), None)
    watching = audience is not Audience.PHONE
    voting = stage is Stage.VOTING and round_ is not None
    answered = _answered(round_, turnout) if round_ and watching and stage is not Stage.LOBBY else None
    present = rooms.present(workshop.id, workshop.joined, workshop.heads)
    missing = max(0, present - (answered or 0)) if voting and watching else 0
    question = _question(workshop, item) if item else None
    result = _result(here, round_, question, stage, audience) if round_ and question else None
    earlier = [r for r in here if round_ and r.ordinal < round_.ordinal and r.state == "counted"]
    waiting = _waiting(rooms, workshop, round_, answered or 0, missing) if voting and watching and round_ else None
    prompts = question.prompts if question else ()
    closing = audience is Audience.SCREEN and (workshop.overlay == "plan" or stage is Stage.FINISHED)
    return Now(
        audience=audience,
        kind=workshop.kind,
        language=current(),
        code=workshop.code,
        join_token=workshop.join_token,
        museum=workshop.museum,
        title=workshop.title,
        held_on=workshop.held_on,
        stage=stage,
        version=workshop.version,
        tick=workshop.tick if watching else 0,
        k=workshop.k,
        joined=workshop.joined + workshop.heads if watching else 0,
        locked=workshop.locked if watching else False,
        mode=Mode(round_.mode) if round_ else Mode(workshop.mode),
        overlay=workshop.overlay if watching else "",
        back_at=_clock_time(workshop.back_at) if workshop.overlay == "break" else "",
        asks_role=workshop.roles and stage is Stage.LOBBY,
        theme=workshop.theme,
        zoom=workshop.zoom,
        question=question,
        questions=len(workshop.questions),
        round_id=round_.id if round_ else None,
        second=bool(earlier),
        first_round_id=earlier[0].id if earlier else None,
        answered=answered,
        people=_people(workshop, round_, answered) if round_ and answered is not None else None,
        missing=missing,
        picture=_picture(round_, question) if voting and watching and round_ and question else None,
        holding=bool(waiting and waiting.missing and not waiting.answers),
        away=voting and audience is Audience.SCREEN and rooms.mostly_away(workshop.id),
        result=result,
        hush=_hush(round_, workshop.k, stage, audience) if round_ and not result else None,
        prompt=prompts[min(workshop.prompt, len(prompts) - 1)] if prompts else "",
        prompt_place=min(workshop.prompt, max(0, len(prompts) - 1)),
        timer_left=_timer_left(workshop, rooms) if watching else None,
        profile=_profile(workshop, rounds)
        if audience is Audience.SCREEN and (workshop.overlay == "profile" or stage is Stage.FINISHED)
        else (),
        three=_three(workshop, rounds) if audience is Audience.SCREEN and workshop.overlay == "three" else (),
        actions=_actions(session, workshop) if closing else (),
        parked=_parked(session, workshop) if closing else (),
        beside=_beside(session, workshop, rounds) if watching and stage in (Stage.REVEALED, Stage.DISCUSSION) else None,
        since=_since(session, workshop) if watching else "",
        earlier=_earlier(session, workshop)
        if audience is Audience.FACILITATOR or (watching and workshop.overlay == "since")
        else (),
        wifi_name=workshop.wifi_name if watching else "",
        wifi_password=workshop.wifi_password if watching else "",
        desk=_desk(session, rooms, workshop, rounds, round_, answered or 0, missing, waiting)
        if audience is Audience.FACILITATOR
        else None,
    )


def waiting_picture(session: Session, rooms: Rooms, workshop_id: int) -> WaitingPicture | None:
    """What a picture of this workshop's open live round depends on; None if there is no such round."""
    workshop = session.get(Workshop, workshop_id)
    round_ = session.get(Round, workshop.round_id) if workshop and workshop.round_id else None
    if workshop is None or round_ is None or round_.state != "open" or round_.mode != Mode.LIVE:
        return None
    ballots = store.turnout(session, round_.id)
    missing = max(0, rooms.present(workshop_id, workshop.joined, workshop.heads) - ballots)
    return WaitingPicture(round_.id, ballots, rooms[workshop_id].changed(round_.id), missing, workshop.k)


def chart(counts: Tally | Dots, labels: Sequence[str], earlier: Tally | Dots | None = None) -> Chart:
    """The chart of counts that may be known, with an earlier vote beneath them if there is one."""
    if isinstance(counts, Dots):
        return _chart_of_dots(counts, labels, earlier if isinstance(earlier, Dots) else None)
    was = earlier.as_dict() if earlier else {}
    now = counts.as_dict()
    rows = [Row(point, level, label, now[point], was.get(point)) for point, level, label in _points(labels)]
    middle = tally.median(counts.counts) if tally.middle_words(counts.counts, labels) else None
    return Chart(tuple(rows), counts.ballots, (middle[0] + middle[1]) / 2 if middle else None)


def _chart_of_dots(counts: Dots, labels: Sequence[str], earlier: Dots | None) -> Chart:
    was = earlier.as_dict() if earlier else {}
    on_options = [_option(n, words, counts.counts[n - 1], was.get(str(n))) for n, words in enumerate(labels, 1)]
    return Chart((*on_options, Row("none", 0, _("No dots"), counts.none, was.get("none"))), counts.ballots, dots=True)


_PLATE = re.compile(r"[^\W\d_]+\d+|\d+(\.\d+)+")  # A1, Q7, 9.4


def _option(number: int, option: str, count: int | None = None, was: int | None = None) -> Row:
    """The row of an option, which is kept as its plate and its words: "A1 Invite the two groups".

    In a file that somebody wrote it may be words alone.
    """
    plate, _space, words = option.partition(" ")
    if not words or not _PLATE.fullmatch(plate):
        return Row(str(number), number, option, count, was)
    if isinstance(option, Said):
        plate = next(iter(option.each.values()))[1].partition(" ")[0]
        words = Said({spoken: (own, each.partition(" ")[2]) for spoken, (own, each) in option.each.items()})
    return Row(str(number), number, words, count, was, plate)


def _counts(stored: Mapping[str, int], question: Question) -> Tally | Dots:
    return Dots.from_dict(stored) if question.dots else Tally.from_dict(stored)


def _points(labels: Sequence[str]) -> list[tuple[str, int, str]]:
    on_scale = [(str(place), place, label) for place, label in enumerate(labels, start=1)]
    return [*on_scale, ("DK", 0, _("Don’t know")), ("NR", 0, _("Not relevant"))]


def _answered(round_: Round, turnout: int) -> int:
    return turnout if round_.state == "open" else round_.ballots_cast or 0


def _people(workshop: Workshop, round_: Round, answered: int) -> int | None:
    return max(workshop.joined + workshop.heads, answered) if round_.state == "open" else round_.people


def _question(workshop: Workshop, item: AgendaItem) -> Question:
    return Question(
        agenda_id=item.id,
        number=item.number,
        hallmark=say(item.hallmark_title),
        text=say(item.text),
        short=say(item.short),
        place=item.position,
        of=sum(not item.warm_up for item in workshop.agenda),
        labels=tuple(say(label) for label in item.labels),
        prompts=_pieces(say(item.prompt)) if any(item.prompt.values()) else (),
        attribution=say(item.attribution) if item.attribution else "",
        dots=item.options is not None,
        plate=item.plate,
        warm_up=item.warm_up,
    )


def _pieces(prompt: str) -> tuple[str, ...]:
    """A prompt in pieces; one in two languages as a whole where these do not have as many each."""
    if not isinstance(prompt, Said):
        return tuple(split_prompt(prompt))
    each = {language: split_prompt(words) for language, (_own, words) in prompt.each.items()}
    if len({len(pieces) for pieces in each.values()}) > 1:
        return (prompt,)
    return tuple(
        Said({one: (prompt.each[one][0], piece) for one, piece in zip(each, piece_in_each, strict=True)})
        for piece_in_each in zip(*each.values(), strict=True)
    )


def _picture(round_: Round, question: Question) -> Chart:
    """The last picture that was released, or empty rows before the first one. On reveal there is none."""
    if round_.mode == Mode.LIVE and round_.picture is not None:
        picture = chart(_counts(round_.picture, question), question.labels)
        return Chart(picture.rows, picture.total, dots=question.dots)  # no middle before the close
    if question.dots:
        return Chart(tuple(_option(n, words) for n, words in enumerate(question.labels, 1)), None, dots=True)
    return Chart(tuple(Row(point, level, label, None) for point, level, label in _points(question.labels)), None)


def _known(round_: Round, stage: Stage, audience: Audience) -> bool:
    """Whether the count of a round may be known: once released; before that, in CLOSED, to the facilitator alone."""
    return round_.released or (stage is Stage.CLOSED and audience is Audience.FACILITATOR)


def _result(
    here: Sequence[Round], round_: Round, question: Question, stage: Stage, audience: Audience
) -> Result | None:
    if round_.state != "counted" or round_.counts is None or not _known(round_, stage, audience):
        return None
    before = [r for r in here if r.ordinal < round_.ordinal and r.state == "counted" and _known(r, stage, audience)]
    first = before[0] if before else None
    counts = _counts(round_.counts, question)
    earlier = _counts(first.counts, question) if first and first.counts else None
    if isinstance(counts, Dots):
        return _result_of_dots(counts, earlier, question, bool(before))
    assert earlier is None or isinstance(earlier, Tally)
    shift = Shift(**round_.shift) if round_.shift else None
    reasons = tally.reasons(counts)
    return Result(
        chart=chart(counts, question.labels, earlier),
        ballots=counts.ballots,
        n=counts.n,
        middle=tally.middle_words(counts.counts, question.labels),
        beside=tally.above_below_words(counts),
        shares=tally.share_words(counts, question.labels),
        spread=tally.spread(counts.counts),
        chips=tuple(chip for chip, why in zip(tally.chips(counts), reasons, strict=True) if why is not Reason.APART),
        reasons=reasons,
        second=bool(before),
        earlier_middle=tally.middle_words(earlier.counts, question.labels) if earlier else None,
        moved=tally.moved_words(shift) if shift else None,
        shift=tally.shift_words(shift) if shift else None,
        earlier_held_back=bool(before) and earlier is None,
        groups=_groups(round_.groups or {}, question),
    )


def _result_of_dots(counts: Dots, earlier: Tally | Dots | None, question: Question, second: bool) -> Result:
    """Most dots first: rows that may move only now that nobody reads them any more while they grow."""
    drawn = chart(counts, question.labels, earlier)
    rows = (*(drawn.rows[place] for place in counts.ranked()), drawn.rows[-1])
    return Result(
        chart=Chart(rows, drawn.total, dots=True),
        ballots=counts.ballots,
        n=counts.ballots - counts.none,
        middle=None,
        beside=None,
        shares=None,
        spread=None,
        chips=(),
        reasons=(),
        second=second,
        earlier_middle=None,
        moved=None,
        shift=None,
        earlier_held_back=second and earlier is None,
        groups=(),
    )


_ROLE_WORDS = {
    "trustee": mark("Trustees"),
    "staff": mark("Staff"),
    "volunteer": mark("Volunteers"),
    "other": mark("Other"),
    OTHERS: mark("Others"),
}
_ROLE_NUMBERS = {
    "trustee": mark("trustees %(num)s"),
    "staff": mark("staff %(num)s"),
    "volunteer": mark("volunteers %(num)s"),
    "other": mark("other %(num)s"),
    OTHERS: mark("others %(num)s"),
}


def _groups(stored: Mapping[str, Mapping[str, int]], question: Question) -> tuple[Group, ...]:
    """The released groups, in the order of the roles."""
    made = []
    for name in (role for role in _ROLE_WORDS if role in stored):
        counts = Tally.from_dict(stored[name])
        middle = tally.middle_words(counts.counts, question.labels)
        made.append(Group(_(_ROLE_WORDS[name]), counts.ballots, (*counts.counts, counts.dk, counts.nr), middle))
    return tuple(made)


def _hush(round_: Round, k: int, stage: Stage, audience: Audience) -> Hush | None:
    """Why there is no result: too few answered, or the round could not be counted. None if it is merely not shown."""
    if round_.state == "void":
        return Hush(
            _("This vote could not be counted"),
            _(
                "The program was interrupted and the key to these answers is gone, so nobody can read them. Vote "
                "again, or talk this one through together."
            ),
        )
    if round_.state != "counted" or round_.counts is not None or not _known(round_, stage, audience):
        return None
    n = round_.ballots_cast or 0
    return Hush(
        ngettext("%(num)s person has answered", "%(num)s people have answered", n) if n else _("Nobody has answered"),
        _(
            "Results show from %(k)s answers up, so that nobody’s answer can be guessed. Vote again when more people "
            "are here, or talk this one through together.",
            k=k,
        ),
    )


def _waiting(rooms: Rooms, workshop: Workshop, round_: Round, answered: int, missing: int) -> Waiting | None:
    if round_.mode != Mode.LIVE:
        return None
    room = rooms[workshop.id]
    since = None if round_.picture is None or room.picture_at is None else rooms.clock() - room.picture_at
    return tally.waiting_for(answered, room.changed(round_.id), missing, since, workshop.k)


def _profile(workshop: Workshop, rounds: dict[int, list[Round]]) -> tuple[ProfileRow, ...]:
    """One row for each hallmark of which a round was released, in running order."""
    shown = []
    for item in workshop.agenda:
        latest = next((r for r in reversed(rounds.get(item.id, [])) if r.released), None)
        if latest is not None and item.options is None and not item.warm_up:
            counts = Tally.from_dict(latest.counts) if latest.counts else None
            shown.append((item.hallmark, item.number.partition(".")[0], say(item.hallmark_title), counts))
    return profile(shown, workshop.k)


def _timer_left(workshop: Workshop, rooms: Rooms) -> int | None:
    """Seconds left on the soft timer, 0 at the end. None if it does not run; nor after the machine was restarted."""
    if workshop.timer_started is None or workshop.timer_seconds is None or workshop.timer_started > rooms.clock():
        return None
    return max(0, round(workshop.timer_seconds - (rooms.clock() - workshop.timer_started)))


_PHASE_WORDS = {
    Stage.VOTING: mark("Voting"),
    Stage.CLOSED: mark("Closed"),
    Stage.REVEALED: mark("Results"),
    Stage.DISCUSSION: mark("Talk"),
}


def _desk(
    session: Session,
    rooms: Rooms,
    workshop: Workshop,
    rounds: dict[int, list[Round]],
    round_: Round | None,
    answered: int,
    missing: int,
    waiting: Waiting | None,
) -> Desk:
    position = position_of(workshop, round_)
    run = tuple(_run_row(workshop, item, rounds.get(item.id, []), answered, rooms) for item in workshop.agenda)
    following = next_item(workshop)
    unasked = sum(item.id not in rounds for item in workshop.questions)
    buttons = {
        move: _button(move, workshop, following, answered, missing, unasked, position.stage)
        for move in stages.moves(position)
    }
    if Move.CLOSE in buttons and answered >= workshop.k:
        alone = answered - rooms[workshop.id].cards(workshop.round_id or 0)
        if 0 < alone < min(workshop.k, answered):
            buttons[Move.CLOSE] = replace(buttons[Move.CLOSE], arm=_typed_arm(alone))
    main = stages.main_move(position)
    detour = Move.NEXT if position.stage is Stage.VOTING else Move.REVOTE
    actions, parked = _actions(session, workshop), _parked(session, workshop)
    order = stages.phases(position.mode)
    place = order.index(position.stage) if position.stage in order else -1
    return Desk(
        run=run,
        next_row=next((row for row in run if following and row.agenda_id == following.id), None),
        phases=tuple(
            (_(_PHASE_WORDS[phase]), "now" if at == place else "done" if at < place else "")
            for at, phase in enumerate(order)
        ),
        main=buttons.get(main) if main else None,
        detour=buttons.get(detour),
        discard=buttons.get(Move.DISCARD),
        can_finish=Move.FINISH in buttons,
        connected=rooms.connected(workshop.id),
        dropped=rooms.dropped(workshop.id),
        screens=rooms.screens(workshop.id),
        waiting=waiting,
        started=_clock_time(workshop.started_at),
        pace=minutes.pace(workshop, rooms.clock()),
        removed=workshop.removed["said"] if workshop.removed else "",
        back=_just_skipped(run) if position.stage is Stage.VOTING else None,
        heads=workshop.heads,
        note=_note(session, workshop),
        agreement=_agreement(session, workshop),
        actions=actions,
        parked=parked,
        discuss=_discuss(workshop, rounds),
        unsettled=_unsettled(actions, parked),
        simulated=rooms.simulated(workshop.id),
    )


def _note(session: Session, workshop: Workshop) -> Draft:
    row = session.get(NoteRow, workshop.agenda_id) if workshop.agenda_id else None
    return Draft({"text": row.text if row else ""}, row.version if row else 0)


def _agreement(session: Session, workshop: Workshop) -> Draft:
    row = session.get(AgreementRow, workshop.agenda_id) if workshop.agenda_id else None
    rating = "" if row is None or row.rating is None else str(row.rating)
    return Draft({"rating": rating, "reason": row.reason if row else ""}, row.version if row else 0)


def _actions(session: Session, workshop: Workshop) -> tuple[Card, ...]:
    plates = {item.id: item.plate for item in workshop.agenda}
    rows = session.scalars(select(ActionRow).where(ActionRow.workshop_id == workshop.id).order_by(ActionRow.number))
    cards = []
    for row in rows:
        action = store.action_of(row, None)
        draft = Draft(action_values(action), row.version)
        cards.append(Card(row.number, plates.get(row.agenda_id or 0, ""), draft, action))
    return tuple(cards)


def _parked(session: Session, workshop: Workshop) -> tuple[Card, ...]:
    plates = {item.id: item.plate for item in workshop.agenda}
    rows = session.scalars(select(ParkedRow).where(ParkedRow.workshop_id == workshop.id).order_by(ParkedRow.id))
    return tuple(
        Card(
            row.id,
            plates.get(row.agenda_id or 0, ""),
            Draft({"item": row.item, "destination": row.destination, "owner": row.owner}, row.version),
        )
        for row in rows
    )


def _since(session: Session, workshop: Workshop) -> str:
    before = continuing.earlier_of(session, workshop)
    return listed(", ", [before.title, long_date(before.held_on)]) if before else ""


def _earlier(session: Session, workshop: Workshop) -> tuple[Card, ...]:
    """The actions this session looks back on, by the row they have for ever; what was done comes first."""
    if not workshop.carried:
        return ()
    cards = []
    for row, item in store.rows_of_actions(session, workshop.carried):
        action = store.action_of(row, item)
        plate = item.plate if item else ""
        cards.append((progress(action), Card(row.id, plate, Draft(progress_values(action), row.version), action)))
    return tuple(card for _stand, card in sorted(cards, key=lambda one: one[0]))


def _beside(session: Session, workshop: Workshop, rounds: dict[int, list[Round]]) -> Beside | None:
    last = continuing.last_times(session, workshop, rounds).get(workshop.agenda_id or 0) if workshop.continues else None
    return beside(last) if last else None


def beside(last: LastTime) -> Beside:
    """Two charts, with how many and who was in the room under each, and one phrase; no arrow, no number of change."""
    return Beside(_half(last.then), _half(last.now), last.words, last.text)


def _half(side: Side) -> Half:
    numbers = dict(side.who)
    who = listed(", ", [_(words, num=numbers[name]) for name, words in _ROLE_NUMBERS.items() if name in numbers])
    counts = side.counts
    return Half(
        side.day, chart(counts, side.labels), counts.ballots, counts.n if counts.ballots - counts.n > 1 else None, who
    )


_UNSET = {
    ("owner",): mark("%(action)s has no owner"),
    ("due date",): mark("%(action)s has no due date"),
    ("owner", "due date"): mark("%(action)s has no owner and no due date"),
}


def _unsettled(actions: Sequence[Card], parked: Sequence[Card]) -> tuple[str, ...]:
    """What is still open in the plan, so that it is settled while everybody is in the room."""
    still_open = [card.action for card in actions if card.action and card.action.open]
    said = [_(_UNSET[action.unset], action=action.id) for action in still_open if action.unset]
    homeless = sum(not card.draft.values["destination"] for card in parked)
    if homeless:
        said.append(
            ngettext("%(num)s parked item has no destination", "%(num)s parked items have no destination", homeless)
        )
    return tuple(said)


def _released(workshop: Workshop, rounds: dict[int, list[Round]]) -> list[Tally | None]:
    """The latest result that was shown of each question, in running order; None for one without, for a dot vote and for
    the warm-up."""
    shown = []
    for item in workshop.agenda:
        latest = next((r for r in reversed(rounds.get(item.id, [])) if r.released and r.counts), None)
        counts = latest.counts if latest and item.options is None and not item.warm_up else None
        shown.append(Tally.from_dict(counts) if counts else None)
    return shown


def _discuss(workshop: Workshop, rounds: dict[int, list[Round]]) -> tuple[ToDiscuss, ...]:
    """Every question that gives a reason to talk, in the order of what to discuss first."""
    shown = _released(workshop, rounds)
    made = []
    for place in tally.discussion_order(shown):
        item, counts = workshop.agenda[place], shown[place]
        if counts is not None and (chips := tally.chips(counts)):
            made.append(ToDiscuss(item.plate, say(item.short), chips))
    return tuple(made)


def _three(workshop: Workshop, rounds: dict[int, list[Round]]) -> tuple[tuple[str, str, str], ...]:
    """The three things to talk about first, of what has been released: plate, short name, why."""
    shown = _released(workshop, rounds)
    made = []
    for place, reason in tally.three_to_discuss(shown):
        item, counts = workshop.agenda[place], shown[place]
        assert counts is not None
        made.append((item.plate, say(item.short), tally.why_words(counts, reason)))
    return tuple(made)


def _typed_arm(alone: int) -> str:
    """What to ask before a vote is closed in which nearly all answers are paper cards: whoever typed them can subtract
    them from the result, and so learn what the others said together."""
    return ngettext(
        "Only one answer is not from your cards, so you would know it. Close anyway",
        "Only %(num)s answers are not from your cards, so you would know them as a group. Close anyway",
        alone,
    )


def _button(
    move: Move,
    workshop: Workshop,
    following: AgendaItem | None,
    answered: int,
    missing: int,
    unasked: int,
    stage: Stage,
) -> Button:
    number = following.number if following else ""
    words = {
        Move.OPEN: _("Open question %(plate)s", plate=number) if number else _("Open the first question"),
        Move.CLOSE: _("Close voting"),
        Move.REVEAL: _("Show the result"),
        Move.DISCUSS: _("Start talking"),
        Move.REVOTE: _("Vote again"),
        Move.DISCARD: _("Start this vote again"),
        Move.NEXT: _skip_or_next(following, stage is Stage.VOTING),
        Move.GOTO: _("Go to this question"),
        Move.FINISH: _("Finish"),
    }
    arm = ""
    if move is Move.CLOSE and answered < workshop.k:
        arm = _("Only %(num)s of %(k)s: nothing would be shown. Close anyway", num=answered, k=workshop.k)
    elif move is Move.CLOSE and missing:
        arm = ngettext("Close now: %(num)s still to answer", "Close now: %(num)s still to answer", missing)
    elif move is Move.NEXT and stage is Stage.VOTING and answered:
        arm = ngettext("Skip now: %(num)s answer stays unseen", "Skip now: %(num)s answers stay unseen", answered)
    elif move is Move.DISCARD and answered:
        arm = ngettext("Drop this answer?", "Drop these %(num)s answers?", answered)
    elif move is Move.FINISH and unasked:
        arm = ngettext("End now: %(num)s question was not asked", "End now: %(num)s questions were not asked", unasked)
    elif move is Move.FINISH:
        arm = _("End the session for good?")
    return Button(move, words[move], arm)


def _skip_or_next(following: AgendaItem | None, voting: bool) -> str:
    dots = following is not None and following.options is not None
    if not voting or following is None:
        return _("Vote on priorities") if dots else _("Next question")
    return _("Skip to priorities") if dots else _("Skip to %(plate)s", plate=following.plate)


def _run_row(workshop: Workshop, item: AgendaItem, rounds: Sequence[Round], answered: int, rooms: Rooms) -> RunRow:
    current = item.id == workshop.agenda_id
    chapter = item.number.partition(".")[0]
    seconds = minutes.spent(workshop, item, rooms.clock())
    return RunRow(
        agenda_id=item.id,
        plate=item.plate,
        short=say(item.short),
        hallmark=f"{chapter}. {say(item.hallmark_title)}" if chapter else say(item.hallmark_title),
        state=_phase_said(Stage(workshop.stage)) if current else _outcome(workshop, item, rounds),
        current=current,
        mode=item.mode or workshop.mode,
        modes_open=not rounds,
        minutes=item.minutes,
        spent=None if seconds is None else round(seconds / 60),
        arm=_before_going(workshop, rounds, answered),
        left=item.spent is not None and not any(round_.released for round_ in rounds),
        warm_up=item.warm_up,
    )


def _phase_said(stage: Stage) -> str:
    return _(_PHASE_WORDS[stage]) if stage in _PHASE_WORDS else ""


def _before_going(workshop: Workshop, rounds: Sequence[Round], answered: int) -> str:
    """What to ask before a press on a row of the run sheet takes the room there: nobody should be taken by a slip."""
    if workshop.stage == Stage.VOTING and answered:
        return ngettext(
            "Leave this vote? %(num)s answer stays unseen", "Leave this vote? %(num)s answers stay unseen", answered
        )
    if any(round_.released for round_ in rounds):
        return _("Go back to this result? Press again")
    return _("Open this question now? Press again")


def _just_skipped(run: Sequence[RunRow]) -> RunRow | None:
    """The question before the present one, if the room was there and no result of it was shown."""
    place = next((place for place, row in enumerate(run) if row.current), 0)
    before = run[place - 1] if place else None
    return before if before and before.left else None


def _outcome(workshop: Workshop, item: AgendaItem, rounds: Sequence[Round]) -> str:
    """How a question that is not in the room now ended: its middle answer once released."""
    done = [r for r in rounds if r.state in ("counted", "void")]
    if not done:
        if any(r.state == "unseen" for r in rounds):
            return _("Not shown")
        if item.spent is not None:
            return _("Skipped")
        return _("Not asked") if workshop.stage == Stage.FINISHED else ""
    latest = done[-1]
    if latest.state == "void":
        return _("Not counted")
    if not latest.released:
        return _("Not shown")
    if latest.counts is None:
        return _("Too few")
    if item.options is not None:
        return _("Shown")
    labels = [say(label) for label in item.labels]
    return tally.middle_words(Tally.from_dict(latest.counts).counts, labels) or _("Shown")


def _clock_time(moment: dt.datetime | None) -> str:
    """A stored moment as the time of day here; "" if it has not come."""
    if moment is None:
        return ""
    return moment.replace(tzinfo=dt.UTC).astimezone().strftime("%H:%M")
