"""Networks judged by what they save the solver on problems nobody trained on."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import discretise
from trabecula.learning.evaluate import (
    LEVELS,
    HandOver,
    run_hand_overs,
    solves_to_levels,
)
from trabecula.learning.store import Sample, read_shard
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.starts import HalfGrey, UpscalingNetwork
from trabecula.surrogate import Model

PLAIN: dict[str, HandOver] = {
    "half grey, ramp 10": HalfGrey(),
    "40 % grey, p 2 to 3 over 3": HalfGrey(0.4, 2.0, 3),
    "15 % grey, full penalty": HalfGrey(0.15, 2.999, 0),
}
"""Hand-overs without a network, short ones for easy problems, long ones for hard."""

DRAWN: dict[str, HalfGrey] = {
    "network, 25 % grey, full penalty": HalfGrey(0.25, 2.999, 0),
    "network, 40 % grey, p 2 to 3 over 3": HalfGrey(0.4, 2.0, 3),
    "network, half grey, p 2 to 3 over 5": HalfGrey(0.5, 2.0, 5),
}
"""Hand-overs of what a network draws."""

WORSE = 1e-3
"""A run ends worse where it is above the best of all by more than this."""

EVERY = 10
"""One shard in so many is held out."""


@dataclass(frozen=True)
class Judgement:
    """What one problem's runs took: solves to each level by hand-over, ends relative to the best."""

    hard: bool
    solves: dict[str, list[int]]
    ends: dict[str, float]
    accepted: dict[str, bool]


def split_shards(shards: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Shards to train on, and those nobody trains on: by the number in their names."""
    train: list[Path] = []
    kept: list[Path] = []
    for shard in sorted(shards):
        number = int(shard.stem.split("-")[-1])
        (kept if number % EVERY == EVERY - 1 else train).append(shard)
    return train, kept


def all_hand_overs(model: Model) -> dict[str, HandOver]:
    """The plain hand-overs, and a network's."""
    return {**PLAIN, **{name: UpscalingNetwork(model, hand_over) for name, hand_over in DRAWN.items()}}


def judge(sample: Sample, hand_overs: Mapping[str, HandOver], iterations: int = 60) -> Judgement:
    """Hand the winner's coarse design over in every way, and count solves to the best end of all."""
    discrete = discretise(loads(sample.problem))
    runs = {run.name: run for run in sample.runs}
    coarse = runs[runs[sample.winner].parent].density.astype(np.float64)
    return judge_from(Analysis(discrete, 1), coarse, hand_overs, iterations, sample.hard)


def judge_from(
    analysis: Analysis,
    coarse: NDArray[np.float64],
    hand_overs: Mapping[str, HandOver],
    iterations: int = 60,
    hard: bool = False,
) -> Judgement:
    """Hand one coarse design, float64 `[z, y, x]`, over in every way; see `judge`."""
    found = run_hand_overs(analysis, coarse, hand_overs, iterations)
    best = min(min(course.objectives) for course in found)
    return Judgement(
        hard,
        solves_to_levels(found),
        {course.name: min(course.objectives) / best - 1.0 for course in found},
        {course.name: course.accepted for course in found if course.accepted is not None},
    )


def hand_over_samples(shards: Iterable[Path]) -> Iterator[Sample]:
    """All samples of some shards whose winner was handed over from a coarser grid."""
    for shard in shards:
        for sample in read_shard(shard).samples:
            runs = {run.name: run for run in sample.runs}
            if runs[sample.winner].parent in runs:
                yield sample


def table(judged: list[Judgement]) -> list[dict[str, object]]:
    """One row per hand-over: median, 90th percentile and mean solves to each level, share that ends worse."""
    rows: list[dict[str, object]] = []
    for name in judged[0].solves:
        row: dict[str, object] = {"hand-over": name}
        for k, level in enumerate(LEVELS):
            counts = [min(each.solves[name][k], 99) for each in judged]
            row[f"{100 * level:g} %"] = (
                f"{statistics.median(counts):.0f} / {np.quantile(counts, 0.9):.0f} / {np.mean(counts):.1f}"
            )
        row["ends worse"] = f"{100 * np.mean([each.ends[name] > WORSE for each in judged]):.0f} %"
        taken = [each.accepted[name] for each in judged if name in each.accepted]
        row["taken"] = f"{100 * np.mean(taken):.0f} %" if taken else ""
        rows.append(row)
    return rows


def score(judged: list[Judgement], name: str) -> float:
    """Mean solves to 1 % and to 0.5 %, those that never get there counted as 60; less is better."""
    one, half = LEVELS.index(0.01), LEVELS.index(0.005)
    counts = [min(each.solves[name][k], 60) for each in judged for k in (one, half)]
    return float(np.mean(counts))


def best_hand_over(judged: list[Judgement]) -> HalfGrey:
    """The hand-over of a network's designs that saves most."""
    return DRAWN[min(DRAWN, key=lambda name: score(judged, name))]
