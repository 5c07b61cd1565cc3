"""Named problems and examples are sound, described, and can be built on any sensible grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trabecula.discretisation import prepare
from trabecula.problem import ProblemError, load, problems
from trabecula.problem.materials import MATERIALS, find, names

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("name", problems.names())
def test_a_named_problem_passes_the_precheck_without_a_caution(name: str) -> None:
    problem = problems.get(name)
    discrete, cautions = prepare(problem)
    assert cautions == []
    assert 8_000 < discrete.lower.size < 60_000
    assert problem.name and len(problems.describe(name)) < 110
    assert discrete.lower.sum() < problem.goal.volume * np.count_nonzero(discrete.upper)


@pytest.mark.parametrize("name", problems.names())
@pytest.mark.parametrize("factor", [0.75, 1.5])
def test_a_named_problem_can_be_built_on_other_grids(name: str, factor: float) -> None:
    default = problems.get(name).domain.elements
    elements = tuple(int(n * factor) for n in default)
    problem = problems.get(name, elements)
    assert problem.domain.elements == elements
    prepare(problem)


def test_the_named_problems_are_those_promised() -> None:
    promised = {
        "mbb",
        "cantilever",
        "cantilever_3d",
        "l_bracket",
        "bridge",
        "michell",
        "torsion",
        "jet_bracket",
    }
    assert promised | {"table", "wheel", "chair_leg"} <= set(problems.names())
    assert all(callable(getattr(problems, name)) for name in problems.names())
    assert problems.mbb(elements=(300, 100)).domain.elements == (300, 100)
    assert problems.get("Jet-Bracket") == problems.jet_bracket()


def test_the_torsion_shaft_is_twisted_and_not_pushed() -> None:
    discrete, _ = prepare(problems.torsion())
    force = discrete.loads[0]
    assert np.allclose(force.reshape(3, -1).sum(axis=1), 0)
    z, y, _ = np.indices(force.shape[1:]) / 24
    assert (force[2] * y - force[1] * z).sum() == pytest.approx(-40e3)


def test_the_wheel_is_the_same_problem_in_every_position() -> None:
    discrete, _ = prepare(problems.wheel())
    sizes = np.linalg.norm(discrete.loads.reshape(6, 2, -1).sum(axis=2), axis=1)
    assert np.allclose(sizes, sizes[0])


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(ProblemError, match="did you mean 'bridge'"):
        problems.get("brigde")
    with pytest.raises(ProblemError, match="known: mbb"):
        problems.describe("zzz")
    with pytest.raises(ProblemError, match="mbb needs 2"):
        problems.get("mbb", (3, 3, 3))


def test_zero_elements_are_refused_when_the_problem_is_used() -> None:
    with pytest.raises(ProblemError, match=r"domain\.elements\[0\]"):
        prepare(problems.mbb(elements=(0, 0)))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_sound(path: Path) -> None:
    assert prepare(load(path))[1] == []


def test_there_are_examples_to_open_first() -> None:
    assert {"bridge", "bracket", "heat_sink", "cantilever_3d"} <= {path.stem for path in EXAMPLES}


def test_materials_are_physical_and_cited() -> None:
    from trabecula.problem import materials

    assert {"steel", "aluminium", "titanium", "pla", "bone"} <= set(names())
    for name, material in MATERIALS.items():
        assert material.name == name
        assert 1e8 < material.young < 1e12
        assert 0 < material.poisson < 0.5
        assert 100 < material.density < 20_000
        assert 0.05 < material.conductivity < 500
        assert f"\n{name}\n" in (materials.__doc__ or "")


def test_material_names_are_forgiving() -> None:
    assert find(" Aluminum ") == find("aluminium") == MATERIALS["aluminium"]
    assert find("Stainless-Steel") == MATERIALS["stainless_steel"]
    assert find("cheese") is None
