"""ShuffleNet v1 (Zhang et al. 2018, table 1) and v2 (Ma et al. 2018, table 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from trabecula.nn.blocks import (
    ConvNormAct,
    GapHead,
    ShuffleUnitV1,
    ShuffleUnitV2,
    max_pool,
)
from trabecula.nn.nets.stem import assemble

STEM = 24
REPEATS = (4, 8, 4)
V1_GROUPS = 3
V1_X1_0 = (240, 480, 960)
# Channels of the three stages and of the last convolution.
V2 = {
    "x0_5": (48, 96, 192, 1024),
    "x1_0": (116, 232, 464, 1024),
    "x1_5": (176, 352, 704, 1024),
    "x2_0": (244, 488, 976, 2048),
}


def _stem(inputs: int, dimension: int) -> nn.Sequential:
    return nn.Sequential(
        ConvNormAct(inputs, STEM, 3, stride=2, dimension=dimension), max_pool(dimension, 3, 2, padding=1)
    )


def shufflenet_v1(
    widths: Sequence[int], groups: int, classes: int, inputs: int, dimension: int
) -> nn.Sequential:
    """Grouped 1x1 convolutions with shuffles."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        yield "stem", _stem(inputs, dimension)
        width = STEM
        for number, (outputs, repeats) in enumerate(zip(widths, REPEATS, strict=True), 1):
            stage = nn.Sequential()
            for index in range(repeats):
                stage.append(
                    ShuffleUnitV1(
                        width,
                        outputs,
                        groups=groups,
                        stride=2 if index == 0 else 1,
                        first=number == 1 and index == 0,
                        dimension=dimension,
                    )
                )
                width = outputs
            yield f"stage{number}", stage
        yield "head", GapHead(width, classes)

    return assemble(parts())


def shufflenet_v2(widths: Sequence[int], classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """Split, one working half, shuffle."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        yield "stem", _stem(inputs, dimension)
        width = STEM
        for number, (outputs, repeats) in enumerate(zip(widths[:3], REPEATS, strict=True), 1):
            stage = nn.Sequential()
            for index in range(repeats):
                stage.append(
                    ShuffleUnitV2(width, outputs, stride=2 if index == 0 else 1, dimension=dimension)
                )
                width = outputs
            yield f"stage{number}", stage
        yield "last", ConvNormAct(width, widths[3], dimension=dimension)
        yield "head", GapHead(widths[3], classes)

    return assemble(parts())
