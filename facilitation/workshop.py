"""The use cases: set up, open, join, move, cast, show, finish, delete, recover.

Each is a write unit for the committer: it takes the session of one transaction, reads again what it decides on, and
either carries the whole thing out or raises a Refused. None of them renders, emits or commits.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from facilitation import ballots, bounds, editions, minutes, priorities, stages, store, undoing
from facilitation.ballots import Ballot, Direction
from facilitation.errors import NotVoting, Refused, Stale
from facilitation.hallmarks import WARM_UP, Framework, Hallmark, Question, say
from facilitation.keys import KeyFile
from facilitation.language import _, choices_for_screen, in_all, mark
from facilitation.room import Rooms, Source
from facilitation.stages import Effect, Mode, Move, Position, Stage
from facilitation.store import AgendaItem, Capability, IssuedCode, Round, Workshop
from facilitation.tally import OTHERS, Dots, Shift, Tally, disclosed, disclosed_shift, merge_roles, picture_due
from facilitation.words import tidy

K_FLOOR, K_DEFAULT, K_CEILING = 3, 5, 10
LONGEST = {"title": 120, "museum": 120, "text": 300, "short": 60, "prompt": 600, "wifi_name": 32, "wifi_password": 63}
MOST_MINUTES = 240  # planned for one question
MOST_HEADS = 200
SEQ_CEILING = 2**31 - 1
OVERLAYS = ("", "blank", "code", "profile", "three", "plan", "roles", "since", "compare", "test")
THEMES = ("light", "dark", "projector")
ZOOMS = (80, 90, 100, 110, 125, 140)
THINKING_SECONDS = 90
_DIRECTIONS = frozenset(Direction)
CLOSED_SENTENCE = mark("Voting has closed. Your last answer came too late and was not counted.")


# --- Setting up ------------------------------------------------------------------------------------------------------


def create(session: Session, framework: Framework, title: str, museum: str, held_on: dt.date) -> Workshop:
    """A new workshop in the lobby, with an empty agenda, a join code and a token for the QR code."""
    workshop = Workshop(
        code=_fresh_code(session),
        join_token=secrets.token_urlsafe(8),
        key=secrets.token_bytes(32),
        title=_clean("title", title),
        museum=_clean("museum", museum),
        held_on=held_on,
        framework=framework.key,
        edition=framework.edition,
        k=K_DEFAULT,
        mode=Mode.LIVE,
        stage=Stage.LOBBY,
        created_at=_now(),
    )
    session.add(workshop)
    editions.keep(session, framework)
    session.flush()
    return workshop


def change_details(
    session: Session,
    workshop_id: int,
    *,
    title: str,
    museum: str,
    held_on: dt.date,
    k: int,
    mode: str,
    roles: bool,
    wifi: tuple[str, str],
    screen_language: str,
) -> None:
    """Change what a workshop is called and how results are shown. k is locked from the first ballot on.

    screen_language: one of `language.choices_for_screen`; whatever else changes nothing. Whether people are asked for
    their role concerns phones that have joined already: the version is raised.
    """
    workshop = _workshop(session, workshop_id)
    begun = session.scalar(select(Round.id).where(Round.workshop_id == workshop_id).limit(1)) is not None
    if roles != workshop.roles and begun:
        raise Refused(_("Voting has begun, so whether people give a role can no longer be changed."))
    if k != workshop.k:
        if not K_FLOOR <= k <= K_CEILING:
            raise Refused(
                _("The smallest group must be a number from %(fewest)s to %(most)s.", fewest=K_FLOOR, most=K_CEILING)
            )
        if begun:
            raise Refused(_("People have been told the smallest group that is shown, so it can no longer be changed."))
    asks_anew = roles != workshop.roles
    workshop.title, workshop.museum, workshop.held_on = _clean("title", title), _clean("museum", museum), held_on
    workshop.k, workshop.mode, workshop.roles = k, _mode(mode), roles
    if screen_language in choices_for_screen():
        workshop.screen_language = screen_language
    workshop.wifi_name, workshop.wifi_password = _short("wifi_name", wifi[0]), _short("wifi_password", wifi[1])
    if asks_anew:
        workshop.version, workshop.tick = workshop.version + 1, 0
    workshop.tick += 1


def add_questions(
    session: Session, workshop_id: int, chosen: Iterable[tuple[Hallmark, Question]], framework: Framework
) -> None:
    """Put questions of the framework at the end of the agenda; those that are on it already are left alone."""
    workshop = _workshop(session, workshop_id)
    present = {item.key for item in workshop.agenda}
    for hallmark, question in chosen:
        if question.key not in present:
            _append(workshop, AgendaItem(**worded(hallmark, question, framework), minutes=minutes.A_QUESTION))


def worded(hallmark: Hallmark, question: Question, framework: Framework) -> dict[str, Any]:
    """What the agenda keeps of a question of a framework, by column: its words and its scale as they are now."""
    return {
        "key": question.key,
        "number": question.number,
        "hallmark": hallmark.key,
        "hallmark_title": hallmark.title,
        "text": question.text,
        "short": question.short,
        "prompt": question.prompt,
        "attribution": hallmark.attribution or {},
        "scale": question.scale,
        "labels": list(framework.scales[question.scale].labels),
    }


def add_own_question(
    session: Session, workshop_id: int, framework: Framework, text: str, short: str, prompt: str, scale: str
) -> None:
    """Put a question of the group's own on the agenda. Its key comes from text and scale, so it can be compared."""
    if scale not in framework.scales:
        raise Refused(_("Choose one of the scales for your question."))
    text = _clean("text", text)
    key = "own-" + hashlib.sha256(f"{scale}|{text}".encode()).hexdigest()[:12]
    workshop = _workshop(session, workshop_id)
    if any(item.key == key for item in workshop.agenda):
        raise Refused(_("That question is on the agenda already."))
    _append(
        workshop,
        AgendaItem(
            key=key,
            number="",
            hallmark="",
            hallmark_title=in_all(mark("Our own questions")),
            text={"en": text},
            short={"en": _short("short", short) or text[: LONGEST["short"]]},
            prompt={"en": _short("prompt", prompt)},
            attribution={},
            scale=scale,
            labels=list(framework.scales[scale].labels),
            minutes=minutes.A_QUESTION,
        ),
    )


