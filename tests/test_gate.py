"""The edge below the app: who gets as far as a live connection, how much anybody may send and how slowly, and what is
written down about it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from flask import Flask
from gevent import socket

from bench.phones import Facilitator, Phone, Screen, Turned, socket_path
from bench.program import Program, running
from facilitation import logs, serving, wire, workshop
from facilitation.config import Settings
from facilitation.gate import CROWD, LARGEST_TYPED, POLLING_SILENCE, SOCKETS_EACH, Environ, Gate, StartResponse
from tests.cast import an_app

CODE = "482793"
SOCKET = f"r={CODE}&role=p&EIO=4&transport="
PHONE = "p_1=secret.mac"
UPGRADE = {
    "HTTP_UPGRADE": "websocket",
    "HTTP_CONNECTION": "Upgrade",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Time:
    """Monotonic seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        return self.seconds


class Behind:
    """What stands behind the gate: notes what reached it. `during` runs while a WebSocket's call lasts."""

    def __init__(self) -> None:
        self.reached: list[Environ] = []
        self.during: Callable[[], object] = lambda: None
        self.given = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.reached.append(environ)
        if environ.get("HTTP_UPGRADE"):
            self.during()
            return []
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/socket.io/" and "sid=" not in environ["QUERY_STRING"]:
            self.given += 1
            return [f'0{{"sid":"given-{self.given:04d}"}}'.encode()]
        return [b"the app"]


class Door:
    """A gate with a clock that stands still, and a way to ask at it."""

    def __init__(self, crowd: int = CROWD) -> None:
        self.time = Time()
        self.behind = Behind()
        self.gate = Gate(self.behind, lambda: {"localhost"}, self.time.now, crowd)

    def ask(self, path: str = "/", query: str = "", cookie: str = PHONE, **more: str | bytes) -> tuple[str, str]:
        """The status and the body of the answer; "101" for a WebSocket."""
        body = more.pop("body", b"")
        assert isinstance(body, bytes)
        environ: Environ = {
            "REQUEST_METHOD": "POST" if body else "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "localhost:8000",
            "HTTP_ORIGIN": "http://localhost:8000",
            "HTTP_COOKIE": cookie,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **more,
        }
        said: list[str] = []
        answer = b"".join(self.gate(environ, lambda status, _headers: said.append(status)))
        return (said[0][:3] if said else "101"), answer.decode()

    def line(self, cookie: str = PHONE, query: str = SOCKET + "websocket", **more: str) -> str:
        """Ask for a WebSocket."""
        return self.ask("/socket.io/", query, cookie, **{**UPGRADE, **more})[0]

    def poll(self, sid: str = "", cookie: str = PHONE, **more: str | bytes) -> tuple[str, str]:
        """Ask as a polling client."""
        return self.ask("/socket.io/", SOCKET + "polling" + (f"&sid={sid}" if sid else ""), cookie, **more)


@pytest.fixture
def door() -> Door:
    return Door()


# --- Who may ask for a live connection -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["p", "s", "f"])
def test_a_live_connection_needs_a_cookie_of_its_role(door: Door, role: str) -> None:
    query = SOCKET.replace("role=p", f"role={role}") + "websocket"
    others = "; ".join(f"{other}_1=secret" for other in "psf" if other != role)
    assert door.line(cookie=others, query=query) == "403"
    assert door.line(cookie="", query=query) == "403"
    assert door.behind.reached == []
    assert door.line(cookie=f"{others}; {role}_1=secret", query=query) == "101"
    assert door.line(cookie=f"{others}; {role}_1_0a1b2c=secret", query=query) == "101"
    assert len(door.behind.reached) == 2


