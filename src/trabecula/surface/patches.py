"""Which crossed edges of a cube of 2 x 2 x 2 samples belong to one patch of the surface.

An iso-surface passes a cube in up to four separate patches. On a face whose corners alternate solid and void
there are two ways to join them; the caller decides by the mean of the four values, which both cubes at the
face see alike, so that neighbours always agree (the idea of the asymptotic decider, Nielson & Hamann 1991).
One vertex a patch, instead of one a cube, makes the dual surface a manifold (dual marching cubes, Nielson
2004).

Corners are numbered `x + 2 y + 4 z`, edges `4 axis + b + 2 c` where (b, c) is the place of the edge along
the two axes that follow `axis` cyclically, faces `2 axis + side`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_STEP = (1, 2, 4)


def _corner(axis: int, along: int, b: int, c: int) -> int:
    return along * _STEP[axis] + b * _STEP[(axis + 1) % 3] + c * _STEP[(axis + 2) % 3]


EDGE_CORNERS: NDArray[np.int64] = np.array(
    [[_corner(axis, end, b, c) for end in (0, 1)] for axis in range(3) for c in (0, 1) for b in (0, 1)]
)
"""int64 `[edge, end]`: the corners an edge joins, the lower one first."""

FACE_CORNERS: NDArray[np.int64] = np.array(
    [[_corner(axis, side, b, c) for c in (0, 1) for b in (0, 1)] for axis in range(3) for side in (0, 1)]
)
"""int64 `[face, corner]`: in the order b + 2 c, the same for both cubes that share a face."""

_EDGE_OF = {tuple(int(c) for c in corners): edge for edge, corners in enumerate(EDGE_CORNERS)}

FACE_EDGES: NDArray[np.int64] = np.array(
    [
        [_EDGE_OF[(int(face[low]), int(face[high]))] for low, high in ((0, 1), (2, 3), (0, 2), (1, 3))]
        for face in FACE_CORNERS
    ]
)
"""int64 `[face, edge]`: the edges around a face."""

_BITS = (np.arange(256)[:, None] >> np.arange(8)) & 1

CROSSED: NDArray[np.bool_] = _BITS[:, EDGE_CORNERS[:, 0]] != _BITS[:, EDGE_CORNERS[:, 1]]
"""bool `[configuration, edge]`: whether the surface crosses an edge; bit k of the configuration: corner k is
solid."""

_ON_FACE = _BITS[:, FACE_CORNERS]

ALTERNATING: NDArray[np.bool_] = (
    (_ON_FACE[..., 0] == _ON_FACE[..., 3])
    & (_ON_FACE[..., 1] == _ON_FACE[..., 2])
    & (_ON_FACE[..., 0] != _ON_FACE[..., 1])
)
"""bool `[configuration, face]`: whether solid and void alternate around a face."""


@lru_cache(maxsize=256 * 64)
def patches(configuration: int, joined: int) -> tuple[int, ...]:
    """The patch of each of the twelve edges, numbered from 0; -1 where the surface does not cross.

    Parameters
    ----------
    configuration
        Bit k: corner k is solid.
    joined
        Bit f: on the alternating face f the solid corners are joined (rather than the void ones).

    Examples
    --------
    >>> max(patches(0b00000001, 0)), max(patches(0b10000001, 0))
    (0, 1)
    """
    group = list(range(12))

    def root(edge: int) -> int:
        while group[edge] != edge:
            edge = group[edge]
        return edge

    for face, (corners, edges) in enumerate(zip(FACE_CORNERS.tolist(), FACE_EDGES.tolist(), strict=True)):
        if ALTERNATING[configuration, face]:
            # each piece of contour cuts one corner off: a void one where the solid is joined
            cut = 0 if joined >> face & 1 else 1
            pieces = [
                [edge for edge in edges if corner in EDGE_CORNERS[edge]]
                for corner in corners
                if configuration >> corner & 1 == cut
            ]
        else:
            pieces = [[edge for edge in edges if CROSSED[configuration, edge]]]
        for piece in pieces:
            for edge in piece[1:]:
                group[root(edge)] = root(piece[0])
    number: dict[int, int] = {}
    return tuple(
        number.setdefault(root(edge), len(number)) if CROSSED[configuration, edge] else -1
        for edge in range(12)
    )
