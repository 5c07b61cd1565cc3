"""Triangles of an STL file, text or binary, read with limits: a file may be wrong, never dangerous."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.errors import ProblemError
from trabecula.problem.where import Stl, StlUnit
from trabecula.storage.reading import UnreadableError, open_regular, read_bytes

Floats = NDArray[np.float64]

MAX_BYTES = 128 * 1024 * 1024
MAX_TRIANGLES = 2_500_000
_ROWS = 100_000  # lines of a text file turned into numbers together
_LINE = 4096  # bytes of a line of a text file at most
_STEPS = {
    b"solid": ("outside", "solid", 0),
    b"facet": ("solid", "facet", 0),
    b"outer": ("facet", "loop", 3),
    b"endloop": ("loop", "looped", 0),
    b"endfacet": ("looped", "solid", 0),
    b"endsolid": ("solid", "outside", 0),
}
"""What the words of a text file need before them, lead to, and how many corners must follow."""

METRES: dict[StlUnit, float] = {"m": 1.0, "mm": 0.001, "cm": 0.01, "inch": 0.0254}
"""What a number in a file is in metres, by the unit of the file."""

_STATED = re.compile(rb"trabecula surface, unit (mm|m)\s*\Z")
"""The header that `trabecula.export.stl` writes."""

_FORMATS = {
    **dict.fromkeys((".step", ".stp"), "a STEP file"),
    **dict.fromkeys((".iges", ".igs"), "an IGES file"),
    **dict.fromkeys((".sldprt", ".sldasm", ".ipt", ".prt", ".catpart", ".f3d", ".fcstd"), "a CAD document"),
    **dict.fromkeys((".obj", ".ply", ".3mf", ".off", ".gltf", ".glb"), "a mesh of another format"),
    **dict.fromkeys((".msh", ".inp", ".bdf", ".vtk", ".vtu"), "a mesh for analysis"),
}
"""What files are, by their ending, that people take for a shape."""

RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
"""One triangle of a binary file: unit normal, three corners, two unused bytes; for reading and writing."""


def read_stl(path: Path, where: str = "stl") -> NDArray[np.float64]:
    """Read the triangles of an STL file.

    Parameters
    ----------
    path
        The file.
    where
        The key of the problem file that asked for it, for messages.

    Returns
    -------
    float64 `[triangle, corner, axis]` with axes x, y, z, as they stand in the file (see `read_solid`).

    Raises
    ------
    ProblemError
        If there is no such file, if it is too large, cut short, empty, or holds NaN or infinity.
    """
    other = _FORMATS.get(path.suffix.lower())
    if other is not None:
        raise ProblemError(
            where, f"{path.name} is {other}", "only STL files are read", "export the solid as STL"
        )
    if not path.is_file():
        raise ProblemError(
            where,
            f"there is no file {path}",
            "needs an STL file",
            "mend the name; it counts from the problem file's folder",
        )
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ProblemError(
            where,
            f"{path.name} has {size / 1e6:.0f} MB",
            f"at most {MAX_BYTES / 1e6:.0f} MB",
            "simplify the mesh: voxels cannot show more",
        )
    try:
        content = read_bytes(path, MAX_BYTES)
    except UnreadableError as error:
        raise ProblemError(where, f"{path.name} cannot be read: {error.reason}", "an STL file") from error
    corners, is_whole = _binary(content), True
    if corners is None:
        corners, is_whole = _text(content)
    if corners is None:
        raise ProblemError(
            where, f"{path.name} is no STL file, or is cut short", "", "export it again as STL"
        )
    if not np.isfinite(corners).all():
        raise ProblemError(where, f"{path.name} holds NaN or infinite corners", "", "export it again as STL")
    if not is_whole:
        raise ProblemError(
            where,
            f"{path.name} is cut short, or no STL file",
            "every facet a loop of three corners, every solid closed",
            "export it again as STL",
        )
    if len(corners) == 0:
        raise ProblemError(where, f"{path.name} holds no triangles", "", "export it again as STL")
    if len(corners) > MAX_TRIANGLES:
        raise ProblemError(
            where,
            f"{path.name} holds {len(corners)} triangles",
            f"at most {MAX_TRIANGLES}",
            "simplify the mesh",
        )
    return corners


def read_solid(stl: Stl, corner: Sequence[float] = (0.0, 0.0, 0.0), where: str = "stl") -> Floats:
    """Read the triangles of an STL file in metres, in the domain's co-ordinates.

    Parameters
    ----------
    stl
        The file, its unit, and where it is put.
    corner
        Lower corner of the domain in metres.
    where
        The key that asked for it, for messages.

    Returns
    -------
    float64 `[triangle, corner, axis]`.

    Raises
    ------
    ProblemError
        As `read_stl`.
    """
    triangles = read_stl(Path(stl.file), where) * in_metres(stl)
    if stl.origin == "corner":
        triangles += np.asarray(corner, dtype=np.float64) - triangles.min(axis=(0, 1))
    return triangles


def in_metres(stl: Stl) -> float:
    """What one of the numbers in an STL file is in metres: as the file states, else as `stl.units` says."""
    stated = stated_unit(Path(stl.file))
    return METRES[stl.units if stated is None else stated]


def stated_unit(path: Path) -> StlUnit | None:
    """The unit that a file states in its header, as those that trabecula writes do."""
    try:
        with open_regular(path) as file:
            header = file.read(80)
    except (OSError, ValueError):
        return None
    found = _STATED.match(header)
    return None if found is None else ("mm" if found[1] == b"mm" else "m")


def extent(stl: Stl, where: str = "stl") -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The lower and upper corner of the box around a file's triangles in metres, as a person would say them.

    The single-precision number that stands in a file for 0.1 counts as 0.1.

    Raises
    ------
    ProblemError
        As `read_stl`.
    """
    triangles = read_stl(Path(stl.file), where)
    unit, largest = in_metres(stl), float(np.abs(triangles).max())
    digits = 9 - math.ceil(math.log10(largest)) if largest else 0
    low, high = (
        tuple(_tidy(value, digits) for value in bound(triangles, axis=(0, 1))) for bound in (np.min, np.max)
    )
    return tuple(_times(value, unit) for value in low), tuple(_times(value, unit) for value in high)


