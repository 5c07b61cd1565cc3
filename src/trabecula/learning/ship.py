"""A trained network as a file that ships: ONNX, with its hash and its model card in the manifest."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trabecula.learning.network import EncoderDecoder
from trabecula.learning.train import TrainingRecipe
from trabecula.storage.owned import BUSY, hold
from trabecula.surrogate import Card, Model
from trabecula.surrogate.model import MANIFEST, cards
from trabecula.version import VERSION

KIND = "models"
"""Of a folder of models, in its mark."""

OPSET = 18
AGREEMENT = 1e-4
"""Largest difference between the network and its file, in logits."""


def ship(
    network: EncoderDecoder,
    recipe: TrainingRecipe,
    folder: Path,
    settings: dict[str, float],
    story: dict[str, Any],
    name: str | None = None,
) -> Card:
    """Write a network into a folder of models, in place of one of the same name.

    Parameters
    ----------
    settings
        For its user at work (`Card.settings`).
    story
        The model card: data, commands, hours, figures, limits.

    Raises
    ------
    RuntimeError
        If the file does not say what the network says.
    """
    name = name or f"{recipe.kind}-{recipe.dimension}d"
    content = to_onnx(network)
    story = {
        "opset": OPSET,
        "parameters": sum(p.numel() for p in network.parameters()),
        "size": network.size.to_json(),
        "trabecula": VERSION,
        "torch": torch.__version__,
        **story,
    }
    card = Card(
        name=name,
        file=f"{name}.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        dimension=recipe.dimension,
        channels=recipe.channels,
        answers=1,
        patch=recipe.size.patch,
        multiple=recipe.size.multiple,
        settings=settings,
        story=story,
    )
    check_agreement(network, Model(card, content))
    add_to_folder(folder, card, content)
    return card


def add_to_folder(folder: Path, card: Card, content: bytes) -> None:
    """Put a file into a folder of models and its card into the manifest, in place of one of the same name.

    Raises
    ------
    OwnershipError
        There is a file of that name, or a manifest, that is not ours.
    """
    with hold(folder, KIND, wait=BUSY) as held:
        held.check([card.file, MANIFEST])
        known = {**cards(folder), card.name: card}
        text = json.dumps({key: known[key].to_json() for key in sorted(known)}, indent=1)
        with held.batch():
            held.write_bytes(card.file, content)
            held.write_text(MANIFEST, text + "\n")


def update_card(folder: Path, name: str, settings: dict[str, float], story: dict[str, Any]) -> Card:
    """Change what the manifest says of a model, its file left as it is."""
    known = cards(folder)
    card = replace(known[name], settings=settings, story={**known[name].story, **story})
    known[name] = card
    text = json.dumps({key: known[key].to_json() for key in sorted(known)}, indent=1)
    with hold(folder, KIND, wait=BUSY) as held:
        held.write_text(MANIFEST, text + "\n")
    return card


def to_onnx(network: EncoderDecoder) -> bytes:
    """The network as an ONNX file for grids of any size and any number of them at once, without any trace of
    where it was made."""
    places = [4 * network.size.multiple] * network.dimension
    example = torch.zeros(2, network.channels * network.size.patch**network.dimension, *places)
    free = dict.fromkeys((0, *range(2, 2 + network.dimension)), torch.export.Dim.AUTO)
    return export_onnx(network, {"fields": example}, (free,), "logits")


def export_onnx(
    network: nn.Module, inputs: dict[str, Tensor], free: tuple[dict[int, Any], ...], output: str
) -> bytes:
    """A network as an ONNX file, without any trace of where it was made.

    Parameters
    ----------
    inputs
        Examples by name, in the order the network takes them.
    free
        For every input, the axes that may have another length, as `torch.export` wants them.
    output
        Name of the answer.
    """
    import onnx

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            network.eval(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=[output],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            dynamic_shapes=free,
            verbose=False,
        )
        model = onnx.load(path)
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    del model.functions[:]
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def check_agreement(network: EncoderDecoder, model: Model) -> None:
    """See that network and file say the same, on a grid of another size, odd ones among the sides.

    Raises
    ------
    RuntimeError
        If they do not.
    """
    shape = (9, 14, 23)[-network.dimension :]
    fields = np.random.default_rng(0).standard_normal((network.channels, *shape)).astype(np.float32)
    from trabecula.surrogate import pack, unpack

    packed = torch.from_numpy(pack(fields, network.size.patch, network.size.multiple))
    with torch.no_grad():
        expected = unpack(network(packed[None])[0].numpy(), network.size.patch, shape)
    difference = float(np.abs(model.logits(fields) - expected).max())
    if not difference <= AGREEMENT:
        raise RuntimeError(f"{model.card.name}: the ONNX file differs from the network by {difference:.2g}")
