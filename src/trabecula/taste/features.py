"""What taste sees of a design: a few numbers that people see too, and the auto-encoder's code.

All numbers are the same for a design and its mirror images: they are taken of one and the same image of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from trabecula.gallery.describe import describe
from trabecula.gallery.thinning import skeleton
from trabecula.surrogate.latent import Latent

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Feature:
    """A number of a design, and what few and much of it are called.

    Attributes
    ----------
    name
        In files and on the command line.
    low, high
        The words for designs that have little, and much of it.
    """

    name: str
    low: str
    high: str


FEATURES = (
    Feature("thickness", "thin members", "thick members"),
    Feature("evenness", "members of many thicknesses", "members of one thickness"),
    Feature("holes", "few holes", "many holes"),
    Feature("members", "few members", "many members"),
    Feature("slenderness", "stocky members", "slender members"),
    Feature("symmetry", "asymmetric", "symmetric"),
    Feature("diagonal", "members along the axes", "diagonal members"),
    Feature("along", "surfaces across x", "surfaces along x"),
    Feature("reach", "material close together", "material spread wide"),
)
"""What a design is described by, in this order."""

NAMES = tuple(feature.name for feature in FEATURES)
"""The names of the features, in the order of all arrays here."""


@dataclass(frozen=True, eq=False)
class Look:
    """A design as taste sees it.

    Attributes
    ----------
    features
        float64 `[feature]`, in the order of `FEATURES`: logarithms of counts and lengths, else shares.
    code
        float64 `[number]`: of the auto-encoder; None where none ships for its dimension.
    coder
        Which auto-encoder; codes of different ones are not compared.
    """

    features: Array
    code: Array | None = None
    coder: str = ""

    def value(self, name: str) -> float:
        """A feature by its name."""
        return float(self.features[NAMES.index(name)])


def look_at(mask: Mask, spacing: Sequence[float], with_code: bool = True) -> Look:
    """A design as taste sees it; the same for all its mirror images.

    Parameters
    ----------
    mask
        bool `[z, y, x]` or `[y, x]`: the voxels of the part.
    spacing
        Edge lengths of a voxel along x, y(, z), m.
    with_code
        Whether the auto-encoder is asked, where one ships.
    """
    image = standard_image(mask)
    latent = Latent.from_package(mask.ndim) if with_code else None
    code = None
    if latent is not None:
        size = [n * edge for n, edge in zip(mask.shape[::-1], spacing, strict=True)]
        code = latent.encode(image.astype(np.float64), size).astype(np.float64)
    return Look(_features(image, spacing), code, "" if latent is None else latent.label)


def standard_image(mask: Mask) -> Mask:
    """One of the mirror images of a design, the same one whichever of them is given."""
    axes = range(mask.ndim)
    flips = chain.from_iterable(combinations(axes, count) for count in range(mask.ndim + 1))
    images = [np.ascontiguousarray(np.flip(mask, flip)) for flip in flips]
    return max(images, key=lambda image: np.packbits(image).tobytes())


def _features(mask: Mask, spacing: Sequence[float]) -> Array:
    seen = describe(mask, spacing)
    edges = np.asarray(spacing, np.float64)
    size = float(np.prod(edges * np.array(mask.shape[::-1])) ** (1.0 / mask.ndim))
    squares = _squared_slopes(mask, edges)
    lengths = squares.sum(axis=0)
    surface = float(np.sqrt(lengths).sum() * np.prod(edges))
    material = float(mask.sum()) * float(np.prod(edges))
    thick = 2.0 * (mask.ndim - 1) * material / surface if surface else size
    found = {
        "thickness": np.log(max(thick, float(edges.min())) / size),
        "evenness": -_unevenness(mask, edges),
        "holes": np.log1p(max(seen.holes, 0)),
        "members": np.log1p(seen.members),
        "slenderness": np.log(max(material, 1e-300) / (max(seen.members, 1) * thick**mask.ndim)),
        "symmetry": max(seen.symmetry.values()),
        "diagonal": _diagonal_share(squares, lengths),
        "along": seen.directions["x"],
        "reach": _reach(mask, edges),
    }
    return np.array([found[name] for name in NAMES], np.float64)


def _squared_slopes(mask: Mask, edges: Array) -> Array:
    """Squares of the slopes of a smoothed picture along z, y, x, `[axis, z, y, x]`, over 1/m2."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.pad(mask, 2).astype(np.float64), 0.7)
    return np.stack([slope**2 for slope in np.gradient(smooth, *edges[::-1])])


def _unevenness(mask: Mask, edges: Array) -> float:
    """Standard deviation of the thickness along the skeleton, relative to its mean."""
    from scipy.ndimage import distance_transform_edt

    lines = skeleton(mask)
    depth = distance_transform_edt(np.pad(mask, 1), edges[::-1])[(slice(1, -1),) * mask.ndim]
    widths = 2.0 * depth[lines] - float(edges.mean())
    return float(widths.std() / widths.mean()) if widths.size and widths.mean() > 0.0 else 0.0


def _diagonal_share(squares: Array, lengths: Array) -> float:
    """How much of the surface runs along no axis and in no plane of them: 0 to 1, from its normals."""
    total = float(lengths.sum())
    if not total:
        return 0.0
    fourth = (squares**2).sum(axis=0) / np.maximum(lengths, 1e-300)  # weighs normals by their squared lengths
    return float((1.0 - fourth.sum() / total) * len(squares) / (len(squares) - 1))


def _reach(mask: Mask, edges: Array) -> float:
    """Mean distance of the material from its centre, relative to that of the whole box."""

    def mean_distance(places: Array) -> float:
        return float(np.sqrt(np.square(places - places.mean(axis=0)).sum(axis=1)).mean())

    whole = np.indices(mask.shape).reshape(mask.ndim, -1).T * edges[::-1]
    chosen = whole[mask.ravel()]
    return mean_distance(chosen) / max(mean_distance(whole), 1e-300) if len(chosen) else 0.0
