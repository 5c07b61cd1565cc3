"""Two files of half the size that say what the networks say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trabecula.learning.latent.network import AutoEncoder, Build
from trabecula.learning.latent.ship import ship
from trabecula.surrogate import cards, load_model

BUILD = Build(2, 5, width=4, patch=8)


def test_both_parts_ship_with_the_story_and_half_the_bytes(tmp_path: Path) -> None:
    network = AutoEncoder(BUILD).half().float().eval()
    encoder, decoder = ship(network, tmp_path, {"data": "none", "hours": 0.1})
    assert cards(tmp_path) == {"decoder-2d": decoder, "encoder-2d": encoder}
    assert (encoder.channels, encoder.answers, decoder.channels, decoder.answers) == (1, 5, 5, 1)
    assert encoder.story["hours"] == 0.1
    assert encoder.story["size"]["numbers"] == 5
    parameters = encoder.story["parameters"] + decoder.story["parameters"]
    size = sum((tmp_path / card.file).stat().st_size for card in (encoder, decoder))
    assert size < 2 * parameters + 25_000
    with torch.no_grad():
        fields, sides = torch.rand(4, BUILD.voxels, 8, 8), torch.rand(4, 2)
        codes, _ = network(fields, sides)
    found = load_model("encoder-2d", tmp_path).run({"fields": fields.numpy(), "aspects": sides.numpy()})
    np.testing.assert_allclose(found, codes.numpy(), atol=1e-5)


def test_weights_that_half_precision_cannot_hold_are_refused(tmp_path: Path) -> None:
    network = AutoEncoder(BUILD)
    with torch.no_grad():
        network.encoder.linear.weight[0, 0] = 1e5
    with np.errstate(over="ignore"), pytest.raises(RuntimeError, match="encoder-2d: the ONNX file differs"):
        ship(network, tmp_path, {})
    assert not cards(tmp_path)
