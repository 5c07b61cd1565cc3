"""A whole training: data in, examples, network, judgement by the solver, file out."""

from __future__ import annotations

from collections.abc import Callable
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
from trabecula.learning.ship import ship, update_card
from trabecula.learning.solver_loss import (
    DRAWINGS,
    Polish,
    SolverCase,
    cases,
    share_of_compliance,
    train_through_solver,
)
from trabecula.learning.store import read_shard
from trabecula.learning.train import TrainingRecipe, held_out_errors, train
from trabecula.learning.training_order import Say, TrainingData, TrainingOrder, prepare_training
from trabecula.learning.validate import (
    Judgement,
    all_hand_overs,
    best_hand_over,
    hand_over_samples,
    judge,
    table,
)
from trabecula.starts import HalfGrey, ProposalNetwork
from trabecula.starts.proposal_network import GREY
from trabecula.starts.volume import SHARPNESS
from trabecula.surrogate import Card, load_model

BATCHES = {"corrector": 8, "leap": 8, "proposer": 16}
"""Examples per step: those of the coarsest grid are small, and training out of noise needs many."""

LOOKED_AT = 64
"""Examples held out whose errors are measured on the way."""

CASES = 800
"""Training through the solver takes the designs that it draws and solves from this many."""


def train_and_ship(order: TrainingOrder, report: Callable[[TrainingProgress], None], say: Say) -> Card:
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

    def files(name: str, dimension: int) -> list[str]:
        through_solver = [f"{name}.solver.checkpoint"] if order.solver else []
        return [f"{name}.checkpoint", *through_solver, f"{name}.onnx"]

    with prepare_training(order, files, "examples", say) as data:
        return _train_and_ship(order, data, report, say)


def _train_and_ship(
    order: TrainingOrder, data: TrainingData, report: Callable[[TrainingProgress], None], say: Say
) -> Card:
    examples, unseen = (
        [example for part in prepare_all(order.kind, shards, data.cache, order.workers) for example in part]
        for shards in (data.chosen, data.kept)
    )
    unseen = unseen[:LOOKED_AT]
    if not examples or not unseen:
        raise ValueError(f"{order.data} holds no examples for a {order.kind}; generate more problems")
    recipe = TrainingRecipe(
        kind=order.kind,
        dimension=data.dataset.dimension,
        size=Size(order.width, order.depth),
        steps=order.steps,
        batch=BATCHES[order.kind],
        seed=order.seed,
    )
    network = train(recipe, examples, unseen, data.checkpoint, report)
    before, after = held_out_errors(network, recipe, unseen)
    story = {
        "made": "trabecula train",
        "data": data.to_story(),
        "examples": len(examples),
        "recipe": {"steps": recipe.steps, "batch": recipe.batch, "rate": recipe.rate, "seed": recipe.seed},
        "hours": round(seconds_of(data.checkpoint) / 3600, 3),
        "density error, held out": {"before": round(before, 4), "after": round(after, 4)},
        "limits": f"{LIMITS} Elsewhere {OTHERWISE[order.kind]}",
    }
    if order.solver:
        story["through the solver"] = _train_through_solver(order, recipe, network, data, say)
    settings = settings_of(order.kind)
    card = ship(network, recipe, order.out, settings, story, data.name)
    if not order.judge:
        return card
    if order.kind == "proposer":
        return _judge_proposals(order, card, data.kept, say)
    return _judge_upscaling(order, card, data.kept, say) if order.kind == "corrector" else card


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
    data: TrainingData,
    say: Say,
) -> dict[str, float]:
    """Train on through the solver; steps, hours, and what drawn designs bear on problems held out."""
    say("solving what is to be drawn")
    known, unseen = _cases(order.kind, data.chosen, CASES), _cases(order.kind, data.kept, CASES // 16)

    def report(progress: TrainingProgress) -> None:
        done = f"{progress.step}/{order.solver}  {progress.seconds:.0f} s"
        say(f"through the solver {done}  compliance {100 * (progress.error - 1):+.2f} %")

    checkpoint = order.out / f"{order.name or recipe.name}.solver.checkpoint"
    before = share_of_compliance(network, order.kind, unseen)
    train_through_solver(
        network, recipe, Polish(order.solver, seed=order.seed), known, unseen, checkpoint, report
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
    """What `UpscalingNetwork.of` reads."""
    return {
        "grey": hand_over.grey,
        "penalty": hand_over.penalty,
        "ramp": hand_over.ramp,
        "sharpness": SHARPNESS,
    }
