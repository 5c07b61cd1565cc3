"""The reward is that of MnasNet; goals and settings that make no sense are refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trabecula.nn.tune import (
    Float,
    Int,
    Metric,
    Milliseconds,
    OneOf,
    Pareto,
    Reward,
)
from trabecula.nn.tune.pruning import PRUNERS, pruner

POSITIVE = st.floats(1e-3, 1e3)


@given(st.floats(0, 1), POSITIVE, POSITIVE)
def test_the_soft_reward_is_metric_times_ratio_to_the_minus_seven_hundredths(
    metric: float, latency: float, target: float
) -> None:
    assert Reward(target)(metric, latency) == pytest.approx(metric * (latency / target) ** -0.07)
    assert Reward.soft(target) == Reward(target, -0.07, -0.07)


def test_the_soft_reward_pays_five_percent_for_twice_the_speed() -> None:
    """Tan et al. 2019: w = -0.07 so that a 5 % gain in accuracy is worth a doubled latency."""
    reward = Reward(10.0)
    assert reward(0.5, 10.0) == pytest.approx(reward(0.5 * 1.05, 20.0), rel=2e-3)


def test_the_hard_reward_is_the_metric_below_the_target_and_in_proportion_beyond() -> None:
    reward = Reward.hard(10.0)
    assert reward(0.8, 1.0) == reward(0.8, 10.0) == 0.8
    assert reward(0.8, 20.0) == pytest.approx(0.4)


def test_goals_say_what_they_need() -> None:
    assert Metric().values(0.5, None) == (0.5,) and not Metric().needs_latency
    assert Pareto().values(0.5, 2.0) == (0.5, 2.0) and Pareto().needs_latency
    assert Reward(1.0).values(0.5, 1.0) == (0.5,) and Reward(1.0).needs_latency
    assert Pareto().directions == ("maximize", "minimize")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Reward(0.0), "target"),
        (lambda: Reward(math.inf), "target"),
        (lambda: Reward(1.0, 0.1), "at most zero"),
        (lambda: Reward(1.0, 0.0, -math.inf), "at most zero"),
        (lambda: Reward(1.0)(-0.1, 1.0), "at least zero"),
        (lambda: Pareto(1), "at least two"),
        (lambda: Milliseconds(0.0), "positive number"),
        (lambda: Int(3, 2), "low comes first"),
        (lambda: Int(0, 2, log=True), "above zero"),
        (lambda: Int(1, 9, step=2, log=True), "logarithmic"),
        (lambda: Float(math.nan, 1.0), "low comes first"),
        (lambda: OneOf(()), "needs values"),
        (lambda: pruner("best"), "there are median, asha, hyperband, none"),
    ],
)
def test_what_makes_no_sense_is_refused(make: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()  # type: ignore[operator]


def test_pruners_have_names_or_are_optunas_own() -> None:
    own = PRUNERS["asha"]()
    assert pruner(own) is own
    assert {type(pruner(name)).__name__ for name in PRUNERS} == {
        "MedianPruner",
        "SuccessiveHalvingPruner",
        "HyperbandPruner",
        "NopPruner",
    }
