"""The lower bound for a finished design: the relaxed problem is solved grid by grid, and publishes events."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import Bound
from trabecula.certificate.certify import find_bound
from trabecula.certificate.relax import Relaxed
from trabecula.discretisation.resample import resample
from trabecula.strategy.multistart import stage_of
from trabecula.strategy.runner import Event, Outcome, Run
from trabecula.strategy.side_by_side import Publish, run_side_by_side
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

FindBound = Callable[..., Relaxed | Bound]
"""`find_bound` with everything but `progress`."""

STAGE = "proof: bound"


def bound_outcome(bench: Workbench, outcome: Outcome) -> Generator[Event, None, Relaxed | None]:
    """Relax the problem on the coarse grids first, then on its own, and keep the bound found there."""
    analysis, grid = outcome.analysis, bench.discrete
    penalty = grid.options.penalty
    yield proof_event(outcome, STAGE, 0.9)
    start = (yield from _relax_coarse_grids(bench, outcome, penalty)) if penalty > 1.0 else None
    find = partial(
        find_bound, grid, analysis.chain, analysis.state, penalty, design=outcome.step.x, start=start
    )
    run = proof_event(outcome, STAGE, 0.93, f"relaxation on {stage_of(grid)}")
    found = yield from _relax(find, run, is_finest=True)
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
        find = partial(find_bound, grid, coarse.chain, coarse.state, penalty, start=start, max_iterations=20)
        run = proof_event(outcome, STAGE, 0.9, f"relaxation on {stage_of(grid)}")
        found = yield from _relax(find, run, is_finest=False)
        if not isinstance(found, Relaxed):
            return None
        start = found.design
    return None if start is None else resample(start, bench.discrete.grid.shape)


def _relax(find: FindBound, event: Event, is_finest: bool) -> Generator[Event, None, Relaxed | Bound]:
    """Relax on a thread and publish every iteration; only the finest grid bounds the problem."""

    def work(publish: Publish[tuple[int, float]]) -> Relaxed | Bound:
        return find(progress=lambda iteration, objective, bound: publish((iteration, bound)))

    steps = run_side_by_side([work], 1)
    while True:
        try:
            _, (iteration, bound) = next(steps)
        except StopIteration as end:
            found: Relaxed | Bound = end.value[0]
            return found
        yield replace(event, iteration=iteration, bound=bound if is_finest and bound > 0.0 else None)


def proof_event(
    outcome: Outcome, stage: str, fraction: float, run: str = "", bound: float | None = None
) -> Event:
    """An event about the design under proof; `run` names the part of the stage that is worked on."""
    made = Run(run or stage, outcome.plan, outcome.step)
    return Event(stage, outcome.analysis, outcome.step, fraction, made, iteration=1, bound=bound)
