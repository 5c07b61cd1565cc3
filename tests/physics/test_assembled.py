from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from trabecula.discretisation.discrete import Grid
from trabecula.physics import element
from trabecula.physics.assembled import AssembledState, total_load
from trabecula.physics.body_force import body_force
from trabecula.physics.constitutive import constitutive
from trabecula.physics.dissection import nested_dissection
from trabecula.physics.quadrature import element_matrix
from trabecula.problem.model import Material
from trabecula.problem.physics import CONDUCTION, ELASTICITY, Physics

BOXES = [Grid((1, 1), (1.0, 1.0)), Grid((1, 1), (2.0, 0.5), 0.3), Grid((1, 1, 1), (1.0, 0.7, 2.0))]
STEEL = Material(young=210e9, poisson=0.3, conductivity=50.0)


def corners(grid: Grid) -> np.ndarray:
    count = grid.dimension
    return np.array([[((a >> k) & 1) * grid.spacing[k] for k in range(count)] for a in range(2**count)])


@pytest.mark.parametrize("grid", BOXES)
def test_rigid_motions_hold_no_energy_and_all_others_do(grid: Grid) -> None:
    matrix = element_matrix(grid, STEEL)
    place = corners(grid)
    motions = [np.eye(grid.dimension)[axis].repeat(len(place)) for axis in range(grid.dimension)]
    for first in range(grid.dimension):
        for second in range(first + 1, grid.dimension):
            spin = np.zeros((grid.dimension, len(place)))
            spin[first], spin[second] = -place[:, second], place[:, first]
            motions.append(spin.ravel())
    for motion in motions:
        assert np.abs(matrix @ motion).max() < 1e-12 * np.abs(matrix).max()
    values = np.linalg.eigvalsh(matrix)
    assert values.min() > -1e-12 * values.max()
    assert np.sum(values < 1e-9 * values.max()) == len(motions)
    np.testing.assert_array_equal(matrix, matrix.T)


@pytest.mark.parametrize("grid", BOXES)
def test_conduction_holds_no_energy_at_one_temperature_only(grid: Grid) -> None:
    matrix = element_matrix(grid, STEEL, CONDUCTION)
    assert np.abs(matrix.sum(axis=1)).max() < 1e-12 * np.abs(matrix).max()
    values = np.linalg.eigvalsh(matrix)
    assert np.sum(values < 1e-9 * values.max()) == 1


@pytest.mark.parametrize("physics", [ELASTICITY, CONDUCTION], ids=lambda p: p.name)
@pytest.mark.parametrize("grid", BOXES)
def test_quadrature_agrees_with_the_exact_tensor_product_integrals(grid: Grid, physics: Physics) -> None:
    if physics == CONDUCTION:
        exact = element.conduction(grid.spacing, STEEL.conductivity, grid.thickness)
    else:
        exact = element.elasticity(grid.spacing, STEEL.young, STEEL.poisson, grid.thickness)
    found = element_matrix(grid, STEEL, physics)
    np.testing.assert_allclose(found, exact, atol=1e-14 * np.abs(exact).max())


def test_unit_square_matches_the_published_88_line_matrix() -> None:
    nu = 0.3
    matrix = element_matrix(BOXES[0], Material(1.0, nu)) * (1 - nu**2)
    assert matrix[0, 0] == pytest.approx(0.5 - nu / 6)
    assert matrix[0, 4] == pytest.approx(1 / 8 + nu / 8)
    assert matrix[0, 1] == pytest.approx(-0.25 - nu / 12)
    assert matrix[0, 3] == pytest.approx(-0.25 + nu / 12)
    assert matrix[0, 2] == pytest.approx(nu / 6)


@pytest.mark.parametrize("dimension", [2, 3])
def test_uniaxial_stress_strains_by_young_and_poisson(dimension: int) -> None:
    strain = np.linalg.solve(
        constitutive(ELASTICITY, STEEL, dimension), np.eye(3 if dimension == 2 else 6)[0]
    )
    np.testing.assert_allclose(strain[:dimension] * STEEL.young, [1.0, -0.3, -0.3][:dimension], atol=1e-12)


