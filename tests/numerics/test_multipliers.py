"""The stationarity of any constrained problem, against problems whose solution is known."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.numerics.multipliers import stationarity_residual
from trabecula.numerics.stationarity import kkt_residual

SIZE = 60


def quadratic(seed: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """A point, its objective's gradient, and constraints' gradients of which it is a KKT point."""
    rng = np.random.default_rng(seed)
    x = np.clip(rng.uniform(-0.3, 1.3, SIZE), 0.0, 1.0)
    constraints = [rng.normal(size=SIZE) for _ in range(3)]
    gradient = -sum(m * c for m, c in zip((0.7, 2.0, 0.0), constraints, strict=True))
    gradient[x == 0.0] += rng.uniform(0.0, 2.0, (x == 0.0).sum())  # pushed into the lower bound
    gradient[x == 1.0] -= rng.uniform(0.0, 2.0, (x == 1.0).sum())
    return x, gradient, constraints


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_a_kkt_point_has_no_residual_in_any_scale(seed: int, scale: float) -> None:
    x, gradient, constraints = quadratic(seed)
    low, high = np.zeros(SIZE), np.ones(SIZE)
    limits = [scale * c for c in constraints]
    assert stationarity_residual(x, gradient / scale, [0.0] * 3, limits, low, high) < 1e-8
    moved = gradient + 0.3 * np.abs(gradient).mean() * np.random.default_rng(9).normal(size=SIZE)
    assert stationarity_residual(x, moved, [0.0] * 3, limits, low, high) > 0.05


def test_a_constraint_with_room_balances_nothing() -> None:
    x, gradient, constraints = quadratic(3)
    low, high = np.zeros(SIZE), np.ones(SIZE)
    assert stationarity_residual(x, gradient, [0.0, -0.5, 0.0], constraints, low, high) > 0.1


def test_multipliers_are_never_negative() -> None:
    x, low, high = np.full(SIZE, 0.5), np.zeros(SIZE), np.ones(SIZE)
    gradient = np.random.default_rng(0).uniform(0.5, 1.0, SIZE)
    assert stationarity_residual(x, gradient, [0.0], [-gradient], low, high) < 1e-12
    assert stationarity_residual(x, gradient, [0.0], [gradient], low, high) > 0.5


def test_nothing_designed_and_nothing_to_gain_are_stationary() -> None:
    x = np.full(SIZE, 0.5)
    assert stationarity_residual(x, np.ones(SIZE), [], [], x, x) == 0.0
    assert stationarity_residual(x, np.zeros(SIZE), [0.0], [np.ones(SIZE)], 0 * x, 2 * x) == 0.0


def test_elements_count_by_their_volume() -> None:
    """An element cut in two halves of the same density changes nothing."""
    rng = np.random.default_rng(1)
    x, gradient, limit = rng.random(SIZE), -rng.random(SIZE), rng.random(SIZE)
    low, high, volume = np.zeros(SIZE), np.ones(SIZE), rng.uniform(0.5, 2.0, SIZE)
    whole = stationarity_residual(x, gradient, [0.0], [limit], low, high, volume)
    halves = [
        np.concatenate([a[:1] / f, a[:1] / f, a[1:]])
        for a, f in ((x, 1), (gradient, 2), (limit, 2), (low, 1), (high, 1), (volume, 2))
    ]
    x2, g2, l2, low2, high2, v2 = halves
    assert stationarity_residual(x2, g2, [0.0], [l2], low2, high2, v2) == pytest.approx(whole, rel=1e-9)


def test_under_a_volume_it_vanishes_where_the_price_of_material_says_so() -> None:
    rng = np.random.default_rng(2)
    x = np.where(rng.random(SIZE) < 0.5, rng.random(SIZE), np.round(rng.random(SIZE)))
    benefit = np.where(x == 1.0, 1.7, np.where(x == 0.0, 0.4, 1.0))
    low, high, volume = np.zeros(SIZE), np.ones(SIZE), np.full(SIZE, 1.0 / SIZE)
    for gradient in (-benefit, -benefit * rng.uniform(0.9, 1.1, SIZE)):
        known = kkt_residual(x, gradient, volume, low, high)
        found = stationarity_residual(x, gradient, [0.0], [volume], low, high)
        assert (known < 1e-6) == (found < 1e-6)
