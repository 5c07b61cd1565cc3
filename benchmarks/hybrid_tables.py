"""The tables of `benchmarks.hybrid`, from its runs alone."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.gains import (
    EQUIVALENTS,
    HAND_OVERS,
    ITERATIONS,
    SECONDS,
    Gain,
    break_even,
    by,
    ends_above,
    gain,
    in_use,
    outcome,
    references,
    run_of,
    saved,
    spread,
    strongest,
)
from benchmarks.optima import Runs
from benchmarks.places import Place
from benchmarks.report import Cell, Table
from benchmarks.travelled import STATIONARY, Moment, Travelled

LEVELS = (5.0, 2.0, 1.0, 0.5, 0.1)
LETTERS = {
    "practice": "P",
    "continuation": "C",
    **dict.fromkeys(HAND_OVERS, "S"),
    "fields": "N",
    "few_fields": "N",
    "field_ahead": "N",
    "more_fields": "N",
    "neighbours": "N",
    "element_history": "N",
    "anderson": "N",
}
"""What the learned start is held against, and the letter of its kind."""

NOBODY = "nothing was run"


@dataclass(frozen=True)
class Training:
    """What the networks of a dimension cost: hours of training and of solving the problems they learned from;
    None where that is not known."""

    training: float | None
    data: float | None

    @property
    def hours(self) -> float:
        """In all, as far as known."""
        return (self.training or 0.0) + (self.data or 0.0)


@dataclass(frozen=True)
class Loading:
    """Seconds that the networks of a dimension take to load, once."""

    dimension: int
    networks: int
    seconds: float


def tables(
    runs: Runs,
    places: Sequence[Place],
    methods: Sequence[str],
    training: Mapping[int, Training],
    loading: Sequence[Loading],
    left_out: Mapping[str, str],
) -> list[Table]:
    """All of them that have rows; the last says what was run and what was not."""
    made = [
        against(runs, places),
        by_family(runs, places),
        ends(runs, places, methods),
        costs(runs, places, methods),
        decisions(runs, places),
        loads(runs, places, loading),
        repaid(runs, places, training),
        coverage(runs, places, methods, left_out),
    ]
    return [table for table in made if table.rows]


def against(runs: Runs, places: Sequence[Place]) -> Table:
    """Distribution of the gain by set, opponent and level."""
    rows: list[tuple[Cell, ...]] = []
    for group, here in by(places, "group"):
        ours = in_use(runs, here)
        for other, letter in LETTERS.items():
            for level in (1.0, 0.1):
                if other != ours and gain(runs, here, ours, other, level):
                    gained = _gained(runs, here, ours, other, level)
                    rows.append((group, ours, f"{letter} {other}", f"{level:g} %", *gained))
    columns = (
        "set",
        "way",
        "against",
        "within",
        "problems",
        "never",
        "iterations",
        "equivalents",
        *QUANTILES,
        "at least",
    )
    title = (
        "How many times less the learned start (the default, where no network ships) takes to within a level"
        " of the better of the two ends (iterations, equivalents: medians; then wall time; never: problems"
        " where the other / this one never arrives; at least: the median with all the time the other took"
        " where it never arrives)"
    )
    return Table(title, columns, tuple(rows))


QUANTILES = ("p10", "median", "p90", "worst")


def _gained(runs: Runs, here: Sequence[Place], ours: str, other: str, level: float) -> tuple[Cell, ...]:
    times, equivalents, iterations = (
        gain(runs, here, ours, other, level, part) for part in (SECONDS, EQUIVALENTS, ITERATIONS)
    )
    return (
        len(times.times),
        f"{times.never[0]} / {times.never[1]}",
        _times(iterations.median),
        _times(equivalents.median),
        *map(_times, spread(times.times)),
        round(statistics.median(times.least), 2),
    )


def _times(value: float) -> Cell:
    """A gain in a table."""
    return "∞" if math.isinf(value) else round(value, 2)


def by_family(runs: Runs, places: Sequence[Place]) -> Table:
    """Distribution of the gain over the strongest way without networks, by family of problems."""
    rows: list[tuple[Cell, ...]] = []
    for family, here in by(places, "family"):
        other = strongest(runs, here)
        if other and (times := gain(runs, here, "learned", other, 1.0)):
            quantiles = map(_times, spread(times.times))
            above = ends_above(runs, here, "learned", other)
            rows.append((family, other, len(times.times), *quantiles, round(max(above), 2)))
    columns = ("family", "against", "problems", *QUANTILES, "worst end above %")
    title = "Gain in wall time to within 1 % over the strongest hand-over without network, by family"
    return Table(title, columns, tuple(rows))


def ends(runs: Runs, places: Sequence[Place], methods: Sequence[str]) -> Table:
    """Who comes how near to the best known at all, how it ends, and whether it gets stationary."""
    best = references(runs, places)
    rows: list[tuple[Cell, ...]] = []
    for group, here in by(places, "group"):
        for method in methods:
            found = [(place, run) for place in here if (run := run_of(runs, place, method))]
            if not found:
                continue
            above = [100 * (run.compliance / best[place.name, place.size] - 1) for place, run in found]
            near = [
                sum(outcome(runs, place, method, level, best) is not None for place, _ in found)
                for level in (1.0, 0.1)
            ]
            rows.append(
                (
                    group,
                    method,
                    len(found),
                    *(f"{100 * count / len(found):.0f} %" for count in near),
                    round(statistics.median(above), 3),
                    round(max(above), 2),
                    *_stationary([run for _, run in found]),
                )
            )
    columns = (
        "set",
        "method",
        "problems",
        "within 1 %",
        "within 0.1 %",
        "end above %, median",
        "worst",
        "KKT at the stop",
        "KKT 1e-2",
        "KKT 1e-3",
    )
    past = max((run.past for run in runs.values()), default=0)
    title = (
        "Against the best known of all methods: who comes near at all, how it ends, when its KKT residual is"
        f" small (taken on for up to {past} iterations past its own stop)"
    )
    return Table(title, columns, tuple(rows))


def _stationary(found: Sequence[Travelled]) -> tuple[Cell, ...]:
    """Median residual at the runs' own stops, and for two levels how many got there and their median time."""
    known = [run.kkt for run in found if run.kkt is not None]
    cells: list[Cell] = [float(f"{statistics.median(known):.2g}") if known else None]
    measured = [run for run in found if run.residuals]
    for level in (1e-2, STATIONARY):
        there = [moment[SECONDS] for run in measured if (moment := _below(run, level))]
        said = f"{len(there)} of {len(measured)}" if measured else "not measured"
        cells.append(f"{said}, {statistics.median(there):.3g} s" if there else said)
    return tuple(cells)


