from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.certificate.grids import cantilever, random_density
from trabecula.certificate.bound import (
    OVERFULL,
    Bound,
    fit_multipliers,
    lower_bound,
    measure,
)
from trabecula.certificate.designs import FilteredDensity
from trabecula.design import DesignChain, Ramp, Simp
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.assembled import AssembledState
from trabecula.problem.model import Goal, Material

SHAPES = [(9, 5), (4, 3, 3)]


def displacements(problem: DiscreteProblem, relative: np.ndarray) -> list[np.ndarray]:
    state = AssembledState(problem)
    state.set_stiffness(relative)
    return [state.solve(load)[0] for load in problem.loads]


def compliances(problem: DiscreteProblem, relative: np.ndarray) -> np.ndarray:
    found = displacements(problem, relative)
    return np.array([np.vdot(load, u) for load, u in zip(problem.loads, found, strict=True)])


def with_passive(problem: DiscreteProblem) -> DiscreteProblem:
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[..., -1] = 1.0
    upper[..., 0, 1:3] = 0.0
    upper[..., -1, 1] = 0.6
    return replace(problem, lower=lower, upper=upper)


@given(
    st.integers(0, 10**6),
    st.sampled_from(SHAPES),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
    st.floats(1, 5),
    st.sampled_from([0.0, 1e-3, 0.3, 100.0]),
)
@settings(max_examples=60, deadline=None)
def test_no_design_beats_the_bound_of_any_displacements(
    seed: int, elements: tuple[int, ...], cases: int, passive: bool, heat: bool, penalty: float, noise: float
) -> None:
    problem = cantilever(elements, 0.4, cases=1 if heat else cases, heat=heat)
    if passive:
        problem = with_passive(problem)
    rng = np.random.default_rng(seed)
    scheme = (Simp if seed % 2 else Ramp)(penalty, 1e-9)
    witness = displacements(problem, Simp(1.0, 1e-6).value(random_density(problem, seed + 1, 0.4)))
    size = max(float(np.abs(u).max()) for u in witness)
    witness = [u + noise * size * rng.standard_normal(u.shape) for u in witness]
    bound = lower_bound(problem, witness)
    assert bound.value is not None
    for k in range(3):
        relative = scheme.value(random_density(problem, seed + 7 * k, 0.4))
        assert bound.value <= problem.weights @ compliances(problem, relative)


@given(st.integers(0, 10**6), st.sampled_from(SHAPES))
@settings(max_examples=20, deadline=None)
def test_no_filtered_design_beats_the_bound_with_the_filter_inside(
    seed: int, elements: tuple[int, ...]
) -> None:
    problem = with_passive(cantilever(elements, 0.4))
    chain = DesignChain(problem)
    designs = FilteredDensity(chain)
    rng = np.random.default_rng(seed)
    witness = displacements(problem, 1e-9 + chain.physical(chain.uniform(0.4)))
    inside, outside = lower_bound(problem, witness, designs), lower_bound(problem, witness)
    assert inside.value is not None
    assert outside.value is not None
    assert inside.value >= outside.value * (1 - 1e-8)
    x = problem.lower + (problem.upper - problem.lower) * rng.random(problem.grid.shape) ** 4
    physical = chain.physical(x)
    if chain.volume(physical) <= 0.4:
        assert inside.value <= compliances(problem, Simp(3.0, 1e-9).value(physical))[0]


@given(st.integers(0, 10**6), st.sampled_from(SHAPES), st.integers(1, 2), st.booleans())
@settings(max_examples=30, deadline=None)
def test_no_design_within_the_limits_uses_less_volume_than_the_bound(
    seed: int, elements: tuple[int, ...], cases: int, each: bool
) -> None:
    problem = with_passive(cantilever(elements, cases=cases))
    density = random_density(problem, seed, 0.6)
    reached = compliances(problem, Simp(3.0, 1e-9).value(density))
    limits = tuple(reached) if each else (float(problem.weights @ reached),)
    problem = replace(problem, goal=Goal("volume", None, limits))
    witness = displacements(problem, 1e-9 + random_density(problem, seed + 1, 0.5))
    bound = lower_bound(problem, witness, multipliers=np.linspace(1, 2, cases))
    assert bound.value is not None
    assert 0 <= bound.value <= density.sum() / problem.upper.sum()


