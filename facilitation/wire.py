"""What we change in the WebSocket layer, and only that. The one module that touches names which are not public.

The library keeps a queue, a writer, a reader and a sleeping ping for every phone, and sends a frame with one `send()`,
ignoring how much of it went. Here a connection has one greenlet, which listens; whoever has something to say writes the
frame straight to the socket, a broadcast builds it once for all, and one heartbeat serves every phone. A phone that
takes nothing keeps nobody waiting: what it has not taken is replaced by what is newer.

A phone of ours says five things, so whatever else comes ends its connection, quietly and wholly.
tests/test_wire.py fails if a new release moves the names; the program then serves by long polling alone and says so.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import inspect
import logging
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import engineio.server
import engineio.socket
import gevent
from engineio.exceptions import EngineIOError, SocketIsClosedError
from engineio.packet import NOOP, PING, PONG, UPGRADE
from engineio.packet import Packet as LinePacket
from socketio.packet import CONNECT, DISCONNECT
from socketio.packet import Packet as MessagePacket
from socketio.server import Server as SocketServer
from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

log = logging.getLogger("facilitation")

LARGEST_MESSAGE = 16 * 1024  # bytes: what a phone has to say is a connect packet, far below 1 KiB
LONGEST_PACKET = 1024  # characters
MOST_PACKETS = 16  # in one body of a polling client
STALLED = 20.0  # seconds: a phone that takes nothing for so long is gone
GREETING = 10.0  # seconds in which a new connection must have been let in; a phone asks at once
GOODBYE = b"1"  # the Engine.IO packet that closes
SOCKET = "facilitation.socket"  # where in the environ our server leaves the socket of a request

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_WELCOME = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
_KNOWN = {  # the methods of the library's Socket that ours replaces or builds on, with their parameters
    "__init__": ["self", "server", "sid"],
    "send": ["self", "pkt"],
    "receive": ["self", "pkt"],
    "close": ["self", "wait", "abort", "reason"],
    "check_ping_timeout": ["self"],
    "schedule_ping": ["self"],
    "_upgrade_websocket": ["self", "environ", "start_response"],
}

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


class Outbox:
    """What one reader is sent: whole frames, in order, without anybody waiting for it.

    A frame goes straight to the socket. Only when that is full does a flusher finish it, and meanwhile the newest frame
    of each kind waits: frames hold whole states, so a newer one says all that an older one did.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        # gevent's own send waits when the socket is full; the one beneath it says so
        self._send = sock._sock.send if hasattr(sock, "_sock") else partial(sock.send, timeout=0.0)
        self._waiting: dict[str, bytes] = {}
        self._flushing = False
        self._ended = False

    def put(self, kind: str, frame: bytes) -> None:
        """Send a frame, or keep it in place of an older one of its kind until the reader takes it."""
        if self._flushing and not self._ended:
            self._waiting.pop(kind, None)  # so that the newer one also comes later
            self._waiting[kind] = frame
        elif not self._ended:
            try:
                sent = self._send(frame)
            except BlockingIOError:
                sent = 0
            except OSError:
                return self._hang_up()
            if sent < len(frame):
                self._flushing = True
                gevent.spawn(self._flush, frame[sent:])
        return None

    def end(self, farewell: bytes) -> None:
        """Send a last frame and end the connection, after what is under way."""
        self.put("farewell", farewell)
        self._ended = True
        if not self._flushing:
            self._hang_up()

    def _flush(self, frame: bytes) -> None:
        whole = False
        while frame:
            whole = False
            with contextlib.suppress(OSError), gevent.Timeout(STALLED, False):
                self._sock.sendall(frame)
                whole = True
            if not whole:
                break  # half a frame may be out: nothing sensible can follow it
            frame = self._waiting.pop(next(iter(self._waiting))) if self._waiting else b""
        self._flushing = False
        if self._ended or not whole:
            self._hang_up()

    def _hang_up(self) -> None:
        """End the connection: the other end may not want to, and would keep a place for ever."""
        self._ended = True
        self._waiting.clear()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)


