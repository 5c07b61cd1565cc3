"""Channel shuffle and the units of ShuffleNet v1 and v2.

Zhang et al. 2018 (arXiv 1707.01083), Ma et al. 2018 (arXiv 1807.11164).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trabecula.nn.blocks.conv import ConvNormAct
from trabecula.nn.blocks.dimension import average_pool


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Channels `[groups, n]` transposed to `[n, groups]`: every group then sees all the others.

    Zhang et al. 2018, section 3.1. `x` is `[batch, groups n, *space]`; only memory moves.

    Raises
    ------
    ValueError
        Channels that the groups do not divide.
    """
    if x.shape[1] % groups:
        raise ValueError(f"{x.shape[1]} channels cannot be shuffled in {groups} groups")
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


class ChannelShuffle(nn.Module):
    """`channel_shuffle` as a layer; no parameters."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """`x` with its channels shuffled."""
        return channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        """The groups, for printing."""
        return f"groups={self.groups}"


class GroupedPointwise(nn.Sequential):
    """Grouped 1x1 convolution, norm, activation, channel shuffle (Zhang et al. 2018, fig. 1c).

    `inputs outputs / groups` weights. Without the shuffle the groups would never hear of each other.

    Parameters
    ----------
    inputs, outputs
        Channels, divisible by `groups`.
    groups
        Of the convolution and of the shuffle.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(self, inputs: int, outputs: int, groups: int, *, dimension: int = 2) -> None:
        super().__init__()
        self.conv = ConvNormAct(inputs, outputs, groups=groups, dimension=dimension)
        self.shuffle = ChannelShuffle(groups)


class ShuffleUnitV1(nn.Module):
    """Unit of ShuffleNet v1: grouped 1x1, shuffle, depthwise 3x3, grouped 1x1 (fig. 2b, 2c).

    Stride 1: `relu(x + branch(x))`. Stride 2: `[pool(x), relu(branch(x))]` with a 3x3 average of stride 2,
    so the branch makes `outputs - inputs` channels. The bottleneck is `outputs / 4` wide.

    Parameters
    ----------
    inputs, outputs
        Channels; equal at stride 1, growing at stride 2.
    groups
        Of the 1x1 convolutions; 3 by default.
    stride
        1 or 2.
    first
        The first unit of the network, whose first 1x1 has no groups, for its input is thin (section 3.2).
    dimension
        Spatial axes, 1 to 3.

    Raises
    ------
    ValueError
        Widths that do not fit the stride.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        groups: int = 3,
        stride: int = 1,
        first: bool = False,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        if (stride == 1 and inputs != outputs) or (stride > 1 and outputs <= inputs):
            raise ValueError(f"{inputs} to {outputs} channels do not fit a unit of stride {stride}")
        width = outputs // 4
        self.branch = nn.Sequential(
            ConvNormAct(inputs, width, groups=1 if first else groups, dimension=dimension),
            ChannelShuffle(groups),
            ConvNormAct(width, width, 3, stride=stride, groups=width, activation=None, dimension=dimension),
            ConvNormAct(
                width,
                outputs if stride == 1 else outputs - inputs,
                groups=groups,
                activation=None,
                dimension=dimension,
            ),
        )
        self.shortcut: nn.Module = (
            nn.Identity() if stride == 1 else average_pool(dimension, 3, stride, padding=1)
        )
        self.stride = stride
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        kept, y = self.shortcut(x), self.branch(x)
        added: Tensor = self.act(kept + y) if self.stride == 1 else torch.cat([kept, self.act(y)], 1)
        return added


class ShuffleUnitV2(nn.Module):
    """Unit of ShuffleNet v2: split, work on one half, put together, shuffle (fig. 3c, 3d).

    Stride 1: `shuffle([x_1, branch(x_2)])`, the halves `x_1`, `x_2`. Stride 2: `shuffle([side(x),
    branch(x)])`. All 1x1 convolutions are ungrouped and keep their width, no sum is taken: the four rules
    of the paper (section 3).

    Parameters
    ----------
    inputs, outputs
        Channels; equal and even at stride 1, `outputs` even at stride 2.
    stride
        1 or 2.
    dimension
        Spatial axes, 1 to 3.

    Raises
    ------
    ValueError
        Widths that do not fit the stride.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dimension: int = 2) -> None:
        super().__init__()
        if outputs % 2 or (stride == 1 and inputs != outputs):
            raise ValueError(f"{inputs} to {outputs} channels do not fit a unit of stride {stride}")
        half = outputs // 2
        self.stride = stride
        start = half if stride == 1 else inputs

        def depthwise(channels: int) -> ConvNormAct:
            return ConvNormAct(
                channels,
                channels,
                3,
                stride=stride,
                groups=channels,
                activation=None,
                dimension=dimension,
            )

        self.branch = nn.Sequential(
            ConvNormAct(start, half, dimension=dimension),
            depthwise(half),
            ConvNormAct(half, half, dimension=dimension),
        )
        self.side: nn.Module = (
            nn.Identity()
            if stride == 1
            else nn.Sequential(depthwise(inputs), ConvNormAct(inputs, half, dimension=dimension))
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        left, right = x.chunk(2, 1) if self.stride == 1 else (x, x)
        return channel_shuffle(torch.cat([self.side(left), self.branch(right)], 1), 2)
