"""A network that can be trained on, from the ONNX file that was made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trabecula.learning.network import EncoderDecoder, Residual, Size
from trabecula.learning.ship import check_agreement
from trabecula.learning.train import FIELDS, TrainingRecipe
from trabecula.surrogate import Model

if TYPE_CHECKING:
    from onnx import GraphProto

Array = NDArray[np.generic]


def network_of(model: Model) -> tuple[EncoderDecoder, TrainingRecipe]:
    """The network whose file a model is, with the recipe for more of its kind.

    The numbers are read from the file's graph in the order in which the network uses them, for the file
    stores equal ones once and leaves zeros out; nothing is unpickled. The network is run beside the file
    before it is handed out.

    Raises
    ------
    ValueError
        If the file is not of such a network, or holds it in another precision.
    RuntimeError
        If network and file do not say the same.
    """
    import onnx

    card = model.card
    kind = card.name.rpartition("-")[0]
    try:
        size = Size(**card.story["size"])
        recipe = TrainingRecipe(kind, card.dimension, size)
        if kind not in FIELDS or recipe.channels != card.channels:
            raise ValueError(f"{card.channels} channels")
        network = recipe.network()
        found = _file_parameters(onnx.load_from_string(model.content).graph)
        for parameter, value in zip(_network_parameters(network), found, strict=True):
            _fill(parameter, value)
    except Exception as error:  # of protobuf, of onnx, of a story by hand: it is not what it should be
        raise ValueError(f"{card.label} is not an encoder-decoder of this version ({error})") from error
    check_agreement(network, model)
    return network.eval(), recipe


def _network_parameters(network: EncoderDecoder) -> list[Tensor]:
    """All parameters: of the convolutions in the order of their use, then the scales of the blocks."""
    modules = list(network.modules())
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d | nn.Conv3d)]
    scales: list[Tensor] = [module.scale for module in modules if isinstance(module, Residual)]
    return [parameter for each in convolutions for parameter in each.parameters()] + scales


def _file_parameters(graph: GraphProto) -> list[Array | None]:
    """The same from a file; None for a bias that is 0."""
    from onnx import numpy_helper

    held = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    found: list[Array | None] = []
    scales: list[Array | None] = []
    for node in graph.node:
        if node.op_type == "Conv":
            found += [held[node.input[1]], held[node.input[2]] if len(node.input) > 2 else None]
        elif node.op_type == "Mul":
            scales += [held[name] for name in node.input if name in held]
    return found + scales


def _fill(parameter: Tensor, value: Array | None) -> None:
    if value is None:
        value = np.zeros(tuple(parameter.shape), np.float32)
    if value.dtype != np.float32 or value.shape != tuple(parameter.shape):
        raise ValueError(f"{value.dtype} {list(value.shape)} for float32 {list(parameter.shape)}")
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.array(value)))
