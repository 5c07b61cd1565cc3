"""A record of runs, so that an interrupted way goes on to the same answer.

The way to a design is a fixed sequence of named runs, each a function of what came before. What a run reached
is kept; going on repeats the way from its beginning, takes every kept run as it is and continues the one that
was under way. Nothing depends on when it was stopped.
"""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.analysis import Analysis
from trabecula.optimize import Best, Plan, Row, Step, advance, go_on
from trabecula.problem.discrete import DiscreteProblem
from trabecula.storage import reading
from trabecula.storage.owned import Owned, hold

Array = NDArray[np.float64]

_PATIENCE = 1.0
"""Seconds of work that may be lost, of a run and of all that ended since anything was written."""

_ITERATIONS = 3
"""Iterations that may be lost, where an iteration takes long."""

_KIND = "checkpoint"
"""Of the folder, in its mark."""


class Journal:
    """Runs kept in a folder; without a folder, in no place.

    Parameters
    ----------
    folder
        Where to keep them; nobody else may work there as long as there is this journal.
    resume
        Whether to take what is there; otherwise it is removed, as far as it is ours.
    asked
        What the runs are for, a `fingerprint`: what was kept for anything else is refused.

    Raises
    ------
    OwnershipError
        There are `.npz` files in the folder that are not ours, or were changed.
    LockedError
        Another thread or process works in the folder.
    """

    def __init__(self, folder: Path | None = None, resume: bool = False, asked: str = "") -> None:
        self.folder = folder
        self.asked = asked
        self._held: Owned | None = None if folder is None else hold(folder, _KIND)
        self._waiting: dict[str, Step] = {}
        self._written, self._mutex = time.monotonic(), Lock()
        if self._held is not None and not resume:
            self._held.check(sorted(path.name for path in self._held.folder.glob("*.npz")))
            self.clear()

    def clear(self) -> None:
        """Remove everything of ours that is kept."""
        self._waiting.clear()
        if self._held is not None:
            self._held.retire()

    def close(self) -> None:
        """Write what waits to be kept, and let the folder go; nothing is kept from here on."""
        if self._held is not None:
            self._write()
            self._held.close()
        self._held = None

    def run(self, name: str, analysis: Analysis, plan: Plan, first: Callable[[], Step]) -> Iterator[Step]:
        """Iterate from `first()`, or from where the run of that name was, to its stop; yields every step.

        The last step yielded is the finished one; at least one is yielded.
        """
        if name in self._waiting:
            self._write()
        kept = self._kept(name, analysis, plan)
        if self._held is not None:
            self._held.check([f"{name}.npz"])
        step = first() if kept is None else kept
        if kept is not None or step.finished:
            yield step
        saved, since = time.monotonic(), 0
        while step.finished is None:
            step = advance(analysis, plan, step)
            since += 1
            now = time.monotonic()
            if step.finished or (
                now - saved > _PATIENCE and (since >= _ITERATIONS or now - saved > 10 * _PATIENCE)
            ):
                self._put(name, step)
                saved, since = time.monotonic(), 0
            yield step

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.npz"

    def _put(self, name: str, step: Step) -> None:
        """Keep a step; runs of a moment wait for one another, so that the disk is waited for once."""
        if self._held is None:
            return
        with self._mutex:
            self._waiting[name] = step
        if step.finished is None or time.monotonic() - self._written > _PATIENCE:
            self._write()

    def _write(self) -> None:
        """Write what waits, in the order it came."""
        with self._mutex:
            if self._held is None or not self._waiting:
                return
            if not self._held.is_held:  # somebody removed the folder
                self._held = hold(self._held.folder, _KIND)
            with self._held.batch():
                for name, step in self._waiting.items():
                    self._keep(name, step)
            self._waiting.clear()
            self._written = time.monotonic()

    def _keep(self, name: str, step: Step) -> None:
        if self._held is None:
            return
        arrays: dict[str, NDArray[Any]] = {"asked": np.array(self.asked), "x": step.x}
        arrays["rows"] = np.array([astuple(r) for r in step.rows], dtype=np.float64).reshape(
            len(step.rows), -1
        )
        arrays |= {f"memory_{key}": value for key, value in step.memory.arrays().items()}
        for case, u in enumerate(step.displacements or ()):
            arrays[f"u_{case}"] = u
        if step.best is not None:
            arrays |= {"best_x": step.best.x, "best_merit": np.array(step.best.merit)}
        self._held.write_arrays(f"{name}.npz", arrays)

    def _kept(self, name: str, analysis: Analysis, plan: Plan) -> Step | None:
        if self.folder is None or not self._path(name).is_file():
            return None
        try:
            with self._path(name).open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            rows = tuple(_row(values) for values in arrays["rows"])
            memory = {k.removeprefix("memory_"): v for k, v in arrays.items() if k.startswith("memory_")}
            u = tuple(arrays[f"u_{case}"] for case in range(analysis.cases)) if "u_0" in arrays else None
            best = Best(arrays["best_x"], float(arrays["best_merit"])) if "best_x" in arrays else None
            step = Step(arrays["x"], plan.optimizer.restore(memory), u, rows, best=best)
            asked = str(arrays["asked"])
        except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
            raise reading.UnreadableError(self._path(name), "is damaged; solve without --resume") from error
        if asked != self.asked or step.x.shape != analysis.discrete.grid.shape:
            raise reading.UnreadableError(
                self._path(name), "belongs to another problem; solve without --resume"
            )
        return go_on(plan, step)


def fingerprint(discrete: DiscreteProblem, *more: object) -> str:
    """A short text that differs where a problem on its voxels, or anything `more`, differs."""
    digest = hashlib.sha256()
    for item in fields(discrete):
        value = getattr(discrete, item.name)
        is_array = isinstance(value, np.ndarray)
        digest.update(np.ascontiguousarray(value).data if is_array else repr(value).encode())
    digest.update(repr(more).encode())
    return digest.hexdigest()


_WHOLE = {"iteration", "cg_iterations"}


def _row(values: Array) -> Row:
    names = [f.name for f in fields(Row)]
    if len(names) != len(values):
        raise ValueError("rows of another version")
    named: dict[str, Any] = dict(zip(names, values.tolist(), strict=True))
    return Row(**{name: int(value) if name in _WHOLE else value for name, value in named.items()})
