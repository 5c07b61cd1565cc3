from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever, mbb
from trabecula.design import Schedule
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, at_best, begin, go_on, iterate, run
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimize.stopping import step_share
from trabecula.optimizers import MMA, OC, Adaptive, MovingAsymptotes, OptimalityCriteria, Optimizer
from trabecula.problem.model import FilterOptions, Goal
from trabecula.problem.problems import get

CLASSICAL = OptimalityCriteria(OC(exponent=0.5))
ADAPTIVE = OptimalityCriteria(OC(exponent=1.0, adaptive=Adaptive()))
NEVER = Stop(change=0.0, kkt=0.0, limit=1000)


def after(problem: DiscreteProblem, plan: Plan, fraction: float = 0.4) -> Step:
    analysis = Analysis(problem, 1)
    return run(analysis, plan, analysis.chain.uniform(fraction))


def plan(stop: Stop, optimizer: Optimizer = ADAPTIVE, penalty: float = 3.0, **options: float) -> Plan:
    return Plan(optimizer, Schedule(penalty, penalty), stop, **options)


def test_it_stops_where_the_kkt_residual_is_small() -> None:
    step = after(cantilever((16, 8)), plan(replace(NEVER, kkt=0.02)))
    assert step.finished == "converged"
    measured = [row.kkt for row in step.rows if not np.isnan(row.kkt)]
    assert measured[-1] <= 0.02 < min(measured[:-1])
    assert step.rows[-1].kkt == measured[-1]


def test_it_stops_where_the_objective_no_longer_improves() -> None:
    stop = replace(NEVER, change=1e-3, window=4)
    step = after(cantilever((16, 8)), plan(stop))
    assert step.finished == "converged"
    objective = [row.objective for row in step.rows]
    gains = [
        (min(objective[: i - 3]) - min(objective[i - 3 : i + 1])) / objective[i]
        for i in range(4, len(objective))
    ]
    assert gains[-1] <= 4e-3 < min(gains[:-1])


def objectives(*values: float) -> Step:
    """A step after iterations with these objectives."""
    step = after(cantilever((2, 1)), plan(replace(NEVER, limit=1)))
    rows = tuple(replace(step.rows[0], iteration=i, objective=v, violation=0.0) for i, v in enumerate(values))
    return replace(step, rows=rows)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((9.0, 8.0, 7.0, 6.0), None),
        ((9.0, 7.0, 6.999, 6.998), "converged"),
        ((9.0, 7.0, 7.02, 7.01), "converged"),
        ((9.0, 7.0, 7.5, 7.0), None),
        ((7.0, 7.5, 7.0, 7.5), None),
        ((7.0, 7.0), None),
    ],
    ids=["improves", "rests", "is noisy", "comes back", "swings", "is young"],
)
def test_an_objective_at_rest_neither_improves_nor_swings(
    values: tuple[float, ...], verdict: str | None
) -> None:
    stop = replace(NEVER, change=1e-3, window=2)
    assert go_on(plan(stop), objectives(*values)).finished == verdict


def test_an_objective_that_swings_has_not_converged() -> None:
    """Least volume with a step too long for it passes the same value again and again."""
    problem = cantilever((16, 8), goal=Goal("volume", compliance=(96.0,)))
    for optimizer in (OC(adaptive=Adaptive()), OC(exponent=1.0, adaptive=Adaptive())):
        stop = replace(NEVER, change=1e-4)
        step = after(problem, plan(stop, OptimalityCriteria(optimizer, least_volume=True)), 0.5)
        objective = [row.objective for row in step.rows]
        assert np.ptp(objective[-6:]) <= 5e-3 * objective[-1]


def test_it_stops_where_no_density_changes_much() -> None:
    step = after(cantilever((16, 8)), plan(replace(NEVER, density_change=0.05), CLASSICAL))
    assert step.finished == "converged"
    assert step.rows[-1].change < 0.05 <= min(row.change for row in step.rows[:-1])


def test_it_stops_at_the_limit_and_says_so() -> None:
    step = after(cantilever((16, 8)), plan(replace(NEVER, limit=3)))
    assert step.finished == "limit"
    assert [row.iteration for row in step.rows] == [0, 1, 2]


