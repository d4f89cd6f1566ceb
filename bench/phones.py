"""Simulated phones, a shared screen and a facilitator: what a server sees of them, bytes on sockets.

They speak HTTP/1.1, WebSocket (RFC 6455), Engine.IO 4 and Socket.IO 5 themselves, with the standard library only, in
one asyncio loop and without a task per phone, so that a thousand of them are light beside the server they measure.
Each sends what a browser on the program's own page sends: Host, Origin and cookies, one keep-alive connection for
requests and one WebSocket. Times are seconds of `time.perf_counter`.

    async with contextlib.AsyncExitStack() as stack:
        phone = await stack.enter_async_context(Phone("http://127.0.0.1:8000"))
        await phone.join(token)
        line = await phone.listen()
        pushed = await line.heard(1)
        answer = await phone.vote(pushed.round_id, "4")
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import gzip
import hashlib
import json
import os
import re
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

PATIENCE = 30.0  # seconds after which an answer or a push that has not come counts as lost
_ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class Turned(Exception):
    """The server turned a WebSocket away, or ended it: `status` of the HTTP answer, or 0 when it was open already."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `headers` have small names; `cookies` are those it set. `sent` and `received` are moments."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes
    sent: float
    received: float

    @property
    def took(self) -> float:
        """Seconds from the request's first byte to the answer's last."""
        return self.received - self.sent

    @property
    def text(self) -> str:
        """The body as text, unpacked."""
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


@dataclass(frozen=True)
class Pushed:
    """One “now” message. It is read only when asked for, so that receiving stays cheap."""

    at: float  # when its last byte came
    raw: str

    @cached_property
    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.raw)[1]
        return message

    @property
    def order(self) -> tuple[int, int]:
        """The pair (version, tick) that orders pushes."""
        version, tick = self._message["order"]
        return version, tick

    @property
    def html(self) -> str:
        """The fragment."""
        html: str = self._message["html"]
        return html

    @property
    def round_id(self) -> int:
        """The round that a phone's fragment is about; 0 if none."""
        return int(_first(r'data-round="(\d*)"', self.html) or 0)

    @property
    def answered(self) -> int | None:
        """How many people have answered, as the screen or the console says it."""
        return number(r"<b>(\d+)</b> of \d+ have answered", self.html)

    @property
    def chart(self) -> tuple[int, ...] | None:
        """The counts of the chart, lowest point first, then Don't know and Not relevant; None while it shows none."""
        counts = re.findall(r'class="tally__count">(\d+)<', self.html)
        return tuple(map(int, counts)) if counts else None


