"""What a distillation leaves: losses of every epoch, and the students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from trabecula.nn.distill.outputs import Ensemble, Output


@dataclass(frozen=True)
class Epoch:
    """A line of the record.

    Attributes
    ----------
    round
        Which student, from 0; methods with generations have several.
    stage
        Name of the stage.
    epoch
        Within the stage, from 0.
    losses
        Mean over the examples, by term, before weighting; `total` is what was minimised.
    validation
        What `validate` said afterwards; None in stages that do not train the student.
    """

    round: int
    stage: str
    epoch: int
    losses: Mapping[str, float]
    validation: float | None = None


@dataclass(frozen=True)
class DistillationResult:
    """What a distillation leaves.

    Attributes
    ----------
    student
        The network given as student, trained: the last generation.
    record
        Losses of every epoch.
    generations
        Every round's student; the last is a copy of `student`.
    output
        What the outputs mean.
    seconds
        Wall time of this call.
    """

    student: nn.Module
    record: tuple[Epoch, ...]
    generations: tuple[nn.Module, ...]
    output: Output
    seconds: float

    def ensemble(self) -> Ensemble:
        """All generations as one network."""
        return Ensemble(self.generations, self.output)
