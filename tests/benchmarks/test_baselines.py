"""The unlearned searches do what they are said to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import element_history, mixing, neighbours
from benchmarks.runs import forever
from benchmarks.travelled import travel
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning import generate, store
from trabecula.learning.store import Dataset, open_dataset
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import at_best, go_on, iterate
from trabecula.optimize.plan import Stop
from trabecula.optimizers import OC, OptimalityCriteria
from trabecula.problem import Problem, loads, problems
from trabecula.starts import volume_of
from trabecula.strategy.runner import Outcome, run_to_end

SETTINGS = generate.DataSettings(2, seed=3, proposals=2, hard=0.0, voxels=1800, change=1e-9, iterations=24)
"""Runs of 24 iterations, so that all were seen where a leap looks."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data")
    generate.prepare_folder(folder, SETTINGS)
    for index in (0, 1):
        sample = generate.make_sample(SETTINGS, index)
        store.write_shard(store.shard_path(folder, index), [sample], [])
    return open_dataset(folder)


@pytest.fixture(scope="module")
def small() -> DiscreteProblem:
    return prepare(problems.get("cantilever", (32, 16)))[0]


def problem_of(dataset: Dataset, index: int) -> Problem:
    return loads(list(dataset.samples())[index].problem)


def test_mixing_solves_a_linear_iteration_once_it_has_seen_enough() -> None:
    random = np.random.default_rng(0)
    matrix = np.diag(random.uniform(-0.9, 0.9, 4))
    end = random.standard_normal(4)
    x, images, residuals = np.zeros(4), [], []
    for _ in range(6):
        image = end + matrix @ (x - end)
        images.append(image)
        residuals.append(image - x)
        x = image if len(images) == 1 else mixing.mixed(tuple(images), tuple(residuals))
    np.testing.assert_allclose(x, end, atol=1e-6)


def test_mixing_of_an_iteration_at_rest_stays_there() -> None:
    same = np.ones(3)
    zero = np.zeros(3)
    np.testing.assert_array_equal(mixing.mixed((same, same), (zero, zero)), same)


def test_a_mixed_design_keeps_bounds_and_volume(small: DiscreteProblem) -> None:
    analysis = Analysis(small, 1)
    x = analysis.chain.uniform(volume_of(small))
    found = analysis.evaluate(x, 3.0)
    wanted = x + np.random.default_rng(0).standard_normal(x.shape)
    design = mixing.feasible(wanted, x, found, small.lower, small.upper)
    assert analysis.chain.volume(analysis.chain.physical(design)) == pytest.approx(volume_of(small), rel=1e-6)
    assert design.min() >= 0.0 and design.max() <= 1.0
    low, high = (mixing.feasible(wanted + s, x, found, small.lower, small.upper) for s in (-9.0, 9.0))
    assert low.max() <= 1.0 and high.min() >= 0.0


def test_the_mixed_way_ends_about_where_the_default_does(small: DiscreteProblem) -> None:
    ends = [travel(method, small, 1).compliance for method in (mixing.anderson, "default")]
    assert ends[0] == pytest.approx(ends[1], rel=0.02)


def test_without_depth_the_tail_is_the_default(small: DiscreteProblem) -> None:
    outcome = run_to_end(mixing.begun(small, 1))
    stop = forever(len(outcome.step.rows) + 5)
    plain = run_to_end(mixing.finished(outcome, mixing.Settings(0, 1, None), stop)).step
    usual = run_on(outcome, stop)
    np.testing.assert_array_equal(plain.x, usual)
    mixed = run_to_end(mixing.finished(outcome, mixing.Settings(2, 2, 0.5), stop)).step
    assert len(mixed.rows) == len(plain.rows)
    assert [row.objective for row in mixed.rows] != [row.objective for row in plain.rows]


def test_momentum_goes_on_by_a_share_of_the_last_step_unless_it_got_worse(small: DiscreteProblem) -> None:
    analysis = Analysis(small, 1)
    x = analysis.chain.uniform(volume_of(small))
    found, bounds = analysis.evaluate(x, 3.0), (small.lower, small.upper)
    plain = OptimalityCriteria(OC())
    ball = mixing.Momentum(plain, 0.5)
    image, memory = ball.step(ball.start(), x, found, *bounds, True, 1.0)
    np.testing.assert_array_equal(image, plain.step(plain.start(), x, found, *bounds, True, 1.0)[0])
    found = analysis.evaluate(image, 3.0)
    usual, _ = plain.step(memory.inner, image, found, *bounds, True, 1.0)
    moved, _ = ball.step(memory, image, found, *bounds, True, 1.0)
    wanted = mixing.feasible(usual + 0.5 * (image - x), image, found, *bounds)
    np.testing.assert_allclose(moved, wanted)
    assert not np.array_equal(moved, usual)
    worse = replace(found, objective=2 * memory.objective)
    np.testing.assert_array_equal(ball.step(memory, image, worse, *bounds, True, 1.0)[0], usual)
    assert ball.restore(memory.arrays()).inner.arrays().keys() == memory.arrays().keys()


