"""A lower bound that no design on the mesh can beat, from any displacements whatever.

Let E_e(y) = m + (1 - m) y with m the minimum stiffness.  Every interpolation in use makes a voxel at most as
stiff as that, since x^p <= x and x / (1 + q (1 - x)) <= x.  For *any* displacements u_k that vanish at the
supports, the principle of minimum potential energy, with all u_k scaled by a common t, says

    C(y) = sum_k w_k f_k . K(y)^-1 f_k  >=  2 t F - t^2 sum_e E_e(y) s_e,
    F = sum_k w_k f_k . u_k,      s_e = sum_k w_k u_ke K0 u_ke.

The best t = F / sum_e E_e s_e makes it F^2 / sum_e E_e(y) s_e, whatever the scale of u.  The best design y
then spends its material where s is largest, a fractional knapsack, so that

    C  >=  F^2 / max { sum_e E_e(y) s_e : lower <= y <= upper, volume(y) <= V }   for every design.

Where volume is minimised under sum_k a_k C_k <= L the same inequality must hold, read the other way: the
smallest volume for which sum_e E_e(y) s_e >= F^2 / L.  It bounds the discretised problem, not the continuum,
and does not hold for loads that depend on the design (own weight), nor for goals that are not compliance.

Rounding is on the safe side: s_e is enlarged by a bound of its error, F lessened, sums widened (`knapsack`).

Sources: Svanberg 1994 and Petersson 1999 (convexity of variable-thickness sheets); Ben-Tal & Bendsoe 1993
(the dual of truss topology design).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.designs import AnyDensity, Designs
from trabecula.design import make_interpolation
from trabecula.design.interpolation import permits_bound
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.inner_product import inner
from trabecula.numerics.knapsack import least, most, slack
from trabecula.physics.assembled import make_witness
from trabecula.responses import BoundForm, formulate

Array = NDArray[np.float64]


UNKNOWN_GOAL = "no bound is known for this goal"
UNREACHABLE = "no design on this mesh meets the compliance that is allowed"
OVERFULL = "passive solid alone takes more than the volume that is allowed"


@dataclass(frozen=True)
class Bound:
    """A proven lower bound: `value` in J (W K for heat) or a volume fraction; None with the `reason`."""

    value: float | None
    reason: str = ""

    def gap(self, objective: float) -> float | None:
        """Return objective / value - 1, None where there is no bound."""
        return None if self.value is None or self.value <= 0 else objective / self.value - 1


@dataclass(frozen=True)
class Field:
    """What a set of displacements, one per load case, gives to a bound.

    Attributes
    ----------
    works
        float64 `[case]`: f . u, at most in size, J.
    energies
        One float64 `[z, y, x]` per case: u_e K0 u_e, at least, J.
    """

    works: Array
    energies: Sequence[Array]


@dataclass(frozen=True)
class Aspect:
    """A weighted sum of the cases' compliances that is minimised (`limit` None) or limited."""

    weights: Array
    limit: float | None


def reason_unbounded(discrete: DiscreteProblem) -> str:
    """Return why no bound holds for this problem, or an empty string where one does.

    One holds by permission only: where the goal is made of quantities that promise what the proof needs, and
    the interpolation is nowhere stiffer than the linear one.
    """
    if "gravity" in discrete.physics.loads and np.any(discrete.gravity):
        return "own weight: the load depends on the design"
    if formulate(discrete).bound_form(discrete) is None:
        return UNKNOWN_GOAL
    if not permits_bound(make_interpolation(discrete), discrete.options.minimum_stiffness):
        return "no bound is known for this interpolation"
    return ""


def _form(discrete: DiscreteProblem) -> BoundForm:
    form = formulate(discrete).bound_form(discrete)
    assert form is not None, "asked for where a bound is known"
    return form


def aspects(discrete: DiscreteProblem, multipliers: Array | None = None) -> list[Aspect]:
    """Return the compliances that bound a problem's goal: one, or with several limits each and mixtures.

    Parameters
    ----------
    multipliers
        float64 `[limit]`: weights of one more mixture of limits, as from `fit_multipliers`.
    """
    form = _form(discrete)
    if form.weights is not None:
        return [Aspect(form.weights, None)]
    if len(form.limits) == 1:
        return [Aspect(*form.limits[0])]
    sums, allowed = (
        np.array([weights for weights, _ in form.limits]),
        np.array([lim for _, lim in form.limits]),
    )
    mixtures = [*np.eye(len(allowed)), 1 / allowed]
    if multipliers is not None:
        mixtures.append(multipliers)
    return [Aspect(mixture @ sums, float(mixture @ allowed)) for mixture in mixtures if mixture.any()]


def fit_multipliers(discrete: DiscreteProblem, density: Array, field: Field) -> Array | None:
    """Return the mixture of limited cases that is flattest over grey voxels, as at the relaxed optimum.

    There every voxel between its bounds gains the same, sum_k a_k s_ke = 1: least squares with a >= 0.  Any
    mixture gives a valid bound; this one depends on nothing but the relaxed density.

    Parameters
    ----------
    density
        float64 `[z, y, x]`: the relaxed density whose equilibrium the field is.

    Returns
    -------
    Array or None
        float64 `[limit]`; None unless there are several limits.
    """
    limits = _form(discrete).limits
    if len(limits) < 2:
        return None
    from scipy.optimize import nnls

    room = discrete.upper - discrete.lower
    share = np.where(room > 0, (density - discrete.lower) / np.where(room > 0, room, 1.0), 0.0)
    is_grey = (share > 0.02) & (share < 0.98)
    parts = [part[is_grey] for part in field.energies]
    columns = np.stack([mix(weights, parts) for weights, _ in limits], axis=1)
    if not len(columns):
        return None
    scale = columns.mean(axis=0)
    scale[scale == 0] = 1.0
    columns /= scale
    multipliers, _ = nnls(columns.T @ columns, columns.sum(axis=0))
    multipliers /= scale
    return multipliers if multipliers.any() else None


