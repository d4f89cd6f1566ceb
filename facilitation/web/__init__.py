"""The edge: routes of a few lines each, split by role. What they share is here.

A route loads the workshop through `access`, calls one use case through `perform`, and answers. Whoever asked with htmx
gets a fragment, whoever sent a plain form is redirected to the page, so everything works without JavaScript.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, redirect, render_template, request
from markupsafe import Markup, escape
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter, Map

from facilitation import __version__, language, logs, plan, qr, saying
from facilitation.committer import Aside, Committer
from facilitation.config import Settings
from facilitation.corrections import Corrections
from facilitation.editions import Credits
from facilitation.errors import Refused
from facilitation.exports import FORMATS
from facilitation.gate import LARGEST_TYPED, ROUTE
from facilitation.hallmarks import Framework, say
from facilitation.keys import KeyFile
from facilitation.language import _
from facilitation.limits import TypedCodes
from facilitation.live import Live
from facilitation.network import JoinAddress
from facilitation.now import Card, RunRow
from facilitation.plan import long_date
from facilitation.room import Rooms
from facilitation.room_check import Checks
from facilitation.store import db
from facilitation.web import access
from facilitation.web.assets import Assets
from facilitation.web.compiled import CompiledTemplates
from facilitation.workshop import BREAKS, BallotBox

Outcome = TypeVar("Outcome")
LARGEST_NUMBER = 2**31 - 1  # that a row can have, in every database

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'{socket}; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class House:
    """What one running program consists of, kept in `app.extensions["house"]`."""

    settings: Settings
    mark: str  # what the names of its cookies end in
    framework: Framework
    keys: KeyFile
    committer: Committer
    rooms: Rooms
    box: BallotBox
    live: Live
    codes: TypedCodes
    assets: Assets
    join_origin: JoinAddress
    checks: Checks
    aside: Aside
    credits: Credits
    corrections: Corrections


def house() -> House:
    """The running program."""
    found: House = current_app.extensions["house"]
    return found


def perform(job: Callable[[Session], Outcome]) -> Outcome:
    """Run one write unit. What this request has read before ends here: its snapshot would be stale afterwards, and its
    connection would be held while waiting."""
    db.session.rollback()
    return house().committer.perform(job)


def wants_fragment() -> bool:
    """Whether htmx asked."""
    return request.headers.get("HX-Request") == "true"


def takes_gzip() -> bool:
    """Whether the browser reads compressed answers. One that says gzip;q=0 does not."""
    return request.accept_encodings.quality("gzip") > 0


def see(url: str) -> Response:
    """Redirect after a POST: the browser gets the page, and a reload does not send the form again."""
    response = make_response(redirect(url, code=303))
    if wants_fragment():
        response = make_response("", 200)
        response.headers["HX-Redirect"] = url
    return response


def download(body: bytes, mimetype: str, name: str) -> Response:
    """A file for people to keep."""
    response = make_response(body)
    response.mimetype = mimetype.partition(";")[0]
    response.headers["Content-Type"] = mimetype
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def a_number(text: str | None, default: int = 0) -> int:
    """A whole number from a form; the default when it is none, or is longer than a database holds in a column."""
    number = int(text) if text and len(text) < 11 and text.isdecimal() else default
    return number if number <= LARGEST_NUMBER else default


class RowNumber(IntegerConverter):
    """<int:…> in an address: a number that a row can have. A longer one is no address of ours, and not found."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST_NUMBER)


def today() -> dt.date:
    """The day where the program runs: what a new session's date starts as, and what is overdue is measured by."""
    return dt.datetime.now().astimezone().date()


def groupby_run(rows: Sequence[RunRow]) -> list[list[RunRow]]:
    """The run sheet in groups of neighbours of one hallmark: the running order stays, whatever it is."""
    return [list(group) for _hallmark, group in groupby(rows, key=lambda row: row.hallmark)]


def next_review(cards: Sequence[Card]) -> dt.date | None:
    """The next day on which somebody looks at one of these actions."""
    return plan.next_review(card.action for card in cards if card.action)


def first_due(cards: Sequence[Card]) -> dt.date | None:
    """The day on which the first of these actions is due."""
    return plan.first_due(card.action for card in cards if card.action)


