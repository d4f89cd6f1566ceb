"""The phone: join, wait, vote, see results."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for

from facilitation import ballots, store
from facilitation import now as reader
from facilitation.errors import Refused
from facilitation.language import _
from facilitation.now import Audience, Now
from facilitation.stages import Stage
from facilitation.store import Workshop, db
from facilitation.web import a_number, access, casting, handed, house, perform, see, wants_fragment
from facilitation.workshop import Posted, join, own_ballot

participant = Blueprint("participant", __name__)


@participant.get("/")
def door() -> Response:
    """Where a typed address leads: the join page, or home for the facilitator's own browser."""
    if access.at_home():
        return see(url_for("facilitator.home"))
    return make_response(render_template("participant/join.html", code="", problem=""))


@participant.post("/join")
def join_by_code() -> Response:
    """Join with the six digits, typed with or without a space; they wait their turn where many wrong ones came from."""
    typed = request.form.get("code", "")
    code = "".join(character for character in typed if character.isdecimal())
    is_guess, address = len(code) == 6, access.address()  # anything but six digits opens nothing anyway
    if is_guess:
        try:
            house().codes.wait(address)
        except Refused as refusal:
            return _join_page(typed[:20], refusal.sentence, refusal.status)
    workshop = store.by_code(db.session(), code)
    if workshop is None:
        if is_guess:
            house().codes.wrong(address)
        shown = f"{code[:3]} {code[3:]}" if is_guess else typed.strip()[:20]
        problem = (
            _("No session uses the code %(shown)s. Check the code on the screen.", shown=shown)
            if shown
            else _("Enter the join code.")
        )
        return _join_page(typed[:20], problem, 422)
    return _let_in(workshop)


@participant.get("/j/<token>")
def join_by_qr(token: str) -> Response:
    """Join with the QR code: its token is too long to guess, so it is never limited."""
    workshop = store.by_join_token(db.session(), token)
    if workshop is None:
        problem = _("This QR code belongs to no session. Check the code on the screen.")
        return _join_page("", problem, 404)
    return _let_in(workshop)


@participant.get("/w/<code>")
def page(code: str) -> Response:
    """The phone's page at the present moment, with the holder's own answer. A stranger gets the join page."""
    workshop = store.by_code(db.session(), code)
    device = access.device(workshop) if workshop else None
    if workshop is None or (device is None and workshop.stage != Stage.FINISHED):
        return _join_page(code[:7], "", 404)
    if device is not None and access.was_handed(workshop.id):
        return handed.show(workshop, device)
    if device is not None and workshop.roles and access.role(workshop.id) is None:
        return make_response(render_template("participant/role.html", workshop=workshop, given=None))
    own = None
    if device is not None:
        house().rooms.hear(workshop.id, device)
        own = own_ballot(db.session(), house().keys, workshop, device)
    return make_response(render_template("participant/page.html", now=_now(workshop), own=own))


@participant.get("/w/<code>/role")
def ask_role(code: str) -> Response:
    """Where a role that was tapped by mistake is put right, until the first vote."""
    here, _device = access.participating(code)
    workshop = db.session.get_one(Workshop, here.workshop_id)
    if not workshop.roles or workshop.stage != Stage.LOBBY:
        return see(url_for(".page", code=code))
    return make_response(render_template("participant/role.html", workshop=workshop, given=access.role(workshop.id)))


@participant.post("/w/<code>/role")
def say_role(code: str) -> Response:
    """What this phone's holder is here: kept on the phone only, and sealed into its ballots. It stays once voting has
    begun, so that the parts of a group are the same in every vote."""
    here, _device = access.participating(code)
    given = access.role(here.workshop_id)
    if given is not None and db.session.get_one(Workshop, here.workshop_id).stage != Stage.LOBBY:
        raise Refused(_("Voting has begun, so the role you gave stays as it is."))
    role = request.form.get("role", "")
    kept = role if role in ballots.ROLES else "none"
    return access.give(see(url_for(".page", code=code)), f"r_{here.workshop_id}", kept)


@participant.get("/w/<code>/now")
def present(code: str) -> Response:
    """The fragment that a push would bring; nothing (204) when the phone shows it already.

    For a phone that was there before people were asked for their role there is nothing here (404): its script then
    loads the page again, which asks.
    """
    here, device = access.participating(code)
    if here.asks_role and access.role(here.workshop_id) is None:
        abort(404)
    if device is not None:
        house().rooms.hear(here.workshop_id, device)
    if request.args.get("order") == here.order:
        return make_response("", 204)
    return make_response(here.html)


@participant.post("/w/<code>/ballot")
def cast(code: str) -> Response:
    """File this phone's ballot, or change it while the round takes ballots: answered after it is on disk."""
    form = request.form
    round_id = a_number(form.get("round"))
    here, device = access.casting(code, round_id)
    # a dot vote sends a field for each dot, and none at all for a ballot without dots
    dots = here.open is not None and here.open.options > 0
    choice = "d" + ".".join(form.getlist("choice")) if dots else form.get("choice", "")
    role = access.role(here.workshop_id) or ""
    posted = Posted(choice, a_number(form.get("seq")), form.get("direction", ""), role)
    if wants_fragment():
        return make_response(casting.outcome(house(), here, device, round_id, posted))
    try:
        casting.file(house(), here, device, round_id, posted)
    except Refused as refusal:
        page = render_template("refused.html", sentence=refusal.sentence, back=url_for(".page", code=code))
        return make_response(page, refusal.status)
    return see(url_for(".page", code=code))


def _let_in(workshop: Workshop) -> Response:
    """Set the phone's cookie unless it has one, and lead it to its page. Finished sessions show their last page."""
    code = workshop.code
    response = make_response(redirect(url_for(".page", code=code), code=303))
    if workshop.stage == Stage.FINISHED or access.device(workshop) is not None:
        return response
    workshop_id, key = workshop.id, workshop.key or b""
    try:
        secret = perform(lambda session: join(session, workshop_id))
    except Refused as refusal:
        return _join_page(code, refusal.sentence, refusal.status)
    house().rooms.hear(workshop_id, secret)
    house().live.changed(workshop_id)
    return access.give(response, f"p_{workshop_id}", ballots.sign_device(key, secret))


def _join_page(code: str, problem: str, status: int) -> Response:
    return make_response(render_template("participant/join.html", code=code, problem=problem), status)


def _now(workshop: Workshop) -> Now:
    return reader.look(db.session(), house().rooms, workshop, Audience.PHONE)
