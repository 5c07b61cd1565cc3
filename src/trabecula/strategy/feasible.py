"""Whether a problem can be solved at all, asked before the optimisation; and designs that keep its limits.

More material is never less stiff, as long as it has no weight of its own: what the full solid cannot do no
design can. One solve of the full solid, compared with the limits of the goal, finds problems that would
otherwise run to the iteration limit without a result. It also shows how exactly the state can be solved where
voxels are flat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.certify import equilibrium_residual
from trabecula.certificate.words import EQUILIBRIUM
from trabecula.design import SHARPEST
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.root_finding import root
from trabecula.optimize.analysis import Analysis
from trabecula.optimizers import MMA, MovingAsymptotes, OptimizerState
from trabecula.physics import State
from trabecula.physics.assembled import AssembledState, make_witness
from trabecula.physics.refinement import RefinedState
from trabecula.responses import Formulation, Limited, formulate
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

RESTORING_STEPS = 60
RESTORING_MOVE = 0.02
STRICTER = 2e-5
"""Relative share by which a limit is made stricter while a design is brought back to it."""

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
    formulation = formulate(discrete)
    volume, has_solid = formulation.volume_limit(discrete), bool(discrete.lower.any())
    shortest, longest = discrete.grid.edges
    is_flat = longest > FLAT * shortest
    limits_compliance = not discrete.gravity.any() and any(
        _limits_a_compliance(limited, discrete) for limited in formulation.limits
    )
    if not (is_flat or limits_compliance or (volume is not None and has_solid)):
        return
    analysis = bench.separate_analysis(discrete)
    if volume is not None and has_solid:
        _refuse_volume(analysis, volume)
    if is_flat:
        _refuse_flat(analysis)
    if limits_compliance:
        _refuse_soft(analysis)


def _limits_compliances_only(formulation: Formulation, discrete: DiscreteProblem) -> bool:
    """Whether more material always helps to keep the limits."""
    return all(_limits_a_compliance(limited, discrete) for limited in formulation.limits)


def _limits_a_compliance(limited: Limited, discrete: DiscreteProblem) -> bool:
    return limited.sense == "at_most" and limited.quantity.compliance_weights(discrete) is not None


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
    residual, plain = np.inf, np.inf
    for state in solvers(analysis):
        state.set_stiffness(relative)
        solved = [state.solve(load, None, TIGHT)[0] for load in loads]
        found = equilibrium_residual(discrete, relative, loads, solved)
        doubled = doubled_residual(state)
        plain, residual = min(plain, found), min(residual, found if doubled is None else doubled)
        # corrections help a proof; what is optimised must be solved without them, if less exactly
        if residual <= EQUILIBRIUM["certified"] and plain <= EQUILIBRIUM["verified"]:
            return
    ratio = discrete.grid.edges[1] / discrete.grid.edges[0]
    raise NoDesignError(
        Status.NOT_SOLVABLE,
        f"voxels are {ratio:.3g} times as long as wide, and even the full solid is only solved to an"
        f" equilibrium residual of {residual:.1e} ({EQUILIBRIUM['certified']:.0e} is needed)",
        "take domain.elements such that voxels are more nearly cubes",
    )


def _refuse_soft(analysis: Analysis) -> None:
    discrete = analysis.discrete
    at = analysis.measure(discrete.upper, discrete.options.penalty, 1.0, tolerance=LOOSE)
    at.solve_cases()
    limits = [limited for limited in analysis.formulation.limits if _limits_a_compliance(limited, discrete)]
    missed = [
        (excess, limited)
        for limited in limits
        if (excess := limited.excess(limited.quantity.value(at))) > KEPT
    ]
    if not missed:
        return
    excess, limited = max(missed, key=lambda pair: pair[0])
    unit = discrete.physics.compliance_unit
    reached, allowed = (f"{value:.4g} {unit}" for value in (limited.value_of(excess), limited.limit))
    others = f" ({len(missed)} limits are out of reach, this one farthest)" if len(missed) > 1 else ""
    better = "conductive" if discrete.physics.modulus == "conductivity" else "stiff"
    raise NoDesignError(
        Status.INFEASIBLE,
        f"even the full solid exceeds the limit on the {limited.name}{others}: it reaches {reached}, and"
        f" {allowed} is allowed",
        f"allow more than {reached}, move supports nearer to the loads, or take a material that is"
        f" {_upwards(1.0 + excess)} times as {better}",
    )


def _upwards(factor: float) -> str:
    """A factor with three digits, rounded up, so that it does."""
    step = 10.0 ** (np.floor(np.log10(factor)) - 2)
    return f"{np.ceil(factor / step) * step:.3g}"


def solvers(analysis: Analysis) -> list[State]:
    """State equations of the grid of an analysis, the quickest first.

    The second one corrects the solutions of the first in doubled precision. Where the grid is small enough,
    a factorisation comes next, alone and with such corrections.
    """
    assembled = make_witness(analysis.discrete)
    plain: list[State] = [analysis.state, assembled] if assembled.is_direct else [analysis.state]
    if not isinstance(assembled, AssembledState):
        return plain
    return [each for state in plain for each in (state, RefinedState(state, assembled))]


def doubled_residual(state: State) -> float | None:
    """Equilibrium residual of the solutions of a state equation in doubled precision; None of others."""
    return state.residual if isinstance(state, RefinedState) else None


def keep_limits(analysis: Analysis, x: Array, penalty: float, beta: float) -> Array:
    """`x` itself, or the design nearest to it (among those that are like it) that keeps the limits.

    A volume is kept by lowering all densities evenly. Compliances are kept by raising those that are not
    quite void, and where that does not do, all of them. Other limits are kept by a few more short steps of
    the optimiser towards limits that are a little stricter.

    Parameters
    ----------
    x
        float64 over elements: densities.
    penalty, beta
        Of the interpolation and the projection.

    Raises
    ------
    NoDesignError
        `INFEASIBLE`: nothing that was tried keeps the limits.
    """
    discrete, chain, formulation = analysis.discrete, analysis.chain, analysis.formulation
    volume = formulation.volume_limit(discrete)
    if not formulation.limits_more_than_material(discrete) and volume is not None:
        excess = chain.volume(chain.physical(x, beta)) / volume - 1.0
        return x if excess <= KEPT and chain.is_linear else chain.within(x, volume, beta)
    if _limits_compliances_only(formulation, discrete):
        return _keep_compliances(analysis, x, penalty, beta)
    return _keep_any(analysis, x, penalty, beta)


def _keep_compliances(analysis: Analysis, x: Array, penalty: float, beta: float) -> Array:
    lower, upper = analysis.discrete.lower, analysis.discrete.upper

    def excess_of(design: Array) -> float:
        found = analysis.evaluate(design, penalty, beta, tolerance=LOOSE)
        return max(c.value for c in found.constraints) if found.residual <= SETTLED else float("inf")

    if excess_of(x) <= KEPT:
        return x

    def raise_grey(share: float) -> Array:
        return np.asarray(np.clip(1.0 - (1.0 - x) ** (1.0 + share), lower, upper))

    def raise_all(share: float) -> Array:
        return np.asarray(np.clip(x + share * (upper - x), lower, upper))

    families: tuple[tuple[Callable[[float], Array], float], ...] = ((raise_grey, 8.0), (raise_all, 1.0))
    for family, most in families:
        found = _least(lambda share, of=family: excess_of(of(share)), most)  # type: ignore[misc]
        if found is not None:
            return family(found)
    raise NoDesignError(
        Status.INFEASIBLE, "no design between the one found and the full solid keeps goal.compliance"
    )


def _keep_any(analysis: Analysis, x: Array, penalty: float, beta: float) -> Array:
    """Short steps of MMA towards limits that are a little stricter, until all of them are kept."""
    discrete = analysis.discrete
    optimizer = MovingAsymptotes(MMA(move=RESTORING_MOVE))
    memory: OptimizerState = optimizer.start()
    excess, name = float("inf"), ""
    for _ in range(RESTORING_STEPS):
        found = analysis.evaluate(x, penalty, beta, tolerance=LOOSE)
        pairs = zip(found.constraints, analysis.formulation.limits, strict=True)
        excess, name = max((constraint.value, limited.name) for constraint, limited in pairs)
        if excess <= KEPT:
            return x
        if not found.is_finite:
            break
        stricter = tuple(replace(c, value=c.value + STRICTER) for c in found.constraints)
        found = replace(found, constraints=stricter)
        x, memory = optimizer.step(memory, x, found, discrete.lower, discrete.upper, True, 1.0)
    raise NoDesignError(
        Status.INFEASIBLE,
        f"no design near the best one keeps the limit on {name}, which is missed by {excess:.2e} of it",
    )


def _least(excess: Callable[[float], float], most: float) -> float | None:
    """About the least share at which the limits are kept, on the safe side; None where none is."""
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
