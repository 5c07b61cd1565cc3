"""Small valid problem trees that tests bend until something is wrong."""

from __future__ import annotations

import copy
from typing import Any

PLATE: dict[str, Any] = {
    "trabecula": 1,
    "name": "plate",
    "domain": {"size": [6.0, 1.0], "elements": [24, 4], "thickness": 0.5},
    "material": {"young": 1.0, "poisson": 0.3},
    "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
    "loads": [{"where": {"x": 6}, "force": [0, -1]}],
    "goal": {"minimize": "compliance", "volume": 0.4},
}

BLOCK: dict[str, Any] = {
    "trabecula": 1,
    "name": "block",
    "domain": {"size": [4.0, 2.0, 1.0], "elements": [8, 4, 2]},
    "material": "steel",
    "supports": [{"where": {"x": 0}, "fix": ["x", "y", "z"]}],
    "loads": [{"where": {"x": 4}, "force": [0, -1, 0]}],
    "goal": {"minimize": "compliance", "volume": 0.4},
}

HEATED: dict[str, Any] = {
    "trabecula": 1,
    "domain": {"size": [1.0, 1.0], "elements": [4, 4]},
    "material": {"conductivity": 2.0},
    "supports": [{"where": {"x": 0}, "temperature": 20}],
    "loads": [{"where": "everywhere", "heat": 8}],
    "goal": {"minimize": "thermal_compliance", "volume": 0.5},
}

REMOVE = object()


def bent(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy of a tree with `a__0__b=value` set at a[0].b, or removed."""
    tree = copy.deepcopy(base)
    for path, value in changes.items():
        keys = [int(key) if key.isdigit() else key for key in path.split("__")]
        place: Any = tree
        for key in keys[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        if value is REMOVE:
            del place[keys[-1]]
        elif isinstance(place, list) and keys[-1] == len(place):
            place.append(value)
        else:
            place[keys[-1]] = value
    return tree
