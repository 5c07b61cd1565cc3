"""The whole of fine-tuning: past solves in, a new version out, if the solver says that it is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from trabecula.learning.example import Example
from trabecula.learning.examples import prepare_all
from trabecula.learning.fine_tuning.gate import GateVerdict, gate
from trabecula.learning.fine_tuning.last_layers import (
    RATE,
    RISE,
    STEPS,
    fit_last_layers,
)
from trabecula.learning.fine_tuning.random_problems import (
    FIXED,
    REPLAYED,
    coarse_design,
    problems,
    replay_example,
)
from trabecula.learning.fine_tuning.training_pairs import (
    NEEDED,
    TrainingPair,
    split_pairs,
    training_pairs,
)
from trabecula.learning.history import Store
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.network_from_file import network_of
from trabecula.learning.ship import add_to_folder, ship, update_card
from trabecula.learning.store import open_dataset
from trabecula.learning.validate import split_shards
from trabecula.optimize.analysis import Analysis
from trabecula.surrogate import (
    Card,
    Model,
    load_model,
    model_in_use,
    shipped_model,
    user_networks,
)

Array = NDArray[np.float64]
Say = Callable[[str], None]

UNTAUGHT = {
    "autoencoder": "the codes of designs that are kept already would all change",
    "generator": "a history keeps the winners of searches, not the designs nearly as good beside each",
    "leap": "a history keeps where solves ended, not the iterations on the way, which a leap learns from",
    "proposer": "a history keeps the winners of searches, not the losers, which a proposer is judged by",
}
"""Kinds of networks that past solves cannot teach, and why."""


@dataclass(frozen=True)
class FineTuningRequest:
    """What is to be fine-tuned, and how.

    Attributes
    ----------
    kind
        "corrector"; other kinds are refused with the reason.
    dimension
        2 or 3; None is the one of which the history holds more.
    data
        Data set for replay, such as the one the network was made from; without one the network's own answers
        to random problems are replayed.
    steps
        Of the training.
    judge
        Problems in either set of the gate, at most.
    seed
        Of the batches.
    replay
        Random problems that are replayed.
    """

    kind: str
    dimension: int | None = None
    data: Path | None = None
    steps: int = STEPS
    judge: int = 8
    seed: int = 0
    replay: int = 12


@dataclass(frozen=True)
class FineTuningResult:
    """What came of it: the gate's verdict, the card of the new network, its version "" if not installed."""

    card: Card
    verdict: GateVerdict

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {
            "name": self.card.name,
            "installed": self.verdict.is_passed,
            "version": self.card.version or None,
            "gate": self.verdict.to_json(),
            "story": self.card.story,
        }


def fine_tune(
    wish: FineTuningRequest, store: Store, say: Say, report: Callable[[TrainingProgress], None]
) -> FineTuningResult:
    """Fine-tune what ships on past solves, and install it where the gate lets it pass.

    It always begins with the network that ships, whatever is in use: the history holds what earlier versions
    learned, and nothing drifts from version to version. The gate compares with the network in use.

    Raises
    ------
    ValueError
        If the history or the networks there are do not allow it; the message says why.
    UnreadableError
        If the data set is damaged.
    OSError, sqlite3.Error
        If the history cannot be read, or the network not be written.
    """
    dimension, base, found = _begin(wish, store, say)
    taught, kept = split_pairs(found)
    kept = kept[: max(1, wish.judge)]
    network, recipe = network_of(base)
    recipe = replace(
        recipe, steps=wish.steps, rate=RATE, rise=RISE, seed=wish.seed, every=max(50, wish.steps // 5)
    )
    say(f"{len(taught)} past solves to learn from, {len(kept)} to judge by; preparing replay")
    replay = _replay(wish, base, dimension)
    with TemporaryDirectory() as folder:
        mine, unseen = ([lesson.example() for lesson in part] for part in (taught, kept))
        fit_last_layers(network, recipe, mine, replay, unseen, Path(folder), report)
        story = {
            "made": "trabecula train --from-history",
            "base": base.card.sha256,
            "past solves": {"trained on": len(taught), "held out": len(kept)},
            "replay": {"examples": len(replay), "from": "its own answers" if wish.data is None else "data"},
            "recipe": {"steps": recipe.steps, "rate": recipe.rate, "seed": recipe.seed},
            "limits": base.card.story.get("limits", ""),
        }
        card = ship(network, recipe, Path(folder), base.card.settings, story, base.card.name)
        new = load_model(card.name, Path(folder))
        old = model_in_use(wish.kind, dimension)
        assert old is not None, "there was one to begin with"
        fixed = ((Analysis(d, 1), coarse_design(d)) for d in problems(FIXED, dimension, wish.judge))
        verdict = gate(_coarse_designs(kept), fixed, old, new, say)
    told_by = {"gate": {"compared with": old.card.label, **verdict.to_json()}}
    if not verdict.is_passed:
        return FineTuningResult(replace(card, story={**card.story, **told_by}), verdict)

    def write(part: Path) -> Card:
        add_to_folder(part, card, new.content)
        return update_card(part, card.name, card.settings, told_by)

    return FineTuningResult(user_networks.install(card.name, write), verdict)


def _begin(wish: FineTuningRequest, store: Store, say: Say) -> tuple[int, Model, list[TrainingPair]]:
    """Dimension, network and past solves to begin with, or the reason why there is nothing to be done."""
    if wish.kind in UNTAUGHT:
        raise ValueError(f"past solves cannot teach a {wish.kind}: {UNTAUGHT[wish.kind]}")
    if wish.judge < 1:
        raise ValueError(
            "a network of one's own is installed only if the solver says so: judge must be above 0"
        )
    asked = (2, 3) if wish.dimension is None else (wish.dimension,)
    bases = {dimension: shipped_model(wish.kind, dimension) for dimension in asked}
    if not any(bases.values()):
        where = " or ".join(f"{dimension}-D" for dimension in asked)
        raise ValueError(f"no {wish.kind} for {where} ships with trabecula, so there is none to fine-tune")
    held = {
        dimension: training_pairs(store, dimension) for dimension, base in bases.items() if base is not None
    }
    dimension = max(held, key=lambda each: len(held[each][0]))
    (found, left), base = held[dimension], bases[dimension]
    assert base is not None
    if len(found) < NEEDED:
        raise ValueError(
            f"the history holds {len(found)} solves in {dimension}-D that a {wish.kind} can learn from"
            f"{_reasons(left)}; {NEEDED} are needed"
        )
    if left:
        say(f"left out{_reasons(left)}")
    return dimension, base, found


def _reasons(left: Counter[str]) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left.items()))
    return f" ({reasons})" if reasons else ""


def _replay(wish: FineTuningRequest, base: Model, dimension: int) -> list[Example]:
    """What is not to be forgotten: examples of a data set, or the network's own answers."""
    if wish.data is None:
        return [replay_example(base, discrete) for discrete in problems(REPLAYED, dimension, wish.replay)]
    dataset = open_dataset(wish.data)
    if dataset.dimension != dimension:
        raise ValueError(f"{wish.data} holds problems in {dataset.dimension}-D, the history in {dimension}-D")
    chosen, _ = split_shards(dataset.shards)
    found = [e for part in prepare_all(wish.kind, chosen, wish.data / "prepared") for e in part]
    if not found:
        raise ValueError(f"{wish.data} holds no examples for a {wish.kind}; generate more problems")
    return found


def _coarse_designs(kept: list[TrainingPair]) -> Iterator[tuple[Analysis, Array]]:
    for lesson in kept:
        yield lesson.analysis(), lesson.coarse
