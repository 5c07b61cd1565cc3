"""The part of a saved result, made and analysed again by another path, and every figure of it compared.

The voxels follow from the density by the rule of the room `part`. What they do is found with the assembled
matrix of the certificate; strains, stresses, pieces, cavities and sums are written here once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.analyst import Analyst
from trabecula.certificate.certify import equilibrium_residual
from trabecula.certificate.connected import pieces
from trabecula.certificate.shape_witness import check_shape
from trabecula.certificate.verdict import Check, compare, demand
from trabecula.certificate.words import EQUILIBRIUM
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.held_loads import held_loads
from trabecula.part.finish import Shape, choices, joined_parts, shape_part, target_volume
from trabecula.part.measure import Bimodal, held_by
from trabecula.part.record import Part, PartCase, Peak
from trabecula.part.threshold import Ranking
from trabecula.physics.assembled import total_load
from trabecula.problem import Problem
from trabecula.responses import DesignPoint, formulate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROOM = 1e-5
"""Relative room of displacements and stresses: what is left of the residuals of two solves."""

BALANCED = 0.1
"""How much of that room reactions have: they are sums, and in balance to the residual itself."""

FINER = 2e-6
"""The same of compliances, which err by the square of them."""

UNSOUND, BALANCE = 1e-3, 1e-4
"""Relative room where the equilibrium residual of the part is larger than is certified, and the largest it
may be: where a part hangs in void, which is so soft, its displacements are solved no better."""

NOTE_OLDER = "an older result, which says nothing of the finished part; solve it again to know its part"

NEIGHBOURING = 8
"""Ranks around the threshold at which a part is looked for where the material is minimised."""


def check_part(
    problem: Problem,
    discrete: DiscreteProblem,
    density: NDArray[np.floating],
    part: Part | None,
    word: str,
    threads: int | None = None,
    direct_limit: int | None = None,
) -> tuple[Check, ...]:
    """Compare every figure of a part with what comes out by another path.

    Parameters
    ----------
    problem, discrete
        The problem, and the same on its grid in SI units, made again from the file.
    density
        `[z, y, x]`: the physical density that was saved.
    part
        As it was saved; None of an older result.
    word
        Says how small the equilibrium residual of the part must be.
    threads, direct_limit
        See `Analyst`.
    """
    if part is None:
        return (Check("part", None, None, 0.0, "unchecked", NOTE_OLDER),)
    mask = part.mask
    outside = (mask & discrete.void) | (~mask & np.asarray(discrete.lower >= 1.0))
    shape = _shape(discrete, density, part)
    analyst = Analyst(discrete, threads, direct_limit)
    physical = mask.astype(np.float64)
    stiffness = Bimodal(discrete.options.minimum_stiffness)
    displacements = analyst.solve(stiffness.value(physical), physical)
    loads = [total_load(discrete, physical, case) for case in range(len(discrete.loads))]
    residual = equilibrium_residual(discrete, stiffness.value(physical), loads, displacements)
    at = DesignPoint(discrete, analyst.state, physical, stiffness)
    at.take_displacements(displacements, analyst.assembled.bilinear)
    total = analyst.compliance(physical, displacements)
    found, nodes = pieces(physical, discrete), _nodes(discrete, mask)
    used = discrete.total(physical)
    shares = [_share(discrete, case, nodes) for case in range(len(discrete.loads))]
    known = [share for share in shares if share is not None]
    held = bool((discrete.fixed.any(axis=0) & nodes).any())
    supports = held_by(problem, discrete)
    free = [i for i, own in enumerate(supports, 1) if not (own.any(axis=0) & nodes).any()]
    straight = held_loads(problem, discrete, supports)
    mass = used * discrete.grid.element_volume * discrete.material.density
    is_exact = residual <= EQUILIBRIUM["certified"]
    room = ROOM if is_exact else UNSOUND
    balance = EQUILIBRIUM["certified"] if word == "certified" else BALANCE
    return (
        demand("part.equilibrium", residual <= balance, f"|f - K u| / |f| is {residual:.1e}"),
        compare("part.passive", 0, int(np.count_nonzero(outside)), note="voxels against passive parts"),
        demand(
            "part.mask",
            shape is not None and np.array_equal(shape.mask, mask),
            "the voxels that follow from the density",
        ),
        compare("part.threshold", part.threshold, None if shape is None else shape.threshold, 1e-6),
        compare("part.removed", part.removed, None if shape is None else shape.removed, 1e-9),
        compare("part.volume", part.volume, used / discrete.domain_volume, 1e-9),
        compare("part.mass", part.mass, mass, 1e-9 * mass),
        compare("part.compliance", part.compliance, total, (FINER if is_exact else room) * abs(total)),
        compare("part.pieces", part.pieces, found.count),
        compare("part.cavities", part.cavities, _cavities(discrete, mask)),
        compare("part.loaded", part.loaded, min(known, default=None), 1e-9),
        compare("part.held", part.held, held),
        compare("part.free_supports", str(list(part.free_supports)), str(free)),
        *check_shape(discrete, part, problem.domain),
        compare("part.cases", len(part.cases), len(problem.cases), note="how many there are"),
        *(
            check
            for number, (case, u, share) in enumerate(zip(part.cases, displacements, shares, strict=False))
            for check in _check_case(
                problem, analyst, number, case, u, share, mask, nodes, supports, straight[number], room
            )
        ),
        *_check_limits(at, part, room),
    )


def _shape(discrete: DiscreteProblem, density: NDArray[np.floating], part: Part) -> Shape | None:
    """The part that follows from the density: the claimed one of those that may have been chosen; where the
    material is minimised, at the claimed threshold."""
    ranking = Ranking.of(discrete, density)
    formulation = formulate(discrete)
    if not formulation.minimises_material(discrete) and discrete.gravity.any():
        found = choices(ranking, density, target_volume(discrete, density))
        return next((shape for shape in found if np.array_equal(shape.mask, part.mask)), found[0])
    if not formulation.minimises_material(discrete):
        found = joined_parts(ranking, target_volume(discrete, density))
        return next((shape for shape in found if np.array_equal(shape.mask, part.mask)), found[0])
    solid = ranking.volume(ranking.solid)
    sums = solid + np.concatenate([[0.0], np.cumsum(ranking.volumes)])
    near = int(np.count_nonzero(ranking.densities > part.threshold))
    around = range(max(0, near - NEIGHBOURING), min(len(sums), near + NEIGHBOURING + 1))
    for volume in (part.volume * discrete.domain_volume, *(float(sums[i]) for i in around)):
        shape = shape_part(ranking, volume)
        if np.array_equal(shape.mask, part.mask):
            return shape
    return None


def _check_case(
    problem: Problem,
    analyst: Analyst,
    number: int,
    claimed: PartCase,
    u: Array,
    share: float | None,
    mask: Mask,
    nodes: Mask,
    supports: Sequence[Mask],
    straight: Array,
    room: float,
) -> Iterator[Check]:
    discrete, where = analyst.discrete, f"part.cases[{number}]"
    physics = discrete.physics
    is_elastic = physics.name == "elasticity" and physics.element_matrix is None
    is_heat = physics.name == "conduction"
    length = np.sqrt(sum(component**2 for component in u))
    yield compare(f"{where}.name", claimed.name, problem.cases[number].name)
    yield compare(f"{where}.loaded", claimed.loaded, share, 1e-9)
    wanted = length if physics.is_vector else None
    yield from _check_peak(f"{where}.displacement", claimed.displacement, wanted, nodes, discrete, 0.0, room)
    wanted = u[0] if is_heat else None
    yield from _check_peak(f"{where}.temperature", claimed.temperature, wanted, nodes, discrete, 0.0, room)
    wanted = _von_mises(discrete, u) if is_elastic and isinstance(discrete.grid, Grid) else None
    yield from _check_peak(f"{where}.stress", claimed.stress, wanted, mask, discrete, 0.5, room)
    strength = discrete.material.yield_strength
    largest = None if claimed.stress is None else claimed.stress.largest
    safety = strength / largest if strength and largest and largest > 0.0 else None
    yield compare(f"{where}.safety", claimed.safety, safety, 1e-9 * (safety or 0.0))
    yield _check_reactions(analyst, number, claimed, u, mask, supports, straight, room)


def _check_peak(
    name: str,
    claimed: Peak | None,
    values: Array | None,
    chosen: Mask,
    discrete: DiscreteProblem,
    middle: float,
    room: float,
) -> Iterator[Check]:
    """The largest value, and that it is reached where it is said to be."""
    if claimed is None or values is None or not chosen.any():
        nothing = None if values is None or not chosen.any() else float(values[chosen].max())
        yield compare(name, None if claimed is None else claimed.largest, nothing)
        return
    largest = float(values[chosen].max())
    yield compare(name, claimed.largest, largest, room * abs(largest))
    grid = discrete.grid
    if not isinstance(grid, Grid):
        yield demand(f"{name}.at", claimed.at is None, "elements of this grid have no places")
        return
    place = claimed.at if claimed.at is not None and len(claimed.at) == grid.dimension else None
    low = grid.origin or (0.0,) * grid.dimension
    places = zip(place or (), low, grid.spacing, strict=False)
    index = [(at - first) / h - middle for at, first, h in places if isfinite(at)]
    whole = [round(value) for value in index][::-1]
    is_there = (
        len(whole) == grid.dimension
        and all(abs(value - round(value)) <= 1e-6 for value in index)
        and all(0 <= i < n for i, n in zip(whole, values.shape, strict=True))
        and bool(chosen[tuple(whole)])
        and float(values[tuple(whole)]) >= largest - room * abs(largest)
    )
    yield demand(f"{name}.at", is_there, "the largest value is reached there" if is_there else "not there")


def _check_reactions(
    analyst: Analyst,
    case: int,
    claimed: PartCase,
    u: Array,
    mask: Mask,
    supports: Sequence[Mask],
    straight: Array,
    room: float,
) -> Check:
    """Forces of the supports: what the elements pull at held nodes, and loads and weight on them."""
    discrete = analyst.discrete
    analyst.assembled.set_stiffness(
        Bimodal(discrete.options.minimum_stiffness).value(mask.astype(np.float64))
    )
    forces = analyst.assembled.apply(u)
    if "gravity" in discrete.physics.loads and np.any(discrete.gravity[case]):
        share = discrete.material.density * discrete.grid.node_share
        weight = share * discrete.grid.to_nodes(mask.astype(np.float64))
        forces -= discrete.gravity[case].reshape(-1, *[1] * weight.ndim) * weight
    found = [
        [float(part[own].sum()) - rests for part, own, rests in zip(forces, held, resting, strict=True)]
        for held, resting in zip(supports, straight.tolist(), strict=True)
    ]
    largest = max((abs(total) for sums in found for total in sums), default=0.0)
    size = max(float(np.abs(discrete.loads[case]).sum()), largest)  # own weight may be more than the loads
    is_alike = [len(each) for each in claimed.reactions] == [len(each) for each in found]
    off = float("nan")
    if is_alike:
        off = float(np.abs(np.array(claimed.reactions) - np.array(found)).max(initial=0.0))  # NaN if one is
    allowed = BALANCED * room * size
    return Check(
        f"part.cases[{case}].reactions",
        None,
        off,
        allowed,
        "ok" if off <= allowed else "differs",
        "largest difference of a reaction",
    )


def _check_limits(at: DesignPoint, part: Part, room: float) -> Iterator[Check]:
    limits = formulate(at.discrete).limits
    yield compare("part.limits[]", len(part.limits), len(limits), note="how many there are")
    for number, (said, limited) in enumerate(zip(part.limits, limits, strict=False)):
        value = limited.quantity.value(at)
        allowed = room * max(abs(value), abs(limited.limit))
        where = f"part.limits[{number}]"
        yield compare(f"{where}.name", said.name, limited.name)
        yield compare(f"{where}.limit", said.limit, limited.limit, 1e-12 * abs(limited.limit))
        yield compare(f"{where}.value", said.value, value, allowed)
        yield compare(f"{where}.met", said.met, bool(limited.excess(said.value) <= 1e-5))


def _nodes(discrete: DiscreteProblem, mask: Mask) -> Mask:
    """Nodes that an element of the mask has for a corner."""
    if not isinstance(discrete.grid, Grid):
        return np.asarray(discrete.grid.to_nodes(mask.astype(np.float64)) > 0.0)
    found = np.zeros(discrete.grid.node_shape, dtype=bool)
    for corner in product((0, 1), repeat=mask.ndim):
        found[tuple(slice(b, b + n) for b, n in zip(corner, mask.shape, strict=True))] |= mask
    return found


def _share(discrete: DiscreteProblem, case: int, nodes: Mask) -> float | None:
    """Share of a case's load on nodes of the part; None where every node of the domain is loaded or held."""
    load = discrete.loads[case].reshape(len(discrete.loads[case]), -1)
    size = np.linalg.norm(load, axis=0)
    inside = _nodes(discrete, ~discrete.void).ravel()
    if ((size > 0.0) | discrete.fixed.any(axis=0).ravel())[inside].all():
        return None
    whole = float(size.sum())
    return float(size[nodes.ravel()].sum()) / whole if whole else 1.0