class Connection(engineio.socket.Socket):  # type: ignore[misc]  # python-engineio carries no type marker
    """An Engine.IO connection that writes to its WebSocket itself; by long polling it is the library's own."""

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.connected = self.upgraded = False  # as the base class says, for the type checker
        self._outbox: Outbox | None = None
        self._asked: float | None = None  # when it was pinged, if it has not answered
        self.schedule_ping()

    def send(self, pkt: LinePacket) -> None:
        """Send a packet, which is framed once for all who get it. Raises SocketIsClosedError."""
        self.check_ping_timeout()
        if self._outbox is None:
            self.queue.put(pkt)
        else:
            self._outbox.put(*_framed(pkt))

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End it, after what is already on its way."""
        outbox = self._outbox
        super().close(wait=wait and outbox is None, abort=abort, reason=reason)
        if outbox is not None:
            outbox.end(_goodbye(CloseReason.NORMAL_CLOSURE))

    def check_ping_timeout(self) -> bool:
        """Called by the library before it sends; the heartbeat does the checking. Raises SocketIsClosedError."""
        if self.closed:
            raise SocketIsClosedError
        return True

    def schedule_ping(self) -> None:
        """It has come, or answered a ping: the next one is due after a while."""
        self._asked, self._due = None, time.monotonic() + self.server.ping_interval

    def beat(self, now: float) -> None:
        """Ping it if its time has come, and give it up if it has not answered the last one. Monotonic seconds."""
        if self.closing or self.closed:
            return
        if self._asked is None and now >= self._due:
            self._asked = now
            self.send(LinePacket(PING))
        elif self._asked is not None and now - self._asked > self.server.ping_timeout:
            self.close(wait=False, abort=True, reason=self.server.reason.PING_TIMEOUT)

    def _upgrade_websocket(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Turn the HTTP connection, whose handshake the gate has checked, into a WebSocket; returns when it ends."""
        sock = environ.get(SOCKET) or environ.get("gunicorn.socket")
        if self.upgraded or sock is None:
            start_response("400 Bad Request", [("Content-Length", "0")])
            return []
        proof = hashlib.sha1(environ["HTTP_SEC_WEBSOCKET_KEY"].encode() + _MAGIC, usedforsecurity=False).digest()
        polled = self.connected
        try:
            with contextlib.suppress(OSError, EngineIOError):
                sock.sendall(_WELCOME + base64.b64encode(proof) + b"\r\n\r\n")
                self._converse(sock)
        finally:
            self.upgrading = False
            if self._outbox is not None or not polled:  # else no WebSocket got through, and it goes on polling
                self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        if "gunicorn.socket" in environ:
            raise StopIteration
        return []

    def _converse(self, sock: Any) -> None:
        outbox = Outbox(sock)
        said = _packets(sock, outbox)
        if self.connected:  # it polls, and asks whether a WebSocket gets through
            self.upgrading = True
            if next(said, "") != "2probe":
                return outbox.end(_goodbye(CloseReason.NORMAL_CLOSURE))
            outbox.put("3p", frame(str(PONG) + "probe"))
            self.queue.put(LinePacket(NOOP))  # ends the poll that is under way
            if next(said, "") != str(UPGRADE):
                return outbox.end(_goodbye(CloseReason.NORMAL_CLOSURE))
        self.connected = self.upgraded = True
        self.upgrading = False
        self._outbox = outbox
        while not self.queue.empty():
            self.send(self.queue.get())
            self.queue.task_done()
        for packet in said:
            self.receive(LinePacket(encoded_packet=packet))
            if self.closed:
                break
        return None


