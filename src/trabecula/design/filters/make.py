"""From the filter a problem names to the filter on a grid."""

from __future__ import annotations

from dataclasses import replace
from math import ldexp
from typing import Any

from trabecula.design.filters.base import Filter
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.machine import Machine, machine_of
from trabecula.problem.design_tables import FILTERS
from trabecula.problem.keyed import keys_of
from trabecula.problem.tables import BrokenEntryError


def make_filter(discrete: DiscreteProblem, machine: Machine | int | None = 1) -> Filter:
    """The filter of a problem on its grid.

    Parameters
    ----------
    discrete
        The problem, in any units.
    machine
        What runs its loops: one, or the default one on so many threads.

    Raises
    ------
    BrokenEntryError
        If what the problem names, or was given, is no filter.
    """
    chosen, length = discrete.options.filter, discrete.units.length
    chosen = replace(chosen, radius=ldexp(discrete.radius, length))
    in_metres = replace(
        discrete,
        grid=discrete.units.grid(discrete.grid),
        options=replace(discrete.options, filter=chosen),
    )
    kind: Any = chosen.keys
    if kind is None:
        cls = FILTERS[chosen.kind]
        kind = cls(radius=chosen.radius) if "radius" in keys_of(cls) else cls()
    if not hasattr(kind, "make"):
        raise BrokenEntryError(
            f"the filter {chosen.kind!r} is a {type(kind).__name__} without make(discrete, machine); give it "
            "that method, which returns a trabecula.Filter"
        )
    made: object = kind.make(in_metres, machine_of(machine))
    if not isinstance(made, Filter):
        raise BrokenEntryError(
            f"make of the filter {chosen.kind!r} returns a {type(made).__name__}; it needs the attributes of "
            "trabecula.Filter: overshoots, is_linear, forward, adjoint, sensitivity"
        )
    return made
