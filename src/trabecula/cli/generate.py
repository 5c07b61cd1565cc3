"""`trabecula generate`: random problems, each solved by a wide search, to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import continuing, fail, say

if TYPE_CHECKING:
    from trabecula.learning.workers import Tally


def generate(
    count: Annotated[int, typer.Option(metavar="N", min=1, max=10_000_000, help="Problems.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the data set; goes on with what is there.")
    ],
    dimension: Annotated[int, typer.Option(metavar="2|3", min=2, max=3, help="Plane or solid.")] = 3,
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed, the same data.")] = 0,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=1024, help="Processes, one thread each.")
    ] = 1,
    proposals: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=10_000, help="Designs tried on the coarsest grid.")
    ] = None,
    hard: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.0, max=1.0, help="Share of problems hard on purpose."),
    ] = None,
    voxels: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1000, max=10_000_000, help="Of a problem, roughly; default by dimension."
        ),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A dask scheduler whose workers see the folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Make random problems, solve each by a wide search, and store all designs on the way.

    The same command goes on after an interruption, and may run on several machines that share the folder.
    Exit code 0: done, bad problems skipped and counted; 2: bad input; 130 and 143: interrupted or
    terminated, whole shards kept.
    """
    from trabecula.cli.console import print_json
    from trabecula.cli.generating import counting
    from trabecula.learning.generate import (
        DataSettings,
        check_shards,
        missing,
        prepare_folder,
        with_defaults,
    )
    from trabecula.learning.workers import UnreachableError, make_shards

    settings = with_defaults(DataSettings(dimension, seed, proposals, hard, voxels))
    try:
        prepare_folder(out, settings)
    except ValueError as error:
        fail(str(error))
    jobs = missing(out, count)
    check_shards(out, jobs)
    there = count - sum(size for _, size in jobs)
    try:
        with (
            continuing("whole shards are kept, the same command goes on"),
            counting(count, there, quiet) as report,
        ):
            tally = make_shards(out, settings, jobs, workers=workers, scheduler=scheduler, report=report)
    except UnreachableError as error:
        fail(str(error))
    if as_json:
        print_json({"folder": str(out), "there": there, "samples": tally.samples, "skipped": tally.failures})
    elif not quiet:
        _tell(out, there, tally)


def _tell(out: Path, there: int, tally: Tally) -> None:
    before = f", {there} problems were there" if there else ""
    say(f"{out}: {tally.samples} samples made, {tally.failures} problems skipped{before}")
