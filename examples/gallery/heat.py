"""Heat: a tree that cools a plate.

Heat is made everywhere in a plate and leaves through a short piece of its left edge. The goal is heat times
temperature, the thermal compliance: the state equation is another one, the rest is the same. What grows is a
tree, since every branch must be near to what it cools and all of them share one trunk.

On the left the conductor, on the right the temperatures, dark where it is hot.
"""

import sys
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture


def main(folder: Path) -> None:
    problem = tb.problems.get("heat_sink", (48, 48))
    result = tb.solve(problem)
    found = tb.evaluate(problem, result.density)
    warmth = found.displacements["load"][0]  # K over nodes; of a heat problem the states are temperatures
    print(result, f"\n hottest {warmth.max():.3g} K above the support")

    centres = (warmth[1:, 1:] + warmth[1:, :-1] + warmth[:-1, 1:] + warmth[:-1, :-1]) / 4.0
    both = np.hstack([result.density, np.zeros((48, 4)), centres / centres.max()])
    folder.mkdir(parents=True, exist_ok=True)
    title = f"Heat sink, and temperatures up to {warmth.max():.3g} K"
    png = picture(both, result.spacing, title=title, word=result.word, width=900)
    (folder / "heat.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
