"""Named problems in three dimensions. The filter follows the grid: there are never voxels enough."""

from __future__ import annotations

from math import cos, radians, sin

from trabecula.problem.model import (
    Load,
    LoadCase,
    Problem,
    Region,
    Support,
)
from trabecula.problem.problems.build import (
    at,
    box,
    one,
    problem,
)
from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Cylinder,
    Nodes,
    Where,
)


def cantilever_3d(
    elements: tuple[int, ...] = (48, 24, 24), volume: float = 0.15, radius: float | None = None
) -> Problem:
    """A block held at its left face, pulled down along the lower edge of its right face."""
    return problem(
        "Cantilever 3-D",
        (2.0, 1.0, 1.0),
        elements,
        material="steel",
        supports=(Support(at(x=0), ("x", "y", "z")),),
        cases=one(Load(at(x=2, y=0), force=(0.0, -100e3, 0.0))),
        volume=volume,
        radius=radius,
    )


def torsion(
    elements: tuple[int, ...] = (48, 24, 24), volume: float = 0.12, radius: float | None = None
) -> Problem:
    """A shaft held at its left face and twisted at its right end by four forces: a closed tube is best."""
    points = {
        (1.0, 0.5, 0.0): (0.0, -20e3, 0.0),
        (1.0, 0.5, 1.0): (0.0, 20e3, 0.0),
        (1.0, 0.0, 0.5): (0.0, 0.0, 20e3),
        (1.0, 1.0, 0.5): (0.0, 0.0, -20e3),
    }
    loads = [Load(Nodes(((2 * x, y, z),)), force=force) for (x, y, z), force in points.items()]
    return problem(
        "Torsion shaft",
        (2.0, 1.0, 1.0),
        elements,
        material="steel",
        supports=(Support(at(x=0), ("x", "y", "z")),),
        cases=one(*loads),
        volume=volume,
        radius=radius,
    )


def hook(
    elements: tuple[int, ...] = (48, 24, 24), volume: float = 0.15, radius: float | None = None
) -> Problem:
    """A wall hook: held at the upper half of its back, pulled down and a little sideways at its tip."""
    return problem(
        "Hook",
        (0.12, 0.06, 0.06),
        elements,
        material="pla",
        supports=(Support(at(x=0, y=(0.03, 0.06)), ("x", "y", "z")),),
        cases=one(Load(Nodes(((0.12, 0.0, 0.03),)), force=(0.0, -200.0, 60.0))),
        volume=volume,
        radius=radius,
    )


def jet_bracket(
    elements: tuple[int, ...] = (54, 20, 33), volume: float = 0.25, radius: float | None = None
) -> Problem:
    """A jet-engine bracket: four bolts, two lugs with a pin, four load cases.

    After the GE challenge (Carter et al. 2014, "The GE Aircraft Engine Bracket Challenge", SFF Symposium):
    the pin is pulled up, along, aslant and twisted. The four bolt rings and the two lugs are kept, their
    holes stay open.
    """
    bolts = [(x, 0.0, z) for x in (0.018, 0.162) for z in (0.018, 0.092)]
    pin = (0.09, 0.05, 0.0)
    lugs = ((0.03, 0.044), (0.066, 0.08))

    def ring(place: tuple[float, float, float], r: float, y: tuple[float, float]) -> Where:
        return AllOf((Cylinder("y", place, r), at(y=y)))

    def lug(r: float, z: tuple[float, float]) -> Where:
        return AllOf((Cylinder("z", pin, r), at(z=z)))

    heads = AnyOf(tuple(ring(place, 0.013, (0.012, 0.066)) for place in bolts))
    holes = AnyOf((*(Cylinder("y", place, 0.006) for place in bolts), lug(0.008, (lugs[0][0], lugs[1][1]))))
    gap = box((0.066, 0.03, 0.044), (0.114, 0.066, 0.066))
    both = AnyOf(tuple(lug(0.0155, z) for z in lugs))
    slant = radians(42.0)
    twist = 565.0 / (0.073 - 0.037)  # a couple of 565 N m (5000 lbf in) on lugs 36 mm apart

    def pull(name: str, *force: float) -> LoadCase:
        return LoadCase((Load(both, force=force),), name, 0.25)

    return problem(
        "Jet-engine bracket",
        (0.18, 0.066, 0.11),
        elements,
        material="titanium",
        supports=(
            Support(AnyOf(tuple(ring(place, 0.0115, (0.0, 0.0)) for place in bolts)), ("x", "y", "z")),
        ),
        cases=(
            pull("up", 0.0, 35.6e3, 0.0),
            pull("along", 37.8e3, 0.0, 0.0),
            pull("aslant", 42.3e3 * sin(slant), 42.3e3 * cos(slant), 0.0),
            LoadCase(
                (
                    Load(lug(0.0155, lugs[0]), force=(twist, 0.0, 0.0)),
                    Load(lug(0.0155, lugs[1]), force=(-twist, 0.0, 0.0)),
                ),
                "twist",
                0.25,
            ),
        ),
        regions=(
            Region(heads, "void"),
            Region(gap, "void"),
            Region(AnyOf((*(ring(place, 0.0125, (0.0, 0.012)) for place in bolts), both)), "solid"),
            Region(holes, "void"),
        ),
        volume=volume,
        radius=radius,
    )


def table(
    elements: tuple[int, ...] = (48, 28, 32), volume: float = 0.15, radius: float | None = None
) -> Problem:
    """A table on four feet: its top carries weight, and a push from the side must not rock it."""
    feet = [at(y=0.0, x=x, z=z) for x in ((0.0, 0.1), (1.1, 1.2)) for z in ((0.0, 0.1), (0.7, 0.8))]
    return problem(
        "Table",
        (1.2, 0.7, 0.8),
        elements,
        material="wood",
        supports=tuple(Support(foot, ("x", "y", "z")) for foot in feet),
        cases=(
            LoadCase((Load(at(y=0.7), force=(0.0, -1500.0, 0.0)),), "weight", 0.5),
            LoadCase((Load(at(y=0.7), force=(300.0, 0.0, 0.0)),), "push along", 0.25),
            LoadCase((Load(at(y=0.7), force=(0.0, 0.0, 300.0)),), "push across", 0.25),
        ),
        regions=(Region(at(y=(0.65, 0.7)), "solid"),),
        symmetry=("x", "z"),
        volume=volume,
        radius=radius,
    )


def chair_leg(
    elements: tuple[int, ...] = (20, 70, 20), volume: float = 0.2, radius: float | None = None
) -> Problem:
    """A chair's leg, screwed to the seat at its top: somebody sits, leans back, and shifts sideways."""
    foot = at(y=0.0, x=(0.04, 0.08), z=(0.04, 0.08))
    return problem(
        "Chair leg",
        (0.12, 0.42, 0.12),
        elements,
        material="nylon",
        supports=(Support(at(y=0.42), ("x", "y", "z")),),
        cases=(
            LoadCase((Load(foot, force=(0.0, 400.0, 0.0)),), "sit", 0.4),
            LoadCase((Load(foot, force=(150.0, 500.0, 0.0)),), "lean back", 0.3),
            LoadCase((Load(foot, force=(0.0, 400.0, 100.0)),), "sideways", 0.3),
        ),
        regions=(Region(at(y=(0.0, 0.012), x=(0.036, 0.084), z=(0.036, 0.084)), "solid"),),
        symmetry=("x", "z"),
        volume=volume,
        radius=radius,
    )
