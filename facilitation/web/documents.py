"""What leaves the room and comes back: every document of a session, and a session from its file."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from facilitation import loading, report, workshop
from facilitation.errors import Refused
from facilitation.exports import FORMATS, session_json
from facilitation.exports.reading import BadSession
from facilitation.language import _
from facilitation.store import Workshop, db
from facilitation.web import access, house, perform, see

documents = Blueprint("documents", __name__)


@documents.get("/sessions/<code>/files/<name>")
@documents.get("/f/<code>/files/<name>")
def download(code: str, name: str) -> Response:
    """A document, made afresh: from home, or from the session's own console."""
    found = _exportable(code)
    if name not in FORMATS:
        abort(404)
    made = report.make(db.session(), found, house().framework)
    db.session.rollback()  # nothing is held while the document is made, which may take seconds
    wanted = FORMATS[name]
    response = make_response(house().aside(lambda: wanted.write(made)))
    response.headers["Content-Type"] = wanted.mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{wanted.file_name(made)}"'
    return response


@documents.post("/sessions/load")
def load() -> Response:
    """Load a session from its file. A fault is named with its place, and then nothing was loaded."""
    if not access.at_home():
        abort(404)
    request.max_content_length = session_json.LARGEST_FILE + 64 * 1024
    sent = request.files.get("file")
    content, name = (sent.read(), (sent.filename or "")[:80]) if sent else (b"", "")
    db.session.rollback()  # nothing is held while the file is read, which may take a second
    try:
        data = house().aside(lambda: session_json.parse(_text(content), name))
    except Refused as refusal:
        return _not_loaded(refusal)

    def job(session: Session) -> tuple[int, str]:
        loaded = loading.load(session, data)
        return loaded.id, workshop.grant(session, "facilitator", loaded.id)

    try:
        workshop_id, token = perform(job)
    except Refused as refusal:
        return _not_loaded(refusal)
    return access.give(see(url_for("facilitator.console", code=data.meeting.code)), f"f_{workshop_id}", token)


def _not_loaded(refusal: Refused) -> Response:
    """Why nothing was loaded. Only a fault in the file can be put right in the file."""
    page = render_template(
        "facilitator/not_loaded.html", sentence=refusal.sentence, bad_file=isinstance(refusal, BadSession)
    )
    return make_response(page, refusal.status)


def _text(content: bytes) -> str:
    if not content:
        raise Refused(_("Choose the file first. It is called something like museum-2026-11-21-session.json."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(
            _("This is not a session file: it is no text. Choose the one that ends in session.json.")
        ) from None


def _exportable(code: str) -> Workshop:
    """The workshop whose documents are asked for: from home, or from its own console."""
    return access.from_home(code) if request.path.startswith("/sessions/") else access.facilitated(code)
