"""HOW IT CHANGES: the design variables are densities `x`; `DesignChain` makes physical densities of them and
brings gradients back, an `Interpolation` makes those stiff, a `Schedule` changes penalty and projection."""

from trabecula.design.chain import DesignChain
from trabecula.design.continuation import (
    SHARPEST,
    Schedule,
    doubling,
    ramp,
    sharpen,
    sharpen_late,
    sharpen_soon,
)
from trabecula.design.filters import Filter, FilterKind, make_filter
from trabecula.design.interpolation import (
    Interpolation,
    Polynomial,
    Ramp,
    Simp,
    final_penalty,
    make_interpolation,
)
from trabecula.design.projection import Projection

__all__ = [
    "SHARPEST",
    "DesignChain",
    "Filter",
    "FilterKind",
    "Interpolation",
    "Polynomial",
    "Projection",
    "Ramp",
    "Schedule",
    "Simp",
    "doubling",
    "final_penalty",
    "make_filter",
    "make_interpolation",
    "ramp",
    "sharpen",
    "sharpen_late",
    "sharpen_soon",
]
