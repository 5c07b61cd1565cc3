"""Which rigid motions the supports leave free, in words: "can slide in x", "can turn about z".

The non-void voxels fall into pieces joined face to face (edge to edge in 2-D). Pieces that meet only in a
corner (in 3-D: an edge or a corner) share those nodes and nothing else: they are hinged there, and are tested
as rigid bodies coupled at the shared nodes. The test is the rank of the bodies' rigid modes at the held
degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.load_shares import nodes_of
from trabecula.numerics.components import boxes, label
from trabecula.problem.model import AXES
from trabecula.problem.unit_system import SI, UnitSystem

Floats = NDArray[np.float64]
_RANK = 1e-9
_ALIGNED = 1e-5
_MOST_HINGED = 60  # bodies of one mechanism that are tested as such; beyond, they count as one body


@dataclass(frozen=True)
class LoosePiece:
    """A piece that is not held: its free `motions` in words, whether load acts on it, its box in metres, in
    the co-ordinates of the problem."""

    motions: tuple[str, ...]
    loaded: bool
    low: tuple[float, ...]
    high: tuple[float, ...]
    whole: bool

    def __str__(self) -> str:
        return self.tell(SI)

    def tell(self, units: UnitSystem) -> str:
        """Which piece it is, for people: "the piece at x 0..20, y 10..20 mm"."""
        return "the part" if self.whole else f"the piece at {units.tell_spans(self.low, self.high)}"


@dataclass(frozen=True)
class _Body:
    """One piece: its box in the node arrays, and its nodes in it."""

    box: tuple[slice, ...]
    nodes: NDArray[np.bool_]


def loose(discrete: DiscreteProblem) -> list[LoosePiece]:
    """Find the pieces of the domain that supports leave free: to move, or without a held temperature.

    Parameters
    ----------
    discrete
        The problem on its grid.

    Returns
    -------
    The loose pieces; none is good.
    """
    free_modes = discrete.physics.free
    if free_modes == "nothing":
        return []
    material = ~discrete.void
    groups, count = label(material, diagonal=True)
    moves = free_modes == "rigid motions"
    pieces = label(material)[0] if moves else groups
    found = []
    for g, box in enumerate(boxes(groups, count), start=1):
        inside = groups[box] == g
        parts = np.flatnonzero(np.bincount(pieces[box][inside]))
        if len(parts) > _MOST_HINGED:
            bodies = [_body(inside, box)]
        else:
            bodies = [_body(inside & (pieces[box] == part), box) for part in parts]
        free = _free(discrete, bodies) if moves else [_no_constant(discrete, bodies[0])]
        whole = count == 1 and len(bodies) == 1
        found += [
            _loose(discrete, b, motions, whole) for b, motions in zip(bodies, free, strict=True) if motions
        ]
    return found


def _body(mask: NDArray[np.bool_], box: tuple[slice, ...]) -> _Body:
    return _Body(tuple(slice(b.start, b.stop + 1) for b in box), nodes_of(mask))


def _loose(discrete: DiscreteProblem, body: _Body, motions: tuple[str, ...], whole: bool) -> LoosePiece:
    here = (slice(None), slice(None), *body.box)
    loaded = bool((discrete.loads[here] != 0)[..., body.nodes].any() or discrete.gravity.any())
    hit = np.nonzero(body.nodes)
    low = [(h.min() + b.start) for h, b in zip(hit, body.box, strict=True)][::-1]
    high = [(h.max() + b.start) for h, b in zip(hit, body.box, strict=True)][::-1]
    grid = discrete.voxels
    corner = grid.origin or (0.0,) * grid.dimension
    return LoosePiece(
        motions,
        loaded,
        tuple(float(a + i * h) for a, i, h in zip(corner, low, grid.spacing, strict=True)),
        tuple(float(a + i * h) for a, i, h in zip(corner, high, grid.spacing, strict=True)),
        whole,
    )


def _no_constant(discrete: DiscreteProblem, body: _Body) -> tuple[str, ...]:
    held = discrete.fixed[(slice(None), *body.box)] & body.nodes
    is_held = held.reshape(len(held), -1).any(axis=1).all()
    return () if is_held else ("has no held temperature, so heat cannot leave it",)


def _free(discrete: DiscreteProblem, bodies: list[_Body]) -> list[tuple[str, ...]]:
    """Free motions of each body of one mechanism."""
    grid = discrete.voxels
    held = [discrete.fixed[(slice(None), *b.box)] & b.nodes for b in bodies]
    anywhere = [_positions(grid, np.asarray(h.any(axis=0)), b.box) for h, b in zip(held, bodies, strict=True)]
    centre, scale = _frame(grid, np.concatenate(anywhere))
    size = _modes(np.zeros((1, grid.dimension))).shape[2]
    gram = np.zeros((len(bodies) * size, len(bodies) * size))
    for i, (body, part) in enumerate(zip(bodies, held, strict=True)):
        own = slice(i * size, (i + 1) * size)
        for component in range(grid.dimension):
            at = (_positions(grid, part[component], body.box) - centre) / scale
            rows = _modes(at)[:, component]
            gram[own, own] += rows.T @ rows
    if len(bodies) > 1:
        _couple(grid, bodies, gram, centre, scale)
    values, vectors = np.linalg.eigh(gram)
    null = vectors[:, values <= _RANK * max(float(values[-1]), 1.0)]
    return [_in_words(null[i * size : (i + 1) * size], grid.dimension) for i in range(len(bodies))]


def _couple(grid: Grid, bodies: list[_Body], gram: Floats, centre: Floats, scale: float) -> None:
    """Add the hinges: bodies move alike where they share a node; each node is tied to its first body."""
    first = np.full(grid.node_shape, -1, dtype=np.int32)
    size = gram.shape[0] // len(bodies)
    for i, body in enumerate(bodies):
        before = np.where(body.nodes, first[body.box], -1)
        for j in np.flatnonzero(np.bincount(before[before >= 0])):
            modes = _modes((_positions(grid, before == j, body.box) - centre) / scale)
            flat = modes.reshape(-1, size)
            square = flat.T @ flat
            a, b = slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size)
            gram[a, a] += square
            gram[b, b] += square
            gram[a, b] -= square
            gram[b, a] -= square
        view = first[body.box]
        view[body.nodes & (view < 0)] = i


def _positions(grid: Grid, nodes: NDArray[np.bool_], box: tuple[slice, ...]) -> Floats:
    """Co-ordinates x, y(, z) of the nodes of a mask in a box, float64 `[node, axis]` in metres."""
    index = np.argwhere(nodes) + np.array([b.start for b in box])
    return np.asarray(index[:, ::-1] * np.array(grid.spacing))


def _frame(grid: Grid, held: Floats) -> tuple[Floats, float]:
    """A middle and a length that make held nodes' co-ordinates of order one: close supports are not one."""
    if len(held) == 0:
        return np.zeros(grid.dimension), 1.0
    centre = held.mean(axis=0)
    extent = float(np.abs(held - centre).max())
    return centre, extent if extent > 0 else max(grid.spacing)


