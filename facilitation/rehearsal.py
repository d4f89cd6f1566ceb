"""A rehearsal: a session in which nobody meets, with simulated people (`people`, `web/crowd`). Write units.

It is a workshop like any other, so that what is rehearsed is the program itself; its kind keeps it apart. No list of
sessions holds it, no museum has it, none continues it, and no document is made of it (store.Kind, exports.Format).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import store, workshop
from facilitation.continuing import OF_A_QUESTION, SETTINGS
from facilitation.errors import Refused
from facilitation.hallmarks import Framework
from facilitation.keys import KeyFile
from facilitation.language import _
from facilitation.store import AgendaItem, Kind, Workshop

MUSEUM = "Wexcombe Mill Museum"
QUESTIONS, MINUTES = 3, 2  # of a rehearsal that nobody set up: some five minutes, for nobody really talks
KEPT_FOR = dt.timedelta(days=1)


def start(session: Session, framework: Framework, today: dt.date, keys: Collection[str] = ()) -> Workshop:
    """A short rehearsal, for somebody who has set nothing up: one question of each of the first hallmarks.

    keys: other questions of the framework; those that it does not have are left out.
    """
    made = workshop.create(session, framework, _("Rehearsal"), MUSEUM, today)
    made.kind = Kind.REHEARSAL
    every = [(hallmark, question) for hallmark in framework.hallmarks for question in hallmark.questions]
    chosen = [(hallmark, question) for hallmark, question in every if question.key in keys]
    short = [(hallmark, hallmark.questions[0]) for hallmark in framework.hallmarks[:QUESTIONS]]
    workshop.add_questions(session, made.id, chosen or short, framework)
    if not chosen:
        for item in made.agenda:
            item.minutes = MINUTES
    return made


def copy(session: Session, framework: Framework, workshop_id: int) -> Workshop:
    """A rehearsal of a session that was set up: its agenda and its settings, and nothing of what people did in it.

    framework: the edition that it runs with. Raises Refused if there is nothing to rehearse.
    """
    original = store.locked_workshop(session, workshop_id)
    if original is None:
        raise Refused(_("This session has been deleted."))
    if not original.questions:
        raise Refused(_("Choose the questions first: then there is something to rehearse."))
    made = workshop.create(session, framework, original.title, original.museum, original.held_on)
    made.kind = Kind.REHEARSAL
    for name in SETTINGS:
        setattr(made, name, getattr(original, name))
    for place, item in enumerate(original.questions, start=1):
        kept = {name: getattr(item, name) for name in OF_A_QUESTION}
        made.agenda.append(AgendaItem(**kept, position=place))
    session.flush()
    return made


def recount(session: Session, workshop_id: int, change: int) -> None:
    """So many more or fewer people have joined: the simulated ones who were sent home are not waited for."""
    found = store.locked_workshop(session, workshop_id)
    if found is not None:
        found.joined = max(0, found.joined + change)
        found.tick += 1


def keep_as_example(session: Session, workshop_id: int) -> None:
    """Make an example of a rehearsal that is over: from here on it is only looked at."""
    session.get_one(Workshop, workshop_id).kind = Kind.EXAMPLE


def forget(session: Session, keys: KeyFile, workshop_id: int) -> None:
    """Delete a rehearsal or the example, with all in it. Raises Refused for a session in which people met."""
    # locked, for another worker that starts up may be about to do the same
    found = session.scalar(select(Workshop).where(Workshop.id == workshop_id).with_for_update())
    if found is None:
        return
    if found.kind == Kind.SESSION:
        raise Refused(_("This is not a rehearsal. A session is deleted from the list of all sessions."))
    found.kind = Kind.REHEARSAL  # the example refuses every other change
    session.flush()
    workshop.delete(session, keys, workshop_id)


def forget_old(session: Session, keys: KeyFile, now: dt.datetime) -> int:
    """Delete what has been forgotten: every rehearsal and example older than a day. Returns how many. `now`: UTC."""
    query = select(Workshop.id).where(Workshop.kind != Kind.SESSION, Workshop.created_at < now - KEPT_FOR)
    old = list(session.scalars(query))
    for workshop_id in old:
        forget(session, keys, workshop_id)
    return len(old)
