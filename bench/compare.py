"""`make bench`: the program beside what it is measured against, round by round in one run, as a table and as JSON.

The program runs as a process of its own over real sockets (bench/host.py: with one empty address more), and so do

- its own empty POST route, which passes everything that a ballot passes before the program does something for it;
- stock: a broadcast by Flask-SocketIO as its documentation sets it up (bench/stock.py);
- node: the same by Socket.IO on Node (bench/node, version pinned), where Node is installed;
- quiz: the same server, which tells everybody of every vote, as live quizzes do;
- echo: a server that does nothing, to show what the load generator itself can reach.

Every round does the same with each of them, one after the other, so that whatever else the machine is doing meets all.
What counts is the ratio within a round; the table gives the median over the rounds, and the least and the most.
Seconds and bytes are those of one machine and one moment.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import math
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench import ears
from bench.measure import CHOICES, Room, allow_many_sockets, few_at_a_time, percentile
from bench.phones import Answer, Browser, Line, Phone, number
from bench.program import Program
from bench.proxy import Network, Proxy

HOST = (sys.executable, "-m", "bench.host")
STOCK = (sys.executable, "-m", "bench.stock")
ECHO = (sys.executable, "-m", "bench.echo")
NODE_FOLDER = Path(__file__).parent / "node"
FORM = {"round": 1, "choice": "3", "seq": 1, "direction": ""}
EARLIER_VOTES, EARLIER_ROUNDS = 100_000, 100
QUIZ_WITHIN = 5.0  # seconds


@dataclass
class Measured:
    """Everything of one size of room: a list with a number for each round, under the name of what was measured."""

    phones: int
    rounds: dict[str, list[float]] = field(default_factory=dict)
    sound: bool = True

    def note(self, name: str, value: float) -> None:
        """One more number."""
        self.rounds.setdefault(name, []).append(value)

    def median(self, name: str) -> float | None:
        """The middle one; None if it was not measured."""
        return statistics.median(self.rounds[name]) if self.rounds.get(name) else None

    def ratio(self, name: str, to: str) -> tuple[float, float, float] | None:
        """Median, least and most of the ratio of two numbers of the same round; None if one was not measured."""
        pairs = list(zip(self.rounds.get(name, []), self.rounds.get(to, []), strict=False))
        ratios = [a / b for a, b in pairs if b]
        return (statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


class Rival:
    """A Socket.IO server that is not ours, with everybody connected."""

    def __init__(self, name: str, command: Sequence[str], phones: int) -> None:
        self.name = name
        self.program = Program(Path(), command=command)
        self.program.rest_of_line("It listens.")
        self.browsers = [Browser(self.program.origin) for _ in range(phones)]
        self.lines: list[Line] = []

    async def fill(self) -> float | None:
        """Everybody connects; KiB of the server's memory for each."""
        half = len(self.browsers) // 2
        self.lines = await few_at_a_time(self._connect(browser) for browser in self.browsers[:half])
        before = self.program.memory()
        self.lines += await few_at_a_time(self._connect(browser) for browser in self.browsers[half:])
        after = self.program.memory()
        return (after - before) / (len(self.browsers) - half) if before and after else None

    async def storm(self) -> tuple[float, float]:
        """All connections break at once and come back; seconds, and the server's, until all have the state again."""
        return await _storm(self.browsers, self._connect, self.program)

    def push(self, html: str) -> tuple[list[float], float]:
        """Push a text to everybody; seconds to each, and the server's own."""
        before = self.program.processor_time()
        took, _ = ears.hear(self.lines, self.program.port, _post(self.program.port, "/push", html.encode(), {}))
        return took, self.program.processor_time() - before

    async def _connect(self, browser: Browser) -> Line:
        path = "/socket.io/?EIO=4&transport=websocket"
        line = await browser.open_line(path, headers={"Sec-WebSocket-Extensions": None})
        await line.heard(1)
        return line

    def stop(self) -> None:
        """End it."""
        self.program.kill()


