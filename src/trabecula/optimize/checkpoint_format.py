"""One file per run: what it needs to go on to the same bits, and what is needed to verify that it does.

Beside its arrays a checkpoint has a record in JSON: format, version, instruction set, what was asked for and
how, the optimiser and its settings, type and shape of every array, and a digest over all of it. What is
missing, altered, or belongs to something else is refused; nothing is filled in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.optimize.analysis import Analysis
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Best, Row, Step
from trabecula.physics import machine_name
from trabecula.problem.tables import BrokenEntryError
from trabecula.storage.arrays import LARGEST
from trabecula.storage.reading import (
    CheckedRecord,
    Form,
    UnreadableError,
    explaining,
    opening_archive,
    parse_json,
    read_member,
    read_named_arrays,
    shorten,
)
from trabecula.version import VERSION

Array = NDArray[np.float64]

FORMAT = 2
"""Of the files; 1 had no record."""

_RECORD = "record"
_ROWS = 10_000_000

_TEXT = Form((None,), "uint8", most=100_000)
"""The record, JSON in UTF-8."""

_WHOLE = {"iteration", "cg_iterations"}
_UNKNOWN = {"kkt", "objective", "compliance", "violation", "residual"}
"""Columns that may hold NaN or infinity: not measured in that iteration, or nothing could be solved."""

_GRID = {"x", "best_x", "good", "memory_exponents", "memory_last"} | {
    f"memory_{name}" for name in ("x1", "x2", "low", "upp")
}
"""Arrays of float64 in the shape of the grid."""

_SCALARS = {"best_merit", "memory_log_multiplier", "memory_iteration"}
_VECTORS = {"memory_multipliers"}

_LONGEST = 10_000
"""Numbers in a vector of an optimiser's memory at most."""

_FOREIGN = re.compile(r"memory_[a-z0-9_]{1,60}")
"""What the arrays of an optimiser from outside are called; float64, a number, a vector, or as the design."""


@dataclass(frozen=True)
class Asked:
    """What runs are for.

    Attributes
    ----------
    fingerprint
        Differs where the problem or anything that decides its design differs.
    request
        The arguments of `trabecula.solve`, to be asked for again; JSON values by name.
    """

    fingerprint: str = ""
    request: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Made:
    """What a checkpoint says of itself.

    Attributes
    ----------
    asked
        What it is for.
    version, machine
        Of the trabecula that wrote it, and what did the arithmetic (`trabecula.physics.machine_name`).
    """

    asked: Asked
    version: str
    machine: str

    @property
    def is_ours(self) -> bool:
        """Whether this process goes on with the same arithmetic."""
        return (self.version, self.machine) == (VERSION, machine_name())


def arrays_of(step: Step, plan: Plan, asked: Asked) -> dict[str, NDArray[Any]]:
    """What is written of a step of a run: its arrays by name, and the record of them."""
    arrays = {name: np.asarray(array) for name, array in _to_arrays(step).items()}
    for name, array in arrays.items():
        if name.startswith("memory_") and not _can_be_kept(name, array, step.x.shape):
            raise BrokenEntryError(
                f"the optimizer {type(plan.optimizer).__name__} remembers {name.removeprefix('memory_')!r}, "
                f"{array.dtype} of shape {array.shape}, which cannot be kept; its arrays must be float64: a "
                f"number, a vector of at most {_LONGEST}, or of the design's shape {step.x.shape}"
            )
    record = {
        "format": FORMAT,
        "trabecula": VERSION,
        "machine": machine_name(),
        "asked": asked.fingerprint,
        "request": None if asked.request is None else dict(asked.request),
        "settings": _settings(plan),
        "arrays": _kinds(arrays),
    }
    text = json.dumps(record | {"digest": _digest(record, arrays)}).encode()
    return {_RECORD: np.frombuffer(text, np.uint8), **arrays}


def read_record(path: Path) -> Made:
    """What a checkpoint says of itself, its other arrays not looked at.

    Raises
    ------
    UnreadableError
        It is missing, damaged, or of another format.
    """
    with _refusing(path):
        with opening_archive(path, LARGEST, kind="checkpoint") as archive:
            text = read_member(path, archive, _RECORD, _TEXT)
        return _made(_record_of(path, text))


