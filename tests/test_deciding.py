"""What the group decides, as it is typed: saved at once, told to the other console, and never written over."""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from facilitation import plan
from facilitation.errors import Refused
from facilitation.plan import Action, Status, merged
from facilitation.words import tidy, tidy_lines
from tests.cast import ORIGIN, Facilitator, Phone, Screen, Venue, text_of, vote

pytestmark = pytest.mark.quiet


@pytest.fixture
def talk(venue: Venue, freya: Facilitator) -> Facilitator:
    """Freya's session in the talk about its first question, on which people are far apart."""
    return talking(venue, freya)


def talking(venue: Venue, freya: Facilitator) -> Facilitator:
    phones = venue.phones(6, freya.code)
    freya.does("open")
    vote(phones, *"111555")
    return freya.does("close", "discuss")


def types(desk: Facilitator, path: str, **typed: Any) -> dict[str, Any]:
    """Save as the page's script does; what the row holds now."""
    answer = asks(desk, path, **typed)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def asks(desk: Facilitator, path: str, **typed: Any) -> TestResponse:
    headers = {**ORIGIN, "Accept": "application/json"}
    return desk.client.post(f"/f/{desk.code}/{path}", data=typed, headers=headers)


def test_a_note_is_saved_and_stays_with_its_question(talk: Facilitator) -> None:
    here = talk.agenda(1)
    assert types(talk, f"notes/{here}", text="Half of us know.", version=0) == {
        "values": {"text": "Half of us know."},
        "version": 1,
        "joined": False,
    }
    talk.does("next", "goto 1")
    assert "Half of us know." in talk.gets(f"/f/{talk.code}").text


def test_typing_does_not_make_the_big_button_stale(talk: Facilitator) -> None:
    seen = talk.now.version
    types(talk, f"notes/{talk.agenda(1)}", text="While she types", version=0)
    assert talk.moves("next", version=seen, htmx=False).status_code == 303


def test_two_who_write_at_once_keep_both_texts(talk: Facilitator) -> None:
    note = f"notes/{talk.agenda(1)}"
    types(talk, note, text="The store is full.", version=0)
    both = types(talk, note, text="Nobody asked the families.", version=0)
    assert both["values"]["text"] == "The store is full.\nNobody asked the families."
    assert both["joined"]
    again = types(talk, note, text=both["values"]["text"] + "\nAnd so on.", version=both["version"])
    assert (again["joined"], again["version"]) == (False, 3)


@pytest.mark.postgres
def test_on_postgresql_too_two_who_write_at_once_keep_both_texts(postgres_venue: Venue) -> None:
    talk = talking(postgres_venue, Facilitator(postgres_venue).enters().creates("purpose-01"))
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite"})
    types(talk, "actions/1", owner="Ann", version=1)
    assert types(talk, "actions/1", owner="Bob", version=1)["values"]["owner"] == "Ann / Bob"
    note = f"notes/{talk.agenda(1)}"
    types(talk, note, text="The store is full.", version=0)
    assert types(talk, note, text="Nobody asked.", version=0)["values"]["text"] == "The store is full.\nNobody asked."


def test_a_later_text_that_holds_the_earlier_one_is_not_doubled() -> None:
    assert merged("The store", "The store is full") == "The store is full"
    assert merged("The store is full", "store") == "The store is full"


@pytest.mark.parametrize(("rating", "said"), [("4", "Largely"), ("0", "No agreement"), ("", "")])
def test_a_rating_is_a_point_of_the_scale_or_no_agreement_or_nothing_yet(
    talk: Facilitator, rating: str, said: str
) -> None:
    types(talk, f"agreements/{talk.agenda(1)}", rating=rating, reason="Because", version=0)
    report = text_of(talk.gets(f"/f/{talk.code}/report"))
    assert ("The group agreed on " + said in report) == bool(said)
    assert "Why Because" in report


def test_another_rating_is_refused(talk: Facilitator) -> None:
    for rating in ("6", "-1", "x", "1e1", "٣", "999"):
        refused = asks(talk, f"agreements/{talk.agenda(1)}", rating=rating, version=0)
        assert refused.status_code == 422, rating
        assert refused.get_json() == {"problem": "Choose one of the answers, or “No agreement”."}


