"""`trabecula gallery`: many good designs of one problem, to choose from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import continuing, fail, say

if TYPE_CHECKING:
    from trabecula.gallery.record import Gallery
    from trabecula.problem import Problem

REQUEST = "gallery-request.json"
"""How the gallery was asked for, beside its problem, to go on with."""

GIGABYTE = 1e9


def gallery(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE|NAME", help="Problem file, or name of a named problem.")
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Designs wanted.")] = 12,
    within: Annotated[
        str, typer.Option(metavar="SHARE", help="How much worse than the best each may be.")
    ] = "5%",
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder, else out/NAME-gallery.")] = None,
    budget: Annotated[
        float, typer.Option(metavar="SOLVES", help="Work at most, in default solves of the problem.")
    ] = 8.0,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="NAME", help="Where designs come from; repeatable."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="In place of the problem's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with an interrupted gallery in this folder.")
    ] = None,
    history: Annotated[
        bool | None,
        typer.Option("--history/--no-history", help="Try the nearest design of the history on this machine."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1024, help="Threads, else OMP_NUM_THREADS, else all cores."),
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option(metavar="GB", help="Refuse problems that need more memory than this.")
    ] = None,
) -> None:
    """Find different good designs, prove each, and write a page to compare them.

    Exit code 0: done, however many were found; 2: bad input; 130 and 143: interrupted or terminated,
    --resume goes on.
    """
    from trabecula.cli.console import print_json
    from trabecula.cli.past_design import is_wanted, read_offer
    from trabecula.cli.progress import reporting
    from trabecula.gallery import DEFAULT_SOURCES
    from trabecula.gallery import gallery as draw

    memory = None if max_memory is None else max_memory * GIGABYTE
    if resume is not None:
        folder = resume
        problem, asked = _read(file, folder, out, memory)
    else:
        if file is None:
            fail("give a problem file or the name of a named problem (`trabecula problems` lists them)")
        asked = {"count": count, "within": share(within), "budget": budget, "seed": seed}
        asked["sources"] = list(dict.fromkeys(sources)) if sources else list(DEFAULT_SOURCES)
        problem, folder = _begin(file, out, asked, memory, is_wanted(history), quiet)
    past = read_offer(folder)
    if past and "past" not in asked["sources"]:  # type: ignore[operator]
        asked["sources"] = [*asked["sources"], "past"]  # type: ignore[misc]
    with continuing(f"what was reached is kept; go on with: trabecula gallery --resume {folder}"):
        try:
            with reporting(quiet) as report:
                found = draw(
                    problem,
                    **asked,  # type: ignore[arg-type]
                    also=past,
                    threads=threads,
                    out=folder,
                    resume=resume is not None,
                    progress=report,
                )
        except ValueError as error:
            if type(error) is not ValueError:
                raise
            fail(str(error))
    if as_json:
        print_json(found.to_json())
    elif not quiet:
        _tell(found, folder)


def share(text: str) -> float:
    """A share from "5%" or "0.05".

    Raises
    ------
    typer.Exit
        If it is neither.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", text)
    value = float(match[1]) / (100.0 if match[2] else 1.0) if match else -1.0
    if not 0.0 < value <= 1.0:
        fail(f"--within is {text!r}; it must be a share above 0 and at most 1, such as 5% or 0.05")
    return value


def _begin(
    file: str,
    out: Path | None,
    asked: dict[str, object],
    max_memory: float | None,
    learns: bool,
    quiet: bool,
) -> tuple[Problem, Path]:
    """The problem and the folder of a new gallery; both are kept there to go on with."""
    from trabecula.cli.past_design import PAST, offer
    from trabecula.cli.problems import get
    from trabecula.discretisation import prepare
    from trabecula.gallery.save import FILES, KIND
    from trabecula.problem import load, with_files
    from trabecula.results.result_folder import PROBLEM, check, check_checkpoints, save_problem
    from trabecula.storage.owned import hold

    path = Path(file)
    named = not path.is_file() and path.suffix == "" and path.parent == Path()
    problem = get(file) if named else load(path, max_memory=max_memory)
    folder = out or Path("out") / f"{path.stem}-gallery"
    if folder.exists() and not folder.is_dir():
        fail(f"--out {folder} is a file; choose another folder")
    if not named and (folder / PROBLEM).resolve() == path.resolve():
        fail(f"--out {folder} would overwrite the problem file {path}; choose another folder")
    discrete, cautions = prepare(problem, max_memory)
    for caution in cautions:
        say(f"trabecula: note: {caution}")
    with hold(folder, KIND, remedy="move it away or choose another folder with --out") as held:
        copies = check(problem, held, [PROBLEM, REQUEST, PAST, *FILES])
        check_checkpoints(held)
        with held.batch():
            save_problem(problem, held, copies)
            held.write_text(REQUEST, json.dumps(asked, indent=2) + "\n")
        held.remove(PAST)
        if learns:
            offer(discrete, held, quiet)
    return with_files(problem, {name: str(folder / copy) for name, copy in copies.items()}), folder


def _read(
    file: str | None, folder: Path, out: Path | None, max_memory: float | None
) -> tuple[Problem, dict[str, object]]:
    """The problem and the arguments of a gallery that was begun in a folder.

    Raises
    ------
    UnreadableError
        If there is none, or what is kept is damaged.
    """
    from trabecula.problem import load
    from trabecula.results.result_folder import load_problem, same_problem
    from trabecula.storage import reading
    from trabecula.storage.reading import CheckedRecord, UnreadableError

    if out is not None and out.resolve() != folder.resolve():
        fail(f"--resume {folder} goes on in that folder; leave --out {out} away")
    problem = load_problem(folder, max_memory=max_memory)
    if file is not None and not same_problem(load(file, max_memory), problem):
        fail(f"{file} is not the problem in {folder}; leave it away to go on, or --resume to begin again")
    path = folder / REQUEST
    if not path.is_file():
        raise UnreadableError(path, "does not exist, so no gallery was begun in this folder")
    values = reading.read_json(path, 100_000)
    held = CheckedRecord(path, values)
    held.only("count", "within", "budget", "seed", "sources")
    asked: dict[str, object] = {
        "count": held.whole("count", 1, 1000),
        "within": held.real("within", 0.0, 1.0),
        "budget": held.real("budget", 1.0, 1e6),
        "seed": None if held.values.get("seed") is None else held.whole("seed", 0),
    }
    asked["sources"] = held.take("sources", list)
    if not all(isinstance(name, str) for name in held.values["sources"]):
        raise UnreadableError(path, "'sources' holds something that is no name")
    return problem, asked


def _tell(found: Gallery, folder: Path) -> None:
    """The designs as lines, and where to look at them."""
    from trabecula.cli.console import number
    from trabecula.gallery.save import PAGE

    typer.echo(f"{found.message} ({found.work:.2g} default solves of work)")
    for each in found.designs:
        typer.echo(
            f"  {each.name:26} {number(each.figure)}  +{100.0 * each.above:.2f} %  {each.result.word}  "
            f"{each.description.words}"
        )
    typer.echo(f"{folder / PAGE} shows them")
