"""Claim: a finished design at least as stiff as what the formula alone ends with is there four times
sooner, in the median of plates and in that of solids, and eight times sooner at 96x48x48; and it always
comes.

The formula alone is one grid and a uniform start: `--start classical`, at most 200 iterations, and `--start
uniform`. Against them, side by side in turns: the default, `--start learned`, `--proposals 1`, and the
plainest start ahead of the search (a penalty ramp in the network's place). A design is finished when it was
taken to its stop, by the same rule in all ways; what counts is the compliance it has then, tightly solved. As
stiff is no more than 0.1 % more compliant, by which two runs to one design differ at their stops. All ways
are projected to black and white, or, with `--grey`, none is: like is compared with like.

Times are processor seconds on one thread. The work, iterations by their share of the full grid's voxels, is
told beside them: no other program on the machine can touch it. It makes no difference between an iteration
that changes much and one that changes little, of which the first takes up to twice as long.

Problems: all named ones, 20 random ones (even numbers are plates, odd ones solids), and four solids of about
96x48x48. Runs are kept in results/sooner.jsonl, so that a command that is cut goes on; `--budget` seconds at
a time, `--groups`, `--only`, `--ways`, `--summary` runs nothing, `--fresh` forgets them.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import places, random_problems
from benchmarks.finished import Finished, watch
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish
from benchmarks.ways import Method, Renamed
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem import Problem, problems
from trabecula.starts import Ramps
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Strategy
from trabecula.strategy.table import start_of
from trabecula.strategy.workbench import Workbench

SLACK = 1e-3
"""Relative difference of compliances up to which two designs are as stiff."""

LIMIT = 200
"""Iterations of the classical start at most."""

GROUPS = ("plates", "solids", "96x48x48")
GOALS = {"plates": 4.0, "solids": 4.0, "96x48x48": 8.0}
LARGE = ("cantilever_3d", "torsion", "hook", "table")
QUICK = {"plates": ("cantilever", "mbb"), "solids": ("cantilever_3d",)}

Key = tuple[str, str, str]
"""Group, problem, way."""

Runs = dict[Key, tuple[Finished, ...]]


@dataclass(frozen=True)
class Asked:
    """A way that a solve is asked for by its arguments."""

    start: str
    proposals: int | None = None
    iterations: int | None = None

    def __call__(self, discrete: DiscreteProblem, threads: int) -> Strategy:
        """The strategy, with the networks that ship where it takes any."""
        start = start_of(self.start)
        learned = Learned.load(discrete.grid.dimension) if start.uses_networks else Learned()
        request = Request(self.start, self.proposals, self.iterations, learned=learned)
        return start.run(Workbench(discrete, threads), request)


def ramp_ahead(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The learned way with the plainest start in the network's place."""
    request = Request()
    search = replace(request.search, ahead=Renamed(Ramps()))
    return coarse_to_fine(Workbench(discrete, threads), search, request.stop)


REFERENCES = {"classical": Asked("classical", iterations=LIMIT), "uniform": Asked("uniform")}
"""What the formula alone does."""

WAYS: dict[str, Method] = {
    **REFERENCES,
    "default": Asked("coarse"),
    "learned": Asked("learned"),
    "proposals 1": Asked("coarse", proposals=1),
    "ramp ahead": ramp_ahead,
}


@dataclass(frozen=True)
class Gain:
    """How many times sooner a way had a finished design as stiff as a reference's; 0 where it never had.

    Attributes
    ----------
    work, seconds
        The reference's until its end over the way's.
    first
        Per cent that the way's first finished design is more compliant than the reference's.
    end
        The same of what the way ends with.
    """

    work: float
    seconds: float
    first: float
    end: float

    @property
    def has_arrived(self) -> bool:
        """Whether the way had such a design at all."""
        return self.work > 0.0


def gain(reference: Sequence[Finished], way: Sequence[Finished]) -> Gain:
    """Compare a way's finished designs with what a reference ended with."""
    last = reference[-1]
    enough = last.compliance * (1.0 + SLACK)
    there = next((each for each in way if each.compliance <= enough), None)
    first, end = (100.0 * (each.compliance / last.compliance - 1.0) for each in (way[0], way[-1]))
    if there is None:
        return Gain(0.0, 0.0, first, end)
    return Gain(last.work / there.work, last.seconds / there.seconds, first, end)


