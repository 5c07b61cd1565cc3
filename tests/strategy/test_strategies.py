from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from trabecula import where
from trabecula.design import SHARPEST
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.discretisation.resample import resample
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.plan import Stop
from trabecula.problem import problems
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.multistart import CRISP, Candidate, Search, search_for
from trabecula.strategy.runner import Outcome, run_to_end
from trabecula.strategy.uniform import continue_penalty
from trabecula.strategy.workbench import Workbench

FEW = 4
"""Proposals, where the search is not what is tested."""


def asked(problem: tb.Problem, **options: object) -> tb.Problem:
    return replace(problem, options=replace(problem.options, **options))


PLATE = asked(problems.cantilever((44, 22)), projection=False)
BLOCK = asked(problems.cantilever_3d((20, 10, 10)), projection=False)


def solved(problem: tb.Problem, start: str = "coarse") -> tb.Result:
    """Solve, and see that what is always promised is there."""
    result = tb.solve(problem, start=start, proposals=FEW)
    certificate = result.certificate
    assert result.converged
    assert certificate.equilibrium_residual is not None and certificate.equilibrium_residual <= 1e-8
    assert certificate.kkt_residual is not None and np.isfinite(certificate.kkt_residual)
    if problem.goal.volume is not None:
        assert result.volume <= problem.goal.volume * (1 + 1e-9)
        assert certificate.volume_violation is not None and certificate.volume_violation <= 1e-9
    if certificate.gap is not None:
        assert certificate.gap > -1e-9
    assert result.density.min() >= 0 and result.density.max() <= 1
    return result


@pytest.fixture(scope="module")
def plain() -> tb.Result:
    return solved(PLATE)


@pytest.mark.parametrize(
    ("problem", "compliance"),
    [
        (problems.cantilever((37, 23)), 2.3716),
        (problems.cantilever((101, 53)), 1.9468),
        (problems.cantilever_3d((23, 11, 7)), 31.645),
        (problems.cantilever((24, 12)), 3.0368),
        (problems.cantilever((2, 1)), 7.827),
    ],
    ids=lambda value: "x".join(map(str, value.domain.elements)) if isinstance(value, tb.Problem) else "",
)
def test_odd_prime_and_tiny_grids_are_solved(problem: tb.Problem, compliance: float) -> None:
    assert solved(asked(problem, projection=False)).compliance == pytest.approx(compliance, rel=0.02)
    assert solved(problem).compliance <= 1.001 * compliance, "the default is no less stiff"


def test_a_grid_of_a_few_voxels_is_solved() -> None:
    """Nothing to resolve, and many designs equally poor."""
    assert solved(problems.cantilever((6, 3))).compliance < 20.0


def test_passive_parts_stay_what_they_are() -> None:
    for problem in (problems.l_bracket((44, 44)), problems.bridge((84, 21)), problems.wheel((36, 36))):
        discrete, density = discretise(problem), solved(problem).density
        np.testing.assert_array_equal(density[discrete.upper == 0], 0.0)
        np.testing.assert_array_equal(density[discrete.lower == 1], 1.0)
        assert (discrete.upper == 0).any() or (discrete.lower == 1).any()


TIP, CORNER = (2.0, 0.5), (2.0, 1.0)


def two_cases(weight: float) -> tb.Problem:
    down = tb.LoadCase((tb.Load(where.Nodes((TIP,)), force=(0.0, -10e3)),), "down", weight)
    along = tb.LoadCase((tb.Load(where.Nodes((CORNER,)), force=(5e3, 0.0)),), "along", 1 - weight)
    return replace(PLATE, cases=(down, along))


def compliances(result: tb.Result) -> list[float]:
    """Each case's, by one analysis of the result's design."""
    discrete = discretise(result.problem)
    found = Analysis(discrete).evaluate(result.design, result.penalty, tolerance=1e-8)
    return [float(np.vdot(f, u)) for f, u in zip(discrete.loads, found.displacements, strict=True)]


