"""Claim: 64 numbers of the auto-encoder that ships rebuild designs nobody trained on better than as many
principal components do, and find the nearest designs at least as well.

Held-out shards of a data set (those whose number ends in 9), all their designs, winners and losers. *Dice* is
twice the common material over the sum of both, at exactly the volume of the design and on its own grid;
*sharp* the same of what is above one half; *error* the mean absolute difference of densities. *Recall* is the
share of the five designs nearest by code that are among the five nearest by root-mean-square difference on a
grid twice as fine as the small one, of designs of other problems, and of any. *Past* looks every held-out
problem's winner up among the winners that were trained on, mirror images considered: how much the design
found differs from the one asked for on the small grid (root mean square), and how often the problem that the
history's own description finds nearest is among the five.

Rivals: principal components of the same designs, moved as in the training and not; the small grid itself,
some hundred times as many numbers; for *past* also the history's description of problems, which does not see
the design.

Needs a data set: `--data DIR`, as made by `trabecula generate`; `--models DIR` measures others than those
that ship.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Cell, Figure, Table, arguments, finish
from trabecula.discretisation import discretise
from trabecula.learning.history.describe import (
    mirror,
    mirrors,
    sketch,
    vector,
)
from trabecula.learning.latent.designs import (
    DesignSet,
    PhysicalDesign,
    load_designs,
    physical_designs,
)
from trabecula.learning.store import Sample, open_dataset, read_shard
from trabecula.learning.validate import split_shards
from trabecula.numerics.root_finding import root
from trabecula.problem import loads
from trabecula.surrogate import Cells, Latent, nearest
from trabecula.surrogate.canonical import (
    SIDE,
    average_onto,
    canonical,
    interpolate_onto,
    moves,
)
from trabecula.surrogate.model import FOLDER

Floats = NDArray[np.float32]

NEAR = 5
LOOKED_AT = 6000
"""Designs that principal components are taken from."""


class Coder(Protocol):
    """What makes codes of designs."""

    def encode(self, density: NDArray[np.floating], size: Sequence[float] | None = None) -> Floats:
        """The code of a design."""
        ...

    def images(
        self, density: NDArray[np.floating], size: Sequence[float] | None = None, turned: bool = True
    ) -> Floats:
        """The codes of its images."""
        ...


class Rebuilder(Protocol):
    """What makes designs of codes."""

    def decode(
        self, codes: Floats, shape: Sequence[int], size: Sequence[float] | None, volume: float | None
    ) -> Floats:
        """A design of a code, on any grid."""
        ...


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of designs on the small grid: the middle one, and orthonormal directions."""

    middle: Floats
    basis: Floats

    @classmethod
    def of(cls, designs: DesignSet, numbers: int, moved: bool) -> Components:
        """From many designs, each moved at random or not; a randomised range finder (Halko et al. 2011)."""
        random = np.random.default_rng(0)
        places = random.permutation(len(designs))[:LOOKED_AT]
        wanted = moves(designs.sides.shape[1], moved)
        seen = np.empty((len(places), designs.densities[0].size), np.float32)
        for row, place in zip(seen, places, strict=True):
            order, flip = wanted[int(random.integers(len(wanted)))] if moved else wanted[0]
            row[:] = np.flip(designs.densities[place].transpose(order), flip).ravel()
        middle = seen.mean(axis=0)
        seen -= middle
        space = np.linalg.qr(seen @ random.standard_normal((seen.shape[1], numbers + 16), np.float32))[0]
        for _ in range(4):
            space = np.linalg.qr(seen @ (seen.T @ space))[0]
        basis = np.linalg.svd(space.T @ seen, full_matrices=False)[2][:numbers]
        return cls(middle, basis)

    def encode(self, density: NDArray[np.floating], size: Sequence[float] | None = None) -> Floats:
        """As `Latent.encode`."""
        code: Floats = self.images(density, turned=False)[0]
        return code

    def images(
        self, density: NDArray[np.floating], size: Sequence[float] | None = None, turned: bool = True
    ) -> Floats:
        """As `Latent.images`."""
        return np.asarray((Cells(density.ndim).images(density, turned=turned) - self.middle) @ self.basis.T)

    def decode(
        self, codes: Floats, shape: Sequence[int], size: Sequence[float] | None, volume: float | None
    ) -> Floats:
        """As `Latent.decode`: clipped to 0 and 1 after a shift to the volume."""
        return _spread(codes @ self.basis + self.middle, shape, volume)


