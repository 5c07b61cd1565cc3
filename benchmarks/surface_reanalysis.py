"""Claim: the exported surface of a part has the part's volume to 1 %, and where members are at least three
voxels thick its compliance to 3 %, re-analysed on a body-fitted mesh by another element and another code.

For every named problem of elasticity and the random ones, solved with projection: the exported surface is
meshed (solids by fTetWild, pytetwild, MPL-2.0; plates by Delaunay) and solved with quadratic elements by
scikit-fem, under loads that do the same work as the voxel model's (`benchmarks.surface_bodies`). Parts that
conduct heat are left out: their heat is made in the void too, which a surface does not have.

Columns, compliances in per cent of the part's: the surface under loads of equal work is what the certified
figure is off; with the loads of single nodes spread over the voxels around them, in the voxel model too, is
what is left of it without the dents that loads at nodes make; voxels are the part's own voxels, each split in
two along every axis, under loads of equal work: by how much the voxel elements are too stiff; surface over
voxels is what the smooth surface gains over the stairs. Thinnest: voxels along the edge of the largest cubes
within the part that cover 95 % of it, or lie next to it. Thin: the share of members thinner than three
voxels.

Every problem is kept as a line of results/surface_reanalysis.jsonl and done once; `--again` does it again,
`--table` only writes the table. `python -m benchmarks.crisp --table` takes its columns from there.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_opening

import trabecula as tb
from benchmarks import random_problems
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish, parse_size, size_text
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
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
    "surface over voxels %",
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


def compliance(discrete: DiscreteProblem, part: NDArray[np.bool_]) -> float:
    """Compliance of a part's voxels in J, by the voxel elements."""
    scaled = nondimensional(discrete)
    state = Workbench(scaled.problem, 1).separate_analysis(scaled.problem).state
    state.set_stiffness(np.where(part, 1.0, discrete.options.minimum_stiffness))
    found = sum(
        float(weight * np.vdot(load, state.solve(load, tolerance=1e-7)[0]))
        for load, weight in zip(scaled.problem.loads, scaled.problem.weights, strict=True)
        if load.any()
    )
    return float(np.ldexp(found, scaled.problem.units.compliance))


def spread_loads(problem: tb.Problem, part: NDArray[np.bool_]) -> DiscreteProblem:
    """The voxel model with the loads of nodes spread over the voxels around them."""
    from benchmarks.surface_bodies import spread, voxel_mass

    discrete, mass = prepare(problem)[0], voxel_mass(part)
    lumped = np.asarray(mass.sum(axis=1)).ravel()
    even = [(mass @ spread(load.ravel(), lumped)).reshape(load.shape) for load in _each(discrete.loads)]
    return replace(discrete, loads=np.reshape(even, discrete.loads.shape))


def split_voxels(problem: tb.Problem, part: NDArray[np.bool_]) -> tuple[DiscreteProblem, NDArray[np.bool_]]:
    """The voxel model with every voxel split in two along every axis, under loads of equal work; held are the
    nodes between nodes that were."""
    from benchmarks.surface_bodies import VoxelNodes, same_work, voxel_mass

    coarse = prepare(problem)[0]
    elements = tuple(2 * count for count in problem.domain.elements)
    fine = prepare(replace(problem, domain=replace(problem.domain, elements=elements)))[0]
    shape, split = fine.fixed.shape[1:], part
    for axis in range(part.ndim):
        split = np.repeat(split, 2, axis=axis)
    cell = np.array(problem.domain.spacing)
    places = np.argwhere(np.ones(shape))[:, ::-1].T * (cell / 2)[:, None]
    hats = VoxelNodes(coarse.fixed.shape[1:], cell).at(places)
    mass, fine_mass = voxel_mass(part), voxel_mass(split)
    lumped = np.asarray(mass.sum(axis=1)).ravel()
    loads = [
        (fine_mass @ (hats @ same_work(load.ravel(), mass, lumped, 1.0))).reshape(shape) / 2**part.ndim
        for load in _each(coarse.loads)
    ]
    fixed = np.array(
        [(hats @ held.ravel().astype(np.float64) > 1 - 1e-9).reshape(shape) for held in coarse.fixed]
    )
    found = np.reshape(loads, (*coarse.loads.shape[:2], *shape))
    return replace(fine, loads=np.where(fixed, 0.0, found), fixed=fixed), split


