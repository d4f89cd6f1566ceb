"""Print for the room: the page with everything that can be printed, and each thing as PDF."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template

from facilitation.errors import Refused
from facilitation.exports.printables import PRINTABLES, Handout
from facilitation.language import _
from facilitation.store import Kind, Workshop, db
from facilitation.web import access, download, house

printing = Blueprint("printing", __name__)


@printing.get("/f/<code>/print")
def page(code: str) -> str:
    """What can be printed, with the address that stands on it."""
    found = access.facilitated(code)
    return render_template("facilitator/print.html", workshop=found, handout=_handout(found), printables=PRINTABLES)


@printing.get("/f/<code>/print/<name>.pdf")
def pdf(code: str, name: str) -> Response:
    """One of them, made afresh. Nothing of a rehearsal is printed."""
    found = access.facilitated(code)
    if name not in PRINTABLES:
        abort(404)
    if found.kind != Kind.SESSION:
        raise Refused(_("A poster of a rehearsal would hang there on the day. Print from the session that you set up."))
    handout, wanted = _handout(found), PRINTABLES[name]
    db.session.rollback()  # nothing is held while it is made
    body = house().aside(lambda: wanted.write(handout))
    return download(body, "application/pdf", wanted.file_name(handout, name))


def _handout(found: Workshop) -> Handout:
    return Handout.of(found, house().join_origin(), not house().settings.public_url)
