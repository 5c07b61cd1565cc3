"""The same problem for several values of one thing: solved side by side, kept one by one, and taken up again.

Solves run in processes, and what goes wrong with one value loses the result of no other.
"""

from __future__ import annotations

import csv
import io
import math
import pickle
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from trabecula.physics.threads import thread_count
from trabecula.problem import Problem
from trabecula.problem.estimate import SHARE_OF_MACHINE, estimate, machine_memory
from trabecula.results.result import Result
from trabecula.results.result_folder import FILES, KIND, RESULT, check, same_problem
from trabecula.status import NoteWarning
from trabecula.storage import writing
from trabecula.storage.owned import hold
from trabecula.storage.reading import UnreadableError
from trabecula.strategy.request import ITERATIONS, check_count

Solve = Callable[..., Result]
"""`trabecula.solve`."""

WithValue = Callable[[Problem, Any], Problem]
"""Makes the problem that has a value from the one that is swept over."""

GUARD = (
    "a process that should solve it ended before it was done; it may have been killed, or lacked memory. "
    'In a script, call sweep below `if __name__ == "__main__":`, for every process reads the script again'
)


def _with_volume(problem: Problem, value: Any) -> Problem:
    return replace(problem, goal=replace(problem.goal, volume=value))


def _with_compliance(problem: Problem, value: Any) -> Problem:
    return replace(problem, goal=replace(problem.goal, compliance=(value,)))


def _with_penalty(problem: Problem, value: Any) -> Problem:
    return replace(problem, options=replace(problem.options, penalty=value))


def _with_radius(problem: Problem, value: Any) -> Problem:
    options = problem.options
    return replace(problem, options=replace(options, filter=replace(options.filter, radius=value)))


FIELDS: dict[str, WithValue] = {
    "volume": _with_volume,
    "penalty": _with_penalty,
    "radius": _with_radius,
    "compliance": _with_compliance,
}
"""What can be swept over by its name."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The results of a sweep, in the order of its values.

    Attributes
    ----------
    field
        What was changed: "volume", "penalty", "radius", "compliance" or "value".
    values
        Its values.
    results
        One a value; None where there is none.
    errors
        One a value: why there is no result; None where there is one.
    """

    field: str
    values: tuple[Any, ...]
    results: tuple[Result | None, ...]
    errors: tuple[Exception | None, ...]

    def table(self) -> list[dict[str, Any]]:
        """One row a value: the value itself, `compliance` (J, W K), `volume`, `objective`, `word`, `gap`,
        `status` and `error`; None where there is nothing to say."""
        return [
            _row(value, result, error)
            for value, result, error in zip(self.values, self.results, self.errors, strict=True)
        ]

    def to_csv(self, path: Path | str | None = None) -> str:
        """The table as text, parted by commas, with a line of names.

        Parameters
        ----------
        path
            Where to write it, if anywhere; a file that is there is replaced.
        """
        text = io.StringIO()
        rows = self.table()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        if path is not None:
            writing.write_bytes(Path(path), text.getvalue().encode())
        return text.getvalue()

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        solved = sum(result is not None for result in self.results)
        first, last = self.values[0], self.values[-1]
        return f"<Sweep over {self.field}, {first} to {last}: {solved} of {len(self)} values solved>"


def _row(value: Any, result: Result | None, error: Exception | None) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(("compliance", "volume", "objective", "word", "gap", "status"))
    if result is not None:
        found = {
            "compliance": result.compliance,
            "volume": result.volume,
            "objective": result.objective,
            "word": result.word,
            "gap": result.certificate.gap,
            "status": result.status.value,
        }
    return {"value": value, **found, "error": None if error is None else str(error)}


@dataclass(frozen=True, eq=False)
class _Task:
    """A value to be solved for: the problem, the folder (if any), and the arguments of the solve."""

    problem: Problem
    folder: Path | None
    arguments: Mapping[str, Any]


