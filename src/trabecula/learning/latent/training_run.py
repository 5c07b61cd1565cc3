"""A whole training of an auto-encoder: data in, designs, network, how well it rebuilds, two files out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
from trabecula.learning.store import Dataset
from trabecula.learning.training_run import (
    Say,
    TrainingOrder,
    hold_model_folder,
    split_data_set,
)
from trabecula.surrogate import Card

LIMITS = (
    "Trained on designs for elasticity, compliance under a volume, density filter, cubic voxels, boxes of at "
    "most 1:4. It knows a design on the small grid only: members thinner than one of its cells blur."
)

LOOKED_AT = 256
"""Designs held out that every look rebuilds."""


def train_and_ship(order: TrainingOrder, told: Callable[[TrainingProgress], None], say: Say) -> Card:
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
    dataset, chosen, kept = split_data_set(order.data)
    name = order.name or f"autoencoder-{dataset.dimension}d"
    files = [f"{part}-{dataset.dimension}d.onnx" for part in ("encoder", "decoder")]
    with hold_model_folder(order, [f"{name}.checkpoint", *files]):
        return _train_and_ship(order, name, (dataset, chosen, kept), told, say)


def _train_and_ship(
    order: TrainingOrder,
    name: str,
    data: tuple[Dataset, list[Path], list[Path]],
    told: Callable[[TrainingProgress], None],
    say: Say,
) -> Card:
    dataset, chosen, kept = data
    say(f"{len(chosen)} shards to train on, {len(kept)} held out; preparing designs")
    cache = order.cache or order.data / "prepared"
    designs = DesignSet.of(load_designs(shard, cache) for shard in chosen)
    unseen = _thin(DesignSet.of(load_designs(shard, cache) for shard in kept), LOOKED_AT)
    recipe = AutoEncoderRecipe(
        Build(dataset.dimension, order.numbers, order.width, order.depth), steps=order.steps, seed=order.seed
    )
    checkpoint = order.out / f"{name}.checkpoint"
    network = train(recipe, designs, unseen, checkpoint, told)
    even, after = held_out_errors(network, DesignBatches(unseen, recipe.build.patch, recipe.batch))
    story = {
        "made": "trabecula train autoencoder",
        "data": {key: dataset.info[key] for key in ("dimension", "seed", "settings", "trabecula")},
        "shards": len(chosen),
        "designs": len(designs),
        "recipe": {key: value for key, value in recipe.to_json().items() if key != "build"},
        "hours": round(seconds_of(checkpoint) / 3600, 3),
        "density error, held out": {"even": round(even, 4), "after": round(after, 4)},
        "limits": LIMITS,
    }
    return ship(network, order.out, story)[0]


def _thin(designs: DesignSet, most: int) -> DesignSet:
    step = -(-len(designs) // most)
    return DesignSet(*(values[::step] for values in vars(designs).values()))
