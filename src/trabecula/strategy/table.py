"""The starts that a solve can be asked for by name, and how others add to them.

A start is a strategy from the beginning to the design that is proven. A new one is a function in a file of
its own and a line in `trabecula.problem.starts`; an installed package adds one by an entry point of the
group `trabecula.starts` whose object is a `Start`, a program by `STARTS.register("mine", Start(run))`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trabecula.problem.starts import STARTS
from trabecula.problem.tables import BrokenEntryError, UnknownNameError
from trabecula.strategy import coarse, uniform
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Strategy
from trabecula.strategy.workbench import Workbench


@dataclass(frozen=True)
class Start:
    """A way to begin, from the uniform design or any other.

    Attributes
    ----------
    run
        Takes the workbench and the request to the finished design: a generator of events that returns the
        outcome (`trabecula.strategy.runner.Strategy`).
    searches
        Whether it searches on coarse grids, where designs that are given can be tried too.
    uses_networks
        Whether networks take part.
    """

    run: Callable[[Workbench, Request], Strategy]
    searches: bool = False
    uses_networks: bool = False


COARSE = Start(coarse.run, searches=True)
LEARNED = Start(coarse.run, searches=True, uses_networks=True)
UNIFORM = Start(uniform.run)
CLASSICAL = Start(uniform.run_classical)


def start_of(name: str) -> Start:
    """The start of a name.

    Raises
    ------
    ValueError
        If there is none.
    BrokenEntryError
        If an installed package has one that cannot be loaded, or that is no `Start`.
    """
    try:
        found: object = STARTS[name]
    except UnknownNameError:
        raise ValueError(f"start is {name!r}; it may be {', '.join(STARTS)}") from None
    if not isinstance(found, Start):
        raise BrokenEntryError(
            f"the start {name!r} is a {type(found).__name__}; wrap its function: Start(run)"
        )
    return found