def test_nothing_converges_before_penalty_and_projection_are_settled() -> None:
    problem = cantilever((16, 8), projection=True)
    schedule = Schedule(1.0, 3.0, over=5, beta_end=4.0, hold=3)
    stop = Stop(change=1.0, kkt=10.0, density_change=1.0, limit=100, patience=0)
    step = after(problem, Plan(ADAPTIVE, schedule, stop))
    settled = next(i for i in range(100) if schedule.is_settled(i))
    assert len(step.rows) == settled + 1
    assert [row.penalty for row in step.rows[:6]] == pytest.approx([1.0, 1.4, 1.8, 2.2, 2.6, 3.0])
    assert [row.beta for row in step.rows[5:]] == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 4.0]
    assert all(np.isnan(row.kkt) for row in step.rows[:-1])
    assert all(np.isnan(row.kkt) for row in step.rows)


def test_the_kkt_residual_is_measured_now_and_then_once_settled() -> None:
    step = after(
        cantilever((16, 8)), Plan(ADAPTIVE, Schedule(1.0, 3.0, over=3), replace(NEVER, kkt=1e-9, limit=12))
    )
    assert [row.iteration for row in step.rows if not np.isnan(row.kkt)] == [5, 10]


@pytest.mark.parametrize("optimizer", [CLASSICAL, ADAPTIVE, MovingAsymptotes(MMA())])
def test_a_convex_problem_ends_in_its_optimum_whatever_the_optimizer(optimizer: Optimizer) -> None:
    problem = cantilever((16, 8), penalty=1.0, filter=FilterOptions("none"))
    step = after(problem, plan(replace(NEVER, kkt=3e-3, limit=300), optimizer, penalty=1.0, tolerance=1e-6))
    best = after(problem, plan(replace(NEVER, kkt=1e-5, limit=300), ADAPTIVE, penalty=1.0, tolerance=1e-8))
    assert step.rows[-1].compliance == pytest.approx(best.rows[-1].compliance, rel=1e-3)


def test_convex_objectives_fall_all_the_way() -> None:
    problem = cantilever((16, 8), penalty=1.0)
    step = after(problem, plan(replace(NEVER, limit=30), CLASSICAL, penalty=1.0, tolerance=1e-8))
    assert (np.diff([row.objective for row in step.rows]) < 0).all()


@pytest.mark.parametrize("optimizer", [ADAPTIVE, MovingAsymptotes(MMA(move=0.2))])
def test_the_volume_is_met_on_the_way(optimizer: Optimizer) -> None:
    step = after(cantilever((16, 8)), plan(replace(NEVER, limit=20), optimizer))
    volumes = np.array([row.volume for row in step.rows])
    assert (volumes[3:] <= 0.4 * (1 + 1e-3)).all()
    assert step.rows[-1].volume == pytest.approx(0.4, rel=1e-3)


def test_least_volume_meets_the_compliance_it_is_given() -> None:
    solid = after(cantilever((16, 8)), plan(replace(NEVER, limit=1)), fraction=1.0).rows[0].compliance
    problem = cantilever((16, 8), goal=Goal("volume", compliance=(2.5 * solid,)))
    optimizer = OptimalityCriteria(OC(exponent=1.0, adaptive=Adaptive()), least_volume=True)
    step = after(problem, plan(Stop(change=1e-4), optimizer), 0.5)
    assert step.finished == "converged"
    assert step.rows[-1].compliance == pytest.approx(2.5 * solid, rel=1e-2)
    assert step.rows[-1].objective < 0.75
    assert step.rows[-1].objective == pytest.approx(step.rows[-1].volume, rel=2e-3)


def test_loose_and_tight_solves_end_at_the_same_compliance() -> None:
    """DESIGN: loose solves do not change the path."""
    problem = mbb((30, 10))
    stop = replace(NEVER, limit=40)
    ends = {}
    for tolerance in (1e-2, 1e-3, 1e-6):
        step = after(problem, plan(stop, CLASSICAL, tolerance=tolerance), 0.5)
        ends[tolerance] = Analysis(problem).evaluate(step.x, 3.0, tolerance=1e-10).compliance
    assert ends[1e-2] == pytest.approx(ends[1e-6], rel=1e-4)
    assert ends[1e-3] == pytest.approx(ends[1e-6], rel=1e-4)


@pytest.mark.parametrize("optimizer", [ADAPTIVE, MovingAsymptotes(MMA(move=0.2))])
def test_a_steep_projection_shortens_the_steps_and_keeps_the_volume(optimizer: Optimizer) -> None:
    problem = cantilever((24, 12), projection=True)
    schedule = Schedule(3.0, 3.0, beta_end=32.0, hold=8)
    step = after(problem, Plan(optimizer, schedule, replace(NEVER, limit=60)))
    for row in step.rows:
        assert row.change <= 0.2 * step_share(row.beta) * (1 + 1e-9)
    assert step_share(32.0) < 0.2
    assert max(row.violation for row in step.rows[-10:]) < 0.02


