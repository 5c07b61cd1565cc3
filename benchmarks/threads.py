"""Claim: a second thread is worth having on a quiet machine and costs next to nothing on a busy one.

Busy: whole solves on two threads against the same on one, while as many other processes as there are
processors compute without a pause; at most 1.3 times the time. Quiet: the same without them; and, with
`--against FOLDER` (the compiled modules of another build of the core), two threads of both,
at most 1.03 times. Every build runs in a process of its own that stays alive, and what is compared
runs by turns, first one way round and then the other, so that a change of the machine meets both. The first
comparison, one thread of this build against itself, shows how far a ratio can be trusted.

    python -m benchmarks.threads --against FOLDER
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Figure, Table, arguments, finish, parse_size, size_text

Size = tuple[int, ...]

SIZES = ((300, 100), (48, 24, 24), (96, 48, 48))
QUICK = ((120, 40), (24, 12, 12))
ITERATIONS = {2: 60, 3: 20}
"""Design iterations of a solve, by dimension: about a second on the smaller grids."""
REPEATS = 9
BUSY_GOAL = 1.3
QUIET_GOAL = 1.03
SPIN_COUNT = {"GOMP_SPINCOUNT": "100000"}
"""What builds on OpenMP were given by `trabecula.physics.compiled_core`."""
SPIN = "while True:\n    pass"


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a process that solves, and on how many threads."""

    solver: subprocess.Popen[str]
    threads: int

    def seconds(self, elements: Size) -> float:
        """Of one solve."""
        assert self.solver.stdin and self.solver.stdout
        print(size_text(elements), self.threads, file=self.solver.stdin, flush=True)
        return float(json.loads(self.solver.stdout.readline()))


def use_core(folder: Path) -> None:
    """Let `trabecula` find its compiled modules in another folder; before its first use in this process."""
    import trabecula

    for path in folder.glob("_core_*"):
        short = path.name.split(".")[0]
        name = f"trabecula.{short}"
        loader = importlib.machinery.ExtensionFileLoader(name, str(path))
        spec = importlib.util.spec_from_loader(name, loader)
        assert spec
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        sys.modules[name] = module
        setattr(trabecula, short, module)


def serve(folder: Path | None) -> None:
    """Solve what standard input asks for, a size and a number of threads a line; write the seconds."""
    if folder:
        use_core(folder)
    import trabecula as tb
    from trabecula.problem import problems

    for line in sys.stdin:
        size, threads = line.split()
        elements = parse_size(size)
        make = problems.cantilever if len(elements) == 2 else problems.cantilever_3d
        problem = make(elements=elements)
        begin = time.perf_counter()
        tb.solve(problem, start="uniform", iterations=ITERATIONS[len(elements)], threads=int(threads))
        print(json.dumps(time.perf_counter() - begin), flush=True)


@contextmanager
def solver(folder: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that solves with this build, or with the modules in `folder`."""
    command = [sys.executable, "-m", "benchmarks.threads", "--serve", *([str(folder)] if folder else [])]
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"} | SPIN_COUNT
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Other processes that compute without a pause."""
    running = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def compare(left: Side, right: Side, elements: Size, repeats: int) -> list[tuple[float, float]]:
    """Seconds of both sides, by turns: left first, then right first, and so on; after one each for warmth."""
    for side in (left, right):
        side.seconds(elements)
    pairs = []
    for turn in range(repeats):
        if turn % 2:
            after = right.seconds(elements)
            pairs.append((left.seconds(elements), after))
        else:
            before = left.seconds(elements)
            pairs.append((before, right.seconds(elements)))
    return pairs


def ratio(pairs: list[tuple[float, float]]) -> float:
    """The median of the ratios, left by right."""
    return statistics.median(left / right for left, right in pairs)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="with the modules of another build")
    parser.add_argument("--sizes", nargs="*", type=parse_size)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", choices=("quiet", "busy"))
    parser.add_argument("--serve", nargs="?", type=Path, const=Path(), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        serve(asked.serve if asked.serve != Path() else None)
        return
    figures: list[Figure] = []
    rows: list[tuple[str | float, ...]] = []
    many, processors = asked.threads, os.cpu_count() or 1
    with solver() as ours, solver(asked.against) as other:
        quiet = {f"{many} threads against 1": (Side(ours, many), Side(ours, 1), None)}
        quiet = {"1 thread against itself": (Side(ours, 1), Side(ours, 1), None)} | quiet
        if asked.against:
            quiet["1 thread against the other build"] = (Side(ours, 1), Side(other, 1), None)
            quiet[f"{many} threads against the other build"] = (
                Side(ours, many),
                Side(other, many),
                QUIET_GOAL,
            )
        busy = {f"{many} threads against 1": (Side(ours, many), Side(ours, 1), BUSY_GOAL)}
        if asked.against:
            busy[f"{many} threads of the other build against 1"] = (Side(other, many), Side(ours, 1), None)
        for name, sides, processes in (("quiet", quiet, 0), ("busy", busy, processors)):
            if asked.only not in (None, name):
                continue
            for elements in asked.sizes or (QUICK if asked.quick else SIZES):
                for what, (left, right, goal) in sides.items():
                    with load(processes):
                        pairs = compare(left, right, elements, asked.repeats)
                    ratios = sorted(a / b for a, b in pairs)
                    seconds = [statistics.median(side) for side in zip(*pairs, strict=True)]
                    said = f"{name}, {size_text(elements)}: {what}"
                    print(f"{said}: {ratio(pairs):.3f}", file=sys.stderr)
                    figures.append(Figure(said, ratio(pairs), "x", goal))
                    rows.append(
                        (name, size_text(elements), what, *seconds, ratios[0], ratio(pairs), ratios[-1])
                    )
    columns = ("machine", "grid", "what", "s", "s, other", "least", "median", "most")
    finish("threads", __doc__ or "", asked, figures, [Table("Ratios of time", columns, tuple(rows))])


if __name__ == "__main__":
    main()
