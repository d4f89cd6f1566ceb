"""The next time: a session that continues an earlier one of the same museum.

It keeps the agenda and looks back on the actions of last time, which stay where they were agreed: their status is
updated there, so an action is one row for ever. Questions are compared first vote against first vote, of other people
on another day, and only what was released on both days is known here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import store, tally
from facilitation.errors import Refused
from facilitation.hallmarks import Framework, same_words, say
from facilitation.language import _, mark
from facilitation.plan import Status
from facilitation.stages import Stage
from facilitation.store import ActionRow, AgendaItem, Kind, Round, Workshop
from facilitation.tally import Tally
from facilitation.workshop import create, worded

NOT_COMPARABLE = mark("Not comparable: the question or its answers were worded differently")
SETTINGS = ("k", "mode", "roles", "theme", "zoom", "screen_language", "wifi_name", "wifi_password")
OF_A_QUESTION = (
    "key",
    "number",
    "hallmark",
    "hallmark_title",
    "text",
    "short",
    "prompt",
    "attribution",
    "scale",
    "labels",
    "mode",
    "minutes",
)


@dataclass(frozen=True, slots=True)
class Side:
    """One day's first vote on a question. `who`: roles as they were released, with their numbers; often none."""

    day: dt.date
    counts: Tally
    labels: tuple[str, ...]
    who: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LastTime:
    """A question beside itself in the session before; `text` is how it was asked then, if that was in other words."""

    text: str
    then: Side
    now: Side
    comparable: bool

    @property
    def words(self) -> str | None:
        """One of the phrases of DOMAIN.md 5.8; None where so few answered that only the charts may stand."""
        if not self.comparable:
            return _(NOT_COMPARABLE)
        return tally.change_words(tally.compare(self.then.counts.counts, self.now.counts.counts), self.then.counts.n)


def continue_from(session: Session, framework: Framework, earlier_id: int, title: str, held_on: dt.date) -> Workshop:
    """A new session that continues an ended one: the same museum, agenda and settings, and its actions to look back on.

    framework: the edition of last time, or a newer one. Questions that it has too get its words; those that changed
    cannot be compared. Questions that it does not have, and own ones, stay as they were.
    """
    earlier = store.locked_workshop(session, earlier_id)
    if earlier is None:
        raise Refused(_("That session has been deleted."))
    if earlier.kind != Kind.SESSION:
        raise Refused(_("Nobody met in a rehearsal, so no session can continue it."))
    if earlier.stage != Stage.FINISHED:
        raise Refused(_("End that session first: then the next one can begin where it stopped."))
    made = create(session, framework, title, earlier.museum, held_on)
    for name in SETTINGS:
        setattr(made, name, getattr(earlier, name))
    newer = {q.key: worded(h, q, framework) for h in framework.hallmarks for q in h.questions}
    if framework.edition == earlier.edition:
        newer = {}  # the words of last time, with what was changed of them on the set-up page
    for item in earlier.questions:
        kept = {name: getattr(item, name) for name in OF_A_QUESTION}
        made.agenda.append(AgendaItem(**(kept | newer.get(item.key, {}) | {"position": len(made.agenda) + 1})))
    own = list(session.scalars(select(ActionRow.id).where(ActionRow.workshop_id == earlier.id)))
    closed = (Status.DONE, Status.DROPPED)
    older = [row.id for row, _item in store.rows_of_actions(session, earlier.carried or ()) if row.status not in closed]
    made.continues, made.carried = earlier.id, own + older
    session.flush()
    return made


def earlier_of(session: Session, workshop: Workshop) -> Workshop | None:
    """The session that this one continues; None if there is none, or if it has been deleted."""
    return session.get(Workshop, workshop.continues) if workshop.continues else None


def later_of(session: Session, workshop: Workshop) -> tuple[list[Workshop], list[Workshop]]:
    """Who would miss this session: those that continue it, and later ones that look back on actions of it."""
    actions = set(session.scalars(select(ActionRow.id).where(ActionRow.workshop_id == workshop.id)))
    everything = store.all_workshops(session)
    following = [one for one in everything if one.continues == workshop.id]
    looking = [one for one in everything if one not in following and actions.intersection(one.carried or ())]
    return following, looking


def last_times(session: Session, workshop: Workshop, rounds: Mapping[int, Sequence[Round]]) -> dict[int, LastTime]:
    """What can stand beside last time, by agenda row. rounds: this session’s, by agenda row, first vote first."""
    earlier = earlier_of(session, workshop)
    if earlier is None:
        return {}
    before = store.rounds_of(session, earlier.id)
    then = {item.key: item for item in earlier.questions}
    made = {}
    for item in workshop.questions:
        old = then.get(item.key)
        first = _side(old, before.get(old.id, []), earlier.held_on) if old else None
        now = _side(item, rounds.get(item.id, []), workshop.held_on)
        if old and first and now:
            asked_alike = same_words(old.text, item.text)
            labels_alike = all(map(same_words, old.labels, item.labels)) and len(old.labels) == len(item.labels)
            same = asked_alike and labels_alike and old.scale == item.scale
            made[item.id] = LastTime("" if asked_alike else say(old.text), first, now, same)
    return made


def _side(item: AgendaItem, rounds: Sequence[Round], day: dt.date) -> Side | None:
    """The first vote that was counted, if it may be known. No later vote stands in: people had seen the first."""
    first = next((round_ for round_ in rounds if round_.state == "counted"), None)
    if first is None or not first.released or first.counts is None:
        return None
    who = tuple((name, Tally.from_dict(counts).ballots) for name, counts in (first.groups or {}).items())
    return Side(day, Tally.from_dict(first.counts), tuple(say(label) for label in item.labels), who)
