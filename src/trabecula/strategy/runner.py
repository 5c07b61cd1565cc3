"""Runs by name: through checkpoints, timed by stage, and side by side where grids are small."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import prod
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.errstate import set_errstate
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.loop import at_best
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Step
from trabecula.physics import thread_count
from trabecula.results.result import Stage, Trial

End = TypeVar("End")

SMALL = 60_000
"""Voxels up to which one thread a run, and several runs at once, use the processors better."""


@dataclass(frozen=True)
class Run:
    """A run to make: its unique `name`, its `plan`, and the step it begins with."""

    name: str
    plan: Plan
    first: Step


@dataclass(frozen=True)
class Event:
    """Something happened: `stage`, the analysis of the grid it happened on, the step, and its run.

    `done` is True where the step's design is finished, whatever else is still tried.
    """

    stage: str
    analysis: Analysis
    step: Step
    fraction: float
    run: Run
    done: bool = False


@dataclass(frozen=True)
class Outcome:
    """The end of a way: the finished step on the finest grid, its plan and analysis, the stages it took, what
    became of designs that networks drew or that were given, and the designs on coarser grids that led to it
    (float16 `[z, y, x]`, coarsest first)."""

    step: Step
    plan: Plan
    analysis: Analysis
    stages: tuple[Stage, ...]
    trials: tuple[Trial, ...] = ()
    coarser: tuple[NDArray[np.float16], ...] = ()

    def light(self) -> Outcome:
        """The outcome without the optimiser's memory and `Step.best`: nothing needs them any more."""
        return replace(self, step=replace(self.step, memory=self.plan.optimizer.start(), best=None))


Way = Generator[Event, None, Outcome]


class Runner:
    """Runs plans by name through checkpoints, and keeps the time of every stage and every learned step.

    `took` has the wall time of every run by its name, in seconds; `share` is the part of the whole way that
    the fractions of events are fractions of.
    """

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints
        self._iterations: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self.trials: list[Trial] = []
        self.took: dict[str, float] = {}
        self.share = (0.0, 1.0)

    def run(self, stage: str, analysis: Analysis, run: Run, fraction: float) -> Generator[Event, None, Step]:
        """Take one run to its stop."""
        clock = time.perf_counter()
        step, before = run.first, len(run.first.rows)
        first = [step]  # handed on, not kept: where a run began is memory that nothing needs any more
        for step in self.checkpoints.run(run.name, analysis, run.plan, first.pop):
            yield Event(stage, analysis, step, self._of_all(fraction), run)
            run = replace(run, first=step)
        self.took[run.name] = time.perf_counter() - clock
        self._count(stage, len(step.rows) - before, clock)
        return step

    def run_all(
        self, stage: str, analysis: Analysis, runs: list[Run], threads: int | None, fraction: float
    ) -> Generator[Event, None, list[Step]]:
        """Take several runs to their stops; on a small grid at once, a thread each. Same steps either way.

        The list is used up: on a large grid the steps that runs begin with are memory.
        """
        workers = _at_once(analysis, runs, threads)
        if workers < 2:
            steps = []
            while runs:
                steps.append((yield from self.run(stage, analysis, runs.pop(0), fraction)))
            return steps
        clock = time.perf_counter()
        steps = yield from self._together(stage, analysis, runs, workers, fraction)
        made = sum(len(step.rows) - len(run.first.rows) for run, step in zip(runs, steps, strict=True))
        self._count(stage, made, clock)
        analysis.solves += analysis.cases * made
        return steps

    def best_of(
        self, stage: str, analysis: Analysis, runs: list[Run], threads: int | None, fraction: float
    ) -> Generator[Event, None, tuple[int, Step]]:
        """Take several runs to their stops as `run_all` does; place and step of the one that ends best.

        On a large grid the others are let go of on the way.
        """
        if _at_once(analysis, runs, threads) > 1:
            steps = yield from self.run_all(stage, analysis, runs, threads, fraction)
            place = min(range(len(steps)), key=lambda k: steps[k].merit)
            return place, steps[place]
        place, best = 0, (yield from self.run(stage, analysis, runs.pop(0), fraction))
        for k in range(1, len(runs) + 1):
            step = yield from self.run(stage, analysis, runs.pop(0), fraction)
            if step.merit < best.merit:
                place, best = k, step
            del step
        return place, best

    def _together(
        self, stage: str, analysis: Analysis, runs: Sequence[Run], workers: int, fraction: float
    ) -> Generator[Event, None, list[Step]]:
        enough = threading.Event()
        free: SimpleQueue[Analysis] = SimpleQueue()
        for _ in range(workers):
            free.put(Analysis(analysis.discrete, 1))

        def work(run: Run) -> Step:
            own, last, clock = free.get(), run.first, time.perf_counter()
            try:
                for step in self.checkpoints.run(run.name, own, run.plan, lambda: run.first):
                    last = step
                    if enough.is_set():
                        break
            finally:
                free.put(own)
                self.took[run.name] = time.perf_counter() - clock
            return last

        with ThreadPoolExecutor(workers, initializer=set_errstate) as crew:
            try:
                futures = [crew.submit(work, run) for run in runs]
                steps = []
                for run, future in zip(runs, futures, strict=True):
                    steps.append(future.result())
                    yield Event(stage, analysis, steps[-1], self._of_all(fraction), run)
            finally:  # also where the runner is interrupted: let nobody work on
                enough.set()
        return steps

    def _count(self, stage: str, made: int, clock: float) -> None:
        self._iterations[stage] = self._iterations.get(stage, 0) + made
        self._seconds[stage] = self._seconds.get(stage, 0.0) + time.perf_counter() - clock

    def _of_all(self, fraction: float) -> float:
        low, high = self.share
        return low + fraction * (high - low)

    def arrive(self, step: Step, plan: Plan, analysis: Analysis) -> Outcome:
        """The end of the way, with the best design of it."""
        return Outcome(at_best(analysis, plan, step), plan, analysis, self.stages, tuple(self.trials))

    def again(self, outcome: Outcome) -> Outcome:
        """An outcome of before, with what was done since."""
        return replace(outcome, stages=self.stages, trials=tuple(self.trials))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What every stage took so far."""
        return tuple(Stage(n, i, self._seconds[n]) for n, i in self._iterations.items())


def _at_once(analysis: Analysis, runs: Sequence[Run], threads: int | None) -> int:
    """How many runs to make side by side."""
    return min(len(runs), thread_count(threads)) if is_small(analysis.discrete) else 1


def is_small(discrete: DiscreteProblem) -> bool:
    """Whether a grid is too small for the kernels to gain by several threads."""
    return prod(discrete.grid.elements) <= SMALL


def run_to_end(way: Generator[Event, None, End]) -> End:
    """Travel a way, or a part of one, to its end, without looking at what happens."""
    while True:
        try:
            next(way)
        except StopIteration as end:
            outcome: End = end.value
            return outcome
