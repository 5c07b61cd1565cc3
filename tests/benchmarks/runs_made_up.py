"""Runs that were never made, for what is said about runs."""

from __future__ import annotations

from benchmarks.optima import Runs
from benchmarks.places import Place
from benchmarks.travelled import Moment, Travelled
from trabecula.problem import problems


def place(name: str, kind: str = "solid", family: str = "") -> Place:
    """A place of its own, of one small problem."""
    return Place(kind, family or name, name, problems.get("cantilever_3d", (8, 4, 4)))


def run(*track: tuple[float, float], kkt: float = 0.01, **more: object) -> Travelled:
    """A run that was as compliant as said after so many seconds, ten iterations a second."""
    moments: tuple[Moment, ...] = tuple((t, 20 * t, int(10 * t), c) for t, c in track)
    end = moments[-1]
    fields = {"compliance": end[3], "at_100": None, "seconds": end[0], "track": moments, "kkt": kkt}
    return Travelled(**{**fields, "iterations": end[2], "equivalents": end[1], **more})  # type: ignore[arg-type]


def runs(**methods: dict[str, Travelled]) -> Runs:
    """Runs by method and problem."""
    return {(name, "8x4x4", method): each for method, made in methods.items() for name, each in made.items()}
