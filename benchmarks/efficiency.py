"""Claim: of the hybrid's network that costs most time, the 3-D corrector, a student at least ten times
smaller and five times quicker than its teacher loses no solver iteration in the median, and learns more from
the teacher than alone.

The teacher is the shipped network. Students learn alone and by each of nine methods, in equal epochs (a
method's stages included, born-again that many for each of three generations), three seeds; the best method
and training alone go on for longer. The best student is pruned, stored in fewer bits and put into a cascade
with the teacher; a search looks for another inside by measured latency.

Errors of voxels say little here: the coarse design handed over as it is already has a lower mean error than
the teacher. So everything is chosen by what is drawn: its compliance against that of the coarse design as it
is, one solve each on 18 problems that neither has learned from. The few are then judged by whole hand-overs
on ten others: solves until the design is within 1 % and 0.5 % of the best known.

Five verbs, each of which goes on where it was cut off (out/benchmarks/efficiency keeps what is done):
`--train` (about 15 to 40 minutes of one processor), `--compress` (1 to 3), `--judge` (2 to 20), `--measure`
(2) and `--whole` (5 to 15: problems from their search to their end), these two on a quiet machine. Without
one, the tables are written from what is there. `--data` is the folder of the data set.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import efficiency_drawn as drawing
from benchmarks import efficiency_judge as judging
from benchmarks import efficiency_variants as variants_of
from benchmarks import places
from benchmarks.candidate import COLUMNS, Pair, row, solve
from benchmarks.efficiency_study import (
    ALONE,
    BATCH,
    BATCHES,
    KEPT,
    LONG,
    NINE,
    SHORT,
    TEACHER,
    Data,
    Diary,
    Job,
    opened,
    train,
)
from benchmarks.efficiency_variants import Variant, located
from benchmarks.report import Cell, Figure, Table, arguments, finish
from trabecula.strategy.learned_steps import Learned

SEEDS = 3
LONG_ALONE = "student alone, longer"
LONG_TAUGHT = "student, taught longer"
TUNED = "student, searched for"
JUDGED_BY_SOLVES = (
    "teacher",
    LONG_ALONE,
    LONG_TAUGHT,
    TUNED,
    "student, pruned",
    "student, int8 static",
    "student, pruned, int8 static",
    "teacher, int8 static",
    "cascade",
)
WHOLE = ("teacher", LONG_ALONE, LONG_TAUGHT, "student, pruned")
SETS = ("solid", "hard", "easy")


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def jobs(seeds: Iterable[int]) -> list[Job]:
    """All students of the comparison, seed after seed."""
    return [Job(way, seed) for seed in seeds for way in (ALONE, *NINE)]


def bears(folder: Path, way: str) -> list[float]:
    """Compliance of what a way's students draw, in percent of that without them, seed by seed."""
    known = drawing.drawn(folder)
    files = [f"{Job(way, seed).key}.onnx" for seed in range(SEEDS)]
    return [100 * known[file] for file in files if file in known]


def best(folder: Path) -> str:
    """The method whose students draw the stiffest designs, mean over the seeds."""
    done = [way for way in NINE if bears(folder, way)]
    return min(done, key=lambda way: statistics.fmean(bears(folder, way)))


def longer(folder: Path) -> list[Job]:
    """The students that go on to the solver."""
    found = [Job(ALONE, 0, LONG), Job(best(folder), 0, LONG)]
    settings = Diary(folder / "variants.jsonl").read().get("settings")
    if settings:
        inside = int(str(settings["inner"])), str(settings["middle"])
        found.append(Job(best(folder), 0, LONG, *inside))  # type: ignore[arg-type]
    return found


def named(folder: Path) -> dict[str, Job]:
    """Rows of the big table that are trainings of their own."""
    return dict(zip((LONG_ALONE, LONG_TAUGHT, TUNED), longer(folder), strict=False))


