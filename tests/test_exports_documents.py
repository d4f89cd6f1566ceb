"""The Word and PDF documents, read back: their words, their structure, and their pages in LibreOffice."""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from facilitation.exports import FORMATS, pictures, said
from facilitation.plan import Agreement, Support
from facilitation.profile import Mark
from facilitation.report import Report
from facilitation.tally import Tally
from tests.sample_report import FORMULA, NOTE, WELSH, a_full_report, a_report, an_empty_report, asked, made, votes

WORD = ("action-plan.docx", "report.docx")
PDF = ("report.pdf", "wall-chart.pdf")
SAMPLES = {"a": a_report, "full": a_full_report, "empty": an_empty_report}


_written: dict[tuple[str, str], bytes] = {}
_read_pages: dict[tuple[str, str], list[str]] = {}


def written(name: str, report: Report) -> io.BytesIO:
    """A document. The same one is made once, for many tests look at it."""
    known = name, repr(report)
    if known not in _written:
        _written[known] = FORMATS[name].write(report)
    return io.BytesIO(_written[known])


def word(name: str, report: Report) -> Document:
    """A Word document as python-docx reads it."""
    return docx.Document(written(name, report))


def pdf(name: str, report: Report) -> pypdf.PdfReader:
    """A PDF as pypdf reads it."""
    return pypdf.PdfReader(written(name, report))


def pages_of(name: str, report: Report) -> list[str]:
    """The words of each page of a PDF in one line. Those of the same one are read once."""
    known = name, repr(report)
    if known not in _read_pages:
        _read_pages[known] = [" ".join(page.extract_text().split()) for page in pdf(name, report).pages]
    return _read_pages[known]


def words_of(name: str, report: Report) -> str:
    """The words of a document in one line, those of cells too, without the foot of a page."""
    if name in PDF:
        foot = rf"{re.escape(said.footer(report))} \d+ of \d+"
        text = " ".join(re.sub(foot, "", page) for page in pages_of(name, report))
    else:
        document = word(name, report)
        text = " ".join(
            "".join(part.text or "" if part.tag == qn("w:t") else " " for part in paragraph.iter(qn("w:t"), qn("w:br")))
            for paragraph in document.element.body.iter(qn("w:p"))
        )
    return " ".join(text.split())


def without_review(report: Report) -> Report:
    """The report with due dates only: nobody has set a day to look again."""
    return dataclasses.replace(
        report, actions=tuple(dataclasses.replace(action, review=None) for action in report.actions)
    )


# --- What every document says, and what none does ---


@pytest.mark.parametrize("name", ["action-plan.docx", "report.docx", "report.pdf"])
def test_a_day_on_which_something_is_due_is_not_called_a_day_to_look_again(name: str) -> None:
    text = words_of(name, without_review(a_report()))
    assert "First action due 31 January 2027. Agree a day on which somebody looks at these again:" in text
    assert "Look at these again on" not in text


def test_the_plan_has_no_table_of_reviews_when_no_action_has_anything_for_it() -> None:
    bare = dataclasses.replace(
        a_report(),
        actions=tuple(
            dataclasses.replace(action, priority=None, resources="", support=Support.NONE, plan_objective="", notes="")
            for action in without_review(a_report()).actions
        ),
    )
    assert "Review and support" in words_of("action-plan.docx", a_report())
    assert "Review and support" not in words_of("action-plan.docx", bare)


@pytest.mark.parametrize("name", ["report.docx", "report.pdf"])
def test_the_report_says_for_each_question_what_the_room_made_of_it(name: str) -> None:
    text = words_of(name, a_report())
    for words in (
        "26 joined",
        "6 answered",
        "10 low, 10 high, 4 in between",
        "9 of 26 don’t know",
        "Partly, on the second vote",
        "The group moved up: 10 went up, 13 stayed, none down",
        "No agreement",
        "We mean two different things by “shock”.",
        *NOTE.split("\n"),
        "between A little and Partly",
        "8 of 23 say Largely or Fully. 3 of 23 say A little or Not at all.",
        "Too few answered to show a result",
        "This vote could not be counted",
        "Not voted on",
        WELSH,
        FORMULA,
        "Dropped: -no money this year",
        "Should the shop open on Mondays?",
        "Look at these again on 27 February 2027.",
        "This is a picture for talking, not an audit.",
        "No endorsement by AIM is implied.",
        "quoted unchanged with attribution",
    ):
        assert words in text, words


@pytest.mark.parametrize("name", [*WORD, *PDF])
@pytest.mark.parametrize("sample", ["a", "empty"])
def test_no_sentence_singles_out_one_person(name: str, sample: str) -> None:
    alone = r"\b1 (?:of|person|went|say|stayed|down|don)\b|\bof 1 (?:say|don)"
    assert re.findall(alone, words_of(name, SAMPLES[sample]())) == []


