"""Hears one push on many lines at once, as fast as a process of Python can: for timing broadcasts.

asyncio needs about as long to take a message as a good server needs to send it, and would be what is measured. So for
the length of one push the sockets of the lines are read here, by epoll and nothing else, and what was read is given to
the lines afterwards.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Sequence

from bench.phones import PATIENCE, Line, _take_frame


def hear(lines: Sequence[Line], port: int, request: bytes) -> tuple[list[float], bytes]:
    """Send a whole HTTP request that makes the server push once to every line.

    Returns the seconds from the request to each line's push, sorted, and the answer. TimeoutError if one never comes.
    """
    waiting = {line.transport.get_extra_info("socket").fileno(): line for line in lines}
    heard = {fd: bytearray() for fd in waiting}
    took: list[float] = []
    with select.epoll() as poll, socket.create_connection(("127.0.0.1", port)) as asking:
        for fd in waiting:
            poll.register(fd, select.EPOLLIN)
        asking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        asking.sendall(request)
        while len(took) < len(waiting):
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError("a push never came")
            for fd, _ in poll.poll(1.0):
                heard[fd] += os.read(fd, 1 << 16)
                if _has_push(heard[fd]):
                    took.append(time.perf_counter() - began)
                    poll.unregister(fd)
        answer = _answer(asking)
    for fd, line in waiting.items():
        line.data_received(bytes(heard[fd]))
    return took, answer


def _has_push(data: bytearray) -> bool:
    """Whether a whole message that holds an event is in these bytes; pings may stand before it."""
    rest = bytearray(data)
    while (found := _take_frame(rest)) is not None:
        if found[2][:2] == b"42":
            return True
    return False


def _answer(asking: socket.socket) -> bytes:
    asking.settimeout(PATIENCE)
    data = b""
    while b"\r\n\r\n" not in data:
        data += asking.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += asking.recv(1 << 16)
    return body
