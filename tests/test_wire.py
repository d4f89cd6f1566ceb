"""The live line, byte by byte: who gets one, what may be said on it, and that frames stay whole."""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import gevent.socket
import pytest
from engineio.async_drivers import gevent as driver
from socketio.packet import CONNECT, DISCONNECT

from bench.measure import join_token
from bench.phones import PATIENCE, Browser, Facilitator, Line, Phone, Screen, Turned, socket_path
from bench.program import Program, running
from facilitation import wire

MOVES = 25
TEXT, CONTINUED = 1, 0


class House:
    """A running program with one session of many questions, its facilitator's cookies and its QR token."""

    def __init__(self, program: Program, data: Path) -> None:
        self.program = program
        self.origin = program.origin
        self.cookies: dict[str, str] = {}

        async def set_up() -> str:
            async with Facilitator(self.origin) as facilitator:
                await facilitator.enter(program.link())
                code = await facilitator.set_up("How are we doing?", 54)
                self.cookies = facilitator.cookies
                return code

        self.code = asyncio.run(set_up())
        self.token = join_token(data, self.code)

    @contextlib.asynccontextmanager
    async def phone(self) -> AsyncIterator[Phone]:
        async with Phone(self.origin) as phone:
            await phone.join(self.token)
            yield phone

    @contextlib.asynccontextmanager
    async def facilitator(self) -> AsyncIterator[Facilitator]:
        async with Facilitator(self.origin) as facilitator:
            facilitator.cookies = dict(self.cookies)
            facilitator.console.code = self.code
            await facilitator.look()
            yield facilitator


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("data")
    with running(data) as program:
        yield House(program, data)


async def end_of(line: Line) -> str:
    async with asyncio.timeout(PATIENCE):
        return await line.ended


# --- Who gets a line -------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1"])
def test_a_line_that_is_not_asked_for_by_our_own_page_is_refused(house: House, origin: str | None) -> None:
    async def ask() -> int:
        async with house.phone() as phone:
            with pytest.raises(Turned) as refused:
                await phone.open_line(socket_path(house.code, "p"), headers={"Origin": origin})
            return refused.value.status

    assert asyncio.run(ask()) == 403


@pytest.mark.process
@pytest.mark.parametrize("host", ["evil.example", "rebound.example:8000", ""])
def test_a_line_asked_for_under_a_name_that_is_not_ours_is_refused(house: House, host: str) -> None:
    async def ask() -> int:
        async with house.phone() as phone:
            with pytest.raises(Turned) as refused:
                headers = {"Host": host, "Origin": f"http://{host}"}
                await phone.open_line(socket_path(house.code, "p"), headers=headers)
            return refused.value.status

    assert asyncio.run(ask()) == 421


@pytest.mark.process
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_what_a_page_of_ours_would_never_ask_for_without_an_origin_is_refused(house: House, transport: str) -> None:
    async def ask() -> int:
        async with Browser(house.origin) as browser:
            path = f"/socket.io/?r={house.code}&role=p&EIO=4&transport={transport}"
            return (await browser.request("POST", path, b"40", {})).status

    assert asyncio.run(ask()) == 403


@pytest.mark.process
@pytest.mark.parametrize(("role", "status"), [("p", 403), ("s", 403), ("f", 403), ("x", 400), ("", 400)])
def test_a_stranger_is_told_nothing_on_any_line(house: House, role: str, status: int) -> None:
    async def ask() -> int:
        async with Browser(house.origin) as stranger:
            with pytest.raises(Turned) as refused:
                await stranger.open_line(socket_path(house.code, role))
            assert not any(line.pushes for line in stranger.lines)
            return refused.value.status

    assert asyncio.run(ask()) == status


@pytest.mark.process
@pytest.mark.parametrize("role", ["p", "s", "f"])
def test_an_invented_cookie_gets_a_line_on_which_nothing_is_told(house: House, role: str) -> None:
    async def ask() -> None:
        async with Browser(house.origin) as stranger:
            stranger.cookies[f"{role}_1"] = "invented"
            with pytest.raises(Turned, match="the socket was refused"):
                await stranger.open_line(socket_path(house.code, role))
            assert not any(line.pushes for line in stranger.lines)

    asyncio.run(ask())


