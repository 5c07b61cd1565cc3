"""The figures of a part: half models, ends of the domain, overhang, and a witness that agrees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import trabecula as tb
from benchmarks.honest import draw
from trabecula.certificate.shape_witness import remeasure_shape
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.part.overhang import measure_overhang
from trabecula.part.shape_figures import measure_shape, symmetry_planes, unfold
from trabecula.problem import parse, problems

Mask = NDArray[np.bool_]


def box(*supports: dict[str, object], elements: tuple[int, ...] = (12, 8), **more: object) -> DiscreteProblem:
    """A box of voxels of 1 m, held as asked."""
    return discretise(
        parse(
            {
                "trabecula": 1,
                "domain": {"size": [float(n) for n in elements], "elements": list(elements)},
                "material": "steel",
                "supports": [*supports],
                "loads": [{"where": {"x": elements[0]}, "force": [0, -1, 0][: len(elements)]}],
                "goal": {"minimize": "compliance", "volume": 0.5},
                **more,
            }
        )
    )


ROLLERS = {"where": {"x": 0}, "fix": ["x"]}
CORNER = {"where": {"x": 12, "y": 0}, "fix": ["x", "y"]}
CLAMP = {"where": {"x": 0}, "fix": ["x", "y"]}


def test_half_models_are_known_by_rollers_along_a_whole_side() -> None:
    assert symmetry_planes(box(ROLLERS, CORNER)) == [(0, False)]
    assert symmetry_planes(box(CLAMP)) == []
    assert symmetry_planes(box({"where": {"x": 0, "y": [0, 4]}, "fix": ["x"]}, CORNER)) == []
    both = {"where": {"y": 8}, "fix": ["y"]}
    assert symmetry_planes(box(ROLLERS, both)) == [(0, False), (1, True)]
    assert symmetry_planes(discretise(problems.mbb((24, 8)))) == [(0, False)]
    assert symmetry_planes(discretise(problems.heat_sink((12, 12)))) == []


def test_a_member_along_a_plane_of_symmetry_is_twice_as_thick() -> None:
    wall = np.zeros((8, 12), dtype=bool)
    wall[:, :2] = True
    assert measure_shape(box(ROLLERS, CORNER), wall, (1.0, 1.0)).minimum_member == 4.0
    assert measure_shape(box(CLAMP), wall, (1.0, 1.0)).minimum_member == 2.0


def test_half_a_hole_at_a_plane_of_symmetry_is_a_whole_one() -> None:
    plate = np.ones((8, 12), dtype=bool)
    plate[3:6, :2] = False
    assert measure_shape(box(ROLLERS, CORNER), plate, (1.0, 1.0)).minimum_gap == 3.0
    plate[:] = True
    plate[2:7, :1] = False
    assert measure_shape(box(ROLLERS, CORNER), plate, (1.0, 1.0)).minimum_gap == 2.0


def test_unfolding_mirrors_at_every_plane() -> None:
    corner = np.zeros((3, 4), dtype=bool)
    corner[0, 0] = True
    whole = unfold(corner, [(0, False), (1, False)])
    assert whole.shape == (6, 8) and whole[2:4, 3:5].all() and whole.sum() == 4
    assert unfold(corner, []).shape == (3, 4)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_part_and_its_mirror_image_have_the_same_figures(axis: int) -> None:
    part = np.random.default_rng(3).random((8, 12)) > 0.4
    one, other = (measure_shape(box(CLAMP), each, (1.0, 1.0)) for each in (part, np.flip(part, axis)))
    assert (one.minimum_member, one.minimum_gap) == (other.minimum_member, other.minimum_gap)
    if axis == 1:  # upside down it overhangs elsewhere
        assert one.overhang == pytest.approx(other.overhang, abs=1e-6)


def test_stairs_at_45_degrees_need_no_support() -> None:
    z, x = np.indices((40, 60))
    stairs = (x - z >= 5) & (x - z <= 12)
    found = measure_overhang(stairs, (1.0, 1.0))
    assert found is not None and found < 0.1


def test_half_of_a_lying_round_bar_overhangs_and_less_of_a_ball() -> None:
    z, y, x = np.indices((60, 60, 60)) - 29.5
    ball = measure_overhang(x**2 + y**2 + z**2 <= 25**2, (1.0, 1.0, 1.0))
    assert ball == pytest.approx(1.0 - np.cos(np.pi / 4), abs=0.05)
    assert measure_overhang(np.zeros((4, 4), dtype=bool), (1.0, 1.0)) is None


@pytest.mark.parametrize("seed", range(12))
def test_another_path_finds_the_same_figures(seed: int) -> None:
    """SciPy's distance transform on half voxels, its labels, and sums underside by underside."""
    random = np.random.default_rng(seed)
    dimension = 2 + seed % 2
    shape = tuple(int(n) for n in random.integers(5, 40 if dimension == 2 else 18, dimension))
    field = random.standard_normal(shape)
    for _ in range(int(random.integers(1, 6))):
        for axis in range(dimension):
            field = field + 0.7 * (np.roll(field, 1, axis) + np.roll(field, -1, axis))
    part = field > np.quantile(field, random.uniform(0.2, 0.9))
    spacing = (
        tuple(float(h) for h in random.choice([1.0, 0.5, 1.3, 3.1], dimension))
        if seed % 3
        else (0.1,) * dimension
    )
    supports = [ROLLERS, CORNER] if seed % 4 == 0 else [CLAMP]
    discrete = box(*supports, elements=(12, 8, 6)[:dimension])
    discrete = replace(discrete, grid=replace(discrete.voxels, elements=shape[::-1]))
    discrete = replace(discrete, fixed=np.zeros((dimension, *(n + 1 for n in shape)), dtype=bool))
    discrete = replace(discrete, lower=np.zeros(shape), upper=np.ones(shape))
    if seed % 4 == 0:
        discrete.fixed[0, ..., 0] = True
    one = measure_shape(discrete, part, spacing)
    other = remeasure_shape(discrete, part, spacing)
    for name, value in vars(one).items():
        expected = getattr(other, name)
        assert value == (None if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-6)), name


