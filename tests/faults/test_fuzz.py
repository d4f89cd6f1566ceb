"""Hostile bytes against the real process, thousands of them, while a room is voting: nothing breaks and nobody notices.

Somebody who has joined sends what no page of ours sends: broken Engine.IO and Socket.IO packets, broken WebSocket
frames, broken requests, and forms with anything in them to every address that takes a form. Some of it is left half
said, with the connection open. Meanwhile five people vote. Afterwards every connection is gone, the program has said
nothing but request lines without a secret in them, and the room's count is exact.

The normal run shortens the program's time-outs (the change “hasty”); the long one takes them as they are shipped.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import create_app
from bench.phones import frame, socket_path
from facilitation import wire
from facilitation.config import Settings
from tests.faults.room import Browser, Disturbed, Nursery, Phone, Program, Session, Stored, running, until

pytestmark = pytest.mark.timed

AGENT = "Mallory/6.6 (6.6.6.6)"
LINE = r"INFO facilitation: (?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|\?) (?:-|/[a-z/.<>:_]*) \d{3} \d+ ms"
ENOUGH = 5.0  # seconds in which the program must have hung up on somebody who says what no page says
# How many, how long an acknowledgement may take at the 99th percentile, and what is changed. The normal run shares its
# machine with whatever else is going on.
NORMAL = pytest.param(300, 5.0, ["hasty"], id="normal")
LONG = pytest.param(20_000, 0.5, [], id="long", marks=pytest.mark.long)
Leave = str  # "close", "reset", or "stay": the connection is left open and silent

# --- What is sent ----------------------------------------------------------------------------------------------------

leaves = st.sampled_from(["close", "close", "close", "reset", "reset", "stay"])
awkward = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["", "\0", "\ud800", "￾", "‮", "'; DROP TABLE ballots; --", "{{7*7}}", "%n%s", "../../etc/passwd", "=1+1", "1e999"]
)
numbers = st.integers(-(10**30), 10**30).map(str) | st.sampled_from(["NaN", "Infinity", "-0", "1e400", "9" * 5000, "٣"])
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | awkward,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(awkward, inner, max_size=4),
    max_leaves=12,
)
nested = st.builds(
    lambda opening, depth: opening * depth, st.sampled_from(["[", '{"a":', "[[", '["']), st.integers(1, 9000)
)
payloads = st.one_of(values.map(json.dumps), nested, numbers, awkward, st.integers(1, 40_000).map(lambda n: "x" * n))
packets = st.builds(
    "".join,
    st.tuples(
        st.sampled_from([*"0123456789", "b", "", "4", "4", "4"]),
        st.sampled_from([*"0123456789", "", "0", "5", "6"]),
        st.sampled_from(["", "", "1-", "999999999-", "-1-"]),
        st.sampled_from(["", "", "/,", "/admin,", "/" + "n" * 900 + ","]),
        st.sampled_from(["", "", "0", "18446744073709551616"]),
        payloads,
    ),
)
messages = packets | awkward | st.binary(max_size=2000) | st.sampled_from(["b" + "A" * 400, "42" + '["disconnect"]'])


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One WebSocket frame with something wrong in it, perhaps: reserved bits, an unknown opcode, no mask, a length that
    is not that of what follows, a part of a message that never ends."""
    first = draw(st.integers(0, 255))
    payload = draw(st.binary(max_size=300) | st.just(b"\xff\xfe\xed" * 50) | st.just(b"x" * 20_000))
    masked = draw(st.sampled_from([0x80, 0x80, 0]))
    said = draw(st.none() | st.sampled_from([0, 126, 2**16, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1]))
    size = len(payload) if said is None else said
    if size < 126:
        head = struct.pack(">BB", first, masked | size)
    elif size < 2**16:
        head = struct.pack(">BBH", first, masked | 126, size)
    else:
        head = struct.pack(">BBQ", first, masked | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One HTTP request with something wrong in it, perhaps cut short anywhere."""
    method = draw(
        st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"\xff", b"G\tET", b"M" * 99])
    )
    targets = [b"/", b"/join", b"/w/{code}", b"/w/{code}/now", b"/f/{code}", b"/socket.io/", b"/static/x/css/base.css"]
    target = draw(st.sampled_from(targets)) + draw(
        st.binary(max_size=30) | st.sampled_from([b"", b"", b"%00", b"%ff", b"?" * 9])
    )
    names = [
        b"Host",
        b"Origin",
        b"Cookie",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Upgrade",
        b"Connection",
        b"Expect",
    ]
    names += [
        b"Accept-Encoding",
        b"HX-Request",
        b"Sec-WebSocket-Key",
        b"Sec-WebSocket-Version",
        b"Content-Type",
        b"X-\xff",
    ]
    odd = [
        b"",
        b"chunked",
        b"websocket",
        b"upgrade",
        b"-1",
        b"9" * 30,
        b"13",
        b"100-continue",
        b"p_1=x.y",
        b"gzip;q=x",
        b"\0",
    ]
    odd += [
        b"{host}",
        b"http://{host}",
        b"multipart/form-data",
        b"multipart/form-data; boundary=" + b"b" * 300,
        b"a" * 5000,
    ]
    lines = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(odd) | st.binary(max_size=20)), max_size=6))
    sound = [(b"Host", b"{host}"), (b"Origin", b"http://{host}")] if draw(st.booleans()) else []
    head = b"\r\n".join([method + b" " + target + b" HTTP/1.1", *(n + b": " + v for n, v in sound + lines), b"", b""])
    whole = head + draw(
        st.binary(max_size=200) | st.sampled_from([b"", b"5\r\nab", b"ffffffffffffffff\r\n", b"-1\r\n"])
    )
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole


NAMES = (
    "code title museum held_on k mode wifi_name wifi_password key own text short prompt scale want value move version"
)
fields = st.lists(
    st.tuples(
        st.sampled_from([*NAMES.split(), "agenda", "round", "choice", "seq", "direction", "role"]) | awkward,
        awkward
        | numbers
        | st.sampled_from(
            ["2026-11-21", "0000-00-00", "live", "reveal", "open", "close", "revote", "discard", "next", "goto"]
        )
        | st.sampled_from(["purpose-01", "quality", "up", "drop", "overlay", "timer", "1", "DK", "x" * 3000]),
    ),
    max_size=12,
)


def urlencoded(pairs: list[tuple[str, str]]) -> tuple[bytes, bytes]:
    """A form as browsers send it."""
    return b"application/x-www-form-urlencoded", urlencode(pairs, errors="surrogatepass").encode()


def multipart(pairs: list[tuple[str, str]]) -> tuple[bytes, bytes]:
    """A form in parts, as browsers send files."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n{value}\r\n'
        for name, value in pairs
    ]
    return b"multipart/form-data; boundary=b", ("".join(parts) + "--b--").encode(errors="surrogatepass")


