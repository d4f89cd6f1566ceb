"""The next time: last time's actions, each result beside last time's, a museum's open actions, and editions."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import docx
import pypdf
import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from facilitation import deciding, editions, hallmarks, packs, report, store
from facilitation.exports import calendar_ics, plan_docx, report_docx, report_pdf, said, workbook_xlsx
from facilitation.now import Audience
from facilitation.packs import editing
from facilitation.report import Report
from facilitation.store import ActionRow, FrameworkRow, Workshop
from tests.cast import QUESTIONS, Facilitator, Person, Phone, Screen, Venue, counts_in, fragment_of, text_of, vote

pytestmark = [pytest.mark.program, pytest.mark.quiet]

ACTIONS = (
    "Invite the school",
    "Mend the roof",
    "Write the policy",
    "Count visitors",
    "Find a treasurer",
    "Paint the hall",
)
LOW, HIGH = "11122233", "44455555"
NO_CHANGE = "No clear change (8 people then; a group this size can miss a real one)"


def ended(freya: Facilitator, first: str = LOW, *, release: bool = True) -> Facilitator:
    """Freya's session with one question voted on, six actions, the first and the second with a date; then the end."""
    phones = freya.venue.phones(len(first), freya.code)
    freya.does("open")
    vote(phones, *first)
    if not release:
        freya.does("next")
    else:
        freya.does(*(("close", "reveal", "discuss") if freya.now.mode == "reveal" else ("close", "discuss")))

    workshop_id, agenda_id = freya.workshop_id, freya.agenda(1)

    def job(session: Session) -> None:
        for text in ACTIONS:
            deciding.add_action(session, workshop_id, text, agenda_id)
            session.flush()
        for number, due in ((1, "2026-12-24"), (2, "2026-01-31")):
            deciding.change_action(session, workshop_id, number, {"due": due, "owner": "Chair"}, 1)

    freya.venue.performs(job)
    return freya.does("finish")


def continues(freya: Facilitator, held_on: str = "2027-11-20", title: str = "The next year") -> Facilitator:
    """The session that continues the one Freya has just ended, with her at its console."""
    response = freya.posts(f"/sessions/{freya.code}/next", {"title": title, "held_on": held_on})
    assert response.status_code == 303, text_of(response)
    freya.code = response.headers["Location"].split("/")[2]
    freya.workshop_id = freya.now.id
    return freya


def votes(freya: Facilitator, choices: str = HIGH, *, then: tuple[str, ...] = ("close",)) -> list[Phone]:
    """The first question of the present session is opened and voted on."""
    phones = freya.venue.phones(len(choices), freya.code)
    freya.does("open")
    vote(phones, *choices)
    freya.does(*then)
    return phones


def action(venue: Venue, number: int) -> ActionRow:
    """The action with this number of the first session there was."""
    with venue.reading() as session:
        row = session.get_one(ActionRow, number)
        session.expunge(row)
        return row


def progress(freya: Person, code: str, row: int, **typed: str) -> str:
    """Say how far an action has come, as the page's script does; returns what it is answered."""
    answer = freya.client.post(
        f"/museums/{code}/actions/{row}",
        data={"version": "2", **typed},
        headers={"Origin": "http://localhost", "Accept": "application/json"},
    )
    return answer.text


def reported(freya: Facilitator) -> Report:
    """The report of the present session."""
    with freya.venue.reading() as session:
        return report.make(session, session.get_one(Workshop, freya.workshop_id), freya.venue.house.framework)


# --- A session that continues another


def test_the_next_session_keeps_agenda_settings_and_edition_and_has_a_code_of_its_own(freya: Facilitator) -> None:
    freya.sets(k=3, mode="reveal", wifi_name="Mill", wifi_password="by the river")
    freya.changes(2, "prompt", "What do we hear?")
    freya.changes(3, "mode", "live")
    first = ended(freya).now
    later = continues(freya).now
    assert (later.museum, later.title, later.held_on) == (first.museum, "The next year", dt.date(2027, 11, 20))
    assert (later.k, later.mode, later.wifi_name) == (3, "reveal", "Mill")
    assert (later.framework, later.edition) == (first.framework, first.edition)
    assert later.code != first.code
    assert [(item.key, item.text, item.prompt, item.mode) for item in later.agenda] == [
        (item.key, item.text, item.prompt, item.mode) for item in first.agenda
    ]
    assert later.agenda[1].prompt["en"] == "What do we hear?"
    assert {item.id for item in later.agenda}.isdisjoint(item.id for item in first.agenda)
    assert (later.stage, later.joined, later.round_id) == ("lobby", 0, None)


