"""The one trainer: the teacher rests, and the same seed gives the same student."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.nn.distill.toys import (
    Batches,
    Reader,
    block,
    class_batches,
    classifier,
    dense,
    dense_batches,
)
from trabecula.nn.distill import (
    DENSITIES,
    FSP,
    METHODS,
    Attention,
    BornAgain,
    DistillationResult,
    Distiller,
    Epoch,
    Factor,
    Hints,
    Logits,
    Method,
    Pair,
    PairedPasses,
    Recasting,
    Relational,
    SoftTargets,
    Term,
    Weighted,
    distill,
)

BATCHES = class_batches()
ZERO = torch.zeros(2, dtype=torch.long)
FLOW = ("stem", "first")
FEATURE_METHODS = (Hints(), FSP(), Attention(), Factor(), Relational())


def state(network: nn.Module) -> dict[str, bytes]:
    return {key: value.numpy().tobytes() for key, value in network.state_dict().items()}


def student_for(method: Method, dimension: int = 2, seed: int = 1) -> nn.Sequential:
    """A student that the method can teach: as wide as the teacher where it must be."""
    if isinstance(method, Recasting | FSP):
        return classifier(4, seed, dimension, depth=1)
    return classifier(3, seed, dimension, depth=1)


@pytest.mark.parametrize("name", METHODS)
def test_the_teacher_is_not_changed_by_a_byte(name: str) -> None:
    method = METHODS[name]()
    teacher = classifier(4)
    teacher.norm.eval()
    before, modes = state(teacher), [module.training for module in teacher.modules()]
    student = student_for(method)
    untrained = state(student)
    outcome = distill(teacher, student, BATCHES, method, epochs=3)
    assert state(teacher) == before
    assert [module.training for module in teacher.modules()] == modes
    assert all(p.requires_grad and p.grad is None for p in teacher.parameters())
    assert not any(module._forward_hooks for net in (teacher, student) for module in net.modules())
    assert outcome.student is student
    assert state(student) != untrained
    assert all(math.isfinite(value) for line in outcome.record for value in line.losses.values())


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_student_and_another_seed_another(name: str) -> None:
    method = METHODS[name]()

    def trained(seed: int) -> DistillationResult:
        batches = torch.utils.data.DataLoader(
            torch.utils.data.TensorDataset(*(torch.cat(part) for part in zip(*BATCHES, strict=True))),
            batch_size=6,
            shuffle=True,
        )
        torch.manual_seed(seed * 13)  # what was drawn before does not matter
        student = student_for(method)
        torch.rand(seed + 1)
        return distill(classifier(4), student, batches, method, epochs=3, seed=seed)

    one, same, other = trained(0), trained(0), trained(1)
    assert state(one.student) == state(same.student)
    assert one.record == same.record
    assert state(one.student) != state(other.student)


def test_random_numbers_of_others_are_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    teacher, student = classifier(4), classifier(3)
    torch.manual_seed(3)
    distill(teacher, student, BATCHES, SoftTargets(), epochs=1)
    assert torch.equal(torch.rand(4), expected)


class Stop(Exception):
    pass


def stopping(after: int) -> object:
    lines: list[Epoch] = []

    def progress(line: Epoch) -> None:
        lines.append(line)
        if len(lines) == after:
            raise Stop

    return progress


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("after", [1, 3])
def test_training_goes_on_as_if_it_had_not_been_stopped(name: str, after: int, tmp_path: Path) -> None:
    method = METHODS[name]()
    settings = {
        "epochs": 4,
        "seed": 2,
        "schedule": torch.optim.lr_scheduler.CosineAnnealingLR,
    }
    whole = Distiller(method, **settings).distill(classifier(4), student_for(method), BATCHES)
    path = tmp_path / "run.pt"
    with pytest.raises(Stop):
        Distiller(method, checkpoint=path, progress=stopping(after), **settings).distill(
            classifier(4), student_for(method), BATCHES
        )
    resumed = Distiller(method, checkpoint=path, **settings).distill(
        classifier(4), student_for(method), BATCHES
    )
    assert state(resumed.student) == state(whole.student)
    assert resumed.record == whole.record
    assert [state(net) for net in resumed.generations] == [state(net) for net in whole.generations]
    again = Distiller(method, checkpoint=path, **settings).distill(
        classifier(4), student_for(method), BATCHES
    )
    assert state(again.student) == state(whole.student)  # and nothing is trained twice
    assert again.record == whole.record


def test_a_generation_that_was_stopped_goes_on_too(tmp_path: Path) -> None:
    settings = {"epochs": 2, "seed": 2}
    whole = Distiller(BornAgain(3), **settings).distill(classifier(3), classifier(3, 1), BATCHES)
    for after in (2, 4, 5):
        path = tmp_path / f"{after}.pt"
        with pytest.raises(Stop):
            Distiller(BornAgain(3), checkpoint=path, progress=stopping(after), **settings).distill(
                classifier(3), classifier(3, 1), BATCHES
            )
        resumed = Distiller(BornAgain(3), checkpoint=path, **settings).distill(
            classifier(3), classifier(3, 1), BATCHES
        )
        assert [state(net) for net in resumed.generations] == [state(net) for net in whole.generations]


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_checkpoint_of_something_else_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    if content is None:
        torch.save({"a": torch.ones(2)}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.pt.*delete it to begin anew"):
        distill(classifier(4), classifier(3), BATCHES, checkpoint=path, epochs=1)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    distill(classifier(4), classifier(3), BATCHES, SoftTargets(), checkpoint=path, epochs=1)
    with pytest.raises(ValueError, match="other settings"):
        distill(classifier(4), classifier(3), BATCHES, SoftTargets(2.0), checkpoint=path, epochs=1)


@pytest.mark.parametrize("method", FEATURE_METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_features_of_one_two_and_three_dimensions_are_taught(method: Method, dimension: int) -> None:
    batches = class_batches(dimension, size=4, count=2, batch=4)
    distill(classifier(4, 0, dimension), student_for(method, dimension), batches, method, epochs=2)


@pytest.mark.parametrize("method", [*(cls() for cls in METHODS.values())], ids=lambda method: method.name)
@pytest.mark.parametrize("dimension", [2, 3])
def test_dense_outputs_are_taught_by_every_method(method: Method, dimension: int) -> None:
    teacher = dense(4, dimension, depth=2)
    student = dense(4 if isinstance(method, Recasting | FSP) else 3, dimension, seed=1)
    before = state(teacher)
    outcome = distill(teacher, student, dense_batches(dimension), method, output=DENSITIES, epochs=2)
    assert state(teacher) == before
    assert {"task", "total"} <= set(outcome.record[-1].losses)


@pytest.mark.parametrize(
    "method",
    [Logits(), SoftTargets(), Hints(), FSP(), Attention(), Factor(), BornAgain(2), Relational()],
    ids=lambda method: method.name,
)
def test_sequences_are_taught(method: Method) -> None:
    g = torch.Generator().manual_seed(0)
    batches = [(torch.randn(4, 5, 2, generator=g), torch.tensor([0, 1, 2, 0])) for _ in range(2)]
    torch.manual_seed(1)
    teacher = Reader(4)
    student = Reader(4 if isinstance(method, FSP) else 3)
    if isinstance(method, FSP):
        method = FSP((("gru", "gru"),), (("gru", "gru"),))
    distill(teacher, student, batches, method, epochs=2)


def test_losses_stand_in_the_record_term_by_term() -> None:
    methods = [SoftTargets(), Weighted(Attention(), 10.0), Attention((("first.3", "first.1"),))]
    outcome = distill(classifier(4), classifier(3, depth=1), BATCHES, methods, epochs=3, task_weight=0.5)
    assert [(e.round, e.stage, e.epoch) for e in outcome.record] == [(0, "student", k) for k in range(3)]
    for line in outcome.record:
        v = line.losses
        assert set(v) == {"soft-targets", "attention", "attention 2", "task", "total"}
        parts = v["soft-targets"] + 10 * v["attention"] + 1000 * v["attention 2"] + 0.5 * v["task"]
        assert v["total"] == pytest.approx(parts, rel=1e-5)
        assert line.validation is None
    assert outcome.seconds > 0


def test_weights_may_be_a_mapping() -> None:
    listed = Distiller({SoftTargets(): 0.9, Attention(): 5.0}).listed
    assert [(each.method.name, each.weight) for each in listed] == [("soft-targets", 0.9), ("attention", 5.0)]
    assert Distiller(Attention()).listed[0].weight == 1000


def test_losses_are_means_over_the_examples() -> None:
    x, y = torch.randn(7, 1, 6, 6), torch.randint(3, (7,))

    def resting(batches: Batches) -> Epoch:
        still = {"optimizer": lambda p: torch.optim.SGD(p, lr=0.0), "epochs": 1}
        return distill(classifier(4), wide(), batches, **still).record[0]  # type: ignore[arg-type]

    whole, parts = resting([(x, y)]), resting([(x[:2], y[:2]), (x[2:], y[2:])])
    assert whole.losses["task"] == pytest.approx(parts.losses["task"])


def test_stages_take_their_share_of_the_epochs() -> None:
    outcome = distill(
        classifier(4), student_for(FSP()), BATCHES, [Hints(share=0.4), Factor(share=0.2)], epochs=10
    )
    counts: dict[str, int] = {}
    for line in outcome.record:
        counts[line.stage] = counts.get(line.stage, 0) + 1
    assert counts == {"hints": 4, "paraphraser": 2, "student": 6}


def test_only_what_lies_before_the_guided_layer_learns_in_the_first_stage() -> None:
    student = classifier(3, 1, depth=1)
    before = state(student)
    distill(classifier(4), student, BATCHES, Hints("first.3", "first.1", share=0.9), epochs=1, task_weight=0)
    changed = {key for key, value in state(student).items() if value != before[key]}
    assert {key for key in changed if not key.startswith("norm.")} == {
        "stem.weight",
        "stem.bias",
        "first.0.weight",
        "first.0.bias",
    }


@pytest.mark.parametrize("cls", [Hints, FSP])
def test_a_first_stage_may_go_on_beside_the_task(cls: type[Hints] | type[FSP]) -> None:
    outcome = distill(classifier(4), student_for(FSP()), BATCHES, cls(joint=True), epochs=3)
    assert set(outcome.record[0].losses) == {cls.name, "total"}
    assert set(outcome.record[-1].losses) == {cls.name, "task", "total"}
    alone = distill(classifier(4), student_for(FSP()), BATCHES, cls(), epochs=3)
    assert set(alone.record[-1].losses) == {"task", "total"}


def test_the_paraphraser_rests_while_the_student_learns(tmp_path: Path) -> None:
    def parts(after: int) -> dict[str, Tensor]:
        path = tmp_path / f"{after}.pt"
        with pytest.raises(Stop):
            distill(
                classifier(4),
                classifier(3),
                BATCHES,
                Factor(),
                epochs=4,
                checkpoint=path,
                progress=stopping(after),
            )
        return dict(torch.load(path, weights_only=True)["terms"])

    early, late = parts(1), parts(3)  # one epoch of the paraphraser, two of the student
    for key in early:
        assert torch.equal(early[key], late[key]) == ("paraphraser" in key)


def test_the_student_may_learn_alone_or_from_the_teacher_alone() -> None:
    alone = distill(classifier(4), classifier(3), BATCHES, epochs=1)
    assert set(alone.record[0].losses) == {"task", "total"}
    inputs = [x for x, _ in BATCHES]
    taught = distill(classifier(4), classifier(3), inputs, SoftTargets(), task_weight=0, epochs=1)
    assert set(taught.record[0].losses) == {"soft-targets", "total"}


def test_a_student_learns_what_its_teacher_knows() -> None:
    x, y = (torch.cat(part) for part in zip(*class_batches(count=20), strict=True))
    batches = [(x[k : k + 24], y[k : k + 24]) for k in range(0, len(x), 24)]
    fast = {"optimizer": lambda p: torch.optim.Adam(p, lr=1e-2)}
    net = nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 3))
    torch.manual_seed(0)
    teacher = distill(classifier(4), net, batches, epochs=60, **fast).student
    small = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    inputs = [a for a, _ in batches]  # not a single label
    distill(teacher, small, inputs, SoftTargets(2.0), task_weight=0, epochs=60, **fast)
    taught = teacher(x).argmax(dim=1)
    assert (small(x).argmax(dim=1) == taught).float().mean() > 0.85


def test_validation_is_asked_in_evaluation_mode_after_every_epoch() -> None:
    seen: list[bool] = []

    def validate(network: nn.Module) -> float:
        seen.append(network.training or torch.is_grad_enabled())
        return float(len(seen))

    outcome = distill(classifier(4), classifier(3), BATCHES, Factor(), epochs=2, validate=validate)
    assert [(line.stage, line.validation) for line in outcome.record] == [
        ("paraphraser", None),
        ("student", 1.0),
        ("student", 2.0),
    ]
    assert not any(seen)


def test_batches_may_be_a_function_of_the_epoch_or_have_several_inputs() -> None:
    asked: list[int] = []

    def source(epoch: int) -> Batches:
        asked.append(epoch)
        return BATCHES

    distill(classifier(4), classifier(3), source, epochs=3)
    assert asked[-3:] == [0, 1, 2]

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            result: Tensor = self.layer(a + b)
            return result

    batches = [[[torch.ones(4, 3), torch.ones(4, 3)], torch.tensor([0, 1, 0, 1])]]
    outcome = distill(Sum(), Sum(), batches, [SoftTargets(), Relational((("layer"), ("layer")))], epochs=1)
    assert set(outcome.record[0].losses) == {"soft-targets", "relational", "task", "total"}


def test_an_own_method_is_a_class_and_nothing_more() -> None:
    from dataclasses import dataclass
    from typing import ClassVar

    class MeanTerm(Term):
        def forward(self, moment: PairedPasses) -> Tensor:
            return (moment.teacher.output.mean() - moment.student.output.mean()) ** 2

    @dataclass(frozen=True)
    class Mean(Method):
        name: ClassVar[str] = "mean"

        def connect(self, pair: Pair) -> Term:
            return MeanTerm()

    outcome = distill(classifier(4), classifier(3), BATCHES, [Mean(), SoftTargets()], epochs=1)
    assert "mean" in outcome.record[0].losses
    with pytest.raises(NotImplementedError):
        Method().connect(Pair(nn.Linear(1, 1), nn.Linear(1, 1), DENSITIES, [], 1))
    with pytest.raises(NotImplementedError):
        Term()(None)


def once() -> Iterator[tuple[Tensor, Tensor]]:
    yield from BATCHES


def wide() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 5))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batches": once()}, "gone through only once"),
        ({"batches": []}, "no batches to learn from"),
        ({"batches": [3]}, "a batch is a tensor of inputs.* this one is of type int"),
        ({"batches": [("a", "b")]}, "this one is a tuple of str, str"),
        ({"batches": [()]}, "this one is a tuple of nothing"),
        ({"batches": [torch.zeros(2, 1, 6, 6)]}, "no targets; give task_weight=0"),
        ({"batches": [(torch.zeros(2, 2, 6, 6), ZERO)]}, "the teacher cannot take the first"),
        ({"batches": [(torch.zeros(3, 1, 6, 6), ZERO)]}, r"no task loss between outputs \(3, 3\)"),
        ({"student": nn.Conv2d(3, 3, 1)}, "the student cannot take the first batch"),
        ({"student": wide(), "methods": SoftTargets()}, "teacher's is .6, 3.* student's .6, 5."),
        ({"student": nn.Flatten()}, "no weights that can learn"),
        ({"methods": ["soft"]}, "'soft' is no method"),
        ({"methods": Weighted(SoftTargets(), -1.0)}, "the weight of soft-targets is -1"),
        ({"methods": Weighted(SoftTargets(), float("nan"))}, "the weight of soft-targets is nan"),
        ({"task_weight": -1.0}, "weight of the task loss is -1"),
        ({"task_weight": 0.0}, "nothing to learn from"),
        ({"epochs": 0}, "0 epochs"),
        ({"methods": Attention((("nowhere", "stem"),))}, "no layer 'nowhere'"),
        ({"methods": FSP((FLOW,), (FLOW,))}, "'stem' of the teacher has 4 channels"),
        ({"student": wide(), "methods": Hints()}, "no features of equal size"),
        ({"methods": FSP()}, "as wide in the student as in the teacher"),
        ({"optimizer": lambda p: torch.optim.SGD(p, lr=1e30)}, "not finite in stage 'student'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(change: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"student": classifier(3), "batches": BATCHES, "epochs": 5, **change}
    student, batches = given.pop("student"), given.pop("batches")
    with pytest.raises(ValueError, match=said):
        distill(classifier(4), student, batches, **given)  # type: ignore[arg-type]


def test_networks_that_share_weights_are_refused() -> None:
    teacher = classifier(4)
    student = classifier(4)
    student.first = teacher.first
    for each in (teacher, student):
        with pytest.raises(ValueError, match="share weights"):
            distill(teacher, each, BATCHES)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Hints(share=1.0), "share of the epochs is 1.0"),
        (lambda: FSP(share=0.0), "share of the epochs is 0.0"),
        (lambda: Hints("a"), "both the teacher's and the student's layer"),
        (lambda: FSP((("a", "b"),)), "as many pairs"),
        (lambda: Factor(rate=0), "the rate is 0"),
        (lambda: Factor(share=-1), "share of the epochs is -1"),
        (lambda: BornAgain(0), "0 generations"),
        (lambda: BornAgain(learn="x"), "cannot learn from 'x'"),  # type: ignore[arg-type]
        (lambda: BornAgain(temperature=0), "temperature is 0"),
        (lambda: Recasting(("a", "a.b")), "'a' contains another"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: type, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_layers_may_be_named_and_of_different_size() -> None:
    methods = [
        Attention((("first", "second"), ("second", "second"))),
        Factor(("second", "first")),
        Hints("second", "first"),
        Relational(("second", "first")),
        FSP((("stem", "second"),), (("first", "second"),)),
    ]
    teacher, student = classifier(4), classifier(4, 1, depth=1)
    student.extra = nn.Identity()
    distill(teacher, student, BATCHES, methods, epochs=4)
    with pytest.raises(ValueError, match="dimensions cannot be compared"):
        distill(teacher, student, BATCHES, Attention((("first", "flat"),)))


def test_blocks_keep_their_size() -> None:
    assert block(2, 3)(torch.zeros(1, 3, 4, 4)).shape == (1, 3, 4, 4)
