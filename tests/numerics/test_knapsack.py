from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from trabecula.numerics.knapsack import fill, least, most


def case(seed: int, unit: bool, costly: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    gain = np.round(rng.random(n) * 4) if rng.random() < 0.3 else rng.lognormal(0, 3, n)
    room = np.ones(n) if unit else rng.random(n) * (rng.random(n) < 0.8)
    cost = rng.lognormal(0, 1, n) if costly else None
    return gain, room, cost


@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.floats(0, 1.3))
@settings(max_examples=80, deadline=None)
def test_most_is_the_optimum_of_the_linear_programme(
    seed: int, unit: bool, costly: bool, share: float
) -> None:
    gain, room, cost = case(seed, unit, costly)
    weight = np.ones_like(gain) if cost is None else cost
    left = share * float(weight @ room)
    found = most(gain, room, left, cost)
    solved = linprog(-gain, A_ub=weight[None], b_ub=[left], bounds=np.stack([0 * room, room], axis=1))
    assert found == pytest.approx(-solved.fun, rel=1e-7, abs=1e-9)
    if cost is None:
        reached = fill(gain, room, left)
        assert reached.sum() <= left * (1 + 1e-12) + 1e-12
        assert np.all((reached >= 0) & (reached <= room))
        assert gain @ reached <= found
        assert gain @ reached == pytest.approx(found, rel=1e-10, abs=1e-12)


@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.just(0.0) | st.floats(1e-5, 1))
@settings(max_examples=80, deadline=None)
def test_least_is_the_optimum_of_the_linear_programme(
    seed: int, unit: bool, costly: bool, share: float
) -> None:
    gain, room, cost = case(seed, unit, costly)
    weight = np.ones_like(gain) if cost is None else cost
    need = share * float(gain @ room)
    found = least(gain, room, need, cost)
    unit_of_need = need or 1.0  # the other solver's tolerance is absolute: 1e-7 of a tiny need is all of it
    row, right = -gain[None] / unit_of_need, [-need / unit_of_need]
    solved = linprog(weight, A_ub=row, b_ub=right, bounds=np.stack([0 * room, room], axis=1))
    if solved.status == 0:
        assert found == pytest.approx(solved.fun, rel=1e-6, abs=1e-8)


@given(st.integers(0, 10**6), st.booleans(), st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_most_and_least_undo_each_other(seed: int, unit: bool, share: float) -> None:
    gain, room, cost = case(seed, unit, True)
    assert cost is not None
    left = share * float(cost @ room)
    assert least(gain, room, most(gain, room, left, cost) * (1 - 1e-9), cost) <= left * (1 + 1e-9)


def test_what_no_material_can_reach_is_infinite() -> None:
    assert least(np.array([1.0, 2.0]), np.ones(2), 3.1) == np.inf
    assert least(np.array([1.0, 2.0]), np.ones(2), 3.0) == pytest.approx(2.0)
    assert least(np.array([1.0, 2.0]), np.ones(2), -1.0) == 0.0


def test_nothing_to_fill_gains_nothing() -> None:
    assert most(np.ones(3), np.zeros(3), 1.0) == 0.0
    assert least(np.array([0.0, 1.0]), np.zeros(2), 0.0) == 0.0


def test_material_that_costs_nothing_is_always_used() -> None:
    gain, cost = np.array([5.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
    assert most(gain, np.ones(3), 0.5, cost) == pytest.approx(5.5)
    assert least(gain, np.ones(3), 5.5, cost) == pytest.approx(0.5)


def test_the_value_is_never_below_the_exact_sum() -> None:
    gain = np.full(100_000, 0.1)
    assert most(gain, np.ones(100_000), 100_000) >= 10_000.0
    assert most(gain, np.ones(100_000), 100_000) == pytest.approx(10_000.0, rel=1e-9)
