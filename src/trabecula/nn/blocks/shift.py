"""Spatial mixing by moving channels: Shift, and the sparse, learned few-shift.

Wu et al. 2018 (arXiv 1711.08141) and Chen et al. 2019 (arXiv 1903.05285). A shifted channel is a
depthwise convolution with a one-hot filter; nothing is multiplied and nothing is learned but where to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from trabecula.nn.blocks.dimension import (
    Norm,
    average_pool,
    batch_norm,
    check_dimension,
    conv,
)

Displacement = tuple[int, ...]


def displace(x: Tensor, displacement: Sequence[int]) -> Tensor:
    """`y[p] = x[p + displacement]`, zero where that is outside: one copy, no multiplication.

    Parameters
    ----------
    x
        `[batch, channels, *space]`.
    displacement
        Voxels along every spatial axis, in the order of the axes.
    """
    if not any(displacement):
        return x
    # A negative pad cuts; `pad` wants the last axis first.
    return pad(x, [step for d in reversed(displacement) for step in (-d, d)])


class Moves(nn.Module):
    """Every channel by its own displacement, channels of equal displacement in one copy.

    No parameters and no multiplications. Channels whose displacements are not sorted are gathered first
    and put back afterwards, which costs two more copies.

    Parameters
    ----------
    displacements
        `[channels, dimension]` whole voxels: `y[c, p] = x[c, p + displacements[c]]`.
    """

    order: Tensor
    back: Tensor

    def __init__(self, displacements: Sequence[Sequence[int]]) -> None:
        super().__init__()
        rows = [tuple(int(d) for d in row) for row in displacements]
        order = sorted(range(len(rows)), key=lambda channel: rows[channel])
        self.sorted = order == list(range(len(rows)))
        self.kinds: list[Displacement] = sorted(set(rows))
        self.sizes = [rows.count(kind) for kind in self.kinds]
        self.register_buffer("order", torch.tensor(order, device="cpu"), persistent=False)
        self.register_buffer("back", torch.tensor(order, device="cpu").argsort(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, channels, *space]`, moved."""
        if not self.sorted:
            x = x.index_select(1, self.order.to(x.device))
        parts: Sequence[Tensor] = torch.split(x, self.sizes, 1)
        y = torch.cat([displace(part, kind) for part, kind in zip(parts, self.kinds, strict=True)], 1)
        return y if self.sorted else y.index_select(1, self.back.to(x.device))

    @property
    def moving_channels(self) -> int:
        """Number of channels that move at all."""
        return sum(size for kind, size in zip(self.kinds, self.sizes, strict=True) if any(kind))

    def extra_repr(self) -> str:
        """Channels and how many of them move, for printing."""
        return f"channels={sum(self.sizes)}, shifted={self.moving_channels}"