def test_an_action_gets_a_number_that_stays_when_another_is_removed(talk: Facilitator) -> None:
    for text in ("Invite", "Record", "Mend"):
        talk.posts(f"/f/{talk.code}/actions", {"action": text, "agenda": talk.agenda(1)})
    talk.posts(f"/f/{talk.code}/actions/2", {"want": "remove"})
    talk.posts(f"/f/{talk.code}/actions", {"action": "Ask"})
    seen = talk.sees()
    assert "Action A1 Invite For 1.1 Owner: not set Due: not set" in seen
    assert "Record For" not in seen
    table = talk.reads("actions.csv").data.decode("utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in table] == ["id", "A1", "A3", "A4"]


def test_a_form_of_a_removed_action_does_not_write_over_the_next_of_its_number(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    uid = re.search(r'name="uid" value="(\w+)"', talk.gets(f"/f/{talk.code}").text)
    assert uid
    talk.posts(f"/f/{talk.code}/actions/1", {"want": "remove"})
    talk.posts(f"/f/{talk.code}/actions", {"action": "Mend the roof"})
    answer = asks(talk, "actions/1", action="Invite the schools", uid=uid[1], version=1)
    assert (answer.status_code, answer.get_json()["problem"]) == (422, "That action has been removed.")
    assert talk.posts(f"/f/{talk.code}/actions/1", {"want": "remove", "uid": uid[1]}).status_code == 422
    assert "Mend the roof" in talk.sees()


def test_the_form_that_removes_an_action_says_which_it_means(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    (form,) = [
        form
        for form in re.findall(r"<form.*?</form>", talk.gets(f"/f/{talk.code}").text, re.S)
        if 'id="remove-' in form
    ]
    assert 'name="uid"' in form


def test_a_form_of_a_removed_parked_item_does_not_write_over_the_next(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/parked", {"item": "The café"})
    address = re.search(r'action="/f/\d+/(parked/\d+)"', talk.gets(f"/f/{talk.code}").text)
    assert address
    talk.posts(f"/f/{talk.code}/{address[1]}", {"want": "remove"})
    talk.posts(f"/f/{talk.code}/parked", {"item": "Mondays"})
    assert asks(talk, address[1], item="The café again", version=1).status_code == 422
    assert "Mondays" in talk.gets(f"/f/{talk.code}").text


def test_a_reason_alone_leaves_the_agreed_rating_as_it_is(talk: Facilitator) -> None:
    here = talk.agenda(1)
    types(talk, f"agreements/{here}", rating="3", version=0)
    found = types(talk, f"agreements/{here}", reason="We do some of it.", version=0)
    assert found["values"] == {"rating": "3", "reason": "We do some of it."}


def test_every_field_of_an_action_is_saved(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    typed = {
        "action": "Invite both schools",
        "gap": "No route from listening to deciding",
        "owner": "Outreach lead",
        "first_step": "Write to them",
        "first_step_by": "2026-12-04",
        "due": "2027-01-31",
        "due_words": "before half-term",
        "measure": "both come",
        "resources": "£150",
        "support": "museum development",
        "priority": "1",
        "status": "under way",
        "review": "2027-02-27",
        "plan_objective": "3",
        "notes": "Ask Ann first",
    }
    held = types(talk, "actions/1", **typed, version=1)
    assert held["values"] == {**typed, "status_reason": ""}
    row = talk.reads("actions.csv").data.decode("utf-8-sig").splitlines()[1]
    assert [value for value in typed.values() if value not in row] == []


def test_two_fields_of_one_action_that_two_people_change_are_both_changed(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    types(talk, "actions/1", owner="Ann", version=1)
    held = types(talk, "actions/1", owner="Bob", due="2027-01-31", version=1)
    assert held["values"]["owner"] == "Ann / Bob"
    assert held["values"]["due"] == "2027-01-31"


IMPOSSIBLE: tuple[tuple[dict[str, str], str], ...] = (
    ({"due": "31/1/2027"}, "Enter the date as year, month and day"),
    ({"due": "0026-11-21"}, "This one is in the year 26."),
    ({"review": "9999-12-31"}, "Enter a date in a year from 2000 to 2100."),
    ({"priority": "first"}, "A priority is a whole number"),
    ({"status": "dropped"}, "Say why the action is dropped"),
    ({"status": "lost"}, "Choose one of the answers in the list."),
    ({"action": " "}, "Say what is to be done."),
    ({"notes": "x" * 2001}, "there is room for 2000"),
)


def test_what_cannot_be_is_refused_in_words_and_changes_nothing(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    before = talk.reads("actions.csv").data
    for typed, said in IMPOSSIBLE:
        refused = asks(talk, "actions/1", **typed, version=1)
        assert refused.status_code == 422, said
        assert said in refused.get_json()["problem"]
    assert talk.reads("actions.csv").data == before


def test_fields_that_the_program_sets_cannot_be_typed() -> None:
    made = plan.changed(Action(1, "Ask", uid="a"), {"uid": "b", "number": "9", "created_in": "x", "status": "done"})
    assert (made.uid, made.number, made.created_in, made.status) == ("a", 1, "", Status.DONE)
    with pytest.raises(Refused):
        plan.changed(made, {"action": ""})


def test_parked_items_wait_for_a_destination(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/parked", {"item": "Rename the museum?", "agenda": talk.agenda(1)})
    assert "1 parked item has no destination" in talk.sees()
    types(talk, "parked/1", item="Rename the museum?", destination="Next board", owner="Chair", version=1)
    assert "has no destination" not in talk.sees()
    assert "Goes to: Next board" in talk.sees()


def test_the_console_names_what_is_unset_before_people_leave(talk: Facilitator) -> None:
    for text in ("Invite", "Record"):
        talk.posts(f"/f/{talk.code}/actions", {"action": text})
    types(talk, "actions/1", owner="Ann", due_words="next board", version=1)
    types(talk, "actions/2", owner="Bob", version=1)
    assert "Before people leave A2 has no due date." in talk.sees()
    types(talk, "actions/2", status="done", version=2)
    assert "Before people leave" not in talk.sees()


def test_what_is_still_open_can_be_settled_after_the_end(talk: Facilitator) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite"})
    talk.does("finish")
    types(talk, "actions/1", owner="Ann", due="2027-01-31", version=1)
    types(talk, f"notes/{talk.agenda(1)}", text="Remembered later", version=0)
    assert "Remembered later" in text_of(talk.gets(f"/f/{talk.code}/report"))


def test_a_long_action_is_cut_where_nobody_can_scroll(talk: Facilitator, wall: Screen) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite " + "everybody " * 60})
    talk.does("finish")
    assert "everybody everybody..." in wall.sees()
    assert wall.sees().count("everybody") < 20


def test_what_to_discuss_first_stands_on_the_console_and_on_the_screen(talk: Facilitator, wall: Screen) -> None:
    assert "What to discuss first" in talk.sees()
    talk.shows("overlay", "three")
    assert "People were far apart" in wall.sees()


def test_the_plan_on_the_screen_names_owner_date_and_the_day_to_look_again(talk: Facilitator, wall: Screen) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    types(talk, "actions/1", owner="Ann", due="2027-01-31", review="2027-02-27", version=1)
    talk.shows("overlay", "plan")
    assert "A1 Invite the school Ann 31 January 2027" in wall.sees()
    assert "We look at this again on 27 February 2027." in wall.sees()


def test_the_end_shows_what_was_agreed_and_when_it_is_looked_at_again(talk: Facilitator, wall: Screen) -> None:
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    types(talk, "actions/1", owner="Ann", due="2027-01-31", review="2027-02-27", version=1)
    talk.posts(f"/f/{talk.code}/parked", {"item": "The lift"})
    types(talk, f"notes/{talk.agenda(1)}", text="Said in the room", version=0)
    talk.does("finish")
    seen = wall.sees()
    assert "A1 Invite the school Ann 31 January 2027" in seen
    assert "We look at it again on 27 February 2027." in seen
    assert "The lift" not in seen and "Said in the room" not in seen


def test_the_end_says_how_much_of_a_long_plan_is_left(talk: Facilitator, wall: Screen) -> None:
    for number in range(20):
        talk.posts(f"/f/{talk.code}/actions", {"action": f"Do {number}"})
    talk.does("finish")
    seen = wall.sees()
    assert "A10 Do 9" in seen and "A11" not in seen
    assert "… and 10 more in the plan that everybody gets." in seen


def test_a_long_plan_fits_the_screen_and_says_how_much_is_left(talk: Facilitator, wall: Screen) -> None:
    for number in range(20):
        talk.posts(f"/f/{talk.code}/actions", {"action": f"Do {number}"})
    talk.shows("overlay", "plan")
    assert "… and 7 more in the plan" in wall.sees()


def test_phones_hear_nothing_of_notes_and_plan(venue: Venue, talk: Facilitator, ana: Phone) -> None:
    before = ana.gets(f"/w/{talk.code}/now").text
    talk.posts(f"/f/{talk.code}/actions", {"action": "Invite the school"})
    types(talk, f"notes/{talk.agenda(1)}", text="Not for phones", version=0)
    assert ana.gets(f"/w/{talk.code}/now").text == before


@pytest.mark.parametrize(("typed", "kept"), [("  a\u202eb \n\x00c ", "a b c"), ("e\u0301", "é"), ("a\tb", "a b")])
def test_what_people_type_is_kept_without_what_cannot_be_seen(typed: str, kept: str) -> None:
    assert tidy(typed) == kept
    assert tidy_lines("one\r\n\r\n\r\ntwo ") == "one\n\ntwo"
