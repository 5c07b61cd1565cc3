"""The threshold of a cascade: against brute force, and against what its confidence promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from trabecula.nn.compress import ThresholdChoice, choose_threshold


def pair(
    doubt: NDArray[np.float64], little: NDArray[np.float64], big: NDArray[np.float64], at: float
) -> float:
    return float(np.where(doubt > at, big, little).mean())


examples = st.integers(1, 40).flatmap(
    lambda size: st.tuples(
        *(
            st.lists(values, min_size=size, max_size=size)
            for values in (st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), st.integers(0, 1), st.integers(0, 1))
        )
    )
)


@settings(max_examples=40, deadline=None)
@given(examples, st.floats(0, 1))
def test_the_highest_threshold_that_keeps_the_error_is_found(
    given_: tuple[list[float], list[int], list[int]], target: float
) -> None:
    doubt, little, big = (np.array(each, float) for each in given_)
    candidates = [-math.inf, *np.unique(doubt)]
    allowed = [at for at in candidates if pair(doubt, little, big, at) <= target + 1e-12]
    if not allowed:
        with pytest.raises(ValueError, match="cannot be kept"):
            choose_threshold(doubt, little, big, target - 1e-12, None)
        return
    found = choose_threshold(doubt, little, big, target + 1e-12, None)
    assert found.threshold == max(allowed)
    assert found.error == pytest.approx(pair(doubt, little, big, found.threshold)) == found.limit
    assert found.share == pytest.approx(float((doubt > found.threshold).mean()))


def test_the_limit_is_clopper_and_pearsons_for_right_and_wrong() -> None:
    little = np.array([0] * 95 + [1] * 5, float)
    found = choose_threshold(np.zeros(100), little, np.zeros(100), 0.5, 0.9)
    assert found.limit == pytest.approx(stats.binomtest(5, 100).proportion_ci(0.8, "exact").high)
    assert (found.threshold, found.share) == (0.0, 0.0)


def test_the_limit_is_students_for_any_other_error() -> None:
    little = np.random.default_rng(0).normal(1, 0.2, 50)
    found = choose_threshold(np.zeros(50), little, np.zeros(50), 2.0, 0.95)
    high = stats.ttest_1samp(little, 0).confidence_interval(0.9).high
    assert found.limit == pytest.approx(high)


def sample(rng: np.random.Generator, size: int) -> tuple[NDArray[np.float64], ...]:
    """Doubt tells the truth: the little network is wrong as often as it says; the big one rarely."""
    doubt = rng.beta(0.5, 2.0, size)
    return doubt, (rng.random(size) < doubt).astype(float), (rng.random(size) < 0.02).astype(float)


def test_new_data_keep_the_target_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    doubt, little, big = sample(rng, 200_000)
    kept = {0.9: 0, None: 0}
    for _ in range(80):
        chosen = rng.choice(len(doubt), 500)
        for confidence in kept:
            at = choose_threshold(doubt[chosen], little[chosen], big[chosen], 0.06, confidence).threshold
            kept[confidence] += pair(doubt, little, big, at) <= 0.06
    assert kept[0.9] >= 0.9 * 80
    assert kept[None] < 0.75 * 80  # what measuring without a margin comes to


def test_everything_goes_to_the_big_network_where_nothing_else_is_allowed() -> None:
    found = choose_threshold([0.1, 0.2], [1, 1], [0, 0], 0.0, None)
    assert found == ThresholdChoice(-math.inf, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("big", "confidence", "message"), [([1, 1], None, "alone has 1"), ([0, 0], 0.9, "with 90 % confidence")]
)
def test_targets_out_of_reach_are_refused(big: list[int], confidence: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_threshold([0.1, 0.2], [1, 1], big, 0.05, confidence)


def test_one_example_proves_nothing() -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        choose_threshold([0.1], [0.5], [0.5], 0.6, 0.9)
