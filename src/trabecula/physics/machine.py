"""What does the arithmetic that touches every element: state equations, the smoothing, the optimisers' loops.

Two machines give the same designs: the compiled one (default), and the assembled one, which needs nothing but
NumPy and SciPy, is slower by far, and solves physics that the compiled one does not know. `TRABECULA_MACHINE`
chooses; where the compiled core cannot be loaded, the assembled one takes its place and says so.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.state import State
from trabecula.physics.threads import thread_count
from trabecula.problem.physics import Physics
from trabecula.status import NoteWarning

Array = NDArray[np.float64]

VARIABLE = "TRABECULA_MACHINE"
"""Environment variable that chooses a machine by name."""

NAMES = ("compiled", "assembled")


class MachineError(ValueError):
    """The environment variable TRABECULA_MACHINE names no machine."""


class SlowMachineWarning(NoteWarning):
    """The assembled machine takes the place of the compiled one, which is faster by far."""


class Machine(Protocol):
    """Makes state equations, and runs the loops over all elements; results do not depend on its threads.

    A machine holds no state of its own and may be used by several threads. Arrays are float64 and contiguous;
    those that are given are left as they are.
    """

    @property
    def name(self) -> str:
        """What results and checkpoints call it: "compiled avx2", "assembled"."""
        ...

    @property
    def threads(self) -> int:
        """Threads that it works on."""
        ...

    def with_threads(self, threads: int) -> Machine:
        """The same machine on another number of threads."""
        ...

    def knows(self, physics: Physics) -> bool:
        """Whether it has the equations of a physics; an assembled matrix solves all others."""
        ...

    def state(self, discrete: DiscreteProblem) -> State:
        """A state equation on a problem's grid; assembled where the machine does not know its physics."""
        ...

    def convolve(
        self, voxels: Array, octant: Array, before: Array | None = None, after: Array | None = None
    ) -> Array:
        """`after * (kernel conv (before * voxels))`, a new array; voxels outside the box count as zero.

        Parameters
        ----------
        voxels, before, after
            `[z, y, x]`; None stands for ones.
        octant
            `[|dz|, |dy|, |dx|]`: weights of the kernel, which is symmetric in every axis.
        """
        ...

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
        """The step of optimality criteria; see `trabecula.optimizers.oc`.

        Parameters
        ----------
        x, compliance_gradient, volume_gradient, lower, upper
            `[variable]`.
        exponent
            `[variable]`, or one for all.
        value
            The constraint at `x`, met where it is not above zero.
        reciprocal
            Whether the constraint is the compliance, seen in 1/x; else the volume.
        guess
            Logarithm of the multiplier to begin the search with.

        Returns
        -------
        x_new, log_multiplier
        """
        ...

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
        """Exponents times `grow` where `step` has the sign of `last`, `shrink` where the other; kept within
        `least` and `most`. All `[variable]`."""
        ...

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
        """The minimiser of MMA's Lagrangian in its variables; see `trabecula.optimizers.mma_dual`.

        Parameters
        ----------
        low, upp, alpha, beta
            `[variable]`: asymptotes and bounds.
        p, q
            `[1 + constraint, variable]`, objective first.
        multipliers
            `[constraint]`.

        Returns
        -------
        x, sums
            `[variable]`; and value, gradient `[constraint]` and minus the Hessian
            `[constraint, constraint]` of the terms in x, one after the other.
        """
        ...


def default_machine(threads: int | None = None) -> Machine:
    """The machine that `TRABECULA_MACHINE` names, else the compiled one, else the assembled one.

    Parameters
    ----------
    threads
        See `thread_count`.

    Raises
    ------
    MachineError
        If the variable names no machine.
    CoreError
        If it asks for the compiled machine, which cannot be loaded.
    InstructionSetError
        If `TRABECULA_ISA` names an instruction set that this processor has not.

    Warns
    -----
    SlowMachineWarning
        Once in a process: if nothing was asked for and the compiled core cannot be loaded.
    """
    count = thread_count(threads)
    if _choose(os.environ.get(VARIABLE, "")) == "assembled":
        from trabecula.physics.assembled_machine import AssembledMachine

        return AssembledMachine(count)
    from trabecula.physics.compiled_machine import CompiledMachine

    return CompiledMachine(count)


def machine_of(given: Machine | int | None) -> Machine:
    """The machine itself, or the default one on so many threads."""
    return default_machine(given) if given is None or isinstance(given, int) else given


def machine_name() -> str:
    """What results and checkpoints call the default machine: "compiled avx2", "assembled"."""
    return default_machine(1).name


@cache
def _choose(wanted: str) -> str:
    """The name of the machine to use."""
    if wanted and wanted not in NAMES:
        allowed = " or ".join(NAMES)
        raise MachineError(
            f"{VARIABLE} is {wanted[:40]!r}; it can be {allowed}: name one of them or unset it"
        )
    if wanted == "assembled":
        return wanted
    from trabecula.physics import compiled_core

    try:
        compiled_core.core  # noqa: B018  # loaded when it is first asked for
    except compiled_core.CoreError as error:
        if wanted:
            raise
        warnings.warn(
            f"{error}; until then the assembled machine does its work, many times slower"
            f" ({VARIABLE}=assembled asks for it and ends this note)",
            SlowMachineWarning,
            stacklevel=3,
        )
        return "assembled"
    return "compiled"
