"""ShiftNet-A (Wu et al. 2018, arXiv 1711.08141, table 4): all spatial mixing but the first by shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from trabecula.nn.blocks import (
    ConvShiftConv,
    GapHead,
    batch_norm,
    conv,
)
from trabecula.nn.nets.stem import assemble


@dataclass(frozen=True)
class ShiftStage:
    """`repeats` CSC modules; the first halves the size and expands by `first`, the others by `expansion`."""

    outputs: int
    repeats: int
    kernel: int
    first: int
    expansion: int


STEM = 32
A = (
    ShiftStage(64, 5, 5, 4, 4),
    ShiftStage(128, 6, 5, 4, 3),
    ShiftStage(256, 7, 3, 3, 2),
    ShiftStage(512, 3, 3, 2, 1),
)


def shiftnet(stages: Sequence[ShiftStage], classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """A 7x7 convolution, four stages of conv-shift-conv, a global average."""

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width = STEM
        yield "stem", conv(dimension, inputs, width, 7, stride=2)
        for number, row in enumerate(stages, 1):
            stage = nn.Sequential()
            for index in range(row.repeats):
                stage.append(
                    ConvShiftConv(
                        width,
                        row.outputs,
                        expansion=row.expansion if index else row.first,
                        kernel=row.kernel,
                        stride=1 if index else 2,
                        dimension=dimension,
                    )
                )
                width = row.outputs
            yield f"stage{number}", stage
        yield "last", nn.Sequential(batch_norm(dimension, width), nn.ReLU())
        yield "head", GapHead(width, classes)

    return assemble(parts())
