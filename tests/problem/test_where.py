"""Selectors pick the nodes and voxels they say, in 2-D and 3-D."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Everywhere,
    Lattice,
    Nodes,
    Not,
    Plane,
    Points,
    Range,
    Sphere,
    Where,
)

NODES = Lattice((6, 4), (0.5, 0.25), nodes=True)
CENTRES = Lattice((6, 4), (0.5, 0.25), nodes=False)
NODES3 = Lattice((4, 3, 2), (1.0, 1.0, 1.0), nodes=True)


def picked(where: Where, lattice: Lattice) -> set[tuple[int, ...]]:
    """Indices x, y(, z) of what is selected."""
    return {tuple(int(i) for i in index[::-1]) for index in np.argwhere(where.select(lattice))}


def test_masks_have_the_shape_of_nodes_or_elements() -> None:
    assert Everywhere().select(NODES).shape == (5, 7)
    assert Everywhere().select(CENTRES).shape == (4, 6)
    assert Everywhere().select(NODES3).shape == (3, 4, 5)
    assert NODES3.dimension == 3


@pytest.mark.parametrize(
    ("at", "column"),
    [(0.0, 0), (0.24, 0), (0.26, 1), (3.0, 6), (3.2, 6), (-0.2, 0), (3.25, 6), (-0.25, 0)],
)
def test_a_plane_snaps_to_the_nearest_nodes_within_half_an_element(at: float, column: int) -> None:
    assert picked(Plane("x", at), NODES) == {(column, y) for y in range(5)}


def test_a_plane_midway_between_two_layers_is_both_of_them() -> None:
    assert picked(Plane("x", 0.25), NODES) == {(x, y) for x in (0, 1) for y in range(5)}
    assert picked(Plane("x", 2.75), NODES) == {(x, y) for x in (5, 6) for y in range(5)}
    assert picked(Plane("z", 0.5), NODES3) == {(x, y, z) for x in range(5) for y in range(4) for z in (0, 1)}


@pytest.mark.parametrize("count", range(1, 60, 2))
def test_the_middle_of_an_odd_grid_is_shared_by_both_layers_whatever_the_rounding(count: int) -> None:
    for size in (1.0, 0.3, 0.0007, 7.1):
        lattice = Lattice((count, 1), (size / count, 1.0), nodes=True)
        chosen = np.flatnonzero(Plane("x", size / 2).select(lattice)[0])
        assert chosen.tolist() == [count // 2, count // 2 + 1]


@pytest.mark.parametrize("at", [-0.3, 3.3, 1e9, -1e9])
def test_a_plane_further_out_selects_nothing(at: float) -> None:
    assert picked(Plane("x", at), NODES) == set()


def test_a_plane_selects_the_voxels_it_touches() -> None:
    assert picked(Plane("x", 0.0), CENTRES) == {(0, y) for y in range(4)}
    assert picked(Plane("x", 0.6), CENTRES) == {(1, y) for y in range(4)}
    assert picked(Plane("x", 1.0), CENTRES) == {(x, y) for x in (1, 2) for y in range(4)}


@given(st.integers(1, 200), st.floats(1e-3, 1e3), st.data())
def test_a_range_holds_its_end_nodes_whatever_the_rounding(
    count: int, size: float, data: st.DataObject
) -> None:
    first, last = sorted((data.draw(st.integers(0, count)), data.draw(st.integers(0, count))))
    lattice = Lattice((count, 1), (size / count, 1.0), nodes=True)
    mask = Range("x", size * first / count, size * last / count).select(lattice)
    assert list(np.flatnonzero(mask[0])) == list(range(first, last + 1))


def test_ranges_select_voxels_by_their_centres() -> None:
    assert picked(Range("x", 0.0, 1.0), CENTRES) == {(x, y) for x in (0, 1) for y in range(4)}


def test_round_selectors_measure_distance() -> None:
    assert picked(Sphere((1.0, 0.5), 0.5), NODES) == {(2, y) for y in range(5)} | {
        (x, y) for x, y in [(1, 2), (3, 2)]
    }
    assert len(picked(Sphere((2.0, 1.0, 1.0), 1.0), NODES3)) == 7
    along = picked(Cylinder("x", (9.0, 1.0, 1.0), 1.0), NODES3)
    assert along == {(x, y, z) for x in range(5) for y, z in [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)]}
    assert picked(Cylinder("z", (1.0, 0.5), 0.1), NODES) == {(2, 2)}


def test_a_box_is_the_product_of_its_ranges() -> None:
    ranges = AllOf((Range("x", 0, 1), Range("y", 1, 2), Range("z", 0, 1)))
    assert picked(Box((0, 1, 0), (1, 2, 1)), NODES3) == picked(ranges, NODES3)


def test_points_select_their_nearest_node_or_the_voxels_they_touch() -> None:
    assert picked(Nodes(((0.9, 0.3), (3.0, 1.0))), NODES) == {(2, 1), (6, 4)}
    assert picked(Nodes(((0.9, 0.3),)), CENTRES) == {(1, 1)}
    assert picked(Nodes(((1.0, 0.5),)), CENTRES) == {(x, y) for x in (1, 2) for y in (1, 2)}
    assert picked(Nodes(((9.0, 0.0),)), NODES) == set()


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ((1.0, 1.0, 1.0), 1),
        ((1.5, 1.0, 1.0), 2),
        ((1.5, 1.5, 1.0), 4),
        ((1.5, 1.5, 1.5), 8),
        ((0.5, 0.0, 2.5), 2),
    ],
)
def test_a_point_midway_between_nodes_selects_all_that_are_equally_near(
    point: tuple[float, ...], count: int
) -> None:
    chosen = picked(Nodes((point,)), NODES3)
    assert len(chosen) == count
    limits = np.array(NODES3.elements)
    distances = [np.linalg.norm(np.clip(point, 0, limits) - np.array(node)) for node in chosen]
    assert np.ptp(distances) == 0


@given(st.integers(2, 40), st.floats(1e-3, 1e3), st.floats(0, 1))
def test_a_mirrored_point_selects_the_mirrored_nodes(count: int, size: float, share: float) -> None:
    lattice = Lattice((count, count), (size / count, size / count), nodes=True)
    point = (size * share, size / 2)
    there = Nodes((point,)).select(lattice)
    assert np.array_equal(Nodes(((size - point[0], point[1]),)).select(lattice), there[:, ::-1])
    assert np.array_equal(there, there[::-1])


def test_points_of_a_mesh_that_are_equally_near_are_all_chosen() -> None:
    corners = Points.of(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [3.0, 0.0]]), 0.8)
    assert Nodes(((0.5, 0.5),)).select(corners).tolist() == [True, True, True, True, False]
    assert Nodes(((0.5, 0.0),)).select(corners).tolist() == [True, True, False, False, False]
    assert Nodes(((0.4, 0.0),)).select(corners).tolist() == [True, False, False, False, False]
    assert not Nodes(((2.0, 1.0),)).select(corners).any()


@given(st.floats(0, 3), st.floats(0, 3), st.floats(0, 1))
def test_combinations_obey_set_algebra(a: float, b: float, c: float) -> None:
    one, two = Range("x", min(a, b), max(a, b)), Plane("y", c)
    both, either = picked(AllOf((one, two)), NODES), picked(AnyOf((one, two)), NODES)
    assert both == picked(one, NODES) & picked(two, NODES)
    assert either == picked(one, NODES) | picked(two, NODES)
    assert picked(Not(AnyOf((one, two))), NODES) == picked(AllOf((Not(one), Not(two))), NODES)
