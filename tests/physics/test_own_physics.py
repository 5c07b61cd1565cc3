"""A physics from outside the package: its element matrix, one registration, a problem that names it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import trabecula as tb
from tests.physics.blocks import block
from trabecula.discretisation import discretise
from trabecula.physics import SlowMachineWarning, VoxelState, compiled_machine, default_machine
from trabecula.physics.assembled import AssembledState
from trabecula.physics.constitutive import elastic_rows
from trabecula.physics.quadrature import element_matrix, integrate
from trabecula.problem.model import Material
from trabecula.problem.physics import CONDUCTION, ELASTICITY, PHYSICS, Physics

Array = NDArray[np.float64]

ACROSS, SHEAR = 0.25, 0.3
"""Stiffness of the ply across its fibres and its shear modulus, as shares of Young's modulus along them."""


def ply(spacing: tuple[float, ...], material: Material, thickness: float) -> Array:
    """Orthotropic plane stress, fibres along x."""
    along, across = material.young, ACROSS * material.young
    share = 1.0 - material.poisson**2 * across / along
    stiff = np.array(
        [[along, material.poisson * across, 0], [material.poisson * across, across, 0], [0, 0, 0]]
    )
    stiff /= share
    stiff[2, 2] = SHEAR * along
    return integrate(spacing, stiff, elastic_rows(2), thickness)


SINK = 8.0
"""Convection in W/(m3 K)."""


def fin(spacing: tuple[float, ...], material: Material, thickness: float) -> Array:
    """Conduction with a sink in the volume: k grad N grad N + h N N."""
    k, h = material.conductivity, SINK * np.prod(spacing)
    conduct = integrate(spacing, k * np.eye(2), (((0, 0),), ((0, 1),)), thickness)
    mass = np.kron(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[2.0, 1.0], [1.0, 2.0]])) / 36.0
    return conduct + h * thickness * mass


PLY = replace(ELASTICITY, name="ply", element_matrix=ply)
FIN = replace(CONDUCTION, name="fin", free="nothing", modulus=None, element_matrix=fin)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PHYSICS, "_rows", dict(PHYSICS._rows))
    PHYSICS.register("ply", PLY, "orthotropic plates")
    PHYSICS.register("fin", FIN, "conduction with convection")


@pytest.mark.parametrize(("axis", "modulus"), [(0, 7.0), (1, 7.0 * ACROSS)])
def test_a_ply_stretches_by_the_modulus_of_the_direction_it_is_pulled_in(axis: int, modulus: float) -> None:
    problem = replace(block((6, 6), poisson=0.2), physics=PLY)
    fixed = np.zeros_like(problem.fixed)
    end = (slice(None), -1) if axis == 0 else (-1, slice(None))
    start = (slice(None), 0) if axis == 0 else (0, slice(None))
    fixed[(axis, *start)] = True
    fixed[(1 - axis, 0, 0)] = True
    load = np.zeros_like(problem.loads[0])
    load[(axis, *end)] = [0.5, *[1.0] * 5, 0.5]
    state = AssembledState(replace(problem, fixed=fixed))
    u, how = state.solve(load)
    np.testing.assert_allclose(u[(axis, *end)], 6.0 / modulus, rtol=1e-10)
    assert how.residual < 1e-12


def test_a_fin_cools_as_the_hyperbolic_cosine() -> None:
    """k T'' = h T, held at T = 0 far away from a heated face: T(0) = q tanh(m L) / (k m), m^2 = h / k."""
    problem = replace(block((200, 1), spacing=(0.01, 1.0), heat=True), physics=FIN)
    fixed = np.zeros_like(problem.fixed)
    fixed[0, :, -1] = True
    load = np.zeros_like(problem.loads[0])
    load[0, :, 0] = 0.5
    u, _ = AssembledState(replace(problem, fixed=fixed)).solve(load)
    m = np.sqrt(SINK / 3.0)
    assert u[0, 0, 0] == pytest.approx(np.tanh(m * 2.0) / (3.0 * m), rel=1e-4)


def test_what_is_computed_slab_by_slab_is_what_the_assembled_matrix_says() -> None:
    """A constant temperature has an energy here: nothing may be taken off before the product."""
    problem = replace(block((7, 5), heat=True), physics=FIN)
    problem = replace(problem, fixed=np.zeros_like(problem.fixed))
    state, random = AssembledState(problem), np.random.default_rng(0)
    relative = random.random(problem.grid.shape)
    state.set_stiffness(relative)
    u, v = random.standard_normal((2, *problem.fixed.shape)) + 5.0
    matrix = state.assemble()
    np.testing.assert_allclose(state.apply(u).ravel(), matrix @ u.ravel(), rtol=1e-12)
    assert float((relative * state.bilinear(u, v)).sum()) == pytest.approx(
        v.ravel() @ matrix @ u.ravel(), rel=1e-12
    )
    energy, error = state.energy_and_error(u)
    np.testing.assert_array_equal(energy, state.bilinear(u, u))
    assert (error > 0).all() and error.max() < 1e-12 * energy.max()


