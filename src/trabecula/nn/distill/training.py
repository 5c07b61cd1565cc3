"""The loop: stages one after the other, each some epochs over the batches. It knows no method by name."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from trabecula.nn.distill import checkpoint as files
from trabecula.nn.distill.features import mode, peek, run
from trabecula.nn.distill.method import (
    Pair,
    Source,
    Term,
    TrainingBatch,
    TrainingStage,
    first_line,
)
from trabecula.nn.distill.record import DistillationResult, Epoch
from trabecula.storage.owned import check_writable

if TYPE_CHECKING:
    from trabecula.nn.distill.trainer import Distiller


class Training:
    """One call of `distill`: where it is, and what has been recorded."""

    def __init__(self, settings: Distiller, teacher: nn.Module, student: nn.Module, batches: Source) -> None:
        self.settings, self.teacher, self.student, self.batches = settings, teacher, student, batches
        self.leader = max((w.method for w in settings.listed), key=lambda method: method.rounds, default=None)
        self.rounds = 1 if self.leader is None else self.leader.rounds
        self.record: list[Epoch] = []
        self.generations: list[nn.Module] = []
        self.resumed: files.State | None = None

    def run(self) -> DistillationResult:
        """All rounds."""
        clock = time.perf_counter()
        self.initial = {key: value.clone() for key, value in self.student.state_dict().items()}
        if self.settings.checkpoint is not None:
            self.resumed = files.load(self.settings.checkpoint, self._identity())
            check_writable(self.settings.checkpoint, files.KIND)
        with ExitStack() as stack:
            device = next(self.student.parameters()).device
            stack.enter_context(torch.random.fork_rng([device] if device.type == "cuda" else []))
            stack.enter_context(mode(self.teacher, training=False))
            stack.enter_context(mode(self.student, training=True))
            if self.resumed is not None:
                with files.explain_damage(cast(Path, self.settings.checkpoint)):
                    self._restore_past(self.resumed)
            for number in range(len(self.generations), self.rounds):
                self._round(number)
            self.student.zero_grad(set_to_none=True)
        return DistillationResult(
            self.student,
            tuple(self.record),
            tuple(self.generations),
            self.settings.output,
            time.perf_counter() - clock,
        )

    def _round(self, number: int) -> None:
        """One student, from its first stage to its last."""
        teacher = self.generations[-1] if number else self.teacher
        resumed, self.resumed = self.resumed, None
        torch.manual_seed(_seed(self.settings.seed, number))
        if number and self.leader is not None:
            self.leader.renew(self.student, self.initial)
        self.pair = Pair(teacher, self.student, self.settings.output, self.batches, self.settings.epochs)
        self._fits()
        terms = self._connect()
        stages = self._stages(terms)
        first, begun = 0, 0
        if resumed is not None:
            first, begun = cast(int, resumed["stage"]), cast(int, resumed["epoch"])
            with files.explain_damage(cast(Path, self.settings.checkpoint)):
                self.student.load_state_dict(cast("Mapping[str, Tensor]", resumed["student"]))
                terms.load_state_dict(cast("Mapping[str, Tensor]", resumed["terms"]))
        for index in range(first, len(stages)):
            self._stage(number, index, stages[index], terms, begun, resumed)
            begun, resumed = 0, None
        done = copy.deepcopy(self.student)
        self.generations.append(done.eval().requires_grad_(False))
        self._save(number, len(stages), 0, terms, None, None)

    def _fits(self) -> None:
        """Refuse networks that cannot take the batches, and outputs that do not go with the targets."""
        batch = self.pair.example
        for who, network in (("teacher", self.pair.teacher), ("student", self.pair.student)):
            try:
                logits = peek(network, batch.inputs).output
            except (RuntimeError, TypeError, IndexError, ValueError) as error:
                raise ValueError(f"the {who} cannot take the first batch: {first_line(error)}") from error
        if self.settings.task_weight and batch.targets is not None:
            try:
                self.task(logits, batch.targets)
            except (RuntimeError, TypeError, IndexError, ValueError) as error:
                shapes = f"outputs {tuple(logits.shape)} and targets {tuple(batch.targets.shape)}"
                raise ValueError(f"no task loss between {shapes}: {first_line(error)}") from error

    @property
    def task(self) -> Callable[[Tensor, Tensor], Tensor]:
        """The loss against targets."""
        return self.settings.task_loss or self.settings.output.task

    def _connect(self) -> nn.ModuleDict:
        terms = nn.ModuleDict()
        for each in self.settings.listed:
            name, count = each.method.name, 1
            while name in terms:
                count += 1
                name = f"{each.method.name} {count}"
            terms[name] = each.method.connect(self.pair)
        return terms.to(self.pair.device)

    def _stages(self, terms: nn.ModuleDict) -> list[TrainingStage]:
        """The methods' own stages, then the student as a whole."""
        before = [stage for term in terms.values() for stage in cast(Term, term).stages()]
        spent = sum(stage.epochs for stage in before if stage.on_student)
        return [*before, *self._whole(terms, max(1, self.settings.epochs - spent))]

    def _whole(self, terms: nn.ModuleDict, epochs: int) -> Sequence[TrainingStage]:
        """The student learns the task and from every joint method; nothing where there is neither."""
        pair = self.pair
        weights = dict(zip(terms, (each.weight for each in self.settings.listed), strict=True))
        joint = {
            name: cast(Term, term) for name, term in terms.items() if cast(Term, term).joint and weights[name]
        }
        teacher_layers = [name for term in joint.values() for name in term.teacher_layers]
        student_layers = [name for term in joint.values() for name in term.student_layers]
        if not joint and not self.settings.task_weight:
            return ()

        def step(batch: TrainingBatch) -> dict[str, Tensor]:
            if joint:
                passes = pair.watch(batch, teacher_layers, student_layers)
                logits = passes.student.output
            else:  # the teacher is not asked
                logits = run(pair.student, batch.inputs).output
            losses: dict[str, Tensor] = {name: term(passes) for name, term in joint.items()}
            total = sum((weights[name] * loss for name, loss in losses.items()), logits.new_zeros(()))
            if self.settings.task_weight:
                if batch.targets is None:
                    raise ValueError(
                        "the batches have no targets; give task_weight=0 to learn from the teacher alone"
                    )
                losses["task"] = self.task(logits, batch.targets)
                total = total + self.settings.task_weight * losses["task"]
            return {**losses, "total": total}

        helpers = tuple(module for term in joint.values() for module in term.learns())
        return (TrainingStage("student", epochs, (pair.student, *helpers), step),)

    def _stage(
        self,
        number: int,
        index: int,
        stage: TrainingStage,
        terms: nn.ModuleDict,
        begun: int,
        resumed: files.State | None,
    ) -> None:
        """The epochs of one stage."""
        parameters = _trainable_parameters(stage.learns)
        if not begun:
            stage.begin()
        optimizer = self.settings.optimizer(parameters)
        schedule = self.settings.schedule(optimizer, stage.epochs) if self.settings.schedule else None
        if resumed is not None and begun:
            with files.explain_damage(cast(Path, self.settings.checkpoint)):
                optimizer.load_state_dict(cast("dict[str, object]", resumed["optimizer"]))
                if schedule is not None:
                    schedule.load_state_dict(cast("dict[str, object]", resumed["schedule"]))
        for epoch in range(begun, stage.epochs):
            torch.manual_seed(_seed(self.settings.seed, number, index, epoch))
            self.student.train()
            with _freeze_others(self.student, parameters):
                losses = self._epoch(stage, epoch, optimizer)
            if schedule is not None:
                schedule.step()
            self.record.append(Epoch(number, stage.name, epoch, losses, self._validate(stage)))
            self._save(number, index, epoch + 1, terms, optimizer, schedule)
            if self.settings.progress is not None:
                self.settings.progress(self.record[-1])

    def _epoch(self, stage: TrainingStage, epoch: int, optimizer: Optimizer) -> dict[str, float]:
        """One pass over the data; mean losses over the examples."""
        sums: dict[str, float] = {}
        examples = 0
        for batch in self.pair.batches(epoch):
            losses = dict(stage.step(batch))
            total = losses.setdefault("total", sum(losses.values(), torch.zeros((), device=self.pair.device)))
            if not bool(torch.isfinite(total)):
                where = f"stage '{stage.name}', epoch {epoch + 1}"
                raise ValueError(f"the loss is not finite in {where}; lower the learning rate or a weight")
            optimizer.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            count = len(batch.inputs[0]) if isinstance(batch.inputs, tuple) else len(batch.inputs)
            examples += count
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + count * float(loss.detach())
        if not examples:
            raise ValueError("there are no batches to learn from")
        return {name: value / examples for name, value in sums.items()}

    def _validate(self, stage: TrainingStage) -> float | None:
        if self.settings.validate is None or not stage.on_student:
            return None
        with mode(self.student, training=False), torch.no_grad():
            return float(self.settings.validate(self.student))

    def _save(
        self,
        number: int,
        index: int,
        epoch: int,
        terms: nn.ModuleDict,
        optimizer: Optimizer | None,
        schedule: LRScheduler | None,
    ) -> None:
        if self.settings.checkpoint is None:
            return
        files.save(
            self.settings.checkpoint,
            {
                "settings": self._identity(),
                "round": number,
                "stage": index,
                "epoch": epoch,
                "student": self.student.state_dict(),
                "terms": terms.state_dict(),
                "optimizer": optimizer.state_dict() if optimizer else {},
                "schedule": schedule.state_dict() if schedule else {},
                "initial": self.initial,
                "generations": [each.state_dict() for each in self.generations],
                "record": [
                    [line.round, line.stage, line.epoch, dict(line.losses), line.validation]
                    for line in self.record
                ],
            },
        )

    def _restore_past(self, state: files.State) -> None:
        """What came before the round in which the checkpoint was written."""
        lines = cast("list[tuple[int, str, int, dict[str, float], float | None]]", state["record"])
        self.record = [Epoch(*line) for line in lines]
        self.initial = cast("dict[str, Tensor]", state["initial"])
        for weights in cast("list[dict[str, Tensor]]", state["generations"]):
            past = copy.deepcopy(self.student)
            past.load_state_dict(weights)
            self.generations.append(past.eval().requires_grad_(False))
        if cast(int, state["round"]) < len(self.generations):  # written between two rounds, or at the end
            self.student.load_state_dict(self.generations[-1].state_dict())
            self.resumed = None

    def _identity(self) -> str:
        """What a checkpoint must agree with: everything that decides which stages there are and on what."""
        shapes = [
            [(key, tuple(value.shape)) for key, value in network.state_dict().items()]
            for network in (self.teacher, self.student)
        ]
        s = self.settings
        return repr((s.listed, s.output.name, s.task_weight, s.epochs, s.seed, shapes))


def _trainable_parameters(modules: Sequence[nn.Module]) -> list[nn.Parameter]:
    """Parameters that learn, each once."""
    found = {id(p): p for module in modules for p in module.parameters() if p.requires_grad}
    return list(found.values())


@contextmanager
def _freeze_others(network: nn.Module, learning: Sequence[nn.Parameter]) -> Iterator[None]:
    """No gradients for the network's parameters that do not learn now."""
    known = {id(p) for p in learning}
    still = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
    for p in still:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p in still:
            p.requires_grad_(True)


def _seed(*numbers: int) -> int:
    """One seed out of several numbers, far from those of its neighbours."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))
