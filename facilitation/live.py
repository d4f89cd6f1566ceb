"""The only broadcaster: it tells each audience what it may know now, and nothing else emits.

Whole small states are pushed, never deltas, so a lost push costs one request and no more. A move is told at once;
ballots, joins and notes are coalesced to four times a second, the first at once and the last never lost. Phones are
told of moves only: what a vote costs does not depend on how many of them are connected. A second language costs a
second rendering, however many listen in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from flask import Flask, render_template, request
from flask_socketio import SocketIO, join_room
from sqlalchemy.orm import Session

from facilitation import language, logs, store, tally, wire
from facilitation import now as reader
from facilitation.committer import Committer
from facilitation.errors import StorageTrouble
from facilitation.keys import KeyFile
from facilitation.now import Audience, Now
from facilitation.room import Rooms
from facilitation.stages import Stage
from facilitation.store import Workshop, db
from facilitation.workshop import BallotBox, OpenRound, clear_up, close_untouched

PRESENT_FOR = 1.0  # seconds for which what phones are told is kept
PICTURES_APART = 1.0  # seconds between two pictures of a live round, at least
UNTOUCHED = 12 * 3600.0  # seconds after which a round that nobody touched is closed: a laptop left on overnight


class Clock(Protocol):
    """Monotonic time, and a way to be called later. Injected, so that tests need no sleep."""

    def now(self) -> float:
        """Seconds."""
        ...

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Have `act` called once, after so many seconds."""
        ...

    def soon(self, act: Callable[[], object]) -> None:
        """Have `act` called once, at once but not by the caller, who may have somebody to answer first."""
        ...


@dataclass
class Coalescer:
    """At most one act per key in `every` seconds: the first at once, the last never lost, those between dropped.

    One kind of act a key: of several that wait, only the newest is carried out.
    """

    every: float
    clock: Clock
    _last: dict[Hashable, float] = field(default_factory=dict)
    _waiting: dict[Hashable, Callable[[], object]] = field(default_factory=dict)

    def submit(self, key: Hashable, act: Callable[[], object]) -> None:
        """Act now, or as soon as the key's time has come."""
        due = self._last.get(key, float("-inf")) + self.every
        if key in self._waiting:
            self._waiting[key] = act
        elif self.clock.now() >= due:
            self._last[key] = self.clock.now()
            self.clock.soon(act)
        else:
            self._waiting[key] = act
            self.clock.later(due - self.clock.now(), lambda: self._fire(key))

    def _fire(self, key: Hashable) -> None:
        self._last[key] = self.clock.now()
        self._waiting.pop(key)()


@dataclass(frozen=True, slots=True)
class Present:
    """What every phone of one workshop that speaks one language is told at one moment, and what lets it in: nothing
    that is one phone's own."""

    workshop_id: int
    device_key: bytes | None  # None: finished, no phone is known any more
    finished: bool
    asks_role: bool  # each phone has to say its role first
    open: OpenRound | None
    agenda_id: int | None  # of the present question
    labels: tuple[str, ...]  # of the present question's answers, lowest first
    order: str
    message: dict[str, Any]
    until: float  # on the clock of Live
    replies: dict[Hashable, str] = field(default_factory=dict, compare=False)  # what is said to all who answer alike

    @property
    def html(self) -> str:
        """The fragment."""
        html: str = self.message["html"]
        return html


