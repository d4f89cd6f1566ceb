"""Counts, their words, and when they may be known: the worked cases of DOMAIN.md, and laws over many rooms."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise, permutations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facilitation.tally import (
    K_CEILING,
    K_FLOOR,
    OTHERS,
    SPREAD_WORDS,
    Change,
    Comparison,
    Moved,
    Reason,
    Shift,
    Spread,
    Tally,
    Waiting,
    above_below_words,
    agreement,
    change_words,
    chips,
    compare,
    disclosed,
    disclosed_shift,
    discussion_order,
    interpolated_median,
    median,
    merge_roles,
    middle_words,
    moved,
    moved_words,
    pairs_apart,
    picture_due,
    range_words,
    reasons,
    share_words,
    shift_words,
    sign_p,
    spread,
    three_to_discuss,
    waiting_for,
    why_words,
)

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
EXTENT = ("Not at all", "A little", "Partly", "Largely", "Fully")
ROLES = ("trustee", "staff", "volunteer", "other")
EVERY_K = range(K_FLOOR, K_CEILING + 1)

CLOSE, SOME, APART = (0, 0, 0, 8, 0), (0, 2, 4, 2, 0), (1, 3, 0, 4, 1)
ROOM_OF_23 = (2, 7, 8, 5, 1)

room = st.lists(st.integers(0, 6), min_size=5, max_size=5).map(tuple)
whole_tally = st.builds(Tally, room, st.integers(0, 6), st.integers(0, 6))
shift_of_a_room = st.builds(Shift, st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


def rooms(most: int, points: int) -> Iterator[tuple[int, ...]]:
    """Every way in which up to `most` people can share `points` points."""
    if points == 0:
        yield ()
        return
    for n in range(most + 1):
        for rest in rooms(most - n, points - 1):
            yield (n, *rest)


def votes(counts: Sequence[int]) -> list[int]:
    """The votes one by one, in order, as the textbook definitions want them."""
    return [point for point, n in enumerate(counts, start=1) for _ in range(n)]


def vectors(part: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", VECTORS[part], ids=str)


# --- counting


def test_a_tally_counts_the_scale_apart_from_dont_know_and_not_relevant() -> None:
    tally = Tally.of(["3", "DK", "5", "NR", "3", "1", "DK"])
    assert tally == Tally((1, 0, 2, 0, 1), dk=2, nr=1)
    assert (tally.n, tally.ballots, tally.low, tally.high) == (4, 7, 1, 1)


@pytest.mark.parametrize("choice", ["6", "0", "", "dk", "03", "1.5"])
def test_a_choice_that_is_not_on_the_scale_is_never_counted(choice: str) -> None:
    with pytest.raises(ValueError, match="not on a scale of 5 points"):
        Tally.of(["1", choice])


def test_a_tally_is_written_with_every_point_even_the_empty_ones() -> None:
    assert Tally((2, 0, 0, 0, 1), dk=1).as_dict() == {"1": 2, "2": 0, "3": 0, "4": 0, "5": 1, "DK": 1, "NR": 0}


@given(whole_tally)
def test_a_tally_comes_back_from_storage_as_it_went(tally: Tally) -> None:
    assert Tally.from_dict(json.loads(json.dumps(tally.as_dict()))) == tally


@pytest.mark.parametrize(
    "stored", [{}, {"1": 1}, {"1": 1, "DK": 0}, {"2": 1, "DK": 0, "NR": 0}, {"1": 1, "3": 1, "DK": 0, "NR": 0}]
)
def test_storage_that_is_not_a_tally_is_refused(stored: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not a tally"):
        Tally.from_dict(stored)


@pytest.mark.parametrize("statistic", [median, interpolated_median, pairs_apart, spread, agreement])
def test_no_statistic_takes_a_negative_count(statistic: Any) -> None:
    with pytest.raises(ValueError, match="below nought"):
        statistic((1, 2, -1, 4, 0))


def test_neither_a_tally_nor_a_shift_holds_a_negative_count() -> None:
    with pytest.raises(ValueError, match="below nought"):
        Tally((1, 2, 3, 4, 5), dk=-1)
    with pytest.raises(ValueError, match="below nought"):
        Shift(3, -1, 0)


# --- what the counts say


@vectors("summary")
def test_the_statistics_are_those_of_the_published_vectors(case: dict[str, Any]) -> None:
    counts = case["counts"]
    assert sum(counts) == case["n"]
    assert (median(counts) or (None, None)) == (case["median_low"], case["median_high"])
    assert interpolated_median(counts) == pytest.approx(case["interpolated_median"], abs=1e-6)
    assert agreement(counts) == pytest.approx(case["A"], abs=1e-6)
    assert list(pairs_apart(counts)) == case["pairs_2plus_apart"]
    assert spread(counts) == case["spread_label"]
    if len(counts) == 5:
        assert (Tally(tuple(counts)).low, Tally(tuple(counts)).high) == (case["low_1_2"], case["high_4_5"])


@pytest.mark.parametrize(
    ("counts", "middle", "moved_middle", "a", "apart", "label"),
    [
        ((0, 0, 0, 8, 0), (4, 4), 4.0, 1.0, (0, 28), Spread.CLOSE),
        ((0, 0, 4, 4, 0), (3, 4), 3.5, 0.75, (0, 28), Spread.CLOSE),
        ((0, 2, 4, 2, 0), (3, 3), 3.0, 0.625, (4, 28), Spread.SOME),
        ((1, 0, 0, 0, 7), (5, 5), 4.9286, 0.5, (7, 28), Spread.SOME),
        ((0, 4, 0, 4, 0), (2, 4), 3.0, 0.1667, (16, 28), Spread.APART),
        ((1, 3, 0, 4, 1), (4, 4), 3.625, 0.1235, (20, 36), Spread.APART),
    ],
)
def test_the_statistics_are_those_of_the_worked_table(
    counts: tuple[int, ...],
    middle: tuple[int, int],
    moved_middle: float,
    a: float,
    apart: tuple[int, int],
    label: Spread,
) -> None:
    assert median(counts) == middle
    assert interpolated_median(counts) == pytest.approx(moved_middle, abs=5e-5)
    assert agreement(counts) == pytest.approx(a, abs=5e-5)
    assert (pairs_apart(counts), spread(counts)) == (apart, label)


@given(room)
def test_the_median_is_that_of_the_votes_in_order(counts: tuple[int, ...]) -> None:
    expected = votes(counts)
    assert median(counts) == ((statistics.median_low(expected), statistics.median_high(expected)) if expected else None)


@given(room)
def test_the_interpolated_median_keeps_to_its_formula(counts: tuple[int, ...]) -> None:
    ballots = votes(counts)
    found = interpolated_median(counts)
    if not ballots:
        assert found is None
        return
    m = statistics.median(ballots)
    at = ballots.count(m)  # type: ignore[arg-type]
    sway = sum(vote > m for vote in ballots) - sum(vote < m for vote in ballots)
    assert found == pytest.approx(m + sway / (2 * at) if at else m)


def test_the_interpolated_median_is_not_the_grouped_median_of_the_standard_library() -> None:
    assert statistics.median_grouped(votes((0, 4, 0, 4, 0))) == 3.5
    assert interpolated_median((0, 4, 0, 4, 0)) == 3.0


@given(room, st.integers(1, 4))
def test_pairs_apart_counts_every_pair_of_people_once(counts: tuple[int, ...], gap: int) -> None:
    pairs = list(combinations(votes(counts), 2))
    assert pairs_apart(counts, gap) == (sum(abs(a - b) >= gap for a, b in pairs), len(pairs))


@given(room)
def test_turning_the_scale_round_changes_neither_spread_nor_agreement(counts: tuple[int, ...]) -> None:
    turned = counts[::-1]
    assert spread(turned) is spread(counts)
    assert agreement(turned) == pytest.approx(agreement(counts))


@pytest.mark.parametrize("counts", [(0, 0, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 1)])
def test_fewer_than_three_votes_have_no_spread(counts: tuple[int, ...]) -> None:
    assert spread(counts) is None


def test_one_far_voice_among_five_does_not_brand_the_room_as_split() -> None:
    assert pairs_apart((1, 0, 0, 0, 4)) == (4, 10)  # 40 %, enough by itself
    assert spread((1, 0, 0, 0, 4)) is Spread.SOME
    assert spread((2, 0, 0, 0, 3)) is Spread.APART


def test_forty_per_cent_of_the_pairs_is_far_apart_and_a_pair_less_is_not() -> None:
    assert (pairs_apart((1, 2, 2, 1, 0)), spread((1, 2, 2, 1, 0))) == ((5, 15), Spread.SOME)
    assert (pairs_apart((2, 1, 2, 1, 0)), spread((2, 1, 2, 1, 0))) == ((7, 15), Spread.APART)
    assert (pairs_apart((0, 3, 1, 2, 0)), spread((0, 3, 1, 2, 0))) == ((6, 15), Spread.APART)


def test_leaving_one_voter_out_changes_no_label_from_six_votes_up() -> None:
    for counts in rooms(12, 5):
        apart, pairs = pairs_apart(counts)
        if sum(counts) >= 6 and 5 * apart >= 2 * pairs:
            assert spread(counts) is Spread.APART, counts


def test_agreement_and_the_label_never_contradict_each_other_in_small_rooms() -> None:
    bounds = {Spread.CLOSE: (0.75, 1.0), Spread.SOME: (0.09, 0.88), Spread.APART: (-1.0, 0.67)}
    for counts in rooms(12, 5):
        if sum(counts) >= 6:
            label, a = spread(counts), agreement(counts)
            assert label is not None
            assert a is not None
            low, high = bounds[label]
            assert low - 0.005 <= a <= high + 0.005, counts


def test_agreement_is_one_at_one_point_nought_when_flat_and_minus_one_at_both_ends() -> None:
    assert agreement((0, 0, 3, 0, 0)) == 1.0
    assert agreement((2, 2, 2, 2, 2)) == 0.0
    assert agreement((4, 0, 0, 0, 4)) == -1.0
    assert agreement((3, 4)) is None


# --- vote and re-vote


@vectors("linked_revote")
def test_the_sign_test_is_that_of_the_published_vectors(case: dict[str, Any]) -> None:
    shift = Shift(case["up"], case["same"], case["down"])
    pairs = list(zip(case["round1"], case["round2"], strict=True))
    assert shift == Shift(sum(b > a for a, b in pairs), sum(b == a for a, b in pairs), sum(b < a for a, b in pairs))
    assert sign_p(shift) == pytest.approx(case["exact_sign_p_two_sided"])


@pytest.mark.parametrize(
    ("up", "same", "down", "headline"),
    [
        (6, 2, 0, "The group moved up"),
        (9, 0, 1, "The group moved up"),
        (0, 4, 6, "The group moved down"),
        (1, 0, 9, "The group moved down"),
        (5, 3, 0, "Some moved; no clear direction"),
        (7, 0, 1, "Some moved; no clear direction"),
        (8, 0, 1, "Some moved; no clear direction"),
        (4, 1, 4, "Some moved; no clear direction"),
        (0, 8, 0, "Nobody moved"),
    ],
)
def test_the_headline_over_a_revote_follows_the_rule(up: int, same: int, down: int, headline: str) -> None:
    assert moved_words(Shift(up, same, down)) == headline


def test_the_group_moved_is_never_said_where_chance_would_do() -> None:
    said = [Shift(up, 0, down) for up, down in product(range(40), repeat=2) if _clear(Shift(up, 0, down))]
    assert said
    assert all((sign_p(shift) or 1.0) < 0.05 for shift in said)


def _clear(shift: Shift) -> bool:
    return moved(shift) in (Moved.UP, Moved.DOWN)


def test_a_room_that_stayed_has_no_p_value() -> None:
    assert sign_p(Shift(0, 9, 0)) is None


def test_the_sign_test_copes_with_a_conference() -> None:
    assert sign_p(Shift(250, 0, 250)) == 1.0


# --- this year and last year


@vectors("unlinked_comparison")
def test_the_comparison_is_that_of_the_published_vectors(case: dict[str, Any]) -> None:
    found = compare(case["earlier"], case["later"])
    assert found.delta == pytest.approx(case["cliffs_delta_later_vs_earlier"], abs=1e-6)
    assert found.limit == pytest.approx(case["no_change_limit"], abs=1e-6)
    assert found.change is not None
    assert found.change.replace("_", " ") == case["phrase"]


@pytest.mark.parametrize(
    ("n", "m", "limit"), [(6, 6, 0.680), (8, 8, 0.583), (8, 12, 0.529), (12, 12, 0.472), (20, 20, 0.362)]
)
def test_the_limits_of_no_clear_change_are_the_published_ones(n: int, m: int, limit: float) -> None:
    assert compare((0, 0, n, 0, 0), (0, 0, m, 0, 0)).limit == pytest.approx(limit, abs=5e-4)


@given(room, room)
def test_the_comparison_counts_every_cross_pair(earlier: tuple[int, ...], later: tuple[int, ...]) -> None:
    pairs = list(product(votes(earlier), votes(later)))
    found = compare(earlier, later)
    if not pairs:
        assert found == Comparison(None, None, None)
        return
    assert found.delta == pytest.approx(sum((b > a) - (b < a) for a, b in pairs) / len(pairs))
    assert found.delta is not None
    assert found.limit is not None
    if min(sum(earlier), sum(later)) < 4:
        assert found.change is None
    else:
        assert (found.change is not Change.NO_CLEAR_CHANGE) == (abs(found.delta) > found.limit)


@given(room, room)
def test_looking_back_turns_higher_into_lower(earlier: tuple[int, ...], later: tuple[int, ...]) -> None:
    turned = {Change.CLEARLY_HIGHER: Change.CLEARLY_LOWER, Change.CLEARLY_LOWER: Change.CLEARLY_HIGHER}
    there, back = compare(earlier, later).change, compare(later, earlier).change
    assert back == (turned.get(there, there) if there else None)


def test_a_change_just_above_the_limit_is_clear() -> None:
    found = compare((1, 4, 4, 0, 0), (0, 2, 3, 3, 1))
    assert found.delta == pytest.approx(0.556, abs=5e-4)
    assert found.limit == pytest.approx(0.548, abs=5e-4)
    assert found.change is Change.CLEARLY_HIGHER


def test_three_votes_are_not_compared_in_words() -> None:
    assert compare((3, 0, 0, 0, 0), (0, 0, 0, 0, 9)).change is None
    assert compare((4, 0, 0, 0, 0), (0, 0, 0, 0, 9)).change is Change.CLEARLY_HIGHER


def test_scales_of_different_length_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different numbers of points"):
        compare((1, 2, 3), (1, 2, 3, 4))


# --- what may be known


@pytest.mark.parametrize("k", EVERY_K)
@given(tally=whole_tally)
@settings(max_examples=30)
def test_a_tally_is_known_from_k_ballots_on_and_never_below(k: int, tally: Tally) -> None:
    assert disclosed(tally, k) == (tally if tally.n + tally.dk + tally.nr >= k else None)


def test_dont_know_and_not_relevant_count_towards_k() -> None:
    assert disclosed(Tally((0, 0, 1, 1, 0), dk=2, nr=1), 5) is not None
    assert disclosed(Tally((0, 0, 1, 1, 0), dk=2), 5) is None


@pytest.mark.parametrize("k", EVERY_K)
@given(shift=shift_of_a_room)
@settings(max_examples=30)
def test_a_shift_is_known_from_k_declared_directions_on(k: int, shift: Shift) -> None:
    assert disclosed_shift(shift, k) == (shift if shift.up + shift.same + shift.down >= k else None)


@vectors("role_breakdown")
def test_the_roles_shown_are_those_of_the_published_vectors(case: dict[str, Any]) -> None:
    groups = merge_roles(case["ballots_by_role"], case["k"], ROLES) or {}
    assert sorted(set(groups.values()) - {OTHERS}) == case["roles_shown"]


def test_small_roles_join_others_and_the_smallest_role_left_joins_them_if_they_are_too_few() -> None:
    assert merge_roles({"trustee": 7, "staff": 2, "volunteer": 6}, 5, ROLES) == {
        "trustee": "trustee",
        "staff": OTHERS,
        "volunteer": OTHERS,
    }


def test_on_a_tie_the_role_later_in_the_list_joins_others() -> None:
    groups = merge_roles({"volunteer": 6, "staff": 6, "trustee": 6, "other": 1}, 5, ROLES)
    assert groups == {"trustee": "trustee", "staff": "staff", "volunteer": OTHERS, "other": OTHERS}


def test_somebody_without_a_role_cannot_be_worked_out_from_the_total() -> None:
    groups = merge_roles({"trustee": 7, "staff": 6, OTHERS: 1}, 5, ROLES)
    assert groups == {"trustee": "trustee", "staff": OTHERS, OTHERS: OTHERS}


def test_a_role_that_nobody_has_is_in_no_group() -> None:
    assert merge_roles({"trustee": 8, "staff": 0}, 5, ROLES) == {"trustee": "trustee"}


def test_a_role_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="not among the roles"):
        merge_roles({"director": 8}, 5, ROLES)


@pytest.mark.parametrize("k", EVERY_K)
def test_no_group_of_any_room_up_to_twelve_is_smaller_than_k(k: int) -> None:
    shown = 0
    for sizes in rooms(12, 5):
        by_role = dict(zip((*ROLES, OTHERS), sizes, strict=True))
        groups = merge_roles(by_role, k, ROLES)
        if groups is None:
            continue
        shown += 1
        assert groups.keys() == {role for role, n in by_role.items() if n}  # everybody is in a group: no remainder
        assert all(group in (role, OTHERS) for role, group in groups.items())
        assert set(groups.values()) != {OTHERS}
        for group in groups.values():
            assert sum(by_role[role] for role in groups if groups[role] == group) >= k, by_role
    assert shown


# --- pictures of an open round


@pytest.mark.parametrize(
    ("ballots", "touched", "missing", "since_last", "due"),
    [
        (4, 4, 0, None, False),  # fewer than k
        (5, 5, 0, None, True),
        (5, 5, 2, None, False),  # the last two would be picked out at the close
        (5, 5, 3, None, True),
        (7, 2, 9, 60.0, False),  # two answers since the last picture
        (8, 3, 9, 0.9, False),  # too soon
        (8, 3, 9, 1.0, True),
        (11, 3, 1, 60.0, False),
        (12, 4, 0, 60.0, True),
    ],
)
def test_a_picture_is_due_only_by_the_release_rule(
    ballots: int, touched: int, missing: int, since_last: float | None, due: bool
) -> None:
    assert picture_due(ballots, touched, missing, since_last, k=5) is due


def test_the_console_is_told_what_the_next_picture_waits_for() -> None:
    assert waiting_for(3, 3, 2, None, k=5) == Waiting(answers=2, changes=0, missing=2, seconds=0.0)
    assert waiting_for(9, 1, 5, 0.25, k=5) == Waiting(answers=0, changes=2, missing=0, seconds=0.75)


@pytest.mark.parametrize("k", EVERY_K)
def test_no_step_between_pictures_or_to_the_close_concerns_one_or_two_people(k: int) -> None:
    for people in range(1, 13):
        shown = [0]
        for ballots in range(1, people + 1):
            if picture_due(ballots, ballots - shown[-1], people - ballots, 5.0, k):
                assert ballots >= k
                shown.append(ballots)
        steps = [later - earlier for earlier, later in zip(shown, [*shown[1:], people], strict=True)]
        assert all(step == 0 or step >= 3 for step in steps if len(shown) > 1), (people, shown)
        assert (len(shown) > 1) == (people >= k)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.floats(0, 10), st.sampled_from(EVERY_K))
def test_a_picture_never_comes_below_k_nor_for_one_or_two_nor_within_a_second(
    ballots: int, touched: int, missing: int, since_last: float, k: int
) -> None:
    expected = ballots >= k and touched >= 3 and missing not in (1, 2) and since_last >= 1
    assert picture_due(ballots, touched, missing, since_last, k) is expected


# --- what to discuss first


def test_chips_say_why_a_question_is_worth_talking_about() -> None:
    assert chips(Tally(APART, dk=5)) == ("far apart", "4 of 9 low", "5 don’t know")
    assert chips(Tally(ROOM_OF_23, dk=1)) == ("9 of 23 low",)
    assert chips(Tally(CLOSE)) == ()


def test_a_reason_to_talk_is_said_as_a_sentence_where_it_stands_alone() -> None:
    said = [why_words(Tally(APART, dk=5), reason) for reason in Reason]
    assert said == ["People were far apart", "4 of 9 answers were low", "5 don’t know"]
    assert why_words(Tally((4, 4, 1, 0, 0)), Reason.LOW) == "Nearly all answers were low", (
        "no sentence is about one vote"
    )


def test_low_and_dont_know_need_two_people_and_a_third() -> None:
    assert Reason.LOW not in reasons(Tally((1, 0, 2, 0, 0)))
    assert Reason.LOW in reasons(Tally((1, 1, 4, 0, 0)))
    assert Reason.LOW not in reasons(Tally((1, 1, 5, 0, 0)))
    assert Reason.DONT_KNOW not in reasons(Tally((0, 0, 2, 0, 0), dk=1))
    assert Reason.DONT_KNOW in reasons(Tally((0, 0, 4, 0, 0), dk=2))
    assert Reason.DONT_KNOW not in reasons(Tally((0, 0, 4, 0, 0), dk=2, nr=1))


def test_no_chip_of_any_small_room_carries_a_count_of_one() -> None:
    seen = 0
    for low, above, dk, nr in rooms(12, 4):
        for chip in chips(Tally((low, 0, 0, above, 0), dk, nr)):
            seen += 1
            assert not re.match(r"1\b", chip), chip
    assert seen


@given(whole_tally)
def test_no_chip_carries_a_count_of_one(tally: Tally) -> None:
    assert not any(re.match(r"1\b", chip) for chip in chips(tally))


def test_the_order_is_far_apart_then_low_then_dont_know_then_middle_then_running_order() -> None:
    agenda = [
        None,  # not released
        Tally(CLOSE),
        Tally((0, 0, 0, 0, 0), dk=9),  # nobody rated it
        Tally(CLOSE),
        Tally((0, 0, 8, 0, 0)),
        Tally(CLOSE, dk=4),
        Tally(SOME),
        Tally(APART),
    ]
    assert discussion_order(agenda) == [7, 6, 5, 4, 1, 3, 0, 2]


@given(st.lists(st.none() | whole_tally, max_size=8))
@settings(max_examples=60)
def test_the_order_holds_for_any_agenda(agenda: list[Tally | None]) -> None:
    order = discussion_order(agenda)
    assert sorted(order) == list(range(len(agenda)))
    for first, second in pairwise(order):
        a, b = agenda[first], agenda[second]
        rated_a, rated_b = bool(a and a.n), bool(b and b.n)
        assert rated_a >= rated_b
        if not (a and b and rated_a and rated_b):
            continue
        apart_a, apart_b = spread(a.counts) is Spread.APART, spread(b.counts) is Spread.APART
        assert apart_a >= apart_b
        if apart_a == apart_b:
            assert a.low * b.n >= b.low * a.n


@given(st.lists(whole_tally, max_size=5, unique_by=lambda tally: (tally.counts, tally.dk, tally.nr)))
@settings(max_examples=40)
def test_equal_questions_apart_the_running_order_does_not_matter(agenda: list[Tally]) -> None:
    def urgency(tally: Tally) -> tuple[object, ...]:
        share = tally.low / tally.n if tally.n else 0.0
        return reasons(tally), share, interpolated_median(tally.counts)

    expected = [urgency(agenda[position]) for position in discussion_order(agenda) if agenda[position].n]
    for turned in list(permutations(agenda))[:24]:
        assert [urgency(turned[at]) for at in discussion_order(turned) if turned[at].n] == expected


def test_page_one_names_the_first_for_each_reason_and_no_question_twice() -> None:
    split_and_lowest = Tally((6, 0, 3, 0, 0), dk=20)
    low = Tally((0, 4, 4, 0, 0))
    lower = Tally((0, 5, 3, 0, 0))
    unknown = Tally((0, 0, 0, 2, 0), dk=7)
    agenda = [Tally(CLOSE), low, unknown, None, lower, split_and_lowest]
    assert three_to_discuss(agenda) == [(5, Reason.APART), (4, Reason.LOW), (2, Reason.DONT_KNOW)]


def test_page_one_names_fewer_when_a_reason_holds_nowhere() -> None:
    assert three_to_discuss([Tally(CLOSE), None, Tally((0, 4, 4, 0, 0))]) == [(2, Reason.LOW)]
    assert three_to_discuss([]) == []


def test_page_one_names_a_question_that_everybody_answered_with_dont_know() -> None:
    nobody_rated = Tally((0, 0, 0, 0, 0), dk=9)
    assert three_to_discuss([Tally(CLOSE, dk=4), nobody_rated]) == [(1, Reason.DONT_KNOW)]


# --- in words


def test_the_middle_answer_is_said_in_the_words_of_the_scale() -> None:
    assert middle_words(ROOM_OF_23, EXTENT) == "Partly"
    assert middle_words((0, 0, 4, 4, 0), EXTENT) == "between Partly and Largely"
    assert middle_words((0, 4, 0, 4, 0), EXTENT) == "between A little and Largely"
    assert middle_words((0, 0, 0, 0, 0), EXTENT) is None


def test_the_middle_answer_of_a_single_vote_is_not_said() -> None:
    assert disclosed(Tally((0, 0, 0, 0, 1), dk=4), 5) is not None  # its counts may be known
    assert middle_words((0, 0, 0, 0, 1), EXTENT) is None


def test_the_range_of_views_is_said_without_counts() -> None:
    assert range_words((0, 1, 5, 0, 2), EXTENT) == "views range from A little to Fully"
    assert range_words((0, 0, 6, 0, 0), EXTENT) == "all views are at Partly"
    assert range_words((0, 0, 1, 0, 0), EXTENT) is None


def test_both_ends_are_said_as_counts_of_all() -> None:
    assert (
        share_words(Tally(ROOM_OF_23, dk=1), EXTENT)
        == "6 of 23 say Largely or Fully. 9 of 23 say A little or Not at all."
    )
    assert share_words(Tally((2, 3, 1, 0, 0)), EXTENT) == "None of 6 say Largely or Fully."
    assert share_words(Tally((0, 0, 0, 0, 0), dk=9), EXTENT) is None


def test_a_lone_voice_is_not_told_by_counting_all_the_others() -> None:
    assert share_words(Tally((1, 0, 0, 0, 7)), EXTENT) is None
    assert above_below_words(Tally((2, 0, 1, 0, 2))) is None


def test_people_around_the_middle_answer_are_said_as_counts() -> None:
    assert above_below_words(Tally(ROOM_OF_23)) == "6 of 23 are above it, 9 below"
    assert above_below_words(Tally((0, 3, 8, 0, 0))) == "None of 11 are above it, 3 below"
    assert above_below_words(Tally((0, 0, 8, 2, 0))) == "2 of 10 are above it, none below"
    assert above_below_words(Tally((0, 1, 8, 3, 0))) is None
    assert above_below_words(Tally((0, 0, 4, 4, 0))) is None
    assert above_below_words(Tally(CLOSE)) is None
    assert above_below_words(Tally((0, 0, 0, 0, 0))) is None


def test_the_shift_is_said_as_three_counts() -> None:
    assert shift_words(Shift(10, 13, 0)) == "10 went up, 13 stayed, none down"
    assert shift_words(Shift(0, 0, 6)) == "None went up, none stayed, 6 down"
    assert shift_words(Shift(0, 0, 0)) is None


@pytest.mark.parametrize("shift", [Shift(1, 5, 5), Shift(5, 1, 5), Shift(5, 5, 1)])
def test_a_shift_with_a_count_of_one_is_left_to_the_table(shift: Shift) -> None:
    assert shift_words(shift) is None


def test_the_comparison_is_said_with_the_number_of_people_then() -> None:
    assert (
        change_words(compare((1, 3, 2, 2, 0), (0, 2, 3, 3, 1)), 8)
        == "No clear change (8 people then; a group this size can miss a real one)"
    )
    assert change_words(compare((3, 4, 1, 0, 0), (0, 0, 2, 5, 2)), 8) == "Clearly higher (8 people then)"
    assert change_words(compare((0, 0, 2, 5, 2), (3, 4, 1, 0, 0)), 9) == "Clearly lower (9 people then)"
    assert change_words(compare((3, 0, 0, 0, 0), (0, 0, 2, 5, 2)), 3) is None


def test_the_three_words_for_spread_are_those_of_the_pages() -> None:
    assert [SPREAD_WORDS[label] for label in Spread] == ["Close together", "Some spread", "Far apart"]


def test_no_sentence_about_any_small_room_holds_a_lone_one() -> None:
    said = 0
    for counts in rooms(9, 5):
        for words in (share_words(Tally(counts), EXTENT), above_below_words(Tally(counts))):
            if words:
                said += 1
                assert not re.search(r"\b1\b", words), words
                for part, whole in re.findall(r"(\d+) of (\d+)", words):
                    assert int(whole) - int(part) != 1, words
    assert said


@given(shift_of_a_room)
def test_no_sentence_about_a_revote_holds_a_lone_one(shift: Shift) -> None:
    assert not re.search(r"\b1\b", f"{shift_words(shift)} {moved_words(shift)}")
