"""What we change in the WebSocket layer, and only that. The one module that touches names which are not public.

simple-websocket under gevent sends a frame with one `send()` and ignores how much of it went, so a phone that reads
slowly gets a corrupted stream; and it looks at the size of a message only when it is whole, unless it is told a limit.
tests/test_wire.py fails if a new release moves the names.
"""

from __future__ import annotations

from typing import Any

import gevent
import simple_websocket
from engineio.async_drivers import gevent as driver
from gevent.lock import RLock
from socketio.packet import BINARY_ACK, BINARY_EVENT
from socketio.packet import Packet as MessagePacket
from socketio.server import Server as SocketServer

LARGEST_MESSAGE = 16 * 1024  # bytes: what a phone has to say is a connect packet, far below 1 KiB
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
    """The gevent WebSocket of python-engineio, with a limit on messages and whole sends."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.ws = WholeServer(environ, max_message_size=LARGEST_MESSAGE, **self.server_args)
        result = self.app(self)
        if self.ws.mode == "gunicorn":
            raise StopIteration
        return result


class TextPacket(MessagePacket):  # type: ignore[misc]  # python-socketio carries no type marker
    """A Socket.IO packet that refuses attachments: one that announces them would be kept without limit."""

    def decode(self, encoded_packet: Any) -> Any:
        """Decode a text packet. Raises ValueError for bytes, announced attachments and anything unreasonably large."""
        if not isinstance(encoded_packet, str) or len(encoded_packet) > LARGEST_MESSAGE // 2:
            raise ValueError("not a text packet of a reasonable size")
        attachments = super().decode(encoded_packet)
        if self.packet_type in (BINARY_EVENT, BINARY_ACK):
            raise ValueError("attachments are not taken")
        return attachments


def fit(server: SocketServer) -> None:
    """Put our WebSocket in place of the driver's. Raises RuntimeError if the library has changed its shape."""
    drivers = getattr(server.eio, "_async", None)
    if not isinstance(drivers, dict) or drivers.get("websocket") is not driver.WebSocketWSGI:
        raise RuntimeError("python-engineio has changed: facilitation/wire.py must be brought up to date.")
    server.eio._async = {**drivers, "websocket": LimitedWebSocket}
