"""The measure of codes: exact where it must be, and complete on a data set of nothing but noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.latent import Components, Grid, PhysicalDesign, distances, fine, measure, rebuilding, recall
from tests.learning.latent.stored import sample
from tests.surrogate.codes import latent
from trabecula.learning.latent.designs import DesignSet
from trabecula.learning.store import FORMAT, shard_path, write_shard


def test_recall_counts_the_nearest_that_are_allowed() -> None:
    place = np.arange(12.0, dtype=np.float32)[:, None]
    true = distances(place)
    np.testing.assert_allclose(true, (place - place.T) ** 2, atol=1e-4)
    barred = np.eye(12, dtype=bool)
    assert recall(true, true, barred) == 1.0
    assert recall(3.0 * true, true, barred) == 1.0
    assert recall(-true, true, barred) < 0.5


def test_fine_designs_are_as_far_apart_as_their_root_mean_square() -> None:
    random = np.random.default_rng(0)
    a, b = (random.random((32, 64)) for _ in range(2))
    far = np.linalg.norm(fine(PhysicalDesign(a, (2, 1), 0)) - fine(PhysicalDesign(b, (2, 1), 0)))
    assert far == pytest.approx(np.sqrt(np.mean((a - b) ** 2)), rel=1e-5)


def test_a_design_of_the_small_grid_is_rebuilt_as_it_was() -> None:
    x = (np.random.default_rng(0).random((64, 64)) > 0.6).astype(float)
    dice, sharp, error = rebuilding(Grid(2), Grid(2), [PhysicalDesign(x, (1, 1), 0)])
    assert (dice, sharp) == pytest.approx((1.0, 1.0), abs=1e-5)
    assert error == pytest.approx(0.0, abs=1e-5)


def test_components_hold_designs_of_as_few_directions() -> None:
    random = np.random.default_rng(0)
    ways = random.random((3, 64, 64))
    made = np.einsum("nk,kyx->nyx", random.random((40, 3)) / 3, ways).astype(np.float16)
    designs = DesignSet(made, np.zeros((40, 2), np.float32), np.arange(40), np.zeros(40, np.int64))
    three = Components.of(designs, 3, moved=False)
    x = made[0].astype(np.float64)
    back = three.decode(three.encode(x), (64, 64), None, float(x.mean()))
    np.testing.assert_allclose(back, x, atol=2e-3)
    np.testing.assert_allclose(three.basis @ three.basis.T, np.eye(3), atol=1e-5)


def test_all_is_measured_on_a_data_set(tmp_path: Path) -> None:
    data, models = tmp_path / "data", tmp_path / "models"
    data.mkdir()
    info = {"format": FORMAT, "dimension": 2, "seed": 1, "settings": {}, "trabecula": "0"}
    (data / "dataset.json").write_text(json.dumps(info))
    for shard in (0, 9):
        write_shard(shard_path(data, shard), [sample(shard + k, seed=shard + k) for k in range(3)], [])
    latent(models, 2)
    figures, (table,) = measure(data, models, quick=False)
    assert table.rows[0][0] == "auto-encoder"
    assert [row[1] for row in table.rows][:4] == [6, 6, 6, 4096]
    for row in table.rows[:4]:
        assert all(0.0 <= float(cell or 0) <= 1.0 for cell in row[2:])
    exact = table.rows[3]
    assert exact[2] == pytest.approx(max(float(row[2] or 0) for row in table.rows[:4]))
    assert len(figures) == 2 and all(figure.met is not None for figure in figures)
