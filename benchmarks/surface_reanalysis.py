"""Claim: the exported surface of a part has the part's volume to 1 %, and where members are at least three
voxels thick its compliance to 3 %, re-analysed on a body-fitted mesh by another element and another code.

For every named problem of elasticity and the random ones, solved with projection: the exported surface is
meshed (solids by fTetWild, pytetwild, MPL-2.0; plates by Delaunay) and solved with quadratic elements by
scikit-fem, under loads that do the same work as the voxel model's (`benchmarks.surface_bodies`). Parts that
conduct heat are left out: their heat is made in the void too, which a surface does not have.

Columns, compliances in per cent of the part's: the surface under loads of equal work is what the certified
figure is off; with the loads of single nodes spread over the voxels around them, in the voxel model too, is
what is left of it without the dents that loads at nodes make; voxels are the part's own voxels by quadratic
elements, under loads of equal work (`--voxels`). Thinnest: voxels along the edge of the largest cubes within
the part that cover 95 % of it, or lie next to it. Thin: the share of members thinner than three voxels.

Every problem is kept as a line of results/surface_reanalysis.jsonl and done once; `--again` does it again,
`--table` only writes the table. `python -m benchmarks.crisp --table` takes its columns from there.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_opening

import trabecula as tb
from benchmarks import random_problems
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish, size_text
from trabecula.discretisation import prepare
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.problem import problems
from trabecula.strategy.workbench import Workbench
from trabecula.surface.thickness import measure_thin_share

KEPT = RESULTS / "surface_reanalysis.jsonl"
THIN = 5.0  # per cent of a part: with more than that in members below three voxels it counts as thin
COLUMNS = (
    "problem",
    "grid",
    "thinnest, voxels",
    "thin %",
    "volume %",
    "surface %",
    "surface, loads spread %",
    "voxels %",
    "elements",
)

Row = dict[str, str | float | int | None]


def names() -> list[str]:
    """All problems that are re-analysed, solids first."""
    named = [name for name in problems.names() if problems.get(name).goal.minimize == "compliance"]
    drawn = [f"random-{number}" for number in range(random_problems.COUNT)]
    return sorted(named + drawn, key=lambda name: -find(name).domain.dimension)


def find(name: str) -> tb.Problem:
    """A named or random problem, with projection."""
    random = name.startswith("random-")
    problem = random_problems.get(int(name.removeprefix("random-"))) if random else problems.get(name)
    return replace(problem, options=replace(problem.options, projection=True))


def solve(name: str) -> tb.Result:
    """The design of a problem, kept between runs."""
    folder = SCRATCH / "surface" / name
    if (folder / "result.json").is_file():
        return tb.Result.load(folder)
    result = tb.solve(find(name), threads=1)
    result.save(folder, picture=False)
    return result


def thinnest(part: NDArray[np.bool_]) -> int:
    """Edge of the largest cubes, in voxels, within the part that cover 95 % of it or lie next to it."""
    found, around = 1, np.ones((3,) * part.ndim, dtype=np.bool_)
    inside = np.pad(part, 2)
    for edge in range(2, min(part.shape) + 1):
        thick = binary_opening(inside, np.ones((edge,) * part.ndim, dtype=np.bool_))
        if np.count_nonzero(binary_dilation(thick, around) & inside) < 0.95 * np.count_nonzero(part):
            break
        found = edge
    return found


def share_when_spread(problem: tb.Problem, part: NDArray[np.bool_]) -> float:
    """Compliance of the part's voxels with the loads of nodes spread over the material around, over that
    without."""
    from benchmarks.surface_bodies import spread, voxel_mass

    discrete = nondimensional(prepare(problem)[0]).problem
    state = Workbench(discrete, 1).separate_analysis(discrete).state
    state.set_stiffness(np.where(part, 1.0, problem.options.minimum_stiffness))
    mass = voxel_mass(part)
    lumped = np.asarray(mass.sum(axis=1)).ravel()

    def total(loads: Sequence[NDArray[np.float64]]) -> float:
        return sum(
            float(weight * np.vdot(load, state.solve(load, tolerance=1e-8)[0]))
            for load, weight in zip(loads, discrete.weights, strict=True)
            if load.any()
        )

    even = [
        np.stack([(mass @ spread(one.ravel(), lumped)).reshape(one.shape) for one in load])
        for load in discrete.loads
    ]
    return total(even) / total(list(discrete.loads))


def measure(name: str, voxels: bool) -> Row:
    """One row."""
    from benchmarks.surface_bodies import Body, tetrahedra, triangles, voxel_tetrahedra

    result = solve(name)
    problem, part, cell = result.problem, result.part, np.array(result.spacing)
    assert part is not None
    surface = result.to_mesh()
    plane = part.mask.ndim == 2
    start = time.perf_counter()
    body = Body(triangles(surface, cell) if plane else tetrahedra(surface, cell), problem)
    same, even = body.compliances()
    apart = share_when_spread(problem, part.mask) * part.compliance
    fine = Body(voxel_tetrahedra(part.mask, cell), problem).compliances()[0] if voxels else None
    return {
        "problem": name,
        "grid": size_text(problem.domain.elements),
        "thinnest": thinnest(part.mask),
        "thin": 100.0 * float(measure_thin_share(part.mask)),
        "volume": 100.0 * (body.volume / (np.count_nonzero(part.mask) * body.cell) - 1.0),
        "compliance": part.compliance,
        "surface": 100.0 * (same / part.compliance - 1.0),
        "spread": 100.0 * (even / apart - 1.0),
        "voxels": None if fine is None else 100.0 * (fine / part.compliance - 1.0),
        "elements": int(body.mesh.nelements),
        "watertight": int(surface.is_watertight()),
        "seconds": time.perf_counter() - start,
    }


def load(path: Path = KEPT) -> dict[str, Row]:
    """The rows that are kept, by problem; of several the last."""
    if not path.is_file():
        return {}
    return {row["problem"]: row for row in map(json.loads, path.read_text().splitlines())}


def table(rows: Mapping[str, Row]) -> Table:
    """What was measured, the thickest parts first."""

    def line(row: Row) -> tuple[Cell, ...]:
        keys = ("problem", "grid", "thinnest", "thin", "volume", "surface", "spread", "voxels", "elements")
        return tuple(row[key] for key in keys)

    ordered = sorted(rows.values(), key=lambda row: (row["thin"], row["problem"]))
    return Table("Exported surfaces against their parts", COLUMNS, tuple(map(line, ordered)))


def figures(rows: Mapping[str, Row]) -> list[Figure]:
    """The claim's numbers."""
    if not rows:
        return []
    values = list(rows.values())
    thick = [row for row in values if float(row["thin"] or 0.0) <= THIN]
    thin = [row for row in values if row not in thick]
    found = [
        Figure(
            "volume of the surface off the part's, worst",
            max(abs(float(row["volume"] or 0.0)) for row in values),
            "%",
            1.0,
            note=f"{len(values)} problems",
        )
    ]
    for kind, some, goal in (("three voxels or more", thick, 3.0), ("thinner members", thin, None)):
        for key, what in (("surface", "surface off the part's"), ("spread", "the same with loads spread")):
            if not some:
                continue
            off = [abs(float(row[key] or 0.0)) for row in some]
            worst = max(some, key=lambda row: abs(float(row[key] or 0.0)))
            found.append(
                Figure(
                    f"compliance of the {what}, {kind}, worst" if key == "surface" else f"{what}, {kind}, worst",
                    max(off),
                    "%",
                    goal,
                    note=f"{worst['problem']}; median {statistics.median(off):.2g} %, {len(some)} problems",
                )
            )
    return found


def main() -> None:
    """Re-analyse what has not been, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("names", nargs="*", help="problems; default: all of elasticity")
    parser.add_argument("--voxels", action="store_true", help="analyse the part's voxels with the same elements")
    parser.add_argument("--again", action="store_true", help="measure also what is kept")
    parser.add_argument("--table", action="store_true", help="measure nothing, only write the table")
    asked = parser.parse_args()
    for name in [] if asked.table else asked.names or names():
        if name in load() and not asked.again:
            continue
        row = measure(name, asked.voxels)
        with KEPT.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(
            f"{name:14} thin {row['thin']:3.0f} %, surface {row['surface']:+.2f} %,"
            f" loads spread {row['spread']:+.2f} %, {row['seconds']:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    rows = load()
    finish("surface_reanalysis", __doc__ or "", asked, figures(rows), [table(rows)])


if __name__ == "__main__":
    main()
