"""What a source of designs works with, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.gallery.difference import Comparison
from trabecula.optimize.analysis import Analysis
from trabecula.physics import Machine
from trabecula.problem.tables import Table
from trabecula.starts import Proposal

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MakeAnalysis = Callable[[DiscreteProblem, Machine], Analysis]
"""Makes an analysis of a grid on a machine."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What a source of designs is given.

    Attributes
    ----------
    analysis
        Of the grid that is searched on: the coarsest first, and finer ones when that has no more to give.
    comparison
        Compares designs there.
    known
        bool `[z, y, x]`: the different good designs that were found so far, on that grid, best first.
    past
        float64 `[z, y, x]`: designs that were given, of any resolution.
    seed
        Of all that is drawn at random.
    """

    analysis: Analysis
    comparison: Comparison
    known: tuple[Mask, ...] = ()
    past: tuple[Array, ...] = ()
    seed: int = 0

    @property
    def discrete(self) -> DiscreteProblem:
        """The problem on that grid."""
        return self.analysis.discrete


@dataclass(frozen=True, eq=False)
class Draw:
    """A start on the grid of a ground.

    Attributes
    ----------
    proposal
        The design to begin with, its schedule, and its name, which no other draw has.
    make_analysis
        Makes an analysis of another problem, which the first iterations are made with; None: all are made
        with the problem's own.
    released
        Iterations after which the problem is its own again (20 or so where the grid is the finest). A
        design is only ranked, and goes up the grids, as a design of the problem itself.
    """

    proposal: Proposal
    make_analysis: MakeAnalysis | None = None
    released: int = 0


@runtime_checkable
class Source(Protocol):
    """A way to come by different designs; see `docs/guide/gallery.md`.

    Attributes
    ----------
    description
        One sentence for help texts.
    """

    description: str

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """Starts for the grid of a ground, the same ones for the same ground.

        Parameters
        ----------
        first
            How many were drawn before.
        count
            How many are wanted; fewer, or none, where the source has no more.
        """
        ...


GROUP = "trabecula.sources"
"""Entry-point group of installed packages that add sources."""

SOURCES: Table[Source] = Table("source", GROUP, Source)
"""Sources of designs by name."""

_ROOM = "trabecula.gallery.sources"
SOURCES.declare("ramps", f"{_ROOM}.ramps:RAMPS", "Uniform starts with penalty ramps of several lengths.")
SOURCES.declare("fields", f"{_ROOM}.fields:FIELDS", "Random fields, white or smooth.")
SOURCES.declare(
    "variations", f"{_ROOM}.variations:VARIATIONS", "Known designs, half grey and disturbed by random fields."
)
SOURCES.declare(
    "deflation", f"{_ROOM}.deflation:DEFLATION", "A penalty that pushes away from the designs found so far."
)
SOURCES.declare("loads", f"{_ROOM}.loads:LOADS", "Loads that are turned and weighed otherwise at first.")
SOURCES.declare("drawn", f"{_ROOM}.drawn:DRAWN", "What the proposal network draws.")
SOURCES.declare("generator", f"{_ROOM}.generator:GENERATOR", "What the adversarial generator draws.")
SOURCES.declare("past", f"{_ROOM}.past:PAST", "Designs that were given, as the nearest of the history.")
