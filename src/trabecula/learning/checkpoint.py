"""Checkpoints: what a training needs to go on where it was interrupted."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import nn

from trabecula.storage import reading
from trabecula.storage.owned import BUSY, hold
from trabecula.storage.tensors import load_optimizer, load_weights, read_tensors

KIND = "training"
"""Of a folder of checkpoints, in its mark."""


def keep(
    path: Path, asked: str, step: int, seconds: float, network: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Write network and optimiser after `step` steps; `asked` says of which training."""
    state = {
        "asked": asked,
        "step": step,
        "seconds": seconds,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with hold(path.parent, KIND, wait=BUSY) as held, held.replacing(path.name) as file:
        torch.save(state, file)


def restore(
    path: Path, asked: str, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, float]:
    """Put network and optimiser back as they were; returns steps and seconds done, (0, 0.0) without a file.

    Raises
    ------
    UnreadableError
        If the file is damaged, or belongs to another training.
    """
    if not os.path.lexists(path):
        return 0, 0.0
    state = _read(path)
    if state.take("asked", str) != asked:
        raise reading.UnreadableError(path, "belongs to another recipe or other data; choose another file")
    step, seconds = state.whole("step"), state.real("seconds", 0.0)
    load_weights(path, network, state.values["network"])
    load_optimizer(path, optimizer, state.values["optimizer"])
    return step, seconds


def seconds_of(path: Path) -> float:
    """Seconds of training behind a checkpoint.

    Raises
    ------
    UnreadableError
        If the file is damaged.
    """
    return _read(path).real("seconds", 0.0)


def _read(path: Path) -> reading.CheckedRecord:
    state = reading.CheckedRecord(path, read_tensors(path))
    state.only("asked", "step", "seconds", "network", "optimizer")
    return state
