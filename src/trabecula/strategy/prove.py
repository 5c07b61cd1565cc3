"""From the outcome of a strategy to the result: limits are kept, states solved tightly, a bound found."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite, isnan, ldexp

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate import Certificate
from trabecula.certificate.bound import UNKNOWN_GOAL, reason_unbounded
from trabecula.certificate.certify import certify
from trabecula.certificate.consistency import MET
from trabecula.certificate.relax import Relaxed
from trabecula.certificate.words import EQUILIBRIUM, shortcomings, word_of
from trabecula.design import final_penalty
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.step import Row
from trabecula.part import Part
from trabecula.part.measure import PartSolver, make_part
from trabecula.physics import Guess
from trabecula.problem import Problem
from trabecula.responses import Evaluation, Formulation, optimality_residual
from trabecula.results.records import LimitRecord, Stage, Trial
from trabecula.results.result import Result
from trabecula.status import NoDesignError, Status
from trabecula.strategy.feasible import (
    KEPT,
    TIGHT,
    doubled_residual,
    keep_limits,
    solvers,
)
from trabecula.strategy.lower_bound import bound_outcome, proof_event
from trabecula.strategy.runner import Event, Outcome
from trabecula.strategy.workbench import Workbench
from trabecula.version import VERSION

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Question:
    """What a result answers: the problem, the start that was asked for, and when the solve began."""

    problem: Problem
    start: str
    clock: float


@dataclass(frozen=True, eq=False)
class _Final:
    """The design of a result: physical densities, their evaluation and the certificate."""

    physical: Array
    found: Evaluation
    certificate: Certificate
    displacements: tuple[NDArray[np.float32], ...]


FindBound = Callable[[Workbench, Outcome], Generator[Event, None, Relaxed | None]]
"""Finds what bounds a problem, and publishes events on the way; None where nothing does."""


def prove(
    bench: Workbench, outcome: Outcome, asked: Question, find_bound: FindBound = bound_outcome
) -> Generator[Event, None, Result]:
    """Make a design keep its limits, solve and differentiate it tightly, and bound what any could reach.

    Parameters
    ----------
    find_bound
        Where the bound comes from; several designs of one problem have the same.

    Raises
    ------
    NoDesignError
        If there is nothing that could be shown: the limits are kept by no design on the way to the full
        solid, or the state of the design is not solved to an equilibrium residual of 1e-6.
    """
    proof = time.perf_counter()
    discrete = bench.discrete
    analysis, x, rows = outcome.analysis, outcome.step.x, outcome.step.rows
    penalty, beta = final_penalty(discrete), outcome.plan.schedule.beta(len(rows) - 1)
    warm, iterations, solves = outcome.step.displacements, len(rows), analysis.solves
    convex = yield from find_bound(bench, outcome)
    yield proof_event(
        outcome, "proof: equilibrium", 0.97, bound=None if convex is None else convex.bound.value
    )
    if convex is not None and penalty == 1.0 and not discrete.options.projection:
        x = _better(analysis, x, convex.optimum)
    x = keep_limits(analysis, x, penalty, beta)
    final = _certify(bench, analysis, x, penalty, beta, warm, convex)
    _refuse_untrue(final)
    certificate, unit = final.certificate, ldexp(1.0, discrete.units.compliance)
    status, formulation = outcome.step.finished or Status.LIMIT, analysis.formulation
    density = final.physical.astype(np.float32).clip(0.0, 1.0)
    relaxed = None if convex is None else convex.density.astype(np.float32)
    solved_for_bound = 0 if convex is None else convex.iterations
    compliance, volume = unit * final.found.compliance, final.found.volume
    objective, limits = formulation.quantity_value(final.found.objective), _limits(formulation, final.found)
    displacements = final.displacements
    del warm, convex, final  # memory for the part
    part = _make_part(bench, analysis, asked.problem, density, displacements)
    stages = (*outcome.stages, Stage("proof", solved_for_bound, time.perf_counter() - proof))
    of_objective = formulation.quantity_value(1.0)
    if certificate.lower_bound is not None:
        certificate = replace(certificate, lower_bound=of_objective * certificate.lower_bound)
    return Result(
        problem=asked.problem,
        density=density,
        design=x,
        history=tuple(_history_row(row, of_objective, unit) for row in rows),
        certificate=certificate,
        stages=stages,
        status=status,
        start=asked.start,
        iterations=iterations,
        solves=solves + analysis.cases,
        seconds=time.perf_counter() - asked.clock,
        compliance=compliance,
        volume=volume,
        objective=objective,
        limits=limits,
        no_bound="" if certificate.lower_bound is not None else reason_unbounded(discrete) or UNKNOWN_GOAL,
        threads=bench.machine.threads,
        version=VERSION,
        machine=_machine_of(analysis),
        word=word_of(certificate, status, compliance, volume, part),
        part=part,
        not_certified=shortcomings(certificate, status, compliance, part),
        tolerance=outcome.plan.stop.change,
        relaxed=relaxed,
        penalty=penalty,
        beta=beta if discrete.options.projection else 0.0,
        trials=tuple(_trial(trial, of_objective) for trial in outcome.trials),
        coarser=outcome.coarser,
    )


def _limits(formulation: Formulation, found: Evaluation) -> tuple[LimitRecord, ...]:
    """Every limit of a problem, and what a design comes to."""
    return tuple(
        LimitRecord(
            limited.name,
            limited.limit,
            limited.value_of(constraint.value),
            limited.sense,
            constraint.value <= MET,
        )
        for limited, constraint in zip(formulation.limits, found.constraints, strict=True)
    )


def _machine_of(analysis: Analysis) -> str:
    """Name of what did the arithmetic: the machine, or an assembled matrix for a registered physics."""
    name = analysis.machine.name
    is_known = analysis.machine.knows(analysis.discrete.physics)
    return name if is_known else f"{name}, assembled state"


def _certify(
    bench: Workbench,
    analysis: Analysis,
    x: Array,
    penalty: float,
    beta: float,
    warm: Sequence[Guess] | None,
    convex: Relaxed | None,
) -> _Final:
    """Solve a design as exactly as possible: by a factorisation where the residual is too large."""
    discrete = analysis.discrete
    finals: list[_Final] = []
    for state in solvers(analysis):
        by = analysis if state is analysis.state else bench.separate_analysis(discrete, state)
        found = by.evaluate(x, penalty, beta, warm, TIGHT, verify=True)
        physical = analysis.chain.physical(x, beta)
        relative = analysis.interpolation.with_penalty(penalty).value(physical)
        kkt = optimality_residual(
            by.formulation, discrete, x, found.gradient, found.constraints, found.own_weight
        )
        bound = convex.bound if convex is not None and found.keeps_promises else None
        excesses = [constraint.value for constraint in found.constraints]
        certificate = certify(
            discrete, physical, relative, found.displacements, bound, kkt, excesses, doubled_residual(state)
        )
        kept = tuple(u.astype(np.float32) for u in found.displacements)  # to begin the part's solve with
        finals.append(_Final(physical, replace(found, displacements=()), certificate, kept))
        if _residual(finals[-1]) <= EQUILIBRIUM["certified"]:
            break
    return min(finals, key=_residual)


def _make_part(
    bench: Workbench,
    analysis: Analysis,
    problem: Problem,
    density: NDArray[np.float32],
    displacements: Sequence[Guess],
) -> Part:
    """The finished part of a design, by one solve more, which begins with the displacements of the design."""
    solver = PartSolver(problem, bench.discrete, lambda: solvers(analysis), TIGHT, EQUILIBRIUM["certified"])
    return make_part(solver, density, displacements)


def _residual(final: _Final) -> float:
    residual = final.certificate.equilibrium_residual
    return float("inf") if residual is None or isnan(residual) else residual


def _refuse_untrue(final: _Final) -> None:
    """Refuse to show a design whose figures are no numbers, or whose state is not solved."""
    found, residual = final.found, _residual(final)
    if not (found.is_finite and isfinite(residual)):
        raise NoDesignError(
            Status.DIVERGED, "the final design's compliance or its sensitivities are no numbers"
        )
    if residual > EQUILIBRIUM["verified"] or found.compliance <= 0.0:
        raise NoDesignError(
            Status.NOT_SOLVABLE,
            f"the final design is only solved to an equilibrium residual of {residual:.1e}"
            f" ({EQUILIBRIUM['verified']:.0e} is needed)",
        )
    if found.violation > 10.0 * KEPT:
        raise NoDesignError(
            Status.INFEASIBLE, f"the best design exceeds a limit by {found.violation:.2e} of it"
        )


def _better(analysis: Analysis, x: Array, other: Array) -> Array:
    """The better of two designs of a convex problem, by one solve each."""
    merits = [analysis.evaluate(design, 1.0, tolerance=1e-6).merit for design in (x, other)]
    return x if merits[0] <= merits[1] else other


def _history_row(row: Row, of_objective: float, of_compliance: float) -> dict[str, float | int | str]:
    """A row as a mapping without undefined values (the KKT residual before the schedule is settled)."""
    in_si = replace(row, objective=of_objective * row.objective, compliance=of_compliance * row.compliance)
    return {key: value for key, value in asdict(in_si).items() if not isnan(value)}


def _trial(trial: Trial, of_objective: float) -> Trial:
    return replace(trial, before=of_objective * trial.before, after=of_objective * trial.after)
