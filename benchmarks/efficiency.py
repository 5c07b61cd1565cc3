"""Claim: of the hybrid's network that costs most time, the 3-D corrector, a student at least ten times
smaller and five times quicker than its teacher loses no solver iteration in the median, and learns more from
the teacher than alone.

The teacher is the shipped network. Students learn alone and by each of nine methods, in equal epochs (a
method's stages included, born-again that many for each of three generations), three seeds; the best method
and training alone go on for longer. The best student is pruned, stored in fewer bits and put into a cascade
with the teacher; a search looks for another inside by measured latency. Errors are those of 64 examples of
problems that neither has learned from: the loss the teacher was trained by, and the mean error of the
density, which the coarse design handed over as it is already has lower than any network. Networks are
therefore judged by solves of held-out problems until the design is within 1 % and 0.5 % of the best known.

Four verbs, each of which goes on where it was cut off (out/benchmarks/efficiency keeps what is done):
`--train` (about 45 minutes of one processor), `--compress` (5), `--judge` (20), `--measure` (1: on a quiet
machine). Without one, the tables are written from what is there. `--data` is the folder of the data set.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

from benchmarks import efficiency_judge as judging
from benchmarks import efficiency_variants as variants_of
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
    train,
)
from benchmarks.efficiency_variants import Variant
from benchmarks.report import Cell, Figure, Table, arguments, finish

SEEDS = 3
JUDGED = 10
DRAWN_ON = 8
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


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def jobs(seeds: Iterable[int]) -> list[Job]:
    """All students of the comparison, seed after seed."""
    return [Job(way, seed) for seed in seeds for way in (ALONE, *NINE)]


def losses(folder: Path, way: str) -> list[float]:
    """Task losses of a way's seeds that are done."""
    done = Diary(folder / "trained.jsonl").read()
    return [float(str(done[j.key]["loss"])) for j in (Job(way, s) for s in range(SEEDS)) if j.key in done]


def best(folder: Path) -> str:
    """The method whose students have the least loss, mean over the seeds."""
    done = [way for way in NINE if losses(folder, way)]
    return min(done, key=lambda way: statistics.fmean(losses(folder, way)))


def longer(folder: Path) -> list[Job]:
    """The students that go on to the solver."""
    found = [Job(ALONE, 0, LONG), Job(best(folder), 0, LONG)]
    settings = Diary(folder / "variants.jsonl").read().get("settings")
    if settings:
        found.append(Job("soft-targets", 0, LONG, int(str(settings["inner"])), settings["middle"]))  # type: ignore[arg-type]
    return found


def named(folder: Path) -> dict[str, Job]:
    """Rows of the big table that are trainings of their own."""
    return dict(zip((LONG_ALONE, LONG_TAUGHT, TUNED), longer(folder), strict=False))


def variants(folder: Path) -> list[Variant]:
    """All that is there, as the table has it."""
    done = Diary(folder / "trained.jsonl").read()
    found: list[Variant] = []
    for name, job in named(folder).items():
        if job.key in done:
            line = done[job.key]
            found.append(
                Variant(name, (f"{job.key}.onnx",), float(str(line["loss"])), float(str(line["density"])))
            )
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
    diary = Diary(folder / "variants.jsonl")
    if "settings" not in diary.read():
        found = variants_of.searched(data, folder, say).best
        diary.add("settings", **found.settings, latency=found.latency, metric=found.metric)
    for job in longer(folder):
        say(f"{job.key}: {train(job, data, folder)}")


def compressing(asked: argparse.Namespace, folder: Path) -> None:
    """Variants of the best student."""
    variants_of.compressed(longer(folder)[1], Data.of(asked.data), folder, say)


def judgement(asked: argparse.Namespace, folder: Path) -> None:
    """Solves for the few, one solve a problem for all students."""
    rows = [each for each in variants(folder) if each.name in JUDGED_BY_SOLVES]
    done = Diary(folder / "trained.jsonl").read()
    files = [f"{job.key}.onnx" for job in jobs(range(SEEDS)) if job.key in done]
    files += [each.files[0] for each in rows if len(each.files) == 1]
    judging.drawn(judging.opened_files(files, folder), asked.data, folder, DRAWN_ON)
    judging.judge(rows, asked.data, folder, asked.problems, say)


def measuring(asked: argparse.Namespace, folder: Path) -> None:
    """Milliseconds, on a quiet machine."""
    found = judging.measured(variants(folder), asked.data, folder)
    (folder / "measured.json").write_text(json.dumps(found, indent=1))


