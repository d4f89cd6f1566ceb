"""The WSGI gate in front of Flask and Socket.IO: a request that should not be here reaches neither.

It checks the Host (a rebound DNS name is refused) and the Origin of everything that changes something and of every
WebSocket, and takes compression off the WebSocket handshake, which would cost 110 KB a phone. A socket must name its
room and role and hold a cookie of that role; each cookie has four at most, and all together a number that the machine
can carry. Whether the cookie is true is asked later, where the socket connects. One line is logged for each request.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from facilitation import language, logs, wire
from facilitation.language import _

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGI = Callable[[Environ, StartResponse], Iterable[bytes]]

CROWD = 1500  # sockets at once, in all
LARGEST_TYPED = 32 * 1024  # bytes of a form without a file: the longest texts there are, with room
SOCKETS_EACH = 4  # sockets at once for one cookie: a few tabs, and one that the phone has lost but the server not yet
POLLING_SILENCE = 30.0  # seconds: the live layer has given up a polling client that said nothing for so long
ROUTE = "facilitation.route"  # a list in the environ, in which Flask leaves the template of the route that answered

_SAFE = {"GET", "HEAD", "OPTIONS"}
_LOOK_AGAIN = 5.0  # seconds: the laptop's address may have changed
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,255})(?::[0-9]{1,5})?")
_MARK = "(?:_[0-9a-f]{6})?"  # what names end in: see store.mark
_COOKIES = re.compile(rf"(?:^|;)[ \t]*([psf])_[0-9]{{1,10}}{_MARK}=([^;\s]{{1,200}})")
_DOORS = re.compile(r"/(?:join|j/[^/]*)?")  # where somebody new comes in
_INSIDE = re.compile(rf"(?:^|;)[ \t]*(?:home|[psf]_[0-9]{{1,10}}){_MARK}=")
_AT_HOME = re.compile(rf"(?:^|;)[ \t]*home{_MARK}=")
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_SID = re.compile(rb'"sid":"([A-Za-z0-9_-]{8,64})"')
_REFUSAL = [  # what Flask's answers carry, for those that Flask never sees
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
]
_FULL = """<!doctype html>
<html lang="{tag}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title></head>
<body><main><h1>{heading}</h1>
<p>{why}</p>
<p>{what}</p></main></body></html>
"""
_LANGUAGE = re.compile(rf"(?:^|;)[ \t]*{language.COOKIE}=([^;\s]*)")


class Gate:
    """Wraps a WSGI app. `hosts` gives the names this program answers to, without ports, and is asked now and then."""

    def __init__(
        self,
        app: WSGI,
        hosts: Callable[[], set[str]],
        clock: Callable[[], float] = time.monotonic,
        crowd: int = CROWD,
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._clock = clock
        self._known: set[str] = set()
        self._asked = float("-inf")
        self.seats = Seats(clock, crowd)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started, said = self._clock(), ["101"]  # a WebSocket is answered on the socket itself, past start_response
        route = environ[ROUTE] = ["-"]  # a list, because layers below copy the environ

        def answer(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            said[0] = status[:3]
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        try:
            return self._admit(environ, answer)
        except StopIteration:  # how a WebSocket ends under gunicorn
            raise
        except Exception as error:
            logs.fault(error, route[0])
            return _refuse(answer, "500 Internal Server Error", "Something went wrong. Please try again.")
        finally:
            logs.request_line(environ["REQUEST_METHOD"], route[0], said[0], self._clock() - started)

    def _admit(self, environ: Environ, answer: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        host = environ.get("HTTP_HOST", "").strip().lower()
        named = _HOST.fullmatch(host)
        if not named or not self._is_ours(named[1]):
            return _refuse(answer, "421 Misdirected Request", "This address is not one of this program’s own.")
        upgrade = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        if (upgrade or environ["REQUEST_METHOD"] not in _SAFE) and not _same(environ.get("HTTP_ORIGIN", ""), host):
            return _refuse(answer, "403 Forbidden", "This came from another page. Open the session’s own page.")
        path = environ.get("PATH_INFO", "")
        if path.startswith("/socket.io"):
            environ[ROUTE][0] = "/socket.io/"
            return self._socket(environ, answer, upgrade)
        if upgrade:
            return _refuse(answer, "400 Bad Request", "There is no live connection at this address.")
        if self.seats.full() and _DOORS.fullmatch(path) and not _INSIDE.search(environ.get("HTTP_COOKIE", "")):
            chosen = _LANGUAGE.search(environ.get("HTTP_COOKIE", ""))
            accepted = environ.get("HTTP_ACCEPT_LANGUAGE", "")
            with language.speaking(language.chosen(chosen[1] if chosen else "", accepted)):
                return _full(answer)
        return self._app(environ, answer)

    def _socket(self, environ: Environ, answer: StartResponse, upgrade: bool) -> Iterable[bytes]:
        asked = _Asked.read(environ, upgrade)
        if isinstance(asked, str):
            return _refuse(answer, "400 Bad Request", asked)
        cookies = [value for role, value in _COOKIES.findall(environ.get("HTTP_COOKIE", "")) if role == asked.role]
        if not cookies:
            return _refuse(answer, "403 Forbidden", "Join the session first.")
        if asked.sid and not self.seats.polls(asked.sid, cookies):
            return _refuse(answer, "400 Bad Request", "This connection is over. Open a new one.")
        if environ["REQUEST_METHOD"] == "POST":
            body = _body(environ)
            if isinstance(body, tuple):
                return _refuse(answer, *body)
            if not wire.is_fit_payload(body):
                # what no phone of ours would send becomes the packet that says goodbye: the live layer then closes
                # that connection in its own way
                body = wire.GOODBYE
            if body == wire.GOODBYE:
                self.seats.goes(asked.sid)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        if asked.sid and not upgrade:
            return self._app(environ, answer)
        if self.seats.full():
            return _full(answer)
        if not self.seats.take(cookies):
            return _refuse(answer, "429 Too Many Requests", "Too many pages of this session are open in this browser.")
        return self._seated(environ, answer, cookies, upgrade)

    def _seated(self, environ: Environ, answer: StartResponse, cookies: list[str], upgrade: bool) -> Iterable[bytes]:
        """Pass a request on that begins a socket. A WebSocket ends with its call; a polling client goes on with the id
        that the answer gives it, and keeps its seat for as long as it is heard."""
        kept = False
        try:
            result = self._app(environ, answer)
            if upgrade:
                return result
            body = b"".join(result)
            given = _SID.search(body)
            if given:
                self.seats.polling(given[1].decode(), cookies)
                kept = True
            return [body]
        finally:
            if not kept:
                self.seats.leave(cookies)

    def _is_ours(self, name: str) -> bool:
        if name not in self._known and self._clock() - self._asked > _LOOK_AGAIN:
            self._known, self._asked = self._hosts(), self._clock()
        return name in self._known


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request for a socket says of itself: its role, and the id of the polling connection it belongs to."""

    role: str
    sid: str

    @classmethod
    def read(cls, environ: Environ, upgrade: bool) -> _Asked | str:
        """Read a request's shape; a sentence where it is not one that the session's own page sends."""
        try:
            pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=12)
        except ValueError:
            pairs = []
        query = dict(pairs)
        if len(query) != len(pairs) or query.get("role") not in ("p", "s", "f"):
            return "The page that opened this connection is not one of the session’s."
        if not re.fullmatch("[0-9]{6}", query.get("r", "")):
            return "The page that opened this connection names no session."
        transport, method, sid = query.get("transport"), environ["REQUEST_METHOD"], query.get("sid", "")
        if "j" in query or transport != ("websocket" if upgrade else "polling"):
            return "This kind of connection is not taken."
        if method != "GET" and (method != "POST" or upgrade or not sid):
            return "This kind of connection is not taken."
        if upgrade and not _is_handshake(environ):
            return "This is not a WebSocket handshake."
        return cls(query["role"], sid)