def _each(loads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loads of all cases and components, one after the other."""
    return loads.reshape(-1, *loads.shape[2:])


def measure(name: str) -> Row:
    """One row."""
    from benchmarks.surface_bodies import Body, tetrahedra, triangles

    result = solve(name)
    problem, part, cell = result.problem, result.part, np.array(result.spacing)
    assert part is not None
    surface = result.to_mesh()
    plane = part.mask.ndim == 2
    start = time.perf_counter()
    body = Body(triangles(surface, cell) if plane else tetrahedra(surface, cell), problem)
    same, even = body.compliances()
    apart = compliance(spread_loads(problem, part.mask), part.mask)
    fine = compliance(*split_voxels(problem, part.mask))
    return {
        "problem": name,
        "grid": size_text(problem.domain.elements),
        "thinnest": thinnest(part.mask),
        "thin": 100.0 * float(measure_thin_share(part.mask)),
        "volume": 100.0 * (body.volume / (np.count_nonzero(part.mask) * body.cell) - 1.0),
        "compliance": part.compliance,
        "surface": 100.0 * (same / part.compliance - 1.0),
        "spread": 100.0 * (even / apart - 1.0),
        "voxels": 100.0 * (fine / part.compliance - 1.0),
        "elements": int(body.mesh.nelements),
        "watertight": int(surface.is_watertight()),
        "seconds": time.perf_counter() - start,
    }


def load(path: Path = KEPT) -> dict[str, Row]:
    """The rows that are kept, by problem; of several the last."""
    if not path.is_file():
        return {}
    return {row["problem"]: row for row in map(json.loads, path.read_text().splitlines())}


def over_voxels(row: Row) -> float:
    """The surface over the part's split voxels, in per cent."""
    return 100.0 * ((100.0 + float(row["surface"] or 0.0)) / (100.0 + float(row["voxels"] or 0.0)) - 1.0)


def tables(rows: Mapping[str, Row]) -> list[Table]:
    """What was measured, solids and plates apart, the thickest parts first."""

    def line(row: Row) -> tuple[Cell, ...]:
        keys = ("problem", "grid", "thinnest", "thin", "volume", "surface", "spread", "voxels")
        return (*(row[key] for key in keys), over_voxels(row), row["elements"])

    ordered = sorted(rows.values(), key=lambda row: (row["thin"], row["problem"]))
    kinds = {"Solids": 3, "Plates": 2}
    return [
        Table(kind, COLUMNS, tuple(line(row) for row in ordered if len(parse_size(str(row["grid"]))) == axes))
        for kind, axes in kinds.items()
    ]


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
        for key, what in (
            ("spread", "compliance of the surface off the part's, loads spread"),
            ("surface", "compliance of the surface off the certified figure"),
        ):
            if not some:
                continue
            off = [abs(float(row[key] or 0.0)) for row in some]
            worst = some[int(np.argmax(off))]["problem"]
            note = f"{worst}; median {statistics.median(off):.2g} %, {len(some)} problems"
            wanted = goal if key == "spread" else None
            found.append(Figure(f"{what}, {kind}, worst", max(off), "%", wanted, note=note))
    gains = [-over_voxels(row) for row in values]
    note = f"{values[int(np.argmax(gains))]['problem']}; median {statistics.median(gains):.2g} %"
    found.append(Figure("surface stiffer than the part's split voxels, most", max(gains), "%", note=note))
    return found


def main() -> None:
    """Re-analyse what has not been, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("names", nargs="*", help="problems; default: all of elasticity")
    parser.add_argument("--again", action="store_true", help="measure also what is kept")
    parser.add_argument("--table", action="store_true", help="measure nothing, only write the table")
    asked = parser.parse_args()
    for name in [] if asked.table else asked.names or names():
        if name in load() and not asked.again:
            continue
        row = measure(name)
        with KEPT.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(
            f"{name:14} thin {row['thin']:3.0f} %, surface {row['surface']:+.2f} %,"
            f" loads spread {row['spread']:+.2f} %, {row['seconds']:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    rows = load()
    finish("surface_reanalysis", __doc__ or "", asked, figures(rows), tables(rows))


if __name__ == "__main__":
    main()
