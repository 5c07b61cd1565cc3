from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever, mbb
from trabecula.certificate.certify import certify, find_bound
from trabecula.certificate.independent import recheck
from trabecula.certificate.record import Certificate
from trabecula.certificate.relax import Relaxed
from trabecula.certificate.verdict import Recheck
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.problem.model import FilterOptions, Goal, Material
from trabecula.responses import optimality_residual


class Saved:
    """A design as `solve` would save it: everything by the compiled core and the optimiser's own code."""

    def __init__(self, problem: DiscreteProblem, penalty: float = 3.0, beta: float = 0.0) -> None:
        problem = replace(problem, options=replace(problem.options, penalty=penalty))
        self.problem = problem
        analysis = Analysis(problem, 1)
        rng = np.random.default_rng(0)
        x = analysis.chain.uniform(problem.goal.volume or 0.5, max(beta, 1.0))
        free = problem.lower < problem.upper
        x = np.where(free, np.clip(x + 0.2 * rng.standard_normal(x.shape), 0, 1), x)
        found = analysis.evaluate(x, penalty, max(beta, 1.0), tolerance=1e-10)
        physical = analysis.chain.physical(x, max(beta, 1.0))
        relative = analysis.interpolation.with_penalty(penalty).value(physical)
        formulation = analysis.formulation
        kkt = optimality_residual(
            formulation, problem, x, found.gradient, found.constraints, found.own_weight
        )
        bound = find_bound(problem, analysis.chain, analysis.state, penalty)
        proven = bound.bound if isinstance(bound, Relaxed) else bound
        self.certificate = certify(problem, physical, relative, found.displacements, proven, kkt)
        self.arguments = {
            "density": physical.astype(np.float32),
            "relaxed": bound.density.astype(np.float32) if isinstance(bound, Relaxed) else None,
            "compliance": found.compliance,
            "volume": found.volume,
            "objective": formulation.quantity_value(found.objective),
            "limits": [
                limited.value_of(constraint.value)
                for limited, constraint in zip(formulation.limits, found.constraints, strict=True)
            ],
            "design": x,
            "beta": beta,
        }

    def check(self, claimed: Certificate | None = None, **changes: object) -> Recheck:
        arguments = {"threads": 1, **self.arguments, **changes}
        return recheck(self.problem, claimed=claimed or self.certificate, **arguments)


def with_passive(problem: DiscreteProblem) -> DiscreteProblem:
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[-1], upper[0, 3:6] = 1.0, 0.0
    return replace(problem, lower=lower, upper=upper)


def own_weight() -> DiscreteProblem:
    problem = mbb((18, 6))
    return replace(problem, gravity=np.array([[0.0, -0.01]]), material=Material(density=1.0))


CASES = {
    "mbb": (mbb((24, 8)), 3.0, 0.0),
    "convex": (mbb((24, 8)), 1.0, 0.0),
    "ramp": (mbb((18, 6), interpolation="ramp"), 2.0, 0.0),
    "polynomial": (mbb((18, 6), interpolation="polynomial"), 2.0, 0.0),
    "projection": (mbb((18, 6), projection=True), 3.0, 4.0),
    "sensitivity filter": (mbb((18, 6), filter=FilterOptions("sensitivity", 1.5)), 3.0, 0.0),
    "helmholtz": (mbb((18, 6), filter=FilterOptions("helmholtz", 2.0)), 3.0, 0.0),
    "passive": (with_passive(mbb((18, 6))), 3.0, 0.0),
    "heat": (cantilever((12, 8), heat=True), 3.0, 0.0),
    "solid, two cases": (cantilever((6, 4, 4), cases=2), 3.0, 0.0),
    "own weight": (own_weight(), 3.0, 0.0),
    "least volume": (replace(mbb((18, 6)), goal=Goal("volume", None, (300.0,))), 3.0, 0.0),
    "a limit a case": (
        replace(cantilever((12, 6), cases=2), goal=Goal("volume", None, (500.0, 100.0))),
        3.0,
        0.0,
    ),
}


@pytest.mark.parametrize("direct_limit", [None, 0])
@pytest.mark.parametrize("name", CASES)
def test_what_was_computed_by_the_core_is_confirmed_without_it(name: str, direct_limit: int | None) -> None:
    found = Saved(*CASES[name]).check(direct_limit=direct_limit)
    assert found.ok, [check for check in found.checks if check.verdict == "differs"]
    unsure = {check.name for check in found.checks if check.verdict == "unchecked"}
    assert not unsure
    assert ("factorisation" in found.method) == (direct_limit is None)
    json.dumps(found.to_json(), allow_nan=False)


