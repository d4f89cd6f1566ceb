"""The use cases, through the program’s own doors, on both databases."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from facilitation import bounds, store
from facilitation.tally import Tally
from tests.cast import QUESTIONS, Facilitator, Person, Phone, Venue, counts_in, tally, text_of, vote
from tests.conftest import DATABASES, a_venue

pytestmark = pytest.mark.program

BOTH_MODES = pytest.mark.parametrize("mode", ["live", "reveal"])


@pytest.fixture(scope="module", params=DATABASES)
def venue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """One program for all tests of this file, each with a session of its own: starting it takes longer than they do."""
    with a_venue(request, tmp_path_factory, quiet=True) as place:
        yield place


@pytest.fixture
def room(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Six phones: one more than k."""
    return venue.phones(6, freya.code)


# --- Setting up ---


def test_a_new_session_has_a_code_that_can_be_read_aloud_and_opens_on_its_set_up_page(freya: Facilitator) -> None:
    assert freya.code.isdecimal()
    assert len(freya.code) == 6
    assert not freya.code.startswith("0")
    assert "Set up the session" in text_of(freya.gets(f"/f/{freya.code}/setup"))
    assert freya.stage == "lobby"


def test_a_code_is_never_issued_again_even_when_its_session_is_deleted(
    freya: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = freya.code
    freya.deletes()
    drawn = iter([int(used) - 100_000, 382_915])
    monkeypatch.setattr(secrets, "randbelow", lambda _limit: next(drawn))
    assert freya.creates().code == "482915"


def test_a_session_without_a_title_is_refused_and_what_was_typed_is_kept(venue: Venue, freya: Facilitator) -> None:
    response = freya.posts("/sessions", {"title": " ", "museum": "Tide Mill", "held_on": "2026-11-21"})
    assert response.status_code == 422
    assert "Enter a title." in response.text
    assert "Tide Mill" in response.text


@pytest.mark.parametrize("k", [2, 11, 0])
def test_the_smallest_group_is_never_below_three_nor_above_ten(freya: Facilitator, k: int) -> None:
    assert freya.sets(k=k).status_code == 422
    assert freya.now.k == 5


def test_the_smallest_group_is_locked_once_people_have_been_told_it(freya: Facilitator) -> None:
    assert freya.sets(k=3).status_code == 303
    freya.does("open")
    response = freya.sets(k=4)
    assert response.status_code == 422
    assert "People have been told" in text_of(response)
    assert freya.now.k == 3
    assert freya.sets(title="A new name").status_code == 303
    assert freya.now.title == "A new name"


@pytest.mark.parametrize("mode", ["", "LIVE", "sometimes"])
def test_a_result_mode_that_is_none_is_refused_in_words(freya: Facilitator, mode: str) -> None:
    assert freya.sets(mode=mode).status_code == 422
    assert freya.now.mode == "live"


def test_texts_are_kept_without_characters_that_turn_or_hide_the_words_around_them(freya: Facilitator) -> None:
    freya.sets(title="Away\u202e day\x00 \u0065\u0301t\u00e9\t ")
    assert freya.now.title == "Away day \u00e9t\u00e9"


def test_a_text_that_is_too_long_is_refused_with_the_room_there_is(freya: Facilitator) -> None:
    response = freya.sets(title="x" * 121)
    assert response.status_code == 422
    assert "121 characters long; there is room for 120" in text_of(response)


# --- The agenda ---


def keys_of(freya: Facilitator) -> list[str]:
    return [item.key for item in freya.now.agenda]


def test_questions_come_in_the_order_they_were_added_and_none_comes_twice(freya: Facilitator) -> None:
    freya.adds("finance-01", QUESTIONS[0])
    assert keys_of(freya) == [*QUESTIONS, "finance-01"]
    assert [item.position for item in freya.now.agenda] == [1, 2, 3, 4]


def test_a_question_keeps_the_words_and_the_scale_it_had_when_it_was_put_on_the_agenda(
    venue: Venue, freya: Facilitator
) -> None:
    item = freya.now.agenda[0]
    question = next(q for h in venue.house.framework.hallmarks for q in h.questions if q.key == item.key)
    assert (item.text, item.scale) == (question.text, question.scale)
    assert item.labels == list(venue.house.framework.scales[question.scale].labels)


def test_questions_move_up_and_down_and_stop_at_the_ends(freya: Facilitator) -> None:
    first, second, third = QUESTIONS
    freya.changes(3, "up")
    assert keys_of(freya) == [first, third, second]
    freya.changes(1, "down")
    assert keys_of(freya) == [third, first, second]
    freya.changes(1, "up")
    freya.changes(3, "down")
    assert keys_of(freya) == [third, first, second]
    assert [item.position for item in freya.now.agenda] == [1, 2, 3]


def test_a_question_can_be_dropped_until_it_is_opened(freya: Facilitator) -> None:
    freya.changes(2, "drop")
    assert keys_of(freya) == [QUESTIONS[0], QUESTIONS[2]]
    freya.does("open")
    response = freya.changes(1, "drop")
    assert response.status_code == 422
    assert "stays in the record" in text_of(response)
    assert keys_of(freya) == [QUESTIONS[0], QUESTIONS[2]]


def test_an_own_question_has_a_key_made_of_its_words_and_scale_so_that_it_can_be_compared(freya: Facilitator) -> None:
    freya.adds_own("How well do we greet   people?", "quality")
    own = freya.now.agenda[-1]
    assert own.key.startswith("own-")
    assert own.text == {"en": "How well do we greet people?"}
    assert freya.adds_own("How well do we greet people?", "quality").status_code == 422
    freya.adds_own("How well do we greet people?", "extent")
    assert freya.now.agenda[-1].key != own.key
    freya.creates().adds_own("How well do we greet people?", "quality")
    assert freya.now.agenda[0].key == own.key


@pytest.mark.parametrize(("text", "scale"), [("", "extent"), ("How well?", "stars"), ("x" * 301, "extent")])
def test_an_own_question_without_words_or_a_scale_is_refused(freya: Facilitator, text: str, scale: str) -> None:
    assert freya.adds_own(text, scale).status_code == 422
    assert keys_of(freya) == list(QUESTIONS)


def test_an_agenda_has_a_limit(freya: Facilitator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_QUESTIONS", 4)
    assert freya.adds("finance-01").status_code == 303
    response = freya.adds("finance-02")
    assert response.status_code == 422
    assert "at most 4 questions" in text_of(response)


def test_the_mode_of_a_question_can_be_chosen_until_it_opens_and_goes_back_to_the_sessions(freya: Facilitator) -> None:
    freya.changes(1, "mode", "reveal")
    freya.does("open")
    assert freya.rounds[0].mode == "reveal"
    assert freya.changes(1, "mode", "live").status_code == 422
    freya.changes(2, "mode", "reveal")
    freya.changes(2, "mode", "")
    freya.does("next")
    assert freya.rounds[1].mode == "live"


def test_a_change_that_is_none_and_a_question_that_is_gone_are_refused(freya: Facilitator) -> None:
    assert freya.changes(1, "explode").status_code == 422
    assert freya.changes(1, "mode", "sideways").status_code == 422
    gone = freya.agenda(2)
    freya.changes(2, "drop")
    assert freya.posts(f"/f/{freya.code}/agenda/{gone}", {"want": "up"}).status_code == 422


# --- Joining ---


def test_ana_joins_once_however_often_she_types_the_code(freya: Facilitator, ana: Phone) -> None:
    ana.joins(f"{freya.code[:3]} {freya.code[3:]}")
    ana.code = freya.code
    assert ana.gets(f"/j/{freya.now.join_token}").status_code == 303
    assert freya.now.joined == 1
    assert "You’re in" in ana.reloads()


def test_two_phones_hold_different_secrets(ana: Phone, ben: Phone, freya: Facilitator) -> None:
    name = f"p_{freya.workshop_id}"
    assert ana.cookies()[name] != ben.cookies()[name]
    assert freya.now.joined == 2


def test_a_wrong_code_is_explained_and_lets_nobody_in(freya: Facilitator, mallory: Person) -> None:
    wrong = "100000" if freya.code != "100000" else "100001"
    response = mallory.posts("/join", {"code": wrong})
    assert response.status_code == 422
    assert f"No session uses the code {wrong[:3]} {wrong[3:]}" in text_of(response)
    assert mallory.gets("/j/not-a-token").status_code == 404
    assert not mallory.cookies()
    assert freya.now.joined == 0


@pytest.mark.parametrize("code", ["%00", "482%00915", "1" * 500, "٤٨٢٩١٥", "%F0%9F%98%80", "' OR 1=1 --"])
def test_a_code_that_can_be_none_is_not_there(mallory: Person, code: str) -> None:
    for path in (f"/w/{code}", f"/w/{code}/now", f"/s/{code}", f"/s/{code}/now", f"/f/{code}", f"/j/{code}"):
        assert mallory.gets(path).status_code == 404
    assert mallory.posts("/join", {"code": "\0" + code}).status_code == 422


def test_a_locked_door_keeps_new_people_out_and_lets_those_inside_go_on(
    freya: Facilitator, ana: Phone, mallory: Person
) -> None:
    freya.shows("door", "locked")
    response = mallory.posts("/join", {"code": freya.code})
    assert response.status_code == 422
    assert "not taking more people" in text_of(response)
    assert ana.joins(freya.code).gets(f"/w/{freya.code}").status_code == 200
    freya.shows("door", "open")
    assert mallory.posts("/join", {"code": freya.code}).status_code == 303


def test_a_cookie_of_another_session_opens_nothing_here(freya: Facilitator, ana: Phone) -> None:
    first = freya.code
    here = f"p_{freya.workshop_id}"
    freya.creates(*QUESTIONS)
    ana.client.set_cookie(f"p_{freya.workshop_id}", ana.cookies()[here])
    assert ana.gets(f"/w/{freya.code}/now").status_code == 404
    assert ana.gets(f"/w/{first}/now").status_code == 200


# --- Voting ---


def test_an_answer_is_acknowledged_and_shown_again_to_its_own_phone_only(
    freya: Facilitator, ana: Phone, ben: Phone, venue: Venue
) -> None:
    freya.does("open")
    assert "Your answer is in: 4" in text_of(ana.answers("4"))
    assert "Your answer is in: 4" in ana.reloads()
    assert "Your answer is in" not in ben.reloads()
    assert freya.ballots == 1


def test_ana_votes_without_a_script_by_the_form_on_the_page(freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    response = ana.answers("DK", htmx=False)
    assert response.status_code == 303
    assert response.headers["Location"] == f"/w/{freya.code}"
    assert "Your answer is in: I don’t know" in ana.reloads()
    assert 'name="seq" value="2"' in ana.gets(f"/w/{freya.code}").text


def test_the_last_change_of_mind_counts_and_is_one_ballot(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    freya.does("open")
    vote(room, "1", "1", "1", "1", "1", "1")
    vote(room[:3], "5", "4", "NR")
    assert freya.ballots == 6
    freya.does("close")
    assert tally(freya.rounds[0]) == Tally((3, 0, 0, 1, 1), dk=0, nr=1)


def test_a_late_retry_never_overwrites_a_change_of_mind(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    freya.does("open")
    vote(room, *"222222")
    ana = room[0]
    ana.answers("5", seq=3)
    late = ana.answers("1", seq=2)
    assert late.status_code == 200
    assert "Your answer is in: 5" in text_of(late)
    same = ana.answers("1", seq=3)
    assert "Your answer is in: 5" in text_of(same)
    freya.does("close")
    assert tally(freya.rounds[0]) == Tally((0, 5, 0, 0, 1))


def test_the_store_itself_keeps_the_ballot_with_the_larger_seq(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    ana.answers("3", seq=5)
    round_id = freya.rounds[0].id
    with venue.reading() as session:
        ((slot, held),) = store.ballots_in(session, round_id).items()
    for seq, wins in ((4, False), (5, False), (6, True)):
        row = {"round_id": round_id, "slot": slot, "seq": seq, "sealed": bytes(44)}
        venue.performs(lambda session, row=row: store.file_ballots(session, [row]))  # type: ignore[misc]
        with venue.reading() as session:
            assert store.ballots_in(session, round_id) == {slot: (6, bytes(44)) if wins else held}


def test_a_double_tap_is_one_ballot(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    freya.does("open")
    for _ in range(3):
        assert ana.answers("3", seq=1).status_code == 200
    assert freya.ballots == 1


def test_ben_gets_no_second_ballot_by_reloading_or_joining_again(
    venue: Venue, freya: Facilitator, ana: Phone, ben: Phone
) -> None:
    freya.does("open")
    ben.answers("2")
    ben.reloads()
    ben.joins(freya.code).answers("2")
    ana.answers("2")
    assert freya.ballots == 2


@pytest.mark.parametrize("choice", ["", "0", "6", "dk", "4 ", "NR,DK"])
def test_an_answer_that_is_not_on_the_ballot_is_refused(
    venue: Venue, freya: Facilitator, ana: Phone, choice: str
) -> None:
    freya.does("open")
    response = ana.answers(choice)
    assert response.status_code == 422
    assert "Select an answer" in text_of(response)
    assert freya.ballots == 0


@pytest.mark.parametrize("seq", [0, -1, 2**31])
def test_a_seq_that_no_phone_counts_to_is_refused(venue: Venue, freya: Facilitator, ana: Phone, seq: int) -> None:
    freya.does("open")
    assert ana.answers("4", seq=seq).status_code == 422
    assert freya.ballots == 0


@BOTH_MODES
def test_an_answer_that_comes_too_late_is_refused_in_words_and_changes_nothing(
    venue: Venue, freya: Facilitator, room: list[Phone], mode: str
) -> None:
    freya.sets(mode=mode)
    freya.does("open")
    vote(room, *"333333")
    opened = freya.rounds[0].id
    freya.does("close")
    for htmx in (True, False):
        late = room[0].answers("5", round_id=opened, htmx=htmx)
        assert late.status_code == 422
        assert "Voting has closed" in text_of(late)
    assert tally(freya.rounds[0]) == Tally((0, 0, 6, 0, 0))
    assert freya.ballots == 0


def test_an_answer_to_the_question_before_is_not_counted_for_this_one(
    venue: Venue, freya: Facilitator, ana: Phone
) -> None:
    freya.does("open")
    before = freya.rounds[0].id
    freya.does("next")
    assert ana.answers("4", round_id=before).status_code == 422
    assert ana.answers("4", round_id=before + 999).status_code == 422
    assert freya.ballots == 0


def test_two_rounds_file_the_same_phone_in_different_slots(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    def slots() -> set[bytes]:
        with venue.reading() as session:
            return set(store.ballots_in(session, freya.rounds[-1].id))

    freya.does("open")
    ana.answers("4")
    first = slots()
    freya.does("next")
    ana.answers("4")
    assert len(first) == len(slots()) == 1
    assert first.isdisjoint(slots())


# --- Closing, revealing, voting again ---


@BOTH_MODES
def test_closing_counts_exactly_and_leaves_no_ballot_and_no_key(
    venue: Venue, freya: Facilitator, room: list[Phone], mode: str
) -> None:
    freya.sets(mode=mode)
    freya.does("open")
    vote(room, "1", "5", "5", "DK", "NR", "3")
    assert freya.key() is not None
    freya.does("close")
    (round_,) = freya.rounds
    assert tally(round_) == Tally((1, 0, 1, 0, 2), dk=1, nr=1)
    assert (round_.state, round_.ballots_cast, round_.picture) == ("counted", 6, None)
    assert round_.released is (mode == "live")
    assert freya.ballots == 0
    assert freya.key() is None


@BOTH_MODES
@pytest.mark.parametrize("answers", [0, 1, 4])
def test_below_k_only_the_number_of_ballots_is_kept(
    venue: Venue, freya: Facilitator, room: list[Phone], mode: str, answers: int
) -> None:
    freya.sets(mode=mode)
    freya.does("open")
    vote(room[:answers], *"1" * answers)
    freya.does("close")
    (round_,) = freya.rounds
    assert (round_.state, round_.ballots_cast, round_.counts, round_.shift) == ("counted", answers, None, None)
    words = {0: "Nobody has answered", 1: "1 person has answered", 4: "4 people have answered"}[answers]
    assert words in freya.sees()
    assert "Results show from 5 answers up" in freya.sees()


def test_exactly_k_ballots_are_shown(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    freya.does("open")
    vote(room[:5], *"11122")
    freya.does("close")
    assert tally(freya.rounds[0]) == Tally((3, 2, 0, 0, 0))


def test_a_second_vote_stands_beside_the_first_with_the_shift_that_phones_declared(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    vote(room, *"222223")
    freya.does("close", "discuss", "revote")
    for phone, choice, direction in zip(room, "333323", ["up"] * 4 + ["same", "same"], strict=True):
        phone.answers(choice, direction)
    freya.does("close")
    first, second = freya.rounds
    assert (first.number, second.number) == (1, 2)
    assert tally(first) == Tally((0, 5, 1, 0, 0))
    assert tally(second) == Tally((0, 1, 5, 0, 0))
    assert second.shift == {"up": 4, "same": 2, "down": 0}
    assert first.shift is None
    assert "was" in room[0].sees()


def test_a_direction_in_a_first_vote_and_one_that_is_none_count_for_nothing(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    for phone in room:
        phone.answers("3", "up")
    freya.does("close", "revote")
    for phone in room:
        phone.answers("3", "sideways")
    freya.does("close")
    assert [round_.shift for round_ in freya.rounds] == [None, None]


def test_fewer_than_k_declared_directions_are_not_kept(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    freya.does("open")
    vote(room, *"222222")
    freya.does("close", "revote")
    for phone, direction in zip(room, ["up"] * 4 + ["", ""], strict=True):
        phone.answers("3", direction)
    freya.does("close")
    assert freya.rounds[1].shift is None
    assert tally(freya.rounds[1]) == Tally((0, 0, 6, 0, 0))


def test_talk_first_reveal_after_holds_the_first_count_back_and_shows_both_at_the_reveal(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.sets(mode="reveal")
    freya.does("open")
    vote(room, *"111111")
    freya.does("close", "revote")
    assert [round_.released for round_ in freya.rounds] == [False, False]
    vote(room, *"444444")
    freya.does("close")
    assert [round_.released for round_ in freya.rounds] == [False, False]
    assert counts_in(room[0].gets(f"/w/{freya.code}/now").text) == []
    freya.does("reveal")
    assert [round_.released for round_ in freya.rounds] == [True, True]
    assert counts_in(room[0].gets(f"/w/{freya.code}/now").text) == [0, 0, 0, 6, 0, 0, 0]
    assert "was 6" in room[0].sees()


@BOTH_MODES
def test_a_round_closed_by_mistake_is_dropped_and_the_vote_starts_again(
    venue: Venue, freya: Facilitator, room: list[Phone], mode: str
) -> None:
    freya.sets(mode=mode)
    freya.does("open")
    vote(room, *"111111")
    freya.does("close", "discard")
    dropped, again = freya.rounds
    assert (dropped.state, dropped.counts, dropped.ballots_cast, dropped.released) == ("discarded", None, None, False)
    assert (again.state, again.number) == ("open", 1)
    vote(room, *"555555")
    freya.does("close")
    assert tally(freya.rounds[1]) == Tally((0, 0, 0, 0, 6))
    assert "second vote" not in freya.sees()


# --- Skipping, turning back, ending ---


def test_skipping_a_vote_counts_it_and_keeps_it_unrevealed(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    freya.does("open")
    vote(room, *"111115")
    freya.does("next")
    skipped, opened = freya.rounds
    assert (skipped.state, skipped.released, tally(skipped)) == ("unseen", False, Tally((5, 0, 0, 0, 1)))
    assert opened.state == "open"
    assert freya.key(0) is None
    assert freya.ballots == 0
    assert "Not shown" in freya.sees()


@pytest.mark.parametrize(
    ("mode", "left_by"),
    [
        ("live", ["next", "goto 1"]),
        ("live", ["goto 1"]),
        ("reveal", ["next", "goto 1"]),
        ("reveal", ["close", "next", "goto 1"]),
        ("reveal", ["close", "goto 1"]),
    ],
)
def test_a_vote_that_was_left_unseen_stays_so_when_its_question_is_voted_on_again(
    venue: Venue, freya: Facilitator, room: list[Phone], mode: str, left_by: list[str]
) -> None:
    freya.sets(mode=mode)
    freya.does("open")
    vote(room, *"111111")
    freya.does(*left_by)
    assert "second vote" not in freya.sees()
    assert "data-first" not in room[0].gets(f"/w/{freya.code}").text
    for phone in room:
        phone.answers("4", "up")  # no page of ours says so: there is nothing to have gone up from
    freya.does("close")
    assert "was 6" not in freya.sees()
    if mode == "reveal":
        freya.does("reveal")
    unseen, shown = (r for r in freya.rounds if r.state != "discarded")
    assert [(r.state, r.released, r.shift) for r in (unseen, shown)] == [
        ("unseen", False, None),
        ("counted", True, None),
    ]
    assert "was 6" not in room[0].sees() + freya.sees()
    assert [(r["round"], r["released"]) for r in json.loads(freya.reads("session.json").text)["rounds"]] == [
        (1, False),
        (2, True),
    ]


def test_a_vote_that_nobody_answered_is_skipped_without_a_trace(venue: Venue, freya: Facilitator) -> None:
    freya.does("open", "next")
    assert freya.rounds[0].state == "discarded"
    freya.does("goto 1")
    assert freya.rounds[-1].number == 1


def test_going_to_a_question_with_a_result_lands_in_the_talk_about_it(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    vote(room, *"444441")
    freya.does("close", "next", "goto 1")
    assert freya.stage == "discussion"
    assert counts_in(room[0].gets(f"/w/{freya.code}/now").text) == [1, 0, 0, 5, 0, 0, 0]
    assert len(freya.rounds) == 2


def test_going_to_a_question_that_was_skipped_opens_a_second_round_of_it(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    freya.does("open")
    vote(room, *"444441")
    freya.does("next", "goto 1")
    assert freya.stage == "voting"
    assert [(r.agenda_id, r.number) for r in freya.rounds if r.state != "discarded"] == [
        (freya.agenda(1), 1),
        (freya.agenda(1), 2),
    ]


STEPS_TO = {
    "lobby": [],
    "voting": ["open"],
    "closed": ["open", "close"],
    "revealed": ["open", "close", "reveal"],
    "discussion": ["open", "close", "reveal", "discuss"],
}


@pytest.mark.parametrize("stage", STEPS_TO)
def test_finishing_from_any_stage_counts_what_is_open_and_forgets_who_was_there(
    venue: Venue, freya: Facilitator, room: list[Phone], stage: str
) -> None:
    freya.sets(mode="reveal")
    for move in STEPS_TO[stage]:
        freya.does(move)
        if move == "open":
            vote(room, *"123455")
    assert freya.stage == stage
    assert freya.moves("finish").status_code == 200
    now = freya.now
    assert (now.stage, now.key, now.round_id, now.agenda_id) == ("finished", None, None, None)
    assert freya.ballots == 0
    assert [(r.state, tally(r)) for r in freya.rounds] == (
        [("counted", Tally((1, 1, 1, 1, 2)))] if stage != "lobby" else []
    )
    assert "session has ended" in room[0].sees()
    late = room[0].answers("1", round_id=1)
    assert late.status_code == 422
    assert "This session has ended" in text_of(late)
    assert freya.moves("goto", place=1).status_code == 422


def test_nobody_joins_a_finished_session_and_its_page_is_for_everybody(freya: Facilitator, mallory: Person) -> None:
    freya.does("open", "finish")
    assert mallory.posts("/join", {"code": freya.code}).status_code == 303
    assert not mallory.cookies()
    assert "session has ended" in text_of(mallory.gets(f"/w/{freya.code}"))
    assert freya.now.joined == 0


# --- Versions ---


def test_a_move_from_a_stale_page_is_refused_and_answered_with_the_fresh_page(freya: Facilitator) -> None:
    seen = freya.now.version
    freya.does("open")
    response = freya.moves("goto", place=2, version=seen)
    assert response.status_code == 409
    assert "Someone else moved the session on" in text_of(response)
    assert "Close voting" in text_of(response)
    assert freya.now.agenda_id == freya.agenda(1)


def test_two_tabs_cannot_close_twice(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    freya.sets(mode="reveal")
    freya.does("open")
    vote(room, *"111111")
    seen = freya.now.version
    assert freya.moves("close", version=seen).status_code == 200
    assert freya.moves("close", version=seen).status_code == 409
    assert freya.stage == "closed"
    assert len(freya.rounds) == 1


def test_a_double_click_on_next_skips_one_question_only(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    seen = freya.now.version
    freya.moves("next", version=seen)
    freya.moves("next", version=seen)
    assert freya.now.agenda_id == freya.agenda(2)


def test_a_move_that_the_stage_does_not_know_is_refused(freya: Facilitator) -> None:
    assert freya.moves("reveal").status_code == 422
    assert freya.moves("dance").status_code == 422
    assert freya.moves("goto").status_code == 422
    assert (freya.stage, freya.now.version) == ("lobby", 1)


def test_typing_and_overlays_never_block_the_big_button(freya: Facilitator, ana: Phone) -> None:
    seen = freya.now.version
    freya.sets(title="Renamed")
    freya.shows("overlay", "code")
    freya.shows("timer")
    assert freya.moves("open", version=seen).status_code == 200


def test_a_move_takes_away_what_lies_over_the_stage(venue: Venue, freya: Facilitator) -> None:
    freya.shows("overlay", "blank")
    freya.shows("timer")
    freya.does("open")
    now = freya.now
    assert (now.overlay, now.timer_started, now.timer_seconds) == ("", None, None)


# --- Over any stage ---


def test_an_overlay_is_taken_away_by_the_button_that_laid_it(freya: Facilitator) -> None:
    for over in ("blank", "code", "profile"):
        freya.shows("overlay", over)
        assert freya.now.overlay == over
        freya.shows("overlay", over)
        assert freya.now.overlay == ""


def test_a_pause_is_blank_with_the_timer_stopped(freya: Facilitator) -> None:
    freya.shows("timer")
    assert freya.now.timer_started is not None
    freya.shows("overlay", "blank")
    assert freya.now.timer_started is None


def test_the_text_on_the_wall_grows_and_shrinks_in_steps_and_stops_at_the_ends(freya: Facilitator) -> None:
    for want, end in (("bigger", 140), ("smaller", 80)):
        for _ in range(8):
            freya.shows("zoom", want)
        assert freya.now.zoom == end


@pytest.mark.parametrize(
    ("want", "value"), [("overlay", "party"), ("theme", "pink"), ("zoom", "9"), ("prompt", "x"), ("sound", "on")]
)
def test_what_the_wall_cannot_show_is_refused(freya: Facilitator, want: str, value: str) -> None:
    assert freya.shows(want, value).status_code == 422


def test_a_soft_timer_runs_out_and_closes_nothing(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    freya.shows("timer")
    venue.clock.advance(1000)
    assert 'data-left="0"' in freya.gets(f"/f/{freya.code}/now").text
    assert freya.stage == "voting"


# --- Deleting ---


def rows_of(venue: Venue) -> dict[str, set[str]]:
    """Every row of every table."""
    with venue.reading() as session:
        return {
            table.name: {repr(tuple(row)) for row in session.execute(table.select())}
            for table in store.Base.metadata.sorted_tables
        }


def test_deleting_leaves_nothing_but_the_code_that_stays_used(venue: Venue, freya: Facilitator) -> None:
    before = rows_of(venue)
    freya.creates(*QUESTIONS)
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones, *"123451")
    freya.does("close", "next")
    vote(phones, *"123451")
    key, round_id = freya.key(), freya.rounds[-1].id
    assert key
    changed = rows_of(venue)
    for table in ("workshops", "agenda", "rounds", "ballots", "capabilities"):
        assert changed[table] > before[table]
    assert freya.deletes().status_code == 200
    assert rows_of(venue) == {**before, "issued_codes": before["issued_codes"] | {repr((freya.code,))}}
    assert venue.house.keys.read(round_id) is None
    assert key not in (venue.folder / "rounds.keys").read_bytes()
    assert phones[0].gets(f"/w/{freya.code}/now").status_code == 404
    assert freya.gets(f"/f/{freya.code}").status_code == 404


def test_deleting_one_session_leaves_the_other_as_it_was(venue: Venue, freya: Facilitator) -> None:
    kept = (freya.code, freya.workshop_id)
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones, *"123451")
    freya.creates(*QUESTIONS).deletes()
    freya.code, freya.workshop_id = kept
    assert freya.ballots == 6
    freya.does("close")
    assert tally(freya.rounds[0]) == Tally((2, 1, 1, 1, 1))
