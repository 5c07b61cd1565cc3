"""The certificate of a saved design, made again from its arrays by another path, and compared.

Everything is recomputed: the density from the design variables, and from the density alone what it does and
what is proven of it (`analyst`). Penalty, interpolation and steepness follow from the problem; nothing that
was saved is taken for granted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.analyst import Analyst
from trabecula.certificate.bound import UNKNOWN_GOAL, Bound, reason_unbounded
from trabecula.certificate.certify import certify, volume_fraction
from trabecula.certificate.record import Certificate
from trabecula.certificate.verdict import (
    Check,
    Recheck,
    compare,
    demand,
)
from trabecula.certificate.words import EQUILIBRIUM
from trabecula.discretisation.discrete import DiscreteProblem

Array = NDArray[np.float64]

DENSITY = 1e-6
"""Largest difference between a saved density, in single precision, and what its design variables make."""


def recheck(
    discrete: DiscreteProblem,
    density: NDArray[np.floating],
    claimed: Certificate,
    relaxed: NDArray[np.floating] | None = None,
    *,
    compliance: float,
    volume: float,
    objective: float,
    limits: Sequence[float],
    design: Array,
    beta: float = 0.0,
    word: str = "verified",
    threads: int | None = None,
    direct_limit: int | None = None,
) -> Recheck:
    """Recompute a certificate from the saved arrays and compare.

    Parameters
    ----------
    discrete
        The problem, made again from its file.
    density
        `[z, y, x]`: the physical density that was saved.
    claimed
        The certificate that was saved.
    relaxed
        `[z, y, x]`: the relaxed density that proves the bound.
    compliance, volume
        Claimed compliance in J (W K for heat) and volume fraction.
    objective, limits
        Claimed value of the quantity that is the goal, and of those that are limited, in their units.
    design
        float64 `[z, y, x]`: the design variables.
    beta
        Steepness of the projection, 0 where there is none.
    word
        Says how small the equilibrium residual must be.
    threads, direct_limit
        See `Analyst`.
    """
    physical = np.asarray(density, dtype=np.float64)
    steepness = beta if beta > 0 else 1.0
    analyst = Analyst(discrete, threads, direct_limit)
    relative = analyst.stiffness(physical)
    displacements, equilibrium = analyst.refine(relative, physical, analyst.solve(relative, physical))
    at = analyst.measure(physical, displacements)
    formulation = analyst.formulation
    values = [limited.quantity.value(at) for limited in formulation.limits]
    excesses = [limited.excess(value) for limited, value in zip(formulation.limits, values, strict=True)]
    goal = formulation.objective.value(at)
    kkt = analyst.kkt(design, steepness, at)
    bound = analyst.bound(relaxed) if formulation.keeps_promises(at) else Bound(None, UNKNOWN_GOAL)
    found = certify(discrete, physical, relative, displacements, bound, kkt, excesses, equilibrium)
    total = analyst.compliance(physical, displacements)
    room = _room(claimed.equilibrium_residual)
    checks = (
        _within("design", design, discrete.lower, discrete.upper),
        compare(
            "density",
            0.0,
            float(np.abs(analyst.chain.physical(design, steepness) - physical).max()),
            DENSITY,
            "largest difference between the density and what the design variables make",
        ),
        _within("passive parts", physical, discrete.lower, discrete.upper),
        compare("compliance", compliance, total, room * abs(total)),
        compare("volume", volume, volume_fraction(discrete, physical), 1e-6),
        compare("objective", objective, goal, room * abs(goal)),
        *(
            compare(f"limits[{k}]", claim, value, room * max(abs(value), abs(limited.limit)))
            for k, (claim, value, limited) in enumerate(zip(limits, values, formulation.limits, strict=False))
        ),
        compare("limits[]", len(limits), len(values), note="how many there are"),
        *_certificate_checks(claimed, found, bound, word),
        _gap_check(claimed, volume if formulation.minimises_material(discrete) else compliance),
        _proof_check(discrete, relaxed, claimed.lower_bound),
    )
    return Recheck(checks, found, analyst.method)


def _certificate_checks(claimed: Certificate, found: Certificate, bound: Bound, word: str) -> list[Check]:
    kkt_room = 1e-7 + 1e-3 * abs(claimed.kkt_residual or 0.0)
    gap_room = 1e-4 * (1 + abs(claimed.gap or 0.0))
    return [
        _equilibrium_check(claimed.equilibrium_residual, found.equilibrium_residual, word),
        compare("kkt_residual", claimed.kkt_residual, found.kkt_residual, kkt_room),
        _bound_check(claimed.lower_bound, bound),
        compare("gap", claimed.gap, found.gap, gap_room),
        compare(
            "volume_violation",
            claimed.volume_violation,
            found.volume_violation,
            1e-6 * (1 + (claimed.volume_violation or 0.0)),
        ),
        compare("connected", claimed.connected, found.connected),
        compare("grey", claimed.grey, found.grey, 1e-6),
    ]


def _room(residual: float | None) -> float:
    """Relative room of a compliance: single precision of the density, and what is left of the residual."""
    return 1e-6 + 10.0 * min(residual or 0.0, EQUILIBRIUM["verified"])


def _equilibrium_check(claimed: float | None, found: float | None, word: str) -> Check:
    """Displacements are not saved: others must balance the loads as well, or as well as the word demands."""
    allowed = max(claimed or 0.0, EQUILIBRIUM.get(word, EQUILIBRIUM["verified"]))
    is_met = claimed is not None and found is not None and claimed >= 0.0 and found <= allowed
    note = "displacements found again balance the loads" if is_met else "the loads are not balanced so well"
    return Check("equilibrium_residual", claimed, found, allowed, "ok" if is_met else "differs", note)


def _bound_check(claimed: float | None, bound: Bound) -> Check:
    """A bound is confirmed by any proof of at least as much."""
    room = 2e-5 * abs(claimed or 0.0)
    if claimed is None or bound.value is None:
        return compare("lower_bound", claimed, bound.value, room, bound.reason)
    is_met = 0.0 <= claimed <= bound.value + room
    return Check("lower_bound", claimed, bound.value, room, "ok" if is_met else "differs")


def _gap_check(claimed: Certificate, objective: float) -> Check:
    """The gap follows from two other claims."""
    bound, gap = claimed.lower_bound, claimed.gap
    due = objective / bound - 1 if bound else None
    return compare("gap of the claims", gap, due, 1e-5 * (1 + abs(gap or 0.0)), "objective / bound - 1")


def _proof_check(
    discrete: DiscreteProblem, relaxed: NDArray[np.floating] | None, claimed: float | None
) -> Check:
    """Where a bound holds, its proof must be there: the bound itself may turn out to be none."""
    reason = reason_unbounded(discrete)
    if relaxed is None:
        note = reason or "the relaxed density that proves the bound is missing"
        return demand("relaxed", bool(reason) and claimed is None, note)
    if reason:
        return demand("relaxed", False, f"a relaxed density proves nothing here: {reason}")
    return _within("relaxed", relaxed, discrete.lower, discrete.upper)


def _within(name: str, values: NDArray[np.floating], lower: Array, upper: Array, room: float = 1e-6) -> Check:
    outside = max(0.0, float((lower - values).max()), float((values - upper).max()))
    return compare(name, 0.0, outside, room, "how far values lie outside their bounds")
