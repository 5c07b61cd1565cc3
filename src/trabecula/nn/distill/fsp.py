"""Flow of solution procedure (Yim et al., CVPR 2017, "A gift from knowledge distillation", eq. 1 and 2).

`G_ij = 1/(h w) sum_{s,t} F1_{s,t,i} F2_{s,t,j}` between two layers of a network, and `L = 1/N sum_x sum_k
lambda_k |G_k^T - G_k^S|_2^2` over the pairs of layers, all lambda alike. Where the two layers differ in
size, the larger is max-pooled to the smaller. Stage 1 trains the student with this loss alone, stage 2 with
the task loss (and whatever other methods are given). Both layers must be as wide as the teacher's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from trabecula.nn.distill.features import shared_landmarks
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
    TrainingBatch,
    TrainingStage,
    check_share,
    part,
)
from trabecula.nn.distill.spatial import max_pool, size_of, smaller

Flow = tuple[str, str]


@dataclass(frozen=True)
class FSP(Method):
    """The Gram matrices between layers.

    Parameters
    ----------
    teacher, student
        Pairs of layers (from, to), one for one. Without: first and last layer of every size both networks
        have that are as wide in both; the last of one size to the last of the next where those are.
    share
        Of the student's epochs that stage 1 takes.
    joint
        Keep the loss in stage 2 (not in the paper).
    """

    teacher: tuple[Flow, ...] = ()
    student: tuple[Flow, ...] = ()
    share: float = 0.3
    joint: bool = False
    name: ClassVar[str] = "fsp"

    def __post_init__(self) -> None:
        check_share(self.name, self.share)
        if len(self.teacher) != len(self.student):
            raise ValueError("fsp: give as many pairs of layers for the teacher as for the student")

    def connect(self, pair: Pair) -> Term:
        """Check that the layers are as wide in both networks."""
        teacher, student = (self.teacher, self.student) if self.teacher else flows(pair)
        term = FSPTerm(teacher, student, pair, self)
        seen = pair.look(term.teacher_layers, term.student_layers)
        for of_teacher, of_student in zip(teacher, student, strict=True):
            for a, b in zip(of_teacher, of_student, strict=True):
                wide = seen.teacher.features[a].shape[1], seen.student.features[b].shape[1]
                if wide[0] != wide[1]:
                    raise ValueError(
                        f"fsp: '{a}' of the teacher has {wide[0]} channels, '{b}' of the student {wide[1]}; "
                        "their matrices must have one shape"
                    )
        return term


class FSPTerm(Term):
    """`sum_k |G_k^T - G_k^S|^2`, mean over examples."""

    def __init__(self, teacher: Sequence[Flow], student: Sequence[Flow], pair: Pair, settings: FSP) -> None:
        super().__init__()
        self.flows = tuple(zip(teacher, student, strict=True))
        self.teacher_layers = tuple(name for flow in teacher for name in flow)
        self.student_layers = tuple(name for flow in student for name in flow)
        self.joint = settings.joint
        self._pair, self._share = (pair,), settings.share

    def stages(self) -> Sequence[TrainingStage]:
        """Stage 1: the student learns the flow alone."""
        (pair,) = self._pair
        return (TrainingStage("fsp", part(pair.epochs, self._share), (pair.student,), self._step),)

    def _step(self, batch: TrainingBatch) -> dict[str, Tensor]:
        (pair,) = self._pair
        return {"fsp": self(pair.watch(batch, self.teacher_layers, self.student_layers))}

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        total = passes.student.output.new_zeros(())
        for (a, b), (c, d) in self.flows:
            taught = flow_matrix(passes.teacher.features[a], passes.teacher.features[b])
            learnt = flow_matrix(passes.student.features[c], passes.student.features[d])
            total = total + ((taught - learnt) ** 2).sum(dim=(1, 2)).mean()
        return total


def flow_matrix(first: Tensor, second: Tensor) -> Tensor:
    """`[batch, m, *space]` and `[batch, n, *space]` to the FSP matrix `[batch, m, n]`."""
    size = smaller(size_of(first), size_of(second))
    a, b = (max_pool(feature, size).flatten(2) for feature in (first, second))
    return torch.einsum("bis,bjs->bij", a, b) / a.shape[2]


def flows(pair: Pair) -> tuple[tuple[Flow, ...], tuple[Flow, ...]]:
    """Pairs of layers that are as wide in teacher and student, for each.

    Raises
    ------
    ValueError
        Where there is none.
    """
    both = shared_landmarks(pair.teacher, pair.student, pair.example.inputs)
    inside = [
        ((t.first, t.last), (s.first, s.last))
        for t, s in both
        if t.first != t.last
        and s.first != s.last
        and (t.first_channels, t.last_channels) == (s.first_channels, s.last_channels)
    ]
    alike = [(t, s) for t, s in both if t.last_channels == s.last_channels]
    across = [((t.last, u.last), (s.last, v.last)) for (t, s), (u, v) in pairwise(alike)]
    found = inside or across
    if not found:
        widths = "; ".join(
            f"{'x'.join(map(str, t.size))}: {t.last_channels} and {s.last_channels}" for t, s in both
        )
        raise ValueError(
            "fsp needs two layers as wide in the student as in the teacher; "
            f"the last ones have channels {widths}"
        )
    return tuple(each[0] for each in found), tuple(each[1] for each in found)
