"""Designs that carry themselves: no two-cycle, stationary, one piece, symmetric, as good as any other way."""

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from trabecula.certificate.connected import pieces
from trabecula.design import Schedule
from trabecula.discretisation import discretise
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, iterate
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import OwnWeightCriteria, make_optimizer
from trabecula.problem import Problem, parse
from trabecula.problem.model import Goal
from trabecula.responses import Constraint, Evaluation, optimality_residual

WEIGHT = {"gravity": [0, -9.81]}


def deck(force: float | None = None, elements: tuple[int, int] = (40, 20), **options: object) -> Problem:
    """A deck over two springings that carries its own weight, and an even load where one is given (N)."""
    loads: list[dict[str, object]] = [WEIGHT]
    if force is not None:
        loads.append({"where": {"y": 10}, "force": [0, -force]})
    return parse(
        {
            "trabecula": 1,
            "domain": {"size": [20.0, 10.0], "elements": list(elements)},
            "material": "concrete",
            "supports": [
                {"where": {"x": 0, "y": [0, 1]}, "fix": ["x", "y"]},
                {"where": {"x": 20, "y": [0, 1]}, "fix": ["x", "y"]},
            ],
            "loads": loads,
            "regions": [{"where": {"y": [9.5, 10]}, "as": "solid"}],
            "goal": {"minimize": "compliance", "volume": 0.4},
            "options": {"projection": False, **options},
        }
    )


def table() -> Problem:
    """A plate in space on four feet, with as much load as it may weigh."""
    return parse(
        {
            "trabecula": 1,
            "domain": {"size": [8.0, 4.0, 8.0], "elements": [12, 6, 12]},
            "material": "concrete",
            "supports": [
                {"where": {"y": 0, "x": x, "z": z}, "fix": ["x", "y", "z"]}
                for x in ([0, 1], [7, 8])
                for z in ([0, 1], [7, 8])
            ],
            "loads": [{"gravity": [0, -9.81, 0]}, {"where": {"y": 4}, "force": [0, -1.8e6, 0]}],
            "regions": [{"where": {"y": [3.4, 4]}, "as": "solid"}],
            "goal": {"minimize": "compliance", "volume": 0.3},
            "options": {"projection": False},
        }
    )


def run(problem: Problem, iterations: int, optimizer: object = None) -> tuple[Analysis, tuple, np.ndarray]:
    """A penalty ramp from the uniform design, so many iterations: the analysis, its rows, the last design."""
    analysis = Analysis(discretise(problem), 1)
    chosen = optimizer or make_optimizer(analysis.discrete, 1, 0.7)
    plan = Plan(chosen, Schedule(1.0, 3.0, 30), Stop(change=0.0, kkt=0.0, limit=iterations))
    first = begin(plan, analysis.chain.uniform(0.4))
    (last,) = deque(iterate(analysis, plan, first), maxlen=1)
    return analysis, last.rows, last.x


def residual(analysis: Analysis, x: np.ndarray) -> float:
    found = analysis.evaluate(x, 3.0, tolerance=1e-9)
    return optimality_residual(
        analysis.formulation, analysis.discrete, x, found.gradient, found.constraints, found.own_weight
    )


@pytest.mark.parametrize("named", [None, "oc"])
def test_a_deck_under_its_own_weight_comes_to_rest_where_the_sign_alone_swings(named: str | None):
    analysis, rows, x = run(deck(optimizer=named), 120)
    late = [row.objective for row in rows[-10:]]
    assert max(late) / min(late) - 1.0 < 1e-3
    assert residual(analysis, x) < 0.03
    sign = tb.optimizers.OptimalityCriteria(tb.optimizers.OC.adapting())
    _, swinging, _ = run(deck(), 120, sign)
    late_sign = [row.objective for row in swinging[-10:]]
    assert max(late_sign) / min(late_sign) > 1.05, "the fault this is about"
    assert min(late) < 0.8 * min(row.objective for row in swinging[40:])


@pytest.mark.parametrize("force", [None, 1e5, 2e6, 2e8])
def test_any_share_of_own_weight_is_stationary_symmetric_and_in_one_piece(force: float | None):
    result = tb.solve(deck(force), start="uniform")
    assert result.converged
    assert result.certificate.kkt_residual < 0.04
    assert result.certificate.connected
    np.testing.assert_array_less(abs(result.density - result.density[:, ::-1]), 1e-6)