def read(path: Path, analysis: Analysis, plan: Plan, asked: Asked) -> Step:
    """Read a step of a run back, to the same bits.

    Parameters
    ----------
    path
        What `arrays_of` gave, as an `.npz` file.
    analysis, plan
        Of the run: they say what must be there.
    asked
        What the run is for.

    Raises
    ------
    UnreadableError
        The file is missing or damaged, lacks something, or belongs to something else.
    """
    dimension = len(analysis.discrete.grid.shape)
    with _refusing(path):
        arrays = read_named_arrays(path, lambda name: _TEXT if name == _RECORD else _form(name, dimension))
        if _RECORD not in arrays:
            raise UnreadableError(path, "it has no record, or is of an older trabecula")
        record = _record_of(path, arrays.pop(_RECORD))
        _compare(path, record, arrays)
        settings = record.take("settings", str)
        if _made(record).asked.fingerprint != asked.fingerprint or settings != _settings(plan):
            raise _OtherError(path, OTHER)
        return _from_arrays(path, arrays, analysis, plan)


OTHER = "belongs to another problem, or was asked for in another way; solve without --resume"


class _OtherError(UnreadableError):
    """A checkpoint that is sound but belongs to another problem or run."""


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Say of everything that is wrong with a checkpoint how to go on."""
    try:
        yield
    except _OtherError:
        raise
    except UnreadableError as error:
        raise UnreadableError(
            path, f"is damaged; move it away, or solve into another folder ({error.reason})"
        ) from error


def _to_arrays(step: Step) -> dict[str, Any]:
    """The parts of a step as named arrays; with `_from_arrays` and `_form` all that knows what a step has."""
    arrays: dict[str, Any] = {"x": step.x, "rows": [astuple(row) for row in step.rows]}
    arrays["rows"] = np.array(arrays["rows"], dtype=np.float64).reshape(len(step.rows), -1)
    arrays |= {f"memory_{key}": value for key, value in step.memory.arrays().items()}
    arrays |= {f"u_{case}": u for case, u in enumerate(step.displacements or ())}
    if step.best is not None:
        arrays |= {"best_x": step.best.x, "best_merit": np.array(step.best.merit)}
    if step.good is not None:
        arrays["good"] = step.good
    return arrays


def _from_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], analysis: Analysis, plan: Plan) -> Step:
    """The step whose parts these are."""
    if "rows" not in arrays:
        raise UnreadableError(path, "rows is missing")
    grid, loads = analysis.discrete.grid.shape, analysis.discrete.loads[0].shape
    shapes = {**dict.fromkeys(_GRID, grid), **{f"u_{case}": loads for case in range(analysis.cases)}}
    rows, best, solved = _rows(path, arrays["rows"]), {"best_x", "best_merit"}, shapes.keys() - _GRID
    needed = {"x"} | (best if best & arrays.keys() else set())
    if isfinite(rows[-1].objective) or solved & arrays.keys():
        needed |= solved
    for name in sorted(needed - arrays.keys()):
        raise UnreadableError(path, f"{name} is missing")
    for name, array in arrays.items():
        if (name.startswith("u_") and name not in shapes) or array.shape != shapes.get(name, array.shape):
            raise _OtherError(path, OTHER)
        if name.startswith("memory_") and not _can_be_kept(name, array, grid):
            raise _OtherError(path, OTHER)
        if name in ("x", "best_x", "good") and not ((array >= 0.0) & (array <= 1.0)).all():
            raise UnreadableError(path, f"{name} holds no densities")
    memory = {k.removeprefix("memory_"): v for k, v in arrays.items() if k.startswith("memory_")}
    with explaining(path, "memory of this optimiser"):
        restored = plan.optimizer.restore(memory)
    if set(restored.arrays()) != set(memory):
        raise _OtherError(path, OTHER)
    return Step(
        x=arrays["x"],
        memory=restored,
        displacements=tuple(arrays[f"u_{case}"] for case in range(analysis.cases))
        if solved <= needed
        else None,
        rows=rows,
        best=Best(arrays["best_x"], float(arrays["best_merit"])) if "best_x" in arrays else None,
        good=arrays.get("good"),
    )


def _form(name: str, dimension: int) -> Form | None:
    """What the array of a name must be, on a grid of a dimension; None where no step has such a part."""
    if name in _GRID:
        return Form((None,) * dimension, "float64")
    if name in _SCALARS:
        return Form((), "float64")
    if name in _VECTORS:
        return Form((None,), "float64", most=_LONGEST)
    if name == "rows":
        return Form((None, len(fields(Row))), "float64", finite=False, most=_ROWS * len(fields(Row)))
    if _FOREIGN.fullmatch(name):
        return Form(None, "float64")
    return Form((None,) * (dimension + 1), "float32") if re.fullmatch(r"u_[0-9]{1,6}", name) else None


def _can_be_kept(name: str, array: NDArray[Any], grid: tuple[int, ...]) -> bool:
    """Whether an array of an optimiser's memory can be read back, on a grid of a shape."""
    is_vector = array.ndim <= 1 and array.size <= _LONGEST
    known = array.dtype == np.float64 and (is_vector or array.shape == grid)
    return known and _FOREIGN.fullmatch(name) is not None


