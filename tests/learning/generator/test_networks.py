"""The players of an adversarial training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trabecula.learning.generator.networks import Critic, Players, gradient_penalty
from trabecula.learning.network import Size


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_critic_scores_places_of_the_domain_alone(dimension: int) -> None:
    torch.manual_seed(0)
    critic = Critic(dimension, 5, 4, 2)
    voxels, places = 2**dimension, [8] * dimension
    fields, pair = torch.randn(3, 5 * voxels, *places), torch.rand(3, 2 * voxels, *places)
    inside = torch.ones(3, voxels, *places)
    inside[:, :, 4:] = 0.0
    scores, shares = critic(pair, fields, inside)
    assert scores.shape == shares.shape == (3, 2**dimension)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3))
    assert not shares[:, 2 ** (dimension - 1) :].any()


def test_the_layers_of_the_critic_have_spectral_norm_one() -> None:
    torch.manual_seed(0)
    critic = Critic(2, 5, 8, 2)
    fields, pair, inside = torch.randn(1, 20, 8, 8), torch.rand(1, 8, 8, 8), torch.ones(1, 4, 8, 8)
    for _ in range(100):  # of the power iteration
        critic(pair, fields, inside)
    for layer in critic.layers:
        norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        torch.testing.assert_close(norm, torch.ones(()), rtol=1e-2, atol=0.0)


def test_gradient_penalty_is_that_of_a_known_function() -> None:
    weight = torch.tensor([[1.0, 2.0, -2.0], [0.0, 3.0, 4.0]])
    pair = torch.randn(2, 3, requires_grad=True)
    linear = gradient_penalty((weight * pair).sum(1), pair, torch.ones(2))
    torch.testing.assert_close(linear, torch.tensor((9.0 + 25.0) / 2))
    square = gradient_penalty(pair.square().sum(1), pair, torch.tensor([2.0, 3.0]))
    wanted = (4.0 * pair.square().sum(1) * torch.tensor([2.0, 3.0])).mean()
    torch.testing.assert_close(square, wanted)
    (slope,) = torch.autograd.grad(square, pair)  # it can be trained through
    torch.testing.assert_close(slope, 4.0 * pair * torch.tensor([[2.0], [3.0]]))


def test_the_score_moves_designs_and_not_the_critic() -> None:
    torch.manual_seed(0)
    players = Players(2, 8, 5, Size(8), 4)
    pair = torch.rand(1, 8, 8, 8, requires_grad=True)
    players.score(pair, torch.randn(1, 20, 8, 8), torch.ones(1, 4, 8, 8)).sum().backward()
    assert pair.grad is not None
    assert pair.grad.abs().sum() > 0
    assert all(value.grad is None for value in players.critic.parameters())


def test_the_mean_follows_the_generator() -> None:
    players = Players(2, 8, 5, Size(8), 4)
    for value in players.average.parameters():
        nn.init.zeros_(value)
    for value in players.generator.parameters():
        nn.init.ones_(value)
    players.follow(0.75)
    players.follow(0.75)
    for value in players.average.parameters():
        torch.testing.assert_close(value, torch.full_like(value, 1.0 - 0.75**2))