@pytest.mark.parametrize(
    "query",
    [
        "",
        "EIO=4&transport=websocket",
        f"r={CODE}&EIO=4&transport=websocket",
        "role=p&EIO=4&transport=websocket",
        f"r={CODE}&role=x&EIO=4&transport=websocket",
        f"r={CODE}&role=ps&EIO=4&transport=websocket",
        "r=48279&role=p&EIO=4&transport=websocket",
        "r=4827931&role=p&EIO=4&transport=websocket",
        "r=٤٨٢٧٩٣&role=p&EIO=4&transport=websocket",
        f"r={CODE}&r=111111&role=p&EIO=4&transport=websocket",
        f"r={CODE}&role=p&role=f&EIO=4&transport=websocket",
        f"r={CODE}&role=p&EIO=4&transport=polling",
        f"r={CODE}&role=p&EIO=4&transport=websocket&j=1",
        f"r={CODE}&role=p&EIO=4&transport=websocket" + "&a=b" * 50,
    ],
)
def test_a_live_connection_must_name_its_room_and_role_as_our_pages_do(door: Door, query: str) -> None:
    assert door.line(query=query) == "400"
    assert door.behind.reached == []


@pytest.mark.parametrize(
    "cookie",
    [
        *("p_1=", "p_=secret", "p_x=secret", "xp_1=secret", "p_12345678901=s", "p_1 secret"),
        *("p_1_=secret", "p_1_xyz=s", "p_1_0a1b2c3=secret"),
    ],
)
def test_a_cookie_of_another_shape_is_none(door: Door, cookie: str) -> None:
    assert door.line(cookie=cookie) == "403"


