"""What is made of the teacher and the best student of `benchmarks.efficiency`: pruned, with fewer bits, in a
cascade, and searched for latency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from optuna.trial import BaseTrial
from torch import nn

from benchmarks.efficiency_study import (
    BATCHES,
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
    errors_each,
    keep,
    load,
    opened,
    student,
    task,
    teacher,
)
from trabecula.learning.example import Example
from trabecula.learning.network import EncoderDecoder
from trabecula.nn import tune
from trabecula.nn.compress import (
    choose_threshold,
    prune_channels,
    quantize_dynamic,
    quantize_static,
    to_float16,
    voxel_entropy,
)
from trabecula.nn.distill import DENSITIES, Distiller, SoftTargets, Weighted
from trabecula.nn.profile import measure_together
from trabecula.nn.tune.candidate import Report
from trabecula.starts import log_odds
from trabecula.surrogate import Model, pack

Fields = NDArray[np.float32]

PLACES = (12, 12, 24)
"""Of 48x24x24 elements: array axes z, y, x, in patches of two."""

CALIBRATED_ON = 24
PRUNED = 0.25
"""Share of the channels removed, everywhere."""

TRIALS, TRIAL_EPOCHS = 8, 4
TARGET = 0.1
"""Of the teacher's latency: what the search aims at."""

NOTHING = 0.376
"""Task loss on the unseen examples where a network says nothing: the metric of the search is against it."""


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
    """

    name: str
    files: tuple[str, ...]
    loss: float
    density: float
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

    def logits(self, fields: Fields, threads: int = 1) -> Fields:
        """As `Model.logits`."""
        found = self.little.logits(fields, threads)
        return self.big.logits(fields, threads) if doubt(found, fields) > self.threshold else found


def doubt(answer: Fields, fields: Fields) -> float:
    """Mean entropy of the voxels of the domain, in bits, of an answer with its base."""
    logits = answer[0] + log_odds((fields[0] + 1.0) / 2.0)
    return float(voxel_entropy(torch.from_numpy(logits[fields[RECIPE.inside] > 0])[None]))


def compressed(job: Job, data: Data, folder: Path, say: Callable[[str], None]) -> None:
    """Make all variants of a trained student that are not there yet."""
    diary = Diary(folder / "variants.jsonl")
    known = diary.read()
    source = f"{job.key}.onnx"
    path = folder / "onnx" / source

    def add(name: str, files: Sequence[str], **more: float) -> None:
        loss, density = errors(Variant(name, tuple(files), 0, 0, **more).model(folder), data.unseen)
        diary.add(name, files=list(files), loss=loss, density=density, **more)
        say(f"{name}: loss {loss:.4f}, density {100 * density:.2f} %")

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
        threshold, share = _threshold(opened(path), opened(TEACHER), data.unseen)
        add("cascade", [source, TEACHER.name], threshold=threshold, share=share)


def spread(examples: list[Example]) -> list[Example]:
    """A few from everywhere."""
    return examples[:: max(1, len(examples) // CALIBRATED_ON)][:CALIBRATED_ON]


def taught(net: EncoderDecoder, data: Data, seed: int, rounds: int, rate: float) -> Iterator[None]:
    """Train a network by soft targets and the task, an epoch at a time."""
    soft = Weighted(SoftTargets(2.0), 0.9)
    batches, big, small = epochs(data.learn, seed), Drawn(teacher()), Drawn(net)
    optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-4)
    plan = Distiller(
        soft, DENSITIES, task_loss=task, task_weight=0.1, epochs=1, optimizer=lambda _: optimizer
    )
    for number in range(rounds):
        for group in optimizer.param_groups:
            group["lr"] = rate * (0.5 + 0.5 * float(np.cos(np.pi * number / rounds)))
        plan.distill(big, small, list(batches(1000 + number)))
        yield


def _pruned(job: Job, data: Data, folder: Path, to: Path) -> None:
    """Whole channels removed, then trained on."""
    example = torch.zeros(1, RECIPE.channels * 8, 4, 4, 8)

    def on(net: nn.Module) -> None:
        assert isinstance(net, EncoderDecoder)
        for _ in taught(net, data, job.seed, SHORT, RATE / 2):
            pass

    net = prune_channels(load(job, folder), example, PRUNED, multiple=4, fine_tune=on)
    keep(net.eval(), to)


def _threshold(little: Model, big: Model, examples: list[Example]) -> tuple[float, float]:
    """Where asking the big one brings the loss halfway to its own, on half of the examples; share on the rest."""
    chosen, rest = examples[::2], examples[1::2]

    def doubts(group: list[Example]) -> list[float]:
        fields = [e.fields.astype(np.float32) for e in group]
        return [doubt(little.logits(each), each) for each in fields]

    losses = [np.array([loss for loss, _ in errors_each(model, chosen)]) for model in (little, big)]
    target = float(np.mean(losses)) if losses[1].mean() < losses[0].mean() else float(losses[0].mean())
    choice = choose_threshold(doubts(chosen), losses[0], losses[1], target, None)
    return choice.threshold, float(np.mean(np.array(doubts(rest)) > choice.threshold))


def run_of(path: Path, places: tuple[int, ...] = PLACES) -> Callable[[], object]:
    """A run of an ONNX file on one thread, as the solver's sessions are set."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0).standard_normal((1, RECIPE.channels * 8, *places))
    feed = {"fields": random.astype(np.float32)}
    return lambda: session.run(None, feed)


def searched(data: Data, folder: Path, say: Callable[[str], None]) -> tune.Outcome:
    """Search what is inside a student: the best error at a tenth of the teacher's latency, both measured."""
    few = Data(data.learn, data.unseen[::4])

    def candidate(trial: BaseTrial) -> Iterator[Report]:
        inner = trial.suggest_int("inner", 4, 16, step=4)
        middle = trial.suggest_categorical("middle", ("convolution", "depthwise", "shift"))
        rate = trial.suggest_float("rate", 1e-3, 1e-2, log=True)
        net = student(Job("tuned", 0, TRIAL_EPOCHS, inner, middle))
        path = folder / "onnx" / f"trial-{trial.number}.onnx"
        keep(net, path)
        # in turn with the teacher, so that whatever else the machine does meets both
        times = measure_together({"net": run_of(path), "teacher": run_of(TEACHER)}, runs=30)
        yield tune.Milliseconds(1e3 * times["net"].least / times["teacher"].least)
        for _ in taught(net, few, 0, TRIAL_EPOCHS, rate):
            loss, _ = errors(keep(net.eval(), path), few.unseen)
            yield NOTHING / loss
            net.train()
        path.unlink()

    return tune.search(
        candidate,
        trials=TRIALS,
        goal=tune.Reward.soft(1e3 * TARGET),
        storage=folder / "search.db",
        name="corrector-3d",
        progress=lambda tried: say(str(tried.to_json())),
    )


STEPS = SHORT * BATCHES
