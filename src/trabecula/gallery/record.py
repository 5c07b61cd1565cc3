"""What a gallery is: its designs, best first, and what every source had a part in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.gallery.describe import Description
from trabecula.problem import Problem
from trabecula.results.result import Result
from trabecula.results.spoken_units import compliance_of

Mask = NDArray[np.bool_]

PLAIN = "plain"
"""Name and source of the design that a plain solve ends with."""


@dataclass(frozen=True, eq=False, repr=False)
class GalleryDesign:
    """One design of a gallery.

    Attributes
    ----------
    name
        Of its folder: the source and its draw, "fields-random-31"; "plain" for that of the plain solve.
    source
        Where it came from.
    result
        As of any solve.
    figure
        What designs are ranked by, see `figure_of`.
    above
        By which share the figure is worse than the best one's; 0 for the best.
    description
        What it looks like, in numbers.
    nearest
        Difference from the most similar design of the gallery (`Comparison.difference`).
    code
        float32: what the auto-encoder makes of it; None where none ships for its dimension.
    out
        Its result folder, where there is one.
    """

    name: str
    source: str
    result: Result
    figure: float
    above: float
    description: Description
    nearest: float = float("nan")
    code: NDArray[np.float32] | None = None
    out: Path | None = None

    @property
    def mask(self) -> Mask:
        """bool `[z, y, x]`: the solid voxels of the part."""
        return part_mask(self.result)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.above:.2%} above the best, {self.description.words}>"


@dataclass(frozen=True)
class SourceRecord:
    """What came of a source.

    Attributes
    ----------
    drawn, refined, kept
        Starts on the coarsest grid; designs that were finished on the finest; designs in the gallery.
    work
        What it took, in default solves of the same problem, refining included.
    """

    name: str
    drawn: int
    refined: int
    kept: int
    work: float

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False, repr=False)
class Gallery:
    """Different good designs of one problem.

    Attributes
    ----------
    problem
        What was asked.
    count, within, budget
        How many designs were wanted, how much worse than the best each may be, and how much work was allowed,
        in default solves.
    designs
        The best first.
    work
        What was spent, in default solves.
    sources
        What came of every source, that of the plain solve first.
    is_exhausted
        Whether the sources had nothing left to try.
    differences
        float64 `[design, design]`: how different any two are (`Comparison.difference`).
    """

    problem: Problem
    count: int
    within: float
    budget: float
    designs: tuple[GalleryDesign, ...]
    work: float
    sources: tuple[SourceRecord, ...]
    is_exhausted: bool = False
    differences: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def best(self) -> GalleryDesign:
        """The best design."""
        return self.designs[0]

    @property
    def message(self) -> str:
        """How many were found, and why no more."""
        found = len(self.designs)
        said = f"{found} of {self.count} different designs within {100.0 * self.within:g} % of the best"
        if found >= self.count:
            return said
        if self.is_exhausted:
            return f"{said}; the sources had no more to try"
        return f"{said}; the budget of {self.budget:g} default solves was spent"

    def __len__(self) -> int:
        return len(self.designs)

    def __iter__(self) -> Iterator[GalleryDesign]:
        return iter(self.designs)

    def __repr__(self) -> str:
        return f"<Gallery of {self.problem.name}: {self.message}>"

    def to_json(self) -> dict[str, object]:
        """As one JSON object; figures are in the problem's units, which it names."""
        return {
            "name": self.problem.name,
            "best": spoken_figure(self.problem, self.best.figure),
            "figure": figure_name(self.problem),
            "units": self.problem.units,
            "count": self.count,
            "within": self.within,
            "found": len(self.designs),
            "message": self.message,
            "budget": self.budget,
            "work": self.work,
            "designs": [
                {
                    "name": each.name,
                    "out": None if each.out is None else str(each.out),
                    "source": each.source,
                    "compliance": compliance_of(self.problem, compliance_of_part(each.result)),
                    "figure": spoken_figure(self.problem, each.figure),
                    "above": each.above,
                    "word": each.result.word,
                    "nearest": each.nearest if np.isfinite(each.nearest) else None,
                    "description": each.description.to_json(),
                }
                for each in self.designs
            ],
            "sources": [source.to_json() for source in self.sources],
            "differences": self.differences.round(6).tolist(),
        }


def part_mask(result: Result) -> Mask:
    """The solid voxels of a result: those of its part."""
    return result.density >= 0.5 if result.part is None else result.part.mask


def compliance_of_part(result: Result) -> float:
    """The compliance of the finished part, J (W K for heat)."""
    return result.compliance if result.part is None else result.part.compliance


def figure_of(result: Result) -> float:
    """What designs are ranked by, in SI: the compliance of the finished part, or its volume where the volume
    is minimised; for any other goal the value of the goal."""
    goal = result.problem.goal
    if goal.keys is None and goal.minimize == "compliance":
        return compliance_of_part(result)
    if goal.keys is None and goal.minimize == "volume":
        return result.volume if result.part is None else result.part.volume
    return result.objective


def is_maximised(problem: Problem) -> bool:
    """Whether more of the figure is better."""
    return problem.goal.maximize


def figure_name(problem: Problem) -> str:
    """What the figure is, in words."""
    goal = problem.goal
    if goal.keys is None and goal.minimize in ("compliance", "volume"):
        return f"{goal.minimize} of the part"
    return "value of the goal"


def spoken_figure(problem: Problem, figure: float) -> float:
    """A figure in the problem's units, where it is a compliance."""
    if figure_name(problem) == "compliance of the part":
        return compliance_of(problem, figure)
    return figure
