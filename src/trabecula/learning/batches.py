"""Examples as batches of equal shape, turned and mirrored at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trabecula.learning.example import Example, Half
from trabecula.surrogate import pack
from trabecula.surrogate.features import AXIS_GROUPS

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ExampleBatch:
    """Packed tensors `[example, channel * patch^d, ...]`; `inside` is 1 where a voxel is in the domain."""

    fields: Tensor
    base: Tensor
    target: Tensor
    inside: Tensor


class ExampleBatches:
    """An endless supply of batches; the same ones for the same seed.

    Parameters
    ----------
    examples
        Of any shapes; those of the same shape share a batch.
    inside
        The channel that says where the domain is.
    patch, multiple
        Of the network.
    count
        Examples per batch.
    """

    def __init__(
        self, examples: Sequence[Example], inside: int, patch: int, multiple: int, count: int = 8
    ) -> None:
        self.examples, self.inside = examples, inside
        self.patch, self.multiple, self.count = patch, multiple, count
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for i, example in enumerate(examples):
            by_shape.setdefault(tuple(sorted(example.target.shape)), []).append(i)
        self._groups = [by_shape[shape] for shape in sorted(by_shape)]
        sizes = np.array([len(group) for group in self._groups], float)
        self._odds = sizes / sizes.sum()

    def draw(self, random: np.random.Generator) -> ExampleBatch:
        """One batch; every example turned and mirrored, all to the same shape."""
        group = self._groups[int(random.choice(len(self._groups), p=self._odds))]
        chosen = [self.examples[int(i)] for i in random.choice(group, self.count)]
        shape = chosen[0].target.shape
        orders = list(permutations(range(len(shape))))
        goal = tuple(shape[a] for a in orders[int(random.integers(len(orders)))])
        turned = []
        for example in chosen:
            fitting = [order for order in orders if tuple(example.target.shape[a] for a in order) == goal]
            order = fitting[int(random.integers(len(fitting)))]
            flips = [bool(flip) for flip in random.integers(2, size=len(goal))]
            turned.append(turn(example, order, flips))
        return self.batch(turned)

    def batch(self, examples: Sequence[Example]) -> ExampleBatch:
        """These examples, of one shape, as a batch."""
        fields = np.stack([pack(e.fields.astype(np.float32), self.patch, self.multiple) for e in examples])
        base, target, inside = (
            np.stack([pack(a.astype(np.float32)[None], self.patch, self.multiple) for a in arrays])
            for arrays in (
                [e.base for e in examples],
                [e.target for e in examples],
                [e.fields[self.inside] for e in examples],
            )
        )
        return ExampleBatch(*map(torch.from_numpy, (fields, base, target, inside)))


def turn(example: Example, order: Sequence[int], flips: Sequence[bool]) -> Example:
    """The example with its axes in another order, and some of them mirrored.

    Parameters
    ----------
    order
        The new array axis `a` is the old `order[a]`.
    flips
        Of the new array axes.
    """
    dimension = len(order)
    spatial = [a for a, flip in enumerate(flips) if flip]

    def move(array: Half, first: int) -> Half:
        axes = (*range(first), *(first + a for a in order))
        return np.flip(array.transpose(axes), tuple(first + a for a in spatial))

    # Channels of an axis group run x, y, z; array axes run z, y, x.
    names = [dimension - 1 - order[dimension - 1 - axis] for axis in range(dimension)]
    channels = list(range(example.fields.shape[0]))
    for group in range(AXIS_GROUPS):
        first = len(channels) - (AXIS_GROUPS - group) * dimension
        channels[first : first + dimension] = [first + name for name in names]
    return Example(move(example.fields[channels], 1), move(example.base, 0), move(example.target, 0))
