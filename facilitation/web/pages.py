"""Pages that belong to no role: about, and whether the program is well."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from facilitation import __version__, store
from facilitation.store import db
from facilitation.web import house

pages = Blueprint("pages", __name__)


@pages.get("/about")
def about() -> str:
    """What this is, whose words it uses, and under which licence."""
    return render_template("about.html", framework=house().framework)


@pages.get("/healthz")
def healthz() -> tuple[Response, int]:
    """For whoever watches over the program: 200 with the version when the database answers, otherwise 503."""
    well = store.is_reachable(db.session())
    return jsonify(version=__version__, database="ok" if well else "unreachable"), 200 if well else 503
