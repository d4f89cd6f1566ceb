"""What a disk holds after the power went: files rebuilt from the changes that shim.c noted.

A flushed file (fsync) keeps all that was written before; of what was not flushed, anything may be there or not, in any
mixture, cut at a sector. A new or removed name is sure once its folder was flushed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log; `end` is where the next begins. kind: Write, Truncate, Sync, Create, Unlink, or Directory,
    which is the flush of a folder."""

    kind: str
    path: str
    offset: int
    data: bytes
    end: int


def read_log(log: Path) -> list[Change]:
    """All that was noted, in order; the record that a kill cut short is left out."""
    raw = log.read_bytes() if log.exists() else b""
    return list(_changes(raw))


def _changes(raw: bytes) -> Iterator[Change]:
    at = 0
    while (line := raw.find(b"\n", at)) > 0:
        kind, offset, length, path = raw[at:line].decode().split(" ", 3)
        end = line + 1 + (int(length) if kind == "W" else 0)
        if end > len(raw):
            return
        yield Change(kind, path, int(offset), raw[line + 1 : end], end)
        at = end


@dataclass
class _File:
    sure: bytearray = field(default_factory=bytearray)
    loose: list[Change] = field(default_factory=list)


def after_a_cut(changes: Sequence[Change], root: Path, dice: random.Random | None = None) -> dict[str, bytes]:
    """name in `root` -> content, when the power goes right after these changes.

    Without dice: only what was flushed. With dice: any part of what was not flushed has reached the disk too. SQLite's
    index of its log (-shm) is left out, as it holds nothing that is not in the log.
    """
    now: dict[str, _File] = {}
    sure: dict[str, _File] = {}
    for change in changes:
        path = Path(change.path)
        if change.kind == "D":
            if path == root:
                sure = dict(now)
            continue
        if path.parent != root or path.name.endswith("-shm"):
            continue
        if change.kind == "C":
            now[path.name] = _File()
        elif change.kind == "U":
            now.pop(path.name, None)
        elif change.kind == "S":
            file = now[path.name]
            for loose in file.loose:
                _apply(file.sure, loose)
            file.loose.clear()
        else:
            now[path.name].loose.append(change)
    found = sure
    if dice is not None:
        found = {
            name: file
            for name, file in {**sure, **now}.items()
            if sure.get(name) is now.get(name) or dice.random() < 0.5
        }
    return {name: _with_luck(file, dice) for name, file in found.items()}


def _with_luck(file: _File, dice: random.Random | None) -> bytes:
    content = bytearray(file.sure)
    for change in file.loose if dice is not None else ():
        luck = dice.random() if dice else 0.0
        if luck < 0.5:
            _apply(content, change)
        elif luck < 0.7 and len(change.data) > SECTOR and dice:
            whole = SECTOR * dice.randrange(1, -(-len(change.data) // SECTOR))
            _apply(content, Change("W", change.path, change.offset, change.data[:whole], 0))
    return bytes(content)


def _apply(content: bytearray, change: Change) -> None:
    if change.kind == "T":
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
    else:
        content.extend(bytes(max(0, change.offset - len(content))))
        content[change.offset : change.offset + len(change.data)] = change.data
