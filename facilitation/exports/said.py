"""What the documents say, in order and in the language spoken: Word, PDF, wall chart and workbook lay out the same
words. Pure.

A sentence never speaks of one person alone (DOMAIN.md 7.4); tables may hold a 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from facilitation.continuing import Side
from facilitation.language import _, mark, ngettext
from facilitation.plan import TO_BE_AGREED, Action, ParkedItem, Status, Support, in_order, long_date, meeting
from facilitation.report import Answer, Chapter, Report, ToDiscuss, Vote
from facilitation.stages import Mode
from facilitation.tally import OTHERS, REASON_WORDS, SPREAD_WORDS, Reason, Tally

Row = tuple[str, ...]

HEADLINE = mark("How we see ourselves")
PLAN_HEADLINE = mark("What we agreed to do")
METHOD_HEADLINE = mark("How these numbers were made")
NO_PROFILE = mark("No question has been voted on and shown yet.")
MADE_UP = mark("Example: nobody met, all of it is made up")
TALKING = mark("This is a picture for talking, not an audit.")
LEGEND = mark(
    "One square is one question, standing under its middle answer; a square in two halves stands between that answer "
    "and the next. A slash means that people were far apart."
)
DONT_KNOW, NOT_RELEVANT = mark("Don’t know"), mark("Not relevant to us")
OWN_QUESTIONS = mark("Our own questions")
LEVELS = (mark("1 low"), "2", mark("3 middle"), "4", mark("5 high"))
"""The columns of the profile."""
NO_ACTIONS = mark("No actions were written down.")
NO_PARKED = mark("Nothing was parked.")
UNSET = ""
"""A cell that is left for a pen: documents draw a line there."""

ACTIONS_HEADINGS = (
    mark("No."),
    mark("For"),
    mark("What we saw"),
    mark("Action"),
    mark("Owner"),
    mark("First step, by"),
    mark("Due"),
    mark("We will know because"),
    mark("Status"),
)
MORE_HEADINGS = (
    mark("No."),
    mark("Priority"),
    mark("Review"),
    mark("Resources, £"),
    mark("Support wanted"),
    mark("Forward plan objective"),
    mark("Notes"),
)
SHORT_HEADINGS = (mark("No."), mark("For"), mark("Action"), mark("Owner"), mark("Due"), mark("Status"))
EARLIER_HEADLINE = mark("What we said we would do")
EARLIER_HEADINGS = (mark("No."), mark("Action"), mark("Owner"), mark("Due"), mark("How far it has come"))
PRIORITIES_HEADLINE = mark("Priorities: how the dots fell")
PARKED_HEADINGS = (mark("For"), mark("Parked for later"), mark("Goes to"), mark("Who takes it there"))
AGREED_HEADINGS = (mark("Question"), mark("Votes: middle answer"), mark("We agreed on"), mark("Why"))

_RATINGS_IN_A_PLAN = 12
_GROUPS = {
    "trustee": mark("Trustees"),
    "staff": mark("Staff"),
    "volunteer": mark("Volunteers"),
    "other": mark("Other roles"),
    OTHERS: mark("Others"),
}
_GROUP_NUMBERS = {
    "trustee": mark("Trustees %(num)s"),
    "staff": mark("Staff %(num)s"),
    "volunteer": mark("Volunteers %(num)s"),
    "other": mark("Other roles %(num)s"),
    OTHERS: mark("Others %(num)s"),
}
_VOTES = {1: mark("First vote"), 2: mark("Second vote"), 3: mark("Third vote")}
_MIDDLES = {
    1: mark("%(middle)s, on the first vote"),
    2: mark("%(middle)s, on the second vote"),
    3: mark("%(middle)s, on the third vote"),
}
_THINGS = {
    1: mark("One thing to talk about"),
    2: mark("Two things to talk about"),
    3: mark("Three things to talk about"),
}
_STATES = {
    Status.NOT_STARTED: mark("%(num)s not started"),
    Status.UNDER_WAY: mark("%(num)s under way"),
    Status.DONE: mark("%(num)s done"),
    Status.DROPPED: mark("%(num)s dropped"),
}
SUPPORT = {
    Support.NONE: mark("none"),
    Support.MUSEUM_DEVELOPMENT: mark("museum development"),
    Support.AIM: mark("AIM"),
    Support.OTHER: mark("other"),
}
"""Whose help the group wants, as people read it."""
_HOW = {
    Mode.LIVE.value: mark("While people voted, the room saw the results build up."),
    Mode.ON_REVEAL.value: mark("Nobody saw results before voting had closed."),
}


def titled(report: Report, title: str) -> str:
    """What a document is called; that of the example says so."""
    return _("Example: %(title)s", title=title) if report.made_up else title


def who_and_when(report: Report) -> str:
    """The line under the headline: "Wexcombe Mill Museum. Away day, 21 November 2026."."""
    line = f"{report.museum}. {report.title}, {long_date(report.held_on)}."
    so_far = _("Unfinished: the session was still going on when this was made.") if report.unfinished else ""
    return _joined(" ", line, so_far)


def footer(report: Report) -> str:
    """Left of the page number: "Wexcombe Mill Museum, 21 November 2026". In the example it says so before that."""
    line = f"{report.museum}, {long_date(report.held_on)}"
    return f"{_(MADE_UP)}. {line}" if report.made_up else line


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The four facts of page 1: what, and how much."""
    if report.first_due and not report.next_review:
        review = (_("First action due"), long_date(report.first_due))
    else:
        review = (_("Next review"), _date(report.next_review) or _("Not set"))
    earlier = report.earlier
    return (
        (_("People"), ngettext("%(num)s joined", "%(num)s joined", report.joined)),
        (_("Questions"), ngettext("%(num)s answered", "%(num)s answered", report.answered)),
        (_("Actions agreed"), str(len(report.actions))),
        (_("Last time’s actions"), _("%(done)s of %(all)s done", done=earlier.done, all=len(earlier.actions)))
        if earlier
        else review,
    )


