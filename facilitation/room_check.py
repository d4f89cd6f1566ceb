"""The room check: whether a phone gets through to this computer, found out before people come. Memory only.

A phone that opens the check's address arrives without joining: it gets no cookie, is not counted, and nothing of it is
kept but that one came. What is opened on this computer itself proves nothing, because it never leaves it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

LONG = 30.0  # seconds after which something is wrong: scanning a code takes ten


class Seen(StrEnum):
    """What has come so far."""

    WAITING = "waiting"
    NOTHING = "nothing"  # and it has been long
    HERE = "here"  # only this computer itself
    PHONE = "phone"


@dataclass(slots=True)
class Check:
    """One session's check. `token` stands in the address that the phone opens."""

    began: float
    token: str = field(default_factory=lambda: secrets.token_urlsafe(8))
    phone: bool = False
    here: bool = False


class Checks:
    """The checks of this process. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._checks: dict[int, Check] = {}

    def of(self, workshop_id: int) -> Check:
        """The check of a session; it begins when somebody first asks for it."""
        return self._checks.setdefault(workshop_id, Check(self._clock()))

    def again(self, workshop_id: int) -> None:
        """Begin anew, with another address: a page that is still open on a phone does not count."""
        self._checks[workshop_id] = Check(self._clock())

    def arrive(self, workshop_id: int, token: str, from_outside: bool) -> bool:
        """Something opened the address; whether it was one of this session's check."""
        check = self._checks.get(workshop_id)
        if check is None or not hmac.compare_digest(check.token.encode(), token.encode()):
            return False
        check.phone |= from_outside
        check.here |= not from_outside
        return True

    def seen(self, workshop_id: int) -> Seen:
        """How the check of a session stands."""
        check = self.of(workshop_id)
        if check.phone:
            return Seen.PHONE
        if check.here:
            return Seen.HERE
        return Seen.NOTHING if self._clock() - check.began >= LONG else Seen.WAITING