def test_a_session_that_has_not_ended_cannot_be_continued(freya: Facilitator) -> None:
    response = freya.posts(f"/sessions/{freya.code}/next", {"title": "Too soon", "held_on": "2027-11-20"})
    assert response.status_code == 422
    assert "End that session first" in text_of(response)
    assert 'value="Too soon"' in response.text


def test_a_next_session_without_a_title_is_refused_and_keeps_what_was_typed(freya: Facilitator) -> None:
    ended(freya)
    response = freya.posts(f"/sessions/{freya.code}/next", {"title": " ", "held_on": "2027-11-20"})
    assert response.status_code == 422
    assert "Enter a title." in text_of(response)
    assert 'value="2027-11-20"' in response.text


def test_it_opens_on_last_times_actions_and_their_status_is_updated_where_they_stand(
    venue: Venue, freya: Facilitator
) -> None:
    ended(freya)
    continues(freya)
    assert all(text in freya.sees() for text in ACTIONS)
    assert "What we said we would do Looking back on Trustees’ away day, 21 November 2026" in freya.sees()
    before = action(venue, 1)
    assert '"status":"done"' in progress(freya, freya.code, 1, status="done", status_reason="It came in May")
    after = action(venue, 1)
    assert (after.status, after.status_reason, after.uid) == ("done", "It came in May", before.uid)
    assert (after.action, after.workshop_id) == (before.action, before.workshop_id)
    assert freya.sees().count("Invite the school") == freya.sees().count("Mend the roof")


def test_what_was_done_comes_first_on_the_wall_and_a_dropped_action_says_why(freya: Facilitator) -> None:
    wall = Screen(freya.venue).shows(continues(ended(freya)))
    assert "Say why the action is dropped" in progress(freya, freya.code, 2, status="dropped")
    progress(freya, freya.code, 2, status="dropped", status_reason="The roof is new")
    progress(freya, freya.code, 6, status="done", version="1")
    freya.shows("overlay", "since")
    said_there = wall.sees()
    order = [said_there.index(text) for text in ("Paint the hall", "Invite the school", "Mend the roof")]
    assert order == sorted(order)
    assert "Dropped The roof is new" in said_there
    assert "1 of 6 done." in said_there


@pytest.mark.loud
def test_an_update_on_the_console_reaches_the_wall_by_push(venue: Venue, freya: Facilitator) -> None:
    wall = Screen(venue).shows(continues(ended(freya)))
    freya.shows("overlay", "since")
    progress(freya, freya.code, 1, status="done")
    assert "1 of 6 done." in text_of(venue.told_to(Audience.SCREEN)[-1].html)
    votes(freya)
    freya.shows("overlay", "compare")
    assert venue.told_to(Audience.SCREEN)[-1].html == fragment_of(wall)
    assert venue.told_to(Audience.FACILITATOR)[-1].html == fragment_of(freya)


def test_two_notes_on_one_action_are_both_kept(venue: Venue, freya: Facilitator) -> None:
    continues(ended(freya))
    progress(freya, freya.code, 1, status="under way", status_reason="The head said yes")
    answer = progress(freya, freya.code, 1, status="under way", status_reason="A date is set")
    assert '"joined":true' in answer
    assert action(venue, 1).status_reason == "The head said yes / A date is set"


def test_nothing_but_progress_can_be_changed_there(venue: Venue, freya: Facilitator) -> None:
    continues(ended(freya))
    progress(freya, freya.code, 1, action="Nothing", measure="Nothing", due="2028-01-01", status="done")
    row = action(venue, 1)
    assert (row.action, row.measure, row.due, row.status) == ("Invite the school", "", dt.date(2028, 1, 1), "done")


def test_without_a_script_the_form_leads_back_to_where_it_stood(freya: Facilitator) -> None:
    continues(ended(freya))
    form = {"status": "done", "version": "2"}
    to_console = freya.posts(f"/museums/{freya.code}/actions/1", {**form, "from": "console"})
    assert to_console.headers["Location"] == f"/f/{freya.code}"
    to_check_in = freya.posts(f"/museums/{freya.code}/actions/1", form)
    assert to_check_in.headers["Location"] == f"/museums/{freya.code}/check-in"


