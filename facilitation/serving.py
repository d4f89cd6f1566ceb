"""Runs the program on a laptop: finds a port, says where phones join, opens the browser, serves until stopped."""

from __future__ import annotations

import errno
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
from gevent.pywsgi import WSGIHandler, WSGISecureEnviron, WSGIServer

from facilitation import network, workshop
from facilitation.config import Settings, data_dir_looks_synced
from facilitation.errors import Refused
from facilitation.live import Live
from facilitation.web import House

BACKLOG = 4096  # connections waiting to be accepted: a whole room comes back at once
PORTS_TO_TRY = 50
LOOK_ROUND_EVERY = 5.0


class QuietHandler(WSGIHandler):  # type: ignore[misc]  # gevent carries no type marker
    """Serves one connection without writing down whose it is."""

    def log_request(self) -> None:
        """The app logs the route, the status and the time; gevent's line would hold the address."""

    def log_error(self, msg: str, *args: Any) -> None:
        """A malformed request is the sender's fault, and its bytes are nobody's business."""


class NamelessEnviron(WSGISecureEnviron):  # type: ignore[misc]
    """A request's surroundings. When gevent reports a fault it prints them: none of them, not even the address."""

    default_whitelist_keys = ()


class QuietServer(WSGIServer):  # type: ignore[misc]
    """A server that writes down nothing about who asked."""

    environ_class = NamelessEnviron
    handler_class = QuietHandler


def run(settings: Settings, create_app: Callable[..., Flask]) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit status."""
    listener, port = _listen(settings)
    app = create_app(settings, port=port, async_mode="gevent")
    house: House = app.extensions["house"]
    server = QuietServer(listener, app, log=None, error_log=None)
    link = house.committer.perform(lambda session: workshop.grant(session, "link"))
    _say_where(settings, port, link)
    for stop in (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(stop, server.stop)
    gevent.spawn(_look_round, house.live)
    server.serve_forever(stop_timeout=1)
    return 0


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


def _say_where(settings: Settings, port: int, token: str) -> None:
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
    print(f"Facilitator link: {link}")
    print(
        "It works once, in the browser that opens it first. Stop the program with Ctrl-C; nothing is lost.", flush=True
    )
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
        live.look_round()
