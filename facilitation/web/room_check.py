"""The room check: test card, own phone, which address, and both codes, before people come."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from facilitation import network, store, workshop
from facilitation.store import Workshop, db
from facilitation.web import access, house, perform, see

room_check = Blueprint("room_check", __name__)


@room_check.get("/f/<code>/check")
def page(code: str) -> str:
    """Everything on one page, for two minutes in the empty room."""
    found = access.facilitated(code)
    origin = house().join_origin
    return render_template(
        "facilitator/check.html",
        workshop=found,
        address=f"{origin()}/w/{code}/check/{house().checks.of(found.id).token}",
        seen=house().checks.seen(found.id),
        choices=origin.choices(),
        alone=network.keeps_to_itself(house().settings) or origin().startswith("http://127."),
        screens=house().rooms.screens(found.id),
    )


@room_check.post("/f/<code>/check")
def change(code: str) -> Response:
    """`want`: `again` begins anew, `address` (`value`) chooses the one that phones use; all else is for the screen."""
    workshop_id = access.facilitated(code).id
    want, value = request.form.get("want", ""), request.form.get("value", "")
    if want == "again":
        house().checks.again(workshop_id)
    elif want == "address":
        house().join_origin.choose(value)
        house().checks.again(workshop_id)
    else:
        perform(lambda session: workshop.show(session, workshop_id, want, value))
    house().live.changed(workshop_id)
    return see(url_for(".page", code=code))


@room_check.get("/f/<code>/check/seen")
def seen(code: str) -> str:
    """Whether a phone has come, for the page that waits for one."""
    found = access.facilitated(code)
    return render_template("facilitator/_seen.html", workshop=found, seen=house().checks.seen(found.id))


@room_check.get("/w/<code>/check/<token>")
def arrive(code: str, token: str) -> Response:
    """A phone that came for the check: it is told so, and joins nothing."""
    found: Workshop | None = store.by_code(db.session(), code)
    from_outside = not network.is_this_machine(access.address())
    if found is None or not house().checks.arrive(found.id, token, from_outside):
        abort(404)
    return make_response(render_template("participant/check.html", workshop=found, from_outside=from_outside))
