"""What was removed by mistake comes back: the last action, parked item or question that was taken out of a session.

There is room for one thing. It is forgotten when something else is removed, or the session moves on: what is left in
the database for good should be what people see. Write units like those of workshop.py.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Date, func, select
from sqlalchemy.orm import Session

from facilitation import bounds, store
from facilitation.errors import Refused
from facilitation.language import _
from facilitation.store import ActionRow, AgendaItem, ParkedRow, Workshop

_KINDS: dict[str, type[ActionRow] | type[ParkedRow] | type[AgendaItem]] = {
    "action": ActionRow,
    "parked": ParkedRow,
    "question": AgendaItem,
}


def remember(workshop: Workshop, kind: str, row: ActionRow | ParkedRow | AgendaItem, said: str) -> None:
    """Keep a row that is about to be deleted. kind: "action", "parked" or "question"; said: what people call it."""
    values = {column.key: getattr(row, column.key) for column in type(row).__table__.columns}
    plain = {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in values.items()}
    workshop.removed = {"kind": kind, "said": said, "row": plain}


def put_back(session: Session, workshop_id: int) -> None:
    """Undo the last removal: the row comes back as it was, in its place. Raises Refused if there is nothing left, and
    when the session is full of what has been added since."""
    workshop = store.locked_workshop(session, workshop_id)
    if workshop is None:
        raise Refused(_("This session has been deleted."))
    if workshop.removed is None:
        raise Refused(_("There is nothing left to undo: the session has moved on since."))
    kind = _KINDS[workshop.removed["kind"]]
    values: dict[str, Any] = {
        column.key: dt.date.fromisoformat(value) if value and isinstance(column.type, Date) else value
        for column in kind.__table__.columns
        for value in [workshop.removed["row"][column.key]]
    }
    row = kind(**values)
    if isinstance(row, AgendaItem):
        if any(item.key == row.key for item in workshop.agenda):
            raise Refused(_("That is on the agenda again already."))
        if row.options is not None:
            bounds.demand_room_for_dot_vote(workshop)
        elif not row.warm_up:
            bounds.demand_room_for_question(workshop)
        workshop.agenda.insert(sum(item.position < row.position for item in workshop.agenda), row)
        store.number_agenda(workshop.agenda)
    elif isinstance(row, ActionRow):
        bounds.demand_room_for_action(session, workshop_id)
        if _number_is_taken(session, row):
            highest = select(func.max(ActionRow.number)).where(ActionRow.workshop_id == workshop_id)
            row.number = 1 + (session.scalar(highest) or 0)
        session.add(row)
    else:
        bounds.demand_room_for_parked(session, workshop_id)
        session.add(row)
    workshop.removed = None
    workshop.tick += 1


def _number_is_taken(session: Session, row: ActionRow) -> bool:
    query = select(ActionRow.id).where(ActionRow.workshop_id == row.workshop_id, ActionRow.number == row.number)
    return session.scalar(query) is not None
