"""One place makes analyses, and what it is told to make them of is used everywhere."""

from __future__ import annotations

import ast
import gc
import time
from pathlib import Path

import numpy as np
import pytest

import trabecula.strategy
from trabecula.discretisation import DiscreteProblem, discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.optimize.plan import Stop
from trabecula.physics import Machine, VoxelState
from trabecula.physics.assembled import AssembledState
from trabecula.problem import problems
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.multistart import Search
from trabecula.strategy.prove import Question, prove
from trabecula.strategy.runner import run_to_end
from trabecula.strategy.workbench import Workbench

ROOM = Path(trabecula.strategy.__file__).parent
PROBLEM = problems.cantilever((64, 32))


@pytest.fixture
def discrete() -> DiscreteProblem:
    return discretise(PROBLEM)


def test_no_other_file_of_the_room_makes_analyses() -> None:
    makers = {
        path.name
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Analysis")
    }
    assert makers == {"workbench.py"}


def test_an_analysis_is_shared_while_it_is_in_use_and_gone_afterwards(discrete: DiscreteProblem) -> None:
    bench = Workbench(discrete, 1)
    first = bench.analysis(discrete)
    assert bench.analysis(discrete) is first
    assert bench.analysis(bench.grids[0]) is not first
    assert bench.separate_analysis(discrete) is not first
    first.solves = 7
    del first
    gc.collect()
    assert bench.analysis(discrete).solves == 0


def test_grids_are_those_of_the_hierarchy_and_the_last_is_the_problem(discrete: DiscreteProblem) -> None:
    bench = Workbench(discrete)
    assert [g.grid for g in bench.grids] == [g.grid for g in grid_hierarchy(discrete)]
    assert bench.grids[-1] is discrete and bench.grids is bench.grids
    assert [g.grid for g in bench.coarse_grids] == [g.grid for g in bench.grids[:-1]]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_state_from_outside_is_used_by_search_hand_over_finish_and_proof(
    discrete: DiscreteProblem, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, ...]] = []

    def make_state(grid: DiscreteProblem, machine: Machine) -> AssembledState:
        made.append(grid.grid.elements)
        return AssembledState(grid)

    def refuse(self: VoxelState, *given: object) -> None:
        raise AssertionError("the compiled state is used beside the one that was given")

    monkeypatch.setattr(VoxelState, "__init__", refuse)
    bench = Workbench(discrete, threads, make_state=make_state)
    outcome = run_to_end(
        coarse_to_fine(bench, Search(proposals=3, coarse=14, intermediate=8), Stop(limit=30))
    )
    asked = Question(PROBLEM, "coarse", time.perf_counter())
    result = run_to_end(prove(bench, outcome, asked))
    assert set(made) == {grid.grid.elements for grid in bench.grids}
    assert result.certificate.lower_bound is not None
    residual = result.certificate.equilibrium_residual
    assert residual is not None and residual < 1e-10, "a factorisation's"


def test_a_plan_has_the_optimiser_and_the_projection_of_its_grid() -> None:
    from dataclasses import replace

    from trabecula.design import Schedule

    sharp = discretise(replace(PROBLEM, options=replace(PROBLEM.options, projection=True, optimizer="mma")))
    bench = Workbench(sharp, 1)
    plan = bench.plan(sharp, Schedule(1.0, 3.0, 5), Stop(limit=3))
    assert plan.schedule.beta_end > 1.0 and plan.schedule.over == 5
    assert type(plan.optimizer).__name__ == "MovingAsymptotes"
    grey = discretise(replace(PROBLEM, options=replace(PROBLEM.options, projection=False)))
    assert Workbench(grey, 1).plan(grey, Schedule(), Stop()).schedule.beta_end == 0.0


def test_a_uniform_start_has_the_volume_that_is_allowed(discrete: DiscreteProblem) -> None:
    from trabecula.design import Schedule

    bench = Workbench(discrete, 1)
    analysis = bench.analysis(discrete)
    step = bench.begin_uniform(analysis, bench.plan(discrete, Schedule(), Stop()))
    assert np.ptp(step.x) == 0.0
    assert analysis.chain.volume(step.x) == pytest.approx(0.4)