@dataclass(frozen=True)
class Grid(Cells):
    """The small grid itself, back on a design's grid."""

    def decode(
        self, codes: Floats, shape: Sequence[int], size: Sequence[float] | None, volume: float | None
    ) -> Floats:
        """As `Latent.decode`."""
        return _spread(codes, shape, volume)


def _spread(small: Floats, shape: Sequence[int], volume: float | None) -> Floats:
    """Cells of the small grid on another grid, shifted to a volume and clipped."""
    field = interpolate_onto(small.astype(np.float64).reshape((SIDE[len(shape)],) * len(shape)), tuple(shape))
    assert volume is not None

    def clipped(shift: float) -> NDArray[np.float64]:
        return np.asarray(np.clip(field + shift, 0.0, 1.0))

    low, high = -field.max() - 1.0, 2.0 - field.min()
    return clipped(root(lambda s: float(clipped(s).mean()) - volume, low, high, 1e-9)).astype(np.float32)


@dataclass(eq=False)
class Asked:
    """Designs of held-out problems, and winners to look up, as far as they are needed."""

    designs: list[PhysicalDesign] = field(default_factory=list)
    problems: list[int] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    winners: list[PhysicalDesign] = field(default_factory=list)


def gathered(shards: Sequence[Path], every: bool) -> Asked:
    """The winners of shards, and `every` design of them if wished."""
    asked = Asked()
    for shard in shards:
        for sample in read_shard(shard).samples:
            found = list(physical_designs(sample))
            if len(found) != len(sample.runs):
                continue
            asked.samples.append(sample)
            asked.winners.append(found[[run.name for run in sample.runs].index(sample.winner)])
            if every:
                asked.designs += found
                asked.problems += [sample.index] * len(found)
    return asked


def rebuilding(
    coder: Coder, back: Rebuilder, designs: Sequence[PhysicalDesign]
) -> tuple[float, float, float]:
    """Dice, sharp Dice and mean absolute error of designs that were coded and decoded."""
    rows = []
    for one in designs:
        x = one.density
        volume = float(np.clip(x.mean(), 1e-4, 1 - 1e-4))
        y = back.decode(coder.encode(x, one.size), x.shape, one.size, volume).astype(np.float64)
        both = (x > 0.5) & (y > 0.5)
        sharp = 2 * both.sum() / max((x > 0.5).sum() + (y > 0.5).sum(), 1)
        rows.append((2 * np.minimum(x, y).sum() / (x.sum() + y.sum()), sharp, np.abs(x - y).mean()))
    dice, sharp, error = np.mean(rows, axis=0)
    return float(dice), float(sharp), float(error)


def distances(codes: Floats) -> Floats:
    """Between all rows, squared."""
    squares = np.einsum("ij,ij->i", codes, codes)
    return np.asarray(squares[:, None] + squares[None, :] - 2.0 * codes @ codes.T, np.float32)


def recall(found: Floats, true: Floats, barred: NDArray[np.bool_]) -> float:
    """Share of the nearest by `found` that are among the nearest by `true`, the `barred` pairs left out."""
    near = [np.argsort(np.where(barred, np.inf, d), axis=1)[:, :NEAR] for d in (found, true)]
    return float(np.mean([len({*a} & {*b}) / NEAR for a, b in zip(*near, strict=True)]))


def fine(one: PhysicalDesign) -> Floats:
    """A design on a grid twice as fine as the small one, scaled so that distances are root mean squares."""
    shape = (2 * SIDE[one.density.ndim],) * one.density.ndim
    cells = average_onto(one.density, shape).ravel()
    return np.asarray(cells / np.sqrt(len(cells)), np.float32)


def retrieving(coder: Coder, asked: Asked, true: Floats) -> tuple[float, float]:
    """Recall among held-out designs: of those of other problems, and of any."""
    found = distances(np.stack([coder.encode(one.density, one.size) for one in asked.designs]))
    of = np.array(asked.problems)
    itself = np.eye(len(of), dtype=bool)
    return recall(found, true, of[:, None] == of[None, :]), recall(found, true, itself)


def described(samples: Sequence[Sample]) -> list[NDArray[np.float32]]:
    """Every problem's own description and those of its mirror images, `[image, number]`."""
    found = []
    for sample in samples:
        pooled = sketch(discretise(loads(sample.problem)))
        images = [vector(mirror(pooled, axes)) for axes in mirrors(len(pooled.size))]
        found.append(np.stack(images).astype(np.float32))
    return found


