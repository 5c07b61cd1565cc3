"""A solve, from a named problem to a picture.

Half of a beam on two supports is pushed down in its middle; the left edge is the plane of symmetry. Half of
the box may be material. It is the best known problem of the field (Sigmund 2001), and what comes out is a
truss: material gathers where the load travels, because penalised grey costs as much as it carries little.

The result says how sure it is. *Certified* means that the state was solved tightly, that the design is
stationary, and that a lower bound is known which no density on this grid can beat.
"""

import sys
from pathlib import Path

import trabecula as tb


def main(folder: Path) -> None:
    problem = tb.problems.mbb(elements=(90, 30))
    result = tb.solve(problem)
    print(result)
    folder.mkdir(parents=True, exist_ok=True)
    result.plot(folder / "plain_solve.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
