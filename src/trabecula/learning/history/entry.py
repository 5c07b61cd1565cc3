"""One kept solve: its line in the index, and its folder with problem and design."""

from __future__ import annotations

import io
import json
import math
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.folder import load_problem, read_json, save_problem
from trabecula.journal import fingerprint
from trabecula.learning.history.describe import Vector, sketch, vector
from trabecula.problem import Problem
from trabecula.problem.discretise import discretise
from trabecula.result import Result
from trabecula.storage import reading, writing
from trabecula.storage.folders import make_folder
from trabecula.storage.owned import hold
from trabecula.storage.reading import UnreadableError

ENTRY, DESIGN, DENSITY, VECTOR = "entry.json", "design.npy", "density.npy", "vector.npy"
COARSER = "coarser.npz"
"""The designs of the coarser grids, by their place in the ladder; there only where the way had any."""

KIND = "past solve"
"""Of an entry's folder, in its mark."""

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Entry:
    """What the history knows of a solve without opening it.

    Attributes
    ----------
    id
        Name of its folder.
    key
        Differs where problems differ in anything but their name.
    kind
        Problems of different kinds are never alike.
    made
        Seconds since 1970.
    name, elements, compliance, volume, converged, word, start, seconds, version
        As in `Result`.
    merit
        What was minimised.
    bytes
        On disk.
    """

    id: str
    key: str
    kind: str
    made: float
    name: str
    elements: tuple[int, ...]
    merit: float
    compliance: float
    volume: float
    converged: bool
    word: str
    start: str
    seconds: float
    version: str
    bytes: int = 0

    def is_better(self, other: Entry) -> bool:
        """Whether its design is worth more than another's of the same problem."""
        return (not self.converged, self.merit) <= (not other.converged, other.merit)

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return asdict(self) | {"elements": list(self.elements)}

    def objection(self) -> str | None:
        """What cannot be true of an entry that was read from somewhere, if anything."""
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                return f"its {name} is {value!r}"
        if not is_id(self.id):
            return "its id is not 32 hexadecimal digits"
        if not 2 <= len(self.elements) <= 3 or not all(type(n) is int and n > 0 for n in self.elements):
            return f"its elements are {self.elements!r}"
        return None if math.isfinite(self.made) and self.bytes >= 0 else "its date or size is no number"


_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("id", "key", "kind", "name", "word", "start", "version"), str),
    **dict.fromkeys(("made", "merit", "compliance", "volume", "seconds"), (int, float)),
    "elements": tuple,
    "converged": bool,
    "bytes": int,
}


def is_id(name: object) -> bool:
    """Whether a text may name an entry's folder: 32 hexadecimal digits, and no path."""
    return isinstance(name, str) and _ID.fullmatch(name) is not None


def write(result: Result, parent: Path, token: str) -> tuple[Entry, Vector]:
    """Write a result's folder, whole or not at all.

    Parameters
    ----------
    parent
        The folder of all entries.
    token
        Of the history: what a killed process leaves carries it.

    Raises
    ------
    OSError
        The disk is full, or may not be written.
    """
    discrete = discretise(result.problem)
    pooled = sketch(discrete)
    entry = Entry(
        id=uuid.uuid4().hex,
        key=fingerprint(replace(discrete, name="")),
        kind=pooled.kind,
        made=time.time(),
        name=result.problem.name,
        elements=result.problem.domain.elements,
        merit=result.volume if result.problem.goal.minimize == "volume" else result.compliance,
        compliance=result.compliance,
        volume=result.volume,
        converged=result.converged,
        word=result.word,
        start=result.start,
        seconds=result.seconds,
        version=result.version,
    )

    def fill(part: Path) -> None:
        with hold(part, KIND, private=True) as held:
            save_problem(result.problem, held)
        writing.write_array(part / DESIGN, result.design.astype(np.float32))
        writing.write_array(part / DENSITY, result.density.astype(np.float16))
        writing.write_array(part / VECTOR, vector(pooled))
        if result.coarser:
            writing.write_arrays(part / COARSER, {str(-1 - k): x for k, x in enumerate(result.coarser[::-1])})
        writing.write_text(part / ENTRY, json.dumps(entry.to_json()))

    make_folder(parent, entry.id, KIND, token, fill, private=True)
    return replace(entry, bytes=size(parent / entry.id)), vector(pooled)


def size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.lstat().st_size for path in folder.iterdir())


def read(folder: Path) -> tuple[Entry, Vector]:
    """Read an entry back from its folder alone.

    Raises
    ------
    UnreadableError
        It is damaged.
    """
    values = read_json(folder / ENTRY)
    if set(values) != {field.name for field in fields(Entry)} or values["id"] != folder.name:
        raise UnreadableError(folder / ENTRY, "is not an entry of this history")
    if not isinstance(values["elements"], list):
        raise UnreadableError(folder / ENTRY, "holds no elements")
    entry = Entry(**(values | {"elements": tuple(values["elements"]), "bytes": size(folder)}))
    reason = entry.objection()
    if reason is not None:
        raise UnreadableError(folder / ENTRY, f"is damaged: {reason}")
    content = reading.read_bytes(folder / VECTOR, 10_000_000)
    return entry, _array(folder / VECTOR, content).astype(np.float16)


def _array(path: Path, content: bytes) -> NDArray[np.generic]:
    try:
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise UnreadableError(path, "is damaged") from error


def problem_of(folder: Path) -> Problem:
    """The problem of an entry.

    Raises
    ------
    UnreadableError, ProblemError
        It is damaged.
    """
    return load_problem(folder)


def coarser_of(folder: Path, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
    """Design variables of the coarser grids of an entry, float64 `[z, y, x]`, coarsest first.

    Parameters
    ----------
    shapes
        Of the grids it may be on, coarsest first; a design that began on a finer one has fewer.

    Raises
    ------
    UnreadableError
        It is damaged, or the solve had no coarser grids.
    """
    wanted = {str(-1 - k): shape for k, shape in enumerate(reversed(shapes))}
    found = reading.read_arrays(folder / COARSER, wanted)
    return [found[key].astype(np.float64).clip(0.0, 1.0) for key in reversed(wanted) if key in found]


def arrays_of(folder: Path, elements: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Design variables and physical density of an entry, float32 `[z, y, x]`.

    Raises
    ------
    UnreadableError
        It is damaged.
    """
    shape = elements[::-1]
    design, density = (reading.read_array(folder / name, shape) for name in (DESIGN, DENSITY))
    return design.astype(np.float32).clip(0.0, 1.0), density.astype(np.float32).clip(0.0, 1.0)
