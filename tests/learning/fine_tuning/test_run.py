"""From past solves to a version of one's own: small, and all of it real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning.fine_tuning.small import ignorant, kept, pulled
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.fine_tuning import (
    FineTuningRequest,
    FineTuningResult,
    GateVerdict,
    fine_tune,
    random_problems,
    run,
)
from trabecula.learning.generate import DataSettings, prepare_folder
from trabecula.learning.history import Store
from trabecula.surrogate import Model, user_networks


def plates(seed: int, dimension: int, count: int) -> Iterator[DiscreteProblem]:
    """Instead of random problems, which are larger."""
    assert dimension == 2
    for k in range(min(count, 2)):
        yield discretise(pulled(0.5, 0.3 + 0.1 * k + 0.05 * (seed == random_problems.FIXED)))


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Model:
    """A network that ships for the plane, and a folder for those that do not."""
    made = ignorant()

    def shipped(kind: str, dimension: int) -> Model | None:
        return made if (kind, dimension) == ("corrector", 2) else None

    monkeypatch.setattr(run, "shipped_model", shipped)
    monkeypatch.setattr(user_networks, "shipped_model", shipped)
    monkeypatch.setattr(run, "problems", plates)
    monkeypatch.setenv("TRABECULA_NETWORKS", "1")
    monkeypatch.setenv("TRABECULA_NETWORKS_DIR", str(tmp_path / "networks"))
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return kept(tmp_path_factory.mktemp("history") / "h", 9)


SMALL = FineTuningRequest("corrector", steps=4, judge=1)


def test_what_passes_is_installed_and_used(
    base: Model, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    real, verdicts = run.gate, []

    def lenient(*arguments: object) -> GateVerdict:
        """The real figures of the real solves, without the objections: four steps teach nothing."""
        verdicts.append(real(*arguments))  # type: ignore[arg-type]
        return replace(verdicts[0], objections=())

    monkeypatch.setattr(run, "gate", lenient)
    outcome = fine_tune(SMALL, store, said.append, lambda look: None)
    found = user_networks.model_in_use("corrector", 2)
    assert found is not None and found.card == outcome.card
    assert found.card.label == "corrector-2d 0001"
    story = found.card.story
    assert story["base"] == base.card.sha256
    assert story["past solves"]["held out"] == 1
    assert 4 <= story["past solves"]["trained on"] <= 7
    assert story["gate"]["compared with"] == "corrector-2d shipped"
    assert story["gate"]["own"]["problems"] == story["gate"]["fixed"]["problems"] == 1
    assert verdicts[0].own["new"].solves <= 60
    assert found.content != base.content
    assert any("to learn from" in text for text in said)
    assert outcome.to_json()["installed"] is True


def test_what_does_not_pass_is_not_installed(base: Model, store: Store) -> None:
    """The true gate; what a network with random weights learns in one step is the same as before."""
    outcome: FineTuningResult = fine_tune(
        replace(SMALL, steps=1), store, lambda text: None, lambda look: None
    )
    assert not outcome.verdict.is_passed
    assert user_networks.model_in_use("corrector", 2) is base
    assert user_networks.versions("corrector-2d") == []
    assert outcome.card.story["gate"]["objections"] == list(outcome.verdict.objections)
    assert outcome.to_json()["version"] is None


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (FineTuningRequest("leap"), "past solves cannot teach a leap"),
        (FineTuningRequest("proposer"), "past solves cannot teach a proposer"),
        (FineTuningRequest("corrector", dimension=3), "no corrector for 3-D ships"),
        (FineTuningRequest("corrector", judge=0), "only if the solver says so"),
    ],
    ids=["leap", "proposer", "none ships", "no judge"],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    wish: FineTuningRequest, said: str, base: Model, store: Store
) -> None:
    with pytest.raises(ValueError, match=said) as told:
        fine_tune(wish, store, lambda text: None, lambda look: None)
    assert "\n" not in str(told.value)


def test_too_few_past_solves_are_refused_with_those_left_out(base: Model, tmp_path: Path) -> None:
    few = kept(tmp_path / "h", 2)
    entry = few.entries()[0]
    (few.folder / "entries" / entry.id / "coarser.npz").unlink()
    with pytest.raises(ValueError, match=r"holds 1 solves in 2-D .*\(1 without coarse grids\); 8 are needed"):
        fine_tune(SMALL, few, lambda text: None, lambda look: None)


def test_replay_from_data_must_fit(base: Model, store: Store, tmp_path: Path) -> None:
    prepare_folder(tmp_path / "solid", DataSettings(3))
    with pytest.raises(ValueError, match="in 3-D, the history in 2-D"):
        fine_tune(replace(SMALL, data=tmp_path / "solid"), store, lambda text: None, lambda look: None)
    prepare_folder(tmp_path / "none", DataSettings(2))
    with pytest.raises(ValueError, match="holds no examples"):
        fine_tune(replace(SMALL, data=tmp_path / "none"), store, lambda text: None, lambda look: None)


def test_reserved_problems_are_always_the_same() -> None:
    (first,), (again,) = (
        random_problems.problems(random_problems.FIXED, 2, 1),
        random_problems.problems(random_problems.FIXED, 2, 1),
    )
    assert first.grid == again.grid
    np.testing.assert_array_equal(first.loads, again.loads)
    (other,) = random_problems.problems(random_problems.REPLAYED, 2, 1)
    assert first.loads.shape != other.loads.shape or not np.array_equal(first.loads, other.loads)


def test_replay_is_what_the_network_says_itself() -> None:
    discrete = discretise(pulled(0.5))
    example = random_problems.replay_example(ignorant(), discrete)
    logits = example.base.astype(np.float32) + ignorant().logits(example.fields.astype(np.float32))[0]
    np.testing.assert_allclose(example.target, 1 / (1 + np.exp(-logits)), atol=1e-3)
    assert random_problems.coarse_design(discrete).shape == grid_hierarchy(discrete)[-2].grid.shape