WARM_UP_TEXT = mark("How much do you like the smell of old books?")
WARM_UP_SHORT = mark("The smell of old books")
WARM_UP_LABELS = (mark("Not at all"), mark("A little"), mark("Somewhat"), mark("A lot"), mark("Very much"))
WARM_UP_MINUTES = 2


def add_warm_up(session: Session, workshop_id: int) -> None:
    """Put a harmless question before the first one: it proves that everybody is in, and is in no result.

    It is live, so that people see what a chart does. Raises Refused once voting has begun.
    """
    workshop = _workshop(session, workshop_id)
    if workshop.stage != Stage.LOBBY:
        raise Refused(_("A warm-up comes before the first question, and the session has begun."))
    if any(item.warm_up for item in workshop.agenda):
        return
    item = AgendaItem(
        key=WARM_UP,
        position=0,
        number="",
        hallmark="",
        hallmark_title=in_all(mark("Warm-up")),
        text=in_all(WARM_UP_TEXT),
        short=in_all(WARM_UP_SHORT),
        prompt={"en": ""},
        attribution={},
        scale=WARM_UP,
        labels=[in_all(label) for label in WARM_UP_LABELS],
        mode=Mode.LIVE,
        minutes=WARM_UP_MINUTES,
    )
    workshop.agenda.insert(0, item)
    workshop.tick += 1


def change_question(session: Session, workshop_id: int, agenda_id: int, want: str, value: str = "") -> None:
    """Change one agenda row: `want` is up, down, drop, prompt (value: the new text), minutes (value: how many) or mode
    (live, reveal, or "").

    A question that was opened, or that something was written about, keeps its place in the record: it cannot be
    dropped, and its mode stays.
    """
    workshop = _workshop(session, workshop_id)
    items = list(workshop.agenda)
    item = _item(items, agenda_id)
    opened = session.scalar(select(Round.id).where(Round.agenda_id == agenda_id).limit(1)) is not None
    if want in ("up", "down"):
        place = items.index(item)
        other = place + (-1 if want == "up" else 1)
        if 0 <= other < len(items) and not items[other].warm_up and not item.warm_up:
            items[place], items[other] = items[other], items[place]
            store.number_agenda(items)
    elif want == "prompt":
        item.prompt = {**item.prompt, "en": _short("prompt", value)}
    elif want == "mode":
        if opened:
            raise Refused(_("Voting on this question has been opened, so the way its results are shown stays."))
        item.mode = _mode(value) if value else None
    elif want == "drop":
        if opened:
            raise Refused(_("People have voted on this question, so it stays in the record of the session."))
        if store.is_written_about(session, agenda_id):
            raise Refused(_("Something is written down for this question, so it stays. Move it to the end instead."))
        undoing.remember(workshop, "question", item, f"{item.plate} {say(item.short)}")
        workshop.agenda.remove(item)
        store.number_agenda(workshop.agenda)
    elif want == "minutes":
        if not (value.isascii() and value.isdecimal() and 1 <= int(value[:4]) <= MOST_MINUTES):
            raise Refused(_("Give the minutes as a whole number from 1 to %(most)s.", most=MOST_MINUTES))
        item.minutes = int(value)
    else:
        raise Refused(_("That change is not known."))
    workshop.tick += 1


# --- Joining and voting ----------------------------------------------------------------------------------------------


def join(session: Session, workshop_id: int) -> bytes:
    """Let one more phone in: counts it, and returns the device secret that only this phone will hold."""
    workshop = _workshop(session, workshop_id)
    if workshop.stage == Stage.FINISHED:
        raise Refused(_("This session has ended."))
    if workshop.locked:
        raise Refused(_("This session is not taking more people. Ask the facilitator."))
    workshop.joined += 1
    workshop.tick += 1
    return ballots.new_device_secret()


