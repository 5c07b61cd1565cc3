"""Training that can be stopped and goes on as if it had not been: one file, written after every epoch."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch

from trabecula.storage.owned import BUSY, hold

State = dict[str, object]

KIND = "networks trained with others"
"""Of a folder of checkpoints and weights, in its mark."""


def save(path: Path, state: Mapping[str, object]) -> None:
    """Write tensors and plain values; the old file stays until the new one is whole.

    Raises
    ------
    OwnershipError
        There is a file of that name that is not ours, or was changed.
    """
    with hold(path.parent, KIND, wait=BUSY) as held, held.replacing(path.name) as file:
        torch.save(dict(state), file)


def claim(path: Path) -> None:
    """See that a file can be written, before any time is spent.

    Raises
    ------
    OwnershipError
        There is a file of that name that is not ours, or was changed.
    """
    with hold(path.parent, KIND, wait=BUSY) as held:
        held.check([path.name])


def load(path: Path, settings: str) -> State | None:
    """Read what `save` wrote, or None where there is no file; only tensors and plain values are unpickled.

    Parameters
    ----------
    path
        The file.
    settings
        What the training is; the file must come from the same.

    Raises
    ------
    ValueError
        Where the file cannot be read, or belongs to other settings.
    """
    if not path.exists():
        return None
    try:
        state: object = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise ValueError(f"{path} is no checkpoint, or a damaged one; delete it to begin anew") from error
    if not isinstance(state, dict) or "settings" not in state:
        raise ValueError(f"{path} is no checkpoint of a distillation; delete it to begin anew")
    if state["settings"] != settings:
        raise ValueError(f"{path} belongs to a training with other settings; delete it to begin anew")
    return state