def mix(weights: Array, parts: Sequence[Array]) -> Array:
    """The weighted sum of arrays of one shape; a new array."""
    total = np.zeros(parts[0].shape)
    for weight, part in zip(weights, parts, strict=True):
        if weight:
            total += weight * part
    return total


def measure(discrete: DiscreteProblem, displacements: Sequence[Array]) -> Field:
    """Evaluate displacements by the independent path, with their rounding on the safe side.

    Parameters
    ----------
    displacements
        One float64 `[component, z, y, x]` per load case; taken as zero at the supports.
    """
    state = make_witness(discrete)
    works, energies = [], []
    for load, given in zip(discrete.loads, displacements, strict=True):
        loaded = load != 0  # nowhere on a support
        terms = load[loaded] * given[loaded]
        work, error = float(terms.sum()), slack(terms.size) * float(np.abs(terms).sum())
        works.append(np.sign(work) * max(0.0, abs(work) - error))
        energy, error_ = state.energy_and_error(given)
        energy += error_
        del error_
        energies.append(np.maximum(energy, 0.0, out=energy))
    return Field(np.array(works), energies)


def lower_bound(
    discrete: DiscreteProblem,
    displacements: Sequence[Array],
    designs: Designs | None = None,
    multipliers: Array | None = None,
) -> Bound:
    """Return a rigorous lower bound on the problem's goal over a set of designs.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    displacements
        One float64 `[component, z, y, x]` per load case, m; any at all, but the equilibrium of the penalty-1
        optimum (`relax`) gives the sharpest bound.
    designs
        Which designs it is to hold for; default every density on the mesh.
    multipliers
        See `aspects`.
    """
    reason = reason_unbounded(discrete)
    if reason:
        return Bound(None, reason)
    return bound_of(discrete, measure(discrete, displacements), designs, multipliers)


def bound_of(
    discrete: DiscreteProblem, field: Field, designs: Designs | None = None, multipliers: Array | None = None
) -> Bound:
    """Return the best bound that a measured field gives; arguments as for `lower_bound`."""
    box = IncrementBox(discrete, designs or AnyDensity())
    found = [_bound(discrete, field, aspect, box) for aspect in aspects(discrete, multipliers)]
    for bound in found:
        if bound.reason in (UNREACHABLE, OVERFULL):
            return bound
    values = [bound.value for bound in found if bound.value is not None]
    return Bound(max(values)) if values else found[0]


def _ones(discrete: DiscreteProblem) -> Array:
    return np.ones(discrete.grid.shape)


class IncrementBox:
    """The admissible designs as increments over the lower bounds, as the knapsack wants them."""

    def __init__(self, discrete: DiscreteProblem, designs: Designs) -> None:
        self.designs = designs
        self.base = designs.physical(discrete.lower)
        self.room = discrete.upper - discrete.lower
        self.domain = discrete.domain_volume
        self.paid = discrete.total(self.base)
        self.rounding = slack(self.base.size)
        volumes = discrete.grid.volumes
        is_plain = volumes is None and isinstance(designs, AnyDensity)
        self.cost = None if is_plain else designs.adjoint(_ones(discrete) if volumes is None else volumes)

    def remaining(self, fraction: float) -> float:
        """Material that remains of a volume fraction once the lower bounds are paid, rounded up.

        Negative only where the lower bounds alone use more than there is.
        """
        total = fraction * self.domain * (1 + self.rounding)
        left = total - self.paid * (1 - self.rounding)
        return left if left < -1e-9 * total else max(left, 0.0)


def _bound(discrete: DiscreteProblem, field: Field, aspect: Aspect, box: IncrementBox) -> Bound:
    """F^2 / M, or the least volume for which M reaches F^2 / L."""
    terms = aspect.weights * field.works
    work = max(0.0, abs(float(terms.sum())) - slack(len(terms)) * float(np.abs(terms).sum()))
    energy = mix(aspect.weights, field.energies)
    soft = discrete.options.minimum_stiffness
    wide = (1 + box.rounding) * (1 + slack(len(terms)))
    floor = (soft * float(energy.sum()) + (1 - soft) * inner(box.base, energy)) * wide
    gain = box.designs.adjoint(energy)
    del energy  # memory for the knapsack
    gain *= (1 - soft) * (1 + box.designs.rounding)
    if aspect.limit is None:
        allowed = _form(discrete).volume
        assert allowed is not None, "what is not the volume is minimised under it"
        left = box.remaining(allowed)
        if left < 0.0:
            return Bound(None, OVERFULL)
        total = (floor + most(gain, box.room, left, box.cost)) * wide
        if total <= 0 or work <= 0:
            return Bound(None, "the displacements do no work")
        return Bound(work / total * work * (1 - slack(1)))
    need = work / aspect.limit * work * (1 - slack(1)) - floor
    volume = least(gain, box.room, need, box.cost) + box.paid * (1 - box.rounding)
    if not np.isfinite(volume):
        return Bound(None, UNREACHABLE)
    return Bound(volume / box.domain * (1 - box.rounding) * (1 - box.designs.rounding))
