"""Past designs that look like one: nearest by their codes, whatever their problems and grids were."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discretise import discretise
from trabecula.learning.history.entry import KIND, Entry
from trabecula.learning.history.store import BUSY, Store
from trabecula.optimize.checkpoint import fingerprint
from trabecula.results.result import Result
from trabecula.storage import reading
from trabecula.storage.mark import read_mark
from trabecula.storage.owned import hold
from trabecula.storage.reading import UnreadableError
from trabecula.surrogate import (
    Cells,
    Latent,
    coder,
    nearest,
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SimilarDesign:
    """A past design and how much it differs.

    Attributes
    ----------
    entry
        The past solve.
    difference
        About the root-mean-square difference of the densities, 0 to 1, the boxes laid upon each other; of
        all mirror images and turns the one that fits best.
    """

    entry: Entry
    difference: float

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {"difference": self.difference, **self.entry.to_json()}


def similar(
    store: Store, result: Result, count: int = 5, by: Latent | Cells | None = None
) -> list[SimilarDesign]:
    """The past designs most like a result's, the most similar first; the result itself is not among them.

    Codes are made when they are first needed and kept beside the designs.

    Parameters
    ----------
    count
        How many at most.
    by
        What codes designs; None is what ships.

    Raises
    ------
    OSError, sqlite3.Error, NewerError
        If the history cannot be read.
    """
    by = coder(result.density.ndim) if by is None else by
    own = fingerprint(replace(discretise(result.problem), name=""))
    found: list[tuple[Entry, Floats]] = []
    for entry in store.entries():
        if len(entry.elements) != result.density.ndim:
            continue
        with suppress(UnreadableError):  # removed by another process, or damaged
            if entry.key != own or not _same(store.arrays(entry)[1], result.density):
                found.append((entry, _code(store, entry, by)))
    if not found:
        return []
    query = by.images(result.density, _size(result.density, result.spacing))
    order, distances = nearest(np.stack([code for _, code in found]), query, count)
    return [
        SimilarDesign(found[place][0], by.difference(distance))
        for place, distance in zip(order, distances, strict=True)
    ]


def _code(store: Store, entry: Entry, by: Latent | Cells) -> Floats:
    """An entry's code: the one that is kept, else a new one, which is kept where that can be."""
    if isinstance(by, Cells):  # shorter to make than to read
        return by.encode(store.arrays(entry)[1])
    path = store.place(entry) / f"{by.label}.npy"
    with suppress(UnreadableError):
        return np.asarray(reading.read_array(path, (by.numbers,)), np.float32)
    code = by.encode(store.arrays(entry)[1], _box(store, entry))
    with suppress(OSError, UnreadableError):
        if read_mark(path.parent) is not None:  # an entry of an earlier version is left as it is
            with hold(path.parent, KIND, wait=BUSY, private=True) as held:
                held.write_array(path.name, code)
    return code


def _box(store: Store, entry: Entry) -> tuple[float, ...]:
    domain = store.problem(entry).domain
    return tuple(h * n for h, n in zip(domain.spacing, entry.elements, strict=True))


def _size(density: NDArray[np.floating], spacing: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(h * n for h, n in zip(spacing, density.shape[::-1], strict=True))


def _same(kept: NDArray[np.floating], density: NDArray[np.floating]) -> bool:
    """Whether a kept density is this one, as far as half precision tells."""
    return kept.shape == density.shape and bool(np.array_equal(kept, density.astype(np.float16)))
