"""Adversarial training: each player has its own gradient, and an interruption changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from trabecula.learning.batches import ExampleBatch
from trabecula.learning.generator.families import Family, FamilyBatches
from trabecula.learning.generator.train import (
    DRAWS,
    GeneratorRecipe,
    diversity_loss,
    draw_family,
    held_out_errors,
    loss_of_both,
    spreads,
    train,
    variety_loss,
)
from trabecula.learning.generator.training_run import ship
from trabecula.learning.network import Size
from trabecula.storage.reading import UnreadableError
from trabecula.surrogate import load_model
from trabecula.surrogate.generator import generate_designs

RECIPE = GeneratorRecipe(2, Size(8), critic=4, steps=6, batch=2, every=2, rise=2)


def family(seed: int) -> Family:
    """Designs that are all but opposed, of fields that say nothing."""
    random = np.random.default_rng(seed)
    fields = random.standard_normal((11, 10, 16)).astype(np.float16)
    fields[3] = 1.0
    bars = np.zeros((2, 10, 16), np.float16)
    bars[0, :, 2:7] = bars[1, :, 9:14] = 1.0
    return Family(fields, bars)


FAMILIES = [family(k) for k in range(4)]


def weights(network: nn.Module) -> list[torch.Tensor]:
    return list(network.state_dict().values())


def test_an_interrupted_training_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole = train(RECIPE, FAMILIES, FAMILIES[:1], tmp_path / "whole")

    class StopError(Exception):
        pass

    steps = []

    def stop(progress: object) -> None:
        steps.append(progress)
        if len(steps) == 2:
            raise StopError

    with pytest.raises(StopError):
        train(RECIPE, FAMILIES, FAMILIES[:1], tmp_path / "parts", stop)
    again = train(RECIPE, FAMILIES, FAMILIES[:1], tmp_path / "parts")
    for one, other in zip(weights(whole), weights(again), strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=0.0)
    with pytest.raises(UnreadableError, match="another recipe or other data"):
        train(replace(RECIPE, seed=1), FAMILIES, FAMILIES[:1], tmp_path / "parts")


def test_both_players_are_given_a_gradient_and_the_mean_none() -> None:
    players, supply = RECIPE.players(), FamilyBatches(FAMILIES, 2, 4, 2)
    nn.init.normal_(players.generator.head.weight)
    random = np.random.default_rng(0)
    loss_of_both(players, supply.draw(random), RECIPE, random).backward()  # type: ignore[no-untyped-call]
    for player in (players.generator, players.critic):
        assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in player.parameters())
    assert all(value.grad is None for value in players.average.parameters())


def test_the_critic_learns_from_its_own_loss_alone() -> None:
    """What the generator is told weighs nothing in the critic's gradient."""
    found = []
    for weight in (0.0, 10.0):
        players, supply = RECIPE.players(), FamilyBatches(FAMILIES, 2, 4, 2)
        random = np.random.default_rng(0)
        recipe = replace(RECIPE, adversarial=weight)
        loss_of_both(players, supply.draw(random), recipe, random).backward()  # type: ignore[no-untyped-call]
        found.append([value.grad for value in players.critic.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_variety_asks_of_the_nearest_draw_alone() -> None:
    batch = FamilyBatches(FAMILIES, 2, 4, 2).draw(np.random.default_rng(0))
    sure = 20.0 * (2.0 * torch.stack([batch.base, batch.target, batch.base, batch.base]) - 1.0)
    assert len(sure) == DRAWS
    assert float(variety_loss(sure, batch)) < 1e-6
    assert float(variety_loss(sure[[0, 0, 0, 0]], batch)) > 1.0
    even = torch.zeros_like(sure)
    inside, voxels = batch.inside, batch.inside.flatten(1).sum(1)
    wanted = sum(
        ((0.3 + design) * inside).flatten(1).sum(1) / voxels for design in (batch.base, batch.target)
    )
    assert isinstance(wanted, torch.Tensor)
    torch.testing.assert_close(variety_loss(even, batch), np.log(2.0) * wanted.mean())
    assert isinstance(batch, ExampleBatch)


def test_diversity_asks_for_the_difference_of_the_designs_and_no_more() -> None:
    batch = FamilyBatches(FAMILIES, 2, 4, 2).draw(np.random.default_rng(0))
    base, target = batch.base, batch.target
    assert float(diversity_loss(torch.stack([base, target, target, base]), batch)) == pytest.approx(0.0)
    assert float(diversity_loss(torch.stack([base, base, target, target]), batch)) == pytest.approx(1.0)
    third = base + (target - base) / 3.0
    assert float(diversity_loss(torch.stack([base, third, third, base]), batch)) == pytest.approx(2.0 / 3.0)


def test_training_learns_both_designs_of_a_family(tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=150, every=150, rate=5e-3, rise=10, decay=0.9)
    network = train(recipe, FAMILIES[:1], FAMILIES[:1], tmp_path / "checkpoint")
    even, nearest = held_out_errors(network, FAMILIES[:1], 0)
    assert nearest < 0.6 * even
    real, drawn = spreads(network, FAMILIES[:1], 0)
    assert real == pytest.approx(2 * 5 / 16 / (2 * 5 / 16 * 11 / 16))
    assert drawn > 0.2 * real


def test_the_file_draws_what_the_network_draws(tmp_path: Path) -> None:
    network = RECIPE.players().average
    nn.init.normal_(network.head.weight, std=0.1)
    network = network.half().float()
    ship(network, tmp_path, {"data": "none"}, "generator-2d")
    model = load_model("generator-2d", tmp_path)
    one = FAMILIES[0]
    inside = np.ones(one.fields.shape[1:], bool)
    logits = generate_designs(model, one.fields.astype(np.float32), inside, range(3), seed=4)
    expected = draw_family(network, one, 3, 4)
    np.testing.assert_allclose(1.0 / (1.0 + np.exp(-logits)), expected, atol=1e-5)
    assert (tmp_path / "generator-2d.onnx").stat().st_size < 2.6 * sum(
        p.numel() for p in network.parameters()
    )


def test_draws_have_the_shape_of_the_family() -> None:
    drawn = draw_family(RECIPE.players().average, FAMILIES[0], 2, 0)
    assert drawn.shape == (2, 10, 16)
    np.testing.assert_allclose(drawn, 0.5)  # the head begins at nothing
