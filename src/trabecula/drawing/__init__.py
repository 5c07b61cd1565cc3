"""Pictures of a design, plane or solid: arrays only."""

from trabecula.drawing.picture import picture

__all__ = ["picture"]
