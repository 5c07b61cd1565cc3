"""What the solver saves with a variant of `benchmarks.efficiency`: hand-overs on problems nobody trained on.

Judged as `trabecula.learning.validate` does: the coarse design of the sample's winner is handed over, and
solves on the full grid are counted, the two for the network's fields and its design among them. Levels are
relative to the best of all designs that the data's own wide search found, and a run ends at the last level.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks.efficiency_drawn import split
from benchmarks.efficiency_study import RECIPE, Diary, opened
from benchmarks.efficiency_variants import Variant, located, run_of
from trabecula.design import Schedule
from trabecula.discretisation import discretise
from trabecula.learning.evaluate import HandOver, run_hand_overs
from trabecula.learning.store import Sample
from trabecula.nn.profile import (
    EnergyModel,
    HostMachine,
    measure_together,
    profile,
)
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, begin
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import make_optimizer
from trabecula.problem import loads
from trabecula.starts import HalfGrey, UpscalingNetwork
from trabecula.surrogate import Model

LEVELS = (0.01, 0.005)
LIMIT = 60
"""Iterations; what never arrives counts as so many solves."""

HAND_OVER = HalfGrey(0.5, 2.0, 5)
"""From every network's design: what the shipped one's validation found best."""

PLAIN = "no network"
SHAPE = (1, RECIPE.channels * 8, 12, 12, 24)
DUMMY = HostMachine(1e11, 1e10)
"""Roofs that nothing here is read from."""


def rivals(variants: Iterable[Variant], folder: Path) -> dict[str, HandOver]:
    """The loop's own hand-over, and one by each variant."""
    found: dict[str, HandOver] = {PLAIN: HalfGrey()}
    return found | {each.name: UpscalingNetwork(each.model(folder), HAND_OVER) for each in variants}


def judge(variants: Iterable[Variant], data: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Hand over every sample in every way that is not in `judged.jsonl` yet."""
    diary = Diary(folder / "judged.jsonl")
    known, ways = diary.read(), rivals(variants, folder)
    for sample in split(data)[0]:
        missing = [name for name in ways if f"{sample.index} {name}" not in known]
        if not missing:
            continue
        analysis = Analysis(discretise(loads(sample.problem)), 1)
        runs = {run.name: run for run in sample.runs}
        winner = runs[sample.winner]
        coarse = runs[winner.parent].density.astype(np.float64)
        for name in missing:
            clock = time.process_time()
            enough = winner.merit * (1 + LEVELS[-1])
            (course,) = run_hand_overs(analysis, coarse, {name: ways[name]}, LIMIT, enough)
            counts = [min(course.solves_to(winner.merit * (1 + level)), LIMIT) for level in LEVELS]
            seconds = time.process_time() - clock
            diary.add(
                f"{sample.index} {name}", solves=counts, accepted=course.accepted, seconds=seconds,
                made=len(course.objectives),
            )  # fmt: skip
            say(f"problem {sample.index}, {name}: {counts}, {seconds:.0f} s of processor")


def saved(folder: Path) -> dict[str, dict[int, list[int]]]:
    """Solves to each level by variant and sample, of samples that all variants have been judged on."""
    found: dict[str, dict[int, list[int]]] = {}
    for key, line in Diary(folder / "judged.jsonl").read().items():
        index, name = key.split(" ", 1)
        found.setdefault(name, {})[int(index)] = line["solves"]  # type: ignore[assignment]
    return found


def measured(variants: Iterable[Variant], data: Path, folder: Path, runs: int = 200) -> dict[str, object]:
    """Milliseconds of every file, in turn, one thread, at 48x24x24, and seconds of a solve: needs quiet."""
    files = sorted({file for each in variants for file in each.files})
    calls = {file: run_of(located(file, folder)) for file in files}
    times = measure_together(calls, runs, warmup=10)
    return {
        "milliseconds": {
            file: [1e3 * each.median, 1e3 * each.low, 1e3 * each.high] for file, each in times.items()
        },
        "solve": statistics.median(t for sample in split(data)[0][:3] for t in _solves(sample)),
    }


def _solves(sample: Sample, count: int = 12) -> list[float]:
    """Seconds of the first design iterations on the sample's full grid."""
    analysis = Analysis(discretise(loads(sample.problem)), 1)
    discrete, end = analysis.discrete, analysis.discrete.options.penalty
    runs = {run.name: run for run in sample.runs}
    coarse = runs[runs[sample.winner].parent].density.astype(np.float64)
    x, _ = HAND_OVER.start(coarse, discrete, analysis.chain)
    stop = Stop(change=0.0, kkt=0.0, limit=count + 2)
    plan = Plan(make_optimizer(discrete, 1), Schedule(end, end), stop, 1e-3)
    step, seconds = begin(plan, x), []
    for _ in range(count):
        clock = time.perf_counter()
        step = advance(analysis, plan, step)
        seconds.append(time.perf_counter() - clock)
    return seconds[2:]


def counted(variants: Iterable[Variant], folder: Path) -> dict[str, tuple[int, int, int, int, float]]:
    """Parameters, MACs, bytes moved, bytes of the file and estimated microjoules of every file."""
    found: dict[str, tuple[int, int, int, int, float]] = {}
    for file in sorted({file for each in variants for file in each.files}):
        path = located(file, folder)
        cost = profile(path, SHAPE, runs=1, warmup=0, machine=DUMMY, energy=EnergyModel())
        energy = 1e-6 * cost.energy.total
        found[file] = (cost.parameters, cost.macs, cost.bytes, path.stat().st_size, energy)
    return found


def opened_files(files: Iterable[str], folder: Path) -> dict[str, Model]:
    """Models by the name of their file."""
    return {file: opened(located(file, folder)) for file in files}
