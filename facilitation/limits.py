"""How often join codes may be guessed. Memory only; the QR link never comes here, its token is too long to guess.

Six digits can be tried out, so wrong ones are counted: past 20 in a minute from one address, or 30 in all, every typed
code from there, right or wrong, waits its turn, one in two seconds. None is refused for having come, and before that
nobody waits: a whole room types its code from one address. Only when 30 wait already is the next one sent away for a
minute, because a queue without an end would be a way to use up the server.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter, deque
from collections.abc import Callable

from facilitation.errors import TooMany
from facilitation.language import _

WINDOW = 60.0  # seconds for which a wrong code is remembered, and its address with it
FREE_FROM_ONE = 20
FREE_IN_ALL = 30
TURN = 2.0  # seconds between two codes of one queue
LONGEST_QUEUE = 30
_EVERYBODY = b""  # the queue for all; no address hashes to it


class TypedCodes:
    """Counts wrong join codes and makes typed ones wait. `now` gives monotonic seconds, `sleep` waits that many."""

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._now = now
        self._sleep = sleep
        self._salt = secrets.token_bytes(16)
        self._wrong: deque[tuple[float, bytes]] = deque()
        self._wrong_from: Counter[bytes] = Counter()
        self._next_turn: dict[bytes, float] = {}

    def wait(self, address: str) -> None:
        """Wait until a code typed at this address may be looked up. Raises TooMany when too many wait already."""
        now = self._now()
        self._forget(now)
        who = self._tag(address)
        if len(self._wrong) >= FREE_IN_ALL:
            queue = _EVERYBODY
        elif self._wrong_from[who] >= FREE_FROM_ONE:
            queue = who
        else:
            return
        turn = max(now, self._next_turn.get(queue, now))
        if turn - now > LONGEST_QUEUE * TURN:
            raise TooMany(_("Too many wrong codes. Wait a minute, then try again."))
        self._next_turn[queue] = turn + TURN
        if turn > now:
            self._sleep(turn - now)

    def wrong(self, address: str) -> None:
        """Note that a code typed at this address belongs to no session."""
        who = self._tag(address)
        self._wrong.append((self._now(), who))
        self._wrong_from[who] += 1

    def remembered(self) -> int:
        """How many addresses are known at this moment, as hashes."""
        self._forget(self._now())
        return len(self._wrong_from)

    def _forget(self, now: float) -> None:
        while self._wrong and self._wrong[0][0] <= now - WINDOW:
            _at, who = self._wrong.popleft()
            self._wrong_from[who] -= 1
            if not self._wrong_from[who]:
                del self._wrong_from[who]
        for queue in [queue for queue, turn in self._next_turn.items() if turn <= now]:
            del self._next_turn[queue]

    def _tag(self, address: str) -> bytes:
        """What stands for an address here; it means nothing outside this process."""
        return hashlib.blake2s(address.encode(), key=self._salt, digest_size=8).digest()
