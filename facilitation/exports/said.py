"""What the documents say, in English and in order: Word, PDF, wall chart and workbook lay out the same words. Pure.

A sentence never speaks of one person alone (DOMAIN.md 7.4); tables may hold a 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from facilitation.continuing import Side
from facilitation.plan import TO_BE_AGREED, Action, ParkedItem, Status, Support, in_order, long_date
from facilitation.report import Answer, Chapter, Report, ToDiscuss, Vote
from facilitation.stages import Mode
from facilitation.tally import OTHERS, REASON_WORDS, SPREAD_WORDS, Reason, Tally

Row = tuple[str, ...]

HEADLINE = "How we see ourselves"
PLAN_HEADLINE = "What we agreed to do"
METHOD_HEADLINE = "How these numbers were made"
NO_PROFILE = "No question has been voted on and shown yet."
TALKING = "This is a picture for talking, not an audit."
LEGEND = (
    "One square is one question, standing under its middle answer; a square in two halves stands between that answer "
    "and the next. A slash means that people were far apart."
)
DONT_KNOW, NOT_RELEVANT = "Don’t know", "Not relevant to us"
OWN_QUESTIONS = "Our own questions"
LEVELS = ("1 low", "2", "3 middle", "4", "5 high")
"""The columns of the profile."""
NO_ACTIONS = "No actions were written down."
NO_PARKED = "Nothing was parked."
UNSET = ""
"""A cell that is left for a pen: documents draw a line there."""

ACTIONS_HEADINGS = (
    "No.",
    "For",
    "What we saw",
    "Action",
    "Owner",
    "First step, by",
    "Due",
    "We will know because",
    "Status",
)
MORE_HEADINGS = ("No.", "Priority", "Review", "Resources, £", "Support wanted", "Forward plan objective", "Notes")
SHORT_HEADINGS = ("No.", "For", "Action", "Owner", "Due", "Status")
EARLIER_HEADLINE = "What we said we would do"
EARLIER_HEADINGS = ("No.", "Action", "Owner", "Due", "How far it has come")
PRIORITIES_HEADLINE = "Priorities: how the dots fell"
PARKED_HEADINGS = ("For", "Parked for later", "Goes to", "Who takes it there")
AGREED_HEADINGS = ("Question", "Votes: middle answer", "We agreed on", "Why")

_RATINGS_IN_A_PLAN = 12
_GROUPS = {"trustee": "Trustees", "staff": "Staff", "volunteer": "Volunteers", "other": "Other roles", OTHERS: "Others"}
_VOTES = {1: "First vote", 2: "Second vote", 3: "Third vote"}
_HOW = {
    Mode.LIVE.value: "While people voted, the room saw the results build up",
    Mode.ON_REVEAL.value: "Nobody saw results before voting had closed",
}


def who_and_when(report: Report) -> str:
    """The line under the headline: "Wexcombe Mill Museum. Away day, 21 November 2026."."""
    so_far = " Unfinished: the session was still going on when this was made." if report.unfinished else ""
    return f"{report.museum}. {report.title}, {long_date(report.held_on)}.{so_far}"


def footer(report: Report) -> str:
    """Left of the page number: "Wexcombe Mill Museum, 21 November 2026"."""
    return f"{report.museum}, {long_date(report.held_on)}"


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The four facts of page 1: what, and how much."""
    if report.first_due and not report.next_review:
        review = ("First action due", long_date(report.first_due))
    else:
        review = ("Next review", _date(report.next_review) or "Not set")
    earlier = report.earlier
    return (
        ("People", f"{report.joined} joined"),
        ("Questions", f"{report.answered} answered"),
        ("Actions agreed", str(len(report.actions))),
        ("Last time’s actions", f"{earlier.done} of {len(earlier.actions)} done") if earlier else review,
    )


