"""Shapes and their surface, against what they look like on paper."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.learning.problems import shapes
from trabecula.learning.problems.boundary import held_nodes, loads, supports
from trabecula.learning.problems.shapes import cut_random_shape, hole
from trabecula.learning.problems.site import Site, far
from trabecula.problem.where import Box, Everywhere, Sphere


def test_the_longest_side_is_a_metre_and_voxels_are_cubes() -> None:
    site = Site((8, 4))
    assert site.edge == 0.125
    assert site.size.tolist() == [1.0, 0.5]


def test_the_surface_of_a_box_is_its_outside() -> None:
    assert len(Site((4, 3)).surface) == 14
    assert len(Site((2, 2, 2)).surface) == 26


def test_the_surface_of_an_l_follows_its_inner_corner() -> None:
    site = Site((4, 4)).without(Box((0.5, 0.5), (1.0, 1.0)))
    assert site.material.sum() == 12
    surface = {tuple(place) for place in site.surface.tolist()}
    assert (0.5, 0.5) in surface and (0.75, 0.5) in surface and (0.5, 1.0) in surface
    assert (1.0, 1.0) not in surface and (0.25, 0.25) not in surface


def test_a_site_in_two_pieces_is_not_whole() -> None:
    assert Site((4, 4)).is_whole
    assert not Site((4, 4)).without(Box((0.25, 0.0), (0.5, 1.0))).is_whole


def test_a_face_without_material_gives_nothing() -> None:
    nothing = Site((4, 4)).without(Everywhere())
    assert nothing.face(np.random.default_rng(0), 1.0) is None


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_a_face_lies_in_one_plane_of_the_box(share: float) -> None:
    site = Site((10, 20, 30))
    for seed in range(10):
        face = site.face(np.random.default_rng(seed), share)
        assert face is not None
        axis, where = face
        places = site.nodes(where)
        assert len(places) and np.ptp(places[:, axis]) == 0.0
        assert places[0, axis] in (0.0, pytest.approx(site.size[axis]))
        if share < 1.0:
            assert len(places) < len(site.nodes(site.face(np.random.default_rng(seed), 1.0)[1]))  # type: ignore[index]


def test_of_several_places_the_farthest_is_taken() -> None:
    site, random = Site((40, 10)), np.random.default_rng(0)
    others = np.array([[0.0, 0.0]])
    apart = [np.linalg.norm(far(random, site, others, 8)) for _ in range(40)]
    near = [np.linalg.norm(far(random, site, others, 1)) for _ in range(40)]
    assert np.mean(apart) > 1.4 * np.mean(near)
    assert far(random, site, np.empty((0, 2)), 3).shape == (2,)


@pytest.mark.parametrize("name", ["l", "t", "holes", "blob"])
@pytest.mark.parametrize("elements", [(60, 20), (24, 40, 12)])
def test_shapes_are_whole_and_not_the_box(
    name: str, elements: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "SHAPES", {name: 1.0})
    sites = [cut_random_shape(np.random.default_rng(seed), Site(elements)) for seed in range(12)]
    assert all(site.is_whole for site in sites)
    assert sum(not site.material.all() for site in sites) >= 8


def test_a_shape_that_never_works_leaves_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "SHAPES", {"l": 1.0})
    monkeypatch.setitem(shapes._DRAW, "l", lambda random, site: (Everywhere(),))
    assert cut_random_shape(np.random.default_rng(0), Site((8, 8))).material.all()


def test_holes_are_inside() -> None:
    site = Site((40, 30))
    for seed in range(10):
        pierced = site.without(hole(np.random.default_rng(seed), site))
        assert 0.01 < 1.0 - pierced.material.mean() < 0.4


def test_where_no_face_has_material_nothing_is_held_and_pressure_becomes_a_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ball = Site((30, 30)).without(Box((0.0, 0.0), (1.0, 0.2)), Box((0.0, 0.8), (1.0, 1.0)))
    ball = ball.without(Box((0.0, 0.0), (0.2, 1.0)), Box((0.8, 0.0), (1.0, 1.0)))
    from trabecula.learning.problems import boundary

    random = np.random.default_rng(0)
    for kind in ("edge", "symmetry"):
        monkeypatch.setattr(boundary, "SUPPORTS", {kind: 1.0})
        assert supports(random, ball, hard=False) == ()
    monkeypatch.setattr(boundary, "LOADS", {"pressure": 1.0})
    (placed,) = loads(random, ball, np.empty((0, 2)), 1, hard=True)
    assert placed.load.force is not None and placed.load.pressure is None


def test_pressures_add_up_to_about_a_newton(monkeypatch: pytest.MonkeyPatch) -> None:
    from trabecula.learning.problems import boundary

    site = Site((60, 30))
    monkeypatch.setattr(boundary, "LOADS", {"pressure": 1.0})
    for placed in loads(np.random.default_rng(0), site, np.empty((0, 2)), 4, hard=False):
        length = (len(site.nodes(placed.load.where)) - 1) * site.edge
        assert placed.load.pressure is not None
        assert 0.3 < abs(placed.load.pressure) * length < 1.6


@pytest.mark.parametrize("kind", ["edge", "points", "roller", "symmetry"])
def test_supports_hold_something_on_the_surface(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from trabecula.learning.problems import boundary

    site = Site((20, 24, 30)).without(Sphere((0.3, 0.4, 0.5), 0.2))
    monkeypatch.setattr(boundary, "SUPPORTS", {kind: 1.0})
    for seed in range(6):
        drawn = supports(np.random.default_rng(seed), site, hard=seed % 2 == 0)
        assert drawn and all(len(site.nodes(support.where)) for support in drawn)
        assert len(held_nodes(site, drawn)) >= len(drawn)
        everything = [support for support in drawn if len(support.fix) == 3]
        assert bool(everything) == (kind != "symmetry")
