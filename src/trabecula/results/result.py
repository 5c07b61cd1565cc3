"""What comes out: the design, how it was reached and what is proven of it; saved, loaded, shown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.words import Word
from trabecula.numerics.errstate import own_errstate
from trabecula.results.records import LimitRecord, Stage, Trial, to_plain
from trabecula.results.result_folder import (
    DENSITY,
    FILES,
    HISTORY,
    KIND,
    PART,
    PICTURE,
    RESULT,
    STATE,
    check,
    forget,
    save_problem,
)
from trabecula.results.spoken_units import speak
from trabecula.status import EXPLANATIONS, Status
from trabecula.storage import writing
from trabecula.storage.owned import hold
from trabecula.storage.tables import Row, format_history

if TYPE_CHECKING:
    from trabecula.certificate.consistency import Record as Claim
    from trabecula.certificate.record import Certificate
    from trabecula.certificate.verdict import Recheck
    from trabecula.export.design import Design
    from trabecula.export.target import Unit
    from trabecula.part import Part
    from trabecula.problem import Problem
    from trabecula.surface import Mesh


@dataclass(frozen=True, eq=False)
class Result:
    """A finished (or stopped) design. All figures are in SI, whatever units the problem speaks.

    Attributes
    ----------
    problem
        What was asked.
    density
        float32 `[z, y, x]` or `[y, x]`: the physical density, 0 void to 1 solid.
    design
        float64, same shape: the design variables before filter and projection, for the optimality check.
    history
        One row per iteration of the runs that led to the design.
    certificate
        What is proven of the design.
    stages
        Parts of the way with their iterations and seconds.
    status
        How the solve ended.
    start
        The start that was asked for, by its name in `trabecula.strategy.table.STARTS`.
    iterations, solves
        Design iterations and state solves on the full grid.
    seconds
        Wall time of the whole solve, in seconds.
    compliance
        Weighted sum over load cases of `f.u`, in joules (W K for heat).
    volume
        Used fraction of the domain that is not passive void.
    objective
        Value of the quantity that is minimised or maximised, in its unit.
    limits
        Of the quantities that are limited.
    no_bound
        Why there is no lower bound, in a few words; empty where there is one.
    threads
        Threads the kernels ran on.
    version
        Version of trabecula.
    machine
        What did the arithmetic: the compiled core and its instruction set. Last digits depend on it.
    word
        "predicted", "verified" or "certified".
    relaxed
        float32 `[z, y, x]`: the density of the penalty-1 optimum the lower bound was taken at, if kept.
    penalty, beta
        Final penalty of the interpolation and sharpness of the projection (0: none).
    trials
        Designs that networks drew on the way or that were there already, and what became of them.
    tolerance
        Of the stopping rule: mean relative improvement of the objective an iteration; 0 where another rule
        stops.
    coarser
        float16 `[z, y, x]`, coarsest first: the design variables on the coarser grids of the way. They are
        not saved with the result; the history keeps them, to learn from.
    part
        The finished part: which voxels are material, and what it does by a solve of its own; None in results
        of versions that did not make one.
    not_certified
        Why the word is not "certified", and what would mend it, in a sentence; empty where it is.
    recorded
        The tree of the `result.json` it was loaded from, in SI, for `check`; None where it was not loaded.
    """

    problem: Problem
    density: NDArray[np.float32]
    design: NDArray[np.float64]
    history: Sequence[Row]
    certificate: Certificate
    stages: tuple[Stage, ...]
    status: Status
    start: str
    iterations: int
    solves: int
    seconds: float
    compliance: float
    volume: float
    threads: int
    version: str
    objective: float = math.nan
    limits: tuple[LimitRecord, ...] = ()
    no_bound: str = ""
    machine: str = ""
    word: Word = "verified"
    relaxed: NDArray[np.float32] | None = field(default=None)
    penalty: float = 3.0
    beta: float = 0.0
    trials: tuple[Trial, ...] = ()
    tolerance: float = 0.0
    coarser: tuple[NDArray[np.float16], ...] = field(default=(), repr=False)
    recorded: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    part: Part | None = field(default=None, repr=False)
    not_certified: str = ""

    @property
    def converged(self) -> bool:
        """Whether the stopping rule was met, and nothing is wrong with the design."""
        return self.status is Status.CONVERGED

    @property
    def can_go_on(self) -> bool:
        """Whether more iterations would help: the solve stopped at their limit."""
        return self.status is Status.LIMIT

    @property
    def spacing(self) -> tuple[float, ...]:
        """Edge lengths of a voxel along x, y(, z), in metres."""
        return self.problem.domain.spacing

    def to_json(self, out: Path | str | None = None) -> dict[str, object]:
        """The result as one JSON object, without arrays; infinite and undefined numbers become null.

        Its figures are in the problem's units, which it names; the attributes of a result are in SI.

        Parameters
        ----------
        out
            Folder the result is saved in, if it is.
        """
        return speak(self._record(out), self.problem)

    def _record(self, out: Path | str | None = None) -> dict[str, object]:
        """The same in SI."""
        return {
            "name": self.problem.name,
            "version": self.version,
            "word": self.word,
            "status": self.status.value,
            "start": self.start,
            "machine": self.machine,
            "converged": self.converged,
            "iterations": self.iterations,
            "solves": self.solves,
            "seconds": to_plain(self.seconds),
            "compliance": to_plain(self.compliance),
            "volume": to_plain(self.volume),
            "objective": to_plain(self.objective),
            "limits": [limit.to_json() for limit in self.limits],
            "elements": list(self.problem.domain.elements),
            "threads": self.threads,
            "out": None if out is None else str(out),
            "certificate": self.certificate.to_json(),
            "stages": [
                {"name": s.name, "iterations": s.iterations, "seconds": to_plain(s.seconds)}
                for s in self.stages
            ],
            "part": None if self.part is None else self.part.to_json(),
            "not_certified": self.not_certified or None,
            "learned": [trial.to_json() for trial in self.trials],
            "tolerance": to_plain(self.tolerance),
            "message": EXPLANATIONS[self.status].message,
            "no_bound": self.no_bound or None,
            "units": self.problem.units,
        }

    @own_errstate
    def save(self, folder: Path | str, *, picture: bool = True) -> Path:
        """Write the result into a folder; every file appears whole or not at all, `result.json` last.

        Checkpoints in the folder go once a converged result is safe; one that stopped early keeps them, to go
        on with a higher limit.

        Parameters
        ----------
        folder
            Made if it is not there. Files of an earlier result in it are replaced; what trabecula did not
            write there, or somebody changed since, never is.
        picture
            Draw `design.png` too.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OwnershipError
            A file that is not ours stands where one of the result would; nothing was written.
        LockedError
            Another thread or process writes into the folder.
        """
        folder = Path(folder)
        with hold(folder, KIND) as mine:
            copies = check(self.problem, mine, [name for name in FILES if picture or name != PICTURE])
            png = self.plot() if picture else None
            with mine.batch():
                save_problem(self.problem, mine, copies)
                mine.write_array(DENSITY, self.density.astype(np.float32))
                if self.part is not None:
                    mine.write_array(PART, self.part.mask.astype(np.uint8))
                mine.write_arrays(STATE, self._state())
                mine.write_text(HISTORY, format_history(self.history))
                if png is not None:
                    mine.write_bytes(PICTURE, png)
                mine.write_text(
                    RESULT, json.dumps(self.to_json(_text(folder)), indent=2, allow_nan=False) + "\n"
                )
        if self.converged:
            forget(folder)
        return folder

    @classmethod
    def load(cls, folder: Path | str, *, max_memory: float | None = None) -> Result:
        """Read a saved result; sizes are checked before memory is taken, and nothing is unpickled.

        Parameters
        ----------
        folder
            What `save` wrote.
        max_memory
            Limit for the problem's memory, as for `trabecula.load`.

        Raises
        ------
        UnreadableError
            A file is missing, damaged, or does not belong to the problem.
        ProblemError
            `problem.yaml` is not a valid problem.
        """
        from trabecula.results.saved import load

        return load(Path(folder), max_memory)

    @own_errstate
    def plot(self, path: Path | str | None = None) -> bytes:
        """Draw the design: a grey picture in 2-D, a rendered smooth surface in 3-D.

        Parameters
        ----------
        path
            Where to write the PNG, if anywhere.

        Returns
        -------
        bytes
            The PNG.
        """
        png = self.to_design().picture
        if path is not None:
            writing.write_bytes(Path(path), png)
        return png

    @own_errstate
    def to_mesh(self, scale: float = 1.0) -> Mesh:
        """The smooth watertight surface of the design.

        Parameters
        ----------
        scale
            1 for metres, 1000 for millimetres.
        """
        mesh = self.to_design().surface
        return mesh if scale == 1 else mesh.scale(scale)

    @own_errstate
    def to_html(self) -> str:
        """One HTML page that needs no other file: picture, problem, certificate and history."""
        from trabecula.export import report

        design = self.to_design()
        return report(design.record, self.history, design.picture, design.problem, design.problem_text)

    @own_errstate
    def to_design(self, unit: Unit = "mm") -> Design:
        """What an export is given: the arrays and plain values of this result.

        Parameters
        ----------
        unit
            "mm" or "m": of lengths in surface files.
        """
        from trabecula.export.design import Conditions, Design
        from trabecula.problem import dump, to_tree

        def find_conditions() -> Conditions:
            from trabecula.discretisation import discretise
            from trabecula.export.true_shapes import find_cuts

            discrete = discretise(self.problem)
            return Conditions(
                discrete.lower >= 1, discrete.void, discrete.fixed, discrete.loads, find_cuts(self.problem)
            )

        def find_fields() -> Mapping[str, NDArray[Any]]:
            from trabecula.part.fields import solve_fields

            return {} if self.part is None else solve_fields(self.problem, self.part.mask)

        return Design(
            self.density,
            self.spacing,
            part=None if self.part is None else self.part.mask,
            threshold=0.5 if self.part is None else self.part.threshold,
            find_fields=find_fields,
            thickness=self.problem.domain.thickness,
            title=self.problem.name,
            word=self.word,
            unit=unit,
            record=self.to_json(),
            history=self.history,
            problem=to_tree(self.problem),
            problem_text=dump(self.problem),
            find_conditions=find_conditions,
            origin=self.problem.domain.origin,
        )

    @own_errstate
    def check(self, threads: int | None = None) -> Recheck:
        """Verify the whole claim again by another path: own assembly, own solver, own gradients.

        Problem, word, status, limits, history, sizes and every number are held to what follows from the
        problem and the arrays; docs/certificate.md says what nothing follows from.

        Parameters
        ----------
        threads
            Threads of the compiled solver, where the grid is too large to factorise.
        """
        from trabecula.certificate.consistency import check_record
        from trabecula.certificate.finished import check_part
        from trabecula.certificate.independent import recheck
        from trabecula.discretisation import discretise

        discrete = discretise(self.problem)
        found = recheck(
            discrete,
            self.density,
            self.certificate,
            self.relaxed,
            compliance=self.compliance,
            volume=self.volume,
            objective=self.objective,
            limits=[limit.value for limit in self.limits],
            design=self.design,
            beta=self.beta,
            word=self.word,
            threads=threads,
        )
        of_part = check_part(self.problem, discrete, self.density, self.part, self.word, threads)
        return replace(found, checks=(*check_record(discrete, self.record()), *found.checks, *of_part))

    def __repr__(self) -> str:
        grid = "x".join(map(str, self.problem.domain.elements))
        gap = self.certificate.gap
        bound = "no bound" if gap is None else f"at most {100 * gap:.3g} % above the lower bound"
        return (
            f"<Result {self.problem.name!r} on {grid}: {self.word}, {self.status.value} after"
            f" {self.iterations} iterations, {self.seconds:.3g} s\n"
            f" compliance {self.compliance:.5g}, volume {self.volume:.4g}, {bound}>"
        )

    def _repr_png_(self) -> bytes:
        """Notebooks show a result as its picture."""
        return self.plot()

    def record(self) -> Claim:
        """The record that `check` verifies; of a loaded result with the fields that only its file has."""
        from trabecula.certificate.consistency import Record as Claim

        return Claim(self._claim(), self.history, self.certificate, self.penalty, self.beta, self.part)

    def _claim(self) -> dict[str, object]:
        """The tree of `result.json`; of a loaded result with the fields of the file, no more and no fewer."""
        own = self._record()
        if self.recorded is None:
            return own
        told = ("name", "elements", "out", "message")  # a result takes these from elsewhere
        return {
            key: own[key] if key in own and key not in told else self.recorded[key] for key in self.recorded
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        state: dict[str, NDArray[Any]] = {
            "design": self.design.astype(np.float64),
            "penalty": np.asarray(self.penalty, np.float64),
            "beta": np.asarray(self.beta, np.float64),
        }
        if self.relaxed is not None:
            state["relaxed"] = self.relaxed.astype(np.float32)
        return state


def _text(path: Path | str) -> str:
    """A path as text that any file holds; what is no text in a name is shown as an escape."""
    return str(path).encode("utf-8", "backslashreplace").decode()
