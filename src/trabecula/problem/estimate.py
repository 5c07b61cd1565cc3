"""What a problem will cost on this machine, told before anything is allocated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from pathlib import Path

from trabecula.problem.errors import ProblemError
from trabecula.problem.model import Problem
from trabecula.storage.reading import read_text

SHARE_OF_MACHINE = 0.8
_UNKNOWN_MACHINE = 8e9
_NOBODY = 1e9  # voxels


@dataclass(frozen=True)
class _Cost:
    """Figures of one dimension: memory in bytes, time in seconds for a whole default solve on two threads,
    and how many times as long it takes on one (docs/decisions/threads.md).

    Measured from file to files by `python -m benchmarks.estimates`, which prints how far off they are; times
    are those of the machine that `physics.pace` compares with.
    """

    bytes_base: float
    bytes_picture: float  # its peak comes when the solve's memory is free again
    bytes_element: float  # kernels, hierarchy, design chain
    bytes_element_case: float  # load and displacement of one case
    seconds_base: float
    seconds_element: float  # of one case
    on_one_thread: float


_COSTS = {
    2: _Cost(60e6, 100e6, 300.0, 48.0, 0.6, 18e-6, 1.1),
    3: _Cost(60e6, 320e6, 380.0, 60.0, 2.3, 38e-6, 1.3),
}


@dataclass(frozen=True)
class Estimate:
    """What a solve will need: `memory_bytes` at its peak, `seconds`."""

    memory_bytes: float
    seconds: float


def estimate(problem: Problem, pace: float = 1.0, threads: int = 2) -> Estimate:
    """Estimate memory and time of a whole solve from the number of elements and load cases alone.

    Parameters
    ----------
    problem
        Nothing is allocated for it.
    pace
        How many times as long this machine takes: `physics.pace`.
    threads
        It works on; more than two are promised no more speed than two.
    """
    cost = _COSTS[problem.domain.dimension]
    elements, cases = float(prod(problem.domain.elements)), len(problem.cases)
    solving = cost.bytes_base + elements * (cost.bytes_element + cases * cost.bytes_element_case)
    slower = cost.on_one_thread if threads == 1 else 1.0
    return Estimate(
        max(solving, cost.bytes_picture),
        slower * pace * (cost.seconds_base + elements * cases * cost.seconds_element),
    )


def machine_memory() -> float:
    """Memory this process may use, in bytes: the machine's, or its container's if that is less."""
    try:
        memory = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        memory = _UNKNOWN_MACHINE
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            memory = min(memory, float(read_text(Path(limit), 100)))
        except (OSError, ValueError):
            continue
    return memory


def refuse_if_too_large(problem: Problem, max_memory: float | None = None) -> Estimate:
    """Estimate, and refuse what does not fit.

    Parameters
    ----------
    problem
        The problem; nothing is allocated for it.
    max_memory
        Limit in bytes (default: four fifths of the machine's memory).

    Raises
    ------
    ProblemError
        If more memory is needed than allowed.
    """
    limit = SHARE_OF_MACHINE * machine_memory() if max_memory is None else max_memory
    needed = estimate(problem)
    if needed.memory_bytes > limit:
        elements = prod(problem.domain.elements)
        raise ProblemError(
            "domain.elements",
            f"{elements:.3g} elements need about {needed.memory_bytes / 1e9:.3g} GB",
            f"at most {limit / 1e9:.3g} GB",
            "take fewer elements, or raise the limit with --max-memory" + _unit_in_doubt(problem),
        )
    return needed


def _unit_in_doubt(problem: Problem) -> str:
    """A question after the units, where nobody can have meant so many voxels."""
    domain, units = problem.domain, problem.unit_system
    if prod(domain.elements) < _NOBODY:
        return ""
    size = " x ".join(units.show(edge, "m") for edge in domain.size)
    said = f"the domain measures {size} {units.unit('m')} and a voxel {units.tell(min(domain.spacing), 'm')}"
    is_plain = domain.shape is not None and units.name == "SI"
    hint = "; an STL in mm is `shape: {stl: ..., units: mm}`" if is_plain else ""
    return f"; {said}: is one of them in another unit?{hint}"
