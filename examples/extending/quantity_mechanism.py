"""A quantity of one's own: how far the output of a compliant mechanism moves against a spring.

A workpiece pushes back at the output like a spring, an actuator at the input. Both springs act on two fixed
patterns of nodes, so the moves of the ports follow from the flexibility of the free structure, a 2 x 2
matrix, and no stiffness matrix has to be changed (Sherman and Morrison; Woodbury).

Source: Sigmund 1997, "On the design of compliant mechanisms using topology optimization".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import trabecula as tb

Array = NDArray[np.float64]

IN, OUT = 0, 1


@dataclass(frozen=True)
class OutputDisplacement(tb.Quantity):
    """Mean displacement of an output port in a direction; the loads of the first case are the input."""

    where: tb.where.Where = tb.key(description="nodes of the output port")
    direction: tuple[float, ...] = tb.key(description="in which it is to move")
    spring: float = tb.key(0.0, "stiffness of the workpiece at the output", unit="N/m", least=0.0)
    input_spring: float = tb.key(0.0, "stiffness of the actuator at the input", unit="N/m", least=0.0)
    name: ClassVar[str] = "output_displacement"
    unit: ClassVar[str] = "m"
    physics: ClassVar[str | None] = "elasticity"

    def value(self, at: tb.DesignPoint) -> float:
        """How far the output moves, in m."""
        flexibility, mix, _ = self._flexibility(at)
        return self._force(at) * float((mix @ flexibility)[OUT, IN])

    def gradient(self, at: tb.DesignPoint) -> Array:
        """Its derivative: of a flexibility `p . K^-1 q` it is that of `-u . K v`, with both solved.

        With the springs D the flexibility is `A C`, where `A = (I + C D)^-1`, and its derivative `A dC A'`.
        """
        _, mix, moves = self._flexibility(at)
        left, right = (mix[port, IN] * moves[IN] + mix[port, OUT] * moves[OUT] for port in (OUT, IN))
        return self._force(at) * at.through_stiffness(right, left)

    def _flexibility(self, at: tb.DesignPoint) -> tuple[Array, Array, tuple[Array, Array]]:
        """The flexibility C of the free structure, float64 `[port, port]` in m/N, `A = (I + C D)^-1`, and the
        displacements under 1 N at the input and under 1 N at the output."""
        ports = at.load(0) / self._force(at), self._port(at)
        moves = at.displacement(0) / self._force(at), at.solve(ports[OUT])
        flexibility = np.array([[float(np.vdot(port, u)) for u in moves] for port in ports])
        springs = np.diag([self.input_spring, self.spring])
        return flexibility, np.linalg.inv(np.eye(2) + flexibility @ springs), moves

    def _force(self, at: tb.DesignPoint) -> float:
        """Size of the input force, in N."""
        if at.has_own_weight(0):
            raise tb.ProblemError("loads", "own weight acts", "needs a force at the input alone")
        return float(np.abs(at.load(0)).sum())

    def _port(self, at: tb.DesignPoint) -> Array:
        """A force of 1 N in the direction, spread over the port: the mean displacement is its work."""
        chosen = at.select_nodes(self.where)
        port = np.zeros(at.fixed.shape)
        if not chosen.any():
            raise tb.ProblemError("goal.where", "selects no nodes", "needs those of the output port")
        if len(self.direction) != len(port) or not any(self.direction):
            raise tb.ProblemError(
                "goal.direction", f"got {list(self.direction)}", f"needs {len(port)} numbers, not all 0"
            )
        along = np.array(self.direction) / np.linalg.norm(self.direction)
        for component, share in zip(port, along, strict=True):
            component[chosen] = share / chosen.sum()
        return port


tb.QUANTITIES.register(OutputDisplacement.name, OutputDisplacement)
