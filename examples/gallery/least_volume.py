"""The other way round: the least material that is stiff enough.

Often the stiffness is given and the weight is what matters. Then the volume is minimised under a limit on the
compliance; the certificate's lower bound is one of the volume. The sweep of this goal over the limit traces
the same curve as the stiffest designs over the volume: here a limit is taken from one of those, and about its
volume comes back.
"""

import sys
from dataclasses import replace
from pathlib import Path

import trabecula as tb


def main(folder: Path) -> None:
    problem = tb.problems.mbb(elements=(60, 20))
    stiffest = tb.solve(problem)
    lightest = tb.solve(replace(problem, goal=tb.Goal("volume", compliance=(stiffest.compliance,))))
    bound = lightest.certificate.lower_bound or 0.0
    print(f"stiffest of volume {stiffest.volume:.3f}: {stiffest.compliance:.4g} J")
    print(
        f"lightest of {lightest.compliance:.4g} J: volume {lightest.volume:.3f}, no design below {bound:.3f}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    lightest.plot(folder / "least_volume.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
