"""Strains, stresses and mass against fields whose answer is known, and against their own transposes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.physics.blocks import block, places
from trabecula.discretisation.discrete import Grid
from trabecula.physics import VoxelState
from trabecula.physics.assembled import AssembledState
from trabecula.physics.constitutive import gradient_rows, strain_rows
from trabecula.physics.operators import (
    MassOperator,
    StrainOperator,
    von_mises,
    von_mises_derivative,
)
from trabecula.problem.model import Material
from trabecula.problem.physics import CONDUCTION, ELASTICITY, Physics

Array = NDArray[np.float64]
STEEL = Material(young=210e9, poisson=0.3, density=7850.0, conductivity=50.0)
PLATE, BLOCK = Grid((5, 4), (0.5, 1.5), 0.2), Grid((4, 3, 2), (0.5, 1.0, 2.0))
both_grids = pytest.mark.parametrize("grid", [PLATE, BLOCK], ids=["plane", "solid"])
both_physics = pytest.mark.parametrize("physics", [ELASTICITY, CONDUCTION], ids=lambda p: p.name)


def points(grid: Grid) -> Array:
    """Co-ordinates of all nodes, `[axis, z, y, x]`."""
    indices = np.meshgrid(*(np.arange(n) for n in grid.node_shape), indexing="ij")[::-1]
    return np.stack([h * i for h, i in zip(grid.spacing, indices, strict=True)])


@both_grids
def test_a_linear_displacement_has_one_strain_everywhere(grid: Grid) -> None:
    dimension = grid.dimension
    slopes = np.random.default_rng(0).standard_normal((dimension, dimension))  # du_c / dx_a
    u = np.tensordot(slopes, points(grid), axes=1)
    pairs = [(0, 1)] if dimension == 2 else [(1, 2), (0, 2), (0, 1)]
    expected = [*np.diag(slopes), *(slopes[a, b] + slopes[b, a] for a, b in pairs)]
    found = StrainOperator.on(grid, STEEL).strain(u)
    assert found.shape == (len(expected), *grid.shape)
    for strain, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(strain, value, atol=1e-13)


@both_grids
def test_a_rigid_motion_has_no_strain(grid: Grid) -> None:
    at = points(grid)
    spin = np.zeros_like(at)
    spin[0], spin[1] = -at[1], at[0]
    assert np.abs(StrainOperator.on(grid, STEEL).strain(spin + 3.0)).max() < 1e-13


@both_grids
@both_physics
def test_the_transpose_gives_the_same_inner_product(grid: Grid, physics: Physics) -> None:
    operator, random = StrainOperator.on(grid, STEEL, physics), np.random.default_rng(1)
    u = random.standard_normal((physics.count(grid.dimension), *grid.node_shape))
    s = random.standard_normal((len(strain_rows(physics, grid.dimension)), *grid.shape))
    assert np.vdot(s, operator.strain(u)) == pytest.approx(
        np.vdot(operator.strain_transpose(s), u), rel=1e-12
    )


@both_grids
def test_a_stretched_bar_carries_young_times_strain(grid: Grid) -> None:
    at = points(grid)
    u = -0.3 * 1e-3 * at
    u[0] = 1e-3 * at[0]
    operator = StrainOperator.on(grid, STEEL)
    stress = operator.stress(operator.strain(u))
    np.testing.assert_allclose(stress[0], 210e6, rtol=1e-12)
    np.testing.assert_allclose(stress[1:], 0.0, atol=1e-4)
    np.testing.assert_allclose(von_mises(stress), 210e6, rtol=1e-12)


@pytest.mark.parametrize("elements", [(6, 4), (4, 3, 3)])
def test_the_energy_of_a_constant_strain_is_stress_times_strain_times_volume(
    elements: tuple[int, ...],
) -> None:
    problem = block(elements, spacing=(0.5, 2.0, 1.5)[: len(elements)])
    slopes = np.random.default_rng(2).standard_normal((len(elements),) * 2)
    u = np.tensordot(slopes, places(problem), axes=1)
    operator = StrainOperator.of(problem)
    strain = operator.strain(u)
    expected = (strain * operator.stress(strain)).sum(axis=0) * problem.grid.element_volume
    np.testing.assert_allclose(VoxelState(problem).bilinear(u, u.copy()), expected, rtol=1e-12)


@both_grids
def test_heat_flows_down_the_gradient(grid: Grid) -> None:
    operator = StrainOperator.on(grid, STEEL, CONDUCTION)
    temperature = 20.0 - 3.0 * points(grid)[:1] + 2.0 * points(grid)[1:2]
    np.testing.assert_allclose(operator.strain(temperature)[0], -3.0)
    np.testing.assert_allclose(operator.flux(temperature)[0], 150.0)
    np.testing.assert_allclose(operator.flux(temperature)[1], -100.0)
    assert len(operator.strain(temperature)) == len(gradient_rows(grid.dimension))


def test_a_physics_without_a_law_is_told_so() -> None:
    mine = Physics("mine", 1, (), (), (), (), "", "", "", "nothing", element_matrix=lambda *_: np.eye(4))
    with pytest.raises(ValueError, match="'mine' brings an element matrix and no constitutive law"):
        StrainOperator.on(PLATE, STEEL, mine)


def test_von_mises_stress_of_known_states() -> None:
    assert von_mises(np.array([100.0, 100.0, 0.0])) == pytest.approx(100.0)
    assert von_mises(np.array([0.0, 0.0, 10.0])) == pytest.approx(10.0 * np.sqrt(3.0))
    assert von_mises(np.array([7.0, 7.0, 7.0, 0.0, 0.0, 0.0])) == 0.0
    assert von_mises(np.array([0.0, 0.0, 0.0, 1.0, 2.0, 2.0])) == pytest.approx(3.0 * np.sqrt(3.0))
    principal = np.array([9.0, 4.0, -2.0, 0.0, 0.0, 0.0])
    assert von_mises(principal) == pytest.approx(np.sqrt(0.5 * (5.0**2 + 6.0**2 + 11.0**2)))
    with pytest.raises(ValueError, match="3 components in the plane and 6 in a solid, not 4"):
        von_mises(np.ones(4))


@settings(max_examples=50, deadline=None)
@given(components=st.sampled_from([3, 6]), seed=st.integers(0, 2**31))
def test_the_derivative_of_the_von_mises_stress_is_that_of_finite_differences(
    components: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    stress, direction = random.standard_normal((2, components, 3, 2))
    step = 1e-6
    ahead, behind = von_mises(stress + step * direction), von_mises(stress - step * direction)
    found = (von_mises_derivative(stress) * direction).sum(axis=0)
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-5)


def test_where_there_is_no_stress_the_derivative_is_zero() -> None:
    np.testing.assert_array_equal(von_mises_derivative(np.zeros((6, 2, 2, 2))), 0.0)


def integrated(grid: Grid, u: Array, v: Array, density: float) -> float:
    """The integral of density u v over the whole grid, by Gauss points of the interpolated fields."""
    dimension, total = grid.dimension, 0.0
    nodes = list(product((0, 1), repeat=dimension))  # z, y, x
    for signs in product((-1, 1), repeat=dimension):
        point = 0.5 + np.array(signs) / (2 * np.sqrt(3))
        weights = [np.prod(np.where(node, point, 1 - point)) for node in nodes]
        windows = [tuple(slice(b, b + n) for b, n in zip(c, grid.shape, strict=True)) for c in nodes]
        at_u, at_v = (
            sum(w * f[(slice(None), *window)] for w, window in zip(weights, windows, strict=True))
            for f in (u, v)
        )
        total += float((at_u * at_v).sum()) * grid.element_volume / 2**dimension
    return density * total


@both_grids
def test_consistent_mass_integrates_products_of_fields(grid: Grid) -> None:
    u, v = np.random.default_rng(3).standard_normal((2, grid.dimension, *grid.node_shape))
    mass = MassOperator(grid, STEEL.density)
    expected = integrated(grid, u, v, STEEL.density)
    assert float(mass.bilinear(u, v).sum()) == pytest.approx(expected, rel=1e-12)
    assert np.vdot(v, mass.apply(np.ones(grid.shape), u)) == pytest.approx(expected, rel=1e-12)


@both_grids
@pytest.mark.parametrize("kind", ["consistent", "lumped"])
def test_mass_moved_as_a_whole_is_all_of_it_and_products_are_symmetric(grid: Grid, kind: str) -> None:
    mass, random = MassOperator(grid, 3.0, kind), np.random.default_rng(4)
    physical = random.random(grid.shape)
    u, v = random.standard_normal((2, grid.dimension, *grid.node_shape))
    ones = np.ones((1, *grid.node_shape))
    weight = 3.0 * physical.sum() * grid.element_volume
    assert mass.apply(physical, ones).sum() == pytest.approx(weight, rel=1e-12)
    left, right = np.vdot(v, mass.apply(physical, u)), np.vdot(u, mass.apply(physical, v))
    assert left == pytest.approx(right, rel=1e-10)
    assert left == pytest.approx(float((physical * mass.bilinear(u, v)).sum()), rel=1e-10)
    np.testing.assert_allclose(mass.bilinear(u, v), mass.bilinear(v, u), atol=1e-12)


def test_a_bar_of_many_elements_sounds_at_its_analytic_frequency() -> None:
    """Longitudinal vibration, held at one end: omega = pi c / (2 L) with c = sqrt(E / rho)."""
    material = Material(young=4.0, poisson=0.0, density=2.0)
    problem = replace(block((40, 1), spacing=(0.1, 0.1)), material=material)
    shape = np.sin(np.pi * places(problem)[0] / (2 * 4.0))
    u = np.stack([shape, np.zeros_like(shape)])
    stiff = float(AssembledState(problem).bilinear(u, u).sum())
    for kind in ("consistent", "lumped"):
        squared = stiff / float(MassOperator.of(problem, kind).bilinear(u, u).sum())
        assert np.sqrt(squared) == pytest.approx(np.pi / 8.0 * np.sqrt(2.0), rel=1e-3)


def test_a_mass_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="it can be 'consistent' or 'lumped'"):
        MassOperator(PLATE, 1.0, "diagonal")