def test_several_cases_share_the_material_by_their_weight() -> None:
    first, second = (solved(two_cases(weight)) for weight in (0.9, 0.1))
    assert compliances(first)[0] < compliances(second)[0]
    assert compliances(first)[1] > compliances(second)[1]
    assert first.compliance == pytest.approx(np.dot([0.9, 0.1], compliances(first)), rel=1e-6)


def test_projection_makes_it_black_and_white(plain: tb.Result) -> None:
    for problem in (asked(PLATE, projection=True), asked(PLATE, projection=True, optimizer="mma")):
        result = solved(problem)
        assert result.certificate.grey is not None and result.certificate.grey < 0.03
        assert result.beta == SHARPEST
        assert result.compliance < plain.compliance, "no stiffness is lost in grey edges"
        assert result.volume == pytest.approx(0.4, rel=0.01)


def test_projection_goes_with_the_other_ways_too() -> None:
    for start in ("uniform", "classical"):
        result = tb.solve(asked(problems.cantilever((24, 12)), projection=True), start=start, iterations=70)
        assert result.volume <= 0.4 * (1 + 1e-9)
        assert result.certificate.grey is not None and result.certificate.grey < 0.1


@pytest.mark.parametrize(
    ("kind", "compliance"), [("sensitivity", 2.344), ("helmholtz", 2.751), ("none", 1.891)]
)
def test_every_filter_is_solved(kind: str, compliance: float) -> None:
    radius = None if kind == "none" else 0.1
    problem = asked(PLATE, filter=tb.FilterOptions(kind, radius))  # type: ignore[arg-type]
    assert solved(problem).compliance == pytest.approx(compliance, rel=0.02)


def test_symmetry_is_exact(plain: tb.Result) -> None:
    result = solved(asked(PLATE, symmetry=("y",)))
    np.testing.assert_allclose(result.density, result.density[::-1], atol=1e-6)
    assert result.compliance == pytest.approx(plain.compliance, rel=0.01)


def test_ramp_and_other_penalties_are_solved(plain: tb.Result) -> None:
    assert solved(asked(PLATE, interpolation="ramp")).compliance == pytest.approx(2.473, rel=0.02)
    soft, hard = (solved(asked(PLATE, penalty=p)).compliance for p in (1.5, 5.0))
    assert soft < plain.compliance < hard


@pytest.mark.parametrize("problem", [PLATE, BLOCK], ids=["plate", "block"])
def test_mma_finds_what_oc_finds(problem: tb.Problem) -> None:
    oc, mma = solved(problem), solved(asked(problem, optimizer="mma"))
    assert mma.compliance == pytest.approx(oc.compliance, rel=0.02)


@pytest.mark.parametrize(
    "problem",
    [
        PLATE,
        BLOCK,
        two_cases(0.5),
        asked(PLATE, optimizer="mma"),
        asked(PLATE, filter=tb.FilterOptions("helmholtz", 0.1)),
        asked(PLATE, filter=tb.FilterOptions("none")),
        problems.l_bracket((40, 40)),
        problems.heat_sink((40, 40)),
        problems.torsion((20, 10, 10)),
        problems.table((16, 10, 10)),
    ],
    ids=[
        "plate",
        "block",
        "two cases",
        "mma",
        "helmholtz",
        "no filter",
        "passive",
        "heat",
        "torsion",
        "table",
    ],
)
def test_without_penalty_the_optimum_is_known_to_half_a_per_cent(problem: tb.Problem) -> None:
    result = solved(asked(problem, penalty=1.0))
    assert result.certificate.gap is not None
    assert 0 <= result.certificate.gap <= 0.005
    assert all(each not in result.not_certified for each in ("KKT", "equilibrium", "converged", "bound"))
    assert result.word == "verified" and result.not_certified  # nobody prints half a density


