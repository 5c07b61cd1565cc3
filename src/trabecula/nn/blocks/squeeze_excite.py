"""Squeeze-and-excitation (Hu, Shen & Sun 2018, arXiv 1709.01507)."""

from __future__ import annotations

from torch import Tensor, nn

from trabecula.nn.blocks.dimension import Activation, adaptive_average_pool, conv


class SqueezeExcite(nn.Module):
    """Weighs each channel by what the whole picture says: `x * s`, `s = gate(W2 act(W1 mean(x)))`.

    Hu et al. 2018, eqs. 2 to 4. `x` is `[batch, channels, *space]`, `s` is `[batch, channels, 1, ...]`;
    `2 channels reduced + channels + reduced` parameters.

    Parameters
    ----------
    channels
        Of `x`.
    reduced
        Width in the middle; `None`: `channels // 16`, the paper's reduction, at least 1.
    activation
        Between the two layers.
    gate
        The last non-linearity: `Sigmoid` in the paper and EfficientNet, `Hardsigmoid` in MobileNet v3.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(
        self,
        channels: int,
        reduced: int | None = None,
        *,
        activation: Activation = nn.ReLU,
        gate: Activation = nn.Sigmoid,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        middle = max(1, channels // 16) if reduced is None else reduced
        self.squeeze = adaptive_average_pool(dimension, 1)
        self.reduce = conv(dimension, channels, middle, bias=True)
        self.act = activation()
        self.expand = conv(dimension, middle, channels, bias=True)
        self.gate = gate()

    def scale(self, x: Tensor) -> Tensor:
        """The weights `s`, `[batch, channels, 1, ...]`, between 0 and 1."""
        scale: Tensor = self.gate(self.expand(self.act(self.reduce(self.squeeze(x)))))
        return scale

    def forward(self, x: Tensor) -> Tensor:
        """`x` with every channel weighed."""
        return x * self.scale(x)
