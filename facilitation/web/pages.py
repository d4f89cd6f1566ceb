"""Pages that belong to no role: about, what happens to an answer, and whether the program is well."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, jsonify, render_template, request

from facilitation import __version__, language, store
from facilitation.store import db
from facilitation.web import access, house, see

_OWN_PAGE = re.compile(r"/(?!/)[\w/.?=&-]*", re.ASCII)

pages = Blueprint("pages", __name__)


@pages.get("/about")
def about() -> str:
    """What this is, whose words it uses, and under which licence."""
    credits, attributions = house().credits.read(db.session(), house().framework)
    return render_template("about.html", credits=credits, attributions=attributions)


@pages.get("/promise")
def promise() -> str:
    """What happens to an answer, and what is not covered. To a phone in a session (`r`) it says the session's own k."""
    found = store.by_code(db.session(), request.args.get("r", ""))
    here = found if found is not None and access.device(found) is not None else None
    return render_template(
        "promise.html", k=here.k if here else None, room=here.code if here else "", kind=here.kind if here else ""
    )


@pages.post("/language")
def speak() -> Response:
    """Keep the language that somebody chose, in a cookie that holds nothing else, and lead back to where they were."""
    back, wanted = request.form.get("back", ""), request.form.get("language", "")
    response = see(back if _OWN_PAGE.fullmatch(back) else "/")
    return access.give_language(response, wanted) if wanted in language.offered() else response


@pages.get("/healthz")
def healthz() -> tuple[Response, int]:
    """For whoever watches over the program: 200 with the version when the database answers, otherwise 503."""
    well = store.is_reachable(db.session())
    return jsonify(version=__version__, database="ok" if well else "unreachable"), 200 if well else 503


@pages.get("/metrics")
def metrics() -> Response:
    """Figures of this process for Prometheus, for who asks on this very computer, past any proxy: sums over all rooms,
    nothing of a session or a person."""
    if request.remote_addr not in ("127.0.0.1", "::1") or "X-Forwarded-For" in request.headers:
        abort(404)
    (phones, screens), box = house().rooms.sockets(), house().box
    figures = (
        ("phones_connected", "gauge", phones),
        ("screens_connected", "gauge", screens),
        ("rooms_occupied", "gauge", len(house().rooms.occupied())),
        ("ballots_filed_total", "counter", box.filed),
        ("ballot_batches_total", "counter", box.batches),
    )
    lines = [f"# TYPE hallmarks_{name} {kind}\nhallmarks_{name} {value}\n" for name, kind, value in figures]
    return Response("".join(lines), content_type="text/plain; version=0.0.4; charset=utf-8")