def test_an_action_that_stays_open_is_looked_back_on_again_and_one_that_was_done_is_not(freya: Facilitator) -> None:
    continues(ended(freya))
    progress(freya, freya.code, 1, status="done")
    freya.posts(f"/f/{freya.code}/actions", {"action": "Write to the mayor"})
    freya.does("finish")
    continues(freya, "2028-11-20")
    there = freya.sees()
    assert "Invite the school" not in there
    assert "Mend the roof" in there
    assert "Write to the mayor" in there


def test_deleting_a_session_says_beforehand_that_a_later_one_looks_back_on_it(freya: Facilitator) -> None:
    first = ended(freya).code
    assert "looks back" not in freya.gets(f"/sessions/{first}/delete").text
    continues(freya, title="A year later")
    freya.does("finish")
    continues(freya, "2028-11-20", title="Two years later")
    asked = freya.gets(f"/sessions/{first}/delete")
    there = text_of(asked)
    assert (
        "“A year later” of 20 November 2027 looks back on this session: its look-back, progress and comparison go too."
        in there
    )
    assert "“Two years later” of 20 November 2028 looks back on actions of this session" in there
    file = re.search(r'id="session-file" href="([^"]+)"', asked.text)
    assert file
    assert freya.gets(file[1]).headers["Content-Disposition"].endswith('session.json"')


def test_deleting_the_earlier_session_takes_its_actions_and_counts_with_it(freya: Facilitator) -> None:
    first = ended(freya).code
    continues(freya)
    freya.posts(f"/sessions/{first}/delete")
    votes(freya)
    assert "Mend the roof" not in freya.sees()
    assert "Last time" not in freya.sees()
    assert reported(freya).earlier is None
    assert "removed" in progress(freya, freya.code, 1, status="done")


# --- Beside last time


@pytest.mark.parametrize(
    ("now", "phrase"),
    [(HIGH, "Clearly higher (8 people then)"), (LOW, NO_CHANGE)],
)
def test_a_result_stands_beside_last_times_with_how_many_and_one_phrase(
    freya: Facilitator, now: str, phrase: str
) -> None:
    wall = Screen(freya.venue).shows(continues(ended(freya)))
    votes(freya, now)
    freya.shows("overlay", "compare")
    there = wall.sees()
    assert phrase in there
    assert "21 November 2026" in there
    assert "20 November 2027" in there
    assert there.count("8 answered") == 2
    both = counts_in(wall.gets(f"/s/{freya.code}/now").text)
    assert both == [LOW.count(n) for n in "12345"] + [0, 0] + [now.count(n) for n in "12345"] + [0, 0]
    assert phrase in freya.sees()


def test_both_charts_have_squares_of_one_size_and_bars_where_squares_would_be_too_small(freya: Facilitator) -> None:
    wall = Screen(freya.venue).shows(continues(ended(freya)))
    votes(freya, "5" * 12 + "1111")
    freya.shows("overlay", "compare")
    page = wall.gets(f"/s/{freya.code}/now").text
    assert re.findall(r'data-most="(\d+)"', page) == ["12", "12"]
    freya.does("discuss", "finish")
    continues(freya, "2028-11-20")
    votes(freya, "5" * 25)
    freya.shows("overlay", "compare")
    page = wall.shows(freya).gets(f"/s/{freya.code}/now").text
    assert re.findall(r'data-most="(\d+)"', page) == ["0", "0"]
    assert re.findall(r'tally__bar.*?<rect width="([\d.]+)"', page)[4] == "48.0", "12 of the 25 that fill the width"


def test_it_is_the_first_votes_that_are_compared(freya: Facilitator) -> None:
    continues(ended(freya))
    phones = votes(freya, LOW, then=("close", "revote"))
    vote(phones, *HIGH)
    freya.does("close")
    assert NO_CHANGE in freya.sees()


@pytest.mark.parametrize("mode", ["live", "reveal"])
def test_nothing_of_last_time_is_known_to_the_room_before_its_own_result_is(freya: Facilitator, mode: str) -> None:
    continues(ended(freya))
    freya.sets(mode=mode)
    wall, ana = Screen(freya.venue).shows(freya), Phone(freya.venue).joins(freya.code)
    freya.does("open")
    for over in ("compare", "compare"):
        for person in (freya, wall, ana):
            assert NO_CHANGE.partition(" (")[0] not in text_of(fragment_of(person))
            assert counts_in(fragment_of(person)) == []
        freya.shows("overlay", over)
    vote([ana, *freya.venue.phones(7, freya.code)], *HIGH)
    freya.does("close")
    if mode == "reveal":
        freya.shows("overlay", "compare")
        assert counts_in(fragment_of(wall)) == []
        assert "Last time and now" not in freya.sees()
        freya.does("reveal")
    freya.shows("overlay", "compare")
    assert "Clearly higher" in wall.sees()
    assert "Clearly higher" not in ana.sees()
    assert counts_in(fragment_of(ana)) == [HIGH.count(n) for n in "12345"] + [0, 0]


