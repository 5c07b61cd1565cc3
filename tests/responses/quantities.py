"""Quantities of people outside the package: the tests' own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem.keyed import key
from trabecula.problem.where import Where
from trabecula.responses import DesignPoint, Quantity

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Displacement(Quantity):
    """Mean displacement of selected nodes along an axis; an adjoint solve gives its gradient."""

    where: Where = key(description="what is measured")
    axis: int = key(0, "0, 1, 2 for x, y, z", least=0, most=2)
    case: int = key(0, "load case", least=0)
    name: ClassVar[str] = "mean_displacement"
    unit: ClassVar[str] = "m"

    def value(self, at: DesignPoint) -> float:
        return float((self._port(at) * at.displacement(self.case)).sum())

    def gradient(self, at: DesignPoint) -> Array:
        port = self._port(at)
        found = at.through_stiffness(at.displacement(self.case), at.solve(port))
        if at.has_own_weight(self.case):
            found += at.own_weight_derivative(at.solve(port), self.case)
        return found

    def _port(self, at: DesignPoint) -> Array:
        chosen = at.select_nodes(self.where)
        port = np.zeros(at.fixed.shape)
        port[self.axis][chosen] = 1.0 / chosen.sum()
        return port


@dataclass(frozen=True)
class Roughness(Quantity):
    """A made-up function of the densities alone, of either sign."""

    seed: int = 0
    shift: float = 0.0
    name: ClassVar[str] = "roughness"

    def _weights(self, at: DesignPoint) -> Array:
        return np.random.default_rng(self.seed).normal(size=at.physical.shape)

    def value(self, at: DesignPoint) -> float:
        return float((self._weights(at) * at.physical**2).mean()) + self.shift

    def gradient(self, at: DesignPoint) -> Array:
        return 2.0 * self._weights(at) * at.physical / at.physical.size


@dataclass(frozen=True)
class Liar(Roughness):
    """Measures something else than what it promises to be."""

    name: ClassVar[str] = "liar"

    def compliance_weights(self, discrete: DiscreteProblem) -> Array | None:
        return discrete.weights
