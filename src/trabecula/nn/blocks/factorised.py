"""Large filters as several small ones (Szegedy et al. 2016, arXiv 1512.00567, sections 3.1 and 3.2)."""

from __future__ import annotations

from torch import nn

from trabecula.nn.blocks.conv import ConvNormAct
from trabecula.nn.blocks.dimension import (
    Activation,
    Norm,
    batch_norm,
    conv,
)


def _odd(kernel: int) -> int:
    if kernel < 3 or kernel % 2 == 0:
        raise ValueError(f"kernel is {kernel}; an odd number from 3 on can be factorised")
    return kernel


class FactorisedConv(nn.Sequential):
    """A `kernel` wide convolution as `(kernel - 1) / 2` convolutions of width 3.

    5x5 becomes 3x3 + 3x3: the same field of view with 18/25 of the weights (2-D, equal widths), and a
    non-linearity in between, which Szegedy et al. found to help (section 3.1). The first convolution
    carries the stride and changes the width.

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel
        Width of the filter that is replaced, odd, 5 by default.
    stride
        Of the first convolution.
    activation, norm, dimension
        As in `ConvNormAct`.

    Raises
    ------
    ValueError
        An even kernel, or one under 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 5,
        stride: int = 1,
        activation: Activation | None = nn.ReLU,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        def unit(index: int) -> ConvNormAct:
            first = index == 0
            return ConvNormAct(
                inputs if first else outputs,
                outputs,
                3,
                stride=stride if first else 1,
                activation=activation,
                norm=norm,
                dimension=dimension,
            )

        super().__init__(*(unit(index) for index in range((_odd(kernel) - 1) // 2)))


class AsymmetricConv(nn.Sequential):
    """A `kernel` wide convolution as one convolution along each axis: `1 x n`, then `n x 1`.

    `d n` weights per channel pair instead of `n^d` (Szegedy et al. 2016, section 3.2: a third fewer for
    3x3); exact where the filter is a product of its axes.

    Parameters
    ----------
    inputs, outputs
        Channels; the first convolution changes the width.
    kernel
        Width along each axis, odd.
    bias
        Of the last convolution.
    dimension
        Spatial axes, 2 or 3.

    Raises
    ------
    ValueError
        An even kernel, or one under 3.
    """

    def __init__(
        self, inputs: int, outputs: int, *, kernel: int = 3, bias: bool = False, dimension: int = 2
    ) -> None:
        _odd(kernel)
        super().__init__()
        for axis in range(dimension):
            widths = tuple(kernel if other == axis else 1 for other in range(dimension))
            last = axis == dimension - 1
            self.append(
                conv(dimension, inputs if axis == 0 else outputs, outputs, widths, bias=bias and last)
            )
