"""What we change in the WebSocket layer, and only that. The one module that touches names which are not public.

simple-websocket under gevent sends a frame with one `send()` and ignores how much of it went, so a phone that reads
slowly gets a corrupted stream; and it looks at the size of a message only when it is whole, unless it is told a limit.
tests/test_wire.py fails if a new release moves the names.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import gevent
import simple_websocket
from engineio.async_drivers import gevent as driver
from gevent.lock import RLock
from socketio.packet import CONNECT, DISCONNECT
from socketio.packet import Packet as MessagePacket
from socketio.server import Server as SocketServer

LARGEST_MESSAGE = 16 * 1024  # bytes: what a phone has to say is a connect packet, far below 1 KiB
# Engine.IO: close, pong, the two steps of an upgrade; Socket.IO: connect with what the page shows, disconnect.
_SPOKEN = re.compile(r"[135]|2probe|4[01].*", re.DOTALL)
STALLED = 20.0  # seconds: a phone that takes nothing for so long is gone


class WholeSocket:
    """A socket whose `send` sends everything, one caller at a time: a frame arrives whole or the connection ends."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._lock = RLock()

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

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class WholeServer(simple_websocket.Server):  # type: ignore[misc]  # simple-websocket carries no type marker
    """simple-websocket's server end, on a socket that sends whole frames."""

    sock: Any

    def handshake(self) -> None:
        """Called by the base class when the socket is known and before the first byte is sent."""
        self.sock = WholeSocket(self.sock)
        super().handshake()


class LimitedWebSocket(driver.WebSocketWSGI):  # type: ignore[misc]  # python-engineio carries no type marker
    """The gevent WebSocket of python-engineio, with a limit on messages, whole sends, and no ear for anything else."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.ws = WholeServer(environ, max_message_size=LARGEST_MESSAGE, **self.server_args)
        result = self.app(self)
        if self.ws.mode == "gunicorn":
            raise StopIteration
        return result

    def wait(self) -> str | None:
        """The next message, None at the end. What our pages never say ends the line, without a fault and a log entry:
        left to the library, it would be a traceback for each, and the socket would stay."""
        said = super().wait()
        return said if isinstance(said, str) and _SPOKEN.fullmatch(said) else None


class TextPacket(MessagePacket):  # type: ignore[misc]  # python-socketio carries no type marker
    """A Socket.IO packet from a page, which only comes and goes. Anything else is taken for a farewell: attachments
    would be kept without limit, and there is no event to hear."""

    packet_type: int

    def decode(self, encoded_packet: Any) -> Any:
        """Decode a packet to a CONNECT or a DISCONNECT. Returns the number of attachments it announces: none."""
        if isinstance(encoded_packet, str) and len(encoded_packet) <= LARGEST_MESSAGE // 2:
            with suppress(ValueError, RecursionError):  # the latter for JSON that is nested a thousand deep
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
