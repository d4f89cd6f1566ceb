"""How much a session holds at most. Asked where something is added, and where what was removed comes back."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from facilitation.errors import Refused
from facilitation.language import _
from facilitation.store import ActionRow, ParkedRow, Workshop

MOST_QUESTIONS = 80
MOST_DOT_VOTES = 10
MOST_ACTIONS = 100
MOST_PARKED = 100


def demand_room_for_question(workshop: Workshop) -> None:
    """Raise Refused if no other question fits on the agenda."""
    if len(workshop.questions) >= MOST_QUESTIONS:
        raise Refused(
            _("A session holds at most %(most)s questions. A day has room for about 18.", most=MOST_QUESTIONS)
        )


def demand_room_for_dot_vote(workshop: Workshop) -> None:
    """Raise Refused if no other dot vote fits on the agenda."""
    if sum(item.options is not None for item in workshop.agenda) >= MOST_DOT_VOTES:
        raise Refused(_("A session holds at most %(most)s dot votes.", most=MOST_DOT_VOTES))


def demand_room_for_action(session: Session, workshop_id: int) -> None:
    """Raise Refused if the plan is full of actions."""
    if _many(session, ActionRow, workshop_id) >= MOST_ACTIONS:
        raise Refused(_("A session holds at most %(most)s actions. Fewer get done.", most=MOST_ACTIONS))


def demand_room_for_parked(session: Session, workshop_id: int) -> None:
    """Raise Refused if nothing else can be parked."""
    if _many(session, ParkedRow, workshop_id) >= MOST_PARKED:
        raise Refused(_("A session holds at most %(most)s parked items.", most=MOST_PARKED))


def _many(session: Session, kind: type[ActionRow] | type[ParkedRow], workshop_id: int) -> int:
    return session.scalar(select(func.count()).select_from(kind).where(kind.workshop_id == workshop_id)) or 0