def _below(run: Travelled, level: float) -> Moment | None:
    """When a run's KKT residual was first at most so much."""
    return next((moment for moment in run.residuals if moment[3] <= level), None)


def costs(runs: Runs, places: Sequence[Place], methods: Sequence[str]) -> Table:
    """Medians of wall time and equivalents to levels of the best known."""
    best = references(runs, places)
    rows: list[tuple[Cell, ...]] = []
    for group, here in by(places, "group"):
        for method in methods:
            there = [place for place in here if run_of(runs, place, method)]
            if there:
                cells = [_cost(runs, there, method, level, best) for level in LEVELS]
                rows.append((group, method, len(there), *cells))
    title = (
        "Cost to come within levels of the best known: seconds / full-resolution equivalents, medians over"
        " all problems (never: on half of them or more)"
    )
    return Table(title, ("set", "method", "problems", *(f"{level:g} %" for level in LEVELS)), tuple(rows))


def _cost(
    runs: Runs, there: Sequence[Place], method: str, level: float, best: Mapping[tuple[str, str], float]
) -> str:
    moments = [outcome(runs, place, method, level, best) for place in there]
    medians = [
        statistics.median(math.inf if m is None else m[part] for m in moments)
        for part in (SECONDS, EQUIVALENTS)
    ]
    return "never" if math.inf in medians else f"{medians[0]:.3g} / {medians[1]:.3g}"


def decisions(runs: Runs, places: Sequence[Place]) -> Table:
    """Designs that were taken and refused, by set, method and what they were for."""
    rows: list[tuple[Cell, ...]] = []
    for group, here in by(places, "group"):
        for method in ("learned", "neighbours", "element_history"):
            found = [run for place in here if (run := run_of(runs, place, method))]
            if not found:
                continue
            rows += [
                (group, method, what, taken, refused, None if spent is None else round(spent, 2))
                for what, (taken, refused, spent) in _tallied(found).items()
            ]
    columns = ("set", "method", "designs", "taken", "refused", "s each")
    return Table("Designs of networks and of neighbours, each decided by a solve", columns, tuple(rows))