def earlier_lead(report: Report) -> str:
    """Which session the look goes back on: "Looking back on Annual review, 21 November 2025: 2 of 6 done."."""
    earlier = report.earlier
    if earlier is None:
        return ""
    done = f"{earlier.done} of {len(earlier.actions)} done"
    return f"Looking back on {earlier.title}, {long_date(earlier.held_on)}: {done}."


def earlier_rows(report: Report) -> list[Row]:
    """The actions of the session before under EARLIER_HEADINGS: what was done comes first."""
    actions = report.earlier.actions if report.earlier else ()
    return [(action.id, action.action, owner(action), due(action), status(action)) for action in actions]


def three_headline(report: Report) -> str:
    """ "Three things to talk about", or as many as there are."""
    return {1: "One thing", 2: "Two things"}.get(len(report.three), "Three things") + " to talk about"


def three(report: Report) -> tuple[tuple[str, str, str], ...]:
    """The three things to talk about: reason, question, and what was seen."""
    return tuple((REASON_WORDS[one.reason], name_of(one.answer), _seen(one)) for one in report.three)


def _seen(one: ToDiscuss) -> str:
    """The chip in full, unless the fuller words would single somebody out."""
    vote, labels = one.answer.shown, one.answer.labels
    assert vote is not None and vote.tally is not None
    counts = vote.tally
    between = counts.n - counts.low - counts.high
    match one.reason:
        case Reason.LOW if counts.n - counts.low != 1:
            return f"{counts.low} of {counts.n} say {labels[1]} or {labels[0]}"
        case Reason.DONT_KNOW if counts.ballots - counts.dk != 1:
            return f"{counts.dk} of {counts.ballots} don’t know"
        case Reason.APART if 1 not in (counts.low, counts.high, between):
            return f"{counts.low or 'None'} low, {counts.high or 'none'} high, {between or 'none'} in between"
        case Reason.APART:
            return "Talk about what each side has in mind"
    return capital(one.why)


def people(number: int) -> str:
    """ "26 people", "1 person"."""
    return f"{number} {'person' if number == 1 else 'people'}"


def name_of(answer: Answer) -> str:
    """A question in short: "9.4 Missing perspectives"."""
    return f"{answer.plate} {answer.short}".strip()


def chapter_title(chapter: Chapter) -> str:
    """ "9 Tackling Inequality", or what own questions stand under."""
    return f"{chapter.number} {chapter.title}".strip() or OWN_QUESTIONS


def columns(answer: Answer) -> tuple[tuple[str, Tally], ...]:
    """The counts of a question as columns: the latest shown vote, its roles, then the votes before it."""
    shown = [(vote, vote.tally) for vote in reversed(answer.votes) if vote.tally]
    if not shown:
        return ()
    (latest, counts), *earlier = shown
    first = _ordinal(latest) if len(answer.votes) > 1 else "People"
    last = ((_then(answer, answer.last.then), answer.last.then.counts),) if answer.last else ()
    groups = [(group_said(name), part) for name, part in latest.groups]
    return ((first, counts), *groups, *((_ordinal(vote), before) for vote, before in earlier), *last)


def two_charts(answer: Answer) -> bool:
    """Whether last time's counts, the last column, are drawn as a chart too: beside roles there is no room for it."""
    return answer.last is not None and len(columns(answer)) <= 3


def _then(answer: Answer, side: Side) -> str:
    """The heading of last time's counts; they name their own ends of the scale where its words were others."""
    ends = "" if side.labels == answer.labels else f", from {side.labels[0]} to {side.labels[-1]}"
    return f"On {long_date(side.day)}{ends}"


def _last_time(answer: Answer) -> str | None:
    """Against last time: the phrase, and how many and who was in the room on both days."""
    last = answer.last
    if last is None:
        return None
    words = last.words or "So few answered that only the numbers can speak"
    asked = f" It was asked: {last.text}" if last.text else ""
    return f"{words}. {room(last.then)} on {long_date(last.then.day)}, {room(last.now)} now.{asked}"


