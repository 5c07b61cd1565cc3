"""AlexNet in the one-tower form (Krizhevsky 2014, arXiv 1404.5997), the one torchvision has."""

from __future__ import annotations

from torch import nn

from trabecula.nn.blocks import adaptive_average_pool, conv, max_pool

# Channels, kernel, stride, padding, and whether a pool of 3 by stride 2 follows.
STAGES = ((64, 11, 4, 2, True), (192, 5, 1, 2, True), (384, 3, 1, 1, False), (256, 3, 1, 1, False))
LAST = (256, 3, 1, 1, True)
POOLED, HIDDEN = 6, 4096


def alexnet(classes: int, inputs: int, dimension: int) -> nn.Sequential:
    """Five convolutions, then three dense layers that hold 96 % of the 61.1 M parameters."""
    features = nn.Sequential()
    width = inputs
    for outputs, kernel, stride, padding, pooled in (*STAGES, LAST):
        features.append(conv(dimension, width, outputs, kernel, stride=stride, padding=padding, bias=True))
        features.append(nn.ReLU())
        if pooled:
            features.append(max_pool(dimension, 3, 2))
        width = outputs
    head = nn.Sequential(
        adaptive_average_pool(dimension, POOLED),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(width * POOLED**dimension, HIDDEN),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(),
        nn.Linear(HIDDEN, classes),
    )
    net = nn.Sequential()
    net.add_module("features", features)
    net.add_module("head", head)
    return net
