"""`trabecula export`: files for other programs from a saved result."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import waiting
from trabecula.cli.edge import fail, say
from trabecula.cli.options import Units
from trabecula.storage.visible import visible

if TYPE_CHECKING:
    from trabecula.results.result import Result
    from trabecula.storage.owned import Owned
    from trabecula.surface import Mesh

FILES = {
    "stl": "design.stl",
    "3mf": "design.3mf",
    "vti": "design.vti",
    "png": "design.png",
    "report": "report.html",
}


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved result.")],
    stl: Annotated[bool, typer.Option("--stl", help="Watertight surface, design.stl.")] = False,
    threemf: Annotated[
        bool, typer.Option("--3mf", help="Watertight surface for printing, design.3mf.")
    ] = False,
    vti: Annotated[
        bool, typer.Option("--vti", help="Voxels with their density for ParaView, design.vti.")
    ] = False,
    png: Annotated[bool, typer.Option("--png", help="Picture, design.png.")] = False,
    report: Annotated[bool, typer.Option("--report", help="One page that says it all, report.html.")] = False,
    units: Annotated[Units, typer.Option(help="Unit of the numbers in STL and 3MF.")] = Units.mm,
) -> None:
    """Write a saved result as STL, 3MF, VTK image data, picture or report."""
    from trabecula.results.result import Result
    from trabecula.results.result_folder import KIND, check
    from trabecula.storage.owned import hold

    formats = [
        name
        for name, wanted in {"stl": stl, "3mf": threemf, "vti": vti, "png": png, "report": report}.items()
        if wanted
    ]
    if not formats:
        fail("nothing to export; choose some of --stl, --3mf, --vti, --png, --report")
    result = Result.load(folder)
    with hold(folder, KIND) as mine:
        note(mine)
        check(result.problem, mine, [FILES[name] for name in formats])
        for path in write(result, mine, formats, units):
            typer.echo(visible(str(path)))


def note(folder: Owned) -> None:
    """Say that a folder's lock was left by somebody who is gone."""
    if folder.stale is not None:
        say(f"trabecula: note: {folder.folder} was left locked by {folder.stale}, which is gone; going on")


def write(result: Result, folder: Owned, formats: list[str], units: Units, quiet: bool = False) -> list[Path]:
    """Write the asked formats into `folder`, each whole or not at all, and say which files these are."""
    paths = []
    surface = None
    for name in formats:
        path = folder.folder / FILES[name]
        with waiting(f"writing {path.name}", quiet), folder.replacing(path.name) as file:
            if name in {"stl", "3mf"}:
                surface = surface or result.to_mesh()
                _write_surface(name, file, result, surface, units)
            else:
                _write_picture(name, file, result)
        paths.append(path)
    return paths


def _write_surface(name: str, file: IO[bytes], result: Result, surface: Mesh, units: Units) -> None:
    from trabecula.export import write_3mf, write_stl

    if name == "stl":
        write_stl(file, surface, units.value)
    else:
        write_3mf(file, surface, units.value, result.problem.name)


def _write_picture(name: str, file: IO[bytes], result: Result) -> None:
    from trabecula.export import write_vti

    if name == "vti":
        write_vti(file, result.density, result.spacing)
    elif name == "png":
        file.write(result.plot())
    else:
        file.write(result.to_html().encode())
