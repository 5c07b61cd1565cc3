"""Solved problems on disk: a folder of shards that many processes and machines may write at once.

A shard is one `.npz` file of up to `PER_SHARD` samples, written whole or not at all: a JSON text for what is
no array, and compressed arrays of numbers. Nothing is ever pickled. The same samples give the same bytes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.storage import reading
from trabecula.storage.owned import BUSY, hold
from trabecula.storage.reading import (
    MISSING,
    CheckedRecord,
    Form,
    UnreadableError,
    opening_archive,
)

Half = NDArray[np.float16]

KIND = "data set"
"""Of its folder, in its mark."""

FORMAT = 1
PER_SHARD = 16
INFO = "dataset.json"
UNSOUND = "a solve broke down"
_META = "samples.json"
_LARGEST = 1 << 24
"""Bytes of text in a shard at most."""

_VALUES = 1_000_000
"""Values in that text at most."""

_LARGEST_SHARD, _UNPACKED = 1 << 30, 1 << 31
"""Bytes of a shard at most, as it is and unpacked."""


@dataclass(frozen=True, eq=False)
class RunRecord:
    """One design made on the way.

    Attributes
    ----------
    name
        Unique in its sample: the level and the origin of the design.
    kind
        "ramp" or "search".
    level
        Index of its grid in `Sample.grids`.
    merit
        Objective of the last evaluated design (less is better); compares within a level.
    density
        float16 `[z, y, x]`: final design variables.
    iterations
        Taken on this grid.
    parent
        Name of the run whose final density was handed over, or "".
    """

    name: str
    kind: str
    level: int
    merit: float
    density: Half
    iterations: int
    parent: str = ""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A design on the finest grid while it was worked on.

    Attributes
    ----------
    run
        Name of its run.
    iteration
        From 0, the design handed over.
    penalty
        With which it was evaluated.
    density
        float16 `[z, y, x]`: design variables.
    sensitivity
        float16 `[z, y, x]`: log10 of -dc/dx over its mean, within +-8.
    merit
        Its objective at that penalty.
    """

    run: str
    iteration: int
    penalty: float
    density: Half
    sensitivity: Half
    merit: float


@dataclass(frozen=True, eq=False)
class Sample:
    """A problem and what a wide search made of it.

    Attributes
    ----------
    index
        Of the problem in its data set.
    problem
        The problem file, YAML.
    hard
        Whether it was drawn to be hard.
    grids
        Elements along x, y(, z) of every level, coarsest first.
    runs
        Winners and losers of every level.
    snapshots
        Of every run on the finest grid, by run and iteration.
    convex
        float16 `[z, y, x]`: design at penalty 1 on the coarsest grid.
    winner
        Name of the best run on the finest grid.
    """

    index: int
    problem: str
    hard: bool
    grids: tuple[tuple[int, ...], ...]
    runs: tuple[RunRecord, ...]
    snapshots: tuple[Snapshot, ...]
    convex: Half
    winner: str

    @property
    def is_sound(self) -> bool:
        """Whether solves went well: merits above 0, and finite ones on the finest grid."""
        finest = len(self.grids) - 1
        return all(r.merit > 0 and (r.level < finest or r.merit < float("inf")) for r in self.runs)

    def run(self, name: str) -> RunRecord:
        """The run of that name."""
        return next(run for run in self.runs if run.name == name)

    def at(self, level: int) -> tuple[RunRecord, ...]:
        """The runs of a level, best first; -1 is the finest."""
        level %= len(self.grids)
        return tuple(sorted((r for r in self.runs if r.level == level), key=lambda r: (r.merit, r.name)))


@dataclass(frozen=True)
class Failure:
    """A problem that gave no sample, and why."""

    index: int
    reason: str


@dataclass(frozen=True)
class Shard:
    """What one file holds."""

    samples: tuple[Sample, ...]
    failures: tuple[Failure, ...]

    @property
    def count(self) -> int:
        """Problems tried."""
        return len(self.samples) + len(self.failures)


