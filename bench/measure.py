"""What people feel, measured on the real program: `python -m bench.measure --phones 300 --rounds 5`.

It starts the program as a process with an empty data folder, sets a session up through the web forms, lets phones, a
shared screen and a console join as browsers do, and plays questions. In each round:

1. the question is opened: how long until the last phone has it, from the press of the button;
2. everybody answers within two seconds: how long until each is answered, and until the screen's turnout counts it;
3. three people change their minds once the chart has rested: how long until the chart shows it. Three changes are what
   the release rule asks for, so this is the time from the release to the picture;
4. everybody changes their mind in the same instant: how long until each is answered;
5. voting is closed: how long until the last phone has the result.

Phones must hear nothing between 1 and 5, and the counts must be those of the answers that were acknowledged.
All runs over loopback, with the load generator on the same machine: read the figures as proportions of one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import random
import sqlite3
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench.phones import Answer, Facilitator, Line, Phone, Screen
from bench.program import Program, running

CHOICES = ("1", "2", "3", "4", "5", "DK", "NR")
WITHIN = 2.0  # seconds in which the room answers
RESTED = 1.2  # seconds: a picture is at least 1 s old before the next
AT_ONCE = 40  # phones that join at the same time
Result = TypeVar("Result")


@dataclass
class Figures:
    """Everything measured in one run; milliseconds unless the name says otherwise."""

    phones: int
    question_to_last_phone: list[float] = field(default_factory=list)
    result_to_last_phone: list[float] = field(default_factory=list)
    answered_within_2_s: list[float] = field(default_factory=list)
    answered_same_instant: list[float] = field(default_factory=list)
    vote_to_turnout: list[float] = field(default_factory=list)
    release_to_chart: list[float] = field(default_factory=list)
    processor_ms_per_ballot: list[float] = field(default_factory=list)
    memory_kib_per_phone: float | None = None
    messages_because_others_voted: int = 0
    ballots_acknowledged: int = 0
    ballots_lost: int = 0
    ballots_double: int = 0
    joined_per_second: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether no ballot was lost or doubled, and no phone was told of another's vote."""
        return not (self.ballots_lost or self.ballots_double or self.messages_because_others_voted)

    def table(self) -> str:
        """The figures for a person."""
        lines = [f"{self.phones} phones, one screen, one console", ""]
        lines += [f"{'milliseconds':44}{'median':>9}{'p95':>9}{'p99':>9}{'most':>9}{'of':>7}"]
        for name, values in (
            ("question pushed to the last phone", self.question_to_last_phone),
            ("result pushed to the last phone", self.result_to_last_phone),
            (f"answer to a vote, all within {WITHIN:.0f} s", self.answered_within_2_s),
            ("answer to a vote, all in the same instant", self.answered_same_instant),
            ("vote to the turnout on the screen", self.vote_to_turnout),
            ("third change to the chart on the screen", self.release_to_chart),
            ("server's processor time for a ballot", self.processor_ms_per_ballot),
        ):
            if values:
                shown = (statistics.median(values), percentile(values, 95), percentile(values, 99), max(values))
                lines.append(f"{name:44}" + "".join(f"{value:9.1f}" for value in shown) + f"{len(values):7}")
        memory = "not known here" if self.memory_kib_per_phone is None else f"{self.memory_kib_per_phone:.0f} KiB"
        lines += [
            "",
            f"phones that joined and connected a second     {self.joined_per_second:.0f}",
            f"memory for a phone                            {memory}",
            f"messages to phones because others voted       {self.messages_because_others_voted} (must be 0)",
            f"ballots lost, double                          {self.ballots_lost}, {self.ballots_double} (must be 0, 0)"
            f" of {self.ballots_acknowledged} that count",
        ]
        return "\n".join(lines)


