"""Languages: every sentence is in the catalogues, and each phone, console and screen hears its own."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from markupsafe import escape
from sqlalchemy import update

from facilitation import hallmarks, language, plan
from facilitation.language import Said, speaking
from facilitation.now import Audience
from facilitation.stages import Stage
from facilitation.store import AgendaItem
from facilitation.tally import words
from tests.cast import A_DAY, ORIGIN, QUESTIONS, Facilitator, Handed, Person, Phone, Screen, Venue, vote
from tests.languages import PSEUDO, teach, unmarked

ROOT = Path(__file__).resolve().parents[1]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TAG = re.compile(r"<[^>]*>")
INEQUALITY = tuple(f"tackling-inequality-{number:02}" for number in range(1, 7))


# --- The catalogues --------------------------------------------------------------------------------------------------


@cache
def marked() -> dict[str, str | tuple[str, ...]]:
    """Every sentence that code and templates mark, as `make catalogue` finds them, by its English."""
    keywords = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
    mappings = [("**.py", "python"), ("**.html", "jinja2")]
    options = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
    found: dict[str, str | tuple[str, ...]] = {}
    for folder in ("facilitation", "templates"):
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder), mappings, options, keywords=keywords
        ):
            found[message if isinstance(message, str) else message[0]] = message
    return found


@cache
def catalogue(name: str) -> Catalog:
    """A catalogue as translators edit it."""
    with (language.HERE / f"{name}.po").open("rb") as file:
        return read_po(file, locale=name)


def messages(name: str) -> Iterator[Message]:
    """The sentences of a catalogue, without its head."""
    return (message for message in catalogue(name) if message.id)


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """A sentence in all its forms; most have one."""
    return (text,) if isinstance(text, str) else tuple(text)


CATALOGUES = [path.stem for path in language.HERE.glob("*.po")]


def test_there_is_welsh() -> None:
    assert "cy" in CATALOGUES
    assert language.offered()[0] == "en"


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_holds_every_marked_sentence_and_no_other(name: str) -> None:
    held = {forms(message.id)[0]: message for message in messages(name)}
    assert sorted(marked().keys() - held.keys()) == [], "run `make catalogue`"
    assert sorted(held.keys() - marked().keys()) == [], "run `make catalogue`"
    assert not catalogue(name).obsolete
    assert {key for key, message in held.items() if forms(message.id) != forms(marked()[key])} == set()


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_sentence_is_translated_in_every_plural_form_and_none_is_guessed(name: str) -> None:
    empty = [message.id for message in messages(name) if not all(forms(message.string)) or not message.string]
    assert empty == []
    assert [message.id for message in messages(name) if message.fuzzy] == []
    number = catalogue(name).num_plurals
    assert {len(message.string) for message in messages(name) if isinstance(message.id, tuple)} <= {number}


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_translation_says_the_same_names_and_elements_as_the_english(name: str) -> None:
    for message in messages(name):
        english = forms(message.id)[-1]
        for said in forms(message.string):
            # "one thing" needs no number; no other name may be missing, and none may be invented
            assert set(PLACEHOLDER.findall(said)) <= set(PLACEHOLDER.findall(english)), message.id
            assert set(PLACEHOLDER.findall(english)) - set(PLACEHOLDER.findall(said)) <= {"num"}, message.id
            assert sorted(TAG.findall(said)) == sorted(TAG.findall(english)), message.id
            assert "%" not in PLACEHOLDER.sub("", said).replace("%%", ""), message.id
            # it stands in attributes too: whatever would end one there is written as its English
            assert not set('"&<>') & set(TAG.sub("", said)) or "&" in english or '"' in english, message.id


def test_welsh_has_its_six_forms_as_the_unicode_consortium_lists_them() -> None:
    from babel import Locale

    names = ("zero", "one", "two", "few", "many", "other")
    rule = Locale.parse("cy").plural_form
    with speaking("cy"):
        compiled = language._catalogue("cy")
    for count in range(30):
        assert compiled.plural(count) == names.index(rule(count)), count  # type: ignore[attr-defined]


def test_an_answer_has_one_welsh_name_in_the_framework_on_the_ballot_and_wherever_it_is_quoted() -> None:
    welsh = {message.id: message.string for message in messages("cy") if isinstance(message.id, str)}
    scales = hallmarks.load(ROOT / "data" / "hallmarks.json").scales.values()
    names = {label["en"]: label["cy"] for scale in scales for label in scale.labels}
    assert {english: welsh[english] for english in names if welsh.get(english, names[english]) != names[english]} == {}
    names |= {"I don’t know": welsh["Don’t know"], "Don’t know": welsh["Don’t know"]}
    quoting = re.compile(r"\bI don’t know\b|\bDon’t know\b")
    sentences = {english: quoting.search(english) for english in welsh}
    quoted = {english: names[found[0]] for english, found in sentences.items() if found}
    assert len(quoted) > 5
    assert {english: welsh[english] for english, name in quoted.items() if name not in str(welsh[english])} == {}


# --- What is said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "accepted", "spoken"),
    [
        ("", "", "en"),
        ("", "cy", "cy"),
        ("", "cy-GB,cy;q=0.9,en-GB;q=0.8,en;q=0.7", "cy"),
        ("", "en-GB,en;q=0.9,cy;q=0.8", "en"),
        ("", "fr,cy;q=0.2", "cy"),
        ("", "cy;q=0,fr", "en"),
        ("", "de, *;q=0.5", "en"),
        ("en", "cy", "en"),
        ("cy", "en", "cy"),
        ("../../etc", "cy", "cy"),
    ],
)
def test_a_browser_hears_what_was_chosen_or_what_it_asks_for_first(cookie: str, accepted: str, spoken: str) -> None:
    assert language.chosen(cookie, accepted) == spoken


def test_dates_are_written_as_the_language_does() -> None:
    assert plan.long_date(dt.date(2026, 11, 1)) == "1 November 2026"
    with speaking("cy"):
        assert plan.long_date(dt.date(2026, 11, 1)) == "1 Tachwedd 2026"


def test_a_text_that_has_no_welsh_says_that_it_is_english() -> None:
    with speaking("cy"):
        assert language.say({"en": "Fully", "cy": "Yn llwyr"}) == "Yn llwyr"
        said = language.say({"en": "How <well>?"})
    assert said == "How <well>?"
    assert isinstance(said, Said)
    assert said.__html__() == '<span lang="en-GB">How &lt;well&gt;?</span>'


def test_two_languages_are_said_one_after_the_other_with_each_value_in_its_own() -> None:
    with speaking("cy+en"):
        low, high = language.say({"en": "Partly", "cy": "Yn rhannol"}), language.say({"en": "Fully", "cy": "Yn llwyr"})
        said = language._("between %(low)s and %(high)s", low=low, high=high)
        assert said == "rhwng Yn rhannol a Yn llwyr / between Partly and Fully"
        assert language.say({"en": "9.1", "cy": "9.1"}) == "9.1"
        html = language.in_html(lambda one: one.gettext("Middle answer: %(middle)s"), {"middle": said})
    assert isinstance(html, Said)
    html = html.__html__()
    assert 'lang="cy">Ateb canol: rhwng Yn rhannol a Yn llwyr<' in html
    assert 'lang="en-GB">Middle answer: between Partly and Fully<' in html


def test_a_sentence_that_quotes_a_label_says_which_language_the_label_is_in() -> None:
    labels = [{"en": "Partly <so>"}, {"en": "Largely"}]
    with speaking("cy"):
        middle = words.middle_words((3, 3), [language.say(label) for label in labels])
        html = language.in_html(lambda one: one.gettext("Middle answer: %(middle)s"), {"middle": middle})
        line = escape(language.listed(", ", ["Ateb", middle or ""]))
    low, high = '<span lang="en-GB">Partly &lt;so&gt;</span>', '<span lang="en-GB">Largely</span>'
    assert middle == "rhwng Partly <so> a Largely"
    assert html == f"Ateb canol: rhwng {low} a {high}"
    assert line == f"Ateb, rhwng {low} a {high}"
    with speaking("cy+en"):
        both = words.middle_words((3, 3), [language.say(label) for label in labels])
    assert isinstance(both, Said)
    assert both == "rhwng Partly <so> a Largely / between Partly <so> and Largely"
    assert f'<span lang="cy">rhwng {low} a {high}</span>' in both.__html__()
    assert '<span lang="en-GB">between Partly &lt;so&gt; and Largely</span>' in both.__html__()


def test_what_people_typed_is_escaped_inside_a_sentence() -> None:
    with speaking("cy"):
        html = language.in_html(lambda one: one.gettext("Your role: %(museum)s"), {"museum": "<b>Mill</b>"})
    assert html == "Eich rôl: &lt;b&gt;Mill&lt;/b&gt;"


# --- Choosing --------------------------------------------------------------------------------------------------------


def welsh(person: Person) -> None:
    """Have somebody choose Welsh as the page does it."""
    answer = person.posts("/language", {"language": "cy", "back": "/about"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/about")


def test_a_phone_chooses_on_the_join_page_and_any_time_later(venue: Venue, freya: Facilitator, ana: Phone) -> None:
    stranger = Person(venue)
    assert '<html lang="en-GB" data-theme' in (page := stranger.gets("/").text)
    assert re.search(
        r'action="/language"><input type="hidden" name="back" value="/"><button [^>]*lang="cy">Cymraeg', page
    )
    welsh(stranger)
    page = stranger.gets("/").text
    assert '<html lang="cy" data-theme' in page
    assert "Ymunwch â’r sesiwn" in page
    assert 'lang="en-GB">English</button>' in page
    for stage in ("open", "close", "finish"):
        assert f'name="back" value="/w/{freya.code}"' in ana.gets(f"/w/{freya.code}").text
        freya.does(stage)
    assert f'name="back" value="/w/{freya.code}"' in ana.gets(f"/w/{freya.code}").text


def test_the_cookie_holds_the_language_and_nothing_else(venue: Venue) -> None:
    browser = Person(venue)
    welsh(browser)
    assert browser.cookies() == {"language": "cy"}


@pytest.mark.parametrize(
    ("back", "leads"), [("//evil.example/", "/"), ("https://evil.example/", "/"), ("", "/"), ("/w/1?x=1", "/w/1?x=1")]
)
def test_it_leads_back_to_our_own_pages_only(venue: Venue, back: str, leads: str) -> None:
    answer = Person(venue).posts("/language", {"language": "cy", "back": back})
    assert answer.headers["Location"] == leads


def test_a_language_that_nobody_offers_is_not_kept(venue: Venue) -> None:
    browser = Person(venue)
    browser.posts("/language", {"language": "../x", "back": "/"})
    assert browser.cookies() == {}


def test_the_first_guess_is_what_the_browser_asks_for(venue: Venue) -> None:
    page = Person(venue).gets("/", headers={"Accept-Language": "cy-GB,cy;q=0.9,en;q=0.5"}).text
    assert '<html lang="cy"' in page


def test_a_draft_says_so_in_both_languages_and_english_says_nothing(venue: Venue, ana: Phone, wall: Screen) -> None:
    draft, english = "Drafft yw’r cyfieithiad hwn.", "This translation is a draft."
    lobby = f"/w/{ana.code}"
    assert english not in ana.gets(lobby).text + ana.gets("/").text
    welsh(ana)
    for page in (ana.gets(lobby).text, ana.gets("/").text, ana.gets("/promise").text):
        assert draft in page
        assert f'<span lang="en-GB">{english}' in page


# --- Pushes ----------------------------------------------------------------------------------------------------------


def test_each_phone_hears_its_own_language_and_a_second_one_costs_one_more_rendering(
    venue: Venue, freya: Facilitator, ana: Phone, ben: Phone, cai: Phone
) -> None:
    welsh(ana)
    heard = {phone: phone.listens("p", freya.code) for phone in (ana, ben, cai)}
    venue.told.clear()
    freya.does("open")
    pushed = venue.told_to(Audience.PHONE)
    assert sorted(push.to.split(":")[2] for push in pushed) == ["cy", "en"]
    said = {phone: socket.get_received()[-1]["args"][0]["html"] for phone, socket in heard.items()}
    assert "Tapiwch eich ateb" in said[ana]
    assert "Tap your answer" in said[ben]
    assert said[ben] == said[cai]
    assert ana.gets(f"/w/{freya.code}/now").text == said[ana]


def test_a_room_that_speaks_english_alone_is_told_in_english_alone(
    venue: Venue, freya: Facilitator, ana: Phone
) -> None:
    ana.listens("p", freya.code)
    venue.told.clear()
    freya.does("open")
    assert [push.to for push in venue.told_to(Audience.PHONE)] == [f"{freya.workshop_id}:participant:en"]


def test_beside_other_workers_everybody_is_told_in_every_language(venue: Venue, freya: Facilitator) -> None:
    venue.house.live._alone = False
    freya.does("open")
    languages = {push.to.split(":")[2] for push in venue.told_to(Audience.PHONE)}
    assert languages == set(language.offered())


def test_an_answer_is_confirmed_in_the_phone_s_language_and_the_scale_s_welsh(
    freya: Facilitator, ana: Phone, ben: Phone
) -> None:
    welsh(ana)
    freya.does("open")
    assert "Mae eich ateb i mewn: 4, I raddau helaeth" in ana.answers("4").text
    assert "Your answer is in: 4, Largely" in ben.answers("4").text
    freya.does("close")
    assert "Mae’r pleidleisio wedi cau. Daeth eich ateb diwethaf yn rhy hwyr" in ana.answers("5").text


def test_what_the_writer_refuses_is_said_in_the_language_of_who_asked(freya: Facilitator) -> None:
    welsh(freya)
    refused = freya.posts(f"/f/{freya.code}/show", {"want": "overlay", "value": "moon"}, htmx=True)
    assert "Ni all y sgrin a rennir ddangos hynny." in refused.text
    assert language.current() == "en"


# --- The screen ------------------------------------------------------------------------------------------------------


def test_the_screen_speaks_what_the_facilitator_chose_whatever_her_own_language(
    venue: Venue, freya: Facilitator, wall: Screen
) -> None:
    welsh(freya)
    welsh(wall)
    assert "Join the session" in wall.gets(f"/s/{wall.code}").text
    freya.sets(screen_language="cy")
    page = wall.gets(f"/s/{wall.code}").text
    assert '<html lang="cy"' in page
    assert "Ymunwch â’r sesiwn" in page
    freya.sets(screen_language="cy+en")
    page = wall.gets(f"/s/{wall.code}").text
    assert "<title>Ymunwch â’r sesiwn / Join the session</title>" in page
    assert re.search(r'lang="cy">Rhwydwaith|lang="cy">Cyfeiriad</span>.*?lang="en-GB">Address', page)
    freya.does("open")
    told = venue.told_to(Audience.SCREEN)[-1]
    assert told.to == f"{freya.workshop_id}:screen:"
    assert told.html == wall.gets(f"/s/{wall.code}/now").text
    assert re.search(r'<th scope="row"><b>4</b> <span class="two"><span lang="cy">I raddau helaeth</span>', told.html)


def test_no_element_stands_in_an_attribute_or_a_title(freya: Facilitator, ana: Phone, wall: Screen) -> None:
    freya.sets(screen_language="cy+en")
    welsh(ana)
    for moves in ("", "open", "close", "discuss", "finish"):
        freya.does(*moves.split())
        for page in (wall.gets(f"/s/{wall.code}").text, ana.gets(f"/w/{ana.code}").text):
            assert re.findall(r'="[^"<>]*[<>][^"]*"', page.replace("'", '"')) == []
            assert "<" not in page.partition("<title>")[2].partition("</title>")[0]


def test_a_label_without_welsh_breaks_no_attribute_of_a_console_in_welsh(venue: Venue) -> None:
    freya = Facilitator(venue).enters().creates(QUESTIONS[0], k=3, mode="reveal")
    english_alone = [{"en": label} for label in ("Never", "Seldom", "Sometimes", "Often", "Always")]
    venue.performs(lambda session: session.execute(update(AgendaItem).values(labels=english_alone)))
    phones = venue.phones(6, freya.code)
    welsh(freya)
    freya.does("open")
    vote(phones, "2", "2", "2", "3", "3", "3")
    freya.does("close", "reveal")
    page = freya.gets(f"/f/{freya.code}").text
    said = page.partition('data-say="')[2].partition('"')[0]
    assert "Seldom" in said, "the middle answer is read out"
    assert "<" not in said


def test_a_session_that_continues_keeps_the_languages_of_its_screen(freya: Facilitator) -> None:
    freya.sets(screen_language="cy+en")
    freya.sets(screen_language="klingon")
    assert freya.now.screen_language == "cy+en"


# --- Nothing is left unmarked ----------------------------------------------------------------------------------------


@pytest.fixture
def bracketed(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every sentence that was marked stands in brackets, for whoever asks for PSEUDO."""
    teach(monkeypatch)
    venue.house.live._present.clear()
    yield
    venue.house.live._present.clear()


