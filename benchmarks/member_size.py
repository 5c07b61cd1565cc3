"""How closely members and gaps are measured, what the parts of designs have, and what measuring costs.

Without names: rods, plates, bores and slits of known thickness in many directions, and by how many voxels the
measured thickness is off, the mean and the largest. With names of problems or problem files: of every part
the thinnest and the thickest member and the narrowest gap in voxels, the overhang, how much less stiff the
part is than its design, and the share of the solve that the measurement took; with `--radius` also at filter
radii so many times larger, which is the remedy for thin members.

    python -m benchmarks.member_size
    python -m benchmarks.member_size mbb hook my-problem.yaml --radius 1 1.67 2.5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.numerics.member_size import measure_gap, measure_members
from trabecula.part.shape_figures import measure_shape
from trabecula.problem import Problem

Mask = NDArray[np.bool_]

SIZE, WIDTHS, WAYS = 44, (2.0, 3.0, 4.0, 5.5, 8.0), 12


def shapes(width: float, way: NDArray[np.float64]) -> Iterator[tuple[str, Mask]]:
    """A rod and a plate of a width and direction, and what they leave free of a box."""
    where = np.moveaxis(np.indices((SIZE,) * 3), 0, -1) - 0.5 * SIZE + way
    rod = np.linalg.norm(np.cross(where, way), axis=-1) <= width / 2
    plate = np.abs(where @ way) <= width / 2
    yield "rod", rod
    yield "plate", plate
    yield "bore", ~rod
    yield "slit", ~plate


def tell_accuracy(seed: int) -> None:
    """Print by how many voxels known thicknesses are missed."""
    random = np.random.default_rng(seed)
    off: dict[str, list[float]] = {}
    for _ in range(WAYS):
        way = random.standard_normal(3)
        way /= np.linalg.norm(way)
        for width in WIDTHS:
            for name, inside in shapes(width, way):
                if name in ("rod", "plate"):
                    found = (measure_members(inside, (1.0,) * 3) or (np.nan, np.nan))[0]
                else:
                    found = measure_gap(inside, (1.0,) * 3) or np.nan
                off.setdefault(name, []).append(found - width)
    for name, errors in off.items():
        print(f"{name:6} mean {np.mean(errors):+.2f}, largest {np.abs(errors).max():.2f} voxels")


def tell_part(problem: Problem, scale: float) -> None:
    """Print what the part of a problem has."""
    options = problem.options
    radius = options.filter.radius or 1.5 * max(problem.domain.spacing)
    asked = replace(problem, options=replace(options, filter=replace(options.filter, radius=scale * radius)))
    result = tb.solve(asked, threads=1)
    part = result.part
    assert part is not None and part.resolution is not None
    begun = time.process_time()
    measure_shape(discretise(asked), part.mask, asked.domain.spacing)
    share = (time.process_time() - begun) / result.seconds
    lengths = (part.minimum_member, part.minimum_gap, part.maximum_member)
    voxels = ["    –" if each is None else f"{each / part.resolution:5.3g}" for each in lengths]
    off = 100.0 * (part.compliance / result.compliance - 1.0)
    grid = "x".join(map(str, asked.domain.elements))
    print(
        f"{problem.name:24} {grid:10} r x{scale:<4g} {' '.join(voxels)}"
        f"  overhang {100 * (part.overhang or 0.0):3.0f} %  {off:+5.1f} %  {100 * share:.2f} %  {result.word}"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", help="named problems or problem files")
    parser.add_argument("--radius", nargs="+", type=float, default=[1.0], help="times the filter's radius")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if not asked.names:
        tell_accuracy(asked.seed)
        return
    print("problem, grid, radius: thinnest, gap, thickest in voxels; part against design; share of the solve")
    for name in asked.names:
        problem = tb.load(name) if Path(name).is_file() else getattr(tb.problems, name)()
        for scale in asked.radius:
            tell_part(problem, scale)


if __name__ == "__main__":
    main()
