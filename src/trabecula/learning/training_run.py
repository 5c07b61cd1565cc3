"""A whole training: data in, examples, network, judgement by the solver, file out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trabecula.learning.checkpoint import seconds_of
from trabecula.learning.examples import prepare_all
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.search_comparison import (
    SearchComparison,
    all_samples,
    compare_searches,
    summary_rows,
)
from trabecula.learning.ship import KIND as MODELS
from trabecula.learning.ship import ship, update_card
from trabecula.learning.solver_loss import (
    DRAWINGS,
    Polish,
    SolverCase,
    cases,
    share_of_compliance,
    train_through_solver,
)
from trabecula.learning.store import Dataset, open_dataset, read_shard
from trabecula.learning.train import TrainingRecipe, held_out_errors, train
from trabecula.learning.validate import (
    Judgement,
    all_hand_overs,
    best_hand_over,
    hand_over_samples,
    judge,
    split_shards,
    table,
)
from trabecula.starts import HalfGrey, ProposalNetwork
from trabecula.starts.proposal_network import GREY
from trabecula.starts.volume import SHARPNESS
from trabecula.storage.owned import hold
from trabecula.surrogate import Card, load_model
from trabecula.surrogate.model import MANIFEST

BATCHES = {"corrector": 8, "leap": 8, "proposer": 16}
"""Examples a step: those of the coarsest grid are small, and noise wants many."""

CASES = 800
"""Designs drawn and solved in training through the solver are taken from so many."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainingOrder:
    """What is to be trained, on what, and where it goes.

    Attributes
    ----------
    kind
        "corrector", "leap" or "proposer", or "autoencoder" (`trabecula.learning.latent.training_run`).
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


def train_and_ship(order: TrainingOrder, told: Callable[[TrainingProgress], None], say: Say) -> Card:
    """Train, judge and ship a network.

    Raises
    ------
    UnreadableError
        If the data are damaged, or the checkpoint belongs to another training.
    OwnershipError
        If files that are not ours stand where ours would, or somebody else trains in that folder.
    ValueError
        If there are too few data, or a proposer is to be trained through the solver.
    """
    if order.solver and order.kind not in DRAWINGS:
        raise ValueError(f"a {order.kind} draws out of noise, and cannot be trained through the solver")
    dataset, chosen, kept = split_data_set(order.data)
    name = order.name or f"{order.kind}-{dataset.dimension}d"
    checkpoints = [f"{name}.checkpoint", *([f"{name}.solver.checkpoint"] if order.solver else [])]
    with hold_model_folder(order, [*checkpoints, f"{name}.onnx"]):
        return _train_and_ship(order, name, (dataset, chosen, kept), told, say)


@contextmanager
def hold_model_folder(order: TrainingOrder, names: Sequence[str]) -> Iterator[None]:
    """Hold the folder of models for a training, and see that its files can be written.

    Raises
    ------
    OwnershipError
        One cannot, or somebody else trains in that folder.
    ValueError
        The folder is that of the prepared examples, which other processes write into.
    """
    cache = order.cache or order.data / "prepared"
    if cache.resolve() == order.out.resolve():
        raise ValueError(f"{order.out} is the folder of prepared examples; choose another one for models")
    with hold(order.out, MODELS, remedy="move it away or choose another folder with --out") as held:
        held.check([*names, MANIFEST])
        yield


def _train_and_ship(
    order: TrainingOrder,
    name: str,
    data: tuple[Dataset, list[Path], list[Path]],
    told: Callable[[TrainingProgress], None],
    say: Say,
) -> Card:
    dataset, chosen, kept = data
    say(f"{len(chosen)} shards to train on, {len(kept)} held out; preparing examples")
    cache = order.cache or order.data / "prepared"
    examples = [e for part in prepare_all(order.kind, chosen, cache, order.workers) for e in part]
    looked_at = [e for part in prepare_all(order.kind, kept, cache, order.workers) for e in part][:64]
    if not examples or not looked_at:
        raise ValueError(f"{order.data} holds no examples for a {order.kind}; generate more problems")
    recipe = TrainingRecipe(
        kind=order.kind,
        dimension=dataset.dimension,
        size=Size(order.width, order.depth),
        steps=order.steps,
        batch=BATCHES[order.kind],
        seed=order.seed,
    )
    checkpoint = order.out / f"{name}.checkpoint"
    network = train(recipe, examples, looked_at, checkpoint, told)
    before, after = held_out_errors(network, recipe, looked_at)
    story = {
        "made": "trabecula train",
        "data": {key: dataset.info[key] for key in ("dimension", "seed", "settings", "trabecula")},
        "examples": len(examples),
        "recipe": {"steps": recipe.steps, "batch": recipe.batch, "rate": recipe.rate, "seed": recipe.seed},
        "hours": round(seconds_of(checkpoint) / 3600, 3),
        "density error, held out": {"before": round(before, 4), "after": round(after, 4)},
        "limits": f"{LIMITS} Elsewhere {OTHERWISE[order.kind]}",
    }
    if order.solver:
        story["through the solver"] = _train_through_solver(order, recipe, network, (chosen, kept), say)
    settings = settings_of(order.kind)
    card = ship(network, recipe, order.out, settings, story, name)
    if not order.judge:
        return card
    if order.kind == "proposer":
        return _judge_proposals(order, card, kept, say)
    return _judge_upscaling(order, card, kept, say) if order.kind == "corrector" else card


def split_data_set(folder: Path) -> tuple[Dataset, list[Path], list[Path]]:
    """A data set, its shards to train on, and those held out.

    Raises
    ------
    UnreadableError
        If it is damaged.
    ValueError
        If it holds nothing to train on.
    """
    dataset = open_dataset(folder)
    chosen, kept = split_shards(dataset.shards)
    if not chosen:
        raise ValueError(f"{folder} holds no shards to train on; generate more problems")
    return dataset, chosen, kept or chosen[-1:]


LIMITS = "Trained on elasticity, compliance under a volume, density filter, cubic voxels, up to four loads."
OTHERWISE = {
    "corrector": "its designs are mostly refused by the solve that decides, and cost one or two solves.",
    "leap": "its designs are mostly refused by the solve that decides, and cost one or two solves.",
    "proposer": "what it draws goes ahead for little, and the search follows as it is without a network.",
}
"""What a network costs where it knows nothing."""


def _train_through_solver(
    order: TrainingOrder,
    recipe: TrainingRecipe,
    network: EncoderDecoder,
    data: tuple[list[Path], list[Path]],
    say: Say,
) -> dict[str, float]:
    """Train on through the solver; steps, hours, and what drawn designs bear on problems held out."""
    say("solving what is to be drawn")
    known, unseen = _cases(order.kind, data[0], CASES), _cases(order.kind, data[1], CASES // 16)

    def told(look: TrainingProgress) -> None:
        change = f"{100 * (look.error - 1):+.2f} %"
        say(f"through the solver {look.step}/{order.solver}  {look.seconds:.0f} s  compliance {change}")

    checkpoint = order.out / f"{order.name or recipe.name}.solver.checkpoint"
    before = share_of_compliance(network, order.kind, unseen)
    train_through_solver(
        network, recipe, Polish(order.solver, seed=order.seed), known, unseen, checkpoint, told
    )
    after = share_of_compliance(network, order.kind, unseen)
    return {
        "steps": order.solver,
        "hours": round(seconds_of(checkpoint) / 3600, 3),
        "compliance without the solver, held out": round(before, 4),
        "compliance with it": round(after, 4),
    }


def _cases(kind: str, shards: list[Path], most: int) -> list[SolverCase]:
    found: list[SolverCase] = []
    for shard in shards:
        if len(found) < most:
            found += cases(kind, read_shard(shard).samples)
    return found[:most]


def settings_of(kind: str) -> dict[str, float]:
    """What a network's card says of how it is used, before anything is judged."""
    if kind == "corrector":
        return corrector_settings(HalfGrey(0.5, 2.0, 5))
    return {"grey": GREY} if kind == "proposer" else {"sharpness": DRAWINGS[kind].sharpness}


