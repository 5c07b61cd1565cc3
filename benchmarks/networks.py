"""The networks that ship: which there are, what loading them takes, and what they cost to make."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Collection

import numpy as np

from benchmarks.hybrid_tables import Loading, Training
from trabecula.strategy.learned_steps import Learned
from trabecula.surrogate import Card, Model, shipped_model

KINDS = ("proposer", "corrector", "leap")


def there(dimension: int) -> dict[str, Model]:
    """The networks that ship for problems of a dimension, by kind, whether the learned start uses them or
    not."""
    found = {kind: shipped_model(kind, dimension) for kind in KINDS}
    return {kind: model for kind, model in found.items() if model is not None}


def used(dimension: int) -> list[Model]:
    """Those of them that take part in the learned start."""
    learned = Learned.load(dimension)
    parts = (learned.proposer, learned.corrector, learned.leaper)
    return [part.model for part in parts if part is not None]


def stamp(dimension: int) -> tuple[str, ...]:
    """What tells the networks of a dimension from others."""
    return tuple(sorted(model.card.sha256[:12] for model in there(dimension).values()))


def warm(models: Collection[Model]) -> int:
    """Load networks and run each once, so that no run that is timed has to; how many."""
    for model in models:
        smallest = np.zeros((model.card.channels, *(8,) * model.card.dimension), np.float32)
        model.logits(smallest)
    return len(models)


def loading(dimension: int) -> Loading | None:
    """Seconds the networks of the learned start take to load in a process of its own; None where there are
    none."""
    if not used(dimension):
        return None
    code = f"from benchmarks.networks import print_loading; print_loading({dimension})"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    networks, seconds = output.split()[-2:]
    return Loading(dimension, int(networks), float(seconds))


def print_loading(dimension: int) -> None:
    """Print how many networks there are and what it takes until each has answered for the first time."""
    clock = time.perf_counter()
    networks = warm(used(dimension))
    print(networks, time.perf_counter() - clock)


def cost(dimension: int, data_hours: float | None = None) -> Training | None:
    """What the networks of the learned start cost, as their cards say; None where there are none.

    Parameters
    ----------
    data_hours
        Hours that solving the problems they learned from took; the cards' own number unless given.
    """
    cards = [model.card for model in used(dimension)]
    if not cards:
        return None
    training = [_hours(card, "hours") for card in cards]
    data = data_hours if data_hours is not None else _most(cards)
    return Training(_sum(training), data)


def _hours(card: Card, name: str) -> float | None:
    value = card.story.get(name)
    return float(value) if isinstance(value, int | float) else None


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 3) if known else None


def _most(cards: list[Card]) -> float | None:
    """Hours for the data, which networks of one dimension share."""
    known = [hours for card in cards if (hours := _hours(card, "data hours")) is not None]
    return max(known, default=None)
