"""Fully learnable group convolution (Wang et al. 2019, CVPR, arXiv 1904.00346)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trabecula.nn.blocks.dimension import Conv, conv, convolve


def one_hot_choice(logits: Tensor) -> Tensor:
    """Rows of `logits` as one-hot choices, with the slope of their softmax (straight through).

    Wang et al. 2019, eqs. 4 to 6: binary in the forward pass, real in the backward pass.
    """
    soft = logits.softmax(1)
    hard = torch.zeros_like(soft).scatter_(1, soft.argmax(1, keepdim=True), 1.0)
    return hard + (soft - soft.detach())


class FullyLearnableGroupConv(nn.Module):
    """Convolution that learns which inputs and which filters form a group: FLGC.

    `y = ((T S^T) * W) * x` (eqs. 1 to 3): `S`, `[inputs, groups]`, and `T`, `[outputs, groups]`, are one-hot
    rows, the arg-max of learned numbers, so filter `n` sees input `c` only if both chose the same group.
    Groups may differ in size. Learned end to end together with the weights.

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel, stride
        Of the convolution.
    groups
        Number of groups; at most that many are used.
    bias
        Of the convolution.
    dimension
        Spatial axes, 1 to 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 4,
        bias: bool = False,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        self.groups, self.kernel, self.stride, self.dimension = groups, kernel, stride, dimension
        self.conv: Conv = conv(dimension, inputs, outputs, kernel, stride=stride, bias=bias)
        self.input_choice = nn.Parameter(torch.randn(inputs, groups))
        self.filter_choice = nn.Parameter(torch.randn(outputs, groups))

    def mask(self) -> Tensor:
        """`T S^T`, `[outputs, inputs]`, 1 where filter and input are in one group."""
        return one_hot_choice(self.filter_choice) @ one_hot_choice(self.input_choice).T

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        mask = self.mask().reshape(self.conv.weight.shape[:2] + (1,) * self.dimension)
        return convolve(self.conv, x, self.conv.weight * mask)

    def members(self) -> list[tuple[Tensor, Tensor]]:
        """Indices of the inputs and of the filters of every group."""
        sides = (self.input_choice.argmax(1), self.filter_choice.argmax(1))
        return [
            ((sides[0] == group).nonzero().flatten(), (sides[1] == group).nonzero().flatten())
            for group in range(self.groups)
        ]

    def deploy(self) -> IndexedGroupConv:
        """The test-time form, with equal outputs: indices and one dense convolution a group (fig. 3)."""
        return IndexedGroupConv(self.conv, self.members())


class IndexedGroupConv(nn.Module):
    """Gather the inputs of a group, convolve, and put all the outputs back in order.

    Parameters
    ----------
    full
        The convolution whose weights are taken.
    members
        Indices of inputs and filters of every group. A group without filters is left out; of filters
        without inputs only the bias remains, kept as a convolution of the first input with zeros.
    """

    order: Tensor

    def __init__(self, full: Conv, members: list[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.convs = nn.ModuleList()
        used = [(inputs, filters) for inputs, filters in members if len(filters)]
        for group, (inputs, filters) in enumerate(used):
            read = inputs if len(inputs) else inputs.new_zeros(1)
            part = conv(
                len(full.kernel_size),
                len(read),
                len(filters),
                full.kernel_size,
                stride=full.stride[0],
                bias=full.bias is not None,
            ).to(full.weight)
            with torch.no_grad():
                part.weight.copy_(full.weight[filters][:, read] * (1.0 if len(inputs) else 0.0))
                if full.bias is not None and part.bias is not None:
                    part.bias.copy_(full.bias[filters])
            self.convs.append(part)
            self.register_buffer(f"read{group}", read)
        self.register_buffer("order", torch.cat([filters for _, filters in used]).argsort())

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        parts = [
            part(x.index_select(1, self.get_buffer(f"read{group}"))) for group, part in enumerate(self.convs)
        ]
        return torch.cat(parts, 1).index_select(1, self.order)
