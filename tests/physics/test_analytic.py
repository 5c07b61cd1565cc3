"""The voxel state against answers known in closed form, exactly or in the limit of fine grids."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.physics.blocks import block, free, places
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics import VoxelState
from trabecula.problem.model import Material

YOUNG, POISSON = 7.0, 0.3
SHEAR = YOUNG / (2 * (1 + POISSON))


def solved(problem: DiscreteProblem, load: np.ndarray) -> np.ndarray:
    state = VoxelState(problem)
    state.set_stiffness(np.ones(problem.grid.shape))
    u, how = state.solve(load, tolerance=1e-10)
    assert how.residual <= 1e-10
    return u


def end_face(problem: DiscreteProblem) -> np.ndarray:
    """Share of every node of the face at the far end of x in its area, `[z, y]` or `[y]`; sums to one."""
    share = np.ones(problem.grid.node_shape[:-1])
    for axis in range(share.ndim):
        share[(slice(None),) * axis + ([0, -1],)] /= 2
    return share / share.sum()


def errors_fall(errors: list[float], last: float) -> bool:
    """Second order: a grid twice as fine leaves at most 40 % of the error; and the last one is small."""
    return all(b <= 0.4 * a for a, b in pairwise(errors)) and errors[-1] < last


def test_slender_plate_cantilever_bends_as_timoshenko_says() -> None:
    length, height = 20.0, 2.0
    inertia, area = height**3 / 12, height
    beam = length**3 / (3 * YOUNG * inertia) + 1.2 * length / (SHEAR * area)
    errors = []
    for n in (2, 4, 8):
        problem = block((10 * n, n), spacing=(length / (10 * n), height / n))
        load = np.zeros(problem.fixed.shape)
        load[1, :, -1] = end_face(problem)
        u = solved(problem, load)
        errors.append(abs(u[1, :, -1].mean() / beam - 1))
    assert errors_fall(errors, 0.03), errors


def test_slender_solid_cantilever_bends_as_euler_and_bernoulli_say() -> None:
    length, side = 16.0, 1.0
    beam = length**3 / (3 * YOUNG * side**4 / 12)
    errors = []
    for n in (2, 4, 8):
        problem = block((8 * n, n, n), spacing=(length / (8 * n), side / n, side / n), poisson=0.0)
        load = np.zeros(problem.fixed.shape)
        load[2, :, :, -1] = end_face(problem)
        u = solved(problem, load)
        errors.append(abs(u[2, :, :, -1].mean() / beam - 1))
    assert errors_fall(errors, 0.05), errors


@pytest.mark.parametrize("elements", [(13, 5), (9, 4, 3)])
def test_a_bar_pulled_at_its_end_stretches_exactly(elements: tuple[int, ...]) -> None:
    problem = block(elements, spacing=(0.4, 0.3, 0.7)[: len(elements)], poisson=0.0)
    load = np.zeros(problem.fixed.shape)
    load[0, ..., -1] = 5.0 * end_face(problem)
    area = np.prod([n * h for n, h in zip(elements[1:], problem.grid.spacing[1:], strict=True)])
    x = places(problem)[0]
    np.testing.assert_allclose(solved(problem, load)[0], 5.0 * x / (YOUNG * area), atol=1e-9)


@pytest.mark.parametrize("elements", [(16, 4), (11, 3, 5)])
def test_a_bar_under_its_own_weight_is_exact_at_its_nodes(elements: tuple[int, ...]) -> None:
    """Hanging by its upper end: w(s) = g rho (L s - s^2 / 2) / E, s from the support."""
    problem = block(elements, spacing=(0.5, 0.3, 0.7)[: len(elements)], poisson=0.0)
    weight = np.zeros(problem.fixed.shape)
    share = problem.grid.element_volume / 2 ** len(elements)
    for corner in np.ndindex(*(2,) * len(elements)):
        place = tuple(slice(b, b + n) for b, n in zip(corner, problem.grid.shape, strict=True))
        weight[(0, *place)] += 9.81 * 3.0 * share
    weight[problem.fixed] = 0.0
    x = places(problem)[0]
    hanging = 9.81 * 3.0 * (x.max() * x - x**2 / 2) / YOUNG
    np.testing.assert_allclose(solved(problem, weight)[0], hanging, atol=1e-8 * hanging.max())


def test_a_square_shaft_twists_as_saint_venant_says() -> None:
    """Torsion constant 0.1406 a^4, measured away from the ends; the section may warp."""
    side, errors = 2.0, []
    for n in (4, 8, 16):
        h = side / n
        problem = free(block((3 * n, n, n), spacing=(h, h, h)))
        fixed = problem.fixed.copy()
        fixed[1:, :, :, 0] = True
        fixed[0, n // 2, n // 2, 0] = True
        fixed[1:, n // 2, n // 2, -1] = True  # the axis stays where it is
        problem = replace(problem, fixed=fixed)
        y, z = places(problem)[1:, :, :, 0] - side / 2
        share = end_face(problem)
        load = np.zeros(problem.fixed.shape)
        load[1, :, :, -1], load[2, :, :, -1] = -z * share, y * share
        torque = float(((y**2 + z**2) * share).sum())
        u = solved(problem, load)
        angle = ((y * np.moveaxis(u[2], -1, 0) - z * np.moveaxis(u[1], -1, 0)).sum(axis=(1, 2))) / (
            y**2 + z**2
        ).sum()
        twist = (angle[2 * n] - angle[n]) / (n * h)
        errors.append(abs(torque / (SHEAR * twist) / (0.1406 * side**4) - 1))
    assert errors_fall(errors, 0.01), errors


@pytest.mark.parametrize("elements", [(12, 5), (9, 4, 3)])
def test_heat_through_a_slab_follows_fourier_exactly(elements: tuple[int, ...]) -> None:
    problem = block(elements, spacing=(0.4, 0.3, 0.7)[: len(elements)], heat=True)
    load = np.zeros(problem.fixed.shape)
    load[0, ..., -1] = 8.0 * end_face(problem)
    area = np.prod([n * h for n, h in zip(elements[1:], problem.grid.spacing[1:], strict=True)])
    expected = 8.0 * places(problem)[0] / (3.0 * area)
    np.testing.assert_allclose(solved(problem, load)[0], expected, atol=1e-8 * expected.max())


def test_two_slabs_in_series_share_the_temperature_by_their_resistance() -> None:
    problem = block((10, 4, 3), heat=True)
    relative = np.ones(problem.grid.shape)
    relative[..., 5:] = 1e-3
    state = VoxelState(problem)
    state.set_stiffness(relative)
    load = np.zeros(problem.fixed.shape)
    load[0, ..., -1] = end_face(problem)
    u, _ = state.solve(load, tolerance=1e-11)
    np.testing.assert_allclose(u[0, ..., 5], 5 / (3.0 * 12), rtol=1e-6)
    np.testing.assert_allclose(u[0, ..., -1], (5 + 5e3) / (3.0 * 12), rtol=1e-6)


def test_a_heated_slab_has_its_parabola_at_the_nodes() -> None:
    problem = block((8, 3), heat=True)
    load = np.zeros(problem.fixed.shape)
    for corner in np.ndindex(2, 2):
        load[(0, *(slice(b, b + n) for b, n in zip(corner, problem.grid.shape, strict=True)))] += 6.0 / 4
    load[problem.fixed] = 0.0
    x = places(problem)[0]
    np.testing.assert_allclose(solved(problem, load)[0], 6.0 * (8 * x - x**2 / 2) / 3.0, rtol=1e-7, atol=1e-9)


def test_thickness_and_young_scale_the_answer() -> None:
    problem = block((9, 5))
    thick = replace(
        problem,
        grid=replace(problem.grid, thickness=0.01),
        material=Material(young=210e9, poisson=0.3),
    )
    u, v = solved(problem, problem.loads[0]), solved(thick, problem.loads[0])
    np.testing.assert_allclose(v * (0.01 * 210e9 / YOUNG), u, rtol=1e-6, atol=1e-7 * np.abs(u).max())
