"""Stored solves as designs on the small grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning.latent.stored import sample
from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.learning.latent.designs import (
    DesignSet,
    load_designs,
    physical_designs,
    small_grid_designs,
)
from trabecula.learning.store import read_shard, shard_path, write_shard
from trabecula.problem import loads
from trabecula.surrogate.canonical import SIDE


def test_designs_are_the_physical_ones_of_every_level() -> None:
    stored = sample()
    found = list(physical_designs(stored))
    finest = len(stored.grids) - 1
    assert [one.level for one in found] == [0, 0, finest]
    discrete = discretise(loads(stored.problem))
    wanted = DesignChain(discrete, 1).physical(stored.runs[-1].density.astype(np.float64))
    np.testing.assert_allclose(found[-1].density, wanted)
    for one in found:
        assert one.size == pytest.approx((2.0, 1.0))


def test_pooling_keeps_material_aspects_and_problem() -> None:
    stored = sample(index=7)
    found = small_grid_designs(stored)
    assert found.densities.shape == (3, SIDE[2], SIDE[2])
    assert found.problems.tolist() == [7, 7, 7]
    whole = [one.density.mean() for one in physical_designs(stored)]
    np.testing.assert_allclose(found.densities.astype(float).mean(axis=(1, 2)), whole, rtol=1e-3)
    np.testing.assert_allclose(found.sides[0], np.log([0.5**0.5, 2**0.5]), atol=1e-6)


def test_a_design_of_a_grid_that_is_no_longer_in_the_ladder_is_left_out() -> None:
    stored = sample()
    other = replace(stored.runs[0], density=np.zeros((3, 4), np.float16))
    beyond = replace(stored.runs[1], level=9)
    assert len(list(physical_designs(replace(stored, runs=(other, beyond, stored.runs[2]))))) == 1


def test_prepared_designs_are_kept_and_read_again(tmp_path: Path) -> None:
    shard = shard_path(tmp_path, 3)
    write_shard(shard, [sample(0), sample(1, seed=1)], [])
    made_first = load_designs(shard, tmp_path / "cache")
    assert len(read_shard(shard).samples) == 2
    shard.unlink()
    again = load_designs(shard, tmp_path / "cache")
    assert len(again) == len(made_first) == 6
    for one, other in zip(vars(again).values(), vars(made_first).values(), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_several_are_one_after_another() -> None:
    a, b = small_grid_designs(sample(0)), small_grid_designs(sample(5, seed=1))
    both = DesignSet.of([a, b])
    assert both.problems.tolist() == [0] * 3 + [5] * 3
    np.testing.assert_array_equal(both.densities[3:], b.densities)
