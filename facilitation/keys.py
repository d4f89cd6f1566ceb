"""The key file: one key for each open round, outside the database, destroyed in place when the round closes.

It exists because deleting ballots from a database is not enough: rows survive in logs, backups and free pages. Without
their key they are noise. So keys never pass through SQL, the file never changes its length, and a key is overwritten
where it lies. What that cannot reach (snapshots, copy-on-write, the remapping of an SSD) is said in SECURITY.md.

The file is a row of slots of 64 bytes, nought when free:

    0 to 7    the round's number, most significant byte first
    8 to 39   the key
    40 to 63  the first 24 bytes of SHA-256("hallmarks-workshop key 1" | number | key)

A slot whose checksum is wrong, such as one that was being written when the power went, holds no key.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facilitation.errors import Refused, StorageTrouble
from facilitation.language import _, mark

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# 64 divides every sector size, so no slot lies across two sectors.
_SLOT = 64
_FREE = bytes(_SLOT)
_LABEL = b"hallmarks-workshop key 1"
_ASK_AGAIN = 0.002  # seconds


class _Mine(threading.local):
    """What one thread, or one greenlet under gevent, has of the lock: how deep, and the descriptor that holds it."""

    depth = 0
    fd = -1


class KeyFile:
    """The keys of the open rounds in one file that all workers share.

    path: the file, created with mode 0600 when it is first locked; its folder must exist, be local (or honour flock),
    and stay out of every backup. slots: how many rounds may be open at once; a longer file is left as long as it is.
    Use one object for a path in a process: nested locks of two objects would wait for each other.

    Every method raises StorageTrouble when the disk does not do its part, and ValueError for a round below 1.
    It calls fsync, so make and destroy keys in a thread that may wait; under gevent in a thread of its pool.
    """

    # A key that ballots are being sealed with is kept in memory, or each ballot would read the 16 KiB again. Destroying
    # it forgets it here too; one that another worker destroyed is forgotten by the next `destroy_all_except`, within
    # seconds. Until then it seals nothing that is filed: the writer refuses a ballot whose round is not open.

    def __init__(self, path: Path, slots: int = 256) -> None:
        self._path = path
        self._slots = slots
        self._mine = _Mine()
        self._kept: dict[int, bytes] = {}
        self._changes = 0  # slots written by this object

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Exclusive use of the key file, across threads and processes; a thread that has it may take it again.

        Opening a round and cleaning up hold it for their whole length, so that no worker destroys the key of a round
        that another is just opening. Reading does not need it.
        """
        mine = self._mine
        if mine.depth == 0:
            with _trouble("opened"):
                mine.fd = self._open_locked()
        mine.depth += 1
        try:
            yield
        finally:
            mine.depth -= 1
            if mine.depth == 0:
                # Unlocked by name before it is closed: a forked child may hold the same descriptor.
                try:
                    unlock(mine.fd)
                finally:
                    os.close(mine.fd)

    def make(self, round_id: int) -> bytes:
        """A fresh key of 32 bytes for a round that is about to open; on disk when this returns.

        Made again for the same round, the new key takes the place of the old: only an opening that was rolled back can
        have left one behind, so no ballot is lost, and no key ever serves twice. Raises Refused when the file is full.
        """
        _demand(round_id)
        with self.locked(), _trouble("written"):
            slots = self._all()
            mine = [index for index, slot in enumerate(slots) if _round_in(slot) == round_id]
            free = [index for index, slot in enumerate(slots) if _round_in(slot) is None]
            if not mine and not free:
                raise Refused(
                    _(
                        "%(num)s rounds of voting are open at the same time, and there is room for no more keys. Close "
                        "voting in another session, then open this question again.",
                        num=len(slots),
                    )
                )
            key = secrets.token_bytes(32)
            self._put((mine or free)[0], _slot_with(round_id, key))
            self._kept.pop(round_id, None)  # `kept` may hold the one before
            return key

    def read(self, round_id: int) -> bytes | None:
        """The key of an open round, or None when there is none: never made, torn, or destroyed."""
        _demand(round_id)
        with _trouble("read"):
            return next((slot[8:40] for slot in self._all() if _round_in(slot) == round_id), None)

    def kept(self, round_id: int) -> bytes | None:
        """The key of an open round for sealing ballots, from memory if it has been asked for before.

        It may have been destroyed by another worker since. What counts ballots uses `read`.
        """
        key = self._kept.get(round_id)
        if key is None:
            changes, key = self._changes, self.read(round_id)
            if key is not None:
                self._kept[round_id] = key
            if changes != self._changes:  # what was just read may be gone already
                self._kept.pop(round_id, None)
        return key

    def destroy(self, round_id: int) -> None:
        """Overwrite the key of a round, for good once this returns. May be repeated; without a key nothing happens."""
        _demand(round_id)
        self._kept.pop(round_id, None)
        with self.locked():
            self._wipe([round_id])
        self._kept.pop(round_id, None)  # `kept` may have read it again before it was wiped

    def destroy_all_except(self, round_ids: Collection[int]) -> list[int]:
        """Overwrite every key but those of these rounds, and the remains of torn writes; the rounds gone, sorted."""
        self._forget_all_except(round_ids)
        with self.locked(), _trouble("read"):
            there = {found for slot in self._all() if (found := _round_in(slot)) is not None}
            gone = sorted(there.difference(round_ids))
            self._wipe(gone)
        self._forget_all_except(round_ids)  # as in `destroy`
        return gone

    def _forget_all_except(self, round_ids: Collection[int]) -> None:
        for forgotten in set(self._kept).difference(round_ids):
            self._kept.pop(forgotten, None)

    def _wipe(self, round_ids: Collection[int]) -> None:
        with _trouble("written"):
            for index, slot in enumerate(self._all()):
                found = _round_in(slot)
                # Under the lock nobody is in the middle of writing, so a slot that is neither free nor whole is what a
                # crash left of a key, perhaps of this one.
                if found in round_ids or (found is None and slot != _FREE):
                    self._put(index, _FREE)

    def _all(self) -> list[bytes]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        return [data[start : start + _SLOT] for start in range(0, len(data) - _SLOT + 1, _SLOT)]

    def _put(self, index: int, slot: bytes) -> None:
        _write(self._mine.fd, index * _SLOT, slot)
        self._changes += 1
        _flush(self._mine.fd)

    def _open_locked(self) -> int:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            # Every holder has opened the file for itself, so this parts threads as well as processes. It asks again and
            # again instead of waiting in the call, and there is no lock of `threading` before it, because of gevent: in
            # one thread a greenlet that waits in the call would never let the holder go on, and a patched RLock that
            # two threads of gevent's pool contend for hangs. Opening and closing rounds contend rarely.
            while not lock(fd):
                time.sleep(_ASK_AGAIN)
            if sys.platform != "win32" and os.fstat(fd).st_mode & 0o777 != 0o600:
                # A file that came here by copying may be open to others; a memory stick (FAT) knows no modes.
                with suppress(PermissionError):
                    os.fchmod(fd, 0o600)
            length, wanted = os.fstat(fd).st_size, self._slots * _SLOT
            if length < wanted:
                # Real noughts, not a hole: a full disk must be found out now, and a key must have its place already.
                _write(fd, length, bytes(wanted - length))
                _flush(fd)
                _flush_folder(self._path.parent)
        except BaseException:
            os.close(fd)
            raise
        return fd


