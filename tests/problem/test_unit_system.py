"""A file in millimetres is the problem in SI to the bit, and what is written says what was read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trabecula as tb
from trabecula.discretisation import prepare
from trabecula.export.report import report
from trabecula.problem import Problem, ProblemError, dump, load, loads, parse, problems, save, to_tree
from trabecula.problem.unit_system import KINDS, MILLIMETRES, SI
from trabecula.problem.where import Range
from trabecula.results.spoken_units import speak, understand
from trabecula.storage.reading import UnreadableError

from .plates import PLATE, bent

IN_MM: dict[str, Any] = {
    "trabecula": 1,
    "name": "bracket",
    "units": "mm",
    "domain": {"size": [60, 20.1], "resolution": 0.7, "thickness": 5, "origin": [-30, 0.3]},
    "material": {"young": 68900, "poisson": 0.33, "density": 2700, "yield": 276, "conductivity": 167},
    "supports": [{"where": {"x": -30, "y": [0.3, 7.1]}, "fix": "all"}],
    "cases": [
        {"name": "pull", "loads": [{"where": {"x": 30}, "force": [0, -1200.5]}]},
        {"name": "push", "loads": [{"where": {"y": 20.4}, "pressure": 0.35}, {"gravity": [0, -9.81]}]},
    ],
    "regions": [
        {"where": {"sphere": {"center": [1.1, 9.7], "radius": 2.3}}, "as": "void"},
        {
            "where": {"any": [{"box": {"min": [20, 1], "max": [21.7, 3]}}, {"nodes": [[3.3, 4.4]]}]},
            "as": "solid",
        },
        {"where": {"not": {"cylinder": {"center": [0, 8], "radius": 31}}}, "as": "solid"},
    ],
    "holes": [{"at": [-20.2, 10], "diameter": 6.6, "wall": 1.7, "fix": ["y"], "force": [10, 0]}],
    "goal": {"minimize": "volume", "compliance": [123.4, 56.7]},
    "limits": [{"compliance": 321.9}],
    "options": {"filter": {"radius": 1.9}},
}

IN_SI: dict[str, Any] = {
    **IN_MM,
    "units": "SI",
    "domain": {"size": [0.06, 0.0201], "resolution": 0.0007, "thickness": 0.005, "origin": [-0.03, 0.0003]},
    "material": {"young": 68.9e9, "poisson": 0.33, "density": 2700, "yield": 276e6, "conductivity": 167},
    "supports": [{"where": {"x": -0.03, "y": [0.0003, 0.0071]}, "fix": "all"}],
    "cases": [
        {"name": "pull", "loads": [{"where": {"x": 0.03}, "force": [0, -1200.5]}]},
        {"name": "push", "loads": [{"where": {"y": 0.0204}, "pressure": 0.35e6}, {"gravity": [0, -9.81]}]},
    ],
    "regions": [
        {"where": {"sphere": {"center": [0.0011, 0.0097], "radius": 0.0023}}, "as": "void"},
        {
            "where": {
                "any": [
                    {"box": {"min": [0.02, 0.001], "max": [0.0217, 0.003]}},
                    {"nodes": [[0.0033, 0.0044]]},
                ]
            },
            "as": "solid",
        },
        {"where": {"not": {"cylinder": {"center": [0, 0.008], "radius": 0.031}}}, "as": "solid"},
    ],
    "holes": [{"at": [-0.0202, 0.01], "diameter": 0.0066, "wall": 0.0017, "fix": ["y"], "force": [10, 0]}],
    "goal": {"minimize": "volume", "compliance": [0.1234, 0.0567]},
    "limits": [{"compliance": 0.3219}],
    "options": {"filter": {"radius": 0.0019}},
}


def test_a_file_in_millimetres_is_the_same_problem_as_in_metres_to_the_bit() -> None:
    assert replace(parse(IN_MM), units="SI") == parse(IN_SI)


@pytest.mark.parametrize("tree", [IN_MM, IN_SI], ids=["mm", "SI"])
def test_what_is_written_reads_back_as_the_same_problem(tree: dict[str, Any], tmp_path: Path) -> None:
    problem = parse(tree)
    assert loads(dump(problem)) == problem
    save(problem, tmp_path / "p.json")
    assert load(tmp_path / "p.json") == problem


def test_what_is_written_stands_in_the_units_it_was_read_in() -> None:
    tree = to_tree(parse(IN_MM))
    assert tree["units"] == "mm"
    assert tree["domain"] | {"elements": None} == {
        "size": [60.0, 20.1],
        "elements": None,
        "origin": [-30.0, 0.3],
        "thickness": 5.0,
    }
    assert tree["material"]["young"] == 68900.0
    assert tree["cases"][1]["loads"][0] == {"where": {"y": 20.4}, "pressure": 0.35}
    assert tree["holes"][0]["diameter"] == 6.6
    assert tree["goal"]["compliance"] == [123.4, 56.7]
    assert tree["limits"] == [{"compliance": 321.9}]
    assert tree["options"]["filter"]["radius"] == 1.9
    assert "units" not in to_tree(parse(IN_SI))


@given(st.floats(1e-25, 1e25), st.sampled_from(sorted(KINDS)))
def test_every_decimal_of_fifteen_digits_survives_both_ways(value: float, kind: str) -> None:
    value = float(f"{value:.15g}")
    assert MILLIMETRES.from_si(MILLIMETRES.to_si(value, kind), kind) == value
    assert MILLIMETRES.to_si(MILLIMETRES.from_si(value, kind), kind) == value
    assert SI.to_si(value, kind) == SI.from_si(value, kind) == value


@given(st.floats(1e-3, 1e3), st.floats(1e-20, 1e-3))
def test_any_number_made_in_python_survives_too(high: float, low: float) -> None:
    """Where millimetres cannot say a number, the file is written in SI and results speak millimetres."""
    problem = problems.mbb(elements=(12, 4))
    where = Range("x", low, high)
    odd = replace(problem, units="mm", supports=(*problem.supports, tb.Support(where, fix=("x",))))
    assert loads(dump(odd)) == odd


def test_numbers_that_millimetres_cannot_say_are_written_in_si() -> None:
    odd = next(x for x in (1.5 + k * 2**-52 for k in range(2000)) if not exact(x))
    problem = replace(problems.mbb(elements=(12, 4)), units="mm")
    problem = replace(problem, domain=replace(problem.domain, thickness=odd))
    assert to_tree(problem)["units"] == {"numbers": "SI", "results": "mm"}
    assert loads(dump(problem)) == problem


def exact(value: float) -> bool:
    return MILLIMETRES.to_si(MILLIMETRES.from_si(value, "m"), "m") == value


@pytest.mark.parametrize(
    ("kind", "si", "mm", "unit"),
    [
        ("length", 0.0123, 12.3, "mm"),
        ("area", 1e-6, 1.0, "mm2"),
        ("volume", 2.5e-6, 2500.0, "mm3"),
        ("force", 12.0, 12.0, "N"),
        ("moment", 1.2, 1200.0, "N mm"),
        ("stress", 276e6, 276.0, "MPa"),
        ("stress gradient", 9810.0, 9.81e-6, "MPa/mm"),
        ("energy", 0.0123, 12.3, "N mm"),
        ("mass", 0.428, 0.428, "kg"),
        ("density", 7850.0, 7850.0, "kg/m3"),
        ("acceleration", 9.81, 9.81, "m/s2"),
        ("spring", 1e6, 1e6, "N/m"),
        ("conductivity", 167.0, 167.0, "W/(m K)"),
        ("thermal compliance", 3.0, 3.0, "W K"),
    ],
)
def test_every_kind_of_figure_has_its_unit(kind: str, si: float, mm: float, unit: str) -> None:
    assert MILLIMETRES.from_si(si, kind) == mm
    assert MILLIMETRES.unit(kind) == unit
    assert MILLIMETRES.factor(kind) * si == pytest.approx(mm)
    assert SI.tell(si, kind) == f"{si:g} {KINDS[kind]}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"domain__size": ["60 mm", 20]}, "domain.size[0]: got '60 mm'; needs a length in millimetres"),
        ({"domain__size": ["6 cm", 20]}, "write it without unit: 60"),
        ({"domain__size": [1e13, 1]}, "above 0 and at least 1e-06 and at most 1e+12"),
        ({"material__young": "69 GPa"}, "needs a number in MPa; write it without unit: 69000"),
        ({"material__young": -1}, "needs a number in MPa above 0"),
        ({"regions__0__where": {"x": 100}}, "the domain spans x -30..30, y 0.3..20.4 mm"),
        ({"regions__0__where": {"nodes": [[300, 3]]}}, "which spans x -30..30, y 0.3..20.4 mm"),
        ({"regions__0__where": {"x": [5, 3]}}, "write [3, 5]"),
        ({"options__filter__radius": 0.1}, "0.1 is under one voxel (0.693"),
        ({"holes__0__at": [100, 3]}, "a place in the domain, which spans x -30..30, y 0.3..20.4 mm"),
        ({"units": "cm"}, "units: got 'cm'; needs one of SI, mm; mm is lengths in mm"),
        ({"units": "millimetres"}, "write `units: mm`"),
    ],
)
def test_messages_speak_the_units_of_the_file(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        prepare(parse(bent(IN_MM, **changes)))
    assert said in str(caught.value)


def test_a_plane_domain_in_millimetres_is_a_millimetre_thick_if_it_does_not_say() -> None:
    tree = {**PLATE, "units": "mm", "domain": {"size": [6, 1], "elements": [24, 4]}}
    assert parse(tree).domain.thickness == 0.001


def solved(units: str, **changes: Any) -> tuple[Problem, tb.Result]:
    small = {**IN_MM, "goal": {"minimize": "compliance", "volume": 0.5}, "limits": [], **changes}
    tree = bent(small, domain__resolution=1.5, options={"projection": False})
    tree["regions"], tree["holes"], tree["cases"] = tree["regions"][:1], [], tree["cases"][:1]
    problem = replace(parse(tree), units=units)
    return problem, tb.solve(problem, start="uniform", iterations=8, threads=1)


def test_results_are_si_in_python_and_speak_millimetres_in_their_record(tmp_path: Path) -> None:
    problem, result = solved("mm")
    plain = solved("SI")[1]
    assert (result.compliance, result.objective) == (plain.compliance, plain.objective)
    told, other = result.to_json(), plain.to_json()
    assert (told["units"], other["units"]) == ("mm", "SI")
    assert told["compliance"] == pytest.approx(1e3 * plain.compliance, rel=1e-14)
    assert told["objective"] == pytest.approx(1e3 * plain.objective, rel=1e-14)
    assert told["volume"] == other["volume"]
    bound = plain.certificate.lower_bound
    assert bound is not None
    assert told["certificate"]["lower_bound"] == pytest.approx(1e3 * bound, rel=1e-14)  # type: ignore[index]
    folder = result.save(tmp_path / "out", picture=False)
    assert json.loads((folder / "result.json").read_text())["units"] == "mm"
    again = tb.Result.load(folder)
    assert again.problem == problem
    assert again.compliance == pytest.approx(plain.compliance, rel=1e-14)
    failed = [check for check in again.check(threads=1).checks if check.verdict == "differs"]
    assert failed == []
    page = report(again.to_json(), again.history, b"", to_tree(problem), dump(problem))
    assert "N mm compliance" in page
    assert "60 × 20.1 mm" in page


def test_limits_are_told_in_millimetres_and_read_back(tmp_path: Path) -> None:
    _, result = solved("mm", limits=[{"compliance": 9e9}])
    told = {limit["name"]: limit for limit in result.to_json()["limits"]}  # type: ignore[attr-defined]
    assert told["compliance"]["limit"] == 9e9
    again = tb.Result.load(result.save(tmp_path / "out", picture=False))
    assert {limit.name: limit.limit for limit in again.limits} == {"compliance": 9e6, "volume": 0.5}


def test_a_record_of_other_units_than_its_problem_is_unreadable(tmp_path: Path) -> None:
    problem = parse(IN_MM)
    record = {"name": "x", "compliance": 1.0, "limits": [{"name": "compliance", "limit": None, "value": "?"}]}
    said = speak(record, problem)
    assert understand(tmp_path, said, problem) == record | {"units": "mm"}
    for units in ("SI", None, 3):
        with pytest.raises(UnreadableError, match="units"):
            understand(tmp_path, {**said, "units": units}, problem)


def test_the_figures_of_a_part_are_converted_by_their_kind(tmp_path: Path) -> None:
    problem = replace(parse(IN_MM), goal=tb.Goal("compliance", volume=0.4))
    part = {
        "compliance": 0.5,
        "mass": 0.1,
        "volume": 0.4,
        "minimum_member": 0.004,
        "removed": 0.01,
        "cases": [{"name": "pull", "displacement": {"largest": 1e-3, "at": [0.01, 0.02]}, "stress": None}],
    }
    said = speak({"part": part}, problem)["part"]
    assert said["compliance"] == 500.0
    assert said["cases"][0]["displacement"] == {"largest": 1.0, "at": [10.0, 20.0]}
    assert (said["mass"], said["volume"], said["minimum_member"], said["removed"]) == (0.1, 0.4, 4.0, 0.01)
    assert understand(tmp_path, speak({"part": part}, problem), problem)["part"] == part


def test_the_command_line_speaks_millimetres(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from trabecula.cli.app import app

    file = tmp_path / "plate.yaml"
    small = {**IN_MM, "goal": {"minimize": "compliance", "volume": 0.5}, "limits": [], "regions": []}
    file.write_text(dump(parse(bent(small, domain__resolution=3, options={"projection": False}))))
    words = ["solve", str(file), "--start", "uniform", "--out", str(tmp_path / "out"), "--no-history"]
    said = CliRunner().invoke(app, words)
    found = re.search(r"compliance +([0-9.]+) N mm", said.output)
    assert found, said.output
    told = json.loads((tmp_path / "out" / "result.json").read_text())
    assert float(found[1]) == pytest.approx(told["part"]["compliance"], rel=1e-4)