def change_heads(session: Session, workshop_id: int, heads: int) -> None:
    """Say how many people without a phone of their own are in the room: on paper, and at devices that go round."""
    if not 0 <= heads <= MOST_HEADS:
        raise Refused(_("The number of people without a phone must be from 0 to %(most)s.", most=MOST_HEADS))
    workshop = _workshop(session, workshop_id)
    workshop.heads = heads
    workshop.tick += 1


@dataclass(frozen=True, slots=True)
class Filing:
    """A sealed ballot on its way to the store, with the key that can tell what its slot held before."""

    workshop_id: int
    round_id: int
    slot: bytes
    seq: int
    sealed: bytes
    key: bytes
    choice: str
    source: Source = Source.PHONE  # for this process's memory; it goes nowhere else


@dataclass(frozen=True, slots=True)
class Filed:
    """What a slot holds now: the choice and the seq of the ballot that counts."""

    choice: str
    seq: int


@dataclass(frozen=True, slots=True)
class OpenRound:
    """Which round of which workshop takes ballots, as somebody read it; the writer looks again, under the lock."""

    workshop_id: int
    round_id: int
    roles: bool
    options: int  # of a dot vote; 0 for a question with its scale

    @classmethod
    def of(cls, workshop: Workshop) -> OpenRound | None:
        """The round that this workshop has open; None if it has none."""
        if workshop.stage != Stage.VOTING or workshop.round_id is None:
            return None
        item = _item(workshop.agenda, workshop.agenda_id)
        return cls(workshop.id, workshop.round_id, workshop.roles, len(item.options or ()))


@dataclass(frozen=True, slots=True, repr=False)
class Posted:
    """What a phone sends: a choice, its own count of its changes, where it moved, its holder’s role ("" if none)."""

    choice: str
    seq: int
    direction: str = ""
    role: str = ""


def seal_ballot(
    keys: KeyFile, round_: OpenRound | None, device: bytes, posted: Posted, source: Source = Source.PHONE
) -> Filing:
    """Seal one phone's answer for the store. Raises NotVoting if no round takes it, Refused for bad input."""
    seq = posted.seq
    if not 0 < seq <= SEQ_CEILING:
        raise Refused(_("This answer could not be read. Reload the page and choose again."))
    key = keys.kept(round_.round_id) if round_ else None
    if round_ is None or key is None:
        raise NotVoting(_(CLOSED_SENTENCE))
    choice = _dots(posted.choice, round_.options) if round_.options else posted.choice
    if not round_.options and choice not in ballots.CHOICES:
        raise Refused(_("Select an answer, or choose I don’t know."))
    slot = ballots.slot_of(key, device)
    declared = Direction(posted.direction) if posted.direction in _DIRECTIONS else Direction.UNKNOWN
    role = posted.role if round_.roles and posted.role in ballots.ROLES else None
    sealed = ballots.seal(key, round_.round_id, slot, Ballot(choice, declared, role))
    return Filing(round_.workshop_id, round_.round_id, slot, seq, sealed, key, choice, source)


