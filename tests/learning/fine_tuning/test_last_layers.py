"""Only the last layers are trained, and replay keeps what was known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.surrogate.networks import network
from trabecula.learning.batches import ExampleBatches
from trabecula.learning.example import Example
from trabecula.learning.fine_tuning.last_layers import fit_last_layers
from trabecula.learning.network import EncoderDecoder
from trabecula.learning.train import TrainingRecipe, answers_of

RECIPE = TrainingRecipe(
    "corrector", 2, network("corrector", 2, 1.0).size, steps=60, rate=2e-3, rise=5, batch=4
)


def examples(count: int, wanted: bool, seed: int) -> list[Example]:
    """Something to learn: material where the pull is positive, or where it is negative."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        fields = random.standard_normal((10, 8, 12)).astype(np.float16)
        fields[2] = 1.0
        fields[3] = float(wanted)  # so that the two kinds can be told apart
        target = ((fields[1] > 0) == wanted).astype(np.float16)
        made.append(Example(fields, np.zeros((8, 12), np.float16), target))
    return made


def answers(made: EncoderDecoder, given: list[Example]) -> torch.Tensor:
    supply = ExampleBatches(given, RECIPE.inside, RECIPE.size.patch, RECIPE.size.multiple)
    with torch.no_grad():
        return answers_of(made.eval(), supply.batch(given)).sigmoid()


def error(made: EncoderDecoder, given: list[Example]) -> float:
    supply = ExampleBatches(given, RECIPE.inside, RECIPE.size.patch, RECIPE.size.multiple)
    return float((answers(made, given) - supply.batch(given).target).abs().mean())


def test_only_the_last_layers_change(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    made = network("corrector", 2, 1.0)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    fit_last_layers(made, replace(RECIPE, steps=5), examples(4, True, 0), [], examples(1, True, 9), tmp_path)
    moved = {
        name.split(".")[0]
        for name, value in made.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"up", "head"}


def test_replay_keeps_what_was_known(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    mine, unseen = examples(12, True, 1), examples(8, True, 2)
    others, unseen_others = examples(6, False, 3), examples(8, False, 4)

    def trained(folder: str, replay: list[Example]) -> EncoderDecoder:
        (tmp_path / folder).mkdir()
        return fit_last_layers(network("corrector", 2, 1.0), RECIPE, mine, replay, unseen, tmp_path / folder)

    start = network("corrector", 2, 1.0)
    soft = [
        replace(each, target=answer.numpy().astype(np.float16))
        for each, answer in zip(others, unpacked(answers(start, others)), strict=True)
    ]
    alone, with_replay = trained("alone", []), trained("replay", soft)
    known = answers(start, unseen_others)
    lost = (answers(alone, unseen_others) - known).abs().mean()
    kept = (answers(with_replay, unseen_others) - known).abs().mean()
    assert kept < 0.8 * lost
    assert error(with_replay, unseen) < error(start, unseen)


def unpacked(packed: torch.Tensor) -> list[torch.Tensor]:
    from trabecula.surrogate import unpack

    return [torch.from_numpy(unpack(each.numpy(), 2, (8, 12))[0]) for each in packed]
