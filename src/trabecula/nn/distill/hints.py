"""Hints (Romero et al. 2015, "FitNets: hints for thin deep nets", arXiv 1412.6550, eq. 3).

Stage 1: `L = 1/2 |u_h(x) - r(v_g(x))|^2`, u_h a middle layer of the teacher, v_g one of the student, r a
regressor that maps the student's width and size to the teacher's: a convolution without padding whose kernel
has `N_g - N_h + 1` places, N the sizes of the two maps. Only the student up to the guided layer and the
regressor learn. Stage 2: the student as a whole, with the task loss and whatever other methods are given
(the paper's: soft targets); the regressor is thrown away. The norm is summed over an example's features,
mean over the examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

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
from trabecula.nn.distill.spatial import (
    CONVOLUTIONS,
    rank,
    size_of,
    with_space,
)


@dataclass(frozen=True)
class Hints(Method):
    """A hidden layer of the student learns to predict one of the teacher.

    Parameters
    ----------
    hint, guided
        Names of the teacher's and the student's layer. Without: the middle one of the sizes both have.
    share
        Of the student's epochs that stage 1 takes.
    joint
        Keep the loss and the regressor in stage 2 (not in the paper; later comparisons do).
    """

    hint: str | None = None
    guided: str | None = None
    share: float = 0.3
    joint: bool = False
    name: ClassVar[str] = "hints"

    def __post_init__(self) -> None:
        check_share(self.name, self.share)
        if (self.hint is None) != (self.guided is None):
            raise ValueError("hints: give both the teacher's and the student's layer, or none")

    def connect(self, pair: Pair) -> Term:
        """Make the regressor for the shapes of the two layers."""
        hint, guided = self._layers(pair)
        seen = pair.look([hint], [guided])
        regressor = make_regressor(seen.student.features[guided], seen.teacher.features[hint])
        return HintsTerm(hint, guided, regressor.to(pair.device), pair, self)

    def _layers(self, pair: Pair) -> tuple[str, str]:
        if self.hint is not None and self.guided is not None:
            return self.hint, self.guided
        both = shared_landmarks(pair.teacher, pair.student, pair.example.inputs)
        of_teacher, of_student = both[(len(both) - 1) // 2]
        return of_teacher.last, of_student.last


class HintsTerm(Term):
    """`1/2 |hint - regressor(guided)|^2`, summed over features, mean over examples."""

    def __init__(self, hint: str, guided: str, regressor: nn.Module, pair: Pair, settings: Hints) -> None:
        super().__init__()
        self.teacher_layers, self.student_layers = (hint,), (guided,)
        self.joint = settings.joint
        self.regressor = regressor
        self._pair, self._share = (pair,), settings.share

    def stages(self) -> Sequence[TrainingStage]:
        """Stage 1: only what lies before the guided layer has gradients, so only that learns."""
        (pair,) = self._pair
        return (
            TrainingStage(
                "hints", part(pair.epochs, self._share), (pair.student, self.regressor), self._step
            ),
        )

    def _step(self, batch: TrainingBatch) -> dict[str, Tensor]:
        (pair,) = self._pair
        return {"hints": self(pair.watch(batch, self.teacher_layers, self.student_layers))}

    def learns(self) -> tuple[nn.Module, ...]:
        """The regressor, where the loss stays in stage 2."""
        return (self.regressor,) if self.joint else ()

    def forward(self, passes: PairedPasses) -> Tensor:
        """The loss of a batch."""
        hint = with_space(passes.teacher.features[self.teacher_layers[0]])
        guess: Tensor = self.regressor(with_space(passes.student.features[self.student_layers[0]]))
        return 0.5 * ((hint - guess) ** 2).flatten(1).sum(dim=1).mean()


def make_regressor(guided: Tensor, hint: Tensor) -> nn.Module:
    """A convolution from one feature's width and size to another's.

    Raises
    ------
    ValueError
        Where the guided feature is smaller than the hint along an axis.
    """
    come, go = size_of(guided), size_of(hint)
    if len(come) != len(go) or any(a < b for a, b in zip(come, go, strict=True)):
        raise ValueError(
            f"hints: the student's layer has {_text(come)} places, the teacher's {_text(go)}; "
            "choose a layer of the student with as many places or more"
        )
    kernel = tuple(a - b + 1 for a, b in zip(come, go, strict=True))
    return CONVOLUTIONS[rank(come) - 1](guided.shape[1], hint.shape[1], kernel)  # type: ignore[arg-type]


def _text(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