async def measure(phones: int, rounds: int) -> Measured:
    """One size of room, beside the rivals. RuntimeError or Turned when a server does not do what it should."""
    found = Measured(phones)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = Program(folder, command=HOST)
        stack.callback(program.kill)
        rivals = [Rival("stock", STOCK, phones)]
        if node := _node():
            rivals.append(Rival("node", node, phones))
        for rival in rivals:
            stack.callback(rival.stop)
        room = Room(program, phones)
        threads = program.threads() or 0
        await room.fill(folder, max(rounds, 6))
        found.note("connects a second", room.figures.joined_per_second)
        found.note("memory", room.figures.memory_kib_per_phone or 0)
        found.note("threads", ((program.threads() or 0) - threads) / phones)
        for rival in rivals:
            found.note(f"memory {rival.name}", await rival.fill() or 0)
        gc.collect()
        gc.freeze()  # the load generator's own pauses would be taken for the server's
        for place in range(rounds):
            await _round(room, rivals, found, "next" if place else "open")
        await room.compare()
        found.sound = room.figures.sound
        for _ in range(rounds):
            await _storms(room, rivals, found)
        found.note("vote to turnout, p95", percentile(room.figures.vote_to_turnout, 95))
        found.note("release to chart, median", statistics.median(room.figures.release_to_chart))
        for browser in (*room.phones, room.screen, room.facilitator, *(b for rival in rivals for b in rival.browsers)):
            browser.close()
        gc.unfreeze()
    return found


async def _round(room: Room, rivals: Sequence[Rival], found: Measured, move: str) -> None:
    """One question with all that belongs to it, and the same load on the rivals."""
    phones = len(room.phones)
    heard = [len(line.pushes) for line in room.lines]
    took, cpu = press(room, move)
    pushed = room.lines[0].pushes[-1]
    for name, share in (("p50", 50), ("p95", 95), ("p99", 99), ("last", 100)):
        found.note(f"question to phone, {name}", 1000 * percentile(took, share))
    found.note("push cpu", 1e6 * cpu / phones)
    for rival in rivals:
        took, cpu = rival.push(pushed.html)
        found.note(f"push to last {rival.name}", 1000 * max(took))
        found.note(f"push cpu {rival.name}", 1e6 * cpu / phones)
    round_id, quiet = pushed.round_id, [len(line.pushes) for line in room.lines]
    choices = [room._chance.choice(CHOICES) for _ in room.phones]
    before = len(room.figures.answered_within_2_s)
    await room._answer_within(round_id, choices)
    for name, share in (("p50", 50), ("p99", 99)):
        found.note(f"answer within 2 s, {name}", percentile(room.figures.answered_within_2_s[before:], share))
    await room._change_three(round_id, choices)
    empty = await burst(room, lambda phone: phone.post("/bench/empty", FORM, fragment=True))
    choices[:] = [room._another(choice) for choice in choices]
    sent = dict(zip(map(id, room.phones), choices, strict=True))
    ballots = await burst(room, lambda phone: phone.vote(round_id, sent[id(phone)]))
    for name, (answers, seconds, cpu) in (("empty", empty), ("ballot", ballots)):
        times = [1000 * answer.took for answer in answers]
        found.note(f"{name} a second", phones / seconds)
        found.note(f"{name} cpu", 1e6 * cpu / phones)
        found.note(f"{name} p50", percentile(times, 50))
        found.note(f"{name} p99", percentile(times, 99))
        found.note(f"{name} last", max(times))
    room.figures.messages_because_others_voted += sum(len(line.pushes) for line in room.lines) - sum(quiet)
    room.expected.append(Counter(choices))
    took, _ = press(room, "close")
    found.note("result to last phone", 1000 * max(took))
    told = [line.pushes[before:] for line, before in zip(room.lines, heard, strict=True)]
    found.note("messages", sum(map(len, told)) / phones)
    found.note("bytes", sum(len(push.raw.encode()) + 4 for pushes in told for push in pushes) / phones)


async def _storms(room: Room, rivals: Sequence[Rival], found: Measured) -> None:
    async def back(phone: Browser) -> Line:
        assert isinstance(phone, Phone)
        line = await phone.listen()
        await line.heard(1)
        return line

    seconds, cpu = await _storm(room.phones, back, room.program)
    found.note("storm", seconds)
    found.note("storm cpu", 1e6 * cpu / len(room.phones))
    for rival in rivals:
        seconds, cpu = await rival.storm()
        found.note(f"storm {rival.name}", seconds)
        found.note(f"storm cpu {rival.name}", 1e6 * cpu / len(room.phones))