bodies = (
    st.builds(urlencoded, fields)
    | st.builds(multipart, fields)
    | st.tuples(
        st.sampled_from(
            [b"application/json", b"multipart/form-data", b"multipart/form-data; boundary=b", b"text/plain", b""]
        ),
        st.binary(max_size=400),
    )
    | st.sampled_from(
        [
            (b"application/x-www-form-urlencoded", b"a=" + b"%ff" * 50_000),
            (b"application/x-www-form-urlencoded", b"x&" * 60_000),
            (b"multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 2000),
        ]
    )
)


@dataclass(frozen=True)
class Form:
    """A form for one address; `rule` is Flask's, and `place` goes where the rule leaves room."""

    rule: str
    place: str
    kind: bytes
    body: bytes


# --- Whoever sends it ------------------------------------------------------------------------------------------------


@dataclass
class Mallory:
    """Has joined the room, and runs a session of her own; both with browsers whose cookies she uses for raw bytes."""

    program: Program
    room: str
    own: Session
    phones: list[Phone]
    quiet: int  # sockets of a program that nobody talks to
    sent: int = 0
    left: list[socket.socket] = field(default_factory=list)

    def about(self, cookies: dict[str, str]) -> bytes:
        """The headers that get her past the gate."""
        host, cookie = f"127.0.0.1:{self.program.port}", "; ".join(f"{n}={v}" for n, v in cookies.items())
        lines = f"Host: {host}\r\nOrigin: http://{host}\r\nUser-Agent: {AGENT}\r\nCookie: {cookie}\r\n"
        return lines.encode()

    def says(self, data: bytes, leave: Leave) -> socket.socket:
        """A new connection on which this is said."""
        self.sent += 1
        line = socket.create_connection(("127.0.0.1", self.program.port), timeout=ENOUGH)
        with suppress(ConnectionError):  # the program may hang up in the middle
            line.sendall(data)
        if leave == "stay":
            self.left.append(line)
            if len(self.left) > 40:
                self.left.pop(0).close()
        return line

    @staticmethod
    def leaves(line: socket.socket, leave: Leave) -> None:
        """End a connection, politely or not; one that stays is left as it is."""
        if leave == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if leave != "stay":
            line.close()

    def goes(self) -> None:
        """Hang up whatever was left open."""
        for line in self.left:
            line.close()

    # --- the four kinds of attack; each says something on a connection of its own

    def upgrades(self, frames: bytes, leave: Leave) -> socket.socket:
        """A live connection in the room, on which these frames are said as soon as it is there."""
        cookies = self.phones[self.sent % len(self.phones)].browser.cookies
        line = self.says(
            b"GET " + socket_path(self.room, "p").encode() + b" HTTP/1.1\r\n" + self.about(cookies)
            + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            leave,
        )  # fmt: skip
        assert status(line) == 101, "her four places are not given back"
        with suppress(ConnectionError):
            line.sendall(frames)
        return line

    def sends_message(self, let_in: bool, message: str | bytes, leave: Leave) -> None:
        """A well-formed frame whose message no page sends, before or after she was let in."""
        data = message if isinstance(message, bytes) else message.encode(errors="surrogatepass")
        first = frame(1, b"40") if let_in else b""
        line = self.upgrades(first + frame(2 if isinstance(message, bytes) else 1, data), leave)
        try:
            text = data.decode() if not isinstance(message, bytes) else data
        except UnicodeDecodeError:
            text = b""
        if not wire.is_fit_message(text):
            everything(line)  # or a TimeoutError: it goes on listening
        self.leaves(line, leave)

    def sends_frames(self, broken: list[bytes], leave: Leave) -> None:
        """Frames that are none."""
        line = self.upgrades(b"".join(broken), leave)
        self.leaves(line, leave)

    def polls(self, body: str, query: str, leave: Leave) -> None:
        """As a client without WebSockets: what she posts on a connection of her own, and with another query."""
        about = self.about(self.phones[self.sent % len(self.phones)].browser.cookies) + b"Connection: close\r\n"
        path = socket_path(self.room, "p").replace("transport=websocket", "transport=polling")
        line = self.says(b"GET " + path.encode() + b" HTTP/1.1\r\n" + about + b"\r\n", "close")
        found = re.search(rb'"sid":"([^"]+)"', everything(line))
        line.close()
        assert found, "her four places are not given back"
        path += "&sid=" + found[1].decode()

        def posts(query: str, data: bytes, leave: Leave) -> None:
            target = path + quote(query, errors="surrogatepass")
            head = b"POST " + target.encode() + b" HTTP/1.1\r\n" + about
            line = self.says(head + b"Content-Length: %d\r\n\r\n" % len(data) + data, leave)
            assert status(line) in (200, 400, 413)
            self.leaves(line, leave)

        posts(query, body.encode(errors="surrogatepass"), leave)
        posts("", b"1", "close")  # goodbye: silence would only be noticed half a minute later

    def asks(self, request: bytes, leave: Leave) -> None:
        """Bytes that are hardly a request."""
        host = f"127.0.0.1:{self.program.port}".encode()
        line = self.says(request.replace(b"{host}", host).replace(b"{code}", self.room.encode()), leave)
        self.leaves(line, leave)

    def fills_in(self, form: Form, leave: Leave) -> None:
        """A form, as whoever is allowed to send one: her own session's facilitator, a phone, and the program's own."""
        code = "000000" if form.rule.endswith("/delete") else self.own.code
        path = form.rule.replace("<code>", code)
        path = re.sub(r"<[^>]*>", quote(form.place, safe="", errors="surrogatepass"), path)
        cookies = {**self.own.phones[0].browser.cookies, **self.own.freya.cookies}
        kind = b"Content-Type: " + form.kind + b"\r\n" if form.kind else b""
        head = b"POST " + path.encode() + b" HTTP/1.1\r\n" + self.about(cookies) + kind
        line = self.says(head + b"Content-Length: %d\r\n\r\n" % len(form.body) + form.body, leave)
        answered = status(line)
        assert 200 <= answered < 500, f"{answered} to {form}"
        self.leaves(line, leave)


def everything(line: socket.socket) -> bytes:
    """All that the program says before it hangs up. TimeoutError if it does not."""
    found, deadline = b"", time.monotonic() + ENOUGH
    with suppress(ConnectionError):
        while more := line.recv(65_536):
            found += more
            if time.monotonic() > deadline:
                raise TimeoutError(found[:1000])
    return found


def status(line: socket.socket) -> int:
    """The status of the first answer."""
    answer = b""
    while b"\r\n" not in answer and (more := line.recv(65_536)):
        answer += more
    return int(answer.split(b" ", 2)[1])


# --- Whoever is there meanwhile --------------------------------------------------------------------------------------


class Room:
    """Five people who answer and change their minds for as long as it lasts, and how long each acknowledgement took."""

    def __init__(self, program: Program, session: Session, round_id: int) -> None:
        self.seconds: list[float] = []
        self.refused: list[object] = []
        self._over = threading.Event()
        self._people = [
            threading.Thread(target=self._votes, args=(program, session.code, round_id, phone))
            for phone in session.phones
        ]

    def __enter__(self) -> Room:
        for person in self._people:
            person.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for person in self._people:
            person.join()

    def _votes(self, program: Program, code: str, round_id: int, phone: Phone) -> None:
        while not self._over.wait(0.1):
            begun = time.perf_counter()
            try:
                told: object = phone.votes(program, code, round_id, "12345"[phone.seq % 5])
            except Exception as error:
                told = repr(error)
            self.seconds.append(time.perf_counter() - begun)
            if told != 200:
                self.refused.append(told)

    def slowest_but_one_in_a_hundred(self) -> float:
        """The 99th percentile, in seconds."""
        return statistics.quantiles(self.seconds, n=100)[98]


def sockets_of(program: Program) -> int:
    """How many sockets the process has open: listening, connected, and the ends of its own."""
    return sum(path.readlink().name.startswith("socket:") for path in Path(f"/proc/{program.pid}/fd").iterdir())


def open_sockets(program: Program) -> int:
    """As above, asked again when one closed while we looked."""
    while True:
        with suppress(FileNotFoundError):
            return sockets_of(program)


def memory(program: Program) -> float:
    """Its resident memory in MiB."""
    resident: int = psutil.Process(program.pid).memory_info().rss
    return resident / 2**20


@contextmanager
def a_hostile_day(nursery: Nursery, data: Path, changed: list[str]) -> Iterator[tuple[Program, Session, int, Mallory]]:
    """A program with a room that is voting, and Mallory in it."""
    how = Disturbed(changed=changed, settings={"LOG_REQUESTS": "1"})
    with running(nursery, data, how) as program:
        program.link()
        quiet = open_sockets(program)
        session = Session.set_up(program, people=5)
        session.moves(program, "open")
        round_id = session.answers(program, ["1", "2", "3", "4", "5"])
        mallory = Mallory(program, session.code, Session(), [Phone(Browser()) for _ in range(8)], quiet)
        mallory.own.freya.cookies |= session.freya.cookies
        mallory.own.begins(program, people=1)
        mallory.own.moves(program, "open")
        for phone in mallory.phones:
            assert phone.browser.posts(program, "/join", {"code": session.code})[0] == 303 or phone.browser.cookies
        yield program, session, round_id, mallory
        mallory.goes()


def many(count: int, strategy: st.SearchStrategy[Any], attack: Callable[..., None]) -> None:
    """So many examples of one kind of attack; Hypothesis says which of them did harm."""

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(strategy)
    def each(drawn: tuple[Any, ...]) -> None:
        attack(*drawn)

    each()


def post_rules(folder: Path) -> list[str]:
    """Every address that takes a form."""
    app = create_app(Settings.from_environment({"DATA_DIR": str(folder)}))
    return sorted(rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ()))


