"""Factor transfer (Kim, Park & Kwak, NeurIPS 2018, "Paraphrasing complex network", 1802.04977, section 3).

A paraphraser, a convolutional auto-encoder on the teacher's last group of features, is trained first and
without labels: `L_rec = |x - P(x)|^2`; its middle, `k` times the teacher's channels wide, is the teacher's
factor F_T. A translator maps the student's features to a factor F_S of the same width and learns with the
student: `L = | F_T / |F_T|_2 - F_S / |F_S|_2 |_p`, p = 1, k = 0.5. The usual weight of 500 belongs to the
mean over the elements of a factor. Mean over examples. Beside a task loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn import functional as F

from trabecula.nn.distill.features import run, shared_landmarks
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
    TrainingBatch,
    TrainingStage,
    part,
)
from trabecula.nn.distill.spatial import (
    CONVOLUTIONS,
    TRANSPOSED,
    average_pool,
    rank,
    size_of,
    smaller,
    with_space,
)

SLOPE = 0.1


@dataclass(frozen=True)
class Factor(Method):
    """What the teacher's features come down to, in the student's own words.

    Parameters
    ----------
    layers
        The teacher's and the student's layer. Without: the last ones of a size both networks have.
    rate
        k, the factor's channels as a share of the teacher's.
    p
        Norm of the difference.
    per_element
        Divide the norm by the number of elements of a factor.
    share
        Epochs of the paraphraser, as a share of the student's; they do not count as the student's.
    """

    layers: tuple[str, str] | None = None
    rate: float = 0.5
    p: float = 1.0
    per_element: bool = True
    share: float = 0.3
    name: ClassVar[str] = "factor"
    weight: ClassVar[float] = 500.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"factor: the rate is {self.rate}; it must be above 0")
        if not 0 < self.share < float("inf"):
            raise ValueError(f"factor: the share of the epochs is {self.share}; it must be above 0")

    def connect(self, pair: Pair) -> Term:
        """Make paraphraser and translator for the shapes of the two layers."""
        layers = self.layers or self._default_layers(pair)
        seen = pair.look([layers[0]], [layers[1]])
        teacher, student = seen.teacher.features[layers[0]], seen.student.features[layers[1]]
        size = smaller(size_of(teacher), size_of(student))
        width = max(1, round(self.rate * teacher.shape[1]))
        paraphraser = Paraphraser(rank(size), teacher.shape[1], width).to(pair.device)
        translator = encoder(rank(size), student.shape[1], width).to(pair.device)
        return FactorTerm(layers, size, paraphraser, translator, pair, self)

    @staticmethod
    def _default_layers(pair: Pair) -> tuple[str, str]:
        of_teacher, of_student = shared_landmarks(pair.teacher, pair.student, pair.example.inputs)[-1]
        return of_teacher.last, of_student.last


class FactorTerm(Term):
    """`| F_T / |F_T| - F_S / |F_S| |_p`, mean over examples."""

    def __init__(
        self,
        layers: tuple[str, str],
        size: tuple[int, ...],
        paraphraser: Paraphraser,
        translator: nn.Module,
        pair: Pair,
        settings: Factor,
    ) -> None:
        super().__init__()
        self.teacher_layers, self.student_layers = layers[:1], layers[1:]
        self.size, self.settings = size, settings
        self.paraphraser, self.translator = paraphraser, translator
        self._pair = (pair,)

    def stages(self) -> Sequence[TrainingStage]:
        """The paraphraser learns to reconstruct the teacher's features."""
        epochs = part(self._pair[0].epochs, self.settings.share)
        return (TrainingStage("paraphraser", epochs, (self.paraphraser,), self._step, on_student=False),)

    def _step(self, batch: TrainingBatch) -> dict[str, Tensor]:
        with torch.no_grad():
            seen = run(self._pair[0].teacher, batch.inputs, self.teacher_layers)
        feature = self._at_size(seen.features[self.teacher_layers[0]])
        return {"reconstruction": F.mse_loss(self.paraphraser(feature), feature)}

    def learns(self) -> tuple[nn.Module, ...]:
        """The translator; the paraphraser is frozen by now."""
        return (self.translator,)

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        with torch.no_grad():
            taught = self.paraphraser.encode(self._at_size(passes.teacher.features[self.teacher_layers[0]]))
        learnt: Tensor = self.translator(self._at_size(passes.student.features[self.student_layers[0]]))
        a, b = (F.normalize(factor.flatten(1), dim=1) for factor in (taught, learnt))
        norm: Tensor = vector_norm(a - b, self.settings.p, dim=1).mean()
        return norm / (a.shape[1] if self.settings.per_element else 1)

    def _at_size(self, feature: Tensor) -> Tensor:
        return average_pool(with_space(feature), self.size)


class Paraphraser(nn.Module):
    """A convolutional auto-encoder that keeps the size: `[batch, channels, *space]` to the same.

    Parameters
    ----------
    dimension
        Of space: 1, 2 or 3.
    channels
        Of the teacher's features.
    width
        Channels of the factor.
    """

    def __init__(self, dimension: int, channels: int, width: int) -> None:
        super().__init__()
        back = TRANSPOSED[dimension - 1]
        self.encode = encoder(dimension, channels, width)
        self.decode = nn.Sequential(
            back(width, width, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            back(width, channels, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            back(channels, channels, 3, padding=1),
        )

    def forward(self, feature: Tensor) -> Tensor:
        """The reconstruction."""
        decoded: Tensor = self.decode(self.encode(feature))
        return decoded


def encoder(dimension: int, channels: int, width: int) -> nn.Sequential:
    """Three convolutions from features to a factor, `[batch, width, *space]`."""
    conv = CONVOLUTIONS[dimension - 1]
    return nn.Sequential(
        conv(channels, channels, 3, padding=1),
        nn.LeakyReLU(SLOPE),
        conv(channels, width, 3, padding=1),
        nn.LeakyReLU(SLOPE),
        conv(width, width, 3, padding=1),
    )
