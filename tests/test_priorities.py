"""Priorities: a secret dot vote goes the way of every vote, and shows no more than any other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from facilitation import deciding, now
from facilitation.store import Ballot
from facilitation.tally import Dots
from tests.cast import Facilitator, FakeClock, Phone, Screen, Venue, counts_in, text_of

pytestmark = [pytest.mark.program, pytest.mark.quiet]

ACTIONS = ("Invite the school", "Catalogue the store", "Mend the roof", "Ask for a grant", "Thank the volunteers")


@pytest.fixture
def voting(venue: Venue, freya: Facilitator) -> Facilitator:
    """Freya's session with five actions and an open dot vote over them, live; it is the fourth on the agenda."""

    def write(session: Any) -> None:
        for text in ACTIONS:
            deciding.add_action(session, freya.workshop_id, text, None)

    venue.performs(write)
    adds(freya, "actions", uids(freya))
    return freya.does("open", "goto 4")


def uids(freya: Facilitator) -> list[str]:
    return [action["uid"] for action in json.loads(freya.reads("session.json").data)["actions"]]


def adds(freya: Facilitator, over: str, keys: list[str]) -> TestResponse:
    return freya.posts(f"/f/{freya.code}/priorities", {"over": over, "key": keys})


def places(phone: Phone, *options: int) -> TestResponse:
    """Send the form with these boxes ticked, as a phone without JavaScript does."""
    return phone.answers([str(option) for option in options], htmx=False)  # type: ignore[arg-type]  # a field for each


def counted(freya: Facilitator, place: int = -1) -> Dots | None:
    counts = freya.rounds[place].counts
    return Dots.from_dict(counts) if counts else None


def test_an_option_stands_beside_its_plate(venue: Venue, voting: Facilitator) -> None:
    page = Screen(venue).shows(voting).gets(f"/s/{voting.code}/now").text
    assert '<span class="plate">A2</span> <span class="tally__words">Catalogue the store</span>' in page


def test_an_option_from_a_file_that_somebody_wrote_keeps_all_its_words() -> None:
    rows = [now._option(1, words) for words in ("Recruit two trustees", "Recruit", "2 open days", "9.4 Histories")]
    assert [(row.plate, row.label) for row in rows] == [
        *(("", "Recruit two trustees"), ("", "Recruit"), ("", "2 open days"), ("9.4", "Histories")),
    ]


def test_dots_are_counted_at_the_close(venue: Venue, voting: Facilitator) -> None:
    phones = venue.phones(6, voting.code)
    for phone, options in zip(phones, [(1, 2, 3), (1, 2), (3, 1), (5,), (), (1, 4, 5)], strict=True):
        assert places(phone, *options).status_code == 303
    voting.does("close")
    assert counted(voting) == Dots((4, 2, 2, 1, 2), ballots=6, none=1)
    assert voting.ballots == 0


def test_what_is_filed_does_not_tell_a_dot_vote_from_another(venue: Venue, voting: Facilitator, ana: Phone) -> None:
    places(ana, 1, 2, 3)
    voting.does("goto 1")
    ana.answers("4")
    places(venue.phones(1, voting.code)[0])
    with venue.reading() as session:
        assert {len(row.sealed) for row in session.query(Ballot).all()} == {44}


def test_ana_changes_her_mind_and_has_three_dots_still(venue: Venue, voting: Facilitator, ana: Phone) -> None:
    places(ana, 1, 2, 3)
    places(ana, 4)
    page = ana.gets(f"/w/{voting.code}").text
    assert page.count(" checked") == 1
    assert "Your dots are in: A4" in text_of(page)
    for phone in venue.phones(4, voting.code):
        places(phone, 4, 5)
    voting.does("close")
    assert counted(voting) == Dots((0, 0, 0, 5, 4), ballots=5)


def test_a_fourth_dot_is_refused_in_words_and_the_three_stay(voting: Facilitator, ana: Phone) -> None:
    places(ana, 1, 2, 3)
    refused = places(ana, 1, 2, 3, 4)
    assert refused.status_code == 422
    assert "There are 3 dots. Take one back, then place it elsewhere." in text_of(refused)
    assert "Your dots are in: A1, A2, A3" in text_of(ana.gets(f"/w/{voting.code}"))


@pytest.mark.parametrize("sent", [["6"], ["0"], ["x"], ["DK"], ["1.2"], ["99999"]])
def test_an_option_that_there_is_not_is_refused(voting: Facilitator, ana: Phone, sent: list[str]) -> None:
    refused = ana.answers(sent, htmx=False)  # type: ignore[arg-type]
    assert (refused.status_code == 422) != (sent == ["1.2"])  # two dots in one field are two dots
    assert voting.ballots == (1 if sent == ["1.2"] else 0)


def test_no_dots_at_all_is_an_answer_too(voting: Facilitator, ana: Phone) -> None:
    assert places(ana).status_code == 303
    assert "Your dots are in: no dots" in text_of(ana.gets(f"/w/{voting.code}"))
    assert voting.ballots == 1


