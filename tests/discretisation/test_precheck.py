"""Cautions say what does not stop a solve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.problem.plates import BLOCK, HEATED, PLATE, REMOVE, bent
from tests.problem.solids import box_triangles, sphere_triangles, write_stl
from trabecula.discretisation import prepare
from trabecula.problem import (
    ProblemError,
    estimate,
    load,
    parse,
    save,
)
from trabecula.problem.estimate import machine_memory, refuse_if_too_large

GAP = {"where": {"x": [2, 3]}, "as": "void"}


@pytest.mark.parametrize(
    ("base", "changes", "said"),
    [
        (PLATE, {"options": {"filter": {"kind": "none"}}}, "options.filter.kind: without a filter"),
        (
            PLATE,
            {"domain__elements": [12, 4], "options": {"filter": {"radius": 0.3}}},
            "options.filter.radius: 0.3 is under one voxel along the longer edge (0.5)",
        ),
        (
            PLATE,
            {"domain__elements": [6, 20]},
            "options.filter.radius: is not given, so it is 1.5 m, 1.5 of the longer edge of a voxel "
            "(1 x 0.05), and smooths the design over 30 voxels along y",
        ),
        (
            PLATE,
            {
                "goal": {"minimize": "volume", "compliance": 1e6},
                "options": {"optimizer": "mma", "filter": "sensitivity"},
            },
            "options.filter.kind: under a limit on the compliance MMA seldom settles",
        ),
        (PLATE, {"options": {"symmetry": ["x"]}}, "options.symmetry: the supports are not symmetric in x"),
        (
            PLATE,
            {"loads__0__where": {"x": 4}, "supports__0__where": {"x": 6}, "regions": [GAP]},
            "x 0..2, y 0..1",
        ),
        (PLATE, {"loads__0__where": {"x": [0, 0.25]}}, "loads[0]: 50% of it acts on held nodes"),
        (
            PLATE,
            {"loads__0__where": {"y": 1}, "regions": [{"where": {"x": [2, 6], "y": [0.5, 1]}, "as": "void"}]},
            "void",
        ),
    ],
)
def test_cautions(base: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    cautions = prepare(parse(bent(base, **changes)))[1]
    assert len(cautions) == 1
    assert said in str(cautions[0])


HALF_HELD = {"where": {"x": [0, 0.25]}, "force": [0, -1]}
FREE = {"where": {"x": 6}, "force": [0, -1]}


def test_hundreds_of_cautions_of_one_kind_are_one_with_a_count() -> None:
    tree = bent(PLATE, loads=[FREE, *[HALF_HELD] * 200, FREE, *[HALF_HELD] * 200])
    _, (caution,) = prepare(parse(tree))
    assert caution.count == 400
    assert caution.where == "loads[1] and 399 others"
    assert caution.message == "50% of each acts on held nodes and goes straight into the supports"
    assert str(caution) == f"{caution.where}: {caution.message}"


def test_cautions_of_different_kinds_are_told_apart_with_least_and_most() -> None:
    regions = [{"where": {"x": [2, 6], "y": [0.5, 1]}, "as": "void"}]
    loads = [
        HALF_HELD,
        HALF_HELD,
        {"where": {"y": 1}, "force": [0, -1]},
        {"where": {"y": 1, "x": [1, 6]}, "force": [0, -1]},
        FREE,
    ]
    cautions = prepare(parse(bent(PLATE, loads=loads, regions=regions)))[1]
    assert [caution.count for caution in cautions] == [2, 3]
    assert str(cautions[0]).startswith("loads[0] and loads[1]: 50% of each acts on held nodes")
    assert str(cautions[1]) == (
        "loads[2].where and 2 others: 50% to 80% of each is passive void; the rest carries the load: make the"
        " selection or the void smaller if it should not"
    )


def test_cases_are_merged_too() -> None:
    cases = [{"name": f"c{k}", "weight": 1, "loads": [FREE, HALF_HELD]} for k in range(200)]
    _, (caution,) = prepare(parse(bent(PLATE, loads=REMOVE, cases=cases)))
    assert (caution.where, caution.count) == ("cases[0].loads[1] and 199 others", 200)


def test_many_idle_pieces_are_one_caution() -> None:
    gaps = [{"where": {"x": [k, k + 0.5]}, "as": "void"} for k in (2, 3, 4)]
    tree = bent(PLATE, loads__0__where={"x": 1}, regions=gaps)
    _, (caution,) = prepare(parse(tree))
    assert caution.count == 3
    assert str(caution) == (
        "domain: the piece at x 2.5..3, y 0..1 and 2 others are neither loaded nor held; they will be empty"
    )


def test_supports_askew_in_several_axes_are_one_caution() -> None:
    supports = [{"where": {"x": 0, "y": [0, 0.5]}, "fix": ["x", "y"]}]
    _, (caution,) = prepare(parse(bent(PLATE, supports=supports, options={"symmetry": ["x", "y"]})))
    assert str(caution) == "options.symmetry: the supports are not symmetric in x and y; the design will be"
    assert caution.count == 2


def test_a_pin_mirrored_by_a_roller_is_symmetric() -> None:
    supports = [
        {"where": {"x": 0, "y": 0}, "fix": ["x", "y"]},
        {"where": {"x": 6, "y": 0}, "fix": ["y"]},
    ]
    tree = bent(PLATE, supports=supports, loads__0__where={"y": 1}, options={"symmetry": ["x"]})
    assert prepare(parse(tree))[1] == []


def test_own_weight_loads_every_piece() -> None:
    tree = bent(PLATE, material="steel", regions=[GAP], loads__0={"gravity": [0, -9.81]})
    with pytest.raises(ProblemError, match=r"the piece at x 3\.\.6"):
        prepare(parse(tree))


def test_own_weight_alone_is_refused_unless_something_heavy_is_given() -> None:
    tree = bent(PLATE, material="steel", loads__0={"gravity": [0, -9.81]})
    with pytest.raises(ProblemError, match=r"^loads: gravity is the only load.*`as: solid`"):
        prepare(parse(tree))
    deck = {"where": {"y": [0.75, 1]}, "as": "solid"}
    assert prepare(parse(bent(tree, regions=[deck])))[1] == []
    other = {"name": "push", "loads": PLATE["loads"]}
    cases = bent(tree, cases=[{"name": "weight", "loads": tree["loads"]}, other])
    del cases["loads"]
    assert prepare(parse(cases))[1] == []


def test_a_shape_beyond_the_domain_is_worth_a_word(tmp_path: Path) -> None:
    write_stl(tmp_path / "big.stl", box_triangles((0, -1, -1), (4, 2, 1)))
    write_stl(tmp_path / "m.stl", sphere_triangles((2, 1, 0.5), 0.5))
    big = parse(bent(BLOCK, domain__shape="big.stl"), base=tmp_path)
    (caution,) = prepare(big)[1]
    assert str(caution) == (
        "domain.shape: the STL spans x 0..4, y -1..2, z -1..1, more than the domain (x 0..4, y 0..2, "
        "z 0..1); what lies outside is cut off"
    )
    fits = bent(
        BLOCK,
        domain__shape="m.stl",
        domain__elements=[32, 16, 8],
        supports__0__where={"x": [0, 1.75]},
        loads__0__where={"x": [2.25, 4]},
    )
    discrete, cautions = prepare(parse(fits, base=tmp_path))
    assert cautions == []
    assert 0.9 < np.count_nonzero(discrete.upper) / (32 * 16 * 8) / (np.pi / 6 / 8) < 1.1


def test_the_estimate_grows_with_elements_and_cases() -> None:
    small, large = (parse(bent(PLATE, domain__elements=size)) for size in ([1200, 400], [2400, 400]))
    assert estimate(large).memory_bytes > estimate(small).memory_bytes
    assert estimate(large).seconds > estimate(small).seconds
    cases = bent(PLATE, domain__elements=[1200, 400])
    del cases["loads"]
    cases["cases"] = [{"name": str(i), "loads": PLATE["loads"]} for i in range(10)]
    assert estimate(parse(cases)).memory_bytes > estimate(small).memory_bytes


def test_a_slow_machine_takes_longer_and_no_more_memory() -> None:
    quick, slow = estimate(parse(PLATE)), estimate(parse(PLATE), pace=3.0)
    assert slow.seconds == pytest.approx(3 * quick.seconds)
    assert slow.memory_bytes == quick.memory_bytes


@pytest.mark.parametrize("base", [PLATE, BLOCK])
def test_one_thread_takes_longer_than_two_and_more_are_promised_nothing(base: dict[str, Any]) -> None:
    one, two, many = (estimate(parse(base), threads=count).seconds for count in (1, 2, 64))
    assert 1.05 * two < one < 2 * two
    assert many == two == estimate(parse(base)).seconds


def test_a_million_solid_elements_are_estimated_at_half_a_gigabyte() -> None:
    block = parse(bent(BLOCK, domain__elements=[160, 80, 80]))
    assert 0.4e9 < estimate(block).memory_bytes < 0.7e9


def test_a_billion_elements_are_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    save(parse(bent(BLOCK, domain__elements=[1000, 1000, 1000])), path)
    with pytest.raises(ProblemError, match=r"1e\+09 elements need about .* GB"):
        load(path, max_memory=16e9)
    assert load(path, max_memory=1e15).domain.elements == (1000, 1000, 1000)


def test_the_default_limit_is_this_machine() -> None:
    assert machine_memory() > 1e8
    with pytest.raises(ProblemError, match="--max-memory"):
        refuse_if_too_large(parse(bent(BLOCK, domain__elements=[10**6] * 3)))


def test_an_unknown_machine_counts_as_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr("os.sysconf", unknown, raising=False)
    assert machine_memory() <= 8e9


def test_heat_problems_are_prepared_too() -> None:
    discrete, cautions = prepare(parse(HEATED))
    assert discrete.physics.name == "conduction"
    assert cautions == []
