"""The user's own networks: fine-tuned on past solves, in versions, each in place of one that ships.

Every network has a folder (`corrector-3d`), and in it every version has one (`0001`, `0002`, ...), with the
ONNX file and a manifest that holds its sum. The highest version is the one in use; one that was rolled back
keeps its number and its files under another name. Nothing here is ever trusted: what cannot be used is passed
over with a warning. Folders of versions carry a mark (`trabecula.storage`); one that does not was not made
here, and stays.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trabecula.storage import user_folder
from trabecula.storage.folders import make_folder, remove_folder, sweep_folders
from trabecula.storage.mark import OwnershipError, read_mark
from trabecula.storage.owned import BUSY, hold
from trabecula.surrogate.model import (
    Card,
    Model,
    cards,
    load_model,
    shipped_model,
)

SWITCH, FOLDER = "TRABECULA_NETWORKS", "TRABECULA_NETWORKS_DIR"

KIND, VERSION_KIND = "networks", "network"
"""Of a network's folder and of a version's, in their marks."""

WITHDRAWN = "withdrawn"

_NUMBERED = re.compile(rf"(\d{{4,9}})(\.{WITHDRAWN})?")


class NetworkWarning(UserWarning):
    """A network of the user's cannot be used; the one that ships is used instead."""


@dataclass(frozen=True)
class Version:
    """One version of one of the user's networks.

    Attributes
    ----------
    name
        Of the network, such as `corrector-3d`.
    number
        Such as "0002".
    path
        Its folder.
    withdrawn
        Whether it was rolled back.
    """

    name: str
    number: str
    path: Path
    withdrawn: bool


def is_on() -> bool:
    """Whether the user's networks are used: yes, unless `TRABECULA_NETWORKS` is 0, off, no or false."""
    return user_folder.is_on(SWITCH)


def folder() -> Path:
    """`TRABECULA_NETWORKS_DIR`, else `networks` beside the history.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    return user_folder.folder(FOLDER, "networks")


def names() -> list[str]:
    """Networks there are versions of."""
    root = folder()
    return sorted(path.name for path in root.iterdir() if versions(path.name)) if root.is_dir() else []


def versions(name: str) -> list[Version]:
    """All versions of a network, the oldest first."""
    found, root = [], folder() / name
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        match = _NUMBERED.fullmatch(path.name)
        if match:
            found.append(Version(name, match[1], path, match[2] is not None))
    return sorted(found, key=lambda version: int(version.number))


def latest(name: str) -> Version | None:
    """The version in use, if there is one."""
    standing = [version for version in versions(name) if not version.withdrawn]
    return standing[-1] if standing else None


def model_in_use(kind: str, dimension: int) -> Model | None:
    """The network of a kind that works here: the user's newest, else the one that ships, if there is one.

    Warns
    -----
    NetworkWarning
        Once a call, where the user's cannot be used; the one that ships is returned.
    """
    base = shipped_model(kind, dimension)
    if base is None or not is_on():
        return base
    try:
        version = latest(base.card.name)
        return base if version is None else open_version(version, base)
    except Exception as error:  # whatever is wrong with it, a solve does without
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(
            f"your own {base.card.name} is passed over and the one that ships is used ({reason}); "
            f"trabecula train {kind} --roll-back takes it away",
            NetworkWarning,
            stacklevel=2,
        )
        return base


def open_version(version: Version, base: Model) -> Model:
    """A version, ready to run and seen to fit in the place of `base`.

    Raises
    ------
    UnreadableError
        If it is damaged.
    ValueError
        If it does not fit.
    """
    loaded = load_model(version.name, version.path)
    card = replace(loaded.card, version=version.number)
    if card.story.get("base") != base.card.sha256:
        raise ValueError(f"version {version.number} was made from another network than now ships")
    for key in ("dimension", "channels", "answers", "patch", "multiple"):
        if getattr(card, key) != getattr(base.card, key):
            raise ValueError(f"version {version.number} has other {key} than the network that ships")
    if set(card.settings) != set(base.card.settings):
        raise ValueError(f"version {version.number} has other settings than the network that ships")
    model = Model(card, loaded.content)
    answer = model.logits(np.zeros((card.channels, *[8] * card.dimension), np.float32))
    if answer.shape[0] != card.answers or not np.isfinite(answer).all():
        raise ValueError(f"version {version.number} gives no usable answer")
    return model


def install(name: str, write: Callable[[Path], Card]) -> Card:
    """Make the next version of a network, whole or not at all.

    Parameters
    ----------
    write
        Writes the model and its manifest into a folder.

    Returns
    -------
    Card
        With its version.

    Raises
    ------
    OSError
        If it cannot be written.
    LockedError
        If another process goes on installing one.
    """
    root = folder() / name
    with hold(root, KIND, wait=BUSY, private=True) as held:
        held.mark()
        sweep_folders(root, held.token, 0.0)
        number = f"{max((int(v.number) for v in versions(name)), default=0) + 1:04d}"
        card = make_folder(root, number, VERSION_KIND, held.token, write, private=True)
    return replace(card, version=number)


def roll_back(name: str) -> tuple[str, str]:
    """Withdraw the newest version of a network.

    Returns
    -------
    tuple of str
        Number of the version withdrawn, and of the one in use from now on, "" for the one that ships.

    Raises
    ------
    ValueError
        If there is no version to withdraw.
    OwnershipError
        If it was not made here, or its new name is taken.
    """
    version = latest(name)
    if version is None:
        raise ValueError(f"there is no {name} of your own; the one that ships is in use")
    with hold(folder() / name, KIND, wait=BUSY, private=True):
        target = version.path.with_name(f"{version.number}.{WITHDRAWN}")
        if not _is_ours(version.path):
            raise OwnershipError(
                version.path,
                "was not made by trabecula, or by an earlier version; move it away to withdraw it",
            )
        if os.path.lexists(target):
            raise OwnershipError(target, "is in the way; move it away")
        version.path.rename(target)
    before = latest(name)
    return version.number, "" if before is None else before.number


def card_of(version: Version) -> Card:
    """What the manifest of a version says.

    Raises
    ------
    UnreadableError
        If it is damaged.
    KeyError
        If it speaks of another network.
    """
    return replace(cards(version.path)[version.name], version=version.number)


def clear() -> int:
    """Remove all versions of all networks that were made here; returns how many there were."""
    count = 0
    for name in names():
        root = folder() / name
        if root.is_symlink() or not any(_is_ours(version.path) for version in versions(name)):
            continue
        with hold(root, KIND, wait=BUSY, private=True) as held:
            count += sum(remove_folder(version.path, VERSION_KIND, BUSY) for version in versions(name))
            sweep_folders(root, held.token, 0.0)
            held.retire()
    if count and folder().is_dir() and not any(folder().iterdir()):
        folder().rmdir()
    return count


def _is_ours(path: Path) -> bool:
    """Whether a folder was made by `install`, and is no link to one."""
    if path.is_symlink() or not path.is_dir():
        return False
    try:
        mark = read_mark(path)
    except OwnershipError:
        return False
    return mark is not None and mark.kind == VERSION_KIND