def earlier_lead(report: Report) -> str:
    """Which session the look goes back on: "Looking back on Annual review, 21 November 2025: 2 of 6 done."."""
    earlier = report.earlier
    if earlier is None:
        return ""
    return _(
        "Looking back on %(title)s, %(day)s: %(done)s of %(all)s done.",
        title=earlier.title,
        day=long_date(earlier.held_on),
        done=earlier.done,
        all=len(earlier.actions),
    )


def earlier_rows(report: Report) -> list[Row]:
    """The actions of the session before under EARLIER_HEADINGS: what was done comes first."""
    actions = report.earlier.actions if report.earlier else ()
    return [(action.id, action.action, owner(action), due(action), status(action)) for action in actions]


def three_headline(report: Report) -> str:
    """ "Three things to talk about", or as many as there are."""
    return _(_THINGS.get(len(report.three), _THINGS[3]))


def three(report: Report) -> tuple[tuple[str, str, str], ...]:
    """The three things to talk about: reason, question, and what was seen."""
    return tuple((_(REASON_WORDS[one.reason]), name_of(one.answer), _seen(one)) for one in report.three)


def _seen(one: ToDiscuss) -> str:
    """The chip in full, unless the fuller words would single somebody out."""
    vote, labels = one.answer.shown, one.answer.labels
    assert vote is not None and vote.tally is not None
    counts = vote.tally
    between = counts.n - counts.low - counts.high
    match one.reason:
        case Reason.LOW if counts.n - counts.low != 1:
            return _(
                "%(num)s of %(of)s say %(one)s or %(other)s",
                num=counts.low,
                of=counts.n,
                one=labels[1],
                other=labels[0],
            )
        case Reason.DONT_KNOW if counts.ballots - counts.dk != 1:
            return _("%(num)s of %(of)s don’t know", num=counts.dk, of=counts.ballots)
        case Reason.APART if 1 not in (counts.low, counts.high, between):
            said = (
                ngettext("%(num)s low", "%(num)s low", counts.low) if counts.low else _("None low"),
                ngettext("%(num)s high", "%(num)s high", counts.high) if counts.high else _("none high"),
                ngettext("%(num)s in between", "%(num)s in between", between) if between else _("none in between"),
            )
            return ", ".join(said)
        case Reason.APART:
            return _("Talk about what each side has in mind")
    return capital(one.why)


def people(number: int) -> str:
    """ "26 people", "1 person"."""
    return ngettext("%(num)s person", "%(num)s people", number)


def name_of(answer: Answer) -> str:
    """A question in short: "9.4 Missing perspectives"."""
    return f"{answer.plate} {answer.short}".strip()


def chapter_title(chapter: Chapter) -> str:
    """ "9 Tackling Inequality", or what own questions stand under."""
    return f"{chapter.number} {chapter.title}".strip() or _(OWN_QUESTIONS)


