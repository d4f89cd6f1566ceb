"""The room check: a phone is seen over the network, joins nothing, and of several addresses one is chosen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from facilitation import network
from facilitation.config import Settings
from facilitation.errors import Refused
from facilitation.room_check import LONG, Checks, Seen
from facilitation.store import Base
from tests.cast import Facilitator, FakeClock, Person, Screen, Venue, text_of

PHONE = {"REMOTE_ADDR": "192.168.1.77"}


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """This computer's addresses on the network."""
    known = ["192.168.1.20", "10.8.0.3"]
    monkeypatch.setattr(network, "lan_addresses", lambda: list(known))
    monkeypatch.setattr(network, "is_this_machine", lambda address: address in ("127.0.0.1", *known))
    return known


def settings(**changed: str) -> Settings:
    plain = Settings("0.0.0.0", 8000, Path("/nowhere"), "", "", "", False)
    return dataclasses.replace(plain, **changed)  # type: ignore[arg-type]


def check(venue: Venue, freya: Facilitator) -> str:
    """The address in the code that the room check shows."""
    freya.gets(f"/f/{freya.code}/check")
    return f"/w/{freya.code}/check/{venue.house.checks.of(freya.workshop_id).token}"


def rows(venue: Venue) -> list[list[str]]:
    with venue.reading() as session:
        return [[repr(tuple(row)) for row in session.execute(table.select())] for table in Base.metadata.sorted_tables]


def test_a_phone_that_comes_over_the_network_turns_the_check_green(venue: Venue, freya: Facilitator) -> None:
    path = check(venue, freya)
    assert "Waiting for a phone" in text_of(freya.gets(f"/f/{freya.code}/check"))
    phone = Person(venue)
    assert "This phone gets through." in text_of(phone.gets(path, environ_base=PHONE))
    assert "A phone has come through" in text_of(freya.gets(f"/f/{freya.code}/check/seen"))


def test_the_phone_is_not_counted_and_leaves_nothing_behind(venue: Venue, freya: Facilitator) -> None:
    path = check(venue, freya)
    before, phone = rows(venue), Person(venue)
    phone.gets(path, environ_base=PHONE)
    assert phone.cookies() == {}
    assert rows(venue) == before
    assert "Nobody has joined yet" in freya.sees()
    assert phone.gets(f"/w/{freya.code}/now").status_code == 404
    assert "192.168.1.77" not in repr(vars(venue.house.checks)) + repr(venue.house.checks.of(freya.workshop_id))


def test_opening_the_address_on_the_computer_itself_proves_nothing_and_is_said(
    venue: Venue, freya: Facilitator
) -> None:
    path = check(venue, freya)
    for own in ("127.0.0.1", "192.168.1.20"):
        page = Person(venue).gets(path, environ_base={"REMOTE_ADDR": own})
        assert "This is the computer itself." in text_of(page)
    assert "Only this computer itself has opened the address" in text_of(freya.gets(f"/f/{freya.code}/check/seen"))
    Person(venue).gets(path, environ_base=PHONE)
    assert "A phone has come through" in text_of(freya.gets(f"/f/{freya.code}/check/seen"))


def test_after_half_a_minute_without_a_phone_it_says_what_to_do(venue: Venue, freya: Facilitator) -> None:
    check(venue, freya)
    venue.clock.advance(LONG - 1)
    assert "Waiting" in text_of(freya.gets(f"/f/{freya.code}/check/seen"))
    venue.clock.advance(1)
    said = text_of(freya.gets(f"/f/{freya.code}/check/seen"))
    assert "Nothing has arrived after 30 seconds" in said
    assert "this Wi-Fi may keep devices apart" in said
    assert freya.posts(f"/f/{freya.code}/check", {"want": "again"}).status_code == 303
    assert "Waiting" in text_of(freya.gets(f"/f/{freya.code}/check/seen"))


def test_an_old_or_invented_address_of_a_check_is_none(venue: Venue, freya: Facilitator) -> None:
    path = check(venue, freya)
    freya.posts(f"/f/{freya.code}/check", {"want": "again"})
    for tried in (path, f"/w/{freya.code}/check/x", "/w/000000/check/x"):
        assert Person(venue).gets(tried, environ_base=PHONE).status_code == 404
    assert venue.house.checks.seen(freya.workshop_id) is Seen.WAITING