@pytest.mark.parametrize(("first", "released", "now"), [("1234", True, HIGH), (LOW, False, HIGH), (LOW, True, "4455")])
def test_what_was_not_shown_on_either_day_is_compared_with_nothing(
    freya: Facilitator, first: str, released: bool, now: str
) -> None:
    continues(ended(freya, first, release=released))
    votes(freya, now, then=("close", "discuss"))
    freya.shows("overlay", "compare")
    wall = Screen(freya.venue).shows(freya)
    assert "Nothing to compare" in wall.sees()
    assert "Last time and now" not in freya.sees()
    assert all(answer.last is None for answer in reported(freya).answers)


@pytest.mark.parametrize("change", ["text", "labels"])
def test_other_words_are_said_to_be_not_comparable_and_both_charts_stand(freya: Facilitator, change: str) -> None:
    continues(ended(freya))
    with freya.venue.reading() as session:
        item = session.get_one(Workshop, freya.workshop_id).agenda[0]
        if change == "text":
            item.text = {"en": "To what extent do we know why we are here?"}
        else:
            item.labels = [{"en": word} for word in ("None", "Some", "Half", "Most", "All")]
        session.commit()
    votes(freya)
    there = freya.sees()
    assert "Not comparable: the question or its answers were worded differently" in there
    assert "Clearly" not in there
    last = reported(freya).answers[0].last
    assert last
    assert last.then.counts.counts == (3, 3, 2, 0, 0)
    assert ("Last time it was asked" in there) == (change == "text")


def test_too_few_on_the_scale_get_charts_and_no_phrase(freya: Facilitator) -> None:
    freya.sets(k=3)
    continues(ended(freya, "123"))
    votes(freya, "555")
    assert "So few answered that only the charts can speak." in freya.sees()
    assert "Clearly" not in freya.sees()


def test_who_was_in_the_room_is_said_only_as_far_as_it_was_released(freya: Facilitator) -> None:
    freya.sets(roles="on")
    phones = freya.venue.phones(10, freya.code)
    freya.does("open")
    for phone, role in zip(phones, ["trustee"] * 5 + ["staff"] * 5, strict=True):
        phone.posts(f"/w/{freya.code}/role", {"role": role})
        phone.answers("3")
    freya.does("close", "finish")
    continues(freya)
    votes(freya, "33333444")
    there = freya.sees()
    assert "10 answered: trustees 5, staff 5" in there
    assert "8 answered No clear change" in there, "this year nobody gave a role"


# --- In the documents


def test_every_document_says_what_was_done_and_sets_the_result_beside_last_times(freya: Facilitator) -> None:
    continues(ended(freya))
    progress(freya, freya.code, 1, status="done", status_reason="It came in May")
    votes(freya)
    made = reported(freya)
    assert said.facts(made)[3] == ("Last time’s actions", "1 of 6 done")
    assert said.earlier_rows(made)[0] == (
        "A1",
        "Invite the school",
        "Chair",
        "24 December 2026",
        "Done: It came in May",
    )
    assert dict(said.findings(made.answers[0]))["Against last time"] == (
        "Clearly higher (8 people then). 8 answered on 21 November 2026, 8 answered now."
    )
    assert said.columns(made.answers[0])[-1][0] == "On 21 November 2026"
    assert any("fifty compared questions" in part for part in said.method(made))
    page = text_of(freya.gets(f"/f/{freya.code}/report"))
    assert page.index("What we said we would do") < page.index("It came in May") < page.index("Last time and now")
    assert "Clearly higher (8 people then)" in page
    for write in (plan_docx.write, report_docx.write):
        tables = [cell.text for table in docx.Document(io.BytesIO(write(made))).tables for cell in table._cells]
        assert "Done: It came in May" in tables
    assert "On 21 November 2026" in tables
    pages = pypdf.PdfReader(io.BytesIO(report_pdf.write(made))).pages
    pdf = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert pdf.index("Done: It came in May") < pdf.index("Clearly higher (8 people then)") < pdf.index("fifty compared")
    results = load_workbook(io.BytesIO(workbook_xlsx.write(made)))["Results"]
    compared = [cell.value for cell in results[1]].index("Compared with last time")
    assert results[2][compared].value == "Clearly higher (8 people then)"


