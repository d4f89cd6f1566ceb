"""What the group decides, written down as it talks: notes, agreed ratings, actions, parked items.

Write units like those of workshop.py. Each row has a version of its own, so typing never blocks the big button;
where two people wrote at once, both texts are kept.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from facilitation import bounds, plan, store, undoing
from facilitation.errors import Refused
from facilitation.language import _
from facilitation.plan import LONGEST, NO_AGREEMENT, TO_BE_AGREED, merged
from facilitation.store import ActionRow, AgendaItem, AgreementRow, NoteRow, ParkedRow, Workshop
from facilitation.words import tidy, tidy_lines


@dataclass(frozen=True, slots=True)
class Written:
    """What a row holds after a write, its new version, and whether somebody else's words were joined to it."""

    values: Mapping[str, str]
    version: int
    joined: bool = False


def write_note(session: Session, workshop_id: int, agenda_id: int, text: str, version: int) -> Written:
    """Write down what the room said about a question. version: the one the writer saw, 0 for an empty note."""
    _demand_item(session, workshop_id, agenda_id)
    mine = _fitting(tidy_lines(text))
    row = session.get(NoteRow, agenda_id)
    if row is None:
        row = NoteRow(agenda_id=agenda_id, workshop_id=workshop_id, text=mine, version=1)
        session.add(row)
        return _written(session, workshop_id, {"text": mine}, row.version)
    kept = mine if row.version == version else merged(row.text, mine)
    row.text, row.version = kept, row.version + 1
    return _written(session, workshop_id, {"text": kept}, row.version, joined=kept != mine)


def agree(
    session: Session, workshop_id: int, agenda_id: int, rating: str | None, reason: str | None, version: int
) -> Written:
    """Write down what the group settled on: a point of the scale, 0 for "no agreement", "" for nothing yet; and why.

    None leaves what is there: the writer has not touched it.
    """
    item = _demand_item(session, workshop_id, agenda_id)
    if item.options is not None:
        raise Refused(_("A dot vote has no agreed rating. Write what was decided as an action, or as a note."))
    if rating and rating not in {str(point) for point in range(NO_AGREEMENT, len(item.labels) + 1)}:
        raise Refused(_("Choose one of the answers, or “No agreement”."))
    row = session.get(AgreementRow, agenda_id)
    if row is None:
        row = AgreementRow(agenda_id=agenda_id, workshop_id=workshop_id, rating=None, reason="", version=0)
        session.add(row)
    joined = False
    if rating is not None:
        row.rating = int(rating) if rating else None
    if reason is not None:
        mine = _fitting(tidy_lines(reason))
        kept = mine if row.version == version else merged(row.reason, mine)
        row.reason, joined = kept, kept != mine
    row.version += 1
    values = {"rating": "" if row.rating is None else str(row.rating), "reason": row.reason}
    return _written(session, workshop_id, values, row.version, joined=joined)


def add_action(session: Session, workshop_id: int, text: str, agenda_id: int | None) -> int:
    """Add an action, for a question or for the whole session; returns its number (1 is A1)."""
    workshop = _workshop(session, workshop_id)
    if agenda_id is not None:
        _demand_item(session, workshop_id, agenda_id)
    bounds.demand_room_for_action(session, workshop_id)
    number = 1 + (session.scalar(select(func.max(ActionRow.number)).where(ActionRow.workshop_id == workshop_id)) or 0)
    fresh = plan.changed(plan.Action(number, "…"), {"action": text})
    session.add(
        ActionRow(
            workshop_id=workshop_id,
            agenda_id=agenda_id,
            number=number,
            uid=secrets.token_hex(8),
            action=fresh.action,
            owner=TO_BE_AGREED,
            created_in=plan.meeting(workshop.title, workshop.held_on),
        )
    )
    workshop.tick += 1
    return number


def change_action(session: Session, workshop_id: int, number: int, typed: Mapping[str, str], version: int) -> Written:
    """Change the fields that were typed. Texts that somebody else changed meanwhile are joined to them.

    typed may hold the action's `uid`, as the form knew it. Raises Refused when the number is another action's by now,
    and for bad input.
    """
    row = _action(session, workshop_id, number, typed.get("uid"))
    before = store.action_of(row, None)
    after = plan.changed(before, typed)
    joined = False
    for name in typed:
        if not hasattr(after, name) or not hasattr(row, name):
            continue
        value, held = getattr(after, name), getattr(before, name)
        if row.version != version and isinstance(held, str) and name in _PROSE and held != value:
            both = merged(held, value).replace("\n", " / ")
            joined, value = joined or both != value, both
        setattr(row, name, value)
    row.version += 1
    return _written(session, workshop_id, action_values(store.action_of(row, None)), row.version, joined=joined)


