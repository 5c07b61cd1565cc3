"""Block by block: what learns, what rests, what is taken over."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.nn.distill.toys import block, class_batches, classifier
from trabecula.nn.distill import Epoch, Recasting, distill
from trabecula.nn.distill.method import Pair, TrainingBatch
from trabecula.nn.distill.outputs import CLASSES
from trabecula.nn.distill.recasting import differing

BATCHES = class_batches()


def shallow(seed: int = 1) -> nn.Sequential:
    return classifier(4, seed, depth=1)


def pair_of(teacher: nn.Module, student: nn.Module, epochs: int = 4) -> Pair:
    return Pair(teacher.eval(), student, CLASSES, BATCHES, epochs)


def test_blocks_that_differ_are_found() -> None:
    assert differing(classifier(4), shallow()) == ("first", "second")
    with pytest.raises(ValueError, match="nothing to recast"):
        distill(classifier(4), classifier(4, 1), BATCHES, Recasting())


def test_the_loss_is_the_mean_squared_difference_of_the_next_activations() -> None:
    teacher, student = classifier(4).eval(), shallow().eval()
    term = Recasting().connect(pair_of(teacher, student))
    x, y = BATCHES[0]
    with torch.no_grad():
        hidden = teacher.norm(teacher.stem(x))
        aim = teacher.second(teacher.pool(teacher.first(hidden)))
        first = teacher.second(teacher.pool(student.first(hidden)))
        last = teacher.head(teacher.mean(student.second(teacher.pool(student.first(hidden)))).flatten(1))
        stages = term.stages()
        losses = [stage.step(TrainingBatch(x, y))["activations"] for stage in stages]
        assert torch.allclose(losses[0], F.mse_loss(first, aim))
        assert torch.allclose(losses[1], F.mse_loss(last, teacher(x)))
    assert [stage.name for stage in stages] == ["block first", "block second"]


def test_each_step_trains_the_new_block_and_a_copy_of_the_next() -> None:
    teacher, student = classifier(4), shallow()
    term = Recasting().connect(pair_of(teacher, student))
    steps = term.stages()
    assert steps[0].learns[0] is student.first
    assert steps[0].learns[1] is term.following[0]
    assert steps[1].learns == (student.second,)
    loss = steps[1].step(TrainingBatch(*BATCHES[0]))["activations"]
    loss.backward()
    assert all(p.grad is not None for p in student.second.parameters())
    assert all(p.grad is None for p in teacher.parameters())


def test_blocks_before_rest_while_the_next_one_learns() -> None:
    firsts: list[torch.Tensor] = []
    student = shallow()

    def note(line: Epoch) -> None:
        if line.stage.startswith("block"):
            firsts.append(student.first[0].weight.detach().clone())
            assert student.first[0].weight.requires_grad

    distill(classifier(4), student, BATCHES, Recasting(), epochs=8, progress=note)
    assert not torch.equal(firsts[0], firsts[1])
    assert torch.equal(firsts[1], firsts[2])
    assert torch.equal(firsts[1], firsts[3])


def test_what_is_outside_of_the_blocks_is_the_teachers() -> None:
    teacher, student = classifier(4), shallow()
    distill(teacher, student, BATCHES, Recasting(), epochs=3, task_weight=0)
    for name in ("stem", "norm", "head"):
        for a, b in zip(
            getattr(teacher, name).parameters(), getattr(student, name).parameters(), strict=True
        ):
            assert torch.equal(a, b)
    assert teacher.stem.weight.data_ptr() != student.stem.weight.data_ptr()


def test_a_block_of_another_type_learns_to_be_the_teachers() -> None:
    teacher = classifier(4)
    student = shallow()
    student.second = block(2, 4, depth=2)
    fast = {"optimizer": lambda p: torch.optim.Adam(p, lr=1e-2)}
    outcome = distill(
        teacher, student, BATCHES, Recasting(("first", "second"), share=0.9), epochs=40, task_weight=0, **fast
    )
    for name in ("first", "second"):
        losses = [line.losses["activations"] for line in outcome.record if line.stage == f"block {name}"]
        assert len(losses) == 18
        assert losses[-1] < 0.4 * losses[0]


def test_blocks_may_lie_deeper() -> None:
    teacher, student = classifier(4), classifier(4, 1)
    for net in (teacher, student):
        net.second = nn.Sequential(block(2, 4), block(2, 4))
    student.second[1] = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.ReLU())
    outcome = distill(teacher, student, BATCHES, Recasting(("second.1",)), epochs=2)
    assert [line.stage for line in outcome.record] == ["block second.1", "student"]


def test_blocks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outside of the blocks .* stem\.weight"):
        distill(classifier(4), classifier(3, depth=1), BATCHES, Recasting(("first", "second")))
    with pytest.raises(ValueError, match="no layer 'third'"):
        distill(classifier(4), shallow(), BATCHES, Recasting(("third",)))
    student = shallow()
    student.first = nn.Conv2d(4, 5, 1)  # a network of its own, but no part of the teacher
    student.second = nn.Conv2d(5, 4, 1)
    with pytest.raises(ValueError, match="block 'first' of the student does not fit"):
        distill(classifier(4), student, BATCHES, Recasting())
    assert not student.first._forward_hooks


def test_the_students_block_stays_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, student = classifier(4), shallow()
    blocks = student.first, student.second
    twin = copy.deepcopy(teacher)
    distill(teacher, student, BATCHES, Recasting(), epochs=2)
    assert (student.first, student.second) == blocks
    assert str(teacher) == str(twin)
