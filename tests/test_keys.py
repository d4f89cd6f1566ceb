"""The key file: a key is there until it is destroyed, and then no byte of it is."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facilitation.errors import Refused, StorageTrouble
from facilitation.keys import KeyFile

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other file modes and no folders to flush")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(path: Path) -> KeyFile:
    return KeyFile(path, slots=8)


def remains(key: bytes, data: bytes) -> list[int]:
    """Where any three neighbouring bytes of the key still stand."""
    return [at for at in range(len(key) - 2) if key[at : at + 3] in data]


def test_a_key_is_thirty_two_fresh_bytes_that_can_be_read_again(keys: KeyFile) -> None:
    made = [keys.make(round_id) for round_id in range(1, 9)]
    assert [keys.read(round_id) for round_id in range(1, 9)] == made
    assert len(set(made)) == 8
    assert {len(key) for key in made} == {32}


def test_a_round_that_was_never_opened_has_no_key(keys: KeyFile) -> None:
    assert keys.read(7) is None  # before there is a file
    keys.make(1)
    assert keys.read(7) is None


def test_a_key_outlives_the_program_that_made_it(keys: KeyFile, path: Path) -> None:
    assert KeyFile(path).read(5) is None
    key = keys.make(5)
    assert KeyFile(path).read(5) == key


def test_a_destroyed_key_leaves_no_byte_in_the_file(keys: KeyFile, path: Path) -> None:
    kept, doomed = keys.make(1), keys.make(2)
    assert len(remains(doomed, path.read_bytes())) == 30  # the search does find a key that is there
    keys.destroy(2)
    assert keys.read(2) is None
    assert keys.read(1) == kept
    assert remains(doomed, path.read_bytes()) == []
    keys.destroy(1)
    assert path.read_bytes() == bytes(8 * 64)


def test_a_key_kept_for_sealing_is_forgotten_when_it_is_destroyed_here_or_elsewhere(keys: KeyFile, path: Path) -> None:
    for forgotten in (keys.destroy, lambda _round_id: keys.destroy_all_except([])):
        key = keys.make(7)
        path_read = keys.kept(7)
        assert path_read == keys.kept(7) == key
        forgotten(7)
        assert keys.kept(7) is None
    keys.make(8)
    keys.kept(8)
    KeyFile(path, slots=8).destroy(8)  # another worker
    keys.destroy_all_except([])
    assert keys.kept(8) is None


@pytest.mark.parametrize("gone", [lambda keys: keys.destroy(7), lambda keys: keys.destroy_all_except([])])
@pytest.mark.parametrize("when", ["before it is wiped", "while it is read"])
def test_a_key_that_is_asked_for_while_it_is_destroyed_does_not_stay_in_memory(
    keys: KeyFile, monkeypatch: pytest.MonkeyPatch, gone: Callable[[KeyFile], object], when: str
) -> None:
    wipe, read = keys._wipe, keys.read

    def ask_and_wipe(round_ids: Collection[int]) -> None:
        keys.kept(7)
        wipe(round_ids)

    def read_too_late(round_id: int) -> bytes | None:
        key = read(round_id)
        gone(keys)
        return key

    keys.make(7)
    if when == "before it is wiped":
        monkeypatch.setattr(keys, "_wipe", ask_and_wipe)
        gone(keys)
    else:
        monkeypatch.setattr(keys, "read", read_too_late)
        keys.kept(7)
    monkeypatch.undo()
    assert keys.kept(7) is None
    assert keys._kept == {}


def test_a_key_made_again_is_the_one_that_ballots_are_sealed_with(keys: KeyFile) -> None:
    keys.make(7)
    keys.kept(7)
    new = keys.make(7)
    assert keys.kept(7) == new


def test_destroying_again_changes_nothing(keys: KeyFile, path: Path) -> None:
    keys.make(1)
    keys.destroy(2)
    before = path.read_bytes()
    keys.destroy(2)
    assert path.read_bytes() == before


def test_cleaning_up_keeps_the_open_rounds_and_names_the_others(keys: KeyFile, path: Path) -> None:
    made = {round_id: keys.make(round_id) for round_id in (9, 3, 5, 7)}
    assert keys.destroy_all_except({3, 7, 100}) == [5, 9]
    assert {round_id: keys.read(round_id) for round_id in made} == {9: None, 3: made[3], 5: None, 7: made[7]}
    assert remains(made[5], path.read_bytes()) == remains(made[9], path.read_bytes()) == []
    assert keys.destroy_all_except({3, 7}) == []


def test_a_key_made_again_takes_the_place_of_the_old_one(keys: KeyFile, path: Path) -> None:
    old = keys.make(4)
    new = keys.make(4)
    assert new != old
    assert keys.read(4) == new
    assert remains(old, path.read_bytes()) == []
    keys.destroy(4)
    assert path.read_bytes() == bytes(8 * 64)


def test_a_full_file_is_refused_in_words_and_keeps_every_key(keys: KeyFile, path: Path) -> None:
    for round_id in range(1, 9):
        keys.make(round_id)
    before = path.read_bytes()
    with pytest.raises(Refused, match="8 rounds of voting are open at the same time"):
        keys.make(9)
    assert path.read_bytes() == before
    keys.destroy(3)
    assert keys.make(9) == keys.read(9)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["make", "destroy", "keep"]), st.integers(1, 6)), max_size=12))
def test_the_file_agrees_with_a_dictionary_whatever_is_done(
    path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    path.unlink(missing_ok=True)
    keys, model = KeyFile(path, slots=4), dict[int, bytes]()
    ever = set[bytes]()
    for step, round_id in steps:
        if step == "make" and (round_id in model or len(model) < 4):
            model[round_id] = keys.make(round_id)
            ever.add(model[round_id])
        elif step == "make":
            with pytest.raises(Refused):
                keys.make(round_id)
        elif step == "destroy":
            keys.destroy(round_id)
            model.pop(round_id, None)
        else:
            assert keys.destroy_all_except([round_id]) == sorted(model.keys() - {round_id})
            model = {kept: key for kept, key in model.items() if kept == round_id}
        assert {r: keys.read(r) for r in range(1, 7)} == {r: model.get(r) for r in range(1, 7)}
    data = path.read_bytes() if steps else b""
    assert all(remains(key, data) == [] for key in ever - set(model.values()))


# ---- crashes


def test_a_slot_torn_at_any_byte_reads_as_no_key_and_is_used_again(keys: KeyFile, path: Path) -> None:
    keys.make(1)
    other = keys.make(2)
    whole = path.read_bytes()
    for cut in range(64):
        for torn in (whole[:cut] + bytes(64 - cut), bytes(cut) + whole[cut:64]):  # half made, half destroyed
            if torn == whole[:64]:  # the bytes that are missing happened to be noughts
                continue
            path.write_bytes(torn + whole[64:])
            assert keys.read(1) is None
            assert keys.read(2) == other


@pytest.mark.parametrize("half", ["made", "destroyed"])
def test_what_a_torn_write_left_of_a_key_is_wiped_by_cleaning_up(keys: KeyFile, path: Path, half: str) -> None:
    key, other = keys.make(1), keys.make(2)
    whole = path.read_bytes()
    torn = whole[:30] + bytes(34) if half == "made" else bytes(20) + whole[20:64]
    path.write_bytes(torn + whole[64:])
    assert remains(key, path.read_bytes()) != []
    assert keys.destroy_all_except([1, 2]) == []
    assert remains(key, path.read_bytes()) == []
    assert keys.read(2) == other


def test_closing_a_round_wipes_its_half_destroyed_key_too(keys: KeyFile, path: Path) -> None:
    key = keys.make(1)
    path.write_bytes(bytes(20) + path.read_bytes()[20:])  # the number of the round is gone already
    keys.destroy(1)
    assert remains(key, path.read_bytes()) == []


def test_a_torn_slot_is_free_for_the_next_round(path: Path) -> None:
    keys = KeyFile(path, slots=1)
    keys.make(1)
    path.write_bytes(path.read_bytes()[:40] + bytes(24))
    assert keys.make(2) == keys.read(2)


def test_a_file_cut_short_at_its_birth_is_completed(keys: KeyFile, path: Path) -> None:
    path.write_bytes(bytes(100))
    assert keys.read(1) is None
    key = keys.make(1)
    assert path.stat().st_size == 8 * 64
    assert keys.read(1) == key


def test_a_file_with_more_slots_keeps_them_all(keys: KeyFile, path: Path) -> None:
    made = [keys.make(round_id) for round_id in range(1, 9)]
    fewer = KeyFile(path, slots=2)
    assert [fewer.read(round_id) for round_id in range(1, 9)] == made
    fewer.destroy(8)
    assert path.stat().st_size == 8 * 64
    assert keys.read(8) is None


@pytest.fixture
def flushed(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes | str]:
    """What the file held at each fsync, and "folder" where the folder was flushed."""
    seen: list[bytes | str] = []

    def fsync(fd: int) -> None:
        seen.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else path.read_bytes())

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


@posix
def test_file_and_folder_are_on_disk_before_the_first_key(keys: KeyFile, flushed: list[bytes | str]) -> None:
    keys.make(1)
    assert flushed[:2] == [bytes(8 * 64), "folder"]


def test_a_key_is_on_disk_when_it_is_handed_out_and_off_it_when_destroyed(
    keys: KeyFile, flushed: list[bytes | str]
) -> None:
    key = keys.make(1)
    last = flushed[-1]
    assert isinstance(last, bytes)
    assert key in last
    keys.destroy(1)
    assert flushed[-1] == bytes(8 * 64)


def test_a_key_is_written_and_wiped_in_the_same_place_of_the_same_file(keys: KeyFile, path: Path) -> None:
    with keys.locked():
        pass
    before = path.stat()
    key = keys.make(1)
    at = path.read_bytes().index(key)
    keys.destroy(1)
    assert path.read_bytes()[at : at + 32] == bytes(32)
    after = path.stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)


@posix
def test_nobody_else_may_read_the_file_even_one_that_was_copied_here(keys: KeyFile, path: Path) -> None:
    keys.make(1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    keys.make(2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# ---- trouble


def test_a_missing_folder_is_trouble_in_words(tmp_path: Path) -> None:
    with pytest.raises(StorageTrouble, match=r"The key file could not be opened: .+\."):
        KeyFile(tmp_path / "nowhere" / "keys").make(1)


def test_a_file_that_cannot_be_read_is_trouble_and_not_a_missing_key(keys: KeyFile, path: Path) -> None:
    # "No key" would void the round, for good; trouble passes.
    path.mkdir()
    with pytest.raises(StorageTrouble, match="could not be read"):
        keys.read(1)


@pytest.mark.parametrize("act", ["make", "destroy"])
def test_a_disk_that_does_not_take_the_key_is_trouble_and_the_lock_is_free_again(
    keys: KeyFile, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.make(1)

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(StorageTrouble, match="could not be written: Input/output error"):
            getattr(keys, act)(1)
    assert keys.make(2) == keys.read(2)


def test_a_fault_of_the_caller_under_the_lock_stays_what_it_is(keys: KeyFile) -> None:
    with pytest.raises(FileExistsError), keys.locked():
        raise FileExistsError
    assert keys.make(1) == keys.read(1)


@pytest.mark.parametrize("round_id", [0, -1, 2**63])
def test_a_round_without_a_proper_number_is_a_fault(keys: KeyFile, round_id: int) -> None:
    for act in (keys.make, keys.read, keys.destroy):
        with pytest.raises(ValueError, match="positive"):
            act(round_id)


# ---- several at once


def test_the_lock_may_be_taken_again_by_the_thread_that_has_it(keys: KeyFile) -> None:
    with keys.locked():
        with keys.locked():
            key = keys.make(1)
        assert keys.read(1) == key
        keys.destroy(1)


def test_reading_does_not_wait_for_the_lock(keys: KeyFile) -> None:
    key = keys.make(1)
    found: list[bytes | None] = []
    with keys.locked():
        reader = threading.Thread(target=lambda: found.append(keys.read(1)), daemon=True)
        reader.start()
        reader.join(5)
    assert found == [key]


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another worker: it says "ready", and goes on when a line is sent to it."""
    return subprocess.Popen(
        [sys.executable, "-c", "import sys\nfrom pathlib import Path\n" + code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(*workers: subprocess.Popen[str]) -> list[str]:
    """Lets the workers go at the same moment; what each said after "ready"."""
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate(timeout=30)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers)
    return said


def test_two_processes_that_make_keys_at_once_never_share_a_slot(path: Path) -> None:
    code = """
from facilitation.keys import KeyFile
keys, first = KeyFile(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for round_id in range(first, first + 60):
    print(round_id, keys.make(round_id).hex())
"""
    said = together(start(code, path, 1), start(code, path, 1001))
    made = {int(line.split()[0]): bytes.fromhex(line.split()[1]) for text in said for line in text.splitlines()}
    assert len(made) == 120
    keys = KeyFile(path)
    assert {round_id: keys.read(round_id) for round_id in made} == made


COUNT = """
from facilitation.keys import KeyFile
keys, tally = KeyFile(Path(sys.argv[1])), Path(sys.argv[2])
def count():
    for _ in range(100):
        with keys.locked():
            tally.write_text(str(int(tally.read_text()) + 1))
"""


def test_the_lock_parts_processes_and_threads(path: Path, tmp_path: Path) -> None:
    # Counting in a file without a lock loses counts, with two processes of two threads each nearly always.
    tally = tmp_path / "tally"
    tally.write_text("0")
    code = (
        COUNT
        + """
import threading
threads = [threading.Thread(target=count) for _ in range(2)]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    )
    together(start(code, path, tally), start(code, path, tally))
    assert tally.read_text() == "400"


def test_the_lock_parts_greenlets_and_the_threads_of_gevents_pool(path: Path, tmp_path: Path) -> None:
    # Greenlets of one thread change over while one has the lock: waiting must not stop the thread they share.
    tally = tmp_path / "tally"
    tally.write_text("0")
    code = (
        "from gevent import monkey\nmonkey.patch_all()\n"
        + COUNT
        + """
import gevent
def count_and_change_over():
    for _ in range(20):
        with keys.locked():
            with keys.locked():
                before = int(tally.read_text())
                gevent.idle()
                tally.write_text(str(before + 1))
keys.make(1)
print("ready", flush=True)
sys.stdin.readline()
pool = gevent.get_hub().threadpool
gevent.joinall(
    [pool.spawn(count) for _ in range(3)]
    + [pool.spawn(keys.destroy, 1)]
    + [gevent.spawn(count_and_change_over) for _ in range(2)],
    raise_error=True,
)
print(keys.read(1))
"""
    )
    assert together(start(code, path, tally)) == ["None\n"]
    assert tally.read_text() == "340"


@posix
def test_a_worker_forked_while_the_lock_is_held_does_not_keep_it(path: Path) -> None:
    code = """
import os
from facilitation.keys import KeyFile
keys = KeyFile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
back, out = os.pipe()
with keys.locked():
    child = os.fork()
    if child == 0:
        os.close(out)
        os.read(back, 1)  # lives on until the parent has had the lock again
        os._exit(0)
os.close(back)
with KeyFile(Path(sys.argv[1])).locked():
    print("again")
os.close(out)
os.waitpid(child, 0)
"""
    assert together(start(code, path)) == ["again\n"]


def test_a_slot_is_written_as_documented(keys: KeyFile, path: Path) -> None:
    key = keys.make(258)
    body = bytes([0, 0, 0, 0, 0, 0, 1, 2]) + key
    assert path.read_bytes()[:64] == body + hashlib.sha256(b"hallmarks-workshop key 1" + body).digest()[:24]


def test_noise_in_the_file_is_no_key(keys: KeyFile, path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(8 * 64))
    assert [keys.read(round_id) for round_id in range(1, 9)] == [None] * 8
    assert keys.make(1) == keys.read(1)
