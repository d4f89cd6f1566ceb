"""Tables, calendar, session file and bundle: each is read back with another reader than the one that wrote it."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
import re
import time
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from facilitation.exports import (
    FORMATS,
    actions_csv,
    calendar_ics,
    everything_zip,
    results_csv,
    session_json,
    workbook_xlsx,
)
from facilitation.exports.reading import BadSession
from facilitation.plan import Status
from facilitation.report import Report
from tests.sample_report import FORMULA, NOTE, WELSH, a_full_report, a_report, an_empty_report

MOMENT = dt.datetime(2026, 11, 21, 15, 30, tzinfo=dt.UTC)
EVERY_REPORT = pytest.mark.parametrize(
    "report", [a_report(), a_full_report(), an_empty_report()], ids=("a", "full", "empty")
)


# --- The list of formats ---


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_even_a_session_in_which_nothing_happened(name: str) -> None:
    assert len(FORMATS[name].write(an_empty_report())) > 100


def test_a_download_says_in_its_name_whose_it_is_and_of_which_day() -> None:
    names = [known.file_name(a_report()) for known in FORMATS.values()]
    assert len(set(names)) == len(names)
    assert all(name.startswith("wexcombe-mill-museum-2026-11-21-") for name in names)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("dates.ics", "everything.zip")])
def test_the_same_session_gives_the_same_bytes_on_another_day(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    today = FORMATS[name].write(a_report())
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1_000_000)  # zipfile's clock
    assert FORMATS[name].write(a_report()) == today


# --- Comma-separated tables ---


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    assert content.startswith(b"\xef\xbb\xbf"), "Excel needs the mark"
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_every_field_of_an_action_stands_in_its_table() -> None:
    rows = table(actions_csv.write(a_report()))
    assert tuple(rows[0]) == actions_csv.COLUMNS
    assert [row["id"] for row in rows] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert rows[0]["due"] == "2027-01-31"
    assert rows[0]["support"] == "museum development"
    assert rows[3]["owner"] == "To be agreed"
    assert rows[3]["due"] == ""
    assert (rows[4]["status"], rows[4]["owner"]) == ("dropped", WELSH)


def test_no_spreadsheet_takes_a_cell_of_the_plan_for_a_formula() -> None:
    rows = table(actions_csv.write(a_report()))
    assert rows[4]["action"] == f"'{FORMULA}"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_vote_with_too_few_answers_is_one_row_without_counts() -> None:
    rows = [row for row in table(results_csv.write(a_report())) if row["question"] == "governance-01"]
    assert [(row["released"], row["ballots"], row["point"], row["count"]) for row in rows] == [("no", "3", "", "")]


def test_a_vote_that_was_not_shown_does_not_even_say_how_many_answered() -> None:
    (row,) = [row for row in table(results_csv.write(a_report())) if row["question"] == "collections-02"]
    assert row["ballots"] == ""


# --- The workbook ---


def workbook(report: Report) -> Workbook:
    """The workbook as openpyxl reads it."""
    return openpyxl.load_workbook(io.BytesIO(workbook_xlsx.write(report)))


def records(book: Workbook, sheet: str) -> list[dict[str, Any]]:
    """The rows of a sheet under its headings."""
    head, *rows = book[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_the_workbook_has_its_sheets_that_filter_and_keep_their_header_in_view() -> None:
    book = workbook(a_report())
    assert book.sheetnames == ["Actions", "Results", "Comments", "Parked", "Priorities", "About"]
    for sheet in book:
        assert sheet.freeze_panes[1:] == "2"
        assert sheet.auto_filter.ref
        assert sheet.print_title_rows == "$1:$1"
        assert not sheet.merged_cells.ranges


@EVERY_REPORT
def test_nothing_in_the_workbook_computes(report: Report) -> None:
    kinds = {cell.data_type for sheet in workbook(report) for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds


def test_text_that_looks_like_a_formula_arrives_as_it_was_typed() -> None:
    action = records(workbook(a_report()), "Actions")[4]
    assert (action["Action"], action["Owner"]) == (FORMULA, WELSH)
    assert (action["What we saw"], action["Reason for status"]) == ("+1 from the room", "-no money this year")


def test_days_are_days_and_choices_are_offered_below_the_last_action() -> None:
    book = workbook(a_report())
    assert records(book, "Actions")[0]["Due"].date() == dt.date(2027, 1, 31)
    rules = book["Actions"].data_validations.dataValidation
    assert sorted(rule.type for rule in rules) == ["date", "date", "date", "list", "list", "whole"]
    assert f'"{",".join(Status)}"' in {rule.formula1 for rule in rules}
    assert all(cells.max_row > 100 for rule in rules for cells in rule.sqref.ranges)


def test_results_hold_both_votes_the_roles_and_the_rating() -> None:
    rows = records(workbook(a_report()), "Results")
    first, second = (row for row in rows if row["Number"] == "9.4")
    assert [first[str(point)] for point in range(1, 6)] == [1, 9, 10, 3, 0]
    assert (second["Vote"], second["N"], second["Don’t know"], second["Middle answer"]) == (2, 23, 1, "Partly")
    assert (second["Went up"], second["Stayed"], second["Went down"]) == (10, 13, 0)
    assert (second["Pairs apart"], second["Pairs"], second["Spread"]) == (36, 253, "Some spread")
    assert second["Agreed rating"] == "Partly"
    assert [row["Group"] for row in rows if row["Number"] == "9.2"] == ["all", "Trustees", "Others"]


@pytest.mark.parametrize(
    ("number", "why"), [("3.1", "Too few answered to show a result"), ("4.2", "Not shown"), ("7.1", "Not voted on")]
)
def test_a_question_without_a_result_has_a_row_that_says_why(number: str, why: str) -> None:
    (row,) = [row for row in records(workbook(a_report()), "Results") if row["Number"] == number]
    assert row["Not shown because"] == why
    assert row["N"] is None and row["1"] is None


def test_the_workbook_says_how_its_numbers_were_made_and_whose_words_they_are() -> None:
    said = " ".join(str(cell) for row in workbook(a_report())["About"].iter_rows(values_only=True) for cell in row)
    for words in (
        "not an audit",
        "5 answers up",
        "No endorsement by AIM is implied",
        "quoted unchanged",
        "Agreement A",
    ):
        assert words in said


# --- The calendar ---


def events(content: bytes) -> list[dict[str, str]]:
    """The events of a calendar file: unfolded, unescaped, by property name without parameters."""
    assert content.endswith(b"\r\n")
    lines = content.decode().replace("\r\n ", "").split("\r\n")
    found: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(
                name.partition(";")[0], re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
            )
    return found


def test_each_day_of_an_open_action_is_an_event_of_a_whole_day() -> None:
    found = events(calendar_ics.write(a_report(), MOMENT))
    days = {(event["SUMMARY"][:11], event["DTSTART"], event["DTEND"]) for event in found}
    assert ("Invite the ", "20270131", "20270201") in days
    assert ("First step:", "20261204", "20261205") in days
    assert ("Look again:", "20270227", "20270228") in days
    assert ("Check in: h", "20270219", "20270220") in days, "90 days after the session"
    assert len(found) == 6


def test_what_is_done_or_dropped_is_not_in_the_calendar() -> None:
    names = " ".join(event["SUMMARY"] for event in events(calendar_ics.write(a_report(), MOMENT)))
    assert FORMULA not in names and WELSH not in names


def test_a_second_import_updates_the_first() -> None:
    later = dataclasses.replace(
        a_report(), actions=tuple(dataclasses.replace(one, due=dt.date(2028, 1, 1)) for one in a_report().actions)
    )
    before = events(calendar_ics.write(a_report(), MOMENT))
    after = {event["UID"]: event for event in events(calendar_ics.write(later, MOMENT + dt.timedelta(days=90)))}
    assert len({event["UID"] for event in before}) == len(before)
    for event in before:
        assert int(after[event["UID"]]["SEQUENCE"]) > int(event["SEQUENCE"])


def test_an_event_says_who_does_it_how_it_is_known_and_for_which_question() -> None:
    told = events(calendar_ics.write(a_report(), MOMENT))[0]["DESCRIPTION"]
    assert "Owner: Outreach lead\nWe will know because: both come, and one idea" in told
    assert "For: 9.2 Listening and acting" in told


def test_lines_of_the_calendar_are_short_and_whole_characters_survive_the_folding() -> None:
    typed = "Gŵyl; tŷ, " * 30 + "\\n"
    action = dataclasses.replace(a_report().actions[0], action=typed)
    content = calendar_ics.write(dataclasses.replace(a_report(), actions=(action,)), MOMENT)
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert events(content)[0]["SUMMARY"] == typed


# --- The session file ---


@EVERY_REPORT
def test_a_session_that_is_read_and_written_again_is_the_same_file(report: Report) -> None:
    written = session_json.write(report)
    assert session_json.dump(session_json.parse(written.decode())) == written


def test_what_is_read_is_what_the_session_held() -> None:
    data = session_json.parse(session_json.write(a_report()).decode())
    assert data == session_json.data_of(a_report())
    assert data.actions == a_report().actions
    assert data.notes["tackling-inequality-04"] == NOTE
    assert data.agreements["finance-02"].rating == 0
    assert [asked.mode for asked in data.questions][-1] == "reveal"


def changed(*path: str | int, to: Any) -> str:
    """The sample's file with one value changed."""
    data = session_json.as_data(a_report())
    data = json.loads(json.dumps(data))
    *way, last = path
    place: Any = data
    for step in way:
        place = place[step]
    place[last] = to
    return json.dumps(data)


