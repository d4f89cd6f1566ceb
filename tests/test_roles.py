"""Roles: asked for only if the facilitator wants, kept on the phone, and merged before anything is stored."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from facilitation.store import Base, Round
from tests.cast import Facilitator, Phone, Venue, text_of

pytestmark = [pytest.mark.program, pytest.mark.quiet]


@pytest.fixture
def freya(venue: Venue) -> Facilitator:
    """Has set up a session that asks for roles, k = 3."""
    made = Facilitator(venue).enters().creates("purpose-01", "purpose-02", k=3)
    made.sets(roles="on")
    return made


def in_role(venue: Venue, freya: Facilitator, role: str) -> Phone:
    """Somebody who joins and says this when asked."""
    phone = Phone(venue).joins(freya.code)
    assert "What is your role here?" in text_of(phone.gets(f"/w/{phone.code}"))
    assert phone.posts(f"/w/{freya.code}/role", {"role": role}).status_code == 303
    return phone


def answer_as(venue: Venue, freya: Facilitator, *said: tuple[str, str]) -> None:
    for role, choice in said:
        assert in_role(venue, freya, role).answers(choice).status_code == 200


def test_roles_that_are_large_enough_stand_alone_and_the_rest_together(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    trustees, others = [("trustee", "2")] * 3, [("staff", "4"), ("volunteer", "5"), ("", "1")]
    answer_as(venue, freya, *trustees, *others)
    freya.does("close")
    groups = freya.rounds[-1].groups or {}
    assert {name: counts["2"] for name, counts in groups.items()} == {"trustee": 3, "others": 0}
    assert "Trustees, 3" in freya.sees()
    assert "Others, 3" in freya.sees()
    assert "Staff" not in freya.sees()


def test_roles_stand_in_the_same_order_whoever_answered_first(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    answer_as(venue, freya, *[("", "1")] * 3, *[("staff", "4")] * 3, *[("trustee", "2")] * 3)
    freya.does("close")
    assert list(freya.rounds[-1].groups or {}) == ["trustee", "staff", "others"]


def test_a_report_shows_roles_in_the_same_order_however_they_are_stored(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    answer_as(venue, freya, *[("staff", "4")] * 3, *[("trustee", "2")] * 3)
    freya.does("close")

    def as_older_versions_stored_them(session: Session) -> None:
        round_ = session.get_one(Round, freya.rounds[-1].id)
        round_.groups = dict(reversed((round_.groups or {}).items()))

    venue.performs(as_older_versions_stored_them)
    there = text_of(freya.gets(f"/f/{freya.code}/report"))
    assert there.index("Trustees") < there.index("Staff")


def test_a_group_that_would_give_away_the_rest_is_not_stored(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    answer_as(venue, freya, *[("trustee", "2")] * 4, ("staff", "4"))
    freya.does("close")
    assert freya.rounds[-1].groups is None
    assert "By role" not in freya.sees()


def test_the_database_never_holds_a_role_beside_a_ballot(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    answer_as(venue, freya, ("trustee", "2"), ("staff", "4"))
    with venue.reading() as session:
        rows = {table.name: repr(session.execute(table.select()).all()) for table in Base.metadata.sorted_tables}
    assert [name for name, text in rows.items() if "trustee" in text or "'staff'" in text] == []


def test_whether_roles_are_asked_is_locked_once_voting_has_begun(venue: Venue, freya: Facilitator) -> None:
    freya.does("open")
    refused = freya.sets()  # the box is not ticked
    assert refused.status_code == 422
    assert "whether people give a role can no longer be changed" in text_of(refused)
    assert freya.now.roles


def test_nobody_is_asked_where_roles_are_off(venue: Venue) -> None:
    off = Facilitator(venue).enters().creates("purpose-01")
    phone = Phone(venue).joins(off.code)
    assert "What is your role here?" not in text_of(phone.gets(f"/w/{phone.code}"))


def test_a_role_that_is_none_is_as_good_as_rather_not_say(venue: Venue, freya: Facilitator) -> None:
    phone = in_role(venue, freya, "chair")
    assert phone.cookies()[f"r_{freya.workshop_id}"] == "none"
    freya.does("open")
    assert phone.answers("3").status_code == 200


def test_a_role_tapped_by_mistake_can_be_changed_until_the_first_vote(venue: Venue, freya: Facilitator) -> None:
    ana = in_role(venue, freya, "trustee")
    assert "Say or change your role" in ana.sees()
    page = ana.gets(f"/w/{freya.code}/role").text
    assert 'id="role-trustee" aria-pressed="true"' in page
    assert ana.posts(f"/w/{freya.code}/role", {"role": "staff"}).status_code == 303
    assert ana.cookies()[f"r_{freya.workshop_id}"] == "staff"
    freya.does("open")
    assert "Say or change your role" not in ana.sees()
    assert ana.gets(f"/w/{freya.code}/role").status_code == 303
    refused = ana.posts(f"/w/{freya.code}/role", {"role": "trustee"})
    assert "Voting has begun, so the role you gave stays as it is." in text_of(refused)
    assert ana.cookies()[f"r_{freya.workshop_id}"] == "staff"
    assert in_role(venue, freya, "trustee").answers("3").status_code == 200, "whoever comes late says it once"


def test_phones_that_were_there_before_roles_were_switched_on_are_asked_too(venue: Venue) -> None:
    made = Facilitator(venue).enters().creates("purpose-01", k=3)
    ana = Phone(venue).joins(made.code)
    assert "Say or change your role" not in ana.sees()
    version = made.now.version
    made.sets(roles="on")
    assert made.now.version == version + 1, "phones that show the page hear of it"
    assert ana.gets(f"/w/{made.code}/now").status_code == 404, "and load the page again, which asks"
    assert "What is your role here?" in ana.reloads()
    ana.posts(f"/w/{made.code}/role", {"role": "staff"})
    assert "Say or change your role" in ana.sees()
    made.sets(roles="on", title="Another name")
    assert made.now.version == version + 1
