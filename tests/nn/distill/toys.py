"""Small networks and batches for the tests of distillation, and a comparison of losses with NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trabecula.nn.distill import (
    CLASSES,
    ForwardPass,
    Output,
    Pair,
    PairedPasses,
    Term,
)

Array = NDArray[np.float64]
Batches = list[tuple[Tensor, Tensor]]
CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
ENDS = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


def block(dimension: int, channels: int, depth: int = 1) -> nn.Sequential:
    """Convolutions that keep width and size."""
    parts: list[nn.Module] = []
    for _ in range(depth):
        parts += [CONVOLUTIONS[dimension](channels, channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*parts)


def classifier(width: int, seed: int = 0, dimension: int = 2, depth: int = 2) -> nn.Sequential:
    """Two blocks on two sizes, pooled, and three classes."""
    torch.manual_seed(seed)
    net = nn.Sequential()
    net.add_module("stem", CONVOLUTIONS[dimension](1, width, 3, padding=1))
    net.add_module("norm", {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[dimension](width))
    net.add_module("first", block(dimension, width, depth))
    net.add_module("pool", POOLS[dimension](2))
    net.add_module("second", block(dimension, width, depth))
    net.add_module("mean", ENDS[dimension](1))
    net.add_module("flat", nn.Flatten())
    net.add_module("head", nn.Linear(width, 3))
    return net


class Dense(nn.Module):
    """Down, up, and a logit for every voxel: `[batch, 1, *space]` to the same."""

    def __init__(self, width: int, dimension: int, depth: int = 1) -> None:
        super().__init__()
        self.stem = CONVOLUTIONS[dimension](1, width, 3, padding=1)
        self.fine = block(dimension, width, depth)
        self.pool = POOLS[dimension](2)
        self.coarse = block(dimension, width, depth)
        self.up = nn.Upsample(scale_factor=2)
        self.head = CONVOLUTIONS[dimension](width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fine(torch.relu(self.stem(x)))
        logits: Tensor = self.head(x + self.up(self.coarse(self.pool(x))))
        return logits


class Reader(nn.Module):
    """A recurrent network over `[batch, length, 2]` with three classes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(2, width, batch_first=True)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.gru(x)[0][:, -1])
        return logits


def dense(width: int, dimension: int, seed: int = 0, depth: int = 1) -> Dense:
    torch.manual_seed(seed)
    return Dense(width, dimension, depth)


def class_batches(dimension: int = 2, size: int = 6, count: int = 3, batch: int = 6) -> Batches:
    """Pictures whose class is where they are bright."""
    g = torch.Generator().manual_seed(5)
    found = []
    for _ in range(count):
        x = torch.randn(batch, 1, *(size,) * dimension, generator=g)
        y = (
            x[:, 0, ..., :3].flatten(1, -2).mean(dim=1).argmax(dim=1)
            if dimension > 1
            else x[:, 0, :3].argmax(1)
        )
        found.append((x, y))
    return found


def dense_batches(dimension: int, size: int = 4, count: int = 2, batch: int = 3) -> Batches:
    g = torch.Generator().manual_seed(6)
    inputs = [torch.randn(batch, 1, *(size,) * dimension, generator=g) for _ in range(count)]
    return [(x, (x > 0).float()) for x in inputs]


def pair_of(
    teacher: nn.Module, student: nn.Module, batches: Batches, output: Output = CLASSES, epochs: int = 4
) -> Pair:
    return Pair(teacher.eval(), student, output, batches, epochs)


def moment(
    teacher: Array | None = None,
    student: Tensor | None = None,
    features: tuple[dict[str, Array], dict[str, Tensor]] = ({}, {}),
    targets: Tensor | None = None,
) -> PairedPasses:
    """What a term is given, from arrays."""
    zero = torch.zeros(1, dtype=torch.float64)
    return PairedPasses(
        ForwardPass(zero if teacher is None else torch.from_numpy(teacher), _tensors(features[0])),
        ForwardPass(zero if student is None else student, features[1]),
        targets,
    )


def _tensors(arrays: dict[str, Array]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def assert_same(
    loss: Callable[[Tensor], Tensor], reference: Callable[[Array], float], at: Array, tolerance: float = 1e-6
) -> None:
    """Value and gradient of a loss against NumPy and its central differences, in double precision."""
    x = torch.from_numpy(at.copy()).requires_grad_(True)
    value = loss(x)
    assert value.ndim == 0
    np.testing.assert_allclose(value.item(), reference(at), rtol=1e-10, atol=1e-13)
    (gradient,) = torch.autograd.grad(value, x)
    step, expected = 1e-6, np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        expected[index] = (reference(up) - reference(down)) / (2 * step)
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-5, atol=tolerance)


def output_loss(term: Term, teacher: Array, targets: Tensor | None = None) -> Callable[[Tensor], Tensor]:
    """A term's loss as a function of the student's output."""
    return lambda z: term(moment(teacher, z, targets=targets))


def feature_loss(term: Term, teacher: Array) -> Callable[[Tensor], Tensor]:
    """A term's loss as a function of the student's one feature; the layers are called t and s."""
    return lambda feature: term(moment(features=({"t": teacher}, {"s": feature})))


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)
