"""What is published of a solve: the events of its runs and of its proof, in the units of the problem."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.nondimensional import Scaled
from trabecula.optimize.loop import Row
from trabecula.strategy.progress import LimitValue, Progress
from trabecula.strategy.runner import Event

End = TypeVar("End")


@dataclass(frozen=True)
class Units:
    """What one unit of the problem that is solved is in the problem that was asked.

    Attributes
    ----------
    compliance
        In J (W K for heat).
    objective
        Of the goal's value.
    length
        In metres.
    """

    compliance: float
    objective: float
    length: float

    @classmethod
    def of(cls, discrete: DiscreteProblem, scaled: Scaled) -> Units:
        """From the problem in SI units and the same in units of its own; all are powers of two."""
        compliance = scaled.compliance
        return cls(
            compliance=compliance,
            objective=1.0 if discrete.goal.minimize == "volume" else compliance,
            length=discrete.grid.spacing[0] / scaled.problem.grid.spacing[0],
        )


def publish(
    events: Generator[Event, None, End], units: Units, clock: float
) -> Generator[Progress, None, End]:
    """Events as progress that only goes forward; `clock` is when the solve began."""
    furthest = 0.0
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            outcome: End = end.value
            return outcome
        furthest = max(furthest, event.fraction)
        yield progress_of(event, units, time.perf_counter() - clock, furthest)


def progress_of(event: Event, units: Units, seconds: float, fraction: float) -> Progress:
    """One event in the units of the problem that was asked."""
    row, chain = event.step.rows[-1], event.analysis.chain
    variables = event.step.x.view()
    variables.setflags(write=False)
    grid = event.analysis.discrete.grid
    return Progress(
        stage=event.stage,
        run=event.run.name,
        origin=event.run.origin,
        iteration=event.iteration or row.iteration + 1,
        penalty=row.penalty,
        beta=row.beta if chain.projects else 0.0,
        objective=units.objective * row.objective,
        compliance=units.compliance * row.compliance,
        change=row.change,
        volume=row.volume,
        limits=limit_values(event.analysis.discrete, row, units),
        seconds=seconds,
        fraction=fraction,
        shape=grid.shape,
        spacing=tuple(units.length * edge for edge in grid.spacing),
        variables=variables,
        chain=chain,
        done=event.done,
        bound=None if event.bound is None else units.objective * event.bound,
    )


def limit_values(discrete: DiscreteProblem, row: Row, units: Units) -> tuple[LimitValue, ...]:
    """The limits of a problem's goal at the design that a row measured."""
    goal = discrete.goal
    if goal.compliance is not None:
        if len(goal.compliance) > 1:  # a row has the worst of them only
            return (LimitValue("compliance", None, None, row.violation),)
        (limit,) = goal.compliance
        value, limit = units.compliance * row.compliance, units.compliance * limit
        return (LimitValue("compliance", value, limit, row.violation),)
    if goal.volume is None:
        return ()
    return (LimitValue("volume", row.volume, goal.volume, row.violation),)
