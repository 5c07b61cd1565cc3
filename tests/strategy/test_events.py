"""Every step of every run is published, of the proof too, in the units of the problem."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from trabecula import where
from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.problem import problems

PLATE = problems.cantilever((64, 32))


def steps_of(problem: tb.Problem, **how: object) -> tuple[list[tb.Progress], tb.Result]:
    steps: list[tb.Progress] = []
    result = tb.solve(problem, progress=steps.append, **how)  # type: ignore[arg-type]
    return steps, result


def iterations(steps: list[tb.Progress]) -> dict[str, list[int]]:
    """Iterations told of every run, in the order in which they came."""
    found: dict[str, list[int]] = defaultdict(list)
    for step in steps:
        if step.stage != "proof: equilibrium":
            found[step.run].append(step.iteration)
    return dict(found)


def test_runs_side_by_side_tell_every_step_as_runs_one_after_the_other_do() -> None:
    (one, first), (two, second) = (steps_of(PLATE, proposals=5, threads=n) for n in (1, 2))
    assert iterations(two) == iterations(one)
    assert len(iterations(two)["0-cold"]) == 60
    np.testing.assert_array_equal(first.design, second.design)


def test_looking_at_every_design_changes_nothing() -> None:
    looked: list[float] = []
    unseen = tb.solve(PLATE, proposals=3, threads=2)
    seen = tb.solve(
        PLATE, proposals=3, threads=2, progress=lambda step: looked.append(float(step.density.sum()))
    )
    assert len(looked) > 100
    np.testing.assert_array_equal(seen.design, unseen.design)
    assert seen.solves == unseen.solves


def test_the_last_density_is_that_of_the_result() -> None:
    for problem in (PLATE, replace(PLATE, options=replace(PLATE.options, projection=True))):
        steps, result = steps_of(problem, start="uniform", iterations=60)
        last = [step for step in steps if step.stage == "uniform"][-1]
        assert last.density.dtype == np.float32
        assert last.design.dtype == np.float64
        after = last.chain.physical(last.design, max(last.beta, 1.0))
        np.testing.assert_array_equal(last.density, after.astype(np.float32).clip(0, 1))
        assert np.abs(last.density - result.density).max() < 1e-6
        assert not np.array_equal(last.density, last.design), "filtered"
        assert last.beta == result.beta and last.penalty == result.penalty


def test_a_design_that_is_handed_out_is_the_callers_own() -> None:
    def scribble(step: tb.Progress) -> None:
        step.design[:] = 0.0
        step.density[:] = 0.0
        with pytest.raises(ValueError, match="read-only"):
            step.variables[:] = 0.0

    undisturbed = tb.solve(PLATE, start="uniform", iterations=8)
    disturbed = tb.solve(PLATE, start="uniform", iterations=8, progress=scribble)
    np.testing.assert_array_equal(disturbed.design, undisturbed.design)


def test_nothing_is_filtered_for_those_who_do_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    plain = DesignChain.physical

    def counted(self: DesignChain, *given: object) -> np.ndarray:
        calls.append(1)
        return plain(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(DesignChain, "physical", counted)
    tb.solve(PLATE, start="uniform", iterations=6)
    unlooked = len(calls)
    calls.clear()
    tb.solve(PLATE, start="uniform", iterations=6, progress=lambda step: None)
    assert len(calls) == unlooked
    calls.clear()
    tb.solve(PLATE, start="uniform", iterations=6, progress=lambda step: (step.density, step.density))
    assert len(calls) > unlooked


def test_every_grid_tells_its_shape_and_its_spacing_in_metres() -> None:
    problem = problems.cantilever((96, 48))
    steps, _ = steps_of(problem, proposals=2)
    grids = {grid.grid.shape: grid.grid.spacing for grid in grid_hierarchy(discretise(problem))}
    told = {step.shape: step.spacing for step in steps}
    assert told == grids
    assert all(step.density.shape == step.shape == step.design.shape for step in steps)


def test_figures_are_in_the_units_of_the_problem_and_of_the_history() -> None:
    weak = replace(PLATE, cases=(tb.LoadCase((tb.Load(where.Nodes(((2.0, 0.5),)), force=(0.0, -1e-3)),)),))
    steps, result = steps_of(weak, start="uniform", iterations=5)
    for step, row in zip(steps, result.history, strict=False):
        assert step.compliance == row["compliance"] and step.objective == row["objective"]
        assert (step.penalty, step.volume, step.change) == (row["penalty"], row["volume"], row["change"])
        (limit,) = step.limits
        assert (limit.name, limit.value, limit.limit) == ("volume", step.volume, 0.4)
        assert limit.violation == row["violation"]


def test_a_limit_on_a_compliance_is_told_in_joules() -> None:
    problem = replace(PLATE, goal=tb.Goal("volume", compliance=(2.5,)))
    steps, result = steps_of(problem, start="uniform", iterations=80)
    first, last = steps[0], steps[len(result.history) - 1]
    assert first.limits[0].name == "compliance" and first.limits[0].limit == pytest.approx(2.5)
    assert first.limits[0].value == first.compliance
    assert last.compliance == result.history[-1]["compliance"]
    assert last.objective == result.history[-1]["objective"], "a volume: no unit"
    assert last.limits[0].violation == pytest.approx(max(0.0, last.compliance / 2.5 - 1.0), abs=1e-12)


def test_of_several_limits_each_is_told_with_the_worst_violation() -> None:
    down = tb.LoadCase((tb.Load(where.Nodes(((2.0, 0.5),)), force=(0.0, -10e3)),), "down", 0.5)
    along = tb.LoadCase((tb.Load(where.Nodes(((2.0, 1.0),)), force=(5e3, 0.0)),), "along", 0.5)
    problem = replace(PLATE, cases=(down, along), goal=tb.Goal("volume", compliance=(2.3, 1.5)))
    steps, _ = steps_of(problem, start="uniform", iterations=3)
    limits = steps[0].limits
    assert [(limit.value, limit.limit) for limit in limits] == [(None, 2.3), (None, 1.5)]
    assert limits[0].name != limits[1].name, "a name says which case"
    assert limits[0].violation == limits[1].violation >= 0.0


@pytest.mark.parametrize("goal", ["compliance", "volume"])
def test_the_bound_is_told_iteration_by_iteration(goal: str) -> None:
    problem = PLATE if goal == "compliance" else replace(PLATE, goal=tb.Goal("volume", compliance=(2.5,)))
    steps, result = steps_of(problem, proposals=1)
    bound = [step for step in steps if step.stage == "proof: bound"]
    made = iterations(bound)
    coarse, finest = "relaxation on 32x32", "relaxation on 64x32"
    assert made[coarse] == list(range(1, len(made[coarse]) + 1)) and len(made[coarse]) > 2
    assert len(made[finest]) == next(s.iterations for s in result.stages if s.name == "proof")
    assert all(step.bound is None for step in bound if step.run == coarse), "no bound of this problem"
    found = [step.bound for step in bound if step.run == finest and step.bound is not None]
    assert found == sorted(found)
    assert result.certificate.lower_bound == pytest.approx(found[-1], rel=0.02)
    assert steps[-1].stage == "proof: equilibrium"
    assert steps[-1].bound == result.certificate.lower_bound
    assert steps[-1].shape == result.density.shape


def test_a_step_is_json_without_its_arrays() -> None:
    steps, _ = steps_of(PLATE, proposals=1)
    for step in steps[:: len(steps) // 20]:
        _ = step.density, step.design
        said = json.loads(json.dumps(step.to_json(), allow_nan=False))
        assert said["stage"] == step.stage and said["iteration"] == step.iteration
        assert said["shape"] == list(step.shape) and said["spacing"] == list(step.spacing)
        assert said["limits"][0]["name"] == "volume"
        assert not {"variables", "chain", "density", "design"} & said.keys()
    unknown = replace(steps[0], objective=float("inf"), change=float("nan")).to_json()
    assert unknown["objective"] is None and unknown["change"] is None


def test_a_step_shows_itself_on_one_line() -> None:
    steps, _ = steps_of(PLATE, start="uniform", iterations=2)
    assert repr(steps[0]).count("\n") == 0 and len(repr(steps[0])) < 160
    assert "uniform" in repr(steps[0]) and "64x32" in repr(steps[0])


def test_runs_of_one_design_on_several_grids_share_their_origin() -> None:
    steps, _ = steps_of(problems.cantilever((96, 48)), proposals=3)
    last = [step for step in steps if step.run.startswith("finish-")][-1]
    runs = {step.run for step in steps if step.origin == last.origin}
    assert {f"0-{last.origin}", last.run} <= runs or last.origin.startswith("fresh")
    assert all(step.origin for step in steps if not step.stage.startswith("proof"))
