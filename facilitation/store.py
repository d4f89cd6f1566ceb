"""The tables, the queries on them, and the one place that commits.

SQLite by default, PostgreSQL by `DATABASE_URL`; the same code runs on both. Reading goes through Flask-SQLAlchemy's
`db.session`; writing goes through `transaction()`, which the committer calls, and nothing else commits. A write unit
reads again what it decides on, under the write lock: `BEGIN IMMEDIATE` on SQLite, a row lock on PostgreSQL.

Secrecy is schema: a ballot has a round, a slot, a seq and sealed bytes, and room for nothing else.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    Connection,
    Engine,
    ForeignKey,
    MetaData,
    UniqueConstraint,
    create_engine,
    delete,
    event,
    false,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

from facilitation.errors import Refused, StorageTrouble
from facilitation.hallmarks import WARM_UP
from facilitation.language import _
from facilitation.plan import Action, Agreement, ParkedItem, Status, Support

log = logging.getLogger("facilitation")

Texts = dict[str, str]  # a language map: {"en": "Purpose", "cy": "Diben"}


class Base(DeclarativeBase):
    """What every table inherits; the naming convention lets migrations find a constraint again by its name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


QUIET = {"hide_parameters": True}  # an error in a log names the statement, never what was in it
db = SQLAlchemy(model_class=Base, engine_options=QUIET)


class Kind(StrEnum):
    """Whether people met. What did not happen never stands among what did, and never leaves the program as a file."""

    SESSION = "session"
    REHEARSAL = "rehearsal"  # with simulated people
    EXAMPLE = "example"  # a rehearsal that is over and only looked at


class Workshop(Base):
    """One meeting: what it is called, where it stands, and what the shared screen shows ("session" on the page)."""

    __tablename__ = "workshops"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    join_token: Mapped[str] = mapped_column(unique=True)
    key: Mapped[bytes | None]  # signs the phones' cookies; gone when the workshop is finished
    title: Mapped[str]
    museum: Mapped[str]
    held_on: Mapped[dt.date]
    kind: Mapped[str] = mapped_column(default=Kind.SESSION, server_default=Kind.SESSION)
    framework: Mapped[str]
    edition: Mapped[str]
    continues: Mapped[int | None]  # the session before this one; it may have been deleted since
    carried: Mapped[list[int] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # ids of earlier actions it looks back on
    k: Mapped[int] = mapped_column(default=5)
    mode: Mapped[str] = mapped_column(default="live")
    # phones say trustee, staff, volunteer or other when they join
    roles: Mapped[bool] = mapped_column(default=False, server_default=false())
    locked: Mapped[bool] = mapped_column(default=False)  # the door: nobody new comes in
    joined: Mapped[int] = mapped_column(default=0)
    # people without a phone of their own: on paper, and at devices that are handed round
    heads: Mapped[int] = mapped_column(default=0, server_default=text("0"))

    stage: Mapped[str] = mapped_column(default="lobby")
    agenda_id: Mapped[int | None]  # the question in the room, and the round it is at; None in the lobby
    round_id: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)  # raised by moves; what a move names
    tick: Mapped[int] = mapped_column(default=0)  # raised by every other commit; (version, tick) orders pushes

    overlay: Mapped[str] = mapped_column(default="")  # "", "break" or one of workshop.OVERLAYS, over any stage
    theme: Mapped[str] = mapped_column(default="light")
    zoom: Mapped[int] = mapped_column(default=100)
    screen_language: Mapped[str] = mapped_column(default="en", server_default="en")  # or two: "cy+en"
    prompt: Mapped[int] = mapped_column(default=0)  # which sentence of the prompt is on the screen
    wifi_name: Mapped[str] = mapped_column(default="")
    wifi_password: Mapped[str] = mapped_column(default="")
    timer_seconds: Mapped[int | None]
    timer_started: Mapped[float | None]  # on the machine's monotonic clock: a jump of the wall clock changes nothing
    turned_at: Mapped[float | None]  # on the same clock: since when the minutes of the present question run
    back_at: Mapped[dt.datetime | None]  # UTC; when the break is over, while there is one
    removed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what can be put back: undoing.py

    created_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]

    agenda: Mapped[list[AgendaItem]] = relationship(
        order_by="AgendaItem.position", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def questions(self) -> list[AgendaItem]:
        """The agenda without its dot votes, which are about one day's actions or questions, and without the warm-up."""
        return [item for item in self.agenda if item.options is None and not item.warm_up]


class AgendaItem(Base):
    """One question of a workshop, with wording and scale as they were when it was put on the agenda."""

    __tablename__ = "agenda"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]  # from 1; 0 for the warm-up
    key: Mapped[str]  # stable for ever, so that workshops can be compared
    number: Mapped[str]  # "9.4", a place in the printed framework; empty for an own question
    hallmark: Mapped[str]  # the hallmark's key, "" for an own question
    hallmark_title: Mapped[Texts] = mapped_column(JSON)
    text: Mapped[Texts] = mapped_column(JSON)
    short: Mapped[Texts] = mapped_column(JSON)
    prompt: Mapped[Texts] = mapped_column(JSON)
    attribution: Mapped[Texts] = mapped_column(JSON)
    scale: Mapped[str]
    labels: Mapped[list[Texts]] = mapped_column(JSON)  # lowest first
    options: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # of a dot vote the keys; else None
    mode: Mapped[str | None]  # None: as the workshop
    minutes: Mapped[int] = mapped_column(default=10)
    spent: Mapped[int | None]  # seconds that the room has been at it; None: it has not been there

    @property
    def warm_up(self) -> bool:
        """Whether it is the question to try things out with, which is in no result, document or comparison."""
        return self.key == WARM_UP

    @property
    def plate(self) -> str:
        """What stands on its plate: the printed number, or Q and its place, which no hallmark's number looks like."""
        return self.number or _("Q%(place)s", place=self.position)


