"""Designs as a few numbers each, and back: what gallery, retrieval and taste compare designs by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.root_finding import root
from trabecula.surrogate.canonical import (
    SIDE,
    aspects,
    canonical,
    interpolate_onto,
    moves,
)
from trabecula.surrogate.model import (
    FOLDER,
    Model,
    cards,
    load_model,
)
from trabecula.surrogate.packing import pack, unpack

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SURE = 40.0
"""Logits are within this, either way, and no shift is larger than twice that."""


@dataclass(frozen=True, eq=False)
class Latent:
    """An auto-encoder of designs at work.

    Attributes
    ----------
    encoder
        Design on the small grid and aspects of its box, to a code.
    decoder
        Code and aspects, to logits on the small grid.
    """

    encoder: Model
    decoder: Model

    @classmethod
    def load(cls, dimension: int, folder: Path = FOLDER) -> Latent:
        """The auto-encoder of a folder of models.

        Raises
        ------
        UnreadableError
            If there is none, or its files are not those the manifest speaks of.
        """
        return cls(*(load_model(f"{part}-{dimension}d", folder) for part in ("encoder", "decoder")))

    @classmethod
    def from_package(cls, dimension: int) -> Latent | None:
        """The one that ships, in 2-D or 3-D, if there is one."""
        return _from_package(dimension)

    @property
    def numbers(self) -> int:
        """Numbers in a code."""
        return self.encoder.card.answers

    @property
    def dimension(self) -> int:
        """Of the designs."""
        return self.encoder.card.dimension

    @property
    def label(self) -> str:
        """Codes of different labels are not comparable."""
        return f"{self.encoder.card.name}-{self.encoder.card.sha256[:12]}"

    def encode(self, density: NDArray[np.floating], size: Sequence[float] | None = None) -> Floats:
        """The code of a design.

        Parameters
        ----------
        density
            Physical density, 0 to 1, `[z, y, x]` or `[y, x]`, of any grid.
        size
            Sides of the box along x, y(, z), in any unit; None if voxels are cubes (or squares).

        Returns
        -------
        NDArray[np.float32]
            `[numbers]`.

        Raises
        ------
        ValueError
            If the design has another dimension, or a density that is no number.
        """
        code: Floats = self._codes(*self._to_network(density, size))[0]
        return code

    def images(
        self,
        density: NDArray[np.floating],
        size: Sequence[float] | None = None,
        turned: bool = True,
    ) -> Floats:
        """The codes of a design and of its images, mirrored and turned: what `nearest` takes as one query.

        Parameters
        ----------
        turned
            Whether axes change places too; else mirrored only.

        Returns
        -------
        NDArray[np.float32]
            `[image, numbers]` in the order of `trabecula.surrogate.canonical.moves`: the design first.
        """
        small, sides = self._to_network(density, size)
        wanted = moves(self.dimension, turned)
        seen = np.concatenate([np.flip(small[0].transpose(order), flip)[None] for order, flip in wanted])
        return self._codes(seen, np.concatenate([sides[:, list(order)] for order, _ in wanted]))

    def logits(
        self,
        codes: NDArray[np.floating],
        shape: Sequence[int],
        size: Sequence[float] | None = None,
    ) -> Floats:
        """What the decoder says of every voxel of a grid; `trabecula.starts.fill` makes a start of it.

        Parameters
        ----------
        codes
            `[numbers]`, or `[design, numbers]`.
        shape
            Of the grid, along z, y, x or y, x.
        size
            Sides of the box along x, y(, z), in any unit; None if voxels are cubes (or squares).

        Returns
        -------
        NDArray[np.float32]
            `[z, y, x]`, or one such field a code.
        """
        codes, shape = np.asarray(codes, np.float32), tuple(shape)
        self._check(len(shape))
        if codes.shape[-1:] != (self.numbers,) or codes.ndim > 2:
            raise ValueError(f"a code of this network has {self.numbers} numbers, not {codes.shape}")
        several = codes.reshape(-1, self.numbers)
        sides = np.repeat(aspects(size or shape[::-1])[None], len(several), axis=0)
        packed = self.decoder.run({"codes": several, "aspects": sides})
        small = (SIDE[self.dimension],) * self.dimension
        fields = [unpack(one, self.decoder.card.patch, small)[0].astype(np.float64) for one in packed]
        found = np.stack([interpolate_onto(field, shape) for field in fields]).astype(np.float32)
        return found if codes.ndim == 2 else found[0]

    def decode(
        self,
        codes: NDArray[np.floating],
        shape: Sequence[int],
        size: Sequence[float] | None = None,
        volume: float | None = None,
    ) -> Floats:
        """Designs of codes, on a grid of any size.

        Parameters
        ----------
        codes
            `[numbers]`, or `[design, numbers]`.
        shape
            Of the grid, along z, y, x or y, x.
        size
            Sides of the box along x, y(, z), in any unit; None if voxels are cubes (or squares).
        volume
            Mean density of the box, met to 1e-6 by one shift of all logits; None leaves it to the code.

        Returns
        -------
        NDArray[np.float32]
            Densities `[z, y, x]`, or one such field a code.
        """
        logits = self.logits(codes, shape, size).astype(np.float64)
        if volume is None:
            return _density(logits)
        if not 0.0 < volume < 1.0:
            raise ValueError(f"a volume of {volume:g} is not between 0 and 1")
        several = logits.reshape(-1, *tuple(shape))
        return np.stack([_fill(field, volume) for field in several]).reshape(logits.shape)

    def difference(self, distance: float) -> float:
        """What a distance of codes says of their designs: about the root mean square of how they differ."""
        return float(distance / (self.encoder.card.settings["scale"] * np.sqrt(self.numbers)))

    def _to_network(
        self, density: NDArray[np.floating], size: Sequence[float] | None
    ) -> tuple[Floats, Floats]:
        """A design and its aspects as batches of one."""
        self._check(density.ndim)
        if not np.isfinite(density).all():
            raise ValueError("a density is not a number")
        return canonical(density)[None], aspects(size or density.shape[::-1])[None]

    def _codes(self, small: Floats, sides: Floats) -> Floats:
        packed = np.stack([pack(one[None], self.encoder.card.patch, 1) for one in small])
        return self.encoder.run({"fields": packed, "aspects": sides})

    def _check(self, dimension: int) -> None:
        if dimension != self.dimension:
            raise ValueError(f"this network knows designs in {self.dimension}-D, not in {dimension}-D")


def nearest(
    codes: NDArray[np.floating], query: NDArray[np.floating], count: int = 5
) -> tuple[NDArray[np.intp], Floats]:
    """The codes nearest to a design's.

    Parameters
    ----------
    codes
        `[design, numbers]`.
    query
        `[numbers]`, or `[image, numbers]` of `Latent.images`: the nearest image counts.
    count
        How many at most.

    Returns
    -------
    tuple
        Indices into `codes`, nearest first, and Euclidean distances.

    Examples
    --------
    >>> index, distance = nearest(np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]]), np.zeros(2), 2)
    >>> index.tolist(), distance.tolist()
    ([0, 2], [0.0, 1.0])
    """
    known = np.asarray(codes, np.float64)
    images = np.asarray(query, np.float64).reshape(-1, known.shape[1])
    distances = np.stack([np.linalg.norm(known - image, axis=1) for image in images]).min(axis=0)
    order = np.argsort(distances, kind="stable")[:count]
    return order, distances[order].astype(np.float32)


@cache
def _from_package(dimension: int) -> Latent | None:
    return (
        Latent.load(dimension) if {f"encoder-{dimension}d", f"decoder-{dimension}d"} <= set(cards()) else None
    )


def _density(logits: Array) -> Floats:
    return (1.0 / (1.0 + np.exp(-np.clip(logits, -SURE, SURE)))).astype(np.float32)


def _fill(logits: Array, volume: float) -> Floats:
    """Densities whose mean is `volume`."""

    def excess(shift: float) -> float:
        return float(_density(logits + shift).mean(dtype=np.float64)) - volume

    logits = np.clip(logits, -SURE, SURE)
    return _density(logits + root(excess, -2 * SURE, 2 * SURE, 1e-9))
