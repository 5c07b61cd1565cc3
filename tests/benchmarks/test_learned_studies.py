"""What the studies of networks make of their runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import ablation, proposer, scouts
from tests.benchmarks.runs_made_up import run
from trabecula.discretisation import discretise
from trabecula.problem import problems
from trabecula.starts import ProposalNetwork
from trabecula.strategy.runner import run_to_end
from trabecula.surrogate import shipped_model


def test_an_ablation_counts_solves_to_the_best_of_all_rows() -> None:
    lines = {
        "3 no network": {"objectives": [9.0, 1.004, 1.004], "taken": None},
        "3 as it ships": {"objectives": [9.0, 9.0, 1.0], "taken": True},
        "7 no network": {"objectives": [2.0, 2.0], "taken": None},
        "7 as it ships": {"objectives": [3.0, 2.2], "taken": False},
        "8 no network": {"objectives": [1.0], "taken": None},  # not judged in every way: does not count
    }
    found = ablation.outcomes(lines)
    assert found["no network"].solves == ((2, 1), (2, 1))
    assert found["as it ships"].solves == ((3, ablation.LIMIT), (3, ablation.LIMIT))
    assert found["as it ships"].ends == pytest.approx((0.0, 10.0))
    assert found["as it ships"].taken == (True, False)
    (figure,) = ablation.figures(found)
    assert figure.value == pytest.approx(1.5 / 31.5)


def test_starts_are_held_against_the_best_of_all_runs() -> None:
    falling = np.linspace(2.0, 1.0, proposer.LIMIT)
    found = [{proposer.RANDOM: [falling + 0.1, falling], proposer.DRAWN: [falling + 0.05, falling + 0.02]}]
    assert proposer.above(found, proposer.RANDOM, 1, proposer.LIMIT) == pytest.approx([10.0])
    assert proposer.above(found, proposer.RANDOM, 2, proposer.LIMIT) == pytest.approx([0.0])
    assert proposer.above(found, proposer.DRAWN, 2, 1) == pytest.approx([102.0])
    first, second = (proposer.above(found, proposer.DRAWN, n, proposer.LIMIT)[0] for n in (1, 2))
    assert (first, second) == pytest.approx((5.0, 2.0))
    assert [line[:2] for line in proposer.rows(found)] == [
        (name, count) for name in (proposer.RANDOM, proposer.DRAWN) for count in (1, 2)
    ]


def test_what_goes_ahead_is_held_against_the_default() -> None:
    plain, quick = run((2.0, 1.004), (4.0, 1.0)), run((0.5, 1.006), (3.0, 1.002))
    against = scouts.Against([(plain, quick)])
    assert against.gain(scouts.SECONDS, 1.0) == pytest.approx(4.0)
    assert against.gain(scouts.SECONDS, 0.1) == 0.0
    assert against.worse == pytest.approx([0.2])
    assert against.slower == 0.0
    lost = scouts.Against([(plain, run((0.5, 1.2), (3.0, 1.1))), (plain, quick)])
    assert lost.gains(scouts.SECONDS, 1.0) == pytest.approx([0.0, 4.0])
    assert lost.slower == 50.0
    ways = (scouts.LEARNED, scouts.NOISE, *scouts.AHEAD, *scouts.ALONE)
    named = {name: lost if name in scouts.AHEAD else against for name in ways}
    said = {figure.what: figure.value for figure in scouts.figures(named, 3)}
    assert said["drawn ahead, 3-D: slower on fewer problems than random field ahead"] == 50.0
    assert said["drawn ahead, 3-D: end above that of penalty ramp ahead, mean"] == pytest.approx(0.2 - 5.1)
    assert said["drawn ahead, 3-D: not slower than 0.95x to 1 %"] == 100.0
    assert said["network of noise ahead, 3-D: end above the default's, worst"] == pytest.approx(0.2)


def test_a_network_of_noise_is_asked_like_any_other() -> None:
    model = shipped_model("proposer", 3)
    assert model is not None
    proposer = replace(ProposalNetwork.of(model), model=scouts.Noise(model.card, b""))
    way = scouts.ways(proposer)[scouts.NOISE](discretise(problems.get("cantilever_3d", (24, 12, 12))), 1)
    (trial,) = run_to_end(way).trials
    assert trial.what == "proposal"
    assert trial.network == model.card.label
