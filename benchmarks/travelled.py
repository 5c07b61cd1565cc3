"""A way watched to its end: when it was how good, and what it took."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from benchmarks.runs import Array, true_compliance
from benchmarks.ways import METHODS, Method
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.loop import go_on, iterate
from trabecula.optimize.plan import Stop
from trabecula.optimize.step import Row, Step
from trabecula.results.records import Trial
from trabecula.strategy.learned_steps import PULLS
from trabecula.strategy.runner import Outcome

STEP = 2e-4
"""Relative improvement from one kept point of a track to the next."""

STATIONARY = 1e-3
"""KKT residual that a run is taken on to, past its own stop, where that is asked for."""

LESS = 0.9
"""Of a KKT residual to the next one that is kept."""

SOLVES = {"hand-over": 2, "leap": 1, "proposal": PULLS}
"""Solves beside the iterations that deciding on a network's design takes."""

Moment = tuple[float, float, int, float]
"""Seconds, full-resolution equivalents, full-resolution iterations, compliance at the problem's penalty."""


@dataclass(frozen=True)
class Travelled:
    """What a way did.

    Attributes
    ----------
    compliance
        Of the final design, tightly solved at the problem's penalty.
    at_100
        The same after 100 iterations of one full-resolution run; None where there were fewer.
    iterations, equivalents, seconds
        Full-resolution iterations; all iterations by their share of the voxels; wall time.
    track
        The best so far on the full grid at full penalty, whenever it got better; last the final design.
    accepted, refused
        Designs of networks that were taken and that were not.
    kkt
        Last KKT residual measured on the way.
    finisher
        Name of the run that was finished: where the design comes from.
    searched
        Seconds of the search on the coarsest grid; None where there was none.
    trials
        What every design of a network was for, whether it was taken, and the seconds it took.
    residuals
        Moments with a KKT residual in place of a compliance: whenever it got less by a tenth, be it past the
        way's own stop.
    past
        Iterations past its own stop that it was taken on at most, to a KKT residual of `STATIONARY`.
    polished
        Compliance after them; None where there were none.
    networks
        Beginnings of the sums of the networks that shipped then.
    """

    compliance: float
    at_100: float | None
    iterations: int
    equivalents: float
    seconds: float
    track: tuple[Moment, ...]
    accepted: int = 0
    refused: int = 0
    kkt: float | None = None
    finisher: str = ""
    searched: float | None = None
    trials: tuple[tuple[str, bool, float], ...] = ()
    residuals: tuple[Moment, ...] = ()
    past: int = 0
    polished: float | None = None
    networks: tuple[str, ...] = ()


class Counter:
    """Counts iterations through events, of which each may tell of one step of a run or of many."""

    def __init__(self) -> None:
        self._seen: dict[int, Row] = {}

    def new(self, step: Step) -> list[Row]:
        """The rows of a step that were not there in an earlier one."""
        rows = list(takewhile(lambda row: id(row) not in self._seen, reversed(step.rows)))[::-1]
        self._seen.update((id(row), row) for row in rows)
        return rows


class Watch:
    """What `travel` sees of a way on the full grid, and what its iterations amount to.

    Parameters
    ----------
    finest
        Elements of the full grid.
    end
        Penalty at which objectives count.
    """

    def __init__(self, finest: tuple[int, ...], end: float) -> None:
        self.clock = time.perf_counter()
        self.track: list[Moment] = []
        self.fine, self.equivalents, self.best = 0, 0.0, math.inf
        self.kkt: float | None = None
        self.residuals: list[Moment] = []
        self._finest, self._end, self._counter = finest, end, Counter()

    def see(self, step: Step, grid: tuple[int, ...]) -> None:
        """Take a step in."""
        rows = self._counter.new(step)
        self.equivalents += len(rows) * math.prod(grid) / math.prod(self._finest)
        if grid != self._finest:
            return
        self.fine += len(rows)
        self.kkt = next((row.kkt for row in reversed(rows) if row.kkt == row.kkt), self.kkt)
        found = min((row.objective for row in rows if row.penalty == self._end), default=math.inf)
        if found < self.best * (1 - STEP):
            self.best = found
            self.track.append(self.moment(found))
        least = min((row.kkt for row in rows if row.kkt == row.kkt), default=math.inf)
        if least < LESS * (self.residuals[-1][3] if self.residuals else math.inf):
            self.residuals.append(self.moment(least))

    def moment(self, compliance: float) -> Moment:
        """Now."""
        return time.perf_counter() - self.clock, self.equivalents, self.fine, compliance