def run_on(outcome: Outcome, stop: Stop) -> NDArray[np.float64]:
    plan = replace(outcome.plan, stop=stop)
    steps = list(iterate(outcome.analysis, plan, go_on(plan, outcome.step)))
    return at_best(outcome.analysis, plan, steps[-1]).x


def test_mixing_forgets_where_the_objective_got_worse(small: DiscreteProblem) -> None:
    analysis = Analysis(small, 1)
    x = analysis.chain.uniform(volume_of(small))
    found = analysis.evaluate(x, 3.0)
    mixer = mixing.Mixing(OptimalityCriteria(OC()), depth=2, period=1)
    bounds = small.lower, small.upper
    _, memory = mixer.step(mixer.start(), x, found, *bounds, True, 1.0)
    assert len(memory.images) == 1
    worse = replace(found, objective=2 * found.objective)
    _, forgotten = mixer.step(memory, x, worse, *bounds, True, 1.0)
    assert not forgotten.images
    _, held = mixer.step(memory, x, found, *bounds, False, 1.0)
    assert not held.images
    assert mixer.restore(memory.arrays()).inner.arrays().keys() == memory.arrays().keys()


def test_other_constraints_are_not_mixed(small: DiscreteProblem) -> None:
    outcome = run_to_end(mixing.begun(small, 1))
    plan = replace(outcome.plan, optimizer=OptimalityCriteria(OC(), least_volume=True))
    assert mixing.mixing_plan(plan, mixing.Settings(), forever(9)).optimizer == plan.optimizer


def test_tuning_counts_iterations(small: DiscreteProblem) -> None:
    tuning = mixing.Tuning(6)
    tuning.add(run_to_end(mixing.begun(small, 1)), [mixing.Settings(0, 1), mixing.Settings(2, 2)])
    rows = tuning.table().rows
    assert [row[0] for row in rows] == ["none", "2"]
    assert all(1 <= float(str(cell)) <= 6 for row in rows for cell in row[4:])
    assert len(list(mixing.tried())) == len(set(mixing.tried()))


def test_a_problem_is_its_own_nearest_one(dataset: Dataset) -> None:
    index = neighbours.build(dataset)
    for number, sample in enumerate(dataset.samples()):
        (distance, design), *others = index.nearest(prepare(problem_of(dataset, number))[0])
        assert distance == pytest.approx(0.0, abs=1e-3)
        np.testing.assert_array_equal(design, neighbours.winner(sample).astype(float))
        assert [d for d, _ in others] == sorted(d for d, _ in others)
    assert index.nearest(prepare(problems.get("heat_sink", (40, 40)))[0]) == []


def test_an_index_is_made_once(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: DiscreteProblem
) -> None:
    monkeypatch.setattr(neighbours, "SCRATCH", tmp_path)
    neighbours.index_of.cache_clear()
    made = neighbours.index_of(dataset.folder)
    monkeypatch.setattr(neighbours, "build", None)
    neighbours.index_of.cache_clear()
    read = neighbours.index_of(dataset.folder)
    assert read.kinds == made.kinds
    np.testing.assert_array_equal(read.vectors, made.vectors)
    np.testing.assert_array_equal(read.designs[1], made.designs[1])
    run = travel(lambda d, threads: neighbours.neighbours(d, threads, dataset.folder), small, 1)
    assert run.compliance > 0


def test_a_regression_sees_elements_alone_and_is_decided_by_a_solve(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fit.json"
    monkeypatch.setattr("sys.argv", ["element_history", "--data", str(dataset.folder), "--out", str(path)])
    element_history.main()
    element_history.kept.cache_clear()
    assert element_history.kept(3, path) is None
    fit = element_history.kept(2, path)
    assert fit is not None and fit.data == 3 and fit.elements > 1000
    assert fit.sharpness in element_history.SHARPNESS
    seen = np.random.default_rng(0).uniform(0.0, 1.0, (50, 5))
    order = np.random.default_rng(1).permutation(50)
    np.testing.assert_allclose(fit.predict(seen)[order], fit.predict(seen[order]), rtol=1e-9)
    discrete = prepare(problem_of(dataset, 0))[0]
    run = travel(lambda d, threads: element_history.element_history(d, threads, fit), discrete, 1)
    assert [what for what, _, _ in run.trials] in ([], ["leap"])


def test_a_leap_of_elements_has_the_volume_asked_for(dataset: Dataset) -> None:
    fit = element_history.kept(2)
    assert fit is not None
    case = next(case for sample in dataset.samples() for case in element_history.cases(sample))
    analysis = Analysis(case.discrete, 1)
    leaper = element_history.ElementHistory(fit)
    drawn = leaper.draw(case.designs, case.pulls, case.discrete, analysis.chain)
    volume = analysis.chain.volume(analysis.chain.physical(drawn))
    assert volume == pytest.approx(volume_of(case.discrete), rel=1e-5)
    assert fit.errors[1] < fit.errors[0]


def test_nothing_to_learn_from_is_said(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="no run"):
        element_history.fitted(replace(dataset), shards=0)


def test_both_dimensions_are_fitted() -> None:
    element_history.kept.cache_clear()
    seeds = {fit.data for dimension in (2, 3) if (fit := element_history.kept(dimension))}
    assert seeds == {1, 2}
