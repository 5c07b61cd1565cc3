"""The one network behind proposer, corrector and leap: a fully convolutional encoder-decoder, 2-D or 3-D.

Plain convolutions and additions: no normalisation whose statistics would depend on the size of the grid
(Ronneberger et al. 2015 for the shape; De & Smith 2020, "SkipInit", for residual blocks without it).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Size:
    """How large a network is.

    Attributes
    ----------
    width
        Channels at the top; twice as many a level down, at most four times.
    depth
        Residual blocks per level, on the way down and on the way up each.
    levels
        Grids, each half as fine as the one before.
    patch
        Voxels along the edge of a place at the top (`trabecula.surrogate.packing`).
    """

    width: int = 32
    depth: int = 1
    levels: int = 3
    patch: int = 2

    def scale(self, steps: float) -> Size:
        """Compound scaling (Tan & Le 2019): depth 1.2, width 1.1 per step; the grid is given."""
        width = max(8, round(self.width * 1.1**steps / 8) * 8)
        return Size(width, max(1, round(self.depth * 1.2**steps)), self.levels, self.patch)

    @property
    def multiple(self) -> int:
        """Places along every axis must be a multiple of this."""
        return int(2 ** (self.levels - 1))

    def to_json(self) -> dict[str, int]:
        """As a mapping."""
        return cast("dict[str, int]", asdict(self))


class Residual(nn.Module):
    """`skip(x) + scale * conv(silu(conv(silu(x))))`, with a scale that begins at 0."""

    def __init__(self, dimension: int, incoming: int, outgoing: int) -> None:
        super().__init__()
        conv = nn.Conv3d if dimension == 3 else nn.Conv2d
        self.first = conv(incoming, outgoing, 3, padding=1)
        self.second = conv(outgoing, outgoing, 3, padding=1)
        self.skip = conv(incoming, outgoing, 1) if incoming != outgoing else nn.Identity()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, incoming, ...]` to `[batch, outgoing, ...]`."""
        inner = self.second(F.silu(self.first(F.silu(x))))
        return cast("Tensor", self.skip(x) + self.scale * inner)


class EncoderDecoder(nn.Module):
    """Patches of channels to a correction of the logits of every voxel in the patch.

    Parameters
    ----------
    dimension
        2 or 3.
    channels
        Of the unpacked input.
    size
        How large.
    """

    def __init__(self, dimension: int, channels: int, size: Size) -> None:
        super().__init__()
        voxels = size.patch**dimension
        widths = [size.width * min(2**level, 4) for level in range(size.levels)]
        conv = nn.Conv3d if dimension == 3 else nn.Conv2d
        self.dimension, self.channels, self.size = dimension, channels, size
        self.stem = conv(channels * voxels, widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        incoming = widths[0]
        for width in widths:
            self.down.append(stack(dimension, incoming, width, size.depth))
            incoming = width
        for width in reversed(widths[:-1]):
            self.up.append(stack(dimension, incoming + width, width, size.depth))
            incoming = width
        self.head = conv(incoming, voxels, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, channels * patch^d, ...]` to `[batch, patch^d, ...]`: what to add to logits."""
        return cast("Tensor", self.head(F.silu(self.features(x)[-1])))

    def features(self, x: Tensor) -> list[Tensor]:
        """Every level's fields: on the way down, coarsest last but the way up, finest last."""
        pool = F.avg_pool3d if self.dimension == 3 else F.avg_pool2d
        x = self.stem(x)
        found: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(pool(x, 2) if level else x)
            found.append(x)
        skips = found[:-1]
        for block in self.up:
            x = block(torch.cat([self.finer(x), skips.pop()], dim=1))
            found.append(x)
        return found

    def finer(self, x: Tensor) -> Tensor:
        """Fields of a level for the one above, every place twice along every axis."""
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


def stack(dimension: int, incoming: int, outgoing: int, depth: int) -> nn.Sequential:
    """Residual blocks, the first of which changes the number of channels."""
    widths = [incoming] + [outgoing] * depth
    return nn.Sequential(*(Residual(dimension, a, b) for a, b in pairwise(widths)))
