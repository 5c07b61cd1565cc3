"""What it costs to make a finished part of a design: joined, or solid patches from the start.

For every problem file or named problem: the same design as solid and void of the same volume, as it is
(`raw`) and with loads joined and loose pieces taken off (`part`); and, with `--patches`, the part of a design
that has passive solid at every loaded and held node from the beginning (`patches`). Compliances are relative
to the design's, so that 1.00 means that it is what was optimised.

    python -m benchmarks.finished_part mbb wheel my-problem.yaml --patches
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from trabecula.certificate.connected import pieces
from trabecula.discretisation import discretise
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.part.finish import Shape, target_volume
from trabecula.part.load_paths import loaded_nodes
from trabecula.part.measure import PartSolver, describe, make_part
from trabecula.part.threshold import Ranking
from trabecula.physics import State, default_machine
from trabecula.physics.assembled import make_witness
from trabecula.problem import Problem
from trabecula.problem.model import Region
from trabecula.problem.where import Box

MOST = 1000
"""Regions of a problem at most; a load on the whole domain asks for more patches."""


def solver_of(problem: Problem) -> PartSolver:
    """What solves parts of a problem as a result does."""
    discrete = nondimensional(discretise(problem)).problem
    quick, exact = default_machine().state(discrete), make_witness(discrete)
    states: list[State] = [quick, exact] if exact.is_direct else [quick]
    return PartSolver(problem, discrete, lambda: states, 2e-9, 1e-8)


def raw(problem: Problem, density: NDArray[np.float32]) -> tb.Part:
    """The thresholded design as it is: nothing joined, nothing taken off."""
    solver = solver_of(problem)
    ranking = Ranking.of(solver.discrete, density)
    mask, threshold = ranking.keep(target_volume(solver.discrete, density))
    return describe(solver, Shape(mask, threshold, 0.0), *solver.solve(mask, None))


def with_patches(problem: Problem) -> Problem:
    """The problem with passive solid in every element at a loaded or held node."""
    discrete = discretise(problem)
    nodes = loaded_nodes(discrete) | discrete.fixed.any(axis=0)
    at = discrete.grid.to_elements(nodes.astype(float)) > 0.0
    h = problem.domain.spacing
    regions = []
    for index in np.argwhere(at & (discrete.upper > 0)):
        middle = [(i + 0.5) * edge for i, edge in zip(index[::-1], h, strict=True)]
        low = tuple(m - 0.1 * edge for m, edge in zip(middle, h, strict=True))
        high = tuple(m + 0.1 * edge for m, edge in zip(middle, h, strict=True))
        regions.append(Region(Box(low, high), "solid"))
    return replace(problem, regions=(*problem.regions, *regions))


def tell(name: str, what: str, design: tb.Result, part: tb.Part, reference: float) -> None:
    """One row."""
    discrete = discretise(design.problem)
    islands = pieces(part.mask.astype(float), discrete).islands
    print(
        f"{name:<16}{what:<9}{part.compliance / reference:>10.4f}{part.volume:>9.4f}{part.pieces:>8}"
        f"{islands:>9}{part.loaded:>9.4f}{design.certificate.grey or 0.0:>8.3f}  {design.word}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="+")
    parser.add_argument("--patches", action="store_true", help="solve with passive solid patches too")
    parser.add_argument("--grey", action="store_true", help="without projection")
    asked = parser.parse_args()
    print(f"{'':<25}{'C / C':>10}{'volume':>9}{'pieces':>8}{'islands':>9}{'loaded':>9}{'grey':>8}")
    for given in asked.problems:
        path = Path(given)
        problem = tb.load(path) if path.is_file() else tb.problems.get(given)
        problem = replace(problem, options=replace(problem.options, projection=not asked.grey))
        result = tb.solve(problem)
        name, reference = path.stem, result.compliance
        tell(name, "raw", result, raw(problem, result.density), reference)
        tell(name, "part", result, make_part(solver_of(problem), result.density), reference)
        patched = with_patches(problem) if asked.patches else problem
        if len(problem.regions) < len(patched.regions) <= MOST:
            solid = tb.solve(patched)
            part = make_part(solver_of(solid.problem), solid.density)
            tell(name, "patches", solid, part, reference)


if __name__ == "__main__":
    main()
