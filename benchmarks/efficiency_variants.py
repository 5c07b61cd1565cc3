"""What is made of the teacher and the best student of `benchmarks.efficiency`: pruned, with fewer bits, in a
cascade, and searched for latency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from optuna.trial import BaseTrial
from torch import nn

from benchmarks.efficiency_drawn import Problem, worse_of
from benchmarks.efficiency_study import (
    RATE,
    RECIPE,
    SHORT,
    TEACHER,
    Data,
    Diary,
    Drawn,
    Job,
    epochs,
    errors,
    how,
    keep,
    load,
    opened,
    student,
    teacher,
)
from trabecula.learning.example import Example
from trabecula.learning.network import EncoderDecoder
from trabecula.learning.slim_network import Middle
from trabecula.nn import tune
from trabecula.nn.compress import (
    choose_threshold,
    prune_channels,
    quantize_dynamic,
    quantize_static,
    to_float16,
    voxel_entropy,
)
from trabecula.nn.profile import measure_together
from trabecula.nn.tune.candidate import Report
from trabecula.onnx_runtime import onnx_runtime
from trabecula.starts import log_odds
from trabecula.surrogate import Model, pack

Fields = NDArray[np.float32]

PLACES = (12, 12, 24)
"""Of 48x24x24 elements: array axes z, y, x, in patches of two."""

CALIBRATED_ON = 24
PRUNED = 0.25
"""Share of the channels removed, everywhere."""

TRIALS, TRIAL_EPOCHS = 8, 8
TARGET = 0.1
"""Of the teacher's latency: what the search aims at."""


@dataclass(frozen=True)
class Variant:
    """A network, or a pair of them, that can hand over.

    Attributes
    ----------
    name
        As the table has it.
    files
        ONNX files: one, or little and big.
    threshold
        Of the pair: entropy in bits above which the big one is asked.
    share
        How often it was, on unseen examples.
    loss, density
        Errors on unseen examples.
    compliance
        Of what is drawn, relative to the coarse design as it is, less 1.
    """

    name: str
    files: tuple[str, ...]
    loss: float
    density: float
    compliance: float
    threshold: float | None = None
    share: float | None = None

    def model(self, folder: Path) -> Model:
        """Ready to run."""
        models = [opened(located(file, folder)) for file in self.files]
        if self.threshold is None:
            return models[0]
        return Asked(models[0], models[1], self.threshold)


def located(file: str, folder: Path) -> Path:
    """Where a variant's file is."""
    return TEACHER if file == TEACHER.name else folder / "onnx" / file


class Asked(Model):
    """A cascade as the solver runs it: the big network answers where the little one's answer is grey.

    Parameters
    ----------
    little, big
        Networks.
    threshold
        Mean entropy of a voxel, in bits.
    """

    def __init__(self, little: Model, big: Model, threshold: float) -> None:
        super().__init__(little.card, b"")
        self.little, self.big, self.threshold = little, big, threshold

    def logits(self, fields: Fields) -> Fields:
        """As `Model.logits`."""
        found = self.little.logits(fields)
        return self.big.logits(fields) if doubt(found, fields) > self.threshold else found


def doubt(answer: Fields, fields: Fields) -> float:
    """Mean entropy of the voxels of the domain, in bits, of an answer with its base."""
    logits = answer[0] + log_odds((fields[0] + 1.0) / 2.0)
    return float(voxel_entropy(torch.from_numpy(logits[fields[RECIPE.inside] > 0])[None]))


