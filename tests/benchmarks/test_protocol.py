"""The protocol cuts, compares and counts as it says; its problems are the same on every grid."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import protocol
from benchmarks.protocol import Judged, Method
from benchmarks.report import Report
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.starts import volume_of

SMALL = 16


@pytest.fixture(scope="module")
def discrete() -> DiscreteProblem:
    return prepare(protocol.get(0, SMALL))[0]


def test_problems_are_the_same_on_every_grid() -> None:
    for number in range(30):
        coarse, fine = protocol.get(number, 64), protocol.get(number, 256)
        assert protocol.get(number, 64) == coarse
        assert coarse.supports == fine.supports
        assert coarse.cases == fine.cases
        assert coarse.goal == fine.goal


def test_problems_are_as_published() -> None:
    found = [protocol.get(number) for number in range(60)]
    for problem in found:
        (load,) = problem.cases[0].loads
        assert load.force is not None
        assert math.hypot(*load.force) == pytest.approx(1.0)
        assert problem.material.poisson == 0.33
        assert problem.options.filter.radius == pytest.approx(1.5 / 64)
        assert problem.options.minimum_stiffness == 1e-9
        assert 0.3 <= (problem.goal.volume or 0) <= 0.52
    assert len({problem.goal.volume for problem in found}) == 12
    assert {len(problem.supports) for problem in found} == {1, 2, 3}


def test_cuts() -> None:
    density = np.array([[0.1, 0.5], [0.51, 0.9]])
    np.testing.assert_array_equal(protocol.cut(density, "0.5", 0.3), [[False, False], [True, True]])
    np.testing.assert_array_equal(protocol.cut(density, "exact volume", 0.75), [[False, True], [True, True]])
    assert protocol.cut(np.full((8, 8), 0.3), "exact volume", 0.3).sum() == round(0.3 * 64)


def test_compliance_is_that_of_the_fast_solver(discrete: DiscreteProblem) -> None:
    solid = np.ones(discrete.grid.shape, dtype=bool)
    fast = Analysis(discrete, 1).evaluate(solid.astype(float), 3.0, tolerance=1e-10).compliance
    assert protocol.compliance_of(discrete, solid) == pytest.approx(fast, rel=1e-6)


def test_a_load_in_void_fails_and_an_island_floats(discrete: DiscreteProblem) -> None:
    full = protocol.compliance_of(discrete, np.ones(discrete.grid.shape, dtype=bool))
    empty, _ = protocol.judged(discrete, np.zeros(discrete.grid.shape), [full, full])
    assert empty.unloaded and not empty.floating
    assert empty.error > protocol.FAILED
    assert empty.volume_error == pytest.approx(1.0)
    island = np.ones(discrete.grid.shape)
    island[7:10, 7:10] = 0.0
    whole, _ = protocol.judged(discrete, island, [full, full])
    island[8, 8] = 1.0
    floating, _ = protocol.judged(discrete, island, [full, full])
    assert floating.floating and not whole.floating
    assert not floating.unloaded


def test_steps_are_as_many_as_asked_for(discrete: DiscreteProblem) -> None:
    start = protocol.uniform(discrete)
    assert protocol.refined(discrete, start, 0) is start
    one, five = (protocol.refined(discrete, start, steps) for steps in (1, 5))
    assert np.abs(one - start).max() == pytest.approx(0.2)
    assert 0.2 < np.abs(five - start).max() <= 1.0
    assert five.mean() == pytest.approx(volume_of(discrete), rel=1e-4)


def test_a_method_that_draws_the_reference_has_no_error() -> None:
    problem = protocol.get(1, SMALL)
    oracle = Method("oracle", protocol.reference)
    found = protocol.run(problem, [oracle, *protocol.METHODS])
    for how in protocol.CUTS:
        assert found["reference", 0, how].error == pytest.approx(0.0, abs=1e-9)
        assert found["oracle", 0, how].error == pytest.approx(0.0, abs=1e-9)
    assert found["uniform", 0, "0.5"].unloaded
    assert found["coarse", 10, "exact volume"].error < 0.1
    assert found["oracle", 0, "exact volume"].volume_error <= 0.5 / SMALL**2 / 0.3


def test_tables_are_over_all_runs() -> None:
    runs = [
        {("m", 5, "exact volume"): Judged(error, 0.02, floating, unloaded)}
        for error, floating, unloaded in ((0.01, False, False), (0.03, True, False), (1e6, True, True))
    ]
    (row,) = protocol.table(64, runs).rows
    assert row[:3] == ("m", "+5", "exact volume")
    assert row[3:] == pytest.approx((100 * (1e6 + 0.04) / 3, 3.0, 100 / 3, 2.0, 200 / 3, 100 / 3))


def test_quoted_figures_have_a_source() -> None:
    assert all(row[-1] for row in protocol.QUOTED.rows)
    assert all(len(row) == len(protocol.QUOTED.columns) for row in protocol.QUOTED.rows)


def test_the_command_prints_and_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "protocol.json"
    monkeypatch.setattr(
        "sys.argv", ["protocol", "--count", "1", "--elements", "16", "--threads", "1", "--json", str(path)]
    )
    coarse = replace(protocol.METHODS[0], name="coarse")
    protocol.main([coarse])
    out = capsys.readouterr().out
    assert "1 random problems, 16x16" in out and "Quoted from others" in out
    report = Report.load(path)
    assert [figure.goal for figure in report.figures] == [1.0, 0.0]
