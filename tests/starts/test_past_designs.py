"""Past designs enter the coarsest grid as starts of that grid, whatever grid they come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.plan import Stop
from trabecula.problem import problems
from trabecula.starts import PastDesigns
from trabecula.storage.reading import UnreadableError
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import run_to_end
from trabecula.strategy.workbench import Workbench

PLATE = problems.cantilever((44, 22))


def test_a_past_design_begins_half_grey_inside_its_bounds() -> None:
    problem = problems.l_bracket((40, 40))
    discrete = discretise(problem)
    chain = Analysis(discrete, 1).chain
    (proposal,) = PastDesigns((np.ones((80, 80)),)).propose(discrete, chain, 8)
    assert proposal.kind == "past"
    assert proposal.density.shape == (40, 40)
    np.testing.assert_array_equal(proposal.density[discrete.upper == 0], 0.0)
    assert proposal.density.max() == pytest.approx(0.5 + 0.5 * 0.4)
    assert proposal.schedule.penalty(0) < 3.0 == proposal.schedule.penalty(99)


def test_no_more_are_proposed_than_asked_for() -> None:
    discrete = discretise(PLATE)
    chain = Analysis(discrete, 1).chain
    assert len(list(PastDesigns((np.ones((22, 44)),) * 3).propose(discrete, chain, 2))) == 2


def final(problem: tb.Problem, *designs: np.ndarray) -> tuple[float, list[str]]:
    """The compliance, and the names of the runs on the way to it."""
    names: list[str] = []

    class Listing(Checkpoints):
        def run(self, name, *rest):  # type: ignore[no-untyped-def]
            names.append(name)
            return super().run(name, *rest)

    search = Search(proposals=2, also=(PastDesigns(designs),) if designs else ())
    bench = Workbench(discretise(problem), 1, Listing())
    outcome = run_to_end(coarse_to_fine(bench, search, Stop(change=1e-4)))
    return outcome.step.merit, names


def test_a_past_design_that_leads_on_the_coarsest_grid_goes_on_beside_the_others() -> None:
    problem = problems.cantilever((96, 48), volume=0.25)
    wide = tb.solve(problem, proposals=16)
    alone, _ = final(problem)
    found, names = final(problem, np.asarray(wide.density, dtype=np.float64))
    assert "fine-past-0" in names
    assert found <= alone * 1.001


def test_a_past_design_that_is_beaten_costs_its_coarse_run_only() -> None:
    problem = problems.mbb((120, 40))
    bad = np.zeros((40, 120))
    bad[20:] = 1.0
    found, names = final(problem, bad)
    alone, without = final(problem)
    assert [name for name in names if name not in without] == ["0-past-0"]
    assert found == alone


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"also": [np.ones((3, 3, 3))]}, "2 axes"),
        ({"also": [np.ones((0, 3))]}, "2 axes"),
        ({"also": [np.full((3, 3), np.nan)]}, "between 0 and 1"),
        ({"also": [np.full((3, 3), 1.5)]}, "between 0 and 1"),
        ({"also": [np.ones((3, 3))], "start": "uniform"}, "search on coarse grids"),
        ({"also": [np.ones((3, 3))] * 2, "proposals": 1}, "at most"),
    ],
)
def test_what_is_no_design_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tb.solve(PLATE, **arguments)  # type: ignore[arg-type]


def test_resuming_asks_for_the_same_past_designs(tmp_path: Path) -> None:
    design = np.tile(np.linspace(0.0, 1.0, 22)[:, None], (1, 44))
    whole = tb.solve(PLATE, proposals=2, also=[design], out=tmp_path / "whole")
    travel = tb.iterate(PLATE, proposals=2, also=[design], out=tmp_path / "cut", threads=1)
    for _ in range(100):
        next(travel)
    travel.close()
    for wrong in ([], [1.0 - design], [design.reshape(44, 22)]):
        with pytest.raises(UnreadableError, match="another problem"):
            tb.solve(PLATE, proposals=2, also=wrong, out=tmp_path / "cut", resume=True)
    gone_on = tb.solve(PLATE, proposals=2, also=[design], out=tmp_path / "cut", resume=True)
    np.testing.assert_array_equal(gone_on.density, whole.density)


def test_a_single_grid_takes_past_designs_too() -> None:
    problem = replace(PLATE, options=replace(PLATE.options, penalty=2.0))
    alone = tb.solve(problem, proposals=2)
    helped = tb.solve(problem, proposals=2, also=[alone.density])
    assert helped.compliance <= alone.compliance * 1.001
