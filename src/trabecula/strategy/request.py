"""How a design is asked for: the arguments of `trabecula.solve`, checked, as stop and search."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.checkpoint import fingerprint
from trabecula.optimize.plan import Stop
from trabecula.starts import PastDesigns
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.multistart import Search, search_for
from trabecula.strategy.names import DEFAULT

Array = NDArray[np.float64]

TOLERANCE = 1e-4
"""Mean relative improvement of the objective per iteration at which the default stops."""

KKT = 2e-3
"""KKT residual at which every run on the finest grid stops, whatever the objective does."""

ITERATIONS = 300
"""On the full grid, where nothing is said."""

MOST_ITERATIONS = 100_000
"""On the full grid; as many rows of a history are read back."""


@dataclass(frozen=True, eq=False)
class Request:
    """How a design is asked for; None leaves a choice to the strategy.

    Attributes
    ----------
    start, proposals, iterations, tolerance, leaps
        As for `trabecula.solve`.
    also
        Designs to try too, contiguous float64 `[z, y, x]`.
    learned
        Networks that take part.

    Raises
    ------
    ValueError
        For a value that is not allowed.
    """

    start: str = DEFAULT
    proposals: int | None = None
    iterations: int | None = None
    tolerance: float | None = None
    leaps: bool = True
    also: tuple[Array, ...] = ()
    learned: Learned = field(default_factory=Learned)

    def __post_init__(self) -> None:
        for name, value in (("proposals", self.proposals), ("iterations", self.iterations)):
            check_count(name, value)
        if self.iterations is not None and self.iterations > MOST_ITERATIONS:
            raise ValueError(f"iterations is {self.iterations}; at most {MOST_ITERATIONS} are made")
        if self.tolerance is not None and not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance is {self.tolerance}; it must be between 0 and 1")
        most = Search().proposals if self.proposals is None else self.proposals
        if len(self.also) > most:
            raise ValueError(
                f"also holds {len(self.also)} designs; as many as proposals ({most}) are tried at most"
            )

    def with_designs(self, also: Sequence[Array], dimension: int) -> Request:
        """The request with designs to try too, on a grid of this dimension.

        Raises
        ------
        ValueError
            If there are too many, or if one is no design.
        """
        asked = replace(self, also=tuple(np.ascontiguousarray(design, dtype=np.float64) for design in also))
        for k, design in enumerate(asked.also):
            if design.ndim != dimension or not design.size:
                raise ValueError(f"also[{k}] has shape {design.shape}; it needs {dimension} axes")
            if not ((design >= 0.0) & (design <= 1.0)).all():
                raise ValueError(
                    f"also[{k}] holds values that are no densities; they must be between 0 and 1"
                )
        return asked

    @property
    def stop(self) -> Stop:
        """When the run on the finest grid ends."""
        return Stop(change=self.tolerance or TOLERANCE, kkt=KKT, limit=self.iterations or ITERATIONS)

    def search(self, discrete: DiscreteProblem) -> Search:
        """The search on the coarsest grid of a problem, with the designs and networks that take part."""
        also = (PastDesigns(self.also),) if self.also else ()
        return replace(search_for(discrete, self.proposals), also=also, learned=self.learned)

    @property
    def arguments(self) -> dict[str, object]:
        """What is kept with checkpoints, so that it can be asked for again: JSON values by name."""
        return {
            "start": self.start,
            "proposals": self.proposals,
            "iterations": self.iterations,
            "tolerance": self.tolerance,
            "leaps": self.leaps,
        }

    def fingerprint(self, discrete: DiscreteProblem, uses_networks: bool) -> str:
        """A short text that differs where the problem, or anything that decides the runs, differs.

        Parameters
        ----------
        uses_networks
            Whether networks could take part.
        """
        digests = (f"{design.shape} {hashlib.sha256(design.data).hexdigest()}" for design in self.also)
        networks = (self.leaps, *(card.sha256 for card in self.learned.cards)) if uses_networks else ()
        return fingerprint(discrete, self.start, self.proposals, *digests, *networks)


def check_count(name: str, value: int | None) -> None:
    """Refuse a count below 1; None stands for one that was not given.

    Raises
    ------
    ValueError
        If the number is below 1.
    """
    if value is not None and value < 1:
        raise ValueError(f"{name} is {value}; at least 1 is needed")