class BallotBox:
    """Files ballots in batches and draws the pictures of live rounds: both run in the writer, so neither can overtake
    the other, and the room's memory of what changed is kept in the order of the commits."""

    def __init__(self, keys: KeyFile, rooms: Rooms) -> None:
        self._keys = keys
        self._rooms = rooms
        self.batches = self.filed = 0  # since the process started, for whoever watches over it

    def file(self, session: Session, filings: Sequence[Filing]) -> list[Filed | Refused]:
        """File all that wait in one transaction. A ballot whose round has closed is refused, not swallowed."""
        round_ids, workshop_ids = {filing.round_id for filing in filings}, {filing.workshop_id for filing in filings}
        taking = store.still_open(session, sorted(round_ids), sorted(workshop_ids))
        held: dict[tuple[int, bytes], Filed] = {}
        for round_id in taking:
            of_round = {filing.slot: filing for filing in filings if filing.round_id == round_id}
            for slot, (seq, sealed) in store.ballots_in(session, round_id, list(of_round)).items():
                held[round_id, slot] = Filed(ballots.unseal(of_round[slot].key, round_id, slot, sealed).choice, seq)
        before = dict(held)
        rows: dict[tuple[int, bytes], Filing] = {}
        outcomes: list[Filed | Refused] = []
        for filing in filings:
            place = (filing.round_id, filing.slot)
            if filing.round_id not in taking:
                outcomes.append(NotVoting(CLOSED_SENTENCE))
                continue
            if place not in held or filing.seq > held[place].seq:
                held[place], rows[place] = Filed(filing.choice, filing.seq), filing
            outcomes.append(held[place])
        if rows:
            new_here = {round_id: f.workshop_id for (round_id, _slot), f in rows.items()}
            first = [
                (workshop_id, round_id)
                for round_id, workshop_id in new_here.items()
                if self._rooms[workshop_id].picture_round != round_id and not store.turnout(session, round_id)
            ]
            store.file_ballots(
                session,
                [{"round_id": f.round_id, "slot": f.slot, "seq": f.seq, "sealed": f.sealed} for f in rows.values()],
            )
            self._make_room(session, [filing for place, filing in rows.items() if place not in before])
            store.raise_tick(session, sorted({filing.workshop_id for filing in rows.values()}))
            store.after_commit(session, lambda: self._note(rows, before, taking, first))
        return outcomes

    def _make_room(self, session: Session, new: Sequence[Filing]) -> None:
        """When more people without a phone of their own have answered than were known of, these are in the room too:
        in the same transaction, so that no picture is drawn as if nobody were missing."""
        guests = Counter((f.workshop_id, f.round_id) for f in new if f.source is not Source.PHONE)
        for (workshop_id, round_id), more in guests.items():
            store.raise_heads(session, workshop_id, self._rooms[workshop_id].guests(round_id) + more)

    def _note(
        self,
        rows: dict[tuple[int, bytes], Filing],
        before: dict[tuple[int, bytes], Filed],
        pictures: dict[int, dict[str, int] | None],
        first: Sequence[tuple[int, int]],
    ) -> None:
        at = self._rooms.clock()
        self.batches, self.filed = self.batches + 1, self.filed + len(rows)
        for workshop_id, round_id in first:
            self._rooms[workshop_id].note_first(round_id)
        for place, filing in rows.items():
            room, was = self._rooms[filing.workshop_id], before.get(place)
            if not room.counts_from(filing.round_id, pictures[filing.round_id]):
                room.note_picture(filing.round_id, at, pictures[filing.round_id])
            room.note_ballot(filing.round_id, filing.slot, was.choice if was else None, filing.choice, filing.source)

    def draw(self, session: Session, workshop_id: int, round_id: int) -> bool:
        """Store a new picture of an open live round, all ballots that are in at this moment; whether it was drawn.

        The release rule is asked here, of the very ballots that the picture would hold: an answer that came since
        somebody else asked may have left one or two people out.
        """
        workshop = _workshop(session, workshop_id)
        round_ = session.get(Round, round_id)
        key = self._keys.read(round_id)
        if round_ is None or round_.state != "open" or round_.mode != Mode.LIVE or key is None:
            return False
        tally = _counted(session, round_, _opened(session, key, round_))
        room, at = self._rooms[workshop_id], self._rooms.clock()
        if not room.counts_from(round_id, round_.picture):
            room.note_picture(round_id, at, round_.picture)
            return False
        missing = max(0, self._rooms.present(workshop_id, workshop.joined, workshop.heads) - tally.ballots)
        since = None if round_.picture is None or room.picture_at is None else at - room.picture_at
        if not picture_due(tally.ballots, room.changed(round_id), missing, since, workshop.k):
            return False
        picture = round_.picture = tally.as_dict()
        workshop.tick += 1
        store.after_commit(session, lambda: room.note_picture(round_id, at, picture, drawn=True))
        return True


def own_ballot(session: Session, keys: KeyFile, workshop: Workshop, device: bytes) -> Filed | None:
    """What the holder of this device secret has answered in the open round; None if nothing, or if none is open."""
    key = keys.read(workshop.round_id) if workshop.round_id and workshop.stage == Stage.VOTING else None
    if key is None or workshop.round_id is None:
        return None
    slot = ballots.slot_of(key, device)
    row = store.ballot_in(session, workshop.round_id, slot)
    return Filed(ballots.unseal(key, workshop.round_id, slot, row[1]).choice, row[0]) if row else None


# --- Moving ----------------------------------------------------------------------------------------------------------


def position_of(workshop: Workshop, round_: Round | None) -> Position:
    """Where a workshop stands, in the words of the transition table."""
    items = workshop.agenda
    return Position(
        Stage(workshop.stage),
        Mode(round_.mode) if round_ else Mode.LIVE,
        has_next=next_item(workshop) is not None,
        has_questions=bool(items),
        warm_up=any(item.warm_up and item.id == workshop.agenda_id for item in items),
    )


def next_item(workshop: Workshop) -> AgendaItem | None:
    """The question after the present one in the running order; the first one in the lobby."""
    here = next((place for place, item in enumerate(workshop.agenda) if item.id == workshop.agenda_id), -1)
    return workshop.agenda[here + 1] if here + 1 < len(workshop.agenda) else None