def _rows(path: Path, values: Array) -> tuple[Row, ...]:
    """Rows read back, one per line of the array, numbered from 0."""
    names = [field.name for field in fields(Row)]
    for k, name in enumerate(names):
        column = values[:, k]
        is_whole = name in _WHOLE
        if name not in _UNKNOWN and not np.isfinite(column).all():
            raise UnreadableError(path, f"its column {name} holds NaN or infinite values")
        if is_whole and not ((column == np.floor(column)) & (np.abs(column) < 1 << 53)).all():
            raise UnreadableError(path, f"its column {name} holds broken numbers")
    if not len(values) or not np.array_equal(values[:, names.index("iteration")], np.arange(len(values))):
        raise UnreadableError(path, "its rows are not numbered from 0")
    return tuple(
        Row(**{n: int(v) if n in _WHOLE else v for n, v in zip(names, row, strict=True)})
        for row in values.tolist()
    )


def _record_of(path: Path, text: NDArray[Any]) -> CheckedRecord:
    with explaining(path, "record"):
        record = CheckedRecord(path, parse_json(text.tobytes().decode(), path))
    if record.take("format", int) != FORMAT:
        raise UnreadableError(path, f"it is of format {record.values['format']}; this version reads {FORMAT}")
    return record


def _made(record: CheckedRecord) -> Made:
    request = record.take("request", dict, type(None))
    return Made(Asked(record.text("asked"), request), record.text("trabecula"), record.text("machine"))


def _compare(path: Path, record: CheckedRecord, arrays: Mapping[str, NDArray[Any]]) -> None:
    """See that the arrays are those that were written, to the bit."""
    said = record.take("arrays", dict)
    if said != _kinds(arrays):
        odd = sorted(set(said) ^ set(arrays))
        raise UnreadableError(
            path, f"{shorten(odd[0])} is missing or new" if odd else "an array was exchanged"
        )
    values = {key: value for key, value in record.values.items() if key != "digest"}
    if record.text("digest") != _digest(values, arrays):
        raise UnreadableError(path, "its content is not what was written")


def _kinds(arrays: Mapping[str, NDArray[Any]]) -> dict[str, list[object]]:
    return {name: [array.dtype.name, list(array.shape)] for name, array in sorted(arrays.items())}


def _digest(record: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over the record and the numbers, in hexadecimal."""
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _settings(plan: Plan) -> str:
    """What of a plan decides the bits of a step: not when it stops, nor on how many threads it runs."""
    text = re.sub(r",? ?\bthreads=[0-9]+", "", repr((plan.optimizer, plan.schedule, plan.tolerance)))
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)  # of an object that has no `repr` of its own
