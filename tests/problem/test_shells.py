"""Bodies of one STL file are united, cavities stay, and where a surface is open is counted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.problem.point_in_mesh import inside
from trabecula.problem.ray_crossings import winding_at
from trabecula.problem.shells import find_shells

from .solids import box_triangles, sphere_triangles

AXES = tuple((np.arange(n) + 0.5) / 20 for n in (20, 21, 22))
Z, Y, X = np.meshgrid(*reversed(AXES), indexing="ij")


def box_mask(low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
    return np.logical_and.reduce([(p > a) & (p < b) for p, a, b in zip((X, Y, Z), low, high, strict=True)])


def turn(triangles: np.ndarray, way: int) -> np.ndarray:
    """The same surface facing outwards (1) or inwards (-1)."""
    return triangles if way > 0 else triangles[:, ::-1]


PLATE = ((0.1, 0.1, 0.1), (0.9, 0.9, 0.5))
BOSS = ((0.3, 0.3, 0.3), (0.6, 0.6, 0.8))
OVER_EDGE = ((0.5, 0.5, 0.2), (0.95, 0.95, 0.4))


@pytest.mark.parametrize("ways", product((1, -1), repeat=3))
def test_bodies_that_overlap_are_united_whichever_way_they_are_turned(ways: tuple[int, ...]) -> None:
    boxes = (PLATE, BOSS, OVER_EDGE)
    triangles = np.concatenate([turn(box_triangles(*box), way) for box, way in zip(boxes, ways, strict=True)])
    union = np.logical_or.reduce([box_mask(*box) for box in boxes])
    assert np.array_equal(inside(triangles, AXES), union)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.tuples(*[st.integers(0, 16)] * 3),
            st.tuples(*[st.integers(1, 8)] * 3),
            st.sampled_from((1, -1)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_boxes_on_a_common_grid_that_are_turned_outwards_are_united(
    boxes: list[tuple[tuple[int, ...], tuple[int, ...], int]],
) -> None:
    """Faces, edges and corners coincide here, and boxes are given twice: what joins shells most wrongly."""
    corners = [(np.array(low) / 20, (np.array(low) + size) / 20) for low, size, _ in boxes]
    triangles = np.concatenate([box_triangles(tuple(low), tuple(high)) for low, high in corners])
    union = np.logical_or.reduce([box_mask(tuple(low), tuple(high)) for low, high in corners])
    assert np.array_equal(inside(triangles, AXES), union)


@pytest.mark.parametrize("way", [1, -1])
def test_a_cavity_is_turned_the_other_way_and_what_lies_in_it_is_material_again(way: int) -> None:
    shells = [((0.1,) * 3, (0.9,) * 3), ((0.2,) * 3, (0.8,) * 3), ((0.4,) * 3, (0.6,) * 3)]
    ways = (way, -way, way)
    triangles = np.concatenate([turn(box_triangles(*s), w) for s, w in zip(shells, ways, strict=True)])
    outer, hollow, core = (box_mask(*s) for s in shells)
    assert np.array_equal(inside(triangles, AXES), (outer & ~hollow) | core)


def test_a_body_inside_another_and_turned_like_it_is_material_and_is_told() -> None:
    triangles = np.concatenate([box_triangles((0.1,) * 3, (0.9,) * 3), box_triangles((0.3,) * 3, (0.6,) * 3)])
    shells = find_shells(triangles)
    assert shells.inner_bodies == [1]
    assert np.array_equal(inside(triangles, AXES), box_mask((0.1,) * 3, (0.9,) * 3))


def test_a_cavity_that_another_body_fills_is_filled() -> None:
    outer, hollow = box_triangles((0.1,) * 3, (0.9,) * 3), box_triangles((0.2,) * 3, (0.6,) * 3)[:, ::-1]
    plug = ((0.05, 0.3, 0.3), (0.95, 0.5, 0.5))
    found = inside(np.concatenate([outer, hollow, box_triangles(*plug)]), AXES)
    expected = (box_mask((0.1,) * 3, (0.9,) * 3) & ~box_mask((0.2,) * 3, (0.6,) * 3)) | box_mask(*plug)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("again", [lambda t: t, lambda t: t[:, ::-1], lambda t: t[::-1, [1, 2, 0]]])
def test_a_body_that_is_there_twice_is_there_once(again: Callable[[np.ndarray], np.ndarray]) -> None:
    once = sphere_triangles((0.5, 0.5, 0.5), 0.4)
    twice = np.concatenate([once, again(once)])
    assert find_shells(twice).count == 1
    assert np.array_equal(inside(twice, AXES), inside(once, AXES))


def test_bodies_that_share_a_wall_are_one() -> None:
    left, right = ((0.1, 0.1, 0.1), (0.5, 0.9, 0.9)), ((0.5, 0.1, 0.1), (0.9, 0.9, 0.9))
    shells = find_shells(np.concatenate([box_triangles(*left), box_triangles(*right)]))
    assert (shells.count, len(shells.open_edges)) == (1, 0)
    assert len(shells.triangles) == 20
    assert shells.volumes[0] == pytest.approx(0.8**3)


def test_triangles_turned_at_random_are_turned_alike() -> None:
    triangles = sphere_triangles((0.5, 0.5, 0.5), 0.4)
    flip = np.random.default_rng(3).random(len(triangles)) < 0.4
    mixed = np.where(flip[:, None, None], triangles[:, ::-1], triangles)
    shells = find_shells(mixed)
    assert (shells.count, len(shells.open_edges)) == (1, 0)
    assert abs(shells.volumes[0]) == pytest.approx(abs(find_shells(triangles).volumes[0]))
    assert np.array_equal(inside(mixed, AXES), inside(triangles, AXES))


def test_corners_that_differ_by_rounding_are_one() -> None:
    triangles = sphere_triangles((0.5, 0.5, 0.5), 0.4)
    shaken = triangles + np.random.default_rng(0).normal(0, 1e-8, triangles.shape)
    shells = find_shells(shaken)
    assert (shells.count, len(shells.open_edges)) == (1, 0)
    assert np.array_equal(inside(shaken, AXES), inside(triangles, AXES))


@pytest.mark.parametrize("missing", range(12))
def test_the_edges_of_an_opening_are_found(missing: int) -> None:
    triangles = box_triangles((0.1, 0.2, 0.1), (0.9, 0.8, 0.7))
    shells = find_shells(np.delete(triangles, missing, axis=0))
    assert (shells.count, len(shells.open_edges)) == (0, 3)
    edges = {tuple(sorted(map(tuple, edge))) for edge in shells.open_edges.tolist()}
    sides = [(0, 1), (1, 2), (2, 0)]
    corners = triangles[missing].tolist()
    assert edges == {tuple(sorted((tuple(corners[i]), tuple(corners[j])))) for i, j in sides}


def test_open_bodies_that_overlap_are_united_too() -> None:
    plate, boss = box_triangles(*PLATE), box_triangles(*BOSS)
    triangles = np.concatenate([np.delete(plate, 0, axis=0), np.delete(boss, 2, axis=0)])
    assert np.array_equal(inside(triangles, AXES), box_mask(*PLATE) | box_mask(*BOSS))


def test_an_open_surface_whose_triangles_are_turned_at_random_goes_by_even_and_odd() -> None:
    """Every triangle by itself, with corners of its own: nothing tells how they should be turned."""
    triangles = sphere_triangles((0.5, 0.5, 0.5), 0.4, times=3)
    pulled = (
        triangles.mean(axis=1, keepdims=True) + (triangles - triangles.mean(axis=1, keepdims=True)) * 1.001
    )
    flip = np.random.default_rng(1).random(len(triangles)) < 0.5
    found = inside(np.where(flip[:, None, None], pulled[:, ::-1], pulled), AXES)
    expected = inside(triangles, AXES)
    assert np.mean(found != expected) < 0.01


def test_winding_numbers_are_those_of_a_ball() -> None:
    points = np.random.default_rng(5).random((300, 3))
    shells = find_shells(sphere_triangles((0.5, 0.5, 0.5), 0.3, times=5))
    ball = turn(shells.triangles, int(np.sign(shells.volumes[0])))
    within = np.linalg.norm(points - 0.5, axis=1) < 0.3
    assert np.array_equal(winding_at(points, ball), within.astype(int))
    assert np.array_equal(winding_at(points, ball[:, ::-1]), -within.astype(int))
