"""Problems that are alike are near one another, whatever their units, grid, cases or mirror image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from trabecula import where
from trabecula.discretisation import discretise
from trabecula.learning.history import ALIKE
from trabecula.learning.history.describe import (
    mirror,
    mirrors,
    sketch,
    vector,
)
from trabecula.problem import problems

PLATE = problems.cantilever((40, 20))
BLOCK = problems.cantilever_3d((16, 8, 8))


def pulled(
    height: float, force: tuple[float, float] = (0.0, -1e4), elements: tuple[int, int] = (40, 20)
) -> tb.Problem:
    load = tb.Load(where.Nodes(((2.0, height),)), force=force)
    return replace(problems.cantilever(elements), cases=(tb.LoadCase((load,)),))


def numbers(problem: tb.Problem) -> np.ndarray:
    return vector(sketch(discretise(problem))).astype(np.float64)


def distance(one: tb.Problem, other: tb.Problem) -> float:
    return float(np.linalg.norm(numbers(one) - numbers(other)))


def test_the_same_problem_is_at_distance_zero() -> None:
    assert distance(PLATE, replace(PLATE, name="another")) == 0


def test_units_and_size_drop_out() -> None:
    domain = replace(PLATE.domain, size=(2000.0, 1000.0), thickness=7.0)
    support = tb.Support(where.Plane("x", 0.0), ("x", "y"))
    load = tb.Load(where.Nodes(((2000.0, 500.0),)), force=(0.0, -3.0))
    radius = PLATE.options.filter.radius
    assert radius is not None
    options = replace(PLATE.options, filter=tb.FilterOptions("density", 1000 * radius))
    scaled = replace(
        PLATE, domain=domain, supports=(support,), cases=(tb.LoadCase((load,)),), options=options
    )
    assert distance(PLATE, replace(scaled, material=replace(PLATE.material, young=1.0))) < 0.01


def test_the_grid_drops_out() -> None:
    radius = tb.FilterOptions("density", 0.1)
    coarse, fine = (
        replace(p, options=replace(p.options, filter=radius))
        for p in (problems.cantilever((40, 20)), problems.cantilever((120, 60)))
    )
    assert distance(coarse, fine) < 0.05


def test_the_sign_of_a_case_and_the_order_of_cases_drop_out() -> None:
    assert distance(pulled(0.3), pulled(0.3, (0.0, 1e4))) == 0
    down, along = pulled(0.5).cases[0], pulled(0.5, (1e4, 0.0)).cases[0]
    one = replace(PLATE, cases=(replace(down, weight=0.3, name="down"), replace(along, weight=0.7)))
    other = replace(PLATE, cases=(replace(along, weight=7.0), replace(down, weight=3.0, name="down")))
    assert distance(one, other) < 0.01


def test_loads_that_act_together_differ_from_loads_against_each_other() -> None:
    up = tb.Load(where.Nodes(((2.0, 1.0),)), force=(1e4, 0.0))
    down, back = (tb.Load(where.Nodes(((2.0, 0.0),)), force=(f, 0.0)) for f in (1e4, -1e4))
    together = replace(PLATE, cases=(tb.LoadCase((up, down)),))
    against = replace(PLATE, cases=(tb.LoadCase((up, back)),))
    assert distance(together, against) > 0.3


def test_distance_grows_with_the_change() -> None:
    moved = [distance(PLATE, pulled(0.5 - by)) for by in (0.05, 0.1, 0.2, 0.4)]
    assert moved == sorted(moved)
    fuller = [distance(PLATE, problems.cantilever((40, 20), volume=v)) for v in (0.35, 0.25, 0.15)]
    assert fuller == sorted(fuller)
    assert moved[1] < ALIKE < moved[2]


@pytest.mark.parametrize(
    "other",
    [
        pulled(0.5, (1e4, 0.0)),
        replace(PLATE, supports=(tb.Support(where.Box((0.0, 0.0), (0.0, 0.4)), ("x", "y")),)),
        replace(PLATE, regions=(tb.Region(where.Box((0.5, 0.0), (1.5, 0.4)), "void"),)),
        problems.mbb((40, 20)),
        problems.bridge((40, 20)),
    ],
    ids=["pulled along", "held at its foot", "cut away", "mbb", "bridge"],
)
def test_other_problems_are_not_alike(other: tb.Problem) -> None:
    assert distance(PLATE, other) > ALIKE


@pytest.mark.parametrize("name", ["hook", "torsion", "table", "jet_bracket", "chair_leg"])
def test_named_solids_are_not_alike(name: str) -> None:
    assert distance(BLOCK, problems.get(name)) > ALIKE


def test_kinds_are_kept_apart() -> None:
    stiff = sketch(discretise(PLATE)).kind
    light = sketch(discretise(replace(PLATE, goal=tb.Goal("volume", compliance=(2.0,))))).kind
    assert (
        len(
            {
                stiff,
                light,
                sketch(discretise(BLOCK)).kind,
                sketch(discretise(problems.heat_sink((20, 20)))).kind,
            }
        )
        == 4
    )


def test_a_stricter_limit_on_compliance_is_another_problem() -> None:
    one, other = (replace(PLATE, goal=tb.Goal("volume", compliance=(c,))) for c in (2.0, 8.0))
    assert distance(one, other) == pytest.approx(0.5 * np.log(4), rel=0.01)


def test_mirroring_a_sketch_sketches_the_mirrored_problem() -> None:
    image = vector(mirror(sketch(discretise(pulled(0.3, (2e3, -1e4)))), (1,)))
    np.testing.assert_allclose(image, numbers(pulled(0.7, (2e3, 1e4))), atol=2e-3)
    point, force = (1.6, 0.2, 0.3), (1e3, 2e3, -3e3)

    def block(at: tuple[float, ...], push: tuple[float, ...]) -> tb.Problem:
        return replace(BLOCK, cases=(tb.LoadCase((tb.Load(where.Nodes((at,)), force=push),)),))

    z = BLOCK.domain.size[2]
    given, turned = block(point, force), block((1.6, 0.2, z - 0.3), (1e3, 2e3, 3e3))
    np.testing.assert_allclose(vector(mirror(sketch(discretise(given)), (2,))), numbers(turned), atol=2e-3)


def test_heat_mirrors_without_a_sign() -> None:
    sink = problems.heat_sink((20, 20))
    image = mirror(sketch(discretise(sink)), (0,))
    assert image.forces.min() >= 0


def test_own_weight_is_seen() -> None:
    heavy = tb.LoadCase((tb.Load(gravity=(0.0, -9.81)),))
    side = tb.LoadCase((tb.Load(gravity=(9.81, 0.0)),))
    down, along = replace(PLATE, cases=(heavy,)), replace(PLATE, cases=(side,))
    assert distance(down, along) > 0.5
    limited = replace(down, goal=tb.Goal("volume", compliance=(2.0,)))
    assert np.isfinite(numbers(limited)).all()
    assert mirror(sketch(discretise(down)), (1,)).gravity[0, 1] > 0


def test_every_set_of_axes_is_a_mirror() -> None:
    assert mirrors(2) == [(), (0,), (1,), (0, 1)]
    assert len(mirrors(3)) == 8


def test_designs_of_a_filter_of_ones_own_are_compared_among_themselves() -> None:
    own = discretise(PLATE)
    own = replace(own, options=replace(own.options, filter=tb.FilterOptions("erode", 0.1)))
    assert sketch(own).kind == sketch(discretise(PLATE)).kind + " filter erode"
    assert vector(sketch(own)).shape == vector(sketch(discretise(PLATE))).shape


def test_the_vector_of_a_known_problem_is_what_it_was() -> None:
    """Stored histories hold it: kind, length, and the places of filter and interpolation."""
    options = replace(PLATE.options, filter=tb.FilterOptions("helmholtz", 0.1), interpolation="ramp")
    found = sketch(discretise(replace(PLATE, options=options)))
    assert found.kind == "1 2-D elastic compliance"
    plain = sketch(
        discretise(replace(PLATE, options=replace(options, filter=tb.FilterOptions("density", 0.1))))
    )
    assert (found.ratios[-4:] - plain.ratios[-4:]).tolist() == [-0.1, 0.0, 0.1, 0.0]
    assert found.ratios[-9] == pytest.approx(0.1)
    assert len(found.ratios) == 16