class Room:
    """A session with everybody in it."""

    def __init__(self, program: Program, phones: int) -> None:
        self.program = program
        self.facilitator = Facilitator(program.origin)
        self.screen = Screen(program.origin)
        self.phones = [Phone(program.origin) for _ in range(phones)]
        self.figures = Figures(phones)
        self.lines: list[Line] = []
        self.wall: Line
        self.expected: list[Counter[str]] = []  # of each round, what was acknowledged last to each phone
        self._chance = random.Random(1)

    async def fill(self, data: Path, questions: int) -> None:
        """Set the session up and let everybody in. Memory is taken from the second half of the phones, so that what
        the first ones load for all is not counted as theirs."""
        await self.facilitator.enter(self.program.link())
        code = await self.facilitator.set_up("How are we doing?", questions)
        await self.facilitator.give_screen(self.screen)
        self.wall = await self.screen.listen(code)
        await self.facilitator.listen()
        token = join_token(data, code)
        loop = asyncio.get_running_loop()
        half, began = len(self.phones) // 2, loop.time()
        self.lines = await few_at_a_time(_come_in(phone, token) for phone in self.phones[:half])
        before = self.program.memory()
        self.lines += await few_at_a_time(_come_in(phone, token) for phone in self.phones[half:])
        self.figures.joined_per_second = len(self.phones) / (loop.time() - began)
        after = self.program.memory()
        if before is not None and after is not None:
            self.figures.memory_kib_per_phone = (after - before) / (len(self.phones) - half)

    async def play(self, move: str) -> None:
        """One round, as the module says."""
        opened = await self._press(move, self.figures.question_to_last_phone)
        round_id = opened[0]
        heard = sum(len(line.pushes) for line in self.lines)
        choices = [self._chance.choice(CHOICES) for _ in self.phones]
        await self._answer_within(round_id, choices)
        await self._change_three(round_id, choices)
        await self._change_all(round_id, choices)
        self.figures.messages_because_others_voted += sum(len(line.pushes) for line in self.lines) - heard
        self.expected.append(Counter(choices))
        await self._press("close", self.figures.result_to_last_phone)

    async def compare(self) -> None:
        """Hold the program's counts against what it acknowledged."""
        rounds = await self.facilitator.results()
        assert len(rounds) == len(self.expected), "a round is missing"
        for round_, expected in zip(rounds, self.expected, strict=True):
            counted = Counter({choice: n for choice, n in (round_["counts"] or {}).items() if n})
            self.figures.ballots_acknowledged += expected.total()
            self.figures.ballots_lost += (expected - counted).total()
            self.figures.ballots_double += (counted - expected).total()

    async def _press(self, move: str, figures: list[float]) -> list[int]:
        """Press the button; the time until the last phone shows it, and which round each of them shows."""
        numbers = [len(line.pushes) + 1 for line in self.lines]
        answer, pushes = await asyncio.gather(
            self.facilitator.move(move),
            asyncio.gather(*(line.heard(n) for line, n in zip(self.lines, numbers, strict=True))),
        )
        figures.append(1000 * (max(push.at for push in pushes) - answer.sent))
        return [push.round_id for push in pushes]

    async def _answer_within(self, round_id: int, choices: Sequence[str]) -> None:
        shown = len(self.wall.pushes)
        waits = [self._chance.uniform(0, WITHIN) for _ in choices]
        answers = await asyncio.gather(
            *(
                _later(wait, phone.vote(round_id, choice))
                for phone, choice, wait in zip(self.phones, choices, waits, strict=True)
            )
        )
        self.figures.answered_within_2_s += _took(answers)
        # The screen says a number, not whose: the nth answer is held against the first turnout of n or more.
        for place, answer in enumerate(sorted(answers, key=lambda answer: answer.received), start=1):
            while (self.wall.pushes[shown].answered or 0) < place if shown < len(self.wall.pushes) else True:
                shown += 1
                await self.wall.heard(shown + 1)
            self.figures.vote_to_turnout.append(1000 * (self.wall.pushes[shown].at - answer.sent))

    async def _change_three(self, round_id: int, choices: list[str]) -> None:
        """Three change their minds; how long until the chart says so.

        The rule's own wait is not the program's: a picture must be a second old before the next may come, so this
        begins only once the chart that has everybody's answer in it has rested."""
        while sum((await self.wall.heard(len(self.wall.pushes))).chart or ()) < len(choices):
            await self.wall.heard(len(self.wall.pushes) + 1)
        await asyncio.sleep(RESTED)
        shown = len(self.wall.pushes)
        for place in range(min(3, len(choices))):
            choices[place] = self._another(choices[place])
        answers = await asyncio.gather(
            *(phone.vote(round_id, choice) for phone, choice in zip(self.phones[:3], choices[:3], strict=True))
        )
        wanted = tuple(choices.count(choice) for choice in CHOICES)
        while (pushed := await self.wall.heard(shown + 1)).chart != wanted:
            shown += 1
        self.figures.release_to_chart.append(1000 * (pushed.at - max(answer.sent for answer in answers)))

    async def _change_all(self, round_id: int, choices: list[str]) -> None:
        choices[:] = [self._another(choice) for choice in choices]
        before = self.program.processor_time()
        answers = await asyncio.gather(
            *(phone.vote(round_id, choice) for phone, choice in zip(self.phones, choices, strict=True))
        )
        after = self.program.processor_time()
        self.figures.answered_same_instant += _took(answers)
        if before is not None and after is not None:
            self.figures.processor_ms_per_ballot.append(1000 * (after - before) / len(choices))

    def _another(self, choice: str) -> str:
        return self._chance.choice([other for other in CHOICES if other != choice])


