"""Simulated people: what they answer and when, by the picture that a facilitator wants to rehearse. Pure.

`chance` is the only source of luck: with the same seed the same people do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from facilitation.ballots import MOST_DOTS, Direction, dots
from facilitation.hallmarks import POINTS

CROWDS = (8, 12, 24)
"""How many people there may be, but for the preset of three."""
FEW = 3


class Preset(StrEnum):
    """What the room is like."""

    CLOSE = "close"  # close together
    CAMPS = "camps"  # two camps, far apart
    UNSURE = "unsure"  # many don't know
    FEW = "few"  # only three people: too few to show anything
    WIFI = "wifi"  # some spread, and the network dies in every vote


@dataclass(frozen=True, slots=True)
class Tap:
    """An answer, so many seconds after its question came. `choice` is as a phone posts it: "4", "DK", "d1.3"."""

    after: float
    choice: str


def how_many(wanted: int, preset: Preset) -> int:
    """How many people a room of this preset holds."""
    return FEW if preset is Preset.FEW else wanted


def first_answers(preset: Preset, people: int, chance: Random) -> list[str]:
    """What each of so many people answers to a question on a scale, the first time it is asked.

    Close together stand on two neighbouring points; two camps are equally large and two points apart or more; of the
    unsure at least two in five don't know.
    """
    if preset is Preset.CLOSE:
        middle = chance.randint(2, POINTS - 1)
        beside = max(2, people // 4)
        answers = [middle] * (people - beside) + [middle + chance.choice((-1, 1))] * beside
    elif preset is Preset.CAMPS:
        low = [chance.choice((1, 2, 2)) for _ in range(people // 2)]
        answers = low + [chance.choice((4, 4, 5)) for _ in range(people - len(low))]
    else:
        answers = [chance.choice((1, 2, 2, 3, 3, 3, 4, 4, 4, 5)) for _ in range(people)]
    choices = [str(answer) for answer in answers]
    if preset is Preset.UNSURE:
        choices[: -(-2 * people // 5)] = ["DK"] * -(-2 * people // 5)
    chance.shuffle(choices)
    return choices


def later_answer(preset: Preset, first: str, chance: Random) -> str:
    """What somebody answers when the room has talked: some of the low ones come up a point, some of the unsure have
    heard enough, all others stay. Nobody goes down, so that a large room is seen to move."""
    if first == "DK":
        return chance.choice(("DK", "3", "4"))
    if first.isdecimal() and int(first) < 3 and (preset is Preset.CAMPS or chance.random() < 0.7):
        return str(int(first) + 1)
    return first


def dots_on(options: int, chance: Random) -> str:
    """Where somebody puts the dots; the first options are liked best."""
    liked = sorted(range(1, options + 1), key=lambda option: chance.random() * option)
    return dots(liked[: min(MOST_DOTS, options)])


def moved(first: str | None, now: str) -> Direction:
    """What a phone declares of a second answer; it says nothing of an answer off the scale."""
    if first is None or not (first.isdecimal() and now.isdecimal()):
        return Direction.UNKNOWN
    if first == now:
        return Direction.SAME
    return Direction.UP if now > first else Direction.DOWN


def taps(answer: str, chance: Random) -> list[Tap]:
    """When somebody taps, the earliest first: most within ten seconds, one in eight after twenty and more; one in
    six taps a neighbouring answer first and thinks again. The last tap is `answer`."""
    slow = chance.uniform(12, 20) if chance.random() < 1 / 8 else 0.0
    after = slow + min(12.0, chance.lognormvariate(1.7, 0.5))
    if answer.isdecimal() and chance.random() < 1 / 6:
        neighbour = min(POINTS, int(answer) + 1) if answer != str(POINTS) else POINTS - 1
        return [Tap(after, str(neighbour)), Tap(after + chance.uniform(3, 7), answer)]
    return [Tap(after, answer)]
