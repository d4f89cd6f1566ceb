"""What we change in the WebSocket layer, and only that. The one module that touches names which are not public.

simple-websocket under gevent sends a frame with one `send()` and ignores how much of it went, so a phone that reads
slowly gets a corrupted stream; it looks at the size of a message only when it is whole, unless it is told a limit; and
what it or the two layers above cannot read ends in a traceback and a connection that nobody closes. A phone of ours
says five things, so whatever else comes ends its connection, quietly and wholly.
tests/test_wire.py fails if a new release moves the names.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
import simple_websocket
from engineio.async_drivers import gevent as driver
from gevent.lock import RLock
from socketio.packet import CONNECT, DISCONNECT
from socketio.packet import Packet as MessagePacket
from socketio.server import Server as SocketServer

LARGEST_MESSAGE = 16 * 1024  # bytes: what a phone has to say is a connect packet, far below 1 KiB
LONGEST_PACKET = 1024  # characters
MOST_PACKETS = 16  # in one body of a polling client
STALLED = 20.0  # seconds: a phone that takes nothing for so long is gone
GREETING = 10.0  # seconds in which a new connection must have been let in; a phone asks at once
GOODBYE = b"1"  # the Engine.IO packet that closes

# Close, pong, and a Socket.IO connect or disconnect; over a WebSocket also the two packets of an upgrade. Clients have
# no events: whatever changes something is a form.
_POLLED = re.compile(r"[13]|4[01](\{.*\})?", re.DOTALL)
_FRAMED = re.compile(r"[135]|2probe|4[01](\{.*\})?", re.DOTALL)


def is_fit_payload(body: bytes) -> bool:
    """Whether this is what a phone of ours would send by polling."""
    try:
        packets = body.decode().split("\x1e")
    except UnicodeDecodeError:
        return False
    return len(packets) <= MOST_PACKETS and all(
        len(packet) <= LONGEST_PACKET and _POLLED.fullmatch(packet) for packet in packets
    )


def is_fit_message(message: object) -> bool:
    """Whether this is what a phone of ours would send over a WebSocket."""
    return isinstance(message, str) and len(message) <= LONGEST_PACKET and _FRAMED.fullmatch(message) is not None


class Allowance:
    """So much at once, and then so much a second: a phone that says more than any phone of ours is not one."""

    def __init__(self, at_once: float, a_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._a_second, self._now = at_once, a_second, now
        self._left, self._at = at_once, now()

    def spend(self, amount: float) -> bool:
        """Use some of it up; False if there was not enough."""
        now = self._now()
        self._left = min(self._most, self._left + (now - self._at) * self._a_second) - amount
        self._at = now
        return self._left >= 0


class WholeSocket:
    """A socket whose `send` sends everything, one caller at a time, and whose `recv` lets nobody talk without end."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = RLock()
        self._bytes = Allowance(4 * LARGEST_MESSAGE, 2 * LONGEST_PACKET)

    def send(self, data: bytes) -> int:
        """Send all of it. Raises OSError when the connection is gone or its reader has stalled."""
        with self._lock:
            whole = False
            with gevent.Timeout(STALLED, False):
                self._sock.sendall(data)
                whole = True
            if not whole:
                self._sock.close()  # half a frame may be out: nothing sensible can follow it
                raise OSError("the reader has stalled")
            return len(data)

    def recv(self, size: int) -> bytes:
        """What has come, at most so much. Raises OSError when more has come than a phone has to say."""
        data: bytes = self._sock.recv(size)
        if not self._bytes.spend(len(data)):
            raise OSError("the sender does not stop")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class WholeServer(simple_websocket.Server):  # type: ignore[misc]  # simple-websocket carries no type marker
    """simple-websocket's server end, on a socket that sends whole frames; when it ends, everybody who waits wakes."""

    sock: Any

    def handshake(self) -> None:
        """Called by the base class when the socket is known and before the first byte is sent."""
        self.sock = WholeSocket(self.sock)
        super().handshake()

    def close(self, reason: int | None = None, message: str | None = None) -> None:
        """Say goodbye if the other end listens, and end the connection either way."""
        with contextlib.suppress(OSError, simple_websocket.ConnectionClosed):
            super().close(reason, message)
        self.hang_up()

    def hang_up(self) -> None:
        """End the connection: the other end may not want to, and would keep a place for ever."""
        self.connected = False
        self.event.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def _thread(self) -> None:
        with contextlib.suppress(Exception):  # whatever a frame did to the parser, it ends this connection only
            super()._thread()
        self.hang_up()
        self.sock.close()


