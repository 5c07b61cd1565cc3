"""Adversarial training of a generator, by the same loop as all networks: resumable, and given by its seed.

Both players step at once. The critic's loss is the hinge (Lim and Ye 2017, "Geometric GAN") with a penalty
on its slope; the generator is told the critic's score. Of several draws the nearest to each real design is
pulled towards it (the variety loss of Gupta et al. 2018, "Social GAN"), so that every design of a family is
learned by some draw, and no draw is forced to the mean of all. Two draws are held at least as far apart as
two designs of the family, for without that they grew alike (docs/decisions/generator.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from trabecula.gallery.difference import Comparison
from trabecula.gallery.sources.generator import FIELDS
from trabecula.learning.batches import ExampleBatch
from trabecula.learning.generator.families import Family, FamilyBatches
from trabecula.learning.generator.networks import Players, gradient_penalty
from trabecula.learning.loop import TrainingProgress, cosine_rate, run_training
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.surrogate import count, pack, unpack
from trabecula.surrogate.generator import NOISE, make_noise

DRAWS = 4
"""Designs that are drawn of every problem per step; two pairs for the critic."""

LOOKED_AT = 4
"""Designs that are drawn of every family held out, to see how near the nearest is."""


@dataclass(frozen=True)
class GeneratorRecipe:
    """How a generator is trained.

    Attributes
    ----------
    dimension, size
        Of the network.
    critic
        Channels of the critic at the top.
    steps, batch
        Optimiser steps, and problems per step.
    rate, rise
        Peak learning rate: linear rise over `rise` steps, then half a cosine.
    adversarial, penalty, diversity
        Weights of the critic's score in the generator's loss, of the critic's slope in its own, and of draws
        that are nearer to each other than the designs of a family.
    decay
        Of the mean of the generator's weights, per step.
    seed
        Of weights, batches and noise.
    every
        Steps between reports on the held-out families, and between checkpoints.
    """

    dimension: int
    size: Size = field(default_factory=lambda: Size(width=16))
    critic: int = 16
    steps: int = 3000
    batch: int = 6
    rate: float = 2e-3
    rise: int = 50
    adversarial: float = 0.1
    penalty: float = 0.005
    diversity: float = 0.5
    decay: float = 0.995
    seed: int = 0
    every: int = 100

    @property
    def fields(self) -> int:
        """Channels without the noise."""
        return count(self.dimension, FIELDS)

    @property
    def channels(self) -> int:
        """Of the unpacked input."""
        return self.fields + NOISE

    def players(self) -> Players:
        """New ones."""
        torch.manual_seed(self.seed)
        return Players(self.dimension, self.channels, self.fields, self.size, self.critic)

    def learning_rate(self, step: int) -> float:
        """At a step from 0."""
        return cosine_rate(self.rate, self.rise, self.steps, step)

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {**vars(self), "size": self.size.to_json()}

    def fingerprint(self, families: Sequence[Family]) -> str:
        """Differs where recipe or data differ."""
        digest = hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode())
        for family in families[:: max(1, len(families) // 64)]:
            digest.update(np.ascontiguousarray(family.designs).tobytes())
        return f"{len(families)}-{digest.hexdigest()[:24]}"


def train(
    recipe: GeneratorRecipe,
    families: Sequence[Family],
    held_out: Sequence[Family],
    checkpoint: Path,
    report: Callable[[TrainingProgress], None] = lambda progress: None,
) -> EncoderDecoder:
    """Train a generator; goes on from `checkpoint` where that belongs to the same recipe and families.

    Returns
    -------
    EncoderDecoder
        The mean of the generator's weights over the last steps, in evaluation mode, rounded to half
        precision: that is how they ship.
    """
    players = recipe.players()
    supply = FamilyBatches(families, recipe.size.patch, recipe.size.multiple, recipe.batch)

    def loss_at(step: int) -> Tensor:
        players.follow(recipe.decay if step >= recipe.rise else 0.0)
        random = np.random.default_rng([recipe.seed, step])
        return loss_of_both(players, supply.draw(random), recipe, random)

    def errors() -> tuple[float, float]:
        return held_out_errors(players.average, held_out, recipe.seed)

    asked = recipe.fingerprint(families)
    run_training(recipe, players, asked, checkpoint, loss_at, errors, report)
    return players.average.half().float()


def loss_of_both(
    players: Players, batch: ExampleBatch, recipe: GeneratorRecipe, random: np.random.Generator
) -> Tensor:
    """The sum of both players' losses; each has a gradient for its own weights only.

    Parameters
    ----------
    batch
        Pairs of `FamilyBatches`.
    random
        Of the noise and of the order within pairs.
    """
    size = len(batch.target)
    inside = batch.inside
    logits = players.generator(_show(batch, recipe, random))
    logits = logits.view(DRAWS, size, *inside.shape[1:])
    drawn = logits.sigmoid() * inside
    real = torch.cat([batch.base, batch.target], dim=1) * inside.repeat(1, 2, *[1] * recipe.dimension)
    pairs = torch.cat([torch.cat([drawn[0], drawn[1]], 1), torch.cat([drawn[2], drawn[3]], 1)])
    fields, domain = torch.cat([batch.fields] * 2), torch.cat([inside] * 2)
    score = players.score(pairs, fields, domain).mean()
    generator = variety_loss(logits, batch) - recipe.adversarial * score
    generator = generator + recipe.diversity * diversity_loss(drawn, batch)
    return generator + _critic_loss(players, real, pairs.detach(), batch, recipe)


def _show(batch: ExampleBatch, recipe: GeneratorRecipe, random: np.random.Generator) -> Tensor:
    """Noise and fields of `DRAWS` designs of every problem, `[draw * example, ...]`."""
    patch, multiple = recipe.size.patch, recipe.size.multiple
    shape = tuple(n * patch for n in batch.inside.shape[2:])
    inside = [unpack(one.numpy(), patch, shape)[0] > 0.0 for one in batch.inside]
    noise = [pack(make_noise(one, random), patch, multiple) for _ in range(DRAWS) for one in inside]
    return torch.cat([torch.from_numpy(np.stack(noise)), torch.cat([batch.fields] * DRAWS)], dim=1)


def variety_loss(logits: Tensor, batch: ExampleBatch) -> Tensor:
    """For each of the two designs of a family the cross-entropy of the draw that is nearest to it.

    Parameters
    ----------
    logits
        `[draw, example, ...]`.
    """
    voxels = batch.inside.flatten(1).sum(1).clamp(min=1.0)
    total = torch.zeros(())
    for design in (batch.base, batch.target):
        target = design.expand_as(logits)
        entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        weighted = entropy * (0.3 + target) * batch.inside
        total = total + (weighted.flatten(2).sum(2) / voxels).amin(dim=0).mean()
    return total


def diversity_loss(drawn: Tensor, batch: ExampleBatch) -> Tensor:
    """By what share two draws are nearer to each other than the two designs of the batch; 0 if they are not.

    Parameters
    ----------
    drawn
        Densities, `[draw, example, ...]`, an even number of draws.
    """

    def apart(one: Tensor, other: Tensor) -> Tensor:
        return ((one - other).abs() * batch.inside).flatten(1).sum(1)

    real = apart(batch.base, batch.target).clamp(min=1e-6)
    pairs = [apart(drawn[k], drawn[k + 1]) for k in range(0, len(drawn), 2)]
    return F.relu(1.0 - torch.stack(pairs) / real).mean()


def _critic_loss(
    players: Players, real: Tensor, drawn: Tensor, batch: ExampleBatch, recipe: GeneratorRecipe
) -> Tensor:
    """The hinge on real and drawn pairs, and the penalty on the slope at the real ones."""
    real = real.detach().requires_grad_()
    scores, shares = players.critic(real, batch.fields, batch.inside)
    hinge = (F.relu(1.0 - scores) * shares).sum(dim=1).mean()
    voxels = batch.inside.flatten(1).sum(dim=1)
    slope = gradient_penalty((scores * shares).sum(dim=1), real, voxels)
    double = [torch.cat([values] * 2) for values in (batch.fields, batch.inside)]
    scores, shares = players.critic(drawn, *double)
    loss: Tensor = hinge + (F.relu(1.0 + scores) * shares).sum(dim=1).mean() + recipe.penalty * slope
    return loss


def draw_family(network: EncoderDecoder, family: Family, numbers: int, seed: int) -> NDArray[np.float32]:
    """Densities that a network draws for the fields of a family, `[design, z, y, x]`."""
    size, shape = network.size, family.fields.shape[1:]
    fields, inside = family.fields.astype(np.float32), family.fields[FIELDS] > 0
    noises = [make_noise(inside, np.random.default_rng([seed, k])) for k in range(numbers)]
    shown = [pack(np.concatenate([noise, fields]), size.patch, size.multiple) for noise in noises]
    with torch.no_grad():
        answers = network(torch.from_numpy(np.stack(shown))).sigmoid().numpy()
    return np.stack([unpack(answer, size.patch, shape)[0] for answer in answers])


def held_out_errors(network: EncoderDecoder, families: Sequence[Family], seed: int) -> tuple[float, float]:
    """Mean density error of an even density, and of the nearest of `LOOKED_AT` draws, over all designs."""
    network.eval()
    base = error = 0.0
    for family in families:
        inside = family.fields[FIELDS] > 0
        real = family.designs.astype(np.float32)[:, inside]
        drawn = draw_family(network, family, LOOKED_AT, seed)[:, inside]
        base += float(np.abs(real - real.mean(axis=1, keepdims=True)).mean())
        error += float(np.abs(real[:, None] - drawn).mean(axis=2).min(axis=1).mean())
    n = max(len(families), 1)
    return base / n, error / n


def spreads(network: EncoderDecoder, families: Sequence[Family], seed: int) -> tuple[float, float]:
    """Mean difference of any two designs of a family, and of any two draws for it, as many of each.

    Measured as the gallery does, on the densest voxels, without regard to symmetries. Much less in the second
    figure than in the first says that the generator has collapsed.
    """
    ours = drawn = 0.0
    for family in families:
        inside = family.fields[FIELDS] > 0
        material = round(float(family.designs[0][inside].astype(np.float64).sum()))
        made = draw_family(network, family, len(family.designs), seed)
        ours += _mean_difference([_densest(x, inside, material) for x in family.designs], inside)
        drawn += _mean_difference([_densest(x, inside, material) for x in made], inside)
    n = max(len(families), 1)
    return ours / n, drawn / n


def _densest(density: NDArray[np.floating], inside: NDArray[np.bool_], voxels: int) -> NDArray[np.bool_]:
    order = np.argsort(np.where(inside, -density.astype(np.float64), np.inf), axis=None, kind="stable")
    mask = np.zeros(density.size, bool)
    mask[order[:voxels]] = True
    return mask.reshape(density.shape)


def _mean_difference(masks: Sequence[NDArray[np.bool_]], inside: NDArray[np.bool_]) -> float:
    comparison = Comparison(inside, ())
    return float(np.mean([comparison.least(one, [other]) for one, other in combinations(masks, 2)]))
