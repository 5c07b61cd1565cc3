"""A watertight surface out of a density: arrays only."""

from trabecula.surface.mesh import Mesh
from trabecula.surface.surface import surface

__all__ = ["Mesh", "surface"]