def travel(method: str | Method, discrete: DiscreteProblem, threads: int, past: int = 0) -> Travelled:
    """Take a way to its end, looking at every full-resolution iteration.

    Parameters
    ----------
    method
        A name of `METHODS`, or the way itself.
    past
        Iterations at most past its own stop, towards a KKT residual of `STATIONARY`; they count for
        `Travelled.residuals` and `Travelled.polished` alone.
    """
    finest = discrete.grid.elements
    watch = Watch(finest, discrete.options.penalty)
    way = METHODS[method](discrete, threads) if isinstance(method, str) else method(discrete, threads)
    hundredth: Array | None = None
    finisher = ""
    while True:
        try:
            event = next(way)
        except StopIteration as stopped:
            outcome: Outcome = stopped.value
            break
        grid = event.analysis.discrete.grid.elements
        watch.see(event.step, grid)
        if grid == finest:
            finisher = event.run.name
            hundredth = event.step.x if len(event.step.rows) == 100 else hundredth
    kkt, at_end = watch.kkt, watch.moment(math.inf)
    compliance = true_compliance(outcome.analysis, outcome.step.x, outcome.step.displacements)
    track, polished = tuple(watch.track), None
    if past:
        watch.clock = time.perf_counter() - at_end[0]  # the tight solve is no part of the way
        step = outcome.step
        for step in onwards(outcome, past):
            watch.see(step, finest)
        polished = true_compliance(outcome.analysis, step.x, step.displacements)
    later = spent(outcome.trials, finest)
    at_end = _later((*at_end[:3], compliance), *later)
    return Travelled(
        compliance=compliance,
        at_100=None if hundredth is None else true_compliance(outcome.analysis, hundredth),
        iterations=at_end[2],
        equivalents=at_end[1],
        seconds=at_end[0],
        track=(*(_later(moment, *later) for moment in track), at_end),
        accepted=sum(trial.accepted for trial in outcome.trials),
        refused=sum(not trial.accepted for trial in outcome.trials),
        kkt=kkt,
        finisher=finisher,
        searched=next((s.seconds for s in outcome.stages if s.name.startswith("search")), None),
        trials=tuple((trial.what, trial.accepted, round(trial.seconds, 4)) for trial in outcome.trials),
        residuals=tuple(_later(moment, *later) for moment in watch.residuals),
        past=past,
        polished=polished,
    )


def onwards(outcome: Outcome, iterations: int) -> Iterator[Step]:
    """Steps past the end of a way, until its KKT residual is `STATIONARY`, at most so many."""
    limit = len(outcome.step.rows) + iterations
    plan = replace(outcome.plan, stop=Stop(change=0.0, kkt=STATIONARY, limit=limit))
    yield from iterate(outcome.analysis, plan, go_on(plan, outcome.step))


def _later(moment: Moment, iterations: int, equivalents: float) -> Moment:
    return moment[0], moment[1] + equivalents, moment[2] + iterations, moment[3]


def spent(trials: Sequence[Trial], finest: tuple[int, ...]) -> tuple[int, float]:
    """Solves that networks took beside the iterations: on the finest grid, and in all by share of its voxels.

    A hand-over takes two, for the coarse design and the network's; a leap one, for its design; a proposal
    those for what its network is shown beside the convex design. What that design and given ones take are
    iterations like any other. All are counted as if they had come first.
    """
    fine, share = 0, 0.0
    for trial in trials:
        solves = SOLVES.get(trial.what, 0)
        if not solves or not trial.network:
            continue
        grid = tuple(int(n) for n in trial.where.split()[0].split("x"))
        fine += solves if grid == finest else 0
        share += solves * math.prod(grid) / math.prod(finest)
    return fine, share
