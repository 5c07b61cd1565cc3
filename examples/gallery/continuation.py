"""Continuation by hand: raise the penalty step by step, each from the last design.

At penalty 1 the problem is convex, and its optimum is a sheet of varying thickness: the best that there is,
and mostly grey. A higher penalty makes grey poor and the problem full of local optima. Who raises it slowly,
and begins each solve with the design before, stays near the good one.

A solve raises it by itself; by hand it takes `replace(options, penalty=...)`, and `also=`, which gives the
search a design to try among its own. The picture has penalties 1 and 1.5 above, 2 and 3 below.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture


def main(folder: Path) -> None:
    problem = tb.problems.mbb(elements=(60, 20))
    designs, also = [], []
    for penalty in (1.0, 1.5, 2.0, 3.0):
        stage = replace(problem, options=replace(problem.options, penalty=penalty))
        result = tb.solve(stage, also=also)
        print(f"penalty {penalty:g}: {result.compliance:.4g} J, grey {result.certificate.grey:.2f}")
        also = [result.design]
        designs.append(np.pad(result.density, 2))
    folder.mkdir(parents=True, exist_ok=True)
    block = np.block([designs[2:], designs[:2]])  # index 0 is below
    png = picture(block, result.spacing, title="Penalty 1, 1.5, 2 and 3", width=900)
    (folder / "continuation.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
