"""The program as people run it: a process that is started, stopped, killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import re
import socket
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app import main
from bench.measure import join_token
from bench.phones import Answer, Browser, Facilitator, Phone, Screen, Turned, socket_path
from bench.program import PATIENCE, Program, free_port, running
from facilitation import loading, migrations, serving, store, workshop
from facilitation.config import Settings
from facilitation.errors import Refused
from facilitation.exports import session_json
from tests.sample_report import a_full_report

pytestmark = pytest.mark.process

LAST_WORDS = "It works once, in the browser that opens it first."


@dataclass(frozen=True)
class Place:
    """A running program, its data folder, and the path of the link it printed."""

    program: Program
    data: Path
    link: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One program for the tests that only look at it, started where the system allows few open files."""
    data = tmp_path_factory.mktemp("data")
    with contextlib.ExitStack() as stack:
        with few_open_files():
            program = stack.enter_context(running(data))
        link = program.link()
        program.rest_of_line(LAST_WORDS)
        yield Place(program, data, link)


@contextlib.contextmanager
def few_open_files() -> Iterator[None]:
    """What is started meanwhile may have 64 files open, unless it asks for more. Nothing is different on Windows."""
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def command(data: Path, *arguments: str, **settings: str) -> Program:
    """A command of the program, under way."""
    return Program(data, *arguments, settings=settings)


# --- Starting --------------------------------------------------------------------------------------------------------


def test_the_terminal_says_where_phones_join_shows_it_as_a_picture_and_gives_the_link(place: Place) -> None:
    said = place.program.said
    assert f"Phones join at http://127.0.0.1:{place.program.port}\n" in said
    assert "Only this computer can reach it, because HOST is 127.0.0.1." in said
    rows = [line for line in said.splitlines() if re.fullmatch(r"[█▀▄ ]{20,}", line)]
    assert 12 <= len(rows) <= 30
    assert len({len(row) for row in rows}) == 1
    assert re.search(rf"Facilitator link: http://localhost:{place.program.port}/enter/[\w-]{{32}}\n", said)
    assert LAST_WORDS in said


def test_the_demo_opens_on_a_room_that_votes_and_leaves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    program = command(data, "demo", TMPDIR=str(tmp_path))
    try:
        screen = program.rest_of_line("the same browser: ")
        link = program.link()
        assert (folder := list(tmp_path.glob("hallmarks-demo-*")))

        async def look() -> None:
            async with Browser(program.origin) as newcomer:
                console = (await newcomer.get(link)).headers["location"]
                page = (await newcomer.get(console)).text
                assert "Rehearsal: not anonymous" in page
                assert "have answered" in page
                wall = (await newcomer.get(urlsplit(screen).path)).headers["location"]
                assert "Voting open" in (await newcomer.get(wall)).text

        asyncio.run(look())
        assert program.stop() == 0
    finally:
        if program.process.poll() is None:
            program.kill()
    assert not folder[0].exists()
    assert not data.exists()


def test_whoever_watches_over_the_program_is_told_that_it_is_well(place: Place) -> None:
    async def ask() -> None:
        async with Browser(place.program.origin) as watcher:
            answer = await watcher.get("/healthz")
            assert (answer.status, '"ok"' in answer.text) == (200, True)

    asyncio.run(ask())


def test_the_facilitators_link_works_once_and_the_first_browser_stays_in(place: Place) -> None:
    async def enter_twice() -> None:
        async with Browser(place.program.origin) as first, Browser(place.program.origin) as second:
            assert (await first.get(place.link)).headers["location"] == "/home"
            refused = await second.get(place.link)
            assert refused.status == 422
            assert "This link has been used already" in refused.text
            assert not second.cookies
            assert (await second.get("/home")).status == 404
            assert (await first.get("/home")).status == 200
            assert (await first.get(place.link)).headers["location"] == "/home"

    asyncio.run(enter_twice())


def test_a_new_link_can_be_printed_for_the_running_program(place: Place) -> None:
    asked = command(place.data, "link", PORT=str(place.program.port))
    link = asked.link()
    assert asked.wait() == 0
    assert asked.said.startswith(f"Facilitator link: http://127.0.0.1:{place.program.port}/enter/")

    async def enter() -> None:
        async with Browser(place.program.origin) as browser:
            assert (await browser.get(link)).status == 303
            assert (await browser.get("/home")).status == 200

    asyncio.run(enter())


