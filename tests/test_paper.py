"""People without a phone: paper cards that the facilitator types, and a device that is handed round."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facilitation import ballots, paper, store
from facilitation.errors import NotVoting, Refused
from facilitation.room import PRESENT, Room, Source
from facilitation.store import Ballot, Workshop
from facilitation.workshop import OpenRound
from tests.cast import Facilitator, Handed, Phone, Screen, Venue, counts_in, tally, text_of, vote
from tests.conftest import DATABASES, a_venue


@pytest.fixture(scope="module", params=DATABASES)
def venue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """One program for all tests of this file, each with a session of its own."""
    with a_venue(request, tmp_path_factory) as place:
        yield place


@pytest.fixture
def room(venue: Venue, freya: Facilitator) -> list[Phone]:
    """Six phones, in the first vote."""
    phones = venue.phones(6, freya.code)
    freya.does("open")
    return phones


@pytest.fixture
def tablet(venue: Venue, freya: Facilitator) -> Handed:
    """Shared by three people."""
    return Handed(venue).comes_from(freya, people=3)


def types(freya: Facilitator, /, sure: Any = True, **cards: int | str) -> str:
    """Freya types a batch; the words of the page she gets. `four=2`: two cards that say 4."""
    points = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "dk": "DK", "nr": "NR"}
    form = {f"n-{points[name]}": str(number) for name, number in cards.items()}
    answer = freya.posts(
        f"/f/{freya.code}/cards", {**form, "round": freya.now.round_id, **({"sure": "1"} if sure else {})}
    )
    return "" if answer.status_code == 303 else text_of(answer)


def rows(venue: Venue) -> list[tuple[int, int, int]]:
    """What the ballots' rows look like from outside: round, seq and length."""
    with venue.reading() as session:
        return sorted((row.round_id, row.seq, len(row.sealed)) for row in session.query(Ballot))


# --- Cards are ballots like any other ---


def test_cards_and_phones_are_counted_together_and_the_result_does_not_tell_them_apart(
    venue: Venue, freya: Facilitator, room: list[Phone]
) -> None:
    vote(room[:3], "1", "2", "2")
    assert types(freya, two=1, four=2, dk=1) == ""
    assert freya.ballots == 7
    freya.does("close")
    counted = tally(freya.rounds[-1])
    assert counted is not None
    assert counted.as_dict() == {"1": 1, "2": 3, "3": 0, "4": 2, "5": 0, "DK": 1, "NR": 0}
    for page in (freya.sees(), *(freya.reads(name).text for name in ("results.csv", "session.json"))):
        assert not re.search("paper|cards? (is|are) in|typed", page.replace("on a device or on paper", ""))


