"""Inverted residuals: the units of MobileNet v2 and v3, MnasNet and EfficientNet.

Sandler et al. 2018 (arXiv 1801.04381), Howard et al. 2019 (1905.02244), Tan et al. 2019 (1807.11626),
Tan & Le 2019 (1905.11946). The unit of MobileNet v1 has neither expansion nor residual and is
`trabecula.nn.blocks.DepthwiseSeparable`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from trabecula.nn.blocks.conv import ConvNormAct
from trabecula.nn.blocks.dimension import Activation, Norm, batch_norm
from trabecula.nn.blocks.scaling import round_channels
from trabecula.nn.blocks.squeeze_excite import SqueezeExcite
from trabecula.nn.blocks.stochastic_depth import StochasticDepth

MOBILE_NORM: Norm = partial(batch_norm, eps=1e-3, momentum=0.01)
"""Batch normalisation with the constants of MobileNet v3 and EfficientNet."""


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter each channel, narrow by 1x1 without activation; add the input if it fits.

    `y = [x +] P(g(D(E(x))))`, Sandler et al. 2018, section 3.3 and table 1: `E` expands to `hidden`
    channels (left out where `hidden == inputs`), `D` is the depthwise convolution with the stride, `g`
    an optional gate, `P` the linear projection. The residual exists at stride 1 and equal widths.

    Parameters
    ----------
    inputs, hidden, outputs
        Channels outside, in the middle, and after.
    kernel, stride
        Of the depthwise convolution.
    activation
        After `E` and `D`.
    gate
        Makes a module from the number of hidden channels, e.g. squeeze-and-excitation; `None`: none.
    drop
        Chance of stochastic depth on the branch.
    norm, dimension
        As in `ConvNormAct`.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        activation: Activation = nn.ReLU6,
        gate: Callable[[int], nn.Module] | None = None,
        drop: float = 0.0,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        unit = partial(ConvNormAct, norm=norm, dimension=dimension)
        branch = nn.Sequential()
        if hidden != inputs:
            branch.add_module("expand", unit(inputs, hidden, activation=activation))
        branch.add_module(
            "depthwise",
            unit(hidden, hidden, kernel, stride=stride, groups=hidden, activation=activation),
        )
        if gate is not None:
            branch.add_module("gate", gate(hidden))
        branch.add_module("project", unit(hidden, outputs, activation=None))
        self.residual = stride == 1 and inputs == outputs
        if self.residual and drop:
            branch.add_module("drop", StochasticDepth(drop))
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        y: Tensor = self.branch(x)
        return x + y if self.residual else y


def mobilenet_v2_unit(
    inputs: int, outputs: int, *, stride: int = 1, expansion: int = 6, dimension: int = 2
) -> InvertedResidual:
    """Inverted residual of MobileNet v2: kernel 3, ReLU6, expansion 6 (Sandler et al. 2018, table 1)."""
    return InvertedResidual(inputs, inputs * expansion, outputs, stride=stride, dimension=dimension)


def mobilenet_v3_unit(
    inputs: int,
    hidden: int,
    outputs: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    gated: bool = True,
    hard_swish: bool = True,
    norm: Norm = MOBILE_NORM,
    dimension: int = 2,
) -> InvertedResidual:
    """Inverted residual of MobileNet v3 (Howard et al. 2019, fig. 4 and tables 1, 2).

    Squeeze-and-excitation to a quarter of the hidden width (a multiple of 8) with a hard sigmoid where
    `gated`; hard swish `x relu6(x + 3) / 6` where `hard_swish`, else ReLU.
    """
    gate = partial(
        SqueezeExcite, reduced=round_channels(hidden / 4), gate=nn.Hardsigmoid, dimension=dimension
    )
    return InvertedResidual(
        inputs,
        hidden,
        outputs,
        kernel=kernel,
        stride=stride,
        activation=nn.Hardswish if hard_swish else nn.ReLU,
        gate=gate if gated else None,
        norm=norm,
        dimension=dimension,
    )


def mbconv(
    inputs: int,
    outputs: int,
    *,
    expansion: int = 6,
    kernel: int = 3,
    stride: int = 1,
    gated: bool = True,
    activation: Activation = nn.SiLU,
    drop: float = 0.0,
    norm: Norm = MOBILE_NORM,
    dimension: int = 2,
) -> InvertedResidual:
    """MBConv of EfficientNet (Tan & Le 2019, table 1) and, with ReLU, of MnasNet (Tan et al. 2019, fig. 7).

    Squeeze-and-excitation reduces to a quarter of the *outer* width `inputs`, not of the hidden one.
    """
    gate = partial(SqueezeExcite, reduced=max(1, inputs // 4), activation=activation, dimension=dimension)
    return InvertedResidual(
        inputs,
        inputs * expansion,
        outputs,
        kernel=kernel,
        stride=stride,
        activation=activation,
        gate=gate if gated else None,
        drop=drop,
        norm=norm,
        dimension=dimension,
    )