def room(side: Side) -> str:
    """How many answered, and as whom where that was released: "17 answered (Trustees 7, Others 10)"."""
    numbers = dict(side.who)
    who = ", ".join(f"{words} {numbers[name]}" for name, words in _GROUPS.items() if name in numbers)
    return f"{side.counts.ballots} answered" + (f" ({who})" if who else "")


def _ordinal(vote: Vote) -> str:
    return _VOTES.get(vote.number, f"Vote {vote.number}")


def group_said(name: str) -> str:
    """A role as a heading; "all" stays what it is."""
    return _GROUPS.get(name, name)


def points(answer: Answer) -> tuple[str, ...]:
    """The rows of a question's table: "1 Not at all" …, then the two answers that are set apart."""
    return (*(f"{point} {label}" for point, label in enumerate(answer.labels, start=1)), DONT_KNOW, NOT_RELEVANT)


def cells(counts: Tally) -> tuple[int, ...]:
    """A column of a question's table, in the order of `points`."""
    return (*counts.counts, counts.dk, counts.nr)


def turnout(answer: Answer) -> str:
    """Under a question's table: how many answered, and both ends of the scale; or why there is no table."""
    vote = answer.shown
    if vote is None or vote.tally is None:
        return answer.why_not
    return _joined(" ", f"{vote.tally.ballots} answered.", answer.shares or "")


def findings(answer: Answer) -> tuple[tuple[str, str], ...]:
    """What a question's counts mean and what the group made of them: term and words. Nothing that is not known."""
    spread = answer.spread
    agreed = answer.agreement.said(answer.labels)
    said = (
        ("Middle answer", _middle(answer)),
        ("Spread", SPREAD_WORDS[spread] if spread else None),
        ("After talking", answer.moved),
        ("Against last time", _last_time(answer)),
        *((_ordinal(vote), why) for vote in answer.votes if answer.shown and (why := why_not(vote))),
        ("The group agreed on", agreed),
    )
    return tuple((term, words) for term, words in said if words)


def _middle(answer: Answer) -> str | None:
    vote = answer.shown
    if vote is None or answer.middle is None:
        return None
    return answer.middle if len(answer.votes) == 1 else f"{answer.middle}, on the {_ordinal(vote).lower()}"


def why_not(vote: Vote) -> str:
    """Why one vote shows no counts; "" if it does."""
    if vote.tally:
        return ""
    if vote.void:
        return "Could not be counted"
    return "Too few answered to show a result" if vote.ballots is not None else "Not shown"


def remarks(answer: Answer) -> tuple[tuple[str, str], ...]:
    """What was written down about a question: the reason for its rating, and the group's words."""
    said = (("Why", answer.agreement.reason), ("What the room said", answer.note))
    return tuple((term, words) for term, words in said if words)


def agreed_rows(report: Report) -> tuple[list[Row], int]:
    """Ratings the group settled on, under AGREED_HEADINGS, in running order; and how many were left out.

    A plan has two pages: of many ratings only those stay that an action or a parked item belongs to.
    """
    agreed = [answer for answer in report.answers if answer.agreement.rating is not None or answer.agreement.reason]
    taken_up = {action.question for action in report.actions} | {item.question for item in report.parked}
    kept = [answer for answer in agreed if len(agreed) <= _RATINGS_IN_A_PLAN or answer.key in taken_up]
    return [_agreed(answer) for answer in kept], len(agreed) - len(kept)


def _agreed(answer: Answer) -> Row:
    agreed = answer.agreement.said(answer.labels) or "Not settled"
    return name_of(answer), _middle(answer) or answer.why_not or "None", agreed, answer.agreement.reason


def priority_headings(answer: Answer) -> Row:
    """Over the table of a dot vote: the latest vote, and the one before it if there was one."""
    votes = [vote for vote in answer.votes if vote.dots]
    return ("What was voted on", *(("Dots",) if len(votes) < 2 else (_ordinal(votes[-1]), _ordinal(votes[-2]))))


