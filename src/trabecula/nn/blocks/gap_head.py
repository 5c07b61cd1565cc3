"""Global average pooling instead of fully connected layers (Lin, Chen & Yan 2014, arXiv 1312.4400)."""

from __future__ import annotations

from torch import Tensor, nn

from trabecula.nn.blocks.dimension import conv


class GlobalAveragePool(nn.Module):
    """`[batch, channels, *space]` to `[batch, channels]`: the mean over all places; no parameters.

    Lin et al. 2014, section 3.2: sums out where something is, so nothing is left to overfit and any input
    size will do.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Mean over every axis behind the first two."""
        return x.flatten(2).mean(2)


class GapHead(nn.Sequential):
    """Pool, then classify: `[batch, inputs, *space]` to `[batch, classes]`.

    `inputs * classes + classes` parameters, whatever the size of the picture (ResNet, MobileNet,
    EfficientNet end so).

    Parameters
    ----------
    inputs
        Channels.
    classes
        Width of the output.
    dropout
        Chance that a pooled value is dropped while training.
    """

    def __init__(self, inputs: int, classes: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.pool = GlobalAveragePool()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)


class ConvGapHead(nn.Sequential):
    """Classify every place by a 1x1 convolution, then pool: `[batch, inputs, *space]` to `[batch, classes]`.

    The form of Network in Network and of SqueezeNet: one map a class, whose mean is the score.

    Parameters
    ----------
    inputs
        Channels.
    classes
        Width of the output.
    dropout
        Chance that a value is dropped in front of the convolution while training.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(self, inputs: int, classes: int, *, dropout: float = 0.5, dimension: int = 2) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = conv(dimension, inputs, classes, bias=True)
        self.act = nn.ReLU()
        self.pool = GlobalAveragePool()