@given(st.floats(-6, 6), st.floats(-6, 6))
@settings(max_examples=20, deadline=None)
def test_the_bound_knows_neither_the_scale_of_displacements_nor_of_units(scale: float, units: float) -> None:
    problem = cantilever((8, 4))
    u = displacements(problem, np.full(problem.grid.shape, 0.4))
    reference = lower_bound(problem, u).value
    assert reference is not None
    assert lower_bound(problem, [u[0] * -(10**scale)]).value == pytest.approx(reference, rel=1e-9)
    heavy = replace(problem, loads=problem.loads * 10**units)
    assert lower_bound(heavy, u).value == pytest.approx(reference * 100**units, rel=1e-9)
    stiff = replace(problem, material=Material(young=10**units))
    assert lower_bound(stiff, u).value == pytest.approx(reference / 10**units, rel=1e-9)


def test_rounding_costs_less_than_a_millionth() -> None:
    problem = cantilever((60, 20), 0.5)
    u = displacements(problem, np.full(problem.grid.shape, 0.5))
    state = AssembledState(problem)
    s = np.sort(state.bilinear(u[0], u[0]).ravel())[::-1]
    plain = np.vdot(problem.loads[0], u[0]) ** 2 / (s[:600].sum() * (1 - 1e-9) + 1e-9 * s.sum())
    bound = lower_bound(problem, u).value
    assert bound is not None
    assert bound < plain
    assert bound == pytest.approx(plain, rel=1e-6)


def test_a_bound_that_holds_for_half_a_problem_is_not_given() -> None:
    problem = cantilever((6, 3))
    heavy = replace(problem, gravity=np.array([[0.0, -9.81]]))
    assert lower_bound(heavy, [np.zeros_like(problem.loads[0])]).reason.startswith("own weight")
    still = lower_bound(problem, [np.zeros_like(problem.loads[0])])
    assert still == Bound(None, "the displacements do no work")
    assert still.gap(1.0) is None
    assert Bound(2.0).gap(3.0) == pytest.approx(0.5)


def test_an_unreachable_compliance_is_proven_unreachable() -> None:
    problem = cantilever((6, 3), cases=2)
    u = displacements(problem, np.ones(problem.grid.shape))
    best = compliances(problem, np.ones(problem.grid.shape))
    problem = replace(problem, goal=Goal("volume", None, (best[0] * 0.9, best[1] * 9)))
    assert "no design" in lower_bound(problem, u).reason


def test_passive_solid_above_the_volume_leaves_no_bound() -> None:
    problem = cantilever((6, 3), 0.2)
    problem = replace(problem, lower=np.full(problem.grid.shape, 0.5))
    u = displacements(problem, np.ones(problem.grid.shape))
    assert lower_bound(problem, u) == Bound(None, OVERFULL)


def test_a_projection_has_no_linear_set_of_designs() -> None:
    with pytest.raises(ValueError, match="projects"):
        FilteredDensity(DesignChain(cantilever((6, 3), projection=True)))


def test_mixtures_are_fitted_for_a_limit_a_case_only() -> None:
    problem = cantilever((6, 3), cases=2)
    density = np.full(problem.grid.shape, 0.4)
    field = measure(problem, displacements(problem, density))
    assert fit_multipliers(problem, density, field) is None
    limited = replace(problem, goal=Goal("volume", None, (1.0, 2.0)))
    found = fit_multipliers(limited, density, field)
    assert found is not None
    assert found.min() >= 0
    assert fit_multipliers(limited, np.ones(problem.grid.shape), field) is None