def speaks(person: Person) -> None:
    """Somebody whose browser asks for PSEUDO."""
    person.client.set_cookie(language.COOKIE, PSEUDO)


KNOWN = ("localhost", "Wexcombe Mill Museum", "Trustees’ away day", "MIT", "English", "esperanto", "Esperanto")


def known(venue: Venue) -> set[str]:
    """What is no sentence of the program: names, typed texts, dates, and the framework's own words."""
    framework = venue.house.framework
    labels = {text for scale in framework.scales.values() for label in scale.labels for text in label.values()}
    with speaking(PSEUDO):
        day = plan.long_date(A_DAY)
    quoted = {hallmark.title["en"] for hallmark in framework.hallmarks} | {q.short["en"] for q in framework.questions}
    return {*KNOWN, day, *labels, *quoted}


@pytest.mark.usefixtures("bracketed")
@pytest.mark.parametrize("mode", ["live", "reveal"])
def test_no_word_on_a_phone_or_the_screen_was_left_unmarked(
    venue: Venue, freya: Facilitator, ana: Phone, wall: Screen, mode: str
) -> None:
    freya.sets(mode=mode, screen_language=PSEUDO, wifi_name="77", wifi_password="88888888", k="3")
    speaks(ana)
    others = venue.phones(7, freya.code)
    pages: dict[str, str] = {}

    def look(moment: str) -> None:
        pages[f"phone, {moment}"] = ana.gets(f"/w/{ana.code}").text
        pages[f"phone's push, {moment}"] = ana.gets(f"/w/{ana.code}/now").text
        pages[f"screen, {moment}"] = wall.gets(f"/s/{wall.code}").text

    for path in ("/", "/about", "/promise", f"/promise?r={ana.code}", "/nowhere", "/j/nothing"):
        pages[path] = ana.gets(path).text
    pages["a wrong code"] = ana.posts("/join", {"code": "000 000"}).text
    pages["no code"] = ana.posts("/join", {"code": ""}).text
    look("lobby")
    for overlay in ("code", "plan", "three", "profile", "blank", "since", "compare", "roles"):
        freya.shows("overlay", overlay)
        look(overlay)
    freya.shows("overlay", "roles")
    freya.shows("door", "locked")
    look("locked")
    freya.shows("door", "open")
    freya.does("open")
    look("voting")
    pages["answer"] = ana.answers("4").text
    vote(others, *"1155512")
    look("answered")
    freya.shows("timer")
    look("timer")
    freya.does("close")
    pages["too late"] = ana.answers("5").text
    look("closed")
    if mode == "reveal":
        freya.does("reveal")
        look("revealed")
    freya.does("discuss")
    look("discussion")
    for overlay in ("three", "profile"):
        freya.shows("overlay", overlay)
        look(overlay + " with a result")
    freya.shows("overlay", "profile")
    freya.does("revote")
    look("second vote")
    vote(others, *"5555512")
    freya.does("close", *(["reveal"] if mode == "reveal" else []))
    look("second result")
    freya.does("next")
    vote(others[:2], "1", "2")
    freya.does("close", *(["reveal"] if mode == "reveal" else []))
    look("too few")
    assert freya.stage == Stage.REVEALED
    freya.does("finish")
    look("finished")
    names = known(venue)
    left = {(place, text) for place, html in pages.items() for text in unmarked(html, names)}
    assert left == set()
    assert len(pages) > 60


