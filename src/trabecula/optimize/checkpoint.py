"""A record of runs, so that an interrupted solve goes on to the same answer.

A solve is a fixed sequence of named runs, each a function of what came before. What a run reached is kept;
resuming repeats the solve from its beginning, takes every finished run as it was kept and continues the one
that was interrupted. Nothing depends on when it was stopped.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from threading import Lock

import numpy as np

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize import checkpoint_format as checkpoint
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, go_on
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Step
from trabecula.physics import machine_name
from trabecula.storage import reading
from trabecula.storage.owned import Owned, hold
from trabecula.version import VERSION

_PATIENCE = 1.0
"""Seconds of work that may be lost, of a run and of all that ended since anything was written."""

_ITERATIONS = 3
"""Iterations that may be lost, where an iteration takes long."""

_PLACE = re.compile(r" at 0x[0-9a-fA-F]+")
"""In the `repr` of an object that has none of its own: where in memory it is."""

_KIND = "checkpoint"
"""Of the folder, in its mark."""


class ResumeWarning(UserWarning):
    """A solve goes on with other arithmetic than it began with: its last digits can differ."""


class Checkpoints:
    """Runs kept in a folder; without a folder, in no place.

    Parameters
    ----------
    folder
        Where to keep them; nobody else may work there as long as this object is open.
    resume
        Whether to take what is there; otherwise it is removed, as far as it is ours.
    asked
        What the runs are for, a `fingerprint`: what was kept for anything else is refused.
    request
        The arguments of `trabecula.solve`, kept with the runs so that they can be asked for again.

    Raises
    ------
    UnreadableError
        With `resume`: what is kept is damaged, or was kept for anything else.
    OwnershipError
        There are `.npz` files in the folder that are not ours, or were changed.
    LockedError
        Another thread or process works in the folder.

    Warns
    -----
    ResumeWarning
        With `resume`: what is kept was made by another version or on another instruction set.
    """

    def __init__(
        self,
        folder: Path | None = None,
        resume: bool = False,
        asked: str = "",
        request: Mapping[str, object] | None = None,
    ) -> None:
        self.folder, self._resumes = folder, resume
        self.asked = checkpoint.Asked(asked, request)
        self._held: Owned | None = None if folder is None else hold(folder, _KIND)
        self._waiting: dict[str, tuple[Step, Plan]] = {}
        self._written, self._mutex = time.monotonic(), Lock()
        if self._held is not None and not resume:
            self._held.check(sorted(path.name for path in self._held.folder.glob("*.npz")))
            self.clear()
        elif folder is not None and folder.is_dir():
            self._look_through(folder)

    def clear(self) -> None:
        """Remove everything of ours that is kept."""
        self._waiting.clear()
        if self._held is not None:
            self._held.retire()

    def close(self, write: bool = True) -> None:
        """Let the folder go; nothing is kept from here on.

        Parameters
        ----------
        write
            Write what waits to be kept: at most `_PATIENCE` seconds of work. A solve that has converged is
            done with it, and a small one would take as long to write it as to find it. A solve that goes on
            from a folder always writes, so that the folder is ours to remove.
        """
        if self._held is not None:
            if write or self._resumes:
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
                self._put(name, step, plan)
                saved, since = time.monotonic(), 0
            yield step

    def _path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.npz"

    def _put(self, name: str, step: Step, plan: Plan) -> None:
        """Keep a step; steps that end at about the same time are written together."""
        if self._held is None:
            return
        with self._mutex:
            self._waiting[name] = (step, plan)
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
                for name, (step, plan) in self._waiting.items():
                    arrays = checkpoint.arrays_of(step, plan, self.asked)
                    self._held.write_arrays(self._path(name).name, arrays)
            self._waiting.clear()
            self._written = time.monotonic()

    def _kept(self, name: str, analysis: Analysis, plan: Plan) -> Step | None:
        if self.folder is None or not os.path.lexists(self._path(name)):
            return None
        return go_on(plan, checkpoint.read(self._path(name), analysis, plan, self.asked))

    def _look_through(self, folder: Path) -> None:
        """Check that all checkpoints belong to this solve; warn where other arithmetic goes on with them.

        All checkpoints are looked at, not only those that this solve would read: the runs of another start
        have other names, and would be passed over in silence.
        """
        others: set[str] = set()
        for path in sorted(folder.glob("*.npz")):
            made = checkpoint.read_record(path)
            if made.asked.fingerprint != self.asked.fingerprint:
                raise reading.UnreadableError(path, checkpoint.OTHER)
            if not made.is_ours:
                others.add(f"trabecula {made.version}, {made.machine}")
        if others:
            warnings.warn(
                f"begun with {' and '.join(sorted(others))}, going on with trabecula {VERSION}, "
                f"{machine_name()}: the last digits of the design can differ from those of an undisturbed"
                " solve (TRABECULA_ISA chooses the instruction set)",
                ResumeWarning,
                stacklevel=4,
            )


def fingerprint(discrete: DiscreteProblem, *more: object) -> str:
    """A short text that differs where a problem on its voxels, or anything `more`, differs."""
    digest = hashlib.sha256()
    for item in fields(discrete):
        value = getattr(discrete, item.name)
        is_array = isinstance(value, np.ndarray)
        digest.update(np.ascontiguousarray(value).data if is_array else _PLACE.sub("", repr(value)).encode())
    digest.update(repr(more).encode())
    return digest.hexdigest()
