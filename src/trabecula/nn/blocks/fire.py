"""Fire module (Iandola et al. 2016, SqueezeNet, arXiv 1602.07360)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trabecula.nn.blocks.dimension import conv


class Fire(nn.Module):
    """Squeeze by 1x1, then expand by 1x1 and 3x3 side by side.

    `s = relu(W_s x)`, `y = [relu(W_1 s), relu(W_3 * s)]`, `[batch, inputs, *space]` to
    `[batch, expand1 + expand3, *space]` (section 3.2, fig. 1); convolutions with bias, no normalisation.

    Parameters
    ----------
    inputs
        Channels.
    squeeze
        Channels in the middle, fewer than `expand1 + expand3`.
    expand1, expand3
        Channels of the 1x1 and the 3x3 branch.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(self, inputs: int, squeeze: int, expand1: int, expand3: int, *, dimension: int = 2) -> None:
        super().__init__()
        self.squeeze = conv(dimension, inputs, squeeze, bias=True)
        self.expand1 = conv(dimension, squeeze, expand1, bias=True)
        self.expand3 = conv(dimension, squeeze, expand3, 3, bias=True)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, expand1 + expand3, *space]`."""
        s = self.act(self.squeeze(x))
        return torch.cat([self.act(self.expand1(s)), self.act(self.expand3(s))], 1)
