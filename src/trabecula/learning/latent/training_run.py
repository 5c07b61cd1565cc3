"""A whole training of an auto-encoder: data in, designs, network, how well it rebuilds, two files out."""

from __future__ import annotations

from collections.abc import Callable

from trabecula.learning.checkpoint import seconds_of
from trabecula.learning.latent.designs import DesignSet, load_designs
from trabecula.learning.latent.network import Build
from trabecula.learning.latent.ship import ship
from trabecula.learning.latent.train import (
    AutoEncoderRecipe,
    DesignBatches,
    held_out_errors,
    train,
)
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.training_order import Say, TrainingData, TrainingOrder, prepare_training
from trabecula.surrogate import Card

LIMITS = (
    "Trained on designs for elasticity, compliance under a volume, density filter, cubic voxels, boxes of at "
    "most 1:4. It knows a design on the small grid only: members thinner than one of its cells blur."
)

LOOKED_AT = 256
"""Designs held out that are rebuilt on the way, to measure the error."""


def train_and_ship(order: TrainingOrder, report: Callable[[TrainingProgress], None], say: Say) -> Card:
    """Train and ship an auto-encoder; the encoder's card.

    Raises
    ------
    UnreadableError
        If the data are damaged, or the checkpoint belongs to another training.
    OwnershipError
        If files that are not ours stand where ours would, or somebody else trains in that folder.
    ValueError
        If there are too few data.
    """
    with prepare_training(order, _files, "designs", say) as data:
        return _train_and_ship(order, data, report)


def _files(name: str, dimension: int) -> list[str]:
    return [f"{name}.checkpoint", *(f"{part}-{dimension}d.onnx" for part in ("encoder", "decoder"))]


def _train_and_ship(
    order: TrainingOrder, data: TrainingData, report: Callable[[TrainingProgress], None]
) -> Card:
    designs, unseen = (
        DesignSet.of(load_designs(shard, data.cache) for shard in shards)
        for shards in (data.chosen, data.kept)
    )
    unseen = _thin(unseen, LOOKED_AT)
    build = Build(data.dataset.dimension, order.numbers, order.width, order.depth)
    recipe = AutoEncoderRecipe(build, steps=order.steps, seed=order.seed)
    network = train(recipe, designs, unseen, data.checkpoint, report)
    even, after = held_out_errors(network, DesignBatches(unseen, recipe.build.patch, recipe.batch))
    story = {
        "made": "trabecula train autoencoder",
        "data": data.to_story(),
        "shards": len(data.chosen),
        "designs": len(designs),
        "recipe": {key: value for key, value in recipe.to_json().items() if key != "build"},
        "hours": round(seconds_of(data.checkpoint) / 3600, 3),
        "density error, held out": {"even": round(even, 4), "after": round(after, 4)},
        "limits": LIMITS,
    }
    return ship(network, order.out, story)[0]


def _thin(designs: DesignSet, most: int) -> DesignSet:
    step = -(-len(designs) // most)
    return DesignSet(*(values[::step] for values in vars(designs).values()))