def test_least_volume_reaches_what_least_compliance_did(plain: tb.Result) -> None:
    goal = tb.Goal("volume", compliance=(plain.compliance,))
    for problem in (PLATE, asked(PLATE, optimizer="mma")):
        result = solved(replace(problem, goal=goal))
        assert result.volume == pytest.approx(0.4, rel=0.01)
        assert result.compliance <= plain.compliance * 1.002


def test_least_volume_meets_a_limit_on_the_weighted_sum() -> None:
    problem = two_cases(0.5)
    compliance = solved(problem).compliance
    result = solved(replace(problem, goal=tb.Goal("volume", compliance=(compliance,))))
    assert result.volume == pytest.approx(0.4, rel=0.01)


def test_least_volume_meets_a_limit_a_case() -> None:
    limits = (2.3, 1.5)
    result = solved(replace(two_cases(0.5), goal=tb.Goal("volume", compliance=limits)))
    for compliance, limit in zip(compliances(result), limits, strict=True):
        assert compliance <= limit * 1.003
    assert result.certificate.volume_violation is not None
    assert result.certificate.volume_violation <= 0.003
    assert 0.2 < result.volume < 0.6


def test_least_volume_can_be_projected() -> None:
    problem = replace(asked(PLATE, projection=True), goal=tb.Goal("volume", compliance=(2.2,)))
    result = solved(problem)
    assert result.compliance <= 2.2 * 1.005
    assert 0.25 < result.volume < 0.4


def test_heat_grows_conductors_from_the_sink() -> None:
    for problem in (problems.heat_sink((44, 44)), problems.heat_sink_3d((10, 10, 10))):
        result = solved(problem)
        even = replace(problem, goal=tb.Goal("thermal_compliance", volume=problem.goal.volume))
        discrete = discretise(even)
        analysis = Analysis(discrete)
        spread = analysis.evaluate(analysis.chain.uniform(problem.goal.volume or 0.0), 3.0).compliance
        assert result.compliance < 0.5 * spread


def test_own_weight_is_carried() -> None:
    loads = (tb.Load(gravity=(0.0, -9.81)), tb.Load(where.Nodes((TIP,)), force=(0.0, -2e3)))
    result = solved(replace(PLATE, cases=(tb.LoadCase(loads),)))
    assert result.certificate.lower_bound is None, "no bound is known for loads that depend on the design"
    assert result.word == "verified"
    assert result.compliance == pytest.approx(0.1437, rel=0.02)


