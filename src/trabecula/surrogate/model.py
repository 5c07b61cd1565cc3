"""Shipped networks: found by name, checked by their sum, run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.onnx_runtime import onnx_runtime
from trabecula.storage.reading import (
    CheckedRecord,
    UnreadableError,
    read_bytes,
    read_json,
    shorten,
)
from trabecula.surrogate.packing import pack, unpack

Channels = NDArray[np.float32]

FOLDER = Path(__file__).parent / "models"
MANIFEST = "manifest.json"
SHIPPED = "shipped"
"""Version of what ships."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_ANY = (-1e6, 1e6)
_SETTINGS = {
    "grey": (0.0, 1.0),
    "penalty": (1.0, 20.0),
    "ramp": (0.0, 1000.0),
    "sharpness": (1e-3, 1000.0),
    "scale": (1e-6, 1e6),
    "side": (1.0, 1024.0),
}
"""The least and the most of what a card may say."""

_LIMIT = 1 << 20
_LARGEST = 64 << 20


@dataclass(frozen=True)
class Card:
    """What is known of a model without opening it.

    Attributes
    ----------
    name
        For example `corrector-3d`.
    file, sha256
        The ONNX file in the same folder, and its sum.
    dimension, channels, answers
        Of the problems, of the input, and of the output.
    patch, multiple
        Of `trabecula.surrogate.packing`.
    settings
        What its user needs to know: share of grey, penalty, from the validation.
    story
        Where it comes from: data, seed, commands, hours, limits (the model card).
    version
        "shipped", or the number of a version of the user's own; the manifest does not say it.
    """

    name: str
    file: str
    sha256: str
    dimension: int
    channels: int
    answers: int
    patch: int
    multiple: int
    settings: dict[str, float]
    story: dict[str, Any]
    version: str = ""

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """As a mapping, name and version left out (the one is the key, the other where it is)."""
        return {key: value for key, value in vars(self).items() if key not in ("name", "version")}


class Model:
    """A network ready to run.

    Parameters
    ----------
    card
        What it is.
    content
        The ONNX file.
    """

    def __init__(self, card: Card, content: bytes) -> None:
        self.card = card
        self.content = content
        self._session: Any = None

    def logits(self, fields: Channels) -> Channels:
        """What the network says of every voxel.

        Parameters
        ----------
        fields
            float32 `[channel, z, y, x]` of `trabecula.surrogate.features`.

        Returns
        -------
        NDArray[np.float32]
            `[answer, z, y, x]`.
        """
        if fields.shape[0] != self.card.channels:
            raise ValueError(
                f"model {self.card.name} takes {self.card.channels} channels, not {fields.shape[0]}"
            )
        packed = pack(fields, self.card.patch, self.card.multiple)
        found = self.run({"fields": packed[None]})
        return unpack(found[0], self.card.patch, fields.shape[1:])

    def run(self, inputs: dict[str, Channels]) -> Channels:
        """The file's one output for its inputs by name, as they are; float32, batches first."""
        session = self._open_session()
        try:
            (found,) = session.run(None, inputs)
        except Exception as error:  # as above
            raise UnreadableError(Path(self.card.file), f"is no network that fits ({error})") from error
        if not (isinstance(found, np.ndarray) and found.dtype == np.float32):
            raise UnreadableError(Path(self.card.file), "gives something else than float32 numbers")
        answer: Channels = found
        return answer

    def _open_session(self) -> Any:
        """The session, on one thread: the runtime's sums depend on how many there are, in the last digits.

        Two threads would gain a quarter of some ten milliseconds per question.
        """
        if self._session is None:
            onnxruntime = onnx_runtime()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            try:
                self._session = onnxruntime.InferenceSession(
                    self.content, options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # the runtime has a dozen kinds, and none that is public
                raise UnreadableError(Path(self.card.file), f"is no network that runs ({error})") from error
        return self._session


def cards(folder: Path = FOLDER) -> dict[str, Card]:
    """All models of a folder by name.

    Raises
    ------
    UnreadableError
        If the manifest is damaged.
    """
    path = folder / MANIFEST
    if not os.path.lexists(path):
        return {}
    try:
        entries = read_json(path, _LIMIT, infinite=True)
        return {name: _card(path, name, entry) for name, entry in entries.items()}
    except UnreadableError as error:
        raise UnreadableError(path, f"is not a manifest of models ({error.reason})") from error


def _card(path: Path, name: str, entry: object) -> Card:
    """A card from its entry in a manifest, every field of its kind."""
    held = CheckedRecord(path, entry)
    held.only(*(field.name for field in fields(Card) if field.name not in ("name", "version")))
    settings = CheckedRecord(path, held.take("settings", dict))
    digest = held.text("sha256")
    if not _NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise UnreadableError(path, f"{shorten(name)} is no name, or {shorten(digest)} no sum")
    return Card(
        name=name,
        file=held.text("file"),
        sha256=digest,
        dimension=held.whole("dimension", 2, 3),
        channels=held.whole("channels", 1, 10_000),
        answers=held.whole("answers", 1, 10_000),
        patch=held.whole("patch", 1, 64),
        multiple=held.whole("multiple", 1, 1024),
        settings={key: settings.real(key, *_SETTINGS.get(key, _ANY)) for key in settings.values},
        story=held.take("story", dict),
    )


def load_model(name: str, folder: Path = FOLDER) -> Model:
    """The model of that name.

    Raises
    ------
    UnreadableError
        If there is none, or its file is not the one the manifest speaks of.
    """
    found = cards(folder)
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise UnreadableError(folder / MANIFEST, f"has no model {name!r}; there is: {known}")
    card = found[name] if folder != FOLDER else replace(found[name], version=SHIPPED)
    path = folder / Path(card.file).name
    content = read_bytes(path, _LARGEST)
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise UnreadableError(path, "is not the file its manifest speaks of; install trabecula again")
    return Model(card, content)


@cache
def shipped_model(kind: str, dimension: int) -> Model | None:
    """The shipped model of a kind ("corrector", "leap", "proposer") in 2-D or 3-D, if there is one."""
    name = f"{kind}-{dimension}d"
    return load_model(name) if name in cards() else None