def test_the_checks_of_two_sessions_are_apart() -> None:
    checks = Checks(FakeClock().now)
    assert checks.arrive(1, checks.of(1).token, from_outside=True)
    assert not checks.arrive(2, checks.of(1).token, from_outside=True)
    assert not checks.arrive(3, "", from_outside=True)
    assert (checks.seen(1), checks.seen(2)) == (Seen.PHONE, Seen.WAITING)


# --- The screen ---


def test_the_test_card_is_put_on_the_shared_screen_and_taken_off_by_the_first_question(
    venue: Venue, freya: Facilitator
) -> None:
    wall = Screen(venue).shows(freya)
    form = {"want": "overlay", "value": "test"}
    assert freya.posts(f"/f/{freya.code}/check", form).status_code == 303
    assert "Can the back row read this line?" in wall.sees()
    assert wall.gets(f"/s/{freya.code}/now").text.count('class="tally__cell"') == 6
    assert 'id="test-card" aria-pressed="true"' in freya.gets(f"/f/{freya.code}/check").text
    freya.posts(f"/f/{freya.code}/check", {"want": "theme", "value": "projector"})
    assert 'data-theme="projector"' in wall.gets(f"/s/{freya.code}").text
    freya.does("open")
    assert "Can the back row read this line?" not in wall.sees()


# --- Which address ---


def test_of_several_addresses_one_is_chosen_for_as_long_as_the_computer_has_it(addresses: list[str]) -> None:
    here = network.JoinAddress(settings(), 8000, seconds=0)
    assert here() == "http://192.168.1.20:8000"
    assert here.choices() == [("192.168.1.20", True), ("10.8.0.3", False)]
    here.choose("10.8.0.3")
    assert here() == "http://10.8.0.3:8000"
    assert here.choices() == [("192.168.1.20", False), ("10.8.0.3", True)]
    addresses.remove("10.8.0.3")
    assert here() == "http://192.168.1.20:8000"
    with pytest.raises(Refused, match="does not have that address"):
        here.choose("10.8.0.3")


@pytest.mark.parametrize("fixed", [{"public_url": "https://vote.example.org"}, {"host": "192.168.1.20"}])
def test_there_is_nothing_to_choose_where_the_settings_name_the_address(fixed: dict[str, str]) -> None:
    here = network.JoinAddress(settings(**fixed), 8000)
    assert here.choices() == []
    with pytest.raises(Refused):
        here.choose("10.8.0.3")


def test_the_chosen_address_stands_on_the_screen_at_once(venue: Venue, freya: Facilitator) -> None:
    wall = Screen(venue).shows(freya)
    object.__setattr__(venue.house, "join_origin", origin := network.JoinAddress(settings(), 8000))
    assert "Which one do phones use?" in text_of(freya.gets(f"/f/{freya.code}/check"))
    assert "192.168.1.20:8000" in wall.sees()
    venue.told.clear()
    assert freya.posts(f"/f/{freya.code}/check", {"want": "address", "value": "10.8.0.3"}).status_code == 303
    assert origin() == "http://10.8.0.3:8000"
    assert any("10.8.0.3:8000" in push.html for push in venue.told if push.audience == "screen")
    assert freya.posts(f"/f/{freya.code}/check", {"want": "address", "value": "8.8.8.8"}).status_code == 422


def test_a_computer_without_a_network_is_told_so(venue: Venue, freya: Facilitator, addresses: list[str]) -> None:
    addresses.clear()
    object.__setattr__(venue.house, "join_origin", network.JoinAddress(settings(), 8000))
    assert "This computer is on no network" in text_of(freya.gets(f"/f/{freya.code}/check"))
    assert "Which one do phones use?" not in text_of(freya.gets(f"/f/{freya.code}/check"))


@pytest.mark.parametrize(
    ("address", "own"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("203.0.113.9", False), ("", False), ("x", False)],
)
def test_what_comes_from_this_machine_is_told_from_what_comes_from_outside(
    monkeypatch: pytest.MonkeyPatch, address: str, own: bool
) -> None:
    monkeypatch.undo()
    assert network.is_this_machine(address) == own


def test_an_address_of_its_own_on_the_network_is_this_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for address in network.lan_addresses():
        assert network.is_this_machine(address)
        assert network.is_this_machine(f"::ffff:{address}")
