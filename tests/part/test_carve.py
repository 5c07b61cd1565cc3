"""Material comes off a part's surface without cutting what it holds together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.components import label
from trabecula.part.carve import carve
from trabecula.part.finish import joined_parts, shape_part, target_volume
from trabecula.part.measure import PartSolver, make_part
from trabecula.part.threshold import Ranking
from trabecula.physics.assembled import AssembledState
from trabecula.problem import parse


def ranked(density: np.ndarray, **options: object) -> Ranking:
    discrete = cantilever(density.shape[::-1], 0.5)
    return Ranking.of(replace(discrete, options=replace(discrete.options, **options)), density)


def ring(thickness: int) -> np.ndarray:
    mask = np.zeros((12, 16), dtype=bool)
    mask[1:11, 1:15] = True
    mask[1 + thickness : 11 - thickness, 1 + thickness : 15 - thickness] = False
    return mask


@pytest.mark.parametrize("seed", range(4))
def test_a_ring_stays_a_ring_whatever_the_densities(seed: int) -> None:
    mask = ring(3)
    density = np.where(mask, np.random.default_rng(seed).uniform(0.5, 1.0, mask.shape), 0.0)
    kept = np.zeros_like(mask)
    kept[1, 1] = True
    carved = carve(ranked(density), mask, 60.0, kept)
    assert carved is not None and carved.sum() == 60 and carved[1, 1]
    assert not (carved & ~mask).any()
    assert label(carved)[1] == 1
    assert label(~np.pad(carved, 1), diagonal=True)[1] == 2, "the hole and the outside"


def test_what_is_a_voxel_wide_all_around_is_not_taken() -> None:
    mask = ring(1)
    assert carve(ranked(mask.astype(float)), mask, 20.0, np.zeros_like(mask)) is None


def test_the_least_dense_of_what_may_go_goes_first() -> None:
    mask = np.zeros((6, 8), dtype=bool)
    mask[1:5, 1:7] = True
    density = np.where(mask, 1.0, 0.0)
    density[1, 3], density[4, 2] = 0.6, 0.7
    carved = carve(ranked(density), mask, 22.0, np.zeros_like(mask))
    assert carved is not None and [tuple(place) for place in np.argwhere(mask & ~carved)] == [(1, 3), (4, 2)]


def test_mirror_images_go_together() -> None:
    mask = ring(3)
    density = np.where(mask, np.random.default_rng(1).uniform(0.5, 1.0, mask.shape), 0.0)
    carved = carve(ranked(density, symmetry=("x", "y")), mask, 70.0, np.zeros_like(mask))
    assert carved is not None and carved.sum() <= 70
    assert np.array_equal(carved, carved[::-1]) and np.array_equal(carved, carved[:, ::-1])


def with_a_pad(density_of_roots: float) -> tuple[DiscreteProblem, object, np.ndarray]:
    """A bracket of two bars, less dense at one root, and a passive pad far away from it."""
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [24.0, 12.0], "elements": [24, 12]},
            "material": {"young": 1.0, "poisson": 0.3},
            "supports": [{"where": {"x": 0}, "fix": "all"}],
            "loads": [{"where": {"x": 12, "y": 0}, "force": [0, -1]}],
            "regions": [{"where": {"x": [21, 24], "y": [9, 12]}, "as": "solid"}],
            "goal": {"minimize": "compliance", "volume": 0.5},
        }
    )
    density = np.zeros((12, 24), dtype=np.float32)
    density[:3, :13] = 1.0
    for column in range(13):
        density[9 - column // 2 : 12 - column // 2, column] = 1.0
    density[:, :3] *= density_of_roots
    density[9:, 21:] = 1.0
    return discretise(problem), problem, density


def test_the_root_of_a_member_is_not_spent_on_joining_a_pad() -> None:
    discrete, problem, density = with_a_pad(0.97)
    ranking, volume = Ranking.of(discrete, density), target_volume(discrete, density)
    plain, carved = joined_parts(ranking, volume)
    assert label(plain.mask)[1] == label(carved.mask)[1] == 1
    solver = PartSolver(problem, discrete, lambda: [AssembledState(discrete)], 1e-10, 1e-8)
    by_rank, off_surfaces = (
        solver.solve(shape.mask, None)[0].weighted_compliance for shape in (plain, carved)
    )
    assert off_surfaces < 0.7 * by_rank
    part = make_part(solver, density)
    assert np.array_equal(part.mask, carved.mask)
    assert part.mask.sum() <= volume


def test_where_nothing_is_joined_there_is_one_part() -> None:
    discrete = cantilever((16, 8), 0.5)
    density = np.zeros((8, 16), dtype=np.float32)
    density[2:6] = 1.0
    ranking, volume = Ranking.of(discrete, density), target_volume(discrete, density)
    (only,) = joined_parts(ranking, volume)
    assert np.array_equal(only.mask, shape_part(ranking, volume).mask)
