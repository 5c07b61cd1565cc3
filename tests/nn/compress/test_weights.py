"""Unstructured pruning: which weights go, how many, and what fine-tuning may change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from trabecula.nn.compress import prune_weights, sparsity_of
from trabecula.nn.compress.weights import Scope


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 4, 10))


def weights(model: nn.Sequential) -> list[np.ndarray]:
    return [model[place].weight.detach().numpy().copy() for place in (0, 3)]


def test_the_smallest_weights_of_the_whole_network_become_zero() -> None:
    model = net()
    before = np.concatenate([each.ravel() for each in weights(model)])
    after = np.concatenate([each.ravel() for each in weights(prune_weights(model, 0.6))])
    limit = np.sort(np.abs(before))[round(0.6 * before.size) - 1]
    np.testing.assert_array_equal(after, np.where(np.abs(before) <= limit, 0, before))


def test_every_layer_loses_the_same_share_where_asked() -> None:
    pruned = prune_weights(net(), 0.75, scope="layer")
    assert [float((each == 0).mean()) for each in weights(pruned)] == pytest.approx([0.75, 0.75], abs=0.01)


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_steps_remove_much_first_and_little_at_the_end(scope: Scope) -> None:
    """Zhu and Gupta 2017, eq. 1."""
    seen: list[float] = []

    def look(model: nn.Module) -> None:
        seen.append(sparsity_of(model))

    prune_weights(net(), 0.8, scope=scope, steps=4, fine_tune=look)
    assert seen == pytest.approx([0.8 * (1 - (1 - t / 4) ** 3) for t in (1, 2, 3, 4)], abs=0.01)


def test_what_is_zero_stays_zero_through_fine_tuning() -> None:
    def train(model: nn.Module) -> None:
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            model(torch.ones(1, 2, 4, 4)).pow(2).sum().backward()
            optimiser.step()

    model = net()
    pruned = prune_weights(model, 0.5, steps=2, fine_tune=train)
    assert sparsity_of(pruned) == pytest.approx(0.5, abs=0.01)
    kept = pruned[0].weight != 0
    assert not torch.equal(pruned[0].weight[kept], model[0].weight[kept])


def test_the_original_stays_and_the_copy_is_ordinary() -> None:
    model = net()
    before = [each.copy() for each in weights(model)]
    pruned = prune_weights(model, 0.5)
    for old, new in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert dict(pruned.named_parameters()).keys() == dict(model.named_parameters()).keys()
    assert not list(pruned.named_buffers())
    assert sparsity_of(prune_weights(model, 0.0)) == 0.0


def test_layers_named_stay_whole() -> None:
    pruned = prune_weights(net(), 0.5, keep=["0"])
    assert float((pruned[0].weight == 0).float().mean()) == 0.0
    assert float((pruned[3].weight == 0).float().mean()) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("sparsity", "steps", "keep", "message"),
    [
        (1.0, 1, (), "below 1"),
        (-0.1, 1, (), "below 1"),
        (0.5, 0, (), "at least one step"),
        (0.5, 1, ("9",), "no layer is named 9"),
        (0.5, 1, ("0", "3"), "left to prune"),
    ],
)
def test_senseless_wishes_are_refused(
    sparsity: float, steps: int, keep: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        prune_weights(net(), sparsity, steps=steps, keep=keep)


def test_a_network_without_weights_has_no_zeros() -> None:
    assert sparsity_of(nn.ReLU()) == 0.0