@pytest.mark.usefixtures("bracketed")
def test_no_word_on_a_device_that_goes_round_was_left_unmarked(venue: Venue, freya: Facilitator) -> None:
    tablet = Handed(venue).comes_from(freya)
    speaks(tablet)
    pages = {"lobby": tablet.page()}
    freya.does("open")
    pages["voting"] = tablet.page()
    pages["counted"] = tablet.gets(tablet.answers("4").headers["Location"]).text
    freya.does("close")
    pages["result"] = tablet.page()
    names = known(venue)
    assert {(place, text) for place, html in pages.items() for text in unmarked(html, names)} == set()


@pytest.mark.usefixtures("bracketed")
def test_the_test_for_unmarked_words_sees_them() -> None:
    page = '<html lang="eo"><p aria-label="Left over">⟦Said %(x)s ⟦inner⟧⟧ <span lang="en-GB">Quoted</span> Mill</p>'
    assert list(unmarked(page, ["Mill"])) == ["Left over"]
    assert list(unmarked(page)) == ["Left over", "Mill"]
    assert ORIGIN


# --- Where a page lets somebody choose -------------------------------------------------------------------------------


def test_a_refusal_offers_the_other_language_and_comes_again_in_it(venue: Venue) -> None:
    stranger = Person(venue)
    page = stranger.gets("/sessions/482739/delete").text
    assert '<html lang="en-GB"' in page
    assert 'name="back" value="/sessions/482739/delete"' in page
    welsh(stranger)
    page = stranger.gets("/sessions/482739/delete").text
    assert '<html lang="cy"' in page
    assert "Ni weithiodd hynny" in page
    assert 'lang="en-GB">English</button>' in page


def test_every_page_of_the_facilitator_offers_the_other_language_before_anything_else(freya: Facilitator) -> None:
    f = f"/f/{freya.code}"
    for path in ("/home", "/packs", "/languages", f"{f}/setup", f"{f}/check", f"{f}/devices", f"{f}/print"):
        page = freya.gets(path).text
        assert 0 < page.find('action="/language"') < page.find("<main"), path
        assert page.count('action="/language"') == 1, path