def test_a_dot_vote_belongs_to_its_day_and_is_neither_carried_nor_compared(freya: Facilitator) -> None:
    keys = [*QUESTIONS, "own"]
    freya.adds_own("How well do we sleep?", "quality")
    keys[-1] = freya.now.agenda[-1].key
    assert freya.posts(f"/f/{freya.code}/priorities", {"over": "questions", "key": keys}).status_code == 303
    assert len(freya.now.agenda) == 5
    first = ended(freya).code
    asked = text_of(freya.gets(f"/sessions/{first}/next"))
    assert "keeps the agenda of 4 questions" in asked
    assert ", 4 questions," in text_of(freya.gets("/home"))
    assert ", 4 questions," in text_of(freya.gets(f"/museums/{first}"))
    goes = text_of(freya.gets(f"/sessions/{first}/delete"))
    assert "4 questions" in goes
    assert "1 dot vote" in goes
    continues(freya)
    assert [item.key for item in freya.now.agenda] == keys
    freya.posts(f"/f/{freya.code}/priorities", {"over": "questions", "key": keys})
    votes(freya)
    assert "Clearly higher" in freya.sees()


def test_a_session_that_was_loaded_from_its_file_can_be_continued(freya: Facilitator) -> None:
    ended(freya)
    file = freya.reads("session.json").get_data()
    freya.deletes()
    assert freya.posts("/sessions/load", {"file": (io.BytesIO(file), "session.json")}).status_code == 303
    continues(freya)
    assert all(text in freya.sees() for text in ACTIONS)
    votes(freya)
    assert "Clearly higher (8 people then)" in freya.sees()


def test_a_session_that_is_loaded_again_looks_back_as_it_did(freya: Facilitator) -> None:
    first = ended(freya).code
    progress(freya, first, 1, status="done")
    votes(continues(freya))
    freya.does("finish")
    file = freya.reads("session.json").get_data()
    looked_back = said.earlier_rows(reported(freya))
    assert (json.loads(file)["continues"]["code"], len(looked_back)) == (first, len(ACTIONS))
    freya.deletes()
    assert freya.posts("/sessions/load", {"file": (io.BytesIO(file), "session.json")}).status_code == 303
    assert freya.reads("session.json").get_data() == file
    freya.workshop_id = freya.now.id
    assert said.earlier_rows(reported(freya)) == looked_back
    assert "Clearly higher (8 people then)" in text_of(freya.gets(f"/f/{freya.code}/report"))


def test_a_session_is_loaded_without_the_one_it_continues_and_then_stands_alone(freya: Facilitator) -> None:
    first = ended(freya).code
    continues(freya).does("open", "close", "finish")
    file = freya.reads("session.json").get_data()
    for code in (first, freya.code):
        freya.posts(f"/sessions/{code}/delete")
    assert freya.posts("/sessions/load", {"file": (io.BytesIO(file), "session.json")}).status_code == 303
    again = freya.reads("session.json").get_json()
    assert again == {name: value for name, value in json.loads(file).items() if name != "continues"}


def test_a_session_that_continues_none_says_nothing_of_last_time(freya: Facilitator) -> None:
    ended(freya)
    made = reported(freya)
    assert made.earlier is None
    assert said.earlier_rows(made) == []
    assert said.facts(made)[3] == ("First action due", "31 January 2026")
    assert "Last time" not in text_of(freya.gets(f"/f/{freya.code}/report"))


# --- A museum's page


def test_a_museums_page_lists_sessions_newest_first_and_open_actions_overdue_first(freya: Facilitator) -> None:
    continues(ended(freya))
    progress(freya, freya.code, 3, status="done", version="1")
    page = freya.gets(f"/museums/{freya.code}").text
    there = text_of(page)
    assert "2 sessions, 5 open actions, 1 done or dropped" in there
    over_time = there.partition("Sessions over time")[2]
    assert over_time.index("20 November 2027") < over_time.index("21 November 2026")
    rows = re.findall(r'id="todo-(\d+)"', page)
    assert rows == ["2", "1", "4", "5", "6"]
    assert "Overdue" in page.partition('id="todo-2"')[2].partition("</tr>")[0]
    assert page.count("Overdue") == 1


