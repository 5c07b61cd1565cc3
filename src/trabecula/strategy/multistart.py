"""A search from many starts: its settings, its candidates, and the optimiser and schedule of a grid.

Every choice here is a measured one (docs/decisions/way.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule, sharpen
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.plan import Stop
from trabecula.starts import (
    HalfGrey,
    HandOver,
    Proposer,
)
from trabecula.strategy.learned_steps import Learned

Array = NDArray[np.float64]

FURTHER = "further"
"""Kind of the random fields that are tried where the best design was found once only."""


@dataclass(frozen=True)
class Search:
    """How wide the search on the coarsest grid is, and how much of it goes up the grids.

    Attributes
    ----------
    proposals
        Designs tried on the coarsest grid, ramps first.
    halvings
        Iterations after which the worse half of the random ones is given up.
    further
        Random fields tried beside them where the best of all was found once only. The best of those goes up
        too, beside the candidates that there would be without them.
    agreement
        Relative difference on the coarsest grid between the best and the next best design up to which the
        next best confirms the best; above it the best was found once only.
    coarse
        Iterations on the coarsest grid for those that stay.
    intermediate
        Iterations on every grid between the coarsest and the finest.
    decide
        Iterations at full penalty on the finest grid after which only the best goes on; None takes all of
        them to the stop.
    decide_further
        The same where further fields take part: what is best of many at one moment flatters itself, so they
        are compared later.
    hand_over
        From grid to grid.
    hand_over_of_others
        To the finest grid, for all candidates but the best and the further one, and without a network: from
        penalty 1 walls that only this grid can resolve may still form. What one hand-over loses the other has
        kept.
    exponent
        OC exponent while a penalty ramp begins from a uniform design.
    tolerance
        Relative residual of the solves of a design that is taken to its stop.
    loose
        The same of all others: on the coarser grids, and on the finest until it is decided which goes on.
    kinds
        Kinds of candidates that take part; fewer only to see what each is worth.
    learned
        Networks that take part, each decided by a solve; where something goes ahead, with that alone.
    also
        More designs for the coarsest grid; of other `kinds` than those, they go on only where they beat all.
    ahead
        What goes ahead of the search where no network draws it.
    first_design
        Whether a first design is finished quickly before the search, where nothing goes ahead
        (`trabecula.strategy.first_design`).
    fresh
        Whether a design that begins on the finest grid takes part in solids of two grids, in place of the
        second best of the search.
    scouts
        How many designs are tried to go ahead; the best of them goes up all grids to its stop.
    sentinels
        Names of starts of the search that are made before all others.
    agree
        Relative difference, on the coarsest grid, of what went ahead and of all sentinels, up to which what
        went ahead is in no doubt, and nothing is searched.
    """

    proposals: int = 8
    halvings: tuple[int, ...] = (12, 24)
    further: int = 16
    agreement: float = 0.01
    coarse: int = 60
    intermediate: int = 30
    decide: int | None = 4
    decide_further: int = 15
    hand_over: HandOver = field(default_factory=HalfGrey)
    hand_over_of_others: HandOver = field(default_factory=lambda: HalfGrey(penalty=1.0))
    exponent: float = 0.7
    tolerance: float = 1e-3
    loose: float = 1e-3
    kinds: tuple[str, ...] = ("ramp", "search", FURTHER, "drawn")
    learned: Learned = field(default_factory=Learned)
    also: tuple[Proposer, ...] = ()
    ahead: Proposer | None = None
    first_design: bool = True
    fresh: bool = False
    scouts: int = 1
    sentinels: tuple[str, ...] = ("cold", "random-1")
    agree: float = 2e-3

    @property
    def goes_ahead(self) -> bool:
        """Whether a network's design is finished before the search."""
        return self.learned.proposer is not None or self.ahead is not None


CRISP = Search(proposals=16, halvings=(4, 8, 14), further=0, decide=14, loose=3e-2, fresh=True)
"""The search for a projected design (docs/decisions/way.md): looser solves do not change how good designs
become, random fields are told apart earlier, and candidates on the finest grid once the projection has become
steeper, for before that they may rank the wrong way round."""


def search_for(discrete: DiscreteProblem, proposals: int | None = None) -> Search:
    """The search of the default start for a problem.

    Parameters
    ----------
    proposals
        Designs tried on the coarsest grid; None leaves it to the search, which then may also get wider.
    """
    search = CRISP if discrete.options.projection else Search()
    if proposals is None:
        return search
    return replace(search, proposals=proposals, further=0, fresh=search.fresh and proposals > 1)


@dataclass(frozen=True)
class Candidate:
    """A design that is handed from grid to grid: `name` and `kind` of its origin, its `density` and `merit`
    (less is better).

    `coarser` are its designs on the coarser grids, coarsest first; half precision, for they are only kept.
    One that `is_fresh` begins on the grid where it is tried, and no design led to it.
    """

    name: str
    kind: str
    density: Array
    merit: float
    coarser: tuple[NDArray[np.float16], ...] = ()
    is_fresh: bool = False

    @property
    def path(self) -> tuple[NDArray[np.float16], ...]:
        """The designs of this candidate on all grids so far; none where it only begins."""
        return () if self.is_fresh else (*self.coarser, self.density.astype(np.float16))


def stop_after(iterations: int) -> Stop:
    """A rule that stops after a number of iterations and for no other reason."""
    return Stop(change=0.0, kkt=0.0, limit=iterations)


def stage_of(discrete: DiscreteProblem) -> str:
    """Name of the work on a grid."""
    return discrete.grid.label


def with_projection(discrete: DiscreteProblem, schedule: Schedule, last: float | None = None) -> Schedule:
    """The schedule with the projection's steepness raised to its end, where a problem has projection; and the
    penalty with it, to the `last` one."""
    return sharpen(schedule, last) if discrete.options.projection else schedule


def widen(merit: float, share: float) -> float:
    """A merit made worse by a share of its size, whatever its sign."""
    return merit * (1.0 + share if merit > 0.0 else 1.0 - share)


def search_stage(discrete: DiscreteProblem) -> str:
    """Name of the search on a grid."""
    return f"search {stage_of(discrete)}"


def best_of_each_kind(candidates: list[Candidate]) -> list[Candidate]:
    """The best of every kind, best first."""
    best: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: c.merit):
        best.setdefault(candidate.kind, candidate)
    return list(best.values())
