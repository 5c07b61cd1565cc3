"""Problems by name: benchmarks of the field and parts of daily life, each a function of its grid.

`names()` lists them, `get("mbb", elements=(300, 100))` builds one, and each can be called as a function:
`mbb(elements=(300, 100))`. Adding one is one function and one entry in the table below.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

from trabecula.problem.errors import ProblemError
from trabecula.problem.model import Problem
from trabecula.problem.problems.heat import heat_sink, heat_sink_3d
from trabecula.problem.problems.plane import (
    bridge,
    cantilever,
    l_bracket,
    mbb,
    michell,
    wheel,
)
from trabecula.problem.problems.solid import (
    cantilever_3d,
    chair_leg,
    hook,
    jet_bracket,
    table,
    torsion,
)

_TABLE: dict[str, Callable[..., Problem]] = {
    function.__name__: function
    for function in (
        mbb,
        cantilever,
        l_bracket,
        bridge,
        michell,
        wheel,
        heat_sink,
        cantilever_3d,
        torsion,
        hook,
        jet_bracket,
        table,
        chair_leg,
        heat_sink_3d,
    )
}

__all__ = [
    "bridge",
    "cantilever",
    "cantilever_3d",
    "chair_leg",
    "describe",
    "get",
    "heat_sink",
    "heat_sink_3d",
    "hook",
    "jet_bracket",
    "l_bracket",
    "mbb",
    "michell",
    "names",
    "table",
    "torsion",
    "wheel",
]


def names() -> tuple[str, ...]:
    """The names, plane problems first."""
    return tuple(_TABLE)


def get(name: str, elements: tuple[int, ...] | None = None) -> Problem:
    """Build a named problem, on its own grid or a given one.

    Raises
    ------
    ProblemError
        If there is no such name, or the grid has the wrong number of axes.
    """
    function = _function(name)
    problem = function() if elements is None else function(elements=tuple(elements))
    if len(problem.domain.elements) != problem.domain.dimension:
        count = problem.domain.dimension
        raise ProblemError("elements", f"got {len(problem.domain.elements)} numbers", f"{name} needs {count}")
    return problem


def describe(name: str) -> str:
    """One line on a named problem."""
    return (_function(name).__doc__ or "").strip().splitlines()[0]


def _function(name: str) -> Callable[..., Problem]:
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    if key in _TABLE:
        return _TABLE[key]
    near = difflib.get_close_matches(key[:40], _TABLE, n=1)
    raise ProblemError(
        "problem",
        f"no problem is named {name[:40]!r}",
        f"known: {', '.join(_TABLE)}",
        f"did you mean {near[0]!r}?" if near else "",
    )
