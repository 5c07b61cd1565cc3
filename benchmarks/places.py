"""The problems that nobody trains on, in sets: families, named, random, solid at two sizes, and scaled.

`solid` and `large` are as near to 48x24x24 and 96x48x48 as a part's proportions allow; in `solid-low` and
`large-low` half of the material is left of what a part is usually given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from benchmarks import families
from benchmarks.report import size_text
from benchmarks.runs import unprojected
from trabecula.learning.problems import draw
from trabecula.problem import Problem, problems

UNSEEN = {"easy": 90_001, "hard": 90_002}
"""Seeds of the random problems: no data set to train on may have them."""

RANDOM = 12
"""Random problems of a kind and dimension."""

VOXELS = {2: 16_000, 3: 27_000}
"""Of a random problem, roughly."""

SOLID = ("cantilever_3d", "torsion", "hook", "table", "jet_bracket")
LOW = ("cantilever_3d", "torsion", "hook", "table")
SCALED: dict[str, tuple[int, ...]] = {
    "cantilever_3d": (24, 12, 12),
    "torsion": (24, 12, 12),
    "mbb": (120, 40),
    "l_bracket": (75, 75),
}
"""Shapes that are scaled, and their smallest grids."""


@dataclass(frozen=True)
class Place:
    """A problem of a set.

    Attributes
    ----------
    set
        Name of the set.
    family
        Problems of a family differ in size, proportion, material or draw only.
    name
        Unique among all places of its size.
    """

    set: str
    family: str
    name: str
    problem: Problem

    @property
    def size(self) -> str:
        """Of its grid."""
        return size_text(self.problem.domain.elements)

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return self.problem.domain.dimension

    @property
    def group(self) -> str:
        """Set and dimension, as tables say it."""
        return f"{self.set} {self.dimension}-D"


def _solid(quick: bool) -> Iterator[Place]:
    return _grids(quick, "solid", 1, SOLID)


def _large(quick: bool) -> Iterator[Place]:
    return _grids(quick, "large", 2, SOLID)


def _solid_low(quick: bool) -> Iterator[Place]:
    return map(_halved, _grids(quick, "solid-low", 1, LOW))


def _large_low(quick: bool) -> Iterator[Place]:
    return map(_halved, _grids(quick, "large-low", 2, LOW))


def _grids(quick: bool, kind: str, grow: int, names: Sequence[str]) -> Iterator[Place]:
    for name in names:
        elements = problems.get(name).domain.elements
        times = grow * 24 / sorted(elements)[1] / (2 if quick else 1)
        grid = tuple(2 * max(2, round(times * n / 2)) for n in elements)
        yield Place(kind, name, f"{kind} {name}", problems.get(name, grid))


def _halved(place: Place) -> Place:
    """The same with half of the material."""
    goal = place.problem.goal
    assert goal.volume is not None
    less = replace(place.problem, goal=replace(goal, volume=round(goal.volume / 2, 4)))
    return replace(place, problem=less)


def _easy(quick: bool) -> Iterator[Place]:
    return _random(quick, "easy")


def _hard(quick: bool) -> Iterator[Place]:
    return _random(quick, "hard")


def _random(quick: bool, kind: str) -> Iterator[Place]:
    for index in range(3 if quick else RANDOM):
        for dimension in (3, 2):
            voxels = None if quick else VOXELS[dimension]
            problem = draw(UNSEEN[kind], index, dimension, kind == "hard", voxels)
            yield Place(kind, f"{kind} {dimension}-D", f"{kind} {dimension}-D {index}", problem)


def _named(quick: bool) -> Iterator[Place]:
    for name in problems.names():
        problem = problems.get(name)
        if quick:
            problem = problems.get(name, tuple(n // 2 for n in problem.domain.elements))
        yield Place("named", name, name, problem)


def _families(kind: str, size: families.Size) -> Callable[[bool], Iterator[Place]]:
    def found(quick: bool) -> Iterator[Place]:
        ranks: dict[str, int] = {}
        places = []
        for variant in families.variants():
            least, most = families.LIMITS["small" if quick else size]
            if least <= variant.width * variant.height < most:
                problem = variant.build()
                ranks[variant.family] = ranks.get(variant.family, -1) + 1
                places.append((ranks[variant.family], Place(kind, variant.family, problem.name, problem)))
        places.sort(key=lambda entry: entry[0])  # one of every family before a second one of any
        return iter([place for _, place in places])

    return found


def _scaled(quick: bool) -> Iterator[Place]:
    for times in (1, 2) if quick else (1, 2, 4):
        for name, base in SCALED.items():
            problem = problems.get(name, tuple(times * n for n in base))
            yield Place("scaled", f"{name} x{times}", f"{name} x{times}", problem)


SETS: dict[str, Callable[[bool], Iterator[Place]]] = {
    "solid": _solid,
    "solid-low": _solid_low,
    "hard": _hard,
    "easy": _easy,
    "scaled": _scaled,
    "named": _named,
    "families-small": _families("families-small", "small"),
    "families-medium": _families("families-medium", "medium"),
    "families-large": _families("families-large", "large"),
    "large": _large,
    "large-low": _large_low,
}
"""Each, given whether it shall be quick, gives its problems, the most telling first."""


def places(names: Sequence[str], quick: bool = False, limit: int | None = None) -> list[Place]:
    """The problems of sets, at most `limit` of each, one of every set before a second one of any.

    They are not projected: shipped networks have learned from such designs.
    """
    found = [list(SETS[name](quick))[:limit] for name in names]
    flat = [place for rank in zip_longest(*found) for place in rank if place is not None]
    return [replace(place, problem=unprojected(place.problem)) for place in flat]
