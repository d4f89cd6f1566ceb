"""A museum's page: its sessions over time, and its open actions to look back on. For whoever holds one of its sessions.

Every address names one session; the others of that museum are seen only by whoever holds them too.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, jsonify, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from facilitation import museum, store
from facilitation.deciding import Written, progress_values
from facilitation.errors import Refused
from facilitation.exports import actions_csv, calendar_ics
from facilitation.plan import CHECK_IN_DAYS, ToDo
from facilitation.report import slug_of
from facilitation.store import ActionRow, Workshop, db
from facilitation.web import a_number, access, download, house, perform, see, today

museums = Blueprint("museums", __name__, url_prefix="/museums/<code>")


@museums.get("")
def page(code: str) -> str:
    """Sessions over time, and what is still to be done, overdue first."""
    here, workshops = access.of_museum(code)
    done = [one for one in _all(workshops) if not one.action.open]
    answers = store.answers_by_workshop(db.session())
    return render_template(
        "facilitator/museum.html",
        here=here,
        workshops=workshops,
        answers=answers,
        open=museum.still_open(_all(workshops)),
        settled=len(done),
        today=today(),
        check_in=workshops[0].held_on + dt.timedelta(days=CHECK_IN_DAYS),
        at_home=access.at_home(),
    )


@museums.get("/check-in")
def check_in(code: str) -> str:
    """Only the actions, each with how far it has come: some three months after a session, on a phone too."""
    here, workshops = access.of_museum(code)
    everything = _all(workshops)
    return render_template(
        "facilitator/check_in.html",
        here=here,
        open=museum.still_open(everything),
        settled=[one for one in everything if not one.action.open],
        values=progress_values,
        today=today(),
    )


@museums.post("/actions/<int:action_id>")
def progress(code: str, action_id: int) -> Response:
    """Say how far an action has come. A script gets the row as it stands now (JSON), a plain form its page."""
    here, workshops = access.of_museum(code)
    ids, here_id = [workshop.id for workshop in workshops], here.id
    typed, version = request.form.to_dict(), a_number(request.form.get("version"))
    as_data = request.accept_mimetypes.best == "application/json"

    def job(session: Session) -> tuple[Written, int]:
        held = [found for id in ids if (found := session.get(Workshop, id))]  # one may have been deleted meanwhile
        written = museum.write_progress(session, held, action_id, typed, version)
        store.raise_tick(session, [here_id])  # its screen may show the action, wherever that was agreed
        return written, session.get_one(ActionRow, action_id).workshop_id

    try:
        written, agreed_in = perform(job)
    except Refused as refusal:
        if not as_data:
            raise
        return make_response(jsonify(problem=refusal.sentence), refusal.status)
    for workshop_id in {here_id, agreed_in}:
        house().live.changed(workshop_id)
    if as_data:
        return jsonify(values=written.values, version=written.version, joined=written.joined)
    return see(url_for("facilitator.console" if typed.get("from") == "console" else ".check_in", code=code))


@museums.get("/actions.csv")
def as_csv(code: str) -> Response:
    """All open actions, a row each."""
    here, workshops = access.of_museum(code)
    body = actions_csv.table(one.action for one in museum.still_open(_all(workshops)))
    return download(body, "text/csv; charset=utf-8", f"{slug_of(here.museum)}-open-actions.csv")


@museums.get("/actions.ics")
def as_calendar(code: str) -> Response:
    """The days of all open actions, and the check-in after the latest session."""
    here, workshops = access.of_museum(code)
    latest = workshops[0].code, workshops[0].held_on
    body = calendar_ics.of_museum(here.museum, latest, museum.still_open(_all(workshops)))
    return download(body, "text/calendar; charset=utf-8", f"{slug_of(here.museum)}-open-actions.ics")


def _all(workshops: list[Workshop]) -> list[ToDo]:
    return museum.to_do(db.session(), workshops)
