"""What a network's output means: logits of classes, or logits of densities. Each knows its losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Output(Protocol):
    """The meaning of a network's output, always given as logits."""

    name: str

    def divergence(self, teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
        """Kullback–Leibler divergence KL(teacher || student) at a temperature, one number a place."""
        ...

    def task(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The usual loss against targets, a scalar."""
        ...

    def error(self, logits: Tensor, targets: Tensor) -> float:
        """How wrong it is, as people quote it; 0 is perfect."""
        ...

    def average(self, logits: Sequence[Tensor]) -> Tensor:
        """Logits whose probabilities are the mean of the given ones'."""
        ...


class Classes:
    """One of several classes: logits `[batch, classes, *space]`, targets `[batch, *space]` of indices."""

    name = "classes"

    def divergence(self, teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
        """`sum_c p_c (log p_c - log q_c)`, p and q softmax of `logits / temperature`: `[batch, *space]`."""
        log_p = F.log_softmax(teacher / temperature, dim=1)
        log_q = F.log_softmax(student / temperature, dim=1)
        return (log_p.exp() * (log_p - log_q)).sum(dim=1)

    def task(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, mean over examples and places; targets are indices or probabilities."""
        return F.cross_entropy(logits, targets)

    def error(self, logits: Tensor, targets: Tensor) -> float:
        """Share of wrong classes."""
        return float((logits.argmax(dim=1) != targets).float().mean())

    def average(self, logits: Sequence[Tensor]) -> Tensor:
        """Log of the mean softmax."""
        stacked = torch.stack([F.log_softmax(each, dim=1) for each in logits])
        return stacked.logsumexp(dim=0) - torch.tensor(float(len(logits))).log()


class Densities:
    """A number from 0 to 1 at every place: pre-sigmoid logits and targets in [0, 1], both of one shape."""

    name = "densities"

    def divergence(self, teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
        """Bernoulli KL of a voxel: `p log(p/q) + (1-p) log((1-p)/(1-q))`, p, q sigmoids of `logits / tau`."""
        a, b = teacher / temperature, student / temperature
        p = torch.sigmoid(a)
        return p * (F.logsigmoid(a) - F.logsigmoid(b)) + (1 - p) * (F.logsigmoid(-a) - F.logsigmoid(-b))

    def task(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy, mean over voxels."""
        return F.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))

    def error(self, logits: Tensor, targets: Tensor) -> float:
        """Mean absolute difference of density and target."""
        return float((torch.sigmoid(logits) - targets).abs().mean())

    def average(self, logits: Sequence[Tensor]) -> Tensor:
        """Logit of the mean sigmoid, exact where a sigmoid would round to 0 or 1."""
        solid = torch.stack([F.logsigmoid(each) for each in logits]).logsumexp(dim=0)
        void = torch.stack([F.logsigmoid(-each) for each in logits]).logsumexp(dim=0)
        return solid - void


CLASSES = Classes()
DENSITIES = Densities()
OUTPUTS: dict[str, Output] = {"classes": CLASSES, "densities": DENSITIES}


class Ensemble(nn.Module):
    """Several networks as one: their probabilities averaged, given as logits again.

    Parameters
    ----------
    members
        Networks with outputs of one shape.
    output
        What the output means.
    """

    def __init__(self, members: Sequence[nn.Module], output: Output = CLASSES) -> None:
        super().__init__()
        if not members:
            raise ValueError("an ensemble needs at least one network")
        self.members = nn.ModuleList(members)
        self.output = output

    def forward(self, *inputs: Tensor) -> Tensor:
        """Inputs as each member takes them to logits of the mean probabilities."""
        return self.output.average([member(*inputs) for member in self.members])

    def spread(self, *inputs: Tensor) -> Tensor:
        """Standard deviation of the members' logits, the shape of one output: where they disagree."""
        return torch.stack([member(*inputs) for member in self.members]).std(dim=0, correction=0)
