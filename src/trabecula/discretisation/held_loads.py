"""Loads on held degrees of freedom: no part carries them, but they are in the forces of the supports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.discretise import nodal_load
from trabecula.discretisation.grid import Grid
from trabecula.problem.holes import expand_holes
from trabecula.problem.model import Domain, Problem
from trabecula.problem.read import load_path

Mask = NDArray[np.bool_]


def held_loads(problem: Problem, discrete: DiscreteProblem, supports: Sequence[Mask]) -> NDArray[np.float64]:
    """What loads, without own weight, press directly on what every support holds.

    Parameters
    ----------
    problem
        As it is asked, in SI.
    discrete
        The same on its grid, in any units.
    supports
        bool `[component, z, y, x]` over nodes: the held degrees of freedom of every support.

    Returns
    -------
    float64 `[case, support, component]` in N (W for heat); zeros for a domain of somebody else's.
    """
    found = np.zeros((len(problem.cases), len(supports), len(discrete.fixed)))
    if not isinstance(problem.domain, Domain) or not isinstance(discrete.grid, Grid):
        return found
    problem = expand_holes(problem)
    grid, material = discrete.units.grid(discrete.grid), ~discrete.void
    for c, case in enumerate(problem.cases):
        for i, load in enumerate(case.loads):
            if load.gravity is not None:
                continue
            forces = nodal_load(problem, grid, material, load, load_path(problem, c, i))
            for s, own in enumerate(supports):
                found[c, s] += [float(part[held].sum()) for part, held in zip(forces, own, strict=True)]
    return found
