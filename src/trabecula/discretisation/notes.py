"""Notes on what is selected: it does not stop a solve, but it may not be what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.load_shares import covered_share, nodes_of, pressure
from trabecula.discretisation.selection_shares import share_selection
from trabecula.numerics.components import boxes, label
from trabecula.problem.errors import Caution, name_first
from trabecula.problem.holes import Bore
from trabecula.problem.model import AXES, Load, Problem
from trabecula.problem.read import load_path
from trabecula.problem.unit_system import UnitSystem
from trabecula.problem.where import Cylinder, Lattice, Mask, Nodes, Plane, Sphere, Where
from trabecula.problem.where_frame import see_from
from trabecula.problem.where_parts import alternatives, factors, round_part, true_spans

TENTH = 0.1
"""Share of a load from which on it is worth a note that it lies over void, or on another area."""

HALF = 0.5
"""The same for void under balls and bars: they pick what lies around a place, and reach beyond it."""

_KINDS = {1: "edge", 2: "face", 3: "voxel"}


def merge_shares(shares: Sequence[tuple[str, float]], what: str) -> list[Caution]:
    """One note for all places with something of one kind: how much of each, from the least to the most.

    Parameters
    ----------
    shares
        Places and their shares, from 0 to 1.
    what
        What is the matter with that much of it.
    """
    if not shares:
        return []
    least, most = (f"{bound(share for _, share in shares):.0%}" for bound in (min, max))
    much = least if least == most else f"{least} to {most}"
    each = "it" if len(shares) == 1 else "each"
    return [Caution(name_first([place for place, _ in shares]), f"{much} of {each} {what}", len(shares))]


def check_selections(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    """Notes on the selections of loads: what lies over void, what is narrow, what has another area."""
    grid, material = discrete.voxels, ~discrete.void
    over_void, narrow, areas = [], [], []
    kinds = set()
    for path, load in _loads(problem):
        if load.pressure is not None:
            share = _missed_area(load.where, grid)
            if share >= TENTH:
                areas.append((path, share))
            continue
        found = share_selection(load.where, grid, material, path)
        if found.narrow > 0:
            narrow.append((path, found.narrow))
            kinds.add(_KINDS[found.kind])
        share = 0.0 if problem.domain.shape is not None else _void_share(load.where, grid, material)
        if share >= (HALF if _is_round(load.where) else TENTH):
            over_void.append((path, share))
    whole = " or ".join(sorted(kinds))
    return [
        *merge_shares(
            over_void,
            "is passive void; the rest carries the load: make the selection or the void smaller if it should"
            " not",
        ),
        *merge_shares(
            narrow,
            f"acts on parts that hold no whole {whole} and count as one element wide, so that they carry less"
            " on a finer grid: make them loads of their own to say what they carry",
        ),
        *merge_shares(
            areas,
            "is the difference between the area that was asked for and that of the whole faces in it, on"
            " which the pressure acts: let the selection end at nodes, or take more elements",
        ),
    ]


def _loads(problem: Problem) -> Iterator[tuple[str, Load]]:
    """Every load that has a place, and the key of it."""
    for c, case in enumerate(problem.cases):
        for i, load in enumerate(case.loads):
            if load.gravity is None:
                yield f"{load_path(problem, c, i)}.where", load


def _is_round(where: Where) -> bool:
    """Whether a ball or a bar is part of a selector."""
    return any(isinstance(one, (Sphere, Cylinder)) for one in where.every())


def _void_share(where: Where, grid: Grid, material: Mask) -> float:
    """How much of a selection lies over void; nothing, where it is drawn around a hole."""
    if material.all():
        return 0.0
    where, grid = see_from(where, grid.origin), replace(grid, origin=())
    for one in [alone for _, alone in alternatives(where)] or [where]:
        part = round_part(one, grid.dimension)
        if part is None:
            continue
        # one number per axis; along a bar its middle counts, wherever it has its ends
        low, high = _ends(grid.select_nodes(one), grid)
        centre = [
            0.5 * (low[a] + high[a]) if a == part.axis else part.center[a] for a in range(grid.dimension)
        ]
        if not (grid.select_elements(Nodes((tuple(centre),))) & material).any():
            return 0.0
    return 1.0 - covered_share(grid.select_nodes(where), material, grid.spacing)


def _ends(nodes: Mask, grid: Grid) -> tuple[list[float], list[float]]:
    """The corners of the box around nodes, in metres."""
    hit = np.nonzero(nodes)[::-1]
    pairs = list(zip(hit, grid.spacing, strict=True))
    return [float(h.min() * edge) for h, edge in pairs], [float(h.max() * edge) for h, edge in pairs]


def _missed_area(where: Where, grid: Grid) -> float:
    """By how much the area of a rectangle of a plane differs from that of its whole faces, relative to it."""
    where, grid = see_from(where, grid.origin), replace(grid, origin=())
    size = tuple(n * h for n, h in zip(grid.elements, grid.spacing, strict=True))
    planes = {AXES.index(one.axis) for one in factors(where) if isinstance(one, Plane)}
    spans = true_spans(where, size)
    if len(planes) != 1 or not spans:
        return 0.0
    (normal,) = planes
    wanted = prod(
        np.subtract(*spans[a][::-1]) if a in spans else size[a] for a in range(len(size)) if a != normal
    )
    forces = pressure(grid.select_nodes(where), np.ones(grid.shape, dtype=np.bool_), grid.spacing, 1.0)
    return abs(1.0 - abs(float(forces[normal].sum())) / float(wanted)) if wanted > 0 else 0.0


def check_supports(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    """Notes on the selections of supports: parts that hold nothing, and ties."""
    grid, part = discrete.voxels, nodes_of(~discrete.void)
    said: dict[str, list[str]] = {}
    for i, support in enumerate(problem.supports):
        path = f"supports[{i}].where"
        for place, alone in alternatives(support.where):
            chosen = grid.select_nodes(alone)
            if not (chosen & part).any():
                what = "selects only passive void" if chosen.any() else "selects no nodes"
                text = f"{what}, so nothing is held there: move it or leave it out"
                said.setdefault(text, []).append(f"{path}{place}")
        tie = _tie(support.where, grid, problem.unit_system)
        if tie:
            said.setdefault(tie, []).append(path)
    return _merge(said)


def _tie(where: Where, grid: Grid, units: UnitSystem) -> str:
    """What lies midway between nodes, so that more than one is held; an empty text where nothing does."""
    lattice = Lattice(grid.elements, grid.spacing, nodes=True, origin=grid.origin)
    for one in where.every():
        if isinstance(one, Plane):
            axis = AXES.index(one.axis)
            if np.count_nonzero(lattice.near(axis, one.at)) > 1:
                return (
                    f"{one.axis} = {units.show(one.at, 'm')} lies midway between two layers of nodes, and"
                    f" both are held; take an even number of elements along {one.axis} for one in the middle"
                )
        if isinstance(one, Nodes):
            tied = next((point for point in one.points if _several(lattice, point)), None)
            if tied is not None:
                point = ", ".join(units.show(at, "m") for at in tied)
                return (
                    f"[{point}] lies midway between nodes, and all that are equally near are held, which"
                    " keeps it from turning; move the point to a node, or take another number of elements"
                )
    return ""


def _several(lattice: Lattice, point: tuple[float, ...]) -> bool:
    return prod(place.size for place in lattice.places_nearest(point)) > 1


def check_regions(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    """Notes on regions: those without effect, and cavities that they close in."""
    said: dict[str, list[str]] = {}
    for i, region in enumerate(problem.regions):
        if isinstance(region, Bore):  # what a hole is thinner than is said of the hole
            continue
        for place, alone in alternatives(region.where) or [("", region.where)]:
            text = _without_effect(problem, discrete, i, alone)
            if text:
                said.setdefault(text, []).append(f"regions[{i}].where{place}")
    return [*_merge(said), *_check_cavities(discrete, problem.unit_system)]


def check_pieces(discrete: DiscreteProblem) -> list[Caution]:
    """A note where the domain is in pieces, several of which are held and loaded: so will the part be."""
    pieces, count = label(~discrete.void)
    if count < 2:
        return []
    held = _at_any(np.asarray(discrete.fixed.any(axis=0)))
    loaded = _at_any(np.asarray((discrete.loads != 0).any(axis=(0, 1))))
    both = np.intersect1d(pieces[held & (pieces > 0)], pieces[loaded & (pieces > 0)])
    if len(both) < 2:
        return []
    text = (
        f"is in {len(both)} pieces that do not touch and are each held and loaded, so the part cannot be one "
        "piece; close the gap between them, or solve them one by one"
    )
    return [Caution("domain", text)]


def _merge(said: dict[str, list[str]]) -> list[Caution]:
    """One note for all places of which the same is said."""
    return [Caution(name_first(places), text, len(places)) for text, places in said.items()]


def _without_effect(problem: Problem, discrete: DiscreteProblem, index: int, where: Where) -> str:
    """Why (a part of) a region has no effect; an empty text where it has one."""
    grid, kind = discrete.voxels, problem.regions[index].kind
    chosen = grid.select_elements(where)
    if not chosen.any():
        return "selects no elements and has no effect: widen it to the centre of an element, or leave it out"
    kept = discrete.lower > 0 if kind == "solid" else discrete.void
    if (chosen & kept).any():
        return ""
    later = _overruling(problem, grid, index, chosen)
    if not later:
        return "lies outside domain.shape, where nothing is, and has no effect: move it or leave it out"
    return (
        f"has no effect, for {name_first(later)} {'comes' if len(later) == 1 else 'come'} later and"
        f" {'covers' if len(later) == 1 else 'cover'} all of it: put it behind {later[-1]}, or leave it out"
    )


def _overruling(problem: Problem, grid: Grid, index: int, chosen: Mask) -> list[str]:
    """The later regions of the other kind that hold elements of a region."""
    return [
        f"regions[{j}]"
        for j, other in enumerate(problem.regions[index + 1 :], start=index + 1)
        if other.kind != problem.regions[index].kind and (chosen & grid.select_elements(other.where)).any()
    ]


def _check_cavities(discrete: DiscreteProblem, units: UnitSystem) -> list[Caution]:
    """Passive void that passive solid closes in on all sides, in space."""
    if discrete.grid.dimension != 3 or not discrete.lower.any():
        return []
    pieces, count = label(discrete.void)
    outer = np.concatenate([np.unique(pieces.take(end, axis)) for axis in range(3) for end in (0, -1)])
    closed = []
    solid = np.pad(discrete.lower >= 1.0, 1)
    for k, box in enumerate(boxes(pieces, count), start=1):
        if k in outer:
            continue
        here = np.pad(pieces[box] == k, 1)
        around = tuple(slice(b.start, b.stop + 2) for b in box)
        if (solid[around] | here)[_grow(here)].all():
            closed.append(box)
    if not closed:
        return []
    grid = discrete.voxels
    corner = grid.origin or (0.0,) * grid.dimension
    spans = list(zip(corner, closed[0][::-1], grid.spacing, strict=True))
    first = units.tell_spans(
        [a + part.start * h for a, part, h in spans], [a + part.stop * h for a, part, h in spans]
    )
    also = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    are = "is a closed cavity" if len(closed) == 1 else "are closed cavities"
    text = (
        f"the void at {first}{also} {are} in passive solid and cannot be emptied: lead a void region outside"
    )
    return [Caution("regions", text, len(closed))]


def _at_any(nodes: Mask) -> Mask:
    """The elements with a node of a mask."""
    for axis in range(nodes.ndim):
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(nodes.ndim))
        before = tuple(slice(-1) if a == axis else slice(None) for a in range(nodes.ndim))
        nodes = nodes[ahead] | nodes[before]
    return nodes


def _grow(mask: Mask) -> Mask:
    """The mask and what shares a face with it; the mask does not touch the array's ends."""
    out = mask.copy()
    for axis in range(mask.ndim):
        out |= np.roll(mask, 1, axis) | np.roll(mask, -1, axis)
    return out
