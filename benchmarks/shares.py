"""Claim: a load on the rim of a bore acts on the bore's axis, whatever the radius of the selector that picks
it, and flat voxels are solved to an equilibrium residual of 1e-8.

Picks the rims of bores with selectors whose radius grows by a tenth of a voxel, and compares the shares with
those that know nothing of the bore (`load_shares.share_total`): how far the resultant lies off the axis, and
how much of the load a step of the radius moves. Then solves grey designs on
flat voxels with a contrast of 1e9, by the multigrid and by the factorisation, with and without corrections in
doubled precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.report import Cell, Figure, Table, arguments, finish, size_text
from trabecula.discretisation import discretise
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.load_shares import share_total
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.discretisation.selection_shares import share_selection
from trabecula.physics import default_machine
from trabecula.physics.assembled import AssembledState
from trabecula.physics.refinement import RefinedState
from trabecula.problem import parse
from trabecula.problem.where import Cylinder

BORES = ((5.3, (12.0, 12.0)), (4.1, (11.7, 12.2)), (6.0, (12.5, 11.5)), (3.2, (12.0, 12.4)))
"""Radius and centre, in voxels."""

FLAT = (
    ((40, 20), (20.0, 1.0)),
    ((80, 40), (20.0, 1.0)),
    ((120, 20), (20.0, 1.0)),
    ((40, 20), (50.0, 1.0)),
    ((16, 8, 8), (20.0, 1.0, 1.0)),
    ((20, 20, 3), (20.0, 20.0, 1.0)),
)
"""Elements and their edges."""

ENOUGH = 1e-8


def rims() -> Iterator[tuple[Cell, ...]]:
    """Of every bore: how far off the axis the load acts at worst, and how much of it a step moves at most."""
    grid = Grid((24, 24), (1.0, 1.0))
    for radius, centre in BORES:
        material = ~grid.select_elements(Cylinder("z", centre, radius))
        found: list[list[np.ndarray]] = [[], []]
        for beyond in np.arange(0.2, 1.41, 0.1):
            where = Cylinder("z", centre, radius + beyond)
            found[0].append(share_total(grid.select_nodes(where), material, grid.spacing).shares)
            found[1].append(share_selection(where, grid, material, "").shares)
        off = [max(_off(shares, centre) for shares in each) for each in found]
        moved = [max(0.5 * np.abs(a - b).sum() for a, b in pairwise(each)) for each in found]
        yield f"{radius:g} at {centre[0]:g}, {centre[1]:g}", off[0], off[1], float(moved[0]), float(moved[1])


def _off(shares: np.ndarray, centre: tuple[float, float]) -> float:
    y, x = np.indices(shares.shape)
    return float(np.hypot((shares * x).sum() - centre[0], (shares * y).sum() - centre[1]))


def equilibrium(elements: tuple[int, ...], spacing: tuple[float, ...]) -> tuple[Cell, ...]:
    """Residuals of a grey design: multigrid and factorisation, without and with corrections."""
    size = [n * h for n, h in zip(elements, spacing, strict=True)]
    axes = "xyz"[: len(size)]
    tree: dict[str, Any] = {
        "trabecula": 1,
        "domain": {"size": size, "elements": list(elements)},
        "material": "steel",
        "supports": [{"where": {"x": 0}, "fix": list(axes)}],
        "loads": [{"where": {"x": size[0]}, "force": [0.0, -1000.0, 0.0][: len(size)]}],
        "goal": {"minimize": "compliance", "volume": 0.4},
    }
    discrete = nondimensional(discretise(parse(tree))).problem
    relative = 1e-9 + (1 - 1e-9) * np.random.default_rng(0).random(discrete.grid.shape) ** 3
    witness, load = AssembledState(discrete), discrete.loads[0]
    row: list[Cell] = [size_text(elements), " x ".join(f"{edge:g}" for edge in spacing)]
    for state in (default_machine(1).state(discrete), witness):
        state.set_stiffness(relative)
        witness.set_stiffness(relative)
        row.append(witness.residual(load, state.solve(load, None, 2e-9)[0]))
        refined = RefinedState(state, witness)
        refined.set_stiffness(relative)
        refined.solve(load, None, 2e-9)
        row.append(refined.residual)
    return tuple(row)


def main() -> None:
    """Measure, print, write."""
    asked = arguments(__doc__ or "").parse_args()
    on_rims = list(rims())
    solved = [equilibrium(*each) for each in (FLAT[:1] if asked.quick else FLAT)]
    figures = [
        Figure(
            "largest distance of a rim's load from its axis",
            max(float(r[2]) for r in on_rims),
            "voxels",
            1e-6,
        ),
        Figure("largest residual of the multigrid, corrected", max(float(r[3]) for r in solved), "", ENOUGH),
    ]
    tables = [
        Table(
            "Rims", ("bore", "off axis by patches", "off axis", "moved by patches", "moved"), tuple(on_rims)
        ),
        Table(
            "Flat voxels",
            ("grid", "voxel", "multigrid", "corrected", "factorised", "corrected"),
            tuple(solved),
        ),
    ]
    finish("shares", __doc__ or "", asked, figures, tables)


if __name__ == "__main__":
    main()
