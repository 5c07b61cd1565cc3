"""The way: propose, triage, hand over, finish, prove. The one place where all of it meets."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trabecula.analysis import Analysis
from trabecula.certificate import Certificate
from trabecula.certificate.certify import certify, find_bound
from trabecula.certificate.kkt import kkt_residual
from trabecula.certificate.relax import Relaxed
from trabecula.folder import CHECKPOINT
from trabecula.hybrid import Learned
from trabecula.journal import Journal, fingerprint
from trabecula.optimize import Row, Stop
from trabecula.physics import Guess, machine, thread_count
from trabecula.problem import Problem, prepare
from trabecula.problem.discrete import DiscreteProblem
from trabecula.result import Result, Stage
from trabecula.search import Search
from trabecula.starts import Past, ladder, resample
from trabecula.status import Status
from trabecula.travel import Arrival, Event
from trabecula.version import VERSION
from trabecula.way import classical, coarse_to_fine, uniform

Array = NDArray[np.float64]
Start = Literal["uniform", "coarse", "learned", "classical"]

STARTS: tuple[str, ...] = get_args(Start)
TIGHT = 2e-9
"""Relative residual of the solves behind the certificate."""

TOLERANCE = 1e-4
"""Mean relative improvement of the objective an iteration at which the default stops."""

STATIONARY = 0.1
"""KKT residual (1 at a uniform start) up to which a converged design is called certified, else verified."""

KKT = 2e-3
"""KKT residual at which every way stops, whatever the objective does."""


@dataclass(frozen=True, eq=False)
class Progress:
    """One step of a solve.

    Attributes
    ----------
    stage
        What is being done: a grid, a search, the proof.
    iteration
        Of the run under way, from 1.
    compliance
        Weighted compliance of the last analysed design, in J (W K for heat).
    change
        Largest change of a density in the step.
    volume
        Used fraction of the domain.
    seconds
        Since the start.
    fraction
        Rough share of the way that is done, 0 to 1.
    density
        float64 `[z, y, x]`: design variables of the grid under way.
    done
        Whether this design is finished already: it comes out unless the rest of the way finds a better one.
        Once at most, with `start="learned"` where a search follows what a network drew.
    """

    stage: str
    iteration: int
    compliance: float
    change: float
    volume: float
    seconds: float
    fraction: float
    density: Array
    done: bool = False


Report = Callable[[Progress], None]


def solve(
    problem: Problem,
    *,
    start: str = "coarse",
    proposals: int | None = None,
    iterations: int | None = None,
    tolerance: float | None = None,
    threads: int | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    also: Sequence[Array] = (),
    leaps: bool = True,
    progress: Report | None = None,
) -> Result:
    """Find a design, and prove how good it is.

    Parameters
    ----------
    problem
        What is asked.
    start
        "coarse": search on coarse grids, hand over, finish (default). "learned": what a network draws is
        finished first, and the search follows where that is in doubt; the same as "coarse" where no network
        ships. "uniform": one grid, penalty continuation. "classical": one grid, fixed penalty, OC exponent
        1/2, until no density changes by 0.01 (the literature's).
    proposals
        Designs tried on the coarsest grid; more time, stiffer designs. Default: 8, and 16 more where the best
        of them is found only once. With `start="learned"` and 1, what the network draws and no other.
    iterations
        Design iterations on the full grid at most.
    tolerance
        Mean relative improvement of the objective an iteration at which to stop. Default 1e-4.
    threads
        Default: `OMP_NUM_THREADS`, else all processors. The design does not depend on it.
    out
        Folder for checkpoints, `out/checkpoint`. The result itself is saved by `Result.save`, which removes
        them when the design has converged: until then nothing may be lost.
    resume
        Go on from the checkpoints in `out`; ends in the same design as an undisturbed run.
    leaps
        Whether a network may leap ahead on the finest grid. Only with `start="learned"`.
    progress
        Called after every step.
    also
        Designs to try on the coarsest grid too, float `[z, y, x]` of any resolution, 0 to 1: of a problem
        like this one, or drawn by hand. At most as many as `proposals`, only where a search is made, and with
        `resume` the same ones again.

    Raises
    ------
    ProblemError
        If the problem is meaningless or too large; see `trabecula.problem.check`.
    UnreadableError
        If a checkpoint is damaged, or belongs to something else.
    ValueError
        For an argument that is not allowed.
    """
    travel = iterate(
        problem,
        start=start,
        proposals=proposals,
        iterations=iterations,
        tolerance=tolerance,
        threads=threads,
        out=out,
        resume=resume,
        also=also,
        leaps=leaps,
    )
    while True:
        try:
            step = next(travel)
        except StopIteration as end:
            result: Result = end.value
            return result
        if progress is not None:
            progress(step)


def iterate(
    problem: Problem,
    *,
    start: str = "coarse",
    proposals: int | None = None,
    iterations: int | None = None,
    tolerance: float | None = None,
    threads: int | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    also: Sequence[Array] = (),
    leaps: bool = True,
) -> Generator[Progress, None, Result]:
    """The same as `solve`, step by step: yields `Progress`, returns the `Result` (`yield from` gives it)."""
    _refuse(start, proposals, iterations, tolerance, threads)
    if resume and out is None:
        raise ValueError("resume needs out, the folder with the checkpoints")
    wide = Search() if proposals is None else Search(proposals=proposals, further=0)
    past = _designs(also, start, wide.proposals, problem)
    clock = time.perf_counter()
    discrete, _ = prepare(problem)
    dimension = discrete.grid.dimension
    learned = Learned.in_use(dimension, leaps) if start == "learned" else Learned()
    if out is None:
        journal = Journal()
    else:
        digests = (f"{design.shape} {hashlib.sha256(design.data).hexdigest()}" for design in past)
        networks = () if start != "learned" else (leaps, *(card.sha256 for card in learned.cards))
        asked = fingerprint(discrete, start, proposals, *digests, *networks)
        journal = Journal(Path(out) / CHECKPOINT, resume, asked)
    stop = Stop(change=tolerance or TOLERANCE, kkt=KKT, limit=iterations or 300)
    if start == "classical":
        way = classical(discrete, threads, iterations, journal)
    elif start == "uniform":
        way = uniform(discrete, threads, stop, journal)
    else:
        search = replace(wide, also=(Past(past),) if past else (), learned=learned)
        way = coarse_to_fine(discrete, threads, stop, journal, search)
    arrival = (yield from _told(way, clock)).light()
    journal.close()
    return (yield from _prove(problem, discrete, arrival, start, threads, clock))


def _refuse(
    start: str,
    proposals: int | None,
    iterations: int | None,
    tolerance: float | None,
    threads: int | None,
) -> None:
    if start not in STARTS:
        raise ValueError(f"start is {start!r}; it may be {', '.join(STARTS)}")
    for name, value in (("proposals", proposals), ("iterations", iterations), ("threads", threads)):
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}; at least 1 is needed")
    if tolerance is not None and not 0 < tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}; it must be between 0 and 1")


def _designs(also: Sequence[Array], start: str, most: int, problem: Problem) -> tuple[Array, ...]:
    """The designs to try too, as contiguous float64 arrays.

    Raises
    ------
    ValueError
        If there are any and the way has no search, if there are too many, or if one is no design.
    """
    if len(also) and start in ("uniform", "classical"):
        raise ValueError(f"also needs a search on coarse grids; start {start!r} has none")
    if len(also) > most:
        raise ValueError(f"also holds {len(also)} designs; as many as proposals ({most}) are tried at most")
    designs = tuple(np.ascontiguousarray(design, dtype=np.float64) for design in also)
    for k, design in enumerate(designs):
        if design.ndim != problem.domain.dimension or not design.size:
            raise ValueError(f"also[{k}] has shape {design.shape}; it needs {problem.domain.dimension} axes")
        if not ((design >= 0.0) & (design <= 1.0)).all():
            raise ValueError(f"also[{k}] holds values that are no densities; they must be between 0 and 1")
    return designs


def _told(way: Generator[Event, None, Arrival], clock: float) -> Generator[Progress, None, Arrival]:
    """A way's events as progress."""
    furthest = 0.0
    while True:
        try:
            event = next(way)
        except StopIteration as end:
            arrival: Arrival = end.value
            return arrival
        row = event.step.rows[-1]
        furthest = max(furthest, event.fraction)
        yield Progress(
            stage=event.stage,
            iteration=row.iteration + 1,
            compliance=row.compliance,
            change=row.change,
            volume=row.volume,
            seconds=time.perf_counter() - clock,
            fraction=furthest,
            density=event.step.x,
            done=event.done,
        )


def _prove(
    problem: Problem,
    discrete: DiscreteProblem,
    arrival: Arrival,
    start: str,
    threads: int | None,
    clock: float,
) -> Generator[Progress, None, Result]:
    """Solve the design tightly, differentiate once more, and bound what any design could reach."""
    proof = time.perf_counter()
    analysis, x, rows = arrival.analysis, arrival.step.x, arrival.step.rows
    penalty, beta = discrete.options.penalty, arrival.plan.schedule.beta(len(rows) - 1)
    warm, iterations, solves = arrival.step.displacements, len(rows), analysis.solves
    convex = yield from _bounds(discrete, analysis, penalty, x, warm, threads, clock, rows[-1].compliance)
    if convex is not None and penalty == 1.0 and not discrete.options.projection:
        x = _better(analysis, x, convex.optimum)
    if analysis.chain.projects and discrete.goal.volume is not None:
        x = analysis.chain.within(x, discrete.goal.volume, beta)
    found = analysis.evaluate(x, penalty, beta, warm, TIGHT)
    physical = analysis.chain.physical(x, beta)
    relative = analysis.interpolation.with_penalty(penalty).value(physical)
    limits = [c.gradient for c in found.constraints]
    kkt = kkt_residual(x, found.gradient, limits, discrete.lower, discrete.upper)
    bound = None if convex is None else convex.bound
    certificate = certify(discrete, physical, relative, found.displacements, bound, kkt)
    history = tuple(_history_row(row) for row in rows)
    status = Status.CONVERGED if arrival.step.finished == "converged" else Status.LIMIT
    stages = (
        *arrival.stages,
        Stage("proof", 0 if convex is None else convex.iterations, time.perf_counter() - proof),
    )
    return Result(
        problem=problem,
        density=physical.astype(np.float32).clip(0.0, 1.0),
        design=x,
        history=history,
        certificate=certificate,
        stages=stages,
        status=status,
        start=start,
        iterations=iterations,
        solves=solves + analysis.cases,
        seconds=time.perf_counter() - clock,
        compliance=found.compliance,
        volume=found.volume,
        threads=thread_count(threads),
        version=VERSION,
        machine=machine(),
        word="certified" if status is Status.CONVERGED and _is_certified(certificate) else "verified",
        relaxed=None if convex is None else convex.density.astype(np.float32),
        penalty=penalty,
        beta=beta if discrete.options.projection else 0.0,
        trials=arrival.trials,
        coarser=arrival.coarser,
    )


def _is_certified(certificate: Certificate) -> bool:
    """Stationary to a stated residual, in equilibrium, and bounded."""
    return (
        certificate.lower_bound is not None
        and certificate.kkt_residual is not None
        and certificate.equilibrium_residual is not None
        and certificate.equilibrium_residual <= 1e-8
        and certificate.kkt_residual <= STATIONARY
    )


def _bounds(
    discrete: DiscreteProblem,
    analysis: Analysis,
    penalty: float,
    x: Array,
    warm: Sequence[Guess] | None,
    threads: int | None,
    clock: float,
    compliance: float,
) -> Generator[Progress, None, Relaxed | None]:
    """Relax the problem on the coarse grids first, then on its own, and keep the bound found there."""

    def told(stage: str, fraction: float) -> Progress:
        seconds = time.perf_counter() - clock
        return Progress(stage, 1, compliance, 0.0, analysis.chain.volume(x), seconds, fraction, x)

    yield told("proof: bound", 0.9)
    start = _relaxed_coarse(discrete, threads, penalty) if penalty > 1.0 else None
    bound = find_bound(discrete, analysis.chain, analysis.state, penalty, design=x, start=start)
    yield told("proof: equilibrium", 0.97)
    return bound if isinstance(bound, Relaxed) else None


def _relaxed_coarse(discrete: DiscreteProblem, threads: int | None, penalty: float) -> Array | None:
    """The relaxed design of the coarser grids, one after the other, put on the finest; None without any."""
    start: Array | None = None
    for grid in ladder(discrete)[:-1]:
        coarse = Analysis(grid, threads)
        if start is not None:
            start = resample(start, grid.grid.shape)
        found = find_bound(grid, coarse.chain, coarse.state, penalty, start=start, max_iterations=20)
        if not isinstance(found, Relaxed):
            return None
        start = found.design
    return None if start is None else resample(start, discrete.grid.shape)


def _better(analysis: Analysis, x: Array, other: Array) -> Array:
    """The better of two designs of a convex problem, by one solve each."""
    merits = [analysis.evaluate(design, 1.0, tolerance=1e-6).merit for design in (x, other)]
    return x if merits[0] <= merits[1] else other


def _history_row(row: Row) -> dict[str, float | int | str]:
    """Without what is not known (the KKT residual before the schedule is settled)."""
    return {key: value for key, value in asdict(row).items() if not math.isnan(value)}
