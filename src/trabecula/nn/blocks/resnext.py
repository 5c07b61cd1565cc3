"""Aggregated residual transformations (Xie et al. 2017, ResNeXt, arXiv 1611.05431)."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from trabecula.nn.blocks.bottleneck import Bottleneck
from trabecula.nn.blocks.dimension import Activation, Norm, batch_norm


class ResNeXtBottleneck(Bottleneck):
    """Bottleneck of `cardinality` parallel paths, written as one grouped convolution.

    `y = act(x' + sum_{i=1}^{C} T_i(x))`, every `T_i` a bottleneck of its own; equal to a bottleneck whose
    3x3 convolution has `C` groups (eq. 2 and fig. 3c). At cardinality 1 and base width 64 it is ResNet's.

    Parameters
    ----------
    inputs
        Channels before.
    planes
        ResNet's width of the stage: 64, 128, 256, 512; the outputs are `4 planes`.
    cardinality, base_width
        Paths, and channels of a path in the first stage: 32 and 4 in "32x4d".
    stride, gate, activation, norm, dimension
        As in `Bottleneck`.
    """

    def __init__(
        self,
        inputs: int,
        planes: int,
        *,
        cardinality: int = 32,
        base_width: int = 4,
        stride: int = 1,
        gate: Callable[[int], nn.Module] | None = None,
        activation: Activation = nn.ReLU,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__(
            inputs,
            planes * base_width // 64 * cardinality,
            4 * planes,
            stride=stride,
            groups=cardinality,
            gate=gate,
            activation=activation,
            norm=norm,
            dimension=dimension,
        )
