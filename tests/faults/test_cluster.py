"""Several workers behind nginx, with PostgreSQL, Redis and one key file: what one does is seen at the other, and when a
part fails nothing is lost or doubled and everybody is right again within twenty seconds."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hosting.cluster import Cluster
from tests.faults.crowd import Crowd
from tests.postgres import roomy_memory

pytestmark = [pytest.mark.postgres, pytest.mark.timed]
RIGHT_WITHIN = 20.0  # seconds
PEOPLE = 24


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="cluster-", dir=roomy_memory()))
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def whole(cluster: Cluster) -> None:
    """Every test finds every part running."""
    for part in cluster.parts:
        if not part.runs():
            part.start()


def fresh_link(cluster: Cluster) -> str:
    """A one-time link, as `python app.py link` would print it."""
    from facilitation import store, workshop  # here, so that collecting this file needs no database driver

    engine = store.writing_engine(cluster.database_url)
    try:
        with store.transaction(engine) as session:
            return "/enter/" + workshop.grant(session, "link")
    finally:
        engine.dispose()


def token_in(cluster: Cluster, code: str) -> str:
    with psycopg.connect(cluster.database_url) as line:
        found = line.execute("SELECT join_token FROM workshops WHERE code = %s", [code]).fetchone()
    assert found is not None
    return str(found[0])


def a_room(cluster: Cluster, desk: str = "", phones: str = "", people: int = PEOPLE):  # type: ignore[no-untyped-def]
    """People in a session; desk and phones through nginx, or at a worker of their own."""
    return Crowd.in_a_room(
        desk or cluster.origin, fresh_link(cluster), lambda code: token_in(cluster, code), people, phones=phones
    )


def ballots_left(cluster: Cluster) -> int:
    with psycopg.connect(cluster.database_url) as line:
        (left,) = line.execute("SELECT count(*) FROM ballots").fetchone() or (0,)
    return int(left)


def test_a_whole_session_by_way_of_nginx(cluster: Cluster) -> None:
    async def play() -> None:
        async with a_room(cluster) as crowd:
            for move in ("open", "next"):
                assert set(await crowd.all_answer(await crowd.moves(move))) == {200}
                await crowd.moves("close")
            await crowd.compare()

    asyncio.run(play())
    assert ballots_left(cluster) == 0


def test_everybody_of_one_session_is_sent_to_the_same_worker(cluster: Cluster) -> None:
    async def play() -> None:
        async with a_room(cluster, people=8) as crowd:
            console = (await crowd.facilitator.get(f"/f/{crowd.facilitator.code}")).text
            assert "8 connected" in " ".join(console.split()) or ">8<" in console

    asyncio.run(play())


def test_a_vote_at_one_worker_moves_the_screen_at_the_other(cluster: Cluster) -> None:
    async def play() -> None:
        desk, phones = cluster.worker_origin(1), cluster.worker_origin(0)
        async with a_room(cluster, desk, phones) as crowd:
            round_id = await crowd.moves("open")
            assert set(await crowd.all_answer(round_id)) == {200}
            await crowd.until(
                lambda: f"<b>{PEOPLE}</b>" in crowd.wall.html, "the screen counted them all", RIGHT_WITHIN
            )
            await crowd.moves("close")
            await crowd.compare()

    asyncio.run(play())


def test_a_worker_that_is_killed_in_mid_vote_loses_nothing(cluster: Cluster) -> None:
    async def play() -> None:
        async with a_room(cluster) as crowd:
            round_id = await crowd.moves("open")
            for victim in cluster.workers:
                async with crowd.voting(round_id):
                    await asyncio.sleep(0.6)
                    victim.kill()
                    assert await crowd.everybody_is_right(RIGHT_WITHIN) < RIGHT_WITHIN
                    await asyncio.to_thread(victim.start)
                    await asyncio.sleep(2.2)  # nginx tries it again
            await crowd.moves("close")
            await crowd.compare()

    asyncio.run(play())
    assert ballots_left(cluster) == 0


@pytest.mark.parametrize("seconds", [3.0, pytest.param(30.0, marks=pytest.mark.long)])
def test_redis_away_and_back_costs_no_vote_and_screens_are_right_again(cluster: Cluster, seconds: float) -> None:
    """The screen is at the other worker, which is told by Redis only: without it the page's own slow timer asks."""

    async def play() -> None:
        desk, phones = cluster.worker_origin(1), cluster.worker_origin(0)
        async with a_room(cluster, desk, phones) as crowd:
            round_id = await crowd.moves("open")
            cluster.redis.kill()
            async with crowd.voting(round_id):
                await asyncio.sleep(seconds)
            asked = await crowd.screen.get(f"/s/{crowd.facilitator.code}/now")
            assert f"<b>{PEOPLE}</b>" in asked.text, "who asks is told, without Redis"
            cluster.redis.start()
            began = time.monotonic()
            while time.monotonic() - began < RIGHT_WITHIN:
                assert set(await crowd.all_answer(round_id)) == {200}
                if f"<b>{PEOPLE}</b>" in crowd.wall.html:
                    break
                await asyncio.sleep(1)
            assert f"<b>{PEOPLE}</b>" in crowd.wall.html
            await crowd.moves("close")
            await crowd.compare()

    asyncio.run(play())


def test_postgresql_restarted_in_mid_vote_loses_and_doubles_nothing(cluster: Cluster) -> None:
    async def play() -> None:
        async with a_room(cluster) as crowd:
            round_id = await crowd.moves("open")
            async with crowd.voting(round_id):
                await asyncio.sleep(0.6)
                await asyncio.to_thread(cluster.postgres.stop)
                await asyncio.sleep(1)
                await asyncio.to_thread(cluster.postgres.start)
                assert await crowd.everybody_is_right(RIGHT_WITHIN) < RIGHT_WITHIN
            await crowd.moves("close")
            await crowd.compare()

    asyncio.run(play())
    assert ballots_left(cluster) == 0


def test_what_has_ended_is_started_again(cluster: Cluster) -> None:
    stop = threading.Event()
    watching = threading.Thread(target=cluster.watch, args=[stop])
    watching.start()
    try:
        before = cluster.workers[0].process
        cluster.workers[0].kill()
        deadline = time.monotonic() + RIGHT_WITHIN
        while cluster.workers[0].process is before and time.monotonic() < deadline:
            stop.wait(0.05)
        assert cluster.workers[0].process is not before
    finally:
        stop.set()
        watching.join()
    assert cluster.workers[0].runs()