@pytest.mark.process
@pytest.mark.parametrize("role", ["s", "f"])
def test_a_phone_cannot_listen_as_the_screen_or_the_facilitator(house: House, role: str) -> None:
    async def ask() -> None:
        async with house.phone() as phone:
            with pytest.raises(Turned, match="answered with 403"):
                await phone.open_line(socket_path(house.code, role))

    asyncio.run(ask())


@pytest.mark.process
def test_a_phone_of_one_session_hears_nothing_of_another(house: House) -> None:
    async def ask() -> None:
        async with house.phone() as phone, house.facilitator() as facilitator:
            other = await facilitator.set_up("Another", 1)
            with pytest.raises(Turned, match="the socket was refused"):
                await phone.open_line(socket_path(other, "p"))

    asyncio.run(ask())


@pytest.mark.process
def test_compression_is_not_agreed_to_however_much_a_browser_would_like_it(house: House) -> None:
    async def ask() -> Line:
        async with house.phone() as phone:
            return await phone.listen()

    assert "sec-websocket-extensions" not in asyncio.run(ask()).headers


# --- What may be said on it ------------------------------------------------------------------------------------------


@pytest.mark.process
def test_a_message_larger_than_any_page_sends_ends_the_line(house: House) -> None:
    async def say(whole: bool) -> str:
        async with house.phone() as rude:
            line = await rude.open_line(socket_path(house.code, "p"), socket_io=False)
            if whole:
                line.send("4" + "x" * 200_000)
            else:
                for _ in range(20):
                    line.send_frame(CONTINUED if line.transport.get_write_buffer_size() else TEXT, b"4" * 10_000, False)
            return await end_of(line)

    assert asyncio.run(say(whole=True)) == "the server closed with 1009"
    # what is still unread when the server hangs up can make the system say so in its own way
    assert asyncio.run(say(whole=False)).startswith(("the server closed with 10", "[Errno"))


@pytest.mark.process
def test_a_frame_without_end_costs_no_memory(house: House) -> None:
    """Somebody announces 100 MB and sends as much as is taken."""

    async def pour() -> None:
        async with house.phone() as rude:
            line = await rude.open_line(socket_path(house.code, "p"), socket_io=False)
            before = house.program.memory()
            line.transport.write(struct.pack(">BBQ", 0x81, 0x80 | 127, 100_000_000) + b"\0\0\0\0")
            for _ in range(400):
                line.transport.write(b"x" * 50_000)
                if line.ended.done():
                    break
                await asyncio.sleep(0)
            await end_of(line)
            after = house.program.memory()
            if before is not None and after is not None:
                assert after - before < 4 * 1024

    asyncio.run(pour())


@pytest.mark.process
@pytest.mark.parametrize(
    "packet",
    [
        '451-["now",{"_placeholder":true,"num":0}]',
        '461-1["x"]',
        b"\0\1\2",
        '42["cast",{"choice":"5"}]',
        "43",
        "2",
        "hello",
        "",
    ],
)
def test_whoever_says_what_no_page_says_is_shown_out_and_the_others_notice_nothing(
    house: House, packet: str | bytes
) -> None:
    async def say() -> None:
        said = house.program.said
        async with house.phone() as rude, house.phone() as kind, house.facilitator() as facilitator:
            line, other = await rude.listen(), await kind.listen()
            await line.heard(1)
            line.send(packet)
            assert await end_of(line) == "the server closed with 1000"
            await other.heard(1)
            await facilitator.move("goto", facilitator.console.agenda[0])
            assert (await other.heard(2)).round_id
            again = await rude.listen()
            assert (await again.heard(1)).html == other.pushes[1].html
        assert house.program.said == said

    asyncio.run(say())


# --- Frames stay whole -----------------------------------------------------------------------------------------------


