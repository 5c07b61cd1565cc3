"""The coarse problem is the fine one seen from further away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.problem.plates import BLOCK, HEATED, PLATE, bent
from trabecula.discretisation import DiscreteProblem, coarsen, discretise
from trabecula.problem import parse, problems


def on_voxels(base: dict[str, Any], **changes: Any) -> DiscreteProblem:
    return discretise(parse(bent(base, **changes)))


def moments(discrete: DiscreteProblem) -> np.ndarray:
    """Force by every co-ordinate and one, `[case, component, 1 + axis]`: resultant and first moments."""
    grid = discrete.grid
    places = np.indices(grid.node_shape)[::-1]
    out = [discrete.loads.reshape(*discrete.loads.shape[:2], -1).sum(-1)]
    for place, h in zip(places, grid.spacing, strict=True):
        out.append((discrete.loads * place * h).reshape(*discrete.loads.shape[:2], -1).sum(-1))
    return np.stack(out, axis=-1)


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 24), st.integers(2, 4))
def test_resultant_and_moment_are_kept_at_any_ratio_in_2d(nx: int, ny: int) -> None:
    fine = on_voxels(PLATE, loads__0={"where": {"y": 1, "x": [2.5, 6]}, "force": [3, -7]})
    coarse = coarsen(fine, (nx, ny))
    assert coarse.grid.shape == (ny, nx)
    assert np.allclose(moments(coarse), moments(fine))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(1, 4), st.integers(1, 2))
def test_resultant_and_moment_are_kept_at_any_ratio_in_3d(nx: int, ny: int, nz: int) -> None:
    fine = on_voxels(BLOCK, loads__0={"where": {"x": 4}, "force": [5, -1, 2]})
    assert np.allclose(moments(coarsen(fine, (nx, ny, nz))), moments(fine))


@pytest.mark.parametrize("name", problems.names())
def test_every_named_problem_can_be_halved(name: str) -> None:
    fine = discretise(problems.get(name))
    coarse = coarsen(fine, tuple(-(-n // 2) for n in fine.grid.elements))
    held = [f.any(axis=tuple(range(1, f.ndim))) for f in (fine.fixed, coarse.fixed)]
    assert held[0].tolist() == held[1].tolist()
    assert (coarse.lower <= coarse.upper).all()
    assert not coarse.loads[:, coarse.fixed].any()
    assert coarse.radius == fine.radius
    assert coarse.goal == fine.goal
    assert np.array_equal(coarse.weights, fine.weights)
    assert np.array_equal(coarse.gravity, fine.gravity)


def test_the_same_grid_gives_the_same_arrays() -> None:
    fine = on_voxels(PLATE, regions=[{"where": {"y": [0.75, 1]}, "as": "solid"}])
    same = coarsen(fine, fine.grid.elements)
    for name in ("fixed", "lower", "upper"):
        assert np.array_equal(getattr(same, name), getattr(fine, name))
    assert np.allclose(same.loads, fine.loads, atol=1e-15)


def test_the_default_radius_of_the_fine_grid_goes_along_in_metres() -> None:
    fine = on_voxels(PLATE)
    assert fine.options.filter.radius is None
    assert coarsen(fine, (12, 2)).options.filter.radius == pytest.approx(0.375)


def test_partly_passive_voxels_have_the_share() -> None:
    fine = on_voxels(PLATE, regions=[{"where": {"y": [0.75, 1]}, "as": "solid"}])
    coarse = coarsen(fine, (12, 2))
    assert np.allclose(coarse.lower, np.repeat([[0.0], [0.5]], 12, axis=1))
    assert np.allclose(coarse.upper, 1)
    third = coarsen(fine, (24, 3))
    assert np.allclose(third.lower[:, 0], [0, 0, 0.75])


def test_voxels_mostly_outside_become_void_unless_load_reaches_them() -> None:
    regions = [{"where": {"y": [0, 0.75]}, "as": "void"}]
    fine = on_voxels(PLATE, regions=regions, loads__0__where={"x": 6, "y": 1}, goal__volume=0.9)
    with pytest.raises(ValueError, match="can slide"):
        coarsen(fine, (12, 1))
    half = coarsen(fine, (24, 2))
    assert np.allclose(half.upper[0], 0)
    assert np.allclose(half.upper[1], 0.5)
    wide = on_voxels(
        PLATE,
        regions=[{"where": {"y": [0.75, 1], "x": [0, 5]}, "as": "void"}],
        loads__0__where={"y": 1, "x": 6},
    )
    kept = coarsen(wide, (3, 4))
    assert np.allclose(kept.upper[3], [0, 0, 0.5])


def test_a_thin_finger_that_carries_load_stays() -> None:
    regions = [{"where": {"x": [5, 6], "y": [0.25, 1]}, "as": "void"}]
    fine = on_voxels(PLATE, regions=regions, loads__0__where={"x": 6, "y": 0})
    coarse = coarsen(fine, (6, 1))
    assert np.allclose(coarse.upper[0], [1, 1, 1, 1, 1, 0.25])
    assert np.allclose(moments(coarse)[..., 0], moments(fine)[..., 0])


def test_supports_stay_symmetric_when_grids_do_not_divide() -> None:
    supports = [{"where": {"y": 0, "x": [2, 4]}, "fix": ["x", "y"]}]
    fine = on_voxels(PLATE, supports=supports, loads__0__where={"y": 1})
    for nx in range(3, 24):
        held = coarsen(fine, (nx, 2)).fixed[0, 0]
        assert np.array_equal(held, held[::-1])
        assert held.any()


def test_heat_keeps_its_total() -> None:
    fine = on_voxels(HEATED)
    coarse = coarsen(fine, (3, 2))
    assert coarse.fixed[0, :, 0].all()
    assert coarse.loads.sum() + (8 - fine.loads.sum()) <= 8


@pytest.mark.parametrize("elements", [(25, 4), (0, 4), (24,), (24, 4, 1)])
def test_grids_that_are_not_coarser_are_refused(elements: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cannot coarsen"):
        coarsen(on_voxels(PLATE), elements)


def test_a_grid_that_loses_the_load_is_refused() -> None:
    fine = on_voxels(PLATE, loads__0__where={"x": 0.25})
    with pytest.raises(ValueError, match="loses the load of case 0"):
        coarsen(fine, (6, 4))
    couple = [
        {"where": {"nodes": [[6, 0.25]]}, "force": [1, 0]},
        {"where": {"nodes": [[6, 0.5]]}, "force": [-1, 0]},
    ]
    with pytest.raises(ValueError, match="loses the load"):
        coarsen(on_voxels(PLATE, loads=couple), (6, 1))


def test_a_grid_that_loses_a_support_is_refused() -> None:
    supports = [
        {"where": {"x": 0, "y": 0}, "fix": ["x", "y"]},
        {"where": {"x": 0.25, "y": 0}, "fix": ["x", "y"]},
    ]
    with pytest.raises(ValueError, match="can turn about z"):
        coarsen(on_voxels(PLATE, supports=supports), (6, 4))


def test_a_grid_on_which_passive_solid_takes_all_is_refused() -> None:
    regions = [{"where": {"y": [0, 0.25]}, "as": "solid"}, {"where": {"y": [0.5, 1]}, "as": "void"}]
    fine = on_voxels(PLATE, regions=regions, goal__volume=0.55)
    with pytest.raises(ValueError, match="passive solid"):
        coarsen(
            replace(fine, lower=np.minimum(fine.lower * 2, fine.upper), goal=replace(fine.goal, volume=0.4)),
            (12, 4),
        )
