"""The WSGI gate in front of Flask and Socket.IO: a request that should not be here reaches neither.

It checks the Host (a rebound DNS name is refused), the Origin of everything that changes something and of every
WebSocket, and takes compression off the WebSocket handshake, which would cost 110 KB a phone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGI = Callable[[Environ, StartResponse], Iterable[bytes]]

_SAFE = {"GET", "HEAD", "OPTIONS"}
_REFUSAL = [  # what Flask's answers carry, for those that Flask never sees
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
]
_LOOK_AGAIN = 5.0  # seconds: the laptop's address may have changed


class Gate:
    """Wraps a WSGI app. `hosts` gives the names this program answers to, without ports, and is asked now and then."""

    def __init__(self, app: WSGI, hosts: Callable[[], set[str]]) -> None:
        self._app = app
        self._hosts = hosts
        self._known: set[str] = set()
        self._asked = float("-inf")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        host = environ.get("HTTP_HOST", "")
        if not self._is_ours(_name(host)):
            return _refuse(start_response, "421 Misdirected Request", "This address is not one of this program’s own.")
        upgrade = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        if (upgrade or environ["REQUEST_METHOD"] not in _SAFE) and not _same(environ.get("HTTP_ORIGIN", ""), host):
            return _refuse(start_response, "403 Forbidden", "This came from another page. Open the session’s own page.")
        return self._app(environ, start_response)

    def _is_ours(self, name: str) -> bool:
        if name not in self._known and time.monotonic() - self._asked > _LOOK_AGAIN:
            self._known, self._asked = self._hosts(), time.monotonic()
        return name in self._known


def _name(host: str) -> str:
    """A Host header without its port, in lower case; IPv6 keeps its brackets."""
    name = host.strip().lower()
    return name if name.endswith("]") else name.rpartition(":")[0] if ":" in name else name


def _same(origin: str, host: str) -> bool:
    """Whether an Origin header names the host that was asked. The scheme may differ: a proxy may end TLS before us."""
    return urlsplit(origin).netloc.lower() == host.strip().lower() != ""


def _refuse(start_response: StartResponse, status: str, sentence: str) -> Iterable[bytes]:
    body = sentence.encode()
    start_response(status, [*_REFUSAL, ("Content-Length", str(len(body)))])
    return [body]
