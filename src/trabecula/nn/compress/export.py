"""A torch network as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from trabecula.nn.blocks import in_use
from trabecula.nn.profile.torch_walk import evaluation_mode


def export_onnx(
    model: nn.Module,
    example: torch.Tensor | Sequence[torch.Tensor],
    path: Path | str,
    *,
    any_batch: bool = True,
) -> None:
    """Write a network as ONNX, weights inside the one file.

    Parameters
    ----------
    model
        Exported in evaluation mode, layers that learn their connections in the form they have in use
        (`trabecula.nn.blocks.in_use`); left as it was.
    example
        Its argument, or arguments.
    path
        The file.
    any_batch
        Leave the first size of every input open.

    Raises
    ------
    ValueError
        Where torch cannot export it: one message.
    """
    model = in_use(model)
    inputs = (example,) if isinstance(example, torch.Tensor) else tuple(example)
    sizes = tuple({0: torch.export.Dim("batch")} for _ in inputs) if any_batch else None
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with evaluation_mode(model), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model,
                inputs,
                str(path),
                dynamo=True,
                dynamic_shapes=sizes,
                external_data=False,
                verbose=False,
                optimize=True,
            )
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"this network cannot be exported: {reason[:300]}") from error
    finally:
        logging.disable(before)
