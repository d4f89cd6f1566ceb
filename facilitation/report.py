"""Everything a workshop may say afterwards: the one source of every document.

Released rounds only, and below k no count; nothing here knows of a person's answer. Documents lay out what stands here
and add nothing of their own.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from facilitation import continuing, editions, plan, store, tally
from facilitation.ballots import ROLES
from facilitation.continuing import LastTime
from facilitation.hallmarks import Framework, say, split_prompt
from facilitation.language import _
from facilitation.plan import Action, Agreement, ParkedItem, Status, by_progress
from facilitation.profile import ProfileRow, profile
from facilitation.stages import Stage
from facilitation.store import AgendaItem, Kind, Round, Workshop
from facilitation.tally import OTHERS, Dots, Reason, Shift, Spread, Tally


@dataclass(frozen=True, slots=True)
class Vote:
    """One round as documents may show it. `tally` is None when it was not released or too few answered."""

    number: int
    mode: str
    ballots: int | None
    released: bool
    void: bool
    tally: Tally | None
    shift: Shift | None
    groups: tuple[tuple[str, Tally], ...] = ()  # by role ("trustee" … "others"), as far as each part is large enough
    dots: Dots | None = None  # instead of `tally`, of a dot vote


@dataclass(frozen=True, slots=True)
class Answer:
    """One entry of the agenda, worded as it was, with its votes in order and what the group made of them.

    A question, or a dot vote: then `options` are the keys of what was voted on, and `labels` their words.
    """

    agenda_id: int
    key: str
    plate: str  # "9.4", or its place on the agenda for an own question
    number: str  # "9.4" or ""
    hallmark: str  # key, "" for an own question
    hallmark_title: str
    text: str
    short: str
    prompts: tuple[str, ...]
    attribution: str
    scale: str
    labels: tuple[str, ...]  # lowest first
    minutes: int
    mode: str | None  # None: as the workshop
    maps: Mapping[str, Any]  # the same texts as language maps, as they were stored
    votes: tuple[Vote, ...]
    agreement: Agreement
    note: str
    options: tuple[str, ...] | None = None
    place: int = 0  # on the agenda, from 1
    last: LastTime | None = None  # beside the same question of the session before

    @property
    def ranked(self) -> tuple[tuple[str, int, int | None], ...]:
        """Of a dot vote that may be shown: the options with the dots of the latest vote and of the one before it, most
        dots first."""
        votes = [vote.dots for vote in self.votes if vote.dots]
        if not votes:
            return ()
        latest, before = votes[-1], votes[-2] if len(votes) > 1 else None
        return tuple(
            (self.labels[place], latest.counts[place], before.counts[place] if before else None)
            for place in latest.ranked()
        )

    @property
    def shown(self) -> Vote | None:
        """The latest vote that may be shown; None if there is none."""
        return next((vote for vote in reversed(self.votes) if vote.tally), None)

    @property
    def first(self) -> Vote | None:
        """The first vote that may be shown, for comparing with another year."""
        return next((vote for vote in self.votes if vote.tally), None)

    @property
    def middle(self) -> str | None:
        """The middle answer of the latest shown vote, in words."""
        vote = self.shown
        return tally.middle_words(vote.tally.counts, self.labels) if vote and vote.tally else None

    @property
    def spread(self) -> Spread | None:
        """The spread of the latest shown vote."""
        vote = self.shown
        return tally.spread(vote.tally.counts) if vote and vote.tally else None

    @property
    def shares(self) -> str | None:
        """Both ends of the latest shown vote in words."""
        vote = self.shown
        return tally.share_words(vote.tally, self.labels) if vote and vote.tally else None

    @property
    def moved(self) -> str | None:
        """What a second vote changed, in words; None without one, or when too few declared a direction."""
        vote = self.shown
        if vote is None or vote.shift is None:
            return None
        counts = tally.shift_words(vote.shift)
        return tally.moved_words(vote.shift) + (f": {counts}" if counts else "")

    @property
    def why_not(self) -> str:
        """Why no result stands here; "" if one does."""
        if self.shown or self.ranked:
            return ""
        if not self.votes:
            return _("Not voted on")
        latest = self.votes[-1]
        if latest.void:
            return _("This vote could not be counted")
        return _("Too few answered to show a result") if latest.ballots is not None else _("Not shown")


@dataclass(frozen=True, slots=True)
class Chapter:
    """The questions of one hallmark, in running order."""

    key: str
    number: str  # "9", "" for own questions
    title: str
    definition: str
    attribution: str
    answers: tuple[Answer, ...]
    follows: bool = False
    """Whether it stands on the page of the one before: both have one question, and pages of one are mostly white."""


@dataclass(frozen=True, slots=True)
class ToDiscuss:
    """One of the three things to talk about first, and why."""

    answer: Answer
    reason: Reason
    why: str  # "10 of 23 low"


@dataclass(frozen=True, slots=True)
class Earlier:
    """The session that this one continues: how far its actions have come is the evidence of progress."""

    code: str
    title: str
    held_on: dt.date
    actions: tuple[Action, ...]  # what was done comes first

    @property
    def done(self) -> int:
        """How many of them were done."""
        return sum(action.status is Status.DONE for action in self.actions)


@dataclass(frozen=True, slots=True)
class Report:
    """A workshop, its questions in running order, and its plan."""

    code: str
    title: str
    museum: str
    held_on: dt.date
    stage: str
    framework: str
    edition: str
    credit: str
    k: int
    mode: str
    roles: bool
    joined: int
    answers: tuple[Answer, ...]
    chapters: tuple[Chapter, ...]
    three: tuple[ToDiscuss, ...]
    actions: tuple[Action, ...]
    parked: tuple[ParkedItem, ...]
    earlier: Earlier | None = None
    priorities: tuple[Answer, ...] = ()  # dot votes, which are in no chapter
    kind: str = Kind.SESSION

    @property
    def agenda(self) -> tuple[Answer, ...]:
        """Questions and dot votes in running order."""
        return tuple(sorted((*self.answers, *self.priorities), key=lambda answer: answer.place))

    @property
    def slug(self) -> str:
        """A file name that says what it is: wexcombe-mill-museum-2026-11-21."""
        return f"{slug_of(self.museum)}-{self.held_on.isoformat()}"

    @property
    def unfinished(self) -> bool:
        """Whether the session is still going on, so that this is the report so far."""
        return self.stage != Stage.FINISHED

    @property
    def made_up(self) -> bool:
        """Whether this is the example, so that every page has to say so."""
        return self.kind == Kind.EXAMPLE

    @property
    def profile(self) -> tuple[ProfileRow, ...]:
        """Every released question at its middle answer, by hallmark."""
        return profile(
            (
                (answer.hallmark, answer.number.partition(".")[0], answer.hallmark_title, vote.tally if vote else None)
                for answer in self.answers
                if (vote := answer.shown) or any(vote.ballots is not None for vote in answer.votes)
            ),
            self.k,
        )

    @property
    def answered(self) -> int:
        """How many questions have a result that may be shown."""
        return sum(answer.shown is not None for answer in self.answers)

    @property
    def next_review(self) -> dt.date | None:
        """The next day on which somebody looks at an open action; None until the group has set one."""
        return plan.next_review(self.actions)

    @property
    def first_due(self) -> dt.date | None:
        """The day on which the first open action is due."""
        return plan.first_due(self.actions)


def slug_of(museum: str) -> str:
    """A museum's name as file names can hold it: wexcombe-mill-museum."""
    plain = unicodedata.normalize("NFKD", museum).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "session"


