"""Device secrets, slots, and ballots sealed with the key of their round. Pure.

It exists so that the database never holds who chose what: a row is `(round, slot, seq, sealed)`. The slot is made from
the round key and the phone's secret, the choice is encrypted with a key derived from the round key, and once the round
key is destroyed (keys.py) neither says anything to anybody. Every sealed ballot has the same length.

The 16 bytes that are sealed:

    0       version (high four bits, 1) and kind (low four bits: 1 is a choice, 2 is kept for a dot vote)
    1 to 3  the choice in byte 1, counted from 1 in CHOICES; a dot vote will use all three
    4       the direction, counted from 0 in Direction
    5       the role, counted from 1 in ROLES, 0 for none
    6 to 15 nought
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

# The order of these three is what the bytes of a sealed ballot mean: append to them, never reorder.
CHOICES = ("1", "2", "3", "4", "5", "DK", "NR")
"""What a ballot can say: a point of the scale, "don't know", or "not relevant to us"."""

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
_A_CHOICE = 0x11  # version 1, kind 1
_DIRECTIONS = tuple(Direction)


# No repr: a choice must not reach a log by way of an error report.
@dataclass(frozen=True, slots=True, repr=False)
class Ballot:
    """One answer: a choice of CHOICES, a direction, and a role of ROLES or None. ValueError for anything else."""

    choice: str
    direction: Direction = Direction.UNKNOWN
    role: str | None = None

    def __post_init__(self) -> None:
        if self.choice not in CHOICES:
            raise ValueError("no such choice")
        if self.direction not in _DIRECTIONS:
            raise ValueError("no such direction")
        if self.role is not None and self.role not in ROLES:
            raise ValueError("no such role")


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
    plain = bytes(
        [
            _A_CHOICE,
            CHOICES.index(ballot.choice) + 1,
            0,
            0,
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
    kind, choice, second, third, direction, role = plain[:6]
    if (
        kind != _A_CHOICE
        or not 1 <= choice <= len(CHOICES)
        or second
        or third
        or direction >= len(_DIRECTIONS)
        or role > len(ROLES)
        or any(plain[6:])
    ):
        raise ValueError("what was sealed is not a ballot of this version")
    return Ballot(CHOICES[choice - 1], _DIRECTIONS[direction], ROLES[role - 1] if role else None)


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
