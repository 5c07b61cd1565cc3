"""Layers written down by hand, as the papers give them."""

from __future__ import annotations

from trabecula.nn.profile import Layer, Nest


def convolution(
    name: str, inputs: int, outputs: int, kernel: int, stride: int, size: int, groups: int = 1
) -> Layer:
    nest = Nest(1, groups, inputs // groups, outputs // groups, (size, size), (kernel,) * 2, (stride,) * 2)
    before = (1, inputs, size * stride, size * stride)
    return Layer(
        name, "convolution", (before,), ((1, outputs, size, size),), weights=nest.weights, nests=(nest,)
    )


def linear(name: str, inputs: int, outputs: int) -> Layer:
    nest = Nest(1, 1, inputs, outputs)
    return Layer(name, "linear", ((1, inputs),), ((1, outputs),), weights=nest.weights, nests=(nest,))


# Krizhevsky et al. 2012: two groups in the second, fourth and fifth layer, one image.
ALEXNET_CONVOLUTIONS = [
    convolution("1", 3, 96, 11, 4, 55),
    convolution("2", 96, 256, 5, 1, 27, groups=2),
    convolution("3", 256, 384, 3, 1, 13),
    convolution("4", 384, 384, 3, 1, 13, groups=2),
    convolution("5", 384, 256, 3, 1, 13, groups=2),
]
ALEXNET = [
    *ALEXNET_CONVOLUTIONS,
    linear("6", 9216, 4096),
    linear("7", 4096, 4096),
    linear("8", 4096, 1000),
]


def _fire(inputs: int, squeeze: int, expand: int, size: int) -> list[Layer]:
    return [
        convolution("squeeze", inputs, squeeze, 1, 1, size),
        convolution("expand1", squeeze, expand, 1, 1, size),
        convolution("expand3", squeeze, expand, 3, 1, size),
    ]


# Iandola et al. 2016, table 1, version 1.0.
SQUEEZENET = [
    convolution("1", 3, 96, 7, 2, 109),
    *_fire(96, 16, 64, 54),
    *_fire(128, 16, 64, 54),
    *_fire(128, 32, 128, 54),
    *_fire(256, 32, 128, 27),
    *_fire(256, 48, 192, 27),
    *_fire(384, 48, 192, 27),
    *_fire(384, 64, 256, 27),
    *_fire(512, 64, 256, 13),
    convolution("10", 512, 1000, 1, 1, 13),
]

# Simonyan and Zisserman 2015, configuration D.
VGG16_CONVOLUTIONS = [
    convolution(f"{size}-{inputs}-{outputs}-{place}", inputs, outputs, 3, 1, size)
    for place, (inputs, outputs, size) in enumerate(
        [
            (3, 64, 224),
            (64, 64, 224),
            (64, 128, 112),
            (128, 128, 112),
            (128, 256, 56),
            (256, 256, 56),
            (256, 256, 56),
            (256, 512, 28),
            (512, 512, 28),
            (512, 512, 28),
            (512, 512, 14),
            (512, 512, 14),
            (512, 512, 14),
        ]
    )
]
