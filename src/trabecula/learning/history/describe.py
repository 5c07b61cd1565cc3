"""What a problem looks like, whatever its units, its size and its grid: a vector to compare it by.

Supports, loads and passive parts are pooled on a coarse lattice over the box; the rest are a few ratios.
Compliance depends on the load cases only through the weighted sum of `f f'`, so loads enter through that sum:
its blocks at the lattice's nodes and its image on resultants and moments. Order and sign of cases drop out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement
from math import log, log2, prod

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.gaussian import blur
from trabecula.problem.design_tables import FILTERS, INTERPOLATIONS
from trabecula.surrogate.canonical import average_onto

Array = NDArray[np.float64]
Vector = NDArray[np.float16]

FORM = 1
"""Of the vectors; those of another form are not comparable. A filter or an interpolation that is declared in
the package's tables has a place in them: one more is another form."""

KINDS = {"elasticity": "elastic", "conduction": "heat"}
"""What a history calls a physics; others by their names."""

CELLS = {2: 12, 3: 6}
"""Cells of the lattice along every axis."""

BLUR = 0.8
"""Of support and load maps, in cells: what moved a little is still alike."""

PASSIVE, SPREAD, ASPECT, VOLUME, RADIUS, OTHER = 2.0, 0.5, 1.0, 0.5, 0.15, 0.1
"""Weights: passive parts, resultants, log aspect, log volume, log2 filter radius, everything else."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """A problem, pooled.

    Attributes
    ----------
    kind
        What must be the same for two problems to be alike at all.
    held
        float64 `[component, z, y, x]` over lattice nodes: 1 where something is held, less beside it.
    forces
        float64 `[case, component, z, y, x]` over lattice nodes: the loads, resultant and moment kept.
    weights
        float64 `[case]`.
    gravity
        float64 `[case, axis]`: own weight at the allowed volume, in N.
    passive
        float64 `[kind, z, y, x]` over cells: share that is passive solid, passive void.
    size
        Of the box in metres, along x, y(, z).
    ratios
        float64: weighted numbers that no mirror changes.
    """

    kind: str
    held: Array
    forces: Array
    weights: Array
    gravity: Array
    passive: Array
    size: tuple[float, ...]
    ratios: Array


def sketch(discrete: DiscreteProblem) -> Sketch:
    """Pool a problem on the lattice."""
    grid, goal, physics = discrete.voxels, discrete.goal, discrete.physics.name
    size = tuple(h * n for h, n in zip(grid.spacing, grid.elements, strict=True))
    cells = (CELLS[grid.dimension],) * grid.dimension
    hats = [_hat(n, c) for n, c in zip(grid.shape, cells, strict=True)]
    own_weight = discrete.material.density * prod(size) * grid.thickness * (goal.volume or 0.5)
    return Sketch(
        kind=" ".join(
            [f"{FORM} {grid.dimension}-D", KINDS.get(physics, physics), goal.minimize, *_foreign(discrete)]
        ),
        held=np.stack([_largest(hats, held.astype(np.float64)) for held in discrete.fixed]),
        forces=np.stack([[_sums(hats, part) for part in case] for case in discrete.loads]),
        weights=discrete.weights / discrete.weights.sum(),
        gravity=discrete.gravity * own_weight,
        passive=np.stack([average_onto(discrete.lower, cells), average_onto(1.0 - discrete.upper, cells)]),
        size=size,
        ratios=_ratios(discrete, size),
    )


def mirror(given: Sketch, axes: tuple[int, ...]) -> Sketch:
    """The sketch of the problem mirrored in some axes (0 is x)."""
    dimension = len(given.size)
    places = tuple(-1 - axis for axis in axes)
    forces, gravity = np.flip(given.forces, places).copy(), given.gravity.copy()
    for axis in axes:
        gravity[:, axis] *= -1.0
        if forces.shape[1] == dimension:  # a heat source has no direction
            forces[:, axis] *= -1.0
    return replace(
        given,
        held=np.flip(given.held, places),
        forces=forces,
        gravity=gravity,
        passive=np.flip(given.passive, places),
    )


def mirrors(dimension: int) -> list[tuple[int, ...]]:
    """All sets of axes to mirror in, none first."""
    return [axes for count in range(dimension + 1) for axes in combinations(range(dimension), count)]


def vector(given: Sketch) -> Vector:
    """The numbers whose Euclidean distance says how unlike two problems of one kind are."""
    parts = [_shares(held) for held in given.held]
    parts += [*_load_maps(given), PASSIVE * _rms(given.passive[0]), PASSIVE * _rms(given.passive[1])]
    parts += [SPREAD * _resultants(given), given.ratios]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float16)


def _foreign(discrete: DiscreteProblem) -> list[str]:
    """Names of filter and interpolation where they are not the package's: no number stands for them."""
    options = discrete.options
    named = (
        (FILTERS, "filter", options.filter.kind),
        (INTERPOLATIONS, "interpolation", getattr(options.interpolation, "name", options.interpolation)),
    )
    return [
        f"{what} {name}" for table, what, name in named if name is not None and name not in table.built_in
    ]


