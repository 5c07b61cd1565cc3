"""The auto-encoder: a design on the small grid to a code, and a code to a design; 2-D or 3-D.

A code is a linear map of the design at half the resolution plus what convolutions have to add. The linear
part begins as the principal components, the best there is without convolutions, and these add nothing at
first: training begins where the plainest alternative ends.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trabecula.learning.network import stack
from trabecula.surrogate.canonical import SIDE

HALVED = 2
"""Cells of the small grid along the edge of a cell that the linear part sees."""

INNERMOST = 4
"""Places along a side of the coarsest level, at most."""


@dataclass(frozen=True)
class Build:
    """How large an auto-encoder is.

    Attributes
    ----------
    dimension
        2 or 3.
    numbers
        Of a code.
    width
        Channels at the top; twice as many per level down, at most four times as many.
    depth
        Residual blocks per level.
    patch
        Cells of the small grid along the edge of a place at the top.
    """

    dimension: int
    numbers: int = 64
    width: int = 32
    depth: int = 1
    patch: int = 4

    @property
    def voxels(self) -> int:
        """Cells in a patch."""
        return int(self.patch**self.dimension)

    @property
    def coarse_cells(self) -> int:
        """Cells that the linear part of the encoder sees."""
        return int((SIDE[self.dimension] // HALVED) ** self.dimension)

    @property
    def places(self) -> list[int]:
        """Along a side, level by level, finest first."""
        places = [SIDE[self.dimension] // self.patch]
        while places[-1] > INNERMOST:
            places.append(places[-1] // 2)
        return places

    @property
    def widths(self) -> list[int]:
        """Channels, level by level, finest first."""
        return [self.width * min(2**level, 4) for level in range(len(self.places))]

    @property
    def innermost(self) -> tuple[int, ...]:
        """Channels and places of the coarsest level."""
        return (self.widths[-1], *[self.places[-1]] * self.dimension)

    def to_json(self) -> dict[str, int]:
        """As a mapping."""
        return cast("dict[str, int]", asdict(self))


class Encoder(nn.Module):
    """Densities in patches and the aspects of their box, to a code."""

    def __init__(self, build: Build) -> None:
        super().__init__()
        conv = nn.Conv3d if build.dimension == 3 else nn.Conv2d
        widths = build.widths
        self.build = build
        self.stem = conv(build.voxels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            stack(build.dimension, widths[max(level - 1, 0)], width, build.depth)
            for level, width in enumerate(widths)
        )
        inside = widths[-1] * build.places[-1] ** build.dimension
        self.head = nn.Linear(inside + build.dimension, build.numbers)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.linear = nn.Linear(build.coarse_cells, build.numbers, bias=False)

    def forward(self, fields: Tensor, aspects: Tensor) -> Tensor:
        """`[design, voxel, ...]` and `[design, axis]` to `[design, number]`."""
        pool = F.avg_pool3d if self.build.dimension == 3 else F.avg_pool2d
        x = self.stem(2.0 * fields - 1.0)
        for level, block in enumerate(self.down):
            x = block(pool(x, 2) if level else x)
        added = self.head(torch.cat([F.silu(x).flatten(1), aspects], dim=1))
        return cast("Tensor", self.linear(self.halve(fields)) + added)

    def halve(self, fields: Tensor) -> Tensor:
        """Designs at half the resolution, `[design, cell]`, scaled: distances are root mean squares."""
        build = self.build
        split = [build.patch // HALVED, HALVED] * build.dimension
        parts = fields.reshape(-1, *split, *[build.places[0]] * build.dimension)
        means = parts.mean(dim=[2 + 2 * axis for axis in range(build.dimension)])
        return means.flatten(1) / math.sqrt(build.coarse_cells)

    def begin(self, weight: Tensor, middle: Tensor) -> None:
        """Let the linear part be `weight @ (halved - middle)`: `[number, cell]` and `[cell]`."""
        with torch.no_grad():
            self.linear.weight.copy_(weight)
            self.head.bias.copy_(-weight @ middle)


class Decoder(nn.Module):
    """A code and the aspects of a box, to logits in patches."""

    def __init__(self, build: Build) -> None:
        super().__init__()
        conv = nn.Conv3d if build.dimension == 3 else nn.Conv2d
        widths = build.widths[::-1]
        self.build = build
        inside = widths[0] * build.places[-1] ** build.dimension
        self.stem = nn.Linear(build.numbers + build.dimension, inside)
        self.up = nn.ModuleList(
            stack(build.dimension, widths[max(level - 1, 0)], width, build.depth)
            for level, width in enumerate(widths)
        )
        self.head = conv(widths[-1], build.voxels, 3, padding=1)

    def forward(self, codes: Tensor, aspects: Tensor) -> Tensor:
        """`[design, number]` and `[design, axis]` to `[design, voxel, ...]`."""
        x = self.stem(torch.cat([codes, aspects], dim=1)).reshape(-1, *self.build.innermost)
        for level, block in enumerate(self.up):
            x = block(F.interpolate(x, scale_factor=2.0, mode="nearest") if level else x)
        return cast("Tensor", self.head(F.silu(x)))


class AutoEncoder(nn.Module):
    """Both in one, as they are trained."""

    def __init__(self, build: Build) -> None:
        super().__init__()
        self.build = build
        self.encoder, self.decoder = Encoder(build), Decoder(build)

    def forward(self, fields: Tensor, aspects: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, and the logits they give."""
        codes = self.encoder(fields, aspects)
        return codes, self.decoder(codes, aspects)
