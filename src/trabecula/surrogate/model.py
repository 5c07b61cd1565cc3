"""Shipped networks: found by name, checked by their sum, run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.onnx_runtime import onnx_runtime
from trabecula.storage.reading import UnreadableError, read_bytes, read_text
from trabecula.surrogate.packing import pack, unpack

Channels = NDArray[np.float32]

FOLDER = Path(__file__).parent / "models"
MANIFEST = "manifest.json"
SHIPPED = "shipped"
"""Version of what ships."""

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
        self._sessions: dict[int, Any] = {}

    def logits(self, fields: Channels, threads: int = 1) -> Channels:
        """What the network says of every voxel.

        Parameters
        ----------
        fields
            float32 `[channel, z, y, x]` of `trabecula.surrogate.features`.
        threads
            The answer does not depend on it.

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
        found = self.run({"fields": packed[None]}, threads)
        return unpack(found[0], self.card.patch, fields.shape[1:])

    def run(self, inputs: dict[str, Channels], threads: int = 1) -> Channels:
        """The file's one output for its inputs by name, as they are; float32, batches first."""
        (found,) = self._session(threads).run(None, inputs)
        answer: Channels = found
        return answer

    def _session(self, threads: int) -> Any:
        if threads not in self._sessions:
            onnxruntime = onnx_runtime()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._sessions[threads] = onnxruntime.InferenceSession(
                self.content, options, providers=["CPUExecutionProvider"]
            )
        return self._sessions[threads]


def cards(folder: Path = FOLDER) -> dict[str, Card]:
    """All models of a folder by name.

    Raises
    ------
    UnreadableError
        If the manifest is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        entries = json.loads(read_text(path, _LIMIT))
        return {name: Card(**{**entry, "name": name}) for name, entry in entries.items()}
    except (json.JSONDecodeError, TypeError, AttributeError) as error:
        raise UnreadableError(path, f"is not a manifest of models ({error})") from error


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
def shipped(kind: str, dimension: int) -> Model | None:
    """The shipped model of a kind ("corrector", "leap", "proposer") in 2-D or 3-D, if there is one."""
    name = f"{kind}-{dimension}d"
    return load_model(name) if name in cards() else None
