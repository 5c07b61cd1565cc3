"""`trabecula train`: from generated data to a network that ships, judged by what it saves the solver."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import continuing, fail, say
from trabecula.cli.options import NetworkKind

if TYPE_CHECKING:
    from trabecula.learning.loop import TrainingProgress


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a model may be called: a name, and no path."""


def train(
    kind: Annotated[NetworkKind, typer.Argument(help="What the network is for.")],
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data set that `trabecula generate` made.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of models; one of the same name goes.")
    ] = None,
    from_history: Annotated[
        bool, typer.Option("--from-history", help="Fine-tune what ships on your past solves instead.")
    ] = False,
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Go back one version of your own network, and no more.")
    ] = False,
    dimension: Annotated[
        int | None, typer.Option(metavar="2|3", min=2, max=3, help="With --from-history or --roll-back.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Optimiser steps (4000; from the history 200).")
    ] = None,
    width: Annotated[int, typer.Option(metavar="N", min=1, max=512, help="Channels at the top.")] = 24,
    depth: Annotated[int, typer.Option(metavar="N", min=1, max=16, help="Residual blocks a level.")] = 1,
    numbers: Annotated[
        int, typer.Option(metavar="N", min=1, max=4096, help="In the code of a design (autoencoder).")
    ] = 64,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="Of weights and batches.")] = 0,
    solver: Annotated[
        int, typer.Option("--solver-steps", metavar="N", min=0, help="Steps through the solver that follow.")
    ] = 0,
    judge: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Problems held out to judge by (16; from the history 8 + 8)."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the model, else KIND-2d or KIND-3d.")] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Prepared examples; else DATA/prepared.")
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=1024, help="Processes that prepare examples.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=1024, help="Threads of the training.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Train a network on generated data, and write it as ONNX with its story.

    The same command goes on after an interruption. The share of grey the network works with is the one that
    saves most design iterations on problems held out. With --from-history the network that ships learns from
    your past solves, and is used from then on if it saves solves on those it never saw. Needs the extra
    `learn`.
    """
    from trabecula.cli.user_networks import refine, withdraw

    if roll_back:
        _refuse_others("--roll-back", {"--from-history": from_history, "--data": data, "--out": out})
        withdraw(kind.value, dimension, as_json, quiet)
        return
    if name is not None and not NAME.fullmatch(name):
        fail(
            f"--name is {name[:60]!r}; letters, digits, '.', '_' and '-' are allowed, a letter or digit first"
        )
    if from_history:
        _refuse_others("--from-history", {"--out": out, "--name": name, "--cache": cache})
    elif data is None or out is None:
        fail("give --data and --out, the data set and a folder for models, or --from-history")
    elif dimension is not None:
        fail("--dimension goes with --from-history and --roll-back; a data set has its own")
    try:
        import torch

        from trabecula.learning.generator.training_run import train_and_ship as make_generator
        from trabecula.learning.latent.training_run import train_and_ship as make_autoencoder
        from trabecula.learning.training_order import TrainingOrder
        from trabecula.learning.training_run import train_and_ship
    except ImportError as error:
        fail(f"training needs {error.name}: pip install 'trabecula[learn]'")
    from trabecula.cli.console import print_json
    from trabecula.physics import thread_count

    torch.set_num_threads(thread_count(threads))
    if from_history:
        refine(kind.value, dimension, data, steps, judge, seed, as_json, quiet)
        return
    assert data is not None and out is not None
    count = 4000 if steps is None else steps

    def report(progress: TrainingProgress) -> None:
        if not quiet:
            say(
                f"step {progress.step}/{count}  {progress.seconds:.0f} s  loss {progress.loss:.4f}  "
                f"held out: {progress.error:.4f} (before the network {progress.base:.4f})"
            )

    order = TrainingOrder(
        kind=kind.value,
        data=data,
        out=out,
        steps=count,
        width=width,
        depth=depth,
        seed=seed,
        solver=solver,
        judge=16 if judge is None else judge,
        name=name,
        cache=cache,
        workers=workers,
        numbers=numbers,
    )
    makers = {NetworkKind.autoencoder: make_autoencoder, NetworkKind.generator: make_generator}
    chosen = makers.get(kind, train_and_ship)
    try:
        with continuing("the same command goes on from the last checkpoint"):
            card = chosen(order, report, lambda text: None if quiet else say(text))
    except ValueError as error:
        fail(str(error))
    if as_json:
        print_json({"name": card.name, **card.to_json()})
    elif not quiet:
        say(f"{out / card.file}: {card.story['parameters']} parameters")


def _refuse_others(option: str, others: Mapping[str, object]) -> None:
    """Refuse what does not go with an option."""
    for name, value in others.items():
        if value:
            fail(f"{option} does not go with {name}; leave one of them away")