@pytest.mark.parametrize(("name", "small"), [("cantilever", 0.05), ("heat_sink", 0.2)])
def test_densities_that_swing_under_a_steep_projection_come_to_rest(name: str, small: float) -> None:
    """With exponents never below 0.3 the edges of members swing by the move limit for ever (0.1, 0.5)."""
    if name == "cantilever":
        problem = cantilever((24, 12), projection=True)
    else:
        asked = get(name, elements=(30, 30))
        problem = discretise(replace(asked, options=replace(asked.options, projection=True)))
    schedule = Schedule(3.0, 3.0, beta_end=32.0, hold=8)
    step = after(problem, Plan(ADAPTIVE, schedule, replace(NEVER, kkt=1e-9, limit=121)), 0.4)
    known = [row.kkt for row in step.rows if not np.isnan(row.kkt)]
    assert max(known[-2:]) < small


def test_an_objective_at_rest_under_a_steep_projection_waits_for_the_kkt_residual() -> None:
    problem = cantilever((24, 12), projection=True)
    schedule = Schedule(3.0, 3.0, beta_end=32.0, hold=5)
    stop = replace(NEVER, change=1e-2, kkt=1e-9, projected_kkt=1e-9, limit=200)
    settled = next(i for i in range(100) if schedule.is_settled(i))
    rests, waits, gives_up = (
        after(problem, Plan(ADAPTIVE, schedule, rule))
        for rule in (
            replace(stop, resting_kkt=np.inf),
            replace(stop, resting_kkt=0.04),
            replace(stop, resting_kkt=0.0, patience=60),
        )
    )
    assert len(rests.rows) == settled + stop.window + 1
    known = [row.kkt for row in waits.rows if not np.isnan(row.kkt)]
    assert known[-1] <= 0.04 < min(known[:-1])
    assert rests.finished == waits.finished == gives_up.finished == "converged"
    assert len(rests.rows) < len(waits.rows) < len(gives_up.rows) == settled + 60


def test_nothing_converges_while_a_constraint_is_violated() -> None:
    problem = cantilever((16, 8), goal=Goal("volume", compliance=(1e-3,)))
    impossible = plan(
        Stop(change=1.0, kkt=10.0, density_change=1.0, limit=12),
        OptimalityCriteria(OC(adaptive=Adaptive()), least_volume=True),
    )
    step = after(problem, impossible, 0.5)
    assert step.finished == "limit"
    assert step.rows[-1].volume == pytest.approx(1.0), "as near as it gets"
    assert step.rows[-1].violation > 1.0


def test_several_compliance_limits_are_met_from_a_start_that_is_far_off() -> None:
    """A compliance rises by decades where a member thins; MMA must find its way back."""
    solid = after(cantilever((16, 8), cases=2), plan(replace(NEVER, limit=1), MovingAsymptotes(MMA())), 1.0)
    limit = 4.0 * solid.rows[0].compliance
    problem = cantilever((16, 8), cases=2, goal=Goal("volume", compliance=(limit, limit)))
    step = after(problem, plan(Stop(change=3e-4, limit=150), MovingAsymptotes(MMA(move=0.2))), 0.2)
    assert step.rows[0].violation > 10.0
    assert step.finished == "converged"
    assert step.rows[-1].violation <= 2e-3
    assert step.rows[-1].volume < 0.6


def same(one: Step, other: Step) -> bool:
    rows = [
        [replace(row, seconds=0.0, kkt=float(np.nan_to_num(row.kkt))) for row in s.rows] for s in (one, other)
    ]
    return np.array_equal(one.x, other.x) and rows[0] == rows[1] and one.finished == other.finished


@pytest.mark.parametrize("optimizer", [CLASSICAL, ADAPTIVE, MovingAsymptotes(MMA())])
def test_a_step_is_all_there_is_to_know(optimizer: Optimizer) -> None:
    """Taken apart, put together and gone on from with a new analysis, it ends in the same bits."""
    problem = cantilever((16, 8))
    whole = Plan(optimizer, Schedule(1.0, 3.0, 6), replace(NEVER, limit=14))
    undisturbed = after(problem, whole)
    step = begin(whole, Analysis(problem, 1).chain.uniform(0.4))
    for k in range(14):
        memory = optimizer.restore({name: array.copy() for name, array in step.memory.arrays().items()})
        step = advance(Analysis(problem, 1), whole, replace(step, memory=memory))
        assert len(step.rows) == k + 1
    assert same(step, undisturbed)


