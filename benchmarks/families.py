"""The 26 families of problems of Hoyer, Sohl-Dickstein & Greydanus 2019, built anew; nobody trains on them.

Facts (where is held, where is pushed, how much material, which sizes) are those of "Neural reparameterization
improves structural optimization", arXiv 1909.04240, and of the problem suite its authors published
(google-research/neural-structural-optimization, Apache-2.0). `names()` lists the 28 entries of the published
suite of 116 problems, some families in several kinds, and two families that the suite leaves out.

What differs: a load along a line is consistent, half at its ends, in place of equal forces on all its nodes;
a slanted or round line is put on its nearest nodes in place of an anti-aliased drawing. As in the
published program rows count from the top here, while problems count y from the bottom; Young's modulus is 1,
an element 1 m, the filter 2 elements.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import cos, pi, sin
from typing import Literal

import numpy as np

from trabecula.discretisation import prepare
from trabecula.problem import (
    Domain,
    FilterOptions,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.where import (
    AnyOf,
    Box,
    Nodes,
    Where,
)

RADIUS = 2.0
BOTH = ("x", "y")
LIMITS = {"small": (0, 8_000), "medium": (8_000, 25_000), "large": (25_000, 1_000_000)}
"""Elements of a size: from, below."""

Size = Literal["small", "medium", "large"]


@dataclass(frozen=True)
class Frame:
    """A grid whose rows count from the top, and the words the families are written with.

    Positions are nodes, `(column, row)`.
    """

    width: int
    height: int

    def line(self, first: tuple[int, int], last: tuple[int, int]) -> Where:
        """The nodes of a row, a column or a block between two nodes, both included."""
        (a, b), (c, d) = self.place(*first), self.place(*last)
        return Box((min(a, c), min(b, d)), (max(a, c), max(b, d)))

    def place(self, column: int, row: int) -> tuple[float, float]:
        """Where a node is, in metres; a row or column below 0 counts from the end."""
        column, row = column % (self.width + 1), row % (self.height + 1)
        return float(column), float(self.height - row)

    def node(self, column: int, row: int) -> Where:
        """One node."""
        return Nodes((self.place(column, row),))

    @property
    def left(self) -> Where:
        """The left edge."""
        return self.line((0, 0), (0, -1))

    @property
    def right(self) -> Where:
        """The right edge."""
        return self.line((-1, 0), (-1, -1))

    @property
    def bottom(self) -> Where:
        """The lower edge."""
        return self.line((0, -1), (-1, -1))

    @property
    def top(self) -> Where:
        """The upper edge."""
        return self.row(0)

    def row(self, row: int) -> Where:
        """A whole row of nodes."""
        return self.line((0, row), (-1, row))

    def void(self, columns: tuple[int, int], rows: tuple[int, int]) -> tuple[Region, ...]:
        """No material in the elements from the first to before the last column and row."""
        low = (columns[0] + 0.25, self.height - rows[1] + 0.25)
        high = (columns[1] - 0.25, self.height - rows[0] - 0.25)
        return (Region(Box(low, high), "void"),)


@dataclass(frozen=True)
class Posed:
    """Supports, loads and passive parts of a problem."""

    supports: tuple[Support, ...]
    loads: tuple[Load, ...]
    regions: tuple[Region, ...] = ()


def down(where: Where, force: float = 1.0) -> Load:
    """A force downwards, in total."""
    return Load(where, force=(0.0, -force))


def mbb_beam(f: Frame) -> Posed:
    """Half of the beam on two supports."""
    return Posed((Support(f.node(-1, -1), ("y",)), Support(f.left, ("x",))), (down(f.node(0, 0)),))


def cantilever_beam_full(f: Frame) -> Posed:
    """Held along the left edge, pulled down at the lower right corner."""
    return Posed((Support(f.left, BOTH),), (down(f.node(-1, f.height)),))


def cantilever_beam_two_point(f: Frame) -> Posed:
    """Held at two points of the left edge, pulled down in the middle of the right one."""
    held = [f.node(0, round(f.height * share)) for share in (0.75, 0.25)]
    return Posed((Support(AnyOf(tuple(held)), BOTH),), (down(f.node(-1, round(0.5 * f.height))),))


def pure_bending_moment(f: Frame) -> Posed:
    """A couple at two points of the left edge; the right edge is the plane of symmetry."""
    low, high = round(f.height * (1 - 0.45)), round(f.height * 0.45)
    supports = (Support(f.right, ("x",)), Support(AnyOf((f.node(0, low), f.node(0, high))), ("y",)))
    return Posed(supports, (Load(f.node(0, low), force=(1.0, 0.0)), Load(f.node(0, high), force=(-1.0, 0.0))))


def ground_structure(f: Frame) -> Posed:
    """Held at the lower left corner, pulled down between it and the plane of symmetry on the right."""
    supports = (Support(f.right, ("x",)), Support(f.node(0, -1), BOTH))
    return Posed(supports, (down(f.node(round(0.5 * f.height), -1)),))


def michell_centered_both(f: Frame) -> Posed:
    """Michell's structure to both sides: carried on a point near the left edge, pushed on the right."""
    middle = round(f.height / 2)
    supports = (Support(f.node(round(0.05 * f.width), middle), ("y",)), Support(f.right, ("x",)))
    return Posed(supports, (down(f.node(-1, middle)),))


