"""A little network answers; where it is unsure, a big one does.

Park, Kim, Kim, Kim, Kim and Yoo 2015, "Big/little deep neural network for ultra low power inference".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trabecula.nn.compress.doubt import one_minus_margin
from trabecula.nn.compress.threshold import choose_threshold

Network = Callable[[Tensor], Tensor]
Doubt = Callable[[Tensor], Tensor]
Error = Callable[[Tensor, Tensor], Tensor]


def zero_one_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Error of 0 or 1: whether the largest of `[example, class]` is not the target class."""
    return (outputs.argmax(1) != targets).to(torch.float64)


@dataclass(frozen=True)
class Answer:
    """What a cascade says.

    Parameters
    ----------
    outputs
        `[example, ...]`, from whichever network answered.
    asked_big
        `[example]`: whether the big network did.
    """

    outputs: Tensor
    asked_big: Tensor

    @property
    def share(self) -> float:
        """Share of the examples sent to the big network."""
        return float(self.asked_big.double().mean())


@dataclass(frozen=True)
class CascadeReport:
    """A cascade on labelled data: mean errors, and the share sent to the big network."""

    error: float
    little_error: float
    big_error: float
    share: float


@dataclass(frozen=True)
class Cascade:
    """A little network that answers, and a big one for what it is unsure of.

    Parameters
    ----------
    little, big
        Networks with outputs of the same shape; modules are put into evaluation mode.
    threshold
        The big one is asked where the doubt is above this.
    doubt
        From the little network's outputs to `[example]`: `one_minus_margin` or `one_minus_probability` for
        classes, `voxel_entropy` or `class_entropy` for dense outputs.
    """

    little: Network
    big: Network
    threshold: float
    doubt: Doubt = one_minus_margin

    def __call__(self, inputs: Tensor) -> Tensor:
        """Outputs for a batch `[example, ...]`."""
        return self.answer(inputs).outputs

    def answer(self, inputs: Tensor) -> Answer:
        """Outputs for a batch, and who gave them.

        Parameters
        ----------
        inputs
            `[example, ...]`; the big network sees only the examples it is asked for.
        """
        outputs = _run(self.little, inputs)
        asked = self.doubt(outputs) > self.threshold
        if asked.any():
            outputs = outputs.clone()
            outputs[asked] = _run(self.big, inputs[asked]).to(outputs.dtype)
        return Answer(outputs, asked)

    def report(self, inputs: Tensor, targets: Tensor, error: Error = zero_one_loss) -> CascadeReport:
        """Errors of the pair and of both alone.

        Parameters
        ----------
        inputs, targets
            Data not used for training or for the threshold.
        error
            From outputs and targets to `[example]`.
        """
        answer = self.answer(inputs)
        little, big = (error(_run(each, inputs), targets) for each in (self.little, self.big))
        return CascadeReport(
            error=float(error(answer.outputs, targets).double().mean()),
            little_error=float(little.double().mean()),
            big_error=float(big.double().mean()),
            share=answer.share,
        )


def fit_cascade(
    little: Network,
    big: Network,
    inputs: Tensor,
    targets: Tensor,
    target_error: float,
    *,
    doubt: Doubt = one_minus_margin,
    error: Error = zero_one_loss,
    confidence: float | None = 0.9,
) -> Cascade:
    """A cascade whose threshold keeps a target error, chosen on validation data.

    Parameters
    ----------
    little, big
        Networks.
    inputs, targets
        Validation data, unseen in training.
    target_error
        Mean error to keep.
    doubt, error
        See `Cascade` and `Cascade.report`.
    confidence
        See `choose_threshold`.

    Raises
    ------
    ValueError
        Where even the big network alone does not keep the target.
    """
    outputs = _run(little, inputs)
    choice = choose_threshold(
        doubt(outputs).numpy(),
        error(outputs, targets).numpy(),
        error(_run(big, inputs), targets).numpy(),
        target_error,
        confidence,
    )
    return Cascade(little, big, choice.threshold, doubt)


def _run(network: Network, inputs: Tensor) -> Tensor:
    if isinstance(network, nn.Module):
        network.eval()
    with torch.no_grad():
        return network(inputs)
