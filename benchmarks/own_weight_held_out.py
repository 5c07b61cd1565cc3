"""Problems with own weight that nothing was tuned on: other spans, supports, volumes and load cases.

They were written down before anything was tried on them; `benchmarks.own_weight_problems` has those on which
settings were chosen. Sizes are in metres, and a share is as there.
"""

from __future__ import annotations

from benchmarks.own_weight_loads import DENSITY, GRAVITY, loads

Tree = dict[str, object]


def _viaduct(share: float) -> Tree:
    """A long, low bridge with its deck at half height and bearings that may slide."""
    return {
        "domain": {"size": [30.0, 6.0], "elements": [120, 24]},
        "supports": [
            {"where": {"x": [0, 0.5], "y": 0}, "fix": ["x", "y"]},
            {"where": {"x": [29.5, 30], "y": 0}, "fix": ["y"]},
        ],
        "loads": loads({"y": 3}, (0.0, -1.0), share, 30.0 * 6.0 * 0.35),
        "regions": [{"where": {"y": [2.75, 3.25]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.35},
    }


def _balcony(share: float) -> Tree:
    """A slab that stands out of a wall, loaded along its top."""
    return {
        "domain": {"size": [6.0, 4.0], "elements": [60, 40]},
        "supports": [{"where": {"x": 0, "y": [0, 4]}, "fix": ["x", "y"]}],
        "loads": loads({"y": 4}, (0.0, -1.0), share, 6.0 * 4.0 * 0.25),
        "regions": [{"where": {"y": [3.8, 4]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.25},
    }


def _gate(share: float) -> Tree:
    """A portal on two feet, with a load on the middle of its lintel and an opening below."""
    return {
        "domain": {"size": [8.0, 8.0], "elements": [48, 48]},
        "supports": [{"where": {"y": 0, "x": x}, "fix": ["x", "y"]} for x in ([0, 1.5], [6.5, 8])],
        "loads": loads({"y": 8, "x": [3.5, 4.5]}, (0.0, -1.0), share, 8.0 * 8.0 * 0.2),
        "regions": [
            {"where": {"x": [2, 6], "y": [0, 5]}, "as": "void"},
            {"where": {"x": [3.5, 4.5], "y": [7.5, 8]}, "as": "solid"},
        ],
        "goal": {"minimize": "compliance", "volume": 0.2},
    }


def _culvert(share: float) -> Tree:
    """A cover between two walls with a load beside its middle."""
    return {
        "domain": {"size": [12.0, 5.0], "elements": [72, 30]},
        "supports": [{"where": {"x": x, "y": [0, 2]}, "fix": ["x", "y"]} for x in (0, 12)],
        "loads": loads({"y": 5, "x": [2, 4]}, (0.0, -1.0), share, 12.0 * 5.0 * 0.3),
        "regions": [{"where": {"x": [2, 4], "y": [4.5, 5]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }


def _crane(share: float) -> Tree:
    """A mast with a heavy block far to one side; the load acts in one of two cases."""
    weight = 8.0 * 10.0 * 0.2 * DENSITY * GRAVITY
    push = weight * (1.0 - share) / share if share < 1.0 else 0.05 * weight
    fall = {"gravity": [0, -GRAVITY]}
    return {
        "domain": {"size": [8.0, 10.0], "elements": [48, 60]},
        "supports": [{"where": {"y": 0, "x": [0, 3]}, "fix": ["x", "y"]}],
        "cases": [
            {"name": "empty", "weight": 0.5, "loads": [fall]},
            {
                "name": "loaded",
                "weight": 0.5,
                "loads": [fall, {"where": {"y": 8, "x": [7, 8]}, "force": [0, -push]}],
            },
        ],
        "regions": [{"where": {"x": [7, 8], "y": [8, 9]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.2},
    }


def _roof(share: float) -> Tree:
    """A roof on two walls, with snow on its left and on its right half in turn."""
    weight = 16.0 * 6.0 * 0.3 * DENSITY * GRAVITY
    push = weight * (1.0 - share) / share if share < 1.0 else 0.02 * weight
    sides = {"left": [0, 8], "right": [8, 16]}
    return {
        "domain": {"size": [16.0, 6.0], "elements": [96, 36]},
        "supports": [{"where": {"y": 0, "x": x}, "fix": ["x", "y"]} for x in ([0, 1], [15, 16])],
        "cases": [
            {
                "name": side,
                "weight": 0.5,
                "loads": [{"gravity": [0, -GRAVITY]}, {"where": {"y": 6, "x": x}, "force": [0, -push]}],
            }
            for side, x in sides.items()
        ],
        "regions": [{"where": {"y": [5.66, 6]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }


def _lamp(share: float) -> Tree:
    """A bar that hangs on a single place of the ceiling."""
    return {
        "domain": {"size": [8.0, 6.0], "elements": [64, 48]},
        "supports": [{"where": {"y": 6, "x": [3.5, 4.5]}, "fix": ["x", "y"]}],
        "loads": loads({"y": 0}, (0.0, -1.0), share, 8.0 * 6.0 * 0.2),
        "regions": [{"where": {"y": [0, 0.25]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.2},
    }


def _stair(share: float) -> Tree:
    """Landings below and above, and a load on a block half way up."""
    return {
        "domain": {"size": [6.0, 6.0], "elements": [48, 48]},
        "supports": [
            {"where": {"y": 0, "x": [0, 1]}, "fix": ["x", "y"]},
            {"where": {"x": 6, "y": [5, 6]}, "fix": ["x", "y"]},
        ],
        "loads": loads({"x": [2.5, 3.5], "y": 3.5}, (0.0, -1.0), share, 6.0 * 6.0 * 0.3),
        "regions": [{"where": {"x": [2.5, 3.5], "y": [3, 3.5]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }


def _canopy(share: float) -> Tree:
    """A square roof on one foot in its middle."""
    return {
        "domain": {"size": [8.0, 4.0, 8.0], "elements": [20, 10, 20]},
        "supports": [{"where": {"y": 0, "x": [3, 5], "z": [3, 5]}, "fix": ["x", "y", "z"]}],
        "loads": loads({"y": 4}, (0.0, -1.0, 0.0), share, 8.0 * 4.0 * 8.0 * 0.25),
        "regions": [{"where": {"y": [3.6, 4]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.25},
    }


def _footbridge(share: float) -> Tree:
    """A bridge in space with its deck below."""
    return {
        "domain": {"size": [20.0, 5.0, 5.0], "elements": [40, 10, 10]},
        "supports": [{"where": {"x": x, "y": [0, 0.5]}, "fix": ["x", "y", "z"]} for x in (0, 20)],
        "loads": loads({"y": 0, "x": [1, 19]}, (0.0, -1.0, 0.0), share, 20.0 * 5.0 * 5.0 * 0.25),
        "regions": [{"where": {"y": [0, 0.5]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.25},
    }


def _bracket(share: float) -> Tree:
    """A console with a block at its tip that is pushed down and aside in two cases."""
    weight = 4.0 * 2.0 * 2.0 * 0.2 * DENSITY * GRAVITY
    push = weight * (1.0 - share) / share if share < 1.0 else 0.02 * weight
    fall, block = {"gravity": [0, -GRAVITY, 0]}, {"x": [3.5, 4], "y": [0.5, 1], "z": [0.8, 1.2]}
    tip = {"x": 4, "y": [0.5, 1], "z": [0.8, 1.2]}
    return {
        "domain": {"size": [4.0, 2.0, 2.0], "elements": [24, 12, 12]},
        "supports": [{"where": {"x": 0}, "fix": ["x", "y", "z"]}],
        "cases": [
            {"name": "down", "weight": 0.7, "loads": [fall, {"where": tip, "force": [0, -push, 0]}]},
            {"name": "aside", "weight": 0.3, "loads": [fall, {"where": tip, "force": [0, 0, 0.3 * push]}]},
        ],
        "regions": [{"where": block, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.2},
    }


def _vault(share: float) -> Tree:
    """A street between two footings, loaded along its top."""
    return {
        "domain": {"size": [10.0, 5.0, 5.0], "elements": [28, 14, 14]},
        "supports": [{"where": {"y": 0, "x": x}, "fix": ["x", "y", "z"]} for x in ([0, 0.8], [9.2, 10])],
        "loads": loads({"y": 5}, (0.0, -1.0, 0.0), share, 10.0 * 5.0 * 5.0 * 0.2),
        "regions": [{"where": {"y": [4.64, 5]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.2},
    }


KINDS = {
    "viaduct": _viaduct,
    "balcony": _balcony,
    "gate": _gate,
    "culvert": _culvert,
    "crane": _crane,
    "roof": _roof,
    "lamp": _lamp,
    "stair": _stair,
    "canopy": _canopy,
    "footbridge": _footbridge,
    "bracket": _bracket,
    "vault": _vault,
}