def test_a_port_that_is_taken_is_passed_over_and_the_terminal_says_so(place: Place, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        taken = place.program.port
        with contextlib.suppress(OSError):  # the next one too, unless somebody has it already
            stack.enter_context(socket.create_server(("127.0.0.1", taken + 1)))
        with running(tmp_path, port=taken) as program:
            program.link()
            assert program.port > taken + 1
            assert f"Port {taken} is taken, so this session uses port {program.port}." in program.said
            assert f"Phones join at http://127.0.0.1:{program.port}\n" in program.said
            assert program.process.poll() is None
            asked = command(tmp_path, "link", PORT=str(taken))
            assert asked.link()
            assert asked.said.startswith(f"Facilitator link: http://127.0.0.1:{program.port}/enter/")
            assert asked.wait() == 0
            assert program.stop() == 0
        asked = command(tmp_path, "link", PORT=str(taken))
        assert asked.link()
        assert asked.port == taken, "a program that has ended has no port"


def test_a_port_that_is_closed_to_the_program_is_said_so_and_no_other_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[int] = []

    def refuses(address: tuple[str, int], **_more: object) -> None:
        asked.append(address[1])
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serving.socket, "create_server", refuses)
    settings = Settings.from_environment({"PORT": "80", "DATA_DIR": str(tmp_path)})
    monkeypatch.setattr(serving.sys, "platform", "linux")
    with pytest.raises(Refused, match=r"^The program may not listen on port 80\. Set PORT to one from 1024 up\.$"):
        serving._listen(settings)
    assert asked == [80]
    monkeypatch.setattr(serving.sys, "platform", "win32")
    with pytest.raises(Refused, match="No port from 80 to 129 is free"):
        serving._listen(settings)


def test_a_room_full_of_phones_gets_in_where_the_system_allows_few_open_files(place: Place) -> None:
    async def come_all() -> list[int]:
        people = [Browser(place.program.origin) for _ in range(100)]
        answers = await asyncio.gather(*(person.get("/healthz") for person in people))
        for person in people:
            person.close()
        return [answer.status for answer in answers]

    assert asyncio.run(come_all()) == [200] * 100


def test_a_mistake_in_the_settings_ends_the_program_with_a_sentence(tmp_path: Path) -> None:
    program = command(tmp_path, DATABSE_URL="postgresql://127.0.0.1/x")
    assert program.wait() == 2
    assert program.said == "The environment sets DATABSE_URL, which is not a setting. Did you mean DATABASE_URL?\n"


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """What the command line says when it refuses, without a process: the whole of it, after exit status 2."""

    def refuse(*arguments: str, **settings: str) -> str:
        for name, value in {"HOST": "127.0.0.1", "OPEN_BROWSER": "0", **settings}.items():
            monkeypatch.setenv(name, value)
        assert main(list(arguments)) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        return said.err

    mask = os.umask(0o077)
    yield refuse
    os.umask(mask)


def test_a_port_that_is_no_number_is_refused(says: Callable[..., str], tmp_path: Path) -> None:
    assert says(PORT="eighty", DATA_DIR=str(tmp_path)).startswith("PORT is “eighty”.")


def test_an_address_that_is_not_this_computers_is_refused(says: Callable[..., str], tmp_path: Path) -> None:
    assert says(HOST="192.0.2.1", DATA_DIR=str(tmp_path)).startswith("The program cannot listen on 192.0.2.1: ")


def test_a_word_that_is_no_command_is_answered_with_those_that_are(says: Callable[..., str], tmp_path: Path) -> None:
    assert "Say `python app.py` to run the program" in says("serve", DATA_DIR=str(tmp_path))


