"""Rehearsals: begun from the first page or from a session's set-up, steered from their console, deleted at the end."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, make_response, redirect, request, url_for
from sqlalchemy.orm import Session

from facilitation import editions, rehearsal, store, workshop
from facilitation.errors import Refused
from facilitation.language import _
from facilitation.people import CROWDS, Preset
from facilitation.store import Kind, Workshop, db
from facilitation.web import a_number, access, example, house, perform, see, today, wants_fragment
from facilitation.web.crowd import Crowds
from facilitation.web.facilitator import desk

rehearsals = Blueprint("rehearsals", __name__)

AT_FIRST = (12, Preset.CLOSE)  # people, and what the room is like


@rehearsals.post("/rehearsals")
def begin() -> Response:
    """Begin a rehearsal of five minutes, and lead to where its people come in: see `_begun`."""
    access.demand_home()
    shipped, day = house().framework, today()
    return _begun(lambda session: rehearsal.start(session, shipped, day))


@rehearsals.post("/example")
def show_example() -> Response:
    """Lead to the report of the example, which is made when it is first asked for."""
    access.demand_home()
    there = store.of_kind(db.session(), Kind.EXAMPLE)
    if there:
        code = there[0].code
    else:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # what it stands for
        db.session.rollback()  # nothing is held meanwhile
        code = example.make(app, house().framework, today())
    found = access.from_home(code)
    page, workshop_id = see(url_for("facilitator.report_page", code=code)), found.id
    if access.holds(found, "facilitator"):
        return page
    token = perform(lambda session: workshop.grant(session, "facilitator", workshop_id))
    return access.give(page, f"f_{workshop_id}", token)


@rehearsals.post("/f/<code>/rehearse")
def rehearse(code: str) -> Response:
    """Rehearse a session that was set up: a copy of its agenda and settings, with simulated people. A rehearsal that is
    rehearsed again makes way for its copy."""
    found = access.facilitated(code)
    framework, workshop_id = editions.of(db.session(), house().framework, found), found.id
    again = found.kind == Kind.REHEARSAL
    begun = _begun(lambda session: rehearsal.copy(session, framework, workshop_id))
    if again:
        _forget(workshop_id)
    return begun


@rehearsals.post("/f/<code>/rehearsal")
def steer(code: str) -> Response:
    """Say how many simulated people there are and what the room is like, or what happens to them.

    `want` is people, preset, drop, wifi or stop.
    """
    found = access.rehearsed(code)
    want, value = request.form.get("want", ""), request.form.get("value", "")
    there = crowds()[found.id]
    now = house().rooms.simulated(found.id)
    many, preset = (now.people, now.preset) if now else AT_FIRST
    if want == "people" and a_number(value) in CROWDS:
        _come(found, a_number(value), Preset.CLOSE if preset is Preset.FEW else preset)
    elif want == "preset" and value in set(Preset):
        _come(found, many, Preset(value))
    elif want == "stop":
        crowds().go(found.id)
    elif want in ("drop", "wifi"):
        if there is None:
            raise Refused(_("There are no simulated people here. Let some come in first."))
        (there.drop_somebody if want == "drop" else there.kill_wifi)()
    else:
        raise Refused(_("That is not something simulated people can do."))
    return desk(code) if wants_fragment() else see(url_for("facilitator.console", code=code))


@rehearsals.post("/f/<code>/rehearsal/end")
def end(code: str) -> Response:
    """End a rehearsal: its people are sent away, and all of it is deleted."""
    _forget(access.rehearsed(code, from_home=True).id)
    return see(url_for("participant.door"))


def crowds() -> Crowds:
    """The simulated people of this process."""
    found: Crowds = current_app.extensions["crowds"]
    return found


def _begun(make: Callable[[Session], Workshop]) -> Response:
    """Make a rehearsal, give this browser its console, and have it send the same form on to `steer`.

    There the people come in that the form asks for. They live in one process, and with several workers that has to be
    the one to which the rehearsal's code leads: nobody has the code before this answer.
    """

    def job(session: Session) -> tuple[int, str, str]:
        made = make(session)
        return made.id, made.code, workshop.grant(session, "facilitator", made.id)

    workshop_id, code, token = perform(job)
    sent_on = make_response(redirect(url_for(".steer", code=code), 307))
    return access.give(sent_on, f"f_{workshop_id}", token)


def _forget(workshop_id: int) -> None:
    keys = house().keys
    crowds().go(workshop_id)
    perform(lambda session: rehearsal.forget(session, keys, workshop_id))
    house().live.forget(workshop_id)
    house().rooms.forget(workshop_id)


def _come(found: Workshop, many: int, preset: Preset) -> None:
    """Let so many people in. Those of before are gone if the program was started anew: they are not waited for."""
    workshop_id, code, here = found.id, found.code, house().rooms.connected(found.id)
    if crowds()[workshop_id] is None and found.joined > here:
        lost = found.joined - here
        perform(lambda session: rehearsal.recount(session, workshop_id, -lost))
    crowds().come(workshop_id, code, many, preset)
