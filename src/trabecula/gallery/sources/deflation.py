"""Deflation: a penalty that pushes away from the designs found so far, and is released before the end.

Source: Papadopoulos, Farrell and Surowiec 2021, "Computing multiple solutions of topology optimization
problems", whose deflation keeps Newton's method from solutions that are known. Here it is a term of the
objective, so that any optimiser can follow it; and as it is released, what comes out is a stationary point of
the problem itself. If that is a design that was known, it is told by its difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.gallery.ground import Draw, Ground
from trabecula.optimize.analysis import Analysis
from trabecula.physics import Guess, Machine
from trabecula.responses import Evaluation
from trabecula.starts import Proposal, RandomFields, volume_of

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

WEIGHTS = (0.25, 0.5, 1.0)
"""Of the penalty, relative to the objective, one after the other."""

REACH = 0.12
"""Difference from a known design at which the penalty has fallen to 1/e."""

RELEASED = 35
"""Iterations after which the penalty is released; the search makes 60."""

MOST = 12
"""Known designs at most, best first."""


class DeflatedAnalysis(Analysis):
    """An analysis whose objective is larger near known designs.

    The objective f becomes f (1 + w sum_k exp(-d_k / s)), where d_k is the mean squared difference of the
    physical density from known design k over the voxels that are designed, relative to two unrelated 0/1
    designs of these volumes. For 0/1 designs that is the difference that the gallery measures.

    Parameters
    ----------
    discrete, machine
        As for `Analysis`.
    known
        bool `[z, y, x]`: designs, with their images.
    weight, reach
        w and s.
    """

    def __init__(
        self,
        discrete: DiscreteProblem,
        machine: Machine | int | None,
        known: Sequence[Mask],
        weight: float,
        reach: float = REACH,
    ) -> None:
        super().__init__(discrete, machine)
        self.known, self.weight, self.reach = tuple(known), weight, reach
        self._free = np.asarray(discrete.upper > discrete.lower)
        self._volume = volume_of(discrete)

    def evaluate(
        self,
        x: Array,
        penalty: float,
        beta: float = 0.0,
        start: Sequence[Guess] | None = None,
        tolerance: float = 1e-3,
        verify: bool = False,
    ) -> Evaluation:
        """Solve the state of a design and differentiate, as `Analysis.evaluate` does; with the penalty."""
        found = super().evaluate(x, penalty, beta, start, tolerance, verify)
        factor, slope = self.factor(self.chain.physical(x, beta))
        pushed = self.chain.sensitivity(x, self.chain.pullback(x, beta, slope))
        size = abs(found.objective)
        objective = found.objective + size * (factor - 1.0)
        sign = 1.0 if found.objective >= 0.0 else -1.0
        return replace(
            found,
            objective=objective,
            gradient=found.gradient * (1.0 + sign * (factor - 1.0)) + size * pushed,
        )

    def factor(self, physical: Array) -> tuple[float, Array]:
        """What the objective is multiplied by at a design, and its derivative with respect to that.

        Parameters
        ----------
        physical
            float64 `[z, y, x]`: physical density.
        """
        total, slope, p = 1.0, np.zeros_like(physical), self._volume
        count = max(1, int(self._free.sum()))
        for mask in self.known:
            q = float(mask[self._free].mean()) if self._free.any() else 0.0
            unrelated = max(p * (1.0 - q) + q * (1.0 - p), 1e-3) * count
            apart = np.where(self._free, physical - mask, 0.0)
            near = self.weight * float(np.exp(-float((apart * apart).sum()) / (unrelated * self.reach)))
            total += near
            slope -= (2.0 * near / (unrelated * self.reach)) * apart
        return total, slope


@dataclass(frozen=True)
class Deflation:
    """Starts under a penalty on what is known: ramps and random fields in turn, with different weights."""

    description: str = "A penalty that pushes away from the designs found so far."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as asked for; none as long as nothing is known."""
        if not ground.known:
            return []
        images = [image for mask in ground.known[:MOST] for image in ground.comparison.images(mask)]
        draws = []
        for k in range(first, first + count):
            weight = WEIGHTS[k % len(WEIGHTS)]
            make = partial(_deflate, known=tuple(images), weight=weight)
            draws.append(Draw(_begin(ground, k), make, RELEASED))
        return draws


def _deflate(discrete: DiscreteProblem, machine: Machine, known: tuple[Mask, ...], weight: float) -> Analysis:
    return DeflatedAnalysis(discrete, machine, known, weight)


def _begin(ground: Ground, k: int) -> Proposal:
    """The start of draw k: a random field of its own, from a penalty below the end's where k is odd."""
    discrete, chain = ground.discrete, ground.analysis.chain
    end = discrete.options.penalty
    (*_, field) = RandomFields(ground.seed + 1).propose(discrete, chain, k + 1)
    schedule = Schedule(min(1.5, end), end, 15) if k % 2 else Schedule(end, end)
    return Proposal(str(k), "deflation", field.density, schedule)


DEFLATION = Deflation()
