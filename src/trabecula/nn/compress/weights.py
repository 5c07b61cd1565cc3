"""Unstructured pruning: the smallest weights become zero, a few at a time, with fine-tuning between."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Literal, TypeVar

import torch
from torch import nn
from torch.nn.utils import prune

Net = TypeVar("Net", bound=nn.Module)
FineTune = Callable[[nn.Module], object]
Scope = Literal["global", "layer"]

PRUNED = (nn.Linear, nn.modules.conv._ConvNd)


def prune_weights(
    model: Net,
    sparsity: float,
    *,
    scope: Scope = "global",
    steps: int = 1,
    fine_tune: FineTune | None = None,
    keep: Collection[str] = (),
) -> Net:
    """Set the weights of smallest magnitude to zero.

    Zeros save storage, and energy on hardware that skips them; a dense runtime is not quicker for them. For
    fewer channels, and time, see `prune_channels`.

    Parameters
    ----------
    model
        Not changed.
    sparsity
        Share of the weights of convolutions and linear layers that are zero at the end, 0 up to 1.
    scope
        `global` compares all layers' weights, `layer` takes the same share from each.
    steps
        In how many steps; step t of n reaches `sparsity * (1 - (1 - t/n)^3)` (Zhu and Gupta 2017,
        arXiv 1710.01878, eq. 1): much first, little at the end.
    fine_tune
        Called with the network after every step; what is zero stays zero meanwhile.
    keep
        Names of layers that stay whole.

    Returns
    -------
    Net
        A copy, its zeros ordinary numbers.

    Raises
    ------
    ValueError
        Where the share is not in [0, 1), a name unknown, or nothing is there to prune.
    """
    if not 0 <= sparsity < 1 or steps < 1:
        raise ValueError("a sparsity from 0 up to below 1, in at least one step")
    net = copy.deepcopy(model)
    weights = [(module, "weight") for module in _prunable(net, keep)]
    reached = 0.0
    for step in range(1, steps + 1):
        wanted = sparsity * (1 - (1 - step / steps) ** 3)
        # torch counts a share of what is not pruned yet
        share = (wanted - reached) / (1 - reached)
        reached = wanted
        if scope == "global":
            prune.global_unstructured(weights, prune.L1Unstructured, amount=share)
        else:
            for module, name in weights:
                prune.l1_unstructured(module, name, amount=share)  # type: ignore[no-untyped-call]
        if fine_tune:
            fine_tune(net)
    for module, name in weights:
        prune.remove(module, name)  # type: ignore[no-untyped-call]
    return net


def _prunable(net: nn.Module, keep: Collection[str]) -> list[nn.Module]:
    known = dict(net.named_modules())
    unknown = sorted(set(keep) - set(known))
    if unknown:
        raise ValueError(f"no layer is named {', '.join(unknown)}")
    found: list[nn.Module] = [
        module for name, module in known.items() if isinstance(module, PRUNED) and name not in keep
    ]
    if not found:
        raise ValueError("no convolution or linear layer is left to prune")
    return found


def sparsity_of(model: nn.Module) -> float:
    """Share of zeros among the weights of convolutions and linear layers."""
    weights = [module.weight for module in model.modules() if isinstance(module, PRUNED)]
    zeros = sum(int(torch.count_nonzero(weight == 0)) for weight in weights)
    return zeros / max(1, sum(weight.numel() for weight in weights))
