"""What people write at first is taken as it is meant, asked about, or refused with the way that it goes.

The forty are one person's, collected before the messages were rated (docs/decisions/messages.md); the words
asserted are those that say what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trabecula as tb
from trabecula.discretisation import prepare
from trabecula.problem import MATERIALS, ProblemError, loads, parse
from trabecula.problem.meanings import MEANINGS
from trabecula.problem.vocabulary import ALLOYS, meaning, nearest, suggest
from trabecula.status import NoDesignError

from .plates import REMOVE, bent
from .solids import box_triangles, write_stl

PLANE: dict[str, Any] = {
    "trabecula": 1,
    "name": "Bracket",
    "domain": {"size": [2.0, 1.0], "elements": [40, 20]},
    "material": "steel",
    "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
    "loads": [{"where": {"x": 2, "y": 0}, "force": [0, -1000]}],
    "goal": {"minimize": "compliance", "volume": 0.4},
}
SOLID: dict[str, Any] = {
    **PLANE,
    "domain": {"size": [0.1, 0.1, 0.08], "resolution": 0.005},
    "supports": [{"where": {"x": 0}, "fix": ["x", "y", "z"]}],
    "loads": [{"where": {"x": 0.1, "y": 0}, "force": [0, -1000, 0]}],
}

REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "02_typo_key": (
        PLANE,
        {"domian": {}, "domain": REMOVE},
        ["domian: unknown key", "did you mean 'domain'?"],
    ),
    "03_2d_force_in_3d": (
        SOLID,
        {"loads__0__force": [0, -1000]},
        ["3 forces in N, along x, y, z", "[0, -1000, 0]"],
    ),
    "04_force_one_number": (PLANE, {"loads__0__force": -1000}, ["write [0, -1000] if it points along y"]),
    "05_moment": (
        PLANE,
        {"loads__0": {"where": {"x": 2}, "moment": 50}},
        ["two opposite forces at a distance"],
    ),
    "06_displacement_limit": (
        PLANE,
        {"goal": {"minimize": "volume", "displacement": 0.0005}},
        ["goal.displacement", "limit the compliance, force times displacement"],
    ),
    "07_stress_limit": (
        PLANE,
        {"goal": {"minimize": "volume", "stress": 125e6}},
        ["cannot be minimised or limited yet", "`volume`"],
    ),
    "08_mass_goal": (PLANE, {"goal__minimize": "mass"}, ["proportional to the volume", "minimize: volume"]),
    "09_overhang": (
        PLANE,
        {"options": {"overhang": 45}},
        ["no rule for overhangs yet", "options.filter.radius"],
    ),
    "11_size_with_unit": (
        PLANE,
        {"domain__size": ["100 mm", "50 mm"]},
        ["without unit: 0.1", "or say `units: mm`"],
    ),
    "12_volume_percent": (PLANE, {"goal__volume": 40}, ["a fraction", "write 0.4 for 40 %"]),
    "14_material_6061": (
        PLANE,
        {"material": "AlSi10Mg"},
        ["{young: ..., poisson: ...}", "`aluminium` comes nearest"],
    ),
    "15_load_outside": (
        PLANE,
        {"loads__0__where": {"x": 3}},
        ["selects no nodes", "x 0..2, y 0..1", "move it"],
    ),
    "16_no_supports_enough": (
        PLANE,
        {"supports__0__where": {"x": 0, "y": 0}},
        ["can turn about z", "another point"],
    ),
    "17_load_on_held": (
        PLANE,
        {"loads__0__where": {"x": 0}},
        ["only where the part is held", "move the load"],
    ),
    "18_stl_missing": (
        SOLID,
        {"domain__shape": "nope.stl"},
        ["there is no file", "nope.stl", "mend the name"],
    ),
    "19_stl_is_step": (SOLID, {"domain__shape": "part.step"}, ["is a STEP file", "export the solid as STL"]),
    "20_stl_in_2d": (PLANE, {"domain__shape": "part.stl"}, ["a 3-D domain", "three numbers"]),
    "21_huge": (SOLID, {"domain__resolution": 0.0001}, ["8e+08 elements need about", "fewer elements"]),
    "23_symmetry_word": (PLANE, {"options": {"symmetry": "x"}}, ["a list of axes", "write [x]"]),
    "24_filter_mm": (
        PLANE,
        {"options": {"filter": {"radius": 3}}},
        ["is it in metres?", "1.5 voxels are 0.075"],
    ),
    "25_region_everything": (
        PLANE,
        {"regions": [{"where": "everywhere", "as": "solid"}]},
        ["cover the whole domain"],
    ),
    "27_loads_and_cases": (
        PLANE,
        {"cases": [{"loads": []}]},
        ["got both", "move `loads` into one of the cases"],
    ),
    "32_bolt_key": (PLANE, {"supports__0": {"bolt": {"diameter": 0.006}}}, ["write `holes:", "diameter"]),
    "34_keepout_on_load": (
        PLANE,
        {"regions": [{"where": {"x": [1.9, 2.0], "y": [0, 0.1]}, "as": "void"}]},
        ["only passive void", "move"],
    ),
    "36_empty_selection": (
        PLANE,
        {"loads__0__where": {"sphere": {"center": [2, 0.52], "radius": 0.001}}},
        ["selects no nodes", "widen it"],
    ),
    "37_poisson_05": (PLANE, {"material": {"young": 1e6, "poisson": 0.5}}, ["below 0.5", "write 0.49"]),
    "38_fix_none": (PLANE, {"supports": []}, ["is empty", "write `- {where: {x: 0}, fix: all}`"]),
    "39_printer": (PLANE, {"printing": {"layer": 0.2}}, ["no rules of manufacture yet", "options.filter"]),
    "40_force_N_unit": (
        PLANE,
        {"loads__0__force": [0, "-1 kN"]},
        ["needs a number in N", "without unit: -1000"],
    ),
}

ASKED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "01_mm_sizes": (
        SOLID,
        {"domain": {"size": [100, 100, 80], "resolution": 5}, "loads__0__where": {"x": 100, "y": 0}},
        ["100 x 100 x 80 m", "1000 N", "did you mean `units: mm`?"],
    ),
    "29_yield_only": (
        PLANE,
        {"material": {"young": 70e9, "poisson": 0.33, "yield": 276}},
        ["yield is 276 Pa", "276e6 (276 MPa)?"],
    ),
    "30_gpa": (
        PLANE,
        {"material": {"young": 70}},
        ["young is 70 Pa, softer than foam", "70e9 (70 GPa)", "`units: mm`"],
    ),
    "33_symmetry_not_possible": (PLANE, {"options": {"symmetry": ["y"]}}, ["loads are not symmetric in y"]),
}

TAKEN: dict[str, dict[str, Any]] = {
    "10_units_key": {"units": "mm"},
    "13_material_typo": {"material": "aluminum"},
    "26_fix_all": {"supports__0__fix": "all"},
    "31_cylinder_no_axis": {"supports__0__where": {"cylinder": {"center": [0, 0.5], "radius": 0.1}}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_with_the_way_that_it_goes(name: str) -> None:
    base, changes, said = REFUSED[name]
    with pytest.raises(ProblemError) as caught:
        prepare(parse(bent(base, **changes)), max_memory=2e10)
    message = str(caught.value)
    assert [words for words in said if words not in message] == [], message
    assert "\n" not in message


@pytest.mark.parametrize("name", ASKED)
def test_what_is_hardly_meant_draws_one_question(name: str) -> None:
    base, changes, said = ASKED[name]
    (caution,) = prepare(parse(bent(base, **changes)))[1]
    assert [words for words in said if words not in str(caution)] == [], str(caution)


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_meant_plainly_is_taken_so(name: str) -> None:
    assert prepare(parse(bent(PLANE, **TAKEN[name])))[1] == []


def test_22_tabs_are_named() -> None:
    with pytest.raises(ProblemError, match=r"line 2, column 1: .*indent with blanks in place of tabs"):
        loads("supports:\n\t- {where: {x: 0}, fix: [x, y]}\n")


def test_28_a_stiffness_that_cannot_be_reached_is_told() -> None:
    problem = parse(bent(PLANE, goal={"minimize": "volume", "compliance": 1e-9}))
    with pytest.raises(
        NoDesignError, match=r"even the full solid exceeds the limit on the compliance.*allow more than"
    ):
        tb.solve(problem, start="uniform", threads=1)


def test_35_a_centred_part_in_a_box_of_its_size_is_told_to_be_elsewhere(tmp_path: Path) -> None:
    file = write_stl(tmp_path / "centred.stl", box_triangles((-0.05, -0.05, -0.04), (0.05, 0.05, 0.04)))
    with pytest.raises(
        ProblemError, match=r"elsewhere than the domain.*leave domain.size out.*origin: corner"
    ):
        prepare(parse(bent(SOLID, domain__shape=str(file))))


def test_there_are_forty() -> None:
    assert len(REFUSED) + len(ASKED) + len(TAKEN) + 3 == 40


@pytest.mark.parametrize(
    ("material", "said"),
    [
        ({"young": 70e3}, "did you mean 70e9 (70000 MPa)"),
        ({"young": 210e15}, "stiffer than diamond"),
        (
            {"young": 70e6, "density": 2700},
            "softer than plastics with a density of 2700 kg/m3: did you mean 70e9?",
        ),
        ({"young": 70e9, "yield": 100e9}, "more than young (7e+10 Pa): are both meant so?"),
        ({"young": 210e9, "density": 7.85}, "did you mean 7850 (7.85 g/cm3)?"),
        ({"young": 210e9, "density": 7.85e-9}, "did you mean 7850 (7.85e-09 t/mm3)?"),
        ({"young": 210e9, "density": 7.85e6}, "which no solid has"),
    ],
)
def test_materials_in_another_unit_draw_a_question(material: dict[str, float], said: str) -> None:
    (caution,) = prepare(parse(bent(PLANE, material=material)))[1]
    assert said in str(caution)


@pytest.mark.parametrize(
    "material",
    [
        {"young": 1.0},
        {"young": 1e6, "poisson": 0.45},
        {"young": 12e6, "density": 1100, "yield": 9e6},
        {"young": 210e9, "density": 7850, "yield": 235e6},
        {"young": 1.1e12, "density": 3500},
        {"young": 3e8, "density": 30},
        *MATERIALS,
    ],
)
def test_materials_that_there_are_draw_none(material: Any) -> None:
    assert prepare(parse(bent(PLANE, material=material)))[1] == []


def test_metres_under_the_heading_of_millimetres_draw_a_question() -> None:
    tree = {**SOLID, "units": "mm", "domain": {"size": [0.1, 0.1, 0.08], "resolution": 0.005}}
    (caution,) = prepare(parse(tree))[1]
    assert "0.1 x 0.1 x 0.08 mm: is it in metres?" in str(caution)
    heavy = {**PLANE, "units": "mm", "domain": {"size": [200, 100], "elements": [40, 20]}}
    heavy["loads"] = [{"where": {"x": 200}, "force": [0, -1]}, {"gravity": [0, -9810]}]
    (caution,) = prepare(parse(heavy))[1]
    assert "gravity is 9810 m/s2: did you mean 9.81?" in str(caution)


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("overhang", "move"),
        ("units", "limits"),
        ("printing", "options"),
        ("mass", "mesh"),
        ("torque", "force"),
        ("anisotropic", "poisson"),
        ("frequency", "force"),
    ],
)
def test_a_word_that_only_looks_alike_is_not_offered(word: str, known: str) -> None:
    assert nearest(word, [known, "something"]) == ""


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("laods", "loads"),
        ("suports", "supports"),
        ("minimise", "minimize"),
        ("Young", "young"),
        ("reslution", "resolution"),
        ("temprature", "temperature"),
    ],
)
def test_a_slip_of_the_pen_is_put_right(word: str, known: str) -> None:
    assert suggest(word, [known, "something"]) == f"did you mean {known!r}?"


LATER = {
    "goal": ["stress", "displacement", "frequency", "mass"],
    "limits": ["stress", "displacement", "mass"],
    "loads": ["moment", "at", "displacement"],
    "supports": ["spring", "displacement", "slide", "moment"],
    "": ["manufacture", "overhang", "minimum_member", "extrusion", "casting", "cyclic", "no_cavities"],
}


@pytest.mark.parametrize(
    ("under", "word"), [(under, word) for under, words in LATER.items() for word in words]
)
def test_what_is_not_there_yet_is_said_with_the_nearest_way(under: str, word: str) -> None:
    assert any(
        says in meaning(word, under) for says in ("yet", "write `", "options.filter.radius", "compliance")
    )


def test_words_mean_one_thing_in_one_place() -> None:
    for entry in MEANINGS:
        assert all(word == word.lower().replace(" ", "_") for word in entry.words)
        assert not entry.says.endswith(".")
    assert {name for _, name in ALLOYS} <= set(MATERIALS)
