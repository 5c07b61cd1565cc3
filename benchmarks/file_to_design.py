"""Claim: from a problem file to a certified design, everything included, the 3-D cantilever takes at most
15 s at 96x48x48 and 90 s and 500 MB at a million elements, the 2-D MBB beam at most 2 s at 300x100; the
designs are stiffer than the usual cold start's after 100 iterations.

Runs the command line as a user would, a process each: `python -m trabecula solve FILE --out DIR --json`. Wall
time and peak memory are the whole process', with Python's start, the search, the proof, the files and the
picture. The cold start is `--start classical --iterations 100`: fixed penalty 3, OC exponent 1/2, solves to
1e-6. At a million elements it takes long; `--cold-million` runs it in this process with solves to 1e-3.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.report import Cell, Figure, Table, arguments, finish, size_text
from trabecula.problem import Problem, problems, save


@dataclass(frozen=True)
class Job:
    """A problem to be solved from its file, the seconds and MB it may take, how often it is repeated."""

    name: str
    problem: Problem
    seconds: float
    megabytes: float | None = None
    repeats: int = 1

    @property
    def title(self) -> str:
        """Its name and its grid."""
        return f"{self.name} {size_text(self.problem.domain.elements)}"


@dataclass(frozen=True)
class Ran:
    """A whole process: wall seconds, peak MB, and the JSON it printed."""

    seconds: float
    megabytes: float
    said: dict[str, Any]


def jobs(quick: bool, most: int) -> list[Job]:
    """What is solved."""
    solid, plane = problems.cantilever_3d, problems.mbb
    if quick:
        return [
            Job("MBB", plane(elements=(120, 40)), 2.0, repeats=3),
            Job("cantilever", solid(elements=(32, 16, 16), volume=0.15), 15.0),
        ]
    found = [
        Job("MBB", plane(elements=(300, 100)), 2.0, repeats=5),
        Job("cantilever", solid(elements=(96, 48, 48), volume=0.15), 15.0, repeats=3),
        Job("cantilever", solid(elements=(160, 80, 80), volume=0.15), 90.0, 500.0),
    ]
    return [job for job in found if math.prod(job.problem.domain.elements) <= most]


def solve(problem: Problem, threads: int, *options: str) -> Ran:
    """Solve a problem's file in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "problem.yaml", Path(folder) / "out"
        save(problem, file)
        code = [sys.executable, "-m", "trabecula", "solve", str(file), "--out", str(out), "--json", "--quiet"]
        code.append("--no-history")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its modules compiled
        clock = time.perf_counter()
        process = subprocess.Popen(
            [*code, "--threads", str(threads), *options],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - clock
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise RuntimeError(f"trabecula solve ended with {process.returncode}")
    megabytes = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(f"{size_text(problem.domain.elements)} {' '.join(options)}: {seconds:.1f} s", file=sys.stderr)
    return Ran(seconds, megabytes, json.loads(said))


def median(runs: list[Ran]) -> Ran:
    """The run of median wall time, with the largest memory of all."""
    middle = sorted(runs, key=lambda run: run.seconds)[(len(runs) - 1) // 2]
    return replace(middle, megabytes=max(run.megabytes for run in runs))


def cold(job: Job, threads: int) -> tuple[float, float, float]:
    """Seconds, MB and compliance of a hundred iterations of the usual cold start."""
    ran = solve(job.problem, threads, "--start", "classical", "--iterations", "100")
    return ran.seconds, ran.megabytes, float(ran.said["compliance"])


def loose_cold(job: Job, threads: int, iterations: int) -> tuple[float, float, float]:
    """The same in this process, solved to 1e-3 only; the compliance is solved tightly."""
    from benchmarks.report import peak_megabytes
    from benchmarks.runs import analysed, begin_uniform, cold_plan, last, true_compliance

    clock = time.perf_counter()
    analysis = analysed(job.problem, threads)
    plan = cold_plan(analysis.discrete, threads, iterations, 1e-3)
    step = last(analysis, plan, begin_uniform(analysis, plan))
    seconds = time.perf_counter() - clock
    print(f"{job.title} cold, {iterations} loose iterations: {seconds:.1f} s", file=sys.stderr)
    return seconds, peak_megabytes(), true_compliance(analysis, step.x, step.displacements)


def plain_iterations(job: Job, threads: int) -> float:
    """Seconds of a hundred plain iterations, without start and proof."""
    runs = [solve(job.problem, threads, "--start", "classical", "--iterations", "100") for _ in range(3)]
    return statistics.median(
        float(stage["seconds"])
        for run in runs
        for stage in run.said["stages"]
        if stage["name"] == "classical"
    )


def row(job: Job, way: str, ran: Ran) -> tuple[Cell, ...]:
    """A line of the table."""
    said, certificate = ran.said, ran.said["certificate"]
    gap = certificate["gap"]
    proof = sum(float(stage["seconds"]) for stage in said["stages"] if stage["name"] == "proof")
    return (
        job.title,
        way,
        ran.seconds,
        proof,
        ran.megabytes,
        said["iterations"],
        said["compliance"],
        said["word"],
        None if gap is None else 100 * gap,
        certificate["kkt_residual"],
    )


COLUMNS = (
    "problem",
    "start",
    "wall s",
    "proof s",
    "peak MB",
    "iterations",
    "compliance",
    "word",
    "gap %",
    "KKT",
)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--most", type=int, default=2_000_000, help="leave out problems of more elements")
    parser.add_argument("--no-cold", action="store_true", help="leave the cold starts out")
    parser.add_argument(
        "--cold-million", action="store_true", help="the cold start at a million elements too"
    )
    parser.add_argument("--cold-iterations", type=int, default=100, help="its iterations (solved to 1e-3)")
    asked = parser.parse_args()
    figures: list[Figure] = []
    rows: list[tuple[Cell, ...]] = []
    for job in jobs(asked.quick, asked.most):
        ran = median([solve(job.problem, asked.threads) for _ in range(job.repeats)])
        rows.append(row(job, "default", ran))
        what = f"from file to {ran.said['word']} design, {job.title}"
        figures.append(Figure(what, ran.seconds, "s", job.seconds))
        if job.megabytes is not None:
            figures.append(Figure(f"peak memory, {job.title}", ran.megabytes, "MB", job.megabytes))
        if job.problem.domain.dimension == 2:
            seconds = plain_iterations(job, asked.threads)
            figures.append(Figure(f"100 plain iterations, {job.title}", seconds, "s", 3.0))
        if asked.no_cold:
            continue
        large = math.prod(job.problem.domain.elements) > 600_000
        if large and not asked.cold_million:
            continue
        seconds, megabytes, compliance = (
            loose_cold(job, asked.threads, asked.cold_iterations) if large else cold(job, asked.threads)
        )
        iterations = asked.cold_iterations if large else 100
        blank = (iterations, compliance, None, None, None)
        rows.append(
            (job.title, "cold, solves to 1e-3" if large else "cold", seconds, None, megabytes, *blank)
        )
        excess = 100 * (compliance / float(ran.said["compliance"]) - 1)
        figures.append(
            Figure(
                f"cold start's compliance above the default's after {iterations} iterations, {job.title}",
                excess,
                "%",
                0.0,
                larger=True,
                note=f"and it took {seconds / ran.seconds:.1f} times as long",
            )
        )
    finish(
        "file_to_design", __doc__ or "", asked, figures, [Table("From file to design", COLUMNS, tuple(rows))]
    )


if __name__ == "__main__":
    main()
