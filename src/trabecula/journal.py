"""A record of runs, so that an interrupted way goes on to the same answer.

The way to a design is a fixed sequence of named runs, each a function of what came before. What a run reached is
kept; going on repeats the way from its beginning, takes every kept run as it is and continues the one that was
under way. Nothing depends on when it was stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula import files
from trabecula.analysis import Analysis
from trabecula.optimize import Plan, Row, Step, advance

Array = NDArray[np.float64]

_PATIENCE = 1.0
"""Seconds of work that may be lost."""

_ITERATIONS = 3
"""Iterations that may be lost, where an iteration takes long."""


class Journal:
    """Runs kept in a folder; without a folder, in no place.

    Parameters
    ----------
    folder
        Where to keep them, made when first needed.
    resume
        Whether to take what is there; otherwise it is removed.
    """

    def __init__(self, folder: Path | None = None, resume: bool = False) -> None:
        self.folder = folder
        self.resumed = False
        if folder is not None and not resume:
            self.clear()

    def clear(self) -> None:
        """Remove everything that is kept."""
        if self.folder is not None and self.folder.is_dir():
            for path in self.folder.glob("*.npz"):
                path.unlink()
            for path in self.folder.glob(".*.tmp"):
                path.unlink()
            if not any(self.folder.iterdir()):
                self.folder.rmdir()

    def run(self, name: str, analysis: Analysis, plan: Plan, first: Callable[[], Step]) -> Iterator[Step]:
        """Iterate from `first()`, or from where the run of that name was, to its stop; yields every step.

        The last step yielded is the finished one; at least one is yielded.
        """
        step = self._kept(name, analysis, plan)
        if step is None:
            step = first()
        else:
            self.resumed = True
            yield step
        saved, since = time.monotonic(), 0
        while step.finished is None:
            step = advance(analysis, plan, step)
            since += 1
            now = time.monotonic()
            if step.finished or (now - saved > _PATIENCE and (since >= _ITERATIONS or now - saved > 10 * _PATIENCE)):
                self._keep(name, step)
                saved, since = time.monotonic(), 0
            yield step

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.npz"

    def _keep(self, name: str, step: Step) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {"x": step.x, "finished": np.array(_CODES.index(step.finished))}
        arrays["rows"] = np.array([astuple(r) for r in step.rows], dtype=np.float64).reshape(len(step.rows), -1)
        arrays |= {f"memory_{key}": value for key, value in step.memory.arrays().items()}
        for case, u in enumerate(step.displacements or ()):
            arrays[f"u_{case}"] = u
        files.write_arrays(self._path(name), arrays)

    def _kept(self, name: str, analysis: Analysis, plan: Plan) -> Step | None:
        if self.folder is None or not self._path(name).is_file():
            return None
        try:
            with np.load(self._path(name), allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            rows = tuple(_row(values) for values in arrays["rows"])
            memory = {k.removeprefix("memory_"): v for k, v in arrays.items() if k.startswith("memory_")}
            u = tuple(arrays[f"u_{case}"] for case in range(analysis.cases)) if "u_0" in arrays else None
            finished = _CODES[int(arrays["finished"])]
            step = Step(arrays["x"], plan.optimizer.restore(memory), u, rows, finished)
        except (OSError, ValueError, KeyError, IndexError, EOFError) as error:
            raise files.UnreadableError(self._path(name), "is damaged; solve without --resume") from error
        if step.x.shape != analysis.discrete.grid.shape:
            raise files.UnreadableError(self._path(name), "belongs to another problem; solve without --resume")
        return step


_CODES: tuple[str | None, ...] = (None, "converged", "limit")
_WHOLE = {"iteration", "cg_iterations"}


def _row(values: Array) -> Row:
    names = [f.name for f in fields(Row)]
    if len(names) != len(values):
        raise ValueError("rows of another version")
    return Row(**{n: int(v) if n in _WHOLE else float(v) for n, v in zip(names, values, strict=True)})
