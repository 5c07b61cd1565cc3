"""Runs that several benchmarks need: the usual cold start, a ramp, hand-overs, a design's true compliance."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.resample import resample
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, iterate
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import OC, Adaptive, OptimalityCriteria
from trabecula.physics import default_machine
from trabecula.problem import Problem
from trabecula.starts import volume_of

Array = NDArray[np.float64]

TIGHT = 2e-9
"""Relative residual of the solves behind compliances that are compared."""


def unprojected(problem: Problem) -> Problem:
    """The problem as the literature has it: filtered densities are not projected to black and white."""
    return replace(problem, options=replace(problem.options, projection=False))


def forever(limit: int) -> Stop:
    """Exactly so many iterations."""
    return Stop(change=0.0, kkt=0.0, limit=limit)


def cold_plan(discrete: DiscreteProblem, threads: int, limit: int, tolerance: float) -> Plan:
    """The usual cold start: fixed penalty, OC exponent 1/2, until no density changes by 0.01."""
    end = discrete.options.penalty
    oc = OC(move=discrete.options.move, exponent=0.5, machine=default_machine(threads))
    stop = Stop(change=0.0, kkt=0.0, density_change=0.01, limit=limit)
    return Plan(OptimalityCriteria(oc), Schedule(end, end), stop, tolerance)


def ramp_plan(
    discrete: DiscreteProblem,
    threads: int,
    over: int,
    limit: int,
    tolerance: float = 1e-3,
    start: float = 1.0,
) -> Plan:
    """Penalty `start` to the problem's over so many iterations, adaptive OC, exactly `limit` iterations."""
    end = discrete.options.penalty
    oc = OC(
        move=discrete.options.move,
        exponent=0.7 if over else 1.0,
        adaptive=Adaptive(),
        machine=default_machine(threads),
    )
    schedule = Schedule(start, end, over) if over else Schedule(end, end)
    return Plan(OptimalityCriteria(oc), schedule, forever(limit), tolerance)


def begin_uniform(analysis: Analysis, plan: Plan) -> Step:
    """The first step from the uniform design."""
    return begin(plan, analysis.chain.uniform(volume_of(analysis.discrete)))


def begin_upsampled(analysis: Analysis, plan: Plan, density: Array) -> Step:
    """The first step from the design of another grid."""
    discrete = analysis.discrete
    return begin(plan, np.clip(resample(density, discrete.grid.shape), discrete.lower, discrete.upper))


def formed(analysis: Analysis, threads: int, over: int = 20, limit: int = 30) -> Step:
    """A design with members: a penalty ramp from uniform and some iterations at the end of it."""
    plan = ramp_plan(analysis.discrete, threads, over, limit)
    return last(analysis, plan, begin_uniform(analysis, plan))


def refined(analysis: Analysis, density: Array, threads: int, limit: int) -> Step:
    """A design of another grid, taken a few iterations further on this one."""
    plan = ramp_plan(analysis.discrete, threads, 0, limit)
    return last(analysis, plan, begin_upsampled(analysis, plan, density))


def last(analysis: Analysis, plan: Plan, first: Step) -> Step:
    """The step at which a plan stops."""
    return deque(iterate(analysis, plan, first), maxlen=1).pop()


def true_compliance(analysis: Analysis, x: Array, start: tuple[Array, ...] | None = None) -> float:
    """The weighted compliance of a design at the problem's penalty, tightly solved."""
    return analysis.evaluate(x, analysis.discrete.options.penalty, start=start, tolerance=TIGHT).compliance


def relative_stiffness(analysis: Analysis, x: Array) -> Array:
    """Relative stiffness of every voxel of a design at the problem's penalty, `[z, y, x]`."""
    interpolation = analysis.interpolation.with_penalty(analysis.discrete.options.penalty)
    return interpolation.value(analysis.chain.physical(x, 1.0))


def analysed(problem: Problem, threads: int) -> Analysis:
    """The analysis of a problem on its own grid."""
    return Analysis(discretise(problem), threads)
