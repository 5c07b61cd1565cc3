"""The table of starts: the strategies that a solve can be asked for by name.

The strategies themselves live in `trabecula.strategy`, further up; here they are only named, so that help
texts need nothing that works, and so that a saved result can be held to the starts there are.
"""

from __future__ import annotations

from typing import Any

from trabecula.problem.tables import Table

GROUP = "trabecula.starts"
"""Entry-point group of installed packages that add starts."""

STARTS: Table[Any] = Table("start", GROUP)
"""Objects of `trabecula.strategy.table.Start` by name."""

STARTS.declare("coarse", "trabecula.strategy.table:COARSE", "Search on coarse grids, hand over, finish.")
STARTS.declare(
    "learned",
    "trabecula.strategy.table:LEARNED",
    "What a network draws is finished first, and the search follows where that is in doubt.",
)
STARTS.declare("uniform", "trabecula.strategy.table:UNIFORM", "One grid, with penalty continuation.")
STARTS.declare(
    "classical",
    "trabecula.strategy.table:CLASSICAL",
    "One grid, fixed penalty, OC exponent 1/2, until no density changes by 0.01: the literature's.",
)
