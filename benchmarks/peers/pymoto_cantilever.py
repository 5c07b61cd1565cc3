"""The 3-D cantilever in pyMOTO, with its own conjugate gradients and geometric multigrid.

usage: python pymoto_cantilever.py NX NY NZ ITERATIONS, sizes divisible by 8; needs `pip install pymoto`.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pymoto
from pymoto.solvers import CG, GeometricMultigrid

VOLUME, RADIUS, TOLERANCE = 0.15, 1.5, 1e-5
GRIDS = 3


def main() -> None:
    """Run, and print seconds per iteration and the last compliance as JSON."""
    nx, ny, nz, iterations = map(int, sys.argv[1:5])
    domain = pymoto.VoxelDomain(nx, ny, nz)
    held = domain.get_dofnumber(domain.nodes[0, :, :].flatten(), [0, 1, 2], ndof=3).flatten()
    loaded = domain.get_dofnumber(domain.nodes[nx, 0, :].flatten(), 1, ndof=3).flatten()
    force = np.zeros(3 * domain.nnodes)
    force[loaded] = -1.0 / loaded.size
    cycle = finest = GeometricMultigrid(domain)
    for _ in range(GRIDS - 1):
        cycle.inner_level = GeometricMultigrid(cycle.sub_domain)
        cycle = cycle.inner_level
    solver = CG(preconditioner=finest, tol=TOLERANCE)
    density = pymoto.Signal("density", state=np.full(domain.nel, VOLUME))
    with pymoto.Network() as network:
        filtered = pymoto.DensityFilter(domain, radius=RADIUS)(density)
        stiffness = pymoto.MathExpression("1e-6 + (1 - 1e-6) * inp0^3")(filtered)
        matrix = pymoto.AssembleStiffness(domain, bc=held)(stiffness)
        state = pymoto.LinSolve(symmetric=True, positive_definite=True, hermitian=True, solver=solver)
        compliance = pymoto.EinSum("i,i->")(state(matrix, force), force)
    clock = time.perf_counter()
    pymoto.minimize_oc(density, compliance, network, maxit=iterations, tolx=0.0, tolf=0.0, verbosity=0)
    seconds = (time.perf_counter() - clock) / iterations
    print(json.dumps({"seconds": seconds, "compliance": float(compliance.state)}))


if __name__ == "__main__":
    main()
