"""Attention transfer (Zagoruyko & Komodakis 2017, "Paying more attention to attention", 1612.03928, eq. 2).

`L = (beta/2) sum_j | Q_S^j / |Q_S^j|_2 - Q_T^j / |Q_T^j|_2 |_p`, where `Q = sum_c |F_c|^q` (q = 2) is a
layer's spatial attention map as one vector, p = 2, mean over the batch. The paper's beta is 10^3 divided by
the number of elements of the map and the batch: so the weight here is the 10^3, and every layer's norm is
divided by its elements. (The authors' code has the mean of the squared differences in place of the norm.)
Beside a task loss, and soft targets. Maps of different size: the larger is averaged to the smaller. For maps
much smaller than the paper's 32x32 to 8x8, 1000 drowns the task: take less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.linalg import vector_norm
from torch.nn import functional as F

from trabecula.nn.distill.features import shared_landmarks
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
)
from trabecula.nn.distill.spatial import (
    average_pool,
    size_of,
    smaller,
    with_space,
)


@dataclass(frozen=True)
class Attention(Method):
    """Where the network looks.

    Parameters
    ----------
    layers
        Pairs (teacher's layer, student's layer). Without: the last of every size both networks have.
    power
        q of the attention map.
    p
        Norm of the difference.
    per_element
        Divide a layer's norm by the number of elements of its map.
    """

    layers: tuple[tuple[str, str], ...] = ()
    power: float = 2.0
    p: float = 2.0
    per_element: bool = True
    name: ClassVar[str] = "attention"
    weight: ClassVar[float] = 1000.0

    def connect(self, pair: Pair) -> Term:
        """Find the layers, and check that their maps can be compared."""
        layers = self.layers or tuple(
            (t.last, s.last) for t, s in shared_landmarks(pair.teacher, pair.student, pair.example.inputs)
        )
        term = AttentionTerm(layers, self)
        seen = pair.look(term.teacher_layers, term.student_layers)
        for a, b in layers:
            smaller(size_of(seen.teacher.features[a]), size_of(seen.student.features[b]))
        return term


class AttentionTerm(Term):
    """`1/2 sum_j |difference of normalised maps|_p`, mean over examples."""

    def __init__(self, layers: tuple[tuple[str, str], ...], settings: Attention) -> None:
        super().__init__()
        self.layers, self.settings = layers, settings
        self.teacher_layers = tuple(a for a, _ in layers)
        self.student_layers = tuple(b for _, b in layers)

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        total = passes.student.output.new_zeros(())
        for a, b in self.layers:
            teacher, student = passes.teacher.features[a], passes.student.features[b]
            size = smaller(size_of(teacher), size_of(student))
            taught, learnt = (attention_map(each, size, self.settings.power) for each in (teacher, student))
            norm: Tensor = vector_norm(learnt - taught, self.settings.p, dim=1).mean()
            total = total + 0.5 * norm / (taught.shape[1] if self.settings.per_element else 1)
        return total


def attention_map(feature: Tensor, size: tuple[int, ...], power: float = 2.0) -> Tensor:
    """`[batch, channels, *space]` to the normalised attention map `[batch, places]` at a size."""
    attention = with_space(feature).abs().pow(power).sum(dim=1, keepdim=True)
    return F.normalize(average_pool(attention, size).flatten(1), dim=1)
