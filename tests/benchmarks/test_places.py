"""The test sets are many, reproducible, and none that is trained on."""

from __future__ import annotations

import pytest

from benchmarks import places
from benchmarks.places import SETS, UNSEEN
from trabecula.discretisation import prepare


@pytest.mark.parametrize("name", list(SETS))
def test_a_set_gives_its_problems_again_and_none_twice(name: str) -> None:
    found = places.places([name], quick=True)
    assert len({(place.name, place.size) for place in found}) == len(found)
    again = places.places([name], quick=True)
    assert [place.problem for place in again] == [place.problem for place in found]
    prepare(found[0].problem)


def test_all_that_is_asked_for_is_there() -> None:
    assert {place.size for place in places.places(["large"])} >= {"96x48x48"}
    low = places.places(["solid-low"])
    assert all((place.problem.goal.volume or 1) < 0.08 for place in low)
    assert {place.name.rsplit(" ", 1)[1] for place in places.places(["scaled"])} == {"x1", "x2", "x4"}
    assert len({place.family for place in places.places(["families-small"])}) > 20
    assert {place.dimension for place in places.places(["named"])} == {2, 3}


def test_every_set_has_its_turn() -> None:
    found = places.places(["solid", "scaled"], quick=True, limit=2)
    assert [place.set for place in found] == ["solid", "scaled", "solid", "scaled"]


def test_a_name_is_one_problem_in_all_sets() -> None:
    known: dict[tuple[str, str], object] = {}
    for place in places.places(list(SETS), quick=True):
        assert known.setdefault((place.name, place.size), place.problem) == place.problem


def test_random_problems_have_seeds_of_their_own() -> None:
    assert not {0, 1, 2} & set(UNSEEN.values())
    easy, hard = (places.places([kind], quick=True) for kind in ("easy", "hard"))
    assert all(f"-{UNSEEN['easy']}-" in place.problem.name for place in easy)
    assert all((place.problem.goal.volume or 1) <= 0.15 for place in hard)
