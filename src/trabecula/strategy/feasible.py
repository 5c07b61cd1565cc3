"""Whether a problem can be solved at all, asked before the optimisation; and designs that keep its limits.

More material is never less stiff, as long as it has no weight of its own: what the full solid cannot do no
design can. One solve of it, against the limits of the goal, finds what would otherwise idle to the iteration
limit; and where voxels are flat, how exactly the state can be solved at all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.certify import equilibrium_residual
from trabecula.certificate.history import SHARPEST
from trabecula.certificate.words import EQUILIBRIUM
from trabecula.numerics.root_finding import root
from trabecula.optimize.analysis import Analysis, Evaluation
from trabecula.physics import State
from trabecula.physics.assembled import AssembledState
from trabecula.status import NoDesignError, Status
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

FLAT = 8.0
"""Ratio of a voxel's edges from which on it is tried out whether the state can be solved."""

TIGHT = 2e-9
"""Relative residual that solves behind a claim are asked for."""

LOOSE = 1e-5
"""The same for compliances that are compared with a limit: they err by the square of it."""

SETTLED = 1e-3
"""Relative residual above which nothing is believed of a design."""

KEPT = 1e-6
"""Relative excess over a limit up to which it is kept."""


def refuse_unsolvable(bench: Workbench) -> None:
    """Refuse, before anything is optimised, what no design can do or this arithmetic cannot solve.

    Raises
    ------
    NoDesignError
        `INFEASIBLE`: passive solid, as the filter spreads it, takes more than the volume; or the full solid
        is not stiff enough (not asked where own weight acts, for it may be too heavy). `NOT_SOLVABLE`: the
        full solid cannot be solved to an equilibrium residual of 1e-8.
    """
    discrete = bench.discrete
    volume, has_solid = discrete.goal.volume, bool(discrete.lower.any())
    is_flat = max(discrete.grid.spacing) > FLAT * min(discrete.grid.spacing)
    limits_compliance = discrete.goal.compliance is not None and not discrete.gravity.any()
    if not (is_flat or limits_compliance or (volume is not None and has_solid)):
        return
    analysis = bench.separate_analysis(discrete)
    if volume is not None and has_solid:
        _refuse_volume(analysis, volume)
    if is_flat:
        _refuse_flat(analysis)
    if limits_compliance:
        _refuse_soft(analysis)


def _refuse_volume(analysis: Analysis, volume: float) -> None:
    least = analysis.chain.volume(analysis.chain.physical(analysis.discrete.lower, SHARPEST))
    if least > volume * (1.0 + KEPT):
        raise NoDesignError(
            Status.INFEASIBLE,
            f"passive solid takes {least:.4g} of the domain once the filter has spread it,"
            f" goal.volume allows {volume:g}",
            "raise goal.volume, or make the filter's radius or the solid regions smaller",
        )


def _refuse_flat(analysis: Analysis) -> None:
    discrete = analysis.discrete
    full = np.ones(discrete.grid.shape) * (discrete.upper > 0)
    relative = analysis.interpolation.with_penalty(1.0).value(full)
    loads = [analysis.load(full, case) for case in range(analysis.cases)]
    residual = np.inf
    for state in solvers(analysis):
        state.set_stiffness(relative)
        solved = [state.solve(load, None, TIGHT)[0] for load in loads]
        residual = min(residual, equilibrium_residual(discrete, relative, loads, solved))
        if residual <= EQUILIBRIUM["certified"]:
            return
    ratio = max(discrete.grid.spacing) / min(discrete.grid.spacing)
    raise NoDesignError(
        Status.NOT_SOLVABLE,
        f"voxels are {ratio:.3g} times as long as wide, and even the full solid is only solved to an"
        f" equilibrium residual of {residual:.1e} ({EQUILIBRIUM['certified']:.0e} is needed)",
        "take domain.elements such that voxels are more nearly cubes",
    )


def _refuse_soft(analysis: Analysis) -> None:
    discrete = analysis.discrete
    penalty = discrete.options.penalty
    found = analysis.evaluate(discrete.upper, penalty, 1.0, tolerance=LOOSE)
    if found.violation <= KEPT:
        return
    raise NoDesignError(
        Status.INFEASIBLE,
        f"even the full solid exceeds goal.compliance: its compliance is {1.0 + found.violation:.4g} times"
        " the limit",
        "raise goal.compliance, move supports nearer to the loads, or take a stiffer material",
    )


def solvers(analysis: Analysis) -> list[State]:
    """State equations of an analysis' grid, the quickest first: the compiled, then a factorisation where the
    grid is small enough for one."""
    assembled = AssembledState(analysis.discrete)
    return [analysis.state, assembled] if assembled.is_direct else [analysis.state]


def keep_limits(analysis: Analysis, x: Array, penalty: float, beta: float) -> Array:
    """`x` itself, or the design nearest to it (among those that are like it) that keeps the limits.

    A volume is kept by lowering all densities evenly. A compliance is kept by raising those that are not
    quite void, and where that does not do, all of them.

    Parameters
    ----------
    x
        float64 `[z, y, x]`: densities.
    penalty, beta
        Of the interpolation and the projection.

    Raises
    ------
    NoDesignError
        `INFEASIBLE`: nothing on the way to the full solid keeps the limits.
    """
    discrete, chain = analysis.discrete, analysis.chain
    volume = discrete.goal.volume
    if volume is not None:
        excess = chain.volume(chain.physical(x, beta)) / volume - 1.0
        return x if excess <= KEPT and chain.is_linear else chain.within(x, volume, beta)
    lower, upper = discrete.lower, discrete.upper

    def evaluate(design: Array) -> Evaluation:
        return analysis.evaluate(design, penalty, beta, tolerance=LOOSE)

    def excess_of(design: Array) -> float:
        found = evaluate(design)
        return max(c.value for c in found.constraints) if found.residual <= SETTLED else float("inf")

    if excess_of(x) <= KEPT:
        return x

    def grown(share: float) -> Array:
        return np.asarray(np.clip(1.0 - (1.0 - x) ** (1.0 + share), lower, upper))

    def filled(share: float) -> Array:
        return np.asarray(np.clip(x + share * (upper - x), lower, upper))

    families: tuple[tuple[Callable[[float], Array], float], ...] = ((grown, 8.0), (filled, 1.0))
    for family, most in families:
        found = _least(lambda share, of=family: excess_of(of(share)), most)  # type: ignore[misc]
        if found is not None:
            return family(found)
    raise NoDesignError(
        Status.INFEASIBLE, "no design between the one found and the full solid keeps goal.compliance"
    )


def _least(excess: Callable[[float], float], most: float) -> float | None:
    """About the least share from which on a limit is kept, on the side where it is; None where none does."""
    step = most / 256.0
    below, above = 0.0, step
    while (value := excess(above)) > 0.0:
        if above >= most:
            return None
        below, above = above, min(2.0 * above, most)
    if value > -KEPT:
        return above
    middle = -0.5 * KEPT
    found = root(lambda share: excess(share) - middle, below, above, 1e-7 * most)
    while excess(found) > 0.0:
        found = min(found + 1e-6 * most, above)
    return found