def method_table(folder: Path) -> Table:
    """Every way to train the student."""
    done, drawn = (Diary(folder / f"{name}.jsonl").read() for name in ("trained", "drawn"))
    rows: list[tuple[Cell, ...]] = []
    for way in (ALONE, *NINE):
        keys = [job.key for job in (Job(way, s) for s in range(SEEDS)) if job.key in done]
        if not keys:
            continue
        found = {
            part: [float(str(done[key][part])) for key in keys] for part in ("loss", "density", "seconds")
        }
        against = losses(folder, ALONE)
        better = [a - b for a, b in zip(against, found["loss"], strict=False)]
        bears = [
            100 * float(str(drawn[f"{key}.onnx"]["compliance"])) for key in keys if f"{key}.onnx" in drawn
        ]
        rows.append(
            (
                way,
                statistics.fmean(found["loss"]),
                f"{min(found['loss']):.4f} to {max(found['loss']):.4f}",
                None if way == ALONE else sum(each > 0 for each in better),
                100 * statistics.fmean(found["density"]),
                statistics.fmean(bears) if bears else None,
                f"{min(bears):.1f} to {max(bears):.1f}" if bears else "",
                statistics.median(found["seconds"]),
            )
        )
    columns = (
        "method", "loss", "of the seeds", "seeds better than alone", "density error, %",
        "compliance drawn, %", "of the seeds", "processor s",
    )  # fmt: skip
    title = (
        f"Students of one size, {SHORT * BATCHES} steps of {BATCH} examples, three seeds; compliance of what"
        f" is drawn against the coarse design as it is, {DRAWN_ON} held-out problems"
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

    rows.append((judging.PLAIN, *[None] * 5, "", None, None, *solved(judging.PLAIN, 0.0)))
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
                *solved(each.name, 0.0 if times is None else times[0]),
            )
        )
    columns = (
        "variant", "parameters", "million MACs", "MB moved", "kB of file", "µJ, estimated", "ms measured",
        "loss", "density error, %", "solves to 1 %", "to 0.5 %", "s to 1 %",
    )  # fmt: skip
    title = (
        "One call at 48x24x24 elements, one thread; solves on the full grid, median / mean of"
        f" {len(common)} held-out problems, {judging.LIMIT} where a level is never reached; seconds are the mean solves at"
        " the measured time of one, and the network's call. Without solves: judged by errors alone"
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
    alone = losses(folder, ALONE)
    gains = {
        way: [a - b for a, b in zip(alone, losses(folder, way), strict=False)]
        for way in NINE
        if losses(folder, way)
    }
    top = max(gains, key=lambda way: statistics.fmean(gains[way]))
    spread = f"{min(gains[top]):+.4f} to {max(gains[top]):+.4f}"
    said.append(
        Figure(
            "best distilled student: loss below alone's, mean of the seeds", statistics.fmean(gains[top]), "",
            0.0, True, f"{top}; seeds {spread}; {statistics.fmean(alone):.4f} alone",
        )
    )  # fmt: skip
    said.append(
        Figure(
            "methods of nine better than alone in the mean",
            sum(statistics.fmean(g) > 0 for g in gains.values()),
        )
    )
    return said


def main() -> None:
    """The verbs, then the tables."""
    parser = arguments(__doc__ or "")
    for verb in ("train", "compress", "judge", "measure"):
        parser.add_argument(f"--{verb}", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("out/train3d"), help="folder of the data set")
    parser.add_argument("--folder", type=Path, default=KEPT, help="where what is done is kept")
    parser.add_argument("--problems", type=int, default=JUDGED, help="held-out problems to be judged on")
    parser.add_argument(
        "--seed", type=int, nargs="*", help="with --train: the comparison of these seeds alone"
    )
    asked = parser.parse_args()
    asked.threads = 1
    torch.set_num_threads(1)
    for verb, act in (
        ("train", training), ("compress", compressing), ("judge", judgement), ("measure", measuring)
    ):  # fmt: skip
        if getattr(asked, verb):
            act(asked, asked.folder)
    if not (asked.train or asked.compress or asked.judge):
        finish(
            "efficiency", __doc__ or "", asked, figures(asked.folder),
            [big_table(asked.folder), method_table(asked.folder)],
        )  # fmt: skip


if __name__ == "__main__":
    main()