async def measure(phones: int, rounds: int) -> Figures:
    """One run. phones: at least 10. RuntimeError or Turned when the program does not do what it should."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as program:
        room = Room(program, phones)
        try:
            await room.fill(Path(folder), max(rounds, 6))
            gc.freeze()  # the load generator's own pauses would be taken for the server's
            for number in range(rounds):
                await room.play("next" if number else "open")
            await room.compare()
        finally:
            for browser in (*room.phones, room.screen, room.facilitator):
                browser.close()
        return room.figures


def join_token(data: Path, code: str) -> str:
    """The token in the QR code of a session, read from the database because pages carry it as a picture only."""
    with contextlib.closing(sqlite3.connect(f"file:{data / 'workshop.db'}?mode=ro", uri=True)) as database:
        token: str = database.execute("SELECT join_token FROM workshops WHERE code = ?", (code,)).fetchone()[0]
        return token


async def few_at_a_time(work: Iterable[Awaitable[Result]], most: int = AT_ONCE) -> list[Result]:
    """The results of all, in order, with at most so many under way."""
    gate = asyncio.Semaphore(most)

    async def one(item: Awaitable[Result]) -> Result:
        async with gate:
            return await item

    return list(await asyncio.gather(*map(one, work)))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` percent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * len(ordered)) // 100) - 1)]


def allow_many_sockets(wanted: int) -> None:
    """Raise this process's limit on open files, which the program inherits, as far as the system lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == -1 else min(wanted, hard), hard))


async def _come_in(phone: Phone, token: str) -> Line:
    """Scan, load the page, open the line; it has come in once it was told the present state."""
    await phone.join(token)
    await phone.get(f"/w/{phone.code}")
    line = await phone.listen()
    await line.heard(1)
    return line


async def _later(seconds: float, work: Awaitable[Result]) -> Result:
    await asyncio.sleep(seconds)
    return await work


def _took(answers: Iterable[Answer]) -> list[float]:
    refused = Counter(answer.status for answer in answers if answer.status != 200)
    if refused:
        raise RuntimeError(f"ballots were refused, by status: {dict(refused)}")
    return [1000 * answer.took for answer in answers]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 1 when a ballot was lost or doubled, or a phone heard of another's vote."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure", description="Measure the running program.")
    parser.add_argument("--phones", type=int, default=100, metavar="N")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure here")
    chosen = parser.parse_args(arguments)
    if chosen.phones < 10 or not 1 <= chosen.rounds <= 20:
        parser.error("at least 10 phones, and 1 to 20 rounds")
    allow_many_sockets(4 * chosen.phones + 200)
    figures = asyncio.run(measure(chosen.phones, chosen.rounds))
    print(figures.table())
    if chosen.json:
        data: dict[str, Any] = {**vars(figures), "sound": figures.sound}
        chosen.json.write_text(json.dumps(data, indent=1) + "\n")
    return 0 if figures.sound else 1


if __name__ == "__main__":
    sys.exit(main())
