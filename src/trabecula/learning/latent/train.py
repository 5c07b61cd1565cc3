"""Training of the auto-encoder: a design is rebuilt from a code, and codes are as far apart as their designs.

A code alone that rebuilds its design may lie anywhere; what looks up designs by their codes wants near codes
for near designs. So beside the cross-entropy a stress (Kruskal 1964, "Multidimensional scaling by optimizing
goodness of fit") holds distances of codes to those of densities: it is what keeps codes in bounds, too.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trabecula.learning.latent.designs import DesignSet
from trabecula.learning.latent.network import AutoEncoder, Build, Encoder
from trabecula.learning.loop import TrainingProgress, cosine_rate, run_training
from trabecula.surrogate import pack
from trabecula.surrogate.canonical import moves

SCALE = 2.0
"""Root-mean-square difference of two codes over that of the designs."""

SEEN = 4096
"""Designs that the principal components are taken from."""


@dataclass(frozen=True)
class AutoEncoderRecipe:
    """How an auto-encoder is trained.

    Attributes
    ----------
    build
        Of the network.
    steps, batch
        Optimiser steps, and designs per step.
    rate, rise
        Peak learning rate: linear rise over `rise` steps, then half a cosine.
    stress
        Weight of the distances.
    seed
        Of weights and batches.
    every
        Steps between reports on the held-out designs, and between checkpoints.
    """

    build: Build
    steps: int = 2500
    batch: int = 32
    rate: float = 2e-3
    rise: int = 100
    stress: float = 5.0
    seed: int = 0
    every: int = 100

    def network(self) -> AutoEncoder:
        """A new network."""
        torch.manual_seed(self.seed)
        return AutoEncoder(self.build)

    def learning_rate(self, step: int) -> float:
        """At a step from 0."""
        return cosine_rate(self.rate, self.rise, self.steps, step)

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {**vars(self), "build": self.build.to_json()}

    def fingerprint(self, designs: DesignSet) -> str:
        """Differs where recipe or data differ."""
        digest = hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode())
        digest.update(np.ascontiguousarray(designs.densities[:: max(1, len(designs) // 64)]).tobytes())
        return f"{len(designs)}-{digest.hexdigest()[:24]}"


@dataclass(frozen=True)
class DesignBatch:
    """Densities in patches, `[design, voxel, ...]`, and aspects, `[design, axis]`."""

    fields: Tensor
    sides: Tensor


@dataclass(frozen=True, eq=False)
class DesignBatches:
    """Batches of designs, each mirrored and turned at random, every problem as often as any other."""

    designs: DesignSet
    patch: int
    count: int
    groups: Sequence[np.ndarray[tuple[int], np.dtype[np.intp]]] = field(init=False)

    def __post_init__(self) -> None:
        """Group the designs by problem."""
        of = self.designs.problems
        object.__setattr__(self, "groups", [np.flatnonzero(of == problem) for problem in np.unique(of)])

    def draw(self, random: np.random.Generator) -> DesignBatch:
        """The batch of a state of the generator."""
        wanted = moves(self.designs.sides.shape[1])
        places = [
            int(random.choice(self.groups[k])) for k in random.integers(len(self.groups), size=self.count)
        ]
        chosen = [wanted[k] for k in random.integers(len(wanted), size=self.count)]
        return self._batch(places, chosen)

    def batch(self, places: Sequence[int]) -> DesignBatch:
        """These designs as they are."""
        return self._batch(places, [moves(self.designs.sides.shape[1])[0]] * len(places))

    def _batch(
        self, places: Sequence[int], chosen: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
    ) -> DesignBatch:
        fields, sides = [], []
        for place, (order, flip) in zip(places, chosen, strict=True):
            density = self.designs.densities[place].astype(np.float32)
            fields.append(pack(np.flip(density.transpose(order), flip)[None], self.patch, 1))
            sides.append(self.designs.sides[place][list(order)])
        return DesignBatch(torch.from_numpy(np.stack(fields)), torch.from_numpy(np.stack(sides)))


def reconstruction_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Weighted cross-entropy: material counts more than void, and what is wrong more than what is right."""
    weight = 0.3 + target + (logits.detach().sigmoid() - target).abs()
    return (weight * F.binary_cross_entropy_with_logits(logits, target, reduction="none")).mean()


def stress(codes: Tensor, target: Tensor) -> Tensor:
    """Mean square by which distances of codes miss those of designs (root mean squares, all pairs)."""
    of_codes = torch.pdist(codes) / math.sqrt(codes.shape[1])
    designs = target.flatten(1)
    of_designs = torch.pdist(designs) / math.sqrt(designs.shape[1])
    return ((of_codes - SCALE * of_designs) ** 2).mean()


def train(
    recipe: AutoEncoderRecipe,
    designs: DesignSet,
    held_out: DesignSet,
    checkpoint: Path,
    report: Callable[[TrainingProgress], None] = lambda progress: None,
) -> AutoEncoder:
    """Train an auto-encoder; goes on from `checkpoint` where that belongs to the same recipe and designs.

    Returns
    -------
    AutoEncoder
        In evaluation mode, its weights rounded to half precision: that is how they ship.
    """
    network = recipe.network()
    supply = DesignBatches(designs, recipe.build.patch, recipe.batch)
    if not checkpoint.exists():
        network.encoder.begin(*principal(network.encoder, supply, np.random.default_rng(recipe.seed)))
    unseen = DesignBatches(held_out, recipe.build.patch, recipe.batch)

    def loss_at(step: int) -> Tensor:
        batch = supply.draw(np.random.default_rng([recipe.seed, step]))
        codes, logits = network(batch.fields, batch.sides)
        loss = reconstruction_loss(logits, batch.fields)
        return loss + recipe.stress * stress(codes, batch.fields) if recipe.stress else loss

    run_training(
        recipe,
        network,
        recipe.fingerprint(designs),
        checkpoint,
        loss_at,
        lambda: held_out_errors(network, unseen),
        report,
    )
    return network.half().float()


def principal(
    encoder: Encoder, supply: DesignBatches, random: np.random.Generator, most: int = SEEN
) -> tuple[Tensor, Tensor]:
    """Principal components of moved designs at half the resolution, scaled for `stress`, and their middle.

    Parameters
    ----------
    most
        Designs that are looked at.

    Returns
    -------
    tuple
        `[number, cell]`, rows beyond the rank nothing, and `[cell]`.
    """
    with torch.no_grad():
        seen = [encoder.halve(supply.draw(random).fields) for _ in range(-(-most // supply.count))]
    values = torch.cat(seen).double()
    middle = values.mean(dim=0)
    _, vectors = torch.linalg.eigh((values - middle).T @ (values - middle))
    numbers = encoder.build.numbers
    weight = torch.zeros(numbers, len(middle), dtype=torch.float64)
    found = vectors.flip(1).T[:numbers]
    weight[: len(found)] = SCALE * math.sqrt(numbers) * found
    return weight.float(), middle.float()


def held_out_errors(network: AutoEncoder, supply: DesignBatches) -> tuple[float, float]:
    """Mean density error of the designs' own mean density, and of the network."""
    base = error = 0.0
    count = len(supply.designs)
    with torch.no_grad():
        for first in range(0, count, supply.count):
            batch = supply.batch(range(first, min(first + supply.count, count)))
            target = batch.fields.flatten(1)
            _, logits = network(batch.fields, batch.sides)
            error += float((logits.flatten(1).sigmoid() - target).abs().mean(dim=1).sum())
            base += float((target.mean(dim=1, keepdim=True) - target).abs().mean(dim=1).sum())
    return base / max(count, 1), error / max(count, 1)
