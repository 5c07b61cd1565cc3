"""Compound scaling of depth, width and resolution (Tan & Le 2019, EfficientNet, arXiv 1905.11946).

A family of networks from one: choose what one step up may cost, find the cheapest exponents once on the
small network, and scale all three together. Works on any table of stages whose rows are dataclasses with
`outputs` and `repeats`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class StageRow(DataclassInstance, Protocol):
        """A row of a table of stages: a frozen dataclass with channels and a number of repeats."""

        @property
        def outputs(self) -> int:
            """Channels after the stage."""

        @property
        def repeats(self) -> int:
            """Blocks in the stage."""


R = TypeVar("R", bound="StageRow")


def round_channels(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of `divisor` that loses at most 10 %, at least `divisor` itself.

    The rounding of MobileNet v2 and EfficientNet: hardware likes multiples of 8, and a network should not
    become noticeably thinner by it.

    >>> round_channels(33), round_channels(1.1 * 24), round_channels(3), round_channels(11)
    (32, 24, 8, 16)
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


@dataclass(frozen=True)
class Scale:
    """Multipliers of a network's three measures; `Scale()` changes nothing.

    Parameters
    ----------
    depth
        Of the number of blocks.
    width
        Of the number of channels.
    resolution
        Of the number of voxels along an axis.
    """

    depth: float = 1.0
    width: float = 1.0
    resolution: float = 1.0

    def repeats(self, repeats: int) -> int:
        """Scaled number of blocks, rounded up so that no stage disappears."""
        # Ten digits: 1.1 * 10 is 11.000000000000002 and must not become 12.
        return math.ceil(round(self.depth * repeats, 10))

    def channels(self, channels: int, divisor: int = 8) -> int:
        """Scaled number of channels, by `round_channels`."""
        return round_channels(self.width * channels, divisor)

    def size(self, size: int, divisor: int = 1) -> int:
        """Scaled number of voxels along an axis, the nearest multiple of `divisor`."""
        return max(divisor, round(self.resolution * size / divisor) * divisor)

    def cost(self, dimension: int = 2) -> float:
        """Factor on the multiply-adds: `depth width^2 resolution^dimension` (eq. 3)."""
        return self.depth * self.width**2 * self.resolution**dimension


@dataclass(frozen=True)
class Compound:
    """The three constants of compound scaling (eq. 3); the defaults are EfficientNet's.

    Parameters
    ----------
    alpha, beta, gamma
        Factors on depth, width and resolution for one step up; all at least 1.

    >>> Compound().at(0)
    Scale(depth=1.0, width=1.0, resolution=1.0)
    >>> round(Compound().at(1).cost(), 2)
    1.92
    """

    alpha: float = 1.2
    beta: float = 1.1
    gamma: float = 1.15

    def at(self, phi: float) -> Scale:
        """`Scale(alpha^phi, beta^phi, gamma^phi)`: about `2^phi` times the cost; `phi` may be negative."""
        return Scale(self.alpha**phi, self.beta**phi, self.gamma**phi)


def candidates(
    dimension: int = 2, *, step: float = 0.05, cost: float = 2.0, tolerance: float = 0.1
) -> list[Compound]:
    """The small grid of the paper's step 1: all constants with `alpha beta^2 gamma^dimension ~ cost`.

    Train the base network scaled by each once and keep the best (Tan & Le 2019, section 3.3). For volumes
    the resolution enters with the third power.

    Parameters
    ----------
    dimension
        Spatial axes of the network.
    step
        Grid spacing of the three constants, from 1 on.
    cost
        What one step up may cost.
    tolerance
        Relative deviation of the cost that is still kept.
    """
    steps = [1 + step * n for n in range(math.ceil((cost * (1 + tolerance) - 1) / step) + 1)]
    grid = (Compound(round(a, 6), round(b, 6), round(c, 6)) for a, b, c in product(steps, repeat=3))
    return [one for one in grid if abs(one.at(1).cost(dimension) - cost) <= tolerance * cost]


def scale_stages(stages: Sequence[R], scale: Scale, divisor: int = 8) -> tuple[R, ...]:
    """A table of stages, wider and deeper by `scale`; every other column stays.

    Parameters
    ----------
    stages
        Rows: dataclasses with `outputs` (channels) and `repeats` (blocks).
    scale
        Multipliers, e.g. `Compound().at(phi)`.
    divisor
        Channels become multiples of it.
    """
    return tuple(
        replace(row, outputs=scale.channels(row.outputs, divisor), repeats=scale.repeats(row.repeats))
        for row in stages
    )
