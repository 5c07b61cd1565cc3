"""Blocks of efficient networks, one file a paper family; `dimension` chooses sequences, images or volumes.

Each keeps the name and the defaults of its paper, works on `[batch, channels, *space]`, exports to ONNX,
and says in its docstring what it computes and what it costs.
"""

from __future__ import annotations

from trabecula.nn.blocks.bottleneck import Bottleneck
from trabecula.nn.blocks.condense import (
    CondensedConv,
    CondenseLayer,
    LearnedGroupConv,
    advance,
    condensation_stage,
    group_lasso,
)
from trabecula.nn.blocks.conv import ConvNormAct
from trabecula.nn.blocks.deployment import deploy, in_use
from trabecula.nn.blocks.dimension import (
    adaptive_average_pool,
    average_pool,
    batch_norm,
    conv,
    max_pool,
)
from trabecula.nn.blocks.factorised import AsymmetricConv, FactorisedConv
from trabecula.nn.blocks.fire import Fire
from trabecula.nn.blocks.flgc import FullyLearnableGroupConv, IndexedGroupConv
from trabecula.nn.blocks.gap_head import ConvGapHead, GapHead, GlobalAveragePool
from trabecula.nn.blocks.inverted import (
    InvertedResidual,
    mbconv,
    mobilenet_v2_unit,
    mobilenet_v3_unit,
)
from trabecula.nn.blocks.resnext import ResNeXtBottleneck
from trabecula.nn.blocks.scaling import (
    Compound,
    Scale,
    candidates,
    round_channels,
    scale_stages,
)
from trabecula.nn.blocks.separable import DepthwiseSeparable, SeparableConv
from trabecula.nn.blocks.shift import (
    ConvShiftConv,
    Moves,
    Shift,
    SparseShift,
    shift_penalty,
)
from trabecula.nn.blocks.shuffle import (
    ChannelShuffle,
    GroupedPointwise,
    ShuffleUnitV1,
    ShuffleUnitV2,
    channel_shuffle,
)
from trabecula.nn.blocks.squeeze_excite import SqueezeExcite
from trabecula.nn.blocks.stochastic_depth import StochasticDepth

__all__ = [
    "AsymmetricConv",
    "Bottleneck",
    "ChannelShuffle",
    "Compound",
    "CondenseLayer",
    "CondensedConv",
    "ConvGapHead",
    "ConvNormAct",
    "ConvShiftConv",
    "DepthwiseSeparable",
    "FactorisedConv",
    "Fire",
    "FullyLearnableGroupConv",
    "GapHead",
    "GlobalAveragePool",
    "GroupedPointwise",
    "IndexedGroupConv",
    "InvertedResidual",
    "LearnedGroupConv",
    "Moves",
    "ResNeXtBottleneck",
    "Scale",
    "SeparableConv",
    "Shift",
    "ShuffleUnitV1",
    "ShuffleUnitV2",
    "SparseShift",
    "SqueezeExcite",
    "StochasticDepth",
    "adaptive_average_pool",
    "advance",
    "average_pool",
    "batch_norm",
    "candidates",
    "channel_shuffle",
    "condensation_stage",
    "conv",
    "deploy",
    "group_lasso",
    "in_use",
    "max_pool",
    "mbconv",
    "mobilenet_v2_unit",
    "mobilenet_v3_unit",
    "round_channels",
    "scale_stages",
    "shift_penalty",
]