def _packets(sock: Any, outbox: Outbox) -> Iterator[str]:
    """What a phone of ours says, until the connection is over, which it is after anything else. Raises OSError."""
    reader, message = FrameProtocol(client=False, extensions=[]), ""
    packets, allowed = Allowance(40, 4), Allowance(4 * LARGEST_MESSAGE, 2 * LONGEST_PACKET)
    while True:
        data = sock.recv(4096)
        if not data or not allowed.spend(len(data)):
            return outbox.end(_goodbye(CloseReason.POLICY_VIOLATION))
        reader.receive_bytes(data)
        try:
            for part in reader.received_frames():
                if isinstance(part.payload, (bytes, bytearray)) and part.opcode is Opcode.PING:
                    outbox.put("pong", bytes(reader.pong(bytes(part.payload))))
                elif part.opcode is Opcode.CLOSE:
                    return outbox.end(_goodbye(CloseReason.NORMAL_CLOSURE))
                elif isinstance(part.payload, str) and len(message) + len(part.payload) <= LARGEST_MESSAGE:
                    message += part.payload
                    if part.message_finished:
                        if not is_fit_message(message) or not packets.spend(1):
                            return outbox.end(_goodbye(CloseReason.NORMAL_CLOSURE))
                        yield message
                        message = ""
                elif part.opcode is not Opcode.PONG:
                    tells = part.opcode is Opcode.TEXT
                    return outbox.end(_goodbye(CloseReason.MESSAGE_TOO_BIG if tells else CloseReason.NORMAL_CLOSURE))
        except ParseFailed as error:
            return outbox.end(_goodbye(error.code))


def frame(text: str) -> bytes:
    """A text as a whole WebSocket frame of a server (RFC 6455, section 5.2): final, not masked, not compressed."""
    payload = text.encode()
    if len(payload) < 126:
        return bytes((0x81, len(payload))) + payload
    if len(payload) < 1 << 16:
        return struct.pack(">BBH", 0x81, 126, len(payload)) + payload
    return struct.pack(">BBQ", 0x81, 127, len(payload)) + payload


def _framed(pkt: LinePacket) -> tuple[str, bytes]:
    """A packet's kind and its frame, kept with it: a broadcast sends the same packet to everybody."""
    if not hasattr(pkt, "framed"):
        text = pkt.encode()
        pkt.framed = (text[:2], frame(text))  # 42 is an event, and there is but one
    framed: tuple[str, bytes] = pkt.framed
    return framed


def _goodbye(code: int) -> bytes:
    return bytes((0x88, 2)) + int(code).to_bytes(2, "big")


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


def fit(server: SocketServer) -> bool:
    """Put our connections in place of the library's, with one heartbeat for all; whether that was possible.

    If the library has changed its shape, its own long polling serves, which is slower and no less correct.
    """
    if changed := _changed(server):
        log.warning("python-engineio has changed (%s): live updates go by long polling until wire.py knows it", changed)
        server.eio.transports, server.eio.allow_upgrades = ["polling"], False
        return False
    engineio.socket.Socket = Connection
    server.eio.start_service_task = False
    gevent.spawn(_heartbeat, server.eio.sockets)
    return True


def _changed(server: SocketServer) -> str:
    """What of the library's shape is not as we know it; "" if all is."""
    theirs = Connection.__base__
    if engineio.server.socket is not engineio.socket:
        return "engineio.server.socket"
    for name in _KNOWN:
        if list(inspect.signature(getattr(theirs, name, _changed)).parameters) != _KNOWN[name]:
            return f"Socket.{name}"
    for name, kind in {"sockets": dict, "start_service_task": bool, "transports": list, "allow_upgrades": bool}.items():
        if not isinstance(getattr(server.eio, name, None), kind):
            return f"Server.{name}"
    return ""


def _heartbeat(connections: dict[str, Connection]) -> None:
    while True:
        gevent.sleep(1)
        now = time.monotonic()
        for connection in list(connections.values()):
            connection.beat(now)


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
