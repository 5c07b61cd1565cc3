"""Claim: twenty choices are enough to find, among 60 designs that a person has not seen, one of the tenth
that the person likes best, in at least 80 % of runs.

Ten simulated judges with known rules (`benchmarks.taste_judges`), two of them contradictory, who answer at
random every tenth time. Designs are those of `benchmarks.taste_pool`: of every problem 42 are there to ask
about and 60 are unseen. Each judge is asked 20 times on one problem, and the model's first of the 60 of the
same problem is looked up in the judge's own order. Beside the model: the same with random questions, with
features alone, with the code alone, and a random pick. `Across` asks on one problem and ranks the designs of
another. Standard errors are those of the share of hits over judges, problems and seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks import taste_pool
from benchmarks.report import Cell, Figure, Table, arguments, finish
from benchmarks.taste_judges import JUDGES, Judge
from trabecula.taste.ask import choose_question
from trabecula.taste.choices import Pick, Place, Scale
from trabecula.taste.features import look_at
from trabecula.taste.model import learn
from trabecula.taste.prior import Prior

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
    scale = Scale.of([looks[k] for k in order[:ASKED]])
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


def runs(names: Sequence[str], seeds: int) -> Iterator[tuple[Judge, str, int]]:
    """All judges on all problems with all seeds."""
    for judge in JUDGES:
        for name in names:
            for seed in range(seeds):
                yield judge, name, seed


def share(hits: Sequence[bool]) -> tuple[float, float]:
    """Share of hits and its standard error, in per cent."""
    p = float(np.mean(hits))
    return 100.0 * p, 100.0 * float(np.sqrt(max(p * (1.0 - p), 0.25 / len(hits)) / len(hits)))


def main() -> None:
    """Measure everything, print it and save it."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    names = list(taste_pool.problems_of_pool())
    names = names[:2] if asked.quick else names
    hits: dict[tuple[str, str], list[bool]] = {}
    for judge, name, seed in runs(names, asked.seeds):
        seen = see(name, seed)
        other = see(names[(names.index(name) + 1) % len(names)], seed)
        for way in WAYS:
            picks = ask(judge, seen, way, seed)
            hits.setdefault((way.name, judge.name), []).append(is_hit(judge, picks, seen, way.prior))
            hits.setdefault((f"{way.name}, across", judge.name), []).append(
                is_hit(judge, picks, other, way.prior)
            )
    rows: list[tuple[Cell, ...]] = []
    figures = []
    for label in dict.fromkeys(name for name, _ in hits):
        each = [share(hits[label, judge.name])[0] for judge in JUDGES]
        total, error = share([hit for judge in JUDGES for hit in hits[label, judge.name]])
        rows.append((label, total, error, *each))
        if label in ("model, pairs", "model, four at a time"):
            figures.append(
                Figure(
                    f"first of 60 in the judge's own tenth, {label}",
                    total,
                    "%",
                    80.0,
                    True,
                    f"standard error {error:.1f} %",
                )
            )
    table = Table("Hits in per cent, by judge", ("way", "all", "±", *(j.name for j in JUDGES)), tuple(rows))
    finish("taste", __doc__ or "", asked, figures, [table])


if __name__ == "__main__":
    main()