def _cavities(discrete: DiscreteProblem, mask: Mask) -> int | None:
    """Pockets of void that reach no side of the box."""
    if not isinstance(discrete.grid, Grid) or mask.ndim == 2:
        return None
    labels, count = discrete.grid.label_elements(~mask)
    is_open = np.zeros(count + 1, dtype=bool)
    for axis in range(mask.ndim):
        for end in (0, -1):
            is_open[np.unique(np.take(labels, end, axis))] = True
    return int(np.count_nonzero(~is_open[1:]))


def _von_mises(discrete: DiscreteProblem, u: Array) -> Array:
    """Von Mises stress of solid material at the centres of voxels, by the deviator of Hooke's law."""
    grid, young, poisson = discrete.voxels, discrete.material.young, discrete.material.poisson
    axes, n = range(grid.dimension), grid.dimension
    slope = np.zeros((n, n, *grid.shape))  # [component, axis]
    for corner in product((0, 1), repeat=n):
        values = u[(slice(None), *(slice(b, b + m) for b, m in zip(corner, grid.shape, strict=True)))]
        for axis in axes:
            sign = 1.0 if corner[n - 1 - axis] else -1.0
            slope[:, axis] += sign / (2 ** (n - 1) * grid.spacing[axis]) * values
    shear = young / (2.0 * (1.0 + poisson))
    trace = sum(slope[i, i] for i in axes)
    thickening = -poisson / (1.0 - poisson) * trace if n == 2 else np.zeros(grid.shape)
    normal = [slope[i, i] for i in axes] + ([thickening] if n == 2 else [])
    mean = (trace + thickening) / 3.0
    square = sum((each - mean) ** 2 for each in normal)
    square = square + sum(0.5 * (slope[i, j] + slope[j, i]) ** 2 for i in axes for j in axes if i < j)
    return np.asarray(2.0 * shear * np.sqrt(1.5 * square))