def cases(quick: bool, groups: Sequence[str], count: int) -> Iterator[tuple[str, Problem]]:
    """The problems of groups, each with its group."""
    if quick:
        for group, names in QUICK.items():
            for name in names:
                yield group, problems.get(name, tuple(n // 2 for n in problems.get(name).domain.elements))
        return
    everything = [problems.get(name) for name in problems.names()]
    everything += [random_problems.get(number) for number in range(count)]
    for problem in everything:
        group = GROUPS[problem.domain.dimension - 2]
        if group in groups:
            yield group, problem
    if GROUPS[2] in groups:
        for place in places.SETS["large"](False):
            if place.family in LARGE:
                yield GROUPS[2], place.problem


def work(
    found: Sequence[tuple[str, Problem]], path: Path, methods: Sequence[str], threads: int, budget: float
) -> Runs:
    """Make the runs that are left as long as the budget lasts; all there are."""
    runs, clock, left = load(path), time.perf_counter(), 0
    for group, problem in found:
        discrete = None
        for name in methods:
            key = (group, problem.name, name)
            if key in runs:
                continue
            if time.perf_counter() - clock > budget:
                left += 1
                continue
            discrete = discrete or prepare(problem)[0]
            runs[key] = watch(WAYS[name], discrete, threads)
            keep(path, key, runs[key])
            print(*key, *(f"{each.work:.0f}: {each.compliance:.5g}" for each in runs[key]), file=sys.stderr)
    if left:
        print(f"{left} runs left", file=sys.stderr)
    return runs


def load(path: Path) -> Runs:
    """All runs that are kept; a later line counts for an earlier one."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [json.loads(line) for line in lines]
    return {tuple(each["key"]): tuple(Finished(*one) for one in each["finished"]) for each in kept}


def keep(path: Path, key: Key, run: Sequence[Finished]) -> None:
    """Append a run to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({"key": key, "finished": [astuple(each) for each in run]}) + "\n")


def gains(runs: Runs, group: str, reference: str, way: str) -> dict[str, Gain]:
    """Of a way against a reference, by problem; those that both were run on."""
    found = {}
    for (place, problem, name), run in runs.items():
        other = runs.get((group, problem, reference))
        if (place, name) == (group, way) and other is not None:
            found[problem] = gain(other, run)
    return found


COLUMNS = (
    "against", "way", "problems", "work, median", "work, p10", "work, p90", "work, worst", "time, median",
    "time, p10", "time, p90", "time, worst", "arrived", "first design above, median %",
    "end above, median %", "end above, worst %",
)  # fmt: skip


def rows(runs: Runs, group: str) -> Iterator[tuple[Cell, ...]]:
    """A line for every reference and way of a group."""
    for reference in REFERENCES:
        for way in WAYS:
            found = list(gains(runs, group, reference, way).values())
            if way == reference or not found:
                continue
            yield (
                reference,
                way,
                len(found),
                *spread([each.work for each in found]),
                *spread([each.seconds for each in found]),
                f"{100 * share_arrived(found):.0f} %",
                statistics.median(each.first for each in found),
                statistics.median(each.end for each in found),
                max(each.end for each in found),
            )


def spread(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Median, 10th and 90th percentile, and the least."""
    low, high = np.quantile(values, (0.1, 0.9))
    return statistics.median(values), float(low), float(high), min(values)


def share_arrived(found: Sequence[Gain]) -> float:
    """Of all problems, those where the way had a design as stiff as the reference's."""
    return statistics.fmean(each.has_arrived for each in found)


def problem_rows(runs: Runs, group: str) -> Iterator[tuple[Cell, ...]]:
    """A line for every problem: the default beside the classical start."""
    for problem, each in gains(runs, group, "classical", "default").items():
        first, *_, last = runs[group, problem, "default"] * 2
        yield problem, group, each.work, each.seconds, each.first, each.end, first.work / last.work


def figures(runs: Runs) -> Iterator[Figure]:
    """What the claim says, against the classical start."""
    for group in GROUPS:
        for way in ("default", "learned", "proposals 1"):
            found = list(gains(runs, group, "classical", way).values())
            if not found:
                continue
            count = f"{len(found)} problems"
            here, goal = f"{way}, {group}", GOALS[group] if way == "default" else None
            sooner = statistics.median(each.work for each in found)
            yield Figure(
                f"{here}: sooner as stiff as classical, in work, median", sooner, "x", goal, True, count
            )
            sooner = statistics.median(each.seconds for each in found)
            yield Figure(f"{here}: sooner as stiff as classical, in time, median", sooner, "x", goal, True)
            arrived = 100.0 * share_arrived(found)
            always = 100.0 if way == "default" else None
            yield Figure(f"{here}: arrived", arrived, "%", always, True)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--grey", action="store_true", help="no design is projected")
    parser.add_argument("--groups", nargs="*", default=list(GROUPS), choices=GROUPS, help="of problems")
    parser.add_argument("--random", type=int, default=random_problems.COUNT, help="random problems")
    parser.add_argument("--only", nargs="*", default=[], help="problems whose names begin so")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=tuple(WAYS))
    parser.add_argument("--budget", type=float, default=math.inf, help="begin no run after so many seconds")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    parser.add_argument("--fresh", action="store_true", help="forget the runs that are kept")
    parser.set_defaults(threads=1)
    asked = parser.parse_args()
    name = "sooner-grey" if asked.grey else "sooner"
    path = (SCRATCH if asked.quick else RESULTS) / f"{name}.jsonl"
    if asked.fresh:
        path.unlink(missing_ok=True)
    found = [
        (group, replace(problem, options=replace(problem.options, projection=not asked.grey)))
        for group, problem in cases(asked.quick, asked.groups, asked.random)
        if not asked.only or any(problem.name.startswith(only) for only in asked.only)
    ]
    budget = -1.0 if asked.summary else asked.budget
    runs = work(found, path, asked.ways, asked.threads, budget)
    asked.json = asked.json or path.with_suffix(".json")
    finish("sooner", __doc__ or "", asked, list(figures(runs)), tables(runs))


def tables(runs: Mapping[Key, tuple[Finished, ...]]) -> list[Table]:
    """The ways of every group, and every problem."""
    made = [
        Table(f"How many times sooner, {group}", COLUMNS, tuple(rows(dict(runs), group))) for group in GROUPS
    ]
    columns = (
        "problem", "group", "work", "time", "first design above %", "end above %",
        "share of all work to the first design",
    )  # fmt: skip
    each = tuple(row for group in GROUPS for row in problem_rows(dict(runs), group))
    return [*(table for table in made if table.rows), Table("The default against classical", columns, each)]


if __name__ == "__main__":
    main()