@pytest.mark.parametrize("elements", [(5, 4), (4, 3, 3)])
def test_patch_of_constant_strain_is_in_equilibrium_inside(elements: tuple[int, ...]) -> None:
    problem = cantilever(elements, spacing=(0.5, 1.0, 2.0)[: len(elements)])
    problem = replace(problem, fixed=np.zeros_like(problem.fixed))
    state = AssembledState(problem)
    state.set_stiffness(np.full(problem.grid.shape, 0.7))
    place = np.meshgrid(*(np.arange(n) for n in problem.grid.node_shape), indexing="ij")[::-1]
    u = np.stack(
        [sum((0.1 + 0.3 * c + 0.7 * a) * x for a, x in enumerate(place)) for c in range(len(elements))]
    )
    inside = (slice(None), *(slice(1, -1),) * len(elements))
    assert np.abs(state.apply(u)[inside]).max() < 1e-12
    assert np.ptp(state.bilinear(u, u)) < 1e-12 * state.bilinear(u, u).max()


@pytest.mark.parametrize("elements", [(8, 3), (6, 3, 2)])
def test_bar_stretches_by_force_times_length_over_stiffness(elements: tuple[int, ...]) -> None:
    material = Material(young=5.0, poisson=0.0)
    problem = cantilever(elements, material=material, spacing=(0.5, 1.0, 1.0)[: len(elements)])
    load = np.zeros_like(problem.loads[0])
    face = np.ones(problem.grid.node_shape[:-1])
    for axis in range(face.ndim):
        face[(slice(None),) * axis + ([0, -1],)] /= 2
    load[0, ..., -1] = face  # one newton an element face
    u, how = AssembledState(problem).solve(load)
    np.testing.assert_allclose(u[0, ..., -1], elements[0] * 0.5 / 5.0, rtol=1e-10)
    assert how.method == "direct"
    assert how.residual < 1e-10


def test_slender_cantilever_converges_to_the_beam() -> None:
    length, errors = 20.0, []
    for n in (8, 16):
        problem = cantilever((10 * n, n), spacing=(length / (10 * n), 2.0 / n), material=Material(1.0, 0.3))
        load = np.zeros_like(problem.loads[0])
        load[1, :, -1] = 1.0 / (n + 1)
        u, _ = AssembledState(problem).solve(load)
        inertia, area, shear = 2.0**3 / 12, 2.0, 1 / 2.6
        beam = length**3 / (3 * inertia) + 1.2 * length / (shear * area)
        errors.append(abs(u[1, :, -1].mean() / beam - 1))
    assert errors[1] < 0.01
    assert errors[1] < 0.5 * errors[0]


def test_heat_through_a_slab_follows_fourier() -> None:
    problem = cantilever((10, 4), heat=True, material=Material(conductivity=50.0))
    load = np.zeros_like(problem.loads[0])
    load[0, :, -1] = [1, 2, 2, 2, 1]
    u, _ = AssembledState(problem).solve(load)
    np.testing.assert_allclose(u[0, :, -1], 8 * 10 / (50.0 * 4))


