"""Three small tasks on the digits of scikit-learn, with a teacher and a student that nine methods can teach.

Pictures (classes), rows (a sequence, classes), and clean (a density for every pixel). A student has the
teacher's stem, head and widths between blocks, which Gram matrices and recasting need; its blocks are narrow
inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from trabecula.nn.distill import (
    CLASSES,
    DENSITIES,
    FSP,
    Attention,
    Factor,
    Hints,
    Method,
    Output,
    Relational,
)

WIDTH = 24
TRAINED_ON = 500
BATCH = 50
NOISE = 0.4

Examples = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Size:
    """Of what lies inside the blocks."""

    inner: int
    layers: int


TEACHER, STUDENT = Size(32, 2), Size(8, 1)


@dataclass(frozen=True)
class Task:
    """What is learnt, by which networks, and which of their layers are compared.

    Attributes
    ----------
    make
        A network of a size; the last argument is the dimension of an embedding before the head, 0 for none.
    prepare
        Digits (`[n, 1, 8, 8]`, 0 to 1) and labels to inputs and targets.
    layers
        The two layers after the blocks, the same in both networks.
    """

    name: str
    what: str
    output: Output
    make: Callable[[Size, int], nn.Module]
    prepare: Callable[[Tensor, Tensor], Examples]
    layers: tuple[str, str]

    def features(self) -> dict[str, Method]:
        """The methods that compare features, at the same layers."""
        first, second = self.layers
        return {
            "hints": Hints(first, first),
            "fsp": FSP(((first, second),), ((first, second),)),
            "attention": Attention(((first, first), (second, second))),
            "factor": Factor((second, second)),
            "relational": Relational((second, second)),
        }


class Convolutions(nn.Module):
    """`WIDTH` channels to as many: a residual block whose inside has a size of its own."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(WIDTH, size.inner, 1), nn.BatchNorm2d(size.inner), nn.ReLU()]
        for _ in range(size.layers):
            parts += [nn.Conv2d(size.inner, size.inner, 3, padding=1), nn.BatchNorm2d(size.inner), nn.ReLU()]
        self.inside = nn.Sequential(*parts, nn.Conv2d(size.inner, WIDTH, 1), nn.BatchNorm2d(WIDTH))
        self.out = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, WIDTH, h, w]` to the same."""
        return cast("Tensor", self.out(x + self.inside(x)))


class Recurrence(nn.Module):
    """`[batch, length, WIDTH]` to the same: what a GRU with a size of its own adds."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.gru = nn.GRU(WIDTH, size.inner, size.layers, batch_first=True)
        self.back, self.out = nn.Linear(size.inner, WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Every place knows what came before it."""
        return cast("Tensor", self.out(x + self.back(self.gru(x)[0])))


def head(embedding: int) -> nn.Sequential:
    """Ten classes from `WIDTH` numbers, through an embedding where one is asked for."""
    if not embedding:
        return nn.Sequential(nn.Linear(WIDTH, 10))
    return nn.Sequential(nn.Linear(WIDTH, embedding), nn.Linear(embedding, 10))


class Pictures(nn.Module):
    """Pictures to ten classes."""

    def __init__(self, size: Size, embedding: int = 0) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, WIDTH, 3, padding=1), nn.ReLU())
        self.first, self.second = Convolutions(size), Convolutions(size)
        self.pool = nn.MaxPool2d(2)
        self.head = head(embedding)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, 1, 8, 8]` to `[batch, 10]`."""
        x = self.second(self.pool(self.first(self.stem(x))))
        return cast("Tensor", self.head(x.mean(dim=(2, 3))))


class Rows(nn.Module):
    """Pictures read row by row, to ten classes."""

    def __init__(self, size: Size, embedding: int = 0) -> None:
        super().__init__()
        self.stem = nn.Linear(8, WIDTH)
        self.first, self.second = Recurrence(size), Recurrence(size)
        self.head = head(embedding)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, 8, 8]` (row, pixel) to `[batch, 10]`."""
        x = self.second(torch.relu(self.first(self.stem(x))))
        return cast("Tensor", self.head(torch.relu(x[:, -1])))


class Clean(nn.Module):
    """Noisy pictures to the logits of every pixel: down, up, and added."""

    def __init__(self, size: Size, embedding: int = 0) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, WIDTH, 3, padding=1), nn.ReLU())
        self.first, self.second = Convolutions(size), Convolutions(size)
        self.pool, self.twice = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
        self.head = nn.Conv2d(WIDTH, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, 1, 8, 8]` to the same."""
        fine = self.first(self.stem(x))
        return cast("Tensor", self.head(fine + self.twice(self.second(self.pool(fine)))))


def noisy(pictures: Tensor, labels: Tensor) -> Examples:
    """Pictures with Gaussian noise, and the pictures themselves."""
    g = torch.Generator().manual_seed(0)
    return pictures + NOISE * torch.randn(pictures.shape, generator=g), pictures


LAYERS = ("first.out", "second.out")
TASKS = (
    Task("pictures", "8x8 pictures, ten classes", CLASSES, Pictures, lambda x, y: (x, y), LAYERS),
    Task("rows", "8 rows of 8 pixels, ten classes", CLASSES, Rows, lambda x, y: (x[:, 0], y), LAYERS),
    Task("clean", "noisy 8x8 pictures, density of every pixel", DENSITIES, Clean, noisy, LAYERS),
)
BY_NAME = {task.name: task for task in TASKS}


def examples(task: Task, trained_on: int = TRAINED_ON) -> tuple[Examples, Examples]:
    """Training and test examples; the split is the same for every seed."""
    digits = load_digits()
    pictures = torch.from_numpy(digits.images).float().unsqueeze(1) / 16
    labels = torch.from_numpy(digits.target).long()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    inputs, targets = task.prepare(pictures[order], labels[order])
    return (inputs[:trained_on], targets[:trained_on]), (inputs[trained_on:], targets[trained_on:])


def batches(given: Examples) -> Callable[[int], list[Examples]]:
    """Shuffled anew every epoch, from torch's seed."""
    inputs, targets = given

    def epoch(_: int) -> list[Examples]:
        parts = torch.randperm(len(inputs)).split(BATCH)
        return [(inputs[part], targets[part]) for part in parts]

    return epoch