def _judge_upscaling(order: TrainingOrder, card: Card, kept: list[Path], say: Say) -> Card:
    """Solve held-out problems with every share of grey, and keep the one that saves most."""
    model = load_model(card.name, order.out)
    found: list[Judgement] = []
    for sample in hand_over_samples(kept):
        if len(found) == order.judge:
            break
        found.append(judge(sample, all_hand_overs(model)))
        say(f"judged {len(found)}/{order.judge}")
    if not found:
        return card
    settings = corrector_settings(best_hand_over(found))
    return update_card(order.out, card.name, settings, {"solves to a level, held out": table(found)})


def _judge_proposals(order: TrainingOrder, card: Card, kept: list[Path], say: Say) -> Card:
    """Search the coarsest grids of held-out problems with the network and without."""
    proposer = ProposalNetwork.of(load_model(card.name, order.out))
    found: list[SearchComparison] = []
    for sample in all_samples(kept):
        if len(found) == order.judge:
            break
        found.append(compare_searches(sample, proposer))
        say(f"judged {len(found)}/{order.judge}")
    return update_card(order.out, card.name, card.settings, {"searches, held out": summary_rows(found)})


def corrector_settings(hand_over: HalfGrey) -> dict[str, float]:
    """What `Corrector.of` reads."""
    return {
        "grey": hand_over.grey,
        "penalty": hand_over.penalty,
        "ramp": hand_over.ramp,
        "sharpness": SHARPNESS,
    }
