"""What is to be trained, and the data it is trained on: common to all kinds of networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trabecula.learning.ship import KIND as MODELS
from trabecula.learning.store import Dataset, open_dataset
from trabecula.learning.validate import split_shards
from trabecula.storage.owned import hold
from trabecula.surrogate.model import MANIFEST

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainingOrder:
    """What is to be trained, on what, and where it goes.

    Attributes
    ----------
    kind
        "corrector", "leap" or "proposer" (`trabecula.learning.training_run`), "autoencoder"
        (`trabecula.learning.latent.training_run`), or "generator"
        (`trabecula.learning.generator.training_run`).
    data, out
        Data set, and folder of models.
    steps, width, depth, seed
        Of `trabecula.learning.train.TrainingRecipe`.
    solver
        Steps of training through the solver that follow (`trabecula.learning.solver_loss`), not for a
        proposer; none by default, for a stiffer start was measured to lead to a worse end (docs/decisions).
    judge
        Held-out problems that the solver judges a corrector or a proposer by.
    name
        Of the model, else kind and dimension.
    cache
        Folder of prepared examples, else one in the data set.
    workers
        Processes that prepare examples.
    numbers
        In the code of a design (autoencoder).
    """

    kind: str
    data: Path
    out: Path
    steps: int = 4000
    width: int = 24
    depth: int = 1
    seed: int = 0
    solver: int = 0
    judge: int = 16
    name: str | None = None
    cache: Path | None = None
    workers: int = 1
    numbers: int = 64


@dataclass(frozen=True)
class TrainingData:
    """A data set, divided for one training, and where that training keeps its files.

    Attributes
    ----------
    name
        Of the model.
    dataset
        All of it.
    chosen, kept
        Shards to train on, and those held out.
    cache
        Folder of prepared examples.
    checkpoint
        File of the training.
    """

    name: str
    dataset: Dataset
    chosen: list[Path]
    kept: list[Path]
    cache: Path
    checkpoint: Path

    def to_story(self) -> dict[str, object]:
        """What the model card says of the data."""
        return {key: self.dataset.info[key] for key in ("dimension", "seed", "settings", "trabecula")}


@contextmanager
def prepare_training(
    order: TrainingOrder, files: Callable[[str, int], Sequence[str]], what: str, say: Say
) -> Iterator[TrainingData]:
    """Open the data and hold the folder of models, and see that its files can be written.

    Parameters
    ----------
    files
        Names of all files that the training writes, from the model's name and the dimension.
    what
        What is prepared out of the shards, for the user: "examples".

    Raises
    ------
    UnreadableError
        The data set is damaged.
    OwnershipError
        A file cannot be written, or somebody else trains in that folder.
    ValueError
        The data set holds nothing to train on, or the folder of models is that of the prepared examples,
        which other processes write into.
    """
    dataset = open_dataset(order.data)
    chosen, kept = split_shards(dataset.shards)
    if not chosen:
        raise ValueError(f"{order.data} holds no shards to train on; generate more problems")
    kept = kept or chosen[-1:]
    name = order.name or f"{order.kind}-{dataset.dimension}d"
    cache = order.cache or order.data / "prepared"
    if cache.resolve() == order.out.resolve():
        raise ValueError(f"{order.out} is the folder of prepared examples; choose another one for models")
    with hold(order.out, MODELS, remedy="move it away or choose another folder with --out") as held:
        held.check([*files(name, dataset.dimension), MANIFEST])
        say(f"{len(chosen)} shards to train on, {len(kept)} held out; preparing {what}")
        yield TrainingData(name, dataset, chosen, kept, cache, order.out / f"{name}.checkpoint")
