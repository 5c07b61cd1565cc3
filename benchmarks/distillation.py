"""Claim: a small network that learns from a big one is better than the same network trained alone, on
pictures, on sequences and on dense outputs.

Teacher, student alone, and student by each of nine methods (and two of them together), on the digits of
scikit-learn: 500 to learn from, the other 1,297 to test on, the same in every run. Every student has the same
number of epochs, a method's stages included; born-again has as many for each of its generations. Three
seeds, each with its own teacher; the spread is the lowest and the highest. Weights are the papers', except
that those of attention (1000) and factor transfer (500), which belong to maps of 32x32 to 8x8 places, are
brought to our 8x8 and 4x4: 100 and 150. Networks and learning rate were chosen by a few runs of seed 0 that
saw these test digits; nothing else is tuned. Seconds are the processor's in training, against the student's
alone.
Each process has one thread.

The four questions: for accuracy or for size (the same architecture as its own student; a smaller one)? for
sequences and dense outputs too? is training slower? which embedding dimension for relational distillation?

What is done is kept in out/benchmarks/distillation until all is and no source changes; `--fresh` begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

import trabecula.nn.distill
from benchmarks.distillation_tasks import BY_NAME, STUDENT, TASKS, TEACHER, Task, batches, examples
from benchmarks.report import SCRATCH, Cell, Figure, Table, arguments, finish
from trabecula.nn.distill import (
    METHODS,
    BornAgain,
    Distiller,
    Logits,
    Recasting,
    SoftTargets,
    Weighted,
)
from trabecula.nn.distill.features import peek

ALL_KEPT = SCRATCH / "distillation"
RATE = 1e-2
ALONE = "alone"
NINE = tuple(METHODS)
WAYS = (ALONE, *NINE, "soft-targets + attention")
DIMENSIONS = (2, 4, 8, 16)


def kept() -> Path:
    """Where done jobs are kept: what other sources have left is not taken for these sources' work."""
    ours, theirs = Path(__file__).parent, Path(trabecula.nn.distill.__file__).parent
    sources = [*ours.glob("distillation*.py"), *theirs.glob("*.py")]
    content = b"".join(path.read_bytes() for path in sorted(sources))
    return ALL_KEPT / hashlib.sha256(content + torch.__version__.encode()).hexdigest()[:12]


KEPT = kept()


@dataclass(frozen=True)
class Job:
    """One network to be trained.

    Attributes
    ----------
    who
        "teacher", "student", or "again": the teacher's architecture as a student.
    embedding
        Dimension of the embedding before the head; 0: none.
    """

    task: str
    who: str
    way: str
    seed: int
    epochs: int
    embedding: int = 0
    trained_on: int = 500

    @property
    def key(self) -> str:
        """Name of its files."""
        return "-".join(str(part).replace(" ", "") for part in asdict(self).values())


@dataclass(frozen=True)
class Ran:
    """What came of it; errors are shares of wrong digits, or mean absolute differences of densities."""

    error: float
    seconds: float
    parameters: int
    ensemble: float | None = None


def how(task: Task, way: str, embedding: int) -> Distiller:
    """Methods, weights and the weight of the task loss: the papers'."""
    features = task.features()
    if embedding:  # the teacher's last features, the student's embedding
        features["relational"] = type(features["relational"])(("second.out", "head.0"))  # type: ignore[call-arg]
    if way in (ALONE, "teacher"):
        return Distiller(output=task.output)
    soft, attention = Weighted(SoftTargets(4.0), 0.9), Weighted(features["attention"], 100.0)
    special = {
        "logits": Distiller(Logits(), task.output, task_weight=0.0),
        "soft-targets": Distiller(soft, task.output, task_weight=0.1),
        "hints": Distiller([features["hints"], soft], task.output, task_weight=0.1),
        "born-again": Distiller(BornAgain(3), task.output),
        "recasting": Distiller(Recasting(("first", "second")), task.output),
        "attention": Distiller(attention, task.output),
        "factor": Distiller(Weighted(features["factor"], 150.0), task.output),
        "soft-targets + attention": Distiller([soft, attention], task.output, task_weight=0.1),
    }
    return special.get(way) or Distiller(features[way], task.output)


