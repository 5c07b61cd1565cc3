from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from trabecula.certificate.connected import grey, is_connected, pieces


def bar(elements: tuple[int, ...] = (8, 6)) -> tuple[np.ndarray, object]:
    problem = cantilever(elements)
    density = np.zeros(problem.grid.shape)
    density[tuple(slice(n // 2 - 1, n // 2 + 1) for n in density.shape[:-1])] = 1.0
    return density, problem


@pytest.mark.parametrize("elements", [(8, 6), (6, 4, 4)])
def test_a_bar_from_support_to_load_is_one_piece(elements: tuple[int, ...]) -> None:
    density, problem = bar(elements)
    assert is_connected(density, problem)
    found = pieces(density, problem)
    assert (found.count, found.islands, found.island_fraction) == (1, 0, 0.0)


def test_a_cut_leaves_the_load_in_mid_air() -> None:
    density, problem = bar()
    density[:, 4] = 0.5
    found = pieces(density, problem)
    assert (found.count, found.islands, found.loads_reached) == (2, 2, False)
    assert not is_connected(density, problem)


def test_an_island_is_counted_with_its_material() -> None:
    density, problem = bar()
    density[0, 7] = 0.6
    found = pieces(density, problem)
    assert (found.count, found.islands, found.loads_reached) == (2, 1, True)
    assert found.island_fraction == pytest.approx(1 / 17)
    assert not found.is_one_piece


def test_pieces_that_meet_at_a_corner_only_are_two() -> None:
    density, problem = bar()
    density[2:4] = 0.0
    density[2, :4] = density[3, 4:] = 1.0
    assert pieces(density, problem).count == 2


def test_two_members_side_by_side_are_not_one_piece() -> None:
    density, problem = bar()
    density[0] = 1.0
    found = pieces(density, problem)
    assert (found.count, found.islands) == (2, 1)


def test_nothing_is_not_connected() -> None:
    density, problem = bar()
    assert pieces(0 * density, problem).count == 0
    assert not is_connected(0 * density, problem)


def test_every_case_and_every_patch_of_load_must_be_carried() -> None:
    density, problem = bar()
    loads = np.concatenate([problem.loads, 0 * problem.loads])
    loads[1, 0, 0, -1] = 1.0
    two = replace(problem, loads=loads, gravity=np.zeros((2, 2)))
    assert not is_connected(density, two)
    density[0:3, -1] = 1.0
    assert is_connected(density, two)


def test_a_spread_load_needs_one_contact_a_patch() -> None:
    density, problem = bar()
    loads = 0 * problem.loads
    loads[0, 1, :, -1] = 1.0
    assert is_connected(density, replace(problem, loads=loads))


def test_own_weight_asks_for_a_support_only() -> None:
    density, problem = bar()
    heavy = replace(problem, loads=0 * problem.loads, gravity=np.array([[0.0, -9.81]]))
    density[:, 5:] = 0.0
    assert is_connected(density, heavy)
    assert not is_connected(np.roll(density, 2, axis=1), heavy)


def test_grey_is_one_at_one_half_and_ignores_passive_void() -> None:
    problem = cantilever((4, 2))
    assert grey(np.full((2, 4), 0.5)) == pytest.approx(1.0)
    assert grey(np.ones((2, 4))) == 0.0
    upper = problem.upper.copy()
    upper[0] = 0.0
    density = np.where(upper > 0, 0.5, 0.0)
    assert grey(density, replace(problem, upper=upper)) == pytest.approx(1.0)
    assert grey(density, replace(problem, upper=0 * upper)) == 0.0
