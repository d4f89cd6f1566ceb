"""The server dies, the network fails, the clock jumps, the address changes, somebody holds the database: every
acknowledged ballot is counted and no other, and everybody soon shows the same."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.phones import Phone
from bench.program import running as real_program
from bench.proxy import Network, Proxy
from tests.faults.crowd import CHOICES, Crowd, moved_to, token_in, words_of
from tests.faults.room import Nursery, Program, running

pytestmark = pytest.mark.timed

HERE = Path(__file__).parent
BACK_WITHIN = 3.0  # seconds after the server listens again
SLACK = 3.0  # times as long is forgiven a machine that is busy with other tests


@contextlib.asynccontextmanager
async def a_room(program: Program, people: int, network: Network | None = None) -> AsyncIterator[tuple[Crowd, Proxy]]:
    """People in a session of this program, whose phones reach it over a network that can fail."""
    async with Proxy(program.port, network or Network()) as proxy:
        link, token = program.link(), token_in(program.data)
        async with Crowd.in_a_room(program.origin, link, token, people, phones=proxy.origin) as crowd:
            yield crowd, proxy


# --- The server is killed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kills", "people"),
    [(3, 30), pytest.param(10, 100, marks=pytest.mark.long), pytest.param(200, 300, marks=pytest.mark.long)],
)
def test_a_server_that_is_killed_while_everybody_votes_loses_and_doubles_nothing(
    nursery: Nursery, data: Path, kills: int, people: int
) -> None:
    async def play() -> list[float]:
        took = []
        with contextlib.ExitStack() as stack:
            program = stack.enter_context(running(nursery, data))
            async with Proxy(program.port) as proxy:
                link = program.link()
                room = Crowd.in_a_room(proxy.origin, link, token_in(data), people, phones=proxy.origin)
                async with room as crowd:
                    round_id = await crowd.moves("open")
                    for number in range(kills):
                        async with crowd.voting(round_id):
                            await asyncio.sleep(crowd.chance.uniform(0.2, 0.8))
                            program.kill()
                            proxy.cut()
                            program = stack.enter_context(running(nursery, data))
                            await asyncio.to_thread(program.link)
                            moved_to(proxy, program.origin)
                            took.append(await crowd.everybody_is_right())
                        if number % 20 == 19 and number + 1 < kills:
                            await crowd.moves("close")
                            round_id = await crowd.moves("revote")
                    await crowd.moves("close")
                    await crowd.compare()
                    assert sum(voter.ear.comings for voter in crowd.voters) >= people * (kills + 1)
        return took

    took = asyncio.run(play())
    print(f"{kills} kills, {people} phones: back after {sorted(took)[len(took) // 2]:.2f} s, at most {max(took):.2f} s")
    assert max(took) < BACK_WITHIN * SLACK


# --- The network fails -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [False, True], ids=["silent", "cut"])
@pytest.mark.parametrize(("people", "seconds"), [(30, 1.0), pytest.param(300, 10.0, marks=pytest.mark.long)])
def test_phones_whose_network_drops_and_returns_are_right_again_and_their_answers_are_counted(
    nursery: Nursery, data: Path, people: int, seconds: float, cut: bool
) -> None:
    async def play() -> float:
        with running(nursery, data) as program:
            async with a_room(program, people) as (crowd, proxy):
                round_id = await crowd.moves("open")
                async with crowd.voting(round_id):
                    await asyncio.sleep(0.5)
                    proxy.falls_silent()
                    await asyncio.sleep(seconds)
                    comings = [voter.ear.comings for voter in crowd.voters]
                    began = time.monotonic()
                    if cut:
                        proxy.cut()
                    proxy.returns()
                    for voter, before in zip(crowd.voters, comings, strict=True):
                        await crowd.until(lambda v=voter, b=before: v.ear.comings > b - (not cut), "it came back")  # type: ignore[misc]
                    await crowd.everybody_is_right()
                    took = time.monotonic() - began
                await crowd.moves("close")
                await crowd.compare()
                return took

    took = asyncio.run(play())
    print(f"{people} phones without a network for {seconds} s: right again after {took:.2f} s")
    assert took < BACK_WITHIN * SLACK


def test_a_room_that_moves_on_while_its_phones_are_away_tells_them_when_they_return(
    nursery: Nursery, data: Path
) -> None:
    async def play() -> None:
        with running(nursery, data) as program:
            async with a_room(program, 12) as (crowd, proxy):
                first = await crowd.moves("open")
                assert set(await crowd.all_answer(first)) == {200}
                proxy.falls_silent()
                late = asyncio.create_task(crowd.voters[0].answers(first, "1"))
                for move in ("close", "next"):
                    await crowd.facilitator.look()
                    await crowd.facilitator.move(move)
                proxy.returns()
                await crowd.everybody_is_right()
                assert await late == 422, "the vote had closed, and the phone is told so"
                assert crowd.round_id > first
                assert set(await crowd.all_answer(crowd.round_id)) == {200}
                await crowd.moves("close")
                await crowd.compare()

    asyncio.run(play())


def test_a_network_that_loses_every_tenth_piece_and_is_slow_loses_no_ballot(nursery: Nursery, data: Path) -> None:
    async def play() -> None:
        with running(nursery, data) as program:
            async with a_room(program, 20, Network(delay=0.2, loss=0.1)) as (crowd, _):
                for move in ("open", "next"):
                    round_id = await crowd.moves(move)
                    for _ in range(2):
                        assert set(await crowd.all_answer(round_id)) == {200}
                    await crowd.moves("close")
                await crowd.compare()

    asyncio.run(play())


# --- Somebody else holds the database --------------------------------------------------------------------------------


def test_a_database_that_another_process_holds_is_waited_for_and_then_said_so(nursery: Nursery, data: Path) -> None:
    """A backup or a virus scanner: longer than the program waits, so phones are told, and try again by themselves."""

    async def play() -> None:
        with running(nursery, data) as program:
            async with a_room(program, 12) as (crowd, _):
                round_id = await crowd.moves("open")
                holder = sqlite3.connect(data / "workshop.db", isolation_level=None)
                holder.execute("BEGIN IMMEDIATE")
                answering = asyncio.create_task(crowd.all_answer(round_id))
                impatient = Phone(crowd.phones_at)
                impatient.cookies, impatient.code = dict(crowd.voters[0].cookies), crowd.voters[0].code
                assert (await impatient.get(f"/w/{impatient.code}")).status == 200, "reading goes on"
                said = await impatient.vote(round_id, "1", seq=2)
                assert said.status == 503 and "try again" in words_of(said)
                assert not any(voter.acknowledged for voter in crowd.voters)
                holder.execute("ROLLBACK")
                holder.close()
                assert set(await answering) == {200}
                await crowd.moves("close")
                await crowd.compare()
                impatient.close()

    asyncio.run(play())


# --- The clock jumps -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that puts the wall clock of a process forward or back by what a file says."""
    made = tmp_path_factory.mktemp("clock") / "clock.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.fail("This test needs Linux and a C compiler.", pytrace=False)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, HERE / "clock.c", "-ldl"], check=True)
    return made


