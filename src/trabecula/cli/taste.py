"""`trabecula taste`: what a person likes, learned from choices and kept on this machine only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli import taste_profiles
from trabecula.cli.edge import fail, guard, say
from trabecula.cli.taste_options import Json, Name, explain_taste_errors
from trabecula.cli.taste_steer import steer
from trabecula.storage.visible import visible

if TYPE_CHECKING:
    from trabecula.taste import Exhibit, TasteProfile

taste = typer.Typer(
    help="What you like, learned from choices among the designs of galleries; kept on this machine only.",
    no_args_is_help=True,
)

QUESTION = "question.png"
"""The picture of a question, in the gallery's folder."""

Folder = Annotated[Path, typer.Argument(metavar="GALLERY", help="Folder of a gallery.")]


def ask(
    folder: Folder,
    profile: Name = "me",
    of: Annotated[
        int | None, typer.Option(metavar="N", min=2, max=26, help="Designs shown at a time, else 4 or all.")
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", min=1, help="Questions to ask.")] = 20,
    answers: Annotated[
        list[str] | None,
        typer.Option("--answer", "-a", metavar="a|b|NAME", help="Instead of asking; repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask which of some designs is the nicest: those whose answer tells most.

    The picture is written into the gallery's folder and named. Without a terminal the question is printed and
    asked again next time; --answer answers it, and one more question for each further --answer.
    """
    import sys

    from trabecula.cli.console import print_json
    from trabecula.taste import Pick, describe_taste, read_exhibits, save_profile, say_taste

    with explain_taste_errors():
        exhibits, person = read_exhibits(folder), _begin(profile)
        if len(exhibits) < (of or 2):
            fail(f"{folder} has {len(exhibits)} of the {of or 2} designs to show; make a larger gallery")
        of = of or min(4, len(exhibits))
        given = list(answers or [])
        is_asked = not given and not as_json and sys.stdin.isatty()
        learned, skipped = 0, list[tuple[int, ...]]()
        while given or (is_asked and learned < count):
            shown = _next_question(person, exhibits, of, skipped)
            if is_asked:
                _show(folder, exhibits, shown, False)
            said = given.pop(0) if given else typer.prompt("Which is the nicest? (s skips, q ends)")
            if is_asked and said == "q":
                break
            if is_asked and said == "s":
                skipped.append(shown)
                continue
            nicest = _number(said, exhibits, shown)
            if nicest is None:
                words = f"{said!r} is none of them; answer with {_letters(shown)}, or the name of a design"
                if not is_asked:
                    fail(f"--answer: {words}")
                say(f"trabecula: {words}")
                continue
            person = person.add(Pick(tuple(exhibits[k].place for k in shown), nicest))
            save_profile(person)
            learned += 1
        question = () if is_asked else _next_question(person, exhibits, of, skipped)
        if question:
            _show(folder, exhibits, question, as_json)
        words = say_taste(describe_taste(person.taste))
    if as_json:
        names = [exhibits[k].name for k in question]
        known = {"profile": person.name, "choices": len(person.picks), "learned": words}
        print_json({**known, "question": names, "picture": str(folder / QUESTION)})
        return
    if learned:
        typer.echo(f"{_choices(person)} so far: {words}")
    if question:
        typer.echo(visible(f"answer with: trabecula taste ask {folder} --answer {_letters(question)[0]}"))


def choose(
    folder: Folder,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the gallery's page saved.")],
    profile: Name = "me",
) -> None:
    """Learn from the choices that were made in a gallery's page."""
    from trabecula.taste import describe_taste, read_choices, read_exhibits, save_profile, say_taste

    with explain_taste_errors():
        person = _begin(profile).add(*read_choices(file, read_exhibits(folder)))
        save_profile(person)
    typer.echo(f"{_choices(person)} so far: {say_taste(describe_taste(person.taste))}")


def rank(folder: Folder, profile: Name = "me", as_json: Json = False) -> None:
    """Rank the designs of a gallery, the nicest first, with the price of each in stiffness."""
    from trabecula.cli.console import print_json
    from trabecula.taste import load_profile, read_exhibits

    with explain_taste_errors():
        exhibits, person = read_exhibits(folder), load_profile(profile)
        belief = person.taste.believe([exhibit.place for exhibit in exhibits])
        order = sorted(range(len(exhibits)), key=lambda k: (-belief.mean[k], k))
    if as_json:
        rows = [
            {
                "name": exhibits[k].name,
                "nicety": float(belief.mean[k]),
                "deviation": float(belief.deviation[k]),
                "above": exhibits[k].above,
                "word": exhibits[k].result.word,
            }
            for k in order
        ]
        print_json({"profile": person.name, "choices": len(person.picks), "designs": rows})
        return
    _note_origin(person)
    for k in order:
        exhibit = exhibits[k]
        nicety = f"{belief.mean[k]:+.2f} ±{belief.deviation[k]:.2f}"
        line = f"  {exhibit.name:26} {nicety:14} +{100.0 * exhibit.above:.2f} %  {exhibit.words}"
        typer.echo(visible(line))


def say_(profile: Name = "me", as_json: Json = False) -> None:
    """Say in words what was learned, and how sure that is."""
    from trabecula.cli.console import print_json
    from trabecula.taste import describe_taste, load_profile, say_taste

    with explain_taste_errors():
        person = load_profile(profile)
        leanings = describe_taste(person.taste)
    if as_json:
        known = {"profile": person.name, "choices": len(person.picks), "origin": person.origin}
        print_json({**known, "words": say_taste(leanings), "leanings": [each.to_json() for each in leanings]})
        return
    _note_origin(person)
    typer.echo(f"{_choices(person)}: {say_taste(leanings)}")


def _begin(name: str) -> TasteProfile:
    """A profile that may be written; a new one where there is none."""
    from trabecula.taste import TasteProfile, load_profile, names
    from trabecula.taste.store import check_name

    return load_profile(name) if check_name(name) in names() else TasteProfile(name)


def _choices(person: TasteProfile) -> str:
    count = len(person.picks)
    return f"{person.name}: {count} choice{'' if count == 1 else 's'}"


def _note_origin(person: TasteProfile) -> None:
    if person.origin:
        say(f"trabecula: note: {person.name} is {person.origin}")


def _next_question(
    person: TasteProfile, exhibits: tuple[Exhibit, ...], of: int, skipped: list[tuple[int, ...]]
) -> tuple[int, ...]:
    """Numbers of the designs to show; what was asked before is known from the profile."""
    from trabecula.taste import choose_question

    rows = {exhibit.place.key: k for k, exhibit in enumerate(exhibits)}
    shown = [tuple(rows.get(place.key, -1) for place in pick.shown) for pick in person.picks]
    before = [numbers for numbers in shown if -1 not in numbers] + skipped
    return choose_question(person.taste, [exhibit.place for exhibit in exhibits], of, before)


def _draw(folder: Path, exhibits: tuple[Exhibit, ...], shown: tuple[int, ...]) -> None:
    from trabecula.gallery.save import KIND
    from trabecula.storage.owned import hold
    from trabecula.taste.picture import draw_question

    with hold(folder, KIND) as held:
        held.write_bytes(QUESTION, draw_question([exhibits[k] for k in shown]))


def _show(folder: Path, exhibits: tuple[Exhibit, ...], shown: tuple[int, ...], is_silent: bool) -> None:
    from trabecula.taste.picture import LETTERS

    _draw(folder, exhibits, shown)
    if is_silent:
        return
    typer.echo(visible(f"{folder / QUESTION} shows them:"))
    for letter, k in zip(LETTERS, shown, strict=False):
        exhibit = exhibits[k]
        line = f"  {letter}  {exhibit.name:26} +{100.0 * exhibit.above:.2f} %  {exhibit.words}"
        typer.echo(visible(line))


def _letters(shown: tuple[int, ...]) -> str:
    from trabecula.taste.picture import LETTERS

    return ", ".join(LETTERS[: len(shown)])


def _number(said: str, exhibits: tuple[Exhibit, ...], shown: tuple[int, ...]) -> int | None:
    """Which of the shown designs an answer means; None: none of them."""
    from trabecula.taste.picture import LETTERS

    if len(said) == 1 and said.lower() in LETTERS[: len(shown)]:
        return LETTERS.index(said.lower())
    names = [exhibits[k].name for k in shown]
    return names.index(said) if said in names else None


for _name, _command in (
    ("ask", ask),
    ("choose", choose),
    ("rank", rank),
    ("say", say_),
    ("steer", steer),
    ("profiles", taste_profiles.profiles),
    ("export", taste_profiles.export),
    ("import", taste_profiles.import_),
    ("average", taste_profiles.average),
    ("delete", taste_profiles.delete),
):
    taste.command(_name)(guard(_command))
