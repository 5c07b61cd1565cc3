"""A first design is finished early, is told, and never makes the result worse or another one elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from trabecula.design import SHARPEST, Schedule, sharpen, sharpen_soon
from trabecula.discretisation import DiscreteProblem, discretise
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.plan import Stop
from trabecula.problem import problems
from trabecula.status import Status
from trabecula.strategy import first_design
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import Event, Outcome, Run, Strategy
from trabecula.strategy.workbench import Workbench

STOP = Stop(change=1e-4, limit=300)
SEARCH = Search(further=0)
WITHOUT = replace(SEARCH, first_design=False)


def problem(projection: bool = True, elements: tuple[int, ...] = (96, 48)) -> tb.Problem:
    found = problems.get("cantilever" if len(elements) == 2 else "hook", elements)
    return replace(found, options=replace(found.options, projection=projection))


@pytest.fixture(autouse=True)
def of_any_size(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(first_design, "LEAST", 0)
    yield


def travel(
    discrete: DiscreteProblem, search: Search, stop: Stop = STOP, checkpoints: Checkpoints | None = None
) -> tuple[list[Event], Outcome]:
    steps, events = coarse_to_fine(Workbench(discrete, 1, checkpoints), search, stop), []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(scope="module")
def plane() -> DiscreteProblem:
    return discretise(problem())


@pytest.fixture(scope="module")
def with_first(plane: DiscreteProblem) -> tuple[list[Event], Outcome]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_design, "LEAST", 0)
        return travel(plane, SEARCH)


@pytest.fixture(scope="module")
def without(plane: DiscreteProblem) -> tuple[list[Event], Outcome]:
    return travel(plane, WITHOUT)


def place_of(events: list[Event], wanted: Event) -> int:
    return next(place for place, event in enumerate(events) if event is wanted)


def work(events: list[Event], until: Event) -> float:
    """Iterations until an event, by their share of the full grid's voxels."""
    seen: set[int] = set()
    voxels = max(event.analysis.discrete.grid.count for event in events)
    total = 0.0
    for event in events[: place_of(events, until) + 1]:
        fresh = [row for row in event.step.rows if id(row) not in seen]
        seen.update(map(id, fresh))
        total += len(fresh) * event.analysis.discrete.grid.count / voxels
    return total


def test_one_finished_design_of_the_full_grid_is_told_before_the_search_has_begun_its_random_starts(
    with_first: tuple[list[Event], Outcome], plane: DiscreteProblem
) -> None:
    events, _ = with_first
    (told,) = [event for event in events if event.done]
    assert told.analysis.discrete.grid.shape == plane.grid.shape
    assert told.step.finished is Status.CONVERGED
    place = place_of(events, told)
    assert not any(event.run.origin.startswith("random") for event in events[:place])
    assert any(event.run.origin.startswith("random") for event in events[place:])


def test_it_is_there_in_less_than_a_third_of_the_work(with_first: tuple[list[Event], Outcome]) -> None:
    events, _ = with_first
    (told,) = [event for event in events if event.done]
    assert work(events, told) < work(events, events[-1]) / 3


def test_the_result_is_that_of_the_search_or_a_better_one(
    with_first: tuple[list[Event], Outcome], without: tuple[list[Event], Outcome]
) -> None:
    events, found = with_first
    (told,) = [event for event in events if event.done]
    same = np.array_equal(found.step.x, without[1].step.x)
    assert same or np.array_equal(found.step.x, told.step.x)
    assert found.step.merit <= without[1].step.merit * (1 + 1e-6)


def test_the_search_itself_is_the_same_to_the_last_bit(
    with_first: tuple[list[Event], Outcome], without: tuple[list[Event], Outcome]
) -> None:
    def ends(events: list[Event]) -> dict[str, bytes]:
        """The last design of every run whose name does not say that it is the first design's."""
        return {e.run.name: e.step.x.tobytes() for e in events if "first" not in e.run.name and not e.done}

    before, after = ends(without[0]), ends(with_first[0])
    assert {name: after.get(name) for name in before} == before


