"""Device secrets, slots, and ballots sealed with the key of their round. Pure.

It exists so that the database never holds who chose what: a row is `(round, slot, seq, sealed)`. The slot is made from
the round key and the phone's secret, the choice is encrypted with a key derived from the round key, and once the round
key is destroyed (keys.py) neither says anything to anybody. Every sealed ballot has the same length.

The 16 bytes that are sealed:

    0       version (high four bits, 1) and kind (low four bits: 1 is a choice, 2 is dots)
    1 to 3  a choice in byte 1, counted from 1 in CHOICES; or the options with a dot, ascending, nought for none
    4       the direction, counted from 0 in Direction
    5       the role, counted from 1 in ROLES, 0 for none
    6 to 15 nought
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

# The order of these three is what the bytes of a sealed ballot mean: append to them, never reorder.
CHOICES = ("1", "2", "3", "4", "5", "DK", "NR")
"""What a ballot can say of a question: a point of the scale, "don't know", or "not relevant to us"."""

MOST_DOTS, MOST_OPTIONS = 3, 12
"""What a ballot can say in a dot vote: at most so many dots, each on another of so many options."""

ROLES = ("trustee", "staff", "volunteer", "other")
"""What a person can say about themselves, where the workshop asks."""


class Direction(StrEnum):
    """From the second round on: what the phone says against its own earlier answer. UNKNOWN where it says nothing."""

    UP = "up"
    SAME = "same"
    DOWN = "down"
    UNKNOWN = "unknown"


SECRET_BYTES = 16
"""Length of a device secret."""

SLOT_BYTES = 16
"""Length of a slot."""

KEY_BYTES = 32
"""Length of a round key."""

SEALED_BYTES = 44
"""Length of every sealed ballot: nonce 12, ballot 16, tag 16."""

_NONCE_BYTES = 12
_PLAIN_BYTES = 16
_A_CHOICE, _SOME_DOTS = 0x11, 0x12  # version 1, kind 1 or 2
_DOTS = re.compile(r"d(?:[0-9]{1,2}(?:\.[0-9]{1,2}){0,11})?", re.ASCII)
_DIRECTIONS = tuple(Direction)


# No repr: a choice must not reach a log by way of an error report.
@dataclass(frozen=True, slots=True, repr=False)
class Ballot:
    """One answer: a choice of CHOICES or dots as `dots` writes them, a direction, and a role of ROLES or None.

    ValueError for anything else.
    """

    choice: str
    direction: Direction = Direction.UNKNOWN
    role: str | None = None

    def __post_init__(self) -> None:
        if self.choice not in CHOICES and self.choice != dots(placed(self.choice)):
            raise ValueError("no such choice")
        if self.direction not in _DIRECTIONS:
            raise ValueError("no such direction")
        if self.role is not None and self.role not in ROLES:
            raise ValueError("no such role")


def dots(options: Iterable[int]) -> str:
    """Dots on these options (from 1) as a ballot's choice: "d2.5.9", and "d" for none.

    ValueError for more dots than there are, two on one option, or an option there cannot be.
    """
    chosen = sorted(options)
    if len(chosen) > MOST_DOTS or len(set(chosen)) < len(chosen) or not all(1 <= n <= MOST_OPTIONS for n in chosen):
        raise ValueError("no such dots")
    return "d" + ".".join(map(str, chosen))


def placed(choice: str) -> tuple[int, ...]:
    """The options on which a choice of a dot vote puts its dots, as they stand in it. ValueError if it is none."""
    if not _DOTS.fullmatch(choice):
        raise ValueError("no such choice")
    return tuple(int(number) for number in choice[1:].split(".") if number)


def new_device_secret() -> bytes:
    """A fresh secret of 16 bytes for one browser in one workshop; it is kept in that browser's cookie only."""
    return secrets.token_bytes(SECRET_BYTES)


def sign_device(workshop_key: bytes, secret: bytes) -> str:
    """The cookie text `secret.mac` (66 url-safe characters) by which this server knows its own device secret again.

    workshop_key: any length but empty; deleted when the workshop is finished. ValueError for an empty key or a secret
    that is not 16 bytes.
    """
    _demand_secret(secret)
    if not workshop_key:
        raise ValueError("the workshop key is empty")
    mac = hmac.digest(workshop_key, b"device" + secret, "sha256")
    return f"{_text(secret)}.{_text(mac)}"


