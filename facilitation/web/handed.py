"""A device that is handed round: the people who share it answer one after the other, each once, on an empty page.

It is not a phone that somebody has: it has no live connection and is not among those present; the people who share it
are (`heads`). With each answer that is counted its device secret is thrown away for a new one, so nobody who takes the
device next, nor the one who gave it on, can see or change what was answered. It works without JavaScript; with it, the
page turns to the next question by itself, and an answer that could not be sent is sent again.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from facilitation import ballots
from facilitation import now as reader
from facilitation.errors import Refused
from facilitation.language import _, mark
from facilitation.now import Audience, Now
from facilitation.room import Source
from facilitation.stages import Stage
from facilitation.store import Workshop, db
from facilitation.web import a_number, access, house, see, wants_fragment
from facilitation.workshop import Posted, own_ballot, seal_ballot

handed = Blueprint("handed", __name__)

_COUNTED_ALREADY = mark("The answer on that page is counted already. Begin with an empty page.")


def show(workshop: Workshop, device: bytes, counted: bool = False) -> Response:
    """The page at the present moment: an empty ballot for the next person, or that the last one was counted."""
    if not access.is_handed(workshop.id):
        return _taken_back(workshop)
    if workshop.stage == Stage.VOTING and workshop.roles and not counted and access.role(workshop.id) is None:
        return make_response(render_template("participant/role.html", workshop=workshop))
    now = reader.look(db.session(), house().rooms, workshop, Audience.PHONE)
    counted = counted and now.stage is Stage.VOTING
    # An answer that was counted while its reply was lost: the empty page is the next person's all the same.
    spent = not counted and own_ballot(db.session(), house().keys, workshop, device) is not None
    secret = ballots.new_device_secret() if spent else device
    page = render_template("participant/handed.html", now=now, turn=_turn(workshop.key, secret), counted=counted)
    return _be(make_response(page), workshop.id, workshop.key or b"", secret) if spent else make_response(page)


@handed.get("/w/<code>/counted")
def counted(code: str) -> Response:
    """The last answer is in, and the device is free for the next person."""
    workshop, device = _handed(code)
    return show(workshop, device, counted=True)


@handed.get("/w/<code>/handed")
def asks(code: str) -> Response:
    """Whether the page that shows `order` is still right: 204 if it is, 200 if there is something else to show."""
    workshop, _device = _handed(code)
    now: Now = reader.look(db.session(), house().rooms, workshop, Audience.PHONE)
    return make_response("", 204 if request.args.get("order") == now.order else 200)


@handed.post("/w/<code>/handed")
def cast(code: str) -> Response:
    """Count one person's answer, and forget who this device was; answered after the answer is on disk."""
    form = request.form
    round_id = a_number(form.get("round"))
    here, device = access.casting(code, round_id)
    if device is None or here.device_key is None or not access.is_handed(here.workshop_id):
        abort(404)
    dots = here.open is not None and here.open.options > 0
    choice = "d" + ".".join(form.getlist("choice")) if dots else form.get("choice", "")
    posted = Posted(choice, 1, role=access.role(here.workshop_id) or "")
    try:
        if form.get("turn") != _turn(here.device_key, device):
            raise Refused(_(_COUNTED_ALREADY))
        round_ = here.open if here.open and here.open.round_id == round_id else None
        filing = seal_ballot(house().keys, round_, device, posted, Source.HANDED)
        if house().committer.gather(house().box.file, filing).choice != filing.choice:
            raise Refused(_(_COUNTED_ALREADY))
    except Refused as refusal:
        template = "participant/_not_counted.html" if wants_fragment() else "refused.html"
        page = render_template(template, sentence=refusal.sentence, back=url_for("participant.page", code=code))
        return make_response(page, refusal.status)
    house().live.changed(here.workshop_id)
    response = make_response("") if wants_fragment() else see(url_for(".counted", code=code))
    access.take(response, f"r_{here.workshop_id}")
    return new_person(response, here.workshop_id, here.device_key)


def new_person(response: Response, workshop_id: int, workshop_key: bytes) -> Response:
    """Give this browser a device secret that has answered nothing, in place of the one it had."""
    return _be(response, workshop_id, workshop_key, ballots.new_device_secret())


def _be(response: Response, workshop_id: int, workshop_key: bytes, secret: bytes) -> Response:
    return access.give(response, f"p_{workshop_id}", ballots.sign_device(workshop_key, secret))


def _handed(code: str) -> tuple[Workshop, bytes]:
    here, device = access.participating(code)
    if device is None or not access.is_handed(here.workshop_id):
        abort(404)
    return db.session.get_one(Workshop, here.workshop_id), device


def _turn(workshop_key: bytes | None, device: bytes) -> str:
    """What tells one person's page from the next one's, and says nothing: part of the cookie's signature."""
    return ballots.sign_device(workshop_key or b"", device).partition(".")[2][:12]


def _taken_back(workshop: Workshop) -> Response:
    """The facilitator has revoked it: what it held is thrown away, and it may join as anybody's phone."""
    problem = _("This device is not handed round any more. If it is yours, join again.")
    response = make_response(render_template("participant/join.html", code="", problem=problem), 404)
    for letter in "hpr":
        access.take(response, f"{letter}_{workshop.id}")
    return response
