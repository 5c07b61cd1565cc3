"""Claim: twenty choices are enough to find, among 60 designs that a person has not seen, one of the tenth
that the person likes best, in at least 80 % of runs.

Ten simulated judges with known rules (`benchmarks.taste_judges`), two of them contradictory, who answer at
random every tenth time. Designs are those of `benchmarks.taste_pool`: of every problem 42 are there to ask
about and 60 are unseen. Each judge is asked 20 times on one problem, and the model's first of the 60 of the
same problem is looked up in the judge's own order. Beside the model: the same with random questions, with
features alone, with the code alone, and a random pick: where many designs tie for the first tenth, as those
without a hole do, all of them count, and that hits in more than 10 %. `Untied` are the runs in which at most
15 % of the designs are in the tenth. `Across` ranks the designs of another
problem than was asked on; `named`: how often the first words name a feature of the judge's rule. Standard
errors are those of the share of hits over judges, problems and seeds.

Steering (`benchmarks.taste_steering`): profiles learned on two plates move the judged feature on six others.

`--budget S` stops after so many seconds; what was measured is kept in benchmarks/results/taste.jsonl.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks import taste_pool, taste_steering
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish
from benchmarks.taste_judges import JUDGES, Judge
from trabecula.taste.ask import choose_question
from trabecula.taste.choices import GalleryScale, Pick, Place
from trabecula.taste.features import NAMES, look_at
from trabecula.taste.model import learn
from trabecula.taste.prior import Prior
from trabecula.taste.words import describe_taste

CHOICES, ASKED, UNSEEN, TENTH, NOISE = 20, 42, 60, 6, 0.1

FULL = Prior()


@dataclass(frozen=True)
class Way:
    """A way to learn: the prior, how many designs are shown together, and whether questions are chosen."""

    name: str
    prior: Prior
    shown: int = 2
    chooses: bool = True
    noise: float = NOISE


WAYS = (
    Way("model, pairs", FULL),
    Way("model, four at a time", FULL, 4),
    Way("random questions, pairs", FULL, 2, False),
    Way("random questions, four", FULL, 4, False),
    Way("features alone, pairs", replace(FULL, code=0.0)),
    Way("code alone, pairs", replace(FULL, slope=0.0, bend=0.0, code=2.0)),
)


@dataclass(frozen=True, eq=False)
class Seen:
    """The designs of a problem: raw features, places among those to ask about, and the pool."""

    pool: taste_pool.Pool
    raw: np.ndarray
    places: tuple[Place, ...]
    order: np.ndarray

    @property
    def asked(self) -> list[int]:
        """Numbers of the designs to ask about."""
        return [int(k) for k in self.order[:ASKED]]

    @property
    def unseen(self) -> list[int]:
        """Numbers of the others."""
        return [int(k) for k in self.order[ASKED : ASKED + UNSEEN]]


@cache
def see(name: str, seed: int) -> Seen:
    """The designs of a problem, parted by a seed."""
    pool, looks = taste_pool.get(name), _looks(name)
    order = np.random.default_rng([seed, 5]).permutation(len(looks))
    scale = GalleryScale.of([looks[k] for k in order[:ASKED]])
    return Seen(pool, np.stack([look.features for look in looks]), tuple(map(scale.place, looks)), order)


@cache
def _looks(name: str) -> tuple:
    pool = taste_pool.get(name)
    return tuple(look_at(mask, pool.spacing) for mask in pool.masks)


def ask(judge: Judge, seen: Seen, way: Way, seed: int) -> list[Pick]:
    """A judge's answers to as many questions as are asked."""
    random = np.random.default_rng([seed, len(judge.name), way.shown])
    niceties = judge.niceties(seen.pool, seen.raw)
    numbers = seen.asked
    places = [seen.places[k] for k in numbers]
    picks: list[Pick] = []
    before: list[tuple[int, ...]] = []
    for _ in range(CHOICES):
        if way.chooses:
            shown = choose_question(learn(picks, way.prior), places, way.shown, before)
        else:
            shown = tuple(int(k) for k in random.choice(len(places), way.shown, replace=False))
        nicest = int(np.argmax(judge.mind(niceties, random)[[numbers[k] for k in shown]]))
        if random.random() < way.noise:
            nicest = int(random.choice([k for k in range(len(shown)) if k != nicest]))
        picks.append(Pick(tuple(places[k] for k in shown), nicest))
        before.append(shown)
    return picks


def is_hit(judge: Judge, picks: Sequence[Pick], seen: Seen, prior: Prior) -> bool:
    """Whether the model's first of the unseen is in the judge's own first tenth."""
    niceties = judge.overall(judge.niceties(seen.pool, seen.raw))[seen.unseen]
    mean = learn(picks, prior).believe([seen.places[k] for k in seen.unseen]).mean
    first = int(np.argmax(mean))
    return bool((niceties > niceties[first]).sum() < TENTH)


CLEAR = 0.15
"""Share of designs in a judge's first tenth above which a run counts as tied."""


def chance(judge: Judge, name: str, seed: int) -> float:
    """How often a random pick of the unseen is in the judge's own first tenth; more than 0.1 with ties."""
    seen = see(name, seed)
    niceties = judge.overall(judge.niceties(seen.pool, seen.raw))[seen.unseen]
    return float(np.mean([(niceties > nicety).sum() < TENTH for nicety in niceties]))


