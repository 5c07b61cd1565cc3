"""The public call: from a problem to different good designs, each proven."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import prepare
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.gallery.curate import Curator
from trabecula.gallery.ground import SOURCES, Source
from trabecula.gallery.record import Gallery
from trabecula.gallery.save import save_gallery
from trabecula.numerics.errstate import own_errstate
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimizers import make_optimizer
from trabecula.problem import Problem
from trabecula.problem.tables import UnknownNameError
from trabecula.results.result_folder import CHECKPOINT, forget
from trabecula.strategy.events import publish
from trabecula.strategy.progress import Progress
from trabecula.strategy.request import Request, check_count
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

DEFAULT_SOURCES = ("fields", "deflation")
"""The sources that earn their place, see docs/decisions/gallery.md."""

COUNT, WITHIN, BUDGET = 12, 0.05, 8.0


def gallery(
    problem: Problem,
    *,
    count: int = COUNT,
    within: float = WITHIN,
    budget: float = BUDGET,
    sources: Sequence[str] = DEFAULT_SOURCES,
    seed: int | None = None,
    also: Sequence[Array] = (),
    threads: int | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Gallery:
    """Find different good designs of one problem, and prove each.

    The first is that of a plain solve. The others begin on the coarsest grid, where sources draw starts;
    what differs and is good goes up the grids, is finished, made a part and certified like any other.

    Parameters
    ----------
    problem
        What is asked.
    count
        Designs wanted.
    within
        Largest share by which the part of a design may be more compliant than the best one's: 0.05 for 5 %.
        Where the volume is minimised it is the volume of the part, for other goals the goal's value.
    budget
        Work at most, in default solves of this problem. It is counted in iterations times voxels, so that the
        same designs come out on every machine; a design that was begun is finished.
    sources
        Names of where starts come from (`trabecula.SOURCES`).
    seed
        In place of the problem's own.
    also
        Designs for the source "past", float `[z, y, x]` of any resolution, 0 to 1.
    threads
        Default: `OMP_NUM_THREADS`, else all processors. The designs do not depend on it.
    out
        Folder for all that comes out: one result folder per design in `out/designs`, the table, pictures and
        the page.
    resume
        Go on from what is in `out`; ends in the same designs as an undisturbed run.
    progress
        Called after every step of every run.

    Raises
    ------
    ProblemError
        If the problem is meaningless or too large.
    NoDesignError
        If not even the plain solve has a design.
    UnreadableError
        If a checkpoint is damaged, or belongs to something else.
    ValueError
        For an argument that is not allowed.
    """
    steps = _steps(problem, count, within, budget, sources, seed, also, threads, out, resume)
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                found: Gallery = end.value
                break
            if progress is not None:
                progress(step)
    return found


@own_errstate
def _steps(
    problem: Problem,
    count: int,
    within: float,
    budget: float,
    sources: Sequence[str],
    seed: int | None,
    also: Sequence[Array],
    threads: int | None,
    out: Path | str | None,
    resume: bool,
) -> Generator[Progress, None, Gallery]:
    check_arguments(count, within, budget)
    check_count("threads", threads)
    chosen = choose_sources(sources)
    if resume and out is None:
        raise ValueError("resume needs out, the folder with the checkpoints")
    if seed is not None:
        problem = replace(problem, options=replace(problem.options, seed=seed))
    request = Request().with_designs(also, problem.domain.dimension)
    clock = time.perf_counter()
    discrete, _ = prepare(problem)
    scaled = nondimensional(discrete)
    make_optimizer(scaled.problem)
    folder = None if out is None else Path(out).absolute()
    checkpoints = Checkpoints()
    if folder is not None:
        asked = fingerprint(request.fingerprint(discrete, False), tuple(sources), count, within, budget)
        checkpoints = Checkpoints(folder / CHECKPOINT, resume, asked)
    bench = Workbench(scaled.problem, threads, checkpoints)
    curator = Curator(bench, problem, request, chosen, count, within, budget, folder, resume, clock)
    try:
        found = yield from publish(curator.run(), clock)
    finally:
        bench.runner.checkpoints.close()
    if folder is not None:
        found = save_gallery(found, folder)
        forget(folder)
    return found


def fingerprint(*parts: object) -> str:
    """A short text that differs where anything differs that decides which designs come out."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def check_arguments(count: int, within: float, budget: float) -> None:
    """Refuse what no gallery can be asked for.

    Raises
    ------
    ValueError
        If something is out of its range.
    """
    check_count("count", count)
    if not 0.0 < within <= 1.0:
        raise ValueError(f"within is {within}; it must be above 0 and at most 1, as 0.05 for 5 %")
    if not 1.0 <= budget <= 1e6:
        raise ValueError(f"budget is {budget}; it must be at least 1, the plain solve's own work")


def choose_sources(names: Sequence[str]) -> dict[str, Source]:
    """The sources of some names.

    Raises
    ------
    ValueError
        If there is none of a name, or a name is given twice.
    """
    if isinstance(names, str) or len(set(names)) != len(names):
        raise ValueError(f"sources is {names!r}; it needs a list of different names")
    try:
        return {name: SOURCES[name] for name in names}
    except UnknownNameError as error:
        raise ValueError(f"sources holds {error.name!r}; it may hold {', '.join(SOURCES)}") from None