async def _storm(
    browsers: Sequence[Browser], back: Callable[[Browser], Awaitable[Line]], program: Program
) -> tuple[float, float]:
    for browser in browsers:
        for line in browser.lines:
            line.vanish()
        browser.lines.clear()
    await asyncio.sleep(0.5)
    before, began = program.processor_time(), time.perf_counter()
    await asyncio.gather(*map(back, browsers))
    return time.perf_counter() - began, program.processor_time() - before


async def burst(room: Room, ask: Callable[[Phone], Awaitable[Answer]]) -> tuple[list[Answer], float, float]:
    """Everybody asks in the same instant; the answers, the seconds until the last one, the server's own seconds."""
    await asyncio.sleep(0.5)  # what the last phase left behind
    before, began = room.program.processor_time(), time.perf_counter()
    answers = await asyncio.gather(*map(ask, room.phones))
    seconds, cpu = time.perf_counter() - began, room.program.processor_time() - before
    refused = Counter(answer.status for answer in answers if answer.status != 200)
    if refused:
        raise RuntimeError(f"answers by status: {dict(refused)}")
    return list(answers), seconds, cpu


def press(room: Room, move: str) -> tuple[list[float], float]:
    """Press the console's button; the seconds until each phone is told, and the server's own."""
    console, form = room.facilitator.console, {"version": room.facilitator.console.version, "move": move}
    headers = {"Cookie": room.facilitator._cookie()["Cookie"], "HX-Request": "true"}
    path, before = f"/f/{console.code}/move", room.program.processor_time()
    request = _post(room.program.port, path, urlencode(form).encode(), headers)
    took, answer = ears.hear(room.lines, room.program.port, request)
    console.version = number(r'data-order="(\d+)\.', answer.decode()) or console.version
    return took, room.program.processor_time() - before


