"""The figures of `benchmarks.hybrid` that answer its claim, from its runs alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.gains import (
    EQUIVALENTS,
    ITERATIONS,
    SECONDS,
    Gain,
    counted,
    ends_above,
    gain,
    in_use,
    run_of,
    stiffer_at_equal_time,
    strongest,
    whole,
)
from benchmarks.optima import Runs
from benchmarks.places import Place
from benchmarks.report import Figure

SLOWER = 0.95
"""Of the speed of the strongest way without networks: what is below counts as slower."""

S = "the strongest way without networks (S)"
NOTHING = Gain()

USUAL = {"practice": "practice (P)", "continuation": "continuation on one grid (C)"}
GOALS = {3: {"practice": 20.0, "continuation": 4.0}, 2: {"practice": 10.0, "continuation": 4.0}}
"""Goals against what people use, by dimension: wall time."""
STRONGEST = {3: (1.7, 2.0), 2: (1.4, 1.4)}
"""Goals against the strongest way without networks: wall time, full-resolution iterations."""
SEARCHES = {
    name: f"{name} (N)"
    for name in (
        "fields",
        "few_fields",
        "field_ahead",
        "more_fields",
        "neighbours",
        "element_history",
        "anderson",
    )
}
"""The unlearned searches that a network claims to replace."""


def figures(runs: Runs, places: Sequence[Place], reasons: Mapping[int, str]) -> list[Figure]:
    """The claim's numbers, in 3-D and in 2-D; where no network was run that is said, with the reason, and the
    default is judged in its place."""
    found = []
    for dimension in (3, 2):
        here = [place for place in places if place.dimension == dimension]
        ours = in_use(runs, here)
        if ours == "learned":
            made = _against_strongest(runs, here, dimension)
        else:
            what = f"wall time against {S}, {dimension}-D, to 1 %, median"
            reason = reasons.get(dimension, "not run")
            made = [Figure(what, None, "x", STRONGEST[dimension][0], True, reason)]
        if any(run_of(runs, place, ours) for place in here):
            usual = _against(runs, here, dimension, ours, USUAL, (1.0, 0.1))
            searches = _against(runs, here, dimension, ours, SEARCHES, (1.0,))
            made = [*usual, *made, *searches]
        found += made
    return found


def _against(
    runs: Runs,
    here: Sequence[Place],
    dimension: int,
    ours: str,
    others: Mapping[str, str],
    levels: Sequence[float],
) -> list[Figure]:
    """The gain in wall time over each of the others, with its goal where it has one."""
    of = "" if ours == "learned" else f" of the {ours}"
    return [
        _times(
            f"wall time{of} against {called}, {dimension}-D, to {level:g} %, median",
            gain(runs, here, ours, other, level),
            GOALS[dimension].get(other),
        )
        for other, called in others.items()
        for level in levels
    ]


def _against_strongest(runs: Runs, here: Sequence[Place], dimension: int) -> list[Figure]:
    where = f"{dimension}-D"
    made: list[Figure] = []
    best = strongest(runs, here)
    called = f"{S[:-1]}: {best})" if best else S
    wall, iterations = STRONGEST[dimension]
    for level in (1.0, 0.1):
        for part, name, goal in (
            (SECONDS, "wall time", wall),
            (EQUIVALENTS, "full-grid equivalents", iterations),
            (ITERATIONS, "full iterations", iterations),
        ):
            found = gain(runs, here, "learned", best, level, part) if best else NOTHING
            made.append(_times(f"{name} against {called}, {where}, to {level:g} %, median", found, goal))
    return made + _guarded(runs, here, best, where)


def _guarded(runs: Runs, here: Sequence[Place], best: str | None, where: str) -> list[Figure]:
    """What no problem may lose, and what the hard ones may win in place of time."""
    hard = [place for place in here if place.set == "hard"]
    stiffer = stiffer_at_equal_time(runs, hard, "learned", best) if best else []
    quick = gain(runs, here, "learned", best, 1.0) if best else NOTHING
    ended = whole(runs, here, "learned", best) if best else NOTHING
    above = ends_above(runs, here, "learned", best) if best else []
    return [
        Figure(
            f"stiffer than S at equal time, hard {where}, median (in place of the factor)",
            statistics.median(stiffer) if stiffer else None,
            "%",
            1.0,
            True,
            counted(stiffer),
        ),
        _share(f"problems not slower than 0.95x of S to 1 %, {where}", quick.times, 95.0),
        _share(f"problems not slower than 0.95x of S to their own ends, {where}", ended.times, None),
        Figure(
            f"end above that of S, {where}, worst",
            max(above) if above else None,
            "%",
            0.1,
            False,
            counted(above),
        ),
        Figure(
            f"end above that of S, {where}, median",
            statistics.median(above) if above else None,
            "%",
            None,
            False,
            counted(above),
        ),
    ]


def _times(what: str, found: Gain, goal: float | None) -> Figure:
    return Figure(what, found.median if found else None, "x", goal, True, found.said if found else "not run")


def _share(what: str, times: Sequence[float], goal: float | None) -> Figure:
    value = 100 * sum(t >= SLOWER for t in times) / len(times) if times else None
    return Figure(what, value, "%", goal, True, counted(times))
