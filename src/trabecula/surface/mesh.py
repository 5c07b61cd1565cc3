"""A closed triangle surface, and the question every slicer asks of it: is it watertight?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface of triangles that look outwards (counter-clockwise seen from outside).

    Attributes
    ----------
    vertices
        float64 `[vertex, (x, y, z)]` in metres.
    faces
        int64 `[face, corner]`: rows of `vertices`.
    islands
        How many floating pieces were left out when the surface was made.
    island_volume
        Share of the material that those pieces held, 0 to 1.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    islands: int = 0
    island_volume: float = 0.0

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Lowest and highest co-ordinates, float64 `[2, (x, y, z)]` in metres; zeros without vertices."""
        if not len(self.vertices):
            return np.zeros((2, 3))
        return np.stack([self.vertices.min(axis=0), self.vertices.max(axis=0)])

    def corners(self) -> NDArray[np.float64]:
        """Corner points of every face, float64 `[face, corner, (x, y, z)]` in metres."""
        return self.vertices[self.faces]

    def normals(self) -> NDArray[np.float64]:
        """Outward vectors of every face, twice its area long, float64 `[face, (x, y, z)]` in square
        metres."""
        a, b, c = (self.vertices[self.faces[:, corner]] for corner in range(3))
        return np.cross(b - a, c - a)

    def volume(self) -> float:
        """Enclosed volume in cubic metres (divergence theorem)."""
        middle = self.bounds.mean(axis=0)
        first = self.vertices[self.faces[:, 0]] - middle
        return float(np.einsum("fi,fi->", first, self.normals())) / 6.0

    def area(self) -> float:
        """Surface area in square metres."""
        return float(np.linalg.norm(self.normals(), axis=1).sum()) / 2.0

    def is_watertight(self) -> bool:
        """Whether the surface is closed, also once it has been through a float32 file.

        Co-ordinates are rounded to float32 and equal points become one, as every reader of an STL file does.
        The surface is watertight if then no face has lost a corner and every edge belongs to exactly two
        faces that run through it in opposite directions. A mesh without faces encloses nothing and is not
        watertight.
        """
        if not len(self.faces):
            return False
        merged = merge_equal(self.vertices.astype(np.float32), self.faces)
        return is_closed(merged)

    def shift(self, by: Sequence[float]) -> Mesh:
        """The same surface elsewhere: every vertex moved by a vector `(x, y, z)`."""
        return Mesh(self.vertices + np.asarray(by), self.faces, self.islands, self.island_volume)

    def scale(self, factor: float) -> Mesh:
        """The same surface in other units: every co-ordinate times `factor`."""
        return Mesh(self.vertices * factor, self.faces, self.islands, self.island_volume)


def merge_equal(points: NDArray[np.float32], faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces of a mesh after equal points became one, int64 `[face, corner]`.

    Parameters
    ----------
    points
        float32 `[point, (x, y, z)]`.
    faces
        int64 `[face, corner]`: rows of `points`.
    """
    plain = np.ascontiguousarray(points + np.float32(0.0))  # -0.0 and 0.0 are one place but not the same bits
    rows = plain.view(np.dtype((np.void, 12))).ravel()
    _, inverse = np.unique(rows, return_inverse=True)
    return np.asarray(inverse, dtype=np.int64)[faces]


def is_closed(faces: NDArray[np.int64]) -> bool:
    """Whether every edge of some faces belongs to exactly two, which pass it in opposite directions.

    Parameters
    ----------
    faces
        int64 `[face, corner]`.
    """
    if not len(faces):
        return False
    start = faces.ravel()
    end = np.roll(faces, -1, axis=1).ravel()
    if np.any(start == end):
        return False
    count = int(faces.max()) + 1
    there, back = np.sort(start * count + end), np.sort(end * count + start)
    return not np.any(there[1:] == there[:-1]) and bool(np.array_equal(there, back))
