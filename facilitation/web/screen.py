"""The shared screen: read-only."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template
from werkzeug.exceptions import NotFound

from facilitation import now as reader
from facilitation.language import speaking
from facilitation.live import fragment
from facilitation.now import Audience, Now
from facilitation.store import db
from facilitation.web import access, house

screen = Blueprint("screen", __name__, url_prefix="/s/<code>")


@screen.get("")
def page(code: str) -> str:
    """The projection, which keeps itself up to date."""
    now = _now(code)
    with speaking(now.language):
        return render_template("screen/page.html", now=now)


@screen.get("/now")
def present(code: str) -> Response:
    """The fragment that a push would bring."""
    return make_response(fragment(_now(code)))


@screen.errorhandler(404)
def gone(_error: NotFound) -> tuple[str, int]:
    """What a window on the wall shows once its session is deleted, or the screen was taken from it."""
    return render_template("screen/gone.html"), 404


def _now(code: str) -> Now:
    workshop = access.shown(code)
    return reader.look(db.session(), house().rooms, workshop, Audience.SCREEN)