def _demand(round_id: int) -> None:
    if not 1 <= round_id < 2**63:
        raise ValueError("a round has a positive number")


def _slot_with(round_id: int, key: bytes) -> bytes:
    body = round_id.to_bytes(8, "big") + key
    return body + hashlib.sha256(_LABEL + body).digest()[:24]


def _round_in(slot: bytes) -> int | None:
    if slot == _FREE:
        return None
    round_id = int.from_bytes(slot[:8], "big")
    return round_id if slot == _slot_with(round_id, slot[8:40]) else None


_TROUBLE = {
    "opened": mark("The key file could not be opened: %(why)s. Nothing was lost: please try again."),
    "read": mark("The key file could not be read: %(why)s. Nothing was lost: please try again."),
    "written": mark("The key file could not be written: %(why)s. Nothing was lost: please try again."),
}


@contextmanager
def _trouble(done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or "unknown fault"
        raise StorageTrouble(_(_TROUBLE[done], why=why)) from error


def _write(fd: int, start: int, data: bytes) -> None:
    # lseek and write, because Windows has no pwrite; the descriptor is ours alone while we hold the lock.
    os.lseek(fd, start, os.SEEK_SET)
    while data:
        data = data[os.write(fd, data) :]


def _flush(fd: int) -> None:
    os.fsync(fd)
    if sys.platform == "darwin":
        # There fsync leaves the data in the drive's own cache.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)


def _flush_folder(folder: Path) -> None:
    # Without this a power cut can lose the new file's name. Windows cannot open a folder and does not need it.
    if sys.platform != "win32":
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


if sys.platform == "win32":
    # Locks are mandatory there: this one lies far behind the last slot, so that reading goes on beside it.
    _LOCK_AT = 1 << 30

    def lock(fd: int) -> bool:
        """Take an open file for oneself; whether that succeeded. Whoever opened it anew, in this process too, waits."""
        os.lseek(fd, _LOCK_AT, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def unlock(fd: int) -> None:
        """Give it free."""
        os.lseek(fd, _LOCK_AT, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:

    def lock(fd: int) -> bool:
        """Take an open file for oneself; whether that succeeded. Whoever opened it anew, in this process too, waits."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(fd: int) -> None:
        """Give it free."""
        fcntl.flock(fd, fcntl.LOCK_UN)
