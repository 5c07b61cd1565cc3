"""Measures: with any share of own weight, does a solve end in one held piece that carries its loads, at rest,
and how does its finished part compare with what other optimisers end with?

Problems are those of `benchmarks.own_weight_problems`, on which settings were chosen, and with `--held-out`
those of `benchmarks.own_weight_held_out`, on which no setting of the optimiser was. For each: the way as it
is (`criteria`); the same search with MMA (`mma`); the criterion that knows the sign of the gradient alone
(`sign`, what there was before); what MMA reaches in 1000 iterations of short steps (`long`); and the way as
it is with SIMP (`simp`) or RAMP (`ramp`) as interpolation.

A row holds the compliance of the design and of its finished part, the part's pieces and the share of the
loads on it, the volume, the KKT residual, what is grey, how far the design is from its mirror image, and
iterations on the finest grid. The column `above` says how much above the best of all ways a design is: crisp
ones by their parts, grey ones by themselves. Of `case-100`, an arch drawn by hand is measured too (`drawn`).

`python -m benchmarks.own_weight [NAMES] [--held-out] [--ways ...] [--projection on|off|both] [--json FILE]`.
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
from benchmarks.own_weight_problems import HELD_OUT, NAMES, make
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimizers import OC, Adaptive, OptimalityCriteria
from trabecula.physics.machine import Machine
from trabecula.problem import Problem

WAYS = ("criteria", "mma", "sign", "long", "simp", "ramp")


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
    if way in ("simp", "ramp"):
        return tb.solve(replace(problem, options=replace(options, interpolation=way)))
    if way == "long":
        slow = replace(problem, options=replace(options, optimizer="mma", move=0.05))
        return tb.solve(slow, iterations=1000, tolerance=1e-9)
    return tb.solve(problem)


def draw_arch(problem: Problem) -> tb.DesignEvaluation:
    """An arch between the springings, below its crown the deck on columns, as one would draw it."""
    size, elements = np.array(problem.domain.size), problem.domain.elements
    x, y = ((np.arange(n) + 0.5) * length / n for n, length in zip(elements, size, strict=True))
    across, up = x[np.newaxis, :], y[:, np.newaxis]
    axis = 0.5 + 8.7 * (1.0 - (2.0 * across / size[0] - 1.0) ** 2)
    arch = np.abs(up - axis) <= 0.6
    columns = (np.abs((across + 1.0) % 2.0 - 1.0) <= 0.15) & (up >= axis)
    return tb.evaluate(problem, (arch | columns | (up >= 9.6)).astype(float))


def measure(name: str, way: str, projection: bool, scale: float) -> dict[str, object]:
    """One row of the table."""
    problem = make(name, projection, scale)
    clock = time.perf_counter()
    result = solve(problem, way)
    density = np.asarray(result.density, dtype=np.float64)
    part = result.part
    assert part is not None
    return {
        "problem": name,
        "projection": projection,
        "way": way,
        "compliance": result.compliance,
        "part": part.compliance,
        "volume": result.volume,
        "kkt": result.certificate.kkt_residual,
        "pieces": part.pieces,
        "loaded": part.loaded if part.held else 0.0,
        "asymmetry": float(np.abs(density - density[..., ::-1]).max()),
        "grey": result.certificate.grey,
        "status": str(result.status),
        "iterations": result.iterations,
        "seconds": time.perf_counter() - clock,
    }


def main() -> None:
    """Print the table, and what its columns come to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[""], help="names, or how they begin")
    parser.add_argument("--held-out", action="store_true", help="those on which no setting was chosen")
    parser.add_argument("--ways", nargs="*", default=("criteria", "mma"), choices=WAYS)
    parser.add_argument("--projection", choices=("both", "on", "off"), default="on")
    parser.add_argument("--scale", type=float, default=1.0, help="voxels along every axis, relative")
    parser.add_argument("--json", type=Path, help="write the table and the machine here")
    asked = parser.parse_args()
    names = HELD_OUT if asked.held_out else NAMES
    chosen = [name for name in names if any(name.startswith(begin) for begin in asked.names)]
    modes = {"both": (False, True), "on": (True,), "off": (False,)}[asked.projection]
    print(
        f"{'problem':15}{'':6}{'way':9} {'compliance':>11} {'part':>11} {'above':>8} {'volume':>7} "
        f"{'kkt':>6} {'pieces':>6} {'loaded':>6} {'mirror':>7} {'grey':>6} {'iter':>5} {'s':>5} status"
    )
    rows = []
    for projection in modes:
        for name in chosen:
            found = [measure(name, way, projection, asked.scale) for way in asked.ways]
            judged = "part" if projection else "compliance"
            best = min(float(str(row[judged])) for row in found)
            for row in found:
                row["above"] = float(str(row[judged])) / best - 1.0
                print(
                    f"{name:15}{'crisp' if projection else 'grey':6}{row['way']:9} {row['compliance']:11.6g} "
                    f"{row['part']:11.6g} {row['above']:8.2%} {row['volume']:7.3f} {row['kkt']:6.3f} "
                    f"{row['pieces']:6} {row['loaded']:6.3f} {row['asymmetry']:7.0e} {row['grey']:6.3f} "
                    f"{row['iterations']:5} {row['seconds']:5.1f} {row['status']}",
                    flush=True,
                )
            rows += found
            if name == "case-100":
                print(f"{name:15}{'':6}{'drawn':9} {draw_arch(make(name, projection)).compliance:11.6g}")
    for way in asked.ways:
        for projection in modes:
            print(summarise(way, [r for r in rows if r["way"] == way and r["projection"] == projection]))
    if asked.json:
        machine = {"machine": platform.platform(), "python": sys.version.split()[0], "numpy": np.__version__}
        asked.json.write_text(json.dumps({**machine, "rows": rows}, indent=1) + "\n")


def summarise(way: str, rows: list[dict[str, object]]) -> str:
    """What the rows of a way come to, in one line."""
    kkt, above = (np.array([float(str(row[key])) for row in rows]) for key in ("kkt", "above"))
    apart = np.array([abs(float(str(r["part"])) / float(str(r["compliance"])) - 1.0) for r in rows])
    whole = sum(row["pieces"] == 1 and float(str(row["loaded"])) > 0.999 for row in rows)
    return (
        f"{way}: {whole} of {len(rows)} in one held piece with all loads; KKT {np.median(kkt):.3f} in the "
        f"median, {kkt.max():.3f} at most, above 0.05 in {np.count_nonzero(kkt > 0.05)}; above the best "
        f"{np.median(above):.1%} in the median, {above.max():.1%} at most, by more than 1 % in "
        f"{np.count_nonzero(above > 0.01)}; part and design differ by more than 2 % in "
        f"{np.count_nonzero(apart > 0.02)}"
    )


if __name__ == "__main__":
    main()
