"""Codes of designs: any grid in, any grid out, exactly the volume asked for, images in the order of moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.surrogate.codes import latent
from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.problem import problems
from trabecula.starts import fill
from trabecula.storage.reading import UnreadableError
from trabecula.surrogate import (
    Cells,
    Latent,
    cards,
    coder,
    nearest,
)
from trabecula.surrogate.canonical import moves

SHAPES = {2: (9, 20), 3: (5, 9, 14)}
SIZES = {2: (4.0, 1.0), 3: (4.0, 2.0, 1.0)}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Latent]:
    folder = tmp_path_factory.mktemp("models")
    return {dimension: latent(folder, dimension) for dimension in (2, 3)}


def design(dimension: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(SHAPES[dimension])


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_code_has_the_same_length_for_any_grid(known: dict[int, Latent], dimension: int) -> None:
    one = known[dimension]
    for shape in (SHAPES[dimension], tuple(3 * n for n in SHAPES[dimension]), (1,) * dimension):
        code = one.encode(np.full(shape, 0.3), SIZES[dimension])
        assert code.shape == (one.numbers,) == (6,)
        assert code.dtype == np.float32
    assert one.dimension == dimension


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_finer_grid_of_the_same_design_has_the_same_code(known: dict[int, Latent], dimension: int) -> None:
    coarse = design(dimension)
    fine = np.kron(coarse, np.ones((2,) * dimension))
    found = [known[dimension].encode(x, SIZES[dimension]) for x in (coarse, fine)]
    np.testing.assert_allclose(*found, atol=1e-4)


def test_a_box_has_another_code_than_a_longer_one(known: dict[int, Latent]) -> None:
    x = design(3)
    cube, long = known[3].encode(x, (1, 1, 1)), known[3].encode(x, (4, 1, 1))
    assert not np.allclose(cube, long)
    np.testing.assert_array_equal(long, known[3].encode(x, (400, 100, 100)))  # in any unit
    np.testing.assert_array_equal(known[3].encode(x), known[3].encode(x, (14, 9, 5)))  # cubes, if not told


@pytest.mark.parametrize(("dimension", "turned"), [(2, True), (3, True), (3, False)])
def test_images_are_the_codes_of_the_moved_design(
    known: dict[int, Latent], dimension: int, turned: bool
) -> None:
    one, x, size = known[dimension], design(dimension), SIZES[dimension]
    found = one.images(x, size, turned)
    wanted = moves(dimension, turned)
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found[0], one.encode(x, size), atol=1e-5)
    for k in (1, len(wanted) - 1):
        order, flip = wanted[k]
        sides = tuple(np.array(size)[::-1][list(order)][::-1])
        alone = one.encode(np.flip(x.transpose(order), flip), sides)
        np.testing.assert_allclose(found[k], alone, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.98), st.sampled_from([2, 3]), st.integers(0, 9))
def test_what_is_decoded_has_exactly_the_volume(
    known: dict[int, Latent], volume: float, dimension: int, seed: int
) -> None:
    code = np.random.default_rng(seed).normal(size=6)
    found = known[dimension].decode(code, SHAPES[dimension], SIZES[dimension], volume)
    assert found.shape == SHAPES[dimension]
    assert found.mean(dtype=np.float64) == pytest.approx(volume, abs=1e-6)
    assert 0.0 <= found.min() <= found.max() <= 1.0


def test_codes_are_decoded_one_by_one_or_together(known: dict[int, Latent]) -> None:
    codes = np.random.default_rng(0).normal(size=(3, 6))
    together = known[2].decode(codes, (10, 30))
    assert together.shape == (3, 10, 30)
    for code, field in zip(codes, together, strict=True):
        np.testing.assert_allclose(known[2].decode(code, (10, 30)), field, atol=1e-6)
    with_volume = known[2].decode(codes, (10, 30), volume=0.4)
    np.testing.assert_allclose(with_volume.mean(axis=(1, 2)), 0.4, atol=1e-6)


def test_a_volume_shifts_every_logit_by_the_same(known: dict[int, Latent]) -> None:
    code = np.linspace(-1, 1, 6)
    logits = known[3].logits(code, SHAPES[3]).astype(np.float64)
    found = known[3].decode(code, SHAPES[3], volume=0.3).astype(np.float64)
    shift = np.log(found / (1 - found)) - logits
    assert np.ptp(shift) < 1e-4


def test_a_code_becomes_a_start_of_a_problem(known: dict[int, Latent]) -> None:
    discrete = discretise(problems.get("l_bracket", (40, 40)))
    chain = DesignChain(discrete, 1)
    logits = known[2].logits(np.zeros(6), discrete.grid.shape)
    start = fill(logits, 0.35, discrete, chain)
    assert chain.volume(chain.physical(start)) == pytest.approx(0.35, abs=1e-6)
    assert np.all(start[discrete.void] == 0)


def test_what_cannot_be_coded_is_refused(known: dict[int, Latent]) -> None:
    with pytest.raises(ValueError, match="designs in 3-D, not in 2-D"):
        known[3].encode(design(2))
    with pytest.raises(ValueError, match="not a number"):
        known[2].encode(np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match="has 6 numbers"):
        known[2].decode(np.zeros(5), (4, 4))
    with pytest.raises(ValueError, match="designs in 2-D"):
        known[2].logits(np.zeros(6), (4, 4, 4))
    with pytest.raises(ValueError, match="between 0 and 1"):
        known[2].decode(np.zeros(6), (4, 4), volume=1.5)


def test_a_folder_without_auto_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="encoder-2d"):
        Latent.load(2, tmp_path)


def test_the_nearest_image_counts() -> None:
    known = np.array([[0.0, 0.0], [5.0, 5.0], [1.0, 0.0]])
    index, distance = nearest(known, np.array([[9.0, 0.0], [5.0, 5.5]]), 2)
    assert index.tolist() == [1, 2]
    np.testing.assert_allclose(distance, [0.5, np.hypot(4, 5.5)])
    assert len(nearest(known, np.zeros(2), 9)[0]) == 3


@pytest.mark.parametrize("dimension", [2, 3])
def test_cells_differ_by_the_root_mean_square(dimension: int) -> None:
    cells = Cells(dimension)
    void, solid = np.zeros(SHAPES[dimension]), np.ones(SHAPES[dimension])
    (place,), (distance,) = nearest(np.stack([cells.encode(solid)]), cells.images(0.75 * solid), 1)
    assert place == 0
    assert cells.difference(distance) == pytest.approx(0.25)
    assert cells.difference(float(np.linalg.norm(cells.encode(void) - cells.encode(solid)))) == pytest.approx(
        1
    )


def test_a_mirrored_and_turned_design_is_the_same_to_its_images() -> None:
    x = design(3)
    moved = np.flip(x.transpose(2, 0, 1), (0, 2))
    _, (distance,) = nearest(Cells(3).encode(x)[None], Cells(3).images(moved), 1)
    assert distance == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("dimension", [2, 3])
def test_designs_are_coded_by_what_ships(dimension: int) -> None:
    found = coder(dimension)
    assert found.dimension == dimension
    assert isinstance(found, Latent) == (f"encoder-{dimension}d" in cards())
    assert found.label
