"""One grid and a uniform start: with penalty continuation, or by the schedule of the literature."""

from __future__ import annotations

from dataclasses import replace

from trabecula.design import Schedule
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import OptimalityCriteria, OwnWeightCriteria
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Run, Strategy
from trabecula.strategy.workbench import Workbench


def run(bench: Workbench, request: Request) -> Strategy:
    """One grid, uniform start, penalty continuation, adaptive OC."""
    return (yield from continue_penalty(bench, request.stop))


def continue_penalty(bench: Workbench, stop: Stop) -> Strategy:
    """Raise the penalty from 1 to its end over 30 iterations, then iterate to the stop."""
    analysis, end = bench.analysis(bench.discrete), bench.discrete.options.penalty
    schedule = Schedule(min(1.0, end), end, 30 if end > 1 else 0)
    plan = bench.plan(bench.discrete, schedule, stop, exponent=0.7)
    step = yield from bench.runner.run("uniform", analysis, _run("uniform", bench, analysis, plan), 0.5)
    return bench.runner.end(step, plan, analysis)


def run_classical(bench: Workbench, request: Request) -> Strategy:
    """The schedule of the 88-line code: fixed penalty, OC exponent 1/2, until no density changes by 0.01."""
    return (yield from iterate_classically(bench, request.iterations))


def iterate_classically(bench: Workbench, iterations: int | None = None) -> Strategy:
    """The same with so many iterations at most, 2000 where nothing is said.

    Source: Andreassen et al. 2011.
    """
    analysis, end = bench.analysis(bench.discrete), bench.discrete.options.penalty
    stop = Stop(change=0.0, kkt=0.0, density_change=0.01, limit=iterations or 2000)
    plan = bench.plan(bench.discrete, Schedule(end, end), stop, tolerance=1e-4)
    if isinstance(plan.optimizer, OptimalityCriteria):
        oc = replace(plan.optimizer.oc, exponent=0.5, adaptive=None, floor=0.0)
        plan = replace(plan, optimizer=OptimalityCriteria(oc, plan.optimizer.least_volume))
    elif isinstance(plan.optimizer, OwnWeightCriteria):
        plan = replace(plan, optimizer=plan.optimizer.textbook())
    step = yield from bench.runner.run("classical", analysis, _run("classical", bench, analysis, plan), 0.5)
    return bench.runner.end(step, plan, analysis)


def _run(name: str, bench: Workbench, analysis: Analysis, plan: Plan) -> Run:
    return Run(name, plan, bench.begin_uniform(analysis, plan), "uniform")
