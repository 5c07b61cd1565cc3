"""Claim: the tanh projection, ever steeper with ever shorter steps, ends in parts within half a per cent as
stiff as those of the subpixel-smoothed projections, nearer to stationary and after half the iterations.

Every named problem is solved once as by default. From its design on the grid below the finest each way goes
on: the finest grid, the same hand-over, the same stopping rule, the same limit of iterations. Only the
projection and the optimiser's steps differ. What counts is the finished part, 0/1 voxels of the same volume,
solved once more. The KKT residual is that of the design at the stop, solved tightly, measured alike in all
ways (`stationarity`). On trees of conductors penalties are compared too: what the penalty ends with while the
projection becomes steep.

Names restrict the run. `--ways` restricts the ways, and `--resume` goes on with what the last run left in
`out/benchmarks`. Iterations and solves are counted; seconds are not.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ldexp

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from benchmarks.efficiency_study import Diary
from benchmarks.projection_steps import FullSteps, ProjectedMetric, SignedCriteria, stationarity
from benchmarks.report import SCRATCH, Cell, Figure, Table, arguments, finish, size_text
from benchmarks.subpixel import SubpixelChain
from trabecula.certificate.connected import grey
from trabecula.design import SHARPEST, Schedule, final_penalty, sharpen
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.discretisation.precheck import prepare
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, at_best, begin, look_ahead
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimize.stopping import decide_end
from trabecula.optimizers import MMA, OC, MovingAsymptotes, OptimalityCriteria, Optimizer
from trabecula.part.measure import PartSolver, make_part
from trabecula.problem import Problem, problems
from trabecula.problem.problems import heat
from trabecula.solve import KKT, TOLERANCE
from trabecula.starts import HalfGrey
from trabecula.status import Status
from trabecula.strategy.feasible import TIGHT, keep_limits, solvers

Array = NDArray[np.float64]

NAMES = (
    "mbb", "cantilever", "l_bracket", "bridge", "michell", "wheel",
    "hook", "torsion", "cantilever_3d", "table",
)  # fmt: skip
LIMIT = 200
"""Iterations at most, the ramp of the penalty among them."""

PRESENT = "tanh"
"""The way of the package."""


CONDUCTORS = {
    "heat_sink": heat.heat_sink(),
    "heat_sink_3d": heat.heat_sink_3d(),
    "plate, volume 0.5, 1.5 voxels": heat.heat_sink((100, 100), 0.5, None),
    "plate, volume 0.3, 2 voxels": heat.heat_sink((80, 80), 0.3, 0.0025),
    "plate, volume 0.2, 1.8 voxels": heat.heat_sink((60, 60), 0.2, 0.003),
    "block, volume 0.2, 1.5 voxels": heat.heat_sink_3d((24, 24, 24), 0.2),
    "plate, volume 0.4, 2.9 voxels": heat.heat_sink((96, 96), 0.4, 0.003),
    "block, volume 0.15, 2.5 voxels": heat.heat_sink_3d((20, 20, 20), 0.15, 0.0125),
}
"""Trees of conductors, with the radius of their filter: the named ones, and others."""


def _as_present(schedule: Schedule, discrete: DiscreteProblem) -> Schedule:
    """The schedule of the package."""
    return sharpen(schedule, final_penalty(discrete))


@dataclass(frozen=True)
class Way:
    """How a design becomes black and white on the finest grid.

    Attributes
    ----------
    order
        Of the subpixel smoothing; 0 for the tanh projection.
    optimizer
        Made for an analysis of the grid.
    schedule
        The steepness, put into the schedule of the penalty.
    """

    order: int
    optimizer: Callable[[Analysis], Optimizer]
    schedule: Callable[[Schedule, DiscreteProblem], Schedule] = _as_present


def _criteria(analysis: Analysis) -> OptimalityCriteria:
    return OptimalityCriteria(_oc(analysis))


def _oc(analysis: Analysis) -> OC:
    return OC.adapting(analysis.discrete.options.move)


def _signed(analysis: Analysis) -> SignedCriteria:
    return SignedCriteria(move=analysis.discrete.options.move)


def _asymptotes(analysis: Analysis) -> MovingAsymptotes:
    return MovingAsymptotes(MMA(move=analysis.discrete.options.move))


def _in_projected_metric(analysis: Analysis) -> ProjectedMetric:
    return ProjectedMetric(_oc(analysis), analysis.chain, analysis.discrete.options.move)


def _at_once(schedule: Schedule, discrete: DiscreteProblem) -> Schedule:
    """Steep from the beginning, as a projection that stays differentiable permits."""
    return replace(sharpen(schedule), beta_start=SHARPEST)


def _ends_with(penalty: float) -> Way:
    """The way of the package with a penalty that rises so far while the steepness does."""
    return Way(0, _criteria, lambda schedule, discrete: sharpen(schedule, penalty))


WAYS: dict[str, Way] = {
    PRESENT: Way(0, _criteria),
    "tanh, MMA": Way(0, _asymptotes),
    "tanh, projected metric": Way(0, _in_projected_metric),
    "SSP": Way(1, _signed),
    "SSP, MMA": Way(1, _asymptotes),
    "SSP2": Way(2, _signed),
    "SSP2, MMA": Way(2, _asymptotes),
}
"""The ways that are compared on the named problems of elasticity."""

FURTHER: dict[str, Way] = {
    "tanh, full steps": Way(0, lambda a: FullSteps(_criteria(a))),
    "SSP, full steps": Way(1, lambda a: FullSteps(_signed(a))),
    "SSP, MMA, full steps": Way(1, lambda a: FullSteps(_asymptotes(a))),
    "SSP, steep at once": Way(1, lambda a: FullSteps(_signed(a)), _at_once),
    "SSP2, full steps": Way(2, lambda a: FullSteps(_signed(a))),
    "SSP2, MMA, full steps": Way(2, lambda a: FullSteps(_asymptotes(a))),
    "SSP2, steep at once": Way(2, lambda a: FullSteps(_signed(a)), _at_once),
}
"""More ways, only where `--ways` names them: most of them never come to rest."""

OF_CONDUCTORS: dict[str, Way] = {
    "grey": Way(0, _criteria, lambda schedule, discrete: schedule),
    "penalty 3": _ends_with(3.0),
    "penalty 8": _ends_with(8.0),
    "SSP": WAYS["SSP"],
}
"""The ways that are compared on trees of conductors."""


@dataclass(frozen=True)
class Begun:
    """A problem on its finest grid, in the solver's units, and what all ways begin with.

    Attributes
    ----------
    coarse
        The design of the default's search on the grid below.
    bound
        Lower bound of the compliance, in J; None where none is known.
    """

    problem: Problem
    discrete: DiscreteProblem
    coarse: Array
    bound: float | None


@dataclass(frozen=True)
class Found:
    """What a way came to on a problem; compliances in J, shares of 1."""

    problem: str
    grid: str
    way: str
    compliance: float
    part: float
    gap: float | None
    grey: float
    kkt: float
    iterations: int
    solves: int
    status: str

    @property
    def overstated(self) -> float:
        """By how much the design is more compliant than its part."""
        return self.compliance / self.part - 1.0


def prepare_problem(name: str, problem: Problem) -> Begun:
    """Solve a problem as by default, for the search on its coarse grids and for its bound."""
    result = tb.solve(problem, threads=1)
    discrete, _ = prepare(problem)
    scaled = nondimensional(discrete).problem
    (coarse, *finer) = result.coarser or (result.design.astype(np.float16),)
    coarse = finer[-1] if finer else coarse
    print(f"{name}: default {result.part.compliance if result.part else 0:.6g}", file=sys.stderr, flush=True)
    return Begun(problem, scaled, coarse.astype(np.float64), result.certificate.lower_bound)


def go_on(begun: Begun, way: Way) -> tuple[Analysis, Plan, Step]:
    """Work on the finest grid until the stopping rule is met."""
    discrete = begun.discrete
    analysis = Analysis(discrete, 1)
    if way.order:
        analysis.chain = SubpixelChain(discrete, 1, way.order)
    x, schedule = HalfGrey().start(begun.coarse, discrete, analysis.chain)
    stop = Stop(change=TOLERANCE, kkt=KKT, limit=LIMIT)
    plan = Plan(way.optimizer(analysis), way.schedule(schedule, discrete), stop)
    quiet = replace(plan, stop=Stop(change=0.0, kkt=0.0, limit=LIMIT))  # the rule is applied below
    step = begin(plan, x)
    while step.finished is None:
        i = len(step.rows)
        step, found = look_ahead(analysis, quiet, step)
        kkt = float("nan")
        if plan.schedule.is_settled(i) and i % plan.stop.kkt_every == 0:
            kkt = stationarity(analysis, step.x, found)
        before = step.x
        step = advance(analysis, quiet, step)
        rows = (*step.rows[:-1], replace(step.rows[-1], kkt=kkt))
        ended = decide_end(plan, rows)
        if ended is Status.CONVERGED:
            step = replace(step, x=before)  # what was found to be stationary
        step = replace(step, rows=rows, finished=ended)
    return analysis, plan, at_best(analysis, plan, step)


def measure(name: str, label: str, begun: Begun, way: Way) -> Found:
    """Take a problem one way, make its part, and measure both."""
    analysis, plan, step = go_on(begun, way)
    discrete, penalty = begun.discrete, plan.schedule.final
    solves = analysis.solves
    beta = plan.schedule.beta(len(step.rows) - 1)
    x = keep_limits(analysis, step.x, penalty, beta)
    found = analysis.evaluate(x, penalty, beta, step.displacements, TIGHT)
    physical = analysis.chain.physical(x, beta)
    solver = PartSolver(begun.problem, discrete, lambda: solvers(analysis), TIGHT, 1e-8)
    part = make_part(solver, physical.astype(np.float32).clip(0.0, 1.0), found.displacements)
    compliance = ldexp(found.compliance, discrete.units.compliance)
    return Found(
        problem=name,
        grid=size_text(begun.problem.domain.elements),
        way=label,
        compliance=compliance,
        part=part.compliance,
        gap=None if begun.bound is None else part.compliance / begun.bound - 1.0,
        grey=grey(physical, discrete),
        kkt=stationarity(analysis, x, found),
        iterations=len(step.rows),
        solves=solves,
        status=str(step.finished),
    )


def run(cases: Mapping[str, Problem], ways: Mapping[str, Way], diary: Diary) -> Iterator[Found]:
    """Everything that was asked for; what the diary holds is not measured again."""
    for name, problem in cases.items():
        known = diary.read()
        if missing := [way for way in ways if f"{name}: {way}" not in known]:
            begun = prepare_problem(name, problem)
            for way in missing:
                found = measure(name, way, begun, ways[way])
                print(
                    f"{name:14}{way:24} part {found.part:.6g} ({found.overstated:+.2%}), grey "
                    f"{found.grey:.2%}, "
                    f"KKT {found.kkt:.4f}, {found.iterations} iterations, {found.status}",
                    file=sys.stderr,
                    flush=True,
                )
                diary.add(f"{name}: {way}", **vars(found))
        known = diary.read()
        for way in ways:
            yield Found(**known[f"{name}: {way}"])  # type: ignore[arg-type]


def row(found: Found, best: float) -> tuple[Cell, ...]:
    """A line of the table."""
    return (
        found.problem,
        found.grid,
        found.way,
        100.0 * (found.part / best - 1.0),
        100.0 * found.overstated,
        None if found.gap is None else 100.0 * found.gap,
        100.0 * found.grey,
        found.kkt,
        found.iterations,
        found.solves,
        found.status,
    )


COLUMNS = (
    "problem",
    "grid",
    "way",
    "part above the best %",
    "reported over its part %",
    "gap of the part %",
    "grey %",
    "KKT",
    "iterations",
    "solves",
    "status",
)


def summarise(rows: list[Found]) -> tuple[Table, list[Figure]]:
    """What each way comes to, and how the others compare with the present one."""
    of_way: dict[str, list[Found]] = defaultdict(list)
    present = {found.problem: found for found in rows if found.way == PRESENT}
    for found in rows:
        of_way[found.way].append(found)
    lines: list[tuple[Cell, ...]] = []
    figures = []
    for way, ends in of_way.items():
        pairs = [(each, present[each.problem]) for each in ends if each.problem in present]
        softer = [100.0 * (each.part / now.part - 1.0) for each, now in pairs] or [float("nan")]
        lines.append(
            (
                way,
                statistics.median(softer),
                max(softer),
                statistics.median(100.0 * abs(each.overstated) for each in ends),
                max(100.0 * abs(each.overstated) for each in ends),
                statistics.median(100.0 * each.grey for each in ends),
                statistics.median(each.kkt for each in ends),
                max(each.kkt for each in ends),
                statistics.median(each.iterations for each in ends),
                sum(each.status == "converged" for each in ends),
            )
        )
        if way != PRESENT and pairs:
            figures.append(
                Figure(
                    f"part of {way} more compliant than that of {PRESENT}, median",
                    statistics.median(softer),
                    "%",
                    note=f"from {min(softer):.2g} to {max(softer):.2g} %, {len(pairs)} problems",
                )
            )
    columns = (
        "way",
        "part more compliant than the present way's, median %",
        "worst %",
        "reported off its part, median %",
        "off, worst %",
        "grey, median %",
        "KKT, median",
        "KKT, worst",
        "iterations, median",
        "converged",
    )
    return Table("What each way comes to", columns, tuple(lines)), figures


def _each(title: str, rows: list[Found]) -> Table:
    """All that was measured."""
    best: dict[str, float] = {}
    for found in rows:
        best[found.problem] = min(found.part, best.get(found.problem, found.part))
    return Table(title, COLUMNS, tuple(row(found, best[found.problem]) for found in rows))


def _of_conductors(rows: list[Found]) -> list[Figure]:
    """How honest crisp trees are, and what that costs their parts."""
    of_way = {way: [found for found in rows if found.way == way] for way in OF_CONDUCTORS}
    told = [100.0 * abs(each.overstated) for each in of_way["penalty 8"] if each.problem in problems.names()]
    against = [
        100.0 * (after.part / before.part - 1.0)
        for before, after in zip(of_way["grey"], of_way["penalty 8"], strict=True)
    ]
    return [
        Figure(
            "named heat sinks, penalty 8: reported off their part, worst", max(told, default=None), "%", 2.0
        ),
        Figure(
            "trees, penalty 8: part more compliant than that of the grey tree, worst", max(against), "%", 0.0
        ),
    ]


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("names", nargs="*", help="named problems; default: those of elasticity, and trees")
    parser.add_argument("--ways", nargs="+", choices=[*WAYS, *FURTHER], default=list(WAYS))
    parser.add_argument("--resume", action="store_true", help="go on with what an earlier run left")
    asked = parser.parse_args()
    diary = Diary(SCRATCH / f"projections{'-quick' if asked.quick else ''}.jsonl")
    if not asked.resume:
        diary.path.unlink(missing_ok=True)
    ways = {name: way for name, way in {**WAYS, **FURTHER}.items() if name in asked.ways}
    cases = {name: _named(name, asked.quick) for name in asked.names or NAMES if name not in CONDUCTORS}
    trees = {name: tree for name, tree in CONDUCTORS.items() if not asked.names or name in asked.names}
    tables: list[Table] = []
    figures: list[Figure] = []
    if cases:
        rows = list(run(cases, ways, diary))
        summary, figures = summarise(rows)
        tables += [summary, _each("Every problem", rows)]
    if trees and not asked.quick:
        rows = list(run(trees, OF_CONDUCTORS, diary))
        tables.append(_each("Trees of conductors", rows))
        figures += _of_conductors(rows)
    finish("projections", __doc__ or "", asked, figures, tables)


def _named(name: str, quick: bool) -> Problem:
    problem = problems.get(name)
    return problems.get(name, tuple(n // 2 for n in problem.domain.elements)) if quick else problem


if __name__ == "__main__":
    main()
