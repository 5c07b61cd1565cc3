"""Pictures of a solve at work: one that is kept current, and an animation of how the design came about."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from trabecula.cli.console import number
from trabecula.cli.edge import say
from trabecula.results.spoken_units import compliance_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trabecula.problem import Problem
    from trabecula.results.result import Result
    from trabecula.storage.owned import Owned
    from trabecula.strategy.progress import Progress

    Density = NDArray[np.float32]

PICTURE = "progress.png"
ANIMATION = "design.gif"

PERIOD = 1.0
"""Seconds from one picture to the next at least."""

SHARE = 0.1
"""Of the time, at most, that goes into pictures: of a large solid one takes seconds."""

MOST_FRAMES = 80
"""Of an animation."""


def picture_names(watch: bool, gif: bool) -> list[str]:
    """The files in the result folder that are asked for."""
    return [name for name, wanted in ((PICTURE, watch), (ANIMATION, gif)) if wanted]


class Watch:
    """Keeps `progress.png` in the result folder current; at the end it is the picture of the result.

    The file is replaced as a whole, so that a viewer never sees half of one. It is drawn about once per
    second, and less often where drawing takes long. The proof changes nothing that could be seen, and draws
    nothing.

    Parameters
    ----------
    problem
        For the title.
    folder
        The result folder.
    """

    def __init__(self, problem: Problem, folder: Owned) -> None:
        self._problem, self._folder = problem, folder
        self._next = 0.0

    def __call__(self, step: Progress) -> None:
        """Draw the design of a step, if it is time to."""
        now = time.monotonic()
        if now < self._next or step.stage.startswith("proof"):
            return
        from trabecula.drawing import picture

        title = f"{self._problem.name}: {step.stage}, {caption(step.iteration, step.compliance)}"
        self._folder.write_bytes(PICTURE, picture(step.density, step.spacing, title=title))
        self._next = now + max(PERIOD, (time.monotonic() - now) / SHARE)

    def finish(self, result: Result) -> None:
        """Draw the result."""
        self._folder.write_bytes(PICTURE, result.plot())


@dataclass
class _Track:
    """Frames of one origin on the finest grid: every `every`-th step, in 256 greys."""

    every: int = 1
    seen: int = 0
    frames: list[tuple[NDArray[np.uint8], str]] = field(default_factory=list)

    def add(self, density: Density, text: str) -> None:
        self.frames.append((_greys(density), text))
        if len(self.frames) >= MOST_FRAMES:  # every second one goes, from here on half as many come
            self.frames, self.every = self.frames[::2], 2 * self.every

    def wants_next(self) -> bool:
        self.seen += 1
        return (self.seen - 1) % self.every == 0


class Animation:
    """Collects how the design came about on the finest grid, and writes `design.gif` at the end.

    Candidates that are tried beside each other on the finest grid are kept apart by their origin, and only
    the one is shown that led to the result: whose design ends nearest to it. Long runs are thinned out as
    they go on, so that neither the memory nor the file grows with them.

    Parameters
    ----------
    problem
        Says which grid is the finest.
    folder
        The result folder.
    """

    def __init__(self, problem: Problem, folder: Owned) -> None:
        self._shape = problem.domain.elements[::-1]
        self._folder = folder
        self._tracks: dict[str, _Track] = {}

    def __call__(self, step: Progress) -> None:
        """Take a step in, if it is one of the finest grid."""
        if step.shape != self._shape or step.stage.startswith("proof"):
            return
        track = self._tracks.setdefault(step.origin, _Track())
        if track.wants_next():
            track.add(step.density, caption(step.iteration, step.compliance))

    def frames(self, result: Result) -> tuple[Frames, list[str]]:
        """Densities and captions: the steps of the design that led to the result, and the result itself."""
        import numpy as np

        end = _greys(result.density)

        def distance(track: _Track) -> float:
            return float(np.abs(track.frames[-1][0].astype(np.float32) - end).mean())

        reached = compliance_of(result.problem, result.compliance)
        last = (end, caption(result.iterations, reached))
        nearest = min(self._tracks.values(), key=distance, default=_Track())
        kept, captions = zip(*nearest.frames, last, strict=True)
        return Frames(kept), list(captions)

    def finish(self, result: Result) -> None:
        """Write the animation."""
        from trabecula.drawing.animation import (
            animate,
        )

        if not self._tracks:
            say(f"trabecula: note: nothing was iterated here, so {ANIMATION} shows the result alone")
        densities, captions = self.frames(result)
        self._folder.write_bytes(ANIMATION, animate(densities, captions, result.spacing))


class Frames(Sequence["Density"]):
    """Densities, float32 `[z, y, x]`, kept in a byte per voxel until they are drawn."""

    def __init__(self, kept: Sequence[NDArray[np.uint8]]) -> None:
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, place: int) -> Density: ...
    @overload
    def __getitem__(self, place: slice) -> Frames: ...
    def __getitem__(self, place: int | slice) -> Density | Frames:
        if isinstance(place, slice):
            return Frames(self._kept[place])
        import numpy as np

        return self._kept[place].astype(np.float32) / np.float32(255.0)


def caption(iteration: int, compliance: float) -> str:
    """What stands with a picture of a step."""
    return f"iteration {iteration}, compliance {number(compliance, digits=4)}"


def _greys(density: Density) -> NDArray[np.uint8]:
    import numpy as np

    greys: NDArray[np.uint8] = np.rint(255.0 * density).astype(np.uint8)
    return greys
