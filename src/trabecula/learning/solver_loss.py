"""The loss that counts: compliance of the design a network draws, differentiated through the solve.

A network trained on densities alone hedges where designs differ, and grey is soft at the full penalty. Here
its design is solved as the loop that uses it will solve it, and the adjoint (for compliance the element
energies themselves) goes back through mixing, volume and logits into the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trabecula.discretisation import discretise
from trabecula.learning.batches import ExampleBatches
from trabecula.learning.example import Example
from trabecula.learning.examples import MAKERS
from trabecula.learning.loop import TrainingProgress, cosine_rate, run_training
from trabecula.learning.network import EncoderDecoder
from trabecula.learning.store import Sample
from trabecula.learning.train import TrainingRecipe, answers_of, loss_of
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.starts import fill, volume_of
from trabecula.starts.upscaling import SEEN
from trabecula.starts.volume import SHARPNESS
from trabecula.surrogate import pack, unpack

Array = NDArray[np.float64]

TOLERANCE = 1e-2
"""Relative residual of the solves: the compliance is wrong by its square."""

ENERGY = 3.0
"""Weight of the logarithm of compliance beside the cross-entropy."""


@dataclass(frozen=True)
class Drawing:
    """How logits become the design that is solved: `grey` mixed in, logits times `sharpness`."""

    grey: float
    sharpness: float


DRAWINGS = {
    "corrector": Drawing(SEEN, SHARPNESS),
    "leap": Drawing(0.0, SHARPNESS),
}
"""As the loop draws (`trabecula.starts`); what is drawn out of noise cannot be trained through the solver."""


@dataclass(frozen=True)
class SolverCase:
    """A design to be drawn and solved.

    Attributes
    ----------
    problem
        As text.
    example
        What the network sees, and where it should arrive.
    plain
        Logarithm of the compliance if the network says nothing.
    """

    problem: str
    example: Example
    plain: float

    def analysis(self) -> Analysis:
        """Of the grid that is drawn on."""
        return Analysis(discretise(loads(self.problem)), 1)


@dataclass(frozen=True)
class Polish:
    """How a network is trained through the solver.

    Attributes
    ----------
    steps, batch
        Optimiser steps, and solves per step.
    rate
        Learning rate, falling along half a cosine.
    seed
        Of the order of cases.
    every
        Steps between reports, and between checkpoints.
    """

    steps: int = 150
    batch: int = 8
    rate: float = 3e-4
    seed: int = 0
    every: int = 50

    def learning_rate(self, step: int) -> float:
        """At a step from 0."""
        return cosine_rate(self.rate, 1, self.steps, step)


def cases(kind: str, samples: Sequence[Sample]) -> list[SolverCase]:
    """Everything that a network of a kind may draw in these samples."""
    found = []
    for sample in samples:
        for example in MAKERS[kind](sample):
            case = SolverCase(sample.problem, example, 0.0)
            analysis = case.analysis()
            base = example.base.astype(np.float64)
            plain, _ = compliance(analysis, base, volume_of(analysis.discrete), DRAWINGS[kind])
            found.append(replace(case, plain=plain))
    return found


def compliance(analysis: Analysis, logits: Array, volume: float, drawing: Drawing) -> tuple[float, Array]:
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
    design = fill(drawing.sharpness * logits, volume, discrete, chain)
    start = (1.0 - drawing.grey) * design + drawing.grey * volume
    start = np.clip(start, discrete.lower, discrete.upper)
    found = analysis.evaluate(start, discrete.options.penalty, tolerance=TOLERANCE)
    free = (design > discrete.lower) & (design < discrete.upper)
    slope = drawing.sharpness * design * (1.0 - design) * free
    wanted = slope * (1.0 - drawing.grey) * found.gradient / found.objective
    share = slope * chain.volume_gradient(start)
    gradient = wanted - share * float(wanted.sum()) / max(float(share.sum()), 1e-300)
    return float(np.log(found.objective)), chain.symmetrise(gradient)


def log_compliance_ratio(network: EncoderDecoder, case: SolverCase, drawing: Drawing) -> Tensor:
    """Logarithm of compliance relative to `case.plain`; below 0 where it is better."""
    patch, multiple = network.size.patch, network.size.multiple
    analysis = case.analysis()
    shape, volume = analysis.discrete.grid.shape, volume_of(analysis.discrete)
    fields = pack(case.example.fields.astype(np.float32), patch, multiple)
    packed = network(torch.from_numpy(fields[None]))[0]
    places = np.arange(packed.numel(), dtype=np.float64).reshape(tuple(packed.shape))
    answer = packed.flatten()[torch.from_numpy(unpack(places, patch, shape)[0].astype(np.int64))]
    base = case.example.base.astype(np.float64)
    value, gradient = compliance(analysis, base + answer.detach().numpy(), volume, drawing)
    linear = torch.sum(answer * torch.from_numpy(gradient.astype(np.float32)))
    return linear - linear.detach() + (value - case.plain)


def share_of_compliance(network: EncoderDecoder, kind: str, known: Sequence[SolverCase]) -> float:
    """Compliance of what the network draws relative to what is drawn if it says nothing, geometric mean."""
    network.eval()
    with torch.no_grad():
        found = [float(log_compliance_ratio(network, case, DRAWINGS[kind])) for case in known]
    return float(np.exp(np.mean(found))) if found else 1.0


def train_through_solver(
    network: EncoderDecoder,
    recipe: TrainingRecipe,
    how: Polish,
    known: Sequence[SolverCase],
    unseen: Sequence[SolverCase],
    checkpoint: Path,
    report: Callable[[TrainingProgress], None] = lambda progress: None,
) -> EncoderDecoder:
    """Train a network on, half by its densities, half by what its designs bear; resumes from `checkpoint`.

    Parameters
    ----------
    network
        Trained by `trabecula.learning.train.train` with `recipe`; changed in place.
    known, unseen
        What to train on, and what errors are measured on.
    report
        Called with every report, whose `error` is `share_of_compliance` and whose `base` is 1.

    Returns
    -------
    EncoderDecoder
        The same network, in evaluation mode.
    """
    drawing = DRAWINGS[recipe.kind]
    examples = [case.example for case in known]
    supply = ExampleBatches(examples, recipe.inside, recipe.size.patch, recipe.size.multiple, how.batch)

    def loss_at(step: int) -> Tensor:
        random = np.random.default_rng([how.seed, step])
        batch = supply.draw(random)
        loss = loss_of(answers_of(network, batch), batch.target, batch.inside)
        borne = [
            log_compliance_ratio(network, known[int(i)], drawing)
            for i in random.choice(len(known), how.batch)
        ]
        return loss + ENERGY * torch.stack(borne).mean()

    def errors() -> tuple[float, float]:
        return 1.0, share_of_compliance(network, recipe.kind, unseen)

    run_training(how, network, f"{recipe.fingerprint(examples)} {how}", checkpoint, loss_at, errors, report)
    return network
