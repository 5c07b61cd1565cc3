"""Learned group convolution (Huang et al. 2018, CondenseNet, arXiv 1711.09224).

Training begins dense; in stages every group of filters drops the inputs that matter least to it, and what
is left becomes an index layer and a standard grouped convolution.

    net = nets.build("condensenet")
    for epoch in range(epochs):
        advance(net, epoch / epochs)                      # drops inputs when a stage ends
        loss = task_loss + 1e-5 * group_lasso(net)        # makes the groups agree on what to drop
    quick = deployed(net)                                 # equal outputs, a fraction of the weights
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trabecula.nn.blocks.dimension import (
    Conv,
    Norm,
    batch_norm,
    conv,
    convolve,
)
from trabecula.nn.blocks.shuffle import ChannelShuffle


def condensation_stage(progress: float, condensation: int) -> int:
    """Number of condensing stages that have ended at `progress` of the training, 0 to `condensation - 1`.

    Huang et al. 2018, section 4.1: with `M` epochs each of the `C - 1` stages takes `M / (2 (C - 1))`, so
    the second half of the training optimises with the final connections.

    Parameters
    ----------
    progress
        Part of the training that is done, 0 to 1.
    condensation
        The factor `C`.
    """
    if condensation == 1:
        return 0
    # A little more than the float, or 3/6 of a training would end only two of three stages.
    return min(int(2 * progress * (condensation - 1) + 1e-9), condensation - 1)


class LearnedGroupConv(nn.Module):
    """Convolution whose groups choose their inputs while training: L-Conv.

    The filters are `groups` equal groups. When a stage ends, group `g` drops the `inputs / C` remaining
    inputs `j` of least `sum_i |F^g_ij|` (section 4.1), so `inputs / C` inputs per group are left after
    `C - 1` stages. One input may serve several groups, or none.

    Parameters
    ----------
    inputs
        Channels, divisible by `condensation`.
    outputs
        Channels, divisible by `groups`; in order of the groups, so a `ChannelShuffle` should follow.
    kernel, stride
        Of the convolution; the paper condenses 1x1 convolutions.
    groups
        `G`.
    condensation
        The factor `C`; `None`: equal to `groups`, as in the paper.
    bias
        Of the convolution.
    dimension
        Spatial axes, 1 to 3.

    Raises
    ------
    ValueError
        Inputs that the condensation does not divide, or outputs that the groups do not divide.
    """

    kept: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 4,
        condensation: int | None = None,
        bias: bool = False,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        factor = groups if condensation is None else condensation
        if inputs % factor or outputs % groups:
            raise ValueError(
                f"{inputs} inputs must be a multiple of the condensation {factor}, "
                f"{outputs} outputs one of the {groups} groups"
            )
        self.inputs, self.outputs, self.kernel, self.stride = inputs, outputs, kernel, stride
        self.groups, self.condensation, self.dimension = groups, factor, dimension
        self.conv: Conv = conv(dimension, inputs, outputs, kernel, stride=stride, bias=bias)
        self.register_buffer("kept", torch.ones(groups, inputs, dtype=torch.bool))

    @property
    def stage(self) -> int:
        """Condensing stages that have ended."""
        dropped = self.inputs - int(self.kept[0].sum())
        return dropped * self.condensation // self.inputs

    def _by_group(self) -> Tensor:
        """The weights as `[groups, filters of a group, inputs, places of the kernel]`."""
        return self.conv.weight.reshape(self.groups, self.outputs // self.groups, self.inputs, -1)

    def weight(self) -> Tensor:
        """The weights with those of dropped inputs set to zero, shaped as those of the convolution."""
        mask = self.kept[:, None, :, None].to(self.conv.weight.dtype)
        return (self._by_group() * mask).reshape(self.conv.weight.shape)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        return convolve(self.conv, x, self.weight())

    @torch.no_grad()
    def drop(self) -> None:
        """End a stage: every group drops `inputs / C` more inputs; nothing when all stages are over."""
        if self.stage >= self.condensation - 1:
            return
        importance = self._by_group().abs().sum((1, 3))
        importance = importance.masked_fill(~self.kept, torch.inf)
        least = importance.topk(self.inputs // self.condensation, 1, largest=False).indices
        self.kept.scatter_(1, least, False)

    def advance(self, progress: float) -> None:
        """End all the stages that should be over at `progress` (0 to 1) of the training."""
        for _ in range(condensation_stage(progress, self.condensation) - self.stage):
            self.drop()

    def group_lasso(self) -> Tensor:
        """`sum_g sum_j sqrt(sum_i (F^g_ij)^2)` over the inputs still kept, a scalar (section 4.1)."""
        squares = self._by_group().square().sum((1, 3))[self.kept]
        # The floor keeps the slope of the root finite where all the weights are zero.
        return squares.clamp_min(1e-12).sqrt().sum()

    @torch.no_grad()
    def deploy(self) -> CondensedConv:
        """The test-time form, with equal outputs.

        Raises
        ------
        ValueError
            Before the last stage has ended.
        """
        if self.stage < self.condensation - 1:
            raise ValueError(
                f"stage {self.stage} of {self.condensation - 1} has ended; "
                "call advance(net, 1.0), then train on, before it is deployed"
            )
        index = torch.stack([row.nonzero().flatten() for row in self.kept])
        made = CondensedConv(
            index,
            self.outputs,
            self.kernel,
            stride=self.stride,
            bias=self.conv.bias is not None,
            dimension=self.dimension,
        ).to(self.conv.weight)
        weights = [rows[:, chosen] for rows, chosen in zip(self._by_group(), index, strict=True)]
        made.conv.weight.copy_(torch.cat(weights).reshape(made.conv.weight.shape))
        if self.conv.bias is not None and made.conv.bias is not None:
            made.conv.bias.copy_(self.conv.bias)
        return made.train(self.training)

    def extra_repr(self) -> str:
        """Groups and condensation, for printing."""
        return f"groups={self.groups}, condensation={self.condensation}"


class CondensedConv(nn.Module):
    """Index layer, then a standard grouped convolution: the test-time form (Huang et al. 2018, fig. 4).

    `outputs inputs / C` weights, and as many multiply-adds per place.

    Parameters
    ----------
    index
        `[groups, inputs / C]` channels that each group reads.
    outputs, kernel, stride, bias, dimension
        As in `LearnedGroupConv`.
    """

    index: Tensor

    def __init__(
        self,
        index: Tensor,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        bias: bool = False,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        self.register_buffer("index", index.flatten())
        self.conv = conv(
            dimension, index.numel(), outputs, kernel, stride=stride, groups=len(index), bias=bias
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, outputs, *space / stride]`."""
        y: Tensor = self.conv(x.index_select(1, self.index))
        return y


