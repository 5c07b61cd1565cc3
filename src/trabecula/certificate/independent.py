"""A saved result, verified again: another element matrix, another assembly, another solver.

Everything is recomputed from the density alone.  Where the grid is too large to factorise, the
displacements come from the compiled solver, but only as a witness: that they are in equilibrium, what
energy they hold and what they bound is evaluated here, element by element in NumPy, so that a fault of the
kernels still shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import Bound, not_bounded
from trabecula.certificate.certify import bounded_designs, certify, volume_fraction
from trabecula.certificate.kkt import kkt_residual
from trabecula.certificate.record import Certificate
from trabecula.certificate.relax import State, prove, relax
from trabecula.inner import inner
from trabecula.physics.assembled import AssembledState, total_load
from trabecula.problem.discrete import DiscreteProblem

Array = NDArray[np.float64]
Verdict = Literal["ok", "differs", "unchecked"]

RESIDUAL = 1e-8
"""Largest equilibrium residual of a certified result."""

REFIND = 20_000
"""Elements up to which a bound without its relaxed density is found again."""


@dataclass(frozen=True)
class Check:
    """One quantity: what was claimed, what came out, how far apart they may be, and in words if need be."""

    name: str
    claimed: float | bool | None
    recomputed: float | bool | None
    tolerance: float
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Recheck:
    """All checks of a result; `method` says how its state was solved again."""

    checks: tuple[Check, ...]
    certificate: Certificate
    method: str

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return all(check.verdict != "differs" for check in self.checks)

    def to_json(self) -> dict[str, object]:
        """The whole as a JSON object."""
        return {
            "ok": self.ok,
            "method": self.method,
            "certificate": self.certificate.to_json(),
            "checks": [dict(vars(check)) for check in self.checks],
        }


def recheck(
    discrete: DiscreteProblem,
    density: NDArray[np.floating],
    claimed: Certificate,
    relaxed: NDArray[np.floating] | None = None,
    *,
    compliance: float | None = None,
    volume: float | None = None,
    design: Array | None = None,
    penalty: float | None = None,
    beta: float = 0.0,
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
        `[z, y, x]`: the relaxed density that proves the bound; without it small grids find one again.
    compliance, volume
        Claimed compliance in J (W K for heat) and volume fraction.
    design
        float64 `[z, y, x]`: design variables, for the KKT residual and to see that they make the density.
    penalty, beta
        Final penalty (default: the problem's) and sharpness of the projection.
    threads
        Threads of the compiled solver, where it is used.
    direct_limit
        See `AssembledState`.
    """
    physical = np.asarray(density, dtype=np.float64)
    p = discrete.options.penalty if penalty is None else penalty
    analyst = _Analyst(discrete, p, threads, direct_limit)
    displacements = analyst.solve(analyst.stiffness(physical), physical)
    checks = []
    kkt = None
    if design is not None:
        made = analyst.chain.physical(design, beta if beta > 0 else 1.0)
        off = float(np.abs(made - physical).max())
        note = "largest difference between the density and what the design variables make"
        checks.append(_compare("density", 0.0, off, 1e-5, note))
        kkt = analyst.kkt(design, beta if beta > 0 else 1.0, physical, displacements)
    bound = analyst.bound(relaxed)
    found = certify(discrete, physical, analyst.stiffness(physical), displacements, bound, kkt)
    outside = max(0.0, float((discrete.lower - physical).max()), float((physical - discrete.upper).max()))
    checks.append(_compare("passive parts", 0.0, outside, 1e-6, "density outside its bounds"))
    total = analyst.compliance(physical, displacements)
    checks.append(_compare("compliance", compliance, total, 1e-5 * total))
    checks.append(_compare("volume", volume, volume_fraction(discrete, physical), 1e-6))
    checks += _certificate_checks(claimed, found, bound)
    return Recheck(tuple(checks), found, analyst.method)


def _certificate_checks(claimed: Certificate, found: Certificate, bound: Bound) -> list[Check]:
    residual = claimed.equilibrium_residual
    worst = max(found.equilibrium_residual or 0.0, residual or 0.0)
    kkt_room = 1e-3 + 0.02 * (claimed.kkt_residual or 0.0)
    gap_room = 1e-3 * (1 + abs(claimed.gap or 0.0))
    return [
        Check(
            "equilibrium_residual",
            residual,
            found.equilibrium_residual,
            RESIDUAL,
            "unchecked" if residual is None else "ok" if worst <= RESIDUAL else "differs",
        ),
        _compare("kkt_residual", claimed.kkt_residual, found.kkt_residual, kkt_room),
        _bound_check(claimed.lower_bound, bound),
        _compare("gap", claimed.gap, found.gap, gap_room),
        _compare("volume_violation", claimed.volume_violation, found.volume_violation, 1e-5),
        _compare("connected", claimed.connected, found.connected, 0.0),
        _compare("grey", claimed.grey, found.grey, 1e-5),
    ]


def _bound_check(claimed: float | None, bound: Bound) -> Check:
    """A bound is confirmed by any proof of at least as much."""
    room = 1e-4 * abs(claimed or 0.0)
    if claimed is None or bound.value is None:
        agree = claimed is None and not bound.value
        verdict: Verdict = "ok" if agree else "unchecked"
        return Check("lower_bound", claimed, bound.value, room, verdict, bound.reason)
    return Check(
        "lower_bound", claimed, bound.value, room, "ok" if bound.value >= claimed - room else "differs"
    )


