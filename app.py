"""Wires the program together: `python app.py` runs the server, `create_app()` makes the app for tests and workers.

`python app.py link` prints a new one-time facilitator link, for an install that runs as a service; `python app.py demo`
runs a rehearsal in a folder that goes when it ends.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Before any other import, so that every socket, lock and thread of the program is gevent's. Importing this module
    # patches nothing: tests call create_app in an ordinary process.
    from gevent import monkey

    monkey.patch_all()

import datetime as dt
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Literal

from flask import Flask
from flask_socketio import SocketIO
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from facilitation import (
    __version__,
    hallmarks,
    language,
    logs,
    migrations,
    network,
    rehearsal,
    serving,
    store,
    wire,
    workshop,
)
from facilitation.committer import Committer, GeventCommitter, InlineCommitter, beside_the_loop
from facilitation.config import Settings
from facilitation.corrections import Corrections
from facilitation.editions import Credits
from facilitation.errors import Refused
from facilitation.gate import Gate
from facilitation.keys import KeyFile
from facilitation.limits import TypedCodes
from facilitation.live import Clock, Live, ThreadClock, listen
from facilitation.people import Preset
from facilitation.room import Rooms
from facilitation.room_check import Checks
from facilitation.stages import Move
from facilitation.store import db
from facilitation.web import House, assets, dress
from facilitation.web.cards import cards
from facilitation.web.casting import BallotDoor
from facilitation.web.crowd import Crowds
from facilitation.web.deciding import deciding
from facilitation.web.documents import documents
from facilitation.web.facilitator import facilitator
from facilitation.web.handed import handed
from facilitation.web.museums import museums
from facilitation.web.packs import question_packs
from facilitation.web.pages import pages
from facilitation.web.participant import participant
from facilitation.web.printing import printing
from facilitation.web.rehearsals import rehearsals
from facilitation.web.room_check import room_check
from facilitation.web.screen import screen
from facilitation.web.translating import translating
from facilitation.workshop import BallotBox

AsyncMode = Literal["threading", "gevent"]

HERE = Path(__file__).resolve().parent
EVERY = 0.25  # seconds: turnout and live pictures reach the screen at most this often
LARGEST_FORM = 256 * 1024


def create_app(
    settings: Settings,
    *,
    port: int | None = None,
    async_mode: AsyncMode = "threading",
    clock: Clock | None = None,
    every: float = EVERY,
    sleep: Callable[[float], object] = time.sleep,
    framework: Path = HERE / "data" / "hallmarks.json",
    chance: Random | None = None,
) -> Flask:
    """The app with its database migrated and whatever a crash left behind repaired.

    port: the one it listens on, if that is not the setting's. async_mode: "gevent" in the program, "threading" with an
    inline committer in tests. clock, every, sleep and chance (what simulated people do): injected so that tests need
    neither sleep nor luck.
    """
    _make_folder(settings.data_dir)
    app = Flask(__name__, static_folder=None, template_folder=str(HERE / "templates"))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        # a server that was restarted is found out before a connection to it is used; a file needs no such question
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": settings.database_url.startswith("postgresql")},
        HOSTED=settings.hosted,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
    )
    migrations.upgrade(settings.database_url)
    db.init_app(app)
    with app.app_context():
        store.prepare_engine(db.engine)
    writing = store.writing_engine(settings.database_url)
    keys = KeyFile(settings.data_dir / "rounds.keys")
    workshop.recover(writing, keys)
    with store.transaction(writing) as session:
        rehearsal.forget_old(session, keys, dt.datetime.now(dt.UTC).replace(tzinfo=None))
        mark = store.mark(session)
    corrections = Corrections(settings.data_dir / "words")
    language.correct_with(corrections)

    clock = clock or ThreadClock()
    rooms = Rooms(clock.now)
    committer: Committer = GeventCommitter(writing) if async_mode == "gevent" else InlineCommitter(writing)
    box = BallotBox(keys, rooms)
    socketio = _socketio(app, settings, async_mode)
    live = Live(app, socketio, rooms, box, keys, committer, clock, every, alone=not settings.redis_url)
    app.extensions["house"] = House(
        settings=settings,
        mark=mark,
        framework=hallmarks.load(framework),
        keys=keys,
        committer=committer,
        rooms=rooms,
        box=box,
        live=live,
        codes=TypedCodes(clock.now, sleep),
        assets=assets.Assets(HERE / "static"),
        join_origin=network.JoinAddress(settings, port or settings.port),
        checks=Checks(clock.now),
        aside=beside_the_loop() if async_mode == "gevent" else lambda make: make(),
        credits=Credits(),
        corrections=corrections,
    )
    app.extensions["crowds"] = Crowds(app, clock, chance or Random())  # noqa: S311 - nothing is kept secret with it
    dress(app)
    for blueprint in (
        *(pages, participant, facilitator, question_packs, museums),
        *(deciding, documents, screen, rehearsals, assets.files),
        *(cards, handed, printing, room_check, translating),
    ):
        app.register_blueprint(blueprint)
    listen(socketio, live, rooms)
    app.wsgi_app = BallotDoor(app)  # type: ignore[method-assign]  # how Flask says a WSGI layer is put around an app
    gate = Gate(app.wsgi_app, lambda: network.own_hosts(settings))
    app.wsgi_app = gate  # type: ignore[method-assign]  # as above
    return app


def _socketio(app: Flask, settings: Settings, async_mode: AsyncMode) -> SocketIO:
    """The live layer: sockets speak only, so no handler threads, no attachments, short pings, no log of addresses."""
    socketio = SocketIO(  # type: ignore[call-arg]  # its stubs do not know `serializer`
        app,
        async_mode=async_mode,
        async_handlers=False,
        manage_session=False,
        ping_interval=10,
        ping_timeout=10,
        max_http_buffer_size=wire.LARGEST_MESSAGE,
        serializer=wire.TextPacket,
        logger=logs.line_logger(),
        engineio_logger=logs.line_logger(),
        message_queue=settings.redis_url or None,
        channel="hallmarks-workshop",
    )
    if async_mode == "gevent" and wire.fit(
        socketio.server  # type: ignore[attr-defined]  # its stubs leave out what they take for internal
    ):
        wire.guard(socketio.server)  # type: ignore[attr-defined]
    return socketio


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"DATA_DIR is {path}, which cannot be used as a folder: {error.strerror}.") from error


def main(arguments: list[str]) -> int:
    """The command line. Returns the exit status; a refusal is a sentence, not a traceback."""
    os.umask(0o077)  # what the program writes is for its owner alone
    try:
        settings = Settings.from_environment(os.environ)
        logs.set_up(settings.log_requests)
        if arguments == ["link"]:
            return _print_link(settings)
        if arguments == ["--version"]:
            print(__version__)
            return 0
        if arguments == ["demo"]:
            return _run_demo(os.environ)
        if arguments:
            raise Refused(
                "Say `python app.py` to run the program, `python app.py link` for a new facilitator link, or "
                "`python app.py demo` to see a room that is made up."
            )
        return serving.run(settings, create_app)
    except Refused as refusal:
        print(refusal.sentence, file=sys.stderr)
    except DBAPIError as trouble:
        # only what the database says of itself: the address may hold a password
        print(f"The database cannot be used: {str(trouble.orig).splitlines()[0]}.", file=sys.stderr)
    return 2


def _run_demo(environ: Mapping[str, str]) -> int:
    """A rehearsal that is under way, in a data folder that goes when the program ends."""
    kept = {name: value for name, value in environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    with tempfile.TemporaryDirectory(prefix="hallmarks-demo-") as folder:
        return serving.run(Settings.from_environment({**kept, "DATA_DIR": folder}), create_app, _begin_demo)


def _begin_demo(app: Flask) -> str:
    """Begin a rehearsal with its first question open, and return its join code."""
    house: House = app.extensions["house"]
    today = dt.datetime.now().astimezone().date()

    def job(session: Session) -> tuple[int, str]:
        made = rehearsal.start(session, house.framework, today)
        workshop.make_move(session, house.keys, made.id, Move.OPEN, made.version)
        return made.id, made.code

    workshop_id, code = house.committer.perform(job)
    app.extensions["crowds"].come(workshop_id, code, 24, Preset.CAMPS)
    return code


def _print_link(settings: Settings) -> int:
    migrations.upgrade(settings.database_url)
    with store.transaction(store.writing_engine(settings.database_url)) as session:
        token = workshop.grant(session, "link")
    print(f"Facilitator link: {network.join_origin(settings, serving.port_in_use(settings))}/enter/{token}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
