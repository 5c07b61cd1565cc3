"""Logits compared (Ba & Caruana 2014, "Do deep nets really need to be deep?", arXiv 1312.6184, eq. 1).

`L = 1/(2 T) sum_t |g(x_t) - z_t|^2`: g the student's logits, z the teacher's, T examples. The sum runs over
the logits of an example. The paper standardises every z over the training set; a student that learns `(z -
mean) / s` and is read out as `mean + s g` has the loss `|(g - z) / s|^2 / 2`, which is what stands here, so
that the student's outputs stay the teacher's logits. Dense outputs `[batch, channels, *space]`: mean over
places too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trabecula.nn.distill.features import run
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
)


@dataclass(frozen=True)
class Logits(Method):
    """L2 of logits, not of probabilities.

    Parameters
    ----------
    standardise
        Divide by the standard deviation of every logit of the teacher over the training set.
    """

    standardise: bool = True
    name: ClassVar[str] = "logits"

    def connect(self, pair: Pair) -> Term:
        """Measure the spread of the teacher's logits: one pass over the data."""
        shape = pair.same_outputs(self.name)
        channels = shape[1] if len(shape) > 1 else 1
        spread = deviation(pair) if self.standardise else torch.ones(channels, device=pair.device)
        return LogitsTerm(spread)


class LogitsTerm(Term):
    """`1/2 |(z_S - z_T) / s|^2`, summed over logits, mean over examples and places.

    Parameters
    ----------
    spread
        `[channels]`, what each logit is divided by.
    """

    spread: Tensor

    def __init__(self, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("spread", spread)

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        teacher, student = (channels_last(seen.output) for seen in (passes.teacher, passes.student))
        return 0.5 * (((student - teacher) / self.spread) ** 2).sum(dim=1).mean()


def channels_last(logits: Tensor) -> Tensor:
    """`[batch, channels, *space]` as `[examples and places, channels]`; `[batch]` has one channel."""
    if logits.ndim == 1:
        return logits.unsqueeze(1)
    return logits.movedim(1, -1).flatten(0, -2)


def deviation(pair: Pair) -> Tensor:
    """Standard deviation of every logit of the teacher over the training set: `[channels]`, 1 for 0."""
    count, total, mean = 0, torch.zeros(()), torch.zeros(())
    with torch.no_grad():
        for batch in pair.batches(0):
            logits = channels_last(run(pair.teacher, batch.inputs).output).double()
            # moments of two sets joined (Chan, Golub & LeVeque 1979): E[z^2] - E[z]^2 would cancel
            new, centre = len(logits), logits.mean(dim=0)
            within = ((logits - centre) ** 2).sum(dim=0)
            shift = centre - mean if count else torch.zeros_like(centre)
            mean = centre if not count else mean + shift * new / (count + new)
            total = total.to(centre) + within + shift**2 * count * new / (count + new)
            count += new
    spread = (total / count).sqrt().float()
    return torch.where(spread > 0, spread, torch.ones_like(spread))