def test_the_compiled_machine_hands_it_to_the_assembled_one_and_says_so() -> None:
    problem = replace(block((4, 3), heat=True), physics=FIN)
    compiled_machine._note.cache_clear()
    with pytest.warns(SlowMachineWarning, match="no equations of the physics 'fin'") as notes:
        states = [default_machine(1).state(problem) for _ in range(2)]
    assert len(notes) == 1
    assert all(isinstance(state, AssembledState) for state in states)
    with pytest.raises(ValueError, match="the compiled core has no equations of the physics 'fin'"):
        VoxelState(problem)


PROBLEM = {
    "trabecula": 1,
    "name": "plate",
    "domain": {"size": [2.0, 1.0], "elements": [16, 8]},
    "physics": "ply",
    "material": {"young": 10.0, "poisson": 0.2},
    "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
    "loads": [{"where": {"x": 2, "y": [0.4, 0.6]}, "force": [0, -1]}],
    "goal": {"minimize": "compliance", "volume": 0.5},
}


@pytest.mark.filterwarnings("ignore::trabecula.physics.SlowMachineWarning")
def test_a_problem_file_that_names_it_is_solved_saved_and_confirmed(tmp_path: Path) -> None:
    problem = tb.parse(PROBLEM)
    assert problem.physics == PLY
    result = tb.solve(problem, start="uniform", iterations=60)
    assert result.word in ("verified", "certified")
    assert result.certificate.lower_bound is not None
    assert result.machine.endswith(", assembled state")
    result.save(tmp_path / "ply")
    again = tb.Result.load(tmp_path / "ply")
    assert again.problem.physics_name == "ply"
    assert again.check().ok
    isotropic = tb.solve(replace(problem, physics_name=None), start="uniform", iterations=60)
    assert result.compliance > 1.2 * isotropic.compliance


@pytest.mark.filterwarnings("ignore::trabecula.physics.SlowMachineWarning")
def test_a_fin_needs_no_support_to_be_solvable_and_is_solved_in_its_own_units(tmp_path: Path) -> None:
    tree = {
        **PROBLEM,
        "physics": "fin",
        "material": {"conductivity": 2.0},
        "supports": [{"where": {"x": 0}, "temperature": 0}],
        "loads": [{"where": {"x": 2}, "heat": 1.0}],
        "goal": {"minimize": "thermal_compliance", "volume": 0.5},
    }
    problem = tb.parse(tree)
    result = tb.solve(problem, start="uniform", iterations=30)
    discrete = discretise(problem)
    state = AssembledState(discrete)
    soft = problem.options.minimum_stiffness
    state.set_stiffness(soft + (1 - soft) * result.density.astype(float) ** 3)
    u, _ = state.solve(discrete.loads[0])
    assert result.compliance == pytest.approx(float(np.vdot(discrete.loads[0], u)), rel=1e-5)
    assert result.check().ok


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"physics": "plyy"},
            "physics: got 'plyy'; needs one of elasticity, conduction, ply, fin; did you mean 'ply'",
        ),
        ({"physics": 3}, "physics: got 3; needs one of elasticity, conduction"),
        ({"physics": "conduction"}, "material.conductivity: missing"),
        (
            {"physics": "conduction", "material": "steel"},
            "does not fit physics: conduction; needs supports with temp",
        ),
        (
            {"goal": {"minimize": "thermal_compliance", "volume": 0.5}},
            "physics: got 'ply'; needs a physics with heat when minimising thermal_compliance; leave it out",
        ),
    ],
)
def test_a_physics_that_does_not_fit_is_refused_in_one_sentence(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(tb.ProblemError) as caught:
        tb.parse({**PROBLEM, **changes})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.eye(3), "it needs finite numbers of shape (8, 8)"),
        (np.full((8, 8), np.nan), "it needs finite numbers of shape (8, 8)"),
        (np.triu(np.ones((8, 8))), "not symmetric or not positive semi-definite"),
        (-np.eye(8), "not symmetric or not positive semi-definite"),
    ],
)
def test_what_is_no_element_matrix_is_refused(matrix: Array, said: str) -> None:
    problem = block((2, 2))
    mine = replace(ELASTICITY, name="mine", element_matrix=lambda *_: matrix)
    with pytest.raises(ValueError, match="the element matrix of the physics 'mine'") as caught:
        element_matrix(problem.grid, problem.material, mine)
    assert said in str(caught.value)


def test_its_name_alone_stands_for_it_where_problems_are_told_apart() -> None:
    assert repr(PLY) == "Physics(name='ply')"
    assert isinstance(PLY, Physics) and PLY != ELASTICITY
