"""A way watched to its end: when it had which finished design, and what that took."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from benchmarks.runs import TIGHT, Array
from benchmarks.travelled import Counter, spent
from benchmarks.ways import Method
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.plan import Plan
from trabecula.strategy.runner import Outcome


@dataclass(frozen=True)
class Finished:
    """A finished design: one that was taken to its stop and is the result if nothing better is found.

    Attributes
    ----------
    seconds
        Processor seconds until it was there.
    work
        Iterations until then, on all grids, by their share of the full grid's voxels.
    compliance
        At the problem's penalty and the last steepness of the projection, tightly solved.
    """

    seconds: float
    work: float
    compliance: float


def watch(method: Method, discrete: DiscreteProblem, threads: int) -> tuple[Finished, ...]:
    """Take a way to its end: its finished designs in their order, the last of which is its result.

    What the tight solves of this measurement take is not counted. The solves that a network takes are, as if
    they had come first.
    """
    voxels, counter = math.prod(discrete.grid.elements), Counter()
    way, work, clock = method(discrete, threads), 0.0, time.process_time()
    found: list[Finished] = []

    def take(analysis: Analysis, plan: Plan, x: Array) -> None:
        nonlocal clock
        now = time.process_time()
        end, beta = discrete.options.penalty, plan.schedule.beta_end
        compliance = analysis.evaluate(x, end, beta, tolerance=TIGHT).compliance
        found.append(Finished(now - clock, work, compliance))
        clock += time.process_time() - now

    while True:
        try:
            event = next(way)
        except StopIteration as stopped:
            outcome: Outcome = stopped.value
            break
        work += len(counter.new(event.step)) * math.prod(event.analysis.discrete.grid.elements) / voxels
        if event.done:
            take(event.analysis, event.run.plan, event.step.x)
    take(outcome.analysis, outcome.plan, outcome.step.x)
    _, solves = spent(outcome.trials, discrete.grid.elements)
    return tuple(Finished(each.seconds, each.work + solves, each.compliance) for each in found)
