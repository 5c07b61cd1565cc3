"""Filters: their formulas, their transposes, and what they preserve."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import spsolve

from tests.design.models import PLANE, SOLID, discrete, random_density
from trabecula.design import make_filter
from trabecula.design.filters import (
    Cone,
    Helmholtz,
    Identity,
    SensitivityFilter,
)
from trabecula.design.filters import cone as cone_module
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.machine import default_machine
from trabecula.problem.model import FilterOptions, Options

GRIDS = [PLANE, SOLID, (1, 6), (5, 1, 2)]
KINDS = ["density", "helmholtz", "sensitivity", "none"]


def filtered(kind, elements=PLANE, radius=1.7, passive=False) -> DiscreteProblem:
    return discrete(elements, passive=passive, options=Options(filter=FilterOptions(kind, radius)))


def cone_matrix(problem: DiscreteProblem) -> np.ndarray:
    """Weights `max(0, r - distance)` between all pairs of voxels that are not void, rows summing to one."""
    grid = problem.grid
    centres = np.indices(grid.shape).reshape(grid.dimension, -1).T * np.array(grid.spacing[::-1])
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    inside = ~problem.void.reshape(-1)
    weights = np.maximum(0.0, problem.radius - distance) * inside * inside[:, None]
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)


@pytest.mark.parametrize("passive", [False, True])
@pytest.mark.parametrize("elements", GRIDS)
def test_density_filter_is_the_cone_in_metres_over_the_domain(elements, passive):
    problem = filtered("density", elements, 1.7, passive and elements in (PLANE, SOLID))
    x = random_density(problem)
    expected = (cone_matrix(problem) @ x.reshape(-1)).reshape(x.shape)
    assert make_filter(problem).forward(x) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("elements", GRIDS)
def test_fourier_and_stencil_give_the_same_cone(elements, monkeypatch):
    problem = filtered("density", elements, 2.3)
    rng = np.random.default_rng(1)
    voxels, before, after = rng.normal(size=(3, *problem.grid.shape))
    direct = Cone(problem.grid.shape, problem.grid.spacing, 2.3, default_machine(2))
    monkeypatch.setattr(cone_module, "LARGEST_STENCIL", 0)
    fourier = Cone(problem.grid.shape, problem.grid.spacing, 2.3, default_machine(2))
    assert fourier.apply(voxels) == pytest.approx(direct.apply(voxels), abs=1e-12)
    both = direct.apply(voxels, before, after)
    assert fourier.apply(voxels, before, after) == pytest.approx(both, abs=1e-12)


def test_a_radius_larger_than_the_box_is_allowed():
    problem = filtered("density", PLANE, 100.0)
    x = random_density(problem)
    expected = (cone_matrix(problem) @ x.reshape(-1)).reshape(x.shape)
    assert make_filter(problem).forward(x) == pytest.approx(expected, abs=1e-13)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS[:2]),
    elements=st.one_of(st.tuples(*[st.integers(2, 9)] * 2), st.tuples(*[st.integers(2, 6)] * 3)),
    radius=st.floats(0.2, 6.0),
    passive=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_adjoint_is_the_transpose(kind, elements, radius, passive, seed):
    chosen = make_filter(filtered(kind, elements, radius, passive))
    x, g = np.random.default_rng(seed).normal(size=(2, *elements[::-1]))
    assert np.sum(g * chosen.forward(x)) == pytest.approx(np.sum(chosen.adjoint(x, g) * x), abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("elements", [PLANE, SOLID])
@pytest.mark.parametrize("passive", [False, True])
def test_a_constant_density_stays_and_void_is_outside(kind, elements, passive):
    problem = filtered(kind, elements, 1.7, passive)
    x = np.where(problem.void, 0.0, 0.37)
    assert make_filter(problem).forward(x) == pytest.approx(x, abs=1e-13)


@pytest.mark.parametrize("elements", GRIDS)
@pytest.mark.parametrize("radius", [0.4, 2.0, 9.0])
def test_helmholtz_preserves_the_volume(elements, radius):
    problem = filtered("helmholtz", elements, radius)
    x = random_density(problem)
    assert make_filter(problem).forward(x).sum() == pytest.approx(x.sum(), rel=1e-13)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize(("radius", "overshoots"), [(1.0, True), (1.5, True), (2.5, False), (6.0, False)])
def test_helmholtz_overshoots_below_two_voxels_only(dimension, radius, overshoots):
    smoothing = Helmholtz((12,) * dimension, (1.0,) * dimension, radius)
    assert smoothing.overshoots is overshoots
    unit = np.zeros((12,) * dimension)
    unit[(6,) * dimension] = 1.0
    worst = (smoothing.apply(unit) < 0.0).astype(float)  # the black and white design that goes lowest there
    assert (smoothing.apply(worst).min() < -1e-9) == overshoots


@pytest.mark.parametrize("elements", [PLANE, SOLID])
def test_helmholtz_matches_an_assembled_sparse_solve(elements):
    problem = filtered("helmholtz", elements, 2.0)
    grid, x = problem.grid, random_density(problem)

    def along(n: int, h: float):
        ones = np.ones(n + 1)
        ones[[0, -1]] = 0.5
        mass = sparse.diags([np.full(n, h / 6), ones * (4 * h / 6), np.full(n, h / 6)], [-1, 0, 1])
        stiffness = sparse.diags([np.full(n, -1 / h), ones * (2 / h), np.full(n, -1 / h)], [-1, 0, 1])
        share = sparse.diags([np.full(n, 0.5), np.full(n, 0.5)], [0, -1], shape=(n + 1, n))
        return mass, stiffness, share

    parts = [along(n, h) for n, h in zip(grid.shape, grid.spacing[::-1], strict=True)]

    def product(factors):
        total = sparse.eye(1)
        for factor in factors:
            total = sparse.kron(total, factor)
        return total.tocsc()

    matrix = product([m for m, _, _ in parts])
    for axis in range(len(parts)):
        matrix = matrix + 2.0**2 / 12.0 * product(
            [s if a == axis else m for a, (m, s, _) in enumerate(parts)]
        )
    share = product([t for _, _, t in parts])
    nodal = spsolve(matrix, share @ x.reshape(-1) * np.prod(grid.spacing))
    expected = (share.T @ nodal).reshape(x.shape)
    smooth = Helmholtz(grid.shape, grid.spacing, 2.0).apply(x)
    assert smooth == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("kind", ["density", "helmholtz"])
def test_true_filters_leave_the_sensitivities_alone(kind):
    problem = filtered(kind)
    x, dc = random_density(problem, 1), -random_density(problem, 2)
    assert make_filter(problem).sensitivity(x, dc) is dc


@pytest.mark.parametrize("passive", [False, True])
def test_sensitivity_filter_is_the_formula_of_the_88_line_code(passive):
    problem = filtered("sensitivity", PLANE, 1.7, passive)
    chosen = make_filter(problem)
    x, dc = random_density(problem, 1), -random_density(problem, 2)
    x[2, 3] = 1e-5
    average = (cone_matrix(problem) @ (x * dc).reshape(-1)).reshape(x.shape)
    assert isinstance(chosen, SensitivityFilter)
    assert chosen.sensitivity(x, dc) == pytest.approx(average / np.maximum(1e-3, x), abs=1e-12)
    assert chosen.forward(x) is x and chosen.adjoint(x, dc) is dc


@pytest.mark.parametrize(
    "kind,radius", [("none", 3.0), ("density", 0.5), ("sensitivity", 0.3), ("helmholtz", 0.0)]
)
def test_no_reach_is_no_filter(kind, radius):
    chosen = make_filter(filtered(kind, PLANE, radius))
    x = np.ones((5, 7))
    assert isinstance(chosen, Identity)
    assert chosen.forward(x) is x and chosen.adjoint(x, x) is x and chosen.sensitivity(x, x) is x


def test_the_default_radius_is_one_and_a_half_of_the_longest_edge():
    problem = discrete(options=Options(filter=FilterOptions("density")))
    given_ = replace(problem, options=Options(filter=FilterOptions("density", 1.5)))
    x = random_density(problem)
    assert np.array_equal(make_filter(problem).forward(x), make_filter(given_).forward(x))


@pytest.mark.parametrize("kind", ["density", "helmholtz"])
def test_the_number_of_threads_does_not_change_a_bit(kind):
    problem = filtered(kind, (20, 9, 8), 2.1, passive=True)
    x = random_density(problem)
    assert np.array_equal(make_filter(problem, 1).forward(x), make_filter(problem, 3).forward(x))


def test_arrays_with_gaps_are_accepted():
    problem = filtered("density")
    x = random_density(problem)
    spread = np.zeros((5, 14))
    spread[:, ::2] = x
    assert np.array_equal(make_filter(problem).forward(spread[:, ::2]), make_filter(problem).forward(x))
