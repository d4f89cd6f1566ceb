"""Priorities: a secret dot vote over actions or questions. It narrows the choice; the board decides.

A dot vote is an entry of the agenda like a question, and goes through the same stages with the same ballots, pictures
and rules of disclosure: instead of a scale it has options, and a ballot puts three dots on them. Write units like those
of workshop.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from facilitation import store
from facilitation.ballots import MOST_DOTS, MOST_OPTIONS
from facilitation.errors import Refused
from facilitation.hallmarks import say
from facilitation.stages import Stage
from facilitation.store import ActionRow, AgendaItem, Workshop

FEWEST_OPTIONS = MOST_DOTS + 1  # with three options and three dots everybody says the same
LONGEST_OPTION = 120  # characters: more would not fit the shared screen
MOST_DOT_VOTES = 10
MINUTES = 5
ASKED = {
    "actions": "Which actions matter most?",
    "questions": "Which of these should we work on first?",
}
KEY = "dots-"
"""How the key of a dot vote begins; a number follows."""


def choices(session: Session, workshop_id: int) -> dict[str, dict[str, str]]:
    """What can be voted on, by kind ("actions", "questions"): the key of each thing, and its words as an option."""
    workshop = session.get_one(Workshop, workshop_id)
    rows = session.scalars(select(ActionRow).where(ActionRow.workshop_id == workshop_id).order_by(ActionRow.number))
    actions = {row.uid: _short(f"A{row.number} {row.action}") for row in rows if store.action_of(row, None).open}
    questions = {item.key: _short(f"{item.plate} {say(item.short)}") for item in workshop.questions}
    return {"actions": actions, "questions": questions}


def add_dot_vote(session: Session, workshop_id: int, over: str, keys: Sequence[str]) -> None:
    """Put a dot vote over these actions or questions at the end of the agenda; it is opened like a question."""
    workshop = store.locked_workshop(session, workshop_id)
    if workshop is None:
        raise Refused("This session has been deleted.")
    if workshop.stage == Stage.FINISHED:
        raise Refused("The session has ended.")
    if over not in ASKED:
        raise Refused("Choose whether to vote on actions or on questions.")
    known = {key: words for key, words in choices(session, workshop_id)[over].items() if key in keys}
    if not FEWEST_OPTIONS <= len(known) <= MOST_OPTIONS:
        raise Refused(
            f"Choose {FEWEST_OPTIONS} to {MOST_OPTIONS} things to vote on; these are {len(known)}. With fewer, talk; "
            "with more, dots lie too thin to say anything."
        )
    taken = [int(item.key.removeprefix(KEY)) for item in workshop.agenda if item.options is not None]
    if len(taken) >= MOST_DOT_VOTES:
        raise Refused(f"A session holds at most {MOST_DOT_VOTES} dot votes.")
    item = AgendaItem(
        key=f"{KEY}{1 + max(taken, default=0)}",
        position=0,
        number="",
        hallmark="",
        hallmark_title={"en": "Priorities"},
        text={"en": ASKED[over]},
        short={"en": f"Priorities: {over}"},
        prompt={"en": "What do the first few have in common? What are we ready to leave out?"},
        attribution={},
        scale="dots",
        labels=[{"en": words} for words in known.values()],
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
    known: Mapping[str, str] = {}
    for kind in choices(session, item.workshop_id).values():
        known = {**known, **kind}
    left = [key for key in item.options or [] if key in known]
    if len(left) < FEWEST_OPTIONS:
        raise Refused(f"Only {len(left)} of the things to vote on are left, and {FEWEST_OPTIONS} are needed.")
    item.options, item.labels = left, [{"en": known[key]} for key in left]


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_OPTION else words[: LONGEST_OPTION - 1].rstrip() + "…"