def read_device(workshop_key: bytes, cookie: str) -> bytes | None:
    """The device secret in a cookie of `sign_device`, or None when it is not exactly one of this workshop's."""
    # Cookies come from strangers; compare_digest takes no text beyond ASCII.
    if not cookie.isascii():
        return None
    try:
        secret = urlsafe_b64decode(cookie.partition(".")[0] + "==")
        expected = sign_device(workshop_key, secret)
    except ValueError:
        return None
    # The whole text is compared, not only the mac: base64 can write the same bytes in more than one way, and one
    # device must have one cookie.
    return secret if hmac.compare_digest(expected, cookie) else None


def slot_of(round_key: bytes, secret: bytes) -> bytes:
    """Where this device's ballot of this round is filed: 16 bytes, the same for every change of mind in the round.

    Without the round key it cannot be computed nor traced back, and two rounds share none.
    ValueError for wrong lengths. Source: HMAC-SHA256(round key, "slot" | secret), the first 16 bytes.
    """
    _demand_key(round_key)
    _demand_secret(secret)
    return hmac.digest(round_key, b"slot" + secret, "sha256")[:SLOT_BYTES]


def seal(round_key: bytes, round_id: int, slot: bytes, ballot: Ballot) -> bytes:
    """The ballot encrypted for this slot of this round: 44 bytes, different each time.

    Slot and round are bound in as associated data: moved to another row, it does not open. ValueError for a key, slot
    or round that cannot be.
    """
    bound_to = _bound_to(round_id, slot)
    a_choice = ballot.choice in CHOICES
    said = (CHOICES.index(ballot.choice) + 1,) if a_choice else placed(ballot.choice)
    plain = bytes(
        [
            _A_CHOICE if a_choice else _SOME_DOTS,
            *said,
            *bytes(MOST_DOTS - len(said)),
            _DIRECTIONS.index(ballot.direction),
            0 if ballot.role is None else ROLES.index(ballot.role) + 1,
        ]
    ).ljust(_PLAIN_BYTES, b"\0")
    # Fresh for every sealing, also of the same slot: a nonce used twice would show how two answers differ.
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(round_key).encrypt(nonce, plain, bound_to)


def unseal(round_key: bytes, round_id: int, slot: bytes, sealed: bytes) -> Ballot:
    """The ballot that was sealed with this key for this slot of this round.

    ValueError for everything else: another key, round or slot, a changed byte, another length, an unknown version or
    kind, or any byte that no ballot of this version has. The error never carries what was inside.
    """
    bound_to = _bound_to(round_id, slot)
    if len(sealed) != SEALED_BYTES:
        raise ValueError("a sealed ballot has another length")
    try:
        plain = _cipher(round_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except InvalidTag:
        raise ValueError("this ballot does not open with this key, round and slot") from None
    kind, said, (direction, role) = plain[0], plain[1:4], plain[4:6]
    if direction >= len(_DIRECTIONS) or role > len(ROLES) or any(plain[6:]):
        raise ValueError("what was sealed is not a ballot of this version")
    return Ballot(_choice(kind, said), _DIRECTIONS[direction], ROLES[role - 1] if role else None)


def _choice(kind: int, said: bytes) -> str:
    """The choice in the three bytes that hold it. ValueError for bytes that `seal` does not write."""
    if kind == _A_CHOICE and 1 <= said[0] <= len(CHOICES) and not any(said[1:]):
        return CHOICES[said[0] - 1]
    options = said.rstrip(b"\0")
    if kind == _SOME_DOTS and list(options) == sorted(options):
        return dots(options)
    raise ValueError("what was sealed is not a ballot of this version")


def _cipher(round_key: bytes) -> ChaCha20Poly1305:
    # A key of its own for sealing: one key should not serve both HMAC (the slots) and a cipher.
    _demand_key(round_key)
    return ChaCha20Poly1305(hmac.digest(round_key, b"seal", "sha256"))


def _bound_to(round_id: int, slot: bytes) -> bytes:
    if not 1 <= round_id < 2**63:
        raise ValueError("a round has a positive number")
    if len(slot) != SLOT_BYTES:
        raise ValueError("a slot is 16 bytes")
    return slot + round_id.to_bytes(8, "big")


def _demand_key(round_key: bytes) -> None:
    if len(round_key) != KEY_BYTES:
        raise ValueError("a round key is 32 bytes")


def _demand_secret(secret: bytes) -> None:
    if len(secret) != SECRET_BYTES:
        raise ValueError("a device secret is 16 bytes")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
