"""The one writer: write units queue up, ballots that wait together share one commit, each is answered after it.

A burst is one room tapping at once, and a consumer disk may need 8 ms for an fsync: 300 commits would take seconds, one
commit for all that wait takes one fsync. Nobody is answered before the commit that holds their work is on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Generic, Protocol, TypeVar, cast

import gevent
from gevent.event import AsyncResult, Event
from gevent.threadpool import ThreadPool
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from facilitation import store
from facilitation.errors import Refused, StorageTrouble

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Job = Callable[[Session], Outcome]
Batch = Callable[[Session, Sequence[Item]], Sequence[Outcome | Refused]]


class Committer(Protocol):
    """What the rest of the program knows of the writer. `failing`: something could not be saved, and nobody has found
    since that it can be; `live.Live.look_round` tries."""

    failing: bool

    def perform(self, job: Job[Outcome]) -> Outcome:
        """Run one write unit in a transaction of its own; returns its result once on disk, or raises its error."""
        ...

    def gather(self, batch: Batch[Item, Outcome], item: Item) -> Outcome:
        """Add an item to the next transaction of its kind. `batch` gets all that wait, in order, and returns as many
        outcomes; an outcome that is a Refused is raised to its own caller only."""
        ...


@dataclass(slots=True)
class _Work(Generic[Item, Outcome]):
    """One caller's item, and what became of it. Neighbours with an equal `batch` share a transaction."""

    batch: Batch[Item, Outcome]
    item: Item
    outcome: Outcome | None = None
    error: BaseException | None = None
    answer: Callable[[], object] = field(default=lambda: None)

    def result(self) -> Outcome:
        if self.error is not None:
            raise self.error
        return cast(Outcome, self.outcome)  # None is what the unit returned, if it is None now


def _alone(job: Job[Outcome]) -> _Work[None, Outcome]:
    """A unit for a transaction of its own: its batch is a new function, so it is equal to no other. It runs in its
    caller's context, whose language its refusals speak."""
    context = copy_context()

    def batch(session: Session, _items: Sequence[None]) -> Sequence[Outcome | Refused]:
        return [context.run(job, session)]

    return _Work(batch, None)


def _carry_out(engine: Engine, waiting: Sequence[_Work[Any, Any]]) -> None:
    """Run everything that waits, in order: neighbours of one kind in one transaction, all else each in its own."""
    for batch, group in groupby(waiting, key=lambda work: work.batch):
        _attempt(engine, batch, list(group))


def _attempt(engine: Engine, batch: Batch[Any, Any], works: Sequence[_Work[Any, Any]]) -> None:
    """One transaction for these works. If it fails, each of them failed: none is answered as if it were on disk."""
    try:
        with store.transaction(engine) as session:
            outcomes = batch(session, [work.item for work in works])
            answers = list(zip(works, outcomes, strict=True))  # before the commit: a batch that forgot somebody failed
    except BaseException as error:  # the writer must outlive any caller's mistake; the caller gets it back
        for work in works:
            work.error = error
        return
    for work, outcome in answers:
        if isinstance(outcome, Refused):
            work.error = outcome
        else:
            work.outcome = outcome


def _met_trouble(works: Sequence[_Work[Any, Any]]) -> bool:
    return any(isinstance(work.error, StorageTrouble) for work in works)


class InlineCommitter:
    """Commits in the caller's thread, one at a time: for tests and for commands without a server."""

    def __init__(self, engine: Engine) -> None:
        self.failing = False
        self._engine = engine
        self._lock = threading.RLock()

    def perform(self, job: Job[Outcome]) -> Outcome:
        """See Committer."""
        return self._run(_alone(job))

    def gather(self, batch: Batch[Item, Outcome], item: Item) -> Outcome:
        """See Committer."""
        return self._run(_Work(batch, item))

    def _run(self, work: _Work[Item, Outcome]) -> Outcome:
        with self._lock:
            _carry_out(self._engine, [work])
            self.failing = self.failing or _met_trouble([work])
        return work.result()


class GeventCommitter:
    """Commits in one native thread while the hub goes on serving: an fsync never stops the loop.

    It batches naturally: as soon as a commit is done, all that came meanwhile is the next batch, so a lone vote waits
    for nothing and a burst shares its fsyncs.
    """

    def __init__(self, engine: Engine) -> None:
        self.failing = False
        self._engine = engine
        self._waiting: list[_Work[Any, Any]] = []
        self._work_came = Event()
        self._thread = ThreadPool(1)
        gevent.spawn(self._run)

    def perform(self, job: Job[Outcome]) -> Outcome:
        """See Committer."""
        return self._wait(_alone(job))

    def gather(self, batch: Batch[Item, Outcome], item: Item) -> Outcome:
        """See Committer."""
        return self._wait(_Work(batch, item))

    def _wait(self, work: _Work[Item, Outcome]) -> Outcome:
        done = AsyncResult()
        work.answer = done.set
        self._waiting.append(work)
        self._work_came.set()
        done.get()
        return work.result()

    def _run(self) -> None:
        while True:
            self._work_came.wait()
            self._work_came.clear()
            waiting, self._waiting = self._waiting, []
            self._thread.apply(_carry_out, (self._engine, waiting))
            self.failing = self.failing or _met_trouble(waiting)
            for work in waiting:
                work.answer()


class Aside(Protocol):
    """Runs work that takes long and touches nothing beside the loop that serves everybody."""

    def __call__(self, job: Callable[[], Outcome], /) -> Outcome:
        """What the job returns; what it raises is raised here."""
        ...


def beside_the_loop() -> Aside:
    """A runner for work that takes long and touches nothing: in a native thread of its own, one piece at a time, while
    the hub goes on serving."""
    thread = ThreadPool(1)

    def attempt(job: Callable[[], Outcome]) -> tuple[Outcome | None, BaseException | None]:
        try:
            return job(), None
        except BaseException as error:  # the hub would print what its threads raise; the caller gets it back
            return None, error

    def run(job: Callable[[], Outcome]) -> Outcome:
        outcome, error = thread.apply(attempt, (partial(copy_context().run, job),))  # in the language spoken here
        if error is not None:
            raise error
        return cast(Outcome, outcome)

    return run
