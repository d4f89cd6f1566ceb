"""What is pushed, to whom and when: moves at once to all, ballots seldom and never to phones, pictures by the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilitation import now as reader
from facilitation import workshop
from facilitation.live import Coalescer
from facilitation.now import Audience
from facilitation.room import PRESENT
from facilitation.stages import Move
from facilitation.web import access
from tests.cast import QUESTIONS, Facilitator, FakeClock, Phone, Screen, Venue, counts_in, fragment_of, vote
from tests.conftest import a_venue

EVERYBODY = {"participant", "screen", "facilitator"}
NOTHING: list[int] = []


@pytest.fixture(scope="module")
def whole_day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """One program for all tests of this file. What is pushed does not depend on the database."""
    with a_venue(request, tmp_path_factory) as place:
        yield place


@pytest.fixture
def venue(whole_day: Venue) -> Venue:
    """The venue, in which nothing has been said yet today."""
    whole_day.told.clear()
    return whole_day


# --- Two rates, no sleep ---


class Turnout:
    """Something that grows while a push waits."""

    ballots = 0

    def add_one(self) -> None:
        self.ballots += 1


def test_a_hundred_ballots_in_one_second_are_told_five_times_and_the_last_is_never_lost() -> None:
    clock, turnout = FakeClock(), Turnout()
    told: list[int] = []
    coalescer = Coalescer(every=0.25, clock=clock)
    for ballot in range(100):
        turnout.add_one()
        coalescer.submit("482915", lambda: told.append(turnout.ballots))  # read late: when it is sent
        clock.advance(1 / 128)
        if ballot % 25 == 24:
            clock.advance(7 / 128)  # a hundredth is no binary fraction: 32 steps of 1/128 make the quarter exact
    clock.advance(1)
    assert told == [1, 25, 50, 75, 100]


def test_one_room_does_not_hold_up_another() -> None:
    told: list[str] = []
    coalescer = Coalescer(every=0.25, clock=FakeClock())
    for key in ("here", "there", "here", "there"):
        coalescer.submit(key, lambda key=key: told.append(key))  # type: ignore[misc]
    assert told == ["here", "there"]


def test_what_is_sent_again_while_something_waits_goes_with_it() -> None:
    clock = FakeClock()
    told: list[int] = []
    coalescer = Coalescer(every=0.25, clock=clock)
    for number in range(5):
        coalescer.submit("room", lambda number=number: told.append(number))  # type: ignore[misc]
    clock.advance(0.25)
    clock.advance(10)
    assert told == [0, 4]


def test_an_act_that_submits_again_is_not_lost() -> None:
    clock = FakeClock()
    told: list[str] = []
    coalescer = Coalescer(every=0.25, clock=clock)

    def first() -> None:
        told.append("first")
        coalescer.submit("room", lambda: told.append("second"))

    coalescer.submit("room", first)
    clock.advance(0.25)
    assert told == ["first", "second"]


@given(st.lists(st.integers(0, 64), max_size=60))
def test_at_any_pace_acts_are_apart_and_the_newest_state_is_told_in_time(pauses: list[int]) -> None:
    clock = FakeClock()
    told: list[tuple[float, int]] = []
    coalescer = Coalescer(every=0.25, clock=clock)
    for number, pause in enumerate(pauses):
        coalescer.submit("room", lambda number=number: told.append((clock.now(), number)))  # type: ignore[misc]
        clock.advance(pause / 128)
        assert told[-1][1] == number or clock.now() - told[-1][0] < 0.25
    clock.advance(0.25)
    assert [number for _, number in told[-1:]] == [len(pauses) - 1][: len(pauses)]
    times = [at for at, _ in told]
    assert all(later - earlier >= 0.25 for earlier, later in pairwise(times))


# --- Who hears what ---


def test_a_move_reaches_all_three_audiences_at_once(venue: Venue, freya: Facilitator) -> None:
    for move in ("open", "close", "discuss", "revote", "next", "finish"):
        venue.told.clear()
        freya.does(move)
        assert {push.audience for push in venue.told} == EVERYBODY, move
        assert len(venue.told) == 3


def test_phones_hear_nothing_when_others_vote_or_join_or_when_the_wall_changes(
    venue: Venue, freya: Facilitator, wall: Screen
) -> None:
    phones = venue.phones(10, freya.code)
    freya.does("open")
    venue.told.clear()
    vote(phones, *"1234512345")
    vote(phones[:3], *"555")
    Phone(venue).joins(freya.code)
    freya.shows("overlay", "code")
    assert {push.audience for push in venue.told} == {"screen", "facilitator"}
    assert counts_in(fragment_of(wall)) == NOTHING  # the code lies over the chart


def test_a_phone_that_listens_hears_moves_and_no_votes(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    line = ana.listens("p", freya.code)
    line.get_received()
    freya.does("open")
    assert [heard["args"][0]["order"] for heard in line.get_received()] == [[freya.now.version, 0]]
    vote(venue.phones(6, freya.code), *"123451")
    assert line.get_received() == []
    freya.does("close")
    (heard,) = line.get_received()
    assert heard["name"] == "now"
    assert counts_in(heard["args"][0]["html"]) == [2, 1, 1, 1, 1, 0, 0]


def test_a_screen_hears_the_turnout_grow(venue: Venue, freya: Facilitator, ana: Phone, wall: Screen) -> None:
    line = wall.listens("s", freya.code)
    freya.does("open")
    line.get_received()
    ana.answers("4")
    (heard,) = line.get_received()
    assert "<b>1</b> of 1 have answered" in heard["args"][0]["html"]


def test_one_room_hears_nothing_of_another(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    line = ana.listens("p", freya.code)
    line.get_received()
    freya.creates("finance-01").does("open")
    assert line.get_received() == []


def test_a_phone_that_comes_back_is_told_only_if_it_missed_something(freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    present = [freya.now.version, 0]
    assert ana.listens("p", freya.code, order=present).get_received() == []
    (heard,) = ana.listens("p", freya.code, order=[1, 0]).get_received()
    assert heard["args"][0] == {"order": present, "html": fragment_of(ana)}
    (heard,) = ana.listens("p", freya.code).get_received()
    assert heard["args"][0]["order"] == present


def test_a_phone_that_comes_in_while_a_move_is_made_does_not_miss_it(
    freya: Facilitator, ana: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_in = access.for_phone_socket

    def slowly(code: str) -> object:
        found = let_in(code)
        freya.does("open")
        return found

    monkeypatch.setattr(access, "for_phone_socket", slowly)
    (heard,) = ana.listens("p", freya.code).get_received()
    assert heard["args"][0]["html"] == fragment_of(ana)


def test_what_was_read_before_a_move_is_not_told_after_it(
    venue: Venue, freya: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, moves = reader.look, ["open"]

    def slowly(*about: Any) -> reader.Now:
        found = look(*about)
        while moves:
            freya.does(moves.pop())
        return found

    monkeypatch.setattr(reader, "look", slowly)
    with venue.app.test_request_context():
        told = venue.house.live.present(freya.code, fresh=True)
    assert told is not None and told.open is not None
    assert told.message["order"] == [freya.now.version, 0]


def test_a_phone_that_shows_the_present_is_answered_with_nothing(freya: Facilitator, ana: Phone) -> None:
    order = f"{freya.now.version}.0"
    assert ana.gets(f"/w/{freya.code}/now?order={order}").status_code == 204
    freya.does("open")
    assert ana.gets(f"/w/{freya.code}/now?order={order}").status_code == 200


def test_the_console_hears_who_comes_and_goes(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    line = ana.listens("p", freya.code)
    assert "Connected now 1" in freya.sees()
    venue.told.clear()
    line.disconnect()
    assert {push.audience for push in venue.told} == {"screen", "facilitator"}
    assert "Connected now 0" in freya.sees()
    assert "One phone has dropped off" in freya.sees()


def test_the_order_of_pushes_never_goes_back_and_grows_with_every_commit(venue: Venue, freya: Facilitator) -> None:
    phones = venue.phones(6, freya.code)
    for mode in ("live", "reveal"):
        freya.sets(mode=mode)
        freya.does("goto 3" if mode == "reveal" else "open")
        vote(phones, *"123451")
        freya.shows("overlay", "code")
        vote(phones[:3], *"555")
        freya.does("close", "revote")
        freya.shows("timer")
        freya.does("goto 2")
    for audience in Audience:
        orders = [push.order for push in venue.told_to(audience)]
        assert orders == sorted(orders)
        assert len(orders) >= 8
    pages = {push.order: push.html for push in venue.told_to(Audience.SCREEN)}
    repeated = [push for push in venue.told_to(Audience.SCREEN) if pages[push.order] != push.html]
    assert repeated == []


# --- Pictures of a live round ---


@pytest.fixture
def room(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Twelve phones whose voting on the first question is open, live, k = 5."""
    phones = venue.phones(12, freya.code)
    freya.does("open")
    return phones


