"""The state on a voxel grid, solved in the compiled core."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics import compiled_core, element
from trabecula.physics.state import Guess, Solve
from trabecula.physics.threads import thread_count

__all__ = ["Cycle", "Guess", "Solve", "VoxelState"]

Array = NDArray[np.float64]

EXACT = 1e-6
"""Relative residual below which the one carried along by conjugate gradients is not trusted."""

AGAIN = 3
"""Times that a solve may begin again at what it reached."""


@dataclass(frozen=True)
class Cycle:
    """Choices of the multigrid cycle, measured (docs/decisions/multigrid.md); the defaults are for solids.

    Attributes
    ----------
    degree, coarse_degree
        Of the Chebyshev-Jacobi smoothing, on the finest grid and on the others.
    repeated
        Bit l set: grid l is visited twice a cycle (2: only the first coarse grid; all bits: W-cycle).
    ratio
        The smoothed part of the spectrum is lmax / ratio to lmax.
    power
        Power iterations that estimate lmax.
    safety
        What the estimate, which is too low, is multiplied by.
    """

    degree: int = 1
    coarse_degree: int = 3
    repeated: int = 0xFFFFFFFE
    ratio: float = 8.0
    power: int = 4
    safety: float = 1.3

    @classmethod
    def of(cls, dimension: int) -> Cycle:
        """The choice for a grid of 2 or 3 dimensions: a plane's coarse grids are not small beside it."""
        return cls(coarse_degree=1) if dimension == 2 else cls()


class VoxelState:
    """Matrix-free state equation, conjugate gradients preconditioned by multigrid; one hierarchy, many loads.

    Parameters
    ----------
    problem
        The discrete problem: grid, material, supports.
    threads
        See `thread_count`. Results do not depend on it.
    cycle
        Choices of the multigrid cycle; `Cycle.of` the grid's dimension unless given.

    Raises
    ------
    CoreError
        If the compiled core cannot be loaded.
    ValueError
        If the physics is not one that the compiled core has the equations of.
    """

    def __init__(
        self, problem: DiscreteProblem, threads: int | None = None, cycle: Cycle | None = None
    ) -> None:
        core, grid = compiled_core.core, problem.grid
        matrix = element.of(problem)
        self._unit = float(np.abs(matrix).max())  # keeps single precision away from its limits
        first, second = element.constants(problem)
        cycle = cycle or Cycle.of(grid.dimension)
        settings = core.Settings()
        settings.threads = thread_count(threads)
        for name in ("degree", "coarse_degree", "repeated", "ratio", "power", "safety"):
            setattr(settings, name, getattr(cycle, name))
        self._core = core.Solver.make(
            list(grid.elements),
            list(grid.spacing),
            np.ascontiguousarray(matrix / self._unit),
            element.mirror_blocks(matrix / self._unit, grid.dimension),
            first / self._unit,
            second / self._unit,
            np.ascontiguousarray(problem.fixed),
            settings,
        )
        self._shape = grid.shape
        self._node_shape = problem.fixed.shape

    @property
    def bytes(self) -> int:
        """Memory the compiled solver holds."""
        return int(self._core.bytes)

    def set_stiffness(self, relative: Array) -> None:
        """Take every voxel's stiffness relative to the material's, float64 `[z, y, x]`; build the grids."""
        self._core.set_stiffness(np.ascontiguousarray(relative, dtype=np.float64))

    def solve(
        self, load: Array, start: Guess | None = None, tolerance: float = 1e-5, max_iterations: int = 500
    ) -> tuple[Array, Solve]:
        """Displacement (or temperature) under `load`, both float64 `[component, z, y, x]`, N to m (W to K).

        `start` is left as it is. The returned residual says whether `tolerance` was reached. The residual
        that conjugate gradients carry along drifts from the true one; where it matters (below `EXACT`) the
        solve begins again at what it reached until the true one is small enough or no longer falls.
        """
        u = np.zeros(self._node_shape)
        if start is not None:
            np.multiply(start, self._unit, out=u)
        load = np.ascontiguousarray(load)
        iterations, residual = self._core.solve(load, u, tolerance, max_iterations)
        for _ in range(AGAIN if tolerance < EXACT else 0):
            if residual > tolerance or iterations == 0:
                break  # out of iterations; or begun at the solution, so that the residual is the true one
            more, residual = self._core.solve(load, u, tolerance, max_iterations)
            iterations += more
            if more == 0:
                break
        u /= self._unit
        return u, Solve(iterations, residual, "multigrid")

    def bilinear(self, u: Array, v: Array) -> Array:
        """u_e K0 v_e of every voxel at full density, float64 `[z, y, x]`, in joules.

        Cheaper where `v` is `u` itself.
        """
        out = np.empty(self._shape)
        if v is u:
            self._core.energy(np.ascontiguousarray(u), out)
        else:
            self._core.bilinear(np.ascontiguousarray(u), np.ascontiguousarray(v), out)
        out *= self._unit
        return out

    def apply(self, u: Array) -> Array:
        """K u without regard to supports, float64 `[component, z, y, x]`."""
        out = np.empty(self._node_shape)
        self._core.apply(np.ascontiguousarray(u), out)
        out *= self._unit
        return out