class Listing(Checkpoints):
    """Keeps nothing but the names of the runs, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def run(self, name, *rest):  # type: ignore[no-untyped-def]
        self.names.append(name)
        return super().run(name, *rest)


def travelled(problem: DiscreteProblem, search: Search, stop: Stop | None = None) -> Outcome:
    return run_to_end(coarse_to_fine(Workbench(problem, 1), search, stop or Stop(change=1e-4, kkt=2e-3)))


def test_the_search_is_as_wide_as_it_says() -> None:
    """Ramps go all the way; the worse half of the random ones is given up after 12 and 24 iterations."""
    own, further = 3 * 60 + 5 * 12 + 3 * 12 + 2 * 36, 16 * 12 + 8 * 12 + 4 * 36
    for search, made in ((Search(agreement=9.0), own), (Search(agreement=-1.0), own + further)):
        stages = {s.name: s.iterations for s in travelled(discretise(PLATE), search).stages}
        assert stages["search 44x22"] == made
    one = {s.name: s.iterations for s in travelled(discretise(PLATE), Search(proposals=1)).stages}
    assert one["search 44x22"] == 60


def test_further_fields_go_up_beside_what_there_is_without_them() -> None:
    """All runs are made that are made without them, and one of theirs goes up the grids too."""
    problem = discretise(problems.mbb((240, 80)))
    runs = {}
    for further in (0, 8):
        checkpoints = Listing()
        search = Search(further=further, agreement=-1.0, coarse=20, intermediate=6)
        run_to_end(coarse_to_fine(Workbench(problem, 1, checkpoints), search, Stop(limit=30)))
        runs[further] = [name for name in checkpoints.names if not name.startswith("finish-")]
    beside = set(runs[8]) - set(runs[0])
    assert set(runs[0]) <= set(runs[8])
    numbers = {int(name.split("random-")[1].split("-")[0]) for name in beside}
    assert numbers == set(range(5, 13))
    assert len({name for name in beside if name.startswith("fine-")}) == 1
    assert len({name for name in beside if name.startswith("1-")}) == 1


def test_a_number_of_proposals_that_is_asked_for_is_kept_to() -> None:
    """Without one the search of a grey design gets wider where its best design was found only once."""
    scattered = problems.cantilever((60, 20), volume=0.15)
    scattered = replace(scattered, options=replace(scattered.options, projection=False))
    asked, wide = tb.solve(scattered, proposals=8), tb.solve(scattered)
    made, more = (next(s.iterations for s in r.stages if s.name == "search 60x20") for r in (asked, wide))
    assert made == 3 * 60 + 5 * 12 + 3 * 12 + 2 * 36
    assert more == made + 16 * 12 + 8 * 12 + 4 * 36
    assert wide.compliance <= asked.compliance * 1.001


def test_a_projected_design_is_searched_for_among_more_fields_that_are_given_up_earlier() -> None:
    crisp = problems.cantilever((60, 20), volume=0.15)
    asked, wide = tb.solve(crisp, proposals=8), tb.solve(crisp)
    made, more = (next(s.iterations for s in r.stages if s.name == "search 60x20") for r in (asked, wide))
    assert made == 3 * 60 + 5 * 4 + 3 * 4 + 2 * 6 + 46
    assert more == 3 * 60 + 13 * 4 + 7 * 4 + 4 * 6 + 2 * 46
    assert wide.compliance <= asked.compliance * 1.001


def test_solves_are_loose_until_one_candidate_is_left() -> None:
    """What is taken to its stop is solved as tightly as the search says, all else as loosely as it may be."""
    runs: dict[str, float] = {}
    search, problem = replace(CRISP, proposals=4, coarse=24), discretise(problems.mbb((120, 40)))
    for event in coarse_to_fine(Workbench(problem, 1), search, Stop(limit=45)):
        runs[event.run.name] = event.run.plan.tolerance
    finished = {name for name in runs if name.startswith("finish-")}
    assert len(finished) == 1 and len(runs) > 4
    assert all(runs[name] == (search.tolerance if name in finished else search.loose) for name in runs)


def test_a_crisp_solid_of_two_grids_begins_on_the_finest_too() -> None:
    """A plane does not, nor a search that was not asked to; then the second best of the search takes part."""
    block = problems.cantilever_3d((24, 12, 12), volume=0.3)
    for problem, fresh in ((block, True), (block, False), (problems.mbb((120, 40)), True)):
        search = replace(CRISP, proposals=4, coarse=24, first_design=False, fresh=fresh)
        discrete = discretise(asked(problem, projection=True))
        assert len(Workbench(discrete, 1).coarse_grids) == 1
        events = coarse_to_fine(Workbench(discrete, 1), search, Stop(limit=50))
        names = {event.run.name for event in events if event.run.name.startswith("fine-")}
        assert len(names) == 2
        assert ("fine-fresh" in names) == (fresh and problem is block)
    assert not search_for(discretise(block), 1).fresh and search_for(discretise(block), 8).fresh


def test_no_coarser_design_led_to_one_that_begins_on_the_finest_grid() -> None:
    search = replace(CRISP, proposals=4, coarse=24, first_design=False)
    bench = Workbench(discretise(problems.cantilever_3d((24, 12, 12), volume=0.3)), 1)
    outcome = run_to_end(coarse_to_fine(bench, search, Stop(limit=50)))
    runs = {run for run in bench.runner.took if run.startswith("finish-")}
    led = [design.shape for design in outcome.coarser]
    assert led == ([] if runs == {"finish-fresh"} else [bench.grids[0].grid.shape])
    assert Candidate("fresh", "ramp", np.ones((2, 2)), 1.0, is_fresh=True).path == ()


def test_every_grid_of_the_ladder_is_a_stage() -> None:
    problem = discretise(problems.mbb((240, 80)))
    stages = travelled(problem, Search(proposals=2, coarse=12, intermediate=6), Stop(limit=12)).stages
    assert [s.name for s in stages] == ["search 60x20", "120x40", "240x80"]
    assert all(s.iterations > 0 and s.seconds > 0 for s in stages)


def test_kinds_can_be_left_out() -> None:
    problem = discretise(problems.mbb((120, 40)))
    for kind in ("ramp", "search"):
        outcome = travelled(problem, Search(proposals=5, coarse=20, kinds=(kind,)))
        assert outcome.step.finished == "converged"


def test_what_became_of_a_given_design_is_told() -> None:
    """Taken where it beats all others on the coarsest grid, with both figures and what its run cost."""
    found = tb.solve(problems.cantilever((64, 32)), proposals=FEW)
    assert found.trials == ()
    grey = np.full((32, 64), 0.5)
    like = tb.solve(problems.cantilever((64, 32), volume=0.45), proposals=FEW, also=[found.design, grey])
    assert [trial.what for trial in like.trials] == ["past", "past"]
    assert [trial.where for trial in like.trials] == ["32x32 past-0", "32x32 past-1"]
    assert sum(trial.accepted for trial in like.trials) <= 1
    lowest = min(trial.after for trial in like.trials)
    for trial in like.trials:
        assert trial.accepted == (trial.after == lowest < trial.before)
        assert trial.seconds > 0 and trial.network == ""


@pytest.mark.parametrize("elements", [(96, 48), (24, 12)])
def test_a_result_holds_the_coarser_designs_that_led_to_it(elements: tuple[int, int]) -> None:
    result = tb.solve(problems.cantilever(elements), proposals=FEW)
    grids = grid_hierarchy(discretise(result.problem))[:-1]
    assert [design.shape for design in result.coarser] == [grid.grid.shape for grid in grids]
    for design in result.coarser:
        assert design.dtype == np.float16
        fine = resample(design.astype(float), result.design.shape)
        assert np.corrcoef(fine.ravel(), result.design.ravel())[0, 1] > 0.8


def test_a_hand_over_saves_iterations_on_the_full_grid() -> None:
    problem = discretise(asked(problems.mbb((120, 40)), projection=False))
    handed = travelled(problem, Search(proposals=3))
    alone = run_to_end(continue_penalty(Workbench(problem, 1), Stop(change=1e-4, kkt=2e-3)))
    assert len(handed.step.rows) < len(alone.step.rows)
    assert handed.step.merit <= alone.step.merit * 1.01


@pytest.mark.parametrize("limit", [1, 3, 12, 20])
@pytest.mark.parametrize("elements", [(44, 22), (96, 48)])
def test_no_way_passes_its_limit_of_iterations(elements: tuple[int, int], limit: int) -> None:
    problem = problems.cantilever(elements)
    for start in ("coarse", "uniform", "classical"):
        result = tb.solve(problem, start=start, proposals=2, iterations=limit)
        assert result.iterations <= limit
        assert result.iterations == limit or result.converged


def test_runs_have_names_of_their_own() -> None:
    """Two runs of one name would take each other's checkpoint."""
    problem = discretise(problems.mbb((240, 80)))
    checkpoints, stop = Listing(), Stop(limit=12)
    search = Search(proposals=6, coarse=30, intermediate=3, agreement=-1.0)
    run_to_end(coarse_to_fine(Workbench(problem, 1, checkpoints), search, stop))
    names = checkpoints.names
    assert len(names) == len(set(names))
    assert any(name.startswith("1-fresh") for name in names)
    assert any(name.startswith("finish-") for name in names)
