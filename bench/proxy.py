"""A bad network in front of the program: a TCP proxy that delays, loses, cuts and falls silent, as it is told.

It stands in for tools that shape packets, which need rights and kernel modules. It works on what arrives, not on
packets: a lost packet shows itself to TCP as a pause, so `loss` is the share of pieces that come only after the pause
in which they would have been sent again, and what follows on that connection waits behind them, as it does in reality.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Self

SENT_AGAIN_AFTER = 0.2  # seconds: the shortest time in which Linux takes a packet for lost; doubled each time


@dataclass
class Network:
    """How bad the network is, from now on."""

    delay: float = 0.0  # seconds, one way
    loss: float = 0.0  # 0 to 1
    down: bool = False  # nothing passes, nobody is told


@dataclass
class Proxy:
    """Listens on a free port of loopback and passes everything on to `port`. `async with` it, in the clients' loop."""

    port: int
    network: Network = field(default_factory=Network)
    seed: int = 1

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._lines: set[asyncio.Transport] = set()
        self._up = asyncio.Event()
        self._up.set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(self), "127.0.0.1", 0, backlog=4096)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    @property
    def origin(self) -> str:
        """Where clients reach the program through this network."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def falls_silent(self) -> None:
        """From now on nothing passes; connections stay, as on a phone that has walked out of the Wi-Fi's reach."""
        self.network.down = True
        self._up.clear()

    def returns(self) -> None:
        """What has not been given up passes again."""
        self.network.down = False
        self._up.set()

    def cut(self) -> None:
        """End every connection without a farewell."""
        for line in list(self._lines):
            line.abort()

    async def wait(self) -> None:
        """As long as this piece takes to arrive."""
        pause, again = self.network.delay, SENT_AGAIN_AFTER
        while self._chance.random() < self.network.loss:
            pause, again = pause + again, 2 * again
        if pause:
            await asyncio.sleep(pause)
        await self._up.wait()


class _End(asyncio.Protocol):
    """One end of a connection; what comes in here goes out at the other end, later."""

    def __init__(self, proxy: Proxy, other: _End | None = None) -> None:
        self._proxy, self.other = proxy, other
        self.transport: asyncio.Transport | None = None
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._proxy._lines.add(transport)
        self._task = asyncio.ensure_future(self._carry())

    def data_received(self, data: bytes) -> None:
        self._arrives = max(getattr(self, "_arrives", 0.0), asyncio.get_running_loop().time())
        self._pieces.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self.transport is not None
        self._proxy._lines.discard(self.transport)
        self._pieces.put_nowait(b"")

    async def _carry(self) -> None:
        loop = asyncio.get_running_loop()
        if self.other is None:
            try:
                _, made = await loop.create_connection(lambda: _End(self._proxy, self), "127.0.0.1", self._proxy.port)
            except OSError:
                assert self.transport is not None
                self.transport.abort()
                return
            self.other = made
        while data := await self._pieces.get():
            await self._proxy.wait()
            if self.other.transport is not None and not self.other.transport.is_closing():
                self.other.transport.write(data)
        if self.other.transport is not None:
            await self._proxy.wait()
            self.other.transport.close()