def runs(names: Sequence[str], seeds: int) -> Iterator[tuple[int, str, Judge]]:
    """All seeds, problems and judges, in this order."""
    return product(range(seeds), names, JUDGES)


def share(hits: Sequence[bool]) -> tuple[float, float]:
    """Share of hits and its standard error, in per cent."""
    p = float(np.mean(hits))
    return 100.0 * p, 100.0 * float(np.sqrt(max(p * (1.0 - p), 0.25 / len(hits)) / len(hits)))


@dataclass(frozen=True)
class Run:
    """One judge on one problem with one seed, learned one way.

    Attributes
    ----------
    hit, across
        Whether the first of 60 is in the judge's own tenth, on the same problem and on another.
    named
        Whether the first words name a feature of the judge's rule; None where a judge's rule has none.
    """

    way: str
    judge: str
    problem: str
    seed: int
    hit: bool
    across: bool
    named: bool | None


def measure(way: Way, judge: Judge, name: str, seed: int, names: Sequence[str]) -> Run:
    """One run."""
    seen, other = see(name, seed), see(names[(names.index(name) + 1) % len(names)], seed)
    picks = ask(judge, seen, way, seed)
    first = describe_taste(learn(picks, way.prior))
    rule = {(key, value > 0.0) for mind in judge.minds for key, value in mind.items() if key in NAMES}
    named = (first[0].name, first[0].worth > 0.0) in rule if rule and first else None
    hits = [is_hit(judge, picks, where, way.prior) for where in (seen, other)]
    return Run(way.name, judge.name, name, seed, hits[0], hits[1], named)


def load(path: Path) -> dict[tuple[str, str, str, int], Run]:
    """What was measured already."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [Run(**json.loads(line)) for line in lines]
    return {(run.way, run.judge, run.problem, run.seed): run for run in found}


def work(asked: argparse.Namespace, names: Sequence[str], path: Path) -> list[Run]:
    """Measure what is not measured yet, as long as the time lasts."""
    known = load(path)
    clock = time.perf_counter()
    path.parent.mkdir(parents=True, exist_ok=True)
    for (seed, name, judge), way in product(runs(names, asked.seeds), WAYS):
        key = (way.name, judge.name, name, seed)
        if key in known:
            continue
        if time.perf_counter() - clock > asked.budget:
            print("the time is spent; the next call goes on", file=sys.stderr)
            break
        known[key] = measure(way, judge, name, seed, names)
        with path.open("a") as file:
            file.write(json.dumps(asdict(known[key])) + "\n")
    return list(known.values())


def tables(found: Sequence[Run]) -> tuple[list[Figure], Table]:
    """The figures and the table of all ways by all judges."""
    rows: list[tuple[Cell, ...]] = []
    figures = []
    keys = {(run.judge, run.problem, run.seed) for run in found}
    by_name = {judge.name: judge for judge in JUDGES}
    chances = {key: chance(by_name[key[0]], *key[1:]) for key in sorted(keys)}
    for way in WAYS:
        mine = [run for run in found if run.way == way.name]
        if not mine:
            continue
        total, error = share([run.hit for run in mine])
        across = share([run.across for run in mine])[0]
        named = share([run.named for run in mine if run.named is not None])[0]
        clear = [r.hit for r in mine if chances[r.judge, r.problem, r.seed] <= CLEAR]
        untied, doubt = share(clear or [False])
        each = [share([r.hit for r in mine if r.judge == judge.name] or [False])[0] for judge in JUDGES]
        rows.append((way.name, len(mine), total, error, untied, across, named, *each))
        if way.chooses and way.prior == FULL:
            what = f"first of 60 in the judge's own tenth, {way.name}"
            note = (
                f"standard error {error:.1f}, {len(mine)} runs; untied {untied:.0f} ± {doubt:.1f} %; "
                f"on another problem {across:.0f} %"
            )
            figures.append(Figure(what, total, "%", 80.0, True, note))
    luck = [
        100.0 * float(np.mean([v for key, v in chances.items() if key[0] == judge.name] or [0.0]))
        for judge in JUDGES
    ]
    clear_luck = [value for value in chances.values() if value <= CLEAR]
    in_all = 100.0 * float(np.mean(list(chances.values()) or [0.0]))
    untied_luck = 100.0 * float(np.mean(clear_luck or [0.0]))
    rows.append(("random pick", len(chances), in_all, None, untied_luck, None, None, *luck))
    columns = ("way", "runs", "hits", "±", "untied", "across", "named", *(judge.name for judge in JUDGES))
    return figures, Table("Hits in per cent, in all and by judge", columns, tuple(rows))


def main() -> None:
    """Measure everything, print it and save it."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=float, default=1e9, help="seconds after which it stops")
    asked = parser.parse_args()
    names = list(taste_pool.problems_of_pool())
    names = names[:2] if asked.quick else names
    path = (SCRATCH if asked.quick else RESULTS) / "taste.jsonl"
    figures, table = tables(work(asked, names, path))
    steered, prices = taste_steering.measure(names[:1] if asked.quick else names, asked.threads)
    finish("taste", __doc__ or "", asked, [*figures, *steered], [table, prices])


if __name__ == "__main__":
    main()
