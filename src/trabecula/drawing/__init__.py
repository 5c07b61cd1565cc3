"""Pictures of a design, plane or solid, and animations of its way: arrays only."""

from trabecula.drawing.animation import animate
from trabecula.drawing.picture import picture

__all__ = ["animate", "picture"]
