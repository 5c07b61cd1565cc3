"""How long this machine takes, against the one on which estimates of time were measured."""

from __future__ import annotations

import math
import time

import numpy as np

from trabecula.discretisation import discretise
from trabecula.physics.machine import default_machine
from trabecula.problem import problems

ELEMENTS = (48, 24, 24)
REFERENCE = 0.014
"""Seconds of the solve below there: an EPYC of family 26 (Zen 5), AVX-512."""
FEW = (16, 8, 8)
SLOW = 0.02
"""Seconds of a solve of so few elements, from which on the larger one is not waited for."""
REPEATS = 3


def pace() -> float:
    """Seconds that a small solve takes here over those it takes there: 2 is half as quick.

    The least of three, some tens of milliseconds in all, on one thread: two share so small a solve well or
    badly by chance. Where the machine is slow (the assembled one), fewer elements are solved and as many more
    seconds counted.
    """
    seconds = _least_seconds(FEW)
    more = math.prod(ELEMENTS) / math.prod(FEW)
    return (more * seconds if seconds > SLOW else _least_seconds(ELEMENTS)) / REFERENCE


def _least_seconds(elements: tuple[int, ...]) -> float:
    """Seconds that a cantilever of so many elements takes, the least of three."""
    problem = discretise(problems.cantilever_3d(elements=elements))
    state = default_machine(1).state(problem)
    even = np.full(problem.grid.shape, 0.5)
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        state.set_stiffness(even)
        state.solve(problem.loads[0], tolerance=1e-3)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