@pytest.mark.process
def test_a_reader_that_stalls_gets_every_message_whole_and_keeps_nobody_waiting(house: House) -> None:
    """The console's fragment of 54 questions is the largest there is; twenty-five of them are far more than the buffers
    of the connection hold, so the server has to leave off in the middle of a frame and go on there later."""

    async def play() -> None:
        async with house.facilitator() as facilitator, house.phone() as phone, Screen(house.origin) as wall:
            await facilitator.give_screen(wall)
            stalled = await facilitator.open_line(socket_path(house.code, "f"), narrow=True)
            ear, eye = await phone.listen(), await wall.listen(house.code)
            for line in (stalled, ear, eye):
                await line.heard(1)
            stalled.transport.pause_reading()
            first = facilitator.console.version
            agenda = facilitator.console.agenda
            for n in range(MOVES):
                heard = len(ear.pushes)
                async with asyncio.timeout(wire.STALLED / 4):
                    await facilitator.move("goto", agenda[(n % 2) + 1])
                    await ear.heard(heard + 1)
            stuck = len(stalled.pushes)
            stalled.transport.resume_reading()
            async with asyncio.timeout(PATIENCE):
                while stalled.pushes[-1].order[0] < first + MOVES:
                    await stalled.heard(len(stalled.pushes) + 1)
            pushes = stalled.pushes[stuck:]
            versions = list(dict.fromkeys(push.order[0] for push in pushes))
            assert versions == list(range(versions[0], first + MOVES + 1))
            assert versions[0] <= first + 1
            assert sum(len(push.raw) for push in pushes) > 500_000
            assert all(re.search(r"</div>\s*$", push.html) for push in pushes)
            assert [push.order for push in ear.pushes] == sorted(push.order for push in ear.pushes)

    asyncio.run(play())


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    """Both ends of a connection, with a small buffer in between."""
    ours, theirs = gevent.socket.socketpair()
    ours.setsockopt(gevent.socket.SOL_SOCKET, gevent.socket.SO_SNDBUF, 4096)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_one_send_sends_all_and_two_senders_do_not_mingle(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    whole = wire.WholeSocket(ours)
    senders = [gevent.spawn(whole.send, letter * 300_000) for letter in (b"a", b"b")]
    received = bytearray()
    while len(received) < 600_000:
        received += theirs.recv(1 << 16)
    assert [sender.get(timeout=1) for sender in senders] == [300_000, 300_000]
    assert received in (b"a" * 300_000 + b"b" * 300_000, b"b" * 300_000 + b"a" * 300_000)


def test_a_reader_that_takes_nothing_for_too_long_loses_the_connection(
    pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "STALLED", 0.02)
    ours, _ = pair
    whole = wire.WholeSocket(ours)
    with pytest.raises(OSError, match="the reader has stalled"):
        whole.send(b"x" * 1_000_000)
    with pytest.raises(OSError, match="Bad file descriptor"):
        whole.send(b"the next frame")
    assert ours.fileno() == -1


# --- The library's shape ---------------------------------------------------------------------------------------------


def a_server(drivers: object) -> Any:
    return SimpleNamespace(eio=SimpleNamespace(_async=drivers))


def test_our_websocket_takes_the_place_of_the_librarys_and_nothing_else_is_changed() -> None:
    server = a_server(driver._async)
    wire.fit(server)
    assert server.eio._async == {**driver._async, "websocket": wire.LimitedWebSocket}
    assert driver._async["websocket"] is driver.WebSocketWSGI


@pytest.mark.parametrize("drivers", [None, {}, {"websocket": None}, {"websocket": object}, [driver.WebSocketWSGI]])
def test_a_library_of_another_shape_stops_the_program_with_the_place_to_look(drivers: object) -> None:
    with pytest.raises(RuntimeError, match=r"facilitation/wire\.py must be brought up to date"):
        wire.fit(a_server(drivers))


def test_a_server_without_drivers_is_of_another_shape() -> None:
    with pytest.raises(RuntimeError, match="python-engineio has changed"):
        wire.fit(SimpleNamespace(eio=SimpleNamespace()))


@pytest.mark.parametrize(
    "said",
    ['51-["x",{"_placeholder":true,"num":0}]', "61-1[]", b"bytes", "2[]", "9", "0{", "0" + "[" * 8000, "0" * 9000],
)
def test_a_packet_that_no_page_sends_is_taken_for_a_farewell(said: str | bytes) -> None:
    packet = wire.TextPacket(encoded_packet=said)
    assert (packet.packet_type, packet.data, packet.attachment_count) == (DISCONNECT, None, 0)


def test_what_a_page_says_when_it_comes_is_understood() -> None:
    packet = wire.TextPacket(encoded_packet='0{"order":[7,2]}')
    assert packet.packet_type == CONNECT
    assert packet.data == {"order": [7, 2]}
