"""Families hold different designs of one grid that are nearly equally good, and batches pair them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning.latent.stored import sample
from trabecula.learning.generator.families import NEAR, Family, FamilyBatches, families_of, load_families
from trabecula.learning.store import Sample, shard_path, write_shard
from trabecula.storage.reading import UnreadableError
from trabecula.surrogate import unpack


def with_merits(stored: Sample, *merits: float) -> Sample:
    runs = [replace(run, merit=merit) for run, merit in zip(stored.runs, merits, strict=True)]
    return replace(stored, runs=tuple(runs))


def test_what_is_much_worse_is_in_no_family_and_one_design_is_none() -> None:
    (family,) = families_of(with_merits(sample(), 1.0, 1.0 + 0.9 * NEAR, 1.0))
    assert family.designs.shape[0] == 2
    assert family.fields.shape[1:] == family.designs.shape[1:]
    assert np.isfinite(family.fields).all()
    assert not list(families_of(with_merits(sample(), 1.0, 1.0 + 1.1 * NEAR, 1.0)))


def test_the_best_comes_first_and_the_same_design_counts_once() -> None:
    stored = with_merits(sample(), 1.05, 1.0, 1.0)
    (family,) = families_of(stored)
    np.testing.assert_array_equal(family.designs[0], stored.runs[1].density)
    again = replace(stored.runs[0], name="0-again", density=stored.runs[1].density)
    twice = replace(stored, runs=(*stored.runs, again))
    assert next(families_of(twice)).designs.shape[0] == 2


def test_families_are_kept_and_read_again_and_damage_is_said(tmp_path: Path) -> None:
    shard, cache = shard_path(tmp_path, 0), tmp_path / "cache"
    write_shard(shard, [sample(0), sample(1, seed=1)], [])
    found = load_families(shard, cache)
    assert len(found) == 2
    shard.unlink()
    for one, other in zip(load_families(shard, cache), found, strict=True):
        np.testing.assert_array_equal(one.fields, other.fields)
        np.testing.assert_array_equal(one.designs, other.designs)
    kept = cache / f"generator-{shard.stem}.npz"
    np.savez(kept, f_0=found[0].fields, d_0=found[0].designs[:1])
    with pytest.raises(UnreadableError, match="remove it"):
        load_families(shard, cache)


def family(shape: tuple[int, int], seed: int) -> Family:
    random = np.random.default_rng(seed)
    fields = random.standard_normal((11, *shape)).astype(np.float16)
    fields[3] = 1.0
    return Family(fields, random.random((3, *shape)).astype(np.float16))


def test_batches_pair_two_designs_of_one_family_whatever_its_shape() -> None:
    families = [family((9, 12), 0), family((12, 10), 1), family((9, 13), 2)]
    supply = FamilyBatches(families, 2, 4, 5)
    batch = supply.draw(np.random.default_rng(0))
    again = supply.draw(np.random.default_rng(0))
    np.testing.assert_array_equal(batch.fields.numpy(), again.fields.numpy())
    assert batch.base.shape == batch.target.shape == batch.inside.shape
    shape = tuple(2 * n for n in batch.inside.shape[2:])
    known = [{round(float(design.astype(float).sum()), 2) for design in one.designs} for one in families]
    for inside, *pair in zip(batch.inside, batch.base, batch.target, strict=True):
        assert unpack(inside.numpy(), 2, shape)[0].sum() in (108, 117, 120)
        sums = {round(float(design.numpy().astype(float).sum()), 2) for design in pair}
        assert len(sums) == 2
        assert any(sums <= own for own in known)
