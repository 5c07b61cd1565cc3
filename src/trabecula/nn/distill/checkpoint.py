"""Training that can be stopped and goes on as if it had not been: one file, written after every epoch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from trabecula.storage.owned import BUSY, hold
from trabecula.storage.reading import CheckedRecord, UnreadableError
from trabecula.storage.tensors import read_tensors

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
    if not os.path.lexists(path):
        return None
    with explain_damage(path):
        state = CheckedRecord(path, read_tensors(path))
        if "settings" not in state.values:
            raise ValueError("of something else")
        if state.take("settings", str) != settings:
            raise _OtherError(f"{path} belongs to a training with other settings; delete it to begin anew")
        state.only("settings", *_KINDS)
        for name, kind in _KINDS.items():
            _ = state.whole(name) if kind is int else state.take(name, kind)
        return dict(state.values)


_KINDS: dict[str, type] = {
    **dict.fromkeys(("round", "stage", "epoch"), int),
    **dict.fromkeys(("student", "terms", "optimizer", "schedule", "initial"), dict),
    **dict.fromkeys(("generations", "record"), list),
}


class _OtherError(ValueError):
    """A sound checkpoint of another training."""


@contextmanager
def explain_damage(path: Path) -> Iterator[None]:
    """Say of whatever fails while a checkpoint is read or put back what can be done about it.

    Raises
    ------
    ValueError
        With one message.
    """
    try:
        yield
    except _OtherError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
        reason = error.reason if isinstance(error, UnreadableError) else str(error).split("\n")[0]
        raise ValueError(f"{path} is damaged or no checkpoint ({reason}); delete it to begin anew") from error
