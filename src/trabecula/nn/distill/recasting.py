"""Network recasting (Yu, Kang & Choi, AAAI 2019, arXiv 1809.05262).

One block after the other, from the input's side, a block of the teacher is replaced by the student's block
of another type. At every step the network is a mixture: the student's blocks up to this one, the teacher's
after it; the new block and the next one learn, so that the *next* block's activations have the least mean
squared difference from the teacher's (for the last block: the outputs'). Blocks before are recast already
and rest. Then the whole student is trained, with the task loss and whatever other methods are given.

Teacher and student are networks with the same names inside, except within the blocks: what is outside of
them is taken over from the teacher. Blocks must take and give features of the teacher's width, so the next
block, which the paper starts at random because its width changes, starts as a copy of the teacher's here; it
is thrown away.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trabecula.nn.distill.features import layer, run
from trabecula.nn.distill.method import (
    Method,
    Pair,
    Term,
    TrainingBatch,
    TrainingStage,
    check_share,
    first_line,
    part,
)


@dataclass(frozen=True)
class Recasting(Method):
    """Replace block by block, then train all.

    Parameters
    ----------
    blocks
        Names of the blocks, the same in both networks, in the order in which they run. Without: the
        outermost parts of equal name whose weights differ in name or shape.
    share
        Of the student's epochs that go to the blocks, in equal parts.
    """

    blocks: tuple[str, ...] = ()
    share: float = 0.5
    name: ClassVar[str] = "recasting"

    def __post_init__(self) -> None:
        check_share(self.name, self.share)
        for block in self.blocks:
            if any(other.startswith(f"{block}.") for other in self.blocks):
                raise ValueError(f"recasting: '{block}' contains another of the blocks")

    def connect(self, pair: Pair) -> Term:
        """Check that everything but the blocks is alike, and that every block fits."""
        blocks = self.blocks or differing(pair.teacher, pair.student)
        if not blocks:
            raise ValueError(
                "recasting: teacher and student have the same blocks; there is nothing to recast"
            )
        for block in blocks:
            layer(pair.teacher, block), layer(pair.student, block)
        _outside(pair, blocks)
        term = RecastingTerm(blocks, pair, self.share)
        term.check()
        return term


class RecastingTerm(Term):
    """The mixture of teacher and student, and copies of the teacher's blocks that learn beside it."""

    joint = False

    def __init__(self, blocks: tuple[str, ...], pair: Pair, share: float) -> None:
        super().__init__()
        self.blocks, self._share = blocks, share
        mixture = copy.deepcopy(pair.teacher).eval().requires_grad_(False)
        self.following = nn.ModuleList(copy.deepcopy(layer(mixture, name)) for name in blocks[1:])
        self.following.requires_grad_(True)
        self._pair, self._mixture = (pair,), (mixture,)  # in tuples: neither belongs to this module's state

    def stages(self) -> Sequence[TrainingStage]:
        """A stage for every block."""
        (pair,) = self._pair
        epochs = part(pair.epochs, self._share / len(self.blocks))
        return tuple(
            TrainingStage(
                f"block {name}",
                epochs,
                (layer(pair.student, name), *self.following[k : k + 1]),
                self._step(k),
                self._take_over if k == 0 else _nothing,
            )
            for k, name in enumerate(self.blocks)
        )

    def check(self) -> None:
        """Run the mixture with every block replaced, one more each time, on the first batch.

        Raises
        ------
        ValueError
            Where a block does not fit between the teacher's.
        """
        (pair,) = self._pair
        batch = pair.example
        for k, name in enumerate(self.blocks):
            try:
                with torch.no_grad():
                    self._difference(k, batch, training=False)
            except (RuntimeError, IndexError) as error:
                reason = first_line(error)
                raise ValueError(
                    f"recasting: block '{name}' of the student does not fit: {reason}"
                ) from error

    def _step(self, k: int) -> Callable[[TrainingBatch], dict[str, Tensor]]:
        return lambda batch: {"activations": self._difference(k, batch, training=True)}

    def _difference(self, k: int, batch: TrainingBatch, training: bool) -> Tensor:
        """Mean squared difference of the activations after block k + 1, with blocks up to k the student's."""
        (pair,), (mixture,) = self._pair, self._mixture
        watched = [*self.blocks, ""][k + 1]
        for name in self.blocks[: k + 1]:
            _put(mixture, name, layer(pair.student, name).train(False))
        if k + 1 < len(self.blocks):
            _put(mixture, watched, self.following[k].train(training))
        layer(pair.student, self.blocks[k]).train(training)
        with torch.no_grad():
            aim = _activation(pair.teacher, batch, watched)
        return F.mse_loss(_activation(mixture, batch, watched), aim)

    def _take_over(self) -> None:
        """What is outside of the blocks begins as the teacher's."""
        (pair,) = self._pair
        given = _outside(pair, self.blocks)
        state = pair.student.state_dict()
        pair.student.load_state_dict({**state, **given})


def _nothing() -> None:
    """Nothing to begin with."""


def _activation(network: nn.Module, batch: TrainingBatch, name: str) -> Tensor:
    seen = run(network, batch.inputs, [name] if name else [])
    return seen.features[name] if name else seen.output


def _put(network: nn.Module, name: str, block: nn.Module) -> None:
    """Replace a part of a network."""
    above, _, last = name.rpartition(".")
    setattr(network.get_submodule(above), last, block)


def _outside(pair: Pair, blocks: tuple[str, ...]) -> dict[str, Tensor]:
    """The teacher's weights outside of the blocks, which the student must have as well."""
    inside = tuple(f"{block}." for block in blocks)
    given, taken = (
        {key: value for key, value in network.state_dict().items() if not key.startswith(inside)}
        for network in (pair.teacher, pair.student)
    )
    nowhere = torch.empty(0, 0)
    wrong = [
        key for key in {**given, **taken} if given.get(key, nowhere).shape != taken.get(key, nowhere).shape
    ]
    if wrong:
        raise ValueError(
            "recasting: outside of the blocks teacher and student must be alike, but "
            f"{', '.join(wrong[:4])} differ; name the blocks that hold them"
        )
    return {key: value.clone() for key, value in given.items()}


def differing(teacher: nn.Module, student: nn.Module) -> tuple[str, ...]:
    """The outermost parts of equal name in both networks whose weights differ in name or shape."""
    ours = dict(student.named_children())
    return tuple(
        name
        for name, block in teacher.named_children()
        if name in ours and _shapes(block) != _shapes(ours[name])
    )


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}
