from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.surrogate.networks import model
from trabecula.storage.reading import UnreadableError
from trabecula.surrogate import cards, load_model, shipped_model
from trabecula.surrogate.model import FOLDER


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models")
    model(path, "corrector", 2, 1.0)
    return path


def fields(shape: tuple[int, ...] = (13, 22)) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((10, *shape)).astype(np.float32)


def test_a_network_runs_on_one_thread(folder: Path) -> None:
    found = load_model("corrector-2d", folder)
    once = found.logits(fields())
    assert once.shape == (1, 13, 22)
    assert np.any(once != 0)
    assert np.array_equal(once, found.logits(fields()))
    options = found._open_session().get_session_options()  # sums of more threads differ in the last digits
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


def test_a_file_that_was_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "corrector-2d.onnx").read_bytes())
    content[-1] ^= 1
    (tmp_path / "corrector-2d.onnx").write_bytes(bytes(content))
    with pytest.raises(UnreadableError, match="not the file its manifest speaks of"):
        load_model("corrector-2d", tmp_path)


def test_an_unknown_model_is_refused_with_those_there_are(folder: Path) -> None:
    with pytest.raises(UnreadableError, match="corrector-2d"):
        load_model("nonsense", folder)


def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"corrector-2d": 1}')
    with pytest.raises(UnreadableError, match="not a manifest"):
        cards(tmp_path)


def test_a_folder_without_models_has_none(tmp_path: Path) -> None:
    assert cards(tmp_path) == {}


def test_other_channels_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="takes 10 channels, not 3"):
        load_model("corrector-2d", folder).logits(np.zeros((3, 4, 4), np.float32))


def test_a_file_in_another_folder_cannot_be_named(folder: Path, tmp_path: Path) -> None:
    entry = json.loads((folder / "manifest.json").read_text())
    entry["corrector-2d"]["file"] = "../elsewhere.onnx"
    (tmp_path / "manifest.json").write_text(json.dumps(entry))
    with pytest.raises(UnreadableError, match="does not exist"):
        load_model("corrector-2d", tmp_path)


@pytest.mark.parametrize("name", sorted(cards()))
def test_what_ships_can_be_loaded_and_says_where_it_comes_from(name: str) -> None:
    card = load_model(name).card
    kind, _, dimension = name.rpartition("-")
    found = shipped_model(kind, int(dimension[0]))
    assert found is not None
    assert found.card == card
    assert {"data", "recipe", "hours", "limits", "opset", "parameters"} <= set(card.story)
    assert ("scale" if kind in ("encoder", "decoder") else "grey") in card.settings


def test_all_that_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.onnx")) <= 8 << 20
    assert {path.name for path in FOLDER.glob("*.onnx")} == {card.file for card in cards().values()}


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"grey": float("nan")}},
        {"settings": {"grey": 1e30}},
        {"settings": {"penalty": -3}},
        {"settings": {"grey": "half"}},
        {"settings": []},
        {"sha256": "abc"},
        {"sha256": None},
        {"dimension": 4},
        {"channels": -1},
        {"patch": 10**9},
        {"multiple": 2.5},
        {"story": "long"},
        {"file": 3},
        {"more": 1},
    ],
)
def test_a_card_that_does_not_fit_is_refused(folder: Path, tmp_path: Path, change: dict[str, object]) -> None:
    cards_there = json.loads((folder / "manifest.json").read_text())
    cards_there["corrector-2d"] |= change
    (tmp_path / "manifest.json").write_text(json.dumps(cards_there))
    with pytest.raises(UnreadableError, match="not a manifest"):
        cards(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07" * 50])
def test_a_file_that_is_no_network_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    there = json.loads((folder / "manifest.json").read_text())
    there["corrector-2d"]["sha256"] = hashlib.sha256(content).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(there))
    (tmp_path / "corrector-2d.onnx").write_bytes(content)
    with pytest.raises(UnreadableError, match="no network that runs"):
        load_model("corrector-2d", tmp_path).logits(fields())


@pytest.mark.parametrize("name", ["manifest.json", "corrector-2d.onnx"])
def test_a_pipe_is_no_network(folder: Path, tmp_path: Path, name: str) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(UnreadableError, match="is a pipe"):
        load_model("corrector-2d", tmp_path)
