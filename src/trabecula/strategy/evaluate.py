"""Any density field, measured: one tight solve, and all that follows from it; nothing is optimised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite, ldexp
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.certificate import Certificate
from trabecula.certificate.bound import Bound, reason_unbounded
from trabecula.certificate.certify import certify
from trabecula.certificate.consistency import MET
from trabecula.certificate.designs import AnyDensity
from trabecula.certificate.relax import relax
from trabecula.certificate.words import EQUILIBRIUM, word_of
from trabecula.design import final_penalty
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.discretisation.resample import resample
from trabecula.numerics.errstate import own_errstate
from trabecula.optimize.analysis import Analysis
from trabecula.problem import Problem
from trabecula.problem.physics import is_measured_in
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.tables import UnknownNameError
from trabecula.responses import DesignPoint, Quantity
from trabecula.results.design_evaluation import DesignEvaluation
from trabecula.results.records import LimitRecord
from trabecula.status import Status
from trabecula.strategy.feasible import TIGHT, solvers
from trabecula.strategy.request import check_count
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

ROUNDING = 1e-6
"""How far a density may lie outside 0 to 1, and a passive part's off its value: single precision."""

COARSE_ITERATIONS, BOUND_ITERATIONS, BOUND_TOLERANCE = 20, 12, 2e-3
"""Of the lower bound, as a solve looks for it."""

BROKEN_PROMISE = "the goal or a limit is not the compliance or the material that it promises to be"


@dataclass(frozen=True, eq=False)
class _Solved:
    """A design with its states, which one of the solvers found, and what is proven of it."""

    at: DesignPoint
    analysis: Analysis
    certificate: Certificate
    excesses: tuple[float, ...]

    @property
    def residual(self) -> float:
        """Of the state equation; infinite where it is no number."""
        found = self.certificate.equilibrium_residual
        return found if found is not None and isfinite(found) else float("inf")

    @property
    def keeps_promises(self) -> bool:
        """Whether the goal and the limits are what a bound takes them for."""
        return self.analysis.formulation.keeps_promises(self.at)


@own_errstate
def evaluate(
    problem: Problem,
    density: ArrayLike,
    quantities: Iterable[str | Quantity] | Mapping[str, str | Quantity] = (),
    *,
    bound: bool = False,
    threads: int | None = None,
) -> DesignEvaluation:
    """Measure any density field, wherever it came from: one tight solve, and all that follows from it.

    The density is the physical one, as `Result.density` is: neither the problem's filter nor its projection
    is applied to it. It need not keep the limits, nor fit the passive parts; what comes back says so.

    Parameters
    ----------
    problem
        What is asked of a design.
    density
        `[z, y, x]` (in the plane `[y, x]`) on the problem's grid, 0 void to 1 solid; whole numbers and bools
        will do.
    quantities
        Further quantities to be measured and differentiated: names, as in a problem file, or objects. A
        mapping gives them labels of its own; else they are called by their names.
    bound
        Whether to look for a lower bound too, which takes some ten to thirty solves.
    threads
        Default: `OMP_NUM_THREADS`, else all processors.

    Raises
    ------
    ProblemError
        If the problem is meaningless or too large.
    ValueError
        If the density has another shape or holds anything but densities, or for another argument that is not
        allowed.
    """
    check_count("threads", threads)
    discrete, _ = prepare(problem)
    physical = _check_density(density, discrete)
    asked = _name_quantities(quantities, discrete)
    bench = Workbench(nondimensional(discrete).problem, threads)
    found = _find_bound(bench) if bound else None  # first, so that one state equation at a time takes memory
    solved = _solve(bench, physical)
    if found is not None and not found.reason and not solved.keeps_promises:
        found = Bound(None, BROKEN_PROMISE)
    return _tell(problem, discrete, solved, asked, found)


def _check_density(density: ArrayLike, discrete: DiscreteProblem) -> Array:
    """The density as float64, a copy of its own."""
    given, shape = np.asarray(density), discrete.grid.shape
    if given.dtype.kind not in "fiub":
        raise ValueError(f"density holds {given.dtype}; it needs real numbers between 0 and 1")
    if given.shape != shape:
        axes = ", ".join("zyx"[-len(shape) :])
        mend = "; turn it, for x is the last axis" if given.shape == shape[::-1] else ""
        raise ValueError(
            f"density has shape {given.shape}; the problem's grid needs {shape}, indexed [{axes}]{mend}"
        )
    physical = given.astype(np.float64)
    if not ((physical >= -ROUNDING) & (physical <= 1.0 + ROUNDING)).all():
        raise ValueError(
            f"density holds values from {physical.min():g} to {physical.max():g}; "
            "they must be between 0 and 1"
        )
    return physical.clip(0.0, 1.0)


def _name_quantities(
    quantities: Iterable[str | Quantity] | Mapping[str, str | Quantity], discrete: DiscreteProblem
) -> dict[str, Quantity]:
    """The quantities that are asked for, by their labels."""
    if isinstance(quantities, str | Quantity):
        quantities = [quantities]
    if isinstance(quantities, Mapping):
        return {label: _quantity(each, discrete) for label, each in quantities.items()}
    found: dict[str, Quantity] = {}
    for each in quantities:
        quantity = _quantity(each, discrete)
        if quantity.name in found:
            raise ValueError(
                f"quantities holds {quantity.name!r} twice; give them labels of their own, "
                f"quantities={{'first': ..., 'second': ...}}"
            )
        found[quantity.name] = quantity
    return found