@pytest.mark.parametrize(
    "header",
    [
        {"HTTP_SEC_WEBSOCKET_KEY": ""},
        {"HTTP_SEC_WEBSOCKET_KEY": "short"},
        {"HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==\x01"},
        {"HTTP_SEC_WEBSOCKET_VERSION": "8"},
        {"HTTP_CONNECTION": "close"},
        {"CONTENT_LENGTH": "5"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
    ],
)
def test_a_handshake_that_is_none_goes_no_further(door: Door, header: dict[str, str]) -> None:
    assert door.line(**header) == "400"
    assert door.behind.reached == []


def test_a_websocket_is_taken_nowhere_else(door: Door) -> None:
    assert door.ask("/", **UPGRADE)[0] == "400"
    assert door.ask(f"/w/{CODE}", **UPGRADE)[0] == "400"


@pytest.mark.parametrize(
    "host", ["localhost:port", "localhost:", "localhost:80:80", "localhost@evil", "a b", "[localhost]"]
)
def test_a_host_that_is_no_host_is_not_ours(door: Door, host: str) -> None:
    assert door.ask(HTTP_HOST=host)[0] == "421"


@pytest.mark.parametrize(
    "origin", ["http://[", "http://localhost:8000.evil.example", "null", "", "http://x@localhost:8000"]
)
def test_an_origin_that_cannot_be_read_is_another_one(door: Door, origin: str) -> None:
    assert door.line(HTTP_ORIGIN=origin) == "403"


# --- How many --------------------------------------------------------------------------------------------------------


def nested(door: Door, count: int, cookie: Callable[[int], str]) -> list[str]:
    """Open so many WebSockets, each while the ones before last; what each was answered, the first last."""
    said: list[str] = []

    def open_next(number: int) -> None:
        if number < count:
            door.behind.during = lambda: open_next(number + 1)
            said.append(door.line(cookie(number)))

    open_next(0)
    return said


def test_one_cookie_has_four_live_connections_and_a_fifth_when_one_has_ended(door: Door) -> None:
    said = nested(door, SOCKETS_EACH + 1, lambda _: PHONE)
    assert sorted(said) == ["101"] * SOCKETS_EACH + ["429"]
    assert door.gate.seats.taken() == 0
    assert door.line() == "101"


def test_a_room_behind_one_address_is_not_one_cookie(door: Door) -> None:
    assert nested(door, 50, lambda number: f"p_1=phone-{number}") == ["101"] * 50


def test_invented_cookies_beside_a_true_one_do_not_help(door: Door) -> None:
    said = nested(door, SOCKETS_EACH + 3, lambda number: f"{PHONE}; p_{number + 2}=invented-{number}")
    assert said.count("101") == SOCKETS_EACH


def test_a_polling_client_holds_its_place_until_it_has_been_silent_for_a_while(door: Door) -> None:
    for _ in range(SOCKETS_EACH):
        assert door.poll()[0] == "200"
    assert door.poll()[0] == "429"
    assert door.line() == "429"
    for _ in range(3):
        door.time.seconds += POLLING_SILENCE - 1
        assert door.poll("given-0001")[0] == "200"
    assert door.gate.seats.taken() == 1
    door.time.seconds += POLLING_SILENCE + 1
    assert door.poll("given-0001")[0] == "400"
    assert door.gate.seats.taken() == 0


def test_a_polling_connection_belongs_to_the_cookie_it_was_given_to(door: Door) -> None:
    door.poll()
    reached = len(door.behind.reached)
    assert door.poll("given-0001", "p_1=mallory")[0] == "400"
    assert door.line("p_1=mallory", SOCKET + "websocket&sid=given-0001") == "400"
    assert door.poll("invented-0001")[0] == "400"
    assert len(door.behind.reached) == reached
    assert door.line(query=SOCKET + "websocket&sid=given-0001") == "101"


def test_a_handshake_that_the_live_layer_refuses_takes_no_place(door: Door) -> None:
    door.gate._app = lambda _environ, start_response: [start_response("400 Bad Request", []), b"no"][1:]
    for _ in range(2 * SOCKETS_EACH):
        assert door.poll()[0] == "400"
    assert door.gate.seats.taken() == 0


def test_when_the_room_is_full_somebody_new_reads_so_and_those_inside_go_on() -> None:
    door = Door(crowd=2)
    answers: dict[str, tuple[str, str]] = {}

    def look() -> None:
        door.behind.during = lambda: None
        answers["a line"] = (door.line("p_1=third"), "")
        for path in ("/", "/join", "/j/token", f"/w/{CODE}", "/static/1/css/base.css", "/enter/token", "/healthz"):
            answers[path] = door.ask(path, cookie="")
            answers[path + " inside"] = door.ask(path)

    def second() -> None:
        door.behind.during = look
        door.line("p_1=second")

    door.behind.during = second
    door.line("p_1=first")
    full = {what for what, (status, _) in answers.items() if status == "503"}
    assert full == {"a line", "/", "/join", "/j/token"}
    _, page = answers["/"]
    assert "<h1>The room is full</h1>" in page
    assert "ask the facilitator" in page
    assert not re.search(r"<script|<link|style=|src=", page)


def test_the_program_lets_in_fifteen_hundred() -> None:
    assert CROWD == 1500


def test_no_cookie_is_kept_as_it_is(door: Door) -> None:
    door.behind.during = lambda: kept.append(repr(vars(door.gate.seats)))
    kept: list[str] = []
    door.line("p_1=very-secret")
    assert kept
    assert "very-secret" not in kept[0]


# --- What a polling client may send ----------------------------------------------------------------------------------


def body_that_arrived(door: Door, body: bytes) -> bytes:
    door.poll()
    assert door.poll("given-0001", body=body)[0] == "200"
    read: bytes = door.behind.reached[-1]["wsgi.input"].read()
    assert door.behind.reached[-1]["CONTENT_LENGTH"] == str(len(read))
    return read


@pytest.mark.parametrize("body", [b"40", b'40{"order":[3,1]}', b"41", b"3", b"1", b"3\x1e41"])
def test_what_our_pages_send_by_polling_arrives_as_it_was(door: Door, body: bytes) -> None:
    assert body_that_arrived(door, body) == body


@pytest.mark.parametrize(
    "body",
    [
        b"2",
        b"2probe",
        b"5",
        b"9",
        b"b4AAAA",
        b"\xff\xfe",
        b'42["disconnect","x"]',
        b'451-["x",{"_placeholder":true,"num":0}]',
        b"40/other,",
        b"40[" + b"[" * 500,
        b'40{"order":' + b"9" * 2000 + b"}",
        b"3\x1e" * 16 + b"3",
        b"3\x1e",
        b"d=40",
    ],
)
def test_what_no_page_sends_by_polling_becomes_a_goodbye_and_gives_back_the_place(door: Door, body: bytes) -> None:
    assert body_that_arrived(door, body) == b"1"
    assert door.gate.seats.taken() == 0
    assert door.poll("given-0001")[0] == "400"


def test_a_polling_body_has_sixteen_kibibytes_at_most_and_says_its_length(door: Door) -> None:
    door.poll()
    reached = len(door.behind.reached)
    assert door.poll("given-0001", body=b"3" * (16 * 1024 + 1))[0] == "413"
    for length in ("", "-1", "+1", "1_0", "many"):
        assert door.poll("given-0001", body=b"3", CONTENT_LENGTH=length)[0] == "411"
    assert len(door.behind.reached) == reached


def test_a_polling_client_posts_only_on_a_connection(door: Door) -> None:
    assert door.poll(body=b"40")[0] == "400"
    assert door.poll(REQUEST_METHOD="DELETE")[0] == "400"


# --- What a WebSocket may say ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["2probe", "5", "3", "1", "40", '40{"order":[3,1]}', "41"])
def test_what_our_pages_say_is_heard(said: str) -> None:
    assert wire.is_fit_message(said)


@pytest.mark.parametrize(
    "said", ["", "2", "4", "42[]", b"40", None, "40/x,", "40[]", "3" * 2, "40{" + "x" * 1024 + "}"]
)
def test_what_no_page_says_is_not(said: object) -> None:
    assert not wire.is_fit_message(said)


def test_a_phone_may_say_so_much_at_once_and_then_so_much_a_second() -> None:
    time = Time()
    allowed = wire.Allowance(10, 2, time.now)
    assert all(allowed.spend(1) for _ in range(10))
    assert not allowed.spend(1)
    time.seconds += 2
    assert allowed.spend(3)
    assert not allowed.spend(1)
    time.seconds += 100
    assert allowed.spend(10)


# --- Slow and large senders ------------------------------------------------------------------------------------------


class Server:
    """The program's server in this process, on a free port, in front of an app that says how much it was sent."""

    def __init__(self, most: int = 100, **more: Any) -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        self.port: int = listener.getsockname()[1]
        self.asked = 0
        self.lengths: list[str | None] = []  # as the app was told them
        self.server = serving.QuietServer(listener, self._app, most, **more)  # type: ignore[arg-type]  # any WSGI app
        self.server.start()

    def _app(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.asked += 1
        self.lengths.append(None if "HTTP_TRANSFER_ENCODING" in environ else environ.get("CONTENT_LENGTH"))
        body: bytes = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(str(len(body)))))])
        return [str(len(body)).encode()]

    def connect(self) -> Any:
        line = socket.create_connection(("127.0.0.1", self.port))
        line.settimeout(5)
        return line

    def ask(self, request: bytes) -> bytes:
        """Send this and nothing more; all that comes back until the server hangs up."""
        line = self.connect()
        line.sendall(request)
        return self.rest(line)

    @staticmethod
    def answer(line: Any) -> bytes:
        """One answer of a single digit; the connection stays."""
        found = b""
        while not re.search(rb"\r\n\r\n\d$", found):
            found += line.recv(1000)
        return found

    @staticmethod
    def rest(line: Any) -> bytes:
        found = b""
        with suppress(ConnectionError):
            while part := line.recv(65536):
                found += part
        line.close()
        return found

    def is_idle(self) -> bool:
        """Whether every connection has ended, and its greenlet with it."""
        with gevent.Timeout(5):
            while self.server._open:
                gevent.sleep(0.005)
        return True


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.server.stop(timeout=1)


