"""The one trainer: settings, and a student trained with them. It knows no method by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from trabecula.nn.distill.method import (
    Methods,
    Source,
    Weighted,
    with_weights,
)
from trabecula.nn.distill.outputs import CLASSES, Output
from trabecula.nn.distill.record import DistillationResult, Epoch
from trabecula.nn.distill.training import Training

MakeOptimizer = Callable[[list[nn.Parameter]], Optimizer]
MakeSchedule = Callable[[Optimizer, int], LRScheduler]
TaskLoss = Callable[[Tensor, Tensor], Tensor]


def adam(parameters: list[nn.Parameter]) -> Optimizer:
    """Adam (Kingma & Ba 2015) with its usual settings, the default optimiser."""
    return torch.optim.Adam(parameters, lr=1e-3)


@dataclass(frozen=True)
class Distiller:
    """How students are trained; `distill` does it.

    Parameters
    ----------
    methods
        A method, several, or a mapping from methods to weights; none at all trains the student alone.
    output
        What the outputs mean: `CLASSES` or `DENSITIES`.
    task_loss
        From logits and targets to a scalar; the output's own where none is given.
    task_weight
        0 where the batches have no targets.
    epochs
        Passes over the data for each student, the stages of the methods included.
    optimizer, schedule
        Make an optimiser from parameters, and a learning rate schedule from that and a number of epochs. Each
        stage has its own.
    seed
        The order of shuffled batches, new parts of methods and dropout follow from it, on one machine.
    checkpoint
        A file, written after every epoch; training goes on from it where it exists. It knows networks by the
        names and shapes of their weights, and methods by their settings.
    validate
        Says after an epoch how good the student is.
    progress
        Called with every line of the record.
    """

    methods: Methods = ()
    output: Output = CLASSES
    task_loss: TaskLoss | None = None
    task_weight: float = 1.0
    epochs: int = 10
    optimizer: MakeOptimizer = adam
    schedule: MakeSchedule | None = None
    seed: int = 0
    checkpoint: Path | None = None
    validate: Callable[[nn.Module], float] | None = None
    progress: Callable[[Epoch], None] | None = None
    listed: tuple[Weighted, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "listed", with_weights(self.methods))
        if self.epochs < 1:
            raise ValueError(f"{self.epochs} epochs; at least 1")
        if not 0 <= self.task_weight < float("inf"):
            raise ValueError(f"the weight of the task loss is {self.task_weight}; it must be 0 or more")
        if not self.listed and not self.task_weight:
            raise ValueError("without methods and with task_weight 0 there is nothing to learn from")

    def distill(self, teacher: nn.Module, student: nn.Module, batches: Source) -> DistillationResult:
        """Train the student, in place; the teacher stays as it is, byte for byte.

        Parameters
        ----------
        teacher, student
            Networks that take the same inputs, without a weight in common.
        batches
            Pairs (inputs, targets), or inputs alone: a list, a `DataLoader`, or a function of the epoch.
            Inputs are a tensor or a tuple of tensors.

        Raises
        ------
        ValueError
            Where a method does not fit the networks, or a loss is not finite.
        """
        _check(teacher, student, batches)
        return Training(self, teacher, student, batches).run()


class DistillationSettings(TypedDict, total=False):
    """Everything a `Distiller` can be given besides the methods."""

    output: Output
    task_loss: TaskLoss | None
    task_weight: float
    epochs: int
    optimizer: MakeOptimizer
    schedule: MakeSchedule | None
    seed: int
    checkpoint: Path | None
    validate: Callable[[nn.Module], float] | None
    progress: Callable[[Epoch], None] | None


def distill(
    teacher: nn.Module,
    student: nn.Module,
    batches: Source,
    methods: Methods = (),
    **settings: Unpack[DistillationSettings],
) -> DistillationResult:
    """Train a student with a teacher: `Distiller(methods, **settings).distill(teacher, student, batches)`.

    >>> from trabecula.nn.distill import SoftTargets, distill
    >>> teacher, student = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    >>> batches = [(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]))]
    >>> outcome = distill(teacher, student, batches, SoftTargets(), epochs=2)
    >>> [sorted(epoch.losses) for epoch in outcome.record]
    [['soft-targets', 'task', 'total'], ['soft-targets', 'task', 'total']]
    """
    return Distiller(methods, **settings).distill(teacher, student, batches)


def _check(teacher: nn.Module, student: nn.Module, batches: Source) -> None:
    if {id(p) for p in teacher.parameters()} & {id(p) for p in student.parameters()}:
        raise ValueError("teacher and student share weights; the teacher would change. Give a copy of it")
    if not any(p.requires_grad for p in student.parameters()):
        raise ValueError("the student has no weights that can learn")
    if not callable(batches) and isinstance(batches, Iterator):
        raise ValueError(
            "the batches can be gone through only once; give a list, a DataLoader, or a function of the epoch"
        )
