"""MnasNet-A1 (Tan et al. 2019, arXiv 1807.11626) and EfficientNet B0 to B7 (Tan & Le 2019, 1905.11946)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from trabecula.nn.blocks import (
    ConvNormAct,
    DepthwiseSeparable,
    GapHead,
    Scale,
    mbconv,
    scale_stages,
)
from trabecula.nn.blocks.dimension import Activation, Norm, batch_norm
from trabecula.nn.blocks.inverted import MOBILE_NORM
from trabecula.nn.nets.stem import assemble


@dataclass(frozen=True)
class MBStage:
    """`repeats` MBConv blocks, the first with `stride`; expansion 1 ungated is a separable convolution."""

    outputs: int
    repeats: int
    kernel: int
    stride: int
    expansion: int
    gated: bool


@dataclass(frozen=True)
class MBTable:
    """A network of MBConv stages: widths of the ends, non-linearity, dropout of the head and of branches."""

    stages: Sequence[MBStage]
    stem: int
    last: int
    activation: Activation
    norm: Norm
    dropout: float
    drop: float


# Fig. 7 of Tan et al. 2019.
MNASNET_A1 = MBTable(
    (
        MBStage(16, 1, 3, 1, 1, False),
        MBStage(24, 2, 3, 2, 6, False),
        MBStage(40, 3, 5, 2, 3, True),
        MBStage(80, 4, 3, 2, 6, False),
        MBStage(112, 2, 3, 1, 6, True),
        MBStage(160, 3, 5, 2, 6, True),
        MBStage(320, 1, 3, 1, 6, False),
    ),
    stem=32,
    last=1280,
    activation=nn.ReLU,
    norm=batch_norm,
    dropout=0.2,
    drop=0.0,
)

# Table 1 of Tan & Le 2019.
B0 = (
    MBStage(16, 1, 3, 1, 1, True),
    MBStage(24, 2, 3, 2, 6, True),
    MBStage(40, 2, 5, 2, 6, True),
    MBStage(80, 3, 3, 2, 6, True),
    MBStage(112, 3, 5, 1, 6, True),
    MBStage(192, 4, 5, 2, 6, True),
    MBStage(320, 1, 3, 1, 6, True),
)
SIZE = 224
# Depth, width and resolution as published with the weights: near 1.2^phi, 1.1^phi, 1.15^phi, rounded by
# hand (B2's width is 1.1, not 1.21); then the dropout of the head.
SCALES = {
    "b0": (Scale(), 0.2),
    "b1": (Scale(1.1, 1.0, 240 / SIZE), 0.2),
    "b2": (Scale(1.2, 1.1, 260 / SIZE), 0.3),
    "b3": (Scale(1.4, 1.2, 300 / SIZE), 0.3),
    "b4": (Scale(1.8, 1.4, 380 / SIZE), 0.4),
    "b5": (Scale(2.2, 1.6, 456 / SIZE), 0.4),
    "b6": (Scale(2.6, 1.8, 528 / SIZE), 0.5),
    "b7": (Scale(3.1, 2.0, 600 / SIZE), 0.5),
}


def efficientnet_table(scale: Scale, *, dropout: float = 0.2, drop: float = 0.2) -> MBTable:
    """EfficientNet-B0 scaled by any `scale`, e.g. `Compound().at(0.5)` or at a negative step.

    Parameters
    ----------
    scale
        Multipliers; the resolution concerns the inputs, not the table.
    dropout
        Of the head.
    drop
        Chance of stochastic depth of the last block, growing linearly from 0 at the first.
    """
    return MBTable(
        scale_stages(B0, scale),
        stem=scale.channels(32),
        last=scale.channels(1280),
        activation=nn.SiLU,
        norm=MOBILE_NORM,
        dropout=dropout,
        drop=drop,
    )


def _block(row: MBStage, table: MBTable, width: int, stride: int, drop: float, dimension: int) -> nn.Module:
    if row.expansion == 1 and not row.gated:
        return DepthwiseSeparable(
            width,
            row.outputs,
            row.kernel,
            stride=stride,
            activation=table.activation,
            linear=True,
            norm=table.norm,
            dimension=dimension,
        )
    return mbconv(
        width,
        row.outputs,
        expansion=row.expansion,
        kernel=row.kernel,
        stride=stride,
        gated=row.gated,
        activation=table.activation,
        drop=drop,
        norm=table.norm,
        dimension=dimension,
    )


def mbnet(table: MBTable, classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """A 3x3 convolution, stages of MBConv blocks, a 1x1 convolution, a global average."""

    def unit(before: int, after: int, kernel: int, stride: int) -> ConvNormAct:
        return ConvNormAct(
            before,
            after,
            kernel,
            stride=stride,
            activation=table.activation,
            norm=table.norm,
            dimension=dimension,
        )

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width, done = table.stem, 0
        blocks = sum(row.repeats for row in table.stages)
        yield "stem", unit(inputs, width, 3, 2)
        for number, row in enumerate(table.stages, 1):
            stage = nn.Sequential()
            for index in range(row.repeats):
                stride = row.stride if index == 0 else 1
                stage.append(_block(row, table, width, stride, table.drop * done / blocks, dimension))
                width, done = row.outputs, done + 1
            yield f"stage{number}", stage
        yield "last", unit(width, table.last, 1, 1)
        yield "head", GapHead(table.last, classes, dropout=table.dropout)

    return assemble(parts())
