"""How one grid is worked on, and when a run on it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from trabecula.design import Schedule
from trabecula.optimizers import Optimizer

NOISE = 10.0
"""How far an objective that has stopped improving may vary: loose solves of grey designs err by a few tenths
of a per cent; one that swings more than that is not at rest."""


@dataclass(frozen=True)
class Stop:
    """When an iteration is done, once its schedule is settled and no constraint is violated by much.

    Attributes
    ----------
    change
        Mean relative improvement of the best objective per iteration, over the last `window` ones, below
        which it stops; unless the objective swings by more than `NOISE` times that.
    kkt
        KKT residual (docs/certificate.md) below which it stops, whatever the objective does.
    density_change
        Largest change of any density, the classical rule; 0 leaves it out.
    limit
        Iterations at most.
    window
        See `change`.
    violation
        Relative violation of a constraint above which nothing has converged.
    projected_kkt
        The same as `kkt` where a projection is steep: few densities are then without effect, and none of them
        is far from its end.
    resting_kkt
        Where a steep projection shortens the steps an objective changes little, at rest or not: it then only
        counts where the last KKT residual is at most this,
    patience
        or after so many iterations at the last steepness.
    largest_kkt
        The same at any steepness, where it is finite: with own weight an objective can rest for a while where
        what a member gains and what it carries nearly cancel.
    indifference
        Relative difference of objectives up to which the later design is the better one, for it is nearer to
        stationary.
    kkt_every
        Iterations from one KKT residual to the next; one costs as much as a step of the optimality criteria.
    """

    change: float = 2e-4
    kkt: float = 2e-3
    density_change: float = 0.0
    limit: int = 200
    window: int = 5
    violation: float = 2e-3
    projected_kkt: float = 0.015
    resting_kkt: float = 0.03
    patience: int = 80
    largest_kkt: float = inf
    indifference: float = 0.0
    kkt_every: int = 5


@dataclass(frozen=True)
class Plan:
    """How one grid is worked on: the optimiser, its schedule, how exact the solves are, when it stops."""

    optimizer: Optimizer
    schedule: Schedule
    stop: Stop = field(default_factory=Stop)
    tolerance: float = 1e-3
