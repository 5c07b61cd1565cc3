"""What the generator draws is a start with the volume asked for, after two solves."""

from __future__ import annotations

import numpy as np
import pytest

import trabecula as tb
from trabecula.discretisation import prepare
from trabecula.gallery.difference import Comparison
from trabecula.gallery.ground import Ground
from trabecula.gallery.sources import generator
from trabecula.gallery.sources.generator import FIELDS, GENERATOR, generator_fields
from trabecula.optimize.analysis import Analysis
from trabecula.problem import Problem, problems
from trabecula.starts import volume_of
from trabecula.surrogate import count


def ground(problem: Problem) -> Ground:
    discrete, _ = prepare(problem)
    return Ground(Analysis(discrete, 1), Comparison.of(discrete), seed=3)


@pytest.mark.parametrize(("name", "grid"), [("cantilever", (20, 10)), ("cantilever_3d", (12, 6, 6))])
def test_draws_have_the_volume_asked_for_and_differ(name: str, grid: tuple[int, ...]) -> None:
    given = ground(problems.get(name, grid))
    chain, volume = given.analysis.chain, volume_of(given.discrete)
    draws = GENERATOR.draw(given, 0, 4)
    assert [draw.proposal.name for draw in draws] == [f"generated-{k}" for k in range(4)]
    for draw in draws:
        assert chain.volume(chain.physical(draw.proposal.density)) == pytest.approx(volume, abs=1e-6)
        assert draw.make_analysis is None
    assert np.abs(draws[0].proposal.density - draws[1].proposal.density).max() > 0.02


def test_fields_take_two_solves_and_forget_the_size_of_the_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ground(problems.get("mbb", (20, 10)))
    solves = []
    evaluate = Analysis.evaluate

    def counted(self: Analysis, *args: object, **more: object) -> object:
        solves.append(args)
        return evaluate(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Analysis, "evaluate", counted)
    fields = generator_fields(given.analysis)
    assert len(solves) == 2
    assert fields.shape == (count(2, FIELDS), 10, 20)
    assert fields.dtype == np.float32
    assert np.abs(fields[:FIELDS]).max() > 0.5


def test_nothing_is_drawn_where_no_network_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "model_in_use", lambda kind, dimension: None)
    assert GENERATOR.draw(ground(problems.get("mbb", (20, 10))), 0, 4) == []


def test_a_gallery_of_generated_designs_is_certified_like_any_other() -> None:
    found = tb.gallery(
        tb.problems.mbb((30, 10)), count=2, within=0.5, budget=3, sources=["generator"], threads=1
    )
    (source,) = [each for each in found.sources if each.name == "generator"]
    assert source.drawn > 0
    assert all(each.result.certificate for each in found)
