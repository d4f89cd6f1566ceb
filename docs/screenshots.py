"""Takes the pictures of the README: `make screenshots`.

Starts the program on a free port with an empty data folder and a session of 24 people, and photographs each surface in
the system's Chromium. One phone is a real page; the others are the simulated people of a rehearsal (`web/crowd.py`),
who are told what to answer.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SHOWN = "192.168.8.2:8000"  # the address on the pictures; Chromium is told where it really leads
LARGEST = 120 * 1024
PATIENCE = 60.0
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
# The question in the pictures. Each group comes at once: three or more make the next picture due.
IN_GROUPS = (("3", "2", "4", "2"), ("3", "1", "4"), ("2", "3", "DK"), ("3", "4", "2"), ("3", "4", "2"))
NOT_IN_THE_CHART_YET = ("3", "3")
AFTER_THE_TIMER = 25.0  # seconds after the question came: time enough to start the soft timer before
MINE = "3"  # what the real phone taps, with the first group
VOTERS = 24


def serve() -> int:
    """Run the program with a session and its simulated people, in a process of its own. Returns the exit status."""
    from gevent import monkey

    monkey.patch_all()
    sys.path.insert(0, str(ROOT))
    import app
    from facilitation import serving
    from facilitation.config import Settings

    return serving.run(Settings.from_environment(os.environ), app.create_app, begin)


def begin(app: Any) -> str:
    """The session of the pictures, with its people coming in; returns its join code."""
    from facilitation import workshop
    from facilitation.people import Preset, Tap

    house, crowds = app.extensions["house"], app.extensions["crowds"]

    def job(session: Any) -> tuple[int, str]:
        day = dt.date(2026, 11, 11)  # reads the same whichever way round a date field writes it
        made = workshop.create(session, house.framework, "Trustees and staff", "Wexcombe Mill Museum", day)
        every = {q.key: (hallmark, q) for hallmark in house.framework.hallmarks for q in hallmark.questions}
        workshop.add_questions(session, made.id, [every[key] for key in (*EARLIER, *LATER)], house.framework)
        return made.id, made.code

    workshop_id, code = house.committer.perform(job)
    crowds.come(workshop_id, code, VOTERS - 1, Preset.CLOSE)
    groups = [[Tap(3.0 * (place + 1), choice) for choice in group] for place, group in enumerate(IN_GROUPS)]
    late = [Tap(AFTER_THE_TIMER, choice) for choice in NOT_IN_THE_CHART_YET]
    taps = [[tap] for tap in (*itertools.chain.from_iterable(groups), *late)]
    crowds[workshop_id].will_answer(
        *([[Tap(0.0, choice)] for choice in choices_of(key)[:-1]] for key in EARLIER),
        taps + [[] for _ in range(VOTERS - 1 - len(taps))],
    )
    return str(code)


def choices_of(key: str) -> list[str]:
    """What the room answers to an earlier question; the last answer is the real phone's."""
    return list(itertools.chain.from_iterable([choice] * n for choice, n in EARLIER[key].items()))


@contextlib.contextmanager
def program() -> Iterator[tuple[str, str]]:
    """The running program: where it listens on this computer, and the address that opens the console."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    with tempfile.TemporaryDirectory() as data:
        ours = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": data, "OPEN_BROWSER": "0", "TZ": "Europe/London"}
        server = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, __file__, "serve"],
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
            yield f"127.0.0.1:{port}", link.split()[-1]
        finally:
            server.terminate()
            server.wait(PATIENCE)


def window(browser: Browser, size: tuple[int, int], zoom: float = 1) -> BrowserContext:
    """A browser window, with cookies of its own."""
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=zoom,
        is_mobile=zoom > 1,
        has_touch=zoom > 1,
        locale="en-GB",
        reduced_motion="reduce",
    )


def shows(page: Page, words: str) -> None:
    """Wait until a page shows these words of markup."""
    page.wait_for_function(
        "words => document.getElementById('now')?.innerHTML.includes(words)", arg=words, timeout=1000 * PATIENCE
    )


def press(console: Page, *stages: str) -> None:
    """Press the big button once for each of these stages, and wait until the session has come to it."""
    for stage in stages:
        console.wait_for_timeout(500)  # a press within 400 ms of the last one is a slip
        console.click("#main-move")
        console.wait_for_selector(f'#now[data-scene^="{stage}"]')


def take_pictures(browser: Browser, link: str) -> None:
    """Run the session, and take each picture when the room has come to it."""
    facilitator = window(browser, (1280, 800))
    console = facilitator.new_page()
    console.goto(link)
    code = console.url.rsplit("/", 1)[1]
    console.goto(f"http://{SHOWN}/f/{code}/setup")
    console.click("#hallmark-collections > summary")
    store("setup", console.screenshot())

    phone = window(browser, (390, 664), zoom=2).new_page()
    phone.goto(f"http://{SHOWN}/")
    phone.fill("#code", code)
    phone.click("#join")
    phone.wait_for_selector("html[data-io=up]")

    console.goto(f"http://{SHOWN}/f/{code}")
    console.wait_for_selector("html[data-io=up]")
    shows(console, f"{VOTERS} people are here")
    for key in EARLIER:
        press(console, "voting")
        answer(phone, choices_of(key)[-1])
        shows(console, f"<b>{VOTERS}</b> of {VOTERS} have answered")
        press(console, "revealed", "discussion")
    press(console, "voting")
    answer(phone, MINE)

    wall = facilitator.new_page()
    wall.set_viewport_size({"width": 1280, "height": 720})
    wall.goto(f"http://{SHOWN}/f/{code}/screen")
    wall.wait_for_selector("html[data-io=up]")
    shown = 1 + sum(map(len, IN_GROUPS))
    shows(wall, f"{shown} answers are in the chart")
    console.click("#timer")
    console.evaluate("document.getElementById('main').scrollTop = 0")  # as it stands before anybody looks for the timer
    for page in (console, wall):
        shows(page, f"<b>{shown + len(NOT_IN_THE_CHART_YET)}</b> of {VOTERS} have answered")
    wall.wait_for_timeout(1200)  # squares grow into their places
    taken = {"phone": phone.screenshot(), "screen": wall.screenshot(), "console": console.screenshot()}
    for name, png in taken.items():  # after all are taken, so that their timers agree
        store(name, png)


def answer(phone: Page, choice: str) -> None:
    """Tap an answer on the real phone, and wait until it is in."""
    phone.click(f'form[id^="ballot-"] label:has(input[value="{choice}"])')
    phone.wait_for_selector(".notice--good")


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
    with program() as (place, link), sync_playwright() as playwright:
        rule = f"--host-resolver-rules=MAP {SHOWN} {place}"
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, rule])
        take_pictures(browser, link)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["serve"] else main())
