"""Where profiles are kept: a private folder among the user's data; nothing leaves the machine."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from trabecula.storage import user_folder
from trabecula.storage.owned import BUSY, hold
from trabecula.storage.reading import UnreadableError
from trabecula.taste.profile import TasteProfile

FOLDER = "TRABECULA_TASTE_DIR"
KIND, EXPORT = "taste", "taste-export"
"""Of the private folder, and of one that a profile was exported into, in their marks."""

HOUSE = "house"
"""The profile that ships."""

DEFAULT = "me"
"""The profile that is taken where none is named."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")


def folder() -> Path:
    """`TRABECULA_TASTE_DIR`, else `trabecula/taste` among the user's data.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    return user_folder.folder(FOLDER, "taste")


def check_name(name: str) -> str:
    """A name that a profile of one's own may have.

    Raises
    ------
    ValueError
        If it may not.
    """
    if not _NAME.fullmatch(name) or name == HOUSE:
        raise ValueError(
            f"the profile {name!r} cannot be written; a name has 1 to 40 of a to z, 0 to 9, - and _, "
            f"begins and ends with a letter or digit, and is not {HOUSE!r}, which ships"
        )
    return name


def names() -> tuple[str, ...]:
    """The profiles on this machine, by name."""
    place = folder()
    if not place.is_dir():
        return ()
    found = (path.stem for path in place.glob("*.json") if path.is_file())
    return tuple(sorted(name for name in found if _NAME.fullmatch(name) and name != HOUSE))


def load_profile(name: str = DEFAULT) -> TasteProfile:
    """A profile by name; "house" is the one that ships.

    Raises
    ------
    ValueError
        If there is none.
    UnreadableError
        If it is damaged.
    """
    if name == HOUSE:
        with resources.as_file(resources.files("trabecula.taste") / "house.json") as path:
            return TasteProfile.read(path, HOUSE)
    path = folder() / f"{check_name(name)}.json"
    if not path.exists():
        known = ", ".join((*names(), HOUSE))
        raise ValueError(f"there is no profile {name!r}; there are {known}; `trabecula taste ask` begins one")
    return TasteProfile.read(path, name)


def save_profile(profile: TasteProfile) -> Path:
    """Keep a profile, readable by its owner only; a file of its name that is not ours is never overwritten.

    Returns
    -------
    Path
        Its file.

    Raises
    ------
    ValueError
        If its name may not be written.
    OwnershipError
        If there is such a file that is not ours.
    """
    name = f"{check_name(profile.name)}.json"
    with hold(folder(), KIND, wait=BUSY, private=True) as held:
        held.write_text(name, profile.to_text())
    return folder() / name


def delete_profile(name: str) -> None:
    """Remove a profile.

    Raises
    ------
    ValueError
        If there is none.
    UnreadableError
        If its file is not ours, or was changed; it stays.
    """
    path = folder() / f"{check_name(name)}.json"
    if not path.exists():
        raise ValueError(f"there is no profile {name!r}; there are {', '.join(names()) or 'none'}")
    with hold(folder(), KIND, wait=BUSY, private=True) as held:
        if not held.remove(path.name):
            raise UnreadableError(
                path, "was not written by trabecula, or was changed since; remove it by hand"
            )
        if not held.names:
            held.retire()


def export_profile(profile: TasteProfile, path: Path) -> None:
    """Write a profile into a file for somebody else, readable by its owner only.

    Raises
    ------
    OwnershipError
        If there is such a file that is not ours.
    """
    with hold(path.absolute().parent, EXPORT, wait=BUSY, private=True) as held:
        held.write_text(path.name, profile.to_text())
