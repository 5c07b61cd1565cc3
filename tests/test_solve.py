from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from trabecula.certificate.words import STATIONARY
from trabecula.discretisation import discretise
from trabecula.optimize.analysis import Analysis
from trabecula.physics import compiled_core as _kernels
from trabecula.problem import problems

PLATE = problems.cantilever((44, 22))

GOLDEN: dict[str, tuple[tuple[int, ...], float]] = {
    "mbb": ((120, 40), 5.568),
    "cantilever": ((80, 40), 2.0158),
    "l_bracket": ((40, 40), 0.18551),
    "bridge": ((80, 20), 2.3837),
    "michell": ((60, 30), 0.45204),
    "wheel": ((40, 40), 0.091787),
    "heat_sink": ((40, 40), 1940.1),
    "cantilever_3d": ((24, 12, 12), 17.17),
    "torsion": ((20, 10, 10), 7.932),
    "hook": ((20, 10, 10), 0.14951),
    "jet_bracket": ((27, 10, 17), 1.1894),
    "table": ((16, 10, 10), 0.02968),
    "chair_leg": ((8, 28, 8), 0.15359),
    "heat_sink_3d": ((12, 12, 12), 5152.7),
}
"""Grid and compliance (J, W K) of every named problem, reduced."""

SLOW = ("jet_bracket", "table", "chair_leg")


@cache
def golden(name: str) -> tb.Result:
    """The grey design, as the literature has it."""
    elements, _ = GOLDEN[name]
    return tb.solve(grey(problems.get(name, elements)), proposals=4 if name in SLOW else None)


@cache
def crisp(name: str) -> tb.Result:
    """What is found where nothing is said of a projection."""
    return tb.solve(problems.get(name, GOLDEN[name][0]))


def grey(problem: tb.Problem) -> tb.Problem:
    return replace(problem, options=replace(problem.options, projection=False))


def test_every_named_problem_has_a_golden_run() -> None:
    assert set(GOLDEN) == set(problems.names())


@pytest.mark.parametrize("name", GOLDEN)
def test_named_problems_are_solved_and_bounded(name: str) -> None:
    result = golden(name)
    certificate = result.certificate
    assert result.converged
    assert result.compliance == pytest.approx(GOLDEN[name][1], rel=0.02)
    assert certificate.equilibrium_residual is not None and certificate.equilibrium_residual <= 1e-8
    assert certificate.kkt_residual is not None and 0 <= certificate.kkt_residual <= 0.15
    assert certificate.lower_bound is not None and 0 < certificate.lower_bound <= result.compliance
    assert certificate.gap == pytest.approx(result.compliance / certificate.lower_bound - 1)
    assert result.word == ("verified" if result.not_certified else "certified")
    assert ("KKT" in result.not_certified) == (certificate.kkt_residual > STATIONARY)
    assert result.part is not None and result.part.pieces == 1 and result.part.held
    if result.problem.physics.name == "conduction":
        assert result.part.loaded is None, "heat is made everywhere"
    else:
        assert result.part.loaded is not None and result.part.loaded >= 0.999
    assert certificate.volume_violation == pytest.approx(0.0, abs=1e-9)
    assert result.volume == pytest.approx(result.problem.goal.volume, rel=1e-6)
    assert result.density.shape == result.design.shape == GOLDEN[name][0][::-1]
    assert result.density.dtype == np.float32


@pytest.mark.parametrize("name", [name for name in GOLDEN if name not in SLOW])
def test_designs_are_crisp_by_default(name: str) -> None:
    result, before = crisp(name), golden(name)
    assert result.part is not None and before.part is not None
    assert result.part.compliance <= 1.01 * before.part.compliance, "as stiff as the part of a grey design"
    assert result.volume == pytest.approx(result.problem.goal.volume, rel=1e-3)
    assert result.certificate.gap is not None and before.certificate.gap is not None
    assert result.certificate.gap < before.certificate.gap
    if result.problem.physics.name == "elasticity":
        assert result.compliance == pytest.approx(result.part.compliance, rel=0.03)
        assert result.certificate.grey is not None and result.certificate.grey < 0.01
        assert result.certificate.kkt_residual is not None and result.certificate.kkt_residual <= 0.05
        is_near = abs(result.part.compliance / result.compliance - 1.0) <= 0.02
        assert result.word == ("certified" if is_near else "verified"), result.not_certified


