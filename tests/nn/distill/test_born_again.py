"""Generations: fresh students, each from the one before, and the two variants of the loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.nn.distill.toys import assert_same, class_batches, classifier, moment, output_loss, random
from trabecula.nn.distill import (
    DENSITIES,
    BornAgain,
    PairedPasses,
    distill,
)
from trabecula.nn.distill.born_again import (
    BornAgainTerm,
    labels_loss,
    outputs_loss,
    permuted_outputs_loss,
)
from trabecula.nn.distill.outputs import CLASSES
from trabecula.nn.distill.soft_targets import SoftTargetsTerm

BATCHES = class_batches()


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def test_the_loss_is_that_of_soft_targets_at_temperature_one() -> None:
    teacher, z = random(4, 3), torch.from_numpy(random(4, 3, seed=1))
    born = output_loss(BornAgainTerm(outputs_loss, 1.0, CLASSES), teacher)
    assert torch.equal(born(z), output_loss(SoftTargetsTerm(1.0), teacher)(z))


def test_labels_are_weighted_by_the_teachers_confidence() -> None:
    teacher, targets = random(5, 3), np.array([0, 2, 1, 1, 0])
    confidence = softmax(teacher).max(axis=1)
    w = confidence / confidence.sum()

    def reference(z: np.ndarray) -> float:
        return float(-(w * np.log(softmax(z)[np.arange(5), targets])).sum())

    term = BornAgainTerm(labels_loss, 1.0, CLASSES)
    assert_same(output_loss(term, teacher, torch.from_numpy(targets)), reference, random(5, 3, seed=1))
    with pytest.raises(ValueError, match="needs targets"):
        term(moment(teacher, torch.from_numpy(teacher)))


def test_permuted_outputs_keep_the_teachers_first_class_and_all_probabilities() -> None:
    seen: list[torch.Tensor] = []

    class Spy:
        name = "spy"

        def divergence(
            self, teacher: torch.Tensor, student: torch.Tensor, temperature: float
        ) -> torch.Tensor:
            seen.append(teacher)
            return student

    teacher = random(50, 6)
    permuted_outputs_loss(moment(teacher, torch.zeros(50, 6)), 1.0, Spy())  # type: ignore[arg-type]
    permuted = seen[0].numpy()
    assert (permuted.argmax(axis=1) == teacher.argmax(axis=1)).all()
    np.testing.assert_array_equal(np.sort(permuted, axis=1), np.sort(teacher, axis=1))
    assert (permuted != teacher).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("learn", ["outputs", "labels", "permuted"])
def test_every_generation_learns_from_the_one_before(learn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    teachers: list[bytes] = []
    plain = BornAgainTerm.forward

    def forward(self: BornAgainTerm, moment: PairedPasses) -> torch.Tensor:
        teachers.append(moment.teacher.output.numpy().tobytes())
        return plain(self, moment)

    monkeypatch.setattr(BornAgainTerm, "forward", forward)
    teacher, student = classifier(3), classifier(3, 1)
    outcome = distill(teacher, student, BATCHES, BornAgain(3, learn), epochs=2)  # type: ignore[arg-type]
    assert [line.round for line in outcome.record] == [0, 0, 1, 1, 2, 2]
    x = BATCHES[0][0]
    expected = [net(x).detach().numpy().tobytes() for net in (teacher.eval(), *outcome.generations[:2])]
    assert teachers[:: 2 * len(BATCHES)] == expected
    last = outcome.generations[-1]
    assert all(torch.equal(a, b) for a, b in zip(last.parameters(), student.parameters(), strict=True))
    assert outcome.ensemble()(x).shape == (6, 3)


def test_generations_begin_afresh() -> None:
    rest = {"optimizer": lambda p: torch.optim.SGD(p, lr=0.0), "epochs": 1}
    student = classifier(3, 1)
    outcome = distill(classifier(3), student, BATCHES, BornAgain(3), **rest)
    stems = [net.stem.weight for net in outcome.generations]
    assert not torch.equal(stems[0], stems[1])
    assert not torch.equal(stems[1], stems[2])
    assert all(not p.requires_grad for net in outcome.generations for p in net.parameters())
    made = [classifier(3, 7), classifier(3, 8)]
    weights = [net.stem.weight.detach().clone() for net in made]
    given = distill(classifier(3), classifier(3, 1), BATCHES, BornAgain(3, fresh=lambda: made.pop(0)), **rest)
    assert [
        torch.equal(net.stem.weight, w) for net, w in zip(given.generations[1:], weights, strict=True)
    ] == [
        True,
        True,
    ]


def test_the_variants_are_for_classes() -> None:
    with pytest.raises(ValueError, match="is for classes"):
        distill(
            classifier(3),
            classifier(3, 1),
            BATCHES,
            BornAgain(2, "permuted"),
            output=DENSITIES,
            task_weight=0,
        )