def _tallied(found: Sequence[Travelled]) -> dict[str, tuple[int, int, float | None]]:
    """Taken, refused and mean seconds by what a design was for; past ones also by who was finished."""
    taken: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    for run in found:
        for what, was_taken, spent in run.trials:
            (taken if was_taken else refused)[what] += 1
            seconds[what] += spent
        taken["finished"] += "past-" in run.finisher
    tally: dict[str, tuple[int, int, float | None]] = {
        what: (taken[what], refused[what], seconds[what] / (taken[what] + refused[what]))
        for what in dict.fromkeys([*taken, *refused])
        if what != "finished"
    }
    if not any(run.trials for run in found):  # runs of before, which know the sums only
        tally["all"] = (sum(r.accepted for r in found), sum(r.refused for r in found), None)
    elif taken["finished"]:
        tally["past design that became the design"] = (taken["finished"], 0, None)
    return tally


def loads(runs: Runs, places: Sequence[Place], loading: Sequence[Loading]) -> Table:
    """What loading the networks costs, and what is left of the gain where every solve pays for it."""
    rows: list[tuple[Cell, ...]] = []
    for entry in loading:
        here = [place for place in places if place.dimension == entry.dimension]
        other = strongest(runs, here)
        times = gain(runs, here, "learned", other, 1.0) if other else Gain()
        paid = gain(with_load(runs, entry.seconds), here, "learned", other, 1.0) if other else times
        medians = [_times(g.median) if g else None for g in (times, paid)]
        rows.append((f"{entry.dimension}-D", entry.networks, round(entry.seconds, 3), *medians))
    columns = ("problems", "networks", "load s", "gain over S, loaded once", "gain, loaded by every solve")
    return Table("Loading the networks (wall time to within 1 %, medians)", columns, tuple(rows))


def with_load(runs: Runs, seconds: float) -> Runs:
    """The runs as they would be if each of the learned start's loaded its networks."""

    def later(run: Travelled) -> Travelled:
        track = tuple((t + seconds, e, i, c) for t, e, i, c in run.track)
        return replace(run, seconds=run.seconds + seconds, track=track)

    return {key: later(run) if key[2] == "learned" else run for key, run in runs.items()}


def repaid(runs: Runs, places: Sequence[Place], training: Mapping[int, Training]) -> Table:
    """After how many solves training has paid for itself, by opponent."""
    rows: list[tuple[Cell, ...]] = []
    for dimension, cost in training.items():
        here = [place for place in places if place.dimension == dimension]
        best = strongest(runs, here)
        for other in dict.fromkeys(("practice", "continuation", *([best] if best else []))):
            if seconds := saved(runs, here, "learned", other):
                solves = break_even(cost.hours, seconds)
                rows.append(
                    (
                        f"{dimension}-D",
                        f"{LETTERS[other]} {other}",
                        len(seconds),
                        round(statistics.mean(seconds), 2),
                        "unknown" if cost.training is None else f"{cost.training:g}",
                        "unknown" if cost.data is None else f"{cost.data:g}",
                        "never" if math.isinf(solves) else math.ceil(solves),
                    )
                )
    columns = ("problems", "against", "runs", "s saved, mean", "training h", "data h", "solves to break even")
    title = (
        "Break-even: solves after which training and its data have paid for themselves"
        " (what is unknown is not counted)"
    )
    return Table(title, columns, tuple(rows))


def coverage(
    runs: Runs, places: Sequence[Place], methods: Sequence[str], left_out: Mapping[str, str]
) -> Table:
    """How many problems of every set each method was run on, and why a method was not."""
    rows: list[tuple[Cell, ...]] = []
    for group, here in by(places, "group"):
        counts = [sum(run_of(runs, place, method) is not None for place in here) for method in methods]
        if any(counts):
            rows.append((group, len(here), *counts, ""))
        else:
            rows.append((group, len(here), *([None] * len(methods)), NOBODY))
    rows += [(method, None, *([None] * len(methods)), reason) for method, reason in left_out.items()]
    return Table("Runs there are", ("set", "problems", *methods, "note"), tuple(rows))
