"""A session from its file: what was downloaded as session.json becomes a session of this program again.

A write unit like those of workshop.py. The file was read and checked as a whole before (exports/session_json.py), so
either all of it is loaded or nothing is. What was secret stays away: a file holds counts, and no ballot.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import asdict, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import store
from facilitation.bounds import MOST_ACTIONS, MOST_DOT_VOTES, MOST_PARKED, MOST_QUESTIONS
from facilitation.errors import Refused
from facilitation.exports.session_json import Asked, Continued, Counted, SessionData
from facilitation.language import _, mark
from facilitation.plan import Action
from facilitation.stages import Stage
from facilitation.store import (
    ActionRow,
    AgendaItem,
    AgreementRow,
    IssuedCode,
    Kind,
    NoteRow,
    ParkedRow,
    Round,
    Workshop,
)


def load(session: Session, data: SessionData) -> Workshop:
    """The session of a file, ended; or in the lobby, if it had not begun. Raises Refused if it is here already.

    It keeps its join code, which is how a file and its session know each other: nobody can join a session that ended.
    """
    meeting = data.meeting
    if store.by_code(session, meeting.code) is not None:
        raise Refused(_("This session is here already. To take it from its file, delete the one that is here first."))
    for found, most, too_many in (
        (
            [asked for asked in data.questions if asked.options is None],
            MOST_QUESTIONS,
            mark("The file holds %(num)s questions; a session holds at most %(most)s."),
        ),
        (
            [asked for asked in data.questions if asked.options is not None],
            MOST_DOT_VOTES,
            mark("The file holds %(num)s dot votes; a session holds at most %(most)s."),
        ),
        (data.actions, MOST_ACTIONS, mark("The file holds %(num)s actions; a session holds at most %(most)s.")),
        (data.parked, MOST_PARKED, mark("The file holds %(num)s parked items; a session holds at most %(most)s.")),
    ):
        if len(found) > most:
            raise Refused(_(too_many, num=len(found), most=most))
    begun = meeting.stage != Stage.LOBBY
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    workshop = Workshop(
        **{field.name: getattr(meeting, field.name) for field in fields(meeting)} | {"stage": Stage.LOBBY},
        join_token=secrets.token_urlsafe(8),
        key=None if begun else secrets.token_bytes(32),
        framework=data.framework,
        edition=data.edition,
        created_at=now,
        finished_at=now if begun else None,
    )
    if begun:
        workshop.stage = Stage.FINISHED
    session.add(workshop)
    if session.get(IssuedCode, meeting.code) is None:
        session.add(IssuedCode(code=meeting.code))
    _look_back(session, workshop, data.continues)
    workshop.agenda = [_item(asked, place) for place, asked in enumerate(data.questions, start=1)]
    session.flush()
    ids = {item.key: item.id for item in workshop.agenda}
    for ordinal, counted in enumerate(data.rounds, start=1):
        session.add(_round(workshop.id, ids[counted.question], ordinal, counted))
    for key, agreed in data.agreements.items():
        session.add(
            AgreementRow(workshop_id=workshop.id, agenda_id=ids[key], rating=agreed.rating, reason=agreed.reason)
        )
    for key, text in data.notes.items():
        session.add(NoteRow(workshop_id=workshop.id, agenda_id=ids[key], text=text))
    for action in data.actions:
        session.add(_action(workshop.id, ids.get(action.question), action))
    for parked in data.parked:
        kept = {"item": parked.item, "destination": parked.destination, "owner": parked.owner}
        session.add(ParkedRow(workshop_id=workshop.id, agenda_id=ids.get(parked.question), **kept))
        session.flush()  # they are told apart by their number alone, which is to be the order of the file
    return workshop


def _look_back(session: Session, workshop: Workshop, continues: Continued | None) -> None:
    """Join a session to the one it continues, if that is here: to those of its actions that it looked back on then."""
    earlier = store.by_code(session, continues.code) if continues else None
    if continues is None or earlier is None or earlier.kind != Kind.SESSION or earlier.stage != Stage.FINISHED:
        return
    own = session.scalars(select(ActionRow.id).where(ActionRow.workshop_id == earlier.id))
    there = [row for row, _item in store.rows_of_actions(session, [*own, *(earlier.carried or ())])]
    looked_at = set(continues.actions)
    workshop.continues, workshop.carried = earlier.id, [row.id for row in there if row.uid in looked_at]


def _item(asked: Asked, place: int) -> AgendaItem:
    values = {field.name: getattr(asked, field.name) for field in fields(asked)}
    maps = ("hallmark_title", "text", "short", "prompt", "attribution")
    values |= {name: dict(values[name]) for name in maps} | {"labels": [dict(label) for label in asked.labels]}
    options = None if asked.options is None else list(asked.options)
    return AgendaItem(**values | {"position": place, "options": options})


def _round(workshop_id: int, agenda_id: int, ordinal: int, counted: Counted) -> Round:
    vote = counted.vote
    return Round(
        workshop_id=workshop_id,
        agenda_id=agenda_id,
        ordinal=ordinal,
        number=vote.number,
        mode=vote.mode,
        state="void" if vote.void else "unseen" if vote.ballots is None else "counted",
        released=vote.ballots is not None,  # below k only their number was
        ballots_cast=vote.ballots,
        counts=counts.as_dict() if (counts := vote.tally or vote.dots) else None,
        shift=asdict(vote.shift) if vote.shift else None,
        groups={name: counts.as_dict() for name, counts in vote.groups} or None,
    )


def _action(workshop_id: int, agenda_id: int | None, action: Action) -> ActionRow:
    values = {field.name: getattr(action, field.name) for field in fields(action)}
    del values["hallmark"], values["question"]
    return ActionRow(workshop_id=workshop_id, agenda_id=agenda_id, **values)
