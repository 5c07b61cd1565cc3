"""Born-again networks (Furlanello et al., ICML 2018, arXiv 1805.04770).

A student of (usually) the teacher's own architecture learns from the teacher's outputs at temperature 1,
with the labels (the task loss, "BAN+L") or without; a fresh student then learns from it, and so on; the
generations' probabilities are averaged in the end. Two variants ask what it is that the teacher's outputs
teach:

* `labels` (CWTM): no wrong class is taught; an example's cross-entropy with its label is weighted by the
  teacher's confidence, `w_s = max p_s / sum_u max p_u`. Give the task loss the weight 0;
* `permuted` (DKPP): the teacher's probabilities of all classes but its first are permuted at random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trabecula.nn.distill.features import ForwardPass
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
)
from trabecula.nn.distill.outputs import Classes, Output


@dataclass(frozen=True)
class BornAgain(Method):
    """Generations of students, each the teacher of the next.

    Parameters
    ----------
    generations
        How many students; each has all the epochs.
    learn
        From the teacher's `outputs`, from `labels` weighted by its confidence, or from `permuted` outputs.
    temperature
        1 in the paper.
    fresh
        Makes the student of every generation after the first; its weights are taken. Without, every layer
        with a `reset_parameters` is reset and the rest begins as the first student did.
    """

    generations: int = 3
    learn: Literal["outputs", "labels", "permuted"] = "outputs"
    temperature: float = 1.0
    fresh: Callable[[], nn.Module] | None = field(default=None, repr=False)
    name: ClassVar[str] = "born-again"

    def __post_init__(self) -> None:
        if self.generations < 1:
            raise ValueError(f"born-again: {self.generations} generations; at least 1")
        if self.learn not in LESSONS:
            raise ValueError(f"born-again: cannot learn from '{self.learn}'; from {', '.join(LESSONS)}")
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"born-again: the temperature is {self.temperature}; it must be above 0")

    @property
    def rounds(self) -> int:
        """A round is a generation."""
        return self.generations

    def renew(self, student: nn.Module, initial: Mapping[str, Tensor]) -> None:
        """A new student in the old one's place."""
        if self.fresh is not None:
            student.load_state_dict(self.fresh().state_dict())
            return
        student.load_state_dict(initial)
        for module in student.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()

    def connect(self, pair: Pair) -> Term:
        """Check that both outputs have one shape, and mean classes where the variant needs them."""
        pair.same_outputs(self.name)
        if self.learn != "outputs" and not isinstance(pair.output, Classes):
            raise ValueError(f"born-again from {self.learn} is for classes; learn from outputs instead")
        return BornAgainTerm(LESSONS[self.learn], self.temperature, pair.output)


Lesson = Callable[[PairedPasses, float, Output], Tensor]


class BornAgainTerm(Term):
    """One of the three losses."""

    def __init__(self, lesson: Lesson, temperature: float, output: Output) -> None:
        super().__init__()
        self.lesson, self.temperature, self.output = lesson, temperature, output

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        return self.lesson(passes, self.temperature, self.output)


def outputs_loss(passes: PairedPasses, temperature: float, output: Output) -> Tensor:
    """`tau^2 KL(teacher || student)`: cross-entropy with the teacher's outputs, less their entropy."""
    return (
        temperature**2 * output.divergence(passes.teacher.output, passes.student.output, temperature).mean()
    )


def labels_loss(passes: PairedPasses, temperature: float, output: Output) -> Tensor:
    """CWTM: cross-entropy with the labels, examples weighted by the teacher's confidence."""
    if passes.targets is None:
        raise ValueError("born-again from labels needs targets in the batches")
    confidence = F.softmax(passes.teacher.output / temperature, dim=1).amax(dim=1)
    losses = F.cross_entropy(passes.student.output, passes.targets, reduction="none")
    return (confidence / confidence.sum() * losses).sum()


def permuted_outputs_loss(passes: PairedPasses, temperature: float, output: Output) -> Tensor:
    """DKPP: KL from the teacher's outputs, all but its first class permuted, example by example."""
    teacher = passes.teacher.output.movedim(1, -1)
    order = teacher.argsort(dim=-1, descending=True)
    # random keys sort the classes; the teacher's first keeps its place by a key below all others
    keys = torch.rand(teacher.shape, device=teacher.device)
    keys[..., 0] = -1
    permuted = torch.empty_like(teacher).scatter_(
        -1, order, teacher.gather(-1, order.gather(-1, keys.argsort(dim=-1)))
    )
    return outputs_loss(
        PairedPasses(ForwardPass(permuted.movedim(-1, 1), {}), passes.student), temperature, output
    )


LESSONS: dict[str, Lesson] = {
    "outputs": outputs_loss,
    "labels": labels_loss,
    "permuted": permuted_outputs_loss,
}