def test_a_data_folder_that_is_a_file_is_refused(says: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file")
    said = says(DATA_DIR=str(tmp_path / "notes"), PORT=str(free_port()))
    assert said.startswith(f"DATA_DIR is {tmp_path / 'notes'}, which cannot be used as a folder: ")


def test_a_database_file_that_is_none_is_refused(says: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "workshop.db").write_text("anything but a database " * 100)
    said = says(DATA_DIR=str(tmp_path), PORT=str(free_port()))
    assert said == "The database cannot be used: file is not a database.\n"


def test_a_database_that_does_not_answer_is_named_without_its_password(
    says: Callable[..., str], tmp_path: Path
) -> None:
    url = "postgresql://anna:hunter2@127.0.0.1:1/workshop"
    said = says(DATABASE_URL=url, DATA_DIR=str(tmp_path), PORT=str(free_port()))
    assert said.startswith("The database cannot be used: ")
    assert "hunter2" not in said


# --- Stopping and coming back ----------------------------------------------------------------------------------------


async def a_session(program: Program, data: Path, phones: int, link: str = "") -> tuple[Facilitator, list[Phone]]:
    """A session with everybody connected, voting on its first question."""
    facilitator, people = Facilitator(program.origin), [Phone(program.origin) for _ in range(phones)]
    await facilitator.enter(link or program.link())
    code = await facilitator.set_up("Review", 4)
    token = join_token(data, code)
    await asyncio.gather(*(phone.join(token) for phone in people))
    await asyncio.gather(*(phone.listen() for phone in people))
    await facilitator.move("open")
    return facilitator, people


def held(page: str) -> tuple[int, str] | None:
    """The seq and the choice that a phone's page shows as its own answer; None if it shows none."""
    found = re.search(r'data-choice="(\w+)" data-seq="(\d+)"', page)
    return (int(found[2]), found[1]) if found else None


async def own_answer(phone: Phone) -> tuple[int, str] | None:
    return held((await phone.get(f"/w/{phone.code}")).text)


def test_after_a_restart_everything_is_as_it_was_and_everybody_is_still_in(tmp_path: Path) -> None:
    async def before(program: Program) -> tuple[Facilitator, list[Phone]]:
        facilitator, phones = await a_session(program, tmp_path, 6)
        round_id = (await phones[0].lines[0].heard(2)).round_id
        for phone, choice in zip(phones, ("1", "2", "2", "3", "5", "DK"), strict=True):
            assert (await phone.vote(round_id, choice)).status == 200
        assert program.stop() == 0  # with six sockets open: subprocess.TimeoutExpired after ten seconds
        for browser in (facilitator, *phones):
            browser.close()
        return facilitator, phones

    async def after(program: Program, facilitator: Facilitator, phones: list[Phone]) -> None:
        program.link()
        for browser in (facilitator, *phones):
            browser.origin = program.origin
        assert await own_answer(phones[4]) == (1, "5")
        line = await phones[4].listen()
        round_id = (await line.heard(1)).round_id
        assert (await phones[4].vote(round_id, "4")).status == 200
        assert "Review" in (await facilitator.get("/home")).text
        await facilitator.look()
        await facilitator.move("close")
        (round_,) = await facilitator.results()
        assert round_["counts"] == {"1": 1, "2": 2, "3": 1, "4": 1, "5": 0, "DK": 1, "NR": 0}
        for browser in (facilitator, *phones):
            browser.close()

    with running(tmp_path) as program:
        facilitator, phones = asyncio.run(before(program))
    with running(tmp_path, port=program.port) as program:
        asyncio.run(after(program, facilitator, phones))


@dataclass
class Voter:
    """A phone that changes its mind without end, and remembers what it was told and what it asked for last."""

    phone: Phone
    place: int
    acknowledged: int = 0
    sent: int = 0

    def choice(self, seq: int) -> str:
        return "12345"[(self.place + seq) % 5]

    async def vote_until_it_is_cut_off(self, round_id: int, tally: asyncio.Semaphore) -> None:
        self.acknowledged = self.sent = 0
        while True:
            self.sent += 1
            try:
                answer = await self.phone.vote(round_id, self.choice(self.sent), self.sent)
            except OSError:
                return
            assert answer.status == 200
            self.acknowledged = self.sent
            tally.release()


def test_every_ballot_acknowledged_before_the_program_was_killed_is_counted_after_it(tmp_path: Path) -> None:
    """Three kills, each after another number of acknowledged ballots, while 30 phones vote as fast as they can."""

    async def die(program: Program, voters: list[Voter], round_id: int, after: int) -> None:
        heard = asyncio.Semaphore(0)
        work = [asyncio.create_task(voter.vote_until_it_is_cut_off(round_id, heard)) for voter in voters]
        for _ in range(after):
            await heard.acquire()
        program.kill()
        await asyncio.gather(*work)

    async def count(facilitator: Facilitator, voters: list[Voter]) -> None:
        expected: Counter[str] = Counter()
        for voter in voters:
            voter.phone.hang_up()
            found = await own_answer(voter.phone)
            if found is None:
                assert voter.acknowledged == 0
                continue
            seq, choice = found
            # The last one sent may have been stored without the answer getting out; nothing older may stand.
            assert voter.acknowledged <= seq <= voter.sent
            assert choice == voter.choice(seq)
            expected[choice] += 1
        facilitator.hang_up()
        await facilitator.look()
        await facilitator.move("close")
        counts = (await facilitator.results())[-1]["counts"]
        assert Counter({choice: n for choice, n in counts.items() if n}) == expected

    async def all_of_it() -> None:
        with contextlib.ExitStack() as stack:
            program = stack.enter_context(running(tmp_path))
            facilitator, phones = await a_session(program, tmp_path, 30)
            voters = [Voter(phone, place) for place, phone in enumerate(phones)]
            round_id = (await phones[0].lines[0].heard(2)).round_id
            for after in (35, 60, 90):
                await die(program, voters, round_id, after)
                program = stack.enter_context(running(tmp_path, port=program.port))
                program.link()
                await count(facilitator, voters)
                if after < 90:
                    page = await facilitator.move("next")
                    round_id = round_in(await phones[0].get(f"/w/{phones[0].code}"))
                    assert page.status == 200
            for browser in (facilitator, *phones):
                browser.close()

    asyncio.run(all_of_it())


def round_in(answer: Answer) -> int:
    found = re.search(r'data-round="(\d+)"', answer.text)
    assert found
    return int(found[1])


# --- What it says while it runs --------------------------------------------------------------------------------------


NONSENSE: tuple[str | bytes, ...] = (
    '451-["now",{"_placeholder":true,"num":0}]',
    b"\0\1\2",
    '42["vote",1]',
    "4zzz",
    "hello",
    "",
    "4" * 8000,
)


def test_nothing_of_an_address_a_cookie_or_a_code_is_written_down(place: Place) -> None:
    """A whole round with everything done wrong that one can do wrong: the terminal stays as it was."""
    agent = "Phone-of-Anna/1.0"
    program, said_before = place.program, place.program.said

    async def misbehave() -> None:
        link = command(place.data, "link", PORT=str(program.port))
        facilitator, phones = await a_session(program, place.data, len(NONSENSE) + 1, link.link())
        code, lines = facilitator.code, [phone.lines[0] for phone in phones]
        async with Screen(program.origin) as wall, Browser(program.origin) as stranger:
            await facilitator.give_screen(wall)
            await wall.listen(code)
            await stranger.request("GET", f"/w/{code}/now", b"", {"User-Agent": agent})
            await stranger.post(f"/f/{code}/move", {"move": "close"})
            await stranger.post("/join", {"code": "123456"})
            await stranger.request("POST", "/join", b"code=1", {"Origin": "http://evil.example"})
            with pytest.raises(Turned):
                await stranger.open_line(socket_path(code, "p"))
            await phones[0].vote(99, "9")
            await facilitator.post(f"/f/{code}/show", {"want": "moon"})
            for line, nonsense in zip(lines, NONSENSE, strict=False):
                line.send(nonsense)
            lines[-1].send_frame(3, b"no such frame")
            reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
            writer.write(b"NONSENSE " + agent.encode() + b"\r\n\r\n")
            await reader.read()
            writer.close()
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(line.ended for line in lines))
            odd, deep = Phone(program.origin), Phone(program.origin)
            for phone, auth in ((odd, "{{{"), (deep, "[" * 4000)):
                phones.append(phone)
                await phone.join(join_token(place.data, code))
                line = await phone.open_line(socket_path(code, "p"), socket_io=False)
                line.send("40" + auth)
                line.send("9")
                assert await line.ended == "the server closed with 1000"
            await facilitator.move("close")
        for browser in (facilitator, *phones):
            browser.close()

    asyncio.run(misbehave())
    assert program.said == said_before