def grouped_displacements(
    channels: int, kernel: int = 3, *, dilation: int = 1, dimension: int = 2
) -> list[Displacement]:
    """The assignment of Wu et al. 2018, section 3.1: `channels // kernel^d` channels to every direction.

    What is left over does not move. Sorted, so that equal displacements lie together.

    Raises
    ------
    ValueError
        Fewer channels than directions, or an even kernel: the shift would do nothing or lean.
    """
    if kernel % 2 == 0:
        raise ValueError(f"kernel is {kernel}; a shift needs an odd one")
    directions = list(product(range(-(kernel // 2), kernel // 2 + 1), repeat=check_dimension(dimension)))
    each, rest = divmod(channels, len(directions))
    if each == 0:
        raise ValueError(
            f"{channels} channels are fewer than the {len(directions)} directions of a {kernel}-wide shift"
        )
    still = (0,) * dimension
    rows = [direction for direction in directions for _ in range(each)] + [still] * rest
    return sorted(tuple(dilation * step for step in row) for row in rows)


class Shift(Moves):
    """The grouped shift: each group of channels looks one way, all directions of a kernel alike.

    `y[c, p] = x[c, p + d(c)]`, eq. 4 of Wu et al. 2018: 0 parameters, 0 multiply-adds. Which channel gets
    which direction is free between two 1x1 convolutions (section 3.1), so it is not learned.

    Parameters
    ----------
    channels
        At least `kernel^dimension`.
    kernel
        Odd; 3 by default.
    dilation
        Voxels between directions.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(self, channels: int, kernel: int = 3, *, dilation: int = 1, dimension: int = 2) -> None:
        super().__init__(grouped_displacements(channels, kernel, dilation=dilation, dimension=dimension))


class SparseShift(nn.Module):
    """Sparse shift layer: learns which few channels move, and where to (Chen et al. 2019, section 3).

    Forward is `y[c, p] = x[c, p + round(alpha_c)]`: the quantisation-aware form, whole voxels in training
    and in use alike. Backward, the displacement `alpha` gets the slope of the (bi/tri)linear
    interpolation at its real value, the input that of the rounded move. `shift_penalty` draws the
    displacements to zero, so only a few channels are left to move.

    Parameters
    ----------
    channels
        Each with one real displacement an axis: `channels * dimension` parameters while training, none
        in the form `deploy` returns.
    reach
        The displacements begin uniformly in `[-reach, reach]`.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(self, channels: int, *, reach: float = 1.0, dimension: int = 2) -> None:
        super().__init__()
        self.displacement = nn.Parameter(
            torch.empty(channels, check_dimension(dimension)).uniform_(-reach, reach)
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, channels, *space]`, moved by whole voxels."""
        y = _displace_channels(x, self.displacement.detach().round().long())
        if not (self.training and torch.is_grad_enabled()):
            return y
        slope = _interpolate(x.detach(), self.displacement)
        return y + (slope - slope.detach())

    def deploy(self) -> Moves:
        """The same layer as plain moves, without parameters."""
        rows: list[list[int]] = self.displacement.detach().round().long().tolist()
        return Moves(rows)


def _displace_channels(x: Tensor, displacements: Tensor) -> Tensor:
    """`x` with every channel moved by its row of whole `displacements`, `[channels, dimension]`."""
    kinds, which = torch.unique(displacements, dim=0, return_inverse=True)
    rows: list[list[int]] = kinds.tolist()
    channels = [(which == index).nonzero().flatten() for index in range(len(rows))]
    parts = [displace(x.index_select(1, c), row) for c, row in zip(channels, rows, strict=True)]
    return torch.cat(parts, 1).index_select(1, torch.cat(channels).argsort())


def _interpolate(x: Tensor, displacement: Tensor) -> Tensor:
    """`x` at real displacements by linear interpolation along every axis; differentiable in them."""
    corner = displacement.detach().floor().long()
    fraction = displacement - corner
    shape = (1, -1) + (1,) * displacement.shape[1]
    total = torch.zeros_like(x)
    for step in product((0, 1), repeat=displacement.shape[1]):
        up = torch.tensor(step, device=displacement.device)
        weight = torch.where(up == 1, fraction, 1 - fraction).prod(1).reshape(shape)
        total = total + weight * _displace_channels(x, corner + up)
    return total


def shift_penalty(module: nn.Module) -> Tensor:
    """`sum |alpha|` over every sparse shift in `module`; add `lambda` (5e-4) times it to the loss.

    Chen et al. 2019, eq. 5. A scalar, zero where `module` has no sparse shift.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, SparseShift)]
    return sum((layer.displacement.abs().sum() for layer in layers), torch.zeros(()))


class ConvShiftConv(nn.Module):
    """The CSC module of ShiftNet: 1x1, shift, 1x1, normalised and rectified before each convolution.

    `y = x' + W_2 relu(norm(shift(W_1 relu(norm(x)))))` (Wu et al. 2018, fig. 3). Where width or size
    change, the input, averaged by 3x3 with the stride, is put beside the branch, which then makes
    `outputs - inputs` channels.

    Parameters
    ----------
    inputs, outputs
        Channels; more outputs than inputs unless equal.
    expansion
        Channels in the middle for each channel of the branch's output.
    kernel, dilation
        Of the shift.
    stride
        Of the second convolution.
    shift
        Makes the shift from a number of channels, e.g. a `SparseShift`; `None`: `Shift`.
    norm, dimension
        As in `ConvNormAct`.

    Raises
    ------
    ValueError
        Fewer outputs than inputs, or equal widths at a stride.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        expansion: int = 4,
        kernel: int = 3,
        dilation: int = 1,
        stride: int = 1,
        shift: Callable[[int], nn.Module] | None = None,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        self.joined = stride != 1 or inputs != outputs
        if self.joined and outputs <= inputs:
            raise ValueError(f"{inputs} to {outputs} channels do not fit a CSC module of stride {stride}")
        made = outputs - inputs if self.joined else outputs
        middle = made * expansion
        self.branch = nn.Sequential(
            norm(dimension, inputs),
            nn.ReLU(),
            conv(dimension, inputs, middle),
            shift(middle) if shift else Shift(middle, kernel, dilation=dilation, dimension=dimension),
            norm(dimension, middle),
            nn.ReLU(),
            conv(dimension, middle, made, stride=stride),
        )
        self.shortcut: nn.Module = (
            average_pool(dimension, 3, stride, padding=1) if self.joined else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        y, kept = self.branch(x), self.shortcut(x)
        joined: Tensor = torch.cat([y, kept], 1) if self.joined else y + kept
        return joined
