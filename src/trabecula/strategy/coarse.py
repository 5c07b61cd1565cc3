"""From coarse to fine: a search on the coarsest grid that is handed over grid by grid and finished.

Every choice here is a measured one (docs/decisions/way.md, docs/decisions/proposer.md).
"""

from __future__ import annotations

from trabecula.design import Schedule
from trabecula.optimize.loop import begin
from trabecula.optimize.plan import Stop
from trabecula.strategy.first_design import finish_first, has_first_design
from trabecula.strategy.grid_continuation import continue_grids, finish
from trabecula.strategy.learned_first import best_on_one_grid, finish_ahead
from trabecula.strategy.multistart import Search, stage_of
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Run, Strategy
from trabecula.strategy.successive_halving import triage
from trabecula.strategy.whole_part import finish_whole
from trabecula.strategy.workbench import Workbench


def run(bench: Workbench, request: Request) -> Strategy:
    """Search on coarse grids, hand the best designs over, and finish the best of all.

    Where a network takes part, what it draws is finished first.
    """
    search = request.search(bench.discrete)
    outcome = yield from coarse_to_fine(bench, search, request.stop)
    return (yield from finish_whole(bench, outcome, search, request.stop))


def coarse_to_fine(bench: Workbench, search: Search, stop: Stop) -> Strategy:
    """Search on the coarsest grid, hand the best of different kinds over grid by grid, finish the best.

    Where designs are projected, a first design is finished quickly before the search. Where a network takes
    part, what it draws is taken through all grids to the stop first instead, and the search follows only
    where it is in doubt whether that design is good enough. The better of both ends counts.
    """
    if bench.discrete.options.penalty <= 1.0:
        return (yield from _solve_convex(bench, search, stop))
    if not bench.coarse_grids:
        return (yield from _search_on_one_grid(bench, search, stop))
    if search.goes_ahead:
        return (yield from finish_ahead(bench, search, stop))
    if has_first_design(bench, search):
        return (yield from finish_first(bench, search, stop))
    finest = bench.analysis(bench.discrete)
    candidates = yield from continue_grids(bench, search)
    return (yield from finish(bench, finest, candidates, search, stop))


def _solve_convex(bench: Workbench, search: Search, stop: Stop) -> Strategy:
    """Solve without penalty on the finest grid: there is one optimum, so no search is needed."""
    analysis = bench.analysis(bench.discrete)
    plan = bench.plan(bench.discrete, Schedule(1.0, 1.0), stop, search.tolerance)
    steps = bench.runner.run(
        stage_of(bench.discrete), analysis, Run("convex", plan, bench.begin_uniform(analysis, plan)), 0.5
    )
    step = yield from steps
    return bench.runner.end(step, plan, analysis)


def _search_on_one_grid(bench: Workbench, search: Search, stop: Stop) -> Strategy:
    """Search on the only grid of a problem, and take the best design to its stop at the full penalty."""
    analysis, end = bench.analysis(bench.discrete), bench.discrete.options.penalty
    if search.goes_ahead:
        best = yield from best_on_one_grid(bench, analysis, search)
    else:
        best = (yield from triage(bench, analysis, search))[0]
    plan = bench.plan(bench.discrete, Schedule(end, end), stop, search.tolerance)
    steps = bench.runner.run(
        "finish", analysis, Run("finish", plan, begin(plan, best.density), best.name), 0.7
    )
    step = yield from steps
    return bench.runner.end(step, plan, analysis)
