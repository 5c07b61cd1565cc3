"""What runs say: when a way arrives at a level, how two ways compare, what training would have to save.

A way that never arrives has no time: a gain over it is infinite, a gain of it 0. Beside such a gain stands
its lower bound, with all the time the other took in place of the time it would need. Nothing is left out but
problems where neither of two ways arrives.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.optima import Runs, reached
from benchmarks.places import Place
from benchmarks.travelled import Moment, Travelled

HAND_OVERS = ("default", "short", "medium")
"""Ways without networks that differ in their hand-over: the best of them is the strongest."""

SECONDS, EQUIVALENTS, ITERATIONS = 0, 1, 2
"""Parts of a `Moment`."""


@dataclass(frozen=True)
class Gain:
    """How many times less one way takes than another, a number a problem.

    Attributes
    ----------
    times
        0 where only the other arrives, infinite where only this one does.
    least
        The same with all the time the other took where it never arrives.
    """

    times: tuple[float, ...] = ()
    least: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.times)

    @property
    def median(self) -> float:
        """Over the problems."""
        return statistics.median(self.times)

    @property
    def never(self) -> tuple[int, int]:
        """On how many problems the other, and this one, never arrives."""
        return sum(map(math.isinf, self.times)), self.times.count(0.0)

    @property
    def said(self) -> str:
        """How many problems, and on how many somebody never arrives."""
        other, this = self.never
        note = counted(self.times)
        if other:
            least = statistics.median(self.least)
            note += f"; the other never arrives on {other}, with all the time it took there {least:.3g}x"
        return note + (f"; this one never arrives on {this}" if this else "")


def counted(values: Sequence[float]) -> str:
    """`3 problems`."""
    return f"{len(values)} problem{'' if len(values) == 1 else 's'}" if values else "not run"


def run_of(runs: Runs, place: Place, method: str) -> Travelled | None:
    """The run of a method on a problem, if it was made."""
    return runs.get((place.name, place.size, method))


def reference(runs: Runs, place: Place) -> float:
    """The best compliance known of a problem, over all methods and what they came to past their stops."""
    ends = [run for (name, size, _), run in runs.items() if (name, size) == (place.name, place.size)]
    return min(min(run.compliance, run.polished or math.inf) for run in ends)


def references(runs: Runs, places: Sequence[Place]) -> Mapping[tuple[str, str], float]:
    """The references of all problems that were run."""
    found: dict[tuple[str, str], float] = {}
    for (name, size, _), run in runs.items():
        best = min(run.compliance, run.polished or math.inf, found.get((name, size), math.inf))
        found[name, size] = best
    return {(p.name, p.size): found[p.name, p.size] for p in places if (p.name, p.size) in found}


def in_use(runs: Runs, places: Sequence[Place]) -> str:
    """The way that is judged: the learned start, or where no network was run the default, which is then what
    `--start learned` is."""
    return "learned" if any(run_of(runs, place, "learned") for place in places) else "default"


def gain(
    runs: Runs, places: Sequence[Place], ours: str, other: str, level: float, part: int = SECONDS
) -> Gain:
    """How many times less one way takes than another to within `level` % of the better of their two ends."""
    times, least = [], []
    for place in places:
        mine, theirs = run_of(runs, place, ours), run_of(runs, place, other)
        if mine is None or theirs is None:
            continue
        goal = min(mine.compliance, theirs.compliance) * (1 + level / 100)
        here, there = reached(mine, goal), reached(theirs, goal)
        if here is None and there is None:
            continue
        own = math.inf if here is None else max(here[part], 1e-9)
        times.append(math.inf if there is None else there[part] / own)
        least.append((there or theirs.track[-1])[part] / own)
    return Gain(tuple(times), tuple(least))


def whole(runs: Runs, places: Sequence[Place], ours: str, other: str) -> Gain:
    """How many times less one way takes than another to its own end, wherever that is."""
    pairs = [(run_of(runs, place, ours), run_of(runs, place, other)) for place in places]
    times = tuple(b.seconds / a.seconds for a, b in pairs if a and b)
    return Gain(times, times)


def ends_above(runs: Runs, places: Sequence[Place], ours: str, other: str) -> list[float]:
    """Percent by which one way ends above another, a problem a number."""
    pairs = [(run_of(runs, place, ours), run_of(runs, place, other)) for place in places]
    return [100 * (a.compliance / b.compliance - 1) for a, b in pairs if a and b]


def stiffer_at_equal_time(runs: Runs, places: Sequence[Place], ours: str, other: str) -> list[float]:
    """Percent by which one way is below another when the quicker of them ends; where it has nothing, it loses
    all (-100)."""
    found = []
    for place in places:
        a, b = run_of(runs, place, ours), run_of(runs, place, other)
        if a and b:
            end = min(a.seconds, b.seconds)
            mine, theirs = best_by(a, end), best_by(b, end)
            if math.isfinite(mine) or math.isfinite(theirs):
                found.append(max(100 * (1 - mine / theirs), -100.0) if math.isfinite(mine) else -100.0)
    return found


def best_by(run: Travelled, seconds: float) -> float:
    """The best compliance a run had on the full grid by then; infinite before its first."""
    return min((moment[3] for moment in run.track if moment[0] <= seconds), default=math.inf)


def strongest(runs: Runs, places: Sequence[Place], level: float = 1.0) -> str | None:
    """The hand-over without network that is quickest to within a level in the median, chosen in hindsight.

    Compared where all of those that were run at all have been; None where none was.
    """
    present = [m for m in HAND_OVERS if any(run_of(runs, place, m) for place in places)]
    common = [place for place in places if all(run_of(runs, place, m) for m in present)]
    if not present:
        return None
    if not common:
        return present[0]
    best = references(runs, common)

    def cost(method: str) -> tuple[float, float]:
        moments = [outcome(runs, place, method, level, best) for place in common]
        seconds = [math.inf if m is None else m[SECONDS] for m in moments]
        return statistics.median(seconds), statistics.mean(_run(runs, place, method) for place in common)

    return min(present, key=cost)


def _run(runs: Runs, place: Place, method: str) -> float:
    run = run_of(runs, place, method)
    return math.inf if run is None else run.seconds


def outcome(
    runs: Runs, place: Place, method: str, level: float, best: Mapping[tuple[str, str], float]
) -> Moment | None:
    """When a method came to within `level` % of the reference; None: never, or it was not run."""
    run = run_of(runs, place, method)
    return None if run is None else reached(run, best[place.name, place.size] * (1 + level / 100))


def saved(runs: Runs, places: Sequence[Place], ours: str, other: str, level: float = 1.0) -> list[float]:
    """Seconds one way saves on another to within a level of the better of their ends; all of a run's where it
    never arrives."""
    found = []
    for place in places:
        mine, theirs = run_of(runs, place, ours), run_of(runs, place, other)
        if mine and theirs:
            goal = min(mine.compliance, theirs.compliance) * (1 + level / 100)
            here, there = reached(mine, goal), reached(theirs, goal)
            if here or there:
                found.append((there or theirs.track[-1])[SECONDS] - (here or mine.track[-1])[SECONDS])
    return found


def break_even(hours: float, savings: Sequence[float]) -> float:
    """Solves after which what was spent on training has come back; infinite if nothing is saved."""
    mean = statistics.mean(savings) if savings else 0.0
    return hours * 3600 / mean if mean > 0 else math.inf


def spread(values: Sequence[float], smallest_is_worst: bool = True) -> tuple[float, float, float, float]:
    """p10, median, p90 and worst; the quantiles are values that occur."""
    ordered = sorted(values)
    low, high = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.1, 0.9))
    return low, statistics.median(ordered), high, ordered[0 if smallest_is_worst else -1]


def by(places: Sequence[Place], key: Literal["group", "family"]) -> Iterator[tuple[str, list[Place]]]:
    """Places by set and dimension, or by family, in the order they come."""
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(getattr(place, key), []).append(place)
    yield from groups.items()
