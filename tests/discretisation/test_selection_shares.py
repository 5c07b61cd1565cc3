"""A load reaches every part of what is selected, with the resultant and the moment that were asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trabecula.discretisation import discretise
from trabecula.discretisation.discretise import nodal_load
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.selection_shares import share_selection
from trabecula.problem import ProblemError, parse
from trabecula.problem.where import AllOf, AnyOf, Box, Cylinder, Nodes, Plane, Range, Sphere, Where

Floats = Any
PLATE = Grid((12, 8), (0.5, 0.25))
BLOCK = Grid((10, 6, 8), (0.1, 0.2, 0.05))


def solid(grid: Grid) -> np.ndarray:
    return np.ones(grid.shape, dtype=bool)


def share(where: Where, grid: Grid, material: np.ndarray | None = None) -> Floats:
    return share_selection(
        where, grid, solid(grid) if material is None else material, "loads[0].where"
    ).shares


def centroid(shares: Floats, grid: Grid) -> np.ndarray:
    """Of shares, along x, y(, z)."""
    places = np.indices(shares.shape)[::-1]
    return np.array([(shares * at).sum() * h for at, h in zip(places, grid.spacing, strict=True)])


# People's own cases.

SEATS: dict[str, Any] = {
    "trabecula": 1,
    "domain": {"size": [0.2, 0.05, 0.1], "elements": [40, 10, 20]},
    "material": "aluminium",
    "supports": [{"where": {"x": 0}, "fix": ["x", "y", "z"]}],
    "loads": [
        {
            "where": {
                "any": [
                    {"y": 0.05, "x": [0.06, 0.10], "z": [0.03, 0.07]},
                    {"y": 0.05, "x": 0.18, "z": [0.03, 0.07]},
                ]
            },
            "force": [0, -2000, 0],
        }
    ],
    "goal": {"minimize": "compliance", "volume": 0.3},
}


def test_a_seat_of_one_row_of_nodes_carries_as_a_strip_one_element_wide() -> None:
    loads = discretise(parse(SEATS)).loads[0, 1]
    assert loads.sum() == pytest.approx(-2000, rel=1e-14)
    assert loads[:, :, 36].sum() == pytest.approx(-2000 * 1 / 9)  # 8 columns of faces and one more
    assert loads[:, :, 12:21].sum() == pytest.approx(-2000 * 8 / 9)


def test_an_edge_and_a_far_point_both_carry() -> None:
    tree = SEATS | {
        "domain": {"size": [2.0, 1.0], "elements": [80, 40]},
        "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
        "loads": [
            {"where": {"any": [{"y": 1, "x": [0.5, 0.8]}, {"nodes": [[2.0, 0.5]]}]}, "force": [0, -1000]}
        ],
    }
    loads = discretise(parse(tree)).loads[0, 1]
    assert loads.sum() == pytest.approx(-1000, rel=1e-14)
    assert loads[20, 80] == pytest.approx(-1000 / 13)
    assert loads[40, 21:32] == pytest.approx(-1000 / 13)
    assert loads[40, [20, 32]] == pytest.approx(-500 / 13)


def test_a_force_in_the_middle_of_an_odd_grid_acts_in_the_middle() -> None:
    grid = Grid((81, 41), (2 / 81, 1 / 41))
    for where in (AllOf((Plane("x", 2.0), Plane("y", 0.5))), Nodes(((2.0, 0.5),))):
        shares = share(where, grid)
        assert shares[20, 81] == shares[21, 81] == 0.5
        assert centroid(shares, grid) == pytest.approx([2.0, 0.5], rel=1e-15)


# Points and ties.


@pytest.mark.parametrize(
    ("point", "count"),
    [((0.55, 0.2, 0.1), 2), ((0.55, 0.3, 0.1), 4), ((0.55, 0.3, 0.125), 8)],
)
def test_every_point_carries_the_same_wherever_it_lies_between_nodes(
    point: tuple[float, ...], count: int
) -> None:
    shares = share(Nodes((point, (1.0, 1.2, 0.4))), BLOCK)
    assert shares[-1, -1, -1] == 0.5
    assert np.sort(shares[shares > 0])[:count] == pytest.approx(0.5 / count, rel=1e-15)
    assert np.count_nonzero(shares) == count + 1
    middle = [0.5 * (a + b) for a, b in zip(point, (1.0, 1.2, 0.4), strict=True)]
    assert centroid(shares, BLOCK) == pytest.approx(middle)


def test_ten_thousand_points_are_shared_at_once() -> None:
    grid = Grid((200, 100), (0.01, 0.01))
    points = tuple((0.01 * x, 0.01 * y) for y in range(0, 100, 2) for x in range(0, 200, 2))[:5000]
    shares = share(Nodes(points), grid)
    assert np.count_nonzero(shares) == 5000
    assert shares[shares > 0] == pytest.approx(1 / 5000, rel=1e-12)


# Parts of several kinds.


def test_a_row_of_nodes_beside_a_face_is_a_strip_as_wide_as_the_surface_is_fine_there() -> None:
    seat = AllOf((Plane("y", 1.2), Range("x", 0.0, 0.3), Range("z", 0.0, 0.2)))
    row = AllOf((Plane("y", 1.2), Plane("x", 0.8), Range("z", 0.0, 0.2)))
    across = AllOf((Plane("y", 1.2), Range("x", 0.5, 0.9), Plane("z", 0.4)))
    shares = share(AnyOf((seat, row)), BLOCK)
    assert shares[:, -1, 8].sum() == pytest.approx(0.1 / (0.3 + 0.1))
    shares = share(AnyOf((seat, across)), BLOCK)
    on_edge = 0.4 * 0.5 * (0.05 + 0.2)  # where two faces of the block meet: the mean of both strips
    assert shares[-1].sum() == pytest.approx(on_edge / (on_edge + 0.3 * 0.2))


def test_a_point_beside_a_lump_counts_as_one_voxel() -> None:
    lump = Box((0.0, 0.0, 0.0), (0.2, 0.4, 0.1))
    shares = share(AnyOf((lump, Nodes(((0.8, 0.8, 0.2),)))), BLOCK)
    assert shares[4, 4, 8] == pytest.approx(1 / 9)


@pytest.mark.parametrize("place", [(5, 8), (6, 8), (7, 8), (5, 7), (6, 6)])
def test_a_point_that_is_named_carries_even_beside_the_patch(place: tuple[int, int]) -> None:
    edge = AllOf((Plane("y", 2.0), Range("x", 0.0, 2.5)))
    shares = share(AnyOf((edge, Nodes(((place[0] * 0.5, place[1] * 0.25),)))), PLATE)
    assert shares[place[1], place[0]] > 0
    assert shares.sum() == pytest.approx(1, rel=1e-14)


def test_a_line_that_crosses_a_face_carries_along_its_whole_length() -> None:
    face = AllOf((Plane("y", 1.2), Range("x", 0.0, 0.5), Range("z", 0.1, 0.3)))
    line = AllOf((Plane("y", 1.2), Plane("z", 0.2)))
    shares = share(AnyOf((face, line)), BLOCK)
    assert (shares[4, -1] > 0).all()
    strip, area = 0.5 * 0.05, 0.5 * 0.2
    assert shares[4, -1, 6:].sum() == pytest.approx(0.9 * strip / (strip + area))


@st.composite
def parts(draw: st.DrawFn) -> Where:
    """A point, a line, a patch or a lump of the block, on nodes."""
    spans = []
    for axis, n, h in zip("xyz", BLOCK.elements, BLOCK.spacing, strict=True):
        low = draw(st.integers(0, n))
        high = draw(st.integers(low, min(n, low + draw(st.sampled_from([0, 0, 3])))))
        spans.append(Plane(axis, low * h) if low == high else Range(axis, low * h, high * h))
    return AllOf(tuple(spans))


@settings(max_examples=80, deadline=None)
@given(st.lists(parts(), min_size=1, max_size=4))
def test_every_part_of_any_combination_carries_and_the_total_is_the_total(chosen: list[Where]) -> None:
    shares = share(AnyOf(tuple(chosen)), BLOCK)
    assert (shares >= 0).all()
    assert math.fsum(shares.ravel()) == pytest.approx(1, rel=1e-13)
    for one in chosen:
        assert shares[BLOCK.select_nodes(one)].any()


@settings(max_examples=40, deadline=None)
@given(st.lists(parts(), min_size=1, max_size=4), st.sampled_from([0, 1, 2]))
def test_a_mirrored_combination_has_the_mirrored_shares(chosen: list[Where], axis: int) -> None:
    size = [n * h for n, h in zip(BLOCK.elements, BLOCK.spacing, strict=True)]

    def mirror(one: Where) -> Where:
        if isinstance(one, Plane):
            return Plane(one.axis, size[axis] - one.at) if one.axis == "xyz"[axis] else one
        if isinstance(one, Range):
            if one.axis != "xyz"[axis]:
                return one
            return Range(one.axis, size[axis] - one.high, size[axis] - one.low)
        assert isinstance(one, AllOf)
        return AllOf(tuple(mirror(part) for part in one.parts))

    there = share(AnyOf(tuple(chosen)), BLOCK)
    here = share(AnyOf(tuple(mirror(one) for one in chosen)), BLOCK)
    assert np.flip(here, 2 - axis) == pytest.approx(there, rel=1e-15, abs=0)


# Nothing is left out in silence.


@pytest.mark.parametrize(
    ("where", "place", "said"),
    [
        ({"any": [{"x": 2, "y": 0}, {"x": [1.01, 1.04]}]}, ".any[1]", "selects no nodes"),
        ({"any": [{"x": 2, "y": 0}, {"x": 1, "y": 0.5}]}, ".any[1]", "selects only passive void"),
        ({"nodes": [[2, 0], [1, 0.5], [2, 1]]}, ".nodes[1]", "selects only passive void"),
        ({"x": [0.9, 2.0], "any": [{"y": 0}, {"y": 0.5, "x": 1}]}, ".any[1]", "selects only passive void"),
        ({"any": [{"y": 0}, {"any": [{"x": 2}, {"x": 1, "y": 0.5}]}]}, ".any[1].any[1]", "only passive void"),
        (
            {"all": [{"x": [0.9, 2]}, {"x": [0, 2]}, {"any": [{"y": 0}, {"x": 0.5}]}]},
            ".all[2].any[1]",
            "selects no nodes",
        ),
    ],
)
def test_a_named_part_that_would_get_nothing_is_an_error(where: Any, place: str, said: str) -> None:
    tree = {
        "trabecula": 1,
        "domain": {"size": [2.0, 1.0], "elements": [20, 10]},
        "material": "steel",
        "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
        "loads": [{"where": where, "force": [0, -1]}],
        "regions": [{"where": {"box": {"min": [0.8, 0.3], "max": [1.2, 0.7]}}, "as": "void"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }
    with pytest.raises(ProblemError, match=f"{said}, so nothing of the load would act there") as caught:
        discretise(parse(tree))
    assert caught.value.where == f"loads[0].where{place}"
    assert caught.value.mend


# Moments.


@settings(max_examples=80, deadline=None)
@given(st.floats(0, 2), st.floats(0, 2))
def test_an_even_load_on_an_edge_acts_in_the_middle_of_what_was_asked_for(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    where = AllOf((Plane("x", 6.0), Range("y", low, high)))
    assume(np.count_nonzero(PLATE.select_nodes(where)) > 1)
    shares = share(where, PLATE)
    assert (shares >= 0).all()
    assert centroid(shares, PLATE) == pytest.approx([6.0, 0.5 * (low + high)], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(0, 1)] * 4))
def test_an_even_load_on_a_face_acts_in_its_centroid(ends: tuple[float, ...]) -> None:
    x, z = sorted(ends[:2]), sorted(0.4 * end for end in ends[2:])
    where = AllOf((Plane("y", 1.2), Range("x", *x), Range("z", *z)))
    chosen = np.argwhere(BLOCK.select_nodes(where))
    assume(len(chosen) and (np.ptp(chosen, axis=0)[[0, 2]] > 0).all())
    shares = share(where, BLOCK)
    assert (shares >= 0).all()
    assert centroid(shares, BLOCK) == pytest.approx([sum(x) / 2, 1.2, sum(z) / 2], abs=1e-9)


def test_a_range_that_ends_outside_the_domain_ends_with_it() -> None:
    shares = share(AllOf((Plane("x", 6.0), Range("y", -5.0, 0.6))), PLATE)
    assert centroid(shares, PLATE)[1] == pytest.approx(0.3, abs=1e-9)


def test_a_range_on_nodes_keeps_the_trapezoid_rule_to_the_last_bit() -> None:
    shares = share(AllOf((Plane("x", 6.0), Range("y", 0.5, 1.25))), PLATE)
    assert shares[2:6, 12].tolist() == [1 / 6, 1 / 3, 1 / 3, 1 / 6]


def test_a_single_row_of_nodes_stays_where_it_is() -> None:
    shares = share(AllOf((Plane("x", 6.0), Range("y", 0.3, 0.6))), PLATE)
    assert np.flatnonzero(shares[:, 12]).tolist() == [2]


def test_a_disc_on_a_face_acts_in_its_centre() -> None:
    grid = Grid((20, 20, 10), (0.1, 0.1, 0.1))
    for centre in ((1.0, 1.0), (0.93, 1.08), (1.31, 0.77)):
        where = AllOf((Plane("z", 1.0), Cylinder("z", (*centre, 0.0), 0.43)))
        assert centroid(share(where, grid), grid) == pytest.approx([*centre, 1.0], abs=1e-9)
        ball = AllOf((Plane("z", 1.0), Sphere((*centre, 1.0), 0.43)))
        assert centroid(share(ball, grid), grid) == pytest.approx([*centre, 1.0], abs=1e-9)


def test_a_patch_beside_void_is_shared_by_what_is_left_of_it() -> None:
    material = solid(PLATE)
    material[4:, 6:] = False
    shares = share(AllOf((Plane("y", 2.0), Range("x", 0.6, 6.0))), PLATE, material)
    assert shares[8, 2:7].tolist() == pytest.approx([0.125, 0.25, 0.25, 0.25, 0.125])


def test_the_spread_of_a_patch_converges_to_that_of_an_even_load() -> None:
    errors = []
    for n in (16, 32, 64, 128, 256):
        grid = Grid((n, n), (1 / n, 1 / n))
        shares = share(AllOf((Plane("x", 1.0), Range("y", 0.317, 0.689))), grid)[:, -1]
        y = np.arange(n + 1) / n
        errors.append(abs((shares * (y - 0.503) ** 2).sum() / (0.372**2 / 12) - 1))
    assert errors[-1] < 0.03
    assert errors[-1] < errors[0] / 4


# Rims of bores.

HOLES = [(5.3, (12.0, 12.0)), (4.1, (11.7, 12.2)), (6.0, (12.5, 11.5)), (3.2, (12.0, 12.4))]


def bore(radius: float, centre: tuple[float, float], depth: int = 0) -> tuple[Grid, np.ndarray]:
    elements = (24, 24, depth) if depth else (24, 24)
    grid = Grid(elements, (1.0,) * len(elements))
    hole = Cylinder("z", (*centre, 0.0)[: len(elements)], radius)
    return grid, ~grid.select_elements(hole)


def sectors(shares: Floats, centre: tuple[float, float]) -> np.ndarray:
    """The shares of eight sectors around a centre."""
    flat = shares.sum(axis=0) if shares.ndim == 3 else shares
    y, x = np.indices(flat.shape)
    sector = ((np.arctan2(y - centre[1], x - centre[0]) / (2 * np.pi) * 8 + 0.5) % 8).astype(int)
    return np.bincount(sector.ravel(), flat.ravel(), 8)


@pytest.mark.parametrize("depth", [0, 3])
@pytest.mark.parametrize(("radius", "centre"), HOLES)
def test_the_rim_of_a_bore_carries_all_around_and_acts_on_the_axis(
    radius: float, centre: tuple[float, float], depth: int
) -> None:
    grid, material = bore(radius, centre, depth)
    for beyond in np.arange(0.2, 1.41, 0.1):
        where = Cylinder("z", (*centre, 0.0)[: grid.dimension], radius + beyond)
        found = share_selection(where, grid, material, "loads[0].where")
        assert found.on_rim
        assert (found.shares >= 0).all()
        assert centroid(found.shares, grid)[:2] == pytest.approx(centre, abs=1e-8)
        parts = sectors(found.shares, centre)
        assert parts.min() > 0.06 and parts.max() < 0.2  # 0.125 each, less or more half a voxel of arc
        if depth:
            assert centroid(found.shares, grid)[2] == pytest.approx(1.5)


@pytest.mark.parametrize(("radius", "centre"), HOLES)
def test_a_hair_of_the_radius_moves_little_of_the_load(radius: float, centre: tuple[float, float]) -> None:
    grid, material = bore(radius, centre)
    last = None
    for beyond in np.arange(0.4, 1.41, 0.02):
        where = Cylinder("z", centre, radius + beyond)
        shares = share(where, grid, material)
        chosen = grid.select_nodes(where)
        if last is not None:
            entered = np.count_nonzero(chosen & ~last[1])
            moved = 0.5 * np.abs(shares - last[0]).sum()
            assert moved <= 0.06 * entered  # nothing where the same nodes are selected
        last = shares, chosen


def test_half_a_bore_carries_on_its_half() -> None:
    grid, material = bore(6.3, (12.0, 12.0))
    where = AllOf((Cylinder("z", (12.0, 12.0), 7.0), Range("y", 12.0, 24.0)))
    found = share_selection(where, grid, material, "loads[0].where")
    assert found.on_rim
    middle = centroid(found.shares, grid)
    assert middle[0] == pytest.approx(12.0, abs=1e-8)
    assert middle[1] == pytest.approx(12.0 + 2 / np.pi * 6.3, abs=0.15)  # of half a circle
    assert not found.shares[:12].any()


def test_bores_in_one_load_share_by_the_area_of_their_walls() -> None:
    grid = Grid((40, 20), (1.0, 1.0))
    large, small = Cylinder("z", (10.0, 10.0), 6.0), Cylinder("z", (30.0, 10.0), 3.0)
    material = ~grid.select_elements(AnyOf((large, small)))
    rims = AnyOf((Cylinder("z", (10.0, 10.0), 6.8), Cylinder("z", (30.0, 10.0), 3.8)))
    shares = share(rims, grid, material)
    assert shares[:, :20].sum() == pytest.approx(2 / 3, abs=0.02)
    assert centroid(shares, grid)[1] == pytest.approx(10.0, abs=1e-8)


def test_a_thick_ring_is_a_lump_of_its_elements_and_a_disc_without_a_bore_too() -> None:
    grid, material = bore(5.3, (12.0, 12.0))
    thick = share_selection(Cylinder("z", (12.0, 12.0), 8.0), grid, material, "loads[0].where")
    assert (thick.kind, thick.on_rim) == (2, False)
    full = share_selection(Cylinder("z", (12.0, 12.0), 5.3), grid, solid(grid), "loads[0].where")
    assert (full.kind, full.on_rim) == (2, False)


@pytest.mark.parametrize(("radius", "centre"), HOLES)
@pytest.mark.parametrize("axis", [0, 1])
def test_mirrored_rims_have_mirrored_shares_to_the_last_bit(
    radius: float, centre: tuple[float, float], axis: int
) -> None:
    grid, material = bore(radius, centre)
    other = tuple(24.0 - at if a == axis else at for a, at in enumerate(centre))
    there = share(Cylinder("z", centre, radius + 0.7), grid, material)
    here = share(Cylinder("z", other, radius + 0.7), grid, np.flip(material, 1 - axis))
    assert np.array_equal(np.flip(here, 1 - axis), there)


def test_forces_and_heat_take_the_same_way() -> None:
    tree = SEATS | {"name": "Two seats"}
    problem = parse(tree)
    discrete = discretise(problem)
    load = problem.cases[0].loads[0]
    material = np.ones(discrete.grid.shape, dtype=bool)
    forces = nodal_load(problem, discrete.voxels, material, load, "loads[0]")
    assert np.array_equal(forces[1], -2000 * share(load.where, discrete.voxels))
