"""A forensic search: every form in which bytes could stand in a file, in every file there is."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path


def forms(secret: bytes) -> set[bytes]:
    """How these bytes may be written: raw, in hexadecimal, in base64 at any of its offsets, as Python shows them."""
    text = {secret.hex().encode(), secret.hex().upper().encode(), repr(secret)[2:-1].encode()}
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # without the characters at either end that neighbours would change
            whole = encode(bytes(before) + secret)
            text.add(whole[-(-8 * before // 6) : (before + len(secret)) * 8 // 6])
    return {secret, *text}


def files_in(*places: Path) -> dict[str, bytes]:
    """Every file in these folders, and these files, with its content."""
    found: dict[str, bytes] = {}
    for place in places:
        paths = sorted(place.rglob("*")) if place.is_dir() else [place]
        found |= {str(path): path.read_bytes() for path in paths if path.is_file()}
    return found


def found(secrets: Iterable[bytes], files: dict[str, bytes]) -> int:
    """How many of these secrets stand, in any form, in any of these files."""
    return sum(any(form in content for content in files.values() for form in forms(secret)) for secret in secrets)
