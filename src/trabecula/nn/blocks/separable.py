"""Depthwise separable convolution (Sifre & Mallat 2014; Howard et al. 2017, MobileNet, arXiv 1704.04861)."""

from __future__ import annotations

from torch import nn

from trabecula.nn.blocks.conv import ConvNormAct
from trabecula.nn.blocks.dimension import (
    Activation,
    Norm,
    batch_norm,
    conv,
)


class SeparableConv(nn.Sequential):
    """A convolution as one filter a channel, then a mixture of channels, and nothing between.

    `y = W_point (W_depth * x)`, `[batch, inputs, *space]` to `[batch, outputs, *space / stride]`. Costs
    `1 / outputs + 1 / kernel^d` of the full convolution (Howard et al. 2017, section 3.1).

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel, stride
        Of the depthwise convolution.
    bias
        Of the pointwise convolution.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        bias: bool = False,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        self.depthwise = conv(dimension, inputs, inputs, kernel, stride=stride, groups=inputs)
        self.pointwise = conv(dimension, inputs, outputs, bias=bias)


class DepthwiseSeparable(nn.Sequential):
    """The unit of MobileNet v1: depthwise, norm, act, pointwise, norm, act (Howard et al. 2017, fig. 3).

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel, stride
        Of the depthwise convolution, 3 and 1.
    activation
        Of both halves.
    linear
        Leave the activation after the pointwise convolution out (the SepConv of MnasNet).
    norm, dimension
        As in `ConvNormAct`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        activation: Activation = nn.ReLU,
        linear: bool = False,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        self.depthwise = ConvNormAct(
            inputs,
            inputs,
            kernel,
            stride=stride,
            groups=inputs,
            activation=activation,
            norm=norm,
            dimension=dimension,
        )
        self.pointwise = ConvNormAct(
            inputs, outputs, activation=None if linear else activation, norm=norm, dimension=dimension
        )
