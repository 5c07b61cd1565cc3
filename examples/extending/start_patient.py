"""A start of one's own: one grid, and the penalty raised twice as slowly as `uniform` does."""

from __future__ import annotations

import trabecula as tb
from trabecula.design import Schedule
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Run, Strategy
from trabecula.strategy.workbench import Workbench

RAMP = 60
"""Iterations over which the penalty rises from 1 to its end."""


def patient(bench: Workbench, request: Request) -> Strategy:
    """From the uniform design to the stop; every step is an event, the outcome is what is returned."""
    grid = bench.discrete
    analysis = bench.analysis(grid)
    plan = bench.plan(grid, Schedule(1.0, grid.options.penalty, RAMP), request.stop, exponent=0.7)
    run = Run("patient", plan, bench.begin_uniform(analysis, plan), "uniform")
    step = yield from bench.runner.run("patient", analysis, run, 0.5)
    return bench.runner.end(step, plan, analysis)


tb.STARTS.register("patient", tb.Start(patient), "One grid, with a slow penalty continuation.")
