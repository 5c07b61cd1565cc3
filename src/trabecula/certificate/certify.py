"""From a final design to its certificate."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from math import ldexp
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import Bound, reason_unbounded
from trabecula.certificate.connected import grey, is_connected
from trabecula.certificate.designs import AnyDensity, Designs, FilteredDensity
from trabecula.certificate.limits import violation_of
from trabecula.certificate.record import Certificate
from trabecula.certificate.relax import Relaxation, Relaxed, iterate_relaxation, run_relaxation
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.inner_product import inner
from trabecula.physics import Guess, State
from trabecula.physics.assembled import make_witness, total_load
from trabecula.responses import formulate

if TYPE_CHECKING:
    from trabecula.design import DesignChain

Array = NDArray[np.float64]


def certify(
    discrete: DiscreteProblem,
    physical: Array,
    relative: Array,
    displacements: Sequence[Array],
    bound: Bound | None = None,
    kkt: float | None = None,
    excesses: Sequence[float] | None = None,
    equilibrium: float | None = None,
) -> Certificate:
    """Put together what is proven of a design; what is not given is computed here, without the core.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    physical, relative
        float64 `[z, y, x]`: physical density and relative stiffness.
    displacements
        One float64 `[component, z, y, x]` per load case, m, tightly solved.
    bound
        From `relax` or `lower_bound`.
    kkt
        From `optimality_residual` at this design.
    excesses
        One a limit: by how much its quantity misses it (`Limited.excess`); default: computed here, which can
        be done where only the material and compliances are limited.
    equilibrium
        Equilibrium residual of states in doubled precision (`physics.refinement`), whose upper halves the
        displacements are; default: that of the displacements.
    """
    loads = [total_load(discrete, physical, case) for case in range(len(discrete.loads))]
    compliances = np.array([inner(f, u) for f, u in zip(loads, displacements, strict=True)])
    volume = volume_fraction(discrete, physical)
    value = None if bound is None else bound.value
    if excesses is None:
        excesses = _excesses(discrete, volume, compliances)
    return Certificate(
        equilibrium_residual=(
            equilibrium_residual(discrete, relative, loads, displacements)
            if equilibrium is None
            else equilibrium
        ),
        kkt_residual=kkt,
        lower_bound=value,
        gap=None if bound is None else bound.gap(_objective(discrete, volume, compliances)),
        volume_violation=violation_of(discrete, volume, excesses),
        connected=is_connected(physical, discrete),
        grey=grey(physical, discrete),
    )


def volume_fraction(discrete: DiscreteProblem, physical: Array) -> float:
    """Return the used share of the domain that is not passive void."""
    return discrete.volume_fraction(physical)


def _objective(discrete: DiscreteProblem, volume: float, compliances: Array) -> float:
    """What a bound is a bound of: the volume, or a weighted sum of compliances."""
    form = formulate(discrete).bound_form(discrete)
    return volume if form is None or form.weights is None else float(form.weights @ compliances)


def _excesses(discrete: DiscreteProblem, volume: float, compliances: Array) -> list[float]:
    """By how much the material and compliances miss their limits, from what they promise to be."""
    found = []
    for limited in formulate(discrete).limits:
        share = limited.quantity.material_share(discrete)
        weights = limited.quantity.compliance_weights(discrete)
        if share is not None:
            found.append(limited.excess(share * volume))
        elif weights is not None:
            found.append(limited.excess(ldexp(float(weights @ compliances), discrete.units.compliance)))
        else:
            raise ValueError(
                f"{limited.name}: neither material nor a compliance, so its excess must be given"
            )
    return found


def equilibrium_residual(
    discrete: DiscreteProblem, relative: Array, loads: Sequence[Array], displacements: Sequence[Array]
) -> float:
    """Return the largest |f - K u| / |f| over the load cases, element by element in float64."""
    state = make_witness(discrete)
    state.set_stiffness(relative)
    return max(state.residual(load, u) for load, u in zip(loads, displacements, strict=True))


def designs_of_bound(chain: DesignChain, penalty: float) -> Designs:
    """Return which designs the reported bound holds for.

    Every density on the mesh, whatever made it; but at penalty 1, where the problem as asked is convex and
    its optimum can be certified, the densities its linear filter can make. A filter that is clipped is not
    linear, and the bound is over all densities.

    Parameters
    ----------
    chain
        The problem's design chain.
    penalty
        Final penalty.
    """
    return FilteredDensity(chain) if penalty == 1 and chain.is_linear else AnyDensity()


def find_bound(
    discrete: DiscreteProblem,
    chain: DesignChain,
    state: State,
    penalty: float,
    progress: Callable[[Relaxation], None] | None = None,
    **choices: Any,
) -> Relaxed | Bound:
    """The end of `iterate_bound`, whose parameters `choices` are; `progress` is called after every
    iteration."""
    return run_relaxation(iterate_bound(discrete, chain, state, penalty, **choices), progress)


def iterate_bound(
    discrete: DiscreteProblem,
    chain: DesignChain,
    state: State,
    penalty: float,
    *,
    design: Array | None = None,
    displacements: Sequence[Guess] | None = None,
    start: Array | None = None,
    tolerance: float = 2e-3,
    max_iterations: int = 12,
) -> Generator[Relaxation, None, Relaxed | Bound]:
    """Find the bound to report with the relaxed density that proves it, or a bare `Bound` that says why
    not; yields after every iteration.

    Parameters
    ----------
    discrete, chain, state
        The problem, its design chain and a state equation of its grid.
    penalty
        Final penalty.
    design
        float64 `[z, y, x]`: the final design; at penalty 1 it is the start.
    displacements
        One per load case, to start the solves from.
    start
        float64 `[z, y, x]`: relaxed density of a coarser grid, up-sampled.
    tolerance, max_iterations
        As for `relax`; at penalty 1, where the gap is the proof of optimality, it has patience for more
        iterations.
    """
    reason = reason_unbounded(discrete)
    if reason:
        return Bound(None, reason)
    is_convex = penalty == 1
    return (
        yield from iterate_relaxation(
            discrete,
            state,
            designs=designs_of_bound(chain, penalty),
            start=design if is_convex and design is not None else start,
            displacements=displacements,
            tolerance=tolerance,
            max_iterations=10 * max_iterations if is_convex else max_iterations,
            patience=40 if is_convex else 6,
            solve_tolerance=1e-4 if is_convex else 1e-3,
        )
    )
