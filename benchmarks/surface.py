"""Claim: the surface of any field is closed after a float32 file, exact on the box, and takes seconds and
some 150 MB at a million voxels; marching cubes cuts the edges of a solid box off (1 % of a 12-voxel cube).

Measures trabecula's surface nets and, where they are installed, PyMCubes and scikit-image on the same fields.
Open edges are those not shared by exactly two opposite faces after rounding to float32 and merging points.
Memory is what Python knows of; what a library allocates in C++ is not in it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from trabecula.surface import Mesh, surface
from trabecula.surface.mesh import merge_equal

Maker = Callable[[NDArray[np.float32]], Mesh]


def padded(march: Callable[[NDArray[np.float32]], tuple[NDArray[np.float64], NDArray[np.int64]]]) -> Maker:
    """Marching cubes over the field with a rim of void, moved to voxel co-ordinates (x, y, z)."""

    def make(field: NDArray[np.float32]) -> Mesh:
        points, faces = march(np.pad(field, 1))
        return Mesh(np.asarray(points, np.float64)[:, ::-1] - 0.5, np.asarray(faces, np.int64))

    return make


def makers() -> dict[str, Maker]:
    """Every way that is installed."""
    found: dict[str, Maker] = {"trabecula": lambda field: surface(field, (1, 1, 1), keep_islands=True)}
    try:
        mcubes = importlib.import_module("mcubes")
        found["PyMCubes"] = padded(lambda field: mcubes.marching_cubes(field, 0.5))
    except ImportError:
        pass
    try:
        measure = importlib.import_module("skimage.measure")
        found["skimage lewiner"] = padded(lambda field: measure.marching_cubes(field, 0.5)[:2])
        found["skimage lorensen"] = padded(
            lambda field: measure.marching_cubes(field, 0.5, method="lorensen")[:2]
        )
    except ImportError:
        pass
    return found


def fields() -> dict[str, NDArray[np.float32]]:
    """Smooth, ambiguous, and exactly known fields."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.random((80, 80, 160), dtype=np.float32), 3)
    return {
        "smooth 160x80x80": (smooth - smooth.min()) / np.ptp(smooth),
        "noise 40": random.random((40, 40, 40), dtype=np.float32),
        "0/1 noise 40": (random.random((40, 40, 40)) > 0.5).astype(np.float32),
        "solid 12": np.ones((12, 12, 12), np.float32),
    }


def open_edges(mesh: Mesh) -> int:
    """Edges without exactly one partner in the opposite direction, after rounding to float32."""
    faces = merge_equal(mesh.vertices.astype(np.float32), mesh.faces)
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = int(faces.max()) + 1
    there, times = np.unique(start * count + end, return_counts=True)
    return int((times > 1).sum() + (~np.isin(there, end * count + start)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the table and the machine here")
    asked = parser.parse_args()
    rows = []
    print(f"{'field':18}{'way':18}{'faces':>9}{'open':>7}{'volume':>11}{'box off by':>12}{'s':>7}{'MB':>6}")
    for name, field in fields().items():
        for way, make in makers().items():
            start = time.perf_counter()
            mesh = make(field)
            seconds = time.perf_counter() - start
            tracemalloc.start()
            make(field)
            megabytes = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
            box = np.array([[0, 0, 0], field.shape[::-1]])
            row = {
                "field": name,
                "way": way,
                "faces": len(mesh.faces),
                "open_edges": open_edges(mesh),
                "volume": abs(mesh.volume()),
                "box_error": float(np.abs(mesh.bounds - box).max()),
                "seconds": seconds,
                "python_megabytes": megabytes,
            }
            rows.append(row)
            print(
                f"{name:18}{way:18}{row['faces']:9}{row['open_edges']:7}{row['volume']:11.1f}"
                f"{row['box_error']:12.3f}{seconds:7.2f}{megabytes:6.0f}"
            )
    if asked.json:
        machine = {"machine": platform.platform(), "cores": os.cpu_count(), "numpy": np.__version__}
        asked.json.write_text(json.dumps({**machine, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
