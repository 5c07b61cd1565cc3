"""Closed surfaces as triangles, and STL files of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def box_triangles(low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
    """Twelve triangles of a box, float64 `[triangle, corner, axis]`."""
    corners = np.array([[(low, high)[(i >> a) & 1][a] for a in range(3)] for i in range(8)], dtype=float)
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return corners[[t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]]


def sphere_triangles(center: tuple[float, ...], radius: float, times: int = 4) -> np.ndarray:
    """An octahedron refined `times` times, its corners on the sphere."""
    e = np.eye(3)
    triangles = np.array([[a * e[0], b * e[1], c * e[2]] for a in (1, -1) for b in (1, -1) for c in (1, -1)])
    for _ in range(times):
        a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
        ab, bc, ca = a + b, b + c, c + a
        triangles = np.concatenate(
            [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
        triangles /= np.linalg.norm(triangles, axis=2, keepdims=True)
    return np.asarray(triangles * radius + np.array(center))


def write_stl(path: Path, triangles: np.ndarray, text: bool = False) -> Path:
    """Write triangles as an STL file."""
    if text:
        facets = (
            "facet normal 0 0 0\nouter loop\n"
            + "".join(f"  vertex {x:.9e} {y:.9e} {z:.9e}\n" for x, y, z in triangle)
            + "endloop\nendfacet\n"
            for triangle in triangles
        )
        path.write_text("solid part\n" + "".join(facets) + "endsolid part\n")
        return path
    record = np.zeros(len(triangles), dtype=[("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    record["v"] = triangles
    path.write_bytes(b"\0" * 80 + len(triangles).to_bytes(4, "little") + record.tobytes())
    return path