@pytest.mark.parametrize("heat", [False, True])
@pytest.mark.parametrize("elements", [(7, 5), (5, 3, 4)])
def test_iteration_factorisation_and_products_agree(elements: tuple[int, ...], heat: bool) -> None:
    problem = cantilever(elements, heat=heat)
    relative = np.random.default_rng(1).uniform(0.01, 1.0, problem.grid.shape)
    load = problem.loads[0]
    direct, iterative = AssembledState(problem), AssembledState(problem, direct_limit=0)
    assert direct.is_direct
    assert not iterative.is_direct
    direct.set_stiffness(relative)
    iterative.set_stiffness(relative)
    u, _ = direct.solve(load)
    v, how = iterative.solve(load, tolerance=1e-12)
    assert how.iterations > 0
    scale = np.abs(u).max()
    np.testing.assert_allclose(v, u, atol=1e-9 * scale)
    again, warm = iterative.solve(load, start=u, tolerance=1e-8)
    assert warm.iterations <= 1
    np.testing.assert_allclose(again, u, atol=1e-6 * scale)
    stiff = direct.assemble() @ u.ravel()
    np.testing.assert_allclose(direct.apply(u).ravel(), stiff, atol=1e-12 * np.abs(stiff).max())
    assert np.vdot(relative, direct.bilinear(u, u)) == pytest.approx(np.vdot(load, u), rel=1e-10)
    assert direct.residual(load, 0 * u) == pytest.approx(1.0)


def test_beyond_the_memory_limit_it_multiplies_element_by_element(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = cantilever((6, 4))
    u, _ = AssembledState(problem).solve(problem.loads[0])
    monkeypatch.setattr("trabecula.physics.assembled.ASSEMBLY_LIMIT", 0)
    monkeypatch.setattr("trabecula.physics.assembled.SLAB", 7)
    state = AssembledState(problem, direct_limit=0)
    v, how = state.solve(problem.loads[0], tolerance=1e-12)
    np.testing.assert_allclose(v, u, atol=1e-9 * np.abs(u).max())
    assert state.solve(problem.loads[0], max_iterations=2)[1].residual > how.residual


def test_no_load_needs_no_solve() -> None:
    problem = cantilever((4, 2))
    state = AssembledState(problem)
    u, how = state.solve(0 * problem.loads[0])
    assert how.method == "none"
    assert not u.any()
    assert state.residual(0 * problem.loads[0], u) == 0.0


def test_a_stiffness_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="the grid"):
        AssembledState(cantilever((4, 2))).set_stiffness(np.ones((4, 2)))


def test_energy_error_bound_covers_the_rounding_of_a_rigid_motion() -> None:
    problem = cantilever((40, 3))
    problem = replace(problem, fixed=np.zeros_like(problem.fixed))
    state = AssembledState(problem)
    y, x = np.meshgrid(*(np.arange(n, dtype=float) for n in problem.grid.node_shape), indexing="ij")
    rng = np.random.default_rng(0)
    small = rng.standard_normal((2, *problem.grid.node_shape)) * 1e-7
    u = np.stack([1e3 - 7.0 * y, 3.0 + 7.0 * x]) + small
    energy, error = state.energy_and_error(u)
    exact = np.longdouble(state.element)
    for index in np.ndindex(problem.grid.shape):
        local = np.array(
            [u[c, index[0] + (a >> 1), index[1] + (a & 1)] for c in range(2) for a in range(4)], np.longdouble
        )
        local[:4] -= local[0]
        local[4:] -= local[4]
        assert abs(energy[index] - local @ exact @ local) <= error[index]


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (7, 6, 9)])
def test_nested_dissection_takes_every_node_once(shape: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(np.sort(nested_dissection(shape)), np.arange(np.prod(shape)))


def test_own_weight_is_the_mass_of_what_is_there() -> None:
    problem = cantilever((5, 4), cases=2, material=Material(density=3.0), spacing=(0.5, 2.0))
    problem = replace(problem, gravity=np.array([[0.0, -9.81], [0.0, 0.0]]))
    physical = np.random.default_rng(2).random(problem.grid.shape)
    load = total_load(problem, physical, 0)
    np.testing.assert_allclose(load, problem.loads[0] + body_force(problem, physical, 0))
    np.testing.assert_array_equal(total_load(problem, physical, 1), problem.loads[1])
    free = replace(problem, fixed=np.zeros_like(problem.fixed), loads=0 * problem.loads)
    assert total_load(free, physical, 0)[1].sum() == pytest.approx(-9.81 * 3.0 * physical.sum())