def make_move(
    session: Session,
    keys: KeyFile,
    workshop_id: int,
    move: Move,
    version: int,
    agenda_id: int | None = None,
    at: float | None = None,
) -> None:
    """Move the workshop on: the stage and all effects of the table's row, in this one transaction.

    version: the one the page saw; a stale page's move is refused with Stale and never carried out. agenda_id: the
    question that GOTO names. at: now on the monotonic clock, for the minutes of the questions; None to note none.

    The key file is locked for the whole length: another worker's cleaning must not see a new key before its round
    exists. It is locked before the database, as `clear_up` does; in another order the two could wait for each other.
    """
    session.info["until_committed"].enter_context(keys.locked())
    workshop = _workshop(session, workshop_id)
    if workshop.version != version:
        raise Stale(_("Someone else moved the session on a moment ago. Nothing was done: this is where it stands now."))
    round_ = session.get(Round, workshop.round_id) if workshop.round_id else None
    step = stages.step(position_of(workshop, round_), move)
    target = _item(workshop.agenda, agenda_id) if move is Move.GOTO else next_item(workshop)
    effects = list(step.effects)
    stage = step.to
    if not isinstance(stage, Stage):
        assert target is not None
        stage, more = stages.arrive(_has_result(session, target.id))
        effects += more
    minutes.stop(workshop, at)
    for effect in effects:
        _EFFECTS[effect](session, keys, workshop, target, move)
    workshop.stage = stage
    minutes.start(workshop, at)
    workshop.version, workshop.tick = workshop.version + 1, 0
    workshop.back_at = workshop.removed = None
    workshop.overlay, workshop.prompt = "", 0 if Effect.TURN in effects else workshop.prompt
    workshop.timer_seconds = workshop.timer_started = None
    workshop.started_at = workshop.started_at or _now()
    if stage is Stage.FINISHED:
        workshop.finished_at = _now()
        workshop.key = None  # nothing can be signed or checked with it any more
        workshop.agenda_id = workshop.round_id = workshop.turned_at = None
        store.revoke(session, workshop_id, [f"pair-{role}" for role in PAIRED])
        store.truncate_log_after_commit(session)


def close_untouched(session: Session, keys: KeyFile, workshop_id: int, order: tuple[int, int]) -> bool:
    """Close a round that was left open: counted, its key destroyed, and not shown to anybody yet; whether it was done.

    order: (version, tick) when it was last looked at; if anything has happened since, nothing is done. No move of the
    table does this: in live mode closing also shows, and that is for the facilitator to do, in front of people.
    """
    workshop = _workshop(session, workshop_id)
    if workshop.stage != Stage.VOTING or (workshop.version, workshop.tick) != order:
        return False
    _count(session, keys, workshop, None, Move.CLOSE)
    workshop.stage = Stage.CLOSED
    minutes.stop(workshop, None)
    workshop.version, workshop.tick = workshop.version + 1, 0
    workshop.timer_seconds = workshop.timer_started = None
    return True


def _count(session: Session, keys: KeyFile, workshop: Workshop, _target: AgendaItem | None, move: Move) -> None:
    """Count the open round, keep what may be known, forget the ballots, and have the key destroyed after the commit."""
    round_ = session.get_one(Round, workshop.round_id)
    key = keys.read(round_.id)
    try:
        opened = _opened(session, key, round_) if key else _nothing_in(session, round_)
    except ValueError:
        round_.state = "void"  # without its key, or with a row that does not open, no count would be honest
    else:
        tally = _counted(session, round_, opened)
        shift = _shift(opened if _voted_before(session, round_) else [])
        shown, moved = disclosed(tally, workshop.k), disclosed_shift(shift, workshop.k)
        round_.state = "counted" if tally.ballots or move is Move.CLOSE else "discarded"
        round_.ballots_cast = tally.ballots
        round_.people = max(workshop.joined + workshop.heads, tally.ballots)
        round_.counts = shown.as_dict() if shown else None
        on_a_scale = isinstance(shown, Tally)  # dots have no direction, and lie too thin to be told by role
        round_.shift = {"up": moved.up, "same": moved.same, "down": moved.down} if on_a_scale and moved else None
        by_role = on_a_scale and workshop.roles and not _item(workshop.agenda, round_.agenda_id).warm_up
        round_.groups = _by_role(opened, workshop.k) if by_role else None
    round_.picture = None
    round_id = round_.id
    store.forget_ballots(session, round_id)
    # the key goes after the commit: a crash in between must leave a round that can be counted again
    store.after_commit(session, lambda: keys.destroy(round_id))
    store.truncate_log_after_commit(session)


def _drop(session: Session, _keys: KeyFile, workshop: Workshop, _target: AgendaItem | None, _move: Move) -> None:
    round_ = session.get_one(Round, workshop.round_id)
    round_.state, round_.released = "discarded", False
    round_.counts = round_.shift = round_.groups = round_.ballots_cast = round_.people = None


def _release(session: Session, _keys: KeyFile, workshop: Workshop, _target: AgendaItem | None, _move: Move) -> None:
    query = select(Round).where(Round.agenda_id == workshop.agenda_id, Round.state == "counted")
    for round_ in session.scalars(query):
        round_.released = True


def _turn(session: Session, _keys: KeyFile, workshop: Workshop, target: AgendaItem | None, _move: Move) -> None:
    """Turn to a question. What was counted before and not shown stays unseen, also when its question is shown later."""
    assert target is not None
    query = select(Round).where(Round.workshop_id == workshop.id, Round.state == "counted", Round.released.is_(False))
    for round_ in session.scalars(query):
        round_.state = "unseen"
    latest = (
        select(Round.id).where(Round.agenda_id == target.id, Round.released).order_by(Round.ordinal.desc()).limit(1)
    )
    workshop.agenda_id, workshop.round_id = target.id, session.scalar(latest)


