"""Named problems in plane stress."""

from __future__ import annotations

from math import cos, pi, sin

from trabecula.problem.model import (
    Load,
    LoadCase,
    Problem,
    Region,
    Support,
)
from trabecula.problem.problems.build import at, one, problem
from trabecula.problem.where import (
    AnyOf,
    Cylinder,
    Nodes,
    Not,
    Sphere,
)


def mbb(elements: tuple[int, ...] = (240, 80), volume: float = 0.5, radius: float | None = 0.12) -> Problem:
    """Half of a beam on two supports, pushed down in its middle: the best known benchmark of the field.

    Sigmund 2001, Struct. Multidisc. Optim. 21, 120. The left edge is the plane of symmetry.
    """
    return problem(
        "MBB half beam",
        (3.0, 1.0),
        elements,
        thickness=0.02,
        material="steel",
        supports=(Support(at(x=0), ("x",)), Support(at(x=3, y=0), ("y",))),
        cases=one(Load(at(x=0, y=1), force=(0.0, -10e3))),
        volume=volume,
        radius=radius,
    )


def cantilever(
    elements: tuple[int, ...] = (200, 100), volume: float = 0.4, radius: float | None = 0.03
) -> Problem:
    """A short beam held at the left, pulled down in the middle of its free end."""
    return problem(
        "Cantilever",
        (2.0, 1.0),
        elements,
        thickness=0.02,
        material="steel",
        supports=(Support(at(x=0), ("x", "y")),),
        cases=one(Load(Nodes(((2.0, 0.5),)), force=(0.0, -10e3))),
        volume=volume,
        radius=radius,
    )


def l_bracket(
    elements: tuple[int, ...] = (150, 150), volume: float = 0.4, radius: float | None = 0.003
) -> Problem:
    """An angle held at its top and loaded at its tip; the inner corner wants to crack.

    Duysinx and Bendsoe 1998, Int. J. Numer. Meth. Eng. 43, 1453.
    """
    return problem(
        "L-bracket",
        (0.1, 0.1),
        elements,
        thickness=0.005,
        material="aluminium",
        supports=(Support(at(y=0.1, x=(0.0, 0.04)), ("x", "y")),),
        cases=one(Load(at(x=0.1, y=(0.036, 0.04)), force=(0.0, -500.0))),
        regions=(Region(at(x=(0.04, 0.1), y=(0.04, 0.1)), "void"),),
        volume=volume,
        radius=radius,
    )


def bridge(
    elements: tuple[int, ...] = (240, 60), volume: float = 0.3, radius: float | None = 0.12
) -> Problem:
    """A bridge: a deck that must be there, evenly loaded, on two abutments below its ends."""
    return problem(
        "Bridge",
        (12.0, 3.0),
        elements,
        thickness=0.3,
        material="steel",
        supports=(
            Support(at(y=0, x=(0.0, 0.3)), ("x", "y")),
            Support(at(y=0, x=(11.7, 12.0)), ("x", "y")),
        ),
        cases=one(Load(at(y=3), force=(0.0, -120e3))),
        regions=(Region(at(y=(2.85, 3.0)), "solid"),),
        symmetry=("x",),
        volume=volume,
        radius=radius,
    )


def michell(
    elements: tuple[int, ...] = (200, 100), volume: float = 0.25, radius: float | None = 0.025
) -> Problem:
    """An arch with spokes over two pins, loaded between them: its best form is known in closed form.

    Michell 1904, Phil. Mag. 8, 589: the half-wheel of fans and hoops.
    """
    return problem(
        "Michell arch",
        (2.0, 1.0),
        elements,
        thickness=0.02,
        material="steel",
        supports=(Support(at(x=0, y=0), ("x", "y")), Support(at(x=2, y=0), ("x", "y"))),
        cases=one(Load(Nodes(((1.0, 0.0),)), force=(0.0, -10e3))),
        symmetry=("x",),
        volume=volume,
        radius=radius,
    )


def wheel(
    elements: tuple[int, ...] = (120, 120), volume: float = 0.4, radius: float | None = 0.012
) -> Problem:
    """A wheel held at its hub while the road pushes at its rim, in six positions of one turn."""
    middle = (0.3, 0.3)

    def disc(r: float) -> Cylinder:
        return Cylinder("z", middle, r)

    cases = []
    for k in range(6):
        angle = 2 * pi * k / 6 - pi / 2
        out = (cos(angle), sin(angle))
        point = tuple(m + 0.29 * o for m, o in zip(middle, out, strict=True))
        # Weight pushes inwards, drive pushes along the rim.
        force = (-3000.0 * out[0] - 800.0 * out[1], -3000.0 * out[1] + 800.0 * out[0])
        cases.append(LoadCase((Load(Sphere(point, 0.03), force=force),), f"{60 * k} degrees", 1 / 6))
    return problem(
        "Wheel",
        (0.6, 0.6),
        elements,
        thickness=0.02,
        material="aluminium",
        supports=(Support(disc(0.055), ("x", "y")),),
        cases=tuple(cases),
        regions=(
            Region(AnyOf((disc(0.06), Not(disc(0.275)))), "solid"),
            Region(AnyOf((disc(0.04), Not(disc(0.3)))), "void"),
        ),
        volume=volume,
        radius=radius,
    )
