"""Random problems, hard on purpose: long spans, few supports, little material, loads from anywhere.

`get(k)` is the same problem on every machine. Even numbers are plane, odd ones solid. A draw that the
pre-check refuses is drawn again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import prepare
from trabecula.problem import (
    Domain,
    FilterOptions,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    ProblemError,
    Region,
    Support,
)
from trabecula.problem.where import Box, Where

COUNT = 20
ELEMENTS = {2: 16_000, 3: 24_000}
"""Voxels of a problem, roughly."""
VOLUMES = {2: (0.15, 0.45), 3: (0.06, 0.2)}
STEEL = Material(210e9, 0.3, 7850.0, name="steel")
DRAWS = 200

Vector = NDArray[np.float64]
Patch = tuple[Vector, Vector]
AXES = "xyz"


def get(number: int, scale: float = 1.0) -> Problem:
    """Random problem `number`; `scale` times as many voxels along every axis."""
    random = np.random.default_rng([20_240, number])
    dimension = 2 + number % 2
    for _ in range(DRAWS):
        problem = _draw(random, number, dimension, scale)
        try:
            prepare(problem)
        except ProblemError:
            continue
        return problem
    raise RuntimeError(f"random problem {number}: {DRAWS} draws, none of them well-posed")


def _draw(random: np.random.Generator, number: int, dimension: int, scale: float) -> Problem:
    """One draw: the box, one to three held patches, one to three loaded ones far from them."""
    ratios = np.array([1.0, *random.uniform(0.2, 0.8, dimension - 1)])
    size = random.permutation(ratios)
    edge = (float(np.prod(size)) / ELEMENTS[dimension]) ** (1 / dimension)
    elements = tuple(max(6, int(n / edge + 0.5)) for n in size)
    size = np.array(elements) * edge
    held = [_patch(random, size, edge) for _ in range(random.integers(1, 4))]
    centres = [_far(random, size, held) for _ in range(random.integers(1, 4))]
    loads = tuple(_load(random, centre, edge) for centre in centres)
    several = len(loads) > 1 and random.random() < 0.4
    cases = tuple((load,) for load in loads) if several else (loads,)
    return Problem(
        domain=Domain(_floats(size), tuple(int(scale * n + 0.5) for n in elements), _thickness(dimension)),
        supports=tuple(_support(random, patch, dimension) for patch in held),
        cases=tuple(LoadCase(case, f"case {k}", 1 / len(cases)) for k, case in enumerate(cases)),
        goal=Goal("compliance", round(float(random.uniform(*VOLUMES[dimension])), 3)),
        material=STEEL,
        regions=_hole(random, size, [*centres, *((low + high) / 2 for low, high in held)]),
        options=Options(
            projection=False,
            filter=FilterOptions("density", float(random.uniform(1.5, 2.5)) * edge / min(scale, 1.0)),
        ),
        name=f"random-{number}",
    )


def _on_boundary(random: np.random.Generator, size: Vector) -> Vector:
    """A point on a random face of the box."""
    point: Vector = random.uniform(0.0, 1.0, len(size)) * size
    axis = random.integers(len(size))
    point[axis] = size[axis] * random.integers(2)
    return point


def _patch(random: np.random.Generator, size: Vector, edge: float) -> Patch:
    """A small box about a point of the boundary: two corners."""
    centre = _on_boundary(random, size)
    half = np.maximum(random.uniform(0.02, 0.12) * size.max(), 1.1 * edge)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, size)


def _far(random: np.random.Generator, size: Vector, held: list[Patch]) -> Vector:
    """Of ten points of the boundary the one farthest from all that is held."""

    def distance(point: Vector) -> float:
        return min(float(np.linalg.norm(point - np.clip(point, low, high))) for low, high in held)

    return max((_on_boundary(random, size) for _ in range(10)), key=distance)


def _load(random: np.random.Generator, centre: Vector, edge: float) -> Load:
    """A force of 10 kN in any direction on the few nodes about a point."""
    direction = random.standard_normal(len(centre))
    force = 1e4 * direction / np.linalg.norm(direction)
    return Load(_box(centre - 1.6 * edge, centre + 1.6 * edge), force=_floats(force))


def _support(random: np.random.Generator, patch: Patch, dimension: int) -> Support:
    """A patch held altogether, or, one time in four, in all directions but one."""
    free = int(random.integers(dimension)) if random.random() < 0.25 else -1
    return Support(_box(*patch), tuple(AXES[a] for a in range(dimension) if a != free))


def _hole(random: np.random.Generator, size: Vector, keep: list[Vector]) -> tuple[Region, ...]:
    """One time in three a void box inside, clear of what is held and loaded."""
    if random.random() > 1 / 3:
        return ()
    centre, half = random.uniform(0.3, 0.7, len(size)) * size, random.uniform(0.08, 0.2, len(size)) * size
    clear = all((np.abs(point - centre) > half + 0.05 * size.max()).any() for point in keep)
    return (Region(_box(centre - half, centre + half), "void"),) if clear else ()


def _box(low: Vector, high: Vector) -> Where:
    return Box(_floats(low), _floats(high))


def _floats(values: Vector) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _thickness(dimension: int) -> float:
    return 0.01 if dimension == 2 else 1.0


def main() -> None:
    """List them."""
    for number in range(COUNT):
        problem = get(number)
        elements = problem.domain.elements
        loads = sum(len(case.loads) for case in problem.cases)
        print(
            f"{problem.name:10} {'x'.join(map(str, elements)):>12} {math.prod(elements):6} voxels, volume"
            f" {problem.goal.volume:.3f}, {len(problem.supports)} supports, {loads} loads in"
            f" {len(problem.cases)} cases, {len(problem.regions)} holes"
        )


if __name__ == "__main__":
    main()