class Line(asyncio.Protocol):
    """One WebSocket with Engine.IO and Socket.IO on it: answers pings, keeps each “now” with the moment it came.

    With `socket_io=False` it stays silent after the handshake, for tests that send frames of their own.
    """

    def __init__(self, request: bytes, key: bytes, auth: Mapping[str, Any], socket_io: bool = True) -> None:
        self._request = request
        self._expected = base64.b64encode(hashlib.sha1(key + _ACCEPT.encode()).digest()).decode()
        self._auth = auth
        self._speaks = socket_io
        self._buffer = bytearray()
        self._parts = bytearray()
        self._upgraded = False
        self._counted: tuple[int, asyncio.Future[None]] | None = None
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.headers: Mapping[str, str] = {}
        self.pushes: list[Pushed] = []
        self.transport: asyncio.Transport

    async def heard(self, number: int) -> Pushed:
        """The push with this number, 1 for the first, as soon as it is here. Turned when the line ended before it."""
        if len(self.pushes) < number:
            if self.ended.done():
                raise Turned(self.ended.result())
            self._counted = (number, asyncio.get_running_loop().create_future())
            async with asyncio.timeout(PATIENCE):
                await self._counted[1]
        return self.pushes[number - 1]

    def send(self, payload: str | bytes) -> None:
        """Send one message; it is not waited for."""
        data, kind = (payload.encode(), _TEXT) if isinstance(payload, str) else (payload, _BINARY)
        self.send_frame(kind, data)

    def send_frame(self, opcode: int, data: bytes, final: bool = True) -> None:
        """Send one frame, masked as clients must."""
        self.transport.write(frame(opcode, data, final))

    def close(self) -> None:
        """Leave as a closed page does: a close frame, then the end of the connection."""
        if not self.transport.is_closing():
            self.send_frame(_CLOSE, struct.pack(">H", 1001))
            self.transport.close()

    def vanish(self) -> None:
        """Leave as a phone whose Wi-Fi is gone: no farewell."""
        self.transport.abort()

    # --- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        at = time.perf_counter()
        self._buffer += data
        if not self._upgraded and not self._upgrade():
            return
        while (found := _take_frame(self._buffer)) is not None:
            self._on_frame(at, *found)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end(str(exc) if exc else "the connection was closed")

    # --- the four layers

    def _upgrade(self) -> bool:
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            return False
        status, self.headers, _ = _read_head(head)
        if status != 101 or self.headers.get("sec-websocket-accept") != self._expected:
            self._fail(Turned(f"the upgrade was answered with {status}", status))
            self.transport.abort()
            return False
        self._upgraded = True
        self._buffer = bytearray(rest)
        if not self._speaks:
            self.up.set_result(None)
        return True

    def _on_frame(self, at: float, final: bool, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self.send_frame(_PONG, payload)
        elif opcode == _CLOSE:
            code = struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else 1005
            self._end(f"the server closed with {code}")
            self.close()
        elif opcode != _PONG:
            self._parts += payload
            if final:
                text = self._parts.decode()
                self._parts.clear()
                self._on_packet(at, text)

    def _on_packet(self, at: float, text: str) -> None:
        if not self._speaks:
            return
        if text.startswith("0"):
            self.send("40" + json.dumps(self._auth))
        elif text == "2":
            self.send("3")
        elif text.startswith("40"):
            self.up.set_result(None)
        elif text.startswith("44"):
            self._fail(Turned(f"the socket was refused: {text[2:]}"))
        elif text.startswith("41") or text == "1":
            self._end("the server took leave")
        elif text.startswith('42["now"'):
            self.pushes.append(Pushed(at, text[2:]))
            if self._counted and len(self.pushes) >= self._counted[0] and not self._counted[1].done():
                self._counted[1].set_result(None)

    def _fail(self, error: Turned) -> None:
        if not self.up.done():
            self.up.set_exception(error)

    def _end(self, why: str) -> None:
        self._fail(Turned(why))
        if not self.ended.done():
            self.ended.set_result(why)
        if self._counted and not self._counted[1].done():
            self._counted[1].set_exception(Turned(why))


class Browser:
    """What every client has: an origin it believes to be on, cookies, a keep-alive connection, perhaps lines."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.lines: list[Line] = []
        parts = urlsplit(origin)
        self._place = (parts.hostname or "", parts.port or 80)
        self._http: _Http | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET a path; redirects are not followed."""
        return await self.request("GET", path, b"", headers or {})

    async def post(
        self, path: str, form: Mapping[str, object] | Iterable[tuple[str, object]], fragment: bool = False
    ) -> Answer:
        """POST a form; `fragment` asks as htmx does."""
        pairs = form.items() if isinstance(form, Mapping) else form
        headers = {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
        if fragment:
            headers["HX-Request"] = "true"
        return await self.request("POST", path, urlencode(list(pairs)).encode(), headers)

    async def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request on the keep-alive connection, which is opened if need be; a header given here replaces ours.

        ConnectionError when the server ends the connection before the answer is whole.
        """
        lines = {"Host": urlsplit(self.origin).netloc, "Accept-Encoding": "gzip", **self._cookie(), **headers}
        if body or method == "POST":
            lines["Content-Length"] = str(len(body))
        message = _head(f"{method} {path}", lines) + body
        async with asyncio.timeout(PATIENCE):
            reused = self._http if self._http is not None and not self._http.closed else None
            try:
                answer = await (reused or await self._connect()).ask(message)
            except ConnectionError:
                if reused is None:
                    raise
                # the server had given up a connection that was idle: as browsers do, once more on a fresh one
                answer = await (await self._connect()).ask(message)
        self._keep(answer)
        return answer

    async def _connect(self) -> _Http:
        _, self._http = await asyncio.get_running_loop().create_connection(_Http, *self._place)
        return self._http

    async def open_line(
        self,
        path: str,
        *,
        auth: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        narrow: bool = False,
        socket_io: bool = True,
    ) -> Line:
        """Open a WebSocket as the page does. Raises Turned when it is refused at any layer.

        headers: replace ours; None leaves one out. narrow: with small segments and a small buffer, so that what is not
        read soon fills the server's side as well. socket_io: whether to speak Engine.IO and Socket.IO on it.
        """
        key = base64.b64encode(os.urandom(16))
        lines: dict[str, str | None] = {
            "Host": urlsplit(self.origin).netloc,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Origin": self.origin,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
            **self._cookie(),
            **(headers or {}),
        }
        request = _head(f"GET {path}", {name: value for name, value in lines.items() if value is not None})
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        if narrow:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(AttributeError, OSError):  # not every system lets us
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        async with asyncio.timeout(PATIENCE):
            await loop.sock_connect(sock, self._place)
            _, line = await loop.create_connection(lambda: Line(request, key, auth or {}, socket_io), sock=sock)
            self.lines.append(line)
            try:
                await line.up
            except Turned:
                line.vanish()
                raise
        return line

    def close(self) -> None:
        """Close the page: its lines and its connection. The cookies stay, so it can come back."""
        for line in self.lines:
            line.close()
        self.lines.clear()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the keep-alive connection only; the next request opens another."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _keep(self, answer: Answer) -> None:
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value


class Phone(Browser):
    """One participant. It counts its own changes (`seq`), as the page's script does."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.code = ""
        self._seqs: dict[int, int] = {}

    async def join(self, token: str) -> Answer:
        """Come in by the QR code's token. Raises Turned with the status when the door stays shut."""
        return self._let_in(await self.get(f"/j/{token}"))

    async def join_by_code(self, code: str) -> Answer:
        """Come in by the typed code. Raises Turned with the status when the door stays shut."""
        return self._let_in(await self.post("/join", {"code": code}))

    async def listen(self, order: tuple[int, int] | None = None) -> Line:
        """Open the line; `order` names what the page shows already, if it shows anything."""
        return await self.open_line(socket_path(self.code, "p"), auth={"order": order and list(order)})

    async def vote(self, round_id: int, choice: str, seq: int | None = None) -> Answer:
        """Send an answer, or another one, and wait until the server has it. seq: an earlier one, for a late retry."""
        last = self._seqs.get(round_id, 0)
        this = seq or last + 1
        self._seqs[round_id] = max(this, last)
        form = {"round": round_id, "choice": choice, "seq": this, "direction": ""}
        return await self.post(f"/w/{self.code}/ballot", form, fragment=True)

    def _let_in(self, answer: Answer) -> Answer:
        if answer.status != 303:
            raise Turned(f"joining was answered with {answer.status}", answer.status)
        self.code = answer.headers["location"].rpartition("/")[2]
        return answer


class Screen(Browser):
    """The shared screen."""

    async def listen(self, code: str) -> Line:
        """Open its line."""
        return await self.open_line(socket_path(code, "s"))


@dataclass
class _Console:
    code: str
    version: int = 0
    agenda: list[int] = field(default_factory=list)


class Facilitator(Browser):
    """The facilitator's browser: enters by the one-time link, sets a session up and moves it on by the web forms."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.console = _Console("")

    @property
    def code(self) -> str:
        """The join code of the session it has set up."""
        return self.console.code

    async def enter(self, link: str) -> Answer:
        """Exchange the one-time link (a path) for the cookie."""
        return await self.get(link)

    async def set_up(self, title: str, questions: int, mode: str = "live") -> str:
        """Set a session up with the first questions of the framework; its join code."""
        today = dt.datetime.now(dt.UTC).date().isoformat()
        museum = {"title": title, "museum": "Wexcombe Mill Museum", "held_on": today}
        made = _done(await self.post("/sessions", museum))
        code = made.headers["location"].split("/")[2]
        page = _done(await self.get(f"/f/{code}/setup")).text
        keys = list(dict.fromkeys(re.findall(r'name="key" value="([^"]+)"', page)))[:questions]
        _done(await self.post(f"/f/{code}/agenda", [("key", key) for key in keys]))
        _done(await self.post(f"/f/{code}/setup", {**museum, "k": "5", "mode": mode}))
        self.console = _Console(code)
        await self.look()
        return code

    async def look(self) -> str:
        """Load the console and note where the session stands; the page."""
        page = _done(await self.get(f"/f/{self.code}")).text
        self._note(page)
        self.console.agenda = [int(item) for item in dict.fromkeys(re.findall(r'name="agenda" value="(\d+)"', page))]
        return page

    async def move(self, move: str, agenda: int | None = None) -> Answer:
        """Move the session on, naming the version this browser saw last. RuntimeError when it is refused."""
        form: dict[str, object] = {"version": self.console.version, "move": move}
        if agenda is not None:
            form["agenda"] = agenda
        answer = _done(await self.post(f"/f/{self.code}/move", form, fragment=True))
        self._note(answer.text)
        return answer

    async def give_screen(self, screen: Screen) -> None:
        """Hand the shared screen's cookie to another browser, as dragging the window to the projector does."""
        answer = _done(await self.get(f"/f/{self.code}/screen"))
        screen._keep(answer)

    async def listen(self) -> Line:
        """Open the console's line."""
        return await self.open_line(socket_path(self.code, "f"))

    async def results(self) -> list[dict[str, Any]]:
        """The rounds that were released, as session.json gives them."""
        answer = _done(await self.get(f"/f/{self.code}/files/session.json"))
        rounds: list[dict[str, Any]] = json.loads(answer.text)["rounds"]
        return rounds

    def _note(self, page: str) -> None:
        self.console.version = number(r'data-order="(\d+)\.', page) or self.console.version


class _Http(asyncio.Protocol):
    """One HTTP/1.1 connection, one request at a time. Answers have a Content-Length, or end with the connection."""

    def __init__(self) -> None:
        self.closed = False
        self._buffer = bytearray()
        self._head: tuple[int, dict[str, str], tuple[str, ...]] | None = None
        self._sent = 0.0
        self._answer: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request; its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._sent = time.perf_counter()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        if self._head is None:
            head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not end:
                return
            self._head = _read_head(head)
            self._buffer = bytearray(rest)
        status, headers, _ = self._head
        length = headers.get("content-length", "0" if status in (204, 304) else None)
        if length is not None and len(self._buffer) >= int(length):
            self._finish(int(length))

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.closed = True
        if self._head is not None and "content-length" not in self._head[1]:
            self._finish(len(self._buffer))
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))

    def _finish(self, length: int) -> None:
        assert self._head is not None
        body, self._buffer = bytes(self._buffer[:length]), self._buffer[length:]
        answer = Answer(*self._head, body, self._sent, time.perf_counter())
        self._head = None
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def socket_path(code: str, role: str) -> str:
    """The address of the live line of a session for a role: p for phones, s for the screen, f for the facilitator."""
    return f"/socket.io/?r={code}&role={role}&EIO=4&transport=websocket"


def frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    """A masked WebSocket frame (RFC 6455, section 5.2). The mask is nought: it protects proxies, and there is none."""
    first, size = (0x80 if final else 0) | opcode, len(payload)
    if size < 126:
        head = struct.pack(">BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack(">BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def number(pattern: str, text: str) -> int | None:
    """The whole number that the pattern's group finds in a text; None if it finds none."""
    found = _first(pattern, text)
    return int(found) if found else None


def _take_frame(buffer: bytearray) -> tuple[bool, int, bytes] | None:
    """Take one whole frame off the buffer's front: (final, opcode, payload). None while there is none."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1], 2
    if size >= 126:
        width = 2 if size == 126 else 8
        start += width
        if len(buffer) < start:
            return None
        size = int.from_bytes(buffer[2:start], "big")
    if len(buffer) < start + size:
        return None
    final, opcode, payload = bool(buffer[0] & 0x80), buffer[0] & 0x0F, bytes(buffer[start : start + size])
    del buffer[: start + size]
    return final, opcode, payload


def _head(start: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{start} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def _read_head(head: bytes) -> tuple[int, dict[str, str], tuple[str, ...]]:
    """Status, headers by small names, and the cookies set."""
    start, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return int(start.split()[1]), dict(pairs), tuple(value for name, value in pairs if name == "set-cookie")


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1] if found else None


def _done(answer: Answer) -> Answer:
    if answer.status not in (200, 303):
        said = re.sub(r"<[^>]*>|\s+", " ", answer.text)[:300]
        raise RuntimeError(f"the facilitator was answered with {answer.status}: {said}")
    return answer