@pytest.fixture
def short_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waits for nobody longer than an instant."""
    for limit in ("HEAD_WITHIN", "BODY_WITHIN", "IDLE"):
        monkeypatch.setattr(serving, limit, 0.1)


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.usefixtures("short_of_time")
@pytest.mark.parametrize("beginning", [b"G", b"GET / HT", b"GET / HTTP/1.1\r\nHost: lo"])
def test_a_request_that_never_ends_its_head_holds_nothing_for_long(server: Server, beginning: bytes) -> None:
    assert server.ask(beginning) in (b"", serving._bare("408 Request Timeout"))
    assert server.is_idle()
    assert server.asked == 0


@pytest.mark.usefixtures("short_of_time")
def test_a_head_that_drips_in_is_cut_off_although_something_always_comes(server: Server) -> None:
    line = server.connect()
    with suppress(ConnectionError):
        for letter in b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Patience: yes\r\n\r\n":
            line.sendall(bytes([letter]))
            gevent.sleep(0.02)
    assert b"200" not in Server.rest(line)
    assert server.asked == 0


@pytest.mark.usefixtures("short_of_time")
def test_a_connection_that_says_nothing_is_closed(server: Server) -> None:
    assert server.ask(b"") == b""
    assert server.is_idle()


@pytest.mark.usefixtures("short_of_time")
def test_a_body_that_never_comes_whole_is_not_waited_for(server: Server) -> None:
    assert server.ask(HEAD + b"Content-Length: 100\r\n\r\nten bytes.") == serving._bare("408 Request Timeout")
    assert server.ask(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab") == serving._bare("408 Request Timeout")
    assert server.is_idle()
    assert server.asked == 0


@pytest.mark.parametrize(("cookie", "most"), [(b"home=secret", serving.LARGEST_BODY), (b"p_1=x", LARGEST_TYPED)])
def test_a_body_that_is_too_large_is_not_read(server: Server, cookie: bytes, most: int) -> None:
    too_large = serving._bare("413 Content Too Large")
    head = HEAD + b"Cookie: " + cookie + b"\r\n"
    assert server.ask(head + b"Content-Length: %d\r\n\r\n" % (most + 1)) == too_large
    assert server.ask(head + b"Content-Length: 99999999999999\r\n\r\n") == too_large
    endless = b"%x\r\n" % (most // 4) + b"x" * (most // 4) + b"\r\n"
    assert server.ask(head + b"Transfer-Encoding: chunked\r\n\r\n" + endless * 5) == too_large
    assert server.asked == 0


@pytest.mark.parametrize(("cookie", "most"), [(b"home=secret", serving.LARGEST_BODY), (b"p_1=x", LARGEST_TYPED)])
def test_a_body_of_the_largest_size_reaches_the_app_whole(server: Server, cookie: bytes, most: int) -> None:
    body, head = b"x" * most, HEAD + b"Cookie: " + cookie + b"\r\n"
    answer = server.ask(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.endswith(b"\r\n\r\n%d" % len(body))
    chunked = b"4\r\nfour\r\n3\r\nsix\r\n0\r\n\r\n"
    answer = server.ask(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked)
    assert answer.endswith(b"\r\n\r\n7")
    assert server.lengths == [str(most), "7"]


def test_more_than_a_typed_form_is_taken_only_where_a_file_is_sent(server: Server) -> None:
    head = b"PUT /sessions/load HTTP/1.1\r\nHost: localhost\r\nCookie: home=made-up\r\n"
    too_large = serving._bare("413 Content Too Large")
    assert server.ask(head + b"Content-Length: %d\r\n\r\n" % (LARGEST_TYPED + 1)) == too_large


def test_of_large_bodies_two_are_read_at_once_and_small_ones_never_wait(server: Server) -> None:
    head = HEAD + b"Connection: close\r\nCookie: home=made-up\r\nContent-Length: %d\r\n\r\n"
    large = LARGEST_TYPED + 1
    unfinished = [server.connect() for _ in range(2)]
    for line in unfinished:
        line.sendall(head % large + b"x" * 1000)
    assert server.ask(head % 3 + b"abc").endswith(b"\r\n\r\n3")
    third = server.connect()
    third.sendall(head % large + b"x" * large)
    third.settimeout(0.1)
    with pytest.raises(TimeoutError):
        third.recv(1)
    unfinished[0].sendall(b"x" * (large - 1000))
    third.settimeout(5)
    assert server.rest(third).endswith(b"\r\n\r\n%d" % large)
    for line in unfinished:
        line.close()
    assert server.is_idle()


def test_made_up_cookies_take_no_place_of_the_facilitators_file() -> None:
    server = Server(at_home=lambda cookies: cookies == "home=real")
    head = HEAD + b"Connection: close\r\nCookie: home=%s\r\nContent-Length: %d\r\n\r\n"
    large = LARGEST_TYPED + 1
    invented = [server.connect() for _ in range(2)]
    for line in invented:
        line.sendall(head % (b"made-up", large) + b"x" * 1000)
        assert server.rest(line) == serving._bare("413 Content Too Large")
    assert server.ask(head % (b"real", large) + b"x" * large).endswith(b"\r\n\r\n%d" % large)
    server.server.stop(timeout=1)


@pytest.mark.program
def test_before_a_file_is_read_its_sender_is_known_by_the_cookie_that_was_given(tmp_path: Path) -> None:
    app: Flask = an_app(Settings.from_environment({"DATA_DIR": str(tmp_path)}))
    token = app.extensions["house"].committer.perform(lambda session: workshop.grant(session, "home"))
    at_home, home = serving.at_home_by(app), f"home{app.extensions['house'].mark}"
    assert at_home(f"p_1=x; {home}={token}")
    others = ("", f"p_1={token}", f"{home}=", f"{home}={token}x", f"{home}=made-up", f"home_0a1b2c={token}")
    assert [cookies for cookies in others if at_home(cookies)] == []


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 17_000 + b"\r\n",
        b"".join(b"X-%d: %s\r\n" % (n, b"x" * 200) for n in range(90)),
        b"".join(b"X-%d: x\r\n" % n for n in range(200)),
        b"Content-Length: +3\r\n",
        b"Content-Length: -3\r\n",
        b"Content-Length: 1_0\r\n",
        b"Content-Length: \xb2\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
    ],
)
def test_a_head_that_is_not_sound_is_refused(server: Server, head: bytes) -> None:
    assert server.ask(HEAD + head + b"\r\nabc") == serving._bare("400 Bad Request")
    assert server.asked == 0


def test_a_request_line_that_is_too_long_is_refused(server: Server) -> None:
    assert server.ask(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 414 ")


def test_one_connection_serves_many_requests(server: Server) -> None:
    line = server.connect()
    for _ in range(5):
        line.sendall(HEAD + b"Content-Length: 2\r\n\r\nab")
        assert Server.answer(line).endswith(b"\r\n\r\n2")
    line.close()
    assert server.asked == 5


def test_one_connection_too_many_reads_that_the_room_is_full() -> None:
    full = Server(most=2)
    lines = [full.connect(), full.connect()]
    for line in lines:  # they are being served, not only connected
        line.sendall(HEAD + b"Content-Length: 0\r\n\r\n")
        assert Server.answer(line).endswith(b"\r\n\r\n0")
    answer = full.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"<h1>The room is full</h1>" in answer
    assert int(re.search(rb"Content-Length: (\d+)", answer)[1]) == len(answer.partition(b"\r\n\r\n")[2])  # type: ignore[index]
    for line in lines:
        line.close()
    assert full.is_idle()
    full.server.stop(timeout=1)


# --- What is written down --------------------------------------------------------------------------------------------


def formatted(error: Exception) -> str:
    record = logging.LogRecord("facilitation", logging.ERROR, __file__, 1, "it failed", (), (type(error), error, None))
    return logs.Places("%(levelname)s %(message)s").format(record)


def test_an_error_is_written_down_without_its_words() -> None:
    try:
        int("what Ana typed")
    except ValueError as error:
        said = logs.places(type(error), error.__traceback__)
        assert formatted(error).startswith("ERROR it failed\nValueError at ")
    assert re.fullmatch(r"ValueError at test_gate\.py:\d+", said)


@pytest.mark.program
def test_a_request_is_one_line_of_method_route_status_and_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app: Flask = an_app(Settings.from_environment({"DATA_DIR": str(tmp_path)}))
    with caplog.at_level(logging.INFO, "facilitation"):
        browser = app.test_client()
        browser.get("/about?who=ana", headers={"User-Agent": "Ana’s phone".encode().decode("latin-1")})
        browser.get(f"/w/{CODE}")
        browser.get("/nowhere")
        browser.post("/join", data={"code": CODE})
        browser.open("/about", method="ANA")
        browser.get("/about", headers={"Host": "evil.example"})
    lines = [re.sub(r" \d+ ms$", " _ ms", record.getMessage()) for record in caplog.records]
    assert lines == [
        "GET /about 200 _ ms",
        "GET /w/<code> 404 _ ms",
        "GET - 404 _ ms",
        "POST - 403 _ ms",
        "? - 403 _ ms",
        "GET - 421 _ ms",
    ]


def test_a_fault_below_the_app_is_a_plain_answer_and_a_line_without_words(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_environ: Environ, _start_response: StartResponse) -> Iterable[bytes]:
        raise RuntimeError("p_1=secret.mac")

    door.gate._app = fails
    assert door.ask()[0] == "500"
    (record,) = caplog.records
    assert re.fullmatch(r"fault in -: RuntimeError at test_gate\.py:\d+ < gate\.py:.*", record.getMessage())
    assert record.exc_info is None


def test_what_the_live_libraries_say_of_senders_is_not_written_down(caplog: pytest.LogCaptureFixture) -> None:
    logger = logs.line_logger()
    logger.error("Invalid session %s", "what somebody sent")
    logger.warning("https://evil.example is not an accepted origin.")
    assert caplog.records == []


# --- The running program ---------------------------------------------------------------------------------------------

AGENT = "Mozilla/5.0 (Ana's own phone)"
HOSTILE_MESSAGES: list[str | bytes] = [
    "9",
    "",
    "4",
    "2",
    '42["disconnect","x"]',
    '40{"order":' + "[" * 900,
    "40/other,",
    '451-["x",{"_placeholder":true,"num":0}]',
    b"\x00\x01",
    "3" * 2000,
    "x" * 20_000,
]
HOSTILE_FRAMES = [(3, b""), (9, b"x" * 200), (1, b"\xff\xff"), (0, b"a"), (8, b"x"), (15, b"")]
HOSTILE_BODIES = [b"2[]", b"4" + b"[" * 2000, b"\xff\xfe", b"b4AAA", b"", b"40\x1e" * 20, b"x" * 17_000]


def hostile_requests(port: int, code: str) -> list[bytes]:
    """Bytes that a browser never sends."""
    about = f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nUser-Agent: {AGENT}\r\n".encode()
    post = b"POST /join HTTP/1.1\r\n" + about
    return [
        b"NONSENSE\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /%00%ff HTTP/1.1\r\n" + about + b"Connection: close\r\n\r\n",
        b"GET /w/\xff\xfe HTTP/1.1\r\n" + about + b"Connection: close\r\n\r\n",
        b"GET /w/" + code.encode() + b"%00 HTTP/1.1\r\n" + about + b"Connection: close\r\n\r\n",
        b"G\x1b[31mET / HTTP/1.1\r\n" + about + b"Connection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example:1\r\nConnection: close\r\n\r\n",
        post + b"Content-Length: -5\r\n\r\n",
        post + b"Content-Length: 99999999999\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        post
        + b"Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n--y\r\nabcd",
        post + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
        b"GET "
        + socket_path(code, "p").encode()
        + b" HTTP/1.1\r\n"
        + about
        + b"Cookie: p_1=x\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
    ]


async def raw(port: int, request: bytes) -> bytes:
    """Send bytes and hang up after what comes back, which may be nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    answer = b""
    with suppress(ConnectionError):
        answer = await reader.read()
    writer.close()
    return answer


