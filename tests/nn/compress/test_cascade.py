"""A little and a big network together, on handwritten digits they have not seen."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import Tensor, nn

from trabecula.nn.compress import (
    Cascade,
    class_entropy,
    fit_cascade,
    one_minus_margin,
    one_minus_probability,
    voxel_entropy,
    zero_one_loss,
)

Parts = dict[str, tuple[Tensor, Tensor]]


@pytest.fixture(scope="module")
def digits() -> Parts:
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    x, y = torch.tensor(images[order] / 16, dtype=torch.float32), torch.tensor(labels[order])
    places = {"train": slice(0, 800), "choose": slice(800, 1300), "new": slice(1300, None)}
    return {name: (x[place], y[place]) for name, place in places.items()}


def trained(net: nn.Module, data: tuple[Tensor, Tensor], steps: int) -> nn.Module:
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(data[0]), data[1]).backward()
        optimiser.step()
    return net


@pytest.fixture(scope="module")
def networks(digits: Parts) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    little = trained(nn.Linear(64, 10), digits["train"], 60)
    big = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
    return little, trained(big, digits["train"], 100)


@pytest.mark.parametrize("doubt", [one_minus_margin, one_minus_probability])
def test_the_target_error_is_kept_on_new_data_and_the_share_is_told(
    digits: Parts, networks: tuple[nn.Module, nn.Module], doubt: Callable[[Tensor], Tensor]
) -> None:
    cascade = fit_cascade(*networks, *digits["choose"], target_error=0.05, doubt=doubt)
    found = cascade.report(*digits["new"])
    assert found.error <= 0.05
    assert found.big_error < 0.05 < found.little_error
    assert 0.0 < found.share < 0.5
    assert found.share == cascade.answer(digits["new"][0]).share


def test_each_example_is_answered_by_the_network_that_should(
    digits: Parts, networks: tuple[nn.Module, nn.Module]
) -> None:
    little, big = networks
    cascade = Cascade(little, big, 0.6)
    images = digits["new"][0]
    answer = cascade.answer(images)
    first, second = little(images).detach(), big.eval()(images).detach()
    asked = one_minus_margin(first) > 0.6
    assert torch.equal(answer.asked_big, asked) and asked.any() and not asked.all()
    torch.testing.assert_close(answer.outputs, torch.where(asked[:, None], second, first))
    assert torch.equal(cascade(images), answer.outputs)


def test_the_big_network_sees_only_what_it_is_asked() -> None:
    sizes: list[int] = []

    def big(inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        return inputs

    cascade = Cascade(lambda inputs: inputs, big, 0.5)
    logits = torch.tensor([[9.0, 0.0], [0.1, 0.0], [0.0, 9.0]])
    cascade(logits)
    cascade(logits[:1])
    assert sizes == [1]
    assert Cascade(lambda inputs: inputs, big, -math.inf).answer(logits).share == 1.0


def test_dense_outputs_by_their_entropy() -> None:
    """A map that is sure is kept; one that is grey everywhere is asked about."""
    torch.manual_seed(0)
    truth = torch.randint(0, 2, (200, 1, 6, 6)).float()
    sure = torch.linspace(0.1, 6.0, 200)[torch.randperm(200)][:, None, None, None]

    def error(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.sigmoid() - targets).abs().flatten(1).mean(1)

    little = dict(zip(range(200), (2 * truth - 1) * sure, strict=True))
    index = torch.arange(200)
    cascade = fit_cascade(
        lambda places: torch.stack([little[int(place)] for place in places]),
        lambda places: (2 * truth[places] - 1) * 8,
        index[:100],
        truth[:100],
        target_error=0.05,
        doubt=voxel_entropy,
        error=error,
    )
    found = cascade.report(index[100:], truth[100:], error)
    assert found.error <= 0.05 < found.little_error
    assert 0 < found.share < 1


def test_a_target_out_of_reach_is_refused(digits: Parts, networks: tuple[nn.Module, nn.Module]) -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        fit_cascade(*networks, *digits["choose"], target_error=1e-4)


def test_misclassified_is_zero_or_one() -> None:
    found = zero_one_loss(torch.tensor([[2.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0]))
    assert found.tolist() == [0.0, 1.0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=3, max_size=3))
def test_doubts_follow_their_formulas(values: list[float]) -> None:
    logits = torch.tensor([values], dtype=torch.float64)
    z = np.array(values)
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    top = np.sort(p)[::-1]
    assert float(one_minus_probability(logits)) == pytest.approx(1 - top[0], abs=1e-9)
    assert float(one_minus_margin(logits)) == pytest.approx(1 - top[0] + top[1], abs=1e-9)
    assert float(class_entropy(logits)) == pytest.approx(
        -np.sum(p * np.log(np.maximum(p, 1e-300))) / np.log(3), abs=1e-9
    )
    s = 1 / (1 + np.exp(-z))
    bits = -(s * np.log2(s) + (1 - s) * np.log2(np.maximum(1 - s, 1e-300)))
    assert float(voxel_entropy(logits)) == pytest.approx(bits.mean(), abs=1e-6)


def test_entropies_of_dense_outputs_lie_between_sure_and_guessing() -> None:
    logits = torch.zeros(2, 4, 3, 3)
    logits[1, 0] = 1e4
    torch.testing.assert_close(class_entropy(logits), torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(
        voxel_entropy(torch.tensor([[0.0, 0.0], [500.0, -500.0]])), torch.tensor([1.0, 0])
    )
