"""Named problems of heat conduction.

The bare ground still conducts a thousandth: heat is made everywhere and must be able to leave.
"""

from __future__ import annotations

from trabecula.problem.model import Load, Problem, Support
from trabecula.problem.problems.build import at, one, problem
from trabecula.problem.where import Everywhere


def heat_sink(
    elements: tuple[int, ...] = (120, 120), volume: float = 0.4, radius: float | None = 0.0015
) -> Problem:
    """A plate heated everywhere and cooled at a short piece of its left edge: a tree of conductors grows.

    Gersborg-Hansen, Bendsoe, Sigmund 2006, Struct. Multidisc. Optim. 31, 251.
    """
    return problem(
        "Heat sink",
        (0.1, 0.1),
        elements,
        thickness=0.002,
        material="aluminium",
        supports=(Support(at(x=0, y=(0.045, 0.055)), temperature=0.0),),
        cases=one(Load(Everywhere(), heat=20.0)),
        symmetry=("y",),
        volume=volume,
        radius=radius,
        minimum_stiffness=1e-3,
        heat=True,
    )


def heat_sink_3d(
    elements: tuple[int, ...] = (32, 32, 32), volume: float = 0.1, radius: float | None = None
) -> Problem:
    """A block heated everywhere and cooled in the middle of its bottom."""
    middle = (0.04, 0.06)
    return problem(
        "Heat sink 3-D",
        (0.1, 0.1, 0.1),
        elements,
        material="copper",
        supports=(Support(at(y=0, x=middle, z=middle), temperature=0.0),),
        cases=one(Load(Everywhere(), heat=100.0)),
        symmetry=("x", "z"),
        volume=volume,
        radius=radius,
        minimum_stiffness=1e-3,
        heat=True,
    )