def make(session: Session, workshop: Workshop, shipped: Framework) -> Report:
    """The report of a workshop as it stands. A round that was not released gives no count, not even its size.

    shipped: the framework that came with the program, for a workshop whose own edition was never stored.
    """
    framework = editions.of(session, shipped, workshop)
    rounds = store.rounds_of(session, workshop.id)
    agreements, notes = store.agreements_of(session, workshop.id), store.notes_of(session, workshop.id)
    last = continuing.last_times(session, workshop, rounds)
    agenda = tuple(
        replace(
            _answer(item, rounds.get(item.id, []), agreements.get(item.id, Agreement()), notes.get(item.id, "")),
            last=last.get(item.id),
        )
        for item in workshop.agenda
        if not item.warm_up
    )
    answers = tuple(answer for answer in agenda if answer.options is None)
    return Report(
        code=workshop.code,
        title=workshop.title,
        museum=workshop.museum,
        held_on=workshop.held_on,
        stage=workshop.stage,
        framework=workshop.framework,
        edition=workshop.edition,
        credit=say(framework.credit),
        k=workshop.k,
        mode=workshop.mode,
        roles=workshop.roles,
        joined=workshop.joined + workshop.heads,
        answers=answers,
        chapters=chapters_of(answers, framework),
        three=three_of(answers),
        actions=tuple(store.actions_of(session, workshop.id)),
        parked=tuple(store.parked_of(session, workshop.id)),
        earlier=_earlier(session, workshop),
        priorities=tuple(answer for answer in agenda if answer.options is not None),
        kind=workshop.kind,
    )


