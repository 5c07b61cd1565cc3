"""The loop: one grid, one start, iterate to a stop. Every step is a value that can be saved and resumed."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isfinite, isnan, log1p
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.numerics.inner_product import inner
from trabecula.numerics.stationarity import kkt_residual
from trabecula.optimize.analysis import Analysis, Evaluation
from trabecula.optimizers import OC, OCState
from trabecula.optimizers.mma import MMA, MMAState
from trabecula.status import Status

Array = NDArray[np.float64]

EVERY = 5
"""Iterations from one KKT residual to the next."""

NOISE = 10.0
"""How far an objective that has stopped improving may vary: loose solves of grey designs err by a few tenths
of a per cent; one that swings more than that is not at rest."""

UNSOLVED = 0.1
"""Relative residual of a state above which nothing that is said of a design means anything: load hangs in
void, or the design lies in loose pieces that break the preconditioner."""

LOST = 20
"""Iterations one after the other without a state that could be solved after which a run is given up."""

LEAST_SHARE = 1e-6
"""Of the sum of its sensitivities, the least that an objective is taken for as its own scale: an empty part
has no volume, but its volume has a scale."""

STEEP = 1.0
"""Steepness of a projection from which on steps get shorter as it gets steeper: beyond, what is linear in the
densities says little about what is projected (measured: volumes 5 % off, swings without end)."""


class Optimizer(Protocol):
    """Takes one step from an evaluated design; its memory is a value passed through."""

    def start(self) -> OptimizerState:
        """The memory before the first step."""
        ...

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, OptimizerState]:
        """The next design and memory.

        `adapt` is False while penalty or projection change; `share` is how much of the move limit may be
        used.
        """
        ...

    def restore(self, arrays: Mapping[str, Array]) -> OptimizerState:
        """The memory whose `arrays` these are."""
        ...


class OptimizerState(Protocol):
    """What an optimiser remembers."""

    def arrays(self) -> dict[str, Array]:
        """The memory as named arrays."""
        ...


@dataclass(frozen=True)
class OptimalityCriteria:
    """OC for one constraint: least compliance under a volume, or least volume under a compliance."""

    oc: OC
    least_volume: bool = False

    def start(self) -> OCState:
        """The memory before the first step."""
        return self.oc.start()

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, OCState]:
        """The next design and memory."""
        assert isinstance(state, OCState)
        oc = self.oc.shortened(share)
        (limit,) = found.constraints
        if self.least_volume:
            return oc.step_least_volume(
                state, x, limit.gradient, limit.value, found.gradient, lower, upper, adapt
            )
        return oc.step(state, x, found.gradient, limit.value, limit.gradient, lower, upper, adapt)

    def restore(self, arrays: Mapping[str, Array]) -> OCState:
        """The memory whose `arrays` these are."""
        return OCState.restore(arrays)


@dataclass(frozen=True)
class MovingAsymptotes:
    """MMA for any number of constraints.

    A constraint is seen through a logarithm where it is violated: a compliance that is a million times too
    much is then far from its limit, but not out of reach.
    """

    mma: MMA

    def start(self) -> MMAState:
        """The memory before the first step."""
        return self.mma.start()

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, MMAState]:
        """The next design and memory."""
        assert isinstance(state, MMAState)
        scale = max(abs(found.objective), LEAST_SHARE * float(np.abs(found.gradient).sum()), 1e-300)
        excess = [max(0.0, c.value) for c in found.constraints]
        return replace(self.mma, move=share * self.mma.move).step(
            state,
            x,
            found.gradient / scale,
            [min(c.value, log1p(e)) for c, e in zip(found.constraints, excess, strict=True)],
            [c.gradient / (1.0 + e) for c, e in zip(found.constraints, excess, strict=True)],
            lower,
            upper,
        )

    def restore(self, arrays: Mapping[str, Array]) -> MMAState:
        """The memory whose `arrays` these are."""
        return MMAState.restore(arrays)


@dataclass(frozen=True)
class Stop:
    """When an iteration is done, once its schedule is settled and no constraint is violated by much.

    Attributes
    ----------
    change
        Mean relative improvement of the best objective an iteration, over the last `window` ones, below which
        it stops; unless the objective swings by more than `NOISE` times that.
    kkt
        KKT residual (docs/certificate.md) below which it stops, whatever the objective does.
    density_change
        Largest change of any density, the classical rule; 0 leaves it out.
    limit
        Iterations at most.
    window
        See `change`.
    violation
        Relative violation of a constraint above which nothing has converged.
    shortened_kkt
        Where a steep projection shortens the steps an objective changes little, at rest or not: it then only
        counts where the last KKT residual is at most this,
    patience
        or after so many iterations at the last steepness.
    """

    change: float = 2e-4
    kkt: float = 2e-3
    density_change: float = 0.0
    limit: int = 200
    window: int = 5
    violation: float = 2e-3
    shortened_kkt: float = 0.1
    patience: int = 90


@dataclass(frozen=True)
class Plan:
    """How one grid is worked on: the optimiser, its schedule, how exact the solves are, when it stops."""

    optimizer: Optimizer
    schedule: Schedule
    stop: Stop = field(default_factory=Stop)
    tolerance: float = 1e-3


@dataclass(frozen=True)
class Row:
    """What one iteration measured."""

    iteration: int
    penalty: float
    beta: float
    objective: float
    compliance: float
    volume: float
    violation: float
    change: float
    kkt: float
    cg_iterations: int
    residual: float
    seconds: float

    @property
    def is_solved(self) -> bool:
        """Whether the objective means anything: nothing is told by displacements that carry no load."""
        return self.residual <= UNSOLVED


@dataclass(frozen=True)
class Best:
    """A design, float64 `[z, y, x]`, and its objective."""

    x: Array
    merit: float


@dataclass(frozen=True)
class Step:
    """Where the loop stands: enough to go on to the same answer.

    Attributes
    ----------
    x
        float64 `[z, y, x]`: the design to be evaluated next.
    memory
        The optimiser's.
    displacements
        Of the last evaluated design, one a case; None before the first.
    rows
        One an iteration so far.
    finished
        None while there is more to do, else `CONVERGED`, `LIMIT` or `DIVERGED`.
    best
        The best design evaluated since the schedule settled; None where there was none yet.
    good
        float64 `[z, y, x]`: while there is no best design, the last whose state was solved and whose
        evaluation was made of numbers. What a run that diverges goes back to; None at first and at the end.
    known
        Evaluation of `x`, where somebody needed it before its turn (`look_ahead`); never saved: it can be had
        again, to the same bits.
    """

    x: Array
    memory: OptimizerState
    displacements: tuple[NDArray[np.float32], ...] | None = None
    rows: tuple[Row, ...] = ()
    finished: Status | None = None
    best: Best | None = None
    good: Array | None = field(default=None, repr=False)
    known: Evaluation | None = None

    @property
    def merit(self) -> float:
        """Objective of the last evaluated design, worse where it violates a constraint.

        Infinite at first, and where no solve was possible: nothing is for free, so an objective that is not
        above 0 is none either.
        """
        if not self.rows or not self.rows[-1].is_solved or not self.rows[-1].objective > 0.0:
            return float("inf")
        return self.rows[-1].objective


def begin(plan: Plan, x: Array) -> Step:
    """The first step from a start."""
    return Step(x, plan.optimizer.start())


def advance(analysis: Analysis, plan: Plan, step: Step) -> Step:
    """One iteration: evaluate, step, decide whether to stop."""
    clock = time.perf_counter()
    i = len(step.rows)
    discrete, schedule = analysis.discrete, plan.schedule
    penalty, beta = schedule.penalty(i), schedule.beta(i)
    found = step.known or _evaluate(analysis, plan, step)
    is_good = found.is_finite
    u, found = to_single(found.displacements) if is_good else None, replace(found, displacements=())
    adapt = i > 0 and not schedule.changes(i)
    share = _share(beta)
    x, memory, kkt = step.x, step.memory, float("nan")
    if is_good:
        x, memory = plan.optimizer.step(memory, x, found, discrete.lower, discrete.upper, adapt, share)
        kkt = _kkt(analysis, step.x, found) if _is_due(plan, i) else kkt
        is_good = isfinite(inner(x, x))
    row = Row(
        iteration=i,
        penalty=penalty,
        beta=beta,
        objective=found.merit if is_good else float("nan"),
        compliance=found.compliance,
        volume=found.volume,
        violation=found.violation,
        change=_largest_change(step.x, x),
        kkt=kkt,
        cg_iterations=found.iterations,
        residual=found.residual,
        seconds=time.perf_counter() - clock,
    )
    rows = (*step.rows, row)
    finished = _finished(plan, rows)
    if finished is Status.DIVERGED:
        return _go_back(step, rows)
    best = _best(plan, step, row)
    good = None if finished or best else step.x if row.is_solved else step.good
    return Step(x, memory, u, rows, finished, best, good)


def _go_back(step: Step, rows: tuple[Row, ...]) -> Step:
    """The end of a run that came upon no number, or found no way back: the last design that was good."""
    x = step.x if step.good is None else step.good
    if step.best is not None:
        x = step.best.x
    return replace(step, x=x, rows=rows, finished=Status.DIVERGED, good=None, known=None)


def _best(plan: Plan, step: Step, row: Row) -> Best | None:
    """The better of the best so far and the design that was just evaluated, which is `step.x`."""
    if not plan.schedule.settled(row.iteration) or row.violation > plan.stop.violation or not row.is_solved:
        return step.best
    is_best = 0.0 < row.objective < (np.inf if step.best is None else step.best.merit)
    return Best(step.x, row.objective) if is_best else step.best


def _largest_change(before: Array, after: Array) -> float:
    change = after - before
    return float(np.abs(change, out=change).max(initial=0.0))


def look_ahead(analysis: Analysis, plan: Plan, step: Step) -> tuple[Step, Evaluation]:
    """The step with its design already evaluated, as `advance` would, and that evaluation."""
    found = step.known or _evaluate(analysis, plan, step)
    return replace(step, known=found), found


def at_best(analysis: Analysis, plan: Plan, step: Step) -> Step:
    """The step with the best design it has come by, for the end of a way.

    The last design is one step past the last that was evaluated. It is the best where the objective only fell
    of late; where it swings the last can be a per cent worse than one before, which one more solve tells. A
    limit on a compliance is only met by the step's approximation of it: there the last is always looked at.
    """
    if step.best is None or step.finished == Status.DIVERGED:
        return step
    late = [row.objective for row in step.rows[-1 - plan.stop.window :]]
    is_falling = all(after <= before for before, after in pairwise(late)) and late[-1] <= step.best.merit
    if is_falling and not analysis.limits_compliance:
        return step
    _, found = look_ahead(analysis, plan, step)
    is_best = 0.0 < found.merit <= step.best.merit and found.violation <= plan.stop.violation
    return step if is_best and found.residual <= UNSOLVED else replace(step, x=step.best.x, known=None)


def to_single(displacements: Sequence[Array]) -> tuple[NDArray[np.float32], ...]:
    """Displacements as they are kept from step to step, to begin the next solve from."""
    return tuple(u.astype(np.float32) for u in displacements)


def _evaluate(analysis: Analysis, plan: Plan, step: Step) -> Evaluation:
    i = len(step.rows)
    penalty, beta = plan.schedule.penalty(i), plan.schedule.beta(i)
    return analysis.evaluate(step.x, penalty, beta, step.displacements, plan.tolerance)


def iterate(analysis: Analysis, plan: Plan, step: Step) -> Iterator[Step]:
    """Steps from the one after `step` to the last."""
    while step.finished is None:
        step = advance(analysis, plan, step)
        yield step


def run(analysis: Analysis, plan: Plan, x: Array) -> Step:
    """Iterate from a start to the stop."""
    step = begin(plan, x)
    while step.finished is None:
        step = advance(analysis, plan, step)
    return step


def go_on(plan: Plan, step: Step) -> Step:
    """The step with the verdict of another plan, so that a longer one can take it further."""
    return replace(step, finished=_finished(plan, step.rows))


def _finished(plan: Plan, rows: tuple[Row, ...]) -> Status | None:
    if not rows:
        return None
    stop, schedule = plan.stop, plan.schedule
    last = rows[-1]
    is_lost = len(rows) >= LOST and not any(row.is_solved for row in rows[-LOST:])
    if is_lost or not isfinite(last.objective):
        return Status.DIVERGED
    if schedule.settled(last.iteration) and last.violation <= stop.violation and last.is_solved:
        begins = bisect_left(rows, True, key=lambda row: schedule.settled(row.iteration))
        settled = [row.objective for row in rows[begins:]]
        if last.kkt <= stop.kkt:
            return Status.CONVERGED
        if last.change < stop.density_change and not _is_on_its_way(stop, rows[begins:]):
            return Status.CONVERGED
        if len(settled) > stop.window:
            recent, little = settled[-stop.window :], stop.change * stop.window * min(map(abs, settled))
            is_better = min(settled[: -stop.window]) - min(recent) > little
            swings = max(settled[-1 - stop.window], *recent) - min(recent) > NOISE * little
            if not is_better and not swings and not _is_on_its_way(stop, rows[begins:]):
                return Status.CONVERGED
    return Status.LIMIT if len(rows) >= stop.limit else None


def _is_on_its_way(stop: Stop, settled: tuple[Row, ...]) -> bool:
    """Whether a steep projection keeps steps so short that an objective at rest says little."""
    if _share(settled[-1].beta) == 1.0 or len(settled) >= stop.patience:
        return False
    known = [row.kkt for row in settled if not isnan(row.kkt)]
    return not known or known[-1] > stop.shortened_kkt


def _share(beta: float) -> float:
    """How much of the move limit may be used at a steepness of the projection (1 without one)."""
    return min(1.0, STEEP / beta)


def _is_due(plan: Plan, i: int) -> bool:
    """Whether the KKT residual is wanted: it costs as much as an OC step, so not every time."""
    return plan.stop.kkt > 0 and plan.schedule.settled(i) and i % EVERY == 0


def _kkt(analysis: Analysis, x: Array, found: Evaluation) -> float:
    discrete = analysis.discrete
    limits = [limit.gradient for limit in found.constraints]
    return kkt_residual(x, found.gradient, limits, discrete.lower, discrete.upper)
