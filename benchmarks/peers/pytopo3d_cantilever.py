"""pytopo3d's own 3-D cantilever, solved by Intel's Pardiso; set-up and Python start are not counted.

usage: python pytopo3d_cantilever.py NX NY NZ ITERATIONS; needs `pip install pytopo3d`.
"""

from __future__ import annotations

import itertools
import json
import logging
import statistics
import sys
import time

from pytopo3d.core.optimizer import top3d

VOLUME, PENALTY, RADIUS = 0.15, 3.0, 1.5


class Clock(logging.Handler):
    """Notes when each iteration says that it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the time of a message."""
        self.times.append(time.perf_counter())
        self.said.append(record.getMessage())


def main() -> None:
    """Run, and print seconds per iteration and the last compliance as JSON."""
    nx, ny, nz, iterations = map(int, sys.argv[1:5])
    clock = Clock()
    root = logging.getLogger()
    root.addHandler(clock)
    root.setLevel(logging.INFO)
    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("pytopo3d"):
            logging.getLogger(name).addHandler(clock)
    top3d(nx, ny, nz, VOLUME, PENALTY, RADIUS, 0.5, tolx=0.0, maxloop=iterations)
    done = {text: t for text, t in zip(clock.said, clock.times, strict=True) if "Obj=" in text}
    times = list(done.values())
    seconds = statistics.median(b - a for a, b in itertools.pairwise(times))
    compliance = float(list(done)[-1].split("Obj=")[1].split(",")[0])
    print(json.dumps({"seconds": seconds, "compliance": compliance}))


if __name__ == "__main__":
    main()
