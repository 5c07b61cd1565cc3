"""The figures of a part's shape by another path, to hold the claimed ones to.

Places where balls fit come from SciPy's distance transform on a lattice twice as fine, which holds the places
between voxels too; pieces from SciPy's labels, of each piece for itself; undersides are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import ceil, cos, exp, inf, radians

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.verdict import Check, compare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.numerics.member_size import BESIDE, SHORT
from trabecula.part.overhang import ANGLE, REACH, STEEPEST, TOLERANCE, WIDTH
from trabecula.part.record import Part
from trabecula.part.shape_figures import ShapeFigures
from trabecula.problem.model import Domain

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FIELDS = ("minimum_member", "minimum_gap", "maximum_member", "overhang", "resolution")

NOTE_OLDER = "an older result, which did not measure the shape of its part; solve it again to know it"

CLOSE = 1e-9
"""Relative difference of lengths that counts as rounding."""

NEARLY = 1e-5
"""The same of the distances of voxels."""

ALIKE = 1e-3
"""Difference of shares of overhang: an area at the very angle may count here and not there."""


def check_shape(discrete: DiscreteProblem, part: Part, domain: Domain) -> Iterator[Check]:
    """Compare the figures of a part's shape with what comes out here.

    Parameters
    ----------
    discrete
        The problem on its grid.
    part
        As it was saved.
    domain
        Of the problem; it has the edges of a voxel where the grid is a box of voxels.
    """
    claimed = [getattr(part, name) for name in FIELDS]
    is_box = isinstance(discrete.grid, Grid)
    if is_box and all(value is None for value in claimed):
        yield Check("part.shape", None, None, 0.0, "unchecked", NOTE_OLDER)
        return
    found = remeasure_shape(discrete, part.mask, domain.spacing) if is_box else ShapeFigures()
    for name, value in zip(FIELDS, claimed, strict=True):
        own = getattr(found, name)
        room = ALIKE if name == "overhang" else CLOSE * (own or 0.0)
        yield compare(f"part.{name}", value, own, room)


def remeasure_shape(discrete: DiscreteProblem, mask: Mask, spacing: tuple[float, ...]) -> ShapeFigures:
    """What `trabecula.part.shape_figures.measure_shape` measures of a part on a box of voxels."""
    whole = _with_images(discrete, mask)
    edges = np.array(spacing[::-1])
    if not whole.any():
        return ShapeFigures(resolution=float(edges.max()))
    solid = _Clearance(whole, edges, is_open=False)
    ladder = _diameters(edges, 2.0 * float(solid.distance.max()) + 2.0 * float(edges.max()))
    thickest = max(d for d in ladder if solid.holds(d))
    thinnest = _find_thinnest(solid, ladder, thickest)
    gap = None
    if not whole.all():
        most = float((edges * whole.shape).max())
        free = _Clearance(~whole, edges, is_open=True)
        gap = _find_thinnest(free, _diameters(edges, most + 2.0 * float(edges.max())), most)
    overhang = _remeasure_overhang(whole, edges)
    return ShapeFigures(thinnest, thickest, gap, overhang, float(edges.max()))


def _with_images(discrete: DiscreteProblem, mask: Mask) -> Mask:
    """The part with what lies beyond planes of symmetry: sides whose material is held across, not along."""
    whole, void, axes = mask, discrete.void, range(mask.ndim)
    if not discrete.physics.is_vector or len(discrete.fixed) != mask.ndim:
        return whole
    for axis, end in product(axes, (0, -1)):
        along = mask.ndim - 1 - axis
        cells = np.pad(~np.take(void, end, along), 1)
        corners = np.zeros([n - 1 for n in cells.shape], dtype=bool)
        for low in product((0, 1), repeat=cells.ndim):
            corners |= cells[tuple(slice(b, b + n) for b, n in zip(low, corners.shape, strict=True))]
        is_free = [bool((corners & ~np.take(held, end, along)).any()) for held in discrete.fixed]
        if corners.any() and not is_free[axis] and all(is_free[i] for i in axes if i != axis):
            image = np.flip(whole if whole.shape != mask.shape else mask, along)
            whole = np.concatenate([whole, image] if end else [image, whole], along)
    return whole


def _diameters(edges: Array, most: float) -> list[float]:
    """The multiples of the edges of a voxel; of those nearer than a quarter of the shortest the least."""
    every = sorted({n * float(h) for h in edges for n in range(1, ceil(most / h) + 1)})
    found = [every[0]]
    for each in every:
        if each - found[-1] >= 0.25 * edges.min():
            found.append(each)
    return found


class _Clearance:
    """Distances to the nearest voxel of the other kind on a lattice of half voxels."""

    def __init__(self, inside: Mask, edges: Array, is_open: bool) -> None:
        from scipy.ndimage import distance_transform_edt

        padded = np.pad(inside, 2, constant_values=is_open)
        fine = np.ones([2 * n - 1 for n in padded.shape], dtype=bool)
        fine[(slice(None, None, 2),) * inside.ndim] = padded
        self.edges, self.is_open = edges, is_open
        self.distance = distance_transform_edt(fine, sampling=0.5 * edges)

    def holds(self, diameter: float) -> bool:
        """Whether a ball fits anywhere."""
        return bool(self.fit(diameter).any())

    def offsets(self, diameter: float) -> list[int]:
        """For every axis 0 where balls have their centres in voxels, 1 where between them."""
        return [(ceil(diameter / h - NEARLY) + 1) % 2 for h in self.edges]

    def fit(self, diameter: float) -> Mask:
        """Places on the fine lattice where a ball fits, and beside each along long edges, too."""
        from scipy.ndimage import binary_dilation

        places = np.zeros(self.distance.shape, dtype=bool)
        offsets = self.offsets(diameter)
        own = tuple(slice(first, None, 2) for first in offsets)
        is_wide = self.distance >= 0.5 * diameter * (1.0 - 0.5 * NEARLY)
        fits = is_wide[own]
        longer = [h > self.edges.min() * (1.0 + NEARLY) for h in self.edges]
        moves = [(0, 1) if far and first else (0,) for far, first in zip(longer, offsets, strict=True)]
        for move in product(*moves):
            if any(move):
                beside = np.zeros_like(is_wide)
                others = tuple(slice(first - m, None, 2) for first, m in zip(offsets, move, strict=True))
                beside[others] = is_wide[others]
                fits = fits & binary_dilation(beside, np.ones([1 + 2 * m for m in move], dtype=bool))[own]
        if self.is_open:
            inner = np.zeros_like(fits)
            inner[(slice(1, -1),) * fits.ndim] = True
            fits |= ~inner
        places[own] = fits
        return places


def _find_thinnest(clearance: _Clearance, ladder: list[float], most: float) -> float | None:
    from scipy.ndimage import binary_dilation

    for diameter, larger in pairwise(ladder):
        if diameter > most * (1.0 + CLOSE):
            return None
        ours, theirs = clearance.offsets(diameter), clearance.offsets(larger)
        near = np.ones([3 if a != b else 1 for a, b in zip(ours, theirs, strict=True)], dtype=bool)
        own = tuple(slice(first, None, 2) for first in ours)
        fits = clearance.fit(diameter)[own]
        covered = fits & binary_dilation(clearance.fit(larger), near)[own]
        if _is_member(fits & ~covered, covered, diameter, clearance.edges):
            return diameter
    return None


def _is_member(skeleton: Mask, thicker: Mask, diameter: float, edges: Array) -> bool:
    """Whether a piece of the skeleton is met on no side, on several, or reaches far from the one."""
    from scipy.ndimage import binary_dilation, find_objects, label

    if not skeleton.any():
        return False
    every = np.ones((3,) * skeleton.ndim, dtype=bool)
    pieces, _ = label(skeleton, every)
    sides, _ = label(thicker & binary_dilation(skeleton, every, iterations=BESIDE), every)
    for number, box in enumerate(find_objects(pieces), 1):
        around = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in box)
        beside = binary_dilation(pieces[around] == number, every)
        if len(set(np.unique(sides[around][beside])) - {0}) != 1:
            return True
    left, reached = skeleton, thicker
    steps = ceil(0.5 * diameter / edges.min() + SHORT - 1.0 - NEARLY)
    passed = np.floor(np.arange(steps + 1)[:, None] * edges.min() / edges + NEARLY).astype(int)
    moves = [np.ones_like(passed[0]), *np.diff(passed, axis=0)]  # a voxel in any direction, then by length
    for move in moves:
        reached = binary_dilation(reached, np.ones(1 + 2 * move, dtype=bool)) & (skeleton | thicker)
        left = skeleton & ~reached
        if not left.any():
            return False
    return True


def _remeasure_overhang(inside: Mask, edges: Array) -> float:
    """The share of overhang; the slope of each underside is a sum over all voxels around it."""
    width = WIDTH * float(edges.max())
    reach = [ceil(REACH * width / h) for h in edges]
    around = np.pad(inside, [(r + 1, r + 1) for r in reach]).astype(np.float64)
    under = np.argwhere((around[1:] > 0.0) & (around[:-1] == 0.0))
    slopes = np.zeros((len(under), inside.ndim))
    for step in product(range(-reach[0], reach[0] + 2), *(range(-r, r + 1) for r in reach[1:])):
        away = (np.array(step) - [0.5, *[0.0] * (inside.ndim - 1)]) * edges / width
        bell = exp(-0.5 * float(away @ away))
        slopes += (bell * around[tuple((under + step).T)])[:, None] * away
    length = np.linalg.norm(slopes, axis=1)
    upright = np.where(length > 0.0, slopes[:, 0] / np.where(length > 0.0, length, inf), 1.0)
    lowest = under[:, 0] == under[:, 0].min()
    area = np.where(lowest, 1.0, 1.0 / np.maximum(upright, STEEPEST))
    return float(area[~lowest & (upright > cos(radians(ANGLE - TOLERANCE)))].sum() / area.sum())
