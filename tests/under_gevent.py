"""Run by tests/test_committer.py as a process of its own, because gevent patches a whole process: it says in JSON what
the writer did. Arguments: the address of a prepared database, and that of the same database, or another, which refuses
to be written to."""

# ruff: noqa: E402 - gevent comes before everything that it patches

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import gevent
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from facilitation import store
from facilitation.committer import GeventCommitter
from facilitation.errors import NotVoting, Refused
from facilitation.store import IssuedCode


def note_codes(session: Session, codes: Sequence[str]) -> list[str | Refused]:
    """A batch that puts each code into a table, says which number it was, and refuses those that begin with 9."""
    kept = [code for code in codes if not code.startswith("9")]
    session.add_all(IssuedCode(code=code) for code in kept)
    return [NotVoting("refused") if code.startswith("9") else f"{code} of {len(codes)}" for code in codes]


def broken(session: Session, codes: Sequence[str]) -> list[str]:
    """A batch that writes and then fails."""
    session.add_all(IssuedCode(code=code) for code in codes)
    session.flush()
    raise RuntimeError("a fault in the batch")


def short(session: Session, codes: Sequence[str]) -> list[str]:
    """A batch that forgets somebody."""
    return []


def together(acts: Sequence[Callable[[], Any]]) -> list[str]:
    """What became of each act, when all of them are begun before any can end."""

    def outcome(act: Callable[[], Any]) -> str:
        try:
            return str(act())
        except Exception as error:
            return type(error).__name__

    greenlets = [gevent.spawn(outcome, act) for act in acts]
    gevent.joinall(greenlets, timeout=20)
    return [greenlet.value if greenlet.ready() else "still waiting" for greenlet in greenlets]


class Writer:
    """A committer on one database, with everything about it that is worth knowing."""

    def __init__(self, url: str) -> None:
        self.engine = store.writing_engine(url)
        self.committer = GeventCommitter(self.engine)
        self.commits = 0
        event.listen(self.engine, "commit", self._count)

    def _count(self, _connection: object) -> None:
        self.commits += 1

    def gather(self, batch: Callable[..., Any], code: str) -> Callable[[], Any]:
        return lambda: self.committer.gather(batch, code)

    def codes(self) -> list[str]:
        """What is in the table."""
        with Session(self.engine) as session:
            return sorted(session.scalars(select(IssuedCode.code)))


def a_burst(writer: Writer) -> dict[str, Any]:
    """300 at once."""
    codes = [f"{number:06}" for number in range(300)]
    order: list[str] = []

    def batch(session: Session, items: Sequence[str]) -> list[str | Refused]:
        order.extend(items)
        return note_codes(session, items)

    before = writer.commits
    outcomes = together([writer.gather(batch, code) for code in codes])
    return {
        "acknowledged": sum(outcome.startswith(code) for outcome, code in zip(outcomes, codes, strict=True)),
        "commits": writer.commits - before,
        "in order": order == codes,
        "stored": len(writer.codes()),
    }


def a_slow_commit(writer: Writer) -> dict[str, Any]:
    """While one unit takes a tenth of a second, others come, and the hub goes on."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while True:
            gevent.sleep(0.005)
            ticks += 1

    ticking = gevent.spawn(tick)
    # The writer's thread is a native one: only gevent's own, unpatched sleep holds it without the hub's help.
    sleep = monkey.get_original("time", "sleep")
    slow = gevent.spawn(writer.committer.perform, lambda session: sleep(0.1))
    gevent.sleep(0.01)
    before = writer.commits
    outcomes = together([writer.gather(note_codes, f"3{number:05}") for number in range(40)])
    slow.join()
    ticking.kill()
    return {"commits": writer.commits - before, "sizes": {outcome.split()[-1] for outcome in outcomes}, "ticks": ticks}


def mixed(writer: Writer) -> dict[str, Any]:
    """Units of their own between ballots: each sees what came before it, and nothing that came after."""

    def how_many(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(IssuedCode).where(IssuedCode.code.like("4%"))) or 0

    acts: list[Callable[[], Any]] = []
    for number in range(5):
        acts += [writer.gather(note_codes, f"4{number}000{part}") for part in range(3)]
        acts.append(lambda: writer.committer.perform(how_many))
    return {"seen": together(acts)[3::4]}


def refused(writer: Writer) -> dict[str, Any]:
    """One refusal in a batch."""
    return {"outcomes": together([writer.gather(note_codes, code) for code in ("500001", "900000", "500002")])}


def a_fault(writer: Writer) -> dict[str, Any]:
    """A batch that fails, with others before and after it."""
    acts = [writer.gather(note_codes, "600001"), *(writer.gather(broken, f"61000{n}") for n in range(3))]
    outcomes = together([*acts, writer.gather(note_codes, "600002")])
    return {"outcomes": outcomes, "stored": [code for code in writer.codes() if code.startswith("6")]}


def a_short_answer(writer: Writer) -> dict[str, Any]:
    """A batch that says nothing to somebody: nobody waits for ever, and the writer lives."""
    acts = [writer.gather(short, "700001"), writer.gather(note_codes, "700002")]
    return {"outcomes": together(acts)}


def gone_away(writer: Writer) -> dict[str, Any]:
    """Somebody who waits is gone before the answer comes: what was asked for is done, and others are answered."""
    impatient = gevent.spawn(writer.committer.gather, note_codes, "800001")
    gevent.sleep(0)
    impatient.kill(block=False)
    return {"outcomes": together([writer.gather(note_codes, "800002")]), "stored": "800001" in writer.codes()}


def pragma(writer: Writer, setting: str) -> None:
    """Change SQLite's mind on the writer's own connection, without a transaction."""
    raw = writer.engine.raw_connection().driver_connection
    assert raw is not None
    raw.execute(f"PRAGMA {setting}")


def trouble(url: str) -> dict[str, Any]:
    """A database that takes nothing, and then takes it again."""
    writer = Writer(url)
    if url.startswith("sqlite"):
        pragma(writer, "query_only=ON")
    outcomes = together([writer.gather(note_codes, code) for code in ("200001", "200002")])
    outcomes += together([lambda: writer.committer.perform(lambda session: note_codes(session, ["200003"]))])
    again = []
    if url.startswith("sqlite"):
        pragma(writer, "query_only=OFF")
        again = together([writer.gather(note_codes, "200001")])
    return {"outcomes": outcomes, "again": again}


def a_full_disk(url: str) -> dict[str, Any]:
    """SQLite with no page left, and then with room again."""
    writer = Writer(url)
    pragma(writer, "max_page_count=1")
    codes = [f"1{number:05}" for number in range(2000)]
    outcomes = together([writer.gather(note_codes, code) for code in codes])
    stored = len([code for code in writer.codes() if code.startswith("1")])
    pragma(writer, "max_page_count=1000000")
    return {"outcomes": sorted(set(outcomes)), "stored": stored, "again": together([writer.gather(note_codes, "1")])}


def report(url: str, refusing: str) -> dict[str, Any]:
    """All of it."""
    writer = Writer(url)
    scenes = (a_burst, a_slow_commit, mixed, refused, a_fault, a_short_answer, gone_away)
    found: dict[str, Any] = {scene.__name__: scene(writer) for scene in scenes}
    found["trouble"] = trouble(refusing)
    if url.startswith("sqlite"):
        found["a_full_disk"] = a_full_disk(url)
    return found


if __name__ == "__main__":
    print(json.dumps(report(*sys.argv[1:]), default=sorted))