def _open(session: Session, keys: KeyFile, workshop: Workshop, _target: AgendaItem | None, _move: Move) -> None:
    """Open a round: its key is on disk before the round is."""
    item = _item(workshop.agenda, workshop.agenda_id)
    of_workshop = list(session.scalars(select(Round).where(Round.workshop_id == workshop.id)))
    kept = [r for r in of_workshop if r.agenda_id == item.id and r.state in ("counted", "unseen", "void")]
    if item.options is not None and not kept:
        priorities.bring_up_to_date(session, item)
    round_ = Round(
        workshop_id=workshop.id,
        agenda_id=item.id,
        ordinal=1 + max((r.ordinal for r in of_workshop), default=0),
        number=1 + len(kept),
        mode=item.mode or workshop.mode,
        state="open",
    )
    session.add(round_)
    session.flush()
    keys.make(round_.id)
    workshop.round_id = round_.id


_EFFECTS: dict[Effect, Callable[[Session, KeyFile, Workshop, AgendaItem | None, Move], None]] = {
    Effect.COUNT: _count,
    Effect.DROP: _drop,
    Effect.RELEASE: _release,
    Effect.TURN: _turn,
    Effect.OPEN: _open,
}


# --- Over any stage --------------------------------------------------------------------------------------------------


def show(session: Session, workshop_id: int, want: str, value: str = "") -> None:
    """Change what lies over the stage on the shared screen, without moving: overlay, theme, zoom, prompt, door."""
    workshop = _workshop(session, workshop_id)
    if want == "overlay" and value in OVERLAYS:
        _demand_no_break(workshop)
        workshop.overlay = "" if workshop.overlay == value else value
        if workshop.overlay == "blank":
            workshop.timer_seconds = workshop.timer_started = None  # a pause is blank with the timer stopped
    elif want == "theme" and value in THEMES:
        workshop.theme = value
    elif want == "zoom" and value in ("bigger", "smaller"):
        place = ZOOMS.index(workshop.zoom) + (1 if value == "bigger" else -1)
        workshop.zoom = ZOOMS[min(max(place, 0), len(ZOOMS) - 1)]
    elif want == "zoom" and value in map(str, ZOOMS):
        workshop.zoom = int(value)
    elif want == "prompt" and len(value) == 1 and value in "0123456789":
        workshop.prompt = int(value)
    elif want == "door":
        workshop.locked = value == "locked"
    else:
        raise Refused(_("That is not something the shared screen can show."))
    workshop.tick += 1


BREAKS = (5, 10, 15, 20, 30, 45, 60)
"""How many minutes a break can have."""


def take_break(session: Session, workshop_id: int, length: int, at: float) -> None:
    """Announce a break of so many minutes, on the screen and on every phone. at: now on the monotonic clock.

    An open vote stays open: nobody's answer is lost to a break, and a latecomer's counts. The soft timer and the
    minutes of the question stop. The version is raised, because phones are told.
    """
    workshop = _workshop(session, workshop_id)
    if workshop.stage == Stage.FINISHED:
        raise Refused(_("The session has ended."))
    if length not in BREAKS:
        raise Refused(_("Choose how long the break is."))
    if workshop.overlay != "break":
        minutes.stop(workshop, at)
    back = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(minutes=length, seconds=59)
    workshop.overlay, workshop.back_at = "break", back.replace(second=0, microsecond=0)
    workshop.timer_seconds = workshop.timer_started = None
    workshop.version, workshop.tick = workshop.version + 1, 0


def end_break(session: Session, workshop_id: int, at: float) -> None:
    """Go on where the room was. Nothing is done when the break is over already: two people may press at once."""
    workshop = _workshop(session, workshop_id)
    if workshop.overlay == "break":
        workshop.overlay, workshop.back_at = "", None
        minutes.start(workshop, at)
        workshop.version, workshop.tick = workshop.version + 1, 0


def _demand_no_break(workshop: Workshop) -> None:
    if workshop.overlay == "break":
        raise Refused(_("There is a break. End it first: then the screen shows something else."))


def set_timer(session: Session, workshop_id: int, at: float) -> None:
    """Start the soft timer, or stop it if it runs. `at` is now on the monotonic clock. It never closes a vote."""
    workshop = _workshop(session, workshop_id)
    _demand_no_break(workshop)
    running = workshop.timer_started is not None
    workshop.timer_seconds = None if running else THINKING_SECONDS
    workshop.timer_started = None if running else at
    workshop.tick += 1


# --- Capabilities, deleting, recovering ------------------------------------------------------------------------------


def grant(session: Session, role: str, workshop_id: int | None = None) -> str:
    """A new secret for a role; only its hash is kept."""
    token = secrets.token_urlsafe(24)
    session.add(Capability(token_hash=store.hashed(token), role=role, workshop_id=workshop_id))
    return token


PAIRING_MINUTES = 10
PAIRED = ("facilitator", "screen", "handed")  # what another device can be given
_PAIR_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # what cannot be mistaken when it is read from one screen to another
_PAIR_LENGTH = 12  # of 31 letters: 59 bits for ten minutes