def number_agenda(items: Iterable[AgendaItem]) -> None:
    """Give the questions of an agenda their places, in this order: from 1; the warm-up, which does not count, has 0."""
    for place, item in enumerate((item for item in items if not item.warm_up), start=1):
        item.position = place


class Round(Base):
    """One vote on one question. Open: ballots and perhaps a picture. Counted: the counts, and nothing else is left."""

    __tablename__ = "rounds"
    __table_args__ = (UniqueConstraint("workshop_id", "ordinal"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    agenda_id: Mapped[int] = mapped_column(ForeignKey("agenda.id", ondelete="CASCADE"), index=True)
    ordinal: Mapped[int]  # 1, 2, 3 ... within the workshop: no two rounds of one workshop can be open at once
    number: Mapped[int]  # 1 for the first vote on this question, 2 for the re-vote
    mode: Mapped[str]
    # open, counted, unseen (counted, and left before it was shown), discarded, void
    state: Mapped[str] = mapped_column(default="open")
    released: Mapped[bool] = mapped_column(default=False)
    picture: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))  # the last one released while open
    ballots_cast: Mapped[int | None]
    people: Mapped[int | None]  # in the room at the close; None before it, and for a round that is older than this
    counts: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))  # None when fewer than k answered
    shift: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))  # up, same, down
    groups: Mapped[dict[str, dict[str, int]] | None] = mapped_column(JSON(none_as_null=True))  # by role, as merged


class Ballot(Base):
    """One sealed answer in an open round; it is gone when the round closes."""

    __tablename__ = "ballots"
    __table_args__ = {"sqlite_with_rowid": False}  # a rowid would keep the order of arrival

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    slot: Mapped[bytes] = mapped_column(primary_key=True)  # HMAC(round key, device secret)
    seq: Mapped[int]  # the phone's own count of its changes: a late retry loses
    sealed: Mapped[bytes]  # the choice, encrypted with the round key


class Installation(Base):
    """What is this database's alone: one row.

    mark: what the names of its cookies end in, "" or "_" and six hexadecimal digits.
    """

    __tablename__ = "installation"

    mark: Mapped[str] = mapped_column(primary_key=True)


