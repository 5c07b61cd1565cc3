"""The z-buffer: every pixel once, the nearest triangle, only front faces."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.drawing import render as rendering
from trabecula.drawing.raster import FARTHEST, VisibilityBuffer, rasterise
from trabecula.drawing.render import Scene, View, render
from trabecula.drawing.shading import ambient_occlusion
from trabecula.surface import surface

SQUARE = np.array([[2.0, 12.0, 0.0], [12.0, 12.0, 0.0], [12.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])  # counter-clockwise where rows run upwards


def covered(seen: VisibilityBuffer) -> np.ndarray:
    return np.flatnonzero(seen.face >= 0)


def test_two_triangles_cover_their_square_without_a_gap():
    seen = rasterise(SQUARE, FACES, (16, 20))
    row, column = np.divmod(covered(seen), 20)
    assert len(row) == 100
    assert (row.min(), row.max(), column.min(), column.max()) == (2, 11, 2, 11)
    assert np.isfinite(seen.depth[seen.face >= 0]).all()
    assert (seen.depth[seen.face < 0] == FARTHEST).all()


def test_the_nearest_face_wins_whatever_the_order():
    near = SQUARE - [0, 0, 5.0]
    for points, first in ((np.concatenate([SQUARE, near]), 2), (np.concatenate([near, SQUARE]), 0)):
        seen = rasterise(points, np.concatenate([FACES, FACES + 4]), (16, 16))
        assert set(seen.face[seen.face >= 0].tolist()) == {first, first + 1}
        np.testing.assert_allclose(seen.depth[seen.face >= 0], -5)


def test_faces_seen_from_behind_are_not_drawn():
    assert len(covered(rasterise(SQUARE, FACES[:, ::-1], (16, 16)))) == 0


def test_what_lies_outside_the_picture_is_cut_off():
    assert len(covered(rasterise(SQUARE * 10 - 50, FACES, (16, 16)))) == 256


def test_values_grow_between_the_corners_of_a_triangle():
    seen = rasterise(SQUARE, FACES, (16, 16))
    pixel = covered(seen)
    place = seen.value_at(seen.interpolate(SQUARE[FACES]), pixel)
    np.testing.assert_allclose(place[0], pixel % 16 + 0.5, atol=1e-4)
    np.testing.assert_allclose(place[1], pixel // 16 + 0.5, atol=1e-4)


def inside(corners: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Which pixel centres lie in a triangle, and its depth there, by signed areas; inf outside."""
    row, column = (n + 0.5 for n in np.indices(shape))
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
    whole = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    second = ((column - ax) * (cy - ay) - (row - ay) * (cx - ax)) / whole
    third = ((bx - ax) * (row - ay) - (by - ay) * (column - ax)) / whole
    within = (second >= 0) & (third >= 0) & (second + third <= 1) & (whole < 0)
    return within, np.where(within, az + second * (bz - az) + third * (cz - az), np.inf)


def test_triangles_of_every_size_are_seen_as_one_by_one():
    random = np.random.default_rng(3)
    shape = (150, 90)  # more rows than are drawn together
    size = 2.0 ** random.uniform(-3, 7, (200, 1, 1))
    corners = random.uniform(-10, 150, (200, 1, 3)) + size * random.uniform(-1, 1, (200, 3, 3))
    seen = rasterise(corners.reshape(-1, 3), np.arange(600).reshape(-1, 3), shape)
    depths = np.stack([inside(triangle, shape)[1] for triangle in corners])
    nearest = depths.min(axis=0)
    np.testing.assert_array_equal(seen.face, np.where(np.isinf(nearest), -1, depths.argmin(axis=0)))
    np.testing.assert_allclose(seen.depth[seen.face >= 0], nearest[seen.face >= 0], rtol=1e-5, atol=1e-4)


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


def test_pixels_of_smooth_places_look_as_if_every_sample_were_shaded(monkeypatch):
    z, y, x = np.indices((16, 20, 24))
    waves = np.clip(0.5 * (10 - y - 3 * np.sin(0.6 * x) * np.cos(0.5 * z)) + 0.5, 0, 1)
    quick = render(scene(waves), 240, 200)
    monkeypatch.setattr(rendering, "_find_contrasts", lambda picture: np.ones(picture.shape[:2], np.bool_))
    full = render(scene(waves), 240, 200)
    difference = np.abs(quick.astype(int) - full).max(axis=2)
    assert difference.max() <= 8
    assert difference.mean() < 0.5


def test_a_floor_is_darker_beside_a_wall_and_nowhere_else():
    depth = np.full((100, 120), 50.0, np.float32)
    depth[:, 60:] = 35.0  # nearer to the eye than the floor on its left
    normal = np.zeros((3, depth.size), np.float32)
    normal[2] = 1
    reaching = ambient_occlusion(depth, np.arange(depth.size), normal)
    np.testing.assert_allclose(reaching[:, :50], 1, atol=1e-6)
    np.testing.assert_allclose(reaching[:, 64:], 1, atol=1e-6)
    assert (np.diff(reaching[50, 52:59]) <= 0).all()
    assert 0.9 < reaching[50, 58] < 0.95
