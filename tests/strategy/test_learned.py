"""A bad network can cost a solve or two, and never a worse result."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from benchmarks import random_problems
from tests.surrogate.networks import model
from trabecula.design import Schedule
from trabecula.discretisation import DiscreteProblem, discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import make_optimizer
from trabecula.problem import FilterOptions, problems
from trabecula.results.records import Trial
from trabecula.results.result import Result
from trabecula.starts import (
    ExtrapolationNetwork,
    PastDesigns,
    Proposal,
    ProposalNetwork,
    UpscalingNetwork,
)
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.learned_first import agree
from trabecula.strategy.learned_steps import Learned, correct
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import Event, Outcome, run_to_end
from trabecula.strategy.workbench import Workbench
from trabecula.surrogate import Card, Model

STOP = Stop(change=5e-4, limit=60)
SEARCH = Search(proposals=5, further=0, coarse=20, intermediate=15)
DRAWERS = 14
"""Channels of a network that proposes in 2-D."""


class Inverted(Model):
    """A network of the wrong sign: material where there should be none, and none where it should be."""

    def logits(self, fields: np.ndarray) -> np.ndarray:
        answer: np.ndarray = np.repeat(-8.0 * fields[:1], self.card.answers, axis=0)
        return answer

    def run(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        convex = slice(2 * 4, 3 * 4)  # behind the noise and the time, four voxels a place
        answer: np.ndarray = -8.0 * inputs["fields"][:, convex]
        return answer


def card(kind: str, channels: int = 0) -> Card:
    return Card(f"{kind}-2d", "", "", 2, channels, 1, 2, 4, {"grey": 0.2}, {})


@pytest.fixture(scope="module")
def ignorant(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    folder = tmp_path_factory.mktemp("models")
    return Learned(
        proposer=ProposalNetwork(model(folder, "proposer", 2, 8.0)),
        corrector=UpscalingNetwork(model(folder, "corrector", 2, 80.0)),
        leaper=ExtrapolationNetwork(model(folder, "leap", 2, 8.0)),
    )


@pytest.fixture(scope="module")
def contrary() -> Learned:
    return Learned(
        proposer=ProposalNetwork(Inverted(card("proposer", DRAWERS), b"")),
        corrector=UpscalingNetwork(Inverted(card("corrector"), b"")),
        leaper=ExtrapolationNetwork(Inverted(card("leap"), b"")),
    )


@pytest.fixture(scope="module", params=["cantilever", "l_bracket"])
def discrete(request: pytest.FixtureRequest) -> DiscreteProblem:
    elements = {"cantilever": (96, 48), "l_bracket": (72, 72)}
    return discretise(problems.get(request.param, elements[request.param]))


def travelled(discrete: DiscreteProblem, learned: Learned, checkpoints: Checkpoints | None = None) -> Outcome:
    search = replace(SEARCH, learned=learned)
    return run_to_end(coarse_to_fine(Workbench(discrete, 1, checkpoints), search, STOP))


@pytest.fixture(scope="module")
def unlearned(discrete: DiscreteProblem) -> Outcome:
    return travelled(discrete, Learned())


@pytest.mark.parametrize("which", ["ignorant", "contrary"])
def test_refused_designs_leave_the_way_as_it_is(
    which: str, discrete: DiscreteProblem, unlearned: Outcome, request: pytest.FixtureRequest
) -> None:
    bad: Learned = request.getfixturevalue(which)
    found = travelled(discrete, Learned(corrector=bad.corrector, leaper=bad.leaper))
    assert {trial.what for trial in found.trials} == {"hand-over", "leap"}
    assert not any(trial.accepted for trial in found.trials)
    assert all(trial.after > trial.before for trial in found.trials)
    assert np.array_equal(found.step.x, unlearned.step.x)


@pytest.mark.parametrize("which", ["ignorant", "contrary"])
def test_bad_proposals_never_end_in_a_worse_design(
    which: str, discrete: DiscreteProblem, unlearned: Outcome, request: pytest.FixtureRequest
) -> None:
    bad: Learned = request.getfixturevalue(which)
    found = travelled(discrete, Learned(proposer=bad.proposer))
    assert found.step.merit <= unlearned.step.merit * 1.001
    (trial,) = found.trials
    assert (trial.what, trial.network) == ("proposal", bad.proposer.model.card.label if bad.proposer else "")


@pytest.mark.parametrize("which", ["ignorant", "contrary"])
def test_the_search_that_follows_is_the_one_without_the_network(
    which: str, discrete: DiscreteProblem, unlearned: Outcome, request: pytest.FixtureRequest
) -> None:
    """Where the network is always in doubt, and its design loses, the other is the same to the last bit."""
    bad: Learned = request.getfixturevalue(which)
    search = replace(SEARCH, learned=Learned(proposer=bad.proposer), agree=0.0)
    found = run_to_end(coarse_to_fine(Workbench(discrete, 1), search, STOP))
    (trial,) = found.trials
    assert found.step.merit <= unlearned.step.merit
    assert trial.accepted is not np.array_equal(found.step.x, unlearned.step.x)


def filtered(radius: float) -> DiscreteProblem:
    problem = problems.get("cantilever", (96, 48))
    return discretise(
        replace(problem, options=replace(problem.options, filter=FilterOptions("density", radius)))
    )


def doubting_little(learned: Learned) -> Search:
    """A search that any two designs agree for, where a grid can settle it."""
    return replace(SEARCH, agree=9.0, learned=Learned(proposer=learned.proposer))


@pytest.mark.parametrize(("radius", "told"), [(0.024, 1), (0.06, 0)])
def test_a_finished_design_is_told_before_the_search_that_follows(
    radius: float, told: int, ignorant: Learned
) -> None:
    """The thinner filter settles nothing on the coarsest grid: there a search follows, else none does."""
    way = coarse_to_fine(Workbench(filtered(radius), 1), doubting_little(ignorant), STOP)
    events: list[Event] = []
    while (event := next(way, None)) is not None:
        events.append(event)
    shape = events[-1].analysis.discrete.grid.shape
    done = [k for k, event in enumerate(events) if event.done]
    assert len(done) == told
    for k in done:
        assert events[k].step.finished and events[k].step.x.shape == shape
        assert any(event.step.x.shape != shape for event in events[k + 1 :]), "coarse grids follow"


def test_a_grid_whose_voxels_are_wider_than_the_filter_settles_nothing(ignorant: Learned) -> None:
    ends = []
    for radius in (0.024, 0.06):
        search = doubting_little(ignorant)
        ends.append(run_to_end(coarse_to_fine(Workbench(filtered(radius), 1), search, STOP)))
    doubtful, settled = ([stage.name for stage in end.stages] for end in ends)
    assert len(doubtful) == len(settled)
    made = [sum(stage.iterations for stage in end.stages) for end in ends]
    assert made[0] > made[1] + SEARCH.coarse
    assert ends[0].trials[0].before == float("inf") > ends[1].trials[0].before


def test_what_is_drawn_is_all_where_nothing_is_searched(discrete: DiscreteProblem, ignorant: Learned) -> None:
    """As many proposals as go ahead, or starts that agree with them."""
    wide = FilterOptions("density", 2.0 * max(grid_hierarchy(discrete)[0].grid.spacing))
    discrete = replace(discrete, options=replace(discrete.options, filter=wide))
    search = replace(SEARCH, learned=Learned(proposer=ignorant.proposer))
    few, settled = (
        run_to_end(coarse_to_fine(Workbench(discrete, 1), asked, STOP))
        for asked in (replace(search, proposals=1), replace(search, agree=9.0))
    )
    assert np.array_equal(few.step.x, settled.step.x)
    assert few.trials[0].accepted and settled.trials[0].accepted
    assert few.trials[0].before == float("inf") > settled.trials[0].before
    made = sum(stage.iterations for stage in settled.stages) - sum(stage.iterations for stage in few.stages)
    assert made == 2 * SEARCH.coarse  # the sentinels, each to its end


def test_where_no_solve_was_possible_nothing_agrees() -> None:
    proposal = Proposal("cold", "ramp", np.zeros((2, 2)), Schedule())
    unsolved, other = Step(proposal.density, None), Step(np.ones((2, 2)), None)  # type: ignore[arg-type]
    assert unsolved.merit == float("inf")
    assert not agree([(proposal, unsolved)], [(proposal, other)], SEARCH)


@pytest.mark.parametrize("agree", [0.0, 9.0])
def test_a_given_design_is_tried_whether_a_search_follows_or_not(
    agree: float, discrete: DiscreteProblem, unlearned: Outcome, ignorant: Learned
) -> None:
    proposer = Learned(proposer=ignorant.proposer)
    past = PastDesigns((unlearned.step.x,))
    search = replace(SEARCH, agree=agree, learned=proposer, also=(past,), proposals=1)
    found = run_to_end(coarse_to_fine(Workbench(discrete, 1), search, STOP))
    assert sorted(trial.what for trial in found.trials) == ["past", "proposal"]


def test_a_single_grid_has_its_doubts_too(ignorant: Learned) -> None:
    discrete = discretise(problems.get("mbb", (30, 10)))
    assert len(grid_hierarchy(discrete)) == 1
    proposer = Learned(proposer=ignorant.proposer)
    ends = []
    for learned, difference in ((Learned(), 0.0), (proposer, 0.0), (proposer, 9.0)):
        search = replace(SEARCH, learned=learned, agree=difference)
        ends.append(run_to_end(coarse_to_fine(Workbench(discrete, 1), search, STOP)))
    plain, doubtful, settled = ends
    assert doubtful.step.merit <= plain.step.merit * 1.001
    assert settled.trials[0].accepted
    made = [sum(stage.iterations for stage in end.stages) for end in ends]
    assert made[2] < made[1]


def test_a_good_design_is_taken(discrete: DiscreteProblem, unlearned: Outcome) -> None:
    """A network that knows the answer: the final design itself, whatever it is asked."""

    class Knowing(Model):
        def logits(self, fields: np.ndarray) -> np.ndarray:
            wanted = np.clip(unlearned.step.x, 0.02, 0.98)
            now = np.clip((fields[0] + 1) / 2, 0.02, 0.98)
            return (np.log(wanted / (1 - wanted)) - np.log(now / (1 - now)))[None].astype(np.float32)

    analysis = Analysis(discrete, 1)
    plan = Plan(make_optimizer(discrete, 1), Schedule(), STOP)
    coarse = analysis.chain.uniform(discrete.goal.volume or 0.5)
    drawn, trial = correct(analysis, UpscalingNetwork(Knowing(card("corrector"), b"")), coarse, plan, "here")
    assert drawn is not None
    assert trial.accepted
    assert trial.after < 0.5 * trial.before
    assert analysis.solves == 2 * analysis.cases
    assert analysis.chain.volume(analysis.chain.physical(drawn)) <= (discrete.goal.volume or 1) + 1e-6


def test_a_resumed_way_with_networks_ends_in_the_same_design(
    ignorant: Learned, discrete: DiscreteProblem, tmp_path: Path
) -> None:
    whole = travelled(discrete, ignorant, Checkpoints(tmp_path / "checkpoints"))
    kept = sorted((tmp_path / "checkpoints").glob("*.npz"))
    for path in kept:
        if path.stem.startswith(("finish", "leap")):
            path.unlink()
    again = travelled(discrete, ignorant, Checkpoints(tmp_path / "checkpoints", resume=True))
    assert np.array_equal(whole.step.x, again.step.x)


def test_what_became_of_networks_is_saved_with_the_result(tmp_path: Path) -> None:
    import trabecula

    problem = problems.get("mbb", (30, 10))
    result = trabecula.solve(problem, start="learned", iterations=5, threads=1)
    trials = (
        Trial("leap", "30x10 cold", True, 2.0, 1.0, 0.5, "leap-2d 0002"),
        Trial("leap", "30x10", False, 2.0, float("inf"), 0.5),
    )
    object.__setattr__(result, "trials", trials)
    result.save(tmp_path, picture=False)
    said = json.loads((tmp_path / "result.json").read_text())["learned"]
    assert said[0] == {
        "what": "leap",
        "where": "30x10 cold",
        "accepted": True,
        "before": 2.0,
        "after": 1.0,
        "seconds": 0.5,
        "network": "leap-2d 0002",
    }
    assert said[1]["after"] is None
    loaded = Result.load(tmp_path).trials
    assert loaded[0] == trials[0]
    assert not loaded[1].accepted


def test_a_learned_design_does_not_depend_on_the_threads() -> None:
    """On this grid the runtime's sums over two threads end in other digits than over one."""
    problem = random_problems.get(159, 0.35)
    alone, together = (tb.solve(problem, start="learned", threads=n, proposals=1) for n in (1, 2))
    np.testing.assert_array_equal(alone.density, together.density)