def variants(folder: Path) -> list[Variant]:
    """All that is there, as the table has it."""
    done, known = Diary(folder / "trained.jsonl").read(), drawing.drawn(folder)
    found: list[Variant] = []
    for name, job in named(folder).items():
        file = f"{job.key}.onnx"
        if job.key in done and file in known:
            loss, density = (float(str(done[job.key][part])) for part in ("loss", "density"))
            found.append(Variant(name, (file,), loss, density, known[file]))
    for name, line in Diary(folder / "variants.jsonl").read().items():
        if "files" in line:
            line["files"] = tuple(line["files"])  # type: ignore[arg-type]
            found.append(Variant(name, **line))  # type: ignore[arg-type]
    return sorted(found, key=lambda each: each.name != "teacher")


def training(asked: argparse.Namespace, folder: Path) -> None:
    """Everything that is trained from the beginning."""
    data = Data.of(asked.data)
    for job in jobs(asked.seed or range(SEEDS)):
        say(f"{job.key}: {train(job, data, folder)}")
    if asked.seed:
        return
    draw(jobs(range(SEEDS)), asked.data, folder)
    diary = Diary(folder / "variants.jsonl")
    if "settings" not in diary.read():
        on = drawing.problems(asked.data)
        found = variants_of.searched(best(folder), data, on, folder, say).best
        diary.add("settings", **found.settings, latency=found.latency, metric=found.metric)
    for job in longer(folder):
        say(f"{job.key}: {train(job, data, folder)}")
    draw(longer(folder), asked.data, folder)


def draw(of: Iterable[Job], data: Path, folder: Path) -> None:
    """Let students draw."""
    files = [f"{job.key}.onnx" for job in of]
    drawing.draw({file: opened(located(file, folder)) for file in files}, data, folder)


def compressing(asked: argparse.Namespace, folder: Path) -> None:
    """Variants of the best student."""
    on = drawing.problems(asked.data)
    variants_of.compressed(longer(folder)[1], Data.of(asked.data), on, folder, say)


def judgement(asked: argparse.Namespace, folder: Path) -> None:
    """Whole hand-overs for the few."""
    judging.judge(
        [each for each in variants(folder) if each.name in JUDGED_BY_SOLVES], asked.data, folder, say
    )


def measuring(asked: argparse.Namespace, folder: Path) -> None:
    """Milliseconds, on a quiet machine."""
    found = judging.measured(variants(folder), asked.data, folder)
    (folder / "measured.json").write_text(json.dumps(found, indent=1))


def whole(asked: argparse.Namespace, folder: Path) -> None:
    """Problems from the search on the coarsest grid to the end, with the few; no data set has them."""
    corrector = Learned.load(3).corrector
    assert corrector is not None, "it is the teacher"
    rows = [each for each in variants(folder) if each.name in WHOLE]
    networks = {each.name: Learned(corrector=replace(corrector, model=each.model(folder))) for each in rows}
    found: list[dict[str, Pair]] = []
    for place in places.places(SETS):
        if place.dimension == 3:
            found.append(solve(place, networks, asked.whole_threads))
    told = [row(name, [pairs[name] for pairs in found]) for name in networks]
    (folder / "whole.json").write_text(json.dumps(told, indent=1))


def whole_table(folder: Path) -> list[Table]:
    """What `whole` has found, if it has been run."""
    path = folder / "whole.json"
    if not path.exists():
        return []
    title = (
        "Whole solves, with the network alone among those that ship: times as many iterations without it as"
        f" with it, and wall time, medians; sets {', '.join(SETS)}, two threads"
    )
    return [
        Table(title, ("network", *COLUMNS[1:]), tuple(tuple(line) for line in json.loads(path.read_text())))
    ]


