"""Past designs that look like one, by the codes of whatever ships or of what is given."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning.histories import result
from tests.surrogate.codes import latent
from trabecula.learning.history import Store, similar
from trabecula.results.result import Result
from trabecula.surrogate import Cells, Latent

PLENTY = 10**8


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "history", PLENTY)


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Latent:
    return latent(tmp_path_factory.mktemp("models"), 2)


def bar(low: int, height: float = 0.5, name: str = "") -> Result:
    """A result whose design is one bar, eight voxels from `low` on."""
    made = result(height, name or f"bar at {low}")
    density = np.zeros((12, 24), np.float32)
    density[:, low : low + 8] = 1.0
    return replace(made, density=density)


def test_the_most_alike_come_first_whatever_the_problem(store: Store, codes: Latent) -> None:
    for k, low in enumerate((0, 2, 4, 8)):
        store.keep(bar(low, k / 12))
    for by in (Cells(2), codes):
        found = similar(store, bar(0, 0.9), 3, by)
        assert [one.entry.name for one in found][:1] == ["bar at 0"]
        assert found[0].difference == pytest.approx(0.0, abs=1e-3)
        assert len(found) == 3
        assert sorted(one.difference for one in found) == [one.difference for one in found]
    exact = similar(store, bar(0, 0.9), 4, Cells(2))
    assert [one.entry.name for one in exact] == ["bar at 0", "bar at 2", "bar at 4", "bar at 8"]
    assert exact[2].difference == pytest.approx((8 / 24) ** 0.5, rel=0.02)  # edges blur a little


def test_a_mirror_image_is_alike(store: Store) -> None:
    store.keep(bar(16))
    (found,) = similar(store, bar(0, 0.9), 1, Cells(2))
    assert found.difference == pytest.approx(0.0, abs=1e-4)


def test_a_result_is_not_like_itself_but_like_a_better_one_of_its_problem(store: Store) -> None:
    store.keep(bar(3))
    assert similar(store, bar(3)) == []
    (found,) = similar(store, bar(5))
    assert found.entry.name == "bar at 3"


def test_codes_are_kept_beside_the_designs(
    store: Store, codes: Latent, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = store.keep(bar(0))
    assert entry is not None
    before = similar(store, bar(4, 0.9), 1, codes)
    path = store.place(entry) / f"{codes.label}.npy"
    assert path.stat().st_mode & 0o777 == 0o600
    assert np.load(path).shape == (codes.numbers,)
    monkeypatch.setattr(Latent, "encode", None)
    assert similar(store, bar(4, 0.9), 1, codes) == before
    assert store.entries() == [entry]


def test_a_changed_code_is_made_again_and_the_file_left_as_it_is(store: Store, codes: Latent) -> None:
    entry = store.keep(bar(0))
    assert entry is not None
    before = similar(store, bar(4, 0.9), 1, codes)
    path = store.place(entry) / f"{codes.label}.npy"
    path.write_bytes(b"nothing")
    assert similar(store, bar(4, 0.9), 1, codes) == before
    assert path.read_bytes() == b"nothing"


def test_designs_of_another_dimension_and_damaged_ones_are_left_out(store: Store) -> None:
    gone, there = store.keep(bar(0, 0.1)), store.keep(bar(4, 0.2))
    assert gone is not None and there is not None
    shutil.rmtree(store.place(gone))
    assert [one.entry.id for one in similar(store, bar(0, 0.9))] == [there.id]
    solid = replace(bar(0), density=np.zeros((4, 12, 24), np.float32))
    assert similar(store, solid, by=Cells(3)) == []


def test_an_empty_history_holds_nothing_alike(store: Store) -> None:
    assert similar(store, bar(0)) == []
