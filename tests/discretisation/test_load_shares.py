"""Totals reach the nodes as constant tractions would; pressure pushes inwards on every surface."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from trabecula.discretisation.load_shares import (
    bounding_box,
    nodes_of,
    pressure,
    shares,
)


def solid(*shape: int) -> np.ndarray:
    return np.ones(shape, dtype=bool)


def test_a_line_of_nodes_gets_trapezoid_shares() -> None:
    line = np.zeros((3, 5), dtype=bool)
    line[:, 4] = True
    assert np.allclose(shares(line, solid(2, 4), (1.0, 0.5))[:, 4], [0.25, 0.5, 0.25])


def test_an_edge_of_a_solid_gets_trapezoid_shares() -> None:
    edge = np.zeros((4, 3, 5), dtype=bool)
    edge[:, 0, 4] = True
    assert np.allclose(shares(edge, solid(3, 2, 4), (1, 1, 1))[:, 0, 4], np.array([1, 2, 2, 1]) / 6)


def test_a_face_gets_tensor_trapezoid_shares() -> None:
    face = np.zeros((3, 4, 2), dtype=bool)
    face[:, :, 1] = True
    expected = np.outer([1, 2, 1], [1, 2, 2, 1]) / 24
    assert np.allclose(shares(face, solid(2, 3, 1), (1.0, 2.0, 3.0))[:, :, 1], expected)


def test_a_volume_gets_tensor_trapezoid_shares() -> None:
    assert np.allclose(shares(solid(3, 4), solid(2, 3), (1, 1)), np.outer([1, 2, 1], [1, 2, 2, 1]) / 24)


def test_points_share_equally() -> None:
    points = np.zeros((3, 5), dtype=bool)
    points[0, 0] = points[2, 2] = points[1, 4] = True
    assert np.allclose(shares(points, solid(2, 4), (1, 1))[points], 1 / 3)


def test_sides_of_different_length_share_by_length() -> None:
    corner = np.zeros((2, 2), dtype=bool)
    corner[0, :] = corner[:, 0] = True
    share = shares(corner, solid(1, 1), (3.0, 1.0))
    assert np.allclose(share, np.array([[2.0, 1.5], [0.5, 0.0]]) / 4)


def test_only_what_touches_material_carries_load() -> None:
    top = np.zeros((3, 5), dtype=bool)
    top[2] = True
    material = solid(2, 4)
    material[1, 2:] = False
    assert np.allclose(shares(top, material, (1, 1))[2], [0.25, 0.5, 0.25, 0, 0])
    assert not shares(top, np.zeros((2, 4), dtype=bool), (1, 1)).any()
    assert not shares(np.zeros((3, 5), dtype=bool), material, (1, 1)).any()


@settings(max_examples=60, deadline=None)
@given(arrays(bool, (4, 3, 5)), arrays(bool, (3, 2, 4)))
def test_shares_are_positive_and_sum_to_one_on_any_selection(
    selected: np.ndarray, material: np.ndarray
) -> None:
    share = shares(selected, material, (1.0, 2.0, 0.5))
    reachable = selected & nodes_of(material)
    assert (share >= 0).all()
    assert not share[~reachable].any()
    assert share.sum() == pytest.approx(1.0 if reachable.any() else 0.0)


def test_pressure_on_one_side_is_pressure_times_area_inwards() -> None:
    right = np.zeros((3, 5), dtype=bool)
    right[:, 4] = True
    force = pressure(right, solid(2, 4), (1.0, 0.5), thickness=0.1)
    assert np.allclose(force.sum(axis=(1, 2)), [-1.0 * 0.1, 0])
    assert np.allclose(force[0][:, 4], -0.1 * np.array([0.25, 0.5, 0.25]))
    top = np.zeros((2, 3, 4), dtype=bool)
    top[:, 2] = True
    force = pressure(top, solid(1, 2, 3), (2.0, 1.0, 0.5), thickness=9.0)
    assert np.allclose(force.sum(axis=(1, 2, 3)), [0, -6.0 * 0.5, 0])


def test_pressure_all_around_cancels_on_any_shape() -> None:
    material = np.random.default_rng(1).random((3, 4, 5)) < 0.6
    force = pressure(solid(4, 5, 6), material, (1.0, 2.0, 3.0), 1.0)
    assert np.abs(force).max() > 0
    assert np.allclose(force.sum(axis=(1, 2, 3)), 0)


def test_pressure_acts_on_the_steps_of_a_stair() -> None:
    material = np.tril(solid(4, 4))[::-1]  # rows from the bottom: 4, 3, 2, 1 voxels from the left
    force = pressure(solid(5, 5), material, (1.0, 1.0), 1.0)
    steps = pressure(np.add.outer(np.arange(5), np.arange(5)) >= 4, material, (1.0, 1.0), 1.0)
    assert np.allclose(steps.sum(axis=(1, 2)), [-4, -4])
    assert np.allclose(force.sum(axis=(1, 2)), 0)


def test_pressure_inside_a_hole_pushes_into_the_material() -> None:
    material = solid(5, 5)
    material[2, 2] = False
    hole = np.zeros((6, 6), dtype=bool)
    hole[2:4, 2:4] = True
    force = pressure(hole, material, (1.0, 1.0), 1.0)
    assert (force[0][2:4, 2] < 0).all()
    assert (force[0][2:4, 3] > 0).all()
    assert (force[1][2, 2:4] < 0).all()


def test_boxes_and_touched_nodes() -> None:
    assert bounding_box(np.zeros((2, 2), dtype=bool)) is None
    one = np.zeros((3, 4), dtype=bool)
    one[1, 2] = True
    assert bounding_box(one) == (slice(1, 2), slice(2, 3))
    assert nodes_of(one)[1:3, 2:4].all()
    assert nodes_of(one).sum() == 4
