"""The way: propose, triage, hand over, finish, prove. The one place where all of it meets."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import prepare
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.numerics.errstate import own_errstate
from trabecula.optimize.checkpoint import Checkpoints, fingerprint
from trabecula.optimize.loop import Stop
from trabecula.problem import Problem
from trabecula.results.result import Result
from trabecula.results.result_folder import CHECKPOINT
from trabecula.starts import PastDesigns
from trabecula.strategy.feasible import refuse_unsolvable
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.multistart import Search
from trabecula.strategy.progress import Progress
from trabecula.strategy.prove import Question, prove
from trabecula.strategy.runner import Event, Outcome
from trabecula.strategy.strategies import classical, coarse_to_fine, uniform

Array = NDArray[np.float64]
Start = Literal["uniform", "coarse", "learned", "classical"]

STARTS: tuple[str, ...] = get_args(Start)
TOLERANCE = 1e-4
"""Mean relative improvement of the objective an iteration at which the default stops."""

KKT = 2e-3
"""KKT residual at which every way stops, whatever the objective does."""

MOST_ITERATIONS = 100_000
"""On the full grid; as many rows of a history are read back."""

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
        Design iterations on the full grid at most; 100,000 at most.
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
    NoDesignError
        If no design keeps the limits of the goal, or none can be shown because its state is not solved.
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
    with closing(travel):  # where `progress` raises, nobody works on behind the caller's back
        while True:
            try:
                step = next(travel)
            except StopIteration as end:
                result: Result = end.value
                return result
            if progress is not None:
                progress(step)


@own_errstate
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
    scaled = nondimensional(discrete)
    dimension = discrete.grid.dimension
    learned = Learned.in_use(dimension, leaps) if start == "learned" else Learned()
    if out is None:
        checkpoints = Checkpoints()
    else:
        digests = (f"{design.shape} {hashlib.sha256(design.data).hexdigest()}" for design in past)
        networks = () if start != "learned" else (leaps, *(card.sha256 for card in learned.cards))
        asked = fingerprint(discrete, start, proposals, *digests, *networks)
        request: dict[str, object] = {"start": start, "proposals": proposals, "iterations": iterations}
        request |= {"tolerance": tolerance, "leaps": leaps}
        folder = Path(out).absolute()  # a callback may go to another folder
        checkpoints = Checkpoints(folder / CHECKPOINT, resume, asked, request)
    refuse_unsolvable(scaled.problem, threads)
    stop = Stop(change=tolerance or TOLERANCE, kkt=KKT, limit=iterations or 300)
    if start == "classical":
        way = classical(scaled.problem, threads, iterations, checkpoints)
    elif start == "uniform":
        way = uniform(scaled.problem, threads, stop, checkpoints)
    else:
        search = replace(wide, also=(PastDesigns(past),) if past else (), learned=learned)
        way = coarse_to_fine(scaled.problem, threads, stop, checkpoints, search)
    try:
        outcome = (yield from _told(way, scaled.compliance, clock)).light()
    finally:  # also where the caller stops listening: what waits is written, and the folder is free
        checkpoints.close()
    return (yield from prove(Question(problem, scaled, start, threads, clock), outcome))


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
    if iterations is not None and iterations > MOST_ITERATIONS:
        raise ValueError(f"iterations is {iterations}; at most {MOST_ITERATIONS} are made")
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


def _told(
    way: Generator[Event, None, Outcome], unit: float, clock: float
) -> Generator[Progress, None, Outcome]:
    """A way's events as progress; `unit` is what its compliances are in, J."""
    furthest = 0.0
    while True:
        try:
            event = next(way)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        row = event.step.rows[-1]
        furthest = max(furthest, event.fraction)
        yield Progress(
            stage=event.stage,
            iteration=row.iteration + 1,
            compliance=unit * row.compliance,
            change=row.change,
            volume=row.volume,
            seconds=time.perf_counter() - clock,
            fraction=furthest,
            density=event.step.x.copy(),  # the caller's own: to write into, and to keep
            done=event.done,
        )
