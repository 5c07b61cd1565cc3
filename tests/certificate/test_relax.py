from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever, mbb
from trabecula.certificate.designs import AnyDensity, FilteredDensity
from trabecula.certificate.relax import prove, relax, scale_to
from trabecula.design import DesignChain
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.anderson import Anderson
from trabecula.physics import VoxelState
from trabecula.physics.assembled import AssembledState
from trabecula.problem.model import FilterOptions, Goal

PROBLEMS = {
    "mbb": mbb((36, 12)),
    "cantilever": cantilever((24, 12), 0.3),
    "solid": cantilever((10, 6, 6), 0.3),
    "heat": cantilever((16, 12), 0.3, heat=True),
    "two cases": cantilever((20, 10), 0.4, cases=2),
}


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("name", PROBLEMS)
def test_penalty_one_is_certified_within_half_a_percent(name: str, filtered: bool) -> None:
    problem = PROBLEMS[name]
    designs = FilteredDensity(DesignChain(problem)) if filtered else AnyDensity()
    state = AssembledState(problem)
    found = relax(problem, state, designs=designs, tolerance=4e-3, max_iterations=60, patience=60)
    assert found.bound.value is not None
    physical = designs.physical(found.optimum)
    state.set_stiffness(1e-9 + (1 - 1e-9) * physical)
    works = [np.vdot(load, state.solve(load)[0]) for load in problem.loads]
    compliance = problem.weights @ np.array(works)
    assert physical.mean() <= problem.goal.volume * (1 + 1e-9)
    assert found.bound.value <= compliance <= 1.005 * found.bound.value
    assert compliance == pytest.approx(found.objective, rel=1e-6)


def test_a_helmholtz_filter_is_certified_too() -> None:
    problem = mbb((36, 12), filter=FilterOptions("helmholtz", 2.4))
    designs = FilteredDensity(DesignChain(problem))
    found = relax(problem, AssembledState(problem), designs=designs, tolerance=4e-3, max_iterations=60)
    assert found.bound.gap(found.objective) < 5e-3


def test_passive_parts_stay_and_count() -> None:
    problem = mbb((30, 10))
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[-1] = 1.0
    upper[3:6, 10:14] = 0.0
    problem = replace(problem, lower=lower, upper=upper)
    for designs in (AnyDensity(), FilteredDensity(DesignChain(problem))):
        state = AssembledState(problem)
        found = relax(problem, state, designs=designs, tolerance=4e-3, max_iterations=60, patience=60)
        np.testing.assert_array_equal(found.density[-1], 1.0)
        assert not found.density[3:6, 10:14].any()
        assert found.density.sum() == pytest.approx(0.5 * upper.sum(), rel=1e-6)
        assert found.bound.gap(found.objective) < 5e-3


def test_least_volume_is_the_inverse_of_least_compliance() -> None:
    problem = mbb((30, 10))
    stiff = relax(problem, AssembledState(problem), tolerance=5e-4, max_iterations=60, patience=60)
    lean = replace(problem, goal=Goal("volume", None, (stiff.objective,)))
    found = relax(lean, AssembledState(lean), tolerance=2e-3, max_iterations=60, patience=60)
    assert found.bound.value is not None
    assert 0.495 < found.bound.value <= 0.5
    assert found.objective == pytest.approx(0.5, rel=5e-3)


@pytest.mark.parametrize("limits", [(1.0, 1.0), (0.6, 4.0)])
def test_a_limit_for_each_case_is_met_with_the_fitted_mixture(limits: tuple[float, float]) -> None:
    problem = cantilever((20, 10), cases=2)
    state = AssembledState(problem)
    state.set_stiffness(np.full(problem.grid.shape, 0.5))
    middle = [float(np.vdot(load, state.solve(load)[0])) for load in problem.loads]
    goal = Goal("volume", None, (limits[0] * middle[0], limits[1] * middle[1]))
    problem = replace(problem, goal=goal)
    start = np.full(problem.grid.shape, 0.6)
    found = relax(problem, state, start=start, tolerance=5e-3, max_iterations=60, patience=60)
    assert found.bound.gap(found.objective) < 0.01


