"""Claim: what the corrector is shown, how much it has learned from and what its loss looks at all earn their
place, judged by the solver on problems nobody trained on.

`--data DIR` is a data set of `trabecula generate`; of the shards that `trabecula train` holds out, `--judge`
problems are judged: the coarse design of each winner is handed over, and solves on the full grid to within a
level of the best of all rows are counted, the two that decide among them (what never arrives counts as 60).
The control is the same hand-over without a network. Every variant is trained for `--steps` or three times as
many, kept in `--out`, and gone on with after an interruption; `--variants` asks for some of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.efficiency_study import Diary
from benchmarks.report import SCRATCH, Cell, Figure, Table, arguments, finish
from trabecula.discretisation import discretise
from trabecula.learning.evaluate import NEVER, run_hand_overs
from trabecula.learning.example import Example
from trabecula.learning.examples import prepare_all
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.ship import ship
from trabecula.learning.train import (
    TrainingRecipe,
    held_out_errors,
    loss_of,
    train,
)
from trabecula.learning.validate import hand_over_samples, split_shards
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.starts import HalfGrey, UpscalingNetwork
from trabecula.surrogate import Model, load_model

HAND_OVER = HalfGrey(0.5, 2.0, 5)
LEVELS = (0.01, 0.005)
LIMIT = 60
PULL, AXES = (1,), (-6, -5, -4, -3, -2, -1)
"""Channels of the sensitivity, and of supports and loads."""


@dataclass(frozen=True)
class Variant:
    """A share of the examples, the channels that are blanked, whether the loss is focused, and how many times
    the steps it is trained."""

    share: float = 1.0
    blank: tuple[int, ...] = ()
    focused: bool = True
    longer: int = 1


VARIANTS = {
    "as it ships": Variant(),
    "an eighth of the data": Variant(0.125),
    "no sensitivity": Variant(blank=PULL),
    "no supports, no loads": Variant(blank=AXES),
    "plain cross-entropy": Variant(focused=False),
    "three times the steps": Variant(longer=3),
    "three times the steps, an eighth of the data": Variant(0.125, longer=3),
}


CONTROL, DEFAULT = "no network", "the default, no network"


class Blanked(Model):
    """A network that is not shown some channels."""

    def __init__(self, model: Model, blank: tuple[int, ...]) -> None:
        super().__init__(model.card, model.content)
        self.blank = list(blank)

    def logits(self, fields: np.ndarray) -> np.ndarray:
        """As `Model.logits`."""
        fields = fields.copy()
        fields[self.blank] = 0.0
        return super().logits(fields)


def learn(
    name: str, variant: Variant, asked: argparse.Namespace, data: tuple[list[Example], list[Example]]
) -> tuple[int, float, float]:
    """Train a variant unless that was done; its examples, and density errors before and after."""
    steps = asked.steps * variant.longer
    recipe = TrainingRecipe("corrector", 3, Size(asked.width), steps=steps, every=min(500, steps))
    known, unseen = ([_blanked(e, variant.blank) for e in part] for part in data)
    chosen = known[: round(variant.share * len(known))]
    folder = asked.out / name.replace(" ", "-").replace(",", "")
    folder.mkdir(parents=True, exist_ok=True)
    network = _trained(recipe, chosen, unseen, folder, variant.focused, name)
    before, after = held_out_errors(network, recipe, unseen)
    ship(network, recipe, folder, {}, {"data": "of benchmarks.ablation"})
    return len(chosen), before, after


def _trained(
    recipe: TrainingRecipe,
    chosen: Sequence[Example],
    unseen: Sequence[Example],
    folder: Path,
    focused: bool,
    name: str,
) -> EncoderDecoder:
    said = partial(print, name, file=sys.stderr)
    measure = partial(loss_of, focused=focused)
    return train(recipe, chosen, unseen, folder / "checkpoint", said, measure=measure)


def _blanked(example: Example, blank: tuple[int, ...]) -> Example:
    if not blank:
        return example
    fields = example.fields.copy()
    fields[list(blank)] = 0.0
    return replace(example, fields=fields)


def judge(asked: argparse.Namespace, kept: Sequence[Path], names: Sequence[str]) -> None:
    """Hand over the held-out problems in every way that is not noted yet."""
    diary = Diary(asked.out / "judged.jsonl")
    known = diary.read()
    ways: dict[str, HalfGrey | UpscalingNetwork] = {CONTROL: HAND_OVER, DEFAULT: HalfGrey()}
    for name in names:
        model = load_model("corrector-3d", asked.out / name.replace(" ", "-").replace(",", ""))
        ways[name] = UpscalingNetwork(Blanked(model, VARIANTS[name].blank), HAND_OVER)
    for number, sample in enumerate(hand_over_samples(kept)):
        if number == asked.judge:
            break
        left = {name: way for name, way in ways.items() if f"{sample.index} {name}" not in known}
        if not left:
            continue
        analysis = Analysis(discretise(loads(sample.problem)), asked.threads)
        runs = {run.name: run for run in sample.runs}
        coarse = runs[runs[sample.winner].parent].density.astype(np.float64)
        for course in run_hand_overs(analysis, coarse, left, LIMIT):
            diary.add(
                f"{sample.index} {course.name}", objectives=list(course.objectives), taken=course.accepted
            )


@dataclass(frozen=True)
class Outcome:
    """What one way did: solves to each level, ends above the best in per cent, whether designs were taken."""

    solves: tuple[tuple[int, ...], ...]
    ends: tuple[float, ...]
    taken: tuple[bool, ...]


def outcomes(lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Outcome]:
    """By way, over the problems that all of them were judged on."""
    judged: dict[str, dict[str, Mapping[str, Any]]] = {}
    for key, line in lines.items():
        index, name = key.split(" ", 1)
        judged.setdefault(index, {})[name] = line
    names = [name for name in (DEFAULT, CONTROL, *VARIANTS) if any(name in each for each in judged.values())]
    whole = [each for each in judged.values() if all(name in each for name in names)]
    lowest = [min(min(line["objectives"]) for line in each.values()) for each in whole]
    found = {}
    for name in names:
        runs = [each[name] for each in whole]
        pairs = list(zip(runs, lowest, strict=True))
        found[name] = Outcome(
            tuple(
                tuple(_solves(run["objectives"], best * (1 + level)) for run, best in pairs)
                for level in LEVELS
            ),
            tuple(100 * (min(run["objectives"]) / best - 1) for run, best in pairs),
            tuple(bool(run["taken"]) for run in runs if run["taken"] is not None),
        )
    return found


def _solves(objectives: Sequence[float], target: float) -> int:
    arrived = next((i + 1 for i, value in enumerate(objectives) if value <= target), NEVER)
    return min(arrived, LIMIT)


def rows(
    found: Mapping[str, Outcome], trained: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Cell, ...]]:
    """A line a way: examples, errors, solves to a level, ends."""
    for name, outcome in found.items():
        story = trained.get(name, {})
        yield (
            name,
            story.get("examples"),
            story.get("error"),
            *(f"{statistics.median(each):.0f} / {statistics.fmean(each):.1f}" for each in outcome.solves),
            statistics.fmean(outcome.ends),
            f"{100 * statistics.fmean(outcome.taken):.0f} %" if outcome.taken else "",
        )


def figures(found: Mapping[str, Outcome]) -> Iterator[Figure]:
    """What every network saves on its control."""
    plain = statistics.fmean(found[CONTROL].solves[0])
    for name, outcome in found.items():
        if name not in (CONTROL, DEFAULT):
            saved = plain / statistics.fmean(outcome.solves[0])
            what = f"corrector, {name}: solves to 1 % of the same hand-over without it, mean"
            yield Figure(what, saved, "x")


COLUMNS = (
    "corrector", "examples", "density error, held out", "solves to 1 %, median / mean", "to 0.5 %",
    "end above the best, mean %", "taken",
)  # fmt: skip


def main() -> None:
    """Train, judge, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path, required=True, help="3-D data set of `trabecula generate`")
    parser.add_argument("--out", type=Path, default=SCRATCH / "ablation", help="what is trained and judged")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--judge", type=int, default=64, help="problems that are handed over")
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=tuple(VARIANTS))
    parser.add_argument("--train-only", action="store_true", help="judge later")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    chosen, kept = split_shards(sorted(asked.data.glob("shard-*.npz")))
    diary = Diary(asked.out / "trained.jsonl")
    missing = [name for name in asked.variants if name not in diary.read()]
    if missing:
        parts = (prepare_all("corrector", part, asked.data / "prepared") for part in (chosen, kept))
        known, unseen = ([e for shard in part for e in shard] for part in parts)
        for name in missing:
            examples, before, after = learn(name, VARIANTS[name], asked, (known, unseen[:64]))
            diary.add(name, examples=examples, before=before, error=after)
    if asked.train_only:
        return
    judge(asked, kept, asked.variants)
    title = f"Correctors after {asked.steps} steps, handed over half grey with a ramp from 2 over 5"
    found = outcomes(Diary(asked.out / "judged.jsonl").read())
    table = Table(title, COLUMNS, tuple(rows(found, diary.read())))
    finish("ablation", __doc__ or "", asked, list(figures(found)), [table])


if __name__ == "__main__":
    main()
