from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trabecula.learning.example import Example
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.train import TrainingRecipe, loss_of, train
from trabecula.storage.reading import UnreadableError

RECIPE = TrainingRecipe("corrector", 2, Size(8, 1, 2), steps=200, batch=4, rate=1e-2, rise=5, every=100)


def examples(count: int, seed: int = 0) -> list[Example]:
    """Something to learn: the target is where the pull is positive."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        fields = random.standard_normal((10, 8, 12)).astype(np.float16)
        fields[2] = 1.0
        target = (fields[1] > 0).astype(np.float16)
        made.append(Example(fields, np.zeros((8, 12), np.float16), target))
    return made


def same(one: EncoderDecoder, other: EncoderDecoder) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_a_network_learns_what_can_be_learnt(tmp_path: Path) -> None:
    looks: list[TrainingProgress] = []
    train(RECIPE, examples(16), examples(4, 1), tmp_path / "c", looks.append)
    assert looks[-1].base == pytest.approx(0.5, abs=1e-3)
    assert looks[-1].error < 0.35


def test_a_stopped_training_ends_in_the_same_network(tmp_path: Path) -> None:
    torch.set_num_threads(1)

    class Stopped(Exception):
        pass

    looks = 0

    def once(look: TrainingProgress) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise Stopped

    shorter = replace(RECIPE, steps=30, every=10)
    whole = train(shorter, examples(8), examples(2, 1), tmp_path / "whole")
    with pytest.raises(Stopped):
        train(shorter, examples(8), examples(2, 1), tmp_path / "part", once)
    again = train(shorter, examples(8), examples(2, 1), tmp_path / "part")
    assert same(whole, again)


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    short = replace(RECIPE, steps=2, every=2)
    train(short, examples(4), examples(1, 1), tmp_path / "c")
    with pytest.raises(UnreadableError, match="other data"):
        train(short, examples(4, 7), examples(1, 1), tmp_path / "c")


def test_a_new_network_leaves_the_logits_as_they_are() -> None:
    for dimension, places in ((2, (4, 8)), (3, (4, 4, 8))):
        network = TrainingRecipe("leap", dimension, Size(8)).network().eval()
        fields = torch.randn(1, network.channels * 2**dimension, *places)
        assert torch.equal(network(fields), torch.zeros(1, 2**dimension, *places))


def test_the_loss_looks_at_what_is_wrong_unless_it_is_told_not_to() -> None:
    target, inside = torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
    good, bad = torch.full((1, 4, 2, 2), 6.0), torch.full((1, 4, 2, 2), -6.0)
    both = (True, False)
    worse, plain = (float(loss_of(bad, target, inside, focused)) for focused in both)
    right, ordinary = (float(loss_of(good, target, inside, focused)) for focused in both)
    assert worse / plain == pytest.approx(2.3 / 1.3, rel=0.01)
    assert right == pytest.approx(ordinary, rel=0.01)
    assert right < 0.01 * worse


def test_what_is_outside_the_domain_does_not_count() -> None:
    target, inside = torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
    inside[..., 1] = 0
    logits = torch.zeros(1, 4, 2, 2)
    before = loss_of(logits, target, inside)
    logits[..., 1] = 50.0
    assert torch.equal(before, loss_of(logits, target, inside))


def test_sizes_follow_the_compound_rule() -> None:
    small = Size(32, 1)
    assert small.scale(0) == small
    assert small.scale(6) == Size(56, 3)