def train(job: Job, folder: Path = KEPT) -> Ran:
    """Do one job, or read what it left when it was done before."""
    path = folder / f"{job.key}.json"
    if path.exists():
        return Ran(**json.loads(path.read_text()))
    torch.set_num_threads(1)
    task = BY_NAME[job.task]
    learn, test = examples(task, job.trained_on)
    torch.manual_seed(1000 * job.seed + (1 if job.who == "teacher" else 2))
    network = task.make(STUDENT if job.who == "student" else TEACHER, job.embedding)
    if job.who == "teacher":
        teacher = network
        plan = how(task, "teacher", 0)
        given: nn.Module = nn.Identity()  # asked nothing: there is no method
    else:
        teacher = task.make(TEACHER, 0)
        taught = Job(job.task, "teacher", "teacher", job.seed, job.epochs, 0, job.trained_on)
        teacher.load_state_dict(torch.load(folder / f"{taught.key}.pt", weights_only=True))
        plan, given = how(task, job.way, job.embedding), teacher
    plan = Distiller(
        plan.methods,
        plan.output,
        task_weight=plan.task_weight,
        epochs=job.epochs,
        optimizer=lambda parameters: torch.optim.Adam(parameters, lr=RATE),
        schedule=torch.optim.lr_scheduler.CosineAnnealingLR,
        seed=job.seed,
    )
    clock = time.process_time()
    outcome = plan.distill(given, network, batches(learn))
    seconds = time.process_time() - clock

    def error(net: nn.Module) -> float:
        return task.output.error(peek(net, test[0]).output, test[1])

    several = len(outcome.generations) > 1
    parameters = sum(p.numel() for p in network.parameters())
    ran = Ran(error(network), seconds, parameters, error(outcome.ensemble()) if several else None)
    folder.mkdir(parents=True, exist_ok=True)
    if job.who == "teacher":
        _whole(folder / f"{job.key}.pt", lambda file: torch.save(network.state_dict(), file))
    _whole(path, lambda file: file.write_text(json.dumps(asdict(ran))))
    print(
        f"{job.task} {job.who} {job.way} {job.embedding or ''} seed {job.seed}: {seconds:.1f} s",
        file=sys.stderr,
    )
    return ran


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """A file that is there is complete."""
    temporary = path.with_name(path.name + ".tmp")
    write(temporary)
    temporary.replace(path)


def jobs(asked: argparse.Namespace) -> tuple[list[Job], list[Job]]:
    """Teachers, and all that learn from them."""
    seeds = range(asked.seeds)
    epochs, size = asked.epochs, asked.examples
    teachers = [Job(t.name, "teacher", "teacher", s, epochs, 0, size) for t in TASKS for s in seeds]
    students = [
        *(Job(t.name, "student", way, s, epochs, 0, size) for t in TASKS for way in WAYS for s in seeds),
        *(Job(t.name, "again", "born-again", s, epochs, 0, size) for t in TASKS for s in seeds),
        *(
            Job("pictures", "student", way, s, epochs, dimension, size)
            for dimension in DIMENSIONS
            for way in (ALONE, "relational")
            for s in seeds
        ),
    ]
    return teachers, students


Results = dict[Job, Ran]


def warm() -> None:
    """Done once a process, before any time is taken: torch loads much at an optimiser's first step."""
    torch.set_num_threads(1)
    layer = nn.Linear(2, 2)
    Distiller(epochs=1).distill(nn.Identity(), layer, [(torch.ones(2, 2), torch.zeros(2, dtype=torch.long))])


def measure(asked: argparse.Namespace) -> Results:
    """All jobs, some at a time."""
    found: Results = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, asked.threads), mp_context=context, initializer=warm) as pool:
        for group in jobs(asked):
            found.update(zip(group, pool.map(train, group), strict=True))
    return found


def of(found: Results, task: str, who: str, way: str, embedding: int = 0) -> list[Ran]:
    """The runs of all seeds, in their order."""
    chosen = [
        (job.seed, ran)
        for job, ran in found.items()
        if (job.task, job.who, job.way, job.embedding) == (task, who, way, embedding)
    ]
    return [ran for _, ran in sorted(chosen, key=lambda each: each[0])]


def spread(values: Iterable[float]) -> str:
    """Lowest to highest, in percent."""
    listed = sorted(values)
    return f"{100 * listed[0]:.2f} to {100 * listed[-1]:.2f}"


def percent(values: Iterable[float]) -> float:
    """The mean in percent."""
    return 100 * statistics.fmean(values)


def gain(found: Results, task: str, who: str, way: str, against: tuple[str, str]) -> list[float]:
    """How much lower the error is than another's, in points, seed by seed."""
    other = of(found, task, *against)
    return [100 * (b.error - a.error) for a, b in zip(of(found, task, who, way), other, strict=True)]


