"""Who may come in: authorise where you load. Each function returns the workshop, or there is nothing here (404).

Capabilities are cookies: `home` (this program's facilitator), and of one workshop `f_<id>` (its console), `s_<id>` (its
shared screen, read-only) and `p_<id>` (a phone). One browser may hold all of them.
"""

from __future__ import annotations

from flask import Response, abort, current_app, request

from facilitation import ballots, store
from facilitation.now import Audience
from facilitation.room import OpenRound, Rooms
from facilitation.stages import Stage
from facilitation.store import Workshop, db
from facilitation.workshop import open_round

AUDIENCES = {"p": Audience.PHONE, "s": Audience.SCREEN, "f": Audience.FACILITATOR}
_YEAR = 366 * 24 * 3600


def at_home() -> bool:
    """Whether this browser holds the facilitator's capability for the whole program."""
    token = request.cookies.get("home", "")
    return bool(token) and store.holds(db.session(), token, "home")


def facilitated(code: str) -> Workshop:
    """The workshop, for its facilitator."""
    return _held(code, "f", "facilitator")


def shown(code: str) -> Workshop:
    """The workshop, for its shared screen."""
    return _held(code, "s", "screen")


def participating(code: str) -> Workshop:
    """The workshop, for a phone that has joined it. A finished one has only its last page left, which is for anyone."""
    workshop = store.by_code(db.session(), code)
    if workshop is None or (device(workshop) is None and workshop.stage != Stage.FINISHED):
        abort(404)
    return workshop


def casting(code: str, round_id: int) -> tuple[OpenRound | None, bytes | None]:
    """For a phone that has joined the workshop and casts in this round: the round if it is open, and the phone's device
    secret; neither when the workshop is finished. Reads nothing while the round is the one that was open last time."""
    rooms: Rooms = current_app.extensions["house"].rooms
    round_ = rooms.open_round(code)
    if round_ is not None and round_.round_id == round_id:
        cookie = request.cookies.get(f"p_{round_.workshop_id}", "")
        secret = ballots.read_device(round_.device_key, cookie)
        if secret is not None:
            return round_, secret
    workshop = participating(code)
    round_ = open_round(workshop)
    if round_ is not None:
        rooms.note_open(code, round_)
    secret = device(workshop)
    db.session.rollback()  # nothing read here is needed while the ballot waits for its commit
    return round_ if round_ is not None and round_.round_id == round_id else None, secret


def device(workshop: Workshop) -> bytes | None:
    """The device secret of this phone in this workshop; None if it has not joined, or the workshop is finished."""
    cookie = request.cookies.get(f"p_{workshop.id}", "")
    if not cookie or workshop.key is None:
        return None
    return ballots.read_device(workshop.key, cookie)


def secret_of(audience: Audience, workshop: Workshop) -> str:
    """The hashed secret with which this browser holds the workshop's console or screen; that of "" if it does not."""
    letter = "f" if audience is Audience.FACILITATOR else "s"
    return store.hashed(request.cookies.get(f"{letter}_{workshop.id}", ""))


def holds(workshop: Workshop, role: str) -> bool:
    """Whether this browser holds the workshop's console ("facilitator") or shared screen ("screen") already."""
    return _holds(workshop, role[0], role)


def for_socket(audience: Audience, code: str) -> tuple[Workshop, bytes | None] | None:
    """The workshop a socket may hear as this audience, with its device secret if it is a phone; None if it may not."""
    workshop = store.by_code(db.session(), code)
    if workshop is None:
        return None
    if audience is Audience.PHONE:
        secret = device(workshop)
        return (workshop, secret) if secret else None
    letter, role = ("f", "facilitator") if audience is Audience.FACILITATOR else ("s", "screen")
    return (workshop, None) if _holds(workshop, letter, role) else None


def address() -> str:
    """Where this request comes from: told by the proxy where there is one, which then is the only one to reach us."""
    direct = request.remote_addr or ""
    if not current_app.config["HOSTED"] or direct not in ("127.0.0.1", "::1"):
        return direct
    return request.headers.get("X-Forwarded-For", direct).rpartition(",")[2].strip()


def give(response: Response, name: str, value: str) -> Response:
    """Put a capability into a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name, value, max_age=_YEAR, httponly=True, samesite="Lax", secure=current_app.config["HOSTED"], path="/"
    )
    return response


def _held(code: str, letter: str, role: str) -> Workshop:
    workshop = store.by_code(db.session(), code)
    if workshop is None or not _holds(workshop, letter, role):
        abort(404)
    return workshop


def _holds(workshop: Workshop, letter: str, role: str) -> bool:
    token = request.cookies.get(f"{letter}_{workshop.id}", "")
    return bool(token) and store.holds(db.session(), token, role, workshop.id)
