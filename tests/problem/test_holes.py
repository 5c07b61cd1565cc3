"""A hole is a bore, a ring of material, and what its bolt holds or carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from trabecula.discretisation import discretise, prepare
from trabecula.problem import Problem, ProblemError, Region, dump, loads, parse
from trabecula.problem.holes import Bore, expand, expand_holes
from trabecula.problem.where import AllOf, Cylinder, Range

from .plates import bent

PLATE: dict[str, Any] = {
    "trabecula": 1,
    "units": "mm",
    "domain": {"size": [80, 40, 10], "resolution": 1},
    "material": "aluminium",
    "holes": [
        {"at": [10, 20, 0], "axis": "z", "diameter": 8.4, "wall": 3, "fix": "all"},
        {"at": [70, 20, 0], "axis": "z", "diameter": 6.6, "wall": 2.5, "force": [0, -500, 20]},
    ],
    "goal": {"minimize": "compliance", "volume": 0.4},
}


def hole(**changes: Any) -> Problem:
    """The plate with its first hole changed."""
    return parse(bent(PLATE, **{f"holes__0__{key}": value for key, value in changes.items()}))


def test_it_stands_for_regions_supports_and_loads() -> None:
    problem = parse(PLATE)
    expanded = expand_holes(problem)
    at, other = (0.01, 0.02, 0.0), (0.07, 0.02, 0.0)
    assert expanded.regions == (
        Region(Cylinder("z", at, 0.0042 + 0.003), "solid"),
        Region(Cylinder("z", other, 0.0033 + 0.0025), "solid"),
        Bore(Cylinder("z", at, 0.0042), "void"),
        Bore(Cylinder("z", other, 0.0033), "void"),
    )
    assert [support.fix for support in expanded.supports] == [("x", "y", "z")]
    assert [load.force for load in expanded.cases[0].loads] == [(0.0, -500.0, 20.0)]
    assert expanded.holes == ()
    assert expand_holes(expanded) is expanded


def test_on_its_voxels_the_bore_is_void_the_ring_solid_and_the_wall_held() -> None:
    problem = parse(PLATE)
    discrete = discretise(problem)
    x, y = (np.arange(80) + 0.5)[None, :], (np.arange(40) + 0.5)[:, None]
    distance = np.hypot(x - 10, y - 20)
    assert (discrete.upper[:, distance < 4.2] == 0).all()
    assert (discrete.lower[:, (distance > 4.2) & (distance < 7.2)] == 1).all()
    held = np.argwhere(discrete.fixed[0])[:, 1:]
    places = np.hypot(held[:, 1] - 10, held[:, 0] - 20)
    assert places.max() <= 4.2 + 0.75
    assert places.min() > 4.2 - 0.75
    around = np.degrees(np.arctan2(held[:, 0] - 20, held[:, 1] - 10))
    assert np.histogram(around, bins=8, range=(-180, 180))[0].min() > 0


def test_the_whole_force_arrives_around_the_bore_without_a_moment() -> None:
    discrete = discretise(parse(PLATE))
    load = discrete.loads[0]
    assert load.sum(axis=(1, 2, 3)) == pytest.approx([0.0, -500.0, 20.0])
    z, y, x = np.meshgrid(*(np.arange(n) for n in load.shape[1:]), indexing="ij")
    weight = load[1] / load[1].sum()
    assert [(weight * place).sum() for place in (x, y, z)] == pytest.approx([70.0, 20.0, 5.0])


@pytest.mark.parametrize(
    ("at", "axis", "low", "high"),
    [
        ([10, 20, 0], "z", 0.0, 0.004),
        ([10, 20, 10], "z", 0.006, 0.01),
        ([10, 20, 10], "-z", 0.006, 0.01),
        ([10, 20, 3], "+z", 0.003, 0.007),
        ([10, 20, 3], "-z", -0.001, 0.003),
    ],
)
def test_a_blind_hole_goes_from_its_mouth_into_the_part(
    at: list[float], axis: str, low: float, high: float
) -> None:
    expanded = expand_holes(hole(at=at, axis=axis, depth=4))
    ring, bore = expanded.regions[0].where, expanded.regions[2].where
    assert isinstance(bore, AllOf)
    assert isinstance(ring, AllOf)
    cylinder, between = bore.parts
    assert isinstance(cylinder, Cylinder)
    assert isinstance(between, Range)
    assert cylinder.radius == 0.0042
    assert (between.low, between.high) == pytest.approx((low, high))
    further = ring.parts[1]
    assert isinstance(further, Range)
    assert further.high - further.low == pytest.approx(0.007)  # the bottom is as thick as the wall


def test_a_place_that_is_kept_free_stays_free_and_nothing_fills_a_bore() -> None:
    tree = {
        **PLATE,
        "regions": [
            {"where": {"x": [0, 8]}, "as": "void"},
            {"where": {"cylinder": {"axis": "z", "center": [70, 20], "radius": 9}}, "as": "solid"},
        ],
    }
    discrete = discretise(parse(tree))
    assert (discrete.upper[:, :, :8] == 0).all()
    assert (discrete.upper[:, 18:22, 68:72] == 0).all()


def test_it_is_written_as_it_was_given() -> None:
    problem = parse(PLATE)
    text = dump(problem)
    assert "diameter: 8.4, wall: 3.0, fix: [x, y, z]}" in text
    assert "supports" not in text
    assert "loads" not in text
    assert loads(text) == problem
    blind = hole(depth=4, axis="-z", at=[10, 20, 10])
    assert loads(dump(blind)) == blind
    assert blind.holes[0].depth == 0.004


def test_its_force_acts_in_every_case() -> None:
    case = {"where": {"x": 80}, "force": [1, 0, 0]}
    tree = {**PLATE, "cases": [{"name": "a", "loads": [case]}, {"name": "b", "loads": []}]}
    cases = expand_holes(parse(tree)).cases
    assert [len(one.loads) for one in cases] == [2, 1]
    assert loads(dump(parse(tree))) == parse(tree)


def test_in_the_plane_it_goes_through() -> None:
    tree = {
        **PLATE,
        "domain": {"size": [80, 40], "resolution": 1},
        "holes": [
            {"at": [10, 20], "diameter": 8, "wall": 2, "fix": ["x", "y"]},
            {"at": [70, 20], "axis": "z", "diameter": 6, "force": [0, -100]},
        ],
    }
    discrete = discretise(parse(tree))
    assert (discrete.upper[18:22, 8:12] == 0).all()
    assert discrete.loads.sum(axis=(0, 2, 3)) == pytest.approx([0.0, -100.0])


def test_a_bore_thinner_than_the_voxels_is_told_and_kept() -> None:
    problem = parse(bent(PLATE, domain__resolution=5, holes__1__diameter=3))
    said = [str(caution) for caution in prepare(problem)[1]]
    assert said[0].startswith(
        "holes[0].diameter and 1 more: the bore is 8.4 mm wide, less than two voxels of 5 mm"
    )
    assert any(
        isinstance(r, Bore) and r.where == Cylinder("z", (0.07, 0.02, 0.0), 0.0015)
        for r in expand_holes(problem).regions
    )


def refusal(problem: Problem) -> str:
    with pytest.raises(ProblemError) as caught:
        prepare(problem)
    return str(caught.value)


def test_what_is_wrong_with_what_it_stands_for_has_its_own_key() -> None:
    void = Region(Range("x", 0.0, 0.02), "void")
    assert refusal(replace(parse(PLATE), regions=(void,))).startswith("holes[0]: selects only passive void")
    both = parse(bent(PLATE, holes__1={**PLATE["holes"][0], "fix": None, "force": [0, -1, 0]}))
    assert refusal(both).startswith("holes[1]: acts only where the part is held")
    expansion = expand(parse({**PLATE, "supports": [{"where": {"x": 0}, "fix": "all"}]}))
    keys = [
        "regions[0].where",
        "regions[3].where",
        "supports[0].where",
        "supports[1].where",
        "loads[0]",
        "goal",
    ]
    assert [expansion.key(key) for key in keys] == [
        "holes[0]",
        "holes[1]",
        "supports[0].where",
        "holes[0]",
        "holes[1]",
        "goal",
    ]


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"diameter": 0}, "holes[0].diameter", "above 0"),
        ({"wall": -1}, "holes[0].wall", "in millimetres at least 0"),
        ({"depth": 0}, "holes[0].depth", "above 0"),
        ({"axis": "w"}, "holes[0].axis", "one of x, y, z, +x, +y, +z, -x, -y, -z"),
        ({"axis": None}, "holes[0].axis", "missing"),
        ({"at": [10, 20]}, "holes[0].at", "a list of 3 numbers (a point of the axis) in millimetres"),
        ({"at": [10, 50, 0]}, "holes[0].at", "which spans x 0..80, y 0..40, z 0..10 mm"),
        ({"at": [10, 20, 12]}, "holes[0].at", "a place in the domain"),
        ({"fix": "some"}, "holes[0].fix", "or the word all"),
        ({"fix": "xz"}, "holes[0].fix", "write [x, z]"),
        ({"force": [1, 2]}, "holes[0].force", "write [1, 2, 0]"),
        ({"bolt": "M8"}, "holes[0].bolt", "unknown key"),
    ],
)
def test_a_wrong_hole_is_refused(changes: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        hole(**changes)
    assert caught.value.where == where
    assert said in str(caught.value)


def test_supports_and_loads_must_come_from_somewhere() -> None:
    with pytest.raises(ProblemError, match="supports: missing; needs what is held"):
        parse(bent(PLATE, holes__0__fix=None))
    with pytest.raises(ProblemError, match="loads: got neither"):
        parse(bent(PLATE, holes__1__force=None))
    with pytest.raises(ProblemError, match=r"holes\[0\].fix: does not fit"):
        parse(
            {
                **PLATE,
                "goal": {"minimize": "thermal_compliance", "volume": 0.4},
                "material": {"conductivity": 1},
                "supports": [{"where": {"x": 0}, "temperature": 0}],
                "loads": [{"where": "everywhere", "heat": 1}],
            }
        )


@pytest.mark.parametrize("resolution", [2.0, 60 / 31])
@pytest.mark.parametrize(
    ("at", "axis", "depth", "centroid"),
    [
        ([45, 20, 20], "z", 10, [45, 20, 15]),
        ([45, 20, 0], "z", 9, [45, 20, 4.5]),
        ([60, 20, 10], "x", 17, [51.5, 20, 10]),
        ([30, 40, 10], "y", 13, [30, 33.5, 10]),
    ],
)
def test_the_force_of_a_blind_hole_acts_half_way_down_its_bore(
    at: list[float], axis: str, depth: float, centroid: list[float], resolution: float
) -> None:
    problem = parse(
        {
            "trabecula": 1,
            "units": "mm",
            "domain": {"size": [60, 40, 20], "resolution": resolution},
            "material": "steel",
            "supports": [{"where": {"x": 0}, "fix": "all"}],
            "holes": [
                {"at": at, "axis": axis, "depth": depth, "diameter": 8, "wall": 2, "force": [7, -5, 3]},
            ],
            "goal": {"minimize": "compliance", "volume": 0.5},
        }
    )
    discrete = discretise(problem)
    load = discrete.loads[0]
    places = np.meshgrid(*(np.arange(n) for n in load.shape[1:]), indexing="ij")[::-1]
    spacing = [1000 * h for h in problem.domain.spacing]
    for component, total in enumerate([7.0, -5.0, 3.0]):
        assert load[component].sum() == pytest.approx(total)
        weight = load[component] / total
        found = [(weight * place).sum() * h for place, h in zip(places, spacing, strict=True)]
        assert found == pytest.approx(centroid, abs=1e-6)


def test_a_bore_that_takes_the_whole_domain_is_refused_by_its_name() -> None:
    with pytest.raises(ProblemError, match=r"holes\[0\]: covers the whole domain, of which nothing is left"):
        discretise(hole(diameter=400))
