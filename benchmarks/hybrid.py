"""Claim: on problems nobody trained on, the learned start comes within 1 % and 0.1 % of the better of two
ends at least 20 times faster than practice in 3-D and 10 times in 2-D, 4 times faster than continuation on
one grid, and with half of the full-resolution iterations and 1 / 1.7 of the wall time of the strongest way
without networks in 3-D (1 / 1.4 in 2-D), or is 1 % stiffer at equal time on hard problems; at most one
problem in twenty is slower than 0.95x of that way, and none ends more than 0.1 % worse.

Methods, all on the same solver: `practice` (P: uniform start, penalty 3, OC exponent 1/2, until no density
changes by 0.01, a direct solver in 2-D), `continuation` (C: one grid, tuned OC), `default`, `short`, `medium`
(S: the way without networks, with three hand-overs, of which the best in hindsight counts), `fields` (N: that
way with random proposals only), `few_fields` (N: with four of them), `field_ahead` (N: the learned way with a
random field in place of what the network draws), `more_fields` (N: as many more random proposals as the time
of the networks pays for), `neighbours` (N: the designs of the nearest problems of the training set `--data`),
`element_history` (N: a leap without neighbourhood), `anderson` (N), `learned` (L: what is drawn goes ahead,
the search follows where it is in doubt), `quick` (what is drawn, and no search), `only_corrector` (the
corrector that ships, by itself), and `long` (a wide search, for the reference). Where the best design is
found only once, S, `learned` and `field_ahead` try further fields; the others what is said here instead.
Sets: `benchmarks.places`. Wall time holds everything: features, coarse grids, networks, refused designs,
looking neighbours up; networks and training set are loaded once, and loading is a row of its own.

Every run is kept as a line of results/hybrid.jsonl and done once (again where other networks ship); a command
that is cut goes on where it was.
`--budget` seconds at a time, `--sets`, `--methods`, `--limit` problems of a set, `--redo`, `--summary`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks import networks, places, ways
from benchmarks.element_history import element_history, kept
from benchmarks.gains import run_of
from benchmarks.hybrid_figures import figures
from benchmarks.hybrid_tables import Loading, tables
from benchmarks.mixing import anderson
from benchmarks.neighbours import index_of, neighbours
from benchmarks.optima import Key, Runs, keep, load
from benchmarks.places import SETS, UNSEEN, Place
from benchmarks.report import RESULTS, SCRATCH, arguments, finish
from benchmarks.travelled import Travelled, travel
from benchmarks.ways import Method
from trabecula.discretisation import prepare
from trabecula.learning.store import open_dataset
from trabecula.storage.reading import UnreadableError

PLAIN: dict[str, Method] = {
    function.__name__: function
    for function in (
        ways.default,
        ways.short,
        ways.medium,
        ways.continuation,
        ways.practice,
        ways.fields,
        ways.few_fields,
        ways.field_ahead,
        anderson,
        ways.long,
    )
}
"""Methods that need nothing but the problem."""

NETWORKS: dict[str, tuple[Method, tuple[str, ...]]] = {
    "learned": (ways.learned, networks.KINDS),
    "quick": (ways.quick, ("proposer",)),
    "only_corrector": (ways.only_corrector, ("corrector",)),
}
"""Methods with networks, and of which kinds one must ship."""

ORDER = (
    "learned",
    "default",
    "short",
    "medium",
    "continuation",
    "practice",
    "neighbours",
    "element_history",
    "anderson",
    "more_fields",
    "fields",
    "few_fields",
    "field_ahead",
    "quick",
    "only_corrector",
    "long",
)
"""Methods in the order they are run and shown."""

PAST = 30
"""Iterations past its own stop that a run may take to a KKT residual of 1e-3."""


@dataclass(frozen=True)
class Absent:
    """A method that cannot be run on a problem, and why."""

    reason: str


@dataclass(frozen=True)
class Bench:
    """What methods need beside the problem: the training sets by dimension, and the runs there are."""

    data: Mapping[int, Path]
    runs: Runs

    def method(self, name: str, place: Place) -> Method | Absent:
        """A method, ready for a problem."""
        if name in PLAIN:
            return PLAIN[name]
        where = f"{place.dimension}-D"
        if name in NETWORKS:
            method, kinds = NETWORKS[name]
            there = networks.there(place.dimension)
            if not any(kind in there for kind in kinds):
                return Absent(f"no network ships for {where}")
            return method
        if name == "neighbours":
            folder = self.data.get(place.dimension)
            if folder is None:
                return Absent(f"no --data of {where} problems")
            return partial(neighbours, folder=folder)
        if name == "element_history":
            fit = kept(place.dimension)
            return (
                Absent(f"not fitted in {where}: python -m benchmarks.element_history")
                if fit is None
                else partial(element_history, fit=fit)
            )
        return self._more_fields(place)

    def _more_fields(self, place: Place) -> Method | Absent:
        """As many more random proposals as the learned start's time pays for, by the two runs there are.

        At the price of eight: where the default tried further ones, fewer than it pays for.
        """
        ours, plain = (run_of(self.runs, place, method) for method in ("learned", "default"))
        if ours is None or plain is None or not plain.searched:
            return Absent("learned and default have to be run first, with a search")
        spent = max(0.0, ours.seconds - plain.seconds)
        more = round(spent / (plain.searched / ways.EIGHT.proposals))
        if not more:
            return Absent("the learned start takes no longer than the default")
        return partial(ways.more_fields, more=more)


def training_sets(folders: Sequence[Path]) -> dict[int, Path]:
    """Training sets by dimension.

    Raises
    ------
    SystemExit
        One is none, two are of a dimension, or one holds problems that are tested on.
    """
    found: dict[int, Path] = {}
    for folder in folders:
        try:
            dataset = open_dataset(folder)
        except UnreadableError as error:
            sys.exit(str(error))
        if int(dataset.info["seed"]) in UNSEEN.values():
            sys.exit(f"{folder} has a seed that is tested on")
        if dataset.dimension in found:
            sys.exit(f"{folder}: there is a training set of {dataset.dimension}-D problems already")
        found[dataset.dimension] = folder
    return found


def left(
    asked: argparse.Namespace, found: Sequence[Place], runs: Runs, methods: Sequence[str]
) -> Iterator[tuple[Key, Place]]:
    """The runs still to be made: problem by problem; the long search last of all."""
    for last in (False, True):
        for place in found:
            for method in methods:
                key = (place.name, place.size, method)
                is_wanted = not is_done(runs.get(key), method, place) or {method, "all"} & set(asked.redo)
                if is_wanted and (method == "long") is last:
                    yield key, place


def is_done(run: Travelled | None, method: str, place: Place) -> bool:
    """Whether a run is there, in its present form and with the networks that ship now."""
    if run is None or not run.finisher:
        return False
    return method not in NETWORKS or run.networks == networks.stamp(place.dimension)


def work(
    asked: argparse.Namespace, found: Sequence[Place], methods: Sequence[str], path: Path
) -> tuple[Runs, dict[str, str]]:
    """Make the runs that are left as long as the budget lasts.

    Returns
    -------
    Runs
        All there are.
    dict
        Why methods were left out, by method and dimension.
    """
    clock, runs = time.perf_counter(), load(path)
    bench, left_out = Bench(training_sets(asked.data), runs), {}
    waiting, without = list(left(asked, found, runs, methods)), 0
    for key, place in waiting:
        name, size, called = key
        method = bench.method(called, place)
        if isinstance(method, Absent):
            left_out[f"{called} {place.dimension}-D"] = method.reason
            continue
        if asked.summary or time.perf_counter() - clock > asked.budget:
            without += 1
            continue
        _warm(called, place, bench)
        print(f"{name:24} {size:>11} {called:16}", end=" ", file=sys.stderr, flush=True)
        discrete, _ = prepare(place.problem)
        run = travel(method, discrete, asked.threads, asked.past)
        if called in NETWORKS:
            run = replace(run, networks=networks.stamp(place.dimension))
        runs[key] = run
        keep(path, key, run, asked.threads)
        print(f"{run.compliance:.6g} after {run.iterations}, {run.seconds:.1f} s", file=sys.stderr)
    if without:
        print(f"{without} runs left", file=sys.stderr)
    return runs, left_out


def _warm(called: str, place: Place, bench: Bench) -> None:
    """Load what a method needs, which is measured by itself."""
    if called in NETWORKS:
        networks.warm(networks.there(place.dimension).values())
    if called == "neighbours":
        index_of(bench.data[place.dimension])


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = arguments(__doc__ or "")
    found.add_argument("--budget", type=float, default=math.inf, help="begin no run after so many seconds")
    found.add_argument("--sets", nargs="*", default=list(SETS), choices=tuple(SETS))
    found.add_argument("--limit", type=int, help="problems of a set, at most")
    found.add_argument("--only", nargs="*", default=[], help="problems whose names begin so")
    found.add_argument("--methods", nargs="*", default=list(ORDER), choices=ORDER)
    found.add_argument("--data", type=Path, nargs="*", default=[], help="training sets, for neighbours")
    found.add_argument("--data-hours", type=float, help="hours the networks' training set took to solve")
    found.add_argument("--past", type=int, default=PAST, help="iterations past a stop, to KKT 1e-3; 0: none")
    found.add_argument("--redo", nargs="*", default=[], help="methods to run again, or all")
    found.add_argument("--summary", action="store_true", help="run nothing, and load no network")
    return found


def report(
    asked: argparse.Namespace, found: Sequence[Place], runs: Runs, left_out: Mapping[str, str]
) -> None:
    """Print the tables, write the JSON."""
    methods = [m for m in ORDER if any(run_of(runs, place, m) for place in found)]
    if not methods:
        sys.exit("no runs yet")
    costs = {d: cost for d in (3, 2) if (cost := networks.cost(d, asked.data_hours))}
    measured = [] if asked.summary else [networks.loading(d) for d in (3, 2)]
    loading: list[Loading] = [entry for entry in measured if entry is not None]
    reasons = {d: f"no network ships for {d}-D" for d in (3, 2) if not networks.used(d)}
    made = tables(runs, found, methods, costs, loading, left_out)
    finish("hybrid", __doc__ or "", asked, figures(runs, found, reasons), made)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is left, print, write."""
    asked = parser().parse_args(arguments)
    found = places.places(asked.sets, asked.quick, asked.limit)
    if asked.only:
        found = [place for place in found if any(place.name.startswith(only) for only in asked.only)]
    path = (SCRATCH if asked.quick else RESULTS) / "hybrid.jsonl"
    methods = [m for m in ORDER if m in asked.methods]
    runs, left_out = work(asked, found, methods, path)
    report(asked, found, runs, left_out)


if __name__ == "__main__":
    main()
