"""ResNet (He et al. 2016), SE-ResNet (Hu et al. 2018), ResNeXt (Xie et al. 2017) of bottlenecks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from torch import nn

from trabecula.nn.blocks import (
    ConvNormAct,
    GapHead,
    ResNeXtBottleneck,
    SqueezeExcite,
    max_pool,
)
from trabecula.nn.nets.stem import assemble

PLANES = (64, 128, 256, 512)


@dataclass(frozen=True)
class ResTable:
    """Blocks of the four stages; paths and channels of a path; with squeeze-and-excitation or not."""

    repeats: tuple[int, int, int, int] = (3, 4, 6, 3)
    cardinality: int = 1
    base_width: int = 64
    gated: bool = False


def resnet(table: ResTable, classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """A 7x7 convolution, a pool, four stages of bottlenecks, a global average."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width = 64
        yield (
            "stem",
            nn.Sequential(
                ConvNormAct(inputs, width, 7, stride=2, dimension=dimension),
                max_pool(dimension, 3, 2, padding=1),
            ),
        )
        for number, (planes, repeats) in enumerate(zip(PLANES, table.repeats, strict=True), 1):
            stage = nn.Sequential()
            for index in range(repeats):
                stage.append(
                    ResNeXtBottleneck(
                        width,
                        planes,
                        cardinality=table.cardinality,
                        base_width=table.base_width,
                        stride=2 if index == 0 and number > 1 else 1,
                        gate=partial(SqueezeExcite, dimension=dimension) if table.gated else None,
                        dimension=dimension,
                    )
                )
                width = 4 * planes
            yield f"stage{number}", stage
        yield "head", GapHead(width, classes)

    return assemble(parts())