def _ratios(discrete: DiscreteProblem, size: tuple[float, ...]) -> Array:
    mean = prod(size) ** (1 / len(size))
    goal, options, material = discrete.goal, discrete.options, discrete.material
    radius = discrete.radius if options.filter.kind != "none" else 0.5 * min(discrete.voxels.spacing)
    aspects = [ASPECT * log(s / mean) for s in size]
    others = [
        log(len(discrete.weights)),
        options.penalty,
        float(options.projects),
        float(options.interpolation == "ramp"),  # alone: stored vectors keep their length
        10 * material.poisson * ("poisson" in discrete.physics.properties),
        float("x" in options.symmetry),
        float("y" in options.symmetry),
        float("z" in options.symmetry),
        *(float(options.filter.kind == kind) for kind in FILTERS.built_in),
    ]
    volume = (
        VOLUME * log(goal.volume)
        if goal.volume is not None
        else VOLUME * _required_compliance(discrete, size)
    )
    return np.array([*aspects, volume, RADIUS * log2(radius / mean), *(OTHER * o for o in others)])


def _required_compliance(discrete: DiscreteProblem, size: tuple[float, ...]) -> float:
    """Logarithm of the compliance allowed, in units of force squared over stiffness and length."""
    limits, modulus = discrete.goal.compliance or (1.0,), 1.0
    if discrete.physics.modulus is not None:
        modulus = getattr(discrete.material, discrete.physics.modulus)
    forces = np.abs(discrete.loads).reshape(len(discrete.weights), -1).sum(axis=1)
    length = prod(size) ** (1 / len(size)) if len(size) == 3 else discrete.voxels.thickness
    scale = float(discrete.weights @ forces**2) / (modulus * length)
    return log(float(np.mean(limits)) / scale) if scale > 0 else 0.0


def _load_maps(given: Sketch) -> list[Array]:
    """Blocks of the weighted sum of `f f'` at the lattice's nodes, as shares under a signed root."""
    components = range(given.forces.shape[1])
    blocks = [
        _blur(np.einsum("c,c...->...", given.weights, given.forces[:, i] * given.forces[:, j]))
        for i, j in combinations_with_replacement(components, 2)
    ]
    total = sum(float(np.abs(block).sum()) for block in blocks)
    return [np.sign(b) * np.sqrt(np.abs(b) / total) if total > 0 else b for b in blocks]


def _resultants(given: Sketch) -> Array:
    """The weighted sum of `a a'`, a the resultant, the moment about the centre and the own weight."""
    dimension, cases = len(given.size), len(given.weights)
    reach = max(given.size)
    places = [
        (np.arange(n) / (n - 1) - 0.5).reshape([-1 if k == axis else 1 for k in reversed(range(dimension))])
        * (given.size[axis] / reach)
        for axis, n in enumerate(reversed(given.forces.shape[2:]))
    ]
    rows = []
    for force, gravity in zip(given.forces, given.gravity, strict=True):
        row = [float(part.sum()) for part in force]
        if len(force) == dimension:
            row += [
                float((places[i] * force[j] - places[j] * force[i]).sum())
                for i, j in combinations(range(dimension), 2)
            ]
        rows.append([*row, *gravity])
    a = np.array(rows).reshape(cases, -1)
    sizes = np.abs(given.forces).reshape(cases, -1).sum(axis=1) + np.abs(given.gravity).sum(axis=1)
    square = np.einsum("c,ci,cj->ij", given.weights, a, a)
    return np.asarray(square / max(float(given.weights @ sizes**2), 1e-300))


def _shares(values: Array) -> Array:
    """A map as roots of shares, so that a node and an edge count alike (Hellinger's distance)."""
    values = _blur(values)
    total = float(values.sum())
    return np.sqrt(values / total) if total > 0 else values


def _blur(values: Array) -> Array:
    return blur(values, BLUR, beyond="edge")


def _rms(values: Array) -> Array:
    return np.asarray(values / np.sqrt(values.size))


def _hat(fine: int, cells: int) -> Array:
    """Linear interpolation from the lattice's nodes to the grid's, float64 `[lattice, grid]`."""
    place, node = np.arange(fine + 1)[None, :] * cells, np.arange(cells + 1)[:, None] * fine
    return np.asarray(np.maximum(fine - np.abs(place - node), 0) / fine)


def _sums(hats: list[Array], values: Array) -> Array:
    for axis, hat in enumerate(hats):
        values = np.moveaxis(np.tensordot(hat, values, axes=(1, axis)), 0, axis)
    return np.asarray(values)


def _largest(hats: list[Array], values: Array) -> Array:
    """The largest of the values, weighted by nearness, at every node of the lattice."""
    for axis, hat in enumerate(hats):
        shape = [1] * values.ndim
        shape[axis] = -1
        values = np.stack([(values * row.reshape(shape)).max(axis=axis) for row in hat], axis=axis)
    return values
