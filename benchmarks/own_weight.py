"""Claim: with any share of own weight, a solve converges to a stationary design in one piece, and no other
optimiser ends more than 1 % better.

Problems are those of `benchmarks.own_weight_problems`. For each, and with and without projection: the way as
it is (`criteria`); the same search with MMA (`mma`); the criterion that knows the sign of the gradient alone
(`sign`, what there was before); what MMA reaches in 1000 iterations of short steps (`long`); and the way as
it is with SIMP instead of RAMP (`simp`, whose grey compliances do not compare). A row holds
the compliance, the volume, the KKT residual, pieces above one half, the share of loads that reach a support,
how far the design is from its mirror image, and iterations and solves on the finest grid. The last column of
the table says how much above the best of all ways the design is.

`python -m benchmarks.own_weight [NAMES] [--ways ...] [--projection on|off|both] [--json FILE]`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import trabecula as tb
from benchmarks.own_weight_problems import NAMES, make
from trabecula.certificate.connected import pieces
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimizers import OC, Adaptive, OptimalityCriteria
from trabecula.physics.machine import Machine
from trabecula.problem import Problem

WAYS = ("criteria", "mma", "sign", "long", "simp")


@dataclass(frozen=True)
class SignAlone:
    """The criterion of a problem without own weight: takes material where the gradient is above zero."""

    name = "sign"

    def make(self, discrete: DiscreteProblem, machine: Machine) -> OptimalityCriteria:
        """The optimiser of a grid."""
        return OptimalityCriteria(OC(move=discrete.options.move, adaptive=Adaptive(), machine=machine))


def solve(problem: Problem, way: str) -> tb.Result:
    """The problem, solved in one of the `WAYS`."""
    options = problem.options
    if way == "mma":
        return tb.solve(replace(problem, options=replace(options, optimizer="mma")))
    if way == "sign":
        return tb.solve(replace(problem, options=replace(options, optimizer=SignAlone())))
    if way == "simp":
        return tb.solve(replace(problem, options=replace(options, interpolation="simp")))
    if way == "long":
        slow = replace(problem, options=replace(options, optimizer="mma", move=0.05))
        return tb.solve(slow, iterations=1000, tolerance=1e-9)
    return tb.solve(problem)


def measure(name: str, way: str, projection: bool, scale: float) -> dict[str, object]:
    """One row of the table."""
    problem = make(name, projection, scale)
    clock = time.perf_counter()
    result = solve(problem, way)
    density = np.asarray(result.density, dtype=np.float64)
    found = pieces(density, discretise(problem))
    return {
        "problem": name,
        "projection": projection,
        "way": way,
        "compliance": result.compliance,
        "volume": result.volume,
        "kkt": result.certificate.kkt_residual,
        "pieces": found.count,
        "reached": found.loads_reached,
        "asymmetry": float(np.abs(density - density[..., ::-1]).max()),
        "grey": result.certificate.grey,
        "status": str(result.status),
        "iterations": result.iterations,
        "seconds": time.perf_counter() - clock,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help="names, or how they begin")
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--projection", choices=("both", "on", "off"), default="both")
    parser.add_argument("--scale", type=float, default=1.0, help="voxels along every axis, relative")
    parser.add_argument("--json", type=Path, help="write the table and the machine here")
    asked = parser.parse_args()
    chosen = [name for name in NAMES if any(name.startswith(begin) for begin in asked.names)]
    modes = {"both": (False, True), "on": (True,), "off": (False,)}[asked.projection]
    print(
        f"{'problem':15}{'':6}{'way':9} {'compliance':>11} {'above':>7} {'volume':>7} {'kkt':>6} "
        f"{'pieces':>6} {'reach':>5} {'mirror':>7} {'grey':>6} {'iter':>5} {'s':>5} status"
    )
    rows = []
    for projection in modes:
        for name in chosen:
            found = [measure(name, way, projection, asked.scale) for way in asked.ways]
            best = min(float(str(row["compliance"])) for row in found)
            for row in found:
                row["above"] = float(str(row["compliance"])) / best - 1.0
                print(
                    f"{name:15}{'crisp' if projection else 'grey':6}{row['way']:9} {row['compliance']:11.6g} "
                    f"{row['above']:7.2%} {row['volume']:7.3f} {row['kkt']:6.3f} {row['pieces']:6} "
                    f"{'yes' if row['reached'] else 'no':>5} {row['asymmetry']:7.0e} {row['grey']:6.3f} "
                    f"{row['iterations']:5} {row['seconds']:5.1f} {row['status']}",
                    flush=True,
                )
            rows += found
    if asked.json:
        machine = {"machine": platform.platform(), "python": sys.version.split()[0], "numpy": np.__version__}
        asked.json.write_text(json.dumps({**machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