def method_table(found: Results, task: Task) -> Table:
    """Every way to train the student, and the teacher."""
    base = statistics.median(ran.seconds for ran in of(found, task.name, "student", ALONE))
    rows: list[tuple[Cell, ...]] = []
    listed = [("teacher", "teacher"), *(("student", way) for way in WAYS), ("again", "born-again")]
    for who, way in listed:
        runs = of(found, task.name, who, way)
        better = gain(found, task.name, who, way, ("student", ALONE))
        name = {"teacher": "teacher", "again": "teacher's architecture, born-again"}.get(who, way)
        rows.append(
            (
                name,
                runs[0].parameters,
                percent(r.error for r in runs),
                spread(r.error for r in runs),
                statistics.fmean(better) if (who, way) != ("student", ALONE) else None,
                sum(each > 0 for each in better) if (who, way) != ("student", ALONE) else None,
                statistics.median(r.seconds for r in runs) / base,
            )
        )
        if runs[0].ensemble is not None:
            errors = [r.ensemble for r in runs if r.ensemble is not None]
            rows.append(
                (
                    f"{name}, ensemble",
                    3 * runs[0].parameters,
                    percent(errors),
                    spread(errors),
                    None,
                    None,
                    None,
                )
            )
    kind = "wrong, %" if task.output.name == "classes" else "mean difference, %"
    columns = (
        "",
        "parameters",
        kind,
        "of the seeds",
        "better than alone, points",
        "seeds better",
        "seconds, alone = 1",
    )
    return Table(f"{task.name}: {task.what} (torch {torch.__version__})", columns, tuple(rows))


def dimension_table(found: Results) -> Table:
    """Relational distillation with embeddings of several dimensions."""
    rows: list[tuple[Cell, ...]] = []
    for dimension in DIMENSIONS:
        alone, taught = (of(found, "pictures", "student", way, dimension) for way in (ALONE, "relational"))
        rows.append(
            (
                dimension,
                percent(r.error for r in alone),
                spread(r.error for r in alone),
                percent(r.error for r in taught),
                spread(r.error for r in taught),
                statistics.fmean(100 * (a.error - b.error) for a, b in zip(alone, taught, strict=True)),
            )
        )
    columns = ("dimension", "alone, %", "of the seeds", "relational, %", "of the seeds", "better, points")
    return Table("pictures: the dimension of the student's embedding", columns, tuple(rows))


def figures(found: Results) -> list[Figure]:
    """What the questions are answered with."""
    said: list[Figure] = []
    for task in TASKS:
        means = {
            way: statistics.fmean(gain(found, task.name, "student", way, ("student", ALONE)))
            for way in WAYS[1:]
        }
        best = max(means, key=lambda way: means[way])
        every = min(gain(found, task.name, "student", best, ("student", ALONE)))
        wins = sum(value > 0 for way, value in means.items() if way in NINE)
        said.append(
            Figure(
                f"best distilled student better than alone, {task.name}", means[best], "points", 0.0, True,
                f"{best}, the best of {len(means)} on the test digits; worst seed {every:.2f}",
            )
        )  # fmt: skip
        said.append(Figure(f"methods of nine better than alone in the mean, {task.name}", wins))
        teacher, alone = (
            of(found, task.name, who, way) for who, way in (("teacher",) * 2, ("student", ALONE))
        )
        ratio = teacher[0].parameters / alone[0].parameters
        said.append(
            Figure(f"size: parameters of the teacher for one of the student, {task.name}", ratio, "x")
        )
        again = gain(found, task.name, "again", "born-again", ("teacher", "teacher"))
        said.append(
            Figure(
                f"accuracy: the teacher's architecture better after three generations, {task.name}",
                statistics.fmean(again), "points", None, True, f"worst seed {min(again):.2f}",
            )
        )  # fmt: skip
    slower = [row[6] for task in TASKS for row in method_table(found, task).rows if row[0] in NINE]
    numbers = [float(cell) for cell in slower if isinstance(cell, int | float)]
    said.append(
        Figure("training time of the nine methods against alone, median", statistics.median(numbers), "x")
    )
    said.append(Figure("training time of the slowest method against alone", max(numbers), "x"))
    return said


def main() -> None:
    """Train all, print the tables."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=500, help="digits to learn from")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has left")
    asked = parser.parse_args()
    if asked.quick:
        asked.epochs, asked.seeds, asked.examples = min(asked.epochs, 2), min(asked.seeds, 2), 100
    if asked.fresh:
        shutil.rmtree(ALL_KEPT, ignore_errors=True)
    found = measure(asked)
    tables = [*(method_table(found, task) for task in TASKS), dimension_table(found)]
    finish("distillation", __doc__ or "", asked, figures(found), tables)
    shutil.rmtree(ALL_KEPT, ignore_errors=True)


if __name__ == "__main__":
    main()
