"""What a file is made of: the arrays and plain values of one design."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.chart import Row
from trabecula.drawing.verdicts import Word
from trabecula.export.target import Unit
from trabecula.surface.cut import Cut
from trabecula.surface.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Conditions:
    """What a design was made for, on its grid; None where it is not known.

    Attributes
    ----------
    solid, void
        bool `[z, y, x]` or `[y, x]`: passive cells.
    fixed
        bool `[component, z, y, x]` or `[component, y, x]` over nodes: held components.
    loads
        float64 `[case, component, z, y, x]` or `[case, component, y, x]` over nodes.
    cuts
        True shapes of what is passive, in the order in which they count; the surface is cut by them.
    """

    solid: NDArray[np.bool_] | None = None
    void: NDArray[np.bool_] | None = None
    fixed: NDArray[np.bool_] | None = None
    loads: NDArray[np.float64] | None = None
    cuts: Sequence[Cut] = ()


@dataclass(frozen=True, eq=False)
class Design:
    """A design to be written: arrays and plain values, so that any density can be exported.

    Attributes
    ----------
    density
        float `[z, y, x]` or `[y, x]`: physical density of the cells, 0 void to 1 solid.
    spacing
        Edge lengths of a cell along x, y(, z), in metres.
    thickness
        Of a plane design, in metres.
    origin
        Co-ordinates of the lower corner of the first cell in metres, as the problem counts; empty: zero.
    title
        Name of the design.
    word
        "predicted", "verified", "certified", or None where nothing is known.
    unit
        "mm" or "m": what the user wants lengths in a surface file to be in.
    record
        What `result.json` holds: compliance, certificate, stages and so on; may be empty.
    history
        Rows of the history, one per iteration; may be empty.
    problem
        Tree of the problem file: mappings, lists, texts and numbers; may be empty.
    problem_text
        The problem file itself, YAML; may be empty.
    find_conditions
        Gives `conditions`, which cost time and memory and are asked for only where a format needs them.
    part
        bool in the shape of `density`: the cells of the finished part; None where there is only a density.
    threshold
        Density at which the part was cut out of the density.
    find_fields
        Gives `fields`, which cost a solve.
    """

    density: NDArray[np.floating]
    spacing: Sequence[float]
    thickness: float = 1.0
    title: str = "design"
    word: Word | None = None
    unit: Unit = "mm"
    record: Mapping[str, object] = field(default_factory=dict)
    history: Sequence[Row] = ()
    problem: Mapping[str, object] = field(default_factory=dict)
    problem_text: str = ""
    find_conditions: Callable[[], Conditions] = Conditions
    part: NDArray[np.bool_] | None = None
    threshold: float = 0.5
    find_fields: Callable[[], Mapping[str, NDArray[Any]]] = dict
    origin: tuple[float, ...] = ()

    @cached_property
    def conditions(self) -> Conditions:
        """Passive cells, supports and loads; found when first asked for."""
        return self.find_conditions()

    @cached_property
    def fields(self) -> Mapping[str, NDArray[Any]]:
        """What viewers show of the part besides its density, over cells or nodes; found when first asked
        for."""
        return self.find_fields()

    @cached_property
    def surface(self) -> Mesh:
        """The smooth watertight surface, in metres, with the volume of the part; made when first asked
        for."""
        from trabecula.surface.surface import surface

        passive = self.conditions
        found = surface(
            self.density,
            self.spacing,
            thickness=self.thickness,
            solid=passive.solid,
            void=passive.void,
            part=self.part,
            threshold=self.threshold,
            cuts=passive.cuts,
        )
        return found.shift((*self.origin, 0.0)[:3]) if self.origin else found

    def _drawn(self) -> NDArray[np.floating]:
        """What a picture shows: the part, in space with the density between its voxels, which is smooth."""
        if self.part is None:
            return self.density
        if self.part.ndim == 2:
            return self.part.astype(np.float32)
        half = np.interp(self.density, (0.0, self.threshold, 1.0), (0.0, 0.5, 1.0))
        drawn = np.where(self.part, np.maximum(half, 0.55), np.minimum(half, 0.45))
        return np.asarray(drawn, dtype=np.float32)

    def describe_thin_members(self) -> str:
        """A sentence about members too thin for the surface to be as stiff as the voxels; empty if there is
        nothing to say."""
        from trabecula.surface.thickness import describe_thin_share, measure_thin_share

        cells = np.asarray(self.density > self.threshold) if self.part is None else self.part
        return describe_thin_share(measure_thin_share(cells))

    @cached_property
    def picture(self) -> bytes:
        """The picture, a PNG file; drawn when first asked for."""
        from trabecula.drawing.picture import picture

        asked, mesh = self.conditions, None
        if self.density.ndim == 3:
            from trabecula.drawing.space import MOST_CELLS

            mesh = self.surface if self.density.size <= MOST_CELLS else None
        return picture(
            self._drawn(),
            self.spacing,
            solid=asked.solid,
            void=asked.void,
            fixed=asked.fixed,
            loads=asked.loads,
            title=self.title,
            word=self.word,
            mesh=mesh,
        )
