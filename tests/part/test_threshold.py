from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever, mbb
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.part.finish import shape_part, target_volume
from trabecula.part.load_paths import Paths
from trabecula.part.threshold import Ranking


def random_density(discrete: DiscreteProblem, seed: int = 0) -> np.ndarray:
    """Dense below, with noise, and as symmetric as is asked."""
    rng = np.random.default_rng(seed)
    values = rng.random(discrete.grid.shape)
    for name in discrete.options.symmetry:
        values = 0.5 * (values + discrete.grid.mirror(values, "xyz".index(name)))
    return np.clip(values, discrete.lower, discrete.upper).astype(np.float32)


def test_so_many_voxels_are_kept_that_the_volume_is_the_design_s() -> None:
    discrete = replace(mbb((30, 10)), goal=replace(mbb().goal, volume=None, compliance=(1.0,)))
    for seed in range(5):
        density = random_density(discrete, seed)
        mask, threshold = Ranking.of(discrete, density).keep(target_volume(discrete, density))
        assert abs(mask.sum() - density.sum(dtype=float)) <= 0.5 + 1e-6
        assert density[mask].min() >= threshold >= density[~mask].max()


def test_equal_densities_are_told_apart_and_always_in_the_same_way() -> None:
    discrete = mbb((30, 10), 0.5)
    density = np.full(discrete.grid.shape, 0.5, np.float32)
    masks = [Ranking.of(discrete, density).keep(150.0)[0] for _ in range(2)]
    assert masks[0].sum() == 150 and np.array_equal(*masks)


def test_a_limit_on_the_volume_is_never_missed() -> None:
    discrete = mbb((31, 10), 0.333)
    density = random_density(discrete)
    density *= 0.333 * discrete.domain_volume / density.sum(dtype=float)
    mask, _ = Ranking.of(discrete, density).keep(target_volume(discrete, density))
    assert mask.sum() == int(0.333 * 310)


@pytest.mark.parametrize(
    ("elements", "axes"), [((9, 6), ("y",)), ((8, 7), ("x", "y")), ((5, 6, 4), ("y", "z"))]
)
def test_a_symmetric_design_has_a_symmetric_part(elements: tuple[int, ...], axes: tuple[str, ...]) -> None:
    discrete = cantilever(elements, 0.4, symmetry=axes)
    density = random_density(discrete)
    part = shape_part(Ranking.of(discrete, density), target_volume(discrete, density)).mask
    for axis in axes:
        assert np.array_equal(part, discrete.grid.mirror(part, "xyz".index(axis)))
    allowed = 0.4 * part.size
    assert allowed - 2 ** len(axes) < part.sum() <= allowed * (1.0 + 1e-5)


def test_passive_solid_stays_and_passive_void_stays_empty() -> None:
    discrete = cantilever((12, 8), 0.4)
    lower, upper = discrete.lower.copy(), discrete.upper.copy()
    lower[7, 3:6], upper[2:4, 5:9] = 1.0, 0.0
    discrete = replace(discrete, lower=lower, upper=upper)
    density = random_density(discrete, 3)
    part = shape_part(Ranking.of(discrete, density), target_volume(discrete, density)).mask
    assert part[lower == 1].all() and not part[upper == 0].any()


def test_an_island_is_taken_off_and_its_material_spent_beside_the_part() -> None:
    discrete = cantilever((12, 6), 0.5)
    density = np.full(discrete.grid.shape, 0.1, np.float32)
    density[2:4] = 1.0  # a bar from the support to the load
    density[1] = 0.4
    density[5, 5:8] = 0.9  # an island
    density *= np.float32(27 / density.sum())
    ranking = Ranking.of(discrete, density)
    shape = shape_part(ranking, 27.0)
    assert shape.removed == pytest.approx(3 / 27)
    assert shape.mask.sum() == 27 and shape.mask[2:4].all() and not shape.mask[4:].any()
    assert shape.mask[1].sum() == 3
    assert Paths.of(discrete, shape.mask).count == 1


def test_pieces_that_meet_in_a_corner_are_joined() -> None:
    discrete = cantilever((12, 6), 0.5)
    density = np.full(discrete.grid.shape, 0.01, np.float32)
    density[3, :6] = density[2, 6:] = 1.0
    density[2, 5] = 0.3
    shape = shape_part(Ranking.of(discrete, density), 13.0)
    assert shape.mask[2, 5] and Paths.of(discrete, shape.mask).count == 1 and shape.removed == 0.0


def test_a_load_that_would_act_on_void_is_given_the_densest_way() -> None:
    discrete = cantilever((12, 6), 0.5)
    density = np.full(discrete.grid.shape, 0.01, np.float32)
    density[0:2, :10] = 1.0
    density[1:3, 9:] = 0.2
    assert not Ranking.of(discrete, density).keep(22.0)[0][2:4, -1].any()  # the load's node is at row 3
    shape = shape_part(Ranking.of(discrete, density), 24.0)
    paths = Paths.of(discrete, shape.mask)
    assert paths.count == 1 and paths.working.any() and shape.mask[2, -1] and shape.mask.sum() == 24


def test_where_nothing_joins_loads_to_supports_nothing_is_taken_off() -> None:
    discrete = cantilever((12, 6), 0.2)
    density = np.zeros(discrete.grid.shape, np.float32)
    density[:, 6:8] = 1.0
    shape = shape_part(Ranking.of(discrete, density), 2.0)
    assert shape.removed == 0.0 and shape.mask.sum() == 2