def priority_rows(answer: Answer) -> list[Row]:
    """A dot vote under `priority_headings`, most dots first."""
    return [
        (label, str(dots)) if before is None else (label, str(dots), str(before))
        for label, dots, before in answer.ranked
    ]


def priority_turnout(answer: Answer) -> str:
    """Under the table of a dot vote: how many answered; or why there is no table."""
    votes = [vote.dots for vote in answer.votes if vote.dots]
    if not votes:
        return f"{answer.why_not}."
    return f"{votes[-1].ballots} answered, with three dots each. Dots narrow the choice; nothing is computed from them."


def what_for(report: Report, question: str, hallmark: str = "") -> str:
    """What an action or parked item belongs to: "9.2 Listening and acting", a hallmark, or the whole session."""
    answer = next((answer for answer in report.answers if answer.key == question), None)
    if answer:
        return name_of(answer)
    chapter = next((chapter for chapter in report.chapters if hallmark and chapter.key == hallmark), None)
    return chapter_title(chapter) if chapter else "The whole session"


def action_rows(report: Report) -> list[Row]:
    """The plan under ACTIONS_HEADINGS, by priority and date. An owner or a date nobody has named is UNSET."""
    return [
        (
            action.id,
            what_for(report, action.question, action.hallmark),
            action.gap,
            action.action,
            owner(action),
            _first_step(action),
            due(action),
            action.measure,
            status(action),
        )
        for action in in_order(report.actions)
    ]


def short_row(report: Report, action: Action) -> Row:
    """An action under SHORT_HEADINGS, for the report."""
    belongs = what_for(report, action.question, action.hallmark)
    return action.id, belongs, action.action, owner(action), due(action), status(action)


def more_rows(report: Report) -> list[Row]:
    """The rest of the plan under MORE_HEADINGS, for the second table."""
    return [
        (
            action.id,
            str(action.priority or ""),
            _date(action.review),
            action.resources,
            "" if action.support is Support.NONE else capital(action.support),
            action.plan_objective,
            _joined(" ", action.notes, f"Agreed at {action.created_in}." if action.created_in != here(report) else ""),
        )
        for action in in_order(report.actions)
    ]


def here(report: Report) -> str:
    """This session as its own actions name it in "Agreed at"."""
    return f"{report.title}, {long_date(report.held_on)}"


def owner(action: Action) -> str:
    """Who does it; UNSET while that is to be agreed."""
    return UNSET if action.owner == TO_BE_AGREED else action.owner


def due(action: Action) -> str:
    """By when, in words; both the group's words and the date if there are both."""
    return _joined(", ", action.due_words, _date(action.due))


def status(action: Action) -> str:
    """How far it is, with the reason if somebody gave one: "Dropped: no longer possible"."""
    return _joined(": ", capital(action.status), action.status_reason)


def parked_rows(report: Report) -> list[Row]:
    """Parked items under PARKED_HEADINGS; a destination nobody has named is UNSET."""
    return [_parked(report, item) for item in report.parked]


def _parked(report: Report, item: ParkedItem) -> Row:
    return what_for(report, item.question), item.item, item.destination, item.owner


def details(action: Action) -> tuple[tuple[str, str], ...]:
    """What stands under an action in the report: how it begins, and how the group will know that it worked."""
    said = (("First step", _first_step(action)), ("We will know because", action.measure))
    return tuple((term, words) for term, words in said if words)


def _first_step(action: Action) -> str:
    return _joined(", by ", action.first_step, _date(action.first_step_by))


def next_look(report: Report) -> str:
    """When somebody looks at the plan again. A day on which something is due is not yet a day to look again."""
    if report.next_review:
        return f"Look at these again on {long_date(report.next_review)}."
    first = f"First action due {long_date(report.first_due)}." if report.first_due else ""
    return _joined(" ", first, "Agree a day on which somebody looks at these again:")


def summary(report: Report) -> str:
    """The method in short, for a page that is read alone."""
    return (
        f"Answers are anonymous. A question with fewer than {report.k} answers is not shown. The middle answer is the "
        f"one with as many people above it as below. No hallmark gets a score. {TALKING} {report.credit}"
    )


