"""A whole training of a generator: data in, families, players, how far apart draws are, one file out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trabecula.learning.checkpoint import seconds_of
from trabecula.learning.generator.families import load_families
from trabecula.learning.generator.train import GeneratorRecipe, held_out_errors, spreads, train
from trabecula.learning.latent.ship import to_half_precision
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.ship import OPSET, add_to_folder, check_agreement, to_onnx
from trabecula.learning.training_order import Say, TrainingData, TrainingOrder, prepare_training
from trabecula.surrogate import Card, Model
from trabecula.version import VERSION

GREY, SHARPNESS = 0.0, 4.0
"""Mixed into what is drawn, and what its logits are multiplied by (docs/decisions/generator.md)."""

HELD_OUT = 32
"""Families held out that are looked at."""

LIMITS = (
    "Trained on elasticity, compliance under a volume, density filter, no projection, cubic voxels, up to "
    "four loads. Elsewhere what it draws is a start like any other, finished and certified all the same."
)


def train_and_ship(order: TrainingOrder, report: Callable[[TrainingProgress], None], say: Say) -> Card:
    """Train and ship a generator; its card.

    Raises
    ------
    UnreadableError
        If the data are damaged, or the checkpoint belongs to another training.
    OwnershipError
        If files that are not ours stand where ours would, or somebody else trains in that folder.
    ValueError
        If there are too few data.
    """

    def files(name: str, dimension: int) -> list[str]:
        return [f"{name}.checkpoint", f"{name}.onnx"]

    with prepare_training(order, files, "families of designs", say) as data:
        return _train_and_ship(order, data, report)


def _train_and_ship(
    order: TrainingOrder, data: TrainingData, report: Callable[[TrainingProgress], None]
) -> Card:
    families, unseen = (
        [family for shard in shards for family in load_families(shard, data.cache)]
        for shards in (data.chosen, data.kept)
    )
    unseen = unseen[:HELD_OUT]
    if not families or not unseen:
        raise ValueError(
            f"{order.data} holds too few problems with two different good designs, to train on and to hold "
            "out; generate more problems"
        )
    size = Size(order.width, order.depth)
    recipe = GeneratorRecipe(data.dataset.dimension, size, steps=order.steps, seed=order.seed)
    network = train(recipe, families, unseen, data.checkpoint, report)
    before, after = held_out_errors(network, unseen, recipe.seed)
    real, drawn = spreads(network, unseen, recipe.seed)
    story = {
        "made": "trabecula train generator",
        "data": data.to_story(),
        "families": len(families),
        "recipe": {key: value for key, value in recipe.to_json().items() if key != "size"},
        "hours": round(seconds_of(data.checkpoint) / 3600, 3),
        "density error of the nearest draw, held out": {"even": round(before, 4), "after": round(after, 4)},
        "difference of two, held out": {"designs": round(real, 3), "draws": round(drawn, 3)},
        "limits": LIMITS,
    }
    return ship(network, order.out, story, data.name)


def ship(network: EncoderDecoder, folder: Path, story: dict[str, Any], name: str) -> Card:
    """Write a generator into a folder of models, in place of one of the same name.

    Parameters
    ----------
    network
        Its weights are numbers of half precision (`trabecula.learning.generator.train`).
    story
        The model card: data, commands, hours, figures, limits.

    Raises
    ------
    RuntimeError
        If the file does not say what the network says.
    """
    content = to_half_precision(to_onnx(network))
    card = Card(
        name=name,
        file=f"{name}.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        dimension=network.dimension,
        channels=network.channels,
        answers=1,
        patch=network.size.patch,
        multiple=network.size.multiple,
        settings={"grey": GREY, "sharpness": SHARPNESS},
        story={
            "opset": OPSET,
            "parameters": sum(p.numel() for p in network.parameters()),
            "size": network.size.to_json(),
            "trabecula": VERSION,
            "torch": torch.__version__,
            **story,
        },
    )
    check_agreement(network, Model(card, content))
    add_to_folder(folder, card, content)
    return card
