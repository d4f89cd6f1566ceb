"""A room of phones that behave as their page's script does, on a network that may fail, and what must hold at the end.

A phone keeps its line open, coming back with the pauses of the Socket.IO client, and sends an answer again, with the
same `seq`, until the server has taken or refused it. What was acknowledged is remembered here: at the end the program's
counts must be exactly that, and phones, screen and console must show the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from bench.phones import Answer, Browser, Facilitator, Line, Phone, Screen, Turned, socket_path
from bench.proxy import Proxy

CHOICES = ("1", "2", "3", "4", "5", "DK", "NR")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 1.0  # as static/js/live.js asks of the Socket.IO client
SLOW_TIMER = (12.0, 18.0)  # as there
BROKEN = (OSError, TimeoutError, Turned, asyncio.IncompleteReadError)


class Listener:
    """Somebody's line, opened again whenever it ends."""

    def __init__(self, browser: Browser, path: str, chance: random.Random) -> None:
        self.browser, self.path, self._chance = browser, path, chance
        self.html = ""
        self.order = (0, 0)
        self.up = False
        self.comings = 0
        self.torn: list[str] = []

    async def live(self) -> None:
        """Stay connected until cancelled, and ask now and then, as the page does, in case something was missed."""
        asking = asyncio.create_task(self._ask_now_and_then())
        try:
            await self._stay()
        finally:
            asking.cancel()

    async def _ask_now_and_then(self) -> None:
        letter, code = re.search(r"role=(\w)", self.path), re.search(r"r=(\d+)", self.path)
        assert letter and code
        page = f"/{'w' if letter[1] == 'p' else letter[1]}/{code[1]}/now"
        asker = Browser(self.browser.origin)
        asker.cookies = self.browser.cookies
        while True:
            await asyncio.sleep(self._chance.uniform(*SLOW_TIMER))
            with contextlib.suppress(*BROKEN):
                answer = await asker.get(f"{page}?order={self.order[0]}.{self.order[1]}")
                shown = re.search(r'data-order="(\d+)\.(\d+)"', answer.text) if answer.status == 200 else None
                if shown and (order := (int(shown[1]), int(shown[2]))) >= self.order:
                    self.order, self.html = order, answer.text
            asker.hang_up()

    async def _stay(self) -> None:
        attempts = 0
        while True:
            with contextlib.suppress(*BROKEN):
                order = list(self.order) if self.html else None
                line = await self.browser.open_line(self.path, auth={"order": order})
                self.up, attempts = True, 0
                self.comings += 1
                await self._follow(line)
            self.up = False
            for line in self.browser.lines:
                line.vanish()
            self.browser.lines.clear()
            pause = FIRST_PAUSE * 2**attempts * self._chance.uniform(0, 2)
            await asyncio.sleep(min(pause, LONGEST_PAUSE))
            attempts += 1

    async def _follow(self, line: Line) -> None:
        number = 1
        while True:
            heard = asyncio.ensure_future(_heard(line, number))
            done, _ = await asyncio.wait({heard, line.ended}, return_when=asyncio.FIRST_COMPLETED)
            if heard not in done:
                heard.cancel()
                return
            push = heard.result()
            number += 1
            if not re.search(r"</div>\s*$", push.html):
                self.torn.append(push.html[-80:])
            if push.order >= self.order:
                self.order, self.html = push.order, push.html


async def _heard(line: Line, number: int) -> Any:
    while len(line.pushes) < number:
        await asyncio.sleep(0.005)
    return line.pushes[number - 1]


class Voter(Phone):
    """A phone with its listener; `acknowledged`: round -> (seq, choice) that the server said it holds."""

    def __init__(self, origin: str, chance: random.Random) -> None:
        super().__init__(origin)
        self.chance = chance
        self.acknowledged: dict[int, tuple[int, str]] = {}
        self.sendings = 0
        self.ear: Listener

    async def arrives(self, token: str) -> None:
        """Come in; try until the door opens."""
        await self._until(lambda: self.join(token), lambda answer: answer.status == 303)
        self.ear = Listener(self, socket_path(self.code, "p"), self.chance)

    async def answers(self, round_id: int, choice: str) -> int:
        """Send an answer until it is taken or refused; the status."""
        seq = self._seqs.get(round_id, 0) + 1

        async def send() -> Answer:
            self.sendings += 1
            return await self.vote(round_id, choice, seq)

        answer = await self._until(send, lambda answer: answer.status < 500)
        if answer.status == 200:
            held = re.search(r'data-choice="(\w+)" data-seq="(\d+)"', answer.text)
            assert held, answer.text
            self.acknowledged[round_id] = int(held[2]), held[1]
        return answer.status

    async def _until(self, ask: Callable[[], Coroutine[Any, Any, Answer]], met: Callable[[Answer], bool]) -> Answer:
        pause = FIRST_PAUSE
        while True:
            with contextlib.suppress(*BROKEN):
                answer = await ask()
                if met(answer):
                    return answer
            self.hang_up()
            await asyncio.sleep(min(pause, LONGEST_PAUSE) * self.chance.uniform(0.5, 1.5))
            pause *= 2


