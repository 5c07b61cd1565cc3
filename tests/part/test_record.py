from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from trabecula.part import Part, PartCase, PartLimit
from trabecula.part.record import Peak

PART = Part(
    mask=np.ones((2, 2), dtype=bool),
    threshold=0.4,
    volume=0.5,
    mass=2.0,
    compliance=10.0,
    pieces=2,
    removed=0.03,
    cavities=1,
    loaded=0.7,
    held=True,
    cases=(
        PartCase("a", Peak(1e-3, (0.0, 1.0)), None, Peak(2e6, (0.5, 0.5)), 3.5, ((1.0, 2.0),), 0.7),
        PartCase("b", None, Peak(4.0), None, None, ((1.0,),), 1.0),
    ),
    limits=(PartLimit("volume", 0.5, 0.5, True),),
    free_supports=(2,),
    minimum_member=1e-3,
    minimum_gap=None,
    maximum_member=5e-3,
    overhang=0.25,
    resolution=1e-3,
)

KEYS = {
    *("threshold", "volume", "mass", "compliance", "pieces", "removed", "cavities", "loaded", "held"),
    *("minimum_member", "minimum_gap", "maximum_member", "overhang", "cases", "limits"),
}
"""What the contract names."""


def test_json_and_back_is_the_same() -> None:
    tree = json.loads(json.dumps(PART.to_json(), allow_nan=False))
    assert Part.from_json(tree, PART.mask).to_json() == tree
    assert set(tree) >= KEYS


def test_what_is_no_number_becomes_null_and_stays_unknown() -> None:
    tree = PART.to_json() | {"compliance": None}
    assert math.isnan(Part.from_json(tree, PART.mask).compliance)


def test_a_part_that_says_nothing_of_its_voxels_is_an_earlier_one() -> None:
    tree = PART.to_json() | dict.fromkeys(("minimum_member", "maximum_member", "overhang"))
    del tree["resolution"]
    earlier = Part.from_json(tree, PART.mask)
    assert (earlier.minimum_member, earlier.overhang, earlier.resolution) == (None, None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"pieces": 1.5},
        {"pieces": -1},
        {"held": 1},
        {"mass": "heavy"},
        {"mass": True},
        {"cases": {}},
        {"cases": [3]},
        {"limits": [{"name": "volume"}]},
        {"free_supports": ["one"]},
        {"minimum_member": "thin"},
        {"overhang": True},
        {"resolution": [1.0]},
        {"award": "gold"},
    ],
)
def test_what_is_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"part|cases|limits"):
        Part.from_json(PART.to_json() | change, PART.mask)
