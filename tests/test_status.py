"""A status before a value: every outcome has its name, its exit code, its sentence, and no untrue figure."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from tests.certificate.grids import cantilever
from tests.cli.conftest import SMALL
from trabecula.certificate.words import EQUILIBRIUM
from trabecula.design import Schedule
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import at_best, begin, iterate
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import UNSOLVED, Step
from trabecula.optimize.stopping import LOST
from trabecula.optimizers import OC, Adaptive, OptimalityCriteria
from trabecula.problem import parse
from trabecula.responses import Evaluation
from trabecula.status import EXPLANATIONS, NoDesignError, Status

PLAN = Plan(OptimalityCriteria(OC(exponent=1.0, adaptive=Adaptive())), Schedule(3.0, 3.0), Stop(limit=40))


VERIFIED = EQUILIBRIUM["verified"]


class Faulty(Analysis):
    """An analysis whose evaluations go wrong from one of them on, as overflow or a broken solve would."""

    def __init__(self, after: int, **wrong: float) -> None:
        super().__init__(cantilever((16, 8)), 1)
        self.left, self.wrong = after, wrong

    def evaluate(self, *args: object, **kwargs: object) -> Evaluation:
        found = super().evaluate(*args, **kwargs)  # type: ignore[arg-type]
        self.left -= 1
        return found if self.left >= 0 else replace(found, **self.wrong)  # type: ignore[arg-type]


def steps(analysis: Analysis) -> list[Step]:
    return list(iterate(analysis, PLAN, begin(PLAN, analysis.chain.uniform(0.4))))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stops_the_run_where_it_arises(number: float) -> None:
    found = steps(Faulty(3, objective=number))
    assert len(found) == 4
    assert found[-1].finished is Status.DIVERGED
    assert found[-1].merit == math.inf


def test_a_sensitivity_that_is_no_number_stops_it_too() -> None:
    analysis = Analysis(cantilever((16, 8)), 1)
    found = analysis.evaluate(analysis.chain.uniform(0.4), 3.0)
    assert found.is_finite
    broken = found.gradient.copy()
    broken.flat[7] = np.nan
    assert not replace(found, gradient=broken).is_finite
    assert not replace(found, constraints=(replace(found.constraints[0], gradient=broken),)).is_finite


def test_a_run_that_diverges_ends_at_its_last_good_design() -> None:
    undisturbed = steps(Faulty(1000))
    # The schedule is settled from the start, so that the best design so far is known.
    found = steps(Faulty(5, objective=math.nan))
    best = min(range(5), key=lambda k: undisturbed[k].rows[-1].objective)
    designs = [begin(PLAN, Faulty(0).chain.uniform(0.4)).x, *(step.x for step in undisturbed)]
    np.testing.assert_array_equal(found[-1].x, designs[best])
    assert at_best(Faulty(1000), PLAN, found[-1]).x is found[-1].x


def test_before_the_schedule_settles_it_ends_at_the_design_before() -> None:
    ramp = replace(PLAN, schedule=Schedule(1.0, 3.0, 30))
    analysis = Faulty(4, objective=math.nan)
    found = list(iterate(analysis, ramp, begin(ramp, analysis.chain.uniform(0.4))))
    assert found[-1].finished is Status.DIVERGED
    np.testing.assert_array_equal(found[-1].x, found[-3].x)


def test_designs_that_cannot_be_solved_are_never_best_and_end_the_run() -> None:
    found = steps(Faulty(2, residual=10 * UNSOLVED, objective=1e-9))
    assert len(found) == 2 + LOST
    assert found[-1].finished is Status.DIVERGED
    assert all(step.merit == math.inf for step in found[2:])
    assert found[-1].best is not None and found[-1].best.merit > 1e-9


def test_a_single_design_that_cannot_be_solved_does_not_end_it() -> None:
    analysis = Faulty(2, residual=1.0)
    first = begin(PLAN, analysis.chain.uniform(0.4))
    for step in iterate(analysis, PLAN, first):
        if len(step.rows) == 3:
            analysis.left = 1000
    assert step.finished in (Status.CONVERGED, Status.LIMIT)


def test_every_outcome_has_a_code_a_sentence_and_a_remedy() -> None:
    assert set(EXPLANATIONS) == set(Status)
    for status, outcome in EXPLANATIONS.items():
        assert outcome.sentence
        assert (outcome.code == 0) == (status is Status.CONVERGED) == (outcome.mend == "")
        assert outcome.code in (0, 3)


def test_an_outcome_without_a_design_survives_a_process_boundary() -> None:
    error = NoDesignError(Status.INFEASIBLE, "too much is asked", "ask for less")
    again = pickle.loads(pickle.dumps(error))
    assert (again.status, str(again)) == (error.status, str(error))


def test_nothing_is_verified_that_is_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    only_gradients(monkeypatch)
    monkeypatch.setattr("trabecula.certificate.certify.equilibrium_residual", lambda *rest: 2 * VERIFIED)
    with pytest.raises(NoDesignError, match=r"only solved to an equilibrium residual of 2.0e-06") as caught:
        tb.solve(parse_small(), proposals=1, threads=1)
    assert caught.value.status is Status.NOT_SOLVABLE


def test_what_is_solved_but_not_to_1e_8_is_verified_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    only_gradients(monkeypatch)
    monkeypatch.setattr("trabecula.certificate.certify.equilibrium_residual", lambda *rest: 0.5 * VERIFIED)
    result = tb.solve(parse_small(), proposals=1, threads=1)
    assert (result.status, result.word) == (Status.CONVERGED, "verified")


def test_where_conjugate_gradients_leave_too_much_a_factorisation_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trabecula.strategy.prove.TIGHT", 1e-4)
    result = tb.solve(parse_small(), proposals=1, threads=1)
    residual = result.certificate.equilibrium_residual
    assert residual is not None and residual <= 1e-10
    assert "equilibrium" not in result.not_certified


def only_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a factorisation nor doubled precision takes over."""
    monkeypatch.setattr("trabecula.strategy.prove.solvers", lambda analysis: [analysis.state])


def parse_small() -> tb.Problem:
    import yaml

    return parse(yaml.safe_load(SMALL))