def test_a_museums_page_shows_nothing_of_another_museum(freya: Facilitator) -> None:
    ended(freya)
    mine = freya.code
    freya.posts("/sessions", {"title": "Other", "museum": "Tide Mill", "held_on": "2026-11-21"})
    assert "Tide Mill" not in freya.gets(f"/museums/{mine}").text


def test_the_same_museum_in_other_capitals_is_the_same(freya: Facilitator) -> None:
    ended(freya)
    freya.posts("/sessions", {"title": "Other", "museum": " wexcombe  MILL museum", "held_on": "2026-11-22"})
    assert "2 sessions" in freya.gets(f"/museums/{freya.code}").text


def test_whoever_holds_one_console_sees_that_session_and_what_it_looks_back_on_and_no_other(
    venue: Venue, freya: Facilitator
) -> None:
    ended(freya)
    first = freya.code
    continues(freya)
    freya.posts(f"/f/{freya.code}/actions", {"action": "Write to the mayor"})
    remote = Person(venue)
    remote.client.set_cookie(f"f_{freya.workshop_id}", freya.cookies()[f"f_{freya.workshop_id}"])
    page = text_of(remote.gets(f"/museums/{freya.code}"))
    assert "1 session, 7 open actions" in page
    assert remote.gets(f"/museums/{first}").status_code == 404
    earlier = Person(venue)
    with venue.reading() as session:
        old = store.by_code(session, first)
        assert old
        earlier.client.set_cookie(f"f_{old.id}", freya.cookies()[f"f_{old.id}"])
    assert "Write to the mayor" not in earlier.gets(f"/museums/{first}").text
    assert "removed" in progress(earlier, first, 7, status="done"), "the later session's action is not theirs"
    assert action(venue, 7).status == "not started"


def test_an_action_of_another_museum_is_not_reached_through_this_one(venue: Venue, freya: Facilitator) -> None:
    ended(freya)
    mine = freya.code
    freya.posts("/sessions", {"title": "Other", "museum": "Tide Mill", "held_on": "2026-11-21"})
    theirs = next(one.code for one in _all(venue) if one.museum == "Tide Mill")
    assert "removed" in progress(freya, theirs, 1, status="done")
    assert "done" in progress(freya, mine, 1, status="done")


def _all(venue: Venue) -> list[Workshop]:
    with venue.reading() as session:
        return store.all_workshops(session)


def test_the_check_in_opens_just_the_actions(freya: Facilitator) -> None:
    ended(freya)
    progress(freya, freya.code, 1, status="done")
    page = freya.gets(f"/museums/{freya.code}/check-in").text
    assert re.findall(r'action="/museums/\d+/actions/(\d+)"', page) == ["2", "3", "4", "5", "6", "1"]
    assert page.index("Done or dropped") < page.index("Invite the school")
    assert "Purpose" not in text_of(page).partition("Done or dropped")[0].partition("How far have")[0]


def test_open_actions_leave_as_a_table_and_as_a_calendar_with_one_check_in(freya: Facilitator) -> None:
    ended(freya)
    progress(freya, freya.code, 6, status="dropped", status_reason="No paint", version="1")
    table = freya.gets(f"/museums/{freya.code}/actions.csv")
    assert 'filename="wexcombe-mill-museum-open-actions.csv"' in table.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(table.get_data().decode("utf-8-sig"))))
    assert [row["action"] for row in rows] == ["Mend the roof", "Invite the school", *ACTIONS[2:5]]
    calendar = freya.gets(f"/museums/{freya.code}/actions.ics").get_data().decode()
    assert calendar.count("BEGIN:VEVENT") == 3
    own = calendar_ics.write(reported(freya)).decode()
    uids = set(re.findall(r"UID:(\S+)", calendar))
    assert uids == set(re.findall(r"UID:(\S+)", own)), "a second import updates what stands in the calendar"
    assert f"{freya.code}-check-in@hallmarks-workshop" in uids
    assert "DTSTART;VALUE=DATE:20270219" in calendar, "90 days after 21 November 2026"


def test_a_session_whose_actions_are_all_done_has_no_check_in(freya: Facilitator) -> None:
    ended(freya)
    for row in range(1, 7):
        progress(freya, freya.code, row, status="done", version=str(action(freya.venue, row).version))
    assert b"BEGIN:VEVENT" not in calendar_ics.write(reported(freya))
    assert "Everything that was agreed is done or dropped." in freya.gets(f"/museums/{freya.code}").text


# --- Question packs in use