def remove_action(session: Session, workshop_id: int, number: int, uid: str | None = None) -> None:
    """Take out an action that was added by mistake; it can be put back (undoing.py). One the group gives up is marked
    as dropped, with a reason. uid: as the form knew it. Raises Refused when the number is another action's by now."""
    workshop, row = _workshop(session, workshop_id), _action(session, workshop_id, number, uid)
    undoing.remember(workshop, "action", row, f"A{row.number} {row.action}")
    session.delete(row)
    workshop.tick += 1


def park(session: Session, workshop_id: int, text: str, agenda_id: int | None) -> None:
    """Park something for later, so that the talk can go on and it is not lost."""
    workshop = _workshop(session, workshop_id)
    if agenda_id is not None:
        _demand_item(session, workshop_id, agenda_id)
    if not (item := _fitting(tidy(text))):
        raise Refused(_("Say what is parked."))
    bounds.demand_room_for_parked(session, workshop_id)
    session.add(ParkedRow(workshop_id=workshop_id, agenda_id=agenda_id, item=item))
    workshop.tick += 1


def change_parked(
    session: Session, workshop_id: int, parked_id: int, typed: Mapping[str, str], version: int
) -> Written:
    """Change a parked item: its words, where it goes, who takes it there."""
    row = _parked(session, workshop_id, parked_id)
    joined = False
    for name in ("item", "destination", "owner"):
        if name not in typed:
            continue
        mine, held = _fitting(tidy(typed[name])), getattr(row, name)
        kept = mine if row.version == version or mine == held else merged(held, mine).replace("\n", " / ")
        joined = joined or kept != mine
        setattr(row, name, kept)
    if not row.item:
        raise Refused(_("Say what is parked, or remove it."))
    row.version += 1
    values = {"item": row.item, "destination": row.destination, "owner": row.owner}
    return _written(session, workshop_id, values, row.version, joined=joined)


def remove_parked(session: Session, workshop_id: int, parked_id: int) -> None:
    """Take out a parked item; it can be put back (undoing.py)."""
    workshop, row = _workshop(session, workshop_id), _parked(session, workshop_id, parked_id)
    undoing.remember(workshop, "parked", row, row.item)
    session.delete(row)
    workshop.tick += 1


def action_values(action: plan.Action) -> dict[str, str]:
    """An action as the fields of its form hold it."""
    return {name: _as_typed(getattr(action, name)) for name in _FORM}


def progress_values(action: plan.Action) -> dict[str, str]:
    """The fields of the form that asks how far an action of an earlier session has come."""
    return {name: _as_typed(getattr(action, name)) for name in PROGRESS}


PROGRESS = ("status", "status_reason", "due", "owner")
_PROSE = frozenset({"action", "gap", "owner", "first_step", "due_words", "measure", "resources", "status_reason"}) | {
    "plan_objective",
    "notes",
}
_FORM = (*sorted(_PROSE), "first_step_by", "due", "support", "priority", "status", "review")


def _as_typed(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _written(
    session: Session, workshop_id: int, values: Mapping[str, str], version: int, *, joined: bool = False
) -> Written:
    _touch(session, workshop_id)
    return Written(values, version, joined)


def _touch(session: Session, workshop_id: int) -> None:
    _workshop(session, workshop_id).tick += 1


def _fitting(text: str) -> str:
    if len(text) > LONGEST:
        raise Refused(_("That is %(long)s characters long; there is room for %(room)s.", long=len(text), room=LONGEST))
    return text


def _workshop(session: Session, workshop_id: int) -> Workshop:
    found = store.locked_workshop(session, workshop_id)
    if found is None:
        raise Refused(_("This session has been deleted."))
    return found


def _demand_item(session: Session, workshop_id: int, agenda_id: int) -> AgendaItem:
    item = session.get(AgendaItem, agenda_id)
    if item is None or item.workshop_id != workshop_id:
        raise Refused(_("That question is no longer on the agenda."))
    if item.warm_up:
        raise Refused(_("The warm-up is only to try things out, so nothing is written down for it."))
    return item


def _action(session: Session, workshop_id: int, number: int, uid: str | None) -> ActionRow:
    """The action of this number, if it is the one that is meant: the number of one that was removed is given again."""
    query = select(ActionRow).where(ActionRow.workshop_id == workshop_id, ActionRow.number == number)
    row = session.scalar(query.with_for_update())
    if row is None or uid not in (None, row.uid):
        raise Refused(_("That action has been removed."))
    return row


def _parked(session: Session, workshop_id: int, parked_id: int) -> ParkedRow:
    row = session.get(ParkedRow, parked_id, with_for_update=True)
    if row is None or row.workshop_id != workshop_id:
        raise Refused(_("That parked item has been removed."))
    return row
