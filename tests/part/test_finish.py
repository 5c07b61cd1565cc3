"""Where own weight acts, the part of a design may keep what is thin, and use more of what is allowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from tests.certificate.grids import cantilever
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.part.finish import choices, target_volume
from trabecula.part.threshold import Ranking
from trabecula.problem import parse


def plane(volume: float) -> DiscreteProblem:
    return replace(cantilever((16, 9), volume), gravity=np.array([[0.0, -1.0]]))


def frame(tie: float) -> np.ndarray:
    """Two chords of three voxels, less dense at their surfaces, a tie of one voxel, and a loaded edge."""
    density = np.zeros((9, 16), dtype=np.float32)
    density[:3], density[6:] = 1.0, 1.0
    density[2], density[6] = 0.92, 0.92
    density[3:6, 12], density[3:6, 15] = tie, 1.0
    return density


def test_a_thin_member_is_kept_at_the_cost_of_surfaces_where_the_volume_binds() -> None:
    density = frame(0.9)
    discrete = plane(float(density.mean()) - 0.5 / density.size)
    first, *others = choices(Ranking.of(discrete, density), density, target_volume(discrete, density))
    assert not first.mask[3:6, 12].all(), "the fault this is about"
    assert any(shape.mask[3:6, 12].all() for shape in others)
    assert all(shape.mask.sum() <= target_volume(discrete, density) for shape in (first, *others))


def test_a_grey_member_is_kept_whole_where_more_volume_is_allowed() -> None:
    density = frame(0.3)
    first, *others = choices(Ranking.of(plane(0.8), density), density, target_volume(plane(0.8), density))
    assert not first.mask[3:6, 12].all()
    assert any(np.array_equal(shape.mask, density > 0.0) for shape in others)


def test_a_crisp_design_that_uses_all_it_may_has_one_part_only() -> None:
    density = np.round(frame(1.0))
    discrete = plane(float(density.mean()))
    (only,) = choices(Ranking.of(discrete, density), density, target_volume(discrete, density))
    assert np.array_equal(only.mask, density > 0.5)


@pytest.mark.parametrize("force", [None, 5e5])
def test_the_part_of_a_design_with_own_weight_is_whole_nearly_as_stiff_and_confirmed(
    force: float | None,
) -> None:
    loads: list[dict[str, object]] = [{"gravity": [0, -9.81]}]
    if force is not None:
        loads.append({"where": {"y": 10}, "force": [0, -force]})
    problem = parse(
        {
            "trabecula": 1,
            "domain": {"size": [20.0, 10.0], "elements": [40, 20]},
            "material": "concrete",
            "supports": [{"where": {"x": x, "y": [0, 1]}, "fix": ["x", "y"]} for x in (0, 20)],
            "loads": loads,
            "regions": [{"where": {"y": [9.5, 10]}, "as": "solid"}],
            "goal": {"minimize": "compliance", "volume": 0.4},
            "options": {"projection": True},
        }
    )
    result = tb.solve(problem, start="uniform")
    part = result.part
    assert part is not None
    assert (part.pieces, part.held, part.loaded) == (1, True, 1.0)
    assert part.compliance < 1.1 * result.compliance
    assert part.volume <= 0.4 * (1.0 + 1e-5)
    assert np.array_equal(part.mask, part.mask[:, ::-1]), "as symmetric as the problem"
    again = result.check()
    assert not [check for check in again.checks if check.verdict == "differs"]
