"""Training of the networks for designs: one loop, resumable, the same for every kind and dimension."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trabecula.learning.batches import Batch, Batches
from trabecula.learning.example import Example
from trabecula.learning.loop import Look, cosine, follow
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.surrogate import count

FIELDS = {"corrector": 2, "proposer": 4, "leap": 4}
"""Designs and pulls a kind of network sees."""

HELD_OUT = 16
"""One example in so many is never trained on."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    kind, dimension
        What it is for.
    size
        Of the network.
    answers
        Different answers at once.
    steps, batch
        Optimiser steps, and examples a step.
    rate
        Peak learning rate: linear rise over `rise` steps, then half a cosine.
    seed
        Of weights and batches.
    every
        Steps between looks at the held-out examples, and between checkpoints.
    """

    kind: str
    dimension: int
    size: Size = field(default_factory=Size)
    answers: int = 1
    steps: int = 4000
    batch: int = 8
    rate: float = 2e-3
    rise: int = 100
    seed: int = 0
    every: int = 200

    @property
    def name(self) -> str:
        """Of a model made this way, such as `corrector-3d`."""
        return f"{self.kind}-{self.dimension}d"

    @property
    def channels(self) -> int:
        """Of the unpacked input."""
        return count(self.dimension, FIELDS[self.kind])

    @property
    def inside(self) -> int:
        """The channel that says where the domain is."""
        return FIELDS[self.kind]

    def network(self) -> EncoderDecoder:
        """A new network."""
        torch.manual_seed(self.seed)
        return EncoderDecoder(self.dimension, self.channels, self.size, self.answers)

    def learning_rate(self, step: int) -> float:
        """At a step from 0."""
        return cosine(self.rate, self.rise, self.steps, step)

    def fingerprint(self, examples: Sequence[Example]) -> str:
        """Differs where recipe or data differ."""
        text = json.dumps({**vars(self), "size": self.size.to_json()}, sort_keys=True)
        digest = hashlib.sha256(text.encode())
        for example in examples[:: max(1, len(examples) // 64)]:
            digest.update(np.ascontiguousarray(example.target).tobytes())
        return f"{len(examples)}-{digest.hexdigest()[:24]}"


def loss_of(logits: Tensor, target: Tensor, inside: Tensor) -> Tensor:
    """Weighted cross-entropy: material counts more than void, and what is wrong more than what is right.

    Parameters
    ----------
    logits
        `[batch, answers * voxels, ...]`; with several answers the best of each example counts, and a tenth of
        their mean, so that each becomes good at something.
    target, inside
        `[batch, voxels, ...]`.
    """
    answers = logits.shape[1] // target.shape[1]
    wide = logits.reshape(logits.shape[0], answers, *target.shape[1:])
    target, inside = target.unsqueeze(1), inside.unsqueeze(1)
    weight = (0.3 + target + (wide.detach().sigmoid() - target).abs()) * inside
    entropy = F.binary_cross_entropy_with_logits(wide, target.expand_as(wide), reduction="none")
    each = (weight * entropy).flatten(2).sum(2) / inside.flatten(2).sum(2).clamp(min=1.0)
    best = each.amin(dim=1)
    return 0.9 * best.mean() + 0.1 * each.mean()


def split(examples: Sequence[Example], per: int = HELD_OUT) -> tuple[list[Example], list[Example]]:
    """For training, and held out: one in `per`."""
    return [e for i, e in enumerate(examples) if i % per], [e for i, e in enumerate(examples) if not i % per]


def train(
    recipe: Recipe,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    checkpoint: Path,
    told: Callable[[Look], None] = lambda look: None,
    start: EncoderDecoder | None = None,
) -> EncoderDecoder:
    """Train a network; goes on from `checkpoint` where that belongs to the same recipe and examples.

    Parameters
    ----------
    examples, held_out
        To train on, and to look at.
    checkpoint
        File, written every `recipe.every` steps.
    told
        Called at every look.
    start
        A network to begin with instead of a new one (fine-tuning); used as it is.

    Returns
    -------
    EncoderDecoder
        The trained network, in evaluation mode.
    """
    network = recipe.network() if start is None else start
    supply = supply_of(recipe, examples)

    def loss_at(step: int) -> Tensor:
        batch = supply.draw(np.random.default_rng([recipe.seed, step]))
        return loss_of(answers_of(network, batch), batch.target, batch.inside)

    asked = recipe.fingerprint(examples)
    follow(recipe, network, asked, checkpoint, loss_at, lambda: look(network, supply, held_out), told)
    return network


def supply_of(recipe: Recipe, examples: Sequence[Example]) -> Batches:
    """Batches as a recipe wants them."""
    return Batches(examples, recipe.inside, recipe.size.patch, recipe.size.multiple, recipe.batch)


def look(network: EncoderDecoder, supply: Batches, examples: Sequence[Example]) -> tuple[float, float]:
    """Mean density error over the domain of the base and of the network (its best answer)."""
    network.eval()
    base = error = 0.0
    with torch.no_grad():
        for example in examples:
            batch = supply.batch([example])
            inside = batch.inside.sum().clamp(min=1.0)
            wide = answers_of(network, batch)[0].reshape(network.answers, *batch.target.shape[1:]).sigmoid()
            wrong = ((wide - batch.target[0]).abs() * batch.inside[0]).flatten(1).sum(1)
            error += float(wrong.min() / inside)
            base += float(((batch.base.sigmoid() - batch.target).abs() * batch.inside).sum() / inside)
    n = max(len(examples), 1)
    return base / n, error / n


def answers_of(network: EncoderDecoder, batch: Batch) -> Tensor:
    """Logits `[batch, answers * voxels, ...]`: what the network adds to each example's base."""
    answer: Tensor = network(batch.fields)
    return answer + batch.base.repeat(1, network.answers, *[1] * network.dimension)
