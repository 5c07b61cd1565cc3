from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from tests.design.models import discrete, random_density
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.physics.assembled import AssembledState, total_load
from trabecula.problem.model import FilterOptions, Goal, Options

EXACT = 1e-12

PROBLEMS = {
    "plane": discrete(),
    "solid": discrete((4, 3, 3)),
    "heat": discrete(heat=True, goal=Goal("thermal_compliance", 0.4)),
    "several cases": discrete(cases=2),
    "passive parts": discrete((8, 6), passive=True),
    "own weight": discrete(gravity=(1.0, -9.81)),
    "own weight in space": discrete((4, 3, 3), gravity=(0.3, -9.81, 1.0), cases=2),
    "least volume with own weight": discrete(gravity=(1.0, -9.81), goal=Goal("volume", compliance=(50.0,))),
    "projection": discrete(options=Options(projection=True)),
    "symmetry": discrete((8, 6), options=Options(symmetry=("x", "y"))),
    "helmholtz": discrete(options=Options(filter=FilterOptions("helmholtz", 1.2))),
    "no filter": discrete(options=Options(filter=FilterOptions("none"))),
    "ramp": discrete(options=Options(interpolation="ramp")),
    "least volume": discrete(goal=Goal("volume", compliance=(50.0,))),
    "least volume, a limit a case": discrete(cases=2, goal=Goal("volume", compliance=(50.0, 20.0))),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    problem = PROBLEMS[name]
    analysis = Analysis(problem, 1)
    x = random_density(problem, 3)
    direction = np.random.default_rng(4).standard_normal(x.shape) * (problem.upper > problem.lower)
    beta, step = 4.0, 1e-5

    def at(share: float) -> np.ndarray:
        found = analysis.evaluate(x + share * direction, 3.0, beta, tolerance=EXACT)
        return np.array([found.objective, *(c.value for c in found.constraints)])

    found = analysis.evaluate(x, 3.0, beta, tolerance=EXACT)
    slopes = (at(step) - at(-step)) / (2 * step)
    told = [np.vdot(found.gradient, direction), *(np.vdot(c.gradient, direction) for c in found.constraints)]
    np.testing.assert_allclose(told, slopes, rtol=2e-6, atol=1e-7 * np.abs(slopes).max())


@pytest.mark.parametrize("name", [name for name in PROBLEMS if "own weight" in name])
@pytest.mark.parametrize("projection", [False, True])
def test_own_weight_s_part_of_a_gradient_is_the_work_of_what_is_added(name: str, projection: bool) -> None:
    problem = replace(PROBLEMS[name], options=replace(PROBLEMS[name].options, projection=projection))
    analysis = Analysis(problem, 1)
    x, beta, step = random_density(problem, 3), 3.0, 1e-6
    direction = np.random.default_rng(4).standard_normal(x.shape)
    found = analysis.evaluate(x, 3.0, beta, tolerance=EXACT)
    added = (
        sum(
            float(
                weight * np.vdot(u, analysis.load(analysis.chain.physical(x + share * direction, beta), case))
            )
            * share
            for case, (weight, u) in enumerate(zip(problem.weights, found.displacements, strict=True))
            for share in (step, -step)
        )
        / step**2
    )
    is_limit = found.own_weight is None
    (limit,) = found.constraints
    own, gradient = (limit.own_weight, limit.gradient) if is_limit else (found.own_weight, found.gradient)
    scale = 50.0 if is_limit else 1.0
    assert own is not None
    assert scale * np.vdot(own, direction) == pytest.approx(added, rel=1e-5)
    assert np.all(gradient - own <= 1e-12 * abs(gradient).max()), "stiffness never costs"


@pytest.mark.parametrize("name", PROBLEMS)
def test_numbers_agree_with_an_assembled_analysis(name: str) -> None:
    problem = PROBLEMS[name]
    x = random_density(problem, 1)
    fast = Analysis(problem, 1).evaluate(x, 3.0, 2.0, tolerance=EXACT)
    slow = Analysis(problem, 1, state=AssembledState(problem)).evaluate(x, 3.0, 2.0, tolerance=EXACT)
    assert fast.objective == pytest.approx(slow.objective, rel=1e-9)
    assert fast.compliance == pytest.approx(slow.compliance, rel=1e-9)
    assert fast.volume == pytest.approx(slow.volume, rel=1e-12)
    for mine, other in zip(fast.displacements, slow.displacements, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-8 * np.abs(other).max())


def test_compliance_is_the_weighted_work_of_the_loads() -> None:
    problem = PROBLEMS["several cases"]
    found = Analysis(problem).evaluate(random_density(problem), 3.0, tolerance=EXACT)
    works = [float(np.vdot(f, u)) for f, u in zip(problem.loads, found.displacements, strict=True)]
    assert found.compliance == pytest.approx(float(problem.weights @ works), rel=1e-9)


def test_own_weight_loads_the_design_with_what_is_there() -> None:
    problem = PROBLEMS["own weight"]
    analysis = Analysis(problem)
    physical = analysis.chain.physical(random_density(problem))
    np.testing.assert_allclose(analysis.load(physical, 0), total_load(problem, physical, 0))
    still = Analysis(PROBLEMS["plane"])
    np.testing.assert_array_equal(still.load(physical, 0), PROBLEMS["plane"].loads[0])


def test_a_loose_solve_errs_by_its_square_in_the_compliance() -> None:
    problem = cantilever((32, 16))
    analysis = Analysis(problem)
    x = np.random.default_rng(0).uniform(0.2, 1.0, problem.grid.shape)
    exact = analysis.evaluate(x, 3.0, tolerance=EXACT).compliance
    for tolerance in (1e-1, 1e-2, 1e-3):
        found = analysis.evaluate(x, 3.0, tolerance=tolerance)
        assert found.residual <= tolerance
        assert found.compliance <= exact * (1 + 1e-12), "the energy is minimal at the solution"
        assert found.compliance >= exact * (1 - 100 * tolerance**2)


def test_displacements_given_as_a_start_save_iterations() -> None:
    problem = PROBLEMS["several cases"]
    analysis = Analysis(problem)
    x = random_density(problem)
    cold = analysis.evaluate(x, 3.0, tolerance=1e-8)
    warm = analysis.evaluate(x, 3.0, start=cold.displacements, tolerance=1e-7)
    assert cold.iterations > 0
    assert warm.iterations == 0
    assert warm.compliance == pytest.approx(cold.compliance)
    assert analysis.cases == 2
    assert analysis.solves == 4


def test_merit_is_the_objective_and_worse_where_a_limit_is_passed() -> None:
    problem = cantilever(volume=0.4)
    analysis = Analysis(problem)
    allowed, heavy = (analysis.evaluate(np.full(problem.grid.shape, v), 3.0) for v in (0.3, 0.8))
    assert allowed.merit == allowed.objective
    assert heavy.constraints[0].value == pytest.approx(1.0)
    assert heavy.merit == pytest.approx(2 * heavy.objective)
    assert (allowed.violation, heavy.violation) == (0.0, pytest.approx(1.0))
    assert heavy.volume == pytest.approx(0.8)


def with_sensitivity_filter() -> DiscreteProblem:
    return replace(cantilever((12, 6)), options=Options(filter=FilterOptions("sensitivity", 2.5)))


def test_the_sensitivity_filter_changes_the_gradient_only() -> None:
    filtered, plain = (
        with_sensitivity_filter(),
        replace(cantilever((12, 6)), options=Options(filter=FilterOptions("none"))),
    )
    x = random_density(filtered)
    found, raw = (Analysis(p).evaluate(x, 3.0, tolerance=EXACT) for p in (filtered, plain))
    assert found.compliance == pytest.approx(raw.compliance)
    assert found.volume == pytest.approx(raw.volume)
    assert np.abs(found.gradient - raw.gradient).max() > 1e-3 * np.abs(raw.gradient).max()