def _tidy(value: float, digits: int) -> float:
    """The shortest decimal that single precision cannot tell from a number of it; else nine digits of it."""
    value = float(value)
    single = np.float32(value)
    near = float(np.format_float_scientific(single, unique=True)) if float(single) == value else value
    return round(near, digits) + 0.0


def _times(value: float, unit: float) -> float:
    """A decimal number in another unit, rounded once."""
    return float(Decimal(repr(value)) * Decimal(repr(unit)))


def _binary(content: bytes) -> NDArray[np.float64] | None:
    """Corners of a binary file, or None if the length does not fit the count in its header."""
    if len(content) < 84:
        return None
    count = int.from_bytes(content[80:84], "little")
    if len(content) != 84 + count * RECORD.itemsize:
        return None
    return np.frombuffer(content, dtype=RECORD, offset=84)["corners"].astype(np.float64)


def _text(content: bytes) -> tuple[NDArray[np.float64] | None, bool]:
    """Corners of a text file, None if it is none, and whether every facet and solid in it is closed.

    The words that lines begin with decide (`solid`, `facet`, `outer loop`, `vertex`, ...); names of solids
    may hold anything.
    """
    if content.lstrip()[:5].lower() != b"solid" or b"\0" in content:
        return None, False
    blocks, rows = [np.empty((0, 3))], []
    place, left, is_whole = "outside", 0, True
    for line in BytesIO(content):
        words = line.split(maxsplit=4)
        if not words:
            continue
        word = words[0].lower()
        if word == b"vertex":
            left -= 1
            is_whole &= place == "loop" and left >= 0
            if len(words) != 4 or len(line) > _LINE:
                return None, False
            rows.append(words[1:])
            if len(rows) == _ROWS:
                blocks.append(_numbers(rows))
                rows.clear()
            continue
        before, after, needed = _STEPS.get(word, ("", "", 0))
        is_whole &= place == before and not left
        place, left = after, needed
    corners = np.concatenate([*blocks, _numbers(rows)])
    if len(corners) % 3:
        return None, False
    return corners.reshape(-1, 3, 3), is_whole and place == "outside"


def _numbers(rows: list[list[bytes]]) -> NDArray[np.float64]:
    """Corners of text rows, float64 `[row, 3]`; what is no number becomes NaN."""
    try:
        return np.array(rows, dtype=np.float64).reshape(-1, 3)
    except ValueError:
        return np.full((len(rows), 3), np.nan)
