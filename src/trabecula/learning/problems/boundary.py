"""Random supports and loads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trabecula.learning.problems.site import (
    Random,
    Site,
    Vector,
    far,
    floats,
)
from trabecula.problem.model import AXES, Load, Support
from trabecula.problem.where import Where

SUPPORTS = {"edge": 0.3, "points": 0.3, "roller": 0.2, "symmetry": 0.2}
LOADS = {"point": 0.5, "segment": 0.3, "pressure": 0.2}
"""How often each is drawn."""


@dataclass(frozen=True)
class PlacedLoad:
    """A load and the middle of where it acts, float64 `[axis]` in metres."""

    load: Load
    centre: Vector


def supports(random: Random, site: Site, hard: bool) -> tuple[Support, ...]:
    """Supports of one random kind; few and small ones if `hard`. Whether they hold is for the pre-check."""
    kind = str(random.choice(list(SUPPORTS), p=list(SUPPORTS.values())))
    return _SUPPORTS[kind](random, site, hard)


def held_nodes(site: Site, supports: tuple[Support, ...]) -> Vector:
    """Co-ordinates of all held nodes, float64 `[node, axis]`."""
    return np.concatenate([site.nodes(support.where) for support in supports])


def _edges(random: Random, site: Site, hard: bool) -> tuple[Support, ...]:
    """One face or two held altogether, or stretches of them."""
    drawn = []
    for _ in range(1 if hard else random.integers(1, 3)):
        share = random.uniform(0.15, 0.4) if hard else random.choice([1.0, random.uniform(0.3, 0.8)])
        face = site.face(random, float(share))
        if face is not None:
            drawn.append(Support(face[1], _all(site)))
    return tuple(drawn)


def _points(random: Random, site: Site, hard: bool) -> tuple[Support, ...]:
    """A few places apart, each held altogether."""
    count = int(random.integers(1, 3) if hard else random.integers(2, 5))
    return tuple(Support(patch, _all(site)) for patch in _separate_patches(random, site, count))


def _rollers(random: Random, site: Site, hard: bool) -> tuple[Support, ...]:
    """One place held altogether, and one or two apart that are held in one direction only."""
    count = int(random.integers(2, 3 if hard else 4))
    pin, *others = _separate_patches(random, site, count)
    rollers = (Support(patch, (AXES[random.integers(site.dimension)],)) for patch in others)
    return (Support(pin, _all(site)), *rollers)


def _symmetry(random: Random, site: Site, hard: bool) -> tuple[Support, ...]:
    """A face that is a plane of symmetry, and places that hold the rest."""
    face = site.face(random, 1.0)
    if face is None:
        return ()
    axis, plane = face
    rest = tuple(a for a in _all(site) if a != AXES[axis])
    nodes = site.nodes(plane)
    count = 1 if hard else int(random.integers(1, 3))
    patches = (site.patch(far(random, site, nodes, 6), _small(random, site)) for _ in range(count))
    return (Support(plane, (AXES[axis],)), *(Support(patch, rest) for patch in patches))


def _separate_patches(random: Random, site: Site, count: int) -> list[Where]:
    """Small patches of the surface away from each other."""
    chosen: list[Where] = []
    seen = np.empty((0, site.dimension))
    for _ in range(count):
        centre = far(random, site, seen, 5)
        seen = np.vstack([seen, centre])
        chosen.append(site.patch(centre, _small(random, site)))
    return chosen


def _small(random: Random, site: Site) -> float:
    """Half the width of a patch: a node, its neighbours, or a little more."""
    return float(max(random.choice([0.4, 1.1, 1.1]) * site.edge, random.uniform(0.0, 0.08)))


def _all(site: Site) -> tuple[str, ...]:
    return AXES[: site.dimension]


def loads(random: Random, site: Site, others: Vector, count: int, hard: bool) -> list[PlacedLoad]:
    """Loads on the surface, away from `others`, float64 `[node, axis]`, the farther if `hard`."""
    kinds = random.choice(list(LOADS), size=count, p=list(LOADS.values()))
    return [_LOADS[str(kind)](random, site, far(random, site, others, 8 if hard else 2)) for kind in kinds]


def _point(random: Random, site: Site, centre: Vector) -> PlacedLoad:
    """A force on a node, or on it and its neighbours."""
    half = float(random.choice([0.4, 1.1])) * site.edge
    return PlacedLoad(Load(site.patch(centre, half), force=_force(random, site)), centre)


def _segment(random: Random, site: Site, centre: Vector) -> PlacedLoad:
    """A force spread over nodes in a row."""
    half = np.full(site.dimension, 0.4 * site.edge)
    axis = int(random.integers(site.dimension))
    half[axis] = random.uniform(0.05, 0.3) * site.size[axis]
    return PlacedLoad(Load(site.patch(centre, half), force=_force(random, site)), centre)


def _pressure(random: Random, site: Site, centre: Vector) -> PlacedLoad:
    """A pressure on a stretch of a face, a force where the drawn face has no room for one."""
    share = float(random.uniform(0.15, 0.6))
    face = site.face(random, share)
    if face is None:
        return _point(random, site, centre)
    nodes = site.nodes(face[1])
    area = max(len(nodes), 1) * site.edge ** (site.dimension - 1)
    sign = 1.0 if random.random() < 0.8 else -1.0
    load = Load(face[1], pressure=sign * float(random.uniform(0.5, 1.5)) / area)
    return PlacedLoad(load, np.asarray(nodes.mean(axis=0)) if len(nodes) else centre)


def _force(random: Random, site: Site) -> tuple[float, ...]:
    """0.5 to 1.5 N, along an axis or anywhere."""
    if random.random() < 0.5:
        direction = np.zeros(site.dimension)
        direction[random.integers(site.dimension)] = random.choice([-1.0, 1.0])
    else:
        direction = random.standard_normal(site.dimension)
        direction /= np.linalg.norm(direction)
    return floats(random.uniform(0.5, 1.5) * direction)


_SUPPORTS = {"edge": _edges, "points": _points, "roller": _rollers, "symmetry": _symmetry}
_LOADS = {"point": _point, "segment": _segment, "pressure": _pressure}
