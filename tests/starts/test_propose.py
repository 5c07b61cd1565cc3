from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from trabecula.design import DesignChain, Schedule
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem import problems
from trabecula.problem.model import Goal
from trabecula.starts import Ramps, RandomFields, volume_of


def chain(discrete: DiscreteProblem) -> DesignChain:
    return DesignChain(discrete, 1)


def test_ramps_are_uniform_designs_with_their_schedules() -> None:
    problem = cantilever(volume=0.3, penalty=3.0)
    proposals = list(Ramps().propose(problem, chain(problem), 10))
    assert [p.name for p in proposals] == ["ramp-30", "cold", "ramp-15"]
    assert {p.kind for p in proposals} == {"ramp"}
    assert [p.schedule for p in proposals] == [
        Schedule(1.0, 3.0, 30),
        Schedule(3.0, 3.0, 0),
        Schedule(1.0, 3.0, 15),
    ]
    for proposal in proposals:
        np.testing.assert_allclose(proposal.density, 0.3)


def test_no_more_ramps_than_asked_for() -> None:
    problem = cantilever()
    assert len(list(Ramps().propose(problem, chain(problem), 1))) == 1


def test_random_fields_are_the_same_for_the_same_seed_only() -> None:
    problem = cantilever((20, 12))
    once, again = (list(RandomFields(3).propose(problem, chain(problem), 9)) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.density, other.density)
    other_seed = next(RandomFields(4).propose(problem, chain(problem), 1))
    assert np.abs(once[0].density - other_seed.density).max() > 0.1
    few = list(RandomFields(3).propose(problem, chain(problem), 2))
    np.testing.assert_array_equal(few[1].density, once[1].density)


def test_random_fields_differ_from_each_other_in_kind() -> None:
    problem = cantilever((40, 30), volume=0.4)
    proposals = list(RandomFields().propose(problem, chain(problem), 8))
    assert len({p.name for p in proposals}) == 8
    roughness = [np.abs(np.diff(p.density, axis=1)).mean() for p in proposals]
    assert roughness[0] > roughness[1] > roughness[2] > roughness[3], "white first, then ever smoother"
    for proposal in proposals:
        assert proposal.schedule == Schedule(3.0, 3.0)
        assert 0.2 < proposal.density.mean() < 0.8
        assert proposal.density.std() > 0.05


def test_proposals_stay_within_passive_parts_and_symmetry() -> None:
    problem = discretise(problems.bridge((40, 10)))
    assert problem.options.symmetry
    proposals = [
        *Ramps().propose(problem, chain(problem), 3),
        *islice(RandomFields().propose(problem, chain(problem), 8), 8),
    ]
    for proposal in proposals:
        assert (proposal.density >= problem.lower).all()
        assert (proposal.density <= problem.upper).all()
        np.testing.assert_allclose(proposal.density, proposal.density[:, ::-1], atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_a_field_without_variation_is_uniform() -> None:
    problem = cantilever((1, 1), volume=0.4)
    for proposal in RandomFields().propose(problem, chain(problem), 4):
        assert np.isfinite(proposal.density).all()


@pytest.mark.parametrize("penalty", [1.0, 2.0])
def test_no_ramp_passes_the_penalty_asked_for(penalty: float) -> None:
    problem = cantilever(penalty=penalty)
    for proposal in Ramps().propose(problem, chain(problem), 3):
        assert proposal.schedule.penalty(0) <= penalty
        assert proposal.schedule.penalty(100) == penalty


def test_the_volume_of_a_start_is_the_goals_or_a_half() -> None:
    problem = cantilever(volume=0.3)
    assert volume_of(problem) == 0.3
    assert volume_of(replace(problem, goal=Goal("volume", compliance=(1.0,)))) == 0.5