def _quantity(given: str | Quantity, discrete: DiscreteProblem) -> Quantity:
    if isinstance(given, str):
        try:
            quantity: object = QUANTITIES[given]()
        except UnknownNameError as error:
            raise ValueError(f"quantities: {error}") from None
        except TypeError as error:
            raise ValueError(
                f"quantities: {given!r} has keys that need values ({error}); give an object of its class"
            ) from None
    else:
        quantity = given
    if not isinstance(quantity, Quantity):
        raise ValueError(
            f"quantities holds a {type(quantity).__name__}; it needs names and objects of trabecula.Quantity"
        )
    if not is_measured_in(discrete.physics, quantity.physics):
        raise ValueError(
            f"the quantity {quantity.name!r} belongs to {quantity.physics}; the problem is one of "
            f"{discrete.physics.name}"
        )
    return quantity


def _solve(bench: Workbench, physical: Array) -> _Solved:
    """Solve the states as exactly as can be: where the first solver leaves too much, by a factorisation."""
    first = bench.separate_analysis(bench.discrete)
    tried: list[_Solved] = []
    for state in solvers(first):
        by = first if state is first.state else bench.separate_analysis(bench.discrete, state)
        tried.append(_solve_by(by, physical))
        if tried[-1].residual <= EQUILIBRIUM["certified"]:
            break
    return min(tried, key=lambda solved: solved.residual)


def _solve_by(analysis: Analysis, physical: Array) -> _Solved:
    discrete = analysis.discrete
    interpolation = analysis.interpolation.with_penalty(final_penalty(discrete))
    at = DesignPoint(discrete, analysis.state, physical, interpolation, tolerance=TIGHT)
    limits = analysis.formulation.limits
    excesses = tuple(limited.excess(limited.quantity.value(at)) for limited in limits)
    relative, displacements = interpolation.value(physical), at.displacements
    certificate = certify(discrete, physical, relative, displacements, excesses=excesses)
    return _Solved(at, analysis, certificate, excesses)


def _find_bound(bench: Workbench) -> Bound:
    """What no density on the mesh can beat; the coarse grids give the finer ones something to begin with.

    It holds for every density whatever made it, also at penalty 1, where that of a solve is for those that
    the filter makes.
    """
    reason = reason_unbounded(bench.discrete)
    if reason:
        return Bound(None, reason)
    start: Array | None = None
    for grid in bench.grids:
        is_finest = grid is bench.discrete
        relaxed = relax(
            grid,
            bench.separate_analysis(grid).state,
            designs=AnyDensity(),
            start=None if start is None else resample(start, grid.grid.shape),
            tolerance=BOUND_TOLERANCE,
            max_iterations=BOUND_ITERATIONS if is_finest else COARSE_ITERATIONS,
        )
        start = relaxed.design
    return relaxed.bound


def _tell(
    problem: Problem,
    discrete: DiscreteProblem,
    solved: _Solved,
    asked: Mapping[str, Quantity],
    bound: Bound | None,
) -> DesignEvaluation:
    """All figures of a solved design in the units of the problem; `discrete` is in SI."""
    at, formulation = solved.at, solved.analysis.formulation
    limits = tuple(
        LimitRecord(limited.name, limited.limit, limited.value_of(excess), limited.sense, excess <= MET)
        for limited, excess in zip(formulation.limits, solved.excesses, strict=True)
    )
    fits = _fits_passive(at.physical, discrete)
    objective = formulation.objective.value(at)
    certificate = _with_bound(solved, bound, objective, fits and all(limit.met for limit in limits))
    compliance = ldexp(at.weighted_compliance, at.discrete.units.compliance)
    volume = discrete.volume_fraction(at.physical)
    names = [case.name for case in problem.cases]
    status = _status_of(solved, compliance, limits)
    return DesignEvaluation(
        problem=problem,
        density=at.physical,
        compliance=compliance,
        compliances={name: at.compliance(case) for case, name in enumerate(names)},
        volume=volume,
        objective=objective,
        objective_sensitivity=formulation.objective.gradient(at),
        limits=limits,
        limit_sensitivities=tuple(limited.quantity.gradient(at) for limited in formulation.limits),
        values={label: quantity.value(at) for label, quantity in asked.items()},
        sensitivities={label: quantity.gradient(at) for label, quantity in asked.items()},
        displacements={name: at.displacement(case) for case, name in enumerate(names)},
        stiffness=at.stiffness,
        fits_passive=fits,
        certificate=certificate,
        unbounded="" if bound is None else bound.reason,
        word=word_of(certificate, status or Status.LIMIT, compliance, volume),
        status=status,
    )


def _fits_passive(physical: Array, discrete: DiscreteProblem) -> bool:
    return bool(
        (physical >= discrete.lower - ROUNDING).all() and (physical <= discrete.upper + ROUNDING).all()
    )


def _with_bound(solved: _Solved, bound: Bound | None, objective: float, is_feasible: bool) -> Certificate:
    """The certificate with the bound, and the gap of a design that the bound speaks of."""
    if bound is None or bound.value is None:
        return solved.certificate
    value = solved.analysis.formulation.quantity_value(bound.value)
    gap = Bound(value).gap(objective) if is_feasible else None
    return replace(solved.certificate, lower_bound=value, gap=gap)


def _status_of(solved: _Solved, compliance: float, limits: tuple[Any, ...]) -> Status | None:
    """What is wrong with it; None: nothing."""
    if not (isfinite(compliance) and all(isfinite(excess) for excess in solved.excesses)):
        return Status.DIVERGED
    if solved.residual > EQUILIBRIUM["verified"]:
        return Status.NOT_SOLVABLE
    return None if all(limit.met for limit in limits) else Status.INFEASIBLE
