"""A density from elsewhere: how good is a truss that somebody drew?

A design need not come from here. `tb.evaluate` takes any physical density on the problem's grid, from another
program or drawn with a few lines of NumPy, solves its state once and tightly, and says what a result would
say: compliance, limits, connectedness, and with `bound=True` how far it is from the best that can be. No word
above *verified* is possible, for nothing is known of the design variables behind it.

The picture has the drawn truss above, and what a solve makes of as much material below.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture

BARS = (((0, 0), (1, 0.5)), ((0, 1), (1, 0.5)), ((1, 0.5), (2, 0.5)), ((0, 1), (2, 0.5)), ((0, 0), (2, 0.5)))


def main(folder: Path) -> None:
    problem = tb.problems.cantilever(elements=(64, 32))
    y, x = (np.mgrid[:32, :64] + 0.5) / 32.0  # m
    drawn = np.zeros((32, 64))
    for (ax, ay), (bx, by) in BARS:
        length = np.hypot(bx - ax, by - ay)
        along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length**2, 0.0, 1.0)
        away = np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay))
        drawn[away < 0.05] = 1.0
    problem = replace(problem, goal=tb.Goal("compliance", volume=float(drawn.mean())))

    found = tb.evaluate(problem, drawn, bound=True)
    result = tb.solve(problem)
    print(found, f"\n at most {found.certificate.gap:.0%} above the best; a solve: {result.compliance:.3g} J")
    stack = np.vstack([result.density, np.zeros((4, 64)), drawn])
    title = f"Drawn: {found.compliance:.3g} J; optimised: {result.compliance:.3g} J"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "density_from_elsewhere.png").write_bytes(
        picture(stack, result.spacing, title=title, word=found.word, width=700)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
