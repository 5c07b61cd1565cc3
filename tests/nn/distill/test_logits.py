"""Standardised logits: the spread over the training set."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tests.nn.distill.toys import class_batches, classifier, dense, dense_batches, pair_of
from trabecula.nn.distill import DENSITIES, Logits
from trabecula.nn.distill.logits import LogitsTerm, deviation


def test_the_spread_is_that_of_all_batches_together() -> None:
    batches = class_batches(count=4)
    batches[0] = (batches[0][0][:2], batches[0][1][:2])
    teacher = classifier(4).eval()
    with torch.no_grad():
        teacher.head.bias.add_(1e4)  # far from 0, where sums of squares would cancel
        logits = torch.cat([teacher(x) for x, _ in batches]).double().numpy()
    np.testing.assert_allclose(
        deviation(pair_of(teacher, classifier(3), batches)).numpy(), logits.std(axis=0), rtol=1e-5
    )


def test_dense_outputs_have_one_spread_a_channel() -> None:
    batches, teacher = dense_batches(3), dense(4, 3).eval()
    with torch.no_grad():
        logits = torch.cat([teacher(x) for x, _ in batches]).double().numpy()
    term = Logits().connect(pair_of(teacher, dense(3, 3), batches, DENSITIES))
    assert isinstance(term, LogitsTerm)
    np.testing.assert_allclose(term.spread.numpy(), [logits.std()], rtol=1e-5)


def test_a_logit_that_never_changes_is_taken_as_it_is() -> None:
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    with torch.no_grad():
        teacher[1].weight[1] = 0
    spread = deviation(pair_of(teacher, classifier(3), class_batches()))
    assert spread[1] == 1
    plain = Logits(standardise=False).connect(pair_of(teacher, classifier(3), class_batches()))
    assert torch.equal(plain.spread, torch.ones(3))  # type: ignore[arg-type]
