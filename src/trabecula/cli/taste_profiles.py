"""`trabecula taste`: profiles, and how they leave this machine or go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trabecula.cli.edge import fail
from trabecula.cli.taste_options import Json, explain_taste_errors
from trabecula.storage.visible import visible

Given = Annotated[str, typer.Argument(metavar="NAME", help="Of the profile.")]


def profiles(as_json: Json = False) -> None:
    """List the profiles on this machine, and the one that ships."""
    from trabecula.cli.console import print_json
    from trabecula.taste import HOUSE, load_profile, names
    from trabecula.taste.store import folder

    with explain_taste_errors():
        found = [load_profile(name) for name in (*names(), HOUSE)]
        rows = [{"name": each.name, "choices": len(each.picks), "origin": each.origin} for each in found]
    if as_json:
        print_json({"folder": str(folder()), "profiles": rows})
        return
    for row in rows:
        typer.echo(f"{row['name']:20} {row['choices']:>5} choices  {visible(str(row['origin']))}".rstrip())
    typer.echo(f"kept in {visible(str(folder()))}, readable by you only")


def export(name: Given, file: Annotated[Path, typer.Argument(metavar="FILE", help="To write.")]) -> None:
    """Write a profile into a file, to take it elsewhere; it holds choices, no names and no problems."""
    from trabecula.taste import export_profile, load_profile

    with explain_taste_errors():
        export_profile(load_profile(name), file)
    typer.echo(f"{visible(str(file))} holds {name}")


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A profile that was exported.")], name: Given
) -> None:
    """Take a profile that was exported, under a name that is free."""
    from trabecula.taste import TasteProfile, names, save_profile
    from trabecula.taste.store import check_name

    with explain_taste_errors():
        if check_name(name) in names():
            fail(f"there is a profile {name!r} already; choose another name, or delete it first")
        save_profile(TasteProfile.read(file, name))
    typer.echo(f"{name} was taken from {visible(str(file))}")


def average(
    given: Annotated[list[str], typer.Argument(metavar="NAME...", help="Profiles that are averaged.")],
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="The new profile.")],
) -> None:
    """Average profiles into a new one, in which each counts for the same."""
    from trabecula.taste import average_profiles, load_profile, names, save_profile
    from trabecula.taste.store import check_name

    with explain_taste_errors():
        if check_name(into) in names():
            fail(f"there is a profile {into!r} already; choose another name, or delete it first")
        save_profile(average_profiles([load_profile(name) for name in dict.fromkeys(given)], into))
    typer.echo(f"{into} is the average of {', '.join(dict.fromkeys(given))}")


def delete(name: Given) -> None:
    """Remove a profile from this machine; files that were exported stay where they are."""
    from trabecula.taste import delete_profile

    with explain_taste_errors():
        delete_profile(name)
    typer.echo(f"{name} is gone")
