"""The protocol of a method of distillation: it connects a pair of networks.

A `Method` is frozen settings. `connect` gives a `Term`: the method's parts that learn or remember for one
pair of networks (regressors, paraphrasers, statistics), its stages before the student is trained as a whole,
and its loss while it is. The trainer knows nothing else about a method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor, nn

from trabecula.nn.distill.features import ForwardPass, peek, run
from trabecula.nn.distill.outputs import Output

Inputs = Tensor | tuple[Tensor, ...]
Source = Iterable[object] | Callable[[int], Iterable[object]]


@dataclass(frozen=True)
class TrainingBatch:
    """Inputs as the networks take them, and targets where there are any."""

    inputs: Inputs
    targets: Tensor | None = None

    @classmethod
    def of(cls, given: object, device: torch.device) -> TrainingBatch:
        """Read `inputs` or `(inputs, targets)`, where inputs are a tensor or a tuple of tensors.

        Raises
        ------
        ValueError
            Where it is neither.
        """
        inputs, targets = given if isinstance(given, tuple | list) and len(given) == 2 else (given, None)
        parts = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
        tensors = tuple(each.to(device) for each in parts if isinstance(each, Tensor))
        if not parts or len(tensors) < len(parts) or not (targets is None or isinstance(targets, Tensor)):
            raise ValueError(
                "a batch is a tensor of inputs, or a pair (inputs, targets) of tensors; "
                f"this one is {_kind(given)}"
            )
        return cls(
            tensors if isinstance(inputs, tuple | list) else tensors[0],
            None if targets is None else targets.to(device),
        )


def _kind(given: object) -> str:
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {', '.join(type(each).__name__ for each in given) or 'nothing'}"
    return f"of type {type(given).__name__}"


@dataclass(frozen=True)
class PairedPasses:
    """One batch, as teacher and student saw it."""

    teacher: ForwardPass
    student: ForwardPass
    targets: Tensor | None = None


@dataclass
class Pair:
    """A teacher and a student, and all that a method may know about their training.

    Attributes
    ----------
    teacher, student
        The networks; the teacher is in evaluation mode.
    output
        What their outputs mean.
    source
        The training batches: an iterable, or a function of the epoch.
    epochs
        Passes over the data that the student has in all, its stages included.
    """

    teacher: nn.Module
    student: nn.Module
    output: Output
    source: Source
    epochs: int

    @property
    def device(self) -> torch.device:
        """Where the student is."""
        return next((p.device for p in self.student.parameters()), torch.device("cpu"))

    def batches(self, epoch: int) -> Iterator[TrainingBatch]:
        """The batches of an epoch."""
        given = self.source(epoch) if callable(self.source) else self.source
        for each in given:
            yield TrainingBatch.of(each, self.device)

    @cached_property
    def example(self) -> TrainingBatch:
        """The first batch.

        Raises
        ------
        ValueError
            Where there is none.
        """
        for batch in self.batches(0):
            return batch
        raise ValueError("there are no batches to learn from")

    def watch(
        self, batch: TrainingBatch, teacher: Iterable[str] = (), student: Iterable[str] = ()
    ) -> PairedPasses:
        """Run both networks on a batch: the teacher without gradients, the student with them."""
        with torch.no_grad():
            taught = run(self.teacher, batch.inputs, teacher)
        return PairedPasses(taught, run(self.student, batch.inputs, student), batch.targets)

    def look(self, teacher: Iterable[str] = (), student: Iterable[str] = ()) -> PairedPasses:
        """Both networks on the first batch, for the shapes; nothing changes."""
        batch = self.example
        seen = (peek(self.teacher, batch.inputs, teacher), peek(self.student, batch.inputs, student))
        return PairedPasses(*seen, batch.targets)

    def same_outputs(self, name: str) -> tuple[int, ...]:
        """The shape of both outputs on the first batch.

        Raises
        ------
        ValueError
            Where they differ.
        """
        seen = self.look()
        shapes = tuple(seen.teacher.output.shape), tuple(seen.student.output.shape)
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"{name} compares outputs, which must have one shape: the teacher's is {shapes[0]}, "
                f"the student's {shapes[1]}"
            )
        return shapes[0]


@dataclass(frozen=True)
class TrainingStage:
    """A piece of training.

    Attributes
    ----------
    name
        As it stands in the record.
    epochs
        Passes over the data.
    learns
        Modules whose parameters are optimised.
    step
        From a batch to losses by name; `total` is what is minimised.
    begin
        Called once before the first epoch, and not when the stage is resumed.
    on_student
        Whether the epochs count as the student's.
    """

    name: str
    epochs: int
    learns: tuple[nn.Module, ...]
    step: Callable[[TrainingBatch], Mapping[str, Tensor]]
    begin: Callable[[], None] = lambda: None
    on_student: bool = True


class Term(nn.Module):
    """A method at work on one pair of networks; its parameters and buffers are saved in checkpoints.

    Attributes
    ----------
    teacher_layers, student_layers
        Layers whose features `forward` needs.
    joint
        Whether `forward` is part of the loss when the student is trained as a whole.
    """

    teacher_layers: tuple[str, ...] = ()
    student_layers: tuple[str, ...] = ()
    joint: bool = True

    def stages(self) -> Sequence[TrainingStage]:
        """What comes before the student is trained as a whole."""
        return ()

    def learns(self) -> tuple[nn.Module, ...]:
        """Parts that are optimised together with the student as a whole."""
        return ()

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch, a scalar."""
        raise NotImplementedError


