"""The surface is closed whatever the field, exact where it must be, and true to the volume."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from trabecula.problem.point_in_mesh import inside
from trabecula.surface import Mesh, surface


def ball(n: int, radius: float) -> np.ndarray:
    """A ball with a soft rim one cell wide, radius in cells."""
    z, y, x = np.indices((n, n, n)) - (n - 1) / 2
    return np.clip(radius + 0.5 - np.sqrt(x**2 + y**2 + z**2), 0, 1)


def torus(n: int, ring: float, tube: float) -> np.ndarray:
    z, y, x = np.indices((n, n, n)) - (n - 1) / 2
    return np.clip(tube + 0.5 - np.sqrt((np.sqrt(x**2 + y**2) - ring) ** 2 + z**2), 0, 1)


def euler(mesh: Mesh) -> int:
    """Vertices - edges + faces of a closed surface."""
    return len(mesh.vertices) - len(mesh.faces) // 2


cells = st.sampled_from([0.0, 0.2, 0.4999, 0.5, 0.5001, 0.6, 1.0])
shapes = st.tuples(*[st.integers(1, 5)] * 3)


@settings(deadline=None, max_examples=150)
@given(arrays(np.float64, shapes, elements=cells), st.integers(0, 6), st.booleans())
def test_any_field_gives_a_watertight_surface(density, smoothing, keep):
    mesh = surface(density, (0.3, 0.1, 0.2), smoothing=smoothing, keep_islands=keep)
    assert mesh.is_watertight() == bool((density > 0.5).any())
    assert mesh.volume() >= 0


@settings(deadline=None, max_examples=80)
@given(arrays(np.float64, shapes, elements=cells), st.data())
def test_passive_cells_anywhere_leave_it_watertight(density, data):
    kind = data.draw(arrays(np.int8, density.shape, elements=st.integers(0, 2)))
    mesh = surface(density, (1, 1, 1), solid=kind == 1, void=kind == 2, keep_islands=True)
    material = ((density > 0.5) & (kind != 2)) | (kind == 1)
    assert mesh.is_watertight() == bool(material.any())


@settings(deadline=None, max_examples=60)
@given(arrays(np.float64, st.tuples(*[st.integers(1, 7)] * 2), elements=cells))
def test_any_plane_field_gives_a_watertight_plate(density):
    mesh = surface(density, (0.1, 0.2), thickness=0.05, keep_islands=True)
    assert mesh.is_watertight() == bool((density > 0.5).any())
    if len(mesh.faces):
        np.testing.assert_allclose(mesh.bounds[:, 2], [0, 0.05], atol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("blur", [0.0, 0.7, 2.0])
def test_random_fields_are_closed_for_another_reader_too(seed, blur):
    field = np.random.default_rng(seed).random((18, 20, 22))
    field = gaussian_filter(field, blur)
    field = (field - field.min()) / np.ptp(field)
    mesh = surface(field, (1 / 22,) * 3, keep_islands=True)
    other = trimesh.Trimesh(mesh.vertices.astype(np.float32), mesh.faces, process=True)
    assert other.is_watertight
    assert other.is_winding_consistent
    assert other.volume > 0


@pytest.mark.parametrize("smoothing", [0, 5])
@pytest.mark.parametrize("low, high", [(0.0, 1.0), (0.3, 0.9), (0.45, 0.51)])
def test_checkerboards_are_closed(low, high, smoothing):
    board = np.indices((6, 5, 7)).sum(axis=0) % 2 * (high - low) + low
    assert surface(board, (1, 1, 1), smoothing=smoothing).is_watertight()


def test_cells_that_touch_along_an_edge_stay_apart_or_join_as_their_mean_says():
    apart = np.zeros((1, 2, 2))
    apart[0, 0, 0] = apart[0, 1, 1] = 0.9
    assert euler(surface(apart, (1, 1, 1), keep_islands=True)) == 4
    joined = np.where(apart > 0, apart, 0.3)
    assert euler(surface(joined, (1, 1, 1), keep_islands=True)) == 2


def test_solid_domain_is_exactly_its_box():
    mesh = surface(np.ones((5, 6, 7)), (0.2, 0.3, 0.5))
    np.testing.assert_allclose(mesh.bounds, [[0, 0, 0], [1.4, 1.8, 2.5]], rtol=0, atol=1e-12)
    assert mesh.volume() == pytest.approx(1.4 * 1.8 * 2.5, rel=1e-9)
    assert mesh.area() == pytest.approx(2 * (1.4 * 1.8 + 1.8 * 2.5 + 1.4 * 2.5), rel=1e-9)
    assert euler(mesh) == 2


def test_solid_plate_is_exactly_its_box():
    mesh = surface(np.ones((6, 7)), (0.2, 0.3), thickness=0.01)
    np.testing.assert_allclose(mesh.bounds, [[0, 0, 0], [1.4, 1.8, 0.01]], rtol=0, atol=1e-12)
    assert mesh.volume() == pytest.approx(1.4 * 1.8 * 0.01, rel=1e-9)


@pytest.mark.parametrize("smoothing", [0, 5])
def test_ball_has_its_volume_and_shape(smoothing):
    mesh = surface(ball(32, 11.3), (0.1,) * 3, smoothing=smoothing)
    assert mesh.volume() == pytest.approx(4 / 3 * np.pi * 1.13**3, rel=0.01)
    distance = np.linalg.norm(mesh.vertices - 1.6, axis=1)
    np.testing.assert_allclose(distance, 1.13, atol=0.02)
    assert euler(mesh) == 2


def test_torus_has_its_volume_and_one_hole():
    mesh = surface(torus(40, 12.0, 5.2), (1, 1, 1))
    assert mesh.volume() == pytest.approx(2 * np.pi**2 * 12.0 * 5.2**2, rel=0.02)
    assert euler(mesh) == 0


def test_material_at_the_box_ends_on_the_box():
    mesh = surface(gaussian_filter(np.random.default_rng(3).random((12, 14, 16)), 1.5) * 1.02, (1, 1, 1))
    assert mesh.is_watertight()
    np.testing.assert_array_equal(mesh.bounds, [[0, 0, 0], [16, 14, 12]])


def test_passive_solid_is_kept_to_the_voxel():
    solid = np.zeros((10, 12, 14), dtype=bool)
    solid[3:6, 4:9, 2:11] = True
    mesh = surface(np.where(solid, 1.0, 0.35), (1, 1, 1), solid=solid)
    np.testing.assert_allclose(mesh.bounds, [[2, 4, 3], [11, 9, 6]], atol=1e-12)
    assert mesh.volume() == pytest.approx(solid.sum(), rel=1e-12)


def test_passive_void_is_kept_to_the_voxel():
    void = np.zeros((10, 12, 14), dtype=bool)
    void[3:6, 4:9, 2:11] = True
    mesh = surface(np.full(void.shape, 0.8), (1, 1, 1), void=void)
    assert mesh.is_watertight()
    assert mesh.volume() == pytest.approx(void.size - void.sum(), rel=1e-12)


def test_passive_parts_can_be_smoothed_instead():
    solid = ball(20, 6.0) > 0.5
    stairs = surface(solid.astype(float), (1, 1, 1), solid=solid)
    smooth = surface(solid.astype(float), (1, 1, 1), solid=solid, sharp=False)
    assert stairs.volume() == pytest.approx(solid.sum(), rel=1e-9)
    assert smooth.area() < 0.85 * stairs.area()


def test_the_volume_is_that_of_the_cells_whatever_was_smoothed():
    bars = np.zeros((16, 30, 30))
    bars[2:4, 3:5, 1:29] = 1  # two voxels thick: smoothing rounds it most
    bars[6:15, 3:5, 27:29] = bars[2:15, 10:25, 10:25] = 1
    bars[2:7, 3:5, 27:29] = 1
    for keep in (True, False):
        mesh = surface(bars, (0.1, 0.2, 0.3), keep_islands=keep)
        assert mesh.volume() == pytest.approx(bars.sum() * 0.006, rel=1e-3)


def test_thin_members_get_back_what_smoothing_took_from_them():
    both = np.zeros((20, 20, 50))
    both[9:11, 9:11, :14] = 1
    both[2:18, 2:18, 24:44] = 1
    thin = both.copy()
    thin[:, :, 20:] = 0
    surfaces = [surface(field, (1, 1, 1), part=field > 0) for field in (both, thin)]
    halves = [mesh.vertices[:, 0] < 19 for mesh in surfaces]
    volumes = [
        Mesh(mesh.vertices, mesh.faces[half[mesh.faces[:, 0]]]).volume()
        for mesh, half in zip(surfaces, halves, strict=True)
    ]
    assert volumes[0] == pytest.approx(56, rel=0.03)
    assert volumes[1] == pytest.approx(56, rel=1e-3)


@settings(deadline=None, max_examples=100)
@given(arrays(np.float64, shapes, elements=cells), st.data())
def test_the_surface_of_a_part_is_watertight_and_holds_all_of_it_and_nothing_else(density, data):
    part = data.draw(arrays(np.bool_, density.shape))
    mesh = surface(density, (1, 1, 1), part=part, threshold=data.draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])))
    assert mesh.is_watertight() == bool(part.any())
    if part.any():
        axes = tuple(np.arange(n) + 0.5 for n in part.shape[::-1])
        assert np.array_equal(inside(mesh.corners(), axes), part)


def test_a_part_in_one_piece_is_a_surface_in_one_piece():
    random = np.random.default_rng(0)
    part = np.zeros((9, 9, 9), dtype=bool)
    place = np.array([4, 4, 4])
    for _ in range(400):  # a walk from face to face
        part[tuple(place)] = True
        place = np.clip(place + random.choice([-1, 0, 1], 3) * (np.arange(3) == random.integers(3)), 0, 8)
    mesh = surface(random.random(part.shape), (1, 1, 1), part=part, threshold=0.4)
    assert mesh.islands == 0
    assert len([p for p in trimesh.Trimesh(mesh.vertices, mesh.faces).split() if p.volume > 0]) == 1


def test_a_mirrored_part_has_the_mirrored_surface():
    random = np.random.default_rng(4)
    field = gaussian_filter(random.random((10, 12, 14)), 1.0)
    part = field > np.median(field)
    here = surface(field, (1, 1, 1), part=part)
    there = surface(field[:, :, ::-1], (1, 1, 1), part=part[:, :, ::-1])
    flipped = there.vertices * [-1, 1, 1] + [14, 0, 0]
    for one, other in ((here.vertices, flipped), (flipped, here.vertices)):
        nearest = [np.abs(other - point).max(axis=1).min() for point in one]
        assert max(nearest) < 1e-3


def test_floating_crumbs_are_left_out_and_reported():
    density = np.zeros((12, 12, 30))
    density[:, :, :20] = 1
    density[5, 5, 25] = 1
    mesh = surface(density, (1, 1, 1))
    assert mesh.islands == 1
    assert mesh.island_volume == pytest.approx(1 / (12 * 12 * 20 + 1))
    assert mesh.bounds[1, 0] == 20
    assert surface(density, (1, 1, 1), keep_islands=True).bounds[1, 0] > 25


def test_floating_passive_solid_is_never_left_out():
    density = np.zeros((12, 12, 30))
    density[:, :, :20] = 1
    solid = np.zeros(density.shape, dtype=bool)
    solid[5, 5, 25] = True
    mesh = surface(density, (1, 1, 1), solid=solid)
    assert mesh.islands == 0
    assert mesh.bounds[1, 0] == 26


def test_pieces_joined_along_an_edge_count_as_one():
    density = np.full((1, 12, 12), 0.49)
    density[0, :6, :6] = 1
    density[0, 6, 6] = 1
    assert surface(density, (1, 1, 1)).islands == 0


def test_vertices_stay_near_their_voxel_corner_however_much_is_smoothed():
    field = (np.random.default_rng(5).random((8, 8, 8)) > 0.5).astype(float)
    mesh = surface(field, (1, 1, 1), smoothing=40)
    assert mesh.is_watertight()


def test_nothing_denser_than_a_half_is_an_empty_mesh():
    mesh = surface(np.full((3, 3, 3), 0.5), (1, 1, 1))
    assert len(mesh.faces) == len(mesh.vertices) == 0
    assert not mesh.is_watertight()
    assert mesh.volume() == 0
    np.testing.assert_array_equal(mesh.bounds, np.zeros((2, 3)))


@pytest.mark.parametrize(
    "density, spacing, masks, message",
    [
        (np.ones(3), (1,), {}, "shape"),
        (np.ones((3, 3)), (1, 1, 1), {}, "spacings"),
        (np.ones((3, 3)), (1, 1), {"solid": np.ones((2, 3), bool)}, "`solid` has shape"),
        (np.ones((3, 3)), (1, 1), {"void": np.ones((2, 3), bool)}, "`void` has shape"),
        (np.ones((3, 3)), (1, 1), {"part": np.ones((2, 3), bool)}, "`part` has shape"),
        (np.full((3, 3), np.nan), (1, 1), {}, "not finite"),
    ],
)
def test_wrong_input_is_refused_in_words(density, spacing, masks, message):
    with pytest.raises(ValueError, match=message):
        surface(density, spacing, **masks)
