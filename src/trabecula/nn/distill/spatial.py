"""Feature maps of one, two and three dimensions by the same code; `[batch, channels]` counts as one place."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

CONVOLUTIONS: tuple[type[nn.Conv1d | nn.Conv2d | nn.Conv3d], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED: tuple[type[nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d], ...] = (
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
AVERAGES = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
MAXIMA = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)


def with_space(feature: Tensor) -> Tensor:
    """`[batch, channels]` as `[batch, channels, 1]`; everything else as it is."""
    return feature.unsqueeze(-1) if feature.ndim == 2 else feature


def size_of(feature: Tensor) -> tuple[int, ...]:
    """Places along every axis of space, of a feature as `with_space` gives it."""
    return tuple(with_space(feature).shape[2:])


def rank(size: tuple[int, ...]) -> int:
    """Dimensions of space, refusing more than three."""
    if not 1 <= len(size) <= 3:
        raise ValueError(f"features of {len(size)} dimensions; 1, 2 and 3 are possible")
    return len(size)


def smaller(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The lesser number of places along every axis.

    Raises
    ------
    ValueError
        Where the dimensions differ.
    """
    if len(first) != len(second):
        raise ValueError(f"features of {len(first)} and {len(second)} dimensions cannot be compared")
    return tuple(min(pair) for pair in zip(first, second, strict=True))


def average_pool(feature: Tensor, size: tuple[int, ...]) -> Tensor:
    """Average pooling to a size; nothing where it has that size."""
    feature = with_space(feature)
    if size_of(feature) == size:
        return feature
    pooled: Tensor = AVERAGES[rank(size) - 1](feature, size)  # type: ignore[arg-type]
    return pooled


def max_pool(feature: Tensor, size: tuple[int, ...]) -> Tensor:
    """Maximum pooling to a size; nothing where it has that size."""
    feature = with_space(feature)
    if size_of(feature) == size:
        return feature
    pooled: Tensor = MAXIMA[rank(size) - 1](feature, size)
    return pooled