def columns(answer: Answer) -> tuple[tuple[str, Tally], ...]:
    """The counts of a question as columns: the latest shown vote, its roles, then the votes before it."""
    shown = [(vote, vote.tally) for vote in reversed(answer.votes) if vote.tally]
    if not shown:
        return ()
    (latest, counts), *earlier = shown
    first = _ordinal(latest) if len(answer.votes) > 1 else _("People")
    last = ((_then(answer, answer.last.then), answer.last.then.counts),) if answer.last else ()
    groups = [(group_said(name), part) for name, part in latest.groups]
    return ((first, counts), *groups, *((_ordinal(vote), before) for vote, before in earlier), *last)


def two_charts(answer: Answer) -> bool:
    """Whether last time's counts, the last column, are drawn as a chart too: beside roles there is no room for it."""
    return answer.last is not None and len(columns(answer)) <= 3


def _then(answer: Answer, side: Side) -> str:
    """The heading of last time's counts; they name their own ends of the scale where its words were others."""
    if side.labels == answer.labels:
        return _("On %(day)s", day=long_date(side.day))
    low, high = side.labels[0], side.labels[-1]
    return _("On %(day)s, from %(low)s to %(high)s", day=long_date(side.day), low=low, high=high)


def _last_time(answer: Answer) -> str | None:
    """Against last time: the phrase, and how many and who was in the room on both days."""
    last = answer.last
    if last is None:
        return None
    said = _(
        "%(words)s. %(then)s on %(day)s, %(now)s now.",
        words=last.words or _("So few answered that only the numbers can speak"),
        then=room(last.then),
        day=long_date(last.then.day),
        now=room(last.now),
    )
    return _joined(" ", said, _("It was asked: %(question)s", question=last.text) if last.text else "")


def room(side: Side) -> str:
    """How many answered, and as whom where that was released: "17 answered (Trustees 7, Others 10)"."""
    numbers = dict(side.who)
    who = ", ".join(_(words, num=numbers[name]) for name, words in _GROUP_NUMBERS.items() if name in numbers)
    answered = ngettext("%(num)s answered", "%(num)s answered", side.counts.ballots)
    return f"{answered} ({who})" if who else answered


def _ordinal(vote: Vote) -> str:
    return _(_VOTES[vote.number]) if vote.number in _VOTES else _("Vote %(number)s", number=vote.number)


def group_said(name: str) -> str:
    """A role as a heading; "all" stays what it is."""
    return _(_GROUPS[name]) if name in _GROUPS else name


def points(answer: Answer) -> tuple[str, ...]:
    """The rows of a question's table: "1 Not at all" …, then the two answers that are set apart."""
    return (*(f"{point} {label}" for point, label in enumerate(answer.labels, start=1)), _(DONT_KNOW), _(NOT_RELEVANT))


def cells(counts: Tally) -> tuple[int, ...]:
    """A column of a question's table, in the order of `points`."""
    return (*counts.counts, counts.dk, counts.nr)


def turnout(answer: Answer) -> str:
    """Under a question's table: how many answered, and both ends of the scale; or why there is no table."""
    vote = answer.shown
    if vote is None or vote.tally is None:
        return answer.why_not
    return _joined(" ", ngettext("%(num)s answered.", "%(num)s answered.", vote.tally.ballots), answer.shares or "")


def findings(answer: Answer) -> tuple[tuple[str, str], ...]:
    """What a question's counts mean and what the group made of them: term and words. Nothing that is not known."""
    spread = answer.spread
    agreed = answer.agreement.said(answer.labels)
    said = (
        (_("Middle answer"), _middle(answer)),
        (_("Spread"), _(SPREAD_WORDS[spread]) if spread else None),
        (_("After talking"), answer.moved),
        (_("Against last time"), _last_time(answer)),
        *((_ordinal(vote), why) for vote in answer.votes if answer.shown and (why := why_not(vote))),
        (_("The group agreed on"), agreed),
    )
    return tuple((term, words) for term, words in said if words)


def _middle(answer: Answer) -> str | None:
    vote = answer.shown
    if vote is None or answer.middle is None:
        return None
    if len(answer.votes) == 1:
        return answer.middle
    if vote.number in _MIDDLES:
        return _(_MIDDLES[vote.number], middle=answer.middle)
    return _("%(middle)s, on vote %(number)s", middle=answer.middle, number=vote.number)


