"""The documents of a session: what they hold, in which shape, and what they never hold."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from facilitation import ballots, report, store, workshop
from facilitation.config import Settings
from facilitation.exports import results_csv, session_json
from facilitation.report import Report, Vote
from facilitation.stages import Move
from facilitation.store import Workshop
from facilitation.tally import Shift, Tally
from facilitation.web import House
from tests.cast import an_app
from tests.sample_report import FRAMEWORK, QUESTIONS, asked, made

EXTENT = ("Not at all", "A little", "Partly", "Largely", "Fully")


def a_report(
    *votes: Vote, museum: str = "Wexcombe Mill Museum", key: str = "purpose-01", label: str = "Fully"
) -> Report:
    """A report of one question with these votes, without a database."""
    labels = (*EXTENT[:4], label)
    maps = {**asked("purpose-01", ()).maps, "labels": [{"en": label} for label in labels]}
    answer = replace(asked("purpose-01", votes), key=key, labels=labels, scale="extent", maps=maps)
    return replace(made((answer,), (), ()), museum=museum)


def a_vote(tally: Tally | None = None, *, ballots: int | None = None, released: bool = True, **more: Any) -> Vote:
    number, void, shift = more.get("number", 1), more.get("void", False), more.get("shift")
    return Vote(number, "live", tally.ballots if tally else ballots, released, void, tally, shift)


def rows(made: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(results_csv.write(made).decode("utf-8-sig"), newline="")))


COUNTED = Tally((0, 1, 3, 4, 0), dk=2, nr=1)


# --- results.csv -----------------------------------------------------------------------------------------------------


def test_the_table_has_the_columns_that_were_agreed_and_the_mark_excel_needs() -> None:
    data = results_csv.write(a_report(a_vote(COUNTED)))
    assert data.startswith(b"\xef\xbb\xbfworkshop_id,")
    assert not data.startswith(b"\xef\xbb\xbf\xef\xbb\xbf")
    assert data.decode("utf-8-sig").splitlines()[0] == (
        "workshop_id,workshop_date,framework,edition,hallmark,question,scale,round,group,ballots,released,point,label,count"
    )


def test_a_released_round_has_a_row_for_each_point_and_for_the_two_answers_off_the_scale() -> None:
    found = rows(a_report(a_vote(COUNTED)))
    assert [(row["point"], row["label"], row["count"]) for row in found] == [
        ("1", "Not at all", "0"),
        ("2", "A little", "1"),
        ("3", "Partly", "3"),
        ("4", "Largely", "4"),
        ("5", "Fully", "0"),
        ("DK", "Don’t know", "2"),
        ("NR", "Not relevant to us", "1"),
    ]
    for row in found:
        assert (row["workshop_id"], row["workshop_date"]) == ("482739", "2026-11-21")
        assert (row["framework"], row["edition"]) == (FRAMEWORK.key, FRAMEWORK.edition)
        assert (row["hallmark"], row["question"], row["scale"]) == ("purpose", "purpose-01", "extent")
        assert (row["round"], row["group"], row["ballots"], row["released"]) == ("1", "all", "11", "yes")


def test_a_round_that_was_not_released_is_one_row_without_any_number() -> None:
    (row,) = rows(a_report(a_vote(None, ballots=None, released=False)))
    assert (row["released"], row["round"], row["question"]) == ("no", "1", "purpose-01")
    assert (row["ballots"], row["point"], row["label"], row["count"]) == ("", "", "", "")


def test_a_round_below_the_smallest_group_is_one_row_with_its_number_of_ballots_only() -> None:
    (row,) = rows(a_report(a_vote(None, ballots=3, released=False)))
    assert (row["ballots"], row["released"], row["point"], row["count"]) == ("3", "no", "", "")


def test_two_votes_on_a_question_stand_one_below_the_other() -> None:
    second = Tally((0, 0, 1, 6, 4))
    found = rows(a_report(a_vote(COUNTED), a_vote(second, number=2)))
    assert [row["round"] for row in found] == ["1"] * 7 + ["2"] * 7
    assert [row["count"] for row in found[7:]] == ["0", "0", "1", "6", "4", "0", "0"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", "=HYPERLINK(…)"])
def test_a_text_that_a_spreadsheet_would_calculate_is_made_harmless(text: str) -> None:
    assert results_csv.harmless(text) == f"'{text}"
    found = rows(a_report(a_vote(COUNTED), key=text, label=text))
    assert {row["question"] for row in found} == {f"'{text}"}
    assert found[4]["label"] == f"'{text}"


@pytest.mark.parametrize("cell", ["Fully", "a=b", "'", "", " =1", 0, -1, 7])
def test_other_cells_are_left_alone(cell: object) -> None:
    assert results_csv.harmless(cell) == cell


@pytest.mark.parametrize("label", ['Say "why", please', "one\ntwo", "Tŷ — ’quoted’"])
def test_a_label_with_commas_quotes_and_letters_of_any_kind_comes_back_as_it_was(label: str) -> None:
    assert rows(a_report(a_vote(COUNTED), label=label))[4]["label"] == label


# --- session.json ----------------------------------------------------------------------------------------------------


def test_the_session_says_what_was_asked_how_and_what_was_released() -> None:
    made = a_report(a_vote(COUNTED), a_vote(Tally((0, 0, 5, 6, 0)), number=2, shift=Shift(4, 5, 0)))
    data = json.loads(session_json.write(made))
    assert data["schema_version"] == 2
    assert data["workshop"]["held_on"] == "2026-11-21"
    (question,) = data["questions"]
    asked_as = QUESTIONS["purpose-01"][1].text["en"]
    assert (question["key"], question["scale"], question["text"]["en"]) == ("purpose-01", "extent", asked_as)
    assert [label["en"] for label in question["labels"]] == list(EXTENT)
    first, second = data["rounds"]
    assert first["counts"] == {"1": 0, "2": 1, "3": 3, "4": 4, "5": 0, "DK": 2, "NR": 1}
    assert (first["ballots"], first["released"], first["shift"]) == (11, True, None)
    assert second["shift"] == {"up": 4, "same": 5, "down": 0}


def test_text_is_written_as_it_is_read() -> None:
    data = session_json.write(a_report(museum="Tŷ Mawr"))
    assert "Tŷ Mawr".encode() in data
    assert data.endswith(b"}\n")


# --- From a session that was held -------------------------------------------------------------------------------------


class Held:
    """A session on a database, played through the use cases."""

    def __init__(self, app: Flask) -> None:
        found: House = app.extensions["house"]
        self.app, self.house = app, found

        def job(session: Session) -> int:
            held = workshop.create(session, found.framework, "Review", "Tŷ Mawr — Museum", dt.date(2026, 11, 21))
            hallmark = found.framework.hallmarks[0]
            workshop.add_questions(session, held.id, [(hallmark, q) for q in hallmark.questions[:3]], found.framework)
            return held.id

        self.id = found.committer.perform(job)

    def move(self, *moves: Move) -> None:
        for move in moves:
            self._move(move, self.stored("version"))

    def _move(self, move: Move, version: int) -> None:
        self.house.committer.perform(
            lambda session: workshop.make_move(session, self.house.keys, self.id, move, version)
        )

    def vote(self, choices: Sequence[str]) -> None:
        for choice in choices:
            with Session(self._engine()) as session:
                held = session.get_one(Workshop, self.id)
                assert held.round_id
                secret = ballots.new_device_secret()
                posted = workshop.Posted(choice, 1)
                filing = workshop.seal_ballot(self.house.keys, workshop.OpenRound.of(held), secret, posted)
            self.house.committer.gather(self.house.box.file, filing)

    def mode(self, mode: str) -> None:
        def job(session: Session) -> None:
            session.get_one(Workshop, self.id).mode = mode

        self.house.committer.perform(job)

    def files(self) -> tuple[list[dict[str, str]], dict[str, Any]]:
        """results.csv and session.json, read."""
        with Session(self._engine()) as session:
            of = report.make(session, session.get_one(Workshop, self.id), self.house.framework)
            return rows(of), json.loads(session_json.write(of))

    def bytes(self) -> tuple[bytes, bytes]:
        with Session(self._engine()) as session:
            of = report.make(session, session.get_one(Workshop, self.id), self.house.framework)
            return results_csv.write(of), session_json.write(of)

    def _engine(self) -> Any:
        with self.app.app_context():
            return store.db.engine

    def stored(self, column: str) -> Any:
        with Session(self._engine()) as session:
            return getattr(session.get_one(Workshop, self.id), column)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The program in this process; each test holds a session of its own on it."""
    folder = tmp_path_factory.mktemp("data")
    return an_app(Settings.from_environment({"DATA_DIR": str(folder), "HOST": "127.0.0.1"}))


