"""Random sessions against a dictionary: whatever happens in whatever order, every count is what a child would count."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from facilitation import ballots, hallmarks, paper, stages, store, workshop
from facilitation.ballots import CHOICES, Direction
from facilitation.errors import NoSuchMove, NotVoting, Refused, Stale
from facilitation.keys import KeyFile
from facilitation.room import Rooms, Source
from facilitation.stages import Arrival, Effect, Mode, Move, Position, Stage
from facilitation.store import Ballot, Round, Workshop
from facilitation.workshop import BallotBox, Filed

FRAMEWORK = hallmarks.load(Path(__file__).parents[1] / "data" / "hallmarks.json")
PURPOSE = FRAMEWORK.hallmarks[0]
K = 3
DEVICES = [bytes([number]) * 16 for number in range(6)]

devices = st.sampled_from(DEVICES)
choices = st.sampled_from(CHOICES)
directions = st.sampled_from(Direction)


def counted(answers: Iterable[str]) -> dict[str, int]:
    """How often each choice was made."""
    tally = Counter(answers)
    return {choice: tally[choice] for choice in CHOICES}


@dataclass
class Vote:
    """One round as a dictionary knows it: device -> (seq, choice, direction)."""

    question: int
    number: int
    mode: Mode
    again: bool = False  # an earlier count stands, against which a direction can be meant
    state: str = "open"
    released: bool = False
    answers: dict[bytes, tuple[int, str, Direction]] = field(default_factory=dict)
    drawn: dict[bytes, str] = field(default_factory=dict)  # device -> choice, as the last picture holds them
    cards: set[bytes] = field(default_factory=set)  # slots of typed cards, also of those that were taken back
    guests: set[bytes] = field(default_factory=set)  # slots of what was answered on a device that is handed round
    heads: int = 0  # people without a phone, as far as the votes have shown

    def missing(self) -> int:
        """Nobody is known to have joined by phone, so only those without one can be missing."""
        return max(0, self.heads - len(self.answers))

    @property
    def picture_is_due(self) -> bool:
        """A second has passed, nobody or three are missing; of devices none or three have changed."""
        held = {device: choice for device, (_, choice, _) in self.answers.items()}
        moved = {device for device in held.keys() | self.drawn.keys() if held.get(device) != self.drawn.get(device)}
        devices = len(moved - self.cards)
        changed = devices if 0 < devices < 3 else len(moved)
        return self.mode is Mode.LIVE and len(held) >= K and changed >= 3 and self.missing() not in (1, 2)

    @property
    def counts(self) -> dict[str, int] | None:
        if self.state not in ("counted", "unseen") or len(self.answers) < K:
            return None
        return counted(choice for _, choice, _ in self.answers.values())

    @property
    def shift(self) -> dict[str, int] | None:
        said = Counter(direction for _, _, direction in self.answers.values())
        told = {direction.value: said[direction] for direction in (Direction.UP, Direction.SAME, Direction.DOWN)}
        return told if self.counts and self.again and sum(told.values()) >= K else None


class Sessions(RuleBasedStateMachine):
    """One session of three questions; the rules are what people, crashes and slow networks do."""

    def __init__(self, engine: Engine, keys: KeyFile) -> None:
        super().__init__()
        self.engine = engine
        self.keys = keys
        self.seconds = 0.0
        self.rooms = Rooms(lambda: self.seconds)
        self.box = BallotBox(keys, self.rooms)
        with store.transaction(engine) as session:
            made = workshop.create(session, FRAMEWORK, "Away day", "Tide Mill", dt.date(2026, 11, 21))
            made.k = K
            workshop.add_questions(
                session, made.id, [(PURPOSE, question) for question in PURPOSE.questions[:3]], FRAMEWORK
            )
            made.agenda[1].mode = Mode.ON_REVEAL
            session.flush()
            self.id, self.agenda = made.id, [item.id for item in made.agenda]
        self.stage = Stage.LOBBY
        self.question: int | None = None
        self.version = 1
        self.votes: list[Vote] = []
        self.heads = 0

    def teardown(self) -> None:
        self.make(Move.FINISH, self.version, None)
        self.follow(Move.FINISH, 0)
        self.the_database_says_what_the_dictionary_says()
        with store.transaction(self.engine) as session:
            workshop.delete(session, self.keys, self.id)

    # --- What the dictionary says ---

    @property
    def open(self) -> Vote | None:
        return next((vote for vote in self.votes if vote.state == "open"), None)

    def latest(self) -> Vote | None:
        """The round that the room looks at."""
        here = [v for v in self.votes if v.question == self.question and v.state != "discarded"]
        return here[-1] if here else None

    def position(self) -> Position:
        looked_at = self.latest()
        following = 0 if self.question is None else self.question + 1
        return Position(self.stage, looked_at.mode if looked_at else Mode.LIVE, following < len(self.agenda))

    def has_result(self, question: int) -> bool:
        return any(v.question == question and v.state == "counted" and v.released for v in self.votes)

    def follow(self, move: Move, target: int) -> None:
        """Do with the dictionary what the move should do."""
        step = stages.step(self.position(), move)
        effects = list(step.effects)
        if isinstance(step.to, Arrival):
            to, more = stages.arrive(self.has_result(target))
            effects += more
        else:
            to = step.to
        for effect in effects:
            if effect is Effect.COUNT:
                vote = self.open
                assert vote is not None
                vote.state = "counted" if vote.answers or move is Move.CLOSE else "discarded"
            elif effect is Effect.DROP:
                vote = self.latest()
                assert vote is not None
                vote.state, vote.released = "discarded", False
            elif effect is Effect.RELEASE:
                for vote in self.votes:
                    vote.released |= vote.question == self.question and vote.state == "counted"
            elif effect is Effect.TURN:
                for vote in self.votes:
                    if vote.state == "counted" and not vote.released:
                        vote.state = "unseen"
                self.question = target
            else:
                assert self.question is not None
                here = [v for v in self.votes if v.question == self.question]
                before = [v for v in here if v.state in ("counted", "unseen", "void")]
                again = any(v.state == "counted" for v in here)
                mode = Mode.ON_REVEAL if self.question == 1 else Mode.LIVE
                self.votes.append(Vote(self.question, 1 + len(before), mode, again))
        self.stage = to
        self.version += 1
        if to is Stage.FINISHED:
            self.question = None

    # --- What happens in the room ---

    def make(self, move: Move, version: int, target: int | None) -> None:
        agenda_id = None if target is None else self.agenda[target]
        with store.transaction(self.engine) as session:
            workshop.make_move(session, self.keys, self.id, move, version, agenda_id)

    # Hypothesis chooses among rules evenly, so what changes little goes along with what changes much.

    @rule(data=st.data(), wrong=st.sampled_from(Move), to=st.integers(0, 2), crash=st.booleans())
    def move(self, data: st.DataObject, wrong: Move, to: int, crash: bool) -> None:
        """The facilitator presses a button; now and then the program dies right after the commit and starts again.

        Before that a page that is behind and a button that is not there are tried, and do nothing.
        """
        with pytest.raises(Stale):
            self.make(wrong, self.version - 1, to)
        if not stages.allowed(self.position(), wrong):
            with pytest.raises(NoSuchMove):
                self.make(wrong, self.version, to)
        # Ending is left to the end, or most sessions would be over before anybody has voted.
        possible = [move for move in stages.moves(self.position()) if move is not Move.FINISH]
        move = data.draw(st.sampled_from(possible))
        target = to if move is Move.GOTO else 0 if self.question is None else self.question + 1
        with mock.patch.object(KeyFile, "destroy") if crash else nullcontext():
            self.make(move, self.version, to)
        if crash:
            assert workshop.recover(self.engine, self.keys) == 0
        self.follow(move, target)

    @precondition(lambda self: self.open)
    @rule(answers=st.lists(st.tuples(choices, directions), min_size=len(DEVICES), max_size=len(DEVICES)))
    def everybody_answers(self, answers: list[tuple[str, Direction]]) -> None:
        """One after the other, as a change of mind where somebody has answered before."""
        taps = [(device, *answer, 1) for device, answer in zip(DEVICES, answers, strict=True)]
        for tap in taps:
            self.file([tap])

    @precondition(lambda self: self.open)
    @rule(taps=st.lists(st.tuples(devices, choices, directions, st.integers(-2, 2)), min_size=1, max_size=6))
    def burst(self, taps: list[tuple[bytes, str, Direction, int]]) -> None:
        """Taps that are filed in one batch: new ones, changes, double taps, and retries that come late."""
        self.file(taps)

    def file(self, taps: list[tuple[bytes, str, Direction, int]]) -> None:
        """File taps together, and draw the picture that may be due: it changes no count."""
        vote = self.open
        assert vote is not None
        filings, expected = [], []
        for device, choice, direction, step in taps:
            held = vote.answers.get(device)
            seq = max(1, (held[0] if held else 0) + step)
            filings.append(self.seal(device, choice, direction, seq))
            if held is None or seq > held[0]:
                vote.answers[device] = (seq, choice, direction)
            expected.append(Filed(vote.answers[device][1], vote.answers[device][0]))
        with store.transaction(self.engine) as session:
            assert self.box.file(session, filings) == expected
        self.draw(vote, filings[0].round_id)

    def draw(self, vote: Vote, round_id: int) -> None:
        """Draw the picture that may be due after something was filed."""
        self.seconds += 1
        vote.heads = self.heads
        due = vote.picture_is_due
        with store.transaction(self.engine) as session:
            assert self.box.draw(session, self.id, round_id) == due
        if due:
            vote.drawn = {device: choice for device, (_, choice, _) in vote.answers.items()}

    @precondition(lambda self: self.open)
    @rule(typed=st.lists(choices, min_size=1, max_size=4), late=st.booleans())
    def cards_are_typed(self, typed: list[str], late: bool) -> None:
        """A batch of paper cards, and sometimes the same batch taken back."""
        vote = self.open
        assert vote is not None
        with Session(self.engine) as session:
            round_ = workshop.OpenRound.of(session.get_one(Workshop, self.id))
        assert round_ is not None
        batch = paper.sealed(self.keys, round_, typed)
        assert sorted(filing.choice for filing in batch) == sorted(typed)
        with store.transaction(self.engine) as session:
            assert paper.add(self.rooms, self.box, batch, secrets.token_hex(4), sure=True)(session) == len(typed)
        for filing in batch:
            vote.answers[filing.slot] = (1, filing.choice, Direction.UNKNOWN)
        vote.cards.update(filing.slot for filing in batch)
        before, self.heads = self.heads, self.heads_shown(vote)
        self.draw(vote, round_.round_id)
        if late:
            with store.transaction(self.engine) as session:
                assert paper.take_back(self.rooms, self.keys, self.id, round_.round_id)(session) == len(typed)
            for filing in batch:
                del vote.answers[filing.slot]
            self.heads = before
            with pytest.raises(Refused), store.transaction(self.engine) as session:
                paper.take_back(self.rooms, self.keys, self.id, round_.round_id)(session)

    @precondition(lambda self: self.open)
    @rule(answers=st.lists(choices, min_size=1, max_size=3))
    def a_device_goes_round(self, answers: list[str]) -> None:
        """Its people answer one after the other, each with a secret that is then thrown away."""
        vote = self.open
        assert vote is not None
        for choice in answers:
            filing = self.seal(ballots.new_device_secret(), choice, Direction.UNKNOWN, 1, Source.HANDED)
            with store.transaction(self.engine) as session:
                assert self.box.file(session, [filing]) == [Filed(choice, 1)]
            vote.answers[filing.slot] = (1, choice, Direction.UNKNOWN)
            vote.guests.add(filing.slot)
            self.heads = self.heads_shown(vote)
            self.draw(vote, filing.round_id)

    def heads_shown(self, vote: Vote) -> int:
        """So many people without a phone there must be."""
        return max(self.heads, len((vote.cards | vote.guests) & vote.answers.keys()))

    @precondition(lambda self: self.open)
    @rule(device=devices, choice=choices)
    def loses_the_race(self, device: bytes, choice: str) -> None:
        """A ballot was sealed while the round was open, and reaches the store after it closed."""
        filing = self.seal(device, choice, Direction.UNKNOWN, 99)
        self.make(Move.CLOSE, self.version, None)
        self.follow(Move.CLOSE, 0)
        with store.transaction(self.engine) as session:
            (outcome,) = self.box.file(session, [filing])
        assert isinstance(outcome, NotVoting)
        with pytest.raises(NotVoting):
            self.seal(device, choice, Direction.UNKNOWN, 1)

    @precondition(lambda self: self.open and self.open.answers and len(self.votes) > 2)
    @rule(to=st.sampled_from([Move.CLOSE, None]))
    def the_key_is_lost(self, to: Move | None) -> None:
        """With the key gone the round is void, whether a restart or the close finds out."""
        vote = self.open
        assert vote is not None
        self.keys.destroy(self.round_ids()[-1])
        if to:
            self.make(to, self.version, None)
            self.stage = Stage.REVEALED if vote.mode is Mode.LIVE else Stage.CLOSED
            before = [v for v in self.votes if v.question == self.question and v.state == "counted"]
            for earlier in before:
                earlier.released |= vote.mode is Mode.LIVE
        else:
            assert workshop.recover(self.engine, self.keys) == 1
            self.stage = Stage.DISCUSSION
        vote.state = "void"
        self.version += 1

    def seal(
        self, device: bytes, choice: str, direction: Direction, seq: int, source: Source = Source.PHONE
    ) -> workshop.Filing:
        with Session(self.engine) as session:
            room = session.get_one(Workshop, self.id)
            posted = workshop.Posted(choice, seq, direction)
            return workshop.seal_ballot(self.keys, workshop.OpenRound.of(room), device, posted, source)

    def round_ids(self) -> list[int]:
        with Session(self.engine) as session:
            return list(session.scalars(select(Round.id).where(Round.workshop_id == self.id).order_by(Round.ordinal)))

    # --- What must hold after every step ---

    @invariant()
    def the_database_says_what_the_dictionary_says(self) -> None:
        with Session(self.engine) as session:
            room = session.get_one(Workshop, self.id)
            rounds = session.scalars(select(Round).where(Round.workshop_id == self.id).order_by(Round.ordinal)).all()
            self.the_room_stands_where_it_should(room)
            assert len(rounds) == len(self.votes)
            for round_, vote in zip(rounds, self.votes, strict=True):
                self.the_round_is_kept_as_it_should(round_, vote)
            self.ballots_and_keys_exist_for_the_open_round_alone(session, [round_.id for round_ in rounds])
            self.each_phone_gets_its_own_answer_back(session, room)

    def the_room_stands_where_it_should(self, room: Workshop) -> None:
        assert (room.stage, room.version) == (self.stage, self.version)
        assert room.agenda_id == (None if self.question is None else self.agenda[self.question])

    def the_round_is_kept_as_it_should(self, round_: Round, vote: Vote) -> None:
        assert (round_.state, round_.released) == (vote.state, vote.released)
        assert round_.agenda_id == self.agenda[vote.question]
        assert round_.picture == (counted(vote.drawn.values()) if vote.state == "open" and vote.drawn else None)
        if vote.state in ("open", "counted", "unseen"):
            assert (round_.number, round_.mode) == (vote.number, vote.mode)
            assert (round_.counts, round_.shift) == (vote.counts, vote.shift)
            assert round_.ballots_cast == (None if vote.state == "open" else len(vote.answers))
        else:
            assert not (round_.counts or round_.shift or round_.ballots_cast)

    def ballots_and_keys_exist_for_the_open_round_alone(self, session: Session, ids: list[int]) -> None:
        vote = self.open
        held = session.execute(select(Ballot.round_id, func.count()).group_by(Ballot.round_id)).all()
        assert [tuple(row) for row in held] == ([(ids[-1], len(vote.answers))] if vote and vote.answers else [])
        assert [round_id for round_id in ids if self.keys.read(round_id)] == ([ids[-1]] if vote else [])

    def each_phone_gets_its_own_answer_back(self, session: Session, room: Workshop) -> None:
        for device in DEVICES[:2]:
            held = self.open.answers.get(device) if self.open else None
            own = workshop.own_ballot(session, self.keys, room, device)
            assert own == (Filed(held[1], held[0]) if held else None)


@pytest.fixture
def machine(sqlite_url: str, tmp_path: Path) -> Iterator[Any]:
    """What makes a session on a database of this test's own."""
    engine, keys = store.writing_engine(sqlite_url), KeyFile(tmp_path / "rounds.keys")
    yield partial(Sessions, engine, keys)
    engine.dispose()


def sized(examples: int, steps: int) -> Any:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )


def test_a_random_session_counts_what_a_dictionary_counts(machine: Any) -> None:
    run_state_machine_as_test(machine, settings=sized(6, 20))


@pytest.mark.long
def test_many_long_random_sessions_count_what_a_dictionary_counts(machine: Any) -> None:
    run_state_machine_as_test(machine, settings=sized(200, 50))
