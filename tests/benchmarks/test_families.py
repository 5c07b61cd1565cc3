"""The families are those that were published: places, amounts and sizes; each is well posed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import families
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem import Problem

VARIANTS = families.variants()


def posed(name: str, *size: int, **options: int) -> DiscreteProblem:
    return prepare(families.build(name, *size, **options))[0]


def held(discrete: DiscreteProblem, component: str) -> set[tuple[int, int]]:
    """Held nodes as (column, row from the top)."""
    height = discrete.grid.elements[1]
    return {(int(i), height - int(j)) for j, i in np.argwhere(discrete.fixed["xy".index(component)])}


def pushed(discrete: DiscreteProblem) -> dict[tuple[int, int], tuple[float, float]]:
    """Forces by node, (column, row from the top)."""
    height = discrete.grid.elements[1]
    x, y = discrete.loads[0]
    return {
        (int(i), height - int(j)): (float(x[j, i]), float(y[j, i]))
        for j, i in np.argwhere((x != 0) | (y != 0))
    }


def rows(discrete: DiscreteProblem) -> np.ndarray:
    """Designable elements, bool `[row from the top, column]`."""
    return np.asarray(discrete.upper[::-1] > 0)


def test_the_suite_has_116_problems_of_28_entries_in_26_families() -> None:
    assert len(VARIANTS) == 116
    assert len({v.family for v in VARIANTS}) == 28
    assert len(families.names()) == 30
    assert len({v.build().name for v in VARIANTS if not v.options}) == len(
        [v for v in VARIANTS if not v.options]
    )
    sizes = [families.suite(size) for size in ("small", "medium", "large")]
    assert sum(map(len, sizes)) == 116
    for suite in sizes:
        assert len({problem.name.rsplit("_", 2)[0] for problem in suite}) == 28


@pytest.mark.parametrize(
    "problem", [*families.suite("small"), *families.suite("medium")], ids=lambda p: p.name
)
def test_every_problem_is_well_posed(problem: Problem) -> None:
    discrete, cautions = prepare(problem)
    assert not cautions
    assert discrete.loads.any()
    assert discrete.goal.volume == problem.goal.volume


@pytest.mark.parametrize("name", families.names())
def test_every_family_can_be_built_on_other_grids(name: str) -> None:
    for width, height in ((24, 48), (40, 80)):
        discrete = posed(name, width, height)
        assert discrete.grid.elements == (width, height)


@pytest.mark.parametrize("name", ["hoop", "staircase", "dam", "crane"])
def test_the_largest_are_well_posed(name: str) -> None:
    last = [v for v in VARIANTS if v.family == name][-1]
    prepare(last.build())


def test_the_beam_is_the_textbook_one() -> None:
    beam = posed("mbb_beam", 30, 10)
    assert held(beam, "x") == {(0, row) for row in range(11)}
    assert held(beam, "y") == {(30, 10)}
    assert pushed(beam) == {(0, 0): (0.0, -1.0)}


def test_the_couple_bends_and_does_not_pull() -> None:
    bent = posed("pure_bending_moment", 32, 64)
    assert held(bent, "y") == {(0, 29), (0, 35)}
    assert pushed(bent) == {(0, 35): (1.0, 0.0), (0, 29): (-1.0, 0.0)}


def test_a_cantilever_hangs_from_two_points() -> None:
    beam = posed("cantilever_beam_two_point", 64, 48)
    assert held(beam, "x") == held(beam, "y") == {(0, 36), (0, 12)}
    assert pushed(beam) == {(64, 24): (0.0, -1.0)}


def test_the_angle_has_its_arm_at_the_bottom() -> None:
    angle = posed("l_shape_0.4", 50, 50)
    assert held(angle, "y") == {(column, 0) for column in range(20)}
    assert pushed(angle) == {(50, 40): (0.0, -1.0)}
    material = rows(angle)
    assert not material[:30, 20:].any()
    assert material[30:].all() and material[:, :20].all()


@pytest.mark.parametrize("size", [32, 64, 128])
def test_the_crane_is_loaded_under_its_arm(size: int) -> None:
    crane = posed("crane", size, size)
    (hook,) = pushed(crane)
    assert hook == (round(0.9 * size), size // 2 + 2)
    material = rows(crane)
    assert material[hook[1] - 1, hook[0]] and not material[hook[1], hook[0]]
    assert held(crane, "x") == {(column, size) for column in range(size // 2 + 1)}


def test_the_pier_is_as_thin_as_published() -> None:
    material = rows(posed("thin_support_bridge", 64, 64))
    assert material[:16].all() and material[:, 48:].all()
    assert not material[16:, :48].any()


@pytest.mark.parametrize(
    ("name", "row"), [("causeway_bridge_top", 0), ("causeway_bridge_middle", 32), ("causeway_bridge_low", 45)]
)
def test_decks_are_loaded_evenly(name: str, row: int) -> None:
    bridge = pushed(posed(name, 64, 64))
    assert set(bridge) == {(column, row) for column in range(65)}
    assert bridge[1, row][1] == pytest.approx(-1 / 64)
    assert sum(force[1] for force in bridge.values()) == pytest.approx(-1)


def test_two_decks_share_the_load() -> None:
    bridge = pushed(posed("two_level_bridge", 64, 64))
    assert {row for _, row in bridge} == {26, 38}
    assert sum(force[1] for force in bridge.values()) == pytest.approx(-1)


def test_suspended_bridges_rest_on_their_end() -> None:
    free, anchored = posed("free_suspended_bridge", 60, 60), posed("anchored_suspended_bridge", 60, 60)
    assert held(free, "y") == {(column, 60) for column in range(12)}
    assert held(anchored, "y") == {(column, 60) for column in range(6)}
    assert held(anchored, "x") - held(free, "x") == held(anchored, "y")


def test_the_ring_is_a_circle_of_the_published_weight() -> None:
    ring = pushed(posed("hoop", 32, 64))
    for column, row in ring:
        assert np.hypot(column - 32, row - 32) == pytest.approx(32, abs=0.75)
    assert sum(force[1] for force in ring.values()) == pytest.approx(-0.5, abs=0.03)  # less what is held
    with pytest.raises(ValueError, match="half a circle"):
        families.build("hoop", 64, 64)


def test_pressure_on_the_dam_grows_with_depth() -> None:
    water = pushed(posed("dam", 32, 32))
    assert water[0, 0] == pytest.approx((2 / 32**2, 0))
    assert water[0, 31] == pytest.approx((2 * 32 / 32**2, 0))
    assert (0, 32) not in water


def test_ramps_turn_at_every_storey() -> None:
    one = pushed(posed("ramp", 64, 64))
    assert set(one) == {(k, k) for k in range(64)}
    zigzag = pushed(posed("staircase", 64, 64, stories=2))
    for node in ((0, 0), (32, 16), (64, 32), (32, 48)):
        assert node in zigzag
    assert sum(force[1] for force in zigzag.values()) == pytest.approx(-1, abs=0.02)


def test_points_are_staggered() -> None:
    points = pushed(posed("staggered_points", 64, 64))
    assert set(points) == {
        (i, j) for i in range(65) for j in range(64) if (i % 16, j % 16) in ((8, 0), (0, 8))
    }
    for force in points.values():
        assert force == pytest.approx((0, -(16**2) / 64**2))


def test_floors_are_a_storey_apart() -> None:
    house = pushed(posed("multistory_building", 32, 64, interval=16))
    assert {row for _, row in house} == {0, 16, 32, 48}
    assert house[5, 16][1] == pytest.approx(-1 / 32)


def test_the_circle_twists() -> None:
    circle = pushed(posed("multipoint_circle"))
    assert len(circle) == 12
    forces = np.array(list(circle.values()))
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-9)
    turning = [(i - 70) * fy - (70 - j) * fx for (i, j), (fx, fy) in circle.items()]
    assert min(turning) > 0 or max(turning) < 0


def test_unknown_families_are_named() -> None:
    with pytest.raises(ValueError, match="known: mbb_beam"):
        families.build("mbb")


def test_the_list_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["families"])
    families.main()
    assert len(capsys.readouterr().out.splitlines()) == 30
