"""Drawing a whole problem, again and again until the pre-check lets it pass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import LEAST_ACROSS, LEAST_ELEMENTS, grid_hierarchy
from trabecula.learning.problems.boundary import (
    PlacedLoad,
    held_nodes,
    loads,
    supports,
)
from trabecula.learning.problems.shapes import cut_random_shape, hole
from trabecula.learning.problems.site import Random, Site, floats
from trabecula.problem import (
    Domain,
    FilterOptions,
    Goal,
    LoadCase,
    Material,
    Options,
    Problem,
    ProblemError,
    Region,
)
from trabecula.problem.where import Box

VOXELS = {2: 6_500, 3: 10_500}
"""Voxels of a problem, within a quarter."""

DRAWS = 200
VOLUMES = {True: (0.06, 0.15), False: (0.12, 0.6)}
"""Volume fractions of hard problems and of all others."""

SEVERAL = 0.3
"""Share of problems with several load cases."""

PASSIVE = 0.2
"""Share of problems with passive regions beside their shape."""

SOLID = 0.5
"""Share of the material that passive solid may take."""

ACROSS = 10
"""A side has at least this many voxels."""

HALVED = 0.75
"""Share of problems whose coarse grid is half as fine along every axis."""


@dataclass(frozen=True)
class DrawnProblem:
    """A problem, whether it is meant to be hard, and how many draws before it were refused."""

    problem: Problem
    hard: bool
    refused: int


def draw(
    seed: int, index: int, dimension: int, hard: bool | None = None, voxels: int | None = None
) -> Problem:
    """Random problem `index` of a seed; the same one on every machine.

    Parameters
    ----------
    seed, index
        At least 0.
    dimension
        2 or 3.
    hard
        Low volume, long spans, few supports; None draws it.
    voxels
        Of the box, within a quarter; default `VOXELS`.

    Raises
    ------
    ProblemError
        If no draw is well-posed, which has not been seen.
    """
    return draw_with_count(seed, index, dimension, hard, voxels).problem


def draw_with_count(
    seed: int, index: int, dimension: int, hard: bool | None = None, voxels: int | None = None
) -> DrawnProblem:
    """As `draw`, with what is known beside the problem."""
    if dimension not in VOXELS:
        raise ValueError(f"dimension is {dimension}; it may be 2 or 3")
    random = np.random.default_rng([seed, index])
    is_hard = bool(random.random() < 0.5)
    is_hard = is_hard if hard is None else hard
    name = f"random-{dimension}d-{seed}-{index}"
    for refused in range(DRAWS):
        problem = _draw(random, name, dimension, is_hard, voxels or VOXELS[dimension])
        try:
            discrete, _ = prepare(problem)
        except ProblemError:
            continue
        if _leaves_room(discrete) and len(grid_hierarchy(discrete)) > 1:
            return DrawnProblem(problem, is_hard, refused)
    raise ProblemError(name, f"{DRAWS} draws, none of them well-posed", "", "take another seed")


def _leaves_room(discrete: DiscreteProblem) -> bool:
    """Whether passive solid leaves enough of the material to join what is loaded and held."""
    allowed = (discrete.goal.volume or 1.0) * discrete.domain_volume
    return bool(discrete.lower.sum() <= SOLID * allowed)


def _draw(random: Random, name: str, dimension: int, hard: bool, voxels: int) -> Problem:
    """One draw, which may be ill-posed."""
    site = cut_random_shape(random, Site(_elements(random, dimension, hard, voxels)))
    is_passive = random.random() < PASSIVE
    if is_passive and random.random() < 0.5:
        pierced = site.without(hole(random, site))
        site = pierced if pierced.is_whole else site
        is_passive = False
    volume = round(float(np.exp(random.uniform(*np.log(VOLUMES[hard])))), 3)
    holding = supports(random, site, hard)
    several = random.random() < SEVERAL
    count = int(random.integers(2 if several else 1, 5))
    placed = loads(random, site, held_nodes(site, holding), count, hard) if holding else []
    solid = _solid(random, site, placed) if is_passive and placed else ()
    return Problem(
        domain=Domain(floats(site.size), site.elements),
        supports=holding,
        cases=_cases(random, placed, several),
        goal=Goal("compliance", volume),
        material=Material(),
        regions=(*solid, *(Region(part, "void") for part in site.void)),
        options=Options(
            projection=False,  # what networks learn from: they see densities between 0 and 1
            filter=FilterOptions("density", _radius(random, hard) * site.edge),
            seed=int(random.integers(2**31)),
        ),
        name=name,
    )


def _elements(random: Random, dimension: int, hard: bool, voxels: int) -> tuple[int, ...]:
    """Even numbers of voxels; sides 1:1 to 4:1, at least 2:1 if `hard`, as far as the voxels allow.

    Most have enough voxels across to be halved every way; the others are plates and rods.
    """
    needed = 2**dimension * max(LEAST_ACROSS[dimension] ** dimension, LEAST_ELEMENTS[dimension])
    halved = random.random() < HALVED and 1.25 * voxels >= needed
    across = 2 * LEAST_ACROSS[dimension] if halved else ACROSS
    longest = min(4.0, 1.5 * voxels / across**dimension) if halved else 4.0
    slender = float(np.exp(random.uniform(math.log(min(2.0 if hard else 1.0, longest)), math.log(longest))))
    ratios = np.array([slender, 1.0, *np.exp(random.uniform(0.0, math.log(slender), dimension - 2))])
    total = voxels * random.uniform(0.75, 1.25)
    unit = (total / float(np.prod(ratios))) ** (1 / dimension)
    sides = np.maximum(2 * np.round(ratios * unit / 2).astype(int), across)
    return tuple(int(n) for n in random.permutation(sides))


def _radius(random: Random, hard: bool) -> float:
    """Filter radius in voxels: mostly 1.5 to 3, now and then to 6; small where there is little material."""
    if hard:
        return float(random.uniform(1.5, 2.5))
    return float(random.uniform(1.5, 3.0) if random.random() < 0.8 else random.uniform(3.0, 6.0))


def _cases(random: Random, placed: list[PlacedLoad], several: bool) -> tuple[LoadCase, ...]:
    """All loads together, or dealt to two or three cases of the same weight."""
    if not several or len(placed) < 2:
        return (LoadCase(tuple(each.load for each in placed)),)
    count = 3 if len(placed) > 2 and random.random() < 0.3 else 2
    dealt = [tuple(each.load for each in placed[k::count]) for k in range(count)]
    return tuple(LoadCase(part, f"case {k + 1}", 1 / count) for k, part in enumerate(dealt))


def _solid(random: Random, site: Site, placed: list[PlacedLoad]) -> tuple[Region, ...]:
    """A pad under a load, or a thin layer along a face of the box."""
    if random.random() < 0.5:
        centre = placed[int(random.integers(len(placed)))].centre
        return (Region(site.patch(centre, float(random.uniform(1.1, 3.0)) * site.edge), "solid"),)
    axis, low, high = int(random.integers(site.dimension)), np.zeros(site.dimension), site.size.copy()
    thickness = float(random.integers(1, 3)) * site.edge
    if random.random() < 0.5:
        high[axis] = thickness
    else:
        low[axis] = site.size[axis] - thickness
    return (Region(Box(floats(low), floats(high)), "solid"),)
