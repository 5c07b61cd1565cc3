"""A Pareto sweep: how stiff for how much material.

Every volume fraction has its stiffest design. Together they are the curve from which an engineer chooses: at
first a little more material makes a part much stiffer, later hardly. The compliance times the volume says it:
it is least where material is used best.

`tb.sweep` solves for all values side by side in processes, which is why this call stands in `main` and below
the guard at the end of the file. With `out=` every result is kept in a folder of its own, and a sweep that
was interrupted goes on. The picture has the least material at the upper left, the most at the lower right.
"""

import sys
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture


def main(folder: Path) -> None:
    problem = tb.problems.mbb(elements=(60, 20))
    found = tb.sweep(problem, volume=[0.2, 0.35, 0.5, 0.7])
    print(found.to_csv(), end="")

    one, two, three, four = (np.pad(result.density, 2) for result in found.results if result)
    designs = np.block([[three, four], [one, two]])  # index 0 is below
    folder.mkdir(parents=True, exist_ok=True)
    title = "Compliance " + ", ".join(f"{row['compliance']:.3g} J" for row in found.table())
    png = picture(designs, problem.domain.spacing, title=title, width=900)
    (folder / "pareto.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