@pytest.mark.parametrize(
    "counts", [(0, 0, 0, 1, 4), (1, 4, 0, 0, 0), (1, 0, 0, 0, 5), (4, 0, 0, 0, 1), (0, 0, 0, 0, 1), (0, 0, 0, 0, 0)]
)
@pytest.mark.parametrize("apart", [(4, 0), (5, 1), (0, 5), (1, 4)])
def test_no_counts_make_a_sentence_about_one(counts: tuple[int, ...], apart: tuple[int, int]) -> None:
    report = made((asked("purpose-01", votes(Tally(counts, *apart))),), (), ())
    told = [said.turnout(report.answers[0]), *(seen for *_, seen in said.three(report))]
    told += [words for _, words in said.findings(report.answers[0])]
    assert [words for words in told if re.search(r"\b1\b", words)] == []


def test_a_vote_that_is_not_shown_leaves_no_table_behind() -> None:
    hidden = made((asked("governance-01", votes(None)),), (), ())
    document = word("report.docx", hidden)
    assert not [table for table in document.tables if table.cell(0, 0).text == "Answer"]
    assert "Fewer than 5 answers, so not shown" in words_of("report.docx", hidden)
    assert "Fewer than 5 answers, so not shown" in words_of("wall-chart.pdf", hidden)


@pytest.mark.parametrize("name", ["report.docx", "report.pdf"])
def test_both_votes_and_every_role_stand_in_the_chart_of_a_question(name: str) -> None:
    text = words_of(name, a_report())
    for heading in ("Second vote First vote", "People Trustees Others"):
        assert heading in text
    if name == "report.docx":
        chart = next(table for table in word(name, a_report()).tables if table.cell(0, 1).text == "Second vote")
        assert [[cell.text.strip() for cell in row.cells] for row in chart.rows][3] == ["3 Partly", "12", "10"]
        assert chart.cell(6, 0).text == "Don’t know"


@pytest.mark.parametrize("name", ["action-plan.docx", "report.docx", "report.pdf"])
def test_a_session_without_a_plan_says_so_and_leaves_room_for_a_day(name: str) -> None:
    text = words_of(name, an_empty_report())
    assert "No actions were written down." in text
    assert "Nothing was parked." in text
    assert "Agree a day on which somebody looks at these again" in text


# --- The action plan ---


def test_the_plan_holds_every_field_that_somebody_filled_in() -> None:
    text = words_of("action-plan.docx", a_report())
    for words in (
        "26 people took part; 6 of 10 questions have a result.",
        "6 actions: 3 not started, 1 under way, 1 done, 1 dropped.",
        "Good at listening on the day, no route from there to decisions",
        "Write to both groups, by 4 December 2026",
        "both come, and one idea of theirs is in the programme",
        "£150 for travel",
        "Museum development",
        "3. A museum for the whole town",
        "Next board",
        "9.2 Listening and acting",
    ):
        assert words in text, words


def test_an_owner_and_a_day_that_nobody_named_are_lines_to_write_on() -> None:
    actions = word("action-plan.docx", a_report()).tables[0]
    last = next(row for row in actions.rows if row.cells[0].text == "A4")
    lined = [cell.text for cell in last.cells if cell._tc.findall(".//" + qn("w:pBdr"))]
    assert lined == ["", ""]


def test_a_plan_of_many_ratings_keeps_those_that_lead_to_something() -> None:
    agreed = Agreement(3, "so")
    answers = tuple(dataclasses.replace(answer, agreement=agreed) for answer in a_full_report().answers)
    full = dataclasses.replace(a_full_report(), answers=answers, actions=a_full_report().actions[:2], parked=())
    rows, left_out = said.agreed_rows(full)
    assert (len(rows), left_out) == (2, 52)
    assert "52 more ratings are in the report." in words_of("action-plan.docx", full)


# --- Structure of the Word documents ---


