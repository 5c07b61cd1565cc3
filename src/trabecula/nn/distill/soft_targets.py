"""Soft targets (Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", 1503.02531).

`L = tau^2 KL(p_T(tau) || p_S(tau))` with `p(tau) = softmax(z / tau)`. The factor tau^2 keeps the gradients'
size when tau changes (section 2). Dense outputs: the Bernoulli divergence of every voxel's sigmoid. Mean
over examples and places, sum over classes. Usually beside a task loss of weight `1 - a`, with a between 0.5
and 0.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
)
from trabecula.nn.distill.outputs import CLASSES, Output


@dataclass(frozen=True)
class SoftTargets(Method):
    """KL divergence of softened probabilities.

    Parameters
    ----------
    temperature
        tau, 2 to 20; 1 compares the probabilities themselves.
    """

    temperature: float = 4.0
    name: ClassVar[str] = "soft-targets"

    def __post_init__(self) -> None:
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"soft-targets: the temperature is {self.temperature}; it must be above 0")

    def connect(self, pair: Pair) -> Term:
        """Check that both outputs have one shape."""
        pair.same_outputs(self.name)
        return SoftTargetsTerm(self.temperature, pair.output)


class SoftTargetsTerm(Term):
    """`tau^2 KL(teacher || student)`, mean over examples and places."""

    def __init__(self, temperature: float, output: Output = CLASSES) -> None:
        super().__init__()
        self.temperature, self.output = temperature, output

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        divergence = self.output.divergence(passes.teacher.output, passes.student.output, self.temperature)
        return self.temperature**2 * divergence.mean()
