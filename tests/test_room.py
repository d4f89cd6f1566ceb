"""What a process remembers of a room: who is here, and how many ballots changed since the last picture."""

from __future__ import annotations

from facilitation.room import DROPPED, PRESENT, Room, Rooms
from tests.cast import FakeClock

ANA, BEN, CAI = (bytes([number]) * 16 for number in range(3))
ROOM = 7
PICTURE = {"1": 5}


def old_rooms(clock: FakeClock) -> Rooms:
    """Rooms of a process that has run long enough to know who has left."""
    rooms = Rooms(clock.now)
    clock.advance(PRESENT)
    return rooms


# --- Who is here ---


def test_a_phone_is_present_for_ninety_seconds_after_it_was_last_heard() -> None:
    rooms = old_rooms(clock := FakeClock())
    rooms.hear(ROOM, ANA)
    clock.advance(PRESENT)
    assert rooms.present(ROOM, joined=3) == 1
    clock.advance(0.25)
    assert rooms.present(ROOM, joined=3) == 0


def test_a_phone_with_a_socket_stays_present_and_leaves_ninety_seconds_after_the_socket() -> None:
    rooms = old_rooms(clock := FakeClock())
    rooms.connect(ROOM, "a", ANA)
    clock.advance(10 * PRESENT)
    assert rooms.present(ROOM, joined=1) == rooms.connected(ROOM) == 1
    assert rooms.disconnect("a") == ROOM
    assert rooms.connected(ROOM) == 0
    clock.advance(PRESENT)
    assert rooms.present(ROOM, joined=1) == 1
    clock.advance(0.25)
    assert rooms.present(ROOM, joined=1) == 0


def test_devices_are_counted_and_not_sockets() -> None:
    rooms = old_rooms(FakeClock())
    for sid in ("a", "b", "c"):
        rooms.connect(ROOM, sid, ANA)
    rooms.connect(ROOM, "d", BEN)
    assert rooms.present(ROOM, joined=2) == rooms.connected(ROOM) == 2
    rooms.disconnect("a")
    assert rooms.connected(ROOM) == 2


def test_at_first_everybody_who_joined_is_taken_to_be_here_because_nobody_can_be_known_to_have_left() -> None:
    rooms = Rooms((clock := FakeClock()).now)
    rooms.hear(ROOM, ANA)
    assert rooms.present(ROOM, joined=3) == 3
    clock.advance(PRESENT)
    assert rooms.present(ROOM, joined=3) == 1


def test_a_screen_is_no_person() -> None:
    rooms = old_rooms(FakeClock())
    rooms.connect(ROOM, "wall", None)
    assert (rooms.screens(ROOM), rooms.present(ROOM, joined=0)) == (1, 0)
    assert rooms.disconnect("wall") == ROOM
    assert rooms.screens(ROOM) == 0


def test_a_phone_that_lost_its_socket_has_dropped_off_for_a_while_and_one_without_scripts_never() -> None:
    rooms = old_rooms(clock := FakeClock())
    rooms.hear(ROOM, BEN)
    rooms.connect(ROOM, "a", ANA)
    assert rooms.dropped(ROOM) == 0
    rooms.disconnect("a")
    assert rooms.dropped(ROOM) == 1
    clock.advance(DROPPED + 0.25)
    assert rooms.dropped(ROOM) == 0


def test_rooms_are_apart_and_an_unknown_socket_belongs_to_none() -> None:
    rooms = old_rooms(FakeClock())
    rooms.connect(ROOM, "a", ANA)
    rooms.connect(ROOM + 1, "b", BEN)
    assert rooms.occupied() == [ROOM, ROOM + 1]
    assert rooms.disconnect("nobody") is None
    rooms.forget(ROOM)
    assert rooms.occupied() == [ROOM + 1]


def test_what_stands_for_a_device_says_nothing_outside_this_process() -> None:
    one, other = Rooms(FakeClock().now), Rooms(FakeClock().now)
    assert one.tag(ANA) == one.tag(ANA) != one.tag(BEN)
    assert one.tag(ANA) != other.tag(ANA)
    assert ANA not in one.tag(ANA)


# --- What changed since the last picture ---


def test_a_ballot_counts_once_however_often_it_is_changed() -> None:
    room = Room()
    room.note_ballot(1, ANA, None, "1")
    room.note_ballot(1, ANA, "1", "2")
    room.note_ballot(1, ANA, "2", "3")
    assert room.changed(1) == 1


def test_there_and_back_again_counts_as_nothing() -> None:
    room = Room()
    room.note_ballot(1, ANA, None, "1")
    room.note_picture(1, 0.0, PICTURE)
    room.note_ballot(1, ANA, "1", "5")
    assert room.changed(1) == 1
    room.note_ballot(1, ANA, "5", "1")
    assert room.changed(1) == 0


def test_the_same_answer_again_counts_as_nothing() -> None:
    room = Room()
    room.note_ballot(1, ANA, None, "1")
    room.note_picture(1, 0.0, PICTURE)
    room.note_ballot(1, ANA, "1", "1")
    assert room.changed(1) == 0


def test_another_round_begins_at_nought_and_a_round_that_is_not_the_present_one_has_no_changes() -> None:
    room = Room()
    room.note_ballot(1, ANA, None, "1")
    room.note_picture(1, 5.0, PICTURE)
    room.note_ballot(1, BEN, None, "1")
    room.note_ballot(2, CAI, None, "1")
    assert (room.changed(1), room.changed(2), room.picture_at) == (0, 1, None)


def test_change_is_counted_against_a_picture_of_this_process_and_no_other() -> None:
    room = Room()
    assert room.counts_from(1, None)
    assert not room.counts_from(1, PICTURE)
    room.note_picture(1, 0.0, PICTURE)
    assert room.counts_from(1, PICTURE)
    assert not room.counts_from(1, {"1": 6})
    assert not room.counts_from(2, PICTURE)
    assert room.counts_from(2, None)
