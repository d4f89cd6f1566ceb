"""How soon a phone sees its ballot on a slow link: `python -m bench.paint`, with the machine to itself.

It starts the program with an empty data folder, opens the longest question, and has a phone in Chromium scan the QR
code for the first time, its cache empty and its processor slowed down six times. The medians of so many visits:

- first paint: the first text or picture (First Contentful Paint);
- scripts ready: all have run, so that an answer is sent without loading a page; the plain form works from first paint;
- line up: pushes reach the page;
- layout shift: how much what is seen has moved (Cumulative Layout Shift).

All from the moment the address is opened. docs/accessibility.md has the aims, and what was measured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.measure import join_token
from bench.phones import Facilitator
from bench.program import Program, free_port, running

LONGEST = "tackling-inequality-04"
SLOWER = 6  # times, for the processor
HOST = "museum.lan"  # no loopback name, which browsers treat otherwise
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 664}, "is_mobile": True, "has_touch": True}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
MEASURES = ("first paint", "scripts ready", "line up", "layout shift")

_WATCH = """
window.shift = 0; window.lineUp = new Promise((up) => addEventListener("DOMContentLoaded", () => {
  const root = document.documentElement, look = () => root.dataset.io === "up" && up(performance.now());
  new MutationObserver(look).observe(root, {attributes: true}); look();
}));
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
}).observe({type: "layout-shift", buffered: true});
"""
_READ = """async () => {
  const line = await window.lineUp;
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  return [paint, performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd, line, window.shift];
}"""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the program: milliseconds before each answer, bytes a second; 0 bytes for no limit."""

    name: str
    latency: int
    throughput: int


LINKS = (
    Link("no limit", 0, 0),
    Link("1.6 Mbit/s, 150 ms", 150, 200_000),
    Link("400 kbit/s, 400 ms", 400, 50_000),
)


async def open_question(program: Program) -> str:
    """Set a session up and open the longest question; its join code."""
    facilitator = Facilitator(program.origin)
    await facilitator.enter(program.link())
    code = await facilitator.set_up("A slow link", 1)
    await facilitator.post(f"/f/{code}/agenda", {"key": LONGEST})
    await facilitator.look()
    await facilitator.move("goto", facilitator.console.agenda[-1])
    return code


def visit(browser: Browser, address: str, link: Link) -> list[float]:
    """Open the address on a phone that was never here: seconds for each of MEASURES, and the shift."""
    context = browser.new_context(**PHONE)
    context.add_init_script(_WATCH)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if link.throughput:
        limits = {"latency": link.latency, "downloadThroughput": link.throughput, "uploadThroughput": link.throughput}
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", {"offline": False, **limits})
    page.goto(address)
    *times, shift = page.evaluate(_READ)
    context.close()
    return [*(time / 1000 for time in times), shift]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="How soon a phone sees its ballot on a slow link.")
    parser.add_argument("--visits", type=int, default=5, help="how many first visits each link makes")
    visits = parser.parse_args().visits
    port = free_port()
    settings = {"PUBLIC_URL": f"http://{HOST}:{port}"}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), port, settings) as program:
        code = asyncio.run(open_question(program))
        address = f"{settings['PUBLIC_URL']}/j/{join_token(Path(folder), code)}"
        print(f"medians of {visits}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        print(f"| Link | {' | '.join(MEASURES)} |\n|---|---|---|---|---|")
        with sync_playwright() as playwright:
            chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
            for link in LINKS:
                each = zip(*(visit(browser, address, link) for _ in range(visits)), strict=True)
                print(f"| {link.name} | {' | '.join(f'{statistics.median(one):.2f}' for one in each)} |", flush=True)


if __name__ == "__main__":
    main()
