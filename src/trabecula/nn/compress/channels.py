"""Structured pruning: whole channels go, and everything that reads or writes them shrinks with them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Literal, TypeVar

import torch
from torch import nn

from trabecula.nn.compress.weights import PRUNED, FineTune, Scope
from trabecula.nn.profile import torch_walk

Net = TypeVar("Net", bound=nn.Module)
Result = TypeVar("Result")


def prune_channels(
    model: Net,
    example: torch.Tensor | Sequence[torch.Tensor],
    ratio: float,
    *,
    scope: Scope = "layer",
    norm: Literal[1, 2] = 1,
    multiple: int = 1,
    steps: int = 1,
    fine_tune: FineTune | None = None,
    keep: Collection[str] = (),
) -> Net:
    """Remove the channels whose weights are smallest, through the whole network.

    Channels that belong together (both sides of a residual sum, a skip connection's concatenation, the
    normalisation and depthwise convolution behind a layer) are ranked and removed together: the dependency
    graph of torch-pruning (Fang et al. 2023, DepGraph, arXiv 2301.12900) with group magnitude as importance
    (Li et al. 2017, arXiv 1608.08710, on groups). What the network takes and returns keeps its shape.

    Parameters
    ----------
    model
        Not changed.
    example
        Its argument, or arguments.
    ratio
        Share of the channels removed, 0 up to 1. Multiply-accumulates fall with about (1 - ratio)^2.
    scope
        `layer` takes this share from each group, `global` compares groups with one another.
    norm
        Magnitude as the sum of absolute values (1) or of squares (2).
    multiple
        Keep a number of channels divisible by this (8 or 16 suit vector units).
    steps
        In how many equal steps.
    fine_tune
        Called with the network after every step.
    keep
        Names of layers that keep their outputs, besides those the network returns.

    Returns
    -------
    Net
        A smaller copy.

    Raises
    ------
    ValueError
        Where the ratio is not in [0, 1), a name unknown, torch-pruning missing, or the network such that
        channels cannot be removed.
    """
    if not 0 <= ratio < 1 or steps < 1:
        raise ValueError("a ratio from 0 up to below 1, in at least one step")
    try:
        import torch_pruning
    except ImportError:
        raise ValueError("removing channels needs torch-pruning: pip install 'trabecula[learn]'") from None
    inputs = (example,) if isinstance(example, torch.Tensor) else tuple(example)
    net = copy.deepcopy(model)
    shapes = _output_shapes(net, inputs)
    whole = _layers_to_keep(net, inputs, keep)
    pruner = _explain_failure(
        lambda: torch_pruning.pruner.BasePruner(
            net,
            inputs,
            importance=torch_pruning.importance.GroupMagnitudeImportance(p=norm),
            global_pruning=scope == "global",
            pruning_ratio=ratio,
            iterative_steps=steps,
            ignored_layers=whole,
            round_to=multiple if multiple > 1 else None,
        )
    )
    for _ in range(steps):
        _explain_failure(pruner.step)
        _check(net, inputs, shapes)
        if fine_tune:
            fine_tune(net)
    return net


def _explain_failure(step: Callable[[], Result]) -> Result:
    """Run a step of torch-pruning; whatever it cannot follow is one message."""
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")  # of parameters outside layers, which stay whole
        try:
            return step()
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise ValueError(f"channels of this network cannot be removed ({reason})") from error


def _layers_to_keep(
    net: nn.Module, inputs: tuple[torch.Tensor, ...], keep: Collection[str]
) -> list[nn.Module]:
    """Layers whose outputs stay: those named, and those the network's results come from."""
    known = dict(net.named_modules())
    unknown = sorted(set(keep) - set(known))
    if unknown:
        raise ValueError(f"no layer is named {', '.join(unknown)}")
    last = [name.split("#")[0] for name in torch_walk.last_layers(net, inputs)]
    found = [known[name] for name in (*keep, *last) if name in known]
    return [each for module in found for each in module.modules() if isinstance(each, (*PRUNED, nn.RNNBase))]


def _output_shapes(net: nn.Module, inputs: tuple[torch.Tensor, ...]) -> list[torch.Size]:
    with torch_walk.evaluation_mode(net):
        return [each.shape for each in torch_walk.tensors_in(net(*inputs))]


def _check(net: nn.Module, inputs: tuple[torch.Tensor, ...], shapes: list[torch.Size]) -> None:
    try:
        now = _output_shapes(net, inputs)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"channels of this network cannot be removed: it no longer runs ({reason})"
        ) from error
    if now != shapes:
        raise ValueError("the outputs would lose channels; name the layers that make them in keep")
