"""Files of torch: what is no tensor is refused before it can ask for anything."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from trabecula.learning.checkpoint import keep, restore, seconds_of
from trabecula.storage.reading import UnreadableError
from trabecula.storage.tensors import load_weights, read_tensors


def net(width: int = 3) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(width, 2)


def adam(network: nn.Module) -> torch.optim.Optimizer:
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return optimizer


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    network = net()
    keep(tmp_path / "a.checkpoint", "this", 7, 1.5, network, adam(network))
    return tmp_path / "a.checkpoint"


def test_a_training_comes_back_as_it_was(kept: Path) -> None:
    network, other = net(), net()
    optimizer, made = adam(network), torch.optim.AdamW(other.parameters())
    assert restore(kept, "this", other, made) == (7, 1.5)
    assert seconds_of(kept) == 1.5
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))
    states = (each.state_dict()["state"][0] for each in (optimizer, made))
    assert len({float(state["exp_avg"].sum()) for state in states}) == 1
    assert restore(kept.with_name("none"), "this", other, made) == (0, 0.0)


def test_half_precision_and_views_are_tensors_too(tmp_path: Path) -> None:
    state = {
        "a": torch.ones(3, dtype=torch.bfloat16),
        "b": torch.arange(6).view(2, 3).T,
        "c": nn.Parameter(torch.ones(2)),
    }
    torch.save(state, tmp_path / "a.pt")
    found = read_tensors(tmp_path / "a.pt")
    assert all(torch.equal(found[key], state[key]) for key in state)


def change(path: Path, **changes: object) -> None:
    state = torch.load(path, weights_only=True)
    for key, value in changes.items():
        if value is None:
            del state[key]
        else:
            state[key] = value
    torch.save(state, path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"asked": "that"}, "another recipe"),
        ({"step": -1}, "'step' is -1"),
        ({"step": "7"}, "where int belongs"),
        ({"seconds": float("nan")}, "'seconds' is nan"),
        ({"network": {}}, "does not fit the network"),
        ({"network": net(4).state_dict()}, "has the shape"),
        ({"network": {"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)}}, "NaN"),
        ({"network": [1]}, "no weights"),
        ({"optimizer": {}}, "no memory of an optimiser"),
        ({"optimizer": {"state": {9: {}}, "param_groups": []}}, "another optimiser"),
        ({"optimizer": None}, "does not hold 'optimizer'"),
        ({"more": 1}, "holds 'more'"),
    ],
)
def test_what_does_not_fit_a_training_is_refused(kept: Path, changes: dict[str, object], said: str) -> None:
    change(kept, **changes)
    network = net()
    with pytest.raises(UnreadableError, match=said):
        restore(kept, "this", network, torch.optim.AdamW(network.parameters()))


def test_memory_of_another_shape_is_refused(kept: Path) -> None:
    state = torch.load(kept, weights_only=True)
    state["optimizer"]["state"][0]["exp_avg"] = torch.zeros(1).expand(10**6, 10**3)
    torch.save(state, kept)
    network = net()
    with pytest.raises(UnreadableError, match="another optimiser"):
        restore(kept, "this", network, torch.optim.AdamW(network.parameters()))


class Calls:
    """Pickles to a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize(
    "call", [Calls(bytearray, 10**12), Calls(print, "x"), Calls(set, [1]), Calls(complex, 1)]
)
def test_no_call_in_a_pickle_is_made(tmp_path: Path, call: Calls) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"a": call}, protocol=2))
        archive.writestr("a/version", "3\n")
    with pytest.raises(UnreadableError, match="more than tensors"):
        read_tensors(tmp_path / "a.pt")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(UnreadableError, match="damaged or no file of torch"):
        read_tensors(path)
    torch.save({"a": torch.ones(300)}, path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:size])
        with pytest.raises(UnreadableError):
            read_tensors(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/data.pkl", bytes(1 << 20))
    with pytest.raises(UnreadableError, match="compressed"):
        read_tensors(path)


def test_weights_of_a_network_are_all_there() -> None:
    network = net()
    with pytest.raises(UnreadableError, match="'bias' is missing"):
        load_weights(Path("a.pt"), network, {"weight": torch.zeros(2, 3)})
    load_weights(Path("a.pt"), network, {"weight": torch.zeros(2, 3), "bias": torch.ones(2)})
    assert float(network(torch.ones(1, 3)).sum().detach()) == 2.0
