"""The lower bound for a finished design: the relaxed problem is solved grid by grid, and publishes events."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import Bound
from trabecula.certificate.certify import iterate_bound
from trabecula.certificate.relax import Relaxation, Relaxed
from trabecula.discretisation.resample import resample
from trabecula.strategy.multistart import stage_of
from trabecula.strategy.runner import Event, Outcome, Run
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

STAGE = "proof: bound"


def bound_outcome(bench: Workbench, outcome: Outcome) -> Generator[Event, None, Relaxed | None]:
    """Relax the problem on the coarse grids first, then on its own, and keep the bound found there."""
    analysis, grid = outcome.analysis, bench.discrete
    penalty = grid.options.penalty
    yield proof_event(outcome, STAGE, 0.9)
    start = (yield from _relax_coarse_grids(bench, outcome, penalty)) if penalty > 1.0 else None
    steps = iterate_bound(grid, analysis.chain, analysis.state, penalty, design=outcome.step.x, start=start)
    run = proof_event(outcome, STAGE, 0.93, f"relaxation on {stage_of(grid)}")
    found = yield from _tell(steps, run, is_finest=True)
    return found if isinstance(found, Relaxed) else None


def _relax_coarse_grids(
    bench: Workbench, outcome: Outcome, penalty: float
) -> Generator[Event, None, Array | None]:
    """Relax on the coarser grids one after the other; the last design, resampled to the finest grid."""
    start: Array | None = None
    for grid in bench.coarse_grids:
        coarse = bench.analysis(grid)
        if start is not None:
            start = resample(start, grid.grid.shape)
        steps = iterate_bound(grid, coarse.chain, coarse.state, penalty, start=start, max_iterations=20)
        run = proof_event(outcome, STAGE, 0.9, f"relaxation on {stage_of(grid)}")
        found = yield from _tell(steps, run, is_finest=False)
        if not isinstance(found, Relaxed):
            return None
        start = found.design
    return None if start is None else resample(start, bench.discrete.grid.shape)


def _tell(
    steps: Generator[Relaxation, None, Relaxed | Bound], event: Event, is_finest: bool
) -> Generator[Event, None, Relaxed | Bound]:
    """Publish every iteration of a relaxation; only the finest grid bounds the problem."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found: Relaxed | Bound = end.value
            return found
        bound = step.bound if is_finest and step.bound > 0.0 else None
        yield replace(event, iteration=step.iteration, bound=bound)


def proof_event(
    outcome: Outcome, stage: str, fraction: float, run: str = "", bound: float | None = None
) -> Event:
    """An event about the design under proof; `run` names the part of the stage that is worked on."""
    made = Run(run or stage, outcome.plan, outcome.step)
    return Event(stage, outcome.analysis, outcome.step, fraction, made, iteration=1, bound=bound)
