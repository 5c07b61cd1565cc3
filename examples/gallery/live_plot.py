"""Step by step: the design as it grows.

`tb.iterate` is the same solve as `tb.solve`, one step at a time. Every step has the figures and, when it is
asked for, the physical density: draw it, keep it, or stop when you have seen enough. `newest.png` is written
anew at every step, for a viewer of images that looks again by itself; in a window of Matplotlib (`--window`,
if it is installed) the picture moves while the solve works. At the end it is an animation.

With `start="uniform"` there is one run on one grid. The default searches on coarse grids first, where the
steps of several runs come mixed; `step.run` and `step.shape` tell them apart.
"""

import sys
from pathlib import Path

import trabecula as tb
from trabecula.drawing import animate, picture


def show(step: tb.Progress) -> None:
    """Draw a step into a window."""
    import matplotlib.pyplot as plt

    plt.cla()
    plt.imshow(1.0 - step.density, cmap="gray", origin="lower", vmin=0.0, vmax=1.0)
    plt.title(f"{step.stage}, {step.run}: {step.iteration}")
    plt.pause(0.01)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    problem = tb.problems.get("michell", (48, 24))
    frames, captions = [], []
    with tb.iterate(problem, start="uniform") as steps:
        for step in steps:
            (folder / "newest.png").write_bytes(picture(step.density, step.spacing, width=300))
            if "--window" in sys.argv:
                show(step)
            if step.iteration % 4 == 1 and not step.stage.startswith("proof"):
                frames.append(step.density)
                captions.append(f"iteration {step.iteration}: {step.compliance:.4g} J")
    print(steps.result)
    (folder / "live_plot.gif").write_bytes(animate(frames, captions, problem.domain.spacing, width=300))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
