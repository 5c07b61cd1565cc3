"""Where doubles are too coarse for displacements, states in doubled precision are in equilibrium."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.numerics.inner_product import inner
from trabecula.physics import default_machine
from trabecula.physics.assembled import AssembledState
from trabecula.physics.refinement import RefinedState, imbalance, refine, two_product, two_sum
from trabecula.problem import parse

NUMBERS = st.floats(-1e100, 1e100).filter(lambda value: value == 0 or abs(value) > 1e-100)


def flat(
    elements: tuple[int, ...], spacing: tuple[float, ...], void: bool = False, **options: Any
) -> tb.Problem:
    """A beam or plate held at its left side, a force in the middle of the other."""
    size = [n * h for n, h in zip(elements, spacing, strict=True)]
    axes = "xyz"[: len(size)]
    middle = {axis: at / 2 for axis, at in zip(axes[1:], size[1:], strict=True)}
    hole = {"min": [0.4 * size[0]] + [0.25 * at for at in size[1:]], "max": [0.6 * at for at in size]}
    return parse(
        {
            "trabecula": 1,
            "domain": {"size": size, "elements": list(elements)},
            "material": "steel",
            "supports": [{"where": {"x": 0}, "fix": list(axes)}],
            "loads": [{"where": {"x": size[0], **middle}, "force": [0.0, -1000.0, 300.0][: len(size)]}],
            "regions": [{"where": {"box": hole}, "as": "void"}] if void else [],
            "goal": {"minimize": "compliance", "volume": 0.4},
            "options": options,
        }
    )


def discrete_of(problem: tb.Problem) -> DiscreteProblem:
    return nondimensional(discretise(problem)).problem


def stiffness_of(discrete: DiscreteProblem, seed: int = 0) -> np.ndarray:
    """Of a grey design with the contrast of the default minimum stiffness."""
    grey = np.random.default_rng(seed).random(discrete.grid.shape) ** 3
    return np.where(discrete.void, 1e-9, 1e-9 + (1 - 1e-9) * grey)


@given(NUMBERS, NUMBERS)
def test_sums_and_products_keep_what_rounding_takes(a: float, b: float) -> None:
    total, lost = two_sum(np.array([a]), np.array([b]))
    assert Fraction(float(total[0])) + Fraction(float(lost[0])) == Fraction(a) + Fraction(b)
    product, error = two_product(a, np.array([b]))
    assert Fraction(float(product[0])) + Fraction(float(error[0])) == Fraction(a) * Fraction(b)


def test_what_is_unbalanced_agrees_with_exact_arithmetic() -> None:
    discrete = discrete_of(flat((3, 2), (20.0, 1.0)))
    witness = AssembledState(discrete)
    relative = stiffness_of(discrete)
    witness.set_stiffness(relative)
    rng = np.random.default_rng(1)
    u = np.where(discrete.fixed, 0.0, 1e9 * rng.standard_normal(discrete.fixed.shape))
    tail = np.where(discrete.fixed, 0.0, 1e-8 * rng.standard_normal(u.shape))
    load = rng.standard_normal(u.shape)
    exact = {index: Fraction(float(load[index])) for index in np.ndindex(u.shape)}
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]  # y, x
    for y, x in np.ndindex(discrete.grid.shape):
        dofs = [(c, y + dy, x + dx) for c in range(2) for dy, dx in corners]
        own = [Fraction(float(u[d])) + Fraction(float(tail[d])) for d in dofs]
        local = [value - own[4 * (k // 4)] for k, value in enumerate(own)]
        for row, dof in zip(witness.element, dofs, strict=True):
            force = sum(Fraction(float(entry)) * value for entry, value in zip(row, local, strict=True))
            exact[dof] -= Fraction(float(relative[y, x])) * force
    found = imbalance(witness, load, u, tail)
    for index, value in exact.items():
        assert float(found[index]) == pytest.approx(float(value), rel=1e-14)


@pytest.mark.parametrize("void", [False, True])
@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ((40, 20), (20.0, 1.0)),
        ((80, 40), (20.0, 1.0)),
        ((120, 20), (20.0, 1.0)),
        ((40, 20), (1.0, 20.0)),
        ((16, 8, 8), (20.0, 1.0, 1.0)),
        ((16, 8, 8), (20.0, 20.0, 1.0)),
        ((20, 20, 3), (20.0, 20.0, 1.0)),
    ],
)
def test_flat_voxels_are_solved_to_equilibrium_and_agree_with_the_direct_solve(
    elements: tuple[int, ...], spacing: tuple[float, ...], void: bool
) -> None:
    discrete = discrete_of(flat(elements, spacing, void))
    relative, load = stiffness_of(discrete), discrete.loads[0]
    witness = AssembledState(discrete)
    assert witness.is_direct
    energies = []
    for state in (default_machine(1).state(discrete), witness):
        refined = RefinedState(state, witness)
        refined.set_stiffness(relative)
        u, how = refined.solve(load, None, 2e-9)
        assert how.residual == refined.residual <= 1e-8
        energies.append(inner(load, u))
    assert energies[0] == pytest.approx(energies[1], rel=1e-8)


def test_a_correction_is_kept_only_where_it_helps() -> None:
    class Wrong:
        def solve(self, load: np.ndarray, *_: object) -> tuple[np.ndarray, None]:
            return load * 1e3, None

    discrete = discrete_of(flat((12, 6), (1.0, 1.0)))
    witness = AssembledState(discrete)
    witness.set_stiffness(stiffness_of(discrete))
    load = discrete.loads[0]
    u = witness.solve(load)[0] * (1 + 1e-6)
    found = refine(Wrong(), witness, load, u, 1e-12)  # type: ignore[arg-type]
    assert found is not None
    assert np.array_equal(found.u, u) and not found.tail.any()
    assert found.residual == pytest.approx(1e-6, rel=1e-3)
    assert refine(witness, witness, np.zeros_like(load), u, 1e-12) is None


@pytest.mark.parametrize("projection", [False, True])
def test_a_beam_of_voxels_of_twenty_to_one_is_certified_in_equilibrium_and_checked(projection: bool) -> None:
    result = tb.solve(flat((80, 40), (20.0, 1.0), projection=projection), proposals=1, iterations=40)
    assert result.certificate.equilibrium_residual is not None
    assert result.certificate.equilibrium_residual <= 1e-8
    assert result.check().ok
