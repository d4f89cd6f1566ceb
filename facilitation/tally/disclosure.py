"""When counts may be known: the threshold k, the groups of roles, and the pictures of an open round. Pure.

The rules, and what they cannot prevent: DOMAIN.md, section 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from facilitation.tally.change import Shift
from facilitation.tally.counts import Tally, voters
from facilitation.tally.dots import Dots

K_DEFAULT, K_FLOOR, K_CEILING = 5, 3, 10
"""Fewest ballots for which anything is shown: as delivered, and the limits of the facilitator's choice."""
PICTURE_STEP = 3
"""A new picture, and what is left after it, concern at least this many ballots or none."""
PICTURE_SECONDS = 1.0
OTHERS = "others"
"""The group of roles that are too small to stand alone, and of ballots without a role."""


Counted = TypeVar("Counted", bound=Tally | Dots)


def disclosed(tally: Counted, k: int) -> Counted | None:
    """The counts of a closed round, or None below `k` ballots. Only a rehearsal passes a k below K_FLOOR."""
    return tally if tally.ballots >= k else None


def disclosed_shift(shift: Shift, k: int) -> Shift | None:
    """The shift if at least `k` phones declared a direction, else None."""
    return shift if shift.declared >= k else None


def merge_roles(ballots_by_role: Mapping[str, int], k: int, roles: Sequence[str]) -> dict[str, str] | None:
    """The group, a role itself or OTHERS, in which each role that has ballots is stored; None: store the total only.

    `roles` is the list of roles in its order. Ballots without a role are counted under OTHERS, or the total would
    give them away. Roles below k join OTHERS; while OTHERS has 1 to k-1 ballots the smallest role left joins too, on
    a tie the one later in the list. ValueError for a role that is not in the list.
    """
    if strange := ballots_by_role.keys() - {*roles, OTHERS}:
        raise ValueError(f"not among the roles: {sorted(strange)}")
    voters(list(ballots_by_role.values()))
    present = {role: n for role, n in ballots_by_role.items() if n}
    alone = [role for role in roles if present.get(role, 0) >= k]
    while alone and 0 < sum(n for role, n in present.items() if role not in alone) < k:
        alone.remove(min(reversed(alone), key=present.__getitem__))
    return {role: role if role in alone else OTHERS for role in present} if alone else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the next picture of an open round waits for: each number is what is still lacking, 0 is nothing.

    `answers` ballots until k; `changes` ballots to be cast or changed; `missing` people still out while they are one or
    two; `seconds`. For the console only: a public line that counts down would tie a picture to one tap.
    """

    answers: int
    changes: int
    missing: int
    seconds: float

    @property
    def due(self) -> bool:
        """Nothing is lacking."""
        return not (self.answers or self.changes or self.missing or self.seconds)


def waiting_for(ballots: int, touched: int, missing: int, since_last: float | None, k: int) -> Waiting:
    """What a live picture waits for; the first one (`since_last` None) too, except the second.

    `ballots` are in; `touched` of them were cast or changed, net, since the last picture; `missing` people are present
    without a ballot; the last picture is `since_last` seconds old.
    """
    return Waiting(
        answers=max(0, k - ballots),
        changes=max(0, PICTURE_STEP - touched),
        missing=missing if 0 < missing < PICTURE_STEP else 0,
        seconds=0.0 if since_last is None else max(0.0, PICTURE_SECONDS - since_last),
    )


def picture_due(ballots: int, touched: int, missing: int, since_last: float | None, k: int) -> bool:
    """Whether an open live round may show a new picture now; the arguments are those of `waiting_for`."""
    return waiting_for(ballots, touched, missing, since_last, k).due
