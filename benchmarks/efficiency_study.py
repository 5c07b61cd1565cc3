"""Teacher, students and trainings of `benchmarks.efficiency`: the 3-D corrector of the hybrid.

The teacher is the shipped network itself, its weights read from the ONNX file. A student has its places,
levels and widths between blocks, which Gram matrices and recasting need, and is narrow inside
(`trabecula.learning.slim_network`). Outputs are densities: pre-sigmoid logits of every voxel, the coarse
design's own logits included, and outside of the domain nothing but those.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.report import SCRATCH
from trabecula.learning.batches import ExampleBatch, ExampleBatches
from trabecula.learning.example import Example
from trabecula.learning.examples import load_examples
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.ship import to_onnx
from trabecula.learning.slim_network import Middle, SlimNetwork
from trabecula.learning.train import TrainingRecipe, loss_of
from trabecula.learning.validate import split_shards
from trabecula.nn.distill import (
    DENSITIES,
    FSP,
    METHODS,
    Attention,
    BornAgain,
    Distiller,
    Factor,
    Hints,
    Logits,
    Method,
    Recasting,
    Relational,
    SoftTargets,
    Weighted,
)
from trabecula.surrogate import Card, Model
from trabecula.surrogate.model import FOLDER

KEPT = SCRATCH / "efficiency"
RECIPE = TrainingRecipe("corrector", 3, Size(16, 1))
TEACHER = FOLDER / "corrector-3d.onnx"
SHARDS = 26
"""The teacher's: 24 that it was trained on, two that it was not."""

BATCHES, BATCH = 10, 8
"""An epoch: so many batches of so many examples."""

SHORT, LONG = 16, 100
"""Epochs in which all methods are compared, and of the few that go on to the solver."""

RATE = 4e-3
ALONE = "alone"
NINE = tuple(METHODS)
BLOCKS = ("net.stem", "net.down.0", "net.down.1", "net.down.2", "net.up.0", "net.up.1")
COARSE, FINE = "net.down.2", "net.up.1"


@dataclass(frozen=True)
class Job:
    """A student to be trained: how, from which seed, for how many epochs, and what it is like inside."""

    way: str
    seed: int
    epochs: int = SHORT
    inner: int = 8
    middle: Middle = "convolution"

    @property
    def key(self) -> str:
        """Name of its files."""
        return f"{self.way}-{self.seed}-{self.epochs}-{self.middle}-{self.inner}"


@dataclass(frozen=True)
class Data:
    """Examples to learn from, and examples of problems that neither teacher nor student learns from."""

    learn: list[Example] = field(repr=False)
    unseen: list[Example] = field(repr=False)

    @classmethod
    def of(cls, folder: Path) -> Data:
        """Those of the teacher's shards in a folder, prepared in its `load_examples`."""
        chosen, kept = split_shards(shards(folder))
        found = [
            [example for shard in part for example in load_examples(RECIPE.kind, shard, folder / "prepared")]
            for part in (chosen, kept)
        ]
        return cls(*found)


def shards(folder: Path) -> list[Path]:
    """The teacher's shards.

    Raises
    ------
    SystemExit
        Where they are not all there: with the command that makes them.
    """
    found = sorted(folder.glob("shard-*.npz"))[:SHARDS]
    if len(found) < SHARDS:
        raise SystemExit(
            f"{folder} holds {len(found)} of the {SHARDS} shards; make them by: trabecula generate"
            f" --dimension 3 --seed 1 --proposals 8 --voxels 10500 --count {16 * SHARDS} --out {folder}"
        )
    return found


class Drawn(nn.Module):
    """A network and what it corrects: logits of densities, the base alone outside of the domain."""

    def __init__(self, net: EncoderDecoder) -> None:
        super().__init__()
        self.net = net

    def forward(self, fields: Tensor, base: Tensor) -> Tensor:
        """`[batch, channels * voxels, ...]` and `[batch, voxels, ...]` to the like of the latter."""
        voxels = base.shape[1]
        inside = fields[:, RECIPE.inside * voxels : (RECIPE.inside + 1) * voxels]
        return base + inside * cast("Tensor", self.net(fields))


def teacher(path: Path = TEACHER) -> EncoderDecoder:
    """The network of an ONNX file that `trabecula train` wrote."""
    import onnx
    from onnx.numpy_helper import to_array

    weights = {
        each.name: torch.from_numpy(to_array(each).copy()) for each in onnx.load(path).graph.initializer
    }
    net = RECIPE.network()
    net.load_state_dict({name: weights[name] for name in net.state_dict()})
    return net.eval()


def student(job: Job) -> SlimNetwork:
    """A new one."""
    torch.manual_seed(job.seed)
    return SlimNetwork(3, RECIPE.channels, RECIPE.size, job.inner, job.middle)


def supply(examples: list[Example]) -> ExampleBatches:
    """Batches of examples, turned and mirrored."""
    return ExampleBatches(examples, RECIPE.inside, RECIPE.size.patch, RECIPE.size.multiple, BATCH)


Given = tuple[tuple[Tensor, Tensor], Tensor]


def given(batch: ExampleBatch) -> Given:
    """What networks and task loss take: fields and base; target and inside as one tensor."""
    return (batch.fields, batch.base), torch.stack([batch.target, batch.inside], 1)