def spoken(marks: Iterable[Mapping[str, object]]) -> str:
    """Labelled squares in words: "6.1, 6.2 far apart, 6.4 between this and the next"."""
    words = []
    for mark in marks:
        apart, between = " far apart" * bool(mark["apart"]), " between this and the next" * bool(mark["between"])
        words.append(f"{mark['label']}{apart}{between}")
    return ", ".join(words)


def plan_opening(report: Report) -> str:
    """What the plan is for, and who made it."""
    return (
        "This plan says what we will do about what we saw, who does it and by when. "
        f"{people(report.joined)} took part; {report.answered} of {len(report.answers)} questions have a result. "
        "Numbers, words and method are in the report."
    )


def counted(report: Report) -> str:
    """The state of the plan in a sentence, for the top of it: "6 actions: 5 open, 1 dropped."."""
    number = len(report.actions)
    kinds = [(status, sum(action.status is status for action in report.actions)) for status in Status]
    parts = ", ".join(f"{n} {kind}" for kind, n in kinds if n)
    return f"{number} action{'' if number == 1 else 's'}: {parts}." if number else NO_ACTIONS


def method(report: Report) -> tuple[str, ...]:
    """How sound the numbers are: who and how many, what anonymity covers, and how to read the words."""
    modes = {vote.mode for answer in report.answers for vote in answer.votes}
    how = [_HOW[mode] for mode in _HOW if mode in modes]
    return (
        f"{people(report.joined)} joined the session. They answered secretly, each on a device or on paper, "
        f"and talked afterwards.{_sentence(how)} The number under a question is how many answered it; Don’t know "
        "and Not relevant to us are answers too, but they are counted apart and never enter the middle answer or the "
        "spread.",
        f"Results show from {report.k} answers up, so that nobody’s answer can be guessed. When voting closed the "
        "answers were counted and then forgotten: nobody, the facilitator included, can see later who answered what. "
        "That does not cover an answer that everybody gave, what is said aloud, or being watched. Notes and reasons "
        "are the group’s words, written down by the facilitator, and are not anonymous.",
        "The middle answer is the one with as many people above it as below. “Close together” means that no two people "
        "are two or more points apart; “far apart” means that at least two in five pairs of people are. No average is "
        "taken, and no hallmark gets a score.",
        "A second vote was taken by people who had seen the first, so it is no independent evidence; both stand here. "
        "“The group moved” is said only from six people who changed their answer, nearly all of them in one direction.",
        *_of_last_time(report),
        "An agreed rating is what the group settled on by talking, and is never computed from the votes. “No "
        "agreement” is a result too.",
        TALKING,
    )


def _of_last_time(report: Report) -> tuple[str, ...]:
    if not any(answer.last is not None and answer.last.comparable for answer in report.answers):
        return ()
    return (
        "Against last time, first votes are compared with first votes: other people, on another day. “Clearly higher” "
        "and “clearly lower” are said from four votes on each side, and only where chance alone would rarely do it: of "
        "fifty compared questions one or two say so by luck. A small group can still miss a real change. What was done "
        "since is the better evidence.",
    )


def _sentence(parts: list[str]) -> str:
    if len(parts) > 1:
        return (
            " On some questions the room saw the results build up; on others nobody saw them before voting had closed."
        )
    return "".join(f" {part}." for part in parts)


def _date(day: dt.date | None) -> str:
    return long_date(day) if day else ""


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def _joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def used(headings: Row, rows: Iterable[Row], always: Iterable[str]) -> tuple[Row, list[Row]]:
    """A table without the columns in which nothing stands, except those in `always`."""
    table, keep = list(rows), set(always)
    places = [place for place, heading in enumerate(headings) if heading in keep or any(row[place] for row in table)]
    return tuple(headings[place] for place in places), [tuple(row[place] for place in places) for row in table]
