"""Arrays say what the problem says: held degrees of freedom, resultants, moments, bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.problem.plates import BLOCK, HEATED, PLATE, bent
from tests.problem.solids import box_triangles, write_stl
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem import (
    Material,
    ProblemError,
    parse,
    problems,
)


def on_voxels(base: dict[str, Any], **changes: Any) -> DiscreteProblem:
    return discretise(parse(bent(base, **changes)))


def resultant(discrete: DiscreteProblem, case: int = 0) -> np.ndarray:
    return discrete.loads[case].reshape(len(discrete.loads[case]), -1).sum(axis=1)


def test_arrays_have_their_shapes() -> None:
    plate, block, heated = on_voxels(PLATE), on_voxels(BLOCK), on_voxels(HEATED)
    assert plate.fixed.shape == (2, 5, 25)
    assert plate.loads.shape == (1, 2, 5, 25)
    assert plate.lower.shape == plate.upper.shape == (4, 24)
    assert block.loads.shape == (1, 3, 3, 5, 9)
    assert block.gravity.shape == (1, 3)
    assert heated.fixed.shape == (1, 5, 5)
    assert (heated.physics.name, plate.physics.name) == ("conduction", "elasticity")
    assert plate.grid.element_volume == pytest.approx(0.25 * 0.25 * 0.5)
    assert plate.radius == pytest.approx(1.5 * 0.25)
    assert plate.grid.dimension == 2


def test_supports_hold_their_components_only() -> None:
    discrete = on_voxels(
        PLATE, supports__1={"where": {"x": 6, "y": 0}, "fix": ["y"]}, loads__0__where={"y": 1}
    )
    assert discrete.fixed[:, :, 0].all()
    assert discrete.fixed[1, 0, 24]
    assert not discrete.fixed[0, 0, 24]
    assert discrete.fixed.sum() == 11


def test_a_force_is_the_total_whatever_it_is_spread_over() -> None:
    for where in ({"x": 6}, {"y": 1, "x": [1, 6]}, {"nodes": [[6, 1], [3, 1]]}, {"x": [3, 6]}):
        assert np.allclose(resultant(on_voxels(PLATE, loads__0={"where": where, "force": [3, -7]})), [3, -7])


def test_an_even_load_has_its_moment_about_the_middle() -> None:
    discrete = on_voxels(BLOCK, loads__0={"where": {"x": 4}, "force": [5, 0, 0]})
    z, y, _ = np.indices(discrete.loads.shape[2:])
    assert np.isclose((discrete.loads[0, 0] * y * 0.5).sum(), 5 * 1.0)
    assert np.isclose((discrete.loads[0, 0] * z * 0.5).sum(), 5 * 0.5)


def test_loads_are_zero_on_held_degrees_of_freedom() -> None:
    discrete = on_voxels(PLATE, loads__0__where={"y": 1})
    assert not discrete.loads[0][discrete.fixed].any()
    assert resultant(discrete)[1] == pytest.approx(-1 + 1 / 48)


def test_pressure_has_the_unit_of_force_over_area() -> None:
    assert np.allclose(
        resultant(on_voxels(PLATE, loads__0={"where": {"x": 6}, "pressure": 8})), [-8 * 0.5, 0]
    )
    assert np.allclose(resultant(on_voxels(BLOCK, loads__0={"where": {"x": 4}, "pressure": -3})), [6, 0, 0])


def test_gravity_fills_its_own_array_case_by_case() -> None:
    cases = [
        {"name": "a", "weight": 0.7, "loads": [{"gravity": [0, -9]}, {"gravity": [1, 0]}]},
        {"name": "b", "weight": 0.3, "loads": [{"where": {"x": 6}, "force": [0, 1]}]},
    ]
    tree = bent(PLATE, material="steel", cases=cases)
    del tree["loads"]
    discrete = discretise(parse(tree))
    assert discrete.gravity.tolist() == [[1, -9], [0, 0]]
    assert discrete.weights.tolist() == [0.7, 0.3]
    assert not discrete.loads[0].any()
    assert np.allclose(resultant(discrete, 1), [0, 1])


def test_heat_is_spread_by_volume_and_area() -> None:
    discrete = on_voxels(HEATED)
    assert discrete.loads[0, 0, 1:4, 1:4] == pytest.approx(8 / 16)
    assert discrete.loads[0, 0, 0, 4] == pytest.approx(8 / 64)
    edge = on_voxels(HEATED, loads__0={"where": {"x": 1}, "heat": 8})
    assert np.allclose(edge.loads[0, 0, :, 4], [1, 2, 2, 2, 1])


def test_later_regions_overrule_earlier_ones() -> None:
    regions = [{"where": {"x": [0, 3]}, "as": "solid"}, {"where": {"y": [0, 0.5]}, "as": "void"}]
    discrete = on_voxels(PLATE, regions=regions)
    assert (discrete.upper[:2] == 0).all()
    assert (discrete.lower[2:, :12] == 1).all()
    assert (discrete.lower[2:, 12:] == 0).all()
    assert discrete.void.sum() == 48


def test_nothing_is_held_where_only_void_is() -> None:
    discrete = on_voxels(PLATE, regions=[{"where": {"y": [0, 0.5]}, "as": "void"}])
    assert discrete.fixed[0, :, 0].tolist() == [False, False, True, True, True]


def test_what_lies_outside_the_shape_is_void(tmp_path: Path) -> None:
    file = write_stl(tmp_path / "part.stl", box_triangles((1.0, 0.0, 0.0), (4.0, 1.0, 1.0)))
    tree = bent(BLOCK, domain__shape=file.name, supports__0__where={"x": 1})
    discrete = discretise(parse(tree, base=tmp_path))
    inside = np.zeros((2, 4, 8), dtype=bool)
    inside[:, :2, 2:] = True
    assert np.array_equal(discrete.upper > 0, inside)
    assert np.allclose(resultant(discrete), [0, -1, 0])
    solid_outside = bent(tree, regions=[{"where": {"x": [0, 2]}, "as": "solid"}])
    assert np.array_equal(discretise(parse(solid_outside, base=tmp_path)).upper > 0, inside)


def test_a_selector_may_be_a_shape(tmp_path: Path) -> None:
    file = write_stl(tmp_path / "part.stl", box_triangles((2.9, -1, -1), (5, 3, 3)))
    discrete = discretise(parse(bent(BLOCK, loads__0__where={"stl": str(file)})))
    hit = np.argwhere(discrete.loads[0, 1] != 0)
    assert hit[:, 2].min() == 6
    assert len(hit) == 3 * 5 * 3


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"domain__shape": "none.stl"}, "domain.shape", "no file"),
        ({"loads__0__where": {"stl": "none.stl"}}, "loads[0].where", "no file"),
        ({"domain__shape": "far.stl"}, "domain.shape", "spans x 100..101.*domain spans x 0..4.*corner"),
    ],
)
def test_wrong_shapes_are_refused_by_their_key(
    tmp_path: Path, changes: dict[str, Any], where: str, said: str
) -> None:
    write_stl(tmp_path / "far.stl", box_triangles((100, 100, 100), (101, 101, 101)))
    with pytest.raises(ProblemError, match=said) as caught:
        discretise(parse(bent(BLOCK, **changes), base=tmp_path))
    assert caught.value.where == where


def test_problems_built_in_python_are_held_to_the_same_rules() -> None:
    mbb = problems.mbb(elements=(12, 4))
    with pytest.raises(ProblemError, match=r"material\.young: got -1; needs a number in Pa above 0"):
        discretise(replace(mbb, material=Material(young=-1.0)))


def test_resolution_gives_the_nearest_number_of_elements() -> None:
    tree = bent(PLATE, domain={"size": [6.0, 1.0], "resolution": 0.3})
    assert parse(tree).domain.elements == (20, 3)