def _post(port: int, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = {
        "Host": f"127.0.0.1:{port}",
        "Origin": f"http://127.0.0.1:{port}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
        **headers,
    }
    return "\r\n".join([f"POST {path} HTTP/1.1", *(f"{n}: {v}" for n, v in lines.items()), "", ""]).encode() + body


async def ceiling(phones: int, rounds: int) -> dict[str, float]:
    """What the load generator reaches against a server that does nothing: requests a second, and lines heard."""
    program = Program(Path(), command=ECHO)
    try:
        program.rest_of_line("It listens.")
        asking = [Phone(program.origin) for _ in range(phones)]
        rates = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            await asyncio.gather(*(phone.post("/bench/empty", FORM, fragment=True) for phone in asking))
            rates.append(phones / (time.perf_counter() - began))
        for phone in asking:
            phone.close()
        return {"requests a second": statistics.median(rates[1:])}
    finally:
        program.kill()


async def growth(phones: int, rounds: int) -> Measured:
    """CPU for a ballot in a new session, and after a hundred rounds of a thousand answers each, in turns.

    Two programs, alike but for the history in their databases, take their bursts in turn."""
    found = Measured(phones)
    with contextlib.ExitStack() as stack:
        rooms = []
        for name in ("new", "old"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            program = Program(folder, command=HOST)
            stack.callback(program.kill)
            room = Room(program, phones)
            await room.fill(folder, 6)
            if name == "old":
                _add_history(folder, room.facilitator.code)
            await room._press("open", [])
            rooms.append((name, room))
        for place in range(rounds + 1):
            for name, room in rooms:
                round_id, choice = room.lines[0].pushes[-1].round_id, CHOICES[place % 5]
                _, _, cpu = await burst(room, lambda phone, r=round_id, c=choice: phone.vote(r, c))  # type: ignore[misc]
                if place:
                    found.note(f"ballot cpu {name}", 1e6 * cpu / phones)
        for _, room in rooms:
            for browser in (*room.phones, room.screen, room.facilitator):
                browser.close()
    return found


def _add_history(folder: Path, code: str) -> None:
    """A hundred counted rounds of this session, as if a thousand people had answered each."""
    counts = json.dumps(dict.fromkeys("12345", EARLIER_VOTES // EARLIER_ROUNDS // 5) | {"DK": 0, "NR": 0})
    with contextlib.closing(sqlite3.connect(folder / "workshop.db", timeout=30)) as database, database:
        workshop, agenda = database.execute(
            "SELECT w.id, a.id FROM workshops w JOIN agenda a ON a.workshop_id = w.id WHERE code = ?"
            " ORDER BY a.position DESC LIMIT 1",
            (code,),
        ).fetchone()
        database.executemany(
            "INSERT INTO rounds (workshop_id, agenda_id, ordinal, number, mode, state, released, ballots_cast, counts)"
            " VALUES (?, ?, ?, ?, 'live', 'counted', 1, ?, ?)",
            [(workshop, agenda, n, n, EARLIER_VOTES // EARLIER_ROUNDS, counts) for n in range(1, EARLIER_ROUNDS + 1)],
        )


async def far_away(phones: int, rounds: int, delay: float) -> Measured:
    """The same over a network of so many seconds' delay one way."""
    found = Measured(phones)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = Program(folder, command=HOST)
        stack.callback(program.kill)
        link = program.link()
        async with Proxy(program.port, Network(delay=delay)) as proxy:
            room = Room(program, phones)
            for browser in (*room.phones, room.screen, room.facilitator):
                browser.origin = proxy.origin
                browser._place = ("127.0.0.1", urlsplit(proxy.origin).port or 0)
            program.link = lambda: link  # type: ignore[method-assign]  # it says so once
            await room.fill(folder, max(rounds, 6))
            for place in range(rounds):
                await room.play("next" if place else "open")
            await room.compare()
            figures = room.figures
            found.sound = figures.sound
            found.note("question to last phone", statistics.median(figures.question_to_last_phone))
            for share in (50, 99):
                found.note(f"answer within 2 s, p{share}", percentile(figures.answered_within_2_s, share))
                found.note(f"answer in one instant, p{share}", percentile(figures.answered_same_instant, share))
            found.note("vote to turnout, p95", percentile(figures.vote_to_turnout, 95))
            found.note("release to chart, median", statistics.median(figures.release_to_chart))
            for browser in (*room.phones, room.screen, room.facilitator):
                browser.close()
    return found


async def beside_a_quiz(phones: int, rounds: int, within: float) -> Measured | None:
    """One vote of everybody within so many seconds, here and on a server that tells everybody of every vote, as live
    quizzes on Node do; None where there is no Node."""
    if not (node := _node()):
        return None
    found = Measured(phones)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = Program(folder, command=HOST)
        stack.callback(program.kill)
        quiz = Rival("quiz", node, phones)
        stack.callback(quiz.stop)
        room = Room(program, phones)
        await room.fill(folder, max(rounds, 6))
        await quiz.fill()
        gc.collect()
        gc.freeze()
        for place in range(rounds):
            await room._press("next" if place else "open", [])
            round_id = room.lines[0].pushes[-1].round_id
            waits = [within * room._chance.random() for _ in range(phones)]

            async def ours(phone: Phone, wait: float, round_id: int = round_id) -> float:
                await asyncio.sleep(wait)
                return (await phone.vote(round_id, "3")).took

            async def theirs(browser: Browser, wait: float) -> float:
                await asyncio.sleep(wait)
                return (await browser.post("/vote", FORM)).took

            for name, lines, votes in (
                ("ours", room.lines, map(ours, room.phones, waits)),
                ("quiz", quiz.lines, map(theirs, quiz.browsers, waits)),
            ):
                heard = sum(len(line.pushes) for line in lines)
                took = await asyncio.gather(*votes)
                await asyncio.sleep(1.0)  # what is still on its way
                found.note(f"answer {name}, p50", 1000 * percentile(took, 50))
                pushed = sum(len(line.pushes) for line in lines) - heard
                found.note(f"messages {name}", phones + pushed)  # an answer to each vote, and what came of others'
        for browser in (*room.phones, room.screen, room.facilitator, *quiz.browsers):
            browser.close()
        gc.unfreeze()
    return found


def _node() -> tuple[str, ...] | None:
    """The command that runs the server on Node; None where Node or its packages are not installed."""
    program = shutil.which("node")
    return (program, "bench/node/server.js") if program and (NODE_FOLDER / "node_modules").is_dir() else None


# --- The table -------------------------------------------------------------------------------------------------------


def exponent(small: Measured, large: Measured, name: str, by: float) -> float | None:
    """How steeply a figure grows when something grows `by` times: 0 not at all, 1 in proportion."""
    first, last = small.median(name), large.median(name)
    return math.log(last / first) / math.log(by) if first and last else None


def table(
    found: Sequence[Measured],
    history: Measured | None,
    away: Measured | None,
    quiz: Measured | None,
    most: dict[str, float],
) -> str:
    """Everything for a person, in Markdown."""
    sizes = [str(each.phones) for each in found]
    lines = [f"The load generator reaches {most['requests a second']:.0f} requests a second against a bare server.", ""]
    lines += [f"| phones | {' | '.join(sizes)} | target |", f"|---|{'---|' * len(sizes)}---|"]

    def row(label: str, cells: Sequence[str], target: str = "") -> None:
        lines.append(f"| {label} | {' | '.join(cells)} | {target} |")

    def ratios(label: str, name: str, to: str, target: str) -> None:
        cells = [each.ratio(name, to) for each in found]
        row(label, ["" if c is None else f"**{c[0]:.2f}** ({c[1]:.2f} to {c[2]:.2f})" for c in cells], target)

    def plain(label: str, name: str, digits: int = 0, target: str = "") -> None:
        cells = [each.rounds.get(name, []) for each in found]
        row(label, [_spread(c, digits) for c in cells], target)

    ratios("ballots a second / empty POSTs a second", "ballot a second", "empty a second", "at least 0.6")
    ratios("CPU of a ballot / of an empty POST", "ballot cpu", "empty cpu", "at most 1.7")
    ratios("last ballot of a burst / last empty POST", "ballot last", "empty last", "at most 1.7")
    ratios("question to last phone / stock", "question to phone, last", "push to last stock", "at most 0.5")
    ratios("question to last phone / Node", "question to phone, last", "push to last node", "1 would be Node's own")
    ratios("CPU of a push / stock", "push cpu", "push cpu stock", "")
    ratios("all back after a drop / Node", "storm", "storm node", "at most 2.5")
    ratios("all back after a drop / stock", "storm", "storm stock", "")
    lines += [
        "",
        f"| colour: medians (least to most) | {' | '.join(sizes)} | target |",
        f"|---|{'---|' * len(sizes)}---|",
    ]
    plain("phones that join and connect a second", "connects a second")
    plain("memory for a phone, KiB", "memory", 0, "at most 60")
    plain("memory for a connection: stock, KiB", "memory stock")
    plain("memory for a connection: Node, KiB", "memory node")
    plain("threads for a phone", "threads", 3, "0")
    for share in ("p50", "p95", "p99", "last"):
        plain(f"question to the phones, {share}, ms", f"question to phone, {share}", 1)
    plain("stock broadcast to last phone, ms", "push to last stock", 1)
    plain("Node broadcast to last phone, ms", "push to last node", 1)
    plain("CPU of a push for a phone, µs (with the move itself)", "push cpu", 1)
    plain("the same: stock, µs", "push cpu stock", 1)
    plain("the same: Node, µs", "push cpu node", 1)
    plain("answer to a ballot, all within 2 s, p50, ms", "answer within 2 s, p50", 1)
    plain("answer to a ballot, all within 2 s, p99, ms", "answer within 2 s, p99", 1, "at most 150")
    plain("answer to a ballot, one instant, p50, ms", "ballot p50")
    plain("answer to a ballot, one instant, p99, ms", "ballot p99")
    plain("answer to a ballot, one instant, last, ms", "ballot last")
    plain("durable ballots a second", "ballot a second")
    plain("empty POSTs a second", "empty a second")
    plain("CPU of a ballot, µs", "ballot cpu")
    plain("CPU of an empty POST, µs", "empty cpu")
    plain("vote to moved turnout, p95, ms", "vote to turnout, p95", 0, "at most 350")
    plain("third change to moved chart, ms", "release to chart, median", 0, "at most 350")
    plain("all back after a drop, s", "storm", 2)
    plain("all back after a drop: stock, s", "storm stock", 2)
    plain("all back after a drop: Node, s", "storm node", 2)
    plain("CPU of coming back, for a phone, µs", "storm cpu")
    plain("messages to a phone for a question", "messages", 1, "2: it opens, it closes")
    plain("bytes to a phone for a question", "bytes")
    row("ballots lost or double, messages because others voted", ["0" if f.sound else "NOT 0" for f in found], "0")
    lines.append("")
    if len(found) > 1:
        small, large = found[0], found[-1]
        by = large.phones / small.phones
        grown = exponent(small, large, "ballot cpu", by)
        pushed = exponent(small, large, "push cpu", by)
        lines.append(
            f"CPU of a ballot grows with phones ({small.phones} to {large.phones}) by the exponent {grown:.2f} (at "
            f"most 0.1); of a push by {1 + (pushed or 0):.2f} (at most 1.05)."
        )
    if history:
        ratio = history.ratio("ballot cpu old", "ballot cpu new")
        assert ratio
        lines.append(
            f"With {EARLIER_VOTES} earlier ballots a ballot costs {ratio[0]:.3f} ({ratio[1]:.2f} to {ratio[2]:.2f}) of "
            f"what it costs without: exponent {math.log(ratio[0]) / math.log(EARLIER_VOTES):.3f} (at most 0.02)."
        )
    if away:
        said = ", ".join(f"{name} {values[0]:.0f} ms" for name, values in away.rounds.items())
        lines.append(f"25 ms away (one way), {away.phones} phones: {said}; {'sound' if away.sound else 'NOT SOUND'}.")
    if quiz:
        ours, theirs = (
            (_spread(quiz.rounds[f"answer {name}, p50"], 0), _spread(quiz.rounds[f"messages {name}"], 0))
            for name in ("ours", "quiz")
        )
        lines.append(
            f"{quiz.phones} phones that vote within {QUIZ_WITHIN:.0f} s, answer to a vote, p50: ours {ours[0]} ms with "
            f"{ours[1]} messages; a server that tells everybody of every vote {theirs[0]} ms with {theirs[1]}."
        )
    return "\n".join(lines)


def _spread(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


async def run(sizes: Sequence[int], rounds: int, quick: bool) -> tuple[str, dict[str, Any], bool]:
    """Everything; the table, the data for JSON, and whether no ballot was lost or doubled."""
    most = await ceiling(max(sizes), rounds)
    found = []
    for phones in sizes:
        print(f"{phones} phones …", file=sys.stderr, flush=True)
        found.append(await measure(phones, rounds))
    history = None if quick else await growth(100, rounds)
    away = None if quick else await far_away(100, rounds, 0.025)
    quiz = None if quick else await beside_a_quiz(500, rounds, QUIZ_WITHIN)
    every = [*found, *([history] if history else []), *([away] if away else [])]
    data = {"generator": most, "sizes": [vars(f) for f in found], "history": history and vars(history)}
    data |= {"far away": away and vars(away), "quiz": quiz and vars(quiz)}
    data |= {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    return table(found, history, away, quiz, most), data, all(f.sound for f in every)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 1 when a ballot was lost or doubled, or a phone heard of another's vote."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--phones", type=int, nargs="+", default=[30, 100, 300, 1000], metavar="N")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one room of 60, in less than a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure here")
    chosen = parser.parse_args(arguments)
    sizes = [60] if chosen.quick else sorted(chosen.phones)
    if min(sizes) < 10 or not 1 <= chosen.rounds <= 20:
        parser.error("at least 10 phones, and 1 to 20 rounds")
    random.seed(1)
    allow_many_sockets(10 * max(sizes) + 500)
    words, data, sound = asyncio.run(run(sizes, chosen.rounds, chosen.quick))
    print(words)
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(data, indent=1) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
