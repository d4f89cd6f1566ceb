"""Runs the program on a laptop: finds a port, says where phones join, opens the browser, serves until stopped."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gevent
import segno
from flask import Flask
from gevent.lock import BoundedSemaphore
from gevent.pywsgi import WSGIHandler, WSGIServer
from sqlalchemy.exc import DBAPIError

from facilitation import gate, logs, network, wire, workshop
from facilitation.config import Settings, data_dir_looks_synced
from facilitation.errors import Refused
from facilitation.live import Live
from facilitation.web import House, access

BACKLOG = 4096  # connections waiting to be accepted: a whole room comes back at once
PORTS_TO_TRY = 50
PORT_FILE = "port"  # in the data folder while the program runs: `python app.py link` has to name the port it found
OPEN_FILES = 8192  # a phone takes two or more, and some systems begin with 256 for the whole program
# Seconds after which a thread lets another one on. The writer gives way at every row it stores, and would wait for the
# busy loop for 5 ms, Python's own figure, each time: a batch of 40 ballots took half a second.
LETS_ON_AFTER = 0.0005
LOOK_ROUND_EVERY = 5.0


# Seconds, and bytes. A phone that is awake pings its live connection every ten seconds, and sends the head of a request
# in one packet; a form of 256 KiB takes a second or two over the poorest Wi-Fi.
IDLE = 30.0
HEAD_WITHIN, BODY_WITHIN = 10.0, 20.0
LARGEST_HEAD = 16 * 1024
READ_AT_ONCE = 1024
LARGEST_BODY = 256 * 1024  # of the facilitator, who loads files; for anybody else it is gate.LARGEST_TYPED
LOADING, LARGEST_FILE = ("/sessions/load", "/languages/load"), 2_100_000  # a file with its form; from the facilitator
CONNECTIONS = 4 * gate.CROWD  # a browser keeps a few open beside its live one; half-open ones are gone in seconds
SPARE_FILES = 200  # for the database, the listener, the static files and whatever the system wants

# Only so many large bodies are in memory at once; and only the facilitator's wait for a place, so that nobody who made
# up a cookie keeps one.
_large_bodies = BoundedSemaphore(2)

# What a handler keeps of a request and its answer: the connection stays open for a while, and this would with it.
_OF_ONE_REQUEST = ("environ", "headers", "result", "wsgi_input", "response_headers")


class TooSlow(OSError):
    """A sender did not get to the end within its time."""


class _Head:
    """The lines of a request's head, and no more of them than a browser of ours sends."""

    def __init__(self, lines: Any) -> None:
        self._lines = lines
        self._left = LARGEST_HEAD

    def readline(self, size: int) -> bytes:
        line: bytes = self._lines.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise ValueError("the head of this request is too large")
        return line


