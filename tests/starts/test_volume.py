from __future__ import annotations

import numpy as np
import pytest

from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.problem import problems
from trabecula.starts import fill, log_odds


@pytest.mark.parametrize(
    ("name", "elements"), [("mbb", (30, 10)), ("l_bracket", (20, 20)), ("bridge", (24, 12))]
)
@pytest.mark.parametrize("volume", [0.3, 0.55])
def test_a_network_s_design_has_exactly_the_volume(
    name: str, elements: tuple[int, ...], volume: float
) -> None:
    discrete = discretise(problems.get(name, elements))
    chain = DesignChain(discrete, 1)
    logits = 3.0 * np.random.default_rng(0).standard_normal(discrete.grid.shape)
    x = fill(logits, volume, discrete, chain)
    assert chain.volume(chain.physical(x)) == pytest.approx(volume, abs=1e-6)
    assert np.all(x >= discrete.lower)
    assert np.all(x <= discrete.upper)


def test_nonsense_from_a_network_becomes_a_design() -> None:
    discrete = discretise(problems.get("mbb", (12, 4)))
    chain = DesignChain(discrete, 1)
    logits = np.full(discrete.grid.shape, np.nan)
    logits[0] = np.inf
    logits[1] = -np.inf
    x = fill(logits, 0.5, discrete, chain)
    assert np.isfinite(x).all()
    assert chain.volume(chain.physical(x)) == pytest.approx(0.5, abs=1e-6)


def test_log_odds_are_those_of_densities_never_quite_sure() -> None:
    found = log_odds(np.array([0.0, 0.5, 1.0]))
    assert found[1] == 0.0
    assert found[[0, 2]] == pytest.approx([-np.log(49.0), np.log(49.0)])
