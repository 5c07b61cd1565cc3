"""A sweep: results in order, as single solves give them; kept, taken up again; no error loses another's."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trabecula as tb
from trabecula.solve import solve
from trabecula.status import NoteWarning
from trabecula.strategy import sweep as room

BEAM = tb.problems.mbb((18, 6))
QUICK: dict[str, Any] = {"start": "uniform", "iterations": 12}


def solve_or_die(problem: tb.Problem, **arguments: Any) -> tb.Result:
    """A solve whose process is killed for one value."""
    if problem.goal.volume == 0.5:
        os._exit(9)
    return solve(problem, **arguments)


def solve_or_raise(problem: tb.Problem, **arguments: Any) -> tb.Result:
    """A solve that stops in the middle for one value, as an interrupted one does."""
    if problem.goal.volume == 0.5:

        def stop(step: tb.Progress) -> None:
            if step.iteration == 7:
                raise OSError("the disk is full")

        arguments["progress"] = stop
    return solve(problem, **arguments)


def forbid(problem: tb.Problem, **arguments: Any) -> tb.Result:
    """What must not be called."""
    raise AssertionError("solved again")


def run(function: Any, values: list[float], out: Path | None, **arguments: Any) -> tb.Sweep:
    field, chosen, put = room.choose_field({"volume": values}, None, None)
    return room.run_sweep(function, BEAM, field, chosen, put, out, 2, True, {**QUICK, **arguments})


def test_a_sweep_gives_what_single_solves_give_in_order(tmp_path: Path) -> None:
    found = tb.sweep(BEAM, volume=[0.6, 0.3], out=tmp_path, **QUICK)
    assert found.values == (0.6, 0.3) and found.errors == (None, None)
    for value, result in zip(found.values, found.results, strict=True):
        alone = tb.solve(replace(BEAM, goal=replace(BEAM.goal, volume=value)), **QUICK)
        assert result is not None
        np.testing.assert_array_equal(result.design, alone.design)
        np.testing.assert_array_equal(tb.Result.load(tmp_path / f"volume-{value}").density, alone.density)
    assert repr(found) == "<Sweep over volume, 0.6 to 0.3: 2 of 2 values solved>"


def test_the_table_and_its_text_say_the_same(tmp_path: Path) -> None:
    with pytest.warns(NoteWarning, match=r"1 of 2 values has no result: volume 7.0: goal.volume: got 7"):
        found = tb.sweep(BEAM, volume=[0.5, 7.0], **QUICK)
    first, second = found.table()
    assert first["value"] == 0.5 and first["word"] in ("verified", "certified") and first["gap"] > 0.0
    assert second["value"] == 7.0 and second["compliance"] is None and "needs a fraction" in second["error"]
    text = found.to_csv(tmp_path / "pareto.csv")
    assert (tmp_path / "pareto.csv").read_text() == text
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0]) == list(first)
    assert float(rows[0]["compliance"]) == first["compliance"] and rows[1]["word"] == ""


def test_after_one_failed_the_others_are_taken_and_it_alone_is_solved(tmp_path: Path) -> None:
    with pytest.warns(NoteWarning, match="volume 0.5: the disk is full"):
        first = run(solve_or_raise, [0.4, 0.5, 0.6], tmp_path)
    assert [result is None for result in first.results] == [False, True, False]
    assert isinstance(first.errors[1], OSError)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("volume-0.[46]/result.json")}
    second = run(solve, [0.4, 0.5, 0.6], tmp_path)
    assert second.errors == (None, None, None) and len(before) == 2
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    alone = tb.solve(replace(BEAM, goal=replace(BEAM.goal, volume=0.5)), **QUICK)
    assert second.results[1] is not None
    np.testing.assert_array_equal(second.results[1].design, alone.design)
    third = run(forbid, [0.4, 0.5, 0.6], tmp_path)
    assert [result.compliance for result in third.results if result] == [
        result.compliance for result in second.results if result
    ]


def test_a_process_that_dies_takes_no_other_value_with_it() -> None:
    with pytest.warns(NoteWarning, match="volume 0.5: a process that should solve it ended"):
        found = run(solve_or_die, [0.5, 0.4, 0.6, 0.3], None)
    assert [result is None for result in found.results] == [True, False, False, False]


def test_where_nothing_came_out_the_first_error_is_raised() -> None:
    with pytest.raises(tb.ProblemError, match=r"goal.volume: got 3"):
        tb.sweep(BEAM, volume=[3.0, 4.0], **QUICK)


def test_more_iterations_go_on_and_fewer_do_not(tmp_path: Path) -> None:
    run(solve, [0.5], tmp_path)
    assert run(forbid, [0.5], tmp_path, iterations=5).results[0] is not None
    further = run(solve, [0.5], tmp_path, iterations=40).results[0]
    assert further is not None and further.iterations > 12
    alone = tb.solve(BEAM, start="uniform", iterations=40)
    np.testing.assert_array_equal(further.design, alone.design)


def test_the_result_of_another_problem_is_not_taken_but_may_be_replaced(tmp_path: Path) -> None:
    other = replace(BEAM, name="another")
    tb.sweep(other, volume=[0.5], out=tmp_path, **QUICK)
    with pytest.raises(ValueError, match="holds the result of another problem or start"):
        tb.sweep(BEAM, volume=[0.5], out=tmp_path, **QUICK)
    assert tb.Result.load(tmp_path / "volume-0.5").problem.name == "another"
    tb.sweep(BEAM, volume=[0.5], out=tmp_path, resume=False, **QUICK)
    assert tb.Result.load(tmp_path / "volume-0.5").problem.name == BEAM.name


def test_what_somebody_else_wrote_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "volume-0.5"
    folder.mkdir()
    (folder / "density.npy").write_text("mine")
    with pytest.raises(Exception, match=r"density\.npy"):
        tb.sweep(BEAM, volume=[0.5], out=tmp_path, **QUICK)
    assert (folder / "density.npy").read_text() == "mine"


@pytest.mark.parametrize(
    ("field", "values"), [("penalty", [1.0, 3.0]), ("radius", [0.2, 0.4]), ("compliance", [30.0, 60.0])]
)
def test_other_fields_can_be_swept_over(field: str, values: list[float]) -> None:
    problem = replace(BEAM, goal=tb.Goal("volume", compliance=(50.0,))) if field == "compliance" else BEAM
    found = tb.sweep(problem, **{field: values}, **QUICK)  # type: ignore[arg-type]
    for value, result in zip(values, found.results, strict=True):
        assert result is not None
        asked, options = result.problem, result.problem.options
        assert value in (options.penalty, options.filter.radius, (asked.goal.compliance or (None,))[0])


def test_anything_can_be_swept_over_by_a_function(tmp_path: Path) -> None:
    found = tb.sweep(
        BEAM,
        values=["steel", "wood: pine"],
        with_value=lambda problem, name: replace(problem, name=name),
        out=tmp_path,
        **QUICK,
    )
    assert [result.problem.name for result in found.results if result] == ["steel", "wood: pine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["value-steel", "value-wood_pine"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "is given nothing; it needs exactly one of volume, penalty, radius, compliance"),
        ({"volume": [0.5], "penalty": [2.0]}, "is given volume and penalty"),
        ({"volume": []}, "a list of at least one value"),
        ({"volume": 0.5}, "needs a list of values"),
        ({"volume": ["x"]}, "volume holds 'x'; it needs finite numbers"),
        ({"volume": [float("nan")]}, "needs finite numbers"),
        ({"volume": [0.5, 0.5]}, "values must differ"),
        ({"values": [1]}, "values and with_value belong together"),
        ({"volume": [0.5], "workers": 0}, "workers is 0"),
        ({"volume": [0.5], "progress": print}, "sweep takes no progress"),
    ],
)
def test_wrong_arguments_are_one_clear_error(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tb.sweep(BEAM, **arguments)


def test_an_argument_that_solve_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="nonsense"):
        tb.sweep(BEAM, volume=[0.5], nonsense=1)
