"""MobileNet v1 (Howard et al. 2017), v2 (Sandler et al. 2018), v3 large and small (Howard et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from trabecula.nn.blocks import (
    ConvNormAct,
    DepthwiseSeparable,
    GapHead,
    GlobalAveragePool,
    mobilenet_v2_unit,
    mobilenet_v3_unit,
)
from trabecula.nn.blocks.inverted import MOBILE_NORM
from trabecula.nn.nets.stem import assemble


@dataclass(frozen=True)
class MobileStage:
    """`repeats` units of `outputs` channels, the first with `stride`; `expansion` is for v2."""

    outputs: int
    repeats: int
    stride: int
    expansion: int = 1


# Table 1 of Howard et al. 2017; its last stride is 1 (the 2 printed there would end at 4x4).
V1 = (
    MobileStage(64, 1, 1),
    MobileStage(128, 2, 2),
    MobileStage(256, 2, 2),
    MobileStage(512, 6, 2),
    MobileStage(1024, 2, 2),
)

# Table 2 of Sandler et al. 2018.
V2 = (
    MobileStage(16, 1, 1, 1),
    MobileStage(24, 2, 2, 6),
    MobileStage(32, 3, 2, 6),
    MobileStage(64, 4, 2, 6),
    MobileStage(96, 3, 1, 6),
    MobileStage(160, 3, 2, 6),
    MobileStage(320, 1, 1, 6),
)


@dataclass(frozen=True)
class MobileUnit:
    """One line of tables 1 and 2 of Howard et al. 2019."""

    kernel: int
    hidden: int
    outputs: int
    gated: bool
    hard_swish: bool
    stride: int


V3_LARGE = (
    MobileUnit(3, 16, 16, False, False, 1),
    MobileUnit(3, 64, 24, False, False, 2),
    MobileUnit(3, 72, 24, False, False, 1),
    MobileUnit(5, 72, 40, True, False, 2),
    MobileUnit(5, 120, 40, True, False, 1),
    MobileUnit(5, 120, 40, True, False, 1),
    MobileUnit(3, 240, 80, False, True, 2),
    MobileUnit(3, 200, 80, False, True, 1),
    MobileUnit(3, 184, 80, False, True, 1),
    MobileUnit(3, 184, 80, False, True, 1),
    MobileUnit(3, 480, 112, True, True, 1),
    MobileUnit(3, 672, 112, True, True, 1),
    MobileUnit(5, 672, 160, True, True, 2),
    MobileUnit(5, 960, 160, True, True, 1),
    MobileUnit(5, 960, 160, True, True, 1),
)
V3_SMALL = (
    MobileUnit(3, 16, 16, True, False, 2),
    MobileUnit(3, 72, 24, False, False, 2),
    MobileUnit(3, 88, 24, False, False, 1),
    MobileUnit(5, 96, 40, True, True, 2),
    MobileUnit(5, 240, 40, True, True, 1),
    MobileUnit(5, 240, 40, True, True, 1),
    MobileUnit(5, 120, 48, True, True, 1),
    MobileUnit(5, 144, 48, True, True, 1),
    MobileUnit(5, 288, 96, True, True, 2),
    MobileUnit(5, 576, 96, True, True, 1),
    MobileUnit(5, 576, 96, True, True, 1),
)


def mobilenet_v1(classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """Depthwise separable convolutions from end to end."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width = 32
        yield "stem", ConvNormAct(inputs, width, 3, stride=2, dimension=dimension)
        for number, row in enumerate(V1, 1):
            stage = nn.Sequential()
            for index in range(row.repeats):
                stride = row.stride if index == 0 else 1
                stage.append(DepthwiseSeparable(width, row.outputs, stride=stride, dimension=dimension))
                width = row.outputs
            yield f"stage{number}", stage
        yield "head", GapHead(width, classes, dropout=0.001)

    return assemble(parts())


def mobilenet_v2(classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """Inverted residuals with linear bottlenecks."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width, last = 32, 1280
        yield (
            "stem",
            ConvNormAct(inputs, width, 3, stride=2, activation=nn.ReLU6, dimension=dimension),
        )
        for number, row in enumerate(V2, 1):
            stage = nn.Sequential()
            for index in range(row.repeats):
                stage.append(
                    mobilenet_v2_unit(
                        width,
                        row.outputs,
                        stride=row.stride if index == 0 else 1,
                        expansion=row.expansion,
                        dimension=dimension,
                    )
                )
                width = row.outputs
            yield f"stage{number}", stage
        yield "last", ConvNormAct(width, last, activation=nn.ReLU6, dimension=dimension)
        yield "head", GapHead(last, classes, dropout=0.2)

    return assemble(parts())


def mobilenet_v3(
    units: Sequence[MobileUnit], hidden: int, classes: int, inputs: int, dimension: int
) -> nn.Sequential:
    """Searched units with squeeze-and-excitation and hard swish; `hidden` is the width of the dense layer."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width, last = 16, 6 * units[-1].outputs
        yield (
            "stem",
            ConvNormAct(
                inputs,
                width,
                3,
                stride=2,
                activation=nn.Hardswish,
                norm=MOBILE_NORM,
                dimension=dimension,
            ),
        )
        stage, number = nn.Sequential(), 0
        for unit in units:
            if unit.stride > 1 and len(stage):
                number += 1
                yield f"stage{number}", stage
                stage = nn.Sequential()
            stage.append(
                mobilenet_v3_unit(
                    width,
                    unit.hidden,
                    unit.outputs,
                    kernel=unit.kernel,
                    stride=unit.stride,
                    gated=unit.gated,
                    hard_swish=unit.hard_swish,
                    dimension=dimension,
                )
            )
            width = unit.outputs
        yield f"stage{number + 1}", stage
        yield (
            "last",
            ConvNormAct(width, last, activation=nn.Hardswish, norm=MOBILE_NORM, dimension=dimension),
        )
        yield (
            "head",
            nn.Sequential(
                GlobalAveragePool(),
                nn.Linear(last, hidden),
                nn.Hardswish(),
                nn.Dropout(0.2),
                nn.Linear(hidden, classes),
            ),
        )

    return assemble(parts())
