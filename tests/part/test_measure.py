"""What a part does, held to bars and fins that can be worked out by hand, and to a solve of its own."""

from __future__ import annotations

import numpy as np
import pytest

import trabecula as tb
from benchmarks.honest import draw
from trabecula.discretisation import discretise
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.part import Part
from trabecula.part.fields import solve_fields
from trabecula.part.measure import PartSolver, count_cavities, make_part
from trabecula.physics.assembled import AssembledState
from trabecula.problem import parse


def bar(**more: object) -> tb.Problem:
    """A bar of 4 x 1 x 1 m, held at its end without hindering it, pulled with 1 kN."""
    return parse(
        {
            "trabecula": 1,
            "domain": {"size": [4.0, 1.0, 1.0], "elements": [8, 2, 2]},
            "material": {"young": 2.0e9, "poisson": 0.3, "density": 1000.0, "yield": 1.0e6},
            "supports": [
                {"where": {"x": 0}, "fix": ["x"]},
                {"where": {"x": 0, "y": 0}, "fix": ["y"]},
                {"where": {"x": 0, "z": 0}, "fix": ["z"]},
            ],
            "loads": [{"where": {"x": 4}, "force": [1000, 0, 0]}],
            "goal": {"minimize": "compliance", "volume": 1.0},
            **more,
        }
    )


BELOW = [{"where": {"x": 4, "z": [0, 0.5]}, "force": [1000, 0, 0]}]
"""The same pull on the lower half of the end."""


def part_of(problem: tb.Problem, density: np.ndarray | None = None) -> Part:
    discrete = nondimensional(discretise(problem)).problem
    solver = PartSolver(problem, discrete, lambda: [AssembledState(discrete)], 1e-10, 1e-8)
    return make_part(solver, np.ones(discrete.grid.shape, np.float32) if density is None else density)


def test_a_bar_in_tension_is_worked_out_by_hand() -> None:
    part = part_of(bar())
    (case,) = part.cases
    assert part.mass == pytest.approx(4000.0, rel=1e-12)
    assert part.compliance == pytest.approx(1000.0**2 * 4 / 2.0e9, rel=1e-9)
    assert case.stress is not None and case.stress.largest == pytest.approx(1000.0, rel=1e-9)
    assert case.safety == pytest.approx(1.0e6 / 1000.0, rel=1e-9)
    along, across = 1000.0 / 2.0e9 * 4, 0.3 * 1000.0 / 2.0e9
    assert case.displacement is not None
    assert case.displacement.largest == pytest.approx(np.sqrt(along**2 + 2 * across**2), rel=1e-9)
    assert case.displacement.at == (4.0, 1.0, 1.0)
    assert [force[0] for force in case.reactions] == pytest.approx([-1000.0, 0.0, 0.0], abs=1e-6)
    assert (part.pieces, part.loaded, part.held, part.cavities) == (1, 1.0, True, 0)


def test_without_a_yield_strength_there_is_no_safety() -> None:
    problem = bar(material={"young": 2.0e9})
    assert part_of(problem).cases[0].safety is None


def test_supports_carry_loads_and_own_weight_together() -> None:
    problem = bar(loads=[{"gravity": [0, -9.81, 0]}, {"where": {"x": 4}, "force": [0, -500, 200]}])
    part = part_of(problem)
    total = np.sum(part.cases[0].reactions, axis=0)
    assert total == pytest.approx([0.0, 500.0 + 9.81 * part.mass, -200.0], rel=1e-8, abs=1e-4)


def test_reactions_are_told_apart_by_support() -> None:
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [4.0, 1.0], "elements": [16, 4]},
            "material": "steel",
            "supports": [
                {"where": {"x": 0, "y": 0}, "fix": ["x", "y"]},
                {"where": {"x": 4, "y": 0}, "fix": ["y"]},
            ],
            "loads": [{"where": {"x": 1, "y": 1}, "force": [0, -400]}],
            "goal": {"minimize": "compliance", "volume": 1.0},
        }
    )
    reactions = part_of(problem).cases[0].reactions
    assert np.array(reactions) == pytest.approx(np.array([[0.0, 300.0], [0.0, 100.0]]), abs=1e-6)


def test_supports_carry_what_is_loaded_where_they_hold() -> None:
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [4.0, 1.0], "elements": [8, 2]},
            "material": "steel",
            "supports": [
                {"where": {"x": 0}, "fix": ["x", "y"]},
                {"where": {"x": 4}, "fix": ["y"]},
            ],
            "cases": [
                {"loads": [{"where": {"y": 1}, "force": [0, -400]}]},
                {"loads": [{"where": {"x": 4}, "force": [30, 8]}]},
            ],
            "goal": {"minimize": "compliance", "volume": 1.0},
        }
    )
    down, along = part_of(problem).cases
    assert np.sum(down.reactions, axis=0) == pytest.approx([0.0, 400.0], rel=1e-9, abs=1e-6)
    assert down.reactions[0][1] == pytest.approx(400.0 * 5 / 8, abs=10.0)  # a propped cantilever
    assert np.array(along.reactions)[:, 0] == pytest.approx([-30.0, 0.0], rel=1e-9, abs=1e-6)
    assert along.reactions[1][1] == pytest.approx(-8.0, abs=1.0)