def mirror_difference(one: PhysicalDesign, other: Floats) -> float:
    """Root mean square by which a design misses another on the small grid, of mirror images the nearest."""
    cells = Cells(one.density.ndim)
    return cells.difference(float(nearest(other[None], cells.images(one.density, turned=False), 1)[1][0]))


def looking_up(
    images: Sequence[Floats], known: Floats, asked: Asked, cells: Floats, by_problem: Sequence[int]
) -> tuple[float, float]:
    """How much the winner found differs, and how often the nearest problem is among the five nearest.

    Parameters
    ----------
    images
        What every held-out winner is looked up by, `[image, number]` each.
    known, cells
        Codes, and small grids, of the winners that were trained on.
    by_problem
        For every held-out problem, the place of the trained-on one most like it.
    """
    places = [nearest(known, query, NEAR)[0] for query in images]
    missed = [
        mirror_difference(one, cells[found[0]]) for one, found in zip(asked.winners, places, strict=True)
    ]
    agreed = [place in found for place, found in zip(by_problem, places, strict=True)]
    return float(np.mean(missed)), float(np.mean(agreed))


def _rivals(designs: DesignSet, latent: Latent) -> Iterator[tuple[str, int, Coder, Rebuilder]]:
    """Name, numbers in a code, and both ways."""
    moved, plain = (Components.of(designs, latent.numbers, moved) for moved in (True, False))
    grid = Grid(latent.dimension)
    yield "auto-encoder", latent.numbers, latent, latent
    yield "principal components, designs moved", latent.numbers, moved, moved
    yield "principal components", latent.numbers, plain, plain
    yield "small grid", SIDE[latent.dimension] ** latent.dimension, grid, grid


def measure(
    data: Path, models: Path, quick: bool, cache: Path | None = None
) -> tuple[list[Figure], list[Table]]:
    """All of it for one data set."""
    dataset = open_dataset(data)
    chosen, kept = split_shards(dataset.shards)
    if quick:
        chosen, kept = chosen[:2], kept[:1]
    latent = Latent.load(dataset.dimension, models)
    known, asked = gathered(chosen, every=False), gathered(kept, every=True)
    designs = DesignSet.of(load_designs(shard, cache or data / "prepared") for shard in chosen)
    true = distances(np.stack([fine(one) for one in asked.designs]))
    cells = np.stack([canonical(one.density).ravel() for one in known.winners])
    old = np.stack([images[0] for images in described(known.samples)])
    by_problem = [nearest(old, images, 1)[0][0] for images in described(asked.samples)]
    rows: list[tuple[Cell, ...]] = []
    for name, numbers, coder, back in _rivals(designs, latent):
        rebuilt = rebuilding(coder, back, asked.designs)
        found = retrieving(coder, asked, true)
        queries = [coder.images(one.density, one.size, turned=False) for one in asked.winners]
        codes = np.stack([coder.encode(one.density, one.size) for one in known.winners])
        rows.append((name, numbers, *rebuilt, *found, *looking_up(queries, codes, asked, cells, by_problem)))
        print(f"{name}: done", file=sys.stderr)
    missed = looking_up(described(asked.samples), old, asked, cells, by_problem)[0]
    rows.append(("problems described", old.shape[1], None, None, None, None, None, missed, None))
    columns = ("by", "numbers", "Dice", "sharp", "error", "recall, others", "recall, any", "past", "agrees")
    title = (
        f"{latent.dimension}-D: {len(asked.designs)} designs of {len(asked.samples)} problems held out, "
        f"{len(designs)} of {len(known.samples)} trained on"
    )
    return list(_figures(latent.dimension, rows)), [Table(title, columns, tuple(rows))]


def _figures(dimension: int, rows: Sequence[tuple[Cell, ...]]) -> Iterator[Figure]:
    """The auto-encoder's figures against those of the better principal components."""
    for what, column, larger in (("Dice", 2, True), ("recall among other problems' designs", 5, True)):
        ours, *theirs = [float(row[column] or 0.0) for row in rows[:3]]
        yield Figure(
            f"{dimension}-D {what}", ours, goal=max(theirs), larger=larger, note="principal components"
        )


def main() -> None:
    """Measure what is asked for."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path, required=True, action="append", help="may be given twice")
    parser.add_argument("--models", type=Path, default=FOLDER)
    asked: argparse.Namespace = parser.parse_args()
    figures, tables = [], []
    for data in asked.data:
        more, table = measure(data, asked.models, asked.quick)
        figures += more
        tables += table
    finish("latent", __doc__ or "", asked, figures, tables)


if __name__ == "__main__":
    main()
