"""Test-time forms of everything that learns its own connections, in one call."""

from __future__ import annotations

import copy

from torch import nn

from trabecula.nn.blocks.condense import LearnedGroupConv
from trabecula.nn.blocks.flgc import FullyLearnableGroupConv
from trabecula.nn.blocks.shift import SparseShift

Learning = LearnedGroupConv | FullyLearnableGroupConv | SparseShift


def deploy(module: nn.Module) -> nn.Module:
    """A copy of `module` with equal outputs, ready to be exported.

    Learned group convolutions become an index and a grouped convolution, fully learnable ones one
    convolution a group, sparse shifts plain moves. `module` itself is left as it is.

    Raises
    ------
    ValueError
        A learned group convolution whose last condensing stage has not ended.
    """
    if isinstance(module, Learning):
        return module.deploy()
    made = copy.deepcopy(module)
    for parent in list(made.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Learning):
                setattr(parent, name, child.deploy())
    return made


def in_use(module: nn.Module) -> nn.Module:
    """`module` as it will run: `deploy`, but for layers that are not ready, which stay as they are.

    For whatever must watch or trace a network without asking what is in it. The same object where no layer
    learns its connections.
    """
    if not any(isinstance(each, Learning) for each in module.modules()):
        return module
    try:
        return deploy(module)
    except ValueError:
        made = copy.deepcopy(module)
        for parent in list(made.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, FullyLearnableGroupConv | SparseShift):
                    setattr(parent, name, child.deploy())
        return made