def test_a_first_design_that_is_better_than_what_the_search_finds_is_the_result(
    plane: DiscreteProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search_badly(*arguments: object) -> Strategy:
        """In place of the search: the uniform design after two iterations."""
        bench = Workbench(plane, 1)
        worse = bench.plan(plane, Schedule(3.0, 3.0), Stop(limit=2))
        analysis = bench.analysis(plane)
        run = Run("bad", worse, bench.begin_uniform(analysis, worse))
        step = yield from bench.runner.run("bad", analysis, run, 0.5)
        return bench.runner.end(step, worse, analysis)

    monkeypatch.setattr(first_design, "finish", search_badly)
    events, found = travel(plane, SEARCH)
    (told,) = [event for event in events if event.done]
    assert np.array_equal(found.step.x, told.step.x)


def test_a_first_design_that_does_not_converge_is_not_told_and_does_not_count(
    plane: DiscreteProblem, without: tuple[list[Event], Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_design, "LIMIT", 3)
    events, found = travel(plane, SEARCH)
    assert not any(event.done for event in events)
    assert np.array_equal(found.step.x, without[1].step.x)


@pytest.mark.parametrize(
    "search",
    [replace(SEARCH, proposals=1), replace(SEARCH, kinds=("search",)), WITHOUT],
    ids=["one proposal", "no ramps", "not asked for"],
)
def test_where_its_start_takes_no_part_nothing_is_finished_first(
    search: Search, plane: DiscreteProblem
) -> None:
    assert not first_design.has_first_design(Workbench(plane, 1), search)


def test_results_without_projection_do_not_depend_on_it() -> None:
    grey = discretise(problem(projection=False, elements=(48, 24)))
    assert not first_design.has_first_design(Workbench(grey, 1), SEARCH)
    coarse = discretise(problem(projection=False, elements=(72, 48)))
    a, b = (travel(coarse, search)[1] for search in (SEARCH, WITHOUT))
    assert np.array_equal(a.step.x, b.step.x)


def test_small_problems_are_solved_without_it(
    plane: DiscreteProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert not first_design.has_first_design(Workbench(plane, 1), SEARCH)
    assert first_design.has_first_design(Workbench(discretise(problem(elements=(160, 80))), 1), SEARCH)


def test_solids_have_a_first_design_too() -> None:
    solid = discretise(problem(elements=(32, 20, 20)))
    events, _ = travel(solid, replace(SEARCH, proposals=3, coarse=45), Stop(change=1e-3, limit=60))
    assert sum(event.done for event in events) <= 1
    assert any(event.run.name == f"first-{first_design.START}" for event in events)


def test_python_is_told_of_it_with_its_design() -> None:
    with tb.iterate(problem(), threads=1) as steps:
        told = next(step for step in steps if step.done)
    assert told.design.shape == (48, 96)
    assert told.beta == SHARPEST
    density = told.density
    assert np.mean((density > 0.1) & (density < 0.9)) < 0.05


def test_an_interrupted_solve_goes_on_to_the_same_result(
    plane: DiscreteProblem, with_first: tuple[list[Event], Outcome], tmp_path: Path
) -> None:
    kept = Checkpoints(tmp_path / "kept")
    steps = coarse_to_fine(Workbench(plane, 1, kept), SEARCH, STOP)
    for event in steps:
        if event.done:
            break
    steps.close()
    kept.close()
    again = Checkpoints(tmp_path / "kept", resume=True)
    _, found = travel(plane, SEARCH, checkpoints=again)
    assert np.array_equal(found.step.x, with_first[1].step.x)


def test_a_projection_that_is_sharpened_soon_ends_as_sharp_in_fewer_iterations() -> None:
    ramp = Schedule(2.0, 3.0, 3)
    slow, soon = sharpen(ramp), sharpen_soon(ramp)
    assert soon.beta(100) == slow.beta(100) == SHARPEST
    first = [next(i for i in range(100) if s.is_settled(i)) for s in (slow, soon)]
    assert first[1] < first[0] / 2
