"""What one process remembers of the rooms it serves: who is here, and what changed since the last picture.

Memory only, never stored. A device is known by a tag that means nothing outside this process; a ballot by its slot.
After a restart the room is empty and fills again as phones come back; the picture's count starts at nought, so a
restart can only make a picture come later, never sooner.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from facilitation.people import Preset
from facilitation.tally.disclosure import PICTURE_STEP

PRESENT = 90.0  # seconds: a phone heard from within this time counts as being in the room
FEWEST_AWAY = 3  # phones that have dropped off before the shared screen says so
DROPPED = 600.0  # seconds: one that was connected within this time and is not now has dropped off


class Source(StrEnum):
    """Where an answer comes from. Nothing of it is stored, and the sealed ballots are alike."""

    PHONE = "somebody's own phone"
    HANDED = "a device that is handed round"
    CARD = "a paper card, typed by the facilitator"


@dataclass(frozen=True, slots=True)
class Batch:
    """The paper cards that were typed last: their slots, and how many people had no phone before and after them."""

    slots: tuple[bytes, ...]
    heads_before: int
    heads_after: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulated people of a rehearsal: how many are wanted, what the room is like, and whether the Wi-Fi died."""

    people: int
    preset: Preset
    wifi_down: bool = False


@dataclass(slots=True)
class Room:
    """One workshop's room, as this process sees it. Times are seconds on the monotonic clock."""

    heard: dict[bytes, float] = field(default_factory=dict)
    phones: dict[str, bytes] = field(default_factory=dict)  # socket -> device tag
    linked: set[bytes] = field(default_factory=set)  # devices that ever had a socket: a phone without scripts has none
    screens: set[str] = field(default_factory=set)
    picture_round: int | None = None
    picture_at: float | None = None
    picture: dict[str, int] | None = None  # the one that change is counted against
    touched: dict[bytes, tuple[str | None, str | None]] = field(default_factory=dict)  # slot -> (at the picture, now)
    sources: dict[bytes, Source] = field(default_factory=dict)  # of the open round's answers that are from no own phone
    batch: Batch | None = None  # of the open round
    withdrawn: set[bytes] = field(default_factory=set)  # slots of cards that were taken back
    forms: set[str] = field(default_factory=set)  # the forms whose cards are in
    whole: bool = False  # every change since the picture that stands is known here
    simulated: Simulated | None = None

    def changed(self, round_id: int) -> int:
        """How many ballots were cast or changed since the last picture. Back and forth, or the same again, is none.

        Paper cards count with the others, but whoever typed them could subtract them from the picture; so while one or
        two of the changes are from devices, only those are counted, and the picture waits for a third. Where a change
        of a device may have gone unseen, before a restart or at another worker, cards alone are no reason for one.
        """
        if round_id != self.picture_round:
            return 0
        moved = [slot for slot, (then, now) in self.touched.items() if then != now]
        from_devices = sum(self.sources.get(slot) is not Source.CARD for slot in moved)
        few = from_devices < PICTURE_STEP and (from_devices or not self.whole)
        return from_devices if few else len(moved)

    def guests(self, round_id: int) -> int:
        """How many answers are in, as far as this process knows, of people without a phone of their own."""
        return len(self.sources) - len(self.withdrawn) if round_id == self.picture_round else 0

    def cards(self, round_id: int) -> int:
        """How many of these are from paper cards."""
        if round_id != self.picture_round:
            return 0
        return list(self.sources.values()).count(Source.CARD) - len(self.withdrawn)

    def note_ballot(
        self, round_id: int, slot: bytes, was: str | None, now: str | None, source: Source = Source.PHONE
    ) -> None:
        """A ballot was committed: `was` is what the slot held before, None if it is new. `now` is None for a paper card
        that was taken back."""
        self._turn_to(round_id)
        then, _ = self.touched.get(slot, (was, now))
        self.touched[slot] = (then, now)
        if source is not Source.PHONE:
            self.sources[slot] = source

    def note_batch(self, round_id: int, batch: Batch, form: str) -> None:
        """Cards of this round were typed on this form, and noted as ballots."""
        self._turn_to(round_id)
        self.batch = batch
        self.forms.add(form)

    def note_taken_back(self, round_id: int, cards: dict[bytes, str]) -> None:
        """The last batch of cards, slot -> choice, was taken back."""
        for slot, choice in cards.items():
            self.note_ballot(round_id, slot, choice, None)
        self.withdrawn.update(cards)
        self.batch = None

    def counts_from(self, round_id: int, picture: dict[str, int] | None) -> bool:
        """Whether change is counted against the picture that stands. It is not when another worker drew that, or this
        process has just started: what changed since then, nobody here knows."""
        return picture == (self.picture if round_id == self.picture_round else None)

    def note_first(self, round_id: int) -> None:
        """The first ballots of this round are about to be noted: nothing has gone before them."""
        self._turn_to(round_id)
        self.whole = True

    def note_picture(self, round_id: int, at: float, picture: dict[str, int] | None, *, drawn: bool = False) -> None:
        """A picture was committed, or found: from here on, change is counted against it. drawn: all ballots that were
        in are in it, so nothing is unknown."""
        self._turn_to(round_id)
        self.touched.clear()
        self.picture_at, self.picture, self.whole = at, picture, drawn

    def _turn_to(self, round_id: int) -> None:
        if round_id != self.picture_round:
            self.picture_round, self.picture_at, self.picture, self.batch = round_id, None, None, None
            self.whole = False
            for of_round in (self.touched, self.sources, self.withdrawn, self.forms):
                of_round.clear()


