"""A network comes back from its file as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from tests.surrogate.networks import model, network
from trabecula.learning.network_from_file import network_of
from trabecula.learning.train import TrainingRecipe
from trabecula.surrogate import Model, load_model
from trabecula.surrogate.model import cards


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return model(tmp_path_factory.mktemp("models"), "corrector", 2, 4.0)


@pytest.mark.parametrize(("kind", "dimension"), [("proposer", 2), ("leap", 3)])
def test_the_numbers_come_back_to_the_last_bit(kind: str, dimension: int, tmp_path: Path) -> None:
    made = network(kind, dimension, 4.0)
    again, recipe = network_of(model(tmp_path, kind, dimension, 4.0))
    assert recipe == TrainingRecipe(kind, dimension, made.size)
    expected, found = made.state_dict(), again.state_dict()
    assert list(expected) == list(found)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert not again.training


@pytest.mark.parametrize("name", [name for name in sorted(cards()) if name.startswith("corrector")])
def test_what_ships_can_be_trained_on(name: str) -> None:
    shipped = load_model(name)
    again, _ = network_of(shipped)
    assert sum(p.numel() for p in again.parameters()) == shipped.card.story["parameters"]
    assert all(p.requires_grad for p in again.parameters())


def changed(small: Model, change: Callable[[onnx.GraphProto], None]) -> Model:
    graph = onnx.load_from_string(small.content)
    change(graph.graph)
    return Model(small.card, graph.SerializeToString())


def halved(graph: onnx.GraphProto) -> None:
    (weight,) = [each for each in graph.initializer if each.name == "head.weight"]
    half = numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), "head.weight")
    weight.CopyFrom(half)


def lost(graph: onnx.GraphProto) -> None:
    del graph.initializer[0]


def doubled(graph: onnx.GraphProto) -> None:
    """The file computes something else than a network with its numbers would."""
    for node in graph.node:
        if node.op_type == "Sigmoid":
            node.op_type = "Tanh"


@pytest.mark.parametrize(
    ("change", "said"),
    [(halved, "float16"), (lost, "not an encoder-decoder"), (doubled, "differs from the network")],
)
def test_a_file_of_another_kind_is_refused(
    small: Model, change: Callable[[onnx.GraphProto], None], said: str
) -> None:
    with pytest.raises((ValueError, RuntimeError), match=said):
        network_of(changed(small, change))


@pytest.mark.parametrize(
    "card",
    [
        {"story": {}},
        {"story": {"size": {"width": 16, "depth": 1, "levels": 2, "patch": 2}}},
        {"channels": 11},
        {"name": "nonsense-2d"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_card_that_does_not_fit_is_refused(small: Model, card: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an encoder-decoder"):
        network_of(Model(replace(small.card, **card), small.content))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not an encoder-decoder"):
        network_of(Model(small.card, b"nothing"))
