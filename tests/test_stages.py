"""The transition table: every stage with every move, and no way out of a vote that does not count it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facilitation import stages
from facilitation.errors import NoSuchMove
from facilitation.stages import TABLE, Arrival, Effect, Mode, Move, Position, Stage

POSITIONS = [
    Position(stage, mode, has_next, has_questions)
    for stage in Stage
    for mode in Mode
    for has_next in (False, True)
    for has_questions in (False, True)
    if has_questions or not has_next
]

# What a facilitator can do at each stage; "close" alone leads to different places in the two modes.
CAN = {
    Stage.LOBBY: {Move.OPEN, Move.GOTO, Move.FINISH},
    Stage.VOTING: {Move.CLOSE, Move.NEXT, Move.GOTO, Move.FINISH},
    Stage.CLOSED: {Move.REVEAL, Move.REVOTE, Move.DISCARD, Move.NEXT, Move.GOTO, Move.FINISH},
    Stage.REVEALED: {Move.DISCUSS, Move.REVOTE, Move.DISCARD, Move.NEXT, Move.GOTO, Move.FINISH},
    Stage.DISCUSSION: {Move.REVOTE, Move.NEXT, Move.GOTO, Move.FINISH},
    Stage.FINISHED: set[Move](),
}

LEADS_TO = {
    Move.OPEN: Arrival.AT_QUESTION,
    Move.REVEAL: Stage.REVEALED,
    Move.DISCUSS: Stage.DISCUSSION,
    Move.REVOTE: Stage.VOTING,
    Move.DISCARD: Stage.VOTING,
    Move.NEXT: Arrival.AT_QUESTION,
    Move.GOTO: Arrival.AT_QUESTION,
    Move.FINISH: Stage.FINISHED,
}


def arrivals(position: Position, move: Move) -> Iterator[tuple[Stage, tuple[Effect, ...]]]:
    """Every stage a move may lead to, with all that is done on the way."""
    step = stages.step(position, move)
    if isinstance(step.to, Stage):
        yield step.to, step.effects
    else:
        for has_result in (False, True):
            stage, more = stages.arrive(has_result)
            yield stage, step.effects + more


def successors(position: Position) -> Iterator[Position]:
    """Every position that one move away can be; the next round may have either mode, and either end of the agenda."""
    for move in stages.moves(position):
        for stage, effects in arrivals(position, move):
            modes = tuple(Mode) if Effect.TURN in effects or Effect.OPEN in effects else (position.mode,)
            for mode in modes:
                for has_next in (False, True):
                    yield Position(stage, mode, has_next)


def reachable() -> set[Position]:
    """Every position that a workshop can come to."""
    found = {Position(Stage.LOBBY, mode, has_next=True) for mode in Mode}
    found |= {Position(Stage.LOBBY, mode, has_next=False, has_questions=False) for mode in Mode}
    new = set(found)
    while new:
        new = {after for position in new for after in successors(position)} - found
        found |= new
    return found


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_answers_every_move_with_its_row_or_a_refusal(stage: Stage, mode: Mode, move: Move) -> None:
    position = Position(stage, mode, has_next=True)
    if move not in CAN[stage]:
        assert not stages.allowed(position, move)
        with pytest.raises(NoSuchMove, match="not possible at this point"):
            stages.step(position, move)
        return
    step = stages.step(position, move)
    if move is Move.CLOSE:
        assert step.to is (Stage.REVEALED if mode is Mode.LIVE else Stage.CLOSED)
        assert (Effect.RELEASE in step.effects) is (mode is Mode.LIVE)
    else:
        assert step.to is LEADS_TO[move]


def test_the_table_has_no_row_beyond_those() -> None:
    assert {(stage, move) for stage, _, move in TABLE} == {(stage, move) for stage in Stage for move in CAN[stage]}


def test_every_stage_can_be_reached_and_a_live_round_is_never_closed_and_hidden() -> None:
    found = reachable()
    assert {position.stage for position in found} == set(Stage)
    assert {position.mode for position in found if position.stage is Stage.VOTING} == set(Mode)
    assert not [position for position in found if position.stage is Stage.CLOSED and position.mode is Mode.LIVE]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("move", sorted(CAN[Stage.VOTING]))
def test_every_way_out_of_a_vote_counts_it_before_anything_else(move: Move, mode: Mode) -> None:
    assert stages.step(Position(Stage.VOTING, mode, has_next=True), move).effects[0] is Effect.COUNT


def test_only_an_open_round_is_counted_and_only_a_counted_one_dropped_or_released() -> None:
    for (stage, _, _), step in TABLE.items():
        assert (Effect.COUNT in step.effects) == (stage is Stage.VOTING)
        if Effect.DROP in step.effects:
            assert stage in (Stage.CLOSED, Stage.REVEALED)
        if Effect.RELEASE in step.effects:
            assert step.to is Stage.REVEALED


def test_what_leads_to_a_vote_opens_a_round_and_nothing_else_does() -> None:
    for position in reachable():
        for move in stages.moves(position):
            for stage, effects in arrivals(position, move):
                assert (stage is Stage.VOTING) == (Effect.OPEN in effects)
                assert effects.count(Effect.OPEN) <= 1


def test_leaving_a_vote_by_skipping_or_ending_releases_nothing() -> None:
    for mode in Mode:
        for move in (Move.NEXT, Move.GOTO, Move.FINISH):
            step = stages.step(Position(Stage.VOTING, mode, has_next=True), move)
            assert Effect.RELEASE not in step.effects


@pytest.mark.parametrize("position", [p for p in POSITIONS if p.stage is Stage.FINISHED])
def test_nothing_leaves_a_finished_workshop(position: Position) -> None:
    assert list(stages.moves(position)) == []
    assert stages.main_move(position) is None


@pytest.mark.parametrize("position", POSITIONS)
def test_the_big_button_is_always_a_move_that_is_allowed(position: Position) -> None:
    main = stages.main_move(position)
    if main is None:
        assert position.stage is Stage.FINISHED or not position.has_questions
    else:
        assert main in stages.moves(position)
        stages.step(position, main)


def test_after_the_warm_up_the_big_button_leads_on_to_the_first_question_and_nothing_is_to_be_talked_about() -> None:
    shown = Position(Stage.REVEALED, has_next=True, warm_up=True)
    assert stages.main_move(shown) is Move.NEXT
    assert stages.main_move(replace(shown, has_next=False)) is Move.DISCUSS
    assert stages.main_move(replace(shown, stage=Stage.VOTING)) is Move.CLOSE


def test_pressing_the_big_button_again_and_again_ends_every_workshop() -> None:
    for mode in Mode:
        stage, pressed, questions = Stage.LOBBY, [], 3
        while main := stages.main_move(Position(stage, mode, has_next=questions > 0)):
            pressed.append(main)
            questions -= main in (Move.OPEN, Move.NEXT)
            stage, _ = next(arrivals(Position(stage, mode, has_next=True), main))
        each = [Move.CLOSE, Move.DISCUSS] if mode is Mode.LIVE else [Move.CLOSE, Move.REVEAL, Move.DISCUSS]
        assert pressed == [Move.OPEN, *each, Move.NEXT, *each, Move.NEXT, *each, Move.FINISH]


def test_the_last_question_has_no_next_and_an_empty_agenda_cannot_be_opened() -> None:
    for stage in (Stage.VOTING, Stage.CLOSED, Stage.REVEALED, Stage.DISCUSSION):
        assert Move.NEXT not in stages.moves(Position(stage, Mode.ON_REVEAL, has_next=False))
    empty = Position(Stage.LOBBY, has_next=False, has_questions=False)
    assert list(stages.moves(empty)) == [Move.FINISH]


def test_a_question_with_a_released_result_is_talked_about_and_any_other_is_voted_on() -> None:
    assert stages.arrive(has_result=True) == (Stage.DISCUSSION, ())
    assert stages.arrive(has_result=False) == (Stage.VOTING, (Effect.OPEN,))


def test_the_steps_on_the_console_are_the_stages_of_that_mode_in_order() -> None:
    assert Stage.CLOSED not in stages.phases(Mode.LIVE)
    for mode in Mode:
        stage, seen = Stage.VOTING, [Stage.VOTING]
        while stage is not Stage.DISCUSSION:
            main = stages.main_move(Position(stage, mode))
            assert main is not None
            stage, _ = next(arrivals(Position(stage, mode), main))
            seen.append(stage)
        assert tuple(seen) == stages.phases(mode)


@given(st.data())
def test_on_any_walk_each_round_that_opens_is_counted_once_before_the_next_opens(data: st.DataObject) -> None:
    position = Position(Stage.LOBBY, has_next=True)
    is_open = False
    for _ in range(20):
        choices = list(stages.moves(position))
        if not choices:
            break
        stage, effects = data.draw(st.sampled_from(list(arrivals(position, data.draw(st.sampled_from(choices))))))
        for effect in effects:
            if effect is Effect.COUNT:
                assert is_open
                is_open = False
            elif effect is Effect.OPEN:
                assert not is_open
                is_open = True
            elif effect in (Effect.DROP, Effect.RELEASE):
                assert not is_open
        position = Position(stage, data.draw(st.sampled_from(Mode)), data.draw(st.booleans()))
        assert is_open == (position.stage is Stage.VOTING)
