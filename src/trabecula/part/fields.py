"""Displacements, stresses and energies of a part as arrays, for viewers: by one solve of its voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import discretise
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.part.measure import PartSolver, slabs, stresses
from trabecula.physics import default_machine
from trabecula.physics.assembled import make_witness
from trabecula.physics.operators import StrainOperator, von_mises
from trabecula.problem import Problem
from trabecula.responses import DesignPoint

Mask = NDArray[np.bool_]

TIGHT, ENOUGH = 2e-9, 1e-8
"""Relative residual that is asked for, and at which the assembled matrix is not tried."""


def solve_fields(problem: Problem, mask: Mask, threads: int | None = None) -> dict[str, NDArray[Any]]:
    """Fields of a part by name; where there are several load cases, with the name of the case behind it.

    Parameters
    ----------
    mask
        bool `[z, y, x]`: the voxels of the part.
    threads
        Of the compiled solver.

    Returns
    -------
    dict of str to array
        `part`: uint8 over elements. For every case `displacement`, `[component, z, y, x]` over nodes in m,
        and over elements `von_mises` in Pa and `strain_energy_density` in J/m3, zero in void; in a heat
        problem `temperature` over nodes in K, above that of the supports. All float32 but `part`. Of another
        physics `state` alone.
    """
    discrete = nondimensional(discretise(problem)).problem
    state = default_machine(threads).state(discrete)
    solver = PartSolver(problem, discrete, lambda: [state, *_exact(discrete)], tolerance=TIGHT, enough=ENOUGH)
    at, _ = solver.solve(mask, None)
    fields: dict[str, NDArray[Any]] = {"part": mask.astype(np.uint8)}
    for case, each in enumerate(problem.cases):
        behind = f" {each.name}" if len(problem.cases) > 1 else ""
        found = _of_case(at, case, mask)
        fields |= {f"{name}{behind}": values.astype(np.float32) for name, values in found.items()}
    return fields


def _exact(discrete: Any) -> list[Any]:
    witness = make_witness(discrete)
    return [witness] if witness.is_direct else []


def _of_case(at: DesignPoint, case: int, mask: Mask) -> dict[str, NDArray[Any]]:
    u, physics = at.displacement(case), at.discrete.physics
    is_own = physics.element_matrix is not None or not isinstance(at.grid, Grid)
    if physics.name == "conduction" and not is_own:
        return {"temperature": u[0]}
    if physics.name != "elasticity" or is_own:
        return {"state": u if len(u) > 1 else u[0]}
    grid = at.grid
    assert isinstance(grid, Grid)
    operator = StrainOperator.on(grid, at.material, physics)
    stress = np.zeros(mask.shape, dtype=np.float32)
    for rows in slabs(mask):
        stress[rows] = np.where(mask[rows], von_mises(stresses(grid, operator, u, rows)), 0.0)
    energy, unit = at.energy(case)
    density = np.where(mask, 0.5 * unit / grid.element_volume * energy, 0.0)
    return {"displacement": u, "von_mises": stress, "strain_energy_density": density}
