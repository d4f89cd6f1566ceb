"""Priorities: a secret dot vote over actions or questions. It narrows the choice; the board decides.

A dot vote is an entry of the agenda like a question, and goes through the same stages with the same ballots, pictures
and rules of disclosure: instead of a scale it has options, and a ballot puts three dots on them. Write units like those
of workshop.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import bounds, store
from facilitation.ballots import MOST_DOTS, MOST_OPTIONS
from facilitation.errors import Refused
from facilitation.hallmarks import LanguageMap, say
from facilitation.language import SOURCE, _, in_all, mark
from facilitation.stages import Stage
from facilitation.store import ActionRow, AgendaItem, Workshop

FEWEST_OPTIONS = MOST_DOTS + 1  # with three options and three dots everybody says the same
LONGEST_OPTION = 120  # characters: more would not fit the shared screen
MINUTES = 5
ASKED = {
    "actions": mark("Which actions matter most?"),
    "questions": mark("Which of these should we work on first?"),
}
_IN_SHORT = {"actions": mark("Priorities: actions"), "questions": mark("Priorities: questions")}
KEY = "dots-"
"""How the key of a dot vote begins; a number follows."""


def choices(session: Session, workshop_id: int) -> dict[str, dict[str, str]]:
    """What can be voted on, by kind ("actions", "questions"): the key of each thing, and its words as an option."""
    return {kind: {key: say(words) for key, words in found.items()} for kind, found in _options(session, workshop_id)}


def _options(session: Session, workshop_id: int) -> Iterator[tuple[str, dict[str, LanguageMap]]]:
    """As `choices`, with the words in every language that they have."""
    workshop = session.get_one(Workshop, workshop_id)
    rows = session.scalars(select(ActionRow).where(ActionRow.workshop_id == workshop_id).order_by(ActionRow.number))
    open_actions = [row for row in rows if store.action_of(row, None).open]
    yield "actions", {row.uid: {SOURCE: _short(f"A{row.number} {row.action}")} for row in open_actions}
    yield (
        "questions",
        {
            item.key: {language: _short(f"{item.plate} {words}") for language, words in item.short.items()}
            for item in workshop.questions
        },
    )


def add_dot_vote(session: Session, workshop_id: int, over: str, keys: Sequence[str]) -> None:
    """Put a dot vote over these actions or questions at the end of the agenda; it is opened like a question."""
    workshop = store.locked_workshop(session, workshop_id)
    if workshop is None:
        raise Refused(_("This session has been deleted."))
    if workshop.stage == Stage.FINISHED:
        raise Refused(_("The session has ended."))
    if over not in ASKED:
        raise Refused(_("Choose whether to vote on actions or on questions."))
    known = {key: words for key, words in dict(_options(session, workshop_id))[over].items() if key in keys}
    if not FEWEST_OPTIONS <= len(known) <= MOST_OPTIONS:
        raise Refused(
            _(
                "Choose %(fewest)s to %(most)s things to vote on; these are %(count)s. With fewer, talk; with more, "
                "dots "
                "lie too thin to say anything.",
                fewest=FEWEST_OPTIONS,
                most=MOST_OPTIONS,
                count=len(known),
            )
        )
    bounds.demand_room_for_dot_vote(workshop)
    taken = [int(item.key.removeprefix(KEY)) for item in workshop.agenda if item.options is not None]
    item = AgendaItem(
        key=f"{KEY}{1 + max(taken, default=0)}",
        position=0,
        number="",
        hallmark="",
        hallmark_title=in_all(mark("Priorities")),
        text=in_all(ASKED[over]),
        short=in_all(_IN_SHORT[over]),
        prompt=in_all(mark("What do the first few have in common? What are we ready to leave out?")),
        attribution={},
        scale="dots",
        labels=list(known.values()),
        options=list(known),
        minutes=MINUTES,
    )
    workshop.agenda.append(item)
    store.number_agenda(workshop.agenda)
    workshop.tick += 1


def bring_up_to_date(session: Session, item: AgendaItem) -> None:
    """Before its first round: take the words of the options as they are now; what was removed meanwhile goes.

    Raises Refused when too few are left. From here on the options stay, so that a second vote can be compared.
    """
    known: Mapping[str, LanguageMap] = {}
    for _kind, options in _options(session, item.workshop_id):
        known = {**known, **options}
    left = [key for key in item.options or [] if key in known]
    if len(left) < FEWEST_OPTIONS:
        raise Refused(
            _(
                "Only %(count)s of the things to vote on are left, and %(fewest)s are needed.",
                count=len(left),
                fewest=FEWEST_OPTIONS,
            )
        )
    item.options, item.labels = left, [known[key] for key in left]


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_OPTION else words[: LONGEST_OPTION - 1].rstrip() + "…"
