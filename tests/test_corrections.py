"""Words: what somebody here says instead of a draft is said everywhere at once, and can break no page."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from facilitation import language
from facilitation.corrections import BadCatalogue, Corrections, Sentence, faults_of
from facilitation.errors import Refused
from facilitation.web import House
from facilitation.web.translating import PLACES
from tests.cast import Facilitator, Phone, Venue, text_of

WELSH = language.drafts("cy") or Catalog("cy")


@pytest.fixture
def corrections(tmp_path: Path) -> Corrections:
    return Corrections(tmp_path / "words")


def one(house: House, english: str) -> Sentence:
    return next(found for found in house.corrections.sentences("cy") if found.english[0] == english)


def entry(english: str | tuple[str, str]) -> Message:
    made = Catalog("cy")
    made.add(english, ("",) * 6 if isinstance(english, tuple) else "")
    return made[english]


def faults(english: str | tuple[str, str], *forms: str) -> list[str]:
    return faults_of(entry(english), forms, WELSH)


def speaks_welsh(phone: Phone) -> Phone:
    phone.client.set_cookie(language.COOKIE, "cy")
    return phone


def says(freya: Facilitator, english: str, *forms: str, want: str = "save") -> str:
    name = one(freya.venue.house, english).name
    response = freya.posts(f"/languages/cy/{name}", {"text": list(forms), "want": want}, htmx=True)
    return text_of(response)


def shared(venue: Venue) -> str:
    """A sentence that phones are shown while they wait, with nothing to fill in."""
    plain = {found.english[0] for found in venue.house.corrections.sentences("cy") if not found.counts}
    return next(text for text in sorted(plain) if text.startswith("You are in:"))


# --- A correction is said


def test_a_correction_is_on_a_phone_at_once_and_gone_when_the_draft_comes_back(
    venue: Venue, freya: Facilitator
) -> None:
    ana = speaks_welsh(Phone(venue).joins(freya.code))
    english = shared(venue)
    assert "Rydych chi yma o’r diwedd" not in ana.sees()
    says(freya, english, "Rydych chi yma o’r diwedd")
    assert "Rydych chi yma o’r diwedd" in ana.sees()
    assert "Rydych chi yma o’r diwedd" not in Phone(venue).joins(freya.code).sees(), "an English phone hears English"
    says(freya, english, want="draft")
    assert "Rydych chi yma o’r diwedd" not in ana.sees()


def test_whoever_listens_in_that_language_is_told_of_a_correction(venue: Venue, freya: Facilitator) -> None:
    ana = speaks_welsh(Phone(venue).joins(freya.code))
    ana.listens("p", freya.code)
    english, before = shared(venue), len(venue.told)
    says(freya, english, "Croeso i’r ystafell")
    told = [push for push in venue.told[before:] if "Croeso i’r ystafell" in push.html]
    assert told, "the page that is open shows it without anybody doing anything"


def test_another_worker_says_it_too_and_so_does_the_program_after_a_restart(
    venue: Venue, freya: Facilitator, tmp_path: Path
) -> None:
    english = shared(venue)
    says(freya, english, "Dyna chi")
    with language.speaking("cy"):
        assert language._(english) == "Dyna chi"
    Corrections(tmp_path / "words").say("cy", {english: ("Wedi newid mewn man arall",)})  # as another process does
    with language.speaking("cy"):
        assert language._(english) == "Wedi newid mewn man arall"
    venue.restarts()
    with language.speaking("cy"):
        assert language._(english) == "Wedi newid mewn man arall"


def test_two_who_correct_at_once_both_keep_theirs(corrections: Corrections, tmp_path: Path) -> None:
    first, second = (found.english[0] for found in corrections.sentences("cy")[:2])
    other = Corrections(tmp_path / "words")
    drafts = {found.english[0]: found for found in corrections.sentences("cy")}
    corrections.say("cy", {first: drafts[first].english * len(drafts[first].draft)})
    other.say("cy", {second: drafts[second].english * len(drafts[second].draft)})
    assert {found.english[0] for found in corrections.sentences("cy") if found.reviewed} == {first, second}


def test_the_page_stops_calling_itself_a_draft_when_all_is_reviewed(corrections: Corrections) -> None:
    given = {
        found.english[0]: found.said if all(found.said) else (found.english[-1],) * len(found.draft)
        for found in corrections.sentences("cy")
    }
    (last, words) = given.popitem()
    language.correct_with(corrections)
    try:
        corrections.say("cy", given)
        with language.speaking("cy"):
            assert language.is_draft()
        corrections.say("cy", {last: words})
        with language.speaking("cy"):
            assert not language.is_draft()
    finally:
        language.correct_with(None)


# --- It can break no page


NAMES = st.lists(st.sampled_from(["name", "num", "place", "of"]), unique=True, max_size=3)
PIECES = st.lists(st.sampled_from(["word", "gair", "ŵ", "100%%", "…"]), min_size=1, max_size=4)


@given(NAMES, NAMES, PIECES)
def test_a_correction_keeps_the_names_of_its_english_and_no_others(
    english: list[str], said: list[str], pieces: list[str]
) -> None:
    source = " ".join([*pieces, *(f"%({name})s" for name in english)])
    text = " ".join([*(f"%({name})s" for name in said), *pieces])
    found = faults(source, text)
    assert bool(found) == (set(english) != set(said))
    if not found:
        assert "%(" not in text % dict.fromkeys(["name", "num", "place", "of"], "x")


@given(st.text(max_size=60))
def test_what_is_let_through_can_always_be_filled_in_and_holds_no_element(typed: str) -> None:
    if not faults("Hello %(name)s", typed):
        assert typed % {"name": "Ana"}
        assert not re.search(r"[<>\"]", typed)


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<b>Helo</b>",
        "Helo <img src=x onerror=alert(1)>",
        'Helo" autofocus onfocus="alert(1)',
        "Helo <",
        "</p>Helo",
        "<!-- Helo",
        "<Script>",
    ],
)
def test_a_correction_brings_no_element_into_a_page(typed: str) -> None:
    assert faults("Hello", typed)


def test_elements_of_the_english_stay_the_same_and_whole() -> None:
    english = "<b>First picture</b> at %(k)s answers"
    assert not faults(english, "Ar ôl %(k)s ateb: <b>y llun cyntaf</b>")
    assert faults(english, "Ar ôl %(k)s ateb: y llun cyntaf")
    assert faults(english, "Ar ôl %(k)s ateb: </b>y llun cyntaf<b>")
    assert faults(english, '<b onclick="x()">Ar ôl</b> %(k)s')


@pytest.mark.parametrize(
    "typed", ["Mae %(plate)d yma", "%%(plate)s% yma", "%(plate)s yma 5%", "%(plate)s yma %(plate)x"]
)
def test_a_name_that_would_break_the_page_is_refused(typed: str) -> None:
    assert faults("%(plate)s is here", typed)


def test_every_plural_form_is_there_and_only_that_of_one_number_may_leave_it_out() -> None:
    english = ("%(num)s question", "%(num)s questions")
    six = ("dim cwestiwn", "un cwestiwn", "dau gwestiwn", "tri chwestiwn", "chwe chwestiwn", "%(num)s cwestiwn")
    assert not faults(english, *six)
    assert faults(english, *six[:-1], "llawer o gwestiynau")
    assert faults(english, *six[:-1])


def test_a_file_that_was_changed_by_hand_says_nothing_that_could_break_a_page(
    venue: Venue, freya: Facilitator, tmp_path: Path
) -> None:
    english = shared(venue)
    says(freya, english, "Dyna chi")
    file = tmp_path / "words" / "cy.po"
    file.write_text(file.read_text().replace("Dyna chi", "<script>alert(1)</script>"))
    ana = speaks_welsh(Phone(venue).joins(freya.code))
    assert "<script>alert" not in ana.gets(f"/w/{freya.code}").text
    file.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=CHARSET\\n"\n')
    assert ana.gets(f"/w/{freya.code}").status_code == 200
    file.write_text("this is no catalogue")
    assert ana.gets(f"/w/{freya.code}").status_code == 200
    assert freya.gets("/languages/cy").status_code == 200


# --- The page


def test_a_refused_correction_says_why_beside_what_was_typed(venue: Venue, freya: Facilitator) -> None:
    english = "Add an action for %(question)s"
    typed = "Ychwanegu gweithred"
    assert "%(question)s is missing" in says(freya, english, typed)
    response = freya.posts(f"/languages/cy/{one(venue.house, english).name}", {"text": typed})  # without a script
    assert response.status_code == 422
    assert typed in response.text
    assert "%(question)s is missing" in text_of(response)
    assert one(venue.house, english).reviewed is None


def test_sentences_are_found_by_their_words_and_by_what_was_done_to_them(venue: Venue, freya: Facilitator) -> None:
    english = shared(venue)
    says(freya, english, "Dyna chi i’r dim")
    assert english in text_of(freya.gets("/languages/cy?q=DYNA+CHI"))
    assert "1 sentence found" in text_of(freya.gets("/languages/cy?show=changed"))
    assert english not in text_of(freya.gets(f"/languages/cy?show=open&q={english[:20]}"))
    assert "No sentence found" in text_of(freya.gets("/languages/cy?q=xyzzy"))
    assert freya.gets("/languages/en").status_code == freya.gets("/languages/xx").status_code == 404


def test_every_sentence_can_be_reached(venue: Venue, freya: Facilitator) -> None:
    names = {found.name for found in venue.house.corrections.sentences("cy")}
    pages = -(-len(names) // 40)
    seen = {
        name
        for page in range(1, pages + 1)
        for name in re.findall('id="s-([0-9a-f]{16})"', freya.gets(f"/languages/cy?page={page}").text)
    }
    assert seen == names


def test_the_first_page_of_words_is_what_people_meet_first(venue: Venue, freya: Facilitator) -> None:
    english = [found.english[0] for found in venue.house.corrections.sentences("cy")]
    pages = [freya.gets(f"/languages/cy?page={page}").text for page in range(1, 2 + (len(english) - 1) // 40)]
    headings = [heading for page in pages for heading in re.findall('<h3 class="page__h">(.*?)</h3>', page)]
    assert list(dict.fromkeys(headings)) == [place for place, _names in PLACES]
    rows = [
        unescape(said) for page in pages for said in re.findall('(?s)<p lang="en-GB">(.*?)</p>.*?</form></li>', page)
    ]
    assert sorted(rows) == sorted(english)
    places = [rows.index(said) for said in ("Join a session", "I don’t know", "Full screen", "Your sessions")]
    assert places == sorted(places)
    assert places[0] < 5  # the very page on which they join
    without_words = [said for said in rows if not re.search(r"[^\W\d_]", re.sub(r"%\(\w+\)s|<[^>]+>", "", said))]
    assert without_words
    assert rows[-len(without_words) :] == without_words


# --- Documents


def test_documents_speak_the_language_of_whoever_asks_and_data_does_not(freya: Facilitator) -> None:
    names = ("results.csv", "actions.csv", "session.json")
    english = [freya.reads(name).data for name in names]
    sheets = load_workbook(io.BytesIO(freya.reads("tables.xlsx").data)).sheetnames
    freya.client.set_cookie(language.COOKIE, "cy")
    assert [freya.reads(name).data for name in names] == english
    book = load_workbook(io.BytesIO(freya.reads("tables.xlsx").data))
    assert book.sheetnames == sheets
    with language.speaking("cy"):
        owner, agreed = language._("Owner"), language._("What we agreed to do")
    assert owner in [cell.value for cell in book["Actions"][1]]
    with zipfile.ZipFile(io.BytesIO(freya.reads("action-plan.docx").data)) as parts:
        assert agreed in parts.read("word/document.xml").decode()
        assert 'w:lang w:val="cy"' in parts.read("word/styles.xml").decode()


# --- As a file


def test_what_is_downloaded_can_be_loaded_again_and_changes_nothing(venue: Venue, freya: Facilitator) -> None:
    says(freya, shared(venue), "Dyna chi")
    before = venue.house.corrections.sentences("cy")
    content = freya.gets("/languages/cy/catalogue.po").data
    response = freya.posts("/languages/load", {"file": (io.BytesIO(content), "cy.po")})
    assert "1 sentence was taken over" in text_of(response)
    assert venue.house.corrections.sentences("cy") == before


def test_what_a_translator_has_reviewed_is_taken_and_what_is_fuzzy_is_not(corrections: Corrections) -> None:
    english = next(
        found.english[0] for found in corrections.sentences("cy") if not found.counts and "%" not in found.english[0]
    )
    file = read_po(io.BytesIO(corrections.as_file("cy")), locale="cy")
    file[english].string, file[english].flags = "Wedi’i adolygu", set()
    content = io.BytesIO()
    write_po(content, file)
    language_, taken, waiting = corrections.load(content.getvalue(), "cy.po")
    assert (language_, taken) == ("cy", 1)
    assert waiting == sum(any(found.draft) and found.english[0] != english for found in corrections.sentences("cy"))
    assert next(found for found in corrections.sentences("cy") if found.english[0] == english).said == (
        "Wedi’i adolygu",
    )


def test_a_file_with_a_fault_is_refused_whole_and_names_the_line(venue: Venue, freya: Facilitator) -> None:
    good, bad = shared(venue), "Add an action for %(question)s"
    head = 'msgid ""\nmsgstr "Language: cy\\n"\n\n'
    content = f'{head}msgid "{good}"\nmsgstr "Da iawn"\n\nmsgid "{bad}"\nmsgstr "Ychwanegu"\n'
    response = freya.posts("/languages/load", {"file": (io.BytesIO(content.encode()), "ours.po")})
    assert response.status_code == 422
    assert "Line 7: %(question)s is missing" in text_of(response)
    assert all(found.reviewed is None for found in venue.house.corrections.sentences("cy"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04", "not a file of translations"),
        (b'msgid ""\nmsgstr "Language: xx\\n"\n', "not a file of translations"),
        (
            b'msgid ""\nmsgstr ""\n"Language: cy\\n"\n"Content-Type: text/plain; charset=CHARSET\\n"\n',
            "Line 4: the charset",
        ),
        (b'msgid ""\nmsgstr "Language: cy\\n"\n\nmsgid "Save"\nmsgstr "Arbed\n', "Line 5"),
        (b'msgid ""\nmsgstr "Language: cy\\n"\n\nmsgid "Save"\nmsgstr "\xff"\n', "Line 5"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_with_a_sentence(
    corrections: Corrections, content: bytes, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        corrections.load(content, "cy.po")
    more = refused.value.faults if isinstance(refused.value, BadCatalogue) else ()
    assert said in " ".join([refused.value.sentence, *more])
