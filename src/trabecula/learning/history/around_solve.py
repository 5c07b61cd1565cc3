"""The history around a solve: recall before it, keep after it. Neither ever fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.history import location
from trabecula.learning.history.store import ALIKE, Match, Store
from trabecula.problem import Problem
from trabecula.results.result import Result
from trabecula.solve import solve as run
from trabecula.strategy.names import DEFAULT
from trabecula.strategy.progress import Progress
from trabecula.strategy.table import start_of


def open_history() -> Store:
    """The user's history, whether it is in use or not.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    return Store(location.folder(), location.limit())


def recall(discrete: DiscreteProblem, within: float = ALIKE) -> Match | None:
    """The nearest past problem, if one is near enough; None also where the history cannot be read."""
    try:
        return open_history().nearest(discrete, within)
    except Exception:  # whatever it is, a solve does without
        return None


def keep(result: Result) -> str:
    """Keep a result; says in a few words why it could not be kept, else nothing."""
    try:
        open_history().keep(result)
    except Exception as error:  # whatever it is, the result is there
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return str(reason).splitlines()[0].lower()
    return ""


def solve(
    problem: Problem,
    *,
    start: str | None = None,
    proposals: int | None = None,
    iterations: int | None = None,
    tolerance: float | None = None,
    threads: int | None = None,
    out: Path | str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """`trabecula.solve` as the command line does it: with the nearest past design tried too, and kept.

    With `TRABECULA_HISTORY=0` it is just that. For the parameters see `trabecula.solve`.
    """
    on = location.is_on()
    match = recall(prepare(problem)[0]) if on and start_of(start or DEFAULT).searches else None
    result = run(
        problem,
        start=start or DEFAULT,
        proposals=proposals,
        iterations=iterations,
        tolerance=tolerance,
        threads=threads,
        out=out,
        also=() if match is None else (match.design.astype("float64"),),
        progress=progress,
    )
    if on:
        keep(result)
    return result