class Rooms:
    """All rooms of this process. `clock` gives monotonic seconds, so that tests need no sleep."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._opened = clock()
        self._salt = secrets.token_bytes(16)
        self._rooms: dict[int, Room] = {}

    def __getitem__(self, workshop_id: int) -> Room:
        return self._rooms.setdefault(workshop_id, Room())

    def forget(self, workshop_id: int) -> None:
        """Drop what is known of a room: its workshop was finished or deleted."""
        self._rooms.pop(workshop_id, None)

    def known(self) -> set[int]:
        """The workshops of which anything is remembered."""
        return set(self._rooms)

    def sockets(self) -> tuple[int, int]:
        """Live sockets in all rooms: of phones, and of shared screens."""
        rooms = self._rooms.values()
        return sum(len(room.phones) for room in rooms), sum(len(room.screens) for room in rooms)

    def occupied(self) -> list[int]:
        """The workshops somebody is in, or was a short while ago."""
        return [workshop_id for workshop_id, room in self._rooms.items() if room.heard or room.screens]

    def tag(self, device: bytes) -> bytes:
        """What stands for a device in this process's memory."""
        return hashlib.blake2s(device, key=self._salt, digest_size=8).digest()

    def hear(self, workshop_id: int, device: bytes) -> None:
        """A phone did something: it is in the room."""
        self[workshop_id].heard[self.tag(device)] = self.clock()

    def connect(self, workshop_id: int, sid: str, device: bytes | None) -> None:
        """A socket came: of a phone with this device secret, or of a shared screen if None."""
        room = self[workshop_id]
        if device is None:
            room.screens.add(sid)
        else:
            room.phones[sid] = self.tag(device)
            room.linked.add(self.tag(device))
            self.hear(workshop_id, device)

    def disconnect(self, sid: str) -> int | None:
        """A socket went; returns the workshop it belonged to."""
        for workshop_id, room in self._rooms.items():
            if sid in room.screens:
                room.screens.discard(sid)
                return workshop_id
            if sid in room.phones:
                room.heard[room.phones.pop(sid)] = self.clock()
                return workshop_id
        return None

    def leave(self, workshop_id: int, device: bytes) -> None:
        """Somebody went home for good: not dropped off, and not waited for."""
        room, tag = self._look_at(workshop_id), self.tag(device)
        room.heard.pop(tag, None)
        room.linked.discard(tag)

    def simulated(self, workshop_id: int) -> Simulated | None:
        """The simulated people in this room; None if there are none."""
        return self._look_at(workshop_id).simulated

    def present(self, workshop_id: int, joined: int, heads: int = 0) -> int:
        """People in the room: devices with a live socket or heard from lately, and `heads` without a phone of their
        own. Devices, not sockets; one that is handed round is not among them.

        A process that has just started cannot know who is still here, so at first all that have joined are: a picture
        that waited for one or two of them before must not come because they were forgotten.
        """
        here = len(self._lately(workshop_id, PRESENT) | self._connected(workshop_id))
        return heads + (max(here, joined) if self.is_new else here)

    @property
    def is_new(self) -> bool:
        """Whether this process is too young to know who has left."""
        return self.clock() - self._opened < PRESENT

    def connected(self, workshop_id: int) -> int:
        """Devices with a live socket."""
        return len(self._connected(workshop_id))

    def dropped(self, workshop_id: int) -> int:
        """Devices that were here a short while ago and have no socket now."""
        room = self._look_at(workshop_id)
        return len((self._lately(workshop_id, DROPPED) & room.linked) - self._connected(workshop_id))

    def mostly_away(self, workshop_id: int) -> bool:
        """Whether half of the phones or more have dropped off, and at least three: it is the Wi-Fi, not one of them."""
        dropped = self.dropped(workshop_id)
        return dropped >= max(FEWEST_AWAY, self.connected(workshop_id))

    def screens(self, workshop_id: int) -> int:
        """Shared screens with a live socket."""
        return len(self._look_at(workshop_id).screens)

    def _connected(self, workshop_id: int) -> set[bytes]:
        return set(self._look_at(workshop_id).phones.values())

    def _lately(self, workshop_id: int, seconds: float) -> set[bytes]:
        since = self.clock() - seconds
        # a copy, because the writer's thread asks too, while phones are heard from
        return {tag for tag, heard in list(self._look_at(workshop_id).heard.items()) if heard >= since}

    def _look_at(self, workshop_id: int) -> Room:
        """A room to read from: looking at one that is not remembered does not begin to remember it."""
        return self._rooms.get(workshop_id) or Room()
