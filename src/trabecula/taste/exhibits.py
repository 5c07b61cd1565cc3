"""The designs of a gallery's folder, as they are shown to a person and ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trabecula.gallery.curate import DESIGNS
from trabecula.gallery.record import Gallery, part_mask
from trabecula.gallery.save import RECORD
from trabecula.results.result import Result
from trabecula.storage.mark import is_name
from trabecula.storage.reading import CheckedRecord, UnreadableError, read_json
from trabecula.taste.choices import GalleryScale, Pick, Place
from trabecula.taste.features import Look, look_at

LARGEST = 50_000_000
CHOICES = 1
"""Version of the file of choices that a gallery's page saves."""


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One design of a gallery.

    Attributes
    ----------
    name
        Of the design.
    above
        By which share it is worse than the best of the gallery.
    words
        What it looks like.
    look, place
        As taste sees it, and where it stands among the gallery's designs.
    result
        The design itself.
    """

    name: str
    above: float
    words: str
    look: Look
    place: Place
    result: Result


def exhibits_of(gallery: Gallery) -> tuple[Exhibit, ...]:
    """The designs of a gallery in memory, best first."""
    spacing = gallery.problem.domain.spacing
    looks = [look_at(design.mask, spacing) for design in gallery]
    heads = [(design.name, design.above, design.description.words) for design in gallery]
    return _arrange(heads, looks, [design.result for design in gallery])


def read_exhibits(folder: Path) -> tuple[Exhibit, ...]:
    """The designs of a gallery's folder, best first; its result folders are read as any are.

    Raises
    ------
    UnreadableError
        If it is no gallery's folder, or something in it is damaged.
    """
    path = folder / RECORD
    if not path.is_file():
        raise UnreadableError(path, "does not exist; `trabecula gallery FILE` makes a gallery")
    held = CheckedRecord(path, read_json(path, LARGEST, 5_000_000))
    heads: list[tuple[str, float, str]] = []
    looks: list[Look] = []
    results: list[Result] = []
    for each in held.take("designs", list):
        design = CheckedRecord(path, each)
        name = design.text("name")
        if not is_name(name):
            raise UnreadableError(path, f"names a design {name!r}, which is no name of a folder")
        described = CheckedRecord(path, design.take("description", dict))
        result = Result.load(folder / DESIGNS / name)
        heads.append((name, design.real("above", 0.0), described.text("words")))
        looks.append(look_at(part_mask(result), result.problem.domain.spacing))
        results.append(result)
    if not heads:
        raise UnreadableError(path, "holds no design")
    return _arrange(heads, looks, results)


def _arrange(
    heads: Sequence[tuple[str, float, str]], looks: Sequence[Look], results: Sequence[Result]
) -> tuple[Exhibit, ...]:
    scale = GalleryScale.of(looks)
    return tuple(
        Exhibit(*head, look, scale.place(look), result)
        for head, look, result in zip(heads, looks, results, strict=True)
    )


def read_choices(path: Path, exhibits: Sequence[Exhibit]) -> tuple[Pick, ...]:
    """The choices that were made in a gallery's page.

    Parameters
    ----------
    path
        The file that the page saved.
    exhibits
        The designs of that gallery.

    Raises
    ------
    UnreadableError
        If it is damaged, or speaks of other designs.
    """
    held = CheckedRecord(path, read_json(path, 5_000_000))
    held.only("trabecula_choices", "gallery", "choices")
    held.whole("trabecula_choices", CHOICES, CHOICES)
    places = {exhibit.name: exhibit.place for exhibit in exhibits}
    picks = []
    for each in held.take("choices", list):
        choice = CheckedRecord(path, each)
        choice.only("shown", "nicest")
        shown, nicest = choice.take("shown", list), choice.text("nicest")
        unknown = [name for name in shown if not isinstance(name, str) or name not in places]
        if unknown:
            raise UnreadableError(path, f"speaks of {unknown[0]!r}, which this gallery does not hold")
        if not 2 <= len(shown) <= 64 or len(set(shown)) < len(shown) or nicest not in shown:
            raise UnreadableError(
                path, "holds a choice that is none: two designs or more, one of them nicest"
            )
        picks.append(Pick(tuple(places[name] for name in shown), shown.index(nicest)))
    return tuple(picks)
