from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import LEAST_ACROSS, LEAST_ELEMENTS, RADIUS, grid_hierarchy
from trabecula.problem import problems
from trabecula.problem.model import FilterOptions


def built(name: str, *elements: int) -> DiscreteProblem:
    return discretise(problems.get(name, elements))


def shapes(grids: list[DiscreteProblem]) -> list[tuple[int, ...]]:
    return [grid.grid.elements for grid in grids]


@pytest.mark.parametrize(
    ("name", "elements", "expected"),
    [
        ("mbb", (240, 80), [(60, 20), (120, 40), (240, 80)]),
        ("mbb", (151, 53), [(76, 27), (151, 53)]),
        ("cantilever", (200, 100), [(50, 25), (100, 50), (200, 100)]),
        ("cantilever_3d", (96, 48, 48), [(24, 12, 12), (48, 24, 24), (96, 48, 48)]),
        ("cantilever_3d", (47, 23, 29), [(24, 12, 15), (47, 23, 29)]),
        ("cantilever_3d", (24, 12, 12), [(12, 12, 12), (24, 12, 12)]),
        ("mbb", (30, 10), [(30, 10)]),
        ("mbb", (37, 23), [(37, 23)]),
    ],
)
def test_grids_halve_rounding_up_as_long_as_they_resolve_members(
    name: str, elements: tuple[int, ...], expected: list[tuple[int, ...]]
) -> None:
    assert shapes(grid_hierarchy(built(name, *elements))) == expected


def test_a_side_with_few_voxels_keeps_them_for_two_grids_at_most() -> None:
    slim = shapes(grid_hierarchy(built("mbb", 400, 30)))
    assert slim == [(100, 30), (200, 30), (400, 30)]


def test_no_more_grids_than_asked_for() -> None:
    fine = built("mbb", 240, 80)
    assert shapes(grid_hierarchy(fine, most=2)) == [(120, 40), (240, 80)]
    assert shapes(grid_hierarchy(fine, most=1)) == [(240, 80)]


@pytest.mark.parametrize("name", problems.names())
def test_every_grid_of_every_named_problem_is_the_same_problem(name: str) -> None:
    fine = discretise(problems.get(name))
    grids = grid_hierarchy(fine)
    assert grids[-1] is fine
    size = np.multiply(fine.grid.elements, fine.grid.spacing)
    d = fine.grid.dimension
    for grid in grids[:-1]:
        np.testing.assert_allclose(np.multiply(grid.grid.elements, grid.grid.spacing), size)
        axes = tuple(range(2, 2 + d))
        np.testing.assert_allclose(
            grid.loads.sum(axis=axes),
            fine.loads.sum(axis=axes),
            atol=0.25 * np.abs(fine.loads.sum(axis=axes)).max(),
        )
        assert np.prod(grid.grid.elements) >= LEAST_ELEMENTS[d]
        assert min(grid.grid.elements) >= min(LEAST_ACROSS[d], *fine.grid.elements)
        assert grid.radius >= RADIUS * max(grid.grid.spacing) * (1 - 1e-12)
        assert grid.goal == fine.goal


def test_coarse_grids_project_where_the_finest_does_and_filter_enough() -> None:
    fine = built("mbb", 240, 80)
    fine = replace(
        fine,
        options=replace(
            fine.options, projection=True, filter=FilterOptions("helmholtz", 1.5 * fine.grid.spacing[0])
        ),
    )
    coarsest, between, last = grid_hierarchy(fine)
    assert [grid.options.projection for grid in (coarsest, between, last)] == [True, True, True]
    assert {grid.options.filter.kind for grid in (coarsest, between)} == {"helmholtz"}
    assert coarsest.radius == pytest.approx(RADIUS * coarsest.grid.spacing[0])
    unfiltered = replace(fine, options=replace(fine.options, filter=FilterOptions("none")))
    assert {grid.options.filter.kind for grid in grid_hierarchy(unfiltered)} == {"none"}


def test_the_ladder_ends_where_a_coarse_grid_loses_the_load() -> None:
    """Two forces against each other in neighbouring nodes meet in one coarse node, and vanish."""
    fine = built("mbb", 240, 80)
    loads = np.zeros_like(fine.loads)
    loads[0, 1, 40, 121], loads[0, 1, 40, 122] = 1.0, -1.0
    assert len(grid_hierarchy(replace(fine, loads=loads))) < 3