@pytest.fixture
def held(app: Flask) -> Held:
    return Held(app)


SEVEN = ["1", "2", "2", "4", "4", "DK", "NR"]


def test_a_question_that_was_never_opened_has_no_round_and_no_row(held: Held) -> None:
    table, data = held.files()
    assert (table, data["rounds"], len(data["questions"])) == ([], [], 3)


def test_an_open_round_is_in_no_document(held: Held) -> None:
    held.move(Move.OPEN)
    held.vote(SEVEN)
    table, data = held.files()
    assert (table, data["rounds"]) == ([], [])


def test_a_round_that_was_shown_is_in_both_with_the_same_counts(held: Held) -> None:
    held.move(Move.OPEN)
    held.vote(SEVEN)
    held.move(Move.CLOSE)
    table, data = held.files()
    assert {row["point"]: int(row["count"]) for row in table} == data["rounds"][0]["counts"]
    assert data["rounds"][0]["counts"] == Tally.of(SEVEN).as_dict()
    assert data["rounds"][0]["ballots"] == 7


def test_a_round_that_was_closed_but_not_shown_gives_away_nothing(held: Held) -> None:
    held.mode("reveal")
    held.move(Move.OPEN)
    held.vote(SEVEN)
    held.move(Move.CLOSE)
    table, data = held.files()
    assert [(row["released"], row["ballots"], row["point"], row["count"]) for row in table] == [("no", "", "", "")]
    (round_,) = data["rounds"]
    assert (round_["released"], round_["ballots"], round_["counts"], round_["shift"]) == (False, None, None, None)
    held.move(Move.REVEAL)
    assert held.files()[1]["rounds"][0]["counts"] == Tally.of(SEVEN).as_dict()


