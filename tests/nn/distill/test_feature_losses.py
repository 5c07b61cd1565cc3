"""The losses on features against few lines of NumPy, with gradients, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.linalg import norm

from tests.nn.distill.toys import (
    Array,
    assert_same,
    class_batches,
    classifier,
    feature_loss,
    moment,
    pair_of,
    random,
)
from trabecula.nn.distill import (
    FSP,
    Attention,
    Factor,
    Hints,
    Relational,
)
from trabecula.nn.distill.attention import AttentionTerm
from trabecula.nn.distill.factor import FactorTerm, Paraphraser, encoder
from trabecula.nn.distill.fsp import FSPTerm, flow_matrix
from trabecula.nn.distill.hints import HintsTerm, make_regressor
from trabecula.nn.distill.relational import RelationalTerm

PAIR = pair_of(classifier(2), classifier(2), class_batches(count=1))
SPACES = [(4,), (3, 2), (2, 2, 2)]


def attention_map(feature: Array, power: float = 2.0) -> Array:
    q = (np.abs(feature) ** power).sum(axis=1).reshape(len(feature), -1)
    return np.asarray(q / norm(q, axis=1, keepdims=True))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("power", "p", "per_element"), [(2, 2, False), (1.5, 2, True), (2, 1, True)])
def test_attention_is_half_the_distance_of_normalised_maps(
    space: tuple[int, ...], power: float, p: float, per_element: bool
) -> None:
    teacher = random(3, 5, *space)
    term = AttentionTerm((("t", "s"),), Attention(power=power, p=p, per_element=per_element))

    def reference(feature: Array) -> float:
        distance = norm(attention_map(feature, power) - attention_map(teacher, power), p, axis=1).mean()
        return float(0.5 * distance / (np.prod(space) if per_element else 1))

    assert_same(feature_loss(term, teacher), reference, random(3, 2, *space, seed=1))


def test_attention_sees_neither_sign_nor_scale_nor_order_of_channels() -> None:
    teacher, feature = random(3, 5, 4, 4), torch.from_numpy(random(3, 2, 4, 4, seed=1))
    loss = feature_loss(AttentionTerm((("t", "s"),), Attention()), teacher)
    assert torch.allclose(loss(feature), loss(-3 * feature.flip(1)))
    assert torch.allclose(
        loss(feature), feature_loss(AttentionTerm((("t", "s"),), Attention()), -teacher)(feature)
    )


def test_attention_of_the_same_features_is_zero_with_a_gradient_of_zero() -> None:
    teacher = random(2, 3, 4, 4)
    feature = torch.from_numpy(teacher.copy()).requires_grad_(True)
    loss = feature_loss(AttentionTerm((("t", "s"),), Attention()), teacher)(feature)
    (gradient,) = torch.autograd.grad(loss, feature)
    assert loss == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_attention_of_unequal_sizes_averages_the_larger() -> None:
    teacher = random(2, 3, 4, 4)
    pooled = (teacher**2).sum(axis=1).reshape(2, 2, 2, 2, 2).mean(axis=(2, 4)).reshape(2, -1)
    q = pooled / norm(pooled, axis=1, keepdims=True)
    term = AttentionTerm((("t", "s"),), Attention(per_element=False))

    def reference(feature: Array) -> float:
        return float(0.5 * norm(attention_map(feature) - q, axis=1).mean())

    assert_same(feature_loss(term, teacher), reference, random(2, 2, 2, 2, seed=1))


@pytest.mark.parametrize("space", [*SPACES, ()])
def test_hints_are_half_the_squared_distance_after_a_regressor(space: tuple[int, ...]) -> None:
    teacher, at = random(2, 4, *space), random(2, 3, *space, seed=1)
    regressor = make_regressor(torch.from_numpy(at), torch.from_numpy(teacher)).double()
    weight = next(regressor.parameters()).detach().numpy().reshape(4, 3)
    bias = list(regressor.parameters())[1].detach().numpy()
    term = HintsTerm("t", "s", regressor, PAIR, Hints())

    def reference(feature: Array) -> float:
        guess = np.einsum("oc,bc...->bo...", weight, feature) + bias.reshape(1, -1, *(1,) * len(space))
        return float(0.5 * ((teacher - guess) ** 2).sum() / 2)

    assert_same(feature_loss(term, teacher), reference, at)


def test_the_regressor_maps_sizes_as_the_paper_says() -> None:
    guided, hint = torch.zeros(1, 3, 7, 5), torch.zeros(1, 6, 4, 5)
    regressor = make_regressor(guided, hint)
    assert regressor(guided).shape == hint.shape
    assert tuple(next(regressor.parameters()).shape[2:]) == (4, 1)
    with pytest.raises(ValueError, match="as many places or more"):
        make_regressor(hint, guided)
    with pytest.raises(ValueError, match="as many places or more"):
        make_regressor(guided, torch.zeros(1, 3, 4))


@pytest.mark.parametrize("space", SPACES)
def test_fsp_is_the_squared_distance_of_gram_matrices(space: tuple[int, ...]) -> None:
    first, second = random(2, 3, *space), random(2, 2, *space, seed=2)
    fixed = random(2, 2, *space, seed=3)
    term = FSPTerm([("a", "b")], [("c", "d")], PAIR, FSP())

    def gram(f: Array, g: Array) -> Array:
        places = np.prod(space)
        return np.asarray(
            np.einsum("bis,bjs->bij", f.reshape(2, -1, places), g.reshape(2, -1, places)) / places
        )

    def reference(feature: Array) -> float:
        return float(((gram(first, second) - gram(feature, fixed)) ** 2).sum() / 2)

    assert_same(
        lambda f: term(moment(features=({"a": first, "b": second}, {"c": f, "d": torch.from_numpy(fixed)}))),
        reference,
        random(2, 3, *space, seed=1),
    )


def test_fsp_pools_the_larger_layer_by_its_maxima() -> None:
    first, second = random(1, 2, 4, 4), random(1, 3, 2, 2)
    pooled = first.reshape(1, 2, 2, 2, 2, 2).max(axis=(3, 5)).reshape(1, 2, 4)
    expected = np.einsum("bis,bjs->bij", pooled, second.reshape(1, 3, 4)) / 4
    np.testing.assert_allclose(
        flow_matrix(torch.from_numpy(first), torch.from_numpy(second)).numpy(), expected
    )


@pytest.mark.parametrize(("p", "per_element"), [(1, True), (2, False)])
def test_factors_are_compared_normalised(p: float, per_element: bool) -> None:
    torch.manual_seed(0)
    paraphraser, translator = Paraphraser(2, 4, 2).double(), encoder(2, 3, 2).double()
    teacher = random(2, 4, 3, 3)
    settings = Factor(p=p, per_element=per_element)
    term = FactorTerm(("t", "s"), (3, 3), paraphraser, translator, PAIR, settings)

    def unit(factor: torch.Tensor) -> Array:
        flat = factor.detach().numpy().reshape(2, -1)
        return np.asarray(flat / norm(flat, axis=1, keepdims=True))

    def reference(feature: Array) -> float:
        a, b = (
            unit(paraphraser.encode(torch.from_numpy(teacher))),
            unit(translator(torch.from_numpy(feature))),
        )
        return float((np.abs(a - b) ** p).sum(axis=1).__pow__(1 / p).mean() / (18 if per_element else 1))

    assert_same(feature_loss(term, teacher), reference, random(2, 3, 3, 3, seed=1), tolerance=1e-5)


def test_factors_do_not_see_the_scale_of_what_they_compare() -> None:
    term = FactorTerm(("t", "s"), (2,), Paraphraser(1, 2, 2), torch.nn.Identity(), PAIR, Factor())
    term.paraphraser.encode = torch.nn.Identity()  # type: ignore[assignment]
    teacher, feature = random(3, 2, 2), torch.from_numpy(random(3, 2, 2, seed=1))
    assert torch.allclose(feature_loss(term, teacher)(feature), feature_loss(term, 5 * teacher)(2 * feature))


def huber(a: Array, b: Array) -> Array:
    d = np.abs(a - b)
    return np.where(d <= 1, 0.5 * d**2, d - 0.5)


def distance_reference(teacher: Array, student: Array) -> float:
    def psi(points: Array) -> Array:
        d = np.array([norm(a - b) for i, a in enumerate(points) for j, b in enumerate(points) if i != j])
        return np.asarray(d / d.mean())

    return float(huber(psi(teacher), psi(student)).mean())


def angle_reference(teacher: Array, student: Array) -> float:
    def psi(points: Array) -> Array:
        n = range(len(points))
        return np.array(
            [
                np.dot(points[i] - points[j], points[k] - points[j])
                / (norm(points[i] - points[j]) * norm(points[k] - points[j]))
                for i in n
                for j in n
                for k in n
                if len({i, j, k}) == 3
            ]
        )

    return float(huber(psi(teacher), psi(student)).mean())


@pytest.mark.parametrize(("distance", "angle"), [(25.0, 0.0), (0.0, 50.0), (1.0, 2.0)])
def test_relations_are_hubers_of_distances_and_angles(distance: float, angle: float) -> None:
    teacher = random(5, 4) * np.array(
        [[1], [1], [8], [1], [1]]
    )  # far enough for the straight part of Huber's loss
    term = RelationalTerm(("t", "s"), distance, angle)

    def reference(points: Array) -> float:
        return distance * distance_reference(teacher, points) + angle * angle_reference(teacher, points)

    assert_same(feature_loss(term, teacher), reference, random(5, 3, seed=1), tolerance=1e-5)


def test_relations_do_not_see_scale_rotation_shift_or_the_dimension() -> None:
    teacher, points = random(6, 4), random(6, 3, seed=1)
    loss = feature_loss(RelationalTerm(("t", "s"), 25.0, 50.0), teacher)
    rotation, _ = np.linalg.qr(random(3, 3, seed=2))
    value = loss(torch.from_numpy(points))
    assert torch.allclose(value, loss(torch.from_numpy(7.0 * points @ rotation + 3.0)))
    embedded = np.concatenate([points, np.zeros((6, 2))], axis=1)
    assert torch.allclose(value, loss(torch.from_numpy(embedded)))
    assert loss(torch.from_numpy(0.1 * teacher)) == pytest.approx(0, abs=1e-20)


def test_relations_stay_finite_for_points_that_coincide() -> None:
    loss = feature_loss(RelationalTerm(("t", "s"), 25.0, 50.0), random(4, 3))
    for points in (torch.zeros(4, 2, dtype=torch.float64), torch.ones(4, 2, dtype=torch.float64).cumsum(0)):
        points[1] = points[0]
        points.requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(points), points)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("count", [1, 2])
def test_relations_of_one_or_two_examples_are_those_there_are(count: int) -> None:
    loss = feature_loss(RelationalTerm(("t", "s"), 25.0, 50.0), random(count, 3))
    assert loss(torch.from_numpy(random(count, 2, seed=1)).requires_grad_(True)).item() == pytest.approx(0)


def test_relations_of_features_in_space_are_those_of_their_means() -> None:
    teacher, feature = random(5, 3, 2, 4), random(5, 2, 3, 3, seed=1)
    term = RelationalTerm(("t", "s"), 25.0, 50.0)
    spatial = feature_loss(term, teacher)(torch.from_numpy(feature))
    flat = feature_loss(term, teacher.mean(axis=(2, 3)))(torch.from_numpy(feature.mean(axis=(2, 3))))
    assert torch.allclose(spatial, flat)


@pytest.mark.parametrize("weights", [(0.0, 0.0), (-1.0, 2.0)])
def test_one_of_distance_and_angle_must_weigh_something(weights: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="one is more"):
        Relational(distance=weights[0], angle=weights[1])
