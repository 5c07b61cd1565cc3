"""Small past solves in the plane, and a small network that ships for them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import trabecula as tb
from tests.surrogate.networks import model
from trabecula import where
from trabecula.learning.history import Store
from trabecula.problem import problems
from trabecula.surrogate import Model

SETTINGS = {"grey": 0.5, "penalty": 2.0, "ramp": 5.0, "sharpness": 2.0}


def pulled(height: float, volume: float = 0.4) -> tb.Problem:
    """A plate, pulled down at a given height of its free end."""
    load = tb.Load(where.Nodes(((2.0, height),)), force=(0.0, -10e3))
    plate = problems.cantilever((64, 32), volume=volume)
    return replace(plate, name=f"plate {height:g}", cases=(tb.LoadCase((load,)),))


@cache
def solved(height: float, volume: float = 0.4) -> tb.Result:
    """Truly solved, but for little time."""
    return tb.solve(pulled(height, volume), proposals=1, tolerance=5e-3)


def kept(folder: Path, count: int) -> Store:
    """A history of so many plates."""
    store = Store(folder, 10**8)
    for k in range(count):
        store.keep(solved(k / 8, 0.4))
    return store


@cache
def ignorant() -> Model:
    """A small corrector with random weights, and the settings that a judged one has."""
    with TemporaryDirectory() as folder:
        made = model(Path(folder), "corrector", 2, 1.0)
    return Model(replace(made.card, settings=SETTINGS, version="shipped"), made.content)


class Knowing(Model):
    """A network that knows the answer."""

    def __init__(self, base: Model, answer: np.ndarray) -> None:
        super().__init__(base.card, base.content)
        self.answer = np.clip(answer, 0.02, 0.98)

    def logits(self, fields: np.ndarray) -> np.ndarray:
        now = np.clip((fields[0] + 1) / 2, 0.02, 0.98)
        wanted = self.answer
        logits = np.log(wanted / (1 - wanted)) - np.log(now / (1 - now))
        return np.asarray(logits[None], np.float32)