@pytest.fixture(scope="module")
def saved() -> Saved:
    return Saved(mbb((24, 8)))


def differing(found: Recheck) -> set[str]:
    return {check.name for check in found.checks if check.verdict == "differs"}


@pytest.mark.parametrize(
    ("field", "factor"),
    [
        ("lower_bound", 1.01),
        ("gap", 0.9),
        ("kkt_residual", 0.8),
        ("grey", 0.9),
    ],
)
def test_a_flattering_claim_is_found_out(saved: Saved, field: str, factor: float) -> None:
    value = getattr(saved.certificate, field)
    claimed = replace(saved.certificate, **{field: value * factor})
    assert field in differing(saved.check(claimed)) <= {field, "gap", "gap of the claims"}


def test_a_humble_bound_is_confirmed(saved: Saved) -> None:
    claimed = replace(saved.certificate, lower_bound=saved.certificate.lower_bound * 0.9)
    assert "lower_bound" not in differing(saved.check(claimed))


def test_other_numbers_than_the_density_has_are_found_out(saved: Saved) -> None:
    assert differing(saved.check(compliance=saved.arguments["compliance"] * 0.999)) == {
        "compliance",
        "gap of the claims",
    }
    assert differing(saved.check(volume=0.49)) == {"volume"}
    claimed = replace(saved.certificate, connected=not saved.certificate.connected, volume_violation=0.1)
    assert differing(saved.check(claimed)) == {"connected", "volume_violation"}


def test_a_density_that_was_edited_is_found_out(saved: Saved) -> None:
    density = saved.arguments["density"].copy()
    density[3, 4] = 1.0
    assert {"density", "compliance", "volume"} <= differing(saved.check(density=density))


def test_a_density_outside_its_passive_parts_is_found_out() -> None:
    saved = Saved(with_passive(mbb((18, 6))))
    density = saved.arguments["density"].copy()
    density[-1, 0] = 0.5
    assert "passive parts" in differing(saved.check(density=density))


@pytest.mark.parametrize(
    "field", ["kkt_residual", "lower_bound", "gap", "volume_violation", "connected", "grey"]
)
def test_nothing_is_no_small_number(saved: Saved, field: str) -> None:
    assert field in differing(saved.check(replace(saved.certificate, **{field: None})))


def test_what_was_not_saved_differs(saved: Saved) -> None:
    assert {"relaxed", "lower_bound"} <= differing(saved.check(relaxed=None))
    assert "compliance" in differing(saved.check(compliance=float("nan")))
    assert "volume" in differing(saved.check(volume=float("nan")))


def test_where_no_bound_holds_nothing_can_prove_one() -> None:
    heavy = Saved(own_weight())
    density = heavy.arguments["density"]
    assert differing(heavy.check(relaxed=density)) == {"relaxed"}
    claimed = replace(heavy.certificate, lower_bound=1e-9, gap=heavy.arguments["compliance"] / 1e-9 - 1)
    assert {"lower_bound", "gap", "relaxed"} <= differing(heavy.check(claimed))


def test_a_humble_equilibrium_passes_as_far_as_the_word_allows(saved: Saved) -> None:
    for residual, word, is_met in (
        (1e-7, "verified", True),
        (1e-5, "predicted", True),
        (-1e-9, "verified", False),
    ):
        found = saved.check(replace(saved.certificate, equilibrium_residual=residual), word=word)
        assert ("equilibrium_residual" not in differing(found)) == is_met


def test_an_empty_certificate_claims_nothing_and_still_gets_its_numbers(saved: Saved) -> None:
    found = saved.check(Certificate())
    assert {"equilibrium_residual", "kkt_residual", "lower_bound", "gap", "grey"} <= differing(found)
    assert found.certificate.gap == pytest.approx(saved.certificate.gap, rel=1e-3)


def test_least_volume_with_the_sensitivity_filter_is_as_stationary_as_its_solver_says() -> None:
    problem = mbb((18, 6), filter=FilterOptions("sensitivity", 1.5))
    found = Saved(replace(problem, goal=Goal("volume", None, (300.0,)))).check()
    assert found.ok, found.differing
