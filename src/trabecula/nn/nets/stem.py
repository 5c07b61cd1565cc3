"""What all published networks share: parts in order of their names, and first weights."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def assemble(parts: Iterable[tuple[str, nn.Module]]) -> nn.Sequential:
    """A network of named parts, one after the other, with the first weights of He et al. 2015."""
    net = nn.Sequential()
    for name, part in parts:
        net.add_module(name, part)
    # On the meta device there are no numbers, only shapes: counting a large network stays quick.
    if not next(net.parameters()).is_meta:
        initialise(net)
    return net


@torch.no_grad()
def initialise(net: nn.Module) -> None:
    """Convolutions normal with variance `2 / fan_out`, normalisations 1 and 0, linear normal 0.01, biases 0.

    He et al. 2015 (arXiv 1502.01852, eq. 14, backward form): the variance of the gradient stays.
    """
    for layer in net.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.01)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
