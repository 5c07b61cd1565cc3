"""Designs to begin the coarsest grid with, each with the schedule it is meant for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain, Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.responses import formulate

Array = NDArray[np.float64]

RAMPS = (30, 0, 15)
"""Lengths of the deterministic penalty ramps, in the order they are proposed; 0 is the cold start."""

_SMOOTHNESS = (0.0, 1.0, 2.0, 3.0)
_AMPLITUDE = (0.5, 1.0)


@dataclass(frozen=True)
class Proposal:
    """A start: its `name`, the `kind` of way it is, a design float64 `[z, y, x]` and its penalty schedule."""

    name: str
    kind: str
    density: Array
    schedule: Schedule


class Proposer(Protocol):
    """Makes starts for a grid."""

    def propose(self, discrete: DiscreteProblem, chain: DesignChain, count: int) -> Iterator[Proposal]:
        """At most `count` proposals, the most promising first."""
        ...


@dataclass(frozen=True)
class Ramps:
    """Uniform densities with penalty ramps of several lengths, deterministic."""

    lengths: tuple[int, ...] = RAMPS

    def propose(self, discrete: DiscreteProblem, chain: DesignChain, count: int) -> Iterator[Proposal]:
        """One proposal per ramp length."""
        uniform = chain.uniform(volume_of(discrete))
        end = discrete.options.penalty
        for length in self.lengths[:count]:
            schedule = Schedule(min(1.0, end), end, length) if length else Schedule(end, end)
            yield Proposal(f"ramp-{length}" if length else "cold", "ramp", uniform, schedule)


@dataclass(frozen=True)
class RandomFields:
    """Uniform density times the exponential of a random field, white or smoothed, at the full penalty.

    Source: measured; 24 such starts found designs up to 10 % stiffer than any deterministic one
    (docs/theory.md).
    """

    seed: int = 0

    def propose(self, discrete: DiscreteProblem, chain: DesignChain, count: int) -> Iterator[Proposal]:
        """As many as asked for; the same ones for the same seed."""
        volume = volume_of(discrete)
        end = discrete.options.penalty
        for k in range(count):
            random = np.random.default_rng([self.seed, k])
            field = random.standard_normal(discrete.grid.shape)
            width = _SMOOTHNESS[k % len(_SMOOTHNESS)]
            if width:
                field = discrete.grid.blur(field, width)
            field /= float(field.std()) or 1.0
            amplitude = _AMPLITUDE[k // len(_SMOOTHNESS) % len(_AMPLITUDE)]
            density = np.clip(volume * np.exp(amplitude * field), 1e-3, 1.0)
            density = chain.symmetrise(np.clip(density, discrete.lower, discrete.upper))
            yield Proposal(f"random-{k}", "search", density, Schedule(end, end))


def volume_of(discrete: DiscreteProblem) -> float:
    """The volume fraction a start should have: what the limits allow, or a half where they say nothing."""
    volume = formulate(discrete).volume_limit(discrete)
    return 0.5 if volume is None else volume
