"""Training of the networks for designs: one loop, resumable, the same for every kind and dimension."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from trabecula.learning.batches import ExampleBatch, ExampleBatches
from trabecula.learning.example import Example
from trabecula.learning.flow import hide_in_noise, mix_with_noise
from trabecula.learning.loop import TrainingProgress, cosine_rate, run_training
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.surrogate import EXTRA, count

FIELDS = {"corrector": 2, "proposer": 4, "leap": 4}
"""How many designs and log sensitivity ratios each kind of network is given."""

FLOWS = frozenset(("proposer",))
"""Kinds that draw out of noise (`trabecula.learning.flow`); the others answer at once."""

HELD_OUT = 16
"""One example in so many is never trained on."""


@dataclass(frozen=True)
class TrainingRecipe:
    """How a network is trained.

    Attributes
    ----------
    kind, dimension
        What it is for.
    size
        Of the network.
    steps, batch
        Optimiser steps, and examples per step.
    rate
        Peak learning rate: linear rise over `rise` steps, then half a cosine.
    seed
        Of weights and batches.
    every
        Steps between reports on the held-out examples, and between checkpoints.
    """

    kind: str
    dimension: int
    size: Size = field(default_factory=Size)
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
        return count(self.dimension, FIELDS[self.kind]) + (EXTRA if self.flows else 0)

    @property
    def flows(self) -> bool:
        """Whether the network draws out of noise."""
        return self.kind in FLOWS

    @property
    def inside(self) -> int:
        """The channel of an example that says where the domain is."""
        return FIELDS[self.kind]

    def network(self) -> EncoderDecoder:
        """A new network."""
        torch.manual_seed(self.seed)
        return EncoderDecoder(self.dimension, self.channels, self.size)

    def learning_rate(self, step: int) -> float:
        """At a step from 0."""
        return cosine_rate(self.rate, self.rise, self.steps, step)

    def fingerprint(self, examples: Sequence[Example]) -> str:
        """Differs where recipe or data differ."""
        text = json.dumps({**vars(self), "size": self.size.to_json()}, sort_keys=True)
        digest = hashlib.sha256(text.encode())
        for example in examples[:: max(1, len(examples) // 64)]:
            digest.update(np.ascontiguousarray(example.target).tobytes())
        return f"{len(examples)}-{digest.hexdigest()[:24]}"


Measure = Callable[[Tensor, Tensor, Tensor], Tensor]


def loss_of(logits: Tensor, target: Tensor, inside: Tensor, focused: bool = True) -> Tensor:
    """Weighted cross-entropy: material counts more than void, and what is wrong more than what is right.

    Parameters
    ----------
    logits
        `[batch, voxels, ...]`.
    target, inside
        The same shape.
    focused
        Without it, right and wrong count the same: who draws out of noise has to know how likely is what.
    """
    wrong = (logits.detach().sigmoid() - target).abs() if focused else 0.0
    weight = (0.3 + target + wrong) * inside
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return ((weight * entropy).flatten(1).sum(1) / inside.flatten(1).sum(1).clamp(min=1.0)).mean()


def split_examples(examples: Sequence[Example], per: int = HELD_OUT) -> tuple[list[Example], list[Example]]:
    """For training, and held out: one in `per`."""
    return [e for i, e in enumerate(examples) if i % per], [e for i, e in enumerate(examples) if not i % per]


def train(
    recipe: TrainingRecipe,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    checkpoint: Path,
    report: Callable[[TrainingProgress], None] = lambda progress: None,
    start: EncoderDecoder | None = None,
    measure: Measure | None = None,
) -> EncoderDecoder:
    """Train a network; goes on from `checkpoint` where that belongs to the same recipe and examples.

    Parameters
    ----------
    examples, held_out
        To train on, and to measure errors on.
    checkpoint
        File, written every `recipe.every` steps.
    report
        Called with every report.
    start
        A network to begin with instead of a new one (fine-tuning); used as it is.
    measure
        The loss of logits, targets and domain; `loss_of`, focused unless the network draws out of noise. A
        checkpoint does not know of it: another measure needs another file.

    Returns
    -------
    EncoderDecoder
        The trained network, in evaluation mode.
    """
    network = recipe.network() if start is None else start
    supply = supply_of(recipe, examples)
    measure = measure or partial(loss_of, focused=not recipe.flows)

    def loss_at(step: int) -> Tensor:
        random = np.random.default_rng([recipe.seed, step])
        batch = supply.draw(random)
        if recipe.flows:
            batch = hide_in_noise(batch, random)
        return measure(answers_of(network, batch), batch.target, batch.inside)

    asked = recipe.fingerprint(examples)
    run_training(
        recipe,
        network,
        asked,
        checkpoint,
        loss_at,
        lambda: held_out_errors(network, recipe, held_out),
        report,
    )
    return network


def supply_of(recipe: TrainingRecipe, examples: Sequence[Example]) -> ExampleBatches:
    """Batches as a recipe wants them."""
    return ExampleBatches(examples, recipe.inside, recipe.size.patch, recipe.size.multiple, recipe.batch)


def held_out_errors(
    network: EncoderDecoder, recipe: TrainingRecipe, examples: Sequence[Example]
) -> tuple[float, float]:
    """Mean density error over the domain of the base and of the network.

    One that draws out of noise is asked once, when there is nothing but noise to be seen: the error is that
    of the mean of all it may draw.
    """
    network.eval()
    supply, base, error = supply_of(recipe, examples), 0.0, 0.0
    with torch.no_grad():
        for example in examples:
            batch = supply.batch([example])
            shown = mix_with_noise(batch, np.zeros(1), np.random.default_rng(0)) if recipe.flows else batch
            inside = batch.inside.sum().clamp(min=1.0)
            said = answers_of(network, shown).sigmoid()
            error += float(((said - batch.target).abs() * batch.inside).sum() / inside)
            base += float(((batch.base.sigmoid() - batch.target).abs() * batch.inside).sum() / inside)
    n = max(len(examples), 1)
    return base / n, error / n


def answers_of(network: EncoderDecoder, batch: ExampleBatch) -> Tensor:
    """Logits `[batch, voxels, ...]`: what the network adds to each example's base."""
    answer: Tensor = network(batch.fields)
    return answer + batch.base
