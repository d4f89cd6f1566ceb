"""Who may come in: authorise where you load. Each function returns the workshop, or there is nothing here (404).

Capabilities are cookies: `home` (this program's facilitator), and of one workshop `f_<id>` (its console), `s_<id>` (its
shared screen, read-only) and `p_<id>` (a phone). One browser may hold all of them. Their names end in the mark of the
database (`store.mark`); here and in what calls this they are without it.
"""

from __future__ import annotations

from ipaddress import ip_address

from flask import Response, abort, current_app, request

from facilitation import ballots, museum, store
from facilitation import language as languages
from facilitation.config import Network, Settings
from facilitation.live import Live, Present
from facilitation.now import Audience
from facilitation.store import Kind, Workshop, db

AUDIENCES = {"p": Audience.PHONE, "s": Audience.SCREEN, "f": Audience.FACILITATOR}
_YEAR = 366 * 24 * 3600


def demand_home() -> None:
    """There is nothing here (404) but for the facilitator of the whole program."""
    if not at_home():
        abort(404)


def at_home() -> bool:
    """Whether this browser holds the facilitator's capability for the whole program."""
    token = _kept("home")
    return bool(token) and store.holds(db.session(), token, "home")


def from_home(code: str) -> Workshop:
    """The workshop, for whoever holds the whole program."""
    workshop = store.by_code(db.session(), code) if at_home() else None
    if workshop is None:
        abort(404)
    return workshop


def facilitated(code: str) -> Workshop:
    """The workshop, for its facilitator."""
    return _held(code, "f", "facilitator")


def rehearsed(code: str, *, from_home: bool = False) -> Workshop:
    """The rehearsal, for whoever holds its console; with `from_home` also for whoever holds the whole program."""
    found = store.by_code(db.session(), code)
    if found is None or found.kind != Kind.REHEARSAL:
        abort(404)
    if not holds(found, "facilitator") and not (from_home and at_home()):
        abort(404)
    return found


def shown(code: str) -> Workshop:
    """The workshop, for its shared screen."""
    return _held(code, "s", "screen")


def participating(code: str) -> tuple[Present, bytes | None]:
    """What this phone, which has joined the workshop, is told, and its device secret. A finished workshop has only its
    last page left, which is for anyone."""
    return _present(_live().present(code))


def casting(code: str, round_id: int) -> tuple[Present, bytes | None]:
    """As `participating`, for a phone that casts in this round: read again if another one was open a moment ago."""
    present = _live().present(code)
    if present is None or present.open is None or present.open.round_id != round_id:
        present = _live().present(code, fresh=True)
    return _present(present)


def of_museum(code: str) -> tuple[Workshop, list[Workshop]]:
    """A session, for its facilitator or the whole program's, with all sessions of the same museum that this browser may
    open; the newest meeting first."""
    here = store.by_code(db.session(), code)
    if here is None or here.kind != Kind.SESSION or not (at_home() or holds(here, "facilitator")):
        abort(404)
    theirs = [one for one in store.all_workshops(db.session()) if museum.same(one, here)]
    return here, [one for one in theirs if at_home() or holds(one, "facilitator")]


def device(workshop: Workshop) -> bytes | None:
    """The device secret of this phone in this workshop; None if it has not joined, or the workshop is finished."""
    return _read_device(workshop.id, workshop.key)


def is_handed(workshop_id: int) -> bool:
    """Whether this browser is one that is handed round, so that the next answer is another person's."""
    token = _kept(f"h_{workshop_id}")
    return bool(token) and store.holds(db.session(), token, "handed", workshop_id)


def was_handed(workshop_id: int) -> bool:
    """Whether this browser is, or was, one that is handed round."""
    return bool(_kept(f"h_{workshop_id}"))


def role(workshop_id: int) -> str | None:
    """The role this phone's holder gave, "none" if they would rather not say; None if they have not been asked."""
    return _kept(f"r_{workshop_id}") or None


def secret_of(audience: Audience, workshop: Workshop) -> str:
    """The hashed secret with which this browser holds the workshop's console or screen; that of "" if it does not."""
    letter = "f" if audience is Audience.FACILITATOR else "s"
    return store.hashed(_kept(f"{letter}_{workshop.id}"))


def holds(workshop: Workshop, role: str) -> bool:
    """Whether this browser holds the workshop's console ("facilitator") or shared screen ("screen") already."""
    return _holds(workshop, role[0], role)


def for_phone_socket(code: str) -> tuple[Present, bytes] | None:
    """What a phone's socket is told, and the phone's device secret; None if it may not hear."""
    present = _live().present(code)
    secret = _read_device(present.workshop_id, present.device_key) if present else None
    return (present, secret) if present and secret else None


def for_socket(audience: Audience, code: str) -> Workshop | None:
    """The workshop a socket may hear as its screen or its facilitator; None if it may not."""
    workshop = store.by_code(db.session(), code)
    letter, role = ("f", "facilitator") if audience is Audience.FACILITATOR else ("s", "screen")
    return workshop if workshop is not None and _holds(workshop, letter, role) else None


def language() -> str:
    """The language this browser was told to speak, or the first it asks for that there is."""
    return languages.chosen(request.cookies.get(languages.COOKIE, ""), request.headers.get("Accept-Language", ""))


def address() -> str:
    """Where this request comes from. A proxy that is trusted says it for others, in what it added last."""
    direct = request.remote_addr or ""
    settings: Settings = current_app.extensions["house"].settings
    if not settings.hosted or not _is_one_of(direct, settings.trusted_proxy):
        return direct
    return request.headers.get("X-Forwarded-For", direct).rpartition(",")[2].strip()


def _is_one_of(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    plain = getattr(known, "ipv4_mapped", None) or known  # as IPv6 sockets name those that come by IPv4
    return any(plain in network for network in networks)


def give(response: Response, name: str, value: str) -> Response:
    """Put a capability into a cookie."""
    return _set(response, name + _mark(), value)


def give_language(response: Response, chosen: str) -> Response:
    """Have this browser remember the language somebody chose: in whichever program on this computer, so unmarked."""
    return _set(response, languages.COOKIE, chosen)


def take(response: Response, name: str) -> None:
    """Have this browser forget what it was given under this name."""
    response.delete_cookie(name + _mark())


def _set(response: Response, name: str, value: str) -> Response:
    """A cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name, value, max_age=_YEAR, httponly=True, samesite="Lax", secure=current_app.config["HOSTED"], path="/"
    )
    return response


def _kept(name: str) -> str:
    return request.cookies.get(name + _mark(), "")


def _mark() -> str:
    mark: str = current_app.extensions["house"].mark
    return mark


def _live() -> Live:
    live: Live = current_app.extensions["house"].live
    return live


def _present(present: Present | None) -> tuple[Present, bytes | None]:
    if present is None:
        abort(404)
    secret = _read_device(present.workshop_id, present.device_key)
    if secret is None and not present.finished:
        abort(404)
    return present, secret


def _read_device(workshop_id: int, key: bytes | None) -> bytes | None:
    cookie = _kept(f"p_{workshop_id}")
    return ballots.read_device(key, cookie) if cookie and key is not None else None


def _held(code: str, letter: str, role: str) -> Workshop:
    workshop = store.by_code(db.session(), code)
    if workshop is None or not _holds(workshop, letter, role):
        abort(404)
    return workshop


def _holds(workshop: Workshop, letter: str, role: str) -> bool:
    token = _kept(f"{letter}_{workshop.id}")
    return bool(token) and store.holds(db.session(), token, role, workshop.id)