def attacks_of(mallory: Mallory, rules: list[str]) -> list[tuple[st.SearchStrategy[Any], Callable[..., None]]]:
    """Kind by kind: what is drawn, and what is done with it."""
    forms = st.builds(
        lambda rule, place, body: Form(rule, place, *body),
        st.sampled_from(rules),
        numbers | awkward.filter(bool),
        bodies,
    )
    return [
        (st.tuples(st.booleans(), messages, leaves), mallory.sends_message),
        (st.tuples(st.lists(frames(), min_size=1, max_size=3), leaves), mallory.sends_frames),
        (st.tuples(packets | awkward, awkward, leaves), mallory.polls),
        (st.tuples(requests(), leaves), mallory.asks),
        (st.tuples(forms, leaves), mallory.fills_in),
    ]


def secrets_of(program: Program, session: Session, mallory: Mallory, link: str) -> set[str]:
    """What must stand in no log: addresses, cookies, codes, browsers, and what anybody typed."""
    browsers = [
        session.freya,
        mallory.own.freya,
        *(p.browser for p in (*session.phones, *mallory.phones, *mallory.own.phones)),
    ]
    cookies = {
        part for browser in browsers for value in browser.cookies.values() for part in (value, value.split(".")[0])
    }
    return {
        *cookies,
        session.code,
        mallory.own.code,
        link.rpartition("/")[2],
        AGENT,
        "Mallory",
        "127.0.0.1",
        "DROP",
        "passwd",
    }