def offer(session: Session, workshop_id: int, role: str) -> str:
    """A secret that another device exchanges once, within ten minutes, for a console or a shared screen of its own.

    An offer of the same role that nobody took is withdrawn. Raises Refused when the workshop is finished.
    """
    workshop = _workshop(session, workshop_id)
    if role not in PAIRED:
        raise Refused(_("That is not something another device can be."))
    if workshop.stage == Stage.FINISHED:
        raise Refused(_("The session has ended, so no other device can be added to it."))
    store.revoke(session, workshop_id, [f"pair-{role}"])
    letters = "".join(secrets.choice(_PAIR_LETTERS) for _letter in range(_PAIR_LENGTH))
    expires = _now() + dt.timedelta(minutes=PAIRING_MINUTES)
    session.add(
        Capability(token_hash=store.hashed(letters), role=f"pair-{role}", workshop_id=workshop_id, expires_at=expires)
    )
    return "-".join(letters[at : at + 4] for at in range(0, _PAIR_LENGTH, 4))


def offered(session: Session, token: str) -> str | None:
    """The role that this secret would give; None if it was used, withdrawn or is too old."""
    found = _offer(session, token)
    return found.role.removeprefix("pair-") if found else None


def take_up(session: Session, token: str, people: int = 0) -> tuple[int, str, str]:
    """Exchange an offer: the workshop's id, the role, the secret for the cookie. Refused where `offered` says None.

    people: how many will share a device that is handed round; they count as being in the room from now on.
    """
    found = _offer(session, token)
    if found is None or found.workshop_id is None:
        raise Refused(
            _(
                "This link has been used, or it is older than %(minutes)s minutes. Ask for a new one on the console.",
                minutes=PAIRING_MINUTES,
            )
        )
    workshop_id, role = found.workshop_id, found.role.removeprefix("pair-")
    taken: Any = session.execute(delete_rows(Capability).where(Capability.token_hash == found.token_hash))
    if taken.rowcount != 1:
        raise Refused(_("This link has been used a moment ago. Ask for a new one on the console."))
    if role == "handed":
        change_heads(session, workshop_id, _workshop(session, workshop_id).heads + people)
    return workshop_id, role, grant(session, role, workshop_id)


def _offer(session: Session, token: str) -> Capability | None:
    found = session.get(Capability, store.hashed(token.lower().replace("-", "")))
    if found is None or not found.role.startswith("pair-") or (found.expires_at or _now()) <= _now():
        return None
    return found


def revoke_others(session: Session, workshop_id: int, mine: Collection[str]) -> None:
    """Take console and shared screen from every device but the holder of these hashed secrets; offers go too."""
    _workshop(session, workshop_id)
    store.revoke(session, workshop_id, [*PAIRED, *(f"pair-{role}" for role in PAIRED)], except_for=mine)


def redeem_link(session: Session, token: str) -> str:
    """Exchange a one-time facilitator link for the secret of the cookie. Raises Refused if it was used before."""
    link = session.get(Capability, store.hashed(token))
    if link is None or link.role != "link":
        raise Refused(
            _("This link has been used already, or it is not complete. Start the program again to get a new one.")
        )
    session.delete(link)
    return grant(session, "home")


def delete(session: Session, keys: KeyFile, workshop_id: int) -> dict[str, int]:
    """Delete a workshop and all in it: agenda, rounds, ballots, counts, notes, plan, capabilities, keys; what went.

    Its code stays used. What it held leaves the files too: on SQLite they are written anew without it, because a page
    that was split keeps stale copies of the rows that moved.
    """
    workshop = _workshop(session, workshop_id)
    gone = store.contents(session, workshop_id)
    round_ids = list(session.scalars(select(Round.id).where(Round.workshop_id == workshop_id)))
    for round_id in round_ids:
        store.forget_ballots(session, round_id)
    session.execute(delete_rows(Round).where(Round.workshop_id == workshop_id))
    session.execute(delete_rows(Capability).where(Capability.workshop_id == workshop_id))
    session.delete(workshop)
    for round_id in round_ids:
        store.after_commit(session, partial(keys.destroy, round_id))
    store.rewrite_after_commit(session)
    return gone


def clear_up(session: Session, keys: KeyFile) -> list[Round]:
    """Destroy every key whose round is not open, because its close was committed, and empty the log; the open rounds.

    Every close does so itself. This is for what a close could not: a crash came in between, a reader held the log, the
    disk refused. The key file is locked throughout, so that no worker destroys the key of a round that another opens.
    """
    session.info["until_committed"].enter_context(keys.locked())
    taking = store.open_rounds(session)
    alive = [round_.id for round_ in taking]
    store.after_commit(session, lambda: keys.destroy_all_except(alive))
    store.truncate_log_after_commit(session)
    return taking


def recover(engine: Engine, keys: KeyFile) -> int:
    """At start-up: finish what a crash interrupted; returns how many rounds had to be declared void.

    An open round without a key cannot be counted: it is declared void in words, never guessed.
    """
    with store.transaction(engine) as session:
        lost = [round_ for round_ in clear_up(session, keys) if keys.read(round_.id) is None]
        for round_ in lost:
            workshop = _workshop(session, round_.workshop_id)
            round_.state, round_.picture = "void", None
            store.forget_ballots(session, round_.id)
            if workshop.round_id == round_.id:
                workshop.stage = Stage.DISCUSSION
                workshop.version, workshop.tick = workshop.version + 1, 0
        return len(lost)


