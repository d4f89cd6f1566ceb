"""Everything a workshop may say afterwards, released rounds only: the one source of every document."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy.orm import Session

from facilitation import store
from facilitation.hallmarks import say
from facilitation.store import AgendaItem, Round, Workshop
from facilitation.tally import Shift, Tally


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


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of the agenda, worded as it was, with its rounds in order."""

    item: AgendaItem
    labels: tuple[str, ...]
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A workshop with its questions in running order."""

    workshop: Workshop
    answers: tuple[Answer, ...]

    @property
    def slug(self) -> str:
        """A file name that says what it is: wexcombe-mill-museum-2026-11-21."""
        plain = unicodedata.normalize("NFKD", self.workshop.museum).encode("ascii", "ignore").decode().lower()
        return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-') or 'session'}-{self.workshop.held_on.isoformat()}"


def make(session: Session, workshop: Workshop) -> Report:
    """The report of a workshop as it stands. A round that was not released gives no count, not even its size."""
    rounds = store.rounds_of(session, workshop.id)
    return Report(workshop, tuple(_answer(item, rounds.get(item.id, [])) for item in workshop.agenda))


def _answer(item: AgendaItem, rounds: list[Round]) -> Answer:
    labels = tuple(say(label) for label in item.labels)
    return Answer(
        item, labels, tuple(_vote(round_) for round_ in rounds if round_.state in ("counted", "unseen", "void"))
    )


def _vote(round_: Round) -> Vote:
    known = round_.released and round_.counts is not None
    return Vote(
        number=round_.number,
        mode=round_.mode,
        ballots=round_.ballots_cast if round_.released else None,
        released=known,
        void=round_.state == "void",
        tally=Tally.from_dict(round_.counts) if known and round_.counts else None,
        shift=Shift(**round_.shift) if known and round_.shift else None,
    )