class LimitedWebSocket(driver.WebSocketWSGI):  # type: ignore[misc]  # python-engineio carries no type marker
    """The gevent WebSocket of python-engineio: small messages, whole sends, and only what a phone of ours would say."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        try:
            self.ws = WholeServer(environ, max_message_size=LARGEST_MESSAGE, **self.server_args)
        except Exception:  # headers that the parser does not take; each of its layers has errors of its own
            start_response("400 Bad Request", [("Content-Length", "0")])
            return []
        self._packets = Allowance(40, 4)
        try:
            result = self.app(self)
        finally:
            self.ws.hang_up()
        if self.ws.mode == "gunicorn":
            raise StopIteration
        return result

    def wait(self) -> str | None:
        """The next packet; None when the connection is over, which it is after one that is not fit."""
        message = super().wait()
        if not is_fit_message(message) or not self._packets.spend(1):
            return None
        assert isinstance(message, str)
        return message


class TextPacket(MessagePacket):  # type: ignore[misc]  # python-socketio carries no type marker
    """A Socket.IO packet from a page, which only comes and goes. Anything else is taken for a farewell: attachments
    would be kept without limit, there is no event to hear, and one may be called “disconnect”."""

    packet_type: int

    def decode(self, encoded_packet: Any) -> Any:
        """Decode a packet to a CONNECT or a DISCONNECT. Returns the number of attachments it announces: none."""
        if isinstance(encoded_packet, str) and len(encoded_packet) <= LONGEST_PACKET:
            with contextlib.suppress(ValueError, RecursionError):  # the latter for JSON that is nested a thousand deep
                super().decode(encoded_packet)
                if self.packet_type in (CONNECT, DISCONNECT):
                    return 0
        self.packet_type, self.namespace, self.data = DISCONNECT, None, None
        return 0


def fit(server: SocketServer) -> None:
    """Put our WebSocket in place of the driver's. Raises RuntimeError if the library has changed its shape."""
    drivers = getattr(server.eio, "_async", None)
    if not isinstance(drivers, dict) or drivers.get("websocket") is not driver.WebSocketWSGI:
        raise RuntimeError("python-engineio has changed: facilitation/wire.py must be brought up to date.")
    server.eio._async = {**drivers, "websocket": LimitedWebSocket}


def guard(server: SocketServer) -> None:
    """Have a connection ended that nobody was let in by, or whose packet could not be heard; forget each that ended.

    The library keeps one that ended for a while, and takes a late word from it for a fault of its own.
    """
    let_in, hear, part = server._handle_eio_connect, server._handle_eio_message, server._handle_eio_disconnect

    def came(eio_sid: str, environ: dict[str, Any]) -> Any:
        gevent.spawn_later(GREETING, see, eio_sid)
        return let_in(eio_sid, environ)

    def see(eio_sid: str) -> None:
        if server.manager.sid_from_eio_sid(eio_sid, "/") is None:
            hang_up(server, eio_sid)

    def said(eio_sid: str, data: Any) -> None:
        try:
            hear(eio_sid, data)
        except Exception:  # a packet that cannot be read; each of its layers has errors of its own
            hang_up(server, eio_sid)

    def went(eio_sid: str, reason: Any) -> None:
        part(eio_sid, reason)
        server.eio.sockets.pop(eio_sid, None)

    server.eio.on("connect", came)
    server.eio.on("message", said)
    server.eio.on("disconnect", went)


def hang_up(server: SocketServer, eio_sid: str) -> None:
    """End a connection below Socket.IO, after what is already on its way; nothing if it is over."""
    connection = server.eio.sockets.pop(eio_sid, None)
    if connection is not None:
        connection.close(wait=False, abort=True)
