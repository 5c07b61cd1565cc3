"""Random problems: plain, sound, the same everywhere, and as varied as they are said to be."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import label

from trabecula.discretisation import discretise, prepare
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.problems import (
    VOXELS,
    DrawnProblem,
    draw,
    draw_with_count,
)
from trabecula.problem import (
    Problem,
    ProblemError,
    dump,
    loads,
)

MANY = 40


@pytest.fixture(scope="module", params=[2, 3])
def many(request: pytest.FixtureRequest) -> list[DrawnProblem]:
    return [draw_with_count(5, index, request.param) for index in range(MANY)]


def kinds(problem: Problem) -> set[str]:
    """Words for what a problem has."""
    dimension = problem.domain.dimension
    found = {f"{len(problem.cases)} cases"}
    for load in (load for case in problem.cases for load in case.loads):
        found.add("pressure" if load.pressure is not None else "force")
    for support in problem.supports:
        found.add("held" if len(support.fix) == dimension else "roller")
    return found | {region.kind for region in problem.regions}


def test_the_same_seed_and_index_give_the_same_problem_file() -> None:
    assert dump(draw(1, 3, 2)) == dump(draw(1, 3, 2))
    assert len({dump(draw(seed, index, 2)) for seed in (0, 1) for index in (0, 1)}) == 4


def test_every_problem_is_sound_and_has_a_coarser_grid(many: list[DrawnProblem]) -> None:
    for drawn in many:
        discrete, _ = prepare(drawn.problem)
        assert len(grid_hierarchy(discrete)) > 1
        assert label(~discrete.void)[1] == 1
        volume = drawn.problem.goal.volume
        assert volume is not None
        assert discrete.lower.sum() <= 0.5 * volume * np.count_nonzero(discrete.upper)


def test_every_problem_survives_its_file_to_the_last_bit(many: list[DrawnProblem]) -> None:
    for drawn in many[:10]:
        again = loads(dump(drawn.problem))
        assert again == drawn.problem
        assert np.array_equal(discretise(again).loads, discretise(drawn.problem).loads)


def test_hardly_any_draw_is_refused(many: list[DrawnProblem]) -> None:
    assert sum(drawn.refused for drawn in many) < MANY


def test_sizes_aspects_volumes_and_radii_are_as_promised(many: list[DrawnProblem]) -> None:
    for drawn in many:
        domain, options = drawn.problem.domain, drawn.problem.options
        voxels = VOXELS[domain.dimension]
        assert voxels * 0.6 < np.prod(domain.elements) < voxels * 1.7
        assert max(domain.elements) / min(domain.elements) < 4.8
        assert all(n % 2 == 0 for n in domain.elements)
        assert np.ptp(domain.spacing) < 1e-12
        volume = drawn.problem.goal.volume
        assert volume is not None and 0.06 <= volume <= 0.6
        assert options.filter.radius is not None
        assert 1.49 < options.filter.radius / domain.spacing[0] < 6.01
        assert 1 <= sum(len(case.loads) for case in drawn.problem.cases) <= 4
        assert sum(case.weight for case in drawn.problem.cases) == pytest.approx(1.0)


def test_all_there_should_be_is_there(many: list[DrawnProblem]) -> None:
    seen = Counter(kind for drawn in many for kind in kinds(drawn.problem))
    assert {"force", "pressure", "held", "roller", "void", "solid", "1 cases", "2 cases"} <= set(seen)
    assert 0.12 * MANY < MANY - seen["1 cases"] < 0.5 * MANY
    assert 0.3 * MANY < seen["void"] < 0.85 * MANY
    assert 0.3 * MANY < sum(drawn.hard for drawn in many) < 0.7 * MANY


def test_hard_problems_have_little_material_few_supports_and_small_filters() -> None:
    for index in range(10):
        hard = draw_with_count(2, index, 2, hard=True)
        assert hard.hard
        assert hard.problem.goal.volume is not None and hard.problem.goal.volume <= 0.15
        assert len(hard.problem.supports) <= 2
        assert max(hard.problem.domain.elements) >= 1.5 * min(hard.problem.domain.elements)


def test_hard_problems_are_pulled_farther_from_where_they_are_held() -> None:
    def reach(hard: bool) -> float:
        spans = []
        for index in range(20):
            discrete = discretise(draw(3, index, 2, hard))
            loaded = np.argwhere(discrete.loads.any(axis=(0, 1)))
            held = np.argwhere(discrete.fixed.any(axis=0))
            apart = np.linalg.norm(loaded[:, None] - held[None], axis=2).min(axis=1)
            spans.append(apart.mean() / max(discrete.grid.elements))
        return float(np.mean(spans))

    assert reach(hard=True) > 1.3 * reach(hard=False)


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="dimension is 4; it may be 2 or 3"):
        draw(0, 0, 4)


def test_a_seed_without_any_sound_problem_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(problem: Problem) -> None:
        raise ProblemError("loads", "nothing", "", "")

    monkeypatch.setattr("trabecula.learning.problems.drawing.prepare", refuse)
    with pytest.raises(ProblemError, match="none of them well-posed"):
        draw(0, 0, 2)