def test_a_round_that_was_left_by_going_on_gives_away_nothing(held: Held) -> None:
    held.move(Move.OPEN)
    held.vote(SEVEN)
    held.move(Move.NEXT)
    held.vote(SEVEN)
    held.move(Move.FINISH)
    table, data = held.files()
    assert [row["count"] for row in table] == ["", ""]
    assert [round_["ballots"] for round_ in data["rounds"]] == [None, None]


def test_a_round_with_too_few_ballots_keeps_their_number_and_nothing_else(held: Held) -> None:
    held.move(Move.OPEN)
    held.vote(["1", "5", "5", "DK"])
    held.move(Move.CLOSE)
    table, data = held.files()
    assert [(row["ballots"], row["released"], row["point"], row["count"]) for row in table] == [("4", "no", "", "")]
    (round_,) = data["rounds"]
    assert (round_["ballots"], round_["counts"]) == (4, None)


def test_the_same_session_gives_the_same_bytes_each_time(held: Held) -> None:
    held.move(Move.OPEN)
    held.vote(SEVEN)
    held.move(Move.CLOSE, Move.REVOTE)
    held.vote([choice for choice, _ in zip(cycle("345"), range(6), strict=False)])
    held.move(Move.CLOSE, Move.NEXT)
    assert held.bytes() == held.bytes()


def test_a_file_is_named_after_the_museum_and_the_day(held: Held) -> None:
    client = held.app.test_client()
    token = held.house.committer.perform(lambda session: workshop.grant(session, "facilitator", held.id))
    client.set_cookie(f"f_{held.id}{held.house.mark}", token)
    code = held.stored("code")
    for name, kind, file in (
        ("results.csv", "text/csv; charset=utf-8", "ty-mawr-museum-2026-11-21-unfinished-results.csv"),
        ("session.json", "application/json", "ty-mawr-museum-2026-11-21-unfinished-session.json"),
    ):
        answer = client.get(f"/f/{code}/files/{name}")
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{file}"'
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(f"/f/{code}/files/results.csv").data.startswith(b"\xef\xbb\xbf")


def test_home_hands_out_the_same_file_as_the_console(held: Held) -> None:
    client = held.app.test_client()
    grant = held.house.committer.perform
    client.set_cookie(
        f"f_{held.id}{held.house.mark}", grant(lambda session: workshop.grant(session, "facilitator", held.id))
    )
    client.set_cookie(f"home{held.house.mark}", grant(lambda session: workshop.grant(session, "home")))
    code = held.stored("code")
    for name in ("results.csv", "session.json"):
        assert client.get(f"/sessions/{code}/files/{name}").data == client.get(f"/f/{code}/files/{name}").data


@pytest.mark.parametrize(
    ("museum", "slug"),
    [
        ("Wexcombe Mill Museum", "wexcombe-mill-museum-2026-11-21"),
        ("  The “Old” Mill; rm -rf /  ", "the-old-mill-rm-rf-2026-11-21"),
        ("../../etc/passwd", "etc-passwd-2026-11-21"),
        ("博物館", "session-2026-11-21"),
        ('a"; filename="b', "a-filename-b-2026-11-21"),
    ],
)
def test_a_name_of_any_kind_makes_a_plain_file_name(museum: str, slug: str) -> None:
    assert a_report(museum=museum).slug == slug


def test_no_document_names_a_device_a_time_or_a_ballot(held: Held) -> None:
    held.move(Move.OPEN)
    held.vote(SEVEN)
    held.move(Move.CLOSE)
    table, data = held.files()
    assert set(data["rounds"][0]) == {
        *("question", "round", "mode", "released", "void", "ballots", "counts", "shift", "groups"),
    }
    assert set(data["workshop"]) == {"code", "title", "museum", "held_on", "stage", "k", "mode", "roles", "joined"}
    assert len(table) == 7