class Live:
    """What is said over Socket.IO: one object per app. alone: no other process serves the same rooms."""

    def __init__(
        self,
        app: Flask,
        socketio: SocketIO,
        rooms: Rooms,
        box: BallotBox,
        keys: KeyFile,
        committer: Committer,
        clock: Clock,
        every: float = 0.25,
        alone: bool = True,
    ) -> None:
        self._app = app
        self._socketio = socketio
        self._rooms = rooms
        self._box = box
        self._keys = keys
        self._committer = committer
        self._clock = clock
        self._coalescer = Coalescer(every, clock)
        self._alone = alone
        self._present: dict[tuple[str, str], Present] = {}  # by join code and language
        self._heard: dict[tuple[int, Audience], set[str]] = {}  # the languages in which somebody has listened here
        self._unheard: set[int] = set()
        self._forgotten = 0
        self._look_again: set[int] = set()
        self._told_failing = False
        self._seen: dict[int, tuple[int, int, bool]] = {}
        self._holders: dict[str, str] = {}  # socket of a console or screen -> the hashed secret that let it in
        self._open_since: dict[int, tuple[tuple[int, int], float]] = {}  # workshop -> its order, when first seen so
        with app.app_context():
            self._engine = db.engine

    def present(self, code: str, fresh: bool = False) -> Present | None:
        """What the phones of the workshop with this join code are told, in the language spoken now; None if there is
        none.

        Kept for a second, so that neither a burst of ballots nor a room that comes back reads the database for each
        phone. What this process changes is seen at once (`forget`), what another one does after that second, or with
        `fresh`.
        """
        if not fresh and (kept := self.kept(code)):
            return kept
        forgotten = self._forgotten
        found = self._read_present(code)
        if forgotten != self._forgotten:  # it may be what was true before: read once more, and keep nothing
            return self._read_present(code)
        if found is not None:
            self._present[code, language.current()] = found
        return found

    def present_in_room(self, code: str) -> Present | None:
        """The same for a phone that has just begun to listen. What another process has told the room before that must
        be in it, so where there are others, the database is asked whether there was a move since."""
        kept = self.kept(code)
        if kept is None or self._alone:
            return self.present(code)
        with self._reading() as session:
            version = store.version_of(session, kept.workshop_id)
        return self.present(code, fresh=version != kept.message["order"][0])

    def _read_present(self, code: str) -> Present | None:
        with self._reading() as session:
            workshop = store.by_code(session, code)
            if workshop is None:
                return None
            now = reader.look(session, self._rooms, workshop, Audience.PHONE)
            return Present(
                workshop_id=workshop.id,
                device_key=workshop.key,
                finished=now.stage is Stage.FINISHED,
                asks_role=now.asks_role,
                open=OpenRound.of(workshop),
                agenda_id=workshop.agenda_id,
                labels=now.question.labels if now.question else (),
                order=now.order,
                message=message(now),
                until=self._clock.now() + PRESENT_FOR,
            )

    def kept(self, code: str) -> Present | None:
        """What is kept for this join code, in the language spoken now, and still fresh; None does not mean that there
        is no such workshop."""
        kept = self._present.get((code, language.current()))
        return kept if kept is not None and self._clock.now() < kept.until else None

    def forget(self, workshop_id: int) -> None:
        """Something that phones are told, or that lets them in, has changed: drop what was kept of it."""
        self._forgotten += 1
        self._present = {key: kept for key, kept in self._present.items() if kept.workshop_id != workshop_id}

    def moved(self, workshop_id: int) -> None:
        """A move was committed: everybody is told, at once."""
        self.forget(workshop_id)
        self._push(workshop_id, tuple(Audience))

    def changed(self, workshop_id: int) -> None:
        """Ballots or anything else but a move were committed, or somebody came or went: screen and console hear of it,
        with a new picture of a live round if the rules release one now."""
        self._coalescer.submit(workshop_id, lambda: self._picture_and_turnout(workshop_id))

    def look_round(self) -> None:
        """Called every few seconds: rooms whose presence may have changed are looked at again, because a picture waits
        for those who are still missing, and somebody who has left is missing no more. What was revoked in another
        process is dropped here, consoles hear when nothing can be saved, a round that was left open is closed, what a
        close could not forget is forgotten, and so is the room of a workshop that was finished or deleted, wherever
        that was done.
        """
        self._look_at_the_disk()
        self.drop_revoked()
        self._forget_finished()
        self._close_untouched()
        with suppress(StorageTrouble):  # the next time, then
            self._committer.perform(partial(clear_up, keys=self._keys))
        for workshop_id in self._rooms.occupied():
            here = (self._rooms.present(workshop_id, 0), self._rooms.dropped(workshop_id), self._rooms.is_new)
            if self._seen.get(workshop_id) != here:
                self._seen[workshop_id] = here
                self.changed(workshop_id)

    def _look_at_the_disk(self) -> None:
        """While something could not be saved, try to save something; consoles are told when it begins and when it ends.

        Raising a tick changes nothing for people, and it is written as an answer would be.
        """
        if self._committer.failing:
            self._committer.failing = False
            with suppress(StorageTrouble):  # then it is failing again
                self._committer.perform(lambda session: store.raise_tick(session, sorted(store.unfinished(session))))
        if self._told_failing != self._committer.failing:
            self._told_failing = self._committer.failing
            for workshop_id in self._rooms.occupied():
                self.changed(workshop_id)

    def holds(self, sid: str, token_hash: str) -> None:
        """Note which hashed secret a console's or a screen's socket was let in by, for the day it is revoked."""
        self._holders[sid] = token_hash

    @contextmanager
    def unheard(self, workshop_id: int) -> Iterator[None]:
        """Push nothing of a workshop that nobody can listen to yet: drawing for three audiences costs more than all the
        rest of what happens in it."""
        self._unheard.add(workshop_id)
        try:
            yield
        finally:
            self._unheard.discard(workshop_id)

    def listens(self, workshop_id: int, audience: Audience, spoken: str) -> None:
        """Note that somebody listens in this language from now on."""
        self._heard.setdefault((workshop_id, audience), set()).add(spoken)

    def gone(self, sid: str) -> None:
        """A socket went."""
        self._holders.pop(sid, None)
        workshop_id = self._rooms.disconnect(sid)
        if workshop_id is not None:
            self.changed(workshop_id)

    def drop_revoked(self) -> None:
        """End every console's and screen's socket whose secret opens nothing any more: it hears nothing from then."""
        if not self._holders:
            return
        with self._reading() as session:
            valid = store.still_valid(session, set(self._holders.values()))
        for sid in [sid for sid, token_hash in self._holders.items() if token_hash not in valid]:
            server = self._socketio.server  # type: ignore[attr-defined]  # its stubs take it for internal
            connection = server.manager.eio_sid_from_sid(sid, "/")
            server.disconnect(sid)
            self.gone(sid)
            wire.hang_up(server, connection)

    def _forget_finished(self) -> None:
        with self._reading() as session:
            known = self._rooms.known() | {kept.workshop_id for kept in self._present.values()}
            over = known - store.unfinished(session)
        for workshop_id in over:
            self.forget(workshop_id)  # with the key that let its phones in, whoever finished it
            self._rooms.forget(workshop_id)
            self._seen.pop(workshop_id, None)
            self._heard.pop((workshop_id, Audience.PHONE), None)  # consoles go on: people still write in the plan

    def _close_untouched(self) -> None:
        """Any commit, a ballot or a move, raises a workshop's order; one whose order stands still is not touched. Times
        are this process's own and in memory only, so after a restart the hours begin again."""
        with self._reading() as session:
            voting = store.where_voting(session)
        self._open_since = {id: seen for id, seen in self._open_since.items() if id in voting}
        for workshop_id, order in voting.items():
            known, since = self._open_since.get(workshop_id, (None, 0.0))
            if known != order:
                self._open_since[workshop_id] = (order, self._clock.now())
            elif self._clock.now() - since >= UNTOUCHED and self._committer.perform(
                partial(close_untouched, keys=self._keys, workshop_id=workshop_id, order=order)
            ):
                self.moved(workshop_id)

    def _picture_and_turnout(self, workshop_id: int) -> None:
        self._draw_if_due(workshop_id)
        self._push(workshop_id, (Audience.SCREEN, Audience.FACILITATOR))

    def _draw_if_due(self, workshop_id: int) -> None:
        with self._reading() as session:
            waiting = reader.waiting_picture(session, self._rooms, workshop_id)
        if waiting is None:
            return
        at = self._rooms[workshop_id].picture_at
        since = None if at is None else self._rooms.clock() - at
        if tally.picture_due(waiting.ballots, waiting.changed, waiting.missing, since, waiting.k):
            self._committer.perform(lambda session: self._box.draw(session, workshop_id, waiting.round_id))
        elif since is not None and since < PICTURES_APART and workshop_id not in self._look_again:
            self._look_again.add(workshop_id)
            self._clock.later(PICTURES_APART - since, lambda: self._later(workshop_id))

    def _later(self, workshop_id: int) -> None:
        self._look_again.discard(workshop_id)
        self.changed(workshop_id)

    def _push(self, workshop_id: int, audiences: tuple[Audience, ...]) -> None:
        if workshop_id in self._unheard:
            return
        with self._app.test_request_context(), self._reading() as session:
            workshop = session.get(Workshop, workshop_id)
            if workshop is None:
                return
            told = [(audience, spoken) for audience in audiences for spoken in self._languages(workshop, audience)]
            for now in reader.looks(session, self._rooms, workshop, told):
                self._socketio.emit("now", message(now), to=room_name(workshop_id, now.audience, now.language))

    def _languages(self, workshop: Workshop, audience: Audience) -> list[str]:
        """In which languages an audience has to be told; beside another worker in all, for whom it serves is not known
        here."""
        if audience is Audience.SCREEN:
            return [workshop.screen_language]
        here = self._heard.get((workshop.id, audience), {language.SOURCE})
        return sorted(here if self._alone else language.offered())

    def _reading(self) -> Session:
        return Session(self._engine)


