"""The user's own networks: preferred, versioned, taken back, and never in the way."""

from __future__ import annotations

import json
import shutil
import stat
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trabecula.strategy.learned_steps import Learned
from trabecula.surrogate import (
    Card,
    Model,
    NetworkWarning,
    model_in_use,
    shipped_model,
    user_networks,
)

NAME = "corrector-3d"


@pytest.fixture
def base() -> Model:
    """What ships."""
    found = shipped_model("corrector", 3)
    assert found is not None
    return found


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Networks in use, in a folder of their own."""
    monkeypatch.setenv("TRABECULA_NETWORKS", "1")
    monkeypatch.setenv("TRABECULA_NETWORKS_DIR", str(tmp_path / "networks"))
    return tmp_path / "networks"


def installed(base: Model, **changes: object) -> Card:
    """One more version: the base's file, and its card but for the changes."""

    def write(part: Path) -> Card:
        story = {**base.card.story, "base": base.card.sha256}
        card = replace(base.card, **{"story": story, **changes})  # type: ignore[arg-type]
        (part / card.file).write_bytes(base.content)
        (part / "manifest.json").write_text(json.dumps({NAME: card.to_json()}))
        return card

    return user_networks.install(NAME, write)


def used() -> Model:
    """What is in use; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model_in_use("corrector", 3)
    assert found is not None
    return found


def test_the_newest_is_preferred_and_rolled_back_to_what_ships(kept: Path, base: Model) -> None:
    assert used() is base
    first, second = installed(base), installed(base)
    assert (first.label, second.label) == ("corrector-3d 0001", "corrector-3d 0002")
    assert used().card == second
    assert user_networks.roll_back(NAME) == ("0002", "0001")
    assert used().card == first
    assert user_networks.roll_back(NAME) == ("0001", "")
    assert used() is base
    with pytest.raises(ValueError, match="the one that ships is in use"):
        user_networks.roll_back(NAME)
    assert installed(base).version == "0003"
    assert [(v.number, v.withdrawn) for v in user_networks.versions(NAME)] == [
        ("0001", True),
        ("0002", True),
        ("0003", False),
    ]
    assert user_networks.names() == [NAME]
    assert user_networks.clear() == 3
    assert not kept.exists()
    assert used() is base


def test_a_solve_begins_with_what_is_in_use(kept: Path, base: Model) -> None:
    proposer = shipped_model("proposer", 3)
    assert proposer is not None
    card = installed(base)
    assert Learned.in_use(3).cards == (proposer.card, card)
    assert Learned.load(3).cards == (proposer.card,)


def test_it_can_be_switched_off(kept: Path, base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(base)
    monkeypatch.setenv("TRABECULA_NETWORKS", "off")
    assert used() is base


def test_it_is_kept_beside_the_history(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TRABECULA_NETWORKS_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_networks.folder() == tmp_path / "trabecula" / "networks"
    assert user_networks.names() == []
    assert user_networks.clear() == 0


def test_only_its_owner_can_read_it(kept: Path, base: Model) -> None:
    installed(base)
    (version,) = user_networks.versions(NAME)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in version.path.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(version.path.stat().st_mode) == 0o700


def without_file(path: Path) -> None:
    (path / "corrector-3d.onnx").unlink()


def cut(path: Path) -> None:
    file = path / "corrector-3d.onnx"
    file.write_bytes(file.read_bytes()[:1000])


def no_json(path: Path) -> None:
    (path / "manifest.json").write_text("{")


def another(path: Path) -> None:
    (path / "manifest.json").write_text("{}")


@pytest.mark.parametrize("damage", [without_file, cut, no_json, another, shutil.rmtree])
def test_a_damaged_one_is_passed_over_with_one_warning(
    kept: Path, base: Model, damage: Callable[[Path], None]
) -> None:
    installed(base)
    (version,) = user_networks.versions(NAME)
    damage(version.path)
    version.path.mkdir(exist_ok=True)
    with pytest.warns(NetworkWarning, match="your own corrector-3d is passed over") as told:
        assert model_in_use("corrector", 3) is base
    assert len(told) == 1
    assert "\n" not in str(told[0].message)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"story": {"base": "an older one"}}, "made from another network"),
        ({"channels": 11}, "other channels"),
        ({"patch": 4}, "other patch"),
        ({"settings": {"grey": 0.2}}, "other settings"),
    ],
    ids=["base", "channels", "patch", "settings"],
)
def test_one_that_does_not_fit_is_passed_over(
    kept: Path, base: Model, changes: dict[str, object], said: str
) -> None:
    installed(base, **changes)
    with pytest.warns(NetworkWarning, match=said):
        assert model_in_use("corrector", 3) is base


def test_one_that_answers_nonsense_is_passed_over(
    kept: Path, base: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(base)
    monkeypatch.setattr(Model, "logits", lambda self, fields: np.full((1, 8, 8, 8), np.nan))
    with pytest.warns(NetworkWarning, match="no usable answer"):
        assert model_in_use("corrector", 3) is base


def test_what_fails_to_be_written_leaves_nothing(kept: Path, base: Model) -> None:
    def write(part: Path) -> Card:
        (part / "half").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        user_networks.install(NAME, write)
    assert [path.name for path in (kept / NAME).iterdir()] == [".trabecula.json"]
    assert used() is base


def test_what_is_no_version_is_left_alone(kept: Path, base: Model) -> None:
    installed(base)
    (kept / NAME / "notes").mkdir()
    (kept / "a file").write_text("mine")
    assert len(user_networks.versions(NAME)) == 1
    assert user_networks.clear() == 1
    assert (kept / NAME / "notes").is_dir() and (kept / "a file").is_file()
