"""The picture of a design: densities as greys in the plane, a shaded surface in space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.verdicts import Word
from trabecula.numerics.errstate import own_errstate
from trabecula.surface.mesh import Mesh


@own_errstate
def picture(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    *,
    solid: NDArray[np.bool_] | None = None,
    void: NDArray[np.bool_] | None = None,
    fixed: NDArray[np.bool_] | None = None,
    loads: NDArray[np.float64] | None = None,
    title: str | None = None,
    word: Word | None = None,
    width: int = 1200,
    mesh: Mesh | None = None,
) -> bytes:
    """Draw a design as PNG.

    Parameters
    ----------
    density
        `[z, y, x]` or `[y, x]`: cell values from 0 (void, white) to 1 (solid, dark).
    spacing
        Edge lengths of a cell along x, y(, z), in metres.
    solid, void
        bool, same shape: passive cells.
    fixed
        bool `[component, z, y, x]` (or `[component, y, x]`) over nodes: supports to draw.
    loads
        float64 `[case, component, z, y, x]` over nodes: loads to draw, one colour per case.
    title
        A line above the picture.
    word
        "predicted", "verified" or "certified": stands before the title, in its colour.
    width
        Width in pixels; the height follows from the design, within half and one and a half of it.
    mesh
        The surface of a solid design, where it is there already; None: it is made of the density.

    Returns
    -------
    bytes
        The PNG file.
    """
    if density.ndim == 2:
        from trabecula.drawing.plane import draw

        return draw(density, spacing, solid, void, fixed, loads, title, word, width)
    from trabecula.drawing.space import draw as draw_solid

    return draw_solid(density, spacing, solid, void, fixed, loads, title, word, width, mesh)
