"""Paper cards: a batch that the facilitator types in while the question is open.

Each card becomes a ballot like any other: a device secret that nobody keeps, so a slot that is as random as a phone's,
and sealed bytes that tell nothing. A batch is shuffled and filed in one transaction. Which slots were cards is known
only to this process's memory while the round is open (room.py): for the release rule, and so that the last batch can
be taken back.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy.orm import Session

from facilitation import ballots, store
from facilitation.ballots import CHOICES, MOST_DOTS
from facilitation.errors import NotVoting, Refused
from facilitation.keys import KeyFile
from facilitation.language import _
from facilitation.room import Batch, Rooms, Source
from facilitation.store import Workshop
from facilitation.workshop import BallotBox, Filing, OpenRound, Posted, seal_ballot

MOST_CARDS = 60  # in one batch: more is a slip of the keyboard, or two batches
_LATE = "Voting has closed. These cards came too late, and none of them was counted."


class NotSure(Refused):
    """More answers than people: right if somebody was not known of, so the facilitator is asked."""


def counted(typed: Mapping[str, str]) -> list[str]:
    """The choices of a batch, from the number of cards for each of CHOICES as it was typed; Refused in words."""
    choices: list[str] = []
    for choice in CHOICES:
        number = typed.get(choice, "").strip() or "0"
        if not (number.isascii() and number.isdigit() and len(number) < 4):
            raise Refused(_("Give the number of cards for each answer as a whole number, or leave it empty."))
        choices += [choice] * int(number)
    return _a_batch(choices)


def dotted(typed: str, labels: Sequence[str]) -> list[str]:
    """The choices of a batch of a dot vote: one card a line, each with the names of up to three options ("A1 A4").

    A line with a single hyphen is a card without dots. Refused names the line.
    """
    names = {label.partition(" ")[0].casefold(): place for place, label in enumerate(labels, start=1)}
    choices: list[str] = []
    for line, text in enumerate(typed.splitlines(), start=1):
        words = [] if text.strip() == "-" else re.findall(r"[^\s,;]+", text)
        if not words and text.strip() != "-":
            continue
        if strange := next((word for word in words if word.casefold() not in names), None):
            raise Refused(_("Line %(line)s: “%(word)s” is none of the options.", line=line, word=strange[:20]))
        options = {names[word.casefold()] for word in words}
        if len(words) > MOST_DOTS or len(options) < len(words):
            raise Refused(
                _("Line %(line)s: a card has up to %(dots)s dots, each on another option.", line=line, dots=MOST_DOTS)
            )
        choices.append(ballots.dots(options))
    return _a_batch(choices)


def _a_batch(choices: list[str]) -> list[str]:
    if not choices:
        raise Refused(_("Enter at least one card."))
    if len(choices) > MOST_CARDS:
        raise Refused(
            _(
                "You entered %(cards)s cards. One batch holds at most %(most)s; enter the others after it.",
                cards=len(choices),
                most=MOST_CARDS,
            )
        )
    return choices


def sealed(keys: KeyFile, round_: OpenRound, choices: Iterable[str]) -> list[Filing]:
    """A batch as ballots, each from a device secret of its own that is forgotten here, in an order of no meaning.

    Raises NotVoting if the round takes none any more.
    """
    shuffled = list(choices)
    secrets.SystemRandom().shuffle(shuffled)
    try:
        return [
            seal_ballot(keys, round_, ballots.new_device_secret(), Posted(choice, 1), Source.CARD)
            for choice in shuffled
        ]
    except NotVoting:
        raise NotVoting(_(_LATE)) from None


def add(rooms: Rooms, box: BallotBox, batch: Sequence[Filing], form: str, sure: bool) -> Callable[[Session], int]:
    """The write unit that files a batch, all of it or nothing; it returns the number of cards.

    form: what names the page that they were typed on, so that a form that is sent twice is counted once.
    Raises Refused for the second time, NotVoting when the round has closed, NotSure for more answers than there are
    people, unless `sure`.
    """
    workshop_id, round_id = batch[0].workshop_id, batch[0].round_id

    def job(session: Session) -> int:
        workshop = store.locked_workshop(session, workshop_id)
        if workshop is None:
            raise Refused(_("This session has been deleted."))
        room = rooms[workshop_id]
        if room.picture_round == round_id and form and form in room.forms:
            raise Refused(_("These cards are in already, and were counted once."))
        people, answers = workshop.joined + workshop.heads, store.turnout(session, round_id) + len(batch)
        if answers > people and not sure:
            raise NotSure(
                _(
                    "You entered %(cards)s cards. With them %(answers)s answers are in, and the program knows of "
                    "%(people)s people in the room.",
                    cards=len(batch),
                    answers=answers,
                    people=people,
                )
            )
        before = workshop.heads
        if any(isinstance(outcome, Refused) for outcome in box.file(session, batch)):
            raise NotVoting(_(_LATE))
        session.expire(workshop)
        noted = Batch(tuple(filing.slot for filing in batch), before, workshop.heads)
        store.after_commit(session, lambda: room.note_batch(round_id, noted, form))
        return len(batch)

    return job


def take_back(rooms: Rooms, keys: KeyFile, workshop_id: int, round_id: int) -> Callable[[Session], int]:
    """The write unit that takes the last batch of an open round back; it returns the number of cards.

    Raises NotVoting when the round has closed, Refused when there is no batch that this process remembers.
    """

    def job(session: Session) -> int:
        taking, key = store.still_open(session, [round_id], [workshop_id]), keys.read(round_id)
        if round_id not in taking or key is None:
            raise NotVoting(_("Voting has closed, so the cards are counted and cannot be taken back."))
        room = rooms[workshop_id]
        batch = room.batch if room.picture_round == round_id else None
        if batch is None:
            raise Refused(_("There is no batch that could be taken back."))
        held = store.ballots_in(session, round_id, batch.slots)
        cards = {slot: ballots.unseal(key, round_id, slot, row[1]).choice for slot, row in held.items()}
        store.remove_ballots(session, round_id, list(cards))
        workshop = session.get_one(Workshop, workshop_id)
        if workshop.heads == batch.heads_after:
            workshop.heads = batch.heads_before
        workshop.tick += 1

        def note() -> None:
            if not room.counts_from(round_id, taking[round_id]):
                room.note_picture(round_id, rooms.clock(), taking[round_id])
            room.note_taken_back(round_id, cards)

        store.after_commit(session, note)
        return len(cards)

    return job
