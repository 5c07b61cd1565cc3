"""Triangles of an STL file, text or binary, read with limits: a file may be wrong, never dangerous."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.errors import ProblemError

MAX_BYTES = 128 * 1024 * 1024
MAX_TRIANGLES = 2_500_000
_ROWS = 100_000  # lines of a text file turned into numbers together
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


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
    float64 `[triangle, corner, axis]` with axes x, y, z, in the file's unit (metres are expected).

    Raises
    ------
    ProblemError
        If there is no such file, if it is too large, cut short, empty, or holds NaN or infinity.
    """
    if not path.is_file():
        raise ProblemError(
            where, f"no file {path}", "an STL file", "mend the name; it counts from the problem file's folder"
        )
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ProblemError(
            where,
            f"{path.name} has {size / 1e6:.0f} MB",
            f"at most {MAX_BYTES / 1e6:.0f} MB",
            "simplify the mesh: voxels cannot show more",
        )
    content = path.read_bytes()
    corners = _binary(content)
    if corners is None:
        corners = _text(content)
    if corners is None:
        raise ProblemError(
            where, f"{path.name} is no STL file, or is cut short", "", "export it again as STL"
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
    if not np.isfinite(corners).all():
        raise ProblemError(where, f"{path.name} holds NaN or infinite corners", "", "export it again as STL")
    return corners


def _binary(content: bytes) -> NDArray[np.float64] | None:
    """Corners of a binary file, or None if the length does not fit the count in its header."""
    if len(content) < 84:
        return None
    count = int.from_bytes(content[80:84], "little")
    if len(content) != 84 + count * _RECORD.itemsize:
        return None
    return np.frombuffer(content, dtype=_RECORD, offset=84)["corners"].astype(np.float64)


def _text(content: bytes) -> NDArray[np.float64] | None:
    """Corners of a text file, or None if it is none."""
    if content.lstrip()[:5].lower() != b"solid" or b"\0" in content:
        return None
    blocks, rows = [np.empty((0, 3))], []
    for line in BytesIO(content):
        words = line.split(maxsplit=4)
        if words and words[0].lower() == b"vertex":
            if len(words) != 4:
                return None
            rows.append(words[1:])
            if len(rows) == _ROWS:
                blocks.append(_numbers(rows))
                rows.clear()
    corners = np.concatenate([*blocks, _numbers(rows)])
    return corners.reshape(-1, 3, 3) if len(corners) % 3 == 0 else None


def _numbers(rows: list[list[bytes]]) -> NDArray[np.float64]:
    """Corners of text rows, float64 `[row, 3]`; what is no number becomes NaN."""
    try:
        return np.array(rows, dtype=np.float64).reshape(-1, 3)
    except ValueError:
        return np.full((len(rows), 3), np.nan)