@pytest.mark.parametrize(("count", "patience", "changed"), [NORMAL, LONG])
def test_a_room_goes_on_voting_under_thousands_of_hostile_frames_and_forms(
    nursery: Nursery, data: Path, tmp_path: Path, count: int, patience: float, changed: list[str]
) -> None:
    with a_hostile_day(nursery, data, changed) as (program, session, round_id, mallory):
        attacks = attacks_of(mallory, post_rules(tmp_path / "rules"))
        for strategy, attack in attacks:  # once each, so that what is made on first use is not taken for a leak
            many(3, strategy, attack)
        before, warm = mallory.sent, memory(program)
        begun = time.perf_counter()
        with Room(program, session, round_id) as room:
            for strategy, attack in attacks:
                many(count // len(attacks), strategy, attack)
        took = time.perf_counter() - begun
        grown = memory(program) - warm
        silent = len(mallory.left)
        begun = time.perf_counter()
        # whoever was left open must be gone although the other end never hung up
        until(lambda: open_sockets(program) <= mallory.quiet, "every hostile connection was ended", seconds=60)
        gone = time.perf_counter() - begun
        slow = room.slowest_but_one_in_a_hundred()
        print(
            f"\n{mallory.sent - before} hostile frames, requests and forms in {took:.0f} s; {len(room.seconds)} votes "
            f"meanwhile, acknowledged within {1000 * slow:.0f} ms (p99), {1000 * max(room.seconds):.0f} ms (slowest); "
            f"{silent} connections left open, all gone after {gone:.0f} s; memory {warm:.1f} MiB, {grown:+.1f} MiB"
        )
        assert mallory.sent - before >= count * 0.9, "Hypothesis ran out of examples"
        assert room.refused == []
        assert slow < patience
        assert re.search(r"<dt>Connected now</dt><dd>0</dd>", session.freya.gets(program, f"/f/{session.code}")[1])
        session.moves(program, "close")
        assert Stored.of(data).rounds[round_id][1] == session.counts(round_id), "somebody else's answer was counted"
        secrets = secrets_of(program, session, mallory, program.link())
        assert program.stop() == 0
        said = program.words().partition("nothing is lost.")[2].strip().splitlines()
        assert len(said) > count / 2
        assert [line for line in said if not re.fullmatch(LINE, line)] == []
        assert [line for line in said if any(secret in line for secret in secrets)] == []


@pytest.mark.parametrize("changed", [[], ["frames of any length"]], ids=["shipped", "control"])
def test_one_hostile_phone_costs_the_program_at_most_five_mebibytes(
    nursery: Nursery, data: Path, changed: list[str]
) -> None:
    """What can be made to stay in memory: long frames, parts without an end, packets that announce attachments, bodies
    that never come whole, pushes that are never read. On as many connections as a browser opens, again and again."""
    with a_hostile_day(nursery, data, changed) as (program, session, _, mallory):
        endless = [
            *(struct.pack(">BBQ", kind, 0xFF, 200 * 2**20) + b"\0\0\0\0" + b"x" * 16 * 2**20 for kind in (0x81, 0x82)),
            b"".join(frame(0 if part else 1, b"x" * 1000, final=False) for part in range(1000)),
            frame(1, b"40") + b"".join(frame(1, b'45999-["x",{"_placeholder":true,"num":0}]') for _ in range(100)),
            frame(1, b"40") + b"".join(frame(9, b"p" * 125) for _ in range(2000)),
            frame(1, b"40" + b"[" * 15_000),
        ]
        post = b"POST /join HTTP/1.1\r\n" + mallory.about({})
        halves = [
            post + b"Content-Length: 32768\r\n\r\n" + b"x" * 32_000,
            post + b"Transfer-Encoding: chunked\r\n\r\n" + b"3fff0\r\n" + b"x" * 0x3FFE0,
            b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\nX: " + b"y" * 8000,
        ]

        def a_round() -> None:
            lines = [mallory.upgrades(said, "close") for said in endless]
            lines += [mallory.says(half, "close") for half in halves for _ in range(4)]
            # the program has taken what it takes once it answers somebody else
            assert session.freya.gets(program, f"/f/{session.code}")[0] == 200
            highest.append(memory(program))
            for line in lines:
                line.close()

        highest: list[float] = []
        if not changed:
            a_round()
        warm, highest = memory(program), []
        for _ in range(10):
            a_round()
        rise = max(highest) - warm
        print(f"\none hostile phone: {warm:.1f} MiB, {rise:+.1f} MiB at most in {mallory.sent} hostile connections")
        assert (rise > 5) if changed else (rise <= 5)
