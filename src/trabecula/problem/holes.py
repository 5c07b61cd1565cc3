"""Holes for bolts in terms of regions, supports and loads.

A bore is a void cylinder, after all other regions, so that nothing fills it; its ring is a solid cylinder,
before all others, so that whoever keeps a place free keeps it free. What the bolt holds or carries acts on
the nodes of the bore's wall.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from trabecula.problem.errors import Caution, ProblemError
from trabecula.problem.model import AXES, Domain, Hole, Load, Problem, Region, Support
from trabecula.problem.where import AllOf, Cylinder, Range, Where

_ENTRY = re.compile(
    r"(regions|supports|loads|cases\[(?P<case>\d+)\]\.loads)\[(?P<index>\d+)\](?P<rest>.*)", re.DOTALL
)
_WALL = 0.75
"""Nodes of a bore's wall lie within this many voxel edges of it: half a voxel's diagonal, and a little."""


@dataclass(frozen=True)
class Bore(Region):
    """The bore of a hole: void, and a region though it may be too thin to hold the centre of a voxel."""


@dataclass(frozen=True)
class Expansion:
    """A problem whose holes have become regions, supports and loads.

    Attributes
    ----------
    problem
        The problem without holes.
    given
        The problem with them.
    """

    problem: Problem
    given: Problem

    def key(self, path: str) -> str:
        """The key in the file of what the expanded problem has: `holes[0]` for `regions[3].where`."""
        found = _ENTRY.match(path)
        if found is None or not self.given.holes:
            return path
        stem, index, rest = found[1], int(found["index"]), found["rest"].removeprefix(".where")
        holes = self.given.holes
        if stem == "regions":
            ringed = [i for i, hole in enumerate(holes) if hole.wall]
            own, before = list(range(len(holes))), len(ringed)
            if index < before:
                return f"holes[{ringed[index]}]{rest}"
            index, count = index - before, len(self.given.regions)
        elif stem == "supports":
            own, count = [i for i, hole in enumerate(holes) if hole.fix], len(self.given.supports)
        else:
            own = [i for i, hole in enumerate(holes) if hole.force is not None]
            case = int(found["case"] or 0)
            count = len(self.given.cases[case].loads)
        if index < count:
            return f"{stem}[{index}]{found['rest']}"
        return f"holes[{own[index - count]}]{rest}"

    def rename(self, error: ProblemError) -> ProblemError:
        """The same error under the key in the file."""
        return type(error)(self.key(error.where), error.given, error.allowed, error.mend)


def expand_holes(problem: Problem) -> Problem:
    """The same problem with its holes as regions, supports and loads, and without `holes`.

    Regions are the rings, the given ones, then the bores; supports and loads come after those that are given,
    a hole's load in every load case. A problem without holes is returned as it is.

    Examples
    --------
    >>> import trabecula as tb
    >>> plate = tb.problems.mbb(elements=(30, 10))
    >>> hole = Hole(at=(10.0, 5.0), axis="z", diameter=4.0, wall=1.0)
    >>> [(r.kind, r.where.radius) for r in expand_holes(replace(plate, holes=(hole,))).regions]
    [('solid', 3.0), ('void', 2.0)]
    """
    return expand(problem).problem


def expand(problem: Problem) -> Expansion:
    """As `expand_holes`, with what tells where each region came from."""
    domain, holes = problem.domain, problem.holes
    if not holes:
        return Expansion(problem, problem)
    rings = [Region(ring(hole, domain), "solid") for hole in holes if hole.wall]
    bores = [Bore(bore(hole, domain), "void") for hole in holes]
    supports = [Support(wall(hole, domain), fix=hole.fix) for hole in holes if hole.fix]
    loads = tuple(Load(wall(hole, domain), force=hole.force) for hole in holes if hole.force is not None)
    expanded = replace(
        problem,
        regions=(*rings, *problem.regions, *bores),
        supports=(*problem.supports, *supports),
        cases=tuple(replace(case, loads=(*case.loads, *loads)) for case in problem.cases),
        holes=(),
    )
    return Expansion(expanded, problem)


def bore(hole: Hole, domain: Domain) -> Where:
    """The bore: a cylinder, of a blind hole between two planes."""
    return _round(hole, domain, 0.5 * hole.diameter, 0.0)


def ring(hole: Hole, domain: Domain) -> Where:
    """What is to stay solid around the bore, the bore included; of a blind hole its bottom too."""
    return _round(hole, domain, 0.5 * hole.diameter + hole.wall, hole.wall)


def wall(hole: Hole, domain: Domain) -> Where:
    """The wall of the bore, for nodes: as far around as the corners of voxels that it cuts."""
    axis = AXES.index(_letter(hole.axis))
    across = [h for a, h in enumerate(domain.spacing) if a != axis]
    return _round(hole, domain, 0.5 * hole.diameter + _WALL * max(across), 0.0)


def notes(problem: Problem) -> list[Caution]:
    """Holes that the voxels show poorly: less than two of them across."""
    coarse = []
    for i, hole in enumerate(problem.holes):
        axis = AXES.index(_letter(hole.axis))
        across = max(h for a, h in enumerate(problem.domain.spacing) if a != axis)
        if hole.diameter < 2.0 * across:
            coarse.append((i, hole, across))
    if not coarse:
        return []
    units = problem.unit_system
    first, hole, across = coarse[0]
    others = f" and {len(coarse) - 1} more" if len(coarse) > 1 else ""
    text = (
        f"the bore is {units.tell(hole.diameter, 'm')} wide, less than two voxels of "
        f"{units.tell(across, 'm')}: the analysis shows it poorly or not at all; take a finer resolution"
    )
    return [Caution(f"holes[{first}].diameter{others}", text, len(coarse))]


def _round(hole: Hole, domain: Domain, radius: float, further: float) -> Where:
    letter = _letter(hole.axis)
    cylinder = Cylinder(letter, hole.at, radius)
    if hole.depth is None or domain.dimension == 2:
        return cylinder
    start = hole.at[AXES.index(letter)]
    end = start + direction(hole, domain) * (hole.depth + further)
    return AllOf((cylinder, Range(letter, min(start, end), max(start, end))))


def direction(hole: Hole, domain: Domain) -> float:
    """1 or -1: the way along its axis that a blind hole goes from its mouth."""
    if hole.axis[0] in "+-":
        return -1.0 if hole.axis[0] == "-" else 1.0
    axis = AXES.index(hole.axis)
    middle = domain.low[axis] + 0.5 * domain.size[axis]
    return 1.0 if hole.at[axis] <= middle else -1.0


def _letter(axis: str) -> str:
    return axis.lstrip("+-")
