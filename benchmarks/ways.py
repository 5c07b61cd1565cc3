"""Every way from a problem to a design that `benchmarks.optima` compares, and what one of them did."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from benchmarks.runs import Array, begin_uniform, cold_plan, true_compliance
from trabecula.analysis import Analysis
from trabecula.hybrid import Learned
from trabecula.journal import Journal
from trabecula.optimize import Row, Step, Stop, advance
from trabecula.problem.discrete import DiscreteProblem
from trabecula.result import Trial
from trabecula.solve import KKT, PROPOSALS, TOLERANCE
from trabecula.starts import HalfGrey
from trabecula.travel import Arrival, Event, Run, Way
from trabecula.way import Search, classical, coarse_to_fine, uniform

COLD_LIMIT, LONG_LIMIT = 300, 600
LONG_PROPOSALS, LONG_TOLERANCE = 48, 1e-4
STEP = 2e-4
"""Relative improvement from one kept point of a track to the next."""

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


def _stop(change: float = TOLERANCE, limit: int = 300) -> Stop:
    return Stop(change=change, kkt=KKT, limit=limit)


def _nowhere() -> Journal:
    return Journal(None)


def cold(discrete: DiscreteProblem, threads: int) -> Way:
    """The usual cold start, with the loose solves of the other ways, so that only the way is compared."""
    analysis = Analysis(discrete, threads)
    plan = cold_plan(discrete, threads, COLD_LIMIT, 1e-3)
    step = begin_uniform(analysis, plan)
    run = Run("cold", plan, step)
    while step.finished is None:
        step = advance(analysis, plan, step)
        yield Event("cold", analysis, step, 0.5, run)
    return Arrival(step, plan, analysis, ())


def continuation(discrete: DiscreteProblem, threads: int) -> Way:
    """One grid, penalty ramp, adaptive OC: `--start uniform`."""
    return uniform(discrete, threads, _stop(), _nowhere())


def default(discrete: DiscreteProblem, threads: int) -> Way:
    """`--start coarse`."""
    return coarse_to_fine(discrete, threads, _stop(), _nowhere(), Search(proposals=PROPOSALS))


def ramps(discrete: DiscreteProblem, threads: int) -> Way:
    """The default with its deterministic candidates only."""
    search = Search(proposals=PROPOSALS, kinds=("ramp",))
    return coarse_to_fine(discrete, threads, _stop(), _nowhere(), search)


def fields(discrete: DiscreteProblem, threads: int) -> Way:
    """The default with its random candidates only."""
    search = Search(proposals=PROPOSALS, kinds=("search",))
    return coarse_to_fine(discrete, threads, _stop(), _nowhere(), search)


def mma(discrete: DiscreteProblem, threads: int) -> Way:
    """The default with MMA in place of adaptive OC."""
    return default(replace(discrete, options=replace(discrete.options, optimizer="mma")), threads)


def practice(discrete: DiscreteProblem, threads: int) -> Way:
    """What people use: `--start classical`; fixed penalty, OC exponent 1/2, until no density changes."""
    return classical(discrete, threads, COLD_LIMIT, _nowhere())


def short(discrete: DiscreteProblem, threads: int) -> Way:
    """The default with a short hand-over: 40 % grey, penalty 2 to 3 over 3 iterations."""
    search = Search(proposals=PROPOSALS, hand_over=HalfGrey(0.4, 2.0, 3), between=23)
    return coarse_to_fine(discrete, threads, _stop(), _nowhere(), search)


def learned(discrete: DiscreteProblem, threads: int) -> Way:
    """`--start learned`: the default with the networks that ship."""
    networks = Learned.shipped(discrete.grid.dimension)
    return coarse_to_fine(
        discrete, threads, _stop(), _nowhere(), Search(proposals=PROPOSALS, learned=networks)
    )


def long(discrete: DiscreteProblem, threads: int) -> Way:
    """Six times as many proposals, and a finish to a third of the tolerance."""
    search = Search(proposals=LONG_PROPOSALS)
    return coarse_to_fine(discrete, threads, _stop(LONG_TOLERANCE, LONG_LIMIT), _nowhere(), search)


METHODS: dict[str, Callable[[DiscreteProblem, int], Way]] = {
    function.__name__: function for function in (cold, default, continuation, ramps, fields, mma, long)
}
HYBRID: dict[str, Callable[[DiscreteProblem, int], Way]] = {
    function.__name__: function for function in (learned, default, short, continuation, practice, fields)
}
"""What `benchmarks.hybrid` compares."""


class Counter:
    """Counts iterations through events, of which each may tell of one step of a run or of many."""

    def __init__(self) -> None:
        self._seen: dict[int, Row] = {}

    def new(self, step: Step) -> list[Row]:
        """The rows of a step that were not there in an earlier one."""
        rows = list(takewhile(lambda row: id(row) not in self._seen, reversed(step.rows)))[::-1]
        self._seen.update((id(row), row) for row in rows)
        return rows


def travel(method: str, discrete: DiscreteProblem, threads: int) -> Travelled:
    """Take a way to its end, looking at every full-resolution iteration."""
    clock = time.perf_counter()
    way = {**METHODS, **HYBRID}[method](discrete, threads)
    finest, end = discrete.grid.elements, discrete.options.penalty
    counter, fine, equivalents, best = Counter(), 0, 0.0, math.inf
    track: list[Moment] = []
    hundredth: Array | None = None
    kkt: float | None = None
    while True:
        try:
            event = next(way)
        except StopIteration as stopped:
            arrival: Arrival = stopped.value
            break
        rows, grid = counter.new(event.step), event.analysis.discrete.grid.elements
        kkt = next((row.kkt for row in reversed(rows) if row.kkt == row.kkt), kkt)
        equivalents += len(rows) * math.prod(grid) / math.prod(finest)
        if grid != finest:
            continue
        fine += len(rows)
        found = min((row.objective for row in rows if row.penalty == end), default=math.inf)
        if found < best * (1 - STEP):
            best = found
            track.append((time.perf_counter() - clock, equivalents, fine, best))
        if len(event.step.rows) == 100:
            hundredth = event.step.x
    seconds = time.perf_counter() - clock
    extra, share = spent(arrival.trials, finest)
    fine, equivalents = fine + extra, equivalents + share
    track = [(t, e + share, i + extra, c) for t, e, i, c in track]
    compliance = true_compliance(arrival.analysis, arrival.step.x, arrival.step.displacements)
    track.append((seconds, equivalents, fine, compliance))
    at_100 = None if hundredth is None else true_compliance(arrival.analysis, hundredth)
    taken = sum(trial.accepted for trial in arrival.trials)
    refused = len(arrival.trials) - taken
    return Travelled(compliance, at_100, fine, equivalents, seconds, tuple(track), taken, refused, kkt)


def spent(trials: Sequence[Trial], finest: tuple[int, ...]) -> tuple[int, float]:
    """Solves that networks took beside the iterations: on the finest grid, and in all by share of its voxels.

    A hand-over takes two, for the coarse design and the network's; a leap one, for its design. All are
    counted as if they had come first.
    """
    fine, share = 0, 0.0
    for trial in trials:
        grid = tuple(int(n) for n in trial.where.split()[0].split("x"))
        solves = 2 if trial.what == "hand-over" else 1
        fine += solves if grid == finest else 0
        share += solves * math.prod(grid) / math.prod(finest)
    return fine, share
