"""Claim: designs with projection are certified too: stationary to 0.1 in the metric of docs/certificate.md.

For every named problem, with projection to its last steepness: iterations on the finest grid, the KKT
residual, the same as a plain mean over the voxels (what the metric leaves out), the word, and the compliance.
`--half` takes half the voxels along every axis; names restrict the run.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.numerics.stationarity import kkt_residual
from trabecula.optimize.analysis import Analysis
from trabecula.problem import problems


def plain(result: tb.Result) -> float:
    """The KKT residual with all designed voxels alike: that of a problem whose volume they fill alike."""
    discrete = discretise(result.problem)
    found = Analysis(discrete).evaluate(result.design, result.penalty, result.beta, tolerance=1e-6)
    (limit,) = found.constraints
    tiny = np.finfo(np.float64).tiny
    gain = found.gradient / np.maximum(limit.gradient, tiny)
    return kkt_residual(result.design, gain, np.ones(gain.shape), discrete.lower, discrete.upper)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=problems.names())
    parser.add_argument("--half", action="store_true", help="half the voxels along every axis")
    parser.add_argument("--json", type=Path, help="write the table and the machine here")
    asked = parser.parse_args()
    print(f"{'problem':14} {'voxels':>12} {'iterations':>10} {'kkt':>7} {'plain':>7} {'word':>10} compliance")
    rows = []
    for name in asked.names:
        problem = problems.get(name)
        if asked.half:
            problem = problems.get(name, tuple(n // 2 for n in problem.domain.elements))
        problem = replace(problem, options=replace(problem.options, projection=True))
        result = tb.solve(problem)
        voxels = "x".join(map(str, problem.domain.elements))
        kkt, mean = result.certificate.kkt_residual or 0.0, plain(result)
        print(
            f"{name:14} {voxels:>12} {result.iterations:>10} {kkt:7.3f} {mean:7.3f} {result.word:>10} "
            f"{result.compliance:.6g}",
            flush=True,
        )
        rows.append(
            {
                "problem": name,
                "voxels": voxels,
                "iterations": result.iterations,
                "kkt_residual": kkt,
                "plain": mean,
                "word": result.word,
                "compliance": result.compliance,
            }
        )
    if asked.json:
        machine = {"machine": platform.platform(), "python": sys.version.split()[0], "numpy": np.__version__}
        asked.json.write_text(json.dumps({**machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
