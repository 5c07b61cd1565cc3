"""The loop of every training: steps of AdamW, errors on what is held out, checkpoints to go on from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from trabecula.learning.checkpoint import KIND, keep, restore
from trabecula.storage.owned import check_writable

DECAY = 1e-4
"""Weight decay."""


class TrainingSchedule(Protocol):
    """What the loop asks a recipe for: optimiser steps, steps between reports, and the learning rate."""

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        ...

    @property
    def every(self) -> int:
        """Steps between reports, and between checkpoints."""
        ...

    def learning_rate(self, step: int) -> float:
        """At a step from 0."""
        ...


@dataclass(frozen=True)
class TrainingProgress:
    """What the held-out examples say: mean error of the density, of the base and of the network."""

    step: int
    seconds: float
    loss: float
    base: float
    error: float


def cosine_rate(rate: float, rise: int, steps: int, step: int) -> float:
    """A learning rate that rises over `rise` steps and falls over half a cosine."""
    return rate * min(1.0, (step + 1) / rise) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def run_training(
    recipe: TrainingSchedule,
    network: nn.Module,
    asked: str,
    checkpoint: Path,
    loss_at: Callable[[int], Tensor],
    errors: Callable[[], tuple[float, float]],
    report: Callable[[TrainingProgress], None],
) -> None:
    """Train a network in place; goes on from `checkpoint`, and leaves the network in evaluation mode.

    Parameters
    ----------
    asked
        Says which training a checkpoint belongs to.
    loss_at
        Of a step from 0, a scalar; random only through the step's number.
    errors
        Errors of base and network on what is held out.
    report
        Called every `recipe.every` steps, and after the last one.

    Raises
    ------
    UnreadableError
        If the checkpoint belongs to another training, or is not ours to replace.
    """
    free = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(free, recipe.learning_rate(0), weight_decay=DECAY)
    first, before = restore(checkpoint, asked, network, optimizer)
    check_writable(checkpoint, KIND)
    clock, running = time.perf_counter(), 0.0
    network.train()
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate(step)
        loss = loss_at(step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        running += float(loss.detach())
        if (step + 1) % recipe.every == 0 or step + 1 == recipe.steps:
            seconds = before + time.perf_counter() - clock
            network.eval()
            base, error = errors()
            made = (step % recipe.every) + 1
            report(TrainingProgress(step + 1, seconds, running / made, base, error))
            running = 0.0
            keep(checkpoint, asked, step + 1, seconds, network, optimizer)
            network.train()
    network.eval()
