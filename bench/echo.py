"""A server that does nothing: it answers every request at once. What the load generator reaches against it is the most
that it could ever see of another server. It takes PORT."""

from __future__ import annotations

import asyncio
import os

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Echo(asyncio.Protocol):
    """One connection. A request is taken to be what comes at once, which on loopback it is."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._transport.write(ANSWER)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", int(os.environ["PORT"]), backlog=4096)
    print("It listens.", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