def method_table(folder: Path) -> Table:
    """Every way to train the student."""
    done = Diary(folder / "trained.jsonl").read()
    against, rows = bears(folder, ALONE), []
    for way in (ALONE, *NINE):
        keys = [job.key for job in (Job(way, seed) for seed in range(SEEDS)) if job.key in done]
        if not keys:
            continue
        loss, density, seconds = (
            [float(str(done[key][part])) for key in keys] for part in ("loss", "density", "seconds")
        )
        drawn = bears(folder, way)
        better = [a - b for a, b in zip(against, drawn, strict=True)]
        row: tuple[Cell, ...] = (
            way,
            statistics.fmean(drawn),
            f"{min(drawn):+.1f} to {max(drawn):+.1f}",
            None if way == ALONE else statistics.fmean(better),
            None if way == ALONE else sum(each > 0 for each in better),
            statistics.fmean(loss),
            100 * statistics.fmean(density),
            statistics.median(seconds),
        )
        rows.append(row)
    columns = (
        "method", "compliance drawn, %", "of the seeds", "better than alone, points", "seeds better",
        "loss", "density error, %", "processor s",
    )  # fmt: skip
    title = (
        f"Students of one size, {SHORT * BATCHES} steps of {BATCH} examples, three seeds; compliance of what"
        f" is drawn against the coarse design as it is, {drawing.DRAWN_ON} held-out problems, less is better"
    )
    return Table(title, columns, tuple(rows))


Counted = dict[str, tuple[int, int, int, int, float]]


def costs(variant: Variant, counted: Counted) -> tuple[float, ...]:
    """Of a variant; a cascade's are the little one's and its share of the big one's, its sizes both's."""
    first = counted[variant.files[0]]
    if variant.share is None:
        return first
    other = counted[variant.files[1]]
    shared = [a + variant.share * b for a, b in zip(first, other, strict=True)]
    return (first[0] + other[0], shared[1], shared[2], first[3] + other[3], shared[4])


def milliseconds(variant: Variant, measured: dict[str, list[float]]) -> list[float] | None:
    """Median and quartiles of a variant."""
    if any(file not in measured for file in variant.files):
        return None
    times = [measured[file] for file in variant.files]
    if variant.share is None:
        return times[0]
    return [a + variant.share * b for a, b in zip(*times, strict=True)]


def big_table(folder: Path) -> Table:
    """Every variant with everything that is known of it."""
    rows_of = variants(folder)
    counted, saved = judging.counted(rows_of, folder), judging.saved(folder)
    path = folder / "measured.json"
    measured = json.loads(path.read_text()) if path.exists() else {"milliseconds": {}, "solve": None}
    common = shared_samples(saved)
    rows: list[tuple[Cell, ...]] = []

    def solved(name: str, ms: float) -> list[Cell]:
        if name not in saved:
            return ["", "", None]
        counts = [[saved[name][index][k] for index in common] for k in range(len(judging.LEVELS))]
        texts = [f"{statistics.median(c):g} / {statistics.fmean(c):.1f}" for c in counts]
        solve = measured["solve"]
        wall = None if solve is None else statistics.fmean(counts[0]) * solve + 1e-3 * ms
        return [*texts, wall]

    rows.append((judging.PLAIN, *[None] * 5, "", None, None, None, *solved(judging.PLAIN, 0.0)))
    for each in rows_of:
        parameters, macs, moved, size, energy = costs(each, counted)
        times = milliseconds(each, measured["milliseconds"])
        rows.append(
            (
                each.name,
                int(parameters),
                1e-6 * macs,
                1e-6 * moved,
                1e-3 * size,
                energy,
                "" if times is None else f"{times[0]:.2f} ({times[1]:.2f} to {times[2]:.2f})",
                each.loss,
                100 * each.density,
                100 * each.compliance,
                *solved(each.name, 0.0 if times is None else times[0]),
            )
        )
    columns = (
        "variant", "parameters", "million MACs", "MB moved", "kB of file", "µJ, estimated", "ms measured",
        "loss", "density error, %", "compliance drawn, %", "solves to 1 %", "to 0.5 %", "s to 1 %",
    )  # fmt: skip
    title = (
        "One call at 48x24x24 elements, one thread; solves on the full grid, median / mean of"
        f" {len(common)} held-out problems, {judging.LIMIT} where a level is never reached; seconds are the"
        " mean solves at the measured time of one, and the network's call. Without solves: not judged by them"
    )
    return Table(title, columns, tuple(rows))