def small(freya: Facilitator, edition: str = "1") -> bytes:
    """A pack of two questions as a file."""
    made = packs.read(packs.template(freya.venue.house.framework.scales, "csv"), "ours.csv")
    return packs.write(replace(made, edition=edition), "csv")


def loads(freya: Facilitator, content: bytes, name: str = "ours.csv") -> tuple[int, str, str]:
    """Load a file: the status, where it leads, and what the page says."""
    response = freya.posts("/packs", {"file": (io.BytesIO(content), name)})
    return response.status_code, response.headers.get("Location", ""), text_of(response)


def frameworks(venue: Venue) -> list[tuple[str, str]]:
    with venue.reading() as session:
        return [(row.key, row.edition) for row in session.query(FrameworkRow).order_by(FrameworkRow.id)]


def test_a_pack_with_a_fault_leaves_nothing_and_put_right_it_is_used_by_a_session(
    venue: Venue, freya: Facilitator
) -> None:
    before = frameworks(venue)
    broken = small(freya).replace(b"happened?,quality", b"happened?,quantity").replace(b"First visits", b"s" * 121)
    status, _, there = loads(freya, broken)
    assert status == 422
    assert "Nothing was imported: ours.csv has 2 things to correct." in there
    assert "column M (Scale): “quantity” is not the key of a scale." in there
    assert frameworks(venue) == before
    status, address, _ = loads(freya, small(freya))
    assert status == 303
    assert "2 questions" in text_of(freya.gets(address))
    form = {"title": "Ours", "museum": "Mill", "held_on": "2026-11-21", "pack": "our-questions:1"}
    freya.code = freya.posts("/sessions", form).headers["Location"].split("/")[2]
    freya.adds("welcome-01", "purpose-01")
    assert [(item.key, item.hallmark_title["en"]) for item in freya.now.agenda] == [("welcome-01", "Welcome")]
    assert (freya.now.framework, freya.now.edition) == ("our-questions", "1")


def test_the_same_pack_again_is_one_edition_and_other_words_need_another_name(venue: Venue, freya: Facilitator) -> None:
    loads(freya, small(freya))
    assert loads(freya, small(freya))[0] == 303
    assert frameworks(venue).count(("our-questions", "1")) == 1
    status, _, there = loads(freya, small(freya).replace(b"First visits", b"First hours"))
    assert status == 422
    assert "There is an edition 1 of “Our own questions” already, and its words differ." in there


