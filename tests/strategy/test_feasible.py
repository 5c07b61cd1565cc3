"""What cannot be done is said before it is tried; what comes out keeps its limits and is solved."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.problem import parse
from trabecula.status import NoDesignError, Status
from trabecula.strategy.feasible import KEPT, keep_limits, refuse_unsolvable
from trabecula.strategy.workbench import Workbench

PLATE: dict[str, Any] = {
    "trabecula": 1,
    "domain": {"size": [2.0, 1.0], "elements": [40, 20]},
    "material": "steel",
    "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
    "loads": [{"where": {"x": 2, "y": 0}, "force": [0, -1000]}],
    "goal": {"minimize": "volume", "compliance": 1e-3},
    "options": {"projection": False},
}
FULL = 2.104e-4
"""Compliance of the full plate in J."""


def plate(**changes: Any) -> tb.Problem:
    return parse(PLATE | changes)


def flat(ratio: float, elements: tuple[int, int] = (40, 20)) -> DiscreteProblem:
    size = [ratio * elements[0], 1.0 * elements[1]]
    tree = PLATE | {
        "domain": {"size": size, "elements": list(elements)},
        "loads": [{"where": {"x": size[0], "y": 0}, "force": [0, -1000]}],
        "goal": {"minimize": "compliance", "volume": 0.4},
    }
    return discretise(parse(tree))


def test_a_limit_that_the_full_solid_misses_is_infeasible_before_anything_is_optimised() -> None:
    steps = tb.iterate(plate(goal={"minimize": "volume", "compliance": 0.99 * FULL}))
    with pytest.raises(
        NoDesignError, match=r"full solid exceeds the limit on the compliance: it reaches 0.0002104 J"
    ) as caught:
        next(steps)
    assert caught.value.status is Status.INFEASIBLE


@pytest.mark.parametrize("share", [0.99, 0.5, 1e-3])
def test_what_is_said_to_mend_a_limit_out_of_reach_mends_it(share: float) -> None:
    """The refusal names what the full solid reaches and how much stiffer the material must be."""
    limit = share * FULL
    with pytest.raises(NoDesignError) as caught:
        refuse_unsolvable(Workbench(discretise(plate(goal={"minimize": "volume", "compliance": limit})), 1))
    found = re.search(
        r"reaches (\S+) J, and (\S+) J is allowed; .* is (\S+) times as stiff$", str(caught.value)
    )
    assert found is not None
    reached, allowed, stiffer = map(float, found.groups())
    assert reached == pytest.approx(FULL, rel=1e-3)
    assert allowed == pytest.approx(limit, rel=1e-3)
    young = {"young": 210e9 * stiffer, "poisson": 0.3, "density": 7850}
    for tree in (
        {"goal": {"minimize": "volume", "compliance": 1.01 * reached}},
        {"goal": {"minimize": "volume", "compliance": limit}, "material": young},
    ):
        refuse_unsolvable(Workbench(discretise(plate(**tree)), 1))


def test_of_several_limits_out_of_reach_the_farthest_is_named() -> None:
    load = PLATE["loads"]
    cases = [{"name": "a", "loads": load}, {"name": "b", "loads": [load[0] | {"force": [0, -2000]}]}]
    goal = {"minimize": "volume", "compliance": [0.9 * FULL, 0.9 * FULL]}
    tree = {key: value for key, value in PLATE.items() if key != "loads"} | {"cases": cases, "goal": goal}
    said = r"the compliance of case 2 \(2 limits are out of reach, this one farthest\): it reaches 0.0008"
    with pytest.raises(NoDesignError, match=said):
        refuse_unsolvable(Workbench(discretise(parse(tree)), 1))


def test_a_limit_out_of_reach_is_seen_beside_a_limit_on_the_volume() -> None:
    goal = {"minimize": "compliance", "volume": 0.5}
    tree = plate(goal=goal, limits=[{"compliance": 0.9 * FULL}])
    with pytest.raises(NoDesignError, match=r"full solid exceeds the limit on the compliance"):
        refuse_unsolvable(Workbench(discretise(tree), 1))
    refuse_unsolvable(Workbench(discretise(plate(goal=goal, limits=[{"compliance": 1.01 * FULL}])), 1))


def test_a_limit_just_above_the_full_solid_can_be_kept() -> None:
    result = tb.solve(plate(goal={"minimize": "volume", "compliance": 1.02 * FULL}), proposals=2)
    assert result.volume > 0.8
    assert result.certificate.volume_violation is not None
    assert result.certificate.volume_violation <= KEPT


def test_passive_solid_that_the_filter_spreads_beyond_the_volume_is_infeasible() -> None:
    solid = [{"where": {"x": [0, 0.58]}, "as": "solid"}]
    goal = {"minimize": "compliance", "volume": 0.31}
    filtered = plate(
        regions=solid,
        goal=goal,
        options={"filter": {"kind": "helmholtz", "radius": 0.3}, "projection": False},
    )
    with pytest.raises(NoDesignError, match=r"once the filter has spread it, goal.volume allows 0.31"):
        tb.solve(filtered)
    assert tb.solve(
        plate(regions=solid, goal=goal, options={"filter": "none"}), proposals=2
    ).volume <= 0.31 * (1 + KEPT)


def test_what_a_projection_will_take_back_is_no_reason_to_refuse() -> None:
    solid = [{"where": {"x": [0, 0.58]}, "as": "solid"}]
    options = {"filter": {"kind": "helmholtz", "radius": 0.3}, "projection": True}
    discrete = discretise(
        plate(regions=solid, goal={"minimize": "compliance", "volume": 0.31}, options=options)
    )
    chain = Analysis(discrete, 1).chain
    assert chain.volume(chain.physical(discrete.lower, 1.0)) > 0.31
    refuse_unsolvable(Workbench(discrete, 1))


def test_own_weight_is_not_judged_by_the_full_solid() -> None:
    loads = [*PLATE["loads"], {"gravity": [0, -9.81]}]
    heavy = discretise(plate(loads=loads, goal={"minimize": "volume", "compliance": 1e-6}))
    refuse_unsolvable(Workbench(heavy, 1))


@pytest.mark.parametrize("ratio", [1.0, 4.0, 12.0, 20.0, 50.0])
def test_voxels_that_are_a_little_flat_are_solved(ratio: float) -> None:
    refuse_unsolvable(Workbench(flat(ratio), 1))
    analysis = Analysis(flat(ratio), 1)
    x = keep_limits(analysis, analysis.chain.uniform(0.4), 3.0, 1.0)
    assert analysis.chain.volume(x) == pytest.approx(0.4)


@pytest.mark.parametrize("ratio", [300.0, 1000.0])
def test_voxels_so_flat_that_double_precision_ends_are_refused_with_the_reason(ratio: float) -> None:
    with pytest.raises(NoDesignError, match=r"voxels are .* times as long as wide") as caught:
        refuse_unsolvable(Workbench(flat(ratio), 1))
    assert caught.value.status is Status.NOT_SOLVABLE


@pytest.mark.parametrize("kind", ["density", "sensitivity", "helmholtz", "none"])
@pytest.mark.parametrize("optimizer", ["oc", "mma"])
def test_no_way_ends_with_an_exceeded_limit_or_with_nothing(kind: str, optimizer: str) -> None:
    options = {"filter": {"kind": kind}, "optimizer": optimizer}
    result = tb.solve(plate(options=options), proposals=2, iterations=60)
    violation = result.certificate.volume_violation
    assert violation is not None and violation <= KEPT
    assert result.compliance <= 1e-3 * (1 + KEPT)
    assert 0.05 < result.volume < 0.9


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_a_design_that_exceeds_a_limit_is_brought_back_to_it(share: float) -> None:
    analysis = Analysis(discretise(plate()), 1)
    x = share * np.random.default_rng(0).uniform(0.0, 1.0, analysis.discrete.grid.shape) ** 2
    kept = keep_limits(analysis, x, 3.0, 1.0)
    found = analysis.evaluate(kept, 3.0, tolerance=1e-8)
    assert -1e-2 < found.constraints[0].value <= KEPT
    assert (kept >= x).all() and (kept <= 1.0).all()


def test_a_design_that_keeps_its_limits_is_left_alone() -> None:
    analysis = Analysis(discretise(plate()), 1)
    x = np.full(analysis.discrete.grid.shape, 0.9)
    assert keep_limits(analysis, x, 3.0, 1.0) is x


def test_several_limits_are_kept_at_once() -> None:
    problem = discretise(plate())
    loads = np.concatenate([problem.loads, 2 * problem.loads[:, ::-1]])
    twice = replace(
        problem,
        loads=loads * ~problem.fixed,
        gravity=np.zeros((2, 2)),
        weights=np.ones(2),
        goal=replace(problem.goal, compliance=(1e-3, 5e-4)),
    )
    analysis = Analysis(twice, 1)
    kept = keep_limits(analysis, np.full(problem.grid.shape, 0.3), 3.0, 1.0)
    values = [c.value for c in analysis.evaluate(kept, 3.0, tolerance=1e-8).constraints]
    assert max(values) <= KEPT and max(values) > -1e-2
