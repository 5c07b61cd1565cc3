"""From a trained auto-encoder to two files that ship: weights in half precision, arithmetic in single."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trabecula.learning.latent.network import AutoEncoder, Build
from trabecula.learning.latent.train import SCALE
from trabecula.learning.ship import (
    AGREEMENT,
    OPSET,
    add_to_folder,
    export_onnx,
)
from trabecula.surrogate import Card, Model
from trabecula.surrogate.canonical import SIDE
from trabecula.version import VERSION

SMALLEST = 256
"""Tensors of fewer numbers stay in single precision: a cast costs as many bytes."""


def ship(network: AutoEncoder, folder: Path, story: dict[str, Any]) -> tuple[Card, Card]:
    """Write encoder and decoder into a folder of models, in place of those of the same name.

    Parameters
    ----------
    network
        Its weights are numbers of half precision (`trabecula.learning.latent.train`).
    story
        The model card: data, commands, hours, figures, limits.

    Raises
    ------
    RuntimeError
        If a file does not say what its network says.
    """
    build = network.build
    fields = torch.zeros(2, build.voxels, *[build.places[0]] * build.dimension)
    sides, codes = torch.zeros(2, build.dimension), torch.zeros(2, build.numbers)
    return (
        _ship_part("encoder", network.encoder, {"fields": fields, "aspects": sides}, build, folder, story),
        _ship_part("decoder", network.decoder, {"codes": codes, "aspects": sides}, build, folder, story),
    )


def _ship_part(
    part: str,
    network: nn.Module,
    inputs: dict[str, Tensor],
    build: Build,
    folder: Path,
    story: dict[str, Any],
) -> Card:
    several = {0: torch.export.Dim.DYNAMIC}
    content = to_half_precision(export_onnx(network.eval(), inputs, (several, several), "answer"))
    name = f"{part}-{build.dimension}d"
    card = Card(
        name=name,
        file=f"{name}.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        dimension=build.dimension,
        channels=1 if part == "encoder" else build.numbers,
        answers=build.numbers if part == "encoder" else 1,
        patch=build.patch,
        multiple=1,
        settings={"side": SIDE[build.dimension], "scale": SCALE},
        story={
            "opset": OPSET,
            "parameters": sum(p.numel() for p in network.parameters()),
            "size": build.to_json(),
            "trabecula": VERSION,
            "torch": torch.__version__,
            **story,
        },
    )
    _agree(network, inputs, Model(card, content))
    add_to_folder(folder, card, content)
    return card


def to_half_precision(content: bytes) -> bytes:
    """An ONNX file with its weights in half precision, cast to single where they are used.

    The runtime casts constants once, when it loads the file; what is computed stays in single precision.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(content)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _agree(network: nn.Module, inputs: dict[str, Tensor], model: Model) -> None:
    """See that network and file say the same, of another number of designs."""
    random = torch.Generator().manual_seed(0)
    given = [torch.rand(3, *value.shape[1:], generator=random) for value in inputs.values()]
    with torch.no_grad():
        expected = network(*given).numpy()
    found = model.run(dict(zip(inputs, (value.numpy() for value in given), strict=True)))
    difference = float(np.abs(found - expected).max())
    if not difference <= AGREEMENT * max(1.0, float(np.abs(expected).max())):
        raise RuntimeError(f"{model.card.name}: the ONNX file differs from the network by {difference:.2g}")
