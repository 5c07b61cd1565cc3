"""Exact faces: the smooth surface is carried on into passive cells and cut there by the true shapes.

Voxels know a bore by the centres inside it, so its wall is a staircase half a voxel to and fro. Here passive
cells next to the design take over what their neighbours are, as if there were no region; then true shapes are
added (solid), taken away (void) or all that is kept (domain), in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.boolean import from_manifold, to_manifold
from trabecula.surface.mesh import Mesh
from trabecula.surface.separate import separate

if TYPE_CHECKING:
    from manifold3d import Manifold

_REACH = 2
"""Cells that the design is carried on into passive ones: one for the staircase, one to be smooth."""

_FINEST = 1e-3
"""Of a voxel: edges that are shorter go, so that float32 does not merge their ends."""

MARGIN = 2 * _FINEST
"""Of a voxel: by how much void shapes should be larger than they are, for the edges that go."""

_EXACT = 2e-3
_MOST = 0.25


@dataclass(frozen=True, eq=False)
class Cut:
    """A true shape that the surface follows.

    Attributes
    ----------
    kind
        "solid": all of it is material; "void": nothing of it is; "domain": nothing outside it is.
    mesh
        The shape, closed, in metres. Where it ends with the box of cells it may go beyond.
    """

    kind: Literal["solid", "void", "domain"]
    mesh: Mesh


def carry_on(values: NDArray[np.float32], passive: NDArray[np.bool_]) -> None:
    """Write into passive cells what the design next to them would be, in place.

    Parameters
    ----------
    values
        float32 `[z, y, x]`, with one cell around it all.
    passive
        bool, the same shape without those: cells that a region takes from the design.
    """
    unknown = np.pad(passive, 1)
    known = np.pad(~passive, 1)
    strides = np.array([values.shape[1] * values.shape[2], values.shape[2], 1])
    steps = [np.array(step) - 1 for step in product(range(3), repeat=3) if step != (1, 1, 1)]
    flat, is_known = values.reshape(-1), known.reshape(-1)
    for _ in range(_REACH):
        cells = np.flatnonzero(unknown & ~known)
        total, weights = np.zeros(len(cells)), np.zeros(len(cells))
        for step in steps:
            # faces before edges before corners
            there = cells + int(step @ strides)
            weight = 0.1 ** (int(np.abs(step).sum()) - 1) * is_known[there]
            total += weight * flat[there]
            weights += weight
        near = weights > 0
        flat[cells[near]] = total[near] / weights[near]
        is_known[cells[near]] = True


def cut_to_volume(
    make: Callable[[float], Mesh],
    cuts: Sequence[Cut],
    box: Mesh,
    part: NDArray[np.bool_],
    cell: NDArray[np.float64],
    slope: float,
) -> Mesh:
    """The cut surface, its free faces moved evenly until it has the volume of its part.

    Parameters
    ----------
    make
        Gives the surface before it is cut, its free faces moved outwards by a distance in metres.
    cuts
        True shapes, in the order in which they count.
    box
        What no solid shape leaves.
    part
        bool `[z, y, x]`: the cells whose volume is asked for. Pieces without any of them are left out.
    cell
        float64 `(x, y, z)`: edge lengths of a cell in metres.
    slope
        About how fast the volume grows with the distance, in square metres.
    """
    shapes = [(cut.kind, to_manifold(cut.mesh)) for cut in cuts]
    frame = to_manifold(box)
    target = float(np.count_nonzero(part)) * float(np.prod(cell))
    limit = _MOST * float(cell.min())
    distance = 0.0
    pieces = _cut(make(distance), shapes, frame, part, cell)
    volume = sum(piece.volume() for piece in pieces)
    for _ in range(3):
        if slope <= 0 or abs(volume - target) <= _EXACT * target:
            break
        step = float(np.clip(distance + (target - volume) / slope, -limit, limit))
        if step == distance:
            break
        before = volume
        pieces = _cut(make(step), shapes, frame, part, cell)
        volume = sum(piece.volume() for piece in pieces)
        slope = (volume - before) / (step - distance)
        distance = step
    finest = _FINEST * float(cell.min())
    simple = [from_manifold(piece.simplify(finest)) for piece in pieces]
    return separate(_join([piece for piece in simple if len(piece.faces)]), finest)


def _cut(
    mesh: Mesh,
    shapes: Sequence[tuple[str, Manifold]],
    box: Manifold,
    part: NDArray[np.bool_],
    cell: NDArray[np.float64],
) -> list[Manifold]:
    """What is left of a surface by true shapes: its pieces that are of the part, and their cavities."""
    body = to_manifold(mesh)
    for kind, shape in shapes:
        if kind == "solid":
            body += shape ^ box
        elif kind == "void":
            body -= shape
        else:
            body ^= shape
    return [piece for piece in body.decompose() if _is_worth_keeping(piece, part, cell)]


def _is_worth_keeping(piece: Manifold, part: NDArray[np.bool_], cell: NDArray[np.float64]) -> bool:
    """Whether a piece is of the part, or a cavity of more than half a cell."""
    volume = piece.volume()
    if abs(volume) < 0.5 * float(np.prod(cell)):
        return False
    if volume < 0:
        return True
    low, high = np.array(piece.bounding_box()).reshape(2, 3) / cell
    first = np.maximum(np.ceil(low - 0.5), 0).astype(int)
    last = np.floor(high - 0.5).astype(int)
    within = tuple(slice(first[axis], last[axis] + 1) for axis in (2, 1, 0))
    return bool(part[within].any())


def _join(pieces: Sequence[Mesh]) -> Mesh:
    """Closed surfaces that do not meet, as one mesh."""
    count = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    return Mesh(
        np.concatenate([np.empty((0, 3)), *(piece.vertices for piece in pieces)]),
        np.concatenate(
            [
                np.empty((0, 3), np.int64),
                *(piece.faces + n for piece, n in zip(pieces, count[:-1].tolist(), strict=True)),
            ]
        ),
    )
