"""How many words a memory of a given size must exchange with the next larger one.

The loops of a layer are cut into tiles that fit; one of the three operands (input, weight, partial sum) stays
while the innermost loop over tiles runs; the cheapest combination counts. That is the classical tiling of
matrix products (Hong and Kung 1981) with a convolution's overlap, in the spirit of the mapping search of
Chen, Emer and Sze 2016 (Eyeriss, ISCA), without the shape of a particular array.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.nn.profile.layer import Nest, Shape

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Traffic:
    """Elements that cross a boundary of the memory hierarchy.

    Parameters
    ----------
    inputs, weights
        Elements read.
    outputs
        Partial sums and results, reads and writes together.
    """

    inputs: float
    weights: float
    outputs: float

    def bits(self, weight_bits: int, activation_bits: int) -> float:
        """The same in bits."""
        return self.weights * weight_bits + (self.inputs + self.outputs) * activation_bits


@functools.lru_cache(maxsize=4096)
def traffic(nest: Nest, capacity: float, weight_bits: int = 16, activation_bits: int = 16) -> Traffic:
    """Least traffic of a layer through a memory of `capacity` bytes.

    Parameters
    ----------
    nest
        The loops.
    capacity
        Bytes that hold the tiles of inputs, weights and partial sums together.
    weight_bits, activation_bits
        Bits per element; a partial sum is stored like an activation.

    Returns
    -------
    Traffic
        Elements in and out, the overlap of neighbouring tiles included.
    """
    found = [_best(each, 8 * capacity, weight_bits, activation_bits) for each in _foldings(nest)]
    return min(found, key=lambda each: each.bits(weight_bits, activation_bits))


def _foldings(nest: Nest) -> Iterator[Nest]:
    """The loops as they are, and with kernel dimensions run as loops outside the tile.

    A small memory holds a row of a kernel, or one tap; inputs are then read once per row or tap.
    """
    dimensions = len(nest.kernel)
    for outside in range(dimensions + 1):
        rows = math.prod(nest.kernel[:outside])
        if outside and rows == 1:
            continue
        kernel = (1,) * outside + nest.kernel[outside:]
        yield replace(nest, inputs=nest.inputs * rows, kernel=kernel)


def _steps(size: int) -> list[int]:
    """Powers of two up to `size`, and `size`."""
    return [*(2**power for power in range(size.bit_length()) if 2**power < size), size]


def _tiles(nest: Nest) -> Iterator[tuple[int, Shape]]:
    """Images and pixels of a tile: cubes of pixels, whole rows, several images once all pixels fit."""
    pixels = nest.pixels
    seen: set[Shape] = set()
    for step in _steps(max(pixels)):
        cube = tuple(min(step, size) for size in pixels)
        rows = (min(step, pixels[0]), *pixels[1:])
        for tile in (cube, rows):
            if tile not in seen:
                seen.add(tile)
                yield 1, tile
    for images in _steps(nest.images)[1:]:
        yield images, pixels


def _best(nest: Nest, capacity: float, weight_bits: int, activation_bits: int) -> Traffic:
    """The cheapest tiling: which tile, and which operand stays (all sizes at once, as arrays)."""
    taps = math.prod(nest.kernel)
    images, area, halo, count = _areas(nest)
    out = np.array(_steps(nest.outputs), float)[None, :, None]
    into = np.array(_steps(nest.inputs), float)[None, None, :]
    size = activation_bits * (images * area * out + images * halo * into) + weight_bits * out * into * taps
    fits = size <= capacity

    sheets = np.ceil(nest.outputs / out)
    slices = np.ceil(nest.inputs / into)
    once_in = count * images * halo * nest.inputs * np.ones_like(size)
    once_out = float(nest.images * nest.outputs * math.prod(nest.pixels))
    once_weight = float(nest.outputs * nest.inputs * taps)
    spilled = once_out * (2 * slices - 1)
    ways = [
        (once_in * sheets, once_weight * count, once_out * np.ones_like(size)),
        (once_in, once_weight * count, spilled),
        (once_in * sheets, once_weight * np.ones_like(size), spilled),
    ]
    best, least = _no_reuse(nest), math.inf
    for read, weight, written in ways:
        total = activation_bits * (read + written) + weight_bits * weight
        total = np.where(fits, total, np.inf)
        place = np.unravel_index(int(np.argmin(total)), total.shape)
        if total[place] < least:
            least = float(total[place])
            parts = (
                np.broadcast_to(part, total.shape)[place] * nest.groups for part in (read, weight, written)
            )
            best = Traffic(*(float(part) for part in parts))
    return best


def _areas(nest: Nest) -> tuple[Array, Array, Array, Array]:
    """Images, output pixels, input pixels and number of the candidate tiles, shaped for broadcasting."""
    rows = []
    for images, tile in _tiles(nest):
        reach = [
            min((pixel - 1) * step + taps, pixel * taps)
            for pixel, step, taps in zip(tile, nest.stride, nest.kernel, strict=True)
        ]
        number = math.prod(math.ceil(size / part) for size, part in zip(nest.pixels, tile, strict=True))
        number *= math.ceil(nest.images / images)
        rows.append((images, math.prod(tile), math.prod(reach), number))
    columns = np.array(rows, float).T[:, :, None, None]
    return columns[0], columns[1], columns[2], columns[3]


def _no_reuse(nest: Nest) -> Traffic:
    """A memory too small for anything: every operand is fetched for every multiply-accumulate."""
    return Traffic(float(nest.macs), float(nest.macs), 2.0 * nest.macs)
