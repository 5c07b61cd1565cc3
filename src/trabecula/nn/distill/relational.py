"""Relational distillation (Park, Kim, Lu & Cho, CVPR 2019, arXiv 1904.05068, section 3.2).

Distance: `psi_D(i, j) = |t_i - t_j| / mu`, mu the mean over the pairs of the batch; angle: `psi_A(i, j, k)
= <e_ij, e_kj>` with `e_ij = (t_i - t_j) / |t_i - t_j|`, the cosine of the angle at j. The loss is Huber's
(delta = 1) between the teacher's and the student's psi, here the mean over all pairs i != j and over all
triples of different i, j, k. Neither changes when one network's embeddings are scaled, moved or rotated, and
the two networks' embeddings need not have one dimension. Nothing is normalised. Memory: batch^2 (dimension +
batch).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from trabecula.nn.distill.features import landmarks
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
)
from trabecula.nn.distill.spatial import average_pool, size_of


@dataclass(frozen=True)
class Relational(Method):
    """Distances and angles between the examples of a batch.

    Parameters
    ----------
    layers
        The teacher's and the student's embedding; features in space are averaged over it. Without: the last
        layer of each before its output.
    distance, angle
        Weights of the two (25 and 50 in the paper's classification; 1 to 2 in metric learning).
    """

    layers: tuple[str, str] | None = None
    distance: float = 25.0
    angle: float = 50.0
    name: ClassVar[str] = "relational"

    def __post_init__(self) -> None:
        if min(self.distance, self.angle) < 0 or self.distance + self.angle == 0:
            raise ValueError("relational: the weights of distance and angle are 0 or more, and one is more")

    def connect(self, pair: Pair) -> Term:
        """Find the embeddings."""
        inputs = pair.example.inputs
        layers = self.layers or (_embedding(pair.teacher, inputs), _embedding(pair.student, inputs))
        pair.look([layers[0]], [layers[1]])
        return RelationalTerm(layers, self.distance, self.angle)


def _embedding(network: torch.nn.Module, inputs: Tensor | tuple[Tensor, ...]) -> str:
    marks = landmarks(network, inputs)
    return marks[-1].last if marks else ""


class RelationalTerm(Term):
    """`distance * Huber of distances + angle * Huber of angles`."""

    def __init__(self, layers: tuple[str, str], distance: float, angle: float) -> None:
        super().__init__()
        self.teacher_layers, self.student_layers = layers[:1], layers[1:]
        self.distance, self.angle = distance, angle

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch; 0 for a batch with too few examples."""
        teacher = embedding(passes.teacher.features[self.teacher_layers[0]])
        student = embedding(passes.student.features[self.student_layers[0]])
        total = 0 * student.sum()
        if self.distance and len(student) > 1:
            total = total + self.distance * distance_loss(teacher, student)
        if self.angle and len(student) > 2:
            total = total + self.angle * angle_loss(teacher, student)
        return total


def embedding(feature: Tensor) -> Tensor:
    """`[batch, channels, *space]` averaged over space: `[batch, channels]`."""
    size = size_of(feature)
    pooled: Tensor = average_pool(feature, (1,) * len(size))
    return pooled.flatten(1)


def distance_loss(teacher: Tensor, student: Tensor) -> Tensor:
    """Huber between distances, each divided by its mean; embeddings `[n, a]` and `[n, b]`, n at least 2."""
    return F.smooth_l1_loss(relative_distances(student), relative_distances(teacher))


def relative_distances(points: Tensor) -> Tensor:
    """`|t_i - t_j| / mu` of all pairs i < j, `[n (n-1) / 2]`; zeros where all points coincide."""
    i, j = torch.triu_indices(len(points), len(points), offset=1, device=points.device)
    distances: Tensor = torch.linalg.vector_norm(points[i] - points[j], dim=1)
    mean = distances.mean()
    return distances / torch.where(mean > 0, mean, torch.ones_like(mean))


def angle_loss(teacher: Tensor, student: Tensor) -> Tensor:
    """Huber between cosines of angles; embeddings `[n, a]` and `[n, b]`, n at least 3."""
    n = len(student)
    losses = F.smooth_l1_loss(angles(student), angles(teacher), reduction="none")
    # i = k is no angle; where i or k is j, both cosines are 0 and nothing is added
    losses = losses.masked_fill(torch.eye(n, dtype=torch.bool, device=losses.device), 0.0)
    return losses.sum() / (n * (n - 1) * (n - 2))


def angles(points: Tensor) -> Tensor:
    """`<e_ij, e_kj>`, `[j, i, k]`; 0 where points coincide."""
    directions: Tensor = F.normalize(points.unsqueeze(0) - points.unsqueeze(1), dim=2)
    return directions @ directions.transpose(1, 2)