class QuietHandler(WSGIHandler):  # type: ignore[misc]  # gevent carries no type marker
    """Serves one connection, with limits on time and size, and without writing down whose it is.

    The time-outs are for whole heads and bodies, not for single reads: one byte every few seconds keeps nothing open.
    """

    rfile: Any
    _alarm: Any = None

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        super().__init__(sock, address, server)
        # a request of ours is below 1 KiB, and the usual buffer of 8 KiB would be held for every phone, twice
        self.rfile.close()
        self.rfile = sock.makefile("rb", READ_AT_ONCE)

    def handle(self) -> None:
        """Serve requests until the connection ends; one that says nothing for a while does."""
        self.socket.settimeout(IDLE)
        with contextlib.suppress(OSError):  # the line broke, or the other end takes nothing
            super().handle()

    def MessageClass(self, *args: Any) -> Any:
        """Read the head's lines. Raises ValueError when they are too many."""
        return super().MessageClass(_Head(args[0]), *args[1:])

    def read_requestline(self) -> Any:
        """The first line; from its first byte on, the head has its time."""
        self.rfile.peek(1)
        self._alarm = gevent.Timeout.start_new(HEAD_WITHIN, TooSlow)
        return super().read_requestline()

    def read_request(self, raw_requestline: Any) -> Any:
        """The rest of the head. Raises ValueError for one that is not sound."""
        read = super().read_request(raw_requestline)
        length, coding = self.headers.get("content-length"), self.headers.get("transfer-encoding", "").lower()
        if (length is not None and not (length.isascii() and length.isdigit())) or coding not in ("", "chunked"):
            raise ValueError("where this request ends is not clear")
        return read

    def handle_one_request(self) -> Any:
        """One request; whether another may follow, or what is answered to one that could not be read."""
        try:
            result = super().handle_one_request()
        finally:
            self._disarm()
        if isinstance(result, tuple):
            logs.request_line("?", "-", result[0], 0)
        for name in _OF_ONE_REQUEST:
            setattr(self, name, None)
        return result

    def get_environ(self) -> dict[str, Any]:
        """The head has been read: what follows has a time of its own."""
        self._disarm()
        environ: dict[str, Any] = super().get_environ()
        environ[wire.SOCKET] = self.socket
        return environ

    def handle_one_response(self) -> None:
        """Take the whole body, so that the app never waits for a sender, then let the app answer."""
        if self._connection_upgrade_requested():
            self.close_connection = True  # nothing follows a WebSocket
        elif refusal := self._take_body():
            self.close_connection = True
            logs.request_line("?", "-", refusal[:3], 0)
            self.socket.sendall(_bare(refusal))
            return
        super().handle_one_response()

    def handle_error(self, t: Any, v: Any, tb: Any) -> None:
        """Something the gate did not catch. A line that broke is no fault of ours."""
        self.close_connection = True
        if not issubclass(t, OSError):
            logs.fault(v, "the server")
            self._send_error_response_if_possible(500)

    def _connection_upgrade_requested(self) -> bool:
        length, coding = self.content_length, self.headers.get("transfer-encoding")
        return self.headers.get("Upgrade", "").lower() == "websocket" and not length and not coding

    def _handle_client_error(self, ex: BaseException) -> tuple[str, bytes]:
        status = "408 Request Timeout" if isinstance(ex, TooSlow) else "400 Bad Request"
        return status[:3], _bare(status)

    def _take_body(self) -> str:
        """Put the body, whole, where the app reads it; the status with which it is refused, if it is."""
        chunked = bool(self.headers.get("transfer-encoding"))
        if not self.content_length and not chunked:
            return ""
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return "400 Bad Request"  # a body would stand between the handshake and the first frame
        most = gate.LARGEST_TYPED
        beyond = chunked or (self.content_length or 0) > most
        if beyond and self.command == "POST" and self.server.at_home(self.headers.get("cookie", "")):
            most = LARGEST_FILE if self.path in LOADING else LARGEST_BODY
        if (self.content_length or 0) > most:
            return "413 Content Too Large"
        large = (most if chunked else self.content_length) > gate.LARGEST_TYPED
        try:
            with gevent.Timeout(BODY_WITHIN, TooSlow), _large_bodies if large else contextlib.nullcontext():
                body = self.wsgi_input.read(most + 1)
        except TooSlow:
            return "408 Request Timeout"
        except (OSError, ValueError):
            return "400 Bad Request"
        if len(body) > most:
            return "413 Content Too Large"
        # now its length is known, however it came, and the app can refuse by it
        self.environ["wsgi.input"], self.environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        self.environ.pop("HTTP_TRANSFER_ENCODING", None)
        return ""

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def log_request(self) -> None:
        """The gate logs the route, the status and the time; gevent's line would hold the address."""

    def log_error(self, msg: str, *args: Any) -> None:
        """A malformed request is the sender's fault, and its bytes are nobody's business."""


class QuietServer(WSGIServer):  # type: ignore[misc]  # as above
    """A server with room for so many connections; one more is told so in plain words, whatever it asks."""

    handler_class = QuietHandler

    def __init__(
        self, listener: socket.socket, app: Flask, most: int, at_home: Callable[[str], bool] = gate.may_send_a_file
    ) -> None:
        """at_home: whether the cookies of a request are this program's facilitator's, who alone sends files."""
        super().__init__(listener, app, log=None, error_log=None)
        self.at_home = at_home
        self._most = most
        self._open = 0

    def handle(self, sock: Any, address: Any) -> None:
        """Serve one connection until it ends."""
        self._open += 1
        try:
            if self._open <= self._most:
                super().handle(sock, address)
            else:
                self._turn_away(sock)
        finally:
            self._open -= 1

    def _turn_away(self, sock: Any) -> None:
        with contextlib.suppress(OSError):
            sock.settimeout(1)
            sock.recv(LARGEST_HEAD)  # a connection closed with something unread in it loses what was sent
            sock.sendall(gate.full_answer())
        sock.close()


