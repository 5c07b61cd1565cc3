"""Several load cases: a part that must bear each load by itself is another part.

A bracket on a wall carries a load at its tip which pulls down at one time and sideways at another. Loads of
one case act together, and the best part for their sum may be useless for either alone: one bar in the
direction of the sum is enough. As two cases, whose compliances are added with their weights, each load needs
a way of its own.

The picture has the design for both loads at once on the left, and that for one after the other on the right.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture


def main(folder: Path) -> None:
    tip = tb.where.Nodes(((1.0, 0.5),))
    down, sideways = tb.Load(tip, force=(0.0, -1000.0)), tb.Load(tip, force=(1000.0, 0.0))
    together = tb.Problem(
        name="Both loads at once",
        domain=tb.Domain(size=(1.0, 1.0), elements=(48, 48), thickness=0.02),
        material=tb.Material(young=70e9),
        supports=(tb.Support(tb.where.Plane("x", 0.0), fix=("x", "y")),),
        cases=(tb.LoadCase((down, sideways)),),
        goal=tb.Goal("compliance", volume=0.2),
    )
    apart = replace(together, cases=(tb.LoadCase((down,), "down"), tb.LoadCase((sideways,), "sideways")))

    one, two = tb.solve(together), tb.solve(apart)
    for name, result in (("at once", one), ("one after the other", two)):
        own = tb.evaluate(apart, result.density).compliances
        print(f"designed for both {name}: down {own['down']:.3g} J, sideways {own['sideways']:.3g} J")
    side_by_side = np.hstack([one.density, np.zeros((48, 6)), two.density])
    folder.mkdir(parents=True, exist_ok=True)
    png = picture(side_by_side, one.spacing, title="Two loads at once; one after the other", width=900)
    (folder / "load_cases.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