def michell_centered_below(f: Frame) -> Posed:
    """Michell's structure to one side: support and load both in the upper edge."""
    supports = (Support(f.node(round(0.25 * f.width), 0), ("y",)), Support(f.right, ("x",)))
    return Posed(supports, (down(f.node(-1, 0)),))


def l_shape(f: Frame, aspect: float = 0.4) -> Posed:
    """An angle held at its top, pulled down in the middle of its end."""
    held = f.line((0, 0), (round(aspect * f.width) - 1, 0))
    tip = f.node(-1, round((1 - 0.5 * aspect) * f.height))
    void = f.void((round(f.height * aspect), f.width), (0, round(f.width * (1 - aspect))))
    return Posed((Support(held, BOTH),), (down(tip),), void)


def crane(f: Frame) -> Posed:
    """On the ground with its left half, loaded under its arm."""
    hook = f.node(round(0.9 * f.width), round(1 - 0.5 * f.height))
    void = f.void((round(0.5 * f.width), f.width), (round(0.5 * f.height) + 2, f.height))
    return Posed((Support(f.bottom, BOTH),), (down(hook),), void)


def tower(f: Frame) -> Posed:
    """One point carried from the ground; not in the published suite."""
    return Posed((Support(f.bottom, ("y",)), Support(f.left, ("x",))), (down(f.node(0, 0)),))


def center_support(f: Frame) -> Posed:
    """A loaded roof on one point in the middle (the right edge is the plane of symmetry)."""
    return Posed((Support(f.node(-1, -1), ("y",)), Support(f.right, ("x",))), (down(f.top),))


def column(f: Frame) -> Posed:
    """A loaded roof carried from the ground."""
    return Posed((Support(f.bottom, ("y",)), Support(f.right, ("x",))), (down(f.top),))


def roof(f: Frame) -> Posed:
    """A loaded roof carried from the ground, repeated to both sides."""
    sides = AnyOf((f.left, f.right))
    return Posed((Support(sides, ("x",)), Support(f.bottom, ("y",))), (down(f.top),))


def causeway_bridge(f: Frame, deck: float = 1.0) -> Posed:
    """A deck on piers at regular distances."""
    supports = (Support(f.node(-1, -1), ("y",)), Support(AnyOf((f.left, f.right)), ("x",)))
    return Posed(supports, (down(f.row(round(f.height * (1 - deck)))),))


def two_level_bridge(f: Frame) -> Posed:
    """Two decks on piers; as published, the decks are pulled sideways as hard as down."""
    supports = (Support(f.node(0, -1), BOTH), Support(AnyOf((f.left, f.right)), ("x",)))
    rows = [round(f.height * (1 - 0.2) / 2), round(f.height * (1 + 0.2) / 2)]
    return Posed(supports, tuple(Load(f.row(row), force=(0.5, -0.5)) for row in rows))


