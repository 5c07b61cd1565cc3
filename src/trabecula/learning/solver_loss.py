"""The loss that counts: compliance of the design a corrector draws, differentiated through the solve.

A network trained on densities alone hedges where designs differ, and grey is soft at the full penalty. Here
its design is solved as the guard of the hand-over will solve it, and the adjoint (for compliance the element
energies themselves) goes back through mixing, volume and logits into the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trabecula.analysis import Analysis
from trabecula.learning.batches import Batches
from trabecula.learning.checkpoint import keep, restored
from trabecula.learning.example import Example
from trabecula.learning.examples import corrected
from trabecula.learning.network import EncoderDecoder
from trabecula.learning.store import Sample
from trabecula.learning.train import Recipe, answers_of, loss_of
from trabecula.problem import discretise, loads
from trabecula.starts import fill, target_volume
from trabecula.starts.corrector import SEEN, SHARPNESS
from trabecula.surrogate import pack, unpack

Array = NDArray[np.float64]

TOLERANCE = 1e-2
"""Relative residual of the solves: the compliance is wrong by its square."""

ENERGY = 3.0
"""Weight of the logarithm of compliance beside the cross-entropy."""


@dataclass(frozen=True)
class Case:
    """A hand-over to be drawn and solved: `problem` as text, what the network sees, compliance without it."""

    problem: str
    example: Example
    plain: float


@dataclass(frozen=True)
class Polish:
    """How a network is trained through the solver.

    Attributes
    ----------
    steps, batch
        Optimiser steps, and solves a step.
    rate
        Learning rate, falling along half a cosine.
    seed
        Of the order of cases.
    every
        Steps between checkpoints.
    """

    steps: int = 400
    batch: int = 8
    rate: float = 3e-4
    seed: int = 0
    every: int = 50


def cases(samples: Sequence[Sample]) -> list[Case]:
    """Every hand-over to the finest grid that the samples hold."""
    found = []
    for sample in samples:
        for example, plain in corrected(sample):
            found.append(Case(sample.problem, example, plain))
    return found


def compliance(analysis: Analysis, logits: Array, volume: float) -> tuple[float, Array]:
    """Logarithm of the compliance of what is drawn from logits, and its gradient with respect to them.

    The start is `x = (1 - g) d + g V` with `d = sigmoid(s logits + shift)`, whose volume the shift makes `V`.
    With `D = d (1 - d)` and `w` the gradient of the volume, a logit moves the shift by `-s w D / sum(w D)`:
    the gradient with respect to the logits is `s D dC/dx - s w D sum(D dC/dx) / sum(w D)`.

    Parameters
    ----------
    logits
        float64 `[z, y, x]`: what the network says, its base included, before sharpening.
    volume
        Volume fraction.
    """
    discrete, chain = analysis.discrete, analysis.chain
    design = fill(SHARPNESS * logits, volume, discrete, chain)
    start = np.clip((1.0 - SEEN) * design + SEEN * volume, discrete.lower, discrete.upper)
    found = analysis.evaluate(start, discrete.options.penalty, tolerance=TOLERANCE)
    free = (design > discrete.lower) & (design < discrete.upper)
    slope = SHARPNESS * design * (1.0 - design) * free
    wanted = slope * (1.0 - SEEN) * found.gradient / found.objective
    share = slope * chain.volume_gradient(start)
    gradient = wanted - share * float(wanted.sum()) / max(float(share.sum()), 1e-300)
    return float(np.log(found.objective)), chain.symmetrise(gradient)


def solved(network: EncoderDecoder, case: Case) -> Tensor:
    """Logarithm of compliance relative to without the network: differentiable, below 0 where it is better."""
    patch, multiple = network.size.patch, network.size.multiple
    analysis = Analysis(discretise(loads(case.problem)), 1)
    shape = analysis.discrete.grid.shape
    volume = target_volume(np.asarray(case.example.target, np.float64), analysis.discrete, analysis.chain)
    fields = pack(case.example.fields.astype(np.float32), patch, multiple)
    packed = network(torch.from_numpy(fields[None]))[0]
    places = np.arange(packed.numel(), dtype=np.float64).reshape(tuple(packed.shape))
    index = torch.from_numpy(unpack(places, patch, shape)[0].astype(np.int64))
    correction = packed.flatten()[index]
    base = case.example.base.astype(np.float64)
    value, gradient = compliance(analysis, base + correction.detach().numpy(), volume)
    through = torch.from_numpy(gradient.astype(np.float32))
    return (correction * through).sum() + (
        value - np.log(case.plain) - float((correction.detach() * through).sum())
    )


def polish(
    network: EncoderDecoder,
    recipe: Recipe,
    how: Polish,
    known: Sequence[Case],
    checkpoint: Path,
    told: Callable[[int, float, float], None] = lambda step, seconds, mean: None,
) -> EncoderDecoder:
    """Train a corrector on, half by its densities, half by what its designs bear; resumes from `checkpoint`.

    Parameters
    ----------
    network
        Trained by `trabecula.learning.train.train` with `recipe`; changed in place.
    known
        Hand-overs to train on.
    told
        Called at every checkpoint: step, seconds, mean logarithm of compliance relative to without it.

    Returns
    -------
    EncoderDecoder
        The same network, in evaluation mode.
    """
    optimizer = torch.optim.AdamW(network.parameters(), how.rate, weight_decay=1e-4)
    examples = [case.example for case in known]
    supply = Batches(examples, recipe.inside, recipe.size.patch, recipe.size.multiple, how.batch)
    asked = f"{recipe.fingerprint(examples)} {how}"
    first, before = restored(checkpoint, asked, network, optimizer)
    clock, seen = time.perf_counter(), []
    network.train()
    for step in range(first, how.steps):
        for group in optimizer.param_groups:
            group["lr"] = how.rate * (0.5 + 0.5 * np.cos(np.pi * step / how.steps))
        random = np.random.default_rng([how.seed, step])
        optimizer.zero_grad()
        batch = supply.draw(random)
        loss_of(answers_of(network, batch), batch.target, batch.inside).backward()  # type: ignore[no-untyped-call]
        for i in random.choice(len(known), how.batch):
            better = solved(network, known[int(i)])
            (better * (ENERGY / how.batch)).backward()  # type: ignore[no-untyped-call]
            seen.append(float(better.detach()))
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % how.every == 0 or step + 1 == how.steps:
            seconds = before + time.perf_counter() - clock
            told(step + 1, seconds, float(np.mean(seen)))
            seen.clear()
            keep(checkpoint, asked, step + 1, seconds, network, optimizer)
    return network.eval()
