"""The loss through the solver, against finite differences and by what it does to a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning import solver_loss
from trabecula.learning.example import Example
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.network import Size
from trabecula.learning.solver_loss import (
    DRAWINGS,
    Drawing,
    Polish,
    SolverCase,
    compliance,
    log_compliance_ratio,
    train_through_solver,
)
from trabecula.learning.train import TrainingRecipe
from trabecula.optimize.analysis import Analysis
from trabecula.problem import dump, problems
from trabecula.starts import volume_of

PROBLEM = dump(problems.cantilever((24, 12)))
RECIPE = TrainingRecipe("corrector", 2, Size(8, 1, 2), batch=4)


def case(seed: int = 0) -> SolverCase:
    """Hand-over of noise: anything a network learns makes it stiffer."""
    random = np.random.default_rng(seed)
    analysis = Analysis(discretise(problems.cantilever((24, 12))), 1)
    base = random.standard_normal(analysis.discrete.grid.shape).astype(np.float16)
    plain, _ = compliance(
        analysis, base.astype(np.float64), volume_of(analysis.discrete), DRAWINGS["corrector"]
    )
    fields = random.standard_normal((RECIPE.channels, *base.shape)).astype(np.float16)
    fields[RECIPE.inside] = 1.0
    return SolverCase(PROBLEM, Example(fields, base, (base > 0).astype(np.float16)), plain)


@pytest.mark.parametrize("drawing", [Drawing(0.15, 2.0), Drawing(0.0, 1.0)])
@pytest.mark.parametrize("name", ["cantilever", "l_bracket"])
def test_the_gradient_is_that_of_finite_differences(
    name: str, drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver_loss, "TOLERANCE", 1e-10)
    discrete = discretise(getattr(problems, name)())
    analysis = Analysis(grid_hierarchy(discrete)[0], 1)
    random = np.random.default_rng(1)
    logits = random.standard_normal(analysis.discrete.grid.shape)
    direction = random.standard_normal(logits.shape)
    volume = volume_of(analysis.discrete)
    _, gradient = compliance(analysis, logits, volume, drawing)
    direction += 3.0 * gradient / np.abs(gradient).max()
    ahead, behind = (compliance(analysis, logits + h * direction, volume, drawing)[0] for h in (1e-4, -1e-4))
    assert float((gradient * direction).sum()) == pytest.approx((ahead - behind) / 2e-4, rel=1e-4)


def test_a_network_that_says_nothing_changes_nothing() -> None:
    torch.manual_seed(0)
    value = log_compliance_ratio(RECIPE.network(), case(), DRAWINGS["corrector"])
    assert float(value.detach()) == pytest.approx(0.0, abs=1e-6)


def test_the_gradient_reaches_the_network() -> None:
    network = RECIPE.network()
    known = case()
    value = log_compliance_ratio(network, known, DRAWINGS["corrector"])
    value.backward()  # type: ignore[no-untyped-call]
    slopes = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    with torch.no_grad():
        for name, p in network.named_parameters():
            if name in slopes:
                p.sub_(slopes[name], alpha=0.05 / max(float(slopes[name].norm()), 1e-12))
        assert float(log_compliance_ratio(network, known, DRAWINGS["corrector"])) < float(value.detach())


def test_training_through_the_solver_makes_stiffer_designs_and_resumes(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    known = [case(seed) for seed in range(3)]
    how = Polish(steps=12, batch=2, rate=3e-3, every=6)
    looks: list[TrainingProgress] = []
    whole = train_through_solver(
        RECIPE.network(), RECIPE, how, known, known, tmp_path / "whole", looks.append
    )
    assert [look.step for look in looks] == [6, 12]
    assert looks[-1].error < min(0.95, looks[-1].base)

    class Stopped(Exception):
        pass

    def stop(look: TrainingProgress) -> None:
        if look.step == 12:
            raise Stopped

    with pytest.raises(Stopped):
        train_through_solver(RECIPE.network(), RECIPE, how, known, known, tmp_path / "part", stop)
    resumed = train_through_solver(RECIPE.network(), RECIPE, how, known, known, tmp_path / "part")
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)