def test_every_bolt_that_holds_the_part_has_a_reaction() -> None:
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [12.0, 6.0], "elements": [24, 12]},
            "material": "steel",
            "supports": [{"where": {"x": 12}, "fix": ["x"]}],
            "holes": [
                {"at": [3, 3], "axis": "z", "diameter": 2, "fix": ["x", "y"]},
                {"at": [9, 3], "axis": "z", "diameter": 2, "force": [0, -90]},
                {"at": [6, 1], "axis": "z", "diameter": 1, "fix": ["y"]},
            ],
            "goal": {"minimize": "compliance", "volume": 1.0},
        }
    )
    reactions = part_of(problem).cases[0].reactions
    assert len(reactions) == 3
    assert reactions[1][1] < 0 < reactions[2][1] and reactions[0][1] == 0.0
    assert np.sum(reactions, axis=0) == pytest.approx([0.0, 90.0], rel=1e-9, abs=1e-6)


def test_heat_that_is_made_where_it_leaves_is_in_the_balance() -> None:
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [2.0, 1.0], "elements": [8, 4]},
            "material": {"conductivity": 10.0},
            "supports": [{"where": {"x": 0}, "temperature": 0}],
            "loads": [{"where": "everywhere", "heat": 30.0}],
            "goal": {"minimize": "thermal_compliance", "volume": 1.0},
        }
    )
    assert part_of(problem).cases[0].reactions == (pytest.approx((-30.0,), rel=1e-9),)


def test_heat_has_a_temperature_and_no_stress() -> None:
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [2.0, 1.0], "elements": [8, 4], "thickness": 0.5},
            "material": {"conductivity": 10.0},
            "supports": [{"where": {"x": 0}, "temperature": 0}],
            "loads": [{"where": {"x": 2}, "heat": 30.0}],
            "goal": {"minimize": "thermal_compliance", "volume": 1.0},
        }
    )
    (case,) = part_of(problem).cases
    assert case.temperature is not None and case.displacement is None and case.stress is None
    assert case.temperature.largest == pytest.approx(30.0 * 2.0 / (10.0 * 0.5), rel=1e-9)
    assert case.reactions == (pytest.approx((-30.0,), rel=1e-8),)
    assert set(solve_fields(problem, np.ones((4, 8), dtype=bool))) == {"part", "temperature"}


def test_a_closed_pocket_is_a_cavity_and_an_open_one_is_none() -> None:
    discrete = discretise(bar(domain={"size": [4.0, 1.0, 1.0], "elements": [8, 5, 5]}))
    mask = np.ones(discrete.grid.shape, dtype=bool)
    mask[2, 2, 2] = mask[2, 2, 5] = False
    assert count_cavities(discrete, mask) == 2
    mask[3:, 2, 2] = False
    assert count_cavities(discrete, mask) == 1


def test_the_least_part_that_keeps_its_limit_is_found() -> None:
    problem = bar(goal={"minimize": "volume", "compliance": 4.02e-3}, loads=BELOW)  # half the section does
    rng = np.random.default_rng(0)
    density = np.zeros((2, 2, 8), np.float32)
    density[0] = 1.0 - 0.01 * rng.random((2, 8))
    density[1] = 0.5 + 0.1 * rng.random((2, 8))
    part = part_of(problem, density)
    assert part.limits[0].met and part.compliance <= 4.02e-3
    assert 0.5 <= part.volume < 0.6 and part.pieces == 1


def test_a_limit_that_the_part_misses_is_told() -> None:
    problem = bar(goal={"minimize": "compliance", "volume": 0.5}, limits=[{"compliance": 1e-3}])
    density = np.full((2, 2, 8), 0.5, np.float32)
    density[0] += 0.1
    density[1] -= 0.1
    part = part_of(problem, density)
    assert [(limit.name, limit.met) for limit in part.limits] == [("volume", True), ("compliance", False)]


def test_fields_have_the_figures_of_the_part() -> None:
    problem = bar(domain={"size": [4.0, 1.0, 1.0], "elements": [8, 4, 4]}, loads=BELOW)
    density = np.zeros((4, 4, 8), np.float32)
    density[:2] = 1.0
    part = part_of(problem, density)
    assert np.array_equal(part.mask, density > 0.5)
    fields = solve_fields(problem, part.mask, 1)
    length = np.sqrt((fields["displacement"].astype(float) ** 2).sum(axis=0))
    nodes = np.zeros(length.shape, dtype=bool)
    for z, y, x in np.argwhere(part.mask):
        nodes[z : z + 2, y : y + 2, x : x + 2] = True
    displacement, stress = part.cases[0].displacement, part.cases[0].stress
    assert displacement is not None and stress is not None
    assert length[nodes].max() == pytest.approx(displacement.largest, rel=1e-5)
    assert fields["von_mises"].max() == pytest.approx(stress.largest, rel=1e-5)
    energy = fields["strain_energy_density"].astype(float).sum() * 0.5 * 0.25 * 0.25
    assert 2.0 * energy == pytest.approx(part.compliance, rel=1e-3)  # void holds nearly nothing
    assert fields["part"].dtype == np.uint8 and np.array_equal(fields["part"], part.mask)


def test_reactions_are_those_of_the_part_that_was_chosen_of_several() -> None:
    """With own weight several parts are solved, and the one that is taken need not be the last."""
    problem = draw(7, 26).problem
    part = tb.solve(problem, start="uniform", iterations=80, threads=1).part
    assert part is not None
    carried = np.zeros(3)
    for load in problem.cases[0].loads:
        carried += np.array(load.force if load.gravity is None else np.array(load.gravity) * part.mass)
    found = np.sum(part.cases[0].reactions, axis=0)
    assert found == pytest.approx(-carried, abs=1e-7 * float(np.abs(carried).max()))