class Capability(Base):
    """What the holder of a secret may do: only the hash of the secret is kept.

    Roles: "link" (one use, exchanged for "home"), "home" (all workshops of this program), and of one workshop
    "facilitator", "screen" and "handed" (a device that goes from hand to hand), and "pair-" before each of these three
    (one use, exchanged for it).
    """

    __tablename__ = "capabilities"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    workshop_id: Mapped[int | None] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime | None]  # UTC; None: until it is revoked


class FrameworkRow(Base):
    """An edition of a framework: never changed once it is there, because sessions were run with its words."""

    __tablename__ = "frameworks"
    __table_args__ = (UniqueConstraint("key", "edition"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    edition: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # in the shape of data/hallmarks.json
    added_on: Mapped[dt.date]


class IssuedCode(Base):
    """Every join code that was ever issued: none is issued twice, so an old poster never opens a new room."""

    __tablename__ = "issued_codes"

    code: Mapped[str] = mapped_column(primary_key=True)


class NoteRow(Base):
    """What the room said about one question, as the facilitator wrote it down: group text, not anonymous."""

    __tablename__ = "notes"

    agenda_id: Mapped[int] = mapped_column(ForeignKey("agenda.id", ondelete="CASCADE"), primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)  # of this row alone: typing never blocks the big button


class AgreementRow(Base):
    """What the group settled on for one question: set by people, never computed."""

    __tablename__ = "agreements"

    agenda_id: Mapped[int] = mapped_column(ForeignKey("agenda.id", ondelete="CASCADE"), primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    rating: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


class ActionRow(Base):
    """One thing to do; see plan.Action for what the fields mean."""

    __tablename__ = "actions"
    __table_args__ = (UniqueConstraint("workshop_id", "number"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    agenda_id: Mapped[int | None] = mapped_column(ForeignKey("agenda.id", ondelete="SET NULL"))
    number: Mapped[int]
    uid: Mapped[str]
    action: Mapped[str]
    gap: Mapped[str] = mapped_column(default="")
    owner: Mapped[str] = mapped_column(default="")
    first_step: Mapped[str] = mapped_column(default="")
    first_step_by: Mapped[dt.date | None]
    due: Mapped[dt.date | None]
    due_words: Mapped[str] = mapped_column(default="")
    measure: Mapped[str] = mapped_column(default="")
    resources: Mapped[str] = mapped_column(default="")
    support: Mapped[str] = mapped_column(default="none")
    priority: Mapped[int | None]
    status: Mapped[str] = mapped_column(default="not started")
    status_reason: Mapped[str] = mapped_column(default="")
    review: Mapped[dt.date | None]
    plan_objective: Mapped[str] = mapped_column(default="")
    notes: Mapped[str] = mapped_column(default="")
    created_in: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


class ParkedRow(Base):
    """Something for later, on its way to a destination."""

    __tablename__ = "parked"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    workshop_id: Mapped[int] = mapped_column(ForeignKey("workshops.id", ondelete="CASCADE"), index=True)
    agenda_id: Mapped[int | None] = mapped_column(ForeignKey("agenda.id", ondelete="SET NULL"))
    item: Mapped[str]
    destination: Mapped[str] = mapped_column(default="")
    owner: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


# --- Engines and transactions ----------------------------------------------------------------------------------------


def prepare_engine(engine: Engine) -> Engine:
    """Make every connection of an engine durable, forgetful and patient; returns the engine.

    SQLite: each build has its own defaults, so what the promise rests on is said out loud.
    """
    if engine.dialect.name != "sqlite":
        return engine
    begin_ourselves(engine)

    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=5000",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def begin_ourselves(engine: Engine) -> Engine:
    """Have the transactions of an engine begun by us; returns the engine. Nothing to do on PostgreSQL.

    The begin of SQLite's driver is deferred: it lets two writers read the same state and both decide on it. And it
    begins nothing at all for tables that are made or changed.
    """
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def leave_it_to_us(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def writing_engine(url: str) -> Engine:
    """The engine of the one writer. On SQLite one connection that stays open, used by one thread at a time."""
    if url.startswith("sqlite"):
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False}, **QUIET)
    else:
        engine = create_engine(url, pool_pre_ping=True, **QUIET)
    return prepare_engine(engine).execution_options(immediate=True)


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One write unit: commits at the end, or leaves nothing. Raises StorageTrouble when the disk or database refuses.

    `session.info["until_committed"]` is an ExitStack that closes after the commit: a lock entered there is held until
    then. What `after_commit()` was given runs last. It cannot undo the commit, so its trouble is not this write unit's:
    what was left undone is done by `workshop.clear_up` within seconds, or at the next start.
    """
    with ExitStack() as stack:
        session = Session(engine, info={"until_committed": stack, "after_commit": []})
        try:
            with session:
                yield session
                session.commit()
        except IntegrityError:
            raise
        except DBAPIError as trouble:
            raise StorageTrouble(
                _("The program could not save this just now. Nothing was lost: please try again.")
            ) from trouble
        for act in session.info["after_commit"]:
            try:
                act()
            except StorageTrouble as trouble:
                log.warning("left for later: %s", trouble.sentence)


def after_commit(session: Session, act: Callable[[], object]) -> None:
    """Have something done once this write unit is on disk, and not at all if it never gets there."""
    session.info["after_commit"].append(act)


def truncate_log(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log, so that no forgotten row lives on in it. Nothing to do on PostgreSQL.

    False when a reader's snapshot still needs it, or the disk is full: `workshop.clear_up` tries again.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA busy_timeout=100")  # the writer must not stand still for a slow reader
        try:
            busy: int = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
        finally:
            raw.execute("PRAGMA busy_timeout=5000")
    return not busy


def truncate_log_after_commit(session: Session) -> None:
    """Have the write-ahead log emptied once this write unit is on disk."""
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    after_commit(session, lambda: truncate_log(engine))


def rewrite_after_commit(session: Session) -> None:
    """Have SQLite's file written anew once this write unit is on disk, without anything that was deleted from it, and
    the log emptied. PostgreSQL keeps what was deleted until its own cleaning, and in its log and backups (hosting.md).
    """
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    after_commit(session, lambda: _rewrite(engine))
    truncate_log_after_commit(session)


def _rewrite(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        try:
            raw.execute("PRAGMA temp_store=MEMORY")  # not by way of a file elsewhere
            raw.execute("VACUUM")
        except sqlite3.OperationalError as trouble:  # the disk is full: the rows are gone all the same
            log.warning("the database was not written anew: %s", trouble)


# --- Queries ---------------------------------------------------------------------------------------------------------


def hashed(token: str) -> str:
    """How a secret is kept: a thief of the database holds no cookie that works."""
    return hashlib.sha256(token.encode()).hexdigest()


def mark(session: Session) -> str:
    """What the names of this program's cookies end in: a browser shows them to every program on this computer, whatever
    its port, and would keep one of each name."""
    return session.scalars(select(Installation.mark)).one()


def by_code(session: Session, code: str) -> Workshop | None:
    """The workshop with this join code. Whatever else was typed never reaches the database, which may not take it."""
    if not re.fullmatch("[0-9]{6}", code):
        return None
    return session.scalar(select(Workshop).where(Workshop.code == code))


def version_of(session: Session, workshop_id: int) -> int | None:
    """How many moves were made in a workshop; None if there is none of this number."""
    return session.scalar(select(Workshop.version).where(Workshop.id == workshop_id))


def by_join_token(session: Session, token: str) -> Workshop | None:
    """The workshop whose QR code carries this token."""
    if not re.fullmatch("[A-Za-z0-9_-]{8,24}", token):
        return None
    return session.scalar(select(Workshop).where(Workshop.join_token == token))


def locked_workshop(session: Session, workshop_id: int) -> Workshop | None:
    """The workshop, read again under its row lock, for a write unit that decides on what it reads.

    Raises Refused for the example: no write unit changes it.
    """
    found = session.scalar(select(Workshop).where(Workshop.id == workshop_id).with_for_update())
    if found is not None and found.kind == Kind.EXAMPLE:
        raise Refused(_("This is an example to look at. Nothing in it can be changed."))
    return found


def all_workshops(session: Session) -> list[Workshop]:
    """Every workshop in which people met or will meet, the newest meeting first: no rehearsal, and not the example."""
    query = select(Workshop).where(Workshop.kind == Kind.SESSION)
    return list(session.scalars(query.order_by(Workshop.held_on.desc(), Workshop.id.desc())))


def of_kind(session: Session, kind: Kind) -> list[Workshop]:
    """All rehearsals, or the example, newest first."""
    return list(session.scalars(select(Workshop).where(Workshop.kind == kind).order_by(Workshop.id.desc())))


def answers_by_workshop(session: Session) -> dict[int, int]:
    """How many answers each workshop holds in its counted rounds; the warm-up's are not worth counting."""
    rows = session.execute(
        select(Round.workshop_id, func.sum(Round.ballots_cast))
        .join(AgendaItem, AgendaItem.id == Round.agenda_id)
        .where(Round.state.in_(("counted", "unseen")), AgendaItem.key != WARM_UP)
        .group_by(Round.workshop_id)
    )
    return {workshop_id: int(ballots or 0) for workshop_id, ballots in rows}


def contents(session: Session, workshop_id: int) -> dict[str, int]:
    """How much a workshop holds, by the name of the thing: what goes when it is deleted."""
    tables: dict[str, type[Round] | type[NoteRow] | type[AgreementRow] | type[ActionRow]] = {
        "votes": Round,
        "notes": NoteRow,
        "ratings": AgreementRow,
        "actions": ActionRow,
    }
    found = {
        name: session.scalar(select(func.count()).select_from(table).where(table.workshop_id == workshop_id)) or 0
        for name, table in tables.items()
    }
    workshop = session.get_one(Workshop, workshop_id)
    found["questions"] = len(workshop.questions)
    found["dots"] = sum(item.options is not None for item in workshop.agenda)
    parked = select(func.count()).select_from(ParkedRow).where(ParkedRow.workshop_id == workshop_id)
    answers = select(func.sum(Round.ballots_cast)).where(Round.workshop_id == workshop_id)
    return found | {"parked": session.scalar(parked) or 0, "answers": int(session.scalar(answers) or 0)}


def holds(session: Session, token: str, role: str, workshop_id: int | None = None) -> bool:
    """Whether this secret is the capability named."""
    capability = session.get(Capability, hashed(token))
    return capability is not None and capability.role == role and capability.workshop_id == workshop_id


def holders(session: Session, workshop_id: int) -> Counter[str]:
    """How many secrets of each role a workshop has given out: one for each device, or nearly so."""
    query = select(Capability.role, func.count().label("devices")).where(Capability.workshop_id == workshop_id)
    return Counter({row.role: row.devices for row in session.execute(query.group_by(Capability.role))})


def still_valid(session: Session, token_hashes: Collection[str]) -> set[str]:
    """Which of these hashed secrets still open anything."""
    query = select(Capability.token_hash).where(Capability.token_hash.in_(token_hashes))
    return set(session.scalars(query))


def revoke(session: Session, workshop_id: int, roles: Collection[str], *, except_for: Collection[str] = ()) -> None:
    """Make the secrets of these roles of a workshop open nothing, except for some, named by their hashes."""
    session.execute(
        delete(Capability).where(
            Capability.workshop_id == workshop_id,
            Capability.role.in_(roles),
            Capability.token_hash.not_in(except_for),
        )
    )


def rounds_of(session: Session, workshop_id: int) -> dict[int, list[Round]]:
    """The rounds that still mean something, by agenda row, first vote first: all but the discarded ones."""
    found: dict[int, list[Round]] = {}
    query = select(Round).where(Round.workshop_id == workshop_id, Round.state != "discarded").order_by(Round.ordinal)
    for round_ in session.scalars(query):
        found.setdefault(round_.agenda_id, []).append(round_)
    return found


def is_written_about(session: Session, agenda_id: int) -> bool:
    """Whether somebody has written a note, a rating, an action or a parked item for this question."""
    noted, agreed = session.get(NoteRow, agenda_id), session.get(AgreementRow, agenda_id)
    if (noted and noted.text) or (agreed and (agreed.reason or agreed.rating is not None)):
        return True
    tables: tuple[type[ActionRow] | type[ParkedRow], ...] = (ActionRow, ParkedRow)
    return any(session.scalar(select(table.id).where(table.agenda_id == agenda_id).limit(1)) for table in tables)


def turnout(session: Session, round_id: int) -> int:
    """How many ballots are in, in an open round."""
    return session.scalar(select(func.count()).select_from(Ballot).where(Ballot.round_id == round_id)) or 0


def open_rounds(session: Session) -> list[Round]:
    """Every round of every workshop that takes ballots."""
    return list(session.scalars(select(Round).where(Round.state == "open")))


def unfinished(session: Session) -> set[int]:
    """The workshops that are not over."""
    return set(session.scalars(select(Workshop.id).where(Workshop.stage != "finished")))


def where_voting(session: Session) -> dict[int, tuple[int, int]]:
    """The workshops with an open round, each with its order: (version, tick)."""
    query = select(Workshop.id, Workshop.version, Workshop.tick).where(Workshop.stage == "voting")
    return {row.id: (row.version, row.tick) for row in session.execute(query)}


def still_open(
    session: Session, round_ids: Sequence[int], workshop_ids: Sequence[int]
) -> dict[int, dict[str, int] | None]:
    """Which of these rounds of these workshops take ballots now, with the picture that stands of each.

    On PostgreSQL they stay open, and the pictures stand, until the commit. The workshops are locked first, as every
    move does it: two workers that took the locks in different orders would wait for each other.
    """
    if session.get_bind().dialect.name != "sqlite":
        rows = select(Workshop.id).where(Workshop.id.in_(workshop_ids)).order_by(Workshop.id)
        session.execute(rows.with_for_update(key_share=True)).all()
    query = select(Round.id, Round.picture).where(Round.id.in_(round_ids), Round.state == "open")
    return {row.id: row.picture for row in session.execute(query.with_for_update(read=True))}


def ballot_in(session: Session, round_id: int, slot: bytes) -> tuple[int, bytes] | None:
    """The seq and the sealed bytes of one slot."""
    row = session.execute(
        select(Ballot.seq, Ballot.sealed).where(Ballot.round_id == round_id, Ballot.slot == slot)
    ).first()
    return (row.seq, row.sealed) if row else None


def ballots_in(session: Session, round_id: int, slots: Sequence[bytes] | None = None) -> dict[bytes, tuple[int, bytes]]:
    """slot -> (seq, sealed) of one round: of all its ballots, or of these slots."""
    query = select(Ballot.slot, Ballot.seq, Ballot.sealed).where(Ballot.round_id == round_id)
    if slots is not None:
        query = query.where(Ballot.slot.in_(slots))
    return {slot: (seq, sealed) for slot, seq, sealed in session.execute(query)}


def file_ballots(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """File sealed ballots (round_id, slot, seq, sealed): a new slot is a new ballot, a known one changes its mind if
    its seq is larger, so a late retry never overwrites a change and a double tap is one ballot."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    filing = insert(Ballot)
    filing = filing.on_conflict_do_update(
        index_elements=[Ballot.round_id, Ballot.slot],
        set_={"seq": filing.excluded.seq, "sealed": filing.excluded.sealed},
        where=filing.excluded.seq > Ballot.seq,
    )
    session.execute(filing, list(rows))


def remove_ballots(session: Session, round_id: int, slots: Collection[bytes]) -> None:
    """Delete these ballots of an open round; copies of them on split pages go when the round closes."""
    session.execute(delete(Ballot).where(Ballot.round_id == round_id, Ballot.slot.in_(slots)))


def raise_heads(session: Session, workshop_id: int, heads: int) -> None:
    """Note that a workshop has at least so many people without a phone of their own."""
    raising = update(Workshop).where(Workshop.id == workshop_id, Workshop.heads < heads)
    session.execute(raising.values(heads=heads))


def forget_ballots(session: Session, round_id: int) -> None:
    """Delete every ballot of a round.

    On SQLite all others are filed anew. A page that was split keeps stale copies of rows that moved away from it, and
    secure_delete overwrites a row only where it is now; when the table is emptied, it overwrites whole pages.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.execute(delete(Ballot).where(Ballot.round_id == round_id))
        return
    others = session.execute(select(*Ballot.__table__.columns).where(Ballot.round_id != round_id)).mappings().all()
    session.execute(delete(Ballot))
    if others:
        file_ballots(session, [dict(row) for row in others])


def raise_tick(session: Session, workshop_ids: Sequence[int]) -> None:
    """Note that something but a move was committed for these workshops, so that pushes keep their order."""
    session.execute(update(Workshop).where(Workshop.id.in_(workshop_ids)).values(tick=Workshop.tick + 1))


def notes_of(session: Session, workshop_id: int) -> dict[int, str]:
    """The notes of a workshop by agenda row."""
    return {
        row.agenda_id: row.text for row in session.scalars(select(NoteRow).where(NoteRow.workshop_id == workshop_id))
    }


def agreements_of(session: Session, workshop_id: int) -> dict[int, Agreement]:
    """What was agreed, by agenda row."""
    rows = session.scalars(select(AgreementRow).where(AgreementRow.workshop_id == workshop_id))
    return {row.agenda_id: Agreement(row.rating, row.reason) for row in rows}


def draft_versions(session: Session, workshop_id: int) -> dict[str, dict[int, int]]:
    """The row versions of "notes" and "agreements", by agenda row: what a form must name when it saves."""
    tables: dict[str, type[NoteRow] | type[AgreementRow]] = {"notes": NoteRow, "agreements": AgreementRow}
    return {
        name: {
            row.agenda_id: row.version
            for row in session.execute(select(table.agenda_id, table.version).where(table.workshop_id == workshop_id))
        }
        for name, table in tables.items()
    }


def action_of(row: ActionRow, item: AgendaItem | None) -> Action:
    """An action's row as plain value, with the keys of the question it belongs to."""
    return Action(
        number=row.number,
        action=row.action,
        hallmark=item.hallmark if item is not None else "",
        question=_key_of(item),
        gap=row.gap,
        owner=row.owner,
        first_step=row.first_step,
        first_step_by=row.first_step_by,
        due=row.due,
        due_words=row.due_words,
        measure=row.measure,
        resources=row.resources,
        support=Support(row.support),
        priority=row.priority,
        status=Status(row.status),
        status_reason=row.status_reason,
        review=row.review,
        plan_objective=row.plan_objective,
        notes=row.notes,
        created_in=row.created_in,
        uid=row.uid,
    )


def actions_of(session: Session, workshop_id: int) -> list[Action]:
    """The actions of a workshop, A1 first."""
    query = select(ActionRow, AgendaItem).outerjoin(AgendaItem, AgendaItem.id == ActionRow.agenda_id)
    rows = session.execute(query.where(ActionRow.workshop_id == workshop_id).order_by(ActionRow.number))
    return [action_of(row, item) for row, item in rows]


def rows_of_actions(session: Session, ids: Iterable[int]) -> list[tuple[ActionRow, AgendaItem | None]]:
    """These actions, whichever session they were agreed in, each with its question; not those that are gone."""
    query = select(ActionRow, AgendaItem).outerjoin(AgendaItem, AgendaItem.id == ActionRow.agenda_id)
    rows = session.execute(query.where(ActionRow.id.in_(list(ids))).order_by(ActionRow.id)).all()
    return [(row, item) for row, item in rows]


def parked_of(session: Session, workshop_id: int) -> list[ParkedItem]:
    """The parked items of a workshop, oldest first."""
    query = select(ParkedRow, AgendaItem).outerjoin(AgendaItem, AgendaItem.id == ParkedRow.agenda_id)
    rows = session.execute(query.where(ParkedRow.workshop_id == workshop_id).order_by(ParkedRow.id))
    return [ParkedItem(row.item, _key_of(item), row.destination, row.owner) for row, item in rows]


def _key_of(item: AgendaItem | None) -> str:
    """The key of a question; "" for something that belongs to the whole session."""
    return item.key if item is not None else ""


def is_reachable(session: Session) -> bool:
    """Whether the database answers."""
    try:
        return bool(session.scalar(text("SELECT 1")) == 1)
    except DBAPIError:
        return False
