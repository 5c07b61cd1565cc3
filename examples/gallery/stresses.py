"""Stresses: the stiffest bracket is not the strongest.

The least compliance asks nothing about stresses. An angle that hangs from its top keeps the inner corner, and
there stresses concentrate: on a finer grid the peak only grows (Duysinx & Bendsoe 1998). `tb.evaluate` gives
von Mises stresses at the centres of elements for every load case, so that a design can be judged before it is
made.

On the left the design, on the right its stresses, dark where they are high; the peak stands in the title.
"""

import sys
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture


def main(folder: Path) -> None:
    problem = tb.problems.get("l_bracket", (60, 60))
    result = tb.solve(problem)
    stress = tb.evaluate(problem, result.density).von_mises["load"]
    y, x = np.unravel_index(stress.argmax(), stress.shape)
    peak, edge = stress.max() / 1e6, problem.domain.spacing[0]
    print(result, f"\n peak {peak:.3g} MPa at x = {x * edge:.3g} m, y = {y * edge:.3g} m")

    both = np.hstack([result.density, np.zeros((60, 4)), np.minimum(1.0, stress / np.quantile(stress, 0.99))])
    folder.mkdir(parents=True, exist_ok=True)
    title = f"L-bracket, and its stresses up to {peak:.3g} MPa"
    png = picture(both, result.spacing, title=title, word=result.word, width=900)
    (folder / "stresses.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