def suspended_bridge(f: Frame, span: float = 0.2, anchored: bool = False) -> Posed:
    """A deck on the ground line, held at its end; `anchored` in both directions."""
    held = f.line((0, -1), (round(span * f.width) - 1, -1))
    supports = (Support(f.right, ("x",)), Support(held, BOTH if anchored else ("y",)))
    return Posed(supports, (down(f.bottom),))


def canyon_bridge(f: Frame) -> Posed:
    """A deck between walls that hold it everywhere below."""
    return Posed((Support(f.right, BOTH), Support(f.left, ("x",))), (down(f.top),))


def thin_support_bridge(f: Frame) -> Posed:
    """A deck on a pier no wider than a quarter."""
    sides = AnyOf((f.left, f.right))
    void = f.void((0, round(f.width * 0.75)), (f.height - round(f.height * 0.75), f.height))
    return Posed((Support(f.bottom, ("y",)), Support(sides, ("x",))), (down(f.top),), void)


def drawbridge(f: Frame) -> Posed:
    """A deck on the ground line, held by the wall on the left."""
    return Posed((Support(f.left, BOTH),), (down(f.bottom),))


def hoop(f: Frame) -> Posed:
    """A heavy ring on the ground; the right edge is the plane of symmetry."""
    if 2 * f.width != f.height:
        raise ValueError(f"hoop is half a circle: {f.width} columns need {2 * f.width} rows")
    radius = float(f.width)
    turns = np.linspace(pi, 2 * pi, 64 * f.width + 1)[:-1] + pi / (128 * f.width)
    points = np.stack([radius + radius * np.sin(turns), radius + radius * np.cos(turns)], axis=1)
    return Posed((Support(f.right, ("x",)), Support(f.bottom, ("y",))), _drawn(f, points, 0.5))


def multipoint_circle(f: Frame) -> Posed:
    """Twelve points of a circle twisted about a held middle; not in the published suite."""
    x, y = f.width // 2, f.height // 2
    loads = []
    for k in range(12):
        a, b = 6 / 7 * x * sin(2 * pi * k / 12), 6 / 7 * y * cos(2 * pi * k / 12)
        loads.append(Load(f.node(round(x + a), round(y + b)), force=(b, a)))
    return Posed((Support(f.line((x - 1, y - 1), (x + 1, y + 1)), BOTH),), tuple(loads))


def dam(f: Frame) -> Posed:
    """A wall on the ground under a pressure that grows with depth."""
    loads = [
        Load(f.node(0, row), force=(2 * (row + 1) / f.height**2, 0.0))
        for row in range(f.height)  # the lowest node is held
    ]
    return Posed((Support(f.bottom, BOTH),), tuple(loads))


def staircase(f: Frame, stories: int = 2) -> Posed:
    """A ramp that turns at every storey, on the ground."""
    loads: list[Load] = []
    for story in range(stories):
        turn = story % 2
        first, last = (story + turn) * f.height // stories, (story + 1 - turn) * f.height // stories
        count = max(f.width, abs(last - first)) + 1
        points = np.linspace((0.0, first), (f.width, last), count)
        loads += _drawn(f, points, 1 / stories)
    return Posed((Support(f.bottom, BOTH),), tuple(loads))


def staggered_points(f: Frame, interval: int = 16) -> Posed:
    """A staggered grid of points carried from the ground, repeated to both sides."""
    half = interval // 2
    spots = [(half, 0), (0, half)]
    points = tuple(
        f.place(i, j)
        for a, b in spots
        for i in range(a, f.width + 1, interval)
        for j in range(b, f.height, interval)  # those on the ground are held
    )
    sides = AnyOf((f.left, f.right))
    total = len(points) * interval**2 / (f.width * f.height)
    return Posed((Support(f.bottom, ("y",)), Support(sides, ("x",))), (down(Nodes(points), total),))


