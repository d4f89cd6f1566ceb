"""A rehearsal: simulated people who make the picture they were asked for, and nothing of it among what is real."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from random import Random

import docx
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from facilitation import museum, people, rehearsal, store
from facilitation.exports import FORMATS
from facilitation.exports.printables import PRINTABLES
from facilitation.now import Audience
from facilitation.people import CROWDS, Preset
from facilitation.stages import Stage
from facilitation.store import Kind, Workshop
from facilitation.tally import Reason, Spread, Tally, reasons, spread
from facilitation.web import example
from tests.cast import A_DAY, QUESTIONS, Facilitator, Person, Phone, Screen, Venue, text_of

EVERYBODY_IN = 13.0  # seconds
EVERYBODY_ANSWERED = 40.0
RIBBON = "Rehearsal: not anonymous"

pytestmark = pytest.mark.quiet


class Rehearser(Facilitator):
    """Freya before the day: has begun a rehearsal from the first page."""

    def begins(self, path: str = "/rehearsals", preset: str = "close") -> Rehearser:
        """As a browser does it, which sends the form on to where it is led."""
        form = {"want": "preset", "value": preset}
        answer = self.posts(path, form)
        led_to = answer.headers["Location"]
        self.code = led_to.split("/")[2]
        if answer.status_code == 307:
            assert self.posts(led_to, form).headers["Location"] == f"/f/{self.code}"
        self.workshop_id = self.venue.workshop(self.code).id
        return self

    def steers(self, want: str, value: str = "") -> str:
        answer = self.posts(f"/f/{self.code}/rehearsal", {"want": want, "value": value}, htmx=True)
        assert answer.status_code == 200, text_of(answer)
        return text_of(answer)

    def waits(self, seconds: float) -> Rehearser:
        self.venue.clock.advance(seconds)
        return self

    def counts(self) -> Tally:
        """What the vote in the room came to, which is closed now."""
        self.does("close")
        counts = self.rounds[-1].counts
        assert counts is not None
        return Tally.from_dict(counts)

    def ends(self) -> None:
        assert self.posts(f"/f/{self.code}/rehearsal/end").status_code == 303


@pytest.fixture
def robin(venue: Venue) -> Rehearser:
    return Rehearser(venue).enters().begins()


# --- What the people of a preset answer ------------------------------------------------------------------------------

crowds = st.sampled_from(CROWDS)
chances = st.builds(Random, st.integers())


@given(crowds, chances)
def test_those_who_are_close_together_stand_on_neighbouring_points(number: int, chance: Random) -> None:
    tally = Tally.of(people.first_answers(Preset.CLOSE, number, chance))
    assert spread(tally.counts) is Spread.CLOSE
    assert tally.ballots == number


@given(crowds, chances)
def test_two_camps_are_far_apart(number: int, chance: Random) -> None:
    tally = Tally.of(people.first_answers(Preset.CAMPS, number, chance))
    assert spread(tally.counts) is Spread.APART
    assert tally.low == tally.high == number / 2


@given(crowds, chances)
def test_where_many_do_not_know_it_is_a_reason_to_talk(number: int, chance: Random) -> None:
    tally = Tally.of(people.first_answers(Preset.UNSURE, number, chance))
    assert Reason.DONT_KNOW in reasons(tally)
    assert tally.n > 0


@given(st.sampled_from(Preset), crowds, chances)
def test_after_the_talk_nobody_goes_down(preset: Preset, number: int, chance: Random) -> None:
    for first in people.first_answers(preset, number, chance):
        later = people.later_answer(preset, first, chance)
        assert first == "DK" or first <= later <= "5"


@given(st.sampled_from(["1", "3", "5", "DK", "d1.3"]), chances)
def test_whatever_somebody_taps_before_the_last_tap_is_the_answer(answer: str, chance: Random) -> None:
    taps = people.taps(answer, chance)
    assert taps[-1].choice == answer
    assert 0 < taps[0].after <= taps[-1].after < EVERYBODY_ANSWERED
    assert all(tap.choice in "12345" and tap.choice != answer for tap in taps[:-1])


@given(st.integers(2, 12), chances)
def test_dots_lie_on_options_that_there_are(options: int, chance: Random) -> None:
    placed = [int(option) for option in people.dots_on(options, chance)[1:].split(".")]
    assert len(set(placed)) == len(placed) == min(3, options)
    assert set(placed) <= set(range(1, options + 1))


# --- In the program --------------------------------------------------------------------------------------------------


def test_twelve_people_come_in_one_after_another(robin: Rehearser) -> None:
    seen = []
    for _ in range(13):
        robin.waits(1)
        seen.append(robin.now.joined)
    assert seen == sorted(seen)
    assert len(set(seen)) > 4
    assert seen[-1] == 12
    assert robin.venue.house.rooms.connected(robin.workshop_id) == 12


@pytest.mark.parametrize(("preset", "picture"), [(Preset.CLOSE, Spread.CLOSE), (Preset.CAMPS, Spread.APART)])
def test_the_room_ends_at_the_picture_that_was_asked_for(robin: Rehearser, preset: Preset, picture: Spread) -> None:
    robin.steers("preset", preset)
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(EVERYBODY_ANSWERED)
    assert "12 of 12 have answered" in robin.sees()
    assert spread(robin.counts().counts) is picture


def test_people_think_before_they_answer_and_some_change_their_mind(robin: Rehearser) -> None:
    robin.steers("people", "24")
    robin.waits(EVERYBODY_IN).does("open")
    turnout = []
    for _ in range(20):
        robin.waits(2)
        turnout.append(robin.ballots)
    assert turnout[0] < 12 < turnout[5]
    assert turnout == sorted(turnout)
    box = robin.venue.house.box
    assert box.filed > 24  # somebody tapped twice


def test_of_three_people_no_result_is_shown(robin: Rehearser) -> None:
    robin.steers("preset", "few")
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(EVERYBODY_ANSWERED).does("close")
    assert robin.now.joined == 3
    assert "3 people have answered" in robin.sees()
    assert robin.rounds[-1].counts is None


def test_a_number_ends_the_preset_of_three(robin: Rehearser) -> None:
    robin.steers("preset", "few")
    robin.steers("people", "8")
    assert robin.waits(EVERYBODY_IN).now.joined == 8


def test_in_a_second_vote_phones_say_how_they_moved(robin: Rehearser) -> None:
    robin.steers("preset", "camps")
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(EVERYBODY_ANSWERED).does("close", "discuss", "revote")
    robin.waits(EVERYBODY_ANSWERED).does("close")
    assert robin.rounds[-1].shift == {"up": 6, "same": 6, "down": 0}
    assert "The group moved up" in robin.sees()


def test_they_vote_on_priorities_too(robin: Rehearser) -> None:
    robin.adds("finance-01")
    added = robin.posts(f"/f/{robin.code}/priorities", {"over": "questions", "key": [i.key for i in robin.now.agenda]})
    assert added.status_code == 303, text_of(added)
    robin.waits(EVERYBODY_IN).does("open", "next", "next", "next", "next")
    robin.waits(EVERYBODY_ANSWERED).does("close")
    assert robin.rounds[-1].ballots_cast == 12
    assert sum(robin.rounds[-1].counts.values()) > 12  # type: ignore[union-attr]


@pytest.mark.loud
def test_when_the_wifi_dies_console_and_screen_say_so_and_no_answer_is_lost(venue: Venue, robin: Rehearser) -> None:
    wall = Screen(venue).shows(robin)
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(5).steers("wifi")
    answered = robin.ballots
    assert venue.house.rooms.connected(robin.workshop_id) == 0
    assert "12 phones have dropped off" in robin.sees()
    assert "Many phones have lost the connection" in wall.sees()
    assert "Many phones have lost the connection" in text_of(venue.told_to(Audience.SCREEN)[-1].html)
    robin.waits(9)
    assert robin.ballots == answered  # nothing comes through
    robin.waits(5)
    assert venue.house.rooms.connected(robin.workshop_id) == 12
    assert "Many phones" not in wall.sees()
    robin.waits(EVERYBODY_ANSWERED)
    assert robin.counts().ballots == 12


def test_the_network_dies_by_itself_once_in_each_vote_of_that_preset(robin: Rehearser) -> None:
    robin.steers("preset", "wifi")
    robin.waits(EVERYBODY_IN).does("open")
    died = 0
    for _ in range(110):
        before = robin.venue.house.rooms.connected(robin.workshop_id)
        after = robin.waits(0.5).venue.house.rooms.connected(robin.workshop_id)
        died += before > 6 and after == 0
    assert died == 1
    assert robin.counts().ballots == 12


def test_one_who_drops_off_comes_back(robin: Rehearser) -> None:
    robin.waits(EVERYBODY_IN).steers("drop")
    rooms = robin.venue.house.rooms
    assert (rooms.connected(robin.workshop_id), rooms.dropped(robin.workshop_id)) == (11, 1)
    robin.waits(21)
    assert (rooms.connected(robin.workshop_id), rooms.dropped(robin.workshop_id)) == (12, 0)


def test_who_comes_in_the_middle_of_a_vote_answers_in_it(robin: Rehearser) -> None:
    robin.steers("preset", "camps")
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(4).steers("people", "24")
    robin.waits(EVERYBODY_ANSWERED + EVERYBODY_IN)
    tally = robin.counts()
    assert tally.ballots == 24
    assert tally.counts[2] == 0  # they think like the others


def test_who_goes_home_is_not_waited_for(robin: Rehearser) -> None:
    robin.steers("people", "24")
    robin.waits(EVERYBODY_IN).steers("people", "8")
    assert robin.now.joined == 8
    said = robin.sees()
    assert "dropped off" not in said
    robin.steers("stop")
    assert robin.now.joined == 0
    assert "Nobody simulated is here" in robin.sees()


def test_a_locked_door_keeps_them_out_until_it_opens(robin: Rehearser) -> None:
    robin.shows("door", "locked")
    assert robin.waits(EVERYBODY_IN).now.joined == 0
    robin.shows("door", "open")
    assert robin.waits(6).now.joined == 12


def test_the_facilitators_own_phone_votes_with_them(venue: Venue, robin: Rehearser) -> None:
    phone = Phone(venue).joins(robin.code)
    robin.waits(EVERYBODY_IN).does("open")
    phone.answers("NR")
    robin.waits(EVERYBODY_ANSWERED)
    assert robin.counts().ballots == 13


def test_after_a_restart_the_people_are_gone_and_can_be_let_in_again(venue: Venue, robin: Rehearser) -> None:
    robin.waits(EVERYBODY_IN).does("open")
    venue.restarts()
    assert venue.house.rooms.connected(robin.workshop_id) == 0
    assert "they leave when the program ends" in robin.sees()
    robin.steers("people", "8")
    robin.waits(EVERYBODY_IN + EVERYBODY_ANSWERED)
    assert robin.now.joined == 8
    assert robin.counts().ballots == 8


def test_people_stop_when_the_session_ends(venue: Venue, robin: Rehearser) -> None:
    robin.waits(EVERYBODY_IN).does("open", "finish")
    robin.waits(1)
    assert venue.app.extensions["crowds"][robin.workshop_id] is None
    assert robin.now.joined == 12


def test_only_a_rehearsal_has_simulated_people(venue: Venue, freya: Facilitator) -> None:
    for path in ("rehearsal", "rehearsal/end"):
        assert freya.posts(f"/f/{freya.code}/{path}", {"want": "people", "value": "8"}).status_code == 404
    assert "Simulated people" not in freya.sees()


@pytest.mark.parametrize(("want", "value"), [("people", "9"), ("preset", "angry"), ("", ""), ("people", "")])
def test_what_people_cannot_do_is_refused_in_words(robin: Rehearser, want: str, value: str) -> None:
    answer = robin.posts(f"/f/{robin.code}/rehearsal", {"want": want, "value": value})
    assert answer.status_code == 422
    assert "That is not something simulated people can do." in text_of(answer)


# --- A rehearsal of one's own session --------------------------------------------------------------------------------


def test_a_session_is_rehearsed_on_a_copy_of_its_agenda_and_settings(venue: Venue, freya: Facilitator) -> None:
    freya.sets(mode="reveal", k="4", wifi_name="Mill")
    freya.adds_own("How well do we wind the clock?")
    freya.changes(1, "prompt", "Ask the miller.")
    before, rows = freya.now, venue.workshop(freya.code).agenda
    copy = Rehearser(venue).takes_cookies_of(freya).begins(f"/f/{freya.code}/rehearse")
    made = copy.now
    for name in ("museum", "title", "held_on", "k", "mode", "wifi_name", "framework", "edition"):
        assert getattr(made, name) == getattr(before, name), name
    assert [(i.key, i.text, i.prompt) for i in made.agenda] == [(i.key, i.text, i.prompt) for i in rows]
    copy.waits(EVERYBODY_IN).does("open", "finish")
    copy.ends()
    after = freya.now
    assert (after.stage, after.joined, after.version, len(after.agenda)) == ("lobby", 0, before.version, 4)


def test_a_session_without_questions_has_nothing_to_rehearse(venue: Venue) -> None:
    empty = Facilitator(venue).enters().creates()
    answer = empty.posts(f"/f/{empty.code}/rehearse")
    assert answer.status_code == 422
    assert "Choose the questions first" in text_of(answer)
    assert "Rehearse this session" not in text_of(empty.gets(f"/f/{empty.code}/setup"))


def test_its_people_come_to_the_worker_to_which_its_code_leads(venue: Venue) -> None:
    console = Venue(venue.url, venue.folder, quiet=True)  # another worker: nobody knew the code before it was made
    robin, form = Facilitator(venue).enters(), {"want": "preset", "value": "camps"}
    led_to = robin.posts("/rehearsals", form).headers["Location"]
    robin.client.application = console.app
    assert robin.posts(led_to, form).status_code == 303
    code = led_to.split("/")[2]
    id = venue.workshop(code).id
    for place in (venue, console):
        place.clock.advance(EVERYBODY_IN)
    assert (venue.house.rooms.connected(id), console.house.rooms.connected(id)) == (0, 12)
    assert console.workshop(code).joined == 12
    assert "Nobody simulated is here" not in text_of(robin.gets(f"/f/{code}"))
    console.closes()


# --- Apart from what is real -----------------------------------------------------------------------------------------


@pytest.fixture
def over(robin: Rehearser) -> Rehearser:
    """A rehearsal that has a result, an action and an end, of a museum that has a real session too."""
    venue = robin.venue
    real = Facilitator(venue).takes_cookies_of(robin).creates(*QUESTIONS)
    assert museum.same(real.now, robin.now)
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(EVERYBODY_ANSWERED).does("close", "discuss")
    robin.posts(f"/f/{robin.code}/actions", {"action": "Invent a better past"})
    robin.does("finish")
    return robin


def test_no_document_is_made_of_a_rehearsal(over: Rehearser) -> None:
    for name in FORMATS:
        for place in ("f", "sessions"):
            answer = over.gets(f"/{place}/{over.code}/files/{name}")
            assert answer.status_code == 422, name
            assert "no document is made of it" in text_of(answer)
            assert "Content-Disposition" not in answer.headers


def test_nothing_of_a_rehearsal_is_printed_for_the_room(robin: Rehearser) -> None:
    for name in PRINTABLES:
        answer = robin.gets(f"/f/{robin.code}/print/{name}.pdf")
        assert answer.status_code == 422, name
        assert "would hang there on the day" in text_of(answer)


def test_no_list_and_no_museum_has_a_rehearsal(venue: Venue, over: Rehearser) -> None:
    with venue.reading() as session:
        (real,) = store.all_workshops(session)
    museums = text_of(over.gets(f"/museums/{real.code}"))
    assert "1 session," in museums
    assert "Invent a better past" not in museums
    for path in ("", "/check-in", "/actions.csv", "/actions.ics"):
        assert over.gets(f"/museums/{over.code}{path}").status_code == 404
    home = over.gets("/home").text
    assert f'id="museum-{real.code}"' in home
    assert f'id="museum-{over.code}"' not in home
    assert f'id="next-{over.code}"' not in home
    assert over.code not in home.partition("Sessions so far")[2].partition("</section>")[0]


def test_no_session_continues_a_rehearsal_or_is_compared_with_it(venue: Venue, over: Rehearser) -> None:
    answer = over.posts(f"/sessions/{over.code}/next", {"title": "Next", "held_on": "2027-11-21"})
    assert answer.status_code == 422
    assert "no session can continue it" in text_of(answer)
    with venue.reading() as session:
        assert not [one for one in session.scalars(select(Workshop)) if one.continues]


def test_a_rehearsal_does_not_look_back_on_anything_real(venue: Venue) -> None:
    first = Facilitator(venue).enters().creates(*QUESTIONS).does("open")
    first.posts(f"/f/{first.code}/actions", {"action": "A real one"})
    first.does("finish")
    led_to = first.posts(f"/sessions/{first.code}/next", {"title": "Next", "held_on": "2027-11-21"})
    following = led_to.headers["Location"].split("/")[2]
    copy = Rehearser(venue).takes_cookies_of(first).begins(f"/f/{following}/rehearse")
    assert (copy.now.continues, copy.now.carried) == (None, None)
    assert "A real one" not in copy.sees()


def test_the_report_of_a_rehearsal_is_read_and_offers_no_file(over: Rehearser) -> None:
    page = over.gets(f"/f/{over.code}/report").text
    assert RIBBON in page
    assert "Invent a better past" in page
    assert "/files/" not in page
    assert "/files/" not in over.gets(f"/f/{over.code}").text


def test_the_end_of_a_rehearsal_promises_no_download_and_says_what_to_do_next(robin: Rehearser) -> None:
    robin.waits(EVERYBODY_IN).does("open")
    asked = text_of(robin.gets(f"/f/{robin.code}/end"))
    assert "End the rehearsal?" in asked
    assert "download" not in asked
    robin.does("finish")
    page = robin.gets(f"/f/{robin.code}").text
    said = text_of(page)
    assert "12 people took part, and 1 of 3 questions were asked." in said
    assert "End the rehearsal and delete it" not in said
    assert "Delete this rehearsal" in said
    assert 'href="/home#museum"' in page
    assert "Simulated people" not in said


def test_a_rehearsal_that_is_over_is_rehearsed_again_with_another_room(venue: Venue, over: Rehearser) -> None:
    keys = [item.key for item in over.now.agenda]
    again = Rehearser(venue).takes_cookies_of(over).begins(f"/f/{over.code}/rehearse", "few")
    assert (again.now.kind, again.now.stage) == (Kind.REHEARSAL, "lobby")
    assert [item.key for item in again.now.agenda] == keys
    assert again.waits(EVERYBODY_IN).now.joined == 3


def test_a_rehearsal_that_is_rehearsed_again_makes_way(venue: Venue, robin: Rehearser) -> None:
    before = everything(venue)
    robin.does("open", "finish")
    Rehearser(venue).takes_cookies_of(robin).begins(f"/f/{robin.code}/rehearse")
    assert robin.gets(f"/f/{robin.code}").status_code == 404
    after = everything(venue)
    assert (after["workshops"], after["agenda"]) == (before["workshops"], before["agenda"])


# --- What a phone says of it -----------------------------------------------------------------------------------------


def test_no_phone_in_a_rehearsal_says_that_it_is_anonymous(venue: Venue, robin: Rehearser) -> None:
    phone = Phone(venue).joins(robin.code)
    pages = [phone.reloads()]
    robin.waits(EVERYBODY_IN).does("open")
    pages += [phone.reloads(), phone.sees()]
    for page in pages:
        words = page.replace(RIBBON, "")
        assert "nonymous" not in words
        assert "only a rehearsal" in words
    assert "You are in a rehearsal" in text_of(phone.gets(f"/promise?r={robin.code}"))


def test_a_phone_in_a_session_is_told_that_it_is_anonymous(venue: Venue, freya: Facilitator) -> None:
    phone = Phone(venue).joins(freya.code)
    assert "Your answers are anonymous" in phone.reloads()
    freya.does("open")
    assert "Tap your answer. It’s anonymous." in phone.reloads()
    assert "rehearsal" not in phone.reloads() + text_of(phone.gets(f"/promise?r={freya.code}"))


# --- The end of it ---------------------------------------------------------------------------------------------------


def everything(venue: Venue) -> dict[str, int]:
    """How many rows each table has; a used join code and a used edition stay."""
    with venue.reading() as session:
        tables = [
            table for table in store.Base.metadata.sorted_tables if table.name not in ("issued_codes", "frameworks")
        ]
        return {table.name: len(session.execute(table.select()).all()) for table in tables}


def test_a_deleted_rehearsal_leaves_nothing(venue: Venue, freya: Facilitator) -> None:
    before = everything(venue)
    robin = Rehearser(venue).takes_cookies_of(freya).begins()
    robin.waits(EVERYBODY_IN).does("open")
    robin.posts(f"/f/{robin.code}/notes/{robin.agenda(1)}", {"text": "Nobody said Quixotry", "version": "0"})
    robin.waits(6)
    key, id = robin.key(), robin.workshop_id
    assert key is not None
    assert robin.ballots
    robin.ends()
    assert everything(venue) == before
    assert id not in venue.house.rooms.known()
    files = b"".join(path.read_bytes() for path in venue.folder.rglob("*") if path.is_file())
    assert b"Quixotry" not in files
    assert key not in files
    robin.waits(30)  # nobody lives on
    assert everything(venue) == before
    assert id not in venue.house.rooms.known()
    assert robin.gets(f"/f/{robin.code}").status_code == 404


def test_it_can_be_deleted_from_the_list_by_whoever_holds_the_program_alone(venue: Venue, robin: Rehearser) -> None:
    home = Person(venue)
    home.client.set_cookie("home", robin.cookies()["home"])
    assert f'id="end-{robin.code}"' in home.gets("/home").text
    assert home.posts(f"/f/{robin.code}/rehearsal/end").status_code == 303
    assert everything(venue)["workshops"] == 0


def test_a_rehearsal_older_than_a_day_is_deleted_when_the_program_starts(venue: Venue, robin: Rehearser) -> None:
    real = Facilitator(venue).takes_cookies_of(robin).creates(*QUESTIONS)
    fresh = Rehearser(venue).takes_cookies_of(robin).begins()
    long_ago = dt.datetime.now(dt.UTC).replace(tzinfo=None) - rehearsal.KEPT_FOR - dt.timedelta(minutes=1)
    old = (robin.workshop_id, real.workshop_id)
    venue.performs(lambda s: s.execute(update(Workshop).where(Workshop.id.in_(old)).values(created_at=long_ago)))
    venue.restarts()
    assert robin.gets(f"/f/{robin.code}").status_code == 404
    assert fresh.gets(f"/f/{fresh.code}").status_code == 200
    assert real.gets(f"/f/{real.code}").status_code == 200


# --- The ribbon ------------------------------------------------------------------------------------------------------


def through_all_stages(robin: Rehearser) -> Iterator[str]:
    """Every stage there is, in both modes, and what lies over them."""
    yield robin.stage
    robin.waits(EVERYBODY_IN).does("open")
    robin.waits(EVERYBODY_ANSWERED)
    yield robin.stage
    for overlay in ("blank", "code", "profile", "three", "plan", "plan"):
        robin.shows("overlay", overlay)
        yield robin.stage
    for move in ("close", "discuss", "revote"):
        robin.does(move)
        yield robin.stage
    robin.does("close", "discuss")
    robin.changes(2, "mode", "reveal")
    robin.does("next")
    robin.waits(EVERYBODY_ANSWERED)
    for move in ("close", "reveal", "finish"):
        robin.does(move)
        yield robin.stage


@pytest.mark.loud
def test_the_ribbon_is_on_every_page_and_push_in_every_stage(venue: Venue, robin: Rehearser) -> None:
    wall, phone = Screen(venue).shows(robin), Phone(venue).joins(robin.code)
    seen = set()
    for stage in through_all_stages(robin):
        seen.add(stage)
        for audience in Audience:
            assert RIBBON in venue.told_to(audience)[-1].html if venue.told_to(audience) else stage == "lobby"
        for person, path in ((robin, "f"), (wall, "s"), (phone, "w")):
            for page in (f"/{path}/{robin.code}", f"/{path}/{robin.code}/now"):
                assert person.gets(page).text.count(RIBBON) == 1, (stage, page)
    assert seen == set(Stage)


def test_the_ribbon_is_on_every_page_about_one_session(venue: Venue, robin: Rehearser) -> None:
    robin.sets(roles="on")
    phone = Phone(venue).joins(robin.code)
    assert RIBBON in phone.gets(f"/w/{robin.code}").text  # which asks for the role
    assert RIBBON in phone.gets(f"/promise?r={robin.code}").text
    rules = {
        rule.rule.replace("<code>", robin.code)
        for rule in venue.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments == {"code"} and re.match("/(f|sessions)/", rule.rule)
    }
    assert f"/f/{robin.code}/report" in rules
    no_pages = {f"/f/{robin.code}/screen", f"/sessions/{robin.code}/next", f"/f/{robin.code}/check/seen"}
    for path in sorted(rules - no_pages):
        page = robin.gets(path)
        assert page.status_code == 200, path
        assert RIBBON in page.text, path


def test_nothing_real_bears_the_ribbon(venue: Venue, freya: Facilitator) -> None:
    phone, wall = Phone(venue).joins(freya.code), Screen(venue).shows(freya)
    for person, path in ((freya, "f"), (wall, "s"), (phone, "w")):
        assert "ribbon" not in person.gets(f"/{path}/{freya.code}").text


# --- The example -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(venue: Venue) -> Rehearser:
    """The finished example, opened from the first page."""
    return Rehearser(venue).enters().begins("/example")


def test_the_example_is_finished_always_the_same_and_made_once(venue: Venue, shown: Rehearser) -> None:
    assert shown.now.stage == "finished"
    assert shown.now.kind == Kind.EXAMPLE
    counted = [round_.counts for round_ in shown.rounds]
    assert [Tally.from_dict(counts).ballots for counts in counted if counts] == [12] * 7
    again = example.make(venue.app, venue.house.framework, A_DAY)
    other = Rehearser(venue).takes_cookies_of(shown)
    other.code, other.workshop_id = again, venue.workshop(again).id
    assert [round_.counts for round_ in other.rounds] == counted
    assert Rehearser(venue).takes_cookies_of(shown).begins("/example").code == again


def test_what_the_group_writes_in_the_example_fits_its_answers() -> None:
    for talked in example.TALK:
        first, later = example.opinions(talked)
        last = Tally.of(later if talked.again else first)
        most = 1 + last.counts.index(max(last.counts))
        assert abs(most - talked.rating) <= 1 or talked.preset is Preset.CAMPS, talked.key


def test_the_example_shows_what_one_takes_home(shown: Rehearser) -> None:
    page = text_of(shown.gets(f"/f/{shown.code}/report"))
    assert "Example: nobody met, all of it is made up" in page
    for words in (
        "Three things to talk about",
        "What the group agrees on",
        "Treasurer",
        "The group moved up",
        "Parked",
    ):
        assert words in page, words


def test_nothing_in_the_example_can_be_changed(venue: Venue, shown: Rehearser) -> None:
    before = everything(venue)
    agenda_id, f = shown.agenda(1), f"/f/{shown.code}"
    for path, form in (
        (f"{f}/notes/{agenda_id}", {"text": "Mine", "version": "1"}),
        (f"{f}/agreements/{agenda_id}", {"rating": "1", "version": "1"}),
        (f"{f}/actions", {"action": "Mine"}),
        (f"{f}/actions/1", {"want": "remove"}),
        (f"{f}/parked", {"item": "Mine"}),
        (f"{f}/show", {"want": "overlay", "value": "blank"}),
        (f"{f}/setup", {"title": "Mine", "museum": "Mine", "held_on": "2026-11-21", "k": "5", "mode": "live"}),
        (f"{f}/move", {"move": "open", "version": str(shown.now.version)}),
        (f"{f}/rehearse", {}),
    ):
        answer = shown.posts(path, form)
        assert answer.status_code == 422, path
        assert "This is an example to look at." in text_of(answer), path
    assert everything(venue) == before
    assert shown.posts(f"{f}/rehearsal/end").status_code == 404


def test_documents_of_the_example_are_for_people_and_say_on_each_page_that_it_is_one(shown: Rehearser) -> None:
    made_up, offered = "Example: nobody met, all of it is made up", []
    for name, known in FORMATS.items():
        answer = shown.gets(f"/f/{shown.code}/files/{name}")
        if not known.of_example:
            assert answer.status_code == 422, name
            assert "another program would take it for a real session" in text_of(answer)
            continue
        offered.append(name)
        assert 'filename="example-wexcombe-mill-museum-' in answer.headers["Content-Disposition"], name
        if name.endswith(".pdf"):
            document = pypdf.PdfReader(io.BytesIO(answer.data))
            assert (document.metadata or {})["/Title"].startswith("Example: ")
            for page in document.pages:
                words = page.extract_text()
                assert made_up in " ".join(words.split())
                assert "Example" in words.replace(made_up, "").split()  # across the page
        else:
            word = docx.Document(io.BytesIO(answer.data))
            assert word.core_properties.title.startswith("Example: ")
            assert word.paragraphs[0].text.startswith("Example: ")
            assert made_up in word.sections[0].footer.paragraphs[0].text
    assert offered == ["action-plan.docx", "report.docx", "report.pdf", "wall-chart.pdf"]
    for page in (f"/f/{shown.code}", f"/f/{shown.code}/report"):
        assert [name for name in FORMATS if f"/files/{name}" in shown.gets(page).text] == offered
        assert 'href="/home"' in shown.gets(page).text


def test_the_example_took_about_as_long_as_was_planned(shown: Rehearser) -> None:
    said = text_of(shown.gets(f"/f/{shown.code}"))
    assert "On time" in said
    assert not re.search(r"\b0 min, 10 planned", said)
    assert "14 min, 10 planned" in said  # where the room voted twice


def test_the_first_page_offers_three_ways_to_begin(venue: Venue) -> None:
    home = Facilitator(venue).enters().gets("/home").text
    for heading in ("Rehearse now (5 minutes)", "Set up my session", "See a finished example"):
        assert f"<h3>{heading}</h3>" in home