# --- Documents -------------------------------------------------------------------------------------------------------


@pytest.fixture
def loaded(tmp_path: Path) -> tuple[str, str]:
    """A data folder with a session of all 54 questions; returns the facilitator's cookie, its name and its value."""
    url = f"sqlite:///{tmp_path / 'workshop.db'}"
    migrations.upgrade(url)
    engine = store.writing_engine(url)
    with store.transaction(engine) as session:
        loading.load(session, session_json.data_of(a_full_report()))
        cookie = f"home{store.mark(session)}", workshop.grant(session, "home")
    engine.dispose()
    return cookie


def test_everybody_else_is_served_while_documents_are_made(loaded: tuple[str, str], tmp_path: Path) -> None:
    async def ask(origin: str) -> int:
        async with Browser(origin) as facilitator, Browser(origin) as other:
            facilitator.cookies |= [loaded]
            making = asyncio.create_task(facilitator.get("/sessions/482739/files/everything.zip"))
            served = 0
            while not making.done():
                assert (await other.get("/healthz")).status == 200
                served += 1
            assert making.result().status == 200
            assert zipfile.ZipFile(io.BytesIO(making.result().body)).testzip() is None
            return served

    with running(tmp_path) as program:
        program.link()
        assert asyncio.run(ask(program.origin)) >= 10


def test_a_session_file_may_be_larger_than_a_form_but_only_from_the_facilitator(place: Place) -> None:
    head = b"--x\r\nContent-Disposition: form-data; name=file; filename=big.json\r\n\r\n"
    file = head + b" " * 1_000_000 + b"\r\n--x--\r\n"

    async def ask() -> tuple[int, int]:
        async with Browser(place.program.origin) as freya, Browser(place.program.origin) as mallory:
            await freya.get(command(place.data, "link", PORT=str(place.program.port)).link())
            headers = {"Origin": place.program.origin, "Content-Type": "multipart/form-data; boundary=x"}
            mine = await freya.request("POST", "/sessions/load", file, headers)
            theirs = await mallory.request("POST", "/sessions/load", file, headers)
            return mine.status, theirs.status

    assert asyncio.run(ask()) == (422, 413)
