"""One measure of the domain on every grid, whoever asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trabecula
from tests.problem.plates import PLATE, bent
from trabecula.certificate import certify
from trabecula.certificate.bound import OVERFULL, lower_bound
from trabecula.design import DesignChain
from trabecula.discretisation import (
    DiscreteProblem,
    coarsen,
    discretise,
    prepare,
)
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.optimize.analysis import Analysis
from trabecula.problem import Problem, parse
from trabecula.responses.volume import Volume

SOURCE = Path(trabecula.__file__).parent
FINE, COARSE = (90, 60), (45, 30)


def perforated(volume: float, **options: Any) -> Problem:
    """A plate with a solid band and a lattice of holes whose edges no coarser grid can follow."""
    holes = [
        {"where": {"sphere": {"center": [0.25 + 0.5 * i, 0.25 + 0.5 * j], "radius": 0.2}}, "as": "void"}
        for i in range(6)
        for j in (0, 2, 3)
    ]
    return parse(
        {
            "trabecula": 1,
            "name": "perforated",
            "domain": {"size": [3.0, 2.0], "elements": list(FINE)},
            "material": {"young": 1.0, "poisson": 0.3},
            "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
            "loads": [{"where": {"x": 3}, "force": [0, -1]}],
            "regions": [{"where": {"y": [0.5, 1.0]}, "as": "solid"}, *holes],
            "goal": {"minimize": "compliance", "volume": volume},
            "options": options,
        }
    )


def barely_enough() -> float:
    """A volume that passive solid leaves room in on the fine grid, and none in on the coarse one."""
    discrete, _ = prepare(perforated(0.9))
    coarse = coarsen(discrete, COARSE)
    volume = (discrete.solid_fraction + coarse.solid_fraction) / 2
    assert discrete.solid_fraction < volume < coarse.solid_fraction
    return volume


def test_a_partly_void_voxel_counts_its_share() -> None:
    fine = discretise(parse(bent(PLATE, regions=[{"where": {"y": [0, 0.75]}, "as": "void"}])))
    coarse = coarsen(fine, (24, 2))
    assert fine.domain_volume == 24
    assert coarse.domain_volume == 12  # 24 voxels, half of each
    assert coarse.domain_volume * coarse.grid.element_volume == fine.domain_volume * fine.grid.element_volume


def test_passive_solid_takes_its_share_of_what_is_not_void() -> None:
    regions = [{"where": {"y": [0, 0.5]}, "as": "void"}, {"where": {"y": [0.75, 1]}, "as": "solid"}]
    discrete = discretise(parse(bent(PLATE, regions=regions)))
    assert discrete.solid_fraction == 0.5
    assert discretise(parse(PLATE)).solid_fraction == 0.0


@pytest.mark.parametrize("elements", [FINE, COARSE, (37, 29)])
def test_everybody_measures_a_design_alike(elements: tuple[int, int]) -> None:
    discrete = coarsen(discretise(perforated(0.9)), elements)
    assert elements == FINE or ((discrete.upper > 0) & (discrete.upper < 1)).any()
    density = np.clip(0.7, discrete.lower, discrete.upper)
    expected = density.sum() / discrete.upper.sum()
    assert discrete.volume_fraction(density) == expected
    assert DesignChain(discrete).volume(density) == expected
    assert certify.volume_fraction(discrete, density) == expected
    at = Analysis(discrete).measure(density, 1.0)
    at.physical[:] = density
    assert Volume().value(at) == expected


def test_nobody_but_the_problem_measures_the_domain() -> None:
    pattern = re.compile(r"upper\.sum\(|total\([a-z.]*upper|count_nonzero\([^)]*upper")
    found = [path.name for path in SOURCE.rglob("*.py") if pattern.search(path.read_text())]
    assert found == ["discrete.py"]


def test_a_coarse_grid_without_room_for_passive_solid_is_not_used() -> None:
    discrete, _ = prepare(perforated(barely_enough()))
    with pytest.raises(ValueError, match="passive solid takes more than the volume"):
        coarsen(discrete, COARSE)
    assert [grid.grid.elements for grid in grid_hierarchy(discrete)] == [FINE]


@pytest.mark.parametrize("start", ["classical", "uniform", "coarse", "learned"])
@pytest.mark.parametrize("penalty", [1.0, 3.0])
def test_the_proof_follows_where_only_the_fine_grid_has_room(start: str, penalty: float) -> None:
    volume = barely_enough()
    problem = perforated(volume, penalty=penalty, filter={"kind": "sensitivity"})
    searched = {"proposals": 2} if start in ("coarse", "learned") else {}
    result = trabecula.solve(problem, start=start, iterations=2, threads=1, **searched)
    assert result.volume <= volume * (1 + 1e-6)
    assert result.certificate.lower_bound is not None
    assert 0 < result.certificate.lower_bound <= result.compliance


def test_where_nothing_fits_there_is_no_bound_and_the_reason_is_said() -> None:
    overfull: DiscreteProblem = discretise(perforated(0.2))
    bound = lower_bound(overfull, [np.zeros(load.shape) for load in overfull.loads])
    assert bound.value is None
    assert bound.reason == OVERFULL
