"""The gallery at work: a plain solve, a wide search on the coarsest grid, and what is different is finished.

What is done next depends on what was found and on work that was spent, never on time or threads, so that the
same designs come out everywhere, and again after an interruption: runs are kept as checkpoints, and the same
decisions are made with them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.relax import Relaxed
from trabecula.gallery.describe import describe
from trabecula.gallery.difference import DIFFERENT, Comparison, solid_voxels
from trabecula.gallery.ground import Draw, Ground, Source
from trabecula.gallery.record import PLAIN, Gallery, GalleryDesign, SourceRecord, figure_of, part_mask
from trabecula.gallery.refine import Look, begin_draw, finish, hand_over, mask_of
from trabecula.gallery.search import CoarseDesign, different, search_round
from trabecula.gallery.work import Work
from trabecula.problem import Problem
from trabecula.results.result import Result
from trabecula.results.result_folder import RESULT
from trabecula.status import NoDesignError
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.feasible import refuse_unsolvable
from trabecula.strategy.lower_bound import bound_outcome
from trabecula.strategy.multistart import widen
from trabecula.strategy.prove import Question, prove
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Event, Outcome, Runner
from trabecula.strategy.workbench import Workbench
from trabecula.surrogate.canonical import average_onto
from trabecula.surrogate.latent import Latent

Mask = NDArray[np.bool_]

DESIGNS = "designs"
"""Folder of the result folders, in that of the gallery."""

ROUND, ROUND_ON_FINEST = 8, 4
"""Starts that a source draws at a time, on coarse grids and on the finest."""

SEARCHED = 0.1
"""Share of the budget that is searched with before anything is finished."""

RESERVE = 1.25
"""How much dearer the next step may be than all before it."""

HOPE = 0.5
"""Default solves of work that a source is given before its yield counts in full."""

SLACK = 0.02
"""How much worse than is asked a design may be on the coarsest grid, or where it is looked at first."""


@dataclass(frozen=True, eq=False)
class _Finished:
    """A proven design, where it came from, and its solid voxels."""

    name: str
    source: str
    result: Result
    mask: Mask
    figure: float


class Curator:
    """Makes one gallery; the arguments are those of `trabecula.gallery`, checked.

    Parameters
    ----------
    bench, problem, request
        The workbench of the problem, the problem as it was asked, and the request of the plain solve.
    sources
        By name.
    folder
        Of the gallery; None keeps everything in memory.
    resume
        Whether results that are in the folder already are taken.
    clock
        When it began.
    """

    def __init__(
        self,
        bench: Workbench,
        problem: Problem,
        request: Request,
        sources: Mapping[str, Source],
        count: int,
        within: float,
        budget: float,
        folder: Path | None,
        resume: bool,
        clock: float,
    ) -> None:
        self.bench, self.problem, self.request, self.sources = bench, problem, request, sources
        self.count, self.within, self.budget = count, within, budget
        self._folder, self._resume, self._clock = folder, resume, clock
        self._work = Work(bench)
        self._search = replace(request.search(bench.discrete), also=())
        self._drawn = dict.fromkeys(sources, 0)
        self._refined = dict.fromkeys(sources, 0)
        self._pool: list[CoarseDesign] = []
        self._tried: list[CoarseDesign] = []
        self._finished: list[_Finished] = []
        self._one = 1.0
        self._convex: Relaxed | None = None
        self._looks: list[float] = []
        self._costs = {"search": 0.0, "refine": 0.0, "looks": 0.0, "finish": 0.0}
        self._level, self._idle, self._best_look = 0, 0, float("inf")
        self._best_merit = float("inf")
        self._is_exhausted = False

    def run(self) -> Generator[Event, None, Gallery]:
        """All of it, from the plain solve to the record."""
        events = self._make()
        while True:
            try:
                event = next(events)
            except StopIteration:
                return self._record()
            yield replace(event, fraction=min(0.99, self._spent / self.budget))

    @property
    def _spent(self) -> float:
        """Work so far, in default solves."""
        return (self._one + self._work.total) / self._one if self._finished else 0.0

    def _make(self) -> Generator[Event, None, None]:
        self._finest = self.bench.analysis(self.bench.discrete)
        self._on = [Comparison.of(grid) for grid in self.bench.grids]
        self._comparison = self._on[-1]
        yield from self._solve_plain()
        if self.bench.discrete.options.penalty <= 1.0:
            self._is_exhausted = True  # convex: there is one optimum
            return
        while self._searched < SEARCHED * self.budget and self._has_room("search"):
            if not (yield from self._search_on()):
                break
        while len(self.selection) < self.count:
            sketch = self._next()
            is_finest = self._level == len(self.bench.grids) - 1
            step = "refine" if sketch is not None else "looks" if is_finest else "search"
            if not self._has_room(step):
                return
            before = self._spent
            if sketch is not None:
                yield from self._refine(sketch)
                self._costs["refine"] = max(self._costs["refine"], self._spent - before)
            elif not (yield from self._search_on()):
                self._is_exhausted = True
                return

    def _has_room(self, step: str) -> bool:
        """Whether the budget has room for one more step of a kind, by the dearest so far and a reserve."""
        return self._spent + RESERVE * self._costs[step] <= self.budget

    def _solve_plain(self) -> Generator[Event, None, None]:
        refuse_unsolvable(self.bench)
        outcome = (yield from coarse_to_fine(self.bench, self._search, self.request.stop)).without_memory()
        self._one = max(1.0, self._work.of_stages(outcome.stages))
        self._convex = yield from bound_outcome(self.bench, outcome)
        self._looks.extend(row.objective for row in outcome.step.rows)
        self._best_merit = outcome.step.rows[-1].objective
        yield from self._prove(PLAIN, PLAIN, outcome)

    @property
    def _searched(self) -> float:
        """Work of the search so far, in default solves."""
        return sum(self._work.of(name) for name in self.sources) / self._one

    def _search_on(self) -> Generator[Event, None, bool]:
        """Let the next source draw on the grid that is searched; whether any had something.

        When a round brings nothing new there, the next finer grid follows.
        """
        if self._idle and self._level < len(self.bench.grids) - 1:
            self._level, self._idle = self._level + 1, 0
        for name in self._by_yield():
            source = self.sources[name]
            is_finest = self._level == len(self.bench.grids) - 1
            ground = self._ground(self._level)
            draws = source.draw(ground, self._drawn[name], ROUND_ON_FINEST if is_finest else ROUND)
            if not draws:
                continue
            before = self._spent
            self._drawn[name] += len(draws)
            if is_finest:
                yield from self._draw_on_finest(name, draws)
            else:
                known = self._count_sketches(self._level)
                made = search_round(self.bench, ground, self._level, name, draws, self._search, self._work)
                self._pool += yield from made
                self._idle = 0 if self._count_sketches(self._level) > known else self._idle + 1
                self._costs["search"] = max(self._costs["search"], self._spent - before)
            return True
        return False

    def _count_sketches(self, level: int) -> int:
        """How many different good sketches there are on a grid."""
        return len(different(self._sketches(level), self._on[level], self.within + SLACK))

    def _sketches(self, level: int) -> list[CoarseDesign]:
        return [sketch for sketch in self._pool if sketch.level == level]

    def _ground(self, level: int) -> Ground:
        comparison = self._on[level]
        finished = [self._on_grid(each, level) for each in self._ordered]
        images = [image for mask in finished for image in comparison.images(mask)]
        found = different(self._sketches(level), comparison, self.within + SLACK)
        known = [sketch.mask for sketch in found if comparison.least(sketch.mask, images) > DIFFERENT]
        analysis = self.bench.analysis(self.bench.grids[level])
        seed = self.bench.discrete.options.seed
        return Ground(analysis, comparison, (*finished, *known), self.request.also, seed)

    def _on_grid(self, design: _Finished, level: int) -> Mask:
        """The solid voxels of a finished design on a coarse grid."""
        grid = self.bench.grids[level]
        if grid is self.bench.discrete:
            return design.mask
        return solid_voxels(average_onto(design.mask.astype(np.float64), grid.grid.shape), grid)

    def _by_yield(self) -> list[str]:
        """The sources, those first that have brought most designs for their work; untried ones before."""
        kept = [each.source for each in self.selection]

        def rate(name: str) -> float:
            work = (self._work.of(name) + self._work.of(_finishing(name))) / self._one
            return (1.0 + kept.count(name)) / (HOPE + work)

        return sorted(self.sources, key=lambda name: -rate(name))

    def _next(self) -> CoarseDesign | None:
        """The best sketch of the best source that differs from all that was tried and found, if there is one.

        Those of finer grids are looked at first, for they say more of what a design will be.
        """
        for level in range(self._level, -1, -1):
            comparison, sketches = self._on[level], self._sketches(level)
            seen = [sketch.mask for sketch in self._tried if sketch.level == level]
            seen += [self._on_grid(each, level) for each in self._finished]
            images = [image for mask in seen for image in comparison.images(mask)]
            ordered = sorted(sketches, key=lambda sketch: (sketch.merit, sketch.name))
            new: dict[str, CoarseDesign] = {}
            for sketch in ordered:
                if sketch.merit > widen(ordered[0].merit, self.within + SLACK):
                    break
                if sketch.source not in new and comparison.least(sketch.mask, images) > DIFFERENT:
                    new[sketch.source] = sketch
            for source in self._by_yield():
                if source in new:
                    return new[source]
        return None

    def _refine(self, sketch: CoarseDesign) -> Generator[Event, None, None]:
        """Take a sketch to the finest grid, and to the end unless it becomes what is known, or too bad."""
        self._tried.append(sketch)
        runner = self._work.runner(_finishing(sketch.source))
        looked = yield from hand_over(
            self.bench, self._finest, sketch, self._search, self.request.stop, runner
        )
        i = len(looked[1].rows) - 1
        best = self._looks[i] if i < len(self._looks) else float("inf")
        yield from self._finish(sketch.name, sketch.source, looked, best, runner)

    def _draw_on_finest(self, source: str, draws: Sequence[Draw]) -> Generator[Event, None, None]:
        """Work on draws on the finest grid: to where all are looked at, and the good ones to the end."""
        runner, before = self._work.runner(_finishing(source)), self._spent
        looks = []
        for draw in draws:
            made = begin_draw(self.bench, self._finest, source, draw, self._search, self.request.stop, runner)
            looks.append((f"{source}-{draw.proposal.name}", (yield from made)))
        self._costs["looks"] = max(self._costs["looks"], self._spent - before)
        looks.sort(key=lambda look: (look[1][1].merit, look[0]))
        self._best_look = min(self._best_look, looks[0][1][1].merit)
        for name, looked in looks:
            if self._has_room("finish"):
                yield from self._finish(name, source, looked, self._best_look, runner)

    def _finish(
        self, name: str, source: str, looked: Look, best: float, runner: Runner
    ) -> Generator[Event, None, None]:
        """Take a design to its end, unless it is much worse than the best where it is looked at, or known."""
        plan, step = looked
        if step.merit > widen(best, self.within + SLACK):
            return
        if self._is_known(mask_of(self._finest, plan, step), DIFFERENT / 2.0):
            return
        before = self._spent
        outcome = yield from finish(self.bench, self._finest, name, looked, runner)
        self._costs["finish"] = max(self._costs["finish"], self._spent - before)
        self._refined[source] += 1
        merit = outcome.step.rows[-1].objective
        if merit > widen(self._best_merit, self.within + SLACK):
            return
        self._best_merit = min(self._best_merit, merit)
        if self._is_known(mask_of(self._finest, plan, outcome.step), DIFFERENT / 2.0):
            return
        yield from self._prove(name, source, outcome)

    def _is_known(self, mask: Mask, apart: float) -> bool:
        images = self._comparison.images(mask)
        return any(self._comparison.least(each.mask, images) <= apart for each in self._finished)

    def _prove(self, name: str, source: str, outcome: Outcome) -> Generator[Event, None, None]:
        """Make a design a result; one that cannot be shown is dropped, unless it is the plain one."""
        place = None if self._folder is None else self._folder / DESIGNS / name
        result: Result | None = None
        if place is not None and self._resume and (place / RESULT).is_file():
            result = Result.load(place)
        if result is None:
            question = Question(self.problem, self.request.start, self._clock)
            try:
                result = yield from prove(self.bench, outcome, question, self._bound)
            except NoDesignError:
                if name == PLAIN:
                    raise
                return
            if place is not None:
                result.save(place)
        mask = part_mask(result)
        self._finished.append(_Finished(name, source, result, mask, figure_of(result)))

    def _bound(self, bench: Workbench, outcome: Outcome) -> Generator[Event, None, Relaxed | None]:
        """The relaxation of the problem, which is the same for all its designs."""
        yield from ()
        return self._convex

    @property
    def _sign(self) -> float:
        return -1.0 if self.problem.goal.maximize else 1.0

    @property
    def _ordered(self) -> list[_Finished]:
        """All finished designs, best first."""
        return sorted(self._finished, key=lambda each: self._sign * each.figure)

    @property
    def selection(self) -> list[_Finished]:
        """The designs of the gallery so far: best first, each different from all better ones."""
        sign, ordered = self._sign, self._ordered
        worst = widen(sign * ordered[0].figure, self.within)
        chosen: list[_Finished] = []
        images: list[Mask] = []
        for each in ordered:
            if sign * each.figure <= worst and self._comparison.least(each.mask, images) > DIFFERENT:
                chosen.append(each)
                images += self._comparison.images(each.mask)
        return chosen

    def _record(self) -> Gallery:
        kept = self.selection[: self.count]
        differences = self._comparison.matrix([each.mask for each in kept])
        apart = differences + np.diag(np.full(len(kept), np.inf))
        best = kept[0].figure
        latent = Latent.from_package(self.problem.domain.dimension)
        designs = tuple(
            GalleryDesign(
                each.name,
                each.source,
                each.result,
                each.figure,
                abs(each.figure - best) / abs(best) if best else 0.0,
                describe(each.mask, self.problem.domain.spacing),
                float(apart[k].min()),
                None if latent is None else latent.encode(each.result.density, self.problem.domain.size),
            )
            for k, each in enumerate(kept)
        )
        return Gallery(
            self.problem,
            self.count,
            self.within,
            self.budget,
            designs,
            self._spent,
            tuple(self._source_records(kept)),
            self._is_exhausted,
            differences,
        )

    def _source_records(self, kept: list[_Finished]) -> Generator[SourceRecord, None, None]:
        def count(source: str) -> int:
            return sum(each.source == source for each in kept)

        yield SourceRecord(PLAIN, 1, 1, count(PLAIN), 1.0)
        for name in self.sources:
            work = (self._work.of(name) + self._work.of(_finishing(name))) / self._one
            yield SourceRecord(name, self._drawn[name], self._refined[name], count(name), work)


def _finishing(source: str) -> str:
    return f"{source}, finished"
