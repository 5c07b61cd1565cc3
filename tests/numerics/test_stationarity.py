from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.certificate.grids import mbb
from trabecula.certificate.relax import relax
from trabecula.design import DesignChain
from trabecula.numerics.stationarity import kkt_residual
from trabecula.physics.assembled import AssembledState

SHAPE = (13, 17)


def optimum(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A design with its gradients that fulfils the optimality conditions exactly."""
    rng = np.random.default_rng(seed)
    x = np.clip(rng.uniform(-1, 2, SHAPE), 0, 1)
    dv = rng.uniform(0.5, 1.5, SHAPE)
    ratio = np.where(x == 0, rng.uniform(0, 1, SHAPE), np.where(x == 1, rng.uniform(1, 9, SHAPE), 1.0))
    return x, -7.0 * ratio * dv, dv


ZEROS, ONES = np.zeros(SHAPE), np.ones(SHAPE)


@given(st.integers(0, 10**6), st.floats(-8, 8), st.floats(-8, 8))
@settings(max_examples=40, deadline=None)
def test_zero_at_an_optimum_whatever_the_units(seed: int, first: float, second: float) -> None:
    x, dc, dv = optimum(seed)
    assert kkt_residual(x, 10**first * dc, 10**second * dv, ZEROS, ONES) < 1e-8
    assert kkt_residual(x, 10**first * dv, 10**second * dc, ZEROS, ONES, material="objective") < 1e-8


@given(st.integers(0, 10**6), st.floats(1e-4, 10))
@settings(max_examples=40, deadline=None)
def test_away_from_an_optimum_it_is_positive_and_free_of_units(seed: int, scale: float) -> None:
    x, dc, dv = optimum(seed)
    moved = dc * np.random.default_rng(seed).lognormal(0, 0.3, SHAPE)
    residual = kkt_residual(x, moved, dv, ZEROS, ONES)
    assert 1e-3 < residual < 2
    assert kkt_residual(x, scale * moved, dv / scale, ZEROS, ONES) == pytest.approx(residual, rel=1e-6)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_step_keeps_the_volume(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, dv = rng.uniform(0.01, 0.6, 50), rng.uniform(0.5, 1.5, 50)
    dc = -rng.lognormal(0, 2, 50)
    residual = kkt_residual(x, dc, dv, np.zeros(50), np.ones(50))

    def step(price: float) -> np.ndarray:
        return np.clip(x - 1 - price * dc / dv, 0, 1) - x

    below, above = 1e-12, 1e12
    for _ in range(200):
        middle = np.sqrt(below * above)
        below, above = (middle, above) if dv @ step(middle) < 0 else (below, middle)
    assert residual == pytest.approx(np.sqrt(dv @ step(below) ** 2 / (dv @ x)), rel=1e-4)


@pytest.mark.parametrize("volume", [0.1, 0.3, 0.5])
def test_a_uniform_start_is_of_order_one_and_a_relaxed_optimum_near_zero(volume: float) -> None:
    problem = mbb((30, 10), volume)
    state = AssembledState(problem)

    def residual(x: np.ndarray) -> float:
        state.set_stiffness(1e-9 + x)
        u, _ = state.solve(problem.loads[0])
        energy = state.bilinear(u, u)
        return kkt_residual(x, -energy, np.ones_like(x), problem.lower, problem.upper)

    assert 0.4 < residual(np.full(problem.grid.shape, volume)) < 1.1
    found = relax(problem, state, tolerance=1e-4, max_iterations=80, patience=80)
    assert residual(found.optimum) < 0.03


def test_voxels_that_are_not_designed_do_not_count() -> None:
    x, dc, dv = optimum(3)
    lower, upper = ZEROS.copy(), ONES.copy()
    lower[0], upper[1] = 1.0, 0.0
    x[0], x[1] = 1.0, 0.0
    dc[0], dc[1], dv[0], dv[1] = -1e-6, -1e6, 0.0, 0.0
    assert kkt_residual(x, dc, dv, lower, upper) < 1e-8
    assert kkt_residual(x, dc, dv, x, x) == 0.0


def test_material_without_cost_must_be_used_where_it_helps() -> None:
    x, dc, dv = optimum(4)
    dv[0, :3] = 0.0
    x[0, :3], dc[0, :3] = (1.0, 0.3, 0.0), (-1.0, 0.0, 1.0)
    dc[0, 1] = 0.0
    x[0, 1] = 0.0
    assert kkt_residual(x, dc, dv, ZEROS, ONES) < 1e-8
    x[0, 0] = 0.2
    assert kkt_residual(x, dc, dv, ZEROS, ONES) > 0.01


def test_gradients_of_nothing_are_no_reason_to_fail() -> None:
    x = np.full(SHAPE, 0.3)
    assert np.isfinite(kkt_residual(x, ZEROS, ONES, ZEROS, ONES))
    assert np.isfinite(kkt_residual(ZEROS, -ONES, ONES, ZEROS, ONES))
    assert np.isfinite(kkt_residual(x, -ONES, ZEROS, ZEROS, ONES))
    assert np.isfinite(kkt_residual(x, ZEROS, ONES, ZEROS, ONES, active=False))
    lonely = ZEROS.copy()
    lonely[0, 0] = -1.0
    assert np.isfinite(kkt_residual(x, lonely, ONES, ZEROS, ONES))


def test_what_hardly_changes_the_volume_hardly_counts() -> None:
    """A steep projection leaves most voxels nearly without effect; what they do is of no account."""
    x, dc, dv = optimum(6)
    flat = np.random.default_rng(6).random(SHAPE) < 0.7
    wrong = np.where(flat, 5.0 * dc, dc)
    assert kkt_residual(x, wrong, dv, ZEROS, ONES) > 0.1
    dimmed = np.where(flat, 1e-9, 1.0)
    assert kkt_residual(x, dimmed * wrong, dimmed * dv, ZEROS, ONES) < 1e-3


@pytest.mark.parametrize(("projection", "beta"), [(False, 1.0), (True, 2.0), (True, 32.0)])
def test_a_short_way_along_the_step_gains_what_the_residual_promises(projection: bool, beta: float) -> None:
    """By differences of the compliance itself: at least residual^2 times the price of all material."""
    problem = mbb((18, 6), projection=projection)
    chain, state = DesignChain(problem), AssembledState(problem)
    x = np.clip(chain.uniform(0.5) + 0.1 * np.random.default_rng(7).standard_normal(problem.grid.shape), 0, 1)

    def compliance(x: np.ndarray) -> tuple[float, np.ndarray]:
        physical = chain.physical(x, beta)
        state.set_stiffness(1e-9 + (1 - 1e-9) * physical**3)
        u = state.solve(problem.loads[0])[0]
        gradient = -3 * (1 - 1e-9) * physical**2 * state.bilinear(u, u)
        return float(np.vdot(problem.loads[0], u)), chain.pullback(x, beta, gradient)

    dc, dv = compliance(x)[1], chain.volume_gradient(x, beta)

    def step(price: float) -> np.ndarray:
        return np.clip(x - 1 - price * dc / dv, 0, 1) - x

    below, above = 1e-12, 1e12
    for _ in range(200):
        middle = np.sqrt(below * above)
        below, above = (middle, above) if (dv * step(middle)).sum() < 0 else (below, middle)
    s, price = step(below), (dv * x).sum() / below
    assert abs((dv * s).sum()) < 1e-9 * (dv * x).sum()
    t = 1e-5
    gain = (compliance(x - t * s)[0] - compliance(x + t * s)[0]) / (2 * t)
    residual = kkt_residual(x, dc, dv, problem.lower, problem.upper)
    assert gain == pytest.approx(-(dc * s).sum(), rel=1e-3)
    assert gain >= residual**2 * price * (1 - 1e-3)
    assert residual == pytest.approx(np.sqrt((dv * s * s).sum() / (dv * x).sum()), rel=1e-6)


def test_a_slack_limit_leaves_the_gradient_alone() -> None:
    dv = ONES
    x = np.where(np.arange(17) < 8, 0.0, 1.0) * ONES
    dc = np.where(x > 0, -2.0, 3.0)
    assert kkt_residual(x, dc, dv, ZEROS, ONES, active=False) == 0.0
    assert kkt_residual(1 - x, dc, dv, ZEROS, ONES, active=False) > 0.5


def test_several_limits_share_the_work_by_their_multipliers() -> None:
    rng = np.random.default_rng(5)
    x, dc, dv = optimum(5)
    first = dc * rng.random(SHAPE)
    parts = [first * 3.0, (dc - first) / 5.0]
    assert kkt_residual(x, dv, parts, ZEROS, ONES, material="objective") < 1e-6
    assert kkt_residual(x, dv, [dc], ZEROS, ONES, material="objective") < 1e-8
    assert (
        kkt_residual(x, dv, [dc * rng.lognormal(0, 1, SHAPE), dc / 2], ZEROS, ONES, material="objective")
        < 1e-6
    )
    black_white = np.round(x)
    assert np.isfinite(kkt_residual(black_white, dv, parts, ZEROS, ONES, material="objective"))
    assert np.isfinite(kkt_residual(x, dv, [ZEROS, ZEROS], ZEROS, ONES, material="objective"))


def test_a_design_without_material_has_nothing_to_move() -> None:
    x = np.full((4, 4), 1e-304)
    gradient = -np.linspace(1.0, 2.0, 16).reshape(4, 4)
    assert kkt_residual(x, gradient, np.ones((4, 4)), np.zeros((4, 4)), np.ones((4, 4))) < 1e-100


def test_where_material_costs_nothing_rounding_is_no_benefit() -> None:
    """As where a filter is clipped: both gradients are zero there but for the rounding of a transform."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 0.8, (6, 6))
    dc, dv = -rng.uniform(0.5, 1.5, (6, 6)), np.ones((6, 6))
    dv[:3], dc[:3] = 0.0, 0.0
    lower, upper = np.zeros((6, 6)), np.ones((6, 6))
    clean = kkt_residual(x, dc, dv, lower, upper)
    dc[:3], dv[:3] = 1e-17 * rng.standard_normal((2, 3, 6))
    assert kkt_residual(x, dc, dv, lower, upper) == pytest.approx(clean, rel=1e-9)
