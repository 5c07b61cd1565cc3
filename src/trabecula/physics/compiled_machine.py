"""The compiled machine: the one place, with the voxel state, that asks for the compiled core."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.physics import compiled_core
from trabecula.physics.assembled import make_witness
from trabecula.physics.element import is_compiled
from trabecula.physics.machine import SlowMachineWarning
from trabecula.physics.state import State
from trabecula.physics.voxel import VoxelState
from trabecula.problem.physics import Physics

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CompiledMachine:
    """The compiled core, in the newest instruction set of this processor; a `Machine`.

    Parameters
    ----------
    threads
        Of the compiled loops.
    """

    threads: int = 1

    @property
    def name(self) -> str:
        """With its instruction set: "compiled avx2"."""
        return f"compiled {compiled_core.core.__name__.rpartition('_')[2]}"

    def with_threads(self, threads: int) -> CompiledMachine:
        """The same machine on another number of threads."""
        return replace(self, threads=threads)

    def knows(self, physics: Physics) -> bool:
        """Whether the core has its equations: isotropic elasticity, or conduction."""
        return is_compiled(physics)

    def state(self, discrete: DiscreteProblem) -> State:
        """A voxel state; of a physics that the core does not know an assembled one; its own of another grid.

        Warns
        -----
        SlowMachineWarning
            In the second case, once in a process for every physics.
        """
        if not isinstance(discrete.grid, Grid):
            return make_witness(discrete)
        if self.knows(discrete.physics):
            return VoxelState(discrete, self.threads)
        _note(discrete.physics.name)
        return make_witness(discrete)

    def convolve(
        self, voxels: Array, octant: Array, before: Array | None = None, after: Array | None = None
    ) -> Array:
        """See `Machine.convolve`."""
        out = np.empty(voxels.shape)
        compiled_core.core.convolve(voxels, octant, out, before, after, self.threads)
        return out

    def oc_update(
        self,
        x: Array,
        compliance_gradient: Array,
        volume_gradient: Array,
        lower: Array,
        upper: Array,
        exponent: Array,
        floor: float,
        move: float,
        value: float,
        reciprocal: bool,
        guess: float,
    ) -> tuple[Array, float]:
        """See `Machine.oc_update`."""
        out = np.empty(x.shape)
        log_multiplier, _, _ = compiled_core.core.oc_update(
            x,
            compliance_gradient,
            volume_gradient,
            lower,
            upper,
            exponent,
            out,
            floor,
            move,
            value,
            reciprocal,
            guess,
            self.threads,
        )
        return out, float(log_multiplier)

    def oc_adapt(
        self,
        exponent: Array,
        step: Array,
        last: Array,
        grow: float,
        shrink: float,
        least: float,
        most: float,
    ) -> Array:
        """See `Machine.oc_adapt`."""
        out = np.empty(step.shape)
        compiled_core.core.oc_adapt(exponent, step, last, out, grow, shrink, least, most, self.threads)
        return out

    def mma_dual(
        self,
        low: Array,
        upp: Array,
        alpha: Array,
        beta: Array,
        p: Array,
        q: Array,
        multipliers: Array,
    ) -> tuple[Array, Array]:
        """See `Machine.mma_dual`."""
        m = multipliers.size
        x, sums = np.empty(low.size), np.empty(1 + m + m * m)
        compiled_core.core.mma_dual(low, upp, alpha, beta, p, q, multipliers, x, sums, self.threads)
        return x, sums


@cache
def _note(physics: str) -> None:
    """Say once what makes a solve slow."""
    warnings.warn(
        f"the compiled core has no equations of the physics {physics!r}: "
        "an assembled matrix solves it, which is many times slower",
        SlowMachineWarning,
        stacklevel=3,
    )
