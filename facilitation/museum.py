"""A museum over time: its sessions, and what they agreed to do that is still to be done.

A museum is known by its name, as people typed it. What somebody sees of it are the sessions they hold, and the actions
on which these look back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import deciding, store
from facilitation.deciding import PROGRESS, Written
from facilitation.errors import Refused
from facilitation.hallmarks import say
from facilitation.language import _
from facilitation.plan import ToDo
from facilitation.store import ActionRow, AgendaItem, Workshop
from facilitation.words import tidy


def same(one: Workshop, other: Workshop) -> bool:
    """Whether two sessions are of the same museum."""
    return tidy(one.museum).casefold() == tidy(other.museum).casefold()


def to_do(session: Session, workshops: Sequence[Workshop]) -> list[ToDo]:
    """Every action of these sessions and of those they continue, overdue ones first, then by day; no day comes last."""
    own = session.scalars(select(ActionRow.id).where(ActionRow.workshop_id.in_([w.id for w in workshops])))
    ids = {*own, *(id for workshop in workshops for id in workshop.carried or ())}
    rows = store.rows_of_actions(session, ids)
    codes = _codes(session, {row.workshop_id for row, _item in rows})
    found = [
        ToDo(row.id, row.version, store.action_of(row, item), codes[row.workshop_id], _name(item)) for row, item in rows
    ]
    return sorted(found, key=lambda one: (one.when or dt.date.max, one.row))


def still_open(everything: Iterable[ToDo]) -> list[ToDo]:
    """Those that somebody still has to do."""
    return [one for one in everything if one.action.open]


def write_progress(
    session: Session, workshops: Sequence[Workshop], row_id: int, typed: Mapping[str, str], version: int
) -> Written:
    """Say how far an action of these sessions, or of one they continue, has come: its status with a note, its date and
    its owner, and nothing else. Raises Refused for any other action."""
    row = session.get(ActionRow, row_id)
    carried = {id for workshop in workshops for id in workshop.carried or ()}
    if row is None or (row.workshop_id not in {workshop.id for workshop in workshops} and row.id not in carried):
        raise Refused(_("That action has been removed."))
    fields = {name: typed[name] for name in PROGRESS if name in typed}
    written = deciding.change_action(session, row.workshop_id, row.number, fields, version)
    return Written({name: written.values[name] for name in PROGRESS}, written.version, written.joined)


def _codes(session: Session, ids: Iterable[int]) -> dict[int, str]:
    rows = session.execute(select(Workshop.id, Workshop.code).where(Workshop.id.in_(list(ids))))
    return {row.id: row.code for row in rows}


def _name(item: AgendaItem | None) -> str:
    return f"{item.plate} {say(item.short)}" if item else ""
