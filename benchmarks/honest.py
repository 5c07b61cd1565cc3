"""What is honestly claimed passes `check`, whatever it is; what is forged fails.

Random problems of every kind (plane and solid, elastic and thermal, all goals, filters, interpolations and
optimisers, grey and projected, lengths, stiffnesses and forces over many orders of magnitude) are solved,
saved, loaded and checked; then every saved result is forged in random ways (`benchmarks.forgeries`), and each
forgery is checked too.

    python -m benchmarks.honest --count 400 --seed 1

prints counts, and every result that is not as it should be. With `--out FILE` it writes them as JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import trabecula as tb
from benchmarks.forgeries import Forgery, apply, asks_another, forgeries, is_harmless
from trabecula.certificate.consistency import check_record
from trabecula.discretisation import discretise, prepare
from trabecula.optimize.analysis import Analysis
from trabecula.problem import ProblemError
from trabecula.problem.model import (
    AXES,
    Domain,
    FilterOptions,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Region,
    Support,
)
from trabecula.problem.where import Box, Plane
from trabecula.storage.reading import UnreadableError

FORGERIES = 12
"""Forged copies of a result."""

Random = np.random.Generator


@dataclass(frozen=True)
class Case:
    """A problem and how it is to be solved."""

    problem: tb.Problem
    start: str
    iterations: int | None
    tolerance: float | None


@dataclass(frozen=True)
class Outcome:
    """What became of one case: `differing` names the checks that failed although nothing was forged, and
    `missed` the forgeries that passed."""

    name: str
    status: str
    word: str
    differing: tuple[str, ...]
    forged: int
    missed: tuple[str, ...]


def draw(seed: int, number: int) -> Case:
    """Case `number` of a seed; the same on every machine. What the pre-check refuses is drawn again."""
    random = np.random.default_rng([seed, number])
    while True:
        case = _draw(random, f"honest-{seed}-{number}")
        try:
            prepare(case.problem)
        except ProblemError:
            continue
        return _with_reachable_limits(random, case)


def _draw(random: Random, name: str) -> Case:
    dimension = int(random.choice([2, 2, 3]))
    low, high = ((8, 40), (5, 11))[dimension - 2]
    elements = tuple(int(n) for n in random.integers(low, high, dimension))
    edge = 10.0 ** random.uniform(-4, 2)
    edges = edge * (random.uniform(0.5, 2.0, dimension) if random.random() < 0.2 else np.ones(dimension))
    size = np.array(elements) * edges
    is_heat = random.random() < 0.15
    cases = _cases(random, size, edge, is_heat, dimension)
    minimize = "thermal_compliance" if is_heat else str(random.choice(["compliance", "compliance", "volume"]))
    penalty = float(random.choice([1.0, 1.5, 2.0, 3.0, 3.0, 3.0, 4.0]))
    problem = tb.Problem(
        domain=Domain(_floats(size), elements, float(10 ** random.uniform(-3, 0)) if dimension == 2 else 1.0),
        supports=_supports(random, size, edge, is_heat, dimension),
        cases=cases,
        goal=Goal(minimize, float(np.round(random.uniform(0.1, 0.7), 3))),
        material=Material(
            young=float(10 ** random.uniform(-3, 12)),
            poisson=float(random.uniform(0.0, 0.45)),
            density=float(10 ** random.uniform(0, 4)),
            conductivity=float(10 ** random.uniform(-2, 3)),
        ),
        regions=_regions(random, size),
        options=_options(random, penalty, edge, dimension),
        name=name,
    )
    start = str(random.choice(["uniform", "coarse", "coarse", "classical"]))
    iterations = int(random.integers(1, 60)) if random.random() < 0.2 else None
    tolerance = float(10 ** random.uniform(-5, -1)) if random.random() < 0.3 else None
    if start == "classical" and iterations is None:
        iterations = 200
    return Case(problem, start, iterations, tolerance)


def _cases(
    random: Random, size: np.ndarray, edge: float, is_heat: bool, dimension: int
) -> tuple[LoadCase, ...]:
    count = int(random.choice([1, 1, 1, 2, 3]))
    made = []
    for k in range(count):
        point = random.uniform(0.0, 1.0, dimension) * size
        point[int(random.integers(dimension))] = size[int(random.integers(dimension))]
        where = Box(
            _floats(np.clip(point - 1.2 * edge, 0, size)), _floats(np.clip(point + 1.2 * edge, 0, size))
        )
        strength = 10.0 ** random.uniform(-3, 6)
        if is_heat:
            loads: tuple[Load, ...] = (Load(where, heat=strength),)
        else:
            loads = (Load(where, force=_floats(strength * random.standard_normal(dimension))),)
            if random.random() < 0.1:
                loads = (*loads, Load(gravity=_floats(np.eye(dimension)[1] * -9.81)))
        made.append(LoadCase(loads, f"case {k}", float(10 ** random.uniform(-1, 1))))
    return tuple(made)


def _supports(
    random: Random, size: np.ndarray, edge: float, is_heat: bool, dimension: int
) -> tuple[Support, ...]:
    axis = int(random.integers(dimension))
    where: Any = Plane(AXES[axis], 0.0)
    if random.random() < 0.3:
        low = random.uniform(0.0, 0.5, dimension) * size
        low[axis] = 0.0
        where = Box(_floats(low), _floats(np.minimum(low + np.maximum(0.4 * size, 2 * edge), size)))
    return (Support(where, temperature=0.0) if is_heat else Support(where, tuple(AXES[:dimension])),)


def _regions(random: Random, size: np.ndarray) -> tuple[Region, ...]:
    if random.random() > 0.25:
        return ()
    low = random.uniform(0.0, 0.8, len(size)) * size
    kind = str(random.choice(["solid", "void"]))
    return (Region(Box(_floats(low), _floats(low + 0.2 * size)), kind),)  # type: ignore[arg-type]


def _options(random: Random, penalty: float, edge: float, dimension: int) -> Options:
    kind = str(random.choice(["density", "density", "sensitivity", "helmholtz", "none"]))
    radius = None if random.random() < 0.4 else float(random.uniform(0.8, 4.0) * edge)
    return Options(
        penalty=penalty,
        interpolation=(None, None, "simp", "ramp")[random.integers(4)],  # type: ignore[arg-type]
        filter=FilterOptions(kind, radius),  # type: ignore[arg-type]
        projection=bool(random.random() < 0.25),
        symmetry=("x",) if random.random() < 0.1 else (),
        minimum_stiffness=float(10 ** random.uniform(-9, -3)),
        optimizer=(None, None, "mma")[random.integers(3)],  # type: ignore[arg-type]
        move=float(random.uniform(0.05, 0.5)),
        seed=int(random.integers(100)),
    )


def _with_reachable_limits(random: Random, case: Case) -> Case:
    """Where volume is minimised: compliances that the solid falls short of by a factor of 1.3 to 5."""
    problem = case.problem
    if problem.goal.minimize != "volume":
        return case
    problem = replace(problem, goal=replace(problem.goal, minimize="compliance", volume=1.0))
    discrete = discretise(problem)
    analysis = Analysis(discrete, 1)
    found = analysis.evaluate(discrete.upper, problem.options.penalty, 32.0, tolerance=1e-8)
    each = [float(np.sum(analysis.load(discrete.upper, k) * u)) for k, u in enumerate(found.displacements)]
    several = len(each) > 1 and random.random() < 0.5
    limits = each if several else [float(np.dot(discrete.weights, each))]
    factors = random.uniform(1.3, 5.0, len(limits))
    goal = Goal("volume", None, tuple(float(f"{f * c:.4g}") for f, c in zip(factors, limits, strict=True)))
    return replace(case, problem=replace(case.problem, goal=goal))


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def examine(case: Case, folder: Path, seed: int = 0, count: int = FORGERIES) -> Outcome:
    """Solve a case, check it, forge it `count` times, and check the forgeries."""
    result = tb.solve(
        case.problem,
        start=case.start,
        proposals=2 if case.start == "coarse" else None,
        iterations=case.iterations,
        tolerance=case.tolerance,
        threads=1,
    )
    saved = result.save(folder / "honest", picture=False)
    differing = tuple(judge(saved))
    random = np.random.default_rng([seed, 7])
    candidates = forgeries(saved)
    chosen = [candidates[int(k)] for k in random.permutation(len(candidates))[:count]]
    held = [each for each in chosen if not is_harmless(each) and not asks_another(each)]
    missed = [each.name for each in held if not is_caught(each, saved, folder)]
    return Outcome(case.problem.name, result.status.value, result.word, differing, len(chosen), tuple(missed))


def is_caught(forgery: Forgery, saved: Path, folder: Path) -> bool:
    """Whether a forged copy of a saved result fails."""
    forged = apply(forgery, saved, folder / "forged")
    try:
        result = tb.Result.load(forged)
        told = check_record(
            discretise(result.problem), result.record()
        )  # a part of `check` that needs no solve
        return any(check.verdict == "differs" for check in told) or not result.check(threads=1).ok
    except (UnreadableError, ProblemError):
        return True


def judge(folder: Path) -> list[str]:
    """What differs in a saved result, each with its numbers."""
    found = tb.Result.load(folder).check(threads=1)
    return [
        f"{check.name}: {check.claimed} / {check.recomputed} (+-{check.tolerance:.2g}) {check.note}"
        for check in found.checks
        if check.verdict == "differs"
    ]


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--forgeries", type=int, default=FORGERIES)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    clock, outcomes = time.perf_counter(), []
    for number in range(chosen.first, chosen.first + chosen.count):
        case = draw(chosen.seed, number)
        with tempfile.TemporaryDirectory() as folder:
            outcome = examine(case, Path(folder), number, chosen.forgeries)
        outcomes.append(outcome)
        for said in outcome.differing:
            print(f"{outcome.name} {outcome.status} {outcome.word}: honest, and differs: {said}", flush=True)
        for said in outcome.missed:
            print(f"{outcome.name} {outcome.status} {outcome.word}: forged, and passes: {said}", flush=True)
    ends = Counter(f"{outcome.status}, {outcome.word}" for outcome in outcomes)
    print(f"{len(outcomes)} results in {time.perf_counter() - clock:.0f} s:", dict(ends))
    print(f"honest that fail: {sum(bool(outcome.differing) for outcome in outcomes)}")
    forged = sum(outcome.forged for outcome in outcomes)
    print(f"forged: {forged}, of which pass: {sum(len(outcome.missed) for outcome in outcomes)}")
    if chosen.out is not None:
        chosen.out.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")


if __name__ == "__main__":
    main()