def why_not(vote: Vote) -> str:
    """Why one vote shows no counts; "" if it does."""
    if vote.tally:
        return ""
    if vote.void:
        return _("Could not be counted")
    return _("Too few answered to show a result") if vote.ballots is not None else _("Not shown")


def remarks(answer: Answer) -> tuple[tuple[str, str], ...]:
    """What was written down about a question: the reason for its rating, and the group's words."""
    said = ((_("Why"), answer.agreement.reason), (_("What the room said"), answer.note))
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
    agreed = answer.agreement.said(answer.labels) or _("Not settled")
    return name_of(answer), _middle(answer) or answer.why_not or _("None"), agreed, answer.agreement.reason


def priority_headings(answer: Answer) -> Row:
    """Over the table of a dot vote: the latest vote, and the one before it if there was one."""
    votes = [vote for vote in answer.votes if vote.dots]
    return (_("What was voted on"), *((_("Dots"),) if len(votes) < 2 else (_ordinal(votes[-1]), _ordinal(votes[-2]))))


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
    return ngettext(
        "%(num)s answered, with three dots each. Dots narrow the choice; nothing is computed from them.",
        "%(num)s answered, with three dots each. Dots narrow the choice; nothing is computed from them.",
        votes[-1].ballots,
    )


def what_for(report: Report, question: str, hallmark: str = "") -> str:
    """What an action or parked item belongs to: "9.2 Listening and acting", a hallmark, or the whole session."""
    answer = next((answer for answer in report.answers if answer.key == question), None)
    if answer:
        return name_of(answer)
    chapter = next((chapter for chapter in report.chapters if hallmark and chapter.key == hallmark), None)
    return chapter_title(chapter) if chapter else _("The whole session")


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
            "" if action.support is Support.NONE else capital(_(SUPPORT[action.support])),
            action.plan_objective,
            _joined(" ", action.notes, _elsewhere(report, action)),
        )
        for action in in_order(report.actions)
    ]


def here(report: Report) -> str:
    """This session as its own actions name it in "Agreed at"."""
    return meeting(report.title, report.held_on)


def _elsewhere(report: Report, action: Action) -> str:
    """Where an action was agreed, if that was not here."""
    return "" if action.created_in == here(report) else _("Agreed at %(meeting)s.", meeting=action.created_in)


def owner(action: Action) -> str:
    """Who does it; UNSET while that is to be agreed."""
    return UNSET if action.owner == TO_BE_AGREED else action.owner


def due(action: Action) -> str:
    """By when, in words; both the group's words and the date if there are both."""
    return _joined(", ", action.due_words, _date(action.due))


def status(action: Action) -> str:
    """How far it is, with the reason if somebody gave one: "Dropped: no longer possible"."""
    return _joined(": ", action.status.said, action.status_reason)


def parked_rows(report: Report) -> list[Row]:
    """Parked items under PARKED_HEADINGS; a destination nobody has named is UNSET."""
    return [_parked(report, item) for item in report.parked]


def _parked(report: Report, item: ParkedItem) -> Row:
    return what_for(report, item.question), item.item, item.destination, item.owner


def details(action: Action) -> tuple[tuple[str, str], ...]:
    """What stands under an action in the report: how it begins, and how the group will know that it worked."""
    said = ((_("First step"), _first_step(action)), (_("We will know because"), action.measure))
    return tuple((term, words) for term, words in said if words)


def _first_step(action: Action) -> str:
    if action.first_step and action.first_step_by:
        return _("%(step)s, by %(day)s", step=action.first_step, day=_date(action.first_step_by))
    return action.first_step or _date(action.first_step_by)


def next_look(report: Report) -> str:
    """When somebody looks at the plan again. A day on which something is due is not yet a day to look again."""
    if report.next_review:
        return _("Look at these again on %(day)s.", day=long_date(report.next_review))
    first = _("First action due %(day)s.", day=long_date(report.first_due)) if report.first_due else ""
    return _joined(" ", first, _("Agree a day on which somebody looks at these again:"))


def summary(report: Report) -> str:
    """The method in short, for a page that is read alone."""
    said = _(
        "Answers are anonymous. A question with fewer than %(k)s answers is not shown. The middle answer is the one "
        "with "
        "as many people above it as below. No hallmark gets a score.",
        k=report.k,
    )
    return f"{said} {_(TALKING)} {report.credit}"


