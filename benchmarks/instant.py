"""Claim: small problems feel instant: from command to result the command line takes at most 0.7 s for a plate
of 120x40 and at most 2 s for a solid of 48x24x24, with Python's start, the picture and all files.

Each problem is solved from its file as a user would, `python -m trabecula solve FILE --out DIR --quiet`, in a
process of its own, several times; the median of the wall time is compared with what is asked. Where the time
goes is measured in further processes, which note when the solve begins and ends and how long the picture
takes: *start* is what passes until the solve begins (Python, its modules, the problem, the folder), *search*
the coarse grids, *fine grid* the rest of the iterations, *files* all after the proof but the picture.
*CPU s* is processor time of the whole process, which tells programs apart on a machine that others use too.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Cell, Figure, Table, arguments, finish, size_text
from trabecula.problem import Problem, problems, save

PLATE, SOLID = 0.7, 2.0
"""Seconds asked for."""

NOTING = """
import gc, json, sys, time
gc.disable()  # as the command line does
import trabecula.solve
from trabecula.cli import main
from trabecula.results.result import Result
module, noted = sys.modules["trabecula.solve"], {}
solve, plot = module.solve, Result.plot
def noting_solve(*given, **named):
    noted["begins"] = time.time()
    result = solve(*given, **named)
    noted["ends"] = time.time()
    noted["stages"] = [[stage.name, stage.seconds] for stage in result.stages]
    return result
def noting_plot(self, *given):
    clock = time.perf_counter()
    png = plot(self, *given)
    noted["picture"] = time.perf_counter() - clock
    return png
module.solve, Result.plot = noting_solve, noting_plot
into = sys.argv.pop(1)
try:
    main()
finally:
    with open(into, "w") as file:
        json.dump(noted, file)
"""
"""The command line with a clock beside it; what it imports earlier than the command does, the command imports
too."""


@dataclass(frozen=True)
class Job:
    """A problem to be solved from its file, and the seconds it may take."""

    name: str
    problem: Problem
    seconds: float

    @property
    def title(self) -> str:
        """Its name and its grid."""
        return f"{self.name} {size_text(self.problem.domain.elements)}"


@dataclass(frozen=True)
class Ran:
    """A whole process: wall and processor seconds, and the seconds of its parts where they were noted."""

    seconds: float
    cpu: float
    parts: Mapping[str, float]


def jobs(quick: bool) -> list[Job]:
    """What is solved."""
    plates = [
        Job("MBB", problems.mbb(elements=(120, 40)), PLATE),
        Job("cantilever", problems.cantilever(elements=(120, 40)), PLATE),
    ]
    solids = [
        Job("cantilever", problems.cantilever_3d(), SOLID),
        Job("hook", problems.hook(), SOLID),
        Job("torsion", problems.torsion(), SOLID),
    ]
    return plates[:1] if quick else plates + solids


def split(noted: Mapping[str, object], began: float, ended: float) -> dict[str, float]:
    """Seconds of the parts of a process, from what it noted and when it began and ended."""
    begins, ends, picture = (float(str(noted[key])) for key in ("begins", "ends", "picture"))
    stages = [(str(name), float(seconds)) for name, seconds in noted["stages"]]  # type: ignore[attr-defined]
    search = sum(seconds for name, seconds in stages if name.startswith("search"))
    proof = sum(seconds for name, seconds in stages if name.startswith("proof"))
    return {
        "start": begins - began,
        "search": search,
        "fine grid": ends - begins - search - proof,
        "proof": proof,
        "picture": picture,
        "files": ended - ends - picture,
    }


def run(file: Path, threads: int, is_noting: bool) -> Ran:
    """Solve a problem's file in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its modules compiled
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        how = ["-c", NOTING, str(notes)] if is_noting else ["-m", "trabecula"]
        words = ["solve", str(file), "--out", str(Path(folder) / "out"), "--quiet", "--no-history"]
        before, began, clock = _children(), time.time(), time.perf_counter()
        subprocess.run([sys.executable, *how, *words, "--threads", str(threads)], env=environment, check=True)
        seconds = time.perf_counter() - clock
        cpu = _children() - before
        parts = split(json.loads(notes.read_text()), began, began + seconds) if is_noting else {}
    return Ran(seconds, cpu, parts)


def _children() -> float:
    """Processor seconds of all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


PARTS = ("start", "search", "fine grid", "proof", "picture", "files")
COLUMNS = ("problem", "wall s", "asked s", "slowest s", "CPU s", *(f"{part} s" for part in PARTS))


def row(job: Job, plain: list[Ran], noting: list[Ran]) -> tuple[Cell, ...]:
    """A line of the table: medians."""
    return (
        job.title,
        statistics.median(ran.seconds for ran in plain),
        job.seconds,
        max(ran.seconds for ran in plain),
        statistics.median(ran.cpu for ran in plain),
        *(statistics.median(ran.parts[part] for ran in noting) for part in PARTS),
    )


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--repeats", type=int, default=7, help="processes of each kind for each problem")
    asked = parser.parse_args()
    rows: list[tuple[Cell, ...]] = []
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for job in jobs(asked.quick):
            file = Path(folder) / "problem.yaml"
            save(job.problem, file)
            run(file, asked.threads, False)  # compiles modules and fills the system's caches
            ways = [
                (run(file, asked.threads, False), run(file, asked.threads, True))
                for _ in range(asked.repeats)
            ]
            rows.append(row(job, [plain for plain, _ in ways], [noting for _, noting in ways]))
            figures.append(
                Figure(f"from command to result, {job.title}", float(str(rows[-1][1])), "s", job.seconds)
            )
            print(f"{job.title}: {rows[-1][1]:.2f} s", file=sys.stderr)
    finish("instant", __doc__ or "", asked, figures, [Table("From command to result", COLUMNS, tuple(rows))])


if __name__ == "__main__":
    main()