def test_unreachable_limits_stop_at_once() -> None:
    problem = replace(mbb((12, 4)), goal=Goal("volume", None, (1e-3,)))
    found = relax(problem, AssembledState(problem))
    assert found.iterations == 1
    assert found.bound.value is None


def test_own_weight_is_refused() -> None:
    problem = replace(mbb((12, 4)), gravity=np.array([[0.0, -1.0]]))
    with pytest.raises(ValueError, match="own weight"):
        relax(problem, AssembledState(problem))
    assert prove(problem, problem.lower, [problem.loads[0]]).value is None


def test_the_relaxed_density_alone_gives_the_bound_again() -> None:
    problem = mbb((24, 8))
    found = relax(problem, VoxelState(problem, 1), solve_tolerance=1e-2)
    state = AssembledState(problem)
    state.set_stiffness(1e-9 + (1 - 1e-9) * found.density.astype(np.float32).astype(np.float64))
    again = prove(problem, found.density, [state.solve(problem.loads[0])[0]])
    assert again.value == pytest.approx(found.bound.value, rel=1e-6)


def test_a_coarse_start_and_loose_solves_save_iterations() -> None:
    coarse, fine = cantilever((16, 8), 0.3), cantilever((32, 16), 0.3)
    first = relax(coarse, VoxelState(coarse, 1), tolerance=5e-3)
    start = np.kron(first.design, np.ones((2, 2)))
    seen: list[int] = []
    warm = relax(
        fine,
        VoxelState(fine, 1),
        start=start,
        tolerance=1e-2,
        progress=lambda s: seen.append(s.iteration),
    )
    cold = relax(fine, VoxelState(fine, 1), tolerance=1e-2)
    assert warm.iterations < cold.iterations
    assert seen == list(range(1, warm.iterations + 1))
    assert warm.bound.value == pytest.approx(cold.bound.value, rel=0.02)
    resumed = relax(
        fine, VoxelState(fine, 1), start=warm.design, displacements=warm.displacements, tolerance=2e-2
    )
    assert resumed.iterations <= 2


class Counting:
    """A state that answers with the same displacement whatever the stiffness: nothing ever grows."""

    def __init__(self, problem: DiscreteProblem) -> None:
        self.problem, self.solves = problem, 0

    def set_stiffness(self, relative: np.ndarray) -> None:
        pass

    def solve(self, load: np.ndarray, start: np.ndarray | None, tolerance: float) -> tuple[np.ndarray, None]:
        self.solves += 1
        return load, None

    def bilinear(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.full(self.problem.grid.shape, 1.0)


def test_a_bound_that_does_not_grow_ends_the_search() -> None:
    problem = mbb((12, 4))
    state = Counting(problem)
    found = relax(problem, state, tolerance=1e-3, patience=3)
    assert found.iterations == 4
    assert state.solves == 5


def test_scaling_meets_the_target_where_the_bounds_allow() -> None:
    rng = np.random.default_rng(0)
    x, cost = rng.lognormal(0, 4, 200), rng.random(200)
    lower, upper = rng.random(200) * 0.1, 0.5 + rng.random(200)
    for share in (0.0, 0.01, 0.5, 0.99, 1.0):
        target = cost @ (lower + share * (upper - lower))
        y = scale_to(x, lower, upper, cost, target)
        assert np.all((y >= lower) & (y <= upper))
        assert cost @ y == pytest.approx(target, rel=1e-9)
    np.testing.assert_array_equal(scale_to(x, lower, upper, cost, 2 * cost @ upper), upper)


def test_mixing_solves_a_power_law_in_a_few_steps() -> None:
    goal = np.array([0.5, 2.0, 1.0])

    def image(x: np.ndarray) -> np.ndarray:
        return x**0.9 * goal**0.1

    plain = mixed = np.array([1.0, 1.0, 3.0])
    anderson = Anderson(depth=2)
    for _ in range(12):
        plain = image(plain)
        mixed = anderson.mix(mixed, image(mixed))
    assert np.abs(np.log(mixed / goal)).max() < 0.01 * np.abs(np.log(plain / goal)).max()
    np.testing.assert_array_equal(Anderson(depth=0).mix(mixed, plain), plain)
    anderson.forget()
    np.testing.assert_array_equal(anderson.mix(mixed, plain), plain)
    np.testing.assert_array_equal(anderson.mix(mixed, plain), plain)