def _modes(at: Floats) -> Floats:
    """Rigid motions at points, float64 `[node, component, motion]`: slides first, then turns."""
    count, dimension = at.shape
    slides = np.broadcast_to(np.eye(dimension), (count, dimension, dimension))
    if dimension == 2:
        turns = np.stack([-at[:, 1], at[:, 0]], axis=1)[:, :, None]
    else:
        turns = np.stack([np.cross(axis, at) for axis in np.eye(3)], axis=2)
    return np.concatenate([slides, turns], axis=2)


def _in_words(null: Floats, dimension: int) -> tuple[str, ...]:
    """Name the motions spanned by the columns of `null`, float64 `[motion, n]`."""
    free = _orthonormal(null)
    turns = _orthonormal(free[dimension:])
    slides = free.shape[1] - turns.shape[1]
    aligned = [axis for i, axis in enumerate(AXES[:dimension]) if _holds(free, i)]
    words = [f"can slide in {axis}" for axis in aligned]
    if len(aligned) < slides:
        words.append("can slide in a slanted direction")
    about = ("z",) if dimension == 2 else AXES
    turning = [axis for i, axis in enumerate(about) if _holds(turns, i)]
    words += [f"can turn about {axis}" for axis in turning]
    if len(turning) < turns.shape[1]:
        words.append("can turn about a slanted axis")
    return tuple(words)


def _orthonormal(columns: Floats) -> Floats:
    """An orthonormal basis of what the columns span."""
    if columns.size == 0:
        return np.zeros((columns.shape[0], 0))
    u, s, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(u[:, s > _ALIGNED])


def _holds(basis: Floats, index: int) -> bool:
    """Whether a unit vector lies in what an orthonormal basis spans."""
    return bool(np.sum(basis[index] ** 2) > 1.0 - _ALIGNED)
