"""Convolution, normalisation, activation: the unit most blocks are made of."""

from __future__ import annotations

from torch import nn

from trabecula.nn.blocks.dimension import (
    Activation,
    Norm,
    batch_norm,
    conv,
)


class ConvNormAct(nn.Sequential):
    """`act(norm(conv(x)))`, `[batch, inputs, *space]` to `[batch, outputs, *space / stride]`.

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel, stride, groups, dilation
        Of the convolution, which has no bias (the normalisation has one); padded to keep the size.
    activation
        Makes the non-linearity; `None` leaves the unit linear.
    norm
        Makes the normalisation from dimension and channels.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        activation: Activation | None = nn.ReLU,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        self.conv = conv(dimension, inputs, outputs, kernel, stride=stride, groups=groups, dilation=dilation)
        self.norm = norm(dimension, outputs)
        if activation is not None:
            self.act = activation()
