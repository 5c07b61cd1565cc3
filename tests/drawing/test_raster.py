"""The z-buffer: every pixel once, the nearest triangle, only front faces."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.drawing.raster import rasterise
from trabecula.drawing.render import Scene, View, render
from trabecula.surface import surface

SQUARE = np.array([[2.0, 12.0, 0.0], [12.0, 12.0, 0.0], [12.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])  # counter-clockwise where rows run upwards


def test_two_triangles_cover_their_square_without_a_gap():
    seen = rasterise(SQUARE, FACES, (16, 20))
    row, column = np.divmod(seen.pixel, 20)
    assert len(seen.pixel) == 100
    assert (row.min(), row.max(), column.min(), column.max()) == (2, 11, 2, 11)
    np.testing.assert_allclose(seen.weights.sum(axis=1), 1, rtol=1e-6)


def test_the_nearest_face_wins_whatever_the_order():
    near = SQUARE - [0, 0, 5.0]
    for points, first in ((np.concatenate([SQUARE, near]), 2), (np.concatenate([near, SQUARE]), 0)):
        seen = rasterise(points, np.concatenate([FACES, FACES + 4]), (16, 16))
        assert set(seen.face.tolist()) == {first, first + 1}
        np.testing.assert_allclose(seen.depth, -5)


def test_faces_seen_from_behind_are_not_drawn():
    assert len(rasterise(SQUARE, FACES[:, ::-1], (16, 16)).pixel) == 0


def test_what_lies_outside_the_picture_is_cut_off():
    seen = rasterise(SQUARE * 10 - 50, FACES, (16, 16))
    assert len(seen.pixel) == 256


def test_weights_say_where_in_the_triangle_a_pixel_is():
    seen = rasterise(SQUARE, FACES, (16, 16))
    place = np.einsum("pc,pci->pi", seen.weights, SQUARE[FACES[seen.face]])
    np.testing.assert_allclose(place[:, 0], seen.pixel % 16 + 0.5, atol=1e-4)
    np.testing.assert_allclose(place[:, 1], seen.pixel // 16 + 0.5, atol=1e-4)


def test_views_are_right_handed_and_look_from_above():
    right, up, eye = View().axes()
    np.testing.assert_allclose(np.cross(right, up), eye, atol=1e-12)
    assert eye[1] > 0 and eye[2] > 0


def scene(density: np.ndarray) -> Scene:
    mesh = surface(density, (1, 1, 1))
    colours = np.full((len(mesh.vertices), 3), 0.6, np.float32)
    return Scene(mesh.vertices, mesh.faces, colours, np.array([[[0.0, 0, 0], [4.0, 0, 0]]]))


def test_a_ball_is_drawn_as_a_disc_lit_from_above():
    z, y, x = np.indices((20, 20, 20)) - 9.5
    ball = scene(np.clip(8.5 - np.sqrt(x**2 + y**2 + z**2), 0, 1))
    ball = Scene(ball.vertices, ball.faces, ball.colours, np.empty((0, 2, 3)))
    pixels = render(ball, 120, 100)
    assert pixels.shape == (100, 120, 3) and pixels.dtype == np.uint8
    grey = pixels.mean(axis=2)
    covered = grey < 254
    assert covered.sum() == pytest.approx(np.pi * 48**2, rel=0.03)
    assert grey[20:40, 40:80].mean() > grey[65:85, 40:80].mean()


def test_a_scene_without_a_surface_is_only_its_frame():
    pixels = render(scene(np.zeros((4, 4, 4))), 60, 40)
    assert 0 < (pixels < 255).any(axis=2).sum() < 200
