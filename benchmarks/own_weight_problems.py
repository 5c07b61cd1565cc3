"""Problems with own weight: every share of the load, plates and solids, for `benchmarks.own_weight`.

A problem is a short name such as `cantilever-10`: what it is, and the share of its largest own weight (that
of all material it is allowed) in the whole load, in per cent.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks import own_weight_held_out
from benchmarks.own_weight_loads import DENSITY, GRAVITY, loads
from trabecula.problem import Problem, parse


def _deck(share: float) -> dict[str, object]:
    """A deck on two springings, its own weight and an even load on it: an arch."""
    return {
        "domain": {"size": [20.0, 10.0], "elements": [80, 40]},
        "supports": [
            {"where": {"x": 0, "y": [0, 1]}, "fix": ["x", "y"]},
            {"where": {"x": 20, "y": [0, 1]}, "fix": ["x", "y"]},
        ],
        "loads": loads({"y": 10}, (0.0, -1.0), share, 20.0 * 10.0 * 0.4),
        "regions": [{"where": {"y": [9.5, 10]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.4},
    }


def _hung(share: float) -> dict[str, object]:
    """The same deck below its springings: hangers, or an arch above."""
    return {
        **_deck(share),
        "supports": [
            {"where": {"x": 0, "y": [0, 1]}, "fix": ["x", "y"]},
            {"where": {"x": 20, "y": [0, 1]}, "fix": ["x", "y"]},
        ],
        "loads": loads({"y": 0, "x": [2, 18]}, (0.0, -1.0), share, 20.0 * 10.0 * 0.3),
        "regions": [{"where": {"y": [0, 0.5]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }


def _cantilever(share: float) -> dict[str, object]:
    """A wall bracket with a block at its tip."""
    return {
        "domain": {"size": [12.0, 6.0], "elements": [80, 40]},
        "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
        "loads": loads({"x": 12, "y": [2.6, 3.4]}, (0.0, -1.0), share, 12.0 * 6.0 * 0.4),
        "regions": [{"where": {"x": [11.4, 12], "y": [2.4, 3.6]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.4},
    }


def _column(share: float) -> dict[str, object]:
    """A platform on the ground, wider than tall."""
    return {
        "domain": {"size": [6.0, 10.0], "elements": [36, 60]},
        "supports": [{"where": {"y": 0, "x": [2, 4]}, "fix": ["x", "y"]}],
        "loads": loads({"y": 10}, (0.0, -1.0), share, 6.0 * 10.0 * 0.3),
        "regions": [{"where": {"y": [9.5, 10]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }


def _table(share: float) -> dict[str, object]:
    """A plate on four feet."""
    return {
        "domain": {"size": [8.0, 4.0, 8.0], "elements": [24, 12, 24]},
        "supports": [
            {"where": {"y": 0, "x": x, "z": z}, "fix": ["x", "y", "z"]}
            for x in ([0, 1], [7, 8])
            for z in ([0, 1], [7, 8])
        ],
        "loads": loads({"y": 4}, (0.0, -1.0, 0.0), share, 8.0 * 4.0 * 8.0 * 0.3),
        "regions": [{"where": {"y": [3.6, 4]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.3},
    }


def _beam(share: float) -> dict[str, object]:
    """A console in space with a block at its tip, beside its plane of symmetry."""
    return {
        "domain": {"size": [6.0, 3.0, 3.0], "elements": [24, 12, 12]},
        "supports": [{"where": {"x": 0}, "fix": ["x", "y", "z"]}],
        "loads": loads({"x": 6, "y": 1.5, "z": [1, 2]}, (0.0, -1.0, 0.0), share, 6.0 * 3.0 * 3.0 * 0.25),
        "regions": [{"where": {"x": [5.5, 6], "y": [1, 2], "z": [1, 2]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.25},
    }


def _storm(share: float) -> dict[str, object]:
    """A mast with wind from both sides, and its weight and a head in a case of their own."""
    weight = 6.0 * 10.0 * 0.3 * DENSITY * GRAVITY
    push = 0.2 * weight * (1.0 - share) / share if share < 1.0 else 0.2 * weight
    return {
        **_column(share),
        "loads": None,
        "cases": [
            {"name": "weight", "weight": 1.0, "loads": [{"gravity": [0, -GRAVITY]}]},
            {"name": "west", "weight": 0.5, "loads": [{"where": {"y": 10}, "force": [push, 0]}]},
            {"name": "east", "weight": 0.5, "loads": [{"where": {"y": 10}, "force": [-push, 0]}]},
        ],
    }


def _case(share: float) -> dict[str, object]:
    """A bridge under its own weight and that of a solid deck, as it was handed in: nothing else acts."""
    return {
        "domain": {"size": [20.0, 10.0], "elements": [100, 50]},
        "supports": [{"where": {"x": x, "y": [0, 1]}, "fix": ["x", "y"]} for x in (0, 20)],
        "loads": loads({"y": 10}, (0.0, -1.0), share, 20.0 * 10.0 * 0.4),
        "regions": [{"where": {"y": [9.6, 10]}, "as": "solid"}],
        "goal": {"minimize": "compliance", "volume": 0.4},
    }


KINDS = {
    "case": _case,
    "deck": _deck,
    "hung": _hung,
    "cantilever": _cantilever,
    "column": _column,
    "storm": _storm,
    "table": _table,
    "beam": _beam,
}

SHARES = (1, 3, 10, 30, 100)

NAMES = (*(f"{kind}-{share}" for kind in KINDS if kind != "case" for share in SHARES), "case-100")

HELD_OUT = tuple(f"{kind}-{share}" for kind in own_weight_held_out.KINDS for share in (20, 60, 100))


def make(name: str, projection: bool, scale: float = 1.0) -> Problem:
    """The problem of a name, on `scale` times as many voxels along every axis."""
    kind, share = name.split("-")
    build = (KINDS | own_weight_held_out.KINDS)[kind]
    tree = {key: value for key, value in build(int(share) / 100).items() if value is not None}
    domain = dict(tree["domain"])  # type: ignore[call-overload]
    domain["elements"] = [max(2, round(n * scale)) for n in domain["elements"]]
    problem = parse(
        {"trabecula": 1, "name": name, "material": "concrete", **tree, "domain": domain, "options": {}}
    )
    return replace(problem, options=replace(problem.options, projection=projection))