def dress(app: Flask) -> None:
    """Give an app what every page shares: template words, headers, compression, refusals as pages, a quiet log."""
    app.url_map.converters["int"] = RowNumber
    app.jinja_env.bytecode_cache = CompiledTemplates(Path(__file__))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension puts it there
    app.jinja_env.globals.update(_=_sentence, gettext=_sentence, ngettext=_sentence_for)
    app.jinja_env.globals["language"] = language
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.add_template_filter(long_date)
    app.add_template_filter(plain)
    app.add_template_filter(groupby_run)
    app.add_template_filter(next_review)
    app.add_template_filter(first_due)
    app.add_template_filter(saying.to_say)
    app.add_template_global(lambda name: house().assets.url(name), "asset")
    app.add_template_global(lambda: house().join_origin(), "join_origin")
    app.add_template_global(lambda: not house().committer.failing, "storage_works")
    app.add_template_global(say, "say")
    app.add_template_global(qr.svg, "qr")
    app.add_template_global(qr.wifi_svg, "wifi_qr")
    app.jinja_env.globals["version"] = __version__
    app.jinja_env.globals["formats"] = FORMATS
    app.jinja_env.globals["breaks"] = BREAKS
    app.before_request(_speak_the_browsers_language)
    app.before_request(_demand_a_small_form)
    app.teardown_request(_speak_as_before)
    app.after_request(_finish)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def _sentence(text: str, /, **values: object) -> str:
    return language.in_html(lambda catalogue: catalogue.gettext(text), values)


def _sentence_for(one: str, many: str, count: int, /, **values: object) -> str:
    return language.in_html(lambda catalogue: catalogue.ngettext(one, many, count), {"num": count, **values})


def plain(text: str) -> Markup:
    """A text for an attribute or a title, where no element may stand that says its language."""
    return escape(escape(text).striptags())


def _speak_the_browsers_language() -> None:
    g.spoken_before = language.speak(access.language())


def _speak_as_before(_error: BaseException | None) -> None:
    # a push inside a request has a context of its own, which began without speaking
    if before := g.pop("spoken_before", None):
        language.speak(before)


def _demand_a_small_form() -> None:
    """Turn away a form that is larger than any page of ours sends, unless it is a file from this program's facilitator.

    A form is taken apart in one go while everybody waits: 256 KiB of ampersands took half a second. One that comes in
    chunks does not say how large it is; no page of ours sends one, and `serving` has counted those that reach a laptop.
    """
    if "Transfer-Encoding" in request.headers:
        abort(411)
    small = (request.content_length or 0) <= LARGEST_TYPED
    if not small and not (request.mimetype == "multipart/form-data" and access.at_home()):
        abort(413)


def refused(refusal: Refused) -> Response:
    """A refusal that no route dealt with."""
    return _explain(refusal.sentence, refusal.status)


def _http_error(error: HTTPException) -> Response:
    words = {
        404: _("There is nothing at this address, or it is not open to this browser."),
        405: _("This address cannot be used like that."),
        411: _("The length of what is sent must be named."),
        413: _("That is too large."),
    }
    code = error.code or 500
    sentence = words.get(code, _("That did not work."))
    if code == 404 and request.path.startswith(("/f/", "/s/")):
        sentence += " " + _(
            "If this was a remote or a shared screen, it has been taken off: the console gives a new code."
        )
    return _explain(sentence, code)


def _fault(error: Exception) -> Response:
    """A fault of ours: in the log with its place but without what anyone typed, on the page as a sentence."""
    logs.fault(error, str(request.url_rule or "-"))
    return _explain(_("Something went wrong in the program. Nothing was changed: please try again."), 500)


def _explain(sentence: str, status: int) -> Response:
    """Why something was not done: for htmx a line in the page's notice, otherwise a page with a way on."""
    if not wants_fragment():
        return make_response(render_template("refused.html", sentence=sentence), status)
    response = make_response(render_template("parts/notice.html", sentence=sentence), status)
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#notice", "innerHTML"
    return response


@lru_cache(maxsize=64)
def headers_for(host: str, hosted: bool) -> tuple[tuple[str, str], ...]:
    """What every answer to a request for this host carries; static files have a Cache-Control of their own."""
    scheme = "wss" if hosted else "ws"  # a proxy may end TLS before us
    return (
        ("Content-Security-Policy", POLICY.format(socket=f" {scheme}://{urlsplit(f'//{host}').netloc}")),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
        *((("Strict-Transport-Security", "max-age=31536000"),) if hosted else ()),
    )


def _finish(response: Response) -> Response:
    for name, value in headers_for(request.host, house().settings.hosted):
        response.headers.setdefault(name, value)
    _compress(response)
    if request.url_rule and ROUTE in request.environ:  # not in a test that goes past the gate
        request.environ[ROUTE][0] = request.url_rule.rule  # the gate writes the request's line
    return response


def _compress(response: Response) -> None:
    """Compress pages once they are worth it. Our pages carry no secret that an attacker could guess by length."""
    if response.direct_passthrough or response.content_encoding or not (response.mimetype or "").startswith("text/"):
        return
    response.vary.add("Accept-Encoding")
    if takes_gzip() and (response.content_length or 0) > 800:
        response.set_data(gzip.compress(response.get_data(), 6))
        response.content_encoding = "gzip"
