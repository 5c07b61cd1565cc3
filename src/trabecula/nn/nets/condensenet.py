"""CondenseNet (Huang et al. 2018, arXiv 1711.09224, section 4.3) in its training form.

`trabecula.nn.blocks.advance` condenses it while it trains, `trabecula.nn.blocks.deploy` makes the
test-time form, whose size is the one the paper prints.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from trabecula.nn.blocks import (
    CondenseLayer,
    GlobalAveragePool,
    LearnedGroupConv,
    average_pool,
    batch_norm,
    conv,
)
from trabecula.nn.nets.stem import assemble

REPEATS = (4, 6, 8, 10, 8)
GROWTH = (8, 16, 32, 64, 128)


def condensenet(factor: int, classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """CondenseNet-74: exponentially growing dense blocks; `factor` is both groups `G` and condensation `C`.

    The classifier also loses half of its inputs, at the end of its one stage; the authors' code drops them
    after training, here it is part of the schedule so that the converted network answers the same.
    """

    def parts() -> Iterator[tuple[str, nn.Module]]:
        width = 2 * GROWTH[0]
        yield "stem", conv(dimension, inputs, width, 3, stride=2)
        for number, (repeats, growth) in enumerate(zip(REPEATS, GROWTH, strict=True), 1):
            stage = nn.Sequential()
            for _ in range(repeats):
                stage.append(CondenseLayer(width, growth, groups=factor, dimension=dimension))
                width += growth
            if number < len(REPEATS):
                stage.append(average_pool(dimension, 2, 2))
            yield f"stage{number}", stage
        yield (
            "head",
            nn.Sequential(
                batch_norm(dimension, width),
                nn.ReLU(),
                GlobalAveragePool(),
                nn.Unflatten(1, (width, 1)),
                LearnedGroupConv(width, classes, groups=1, condensation=2, bias=True, dimension=1),
                nn.Flatten(),
            ),
        )

    return assemble(parts())