def spoken(marks: Iterable[Mapping[str, object]]) -> str:
    """Labelled squares in words: "6.1, 6.2 far apart, 6.4 between this and the next"."""
    said = {
        (False, False): "%(label)s",
        (True, False): _("%(label)s far apart"),
        (False, True): _("%(label)s between this and the next"),
        (True, True): _("%(label)s far apart between this and the next"),
    }
    return ", ".join(said[bool(one["apart"]), bool(one["between"])] % {"label": one["label"]} for one in marks)


def plan_opening(report: Report) -> str:
    """What the plan is for, and who made it."""
    took_part = ngettext(
        "%(num)s person took part; %(answered)s of %(all)s questions have a result.",
        "%(num)s people took part; %(answered)s of %(all)s questions have a result.",
        report.joined,
        answered=report.answered,
        all=len(report.answers),
    )
    return _joined(
        " ",
        _("This plan says what we will do about what we saw, who does it and by when."),
        took_part,
        _("Numbers, words and method are in the report."),
    )


def counted(report: Report) -> str:
    """The state of the plan in a sentence, for the top of it: "6 actions: 5 open, 1 dropped."."""
    number = len(report.actions)
    kinds = [(status, sum(action.status is status for action in report.actions)) for status in Status]
    parts = ", ".join(_(_STATES[kind], num=n) for kind, n in kinds if n)
    if not number:
        return _(NO_ACTIONS)
    return ngettext("%(num)s action: %(parts)s.", "%(num)s actions: %(parts)s.", number, parts=parts)


def method(report: Report) -> tuple[str, ...]:
    """How sound the numbers are: who and how many, what anonymity covers, and how to read the words."""
    modes = {vote.mode for answer in report.answers for vote in answer.votes}
    how = [_(_HOW[mode]) for mode in _HOW if mode in modes]
    joined = ngettext(
        "%(num)s person joined the session. They answered secretly, each on a device or on paper, and talked "
        "afterwards.",
        "%(num)s people joined the session. They answered secretly, each on a device or on paper, and talked "
        "afterwards.",
        report.joined,
    )
    number = _(
        "The number under a question is how many answered it; Don’t know and Not relevant to us are answers too, but "
        "they are counted apart and never enter the middle answer or the spread."
    )
    return (
        _joined(" ", joined, _sentence(how), number),
        _(
            "Results show from %(k)s answers up, so that nobody’s answer can be guessed. When voting closed the "
            "answers "
            "were counted and then forgotten: nobody, the facilitator included, can see later who answered what. That "
            "does not cover an answer that everybody gave, what is said aloud, or being watched. Notes and reasons are "
            "the group’s words, written down by the facilitator, and are not anonymous.",
            k=report.k,
        ),
        _(
            "The middle answer is the one with as many people above it as below. “Close together” means that no two "
            "people are two or more points apart; “far apart” means that at least two in five pairs of people are. No "
            "average is taken, and no hallmark gets a score."
        ),
        _(
            "A second vote was taken by people who had seen the first, so it is no independent evidence; both stand "
            "here. “The group moved” is said only from six people who changed their answer, nearly all of them in one "
            "direction."
        ),
        *_of_last_time(report),
        _(
            "An agreed rating is what the group settled on by talking, and is never computed from the votes. “No "
            "agreement” is a result too."
        ),
        _(TALKING),
    )


def _of_last_time(report: Report) -> tuple[str, ...]:
    if not any(answer.last is not None and answer.last.comparable for answer in report.answers):
        return ()
    return (
        _(
            "Against last time, first votes are compared with first votes: other people, on another day. “Clearly "
            "higher” and “clearly lower” are said from four votes on each side, and only where chance alone would "
            "rarely "
            "do it: of fifty compared questions one or two say so by luck. A small group can still miss a real change. "
            "What was done since is the better evidence."
        ),
    )


def _sentence(parts: list[str]) -> str:
    if len(parts) > 1:
        return _(
            "On some questions the room saw the results build up; on others nobody saw them before voting had closed."
        )
    return "".join(parts)


def _date(day: dt.date | None) -> str:
    return long_date(day) if day else ""


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def _joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def headed(headings: Row) -> Row:
    """The headings of a table in the language spoken."""
    return tuple(_(heading) for heading in headings)


def used(headings: Row, rows: Iterable[Row], always: Iterable[str]) -> tuple[Row, list[Row]]:
    """A table without the columns in which nothing stands, except those in `always`."""
    table, keep = list(rows), set(always)
    places = [place for place, heading in enumerate(headings) if heading in keep or any(row[place] for row in table)]
    return tuple(headings[place] for place in places), [tuple(row[place] for place in places) for row in table]