def room_name(workshop_id: int, audience: Audience, spoken: str) -> str:
    """Who hears the same: one workshop, one audience, one language; all screens of a workshop speak the same."""
    return f"{workshop_id}:{audience}:{'' if audience is Audience.SCREEN else spoken}"


def message(now: Now) -> dict[str, Any]:
    """What is pushed: the fragment, and the pair that orders pushes."""
    return {"order": [now.version, now.tick], "html": fragment(now)}


def fragment(now: Now) -> str:
    """The fragment of one audience for this moment: a GET of its `…/now` returns the same bytes."""
    with language.speaking(now.language):
        return render_template(f"{now.audience}/now.html", now=now)


def listen(socketio: SocketIO, live: Live, rooms: Rooms) -> None:
    """Register the two handlers there are: sockets speak, they never listen."""
    from facilitation.web import access  # here, because that package imports this module

    @socketio.on("connect")
    def connect(auth: Any = None) -> bool:
        with language.speaking(access.language()):
            return let_in(auth)

    def let_in(auth: Any) -> bool:
        audience, code = access.AUDIENCES.get(request.args.get("role", "")), request.args.get("r", "")
        if audience is Audience.PHONE:
            return a_phone(code, auth.get("order") if isinstance(auth, dict) else None)
        workshop = access.for_socket(audience, code) if audience else None
        if audience is None or workshop is None:
            return False
        join_room(room_name(workshop.id, audience, language.current()))
        live.listens(workshop.id, audience, language.current())
        live.holds(_sid(), access.secret_of(audience, workshop))
        if audience is Audience.SCREEN:
            rooms.connect(workshop.id, _sid(), None)
            live.changed(workshop.id)
        socketio.emit("now", message(reader.look(db.session(), rooms, workshop, audience)), to=_sid())
        return True

    def a_phone(code: str, seen: object) -> bool:
        found = access.for_phone_socket(code)
        if not found:
            return False
        known, device = found
        join_room(room_name(known.workshop_id, Audience.PHONE, language.current()))
        live.listens(known.workshop_id, Audience.PHONE, language.current())
        present = live.present_in_room(code)  # read in the room: a move since then is heard, one before is in it
        if present is None:
            return False
        rooms.connect(present.workshop_id, _sid(), device)
        live.changed(present.workshop_id)
        if seen != present.message["order"]:
            socketio.emit("now", present.message, to=_sid())
        return True

    # on the server itself: making a request of it, as Flask-SocketIO does, is half of what it costs to lose a room
    @socketio.server.on("disconnect")  # type: ignore[attr-defined, untyped-decorator]  # its stubs leave it out
    def gone(sid: str, _reason: Any = None) -> None:
        live.gone(sid)

    @socketio.on_error_default
    def fault(error: BaseException) -> bool:
        logs.fault(error, "a socket")
        return False


def _sid() -> str:
    """The id of the socket that an event came from."""
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO puts it on the request of an event
    return sid


class ThreadClock:
    """The clock of an ordinary process."""

    def now(self) -> float:
        """See Clock."""
        return time.monotonic()

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """See Clock. Under gevent a timer is a greenlet."""
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()

    def soon(self, act: Callable[[], object]) -> None:
        """See Clock."""
        threading.Thread(target=act, daemon=True).start()
