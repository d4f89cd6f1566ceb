"""What is printed for the room, read back: words, structure, sizes, and codes that a phone can scan."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pypdf
import pytest
import segno
import segno.helpers

from facilitation import hallmarks, workshop
from facilitation.exports.printables import PRINTABLES, Handout
from facilitation.store import AgendaItem
from tests.cast import Facilitator, Venue, text_of

FRAMEWORK = hallmarks.load(Path(__file__).parents[1] / "data" / "hallmarks.json")
A4 = (595, 842)
PLATES = ("1.1", "2.4", "9.4", "9.5")


def asked(*plates: str) -> tuple[AgendaItem, ...]:
    """Questions of the framework, as an agenda keeps them."""
    chosen = [(h, q) for plate in plates for h in FRAMEWORK.hallmarks for q in h.questions if q.number == plate]
    assert len(chosen) == len(plates)
    return tuple(
        AgendaItem(position=place, **workshop.worded(*one, FRAMEWORK)) for place, one in enumerate(chosen, start=1)
    )


def a_dot_vote(options: int) -> AgendaItem:
    """Over actions with as many words as there may be."""
    words = [{"en": f"A{n} {'and so on ' * 12}"[:120]} for n in range(1, options + 1)]
    return AgendaItem(
        position=9,
        key="dots-1",
        number="",
        hallmark="",
        hallmark_title={"en": "Priorities"},
        text={"en": "Which actions matter most?"},
        short={"en": "Priorities"},
        prompt={"en": ""},
        attribution={},
        scale="dots",
        labels=words,
        options=[str(n) for n in range(options)],
    )


HANDOUT = Handout(
    museum="Wexcombe Mill Museum",
    title="Trustees’ away day",
    held_on=dt.date(2026, 11, 21),
    code="482739",
    join_token="abcDEF12345",
    origin="http://192.168.178.20:8000",
    address_moves=True,
    wifi_name="Mill Guest",
    wifi_password="turning-wheel-1742",
    k=5,
    agenda=asked(*PLATES),
)


def made(name: str, handout: Handout = HANDOUT) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(PRINTABLES[name].write(handout)))


@cache
def words_of(name: str, handout: Handout = HANDOUT) -> str:
    pages = [page.extract_text() for page in made(name, handout).pages]
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def sizes_of(page: pypdf.PageObject) -> set[float]:
    """The sizes of type on a page, in points."""
    found: set[float] = set()

    def visit(text: str, now: list[float], line: list[float], _font: Any, size: float) -> None:
        if text.strip():
            found.add(round(abs(size * line[3] * now[3]), 1))

    page.extract_text(visitor_text=visit)
    return found


def drawn(name: str, handout: Handout, folder: Path) -> list[tuple[int, bytes]]:
    """Each page as grey pixels, 200 an inch: the width, and the pixels row by row."""
    if not shutil.which("pdftoppm"):
        pytest.fail("poppler is missing: run `sh tests/install-system-parts.sh`.", pytrace=False)
    (folder / "sheet.pdf").write_bytes(PRINTABLES[name].write(handout))
    subprocess.run(["pdftoppm", "-gray", "-r", "200", "sheet.pdf", "page"], cwd=folder, check=True)
    pages = []
    for path in sorted(folder.glob("page*.pgm")):
        head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", path.read_bytes())
        assert head
        pages.append((int(head[1]), path.read_bytes()[head.end() :]))
    return pages


@pytest.mark.parametrize("name", PRINTABLES)
def test_every_sheet_is_a4_tagged_and_keeps_to_pdf_ua(name: str) -> None:
    read = made(name)
    catalog: Any = read.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"].value
    assert catalog["/Lang"] == "en-GB"
    assert catalog["/StructTreeRoot"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in catalog["/Metadata"].get_data()
    assert read.metadata and read.metadata.title
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in read.pages} == {A4}


@pytest.mark.office
@pytest.mark.parametrize("name", ["poster", "large-print", "crib-sheet"])
def test_the_longest_names_stay_within_the_margins(name: str, tmp_path: Path) -> None:
    tight = replace(
        HANDOUT,
        museum="The Museum of the Long Name " * 4,
        title="A meeting that is called something rather long, " * 2,
        origin="https://hallmarks.museum-of-somewhere-rather-far-away.example.org:8443",
        wifi_name="M" * 32,
        wifi_password="W" * 63,
        agenda=(*asked(*PLATES), a_dot_vote(12)),
    )
    for width, pixels in drawn(name, tight, tmp_path):
        margin = int(10 * 200 / 25.4)
        rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
        assert not [row for row in rows if min(row[-margin:] + row[:margin]) < 200]


@pytest.mark.parametrize("name", ["poster", "table-cards"])
def test_poster_and_cards_name_the_wifi_first_then_the_way_in(name: str) -> None:
    text = words_of(name)
    times = 8 if name == "table-cards" else 1
    for words in ("Join the Wi-Fi", "Mill Guest", "192.168.178.20:8000", "482 739"):
        assert text.count(words) == times, words
    assert text.index("1 Join the Wi-Fi") < text.index("2 Scan, or type this")
    assert len(made(name).pages) == 1


@pytest.mark.parametrize("name", ["poster", "table-cards"])
def test_without_a_wifi_there_is_one_step_and_no_number_before_it(name: str) -> None:
    text = words_of(name, replace(HANDOUT, wifi_name="", wifi_password=""))
    assert "Wi-Fi" not in text and "Network" not in text
    assert "2 Scan" not in text and "1 Scan" not in text
    assert "Scan, or type this" in text


def test_an_open_wifi_has_no_line_for_a_password() -> None:
    assert "Password" not in words_of("poster", replace(HANDOUT, wifi_password=""))


@pytest.mark.parametrize("name", ["poster", "table-cards"])
def test_a_password_of_words_is_broken_between_its_words(name: str) -> None:
    sheet = made(name, replace(HANDOUT, wifi_password="correct horse battery staple")).pages[0].extract_text()
    whole = [word for word in sheet.split() if word in ("correct", "horse", "battery", "staple")]
    assert len(whole) == (32 if name == "table-cards" else 4), "every word stands in one line"
    assert "\u200b" not in sheet


def test_the_poster_says_when_its_address_may_change_and_only_then() -> None:
    assert "changes with the network; the code stays" in words_of("poster")
    settled = replace(HANDOUT, address_moves=False, origin="https://vote.example.org")
    assert "changes with the network" not in words_of("poster", settled)
    assert "vote.example.org" in words_of("poster", settled)


def test_there_is_a_page_of_four_ballots_for_each_question_with_every_answer_on_each() -> None:
    pages = [" ".join(page.extract_text().split()) for page in made("paper-ballots").pages]
    assert len(pages) == len(PLATES)
    for page, item in zip(pages, HANDOUT.agenda, strict=True):
        for words in (item.number, item.text["en"], "I don’t know", "Not relevant", "No name, please."):
            assert page.count(words) == 4, words
        for place, label in enumerate(item.labels, start=1):
            assert page.count(f"{place} {label['en']}") == 4


@pytest.mark.parametrize(("options", "cards"), [(4, 2), (6, 2), (12, 1)])
def test_ballots_of_a_dot_vote_have_room_for_all_its_options(options: int, cards: int) -> None:
    (page,) = made("paper-ballots", replace(HANDOUT, agenda=(a_dot_vote(options),))).pages
    text = " ".join(page.extract_text().split())
    assert text.count("Tick up to 3.") == text.count("A1 and so on") == text.count("No name, please.") == cards
    assert "I don’t know" not in text


def test_large_print_has_no_type_below_eighteen_points() -> None:
    for page in made("large-print").pages:
        assert min(sizes_of(page)) >= 18
    text = words_of("large-print")
    for item in HANDOUT.agenda:
        assert item.text["en"] in text
    assert text.count("quoted unchanged with attribution") == 1
    assert sizes_of(made("crib-sheet").pages[0]) & {10.5}, "the sizes are read from the page"


def test_the_crib_sheet_is_one_page_with_the_session_s_own_number() -> None:
    seven = replace(HANDOUT, k=7)
    text = words_of("crib-sheet", seven)
    assert len(made("crib-sheet", seven).pages) == 1
    for words in (
        "“Results show from 7 answers up.",
        "Nobody, me included, can see later who chose what.",
        "Not covered: a result on which all of us agree",
        "PageDown, right arrow, space",
        "482 739",
        "Vote again",
    ):
        assert words in text, words


@pytest.mark.parametrize("name", ["paper-ballots", "large-print"])
def test_without_questions_there_is_a_page_that_says_so(name: str) -> None:
    assert "There are no questions on the agenda yet." in words_of(name, replace(HANDOUT, agenda=()))


@pytest.mark.office
def test_the_codes_on_the_poster_are_those_of_the_session_module_by_module(tmp_path: Path) -> None:
    ((width, pixels),) = drawn("poster", HANDOUT, tmp_path)
    millimetre = 200 / 25.4

    def stands_there(code: segno.QRCode) -> bool:
        rows = [bytes(row) for row in code.matrix]
        module = 66 * millimetre / (len(rows) + 4)  # the picture is 66 mm wide, with a border of two modules
        columns = [int(16 * millimetre + (2.5 + x) * module) for x in range(len(rows))]

        def at(top: int) -> bool:
            lines = ((row, int(top + (2.5 + y) * module) * width) for y, row in enumerate(rows))
            return all(
                (pixels[line + x] < 128) == bool(dark)
                for row, line in lines
                for x, dark in zip(columns, row, strict=True)
            )

        return any(at(top) for top in range(len(pixels) // width - int(70 * millimetre)))

    assert stands_there(segno.make("http://192.168.178.20:8000/j/abcDEF12345", error="m", micro=False))
    assert stands_there(segno.helpers.make_wifi(ssid="Mill Guest", password="turning-wheel-1742", security="WPA"))
    assert not stands_there(segno.make("http://192.168.178.21:8000/j/abcDEF12345", error="m", micro=False))


def test_the_page_gives_each_sheet_with_a_click_and_says_what_stands_on_it(venue: Venue, freya: Facilitator) -> None:
    page = freya.gets(f"/f/{freya.code}/print")
    assert "none named, so only the code to join is printed" in text_of(page)
    names = re.findall(rf'href="/f/{freya.code}/print/([a-z-]+).pdf"', page.text)
    assert names == list(PRINTABLES)
    for name in names:
        answer = freya.gets(f"/f/{freya.code}/print/{name}.pdf")
        assert answer.headers["Content-Type"] == "application/pdf"
        assert f'filename="wexcombe-mill-museum-2026-11-21-{name}.pdf"' in answer.headers["Content-Disposition"]
        assert answer.data.startswith(b"%PDF")
    assert freya.gets(f"/f/{freya.code}/print/other.pdf").status_code == 404
    for place in ("setup", ""):
        assert f'href="/f/{freya.code}/print"' in freya.gets(f"/f/{freya.code}/{place}".rstrip("/")).text
