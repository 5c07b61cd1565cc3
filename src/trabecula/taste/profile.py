"""The profile of a person: what was chosen, and nothing else of the person or of the problems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.storage.reading import CheckedRecord, UnreadableError, read_json
from trabecula.taste.choices import Pick, Place
from trabecula.taste.features import NAMES
from trabecula.taste.model import Taste, learn

Array = NDArray[np.float64]

FORMAT = 1
LARGEST, MOST = 64_000_000, 5_000
"""Bytes of a profile's file, and choices in one, at most."""

_LONGEST_CODE, _WIDEST = 4096, 64


@dataclass(frozen=True, eq=False)
class TasteProfile:
    """The taste of a person, or of several.

    Attributes
    ----------
    name
        What it is called on this machine.
    picks
        What was chosen, the oldest first.
    origin
        Where it comes from, if it is not one person's: the rules it was learned from, or what it averages.
    """

    name: str
    picks: tuple[Pick, ...] = ()
    origin: str = ""

    @cached_property
    def taste(self) -> Taste:
        """What the choices say."""
        return learn(self.picks)

    def add(self, *picks: Pick) -> TasteProfile:
        """The profile with further choices."""
        if len(self.picks) + len(picks) > MOST:
            raise ValueError(f"{self.name} would hold more than {MOST} choices; begin another profile")
        return replace(self, picks=(*self.picks, *picks))

    def rank(self, places: Sequence[Place]) -> Array:
        """Niceties of designs, float64 `[design]`; more is nicer, 1 more is odds of e to 1."""
        return self.taste.believe(places).mean

    def to_text(self) -> str:
        """The content of its file."""
        coders = sorted({place.coder for pick in self.picks for place in pick.shown})
        content = {
            "trabecula_taste": FORMAT,
            "origin": self.origin,
            "features": list(NAMES),
            "coders": coders,
            "choices": [
                {
                    "nicest": pick.nicest,
                    "weight": pick.weight,
                    "shown": [_to_json(place, coders) for place in pick.shown],
                }
                for pick in self.picks
            ],
        }
        return json.dumps(content, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path, name: str) -> TasteProfile:
        """A profile from its file.

        Raises
        ------
        UnreadableError
            If it is missing, damaged, or of another kind.
        """
        held = CheckedRecord(path, read_json(path, LARGEST, 20_000_000))
        held.only("trabecula_taste", "origin", "features", "coders", "choices")
        held.whole("trabecula_taste", FORMAT, FORMAT)
        if held.take("features", list) != list(NAMES):
            raise UnreadableError(path, f"is of other features than {', '.join(NAMES)}; begin a new profile")
        coders = held.take("coders", list)
        choices = held.take("choices", list)
        if len(choices) > MOST or not all(isinstance(coder, str) for coder in coders):
            raise UnreadableError(path, f"holds more than {MOST} choices, or an encoder that is no name")
        picks = tuple(_read_pick(path, each, coders) for each in choices)
        return cls(name, picks, held.text("origin", 4000))

    def __repr__(self) -> str:
        return f"<taste of {self.name}: {len(self.picks)} choices>"


def average_profiles(profiles: Sequence[TasteProfile], name: str, origin: str = "") -> TasteProfile:
    """A profile in which every one of several counts for the same, whatever the number of their choices.

    Codes are left out: they recognise single designs, which belong to one person's problems.

    Raises
    ------
    ValueError
        If there is none, or one without choices.
    """
    if not profiles:
        raise ValueError("profiles is empty; an average needs at least one")
    for profile in profiles:
        if not profile.picks:
            raise ValueError(f"{profile.name} holds no choice; an average needs some of every profile")
    mean = sum(len(profile.picks) for profile in profiles) / len(profiles)
    picks = []
    for profile in profiles:
        total = sum(pick.weight for pick in profile.picks)
        for pick in profile.picks:
            shown = tuple(Place(place.features) for place in pick.shown)
            picks.append(Pick(shown, pick.nicest, round(pick.weight * mean / total / len(profiles), 9)))
    return TasteProfile(name, tuple(picks), origin or f"the average of {len(profiles)} profiles")


def _to_json(place: Place, coders: list[str]) -> dict[str, Any]:
    return {
        "features": place.features.tolist(),
        "code": None if place.code is None else place.code.tolist(),
        "coder": coders.index(place.coder),
    }


def _read_pick(path: Path, values: object, coders: list[str]) -> Pick:
    held = CheckedRecord(path, values)
    held.only("nicest", "weight", "shown")
    shown = held.take("shown", list)
    if not 2 <= len(shown) <= _WIDEST:
        raise UnreadableError(path, f"holds a choice among {len(shown)} designs; it must be 2 to {_WIDEST}")
    weight = held.real("weight", 1e-9, 1e3)
    places = tuple(_read_place(path, each, coders) for each in shown)
    return Pick(places, held.whole("nicest", 0, len(shown) - 1), weight)


def _read_place(path: Path, values: object, coders: list[str]) -> Place:
    held = CheckedRecord(path, values)
    held.only("features", "code", "coder")
    features = _numbers(path, held.take("features", list))
    if len(features) != len(NAMES):
        raise UnreadableError(path, f"holds a design of {len(features)} features; it must be {len(NAMES)}")
    code = held.take("code", list, type(None))
    coder = coders[held.whole("coder", 0, len(coders) - 1)] if coders else ""
    return Place(features, None if code is None else _numbers(path, code), coder)


def _numbers(path: Path, values: list[object]) -> Array:
    if len(values) > _LONGEST_CODE:
        raise UnreadableError(path, f"holds a list of {len(values)} numbers; at most {_LONGEST_CODE} belong")
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e6 for v in values):
        raise UnreadableError(path, "holds a list with something that is no number below a million")
    return np.array(values, np.float64)
