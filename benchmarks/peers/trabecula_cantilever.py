"""The peers' 3-D cantilever in trabecula: fixed penalty 3, OC exponent 1/2, solves to 1e-5.

usage: python -m benchmarks.peers.trabecula_cantilever NX NY NZ ITERATIONS
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

from benchmarks.runs import analysed, begin_uniform, cold_plan, forever
from trabecula.optimize.loop import advance
from trabecula.physics import thread_count
from trabecula.problem import (
    Domain,
    FilterOptions,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Support,
)
from trabecula.problem.where import Nodes, Plane

VOLUME, RADIUS, TOLERANCE, STIFFNESS = 0.15, 1.5, 1e-5, 1e-6


def cantilever(nx: int, ny: int, nz: int) -> Problem:
    """Unit voxels, left face held, unit load shared equally by the nodes of the right face's lower edge."""
    edge = tuple((float(nx), 0.0, float(z)) for z in range(nz + 1))
    return Problem(
        domain=Domain((float(nx), float(ny), float(nz)), (nx, ny, nz)),
        supports=(Support(Plane("x", 0.0), ("x", "y", "z")),),
        cases=(LoadCase(tuple(Load(Nodes((p,)), force=(0.0, -1.0 / len(edge), 0.0)) for p in edge)),),
        goal=Goal("compliance", VOLUME),
        material=Material(1.0, 0.3),
        options=Options(
            filter=FilterOptions("density", RADIUS), minimum_stiffness=STIFFNESS, projection=False
        ),
    )


def main() -> None:
    """Run, and print seconds per iteration and the last compliance as JSON."""
    nx, ny, nz, iterations = map(int, sys.argv[1:5])
    threads = thread_count()
    analysis = analysed(cantilever(nx, ny, nz), threads)
    plan = replace(cold_plan(analysis.discrete, threads, iterations, TOLERANCE), stop=forever(iterations))
    step = begin_uniform(analysis, plan)
    clock = time.perf_counter()
    while step.finished is None:
        step = advance(analysis, plan, step)
    seconds = (time.perf_counter() - clock) / iterations
    print(json.dumps({"seconds": seconds, "compliance": step.rows[-1].compliance}))


if __name__ == "__main__":
    main()