def multistory_building(f: Frame, interval: int = 16) -> Posed:
    """Loaded floors carried from the ground; the right edge is the plane of symmetry."""
    floors = [f.row(row) for row in range(0, f.height, interval)]
    load = down(AnyOf(tuple(floors)), float(len(floors)))
    return Posed((Support(f.bottom, ("y",)), Support(f.right, ("x",))), (load,))


def _drawn(f: Frame, points: np.ndarray, total: float) -> tuple[Load, ...]:
    """A load spread evenly over a curve, on the nodes nearest to its points `[point, (column, row)]`."""
    nodes, counts = np.unique(np.rint(points).astype(int), axis=0, return_counts=True)
    return tuple(
        down(f.node(int(i), int(j)), total * int(n) / len(points))
        for (i, j), n in zip(nodes, counts, strict=True)
        if j < f.height  # the ground carries itself
    )


_FAMILIES: dict[str, Callable[..., Posed]] = {
    **{
        function.__name__: function
        for function in (
            mbb_beam,
            cantilever_beam_full,
            cantilever_beam_two_point,
            pure_bending_moment,
            ground_structure,
            michell_centered_both,
            michell_centered_below,
        )
    },
    "l_shape_0.2": partial(l_shape, aspect=0.2),
    "l_shape_0.4": partial(l_shape, aspect=0.4),
    **{function.__name__: function for function in (crane, center_support, column, roof)},
    "causeway_bridge_top": partial(causeway_bridge, deck=1.0),
    "causeway_bridge_middle": partial(causeway_bridge, deck=0.5),
    "causeway_bridge_low": partial(causeway_bridge, deck=0.3),
    "two_level_bridge": two_level_bridge,
    "free_suspended_bridge": suspended_bridge,
    "anchored_suspended_bridge": partial(suspended_bridge, span=0.1, anchored=True),
    **{
        function.__name__: function
        for function in (canyon_bridge, thin_support_bridge, drawbridge, hoop, dam)
    },
    "ramp": partial(staircase, stories=1),
    "staircase": staircase,
    "staggered_points": staggered_points,
    "multistory_building": multistory_building,
    "tower": tower,
    "multipoint_circle": multipoint_circle,
}

_SUITE = """
mbb_beam 96x32:0.5 192x64:0.4 384x128:0.3 192x32:0.5 384x64:0.4
cantilever_beam_full 96x32:0.4 192x64:0.3 384x128:0.2 384x128:0.15
cantilever_beam_two_point 64x48:0.4 128x96:0.3 256x192:0.2 256x192:0.15
pure_bending_moment 32x64:0.15 64x128:0.125 128x256:0.1
ground_structure 64x64:0.12 128x128:0.1 256x256:0.07 256x256:0.05
michell_centered_both 32x64:0.12 64x128:0.12 128x256:0.12 128x256:0.06
michell_centered_below 64x64:0.12 128x128:0.12 256x256:0.12 256x256:0.06
l_shape_0.2 64x64:0.4 128x128:0.3 256x256:0.2
l_shape_0.4 64x64:0.4 128x128:0.3 256x256:0.2
crane 64x64:0.3 128x128:0.2 256x256:0.15 256x256:0.1
center_support 64x64:0.15 128x128:0.1 256x256:0.1 256x256:0.05
column 32x128:0.3 64x256:0.3 128x512:0.1 128x512:0.3 128x512:0.5
roof 64x64:0.2 128x128:0.15 256x256:0.4 256x256:0.2 256x256:0.1
causeway_bridge_top 64x64:0.3 128x128:0.2 256x256:0.1 128x64:0.3 256x128:0.2
causeway_bridge_middle 64x64:0.12 128x128:0.1 256x256:0.08
causeway_bridge_low 64x64:0.12 128x128:0.1 256x256:0.08
two_level_bridge 64x64:0.2 128x128:0.16 256x256:0.12
free_suspended_bridge 64x64:0.15 128x128:0.1 256x256:0.075 256x256:0.05
anchored_suspended_bridge 64x64:0.15 128x128:0.1 256x256:0.075 256x256:0.05
canyon_bridge 64x64:0.16 128x128:0.12 256x256:0.1 256x256:0.05
thin_support_bridge 64x64:0.3 128x128:0.2 256x256:0.15 256x256:0.1
drawbridge 64x64:0.2 128x128:0.15 256x256:0.1
hoop 32x64:0.25 64x128:0.2 128x256:0.15
dam 64x64:0.2 128x128:0.15 256x256:0.05 256x256:0.1 256x256:0.2
ramp 64x64:0.3 128x128:0.2 256x256:0.2 256x256:0.1
staircase 64x64:0.3:stories=3 128x128:0.2:stories=3 256x256:0.15:stories=3 128x512:0.15:stories=6
staggered_points 64x64:0.3 128x128:0.3 256x256:0.3 256x256:0.5 64x128:0.3 128x256:0.3 32x128:0.3 64x256:0.3
staggered_points 128x512:0.3 128x512:0.15:interval=32
multistory_building 32x64:0.5 64x128:0.4:interval=32 128x256:0.3:interval=64 128x512:0.25:interval=64
multistory_building 128x512:0.2:interval=128
"""
"""The 116 published problems: family, size, volume fraction, and what else it takes."""

