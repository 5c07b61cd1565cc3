"""The same code for 2-D and 3-D."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trabecula.learning.latent.network import INNERMOST, AutoEncoder, Build
from trabecula.surrogate import pack
from trabecula.surrogate.canonical import SIDE


@pytest.mark.parametrize(("dimension", "places"), [(2, [16, 8, 4]), (3, [6, 3])])
def test_levels_go_down_to_a_few_places(dimension: int, places: list[int]) -> None:
    build = Build(dimension, width=4)
    assert build.places == places
    assert build.places[-1] <= INNERMOST
    assert build.widths == [4, 8, 16][: len(places)]


@pytest.mark.parametrize("dimension", [2, 3])
def test_codes_and_logits_have_their_shapes(dimension: int) -> None:
    build = Build(dimension, 5, width=4, depth=2)
    network = AutoEncoder(build)
    fields = torch.rand(3, build.voxels, *[build.places[0]] * dimension)
    codes, logits = network(fields, torch.zeros(3, dimension))
    assert codes.shape == (3, 5)
    assert logits.shape == fields.shape
    assert build.voxels * build.places[0] ** dimension == SIDE[dimension] ** dimension


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_linear_part_sees_means_whose_distances_are_root_mean_squares(dimension: int) -> None:
    encoder = AutoEncoder(Build(dimension, 5, width=4)).encoder
    half = SIDE[dimension] // 2
    fields = np.random.default_rng(0).random((2, *[half] * dimension)).astype(np.float32)
    whole = [np.kron(field, np.ones((2,) * dimension, np.float32)) for field in fields]
    packed = torch.from_numpy(np.stack([pack(one[None], 4, 1) for one in whole]))
    found = encoder.halve(packed).detach().numpy()
    for one, field in zip(found, fields, strict=True):
        np.testing.assert_allclose(np.sort(one) * len(one) ** 0.5, np.sort(field.ravel()), rtol=1e-5)
    distance = np.linalg.norm(found[0] - found[1])
    assert distance == pytest.approx(np.sqrt(np.mean((fields[0] - fields[1]) ** 2)), rel=1e-4)


def test_an_encoder_begins_as_the_linear_map_it_is_given() -> None:
    encoder = AutoEncoder(Build(2, 5, width=4)).encoder
    weight, middle = torch.randn(5, 1024), torch.rand(1024)
    encoder.begin(weight, middle)
    fields = torch.rand(3, 16, 16, 16)
    wanted = (encoder.halve(fields) - middle) @ weight.T
    torch.testing.assert_close(encoder(fields, torch.randn(3, 2)), wanted, rtol=1e-3, atol=1e-3)
