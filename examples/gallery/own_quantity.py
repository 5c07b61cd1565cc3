"""A quantity of one's own: the lightest part that sags by no more than it may.

A goal or a limit can be anything that has a value and a sensitivity. This one is the mean deflection of a
line of nodes. Its sensitivity needs one more solve: if `K a = l`, where `l` picks the deflection out of the
displacements (`l . u`), then the derivative is `-a . dK/dx u` (the adjoint method). The `at` that a quantity
is handed answers both.

The volume is minimised under a limit on it. What no rule is known for gets no lower bound, so the result is
*verified* at most.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

import trabecula as tb
from trabecula.responses import DesignPoint, Quantity


@dataclass(frozen=True)
class Deflection(Quantity):
    """How far the selected nodes sink in the mean, in m."""

    where: tb.where.Where
    name: ClassVar[str] = "deflection"
    unit: ClassVar[str] = "m"

    def value(self, at: DesignPoint) -> float:
        return float((self._pick(at) * at.displacement(0)).sum())

    def gradient(self, at: DesignPoint) -> np.ndarray:
        return at.through_stiffness(at.displacement(0), at.solve(self._pick(at)))

    def _pick(self, at: DesignPoint) -> np.ndarray:
        chosen = at.select_nodes(self.where)
        pick = np.zeros(at.fixed.shape)
        pick[1][chosen] = -1.0 / chosen.sum()
        return pick


def main(folder: Path) -> None:
    bridge = tb.problems.get("bridge", (60, 15))
    deck = Deflection(tb.where.Plane("y", bridge.domain.size[1]))
    full = tb.evaluate(bridge, np.ones((15, 60)), [deck]).values["deflection"]
    limit = tb.problem.model.Limit(deck, 3.0 * full)
    result = tb.solve(replace(bridge, goal=tb.Goal("volume", limits=(limit,))))
    print(result, f"\n the deck sinks {result.limits[0].value:.3g} m, {limit.value:.3g} m are allowed")
    folder.mkdir(parents=True, exist_ok=True)
    result.plot(folder / "own_quantity.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
