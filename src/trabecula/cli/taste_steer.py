"""`trabecula taste steer`: solves that lean towards what a person likes, with the price."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import fail, say
from trabecula.cli.taste_options import Json, Name, explain_taste_errors
from trabecula.storage.visible import visible

if TYPE_CHECKING:
    from trabecula.taste import Steering


def steer(
    file: Annotated[
        str, typer.Argument(metavar="FILE|NAME", help="Problem file, or name of a named problem.")
    ],
    profile: Name = "me",
    weight: Annotated[
        float,
        typer.Option(
            metavar="W", min=0.0, max=1000.0, help="Per cent of stiffness one unit of nicety may cost."
        ),
    ] = 1.0,
    gallery: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A gallery of the problem, whose designs are tried too."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder, else out/NAME-steered.")] = None,
    iterations: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="On the full grid, at most.")
    ] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1024, help="Threads, else OMP_NUM_THREADS, else all cores."),
    ] = None,
) -> None:
    """Solve a problem in several ways, and take the design that is worth its price to you.

    The filter radius and planes of symmetry are varied; --gallery adds the designs of a gallery. A unit of
    nicety is odds of e to 1 to be called the nicer one. What is written is the chosen design's result folder.
    """
    from trabecula.cli.console import print_json
    from trabecula.cli.problems import get
    from trabecula.problem import load
    from trabecula.results.result_folder import PROBLEM, same_problem
    from trabecula.taste import load_profile, read_exhibits
    from trabecula.taste import steer as try_ways

    path = Path(file)
    named = not path.is_file() and path.suffix == "" and path.parent == Path()
    problem = get(file) if named else load(path)
    folder = out or Path("out") / f"{path.stem}-steered"
    if not named and (folder / PROBLEM).resolve() == path.resolve():
        fail(f"--out {folder} would overwrite the problem file {path}; choose another folder")
    with explain_taste_errors():
        person = load_profile(profile)
        exhibits = () if gallery is None else read_exhibits(gallery)
        if exhibits and not same_problem(exhibits[0].result.problem, problem):
            fail(f"--gallery {gallery} is of another problem than {file}; make one of this problem")
        report = None if quiet or as_json else (lambda name: say(f"trabecula: {name}"))
        options = {} if iterations is None else {"iterations": iterations}
        found = try_ways(
            problem, person, weight=weight, also=exhibits, threads=threads, report=report, **options
        )
    found.choice.result.save(folder)
    if as_json:
        print_json({"out": str(folder), "profile": person.name, **found.to_json()})
    elif not quiet:
        _tell(found, folder)


def _tell(found: Steering, folder: Path) -> None:
    """The designs with their prices; the chosen one is marked."""
    from trabecula.cli.console import number
    from trabecula.gallery.record import figure_name, spoken_figure

    problem = found.plain.result.problem
    typer.echo(
        f"{figure_name(problem)}, against the plain solve's; one unit of nicety may cost {found.weight:g} %"
    )
    for each in found.designs:
        mark = "*" if each is found.choice else " "
        figure = number(spoken_figure(problem, each.figure))
        figures = (
            f"{figure:>10} {100.0 * each.price:+7.2f} %  {each.result.word:9}  nicety {each.nicety:+.2f}"
        )
        typer.echo(f"{mark} {visible(each.name):26} {figures}")
    typer.echo(f"{folder} holds the design that was chosen (*)")
