"""Statistics against enumeration, simulation, and scipy where the statistic is our own."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval.significance import (
    bootstrap_interval,
    bootstrap_statistic,
    effect_size,
    holm,
    mcnemar_p,
    power_of,
    randomisation_p,
    smallest_detectable,
    smallest_visible,
)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=9))
def test_randomisation_counts_all_sign_patterns(differences: list[float]) -> None:
    observed = abs(sum(differences))
    patterns = list(itertools.product((1, -1), repeat=len(differences)))
    extreme = sum(
        abs(sum(s * d for s, d in zip(p, differences, strict=True))) >= observed - 1e-9 for p in patterns
    )
    assert randomisation_p(differences) == pytest.approx(extreme / len(patterns))


def exact_randomisation_p(tenths: list[int]) -> float:
    """The p over all sign patterns, by adding one difference after another to the distribution of sums."""
    sums = Counter({0: 1})
    for size in tenths:
        grown: Counter[int] = Counter()
        for total, n in sums.items():
            grown[total + size] += n
            grown[total - size] += n
        sums = grown
    observed = abs(sum(tenths))
    return sum(n for total, n in sums.items() if abs(total) >= observed) / sums.total()


def test_randomisation_by_drawing_agrees_with_all_patterns_counted() -> None:
    rng = random.Random(3)
    tenths = [rng.choice([-10, -4, 0, 3, 7, 10]) for _ in range(60)]
    assert randomisation_p([size / 10 for size in tenths]) == pytest.approx(
        exact_randomisation_p(tenths), abs=0.015
    )


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_an_even_coin_falling_at_least_as_unevenly(wins: int, losses: int) -> None:
    n = wins + losses
    uneven = [k for k in range(n + 1) if abs(2 * k - n) >= abs(wins - losses)]
    assert mcnemar_p(wins, losses) == pytest.approx(sum(math.comb(n, k) for k in uneven) / 2**n)


def test_the_bootstrap_interval_agrees_with_scipy() -> None:
    rng = random.Random(8)
    values = [rng.choice([-1.0, 0.0, 0.0, 0.5, 1.0]) for _ in range(120)]
    theirs = stats.bootstrap(
        (values,), lambda x, axis: x.mean(axis=axis), method="percentile", n_resamples=20_000, random_state=2
    ).confidence_interval
    assert bootstrap_interval(values) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_the_bootstrap_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = random.Random(5)
    covered = 0
    for _ in range(200):
        low, high = bootstrap_interval([float(rng.random() < 0.3) for _ in range(80)], n_resamples=500)
        covered += low <= 0.3 <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_the_same_differences_give_the_same_numbers() -> None:
    values = [0.1, -0.4, 1.0, 0.0, 0.3] * 9
    assert bootstrap_interval(values) == bootstrap_interval(values) != bootstrap_interval(values, seed=1)
    assert randomisation_p(values) == randomisation_p(values)
    assert bootstrap_statistic(lambda rows: float(rows[0]), 9) == bootstrap_statistic(
        lambda rows: float(rows[0]), 9
    )


def test_holm_multiplies_by_how_many_are_left_and_never_falls() -> None:
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_with_85_questions_a_change_under_7_points_cannot_be_seen() -> None:
    assert smallest_visible(85) == pytest.approx(6 / 85)
    assert mcnemar_p(5, 0) > 0.05 > mcnemar_p(6, 0)


def test_the_smallest_detectable_change_is_seen_four_times_in_five() -> None:
    rng = random.Random(11)
    n, gain, loss = 200, 0.15, 0.05  # of questions flip; the true difference is 10 points
    deviation = (gain + loss - (gain - loss) ** 2) ** 0.5
    expected = power_of(gain - loss, deviation, n)
    seen = 0
    for _ in range(400):
        flips = [rng.random() for _ in range(n)]
        seen += mcnemar_p(sum(f < gain for f in flips), sum(gain <= f < gain + loss for f in flips)) < 0.05
    assert seen / 400 == pytest.approx(expected, abs=0.07)
    differences = [1.0] * 30 + [-1.0] * 10 + [0.0] * 160
    detectable = smallest_detectable(differences)
    assert detectable is not None
    assert power_of(detectable, deviation, n) == pytest.approx(0.8, abs=0.01)


def test_two_runs_that_agree_everywhere_prove_no_unlimited_eyesight() -> None:
    assert smallest_detectable([0.0] * 85) == pytest.approx(6 / 85)
    assert smallest_detectable([0.0] * 5) is None


def test_an_effect_without_spread_has_no_size() -> None:
    assert effect_size([0.0, 0.0]) is None
    assert effect_size([1.0, 0.0, 1.0, 0.0]) == pytest.approx(0.5 / (1 / 3) ** 0.5)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        bootstrap_interval([])
