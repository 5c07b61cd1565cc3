"""Pictures of plane designs: dark where there is material, supports as triangles, loads as arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trabecula.export import canvas
from trabecula.export.glyphs import arrows, node_points, spread, tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREATEST = 2000
_MOST_SUPPORTS = 24


def draw(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    solid: NDArray[np.bool_] | None,
    void: NDArray[np.bool_] | None,
    fixed: NDArray[np.bool_] | None,
    loads: NDArray[np.float64] | None,
    title: str | None,
    word: str | None,
    width: int,
) -> bytes:
    """PNG of a plane design; see `trabecula.export.picture`."""
    size = (density.shape[1] * spacing[0], density.shape[0] * spacing[1])
    room = 0.11 * max(size) if fixed is not None or loads is not None else 0.015 * max(size)
    breadth, height = size[0] + 2 * room, size[1] + 2 * room
    header = canvas.HEADER if title or word else 0
    inner = width - 2 * canvas.MARGIN
    drawn = int(np.clip(inner * height / breadth, 0.2 * width, 1.5 * width))
    page = canvas.new_page(width, drawn + 2 * canvas.MARGIN + header)
    total = drawn + 2 * canvas.MARGIN + header
    axes = page.add_axes((canvas.MARGIN / width, canvas.MARGIN / total, inner / width, drawn / total))
    axes.set_xlim(-room, size[0] + room)
    axes.set_ylim(-room, size[1] + room)
    axes.set_aspect("equal")
    axes.set_axis_off()

    shown = _thinned(density)
    axes.imshow(
        _colours(shown, None if void is None else _thinned(void)),
        extent=(0, size[0], 0, size[1]),
        origin="lower",
        # cells stay squares as long as there are pixels enough for them
        interpolation="nearest" if inner >= 3 * shown.shape[1] else "hanning",
        zorder=1,
    )
    axes.plot([0, size[0], size[0], 0, 0], [0, 0, size[1], size[1], 0], color="#9aa3ae", lw=1, zorder=2)
    if solid is not None and solid.any():
        _outline(axes, solid, size)
    glyph = 0.3 * room
    if fixed is not None:
        _draw_supports(axes, fixed, spacing, size, glyph)
    if loads is not None:
        _draw_loads(axes, loads, spacing, size, 0.8 * room)
    canvas.write_header(page, title, word, canvas.legend(fixed is not None, loads))
    return canvas.to_png(page)


def _thinned(cells: NDArray[np.floating] | NDArray[np.bool_]) -> NDArray[np.float64]:
    """Means over blocks of cells where there are more of them than any picture shows."""
    step = -(-max(cells.shape) // _GREATEST)
    if step == 1:
        return cells.astype(np.float64)
    padded = np.pad(cells.astype(np.float64), [(0, -n % step) for n in cells.shape], mode="edge")
    rows, columns = (n // step for n in padded.shape)
    return np.asarray(padded.reshape(rows, step, columns, step).mean(axis=(1, 3)))


def _colours(density: NDArray[np.float64], void: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """White to near black; what must stay free is tinted."""
    dark, light = np.array([0.11, 0.13, 0.16]), np.array([1.0, 1.0, 1.0])
    colours = light + np.clip(density, 0, 1)[..., None] * (dark - light)
    if void is not None:
        share = void[..., None]
        colours = colours * (1 - share) + np.array([0.90, 0.92, 0.95]) * share
    return np.asarray(colours)


def _outline(axes: Axes, solid: NDArray[np.bool_], size: tuple[float, float]) -> None:
    from matplotlib.collections import LineCollection

    padded = np.pad(solid, 1)
    steps = np.array([size[0] / solid.shape[1], size[1] / solid.shape[0]])
    j, i = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    flat = np.stack([np.stack([i, j], 1), np.stack([i + 1, j], 1)], axis=1) * steps
    j, i = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([np.stack([i, j], 1), np.stack([i, j + 1], 1)], axis=1) * steps
    lines = np.concatenate([flat, upright])
    axes.add_collection(LineCollection(list(lines), colors="#00a3a3", linewidths=1.2, zorder=3))


def _draw_supports(
    axes: Axes, fixed: NDArray[np.bool_], spacing: Sequence[float], size: tuple[float, float], glyph: float
) -> None:
    """A triangle with its tip at the node, from the side of the held component; filled where all are held."""
    from matplotlib.patches import Polygon

    held = fixed.all(axis=0)
    for component, kind in [(None, held), *((k, fixed[k] & ~held) for k in range(len(fixed)))]:
        points = node_points(kind, spacing)
        for x, y in points[spread(points, _MOST_SUPPORTS, 1.1 * glyph)]:
            outward = _outward((x, y), size, component)
            side = np.array([-outward[1], outward[0]])
            base = np.array([x, y]) + glyph * outward
            corners = [(x, y), tuple(base + 0.6 * glyph * side), tuple(base - 0.6 * glyph * side)]
            axes.add_patch(
                Polygon(
                    corners,
                    closed=True,
                    facecolor=canvas.SUPPORT if component is None else "white",
                    edgecolor=canvas.SUPPORT,
                    linewidth=1.4,
                    zorder=5,
                )
            )


def _outward(
    point: tuple[float, float], size: tuple[float, float], component: int | None
) -> NDArray[np.float64]:
    """Which way a support's triangle lies: along the held component, away from the middle of the box."""
    relative = np.array(point) / np.array(size) - 0.5
    if component is None:
        # down if it stands on the floor, else to the nearest side
        component = 1 if relative[1] < -0.499 else int(np.argmax(np.abs(relative)))
    direction = np.zeros(2)
    direction[component] = 1.0 if relative[component] > 0 else -1.0
    return direction


def _draw_loads(
    axes: Axes, loads: NDArray[np.float64], spacing: Sequence[float], size: tuple[float, float], length: float
) -> None:
    """Arrows for forces; rings for heat, which has no direction."""
    drawn = arrows(loads, spacing)
    for tail, point, direction, case in zip(
        tails(drawn, size, length), drawn.point, drawn.direction, drawn.case, strict=True
    ):
        colour = canvas.case_colour(int(case))
        if not direction.any():
            axes.plot(*point, marker="o", ms=7, mfc="none", mec=colour, mew=1.6, zorder=6)
            continue
        axes.annotate(
            "",
            xy=tuple(tail + length * direction),
            xytext=tuple(tail),
            arrowprops={"arrowstyle": "-|>,head_width=0.35,head_length=0.7", "color": colour, "lw": 2.2},
            zorder=6,
            annotation_clip=False,
        )
