"""What a training needs to go on where it was cut off."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from trabecula.storage import reading
from trabecula.storage.owned import BUSY, hold

KIND = "training"
"""Of a folder of checkpoints, in its mark."""


def claim(path: Path) -> None:
    """See that a checkpoint can be written, before any time is spent.

    Raises
    ------
    OwnershipError
        There is a file of that name that is not ours, or was changed.
    """
    with hold(path.parent, KIND, wait=BUSY) as held:
        held.check([path.name])


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


def restored(
    path: Path, asked: str, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, float]:
    """Steps and seconds that are behind, network and optimiser as they were then; nothing without a file.

    Raises
    ------
    UnreadableError
        If the file belongs to another training.
    """
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    if state["asked"] != asked:
        raise reading.UnreadableError(path, "belongs to another recipe or other data; choose another file")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), float(state["seconds"])


def seconds_of(path: Path) -> float:
    """Seconds of training behind a checkpoint."""
    return float(torch.load(path, weights_only=True)["seconds"])
