"""The same problem with another goal, other limits, filter, optimiser or interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trabecula.problem.design_tables import FILTERS, own_keys
from trabecula.problem.errors import ProblemError
from trabecula.problem.model import FilterOptions, Goal, Limit, Options, Problem
from trabecula.problem.quantities import name_of
from trabecula.problem.read_goal import with_plain_limit


def restate(
    problem: Problem,
    goal: Any = None,
    limits: Sequence[Limit] | None = None,
    filter: Any = None,
    optimizer: Any = None,
    interpolation: Any = None,
) -> Problem:
    """A problem with some of what it says replaced; None leaves it as it is.

    Parameters
    ----------
    goal
        A quantity or its name, which is minimised under the limits that there are, or a whole `Goal`.
    limits
        All limits, in place of those of the goal.
    filter
        A name, which keeps the radius; `FilterOptions`; or a filter of one's own.
    optimizer, interpolation
        A name, or an object of one's own.

    Raises
    ------
    TypeError
        If something is neither a name nor what it should be.
    ProblemError
        If the goal cannot be replaced alone.
    """
    if goal is not None:
        problem = replace(problem, goal=goal if isinstance(goal, Goal) else _aimed_at(goal, problem.goal))
    if limits is not None:
        problem = replace(problem, goal=_under(problem.goal, limits))
    options = _options(problem.options, filter, optimizer, interpolation)
    return problem if options is problem.options else replace(problem, options=options)


def explicit(problem: Problem) -> Problem:
    """The same problem, saying itself what it otherwise leaves to the program: whether it projects."""
    options = problem.options
    return replace(problem, options=replace(options, projection=options.projects))


def _aimed_at(quantity: Any, goal: Goal) -> Goal:
    """The same limits with another objective."""
    if name_of(quantity) == "volume":
        return Goal(quantity, compliance=goal.compliance, limits=goal.limits)
    limits = goal.limits
    if goal.compliance is not None:
        if len(goal.compliance) > 1:
            raise ProblemError(
                "goal.compliance",
                "limits every load case by itself",
                "needs the volume as the goal",
                "give limits too, or a whole trabecula.Goal",
            )
        limits = (*limits, Limit("compliance", goal.compliance[0]))
    return Goal(quantity, volume=goal.volume, limits=limits)


def _under(goal: Goal, limits: Sequence[Limit]) -> Goal:
    """The same objective under other limits."""
    for limit in limits:
        given: object = limit
        if not isinstance(given, Limit):
            raise TypeError(f"limits holds {given!r}; it needs trabecula.Limit, as Limit('volume', 0.4)")
    bare = Goal(goal.minimize, limits=tuple(limits), maximize=goal.maximize, keys=goal.keys)
    return with_plain_limit(bare)


def _options(options: Options, filter: Any, optimizer: Any, interpolation: Any) -> Options:
    """The same options with other parts."""
    if isinstance(filter, str):
        has_radius = filter in FILTERS and "radius" in own_keys(FILTERS[filter])
        filter = FilterOptions(filter, options.filter.radius if has_radius else None)
    if filter is not None:
        options = replace(options, filter=filter)
    if optimizer is not None:
        options = replace(options, optimizer=optimizer)
    if interpolation is not None:
        options = replace(options, interpolation=interpolation)
    return options
