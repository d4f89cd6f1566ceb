"""Takes the pictures of the README: `make screenshots`.

Starts the program on a free port with an empty data folder, runs a session with 24 phones, and photographs each surface
in the system's Chromium. One phone is a real page; the others are plain HTTP requests and a socket each, as
docs/protocol.md describes them.
"""

from __future__ import annotations

import contextlib
import http.cookiejar
import itertools
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import simple_websocket
from playwright.sync_api import Browser, BrowserContext, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SHOWN = "192.168.8.2:8000"  # the address on the pictures; Chromium is told where it really leads
LARGEST = 120 * 1024
PATIENCE = 20.0
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-lcd-text",  # grey edges of letters instead of coloured ones: fewer colours, smaller files
]

# What the room answers: counts by choice, 24 in all, for the questions that are over when the pictures are taken.
EARLIER = {
    "innovation-risk-01": {"1": 1, "2": 5, "3": 9, "4": 7, "5": 1, "DK": 1},
    "innovation-risk-02": {"1": 2, "2": 10, "3": 7, "4": 3, "DK": 2},
    "tackling-inequality-01": {"2": 6, "3": 10, "4": 6, "5": 2},
    "tackling-inequality-02": {"1": 3, "2": 4, "3": 11, "4": 4, "5": 1, "NR": 1},
    "tackling-inequality-03": {"1": 1, "2": 6, "3": 10, "4": 5, "DK": 2},
}
LATER = ("tackling-inequality-04", "tackling-inequality-05", "tackling-inequality-06")
# The question in the pictures. Each line comes at once and is waited for: three or more make the next picture due.
IN_GROUPS = (("3", "2", "4", "2"), ("3", "1", "4"), ("2", "3", "DK"), ("3", "4", "2"), ("3", "4", "2"))
NOT_IN_THE_CHART_YET = ("3", "3")
MINE = "3"  # what the real phone taps, with the first group
VOTERS = 24


class Visitor:
    """Somebody's browser, without a screen: it keeps cookies and sends forms."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        """The text at this path."""
        with self._opener.open(self.origin + path, timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def post(self, path: str, *fields: tuple[str, str]) -> str:
        """Send a form, as htmx does; the address that the answer leads to, or its text."""
        headers = {"Origin": self.origin, "HX-Request": "true"}
        form = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.origin + path, form, headers)  # noqa: S310 - our own server
        with self._opener.open(request, timeout=PATIENCE) as answer:
            return answer.headers.get("HX-Redirect") or str(answer.read().decode())

    def connect(self, code: str) -> None:
        """Open the phone's socket and keep answering its pings, so that the room counts it as connected."""
        query = urllib.parse.urlencode({"EIO": "4", "transport": "websocket", "r": code, "role": "p"})
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        host = urllib.parse.urlsplit(self.origin)
        # This client names the host without its port, and an Origin has to match.
        line = simple_websocket.Client(
            f"ws://{host.netloc}/socket.io/?{query}", headers={"Origin": f"http://{host.hostname}", "Cookie": cookies}
        )
        line.receive(PATIENCE)
        line.send("40")
        threading.Thread(target=_stay, args=(line,), daemon=True).start()


def _stay(line: simple_websocket.Client) -> None:
    with contextlib.suppress(simple_websocket.ConnectionClosed):
        while True:
            if line.receive() == "2":
                line.send("3")


class Room:
    """The session, seen from the facilitator's chair."""

    def __init__(self, facilitator: Visitor, code: str) -> None:
        self.facilitator = facilitator
        self.code = code
        self.phones: list[Visitor] = []

    def fill(self, people: int) -> None:
        """Let so many phones join."""
        for _ in range(people):
            phone = Visitor(self.facilitator.origin)
            phone.post("/join", ("code", self.code))
            phone.connect(self.code)
            self.phones.append(phone)

    def move(self, move: str) -> None:
        """Press the button that makes this move."""
        found = re.search(r'data-version="(\d+)"', self.facilitator.get(f"/f/{self.code}/now"))
        assert found
        self.facilitator.post(f"/f/{self.code}/move", ("version", found[1]), ("move", move))

    def vote(self, phone: Visitor, choice: str) -> None:
        """Answer the open question."""
        found = re.search(r'data-round="(\d+)"', phone.get(f"/w/{self.code}/now"))
        assert found
        phone.post(f"/w/{self.code}/ballot", ("round", found[1]), ("choice", choice), ("seq", "1"))

    def screen_shows(self, words: str) -> bool:
        """Whether these words are on the shared screen."""
        return words in self.facilitator.get(f"/s/{self.code}/now")


@contextlib.contextmanager
def program() -> Iterator[tuple[str, str]]:
    """The running program: its origin on this computer, and the path of the facilitator's link."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    with tempfile.TemporaryDirectory() as data:
        ours = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": data, "OPEN_BROWSER": "0", "TZ": "Europe/London"}
        server = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**kept, **ours, "PUBLIC_URL": f"http://{SHOWN}"},
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            assert server.stdout
            link = next((line for line in server.stdout if line.startswith("Facilitator link: ")), None)
            if link is None:
                raise SystemExit("The program did not start.")
            yield f"http://127.0.0.1:{port}", urllib.parse.urlsplit(link.split()[-1]).path
        finally:
            server.terminate()
            server.wait(PATIENCE)


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"It never came to this: {what}")
        time.sleep(0.1)


def window(browser: Browser, size: tuple[int, int], visitor: Visitor | None = None, zoom: float = 1) -> BrowserContext:
    """A browser window, with the cookies of a visitor."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=zoom,
        is_mobile=zoom > 1,
        has_touch=zoom > 1,
        locale="en-GB",
        reduced_motion="reduce",
    )
    for cookie in visitor.cookies if visitor else ():
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": f"http://{SHOWN}"}])
    return context


