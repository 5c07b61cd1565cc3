"""Loads by arrays: the pressure of water on a dam.

Nodal forces may come from another program, or from a formula, as an array over all nodes. Here water stands
at the left of a wall that is held at its foot: the force per node grows linearly with the depth, and the
nodes at the ends of the edge have half of an element to carry instead of two halves.

`tb.nodal_loads` turns the array into loads of the problem, one for all nodes with the same force. The problem
therefore still says everything: it can be saved, checked and gone on with as any other.
"""

import sys
from pathlib import Path

import numpy as np

import trabecula as tb


def main(folder: Path) -> None:
    domain = tb.Domain(size=(4.0, 6.0), elements=(40, 60))  # m; 1 m of the wall's length
    depth = np.linspace(6.0, 0.0, 61)  # m, from the foot to the crest
    force = 1000.0 * 9.81 * depth * 0.1  # N per node: pressure times the height of an element
    force[[0, -1]] *= 0.5

    forces = np.zeros((2, 61, 41))  # [component, y, x] over nodes
    forces[0, :, 0] = force
    problem = tb.Problem(
        name="Dam",
        domain=domain,
        material=tb.Material(young=30e9, poisson=0.2),  # concrete
        supports=(tb.Support(tb.where.Plane("y", 0.0), fix=("x", "y")),),
        cases=(tb.LoadCase(tb.nodal_loads(domain, forces)),),
        regions=(tb.Region(tb.where.Range("x", 0.0, 0.2), "solid"),),  # what keeps the water out
        goal=tb.Goal("compliance", volume=0.35),
    )
    result = tb.solve(problem)
    print(result, f"\n {len(problem.cases[0].loads)} loads push with {forces.sum():.3g} N in all")
    folder.mkdir(parents=True, exist_ok=True)
    result.plot(folder / "own_loads.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