_OTHERS = {"tower": (32, 32, 0.5), "multipoint_circle": (140, 140, 0.333)}


@dataclass(frozen=True)
class Variant:
    """One problem of the published suite."""

    family: str
    width: int
    height: int
    density: float
    options: tuple[tuple[str, int], ...] = ()

    def build(self) -> Problem:
        """The problem."""
        return build(self.family, self.width, self.height, self.density, **dict(self.options))


def names() -> tuple[str, ...]:
    """The published suite's entries, then the two families outside it."""
    return tuple(_FAMILIES)


def variants() -> tuple[Variant, ...]:
    """The 116 published problems."""
    found = []
    for line in _SUITE.split("\n"):
        family, *texts = line.split() or [""]
        for text in texts:
            size, density, *options = text.split(":")
            width, height = map(int, size.split("x"))
            pairs = tuple((key, int(value)) for key, value in (o.split("=") for o in options))
            found.append(Variant(family, width, height, float(density), pairs))
    return tuple(found)


def build(
    name: str,
    width: int | None = None,
    height: int | None = None,
    density: float | None = None,
    **options: int,
) -> Problem:
    """One problem of a family.

    Parameters
    ----------
    name
        One of `names()`.
    width, height, density
        Elements and volume fraction; those of the family's first published problem unless given.
    options
        What some families take besides: `stories`, `interval`.

    Raises
    ------
    ValueError
        If there is no such family, or it cannot be built on such a grid.
    """
    if name not in _FAMILIES:
        raise ValueError(f"no family is named {name!r}; known: {', '.join(_FAMILIES)}")
    if name in _OTHERS:
        w, h, d = _OTHERS[name]
    else:
        first = next(v for v in variants() if v.family == name)
        w, h, d = first.width, first.height, first.density
        options = dict(first.options) | options if width is None else options
    frame = Frame(width or w, height or h)
    density = density or d
    posed = _FAMILIES[name](frame, **options)
    size = (float(frame.width), float(frame.height))
    return Problem(
        domain=Domain(size, (frame.width, frame.height)),
        supports=posed.supports,
        cases=(LoadCase(posed.loads),),
        goal=Goal("compliance", volume=density),
        material=Material(young=1.0, poisson=0.3),
        regions=posed.regions,
        options=Options(filter=FilterOptions("density", RADIUS), projection=False),
        name=f"{name}_{frame.width}x{frame.height}_{density:g}",
    )


def suite(size: Size = "small") -> tuple[Problem, ...]:
    """The published problems of a size: small below 8,000 elements, medium below 25,000, large the rest."""
    least, most = LIMITS[size]
    return tuple(v.build() for v in variants() if least <= v.width * v.height < most)


def main() -> None:
    """List the suite, and what the pre-check says of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=tuple(LIMITS), default="small")
    for problem in suite(parser.parse_args().size):
        _, cautions = prepare(problem)
        print(f"{problem.name:42} {len(problem.cases[0].loads):4} loads  {'; '.join(map(str, cautions))}")


if __name__ == "__main__":
    main()
