"""Skeletons of solids: voxels are taken off, outermost first, as long as nothing falls apart or is filled.

A voxel may go where the solid and the void around it keep their pieces (a simple point; Bertrand and
Malandain 1994), the solid joined through corners and the void through faces. Ends of lines stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Neighbourhood:
    """The cells around a voxel as bits: which cells each touches at all, and which through a face."""

    offsets: tuple[tuple[int, ...], ...]
    touching: tuple[int, ...]
    sharing: tuple[int, ...]
    faces: int
    near: int


@cache
def _around(dimension: int) -> _Neighbourhood:
    offsets = tuple(o for o in product((-1, 0, 1), repeat=dimension) if any(o))
    apart = [[[abs(a - b) for a, b in zip(one, other, strict=True)] for other in offsets] for one in offsets]
    near = sum(1 << k for k, o in enumerate(offsets) if sum(map(abs, o)) < 3)
    return _Neighbourhood(
        offsets,
        tuple(sum(1 << j for j, d in enumerate(row) if max(d) == 1) for row in apart),
        tuple(sum(1 << j for j, d in enumerate(row) if sum(d) == 1) & near for row in apart),
        sum(1 << k for k, o in enumerate(offsets) if sum(map(abs, o)) == 1),
        near,
    )


def _flood(start: int, within: int, links: tuple[int, ...]) -> int:
    """All cells of `within` that are reached from one of them."""
    reached = front = start
    while front:
        lowest = front & -front
        front ^= lowest
        new = links[lowest.bit_length() - 1] & within & ~reached
        reached |= new
        front |= new
    return reached


def is_simple(solid: int, dimension: int) -> bool:
    """Whether a voxel with this solid around it can go without a change of topology.

    Parameters
    ----------
    solid
        Bit k is set where neighbour k is solid, in the order of `itertools.product((-1, 0, 1), ...)` without
        the voxel itself.
    """
    around = _around(dimension)
    if not solid or _flood(solid & -solid, solid, around.touching) != solid:
        return False
    void = ~solid & around.near
    beside = void & around.faces
    return bool(beside) and not beside & ~_flood(beside & -beside, void, around.sharing)


def skeleton(mask: Mask) -> Mask:
    """The lines in the middle of a solid, bool of the same shape `[z, y, x]` or `[y, x]`.

    The same on every machine, and as many pieces, holes and tunnels as the solid has. Costs some 10
    microseconds a solid voxel in the plane, five times that in space.
    """
    from scipy.ndimage import distance_transform_cdt

    dimension = mask.ndim
    around = _around(dimension)
    padded = np.pad(mask, 1)
    depth = distance_transform_cdt(padded, "chessboard")
    strides = [int(np.prod(padded.shape[axis + 1 :])) for axis in range(dimension)]
    jumps = [
        sum(step * each for step, each in zip(offset, strides, strict=True)) for offset in around.offsets
    ]
    solid = bytearray(padded.astype(np.uint8).tobytes())
    places = np.flatnonzero(padded)
    order = places[np.argsort(depth.ravel()[places], kind="stable")]
    queue = order.tolist()
    changed = True
    while changed:
        changed, kept = False, []
        for place in queue:
            bits = 0
            for k, jump in enumerate(jumps):
                if solid[place + jump]:
                    bits |= 1 << k
            if bits.bit_count() > 1 and is_simple(bits, dimension):
                solid[place] = 0
                changed = True
            else:
                kept.append(place)
        queue = kept
    found = np.frombuffer(bytes(solid), np.uint8).reshape(padded.shape).astype(bool)
    return found[(slice(1, -1),) * dimension]


def count_members(lines: Mask, depth: NDArray[np.floating]) -> int:
    """How many members a skeleton has: the lines between its joints and ends.

    A joint is a patch of voxels that each have three neighbours or more; what is left without the joints are
    the members. A line with a free end that is no longer than its joint is thick belongs to the joint.

    Parameters
    ----------
    lines
        What `skeleton` returns.
    depth
        Distance to the surface in voxels, of the same shape.
    """
    from scipy.ndimage import convolve, label

    block = np.ones((3,) * lines.ndim, int)
    neighbours = convolve(lines.astype(int), block, mode="constant") - lines
    joints = lines & (neighbours > 2)
    members, count = label(lines & ~joints, block)
    if not count:
        return int(lines.any())
    sizes = np.bincount(members.ravel(), minlength=count + 1)
    grown, many = label(joints, block)
    thick = np.zeros(many + 1)
    np.maximum.at(thick, grown[joints], depth[joints])
    touched: dict[int, set[int]] = {}
    padded = np.pad(grown, 1)
    for place in np.argwhere(members > 0):
        around = padded[tuple(slice(p, p + 3) for p in place)]
        touched.setdefault(int(members[tuple(place)]), set()).update(np.unique(around[around > 0]).tolist())
    return sum(
        len(touched[k]) != 1 or bool(sizes[k] > max(1.0, *(2.0 * thick[j] for j in touched[k])))
        for k in range(1, count + 1)
    )
