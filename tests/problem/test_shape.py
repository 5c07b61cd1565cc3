"""The box of a part comes from its file; what does not fit is named with both extents and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trabecula as tb
from trabecula.discretisation import discretise, prepare
from trabecula.problem import Problem, ProblemError, dump, loads, parse
from trabecula.problem.stl import stated_unit
from trabecula.problem.where import Stl

from .plates import BLOCK, bent
from .solids import box_triangles, sphere_triangles, write_stl

SUPPORTED = {
    "supports": [{"where": {"x": -30}, "fix": "all"}],
    "loads": [{"where": {"x": 30}, "force": [0, -1, 0]}],
}


def part(tmp_path: Path, name: str, low: tuple[float, ...], high: tuple[float, ...]) -> str:
    return str(write_stl(tmp_path / name, box_triangles(low, high)))


def shaped(file: str, units: str = "mm", **domain: Any) -> dict[str, Any]:
    return {**BLOCK, **SUPPORTED, "units": units, "domain": {"shape": file, "resolution": 2, **domain}}


def test_a_shape_and_a_resolution_are_enough(tmp_path: Path) -> None:
    file = part(tmp_path, "part.stl", (-30.1, -10, 0), (30.1, 10, 0.7 + 7.3))
    problem = parse(shaped(file))
    domain = problem.domain
    assert domain.size == (0.0602, 0.02, 0.008)  # decimals, though the file holds single precision
    assert domain.origin == (-0.0301, -0.01, 0.0)
    assert domain.elements == (30, 10, 4)
    discrete = discretise(problem)
    assert (discrete.upper == 1).all()
    assert loads(dump(problem)) == problem


def test_co_ordinates_are_those_of_the_file(tmp_path: Path) -> None:
    file = part(tmp_path, "part.stl", (-30, -10, 0), (30, 10, 8))
    problem = parse(
        {**shaped(file), "regions": [{"where": {"x": [-30, -20]}, "as": "void"}]}
        | {"supports": [{"where": {"x": [-20, -18]}, "fix": "all"}]}
    )
    discrete = discretise(problem)
    assert (discrete.upper[:, :, :5] == 0).all()
    assert (discrete.upper[:, :, 5:] == 1).all()
    assert discrete.fixed[0].any(axis=(0, 1)).tolist() == [False] * 5 + [True] * 2 + [False] * 24
    (load,) = {tuple(place[1:]) for place in np.argwhere(discrete.loads[0, :, :, :, -1] != 0)[:, [0, 0]]}
    assert load == (1,)


def test_a_centred_part_is_the_same_part(tmp_path: Path) -> None:
    centred = parse(shaped(part(tmp_path, "c.stl", (-30, -10, -4), (30, 10, 4))))
    tree = shaped(part(tmp_path, "k.stl", (0, 0, 0), (60, 20, 8)))
    tree["supports"], tree["loads"] = (
        [{"where": {"x": 0}, "fix": "all"}],
        [{"where": {"x": 60}, "force": [0, -1, 0]}],
    )
    one, other = discretise(centred), discretise(parse(tree))
    assert np.array_equal(one.loads, other.loads)
    assert np.array_equal(one.fixed, other.fixed)
    assert np.array_equal(one.upper, other.upper)


def test_the_corner_of_a_part_can_be_moved_to_that_of_the_domain(tmp_path: Path) -> None:
    file = part(tmp_path, "far.stl", (100, 100, 100), (104, 102, 101))
    tree = bent(BLOCK, domain__shape={"stl": file, "origin": "corner"})
    assert (discretise(parse(tree)).upper == 1).all()
    alone = parse({**tree, "domain": {"shape": {"stl": file, "origin": "corner"}, "resolution": 0.5}})
    assert (alone.domain.size, alone.domain.origin) == ((4.0, 2.0, 1.0), ())


@pytest.mark.parametrize(("units", "factor"), [("mm", 1e3), ("cm", 1e2), ("inch", 1 / 0.0254), ("m", 1.0)])
def test_files_may_be_in_any_usual_unit(tmp_path: Path, units: str, factor: float) -> None:
    far = tuple(factor * edge for edge in (4.0, 2.0, 1.0))
    file = part(tmp_path, "part.stl", (0, 0, 0), far)
    tree = bent(BLOCK, domain={"shape": {"stl": file, "units": units}, "elements": [8, 4, 2]})
    problem = parse(tree)
    assert problem.domain.size == pytest.approx((4.0, 2.0, 1.0), rel=1e-6)
    assert (discretise(problem).upper == 1).all()


def refusal(tree: dict[str, Any]) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        discretise(parse(tree))
    return caught.value


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (
            1000,
            ["spans x 0..4000, y 0..2000, z 0..1000", "1000 times", "x 0..4, y 0..2, z 0..1", "units: mm"],
        ),
        (100, ["100 times the domain", "in centimetres", "units: cm"]),
        (39.37, ["39.37 times", "in inches", "units: inch"]),
        (10, ["10 times the domain", "leave it out"]),
        (0.1, ["1/10 of the domain", "leave it out"]),
        (0.001, ["1/1000 of the domain", "spans x 0..0.004"]),
    ],
)
def test_a_part_in_another_unit_than_its_box_is_refused(
    tmp_path: Path, scale: float, said: list[str]
) -> None:
    file = part(tmp_path, "part.stl", (0, 0, 0), (4 * scale, 2 * scale, scale))
    error = refusal(bent(BLOCK, domain__shape=file))
    assert error.where == "domain.shape"
    assert [text for text in said if text not in str(error)] == []


def test_a_part_in_metres_in_a_problem_in_millimetres_is_refused_with_its_unit(tmp_path: Path) -> None:
    file = part(tmp_path, "part.stl", (0, 0, 0), (0.06, 0.02, 0.008))
    error = refusal(shaped(file, size=[60, 20, 8]))
    assert "1/1000 of the domain (x 0..60, y 0..20, z 0..8 mm)" in str(error)
    assert "units: m}" in str(error)


def test_a_part_of_the_right_size_elsewhere_is_refused(tmp_path: Path) -> None:
    error = refusal(bent(BLOCK, domain__shape=part(tmp_path, "part.stl", (-2, -1, -0.5), (2, 1, 0.5))))
    assert "x -2..2, y -1..1, z -0.5..0.5: the domain's size, but elsewhere" in str(error)
    assert "origin: corner" in str(error)


def test_a_thin_shell_is_called_thin(tmp_path: Path) -> None:
    outer, inner = box_triangles((0, 0, 0), (4, 2, 1)), box_triangles((0.1,) * 3, (3.9, 1.9, 0.9))[:, ::-1]
    file = str(write_stl(tmp_path / "thin.stl", np.concatenate([outer, inner])))
    error = str(refusal(bent(BLOCK, domain__shape=file)))
    assert "spans x 0..4, y 0..2, z 0..1; no voxel centre lies inside it" in error
    assert "thinner than a voxel (0.5 m), some 0.1 m thick" in error


def test_a_region_in_another_unit_or_place_is_told_so(tmp_path: Path) -> None:
    file = part(tmp_path, "boss.stl", (1000, 500, 0), (2000, 1000, 1000))
    error = refusal({**BLOCK, "regions": [{"where": {"stl": file}, "as": "solid"}]})
    assert error.where == "regions[0].where"
    assert "spans x 1000..2000" in str(error)
    assert "write `stl: {stl: ..., units: mm}`" in str(error)
    away = part(tmp_path, "away.stl", (7, 7, 7), (8, 8, 8))
    error = refusal({**BLOCK, "regions": [{"where": {"stl": away}, "as": "void"}]})
    assert "its co-ordinates must be the domain's" in str(error)


@pytest.mark.parametrize("place", ["shape", "region"])
def test_an_open_surface_is_always_told(tmp_path: Path, place: str) -> None:
    open_box = np.delete(box_triangles((0, 0, 0), (4, 2, 1)), [2, 3], axis=0)
    file = str(write_stl(tmp_path / "open.stl", open_box))
    if place == "shape":
        tree = bent(BLOCK, domain__shape=file)
    else:
        tree = {**BLOCK, "regions": [{"where": {"all": [{"stl": file}, {"x": [2, 3]}]}, "as": "void"}]}
        tree["supports"] = [*BLOCK["supports"], {"where": {"x": 4}, "fix": "all"}]
        tree["loads"] = [{"where": {"x": 1}, "force": [0, -1, 0]}]
    said = [str(caution) for caution in prepare(parse(tree))[1] if "open" in str(caution)]
    assert len(said) == 1
    assert "its surface is open: it ends at 4 edges within x 0..4, y 0..2, z 1..1" in said[0]


def test_bodies_that_hold_no_voxel_or_lie_in_others_are_told(tmp_path: Path) -> None:
    bodies = [((0, 0, 0), (4, 2, 0.6)), ((1, 1, 0.9), (1.1, 1.1, 1)), ((0.5, 0.5, 0.1), (2, 1.5, 0.5))]
    file = str(write_stl(tmp_path / "a.stl", np.concatenate([box_triangles(*one) for one in bodies])))
    said = " ".join(str(caution) for caution in prepare(parse(bent(BLOCK, domain__shape=file)))[1])
    assert "the body within x 1..1.1, y 1..1.1, z 0.9..1 holds no voxel centre" in said
    assert "the body within x 0.5..2, y 0.5..1.5, z 0.1..0.5 lies inside another body" in said


def test_a_flat_part_and_a_resolution_beyond_the_part_are_refused(tmp_path: Path) -> None:
    flat = part(tmp_path, "flat.stl", (0, 0, 0), (60, 20, 0))
    with pytest.raises(ProblemError, match=r"x 0\.\.60, y 0\.\.20, z 0\.\.0 mm and is flat"):
        parse(shaped(flat))
    file = part(tmp_path, "part.stl", (0, 0, 0), (0.06, 0.02, 0.008))
    with pytest.raises(
        ProblemError, match=r"at most 0.008 mm: the STL measures 0.06 x 0.02 x 0.008 mm.*units"
    ):
        parse(shaped(file))


@pytest.mark.parametrize("name", ["part.step", "part.SLDPRT", "part.obj", "part.msh"])
def test_files_of_other_formats_are_called_by_their_name(name: str) -> None:
    with pytest.raises(ProblemError, match="only STL files are read; export the solid as STL"):
        parse({**BLOCK, "domain": {"shape": name, "resolution": 1}})


def solved(tmp_path: Path, **domain: Any) -> tuple[Problem, tb.Result]:
    file = str(write_stl(tmp_path / "ball.stl", sphere_triangles((0, 0, 0), 20, times=3)))
    tree = {
        **BLOCK,
        "units": "mm",
        "domain": {"shape": file, "resolution": 4, **domain},
        "supports": [{"where": {"x": [-20, -16]}, "fix": "all"}],
        "loads": [{"where": {"x": [16, 20]}, "force": [0, -100, 0]}],
        "options": {"projection": False},
    }
    problem = parse(tree)
    return problem, tb.solve(problem, start="uniform", iterations=5, threads=1)


def test_what_is_exported_lies_where_the_part_lies_and_is_read_back(tmp_path: Path) -> None:
    problem, result = solved(tmp_path)
    folder = result.save(tmp_path / "out", picture=False)
    mesh = result.to_mesh()
    assert (mesh.bounds[0] < -0.01).all()
    assert (np.abs(mesh.bounds) < 0.0205).all()
    from trabecula.export.stl import write_stl as export

    export(tmp_path / "design.stl", mesh, "mm")
    assert stated_unit(tmp_path / "design.stl") == "mm"
    for units, edge in (("SI", 0.002), ("mm", 2)):  # the file says itself that it is in mm
        domain = parse(shaped(str(tmp_path / "design.stl"), units, resolution=edge)).domain
        assert np.allclose(domain.low, mesh.bounds[0], atol=1e-6)
    assert tb.Result.load(folder).problem.domain.origin == problem.domain.origin


def test_a_shape_in_python_is_a_name_or_a_selector() -> None:
    plain = tb.Domain((1.0, 1.0, 1.0), (2, 2, 2), shape="a.stl")
    assert plain == tb.Domain((1.0, 1.0, 1.0), (2, 2, 2), shape=Stl("a.stl"))
    assert plain.solid == Stl("a.stl")
    assert tb.Domain((1.0, 1.0, 1.0), (2, 2, 2), shape=Stl("a.stl", "mm")).solid == Stl("a.stl", "mm")


def centred(tmp_path: Path, *boxes: np.ndarray, resolution: float = 4, **changes: Any) -> Problem:
    """A part of 60 x 40 x 20 mm about the origin, in a file in millimetres; the boxes in its place."""
    triangles = boxes or (box_triangles((-30, -20, -10), (30, 20, 10)),)
    write_stl(tmp_path / "centred.stl", np.concatenate(triangles))
    tree: dict[str, Any] = {
        "trabecula": 1,
        "units": "mm",
        "domain": {"shape": "centred.stl", "resolution": resolution},
        "material": "aluminium",
        "supports": [{"where": {"x": -30}, "fix": "all"}],
        "loads": [{"where": {"x": 30}, "force": [0, -500, 0]}],
        "goal": {"minimize": "compliance", "volume": 0.5},
    }
    return parse(bent(tree, **changes), base=tmp_path)


def test_places_are_told_in_the_co_ordinates_and_units_of_the_file(tmp_path: Path) -> None:
    left, right = box_triangles((-30, -20, -10), (-10, 20, 10)), box_triangles((10, -20, -10), (30, 20, 10))
    with pytest.raises(ProblemError, match=r"the piece at x 10\.\.30, y -20\.\.20, z -10\.\.10 mm can slide"):
        prepare(centred(tmp_path, left, right))
    tied = centred(tmp_path, supports=[{"where": {"x": -28}, "fix": "all"}])
    assert any("x = -28 lies midway" in str(note) for note in prepare(tied)[1])
    closed = [
        {"where": {"box": {"min": [-20, -10, -10], "max": [0, 10, 10]}}, "as": "solid"},
        {"where": {"box": {"min": [-14, -6, -2], "max": [-6, 6, 2]}}, "as": "void"},
    ]
    notes = prepare(centred(tmp_path, regions=closed))[1]
    assert any("the void at x -14..-6, y -8..8, z -2..2 mm is a closed cavity" in str(note) for note in notes)


def test_a_domain_in_pieces_that_are_all_held_and_loaded_is_told(tmp_path: Path) -> None:
    apart = box_triangles((-30, -20, -10), (30, -8, 10)), box_triangles((-30, 8, -10), (30, 20, 10))
    assert any(
        "is in 2 pieces that do not touch" in str(note) for note in prepare(centred(tmp_path, *apart))[1]
    )
    assert not any("pieces" in str(note) for note in prepare(centred(tmp_path))[1])


def test_a_plate_thinner_than_its_voxels_is_told_with_both_volumes(tmp_path: Path) -> None:
    plate = box_triangles((-30, -20, -0.25), (30, 20, 0.25))
    boxed = {"domain__size": [60, 40, 20], "domain__origin": [-30, -20, -10]}
    (note,) = prepare(centred(tmp_path, plate, **boxed))[1]
    assert note.where == "domain.shape"
    assert "its voxels hold 9600 mm3, and the solid in the file 1200 mm3" in note.message
    overlapping = box_triangles((-30, -20, -10), (10, 20, 10)), box_triangles((-10, -20, -10), (30, 20, 10))
    assert prepare(centred(tmp_path, *overlapping))[1] == []


def test_a_resolution_in_another_unit_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(
        ProblemError, match=r"60 x 40 x 20 mm and a voxel 0\.004 mm: is one of them in another"
    ):
        prepare(centred(tmp_path, resolution=0.004), max_memory=1e9)
    with pytest.raises(ProblemError, match=r"an STL in mm is `shape: \{stl: \.\.\., units: mm\}`"):
        prepare(centred(tmp_path, resolution=0.004, units="SI"), max_memory=1e9)


@pytest.mark.parametrize(("key", "word", "said"), [("units", "in", "inch"), ("origin", "centred", "keep")])
def test_words_for_units_and_origins_are_understood(tmp_path: Path, key: str, word: str, said: str) -> None:
    with pytest.raises(ProblemError, match=rf"`(units: )?{said}`"):
        centred(tmp_path, domain__shape={"stl": "centred.stl", key: word})