def run(settings: Settings, create_app: Callable[..., Flask], begin: Callable[[Flask], str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit status.

    begin: what is done before anybody is let in; it returns the join code of the session that the link leads to.
    """
    sys.setswitchinterval(LETS_ON_AFTER)
    _allow_many_connections()
    listener, port = _listen(settings)
    app = create_app(settings, port=port, async_mode="gevent")
    house: House = app.extensions["house"]
    server = QuietServer(listener, app, _room_for_connections(), at_home_by(app))
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)  # compiled now, not when a room waits for its first question
    gevent.get_hub().print_exception = _note  # gevent's own would print whose connection it was
    link = house.committer.perform(lambda session: workshop.grant(session, "link"))
    _say_where(settings, port, link, begin(app) if begin else "")
    for stop in (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(stop, server.stop)
    gevent.spawn(_look_round, house.live)
    with contextlib.suppress(OSError):  # without it the link names the port of the settings
        (settings.data_dir / PORT_FILE).write_text(str(port), encoding="ascii")
    server.serve_forever(stop_timeout=1)
    with contextlib.suppress(OSError):
        (settings.data_dir / PORT_FILE).unlink()
    return 0


def at_home_by(app: Flask) -> Callable[[str], bool]:
    """How it is told from the cookies of a request, before its body is read, that the program's facilitator sent it."""

    def at_home(cookies: str) -> bool:
        if not gate.may_send_a_file(cookies):
            return False
        with app.test_request_context(headers={"Cookie": cookies}):
            try:
                return access.at_home()
            except DBAPIError:
                return True  # the app will ask again, and say what is wrong

    return at_home


def port_in_use(settings: Settings) -> int:
    """The port on which the program with these settings listens, as far as is known: it may have had to move."""
    try:
        port = int((settings.data_dir / PORT_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return settings.port
    return port if settings.port <= port < settings.port + PORTS_TO_TRY else settings.port


def _allow_many_connections() -> None:
    """Raise this process's limit on open files, as far as the system lets it."""
    try:
        import resource
    except ImportError:  # Windows knows no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(settings: Settings) -> tuple[socket.socket, int]:
    """A listening socket on the port of the settings, or on the next free one. Raises Refused if none is free."""
    for port in range(settings.port, settings.port + PORTS_TO_TRY):
        try:
            # create_server knows what each system takes for a port in use
            listener = socket.create_server(
                (settings.host, port),
                family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
                backlog=BACKLOG,
                dualstack_ipv6=settings.host == "::" and socket.has_dualstack_ipv6(),
            )
        except OSError as error:
            if error.errno == errno.EACCES and sys.platform != "win32":  # there it says so of a port that is taken
                raise Refused(f"The program may not listen on port {port}. Set PORT to one from 1024 up.") from error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                why = os.strerror(error.errno or 0)
                raise Refused(f"The program cannot listen on {settings.host}: {why}.") from error
            continue
        if port != settings.port:
            print(f"Port {settings.port} is taken, so this session uses port {port}.")
        listener.setblocking(False)
        return listener, port
    raise Refused(
        f"No port from {settings.port} to {settings.port + PORTS_TO_TRY - 1} is free. Set PORT to another one."
    )


def _say_where(settings: Settings, port: int, token: str, code: str) -> None:
    origin = network.join_origin(settings, port)
    addresses = network.lan_addresses()
    print(f"\nPhones join at {origin}\n")
    if sys.stdout.encoding and "utf" in sys.stdout.encoding.lower():
        segno.make(origin, error="m").terminal(compact=True, border=2)
    if network.keeps_to_itself(settings):
        print(f"Only this computer can reach it, because HOST is {settings.host}.")
    elif not settings.public_url and not addresses:
        print("This computer is on no network, so phones cannot reach it yet. Join a Wi-Fi network or start a hotspot.")
    elif not settings.public_url:
        print("Phones must be on the same Wi-Fi as this computer.")
        for other in addresses[1:]:
            print(f"It can also be reached at http://{other}:{port} . Set PUBLIC_URL to choose that address.")
        _warn_if_unreachable(origin)
    if service := data_dir_looks_synced(settings.data_dir):
        print(
            f"Warning: {settings.data_dir} looks as if {service} copies it. Set DATA_DIR to a folder that stays here."
        )
    here = settings.host in (*network.EVERYWHERE, "127.0.0.1", "localhost")
    local = f"http://localhost:{port}" if here else origin
    link = f"{settings.public_url or local}/enter/{token}"
    if code:
        link = f"{link}?open={code}"
        screen = f"{settings.public_url or local}/f/{code}/screen"
        print(f"Shared screen, once the console is open in the same browser: {screen}")
    print(f"Facilitator link: {link}")
    left = "nothing of it is kept" if code else "nothing is lost"
    print(f"It works once, in the browser that opens it first. Stop the program with Ctrl-C; {left}.", flush=True)
    if settings.open_browser and _has_browser():
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()


def _warn_if_unreachable(origin: str) -> None:
    """Ask for ourselves at the address the phones get: a firewall may stand in between."""
    place = urlsplit(origin)
    try:
        socket.create_connection((place.hostname or "", place.port or 80), timeout=2).close()
    except OSError:
        print("Warning: this computer does not answer at that address. A firewall may be blocking the program.")


def _has_browser() -> bool:
    """Whether there is somebody at a screen to open a browser for."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _look_round(live: Live) -> None:
    while True:
        gevent.sleep(LOOK_ROUND_EVERY)
        try:
            live.look_round()
        except Exception as error:  # the next look may go well: a database that is locked or away comes back
            logs.fault(error, "looking round")


def _note(_context: Any, kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """A task in the background failed. OSError is a line that broke."""
    if not issubclass(kind, OSError):
        logs.fault(error.with_traceback(trace), "the background")


def _room_for_connections() -> int:
    """How many connections there may be, after asking the system for as many open files as they need."""
    if sys.platform == "win32":
        return CONNECTIONS
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS + SPARE_FILES  # a WebSocket has two
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(100, min(CONNECTIONS, (soft - SPARE_FILES) // 2))


def _bare(status: str) -> bytes:
    """An answer without a body, after which the connection ends."""
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