class CondenseLayer(nn.Module):
    """A layer of CondenseNet: `[x, G(shuffle(L(x)))]`, normalised and rectified before each (fig. 5).

    `L` is the learned 1x1 convolution to `bottleneck * growth` channels, `G` a grouped 3x3 to `growth`.

    Parameters
    ----------
    inputs
        Channels; `inputs + growth` come out.
    growth
        Channels that the layer adds.
    bottleneck
        Width in the middle for each added channel, 4.
    groups, condensation
        `G` of both convolutions and the factor `C`.
    norm, dimension
        As in `ConvNormAct`.
    """

    def __init__(
        self,
        inputs: int,
        growth: int,
        *,
        bottleneck: int = 4,
        groups: int = 4,
        condensation: int | None = None,
        norm: Norm = batch_norm,
        dimension: int = 2,
    ) -> None:
        super().__init__()
        middle = bottleneck * growth
        self.branch = nn.Sequential(
            norm(dimension, inputs),
            nn.ReLU(),
            LearnedGroupConv(inputs, middle, groups=groups, condensation=condensation, dimension=dimension),
            ChannelShuffle(groups),
            norm(dimension, middle),
            nn.ReLU(),
            conv(dimension, middle, growth, 3, groups=groups),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, inputs, *space]` to `[batch, inputs + growth, *space]`."""
        return torch.cat([x, self.branch(x)], 1)


def learned_groups(module: nn.Module) -> list[LearnedGroupConv]:
    """All the learned group convolutions in `module`."""
    return [layer for layer in module.modules() if isinstance(layer, LearnedGroupConv)]


def advance(module: nn.Module, progress: float) -> None:
    """Bring every learned group convolution to the stage of `progress` (0 to 1) of the training."""
    for layer in learned_groups(module):
        layer.advance(progress)


def group_lasso(module: nn.Module) -> Tensor:
    """The group-lasso regulariser of the whole `module`, a scalar; the paper weighs it by 1e-5."""
    return sum((layer.group_lasso() for layer in learned_groups(module)), torch.zeros(()))