def epochs(examples: list[Example], seed: int) -> Callable[[int], Iterator[Given]]:
    """The batches of every epoch, the same for all methods of one seed."""
    batches = supply(examples)

    def epoch(number: int) -> Iterator[Given]:
        for place in range(BATCHES):
            yield given(batches.draw(np.random.default_rng([seed, number, place])))

    return epoch


def task(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss that the teacher was trained by."""
    return loss_of(logits, targets[:, 0], targets[:, 1])


def how(job: Job, checkpoint: Path | None = None, rate: float = RATE) -> Distiller:
    """Method, weights and schedule.

    Weights are the papers', those of attention and factor transfer as in `benchmarks.distillation`: they
    belong to maps of other sizes.
    """
    soft = Weighted(SoftTargets(2.0), 0.9)
    flow = (("net.down.0", FINE),)
    methods: Mapping[str, tuple[tuple[Method | Weighted, ...], float]] = {
        ALONE: ((), 1.0),
        "logits": ((Logits(),), 0.0),
        "soft-targets": ((soft,), 0.1),
        "hints": ((Hints(COARSE, COARSE), soft), 0.1),
        "fsp": ((FSP(flow, flow),), 1.0),
        "attention": ((Weighted(Attention(((COARSE, COARSE), (FINE, FINE))), 100.0),), 1.0),
        "factor": ((Weighted(Factor((FINE, FINE)), 150.0),), 1.0),
        "born-again": ((BornAgain(3),), 1.0),
        "recasting": ((Recasting(BLOCKS),), 1.0),
        "relational": ((Relational((COARSE, COARSE)),), 1.0),
    }
    chosen, weight = methods[job.way]
    return Distiller(
        chosen,
        DENSITIES,
        task_loss=task,
        task_weight=weight,
        epochs=job.epochs,
        optimizer=lambda parameters: torch.optim.AdamW(parameters, rate, weight_decay=1e-4),
        schedule=torch.optim.lr_scheduler.CosineAnnealingLR,
        seed=job.seed,
        checkpoint=checkpoint,
    )


@dataclass(frozen=True)
class Trained:
    """What a training left: parameters, seconds of processor time, errors on unseen problems."""

    parameters: int
    seconds: float
    loss: float
    density: float


class Diary:
    """Lines of JSON that say what is done, by key; a run that was cut off goes on behind them.

    Parameters
    ----------
    path
        File.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, dict[str, object]]:
        """Everything, by key."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return {str(line.pop("key")): line for line in map(json.loads, lines)}

    def add(self, key: str, **said: object) -> None:
        """One more line."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps({"key": key, **said}) + "\n")


def train(job: Job, data: Data, folder: Path) -> Trained:
    """Train a student, or read what was left when that was done; its ONNX file and its weights lie beside.

    Parameters
    ----------
    folder
        `weights/` and `onnx/` within it get the network, `trained.jsonl` the line.
    """
    diary = Diary(folder / "trained.jsonl")
    known = diary.read().get(job.key)
    if known is not None:
        return Trained(**known)  # type: ignore[arg-type]
    weights = folder / "weights" / f"{job.key}.pt"
    weights.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = weights.with_suffix(".checkpoint")
    big, small = Drawn(teacher()), Drawn(student(job))
    clock = time.process_time()
    how(job, checkpoint if job.epochs > SHORT else None).distill(big, small, epochs(data.learn, job.seed))
    seconds = time.process_time() - clock
    torch.save(small.net.state_dict(), weights)
    model = keep(small.net, folder / "onnx" / f"{job.key}.onnx")
    loss, density = errors(model, data.unseen)
    trained = Trained(sum(p.numel() for p in small.parameters()), seconds, loss, density)
    diary.add(job.key, **vars(trained))
    checkpoint.unlink(missing_ok=True)
    return trained


def load(job: Job, folder: Path) -> SlimNetwork:
    """The network of a job that is done."""
    net = student(job)
    net.load_state_dict(torch.load(folder / "weights" / f"{job.key}.pt", weights_only=True))
    return net.eval()


def keep(net: EncoderDecoder, path: Path) -> Model:
    """Write a network as it ships."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_onnx(net))
    return opened(path)


def opened(path: Path) -> Model:
    """An ONNX file as the solver runs it."""
    content = path.read_bytes()
    card = Card(
        path.stem, path.name, hashlib.sha256(content).hexdigest(), 3, RECIPE.channels, 1,
        RECIPE.size.patch, RECIPE.size.multiple, {}, {},
    )  # fmt: skip
    return Model(card, content)


def errors_each(model: Model, examples: list[Example]) -> list[tuple[float, float]]:
    """Task loss and mean error of the density in the domain, example by example."""
    found = []
    for example in examples:
        fields = example.fields.astype(np.float32)
        logits = torch.from_numpy(model.logits(fields)[0] + example.base.astype(np.float32))
        target = torch.from_numpy(example.target.astype(np.float32))
        inside = torch.from_numpy(fields[RECIPE.inside])
        loss = loss_of(logits[None, None], target[None, None], inside[None, None])
        wrong = ((logits.sigmoid() - target).abs() * inside).sum() / inside.sum().clamp(min=1.0)
        found.append((float(loss), float(wrong)))
    return found


def errors(model: Model, examples: list[Example]) -> tuple[float, float]:
    """Means of `errors_each`."""
    means = np.mean(errors_each(model, examples), axis=0)
    return float(means[0]), float(means[1])
