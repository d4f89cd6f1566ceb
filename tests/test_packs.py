"""Question packs: what is written is read back the same, and a bad file is refused whole, each fault with its place."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from facilitation import hallmarks, packs
from facilitation.hallmarks import Framework, Hallmark, Question, Scale
from facilitation.packs import BadPack, as_xlsx, editing
from facilitation.packs.table import MOST_ROWS, letter
from facilitation.words import tidy

SHIPPED = hallmarks.load(Path(__file__).parents[1] / "data" / "hallmarks.json")


SMALL = packs.read(packs.template(SHIPPED.scales, "csv"), "template.csv")


def faults(content: bytes, name: str = "ours.xlsx") -> list[str]:
    with pytest.raises(BadPack) as refused:
        packs.read(content, name)
    return list(refused.value.faults)


def workbook() -> Workbook:
    """The template as somebody has it open in Excel."""
    return load_workbook(io.BytesIO(packs.template(SHIPPED.scales, "xlsx")))


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def rows_of_template() -> list[list[str]]:
    return list(csv.reader(io.StringIO(packs.template(SHIPPED.scales, "csv").decode("utf-8-sig"))))


def as_csv(rows: list[list[str]], separator: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


# --- There and back


@pytest.mark.parametrize("kind", packs.KINDS)
def test_the_shipped_framework_is_read_back_as_it_was_written(kind: str) -> None:
    assert packs.read(packs.write(SHIPPED, kind), f"ours.{kind}") == SHIPPED


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")),
    min_size=1,
    max_size=30,
).map(tidy)
TEXTS = st.builds(lambda en, cy: {"en": en} | ({"cy": cy} if cy else {}), WORDS, st.none() | WORDS)


@st.composite
def frameworks(draw: st.DrawFn) -> Framework:
    scales = {key: Scale(key, tuple(draw(TEXTS) for _ in range(5))) for key in ("extent", "own-2")}
    chapters = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        questions = tuple(
            Question(f"h{number}-{place}", f"{number}.{place}", draw(TEXTS), draw(TEXTS), draw(TEXTS), "extent")
            for place in range(1, draw(st.integers(1, 3)) + 1)
        )
        quoted = draw(st.none() | TEXTS)
        chapters.append(Hallmark(f"h{number}", number, draw(TEXTS), draw(TEXTS), draw(TEXTS), questions, quoted))
    return Framework("made-up", draw(WORDS), draw(TEXTS), draw(TEXTS), scales, tuple(chapters))


@settings(max_examples=10)
@given(frameworks())
def test_any_pack_is_read_back_the_same_from_every_kind_of_file(framework: Framework) -> None:
    for kind in packs.KINDS:
        assert packs.read(packs.write(framework, kind), f"ours.{kind}") == framework


@pytest.mark.parametrize("kind", packs.KINDS)
@pytest.mark.parametrize("text", ["=SUM(A1)", "+1", "-1", "@x", "'=1", "''-x", "_x0041_", 'a, "b"; c', "1.50"])
def test_a_text_that_looks_like_something_else_stays_a_text(kind: str, text: str) -> None:
    edited = replace(SMALL, title={"en": text})
    assert packs.read(packs.write(edited, kind), f"ours.{kind}").title == {"en": text}


def test_no_cell_of_a_written_file_is_a_formula() -> None:
    edited = replace(SMALL, title={"en": "=1+1"}, credit={"en": "@SUM(A1)"})
    book = load_workbook(io.BytesIO(packs.write(edited, "xlsx")))
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}
    for row in csv.reader(io.StringIO(packs.write(edited, "csv").decode("utf-8-sig"))):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


# --- The template


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_is_a_pack_already_and_explains_each_column(kind: str) -> None:
    content = packs.template(SHIPPED.scales, kind)
    found = packs.read(content, f"template.{kind}")
    assert [question.number for question in found.questions] == ["1.1", "1.2"]
    assert found.scales == SHIPPED.scales
    said = content.decode("utf-8-sig") if kind == "csv" else str(list(workbook().worksheets[0].values))
    for heading in (
        "Key",
        "Edition",
        "Credit",
        "Definition",
        "Attribution",
        "Short name",
        "Prompt",
        "Scale",
        "Answer 5",
    ):
        assert heading in said
    assert "May be left empty" in said


def test_what_may_be_left_empty_is_filled_in() -> None:
    book = workbook()
    book["Pack"]["A2"] = book["Hallmarks"]["A2"] = book["Hallmarks"]["D2"] = None
    book["Questions"]["A2"] = "Welcome"  # a title does as well as a key
    for place in ("B2", "D2", "E2"):
        book["Questions"][place] = None
    found = packs.read(saved(book), "ours.xlsx")
    assert (found.key, found.hallmarks[0].key) == ("our-own-questions", "welcome")
    assert found.hallmarks[0].description == found.hallmarks[0].definition
    first, second = found.hallmarks[0].questions
    assert first.short == {"en": "To what extent do first-time visitors find…"}
    assert first.prompt == {"en": "What do you see in this result?"}
    assert (first.key.startswith("welcome-"), second.key) == (True, "welcome-02")
    assert packs.read(packs.write(found, "csv"), "again.csv") == found


def test_a_made_up_key_depends_on_the_words_and_not_on_the_row() -> None:
    book = workbook()
    book["Questions"]["B2"] = book["Questions"]["B3"] = None
    before = {question.text["en"]: question.key for question in packs.read(saved(book), "a.xlsx").questions}
    book["Questions"].insert_rows(2)
    for place, text in zip("ACF", ("welcome", "How well are we signposted?", "quality"), strict=True):
        book["Questions"][f"{place}2"] = text
    after = {question.text["en"]: question.key for question in packs.read(saved(book), "a.xlsx").questions}
    assert after.items() > before.items()


def test_a_csv_from_a_spreadsheet_that_separates_by_semicolons_is_read() -> None:
    assert packs.read(as_csv(rows_of_template(), ";"), "ours.csv").key == "our-questions"


# --- Faults, each with its place, all at once


def test_every_fault_of_a_workbook_is_named_with_sheet_row_and_column() -> None:
    book = workbook()
    questions = book["Questions"]
    questions["C2"] = None
    questions["F3"] = "quantity"
    questions["A3"] = "farewell"
    questions["D3"] = "s" * 121
    book["Scales"]["C2"] = "=1+1"
    book["Pack"]["A2"] = "Our Questions!"
    book["Pack"]["B2"] = None
    assert faults(saved(book)) == [
        "Sheet “Scales”, row 2, column C: the cell holds a formula; type the text itself.",
        "Sheet “Questions”, row 2, column C (Question): the text is empty.",
        "Sheet “Questions”, row 3, column F (Scale): “quantity” is not the key of a scale.",
        "Sheet “Questions”, row 3, column A (Hallmark): “farewell” is neither the key nor the title of a hallmark.",
        "Sheet “Questions”, row 3, column D (Short name): the text has 121 characters; 120 is the most.",
        "Sheet “Pack”, row 2, column A (Key): the key “Our Questions!” may hold only small letters a to z, digits and "
        "single hyphens.",
        "Sheet “Pack”, row 2, column B (Edition): the text is empty.",
    ]


def test_the_faults_of_a_csv_are_named_with_row_and_column() -> None:
    rows = rows_of_template()
    questions = [number for number, row in enumerate(rows) if row[0] == "question"]
    column = rows[0].index("Question")
    rows[questions[0]][column] = " "
    rows[questions[1]][0] = "qestion"
    assert faults(as_csv(rows), "ours.csv") == [
        f"Row {questions[1] + 1}, column A (Part): this must be one of pack, hallmark, question, scale, note.",
        f"Row {questions[0] + 1}, column {letter(column)} (Question): the text is empty.",
    ]


def _date(book: Workbook) -> None:
    import datetime as dt

    book["Pack"]["B2"] = dt.date(2026, 1, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda book: book.remove(book["Scales"]), "There is no sheet “Scales”."),
        (
            lambda book: book["Questions"].delete_cols(6),
            "Sheet “Questions”, row 1: the column “Scale” is missing.",
        ),
        (
            lambda book: book["Questions"].__setitem__("G1", "Colour"),
            "Sheet “Questions”, row 1, column G: “Colour” is not a heading that is known here.",
        ),
        (
            lambda book: book["Questions"].__setitem__("G1", "Scale (cy)"),
            "Sheet “Questions”, row 1, column G: “Scale (cy)” is not a heading that is known here.",
        ),
        (
            lambda book: book["Questions"].__setitem__("G1", "Scale"),
            "Sheet “Questions”, row 1, column G: the heading “Scale” stands here twice.",
        ),
        (
            lambda book: book["Questions"].__setitem__("B3", "welcome-01"),
            "Sheet “Questions”, row 3, column B (Key): the key “welcome-01” is used twice; keys tell questions and "
            "hallmarks apart for ever.",
        ),
        (
            lambda book: book["Questions"].delete_rows(2, 2),
            "Sheet “Questions” holds no row below its headings.",
        ),
        (
            lambda book: book["Hallmarks"].append(["quiet", "Quiet", "A quiet one."]),
            "Sheet “Hallmarks”, row 3: no question belongs to this hallmark.",
        ),
        (
            lambda book: book["Pack"].append(["second", "2", "Second", "Us"]),
            "Sheet “Pack”, row 3: a pack has one row here, and this is the second.",
        ),
        (_date, "Sheet “Pack”, row 2, column B: the cell holds a date; type it as text, with an apostrophe before it."),
        (
            lambda book: book["Pack"].__setitem__("B2", True),
            "Sheet “Pack”, row 2, column B: the cell holds true or false; type a text.",
        ),
        (
            lambda book: [book["Questions"].append(["welcome", None, f"Question {n}?"]) for n in range(MOST_ROWS)],
            "Sheet “Questions” has more than 500 rows.",
        ),
    ],
)
def test_a_fault_of_a_workbook_is_said_in_words(change: Callable[[Workbook], Any], sentence: str) -> None:
    book = workbook()
    change(book)
    assert sentence in faults(saved(book))


def test_many_faults_are_counted_and_only_the_first_are_listed() -> None:
    book = workbook()
    for number in range(60):
        book["Questions"].append(["welcome", None, f"Question {number}?", None, None, "none"])
    listed = faults(saved(book))
    assert len(listed) == 41
    assert listed[-1] == "And 20 more."


def test_a_number_and_a_text_with_a_line_break_are_taken_as_texts() -> None:
    book = workbook()
    book["Pack"]["B2"] = 2027
    book["Pack"]["C2"] = "Two\nlines \u202e"
    found = packs.read(saved(book), "ours.xlsx")
    assert (found.edition, found.title) == ("2027", {"en": "Two lines"})


def test_a_fault_of_a_json_file_is_named_with_its_place() -> None:
    plain: Any = hallmarks.as_plain(SHIPPED)
    del plain["hallmarks"][3]["questions"][1]["scale"]
    assert faults(json.dumps(plain).encode(), "ours.json") == [
        "ours.json, hallmark 4 (collections), question 2: the field “scale” is missing."
    ]


# --- Files from outside


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"x" * 200_001, "The file is too big; 200 kB is the most."),
        (b"\xd0\xcf\x11\xe0 old", "This is an old or a protected workbook. Save it as .xlsx, without a password."),
        (b"PK\x03\x04 not really", "This is not an Excel workbook (.xlsx), or it is damaged."),
        (b"Part\xff", "Line 1: this is not UTF-8 text. In Excel choose “Save as”, “CSV UTF-8”."),
        (b'Part,Key\n"never closed', "Line 2: a quotation mark is missing here or further up."),
        (b"name,age\nAna,7", "Row 1: the column “Part” is missing. Is this a question pack? Start from the template."),
        (b'{"a": \xff}', "Line 1: this is not UTF-8 text."),
        (b"{]", "ours, line 1, column 2: this is not JSON (Expecting property name enclosed in double quotes)."),
    ],
)
def test_a_file_that_is_no_pack_is_refused_in_words(content: bytes, sentence: str) -> None:
    assert sentence in faults(content, "ours")


def test_a_workbook_that_unpacks_to_something_huge_is_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * (as_xlsx.LARGEST_UNPACKED + 1))
    assert len(file.getvalue()) < 10_000, "a bomb is small"
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    assert faults(file.getvalue()) == [
        "The workbook is too big when it is unpacked. Save only these sheets as a new file."
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_with_entities_of_its_own_is_refused(encoding: str) -> None:
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bomb.encode(encoding))
    assert faults(file.getvalue()) == ["The workbook holds something that no spreadsheet program writes."]


def test_a_workbook_with_one_broken_sheet_says_which() -> None:
    broken = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(workbook()))) as packed, zipfile.ZipFile(broken, "w") as made:
        for part in packed.namelist():
            made.writestr(part, packed.read(part)[: -300 if part.endswith("sheet4.xml") else None])
    assert faults(broken.getvalue())[0].startswith("Sheet “Questions” is damaged")


# --- A new edition


def test_a_new_edition_changes_words_order_and_scales_and_keeps_the_keys() -> None:
    form = {
        "edition": "2027.1",
        "title": "Our hallmarks",
        "h-purpose-title": "Why we are here",
        "q-purpose-01-text": "To what extent do we agree why we are here?",
        "q-purpose-03-place": "1",
        "q-purpose-01-place": "2",
        "q-purpose-02-drop": "on",
        "q-governance-01-scale": "quality",
        "new-finance-text": "How well do we know what a visit costs us?",
        "new-finance-scale": "quality",
        "s-extent-5": "Entirely",
    }
    made = editing.edited(SHIPPED, form)
    assert (made.key, made.edition, made.title) == (SHIPPED.key, "2027.1", {"en": "Our hallmarks"})
    purpose = made.hallmarks[0]
    assert purpose.title == {"en": "Why we are here"}
    assert [question.key for question in purpose.questions[:2]] == ["purpose-03", "purpose-01"]
    assert [question.number for question in purpose.questions] == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    assert purpose.questions[1].text == {"en": "To what extent do we agree why we are here?"}
    assert made.scales["extent"].labels[4] == {"en": "Entirely"}
    assert next(question for question in made.questions if question.key == "governance-01").scale == "quality"
    finance = next(hallmark for hallmark in made.hallmarks if hallmark.key == "finance")
    assert finance.questions[-1].text == {"en": "How well do we know what a visit costs us?"}
    assert finance.questions[-1].key.startswith("finance-")
    before = {question.key for question in SHIPPED.questions}
    assert {question.key for question in made.questions} == (before - {"purpose-02"}) | {finance.questions[-1].key}
    assert packs.read(packs.write(made, "xlsx"), "ours.xlsx") == made


def test_words_quoted_from_somebody_are_never_edited() -> None:
    quoted = SHIPPED.hallmarks[8]
    assert quoted.attribution
    form = {"edition": "2027.1", "h-tackling-inequality-title": "Other", "new-tackling-inequality-text": "Own?"}
    for question in quoted.questions:
        form |= {f"q-{question.key}-text": "Other words?", f"q-{question.key}-scale": "quality"}
        form |= {f"q-{question.key}-prompt": "A prompt of ours."}
    after = editing.edited(SHIPPED, form).hallmarks[8]
    assert [(question.text, question.scale) for question in after.questions] == [
        (question.text, question.scale) for question in quoted.questions
    ]
    assert after.title == quoted.title
    assert {question.prompt["en"] for question in after.questions} == {"A prompt of ours."}


def test_a_translation_goes_when_the_english_changes_and_stays_when_it_does_not() -> None:
    welsh = replace(SMALL, title={"en": "Ours", "cy": "Ein rhai ni"}, credit={"en": "Us", "cy": "Ni"})
    made = editing.edited(welsh, {"edition": "2", "title": "Ours too"})
    assert (made.title, made.credit) == ({"en": "Ours too"}, {"en": "Us", "cy": "Ni"})


def test_another_language_is_written_beside_the_english_and_taken_away_again() -> None:
    question, scale = SMALL.questions[0], next(iter(SMALL.scales))
    form = {
        "edition": "2",
        "also": "cy",
        f"q-{question.key}-text:cy": "I ba raddau y mae ymwelwyr yn dod o hyd i’w ffordd?",
        f"q-{question.key}-prompt:cy": " Meddyliwch am un ymwelydd. ",
        f"s-{scale}-1:cy": "Ddim o gwbl",
        "h-welcome-title:cy": "Croeso",
    }
    made = editing.edited(SMALL, form)
    assert made.questions[0].text == {**question.text, "cy": form[f"q-{question.key}-text:cy"]}
    assert made.questions[0].prompt["cy"] == "Meddyliwch am un ymwelydd."
    assert made.scales[scale].labels[0]["cy"] == "Ddim o gwbl"
    assert made.hallmarks[0].title["cy"] == "Croeso"
    without = editing.edited(made, {"edition": "3", "also": "cy", f"q-{question.key}-text:cy": ""})
    assert without.questions[0].text == question.text
    for kind in packs.KINDS:
        assert packs.read(packs.write(made, kind), f"ours.{kind}") == made


def test_quoted_words_can_be_given_in_another_language_though_they_are_never_edited() -> None:
    quoted = next(hallmark for hallmark in SHIPPED.hallmarks if hallmark.attribution)
    key = quoted.questions[0].key
    form = {"edition": "x", "also": "cy", f"q-{key}-text": "Ours", f"q-{key}-text:cy": "Yn Gymraeg"}
    made = next(question for question in editing.edited(SHIPPED, form).questions if question.key == key)
    assert made.text == {**quoted.questions[0].text, "cy": "Yn Gymraeg"}


def test_a_translation_that_was_added_leaves_a_question_comparable() -> None:
    text = {"en": "How well?"}
    assert hallmarks.same_words(text, {**text, "cy": "Pa mor dda?"})
    assert not hallmarks.same_words(text, {"en": "How badly?"})
    assert not hallmarks.same_words({**text, "cy": "Pa mor dda?"}, {**text, "cy": "Pa mor wael?"})


@pytest.mark.parametrize("also", ["en", "", "no language", "../cy"])
def test_what_is_no_other_language_is_not_written_into_a_pack(also: str) -> None:
    key = SMALL.questions[0].key
    with pytest.raises(BadPack, match="Nothing was kept"):
        editing.edited(SMALL, {"edition": "2", "also": also, f"q-{key}-text:{also}": "Something"})


def test_all_faults_of_a_new_edition_are_named_at_once_and_nothing_is_made() -> None:
    form = {
        "edition": SHIPPED.edition,
        "q-purpose-01-text": " ",
        "q-purpose-02-short": "s" * 121,
        "q-finance-01-scale": "stars",
        "s-extent-1": "",
    }
    with pytest.raises(BadPack) as refused:
        editing.edited(SHIPPED, form)
    assert list(refused.value.faults) == [
        "Edition: give the new edition a name of its own, for example 2027.1.",
        "Scale extent, answer 1: the text is empty.",
        "Question 1.1, question: the text is empty.",
        "Question 1.2, short name: the text has 121 characters; 120 is the most.",
        "Question 6.1, scale: choose one of the scales.",
    ]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"edition": "2"}, "Nothing was changed, so there is no new edition to keep."),
        (
            {"edition": "2", "q-welcome-01-drop": "on", "q-welcome-02-drop": "on"},
            "At least one question must stay.",
        ),
        (
            {"edition": "2", "new-welcome-text": "How?", "new-welcome-scale": "stars"},
            "Welcome, new question, scale: choose one of the scales.",
        ),
    ],
)
def test_an_edition_that_makes_no_sense_is_refused(form: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadPack) as refused:
        editing.edited(SMALL, form)
    assert sentence in refused.value.faults