@pytest.mark.parametrize("number", range(4))
def test_a_solved_part_says_what_it_has_and_check_agrees(number: int) -> None:
    result = tb.solve(draw(11, number).problem, start="uniform", threads=1, iterations=20)
    part = result.part
    assert part is not None and part.resolution is not None
    assert part.minimum_member is not None and part.maximum_member is not None
    assert part.resolution * 0.99 <= part.minimum_member <= part.maximum_member
    assert part.overhang is not None and 0.0 <= part.overhang <= 1.0
    found = {check.name: check for check in result.check().checks}
    for name in ("minimum_member", "minimum_gap", "maximum_member", "overhang", "resolution"):
        assert found[f"part.{name}"].verdict == "ok"


def test_a_part_of_half_as_large_voxels_has_the_same_lengths() -> None:
    frame = np.zeros((16, 24), dtype=bool)
    frame[2:14, 2:22] = True
    frame[5:11, 5:19] = False
    one = measure_shape(box(CLAMP), frame, (1.0, 1.0))
    fine = np.kron(frame, np.ones((2, 2), dtype=bool))
    other = measure_shape(box(CLAMP), fine, (0.5, 0.5))
    assert (one.minimum_member, one.minimum_gap, one.resolution) == (3.0, 6.0, 1.0)
    assert (other.minimum_member, other.minimum_gap, other.resolution) == (3.0, 6.0, 0.5)


def test_a_part_that_is_less_stiff_for_its_thin_members_says_so_with_what_mends_it() -> None:
    """Heat that is made everywhere and leaves at one place: twigs of one voxel."""
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [0.1, 0.1], "elements": [40, 40], "thickness": 0.002},
            "material": "aluminium",
            "supports": [{"where": {"x": 0, "y": [0.04, 0.06]}, "temperature": 0}],
            "loads": [{"where": "everywhere", "heat": 20}],
            "goal": {"minimize": "thermal_compliance", "volume": 0.4},
            "options": {"minimum_stiffness": 1.0e-3, "filter": {"radius": 0.00375}, "projection": True},
        }
    )
    result = tb.solve(problem, start="uniform", threads=1)
    assert result.part is not None and result.part.minimum_member == pytest.approx(0.0025)
    assert "less stiff than the design" in result.not_certified
    said = "its thinnest member is one voxel thick: take finer voxels, or a larger filter radius"
    assert said in result.not_certified
