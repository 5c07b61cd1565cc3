"""A whole training of an auto-encoder: data in, designs, network, how well it rebuilds, two files out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trabecula.learning.checkpoint import seconds_of
from trabecula.learning.course import (
    Order,
    Say,
    claimed,
    parted,
)
from trabecula.learning.latent.designs import Designs, prepared
from trabecula.learning.latent.network import Build
from trabecula.learning.latent.ship import ship
from trabecula.learning.latent.train import (
    Recipe,
    Supply,
    look,
    train,
)
from trabecula.learning.loop import Look
from trabecula.learning.store import Dataset
from trabecula.surrogate import Card

LIMITS = (
    "Trained on designs for elasticity, compliance under a volume, density filter, cubic voxels, boxes of at "
    "most 1:4. It knows a design on the small grid only: members thinner than one of its cells blur."
)

LOOKED_AT = 256
"""Designs held out that every look rebuilds."""


def make(order: Order, told: Callable[[Look], None], say: Say) -> Card:
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
    dataset, chosen, kept = parted(order.data)
    name = order.name or f"autoencoder-{dataset.dimension}d"
    files = [f"{part}-{dataset.dimension}d.onnx" for part in ("encoder", "decoder")]
    with claimed(order, [f"{name}.checkpoint", *files]):
        return _made(order, name, (dataset, chosen, kept), told, say)


def _made(
    order: Order,
    name: str,
    data: tuple[Dataset, list[Path], list[Path]],
    told: Callable[[Look], None],
    say: Say,
) -> Card:
    dataset, chosen, kept = data
    say(f"{len(chosen)} shards to train on, {len(kept)} held out; preparing designs")
    cache = order.cache or order.data / "prepared"
    designs = Designs.of(prepared(shard, cache) for shard in chosen)
    unseen = _thinned(Designs.of(prepared(shard, cache) for shard in kept), LOOKED_AT)
    recipe = Recipe(
        Build(dataset.dimension, order.numbers, order.width, order.depth), steps=order.steps, seed=order.seed
    )
    checkpoint = order.out / f"{name}.checkpoint"
    network = train(recipe, designs, unseen, checkpoint, told)
    even, after = look(network, Supply(unseen, recipe.build.patch, recipe.batch))
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


def _thinned(designs: Designs, most: int) -> Designs:
    step = -(-len(designs) // most)
    return Designs(*(values[::step] for values in vars(designs).values()))
