"""The page on which the facilitator types paper cards, and says how many people have no phone of their own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Blueprint, Response, make_response, render_template, request, url_for

from facilitation import now as reader
from facilitation import paper, workshop
from facilitation.ballots import CHOICES
from facilitation.errors import NotVoting, Refused
from facilitation.hallmarks import say
from facilitation.language import _
from facilitation.now import Audience
from facilitation.store import db
from facilitation.web import a_number, access, house, perform, see
from facilitation.workshop import OpenRound

cards = Blueprint("cards", __name__)


@cards.get("/f/<code>/cards")
def page(code: str) -> Response:
    """The answers of the open question with a number of cards for each, and what was typed last."""
    return _page(code, {}, done=request.args.get("done", ""))


@cards.post("/f/<code>/cards")
def add(code: str) -> Response:
    """File a batch: `n-<choice>` cards for each answer, or `cards`, a line for each card of a dot vote."""
    found, form = access.facilitated(code), request.form
    workshop_id, round_ = found.id, OpenRound.of(found)
    try:
        if round_ is None or round_.round_id != a_number(form.get("round")):
            raise NotVoting(_("Voting on that question has closed. None of these cards was counted."))
        item = next(item for item in found.agenda if item.id == found.agenda_id)
        if round_.options:
            choices = paper.dotted(form.get("cards", ""), [say(label) for label in item.labels])
        else:
            choices = paper.counted({choice: form.get(f"n-{choice}", "") for choice in CHOICES})
        batch = paper.sealed(house().keys, round_, choices)
        perform(paper.add(house().rooms, house().box, batch, form.get("form", ""), sure="sure" in form))
    except Refused as refusal:
        return _page(code, form, refusal)
    house().live.changed(workshop_id)
    return see(url_for(".page", code=code, done="added"))


@cards.post("/f/<code>/cards/back")
def take_back(code: str) -> Response:
    """Take the last batch back, while its question is open."""
    workshop_id, round_id = access.facilitated(code).id, a_number(request.form.get("round"))
    try:
        if not round_id:
            raise Refused(_("There is no batch that could be taken back."))
        perform(paper.take_back(house().rooms, house().keys, workshop_id, round_id))
    except Refused as refusal:
        return _page(code, {}, refusal)
    house().live.changed(workshop_id)
    return see(url_for(".page", code=code, done="back"))


@cards.post("/f/<code>/heads")
def heads(code: str) -> Response:
    """Say how many people have no phone of their own, so that the program knows how many answers are missing."""
    workshop_id, number = access.facilitated(code).id, a_number(request.form.get("heads"), -1)
    try:
        perform(lambda session: workshop.change_heads(session, workshop_id, number))
    except Refused as refusal:
        return _page(code, {}, refusal)
    house().live.changed(workshop_id)
    return see(url_for(".page", code=code, done="heads"))


def _page(code: str, form: Mapping[str, str], refusal: Refused | None = None, done: str = "") -> Response:
    """done: what was just done, "added", "back" or "heads": it is said at the top, and has the focus."""
    found = access.facilitated(code)
    now = reader.look(db.session(), house().rooms, found, Audience.FACILITATOR)
    room = house().rooms[found.id]
    mine = found.round_id is not None and room.picture_round == found.round_id
    page = render_template(
        "facilitator/cards.html",
        now=now,
        form=form,
        problem=refusal.sentence if refusal else "",
        asks=isinstance(refusal, paper.NotSure),
        name=secrets.token_hex(8),
        typed=room.cards(found.round_id or 0),
        last=len(room.batch.slots) if mine and room.batch else 0,
        most=paper.MOST_CARDS,
        done=done,
    )
    return make_response(page, refusal.status if refusal else 200)