def test_the_rows_of_cards_are_those_of_phones(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    vote(room[:3], "1", "2", "2")
    of_phones = rows(venue)
    assert types(freya, four=3) == ""
    assert rows(venue) == sorted(of_phones * 2)
    freya.does("close")
    assert freya.ballots == 0
    assert freya.key() is None


def test_every_card_has_a_slot_of_its_own_that_no_second_typing_finds_again(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    round_ = OpenRound.of(freya.now)
    assert round_
    batches = [paper.sealed(venue.house.keys, round_, ["4"] * 5) for _ in range(2)]
    assert len({filing.slot for batch in batches for filing in batch}) == 10
    assert len({filing.sealed for batch in batches for filing in batch}) == 10


def test_a_batch_is_filed_in_an_order_that_says_nothing(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    round_ = OpenRound.of(freya.now)
    assert round_
    typed = ["1"] * 10 + ["5"] * 10
    orders = [[filing.choice for filing in paper.sealed(venue.house.keys, round_, typed)] for _ in range(4)]
    assert all(sorted(order) == typed for order in orders)
    assert typed not in orders
    assert len({tuple(order) for order in orders}) == 4


def test_cards_count_towards_the_smallest_group(freya: Facilitator, room: list[Phone]) -> None:
    vote(room[:4], "3", "3", "3", "3")
    assert types(freya, five=1) == ""
    freya.does("close")
    assert counts_in(freya.gets(f"/f/{freya.code}/now").text) == [0, 0, 4, 0, 1, 0, 0]


def test_a_second_batch_adds_to_the_first(freya: Facilitator, room: list[Phone]) -> None:
    assert types(freya, four=3) == types(freya, four=2) == ""
    assert "5 cards are in." in text_of(freya.gets(f"/f/{freya.code}/cards"))
    assert freya.ballots == 5


# --- Slips ---


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        ({}, "Enter at least one card."),
        ({"four": 61}, "You entered 61 cards. One batch holds at most 60"),
        ({"one": 30, "two": 31}, "You entered 61 cards."),
        ({"four": "-3"}, "as a whole number"),
        ({"four": "two"}, "as a whole number"),
        ({"four": "9" * 30}, "as a whole number"),
        ({"four": "²"}, "as a whole number"),
    ],
)
def test_a_batch_that_cannot_be_right_is_refused_in_words_and_nothing_typed_is_lost(
    freya: Facilitator, room: list[Phone], cards: dict[str, int | str], said: str
) -> None:
    assert said in types(freya, nr="0", **cards)
    assert freya.ballots == 0
    if cards:
        answer = freya.posts(f"/f/{freya.code}/cards", {"round": freya.now.round_id, "n-4": "77"})
        assert 'name="n-4" type="number"' in answer.text and 'value="77"' in answer.text


def test_more_cards_than_people_are_asked_about_and_then_the_people_are_known(
    freya: Facilitator, room: list[Phone]
) -> None:
    vote(room, *"333333")
    asked = types(freya, sure=False, four=2, five=1)
    assert "You entered 3 cards. With them 9 answers are in, and the program knows of 6 people in the room." in asked
    assert freya.ballots == 6
    assert types(freya, four=2, five=1) == ""
    assert freya.now.heads == 3
    assert "9 of 9 have answered" in freya.sees()
    freya.does("close", "revote")
    vote(room, *"333333")
    assert types(freya, sure=False, four=3) == ""


def test_cards_that_come_after_the_close_are_refused_whole(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    vote(room, *"333333")
    round_ = OpenRound.of(freya.now)
    assert round_
    batch = paper.sealed(venue.house.keys, round_, ["1", "5"])
    form = {"round": freya.now.round_id, "n-4": "2", "sure": "1"}
    freya.does("close")
    late = freya.posts(f"/f/{freya.code}/cards", form)
    assert late.status_code == 422
    assert "Voting on that question has closed. None of these cards was counted." in text_of(late)
    with pytest.raises(NotVoting, match="none of them was counted"):
        venue.performs(paper.add(venue.house.rooms, venue.house.box, batch, secrets.token_hex(4), sure=True))
    with pytest.raises(NotVoting, match="none of them was counted"):
        paper.sealed(venue.house.keys, round_, ["1"])
    counted = tally(freya.rounds[-1])
    assert counted and counted.ballots == 6
    assert freya.now.heads == 0


# --- Taking a batch back ---


def test_the_last_batch_can_be_taken_back_until_the_close(freya: Facilitator, room: list[Phone]) -> None:
    vote(room, *"333333")
    types(freya, four=2)
    types(freya, one=4)
    page = f"/f/{freya.code}/cards"
    assert "Take the last batch back: 4 cards" in text_of(freya.gets(page))
    assert freya.now.heads == 6
    form = {"round": freya.now.round_id}
    assert freya.posts(f"{page}/back", form).status_code == 303
    assert (freya.ballots, freya.now.heads) == (8, 2)
    assert "Take the last batch back" not in text_of(freya.gets(page))
    assert "There is no batch that could be taken back." in text_of(freya.posts(f"{page}/back", form))
    assert "no batch" in text_of(freya.posts(f"{page}/back"))
    types(freya, one=1)
    freya.does("close")
    refused = freya.posts(f"{page}/back", form)
    assert (refused.status_code, freya.ballots) == (422, 0)
    assert "Voting has closed, so the cards are counted" in text_of(refused)
    counted = tally(freya.rounds[-1])
    assert counted
    assert counted.as_dict() == {"1": 1, "2": 0, "3": 6, "4": 2, "5": 0, "DK": 0, "NR": 0}


@pytest.mark.program
def test_a_program_that_was_started_again_has_forgotten_which_answers_were_cards(
    database_url: str, tmp_path: Path
) -> None:
    venue = Venue(database_url, tmp_path)
    freya = Facilitator(venue).enters().creates("purpose-01").does("open")
    types(freya, four=5)
    venue.restarts()
    page = text_of(freya.gets(f"/f/{freya.code}/cards"))
    assert "Take the last batch back" not in page
    assert freya.posts(f"/f/{freya.code}/cards/back", {"round": freya.now.round_id}).status_code == 422
    assert freya.ballots == 5
    venue.closes()


# --- The chart and those who are missing ---


def test_while_one_or_two_changes_are_from_phones_cards_do_not_bring_a_picture() -> None:
    room = Room()
    room.note_first(1)
    slots = iter(range(100))

    def answered(source: Source, number: int) -> None:
        for _ in range(number):
            room.note_ballot(1, bytes([next(slots)]), None, "4", source)

    answered(Source.CARD, 4)
    assert room.changed(1) == 4
    answered(Source.PHONE, 1)
    assert room.changed(1) == 1
    answered(Source.HANDED, 1)
    assert room.changed(1) == 2
    answered(Source.PHONE, 1)
    assert room.changed(1) == 7
    room.note_picture(1, 0.0, {}, drawn=True)
    answered(Source.PHONE, 2)
    answered(Source.CARD, 9)
    assert room.changed(1) == 2


def test_where_a_change_may_have_gone_unseen_cards_alone_bring_no_picture() -> None:
    """A program that was started again does not know of the phone that answered just before: with three cards a new
    picture would hold these three, which somebody typed, and that one answer."""
    room = Room()
    room.note_picture(1, 0.0, {"4": 5})  # found, not drawn
    for slot in (b"a", b"b", b"c"):
        room.note_ballot(1, slot, None, "4", Source.CARD)
    assert room.changed(1) == 0
    for slot in (b"d", b"e", b"f"):
        room.note_ballot(1, slot, None, "2", Source.PHONE)
    assert room.changed(1) == 6
    room.note_picture(1, 1.0, {"4": 8, "2": 3}, drawn=True)
    for slot in (b"g", b"h", b"i"):
        room.note_ballot(1, slot, None, "4", Source.CARD)
    assert room.changed(1) == 3


def test_a_form_of_cards_that_is_sent_twice_is_counted_once(freya: Facilitator) -> None:
    freya.does("open")
    form = {"round": freya.now.round_id, "form": "the same page", "n-4": "3", "sure": "on"}
    assert freya.posts(f"/f/{freya.code}/cards", form).status_code == 303
    again = freya.posts(f"/f/{freya.code}/cards", form)
    assert again.status_code == 422
    assert "These cards are in already, and were counted once." in text_of(again)
    assert freya.ballots == 3
    assert freya.posts(f"/f/{freya.code}/cards", form | {"form": "the next page"}).status_code == 303
    assert freya.ballots == 6


def test_a_card_that_is_taken_back_before_a_picture_is_no_change_and_after_it_is_one() -> None:
    room = Room()
    room.note_ballot(1, b"a", None, "4", Source.CARD)
    room.note_taken_back(1, {b"a": "4"})
    assert (room.changed(1), room.guests(1), room.cards(1)) == (0, 0, 0)
    room.note_ballot(1, b"b", None, "4", Source.CARD)
    room.note_picture(1, 0.0, {}, drawn=True)
    room.note_taken_back(1, {b"b": "4"})
    assert (room.changed(1), room.guests(1)) == (1, 0)


def test_the_picture_waits_for_two_people_whose_cards_are_not_typed_yet(
    venue: Venue, freya: Facilitator, room: list[Phone], wall: Screen
) -> None:
    venue.clock.advance(PRESENT)
    assert freya.posts(f"/f/{freya.code}/heads", {"heads": "2"}).status_code == 303
    for phone in room:
        phone.gets(f"/w/{freya.code}/now")
    vote(room, *"123451")
    assert "6 of 8 have answered" in wall.sees()
    assert counts_in(wall.gets(f"/s/{wall.code}/now").text) == []
    assert "2 people have not answered" in freya.sees()
    assert types(freya, two=2) == ""
    assert counts_in(wall.gets(f"/s/{wall.code}/now").text) == [2, 3, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("heads", ["-1", "201", "many", ""])
def test_a_number_of_people_that_cannot_be_is_refused(freya: Facilitator, heads: str) -> None:
    answer = freya.posts(f"/f/{freya.code}/heads", {"heads": heads})
    assert answer.status_code == 422
    assert "from 0 to 200" in text_of(answer)
    assert freya.now.heads == 0


@pytest.mark.parametrize(
    ("cards", "phones", "asked"),
    [
        (4, 2, "Only 2 answers are not from your cards, so you would know them as a group."),
        (5, 1, "Only one answer is not from your cards, so you would know it."),
        (2, 6, ""),
        (6, 0, ""),
        (1, 2, ""),
    ],
)
def test_who_typed_nearly_all_answers_is_asked_before_the_close_because_the_rest_could_be_worked_out(
    freya: Facilitator, room: list[Phone], cards: int, phones: int, asked: str
) -> None:
    vote(room[:phones], *"333333"[:phones])
    types(freya, four=cards)
    (arm,) = re.findall(r'id="form-main-move"(?: data-arm="(.*?)")?', freya.gets(f"/f/{freya.code}/now").text)
    assert arm.startswith(asked)
    assert ("your cards" in arm) == bool(asked)


# --- Dot votes ---

OPTIONS = ["A1 Ask the school", "A2 Mend the roof", "A3 Open on Mondays", "A4 Write it down"]


def test_cards_of_a_dot_vote_are_typed_a_line_each() -> None:
    assert paper.dotted("A1 a4\n\n a2, A3;A1 \n-\n", OPTIONS) == ["d1.4", "d1.2.3", "d"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("A1\nA9", "Line 2: “A9” is none of the options."),
        ("A1 A2 A3 A4", "Line 1: a card has up to 3 dots, each on another option."),
        ("-\nA1 A1", "Line 2: a card has up to 3 dots"),
        ("\n  \n", "Enter at least one card."),
        ("A1\n" * 61, "You entered 61 cards."),
        ("A1 -", "Line 1: “-” is none of the options."),
    ],
)
def test_a_line_that_is_no_card_is_named(typed: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        paper.dotted(typed, OPTIONS)
    assert refusal.value.sentence.startswith(said)


def test_dots_on_paper_and_on_a_device_that_goes_round_are_counted_with_the_others(
    freya: Facilitator, tablet: Handed
) -> None:
    for action in range(4):
        freya.posts(f"/f/{freya.code}/actions", {"action": f"Do {action}"})
    chosen = re.findall(r'id="actions-\d" value="(.*?)"', freya.gets(f"/f/{freya.code}/priorities").text)
    freya.posts(f"/f/{freya.code}/priorities", {"over": "actions", "key": chosen})
    freya.does("goto 4")
    form = {"round": freya.now.round_id, "cards": "A1 A2\nA1\n-\nA1 A4", "sure": "1"}
    assert freya.posts(f"/f/{freya.code}/cards", form).status_code == 303
    held = dict(re.findall(r'name="(round|turn)" value="(.*?)"', tablet.page()))
    assert tablet.posts(f"/w/{tablet.code}/handed", {**held, "choice": ["1", "3"]}).status_code == 303
    freya.does("close")
    assert freya.rounds[-1].counts == {"1": 4, "2": 1, "3": 1, "4": 1, "none": 1, "ballots": 5}


# --- A device that is handed round ---


def test_each_person_answers_once_and_the_next_one_finds_an_empty_page(freya: Facilitator, tablet: Handed) -> None:
    assert "This device is handed round" in text_of(tablet.page())
    freya.does("open")
    secrets = set()
    for choice in "245":
        page = tablet.page()
        assert "checked" not in page
        secrets.add(tablet.cookies()[f"p_{freya.workshop_id}"])
        answer = tablet.answers(choice)
        assert answer.headers["Location"] == f"/w/{freya.code}/counted"
        after = tablet.gets(f"/w/{freya.code}/counted").text
        assert "Counted. Hand it to the next person." in text_of(after)
        assert 'id="next-person"' in after and "choice__input" not in after
    assert len(secrets) == 3
    assert freya.ballots == 3
    types(freya, five=2)
    freya.does("close")
    assert counts_in(freya.gets(f"/f/{freya.code}/now").text) == [0, 1, 0, 1, 3, 0, 0]


def test_when_the_reply_to_an_answer_is_lost_the_page_that_is_loaded_anew_is_the_next_person_s(
    freya: Facilitator, tablet: Handed
) -> None:
    freya.does("open")
    page, before = tablet.page(), tablet.cookies()
    tablet.answers("2", page=page)
    tablet.forgets_all_but(before)  # the reply with the next person's cookie never came
    assert tablet.answers("5").status_code == 303  # on a page that was loaded anew
    assert freya.ballots == 2
    types(freya, five=3)
    freya.does("close")
    assert counts_in(freya.gets(f"/f/{freya.code}/now").text) == [0, 1, 0, 0, 4, 0, 0]


def test_another_answer_on_a_page_whose_answer_is_in_is_refused_and_never_said_to_be_counted(
    freya: Facilitator, tablet: Handed
) -> None:
    freya.does("open")
    page, before = tablet.page(), tablet.cookies()
    tablet.answers("2", page=page)
    tablet.forgets_all_but(before)
    assert tablet.answers("5", page=page).status_code == 422
    assert freya.ballots == 1


def test_nobody_can_go_back_and_see_or_change_what_the_one_before_answered(
    venue: Venue, freya: Facilitator, tablet: Handed
) -> None:
    freya.does("open")
    before = tablet.page()
    tablet.answers("2", page=before)
    again = tablet.answers("5", page=before)
    assert again.status_code == 422
    assert "The answer on that page is counted already." in text_of(again)
    assert freya.ballots == 1
    for path in ("", "/counted", "/now"):
        assert "Your answer is in: 2" not in text_of(tablet.gets(f"/w/{freya.code}{path}"))
    tablet.answers("5")
    assert freya.ballots == 2


def test_a_button_pressed_twice_before_the_answer_came_counts_once(freya: Facilitator, tablet: Handed) -> None:
    freya.does("open")
    page, cookies = tablet.page(), tablet.cookies()
    assert tablet.answers("2", page=page).status_code == 303
    tablet.forgets_all_but(cookies)  # the answer was lost on its way, and the script sends it again
    assert tablet.answers("2", page=page, htmx=True).status_code == 200
    assert freya.ballots == 1
    assert freya.now.heads == 3


def test_the_people_who_share_it_are_in_the_room_and_the_device_is_not(
    venue: Venue, freya: Facilitator, tablet: Handed, wall: Screen
) -> None:
    venue.clock.advance(PRESENT)
    assert "3 people are here" in freya.sees()
    freya.does("open")
    for _ in range(3):
        tablet.answers("4")
    with venue.reading() as session:
        here = session.get_one(Workshop, freya.workshop_id)
        assert venue.house.rooms.present(here.id, here.joined, here.heads) == 3
    assert "3 of 3 have answered" in wall.sees()


def test_somebody_more_who_answers_on_it_is_in_the_room_from_then_on_also_in_the_next_vote(
    freya: Facilitator, tablet: Handed, wall: Screen
) -> None:
    freya.does("open")
    for _ in range(4):
        tablet.answers("4")
    assert "4 of 4 have answered" in wall.sees()
    types(freya, two=1)
    assert "5 of 5 have answered" in wall.sees()
    freya.does("close", "next")
    assert "0 of 5 have answered" in wall.sees()


def test_a_phone_that_is_missing_stays_missing_while_many_answer_on_one_device(
    venue: Venue, freya: Facilitator, tablet: Handed, wall: Screen
) -> None:
    venue.clock.advance(PRESENT)
    phones = venue.phones(4, freya.code)
    freya.does("open")
    for _ in range(5):
        tablet.answers("4")
    vote(phones[:2], "1", "2")
    assert "7 of 9 have answered" in wall.sees()
    assert "2 people have not answered" in freya.sees()


def test_an_answer_that_comes_too_late_is_refused_in_words_and_the_page_turns_by_itself(
    freya: Facilitator, tablet: Handed
) -> None:
    freya.sets(mode="reveal")
    freya.does("open")
    page = tablet.page()
    order = re.search('data-order="(.*?)"', page)
    assert order
    assert tablet.gets(f"/w/{freya.code}/handed?order={order[1]}").status_code == 204
    freya.does("close")
    assert tablet.gets(f"/w/{freya.code}/handed?order={order[1]}").status_code == 200
    late = tablet.answers("4", page=page, htmx=True)
    assert late.status_code == 422
    assert "Voting has closed. Your last answer came too late and was not counted." in text_of(late)
    assert "Voting has closed" in text_of(tablet.gets(f"/w/{freya.code}/counted"))
    freya.does("next")
    assert "choice__input" in tablet.page()


def test_nothing_is_counted_without_an_answer(freya: Facilitator, tablet: Handed) -> None:
    freya.does("open")
    answer = tablet.answers("")
    assert answer.status_code == 422
    assert "Select an answer, or choose I don’t know." in text_of(answer)
    assert freya.ballots == 0


def test_each_person_is_asked_for_a_role_of_their_own(freya: Facilitator, tablet: Handed) -> None:
    freya.sets(roles="on")
    assert "This device is handed round" in text_of(tablet.page())
    freya.does("open")
    for role in ("trustee", "staff"):
        assert "What is your role here?" in text_of(tablet.page())
        tablet.posts(f"/w/{freya.code}/role", {"role": role})
        assert tablet.answers("3").status_code == 303
        assert "Counted." in text_of(tablet.gets(f"/w/{freya.code}/counted"))
        assert f"r_{freya.workshop_id}" not in tablet.cookies()


def test_a_device_that_is_taken_back_holds_nothing_any_more_and_may_join_as_a_phone(
    freya: Facilitator, tablet: Handed
) -> None:
    freya.does("open")
    tablet.answers("3")
    assert "1 device is handed round." in text_of(freya.gets(f"/f/{freya.code}/devices"))
    freya.posts(f"/f/{freya.code}/devices/revoke")
    assert tablet.gets(f"/w/{freya.code}/counted").status_code == 404
    page = tablet.gets(f"/w/{freya.code}")
    assert "This device is not handed round any more." in text_of(page)
    assert tablet.cookies() == {}
    assert freya.ballots == 1


def test_only_the_console_makes_a_device_that_goes_round(venue: Venue, freya: Facilitator, room: list[Phone]) -> None:
    phone = room[0]
    phone.client.set_cookie(f"h_{freya.workshop_id}", "invented")
    assert phone.posts(f"/w/{freya.code}/handed", {"round": freya.now.round_id, "choice": "4"}).status_code == 404
    with venue.reading() as session:
        assert store.holders(session, freya.workshop_id)["handed"] == 0


def test_the_turn_on_its_page_does_not_tell_the_secret(freya: Facilitator, tablet: Handed) -> None:
    freya.does("open")
    turn = re.search('name="turn" value="(.*?)"', tablet.page())
    assert turn
    key = freya.now.key
    assert key
    secret = ballots.read_device(key, tablet.cookies()[f"p_{freya.workshop_id}"])
    assert secret
    assert turn[1] not in ballots.sign_device(key, secret).partition(".")[0]
    assert len(turn[1]) == 12