def test_a_longer_plan_takes_a_finished_step_further() -> None:
    problem = cantilever((16, 8))
    short, long = (plan(replace(NEVER, limit=n)) for n in (5, 9))
    analysis = Analysis(problem, 1)
    step = run(analysis, short, analysis.chain.uniform(0.4))
    assert step.finished == "limit"
    assert go_on(short, step).finished == "limit"
    step = go_on(long, step)
    assert step.finished is None
    *_, last = iterate(analysis, long, step)
    assert same(last, after(problem, long))


def test_before_the_first_iteration_nothing_is_decided() -> None:
    analysis = Analysis(cantilever((4, 2)))
    limited = plan(replace(NEVER, limit=1))
    step = begin(limited, analysis.chain.uniform(0.4))
    assert step.merit == float("inf")
    assert go_on(limited, step).finished is None


@pytest.mark.parametrize("objective", [-1e18, 0.0, float("nan")])
def test_a_broken_solve_is_never_the_best(objective: float, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis, once = Analysis(cantilever((8, 4))), plan(replace(NEVER, limit=1))
    start = begin(once, analysis.chain.uniform(0.4))
    assert 0.0 < advance(analysis, once, start).merit < float("inf")
    evaluate = analysis.evaluate
    monkeypatch.setattr(analysis, "evaluate", lambda *a, **k: replace(evaluate(*a, **k), objective=objective))
    broken = advance(analysis, once, start)
    assert broken.merit == float("inf") and broken.best is None


def test_a_problem_with_nothing_to_design_is_finished_at_once() -> None:
    problem = cantilever((6, 3), volume=1.0)
    solid = replace(problem, lower=np.ones(problem.grid.shape))
    step = after(solid, plan(Stop()), fraction=1.0)
    assert step.finished == "converged"
    assert len(step.rows) == 1
    np.testing.assert_array_equal(step.x, 1.0)


def test_several_limits_share_one_kkt_residual() -> None:
    problem = cantilever((12, 6), cases=2, goal=Goal("volume", compliance=(500.0, 500.0)))
    step = after(problem, plan(replace(NEVER, kkt=1e-9, limit=41), MovingAsymptotes(MMA())), 0.5)
    assert step.rows[-1].kkt < 0.5 * step.rows[0].kkt
    assert step.finished == "limit"


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_a_way_that_swings_ends_with_the_best_of_its_designs(exponent: float) -> None:
    """Exponents that do not adapt go to and fro for ever."""
    analysis = Analysis(cantilever((16, 8)), 1)
    of = plan(replace(NEVER, limit=30), OptimalityCriteria(OC(exponent=exponent, move=0.5)))
    step = run(analysis, of, analysis.chain.uniform(0.4))
    least = min(row.objective for row in step.rows)
    last, best = (
        analysis.evaluate(s.x, 3.0, 0.0, None, 1e-8).merit for s in (step, at_best(analysis, of, step))
    )
    assert best == pytest.approx(least, rel=1e-4)
    assert last > 1.2 * best


def test_a_way_that_only_fell_ends_with_its_last_design_and_no_more_solves() -> None:
    analysis = Analysis(cantilever((16, 8)), 1)
    of = plan(replace(NEVER, limit=20), CLASSICAL)
    step = run(analysis, of, analysis.chain.uniform(0.4))
    solves = analysis.solves
    assert at_best(analysis, of, step) is step
    assert analysis.solves == solves


def test_the_last_design_counts_where_it_is_the_best() -> None:
    """The last of those that were evaluated rose, the one after it fell below all of them."""
    analysis = Analysis(cantilever((16, 8)), 1)
    of = plan(replace(NEVER, limit=20), CLASSICAL)
    step = run(analysis, of, analysis.chain.uniform(0.4))
    risen = replace(step.rows[-1], objective=1.01 * step.rows[-2].objective)
    step = replace(step, rows=(*step.rows[:-1], risen))
    np.testing.assert_array_equal(at_best(analysis, of, step).x, step.x)


def test_designs_before_the_penalty_is_reached_are_never_the_best() -> None:
    """At a lower penalty grey is stiff: nothing to go back to."""
    analysis = Analysis(cantilever((16, 8)), 1)
    of = replace(plan(replace(NEVER, limit=10)), schedule=Schedule(1.0, 3.0, 10))
    step = run(analysis, of, analysis.chain.uniform(0.4))
    assert step.best is None
    assert at_best(analysis, of, step) is step