@dataclass(frozen=True)
class Method:
    """Settings of a method; subclasses are frozen dataclasses with a `connect`.

    Attributes
    ----------
    name
        As in the record and on the command line.
    weight
        The usual weight beside a task loss of weight 1.
    """

    name: ClassVar[str]
    weight: ClassVar[float] = 1.0

    @property
    def rounds(self) -> int:
        """How often a new student learns, each time from the one before."""
        return 1

    def renew(self, student: nn.Module, initial: Mapping[str, Tensor]) -> None:
        """Make the student new for the next round, in place; `initial` is its first state."""
        student.load_state_dict(initial)

    def connect(self, pair: Pair) -> Term:
        """Fit the method to a pair of networks.

        Raises
        ------
        ValueError
            Where it cannot be applied to them.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Weighted:
    """A method and the weight of its loss; the method's own weight where none is given."""

    method: Method
    factor: float | None = None

    @property
    def weight(self) -> float:
        """What the loss is multiplied by."""
        return self.method.weight if self.factor is None else self.factor


Methods = Method | Weighted | Sequence[Method | Weighted] | Mapping[Method, float]


def with_weights(methods: Methods) -> tuple[Weighted, ...]:
    """Any way to say which methods with which weights, as a tuple.

    Raises
    ------
    ValueError
        Where a weight is negative or no number.
    """
    if isinstance(methods, Mapping):
        listed = tuple(Weighted(method, factor) for method, factor in methods.items())
    else:
        several = (methods,) if isinstance(methods, Method | Weighted) else tuple(methods)
        listed = tuple(each if isinstance(each, Weighted) else Weighted(each) for each in several)
    for each in listed:
        if not isinstance(each.method, Method):
            raise ValueError(f"{each.method!r} is no method of distillation")
        if not 0 <= each.weight < float("inf"):
            raise ValueError(f"the weight of {each.method.name} is {each.weight}; it must be 0 or more")
    return listed


def first_line(error: Exception) -> str:
    """What an error of torch says, without the pages that may follow."""
    return str(error).strip().split("\n")[0] or type(error).__name__


def part(epochs: int, share: float) -> int:
    """A share of the epochs, at least one."""
    return max(1, round(share * epochs))


def check_share(name: str, share: float) -> None:
    """Refuse a share of the epochs that is not between 0 and 1."""
    if not 0 < share < 1:
        raise ValueError(f"{name}: the share of the epochs is {share}; it must lie between 0 and 1")
