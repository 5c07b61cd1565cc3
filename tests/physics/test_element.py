from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.physics.blocks import block
from trabecula.physics import element

SPACINGS = st.lists(st.floats(0.5, 5.0), min_size=2, max_size=3).map(tuple)
POISSON = st.floats(-0.5, 0.45)


def rigid_motions(spacing: tuple[float, ...]) -> list[np.ndarray]:
    """Translations and rotations of a box, as nodal values in the order of the element matrix."""
    d = len(spacing)
    place = np.array([[(node >> a & 1) * spacing[a] for node in range(2**d)] for a in range(d)])
    motions = [np.repeat(np.eye(d)[a], 2**d) for a in range(d)]
    for a in range(d):
        for b in range(a + 1, d):
            turn = np.zeros((d, 2**d))
            turn[a], turn[b] = -place[b], place[a]
            motions.append(turn.ravel())
    return motions


@settings(max_examples=25, deadline=None)
@given(SPACINGS, POISSON)
def test_stiffness_is_symmetric_semidefinite_and_zero_for_rigid_motions_only(
    spacing: tuple[float, ...], poisson: float
) -> None:
    matrix = element.elasticity(spacing, 210e9, poisson, thickness=0.3)
    size = np.abs(matrix).max()
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-14 * size)
    motions = rigid_motions(spacing)
    for motion in motions:
        assert np.abs(matrix @ motion).max() < 1e-12 * size * np.abs(motion).max()
    values = np.linalg.eigvalsh(matrix)
    assert values[0] > -1e-12 * size
    assert values[len(motions)] > 1e-8 * size


@settings(max_examples=25, deadline=None)
@given(SPACINGS)
def test_conductivity_is_symmetric_semidefinite_and_zero_for_equal_temperatures_only(
    spacing: tuple[float, ...],
) -> None:
    matrix = element.conduction(spacing, 50.0)
    size = np.abs(matrix).max()
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-14 * size)
    assert np.abs(matrix.sum(axis=1)).max() < 1e-13 * size
    values = np.linalg.eigvalsh(matrix)
    assert values[0] > -1e-13 * size
    assert values[1] > 1e-9 * size


@settings(max_examples=25, deadline=None)
@given(SPACINGS, POISSON, st.booleans())
def test_mirror_blocks_are_all_there_is_of_the_matrix(
    spacing: tuple[float, ...], poisson: float, heat: bool
) -> None:
    d, nodes = len(spacing), 2 ** len(spacing)
    matrix = element.conduction(spacing, 2.0) if heat else element.elasticity(spacing, 2.0, poisson)
    components = 1 if heat else d
    blocks = element.mirror_blocks(matrix, d)
    spread = np.zeros((components * nodes, components * nodes))
    for p in range(nodes):
        rows = [c * nodes + element.mode(components, c, p) for c in range(components)]
        spread[np.ix_(rows, rows)] += blocks[p]
    signs = np.array([[(-1) ** (m & n).bit_count() for n in range(nodes)] for m in range(nodes)])
    transform = np.kron(np.eye(components), signs)
    np.testing.assert_allclose(transform.T @ spread @ transform, matrix, atol=1e-14 * np.abs(matrix).max())


def test_unit_square_matches_the_published_88_line_matrix() -> None:
    nu = 0.3
    matrix = element.elasticity((1.0, 1.0), 1.0, nu) * (1 - nu**2)
    published = {0: 0.5 - nu / 6, 4: 1 / 8 + nu / 8, 1: -0.25 - nu / 12, 2: nu / 6, 3: -0.25 + nu / 12}
    for column, value in published.items():
        assert matrix[0, column] == pytest.approx(value), column


def test_thickness_counts_in_the_plane_only() -> None:
    plane, thick = (element.elasticity((1.0, 2.0), 1.0, 0.3, t) for t in (1.0, 0.25))
    np.testing.assert_allclose(thick, 0.25 * plane)
    np.testing.assert_allclose(
        element.conduction((1.0, 2.0), 5.0, 0.25) * 4, element.conduction((1.0, 2.0), 5.0)
    )
    box = (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(element.elasticity(box, 1.0, 0.3, 0.25), element.elasticity(box, 1.0, 0.3))
    np.testing.assert_array_equal(element.conduction(box, 1.0, 0.25), element.conduction(box, 1.0))


@pytest.mark.parametrize("elements", [(3, 2), (3, 2, 4)])
@pytest.mark.parametrize("heat", [False, True])
def test_constants_make_the_matrix(elements: tuple[int, ...], heat: bool) -> None:
    """What the coarse grids are made of says the same as the matrix, here of a stretch along x."""
    problem = block(elements, spacing=(0.5, 2.0, 1.5)[: len(elements)], heat=heat)
    first, second = element.constants(problem)
    spacing = problem.grid.spacing
    stretch = np.zeros((len(problem.fixed), 2 ** len(elements)))
    stretch[0] = [spacing[0] * (node & 1) for node in range(2 ** len(elements))]
    energy = stretch.ravel() @ element.of(problem) @ stretch.ravel() / np.prod(spacing)
    assert energy == pytest.approx(second if heat else first + 2 * second)