def test_below_the_smallest_group_nothing_is_shown_to_anyone(venue: Venue, voting: Facilitator, wall: Screen) -> None:
    phones = venue.phones(4, voting.code)
    for phone in phones:
        places(phone, 1, 2)
    assert counts_in(wall.gets(f"/s/{voting.code}/now").text) == []
    voting.does("close")
    assert voting.rounds[-1].counts is None
    for page in (wall.sees(), voting.sees(), phones[0].sees()):
        assert "4 people have answered" in page
    assert json.loads(voting.reads("session.json").data)["rounds"][-1]["counts"] is None


@pytest.mark.loud
def test_the_live_picture_comes_by_the_same_rule(
    venue: Venue, voting: Facilitator, wall: Screen, clock: FakeClock
) -> None:
    phones = venue.phones(12, voting.code)
    for phone in phones[:5]:
        places(phone, 1, 2)
    clock.advance(1)
    shown = counts_in(wall.gets(f"/s/{voting.code}/now").text)
    assert shown == [5, 5, 0, 0, 0, 0]
    for phone in phones[5:7]:
        places(phone, 3)
    clock.advance(2)
    assert counts_in(wall.gets(f"/s/{voting.code}/now").text) == shown
    places(phones[7], 3)
    clock.advance(2)
    assert counts_in(wall.gets(f"/s/{voting.code}/now").text) == [5, 5, 3, 0, 0, 0]


def test_a_second_vote_stands_beside_the_first(venue: Venue, voting: Facilitator, wall: Screen) -> None:
    phones = venue.phones(5, voting.code)
    for phone in phones:
        places(phone, 1, 2)
    voting.does("close", "revote")
    for phone in phones:
        places(phone, 2, 3)
    voting.does("close")
    assert "A2 Catalogue the store 5 was 5 A3 Mend the roof 5 was 0 A1 Invite the school 0 was 5" in wall.sees()
    assert [round_.counts is not None for round_ in voting.rounds[-2:]] == [True, True]


def test_the_most_dots_stand_first_once_nobody_votes_any_more(venue: Venue, voting: Facilitator, wall: Screen) -> None:
    for phone, option in zip(venue.phones(5, voting.code), (3, 3, 5, 3, 5), strict=True):
        places(phone, option)
    voting.does("close")
    page = wall.sees()
    assert page.index("A3 Mend") < page.index("A5 Thank") < page.index("A1 Invite") < page.index("No dots")
    assert "Middle answer" not in page


def test_dots_stay_out_of_profile_things_to_discuss_and_ratings(
    venue: Venue, voting: Facilitator, wall: Screen
) -> None:
    for phone in venue.phones(6, voting.code):
        places(phone, 1)
    voting.does("close", "discuss")
    assert "What the group agrees on" not in voting.sees()
    agreed = {"rating": "4", "version": "0"}
    assert voting.posts(f"/f/{voting.code}/agreements/{voting.agenda(4)}", agreed).status_code == 422
    for overlay in ("profile", "three"):
        voting.shows("overlay", overlay)
        assert "Priorities" not in wall.sees()


def test_words_are_those_of_the_moment_it_is_opened_and_what_was_removed_is_gone(
    venue: Venue, freya: Facilitator, ana: Phone
) -> None:
    mine = freya.workshop_id
    for text in ACTIONS:
        freya.posts(f"/f/{freya.code}/actions", {"action": text})
    adds(freya, "actions", uids(freya))
    venue.performs(lambda session: deciding.change_action(session, mine, 1, {"action": "Ring the school"}, 1))
    venue.performs(lambda session: deciding.remove_action(session, mine, 3))
    freya.does("goto 4")
    page = ana.sees()
    assert "A1 Ring the school" in page
    assert "Mend the roof" not in page
    venue.performs(lambda session: deciding.change_action(session, mine, 1, {"action": "Never mind"}, 2))
    assert "A1 Ring the school" in ana.sees()


@pytest.mark.parametrize("number", [0, 3])
def test_too_few_things_to_vote_on_are_refused_on_the_page(freya: Facilitator, number: int) -> None:
    for text in ACTIONS:
        freya.posts(f"/f/{freya.code}/actions", {"action": text})
    refused = adds(freya, "actions", uids(freya)[:number])
    assert refused.status_code == 422
    assert f"Choose 4 to 12 things to vote on; these are {number}." in text_of(refused)
    assert len(freya.now.agenda) == 3


def test_what_was_voted_on_leaves_the_room_in_every_document(venue: Venue, voting: Facilitator) -> None:
    for phone, option in zip(venue.phones(6, voting.code), (3, 3, 5, 3, 5, 3), strict=True):
        places(phone, option)
    voting.does("close", "finish")
    assert "A3 Mend the roof 4 A5 Thank the volunteers 2" in text_of(voting.gets(f"/f/{voting.code}/report"))
    table = voting.reads("results.csv").data.decode("utf-8-sig")
    assert "dots-1,dots,1,all,6,yes,3,A3 Mend the roof,4" in table
    file = json.loads(voting.reads("session.json").data)
    assert file["questions"][-1]["options"] == uids(voting)
    assert file["rounds"][-1]["counts"] == {"1": 0, "2": 0, "3": 4, "4": 0, "5": 2, "none": 0, "ballots": 6}
