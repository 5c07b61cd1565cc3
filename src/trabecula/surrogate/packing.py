"""Voxels into patches and back: a network that sees 2x2x2 voxels as one place costs an eighth.

A coarse design is constant over such a patch, so nothing that a hand-over has is lost; the network answers
with one value per voxel of every patch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Channels = NDArray[np.float32]


def pack(fields: Channels, patch: int, multiple: int) -> Channels:
    """Patches as channels, padded with zeros (outside) to a multiple.

    Parameters
    ----------
    fields
        float32 `[channel, z, y, x]` or `[channel, y, x]`.
    patch
        Voxels along the edge of a patch.
    multiple
        Places along every axis are a multiple of this.

    Returns
    -------
    NDArray[np.float32]
        `[channel * patch^d, z', y', x']`, offsets within the patch fastest.

    Examples
    --------
    >>> pack(np.arange(4, dtype=np.float32).reshape(1, 2, 2), 2, 1).ravel()
    array([0., 1., 2., 3.], dtype=float32)
    """
    shape = fields.shape[1:]
    step = patch * multiple
    fields = np.pad(fields, [(0, 0), *((0, -n % step) for n in shape)])
    places = [n // patch for n in fields.shape[1:]]
    split = fields.reshape(fields.shape[0], *(k for n in places for k in (n, patch)))
    d = len(shape)
    order = (0, *(2 + 2 * a for a in range(d)), *(1 + 2 * a for a in range(d)))
    return np.ascontiguousarray(split.transpose(order).reshape(-1, *places))


def unpack(packed: Channels, patch: int, shape: tuple[int, ...]) -> Channels:
    """The inverse of `pack`, without the padding: `[channel, *shape]`."""
    d = len(shape)
    places = packed.shape[1:]
    split = packed.reshape(-1, *([patch] * d), *places)
    order = [0]
    for axis in range(d):
        order += [1 + d + axis, 1 + axis]
    whole = split.transpose(order).reshape(split.shape[0], *(n * patch for n in places))
    return np.ascontiguousarray(whole[(slice(None), *(slice(n) for n in shape))])