def test_a_clock_that_jumps_changes_nothing(wrong_clock: Path, tmp_path: Path) -> None:
    data, offset = tmp_path / "data", tmp_path / "offset"
    offset.write_text("0")
    settings = {"LD_PRELOAD": str(wrong_clock), "CLOCK_OFFSET": str(offset)}

    async def play() -> None:
        with real_program(data, settings=settings) as program:
            async with Crowd.in_a_room(program.origin, program.link(), token_in(data), 12) as crowd:
                comings = [voter.ear.comings for voter in crowd.voters]
                for move, days in (("open", 1), ("next", -2), ("next", 3650)):
                    round_id = await crowd.moves(move)
                    await crowd.all_answer(round_id)
                    offset.write_text(str(days * 86_400))
                    await asyncio.sleep(1.2)  # a heartbeat
                    assert set(await crowd.all_answer(round_id)) == {200}
                    await crowd.moves("close")
                await crowd.compare()
                assert [voter.ear.comings for voter in crowd.voters] == comings, "nobody was thrown out"

    asyncio.run(play())


# --- The laptop changes its address ----------------------------------------------------------------------------------

WITH_ADDRESS_FROM_A_FILE = """
from gevent import monkey
monkey.patch_all()
import pathlib, sys
import app
from facilitation import network
network.lan_addresses = lambda: pathlib.Path({path!r}).read_text().split()
sys.exit(app.main([]))
"""


def test_a_laptop_that_wakes_with_another_address_goes_on_and_shows_it(tmp_path: Path) -> None:
    """An address is what stands in Host and in the QR code; that packets find the way is the network's business."""
    data, address = tmp_path / "data", tmp_path / "address"
    address.write_text("192.0.2.7")
    command = (sys.executable, "-c", WITH_ADDRESS_FROM_A_FILE.format(path=str(address)))

    async def play() -> None:
        with real_program(data, settings={"HOST": "0.0.0.0"}, command=command) as program:
            async with Crowd.in_a_room(program.origin, program.link(), token_in(data), 6) as crowd:
                round_id = await crowd.moves("open")
                await crowd.all_answer(round_id)
                port, code = program.port, crowd.facilitator.code
                assert f"192.0.2.7:{port}" in crowd.wall.html
                address.write_text("198.51.100.9")
                late = Phone(f"http://198.51.100.9:{port}")
                late._place = ("127.0.0.1", port)

                async def shown() -> None:
                    while f"198.51.100.9:{port}" not in (await crowd.screen.get(f"/s/{code}/now")).text:
                        await asyncio.sleep(0.1)

                await asyncio.wait_for(shown(), 15)
                token = token_in(data)(code)
                async with asyncio.timeout(15):
                    while (joined := await late.get(f"/j/{token}")).status == 421:
                        await asyncio.sleep(0.1)
                late._let_in(joined)
                assert (await late.vote(round_id, "5")).status == 200
                assert set(await crowd.all_answer(round_id)) == {200}, "those who are in notice nothing"
                await crowd.moves("close")
                counts = (await crowd.facilitator.results())[0]["counts"]
                assert sum(counts.values()) == 7
                assert re.search("tally", crowd.wall.html) and set(counts) == set(CHOICES)
                late.close()

    asyncio.run(play())
