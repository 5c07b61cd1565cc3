"""Back from a network's file to a network that can be trained on."""

from __future__ import annotations

import numpy as np
import torch

from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.ship import agree
from trabecula.learning.train import FIELDS, Recipe
from trabecula.surrogate import Model


def network_of(model: Model) -> tuple[EncoderDecoder, Recipe]:
    """The network whose file a model is, with the recipe for more of its kind.

    The numbers are read from the file's initialisers by their names; nothing is unpickled. The network is run
    beside the file before it is handed out.

    Raises
    ------
    ValueError
        If the file is not of such a network, or holds it in another precision.
    """
    import onnx
    from onnx import numpy_helper

    card = model.card
    kind = card.name.rpartition("-")[0]
    try:
        size = Size(**card.story["size"])
        recipe = Recipe(kind, card.dimension, size, card.answers)
        if kind not in FIELDS or recipe.channels != card.channels:
            raise ValueError(f"{card.channels} channels")
        network = recipe.network()
        held = {each.name: each for each in onnx.load_from_string(model.content).graph.initializer}
        state = network.state_dict()
        numbers = {name: numpy_helper.to_array(held[name]) for name in state}
    except Exception as error:  # of protobuf, of onnx, of a story by hand: it is not what it should be
        raise ValueError(f"{card.label} is not an encoder-decoder of this version ({error})") from error
    for name, value in numbers.items():
        if value.dtype != np.float32 or value.shape != tuple(state[name].shape):
            raise ValueError(f"{card.label} holds {name} as {value.dtype} {list(value.shape)}")
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in numbers.items()})
    agree(network, model)
    return network.eval(), recipe
