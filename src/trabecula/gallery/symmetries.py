"""The moves of its box, mirror images and turns, under which a problem is itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations, permutations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid

ROUNDING = 1e-9
"""Relative difference that counts as rounding."""

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Move:
    """A turn or mirror image of a box: its array axes `[z, y, x]` in a new order, then some of them flipped.

    Attributes
    ----------
    order
        Which old axis every new axis is.
    flips
        New axes that run the other way.
    """

    order: tuple[int, ...]
    flips: tuple[int, ...] = ()

    def apply(self, values: NDArray[Number]) -> NDArray[Number]:
        """The image of a field `[z, y, x]` over elements or nodes; a view."""
        return np.flip(values.transpose(self.order), self.flips)

    def apply_to_vectors(self, values: NDArray[Number], signs: bool) -> NDArray[Number]:
        """The image of a field `[component, z, y, x]` over nodes.

        Parameters
        ----------
        signs
            Whether components along flipped axes change their sign, as those of forces do.
        """
        if len(values) == 1:  # of heat
            return self.apply(values[0])[None]
        dimension = len(self.order)
        image = np.empty((dimension, *self.apply(values[0]).shape), values.dtype)
        for axis, old in enumerate(self.order):
            moved = self.apply(values[dimension - 1 - old])
            image[dimension - 1 - axis] = -moved if signs and axis in self.flips else moved
        return image


def symmetries(discrete: DiscreteProblem) -> tuple[Move, ...]:
    """The moves under which supports, loads, own weight and passive parts are themselves, identity first.

    Of several load cases one may be the image of another with the same weight, and a case without own weight
    that of its opposite. Problems whose goal or limits are more than the weighted compliance and the volume
    have only the identity here, for quantities may name places; so have grids that are no boxes of voxels.
    """
    dimension = len(discrete.grid.shape)
    identity = Move(tuple(range(dimension)))
    goal = discrete.goal
    is_known = goal.keys is None and goal.minimize in ("compliance", "volume") and not goal.limits
    if not isinstance(discrete.grid, Grid) or not is_known or len(goal.compliance or ()) > 1:
        return (identity,)
    return tuple(move for move in _moves(discrete.grid) if move == identity or _is_symmetry(discrete, move))


def _moves(grid: Grid) -> Iterator[Move]:
    """All moves that map a box of voxels to itself, the identity first."""
    dimension = grid.dimension
    sides = [(grid.shape[axis], grid.spacing[dimension - 1 - axis]) for axis in range(dimension)]
    flips = list(chain.from_iterable(combinations(range(dimension), n) for n in range(dimension + 1)))
    for order in permutations(range(dimension)):
        if all(_is_same_side(sides[axis], sides[old]) for axis, old in enumerate(order)):
            yield from (Move(order, flip) for flip in flips)


def _is_same_side(one: tuple[int, float], other: tuple[int, float]) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= ROUNDING * one[1]


def _is_symmetry(discrete: DiscreteProblem, move: Move) -> bool:
    if not all(np.array_equal(move.apply(each), each) for each in (discrete.lower, discrete.upper)):
        return False
    if not np.array_equal(move.apply_to_vectors(discrete.fixed, signs=False), discrete.fixed):
        return False
    return all(_has_image(discrete, case, move) for case in range(len(discrete.weights)))


def _has_image(discrete: DiscreteProblem, case: int, move: Move) -> bool:
    """Whether one of the cases is the image of a case."""
    load = move.apply_to_vectors(discrete.loads[case], signs=True)
    gravity = np.array(discrete.gravity[case])
    dimension = len(move.order)
    if gravity.any():
        gravity = np.array(
            [
                discrete.gravity[case][dimension - 1 - move.order[dimension - 1 - component]]
                * (-1.0 if dimension - 1 - component in move.flips else 1.0)
                for component in range(dimension)
            ]
        )
    signs = (1.0,) if gravity.any() else (1.0, -1.0)
    return any(
        discrete.weights[other] == discrete.weights[case]
        and _is_close(gravity, discrete.gravity[other])
        and any(_is_close(sign * load, discrete.loads[other]) for sign in signs)
        for other in range(len(discrete.weights))
    )


def _is_close(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) <= ROUNDING * np.abs(other).max(initial=0.0))