def set_up(facilitator: Visitor, link: str) -> Room:
    """A new session with its agenda."""
    facilitator.get(link)
    where = facilitator.post(
        "/sessions",
        ("museum", "Wexcombe Mill Museum"),
        ("title", "Trustees and staff"),
        ("held_on", "2026-11-11"),  # reads the same whichever way round a date field writes it
    )
    code = where.split("/")[2]
    facilitator.post(f"/f/{code}/agenda", *(("key", key) for key in (*EARLIER, *LATER)))
    facilitator.get(f"/f/{code}/screen")
    return Room(facilitator, code)


def take_pictures(browser: Browser, facilitator: Visitor, link: str) -> None:
    """Run the session, and take each picture when the room has come to it."""
    room = set_up(facilitator, link)
    room.fill(VOTERS - 1)

    console = window(browser, (1280, 800), facilitator).new_page()
    console.goto(f"http://{SHOWN}/f/{room.code}/setup")
    console.click("#hallmark-collections > summary")
    store("setup", console.screenshot())

    phone = window(browser, (390, 664), zoom=2).new_page()
    phone.goto(f"http://{SHOWN}/")
    phone.fill("#code", room.code)
    phone.click("#join")
    phone.wait_for_selector("html[data-io=up]")

    move = "open"
    for counts in EARLIER.values():
        room.move(move)
        choices = list(itertools.chain.from_iterable([choice] * n for choice, n in counts.items()))
        for voter, choice in zip(room.phones, choices, strict=False):
            room.vote(voter, choice)
        phone.click(f'form[id^="ballot-"] label:has(input[value="{choices[-1]}"])')
        phone.wait_for_selector(".notice--good")
        for next_move in ("close", "discuss"):
            room.move(next_move)
        move = "next"
    room.move("next")

    console.goto(f"http://{SHOWN}/f/{room.code}")
    wall = window(browser, (1280, 720), facilitator).new_page()
    wall.goto(f"http://{SHOWN}/s/{room.code}")
    for page in (console, wall):
        page.wait_for_selector("html[data-io=up]")

    phone.click(f'form[id^="ballot-"] label:has(input[value="{MINE}"])')
    phone.wait_for_selector(".notice--good")
    voters, shown = iter(room.phones), 1
    for group in IN_GROUPS:
        shown += len(group)
        for choice in group:
            room.vote(next(voters), choice)
        words = f"{shown} answers are in the chart"
        wait_for(lambda words=words: room.screen_shows(words), words)  # type: ignore[misc]
    facilitator.post(f"/f/{room.code}/show", ("want", "timer"))
    for choice in NOT_IN_THE_CHART_YET:
        room.vote(next(voters), choice)
    answered = f"<b>{shown + len(NOT_IN_THE_CHART_YET)}</b> of {VOTERS} have answered"
    for page in (console, wall):
        page.wait_for_function("words => document.getElementById('now').innerHTML.includes(words)", arg=answered)
    wall.wait_for_timeout(1200)  # squares grow into their places
    taken = {"phone": phone.screenshot(), "screen": wall.screenshot(), "console": console.screenshot()}
    for name, png in taken.items():  # after all are taken, so that their timers agree
        store(name, png)


def store(name: str, png: bytes) -> None:
    """Store a picture. Raises SystemExit when it is too large for a README."""
    small = with_a_palette(png)
    if len(small) > LARGEST:
        raise SystemExit(f"{name}.png would have {len(small) // 1024} KB; {LARGEST // 1024} is the most.")
    (PICTURES / f"{name}.png").write_bytes(small)


def with_a_palette(png: bytes) -> bytes:
    """The same picture with at most 256 colours: a third of the size, and no eye sees a difference on flat areas.

    png: 8 bits a channel, RGB, not interlaced, as Chromium writes it. Source: the PNG specification (ISO/IEC 15948).
    """
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += length + 12
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    assert form == [8, 2, 0, 0, 0], "Chromium writes another kind of PNG now"
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    rows = _unfiltered(data, 3 * width)
    colours = Counter(row[i : i + 3] for row in rows for i in range(0, len(row), 3))
    palette = [colour for colour, _ in colours.most_common(256)]
    nearest = {
        colour: min(
            range(len(palette)), key=lambda n: sum((a - b) ** 2 for a, b in zip(palette[n], colour, strict=True))
        )
        for colour in colours
    }
    lines = b"".join(b"\0" + bytes(nearest[row[i : i + 3]] for i in range(0, len(row), 3)) for row in rows)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def _unfiltered(data: bytes, length: int) -> list[bytes]:
    """The rows of a picture, `length` bytes each, 3 bytes a pixel, with the filter of each taken off."""
    rows, above = [], bytes(length)
    for start in range(0, len(data), length + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + length])
        for i in range(length if kind else 0):
            left = row[i - 3] if i > 2 else 0
            corner = above[i - 3] if i > 2 else 0
            row[i] = (row[i] + _predicted(kind, left, above[i], corner)) & 255
        above = bytes(row)
        rows.append(above)
    return rows


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda near: abs(guess - near))
    return (0, left, up, (left + up) // 2)[kind]


def main() -> int:
    """Take all pictures. Returns the exit status."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if chromium is None:
        raise SystemExit("Chromium is missing: install it, or set CHROMIUM to its path.")
    PICTURES.mkdir(exist_ok=True)
    with program() as (origin, link), sync_playwright() as playwright:
        rule = f"--host-resolver-rules=MAP {SHOWN} {urllib.parse.urlsplit(origin).netloc}"
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, rule])
        take_pictures(browser, Visitor(origin), link)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
