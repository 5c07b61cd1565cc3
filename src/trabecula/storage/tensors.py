"""Files of torch read without trusting them: stored members only, and a pickle of nothing but tensors."""

from __future__ import annotations

import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trabecula.storage.archives import opening_archive
from trabecula.storage.opening import (
    UnreadableError,
    explaining,
    open_regular,
    shorten,
)

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

LARGEST = 1 << 35
"""Bytes of a file at most (32 GiB)."""

_PICKLE = 1 << 23
"""Bytes at most of the pickle in it, which holds names and shapes."""

_MODULES = {"torch", "torch._utils", "torch.storage", "torch.nn.parameter", "collections"}
_CALLED = {"OrderedDict", "Size", "_rebuild_tensor_v2", "_rebuild_parameter", "Parameter", "device"}


def read_tensors(path: Path) -> Any:
    """Read what `torch.save` wrote, tensors and plain values only, into the memory of the processor.

    Beyond torch's own `weights_only` the pickle is looked through before: it may name kinds of storages and
    numbers, and what puts tensors together, nothing else, so that no call in it can ask for memory.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, damaged, of the format before torch 1.6, compressed, or holds
        something else.
    """
    import torch

    with opening_archive(path, LARGEST, kind="file of torch") as archive:
        pickles = [info for info in archive.infolist() if info.filename.endswith(".pkl")]
        if len(pickles) != 1 or pickles[0].file_size > _PICKLE:
            raise UnreadableError(path, "damaged or no file of torch")
        _look_through(path, archive.read(pickles[0]))
    with explaining(path, "file of torch"):
        try:
            with open_regular(path, LARGEST) as file:
                return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:
            raise UnreadableError(path, f"damaged or no file of torch ({type(error).__name__})") from error


def _look_through(path: Path, content: bytes) -> None:
    """Refuse a pickle that names anything else than what tensors are made of."""
    for code, value, _ in pickletools.genops(content):
        if code.name == "GLOBAL":
            _refuse_unknown(path, *str(value).split(" ", 1))
        elif code.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "BYTEARRAY8"):
            raise UnreadableError(path, f"damaged or no file of torch (it uses {code.name})")


def _refuse_unknown(path: Path, module: str, name: str = "") -> None:
    is_kind = module == "torch" and (name.endswith("Storage") or name in _KINDS)
    if module not in _MODULES or not (is_kind or name in _CALLED or name == "UntypedStorage"):
        raise UnreadableError(
            path, f"holds more than tensors and plain values ({shorten(f'{module}.{name}')})"
        )


_KINDS = {
    *("float16", "float32", "float64", "bfloat16", "bool", "complex64", "complex128"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


def load_weights(path: Path, network: nn.Module, state: object) -> None:
    """Put weights that were read into a network: every one there, of its shape, and finite.

    Raises
    ------
    UnreadableError
        They do not fit.
    """
    import torch

    wanted = network.state_dict()
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise UnreadableError(path, "holds no weights of a network")
    for name in sorted({*wanted, *state}, key=str):
        here, there = wanted.get(name), state.get(name)
        if not isinstance(there, torch.Tensor) or not isinstance(here, torch.Tensor):
            raise UnreadableError(path, f"does not fit the network: {shorten(name)} is missing, or too much")
        if there.shape != here.shape:
            shapes = f"{tuple(there.shape)}, not {tuple(here.shape)}"
            raise UnreadableError(path, f"does not fit the network: {shorten(name)} has the shape {shapes}")
        if there.is_floating_point() and not bool(torch.isfinite(there).all()):
            raise UnreadableError(path, f"holds NaN or infinite weights in {shorten(name)}")
    with explaining(path, "file of weights"):
        network.load_state_dict(dict(state))


def load_optimizer(path: Path, optimizer: Optimizer, state: object) -> None:
    """Put the memory of an optimiser back, every tensor of its parameter's shape (or one number) and finite.

    Raises
    ------
    UnreadableError
        It does not fit.
    """
    import torch

    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    with explaining(path, "memory of this optimiser"):
        if not isinstance(state, Mapping) or set(state) != {"state", "param_groups"}:
            raise UnreadableError(path, "holds no memory of an optimiser")
        groups = [sorted(group, key=str) for group in state["param_groups"]]
        if groups != [sorted(group, key=str) for group in optimizer.state_dict()["param_groups"]]:
            raise UnreadableError(path, "holds the memory of another optimiser")
        for place, held in state["state"].items():
            shape = parameters[place].shape
            for value in held.values():
                if isinstance(value, torch.Tensor) and not (
                    (value.shape == shape or value.numel() == 1) and bool(torch.isfinite(value).all())
                ):
                    raise UnreadableError(path, "holds the memory of another optimiser")
        optimizer.load_state_dict(dict(state))