def test_whose_words_all_editions_use_is_read_once_for_everybody_who_asks(
    venue: Venue, freya: Facilitator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def credited() -> tuple[bool, bool]:
        said = text_of(venue.app.test_client().get("/about"))
        return "No endorsement by AIM is implied." in said, "Written by the trustees of our museum, 2026." in said

    assert credited() == (True, False)
    address = loads(freya, small(freya))[1]
    assert credited() == (True, True)
    for module, read in ((hallmarks, "from_plain"), (editions, "_quoted")):
        monkeypatch.setattr(module, read, lambda *_: pytest.fail("an edition was read again"))
    assert credited() == (True, True)
    monkeypatch.undo()
    freya.posts(f"{address}/delete")
    assert credited() == (True, False)


def test_a_session_keeps_the_edition_it_was_run_with(freya: Facilitator) -> None:
    address = loads(freya, small(freya))[1]
    form = {"title": "Ours", "museum": "Mill", "held_on": "2026-11-21", "pack": "our-questions:1"}
    freya.code = freya.posts("/sessions", form).headers["Location"].split("/")[2]
    freya.workshop_id = freya.now.id
    freya.adds("welcome-01")
    typed = {
        "edition": "2",
        "q-welcome-01-text": "To what extent is it easy to find us?",
        "h-welcome-definition": "New.",
    }
    new = freya.posts(address, typed)
    assert new.status_code == 303
    assert "To what extent is it easy to find us?" in freya.gets(new.headers["Location"]).text
    assert freya.now.agenda[0].text["en"].startswith("To what extent do first-time visitors")
    freya.adds("welcome-02")
    assert freya.now.edition == "1"
    assert reported(freya).chapters[0].definition.startswith("Everybody who comes")
    refusal = freya.posts(f"{address}/delete")
    assert "A session was run with this edition" in text_of(refusal)
    assert "A session was run with this edition" in text_of(freya.gets(f"{address}/delete"))
    unused = f"{new.headers['Location']}/delete"
    assert "Delete this edition?" in text_of(freya.gets(unused))
    assert freya.gets(new.headers["Location"]).status_code == 200, "asking deletes nothing"
    assert "The edition is deleted" in text_of(freya.posts(unused))
    assert freya.gets(new.headers["Location"]).status_code == 404


def test_a_new_edition_with_a_fault_loses_nothing_that_was_typed(freya: Facilitator) -> None:
    address = loads(freya, small(freya))[1]
    typed = {"edition": "1", "q-welcome-01-short": "s" * 121, "q-welcome-02-prompt": "Typed <b>with</b> care"}
    response = freya.posts(address, typed)
    assert response.status_code == 422
    assert "Nothing was kept: this edition has 2 things to correct." in text_of(response)
    assert "Edition: give the new edition a name of its own" in text_of(response)
    assert "Question 1.1, short name: the text has 121 characters" in text_of(response)
    assert "Typed &lt;b&gt;with&lt;/b&gt; care" in response.text
    assert "s" * 121 in response.text


def test_the_next_session_may_take_a_newer_edition_and_compares_what_kept_its_words(
    venue: Venue, freya: Facilitator
) -> None:
    shipped = venue.house.framework
    freya.adds_own("How well do we sleep?", "quality")
    newer = editing.edited(
        shipped,
        {"edition": "2027.1", "q-purpose-02-text": "How do we say it?", "q-governance-01-drop": "on", "title": "Ours"},
    )
    venue.performs(lambda session: editions.add(session, shipped, newer))
    first = ended(freya).now
    response = freya.posts(
        f"/sessions/{freya.code}/next",
        {"title": "Newer", "held_on": "2027-11-20", "pack": editions.name_of(newer)},
    )
    freya.code = response.headers["Location"].split("/")[2]
    freya.workshop_id = freya.now.id
    later = freya.now
    assert (later.edition, first.edition) == ("2027.1", shipped.edition)
    assert [item.key for item in later.agenda] == [item.key for item in first.agenda]
    changed = [new.key for new, old in zip(later.agenda, first.agenda, strict=True) if new.text != old.text]
    assert changed == ["purpose-02"]
    votes(freya)
    assert "Clearly higher (8 people then)" in freya.sees()


@pytest.mark.parametrize("kind", packs.KINDS)
def test_an_edition_leaves_as_a_file_that_can_be_loaded_again(freya: Facilitator, kind: str) -> None:
    address = loads(freya, small(freya))[1]
    file = freya.gets(f"{address}/file.{kind}")
    assert packs.read(file.get_data(), f"ours.{kind}") == packs.read(small(freya), "ours.csv")
    assert f'.{kind}"' in file.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["/packs/nothing", "/packs/nothing/file.csv", "/packs/template.exe"])
def test_a_pack_that_is_not_there_is_not_found(freya: Facilitator, path: str) -> None:
    assert freya.gets(path).status_code == 404


def test_the_words_of_a_chosen_pack_that_has_gone_are_missed_in_words(freya: Facilitator) -> None:
    form = {"title": "Ours", "museum": "Mill", "held_on": "2026-11-21", "pack": "gone:1"}
    response = freya.posts("/sessions", form)
    assert response.status_code == 422
    assert "That question pack is not there any more." in text_of(response)
    assert 'value="Mill"' in response.text


def test_an_action_of_an_ended_session_can_still_be_changed_by_its_own_facilitator(
    venue: Venue, freya: Facilitator
) -> None:
    ended(freya)
    venue.performs(lambda session: deciding.change_action(session, freya.workshop_id, 1, {"status": "done"}, 2))
    assert action(venue, 1).status == "done"


@pytest.mark.postgres
def test_all_of_this_is_the_same_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    venue = Venue(postgres_url, tmp_path)
    freya = Facilitator(venue).enters().creates(*QUESTIONS)
    continues(ended(freya))
    progress(freya, freya.code, 1, status="done", status_reason="It came in May")
    votes(freya)
    assert "Clearly higher (8 people then)" in freya.sees()
    assert said.earlier_rows(reported(freya))[0][4] == "Done: It came in May"
    page = freya.gets(f"/museums/{freya.code}").text
    assert re.findall(r'id="todo-(\d+)"', page) == ["2", "3", "4", "5", "6"]
    address = loads(freya, small(freya))[1]
    assert freya.posts(address, {"edition": "2", "title": "Ours"}).status_code == 303
    assert frameworks(venue)[1:] == [("our-questions", "1"), ("our-questions", "2")]
    assert "The edition is deleted" in text_of(freya.posts(f"{address}/delete"))
    assert freya.deletes().status_code == 200
    venue.closes()
