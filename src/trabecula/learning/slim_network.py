"""The same network with less inside: places, levels and widths of `EncoderDecoder`, cheap blocks in between.

Whatever compares features of a large network with those of a small one needs equal widths where they are
compared; so only what lies inside the blocks is narrow (He et al. 2016, fig. 5: "bottleneck"; Howard et al.
2017 for the separable form; Wu et al. 2018 for the shift), and the stem, which sees most places and most
channels, is a product without neighbours.
"""

from __future__ import annotations

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trabecula.learning.network import EncoderDecoder, Size
from trabecula.nn.blocks import Shift

Middle = Literal["convolution", "depthwise", "shift"]


class SlimNetwork(EncoderDecoder):
    """An `EncoderDecoder` with a 1x1 stem and a bottleneck in every block.

    Parameters
    ----------
    dimension, channels, size
        Of `EncoderDecoder`; one block a level, whatever the depth.
    inner
        Channels inside the blocks at the top; half as many again a level down, in multiples of 4.
    middle
        What looks at neighbours inside a block.
    """

    def __init__(
        self,
        dimension: int,
        channels: int,
        size: Size,
        inner: int = 8,
        middle: Middle = "convolution",
    ) -> None:
        super().__init__(dimension, channels, Size(size.width, 1, size.levels, size.patch))
        conv = nn.Conv3d if dimension == 3 else nn.Conv2d
        widths = [size.width * min(2**level, 4) for level in range(size.levels)]
        self.inner, self.middle = inner, middle
        self.stem = conv(channels * size.patch**dimension, widths[0], 1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        incoming = widths[0]
        for level, width in enumerate(widths):
            self.down.append(_block(dimension, incoming, width, _inside(inner, level), middle))
            incoming = width
        for level, width in reversed(list(enumerate(widths[:-1]))):
            self.up.append(_block(dimension, incoming + width, width, _inside(inner, level), middle))
            incoming = width

    def finer(self, x: Tensor) -> Tensor:
        """As `EncoderDecoder.finer`, by `upsample_twofold`."""
        return upsample_twofold(x)


def upsample_twofold(x: Tensor) -> Tensor:
    """`[batch, channels, *space]`, every place twice along every axis of space.

    Joined copies: in ONNX Runtime ten times quicker than its `Resize`, which looks up every place.
    """
    for axis in reversed(range(2, x.ndim)):
        x = torch.stack([x, x], dim=axis + 1).flatten(axis, axis + 1)
    return x


class NarrowBlock(nn.Module):
    """`skip(x) + scale * expand(silu(look(silu(reduce(silu(x))))))`, with a scale that begins at 0."""

    def __init__(self, dimension: int, incoming: int, outgoing: int, inside: int, middle: Middle) -> None:
        super().__init__()
        conv = nn.Conv3d if dimension == 3 else nn.Conv2d
        if middle == "shift":
            inside = max(inside, 3**dimension)
        self.reduce = conv(incoming, inside, 1)
        self.look: nn.Module = (
            Shift(inside, dimension=dimension)
            if middle == "shift"
            else conv(inside, inside, 3, padding=1, groups=inside if middle == "depthwise" else 1)
        )
        self.expand = conv(inside, outgoing, 1)
        self.skip = conv(incoming, outgoing, 1) if incoming != outgoing else nn.Identity()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, incoming, ...]` to `[batch, outgoing, ...]`."""
        inner = self.expand(F.silu(self.look(F.silu(self.reduce(F.silu(x))))))
        return cast("Tensor", self.skip(x) + self.scale * inner)


def _inside(inner: int, level: int) -> int:
    return max(4, round(inner * 1.5**level / 4) * 4)


def _block(dimension: int, incoming: int, outgoing: int, inside: int, middle: Middle) -> nn.Sequential:
    return nn.Sequential(NarrowBlock(dimension, incoming, outgoing, inside, middle))
