"""Results to keep, without solving for them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

import trabecula as tb
from trabecula import where
from trabecula.problem import problems
from trabecula.status import Status


@cache
def stopped() -> tb.Result:
    """A plate after two iterations."""
    return tb.solve(problems.cantilever((24, 12)), start="uniform", iterations=2)


def result(
    height: float = 0.5,
    name: str = "plate",
    compliance: float = 3.0,
    volume: float = 0.4,
    converged: bool = True,
) -> tb.Result:
    """A result for the plate, pulled at a given height of its free end."""
    made = stopped()
    load = tb.Load(where.Nodes(((2.0, height),)), force=(0.0, -10e3))
    problem = replace(
        made.problem, name=name, cases=(tb.LoadCase((load,)),), goal=tb.Goal("compliance", volume=volume)
    )
    design = np.full((12, 24), volume)
    design[:, 0] = np.linspace(0.0, 1.0, 12)
    return replace(
        made,
        problem=problem,
        design=design,
        density=design.astype(np.float32),
        compliance=compliance,
        status=Status.CONVERGED if converged else Status.LIMIT,
    )
