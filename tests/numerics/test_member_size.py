"""Bars, plates, balls, necks and corners are as thick as they are drawn, whatever way they run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trabecula.numerics.inscribed_balls import InscribedBalls, cover
from trabecula.numerics.member_size import find_thick, measure_gap, measure_members, say_in_voxels

Mask = NDArray[np.bool_]

CUBES = (1.0, 1.0, 1.0)
SQUARES = (1.0, 1.0)
DIRECTIONS = [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (3, 1, 2)]


def thinnest(inside: Mask, spacing: tuple[float, ...] = ()) -> float:
    found = measure_members(inside, spacing or (1.0,) * inside.ndim)
    assert found is not None
    return found[0]


def thickest(inside: Mask, spacing: tuple[float, ...] = ()) -> float:
    found = measure_members(inside, spacing or (1.0,) * inside.ndim)
    assert found is not None
    return found[1]


def gap(inside: Mask, spacing: tuple[float, ...] = ()) -> float | None:
    return measure_gap(inside, spacing or (1.0,) * inside.ndim)


def places(*counts: int, spacing: tuple[float, ...] = ()) -> list[NDArray[np.float64]]:
    """Co-ordinates of the centres of voxels from the middle of a box, off the lattice by a little."""
    edges = spacing or (1.0,) * len(counts)
    return [
        (index - 0.5 * (n - 1) + 0.21) * h
        for index, n, h in zip(np.indices(counts), counts, edges, strict=True)
    ]


@pytest.mark.parametrize("thick", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("dimension", [2, 3])
def test_straight_members_and_slits_are_measured_exactly(thick: int, dimension: int) -> None:
    bar = np.zeros((20, 24, 30)[:dimension], dtype=bool)
    bar[6 : 6 + thick] = True
    for axis in range(dimension):
        turned = np.moveaxis(bar, 0, axis)
        assert measure_members(turned, (0.5,) * dimension) == (0.5 * thick, 0.5 * thick)
        assert gap(turned) is None
        slit = ~turned
        assert measure_gap(slit, (0.5,) * dimension) == 0.5 * thick


@pytest.mark.parametrize("width", [2.0, 3.0, 4.5, 6.0, 9.0])
@pytest.mark.parametrize("degrees", [0, 10, 27, 45, 60, 83])
def test_slanted_members_are_measured_to_a_voxel(degrees: float, width: float) -> None:
    y, x = places(90, 90)
    angle = np.radians(degrees)
    bar = np.abs(x * np.sin(angle) - y * np.cos(angle)) <= width / 2
    assert abs(thinnest(bar) - width) <= 1.0
    assert abs(thickest(bar) - width) <= 1.0
    slit = gap(~bar & (x**2 + y**2 < 40**2))
    assert slit is not None and abs(slit - width) <= 1.0


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("diameter", [3.0, 4.5, 6.0, 8.0])
def test_rods_plates_and_bores_are_measured_to_a_voxel(direction: tuple[int, ...], diameter: float) -> None:
    where = np.stack(places(36, 36, 36), axis=-1)
    way = np.array(direction) / np.linalg.norm(direction)
    rod = np.linalg.norm(np.cross(where, way), axis=-1) <= diameter / 2
    plate = np.abs(where @ way) <= diameter / 2
    for each in (rod, plate):
        assert abs(thinnest(each) - diameter) <= 1.0
    bore = gap(~rod)
    assert bore is not None and abs(bore - diameter) <= 1.0


@pytest.mark.parametrize("radius", [3.0, 5.0, 9.5, 14.0])
def test_balls_and_cavities_have_their_diameter(radius: float) -> None:
    z, y, x = places(40, 40, 40)
    ball = x**2 + y**2 + z**2 <= radius**2
    low, high = measure_members(ball, CUBES) or (0.0, 0.0)
    assert low == high and abs(low - 2 * radius) <= 1.5
    hollow = gap(~ball)
    assert hollow is not None and abs(hollow - 2 * radius) <= 1.5


@pytest.mark.parametrize("shape", [(7, 12), (8, 8), (6, 9, 14), (10, 10, 10)])
def test_corners_and_edges_of_a_block_are_no_members(shape: tuple[int, ...]) -> None:
    assert measure_members(np.ones(shape, dtype=bool), (1.0,) * len(shape)) == (min(shape), min(shape))


@pytest.mark.parametrize("degrees", [50, 70, 90, 120])
def test_blunt_corners_are_neither_members_nor_gaps(degrees: float) -> None:
    y, x = places(61, 61)
    wedge = np.abs(y) <= (x + 25.0) * np.tan(np.radians(degrees / 2))
    assert thinnest(wedge) > 15.0
    assert gap(~wedge & (np.abs(x) < 28)) is None or (gap(~wedge & (np.abs(x) < 28)) or 0.0) > 15.0


@pytest.mark.parametrize("web", [2, 3, 5])
@pytest.mark.parametrize("radius", [8, 16])
def test_the_web_between_two_bores_is_a_neck(web: int, radius: int) -> None:
    y, x = np.indices((100, 80)) - np.array([49.5, 39.5])[:, None, None]
    y = y + 0.5 * (web % 2)  # the web has so many rows
    away = radius + 0.5 * web
    bores = (x**2 + (y - away) ** 2 < radius**2) | (x**2 + (y + away) ** 2 < radius**2)
    assert web <= thinnest(~bores) <= web + 1


def test_a_pin_counts_and_a_bump_does_not() -> None:
    block = np.zeros((30, 40), dtype=bool)
    block[:, :15] = True
    assert thinnest(block) == 15
    block[12:14, 15:17] = True
    assert thinnest(block) == 15
    block[12:14, 15:30] = True
    assert thinnest(block) == 2


def test_a_loop_that_one_thin_place_closes_is_as_thin_as_that() -> None:
    y, x = places(60, 60)
    ring = (np.hypot(x, y) < 25) & (np.hypot(x, y) > 16)
    assert 8 <= thinnest(ring) <= 9
    ring[:, 29:33] &= (np.hypot(x, y) > 20)[:, 29:33] | (y < 0)[:, 29:33]
    assert 4 <= thinnest(ring) <= 5


def test_what_is_open_beside_the_box_is_no_gap() -> None:
    plate = np.zeros((20, 30), dtype=bool)
    plate[:, 2:] = True
    assert gap(plate) is None
    plate[8:10, 10:] = False
    assert gap(plate) == 2


def test_nothing_and_everything_are_no_members_or_gaps() -> None:
    nothing = np.zeros((5, 6), dtype=bool)
    assert measure_members(nothing, SQUARES) is None
    assert measure_gap(nothing, SQUARES) is None
    assert measure_gap(~nothing, SQUARES) is None


def test_a_hole_of_one_voxel_is_a_gap_of_one_voxel() -> None:
    plate = np.ones((9, 9), dtype=bool)
    plate[4, 4] = False
    assert measure_gap(plate, (0.3, 0.3)) == pytest.approx(0.3)


@pytest.mark.parametrize("spacing", [(1.0, 0.25), (0.4, 1.0), (2.0, 0.3), (1.0, 1.3)])
def test_voxels_that_are_no_squares_are_measured_in_lengths(spacing: tuple[float, ...]) -> None:
    near = 0.25 * min(spacing)  # nearer lengths are not told apart
    bar = np.zeros((24, 60), dtype=bool)
    bar[5:8] = True
    assert measure_members(bar, spacing) == pytest.approx((3 * spacing[0],) * 2, abs=near)
    bar[:] = False
    bar[:, 20:27] = True
    assert measure_members(bar, spacing) == pytest.approx((7 * spacing[1],) * 2, abs=near)
    y, x = places(int(24 / spacing[0]), int(24 / spacing[1]), spacing=spacing)
    disc = x**2 + y**2 <= 8.0**2
    found = thickest(disc, spacing)
    assert abs(found - 16.0) <= 1.5 * max(spacing)


@pytest.mark.parametrize("spacing", [(3.0, 1.0, 1.0), (1.0, 3.0, 3.0), (0.5, 0.7, 1.1), (1.0, 4.0, 1.0)])
@pytest.mark.parametrize("thick", [1, 2, 3])
def test_plates_of_long_voxels_are_as_thick_as_they_are(spacing: tuple[float, ...], thick: int) -> None:
    for axis, edge in enumerate(spacing):
        plate = np.zeros((30, 28, 26), dtype=bool)
        np.moveaxis(plate, axis, 0)[9 : 9 + thick] = True
        expected = pytest.approx(thick * edge, abs=0.25 * min(spacing))
        assert measure_members(plate, spacing) == (expected, expected)
        assert measure_gap(~plate, spacing) == expected


blobs = st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]))


def draw(seed: int, dimension: int) -> Mask:
    """A union of balls and bars."""
    random = np.random.default_rng(seed)
    shape = (26, 34) if dimension == 2 else (14, 16, 18)
    where = np.moveaxis(np.indices(shape), 0, -1).astype(float)
    found = np.zeros(shape, dtype=bool)
    for _ in range(random.integers(1, 5)):
        centre = random.uniform(0, shape)
        way = random.standard_normal(dimension)
        way /= np.linalg.norm(way)
        away = where - centre
        along = away @ way
        across = np.sqrt(np.maximum((away**2).sum(axis=-1) - along**2, 0.0))
        found |= (across <= random.uniform(0.8, 4.0)) & (np.abs(along) <= random.uniform(2, 20))
    return found


@settings(deadline=None, max_examples=25)
@given(blobs)
def test_mirror_images_and_turned_parts_are_as_thick(blob: tuple[int, int]) -> None:
    inside = draw(*blob)
    spacing = (1.0,) * inside.ndim
    members, width = measure_members(inside, spacing), measure_gap(inside, spacing)
    for axis in range(inside.ndim):
        mirrored = np.flip(inside, axis)
        assert measure_members(mirrored, spacing) == members
        assert measure_gap(mirrored, spacing) == width
    assert measure_members(np.swapaxes(inside, 0, -1), spacing) == members


@settings(deadline=None, max_examples=30)
@given(blobs, st.floats(1e-4, 1e4))
def test_lengths_scale_with_the_voxels(blob: tuple[int, int], scale: float) -> None:
    inside = draw(*blob)
    one, other = ((h,) * inside.ndim for h in (1.0, scale))
    members, width = measure_members(inside, one), measure_gap(inside, one)
    scaled, wide = measure_members(inside, other), measure_gap(inside, other)
    assert (scaled is None) == (members is None) and (wide is None) == (width is None)
    if members is not None and scaled is not None:
        assert scaled == pytest.approx([scale * each for each in members], rel=1e-9)
    if width is not None and wide is not None:
        assert wide == pytest.approx(scale * width, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_the_same_voxels_cut_finer_are_as_thick_to_a_voxel(seed: int) -> None:
    inside = draw(seed, 2)
    coarse = measure_members(inside, SQUARES)
    fine = measure_members(np.kron(inside, np.ones((2, 2), dtype=bool)), (0.5, 0.5))
    if coarse is None or fine is None:
        assert coarse is fine
        return
    assert abs(fine[1] - coarse[1]) <= 1.0


@settings(deadline=None, max_examples=30)
@given(st.floats(0.0, np.pi), st.floats(3.0, 9.0), st.floats(-0.5, 0.5))
def test_finer_voxels_measure_the_same_bar_more_closely(angle: float, width: float, off: float) -> None:
    for finer in (1, 2, 4):
        y, x = ((index + 0.5) / finer - 22.0 for index in np.indices((44 * finer, 44 * finer)))
        bar = np.abs(x * np.sin(angle) - y * np.cos(angle) + off) <= width / 2
        low, high = measure_members(bar & (np.hypot(x, y) < 20), (1.0 / finer, 1.0 / finer)) or (0.0, 0.0)
        assert abs(low - width) <= 1.5 / finer and abs(high - width) <= 1.5 / finer


@settings(deadline=None, max_examples=12)
@given(blobs, st.integers(1, 6))
def test_balls_fit_where_all_their_voxels_are_inside(blob: tuple[int, int], diameter: int) -> None:
    """The distance transform against every voxel of every ball."""
    inside = draw(*blob)
    spacing = (1.0,) * inside.ndim
    balls = InscribedBalls(inside, spacing)
    parity = balls.parity(diameter)
    fits = balls.fit(diameter)
    padded = np.pad(inside, 2)
    for place in np.ndindex(fits.shape):
        one = np.zeros(fits.shape, dtype=bool)
        if np.random.default_rng(sum(place)).random() > 0.05:
            continue
        one[place] = True
        ball = cover(one, diameter, parity, spacing)
        is_whole = all(
            diameter // 2 <= i <= n - 1 - diameter // 2 for i, n in zip(place, fits.shape, strict=True)
        )
        assert bool(fits[place]) == (is_whole and bool(padded[ball].all()))


def test_an_opening_keeps_what_balls_cover() -> None:
    both = np.zeros((20, 40), dtype=bool)
    both[4:16, 2:14] = True
    both[9:11, 14:38] = True
    kept = find_thick(both, 3.0, SQUARES)
    assert not kept[:, 15:].any() and kept[5:15, 3:13].all() and not (kept & ~both).any()


def test_voxels_are_counted_in_words() -> None:
    assert say_in_voxels(1e-3, 1e-3) == "one voxel"
    assert say_in_voxels(2e-3, 1e-3) == "2 voxels"
    assert say_in_voxels(12e-3, 1e-3) == "12 voxels"


def test_a_slot_is_a_gap_where_it_is_deeper_than_wide() -> None:
    block = np.ones((40, 60), dtype=bool)
    block[22:, 20:30] = False  # 18 deep, 10 wide
    assert gap(block) == 10
    block[:] = True
    block[34:, 20:30] = False
    assert gap(block) is None
