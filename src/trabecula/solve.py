"""The public call: from a problem to a proven design, at once or step by step."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trabecula.design import FilterKind, Interpolation
from trabecula.discretisation import Grid, prepare
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.numerics.errstate import own_errstate
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimizers import Optimizer, make_optimizer
from trabecula.problem import FilterOptions, Goal, Problem
from trabecula.problem.model import Limit
from trabecula.problem.restate import restate
from trabecula.problem.starts import STARTS
from trabecula.responses import Quantity
from trabecula.results.result import Result
from trabecula.results.result_folder import CHECKPOINT
from trabecula.status import Status
from trabecula.strategy.events import publish
from trabecula.strategy.feasible import refuse_unsolvable
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.names import DEFAULT
from trabecula.strategy.progress import Progress
from trabecula.strategy.prove import Question, prove
from trabecula.strategy.request import KKT, MOST_ITERATIONS, TOLERANCE, Request, check_count
from trabecula.strategy.runner import Event
from trabecula.strategy.table import Start, start_of
from trabecula.strategy.workbench import Workbench

if TYPE_CHECKING:
    from trabecula.strategy.sweep import Sweep, WithValue

__all__ = [
    "KKT",
    "MOST_ITERATIONS",
    "STARTS",
    "TOLERANCE",
    "Iteration",
    "Report",
    "iterate",
    "solve",
    "sweep",
]

Array = NDArray[np.float64]

Report = Callable[[Progress], None]


def solve(
    problem: Problem,
    *,
    goal: Quantity | Goal | str | None = None,
    limits: Sequence[Limit] | None = None,
    filter: FilterKind | FilterOptions | str | None = None,
    optimizer: Optimizer | str | None = None,
    interpolation: Interpolation | str | None = None,
    start: str = DEFAULT,
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
    goal
        Minimised in place of what the problem says, under the same limits: a quantity, its name, or a whole
        `trabecula.Goal`. The result's `problem` says what was solved, here and below.
    limits
        In place of all limits that the problem has, as `[trabecula.Limit("volume", 0.4)]`.
    filter
        In place of the problem's: a name, which keeps the radius, `trabecula.FilterOptions`, or a filter of
        one's own (`trabecula.FilterKind`).
    optimizer, interpolation
        In place of the problem's: a name, or an object of one's own.
    start
        "coarse": search on coarse grids, hand over, finish (default). "learned": what a network draws is
        finished first, and the search follows where that is in doubt; the same as "coarse" where no network
        ships. "uniform": one grid, penalty continuation. "classical": one grid, fixed penalty, OC exponent
        1/2, until no density changes by 0.01 (the literature's). Or a start that was added to
        `trabecula.strategy.table.STARTS`.
    proposals
        Designs tried on the coarsest grid; more time, stiffer designs. Default: 16; for a grey design 8, and
        16 more where the best of them is found only once. With `start="learned"` and 1, what the network
        draws and no other.
    iterations
        Design iterations on the full grid at most; 100,000 at most.
    tolerance
        Mean relative improvement of the objective per iteration at which to stop. Default 1e-4.
    threads
        Default: `OMP_NUM_THREADS`, else all processors. The design does not depend on it.
    out
        Folder for checkpoints, `out/checkpoint`. The result itself is saved by `Result.save`, which removes
        them when the design has converged: until then nothing may be lost.
    resume
        Go on from the checkpoints in `out`; ends in the same design as an undisturbed run.
    also
        Designs to try on the coarsest grid too, float `[z, y, x]` of any resolution, 0 to 1: of a problem
        like this one, or drawn by hand. At most as many as `proposals` (8 by default), only where a search is
        made, and with `resume` the same ones again.
    leaps
        Whether a network may leap ahead on the finest grid. Only with `start="learned"`.
    progress
        Called after every step of every run and of the proof.

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
    TypeError
        If a part is neither a name nor what it should be.
    """
    steps = iterate(
        problem,
        goal=goal,
        limits=limits,
        filter=filter,
        optimizer=optimizer,
        interpolation=interpolation,
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
    with closing(steps):  # where `progress` raises, nobody works on behind the caller's back
        for step in steps:
            if progress is not None:
                progress(step)
    return steps.result


def iterate(
    problem: Problem,
    *,
    goal: Quantity | Goal | str | None = None,
    limits: Sequence[Limit] | None = None,
    filter: FilterKind | FilterOptions | str | None = None,
    optimizer: Optimizer | str | None = None,
    interpolation: Interpolation | str | None = None,
    start: str = DEFAULT,
    proposals: int | None = None,
    iterations: int | None = None,
    tolerance: float | None = None,
    threads: int | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    also: Sequence[Array] = (),
    leaps: bool = True,
) -> Iteration:
    """The same as `solve`, step by step; for the parameters see there.

    Nothing is done, and nothing is refused, before the first step is asked for.

    Returns
    -------
    Iteration
        Yields a `Progress` after every step; its `result` is there when it is exhausted.
    """
    asked = partial(restate, problem, goal, limits, filter, optimizer, interpolation)
    return Iteration(
        _steps(asked, start, proposals, iterations, tolerance, leaps, also, threads, out, resume)
    )


def sweep(
    problem: Problem,
    *,
    volume: Iterable[float] | None = None,
    penalty: Iterable[float] | None = None,
    radius: Iterable[float] | None = None,
    compliance: Iterable[float] | None = None,
    values: Iterable[Any] | None = None,
    with_value: WithValue | None = None,
    out: Path | str | None = None,
    workers: int | None = None,
    resume: bool = True,
    **solve_arguments: Any,
) -> Sweep:
    """Solve a problem for several values of one thing, side by side in processes.

    In a script, call it below `if __name__ == "__main__":`, for every process reads the script again.

    Parameters
    ----------
    problem
        What is asked, but for the value.
    volume, penalty, radius, compliance
        Values of one of them: the volume fraction that is allowed, the final penalty, the radius of the
        filter in metres, the compliance that is allowed in J (where the volume is minimised).
    values, with_value
        Instead: any values, and a function that makes a problem of `problem` and one of them.
    out
        Folder that every result is saved in, each in a folder of its own: `out/volume-0.3`.
    workers
        Problems solved at once, each in a process. Default: as processors and memory allow.
    resume
        Take results that are in `out` already, and go on with solves that were interrupted, from their
        checkpoints; False solves all of them anew.
    solve_arguments
        As for `solve`, but for `progress`. Processors are shared among the workers, unless `threads` says how
        many each may take; designs depend on neither.

    Raises
    ------
    ValueError
        For an argument that is not allowed.
    Exception
        What is wrong with the first value, where none has a result. Else it stands in `Sweep.errors`, for
        example that a folder holds the result of another problem.

    Warns
    -----
    NoteWarning
        Some of the values have no result.
    """
    from trabecula.strategy.sweep import choose_field, run_sweep  # loads what starts processes

    fields = {"volume": volume, "penalty": penalty, "radius": radius, "compliance": compliance}
    if "progress" in solve_arguments:
        raise ValueError("sweep takes no progress, for it solves in other processes; look at `out` instead")
    field, chosen, put = choose_field(fields, values, with_value)
    inspect.signature(solve).bind(problem, **solve_arguments)
    return run_sweep(solve, problem, field, chosen, put, out, workers, resume, solve_arguments)


class Iteration(Generator[Progress, None, Result]):
    """A solve step by step: a generator of `Progress`, with the result as an attribute.

    `for step in iteration` takes it step by step, `yield from iteration` is worth the result, and as a
    context manager it is closed at the end of the block: what waits is written, and the folder is free.
    """

    def __init__(self, steps: Generator[Progress, None, Result]) -> None:
        self._steps = steps
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """What the solve ends with.

        Raises
        ------
        RuntimeError
            If it has not ended yet, or was closed before it did.
        """
        if self._result is None:
            raise RuntimeError(
                "there is no result yet: a solve has one when all its steps were taken; "
                "go on with the loop, or call trabecula.solve"
            )
        return self._result

    def send(self, value: None, /) -> Progress:
        """The next step; the value must be None."""
        try:
            return self._steps.send(value)
        except StopIteration as end:
            if end.value is not None:
                self._result = end.value
            raise

    def throw(self, *error: Any) -> Progress:
        """Raise an exception where the solve stands."""
        return self._steps.throw(*error)

    def close(self) -> None:
        """End it here: what waits to be kept is written, and the folder is free."""
        self._steps.close()

    def __enter__(self) -> Iteration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "<Iteration, under way>" if self._result is None else f"<Iteration, ended: {self._result!r}>"


@own_errstate
def _steps(
    asked: Callable[[], Problem],
    start: str,
    proposals: int | None,
    iterations: int | None,
    tolerance: float | None,
    leaps: bool,
    also: Sequence[Array],
    threads: int | None,
    out: Path | str | None,
    resume: bool,
) -> Generator[Progress, None, Result]:
    """Check what is asked, make the workbench, optimise, prove."""
    chosen, problem = start_of(start), asked()
    request = Request(start, proposals, iterations, tolerance, leaps)
    check_count("threads", threads)
    if resume and out is None:
        raise ValueError("resume needs out, the folder with the checkpoints")
    if len(also):
        if not chosen.searches:
            raise ValueError(f"also needs a search on coarse grids; start {start!r} has none")
        request = request.with_designs(also, problem.domain.dimension)
    clock = time.perf_counter()
    discrete, _ = prepare(problem)
    scaled = nondimensional(discrete)
    make_optimizer(scaled.problem)  # one that cannot be used is refused before anything is written
    if chosen.uses_networks and isinstance(discrete.grid, Grid):  # networks see voxels
        request = replace(request, learned=Learned.in_use(discrete.grid.dimension, leaps))
    checkpoints = Checkpoints()
    if out is not None:
        folder = Path(out).absolute()  # a callback may go to another folder
        fingerprint = request.fingerprint(discrete, chosen.uses_networks)
        checkpoints = Checkpoints(folder / CHECKPOINT, resume, fingerprint, request.arguments)
    bench = Workbench(scaled.problem, threads, checkpoints)
    return (yield from publish(_events(bench, chosen, request, problem, clock), clock))


def _events(
    bench: Workbench, chosen: Start, request: Request, problem: Problem, clock: float
) -> Generator[Event, None, Result]:
    """What happens on a workbench, from the first run to the end of the proof."""
    goes_on = True
    try:
        refuse_unsolvable(bench)
        outcome = (yield from chosen.run(bench, request)).without_memory()
        goes_on = outcome.step.finished is not Status.CONVERGED
    finally:  # also where the caller stops listening: what waits is written, and the folder is free
        bench.runner.checkpoints.close(write=goes_on)
    return (yield from prove(bench, outcome, Question(problem, request.start, clock)))
