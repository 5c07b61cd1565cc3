"""SqueezeNet 1.0 and 1.1 (Iandola et al. 2016, arXiv 1602.07360; 1.1 from the authors' repository)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from trabecula.nn.blocks import (
    ConvGapHead,
    Fire,
    conv,
    max_pool,
)


@dataclass(frozen=True)
class SqueezeTable:
    """Channels and kernel of the first convolution; Fire modules (squeeze, each expand) between pools."""

    channels: int
    kernel: int
    fires: Sequence[Sequence[tuple[int, int]]]


V1_0 = SqueezeTable(
    96, 7, (((16, 64), (16, 64), (32, 128)), ((32, 128), (48, 192), (48, 192), (64, 256)), ((64, 256),))
)
V1_1 = SqueezeTable(
    64, 3, (((16, 64), (16, 64)), ((32, 128), (32, 128)), ((48, 192), (48, 192), (64, 256), (64, 256)))
)


def squeezenet(table: SqueezeTable, classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """Fire modules with late pooling, a 1x1 convolution to the classes, and a global average."""
    net = nn.Sequential()
    first = conv(dimension, inputs, table.channels, table.kernel, stride=2, padding=0, bias=True)
    net.add_module("stem", nn.Sequential(first, nn.ReLU(), max_pool(dimension, 3, 2, ceil_mode=True)))
    width = table.channels
    for number, row in enumerate(table.fires, 1):
        stage = nn.Sequential()
        for squeeze, expand in row:
            stage.append(Fire(width, squeeze, expand, expand, dimension=dimension))
            width = 2 * expand
        if number < len(table.fires):
            stage.append(max_pool(dimension, 3, 2, ceil_mode=True))
        net.add_module(f"stage{number}", stage)
    net.add_module("head", ConvGapHead(width, classes, dropout=0.5, dimension=dimension))
    return net