@pytest.mark.parametrize("name", WORD)
@pytest.mark.parametrize("sample", SAMPLES)
def test_word_finds_headings_without_a_gap_in_their_levels(name: str, sample: str) -> None:
    document = word(name, SAMPLES[sample]())
    styles = [paragraph.style.name for paragraph in document.paragraphs if paragraph.style]
    assert styles[0] == "Title"
    levels = [int(style[-1]) for style in styles if style.startswith("Heading")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("name", WORD)
def test_every_table_in_word_repeats_its_header_merges_nothing_and_says_what_it_is(name: str) -> None:
    for table in word(name, a_report()).tables:
        assert table.rows[0]._tr.findall(".//" + qn("w:tblHeader"))
        assert not table._tbl.findall(".//" + qn("w:gridSpan")) + table._tbl.findall(".//" + qn("w:vMerge"))
        caption = table._tbl.tblPr.find(qn("w:tblCaption"))
        assert caption is not None and caption.get(qn("w:val"))
        assert all(cell.text for cell in table.rows[0].cells)


def test_every_picture_in_word_has_words_or_is_decoration() -> None:
    shapes = list(word("report.docx", a_report()).element.body.iter(qn("wp:docPr")))
    told = [shape.get("descr") for shape in shapes if shape.get("descr")]
    assert "2, 1 far apart" in told
    for shape in shapes:
        assert shape.get("descr") or [part for part in shape.iter() if part.tag.endswith("}decorative")]
    assert len({shape.get("id") for shape in shapes}) == len(shapes)


@pytest.mark.parametrize("name", WORD)
def test_word_knows_title_language_and_the_pages_of_the_footer(name: str) -> None:
    document = word(name, a_report())
    assert "Wexcombe Mill Museum" in document.core_properties.title
    assert document.core_properties.language == "en-GB"
    footer = document.sections[0].footer.paragraphs[0]._p.xml
    assert "Wexcombe Mill Museum, 21 November 2026" in footer
    assert 'w:instr="PAGE"' in footer and 'w:instr="NUMPAGES"' in footer


@pytest.mark.parametrize("name", WORD)
def test_a_long_name_is_cut_where_word_has_no_room_for_it(name: str) -> None:
    museum, when = "Gŵyl " * 24, "Autumn " * 60
    document = word(name, dataclasses.replace(a_report(), museum=museum * 3, title=when))
    known = document.core_properties
    assert max(map(len, (known.title, known.subject, known.author))) == 255
    assert known.author.startswith(museum) and known.author.endswith("…")


def test_squares_become_a_bar_when_there_are_too_many_to_count() -> None:
    def width(png: bytes) -> int:
        assert png.startswith(b"\x89PNG")
        return int.from_bytes(png[16:20])

    assert width(pictures.lane(3, 12, 12)) == 12 * 26 + 11 * 5
    assert width(pictures.lane(3, 200, 400)) == width(pictures.lane(1, 20, 40))
    assert pictures.marks((Mark(3, False, True),)) != pictures.marks((Mark(3, False, False),))
    assert pictures.marks((Mark(3, True, False),)) != pictures.marks((Mark(3, False, False),))


# --- Structure of the PDFs ---


def tags(node: Any) -> Iterator[tuple[str, str]]:
    """The tags of a PDF in reading order, each with its alternative text."""
    node = node.get_object()
    if isinstance(node, list):
        for part in node:
            yield from tags(part)
    elif isinstance(node, dict):
        if "/S" in node:
            yield str(node["/S"]), str(node.get("/Alt", ""))
        if "/K" in node and not isinstance(node["/K"], int):
            yield from tags(node["/K"])


@pytest.mark.parametrize("name", PDF)
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_pdf_claims_the_standard_and_knows_title_and_language(name: str, sample: str) -> None:
    read = pdf(name, SAMPLES[sample]())
    root = read.trailer["/Root"].get_object()
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()
    assert read.metadata and read.metadata.title


@pytest.mark.parametrize("name", PDF)
def test_a_pdf_is_tagged_with_headings_tables_and_words_for_its_squares(name: str) -> None:
    found = list(tags(pdf(name, a_report()).trailer["/Root"]["/StructTreeRoot"]["/K"]))
    kinds = {kind for kind, _ in found}
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= kinds
    assert all(words for kind, words in found if kind == "/Figure")
    spoken = [words for kind, words in found if kind == "/Figure"]
    assert ("2, 1 far apart" if name == "report.pdf" else "6.2 far apart, 6.4") in spoken


@pytest.mark.parametrize("name", PDF)
def test_the_house_face_is_in_the_pdf_and_draws_welsh_letters(name: str) -> None:
    faces = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in pdf(name, a_report()).pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert faces
    assert all(face.startswith("AtkinsonHyperlegibleNext") for face in faces)


def test_a_character_that_no_font_can_draw_does_not_cost_the_report() -> None:
    odd = dataclasses.replace(a_report(), museum="Museum \U00013080 \U0001fae0")
    for name in PDF:
        assert pdf(name, odd).trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_what_people_type_is_never_taken_for_markup() -> None:
    typed = '#panic("x") *bold* <w:p/> & $x$ \\ ] ["'
    action = dataclasses.replace(a_report().actions[0], action=typed)
    report = dataclasses.replace(a_report(), actions=(action,))
    for name in ("action-plan.docx", "report.docx"):
        assert typed in words_of(name, report)
    assert typed.replace(" ", "") in words_of("report.pdf", report).replace(" ", "")


# --- Pages ---


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_wall_chart_is_one_page_of_a3(sample: str) -> None:
    (page,) = pdf("wall-chart.pdf", SAMPLES[sample]()).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (1191, 842)


def test_page_1_of_the_report_stands_alone() -> None:
    page = " ".join(pdf("report.pdf", a_full_report()).pages[0].extract_text().split())
    for words in ("26 joined", "to talk about", "The hallmarks at a glance", "Tackling Inequality", "not an audit"):
        assert words in page
    assert "No endorsement by AIM is implied." in page


def test_a_hallmark_begins_a_page_of_the_report_unless_it_and_the_one_before_have_one_question() -> None:
    pages = pages_of("report.pdf", a_report())
    chapters = a_report().chapters
    assert {chapter.follows for chapter in chapters} == {True, False}
    for chapter in chapters:
        title = said.chapter_title(chapter)
        assert sum(title in text for text in pages) >= 1
        assert chapter.follows or sum(text.startswith(title) for text in pages) == 1


def test_pages_are_counted_at_their_foot() -> None:
    pages = pages_of("report.pdf", a_report())
    for number, text in enumerate(pages, start=1):
        assert f"{number} of {len(pages)}" in text
        assert "Wexcombe Mill Museum, 21 November 2026" in text


PAGES = {
    "a-action-plan.docx": range(1, 3),
    "empty-action-plan.docx": range(1, 2),
    "full-action-plan.docx": range(2, 7),
    "a-report.docx": range(8, 13),
    "full-report.docx": range(19, 41),
    "a-tables.xlsx": range(5, 13),
    "full-tables.xlsx": range(5, 25),
}
"""What LibreOffice is given, a sample's name and a document's, and how many pages may come of it."""


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pypdf.PdfReader]:
    """Every Word and Excel document as LibreOffice lays it out, by file name: "a-report.docx"."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.fail(
            "LibreOffice is missing: run `sh tests/install-system-parts.sh`, or install it with Writer and Calc."
        )
    folder = tmp_path_factory.mktemp("office")
    files = [folder / name for name in PAGES]
    for file in files:
        sample, _, suffix = file.name.partition("-")
        (form,) = (known for known in FORMATS.values() if known.name == suffix)
        file.write_bytes(written(form.name, SAMPLES[sample]()).getvalue())
    # A profile of this run's own: another LibreOffice that is open would take the work and give nothing back.
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return {file.name: _read(file.with_suffix(".pdf")) for file in files}


def _read(path: Path) -> pypdf.PdfReader:
    assert path.is_file(), f"LibreOffice could not open {path.stem}"
    return pypdf.PdfReader(io.BytesIO(path.read_bytes()))


@pytest.mark.office
@pytest.mark.parametrize("name", PAGES)
def test_a_document_has_as_many_pages_as_a_reader_expects(converted: dict[str, pypdf.PdfReader], name: str) -> None:
    assert len(converted[name].pages) in PAGES[name]


@pytest.mark.office
@pytest.mark.parametrize("name", ["a-action-plan.docx", "a-report.docx", "full-report.docx"])
def test_libreoffice_counts_the_pages_of_word_documents(converted: dict[str, pypdf.PdfReader], name: str) -> None:
    pages = converted[name].pages
    for number, page in enumerate(pages, start=1):
        text = " ".join(page.extract_text().split())
        assert f"page {number} of {len(pages)}" in text
        assert len(text) > 80, "an empty page"


@pytest.mark.office
def test_page_1_of_the_word_report_stands_alone_too(converted: dict[str, pypdf.PdfReader]) -> None:
    page = " ".join(converted["full-report.docx"].pages[0].extract_text().split())
    for words in ("26 joined", "to talk about", "The hallmarks at a glance", "Tackling Inequality", "not an audit"):
        assert words in page


@pytest.mark.office
def test_the_header_of_a_long_table_stands_on_each_of_its_pages(converted: dict[str, pypdf.PdfReader]) -> None:
    pages = [page.extract_text() for page in converted["full-action-plan.docx"].pages]
    with_actions = [text for text in pages if "Invite the two community" in text]
    assert len(with_actions) > 1
    assert all("We will know because" in text for text in with_actions)


@pytest.mark.office
def test_the_workbook_opens_with_its_formula_like_text_as_text(converted: dict[str, pypdf.PdfReader]) -> None:
    text = " ".join(page.extract_text() for page in converted["a-tables.xlsx"].pages)
    assert FORMULA in text
    assert "Err:" not in text and "#NAME" not in text
