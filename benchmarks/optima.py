"""Claim: the default way ends within 1 % of the best known design in the median and within 4 % always, is
never worse than the usual cold start after 100 iterations, and in 3-D is as stiff as that one ever gets in a
tenth of its wall time in the median.

Runs every named problem and 20 random ones to the end by: the usual cold start (`cold`: fixed penalty, OC
exponent 1/2, until no density changes by 0.01, 300 iterations at most; with the same loose solves as the
others), the default, penalty continuation on one grid (`continuation`), the default with candidates of one
kind only (`ramps`, `fields`), the default with MMA (`mma`), and a search with 48 proposals and a third of the
tolerance (`long`). Best known is the best of all of them. Compliances are those of the final designs, solved
tightly at the problem's penalty. An equivalent counts an iteration on a coarse grid by its share of voxels.

Every run is kept as a line of results/optima.jsonl, and done once: `--budget` seconds at a time, `--only`
some problems, `--methods` or `--skip-long` less; `--redo` does runs again, `--summary` only prints. `--large`
adds 3-D problems with eight times the voxels.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import random_problems
from benchmarks.report import (
    RESULTS,
    SCRATCH,
    Cell,
    Figure,
    Table,
    arguments,
    finish,
    parse_size,
    processor,
    size_text,
)
from benchmarks.runs import unprojected
from benchmarks.travelled import Moment, Travelled, travel
from benchmarks.ways import METHODS
from trabecula.discretisation import prepare
from trabecula.problem import Problem, problems
from trabecula.version import VERSION

LEVELS = (5.0, 2.0, 1.0, 0.5)
LARGE = ("cantilever_3d", "torsion", "hook", "table")
LARGE_VOXELS = 100_000
LAST = ("mma", "long")
"""Methods that wait until all others have been everywhere: they take longest."""

Key = tuple[str, str, str]
"""Problem, size, method."""
Runs = dict[Key, Travelled]


def jobs(asked: argparse.Namespace) -> dict[str, Problem]:
    """The problems to be solved, by name."""
    found: dict[str, Problem] = {}
    for name in problems.names():
        problem = problems.get(name)
        if asked.quick:
            problem = problems.get(name, tuple(n // 2 for n in problem.domain.elements))
        found[name] = problem
    for number in range(random_problems.COUNT):
        found[f"random-{number}"] = random_problems.get(number, 0.5 if asked.quick else 1.0)
    if asked.large:
        for name in LARGE:
            elements = problems.get(name).domain.elements
            found[f"{name} large"] = problems.get(name, tuple(2 * n for n in elements))
    found = {name: unprojected(problem) for name, problem in found.items()}
    if asked.only:
        found = {name: p for name, p in found.items() if any(name.startswith(o) for o in asked.only)}
    return found


def load(path: Path) -> Runs:
    """All runs that are kept; a later line counts for an earlier one."""
    runs: Runs = {}
    if path.exists():
        for line in path.read_text().splitlines():
            kept = json.loads(line)
            fields = {name: kept[name] for name in Travelled.__dataclass_fields__ if name in kept}
            for name in ("track", "residuals", "trials"):
                fields[name] = tuple(map(tuple, kept.get(name, ())))
            fields["networks"] = tuple(kept.get("networks", ()))
            key = (kept["problem"], kept["size"], kept["method"])
            runs[key] = Travelled(**fields)
    return runs


def keep(path: Path, key: Key, run: Travelled, threads: int) -> None:
    """Append a run to the file."""
    problem, size, method = key
    entry = {
        "problem": problem,
        "size": size,
        "method": method,
        **asdict(run),
        "track": _rounded(run.track),
        "residuals": _rounded(run.residuals),
        "threads": threads,
        "version": VERSION,
        "processor": processor(),
        "date": datetime.date.today().isoformat(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(entry) + "\n")


def _rounded(moments: Sequence[Moment]) -> list[Moment]:
    return [(round(t, 3), round(e, 2), i, float(f"{c:.7g}")) for t, e, i, c in moments]


def wanted(
    asked: argparse.Namespace, named: dict[str, Problem], methods: Sequence[str]
) -> Iterator[tuple[Key, Problem]]:
    """All runs in the order they are done."""
    methods = [m for m in methods if (not asked.methods or m in asked.methods)]
    if asked.skip_long:
        methods = [m for m in methods if m != "long"]
    first = [m for m in methods if m not in LAST]
    for group in (first, *([m] for m in LAST if m in methods)):
        for name, problem in named.items():
            for method in group:
                yield (name, size_text(problem.domain.elements), method), problem


def work(
    asked: argparse.Namespace, named: dict[str, Problem], path: Path, methods: Sequence[str] = tuple(METHODS)
) -> Runs:
    """Do what is not done yet, as long as the budget lasts."""
    runs = load(path)
    clock = time.perf_counter()
    left = [
        (key, problem)
        for key, problem in wanted(asked, named, methods)
        if key not in runs or key[2] in asked.redo or "all" in asked.redo
    ]
    for done, (key, problem) in enumerate(left):
        if time.perf_counter() - clock > asked.budget:
            print(f"budget spent, {len(left) - done} runs left", file=sys.stderr)
            break
        name, size, method = key
        print(f"{name:14} {size:>11} {method:12}", end=" ", file=sys.stderr, flush=True)
        discrete, _ = prepare(problem)
        runs[key] = run = travel(method, discrete, asked.threads)
        keep(path, key, run, asked.threads)
        print(f"{run.compliance:.6g} after {run.iterations}, {run.seconds:.1f} s", file=sys.stderr)
    return runs


def reached(run: Travelled, level: float) -> Moment | None:
    """When a run first had a design at most as compliant as `level`."""
    return next((moment for moment in run.track if moment[3] <= level), None)


def best_known(runs: Runs, problem: str, size: str) -> tuple[str, float]:
    """The method that ended best, and its compliance."""
    found = {m: run.compliance for (p, s, m), run in runs.items() if (p, s) == (problem, size)}
    best = min(found, key=found.__getitem__)
    return best, found[best]


def excesses(runs: Runs, places: Sequence[tuple[str, str]], methods: Sequence[str]) -> Table:
    """Percent above the best known, a row a problem."""
    rows = []
    for problem, size in places:
        best, compliance = best_known(runs, problem, size)
        ends = [runs.get((problem, size, m)) for m in methods]
        cells = [None if run is None else round(100 * (run.compliance / compliance - 1), 2) for run in ends]
        rows.append((problem, size, f"{compliance:.5g}", best, *cells))
    columns = ("problem", "grid", "best known", "by", *(f"{m} %" for m in methods))
    return Table("Final compliance above the best known", columns, tuple(rows))


def costs(runs: Runs, places: Sequence[tuple[str, str]], methods: Sequence[str], title: str) -> Table:
    """What each method takes to come within the levels: medians over the problems where it does."""
    rows: list[tuple[Cell, ...]] = []
    for method in methods:
        for level in LEVELS:
            found = [
                reached(runs[p, s, method], best_known(runs, p, s)[1] * (1 + level / 100))
                for p, s in places
                if (p, s, method) in runs
            ]
            there = [moment for moment in found if moment is not None]
            if not found:
                continue
            medians = [statistics.median(m[k] for m in there) for k in (2, 1, 0)] if there else [None] * 3
            rows.append((method, f"{level:g} %", f"{len(there)} of {len(found)}", *medians))
    columns = ("method", "within", "reached", "full iterations", "equivalents", "s")
    return Table(title, columns, tuple(rows))


def passing(runs: Runs, places: Sequence[tuple[str, str]]) -> list[float]:
    """Wall time until the default is as stiff as the cold start ends, of the cold start's; inf: never."""
    shares = []
    for problem, size in places:
        default, cold = runs.get((problem, size, "default")), runs.get((problem, size, "cold"))
        if default is not None and cold is not None:
            moment = reached(default, cold.compliance)
            shares.append(math.inf if moment is None else moment[0] / cold.seconds)
    return shares


