"""Names of the published networks, and how each is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial

from torch import nn

from trabecula.nn.nets.alexnet import alexnet
from trabecula.nn.nets.condensenet import condensenet
from trabecula.nn.nets.efficientnet import (
    MNASNET_A1,
    SCALES,
    SIZE,
    efficientnet_table,
    mbnet,
)
from trabecula.nn.nets.mobilenet import (
    V3_LARGE,
    V3_SMALL,
    mobilenet_v1,
    mobilenet_v2,
    mobilenet_v3,
)
from trabecula.nn.nets.resnet import ResTable, resnet
from trabecula.nn.nets.shiftnet import A, shiftnet
from trabecula.nn.nets.shufflenet import (
    V1_GROUPS,
    V1_X1_0,
    V2,
    shufflenet_v1,
    shufflenet_v2,
)
from trabecula.nn.nets.squeezenet import V1_0, V1_1, squeezenet

Builder = Callable[[int, int, int], nn.Sequential]


@dataclass(frozen=True)
class PublishedNetwork:
    """A network of the literature.

    Parameters
    ----------
    builder
        Makes it from classes, input channels, dimension.
    size
        Voxels along an axis of the inputs its figures were published for.
    """

    builder: Builder
    size: int = SIZE


_TABLE: dict[str, PublishedNetwork] = {
    "alexnet": PublishedNetwork(alexnet),
    "squeezenet1_0": PublishedNetwork(partial(squeezenet, V1_0)),
    "squeezenet1_1": PublishedNetwork(partial(squeezenet, V1_1)),
    "mobilenet_v1": PublishedNetwork(mobilenet_v1),
    "mobilenet_v2": PublishedNetwork(mobilenet_v2),
    "mobilenet_v3_large": PublishedNetwork(partial(mobilenet_v3, V3_LARGE, 1280)),
    "mobilenet_v3_small": PublishedNetwork(partial(mobilenet_v3, V3_SMALL, 1024)),
    "shufflenet_v1_x1_0": PublishedNetwork(partial(shufflenet_v1, V1_X1_0, V1_GROUPS)),
    **{f"shufflenet_v2_{name}": PublishedNetwork(partial(shufflenet_v2, row)) for name, row in V2.items()},
    "resnet50": PublishedNetwork(partial(resnet, ResTable())),
    "resnet101": PublishedNetwork(partial(resnet, ResTable((3, 4, 23, 3)))),
    "resnet152": PublishedNetwork(partial(resnet, ResTable((3, 8, 36, 3)))),
    "se_resnet50": PublishedNetwork(partial(resnet, ResTable(gated=True))),
    "resnext50_32x4d": PublishedNetwork(partial(resnet, ResTable(cardinality=32, base_width=4))),
    "resnext101_32x8d": PublishedNetwork(partial(resnet, ResTable((3, 4, 23, 3), 32, 8))),
    "condensenet": PublishedNetwork(partial(condensenet, 8)),
    "condensenet_4": PublishedNetwork(partial(condensenet, 4)),
    "shiftnet": PublishedNetwork(partial(shiftnet, A)),
    "mnasnet_a1": PublishedNetwork(partial(mbnet, MNASNET_A1)),
    **{
        f"efficientnet_{name}": PublishedNetwork(
            partial(mbnet, efficientnet_table(scale, dropout=dropout)), scale.size(SIZE)
        )
        for name, (scale, dropout) in SCALES.items()
    },
}


def names() -> list[str]:
    """Names that `build` knows, in alphabetical order."""
    return sorted(_TABLE)


def entry(name: str) -> PublishedNetwork:
    """The entry of a network: how it is built and for what size of input its figures hold.

    Raises
    ------
    ValueError
        An unknown name; the message says the nearest.
    """
    if name in _TABLE:
        return _TABLE[name]
    near = max(names(), key=lambda known: SequenceMatcher(None, name, known).ratio())
    raise ValueError(f"no network is called {name!r}; the nearest is {near!r}, nets.names() lists all")


def build(name: str, *, classes: int = 1000, inputs: int = 3, dimension: int = 2) -> nn.Sequential:
    """A published network with fresh weights.

    Under `with torch.device("meta")` it takes no memory, which is enough to count.

    Parameters
    ----------
    name
        As torchvision and timm call it, e.g. `"efficientnet_b0"`; `names()` lists all.
    classes
        Width of the output.
    inputs
        Channels of the input.
    dimension
        2 as published; 1 and 3 build the same network for sequences and volumes.

    Returns
    -------
    torch.nn.Sequential
        Parts `stem`, `stage1`, ..., `head` (AlexNet: `features`, `head`), which maps
        `[batch, inputs, *space]` to `[batch, classes]`.

    Raises
    ------
    ValueError
        An unknown name; the message says the nearest.

    >>> build("mobilenet_v2", classes=10).head.classifier.out_features
    10
    """
    return entry(name).builder(classes, inputs, dimension)
