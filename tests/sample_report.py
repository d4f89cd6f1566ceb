"""A report with everything that can stand in one, for tests of the documents; and one with all 54 questions."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from facilitation import hallmarks, report
from facilitation.hallmarks import Hallmark, Question, say, split_prompt
from facilitation.plan import NO_AGREEMENT, Action, Agreement, ParkedItem, Status, Support
from facilitation.report import Answer, Report, Vote
from facilitation.tally import Dots, Shift, Tally

FRAMEWORK = hallmarks.load(Path(__file__).parents[1] / "data" / "hallmarks.json")
QUESTIONS = {question.key: (hallmark, question) for hallmark in FRAMEWORK.hallmarks for question in hallmark.questions}

WHERE = "Hallmarks self-assessment, 21 November 2026"
FORMULA = "=SUM(A1)"
WELSH = "Cwrdd â’r ŵyl yn y tŷ; gofyn i Siân a Gwenllïan Ŵyn-Ŷnys"
NOTE = "Store not catalogued since 2009.\nTextile workers’ stories are missing; some think the handling table counts."


def votes(*tallies: Tally | None, shift: Shift | None = None) -> tuple[Vote, ...]:
    """Released votes in order; the last one with `shift`."""
    made = [Vote(n, "live", t.ballots if t else 3, t is not None, False, t, None) for n, t in enumerate(tallies, 1)]
    return (*made[:-1], dataclasses.replace(made[-1], shift=shift)) if made else ()


UNRELEASED = (Vote(1, "reveal", None, False, False, None, None),)
VOID = (Vote(1, "live", None, False, True, None, None),)


def asked(
    key: str, rounds: tuple[Vote, ...], agreement: Agreement | None = None, note: str = "", agenda_id: int = 0
) -> Answer:
    """A question of the framework with its votes."""
    hallmark, question = QUESTIONS[key]
    return Answer(
        agenda_id=agenda_id,
        key=key,
        plate=question.number,
        number=question.number,
        hallmark=hallmark.key,
        hallmark_title=say(hallmark.title),
        text=say(question.text),
        short=say(question.short),
        prompts=tuple(split_prompt(say(question.prompt))),
        attribution=say(hallmark.attribution) if hallmark.attribution else "",
        scale=question.scale,
        labels=tuple(say(label) for label in FRAMEWORK.scales[question.scale].labels),
        minutes=10,
        mode=None,
        maps=_maps(hallmark, question),
        votes=rounds,
        agreement=agreement or Agreement(),
        note=note,
    )


def _maps(hallmark: Hallmark, question: Question) -> dict[str, object]:
    return {
        "hallmark_title": hallmark.title,
        "text": question.text,
        "short": question.short,
        "prompt": question.prompt,
        "attribution": hallmark.attribution or {},
        "labels": list(FRAMEWORK.scales[question.scale].labels),
    }


def own_question(rounds: tuple[Vote, ...]) -> Answer:
    """A question of the group's own, on the scale of 9.4."""
    borrowed = asked("tackling-inequality-04", rounds)
    text = "How far do we agree about moving the café into the mill?"
    return dataclasses.replace(
        borrowed,
        key="own-0123456789ab",
        plate="10",
        number="",
        hallmark="",
        hallmark_title="",
        text=text,
        short="The café",
        prompts=(),
        attribution="",
        mode="reveal",
        maps={
            "hallmark_title": {"en": ""},
            "text": {"en": text},
            "short": {"en": "The café"},
            "prompt": {"en": ""},
            "attribution": {},
            "labels": borrowed.maps["labels"],
        },
    )


ACTIONS = (
    Action(
        1,
        "Invite the two community groups to the spring planning day",
        "tackling-inequality",
        "tackling-inequality-02",
        gap="Good at listening on the day, no route from there to decisions",
        owner="Outreach lead",
        first_step="Write to both groups",
        first_step_by=dt.date(2026, 12, 4),
        due=dt.date(2027, 1, 31),
        measure="both come, and one idea of theirs is in the programme",
        resources="£150 for travel",
        support=Support.MUSEUM_DEVELOPMENT,
        priority=1,
        review=dt.date(2027, 2, 27),
        plan_objective="3. A museum for the whole town",
        created_in=WHERE,
        uid="0a1b2c3d4e5f6071",
    ),
    Action(
        2,
        "Record ten mill workers’ families, starting with the 1970s night shift",
        "tackling-inequality",
        "tackling-inequality-04",
        owner="Collections lead",
        due=dt.date(2027, 4, 30),
        priority=2,
        status=Status.UNDER_WAY,
        created_in=WHERE,
        uid="0a1b2c3d4e5f6072",
    ),
    Action(
        3,
        "Bring a one-page cash picture to every board meeting",
        "finance",
        "finance-04",
        owner="Treasurer",
        due_words="Next board",
        review=dt.date(2027, 2, 27),
        created_in=WHERE,
        uid="0a1b2c3d4e5f6073",
    ),
    Action(4, "Start a “what we tried” page in the volunteer newsletter", created_in=WHERE, uid="0a1b2c3d4e5f6074"),
    Action(
        5,
        FORMULA,
        owner=WELSH,
        gap="+1 from the room",
        notes="@ask, then; decide, by\\letter",
        due=dt.date(2027, 3, 1),
        status=Status.DROPPED,
        status_reason="-no money this year",
        created_in=WHERE,
        uid="0a1b2c3d4e5f6075",
    ),
    Action(
        6,
        WELSH,
        "purpose",
        "purpose-01",
        owner="Ŷnyr ap Siôn",
        due=dt.date(2027, 2, 1),
        review=dt.date(2027, 5, 1),
        status=Status.DONE,
        created_in=WHERE,
        uid="0a1b2c3d4e5f6076",
    ),
)
PARKED = (
    ParkedItem("Should the shop open on Mondays?", "", "Next board", "Chair"),
    ParkedItem("=HYPERLINK(1) was asked for", "finance-02", "", ""),
)