def test_no_other_optimiser_is_much_better():
    own = tb.solve(deck(2e6), start="uniform")
    other = tb.solve(deck(2e6, optimizer="mma"), start="uniform", iterations=300)
    assert own.compliance < 1.01 * other.compliance


def test_a_crisp_deck_is_stationary_too():
    result = tb.solve(deck(2e6, projection=True), start="uniform")
    assert result.certificate.kkt_residual < 0.05
    assert result.certificate.grey < 0.02
    assert result.certificate.connected


def test_own_weight_in_space_is_stationary_and_twice_symmetric():
    result = tb.solve(table(), start="uniform")
    density = np.asarray(result.density)
    assert result.certificate.kkt_residual < 0.04
    assert pieces(density.astype(np.float64), discretise(result.problem)).is_one_piece
    assert abs(density - density[:, :, ::-1]).max() < 1e-6
    assert abs(density - density[::-1]).max() < 1e-6


def test_the_classical_schedule_does_not_swing_either():
    result = tb.solve(deck(), start="classical", iterations=150)
    late = [row["objective"] for row in result.history][-10:]
    assert max(late) / min(late) - 1.0 < 0.01


def test_volume_that_only_weighs_is_not_used():
    analysis, rows, x = run(deck(), 80)
    assert rows[-1].volume < 0.35
    found = analysis.evaluate(x, 3.0, tolerance=1e-9)
    assert found.constraints[0].value < -0.1
    assert residual(analysis, x) < 0.04


def test_least_volume_with_own_weight_meets_its_limit_and_is_stationary():
    stiff = tb.solve(deck(2e6), start="uniform")
    lean = replace(deck(2e6), goal=Goal("volume", compliance=(1.2 * stiff.compliance,)))
    result = tb.solve(lean, start="uniform")
    assert result.compliance <= 1.2 * stiff.compliance * (1.0 + 1e-5)
    assert result.volume < 0.95 * stiff.volume
    assert result.certificate.kkt_residual < 0.04


def made_up(own: float, value: float, seed: int = 0) -> tuple[np.ndarray, Evaluation]:
    """A design and its evaluation, with so much own weight on average and so much volume to spare."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.2, 0.8, (8, 9))
    burden = own * rng.uniform(0.5, 1.5, x.shape)
    gradient = burden - rng.uniform(0.5, 1.5, x.shape)
    limit = Constraint(value, np.full(x.shape, 1.0 / x.size))
    return x, Evaluation(1.0, 1.0, 0.4, gradient, (limit,), (), 0, 0.0, own_weight=burden)


@pytest.mark.parametrize("own", [0.0, 0.3, 0.6])
def test_a_step_meets_the_volume_and_the_bounds_and_prices_all_voxels_alike(own: float):
    x, found = made_up(own, 0.01)
    criteria = OwnWeightCriteria(move=0.1, exponent=0.5, adaptive=None)
    new, state = criteria.step(criteria.start(), x, found, 0 * x, 1 + 0 * x, True, 1.0)
    (limit,) = found.constraints
    excess = limit.value + float((limit.gradient * (new - x)).sum())
    assert -1e-9 < excess <= 0.0
    assert np.all(abs(new - x) <= 0.1 + 1e-12)
    inside = abs(new - x) < 0.0999
    assert inside.any()
    gain, burden = found.own_weight - found.gradient, found.own_weight
    price = (gain * np.square(x / new) - burden)[inside] * x.size
    np.testing.assert_allclose(price, np.exp(state.log_multiplier), rtol=1e-6)


def test_without_a_limit_that_binds_the_price_is_nothing():
    x, found = made_up(1.0, -0.5)
    criteria = OwnWeightCriteria(move=1.0, exponent=0.5, adaptive=None)
    new, _ = criteria.step(criteria.start(), x, found, 0 * x, 1 + 0 * x, True, 1.0)
    due = np.clip(x * np.sqrt((found.own_weight - found.gradient) / found.own_weight), 0.0, 1.0)
    np.testing.assert_allclose(new, due, rtol=1e-9)


def test_its_memory_comes_back():
    x, found = made_up(0.3, 0.01)
    criteria = OwnWeightCriteria()
    one, state = criteria.step(criteria.start(), x, found, 0 * x, 1 + 0 * x, True, 1.0)
    back = criteria.restore(state.arrays())
    args = (one, found, 0 * x, 1 + 0 * x, True, 1.0)
    for mine, other in zip(criteria.step(state, *args), criteria.step(back, *args), strict=True):
        np.testing.assert_equal(getattr(mine, "exponents", mine), getattr(other, "exponents", other))
