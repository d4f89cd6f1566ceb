"""Deleting a session really deletes: nothing that anybody wrote in it is left in any file, and it is said what went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facilitation import deciding
from tests.cast import QUESTIONS, Facilitator, Venue, text_of, vote

WORDS = (
    "Gwenllian owns this",
    "Said about the reserves",
    "Because of the flood",
    "The roof is parked",
    "Old Tide Mill",
)

pytestmark = [pytest.mark.program, pytest.mark.quiet]


def found_in(folder: Path) -> set[str]:
    """Which of the words stand in any file of the data folder, the write-ahead log included."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {word for word in WORDS if any(word.encode() in data for data in files)}


@pytest.fixture
def held(venue: Venue, freya: Facilitator) -> Facilitator:
    """A session with a vote and a plan whose rows were changed often enough to move between the pages of the file."""
    phones = venue.phones(6, freya.code)
    freya.sets(museum="Old Tide Mill")
    freya.does("open")
    vote(phones, *"123455")
    freya.does("close")
    here, mine = freya.agenda(1), freya.workshop_id

    def decide(session: Any) -> None:
        for version in range(40):
            deciding.write_note(session, mine, here, "Said about the reserves. " * (1 + version % 7), version)
        deciding.agree(session, mine, here, "4", "Because of the flood", 0)
        for number in range(1, 31):
            deciding.add_action(session, mine, f"Do {number}", here)
            typed = {"owner": "Gwenllian owns this", "notes": "Because of the flood. " * (number % 9)}
            deciding.change_action(session, mine, number, typed, 1)
        for number in range(2, 31, 3):
            deciding.remove_action(session, mine, number)
        deciding.park(session, mine, "The roof is parked", None)

    venue.performs(decide)
    return freya


def test_nothing_that_was_written_in_a_deleted_session_is_left_in_any_file(venue: Venue, held: Facilitator) -> None:
    key = held.key()
    assert found_in(venue.folder) == set(WORDS)
    held.deletes()
    assert found_in(venue.folder) == set()
    assert key is None  # with the close, long before


def test_what_another_session_holds_stays(venue: Venue, held: Facilitator) -> None:
    kept = held.reads("session.json").data
    other = Facilitator(venue).enters().creates(*QUESTIONS)
    other.deletes()
    assert held.reads("session.json").data == kept


def test_it_is_asked_once_and_said_before_and_after_what_goes(held: Facilitator) -> None:
    goes = (
        "3 questions",
        "1 vote",
        "6 answers, counted",
        "1 note of",
        "1 agreed rating",
        "20 actions, with their owners",
    )
    asked = text_of(held.gets(f"/sessions/{held.code}/delete"))
    assert [words for words in goes if words not in asked] == []
    said = text_of(held.deletes())
    assert "The session is deleted" in said
    assert [words for words in goes if words not in said] == []
    assert held.deletes().status_code == 404