def a_report() -> Report:
    """A re-vote, roles, low, far apart, don't know, under k, unreleased, not voted on, void, an own one."""
    roles = (("trustee", Tally((0, 4, 3, 1, 0), 1)), ("others", Tally((1, 5, 5, 3, 1))))
    low = dataclasses.replace(votes(Tally((1, 9, 8, 4, 1), 1))[0], groups=roles)
    first, second = Tally((1, 9, 10, 3, 0), 1), Tally((0, 3, 12, 7, 1), 1)
    answers = (
        asked("purpose-01", votes(Tally((0, 0, 1, 14, 9)))),
        asked("governance-01", votes(None)),
        asked("collections-02", UNRELEASED),
        asked("visitor-focus-03", VOID),
        asked(
            "finance-02",
            votes(Tally((4, 6, 4, 7, 3))),
            Agreement(NO_AGREEMENT, "We mean two different things by “shock”."),
            "Half think of floods, half of the grant ending.",
        ),
        asked("finance-04", votes(Tally((2, 5, 5, 2, 1), 9, 2)), Agreement(2, "")),
        asked("networks-awareness-01", ()),
        asked(
            "tackling-inequality-04",
            votes(first, second, shift=Shift(10, 13, 0)),
            Agreement(3, "Partly: the stories are known, but not written down."),
            NOTE,
        ),
        asked("tackling-inequality-02", (low,), Agreement(2, "")),
        own_question(votes(Tally((0, 5, 5, 0, 0)))),
    )
    priorities = dot_vote(len(answers) + 1, Dots((9, 4, 8, 12, 0), 14, 1), Dots((12, 2, 10, 13, 1), 14))
    return dataclasses.replace(made(answers, ACTIONS, PARKED), priorities=(priorities,))


def a_full_report() -> Report:
    """All 54 questions, each voted on twice with a rating and a note, and 24 actions: for measuring."""
    answers = [_busy(key, place) for place, key in enumerate(QUESTIONS)]
    keys = list(QUESTIONS)
    actions = [
        dataclasses.replace(ACTIONS[0], number=n, hallmark=QUESTIONS[keys[n]][0].key, question=keys[n], uid=f"{n:016x}")
        for n in range(1, 25)
    ]
    return made(tuple(answers), tuple(actions), PARKED)


def _busy(key: str, place: int) -> Answer:
    """A question with two votes, which stand in other places from question to question."""
    turn = place * 7 % 5
    heights = [2, 7, 9, 4, 3]
    first, second = ([*heights[turn:], *heights[:turn]], [*heights[::-1][turn:], *heights[::-1][:turn]])
    rounds = votes(Tally(tuple(first), 3, 1), Tally(tuple(second), 2, 1), shift=Shift(9, 12, 2))
    return asked(key, rounds, Agreement(3, "A reason of ordinary length, in one line."), NOTE)


def an_empty_report() -> Report:
    """A session that nothing has happened in."""
    return dataclasses.replace(made((asked("purpose-01", ()),), (), ()), joined=0)


def dot_vote(place: int, *rounds: Dots) -> Answer:
    """A dot vote over the first five actions, with these rounds."""
    labels = tuple(f"{action.id} {action.action}" for action in ACTIONS[:5])
    return dataclasses.replace(
        own_question(()),
        agenda_id=place,
        place=place,
        key="dots-1",
        plate=str(place),
        hallmark_title="Priorities",
        text="Which actions matter most?",
        short="Priorities: actions",
        scale="dots",
        labels=labels,
        options=tuple(action.uid for action in ACTIONS[:5]),
        maps={
            "hallmark_title": {"en": "Priorities"},
            "text": {"en": "Which actions matter most?"},
            "short": {"en": "Priorities: actions"},
            "prompt": {"en": ""},
            "attribution": {},
            "labels": [{"en": label} for label in labels],
        },
        votes=tuple(
            Vote(n, "reveal", dots.ballots, True, False, None, None, dots=dots) for n, dots in enumerate(rounds, 1)
        ),
        note="A1 and A3 belong together.",
    )


def made(answers: tuple[Answer, ...], actions: tuple[Action, ...], parked: tuple[ParkedItem, ...]) -> Report:
    """A report of these answers, each numbered by its place on the agenda."""
    placed = tuple(
        dataclasses.replace(answer, agenda_id=place, place=place) for place, answer in enumerate(answers, start=1)
    )
    return Report(
        code="482739",
        title="Hallmarks self-assessment",
        museum="Wexcombe Mill Museum",
        held_on=dt.date(2026, 11, 21),
        stage="finished",
        framework=FRAMEWORK.key,
        edition=FRAMEWORK.edition,
        credit=say(FRAMEWORK.credit),
        k=5,
        mode="live",
        roles=True,
        joined=26,
        answers=placed,
        chapters=report.chapters_of(placed, FRAMEWORK),
        three=report.three_of(placed),
        actions=actions,
        parked=parked,
    )
