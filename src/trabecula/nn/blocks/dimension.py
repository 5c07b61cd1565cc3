"""Convolution, normalisation and pooling of one, two or three dimensions, chosen by a number."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d
Activation = Callable[[], nn.Module]
Norm = Callable[[int, int], nn.Module]

_CONV: dict[int, type[nn.Conv1d] | type[nn.Conv2d] | type[nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: nn.Conv3d,
}
_NORM: dict[int, type[nn.BatchNorm1d] | type[nn.BatchNorm2d] | type[nn.BatchNorm3d]] = {
    1: nn.BatchNorm1d,
    2: nn.BatchNorm2d,
    3: nn.BatchNorm3d,
}
_MAX: dict[int, type[nn.MaxPool1d] | type[nn.MaxPool2d] | type[nn.MaxPool3d]] = {
    1: nn.MaxPool1d,
    2: nn.MaxPool2d,
    3: nn.MaxPool3d,
}
_AVERAGE: dict[int, type[nn.AvgPool1d] | type[nn.AvgPool2d] | type[nn.AvgPool3d]] = {
    1: nn.AvgPool1d,
    2: nn.AvgPool2d,
    3: nn.AvgPool3d,
}
_ADAPTIVE: dict[int, type[nn.AdaptiveAvgPool1d] | type[nn.AdaptiveAvgPool2d] | type[nn.AdaptiveAvgPool3d]] = {
    1: nn.AdaptiveAvgPool1d,
    2: nn.AdaptiveAvgPool2d,
    3: nn.AdaptiveAvgPool3d,
}


def check_dimension(dimension: int) -> int:
    """`dimension` itself, or a sentence that says what is allowed.

    Raises
    ------
    ValueError
        Other than 1, 2 or 3.
    """
    if dimension not in _CONV:
        raise ValueError(f"dimension is {dimension}; allowed: 1 (sequences), 2 (images), 3 (volumes)")
    return dimension


def conv(
    dimension: int,
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, ...] = 1,
    *,
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
    bias: bool = False,
    padding: int | None = None,
) -> Conv:
    """Convolution `[batch, inputs, *space]` to `[batch, outputs, *space / stride]`.

    Parameters
    ----------
    dimension
        1, 2 or 3 spatial axes.
    inputs, outputs
        Channels; both divisible by `groups`.
    kernel
        Width of the filter along every axis, or one width an axis.
    stride, groups, dilation, bias
        As in `torch.nn.Conv2d`; no bias by default because a normalisation usually follows.
    padding
        `None`: `dilation * (kernel - 1) // 2`, which keeps the size at stride 1 for odd kernels.

    Raises
    ------
    ValueError
        A dimension that does not exist, or channels that the groups do not divide.
    """
    if inputs % groups or outputs % groups:
        raise ValueError(f"{inputs} and {outputs} channels cannot be divided into {groups} groups")
    kind = _CONV[check_dimension(dimension)]
    widths = (kernel,) * dimension if isinstance(kernel, int) else kernel
    around = tuple(dilation * (n - 1) // 2 if padding is None else padding for n in widths)
    return kind(
        inputs,
        outputs,
        widths,  # type: ignore[arg-type]
        stride=stride,
        padding=around,  # type: ignore[arg-type]
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


def convolve(layer: Conv, x: Tensor, weight: Tensor) -> Tensor:
    """What `layer` would answer to `x` with other weights of the same shape."""
    kinds = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
    return kinds[weight.dim() - 2](
        x, weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups
    )


def batch_norm(dimension: int, channels: int, *, eps: float = 1e-5, momentum: float = 0.1) -> nn.Module:
    """Batch normalisation over `channels` (Ioffe & Szegedy 2015); 2 `channels` parameters."""
    return _NORM[check_dimension(dimension)](channels, eps=eps, momentum=momentum)


def max_pool(
    dimension: int, kernel: int, stride: int, *, padding: int = 0, ceil_mode: bool = False
) -> nn.Module:
    """Maximum over windows of `kernel` voxels along every spatial axis."""
    return _MAX[check_dimension(dimension)](kernel, stride=stride, padding=padding, ceil_mode=ceil_mode)


def average_pool(dimension: int, kernel: int, stride: int, *, padding: int = 0) -> nn.Module:
    """Mean over windows of `kernel` voxels along every spatial axis, padding counted as zeros."""
    return _AVERAGE[check_dimension(dimension)](kernel, stride=stride, padding=padding)


def adaptive_average_pool(dimension: int, size: int) -> nn.Module:
    """Mean over windows such that every spatial axis has `size` values afterwards."""
    return _ADAPTIVE[check_dimension(dimension)](size)