@pytest.mark.parametrize(
    "name",
    ["mbb", "cantilever", "l_bracket", "bridge", "michell", "wheel", "cantilever_3d", "hook", "jet_bracket"],
)
def test_named_problems_come_out_in_one_piece(name: str) -> None:
    """Where members are thinner than two voxels even the best design is too grey to say."""
    assert golden(name).certificate.connected is True


@pytest.mark.parametrize("name", GOLDEN)
def test_finished_designs_are_solved_in_few_iterations(name: str) -> None:
    result = golden(name)
    analysis = Analysis(discretise(result.problem))
    found = analysis.evaluate(result.design, result.penalty, tolerance=1e-5)
    assert found.residual <= 1e-5
    assert found.iterations <= 45 * analysis.cases


@pytest.mark.parametrize("name", [name for name in GOLDEN if name not in SLOW])
def test_the_default_is_never_worse_than_the_usual_way_after_100_iterations(name: str) -> None:
    usual = tb.solve(golden(name).problem, start="classical", iterations=100)
    assert golden(name).compliance <= usual.compliance * (1 + 1e-3)
    assert golden(name).iterations < usual.iterations


@pytest.mark.parametrize(
    ("argument", "value", "said"),
    [
        ("start", "nonsense", "it may be coarse, learned, uniform, classical"),
        ("proposals", 0, "at least 1"),
        ("iterations", 0, "at least 1"),
        ("threads", 0, "at least 1"),
        ("threads", -2, "at least 1"),
        ("tolerance", 0.0, "between 0 and 1"),
        ("tolerance", 1.0, "between 0 and 1"),
        ("tolerance", float("nan"), "between 0 and 1"),
        ("resume", True, "resume needs out"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(argument: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tb.solve(PLATE, **{argument: value})  # type: ignore[arg-type]


def test_meaningless_problems_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(tb.ProblemError):
        tb.solve(replace(PLATE, supports=()), out=tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("start", ["coarse", "uniform", "classical"])
@pytest.mark.parametrize("threads", [1, 2])
def test_progress_only_goes_forward(start: str, threads: int) -> None:
    steps: list[tb.Progress] = []
    problem = problems.cantilever((96, 48))
    result = tb.solve(
        problem, start=start, proposals=3, iterations=20, threads=threads, progress=steps.append
    )
    for earlier, later in pairwise(steps):
        assert later.seconds >= earlier.seconds
        assert later.fraction >= earlier.fraction
    assert steps[0].fraction >= 0 and steps[-1].fraction <= 1
    assert steps[0].seconds >= 0 and steps[-1].seconds <= result.seconds
    assert [step.stage for step in steps[-2:]] == ["proof: bound", "proof: equilibrium"]
    for step in steps:
        assert step.compliance > 0 and 0 <= step.volume <= 1 and step.iteration >= 1
        assert step.density.ndim == 2
    last = [step for step in steps if not step.stage.startswith("proof")][-1]
    assert last.iteration == result.iterations == len(result.history)
    assert last.compliance == result.history[-1]["compliance"]


def test_iterate_is_the_same_step_by_step() -> None:
    def following(steps: Iterator[tb.Progress], into: list[tb.Result]) -> Iterator[tb.Progress]:
        into.append((yield from steps))  # type: ignore[misc]

    results: list[tb.Result] = []
    steps = list(following(tb.iterate(PLATE, start="uniform"), results))
    told: list[tb.Progress] = []
    whole = tb.solve(PLATE, start="uniform", progress=told.append)
    np.testing.assert_array_equal(results[0].design, whole.design)
    assert [step.compliance for step in steps] == [step.compliance for step in told]


def test_an_iteration_has_its_result_when_it_is_exhausted() -> None:
    with tb.iterate(PLATE, start="uniform", iterations=5) as steps:
        seen = []
        for step in steps:
            seen.append(step.iteration)
            with pytest.raises(RuntimeError, match="no result yet"):
                _ = steps.result
        assert steps.result.iterations == 5
    assert seen[:5] == [1, 2, 3, 4, 5]
    assert list(steps) == [], "exhausted"
    assert steps.result.iterations == 5, "and still there"


def test_an_iteration_that_is_closed_early_has_none_and_lets_its_folder_go(tmp_path: Path) -> None:
    for _ in range(2):
        with tb.iterate(PLATE, start="uniform", out=tmp_path) as steps:
            next(steps)
        with pytest.raises(StopIteration):
            next(steps)
        with pytest.raises(RuntimeError, match="all its steps"):
            _ = steps.result


def test_an_error_thrown_into_an_iteration_comes_out_of_it() -> None:
    steps = tb.iterate(PLATE, start="uniform")
    next(steps)
    with pytest.raises(KeyError, match="there"):
        steps.throw(KeyError("there"))
    assert list(steps) == []


def test_a_result_shows_itself_in_two_lines() -> None:
    result = golden("mbb")
    assert len(repr(result).splitlines()) <= 3 and len(repr(result)) < 300
    for word in ("MBB half beam", "120x40", result.word, "converged", f"{result.compliance:.5g}"):
        assert word in repr(result)
    assert len(repr(result.certificate).splitlines()) <= 3


@pytest.mark.parametrize(
    "problem",
    [problems.cantilever((96, 48)), problems.cantilever_3d((20, 10, 10)), problems.heat_sink((60, 60))],
    ids=lambda problem: problem.name,
)
def test_the_thread_count_changes_nothing(problem: tb.Problem) -> None:
    one, two, three = (tb.solve(problem, proposals=5, threads=n) for n in (1, 2, 3))
    for other in (two, three):
        np.testing.assert_array_equal(other.design, one.design)
        assert other.compliance == one.compliance
        assert other.certificate == one.certificate
        assert [s.name for s in other.stages] == [s.name for s in one.stages]
        assert [s.iterations for s in other.stages] == [s.iterations for s in one.stages]
    assert (one.threads, two.threads) == (1, 2)


def test_the_same_seed_gives_the_same_design_and_another_seed_another() -> None:
    torsion = problems.torsion((16, 8, 8))
    other = replace(torsion, options=replace(torsion.options, seed=7))
    designs = [tb.solve(problem, proposals=6).design for problem in (torsion, torsion, other)]
    np.testing.assert_array_equal(designs[0], designs[1])
    assert np.abs(designs[2] - designs[0]).max() > 0.01


def test_more_proposals_never_make_the_search_worse() -> None:
    problem = grey(problems.torsion((16, 8, 8)))
    few, many = (tb.solve(problem, proposals=n).compliance for n in (1, 12))
    assert many <= few * 1.001


def test_a_tighter_tolerance_goes_on_longer_to_something_better() -> None:
    loose, tight = (tb.solve(grey(PLATE), start="uniform", tolerance=t) for t in (3e-3, 3e-5))
    assert loose.iterations < tight.iterations
    assert tight.compliance <= loose.compliance


def test_a_limit_is_told_and_the_penalty_asked_for_is_what_is_measured() -> None:
    """Stopped within the penalty ramp, the compliance is still that of the problem as asked."""
    result = tb.solve(PLATE, start="uniform", iterations=1)
    assert not result.converged
    assert result.iterations == 1
    assert result.penalty == 3.0
    assert result.history[0]["penalty"] == 1.0
    assert result.compliance > 2 * result.history[0]["compliance"]  # type: ignore[operator]
    assert result.certificate.gap is not None and result.certificate.gap > 1.0


def test_the_result_says_how_it_came_about() -> None:
    result = golden("mbb")
    assert result.start == "coarse"
    assert [stage.name for stage in result.stages] == ["search 60x20", "120x40", "proof"]
    assert result.stages[1].iterations >= result.iterations
    assert sum(stage.seconds for stage in result.stages) <= result.seconds
    assert result.solves > result.iterations
    assert result.problem == grey(problems.mbb((120, 40)))
    assert result.version == tb.__version__
    rows = result.history
    assert [row["iteration"] for row in rows] == list(range(result.iterations))
    assert np.isfinite([float(value) for row in rows for value in row.values()]).all(), "unknown: left out"


def test_a_saved_result_is_verified_by_an_independent_check(tmp_path: Path) -> None:
    for name in ("mbb", "heat_sink", "cantilever_3d"):
        golden(name).save(tmp_path / name)
        recheck = tb.Result.load(tmp_path / name).check()
        assert recheck.ok, recheck


def test_another_instruction_set_ends_in_the_same_compliance(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.physics.blocks import INSTRUCTION_SETS, using

    ends = []
    for isa in INSTRUCTION_SETS:
        with using(isa):
            ends.append(tb.solve(PLATE, start="uniform").compliance)
    np.testing.assert_allclose(ends, ends[0], rtol=5e-3)


def test_an_instruction_set_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABECULA_ISA", "base")
    assert _kernels._choose().__name__ == "trabecula._core_base"
    monkeypatch.setenv("TRABECULA_ISA", "vax")
    with pytest.raises(ImportError, match=r"'vax'; this processor has .*base"):
        _kernels._choose()
    monkeypatch.delenv("TRABECULA_ISA")
    assert _kernels._choose() is _kernels.core
