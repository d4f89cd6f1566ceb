"""The facilitator's notes: what the room said, agreed, wants to do, and parked. Saved as it is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from facilitation import ballots, priorities
from facilitation import deciding as decide
from facilitation.deciding import Written
from facilitation.errors import Refused
from facilitation.store import Workshop, db
from facilitation.web import a_number, access, house, perform, see, wants_fragment
from facilitation.web.facilitator import desk

deciding = Blueprint("deciding", __name__, url_prefix="/f/<code>")


@deciding.post("/notes/<int:agenda_id>")
def note(code: str, agenda_id: int) -> Response:
    """Save what the room said about a question."""
    text, version = request.form.get("text"), _version()
    if text is None:
        abort(400)  # a form without its text empties nothing
    return _save(code, lambda session, id: decide.write_note(session, id, agenda_id, text, version))


@deciding.post("/agreements/<int:agenda_id>")
def agreement(code: str, agenda_id: int) -> Response:
    """Save the agreed rating of a question and its reason."""
    rating, reason, version = request.form.get("rating"), request.form.get("reason"), _version()
    return _save(code, lambda session, id: decide.agree(session, id, agenda_id, rating, reason, version))


@deciding.post("/actions")
def add_action(code: str) -> Response:
    """Add an action; `agenda` names the question it belongs to, if any."""
    text, agenda_id = request.form.get("action", ""), a_number(request.form.get("agenda")) or None
    return _do(code, lambda session, id: decide.add_action(session, id, text, agenda_id))


@deciding.post("/actions/<int:number>")
def change_action(code: str, number: int) -> Response:
    """Save fields of an action, or remove it (`want` = remove)."""
    if request.form.get("want") == "remove":
        uid = request.form.get("uid")
        return _do(code, lambda session, id: decide.remove_action(session, id, number, uid))
    typed, version = request.form.to_dict(), _version()
    return _save(code, lambda session, id: decide.change_action(session, id, number, typed, version))


@deciding.post("/parked")
def park(code: str) -> Response:
    """Park something for later."""
    text, agenda_id = request.form.get("item", ""), a_number(request.form.get("agenda")) or None
    return _do(code, lambda session, id: decide.park(session, id, text, agenda_id))


@deciding.post("/parked/<int:parked_id>")
def change_parked(code: str, parked_id: int) -> Response:
    """Save a parked item, or remove it (`want` = remove)."""
    if request.form.get("want") == "remove":
        return _do(code, lambda session, id: decide.remove_parked(session, id, parked_id))
    typed, version = request.form.to_dict(), _version()
    return _save(code, lambda session, id: decide.change_parked(session, id, parked_id, typed, version))


@deciding.get("/priorities")
def ask_priorities(code: str) -> Response:
    """Choose what a dot vote is about."""
    return _priorities(access.facilitated(code).id, code)


@deciding.post("/priorities")
def add_dot_vote(code: str) -> Response:
    """Put a dot vote over actions or questions on the agenda; it is opened from the run sheet, like a question."""
    workshop_id, form = access.facilitated(code).id, request.form
    over, keys = form.get("over", ""), form.getlist("key")
    try:
        perform(lambda session: priorities.add_dot_vote(session, workshop_id, over, keys))
    except Refused as refusal:
        return _priorities(workshop_id, code, refusal, keys)
    house().live.changed(workshop_id)
    return see(url_for("facilitator.console", code=code))


def _priorities(workshop_id: int, code: str, refusal: Refused | None = None, chosen: Sequence[str] = ()) -> Response:
    page = render_template(
        "facilitator/priorities.html",
        code=code,
        kind=db.session.get_one(Workshop, workshop_id).kind,
        choices=priorities.choices(db.session(), workshop_id),
        fewest=priorities.FEWEST_OPTIONS,
        most=ballots.MOST_OPTIONS,
        chosen=chosen,
        problem=refusal.sentence if refusal else "",
    )
    return make_response(page, refusal.status if refusal else 200)


def _version() -> int:
    return a_number(request.form.get("version"))


def _save(code: str, job: Callable[[Session, int], Written]) -> Response:
    """Save what is being typed. A script gets the row as it stands now (JSON), a plain form the console."""
    workshop_id = access.facilitated(code).id
    as_data = request.accept_mimetypes.best == "application/json"
    try:
        written = perform(lambda session: job(session, workshop_id))
    except Refused as refusal:
        if not as_data:
            raise
        return make_response(jsonify(problem=refusal.sentence), refusal.status)
    house().live.changed(workshop_id)
    if not as_data:
        return see(url_for("facilitator.console", code=code))
    return jsonify(values=written.values, version=written.version, joined=written.joined)


def _do(code: str, job: Callable[[Session, int], object]) -> Response:
    """Add or remove something: the console's fragment for htmx, otherwise the console."""
    workshop_id = access.facilitated(code).id
    perform(lambda session: job(session, workshop_id))
    house().live.changed(workshop_id)
    return desk(code) if wants_fragment() else see(url_for("facilitator.console", code=code))
