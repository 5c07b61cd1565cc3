"""What a network's designs bear before anything is iterated: what `benchmarks.efficiency` chooses by.

One solve a problem, with the adjoint's drawing (`trabecula.learning.solver_loss`): far cheaper than a whole
hand-over, and nearer to it than the error of voxels, which the coarse design as it is has lower than most
networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.efficiency_study import Diary, shards
from trabecula.discretisation import discretise
from trabecula.learning.example import Example
from trabecula.learning.examples import corrector_examples
from trabecula.learning.solver_loss import DRAWINGS, compliance
from trabecula.learning.store import Sample
from trabecula.learning.validate import hand_over_samples, split_shards
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.starts import volume_of
from trabecula.surrogate import Model

JUDGED_ON = 10
"""Held-out problems that are kept for the judgement by whole hand-overs."""

DRAWN_ON = 18
"""Other held-out problems, by which methods, thresholds and settings are chosen."""


def split(data: Path) -> tuple[list[Sample], list[Sample]]:
    """Held-out samples to be judged on, and those to choose by."""
    found = list(hand_over_samples(split_shards(shards(data))[1]))
    step = max(2, len(found) // JUDGED_ON)
    judged = found[::step][:JUDGED_ON]
    taken = {sample.index for sample in judged}
    return judged, [sample for sample in found if sample.index not in taken][:DRAWN_ON]


@dataclass(frozen=True)
class Problem:
    """A design to be drawn on its grid; `plain` is the logarithm of compliance if nothing is said."""

    example: Example
    analysis: Analysis
    plain: float

    @classmethod
    def of(cls, sample: Sample) -> Problem:
        """The first design that was handed over."""
        analysis = Analysis(discretise(loads(sample.problem)), 1)
        example = next(corrector_examples(sample))
        return cls(example, analysis, _log(analysis, example.base.astype(np.float64)))

    def worse(self, model: Model) -> float:
        """Logarithm of compliance of a network's design relative to `plain`; below 0 is stiffer."""
        answer = model.logits(self.example.fields.astype(np.float32))[0]
        return _log(self.analysis, self.example.base.astype(np.float64) + answer) - self.plain


def problems(data: Path) -> list[Problem]:
    """Those to choose by."""
    return [Problem.of(sample) for sample in split(data)[1]]


def worse_of(model: Model, on: list[Problem]) -> float:
    """Compliance of what is drawn relative to the coarse design as it is, less 1: the geometric mean."""
    return float(np.expm1(np.mean([problem.worse(model) for problem in on])))


def draw(models: Mapping[str, Model], data: Path, folder: Path) -> None:
    """Let every network draw that `drawn.jsonl` does not have yet."""
    diary = Diary(folder / "drawn.jsonl")
    known = diary.read()
    missing = [name for name in models if name not in known]
    on = problems(data) if missing else []
    for name in missing:
        diary.add(name, compliance=worse_of(models[name], on))


def drawn(folder: Path) -> dict[str, float]:
    """What was found, by file."""
    lines = Diary(folder / "drawn.jsonl").read()
    return {name: float(str(line["compliance"])) for name, line in lines.items()}


def _log(analysis: Analysis, logits: NDArray[np.float64]) -> float:
    found, _ = compliance(analysis, logits, volume_of(analysis.discrete), DRAWINGS["corrector"])
    return found
