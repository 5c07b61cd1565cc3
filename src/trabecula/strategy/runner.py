"""Runs by name: through checkpoints, timed by stage, and side by side where grids are small."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.loop import at_best
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Step
from trabecula.physics import thread_count
from trabecula.results.records import Stage, Trial
from trabecula.strategy.side_by_side import Publish, run_side_by_side

End = TypeVar("End")

SMALL = 60_000
"""Voxels up to which one thread per run, and several runs at once, use the processors better."""


@dataclass(frozen=True)
class Run:
    """A run to make: its unique `name`, its `plan`, the step it begins with, and the name of its origin.

    The `origin` is the start that the design came of; runs of one design on several grids share it.
    """

    name: str
    plan: Plan
    first: Step
    origin: str = ""


@dataclass(frozen=True)
class Event:
    """What a strategy publishes: the stage, the analysis of the grid, the step that was made, and its run.

    Attributes
    ----------
    fraction
        Rough share of the whole solve that is done, 0 to 1.
    done
        Whether the step's design is finished, whatever else is still tried.
    iteration
        Of what is being done, from 1, where that is not the run's: an iteration of the bound.
    bound
        The best lower bound so far of the goal, in the units of the problem that is worked on.
    """

    stage: str
    analysis: Analysis
    step: Step
    fraction: float
    run: Run
    done: bool = False
    iteration: int | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a strategy ends with: the finished step on the finest grid, its plan and analysis, the stages it
    took, what became of designs that networks drew or that were given, and the designs on coarser grids that
    led to it (float16 `[z, y, x]`, coarsest first)."""

    step: Step
    plan: Plan
    analysis: Analysis
    stages: tuple[Stage, ...]
    trials: tuple[Trial, ...] = ()
    coarser: tuple[NDArray[np.float16], ...] = ()

    def without_memory(self) -> Outcome:
        """The outcome without the optimiser's memory and `Step.best`, which are not needed after the run."""
        return replace(self, step=replace(self.step, memory=self.plan.optimizer.start(), best=None))


Strategy = Generator[Event, None, Outcome]
"""A strategy at work: yields an event for every step of every run, and returns its outcome."""


class Runner:
    """Runs plans by name through checkpoints, and keeps the time of every stage and every learned step.

    Parameters
    ----------
    checkpoints
        Where runs are kept.
    make_analysis
        Makes an analysis of a grid that works on one thread: several of them work side by side.

    Attributes
    ----------
    took
        Wall time of every run by its name, in seconds.
    share
        The part of the whole solve that the fractions of events are fractions of.
    """

    def __init__(
        self, checkpoints: Checkpoints, make_analysis: Callable[[DiscreteProblem], Analysis]
    ) -> None:
        self.checkpoints = checkpoints
        self._make_analysis = make_analysis
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
        self, stage: str, analysis: Analysis, runs: list[Run], fraction: float
    ) -> Generator[Event, None, list[Step]]:
        """Take several runs to their stops; on a small grid each on a thread of its own, with the same steps.

        The list is emptied, because the steps that runs begin with need much memory on a large grid.
        """
        workers = _workers(analysis, runs)
        if workers < 2:
            steps = []
            while runs:
                steps.append((yield from self.run(stage, analysis, runs.pop(0), fraction)))
            return steps
        clock = time.perf_counter()
        steps = yield from self._run_together(stage, analysis, runs, workers, fraction)
        made = sum(len(step.rows) - len(run.first.rows) for run, step in zip(runs, steps, strict=True))
        self._count(stage, made, clock)
        analysis.solves += analysis.cases * made
        return steps

    def best_of(
        self, stage: str, analysis: Analysis, runs: list[Run], fraction: float
    ) -> Generator[Event, None, tuple[int, Step]]:
        """Take several runs to their stops as `run_all` does; place and step of the one that ends best.

        On a large grid a step is dropped as soon as a better one has ended.
        """
        if _workers(analysis, runs) > 1:
            steps = yield from self.run_all(stage, analysis, runs, fraction)
            place = min(range(len(steps)), key=lambda k: steps[k].merit)
            return place, steps[place]
        place, best = 0, (yield from self.run(stage, analysis, runs.pop(0), fraction))
        for k in range(1, len(runs) + 1):
            step = yield from self.run(stage, analysis, runs.pop(0), fraction)
            if step.merit < best.merit:
                place, best = k, step
            del step
        return place, best

    def _run_together(
        self, stage: str, analysis: Analysis, runs: Sequence[Run], workers: int, fraction: float
    ) -> Generator[Event, None, list[Step]]:
        free: SimpleQueue[Analysis] = SimpleQueue()
        for _ in range(workers):
            free.put(self._make_analysis(analysis.discrete))

        def work(run: Run) -> Callable[[Publish[Step]], Step]:
            def take_to_its_stop(publish: Publish[Step]) -> Step:
                own, last, clock = free.get(), run.first, time.perf_counter()
                try:
                    for last in self.checkpoints.run(run.name, own, run.plan, lambda: run.first):
                        publish(last)
                finally:
                    free.put(own)
                    self.took[run.name] = time.perf_counter() - clock
                return last

            return take_to_its_stop

        events = run_side_by_side([work(run) for run in runs], workers)
        while True:
            try:
                place, step = next(events)
            except StopIteration as end:
                steps: list[Step] = end.value
                return steps
            yield Event(stage, analysis, step, self._of_all(fraction), runs[place])

    def _count(self, stage: str, made: int, clock: float) -> None:
        self._iterations[stage] = self._iterations.get(stage, 0) + made
        self._seconds[stage] = self._seconds.get(stage, 0.0) + time.perf_counter() - clock

    def _of_all(self, fraction: float) -> float:
        low, high = self.share
        return low + fraction * (high - low)

    def end(self, step: Step, plan: Plan, analysis: Analysis) -> Outcome:
        """What a strategy ends with: the best design of its last run."""
        return Outcome(at_best(analysis, plan, step), plan, analysis, self.stages, tuple(self.trials))

    def update(self, outcome: Outcome) -> Outcome:
        """An earlier outcome, with the stages and trials that came after it."""
        return replace(outcome, stages=self.stages, trials=tuple(self.trials))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What every stage took so far."""
        return tuple(Stage(n, i, self._seconds[n]) for n, i in self._iterations.items())


def _workers(analysis: Analysis, runs: Sequence[Run]) -> int:
    """How many runs to make side by side."""
    return min(len(runs), thread_count(analysis.threads)) if is_small(analysis.discrete) else 1


def is_small(discrete: DiscreteProblem) -> bool:
    """Whether a grid is too small for the kernels to gain by several threads."""
    return discrete.grid.count <= SMALL


def run_to_end(steps: Generator[Event, None, End]) -> End:
    """Take a strategy, or a part of one, to its end, without looking at what happens."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome: End = end.value
            return outcome
