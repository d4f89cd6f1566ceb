"""What was removed by mistake comes back as it was; what cannot come back is refused or asked about before."""

from __future__ import annotations

import pytest

from facilitation import bounds, priorities
from facilitation.store import Workshop
from tests.cast import QUESTIONS, Facilitator, Venue, text_of

pytestmark = [pytest.mark.program, pytest.mark.quiet]


@pytest.fixture
def talk(venue: Venue) -> Facilitator:
    """Talks about the first of three questions, with two actions and a parked item written down."""
    made = Facilitator(venue).enters().creates(*QUESTIONS[:3]).does("open", "close", "discuss")
    made.posts(f"/f/{made.code}/actions", {"action": "Invite the school", "agenda": made.agenda(1)})
    made.posts(f"/f/{made.code}/actions", {"action": "Mend the roof"})
    made.posts(f"/f/{made.code}/actions/1", {"owner": "Treasurer", "due": "2027-03-01", "version": "1"})
    made.posts(f"/f/{made.code}/parked", {"item": "The car park", "agenda": made.agenda(1)})
    return made


def undoes(facilitator: Facilitator) -> str:
    """Press Undo; the words of the console afterwards."""
    assert facilitator.posts(f"/f/{facilitator.code}/undo").status_code == 303
    return facilitator.sees()


def test_a_removed_action_comes_back_with_everything_that_was_in_it(talk: Facilitator) -> None:
    before = talk.reads("actions.csv").data
    talk.posts(f"/f/{talk.code}/actions/1", {"want": "remove"})
    assert "Removed: A1 Invite the school Undo" in talk.sees()
    assert talk.reads("actions.csv").data != before
    assert "Removed:" not in undoes(talk)
    assert talk.reads("actions.csv").data == before


def test_an_action_whose_number_was_given_again_comes_back_under_the_next(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions/2", {"want": "remove"})
    talk.posts(f"/f/{talk.code}/actions", {"action": "Paint the door"})
    undoes(talk)
    table = talk.reads("actions.csv").data.decode("utf-8-sig").splitlines()[1:]
    assert [
        (row.split(",")[0], action in row)
        for row, action in zip(table, ("Invite the school", "Paint the door", "Mend the roof"), strict=True)
    ] == [("A1", True), ("A2", True), ("A3", True)]


def test_a_removed_parked_item_comes_back(talk: Facilitator) -> None:
    number = 1
    talk.posts(f"/f/{talk.code}/parked/{number}", {"want": "remove"})
    assert "Removed: The car park Undo" in talk.sees()
    assert "Change parked item The car park" in undoes(talk)


@pytest.mark.parametrize("place", [2, 3])
def test_a_question_that_was_taken_off_comes_back_in_its_place(talk: Facilitator, place: int) -> None:
    talk.changes(place, "prompt", "What about the yard?")
    keys = [item.key for item in talk.now.agenda]
    talk.changes(place, "drop")
    assert len(talk.now.agenda) == 2
    assert "Removed:" in text_of(talk.gets(f"/f/{talk.code}/setup"))
    undone = talk.posts(f"/f/{talk.code}/undo", {"from": "setup"})
    assert undone.headers["Location"].endswith("/setup")
    assert [(item.key, item.position) for item in talk.now.agenda] == list(zip(keys, (1, 2, 3), strict=True))
    assert talk.now.agenda[place - 1].prompt["en"] == "What about the yard?"


def test_a_question_that_is_on_the_agenda_again_does_not_come_back_a_second_time(talk: Facilitator) -> None:
    key = talk.now.agenda[2].key
    talk.changes(3, "drop")
    talk.adds(key)
    refused = talk.posts(f"/f/{talk.code}/undo")
    assert refused.status_code == 422
    assert "That is on the agenda again already." in text_of(refused)
    assert [item.key for item in talk.now.agenda].count(key) == 1


def test_what_was_removed_stays_out_of_a_session_that_has_filled_up_since(
    talk: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, bound, number in (
        (bounds, "MOST_QUESTIONS", 3),
        (bounds, "MOST_DOT_VOTES", 2),
        (bounds, "MOST_ACTIONS", 2),
        (bounds, "MOST_PARKED", 1),
        (priorities, "FEWEST_OPTIONS", 3),
    ):
        monkeypatch.setattr(module, bound, number)

    def posts(page: str, **form: object) -> None:
        assert talk.posts(f"/f/{talk.code}/{page}", form).status_code == 303

    def undo_is_refused() -> str:
        refused = talk.posts(f"/f/{talk.code}/undo")
        assert refused.status_code == 422
        return text_of(refused)

    dots = {"over": "questions", "key": [item.key for item in talk.now.agenda]}
    posts("priorities", **dots)
    posts("priorities", **dots)
    talk.changes(4, "drop")
    posts("priorities", **dots)
    assert "A session holds at most 2 dot votes." in undo_is_refused()
    talk.changes(3, "drop")
    talk.adds_own("How well do we keep the yard?", "quality")
    assert "A session holds at most 3 questions." in undo_is_refused()
    posts("actions/1", want="remove")
    posts("actions", action="Paint the door")
    assert "A session holds at most 2 actions." in undo_is_refused()
    posts("parked/1", want="remove")
    posts("parked", item="The weather")
    assert "A session holds at most 1 parked items." in undo_is_refused()


def test_only_the_last_thing_comes_back_and_only_until_the_session_moves_on(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions/1", {"want": "remove"})
    talk.posts(f"/f/{talk.code}/actions/2", {"want": "remove"})
    seen = undoes(talk)
    assert ("Mend the roof" in seen, "Invite the school" in seen) == (True, False)
    talk.posts(f"/f/{talk.code}/actions/2", {"want": "remove"})
    talk.does("next")
    assert talk.venue.glance(talk.code, Workshop.removed) is None
    refused = talk.posts(f"/f/{talk.code}/undo")
    assert refused.status_code == 422
    assert "There is nothing left to undo" in text_of(refused)


def test_a_question_that_something_is_written_about_is_not_taken_off(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/notes/{talk.agenda(2)}", {"text": "We know this one", "version": "0"})
    talk.posts(f"/f/{talk.code}/actions", {"action": "Ask the council", "agenda": talk.agenda(3)})
    for place in (2, 3):
        refused = talk.changes(place, "drop")
        assert refused.status_code == 422
        assert "Something is written down for this question, so it stays." in text_of(refused)
    assert len(talk.now.agenda) == 3


def test_a_question_that_was_skipped_by_mistake_is_one_press_away(venue: Venue) -> None:
    freya = Facilitator(venue).enters().creates(*QUESTIONS[:3]).does("open")
    assert "Left without a result" not in freya.sees()
    freya.does("next")
    plate = freya.now.agenda[0].plate
    assert f"Left without a result: {plate} Go back to it" in freya.sees()
    freya.does("goto 1")
    assert freya.now.agenda_id == freya.agenda(1)
    assert freya.stage == "voting"
    assert "Left without a result" not in freya.sees()


def test_an_ended_session_keeps_its_writing_open_and_its_votes_closed(talk: Facilitator) -> None:
    talk.does("finish")
    assert "Notes, agreed ratings and actions stay open" in talk.sees()
    assert talk.moves("revote").status_code == 422
    talk.posts(f"/f/{talk.code}/actions/1", {"want": "remove"})
    assert "Invite the school" in undoes(talk)