async def misbehaves(origin: str, code: str, phone: Phone, port: int) -> None:
    """Everything above, as somebody who has joined."""
    for request in hostile_requests(port, code):
        await raw(port, request)
    polling = socket_path(code, "p").replace("transport=websocket", "transport=polling")
    for body in HOSTILE_BODIES:
        opened = await phone.get(polling)
        sid = json.loads(opened.text[1:])["sid"]
        answer = await phone.request("POST", f"{polling}&sid={sid}", body, {"Origin": origin})
        assert answer.status in (200, 413)
        if answer.status == 413:
            assert (await phone.request("POST", f"{polling}&sid={sid}", b"1", {"Origin": origin})).status == 200
        assert (await phone.request("POST", f"{polling}&sid={sid}", b"3", {"Origin": origin})).status == 400
    for message in HOSTILE_MESSAGES:
        line = await phone.open_line(socket_path(code, "p"))
        line.send(message)
        assert await asyncio.wait_for(asyncio.shield(line.ended), 10)
        line.vanish()
    for opcode, payload in HOSTILE_FRAMES:
        line = await phone.open_line(socket_path(code, "p"))
        line.send_frame(opcode, payload)
        assert await asyncio.wait_for(asyncio.shield(line.ended), 10)
        line.vanish()
    flood = await phone.open_line(socket_path(code, "p"))
    for _ in range(200):
        flood.send("3")
    assert await asyncio.wait_for(asyncio.shield(flood.ended), 10)