def figures(runs: Runs, places: Sequence[tuple[str, str]]) -> list[Figure]:
    """The claim's numbers."""
    above, behind = [], []
    for problem, size in places:
        default, cold = runs.get((problem, size, "default")), runs.get((problem, size, "cold"))
        if default is None:
            continue
        above.append(100 * (default.compliance / best_known(runs, problem, size)[1] - 1))
        if cold is not None:
            hundredth = cold.compliance if cold.at_100 is None else cold.at_100
            behind.append(100 * (default.compliance / hundredth - 1))
    found = []
    count = f"{len(above)} problems"
    if above:
        found.append(
            Figure("default above the best known, median", statistics.median(above), "%", 1.0, note=count)
        )
        found.append(Figure("default above the best known, worst", max(above), "%", 4.0, note=count))
    if behind:
        what = "default above the usual cold start after 100 iterations, worst"
        found.append(Figure(what, max(behind), "%", 0.0, note=count))
        what = "default below the usual cold start after 100 iterations, median"
        found.append(Figure(what, -statistics.median(behind), "%"))
    solid = [(p, s) for p, s in places if s.count("x") == 2]
    large = [(p, s) for p, s in solid if math.prod(parse_size(s)) > LARGE_VOXELS]
    for group, name in ((solid, "3-D"), (large, "3-D of more than 100 thousand voxels")):
        if shares := passing(runs, group):
            what = f"wall time to the cold start's final compliance, of the cold start's, {name}, median"
            found.append(Figure(what, statistics.median(shares), "", 0.1, note=f"{len(shares)} problems"))
    return found


def main() -> None:
    """Run what is left, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", type=float, default=math.inf, help="begin no run after so many seconds")
    parser.add_argument("--only", nargs="*", default=[], help="problems whose names begin so")
    parser.add_argument("--methods", nargs="*", default=[], choices=tuple(METHODS))
    parser.add_argument("--skip-long", action="store_true", help="leave the long search out")
    parser.add_argument("--large", action="store_true", help="3-D problems with eight times the voxels too")
    parser.add_argument("--redo", nargs="*", default=[], help="methods to run again, or all")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    asked = parser.parse_args()
    if asked.summary:
        asked.budget = -1.0
    path = (SCRATCH if asked.quick else RESULTS) / "optima.jsonl"
    named = jobs(asked)
    runs = work(asked, named, path)
    known = {(p, s) for p, s, _ in runs}
    places = [place for name, p in named.items() if (place := (name, size_text(p.domain.elements))) in known]
    if not places:
        sys.exit("no runs yet")
    methods = [m for m in METHODS if any((p, s, m) in runs for p, s in places)]
    plane = [(p, s) for p, s in places if s.count("x") == 1]
    solid = [(p, s) for p, s in places if s.count("x") == 2]
    tables = [excesses(runs, places, methods)]
    tables += [
        costs(runs, group, methods, f"Cost to come within a level of the best known, {name} (medians)")
        for group, name in ((plane, "2-D"), (solid, "3-D"))
        if group
    ]
    finish("optima", __doc__ or "", asked, figures(runs, places), tables)


if __name__ == "__main__":
    main()
