"""The rules of a history, written once more for `check`, are those that the loop obeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache

import pytest

import trabecula as tb
from tests.certificate.grids import mbb
from trabecula.certificate import consistency, words
from trabecula.certificate import history as way
from trabecula.certificate.history import has_stopped, trouble_of_rows
from trabecula.design import Schedule, interpolation, sharpen_soon
from trabecula.discretisation import discretise
from trabecula.optimize import plan, step
from trabecula.optimize.plan import Stop
from trabecula.problem import problems
from trabecula.problem.problems import heat
from trabecula.solve import KKT, STARTS
from trabecula.strategy import first_design
from trabecula.strategy.multistart import with_projection

STOP = Stop()


def test_the_rules_are_those_of_the_loop() -> None:
    sharp = with_projection(mbb(projection=True), Schedule())
    assert (sharp.beta_start, sharp.beta_end) == (way.FLATTEST, way.SHARPEST)
    assert (sharp.hold, sharp.factor) == (way.HOLD, way.FACTOR)
    raised = with_projection(mbb(projection=True), Schedule(), interpolation.CRISP_CONDUCTION)
    assert (raised.last, raised.rise) == (way.CONDUCTION, way.RISE)
    assert (STOP.window, STOP.patience) == (way.WINDOW, way.PATIENCE)
    assert (STOP.projected_kkt, STOP.resting_kkt) == (way.PROJECTED_KKT, way.AT_REST)
    assert STOP.violation == words.VIOLATION
    assert (STOP.kkt_every, plan.NOISE, KKT) == (way.EVERY, way.NOISE, way.KKT)
    soon = sharpen_soon(Schedule())
    assert (soon.beta_start, soon.beta_end) == (way.SOON_FLATTEST, way.SHARPEST)
    assert (soon.hold, soon.factor) == (way.SOON_HOLD, way.SOON_FACTOR)
    assert first_design.HAND_OVER.ramp == way.SOON_SHORTEST
    assert tuple(field.name for field in fields(step.Row)) == way.COLUMNS
    assert consistency.STARTS is STARTS


@cache
def result(start: str = "uniform", iterations: int | None = None, projection: bool = False) -> tb.Result:
    problem = problems.mbb((24, 8))
    problem = replace(problem, options=replace(problem.options, projection=projection))
    return tb.solve(problem, start=start, iterations=iterations, threads=1)


@pytest.mark.parametrize("start", ["uniform", "classical"])
@pytest.mark.parametrize("projection", [False, True])
def test_the_stopping_rule_is_met_at_the_end_and_not_before(start: str, projection: bool) -> None:
    found = result(start, None, projection)
    discrete, rows = discretise(found.problem), list(found.history)
    assert found.converged
    assert trouble_of_rows(discrete, rows, start) == ""
    met = [has_stopped(discrete, rows[:n], start, found.tolerance) for n in range(1, len(rows) + 1)]
    assert met == [False] * (len(rows) - 1) + [True]


def test_a_looser_tolerance_is_met_earlier() -> None:
    found = result()
    discrete, rows = discretise(found.problem), list(found.history)
    assert not has_stopped(discrete, rows[:-1], "uniform", found.tolerance)
    assert has_stopped(discrete, rows, "uniform", 0.1)
    assert not has_stopped(discrete, rows, "uniform", 1e-12)


@pytest.mark.parametrize(
    ("number", "changed", "said"),
    [
        (3, {"iteration": 4}, "iteration"),
        (3, {"penalty": 1.3}, "penalty"),
        (3, {"beta": 2.0}, "beta"),
        (3, {"compliance": 1.0}, "objective"),
        (3, {"violation": 0.1}, "violation"),
        (3, {"volume": 0.9}, "violation"),
        (3, {"change": 1.5}, "outside"),
        (3, {"change": -0.1}, "below 0"),
        (3, {"seconds": float("nan")}, "number"),
        (3, {"cg_iterations": 1.5}, "whole number"),
        (3, {"objective": "low"}, "number"),
        (3, {"kkt": 0.1}, "KKT"),
        (3, {"praise": 1.0}, "praise"),
    ],
)
def test_a_row_that_cannot_be_is_told(number: int, changed: Mapping[str, object], said: str) -> None:
    found = result()
    rows: list[way.Row] = list(found.history)
    rows[number] = {**rows[number], **changed}  # type: ignore[dict-item]
    assert said in trouble_of_rows(discretise(found.problem), rows, "uniform")
    assert f"row {number}" in trouble_of_rows(discretise(found.problem), rows, "uniform")


@cache
def result_of_a_first_design() -> tb.Result:
    """What comes out where the search finds nothing better."""
    problem = problems.get("cantilever", (96, 48))
    problem = replace(problem, options=replace(problem.options, projection=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_design, "LEAST", 0)
        patch.setattr(first_design, "better_end", lambda analysis, found, first: first)
        return tb.solve(problem, threads=1)


def test_the_schedule_of_a_first_design_that_is_the_result_is_known() -> None:
    found = result_of_a_first_design()
    discrete, rows = discretise(found.problem), list(found.history)
    assert found.converged
    assert rows[0]["beta"] == way.SOON_FLATTEST
    assert trouble_of_rows(discrete, rows, "coarse") == ""
    assert has_stopped(discrete, rows, "coarse", found.tolerance)


def test_that_schedule_belongs_to_searches_only_and_to_no_other_steepness() -> None:
    found = result_of_a_first_design()
    discrete, rows = discretise(found.problem), list(found.history)
    assert "penalties" in trouble_of_rows(discrete, rows, "uniform")
    late = [{**row, "penalty": 3.0} for row in rows]
    assert "beta" in trouble_of_rows(discrete, late, "classical")
    changed = [*rows[:5], {**rows[5], "beta": 9.0}, *rows[6:]]
    assert "beta" in trouble_of_rows(discrete, changed, "coarse")


def test_a_history_without_rows_columns_or_the_ramp_of_its_start_is_told() -> None:
    found = result()
    discrete = discretise(found.problem)
    assert trouble_of_rows(discrete, [], "uniform") == "it holds no iteration"
    assert "'volume'" in trouble_of_rows(discrete, [{"iteration": 0}], "uniform")
    assert "penalties" in trouble_of_rows(discrete, list(found.history), "classical")
    flat = [{**row, "penalty": 3.0} for row in found.history]
    assert "penalties" in trouble_of_rows(discrete, flat, "uniform")


@pytest.mark.parametrize("start", ["coarse", "uniform", "classical"])
def test_the_penalty_of_a_crisp_tree_of_conductors_rises_on_and_its_part_is_the_design(start: str) -> None:
    problem = heat.heat_sink((40, 40), 0.4, 0.0045)
    problem = replace(problem, options=replace(problem.options, projection=True))
    found = tb.solve(problem, start=start, threads=1)
    discrete, rows = discretise(found.problem), list(found.history)
    assert found.converged and found.part is not None
    assert trouble_of_rows(discrete, rows, start) == ""
    assert has_stopped(discrete, rows, start, found.tolerance)
    assert found.penalty == rows[-1]["penalty"] == way.CONDUCTION
    assert found.certificate.grey is not None and found.certificate.grey < 0.025
    assert found.check().ok
    flat = [{**row, "penalty": min(3.0, float(row["penalty"]))} for row in rows]
    assert "penalty" in trouble_of_rows(discrete, flat, start)