def shared_samples(saved: dict[str, dict[int, list[int]]]) -> list[int]:
    """Samples that every variant has been judged on."""
    found = [set(each) for each in saved.values()]
    return sorted(set.intersection(*found)) if found else []


def figures(folder: Path) -> list[Figure]:
    """What is claimed."""
    rows = {each.name: each for each in variants(folder)}
    counted, saved = judging.counted(rows.values(), folder), judging.saved(folder)
    path = folder / "measured.json"
    measured = json.loads(path.read_text())["milliseconds"] if path.exists() else {}
    teacher, small = rows["teacher"], rows[LONG_TAUGHT]
    said = [
        Figure(
            "student: parameters of the teacher for one of its own",
            counted[TEACHER.name][0] / counted[small.files[0]][0], "x", 10.0, True,
        )
    ]  # fmt: skip
    times = [milliseconds(each, measured) for each in (teacher, small)]
    quicker = times[0][0] / times[1][0] if times[0] and times[1] else None
    said.append(Figure("student: quicker than the teacher, one thread", quicker, "x", 5.0, True))
    common = shared_samples(saved)
    if common and LONG_TAUGHT in saved:
        for k, level in enumerate(judging.LEVELS):
            more = [saved[LONG_TAUGHT][i][k] - saved["teacher"][i][k] for i in common]
            worse = f"{sum(m > 0 for m in more)} of {len(more)} problems take more"
            note = f"mean {statistics.fmean(more):+.1f}, {worse}"
            what = f"student: solves more than the teacher's to {100 * level:g} %, median of the differences"
            said.append(Figure(what, statistics.median(more), "", 0.0, False, note))
    alone = bears(folder, ALONE)
    gains = {way: [a - b for a, b in zip(alone, bears(folder, way), strict=True)] for way in NINE}
    top, second = sorted(gains, key=lambda way: -statistics.fmean(gains[way]))[:2]
    seeds = ", ".join(f"{gain:+.1f}" for gain in gains[top])
    said.append(
        Figure(
            "best distilled student: compliance drawn below alone's, mean of the seeds",
            statistics.fmean(gains[top]), "points", 0.0, True,
            f"{top}; seeds {seeds}; next {second} {statistics.fmean(gains[second]):+.1f}",
        )
    )  # fmt: skip
    wins = sum(statistics.fmean(each) > 0 for each in gains.values())
    said.append(Figure("methods of nine better than alone in the mean", wins))
    return said


def main() -> None:
    """The verbs, then the tables."""
    parser = arguments(__doc__ or "")
    for verb in ("train", "compress", "judge", "measure", "whole"):
        parser.add_argument(f"--{verb}", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("out/train3d"), help="folder of the data set")
    parser.add_argument("--folder", type=Path, default=KEPT, help="where what is done is kept")
    parser.add_argument(
        "--seed", type=int, nargs="*", help="with --train: the comparison of these seeds alone"
    )
    asked = parser.parse_args()
    asked.whole_threads, asked.threads = asked.threads, 1
    torch.set_num_threads(1)
    for verb, act in (
        ("train", training), ("compress", compressing), ("judge", judgement), ("measure", measuring),
        ("whole", whole),
    ):  # fmt: skip
        if getattr(asked, verb):
            act(asked, asked.folder)
    if not (asked.train or asked.compress or asked.judge):
        finish(
            "efficiency", __doc__ or "", asked, figures(asked.folder),
            [big_table(asked.folder), *whole_table(asked.folder), method_table(asked.folder)],
        )  # fmt: skip


if __name__ == "__main__":
    main()