def _earlier(session: Session, workshop: Workshop) -> Earlier | None:
    before = continuing.earlier_of(session, workshop)
    if before is None:
        return None
    actions = (store.action_of(row, item) for row, item in store.rows_of_actions(session, workshop.carried or ()))
    return Earlier(before.code, before.title, before.held_on, tuple(by_progress(actions)))


def _answer(item: AgendaItem, rounds: list[Round], agreement: Agreement, note: str) -> Answer:
    return Answer(
        agenda_id=item.id,
        key=item.key,
        plate=item.plate,
        number=item.number,
        hallmark=item.hallmark,
        hallmark_title=say(item.hallmark_title),
        text=say(item.text),
        short=say(item.short),
        prompts=tuple(split_prompt(say(item.prompt))) if any(item.prompt.values()) else (),
        attribution=say(item.attribution) if item.attribution else "",
        scale=item.scale,
        labels=tuple(say(label) for label in item.labels),
        minutes=item.minutes,
        mode=item.mode,
        maps={
            name: getattr(item, name) for name in ("hallmark_title", "text", "short", "prompt", "attribution", "labels")
        },
        votes=tuple(
            _vote(round_, dots=item.options is not None)
            for round_ in rounds
            if round_.state in ("counted", "unseen", "void")
        ),
        agreement=agreement,
        note=note,
        options=None if item.options is None else tuple(item.options),
        place=item.position,
    )


def _vote(round_: Round, *, dots: bool) -> Vote:
    known = round_.released and round_.counts is not None
    counts = round_.counts if known else None
    return Vote(
        number=round_.number,
        mode=round_.mode,
        ballots=round_.ballots_cast if round_.released else None,
        released=known,
        void=round_.state == "void",
        tally=Tally.from_dict(counts) if counts and not dots else None,
        dots=Dots.from_dict(counts) if counts and dots else None,
        shift=Shift(**round_.shift) if known and round_.shift else None,
        groups=_by_role(round_.groups or {}) if known else (),
    )


def _by_role(groups: Mapping[str, dict[str, int]]) -> tuple[tuple[str, Tally], ...]:
    """Always in the order of the roles, so that columns keep their places from question to question."""
    return tuple((name, Tally.from_dict(groups[name])) for name in (*ROLES, OTHERS) if name in groups)


def chapters_of(answers: tuple[Answer, ...], framework: Framework) -> tuple[Chapter, ...]:
    """Answers by hallmark, in the order in which each hallmark first comes up."""
    known = {hallmark.key: hallmark for hallmark in framework.hallmarks}
    chapters: list[Chapter] = []
    for key in dict.fromkeys(answer.hallmark for answer in answers):
        own = tuple(answer for answer in answers if answer.hallmark == key)
        definition = say(known[key].definition) if key in known else ""
        number = own[0].number.partition(".")[0]
        follows = bool(chapters) and len(chapters[-1].answers) == len(own) == 1
        chapters.append(Chapter(key, number, own[0].hallmark_title, definition, own[0].attribution, own, follows))
    return tuple(chapters)


def three_of(answers: tuple[Answer, ...]) -> tuple[ToDiscuss, ...]:
    """The three things to talk about first, as far as there are any; no question twice."""
    shown = [answer.shown.tally if answer.shown else None for answer in answers]
    made = []
    for place, reason in tally.three_to_discuss(shown):
        counts = shown[place]
        assert counts is not None
        chips = dict(zip(tally.reasons(counts), tally.chips(counts), strict=True))
        made.append(ToDiscuss(answers[place], reason, chips[reason]))
    return tuple(made)
