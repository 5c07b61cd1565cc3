"""What outputs mean: losses against NumPy, errors, ensembles."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.nn.distill.toys import Array, assert_same, output_loss, random
from trabecula.nn.distill import CLASSES, DENSITIES, Ensemble
from trabecula.nn.distill.logits import LogitsTerm, channels_last
from trabecula.nn.distill.soft_targets import SoftTargets, SoftTargetsTerm


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


@pytest.mark.parametrize("tau", [1.0, 4.0])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2, 2), (1, 2, 2, 1, 2)])
def test_soft_targets_are_tau_squared_kl_of_softmax(tau: float, shape: tuple[int, ...]) -> None:
    teacher = random(*shape)

    def reference(z: Array) -> float:
        p, q = softmax(teacher / tau), softmax(z / tau)
        return float(tau**2 * (p * np.log(p / q)).sum(axis=1).mean())

    assert_same(output_loss(SoftTargetsTerm(tau), teacher), reference, random(*shape, seed=1))


@pytest.mark.parametrize("shape", [(2, 1, 3, 2), (2, 1, 2, 2, 2)])
def test_dense_soft_targets_are_the_bernoulli_kl_of_every_voxel(shape: tuple[int, ...]) -> None:
    teacher, tau = 2 * random(*shape), 3.0

    def reference(z: Array) -> float:
        p, q = sigmoid(teacher / tau), sigmoid(z / tau)
        return float(tau**2 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean())

    assert_same(output_loss(SoftTargetsTerm(tau, DENSITIES), teacher), reference, random(*shape, seed=1))


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 2, 2)])
def test_logits_are_compared_by_half_their_squared_distance(shape: tuple[int, ...]) -> None:
    teacher, spread = random(*shape), np.array([0.5, 1.0, 2.0])

    def reference(z: Array) -> float:
        scaled = (z - teacher) / spread.reshape(1, 3, *(1,) * (len(shape) - 2))
        return float(0.5 * (scaled**2).sum(axis=1).mean())

    assert_same(output_loss(LogitsTerm(torch.from_numpy(spread)), teacher), reference, random(*shape, seed=1))


def test_the_loss_of_classes_does_not_see_a_shift_of_all_logits() -> None:
    teacher, z = random(4, 5), torch.from_numpy(random(4, 5, seed=1))
    loss = output_loss(SoftTargetsTerm(2.0), teacher)
    shifted = output_loss(SoftTargetsTerm(2.0), teacher + 3.0)
    assert torch.allclose(loss(z), loss(z + torch.arange(4.0).unsqueeze(1)))
    assert torch.allclose(loss(z), shifted(z))


def test_divergences_are_zero_only_at_the_teacher() -> None:
    for output in (CLASSES, DENSITIES):
        z = torch.from_numpy(random(3, 4))
        same = output.divergence(z, z, 2.0)
        assert torch.allclose(same, torch.zeros_like(same), atol=1e-12)
        assert (output.divergence(z, z.flip(1), 2.0) > 0).all()


def test_divergences_stay_finite_for_extreme_logits() -> None:
    teacher = torch.tensor([[500.0, -500.0]])
    for output in (CLASSES, DENSITIES):
        student = -teacher.clone().requires_grad_(True)
        loss = output.divergence(teacher, student, 1.0).sum()
        (gradient,) = torch.autograd.grad(loss, student)
        assert torch.isfinite(loss)
        assert torch.isfinite(gradient).all()


def test_the_gradient_keeps_its_size_when_the_temperature_is_high() -> None:
    """Hinton et al. 2015, section 2.1: the gradient tends to that of half the squared distance."""
    teacher = random(6, 4)
    z = torch.from_numpy(random(6, 4, seed=1)).requires_grad_(True)
    (soft,) = torch.autograd.grad(output_loss(SoftTargetsTerm(1000.0), teacher)(z), z)
    a, b = (v - v.mean(dim=1, keepdim=True) for v in (z.detach(), torch.from_numpy(teacher)))
    assert torch.allclose(soft, (a - b) / (4 * 6), rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan")])
def test_a_temperature_must_be_above_zero(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        SoftTargets(temperature)


def test_errors_are_shares_of_wrong_classes_and_distances_of_densities() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0], [0.0, 1.0]])
    assert CLASSES.error(logits, torch.tensor([0, 1, 1, 1])) == 0.25
    assert DENSITIES.error(torch.zeros(2, 1, 2), torch.ones(2, 1, 2)) == 0.5


def test_an_ensemble_averages_probabilities() -> None:
    members = [torch.nn.Linear(3, 4).double() for _ in range(3)]
    x = torch.from_numpy(random(5, 3))
    each = [member(x) for member in members]
    mean = torch.stack([z.softmax(dim=1) for z in each]).mean(dim=0)
    assert torch.allclose(Ensemble(members)(x).softmax(dim=1), mean)
    assert torch.allclose(Ensemble(members)(x).exp(), mean)
    dense = torch.stack([z.sigmoid() for z in each]).mean(dim=0)
    ensemble = Ensemble(members, DENSITIES)
    assert torch.allclose(ensemble(x).sigmoid(), dense)
    assert torch.allclose(ensemble.spread(x), torch.stack(each).std(dim=0, correction=0))
    with pytest.raises(ValueError, match="at least one"):
        Ensemble([])


def test_an_output_without_channels_has_one() -> None:
    assert channels_last(torch.zeros(4)).shape == (4, 1)
    assert channels_last(torch.zeros(4, 3, 2, 5)).shape == (40, 3)
