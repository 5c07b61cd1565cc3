"""How unsure an answer is: one number from 0 (sure) to 1 for every example of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def one_minus_probability(logits: Tensor) -> Tensor:
    """One minus the largest softmax probability.

    Parameters
    ----------
    logits
        `[example, class]`.

    Returns
    -------
    Tensor
        `[example]`, 0 to 1.
    """
    return 1 - logits.softmax(1).amax(1)


def one_minus_margin(logits: Tensor) -> Tensor:
    """One minus the margin between the two largest probabilities (Park et al. 2015, big/LITTLE networks).

    Parameters
    ----------
    logits
        `[example, class]`.

    Returns
    -------
    Tensor
        `[example]`, 0 to 1.
    """
    first, second = logits.softmax(1).topk(2, dim=1).values.unbind(1)
    return 1 - (first - second)


def voxel_entropy(logits: Tensor) -> Tensor:
    """Mean entropy in bits of independent yes/no outputs, each with probability sigmoid(logit).

    Parameters
    ----------
    logits
        `[example, ...]`, before the sigmoid.

    Returns
    -------
    Tensor
        `[example]`, 0 to 1.
    """
    probability = logits.sigmoid()
    nats = -(
        probability * torch.nn.functional.logsigmoid(logits)
        + (1 - probability) * torch.nn.functional.logsigmoid(-logits)
    )
    return nats.flatten(1).mean(1) / math.log(2)


def class_entropy(logits: Tensor) -> Tensor:
    """Mean entropy of dense class outputs, relative to that of guessing.

    Parameters
    ----------
    logits
        `[example, class, ...]`.

    Returns
    -------
    Tensor
        `[example]`, 0 to 1.
    """
    logs = logits.log_softmax(1)
    nats = -(logs.exp() * logs).sum(1)
    return nats.reshape(len(nats), -1).mean(1) / math.log(logits.shape[1])
