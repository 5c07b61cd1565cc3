"""What a solve publishes after every iteration, as callers see it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.numerics.errstate import own_errstate


@dataclass(frozen=True)
class LimitValue:
    """A limit of the goal, and how the design under way stands to it.

    Attributes
    ----------
    name
        Of the quantity that is limited: "volume" or "compliance".
    value, limit
        In the quantity's unit; the value is None where only the worst violation of several limits is known.
    violation
        By how much the limit is exceeded, relative to it; 0 where it is kept.
    """

    name: str
    value: float | None
    limit: float | None
    violation: float

    def to_json(self) -> dict[str, object]:
        """As a JSON object; what is infinite or undefined becomes None."""
        return _plain(vars(self))


@dataclass(frozen=True, eq=False, repr=False)
class Progress:
    """One step of a solve, in the units of the problem.

    Attributes
    ----------
    stage
        What is being done: a grid, a search, the proof.
    run
        Name of the run; several of them may be under way at once.
    origin
        The start that the run's design came of; runs of one design on several grids share it.
    iteration
        Of the run, or of the bound, from 1.
    penalty, beta
        In force: of the interpolation, and the steepness of the projection (0: none).
    objective
        The goal's value of the last analysed design, times one plus the worst violation of a limit.
    compliance
        Weighted compliance of the last analysed design, in J (W K for heat).
    change
        Largest change of a design variable in the step.
    volume
        Used fraction of the domain.
    limits
        Every limit of the goal, with its value.
    seconds
        Since the start.
    fraction
        Rough share of the solve that is done, 0 to 1.
    shape
        Of the grid under way, `[z, y, x]` or `[y, x]`.
    spacing
        Edge lengths of its voxels along x, y(, z), in metres.
    done
        Whether this design is finished already: it comes out unless the rest of the solve finds a better one.
        Once at most: with `start="learned"` where a search follows what a network drew, and with
        `start="coarse"` where designs are projected, on grids of several thousand voxels.
    bound
        The best lower bound of the goal so far; None until one is found.
    variables, chain
        What `design` and `density` are made of: the design variables themselves, read-only, and the map to
        physical densities.
    """

    stage: str
    run: str
    origin: str
    iteration: int
    penalty: float
    beta: float
    objective: float
    compliance: float
    change: float
    volume: float
    limits: tuple[LimitValue, ...]
    seconds: float
    fraction: float
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    variables: NDArray[np.float64]
    chain: DesignChain
    done: bool = False
    bound: float | None = None

    @cached_property
    def design(self) -> NDArray[np.float64]:
        """float64 `[z, y, x]`: the design variables after the step; a copy, made when it is asked for."""
        return self.variables.copy()

    @cached_property
    @own_errstate
    def density(self) -> NDArray[np.float32]:
        """float32 `[z, y, x]`: the physical density of the design, after filter and projection.

        It is worked out when it is asked for, on as many threads as the solve has, and kept.
        """
        physical = self.chain.physical(self.variables, self.beta)
        return physical.astype(np.float32).clip(0.0, 1.0)

    def to_json(self) -> dict[str, object]:
        """Everything but the arrays as a JSON object; what is infinite or undefined becomes None."""
        own = {name: value for name, value in vars(self).items() if name not in _ARRAYS}
        lists = {
            "limits": [limit.to_json() for limit in self.limits],
            "shape": list(self.shape),
            "spacing": list(self.spacing),
        }
        return _plain(own | lists)

    def __repr__(self) -> str:
        grid = "x".join(map(str, self.shape[::-1]))
        return (
            f"<Progress {self.stage}, run {self.run} on {grid}: iteration {self.iteration},"
            f" compliance {self.compliance:.5g}, volume {self.volume:.3g}, {self.fraction:.0%} done>"
        )


_ARRAYS = ("variables", "chain", "design", "density")


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
