"""Where a workshop stands and how it may move on. Pure.

The transition table is data: the moves that are possible, the stage each leads to, and what has to be done on the way.
The buttons a facilitator sees are read from the same table, so a button that is shown is a move that is allowed.

    LOBBY -open-> VOTING -close-> CLOSED -reveal-> REVEALED -discuss-> DISCUSSION

In live mode closing also reveals, because the room has been watching. Every way out of VOTING counts the round first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from facilitation.errors import NoSuchMove
from facilitation.language import _


class Stage(StrEnum):
    """Where the room is."""

    LOBBY = "lobby"
    VOTING = "voting"
    CLOSED = "closed"
    REVEALED = "revealed"
    DISCUSSION = "discussion"
    FINISHED = "finished"


class Mode(StrEnum):
    """When the room sees the result of a question: while people vote, or when the facilitator shows it."""

    LIVE = "live"
    ON_REVEAL = "reveal"


class Move(StrEnum):
    """What a facilitator can ask for."""

    OPEN = "open"
    CLOSE = "close"
    REVEAL = "reveal"
    DISCUSS = "discuss"
    REVOTE = "revote"
    DISCARD = "discard"
    NEXT = "next"
    GOTO = "goto"
    FINISH = "finish"


class Effect(StrEnum):
    """What a move does besides changing the stage, carried out in this order inside its one transaction."""

    COUNT = "count the open round and forget its ballots"
    DROP = "drop the count of the latest round: it was closed by mistake"
    RELEASE = "release the counted rounds of this question"
    TURN = "turn to the question that the move names; what was not shown before stays unseen"
    OPEN = "open a round for the question"


class Arrival(StrEnum):
    """Where turning to a question leads: it depends on whether that question has a released result already."""

    AT_QUESTION = "at question"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: the stage it leads to, and the effects on the way."""

    to: Stage | Arrival
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """All that decides which moves there are.

    has_next: a question follows in the agenda. has_questions: the agenda is not empty. warm_up: the room is at the one
    that is only to try things out.
    """

    stage: Stage
    mode: Mode = Mode.LIVE
    has_next: bool = False
    has_questions: bool = True
    warm_up: bool = False


_TURN = Step(Arrival.AT_QUESTION, (Effect.TURN,))
_COUNT_AND_TURN = Step(Arrival.AT_QUESTION, (Effect.COUNT, Effect.TURN))
_AGAIN = Step(Stage.VOTING, (Effect.OPEN,))
_DROP_AND_AGAIN = Step(Stage.VOTING, (Effect.DROP, Effect.OPEN))
_END = Step(Stage.FINISHED)

_BOTH: dict[tuple[Stage, Move], Step] = {
    (Stage.LOBBY, Move.OPEN): _TURN,
    (Stage.LOBBY, Move.GOTO): _TURN,
    (Stage.LOBBY, Move.FINISH): _END,
    (Stage.VOTING, Move.NEXT): _COUNT_AND_TURN,
    (Stage.VOTING, Move.GOTO): _COUNT_AND_TURN,
    (Stage.VOTING, Move.FINISH): Step(Stage.FINISHED, (Effect.COUNT,)),
    (Stage.CLOSED, Move.REVEAL): Step(Stage.REVEALED, (Effect.RELEASE,)),
    (Stage.CLOSED, Move.REVOTE): _AGAIN,
    (Stage.CLOSED, Move.DISCARD): _DROP_AND_AGAIN,
    (Stage.CLOSED, Move.NEXT): _TURN,
    (Stage.CLOSED, Move.GOTO): _TURN,
    (Stage.CLOSED, Move.FINISH): _END,
    (Stage.REVEALED, Move.DISCUSS): Step(Stage.DISCUSSION),
    (Stage.REVEALED, Move.REVOTE): _AGAIN,
    (Stage.REVEALED, Move.DISCARD): _DROP_AND_AGAIN,
    (Stage.REVEALED, Move.NEXT): _TURN,
    (Stage.REVEALED, Move.GOTO): _TURN,
    (Stage.REVEALED, Move.FINISH): _END,
    (Stage.DISCUSSION, Move.REVOTE): _AGAIN,
    (Stage.DISCUSSION, Move.NEXT): _TURN,
    (Stage.DISCUSSION, Move.GOTO): _TURN,
    (Stage.DISCUSSION, Move.FINISH): _END,
}

TABLE: dict[tuple[Stage, Mode, Move], Step] = {
    **{(stage, mode, move): step for (stage, move), step in _BOTH.items() for mode in Mode},
    (Stage.VOTING, Mode.LIVE, Move.CLOSE): Step(Stage.REVEALED, (Effect.COUNT, Effect.RELEASE)),
    (Stage.VOTING, Mode.ON_REVEAL, Move.CLOSE): Step(Stage.CLOSED, (Effect.COUNT,)),
}

_MAIN: dict[Stage, tuple[Move, ...]] = {
    Stage.LOBBY: (Move.OPEN,),
    Stage.VOTING: (Move.CLOSE,),
    Stage.CLOSED: (Move.REVEAL,),
    Stage.REVEALED: (Move.DISCUSS,),
    Stage.DISCUSSION: (Move.NEXT, Move.FINISH),
    Stage.FINISHED: (),
}


def allowed(position: Position, move: Move) -> bool:
    """Whether the move can be made from here."""
    if (position.stage, position.mode, move) not in TABLE:
        return False
    if move is Move.NEXT:
        return position.has_next
    return position.has_questions or move not in (Move.OPEN, Move.GOTO)


def step(position: Position, move: Move) -> Step:
    """The row of the table for this move. Raises NoSuchMove with a sentence where there is none."""
    if not allowed(position, move):
        raise NoSuchMove(_("That is not possible at this point. The page has been brought up to date."))
    return TABLE[position.stage, position.mode, move]


def moves(position: Position) -> Iterator[Move]:
    """Every move that can be made from here, in the order of `Move`."""
    return (move for move in Move if allowed(position, move))


def main_move(position: Position) -> Move | None:
    """The move of the one big button: the first of the stage's that can be made. None when the workshop is finished.

    Nothing needs to be talked about after the warm-up: its result leads on to the first question.
    """
    nothing_to_discuss = position.warm_up and position.stage is Stage.REVEALED
    order = (Move.NEXT, *_MAIN[position.stage]) if nothing_to_discuss else _MAIN[position.stage]
    return next((move for move in order if allowed(position, move)), None)


def arrive(has_result: bool) -> tuple[Stage, tuple[Effect, ...]]:
    """Where turning to a question leads: to the talk about a released result, otherwise to a fresh vote."""
    return (Stage.DISCUSSION, ()) if has_result else (Stage.VOTING, (Effect.OPEN,))


def phases(mode: Mode) -> tuple[Stage, ...]:
    """The steps of one question as the console shows them."""
    if mode is Mode.LIVE:
        return (Stage.VOTING, Stage.REVEALED, Stage.DISCUSSION)
    return (Stage.VOTING, Stage.CLOSED, Stage.REVEALED, Stage.DISCUSSION)
