"""A mesh knows its volume and is honest about holes."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.surface import Mesh, surface

TETRAHEDRON = Mesh(
    np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)


def test_tetrahedron_is_closed_and_has_its_volume():
    assert TETRAHEDRON.is_watertight()
    assert TETRAHEDRON.volume() == pytest.approx(1 / 6)
    assert TETRAHEDRON.area() == pytest.approx(1.5 + np.sqrt(3) / 2)


def test_volume_does_not_depend_on_the_place():
    moved = Mesh(TETRAHEDRON.vertices + 1e6, TETRAHEDRON.faces)
    assert moved.volume() == pytest.approx(1 / 6, rel=1e-6)


def test_a_missing_face_is_a_hole():
    assert not Mesh(TETRAHEDRON.vertices, TETRAHEDRON.faces[:-1]).is_watertight()


def test_a_turned_face_is_not_oriented():
    faces = TETRAHEDRON.faces.copy()
    faces[0] = faces[0][::-1]
    assert not Mesh(TETRAHEDRON.vertices, faces).is_watertight()


def test_a_doubled_face_is_not_closed():
    faces = np.concatenate([TETRAHEDRON.faces, TETRAHEDRON.faces])
    assert not Mesh(TETRAHEDRON.vertices, faces).is_watertight()


def test_vertices_that_become_one_in_float32_are_found():
    vertices = np.concatenate([TETRAHEDRON.vertices, [[1 + 1e-12, 0, 0]]])
    split = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [4, 2, 3], [1, 2, 4], [1, 4, 3]])
    assert not Mesh(vertices, split).is_watertight()


def test_minus_zero_is_zero():
    vertices = np.concatenate([TETRAHEDRON.vertices, [[-0.0, 0, 0]]])
    faces = TETRAHEDRON.faces.copy()
    faces[0, 0] = 4
    assert Mesh(vertices, faces).is_watertight()


def test_scaling_scales():
    large = surface(np.ones((2, 2, 2)), (0.1, 0.1, 0.1)).scale(1000)
    assert large.volume() == pytest.approx(200**3)


def test_corners_are_the_vertices_of_the_faces():
    np.testing.assert_array_equal(TETRAHEDRON.corners()[1], TETRAHEDRON.vertices[[0, 1, 3]])
