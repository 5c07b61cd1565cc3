"""One kept solve: its line in the index, and its folder with problem and design."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discretise import discretise
from trabecula.learning.history.describe import Vector, sketch, vector
from trabecula.optimize.checkpoint import fingerprint
from trabecula.problem import Problem
from trabecula.results.result import Result
from trabecula.results.result_folder import load_problem, save_problem
from trabecula.storage import reading, writing
from trabecula.storage.folders import make_folder
from trabecula.storage.owned import hold
from trabecula.storage.reading import (
    CheckedRecord,
    Form,
    UnreadableError,
    shorten,
)

ENTRY, DESIGN, DENSITY, VECTOR = "entry.json", "design.npy", "density.npy", "vector.npy"
COARSER = "coarser.npz"
"""The designs of the coarser grids, by their place in the ladder; there only where the way had any."""

KIND = "past solve"
"""Of an entry's folder, in its mark."""

LONGEST_VECTOR = 1 << 20
"""Numbers at most in what two problems are compared by."""

_LARGEST = 100_000
"""Bytes of an entry at most."""

_LATEST = 4e9
"""Seconds since 1970 that an entry may have been made at, in the year 2096."""

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
    path = folder / ENTRY
    values = reading.read_json(path, _LARGEST, infinite=True)
    values["bytes"] = size(folder)
    entry = entry_from(path, values)
    if entry.id != folder.name:
        raise UnreadableError(path, f"is the entry {shorten(entry.id)} of another folder")
    return entry, reading.read_array(folder / VECTOR, Form((None,), "float16", most=LONGEST_VECTOR))


def entry_from(path: Path, values: dict[str, object]) -> Entry:
    """An entry from what a file says of it, every field of its kind.

    Parameters
    ----------
    path
        The file, for messages.
    values
        The fields of `Entry` by name.

    Raises
    ------
    UnreadableError
        A field is missing, unknown, or not what it must be.
    """
    held = CheckedRecord(path, values)
    held.only(*(field.name for field in fields(Entry)))
    name = held.text("id")
    if not is_id(name):
        raise UnreadableError(path, f"'id' is {shorten(name)}, which names no folder of a history")
    elements = held.take("elements", list, tuple)
    if not (
        len(elements) in (2, 3)
        and all(isinstance(n, int) and not isinstance(n, bool) and 0 < n < 1 << 31 for n in elements)
    ):
        raise UnreadableError(path, f"'elements' is {shorten(elements)}; two or three numbers belong there")
    texts = {key: held.text(key) for key in ("key", "kind", "name", "word", "start", "version")}
    return Entry(
        id=name,
        **texts,
        made=held.real("made", 0.0, _LATEST),
        elements=tuple(elements),
        merit=_figure(held, "merit"),
        compliance=_figure(held, "compliance"),
        volume=_figure(held, "volume"),
        converged=held.take("converged", bool),
        seconds=held.real("seconds", 0.0),
        bytes=held.whole("bytes"),
    )


def _figure(held: CheckedRecord, key: str) -> float:
    """A figure of a result; one that is not known or infinite is kept as it is."""
    return float(held.take(key, int, float))


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
