"""From a random problem to a sample: a wide search is run, and its designs on the way are recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.problems import VOXELS, draw_with_count
from trabecula.learning.store import (
    FORMAT,
    INFO,
    KIND,
    PER_SHARD,
    UNSOUND,
    Failure,
    Half,
    RunRecord,
    Sample,
    Snapshot,
    count_in,
    open_dataset,
    shard_path,
    write_shard,
)
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import run as run_to_stop
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import make_optimizer
from trabecula.problem import dump
from trabecula.starts import volume_of
from trabecula.storage.owned import BUSY, LEFT_OVER, hold
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import Event
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

SHOTS = frozenset((0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48))
"""Iterations on the finest grid of which a snapshot is kept."""

PROPOSALS = {2: 16, 3: 12}
"""Designs tried on the coarsest grid."""

HARD = 0.6
"""Share of problems that are hard on purpose."""

HALVINGS, COARSE = (8, 16), 40
"""Iterations after which the worse half of the random ones is given up, and those of all others."""

CONVEX = 20
"""Iterations of the design at penalty 1."""

DECADES = 8.0
"""Range of a stored sensitivity, either way."""

_DENSITY_STEP, _SENSITIVITY_STEP = 1 / 512, 1 / 32
"""What is stored is rounded to these: trailing zeros compress."""


@dataclass(frozen=True)
class DataSettings:
    """How a data set is made; the same settings give the same bits. None leaves a number to its default.

    Attributes
    ----------
    dimension, seed
        Of the problems.
    proposals
        Designs tried on the coarsest grid.
    hard
        Share of problems that are hard on purpose.
    voxels
        Of a problem, within a quarter.
    change, kkt, iterations
        The tight stop of every run on the finest grid (`trabecula.optimize.loop.Stop`).
    limit
        Processor seconds after which a problem is given up.
    """

    dimension: int
    seed: int = 0
    proposals: int | None = None
    hard: float | None = None
    voxels: int | None = None
    change: float = 5e-5
    kkt: float = 1e-3
    iterations: int = 80
    limit: float = 120.0

    def to_json(self) -> dict[str, object]:
        """What `dataset.json` says."""
        from trabecula.version import VERSION

        values = asdict(self)
        return {
            "format": FORMAT,
            "trabecula": VERSION,
            "dimension": values.pop("dimension"),
            "seed": values.pop("seed"),
            "settings": values,
        }


class TooLongError(RuntimeError):
    """A problem that takes more time than it may."""


class UnsolvedError(RuntimeError):
    """A problem whose solves broke down."""


def make_sample(settings: DataSettings, index: int) -> Sample:
    """Draw one problem and search widely for its design.

    Raises
    ------
    TooLongError
        If it takes longer than `settings.limit`.
    UnsolvedError
        If a solve on the finest grid breaks down.
    ProblemError
        If no problem can be drawn.
    """
    clock, settings = time.thread_time(), with_defaults(settings)
    assert settings.hard is not None and settings.proposals is not None
    hard = bool(np.random.default_rng([settings.seed, index, 1]).random() < settings.hard)
    drawn = draw_with_count(settings.seed, index, settings.dimension, hard, settings.voxels)
    discrete, _ = prepare(drawn.problem)
    bench = Workbench(discrete, 1)
    grids = bench.grids
    witness = _Witness(len(grids))
    search = Search(settings.proposals, HALVINGS, further=0, coarse=COARSE, decide=None)
    stop = Stop(change=settings.change, kkt=settings.kkt, limit=settings.iterations)
    for event in coarse_to_fine(bench, search, stop):
        witness.see(event)
        if time.thread_time() - clock > settings.limit:
            raise TooLongError(f"took more than {settings.limit:g} s")
    sample = Sample(
        index=index,
        problem=dump(drawn.problem),
        hard=hard,
        grids=tuple(grid.grid.elements for grid in grids),
        runs=witness.records,
        snapshots=_make_snapshots(discrete, witness),
        convex=_density(_convex(grids[0])),
        winner=witness.winner,
    )
    if not sample.is_sound:
        raise UnsolvedError(UNSOUND)
    return sample


@dataclass(frozen=True)
class _Shot:
    """A design to be differentiated later: the design, its displacements, its penalty and merit."""

    x: Array
    displacements: tuple[NDArray[np.float32], ...]
    penalty: float
    merit: float


class _Witness:
    """Records, from every step of a solve, what belongs into a sample."""

    def __init__(self, levels: int) -> None:
        self._finest = levels - 1
        self._runs: dict[str, RunRecord] = {}
        self._latest: dict[str, str] = {}
        self._last: dict[str, Array] = {}
        self.shots: dict[tuple[str, int], _Shot] = {}

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """All runs, in the order they began."""
        return tuple(self._runs.values())

    @property
    def winner(self) -> str:
        """Name of the best run on the finest grid."""
        finest = [run for run in self.records if run.level == self._finest]
        return min(finest, key=lambda run: run.merit).name

    def see(self, event: Event) -> None:
        """Take one step in."""
        origin, level = self._origin(event.run.name)
        name, step = f"{level}-{origin}", event.step
        known = self._runs.get(name)
        if known is not None and known.iterations == len(step.rows):
            return  # where one plan ended and the next goes on, a step is published twice
        row = step.rows[-1]
        parent = self._latest.get(origin, "") if known is None else known.parent
        kind = "search" if origin.startswith("random") else "ramp"
        density = _density(step.x)
        self._runs[name] = RunRecord(name, kind, level, step.merit, density, len(step.rows), parent)
        self._latest[origin] = name
        if level == self._finest and row.iteration in SHOTS:
            before = event.run.first.x if known is None else self._last[name]
            shot = _Shot(before, step.displacements or (), row.penalty, step.merit)
            self.shots[name, row.iteration] = shot
        self._last[name] = step.x

    def _origin(self, run: str) -> tuple[str, int]:
        """Origin and level of the design a run of the way works on, from its name."""
        head, _, origin = run.partition("-")
        if head in ("fine", "finish"):
            return origin, self._finest
        if origin == "fresh":
            return f"fresh{head}", int(head)
        if origin.startswith("random-"):
            origin = "-".join(origin.split("-")[:2])
        return origin, int(head)


def _make_snapshots(discrete: DiscreteProblem, witness: _Witness) -> tuple[Snapshot, ...]:
    """Sensitivities for all designs on the finest grid, from the displacements there are already."""
    analysis, found = Analysis(discrete, 1), []
    for (name, iteration), shot in witness.shots.items():
        evaluation = analysis.evaluate(shot.x, shot.penalty, start=shot.displacements, tolerance=2e-3)
        sensitivity = scale_sensitivity(evaluation.gradient)
        found.append(Snapshot(name, iteration, shot.penalty, _density(shot.x), sensitivity, shot.merit))
    return tuple(found)


def scale_sensitivity(gradient: Array) -> Half:
    """A sensitivity as it is stored: log10 of -gradient over its mean, within +-8, float16 `[z, y, x]`."""
    pull = np.maximum(-gradient, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log10(pull / pull.mean())
    logarithm = np.clip(np.nan_to_num(logarithm, nan=-DECADES, neginf=-DECADES), -DECADES, DECADES)
    return _half(logarithm, _SENSITIVITY_STEP)


def _density(x: Array) -> Half:
    return _half(x, _DENSITY_STEP)


def _half(values: Array, step: float) -> Half:
    rounded: Half = (np.round(values / step) * step).astype(np.float16)
    return rounded


def _convex(discrete: DiscreteProblem) -> Array:
    """The design at penalty 1, after a few iterations."""
    analysis = Analysis(discrete, 1)
    stop = Stop(change=0.0, kkt=0.0, limit=CONVEX)
    plan = Plan(make_optimizer(discrete, 1), Schedule(1.0, 1.0), stop)
    return run_to_stop(analysis, plan, analysis.chain.uniform(volume_of(discrete))).x


Report = Callable[[int, int], None]
"""Called with the numbers of new samples and of new failures."""


def make_shard(
    folder: str, settings: DataSettings, shard: int, count: int, report: Report | None = None
) -> tuple[int, int]:
    """Make one shard of a data set, unless it is there; runs anywhere that sees the folder.

    Parameters
    ----------
    folder
        Of the data set.
    shard
        Its number: the first problem is `shard * PER_SHARD`.
    count
        Problems in it.
    report
        Called after every problem.

    Returns
    -------
    tuple of int
        Samples and failures.
    """
    samples, failures = [], []
    for index in range(shard * PER_SHARD, shard * PER_SHARD + count):
        try:
            samples.append(make_sample(settings, index))
        except Exception as error:  # one bad problem is no reason to lose the others
            failures.append(Failure(index, f"{type(error).__name__}: {error}"))
        if report is not None:
            report(len(samples), len(failures))
    write_shard(shard_path(Path(folder), shard), samples, failures)
    return len(samples), len(failures)


def missing(folder: Path, count: int) -> list[tuple[int, int]]:
    """Shards still to be made for `count` problems: their numbers and how many problems each holds."""
    wanted = [(first // PER_SHARD, min(PER_SHARD, count - first)) for first in range(0, count, PER_SHARD)]
    return [(shard, size) for shard, size in wanted if count_in(shard_path(folder, shard)) < size]


def prepare_folder(folder: Path, settings: DataSettings) -> None:
    """Make the folder a data set of these settings, or see that it is one.

    Raises
    ------
    ValueError
        If it holds a data set made in another way.
    OwnershipError
        If something of ours cannot be written there.
    """
    import json

    with hold(folder, KIND, wait=BUSY) as held:
        wanted = settings.to_json()
        if (folder / INFO).exists():
            info = open_dataset(folder).info
            for name in ("dimension", "seed", "settings"):
                if info[name] != wanted[name]:
                    raise ValueError(
                        f"{folder} holds data of another {name}: {info[name]}, not {wanted[name]}"
                    )
            held.sweep(LEFT_OVER)
        else:
            held.write_text(INFO, json.dumps(wanted, indent=2) + "\n")


def check_shards(folder: Path, jobs: Sequence[tuple[int, int]]) -> None:
    """See that shards can be written, before any is made.

    Parameters
    ----------
    jobs
        From `missing`.

    Raises
    ------
    OwnershipError
        There is something of a shard's name that is not ours, or was changed.
    """
    with hold(folder, KIND, wait=BUSY) as held:
        held.check([shard_path(folder, shard).name for shard, _ in jobs])


def with_defaults(settings: DataSettings) -> DataSettings:
    """The settings with what is left open filled in, as they are written down."""
    dimension = settings.dimension
    return replace(
        settings,
        proposals=settings.proposals or PROPOSALS[dimension],
        hard=HARD if settings.hard is None else settings.hard,
        voxels=settings.voxels or VOXELS[dimension],
    )
