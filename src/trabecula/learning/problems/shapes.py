"""Domain shapes: a box with something taken away, so that every problem is a plain problem file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trabecula.learning.problems.site import Random, Site, floats
from trabecula.problem.model import AXES
from trabecula.problem.where import (
    AnyOf,
    Box,
    Cylinder,
    Not,
    Sphere,
    Where,
)

SHAPES = {"box": 0.4, "l": 0.12, "t": 0.12, "holes": 0.18, "blob": 0.18}
"""How often each is drawn."""


def cut_random_shape(random: Random, site: Site) -> Site:
    """The site with a random shape; one in one piece, or the box it was."""
    name = str(random.choice(list(SHAPES), p=list(SHAPES.values())))
    if name == "box":
        return site
    for _ in range(10):
        drawn = site.without(*_DRAW[name](random, site))
        if drawn.is_whole:
            return drawn
    return site


def _notch(random: Random, site: Site) -> tuple[Where, ...]:
    """An L: one corner is missing, right through along one axis in 3-D."""
    plane = [int(axis) for axis in random.permutation(site.dimension)[:2]]
    depth = [float(part) for part in random.uniform(0.35, 0.65, 2)]
    return (_corner(site, plane, depth, (int(random.integers(2)), int(random.integers(2)))),)


def _wings(random: Random, site: Site) -> tuple[Where, ...]:
    """A T: the two corners beside a stem are missing."""
    plane = [int(axis) for axis in random.permutation(site.dimension)[:2]]
    stem, split = random.uniform(0.3, 0.5), random.uniform(0.3, 0.7)
    depth, side = random.uniform(0.4, 0.65), int(random.integers(2))
    return tuple(
        _corner(site, plane, (part, depth), (end, side))
        for end, part in enumerate((split * (1.0 - stem), (1.0 - split) * (1.0 - stem)))
    )


def _corner(site: Site, plane: Sequence[int], depth: Sequence[float], side: Sequence[int]) -> Where:
    """A box in a corner: so deep along the two axes of `plane`, on these sides, and right through."""
    low, high = np.zeros(site.dimension), site.size.copy()
    for axis, part, end in zip(plane, depth, side, strict=True):
        if end:
            low[axis] = (1.0 - part) * site.size[axis]
        else:
            high[axis] = part * site.size[axis]
    return Box(floats(low), floats(high))


def _holes(random: Random, site: Site) -> tuple[Where, ...]:
    """One to three round holes, bores or hollows."""
    return tuple(hole(random, site) for _ in range(random.integers(1, 4)))


def hole(random: Random, site: Site) -> Where:
    """A round hole inside: a disc, a bore right through, or a ball."""
    centre = random.uniform(0.2, 0.8, site.dimension) * site.size
    if site.dimension == 3 and random.random() < 0.6:
        axis = int(random.integers(3))
        narrow = min(site.size[a] for a in range(3) if a != axis)
        return Cylinder(AXES[axis], floats(centre), float(random.uniform(0.15, 0.35) * narrow))
    return Sphere(floats(centre), float(random.uniform(0.15, 0.35) * site.size.min()))


def _blob(random: Random, site: Site) -> tuple[Where, ...]:
    """Something smooth: a chain of balls along the longest side, or a box bitten into from outside."""
    if random.random() < 0.5:
        return tuple(_bite(random, site) for _ in range(random.integers(2, 5)))
    longest, thick = int(np.argmax(site.size)), float(site.size.min())
    count = max(3, round(1.6 * site.size[longest] / thick))
    balls = []
    for place in (np.arange(count) + 0.5) / count:
        centre = random.uniform(0.3, 0.7, site.dimension) * site.size
        centre[longest] = place * site.size[longest]
        broad = float(np.median(site.size)) if site.dimension == 3 else thick
        balls.append(Sphere(floats(centre), float(random.uniform(0.45, 0.75) * broad)))
    return (Not(AnyOf(tuple(balls))),)


def _bite(random: Random, site: Site) -> Where:
    """A ball about a point of the box's surface."""
    centre = random.uniform(0.0, 1.0, site.dimension) * site.size
    axis = int(random.integers(site.dimension))
    centre[axis] = site.size[axis] * random.integers(2)
    return Sphere(floats(centre), float(random.uniform(0.25, 0.5) * np.sort(site.size)[:2].mean()))


_DRAW = {"l": _notch, "t": _wings, "holes": _holes, "blob": _blob}
