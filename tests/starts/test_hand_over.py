from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from trabecula.design import DesignChain, Schedule
from trabecula.discretisation import discretise
from trabecula.discretisation.resample import resample
from trabecula.problem import problems
from trabecula.problem.model import Goal
from trabecula.starts import HalfGrey


def coarse_design(shape: tuple[int, ...], volume: float) -> np.ndarray:
    x = np.random.default_rng(0).random(shape)
    return np.asarray((x < np.quantile(x, volume)).astype(float))


@pytest.mark.parametrize(("elements", "coarse"), [((24, 12), (6, 12)), ((8, 6, 4), (2, 3, 4))])
def test_the_start_is_half_grey_and_keeps_the_volume(
    elements: tuple[int, ...], coarse: tuple[int, ...]
) -> None:
    problem = cantilever(elements, volume=0.25)
    design = coarse_design(coarse, 0.25)
    x, schedule = HalfGrey().start(design, problem, DesignChain(problem, 1))
    assert x.shape == problem.grid.shape
    assert x.mean() == pytest.approx(design.mean() / 2 + 0.125)
    np.testing.assert_allclose(x, 0.5 * resample(design, problem.grid.shape) + 0.125)
    assert schedule == Schedule(1.5, 3.0, 10)


@pytest.mark.parametrize("elements", [(37, 23), (23, 11, 7)])
def test_volume_is_nearly_kept_where_grids_do_not_divide(elements: tuple[int, ...]) -> None:
    problem = cantilever(elements, volume=0.3)
    design = coarse_design(tuple(-(-n // 2) for n in problem.grid.shape), 0.3)
    x, _ = HalfGrey().start(design, problem, DesignChain(problem, 1))
    assert x.mean() == pytest.approx(0.3, abs=0.03)


def test_how_grey_and_how_long_can_be_chosen() -> None:
    problem = cantilever((8, 4), volume=0.5)
    design = coarse_design((2, 4), 0.5)
    x, schedule = HalfGrey(grey=0.2, penalty=2.0, ramp=4).start(design, problem, DesignChain(problem, 1))
    np.testing.assert_allclose(np.unique(x), [0.1, 0.9])
    assert schedule == Schedule(2.0, 3.0, 4)


@pytest.mark.parametrize("penalty", [1.0, 1.5])
def test_a_low_penalty_needs_no_ramp_and_no_grey(penalty: float) -> None:
    problem = cantilever((8, 4), volume=0.5, penalty=penalty)
    design = coarse_design((2, 4), 0.5)
    x, schedule = HalfGrey().start(design, problem, DesignChain(problem, 1))
    np.testing.assert_array_equal(np.unique(x), [0.0, 1.0])
    assert schedule == Schedule(penalty, penalty)


def test_where_volume_is_minimised_the_designs_own_is_kept() -> None:
    problem = replace(cantilever((8, 4)), goal=Goal("volume", compliance=(10.0,)))
    design = coarse_design((2, 4), 0.75)
    x, _ = HalfGrey().start(design, problem, DesignChain(problem, 1))
    assert x.mean() == pytest.approx(design.mean())


def test_passive_parts_and_symmetry_hold() -> None:
    problem = discretise(problems.bridge((40, 10)))
    x, _ = HalfGrey().start(coarse_design((5, 20), 0.3), problem, DesignChain(problem, 1))
    assert (x >= problem.lower).all() and (x <= problem.upper).all()
    np.testing.assert_allclose(x, x[:, ::-1], atol=1e-12)