def run_sweep(
    solve: Solve,
    problem: Problem,
    field: str,
    values: Sequence[Any],
    with_value: WithValue,
    out: Path | str | None,
    workers: int | None,
    resume: bool,
    arguments: Mapping[str, Any],
) -> Sweep:
    """Solve a problem for every value; see `trabecula.sweep`, which says what the parameters are."""
    check_count("workers", workers)
    check_count("threads", arguments.get("threads"))
    names = _folder_names(field, values)
    problems = [with_value(problem, value) for value in values]
    folders = [None if out is None else Path(out).absolute() / name for name in names]
    results: list[Result | None] = [None] * len(values)
    errors: list[Exception | None] = [None] * len(values)
    for k, folder in enumerate(folders):
        if resume and folder is not None:
            try:
                results[k] = _take(folder, problems[k], arguments)
            except (OSError, ValueError, UnreadableError) as error:
                errors[k] = error
    missing = [k for k in range(len(values)) if results[k] is None and errors[k] is None]
    at_once = _count_workers(workers, [problems[k] for k in missing])
    given = {
        "threads": max(1, thread_count(None) // at_once),
        **arguments,
        "resume": resume and out is not None,
    }
    tasks = {k: _Task(problems[k], folders[k], given) for k in missing}
    for k, end in _work(solve, tasks, at_once).items():
        if isinstance(end, Result):
            results[k] = end
        else:
            errors[k] = end
    _tell_errors(field, values, errors)
    return Sweep(field, tuple(values), tuple(results), tuple(errors))


def choose_field(
    fields: Mapping[str, Iterable[Any] | None], values: Iterable[Any] | None, with_value: WithValue | None
) -> tuple[str, list[Any], WithValue]:
    """What is swept over, its values, and what puts one into a problem.

    Raises
    ------
    ValueError
        Unless exactly one thing is given, with at least one value, and a field with finite numbers.
    """
    given = [name for name, each in fields.items() if each is not None]
    if (values is None) != (with_value is None):
        raise ValueError("values and with_value belong together: give both, or neither")
    if len(given) + (values is not None) != 1:
        what = " and ".join(given) or "nothing"
        raise ValueError(
            f"sweep is given {what}; it needs exactly one of {', '.join(fields)}, or values with with_value"
        )
    if values is not None and with_value is not None:
        return "value", _at_least_one("values", values), with_value
    name = given[0]
    numbers = _at_least_one(name, fields[name])
    for value in numbers:
        if isinstance(value, bool | str) or not _is_finite(value):
            raise ValueError(f"{name} holds {value!r}; it needs finite numbers")
    return name, [float(value) for value in numbers], FIELDS[name]


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:
        return False


def _at_least_one(name: str, values: Any) -> list[Any]:
    try:
        found = list(values)
    except TypeError:
        raise ValueError(f"{name} is {values!r}; a sweep needs a list of values") from None
    if isinstance(values, str) or not found:
        raise ValueError(f"{name} is {values!r}; a sweep needs a list of at least one value")
    return found


def _folder_names(field: str, values: Sequence[Any]) -> list[str]:
    """A folder name a value.

    Raises
    ------
    ValueError
        If two of them are the same.
    """
    names = [f"{field}-{re.sub(r'[^A-Za-z0-9.+-]+', '_', str(value))[:80]}" for value in values]
    for k, name in enumerate(names):
        if name in names[:k]:
            raise ValueError(f"two values of {field} have the folder {name}; values must differ")
    return names


def _take(folder: Path, problem: Problem, arguments: Mapping[str, Any]) -> Result | None:
    """The result that is in a folder, if it is what is asked for; None where there is none, or more
    iterations are asked for.

    Raises
    ------
    ValueError
        If it answers something else.
    """
    if not (folder / RESULT).is_file():
        return None
    result = Result.load(folder)
    if not same_problem(result.problem, problem) or result.start != arguments.get("start", result.start):
        raise ValueError(
            f"{folder} holds the result of another problem or start; choose another folder, or replace it "
            "with resume=False"
        )
    more = (arguments.get("iterations") or ITERATIONS) > result.iterations
    return None if result.can_go_on and more else result


def _count_workers(workers: int | None, problems: Sequence[Problem]) -> int:
    """How many to solve at once: as many as asked for, else as there are processors and memory for."""
    most = min(len(problems), workers or thread_count(None))
    if workers is None and problems:
        needed = max(estimate(each).memory_bytes for each in problems)
        most = min(most, int(SHARE_OF_MACHINE * machine_memory() / needed))
    return max(1, most)


def _work(solve: Solve, tasks: Mapping[int, _Task], workers: int) -> dict[int, Result | Exception]:
    """Do the tasks in processes; one whose process dies takes no other with it.

    Where a process dies, nobody knows at which of the tasks that were under way: what is not done then is
    done one by one.
    """
    ends = _work_together(solve, tasks, workers)
    for k in sorted(set(tasks) - set(ends)):
        ends |= _work_together(solve, {k: tasks[k]}, 1)
        ends.setdefault(k, RuntimeError(GUARD))
    return ends


def _work_together(solve: Solve, tasks: Mapping[int, _Task], workers: int) -> dict[int, Result | Exception]:
    """What came of the tasks, without those that were lost with a process."""
    if not tasks:
        return {}
    ends: dict[int, Result | Exception] = {}
    # spawn: a fork would copy the threads' locks, and what the kernels hold
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=get_context("spawn")) as pool:
        try:
            futures: dict[Future[Result], int] = {
                pool.submit(_do, solve, task): k for k, task in tasks.items()
            }
            for future in as_completed(futures):
                try:
                    ends[futures[future]] = future.result()
                except BrokenProcessPool:
                    continue
                except Exception as error:
                    ends[futures[future]] = error
        except BrokenProcessPool:
            pass
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return ends


def _do(solve: Solve, task: _Task) -> Result:
    """One task, in a process of its own; raises nothing that cannot be handed to another process."""
    try:
        return _solve_into(task.folder, solve, task)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            raise RuntimeError(f"{type(error).__name__}: {error}") from None
        raise


def _solve_into(folder: Path | None, solve: Solve, task: _Task) -> Result:
    """Solve, and keep the result in its folder, if it has one."""
    if folder is None:
        return solve(task.problem, **task.arguments)
    with hold(folder, KIND) as mine:  # nobody else may solve into it meanwhile
        check(task.problem, mine, FILES)
        result = solve(task.problem, out=folder, **task.arguments)
        result.save(folder)
    return result


def _tell_errors(field: str, values: Sequence[Any], errors: Sequence[Exception | None]) -> None:
    """Raise where nothing came out; else warn of every value that has no result."""
    wrong = [(value, error) for value, error in zip(values, errors, strict=True) if error is not None]
    if not wrong:
        return
    if len(wrong) == len(values):
        raise wrong[0][1]
    said = "; ".join(f"{field} {value}: {error}" for value, error in wrong)
    have = "has" if len(wrong) == 1 else "have"
    warnings.warn(f"{len(wrong)} of {len(values)} values {have} no result: {said}", NoteWarning, stacklevel=4)
