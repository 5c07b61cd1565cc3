"""Perturbed loads: the first iterations are made under loads that are turned and weighed a little otherwise.

What carries them is often nearly as good for the loads themselves, and something else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.gallery.ground import Draw, Ground
from trabecula.optimize.analysis import Analysis
from trabecula.physics import Machine
from trabecula.starts import Proposal, volume_of

Array = NDArray[np.float64]

ANGLE = 0.35
"""Standard deviation of the angle that forces are turned by, in radians."""

SPREAD = 0.5
"""Standard deviation of the logarithm of what cases are weighed by, and loads at the ends of the box."""

RELEASED = 30
"""Iterations after which the loads are the problem's own."""


@dataclass(frozen=True)
class PerturbedLoads:
    """Penalty ramps from the uniform design under perturbed loads."""

    description: str = "Loads that are turned and weighed otherwise in the first iterations."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as asked for."""
        discrete = ground.discrete
        end = discrete.options.penalty
        uniform = ground.analysis.chain.uniform(volume_of(discrete))
        schedule = Schedule(min(1.0, end), end, 15)
        return [
            Draw(
                Proposal(f"loads-{k}", "loads", uniform, schedule),
                partial(_analyse, seed=(ground.seed, 78, k)),
                RELEASED,
            )
            for k in range(first, first + count)
        ]


def _analyse(discrete: DiscreteProblem, machine: Machine, seed: tuple[int, ...]) -> Analysis:
    return Analysis(perturb(discrete, seed), machine)


def perturb(discrete: DiscreteProblem, seed: tuple[int, ...]) -> DiscreteProblem:
    """The problem with loads that are turned by one random angle per case, about one random axis, and weighed
    by a factor that changes along a random direction; cases are weighed too. Supports stay."""
    random = np.random.default_rng(list(seed))
    loads = np.array(discrete.loads)
    shape = loads.shape[2:]
    places = np.stack(np.meshgrid(*(np.linspace(-1.0, 1.0, n) for n in shape), indexing="ij"))
    for case in range(len(loads)):
        direction = random.standard_normal(len(shape))
        direction /= np.linalg.norm(direction)
        loads[case] *= np.exp(SPREAD * random.standard_normal() * np.tensordot(direction, places, 1))
        if len(loads[case]) == len(shape):
            loads[case] = np.tensordot(_turn(random, len(shape)), loads[case], 1)
        loads[case][discrete.fixed] = 0.0
    weights = discrete.weights * np.exp(SPREAD * random.standard_normal(len(loads)))
    return replace(discrete, loads=loads, weights=weights * (discrete.weights.sum() / weights.sum()))


def _turn(random: np.random.Generator, dimension: int) -> Array:
    """A rotation by a random angle, in space about a random axis (Rodrigues)."""
    angle = ANGLE * random.standard_normal()
    cosine, sine = np.cos(angle), np.sin(angle)
    if dimension == 2:
        return np.array([[cosine, -sine], [sine, cosine]])
    x, y, z = (axis := random.standard_normal(3)) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + sine * cross + (1.0 - cosine) * cross @ cross)


LOADS = PerturbedLoads()
