"""The workbench: everything that one solve works with, made once and passed to all strategies.

It has the grids of a problem, makes their analyses (no other file of this room does), says which optimiser
and schedule a grid is worked on with, and runs what is planned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from weakref import WeakValueDictionary

from trabecula.design import Schedule, final_penalty
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.loop import begin
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import Optimizer, make_optimizer
from trabecula.physics import Machine, State, machine_of
from trabecula.starts import volume_of
from trabecula.strategy.multistart import with_projection
from trabecula.strategy.runner import Runner

SETTLED_KKT = 0.03
"""Largest KKT residual at which a run with own weight may end for its objective's sake."""

INDIFFERENT = 1e-5
"""Relative difference of objectives below which the later of two designs with own weight is taken."""

MakeState = Callable[[DiscreteProblem, Machine], State]
"""Makes the state equation of a grid on a machine."""


class Workbench:
    """What a solve of one problem works with.

    Parameters
    ----------
    discrete
        The problem on its finest grid.
    machine
        What does the arithmetic: one, or the default one on so many threads (None follows
        `OMP_NUM_THREADS`). Designs do not depend on the threads.
    checkpoints
        Where runs are kept; default: nowhere.
    make_state
        Makes the state equation of every analysis; default: the machine.

    Attributes
    ----------
    discrete, machine
        The problem, and what does the arithmetic.
    runner
        Runs plans, and keeps what every run took.
    """

    def __init__(
        self,
        discrete: DiscreteProblem,
        machine: Machine | int | None = None,
        checkpoints: Checkpoints | None = None,
        make_state: MakeState | None = None,
    ) -> None:
        self.discrete = discrete
        self.machine = machine_of(machine)
        self._make_state = make_state
        self.runner = Runner(
            checkpoints or Checkpoints(), partial(_make_analysis, make_state, self.machine.with_threads(1))
        )
        self._in_use: WeakValueDictionary[int, Analysis] = WeakValueDictionary()

    @cached_property
    def grids(self) -> tuple[DiscreteProblem, ...]:
        """The problem on its grids, coarsest first; the last is `discrete` itself."""
        return tuple(grid_hierarchy(self.discrete))

    @property
    def coarse_grids(self) -> tuple[DiscreteProblem, ...]:
        """All grids but the finest."""
        return self.grids[:-1]

    def analysis(self, grid: DiscreteProblem) -> Analysis:
        """The analysis of a grid: the one that is in use, else a new one.

        The workbench holds it weakly, so that its memory is freed once it is no longer in use.
        """
        known = self._in_use.get(id(grid))  # an analysis holds its grid, so that the number stays its own
        if known is None:
            known = self._in_use[id(grid)] = self.separate_analysis(grid)
        return known

    def separate_analysis(self, grid: DiscreteProblem, state: State | None = None) -> Analysis:
        """An analysis of a grid that nobody else works with, so that its solves are counted apart.

        Parameters
        ----------
        state
            The state equation, where it is not that of the workbench.
        """
        return _make_analysis(self._make_state, self.machine, grid, state)

    def optimizer(self, grid: DiscreteProblem, exponent: float = 1.0) -> Optimizer:
        """The optimiser that a grid is worked on with; `exponent` is that of OC."""
        return make_optimizer(grid, self.machine, exponent)

    def plan(
        self,
        grid: DiscreteProblem,
        schedule: Schedule,
        stop: Stop,
        tolerance: float = 1e-3,
        exponent: float = 1.0,
    ) -> Plan:
        """How a grid is worked on: by its optimiser, with the projection put into the schedule.

        Own weight is taken to a stationary design, for its objective alone does not say when it is one.
        """
        if grid.gravity.any():
            stop = replace(stop, largest_kkt=SETTLED_KKT, indifference=INDIFFERENT)
        last = final_penalty(grid) if grid is self.discrete else None  # details are decided on the finest
        return Plan(self.optimizer(grid, exponent), with_projection(grid, schedule, last), stop, tolerance)

    def begin_uniform(self, analysis: Analysis, plan: Plan) -> Step:
        """The first step from the same density everywhere, with the volume that a start has."""
        return begin(plan, analysis.chain.uniform(volume_of(analysis.discrete)))


def _make_analysis(
    make_state: MakeState | None, machine: Machine, grid: DiscreteProblem, state: State | None = None
) -> Analysis:
    if state is None and make_state is not None:
        state = make_state(grid, machine)
    return Analysis(grid, machine, state)