def connections(program: Program) -> int:
    """How many connections a process has open; a WebSocket counts twice."""
    found = 0
    for path in Path(f"/proc/{program.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it may close while we look
            found += path.readlink().name.startswith("socket:")
    return found


@pytest.mark.process
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts connections in /proc")
def test_the_log_of_a_session_with_bad_company_says_nothing_about_anybody(tmp_path: Path) -> None:
    """A session with three voters and a shared screen, and beside it every hostile thing above. Afterwards each line of
    the log is a request line without a secret in it, no connection is left over, and only Ana counts as connected."""

    async def play(program: Program) -> set[str]:
        link = program.link()
        origin, port = program.origin, program.port
        async with Facilitator(origin) as facilitator:
            await facilitator.enter(link)
            code = await facilitator.set_up("Annual review", 3)
            phones = [Phone(origin) for _ in range(3)]
            for phone in phones:
                await phone.join_by_code(code)
            ana = await phones[0].listen()
            wall = Screen(origin)
            await facilitator.give_screen(wall)
            shown = await wall.listen(code)
            await shown.heard(1)
            before = connections(program)
            await facilitator.move("open")
            round_id = int((await ana.heard(2)).html.partition('data-round="')[2].partition('"')[0])
            for phone, choice in zip(phones, ("2", "4", "DK"), strict=True):
                assert (await phone.vote(round_id, choice)).status == 200
            bad = Phone(origin)
            await bad.join_by_code(code)
            await misbehaves(origin, code, bad, port)
            with pytest.raises(Turned):
                await Phone(origin).open_line(socket_path(code, "p"))
            await Phone(origin).post("/join", {"code": "123456"})
            await facilitator.move("close")
            secrets = {code, AGENT, "Mozilla", "127.0.0.1", "evil", "123456", *link.split("/")[2:]}
            for browser in (facilitator, wall, bad, *phones):
                secrets |= {part for value in browser.cookies.values() for part in (value, value.partition(".")[0])}
            bad.close()
            for phone in phones[1:]:
                phone.close()
            async with asyncio.timeout(15):
                while connections(program) > before:
                    await facilitator.look()
            page = await facilitator.look()
            assert re.search(r"<dt>Connected now</dt><dd>1</dd>", page)
            assert not ana.ended.done()
            assert not shown.ended.done()
            wall.close()
            phones[0].close()
            return secrets

    with running(tmp_path, settings={"LOG_REQUESTS": "1"}) as program:
        secrets = asyncio.run(play(program))
        assert program.stop() == 0
    log = program.said.partition("nothing is lost.")[2].strip().splitlines()
    assert len(log) > 60
    strange = [line for line in log if not re.fullmatch(LINE, line)]
    assert strange == []
    assert [line for line in log if any(secret in line for secret in secrets)] == []


LINE = r"INFO facilitation: (?:GET|POST|\?) (?:-|/[a-z/.<>:_]*) \d{3} \d+ ms"


@pytest.mark.process
def test_a_program_that_nobody_told_to_log_requests_writes_none(tmp_path: Path) -> None:
    async def look(program: Program) -> None:
        link = program.link()
        async with Facilitator(program.origin) as facilitator:
            await facilitator.enter(link)
            await facilitator.get("/home")

    with running(tmp_path) as program:
        asyncio.run(look(program))
        assert program.stop() == 0
    assert program.said.partition("nothing is lost.")[2].strip() == ""
