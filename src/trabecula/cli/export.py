"""`trabecula export`: files for other programs from a saved result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import waiting
from trabecula.cli.edge import fail, say
from trabecula.cli.options import LengthUnits
from trabecula.storage.visible import visible

if TYPE_CHECKING:
    from trabecula.results.result import Result
    from trabecula.storage.owned import Owned

SURFACES = {"stl", "3mf"}
"""Exports that are the surface."""


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved result.")],
    stl: Annotated[bool, typer.Option("--stl", help="Watertight surface, design.stl.")] = False,
    threemf: Annotated[
        bool, typer.Option("--3mf", help="Watertight surface for printing, design.3mf.")
    ] = False,
    vti: Annotated[
        bool,
        typer.Option(
            "--vti", help="Voxels with density, displacements and stresses for ParaView, design.vti."
        ),
    ] = False,
    png: Annotated[bool, typer.Option("--png", help="Picture, design.png.")] = False,
    report: Annotated[bool, typer.Option("--report", help="One page that says it all, report.html.")] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="NAME", help="Any export by its name, also one of your own; repeatable."
        ),
    ] = None,
    units: Annotated[LengthUnits, typer.Option(help="Unit of the numbers in STL and 3MF.")] = LengthUnits.mm,
) -> None:
    """Write a saved result as STL, 3MF, VTK image data, picture or report."""
    from trabecula.results.result import Result
    from trabecula.results.result_folder import KIND, check
    from trabecula.storage.owned import hold

    chosen = choose({"stl": stl, "3mf": threemf, "vti": vti, "png": png, "report": report}, formats)
    if not chosen:
        fail(f"nothing to export; choose some of --stl, --3mf, --vti, --png, --report, {_others()}")
    result = Result.load(folder)
    with hold(folder, KIND) as mine:
        note(mine)
        check(result.problem, mine, chosen.values())
        for path in write(result, mine, chosen, units):
            typer.echo(visible(str(path)))


def choose(switches: Mapping[str, bool], names: Iterable[str] | None) -> dict[str, str]:
    """The exports that were asked for, each once, and the names of their files.

    Raises
    ------
    UnknownNameError
        If there is no export of a name.
    BrokenEntryError
        If a package or a module has it and it cannot be used.
    """
    wanted = dict.fromkeys([*(name for name, switch in switches.items() if switch), *(names or [])])
    if not wanted:
        return {}
    from trabecula.export.table import find_export

    files: dict[str, str] = {}
    for name in wanted:
        file = find_export(name).file_name
        for other, taken in files.items():
            if file == taken:
                fail(f"the exports {other} and {name} both write {file}; ask for one of them")
        files[name] = file
    return files


def _others() -> str:
    """How exports without a switch of their own are asked for."""
    from trabecula.export.table import EXPORTS

    return f"or --format with any of {', '.join(EXPORTS.names())}"


def note(folder: Owned) -> None:
    """Say that a folder's lock was left by somebody who is gone."""
    if folder.stale is not None:
        say(f"trabecula: note: {folder.folder} was left locked by {folder.stale}, which is gone; going on")


def write(
    result: Result, folder: Owned, chosen: Mapping[str, str], units: LengthUnits, quiet: bool = False
) -> list[Path]:
    """Write the chosen exports into `folder`, each whole or not at all, and say which files these are."""
    if not chosen:
        return []
    from trabecula.export.table import write_export

    design = result.to_design(units.value)
    paths = []
    for name, file_name in chosen.items():
        with waiting(f"writing {file_name}", quiet), folder.replacing(file_name) as file:
            write_export(name, file, design)
        paths.append(folder.folder / file_name)
    thin = design.describe_thin_members() if SURFACES & chosen.keys() and not quiet else ""
    if thin:
        say(f"trabecula: note: {thin}")
    return paths
