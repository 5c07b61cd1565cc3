"""Anderson acceleration of the design iteration, the unlearned search a leap in the tail has to beat; beside
it momentum (the heavy ball of Polyak 1964: a share of the last step again) and MMA in place of OC.

After Li, Suryanarayana & Paulino 2020 ("Accelerated fixed-point formulation of topology optimization", Mech.
Res. Commun. 103:103469): plain steps, and every so many of them one that combines the last ones so that their
residuals nearly cancel (periodic Anderson extrapolation; the least-squares form is that of Walker & Ni 2011).
Ours: the mixed design keeps bounds and volume exactly, by a shift of all densities, and what is remembered is
forgotten where the objective got worse or the penalty changed.

`python -m benchmarks.mixing` prints what depths and periods give on problems of a training seed: depth,
period and the step that is mixed were chosen so, with no look at the test sets.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Cell, Table, plain
from benchmarks.runs import forever
from benchmarks.ways import EIGHT, searched, stop_of
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.problems import draw
from trabecula.numerics.inner_product import inner
from trabecula.numerics.root_finding import root
from trabecula.optimize.loop import at_best, go_on, iterate
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import MMA, MovingAsymptotes, OptimalityCriteria, Optimizer, OptimizerState
from trabecula.responses import Evaluation
from trabecula.starts import HalfGrey
from trabecula.strategy.runner import (
    Event,
    Outcome,
    Run,
    Strategy,
    run_to_end,
)

Array = NDArray[np.float64]

DEPTH, PERIOD, EXPONENT = 2, 8, None
"""Steps that are remembered, steps from one extrapolation to the next, OC exponent of the steps; None: every
voxel's own, as in the default."""

SEED, FIRST = 1, 100_000
"""Of the problems that depth and period were chosen on: a training seed, indices beyond those trained on."""

REGULAR = 1e-10
"""Of the trace of the normal equations."""


@dataclass(frozen=True)
class Remembered:
    """What mixing remembers: the plain optimiser's memory, images and residuals of the last steps, the steps
    since the last extrapolation, and the last objective."""

    inner: OptimizerState
    images: tuple[Array, ...] = ()
    residuals: tuple[Array, ...] = ()
    since: int = 0
    objective: float = math.inf

    def arrays(self) -> dict[str, Array]:
        """The inner memory; what is mixed begins again."""
        return self.inner.arrays()


@dataclass(frozen=True)
class Around:
    """An optimiser around another one, which begins again what it remembers itself."""

    plain: Optimizer

    def start(self) -> Remembered:
        """The memory before the first step."""
        return Remembered(self.plain.start())

    def restore(self, arrays: Mapping[str, Array]) -> Remembered:
        """The memory whose `arrays` these are."""
        return Remembered(self.plain.restore(arrays))


@dataclass(frozen=True)
class Mixing(Around):
    """An optimiser whose every `period`-th step is an extrapolation from the last `depth` ones and itself."""

    depth: int = DEPTH
    period: int = PERIOD

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, Remembered]:
        """The next design and memory."""
        assert isinstance(state, Remembered)
        image, memory = self.plain.step(state.inner, x, found, lower, upper, adapt, share)
        if not adapt or found.merit > state.objective:
            return image, Remembered(memory, objective=found.merit)
        images = (*state.images, image)[-self.depth - 1 :]
        residuals = (*state.residuals, image - x)[-self.depth - 1 :]
        since = state.since + 1
        if since >= self.period and len(images) > 1:
            image = feasible(mixed(images, residuals), x, found, lower, upper)
            since = 0
        return image, Remembered(memory, images, residuals, since, found.merit)


@dataclass(frozen=True)
class Momentum(Around):
    """An optimiser whose steps go on by a share of the last one, but not where the objective got worse."""

    share: float

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, Remembered]:
        """The next design and memory."""
        assert isinstance(state, Remembered)
        image, memory = self.plain.step(state.inner, x, found, lower, upper, adapt, share)
        if state.images and found.merit <= state.objective:
            image = feasible(image + self.share * (x - state.images[-1]), x, found, lower, upper)
        return image, Remembered(memory, (x,), objective=found.merit)


def mixed(images: tuple[Array, ...], residuals: tuple[Array, ...]) -> Array:
    """The combination of images, of weights that sum to 1, whose residuals cancel best (Walker & Ni 2011)."""
    last, image = residuals[-1], images[-1]
    differences = [last - earlier for earlier in residuals[:-1]]
    normal = np.array([[inner(a, b) for b in differences] for a in differences])
    trace = float(np.trace(normal))
    if trace <= 0.0:
        return image
    right = np.array([inner(a, last) for a in differences])
    weights = np.linalg.solve(normal + REGULAR * trace * np.eye(len(normal)), right)
    return np.asarray(
        image - sum(w * (image - earlier) for w, earlier in zip(weights, images[:-1], strict=True))
    )


def feasible(wanted: Array, x: Array, found: Evaluation, lower: Array, upper: Array) -> Array:
    """The design within bounds and at the volume limit, by a shift of all densities."""
    (limit,) = found.constraints

    def design(shift: float) -> Array:
        return np.clip(wanted + shift, lower, upper)

    def excess(shift: float) -> float:
        return limit.value + inner(limit.gradient, design(shift) - x)

    if excess(-2.0) >= 0.0:
        return design(-2.0)
    if excess(2.0) <= 0.0:
        return design(2.0)
    return design(root(excess, -2.0, 2.0, 1e-10))