def _compare(
    name: str, claimed: float | bool | None, found: float | bool | None, room: float, note: str = ""
) -> Check:
    if claimed is None and found is None:
        return Check(name, claimed, found, room, "ok", note)
    if claimed is None or found is None:
        words = (
            "nothing was claimed" if claimed is None else "what it needs was not saved, or it is too large"
        )
        return Check(name, claimed, found, room, "unchecked", note or words)
    return Check(name, claimed, found, room, "ok" if abs(claimed - found) <= room else "differs", note)


class _Analyst:
    """The second opinion: solves, differentiates and bounds without the optimiser's code."""

    def __init__(
        self, discrete: DiscreteProblem, penalty: float, threads: int | None, direct_limit: int | None
    ) -> None:
        from trabecula.design import DesignChain

        self.discrete, self.penalty, self.threads = discrete, penalty, threads
        self.chain = DesignChain(discrete, threads)
        self.assembled = AssembledState(discrete, direct_limit)
        self.state: State = self.assembled
        self.method = "assembled matrix, direct factorisation"
        self.tolerance = 1e-10
        if not self.assembled.is_direct:
            from trabecula.physics.voxel import VoxelState

            self.state = VoxelState(discrete, threads)
            self.method = "displacements of the compiled solver, verified element by element in NumPy"

    def stiffness(self, physical: Array) -> Array:
        """Relative stiffness, by formulas of its own."""
        soft, x = self.discrete.options.minimum_stiffness, np.maximum(physical, 0.0)
        return np.asarray(soft + (1 - soft) * (x**self.penalty if self._simp else x / self._denominator(x)))

    def slope(self, physical: Array) -> Array:
        """Derivative of the relative stiffness."""
        soft, x = self.discrete.options.minimum_stiffness, np.maximum(physical, 0.0)
        if self._simp:
            return np.asarray((1 - soft) * self.penalty * x ** (self.penalty - 1))
        return np.asarray((1 - soft) * (1 + self._q) / self._denominator(x) ** 2)

    def solve(self, relative: Array, physical: Array | None) -> tuple[Array, ...]:
        """Displacements of all cases; with `physical` None own weight is left out."""
        self.state.set_stiffness(relative)
        return tuple(
            self.state.solve(
                self.discrete.loads[case] if physical is None else total_load(self.discrete, physical, case),
                None,
                self.tolerance,
            )[0]
            for case in range(len(self.discrete.loads))
        )

    def compliance(self, physical: Array, displacements: Sequence[Array]) -> float:
        """Weighted compliance, J."""
        return float(
            sum(
                weight * inner(total_load(self.discrete, physical, case), u)
                for case, (weight, u) in enumerate(zip(self.discrete.weights, displacements, strict=True))
            )
        )

    def kkt(self, design: Array, beta: float, physical: Array, displacements: Sequence[Array]) -> float:
        """KKT residual at the design, with the gradients of the goal and of its limits."""
        cases, limits = len(displacements), self.discrete.goal.compliance
        ones = np.full(self.discrete.grid.shape, 1.0)
        volume = self.chain.pullback(design, beta, ones)
        if self.discrete.goal.minimize == "volume" and limits and len(limits) > 1:
            mixtures = list(np.eye(cases))
        else:
            mixtures = [self.discrete.weights]
        gradients = []
        for weights in mixtures:
            gradient = np.zeros(self.discrete.grid.shape)
            for case, (weight, u) in enumerate(zip(weights, displacements, strict=True)):
                if weight:
                    gradient += weight * self._compliance_gradient(physical, case, u)
            pulled = self.chain.pullback(design, beta, gradient)
            gradients.append(self.chain.sensitivity(design, pulled))
        lower, upper = self.discrete.lower, self.discrete.upper
        if self.discrete.goal.minimize == "volume":
            return kkt_residual(design, volume, gradients, lower, upper)
        return kkt_residual(design, gradients[0], volume, lower, upper)

    def bound(self, relaxed: NDArray[np.floating] | None) -> Bound:
        """The bound by the relaxed density, found again where it is missing and the grid is small."""
        reason = not_bounded(self.discrete)
        if reason:
            return Bound(None, reason)
        designs = bounded_designs(self.chain, self.penalty)
        if relaxed is None:
            if self.discrete.lower.size > REFIND:
                return Bound(None, "the relaxed density was not saved, and finding it again would take long")
            return relax(self.discrete, self.state, designs=designs).bound
        density = np.asarray(relaxed, dtype=np.float64)
        soft = self.discrete.options.minimum_stiffness
        displacements = self.solve(soft + (1 - soft) * density, None)
        return prove(self.discrete, density, displacements, designs)

    def _compliance_gradient(self, physical: Array, case: int, u: Array) -> Array:
        from trabecula.design import body_force_adjoint

        gradient = -self.slope(physical) * self.assembled.energy(u)
        if np.any(self.discrete.gravity[case]) and not self.discrete.heat:
            gradient += 2 * body_force_adjoint(self.discrete, u, case)
        return gradient

    @property
    def _simp(self) -> bool:
        heavy = bool(np.any(self.discrete.gravity))
        return (self.discrete.options.interpolation or ("ramp" if heavy else "simp")) == "simp"

    @property
    def _q(self) -> float:
        return float(2**self.penalty - 2)

    def _denominator(self, x: Array) -> Array:
        return np.asarray(1 + self._q * (1 - x))
