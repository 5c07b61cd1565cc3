"""Primitives are closed, true, and touch their shapes from the side that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.surface import Mesh
from trabecula.surface.boolean import intersect, subtract, to_manifold, unite, unite_bodies
from trabecula.surface.primitives import join_corners, make_ball, make_bar, make_box

BALL = make_ball((1, 2, 3), 0.5, outside=False)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_bar_touches_its_circle_from_one_side(axis, outside):
    bar = make_bar(axis, (1, 2, 3), 0.5, (-1, 4), outside=outside)
    assert bar.is_watertight()
    side = np.abs(bar.normals()[:, axis]) < 1e-12
    away = np.delete(bar.corners()[side] - [1, 2, 3], axis, axis=2)
    middles = np.linalg.norm((away + np.roll(away, 1, axis=1)) / 2, axis=2)
    radii = np.linalg.norm(away, axis=2)
    assert (middles.min() >= 0.5 * (1 - 1e-12)) if outside else (radii.max() <= 0.5 * (1 + 1e-12))
    assert bar.volume() == pytest.approx(5 * np.pi / 4, rel=1e-3)
    assert bar.bounds[:, axis].tolist() == [-1, 4]


@pytest.mark.parametrize("outside", [False, True])
def test_a_ball_touches_its_sphere_from_one_side(outside):
    ball = make_ball((1, 2, 3), 0.5, outside=outside)
    assert ball.is_watertight()
    middles = np.linalg.norm(ball.corners().mean(axis=1) - [1, 2, 3], axis=1)
    normal = ball.normals() / np.linalg.norm(ball.normals(), axis=1, keepdims=True)
    planes = np.einsum("fi,fi->f", normal, ball.corners()[:, 0] - [1, 2, 3])
    assert planes.min() >= 0.5 - 1e-12 if outside else middles.max() <= 0.5
    assert ball.volume() == pytest.approx(np.pi / 6, rel=3e-3)


def test_facets_are_no_longer_than_asked():
    assert len(make_bar(0, (0, 0, 0), 10.0, (0, 1), outside=True, longest=0.1).vertices) >= 2 * 628


def test_booleans_know_their_volumes():
    one, other = make_box((0, 0, 0), (2, 2, 2)), make_box((1, 1, 1), (3, 3, 3))
    assert unite([one, other]).volume() == pytest.approx(15)
    assert intersect([one, other]).volume() == pytest.approx(1)
    assert subtract(one, [other]).volume() == pytest.approx(7)
    assert not len(intersect([one, make_box((5, 5, 5), (6, 6, 6))]).faces)


def test_an_open_mesh_is_no_body():
    hole = Mesh(BALL.vertices, BALL.faces[1:])
    with pytest.raises(ValueError, match="no closed surface"):
        to_manifold(hole)
    assert unite_bodies(hole) is None
    assert unite_bodies(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64))) is None


def together(*meshes: Mesh) -> Mesh:
    return join_corners(np.concatenate([mesh.corners() for mesh in meshes]))


def turn(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.faces[:, ::-1])


@pytest.mark.parametrize("flip", [lambda mesh: mesh, turn])
def test_bodies_are_united_whatever_their_orientation(flip):
    one, other = make_box((0, 0, 0), (2, 2, 2)), flip(make_box((1, 1, 1), (3, 3, 3)))
    found = unite_bodies(together(one, other))
    assert found is not None and found.volume() == pytest.approx(15)


def test_a_body_turned_inside_out_within_another_is_a_cavity():
    found = unite_bodies(together(make_box((0, 0, 0), (4, 4, 4)), turn(make_box((1, 1, 1), (2, 2, 2)))))
    assert found is not None and found.volume() == pytest.approx(63)


def test_a_surface_that_is_all_inside_out_is_turned():
    found = unite_bodies(turn(BALL))
    assert found is not None and found.volume() == pytest.approx(BALL.volume())


def test_loose_triangles_are_joined():
    assert together(BALL).is_watertight()
    assert together(BALL).volume() == pytest.approx(BALL.volume(), rel=1e-6)