@dataclass(frozen=True)
class Settings:
    """How a tail is mixed."""

    depth: int = DEPTH
    period: int = PERIOD
    exponent: float | None = EXPONENT
    momentum: float = 0.0
    mma: bool = False

    @property
    def steps(self) -> str:
        """What takes the steps that are mixed."""
        return "MMA" if self.mma else "own" if self.exponent is None else f"{self.exponent:g}"


def anderson(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default, its finish mixed as soon as its candidates are decided on."""
    outcome = yield from begun(discrete, threads)
    return (yield from finished(outcome, Settings(), stop_of()))


def begun(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default without further fields, up to where its candidates are decided on."""
    assert isinstance(EIGHT.hand_over, HalfGrey) and EIGHT.decide is not None
    stop = replace(stop_of(), limit=EIGHT.hand_over.ramp + EIGHT.decide)
    return (yield from _as_it_stands(searched(discrete, threads, EIGHT, stop)))


def _as_it_stands(way: Strategy) -> Strategy:
    """A way to its last step, whatever design was the best: there is more to come."""
    while True:
        try:
            event = next(way)
        except StopIteration as end:
            outcome: Outcome = end.value
            return replace(outcome, step=event.step)
        yield event


def finished(outcome: Outcome, settings: Settings, stop: Stop) -> Strategy:
    """The rest of a way, mixed."""
    plan = mixing_plan(outcome.plan, settings, stop)
    first = replace(go_on(plan, outcome.step), memory=_memory(plan, outcome))
    run, step = Run("finish-mixed", plan, first), first
    for step in iterate(outcome.analysis, plan, first):
        yield Event("finish", outcome.analysis, step, 0.8, run)
    return Outcome(
        at_best(outcome.analysis, plan, step), plan, outcome.analysis, outcome.stages, outcome.trials
    )


def mixing_plan(plan: Plan, settings: Settings, stop: Stop) -> Plan:
    """The plan with its optimiser mixed; as it was where the constraint is no volume."""
    optimizer = plan.optimizer
    if not isinstance(optimizer, OptimalityCriteria) or optimizer.least_volume:
        return replace(plan, stop=stop)
    if settings.exponent is not None:
        oc = replace(optimizer.oc, exponent=settings.exponent, adaptive=None)
        optimizer = replace(optimizer, oc=oc)
    steps: Optimizer = MovingAsymptotes(MMA(move=optimizer.oc.move)) if settings.mma else optimizer
    if settings.momentum:
        steps = Momentum(steps, settings.momentum)
    elif settings.depth:
        steps = Mixing(steps, settings.depth, settings.period)
    return replace(plan, optimizer=steps, stop=stop)


def _memory(plan: Plan, outcome: Outcome) -> OptimizerState:
    """The memory of the way so far where the steps go on as they were, else a new one."""
    optimizer = plan.optimizer
    if not isinstance(optimizer, Mixing | Momentum):
        return outcome.step.memory if optimizer == outcome.plan.optimizer else optimizer.start()
    if optimizer.plain == outcome.plan.optimizer:
        return Remembered(outcome.step.memory)
    return optimizer.start()


@dataclass
class Tuning:
    """Iterations of every setting to levels of the best end, over problems; those that never arrive count
    as all."""

    iterations: int
    levels: tuple[float, ...] = (1.0, 0.5, 0.1)
    counts: dict[Settings, list[list[int]]] = field(default_factory=dict)

    def add(self, outcome: Outcome, settings: list[Settings]) -> None:
        """Take a problem in."""
        stop = forever(len(outcome.step.rows) + self.iterations)
        tracks = {
            s: _objectives(run_to_end(finished(outcome, s, stop)).step, self.iterations) for s in settings
        }
        best = min(min(track) for track in tracks.values())
        for setting, track in tracks.items():
            reached = [_first(track, best * (1 + level / 100)) for level in self.levels]
            self.counts.setdefault(setting, []).append(reached)

    def table(self) -> Table:
        """A row a setting: mean iterations to each level."""
        rows: list[tuple[Cell, ...]] = []
        for s, found in self.counts.items():
            means = [round(statistics.mean(column), 1) for column in zip(*found, strict=True)]
            rows.append((str(s.depth or "none"), s.period, s.momentum, s.steps, *means))
        columns = ("depth", "period", "momentum", "exponent", *(f"{level:g} %" for level in self.levels))
        return Table("Mean iterations after the decision to levels of the best end", columns, tuple(rows))


def _objectives(step: Step, count: int) -> list[float]:
    return [row.objective for row in step.rows[-count:]]


def _first(track: list[float], level: float) -> int:
    return next((k for k, value in enumerate(track, start=1) if value <= level), len(track))


def tried() -> Iterator[Settings]:
    """No mixing, momentum, and depths and periods, of steps with one exponent and with every voxel's own."""
    yield Settings(0, 1, mma=True)
    for exponent in (None, 0.5, 1.0):
        for momentum in (0.0, 0.3, 0.6, 0.9):
            yield Settings(0, 1, exponent, momentum)
        for depth in (2, 4, 8):
            for period in (1, 2, 4, 8):
                yield Settings(depth, period, exponent)


def main() -> None:
    """Tune."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=6, help="problems of a dimension")
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--voxels", type=int, help="of a problem, within a quarter")
    parser.add_argument("--dimension", type=int, choices=(2, 3), default=3)
    asked = parser.parse_args()
    tuning = Tuning(asked.iterations)
    for index in range(asked.count):
        problem = draw(SEED, FIRST + index, asked.dimension, index % 2 == 0, asked.voxels)
        tuning.add(run_to_end(begun(prepare(problem)[0], 1)), list(tried()))
        print(f"{index + 1} of {asked.count}", file=sys.stderr, flush=True)
    print(plain(tuning.table()))


if __name__ == "__main__":
    main()