def _is_handshake(environ: Environ) -> bool:
    """Whether an upgrade is as RFC 6455 wants it; a body would stand between the handshake and the first frame."""
    return (
        environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13"
        and _KEY.fullmatch(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")) is not None
        and "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
        and not environ.get("HTTP_TRANSFER_ENCODING")
        and environ.get("CONTENT_LENGTH", "") in ("", "0")
    )


def _body(environ: Environ) -> bytes | tuple[str, str]:
    """What a polling client sent; or the status and the sentence with which it is refused."""
    length = environ.get("CONTENT_LENGTH", "")
    if not re.fullmatch("[0-9]{1,9}", length):
        return "411 Length Required", "The length of what is sent must be named."
    if int(length) > wire.LARGEST_MESSAGE:
        return "413 Content Too Large", "That is too large."
    try:
        body: bytes = environ["wsgi.input"].read(int(length))
    except OSError:
        return "400 Bad Request", "What was sent did not arrive whole."
    return body


class Seats:
    """How many sockets there are, in all and for each cookie. Memory only; a cookie is known by a salted hash.

    A WebSocket holds a seat while its call lasts, a polling client until it has been silent for a while.
    """

    def __init__(self, clock: Callable[[], float], crowd: int = CROWD) -> None:
        self._clock = clock
        self._crowd = crowd
        self._salt = secrets.token_bytes(16)
        self._taken: Counter[bytes] = Counter()
        self._all = 0
        self._polling: dict[str, tuple[frozenset[bytes], float]] = {}  # the client's id -> its cookies, when heard
        self._looked = clock()

    def full(self) -> bool:
        """Whether there are as many sockets as there may be."""
        if self._all >= self._crowd:
            self._forget_silent()
        return self._all >= self._crowd

    def taken(self) -> int:
        """How many sockets there are."""
        self._forget_silent()
        return self._all

    def take(self, cookies: Iterable[str]) -> bool:
        """Take a seat for whoever holds these cookies; whether one of them had none left."""
        tags = self._tags(cookies)
        if any(self._taken[tag] >= SOCKETS_EACH for tag in tags):
            self._forget_silent()
        if any(self._taken[tag] >= SOCKETS_EACH for tag in tags):
            return False
        self._taken.update(tags)
        self._all += 1
        return True

    def leave(self, cookies: Iterable[str]) -> None:
        """Give back a seat that these cookies took."""
        self._release(self._tags(cookies))

    def polling(self, sid: str, cookies: Iterable[str]) -> None:
        """Keep a taken seat for the polling client with this id."""
        self._polling[sid] = self._tags(cookies), self._clock()

    def polls(self, sid: str, cookies: Iterable[str]) -> bool:
        """Whether this id was given to a polling client with these cookies that is still here: it has been heard."""
        self._forget_silent()
        tags, _ = self._polling.get(sid, (frozenset(), 0.0))
        if not tags & self._tags(cookies):
            return False
        self._polling[sid] = tags, self._clock()
        return True

    def goes(self, sid: str) -> None:
        """Give back the seat of the polling client with this id."""
        if sid in self._polling:
            self._release(self._polling.pop(sid)[0])

    def _forget_silent(self) -> None:
        now = self._clock()
        if now - self._looked < 1:
            return
        self._looked = now
        for sid in [sid for sid, (_since, heard) in self._polling.items() if heard < now - POLLING_SILENCE]:
            self.goes(sid)

    def _release(self, tags: frozenset[bytes]) -> None:
        self._taken.subtract(tags)
        for tag in tags:
            if self._taken[tag] <= 0:
                del self._taken[tag]
        self._all -= 1

    def _tags(self, cookies: Iterable[str]) -> frozenset[bytes]:
        return frozenset(hashlib.blake2s(cookie.encode(), key=self._salt, digest_size=8).digest() for cookie in cookies)


def may_send_a_file(cookies: str) -> bool:
    """Whether these cookies look like those of this program's facilitator, who alone sends more than a typed form."""
    return _AT_HOME.search(cookies) is not None


def _same(origin: str, host: str) -> bool:
    """Whether an Origin header names the host that was asked. The scheme may differ: a proxy may end TLS before us."""
    try:
        return urlsplit(origin).netloc.lower() == host != ""
    except ValueError:
        return False


def _refuse(answer: StartResponse, status: str, sentence: str) -> Iterable[bytes]:
    return _say(answer, status, sentence.encode(), "text/plain")


def _full(answer: StartResponse) -> Iterable[bytes]:
    """A whole page of plain words: it must be readable without styles and scripts, which there is no room to send."""
    page = _FULL.format(
        tag=language.tag(language.current()),
        heading=_("The room is full"),
        why=_(
            "More phones are connected than this computer can serve, so nobody new can come in just now. Those who are "
            "in can go on voting."
        ),
        what=_("Wait a minute and load this page again, or ask the facilitator."),
    )
    return _say(answer, "503 Service Unavailable", page.encode(), "text/html", ("Retry-After", "60"))


def full_answer() -> bytes:
    """The page of a full room as a whole HTTP answer, for a connection that is not read any further."""
    lines: list[str] = []

    def answer(status: str, headers: list[tuple[str, str]]) -> None:
        about = [*headers, ("Connection", "close")]
        lines.extend([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in about), "", ""])

    body = b"".join(_full(answer))
    return "\r\n".join(lines).encode() + body


def _say(answer: StartResponse, status: str, body: bytes, kind: str, *more: tuple[str, str]) -> Iterable[bytes]:
    about = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
    answer(status, [*about, *_REFUSAL, *more])
    return [body]