# --- Small things ----------------------------------------------------------------------------------------------------


def _opened(session: Session, key: bytes, round_: Round) -> list[Ballot]:
    """Every sealed ballot of a round, opened in memory. Raises ValueError when one does not open."""
    return [
        ballots.unseal(key, round_.id, slot, sealed)
        for slot, (_seq, sealed) in store.ballots_in(session, round_.id).items()
    ]


def _dots(posted: str, options: int) -> str:
    """Dots as a phone posts them, as a ballot holds them. Raises Refused in words."""
    try:
        chosen = set(ballots.placed(posted))
        if len(chosen) > ballots.MOST_DOTS:
            raise Refused(_("There are %(num)s dots. Take one back, then place it elsewhere.", num=ballots.MOST_DOTS))
        if not all(1 <= option <= options for option in chosen):
            raise ValueError("no such option")
        return ballots.dots(chosen)
    except ValueError:
        raise Refused(_("These dots could not be read. Reload the page and place them again.")) from None


def _counted(session: Session, round_: Round, opened: Sequence[Ballot]) -> Tally | Dots:
    """The counts of opened ballots, on the scale or the options of their question. ValueError for one of another."""
    options = session.get_one(AgendaItem, round_.agenda_id).options
    if options is None:
        return Tally.of(ballot.choice for ballot in opened)
    return Dots.of((ballots.placed(ballot.choice) for ballot in opened), len(options))


def _nothing_in(session: Session, round_: Round) -> list[Ballot]:
    """The ballots of a round whose key is gone: it can be counted only if there are none."""
    if store.turnout(session, round_.id):
        raise ValueError("the key of this round is gone")
    return []


def _shift(opened: Sequence[Ballot]) -> Shift:
    """How many phones declared that they moved up, stayed, or moved down."""
    directions = [ballot.direction for ballot in opened]
    return Shift(*(directions.count(way) for way in (Direction.UP, Direction.SAME, Direction.DOWN)))


def _by_role(opened: Sequence[Ballot], k: int) -> dict[str, dict[str, int]] | None:
    """The counts of each role, small ones merged before anything is stored; None if only the total may be kept."""
    groups = merge_roles(Counter(ballot.role or OTHERS for ballot in opened), k, ballots.ROLES)
    if groups is None:
        return None
    # In the fixed order of the roles: the order in which ballots are opened would say something about who came first.
    choices: dict[str, list[str]] = {group: [] for group in (*ballots.ROLES, OTHERS) if group in groups.values()}
    for ballot in opened:
        choices[groups[ballot.role or OTHERS]].append(ballot.choice)
    return {group: Tally.of(chosen).as_dict() for group, chosen in choices.items()}


def _voted_before(session: Session, round_: Round) -> bool:
    """Whether there is an earlier vote on the same question that a direction can be meant against."""
    query = select(Round.id).where(Round.agenda_id == round_.agenda_id, Round.state == "counted", Round.id < round_.id)
    return session.scalar(query.limit(1)) is not None


def _has_result(session: Session, agenda_id: int) -> bool:
    query = select(Round.id).where(Round.agenda_id == agenda_id, Round.state == "counted", Round.released).limit(1)
    return session.scalar(query) is not None


def _workshop(session: Session, workshop_id: int) -> Workshop:
    workshop = store.locked_workshop(session, workshop_id)
    if workshop is None:
        raise Refused(_("This session has been deleted."))
    return workshop


def _item(items: Sequence[AgendaItem], agenda_id: int | None) -> AgendaItem:
    for item in items:
        if item.id == agenda_id:
            return item
    raise Refused(_("That question is no longer on the agenda."))


def _append(workshop: Workshop, item: AgendaItem) -> None:
    bounds.demand_room_for_question(workshop)
    workshop.agenda.append(item)
    store.number_agenda(workshop.agenda)
    workshop.tick += 1


def _fresh_code(session: Session) -> str:
    """Six digits that were never used in this database, and that do not begin with nought: people read them aloud."""
    for _try in range(1000):
        code = str(secrets.randbelow(900_000) + 100_000)
        if session.get(IssuedCode, code) is None:
            session.add(IssuedCode(code=code))
            return code
    raise Refused(_("No join code is free any more."))


def _mode(value: str) -> Mode:
    if value not in set(Mode):
        raise Refused(_("Choose when the room sees the result: while people vote, or when you show it."))
    return Mode(value)


def _clean(field: str, text: str) -> str:
    if not tidy(text):
        asked = {
            "title": _("Enter a title."),
            "museum": _("Enter the name of the museum."),
            "text": _("Enter the question."),
        }
        raise Refused(asked[field])
    return _short(field, text)


def _short(field: str, text: str) -> str:
    text = tidy(text)
    if len(text) > LONGEST[field]:
        raise Refused(
            _("That is %(long)s characters long; there is room for %(room)s.", long=len(text), room=LONGEST[field])
        )
    return text


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
