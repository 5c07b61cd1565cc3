"""A filter and an optimiser of one's own: members that lie flat, in a loop of twelve lines.

A density filter sets the least size of members. This one averages far along x and hardly along y, so that
what comes out can be laid in flat strips. It is a matrix `F` with rows that sum to one: the physical density
is `F x`, and a sensitivity goes back through its transpose.

`tb.evaluate` measures any physical density, with sensitivities. Around it the whole method is a few lines:
filter, measure, filter back, and the update of the optimality criteria with a bisection on its multiplier.
"""

import sys
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture


def average(n: int, radius: int) -> np.ndarray:
    """A matrix `[n, n]` of running means with weights that fall linearly, rows summing to one."""
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    weights = np.maximum(0.0, radius - distance)
    return weights / weights.sum(axis=1, keepdims=True)


def main(folder: Path) -> None:
    problem = tb.problems.cantilever(elements=(48, 24))
    along, across = average(48, 6), average(24, 2)  # voxels
    volume = problem.goal.volume or 0.4
    x = np.full((24, 48), volume)
    for _ in range(40):
        found = tb.evaluate(problem, across @ x @ along.T, ["volume"])
        slope = across.T @ found.objective_sensitivity @ along
        price = across.T @ found.sensitivities["volume"] @ along
        low, high = 0.0, 1e9
        while high - low > 1e-6 * high:
            middle = 0.5 * (low + high)
            new = x * np.sqrt(np.maximum(0.0, -slope) / (middle * price))
            new = np.clip(new, np.maximum(0.0, x - 0.2), np.minimum(1.0, x + 0.2))
            low, high = (middle, high) if (across @ new @ along.T).mean() > volume else (low, middle)
        x = new
    print(found)
    folder.mkdir(parents=True, exist_ok=True)
    png = picture(found.density, problem.domain.spacing, title="Filtered along x", word=found.word, width=800)
    (folder / "own_filter.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