SHOWN = {"1": 0, "2": 1, "3": 1, "4": 1, "5": 0, "DK": 0, "NR": 0}


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("schema_version",), 9, "session.json: this is not a session file of version 2."),
        (("strange",), 1, "session.json: the field “strange” is not known here."),
        (("workshop", "code"), "48273", "session.json, workshop, code: a join code has six digits."),
        (("workshop", "k"), 2, "session.json, workshop, k: a whole number from 3 to 10 is needed here."),
        (("workshop", "held_on"), "20261121", "session.json, workshop, held_on: a day is needed here"),
        (
            ("workshop", "held_on"),
            "9999-12-01",
            "session.json, workshop, held_on: a day in a year from 2000 to 2100 is",
        ),
        (("actions", 0, "review"), "0026-11-21", "session.json, actions 1, review: a day in a year from 2000 to 2100"),
        (("workshop", "museum"), "a\u202eb", "session.json, workshop, museum: the text holds a character that cannot"),
        (("questions", 10, "key"), "dots-x", "session.json, questions 11, key: the key of a dot vote is dots- and a"),
        (("questions", 10, "options"), ["a", "b", "c"], "session.json, questions 11, options: a dot vote has 4 to 12"),
        (
            ("questions", 10, "options"),
            ["a"] * 5,
            "session.json, questions 11, options: a dot vote has 4 to 12 options",
        ),
        (("questions", 10, "options"), list("abcdef"), "session.json, questions 11, labels: there are 6 options, and"),
        (("rounds", -1, "counts", "1"), 99, "session.json, rounds 12, counts: there are more dots than these people"),
        (("rounds", -1, "ballots"), 9, "session.json, rounds 12, ballots: the counts are of 14."),
        (("rounds", -1, "shift"), SHOWN, "session.json, rounds 12, shift: a dot vote has neither a shift nor groups."),
        (("questions", 0, "labels"), [{"en": "Yes"}], "session.json, questions 1, labels: a scale has 5 points"),
        (("questions", 1, "key"), "purpose-01", "session.json, questions: a key is used twice"),
        (("questions", 0, "text"), "Why?", "session.json, questions 1, text: a text is given by language here"),
        (
            ("questions", 0, "text"),
            {"cy": "Pam?"},
            "session.json, questions 1, text: the English text (“en”) is missing.",
        ),
        (("questions", 0, "short"), {}, "session.json, questions 1, short: the English text (“en”) is missing."),
        (("questions", 0, "prompt"), {"cy": "Pam?"}, "session.json, questions 1, prompt: the English text"),
        (("questions", 0, "labels", 2), {"cy": "Ie"}, "session.json, questions 1, labels 3: the English text"),
        (("questions", 0, "text"), {"en": "Why\u202e?"}, "session.json, questions 1, text (en): the text holds a char"),
        (("questions", 0, "short"), {"en": "Why\uffff?"}, "session.json, questions 1, short (en): the text holds a"),
        (("workshop", "title"), "a\uffffb", "session.json, workshop, title: the text holds a character that cannot"),
        (
            ("rounds", 0, "question"),
            "nowhere",
            "session.json, rounds 1, question: “nowhere” is not among the questions of this file.",
        ),
        (("rounds", 0, "counts"), SHOWN, "session.json, rounds 1, counts: fewer than 5 people answered"),
        (("rounds", 0, "ballots"), 99, "session.json, rounds 1, ballots: the counts add up to 24."),
        (("rounds", 0, "released"), False, "session.json, rounds 1, released: a vote that is released has counts"),
        (("rounds", 0, "shift"), {"up": 1, "same": 1, "down": 1}, "session.json, rounds 1, shift: fewer than 5 people"),
        (("rounds", 8, "groups", "trustee", "3"), 9, "session.json, rounds 9, groups: the groups do not add up"),
        (("rounds", 7, "round"), 1, "session.json, rounds 8, round: the votes on a question are numbered upwards."),
        (("agreements", 0, "rating"), True, "session.json, agreements 1, rating: a whole number from 0 to 5"),
        (("notes", 0, "text"), " ", "session.json, notes 1, text: the text is empty."),
        (("comments",), [{}], "session.json, comments: this program keeps no comments."),
        (("actions", 0, "due"), "soon", "session.json, actions 1, due: a day is needed here"),
        (
            ("actions", 4, "status_reason"),
            "",
            "session.json, actions 5, status_reason: an action that was dropped needs",
        ),
        (("actions", 1, "uid"), "0a1b2c3d4e5f6071", "session.json, actions 2, uid: another action has the same."),
        (("parked", 0), "x", "session.json, parked 1: a group of fields in { } is needed here."),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_session_file_with_a_fault_is_refused_with_its_place(
    path: tuple[str | int, ...], value: Any, place: str
) -> None:
    with pytest.raises(BadSession) as refusal:
        session_json.parse(changed(*path, to=value))
    assert refusal.value.sentence.startswith(place)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "mine.json: this is not a session file, or it was cut short or damaged in line 1, column 2."),
        ('{"a": 1, "a": 2}', "mine.json: a field stands twice in the same group."),
        ("[" * 100_000, "mine.json: its groups are nested too deeply."),
        ("[]", "mine.json: this is not a session file of version 2."),
        (" " * 5_000_001, "mine.json: the file is too big; 2 MB is the most."),
    ],
    ids=("cut off", "twice", "deep", "list", "big"),
)
def test_a_file_that_is_no_session_is_refused_by_its_name(text: str, sentence: str) -> None:
    with pytest.raises(BadSession) as refusal:
        session_json.parse(text, "mine.json")
    assert refusal.value.sentence.startswith(sentence)


# --- The bundle ---


def test_the_bundle_holds_every_other_document_and_says_what_each_is_for() -> None:
    report = a_report()
    others = {name: known.file_name(report) for name, known in FORMATS.items() if name != "everything.zip"}
    with zipfile.ZipFile(io.BytesIO(everything_zip.write(report))) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {"README.txt", *others.values()}
        readme = archive.read("README.txt").decode("utf-8-sig")
        same = [name for name in others if archive.read(others[name]) == FORMATS[name].write(report)]
        assert set(others) - set(same) <= {"dates.ics"}, "only the calendar knows when it was written"
    assert all(name in readme for name in others.values())
    assert "\n" not in readme.replace("\r\n", "")