def compressed(job: Job, data: Data, on: list[Problem], folder: Path, say: Callable[[str], None]) -> None:
    """Make all variants of a trained student that are not there yet; `on` are the problems to choose by."""
    diary = Diary(folder / "variants.jsonl")
    known = diary.read()
    source = f"{job.key}.onnx"
    path = folder / "onnx" / source

    def add(name: str, files: Sequence[str], **more: float) -> None:
        model = Variant(name, tuple(files), 0, 0, 0, **more).model(folder)
        loss, density = errors(model, data.unseen)
        bears = worse_of(model, on)
        diary.add(name, files=list(files), loss=loss, density=density, compliance=bears, **more)
        say(f"{name}: loss {loss:.4f}, density {100 * density:.2f} %, compliance {100 * bears:+.2f} %")

    feeds = [pack(e.fields.astype(np.float32), 2, RECIPE.size.multiple)[None] for e in spread(data.learn)]
    steps: dict[str, Callable[[Path], None]] = {
        "student, fp16": lambda to: to_float16(path, to),
        "student, int8 static": lambda to: quantize_static(path, to, feeds),
        "student, int8 dynamic": lambda to: quantize_dynamic(path, to),
        "teacher, int8 static": lambda to: quantize_static(TEACHER, to, feeds),
        "student, pruned": lambda to: _pruned(job, data, folder, to),
    }
    if "teacher" not in known:
        add("teacher", [TEACHER.name])
    for name, make in steps.items():
        if name not in known:
            to = folder / "onnx" / f"{name.replace(', ', '-').replace(' ', '-')}.onnx"
            make(to)
            add(name, [to.name])
    if "student, pruned, int8 static" not in known:
        to = folder / "onnx" / "student-pruned-int8-static.onnx"
        quantize_static(folder / "onnx" / "student-pruned.onnx", to, feeds)
        add("student, pruned, int8 static", [to.name])
    if "cascade" not in known:
        threshold, share = threshold_of(opened(path), opened(TEACHER), on)
        add("cascade", [source, TEACHER.name], threshold=threshold, share=share)


def spread(examples: list[Example]) -> list[Example]:
    """A few from everywhere."""
    return examples[:: max(1, len(examples) // CALIBRATED_ON)][:CALIBRATED_ON]


def _pruned(job: Job, data: Data, folder: Path, to: Path) -> None:
    """Whole channels removed, then trained on as before, at half the rate."""
    example = torch.zeros(1, RECIPE.channels * 8, 4, 4, 8)

    def on(net: nn.Module) -> None:
        assert isinstance(net, EncoderDecoder)
        plan = how(Job(job.way, 1000 + job.seed, 2 * SHORT), rate=RATE / 2)
        plan.distill(Drawn(teacher()), Drawn(net), epochs(data.learn, 1000 + job.seed))

    net = prune_channels(load(job, folder), example, PRUNED, multiple=4, fine_tune=on)
    keep(net.eval(), to)


def threshold_of(little: Model, big: Model, on: list[Problem]) -> tuple[float, float]:
    """The threshold with which the pair's designs bear most on problems to choose by, and the share asked."""
    found = [(doubts(little, each), each.worse(little), each.worse(big)) for each in on]
    unsure, small, large = (np.array(column) for column in zip(*found, strict=True))
    cuts = [-np.inf, *np.sort(unsure)]
    means = [float(np.where(unsure > cut, large, small).mean()) for cut in cuts]
    choice = choose_threshold(unsure, small, large, min(means) + 1e-9, None)
    return choice.threshold, choice.share


def doubts(little: Model, problem: Problem) -> float:
    """`doubt` of a network's own answer."""
    fields = problem.example.fields.astype(np.float32)
    return doubt(little.logits(fields), fields)


def run_of(path: Path, places: tuple[int, ...] = PLACES) -> Callable[[], object]:
    """A run of an ONNX file on one thread, as the solver's sessions are set."""
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0).standard_normal((1, RECIPE.channels * 8, *places))
    feed = {"fields": random.astype(np.float32)}
    return lambda: session.run(None, feed)


def searched(
    way: str, data: Data, on: list[Problem], folder: Path, say: Callable[[str], None]
) -> tune.TuningResult:
    """Search what is inside a student: stiff designs at a tenth of the teacher's time, both measured."""

    def candidate(trial: BaseTrial) -> Iterator[Report]:
        inner = trial.suggest_int("inner", 4, 16, step=4)
        middle = trial.suggest_categorical("middle", get_args(Middle))
        job = Job(way, 0, TRIAL_EPOCHS, inner, cast("Middle", middle))
        small, path = Drawn(student(job)), folder / "onnx" / f"trial-{trial.number}.onnx"
        keep(small.net, path)
        # in turn with the teacher, the least of many: a search takes long, and the machine has other work
        times = measure_together({"net": run_of(path), "teacher": run_of(TEACHER)}, runs=40)
        yield tune.Milliseconds(1e3 * times["net"].least / times["teacher"].least)
        how(job).distill(Drawn(teacher()), small, epochs(data.learn, 0))
        yield 1.0 / (1.0 + worse_of(keep(small.net.eval(), path), on))
        path.unlink()

    return tune.search(
        candidate,
        trials=TRIALS,
        goal=tune.Reward.soft(1e3 * TARGET),
        storage=folder / "search.db",
        name="corrector-3d",
        progress=lambda tried: say(str(tried.to_json())),
    )
