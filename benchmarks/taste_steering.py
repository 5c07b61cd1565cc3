"""Steering measured: how far the judged feature moves on six problems, and what it costs in stiffness.

Profiles of three judges (thick members, few holes, slender members), learned of twenty choices of four on
each of two plates without noise. On six other problems every way that steering has is solved once, crisp and
proven as any solve; then each profile takes its design at two weights. The feature is given in standard
deviations over the ways that were tried, the price as the compliance of the part above the plain one's.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import replace

import trabecula as tb
from benchmarks import taste, taste_pool
from benchmarks.report import RESULTS, Cell, Figure, Table
from benchmarks.taste_judges import JUDGES
from trabecula.taste.features import NAMES
from trabecula.taste.profile import TasteProfile
from trabecula.taste.steer import solve_ways, weigh_designs

LEARNED_ON = ("cantilever", "plate")
JUDGED = {"thick": "thickness", "few holes": "holes", "slender": "slenderness"}
SIGN = {"thick": 1.0, "few holes": -1.0, "slender": 1.0}
WEIGHTS = (1.0, 5.0)
SEED = 2


def profiles() -> dict[str, TasteProfile]:
    """The judges' profiles."""
    way = taste.Way("steering", taste.FULL, 4, noise=0.0)
    found = {}
    for judge in JUDGES:
        if judge.name in JUDGED:
            picks = [
                pick for name in LEARNED_ON for pick in taste.ask(judge, taste.see(name, SEED), way, SEED)
            ]
            found[judge.name] = TasteProfile(judge.name, tuple(picks))
    return found


def measure(names: Sequence[str], threads: int) -> tuple[list[Figure], Table]:
    """Figures and table; what was measured is kept beside the other results."""
    path = RESULTS / "taste_steering.jsonl"
    kept = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    rows: list[tuple[Cell, ...]] = [tuple(row) for row in kept]
    known, people = {row[0] for row in rows}, profiles()
    for name in names:
        if name in known or name in LEARNED_ON:
            continue
        new = steer_on(name, people, threads)
        rows += new
        with path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in new)
    columns = (
        "problem",
        "judge",
        "weight",
        "chosen",
        "feature, before",
        "after",
        "moved",
        "price, %",
        "word",
    )
    figures = []
    for judge in JUDGED:
        for weight in WEIGHTS:
            mine = [row for row in rows if row[1] == judge and row[2] == weight]
            if mine:
                moved = statistics.median(float(row[6] or 0.0) for row in mine)
                price = statistics.median(float(row[7] or 0.0) for row in mine)
                worst = max(float(row[7] or 0.0) for row in mine)
                note = f"price {price:.2f} %, worst {worst:.2f} %; {len(mine)} problems"
                what = f"steered by {judge}, weight {weight:g}: feature moved, median"
                figures.append(Figure(what, moved, "standard deviations", None, True, note))
    return figures, Table("Steering", columns, tuple(rows))


def steer_on(name: str, people: dict[str, TasteProfile], threads: int) -> list[tuple[Cell, ...]]:
    """All judges and weights on one problem."""
    problem = crisp(taste_pool.problems_of_pool()[name])
    made = solve_ways(problem, threads=threads)
    rows: list[tuple[Cell, ...]] = []
    for judge, person in people.items():
        for weight in WEIGHTS:
            steering = weigh_designs(made, person, weight)
            k = NAMES.index(JUDGED[judge])
            values = [float(each.look.features[k]) for each in steering.designs]
            spread = statistics.pstdev(values) or 1.0
            plain, chosen = steering.plain, steering.choice
            before, after = float(plain.look.features[k]), float(chosen.look.features[k])
            moved = SIGN[judge] * (after - before) / spread
            told = (before, after, moved, 100.0 * chosen.price, chosen.result.word)
            rows.append((name, judge, weight, chosen.name, *told))
    return rows


def crisp(problem: tb.Problem) -> tb.Problem:
    """The problem as it is solved by default."""
    return replace(problem, options=replace(problem.options, projection=None))