@pytest.fixture
def picture(wall: Screen) -> Callable[[], list[int]]:
    """The counts on the wall, as they are fetched."""
    return lambda: counts_in(fragment_of(wall))


def test_before_k_ballots_there_is_nothing_and_the_kth_brings_the_first_picture(
    room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:4], *"1234")
    assert picture() == NOTHING
    vote(room[4:5], "DK")
    assert picture() == [1, 1, 1, 1, 0, 1, 0]


def test_after_that_a_picture_moves_three_ballots_or_more_at_a_time(
    clock: FakeClock, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    clock.advance(5)
    vote(room[5:7], *"22")
    assert picture() == [5, 0, 0, 0, 0, 0, 0]
    vote(room[7:8], "2")
    assert picture() == [5, 3, 0, 0, 0, 0, 0]


def test_two_pictures_are_a_second_apart_and_the_second_comes_by_itself(
    clock: FakeClock, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    vote(room[5:8], *"222")
    assert picture() == [5, 0, 0, 0, 0, 0, 0]
    clock.advance(0.75)
    assert picture() == [5, 0, 0, 0, 0, 0, 0]
    clock.advance(0.25)
    assert picture() == [5, 3, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("out", [1, 2])
def test_a_picture_is_held_while_one_or_two_are_missing_and_comes_when_nobody_is(
    clock: FakeClock, freya: Facilitator, room: list[Phone], picture: Callable[[], list[int]], out: int
) -> None:
    vote(room[:5], *"11111")
    clock.advance(5)
    vote(room[5 : 12 - out], *"2" * (7 - out))
    clock.advance(5)
    stood = picture()
    assert stood == [5, 0, 0, 0, 0, 0, 0]
    vote(room[:3], *"333")
    clock.advance(5)
    assert picture() == stood
    assert f"held while {'one person is' if out == 1 else 'two people are'}" in freya.sees() or str(out) in freya.sees()
    vote(room[12 - out :], *"4" * out)
    assert picture() == [2, 7 - out, 3, out, 0, 0, 0]


def test_the_first_picture_too_is_held_while_one_or_two_are_missing(
    venue: Venue, freya: Facilitator, wall: Screen
) -> None:
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones[:5], *"11111")
    assert counts_in(fragment_of(wall)) == NOTHING
    vote(phones[5:], "2")
    assert counts_in(fragment_of(wall)) == [5, 1, 0, 0, 0, 0, 0]


def test_somebody_who_has_left_is_waited_for_no_longer_than_ninety_seconds(
    venue: Venue, clock: FakeClock, freya: Facilitator, wall: Screen
) -> None:
    clock.advance(PRESENT)
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones[:5], *"11111")
    clock.advance(PRESENT)
    venue.house.live.look_round()
    assert counts_in(fragment_of(wall)) == NOTHING
    clock.advance(0.25)
    venue.house.live.look_round()
    assert counts_in(fragment_of(wall)) == [5, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("by_another_worker", [False, True])
@pytest.mark.parametrize("ending", ["finish", "delete"])
def test_the_room_of_a_session_that_is_over_is_forgotten_whoever_ended_it_and_whoever_looks_at_it_later(
    venue: Venue, freya: Facilitator, ending: str, by_another_worker: bool
) -> None:
    rooms, id = venue.house.rooms, freya.workshop_id
    ana, wall = Phone(venue).joins(freya.code), Screen(venue).shows(freya)
    lines = [ana.listens("p", freya.code), wall.listens("s", freya.code)]
    going_on = Facilitator(venue).creates(*QUESTIONS)
    Phone(venue).joins(going_on.code)
    assert rooms.known() >= {id, going_on.workshop_id}
    if not by_another_worker:
        freya.does("finish") if ending == "finish" else freya.deletes()
    elif ending == "finish":
        venue.performs(lambda s: workshop.make_move(s, venue.house.keys, id, Move.FINISH, freya.now.version))
    else:
        venue.performs(lambda session: workshop.delete(session, venue.house.keys, id))
    venue.house.live.look_round()
    assert rooms.known() & {id, going_on.workshop_id} == {going_on.workshop_id}
    assert freya.code not in venue.house.live._present  # which held the key of its phones' cookies
    for line in lines:
        if line.is_connected():
            line.disconnect()
    if ending == "finish":
        freya.sees()
        ana.gets(f"/w/{freya.code}")
        wall.gets(f"/s/{freya.code}")
    assert id not in rooms.known()


def test_one_restless_phone_releases_nothing(
    clock: FakeClock, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    clock.advance(5)
    for choice in "23454321":
        vote(room[:1], choice)
        clock.advance(5)
    assert picture() == [5, 0, 0, 0, 0, 0, 0]


def test_back_and_forth_counts_as_nothing(
    clock: FakeClock, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    clock.advance(5)
    vote(room[:2], *"22")
    vote(room[:2], *"11")
    vote(room[2:4], *"55")
    assert picture() == [5, 0, 0, 0, 0, 0, 0]
    vote(room[4:5], "5")
    assert picture() == [2, 0, 0, 0, 3, 0, 0]


def test_the_same_answer_again_counts_as_nothing(
    clock: FakeClock, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    clock.advance(5)
    vote(room[:5], *"11111")
    vote(room[5:7], *"22")
    assert picture() == [5, 0, 0, 0, 0, 0, 0]


def test_the_whole_count_comes_at_the_close(
    clock: FakeClock, freya: Facilitator, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    vote(room[5:7], *"22")
    freya.does("close")
    assert picture() == [5, 2, 0, 0, 0, 0, 0]


def test_on_reveal_no_picture_is_ever_drawn(venue: Venue, clock: FakeClock, freya: Facilitator, wall: Screen) -> None:
    freya.sets(mode="reveal")
    phones = venue.phones(9, freya.code)
    freya.does("open")
    for phone in phones:
        vote([phone], "3")
        clock.advance(5)
        assert counts_in(fragment_of(wall)) == counts_in(fragment_of(freya)) == NOTHING
    assert freya.rounds[0].picture is None


def test_looking_again_draws_nothing_new(clock: FakeClock, room: list[Phone], wall: Screen, freya: Facilitator) -> None:
    vote(room[:5], *"11111")
    clock.advance(5)
    vote(room[5:7], *"22")
    stood = freya.rounds[0].picture
    for _ in range(3):
        fragment_of(wall)
        fragment_of(freya)
        clock.advance(5)
    assert freya.rounds[0].picture == stood


# --- After a restart: later, never sooner ---


def test_after_a_restart_the_last_picture_stands_and_the_count_begins_at_nought(
    venue: Venue, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    venue.clock.advance(5)
    vote(room[5:7], *"22")
    venue.restarts()
    assert picture() == [5, 0, 0, 0, 0, 0, 0]
    vote(room[7:9], *"33")
    venue.clock.advance(5)
    assert picture() == [5, 0, 0, 0, 0, 0, 0]
    vote(room[:1], "4")
    assert picture() == [4, 2, 2, 1, 0, 0, 0]


def test_after_a_restart_those_who_are_missing_are_not_forgotten(
    venue: Venue, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    venue.clock.advance(5)
    vote(room[5:8], *"222")
    venue.clock.advance(5)
    vote(room[8:10], *"33")
    assert picture() == [5, 3, 0, 0, 0, 0, 0]
    venue.restarts()
    vote(room[:4], *"5555")
    venue.clock.advance(5)
    assert picture() == [5, 3, 0, 0, 0, 0, 0]
    vote(room[10:], *"44")
    assert picture() == [1, 3, 2, 2, 4, 0, 0]


def test_a_picture_that_was_found_due_twice_is_drawn_once(venue: Venue, room: list[Phone], freya: Facilitator) -> None:
    # The premise: two greenlets asked before either drew. What the second would add is a single answer.
    house, round_id = venue.house, freya.rounds[0].id
    vote(room[:4], *"1111")
    with mock.patch.object(house.live, "changed"):
        vote(room[4:5], "1")
        assert house.committer.perform(lambda session: house.box.draw(session, freya.workshop_id, round_id))
        vote(room[5:6], "5")
        assert not house.committer.perform(lambda session: house.box.draw(session, freya.workshop_id, round_id))
    assert (freya.rounds[0].picture or {})["5"] == 0


@pytest.fixture
def other_worker(venue: Venue, room: list[Phone]) -> Iterator[Venue]:
    """A second process on the same data. Time passes, so that nobody is missing who has not said anything since."""
    other = Venue(venue.url, venue.folder)
    for worker in (venue, other):
        worker.clock.advance(PRESENT + 1)
    yield other
    other.closes()


def test_after_another_worker_drew_a_picture_the_count_begins_at_nought(
    venue: Venue, other_worker: Venue, room: list[Phone], picture: Callable[[], list[int]]
) -> None:
    vote(room[:5], *"11111")
    venue.clock.advance(5)
    vote(room[5:7], *"22")  # two changes that this worker knows of
    for phone in room[7:10]:
        phone.client.application = other_worker.app
    vote(room[7:10], *"333")  # and three that the other one does
    other_worker.clock.advance(5)
    stood = picture()
    assert stood == [5, 2, 3, 0, 0, 0, 0]
    venue.clock.advance(5)
    vote(room[:1], "5")  # the third that this worker knows of, and the only one since that picture
    venue.clock.advance(5)
    assert picture() == stood
    vote(room[1:3], *"55")
    venue.clock.advance(5)
    assert picture() == [2, 2, 3, 0, 3, 0, 0]


def test_nothing_is_drawn_of_a_session_that_nobody_can_listen_to_yet(venue: Venue, freya: Facilitator) -> None:
    with venue.house.live.unheard(freya.workshop_id):
        freya.does("open")
        assert venue.told == []
    freya.does("close")
    assert {push.audience for push in venue.told} == EVERYBODY
