"""The same network with less: fewer weights, channels or bits, or a big one asked only when needed."""

from trabecula.nn.compress.cascade import (
    Answer,
    Cascade,
    CascadeReport,
    fit_cascade,
    zero_one_loss,
)
from trabecula.nn.compress.channels import prune_channels
from trabecula.nn.compress.doubt import (
    class_entropy,
    one_minus_margin,
    one_minus_probability,
    voxel_entropy,
)
from trabecula.nn.compress.export import export_onnx
from trabecula.nn.compress.precision import quantize_dynamic, quantize_static, to_float16
from trabecula.nn.compress.threshold import ThresholdChoice, choose_threshold
from trabecula.nn.compress.weights import prune_weights, sparsity_of

__all__ = [
    "Answer",
    "Cascade",
    "CascadeReport",
    "ThresholdChoice",
    "choose_threshold",
    "class_entropy",
    "export_onnx",
    "fit_cascade",
    "one_minus_margin",
    "one_minus_probability",
    "prune_channels",
    "prune_weights",
    "quantize_dynamic",
    "quantize_static",
    "sparsity_of",
    "to_float16",
    "voxel_entropy",
    "zero_one_loss",
]
