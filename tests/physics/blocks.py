"""Small blocks of voxels, held and loaded in ways that are hard on a hierarchy of grids."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from tests.certificate.grids import cantilever
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.compiled_core import core
from trabecula.problem.model import Material

Array = NDArray[np.float64]

INSTRUCTION_SETS: list[str] = core.instruction_sets()


def compiled(instruction_set: str) -> ModuleType:
    """The compiled core of one instruction set."""
    return importlib.import_module(f"trabecula._core_{instruction_set}")


@contextmanager
def using(instruction_set: str) -> Iterator[None]:
    """Make new voxel states with the core of one instruction set."""
    with mock.patch("trabecula.physics.compiled_core.core", compiled(instruction_set)):
        yield


def block(
    elements: tuple[int, ...],
    spacing: tuple[float, ...] | None = None,
    heat: bool = False,
    poisson: float = 0.3,
) -> DiscreteProblem:
    """Held at x = 0, pulled at x = end; of a material that is none of the defaults."""
    material = Material(young=7.0, poisson=poisson, conductivity=3.0)
    return cantilever(elements, spacing=spacing, heat=heat, material=material)


def free(problem: DiscreteProblem) -> DiscreteProblem:
    """The same without supports."""
    return replace(problem, fixed=np.zeros_like(problem.fixed))


def held_at(problem: DiscreteProblem, *nodes: tuple[int, ...]) -> DiscreteProblem:
    """Held at single nodes `(x, y, z)` only, in all components."""
    fixed = np.zeros_like(problem.fixed)
    for node in nodes:
        place: tuple[Any, ...] = (slice(None), *node[::-1])
        fixed[place] = True
    return replace(problem, fixed=fixed, loads=np.where(fixed, 0.0, problem.loads))


def struts(problem: DiscreteProblem, seed: int, void: float = 1e-9, radius: float = 1.3) -> Array:
    """Stiffness of random struts from supports to loads and off them: 1, `void` around, grey at the edges."""
    rng = np.random.default_rng(seed)
    shape = problem.grid.shape
    centres = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape), indexing="ij"), axis=-1)
    held = np.argwhere(problem.fixed.any(axis=0))
    loaded = np.argwhere((problem.loads != 0).any(axis=(0, 1)))
    ends: list[tuple[Array, Array]] = [
        (a.astype(float), b.astype(float)) for a in rng.permutation(held)[:4] for b in loaded
    ]
    for _ in range(8):
        a, b = ends[rng.integers(len(ends))]
        ends.append((a + (b - a) * rng.random(), rng.random(len(shape)) * shape))
    density = np.zeros(shape)
    for a, b in ends:
        along = (b - a).astype(float)
        share = np.clip((centres - a) @ along / max(along @ along, 1e-9), 0.0, 1.0)
        distance = np.linalg.norm(centres - a - share[..., None] * along, axis=-1)
        density = np.maximum(density, np.clip(radius + 0.5 - distance, 0.0, 1.0))
    return np.asarray(void + (1 - void) * density**3)


def noise(problem: DiscreteProblem, seed: int, void: float = 1e-9) -> Array:
    """Stiffness of every voxel at random between `void` and 1, on a log scale, around random struts."""
    random = np.random.default_rng(seed).random(problem.grid.shape)
    return np.maximum(void**random, struts(problem, seed, void))


def islands(problem: DiscreteProblem, seed: int, void: float = 1e-9, side: int = 4) -> Array:
    """Stiffness of struts, and beside them stiff blocks of `side` voxels adrift in void."""
    shape = problem.grid.shape
    stiff = np.random.default_rng(seed).random([-(-n // side) for n in shape]) < 0.35
    for axis in range(stiff.ndim):
        stiff = stiff.repeat(side, axis)
    stiff = stiff[tuple(slice(0, n) for n in shape)]
    return np.maximum(np.where(stiff, 1.0, void), struts(problem, seed, void))


def places(problem: DiscreteProblem) -> Array:
    """Co-ordinates of all nodes, `[axis, z, y, x]` in metres."""
    axes = [np.arange(n) for n in problem.grid.node_shape]
    indices = np.meshgrid(*axes, indexing="ij")[::-1]
    return np.stack([h * i for h, i in zip(problem.grid.spacing, indices, strict=True)])
