"""A network that draws out of noise draws different designs, and none between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trabecula.learning.batches import ExampleBatch, ExampleBatches
from trabecula.learning.example import Example
from trabecula.learning.flow import hide_in_noise, mix_with_noise
from trabecula.learning.network import Size
from trabecula.learning.ship import ship
from trabecula.learning.train import TrainingRecipe, train
from trabecula.surrogate import Model, draw, load_model

RECIPE = TrainingRecipe("proposer", 2, Size(8, 1, 2), steps=300, batch=16, rate=1e-2, rise=10, every=300)
INSIDE = 4
SHAPE = (8, 12)


def left_or_right(count: int) -> list[Example]:
    """All the same to see; half of them have their material on the left, half on the right."""
    made = []
    for k in range(count):
        fields = np.zeros((12, *SHAPE), np.float16)
        fields[0] = np.linspace(-1, 1, SHAPE[1])  # which side is left survives turning and mirroring
        fields[INSIDE] = 1.0
        target = np.zeros(SHAPE, np.float16)
        target[:, : SHAPE[1] // 2] = 1.0
        made.append(Example(fields, np.zeros(SHAPE, np.float16), target if k % 2 else 1 - target))
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("flow")
    network = train(RECIPE, left_or_right(16), left_or_right(2), folder / "c")
    card = ship(network, RECIPE, folder, {"grey": 0.2}, {"data": "none"})
    return load_model(card.name, folder)


def draw_fields(model: Model, count: int, seed: int = 0) -> np.ndarray:
    (example, _) = left_or_right(2)
    fields = example.fields.astype(np.float32)
    return draw(model, fields, np.ones(SHAPE, bool), count, seed)


def test_it_draws_what_there_is_and_not_the_mean(trained: Model) -> None:
    designs = draw_fields(trained, 24) > 0
    sides = np.array([design[:, :6].mean() - design[:, 6:].mean() for design in designs])
    assert np.abs(sides).mean() > 0.9  # nearly all of the material on one side
    assert 0.15 < (sides > 0).mean() < 0.85  # and not always on the same


def test_the_seed_decides(trained: Model) -> None:
    first, again, other = draw_fields(trained, 4), draw_fields(trained, 4), draw_fields(trained, 4, seed=1)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(
        first[:2], draw_fields(trained, 2), atol=1e-3
    )  # more of them are more of the same


def test_a_model_of_other_channels_is_refused(trained: Model) -> None:
    with pytest.raises(ValueError, match="takes 14 channels, not 5"):
        draw(trained, np.zeros((3, *SHAPE), np.float32), np.ones(SHAPE, bool), 1)


def batch() -> ExampleBatch:
    examples = left_or_right(4)
    for example in examples:
        example.fields[INSIDE, :2] = 0.0
    return ExampleBatches(examples, INSIDE, 2, 2).batch(examples)


def test_a_target_comes_out_of_the_noise_with_time() -> None:
    given, random = batch(), np.random.default_rng(0)
    whole = mix_with_noise(given, np.ones(4), random).fields[:, :4]
    assert torch.equal(whole, (2 * given.target - 1) * given.inside)
    other = replace(given, target=1 - given.target)
    nothing = [
        mix_with_noise(each, np.zeros(4), np.random.default_rng(3)).fields[:, :4] for each in (given, other)
    ]
    assert torch.equal(*nothing)
    assert not nothing[0][given.inside == 0].any()


def test_time_is_told_and_fields_stay_as_they_are() -> None:
    given = batch()
    shown = hide_in_noise(given, np.random.default_rng(1)).fields
    times = shown[:, 4:8]
    assert torch.equal(shown[:, 8:], given.fields)
    assert torch.equal(times.amin((1, 2, 3)), times.amax((1, 2, 3)))
    assert 0 <= float(times.min()) <= float(times.max()) < 1
