"""How a ballot comes in: one way, with a shorter door for the usual one.

A room taps at once, and Flask's request, routing and response cost more than all that a ballot needs. So `BallotDoor`,
between the gate and Flask, answers what a phone's script sends to an open round. It decides nothing: it finds the phone
by the same record and the same cookie, calls the same `outcome`, and passes on to the ordinary route whatever it is not
sure of. tests/test_lean.py holds the answers of both against each other, byte by byte.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from flask import Flask, render_template
from werkzeug.wsgi import get_host

from facilitation import ballots, language
from facilitation.errors import NotVoting, Refused
from facilitation.gate import ROUTE, WSGI, Environ, StartResponse
from facilitation.language import _
from facilitation.live import Present
from facilitation.web import House, a_number, headers_for
from facilitation.workshop import Filed, Posted, seal_ballot

_BALLOT = re.compile("/w/([0-9]{6})/ballot")
_FORM = "application/x-www-form-urlencoded"
_MOST_REPLIES = 512  # that are kept at once
_LARGEST = 1024  # bytes; what a phone's script sends is below a hundred
_STATUS = {200: "200 OK", 422: "422 UNPROCESSABLE ENTITY", 503: "503 SERVICE UNAVAILABLE"}  # as Flask spells them


def file(house: House, here: Present, device: bytes | None, round_id: int, posted: Posted) -> Filed:
    """File what a phone sent, durably; what its slot holds now. Raises Refused: it was not counted."""
    if device is None:
        raise NotVoting(_("This session has ended."))
    round_ = here.open if here.open and here.open.round_id == round_id else None
    filing = seal_ballot(house.keys, round_, device, posted)
    house.rooms.hear(filing.workshop_id, device)
    filed = house.committer.gather(house.box.file, filing)
    house.live.changed(filing.workshop_id)
    return filed


def outcome(house: House, here: Present, device: bytes | None, round_id: int, posted: Posted) -> tuple[str, int]:
    """File a ballot; the fragment that tells the phone what became of it, and the status. Never silence."""
    try:
        filed = file(house, here, device, round_id, posted)
        return _counted(here, filed), 200
    except Refused as refusal:
        return render_template("participant/_not_counted.html", sentence=refusal.sentence), refusal.status


def _counted(here: Present, own: Filed) -> str:
    """What a phone is told about its answer: the same for all who answered alike and speak the same language, until
    a sentence of it is corrected. It is kept with what they are told, and so no longer than a session is held."""
    known = own, language.edition()
    if known not in here.replies:
        if len(here.replies) >= _MOST_REPLIES:
            here.replies.clear()
        here.replies[known] = render_template("participant/_mine.html", own=own, labels=here.labels)
    return here.replies[known]


class BallotDoor:
    """Wraps the WSGI app below the gate."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._inner: WSGI = app.wsgi_app
        self._house: House = app.extensions["house"]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the usual ballot; everything else goes on."""
        asked = _BALLOT.fullmatch(environ.get("PATH_INFO", "")) if environ["REQUEST_METHOD"] == "POST" else None
        if asked is None or environ.get("HTTP_HX_REQUEST") != "true":
            return self._inner(environ, start_response)
        spoken = language.chosen(_cookie(environ, language.COOKIE), environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        with language.speaking(spoken):
            return self._answer(environ, start_response, asked[1])

    def _answer(self, environ: Environ, start_response: StartResponse, code: str) -> Iterable[bytes]:
        here = self._house.live.kept(code)
        if here is None or here.open is None or here.open.options or here.device_key is None:
            return self._inner(environ, start_response)
        if not _is_short_form(environ):
            return self._inner(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        form = _read(body)
        device = ballots.read_device(here.device_key, _cookie(environ, f"p_{here.workshop_id}{self._house.mark}"))
        round_id = a_number(form.get("round"))
        if device is None or round_id != here.open.round_id:
            return self._inner(environ, start_response)
        role = _cookie(environ, f"r_{here.workshop_id}{self._house.mark}")
        posted = Posted(form.get("choice", ""), a_number(form.get("seq")), form.get("direction", ""), role)
        with self._app.app_context():
            words, status = outcome(self._house, here, device, round_id, posted)
        html = words.encode()
        environ[ROUTE][0] = "/w/<code>/ballot"
        about = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(html))),
            ("Vary", "Accept-Encoding"),
            *headers_for(get_host(environ), self._house.settings.hosted),
        ]
        start_response(_STATUS.get(status, str(status)), about)
        return [html]


def _is_short_form(environ: Environ) -> bool:
    length = environ.get("CONTENT_LENGTH", "")
    return (
        environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == _FORM
        and length.isascii()
        and length.isdigit()
        and int(length) <= _LARGEST
    )


def _read(body: bytes) -> dict[str, str]:
    """The fields of a form; of one that comes twice the first, as Flask takes it."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _cookie(environ: Environ, name: str) -> str:
    found = re.search(rf"(?:^|;)[ \t]*{name}=([^;\s]*)", environ.get("HTTP_COOKIE", ""))
    return found[1] if found else ""
