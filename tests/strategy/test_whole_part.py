"""Members that hang on the corners of voxels are no members of the part."""

from __future__ import annotations

from dataclasses import replace

import trabecula as tb
from benchmarks import random_problems
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.discretisation.precheck import prepare
from trabecula.problem import problems
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.request import Request
from trabecula.strategy.runner import run_to_end
from trabecula.strategy.whole_part import finish_whole
from trabecula.strategy.workbench import Workbench


def hinged() -> tb.Problem:
    """A problem whose search ends in a design one member of which is a chain of voxels."""
    problem = random_problems.get(16)
    return replace(problem, options=replace(problem.options, projection=True))


def test_what_hangs_on_corners_is_worked_out_once_more() -> None:
    result = tb.solve(hinged(), threads=2)
    assert result.part is not None
    assert result.word == "certified" and result.part.removed == 0.0
    discrete = nondimensional(prepare(hinged())[0]).problem
    request = Request()
    bench = Workbench(discrete, 2)
    before = run_to_end(coarse_to_fine(bench, request.search(discrete), request.stop))
    after = run_to_end(finish_whole(bench, before, request.search(discrete), request.stop))
    assert len(after.step.rows) == result.iterations and after.step is not before.step
    assert after.stages[-1].iterations > before.stages[-1].iterations


def test_a_design_that_is_its_part_is_left_as_it_is() -> None:
    discrete = nondimensional(prepare(problems.mbb((120, 40)))[0]).problem
    bench, request = Workbench(discrete, 2), Request()
    before = run_to_end(coarse_to_fine(bench, request.search(discrete), request.stop))
    assert run_to_end(finish_whole(bench, before, request.search(discrete), request.stop)) is before
