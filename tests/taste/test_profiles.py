"""Profiles: private, the same after reading, exported, deleted; nothing of others is overwritten."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from trabecula.storage.mark import OwnershipError
from trabecula.storage.reading import UnreadableError
from trabecula.taste import (
    FEATURES,
    HOUSE,
    Pick,
    Place,
    TasteProfile,
    average_profiles,
    delete_profile,
    export_profile,
    load_profile,
    names,
    save_profile,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRABECULA_TASTE_DIR", str(tmp_path / "taste"))
    return tmp_path / "taste"


def make_profile(name: str = "me", seed: int = 0, count: int = 6) -> TasteProfile:
    random = np.random.default_rng(seed)
    places = [
        Place(
            random.standard_normal(len(FEATURES)).round(5), random.standard_normal(8).round(5), "encoder-2d"
        )
        for _ in range(8)
    ]
    picks = [Pick(tuple(places[k] for k in random.choice(8, 3, replace=False)), 1) for _ in range(count)]
    return TasteProfile(name, tuple(picks))


def test_a_profile_that_was_saved_and_read_ranks_the_same() -> None:
    profile = make_profile()
    places = [place for pick in make_profile(seed=3).picks for place in pick.shown]
    save_profile(profile)
    again = load_profile("me")
    assert np.array_equal(again.rank(places), profile.rank(places))
    assert names() == ("me",)


def test_profiles_are_readable_by_their_owner_only(folder: Path) -> None:
    path = save_profile(make_profile())
    assert path == folder / "me.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_profile_holds_choices_and_no_names(folder: Path) -> None:
    tree = json.loads(save_profile(make_profile()).read_text())
    assert set(tree) == {"trabecula_taste", "origin", "features", "coders", "choices"}
    assert set(tree["choices"][0]) == {"nicest", "weight", "shown"}
    assert set(tree["choices"][0]["shown"][0]) == {"features", "code", "coder"}


def test_a_deleted_profile_leaves_nothing(folder: Path) -> None:
    save_profile(make_profile())
    delete_profile("me")
    assert names() == () and not folder.exists()
    with pytest.raises(ValueError, match="no profile 'me'"):
        load_profile("me")
    with pytest.raises(ValueError, match="no profile 'me'"):
        delete_profile("me")


def test_files_of_others_are_neither_overwritten_nor_removed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "me.json").write_text("mine")
    with pytest.raises(OwnershipError):
        save_profile(make_profile())
    with pytest.raises(UnreadableError, match="by hand"):
        delete_profile("me")
    other = tmp_path / "mine.json"
    other.write_text("mine")
    with pytest.raises(OwnershipError):
        export_profile(make_profile(), other)
    assert (folder / "me.json").read_text() == other.read_text() == "mine"


def test_an_exported_profile_is_the_same_and_private(tmp_path: Path) -> None:
    export_profile(make_profile(), tmp_path / "away" / "me.json")
    path = tmp_path / "away" / "me.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert TasteProfile.read(path, "other").to_text() == make_profile().to_text()


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", ".json", "-a", HOUSE, "x" * 41])
def test_names_that_are_no_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        save_profile(make_profile(name))


@pytest.mark.parametrize(
    "change",
    [
        {"trabecula_taste": 2},
        {"features": ["beauty"]},
        {"choices": [{}]},
        {"choices": [{"nicest": 5, "weight": 1, "shown": []}]},
        {"choices": "many"},
        {"coders": [3]},
        {"more": 1},
    ],
)
def test_a_damaged_profile_is_one_sentence(folder: Path, change: dict[str, object]) -> None:
    path = save_profile(make_profile())
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UnreadableError):
        load_profile("me")


def test_an_average_counts_every_profile_for_the_same_and_holds_no_codes() -> None:
    few, many = make_profile("few", 1, 2), make_profile("many", 2, 10)
    both = average_profiles([few, many], "both")
    weights = [pick.weight for pick in both.picks]
    assert sum(weights[:2]) == pytest.approx(sum(weights[2:]))
    assert all(place.code is None for pick in both.picks for place in pick.shown)
    assert "average of 2" in both.origin
    with pytest.raises(ValueError, match="no choice"):
        average_profiles([few, TasteProfile("empty")], "both")


def test_the_taste_that_ships_says_that_it_is_no_persons() -> None:
    house = load_profile(HOUSE)
    assert "no person" in house.origin and "stated rules" in house.origin
    thick, thin = (Place(sign * np.eye(len(FEATURES))[0]) for sign in (2.0, -2.0))
    assert np.isfinite(house.rank([thick, thin])).all()
    assert all(place.code is None for pick in house.picks for place in pick.shown)
