"""What is published of a solve: the events of its runs and of its proof, in the units of the problem."""

from __future__ import annotations

import time
from collections.abc import Generator
from math import ldexp
from typing import TypeVar

import numpy as np

from trabecula.optimize.analysis import Analysis
from trabecula.optimize.step import Row
from trabecula.strategy.progress import LimitValue, Progress
from trabecula.strategy.runner import Event

End = TypeVar("End")


def publish(events: Generator[Event, None, End], clock: float) -> Generator[Progress, None, End]:
    """Turn events into progress whose fraction never falls; `clock` is when the solve began."""
    furthest = 0.0
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            outcome: End = end.value
            return outcome
        furthest = max(furthest, event.fraction)
        yield progress_of(event, time.perf_counter() - clock, furthest)


def progress_of(event: Event, seconds: float, fraction: float) -> Progress:
    """Convert one event to the units in which the problem was given."""
    row, chain = event.step.rows[-1], event.analysis.chain
    variables = event.step.x.view()
    variables.setflags(write=False)
    discrete, formulation = event.analysis.discrete, event.analysis.formulation
    grid = discrete.units.grid(discrete.grid)
    return Progress(
        stage=event.stage,
        run=event.run.name,
        origin=event.run.origin,
        iteration=event.iteration or row.iteration + 1,
        penalty=row.penalty,
        beta=row.beta if chain.projects else 0.0,
        objective=formulation.quantity_value(row.objective),
        compliance=ldexp(row.compliance, discrete.units.compliance),
        change=row.change,
        volume=row.volume,
        limits=limit_values(event.analysis, row),
        seconds=seconds,
        fraction=fraction,
        shape=grid.shape,
        spacing=grid.spacing,
        variables=variables,
        chain=chain,
        done=event.done,
        bound=None if event.bound is None else formulation.quantity_value(event.bound),
    )


def limit_values(analysis: Analysis, row: Row) -> tuple[LimitValue, ...]:
    """The limits of a problem at the design that a row of the history measured.

    A row has only the worst violation. Where there are several limits, those without a value in the row are
    given this one.
    """
    discrete, limits = analysis.discrete, analysis.formulation.limits
    found = []
    for limited in limits:
        share = limited.quantity.material_share(discrete)
        weights = limited.quantity.compliance_weights(discrete)
        value: float | None = None
        if share is not None:
            value = share * row.volume
        elif weights is not None and np.array_equal(weights, discrete.weights):
            value = ldexp(row.compliance, discrete.units.compliance)
        violation = row.violation if len(limits) == 1 or value is None else max(0.0, limited.excess(value))
        found.append(LimitValue(limited.name, value, limited.limit, violation))
    return tuple(found)