def shard_path(folder: Path, shard: int) -> Path:
    """Where shard number `shard` lies."""
    return folder / f"shard-{shard:06d}.npz"


def write_shard(path: Path, samples: Sequence[Sample], failures: Sequence[Failure]) -> None:
    """Write a shard atomically.

    Raises
    ------
    OwnershipError
        There is something of its name that is not ours.
    """
    arrays: dict[str, Half] = {}
    trees = [_put(sample, f"{k:02d}", arrays) for k, sample in enumerate(samples)]
    text = json.dumps({"format": FORMAT, "samples": trees, "failures": [asdict(f) for f in failures]})
    with (
        hold(path.parent, KIND, wait=BUSY) as held,
        held.replacing(path.name) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(_entry(_META), text)
        for name, array in arrays.items():
            content = BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(_entry(f"{name}.npy"), content.getvalue())


def read_shard(path: Path) -> Shard:
    """Read a shard; samples that are not sound (`Sample.is_sound`) count as failures.

    Raises
    ------
    UnreadableError
        The file is missing, damaged, or no shard.
    """
    try:
        with _opening(path) as archive:
            tree = _text(path, archive)
            samples = tuple(_get(path, entry, f"{k:02d}", archive) for k, entry in enumerate(tree["samples"]))
            failures = [_failure(path, failure) for failure in tree["failures"]]
    except UnreadableError as error:
        if error.reason == MISSING or error.reason.startswith("shard of format"):
            raise
        said = f"is damaged or no shard; remove it and generate it again ({error.reason})"
        raise UnreadableError(path, said) from error
    failures += [Failure(sample.index, UNSOUND) for sample in samples if not sample.is_sound]
    return Shard(tuple(s for s in samples if s.is_sound), tuple(failures))


def count_in(path: Path) -> int:
    """Problems tried in a shard, without reading its arrays; 0 where there is no whole shard."""
    try:
        with _opening(path) as archive:
            tree = _text(path, archive)
            return len(tree["samples"]) + len(tree["failures"])
    except UnreadableError:
        return 0


@dataclass(frozen=True)
class Dataset:
    """A folder of shards.

    Attributes
    ----------
    folder
        Where they are.
    info
        What `dataset.json` says: format, trabecula version, dimension, seed, settings.
    """

    folder: Path
    info: dict[str, Any]

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return int(self.info["dimension"])

    @property
    def shards(self) -> tuple[Path, ...]:
        """Files there are, in order of index."""
        return tuple(sorted(self.folder.glob("shard-*.npz")))

    def samples(self) -> Iterator[Sample]:
        """All samples by index, one shard in memory at a time."""
        for path in self.shards:
            yield from read_shard(path).samples

    def failures(self) -> Iterator[Failure]:
        """All problems that gave no sample."""
        for path in self.shards:
            yield from read_shard(path).failures


def open_dataset(folder: Path | str) -> Dataset:
    """Open a folder that `trabecula generate` wrote, or still writes.

    Raises
    ------
    UnreadableError
        The folder is no data set, or one of another format.
    """
    folder = Path(folder)
    path = folder / INFO
    try:
        info = reading.read_json(path, _LARGEST)
        held = CheckedRecord(path, info)
        held.whole("dimension", 2, 3)
        held.take("seed", int)
        version = held.take("format", int)
    except UnreadableError as error:
        if error.reason == MISSING:
            raise
        raise UnreadableError(path, f"is damaged, or not of a data set ({error.reason})") from error
    if version != FORMAT:
        raise UnreadableError(path, f"data set of format {version}; this version reads {FORMAT}")
    return Dataset(folder, info)


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without a date."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _opening(path: Path) -> AbstractContextManager[zipfile.ZipFile]:
    return opening_archive(path, _LARGEST_SHARD, unpacked=_UNPACKED, kind="shard")


def _text(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(_META).file_size > _LARGEST:
        raise UnreadableError(path, "its text is too long")
    found = reading.parse_json(archive.read(_META).decode(), path, values=_VALUES, infinite=True)
    tree = CheckedRecord(path, found)
    version = tree.take("format", int)
    if version != FORMAT:
        raise UnreadableError(path, f"shard of format {version}; this version reads {FORMAT}")
    return {"samples": tree.take("samples", list), "failures": tree.take("failures", list)}


def _failure(path: Path, entry: object) -> Failure:
    held = CheckedRecord(path, entry)
    held.only("index", "reason")
    return Failure(held.whole("index"), held.text("reason", 100_000))


def _put(sample: Sample, key: str, arrays: dict[str, Half]) -> dict[str, Any]:
    """The tree of a sample; its arrays, those of one shape together, go into `arrays`."""
    tree = {name: getattr(sample, name) for name in ("index", "problem", "hard", "grids", "winner")}
    tree["runs"] = [_without(run, "density") for run in sample.runs]
    tree["snapshots"] = [_without(shot, "density", "sensitivity") for shot in sample.snapshots]
    for level in range(len(sample.grids)):
        found = [run.density for run in sample.runs if run.level == level]
        arrays[f"{key}/level-{level}"] = np.stack(found) if found else np.empty((0,), np.float16)
    arrays[f"{key}/convex"] = sample.convex
    if sample.snapshots:
        arrays[f"{key}/density"] = np.stack([shot.density for shot in sample.snapshots])
        arrays[f"{key}/sensitivity"] = np.stack([shot.sensitivity for shot in sample.snapshots])
    return tree


def _without(record: RunRecord | Snapshot, *arrays: str) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in arrays}


def _get(path: Path, entry: object, key: str, archive: zipfile.ZipFile) -> Sample:
    tree = CheckedRecord(path, entry)
    grids = tuple(_grid(path, grid) for grid in tree.take("grids", list))
    waiting = [iter(_array(path, archive, f"{key}/level-{level}")) for level in range(len(grids))]
    runs = tuple(_run(CheckedRecord(path, run), waiting) for run in tree.take("runs", list))
    shots: tuple[Snapshot, ...] = ()
    if tree.take("snapshots", list):
        pairs = zip(
            tree.values["snapshots"],
            _array(path, archive, f"{key}/density"),
            _array(path, archive, f"{key}/sensitivity"),
            strict=True,
        )
        shots = tuple(_shot(CheckedRecord(path, shot), x, s) for shot, x, s in pairs)
    return Sample(
        index=tree.whole("index"),
        problem=tree.text("problem", _LARGEST),
        hard=tree.take("hard", bool),
        grids=grids,
        runs=runs,
        snapshots=shots,
        convex=_array(path, archive, f"{key}/convex"),
        winner=tree.text("winner"),
    )


def _grid(path: Path, sides: object) -> tuple[int, ...]:
    if not isinstance(sides, list) or len(sides) not in (2, 3):
        raise UnreadableError(path, f"{reading.shorten(sides)} is no grid")
    held = CheckedRecord(path, {str(k): side for k, side in enumerate(sides)})
    return tuple(held.whole(k, 1, 1 << 20) for k in held.values)


def _run(held: CheckedRecord, waiting: list[Iterator[Half]]) -> RunRecord:
    held.only("name", "kind", "level", "merit", "iterations", "parent")
    level = held.whole("level", 0, len(waiting) - 1)
    density = next(waiting[level], None)
    if density is None:
        raise UnreadableError(held.path, f"lacks the design of {reading.shorten(held.values['name'])}")
    return RunRecord(
        name=held.text("name"),
        kind=held.text("kind"),
        level=level,
        merit=float(held.take("merit", int, float)),
        density=density,
        iterations=held.whole("iterations"),
        parent=held.text("parent"),
    )


def _shot(held: CheckedRecord, density: Half, sensitivity: Half) -> Snapshot:
    held.only("run", "iteration", "penalty", "merit")
    return Snapshot(
        run=held.text("run"),
        iteration=held.whole("iteration"),
        penalty=held.real("penalty"),
        density=density,
        sensitivity=sensitivity,
        merit=float(held.take("merit", int, float)),
    )


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> Half:
    array: Half = reading.read_member(path, archive, name, Form(dtype="float16"))
    return array
