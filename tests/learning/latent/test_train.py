"""The auto-encoder learns to rebuild designs, keeps their distances, and goes on where it stopped."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trabecula.learning.latent.designs import DesignSet
from trabecula.learning.latent.network import AutoEncoder, Build
from trabecula.learning.latent.train import (
    SCALE,
    AutoEncoderRecipe,
    DesignBatches,
    held_out_errors,
    principal,
    reconstruction_loss,
    stress,
    train,
)
from trabecula.learning.loop import TrainingProgress
from trabecula.storage.reading import UnreadableError
from trabecula.surrogate import Cells, unpack
from trabecula.surrogate.canonical import SIDE

RECIPE = AutoEncoderRecipe(Build(2, 6, width=4, patch=8), steps=60, batch=8, rate=1e-2, rise=5, every=30)


def bars(count: int, seed: int = 0, dimension: int = 2) -> DesignSet:
    """Designs of one thick bar each, somewhere, two to a problem."""
    random = np.random.default_rng(seed)
    side = SIDE[dimension]
    made = np.zeros((count, *[side] * dimension), np.float16)
    for field in made:
        low = int(random.integers(0, side // 2))
        field[low : low + side // 4] = 1.0
    sides = np.tile(np.linspace(-0.3, 0.3, dimension, dtype=np.float32), (count, 1))
    of = np.arange(count) // 2
    return DesignSet(made, sides, of, np.zeros(count, np.int64))


def same(one: AutoEncoder, other: AutoEncoder) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_what_was_never_seen_is_rebuilt(tmp_path: Path) -> None:
    looks: list[TrainingProgress] = []
    network = train(RECIPE, bars(40), bars(10, 1), tmp_path / "c", looks.append)
    assert [one.step for one in looks] == [30, 60]
    assert looks[-1].base == pytest.approx(2 * 0.25 * 0.75, abs=1e-3)
    assert looks[-1].error < 0.5 * looks[-1].base
    weights = network.encoder.head.weight
    assert torch.equal(weights, weights.half().float())  # as they ship


def test_a_stopped_training_ends_in_the_same_network(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    short = replace(RECIPE, steps=6, every=2)

    class Stopped(Exception):
        pass

    def once(look: TrainingProgress) -> None:
        if look.step == 4:
            raise Stopped

    whole = train(short, bars(8), bars(2, 1), tmp_path / "whole")
    with pytest.raises(Stopped):
        train(short, bars(8), bars(2, 1), tmp_path / "part", once)
    assert same(whole, train(short, bars(8), bars(2, 1), tmp_path / "part"))


def test_a_checkpoint_of_other_data_or_another_recipe_is_refused(tmp_path: Path) -> None:
    short = replace(RECIPE, steps=2, every=2)
    train(short, bars(4), bars(2, 1), tmp_path / "c")
    with pytest.raises(UnreadableError, match="other data"):
        train(short, bars(4, 3), bars(2, 1), tmp_path / "c")
    with pytest.raises(UnreadableError, match="another recipe"):
        train(replace(short, stress=0.5), bars(4), bars(2, 1), tmp_path / "c")


def test_stress_is_nothing_where_distances_agree() -> None:
    designs = torch.rand(5, 4, 3, 3)
    codes = SCALE * designs.flatten(1)
    assert float(stress(codes, designs)) == pytest.approx(0.0, abs=1e-10)
    a, b = codes[:2] / math.sqrt(36)
    x, y = designs.flatten(1)[:2] / math.sqrt(36)
    missed = (float((3 * a - 3 * b).norm()) - SCALE * float((x - y).norm())) ** 2
    assert float(stress(3 * codes[:2], designs[:2])) == pytest.approx(missed, rel=1e-4)


def test_the_distances_of_codes_follow_those_of_designs(tmp_path: Path) -> None:
    unseen = bars(24, 1)
    network = train(replace(RECIPE, steps=80, stress=5.0), bars(40), bars(2, 2), tmp_path / "c")
    batch = DesignBatches(unseen, 8, 4).batch(range(24))
    with torch.no_grad():
        codes = network.encoder(batch.fields, batch.sides)
    found = torch.pdist(codes).numpy()
    wanted = torch.pdist(torch.from_numpy(unseen.densities.astype(np.float32)).flatten(1)).numpy()
    assert np.corrcoef(found, wanted)[0, 1] > 0.8


def test_material_and_mistakes_weigh_more() -> None:
    solid, void = torch.ones(1, 4, 2, 2), torch.zeros(1, 4, 2, 2)
    grey = torch.zeros(1, 4, 2, 2)
    assert float(reconstruction_loss(grey, solid)) == pytest.approx((0.3 + 1 + 0.5) * math.log(2), rel=1e-5)
    assert float(reconstruction_loss(grey, void)) == pytest.approx((0.3 + 0.5) * math.log(2), rel=1e-5)


@pytest.mark.parametrize("dimension", [2, 3])
def test_batches_hold_moved_designs_with_their_aspects(dimension: int) -> None:
    designs = bars(4, dimension=dimension)
    side = SIDE[dimension]
    batch = DesignBatches(designs, 8, 6).draw(np.random.default_rng(3))
    images = np.concatenate([Cells(dimension).images(x.astype(np.float32)) for x in designs.densities])
    for packed, sides in zip(batch.fields.numpy(), batch.sides.numpy(), strict=True):
        field = unpack(packed, 8, (side,) * dimension)[0]
        assert (np.abs(images - field.ravel()).max(axis=1) == 0).any()
        across = int(
            np.argmin([np.ptp(field.mean(axis=tuple({*range(dimension)} - {a}))) for a in range(dimension)])
        )
        assert sorted(sides.tolist()) == pytest.approx(sorted(designs.sides[0].tolist()))
        long = int(np.argmax([np.ptp(np.take(field, side // 2, a)) == 0 for a in range(dimension)]))
        assert 0 <= across < dimension and 0 <= long < dimension


def test_every_problem_is_drawn_as_often_as_any_other() -> None:
    designs = replace(bars(40), problems=np.array([0] * 38 + [1, 1]))
    designs.densities[38:] = 1.0
    supply = DesignBatches(designs, 8, 400)
    share = float((supply.draw(np.random.default_rng(0)).fields.flatten(1).mean(dim=1) == 1).float().mean())
    assert 0.4 < share < 0.6


def test_a_look_is_the_mean_error() -> None:
    network = AutoEncoder(RECIPE.build).eval()
    designs = bars(5)
    base, error = held_out_errors(network, DesignBatches(designs, 8, 2))
    batch = DesignBatches(designs, 8, 5).batch(range(5))
    with torch.no_grad():
        _, logits = network(batch.fields, batch.sides)
    assert error == pytest.approx(float((logits.sigmoid() - batch.fields).abs().mean()), rel=1e-4)
    assert base == pytest.approx(0.375, abs=1e-6)


def test_training_begins_at_the_principal_components() -> None:
    network = AutoEncoder(Build(2, 3, width=4, patch=8))
    supply = DesignBatches(bars(30), 8, 8)
    weight, middle = principal(network.encoder, supply, np.random.default_rng(5), 64)
    random = np.random.default_rng(5)
    with torch.no_grad():
        seen = torch.cat([network.encoder.halve(supply.draw(random).fields) for _ in range(8)]).numpy()
    seen = seen.astype(np.float64)
    np.testing.assert_allclose(middle.numpy(), seen.mean(axis=0), atol=1e-6)
    _, _, right = np.linalg.svd(seen - seen.mean(axis=0), full_matrices=False)
    basis = weight.numpy() / (SCALE * math.sqrt(3))
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(np.abs(np.sum(basis * right[:3], axis=1)), 1.0, atol=1e-3)


def test_codes_longer_than_the_rank_begin_as_nothing() -> None:
    network = AutoEncoder(Build(2, 1030, width=4, patch=8))
    weight, _ = principal(network.encoder, DesignBatches(bars(4), 8, 8), np.random.default_rng(0), 8)
    assert weight.shape == (1030, 1024)
    assert not weight[1024:].any()