class Crowd:
    """A session with everybody in it. The console and the screen are on the laptop itself, phones on the network."""

    def __init__(self, desk: str, phones: str, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.facilitator = Facilitator(desk)
        self.screen = Screen(desk)
        self.phones_at = phones
        self.voters: list[Voter] = []
        self.wall: Listener
        self.desk: Listener
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def in_a_room(
        cls, desk: str, link: str, token_of: Callable[[str], str], people: int, phones: str = "", questions: int = 4
    ) -> AsyncIterator[Self]:
        """Set a session up and let people in; everybody listens. desk, phones: where each reaches the program."""
        crowd = cls(desk, phones or desk)
        try:
            await crowd.facilitator.enter(link)
            code = await crowd.facilitator.set_up("Away day", questions)
            await crowd.facilitator.give_screen(crowd.screen)
            token = token_of(code)
            crowd.voters = [Voter(crowd.phones_at, random.Random(n)) for n in range(people)]
            for start in range(0, people, 20):
                await asyncio.gather(*(voter.arrives(token) for voter in crowd.voters[start : start + 20]))
            crowd.wall = Listener(crowd.screen, socket_path(code, "s"), crowd.chance)
            crowd.desk = Listener(crowd.facilitator, socket_path(code, "f"), crowd.chance)
            ears = [*(voter.ear for voter in crowd.voters), crowd.wall, crowd.desk]
            crowd._tasks = [asyncio.create_task(ear.live()) for ear in ears]
            await crowd.until(lambda: all(ear.up for ear in ears), "everybody was connected")
            yield crowd
        finally:
            for task in crowd._tasks:
                task.cancel()
            await asyncio.gather(*crowd._tasks, return_exceptions=True)
            for browser in (*crowd.voters, crowd.screen, crowd.facilitator):
                browser.close()

    async def until(self, met: Callable[[], bool], what: str, patience: float = 30.0) -> float:
        """Wait until it is so; the seconds that took. AssertionError when it takes too long."""
        began = time.monotonic()
        while not met():
            assert time.monotonic() - began < patience, f"it never happened that {what}"
            await asyncio.sleep(0.005)
        return time.monotonic() - began

    async def moves(self, move: str) -> int:
        """Move the session on; the round it is at then."""
        while True:
            with contextlib.suppress(*BROKEN):
                await self.facilitator.look()
                await self.facilitator.move(move)
                break
            self.facilitator.hang_up()
            await asyncio.sleep(0.2)
        await self.everybody_is_right()
        return self.round_id

    @property
    def round_id(self) -> int:
        """The round on the phones."""
        found = re.search(r'data-round="(\d+)"', self.voters[0].ear.html)
        return int(found[1]) if found else 0

    async def everybody_is_right(self, patience: float = 30.0) -> float:
        """Wait until every phone, the screen and the console are connected and show the version that the console
        names; the seconds that took."""
        ears = [*(voter.ear for voter in self.voters), self.wall, self.desk]
        version = self.facilitator.console.version
        return await self.until(
            lambda: all(ear.up and ear.order[0] == version for ear in ears), "everybody was right again", patience
        )

    async def all_answer(self, round_id: int) -> list[int]:
        """Everybody answers once, at the same time; the statuses."""
        return list(
            await asyncio.gather(*(voter.answers(round_id, voter.chance.choice(CHOICES)) for voter in self.voters))
        )

    @contextlib.asynccontextmanager
    async def voting(self, round_id: int, every: float = 0.4) -> AsyncIterator[None]:
        """Everybody changes their mind again and again for as long as the block runs; at its end nothing is unsent."""
        going = True

        async def one(voter: Voter) -> None:
            while going:
                await asyncio.sleep(voter.chance.uniform(0, 2 * every))
                await voter.answers(round_id, voter.chance.choice(CHOICES))

        tasks = [asyncio.create_task(one(voter)) for voter in self.voters]
        try:
            yield
        finally:
            going = False
            await asyncio.wait_for(asyncio.gather(*tasks), 60)

    async def compare(self) -> None:
        """Every acknowledged ballot is in the counts, and no other; screen, console and phones agree."""
        results = await self.facilitator.results()
        rounds = sorted({round_id for voter in self.voters for round_id in voter.acknowledged})
        assert len(results) == len(rounds)
        for round_id, found in zip(rounds, results, strict=True):
            expected = Counter(v.acknowledged[round_id][1] for v in self.voters if round_id in v.acknowledged)
            assert Counter({choice: n for choice, n in found["counts"].items() if n}) == expected
        charts = {chart_in(ear.html) for ear in (*(voter.ear for voter in self.voters), self.wall)}
        assert len(charts) == 1, "phones and screen show different counts"
        assert charts == {tuple(results[-1]["counts"][choice] for choice in CHOICES)}
        assert not [torn for voter in self.voters for torn in voter.ear.torn]


def chart_in(html: str) -> tuple[int, ...]:
    """The counts that a fragment shows."""
    return tuple(map(int, re.findall(r'class="tally__count">(\d+)<', html)))


def token_in(data: Path) -> Callable[[str], str]:
    """How to find the QR code's token of a session in a data folder: pages carry it as a picture only."""

    def token_of(code: str) -> str:
        with contextlib.closing(sqlite3.connect(f"file:{data / 'workshop.db'}?mode=ro", uri=True)) as database:
            token: str = database.execute("SELECT join_token FROM workshops WHERE code = ?", (code,)).fetchone()[0]
            return token

    return token_of


def moved_to(proxy: Proxy, origin: str) -> None:
    """Let a network lead to a program that listens elsewhere now."""
    proxy.port = urlsplit(origin).port or 0


def words_of(answer: Answer) -> str:
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())
