"""Bottleneck by 1x1 convolutions (Lin et al. 2014; He et al. 2016, ResNet, arXiv 1512.03385)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from trabecula.nn.blocks.conv import ConvNormAct
from trabecula.nn.blocks.dimension import Activation, Norm, batch_norm


class Bottleneck(nn.Module):
    """Narrow by 1x1, filter by 3x3 at the small width, widen by 1x1, add.

    `y = act(x' + g(W_1 act(W_3 * act(W_1 x))))` with a normalisation after each convolution (He et al.
    2016, fig. 5 right). `x'` is `x`, or its 1x1 projection where width or size change. At `outputs = 4
    width` the three convolutions cost `17 width^2` weights where two 3x3 at full width cost `288 width^2`.

    Parameters
    ----------
    inputs
        Channels before.
    width
        Channels in the middle.
    outputs
        Channels after; `None`: `4 width`, as in the paper.
    stride
        Of the 3x3 convolution (the "v1.5" form of torchvision; the paper strides the first 1x1).
    groups
        Of the 3x3 convolution; more than one is ResNeXt.
    gate
        Makes a module from the number of outputs, put before the sum (SE-ResNet); `None`: none.
    activation, norm, dimension
        As in `ConvNormAct`.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        outputs: int | None = None,
        *,
        stride: int = 1,
        groups: int = 1,
        gate: Callable[[int], nn.Module] | None = None,
        activation: Activation = nn.ReLU,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        wide = 4 * width if outputs is None else outputs
        branch = nn.Sequential()
        branch.add_module(
            "reduce", ConvNormAct(inputs, width, activation=activation, norm=norm, dimension=dimension)
        )
        branch.add_module(
            "conv",
            ConvNormAct(
                width,
                width,
                3,
                stride=stride,
                groups=groups,
                activation=activation,
                norm=norm,
                dimension=dimension,
            ),
        )
        branch.add_module("expand", ConvNormAct(width, wide, activation=None, norm=norm, dimension=dimension))
        if gate is not None:
            branch.add_module("gate", gate(wide))
        self.branch = branch
        same = stride == 1 and inputs == wide
        self.shortcut: nn.Module = (
            nn.Identity()
            if same
            else ConvNormAct(inputs, wide, stride=stride, activation=None, norm=norm, dimension=dimension)
        )
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        y: Tensor = self.act(self.shortcut(x) + self.branch(x))
        return y
