from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever, mbb
from trabecula.certificate.bound import Bound
from trabecula.certificate.certify import (
    certify,
    designs_of_bound,
    find_bound,
    volume_fraction,
)
from trabecula.certificate.designs import AnyDensity, FilteredDensity
from trabecula.certificate.limits import violation_of
from trabecula.certificate.relax import Relaxed
from trabecula.design import DesignChain
from trabecula.discretisation import DiscreteProblem
from trabecula.physics import VoxelState
from trabecula.problem.model import Goal
from trabecula.responses import formulate


def test_a_certificate_says_what_the_compiled_solver_reached() -> None:
    problem = mbb((24, 8))
    physical = np.full(problem.grid.shape, 0.5)
    state = VoxelState(problem, 1)
    state.set_stiffness(1e-9 + (1 - 1e-9) * physical**3)
    u, _ = state.solve(problem.loads[0], tolerance=1e-10)
    found = certify(problem, physical, 1e-9 + (1 - 1e-9) * physical**3, [u], Bound(100.0), 0.7)
    assert found.equilibrium_residual is not None
    assert found.equilibrium_residual < 1e-8
    assert found.gap == pytest.approx(np.vdot(problem.loads[0], u) / 100.0 - 1)
    assert (found.kkt_residual, found.lower_bound, found.volume_violation) == (0.7, 100.0, 0.0)
    assert (found.connected, found.grey) == (False, 1.0)
    assert certify(problem, physical, physical, [u]).gap is None


def test_limits_are_violated_by_volume_or_by_the_worst_compliance() -> None:
    problem = cantilever((4, 4), 0.5, cases=2)
    physical = np.full((4, 4), 0.6)
    reached = np.array([2.0, 6.0])
    assert volume_fraction(problem, physical) == pytest.approx(0.6)

    def violation(goal: Goal) -> float:
        asked = replace(problem, goal=goal)
        excesses = [
            limited.excess(value)
            for limited, value in zip(formulate(asked).limits, values(asked), strict=True)
        ]
        return violation_of(asked, 0.6, excesses)

    def values(asked: DiscreteProblem) -> list[float]:
        if asked.goal.compliance is None:
            return [0.6]
        return list(reached) if len(asked.goal.compliance) > 1 else [float(asked.weights @ reached)]

    assert violation(problem.goal) == pytest.approx(0.1)
    assert violation(Goal("volume", None, (3.0,))) == pytest.approx(1 / 3)
    each = replace(problem, goal=Goal("volume", None, (4.0, 5.0)))
    assert violation(each.goal) == pytest.approx(0.2)
    u = [np.zeros_like(load) for load in problem.loads]
    assert certify(each, physical, physical, u, Bound(0.5)).gap == pytest.approx(0.2)


def test_the_bound_is_over_all_densities_unless_the_problem_is_convex() -> None:
    chain = DesignChain(mbb((12, 4)))
    assert isinstance(designs_of_bound(chain, 3.0), AnyDensity)
    assert isinstance(designs_of_bound(chain, 1.0), FilteredDensity)
    assert isinstance(designs_of_bound(DesignChain(mbb((12, 4), projection=True)), 1.0), AnyDensity)


def test_find_bound_proves_or_says_why_not() -> None:
    problem = mbb((30, 10))
    chain, state = DesignChain(problem), VoxelState(problem, 1)
    penal = find_bound(problem, chain, state, 3.0)
    convex = find_bound(problem, chain, state, 1.0)
    assert isinstance(penal, Relaxed)
    assert isinstance(convex, Relaxed)
    assert convex.bound.gap(convex.objective) < 5e-3
    again = find_bound(problem, chain, state, 1.0, design=convex.optimum, displacements=convex.displacements)
    assert isinstance(again, Relaxed)
    assert again.iterations < convex.iterations
    heavy = replace(problem, gravity=np.array([[0.0, -1.0]]))
    assert isinstance(find_bound(heavy, chain, state, 3.0), Bound)
