"""The live line, byte by byte: who gets one, what may be said on it, and that frames stay whole."""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import engineio.server
import engineio.socket
import gevent
import gevent.queue
import gevent.socket
import pytest
import socketio
from engineio.packet import Packet as LinePacket
from socketio.packet import CONNECT, DISCONNECT
from wsproto.frame_protocol import FrameProtocol

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
        "2probe",
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
def test_a_reader_that_stalls_gets_whole_messages_and_the_newest_and_keeps_nobody_waiting(house: House) -> None:
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
            versions = [push.order[0] for push in pushes]
            assert versions == sorted(versions)
            assert versions[-1] == first + MOVES, "the newest is never left out"
            assert len(set(versions)) < MOVES, "what the reader would not take was not kept for it"
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


def taken(sock: Any, size: int) -> bytes:
    """So many bytes of what has been sent."""
    received = bytearray()
    with gevent.Timeout(PATIENCE):
        while len(received) < size and (data := sock.recv(1 << 16)):
            received += data
    return bytes(received)


def test_what_a_reader_has_not_taken_is_replaced_by_what_is_newer_and_no_frame_is_torn(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    outbox = wire.Outbox(ours)
    frames = {letter: letter.encode() * 300_000 for letter in "abcd"}
    for kind, letter in (("now", "a"), ("now", "b"), ("ping", "c"), ("now", "d")):
        outbox.put(kind, frames[letter])
    assert taken(theirs, 900_000) == frames["a"] + frames["c"] + frames["d"]
    gevent.sleep(0)
    outbox.put("now", b"at once again")
    assert taken(theirs, 13) == b"at once again"


def test_a_farewell_comes_after_what_is_under_way_and_nothing_after_it(pair: tuple[Any, Any]) -> None:
    ours, theirs = pair
    outbox = wire.Outbox(ours)
    outbox.put("now", b"a" * 300_000)
    outbox.end(b"goodbye")
    outbox.put("now", b"too late")
    assert taken(theirs, 400_000).lstrip(b"a") == b"goodbye"
    assert theirs.recv(1) == b"", "the connection is over"


def test_a_reader_that_takes_nothing_for_too_long_loses_the_connection(
    pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "STALLED", 0.02)
    ours, theirs = pair
    outbox = wire.Outbox(ours)
    outbox.put("now", b"x" * 1_000_000)
    outbox.put("now", b"never to be sent")
    gevent.sleep(0.1)
    rest = taken(theirs, 2_000_000)
    assert 0 < len(rest) < 1_000_000 and rest.strip(b"x") == b""
    outbox.put("now", b"nor this, and nobody is told off")


def test_one_packet_for_many_is_framed_once() -> None:
    packet = LinePacket(4, "2[]")
    assert wire._framed(packet) is wire._framed(packet) == ("42", b"\x81\x0442[]")


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_frame_says_its_length_in_the_shortest_way(size: int) -> None:
    reader = FrameProtocol(client=True, extensions=[])
    reader.receive_bytes(wire.frame("é" + "x" * (size - 2) if size else ""))
    assert "".join(part.payload for part in reader.received_frames()) == ("é" + "x" * (size - 2) if size else "")


# --- The heartbeat ---------------------------------------------------------------------------------------------------


class FakeServer:
    """What a connection needs of the library's server."""

    ping_interval, ping_timeout = 10, 10
    reason = SimpleNamespace(PING_TIMEOUT="ping timeout")

    def __init__(self) -> None:
        self.ended: list[str] = []

    def create_queue(self) -> Any:
        return gevent.queue.JoinableQueue()

    def _trigger_event(self, _event: str, _sid: str, reason: str, run_async: bool) -> None:
        self.ended.append(reason)


def test_a_connection_is_asked_every_ten_seconds_and_given_up_ten_seconds_after_it_fell_silent() -> None:
    server = FakeServer()
    connection = wire.Connection(server, "sid")
    begins = connection._due - 10
    for second in range(1, 11):
        connection.beat(begins + second)
    assert [connection.queue.get(block=False).encode() for _ in range(connection.queue.qsize())] == ["2"]
    connection.schedule_ping()  # it answered
    connection.beat(due := connection._due)
    connection.beat(due + 9.9)
    assert server.ended == []
    connection.beat(due + 10.1)
    connection.beat(due + 11)
    assert server.ended == ["ping timeout"]


@pytest.mark.process
def test_a_line_that_began_by_polling_goes_over_to_a_websocket_and_misses_nothing(house: House) -> None:
    async def play() -> None:
        async with house.phone() as phone, house.facilitator() as facilitator:
            path = f"/socket.io/?r={house.code}&role=p&EIO=4&transport=polling"
            opened = await phone.get(path)
            sid = re.search(r'"sid":"([^"]+)"', opened.text)
            assert sid and '"upgrades":["websocket"]' in opened.text
            polling = f"{path}&sid={sid[1]}"
            said = await phone.request("POST", polling, b"40", {"Origin": house.origin})
            assert said.text == "OK"
            first = await phone.get(polling)
            assert '42["now"' in first.text
            line = await phone.open_line(polling.replace("transport=polling", "transport=websocket"), socket_io=False)
            pending = asyncio.create_task(phone.get(polling))
            await asyncio.sleep(0)
            line.send("2probe")
            assert (await pending).text.endswith("6"), "the poll under way ends"
            await facilitator.move("goto", facilitator.console.agenda[1])  # between the two transports
            line._speaks = True
            line.send("5")
            assert (await line.heard(1)).order[0] == facilitator.console.version
            await facilitator.move("goto", facilitator.console.agenda[0])
            assert (await line.heard(2)).order[0] == facilitator.console.version

    asyncio.run(play())


@pytest.mark.process
def test_a_line_whose_websocket_does_not_get_through_goes_on_polling(house: House) -> None:
    async def play() -> None:
        async with house.phone() as phone, house.facilitator() as facilitator:
            path = f"/socket.io/?r={house.code}&role=p&EIO=4&transport=polling"
            sid = re.search(r'"sid":"([^"]+)"', (await phone.get(path)).text)
            assert sid
            polling = f"{path}&sid={sid[1]}"
            await phone.request("POST", polling, b"40", {"Origin": house.origin})
            await phone.get(polling)
            line = await phone.open_line(polling.replace("=polling", "=websocket"), socket_io=False)
            line.vanish()
            await facilitator.move("goto", facilitator.console.agenda[1])
            async with asyncio.timeout(PATIENCE):
                while '42["now"' not in (await phone.get(polling)).text:
                    pass

    asyncio.run(play())


# --- The library's shape ---------------------------------------------------------------------------------------------


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A real server of the library, to be changed; nothing of it stays behind."""
    monkeypatch.setattr(engineio.socket, "Socket", engineio.socket.Socket)
    monkeypatch.setattr(wire.gevent, "spawn", lambda *_: None)
    return socketio.Server(async_mode="gevent")


def test_our_connection_takes_the_place_of_the_librarys(library: Any) -> None:
    assert wire.fit(library) is True
    assert engineio.socket.Socket is wire.Connection
    assert library.eio.transports == ["polling", "websocket"]


def renamed(monkeypatch: pytest.MonkeyPatch, library: Any) -> None:
    monkeypatch.delattr(engineio.socket.Socket, "_upgrade_websocket")


def with_another_parameter(monkeypatch: pytest.MonkeyPatch, library: Any) -> None:
    monkeypatch.setattr(engineio.socket.Socket, "send", lambda self, pkt, urgent: None)


def with_other_sockets(monkeypatch: pytest.MonkeyPatch, library: Any) -> None:
    del library.eio.sockets


def with_another_module(monkeypatch: pytest.MonkeyPatch, library: Any) -> None:
    monkeypatch.setattr(engineio.server, "socket", SimpleNamespace())


@pytest.mark.parametrize("change", [renamed, with_another_parameter, with_other_sockets, with_another_module])
def test_a_library_of_another_shape_serves_by_polling_and_the_log_says_so(
    library: Any, change: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change(monkeypatch, library)
    before = engineio.socket.Socket
    assert wire.fit(library) is False
    assert (library.eio.transports, library.eio.allow_upgrades) == (["polling"], False)
    assert engineio.socket.Socket is before
    assert "python-engineio has changed" in caplog.text


WITH_ANOTHER_LIBRARY = """
from gevent import monkey
monkey.patch_all()
import sys
import engineio.socket
send = engineio.socket.Socket.send
engineio.socket.Socket.send = lambda self, pkt, urgent=False: send(self, pkt)
import app
sys.exit(app.main([]))
"""


@pytest.mark.process
def test_with_a_library_of_another_shape_a_room_is_told_by_polling(tmp_path: Path) -> None:
    async def play(program: Program, data: Path) -> None:
        async with Facilitator(program.origin) as facilitator, Phone(program.origin) as phone:
            await facilitator.enter(program.link())
            code = await facilitator.set_up("How are we doing?", 2)
            await phone.join(join_token(data, code))
            with pytest.raises(Turned):
                await phone.listen()
            polling = socket_path(code, "p").replace("transport=websocket", "transport=polling")
            opened = await phone.get(polling)
            sid = re.search(r'"sid":"([^"]+)","upgrades":\[\]', opened.text)
            assert sid, opened.text
            await phone.request("POST", f"{polling}&sid={sid[1]}", b"40", {"Origin": program.origin})
            assert "now" in (await phone.get(f"{polling}&sid={sid[1]}")).text
            told = asyncio.create_task(phone.get(f"{polling}&sid={sid[1]}"))
            await facilitator.move("open")
            assert "ballot-" in (await told).text
        assert "python-engineio has changed (Socket.send)" in program.said

    with running(tmp_path / "data", command=(sys.executable, "-c", WITH_ANOTHER_LIBRARY)) as program:
        asyncio.run(play(program, tmp_path / "data"))


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
